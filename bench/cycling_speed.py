"""How fast the lumped cell cycles: plain carbon paper, and ZnO(002) with conversion and revival; PyBaMM as a scale.

    python bench/cycling_speed.py [--rounds 5]

Ours: half-cell-1 without formation (plate 1 mAh/cm2 at 1 mA/cm2, strip to 1 V), samples cp and cp-zno-002-revival, the
default tolerance, timed from `simulate` to its Simulation, record and ledger included. The counter foil is made 20 mm
thick, since that of the samples is used up long before 2000 cycles; a run that dies early ends the bench.

PyBaMM: its stock half-cell SPMe and DFN (working electrode positive, Xu2019), the solver it chooses itself, 1C between
3.5 and 4.2 V, timed around `solve`; building the model is left out. They solve another problem: intercalation into a
cathode against lithium that neither runs out nor ages, with diffusion in particles and, for DFN, along the electrode.
They hold no plated, dead or revived lithium. So they are a scale, not a race, and no ratio to them is a merit.

All take turns, round by round, after one round that is not counted; medians are over rounds, and ratios are medians of
the ratios within rounds. Within a round a short run of ours is repeated until 2000 cycles are done, so that none is
judged by a tenth of a second; PyBaMM's runs are done ten times. Start, first compilation and peak memory are those of
fresh processes, imports included. Processor seconds stand beside wall seconds, for a machine that is not idle. Sources
of interlith that change meanwhile end the bench. Writes bench/results/cycling_speed.json.
"""

import argparse
import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from reading import take_turns, timed

RESULTS = Path(__file__).resolve().parent / "results" / "cycling_speed.json"

SAMPLES = {"cp": "cp", "ZnO(002)": "cp-zno-002-revival"}
FOIL = {"counter.thickness_um": 20000.0}
N_SPEED, N_LONGEST, N_COSTS = 200, 2000, (100, 500, 2000)
N_PEER, PEER_REPEATS = 10, 10
PEERS = ("SPMe", "DFN")
PEER_CYCLE = ("Discharge at 1C until 3.5 V", "Charge at 1C until 4.2 V")
ASKED = {"cycles_per_s": 500, "peak_MB": 500, "off_constant": 0.2, "first_process_s": 60, "later_process_s": 3}

AURBACH = """
import time
from interlith.cell.simulate import simulate
from interlith.study import study
asked = study("cp", "aurbach")
begin = time.perf_counter(); simulate(asked.cell, asked.protocol); print(time.perf_counter() - begin)
"""
LONG = """
import json, sys
from interlith.cell.simulate import simulate
from interlith.protocol import half_cell_efficiency
from interlith.study import study
n = int(sys.argv[2])
protocol = half_cell_efficiency(
    current_density_mA_per_cm2=1.0, plated_mAh_per_cm2=1.0, n_cycles=n, n_formation=0
)
asked = study(sys.argv[1], protocol, changes=json.loads(sys.argv[3]))
done = simulate(asked.cell, asked.protocol)
assert done.stopped is None and done.steps[-1].cycle == n, done.stopped
final = done.ledger.final()
found = {f"{name}_mAh_per_cm2": final[name] for name in ("converted", "revived")}
print(json.dumps({"n_rows": done.record.table.height, **found}))
"""

Task = Callable[[], None]


def ours(sample: str, n_cycles: int) -> Task:
    """A run of ours, which must go through all its cycles."""
    from interlith.cell.simulate import simulate
    from interlith.protocol import half_cell_efficiency
    from interlith.study import study

    protocol = half_cell_efficiency(
        current_density_mA_per_cm2=1.0, plated_mAh_per_cm2=1.0, n_cycles=n_cycles, n_formation=0
    )
    asked = study(sample, protocol, changes=FOIL)

    def run() -> None:
        done = simulate(asked.cell, asked.protocol)
        if done.stopped is not None or done.steps[-1].cycle != n_cycles:
            raise SystemExit(f"{sample}: not all of {n_cycles} cycles were done: {done.stopped}")

    return run


def peer(name: str) -> Task:
    """A run of PyBaMM's, its model built and processed in the round that is not counted."""
    import pybamm

    model = getattr(pybamm.lithium_ion, name)({"working electrode": "positive"})
    values, experiment = pybamm.ParameterValues("Xu2019"), pybamm.Experiment([PEER_CYCLE] * N_PEER)
    simulation = pybamm.Simulation(model, experiment=experiment, parameter_values=values)

    def run() -> None:
        solution = simulation.solve()
        if len(solution.cycles) != N_PEER:
            raise SystemExit(f"{name}: {len(solution.cycles)} of {N_PEER} cycles were done")

    return run


