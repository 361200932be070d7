"""The words of a coating: its kind, its regime, half the batch, and what it is warned of."""

import pytest
from pytest import approx
from recipe_files import BY_OZONE, OF_POWDER, PAPER, written

from interlith.coat import CoatOptions, coat_recipe
from interlith.coating.grow import grow
from interlith.coating.orientation import orientation
from interlith.coating.recipe_file import read_recipe
from interlith.coating.sensitivity import moves_loading, sensitivity
from interlith.errors import InputError
from interlith.parts.listing import parameters, replaced, values
from interlith.parts.recipe import MeasuredHost
from interlith.report.headline import headline

REFERENCE = read_recipe("reference-coating").recipe


def summary(given, **asked):
    return coat_recipe(str(given), CoatOptions(**asked)).items[0].summary


def says(said, text):
    return any(text in sentence for sentence in said)


def test_half_the_batch_is_computed_and_promised_nothing_else():
    said = summary("reference-coating")
    half = grow(replaced(REFERENCE, {"batch_mass_kg": 0.5}))
    assert said["loading_of_half_the_batch"] == approx(REFERENCE.weighed_loading(float(half.powder_loading[-1])))
    assert says(said["said"], "supply-limited for 97 % of the oxide")
    assert says(said["said"], "half the batch would hold 21.7 wt%, this one holds 12.4 wt%")
    assert not says(said["said"], "twice the oxide")


def test_changed_by_hand_nothing_is_calibrated():
    changed = summary("reference-coating", changes=("batch_mass_kg=0.5",))
    assert changed["result_kind"] == "assumed"
    assert changed["said"][0].startswith("as written: Batch, chamber")
    assert says(changed["said"], "fitted to the recipe as written")
    assert 'loading assumed"' in changed["toml"]
    slower = summary("reference-coating", changes=("zinc.hold_s=100",))  # no loading moves with it
    assert slower["result_kind"] == "calibrated"
    assert slower["said"][0].startswith("as written: ")
    reading = summary("reference-coating", reading="nucleation")
    assert (reading["result_kind"], reading["said"][0][:11]) == ("calibrated", "as written:")
    assert summary("reference-coating")["said"][0].startswith("Batch, chamber")


def test_the_kind_of_a_result_is_that_of_what_moves_it(tmp_path):
    assert summary(written(tmp_path))["result_kind"] == "assumed"  # the density of the tubes
    area = ("outer_diameter_nm = 40\ninner_diameter_nm = 20", "surface_area_m2_per_g = 60")
    own = "[materials.zinc-oxide]\ndensity_g_per_cm3 = 5.61"
    assert summary(written(tmp_path, area, add=own))["result_kind"] == "derived"  # lumps and heat are assumed
    rate = "{ value = 0.17, low = 0.1, high = 0.2 }"
    assumed = ("growth_per_cycle_nm = 0.17", f"growth_per_cycle_nm = {rate}")
    assert summary(written(tmp_path, area, assumed, add=own))["result_kind"] == "assumed"


RANGED = (
    ("temperature_C = 150", "temperature_C = { value = 150, low = 120, high = 180 }"),
    ("ozone_min = 10", "ozone_min = { value = 10, low = 0, high = 30 }\nheating_h = { value = 1, low = 0, high = 2 }"),
    (OF_POWDER, f"{OF_POWDER}\nash_wt_fraction = {{ value = 0.02, low = 0, high = 0.1 }}"),
    BY_OZONE,
    (
        "[water]\npressure_steps_Torr = [5]",
        "n_pulses = { value = 1, choices = [1, 2, 3] }\n[water]\npressure_steps_Torr = [20]",
    ),
)


def test_every_uncertain_value_is_moved_and_those_that_stay_still_are_left_out(tmp_path):
    paper = PAPER.replace("powder_fraction = 0.8", "powder_fraction = { value = 0.8, low = 0.7, high = 0.9 }")
    recipe = read_recipe(written(tmp_path, *RANGED, add=paper)).recipe
    found = {one.name: one for one in sensitivity(recipe)}
    assert {"temperature_C", "ozone_min", "paper.powder_fraction", "zinc.n_pulses"} <= set(found)
    assert (found["ozone_min"].loading_at_low, found["ozone_min"].coverage_at_low) == (0.0, 0.0)
    assert (found["zinc.n_pulses"].low, found["zinc.n_pulses"].high) == (1, 3)
    assert not {"heating_h", "powder.ash_wt_fraction", "powder.lump_density_g_per_cm3"} & set(found)


@pytest.mark.parametrize("changes", [(), RANGED])
def test_what_is_said_not_to_move_a_loading_does_not(tmp_path, changes):
    recipe = read_recipe(written(tmp_path, *changes, add=PAPER)).recipe
    own = grow(recipe)
    still = [(name, value) for name, value, _ in values(recipe) if not moves_loading(recipe, name)]
    assert still
    for name, value in still:
        if isinstance(value, float):
            other = replaced(recipe, {name: value * 0.9})
            assert grow(other).powder_loading[-1] == own.powder_loading[-1], name
            assert other.weighed_loading(0.1) == recipe.weighed_loading(0.1), name


