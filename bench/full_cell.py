"""How fast full cells cycle beside PyBaMM's SPMe, and how long the shipped question of rivals takes.

    python bench/full_cell.py [--rounds 5] [--without-inference]

Ours: 1C between 3.5 and 4.2 V with the numbers of Xu2019 (NMC532 against bare foil), the default tolerance and mesh,
timed from `simulate` to its Simulation, record and ledger included; and li-ncm811 and the pouch of the reference paper
with their host, at their own protocols. Electrolyte: that of the paper; its values do not change the time.

Peer: PyBaMM's half-cell SPMe with Xu2019, the same cycles as an Experiment, the solver it chooses itself, timed around
`solve` after a first solve that is not counted. It holds no plated, dead or revived lithium, and its lithium electrode
neither runs out nor ages.

Spectra and fits have benches of their own (impedance_speed.py, fit_speed.py). The question of rivals is a single run of
the command on all cores, code compiled before. All others take turns, round by round, after one round that is not
counted; medians are over rounds, ratios are medians of the ratios within rounds. Writes bench/results/full_cell.json.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from cycling_speed import clocked, machine, versions

RESULTS = Path(__file__).resolve().parent / "results" / "full_cell.json"
N_CYCLES, N_PEER = 100, 20
SAME, HOSTED, POUCH, PEER = "Xu2019, bare foil", "li-ncm811, ZnO(002)", "pouch-ncm90, ZnO(002)", "PyBaMM SPMe, Xu2019"
ASKED = {
    f"{SAME}: cycles/s": (250.0, False),
    f"{HOSTED}: cycles/s": (250.0, False),
    f"{POUCH}: cycles/s": (250.0, False),
    "shipped question of rivals, s": (180.0, True),
}
IN_A_ROW = 5
Task = Callable[[], None]


def ours(name: str) -> tuple[Task, int]:
    """A run that must go through all its cycles, and how many these are."""
    from interlith.cell.simulate import simulate
    from interlith.cell_test import cell_test
    from interlith.parts.positive import positive
    from interlith.parts.samples import foil
    from interlith.protocol import ConstantCurrent, Protocol, Repeat

    if name == SAME:
        asked = cell_test("cp", "li-ncm811")
        part = positive("nmc532-xu2019")
        cell = asked.cell.with_values_kept(working=foil().with_values(thickness_um=700.0), counter=part)
        cycle = (ConstantCurrent(rate_C=1.0, voltage_V=4.2), ConstantCurrent(rate_C=-1.0, voltage_V=3.5))
        protocol, nominal = Protocol(name="bench", steps=(Repeat(times=N_CYCLES, steps=cycle),)), 1.558
    else:
        asked = cell_test("cp-zno-002", name.split(",")[0])
        cell, protocol, nominal = asked.cell, asked.protocol, asked.nominal_mAh_per_cm2
    n_cycles = protocol.n_steps // 2

    def run() -> None:
        done = simulate(cell, protocol, nominal_mAh_per_cm2=nominal)
        if done.stopped is not None or len(done.steps) != protocol.n_steps:
            raise SystemExit(f"{name}: not all of {n_cycles} cycles were done: {done.stopped}")

    return run, n_cycles


def peer() -> tuple[Task, int]:
    """PyBaMM's SPMe against lithium, the same cycles."""
    import pybamm

    model = pybamm.lithium_ion.SPMe({"working electrode": "positive"})
    cycle = ("Discharge at 1C until 3.5 V", "Charge at 1C until 4.2 V")
    simulation = pybamm.Simulation(
        model,
        experiment=pybamm.Experiment([cycle] * N_PEER),
        parameter_values=pybamm.ParameterValues("Xu2019"),
    )

    def run() -> None:
        if len(simulation.solve().cycles) != N_PEER:
            raise SystemExit("PyBaMM: not all cycles were done")

    return run, N_PEER


def measure(rounds: int) -> dict:
    """Seconds per cycle of each contender, by rounds."""
    tasks = {name: ours(name) for name in (SAME, HOSTED, POUCH)} | {PEER: peer()}
    found: dict = {name: [] for name in tasks}
    for number in range(rounds + 1):
        for name, (task, n_cycles) in tasks.items():
            got = clocked(task, IN_A_ROW if number and name != PEER else 1)
            if number:
                found[name].append({key: value / n_cycles for key, value in got.items()})
    return found


def speeds(found: dict) -> dict:
    return {
        name: {
            "cycles_per_s": 1.0 / statistics.median(r["wall_s"] for r in runs),
            "cycles_per_cpu_s": 1.0 / statistics.median(r["cpu_s"] for r in runs),
            "lowest_per_s": 1.0 / max(r["wall_s"] for r in runs),
            "highest_per_s": 1.0 / min(r["wall_s"] for r in runs),
            "times_peer": statistics.median(b["wall_s"] / a["wall_s"] for a, b in zip(runs, found[PEER], strict=True)),
        }
        for name, runs in found.items()
    }


def inference() -> dict:
    """Wall seconds of the whole command that answers the shipped question."""
    command = [sys.executable, "-m", "interlith", "simulate", "--discriminate", "reference", "--json", "--quiet"]
    begin = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return {"shipped question of rivals, s": time.perf_counter() - begin}


def verdicts(fast: dict, inferred: dict) -> dict:
    got = {f"{name}: cycles/s": v["cycles_per_s"] for name, v in fast.items()} | inferred
    return {
        name: {"got": got[name], "at most" if below else "at least": limit, "met": (got[name] <= limit) == below}
        for name, (limit, below) in ASKED.items()
        if name in got
    }


def print_tables(results: dict) -> None:
    print(f"\n{'contender':24} {'cycles/s':>9} {'per cpu s':>9} {'times peer':>10}  rounds, /s")
    for name, v in results["speeds"].items():
        numbers = f"{v['cycles_per_s']:9.1f} {v['cycles_per_cpu_s']:9.1f} {v['times_peer']:10.2f}"
        print(f"{name:24} {numbers}  {v['lowest_per_s']:.1f} to {v['highest_per_s']:.1f}")
    print(f"\n{'asked':36} {'got':>8} {'limit':>14}  met")
    for name, v in results["asked"].items():
        word = "at most" if "at most" in v else "at least"
        print(f"{name:36} {v['got']:8.2f} {f'{word} {v[word]:g}':>14}  {'yes' if v['met'] else 'NO'}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--without-inference", action="store_true")
    chosen = parser.parse_args()
    load = os.getloadavg()
    fast = speeds(measure(chosen.rounds))
    results = {
        "speeds": fast,
        "asked": verdicts(fast, {} if chosen.without_inference else inference()),
        "rounds": chosen.rounds,
        "machine": machine(load),
        "versions": versions(),
    }
    print_tables(results)
    if not chosen.without_inference:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
