"""How long a study and its sweeps take: the demonstration, what pipeline and store add, 10,000 units, Dask.

python bench/pipeline.py [demo] [overhead] [sweep] [dask]: all of them without a word. Writes
bench/results/pipeline.json, and keeps there what is not measured now. The peer of the sweep is the same work by hand: a
pool of processes that maps the same function over the same batches, and keeps nothing.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

from interlith import __version__
from interlith.store import open_store
from interlith.sweep import read_sweep
from interlith.sweeping import _batches, _common, _order, carry_out, work
from interlith.workers import get_executor, pool

RESULTS = Path(__file__).parent / "results" / "pipeline.json"
N_SWEEP, N_BY_HAND, N_OVERHEAD, N_DASK, ROUNDS = 10_000, 1000, 24, 60, 3
STUDY = 'sample = "cp-zno-002"\nprotocol = "{protocol}"\n'
SWEEP = """
study = "mine.toml"
design = "random"
n = {n}
seed = 7
[vary]
"set.host.porosity" = {{ low = 0.6, high = 0.9 }}
"set.host.isolated_per_stripped" = {{ low = 1e-4, high = 1e-2, scale = "log" }}
[outcomes]
efficiency = "tests > mine > {outcome}"
"""
AURBACH = ("aurbach", "ce_reservoir")
LONG = ("half-cell-1", "results > efficiency > median_efficiency")  # about a second


def sweep_of(folder: Path, n: int, test: tuple[str, str]):
    (folder / "mine.toml").write_text(STUDY.format(protocol=test[0]))
    (folder / "sweep.toml").write_text(SWEEP.format(n=n, outcome=test[1]))
    return read_sweep(str(folder / "sweep.toml"))


def timed(function, *arguments, **named) -> float:
    began = time.perf_counter()
    function(*arguments, **named)
    return time.perf_counter() - began


def carried_out(sweep, out: Path, executor: str, workers: int) -> float:
    with open_store(out, sweep.name) as store:
        run = store.begin(sweep.file.text)
        return timed(carry_out, sweep, store, run, partial(get_executor, executor, workers), workers=workers)


def by_hand(sweep, folder: Path, workers: int) -> float:
    """The same units in the same batches by a bare pool, nothing kept."""
    with open_store(folder / "none", sweep.name) as store:
        order = _order(sweep, _common(sweep, store, store.begin(""), 1))
    seconds = [0.04] * 20
    orders = list(_batches(order, sweep, range(len(sweep.units)), seconds))
    began = time.perf_counter()
    with pool(workers) as hands:
        list(hands.map(work, orders))
    return time.perf_counter() - began


def demo(folder: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "interlith", "demo", "--quiet", "--out", str(folder / "demo")]
    run = partial(subprocess.run, command, check=True, stdout=subprocess.DEVNULL)
    first = timed(run)
    again = [timed(run) for _ in range(ROUNDS)]
    return {"demo_s": first, "demo_unchanged_s": statistics.median(again)}


def overhead(folder: Path) -> dict[str, float]:
    """One process does all: what the whole takes, over what the units took by themselves."""
    shares, units = [], []
    for i in range(ROUNDS):
        sweep = sweep_of(folder, N_OVERHEAD, LONG)
        out = folder / f"overhead-{i}"
        whole = carried_out(sweep, out, "serial", 1)
        with open_store(out, sweep.name) as store:
            seconds = [unit.seconds for unit in store.units("unit.")]
        units.append(statistics.median(seconds))
        shares.append(whole / sum(seconds) - 1.0)
    return {"unit_s": statistics.median(units), "overhead_of_pipeline_and_store": statistics.median(shares)}


def sweep(folder: Path) -> dict[str, float]:
    hand = by_hand(sweep_of(folder, N_BY_HAND, AURBACH), folder, 2)
    ours = carried_out(sweep_of(folder, N_SWEEP, AURBACH), folder / "sweep", "pool", 2)
    size = sum(path.stat().st_size for path in (folder / "sweep").rglob("*") if path.is_file())
    return {
        "sweep_units": N_SWEEP,
        "sweep_s": ours,
        "by_hand_units": N_BY_HAND,
        "by_hand_s": hand,
        "sweep_over_by_hand_per_unit": ours / N_SWEEP / (hand / N_BY_HAND),
        "sweep_MB": size / 1e6,
    }


def dask(folder: Path) -> dict[str, float]:
    """Work alone: the workers are there, and warm, before the clock starts. Beside it what the machine itself gives."""
    from distributed import Client, LocalCluster

    found = {}
    for n in (1, 2):
        with (
            LocalCluster(n_workers=n, threads_per_worker=1, dashboard_address=None) as cluster,
            Client(cluster) as client,
        ):
            warm = sweep_of(folder, 8 * n, LONG)
            carried_out(warm, folder / f"warm-{n}", cluster.scheduler_address, n)
            asked = sweep_of(folder, N_DASK, LONG)
            found[n] = carried_out(asked, folder / f"dask-{n}", cluster.scheduler_address, n)
            assert client.status == "running"
    bare = by_processes(sweep_of(folder, N_DASK, LONG), folder)
    return {
        "dask_one_worker_s": found[1],
        "dask_two_workers_s": found[2],
        "dask_speed_up": found[1] / found[2],
        "bare_speed_up_of_two_processes": bare[1] / bare[2],
    }


def by_processes(sweep, folder: Path) -> dict[int, float]:
    """The same units by one bare process and by two, nothing kept: what the machine can give."""
    with open_store(folder / "bare", sweep.name) as store:
        order = _order(sweep, _common(sweep, store, store.begin(""), 1))
    orders = [replace(order, units=((i, values),)) for i, values in enumerate(sweep.units)]
    found = {}
    for n in (1, 2):
        with pool(n) as hands:
            list(hands.map(work, orders[: 4 * n]))
            found[n] = timed(lambda hands=hands: list(hands.map(work, orders)))
    return found


def main() -> None:
    chosen = sys.argv[1:] or ["demo", "overhead", "sweep", "dask"]
    found = json.loads(RESULTS.read_text()) if RESULTS.is_file() else {}
    for name in chosen:
        folder = Path(tempfile.mkdtemp())
        found |= {key: round(value, 4) for key, value in globals()[name](folder).items()}
        shutil.rmtree(folder)
    found |= {"interlith": __version__, "python": platform.python_version(), "cores": os.cpu_count()}
    for key, value in found.items():
        print(f"{key:34} {value}")
    RESULTS.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
