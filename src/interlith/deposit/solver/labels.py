"""Which voxels hang together: components over faces that join, sides that repeat included.

The label of a component is its first voxel, counted from 1 through [z, y, x], so that labels do not depend on the
number of threads, nor on whether a GPU finds them. Union by the smaller root (Hoshen and Kopelman, Phys. Rev. B 14,
3438 (1976), doi:10.1103/PhysRevB.14.3438), in slabs of planes that are joined afterwards.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from interlith.deposit.solver.kernels import Array, kernel
from interlith.deposit.solver.team import Team
from interlith.errors import InputError

ALONG_X, ALONG_Y, ALONG_Z = 1, 2, 4  # bits of `joined`: the face to the next voxel in that direction
MOST_VOXELS = 2**31 - 2


def components(
    held: NDArray[np.bool_], team: Team, *, is_periodic: bool, joined: NDArray[np.uint8] | None = None
) -> NDArray[np.int32]:
    """int32[z, y, x]: the same number for all voxels of `held` that are joined by faces, 0 elsewhere.

    is_periodic: whether sides (y, x) repeat. joined: uint8[z, y, x], bits of the faces that join a voxel to the next
    one; all of them without it. Raises InputError for more voxels than a label can number.

    >>> row = np.array([[[True, False, True, True]]])
    >>> with Team(1) as team:
    ...     components(row, team, is_periodic=False).ravel().tolist()
    ...     components(row, team, is_periodic=True).ravel().tolist()
    [1, 0, 3, 3]
    [1, 0, 1, 1]
    """
    if held.size > MOST_VOXELS:
        raise InputError(f"{held.size} voxels: at most {MOST_VOXELS} can be told apart")
    if team.device == "cuda" and held.size:
        from interlith.deposit.solver import gpu_labels  # numba.cuda takes a second to load

        return gpu_labels.components(held, joined, is_periodic)
    labels = np.zeros(held.shape, dtype=np.int32)
    mask = np.ascontiguousarray(held)
    parts = [(a - 1, b - 1) for a, b in team.ranges(held.shape[0], held.size)]
    team.share(parts, lambda a, b: _label(mask, joined, labels, a, b))
    for first, _ in parts[1:]:
        _join_planes(joined, labels, first)
    if is_periodic:
        _join_sides(joined, labels)
    team.share(parts, lambda a, b: _flatten(labels, a, b))
    return labels


@kernel
def _root(flat: Array, label: int) -> int:
    while flat[label - 1] != label:
        label = flat[label - 1]
    return label


@kernel
def _union(flat: Array, one: int, other: int) -> None:
    one, other = _root(flat, one), _root(flat, other)
    if one < other:
        flat[other - 1] = one
    elif other < one:
        flat[one - 1] = other


@kernel
def _label(held: Array, joined: Array, labels: Array, first: int, last: int) -> None:
    """Components of some planes by themselves: a voxel points to the begin of its row's run, or to an earlier one."""
    ny, nx = held.shape[1], held.shape[2]
    flat = labels.reshape(-1)
    for k in range(first, last):
        for j in range(ny):
            run = 0
            left, under = 0, 0
            base = (k * ny + j) * nx
            for i in range(nx):
                if not held[k, j, i]:
                    run, left, under = 0, 0, 0
                    continue
                at = base + i
                if run and joined is not None and not joined[k, j, i - 1] & 1:
                    run, left, under = 0, 0, 0
                if not run:
                    run = at + 1
                flat[at] = run
                near = flat[at - nx] if j else 0
                if near and joined is not None and not joined[k, j - 1, i] & 2:
                    near = 0
                if near and near != left:
                    _union(flat, near, run)
                left = near
                near = flat[at - ny * nx] if k > first else 0
                if near and joined is not None and not joined[k - 1, j, i] & 4:
                    near = 0
                if near and near != under:
                    _union(flat, near, run)
                under = near


@kernel
def _join_planes(joined: Array, labels: Array, k: int) -> None:
    """Join plane k to the one below."""
    flat = labels.reshape(-1)
    for j in range(labels.shape[1]):
        for i in range(labels.shape[2]):
            if labels[k, j, i] and labels[k - 1, j, i] and (joined is None or joined[k - 1, j, i] & 4):
                _union(flat, labels[k, j, i], labels[k - 1, j, i])


@kernel
def _join_sides(joined: Array, labels: Array) -> None:
    """Join the last voxels of rows and columns to the first."""
    flat = labels.reshape(-1)
    nz, ny, nx = labels.shape
    for k in range(nz):
        for j in range(ny):
            if labels[k, j, 0] and labels[k, j, nx - 1] and (joined is None or joined[k, j, nx - 1] & 1):
                _union(flat, labels[k, j, 0], labels[k, j, nx - 1])
        for i in range(nx):
            if labels[k, 0, i] and labels[k, ny - 1, i] and (joined is None or joined[k, ny - 1, i] & 2):
                _union(flat, labels[k, 0, i], labels[k, ny - 1, i])


@kernel
def _flatten(labels: Array, first: int, last: int) -> None:
    """Each voxel of some planes gets its root; whether others have theirs yet makes no difference."""
    flat = labels.reshape(-1)
    n = labels.shape[1] * labels.shape[2]
    for at in range(first * n, last * n):
        if flat[at]:
            flat[at] = _root(flat, flat[at])
