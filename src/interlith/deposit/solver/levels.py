"""A box and the coarser ones of it, and in which order a multigrid cycle works on them.

2 x 2 x 2 voxels make one of the coarser box; a face of it has the sum of the conductances of the finer ones, halved for
its double length, which is the over-correction that piecewise constant aggregates need (Braess, Computing 55, 379
(1995), doi:10.1007/BF02238488).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from interlith.deposit.solver import kernels

Single = NDArray[np.float32]
Double = NDArray[np.float64]
COARSEST = 30  # voxels of the box that is solved directly; inverting 64 woke threads that cost a fifth of a solve
VISITS = 2  # of each coarser box in a cycle: two thirds of the iterations of one, for a sixth more work in each
RED, BLACK = 0, 1
# What a cycle does with a box: u = 0; a sweep, red or black first; residual to the coarser; what that found; u itself.
ZERO, RED_FIRST, BLACK_FIRST, RESTRICT, PROLONG, EXACT = range(6)


@dataclass(frozen=True)
class Faces:
    """Conductances of the faces of a box of nz, ny, nx voxels, and of each voxel to nothing; single precision.

    x[z, y, i]: between voxels i - 1 and i, shape (nz, ny, nx + 1), its first and its last the same face where the sides
    repeat, 0 at a wall; y and z likewise. z[0] and z[-1] lead to u = 0. sink: shape (nz, ny, nx).
    """

    x: Single
    y: Single
    z: Single
    sink: Single
    is_periodic: bool


class Level:
    """A box with its rim of one voxel on each side, and the vectors of the cycle on it: all float32[z, y, x]."""

    def __init__(self, gx: Single, gy: Single, gz: Single, sink: Single, is_periodic: bool) -> None:
        self.gx, self.gy, self.gz, self.sink, self.is_periodic = gx, gy, gz, sink, is_periodic
        self.shape = tuple(n - 2 for n in sink.shape)
        self.size = int(np.prod(self.shape))
        self.inverse = _inverse_diagonal(gx, gy, gz, sink)
        self.u, self.f = np.zeros_like(sink), np.zeros_like(sink)

    def coarser(self) -> Level:
        """The box of half the voxels in each direction."""
        shape = tuple((n + 1) // 2 for n in self.shape)
        gx, gy, gz, sink = (np.zeros(tuple(n + 2 for n in shape), dtype=np.float32) for _ in range(4))
        _coarsen(self.gx, self.gy, self.gz, self.sink, gx, gy, gz, sink)
        return Level(gx, gy, gz, sink, self.is_periodic)


def levels_of(faces: Faces) -> list[Level]:
    """The box, and coarser ones down to one that is small enough to be solved directly."""
    gx, gy, gz, sink = (np.zeros(tuple(n + 2 for n in faces.sink.shape), dtype=np.float32) for _ in range(4))
    gx[1:-1, 1:-1, :-1], gy[1:-1, :-1, 1:-1], gz[:-1, 1:-1, 1:-1] = faces.x, faces.y, faces.z
    sink[1:-1, 1:-1, 1:-1] = faces.sink
    found = [Level(gx, gy, gz, sink, faces.is_periodic)]
    while found[-1].size > COARSEST:
        found.append(found[-1].coarser())
    return found


def cycle(n_levels: int, depth: int = 0) -> list[tuple[int, int]]:
    """A W-cycle as what it does and on which level, one after the other.

    >>> cycle(2) == [(ZERO, 0), (RED_FIRST, 0), (RESTRICT, 0), (EXACT, 1), (PROLONG, 0), (BLACK_FIRST, 0)]
    True
    """
    if depth == n_levels - 1:
        return [(EXACT, depth)]
    coarser = cycle(n_levels, depth + 1)
    visit = [(RED_FIRST, depth), (RESTRICT, depth), *coarser, (PROLONG, depth), (BLACK_FIRST, depth)]
    return [(ZERO, depth)] + visit * (VISITS if depth else 1)


def inverse(level: Level) -> Double:
    """Of the whole matrix of a small box; voxels without a conductance stay 0."""
    p, q, sums = np.zeros(level.sink.shape), np.zeros(level.sink.shape), np.zeros(level.sink.shape[0])
    matrix = np.empty((level.size, level.size))
    for column, at in enumerate(np.ndindex(*level.shape)):
        p.fill(0.0)
        p[tuple(i + 1 for i in at)] = 1.0
        for k in range(1, level.shape[0] + 1):
            kernels.wrap(p, k, level.is_periodic)
        kernels.apply(p, level.gx, level.gy, level.gz, level.sink, q, sums, 1, level.shape[0] + 1)
        matrix[:, column] = q[1:-1, 1:-1, 1:-1].ravel()
    return np.asarray(np.linalg.pinv(matrix, rcond=1e-10, hermitian=True), dtype=np.float64)


def _inverse_diagonal(gx: Single, gy: Single, gz: Single, sink: Single) -> Single:
    """1 over the sum of a voxel's conductances; 0 where it has none."""
    inverse = np.zeros_like(sink)
    inner = (slice(1, -1),) * 3
    total = sink[inner] + gx[inner] + gx[1:-1, 1:-1, :-2]
    total += gy[inner]
    total += gy[1:-1, :-2, 1:-1]
    total += gz[inner]
    total += gz[:-2, 1:-1, 1:-1]
    np.divide(1.0, total, out=inverse[inner], where=total > 0.0)
    return inverse


@kernels.kernel
def _coarsen(
    gx: Single, gy: Single, gz: Single, sink: Single, cx: Single, cy: Single, cz: Single, c_sink: Single
) -> None:
    """Sums of sinks; half the sums of the conductances of the faces that a coarser face is made of."""
    nz, ny, nx = sink.shape[0] - 2, sink.shape[1] - 2, sink.shape[2] - 2
    for k in range(1, nz + 1):
        kc = (k + 1) // 2
        for j in range(1, ny + 1):
            jc = (j + 1) // 2
            for i in range(1, nx + 1):
                ic = (i + 1) // 2
                c_sink[kc, jc, ic] += sink[k, j, i]
                if i % 2 == 0 or i == nx:
                    cx[kc, jc, ic] += 0.5 * gx[k, j, i]
                if j % 2 == 0 or j == ny:
                    cy[kc, jc, ic] += 0.5 * gy[k, j, i]
                if k % 2 == 0 or k == nz:
                    cz[kc, jc, ic] += 0.5 * gz[k, j, i]
                if i == 1:
                    cx[kc, jc, 0] += 0.5 * gx[k, j, 0]
                if j == 1:
                    cy[kc, 0, ic] += 0.5 * gy[k, 0, i]
                if k == 1:
                    cz[0, jc, ic] += 0.5 * gz[0, j, i]
