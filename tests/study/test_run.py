"""A study carried out: what is handed on, what is kept, what a change computes anew, what a failure stops."""

import json
import shutil
from pathlib import Path

import polars as pl
import pytest

from interlith.errors import InputError
from interlith.record import conform
from interlith.report.terminal_study import number_text
from interlith.store import read_store
from interlith.store_verify import verify
from interlith.study import read_study
from interlith.study_run import fast, run, study_of_run

STUDY = """
title = "A small system"
ask = "Where does the lithium go?"
[coating]
recipe = "reference-coating"
[coating.set]
batch_mass_kg = {batch}
[tests.bare]
sample = "cp"
[tests.coated]
sample = "cp-zno-002"
[tests.coated.set]
host = {{ from = "coating" }}
[tests.coated.set.cell]
contact_resistance_ohm_cm2 = {contact}
[tests.after]
sample = "cp"
[tests.after.set.host]
isolated_per_stripped = {{ from = "tests > coated > ledger > sei" }}
[pouch]
cell = "reference-coin"
samples = 2000
efficiency = {{ from = "tests > coated > ce_reservoir" }}
[[expect]]
quantity = "Aurbach efficiency, CP"
paper = 0.9162
is_loss = true
ours = "tests > bare > ce_reservoir"
"""


def asked(folder, batch=1.0, contact=2.0, name="small"):
    path = folder / f"{name}.toml"
    path.write_text(STUDY.format(batch=batch, contact=contact), encoding="utf-8")
    return read_study(str(path))


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run of the small study that nobody changes: copy it."""
    folder = tmp_path_factory.mktemp("small")
    findings = run(asked(folder), folder / "out", workers=1)
    return folder, findings


@pytest.fixture
def again(finished, tmp_path):
    """A copy of the finished run."""
    shutil.copytree(finished[0] / "out", tmp_path / "out")
    return tmp_path


def how(findings):
    return {one["name"]: one["how"] for one in findings.items[0].summary["stages"]}


def summary_of(findings, name):
    return next(item.summary for item in findings.items if item.name == name)


def test_every_stage_hands_on_what_the_next_one_takes(finished):
    _, findings = finished
    coating, coated = summary_of(findings, "coating"), summary_of(findings, "tests.coated")
    held = {row["name"]: row for row in coated["parameters"]}
    assert held["working.porosity"]["value"] == coating["host"]["porosity"]
    assert held["working.porosity"]["kind"] == "derived"
    assert held["working.coating.zinc_oxide_mg_per_cm2"]["value"] == coating["host"]["oxide_mg_per_cm2"]
    after = {row["name"]: row for row in summary_of(findings, "tests.after")["parameters"]}
    assert after["working.isolated_per_stripped"]["value"] == coated["ledger"]["sei"]
    assert summary_of(findings, "pouch")["handed"][0]["value"] == coated["ce_reservoir"]
    handed = findings.items[0].summary["handed"]
    assert {row["stage"] for row in handed} == {"tests.coated", "tests.after", "pouch"}


def test_the_same_study_computes_nothing_again(again):
    findings = run(asked(again), again / "out", workers=1)
    assert set(how(findings).values()) == {"kept"}


@pytest.mark.parametrize(
    ("change", "computed"),
    [
        ({"batch": 0.5}, {"coating", "tests.coated", "tests.after", "pouch"}),
        ({"contact": 5.0}, {"tests.coated", "tests.after", "pouch"}),
    ],
)
def test_a_change_computes_what_lies_below_it_and_no_more(again, change, computed):
    findings = run(asked(again, **change), again / "out", workers=1)
    assert {name for name, what in how(findings).items() if what == "computed"} == computed
    with read_store(again / "out") as store:
        last = store.history()[-1]
    assert {use["name"] for use in last["uses"] if use["was_computed"]} == computed
    assert last["outcome"] == "done"


def test_a_change_that_changes_no_result_stops_there(again):
    """The seed of a study is in every key; a comment is in none."""
    study = asked(again)
    (again / "small.toml").write_text("# a comment\n" + study.file.text, encoding="utf-8")
    assert set(how(run(read_study(str(again / "small.toml")), again / "out", workers=1)).values()) == {"kept"}


def test_workers_change_no_bit(finished, tmp_path):
    run(asked(tmp_path), tmp_path / "out", workers=2)
    kept = []
    for folder in (finished[0], tmp_path):
        with read_store(folder / "out") as store:
            kept.append({unit.name: (unit.key, unit.blob) for unit in store.units()})
    assert kept[0] == kept[1]


def test_a_blob_that_changed_on_disk_is_computed_anew(again):
    with read_store(again / "out") as store:
        blob = next(unit.blob for unit in store.units() if unit.name == "tests.bare")
    path = again / "out" / "blobs" / blob[:2] / blob[2:]
    path.write_bytes(path.read_bytes().replace(b"simulated", b"invented!"))
    assert verify(again / "out").problems
    findings = run(asked(again), again / "out", workers=1)
    assert {name for name, what in how(findings).items() if what == "computed"} == {"tests.bare"}
    assert not verify(again / "out").problems


def test_a_stage_that_fails_stops_only_what_takes_from_it(tmp_path):
    text = STUDY.format(batch=1.0, contact=2.0).replace("ledger > sei", "ledger > nothing")
    (tmp_path / "small.toml").write_text(text, encoding="utf-8")
    findings = run(read_study(str(tmp_path / "small.toml")), tmp_path / "out", workers=1)
    told = how(findings)
    assert told["tests.after"] == "failed"
    assert told["pouch"] == told["tests.bare"] == "computed"
    assert findings.items[0].summary["error"]["type"] == "InputError"
    assert any("tests.after failed" in text for text in findings.items[0].summary["said"])
    assert (tmp_path / "out" / "report.html").is_file()


def test_the_folder_holds_records_and_ledgers_that_can_be_read(finished):
    out = finished[0] / "out"
    record = pl.read_parquet(out / "records" / "tests.bare.bdf.parquet")
    assert conform(record).height == record.height > 100
    account = pl.read_parquet(out / "records" / "tests.bare.ledger.parquet")
    assert account["residual"].abs().max() < 1e-6
    told = json.loads((out / "findings.json").read_text(encoding="utf-8"))
    assert [row["within"] for row in told["files"][0]["rows"]] == [True]


def test_what_a_study_has_no_more_leaves_the_folder(again):
    text = STUDY.format(batch=1.0, contact=2.0)
    cut = text[: text.index("[tests.after]")] + text[text.index("[pouch]") :]
    (again / "small.toml").write_text(cut, encoding="utf-8")
    assert list((again / "out" / "records").glob("tests.after.*"))
    run(read_study(str(again / "small.toml")), again / "out", workers=1)
    assert not list((again / "out" / "records").glob("tests.after.*"))
    assert list((again / "out" / "records").glob("tests.bare.*"))


def test_a_folder_goes_on_by_the_study_in_it(again):
    findings = run(study_of_run(again / "out"), again / "out", workers=1)
    assert set(how(findings).values()) == {"kept"}
    with pytest.raises(InputError, match="holds no run"):
        study_of_run(again)


def test_a_folder_of_another_study_is_refused(again):
    with pytest.raises(InputError, match="holds the run of 'small'"):
        run(asked(again, name="other"), again / "out", workers=1)


def test_files_outside_of_the_folder_need_a_word(tmp_path):
    (tmp_path / "in").mkdir()
    shutil.copy(Path(__file__).parents[2] / "src/interlith/coating/shipped/reference-coating.toml", tmp_path / "a.toml")
    text = 'sample = "cp"\n[coating]\nrecipe = "../a.toml"\n'
    (tmp_path / "in" / "s.toml").write_text(text, encoding="utf-8")
    study = read_study(str(tmp_path / "in" / "s.toml"))
    with pytest.raises(InputError, match=r"s.toml:3: recipe = ../a.toml: lies outside"):
        run(study, tmp_path / "out", workers=1)
    assert not (tmp_path / "out").exists()
    study = read_study(str(tmp_path / "in" / "s.toml"), allow_outside=True)
    assert how(run(study, tmp_path / "out", workers=1))["coating"] == "computed"


def test_a_link_to_outside_is_outside(tmp_path):
    (tmp_path / "in").mkdir()
    recipe = Path(__file__).parents[2] / "src/interlith/coating/shipped/reference-coating.toml"
    (tmp_path / "in" / "a.toml").symlink_to(recipe)
    (tmp_path / "in" / "s.toml").write_text('[coating]\nrecipe = "a.toml"\n', encoding="utf-8")
    with pytest.raises(InputError, match="lies outside"):
        run(read_study(str(tmp_path / "in" / "s.toml")), tmp_path / "out", workers=1)


def test_a_file_that_changes_is_read_again(tmp_path):
    recipe = (Path(__file__).parents[2] / "src/interlith/coating/shipped/reference-coating.toml").read_text()
    (tmp_path / "a.toml").write_text(recipe, encoding="utf-8")
    (tmp_path / "s.toml").write_text('sample = "cp"\n[coating]\nrecipe = "a.toml"\n', encoding="utf-8")
    study = read_study(str(tmp_path / "s.toml"))
    run(study, tmp_path / "out", workers=1)
    (tmp_path / "a.toml").write_text(recipe + "\n# weighed again\n", encoding="utf-8")
    told = how(run(study, tmp_path / "out", workers=1))
    assert (told["coating"], told["tests.s"]) == ("computed", "kept")


def test_a_measured_file_stands_beside_the_simulated_test(tmp_path):
    from interlith.cycling.synthetic import examples, write_example

    path = write_example(next(one for one in examples() if one.name == "reservoir"), tmp_path)
    text = f'[tests.a]\nsample = "cp"\n[measured.m]\nfiles = ["{path.name}"]\nbeside = "a"\n'
    (tmp_path / "s.toml").write_text(text, encoding="utf-8")
    findings = run(read_study(str(tmp_path / "s.toml")), tmp_path / "out", workers=1)
    rows = {row["quantity"]: row for row in summary_of(findings, "measured.m")["compared"]}
    assert rows["reservoir efficiency"]["measured"] == pytest.approx(0.9989, abs=2e-3)
    assert rows["reservoir efficiency"]["simulated"] == pytest.approx(0.9162, abs=1e-4)


def test_a_fit_hands_its_values_on_as_calibrated(tmp_path):
    fit = """
