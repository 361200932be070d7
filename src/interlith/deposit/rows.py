"""Voxels of a box as one row, rim counted: a place is one number, a sixth of the memory of z, y and x."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.int32]


def in_a_row(array: NDArray[Any]) -> NDArray[Any]:
    """The voxels of an array [z, y, x] as a row, to be read and written by their places.

    >>> box = np.zeros((2, 2, 2))
    >>> in_a_row(box)[[1, 6]] = 1.0
    >>> box.sum(axis=(1, 2)).tolist()
    [1.0, 1.0]
    """
    assert array.flags.c_contiguous, "of a copy nothing that is written would come back"
    return array.reshape(-1)


def planes_of(places: Places, shape: tuple[int, ...]) -> Places:
    """The plane of each place.

    >>> planes_of(np.array([0, 5, 6], dtype=np.int32), (3, 2, 3)).tolist()
    [0, 0, 1]
    """
    found: Places = places // np.int32(shape[1] * shape[2])
    return found


def place_of(at: tuple[int, int, int], shape: tuple[int, ...]) -> Places:
    """The one place of a voxel.

    >>> place_of((1, 0, 2), (3, 2, 3)).tolist()
    [8]
    """
    return np.array([np.ravel_multi_index(at, shape)], dtype=np.int32)
