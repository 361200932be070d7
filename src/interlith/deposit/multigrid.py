"""Conduction in a box of voxels: div(g grad u) = sink u - source, by conjugate gradients with aggregation multigrid.

Seven-point finite volumes; sides (y, x) repeat or are walls; what lies under the first and over the last plane has
u = 0, through the conductances given there. The cycle works in single precision, the gradients around it in double: in
single precision alone the balance of flows stalls at 1e-3. 2 x 2 x 2 voxels make one of the coarser box; a face of it
has the sum of the conductances of the finer ones, halved for its double length, which is the over-correction that
piecewise constant aggregates need (Braess, Computing 55, 379 (1995), doi:10.1007/BF02238488).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from interlith.deposit import kernels
from interlith.deposit.team import Team
from interlith.errors import SolverError

Single = NDArray[np.float32]
Double = NDArray[np.float64]
MOST_ITERATIONS = 400
COARSEST = 100  # voxels of the box that is solved directly
RED, BLACK = 0, 1
VISITS = 2  # of each coarser box in a cycle: two thirds of the iterations of one, for a sixth more work in each


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


@dataclass(frozen=True)
class Solved:
    """u of each voxel, iterations, and the residual that is left as a share of the source."""

    u: Double
    n_iterations: int
    residual: float


class _Level:
    """A box with its rim, and the vectors of the cycle on it."""

    def __init__(self, gx: Single, gy: Single, gz: Single, sink: Single, is_periodic: bool, team: Team) -> None:
        self.gx, self.gy, self.gz, self.sink, self.is_periodic = gx, gy, gz, sink, is_periodic
        self.shape = tuple(n - 2 for n in sink.shape)
        self.inverse = _inverse_diagonal(gx, gy, gz, sink)
        self.u, self.f = np.zeros_like(sink), np.zeros_like(sink)
        self.parts = team.ranges(self.shape[0], int(np.prod(self.shape)))
        self.team = team

    def smooth(self, color: int) -> None:
        """One red-black Gauss-Seidel sweep that begins with a color."""
        own = (self.u, self.gx, self.gy, self.gz, self.inverse, self.f)
        for is_edge in (False, True):
            self.team.share(self.parts, lambda a, b: kernels.sweep(*own, a, b, color, self.is_periodic, is_edge))  # noqa: B023

    def coarser(self) -> _Level:
        """The box of half the voxels in each direction."""
        shape = tuple((n + 1) // 2 for n in self.shape)
        gx, gy, gz, sink = (np.zeros(tuple(n + 2 for n in shape), dtype=np.float32) for _ in range(4))
        _coarsen(self.gx, self.gy, self.gz, self.sink, gx, gy, gz, sink)
        return _Level(gx, gy, gz, sink, self.is_periodic, self.team)


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


class Multigrid:
    """Solves A u = source for the conductances of a box, as often as there are sources.

    >>> shape = (3, 1, 1)
    >>> walls = np.zeros((3, 1, 2), dtype=np.float32), np.zeros((3, 2, 1), dtype=np.float32)
    >>> through = np.array([2.0, 1.0, 1.0, 2.0], dtype=np.float32).reshape(4, 1, 1)  # u = 0 half a voxel outside
    >>> box = Faces(*walls, through, np.zeros(shape, dtype=np.float32), is_periodic=False)
    >>> with Team(1) as team:
    ...     solved = Multigrid(box, team).solve(np.array([2.0, 0.0, 0.0]).reshape(shape))
    >>> [round(float(u), 6) for u in solved.u[:, 0, 0]]
    [0.833333, 0.5, 0.166667]
    """

    def __init__(self, faces: Faces, team: Team) -> None:
        self.team = team
        self.is_periodic = faces.is_periodic
        self.levels = [_finest(faces, team)]
        while np.prod(self.levels[-1].shape) > COARSEST:
            self.levels.append(self.levels[-1].coarser())
        self._exact = _inverse(self.levels[-1])
        self.box = self.levels[0].sink.shape
        self._sums = np.zeros(self.box[0])

    def solve(
        self, source: Double, *, within: float = 1e-8, begin: Double | None = None, n_most: int = MOST_ITERATIONS
    ) -> Solved:
        """u[z, y, x] for a source of the same shape, until the residual is `within` of the source (2-norms).

        Raises SolverError when it does not get there in n_most iterations.
        """
        fine = self.levels[0]
        solution, r, p, q = (np.zeros(self.box) for _ in range(4))
        r[1:-1, 1:-1, 1:-1] = source
        size = float(np.sqrt(self._dot(r, r)))
        if size == 0.0:
            return Solved(np.zeros(fine.shape), 0, 0.0)
        if begin is not None:
            p[1:-1, 1:-1, 1:-1] = begin
            self._wrapped(p)
            self._apply(p, q)
            self._step(solution, r, p, q, 1.0)
        rest = float(np.sqrt(self._step(solution, r, p, q, 0.0)))
        before = 1.0
        for n_iterations in range(n_most + 1):
            if not rest > within * size:
                break
            self._cycle(0)
            now = self._dot(r, fine.u)
            beta = now / before if n_iterations else 0.0
            self._share(lambda a, b: kernels.direct(p, fine.u, beta, a, b, self.is_periodic))  # noqa: B023
            alpha = now / self._apply(p, q)
            rest = float(np.sqrt(self._step(solution, r, p, q, alpha)))
            before = now
        if not rest <= within * size:
            left = f"{rest / size:.2g} of the source"
            raise SolverError(f"conduction in the network: {left} is left after {n_most} iterations")
        return Solved(solution[1:-1, 1:-1, 1:-1].copy(), n_iterations, rest / size)

    def _cycle(self, depth: int) -> None:
        """A W-cycle: u of this level for its f."""
        level = self.levels[depth]
        if depth == len(self.levels) - 1:
            inner = level.u[1:-1, 1:-1, 1:-1]
            inner[...] = (self._exact @ level.f[1:-1, 1:-1, 1:-1].ravel()).reshape(inner.shape)
            _wrap_all(level)
            return
        coarse = self.levels[depth + 1]
        own = (level.u, level.gx, level.gy, level.gz, level.inverse, level.f)
        parts = self.team.ranges(coarse.shape[0], int(np.prod(level.shape)))
        share = self.team.share
        level.u.fill(0.0)
        for _ in range(VISITS if depth else 1):
            level.smooth(RED)
            share(parts, lambda a, b: kernels.restrict(*own, coarse.f, a, b))
            self._cycle(depth + 1)
            share(level.parts, lambda a, b: kernels.prolong(level.u, coarse.u, a, b, level.is_periodic))
            level.smooth(BLACK)

    def _share(self, work: Callable[[int, int], Any]) -> None:
        self.team.share(self.levels[0].parts, work)

    def _apply(self, p: Double, q: Double) -> float:
        fine = self.levels[0]
        own = (p, fine.gx, fine.gy, fine.gz, fine.sink, q, self._sums)
        self._share(lambda a, b: kernels.apply(*own, a, b))
        return float(self._sums.sum())

    def _step(self, solution: Double, r: Double, p: Double, q: Double, alpha: float) -> float:
        own = (solution, r, p, q, self.levels[0].f, alpha, self._sums)
        self._share(lambda a, b: kernels.step(*own, a, b))
        return float(self._sums.sum())

    def _dot(self, r: Double, z: Single | Double) -> float:
        self._share(lambda a, b: kernels.product(r, z, self._sums, a, b))
        return float(self._sums.sum())

    def _wrapped(self, p: Double) -> None:
        for k in range(1, p.shape[0] - 1):
            kernels.wrap(p, k, self.is_periodic)


def _finest(faces: Faces, team: Team) -> _Level:
    gx, gy, gz, sink = (np.zeros(tuple(n + 2 for n in faces.sink.shape), dtype=np.float32) for _ in range(4))
    gx[1:-1, 1:-1, :-1], gy[1:-1, :-1, 1:-1], gz[:-1, 1:-1, 1:-1] = faces.x, faces.y, faces.z
    sink[1:-1, 1:-1, 1:-1] = faces.sink
    return _Level(gx, gy, gz, sink, faces.is_periodic, team)


def _wrap_all(level: _Level) -> None:
    for k in range(1, level.shape[0] + 1):
        kernels.wrap(level.u, k, level.is_periodic)


def _inverse(level: _Level) -> Double:
    """Of the whole matrix of a small box; voxels without a conductance stay 0."""
    n = int(np.prod(level.shape))
    p, q, sums = np.zeros(level.sink.shape), np.zeros(level.sink.shape), np.zeros(level.sink.shape[0])
    matrix = np.empty((n, n))
    for column, at in enumerate(np.ndindex(*level.shape)):
        p.fill(0.0)
        p[tuple(i + 1 for i in at)] = 1.0
        for k in range(1, level.shape[0] + 1):
            kernels.wrap(p, k, level.is_periodic)
        kernels.apply(p, level.gx, level.gy, level.gz, level.sink, q, sums, 1, level.shape[0] + 1)
        matrix[:, column] = q[1:-1, 1:-1, 1:-1].ravel()
    return np.asarray(np.linalg.pinv(matrix, rcond=1e-10, hermitian=True), dtype=np.float64)
