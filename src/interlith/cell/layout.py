"""How a resolved cell is laid out: intervals, order of states, which rate depends on which state, what lies where."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from interlith.cell import account
from interlith.cell.lumped import Electrode
from interlith.cell.resolved import N_NODE, N_TOTALS, SALT, Depth, Gap, Pattern
from interlith.errors import InputError
from interlith.parts.cell import Collector, Foil, Host, Separator
from interlith.units import M_PER_UM

ACROSS = (account.POTENTIAL, SALT, account.PORES, account.DEAD_PORES)  # states that the next node's rates know
MOST_INTERVALS = 2000
OF_FRONT, OF_BACK = (account.TOP, account.DEAD_TOP), (account.FOIL,)


def record(part: Any) -> Any:
    """A named tuple of numbers as a record: compiled functions take it as one address, not as a copy of all fields."""
    return np.array([tuple(part)], dtype=[(name, np.float64) for name in part._fields]).view(np.recarray)[0]


@dataclass(frozen=True)
class Mesh:
    """Intervals of equal width in which host, separator and positive are resolved, and nodes of the particle."""

    n_host: int = 8
    n_separator: int = 6
    n_positive: int = 8
    n_particle: int = 12

    def __post_init__(self) -> None:
        for name, least in (("n_host", 1), ("n_separator", 2), ("n_positive", 2), ("n_particle", 3)):
            value = getattr(self, name)
            if not isinstance(value, int) or not least <= value <= MOST_INTERVALS:
                raise InputError(f"mesh.{name} = {value}: a whole number from {least} to {MOST_INTERVALS}")


def depth(part: Host | Collector | Foil, kernel: Electrode, first: int, mesh: Mesh) -> Depth:
    """An electrode over its depth; what is bare has one node."""
    host = part.interlayer if isinstance(part, Foil) else part
    inner = kernel._replace(area_top=0.0, area_foil=0.0)
    back, front = inner._replace(area_foil=kernel.area_foil), inner._replace(area_top=kernel.area_top)
    if not isinstance(host, Host):
        return Depth(1, first, 0.0, 1.0, back=record(kernel), inner=record(inner), front=record(kernel))
    edge_m = host.thickness_um * M_PER_UM / mesh.n_host
    return Depth(mesh.n_host + 1, first, edge_m, host.porosity, *map(record, (back, inner, front)))


def gap(separator: Separator, mesh: Mesh) -> Gap:
    """The separator in its intervals."""
    share = separator.porosity**separator.bruggeman
    return Gap(mesh.n_separator, separator.thickness_um * M_PER_UM / mesh.n_separator, separator.porosity, share)


def spread(y: NDArray[np.float64], w: Depth, c: Depth, gap: Gap, salt: float) -> NDArray[np.float64]:
    """The state of a resolved cell in which nothing varies with depth, from an account; salt in mol/m3."""
    found = np.full(n_states(w, c, gap), salt)
    for d, first in ((w, 0), (c, account.COUNTER)):
        for node in nodes(d):
            own = y[first : first + account.N_ELECTRODE].copy()
            own[[which for which in range(account.N_ELECTRODE) if which not in node.moved]] = 0.0
            found[node.state(0) : node.state(account.N_ELECTRODE)] = own
    found[-N_TOTALS:] = y[account.PASSED :]
    return found


@dataclass(frozen=True)
class Node:
    """One node of an electrode: its first state, and whether it is the front and the back."""

    electrode: Depth
    number: int
    front: bool
    back: bool

    @property
    def part(self) -> Electrode:
        """What the electrode is there."""
        if self.front:
            return self.electrode.front
        return self.electrode.back if self.back else self.electrode.inner

    def state(self, which: int) -> int:
        """Place of one of its states in y."""
        return self.number * N_NODE + which

    @property
    def solved(self) -> list[int]:
        """What of it any rate depends on, in the order of the band."""
        return [SALT, *solved(self.part, front=self.front, back=self.back)]

    @property
    def moved(self) -> list[int]:
        """What of it changes at all."""
        elsewhere = {*(() if self.front else OF_FRONT), *(() if self.back else OF_BACK)}
        return [which for which in range(N_NODE) if which not in elsewhere]


def solved(part: Electrode, *, front: bool, back: bool) -> list[int]:
    """The states of an electrode on which any rate depends: not totals, and nothing that it does not have."""
    asked = {
        account.POTENTIAL: True,
        account.PORES: part.area_pores > 0,
        account.DEAD_PORES: part.area_pores > 0,
        account.CONVERTED: part.oxide_C_per_m2 > 0,
        account.ALLOYED: part.oxide_C_per_m2 > 0,
        account.TOP: front,
        account.DEAD_TOP: front and (part.dead_ohm_m2_per_C > 0 or part.revival_top_per_s > 0),
        account.FOIL: back and part.area_foil > 0,
    }
    return [which for which, needed in asked.items() if needed]


def nodes(d: Depth) -> list[Node]:
    """From back to front."""
    last = d.n_nodes - 1
    return [Node(d, d.first + j, j == last, j == 0) for j in range(d.n_nodes)]


def gap_states(w: Depth, c: Depth, gap: Gap) -> list[int]:
    """The states that are c at the faces of the separator, its ends included, from the working electrode on."""
    inner = (c.first + c.n_nodes) * N_NODE
    front_w, front_c = (nodes(d)[-1].state(SALT) for d in (w, c))
    return [front_w, *range(inner, inner + gap.n_edges - 1), front_c]


def n_states(w: Depth, c: Depth, gap: Gap) -> int:
    """Length of y."""
    return (w.n_nodes + c.n_nodes) * N_NODE + gap.n_edges - 1 + N_TOTALS


def pattern(w: Depth, c: Depth, gap: Gap) -> Pattern:
    """What `Resolved.pattern` holds. At a held voltage the current watches the states listed last."""
    faces, total = gap_states(w, c, gap), n_states(w, c, gap)
    moves = dict(_moves(w, c, faces, total))
    columns = list(moves)
    place = np.full(total, -1)
    place[columns] = np.arange(len(columns))
    reach = [place[row] - m for m, k in enumerate(columns) for row in moves[k] if row < total and place[row] >= 0]
    colors = _colors([moves[k] for k in columns])
    rows = np.array([row for k in columns for row in moves[k]])
    solved_row = np.append(place, np.full(w.n_nodes + c.n_nodes, -1))[rows] >= 0
    fronts = [nodes(d)[-1] for d in (w, c)]
    watched = [node.state(which) for node in fronts for which in (account.POTENTIAL, *OF_FRONT)] + faces
    return Pattern(
        columns=np.array(columns),
        place=place,
        starts=np.cumsum([0, *(len(moves[k]) for k in columns)]),
        rows=rows,
        column_of=np.repeat(np.arange(len(columns)), [len(moves[k]) for k in columns]),
        banded=np.flatnonzero(solved_row),
        following=np.flatnonzero(~solved_row & (rows < total)),
        others=np.flatnonzero(place < 0),
        color_starts=np.cumsum([0, *map(len, colors)]),
        color_columns=np.array([m for color in colors for m in color]),
        watched=np.array(watched),
        faces=np.array(faces),
        kl=max(reach),
        ku=-min(reach),
    )


def _moves(w: Depth, c: Depth, faces: list[int], total: int) -> Iterator[tuple[int, list[int]]]:
    """Each state that is solved for, in the order in which it lies in the cell, and what it moves."""
    for d, line in ((w, nodes(w)), (None, None), (c, nodes(c)[::-1])):
        if d is None or line is None:
            for k in range(1, len(faces) - 1):
                yield faces[k], [faces[k - 1], faces[k], faces[k + 1]]
            continue
        beside = faces[1] if d is w else faces[-2]
        for node in line:
            own = [*(node.state(which) for which in node.moved), total + node.number]
            near = [n for n in line if abs(n.number - node.number) == 1]
            across = [n.state(which) for n in near for which in (account.POTENTIAL, SALT)]
            for which in node.solved:
                beyond = [beside] if node.front and which == SALT else []
                yield node.state(which), own + (across if which in ACROSS else []) + beyond


def _colors(moved: list[list[int]]) -> list[list[int]]:
    """Columns in groups of which no two move the same row, first fit (Curtis, Powell and Reid, 1974)."""
    groups: list[tuple[set[int], list[int]]] = []
    for m, rows in enumerate(moved):
        fitting = next((group for group in groups if group[0].isdisjoint(rows)), None)
        if fitting is None:
            groups.append((set(rows), [m]))
        else:
            fitting[0].update(rows)
            fitting[1].append(m)
    return [members for _, members in groups]
