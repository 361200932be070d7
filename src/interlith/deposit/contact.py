"""Which lithium conducts to the collector: contacts that grew, and contacts that are drawn by a law.

Lithium conducts to what it was plated on. To what it merely touches, another body of lithium or a surface of the host,
it conducts with a probability that belongs to the two, drawn once per pair of patches by a counter. "What touches
conducts" is a probability of 1, and then hardly any lithium dies in any host: the probabilities decide what is dead,
and have to be calibrated.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from interlith.deposit.patches import Lattice, uniform
from interlith.deposit.solver.kernels import kernel
from interlith.deposit.solver.labels import components
from interlith.deposit.solver.team import Team
from interlith.deposit.surfaces import BARE, DEAD, LEAST_LITHIUM, LITHIUM, LIVE, METAL

Chances = NDArray[np.float64]
Bits = NDArray[np.uint16]
# bits of `may`, per face to the next voxel along x, y, z: lithium to lithium; lithium here to host there; the reverse
LITHIUM_BIT, HERE_BIT, THERE_BIT, WITHIN_BIT = (1, 2, 4), (8, 16, 32), (64, 128, 256), 512
ROOTED = 8  # bit of `grown`: was plated on joined host or collector; 1, 2, 4: on or under the next voxel along x, y, z
CONTACT_STREAM = 16


def drawn_contacts(kind: NDArray[np.uint8], chance: Chances, lattice: Lattice, seed: int, first: int = 0) -> Bits:
    """uint16[z, y, x] with a rim: which faces conduct when both sides touch. kind: class of host, with a rim.

    first: plane of the lattice's box, rim counted, with which kind begins; the last one has no faces to the next.
    chance: float64[class], probability that lithium that touches the class conducts to it. Lithium of one cell of the
    lattice is one body.
    """
    may = np.zeros(kind.shape, dtype=np.uint16)
    cells = [np.concatenate([[-1], c, c[-1:] + 1]) for c in (lattice.cell(axis) for axis in range(3))]
    cells[0] = cells[0][first : first + len(kind)]
    if lattice.is_periodic:
        for c in cells[1:]:
            c[0], c[-1] = c[-2], c[1]
    grid = lattice.open_grid(cells)
    inside = uniform(seed, CONTACT_STREAM, *grid) < chance[kind]
    may[inside] |= WITHIN_BIT
    for number, axis in enumerate((2, 1, 0)):
        here, there = _sides(axis)
        draw = uniform(seed, CONTACT_STREAM + 1 + number, *grid)[here]
        one_body = np.broadcast_to(np.diff(grid[axis], axis=axis) == 0, draw.shape)
        bits = np.where(one_body | (draw < chance[METAL]), LITHIUM_BIT[number], 0)
        bits |= np.where(draw < chance[kind[there]], HERE_BIT[number], 0)
        bits |= np.where(draw < chance[kind[here]], THERE_BIT[number], 0)
        may[here] |= bits.astype(np.uint16)
    return may


def _sides(axis: int) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Voxels but the last along an axis, and the next ones of each."""
    here = tuple(slice(0, -1) if a == axis else slice(None) for a in range(3))
    there = tuple(slice(1, None) if a == axis else slice(None) for a in range(3))
    return here, there


@kernel
def take_root(host, joined, lithium, solid, fresh, grown, first, last):  # type: ignore[no-untyped-def]
    """Note what the lithium that was just begun in a voxel grew on: full lithium beside it, host or collector.

    fresh: voxels that had no lithium before; solid: as it was before.
    """
    for k in range(first, last):
        for j in range(1, host.shape[1] - 1):
            for i in range(1, host.shape[2] - 1):
                for axis in range(3):
                    kk, jj, ii = k + (axis == 2), j + (axis == 1), i + (axis == 0)
                    up = fresh[k, j, i] and solid[kk, jj, ii] == LITHIUM
                    down = fresh[kk, jj, ii] and solid[k, j, i] == LITHIUM
                    if up or down:
                        grown[k, j, i] |= 1 << axis
                if not fresh[k, j, i]:
                    continue
                own = host[k, j, i] if joined[k, j, i] else 0.0
                for axis in range(3):
                    for side in (-1, 1):
                        kk, jj, ii = k + side * (axis == 2), j + side * (axis == 1), i + side * (axis == 0)
                        if solid[kk, jj, ii] == BARE or own > host[kk, jj, ii]:
                            grown[k, j, i] |= ROOTED


