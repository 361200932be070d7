"""Sweeps: designs, the same bits whoever computes, failed units as results, shards, what is common computed once."""

import itertools
import os
import shutil
import signal
import subprocess
import sys
import time
from functools import partial

import numpy as np
import polars as pl
import pytest

from interlith.errors import InputError
from interlith.store import open_store, read_store
from interlith.sweep import SweepFile, design, read_sweep, varied
from interlith.sweep_run import merge, shard_of, sweep_in
from interlith.sweeping import carry_out
from interlith.workers import get_executor

STUDY = """
[coating]
recipe = "reference-coating"
[tests.mine]
sample = "cp-zno-002"
[tests.mine.set]
host = { from = "coating" }
[tests.other]
sample = "cp"
"""
SWEEP = """
study = "mine.toml"
design = "grid"
[vary]
"tests.mine.set.cell.contact_resistance_ohm_cm2" = [1.0, 4.0]
"tests.mine.sample" = ["cp-zno-020", "cp-zno-002", "cp"]
"tests.mine.set.coating.reaction_time_s" = [100.0]
[outcomes]
efficiency = "tests > mine > ce_reservoir"
dead = "tests > mine > dead_mAh_per_cm2"
"""


def written(folder, sweep=SWEEP, study=STUDY):
    (folder / "mine.toml").write_text(study, encoding="utf-8")
    (folder / "s.toml").write_text(sweep, encoding="utf-8")
    return read_sweep(str(folder / "s.toml"))


def kept(folder):
    with read_store(folder) as store:
        return {unit.name: (unit.key, unit.blob, unit.status) for unit in store.units("unit.")}


@pytest.fixture(scope="module")
def serial(tmp_path_factory):
    folder = tmp_path_factory.mktemp("serial")
    findings = sweep_in(written(folder), folder / "out", executor="serial", workers=1)
    return folder, findings


def test_a_unit_that_fails_is_a_result_with_its_error(serial):
    """Each value by itself can be; bare paper together with a value of a coating cannot."""
    folder, findings = serial
    table = pl.read_parquet(folder / "out" / "tables" / "s.units.parquet")
    failed = table.filter(pl.col("tests.mine.sample") == "cp")
    assert failed["efficiency"].null_count() == failed.height == 2
    assert all("no coating" in text for text in failed["error"])
    assert (findings.items[0].summary["n_done"], findings.items[0].summary["n_failed"]) == (4, 2)
    assert table.filter(pl.col("error").is_null())["efficiency"].null_count() == 0


def test_units_that_are_kept_are_not_computed_again_failed_ones_neither(serial, monkeypatch):
    import interlith.sweeping

    monkeypatch.setattr(interlith.sweeping, "work", lambda order: pytest.fail("computed again"))
    before = kept(serial[0] / "out")
    sweep_in(read_sweep(str(serial[0] / "s.toml")), serial[0] / "out", executor="serial")
    assert kept(serial[0] / "out") == before


def test_what_all_units_have_in_common_is_computed_once(serial):
    with read_store(serial[0] / "out") as store:
        names = [unit.name for unit in store.units() if not unit.name.startswith("unit.")]
    assert names == ["coating"]  # tests.other is wanted by no outcome


@pytest.mark.parametrize("executor", ["pool", "dask"])
def test_the_same_bits_whoever_computes(serial, tmp_path, executor):
    if executor == "dask":
        pytest.importorskip("distributed")
    sweep_in(written(tmp_path), tmp_path / "out", executor=executor, workers=2)
    assert kept(tmp_path / "out") == kept(serial[0] / "out")


