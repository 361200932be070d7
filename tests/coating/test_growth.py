"""Laws of a coating: zinc in is zinc on powder plus zinc out, islands against sums, never above the closed film."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx
from scipy.integrate import quad

from interlith.coating.gas import moles
from interlith.coating.grow import conformal_loading, grow, nuclei_per_um2
from interlith.coating.islands import Islands, film_nm3_per_nm2, film_of
from interlith.coating.process import as_sources_can, front_time_s, process, warnings
from interlith.coating.recipe_file import read_recipe
from interlith.parts.recipe import Dose, Growth, Powder, Recipe
from interlith.units import ZINC_OXIDE_G_PER_MOL

REFERENCE = read_recipe("reference-coating")


def recipe(**own):
    dose = Dose(pressure_steps_Torr=own.pop("zinc", (20.0,)), source_temperature_C=60)
    water = Dose(pressure_steps_Torr=own.pop("water", (20.0,)), source_temperature_C=60)
    growth = Growth(
        growth_per_cycle_nm=own.pop("gpc", 0.19),
        nuclei_per_um2=own.pop("nuclei", 1000.0),
        nuclei_per_um2_per_cycle=own.pop("coming", 0.0),
    )
    powder = own.pop("powder", Powder(outer_diameter_nm=20, inner_diameter_nm=7))
    values = {"batch_mass_kg": 1.0, "reactor_volume_L": 35.0, "temperature_C": 200.0, "n_cycles": 40, **own}
    return Recipe(powder=powder, zinc=dose, water=water, growth=growth, **values)


RECIPES = st.builds(
    recipe,
    zinc=st.lists(st.floats(0.01, 100.0), min_size=1, max_size=4).map(tuple),
    water=st.lists(st.floats(0.01, 100.0), min_size=1, max_size=4).map(tuple),
    gpc=st.floats(0.02, 0.5),
    nuclei=st.floats(1.0, 1e6),
    coming=st.sampled_from([0.0, 5.0, 500.0]),
    powder=st.sampled_from(
        [
            Powder(outer_diameter_nm=20, inner_diameter_nm=7),
            Powder(outer_diameter_nm=50, inner_diameter_nm=10),
            Powder(surface_area_m2_per_g=150.0),
        ]
    ),
    batch_mass_kg=st.floats(0.01, 20.0),
    reactor_volume_L=st.floats(0.1, 5000.0),
    n_cycles=st.integers(1, 40),
)


@settings(max_examples=60, deadline=None)
@given(RECIPES)
def test_zinc_in_is_zinc_on_the_powder_plus_zinc_out(made):
    batch = grow(made)
    let_in = made.n_cycles * moles(made.zinc, made.reactor_volume_L, made.temperature_C)
    on_powder = float(batch.oxide_g_per_g[-1]) * made.batch_mass_kg * 1e3 / ZINC_OXIDE_G_PER_MOL
    assert on_powder + batch.zinc_out_mol == approx(let_in, rel=1e-9)
    assert on_powder == approx(float(batch.zinc_on_mol.sum()), rel=1e-9)
    assert batch.ethane_mol == approx(2.0 * on_powder, rel=1e-9)
    assert np.all(batch.zinc_on_mol <= min(batch.zinc_in_mol, batch.water_in_mol) * (1 + 1e-12))
    assert sum(batch.shares.values()) == approx(1.0)


@settings(max_examples=60, deadline=None)
@given(RECIPES)
def test_a_loading_is_never_above_the_closed_film(made):
    batch = grow(made)
    for place in (0, made.n_cycles // 2, made.n_cycles - 1):
        limit = conformal_loading(made, (place + 1) * made.growth.growth_per_cycle_nm)
        assert batch.powder_loading[place] <= limit * (1 + 1e-9)
    assert np.all(np.diff(batch.powder_loading) >= 0)
    assert np.all(np.diff(batch.coverage) >= -1e-12)


def test_many_nuclei_and_full_doses_are_the_closed_film():
    made = recipe(nuclei=1e6, reactor_volume_L=1e5, n_cycles=79)
    batch = grow(made)
    assert batch.regime == "saturated"
    assert 1 - batch.powder_loading[-1] == approx(1 - conformal_loading(made, 79 * 0.19), rel=0.02)
    assert batch.coverage[-1] == approx(1.0, abs=1e-6)


@pytest.mark.parametrize("tube_nm", [np.inf, 10.0, 3.0])
def test_few_islands_are_parts_of_balls_outside_the_tube(tube_nm):
    """A ball with its centre on the surface; the part of it outside a cylinder, by integration over the ball."""
    r = 2.0
    found = Islands(np.array([1e-9]), np.array([r]), tube_nm).nm3_per_nm2 / 1e-9

    def outside(z):  # area of the part outside the tube of a disc across the tube's axis
        rho = np.sqrt(r * r - z * z)
        if np.isinf(tube_nm):
            return np.pi * rho**2 / 2
        return quad(lambda s: s * 2 * np.arccos(np.clip(-s / (2 * tube_nm), -1, 1)), 0, rho)[0]

    exact = quad(outside, -r, r)[0]
    assert found == approx(exact, rel=0.01)
    assert exact >= 2 / 3 * np.pi * r**3 * (1 - 1e-9)


def test_coverage_and_film_of_a_plane_follow_avrami():
    """t = r - D(x) / k, D Dawson's function, x = k r, k = sqrt(pi N): the integral of 1 - exp(-pi N (r^2 - h^2))."""
    from scipy.special import dawsn

    for n, r in ((0.001, 3.0), (0.05, 3.0), (2.0, 3.0)):
        k = np.sqrt(np.pi * n)
        found = Islands(np.array([n]), np.array([r]))
        assert found.nm3_per_nm2 == approx(r - dawsn(k * r) / k, rel=1e-6)
        assert found.coverage == approx(1 - np.exp(-np.pi * n * r * r))


