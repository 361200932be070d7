"""Folders of runs under attack: changed, cut, killed, handed on by somebody else."""

import contextlib
import os
import random
import shutil
import signal
import sqlite3
import threading
import time

import polars as pl
import pytest

from interlith import running
from interlith.errors import InterlithError
from interlith.findings import replace_parquet, writing
from interlith.store import MANIFEST, read_store
from interlith.study import read_study
from interlith.study_run import fast, run, study_of_run

TEST = """
[tests.{name}]
sample = "cp"
protocol = {{ name = "half-cell", steps = [
  {{ kind = "constant-current", current_density_mA_per_cm2 = -1.0, areal_capacity_mAh_per_cm2 = {plated} }},
  {{ kind = "constant-current", current_density_mA_per_cm2 = 1.0, voltage_V = 1.0 }}] }}
"""
TABLES = "tables/tests.one.cycles.parquet"


def asked(folder, plated=1.0, more=""):
    (folder / "s.toml").write_text(TEST.format(name="one", plated=plated) + more, encoding="utf-8")
    return read_study(str(folder / "s.toml"))


def plated_in(out):
    """What the table in the folder says was plated per cm2, and what the findings say of the same."""
    return pl.read_parquet(out / TABLES)["plated_mAh_per_cm2"][0]


def how(findings):
    return {one["name"]: one["how"] for one in findings.items[0].summary["stages"]}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    run(asked(folder), folder / "out", workers=1)
    return folder


@pytest.fixture
def out(finished, tmp_path):
    shutil.copytree(finished / "out", tmp_path / "out")
    return tmp_path / "out"


# ---- what holds


