"""How fast the cell cycles, lumped and resolved over depth; the same equations in PyBaMM, and its stock half cells.

    python bench/cycling_speed.py [--rounds 5]

Ours: half-cell-1 without formation (plate 1 mAh/cm2 at 1 mA/cm2, strip to 1 V), samples cp and cp-zno-002-revival (with
conversion and revival), the default tolerance and mesh, timed from `simulate` to its Simulation, record and ledger
included. The counter foil is made 20 mm thick, since that of the samples is used up long before 2000 cycles; a run that
dies early ends the bench.

Twin: the same cells and mesh as a pybamm.BaseModel (interlith.cell.pybamm_bridge), the same cycles as a PyBaMM
Experiment, IDAKLU at the same relative tolerance, timed around `solve` after a first solve that is not counted; what
PyBaMM builds once is left out. A twin that cannot be solved is listed with the reason.

Stock: PyBaMM's own half-cell SPMe and DFN (working electrode positive, Xu2019), the solver it chooses itself, 1C from
3.5 to 4.2 V. They solve another problem: intercalation into a cathode against lithium that neither runs out nor
ages. They hold no plated, dead or revived lithium. So they are a scale, not a race.

All take turns, round by round, after one round that is not counted; medians are over rounds, and ratios are medians of
the ratios within rounds. Within a round a short run is repeated, so that none is judged by a tenth of a second. Start,
first compilation and peak memory are those of fresh processes, imports included. Processor seconds stand beside wall
seconds, for a machine that is not idle. Sources of interlith that change meanwhile end the bench. Writes
bench/results/cycling_speed.json.
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
from typing import Any

from reading import take_turns, timed

RESULTS = Path(__file__).resolve().parent / "results" / "cycling_speed.json"

SAMPLES = {"cp": "cp", "ZnO(002)": "cp-zno-002-revival"}
MODELS = ("lumped", "resolved")
OURS = {f"{name}, {model}": (sample, model) for model in MODELS for name, sample in SAMPLES.items()}
FOIL = {"counter.thickness_um": 20000.0}
N_SPEED, N_LONGEST = 200, 2000
N_COSTS = {"lumped": (100, 500, N_LONGEST), "resolved": (100, N_LONGEST)}
N_IN_A_ROW = {"lumped": 2000, "resolved": 200}  # cycles of one round at least
N_PEER, PEER_REPEATS = 10, {"twin": 1, "stock": 10}
STOCK = ("SPMe", "DFN")
STOCK_CYCLE = ("Discharge at 1C until 3.5 V", "Charge at 1C until 4.2 V")
TWIN = "PyBaMM twin,"
ASKED = {
    "lumped": 500,
    "resolved": 50,
    "peak_MB": 500,
    "off_constant": 0.2,
    "first_process_s": 60,
    "later_process_s": 3,
}

AURBACH = """
import sys, time
from interlith.cell.simulate import simulate
from interlith.cell_test import cell_test
asked = cell_test("cp", "aurbach")
begin = time.perf_counter()
simulate(asked.cell, asked.protocol, model=sys.argv[1])
print(time.perf_counter() - begin)
"""
LONG = """
import json, sys
from interlith.cell.simulate import simulate
from interlith.protocol import half_cell_efficiency
from interlith.cell_test import cell_test
n = int(sys.argv[2])
protocol = half_cell_efficiency(
    current_density_mA_per_cm2=1.0, plated_mAh_per_cm2=1.0, n_cycles=n, n_formation=0
)
asked = cell_test(sys.argv[1], protocol, changes=json.loads(sys.argv[3]))
done = simulate(asked.cell, asked.protocol, model=sys.argv[4])
assert done.stopped is None and done.steps[-1].cycle == n, done.stopped
final = done.ledger.final()
found = {f"{name}_mAh_per_cm2": final[name] for name in ("converted", "revived")}
print(json.dumps({"n_rows": done.record.table.height, **found}))
"""

Task = Callable[[], None]


def ours(name: str, n_cycles: int) -> Task:
    """A run of ours, which must go through all its cycles."""
    from interlith.cell.simulate import simulate
    from interlith.cell_test import cell_test
    from interlith.protocol import half_cell_efficiency

    sample, model = OURS[name]
    protocol = half_cell_efficiency(
        current_density_mA_per_cm2=1.0, plated_mAh_per_cm2=1.0, n_cycles=n_cycles, n_formation=0
    )
    asked = cell_test(sample, protocol, changes=FOIL)

    def run() -> None:
        done = simulate(asked.cell, asked.protocol, model=model)
        if done.stopped is not None or done.steps[-1].cycle != n_cycles:
            raise SystemExit(f"{name}: not all of {n_cycles} cycles were done: {done.stopped}")

    return run


def twin(name: str) -> Task:
    """The same cell in PyBaMM, its model built and processed in the round that is not counted."""
    import pybamm

    from interlith.cell.models import DEFAULT_RELATIVE
    from interlith.cell.pybamm_bridge import half_cell_model
    from interlith.cell_test import cell_test

    sample, kind = OURS[name]
    cell = cell_test(sample, changes=FOIL).cell
    model, values = half_cell_model(cell, model=kind)
    ampere = cell.area_cm2 / 1000
    cycle = (f"Discharge at {ampere} A for 1 hour", f"Charge at {ampere} A until 1 V")
    solver = pybamm.IDAKLUSolver(rtol=DEFAULT_RELATIVE, atol=1e-6)
    return _solved(pybamm, model, values, cycle, solver)


def stock(name: str) -> Task:
    """One of PyBaMM's own half cells."""
    import pybamm

    model = getattr(pybamm.lithium_ion, name)({"working electrode": "positive"})
    return _solved(pybamm, model, pybamm.ParameterValues("Xu2019"), STOCK_CYCLE, None)


