"""The command that counts a cell, as a person meets it."""

import json
import os
import subprocess
import sys

import polars as pl
import pytest
from typer.testing import CliRunner

from interlith.cli import app
from interlith.design import design_cell
from interlith.errors import EnvironmentError_


def asked(*arguments):
    return CliRunner().invoke(app, ["design", *arguments])


def run(*arguments, **environment):
    """As a process, so that all of the command line is there."""
    return subprocess.run(
        [sys.executable, "-m", "interlith", "design", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


@pytest.fixture(scope="module")
def reference():
    done = asked("reference-pouch", "--json")
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


def test_readings_of_the_reference_pouch(reference):
    assert list(reference["readings"]) == ["R1", "R2", "R3", "R4", "R5"]
    first = reference["readings"]["R1"]
    assert set(first["specific_energy_Wh_per_kg"]) == {"whole", "without_laminate", "without_laminate_and_tabs"}
    assert first["specific_energy_Wh_per_kg"]["whole"] == pytest.approx(360, rel=0.01)
    assert first["energy_density_Wh_per_L"] == pytest.approx(984, rel=0.01)
    assert sum(first["masses_g"].values()) == pytest.approx(first["mass_g"], rel=1e-12)
    assert first["capacity_Ah"] == pytest.approx(1.479, rel=0.001)
    assert first["energy_Wh"] == pytest.approx(5.66, rel=0.01)
    assert [name for name, reading in reference["readings"].items() if reading["is_fit"]] == ["R5"]


def test_audits_draws_and_sensitivity_are_there(reference):
    verdicts = {audit["name"]: audit["verdict"] for audit in reference["audits"]}
    assert verdicts["rated capacity"] == "does not close"
    assert verdicts["specific capacity of positive coating (reference-coin)"] == "does not close"
    drawn = reference["monte_carlo"]
    assert drawn["p5_Wh_per_kg"] < drawn["median_Wh_per_kg"] < drawn["p95_Wh_per_kg"]
    assert 0.005 < drawn["probability_of_published"] < 0.06
    assert reference["sensitivity"][0]["name"] == "materials.ncm90.specific_capacity_mAh_per_g"
    assert reference["pareto"]["efficiency_kind"] == "assumed"
    kinds = {row["name"]: row["kind"] for row in reference["parameters"]}
    assert kinds["case.tabs.width_mm"] == "assumed"
    assert kinds["positive.coating.areal_capacity_mAh_per_cm2"] == "stated"
    assert any("fitted to the published number" in text for text in reference["said"])
    left_out = {made["file"]: made["left_out"] for made in reference["exports"]}
    assert any("nterlayer" in text for text in left_out["bpx.json"])


def test_reconcile_with_numbers_and_with_those_of_the_file():
    first = json.loads(run("reference-pouch", "--reconcile", "380,424", "--samples", "300000", "--json").stdout)
    second = json.loads(run("reference-pouch", "--reconcile", "--samples", "300000", "--json").stdout)
    assert first["reconcile"] == second["reconcile"]
    assert first["reconcile"]["readings"]["R1"] > 0.85
    assert sum(first["reconcile"]["readings"].values()) == pytest.approx(1.0)
    assert first["reconcile"]["published"] == {"whole_Wh_per_kg": 380.0, "without_laminate_Wh_per_kg": 424.0}


def test_the_page_the_tables_and_the_exports(tmp_path):
    done = asked("reference-pouch", "--reconcile", "380,424", "--target-Wh-per-kg", "400", "--out", str(tmp_path))
    assert done.exit_code == 0, done.stderr
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    for text in (
        "What the cell weighs",
        "The stack, to scale",
        "This cell against the field",
        "does not close",
        "COMPUTED",
    ):
        assert text in page
    names = {path.name.split(".")[1] for path in (tmp_path / "figures").glob("*.png")}
    assert names == {"masses", "stack", "levers", "sensitivity", "draws", "pareto", "field", "reconciled"}
    masses = pl.read_csv(tmp_path / "tables" / "reference-pouch.masses.csv")
    assert masses["mass_g"].sum() == pytest.approx(15.72, abs=0.01)
    for name in ("bpx.json", "battinfo.jsonld", "pybamm.json"):
        assert json.loads((tmp_path / "exports" / name).read_text(encoding="utf-8"))
    sheets = pl.read_excel(tmp_path / "bill.xlsx", sheet_id=0)
    assert sheets["intermediates"].height > 50
    assert "target" in sheets
    assert not list(tmp_path.rglob("*.partial"))
    assert (tmp_path / "tables" / "reference-pouch.target.csv").is_file()
    assert asked("reference-pouch", "--samples", "3000", "--out", str(tmp_path)).exit_code == 0
    assert not list(tmp_path.rglob("reference-pouch.target.*"))
    assert not list(tmp_path.rglob("reference-pouch.reconciled.*"))
    assert (tmp_path / "tables" / "reference-pouch.levers.csv").is_file()


def test_values_by_hand_and_one_reading():
    found = json.loads(
        asked("reference-pouch", "--reading", "R3", "--set", "electrolyte.g_per_Ah=1.8", "--json").stdout
    )
    assert list(found["readings"]) == ["R3"]
    assert found["g_per_Ah"]["coated"] == pytest.approx(1.8)
    assert found["capacity_Ah"] == pytest.approx(1.4, rel=1e-6)
    assert {row["name"]: row["kind"] for row in found["parameters"]}["electrolyte.g_per_Ah"] == "stated"


def test_a_coin_cell():
    found = json.loads(asked("reference-coin", "--json").stdout)
    assert set(found["specific_energy_Wh_per_kg"]) == {"whole", "without_case"}
    assert "pareto" not in found
    shown = asked("reference-coin")
    assert shown.exit_code == 0
    assert "spacers" in shown.stdout


def test_a_cell_without_lithium_has_no_front():
    found = json.loads(asked("xiao-2022-power", "--json").stdout)
    assert found["pareto"] is None
    assert round(found["coated_Ah"], 1) == 60.1
    refused = asked("xiao-2022-power", "--efficiency", "0.99")
    assert refused.exit_code == 3


def test_lists():
    found = json.loads(asked("--list", "--json").stdout)
    assert {"name": "lithium", "what": "lithium metal"} in found["materials"]
    assert "reference-pouch" in {row["name"] for row in found["cells"]}
    assert "niu-2021" in asked("--list").stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "give a cell file"),
        (["reference-puch"], "Did you mean reference-pouch?"),
        (["missing.toml"], "cannot be read"),
        (["reference-pouch", "--reading", "R9"], "not a reading of reference-pouch (R1, R2, R3, R4, R5)"),
        (["reference-pouch", "--samples", "0"], "from 1 to"),
        (["reference-pouch", "--samples", "2"], "at least 3"),
        (["reference-pouch", "--reconcile", "much"], "as 380 or 380,424"),
        (["reference-pouch", "--reconcile", "711"], "cannot be what was published"),
        (["reference-coin", "--reconcile", "published"], "no published specific energy"),
        (["reference-pouch", "--target-Wh-per-kg", "-3"], "a specific energy above 0"),
        (["reference-pouch", "--efficiency", "1.2"], "between 0 and 1"),
        (["reference-pouch", "--set", "positive.coating.porosity=25"], "Did you mean 0.25?"),
        (["reference-pouch", "--set", "porosity"], "NAME=VALUE"),
        (["reference-coin", "--target-Wh-per-kg", "300"], "mostly case"),
    ],
)
def test_what_cannot_be_done_is_one_line(arguments, said):
    done = asked(*arguments)
    assert done.exit_code == 3
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_a_folder_that_cannot_be_written_is_refused_before_the_work(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(EnvironmentError_, match="cannot be written"):
        design_cell("reference-pouch", out=tmp_path / "file" / "inside")


def test_without_the_writer_of_spreadsheets_all_else_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name, *rest: None)
    done = asked("reference-coin", "--samples", "500", "--out", str(tmp_path))
    assert done.exit_code == 0, done.stderr
    assert "bill.xlsx is not written: XlsxWriter is not installed: pip install" in done.stdout
    assert not (tmp_path / "bill.xlsx").exists()
    assert (tmp_path / "exports" / "bpx.json").is_file()
    assert (tmp_path / "report.html").is_file()


@pytest.mark.parametrize("columns", ["60", "160"])
def test_the_terminal_narrow_and_wide(columns):
    done = run("reference-pouch", "--target-Wh-per-kg", "400", COLUMNS=columns)
    assert done.returncode == 0, done.stderr
    assert max(len(line) for line in done.stdout.splitlines()) <= int(columns)
    assert "does not close" in done.stdout
    assert "\x1b" not in done.stdout
