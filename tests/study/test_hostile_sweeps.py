"""Sweeps under attack: doubled values, other grids, harmed blobs, killed workers."""

import contextlib
import os
import re
import shutil

import polars as pl
import pytest

from interlith import sweeping
from interlith.errors import InputError
from interlith.examples import copy
from interlith.store import read_store
from interlith.sweep import read_sweep
from interlith.sweep_run import merge, sweep_in
from interlith.workers import Here

STUDY = """
[coating]
recipe = "reference-coating"
[tests.mine]
sample = "cp"
protocol = { name = "half-cell", steps = [
  { kind = "constant-current", current_density_mA_per_cm2 = -1.0, areal_capacity_mAh_per_cm2 = 0.2 },
  { kind = "constant-current", current_density_mA_per_cm2 = 1.0, voltage_V = 1.0 }] }
[tests.other]
sample = "cu"
protocol = { name = "half-cell", steps = [{ kind = "rest", duration_s = 60.0 }] }
"""
POROSITY = '"tests.mine.set.host.porosity"'
PLATED = 'plated = "tests > mine > plated_in_all_mAh_per_cm2"'
LOADING = 'loading = "coating > loading_wt_fraction"'


def written(folder, vary, outcomes=PLATED, head="", study=STUDY):
    (folder / "mine.toml").write_text(study, encoding="utf-8")
    text = f'study = "mine.toml"\n{head}\n[vary]\n{vary}\n[outcomes]\n{outcomes}\n'
    (folder / "s.toml").write_text(text, encoding="utf-8")
    return read_sweep(str(folder / "s.toml"))


def swept(folder, *args, **named):
    """Rows of the table after a sweep, and its summary."""
    findings = sweep_in(written(folder, *args, **named), folder / "out", executor="serial", workers=1)
    table = findings.items[0].tables.get("units", pl.DataFrame())
    return table, findings.items[0].summary


def blob_of(folder, number):
    with read_store(folder) as store:
        sha = next(unit.blob for unit in store.units(f"unit.{number:07d}"))
    return folder / "blobs" / sha[:2] / sha[2:]


# ---- what holds


@pytest.mark.parametrize(
    ("vary", "head"),
    [
        (f"{POROSITY} = {{ low = 0.5, high = 0.9 }}", 'design = "random"\nn = 0'),
        (f"{POROSITY} = {{ low = 0.5, high = 0.9 }}", 'design = "sobol"'),
        (f"{POROSITY} = {{ low = 0.5, high = 0.9, n = 1_000_000_000 }}", ""),
        (f"{POROSITY} = {{ low = nan, high = 0.9, n = 2 }}", ""),
        (f"{POROSITY} = {{ low = 0.9, high = 0.5, n = 2 }}", ""),
        (f"{POROSITY} = []", ""),
        ('"tests.mine.set.host.porosty" = [0.5]', ""),
        ('"tests.nobody.model" = ["lumped"]', ""),
        ('"" = [1]', ""),
        ("", ""),
    ],
)
def test_sweeps_that_cannot_be_are_refused(tmp_path, vary, head):
    with pytest.raises(InputError):
        written(tmp_path, vary, head=head)


@pytest.mark.parametrize("kind", ["random", "sobol", "latin-hypercube"])
@pytest.mark.parametrize("n", [1, 3])
def test_few_units_are_a_sweep_too(tmp_path, kind, n):
    table, summary = swept(tmp_path, f"{POROSITY} = {{ low = 0.5, high = 0.9 }}", head=f'design = "{kind}"\nn = {n}')
    assert table.height == summary["n_done"] == n


def test_a_shard_twice_and_one_that_lacks_are_told(tmp_path):
    asked = written(tmp_path, f"{POROSITY} = [0.5, 0.6, 0.7]")
    for i in (1, 2):
        sweep_in(asked, tmp_path / f"{i}", executor="serial", workers=1, shard=(i, 3))
    findings = merge(str(tmp_path / "s.toml"), [tmp_path / "1", tmp_path / "1", tmp_path / "2"], tmp_path / "out")
    assert findings.items[0].summary["said"] == ["1 of 3 units are missing"]


@pytest.mark.parametrize(
    ("vary", "head", "n"),
    [(f"{POROSITY} = [0.6, 0.6, 0.7]", "", 3), ('"tests.mine.sample" = ["cp", "cu"]', 'design = "random"\nn = 8', 8)],
    ids=["grid", "random"],
)
def test_equal_units_are_all_in_the_table(tmp_path, vary, head, n):
    table, summary = swept(tmp_path, vary, head=head)
    assert table.height == summary["n_done"] == n


def test_a_finer_grid_keeps_what_it_has_and_lacks_nothing(tmp_path):
    for n in (3, 5, 3):
        table, summary = swept(tmp_path, f"{POROSITY} = {{ low = 0.5, high = 0.9, n = {n} }}")
        assert table.height == summary["n_done"] == n


def test_back_to_an_earlier_study_finds_its_units_again(tmp_path):
    for charge in ("0.2", "0.3", "0.2"):
        table, _ = swept(tmp_path, f"{POROSITY} = [0.5, 0.6]", study=STUDY.replace("= 0.2 }", f"= {charge} }}"))
        assert table.height == 2


