"""One cycle of plating and stripping in large boxes: seconds, small steps, memory per voxel.

    python bench/deposition_cycle.py [--columns 128] [--voxel-um 0.25] [--samples cp cp-zno-002] [--steps 20]
        [--device cpu]

The paper of 20 um of the shipped file in columns x columns voxels, as high as its lithium needs; 5 mAh/cm2 plated at
1 mA/cm2 and stripped, by all cores, with a GPU too where it is asked for (cuda). Memory is what the process holds at
most beyond what it held with the network made, over the voxels of the highest box. With --steps plating ends after so
many small steps: then it is no cycle, and the result says so. Adds to bench/results/deposition_cycle.json.
"""

import argparse
import json
import os
import threading
import time
from contextlib import contextmanager
from pathlib import Path

from interlith.deposit import growth
from interlith.deposit.box import Box, Ground
from interlith.deposit.deposit_file import read_deposit
from interlith.deposit.fibres import fibre_network
from interlith.deposit.solver.team import Team
from interlith.findings import replace_file

RESULTS = Path(__file__).resolve().parent / "results" / "deposition_cycle.json"
PLATED_mAh_PER_CM2, CURRENT_mA_PER_CM2 = 5.0, 1.0
DONE = 1e-9


def held_bytes():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def watched():
    """A list whose one number is the most memory that the process has held."""
    most, is_over = [held_bytes()], threading.Event()

    def look():
        while not is_over.wait(0.01):
            most[0] = max(most[0], held_bytes())

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    yield most
    is_over.set()
    thread.join()


def cycle(box, n_most):
    """Plate and strip; small steps of each, and whether both came to their end."""
    left, n_plated, n_stripped = PLATED_mAh_PER_CM2, 0, 0
    while left > DONE and n_plated < n_most:
        left -= growth.plate(box, CURRENT_mA_PER_CM2, left).charge_mAh_per_cm2
        n_plated += 1
    while left <= DONE and not growth.strip(box, CURRENT_mA_PER_CM2, float("inf")).is_over:
        n_stripped += 1
    return n_plated, n_stripped, left <= DONE


def measured(sample, columns, voxel_um, n_most, team):
    file = read_deposit("reference-deposit", other_sample=sample)
    network = fibre_network(file.fibres, width_um=columns * voxel_um, voxel_um=voxel_um, seed=1)
    ground = Ground.of(network)
    del network
    before = held_bytes()
    begin, begin_cpu = time.perf_counter(), time.process_time()
    with watched() as most:
        box = Box(ground, file.deposition(), 1, team)
        n_plated, n_stripped, is_whole = cycle(box, n_most)
    n_voxels = box.lithium.size
    return {
        "sample": sample,
        "columns": columns,
        "voxel_um": voxel_um,
        "planes": box.n_planes,
        "is_whole_cycle": is_whole,
        "plating_steps": n_plated,
        "stripping_steps": n_stripped,
        "seconds": time.perf_counter() - begin,
        "cpu_s": time.process_time() - begin_cpu,
        "bytes_per_voxel": (most[0] - before) / n_voxels,
        "threads": team.n_threads,
        "device": team.device,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--columns", type=int, default=128)
    parser.add_argument("--voxel-um", type=float, default=0.25)
    parser.add_argument("--samples", nargs="+", default=["cp", "cp-zno-002"])
    parser.add_argument("--steps", type=int, default=None)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    asked = parser.parse_args()
    with Team(device=asked.device) as team:
        measured("cp", 24, 0.5, 3, team)  # compile
        for sample in asked.samples:
            row = measured(sample, asked.columns, asked.voxel_um, asked.steps or 10**9, team)
            print(json.dumps(row), flush=True)
            rows = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
            replace_file(RESULTS, (json.dumps([*rows, row], indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