def clocked(task: Task, repeats: int) -> dict:
    """Seconds of one run, the mean of so many in a row."""
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(repeats):
        task()
    return {"wall_s": (time.perf_counter() - wall) / repeats, "cpu_s": (time.process_time() - cpu) / repeats}


def measure_rounds(rounds: int) -> dict:
    """Seconds of every run, by name and number of cycles, in turns."""
    tasks: dict = {(name, n): ours(sample, n) for name, sample in SAMPLES.items() for n in sorted({N_SPEED, *N_COSTS})}
    tasks |= {(f"PyBaMM {name}", N_PEER): peer(name) for name in PEERS}
    runs: dict = {key: [] for key in tasks}
    for number in range(rounds + 1):
        for (name, n), task in tasks.items():
            repeats = N_LONGEST // n if name in SAMPLES else PEER_REPEATS
            got = clocked(task, repeats if number else 1)
            if number:
                runs[name, n].append(got)
    return runs


def middle(runs: list, key: str) -> float:
    return statistics.median(run[key] for run in runs)


def speed(runs: list, n_cycles: int) -> dict:
    """Medians of cycles per second and of ms per cycle, by the wall and by the processor's clock."""
    wall, cpu = middle(runs, "wall_s"), middle(runs, "cpu_s")
    per_s = {"cycles_per_s": n_cycles / wall, "cycles_per_cpu_s": n_cycles / cpu}
    rounds = [n_cycles / run["wall_s"] for run in runs]
    per_cycle = {"ms_per_cycle": 1e3 * wall / n_cycles, "cpu_ms_per_cycle": 1e3 * cpu / n_cycles}
    return {"n_cycles": n_cycles, **per_s, **per_cycle, "lowest_per_s": min(rounds), "highest_per_s": max(rounds)}


def cost(runs: dict, name: str, n_cycles: int) -> dict:
    """Cost of a cycle in a run of so many, and over that in the shortest run of the same round."""
    first = N_COSTS[0]

    def ratio(key: str) -> float:
        pairs = zip(runs[name, n_cycles], runs[name, first], strict=True)
        return statistics.median(a[key] / n_cycles / (b[key] / first) for a, b in pairs)

    found = speed(runs[name, n_cycles], n_cycles)
    per_cycle = {key: found[key] for key in ("ms_per_cycle", "cpu_ms_per_cycle")}
    return {**per_cycle, "to_shortest": ratio("wall_s"), "cpu_to_shortest": ratio("cpu_s")}


def measure_processes(rounds: int, folder: str) -> dict:
    """Fresh processes: with nothing compiled yet, later ones, and the memory of the longest runs."""
    command, first = [sys.executable, "-c", AURBACH], []
    for number in range(rounds):
        environment = {**os.environ, "INTERLITH_CACHE": str(Path(folder) / f"cache-{number}")}
        first.append(checked(timed(command, environment), "first process"))
    environment = {**os.environ, "INTERLITH_CACHE": cache(folder, rounds)}
    later = [checked(run, "later process") for run in take_turns({"later": command}, rounds, environment)["later"]]
    stands_still(folder, rounds)
    return {
        "first": starts(first),
        "later": starts(later),
        "memory": {name: longest(name, sample, environment) for name, sample in SAMPLES.items()},
    }


def cache(folder: str, rounds: int) -> str:
    """The folder of compiled code that the last of the first processes filled."""
    return str(Path(folder) / f"cache-{rounds - 1}")


def stands_still(folder: str, rounds: int) -> None:
    """End the bench when the compiled code is of more than one state of the sources."""
    if len(list((Path(cache(folder, rounds)) / "compiled").iterdir())) != 1:
        raise SystemExit("sources of interlith changed while the bench ran: run it again")


def checked(run: dict, name: str) -> dict:
    if not run["ok"]:
        raise SystemExit(f"{name}: failed")
    return run


def starts(runs: list) -> dict:
    """Medians of whole processes, and of the call of simulate within them."""
    inside = statistics.median(float(run["out"]) for run in runs)
    return {key: middle(runs, key) for key in ("wall_s", "cpu_s", "peak_MB")} | {"inside_s": inside}


def longest(name: str, sample: str, environment: dict) -> dict:
    """Peak memory of one process with the longest run, and what shows that its mechanisms were at work."""
    command = [sys.executable, "-c", LONG, sample, str(N_LONGEST), json.dumps(FOIL)]
    run = checked(timed(command, environment), f"{name}, {N_LONGEST} cycles")
    return {"n_cycles": N_LONGEST, "peak_MB": run["peak_MB"], "wall_s": run["wall_s"], **json.loads(run["out"])}