@pytest.mark.parametrize("harm", ["missing", "cut"])
def test_a_unit_that_was_harmed_is_computed_anew(tmp_path, harm):
    swept(tmp_path, f"{POROSITY} = [0.5, 0.6]")
    path = blob_of(tmp_path / "out", 1)
    path.unlink() if harm == "missing" else path.write_bytes(path.read_bytes()[:10])
    table, _ = swept(tmp_path, f"{POROSITY} = [0.5, 0.6]")
    assert table.height == 2


def test_a_key_of_a_test_in_which_no_outcome_lies_fails_nothing(tmp_path):
    _, summary = swept(tmp_path, '"tests.other.set.host.sei_per_plated" = [0.01, 0.02]')
    assert summary["n_failed"] == 0


def test_a_range_of_a_whole_number_is_refused_or_whole(tmp_path):
    vary, head = '"seed" = { low = 1, high = 100 }', 'design = "random"\nn = 3'
    with contextlib.suppress(InputError):
        _, summary = swept(tmp_path, vary, head=head)
        if summary["n_failed"]:
            pytest.fail("every unit failed")


def test_a_varied_file_that_changes_is_read_again(tmp_path):
    copy("reference-coating", tmp_path)
    recipe = (tmp_path / "reference-coating.toml").read_text(encoding="utf-8")
    vary = '"coating.recipe" = ["reference-coating.toml"]'
    before, _ = swept(tmp_path, vary, LOADING)
    changed = re.sub(r"n_cycles = \{ value = 79", "n_cycles = { value = 40", recipe)
    assert changed != recipe
    (tmp_path / "reference-coating.toml").write_text(changed, encoding="utf-8")
    after, _ = swept(tmp_path, vary, LOADING)
    assert after["loading"][0] < before["loading"][0]


def test_a_varied_file_outside_needs_a_word(tmp_path):
    inside = tmp_path / "inside"
    inside.mkdir()
    copy("reference-coating", tmp_path)
    try:
        _, summary = swept(inside, '"coating.recipe" = ["../reference-coating.toml"]', LOADING)
    except InputError:
        return
    assert summary["n_done"] == 0


@pytest.mark.parametrize("name", ["unit", "error", "seconds", '"tests.mine.host.porosity"'])
def test_an_outcome_named_as_a_column_is_refused_or_kept(tmp_path, name):
    with contextlib.suppress(InputError):
        table, summary = swept(
            tmp_path, f"{POROSITY} = [0.5, 0.6]", f'{name} = "tests > mine > plated_in_all_mAh_per_cm2"'
        )
        assert table["unit"].to_list() == [0, 1]
        assert summary["outcomes"][0]["n"] == 2
        assert len(set(table.columns)) == 5


def test_a_place_that_is_not_there_costs_its_own_outcome_alone(tmp_path):
    table, _ = swept(tmp_path, f"{POROSITY} = [0.5, 0.6]", f'{PLATED}\nwrong = "tests > mine > plated"')
    assert table["plated"].null_count() == 0


@pytest.mark.parametrize(
    ("vary", "head"),
    [
        (f"{POROSITY} = {{ low = 0.9, high = 0.5, n = 2 }}", ""),
        (f"{POROSITY} = {{ low = 0.5, high = 0.9, n = 0 }}", ""),
        ('"tests.mine.without" = [["isolation"], []]', ""),
        (f"{POROSITY} = {{ low = 0.5, high = 0.9 }}", ""),
        (f"{POROSITY} = {{ low = 0.5, high = 0.9 }}", 'design = "sobol"'),
    ],
)
def test_errors_of_sweeps_speak_of_keys_alone(tmp_path, vary, head):
    with pytest.raises(InputError) as told:
        written(tmp_path, vary, head=head)
    assert "function-after" not in str(told.value)
    assert ": : " not in str(told.value)


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_unit_that_kills_its_process_is_found_among_the_others_and_fails_alone(tmp_path, monkeypatch):
    """The pool breaks at once; then batches are parted until the one that kills is alone."""
    begun = []

    class Killing:
        def submit(self, work, order):
            begun.append([number for number, _ in order.units])
            if 13 in begun[-1]:
                raise sweeping.BrokenProcessPool("killed")
            return Here().submit(work, order)

    monkeypatch.setattr(sweeping, "TASK_S", 1e9)
    monkeypatch.setattr(sweeping, "pool", lambda n: contextlib.nullcontext(Killing()))
    monkeypatch.setattr("interlith.workers.pool", lambda n: contextlib.nullcontext(Killing()))
    asked = written(tmp_path, f"{POROSITY} = {{ low = 0.5, high = 0.9, n = 20 }}")
    findings = sweep_in(asked, tmp_path / "out", executor="pool", workers=2)
    assert findings.items[0].summary["n_failed"] == 1
    assert findings.items[0].tables["units"].filter(pl.col("error").is_not_null())["unit"].to_list() == [13]
    assert len(begun) <= 5 + 1 + 9


