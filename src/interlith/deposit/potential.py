"""How an imposed current is shared where the electrolyte's own resistance counts: its potential in every voxel.

    div(kappa e^1.5 grad phi) = sum of i,  i = a i0 2 sinh(F (phi - barrier) / 2RT)

with e the open share of a voxel (Bruggeman) and the metal at 0; signs as for plating, stripping is its mirror image.
The current enters evenly through the last plane: a separator of 25 um and 41 % resists as 95 um of open electrolyte,
which is more than the host does, and so evens it. Newton's method on Butler-Volmer; each turn is one linear problem
with a sink in the voxels that react, solved by multigrid.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from interlith.deposit.solver.multigrid import Faces, Multigrid
from interlith.deposit.solver.team import Team
from interlith.errors import SolverError

Floats = NDArray[np.float64]
BRUGGEMAN = 1.5
LEAST_OPEN = 0.3  # share of a voxel with a front in it: the way along the front is that of the voxel, however full
LEAST_WAY = 0.05  # of a voxel's width, from its side to the front in it
WITHIN = 1e-6  # of F phi / 2RT
SOLVED_WITHIN = 1e-8
MOST_TURNS = 60
MOST_RISE = 2.0  # of F phi / 2RT in one turn


def with_resistance(
    share: Floats, ease: Floats, barrier: Floats, current: float, begin: Floats, *, is_periodic: bool, team: Team
) -> tuple[Floats, Floats]:
    """F phi / 2RT in each voxel, and the current that each carries.

    share: float64[z, y, x], open share of each voxel, 0 where the electrolyte does not reach. ease: current of each
    voxel at 2 sinh = 1, 0 where nothing reacts; current: of all together; both in units in which an open voxel passes
    a current of 1 at a difference of F phi / 2RT = 1. barrier, begin: likewise as F phi / 2RT.
    Raises SolverError when Newton's method does not converge.
    """
    entering = np.zeros(share.shape)
    is_open = share[-1] > 0.0
    entering[-1][is_open] = current / is_open.sum()
    x, y, z = _faces(share, ease > 0.0, is_periodic)
    phi = begin.copy()
    for _ in range(MOST_TURNS):
        over = np.maximum(phi - barrier, 0.0)
        carried = ease * 2.0 * np.sinh(over)
        slope = np.where(over > 0.0, ease * 2.0 * np.cosh(over), 0.0)
        linear = Faces(x, y, z, slope.astype(np.float32), is_periodic)
        sink = linear.sink.astype(np.float64)
        found = Multigrid(linear, team).solve(sink * phi - carried + entering, within=SOLVED_WITHIN, begin=phi).u
        change = np.where(ease > 0.0, found - phi, 0.0)
        if np.abs(change).max() <= WITHIN:
            carried = np.maximum(carried + sink * change, 0.0)
            return found, carried * (current / float(carried.sum()))
        phi = np.clip(found, phi - MOST_RISE, phi + MOST_RISE)
    raise SolverError(f"the electrolyte's potential did not converge: it still changes by {np.abs(change).max():.2g}")


def _faces(share: Floats, reacts: NDArray[np.bool_], is_periodic: bool) -> tuple[NDArray[np.float32], ...]:
    """Conductances along x, y and z, harmonic means over a face; nothing leads out.

    A front before a wall lies as far from the open side of its voxel as this is open, and there the way to it ends, not
    in the middle: else the farther front would have the shorter way, and a wave lower than a voxel would die.
    """
    open_to = np.where(reacts, np.maximum(share, LEAST_OPEN), share) ** BRUGGEMAN
    to_front, is_open = 0.5 / np.maximum(share, LEAST_WAY), share > 0.0
    found = []
    for axis in (2, 1, 0):
        wide = [(0, 0)] * 3
        wide[axis] = (1, 1)
        mode = "wrap" if is_periodic and axis else "constant"
        own = np.where(reacts & _is_before_a_wall(is_open, axis, is_periodic), to_front, open_to)
        rimmed = np.moveaxis(np.pad(own, wide, mode=mode), axis, 0)  # type: ignore[call-overload]
        one, other = rimmed[:-1], rimmed[1:]
        both = np.divide(2.0 * one * other, one + other, out=np.zeros_like(one), where=one + other > 0.0)
        found.append(np.ascontiguousarray(np.moveaxis(both, 0, axis)).astype(np.float32))
    return tuple(found)


def _is_before_a_wall(is_open: NDArray[np.bool_], axis: int, is_periodic: bool) -> NDArray[np.bool_]:
    """Whether each voxel is shut on one side of an axis and open on the other; the collector shuts."""
    wide = [(0, 0)] * 3
    wide[axis] = (1, 1)
    rimmed = np.moveaxis(np.pad(is_open, wide, mode="wrap" if is_periodic and axis else "edge"), axis, 0)
    if axis == 0:
        rimmed[0], rimmed[-1] = False, True
    return np.moveaxis(rimmed[:-2] != rimmed[2:], 0, axis)
