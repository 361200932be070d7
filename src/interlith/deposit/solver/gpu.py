"""What a multigrid solver does with a box, by an NVIDIA GPU. Vectors are float64[z, y, x] with a rim, in its memory."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from typing import Any

import numba
import numpy as np

from interlith.deposit.solver.levels import (
    BLACK,
    BLACK_FIRST,
    PROLONG,
    RED,
    RED_FIRST,
    RESTRICT,
    ZERO,
    Double,
    Level,
    Single,
    cycle,
    inverse,
)
from interlith.errors import EnvironmentError_

Array = Any  # of the GPU
BYTES_PER_VOXEL = 70.0  # four vectors in double, seven arrays of each level in single precision
BYTES_PER_GB = 1e9
SMALL = 32**3  # voxels of a box from which on one block of threads does the rest of a cycle
MOST_IN_TAIL = 6  # levels
TAIL_BLOCK = (8, 8, 4)  # its threads: x, y, z; 256 fit however many registers each takes
MOST_BLOCKS = (64, 64, 8)  # of a launch: x, y, z; a thread does several voxels of a larger box


def check_gpu() -> str:
    """Name of the GPU that is used. Raises EnvironmentError_ without numba-cuda, and without a GPU."""
    if importlib.util.find_spec("numba_cuda") is None and not getattr(numba.config, "ENABLE_CUDASIM", False):
        raise EnvironmentError_("the device cuda needs numba-cuda: pip install 'interlith[gpu]'")
    from numba import cuda

    try:
        name = getattr(cuda.current_context().device, "name", "the simulator")
    except Exception as problem:  # of the driver: what it raises differs by what is missing
        why = " ".join(str(problem).split()).rstrip(" .:") or type(problem).__name__
        raise EnvironmentError_(
            f"the device cuda: no NVIDIA GPU answers ({why[:200]}); --device cpu needs none"
        ) from problem
    return name.decode() if isinstance(name, bytes) else str(name)


class OnGpu:
    """The same steps as `OnThreads`, to the same result but for rounding; the same bits on each run."""

    def __init__(self, levels: Sequence[Level]) -> None:
        from numba import cuda

        from interlith.deposit.solver import gpu_kernels

        check_memory(levels[0].size)
        self.shapes = [level.shape for level in levels]
        self.is_periodic = levels[0].is_periodic
        self._kernels, self._to_gpu = gpu_kernels, cuda.to_device
        self._levels = [
            tuple(cuda.to_device(one) for one in (level.u, level.f, level.gx, level.gy, level.gz, level.inverse))
            for level in levels
        ]
        self.u = self._levels[0][0]
        self._sink = cuda.to_device(levels[0].sink)
        self._inverse = cuda.to_device(np.ascontiguousarray(inverse(levels[-1])))
        self._sums = cuda.to_device(np.zeros(int(np.prod(blocks(self.shapes[0])))))
        self._plan()

    def _plan(self) -> None:
        """The steps of a cycle: those on large boxes by themselves, those on small ones in one launch each time."""
        n = len(self.shapes)
        small = [depth for depth in range(n) if np.prod(self.shapes[depth]) <= SMALL or depth == n - 1]
        self._first_small = first = max(small[0], n - MOST_IN_TAIL)
        tail = [(what, depth - first) for what, depth in cycle(n, first)]
        held = self._levels[first:]
        self._tail = (tuple(held + held[-1:] * (MOST_IN_TAIL - len(held))), self._inverse)
        self._tail_steps = self._to_gpu(np.array(tail, dtype=np.int32))
        self._steps, at = [], 0
        whole = cycle(n)
        while at < len(whole):
            self._steps.append(whole[at])
            at += len(tail) if whole[at][1] == first else 1

    def vector(self, values: Double | None = None) -> Array:
        """A vector with these values, shape [z, y, x]; of zeros without."""
        made = np.zeros(self.u.shape)
        if values is not None:
            made[1:-1, 1:-1, 1:-1] = values
        held = self._to_gpu(made)
        self._wrapped(held, 0)
        return held

    def values(self, vector: Array) -> Double:
        """Of a vector, without its rim."""
        found: Double = vector.copy_to_host()[1:-1, 1:-1, 1:-1].copy()
        return found

    def cycle(self) -> None:
        """u of the finest box for its f."""
        kernels = self._kernels
        for what, depth in self._steps:
            if depth == self._first_small:
                kernels.tail[1, TAIL_BLOCK](*self._tail, self._tail_steps, self.is_periodic)
            elif what in (RED_FIRST, BLACK_FIRST):
                self.sweep(depth, RED if what == RED_FIRST else BLACK)
            elif what == ZERO:
                self._launch(kernels.zero, depth, self._levels[depth][0])
            elif what == RESTRICT:
                self._launch(kernels.restrict, depth + 1, *self._levels[depth], self._levels[depth + 1][1])
            elif what == PROLONG:
                self._launch(kernels.prolong, depth, self._levels[depth][0], self._levels[depth + 1][0])
                self._wrapped(self._levels[depth][0], depth)

    def sweep(self, depth: int, color: int) -> None:
        """One red-black Gauss-Seidel sweep that begins with a color: a launch for each."""
        for turn in (color, 1 - color):
            self._launch(self._kernels.relax, depth, *self._levels[depth], turn)
            self._wrapped(self._levels[depth][0], depth)

    def product(self, r: Array, z: Array) -> float:
        """r . z"""
        return self._summed(self._kernels.product, r, z)

    def direct(self, p: Array, beta: float) -> None:
        """p = u + beta p"""
        self._launch(self._kernels.direct, 0, p, self.u, beta)
        self._wrapped(p, 0)

    def apply(self, p: Array, q: Array) -> float:
        """q = A p; gives p . q"""
        _, _, gx, gy, gz, _ = self._levels[0]
        return self._summed(self._kernels.apply, p, gx, gy, gz, self._sink, q)

    def step(self, solution: Array, r: Array, p: Array, q: Array, alpha: float) -> float:
        """solution += alpha p, r -= alpha q, f = r; gives r . r"""
        return self._summed(self._kernels.step, solution, r, p, q, self._levels[0][1], alpha)

    def _summed(self, kernel: Any, *given: Any) -> float:
        self._launch(kernel, 0, *given, self._sums)
        return float(self._sums.copy_to_host().sum())

    def _wrapped(self, u: Single | Array, depth: int) -> None:
        if self.is_periodic:
            nz, ny, nx = self.shapes[depth]
            x, y, z = self._kernels.BLOCK
            self._kernels.wrap[(-(-max(ny, nx) // x), -(-nz // (y * z)), 1), (x, y, z)](u)

    def _launch(self, kernel: Any, depth: int, *given: Any) -> None:
        kernel[blocks(self.shapes[depth]), self._kernels.BLOCK](*given)


def blocks(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Blocks along x, y, z of a launch over a box: by its shape alone, since sums are taken by blocks."""
    from interlith.deposit.solver.gpu_kernels import BLOCK

    x, y, z = (min(-(-a // b), most) for a, b, most in zip(shape[::-1], BLOCK, MOST_BLOCKS, strict=True))
    return x, y, z


def check_memory(n_voxels: int, per_voxel: float = BYTES_PER_VOXEL) -> None:
    """Raises EnvironmentError_ where a box does not fit into the GPU's free memory."""
    from numba import cuda

    waiting = getattr(cuda.current_context(), "deallocations", None)  # the simulator has none
    if waiting is not None:
        waiting.clear()  # what is given back counts as held until then
    free = cuda.current_context().get_memory_info()[0]
    if n_voxels * per_voxel > free:
        needs, has = (n / BYTES_PER_GB for n in (n_voxels * per_voxel, free))
        raise EnvironmentError_(
            f"{n_voxels:.3g} voxels need about {needs:.3g} GB of the GPU's memory; {has:.3g} GB are free"
        )
