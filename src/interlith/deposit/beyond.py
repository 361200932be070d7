"""A front that passes into the next voxels within a step: what one can no longer take or give, those behind it do.

Without it columns whose voxel is full wait for the end of the step, and those that lag behind catch up: a film gets
smoother than it is.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from interlith.deposit.box import Box
from interlith.deposit.kernels import kernel
from interlith.deposit.surfaces import BRIDGED, DEAD, LEAST_LITHIUM, LIVE, OPEN

Floats = NDArray[np.float64]
Places = tuple[NDArray[np.intp], ...]
SIDES, AT_FRONT = 6, -1


@kernel
def _beside(shape, k, j, i, side, is_periodic):  # type: ignore[no-untyped-def]
    """The voxel on one of six sides, rim counted, sides repeating; its z is 0 where it lies outside."""
    axis, step = side // 2, 2 * (side % 2) - 1
    kk, jj, ii = k + step * (axis == 0), j + step * (axis == 1), i + step * (axis == 2)
    if is_periodic:
        jj, ii = (jj - 1) % (shape[1] - 2) + 1, (ii - 1) % (shape[2] - 2) + 1
    is_inside = 0 < kk < shape[0] - 1 and 0 < jj < shape[1] - 1 and 0 < ii < shape[2] - 1
    return (kk if is_inside else 0), jj, ii


@kernel
def _is_behind(lithium, state, solid, wet, number, is_stripping, k, j, i):  # type: ignore[no-untyped-def]
    """Whether the front passes into a voxel, in which it was not yet."""
    if k == 0 or number[k, j, i] == AT_FRONT:
        return False
    if is_stripping:
        return state[k, j, i] == LIVE and lithium[k, j, i] > LEAST_LITHIUM
    is_free = state[k, j, i] != DEAD or lithium[k, j, i] <= BRIDGED
    return is_free and solid[k, j, i] == OPEN and wet[k, j, i] != 0


@kernel
def _passed_on(  # type: ignore[no-untyped-def]
    lithium, state, solid, wet, number, places, over, is_stripping, is_periodic
):
    """Voxels behind those at the front, int64[n, 3], and what each takes over from them, float64[n], in order of found.

    number: int32[z, y, x], AT_FRONT where the front is and 0 elsewhere, changed here.
    """
    n, found, taken = 0, np.empty((SIDES * len(places), 3), dtype=np.int64), np.zeros(SIDES * len(places))
    for m in range(len(places)):
        k, j, i = places[m]
        n_behind = 0
        for side in range(SIDES):
            kk, jj, ii = _beside(lithium.shape, k, j, i, side, is_periodic)
            n_behind += _is_behind(lithium, state, solid, wet, number, is_stripping, kk, jj, ii)
        for side in range(SIDES):
            kk, jj, ii = _beside(lithium.shape, k, j, i, side, is_periodic)
            if not _is_behind(lithium, state, solid, wet, number, is_stripping, kk, jj, ii):
                continue
            if number[kk, jj, ii] == 0:
                found[n, 0], found[n, 1], found[n, 2] = kk, jj, ii
                n += 1
                number[kk, jj, ii] = n
            taken[number[kk, jj, ii] - 1] += over[m] / n_behind
    return found[:n].copy(), taken[:n].copy()


def behind(box: Box, places: Places, over: Floats, *, is_stripping: bool = False) -> tuple[Places, Floats]:
    """Voxels behind the places at the front, and what they take over from these: in equal parts from each place.

    over: voxels of lithium that each place can no longer take, or give; what has nothing behind it keeps it.
    """
    number = np.zeros(box.lithium.shape, dtype=np.int32)
    number[places] = AT_FRONT
    is_over = over > 0.0
    at = np.stack([axis[is_over] for axis in places], axis=1)
    own = (box.lithium, box.state, box.solid, box.wet, number)
    found, taken = _passed_on(*own, at, over[is_over], is_stripping, box.ground.is_periodic)
    return (found[:, 0], found[:, 1], found[:, 2]), taken
