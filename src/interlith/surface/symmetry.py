"""What leaves a slab as it is: the turns, mirrors and shifts in its plane, and where each puts every atom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from ase import Atoms

FLAT_A = 0.02
HELD_WITHIN_A = 0.15


@dataclass(frozen=True)
class Operation:
    """r -> turn r + shift, in the plane. order[i]: the atom of the slab that atom i becomes.

    turn: float[3, 3]; shift_A: float[3]; order: int[atom]; jump: int[atom, 2], by how many cells atom i lands off it.
    """

    turn: Any
    shift_A: Any
    order: Any
    jump: Any

    def moved(self, point: Any) -> Any:
        """Where a point goes, not wrapped."""
        return self.turn @ point + self.shift_A

    def moved_shifts(self, shifts: Any) -> Any:
        """Displacements of atoms, float[atom, 3], as they are after the operation."""
        found = np.empty_like(shifts)
        found[self.order] = shifts @ self.turn.T
        return found


def operations(atoms: Atoms, relaxed: Any = None) -> tuple[Operation, ...]:
    """All operations of a slab that keep its top on top; with relaxed positions, those that these obey too."""
    import spglib

    cell = (atoms.cell.array, atoms.get_scaled_positions(wrap=False), atoms.numbers)
    found = spglib.get_symmetry(cell, symprec=FLAT_A)
    if found is None:
        return (_operation(atoms, np.eye(3), np.zeros(3)),)
    vectors = atoms.cell.array.T
    kept = []
    for rotation, translation in zip(found["rotations"], found["translations"], strict=True):
        turn = vectors @ rotation @ np.linalg.inv(vectors)
        shift = vectors @ translation
        is_flat = np.allclose(turn[2], [0, 0, 1], atol=1e-3) and np.allclose(turn[:, 2], [0, 0, 1], atol=1e-3)
        height = shift[2] - atoms.cell.array[2, 2] * round(shift[2] / atoms.cell.array[2, 2])
        if is_flat and abs(height) < FLAT_A:
            kept.append(_operation(atoms, turn, np.array([shift[0], shift[1], 0.0])))
    if relaxed is None:
        return tuple(kept)
    moved = np.asarray(relaxed) - atoms.positions
    return tuple(one for one in kept if np.abs(one.moved_shifts(moved) - moved).max() < HELD_WITHIN_A)


def apart(cell: Any, first: Any, second: Any) -> Any:
    """float[..., 3]: from second to first, in the plane by the shortest way, for points float[..., 3]."""
    difference = np.asarray(first, float) - np.asarray(second, float)
    plane = np.asarray(cell, float)[:2, :2]
    near = difference[..., :2] - np.round(difference[..., :2] @ np.linalg.inv(plane)) @ plane
    around = np.array([[i, j] for i in (-1, 0, 1) for j in (-1, 0, 1)]) @ plane
    tried = near[..., None, :] + around
    best = np.argmin((tried**2).sum(-1), axis=-1)
    shortest = np.take_along_axis(tried, best[..., None, None], axis=-2)[..., 0, :]
    return np.concatenate([shortest, difference[..., 2:]], axis=-1)


def distances(cell: Any, first: Any, second: Any) -> Any:
    """float[...]: the shortest distance, periodic in the plane."""
    return np.linalg.norm(apart(cell, first, second), axis=-1)


def same_place(cell: Any, ops: tuple[Operation, ...], first: Any, second: Any, within_A: float) -> bool:
    """Whether an operation puts one point on the other."""
    moved = np.array([one.moved(first) for one in ops])
    return bool((distances(cell, moved, second) < within_A).any())


def _operation(atoms: Atoms, turn: Any, shift: Any) -> Operation:
    images = atoms.positions @ turn.T + shift
    separations = distances(atoms.cell.array, images[:, None, :], atoms.positions[None, :, :])
    order = separations.argmin(axis=1)
    off = (images - atoms.positions[order])[:, :2] @ np.linalg.inv(atoms.cell.array[:2, :2])
    return Operation(turn, shift, order, np.round(off).astype(int))
