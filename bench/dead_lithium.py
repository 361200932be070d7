"""How much the dead lithium of the voxel model depends on its voxels: the same networks at 0.75, 0.5 and 0.375 um.

    python bench/dead_lithium.py [--seeds 1 2] [--width 24]

Fibres of 1.5 um, porosity 0.79, a sheet of 21 um (synthetic; 20 um is no whole number of all three voxels), sides
repeating; 5 mAh/cm2 plated at 1 mA/cm2 and stripped, by the shipped sets of CP and CP@ZnO(002), whose contacts are
assumed. For each voxel the mean over the seeds of what is dead after the strip, of what lies on top at 5 mAh/cm2, of
the height of the front, with the spread over the seeds; and the change from 0.5 to 0.375 um. Writes
bench/results/dead_lithium.json.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np

from interlith.deposit.box import Ground
from interlith.deposit.fibres import fibre_network
from interlith.deposit.follow import follow
from interlith.deposit.solver.team import Team
from interlith.parts.deposition import deposition
from interlith.parts.fibres import FibreNetwork
from interlith.protocol import ConstantCurrent, Protocol

RESULTS = Path(__file__).resolve().parent / "results" / "dead_lithium.json"
VOXELS_UM = (0.75, 0.5, 0.375)
FIBRES = FibreNetwork(bundle_diameter_um=1.5, porosity=0.79, thickness_um=21, fibre_length_um=30, tilt_deg=10)
PLATE = ConstantCurrent(current_density_mA_per_cm2=-1, areal_capacity_mAh_per_cm2=5)
STRIP = ConstantCurrent(current_density_mA_per_cm2=1, voltage_V=1.0)
PROTOCOL = Protocol(name="once", steps=(PLATE, STRIP))


def once(sample, voxel_um, seed, width_um, team):
    network = fibre_network(FIBRES, width_um=width_um, voxel_um=voxel_um, seed=seed)
    begin = time.process_time()
    found = follow(PROTOCOL, Ground.of(network), deposition(sample), seed=seed, team=team)
    plated, stripped = found.ledger.steps().to_dicts()
    return {
        "sample": sample,
        "voxel_um": voxel_um,
        "seed": seed,
        "dead_mAh_per_cm2": stripped["dead_pores"] + stripped["dead_top"],
        "on_top_mAh_per_cm2": plated["active_top"] + plated["dead_top"],
        "front_um": found.pictures[0].front_um,
        "n_small_steps": found.ledger.table.height,
        "cpu_s": time.process_time() - begin,
    }


def summed(rows):
    """Mean and standard deviation over the seeds of each voxel, and the change with the last refinement."""
    found = {}
    for sample in dict.fromkeys(row["sample"] for row in rows):
        for name in ("dead_mAh_per_cm2", "on_top_mAh_per_cm2", "front_um"):
            held = {h: [r[name] for r in rows if r["sample"] == sample and r["voxel_um"] == h] for h in VOXELS_UM}
            means = {h: float(np.mean(values)) for h, values in held.items()}
            found[f"{sample} {name}"] = {
                "mean": {str(h): mean for h, mean in means.items()},
                "standard_deviation": {str(h): float(np.std(values, ddof=1)) for h, values in held.items()},
                "change_with_the_last_refinement": means[0.375] / means[0.5] - 1.0,
            }
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--width", type=float, default=24.0)
    asked = parser.parse_args()
    rows = []
    with Team(1) as team:
        for voxel_um in VOXELS_UM:
            for sample in ("cp", "cp-zno-002"):
                for seed in asked.seeds:
                    rows.append(once(sample, voxel_um, seed, asked.width, team))
                    print(json.dumps(rows[-1]), flush=True)
    found = {"width_um": asked.width, "summed": summed(rows), "rows": rows}
    RESULTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(found["summed"], indent=1))


if __name__ == "__main__":
    main()