def verdicts(speeds: dict, costs: dict, processes: dict) -> dict:
    """What was asked for, and whether it is so, by the wall clock."""
    memory = processes["memory"]
    found = {f"{name}: cycles/s": (speeds[name]["cycles_per_s"], ASKED["cycles_per_s"], False) for name in SAMPLES}
    for name in SAMPLES:
        off = max(abs(values["to_shortest"] - 1) for values in costs[name].values())
        found[f"{name}: cost per cycle off constant"] = (off, ASKED["off_constant"], True)
        found[f"{name}: peak MB, {N_LONGEST} cycles"] = (memory[name]["peak_MB"], ASKED["peak_MB"], True)
    found["first process s"] = (processes["first"]["wall_s"], ASKED["first_process_s"], True)
    found["later process s"] = (processes["later"]["wall_s"], ASKED["later_process_s"], True)
    return {
        name: {"got": got, "at most" if below else "at least": asked, "met": got <= asked if below else got >= asked}
        for name, (got, asked, below) in found.items()
    }


def print_tables(results: dict) -> None:
    print(
        f"\n{'contender':14} {'cycles':>6} {'cycles/s':>9} {'per cpu s':>9} {'ms/cycle':>9} {'cpu ms':>8}  rounds, /s"
    )
    for name, v in results["speeds"].items():
        numbers = f"{v['cycles_per_s']:9.1f} {v['cycles_per_cpu_s']:9.1f} {v['ms_per_cycle']:9.3f}"
        spread = f"{v['lowest_per_s']:.1f} to {v['highest_per_s']:.1f}"
        print(f"{name:14} {v['n_cycles']:6} {numbers} {v['cpu_ms_per_cycle']:8.3f}  {spread}")
    print("PyBaMM: intercalation, no plated or dead lithium; another problem, a scale and not a race.")
    print(f"\n{'cost per cycle':14} {'cycles':>6} {'ms/cycle':>9} {'cpu ms':>8} {'to first':>8} {'by cpu':>7}")
    for name, rows in results["costs"].items():
        for n, v in rows.items():
            numbers = f"{v['ms_per_cycle']:9.3f} {v['cpu_ms_per_cycle']:8.3f} {v['to_shortest']:8.3f}"
            print(f"{name:14} {n:>6} {numbers} {v['cpu_to_shortest']:7.3f}")
    print(f"\n{'fresh process':34} {'wall s':>7} {'inside s':>8} {'peak MB':>8}")
    for name in ("first", "later"):
        v = results["processes"][name]
        print(f"{name + ', one aurbach':34} {v['wall_s']:7.2f} {v['inside_s']:8.3f} {v['peak_MB']:8.0f}")
    for name, v in results["processes"]["memory"].items():
        print(f"{f'{name}, {N_LONGEST} cycles':34} {v['wall_s']:7.2f} {'':8} {v['peak_MB']:8.0f}")
    print(f"\n{'asked':34} {'got':>8} {'limit':>14}  met")
    for name, v in results["asked"].items():
        word = "at most" if "at most" in v else "at least"
        print(f"{name:34} {v['got']:8.2f} {f'{word} {v[word]:g}':>14}  {'yes' if v['met'] else 'NO'}")


def machine(load: tuple) -> dict:
    """The load average is that of the last minute before the bench."""
    facts = {"cores": os.cpu_count(), "system": platform.platform(), "python": platform.python_version()}
    return {**facts, "load_before": load[0], "load_after": os.getloadavg()[0]}


def versions() -> dict:
    names = ("interlith", "numba", "numpy", "polars", "pybamm", "pybammsolvers", "casadi")
    command = ["git", "describe", "--always", "--dirty"]
    described = subprocess.run(command, cwd=RESULTS.parent, capture_output=True, text=True, check=False)
    return {**{name: importlib.metadata.version(name) for name in names}, "commit": described.stdout.strip()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds, load = parser.parse_args().rounds, os.getloadavg()
    os.environ["PYBAMM_DISABLE_TELEMETRY"] = "true"
    with tempfile.TemporaryDirectory() as folder:
        # Processes come first: Linux counts the parent's memory into the peak of its children, so it must be small yet
        processes = measure_processes(rounds, folder)
        os.environ["INTERLITH_CACHE"] = cache(folder, rounds)
        runs = measure_rounds(rounds)
        stands_still(folder, rounds)
    n_speed = {**dict.fromkeys(SAMPLES, N_SPEED), **{f"PyBaMM {name}": N_PEER for name in PEERS}}
    speeds = {name: speed(runs[name, n], n) for name, n in n_speed.items()}
    costs = {name: {str(n): cost(runs, name, n) for n in N_COSTS} for name in SAMPLES}
    asked = verdicts(speeds, costs, processes)
    results = {"speeds": speeds, "costs": costs, "processes": processes, "asked": asked}
    results |= {"machine": machine(load), "versions": versions(), "rounds": rounds}
    results["of the peers"] = "half-cell intercalation without plated or dead lithium: a scale, not a race"
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print_tables(results)


if __name__ == "__main__":
    main()
