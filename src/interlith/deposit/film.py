"""Crumbs: lithium smaller than a voxel that comes off while its column is stripped goes back to where it hung.

A thin column is stripped all along its side. In voxels its foot may be empty while there is still a little left over
it, which would count as dead although the column only got thinner than the voxels tell. Such a crumb is moved into the
voxel at which it hung, and that one is stripped instead: what is lost so is lost with the size of the voxels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from interlith.deposit.box import Box
from interlith.deposit.rows import place_of
from interlith.deposit.surfaces import DEAD, LEAST_LITHIUM, LIVE

CRUMB = 1.0  # voxels of lithium: no smaller body is told from a thinner column
MOST_ROUNDS = 4
Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]
Place = tuple[int, int, int]


@dataclass(frozen=True)
class Before:
    """What a box held before a step: lithium, its state and what it had grown on, with rims."""

    lithium: Floats
    state: Bytes
    grown: Bytes

    @classmethod
    def of(cls, box: Box) -> Before:
        """A copy."""
        return cls(box.lithium.copy(), box.state.copy(), box.grown.copy())


def gather_crumbs(box: Box, before: Before) -> None:
    """Move crumbs that a step has cut off into the voxels, emptied by it, at which they hung; settle the box."""
    for _ in range(MOST_ROUNDS):
        moved = [_moved(box, before, crumb) for crumb in _crumbs(box, before)]
        if not any(moved):
            return
        box.settle()


def _crumbs(box: Box, before: Before) -> list[list[Place]]:
    """Bodies of less than a voxel that were live and are dead: the voxels of each, in order."""
    inner = (slice(1, -1),) * 3
    came_off = (before.state[inner] == LIVE) & (box.state[inner] == DEAD)
    if not came_off.any():
        return []
    names = np.unique(box.labels[came_off])
    is_asked = np.zeros(box.labels.size + 1, dtype=np.bool_)
    is_asked[names] = True
    places = np.nonzero(is_asked[box.labels])
    which = np.searchsorted(names, box.labels[places])
    volume = np.bincount(which, box.lithium[inner][places])
    is_crumb = (volume <= CRUMB) & (np.bincount(which, ~came_off[places]) == 0)
    bodies: dict[int, list[Place]] = {}
    for at in np.flatnonzero(is_crumb[which]):
        k, j, i = (int(axis[at]) + 1 for axis in places)
        bodies.setdefault(int(which[at]), []).append((k, j, i))
    return [bodies[name] for name in sorted(bodies)]


def _moved(box: Box, before: Before, crumb: list[Place]) -> bool:
    """Put a crumb into the first voxel beside it that a step has emptied; False where there is none with the room."""
    volume = sum(float(box.lithium[place]) for place in crumb)
    for place in crumb:
        for axis in range(3):
            for side in (-1, 1):
                foot = box.beside(place, axis, side)
                if foot is None or before.state[foot] != LIVE or box.lithium[foot] > LEAST_LITHIUM:
                    continue
                if volume <= box.capacity(place_of(foot, box.lithium.shape)):
                    _hang(box, before, foot, crumb, volume)
                    return True
    return False


def _hang(box: Box, before: Before, foot: Place, crumb: list[Place], volume: float) -> None:
    for place in crumb:
        box.lithium[place] = 0.0
    box.lithium[foot] += volume
    box.grown[foot] = before.grown[foot]
    for axis in range(3):
        bit, neighbor = 4 >> axis, box.beside(foot, axis, -1)
        if neighbor is not None:
            box.grown[neighbor] |= before.grown[neighbor] & bit