def test_pressure_steps_are_listed_and_have_no_range(tmp_path):
    rows = {row["name"]: row for row in parameters(REFERENCE)}
    assert rows["zinc.pressure_steps_Torr"]["value"] == (6.5, 6.5, 7.0)
    ranged = ("[zinc]\npressure_steps_Torr = [5]", "[zinc]\npressure_steps_Torr = { value = [5], low = 2, high = 8 }")
    with pytest.raises(InputError, match=r"zinc.pressure_steps_Torr = \[5.0\]: not what it may be by its own table"):
        read_recipe(written(tmp_path, ranged))


def test_a_closed_film_is_told_as_one(tmp_path):
    film = ("nuclei_per_um2 = 800", "nuclei_per_um2 = 1e6")
    said = summary(written(tmp_path, film, ("batch_mass_kg = 0.010", "batch_mass_kg = 1e-6")), loading_wt_fraction=0.99)
    assert said["regime"] == "saturated"
    assert "a closed film of 6.7" in headline(said)
    assert "particles of" not in headline(said)
    assert not says(said["said"], "cannot tell")
    remarks = {way["change"]: way["remark"] for way in said["reach"]["ways"]}
    assert "these cycles closed hold at most" in remarks["batch_mass_kg"]
    assert "these cycles closed hold at most" in remarks["doses_Torr"]


def test_large_islands_are_told(tmp_path):
    assert says(summary("reference-coating", reading="nucleation")["said"], "1.5 times the tube's")
    assert not says(summary("reference-coating")["said"], "times the tube's")
    film = [("nuclei_per_um2 = 800", "nuclei_per_um2 = 1e6"), ("batch_mass_kg = 0.010", "batch_mass_kg = 1e-6")]
    long = ("n_cycles = 40", "n_cycles = 100")  # closed, though islands of 17 nm on a tube of 20 nm are large
    assert not says(summary(written(tmp_path, *film, long))["said"], "times the tube's")


def test_a_sheet_below_its_threshold_is_warned_of(tmp_path):
    law = f"{PAPER}solid_conductivity_S_per_cm = 50\npercolation_exponent = 2\npercolation_threshold = 0.9"
    assert says(summary(written(tmp_path, add=law))["warnings"], "the sheet does not conduct")
    assert not says(summary("reference-coating")["warnings"], "does not conduct")


def at(celsius):
    return ("temperature_C = 150", f"temperature_C = {celsius}")


def test_temperatures_are_warned_of(tmp_path):
    for celsius, cold, hot in ((60, True, False), (100, False, False), (200, False, False), (300, True, True)):
        warned = summary(written(tmp_path, at(celsius)))["warnings"]
        assert says(warned, "growth per cycle is not known to hold") is cold
        assert says(warned, "diethylzinc decomposes") is hot
    own = ("growth_per_cycle_nm = 0.17", "growth_per_cycle_nm = { value = 0.17, kind = 'measured', source = 'wafer' }")
    assert not says(summary(written(tmp_path, at(60), own))["warnings"], "not known to hold")
    wet = ("[water]\npressure_steps_Torr = [5]", "[water]\npressure_steps_Torr = [25]")
    assert says(
        summary(written(tmp_path, at(20), wet))["warnings"], "water: 25 Torr are above its vapor pressure at the"
    )
    assert not says(summary(written(tmp_path, wet))["warnings"], "condenses")


@pytest.mark.parametrize(("steps", "asked"), [("[5, 10, 20]", True), ("[6.5, 6.5, 13]", False), ("[5, 6]", False)])
def test_steps_that_look_like_levels_are_asked_about(tmp_path, steps, asked):
    change = ("[zinc]\npressure_steps_Torr = [5]", f"[zinc]\npressure_steps_Torr = {steps}")
    assert says(summary(written(tmp_path, change))["warnings"], "are these levels? they are rises") is asked


def test_without_times_there_is_none(tmp_path):
    prices = "[prices]\ndiethylzinc_per_kg = 1000\npowder_per_kg = 100\nreactor_per_h = 50"
    said = summary(written(tmp_path, add=prices))
    assert said["process"]["time_h"] is None
    assert "reactor" not in said["process"]["cost_parts"]
    assert says(said["said"], "time of the batch is not known, and the cost is without the reactor")
    held = summary(written(tmp_path, ("[water]", "hold_s = 30\n[water]"), add=prices))
    assert held["process"]["time_h"] == approx(10 / 60 + 40 * 30 / 3600)
    assert held["process"]["cost_parts"]["reactor"] == approx(50 * held["process"]["time_h"])
    assert held["process"]["cost_per_kg"] == approx(held["process"]["cost"] / 0.01)


def test_shares_that_are_not_all_determine_nothing():
    for measured in (MeasuredHost(fraction_002=0.0, fraction_100=0.0), MeasuredHost(fraction_002=0.5)):
        found = orientation(150.0, measured)
        assert (found.hkl, found.kind) == (None, "unknown")
        assert "determine no orientation" in found.text


def test_a_missing_table_is_asked_for_and_a_number_named_once():
    for change, said in {
        "measured.coverage=0.1": r"^measured.coverage: there is no \[measured\] to change: add \[measured\] to",
        "prices.powder_per_kg=3": r"add \[prices\] to the file",
        "batch_mass_kg=nan": '^batch_mass_kg = "nan": must be a number$',
    }.items():
        with pytest.raises(InputError, match=said):
            summary("reference-coating", changes=(change,))
