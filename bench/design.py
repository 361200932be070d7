"""How long a cell takes to be counted: its bill, a million draws of it, a front of it; one pouch cell in a peer.

    python bench/design.py [--peer PYTHON] [--rounds 7]

Ours, of the shipped reference pouch: its bill, reading its file (and both, which is a cell from its description to its
mass and energy), and the bill of the cell with one number replaced, unchecked; a million draws of what it may be; and
fronts of energy against cycles, of at least 10 000 counted designs and of the default number.

Peer: steer-opencell-design, in PYTHON, an environment that has it. It is licensed AGPL: it runs as a process of its own
here, and nothing of interlith imports it. Without --peer, or where it cannot be imported, it is left out, and said to
be. Its cell has the sizes, sheets and loadings of the same pouch: NMC on aluminium, lithium as the coating of a punched
copper foil, separator, electrolyte, laminate, terminals, every material given by its numbers, since its database is not
in its package. It holds one coating on a face, so the host is left out, and at most twice the electrolyte that its
pores hold, less than the pouch has; the positive's curve is a straight line with about the same mean voltage. Timed
from its materials to its mass and energy, and again with the loading of its positive changed and propagated. It
computes other things than a bill (capacity curves, coordinates of all parts, costs), so the ratios are of waiting, not
of equal work. The like ones are its cell built over our reading and bill, and a number changed over a number replaced;
its cell built over our bill alone leaves out what it takes us to have a cell.

Each contender is a fresh process, and its clock runs inside, after its imports. Short tasks run many times in a row
after one that is not counted, so what is computed once per process (a curve tabulated, code compiled) is left out of
them; draws and fronts are the first of their process. Contenders take turns, round by round, after one round that is
not counted; medians are over rounds, ratios are medians of the ratios within rounds. Processor seconds stand beside
wall seconds, for a machine that is not idle. Peak memory is that of the whole process, imports included. Writes
bench/results/design.json.
"""

import argparse
import importlib.metadata
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from cycling_speed import machine, versions
from reading import installed, timed

BENCH = Path(__file__).resolve().parent
RESULTS = BENCH / "results" / "design.json"
PEER, DISTRIBUTION = "steer_opencell_design", "steer-opencell-design"
N_DRAWS, N_LEAST, N_ASKED_FOR = 1_000_000, 10_000, 12_000
BILL, READ, BOTH, CHANGED = "bill", "read", "read and bill", "one number replaced, bill"
DRAWS, FRONT, DEFAULT_FRONT = "1 000 000 draws", "front of 10 000 or more", "front, default"
BUILT, PROPAGATED = "peer: cell built", "peer: one number changed"
ASKED = {
    (BILL, "wall_s"): 1e-3,
    (DRAWS, "wall_s"): 2.0,
    (DRAWS, "peak_MB"): 1000.0,
    (FRONT, "wall_s"): 5.0,
}
RATIOS = ((BUILT, BILL), (BUILT, BOTH), (PROPAGATED, CHANGED))

