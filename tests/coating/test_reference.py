"""The reference coating: the table of four tubes, the host, readings, the way back, fits, other files, bad input."""

import json
import tomllib

import numpy as np
import pytest
from pytest import approx

from interlith.cell_test import load
from interlith.coat import CoatOptions, coat_recipe, file_of
from interlith.coating.fit import fit, predicted, with_growth
from interlith.coating.grow import grow
from interlith.coating.invert import reach
from interlith.coating.orientation import orientation
from interlith.coating.recipe_file import Datum, read_recipe
from interlith.errors import InputError, PhysicsError
from interlith.host.as_parts import as_host, as_layer, as_toml
from interlith.host.paper import make_paper
from interlith.parts.recipe import MeasuredHost, Paper
from interlith.parts.samples import sample
from interlith.pouch.design_file import read_design

REFERENCE = read_recipe("reference-coating")
REFERENCE_TEXT = file_of("reference-coating")
SAID = coat_recipe("reference-coating").items[0].summary
# outer, inner nm -> area m2/g, mass fraction under 15 nm, even film nm of 12.41 wt% of the paper: by hand
TUBES = {
    (10, 4): (227, 0.979, 0.113),
    (20, 7): (109, 0.941, 0.236),
    (30, 10): (71, 0.900, 0.358),
    (50, 10): (40, 0.813, 0.644),
}


@pytest.mark.parametrize("size", TUBES)
def test_the_four_tubes(size):
    row = next(r for r in SAID["tubes"] if (r["outer_diameter_nm"], r["inner_diameter_nm"]) == size)
    area, conformal, film = TUBES[size]
    assert row["area_m2_per_g"] == approx(area, rel=0.02)
    assert row["conformal_wt_fraction"] == approx(conformal, rel=0.02)
    assert row["equivalent_thickness_nm"] == approx(film, rel=0.02)


def test_the_conformal_film_and_the_loading_exclude_each_other():
    found = {row["name"]: row for row in SAID["audits"]}
    assert found["a conformal film against the loading"]["verdict"] == "does not close"
    seen = found["particles against the loading"]
    assert seen["verdict"] == "closes"
    assert seen["numbers"]["particles_per_um_least"] == approx(57, rel=0.02)
    assert seen["numbers"]["particles_per_um_most"] == approx(458, rel=0.02)
    assert (seen["numbers"]["coverage_least"], seen["numbers"]["coverage_most"]) == approx((0.07, 0.14), rel=0.03)
    assert found["diethylzinc for the loading"]["numbers"]["mol_per_kg"] == approx(1.79, rel=0.01)


def test_what_is_calibrated_says_so():
    assert SAID["result_kind"] == "calibrated"
    assert SAID["loading_wt_fraction"] == approx(0.1241, rel=1e-3)
    assert 5 < SAID["particle_diameter_nm"] < 10
    assert "CALIBRATED" in SAID["said"][0]
    assert 'loading calibrated"' in SAID["toml"]
    assert all(row["is_fit"] for row in SAID["readings"])
    own = coat_recipe("reference-coating", CoatOptions(changes=("reactor_volume_L=35", "growth.nuclei_per_um2=2000")))
    assert own.items[0].summary["result_kind"] == "assumed"


def test_readings_give_one_loading_and_two_kinds_of_particles():
    rows = {row["reading"]: row for row in SAID["readings"]}
    assert rows["supply"]["loading_wt_fraction"] == approx(rows["nucleation"]["loading_wt_fraction"], rel=1e-3)
    assert rows["nucleation"]["particle_diameter_nm"] > 25
    assert rows["supply"]["loading_of_half_the_batch"] > 1.7 * rows["supply"]["loading_wt_fraction"]
    assert rows["nucleation"]["loading_of_half_the_batch"] == approx(rows["nucleation"]["loading_wt_fraction"])
    assert rows["dried"]["conversion_mAh_per_cm2"] == approx(0.0752, rel=0.01)


