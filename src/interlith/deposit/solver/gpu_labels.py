"""Which voxels hang together, found by an NVIDIA GPU: the same labels as `labels.components`, voxel by voxel.

Union-find by the smaller root (Hoshen and Kopelman) with atomic minima: a voxel only ever points to one before it, so
that the root of a component is its first voxel in whatever order the threads come (after Jaiganesh and Burtscher, HPDC
2018, doi:10.1145/3208040.3208041).
"""

from __future__ import annotations

from typing import Any

import numba.cuda
import numpy as np
from numpy.typing import NDArray

cuda: Any = numba.cuda
Array = Any
BLOCK, MOST_BLOCKS = 256, 8192  # threads of a block, and blocks; a thread does several voxels of a larger box


@cuda.jit(device=True)
def _root(flat: Array, label: int) -> int:
    while flat[label - 1] != label:
        label = flat[label - 1]
    return label


@cuda.jit(device=True)
def _union(flat: Array, one: int, other: int) -> None:
    """Where the larger root has got a parent meanwhile, that one is joined as well."""
    one, other = _root(flat, one), _root(flat, other)
    while one != other:
        if one < other:
            one, other = other, one
        before = cuda.atomic.min(flat, one - 1, other)
        if before == one:
            return
        one, other = _root(flat, before), _root(flat, other)


@cuda.jit
def begin(held: Array, flat: Array) -> None:
    """Each voxel for itself: its number from 1, 0 where none is held."""
    for at in range(cuda.grid(1), flat.size, cuda.gridsize(1)):
        flat[at] = at + 1 if held[at] else 0


@cuda.jit
def join(flat: Array, joined: Array, has_joined: bool, shape: tuple[int, int, int], is_periodic: bool) -> None:
    """Join each voxel to the next one along x, y and z; bits 1, 2, 4 of `joined` where it has any."""
    nz, ny, nx = shape
    for at in range(cuda.grid(1), flat.size, cuda.gridsize(1)):
        if flat[at] == 0:
            continue
        bits = joined[at] if has_joined else 7
        k, j, i = at // (nx * ny), at // nx % ny, at % nx
        if bits & 1 and (i < nx - 1 or is_periodic):
            right = at + 1 if i < nx - 1 else at - i
            if flat[right]:
                _union(flat, at + 1, right + 1)
        if bits & 2 and (j < ny - 1 or is_periodic):
            behind = at + nx if j < ny - 1 else at - j * nx
            if flat[behind]:
                _union(flat, at + 1, behind + 1)
        if bits & 4 and k < nz - 1 and flat[at + nx * ny]:
            _union(flat, at + 1, at + nx * ny + 1)


@cuda.jit
def flatten(flat: Array) -> None:
    """Each voxel gets its root; whether others have theirs yet makes no difference."""
    for at in range(cuda.grid(1), flat.size, cuda.gridsize(1)):
        if flat[at]:
            flat[at] = _root(flat, flat[at])


def components(held: NDArray[np.bool_], joined: NDArray[np.uint8] | None, is_periodic: bool) -> NDArray[np.int32]:
    """int32[z, y, x] as `labels.components` gives it."""
    launch = min(-(-held.size // BLOCK), MOST_BLOCKS), BLOCK
    flat = cuda.device_array(held.size, dtype=np.int32)
    faces = cuda.to_device(np.zeros(1, dtype=np.uint8) if joined is None else np.ascontiguousarray(joined).ravel())
    begin[launch](cuda.to_device(np.ascontiguousarray(held).ravel()), flat)
    join[launch](flat, faces, joined is not None, held.shape, is_periodic)
    flatten[launch](flat)
    found: NDArray[np.int32] = flat.copy_to_host().reshape(held.shape)
    return found