@kernel
def touching(lithium, joined, may, grown, held, rooted, links, first, last):  # type: ignore[no-untyped-def]
    """Where lithium is, where it conducts to joined host or collector, and its conducting faces to the next voxels.

    held, rooted, links have no rim. What grew is forgotten where the lithium is gone.
    """
    for k in range(first, last):
        for j in range(1, lithium.shape[1] - 1):
            for i in range(1, lithium.shape[2] - 1):
                held[k - 1, j - 1, i - 1], rooted[k - 1, j - 1, i - 1], links[k - 1, j - 1, i - 1] = False, False, 0
                if lithium[k, j, i] <= LEAST_LITHIUM:
                    grown[k, j, i] = 0
                    continue
                held[k - 1, j - 1, i - 1] = True
                at_root = (grown[k, j, i] & ROOTED) != 0 or (joined[k, j, i] and (may[k, j, i] & WITHIN_BIT) != 0)
                for axis in range(3):
                    dz, dy, dx = axis == 2, axis == 1, axis == 0
                    kk, jj, ii = k + dz, j + dy, i + dx
                    if lithium[kk, jj, ii] > LEAST_LITHIUM:
                        if ((grown[k, j, i] | may[k, j, i]) & (1 << axis)) != 0:
                            links[k - 1, j - 1, i - 1] |= 1 << axis
                    else:
                        grown[k, j, i] &= 255 - (1 << axis)
                    at_root = at_root or (joined[kk, jj, ii] and (may[k, j, i] & (8 << axis)) != 0)
                    kk, jj, ii = k - dz, j - dy, i - dx
                    at_root = at_root or (joined[kk, jj, ii] and (may[kk, jj, ii] & (64 << axis)) != 0)
                rooted[k - 1, j - 1, i - 1] = at_root


@kernel
def _marked(labels, wanted, is_in):  # type: ignore[no-untyped-def]
    """is_in[label]: whether one of the voxels wanted has it. No rims."""
    for k in range(labels.shape[0]):
        for j in range(labels.shape[1]):
            for i in range(labels.shape[2]):
                if wanted[k, j, i]:
                    is_in[labels[k, j, i]] = True


@kernel
def _told(labels, is_in, yes, no, found, first, last):  # type: ignore[no-untyped-def]
    """found, which has a rim: `yes` where the label of a voxel is in, `no` where it is not, 0 without a label."""
    for k in range(first, last):
        for j in range(labels.shape[1]):
            for i in range(labels.shape[2]):
                label = labels[k, j, i]
                found[k + 1, j + 1, i + 1] = 0 if label == 0 else (yes if is_in[label] else no)


def state_of_lithium(
    lithium: Chances,
    joined: NDArray[np.uint8],
    may: Bits,
    grown: NDArray[np.uint8],
    state: NDArray[np.uint8],
    is_periodic: bool,
    team: Team,
) -> NDArray[np.int32]:
    """Write into state, with a rim, NONE, LIVE where lithium conducts to the collector, or DEAD where it does not.

    Gives the label of the body that each belongs to, int32[z, y, x] without a rim. The arrays given have rims; joined:
    host, and under the first plane collector, that conducts to the collector.
    """
    shape = tuple(n - 2 for n in lithium.shape)
    held, rooted = np.empty(shape, dtype=np.bool_), np.empty(shape, dtype=np.bool_)
    links = np.empty(shape, dtype=np.uint8)
    parts = team.ranges(shape[0], held.size)
    team.share(parts, lambda a, b: touching(lithium, joined, may, grown, held, rooted, links, a, b))
    labels = components(held, team, is_periodic=is_periodic, joined=links)
    is_live = np.zeros(held.size + 1, dtype=np.bool_)
    _marked(labels, rooted, is_live)
    team.share(parts, lambda a, b: _told(labels, is_live, LIVE, DEAD, state, a - 1, b - 1))
    return labels


def joined_to(held: NDArray[np.bool_], plane: int, found: NDArray[np.uint8], is_periodic: bool, team: Team) -> None:
    """Write into found, with a rim, 1 for voxels that hang together with one of a plane, the first (0) or last (-1).

    >>> found = np.zeros((6, 3, 3), dtype=np.uint8)
    >>> with Team(1) as team:
    ...     joined_to(np.array([[[True]], [[True]], [[False]], [[True]]]), 0, found, False, team)
    >>> found[1:-1, 1, 1].tolist()
    [1, 1, 0, 0]
    """
    labels = components(held, team, is_periodic=is_periodic)
    is_in = np.zeros(held.size + 1, dtype=np.bool_)
    is_in[labels[plane]] = True
    is_in[0] = False
    parts = team.ranges(labels.shape[0], labels.size)
    team.share(parts, lambda a, b: _told(labels, is_in, 1, 0, found, a - 1, b - 1))