def test_the_host_of_the_paper():
    host = SAID["host"]
    assert 0.78 <= host["porosity"] <= 0.80
    assert 3.1 <= host["pore_capacity_mAh_per_cm2"] <= 3.3
    assert (host["conversion_mAh_per_cm2"], host["alloy_mAh_per_cm2"]) == approx((0.082, 0.041), rel=0.01)
    assert host["area_cm2_per_cm2"] == approx(900, rel=0.1)
    assert host["through_mV"] < 1e-3


def made_paper(**own):
    sheet = REFERENCE.recipe.paper.with_values(**own)
    recipe = REFERENCE.recipe.with_values(paper=sheet)
    return make_paper(recipe, sheet, recipe.powder_loading(0.1241)), recipe


def test_masses_of_a_paper_add_up_and_its_thickness_too():
    made, _ = made_paper(weighed="wet", solvent_fraction=0.5, areal_mass_mg_per_cm2=2.0)
    assert made.areal_mass_mg_per_cm2 == approx(0.92)
    dried, _ = made_paper(weighed="dried")
    assert dried.areal_mass_mg_per_cm2 == approx(0.92)
    parts = made.carbon_mg_per_cm2 + made.oxide_mg_per_cm2 + made.char_mg_per_cm2
    assert parts == approx(made.areal_mass_mg_per_cm2)
    assert made.oxide_mg_per_cm2 / made.areal_mass_mg_per_cm2 == approx(0.1241)
    assert made.solid_um + made.void_um == approx(made.thickness_um)
    table = made.fillings()
    full = table.filter(table["void_um"] == 0)
    assert table["void_um"][0] == approx(made.void_um)
    assert full["plated_mAh_per_cm2"][0] == approx(made.pore_capacity_mAh_per_cm2, rel=0.02)
    assert made.void(1.0) == approx(made.void_um - 4.85, abs=0.01)


def test_a_paper_thinner_than_its_solid_cannot_be():
    with pytest.raises(PhysicsError, match="um of solid without pores"):
        made_paper(thickness_um=4.0)
    with pytest.raises(PhysicsError, match="more oxide than coated powder"):
        REFERENCE.recipe.powder_loading(0.99)


def test_a_sheet_below_percolation_does_not_conduct_and_probes_go_first():
    below, _ = made_paper(percolation_threshold=0.5)
    assert below.through_ohm_cm2 == np.inf
    no_law = {"solid_conductivity_S_per_cm": None, "percolation_exponent": None, "percolation_threshold": 0.0}
    probed, _ = made_paper(conductivity_S_per_cm=10.0, **no_law)
    assert probed.through_ohm_cm2 == approx(2e-4)
    law, _ = made_paper(percolation_threshold=0.05, percolation_exponent=1.5, solid_conductivity_S_per_cm=100.0)
    assert law.through_ohm_cm2 == approx(20e-4 / (100 * (1 - law.porosity - 0.05) ** 1.5))
    assert law.true_current_uA_per_cm2 == approx(1000.0 / law.area_cm2_per_cm2)


def test_the_host_goes_into_a_study_and_into_a_cell(tmp_path):
    made, recipe = made_paper()
    study, cell = as_toml(made, recipe, 'a "quoted" recipe').split("# cell")
    path = tmp_path / "s.toml"
    path.write_text(f'sample = "cp-zno-002"\n{study}')
    host = load(path).cell.host
    assert host.porosity == approx(made.porosity, rel=1e-3)
    assert host.coating.conversion_mAh_per_cm2 == approx(made.conversion_mAh_per_cm2, rel=2e-3)
    assert host.origin("wetted_area_m2_per_m2").kind == "derived"
    layer = tomllib.loads(cell)["negative"]["layers"][0]
    shipped = next(one for one in read_design("reference-pouch").cell.negative.layers if one.name == "host")
    ours = as_layer(made, recipe, "x")
    assert layer["active_fraction"]["value"] == approx(ours.active_fraction, rel=1e-3)
    assert ours.taken_mAh_per_cm2("conversion") == approx(shipped.taken_mAh_per_cm2("conversion"), rel=0.01)
    assert ours.void_um == approx(made.void_um)
    whole = as_host(made, sample("cp-zno-002"), "x")
    assert whole.pore_capacity_mAh_per_cm2 == approx(made.pore_capacity_mAh_per_cm2)
    assert whole.coating.conversion_mAh_per_cm2 == approx(ours.taken_mAh_per_cm2("conversion"), rel=1e-3)
    assert as_host(made, sample("cp"), "x").coating is None


