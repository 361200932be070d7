"""Lithium that stripping has cut off from all that is live sinks until it lies on something.

In a cell the separator presses on it. A body sinks straight down, as far as its lithium fits beside the host of the
voxels that it comes into. Lithium is soft: what stands on less than a share of its footprint sinks on while those
columns of it give way. Whether it conducts to what it then touches is drawn as for all that touches.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from interlith.deposit.box import Box
from interlith.deposit.film import Before
from interlith.deposit.solver.kernels import kernel
from interlith.deposit.solver.labels import components
from interlith.deposit.surfaces import BRIDGED, DEAD, LEAST_LITHIUM, LIVE, NONE, STRETCH

MOST_ROUNDS = 20
INNER = (slice(1, -1),) * 3
BEARING = 0.1  # share of the footprint that bears: pressure on it (0.1 to 0.3 MPa) over lithium's hardness (some MPa)
LINKS = 7  # bits of `grown` that join lithium to lithium
Labels = NDArray[np.int32]


def sink(box: Box, before: Before) -> None:
    """Let down what no live lithium holds, in the box and in what it held before; settle the box."""
    if not (box.state[INNER] == DEAD).any():
        return
    for _ in range(MOST_ROUNDS):
        labels = components(box.lithium[INNER] > LEAST_LITHIUM, box.team, is_periodic=box.ground.is_periodic)
        if not _let_down(box, before, labels):
            return
        box.settle()


def _let_down(box: Box, before: Before, labels: Labels) -> bool:
    """Lower each body without live lithium as far as it goes, the lowest first; False where all stay."""
    is_kept = np.zeros(labels.size + 1, dtype=np.bool_)
    is_kept[labels[box.state[INNER] == LIVE]] = True
    places = np.nonzero((labels > 0) & ~is_kept[labels])
    which = labels[places]
    if not which.size:
        return False
    order = np.argsort(which, kind="stable")
    ends = np.flatnonzero(np.diff(which[order], append=-1)) + 1
    moved = False
    for body in np.split(order, ends[:-1]):
        z, y, x = (axis[body] + 1 for axis in places)
        top, columns = int(z.max()) + 1, np.unique(np.stack([y, x], axis=1), axis=0)
        is_body = np.zeros((top + 1, len(columns)), dtype=np.bool_)
        place = np.searchsorted(columns[:, 0] * box.lithium.shape[2] + columns[:, 1], y * box.lithium.shape[2] + x)
        is_body[z, place] = True
        own = (box.host, box.planes, box.lithium, box.grown, before.lithium, before.state)
        moved = bool(_lower(*own, is_body, columns, BEARING)) or moved
    return moved


@kernel
def _lower(host, planes, lithium, grown, old, state, is_body, columns, bearing):  # type: ignore[no-untyped-def]
    """Lower a body by one plane after another until enough of its columns bear it; how many planes it went.

    is_body: bool[z, column]; columns: y and x of each, with rim.
    """
    runs = np.empty((is_body.size // 2 + is_body.shape[1], 3), dtype=np.int64)
    is_free = np.empty(len(runs), dtype=np.bool_)
    far = 0
    while True:
        n_runs, n_free = _runs(is_body, runs), 0
        for n in range(n_runs):
            c, first, last = runs[n]
            is_free[n] = _is_free(host, planes, lithium, first, last, columns[c, 0], columns[c, 1])
            n_free += is_free[n]
        if n_runs - n_free >= bearing * n_runs:
            return far
        for n in range(n_runs):
            c, first, last = runs[n]
            for at in range(first, last + 1 if is_free[n] else first):
                _move(lithium, grown, old, state, at, columns[c, 0], columns[c, 1])
                is_body[at, c] = False
                is_body[at - 1, c] = True
        far += 1


@kernel
def _runs(is_body, runs):  # type: ignore[no-untyped-def]
    """Column, first and last voxel of each run of a column, from below; how many there are."""
    n = 0
    for c in range(is_body.shape[1]):
        for k in range(1, is_body.shape[0]):
            if not is_body[k, c]:
                continue
            if not is_body[k - 1, c]:
                runs[n, 0], runs[n, 1] = c, k
                n += 1
            runs[n - 1, 2] = k
    return n


@kernel
def _is_free(host, planes, lithium, first, last, j, i):  # type: ignore[no-untyped-def]
    """Whether a run of a column has room one plane lower."""
    if first == 1:
        return False
    for k in range(first, last + 1):
        other = lithium[k - 1, j, i] if k == first else 0.0
        if other > BRIDGED or lithium[k, j, i] + other > planes[k - 1, STRETCH] - host[k - 1, j, i]:
            return False
    return True


@kernel
def _move(lithium, grown, old, state, k, j, i):  # type: ignore[no-untyped-def]
    """Move what is in a voxel into the one under it."""
    lithium[k - 1, j, i] += lithium[k, j, i]
    old[k - 1, j, i] += old[k, j, i]
    grown[k - 1, j, i] = (grown[k - 1, j, i] | grown[k, j, i]) & LINKS
    state[k - 1, j, i] = max(state[k - 1, j, i], state[k, j, i])
    lithium[k, j, i], old[k, j, i], grown[k, j, i], state[k, j, i] = 0.0, 0.0, 0, NONE