title = "isolation of CP"
sampler = false
n_starts = 1
[[parameter]]
name = "host.isolated_per_stripped"
low = 0.01
high = 0.2
[[datum]]
sample = "cp"
observable = "ce_reservoir"
value = 0.93
sigma = 0.002
"""
    (tmp_path / "fit.toml").write_text(fit, encoding="utf-8")
    text = """
[fits.mine]
fit = "fit.toml"
[tests.a]
sample = "cp"
[tests.a.set.host]
isolated_per_stripped = { from = "fits > mine > estimates > host.isolated_per_stripped" }
"""
    (tmp_path / "s.toml").write_text(text, encoding="utf-8")
    findings = run(read_study(str(tmp_path / "s.toml")), tmp_path / "out", workers=1)
    found = summary_of(findings, "tests.a")
    assert 1 - found["ce_reservoir"] == pytest.approx(0.07, rel=0.02)
    held = {row["name"]: row["kind"] for row in found["parameters"]}
    assert held["working.isolated_per_stripped"] == "calibrated"


@pytest.mark.slow
def test_the_reference_study_covers_every_section_and_calls_nothing_fitted_predicted(tmp_path):
    findings = run(fast(read_study("reference")), tmp_path / "out")
    said = findings.items[0].summary
    rows = said["rows"]
    assert said["error"] is None
    assert len(rows) >= 40
    assert {row["section"][0] for row in rows} == set("123456789")
    assert {row["kind"] for row in rows} == {"computed", "calibrated", "predicted", "audit"}
    for row in rows:
        assert set(row) >= {"quantity", "paper", "ours", "unit", "kind", "within", "reason", "source", "deviation"}
        assert row["ours"] is not None, row["quantity"]
        assert row["source"]
        if row["quantity"].startswith("Aurbach efficiency"):
            assert (row["kind"], row["within"]) == ("calibrated", True)
        if row["within"] is False:
            assert row["reason"], f"{row['quantity']} is missed without a reason"
    missed = [row["quantity"] for row in rows if row["within"] is False]
    for known in ("life of CP at 5 mA/cm2, 1 mAh/cm2", "1: capacity that is coated", "8: ZnO evenly spread"):
        assert known in missed
    page = (Path(__file__).parents[2] / "docs/look-up/reference-study.md").read_text(encoding="utf-8")
    told = {cells[1].strip(): cells[4].strip() for line in page.splitlines() if len(cells := line.split("|")) > 8}
    for row in rows:
        assert told[row["quantity"]] == number_text(row["ours"]), "run python docs/make.py reference"
    tests = [item for item in findings.items if item.name.startswith("tests.")]
    assert len(tests) > 20
    for item in tests:
        assert item.summary["residual"] <= 1e-6
