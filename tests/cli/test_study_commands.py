"""run, check, demo, examples, sweep, merge, doctor, as a person types them."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

SWEEP = (
    'study = "mine.toml"\n[vary]\n"set.host.porosity" = [0.7, 0.8]\n[outcomes]\nce = "tests > mine > ce_reservoir"\n'
)


def interlith(*arguments, cwd, **more):
    return subprocess.run(
        [sys.executable, "-m", "interlith", *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        **more,
    )


def written(folder):
    (folder / "mine.toml").write_text('title = "Mine"\nsample = "cp"\n', encoding="utf-8")
    (folder / "s.toml").write_text(SWEEP, encoding="utf-8")


def test_a_study_is_run_and_kept_and_gone_on_with(tmp_path):
    written(tmp_path)
    first = interlith("run", "mine.toml", cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    assert "stages: 1 computed, 0 kept" in first.stdout
    assert (tmp_path / "interlith-mine/report.html").is_file()
    again = interlith("run", "--resume", "interlith-mine", "--json", cwd=tmp_path)
    assert [one["how"] for one in json.loads(again.stdout)["stages"]] == ["kept"]
    well = interlith("doctor", "--verify", "interlith-mine", "--json", cwd=tmp_path)
    assert (well.returncode, json.loads(well.stdout)[0]["is_well"]) == (0, True)
    blob = next((tmp_path / "interlith-mine/blobs").glob("*/*"))
    blob.write_bytes(b"something else")
    ill = interlith("doctor", "--verify", "interlith-mine", cwd=tmp_path)
    assert ill.returncode == 5
    assert "changed on disk" in ill.stdout


def test_a_stage_that_fails_is_status_4_and_told(tmp_path):
    text = '[tests.a]\nsample = "cp"\n[pouch]\ncell = "reference-coin"\nefficiency = { from = "tests > a > nothing" }\n'
    (tmp_path / "s.toml").write_text(text, encoding="utf-8")
    done = interlith("run", "s.toml", "--quiet", cwd=tmp_path)
    assert done.returncode == 4
    assert "pouch failed: nothing: no nothing at tests > a" in done.stdout
    assert (tmp_path / "interlith-s/report.html").is_file()


def test_check_says_what_would_be_done_or_what_is_wrong(tmp_path):
    written(tmp_path)
    found = json.loads(interlith("check", "my-host", "--json", cwd=tmp_path).stdout)
    assert {"name": "pouch", "needs": ["tests.aurbach"]} in found["stages"]
    (tmp_path / "bad.toml").write_text('sample = "cp"\nwithout = ["sie"]\n', encoding="utf-8")
    bad = interlith("check", "bad.toml", cwd=tmp_path)
    assert (bad.returncode, bad.stdout) == (3, "")
    assert bad.stderr.startswith("interlith: bad.toml:2: without sie: not a mechanism")
    assert interlith("check", cwd=tmp_path).returncode == 3


def test_examples_are_listed_and_copied_once(tmp_path):
    listed = json.loads(interlith("examples", "--json", cwd=tmp_path).stdout)
    assert {"reference", "li-cu", "my-host", "reference-pouch", "synthetic"} <= {one["name"] for one in listed}
    assert interlith("examples", "my-host", cwd=tmp_path).returncode == 0
    assert interlith("check", "my-host.toml", cwd=tmp_path).returncode == 0
    again = interlith("examples", "my-host", cwd=tmp_path)
    assert again.returncode == 3
    assert "is there already" in again.stderr
    assert "Did you mean" in interlith("examples", "my-hots", cwd=tmp_path).stderr
    assert interlith("examples", "reference", "--kind", "fit", "--out", "fits", cwd=tmp_path).returncode == 0
    assert "[[parameter]]" in (tmp_path / "fits/reference.toml").read_text(encoding="utf-8")


def test_every_key_of_a_study_stands_in_the_template():
    from interlith.cell_test import KEYS
    from interlith.examples import examples
    from interlith.study import (
        Closure,
        CoatingAsked,
        Expected,
        FitAsked,
        MeasuredAsked,
        PouchAsked,
        StudyFile,
        SurfaceAsked,
    )
    from interlith.written import opened

    assert "my-host" in {one.name for one in examples()}
    text = opened("my-host", "interlith.studies").text
    models = (Closure, CoatingAsked, Expected, FitAsked, MeasuredAsked, PouchAsked, SurfaceAsked)
    keys = [*KEYS, *(key for model in models for key in model.model_fields), *StudyFile.model_fields]
    assert not [key for key in keys if key not in text]


def test_a_sweep_its_shards_and_its_table(tmp_path):
    written(tmp_path)
    for shard in ("1/2", "2/2"):
        done = interlith("sweep", "s.toml", "--shard", shard, "--executor", "serial", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    folders = [f"interlith-s-{i}-of-2" for i in (1, 2)]
    merged = interlith("merge", "s.toml", *folders, "--out", "all", "--json", cwd=tmp_path)
    assert merged.returncode == 0, merged.stderr
    found = json.loads(merged.stdout)
    assert (found["n_done"], found["n_failed"]) == (2, 0)
    assert (tmp_path / "all/tables/s.units.parquet").is_file()
    assert (tmp_path / "all/figures/s.parallel.svg").is_file()
    wrong = interlith("sweep", "s.toml", "--shard", "3/2", cwd=tmp_path)
    assert (wrong.returncode, wrong.stdout) == (3, "")


def wait_until_gone(group):
    """Whether no process of a group is left after a while; one that ended waits for its new parent to notice."""
    for _ in range(60):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.5)
    return False


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_ctrl_c_keeps_what_is_done_and_leaves_nobody_behind(tmp_path):
    tests = '[tests.first]\nsample = "cp"\n' + "".join(
        f'[tests.t{i}]\nsample = "cp"\nprotocol = "half-cell-0.5"\n' for i in range(6)
    )
    (tmp_path / "long.toml").write_text(tests, encoding="utf-8")
    command = [sys.executable, "-m", "interlith", "run", "long.toml", "--out", "out", "--workers", "2"]
    running = subprocess.Popen(
        command, cwd=tmp_path, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    from interlith.errors import InterlithError
    from interlith.store import read_store

    until = time.monotonic() + 120
    done = 0
    while not done and time.monotonic() < until:
        time.sleep(0.2)
        try:
            with read_store(tmp_path / "out") as store:
                done = len(store.units())
        except InterlithError:
            continue
    os.killpg(running.pid, signal.SIGINT)
    _, told = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "stopped; what was done is kept. To go on: interlith run long.toml --out out" in told
    with read_store(tmp_path / "out") as store:
        assert len(store.units()) >= done > 0
        assert store.history()[-1]["outcome"] == "stopped"
    assert wait_until_gone(running.pid)