ONE_CELL = """
import json
from cycling_speed import clocked
from interlith.parts.listing import replaced
from interlith.pouch.bill import bill
from interlith.pouch.design_file import read_design
cell = read_design("reference-pouch").cell
name = "positive.coating.areal_capacity_mAh_per_cm2"
other = 1.01 * cell.coating.mAh_per_cm2
tasks = {
    "bill": (lambda: bill(cell), 2000),
    "read": (lambda: read_design("reference-pouch"), 20),
    "read and bill": (lambda: bill(read_design("reference-pouch").cell), 20),
    "one number replaced, bill": (lambda: bill(replaced(cell, {name: other}, checked=False)), 2000),
}
found = {}
for task, (run, repeats) in tasks.items():
    run()
    found[task] = clocked(run, repeats)
one, two = bill(cell), bill(replaced(cell, {name: other}, checked=False))
assert two.mass_g > one.mass_g and two.energy_Wh > one.energy_Wh
cell_is = {"mass_g": one.mass_g, "energy_Wh": one.energy_Wh, "capacity_Ah": one.coated_Ah}
cell_is["n_to_p"] = one.n_to_p["by_face"]
print(json.dumps({"times": found, "is": {key: float(value) for key, value in cell_is.items()}}))
"""
DRAWN = """
import json, sys
from cycling_speed import clocked
from interlith.pouch.design_file import read_design
from interlith.pouch.uncertainty import draw, space
design, found = read_design("reference-pouch"), []
time = clocked(lambda: found.append(draw(space(design), int(sys.argv[1]))), 1)
assert found[0].n == int(sys.argv[1])
held = {"n_draws": found[0].n, "n_spreads": len(found[0].inputs)}
print(json.dumps({"times": {"1 000 000 draws": time}, "is": held}))
"""
FRONTED = """
import json, sys
from cycling_speed import clocked
from interlith.pouch.design_file import read_design
from interlith.pouch.pareto import front
cell, found = read_design("reference-pouch").cell, []
options = {"n_designs": int(sys.argv[2])} if len(sys.argv) > 2 else {}
time = clocked(lambda: found.append(front(cell, 0.995, **options)), 1)
held = {"n_counted": found[0].n_designs, "n_choices": len(found[0].choices)}
print(json.dumps({"times": {sys.argv[1]: time}, "is": held}))
"""
BUILDING = """
import json
import numpy as np, pandas as pd
import steer_opencell_design as ocd
from cycling_speed import clocked

def curve(per_g, voltage_V):
    n = len(per_g)
    both = {"specific_capacity": np.tile(per_g, 2), "voltage": np.concatenate([voltage_V, voltage_V[::-1]])}
    return pd.DataFrame({**both, "direction": ["charge"] * n + ["discharge"] * n})

nmc_V = np.linspace(3.416, 4.25, 201)
nmc_V[0] = 2.7
nmc_curve = curve(np.linspace(0.0, 212.0, 201), nmc_V)
lithium_curve = curve(np.linspace(0.0, 3861.0, 3), np.linspace(0.01, 0.0, 3))

def built():
    nmc = ocd.CathodeMaterial(name="NMC", reference="Li/Li+", specific_cost=30, density=4.75,
        specific_capacity_curves=nmc_curve)
    carbon = ocd.ConductiveAdditive(name="carbon black", specific_cost=15, density=2.0)
    binder = ocd.Binder(name="PVDF", specific_cost=10, density=1.78)
    lithium = ocd.AnodeMaterial(name="lithium", reference="Li/Li+", specific_cost=100, density=0.534,
        specific_capacity_curves=lithium_curve)
    aluminium = ocd.CurrentCollectorMaterial(name="aluminium", specific_cost=5, density=2.7)
    copper = ocd.CurrentCollectorMaterial(name="copper", specific_cost=10, density=9.8)
    cathode = ocd.Cathode(
        formulation=ocd.CathodeFormulation(
            active_materials={nmc: 96.5}, binders={binder: 1.5}, conductive_additives={carbon: 2.0}),
        mass_loading=25.907, calender_density=3.376,
        current_collector=ocd.PunchedCurrentCollector(material=aluminium, width=45, height=62, thickness=10,
            tab_width=10, tab_height=12, tab_position=11))
    anode = ocd.Anode(
        formulation=ocd.AnodeFormulation(active_materials={lithium: 100}), mass_loading=1.602, calender_density=0.534,
        current_collector=ocd.PunchedCurrentCollector(material=copper, width=47, height=65, thickness=6,
            tab_width=10, tab_height=12, tab_position=12))
    polypropylene = ocd.SeparatorMaterial(name="polypropylene", specific_cost=2, density=0.534, porosity=41)
    layup = ocd.MonoLayer(cathode=cathode, anode=anode,
        separator=ocd.Separator(material=polypropylene, thickness=25, width=67, length=49))
    tab, nickel = (ocd.PrismaticContainerMaterial(name=name, specific_cost=10, density=density)
        for name, density in (("aluminium", 2.7), ("nickel", 8.9)))
    terminal = {"width": 5, "length": 25, "thickness": 0.3}
    case = ocd.PouchEncapsulation(
        cathode_terminal=ocd.PouchTerminal(material=tab, **terminal),
        anode_terminal=ocd.PouchTerminal(material=nickel, **terminal),
        top_laminate=ocd.LaminateSheet(areal_cost=1, density=1.61, thickness=113),
        bottom_laminate=ocd.LaminateSheet(areal_cost=1, density=1.61, thickness=113))
    cell = ocd.PouchCell(
        reference_electrode_assembly=ocd.PunchedStack(layup=layup, n_layers=5), n_electrode_assembly=1,
        encapsulation=case, electrolyte=ocd.Electrolyte(name="LiPF6", density=1.28, specific_cost=15),
        electrolyte_overfill=100, operating_voltage_window=(2.75, 4.25), side_seal_thickness=4,
        top_seal_thickness=6, bottom_seal_thickness=6, clipped_tab_length=5)
    return cell, cell.mass, cell.energy

cell, mass_g, energy_Wh = built()
layup = cell.reference_electrode_assembly.layup
held = {"mass_g": mass_g, "energy_Wh": energy_Wh, "capacity_Ah": cell.reversible_capacity, "n_to_p": layup.np_ratio}
loadings = [26.166, 25.907]

def changed():
    layup = cell.reference_electrode_assembly.layup
    layup.cathode.mass_loading = loadings[0]
    loadings.reverse()
    layup.cathode.propagate_changes()
    return cell.mass, cell.energy

more_g, more_Wh = changed()
assert more_g > mass_g and more_Wh > energy_Wh
changed()
times = {"peer: cell built": clocked(built, 20), "peer: one number changed": clocked(changed, 20)}
print(json.dumps({"times": times, "is": {key: float(value) for key, value in held.items()}}))
"""