def test_the_area_that_grows_is_the_derivative_of_the_volume():
    islands = Islands(np.array([0.002, 0.01]), np.array([4.0, 1.5]), 10.0)
    _, area = islands._volume_and_area()
    step = 1e-3  # nodes lie on one side or the other of the smaller islands' top: a step that some of them cross
    numeric = (islands.grown(step).nm3_per_nm2 - islands.grown(-step).nm3_per_nm2) / (2 * step)
    assert area == approx(numeric, rel=0.01)


def test_a_film_and_its_volume_are_inverse():
    for radius in (2.0, 10.0, np.inf):
        for film in (0.01, 0.24, 15.0):
            assert film_of(film_nm3_per_nm2(film, radius), radius) == approx(film)


def test_a_supply_limited_loading_goes_with_dose_over_batch_and_not_with_nuclei():
    few, many = (grow(recipe(nuclei=n, n_cycles=80, reactor_volume_L=20)) for n in (3e4, 1e5))
    assert few.regime == many.regime == "supply"
    assert few.oxide_g_per_g[-1] == approx(many.oxide_g_per_g[-1], rel=0.02)
    half = grow(recipe(nuclei=1e5, n_cycles=80, reactor_volume_L=20, batch_mass_kg=0.5))
    assert half.oxide_g_per_g[-1] == approx(2 * many.oxide_g_per_g[-1], rel=0.02)


def test_a_nucleation_limited_loading_goes_with_nuclei_and_not_with_the_batch():
    one, half = (grow(recipe(nuclei=20, reactor_volume_L=5000, batch_mass_kg=kg)) for kg in (1.0, 0.5))
    assert one.regime == half.regime == "nucleation"
    assert one.oxide_g_per_g[-1] == approx(half.oxide_g_per_g[-1], rel=1e-12)
    double = grow(recipe(nuclei=40, reactor_volume_L=5000))
    assert double.oxide_g_per_g[-1] == approx(2 * one.oxide_g_per_g[-1], rel=0.01)
    assert one.diameter_nm[-1] == approx(2 * 40 * 0.19)


def test_water_limits_too():
    batch = grow(recipe(water=(5.0,), n_cycles=80))
    assert batch.regime == "water"
    assert float(batch.zinc_on_mol[-1]) == approx(batch.water_in_mol)
    assert any("water limits" in text for text in warnings(batch, process(batch)))


