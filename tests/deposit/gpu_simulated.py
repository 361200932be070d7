"""Labels, a solve and migration by the GPU's kernels in numba's simulator beside those of threads, as JSON on stdout.

To be run with NUMBA_ENABLE_CUDASIM=1. A thread of a block is one of Python here: so there are few, and a small box. Its
three levels are swept by launches (the finest), by the one block of the small ones, and solved directly.
"""

import json
import sys

import numpy as np
from numpy.typing import NDArray

from interlith.deposit.solver import gpu, gpu_kernels, gpu_labels, gpu_migration, levels, migration
from interlith.deposit.solver.labels import components
from interlith.deposit.solver.multigrid import Multigrid
from interlith.deposit.solver.team import Device, Team
from interlith.deposit.transport import faces_of

sys.setswitchinterval(2e-5)  # seconds; threads that wait for each other change often
gpu_kernels.BLOCK, gpu_kernels.N_THREADS = (2, 1, 2), 4
gpu.TAIL_BLOCK, gpu.MOST_BLOCKS, gpu.SMALL = (2, 2, 1), (1, 1, 2), 30
gpu_labels.BLOCK, gpu_labels.MOST_BLOCKS = 3, 2
gpu_migration.PUT_BLOCK, gpu_migration.MOST_PUT_BLOCKS = 3, 2
levels.COARSEST = 8
SHAPE = (6, 5, 4)
WITHIN = 1e-3
HALF_MORE = gpu_migration.HALF_MORE


def main() -> None:
    random = np.random.default_rng(3)
    share = np.where(random.random(SHAPE) < 0.8, random.uniform(0.5, 1.0, SHAPE), 0.0).astype(np.float32)
    faces, source = faces_of(share, (True, True)), random.standard_normal(SHAPE) * (share > 0)
    found = []
    for device in ("cpu", "cuda"):
        with Team(1, device) as team:
            box = Multigrid(faces, team)
            found.append(box.solve(source, within=WITHIN, begin=0.1 * source))
    one, other = found
    told = {
        "apart": float(np.abs(one.u - other.u).max() / np.abs(one.u).max()),
        "n_iterations": [one.n_iterations, other.n_iterations],
        "n_levels": len(box.on.shapes),
        "migration": [migration_apart(is_periodic) for is_periodic in (True, False)],
        "labels": [labels_are_the_same(is_periodic, some) for is_periodic in (True, False) for some in (True, False)],
    }
    print(json.dumps(told))


def labels_are_the_same(is_periodic: bool, some: bool) -> bool:
    """Of voxels of which half are held; some: only some of their faces join."""
    random = np.random.default_rng(5)
    held = random.random(SHAPE) < 0.5
    joined = random.integers(0, 8, SHAPE, dtype=np.uint8) if some else None
    with Team(1) as threads, Team(1, "cuda") as card:
        one, other = (components(held, team, is_periodic=is_periodic, joined=joined) for team in (threads, card))
    return bool(one.max() > 0) and one.dtype == other.dtype and bool((one == other).all())


def migration_apart(is_periodic: bool) -> dict[str, float]:
    """How far what a surface hands on differs, and by how much edges that are the only way count in it."""
    random = np.random.default_rng(7)
    present = np.zeros(SHAPE, dtype=np.bool_)
    present[1:-1, 1:-1, 1:-1] = random.random(tuple(n - 2 for n in SHAPE)) < 0.5
    places = np.flatnonzero(present).astype(np.int32)
    area, squared = (
        random.uniform(low, high, places.size).astype(np.float32) for low, high in ((0.2, 1.5), (1.0, 9.0))
    )
    given = random.random(places.size), area, squared, places, SHAPE

    def handed_on(device: Device) -> NDArray[np.float64]:
        with Team(1, device) as team:
            return migration.evened(*given, is_periodic=is_periodic, team=team, within=1e-6)

    one, other = handed_on("cpu"), handed_on("cuda")
    gpu_migration.HALF_MORE = np.float32(0.0)
    without = handed_on("cuda")
    gpu_migration.HALF_MORE = HALF_MORE
    return {"apart": float(np.abs(one - other).max()), "only_ways": float(np.abs(without - other).max())}


if __name__ == "__main__":
    main()