def test_shards_are_the_whole(serial, tmp_path):
    sweep = written(tmp_path)
    for i in (1, 2, 3, 4):
        sweep_in(sweep, tmp_path / str(i), executor="serial", shard=(i, 4))
    counts = [len(kept(tmp_path / str(i))) for i in (1, 2, 3, 4)]
    assert counts == [2, 2, 1, 1]
    part = merge(str(tmp_path / "s.toml"), [tmp_path / "1", tmp_path / "3"], tmp_path / "part")
    assert "3 of 6 units are missing" in part.items[0].summary["said"]
    merge(str(tmp_path / "s.toml"), [tmp_path / str(i) for i in (4, 2, 1, 3)], tmp_path / "whole")
    assert kept(tmp_path / "whole") == kept(serial[0] / "out")


def test_a_shard_of_another_sweep_is_refused(serial, tmp_path):
    written(tmp_path, SWEEP.replace("4.0", "5.0").replace("1.0", "2.0"))
    with pytest.raises(InputError, match="no unit of this sweep"):
        merge(str(tmp_path / "s.toml"), [serial[0] / "out"], tmp_path / "out")


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_worker_that_is_killed_costs_nothing(serial, tmp_path, monkeypatch):
    """The pool breaks; what it had under way is computed in a process of its own."""
    import interlith.sweeping

    monkeypatch.setattr(interlith.sweeping, "TASK_S", 0.0)
    sweep = written(tmp_path)
    with open_store(tmp_path / "out", sweep.name) as store:
        run = store.begin(sweep.file.text)

        def killing(n_done, n, n_failed):
            for worker in _children():
                os.kill(worker, signal.SIGKILL)

        carry_out(sweep, store, run, partial(get_executor, "pool", 2), workers=2, tell=killing)
    assert kept(tmp_path / "out") == kept(serial[0] / "out")


def _children():
    found = subprocess.run(["ps", "-o", "pid=,args=", "--ppid", str(os.getpid())], capture_output=True, text=True)
    lines = [line.split(None, 1) for line in found.stdout.splitlines()]
    return [int(pid) for pid, what in lines if "spawn_main" in what]


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_worker_of_dask_that_is_killed_costs_nothing(serial, tmp_path, monkeypatch):
    distributed = pytest.importorskip("distributed")
    import interlith.sweeping

    monkeypatch.setattr(interlith.sweeping, "TASK_S", 0.0)
    sweep = written(tmp_path)
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        with open_store(tmp_path / "out", sweep.name) as store:
            run, hit = store.begin(sweep.file.text), []

            def killing(n_done, n, n_failed):
                if n_done == 3 and not hit:
                    hit.append(next(iter(cluster.workers.values())).pid)
                    os.kill(hit[0], signal.SIGKILL)

            executor = partial(get_executor, cluster.scheduler_address, 2)
            carry_out(sweep, store, run, executor, workers=2, tell=killing)
        assert hit
    assert kept(tmp_path / "out") == kept(serial[0] / "out")


