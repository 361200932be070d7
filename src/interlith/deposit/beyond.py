"""A front that passes into the next voxels within a step: what one can no longer take or give, those behind it do.

Without it columns whose voxel is full wait for the end of the step, and those that lag behind catch up: a film gets
smoother than it is.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from interlith.deposit.box import Box
from interlith.deposit.rows import Places, in_a_row
from interlith.deposit.solver.kernels import kernel
from interlith.deposit.surfaces import BRIDGED, DEAD, LEAST_LITHIUM, LIVE, OPEN

Floats = NDArray[np.float64]
SIDES, AT_FRONT = 6, -1


@kernel
def _beside(shape, at, side, is_periodic):  # type: ignore[no-untyped-def]
    """The voxel on one of six sides of a place, rim counted, sides repeating; its z is 0 where it lies outside."""
    axis, step = side // 2, 2 * (side % 2) - 1
    k, j, i = at // shape[2] // shape[1], at // shape[2] % shape[1], at % shape[2]
    k, j, i = k + step * (axis == 0), j + step * (axis == 1), i + step * (axis == 2)
    if is_periodic:
        j, i = (j - 1) % (shape[1] - 2) + 1, (i - 1) % (shape[2] - 2) + 1
    is_inside = 0 < k < shape[0] - 1 and 0 < j < shape[1] - 1 and 0 < i < shape[2] - 1
    return (k if is_inside else 0), j, i


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
    """Voxels behind those at the front, int32[n], and what each takes over from them, float64[n], as they are found.

    number: int32[z, y, x], AT_FRONT where the front is and 0 elsewhere, changed here.
    """
    n, found, taken = 0, np.empty(SIDES * len(places), dtype=np.int32), np.zeros(SIDES * len(places))
    for m in range(len(places)):
        n_behind = 0
        for side in range(SIDES):
            k, j, i = _beside(lithium.shape, places[m], side, is_periodic)
            n_behind += _is_behind(lithium, state, solid, wet, number, is_stripping, k, j, i)
        for side in range(SIDES):
            k, j, i = _beside(lithium.shape, places[m], side, is_periodic)
            if not _is_behind(lithium, state, solid, wet, number, is_stripping, k, j, i):
                continue
            if number[k, j, i] == 0:
                found[n] = (k * lithium.shape[1] + j) * lithium.shape[2] + i
                n += 1
                number[k, j, i] = n
            taken[number[k, j, i] - 1] += over[m] / n_behind
    return found[:n].copy(), taken[:n].copy()


def behind(box: Box, places: Places, over: Floats, *, is_stripping: bool = False) -> tuple[Places, Floats]:
    """Voxels behind the places at the front, and what they take over from these: in equal parts from each place.

    over: voxels of lithium that each place can no longer take, or give; what has nothing behind it keeps it.
    """
    number = np.zeros(box.lithium.shape, dtype=np.int32)
    in_a_row(number)[places] = AT_FRONT
    is_over = over > 0.0
    own = (box.lithium, box.state, box.solid, box.wet, number, places[is_over], over[is_over])
    found: tuple[Places, Floats] = _passed_on(*own, is_stripping, box.ground.is_periodic)
    return found