def test_the_cell_file_takes_the_layer(tmp_path):
    from importlib import resources

    text = resources.files("interlith.pouch").joinpath("shipped", "reference-pouch.toml").read_text(encoding="utf-8")
    made, recipe = made_paper()
    layer = as_toml(made, recipe, "x").split("# cell")[1].replace('"host"', '"paper"')
    begin = text.index("[stack]")
    path = tmp_path / "cell.toml"
    path.write_text(text[:begin] + layer + "\n" + text[begin:])
    cell = read_design(str(path)).cell
    found = next(one for one in cell.negative.layers if one.name == "paper")
    assert found.taken_mAh_per_cm2("alloy") == approx(made.alloy_mAh_per_cm2, rel=2e-3)


def test_materials_that_are_not_shipped_come_with_their_values(tmp_path):
    text = REFERENCE_TEXT.replace('material = "carbon-nanotubes"', 'material = "my fibre"')
    own = '[materials."my fibre"]\ndensity_g_per_cm3 = { value = 1.8, kind = "measured", source = "pycnometer" }\n'
    path = tmp_path / "r.toml"
    path.write_text(text + own)
    toml = coat_recipe(str(path)).items[0].summary["toml"]
    held = tomllib.loads(toml.split("# cell")[1])["materials"]["my fibre"]
    assert held["density_g_per_cm3"] == {"value": 1.8, "kind": "measured", "source": "pycnometer"}
    assert "[materials" not in SAID["toml"]


def test_a_measured_range_goes_into_the_lines(tmp_path):
    said = '{ value = 0.10, kind = "measured", low = 0.09, high = 0.11, source = "TGA" }'
    path = tmp_path / "r.toml"
    path.write_text(REFERENCE_TEXT + f"\n[measured]\nloading_wt_fraction = {said}\n")
    study, cell = coat_recipe(str(path)).items[0].summary["toml"].split("# cell")
    layer = tomllib.loads(cell)["negative"]["layers"][0]
    assert (layer["active_fraction"]["low"], layer["active_fraction"]["high"]) == approx((0.89, 0.91))
    assert "low" not in layer["thickness_um"]
    host = tomllib.loads(study)["set"]
    assert host["coating"]["zinc_oxide_mg_per_cm2"]["high"] == approx(0.11, rel=1e-3)
    assert host["host"]["porosity"]["low"] < host["host"]["porosity"]["value"] < host["host"]["porosity"]["high"]


