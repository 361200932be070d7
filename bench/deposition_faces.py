"""What the voxel model of deposition says of the faces of zinc oxide, and what of that the face itself makes.

    python bench/deposition_faces.py [--seeds 1 2 3] [--width 16]

The shipped sets of CP and of CP@ZnO(002), (020), (202) and mixed, in the same networks: heights, what lies on top, the
efficiency of a cycle of 5 mAh/cm2, and in one network the published Aurbach test (3 mAh/cm2 plated, ten times 1 mAh/cm2
stripped and plated, all stripped, 1 mA/cm2, without its conditioning cycle). Then the set of (002) with one difference
at a time: its SEI that of the other faces; nucleation and migration on its oxide those of (020), and each by itself
at the end of what it may be. Each beside (002) in the same network, so that none is hidden by that of networks.
Networks of the shipped reference-deposit in a narrower box. Writes bench/results/deposition_faces.json.
"""

import argparse
import json
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from interlith.deposit.box import Ground
from interlith.deposit.deposit_file import read_deposit
from interlith.deposit.fibres import fibre_network
from interlith.deposit.follow import follow
from interlith.deposit.solver.team import Team
from interlith.parts.deposition import deposition
from interlith.parts.samples import aurbach_efficiency
from interlith.protocol import ConstantCurrent, Protocol, Repeat

RESULTS = Path(__file__).resolve().parent / "results" / "deposition_faces.json"
VOXEL_UM = 0.5
REFERENCE = "cp-zno-002"
OTHER_SEI = {"sei_per_plated": deposition("cp-zno-020").sei_per_plated}
OF_020 = {name: getattr(deposition("cp-zno-020"), name) for name in ("oxide_nucleation_mV", "oxide_migration_um")}
CASES = {
    **{name: (name, {}) for name in ("cp", REFERENCE, "cp-zno-020", "cp-zno-202", "cp-zno-mixed")},
    "(002), SEI of the others": (REFERENCE, OTHER_SEI),
    "(002), face of (020)": (REFERENCE, OF_020),
    "(002), no migration on the oxide": (REFERENCE, {"oxide_migration_um": 0.0}),
    "(002), 40 mV on the oxide": (REFERENCE, {"oxide_nucleation_mV": 40.0}),
}


def current(mA, mAh=None):
    end = {"voltage_V": 1.0} if mAh is None else {"areal_capacity_mAh_per_cm2": mAh}
    return ConstantCurrent(current_density_mA_per_cm2=mA, **end)


def cycle(ground, values, seed):
    """Heights, places and the efficiency of the protocol of reference-deposit."""
    steps = (current(-1, 1), current(-1, 2), current(-1, 2), current(1))
    with Team(1) as team:
        found = follow(Protocol(name="x", steps=steps), ground, values, seed=seed, team=team)
    ends = found.ledger.steps()
    heights = {f"height_at_{at}_um": found.pictures[place].front_um for place, at in enumerate((1, 3, 5))}
    on_top = {f"on_top_at_{at}_mAh_per_cm2": float(ends["active_top"][place]) for place, at in enumerate((1, 3, 5))}
    host = {"host_at_5_um": float(found.pictures[2].heights_um[: found.n_host].sum())}
    dead = {"dead_mAh_per_cm2": float(ends["dead_pores"][3] + ends["dead_top"][3])}
    uneven = {"unevenness_at_1": _unevenness(found.pictures[0].lithium)}
    return heights | on_top | host | dead | uneven | {"loss": 1.0 - float(found.efficiencies()[0])}


def _unevenness(lithium):
    """Standard deviation over mean of the lithium over places 4 um wide."""
    held = lithium.sum(axis=0)
    n = round(4.0 / VOXEL_UM)
    parts = held.reshape(held.shape[0] // n, n, held.shape[1] // n, n).mean(axis=(1, 3))
    return float(parts.std() / parts.mean())


def aurbach_loss(ground, values, seed):
    steps = (current(-1, 3), Repeat(times=10, steps=(current(1, 1), current(-1, 1))), current(1))
    with Team(1) as team:
        found = follow(Protocol(name="aurbach", steps=steps), ground, values, seed=seed, team=team)
    return 1.0 - (10 + float(np.diff(found.ledger.steps()["passed"])[-1])) / 13


def one(case, seed, width_um, n_aurbach):
    name, changes = CASES[case]
    fibres = read_deposit("reference-deposit", other_sample=name).fibres
    ground = Ground.of(fibre_network(fibres, width_um=width_um, voxel_um=VOXEL_UM, seed=seed))
    values = deposition(name).with_values(**changes)
    found = cycle(ground, values, seed)
    return found | ({"aurbach_loss": aurbach_loss(ground, values, seed)} if seed <= n_aurbach else {})


def summed(rows, reference):
    """Mean and standard deviation of each number, and of its difference from (002) in the same network."""
    names = [name for name in rows[0] if all(name in row for row in rows)] + ["aurbach_loss"]
    found = {}
    for name in dict.fromkeys(names):
        held = [(row[name], other[name]) for row, other in zip(rows, reference, strict=True) if name in row]
        ours, theirs = np.array(held).T
        apart = ours - theirs
        spread = (float(np.std(x, ddof=1)) if len(x) > 1 else None for x in (ours, apart))
        found[name] = dict(
            zip(
                ("mean", "sd", "less_002", "sd_of_that"),
                (float(ours.mean()), next(spread), float(apart.mean()), next(spread)),
                strict=True,
            )
        )
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--width", type=float, default=16.0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--aurbach", type=int, default=1, help="networks in which the Aurbach test is followed")
    asked = parser.parse_args()
    with ProcessPoolExecutor(asked.workers) as pool:
        asks = {
            case: [pool.submit(one, case, seed, asked.width, asked.aurbach) for seed in asked.seeds] for case in CASES
        }
        rows = {case: [ask.result() for ask in held] for case, held in asks.items()}
    found = {case: summed(held, rows[REFERENCE]) for case, held in rows.items()}
    published = {name: aurbach_efficiency(name) for name in list(CASES)[:5]}
    written = {"width_um": asked.width, "voxel_um": VOXEL_UM, "seeds": asked.seeds, "cases": found}
    RESULTS.write_text(json.dumps(written | {"published_aurbach": published}, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