@pytest.mark.parametrize("harm", ["delete", "empty", "cut", "flip"])
def test_any_blob_that_is_harmed_is_computed_anew(out, tmp_path, harm):
    with read_store(out) as store:
        blob = next(unit.blob for unit in store.units("tests."))
    path = out / "blobs" / blob[:2] / blob[2:]
    data = path.read_bytes()
    path.unlink()
    if harm != "delete":
        changed = {"empty": b"", "cut": data[: len(data) // 2], "flip": data[:99] + bytes([data[99] ^ 1]) + data[100:]}
        path.write_bytes(changed[harm])
    assert how(run(asked(tmp_path), out, workers=1)) == {"tests.one": "computed"}
    assert path.read_bytes() == data


def test_files_that_were_deleted_come_back(out, tmp_path):
    shutil.rmtree(out / "tables")
    shutil.rmtree(out / "records")
    assert how(run(asked(tmp_path), out, workers=1)) == {"tests.one": "kept"}
    assert plated_in(out) == pytest.approx(1.0, rel=0.01)


def test_back_to_an_earlier_study_has_its_own_tables(out, tmp_path):
    for plated in (2.0, 1.0):
        run(asked(tmp_path, plated), out, workers=1)
        assert plated_in(out) == pytest.approx(plated, rel=0.01)


def test_a_changed_study_that_was_stopped_goes_on_with_its_own_tables(out, tmp_path, monkeypatch):
    def stopped(*_):
        raise KeyboardInterrupt

    study = asked(tmp_path, 2.0)
    with monkeypatch.context() as patch:
        patch.setattr("interlith.study_run.told", stopped)
        with pytest.raises(KeyboardInterrupt):
            run(study, out, workers=1)
    assert how(run(study, out, workers=1)) == {"tests.one": "kept"}
    assert plated_in(out) == pytest.approx(2.0, rel=0.01)


def test_a_stage_that_fails_leaves_no_tables_of_before(out, tmp_path):
    more = '[tests.one.set]\nhost.porosity = { from = "coating > host > thickness_um" }\n'
    findings = run(asked(tmp_path, 1.0, f'{more}[coating]\nrecipe = "reference-coating"\n'), out, workers=1)
    assert how(findings)["tests.one"] == "failed"
    assert not (out / TABLES).exists()


@pytest.mark.parametrize("harm", ["empty", "no parquet"])
def test_a_table_that_was_harmed_is_written_again(out, tmp_path, harm):
    path = out / ("tables/tests.one.cycles.csv" if harm == "empty" else TABLES)
    path.write_bytes(b"") if harm == "empty" else path.unlink()
    run(asked(tmp_path), out, workers=1)
    assert path.exists()
    assert path.stat().st_size


@pytest.mark.parametrize("name", ["a**b", "a b"])
def test_any_test_can_leave_a_study_with_its_files(tmp_path, name):
    run(asked(tmp_path, more=TEST.format(name=f'"{name}"', plated=1.0)), tmp_path / "out", workers=1)
    run(asked(tmp_path), tmp_path / "out", workers=1)
    assert {path.name.split(".")[1] for path in (tmp_path / "out" / "tables").glob("tests.*")} == {"one"}


def test_a_folder_from_somebody_else_deletes_nothing_outside(out, tmp_path):
    (tmp_path / "mine.txt").write_text("precious", encoding="utf-8")
    with contextlib.closing(sqlite3.connect(out / MANIFEST)) as manifest:
        manifest.execute("INSERT INTO uses VALUES (1, '../../mine', 'x', 1)")
        manifest.commit()
    run(study_of_run(out), out, workers=1)
    assert (tmp_path / "mine.txt").exists()


def test_a_manifest_with_harmed_bytes_is_told_in_a_line(out, tmp_path):
    whole = (out / MANIFEST).read_bytes()
    for seed in range(40):
        chance = random.Random(seed)
        data = bytearray(whole)
        for _ in range(30):
            data[chance.randrange(100, 4096)] = chance.randrange(256)
        (out / MANIFEST).write_bytes(bytes(data))
        with contextlib.suppress(InterlithError), read_store(out) as store:
            store.units()


def test_a_fast_run_says_in_its_folder_that_it_was_one(tmp_path):
    (tmp_path / "s.toml").write_text("[pouch]\ncell = 'reference-coin'\nsamples = 30_000\n", encoding="utf-8")
    findings = run(fast(read_study(str(tmp_path / "s.toml"))), tmp_path / "out", workers=1)
    resumed = run(study_of_run(tmp_path / "out"), tmp_path / "out", workers=1)
    assert how(resumed) == {"pouch": "kept"} or "fast" in " ".join(findings.items[0].summary["said"])


def test_a_disk_that_is_full_is_told_in_a_line(tmp_path, monkeypatch):
    def full(*_, **__):  # as met on a tmpfs of 800 kB
        raise pl.exceptions.ComputeError("parquet: File out of specification: Invalid thrift: transport error")

    monkeypatch.setattr(pl.DataFrame, "write_parquet", full)
    with contextlib.suppress(InterlithError), writing(tmp_path):
        replace_parquet(tmp_path / "a.parquet", pl.DataFrame({"a": [1]}))


# ---- workers that are killed


class Broken:
    """A pool as it is after the system killed one of its workers."""

    def submit(self, *_):
        raise running.BrokenProcessPool("killed")


def test_stages_that_are_ready_after_a_kill_are_done_or_told(tmp_path, monkeypatch):
    study = asked(tmp_path, more=TEST.format(name="two", plated=1.0))
    monkeypatch.setattr(running, "pool", lambda n: contextlib.nullcontext(Broken()))
    run(study, tmp_path / "out", workers=2)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_killed_worker_fails_only_its_own_stage(tmp_path):
    from concurrent.futures import ProcessPoolExecutor

    names = ("two", "three", "four", "five")
    study = asked(tmp_path, 50.0, "".join(TEST.format(name=name, plated=1.0) for name in names))
    pools: list[ProcessPoolExecutor] = []
    begin = ProcessPoolExecutor.__init__

    def noted(self, *args, **named):
        begin(self, *args, **named)
        pools.append(self)

    def kill_one():
        while not (pools and pools[0]._processes):
            time.sleep(0.01)
        time.sleep(0.3)
        os.kill(next(iter(pools[0]._processes)), signal.SIGKILL)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ProcessPoolExecutor, "__init__", noted)
        threading.Thread(target=kill_one, daemon=True).start()
        found = how(run(study, tmp_path / "out", workers=2))
    assert list(found.values()).count("failed") <= 1


def test_a_fit_whose_worker_was_killed_is_no_fault_of_ours():
    told = running.told_of(running.BrokenProcessPool("A process in the process pool was terminated abruptly"))
    assert told["type"] == "EnvironmentError_"