def test_a_unit_whose_process_was_killed_by_chance_is_tried_again(tmp_path, monkeypatch):
    told = {"type": "EnvironmentError_", "message": "its process was killed, perhaps for memory"}
    with monkeypatch.context() as patch:
        patch.setattr(sweeping, "_unit", lambda order, number, values: (number, None, told, 0.0))
        swept(tmp_path, f"{POROSITY} = [0.5, 0.6]")
    _, summary = swept(tmp_path, f"{POROSITY} = [0.5, 0.6]")
    assert summary["n_failed"] == 0


def test_nothing_of_a_sweep_lies_elsewhere(tmp_path):
    swept(tmp_path, f"{POROSITY} = [0.5]")
    shutil.rmtree(tmp_path / "out")
    assert {path.name for path in tmp_path.iterdir()} == {"mine.toml", "s.toml"}


VARIED_RECIPE = '"coating.set.paper.thickness_um" = [20, 30, 40]'


def test_a_file_that_changes_while_a_sweep_runs_gives_no_unit_of_another_key(tmp_path):
    copy("reference-coating", tmp_path)
    study = STUDY.replace('"reference-coating"', '"reference-coating.toml"')
    asked = written(tmp_path, VARIED_RECIPE, LOADING + '\npores = "coating > host > porosity"', study=study)
    path = tmp_path / "reference-coating.toml"
    whole = path.read_text(encoding="utf-8")
    changed = whole.replace("powder_fraction = { value = 0.9", "powder_fraction = { value = 0.5")
    assert changed != whole

    def tell(n_done, n, n_failed):
        if n_done == 1:
            path.write_text(changed, encoding="utf-8")

    with pytest.raises(InputError, match="changed while the sweep ran"):
        sweep_in(asked, tmp_path / "out", executor="serial", workers=1, tell=tell)
    path.write_text(whole, encoding="utf-8")
    again, clean = (sweep_in(asked, tmp_path / name, executor="serial", workers=1) for name in ("out", "clean"))
    assert again.items[0].tables["units"]["pores"].equals(clean.items[0].tables["units"]["pores"])


@pytest.mark.parametrize("name", ["sweep.toml", "report.html", "findings.json"])
def test_what_is_a_persons_own_is_not_written_over(tmp_path, name):
    (tmp_path / name).write_text("precious", encoding="utf-8")
    asked = written(tmp_path, f"{POROSITY} = [0.5]")
    with pytest.raises(InputError, match="no run's"):
        sweep_in(asked, tmp_path, executor="serial", workers=1)
    assert (tmp_path / name).read_text(encoding="utf-8") == "precious"


def test_another_sweep_of_the_same_name_does_not_take_the_folder(tmp_path):
    for name in ("p", "q"):
        (tmp_path / name).mkdir()
    first, second = (written(tmp_path / name, f"{POROSITY} = [0.5]") for name in ("p", "q"))
    sweep_in(first, tmp_path / "out", executor="serial", workers=1)
    with pytest.raises(InputError, match=r"holds the run of .*s\.toml"):
        sweep_in(second, tmp_path / "out", executor="serial", workers=1)


@pytest.mark.parametrize("place", ["coating", "coating > host", "tests > mine > ce_reservoir"])
def test_an_outcome_that_is_a_table_or_empty_is_said(tmp_path, place):
    _, summary = swept(tmp_path, f"{POROSITY} = [0.5]", f'{PLATED}\nodd = "{place}"')
    assert any(text.startswith("odd: ") for text in summary["said"])


def test_a_harmed_shard_is_named_and_one_that_is_none_leaves_nothing(tmp_path):
    asked = written(tmp_path, f"{POROSITY} = [0.5, 0.6]")
    for i in (1, 2):
        sweep_in(asked, tmp_path / f"{i}", executor="serial", workers=1, shard=(i, 2))
    blob_of(tmp_path / "2", 1).unlink()
    said = merge(str(tmp_path / "s.toml"), [tmp_path / "1", tmp_path / "2"], tmp_path / "out").items[0].summary["said"]
    assert said[0].startswith(f"{tmp_path / '2'}: 1 of 1 units are harmed")
    with pytest.raises(InputError):
        merge(str(tmp_path / "s.toml"), [tmp_path / "1", tmp_path / "nothing"], tmp_path / "more")
    assert not (tmp_path / "more").exists()


@pytest.mark.parametrize(
    ("vary", "said"),
    [
        ('"coating.set.paper.thicknes_um" = [10]', "Did you mean paper.thickness_um"),
        ('"coating.set.n_cycles" = { low = 10, high = 80, n = 4 }', "list its values"),
        ('"coating.set.paper.thickness_um" = { low = -10, high = 80, n = 2 }', "between 0.5 and 3000"),
        ('"coating.reading" = ["supply", "nope"]', "not a reading of"),
        ('"coating.recipe" = ["reference-coating", ""]', "neither a file nor a shipped one"),
        ('"coating.set.paper.thickness_um" = [10, 1e400]', "a list of numbers"),
    ],
)
def test_what_a_recipe_cannot_have_is_refused_before_a_sweep(tmp_path, vary, said):
    with pytest.raises(InputError, match=said):
        written(tmp_path, vary, LOADING)