def test_what_reaches_a_loading_reaches_it():
    recipe = REFERENCE.recipe
    for wanted in (0.05, 0.2):
        cycles, batch, doses = reach(recipe, wanted)
        by_cycles = grow(recipe, int(cycles.then)).powder_loading
        assert recipe.weighed_loading(by_cycles[-1]) >= wanted > recipe.weighed_loading(by_cycles[-2])
        kg = grow(recipe.model_copy(update={"batch_mass_kg": batch.then}))
        assert recipe.weighed_loading(float(kg.powder_loading[-1])) == approx(wanted, rel=1e-4)
        assert cycles.coverage == approx(float(grow(recipe, int(cycles.then)).coverage[-1]))
        assert cycles.remark == f"{recipe.weighed_loading(by_cycles[-1]):.2%} of the paper".replace("%", " %")
        factor = doses.then / doses.now
        steps = {name: tuple(factor * step for step in (6.5, 6.5, 7.0)) for name in ("zinc", "water")}
        own = {name: getattr(recipe, name).with_values(pressure_steps_Torr=held) for name, held in steps.items()}
        assert recipe.weighed_loading(float(grow(recipe.with_values(**own)).powder_loading[-1])) == approx(
            wanted, rel=1e-4
        )
        assert (doses.change, doses.now, doses.regime) == ("doses_Torr", 20.0, "supply")
    few = next(r for reading, r in REFERENCE.readings if reading.name == "nucleation")
    _, batch, _ = reach(few, 0.2)
    assert batch.then is None
    assert "nuclei" in batch.remark
    _, batch, _ = reach(recipe, 1e-6)
    assert batch.then is None
    assert "times the batch still holds" in batch.remark
    with pytest.raises(InputError, match=r"Did you mean 0.12\?"):
        reach(recipe, 12.0)


def with_value(datum, value):
    name = "loading_wt_fraction" if datum.particle_diameter_nm is None else "particle_diameter_nm"
    return datum.model_copy(update={name: value})


def test_a_fit_finds_what_made_the_data_and_says_what_it_cannot():
    few = next(r for reading, r in REFERENCE.readings if reading.name == "nucleation")
    truth = with_growth(few, 60.0, 0.17)
    asked = [Datum(n_cycles=n, loading_wt_fraction=0.1, standard_error=0.002) for n in (40, 60, 79)]
    asked += [Datum(n_cycles=79, particle_diameter_nm=20, standard_error=1.0)]
    values = predicted(truth, asked)
    data = [with_value(one, v) for one, v in zip(asked, values, strict=True)]
    found = {one.name: one for one in fit(few, data).values}
    assert found["nuclei_per_um2"].value == approx(60.0, rel=1e-3)
    assert found["growth_per_cycle_nm"].value == approx(0.17, rel=1e-3)
    assert found["nuclei_per_um2"].low < 60 < found["nuclei_per_um2"].high
    one = fit(REFERENCE.recipe, [Datum(n_cycles=79, loading_wt_fraction=0.1241, standard_error=0.005)])
    assert not all(value.is_known for value in one.values)
    assert any("depends on neither" in text for text in one.said)
    with pytest.raises(InputError, match="nothing to fit to"):
        fit(REFERENCE.recipe, [])


def test_a_fit_begins_far_away():
    few = next(r for reading, r in REFERENCE.readings if reading.name == "nucleation")
    asked = [Datum(n_cycles=n, particle_diameter_nm=1, standard_error=0.5) for n in (20, 79)]
    asked += [Datum(n_cycles=79, loading_wt_fraction=0.1, standard_error=0.002)]
    exact = predicted(with_growth(few, 2000.0, 0.1), asked)
    data = [with_value(one, v) for one, v in zip(asked, exact, strict=True)]
    for begin in (0.5, 1e5):
        found = fit(with_growth(few, begin, 0.19), data)
        assert found.values[0].value == approx(2000.0, rel=1e-2)
        assert found.values[0].before == begin


def test_intervals_of_a_fit_hold_the_truth():
    few = next(r for reading, r in REFERENCE.readings if reading.name == "nucleation")
    truth, chance, inside = with_growth(few, 60.0, 0.17), np.random.default_rng(3), 0
    asked = [Datum(n_cycles=n, particle_diameter_nm=1, standard_error=0.8) for n in (20, 40, 79)]
    asked += [Datum(n_cycles=n, loading_wt_fraction=0.1, standard_error=0.004) for n in (60, 79)]
    exact, chi2 = predicted(truth, asked), []
    for _ in range(40):
        noisy = exact + chance.normal(0, [one.standard_error for one in asked])
        data = [with_value(one, v) for one, v in zip(asked, noisy, strict=True)]
        whole = fit(few, data)
        chi2.append(whole.reduced_chi2)
        found = {one.name: one for one in whole.values}
        inside += found["nuclei_per_um2"].low < 60 < found["nuclei_per_um2"].high
    assert inside >= 33  # of 40; 95 % are 38, and fewer than 33 come once in 2000 times
    assert 0.6 < np.mean(chi2) < 1.5  # 120 degrees of freedom in all: 1 within 0.13


