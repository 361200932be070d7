"""Sites of a face and the hops between them: neighbors, hops that are one by symmetry, and the way across the face.

A node is a site in the cell of the slab; an edge leads to a node of this cell or, by its offset, of another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import combinations
from math import gcd
from typing import Any

import numpy as np

from interlith.surface.symmetry import Operation, distances

SAME_NODE_A = 0.25
BLOCKS = 1.01  # of the radius: a site nearer to the middle of a hop, or as near as its ends, stands in its way
CELLS = (-2, -1, 0, 1, 2)
Edge = tuple[int, int, int, int]  # from, to, and by how many cells


@dataclass(frozen=True)
class Node:
    """A copy of a site. site: which; operation: the one that puts the site's own copy here, whole cells aside."""

    site: int
    operation: int
    place_A: Any  # float[3]


@dataclass(frozen=True)
class Barrier:
    """The smallest barrier with which lithium travels any distance, from the best site, eV.

    anywhere_eV: along some direction; first_eV, second_eV: with a part along the first and second vector of the surface
    cell; everywhere_eV: to every copy of the site. None where no known way leads there. way: edges of the way that
    anywhere_eV belongs to.
    """

    anywhere_eV: float | None
    first_eV: float | None
    second_eV: float | None
    everywhere_eV: float | None
    way: tuple[Edge, ...] = ()


def nodes_of(cell: Any, ops: Sequence[Operation], sites: Sequence[Any]) -> list[Node]:
    """All copies of the sites, float[3] each, in one cell of the slab."""
    plane = np.asarray(cell)[:2, :2]
    found: list[Node] = []
    for site, place in enumerate(sites):
        for number, one in enumerate(ops):
            moved = one.moved(place)
            cells = -np.floor(moved[:2] @ np.linalg.inv(plane) + 1e-6).astype(int)
            here = moved + np.array([*(cells @ plane), 0.0])
            known = [node.place_A for node in found if node.site == site]
            if not known or distances(cell, here, np.array(known)).min() > SAME_NODE_A:
                found.append(Node(site, number, here))
    return found