def test_nuclei_that_come_later_cover_more_and_are_smaller():
    without, coming = (grow(recipe(reactor_volume_L=5000, nuclei=20, coming=c)) for c in (0.0, 5.0))
    assert coming.coverage[-1] > without.coverage[-1]
    assert coming.nuclei_per_um2 == approx(20 + 39 * 5, rel=0.05)
    assert coming.diameter_nm[-1] == without.diameter_nm[-1]


def test_ozone_makes_nuclei():
    made = Growth(growth_per_cycle_nm=0.19, nuclei_at_most_per_um2=1000, ozone_constant_min=10)
    assert nuclei_per_um2(made, 0.0) == 0.0
    assert nuclei_per_um2(made, 10.0) == approx(1000 * (1 - np.exp(-1)))


def test_a_dose_is_an_ideal_gas():
    dose = Dose(pressure_steps_Torr=(6.5, 6.5, 7.0), source_temperature_C=40)
    assert moles(dose, 33.0, 200.0) == approx(20 * 133.32236842105263 * 0.033 / (8.31446 * 473.15), rel=1e-5)


def test_time_heat_and_cost_add_up():
    from interlith.parts.recipe import Prices

    prices = Prices(
        diethylzinc_per_kg=1000, powder_per_kg=200, argon_per_m3=10, argon_m3_per_cycle=0.1, reactor_per_h=50
    )
    made = REFERENCE.recipe.with_values(prices=prices)
    found = process(grow(made))
    hours = 2.0 + 0.5 + 79 * (3 * 10 + 60 + 60 + 3 * 10 + 60 + 120) / 3600
    assert found.time_h == approx(hours)
    assert found.cost == approx(found.diethylzinc_kg * 1000 + 200 + 79 * 0.1 * 10 + hours * 50)
    assert found.diethylzinc_used_kg == approx(found.diethylzinc_kg * grow(made).utilization)
    mol = float(grow(made).zinc_on_mol.mean())
    assert found.heat_per_cycle_K == approx(332e3 * mol / (1.07 * 1000))


def test_a_source_that_is_too_cold_is_told_and_what_it_could_give():
    cold = recipe().model_copy(update={"zinc": Dose(pressure_steps_Torr=(20.0,), source_temperature_C=20)})
    batch = grow(cold)
    said = warnings(batch, process(batch))
    assert said[0].startswith("diethylzinc: 20 Torr cannot come from a source at 20 C, whose vapor pressure is 12.2")
    possible = as_sources_can(cold)
    assert possible.zinc.pressure_Torr == approx(12.2, abs=0.1)
    assert as_sources_can(recipe()) == recipe()


def test_hot_cycles_and_lumps_are_told():
    hot = recipe(nuclei=1e6, reactor_volume_L=5000)
    batch = grow(hot)
    assert any("heat the powder by" in text for text in warnings(batch, process(batch)))
    lumps = Powder(outer_diameter_nm=20, inner_diameter_nm=7, lump_diameter_mm=2.0)
    batch = grow(recipe(powder=lumps, n_cycles=80))
    found = process(batch)
    assert 0 < found.skin_depth_um < 1000
    share = float(batch.zinc_on_mol[-1] / batch.saturating_mol[-1])
    assert 1 - (1 - found.skin_depth_um / 1000) ** 3 == approx(share)
    double = recipe(powder=lumps.with_values(lump_diameter_mm=4.0))
    assert front_time_s(double) == approx(4 * front_time_s(recipe(powder=lumps)))


def test_islands_are_filled_to_what_is_asked():
    islands = Islands(np.array([0.002, 0.01]), np.array([4.0, 1.5]), 10.0)
    for share in (0.01, 0.5, 0.99):
        most = islands.grown(0.19).nm3_per_nm2
        wanted = islands.nm3_per_nm2 + share * (most - islands.nm3_per_nm2)
        for begin in (0.0, 0.1, 0.19, 5.0):
            assert islands.filled(wanted, 0.19, begin).nm3_per_nm2 == approx(wanted, rel=1e-12)


def test_new_nuclei_need_bare_surface():
    half = Islands(np.array([np.log(2) / (np.pi * 9)]), np.array([3.0]))
    assert half.coverage == approx(0.5)
    assert half.with_cohort(0.01).per_nm2[-1] == approx(0.005)