def test_orientation_is_a_label_or_a_measurement():
    labels = {50: "002", 70: "200", 100: "mixed", 150: "202", 200: "002"}
    assert {t: orientation(t).hkl for t in labels} == labels
    assert orientation(170).kind == "unknown"
    assert "measure XRD" in orientation(170).text
    measured = MeasuredHost(fraction_002=0.6, fraction_100=0.2, fraction_101=0.2)
    assert (orientation(150, measured).hkl, orientation(150, measured).kind) == ("002", "measured")
    assert orientation(150, MeasuredHost(fraction_002=0.5, fraction_100=0.42)).hkl == "mixed"


def test_what_was_measured_goes_before(tmp_path):
    path = tmp_path / "r.toml"
    said = '{ value = 0.10, kind = "measured", low = 0.09, high = 0.11, source = "TGA" }'
    path.write_text(file_of("reference-coating") + f"\n[measured]\nloading_wt_fraction = {said}\ncoverage = 0.09\n")
    found = coat_recipe(str(path)).items[0].summary
    assert found["host"]["loading_wt_fraction"] == approx(0.10)
    assert found["loading_wt_fraction"] == approx(0.1241, rel=1e-3)
    audits = {row["name"]: row["verdict"] for row in found["audits"]}
    assert audits["loading_wt_fraction as measured"] == "does not close"
    assert audits["coverage as measured"] == "closes"
    assert 'loading measured"' in found["toml"]


BAD = {
    "reactor_volume_L = -3": "reactor_volume_L",
    'reactor_volume_L = "33"': "must be a number",
    "n_cycles = 0": "n_cycles",
    "temperature_C = 20000": "temperature_C",
    "batch_mass_kg = nan": "batch_mass_kg",
    "batchmass_kg = 2": "Did you mean batch_mass_kg",
}


@pytest.mark.parametrize("line", BAD)
def test_a_bad_recipe_is_told_at_its_line(tmp_path, line):
    key = line.split(" ")[0]
    lines = [one for one in file_of("reference-coating").splitlines() if not one.startswith(f"{key} =")]
    path = tmp_path / "r.toml"
    path.write_text("\n".join([line, *lines]))
    with pytest.raises(InputError) as caught:
        coat_recipe(str(path))
    assert str(caught.value).startswith("r.toml:1: ")
    assert BAD[line] in str(caught.value)


SETS = {
    "powder.inner_diameter_nm=25": "below outer_diameter_nm",
    "growth.growth_per_cycle_nm=1.9": r"Did you mean 0.19 \(1.9 angstrom\)",
    "zinc.pressure_steps_Torr=[-1]": "above 0",
    "zinc.pressure_steps_Torr=[700, 700]": "above one atmosphere",
    "zinc.pressure_steps_Torr=[]": "pressure_steps_Torr",
    "paper.char_yield=20": r"Did you mean 0.2\?",
    "powdr.ash_wt_fraction=0.1": "not a value that can be changed",
    "paper.thickness_um=3": "um of solid without pores",
}


@pytest.mark.parametrize("change", SETS)
def test_a_bad_change_is_told(change):
    with pytest.raises((InputError, PhysicsError), match=SETS[change]):
        coat_recipe("reference-coating", CoatOptions(changes=(change,)))


def test_a_cold_source_warns_and_says_what_it_could_give():
    found = coat_recipe("reference-coating", CoatOptions(changes=("zinc.source_temperature_C=20",))).items[0].summary
    assert any("cannot come from a source at 20 C" in text for text in found["warnings"])
    assert any("no more than the sources can give" in text for text in found["said"])