def contenders(peer: str | None) -> dict[str, list[str]]:
    """Command lines by name."""
    ours = [sys.executable, "-c"]
    found = {
        "one cell": [*ours, ONE_CELL],
        DRAWS: [*ours, DRAWN, str(N_DRAWS)],
        FRONT: [*ours, FRONTED, FRONT, str(N_ASKED_FOR)],
        DEFAULT_FRONT: [*ours, FRONTED, DEFAULT_FRONT],
    }
    return found if peer is None else {**found, "peer": [peer, "-c", BUILDING]}


def usable(peer: str | None) -> tuple[str | None, str]:
    """The interpreter where the peer can be run in it, and what is said of the peer."""
    if peer is None:
        return None, "left out: no --peer given"
    if not installed(peer, PEER):
        return None, f"left out: {PEER} cannot be imported by the interpreter of --peer"
    asked = f"import importlib.metadata as m, platform; print(m.version('{DISTRIBUTION}'), platform.python_version())"
    out = subprocess.run([peer, "-c", asked], capture_output=True, text=True, check=True).stdout
    version, python = out.split()
    return peer, f"{DISTRIBUTION} {version}, Python {python}"


def measure(commands: dict[str, list[str]], rounds: int) -> tuple[dict, dict]:
    """Seconds of every task by rounds, with the peak memory of its process; and what each process counted."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, (str(BENCH), os.getenv("PYTHONPATH"))))}
    runs: dict = {}
    held: dict = {}
    for number in range(rounds + 1):
        for name, command in commands.items():
            got = timed(command, environment)
            if not got["ok"]:
                raise SystemExit(f"{name}: failed")
            found = json.loads(got["out"])
            held[name] = found["is"]
            for task, seconds in found["times"].items() if number else ():
                runs.setdefault(task, []).append({**seconds, "peak_MB": got["peak_MB"], "process_s": got["wall_s"]})
    if held[FRONT]["n_counted"] < N_LEAST:
        raise SystemExit(f"{FRONT}: only {held[FRONT]['n_counted']} designs were counted")
    return runs, held


def medians(runs: list[dict]) -> dict:
    """Medians over rounds, and the least and greatest wall seconds."""
    wall = [run["wall_s"] for run in runs]
    found = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
    return {**found, "least_s": min(wall), "greatest_s": max(wall)}


def ratio(runs: dict, one: str, other: str) -> float:
    """Median over rounds of one task's time over another's."""
    return statistics.median(a["wall_s"] / b["wall_s"] for a, b in zip(runs[one], runs[other], strict=True))


def verdicts(speeds: dict) -> dict:
    return {
        f"{task}: {key}": {"got": speeds[task][key], "at most": limit, "met": speeds[task][key] <= limit}
        for (task, key), limit in ASKED.items()
    }


def print_tables(results: dict) -> None:
    print(f"\n{'task':28} {'ms':>10} {'cpu ms':>10} {'process s':>9} {'peak MB':>8}  rounds, ms")
    for task, v in results["speeds"].items():
        numbers = f"{1e3 * v['wall_s']:10.3f} {1e3 * v['cpu_s']:10.3f} {v['process_s']:9.2f} {v['peak_MB']:8.0f}"
        print(f"{task:28} {numbers}  {1e3 * v['least_s']:.3f} to {1e3 * v['greatest_s']:.3f}")
    print(f"\npeer: {results['peer']}")
    for pair, value in results["ratios"].items():
        print(f"  {pair}: {value:.1f}")
    print("\ncounted")
    for name, values in results["counted"].items():
        print(f"  {name:26} " + ", ".join(f"{key} {value:.6g}" for key, value in values.items()))
    print(f"\n{'asked':36} {'got':>10} {'at most':>10}  met")
    for name, v in results["asked"].items():
        print(f"{name:36} {v['got']:10.4g} {v['at most']:10.4g}  {'yes' if v['met'] else 'NO'}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", metavar="PYTHON", help=f"interpreter of an environment that has {DISTRIBUTION}")
    parser.add_argument("--rounds", type=int, default=7)
    chosen, load = parser.parse_args(), os.getloadavg()
    peer, said = usable(chosen.peer)
    runs, held = measure(contenders(peer), chosen.rounds)
    speeds = {task: medians(found) for task, found in runs.items()}
    ours = {key: value for key, value in versions().items() if key in ("interlith", "numpy", "commit")}
    results = {
        "speeds": speeds,
        "ratios": {f"{one} / {other}": ratio(runs, one, other) for one, other in RATIOS if one in runs},
        "asked": verdicts(speeds),
        "counted": held,
        "peer": said,
        "rounds": chosen.rounds,
        "machine": machine(load),
        "versions": {**ours, **{name: importlib.metadata.version(name) for name in ("scipy", "pydantic")}},
    }
    print_tables(results)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