def _solved(pybamm: Any, model: Any, values: Any, cycle: tuple, solver: Any) -> Task:
    experiment = pybamm.Experiment([cycle] * N_PEER)
    simulation = pybamm.Simulation(model, experiment=experiment, parameter_values=values, solver=solver)

    def run() -> None:
        solution = simulation.solve()
        if len(solution.cycles) != N_PEER:
            raise CannotBeSolved(f"{len(solution.cycles)} of {N_PEER} cycles were done")

    return run


class CannotBeSolved(Exception):
    """A peer came to an early end."""


def clocked(task: Task, repeats: int) -> dict:
    """Seconds of one run, the mean of so many in a row."""
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(repeats):
        task()
    return {"wall_s": (time.perf_counter() - wall) / repeats, "cpu_s": (time.process_time() - cpu) / repeats}


def measure_rounds(rounds: int) -> tuple[dict, dict]:
    """Seconds of every run, by name and number of cycles, in turns; and why some peers could not be solved."""
    tasks = all_tasks()
    runs: dict = {key: [] for key in tasks}
    failed: dict = {}
    for number in range(rounds + 1):
        for (name, n), (task, repeats) in tasks.items():
            if name in failed:
                continue
            try:
                got = clocked(task, repeats if number else 1)
            except Exception as problem:
                if name in OURS:
                    raise
                failed[name] = f"{type(problem).__name__}: {str(problem).splitlines()[0][:200]}"
                continue
            if number:
                runs[name, n].append(got)
    return {key: found for key, found in runs.items() if key[0] not in failed}, failed


