"""How long a spectrum takes: ours about a state of the resolved half cell, and PyBaMM's EISSimulation on the same.

    python bench/impedance_speed.py [--rounds 7]

Ours: the half cell cp with the default mesh, 1 mAh/cm2 plated, then stripped for half an hour; 60 frequencies from
1 MHz to 0.01 Hz, timed from the state to Z, linearization included; code is compiled before. The same with the parts,
and for the lumped cell.

Twin: the same cell, mesh and state as a pybamm.BaseModel (interlith.cell.pybamm_bridge) in pybamm.EISSimulation, timed
around `solve` after a first one that is not counted: its model is built then, but the Jacobian is evaluated and sparse
systems are solved each time, as ours are. Both must agree within 1e-4, or the bench ends.

Stock: PyBaMM's own half-cell SPMe and DFN with a differential surface form (Xu2019) at the same frequencies: another
problem, a scale and not a race.

All take turns, round by round, after one round that is not counted; each is the mean of several in a row, medians are
over rounds, and ratios are medians of the ratios within rounds. Writes bench/results/impedance_speed.json.
"""

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from cycling_speed import machine, versions

RESULTS = Path(__file__).resolve().parent / "results" / "impedance_speed.json"
HZ = np.logspace(6, -2, 60)
MODELS = ("lumped", "resolved")
STOCK = ("SPMe", "DFN")
IN_A_ROW = {"ours": 50, "twin": 3, "stock": 3}
AGREE, ASKED_MS = 1e-4, 20.0
LEGS = ((-10.0, 3600.0), (10.0, 1800.0))  # A/m2, s

Task = Callable[[], np.ndarray]


def ours(kind: str) -> tuple:
    """A model at its state, its cell, and the tasks that take its spectrum and the parts of it."""
    from interlith.cell.account import N_ROW
    from interlith.cell.advance import advance
    from interlith.cell.impedance import impedance_ohm_cm2, linearized, parts_ohm_cm2
    from interlith.cell.models import DEFAULT_RELATIVE, model_of
    from interlith.parts.samples import half_cell

    cell = half_cell("cp")
    model, rows = model_of(cell, kind, (), DEFAULT_RELATIVE), np.empty((4096, N_ROW))
    for current, seconds in LEGS:
        ends = np.array([seconds, 0, 0, 0, 0, 0, 0, 0.0])
        advance(model.y, model.system, np.array([0.0, current, 0.0, 0.0]), ends, model.tolerance, rows)

    def spectrum() -> np.ndarray:
        return impedance_ohm_cm2(linearized(model), HZ) / cell.area_cm2

    def parts() -> np.ndarray:
        return sum(parts_ohm_cm2(model, HZ).values()) / cell.area_cm2

    return model, cell, spectrum, parts


def twin(model: tuple, cell: object, kind: str) -> Task:
    """The same state in PyBaMM."""
    import pybamm

    from interlith.cell.pybamm_bridge import begin_at, half_cell_model

    made, values = half_cell_model(cell, model=kind)
    begin_at(made, model)
    simulation = pybamm.EISSimulation(made, parameter_values=values, skip_surface_form_check=True)
    return lambda: simulation.solve(HZ).impedance


def stock(name: str) -> Task:
    """One of PyBaMM's own half cells."""
    import pybamm

    options = {"working electrode": "positive", "surface form": "differential"}
    made = getattr(pybamm.lithium_ion, name)(options)
    simulation = pybamm.EISSimulation(made, parameter_values=pybamm.ParameterValues("Xu2019"))
    return lambda: simulation.solve(HZ).impedance


def all_tasks() -> tuple[dict, dict]:
    """What is timed by name, with how often in a row; and how far each twin is from ours."""
    tasks, apart = {}, {}
    for kind in MODELS:
        model, cell, spectrum, parts = ours(kind)
        judge = twin(model, cell, kind)
        apart[kind] = float(np.abs(judge() / spectrum() - 1).max())
        if not apart[kind] < AGREE:
            raise SystemExit(f"{kind}: ours and PyBaMM's differ by {apart[kind]:.1e}")
        tasks[kind] = spectrum, IN_A_ROW["ours"]
        tasks[f"{kind}, parts"] = parts, IN_A_ROW["ours"]
        tasks[f"PyBaMM twin, {kind}"] = judge, IN_A_ROW["twin"]
    for name in STOCK:
        tasks[f"PyBaMM {name}"] = stock(name), IN_A_ROW["stock"]
    return tasks, apart


def clocked(task: Task, repeats: int) -> float:
    """Milliseconds of one run, the mean of so many in a row."""
    begin = time.perf_counter()
    for _ in range(repeats):
        task()
    return 1e3 * (time.perf_counter() - begin) / repeats


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    rounds, load = parser.parse_args().rounds, os.getloadavg()
    os.environ["PYBAMM_DISABLE_TELEMETRY"] = "true"
    tasks, apart = all_tasks()
    runs: dict = {name: [] for name in tasks}
    for number in range(rounds + 1):
        for name, (task, repeats) in tasks.items():
            got = clocked(task, repeats if number else 1)
            if number:
                runs[name].append(got)
    medians = {name: {"ms": statistics.median(r), "lowest": min(r), "highest": max(r)} for name, r in runs.items()}
    ratios = {
        kind: statistics.median(b / a for a, b in zip(runs[kind], runs[f"PyBaMM twin, {kind}"], strict=True))
        for kind in MODELS
    }
    asked = {"resolved, ms at most": ASKED_MS, "got": medians["resolved"]["ms"]}
    results = {"n_frequencies": len(HZ), "spectra": medians, "times its twin": ratios, "differs by": apart}
    results |= {"asked": {**asked, "met": asked["got"] <= ASKED_MS}, "rounds": rounds}
    results |= {"machine": machine(load), "versions": versions()}
    results["of SPMe and DFN"] = "half-cell intercalation without plated lithium: a scale, not a race"
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    for name, v in medians.items():
        print(f"{name:24} {v['ms']:9.2f} ms   rounds {v['lowest']:.2f} to {v['highest']:.2f}")
    for kind, ratio in ratios.items():
        print(f"{kind:24} {ratio:9.1f} times as fast as its twin, which differs by {apart[kind]:.0e}")


if __name__ == "__main__":
    main()
