"""Fit what the voxel model of deposition leaves open to the published heights, and see whether efficiencies can be.

    python bench/calibrate_deposition.py [--seeds 1 2 3] [--width 32]

stiffness_MPa is fitted to the height of CP@ZnO(002) at 5 mAh/cm2, 43.8 um, then void_per_sei to that of CP, 80.6 um,
each by secants in the logarithm, for every seed by itself: the spread over the seeds is that of the fit. Then the
published Aurbach test (3 mAh/cm2 plated, ten times 1 mAh/cm2 stripped and plated, all stripped, 1 mA/cm2, without its
conditioning cycle) is followed with contacts of 0, 0.3 and 1: what they can move. Last the other assumption that the
heights rest on, fill_before_swelling, is changed with all else as fitted. Networks of the shipped reference-deposit, in
its box.
Writes bench/results/calibrate_deposition.json.
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
from interlith.protocol import ConstantCurrent, Protocol, Repeat

RESULTS = Path(__file__).resolve().parent / "results" / "calibrate_deposition.json"
HEIGHTS_UM = {"cp-zno-002": 43.8, "cp": 80.6}
EFFICIENCIES = {"cp-zno-002": 0.9989, "cp": 0.9162}
WITHIN_UM = 0.1
VOXEL_UM = 0.5
CONTACTS = ("lithium_contact", "fibre_contact", "collector_contact")


def current(mA, mAh=None):
    end = {"voltage_V": 1.0} if mAh is None else {"areal_capacity_mAh_per_cm2": mAh}
    return ConstantCurrent(current_density_mA_per_cm2=mA, **end)


def followed(sample, seed, width_um, protocol, changes):
    fibres = read_deposit("reference-deposit", other_sample=sample).fibres
    ground = Ground.of(fibre_network(fibres, width_um=width_um, voxel_um=VOXEL_UM, seed=seed))
    with Team(1) as team:
        return follow(protocol, ground, deposition(sample).with_values(**changes), seed=seed, team=team)


def height_um(sample, seed, width_um, changes):
    return followed(sample, seed, width_um, Protocol(name="x", steps=(current(-1, 5),)), changes).front_um[-1]


def fitted(name, sample, seed, width_um, changes, start):
    """The value of a name at which the height is the published one; None where secants do not find it."""
    goal, tried = HEIGHTS_UM[sample], []
    value = start
    for _ in range(6):
        off = height_um(sample, seed, width_um, changes | {name: value}) - goal
        tried.append((np.log(value), off))
        if abs(off) < WITHIN_UM:
            return value, tried
        if len(tried) == 1:
            value *= 1.3 if (off > 0.0) == (name == "stiffness_MPa") else 1 / 1.3
            continue
        (a, fa), (b, fb) = tried[-2:]
        value = float(np.exp(np.clip(b - fb * (b - a) / (fb - fa), b - 0.7, b + 0.7)))
    return None, tried


def one_seed(seed, width_um):
    stiffness, first = fitted("stiffness_MPa", "cp-zno-002", seed, width_um, {"void_per_sei": 210.0}, 30.0)
    held = {"stiffness_MPa": stiffness or float(np.exp(first[-1][0]))}
    void, second = fitted("void_per_sei", "cp", seed, width_um, held, 215.0)
    return {"seed": seed, "stiffness_MPa": stiffness, "void_per_sei": void, "n_tried": [len(first), len(second)]}


def aurbach(sample, seed, width_um, changes, contact):
    steps = (current(-1, 3), Repeat(times=10, steps=(current(1, 1), current(-1, 1))), current(1))
    held = changes | dict.fromkeys(CONTACTS, contact)
    found = followed(sample, seed, width_um, Protocol(name="aurbach", steps=steps), held)
    account = found.ledger.steps()
    last = float(np.diff(account["passed"])[-1])
    dead = account["dead_pores"] + account["dead_top"]
    return {"sample": sample, "contact": contact, "efficiency": (10 + last) / 13, "dead_mAh_per_cm2": float(dead[-1])}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--width", type=float, default=32.0)
    asked = parser.parse_args()
    with ProcessPoolExecutor(2) as pool:
        fits = list(pool.map(one_seed, asked.seeds, [asked.width] * len(asked.seeds)))
        print(json.dumps(fits, indent=1), flush=True)
        means = {
            name: float(np.mean([fit[name] for fit in fits if fit[name] is not None]))
            for name in ("stiffness_MPa", "void_per_sei")
        }
        seed = asked.seeds[0]
        asks = [
            pool.submit(aurbach, sample, seed, asked.width, means, contact)
            for sample in HEIGHTS_UM
            for contact in (0.0, 0.3, 1.0)
        ]
        efficiencies = [ask.result() for ask in asks]
        print(json.dumps(efficiencies, indent=1), flush=True)
        asks = {
            (sample, fill): pool.submit(height_um, sample, seed, asked.width, means | {"fill_before_swelling": fill})
            for sample in HEIGHTS_UM
            for fill in (0.45, 0.65, 1.0)
        }
        fills = [
            {"sample": sample, "fill_before_swelling": fill, "height_um": float(ask.result())}
            for (sample, fill), ask in asks.items()
        ]
        print(json.dumps(fills, indent=1), flush=True)
    published = {"height_um": HEIGHTS_UM, "efficiency": EFFICIENCIES}
    found = {"width_um": asked.width, "voxel_um": VOXEL_UM, "published": published, "fits": fits, "means": means}
    found |= {"efficiency_by_contact": efficiencies, "height_by_fill": fills}
    RESULTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