def test_a_powder_known_by_its_area_alone(tmp_path):
    path = tmp_path / "r.toml"
    path.write_text(
        """title = "by area"
batch_mass_kg = 0.01
reactor_volume_L = 5
temperature_C = 150
n_cycles = 20
[powder]
surface_area_m2_per_g = 150
[zinc]
pressure_steps_Torr = [5]
source_temperature_C = 25
[water]
pressure_steps_Torr = [5]
source_temperature_C = 25
[growth]
growth_per_cycle_nm = 0.18
nuclei_per_um2 = 1000
"""
    )
    found = coat_recipe(str(path), out=tmp_path / "out").items[0]
    assert found.summary["particles_per_um"] is None
    assert found.summary["host"] is None
    assert found.summary["loading_of"] == "powder"
    assert (tmp_path / "out" / "report.html").exists()
    assert not (tmp_path / "out" / "figures" / "r.tube.svg").exists()
    json.dumps(found.summary, allow_nan=False)


def test_paper_needs_its_numbers():
    with pytest.raises(ValueError, match="powder_fraction"):
        Paper(areal_mass_mg_per_cm2=1, thickness_um=20, char_yield=0.2)


def test_ash_stays_in_the_pan():
    ash = REFERENCE.recipe.with_values(powder=REFERENCE.recipe.powder.with_values(ash_wt_fraction=0.02), paper=None)
    loading = 0.106
    residue = ash.residue(loading)
    assert (residue - 0.02) / (1 - 0.02) == approx(loading)
    assert residue == approx(0.1241, rel=0.01)
    assert SAID["residue_wt_fraction"] == approx(SAID["loading_wt_fraction"])


def test_an_area_that_its_tubes_do_not_have_is_told():
    found = coat_recipe("reference-coating", CoatOptions(changes=("powder.surface_area_m2_per_g=180",)))
    audits = {row["name"]: row for row in found.items[0].summary["audits"]}
    assert audits["area of the powder"]["verdict"] == "noted"
    assert audits["area of the powder"]["numbers"]["geometric_m2_per_g"] == approx(108.5, rel=1e-3)


def test_an_area_as_measured_goes_before_that_of_the_tubes():
    powder = REFERENCE.recipe.powder.with_values(surface_area_m2_per_g=217.0)
    assert powder.area_m2_per_g == 217.0
    made = REFERENCE.recipe.with_values(powder=powder)
    assert made_paper()[0].area_cm2_per_cm2 * 2 == approx(
        make_paper(made, made.paper, made.powder_loading(0.1241)).area_cm2_per_cm2, rel=1e-2
    )


def test_shares_of_orientations_are_at_most_all_and_their_ranges_need_not_be(tmp_path):
    path = tmp_path / "r.toml"
    path.write_text(f"{file_of('reference-coating')}\n[measured]\nfraction_002 = 0.7\nfraction_100 = 0.5\n")
    with pytest.raises(
        InputError, match=r"r.toml:\d+: measured.fraction_100: fractions of orientations are 1.2 in all"
    ):
        read_recipe(str(path))
    spread = '{ value = 0.7, kind = "measured", low = 0.6, high = 0.8, source = "XRD" }'
    path.write_text(f"{file_of('reference-coating')}\n[measured]\nfraction_002 = {spread}\nfraction_100 = 0.3\n")
    assert read_recipe(str(path)).recipe.measured.fractions == {"100": 0.3, "002": 0.7}


def test_what_is_assumed_without_a_range_is_named():
    changed = ('growth.growth_per_cycle_nm={"value": 0.19, "kind": "assumed", "source": "x"}',)
    said = coat_recipe("reference-coating", CoatOptions(changes=changed)).items[0].summary["said"]
    assert "assumed without a range: growth.growth_per_cycle_nm" in said
