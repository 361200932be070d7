"""Files of the lab on their way to findings: known by content, failures that stop no other, TOML to be pasted."""

import json
import tomllib

import numpy as np
import pytest
from lab_truth import triangle
from pytest import approx
from typer.testing import CliRunner

from interlith.cell_test import load
from interlith.characterize.diffraction.radiation import ANODES
from interlith.characterize.diffraction.synthetic_pattern import synthetic_pattern
from interlith.cli import app
from interlith.coat import coat_recipe, file_of
from interlith.errors import InputError
from interlith.measurements import CharacterizeOptions, characterize_files, kind_of, masks_from
from interlith.parts.quantity import Quantity, as_toml


def spectrum_csv(path, film=12.0, transfer=40.0):
    f = np.logspace(5, -2, 71)
    z = 4 + film / (1 + 2j * np.pi * f * 1e-4) + transfer / (1 + 2j * np.pi * f * 2e-2)
    z *= 1 + 1e-3 * np.random.default_rng(int(transfer)).normal(size=f.size)
    lines = [f"{a:.6e},{b.real:.6e},{b.imag:.6e}" for a, b in zip(f, z, strict=True)]
    path.write_text("frequency/Hz,Re(Z)/Ohm,Im(Z)/Ohm\n" + "\n".join(lines) + "\n")
    return path


def thermogram_csv(path, residue=14.0):
    t = np.arange(30.0, 900.0, 2.0)
    mass = residue + (100 - residue) / (1 + np.exp((t - 580) / 20))
    rows = "\n".join(f"{a:.1f},{b:.4f}" for a, b in zip(t, mass, strict=True))
    path.write_text(f"Temperature (°C),Weight (%)\n{rows}\n", encoding="utf-8")
    return path


def test_files_are_known_by_their_content(tmp_path):
    assert kind_of(spectrum_csv(tmp_path / "a.csv")) == "eis"
    assert kind_of(thermogram_csv(tmp_path / "b.csv")) == "tga"


def test_one_bad_file_stops_no_other(tmp_path):
    good = spectrum_csv(tmp_path / "a.csv")
    (tmp_path / "junk.txt").write_text("nothing of use\n" * 5)
    (tmp_path / "empty.xy").write_text("")
    paths = [tmp_path / "missing.xy", tmp_path / "junk.txt", tmp_path / "empty.xy", good]
    found = characterize_files(paths, CharacterizeOptions(use_cache=False), out=tmp_path / "out")
    errors = {item.summary["path"].rpartition("/")[2]: item.summary["error"] for item in found.items}
    assert [name for name, error in errors.items() if error is None] == ["a.csv"]
    assert "no such file" in errors["missing.xy"]["message"]
    json.dumps(found.as_json(), allow_nan=False)
    assert (tmp_path / "out" / "report.html").exists()


def test_a_cycler_file_is_sent_to_analyze(tmp_path):
    path = tmp_path / "cycles.csv"
    rows = "\n".join(f"{60 * i},{0.1 if i % 20 < 10 else -0.1},{3.0 + 0.01 * (i % 10)}" for i in range(200))
    path.write_text(f"Time/s,I/mA,Voltage/V\n{rows}\n")
    error = characterize_files([path], CharacterizeOptions(use_cache=False)).items[0].summary["error"]
    assert "interlith analyze" in error["message"]


def test_what_spectra_say_goes_into_a_study(tmp_path):
    path = spectrum_csv(tmp_path / "a.csv")
    asked = CharacterizeOptions(area_cm2=1.131, area_ratio=13.0, electrode="host", use_cache=False)
    summary = characterize_files([path], asked).items[0].summary
    study = tmp_path / "study.toml"
    study.write_text(f'sample = "cp-zno-002"\n{summary["toml"]}\n')
    host = load(study).cell.host
    assert host.film_resistance_ohm_cm2 == approx(12.0 * 1.131 * 13, rel=0.02)
    assert host.origin("film_resistance_ohm_cm2").kind == "measured"
    i0 = 8.314462618 * 298.15 / 96485.33212 / (40.0 * 1.131e-4 * 13)
    assert host.exchange_current_density_A_per_m2 == approx(i0, rel=0.02)


@pytest.mark.parametrize(("options", "lines"), [([], False), (["--area-ratio", "13"], True)])
def test_the_ratio_of_areas_on_the_command_line(tmp_path, options, lines):
    path = spectrum_csv(tmp_path / "a.csv")
    asked = ["characterize", str(path), "--area-cm2", "1.131", "--electrode", "host", "--no-cache", "--quiet", *options]
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 0, done.stderr
    said = " ".join(done.stdout.split())  # wherever lines end
    assert ("[set.host]" in said) == lines
    assert ("give --area-ratio" in said) != lines


def test_spectra_of_several_files_are_one_series_only_when_said(tmp_path):
    paths = [spectrum_csv(tmp_path / f"{n}.csv", transfer=40.0 + 5 * n) for n in range(3)]
    apart = characterize_files(paths, CharacterizeOptions(use_cache=False))
    assert len(apart.items) == 3
    together = characterize_files(paths, CharacterizeOptions(use_cache=False, join=True)).items
    assert len(together) == 1
    assert len(together[0].summary["paths"]) == 3


def test_a_thermogram_without_its_bare_run_is_an_interval_and_with_it_goes_into_a_recipe(tmp_path):
    coated, bare = thermogram_csv(tmp_path / "coated.csv", 14.0), thermogram_csv(tmp_path / "bare.csv", 2.0)
    alone = characterize_files([coated], CharacterizeOptions()).items[0].summary["quantities"][0]
    assert alone["low"] < 0.06 < 0.13 < alone["high"]
    pair = characterize_files([coated], CharacterizeOptions(bare=bare), out=tmp_path / "out").items[0].summary
    expected = (0.14 - 0.02) / 0.98
    assert pair["quantities"][0]["value"] == approx(expected, rel=0.01)
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(f"{file_of('reference-coating')}\n{pair['toml']}\n")
    assert coat_recipe(str(recipe)).items[0].summary["host"]["loading_wt_fraction"] == approx(expected, rel=0.01)
    assert (tmp_path / "out" / "parameters" / "coated.csv.toml").read_text().strip() == pair["toml"]


