"""What a multigrid solver does with a box, by the threads of a team. Vectors are float64[z, y, x] with a rim."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from interlith.deposit.solver import kernels
from interlith.deposit.solver.levels import (
    BLACK,
    BLACK_FIRST,
    EXACT,
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
from interlith.deposit.solver.team import Team


class OnThreads:
    """Sums are taken by planes, then over them, so that the bits are the same for any number of threads."""

    def __init__(self, levels: Sequence[Level], team: Team) -> None:
        self.levels, self.team = levels, team
        self.u = levels[0].u
        self.is_periodic = levels[0].is_periodic
        self._parts = [team.ranges(level.shape[0], level.size) for level in levels]
        self._finer_parts = [team.ranges(coarse.shape[0], fine.size) for fine, coarse in pairwise(levels)]
        self._inverse = inverse(levels[-1])
        self._sums = np.zeros(self.u.shape[0])
        self._steps = cycle(len(levels))
        self._does: dict[int, Callable[[int], Any]] = {
            ZERO: lambda depth: levels[depth].u.fill(0.0),
            RED_FIRST: lambda depth: self.sweep(depth, RED),
            BLACK_FIRST: lambda depth: self.sweep(depth, BLACK),
            RESTRICT: self._restrict,
            PROLONG: self._prolong,
            EXACT: self._exact,
        }

    def vector(self, values: Double | None = None) -> Double:
        """A vector with these values, shape [z, y, x]; of zeros without."""
        made = np.zeros(self.u.shape)
        if values is not None:
            made[1:-1, 1:-1, 1:-1] = values
            self._wrapped(made)
        return made

    def values(self, vector: Double) -> Double:
        """Of a vector, without its rim."""
        return vector[1:-1, 1:-1, 1:-1].copy()

    def cycle(self) -> None:
        """u of the finest box for its f."""
        for what, depth in self._steps:
            self._does[what](depth)

    def sweep(self, depth: int, color: int) -> None:
        """One red-black Gauss-Seidel sweep that begins with a color."""
        level = self.levels[depth]
        own = (level.u, level.gx, level.gy, level.gz, level.inverse, level.f)
        for is_edge in (False, True):
            self.team.share(
                self._parts[depth],
                lambda a, b: kernels.sweep(*own, a, b, color, self.is_periodic, is_edge),  # noqa: B023
            )

    def product(self, r: Double, z: Single | Double) -> float:
        """r . z"""
        self._share(lambda a, b: kernels.product(r, z, self._sums, a, b))
        return float(self._sums.sum())

    def direct(self, p: Double, beta: float) -> None:
        """p = u + beta p"""
        self._share(lambda a, b: kernels.direct(p, self.u, beta, a, b, self.is_periodic))

    def apply(self, p: Double, q: Double) -> float:
        """q = A p; gives p . q"""
        fine = self.levels[0]
        own = (p, fine.gx, fine.gy, fine.gz, fine.sink, q, self._sums)
        self._share(lambda a, b: kernels.apply(*own, a, b))
        return float(self._sums.sum())

    def step(self, solution: Double, r: Double, p: Double, q: Double, alpha: float) -> float:
        """solution += alpha p, r -= alpha q, f = r; gives r . r"""
        own = (solution, r, p, q, self.levels[0].f, alpha, self._sums)
        self._share(lambda a, b: kernels.step(*own, a, b))
        return float(self._sums.sum())

    def _restrict(self, depth: int) -> None:
        fine, coarse = self.levels[depth], self.levels[depth + 1]
        own = (fine.u, fine.gx, fine.gy, fine.gz, fine.inverse, fine.f, coarse.f)
        self.team.share(self._finer_parts[depth], lambda a, b: kernels.restrict(*own, a, b))

    def _prolong(self, depth: int) -> None:
        fine, coarse = self.levels[depth].u, self.levels[depth + 1].u
        self.team.share(self._parts[depth], lambda a, b: kernels.prolong(fine, coarse, a, b, self.is_periodic))

    def _exact(self, depth: int) -> None:
        level = self.levels[depth]
        inner = level.u[1:-1, 1:-1, 1:-1]
        inner[...] = (self._inverse @ level.f[1:-1, 1:-1, 1:-1].ravel()).reshape(inner.shape)
        self._wrapped(level.u)

    def _share(self, work: Callable[[int, int], Any]) -> None:
        self.team.share(self._parts[0], work)

    def _wrapped(self, u: Single | Double) -> None:
        for k in range(1, u.shape[0] - 1):
            kernels.wrap(u, k, self.is_periodic)
