"""Loops over the voxels of some planes of a box, compiled. Arrays are [z, y, x] with a rim of one voxel on each side.

gx[k, j, i] is the conductance of the face between i and i + 1, gy and gz likewise; `sink` that from the voxel to
nothing. A kernel works on planes first to last - 1 and lets go of the interpreter's lock, so that threads can share a
box; what it writes does not depend on how the planes are shared, so that the bits do not either. The arithmetic of one
voxel stands in functions of its own, which `gpu_kernels` compiles for a GPU.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba
import numpy as np

Array = Any  # of numpy, in single or double precision
Function = TypeVar("Function", bound=Callable[..., Any])
FAST = {"contract", "nsz", "reassoc"}  # sums of a row may be taken in the order that suits the processor


def kernel(function: Function) -> Function:
    """Compile a loop at its first call, kept on disk."""
    made: Any = numba.njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST)(function)
    return made


def inlined(function: Function) -> Function:
    """Compile what a loop calls for each voxel, into the loop: a call that hands over arrays takes longer than it."""
    made: Any = numba.njit(cache=True, nogil=True, error_model="numpy", fastmath=FAST, forceinline=True)(function)
    return made


@kernel
def inflow(u: Array, gx: Array, gy: Array, gz: Array, k: int, j: int, i: int) -> float:
    """Sum of g u of the neighbors of a voxel."""
    flow = gx[k, j, i] * u[k, j, i + 1] + gx[k, j, i - 1] * u[k, j, i - 1]
    flow += gy[k, j, i] * u[k, j + 1, i] + gy[k, j - 1, i] * u[k, j - 1, i]
    flow += gz[k, j, i] * u[k + 1, j, i] + gz[k - 1, j, i] * u[k - 1, j, i]
    return flow


@kernel
def outflow(p: Array, gx: Array, gy: Array, gz: Array, k: int, j: int, i: int) -> float:
    """Sum of g (p - p of neighbors) of a voxel."""
    own = p[k, j, i]
    flow = gx[k, j, i] * (own - p[k, j, i + 1]) + gx[k, j, i - 1] * (own - p[k, j, i - 1])
    flow += gy[k, j, i] * (own - p[k, j + 1, i]) + gy[k, j - 1, i] * (own - p[k, j - 1, i])
    flow += gz[k, j, i] * (own - p[k + 1, j, i]) + gz[k - 1, j, i] * (own - p[k - 1, j, i])
    return flow


@kernel
def relaxed(source: float, flow: float, inverse: float) -> float:
    """What a voxel has when it is in balance with its neighbors; flow: into it, from them."""
    return (source + flow) * inverse


@kernel
def residual(source: float, flow: float, own: float, inverse: float) -> float:
    """What a voxel is out of balance by; inverse: of its diagonal, 0 where it has none."""
    if inverse > 0.0:
        return source + flow - own / inverse
    return source + flow


@kernel
def wrap(u: Array, k: int, is_periodic: bool) -> None:
    """Fill the rim of a plane: with the voxels of the other side where sides repeat."""
    if is_periodic:
        ny, nx = u.shape[1] - 2, u.shape[2] - 2
        for j in range(1, ny + 1):
            u[k, j, 0] = u[k, j, nx]
            u[k, j, nx + 1] = u[k, j, 1]
        for i in range(1, nx + 1):
            u[k, 0, i] = u[k, ny, i]
            u[k, ny + 1, i] = u[k, 1, i]


@kernel
def relax(u: Array, gx: Array, gy: Array, gz: Array, inverse: Array, f: Array, k: int, color: int, row: Array) -> None:
    """Gauss-Seidel on the voxels of one color of a plane: u = (f + sum of g u of neighbors) / diagonal."""
    ny, nx = u.shape[1] - 2, u.shape[2] - 2
    for j in range(1, ny + 1):
        here, source, over = u[k, j], f[k, j], inverse[k, j]
        odd = (k + j + color) & 1
        for i in range(1, nx + 1):
            new = relaxed(source[i], inflow(u, gx, gy, gz, k, j, i), over[i])
            row[i] = new if (i & 1) == odd else here[i]
        for i in range(1, nx + 1):
            here[i] = row[i]


@kernel
def sweep(
    u: Array,
    gx: Array,
    gy: Array,
    gz: Array,
    inverse: Array,
    f: Array,
    first: int,
    last: int,
    color: int,
    is_periodic: bool,
    is_edge: bool,
) -> None:
    """One red-black sweep, `color` first, over planes first to last - 1 while they are in the cache.

    Without is_edge all but the second color of the first and of the last plane, which need neighbors of other planes;
    with is_edge those.
    """
    row = np.empty(u.shape[2], dtype=u.dtype)
    if is_edge:
        relax(u, gx, gy, gz, inverse, f, first, 1 - color, row)
        wrap(u, first, is_periodic)
        if last - 1 > first:
            relax(u, gx, gy, gz, inverse, f, last - 1, 1 - color, row)
            wrap(u, last - 1, is_periodic)
        return
    for k in range(first, last):
        relax(u, gx, gy, gz, inverse, f, k, color, row)
        wrap(u, k, is_periodic)
        if k - 1 > first:
            relax(u, gx, gy, gz, inverse, f, k - 1, 1 - color, row)
            wrap(u, k - 1, is_periodic)


@kernel
def restrict(
    u: Array, gx: Array, gy: Array, gz: Array, inverse: Array, f: Array, coarse: Array, first: int, last: int
) -> None:
    """Residual of the finer box, summed over 2 x 2 x 2 voxels into planes first to last - 1 of the coarser."""
    nz, ny, nx = u.shape[0] - 2, u.shape[1] - 2, u.shape[2] - 2
    row = np.empty(nx + 2, dtype=u.dtype)
    total = np.empty(nx + 3, dtype=u.dtype)
    for kc in range(first, last):
        for jc in range(1, coarse.shape[1] - 1):
            total[:] = 0.0
            for k in range(2 * kc - 1, min(2 * kc, nz) + 1):
                for j in range(2 * jc - 1, min(2 * jc, ny) + 1):
                    here, source, over = u[k, j], f[k, j], inverse[k, j]
                    for i in range(1, nx + 1):
                        row[i] = residual(source[i], inflow(u, gx, gy, gz, k, j, i), here[i], over[i])
                    for i in range(1, nx + 1):
                        total[i] += row[i]
            for ic in range(1, coarse.shape[2] - 1):
                coarse[kc, jc, ic] = total[2 * ic - 1] + (total[2 * ic] if 2 * ic <= nx else 0.0)


@kernel
def prolong(u: Array, coarse: Array, first: int, last: int, is_periodic: bool) -> None:
    """Add to each voxel of the finer box what was found for its 2 x 2 x 2 of the coarser."""
    ny, nx = u.shape[1] - 2, u.shape[2] - 2
    for k in range(first, last):
        for j in range(1, ny + 1):
            here, there = u[k, j], coarse[(k + 1) // 2, (j + 1) // 2]
            for i in range(1, nx + 1):
                here[i] += there[(i + 1) >> 1]
        wrap(u, k, is_periodic)


@kernel
def apply(p: Array, gx: Array, gy: Array, gz: Array, sink: Array, q: Array, sums: Array, first: int, last: int) -> None:
    """q = A p, with sink * p + sum of g (p - p of neighbors); sums[k] = p . q of a plane."""
    ny, nx = p.shape[1] - 2, p.shape[2] - 2
    for k in range(first, last):
        total = 0.0
        for j in range(1, ny + 1):
            here, out, own = p[k, j], q[k, j], sink[k, j]
            for i in range(1, nx + 1):
                out[i] = outflow(p, gx, gy, gz, k, j, i) + own[i] * here[i]
            for i in range(1, nx + 1):
                total += here[i] * out[i]
        sums[k] = total


@kernel
def step(
    solution: Array, r: Array, p: Array, q: Array, f: Array, alpha: float, sums: Array, first: int, last: int
) -> None:
    """solution += alpha p, r -= alpha q, f = r in single precision; sums[k] = r . r of a plane."""
    ny, nx = p.shape[1] - 2, p.shape[2] - 2
    for k in range(first, last):
        total = 0.0
        for j in range(1, ny + 1):
            s, rest, way, out, single = solution[k, j], r[k, j], p[k, j], q[k, j], f[k, j]
            for i in range(1, nx + 1):
                s[i] += alpha * way[i]
                rest[i] -= alpha * out[i]
                single[i] = rest[i]
            for i in range(1, nx + 1):
                total += rest[i] * rest[i]
        sums[k] = total


@kernel
def product(r: Array, z: Array, sums: Array, first: int, last: int) -> None:
    """sums[k] = r . z of a plane."""
    for k in range(first, last):
        total = 0.0
        for j in range(1, r.shape[1] - 1):
            a, b = r[k, j], z[k, j]
            for i in range(1, r.shape[2] - 1):
                total += a[i] * b[i]
        sums[k] = total


@kernel
def direct(p: Array, z: Array, beta: float, first: int, last: int, is_periodic: bool) -> None:
    """p = z + beta p, rim included."""
    for k in range(first, last):
        for j in range(1, p.shape[1] - 1):
            way, new = p[k, j], z[k, j]
            for i in range(1, p.shape[2] - 1):
                way[i] = new[i] + beta * way[i]
        wrap(p, k, is_periodic)