def test_masks_are_read_or_refused():
    assert masks_from(["32.5-33.4:Si 200"]) == [(32.5, 33.4, "Si 200")]
    for wrong in ("33", "a-b", "33-32", "170-190", "-5-10"):
        with pytest.raises(InputError, match="--mask"):
            masks_from([wrong])


def test_a_kind_that_is_said_goes_before(tmp_path):
    path = spectrum_csv(tmp_path / "a.csv")
    error = characterize_files([path], CharacterizeOptions(kind="tga")).items[0].summary["error"]
    assert error["type"] in ("InputError", "UnsupportedFormat", "CorruptFile")
    assert "a.csv" in error["message"]


def test_toml_of_quantities_is_toml():
    several = [
        Quantity("porosity", 0.8, 'a "gauge"', standard_error=0.01, file="study", table="set.host"),
        Quantity("loading_wt_fraction", 0.12, "TGA", low=0.1, high=0.14, file="recipe", table="measured"),
        Quantity("slope", 1.0, "x"),
    ]
    found = tomllib.loads(as_toml(several))
    assert found["set"]["host"]["porosity"]["source"] == 'a "gauge"'
    assert found["set"]["host"]["porosity"]["low"] == approx(0.8 - 0.0196)
    assert found["measured"]["loading_wt_fraction"]["high"] == 0.14
    assert "slope" not in found


PUBLISHED = ("R0_ohm=0.01", "R1_ohm=0.01", "C1_F=100", "R2_ohm=0.01", "Wo1_ohm=0.05", "Wo1_s=100", "C2_F=1")


def test_the_battery_example_as_published(characterisation):
    """R0 = 1.65e-2 and R1 = 8.68e-3 ohm of impedance.py's example, with its circuit and its start."""
    asked = CharacterizeOptions(circuit="R0-p(R1,C1)-p(R2-Wo1,C2)", start=PUBLISHED, roles=("film=R1_ohm",))
    found = characterize_files([characterisation / "eis" / "exampleData.csv"], asked).items[0].summary
    values = {row["parameter"]: row["value"] for row in found["results"]["circuit"]["values"]}
    assert values["R0_ohm"] == approx(1.65e-2, rel=0.05)
    assert values["R1_ohm"] == approx(8.68e-3, rel=0.05)
    assert any("9 inductive points left out" in text for text in found["said"])
    assert found["quantities"][0]["name"] == "film_resistance_ohm"
    plain = characterize_files(
        [characterisation / "eis" / "exampleData.csv"],
        CharacterizeOptions(circuit="R0-p(R1,C1)-p(R2-Wo1,C2)", start=PUBLISHED),
    )
    assert plain.items[0].summary["headline"].startswith("R0 0.0")


def test_a_start_goes_with_a_circuit_and_is_a_number(tmp_path):
    path = spectrum_csv(tmp_path / "a.csv")
    with pytest.raises(InputError, match="go with --circuit"):
        characterize_files([path], CharacterizeOptions(start=("R0_ohm=1",)))
    for wrong, said in (("R0_ohm=x", "a number above 0"), ("R0_ohm", "write NAME=VALUE"), ("=2", "write NAME=VALUE")):
        asked = CharacterizeOptions(circuit="R0-p(R1,C1)", start=(wrong, "R1_ohm=1", "C1_F=1"), use_cache=False)
        assert said in characterize_files([path], asked).items[0].summary["error"]["message"]


def test_what_a_person_adds_reaches_each_measurement(tmp_path):
    """The wavelength a pattern, the mass a thermogram, the scan rate sweeps without time."""
    made = synthetic_pattern({"002": 2.0}, counts=3000.0, range_deg=(28.0, 90.0, 0.02), radiation=ANODES["cobalt"])
    rows = "".join(f"{a:.4f} {c:g}\n" for a, c in zip(made.two_theta_deg, made.counts, strict=True))
    (tmp_path / "a.xy").write_text(rows)
    way = triangle(0.0, 1.0, 500)
    rows = "".join(f"{a:.5f},{b:.8f}\n" for a, b in zip(way, np.exp(-(((way - 0.5) / 0.05) ** 2)), strict=True))
    (tmp_path / "c.csv").write_text(f"Potential (V),Current (mA)\n{rows}")
    paths = [tmp_path / "a.xy", thermogram_csv(tmp_path / "b.csv"), tmp_path / "c.csv"]

    def summaries(**more):
        return [item.summary for item in characterize_files(paths, CharacterizeOptions(use_cache=False, **more)).items]

    plain = {one["measurement"]: one for one in summaries()}
    assert "--scan-rate-mV-per-s" in plain[None]["error"]["message"]
    assert "cobalt tube" in plain["xrd"]["headline"]
    given = summaries(wavelength_nm=0.1789, initial_mass_mg=10.0, scan_rate_mV_per_s=5.0)
    told = {one["measurement"]: one for one in given}
    assert told["xrd"]["results"]["xrd"]["doubt"] is None
    assert told["tga"]["results"]["coated"]["initial_mass_mg"] == 10.0
    assert told["cv"]["results"]["cv"]["voltammograms"][0]["rate_mV_per_s"] == approx(5.0, rel=1e-3)
    assert any("it is made of the scan rate" in text for text in told["cv"]["said"])
