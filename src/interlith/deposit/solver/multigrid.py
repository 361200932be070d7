"""Conduction in a box of voxels: div(g grad u) = sink u - source, by conjugate gradients with aggregation multigrid.

Seven-point finite volumes; sides (y, x) repeat or are walls; what lies under the first and over the last plane has
u = 0, through the conductances given there. The cycle works in single precision, the gradients around it in double: in
single precision alone the balance of flows stalls at 1e-3. Threads or a GPU do it, as the team has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from interlith.deposit.solver.levels import Double, Faces, Level, levels_of
from interlith.deposit.solver.team import Team
from interlith.deposit.solver.threads import OnThreads
from interlith.errors import SolverError

if TYPE_CHECKING:
    from interlith.deposit.solver.gpu import OnGpu

__all__ = ["Faces", "Multigrid", "Solved"]
MOST_ITERATIONS = 400


@dataclass(frozen=True)
class Solved:
    """u of each voxel, iterations, and the residual that is left as a share of the source."""

    u: Double
    n_iterations: int
    residual: float


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
        levels = levels_of(faces)
        self.shape = levels[0].shape
        self.on = OnThreads(levels, team) if team.device == "cpu" else _on_gpu(levels)

    def solve(
        self, source: Double, *, within: float = 1e-8, begin: Double | None = None, n_most: int = MOST_ITERATIONS
    ) -> Solved:
        """u[z, y, x] for a source of the same shape, until the residual is `within` of the source (2-norms).

        Raises SolverError when it does not get there in n_most iterations.
        """
        on = self.on
        solution, r, p, q = on.vector(), on.vector(source), on.vector(begin), on.vector()
        size = float(np.sqrt(on.product(r, r)))
        if size == 0.0:
            return Solved(np.zeros(self.shape), 0, 0.0)
        if begin is not None:
            on.apply(p, q)
        rest = float(np.sqrt(on.step(solution, r, p, q, 0.0 if begin is None else 1.0)))
        before = 1.0
        for n_iterations in range(n_most + 1):
            if not rest > within * size:
                break
            on.cycle()
            now = on.product(r, on.u)
            on.direct(p, now / before if n_iterations else 0.0)
            rest = float(np.sqrt(on.step(solution, r, p, q, now / on.apply(p, q))))
            before = now
        if not rest <= within * size:
            left = f"{rest / size:.2g} of the source"
            raise SolverError(f"conduction in the network: {left} is left after {n_most} iterations")
        return Solved(on.values(solution), n_iterations, rest / size)


def _on_gpu(levels: Sequence[Level]) -> OnGpu:
    from interlith.deposit.solver.gpu import OnGpu  # numba.cuda takes a second to load

    return OnGpu(levels)