SBATCH = """#!/usr/bin/env bash
# a queue that begins every job at once, here
cp "$1" "$1.kept"
setsid nohup bash "$1.kept" > /dev/null 2>&1 &
echo "Submitted batch job $!"
"""
SCANCEL = """#!/usr/bin/env bash
kill -- "-$1" 2> /dev/null
exit 0
"""
QUEUE = {"cores": 1, "processes": 1, "memory": "2GB", "scheduler-options": {"host": "127.0.0.1"}}


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("setsid") is None, reason="a queue is played by shell scripts and setsid")
def test_jobs_of_a_slurm_cluster_give_the_same(serial, tmp_path, monkeypatch):
    """dask-jobqueue submits its jobs by sbatch; here one that runs them as processes."""
    pytest.importorskip("dask_jobqueue")
    import dask

    for name, text in (("sbatch", SBATCH), ("scancel", SCANCEL)):
        (tmp_path / name).write_text(text, encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    with dask.config.set({f"jobqueue.slurm.{key}": value for key, value in QUEUE.items()}):
        sweep_in(written(tmp_path), tmp_path / "out", executor="slurm", workers=2)
    assert kept(tmp_path / "out") == kept(serial[0] / "out")


def test_without_a_queue_slurm_is_refused_at_once(monkeypatch):
    pytest.importorskip("dask_jobqueue")
    from interlith.errors import EnvironmentError_

    monkeypatch.setenv("PATH", "")
    with pytest.raises(EnvironmentError_, match="no sbatch here"), get_executor("slurm"):
        pass


def test_a_scheduler_that_does_not_answer_is_told(monkeypatch):
    pytest.importorskip("distributed")
    import interlith.workers
    from interlith.errors import EnvironmentError_

    monkeypatch.setattr(interlith.workers, "WAIT_FOR_SCHEDULER", "1s")
    with pytest.raises(EnvironmentError_, match="no scheduler answers"), get_executor("tcp://127.0.0.1:9"):
        pass
    with pytest.raises(InputError, match="serial, pool, dask, slurm"), get_executor("cloud"):
        pass


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_kills_at_any_moment_lose_nothing_that_another_process_saw(tmp_path):
    text = SWEEP.replace("[1.0, 4.0]", "[" + ", ".join(f"{1 + i / 10}" for i in range(12)) + "]")
    written(tmp_path, text)
    command = [sys.executable, "-m", "interlith", "sweep", "s.toml", "--out", "out", "--quiet"]
    seen, hit = {}, 0
    for k in range(5):
        running = subprocess.Popen(command, cwd=tmp_path, start_new_session=True, stdout=subprocess.DEVNULL)
        until = time.monotonic() + 20.0
        while running.poll() is None and len(seen) < 5 * (k + 1) and time.monotonic() < until:
            if (tmp_path / "out" / "manifest.sqlite").exists():
                try:
                    seen |= kept(tmp_path / "out")
                except InputError:  # made, and empty yet
                    continue
            time.sleep(0.01)
        time.sleep(0.013 * k)
        hit += running.poll() is None
        if running.poll() is None:
            os.killpg(running.pid, signal.SIGKILL)
        running.wait()
        now = kept(tmp_path / "out") if seen else {}
        assert seen.items() <= now.items()
    assert hit >= 3
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    sweep_in(read_sweep(str(tmp_path / "s.toml")), tmp_path / "calm", executor="serial")
    assert kept(tmp_path / "out") == kept(tmp_path / "calm")
    assert len(kept(tmp_path / "out")) == 36


# ---- designs


def asked(**values):
    vary = {"a": {"low": 0.0, "high": 10.0}, "b": {"low": 0.01, "high": 100.0, "scale": "log"}, "c": ("x", "y")}
    return SweepFile.model_validate({"study": "s", "vary": vary, "outcomes": {"o": "tests > a > b"}, **values})


@pytest.mark.parametrize("kind", ["random", "sobol", "latin-hypercube"])
def test_designs_lie_in_their_ranges_and_are_the_same_for_a_seed(kind):
    one, other = (list(design(asked(design=kind, n=64, seed=3))) for _ in range(2))
    assert one == other
    assert one != list(design(asked(design=kind, n=64, seed=4)))
    a, b = (np.array([unit[name] for unit in one]) for name in "ab")
    assert 0 <= a.min() < 1.5
    assert 8.5 < a.max() <= 10
    assert 0.01 <= b.min() < 0.1
    assert 10 < b.max() <= 100
    assert 20 <= sum(unit["c"] == "x" for unit in one) <= 44


def test_a_latin_hypercube_has_one_unit_in_every_stratum():
    units = list(design(asked(design="latin-hypercube", n=50)))
    assert sorted(int(unit["a"] / 10.0 * 50) for unit in units) == list(range(50))


def test_sobol_of_a_power_of_two_has_as_many_units_in_each_half():
    units = list(design(asked(design="sobol", n=64)))
    for name, middle in (("a", 5.0), ("b", 1.0)):
        assert sum(unit[name] < middle for unit in units) == 32


def test_a_grid_has_every_combination_once():
    vary = {
        "a": {"low": 1.0, "high": 3.0, "n": 3},
        "b": ["x", "y"],
        "c": {"low": 1.0, "high": 100.0, "n": 3, "scale": "log"},
    }
    units = list(design(SweepFile.model_validate({"study": "s", "vary": vary, "outcomes": {"o": "x"}})))
    values = {name: {unit[name] for unit in units} for name in "abc"}
    assert (values["a"], values["b"]) == ({1.0, 2.0, 3.0}, {"x", "y"})
    assert sorted(values["c"]) == pytest.approx([1.0, 10.0, 100.0])
    assert len(units) == len(set(map(tuple, (unit.values() for unit in units)))) == 18


def test_more_units_in_a_sequence_keep_those_that_were(tmp_path):
    few = written(
        tmp_path,
        SWEEP.replace('design = "grid"', 'design = "sobol"\nn = 8').replace("[1.0, 4.0]", "{ low = 1, high = 4 }"),
    )
    keys = few.keys
    (tmp_path / "s.toml").write_text((tmp_path / "s.toml").read_text().replace("n = 8", "n = 16"))
    assert read_sweep(str(tmp_path / "s.toml")).keys[:8] == keys


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('design = "grid"', 'design = "gird"', "s.toml:3: design = gird"),
        ('design = "grid"', 'design = "sobol"', "needs the number of units"),
        ('design = "grid"', 'design = "grid"\nn = 5', "a grid has as many units"),
        ("[1.0, 4.0]", "[]", "at least 1 needed"),
        ("[1.0, 4.0]", "{ low = 4, high = 1 }", "below high"),
        ("[1.0, 4.0]", "{ low = 1, high = 4 }", "needs n"),
        ("[1.0, 4.0]", '{ low = 0, high = 4, n = 2, scale = "log" }', "above 0 on a logarithmic"),
        ("[1.0, 4.0]", "[1.0, -4.0]", "s.toml:5: vary.tests.mine.set.cell.contact_resistance_ohm_cm2 = -4.0"),
        ("contact_resistance", "contact_resistence", "Did you mean contact_resistance_ohm_cm2"),
        ('"cp"]', '"pc"]', "not a shipped sample"),
        ("tests.mine.sample", "tests.mine.smaple", "Did you mean sample"),
        ("tests.mine.sample", "tests.yours.smaple", "smaple"),
        ("tests > mine > ce_reservoir", "tests > min > ce_reservoir", "Did you mean tests > mine"),
        ('study = "mine.toml"', 'study = "yours.toml"', "s.toml:2: study = "),
        ('study = "mine.toml"\n', "", "study: must be given"),
    ],
)
def test_what_is_wrong_in_a_sweep_is_told_before_anything_is_computed(tmp_path, old, new, said):
    assert old in SWEEP
    with pytest.raises(InputError) as problem:
        written(tmp_path, SWEEP.replace(old, new))
    assert said in str(problem.value)


def test_a_grid_of_too_many_is_refused_before_it_is_made(tmp_path):
    big = SWEEP.replace("[1.0, 4.0]", "{ low = 1, high = 4, n = 100000 }").replace(
        '["cp-zno-020", "cp-zno-002", "cp"]', "[" + ", ".join(itertools.repeat('"cp"', 100)) + "]"
    )
    with pytest.raises(InputError, match="at most 1000000"):
        written(tmp_path, big)


def test_values_at_dotted_names_leave_the_rest_and_the_table_itself():
    table = {"set": {"host": {"porosity": 0.7}}}
    assert varied(table, {"set.host.swelling": 1, "seed": 3}) == {
        "set": {"host": {"porosity": 0.7, "swelling": 1}},
        "seed": 3,
    }
    assert table == {"set": {"host": {"porosity": 0.7}}}
    with pytest.raises(InputError, match="no table"):
        varied(table, {"set.host.porosity.value": 3})


@pytest.mark.parametrize("text", ["0/4", "5/4", "a/b", "1", "1/0", "-1/4", "1/4/2"])
def test_shards_that_cannot_be(text):
    with pytest.raises(InputError, match="I/N"):
        shard_of(text)
