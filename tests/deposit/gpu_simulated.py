"""Labels and a solve by the kernels of the GPU in numba's simulator beside those of threads, as JSON on stdout.

To be run with NUMBA_ENABLE_CUDASIM=1. A thread of a block is one of Python here: so there are few, and a small box. Its
three levels are swept by launches (the finest), by the one block of the small ones, and solved directly.
"""

import json
import sys

import numpy as np

from interlith.deposit.solver import gpu, gpu_kernels, gpu_labels, levels
from interlith.deposit.solver.labels import components
from interlith.deposit.solver.multigrid import Multigrid
from interlith.deposit.solver.team import Team
from interlith.deposit.transport import faces_of

sys.setswitchinterval(2e-5)  # seconds; threads that wait for each other change often
gpu_kernels.BLOCK, gpu_kernels.N_THREADS = (2, 1, 2), 4
gpu.TAIL_BLOCK, gpu.MOST_BLOCKS, gpu.SMALL = (2, 2, 1), (1, 1, 2), 30
gpu_labels.BLOCK, gpu_labels.MOST_BLOCKS = 3, 2
levels.COARSEST = 8
SHAPE = (6, 5, 4)
WITHIN = 1e-3


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


if __name__ == "__main__":
    main()
