"""Where lithium is put at first: on top of atoms, on bridges, in hollows, on a grid; each place once by symmetry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from interlith.surface.symmetry import Operation, apart, same_place

if TYPE_CHECKING:
    from ase import Atoms

    from interlith.surface.settings import Settings

SAME_START_A = 0.35
EXPOSED_A = 0.05
TOUCH = 0.95  # of the sum of covalent radii


def starts(slab: Atoms, ops: tuple[Operation, ...], settings: Settings) -> list[Any]:
    """float[3] for each start, on the surface that a rolling ball of the adsorbate's size touches.

    The grid is laid at random by the seed: other seeds begin elsewhere, and must end in the same minima.
    """
    cell = slab.cell.array
    places = [*_named(slab, settings.adsorbate), *_grid(cell, settings)]
    found: list[Any] = []
    for place in places:
        point = np.array([*place, height(slab, settings.adsorbate, place)])
        if not any(same_place(cell, ops, point, other, SAME_START_A) for other in found):
            found.append(point)
    return found


def height(slab: Atoms, adsorbate: str, place: Any) -> float:
    """Height at which a ball of the adsorbate's size, let down at a place in the plane, touches the slab, A."""
    return float(_touching(slab, adsorbate, place).max())


def touch_A(slab: Atoms, adsorbate: str) -> Any:
    """float[atom]: distance at which the adsorbate touches each atom, by covalent radii."""
    from ase.data import atomic_numbers, covalent_radii

    return TOUCH * (covalent_radii[slab.numbers] + covalent_radii[atomic_numbers[adsorbate]])


def _touching(slab: Atoms, adsorbate: str, place: Any) -> Any:
    """float[atom]: the height at which each atom would be touched; minus infinity for one that is passed by."""
    point = np.array([place[0], place[1], 0.0])
    away = apart(slab.cell.array, point, slab.positions)[:, :2]
    left = touch_A(slab, adsorbate) ** 2 - (away**2).sum(axis=1)
    return np.where(left >= 0, slab.positions[:, 2] + np.sqrt(np.maximum(left, 0.0)), -np.inf)


def _named(slab: Atoms, adsorbate: str) -> list[Any]:
    """Places on top, on bridges and in hollows of the atoms that are seen from above."""
    from scipy.spatial import Delaunay

    seen = np.array([slab.positions[i, :2] for i in _exposed(slab, adsorbate)])
    plane = slab.cell.array[:2, :2]
    around = np.array([[i, j] for i in (-1, 0, 1) for j in (-1, 0, 1)]) @ plane
    all_points = (seen[None, :, :] + around[:, None, :]).reshape(-1, 2)
    triangles = Delaunay(all_points).simplices
    middles = all_points[triangles].mean(axis=1)
    sides = [(t[a], t[b]) for t in triangles for a, b in ((0, 1), (1, 2), (0, 2))]
    bridges = [(all_points[a] + all_points[b]) / 2.0 for a, b in sides]
    inside = [place for place in (*bridges, *middles) if _is_in(place, plane)]
    return [*seen, *inside]


def _exposed(slab: Atoms, adsorbate: str) -> list[int]:
    """Atoms that the ball touches first when it comes down on them."""
    found = []
    for i, position in enumerate(slab.positions):
        touched = _touching(slab, adsorbate, position[:2])
        if touched[i] >= touched.max() - EXPOSED_A:
            found.append(i)
    return found


def _is_in(place: Any, plane: Any) -> bool:
    fraction = place @ np.linalg.inv(plane)
    return bool(((fraction > -0.01) & (fraction < 1.01)).all())


def _grid(cell: Any, settings: Settings) -> list[Any]:
    plane = cell[:2, :2]
    n = [max(1, int(np.ceil(length / settings.grid_A))) for length in np.linalg.norm(plane, axis=1)]
    offset = np.random.default_rng(settings.seed).random(2)
    steps = [(i, j) for i in range(n[0]) for j in range(n[1])]
    return [np.array([(i + offset[0]) / n[0], (j + offset[1]) / n[1]]) @ plane for i, j in steps]
