"""Voltammetry: peaks against what made them, a diffusion coefficient only from what diffuses, bad input refused."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lab_truth import F, R, bell, lithiation, record, reversible, surface_bound, triangle

from interlith.characterize.voltammetry import cv_peaks, scan_rates
from interlith.characterize.voltammetry.cv import measure_cv, voltammogram, voltammograms
from interlith.characterize.voltammetry.cv_peaks import peaks_of
from interlith.characterize.voltammetry.sweeps import Sweep, turning_points
from interlith.characterize.voltammetry.untimed import is_untimed, read_untimed
from interlith.cycling.reading import read
from interlith.errors import InputError, InterlithError
from interlith.parts.quantity import as_toml
from interlith.record import CURRENT, TIME, VOLTAGE

RATES = (0.01, 0.02, 0.05, 0.1, 0.2)


def sweep(x, y, direction=1, seconds=1000.0):
    return Sweep("a", 1, direction, 1.0, x, y, np.linspace(0, seconds, len(x)), direction)


def at_rates(made, rates=RATES, *, noise=0.0, seed=0, **more):
    """One voltammogram for each rate, made by a function of lab_truth."""
    potential = triangle(0.0, 1.0, 1000)
    found = []
    for place, rate in enumerate(rates):
        time, current = made(rate, potential_V=potential, **more)
        current = current + np.random.default_rng(place + seed).normal(0, noise, len(current))
        found += voltammograms(record(time, potential, current), f"{1e3 * rate:g}")
    return found


@pytest.fixture(scope="module")
def diffusing():
    return at_rates(reversible)


def test_the_judge_gives_the_number_of_nicholson_and_shain():
    potential = triangle(0.0, 1.0, 1000)
    _, current = reversible(0.1, potential_V=potential)
    assert current.max() / (F * 1e-6 * math.sqrt(1e-5 * F * 0.1 / (R * 298.15))) == pytest.approx(0.4463, abs=2e-4)


def test_a_simulated_reversible_couple_gives_back_its_diffusion_coefficient(diffusing):
    found = measure_cv(diffusing, area_cm2=1.0, concentration_mol_per_L=1e-3)
    (quantity,) = found.quantities
    assert quantity.name == "diffusion_cm2_per_s"
    assert quantity.value == pytest.approx(1e-5, rel=0.01)
    assert quantity.low < 1e-5 < quantity.high
    assert quantity.file is None
    assert "1" in found.headline
    json.dumps(found.values, allow_nan=False)


@pytest.mark.parametrize(("n", "D", "area", "c", "T"), [(2, 2e-6, 0.5, 5e-6, 298.15), (1, 5e-5, 2.0, 2e-7, 333.15)])
def test_it_does_so_for_other_electrons_areas_and_temperatures(n, D, area, c, T):
    sweeps = at_rates(reversible, n=n, D=D, area=area, c=c, T=T)
    given = {"area_cm2": area, "concentration_mol_per_L": c * 1e3, "n_electrons": n, "temperature_C": T - 273.15}
    (quantity,) = measure_cv(sweeps, **given).quantities
    assert quantity.value == pytest.approx(D, rel=0.02)


def test_noise_moves_the_coefficient_no_more_than_it_says():
    made = [at_rates(reversible, noise=1e-6, seed=100 * k) for k in range(8)]
    got = [measure_cv(one, area_cm2=1.0, concentration_mol_per_L=1e-3).quantities[0] for one in made]
    assert sum(one.low < 1e-5 < one.high for one in got) >= 7
    assert np.mean([one.value for one in got]) == pytest.approx(1e-5, rel=0.03)


def test_a_reversible_couple_has_its_peaks_where_theory_puts_them(diffusing):
    (pair,) = measure_cv(diffusing[:1]).values["pairs"]
    thermal_mV = 1e3 * R * 298.15 / F
    assert pair["anodic_V"] == pytest.approx(0.5 + 1.109 * thermal_mV / 1e3, abs=1e-3)
    assert pair["half_wave_V"] == pytest.approx(0.5, abs=1e-3)
    assert pair["separation_mV"] == pytest.approx(58.0, abs=1.5)


def test_without_area_or_concentration_there_is_the_law_alone(diffusing):
    for known in ({}, {"area_cm2": 1.0}, {"concentration_mol_per_L": 1e-3}):
        found = measure_cv(diffusing, **known)
        assert found.quantities == ()
        assert found.values["scan_rates"][0]["law"] == "diffusion"
        assert any("needs area and concentration" in text for text in found.said)


def test_the_way_back_gives_no_coefficient(diffusing):
    found = measure_cv(diffusing, area_cm2=1.0, concentration_mol_per_L=1e-3)
    back = next(one for one in found.values["scan_rates"] if one["direction"] == "cathodic")
    assert back["diffusion_cm2_per_s"] is None
    assert any("way back" in text for text in found.said)


def test_what_sits_on_the_surface_is_refused_with_an_exponent_of_1():
    found = measure_cv(at_rates(surface_bound), area_cm2=1.0, concentration_mol_per_L=1e-3)
    assert found.quantities == ()
    for one in found.values["scan_rates"]:
        assert one["exponent"] == pytest.approx(1.0, abs=0.01)
        assert one["law"] == "surface"
    assert any("nothing diffuses" in text for text in found.said)


def test_a_surface_and_a_solution_together_are_neither():
    potential = triangle(0.0, 1.0, 1000)
    sweeps = []
    for rate in RATES:
        time, one = reversible(rate, potential_V=potential)
        other = surface_bound(rate, potential_V=potential, formal_V=0.529, mol=4e-9, capacitance_F=0.0)[1]
        sweeps += voltammograms(record(time, potential, one + other), f"{rate}")
    found = measure_cv(sweeps, area_cm2=1.0, concentration_mol_per_L=1e-3)
    assert found.quantities == ()
    assert {one["law"] for one in found.values["scan_rates"]} == {"neither"}


def test_a_resistance_is_not_taken_for_a_reversible_couple():
    """Ohmic drop moves and widens the peaks while their height still goes nearly with the root of the rate."""
    found = measure_cv(at_rates(reversible, resistance_ohm=100.0), area_cm2=1.0, concentration_mol_per_L=1e-3)
    assert found.quantities == ()
    laws = [one["law"] for one in found.values["scan_rates"]]
    assert "surface" not in laws
    assert any("but no coefficient: the p" in text for text in found.said) or "diffusion" not in laws


def test_a_peak_of_another_width_than_that_of_the_stated_electrons_gives_no_coefficient():
    sweeps = at_rates(reversible, n=2)
    assert measure_cv(sweeps, area_cm2=1.0, concentration_mol_per_L=1e-3, n_electrons=2).quantities
    found = measure_cv(sweeps, area_cm2=1.0, concentration_mol_per_L=1e-3, n_electrons=1)
    assert found.quantities == ()
    assert any("mV wide from half its height, a reversible one 57 mV" in text for text in found.said), found.said


def test_a_peak_that_moves_with_the_rate_gives_no_coefficient():
    """30 mV in a decade, as an irreversible couple moves; width and height are those of a reversible one."""
    sweeps = []
    for rate in RATES:
        potential = triangle(0.0, 1.0, 1000)
        time, current = reversible(rate, potential_V=potential, formal_V=0.5 + 0.03 * math.log10(rate / 0.01))
        sweeps += voltammograms(record(time, potential, current), f"{rate}")
    found = measure_cv(sweeps, area_cm2=1.0, concentration_mol_per_L=1e-3)
    assert found.quantities == ()
    assert any("moves by 30 mV in a decade" in text for text in found.said)


@pytest.mark.parametrize(
    ("rates", "why"), [((0.01, 0.1, 0.2), "3 scan rates"), ((0.1, 0.12, 0.15, 0.2), "factor of 2 only")]
)
def test_few_or_close_scan_rates_decide_nothing(rates, why):
    found = measure_cv(at_rates(reversible, rates), area_cm2=1.0, concentration_mol_per_L=1e-3)
    assert found.quantities == ()
    assert all(one["law"] == "undecided" for one in found.values["scan_rates"])
    assert any(why in text for text in found.said)


@given(
    middle=st.floats(0.3, 0.7),
    sigma=st.floats(0.015, 0.05),
    slope=st.floats(-1.0, 1.0),
    level=st.floats(-1.0, 1.0),
    direction=st.sampled_from([1, -1]),
)
@settings(max_examples=60, deadline=None)
def test_charge_and_height_of_a_peak_are_those_that_made_it_whatever_lies_under_it(
    middle, sigma, slope, level, direction
):
    x = np.linspace(0.0, 1.0, 2001)[::direction]
    y = direction * bell(x, middle, sigma, 1e-3) + 1e-3 * (slope * x + level)
    (peak,) = peaks_of(sweep(x, y, direction))
    assert peak.height_A == pytest.approx(1e-3, rel=0.02)
    assert peak.charge_mAh * 3.6 == pytest.approx(1e-3 * math.sqrt(2 * math.pi) * sigma * 1000, rel=0.02)
    assert peak.potential_V == pytest.approx(middle + direction * slope * sigma**2, abs=6e-4)


@pytest.mark.parametrize("seed", range(6))
def test_a_line_up_the_flank_of_a_peak_is_no_baseline(seed):
    """A sweep that begins on a peak: the line through its steep start would end above the top."""
    x = np.linspace(0.0, 1.0, 2001)
    made = {0.05: 2e-5, 0.28: 2e-5, 0.52: 1.5e-5}
    y = 3e-6 + sum(bell(x, place, 0.045, height) for place, height in made.items())
    peaks = peaks_of(sweep(x, y + np.random.default_rng(seed).normal(0, 5e-7, len(x)), seconds=1e4))
    assert [peak.potential_V for peak in peaks] == pytest.approx(list(made), abs=0.012)
    assert peaks[0].height_A > 0.4 * made[0.05]
    for peak, height in zip(peaks[1:], list(made.values())[1:], strict=True):
        assert peak.height_A == pytest.approx(height, rel=0.1)


@given(scale=st.floats(1e-9, 1e3))
@settings(max_examples=20, deadline=None)
def test_peaks_scale_with_the_current(scale):
    x = np.linspace(0.0, 1.0, 801)
    y = bell(x, 0.4, 0.03, 1.0) + bell(x, 0.6, 0.03, 0.4) + 0.05 * np.sin(40 * x) ** 2 * 0.1
    one, other = peaks_of(sweep(x, y)), peaks_of(sweep(x, scale * y))
    assert len(one) == len(other) == 2
    for a, b in zip(one, other, strict=True):
        assert b.height_A == pytest.approx(scale * a.height_A, rel=1e-6)
        assert b.potential_V == pytest.approx(a.potential_V, abs=1e-9)


def test_errors_of_potential_and_height_are_those_of_many_noisy_sweeps():
    x, rng = np.linspace(0.0, 1.0, 1001), np.random.default_rng(5)
    made = 1e-3 * bell(x, 0.5, 0.04, 1.0)
    peaks = [peaks_of(sweep(x, made + rng.normal(0, 2e-5, len(x))))[0] for _ in range(200)]
    for value, error in (("potential_V", "potential_error_V"), ("height_A", "height_error_A")):
        spread = np.std([getattr(peak, value) for peak in peaks])
        said = np.mean([getattr(peak, error) for peak in peaks])
        assert 0.5 < said / spread < 2.5, value


def test_noise_has_no_peaks():
    n_found = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        n = int(rng.integers(60, 4000))
        n_found += len(peaks_of(sweep(np.linspace(0, 1, n), rng.normal(0, 1, n)))) > 0
    assert n_found <= 2


def test_a_straight_line_has_no_peak_and_a_monotone_current_none():
    x = np.linspace(0, 1, 500)
    assert peaks_of(sweep(x, 1e-3 * x)) == ()
    assert peaks_of(sweep(x, np.exp(8 * x))) == ()
    assert peaks_of(sweep(x, np.zeros(500))) == ()


def test_the_lower_hull_is_the_one_of_an_outside_library():
    from scipy.spatial import ConvexHull

    x, rng = np.linspace(0, 1, 300), np.random.default_rng(2)
    y = rng.normal(0, 1, 300) + 10 * (x - 0.5) ** 2
    hull = ConvexHull(np.column_stack([x, y]))
    below = [e for e in hull.equations if e[1] < 0]
    theirs = np.max([-(e[0] * x + e[2]) / e[1] for e in below], axis=0)
    assert cv_peaks.lower_hull(x, y) == pytest.approx(theirs, abs=1e-9)


def test_sweeps_rates_and_cycles_are_found_in_the_data():
    potential = triangle(-0.2, 0.8, 500, cycles=3)
    one = voltammogram(record(np.arange(len(potential)) * 0.02, potential, 1e-6 * potential), "a")
    assert [s.direction for s in one.sweeps] == [1, -1] * 3
    assert [s.cycle for s in one.sweeps] == [1, 1, 2, 2, 3, 3]
    assert {round(s.rate_mV_per_s, 6) for s in one.sweeps} == {100.0}
    assert one.notes == ()


def test_rests_before_between_and_after_sweeps_are_no_sweeps():
    up, rng = np.linspace(0.0, 1.0, 400), np.random.default_rng(0)
    potential = np.concatenate([np.zeros(150), up, np.ones(200), up[::-1], np.zeros(100)]) + rng.normal(0, 2e-4, 1250)
    one = voltammogram(record(np.arange(1250) * 0.05, potential, potential * 1e-3), "a")
    assert [s.direction for s in one.sweeps] == [1, -1]
    for s in one.sweeps:
        assert s.rate_mV_per_s == pytest.approx(1e3 / (399 * 0.05), rel=0.01)


def test_a_record_with_two_rates_is_parted_into_two():
    potential = triangle(0.0, 1.0, 200, cycles=2)
    time = np.concatenate([[0], np.cumsum(np.repeat([0.05, 0.1], 400))])
    both = voltammograms(record(time, potential, potential), "a")
    assert [round(v.sweeps[0].rate_mV_per_s, 3) for v in both] == [100.0, 50.0]
    assert len({v.name for v in both}) == 2


@given(st.integers(1, 6), st.floats(0.0, 2e-3), st.booleans())
@settings(max_examples=30, deadline=None)
def test_turning_points_are_all_found_and_no_others(cycles, noise, up_first):
    potential = triangle(0.0, 1.0, 200, cycles, up_first)
    noisy = potential + np.random.default_rng(cycles).normal(0, noise, len(potential))
    found = turning_points(noisy, 0.03)
    assert len(found) == 2 * cycles + 1
    assert found == pytest.approx([200 * k for k in range(2 * cycles + 1)], abs=4)


def test_zinc_oxide_is_assigned_where_window_order_and_first_cycle_fit():
    found = measure_cv(voltammograms(lithiation(noise=5e-7), "paper"))
    assert {one.name: one.value for one in found.quantities} == pytest.approx(
        {"conversion_voltage_V": 0.5, "alloy_voltage_V": 0.19}, abs=2e-3
    )
    assert {(one.file, one.table) for one in found.quantities} == {("study", "set.coating")}
    assert "an assignment" in found.headline
    assert any("not a proof" in text for text in found.said)
    assert "[set.coating]" in as_toml(found.quantities)


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"rate_V_per_s": 0.05}, "too fast"),
        ({"top_V": 0.7}, "not from above 0.8 V"),
        ({"comes_back": 1.0}, "comes back in the next cycle"),
    ],
)
def test_zinc_oxide_is_not_assigned_elsewhere(more, why):
    found = measure_cv(voltammograms(lithiation(**more), "paper"))
    assert found.quantities == ()
    assert found.values["zinc_oxide"] is None
    assert any(why in text for text in found.said)


def test_shifts_follow_a_peak_from_cycle_to_cycle():
    potential = triangle(0.0, 1.0, 800, cycles=4)
    cycle = np.minimum(np.arange(len(potential)) // 1600, 3)
    up = np.concatenate([[True], np.diff(potential) > 0])
    current = np.where(up, bell(potential, 0.4 + 0.02 * cycle, 0.03, 1e-3), -bell(potential, 0.3, 0.03, 1e-3)) + 1e-5
    shifts = measure_cv(voltammograms(record(np.arange(len(potential)) * 1.0, potential, current), "a")).values[
        "shifts"
    ]
    by = {one["direction"]: one for one in shifts}
    assert by["anodic"]["shift_mV"] == pytest.approx(60.0, abs=2.0)
    assert by["cathodic"]["shift_mV"] == pytest.approx(0.0, abs=2.0)
    assert by["anodic"]["to_cycle"] == 4


@pytest.fixture
def platinum(cycler):
    return read(cycler.parent / "characterisation/cv/Pt_poly_cv_CUT.mpt", use_cache=False)


def test_the_platinum_file_runs_at_100_mV_per_s_and_shows_its_oxide(platinum):
    """Its header says dE/dt 100 mV/s; the reduction of platinum oxide is the one peak that points 67 mV apart show."""
    found = measure_cv(voltammograms(platinum, "Pt"), area_cm2=1.0, concentration_mol_per_L=1e-3)
    (one,) = found.values["voltammograms"]
    assert one["rate_mV_per_s"] == pytest.approx(100.0, rel=2e-3)
    assert one["n_cycles"] == 5
    assert {peak["direction"] for peak in found.values["peaks"]} == {"cathodic"}
    assert all(0.6 < peak["potential_V"] < 0.7 for peak in found.values["peaks"])
    assert all(peak["potential_standard_error_V"] > 0.015 for peak in found.values["peaks"])
    assert found.quantities == ()
    assert any("no Randles-Sevcik: 1 scan rate" in text for text in found.said)
    assert any("19 mV only" in text for text in found.said)


def test_every_cycler_file_is_a_voltammogram_or_says_why_not(cycler):
    n_refused = 0
    for path in sorted(cycler.rglob("*.mpr"))[:12]:
        try:
            taken = read(path, use_cache=False)
        except InterlithError:
            continue
        try:
            measure_cv(voltammograms(taken, path.name))
        except InputError as problem:
            n_refused += 1
            message = str(problem)
            assert path.name in message, message
    assert n_refused > 3


def _galvanostatic():
    time = np.arange(2000.0)
    x = (time % 1000) / 1000
    way = np.where((time // 1000) % 2 == 0, 1.0, -1.0)
    level = 3.4 + 0.1 * np.tanh(12 * (x - 0.95)) - 0.3 * np.exp(-40 * x)
    return record(time, np.where(way > 0, level, 6.8 - level), way * 1e-3)


LINE = np.linspace(0.0, 1.0, 300)
BAD = {
    "one sweep": (record(np.arange(300.0), LINE, LINE), "one sweep only"),
    "rest": (record(np.arange(300.0), np.full(300, 3.0), np.zeros(300)), "a rest or a hold"),
    "millivolts": (record(np.arange(1001.0), 1e3 * triangle(0, 1, 500), triangle(0, 1, 500)), "in mV"),
    "galvanostatic": (_galvanostatic(), "galvanostatic"),
    "few points": (record(np.arange(9.0), triangle(0, 1, 4), triangle(0, 1, 4)), "too few"),
    "bent": (record(np.arange(1001.0), np.sin(np.pi * triangle(0, 1, 500) / 2) ** 3, triangle(0, 1, 500)), "steady"),
    "noise": (record(np.arange(500.0), np.random.default_rng(0).normal(0, 1, 500), np.ones(500)), "not a voltammogram"),
    "nothing known": (record(np.arange(50.0), np.full(50, np.nan), np.ones(50)), "too few"),
}


def held_current(noise=0.0, drift=0.0, seed=0):
    """A potential that runs straight up and down under a current that is held, but for noise and drift."""
    way, rng = triangle(0.0, 1.0, 1000, 2), np.random.default_rng(seed)
    along = (np.arange(len(way)) % 1000) / 1000
    current = np.sign(np.gradient(way)) * (1.0 + drift * along) * 1e-3 + rng.normal(0, noise * 1e-3, len(way))
    return record(2.0 * np.arange(len(way)), way + rng.normal(0, 1e-4 * (noise > 0), len(way)), current)


@pytest.mark.parametrize(("noise", "drift"), [(0.0, 0.0), (0.05, 0.0), (0.0, 0.08), (0.05, 0.05)])
def test_a_held_current_is_no_voltammogram_with_noise_and_drift(noise, drift):
    with pytest.raises(InputError, match="galvanostatic test, or the sweeps of an ideal capacitor"):
        voltammograms(held_current(noise, drift), "a")


def test_a_peak_on_a_capacitor_is_a_voltammogram():
    way = triangle(0.0, 1.0, 1000, 2)
    current = np.sign(np.gradient(way)) * 1e-3 * (1.0 + 2.0 * np.exp(-(((way - 0.5) / 0.01) ** 2)))
    assert measure_cv(voltammograms(record(np.arange(len(way)), way, current), "a")).values["peaks"]


def test_where_most_stretches_are_no_sweeps_the_record_is_no_voltammogram():
    taken, one = _galvanostatic(), triangle(0.0, 1.0, 500)
    time, potential, current = (taken.table[name].to_numpy() for name in (TIME, VOLTAGE, CURRENT))
    many = [np.concatenate([potential, potential]), np.concatenate([current, current])]
    swept = 3.2 + 0.4 * one
    made = record(
        np.arange(4000 + len(one)), np.concatenate([many[0], swept]), np.concatenate([many[1], 1e-3 * one**3])
    )
    assert len(time) == 2000
    with pytest.raises(InputError, match="stretches have no steady scan rate"):
        voltammograms(made, "a")


@pytest.mark.filterwarnings("error")
def test_no_warning_leaks_from_a_potential_that_stands_still_in_between(cycler):
    way = triangle(0.0, 1.0, 40, 2)
    still = np.concatenate([way, np.full(60, 0.5), np.repeat([0.0, 1.0], 12), way])
    for potential in (still, np.concatenate([way, np.full(60, 0.5)])):
        voltammograms(record(np.arange(len(potential)), potential, potential**3), "a")
    path = cycler / "neware" / "nw4-120-1-6-53_160cyc.ndax"
    with pytest.raises(InputError, match="galvanostatic"):
        voltammograms(read(path, use_cache=False), path.name)


@pytest.mark.parametrize("case", BAD)
def test_records_that_are_no_voltammogram_say_so(case):
    made, words = BAD[case]
    with pytest.raises(InputError, match=words) as caught:
        measure_cv(voltammograms(made, "cell-07.mpr"))
    assert "cell-07.mpr" in str(caught.value)


@pytest.mark.parametrize(
    "given",
    [
        {"area_cm2": 0.0},
        {"area_cm2": math.nan},
        {"concentration_mol_per_L": -1.0},
        {"n_electrons": 0},
        {"n_electrons": 1.5},
        {"temperature_C": -300.0},
    ],
)
def test_what_a_person_gives_is_checked(diffusing, given):
    with pytest.raises(InputError, match=next(iter(given))):
        measure_cv(diffusing, **given)


def test_no_voltammogram_is_no_measurement():
    with pytest.raises(InputError, match="at least one"):
        measure_cv([])


@given(
    potential=st.lists(st.one_of(st.floats(-1e3, 1e3), st.just(math.nan)), min_size=0, max_size=80),
    seed=st.integers(0, 2**31),
    shape=st.sampled_from(["raw", "triangle"]),
)
@settings(max_examples=150, deadline=None)
def test_any_numbers_give_peaks_or_an_error_of_ours(potential, seed, shape):
    rng = np.random.default_rng(seed)
    values = np.array(potential, float)
    if shape == "triangle":
        values = triangle(0.0, 1.0, 60, 2) + rng.normal(0, 1e-3, 241)
    current = rng.choice([0.0, 1e-300, 1e-3, np.nan, 1e300, -1e-3], len(values))
    try:
        found = measure_cv(voltammograms(record(np.cumsum(rng.random(len(values))), values, current), "a"))
    except InterlithError:
        return
    assert all(math.isfinite(one["potential_V"]) for one in found.values["peaks"])


def test_tables_hold_the_curves_and_the_peaks(diffusing):
    found = measure_cv(diffusing)
    assert set(found.tables["cv-curves"]["name"]) == {"10", "20", "50", "100", "200"}
    assert found.tables["cv-peaks"].height == 10
    rates = found.tables["cv-rates"]
    assert (rates["height_mA"] - rates["line_mA"]).abs().max() < 1e-3 * rates["height_mA"].max()
    assert scan_rates.FEWEST_RATES == 4


def test_heights_of_the_first_cycle_make_the_coefficient():
    """Of later cycles, on a solution that is depleted, it would be too small."""
    found = []
    for rate in RATES:
        one = triangle(0.0, 1.0, 500)
        time, current = reversible(rate, potential_V=one)
        both = np.concatenate([current, 0.8 * current[1:]])
        clock = np.concatenate([time, time[-1] + time[1:] - time[0]])
        found += voltammograms(record(clock, np.concatenate([one, one[1:]]), both), f"{1e3 * rate:g}")
    (quantity,) = measure_cv(found, area_cm2=1.0, concentration_mol_per_L=1e-3).quantities
    assert quantity.value == pytest.approx(1e-5, rel=0.02)


def test_rates_come_in_their_order_and_the_headline_has_the_ends_and_the_shift(diffusing):
    found = measure_cv([diffusing[3], diffusing[0], diffusing[4], diffusing[1], diffusing[2]])
    rates = [one["rate_mV_per_s"] for one in found.values["voltammograms"]]
    assert rates == sorted(rates)
    assert found.headline.startswith("Peaks at 10 to 200 mV/s")
    assert " mV)" in found.headline
    assert "and more" not in found.headline


def test_the_conversion_peak_is_named_in_the_table_and_an_uncertain_peak_by_its_place():
    found = measure_cv(voltammograms(lithiation(), "a"))
    named = found.tables["cv-peaks"].drop_nulls("assigned")
    assert named["assigned"].to_list() == ["conversion", "alloy"]
    conversion = next(one for one in found.quantities if one.name == "conversion_voltage_V")
    assert named["potential_V"][0] == conversion.value
    assert named["potential_error_V"][0] == conversion.standard_error


@pytest.mark.parametrize("names", ["Potential (V),Current (mA)", "Potential/V, Current/mA", "E/mV;i/uA"])
def test_sweeps_without_time_take_a_scan_rate(tmp_path, names):
    way = triangle(0.0, 1.0, 500)
    time, current = surface_bound(0.05, potential_V=way)
    scale = (1e3, 1e6) if "uA" in names else (1.0, 1e3)
    rows = "".join(
        f"{a * scale[0]:.5f}{';' if ';' in names else ','}{b * scale[1]:.8f}\n"
        for a, b in zip(way, current, strict=True)
    )
    path = tmp_path / "a.csv"
    path.write_text(f"{names}\n{rows}")
    assert is_untimed(path)
    with pytest.raises(InputError, match="scan-rate-mV-per-s"):
        read_untimed(path, None)
    with pytest.raises(InputError, match="above 0"):
        read_untimed(path, 0.0)
    (made,) = voltammograms(read_untimed(path, 50.0), "a")
    (true,) = voltammograms(record(time, way, current), "a")
    assert made.sweeps[0].rate_mV_per_s == pytest.approx(50.0, rel=1e-6)
    one, other = (measure_cv([sweeps]).values["peaks"] for sweeps in (made, true))
    assert [peak["charge_mAh"] for peak in one] == pytest.approx([peak["charge_mAh"] for peak in other], rel=1e-3)
    path.write_text(f"time/s,{names}\n")
    assert not is_untimed(path)
