"""The same loops as in `kernels`, for an NVIDIA GPU. Arrays are [z, y, x] with a rim of one voxel on each side.

at, by: x, y, z of a thread and strides to its next voxel, so that any number of threads does the whole work. Nobody
reads in a launch what another thread writes in it, and sums are taken in a fixed order (a tree in each block, blocks by
the host), so that the bits are the same from run to run.
"""

from __future__ import annotations

import warnings
from typing import Any

import numba.cuda
import numpy as np
from numba.core.errors import NumbaPerformanceWarning

from interlith.deposit.solver import kernels
from interlith.deposit.solver.levels import EXACT, PROLONG, RED_FIRST, RESTRICT, ZERO

Array = Any  # of a GPU, in single or double precision
Three = tuple[int, int, int]
cuda: Any = numba.cuda
warnings.filterwarnings("ignore", "Grid size .*", NumbaPerformanceWarning)  # small boxes are meant to be small
BLOCK = (32, 4, 2)  # threads of a launch: x, y, z; 256 fit however many registers each takes
N_THREADS = BLOCK[0] * BLOCK[1] * BLOCK[2]

# The arithmetic of one voxel, compiled for the GPU.
OF_A_VOXEL: Any = (kernels.inflow, kernels.outflow, kernels.relaxed, kernels.residual)
inflow, outflow, relaxed, residual = (cuda.jit(device=True)(one.py_func) for one in OF_A_VOXEL)


@cuda.jit(device=True)
def _wrap(u: Array, at: Three, by: Three) -> None:
    ny, nx = u.shape[1] - 2, u.shape[2] - 2
    for k in range(1 + at[1] * by[2] + at[2], u.shape[0] - 1, by[1] * by[2]):
        for n in range(1 + at[0], max(ny, nx) + 1, by[0]):
            if n <= ny:
                u[k, n, 0] = u[k, n, nx]
                u[k, n, nx + 1] = u[k, n, 1]
            if n <= nx:
                u[k, 0, n] = u[k, ny, n]
                u[k, ny + 1, n] = u[k, 1, n]


@cuda.jit(device=True)
def _relax(
    u: Array, f: Array, gx: Array, gy: Array, gz: Array, inverse: Array, color: int, at: Three, by: Three
) -> None:
    for k in range(1 + at[2], u.shape[0] - 1, by[2]):
        for j in range(1 + at[1], u.shape[1] - 1, by[1]):
            for i in range(2 - ((k + j + color) & 1) + 2 * at[0], u.shape[2] - 1, 2 * by[0]):
                u[k, j, i] = relaxed(f[k, j, i], inflow(u, gx, gy, gz, k, j, i), inverse[k, j, i])


@cuda.jit(device=True)
def _restrict(
    u: Array, f: Array, gx: Array, gy: Array, gz: Array, inverse: Array, coarse: Array, at: Three, by: Three
) -> None:
    nz, ny, nx = u.shape[0] - 2, u.shape[1] - 2, u.shape[2] - 2
    for kc in range(1 + at[2], coarse.shape[0] - 1, by[2]):
        for jc in range(1 + at[1], coarse.shape[1] - 1, by[1]):
            for ic in range(1 + at[0], coarse.shape[2] - 1, by[0]):
                total = np.float32(0.0)
                for k in range(2 * kc - 1, min(2 * kc, nz) + 1):
                    for j in range(2 * jc - 1, min(2 * jc, ny) + 1):
                        for i in range(2 * ic - 1, min(2 * ic, nx) + 1):
                            flow = inflow(u, gx, gy, gz, k, j, i)
                            total += residual(f[k, j, i], flow, u[k, j, i], inverse[k, j, i])
                coarse[kc, jc, ic] = total


@cuda.jit(device=True)
def _prolong(u: Array, coarse: Array, at: Three, by: Three) -> None:
    for k in range(1 + at[2], u.shape[0] - 1, by[2]):
        for j in range(1 + at[1], u.shape[1] - 1, by[1]):
            for i in range(1 + at[0], u.shape[2] - 1, by[0]):
                u[k, j, i] += coarse[(k + 1) >> 1, (j + 1) >> 1, (i + 1) >> 1]


@cuda.jit(device=True)
def _zero(u: Array, at: Three, by: Three) -> None:
    for k in range(at[2], u.shape[0], by[2]):
        for j in range(at[1], u.shape[1], by[1]):
            for i in range(at[0], u.shape[2], by[0]):
                u[k, j, i] = 0.0