def all_tasks() -> dict:
    """What is timed, by name and number of cycles, and how often in a row."""
    found: dict = {}
    for name, (_, model) in OURS.items():
        for n in sorted({N_SPEED, *N_COSTS[model]}):
            found[name, n] = ours(name, n), max(N_IN_A_ROW[model] // n, 1)
    for name in OURS:
        found[f"{TWIN} {name}", N_PEER] = twin(name), PEER_REPEATS["twin"]
    for name in STOCK:
        found[f"PyBaMM {name}", N_PEER] = stock(name), PEER_REPEATS["stock"]
    return found


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
    first = N_COSTS[OURS[name][1]][0]

    def ratio(key: str) -> float:
        pairs = zip(runs[name, n_cycles], runs[name, first], strict=True)
        return statistics.median(a[key] / n_cycles / (b[key] / first) for a, b in pairs)

    found = speed(runs[name, n_cycles], n_cycles)
    per_cycle = {key: found[key] for key in ("ms_per_cycle", "cpu_ms_per_cycle")}
    return {**per_cycle, "to_shortest": ratio("wall_s"), "cpu_to_shortest": ratio("cpu_s")}


def measure_processes(rounds: int, folder: str) -> dict:
    """Fresh processes: with nothing compiled yet, later ones, and the memory of the longest runs."""
    commands = {model: [sys.executable, "-c", AURBACH, model] for model in MODELS}
    first: dict = {model: [] for model in MODELS}
    for number in range(rounds):
        environment = {**os.environ, "INTERLITH_CACHE": str(Path(folder) / f"cache-{number}")}
        for model, command in commands.items():
            first[model].append(checked(timed(command, environment), f"first process, {model}"))
    environment = {**os.environ, "INTERLITH_CACHE": cache(folder, rounds)}
    later = take_turns(commands, rounds, environment)
    stands_still(folder, rounds)
    return {
        "first": {model: starts(runs) for model, runs in first.items()},
        "later": {model: starts([checked(run, f"later process, {model}") for run in later[model]]) for model in MODELS},
        "memory": {name: longest(name, environment) for name in OURS},
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


def longest(name: str, environment: dict) -> dict:
    """Peak memory of one process with the longest run, and what shows that its mechanisms were at work."""
    sample, model = OURS[name]
    command = [sys.executable, "-c", LONG, sample, str(N_LONGEST), json.dumps(FOIL), model]
    run = checked(timed(command, environment), f"{name}, {N_LONGEST} cycles")
    return {"n_cycles": N_LONGEST, "peak_MB": run["peak_MB"], "wall_s": run["wall_s"], **json.loads(run["out"])}


def to_twin(runs: dict, name: str) -> float | None:
    """Our cycles per second over those of the same cell in PyBaMM, the median of the rounds."""
    theirs = runs.get((f"{TWIN} {name}", N_PEER))
    if theirs is None:
        return None
    pairs = zip(runs[name, N_SPEED], theirs, strict=True)
    return statistics.median((b["wall_s"] / N_PEER) / (a["wall_s"] / N_SPEED) for a, b in pairs)


def verdicts(speeds: dict, costs: dict, processes: dict) -> dict:
    """What was asked for, and whether it is so, by the wall clock."""
    memory = processes["memory"]
    found = {
        f"{name}: cycles/s": (speeds[name]["cycles_per_s"], ASKED[model], False) for name, (_, model) in OURS.items()
    }
    for name in OURS:
        off = max(abs(values["to_shortest"] - 1) for values in costs[name].values())
        found[f"{name}: cost per cycle off constant"] = (off, ASKED["off_constant"], True)
        found[f"{name}: peak MB, {N_LONGEST} cycles"] = (memory[name]["peak_MB"], ASKED["peak_MB"], True)
    for model in MODELS:
        found[f"first process, {model}, s"] = (processes["first"][model]["wall_s"], ASKED["first_process_s"], True)
        found[f"later process, {model}, s"] = (processes["later"][model]["wall_s"], ASKED["later_process_s"], True)
    return {
        name: {"got": got, "at most" if below else "at least": asked, "met": got <= asked if below else got >= asked}
        for name, (got, asked, below) in found.items()
    }


def print_tables(results: dict) -> None:
    print(
        f"\n{'contender':31} {'cycles':>6} {'cycles/s':>9} {'per cpu s':>9} {'ms/cycle':>9} {'cpu ms':>8}  rounds, /s"
    )
    for name, v in results["speeds"].items():
        numbers = f"{v['cycles_per_s']:9.1f} {v['cycles_per_cpu_s']:9.1f} {v['ms_per_cycle']:9.3f}"
        spread = f"{v['lowest_per_s']:.1f} to {v['highest_per_s']:.1f}"
        print(f"{name:31} {v['n_cycles']:6} {numbers} {v['cpu_ms_per_cycle']:8.3f}  {spread}")
    for name, why in results["not_solved"].items():
        print(f"{name:31} not solved: {why}")
    for name, ratio in results["times_its_twin"].items():
        print(f"{name:31} " + ("no twin" if ratio is None else f"{ratio:.1f} times the cycles/s of its twin"))
    print("PyBaMM SPMe, DFN: intercalation, no plated or dead lithium; another problem, a scale and not a race.")
    print(f"\n{'cost per cycle':24} {'cycles':>6} {'ms/cycle':>9} {'cpu ms':>8} {'to first':>8} {'by cpu':>7}")
    for name, rows in results["costs"].items():
        for n, v in rows.items():
            numbers = f"{v['ms_per_cycle']:9.3f} {v['cpu_ms_per_cycle']:8.3f} {v['to_shortest']:8.3f}"
            print(f"{name:24} {n:>6} {numbers} {v['cpu_to_shortest']:7.3f}")
    print(f"\n{'fresh process':36} {'wall s':>7} {'inside s':>8} {'peak MB':>8}")
    for name in ("first", "later"):
        for model, v in results["processes"][name].items():
            said = f"{name}, one aurbach, {model}"
            print(f"{said:36} {v['wall_s']:7.2f} {v['inside_s']:8.3f} {v['peak_MB']:8.0f}")
    for name, v in results["processes"]["memory"].items():
        print(f"{f'{name}, {N_LONGEST} cycles':36} {v['wall_s']:7.2f} {'':8} {v['peak_MB']:8.0f}")
    print(f"\n{'asked':42} {'got':>8} {'limit':>14}  met")
    for name, v in results["asked"].items():
        word = "at most" if "at most" in v else "at least"
        print(f"{name:42} {v['got']:8.2f} {f'{word} {v[word]:g}':>14}  {'yes' if v['met'] else 'NO'}")


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
        runs, failed = measure_rounds(rounds)
        stands_still(folder, rounds)
    n_speed = {name: N_SPEED if name in OURS else N_PEER for name, _ in runs}
    speeds = {name: speed(runs[name, n], n) for name, n in n_speed.items()}
    costs = {name: {str(n): cost(runs, name, n) for n in N_COSTS[model]} for name, (_, model) in OURS.items()}
    asked = verdicts(speeds, costs, processes)
    results = {"speeds": speeds, "costs": costs, "processes": processes, "asked": asked}
    results |= {"not_solved": failed, "times_its_twin": {name: to_twin(runs, name) for name in OURS}}
    results |= {"machine": machine(load), "versions": versions(), "rounds": rounds}
    results["of SPMe and DFN"] = "half-cell intercalation without plated or dead lithium: a scale, not a race"
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print_tables(results)


if __name__ == "__main__":
    main()
