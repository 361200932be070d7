"""How a system is solved whose states know a few things in common: a sparse part, and a border (Woodbury).

With z the common (currents, growth of SEI, isolation ...) and U = d rates / dz, V = dz / dy:

    J = B + U V'        W = A - U V'    A = I / (h gamma) - B
    W^-1 r = x + X (I - V' X)^-1 V' x   x = A^-1 r    X = A^-1 U      (Sherman, Morrison and Woodbury)

B is whatever a system can factorize and solve by itself: the two functions below, offered through `serves`. Its Work
has border_u, border_v and solved_u (float64[common, state]), bordered (bool[common]: what counts), small and
small_pivots, share.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from interlith.cell.compiled import compiled
from interlith.cell.rosenbrock import factorize, solve


def factorize_plain(system: Any, h: float, work: Any) -> bool:
    """Factorize A; False when that cannot be done."""
    raise NotImplementedError


def solve_plain(system: Any, h: float, work: Any, right: NDArray[np.float64]) -> None:
    """right <- A^-1 right: as if all in common stood still."""
    raise NotImplementedError


@compiled
def _dot(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    total = 0.0
    for i in range(len(a)):
        total += a[i] * b[i]
    return total


@compiled
def prepare(system: Any, h: float, work: Any) -> bool:
    """A factorized, and the little matrix I - V' X that the border leaves."""
    if not factorize_plain(system, h, work):
        return False
    n = len(work.share)
    for b in range(n):
        if work.bordered[b]:
            work.solved_u[b, :] = work.border_u[b]
            solve_plain(system, h, work, work.solved_u[b])
    for a in range(n):
        for b in range(n):
            work.small[a, b] = 1.0 if a == b else 0.0
            if work.bordered[a] and work.bordered[b]:
                work.small[a, b] -= _dot(work.border_v[a], work.solved_u[b])
    return factorize(work.small, work.small_pivots)


@compiled
def solve_stage(system: Any, h: float, work: Any, right: NDArray[np.float64]) -> None:
    """The bordered solution."""
    solve_plain(system, h, work, right)
    n = len(work.share)
    for b in range(n):
        work.share[b] = _dot(work.border_v[b], right) if work.bordered[b] else 0.0
    solve(work.small, work.small_pivots, work.share)
    for b in range(n):
        if work.bordered[b]:
            for i in range(len(right)):
                right[i] += work.solved_u[b, i] * work.share[b]