@cuda.jit(device=True)
def _exact(u: Array, f: Array, inverse: Array, at: Three, by: Three) -> None:
    """u = inverse f, a voxel for each thread; inverse, float64[n, n], is symmetric."""
    nz, ny, nx = u.shape[0] - 2, u.shape[1] - 2, u.shape[2] - 2
    for row in range(at[0] + by[0] * (at[1] + by[1] * at[2]), nz * ny * nx, by[0] * by[1] * by[2]):
        total, column = 0.0, 0
        for k in range(1, nz + 1):
            for j in range(1, ny + 1):
                for i in range(1, nx + 1):
                    total += inverse[column, row] * f[k, j, i]
                    column += 1
        u[1 + row // (ny * nx), 1 + row // nx % ny, 1 + row % nx] = total


@cuda.jit
def wrap(u: Array) -> None:
    """Fill the rim with the voxels of the other side, where sides repeat."""
    _wrap(u, cuda.grid(3), cuda.gridsize(3))


@cuda.jit
def relax(u: Array, f: Array, gx: Array, gy: Array, gz: Array, inverse: Array, color: int) -> None:
    """Gauss-Seidel on the voxels of one color."""
    _relax(u, f, gx, gy, gz, inverse, color, cuda.grid(3), cuda.gridsize(3))


@cuda.jit
def restrict(u: Array, f: Array, gx: Array, gy: Array, gz: Array, inverse: Array, coarse: Array) -> None:
    """Residual of the finer box, summed over 2 x 2 x 2 voxels into the coarser."""
    _restrict(u, f, gx, gy, gz, inverse, coarse, cuda.grid(3), cuda.gridsize(3))


@cuda.jit
def prolong(u: Array, coarse: Array) -> None:
    """Add to each voxel of the finer box what was found for its 2 x 2 x 2 of the coarser."""
    _prolong(u, coarse, cuda.grid(3), cuda.gridsize(3))


@cuda.jit
def zero(u: Array) -> None:
    """u = 0, rim included."""
    _zero(u, cuda.grid(3), cuda.gridsize(3))


@cuda.jit
def tail(levels: Any, inverse: Array, steps: Array, is_periodic: bool) -> None:
    """Steps of a cycle on the small boxes, by one block: a launch of its own for each would take longer than its work.

    levels: u, f, gx, gy, gz and inverse diagonal of each; steps: int32[n, 2], what is done and with which of them.
    """
    at = (cuda.threadIdx.x, cuda.threadIdx.y, cuda.threadIdx.z)
    by = (cuda.blockDim.x, cuda.blockDim.y, cuda.blockDim.z)
    for n in range(steps.shape[0]):
        what, depth = steps[n, 0], steps[n, 1]
        u, f, gx, gy, gz, over = levels[depth]
        if what == ZERO:
            _zero(u, at, by)
        elif what == RESTRICT:
            _restrict(u, f, gx, gy, gz, over, levels[depth + 1][1], at, by)
        elif what == PROLONG:
            _prolong(u, levels[depth + 1][0], at, by)
        elif what == EXACT:
            _exact(u, f, inverse, at, by)
        else:
            first = 0 if what == RED_FIRST else 1
            _relax(u, f, gx, gy, gz, over, first, at, by)
            cuda.syncthreads()
            if is_periodic:
                _wrap(u, at, by)
                cuda.syncthreads()
            _relax(u, f, gx, gy, gz, over, 1 - first, at, by)
        cuda.syncthreads()
        if is_periodic and what != ZERO and what != RESTRICT:
            _wrap(u, at, by)
            cuda.syncthreads()


@cuda.jit(device=True)
def block_sum(total: float, sums: Array) -> None:
    """sums[block] = the sum over its threads, pair by pair in a fixed order."""
    held = cuda.shared.array(N_THREADS, numba.float64)
    at = cuda.threadIdx.x + cuda.blockDim.x * (cuda.threadIdx.y + cuda.blockDim.y * cuda.threadIdx.z)
    held[at] = total
    cuda.syncthreads()
    half = N_THREADS // 2
    while half > 0:
        if at < half:
            held[at] += held[at + half]
        cuda.syncthreads()
        half //= 2
    if at == 0:
        sums[cuda.blockIdx.x + cuda.gridDim.x * (cuda.blockIdx.y + cuda.gridDim.y * cuda.blockIdx.z)] = held[0]


@cuda.jit
def apply(p: Array, gx: Array, gy: Array, gz: Array, sink: Array, q: Array, sums: Array) -> None:
    """q = A p, with sink * p + sum of g (p - p of neighbors); sums[block] = p . q of its voxels."""
    at, by = cuda.grid(3), cuda.gridsize(3)
    total = 0.0
    for k in range(1 + at[2], p.shape[0] - 1, by[2]):
        for j in range(1 + at[1], p.shape[1] - 1, by[1]):
            for i in range(1 + at[0], p.shape[2] - 1, by[0]):
                q[k, j, i] = outflow(p, gx, gy, gz, k, j, i) + sink[k, j, i] * p[k, j, i]
                total += p[k, j, i] * q[k, j, i]
    block_sum(total, sums)


@cuda.jit
def step(solution: Array, r: Array, p: Array, q: Array, f: Array, alpha: float, sums: Array) -> None:
    """solution += alpha p, r -= alpha q, f = r in single precision; sums[block] = r . r of its voxels."""
    at, by = cuda.grid(3), cuda.gridsize(3)
    total = 0.0
    for k in range(1 + at[2], p.shape[0] - 1, by[2]):
        for j in range(1 + at[1], p.shape[1] - 1, by[1]):
            for i in range(1 + at[0], p.shape[2] - 1, by[0]):
                solution[k, j, i] += alpha * p[k, j, i]
                r[k, j, i] -= alpha * q[k, j, i]
                f[k, j, i] = r[k, j, i]
                total += r[k, j, i] * r[k, j, i]
    block_sum(total, sums)


@cuda.jit
def product(r: Array, z: Array, sums: Array) -> None:
    """sums[block] = r . z of its voxels."""
    at, by = cuda.grid(3), cuda.gridsize(3)
    total = 0.0
    for k in range(1 + at[2], r.shape[0] - 1, by[2]):
        for j in range(1 + at[1], r.shape[1] - 1, by[1]):
            for i in range(1 + at[0], r.shape[2] - 1, by[0]):
                total += r[k, j, i] * z[k, j, i]
    block_sum(total, sums)


@cuda.jit
def direct(p: Array, z: Array, beta: float) -> None:
    """p = z + beta p"""
    at, by = cuda.grid(3), cuda.gridsize(3)
    for k in range(1 + at[2], p.shape[0] - 1, by[2]):
        for j in range(1 + at[1], p.shape[1] - 1, by[1]):
            for i in range(1 + at[0], p.shape[2] - 1, by[0]):
                p[k, j, i] = z[k, j, i] + beta * p[k, j, i]
