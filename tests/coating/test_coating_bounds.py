"""No recipe ends in a traceback or in silence: what overflows, contradicts itself or grows nothing is told."""

from dataclasses import replace

import pytest
from recipe_files import BY_OZONE, OF_DOSE, OF_POWDER, PAPER, written

from interlith.coat import CoatOptions, coat_recipe
from interlith.coating.gas import moles
from interlith.coating.grow import grow
from interlith.coating.invert import reach
from interlith.coating.picture import MOST_DRAWN, particles
from interlith.coating.recipe_file import read_recipe
from interlith.errors import InputError, PhysicsError
from interlith.parts.recipe import Dose

OVERFLOWS = {
    "lump": ((OF_POWDER, f"{OF_POWDER}\nlump_diameter_mm = 1e300"), "powder.lump_diameter_mm = 1e\\+300: between"),
    "cm": ((OF_POWDER, f"{OF_POWDER}\nlump_diameter_mm = 1e-6"), "lump_diameter_mm"),
    "step": (("[zinc]\npressure_steps_Torr = [5]", "[zinc]\npressure_steps_Torr = [1e-320]"), "at least 1e-06"),
    "coming": (("nuclei_per_um2 = 800", "nuclei_per_um2 = 800\nnuclei_per_um2_per_cycle = 1e300"), "between"),
    "hold": ((OF_DOSE, f"hold_s = 1e300\n{OF_DOSE}"), "zinc.hold_s = 1e\\+300: between"),
    "ozone": (("ozone_min = 10", "ozone_min = 1e300"), "ozone_min"),
    "heating": (("ozone_min = 10", "heating_h = 1e300"), "heating_h"),
    "heat": (("ozone_min = 10", "reaction_heat_kJ_per_mol = 332000"), r"Did you mean 332 \(332000 J/mol\)"),
    "text": (("[zinc]\npressure_steps_Torr = [5]", '[zinc]\npressure_steps_Torr = ["5"]'), "must be numbers"),
    "ash": ((OF_POWDER, f"{OF_POWDER}\nash_wt_fraction = 1"), "ash_wt_fraction = 1: input should be less than 1"),
    "bore": (("outer_diameter_nm = 40", "surface_area_m2_per_g = 60"), "inner_diameter_nm: goes with outer"),
    "nuclei": (("nuclei_per_um2 = 800", "nuclei_per_um2 = 800\nozone_constant_min = 10"), "then no nuclei_per_um2"),
    "pulses": ((OF_DOSE, f"n_pulses = 0\n{OF_DOSE}"), "zinc.n_pulses = 0"),
}
ADDED = {
    "[published]\nsource = 'x'\nnominal_thickness_nm = 1e300": "published.nominal_thickness_nm",
    "[published]\nsource = 'x'\nparticle_diameter_nm = [1e-300, 1e-299]": "published.particle_diameter_nm: between",
    "[prices]\ndiethylzinc_per_kg = 1e308\npowder_per_kg = 1": "prices.diethylzinc_per_kg",
    "[[data]]\nn_cycles = 3\nparticle_diameter_nm = 5\nstandard_error = 1e-300": "data.1.standard_error",
    f"{PAPER}weighed = 'wet'": r"paper.solvent_fraction: goes with weighed = \"wet\"; must be given",
    f"{PAPER}solvent_fraction = 0.3": "a carbonized sheet holds none",
    f"{PAPER}percolation_exponent = 2": "percolation_exponent: goes with solid_conductivity_S_per_cm",
    f"{PAPER}percolation_threshold = 0.02": "percolation_threshold: goes with solid_conductivity_S_per_cm",
    f"{PAPER}conductivity_S_per_cm = 5\nsolid_conductivity_S_per_cm = 50\npercolation_exponent = 2": "four probes",
    "[materials.lithium]\ndensity_g_per_cm3 = 0.5": "materials.lithium: nothing in the recipe is made of it",
    "[materials.zinc-oxide]\ndensity_g_per_cm3 = { value = 5, low = 5.5, high = 6 }": "not what it may be by its own",
}


