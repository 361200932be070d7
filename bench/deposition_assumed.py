"""How far each assumed value moves what the voxel model of deposition predicts.

    python bench/deposition_assumed.py [--seeds 1] [--width 16] [--workers 2]

The shipped sets of CP and CP@ZnO(002), and the fibres of reference-deposit in a narrower box: each value that is
assumed with a range goes to its low and to its high end, one at a time, all others (the two calibrated ones among
them: nothing is fitted anew) as shipped. For each the heights at 1, 3 and 5 mAh/cm2, the charge at which lithium stands
2 and 10 um over the host, the most in the pores and the efficiency of a cycle, and over all values the lowest and
highest of each. Ranges are judgements: this is no confidence interval. Writes bench/results/deposition_assumed.json.
"""

import argparse
import json
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from deposition_faces import current

from interlith.deposit.box import Ground
from interlith.deposit.deposit_file import read_deposit
from interlith.deposit.fibres import fibre_network
from interlith.deposit.follow import follow
from interlith.deposit.solver.team import Team
from interlith.errors import InputError
from interlith.parts.deposition import deposition
from interlith.protocol import Protocol

RESULTS = Path(__file__).resolve().parent / "results" / "deposition_assumed.json"
VOXEL_UM = 0.5
SAMPLES = ("cp", "cp-zno-002")
STEPS = (current(-1, 1), current(-1, 2), current(-1, 2), current(1))


def cases(sample):
    """Names of what is changed, and changes of the set and of the fibres."""
    yield "as shipped", {}, {}
    parts = (deposition(sample), read_deposit("reference-deposit", other_sample=sample).fibres)
    for which, part in enumerate(parts):
        for name in type(part).model_fields:
            origin = part.origin(name) if name in part.origins else None
            if origin is None or origin.kind != "assumed" or origin.low is None:
                continue
            for end, value in (("low", origin.low), ("high", origin.high)):
                change = ({name: value}, {}) if which == 0 else ({}, {name: value})
                yield f"{name} {end}: {value:g}", *change


def once(sample, changes, of_fibres, seed, width_um):
    fibres = read_deposit("reference-deposit", other_sample=sample).fibres.with_values(**of_fibres)
    ground = Ground.of(fibre_network(fibres, width_um=width_um, voxel_um=VOXEL_UM, seed=seed))
    with Team(1) as team:
        values = deposition(sample).with_values(**changes)
        found = follow(Protocol(name="x", steps=STEPS), ground, values, seed=seed, team=team)
    plated = -found.ledger.table["passed"].to_numpy()
    top = int(plated.argmax()) + 1
    over = (found.front_um - found.host_um)[:top]
    heights = {f"height_at_{at}_um": found.pictures[place].front_um for place, at in enumerate((1, 3, 5))}
    stands = {
        f"stands_{um}_um_over_mAh_per_cm2": float(plated[:top][over > um][0]) if (over > um).any() else None
        for um in (2, 10)
    }
    in_pores = (found.ledger.table["active_pores"] + found.ledger.table["dead_pores"]).max()
    return heights | stands | {"in_pores_mAh_per_cm2": in_pores, "efficiency": float(found.efficiencies()[0])}


def tried(*asked):
    """As `once`; the reason where such a box cannot be made."""
    try:
        return once(*asked)
    except InputError as error:
        return {"error": str(error)}


def mean(rows):
    """Of each number over networks; None where one of them has none."""
    if any("error" in row for row in rows):
        return next(row for row in rows if "error" in row)
    return {
        name: None if any(row[name] is None for row in rows) else float(np.mean([row[name] for row in rows]))
        for name in rows[0]
    }


def span(held):
    """Lowest and highest of each number over all values, and at which value; None: not up to 5 mAh/cm2."""
    found = {}
    shipped = held["as shipped"]
    for name in shipped:
        ends = [(row[name], case) for case, row in held.items() if row.get(name) is not None]
        never = [case for case, row in held.items() if "error" not in row and row[name] is None]
        found[name] = {"shipped": shipped[name], "lowest": min(ends), "highest": max(ends), "never": never}
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--width", type=float, default=16.0)
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    rows = {}
    with ProcessPoolExecutor(asked.workers) as pool:
        for sample in SAMPLES:
            asks = {
                name: [pool.submit(tried, sample, *changes, seed, asked.width) for seed in asked.seeds]
                for name, *changes in cases(sample)
            }
            rows[sample] = {name: mean([ask.result() for ask in held]) for name, held in asks.items()}
    found = {sample: span(held) for sample, held in rows.items()}
    written = {"width_um": asked.width, "voxel_um": VOXEL_UM, "seeds": asked.seeds, "spans": found, "cases": rows}
    RESULTS.write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
