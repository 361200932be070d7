"""Numbers drawn once per place: of patches in space, the same whatever the voxels, the height or the threads.

Each number is a hash of its place on a lattice, of the seed and of what it is for (SplitMix64; Steele, Lea and Flood,
OOPSLA 2014, doi:10.1145/2660193.2660195). Sides (y, x) may repeat; the lattice is then stretched to fit the box.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

GOLDEN, FIRST, SECOND = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
BITS_OF_A_DOUBLE = 53
Words = NDArray[np.uint64]
Floats = NDArray[np.float64]


def uniform(seed: int, stream: int, *places: NDArray[np.int64]) -> Floats:
    """A number between 0 and 1 for each place, whose coordinates are arrays that broadcast.

    >>> here = uniform(1, 0, np.arange(3), np.array([5]))
    >>> bool((here == uniform(1, 0, np.arange(3), np.array([5]))).all()), len(set(here))
    (True, 3)
    """
    word = _mixed(_mixed(np.array([seed], dtype=np.int64).view(np.uint64)) ^ np.uint64(stream))
    for place in places:
        word = _mixed(word ^ place.astype(np.int64).view(np.uint64))
    found: Floats = ((word >> np.uint64(64 - BITS_OF_A_DOUBLE)).astype(np.float64) + 0.5) * 0.5**BITS_OF_A_DOUBLE
    return found


def _mixed(word: Words) -> Words:
    word = word + GOLDEN
    word = (word ^ (word >> np.uint64(30))) * FIRST
    word = (word ^ (word >> np.uint64(27))) * SECOND
    mixed: Words = word ^ (word >> np.uint64(31))
    return mixed


def normal(seed: int, stream: int, *places: NDArray[np.int64]) -> Floats:
    """A number of a standard normal distribution for each place (Box and Muller)."""
    one, other = (uniform(seed, stream, *places, np.array([which], dtype=np.int64)) for which in (0, 1))
    found: Floats = np.sqrt(-2.0 * np.log(one)) * np.cos(2.0 * np.pi * other)
    return found


@dataclass(frozen=True)
class Lattice:
    """Cells of about size_um in a box of voxels; along y and x a whole number of them where sides repeat.

    first: plane of the box with which the voxels of that shape begin.
    """

    shape: tuple[int, int, int]
    voxel_um: float
    size_um: float
    is_periodic: bool
    first: int = 0

    def pitch(self, axis: int) -> float:
        """Cells per voxel."""
        n = self.shape[axis]
        if axis == 0 or not self.is_periodic:
            return self.voxel_um / self.size_um
        return max(1, round(n * self.voxel_um / self.size_um)) / n

    def n_cells(self, axis: int) -> int:
        """Cells that lie in the box, a last one that does not quite fit included."""
        return int(np.ceil(self.shape[axis] * self.pitch(axis) - 1e-9))

    def cell(self, axis: int) -> NDArray[np.int64]:
        """int64[voxel along axis], the cell that a voxel's center lies in."""
        return np.floor(self._at(axis)).astype(np.int64)

    def _at(self, axis: int) -> Floats:
        """Where the centers of voxels lie, in cells."""
        begin = self.first if axis == 0 else 0
        centers = np.arange(begin, begin + self.shape[axis], dtype=np.float64) + 0.5
        return centers * self.pitch(axis)

    def open_grid(self, cells: Sequence[NDArray[np.int64]]) -> tuple[NDArray[np.int64], ...]:
        """Cells along z, y and x as arrays that broadcast to [z, y, x]."""
        return tuple(np.reshape(c, [-1 if a == axis else 1 for a in range(3)]) for axis, c in enumerate(cells))

    def drawn(self, seed: int, stream: int) -> Floats:
        """float64[z, y, x], between 0 and 1, the same in all voxels of a cell."""
        return uniform(seed, stream, *self.open_grid([self.cell(axis) for axis in range(3)]))

    def smooth(self, seed: int, stream: int) -> Floats:
        """float64[z, y, x], mean 0 and variance 1 everywhere, smooth over a cell.

        Normal numbers at the corners of the cells, weighted by 3 t^2 - 2 t^3 between them and scaled to variance 1.
        """
        cells = [self.cell(axis) for axis in range(3)]
        nodes = [np.arange(cell[0], cell[-1] + 2) for cell in cells]
        field = normal(seed, stream, *self.open_grid(nodes))
        for axis, cell in enumerate(cells):
            following = cell + 1 - cell[0]
            if axis > 0 and self.is_periodic:
                following %= self.n_cells(axis)
            upper = self._at(axis) - cell
            upper = upper * upper * (3.0 - 2.0 * upper)
            wide = np.hypot(upper, 1.0 - upper)
            others = [other for other in range(3) if other != axis]
            less, more = (np.expand_dims(one / wide, others) for one in (1.0 - upper, upper))
            field = less * np.take(field, cell - cell[0], axis) + more * np.take(field, following, axis)
        return field