def neighbor_edges(cell: Any, nodes: Sequence[Node], longest_A: float) -> list[Edge]:
    """Every hop to a neighbor, also by lattice vectors: no third site lies in, or on, the circle over it.

    This is the Gabriel graph of the plane; the diagonals of a rectangle, over which two other sites lie as near as the
    ends do, are not hops of it.
    """
    plane = np.asarray(cell)[:2, :2]
    flat = np.array([node.place_A[:2] for node in nodes])
    shifts = np.array([[i, j] for i in CELLS for j in CELLS])
    everywhere = (flat[None, :, :] + (shifts @ plane)[:, None, :]).reshape(-1, 2)
    found: list[Edge] = []
    for i, here in enumerate(flat):
        for number, there in enumerate(everywhere):
            j, (m, n) = number % len(flat), shifts[number // len(flat)]
            length = float(np.linalg.norm(there - here))
            if length > longest_A or length < 1e-6 or forward(edge := (i, j, int(m), int(n))) != edge:
                continue
            near = np.linalg.norm(everywhere - (here + there) / 2.0, axis=1) < BLOCKS * length / 2.0
            near[[i + len(flat) * (len(shifts) // 2), number]] = False
            if not near.any():
                found.append(edge)
    return found


def forward(edge: Edge) -> Edge:
    """An edge and its reverse told in one way.

    >>> forward((1, 0, 0, 1)), forward((0, 0, -1, 0))
    ((0, 1, 0, -1), (0, 0, 1, 0))
    """
    i, j, m, n = edge
    return edge if (i, 0, 0) < (j, 0, 0) or (i == j and (m, n) >= (0, 0)) else (j, i, -m, -n)


def classes_of(
    cell: Any, ops: Sequence[Operation], nodes: Sequence[Node], edges: Sequence[Edge]
) -> dict[Edge, tuple[Edge, bool]]:
    """For each edge the first that symmetry makes equal to it, and whether that one runs the other way."""
    maps = [(_moved_nodes(cell, one, nodes), _moved_cells(cell, one)) for one in ops]
    known: dict[Edge, tuple[Edge, bool]] = {}
    for edge in sorted(edges):
        if edge in known:
            continue
        known[edge] = (edge, False)
        for mapped, turned in maps:
            other = _moved_edge(mapped, turned, edge)
            if other is not None:
                known.setdefault(forward(other), (edge, forward(other) != other))
    return {edge: known[edge] for edge in edges}


def percolation(n_nodes: int, edges: Mapping[Edge, float], site_energy: Sequence[float], best: int) -> Barrier:
    """The barriers with which lithium leaves `best` and never has to stop; edges hold the energies of their saddles.

    Edges are added from the lowest saddle up. Each node knows by how many cells it lies from the root of its group;
    an edge within a group closes a loop, and the loop's sum of cells is a translation that lithium can repeat for ever.

    >>> percolation(1, {(0, 0, 1, 0): 0.3, (0, 0, 0, 1): 0.5}, [0.1], 0).everywhere_eV
    0.4
    """
    root = list(range(n_nodes))
    off = [np.zeros(2, int) for _ in range(n_nodes)]
    loops: dict[int, list[Any]] = {i: [] for i in range(n_nodes)}
    found: dict[str, float] = {}
    below = site_energy[best]
    for edge, saddle in sorted(edges.items(), key=lambda item: (item[1], item[0])):
        _join(root, off, loops, edge)
        _note(found, loops[root[best]], round(saddle - below, 9))
        if "everywhere" in found:
            break
    way = _way(edges, best, below + found["anywhere"] + 1e-9) if "anywhere" in found else ()
    return Barrier(found.get("anywhere"), found.get("first"), found.get("second"), found.get("everywhere"), way)


def _moved_nodes(cell: Any, one: Operation, nodes: Sequence[Node]) -> list[tuple[int, int, int] | None]:
    """For each node the node it becomes, and in which cell."""
    places = np.array([node.place_A for node in nodes])
    plane_inverse = np.linalg.inv(np.asarray(cell)[:2, :2])
    found: list[tuple[int, int, int] | None] = []
    for node in nodes:
        moved = one.moved(node.place_A)
        away = distances(cell, moved, places)
        same = [int(j) for j in np.argsort(away) if nodes[j].site == node.site and away[j] < 2 * SAME_NODE_A]
        if not same:
            found.append(None)
            continue
        cells = np.round((moved - places[same[0]])[:2] @ plane_inverse).astype(int)
        found.append((same[0], int(cells[0]), int(cells[1])))
    return found


def _moved_cells(cell: Any, one: Operation) -> Any:
    """int[2, 2]: what an operation makes of steps by cells, as rows."""
    plane = np.asarray(cell)[:2, :2]
    return np.round(plane @ one.turn[:2, :2].T @ np.linalg.inv(plane)).astype(int)


def _moved_edge(mapped: Sequence[tuple[int, int, int] | None], turned: Any, edge: Edge) -> Edge | None:
    begin, end = mapped[edge[0]], mapped[edge[1]]
    if begin is None or end is None:
        return None
    cells = np.array(edge[2:]) @ turned + np.array(end[1:]) - np.array(begin[1:])
    return begin[0], end[0], int(cells[0]), int(cells[1])


def _join(root: list[int], off: list[Any], loops: dict[int, list[Any]], edge: Edge) -> None:
    """Add an edge: two groups become one, or a group gets a loop."""
    i, j, cells = edge[0], edge[1], np.array(edge[2:])
    if root[i] == root[j]:
        loop = off[i] + cells - off[j]
        if loop.any():
            loops[root[i]].append(loop)
        return
    old, new = root[j], root[i]
    shift = off[i] + cells - off[j]
    for node in range(len(root)):
        if root[node] == old:
            root[node], off[node] = new, off[node] + shift
    loops[new] += loops.pop(old)


def _note(found: dict[str, float], loops: Sequence[Any], barrier: float) -> None:
    if loops:
        found.setdefault("anywhere", barrier)
    if any(loop[0] for loop in loops):
        found.setdefault("first", barrier)
    if any(loop[1] for loop in loops):
        found.setdefault("second", barrier)
    if gcd(*(int(a[0] * b[1] - a[1] * b[0]) for a, b in combinations(loops, 2))) == 1:
        found.setdefault("everywhere", barrier)  # the loops span every cell, not only each second one


def _way(edges: Mapping[Edge, float], best: int, highest: float) -> tuple[Edge, ...]:
    """The way of fewest hops, below a height, from a node to a copy of it in another cell."""
    steps: dict[int, list[Edge]] = {}
    for (i, j, m, n), saddle in edges.items():
        if saddle <= highest:
            steps.setdefault(i, []).append((i, j, m, n))
            steps.setdefault(j, []).append((j, i, -m, -n))
    start = (best, 0, 0)
    came: dict[tuple[int, int, int], tuple[tuple[int, int, int], Edge]] = {}
    queue: list[tuple[int, tuple[int, int, int]]] = [(0, start)]
    seen = {start}
    while queue:
        n_hops, here = heappop(queue)
        if here[0] == best and here != start:
            return _traced(came, start, here)
        for edge in sorted(steps.get(here[0], [])):
            there = (edge[1], here[1] + edge[2], here[2] + edge[3])
            if there not in seen and max(abs(there[1]), abs(there[2])) <= 6:
                seen.add(there)
                came[there] = (here, edge)
                heappush(queue, (n_hops + 1, there))
    return ()


def _traced(came: Mapping[Any, Any], start: Any, end: Any) -> tuple[Edge, ...]:
    way: list[Edge] = []
    while end != start:
        end, edge = came[end]
        way.append(edge)
    return tuple(reversed(way))