@pytest.mark.parametrize("what", OVERFLOWS)
def test_what_cannot_be_meant_is_told(tmp_path, what):
    change, said = OVERFLOWS[what]
    with pytest.raises(InputError, match=said) as caught:
        coat_recipe(written(tmp_path, change))
    assert str(caught.value).startswith("r.toml:")


@pytest.mark.parametrize("text", ADDED)
def test_what_is_added_and_cannot_be_is_told(tmp_path, text):
    with pytest.raises(InputError, match=ADDED[text]) as caught:
        coat_recipe(written(tmp_path, add=text))
    assert str(caught.value).startswith("r.toml:")


def test_without_nuclei_nothing_grows(tmp_path):
    for minutes in ("0", "1e-9"):
        path = written(tmp_path, BY_OZONE, ("ozone_min = 10", f"ozone_min = {minutes}"))
        with pytest.raises(PhysicsError, match=r"^r: no nuclei on the powder after .* min of ozone: nothing grows$"):
            coat_recipe(path)
    later = ("[growth]", "[growth]\nnuclei_per_um2_per_cycle = 20")
    made = read_recipe(written(tmp_path, BY_OZONE, ("ozone_min = 10", "ozone_min = 0"), later)).recipe
    assert grow(made).powder_loading[-1] > 0
    assert grow(made).zinc_on_mol[0] == 0.0
    assert grow(made, 3).diameter_nm[-1] == pytest.approx(2 * 2 * 0.17)  # none were there in the first cycle


def test_what_cannot_be_names_the_recipe_and_the_reading(tmp_path):
    thin = "[[readings]]\nname = 'thin'\ntitle = 'x'\n[readings.set]\npaper.thickness_um = 1.0"
    path = written(tmp_path, add=PAPER + thin)
    with pytest.raises(PhysicsError, match=r"^r: reading thin: paper: .* um of solid without pores"):
        coat_recipe(path)
    with pytest.raises(PhysicsError, match=r"^r, reading thin: paper: "):
        coat_recipe(path, CoatOptions(reading="thin"))


def test_a_picture_is_drawn_of_any_number_of_particles():
    made = read_recipe("reference-coating").recipe
    assert len(particles(replace(grow(made, 2), nuclei_per_um2=1e300))) == MOST_DRAWN


def test_pulses_multiply_gas_and_times():
    once = Dose(pressure_steps_Torr=(5.0, 5.0), source_temperature_C=40, fill_s=2, hold_s=30, pump_s=20, purge_s=100)
    often = once.with_values(n_pulses=3)
    assert moles(often, 10.0, 150.0) == pytest.approx(3 * moles(once, 10.0, 150.0))
    assert (once.time_s, often.time_s) == (154.0, 3 * 54.0 + 100.0)
    assert often.pressure_Torr == once.pressure_Torr


def test_so_many_cycles_and_no_more(tmp_path):
    with pytest.raises(InputError, match="n_cycles = 10001: input should be less than or equal to 10000"):
        coat_recipe(written(tmp_path, ("n_cycles = 40", "n_cycles = 10001")))
    made = read_recipe(written(tmp_path, ("n_cycles = 40", "n_cycles = 600"))).recipe
    cycles, *_ = reach(made.model_copy(update={"batch_mass_kg": 1e4}), 0.5)
    assert cycles.remark == "not reached within 5000 cycles"


def test_a_recipe_of_ranges_is_answered_whole(tmp_path):
    path = written(
        tmp_path,
        BY_OZONE,
        ("ozone_min = 10", "ozone_min = { value = 10, low = 0, high = 30 }"),
        ("[water]", "n_pulses = { value = 1, choices = [1, 2] }\n[water]"),
        add=PAPER,
    )
    said = coat_recipe(path, out=tmp_path / "out").items[0]
    assert (tmp_path / "out" / "report.html").exists()
    assert 0.0 in said.tables["moves"]["loading_at_low"].to_list()