def test_a_powder_mostly_but_not_wholly_covered_is_not_saturated():
    batch = grow(recipe(nuclei=3000, reactor_volume_L=1e5, n_cycles=70))
    assert 0.7 < batch.coverage[-1] < 0.99
    assert batch.regime == "nucleation"


def test_later_nuclei_come_from_the_second_cycle_on():
    one, two = (grow(recipe(reactor_volume_L=5000, nuclei=20, coming=5.0, n_cycles=n)) for n in (1, 2))
    assert one.nuclei_per_um2 == approx(20.0)
    assert two.nuclei_per_um2 == approx(25.0, rel=1e-3)


def test_the_regime_is_that_in_which_most_of_the_oxide_came():
    short = grow(REFERENCE.recipe, 8)  # six cycles of growing islands, two that use the gas up
    assert short.regimes[-1] == "supply"
    assert short.regimes.count("nucleation") == 6
    assert short.regime == max(short.shares, key=short.shares.get)
    assert short.shares["nucleation"] == approx(float(short.zinc_on_mol[:6].sum() / short.zinc_on_mol.sum()))


def test_a_chamber_that_saturates_and_a_front_by_hand():
    powder = Powder(outer_diameter_nm=20, inner_diameter_nm=7, lump_diameter_mm=4.0, lump_density_g_per_cm3=0.2)
    made = recipe(powder=powder)
    found = process(grow(made))
    wide = made.model_copy(update={"reactor_volume_L": found.reservoir_m3 * 1e3})
    zinc_in = moles(wide.zinc, wide.reactor_volume_L, 200.0)
    assert zinc_in == approx(found.saturating_mol_per_kg * 1.0)
    speed = np.sqrt(8 * 8.314462618 * 473.15 / (np.pi * 0.123504))
    diffusivity = (1 - 0.2 / 2.1) / 3 * 100e-9 / 3 * speed
    concentration = 20 * 133.322 / (8.314462618 * 473.15)
    by_hand = found.saturating_mol_per_kg * 200 * 0.002**2 / (6 * diffusivity * concentration)
    assert found.front_time_s == approx(by_hand, rel=1e-4)
    assert any("to the middle of the largest lump" in text for text in warnings(grow(made), found))  # held 0 s
    held = made.model_copy(update={"zinc": made.zinc.with_values(hold_s=2 * by_hand)})
    assert not any("to the middle" in text for text in warnings(grow(held), process(grow(held))))


def test_many_cohorts_are_merged_and_hold_the_same():
    from interlith.coating import islands as module

    made = recipe(reactor_volume_L=5000, nuclei=20, coming=1.0, n_cycles=300)
    merged, module.MOST_COHORTS = grow(made), 1000
    try:
        every = grow(made)
    finally:
        module.MOST_COHORTS = 64
    assert merged.nuclei_per_um2 == approx(every.nuclei_per_um2, rel=1e-3)
    assert np.allclose(merged.oxide_g_per_g, every.oxide_g_per_g, rtol=3e-3)
    assert np.allclose(merged.coverage, every.coverage, atol=2e-3)
    assert merged.diameter_nm[-1] == approx(every.diameter_nm[-1], rel=1e-3)


def test_merging_keeps_number_and_coverage_and_the_oldest():
    many = Islands(np.full(65, 1e-4), np.linspace(9.0, 0.0, 65) ** 1.1, 10.0)
    few = many._merged()
    assert len(few.per_nm2) == 64
    assert few.per_nm2.sum() == approx(many.per_nm2.sum())
    assert few.coverage == approx(many.coverage)
    assert few.diameter_nm == many.diameter_nm
    assert few.nm3_per_nm2 == approx(many.nm3_per_nm2, rel=1e-4)


def test_pulses_bring_more_and_are_held_longer():
    made = recipe(nuclei=1e5, n_cycles=40, reactor_volume_L=10)
    often = made.model_copy(update={name: getattr(made, name).with_values(n_pulses=3) for name in ("zinc", "water")})
    assert grow(often).oxide_g_per_g[-1] == approx(3 * grow(made).oxide_g_per_g[-1], rel=0.05)
    assert grow(often).zinc_in_mol == approx(3 * grow(made).zinc_in_mol)
