"""Sites and hops of a face: the way across it against brute force, symmetry and neighbors against counting by hand."""

from collections import deque
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx

pytest.importorskip("ase")
pytest.importorskip("spglib")

from ase.build import fcc100, fcc111

from interlith.surface.graph import classes_of, forward, neighbor_edges, nodes_of, percolation
from interlith.surface.symmetry import apart, distances, operations

pytestmark = pytest.mark.filterwarnings("ignore:Set OLD_ERROR_HANDLING:DeprecationWarning")
STEPS = np.array([[i, j] for i in range(-24, 25) for j in range(-14, 15)])
REACH = 3  # cells around the first, in which the brute force walks


# ---- the way across, by brute force ----------------------------------------------------------------------------------


def reached(n_nodes, edges, saddles, threshold, best):
    """Cells (m, n) in which `best` is reached from `best` in cell (0, 0), over saddles up to a threshold."""
    steps = {i: [] for i in range(n_nodes)}
    for (i, j, m, n), saddle in zip(edges, saddles, strict=True):
        if saddle <= threshold:
            steps[i].append((j, m, n))
            steps[j].append((i, -m, -n))
    seen, queue = {(best, 0, 0)}, deque([(best, 0, 0)])
    while queue:
        i, a, b = queue.popleft()
        for j, m, n in steps[i]:
            there = (j, a + m, b + n)
            if there not in seen and max(abs(there[1]), abs(there[2])) <= REACH * n_nodes:
                seen.add(there)
                queue.append(there)
    return {(a, b) for i, a, b in seen if i == best and (a, b) != (0, 0)}


def brute_force(n_nodes, edges, saddles, site_energy, best):
    """anywhere, first, second, two directions: the lowest threshold of each, found by trying all."""
    found = dict.fromkeys(("anywhere", "first", "second", "everywhere"))
    for threshold in sorted(set(saddles)):
        cells = reached(n_nodes, edges, saddles, threshold, best)
        is_met = {
            "anywhere": bool(cells),
            "first": any(a for a, _ in cells),
            "second": any(b for _, b in cells),
            "everywhere": {(1, 0), (0, 1)} <= cells,
        }
        for key, met in is_met.items():
            if met and found[key] is None:
                found[key] = threshold - site_energy[best]
    return found


@st.composite
def graphs(draw):
    n_nodes = draw(st.integers(1, 4))
    site_energy = draw(st.lists(st.floats(-1, 0), min_size=n_nodes, max_size=n_nodes))
    node, cell = st.integers(0, n_nodes - 1), st.integers(-1, 1)
    edges = draw(st.sets(st.tuples(node, node, cell, cell), max_size=8))
    edges = sorted({forward(edge) for edge in edges if edge[0] != edge[1] or edge[2:] != (0, 0)})
    saddles = draw(st.lists(st.integers(1, 6), min_size=len(edges), max_size=len(edges)))
    return n_nodes, edges, [value / 10 for value in saddles], site_energy, int(np.argmin(site_energy))


@settings(max_examples=150, deadline=None)
@given(graph=graphs())
def test_percolation_is_what_trying_every_threshold_finds(graph):
    n_nodes, edges, saddles, site_energy, best = graph
    got = percolation(n_nodes, dict(zip(edges, saddles, strict=True)), site_energy, best)
    want = brute_force(n_nodes, edges, saddles, site_energy, best)
    for key, value in want.items():
        assert getattr(got, f"{key}_eV") == (None if value is None else approx(value, abs=2e-9)), key


@settings(max_examples=150, deadline=None)
@given(graph=graphs())
def test_the_way_is_a_way_whose_highest_saddle_is_the_barrier(graph):
    n_nodes, edges, saddles, site_energy, best = graph
    known = dict(zip(edges, saddles, strict=True))
    got = percolation(n_nodes, known, site_energy, best)
    if got.anywhere_eV is None:
        assert got.way == ()
        return
    assert got.way[0][0] == best
    assert got.way[-1][1] == best
    assert all(one[1] == other[0] for one, other in pairwise(got.way))
    assert sum(abs(np.sum([edge[2:] for edge in got.way], axis=0))) > 0, "it ends where it began"
    assert max(known[forward(edge)] for edge in got.way) - site_energy[best] == approx(got.anywhere_eV, abs=2e-9)


@settings(max_examples=80, deadline=None)
@given(graph=graphs(), data=st.data())
def test_percolation_depends_on_no_order_and_no_choice_of_cells(graph, data):
    n_nodes, edges, saddles, site_energy, best = graph
    cells = data.draw(st.lists(st.tuples(st.integers(-2, 2), st.integers(-2, 2)), min_size=n_nodes, max_size=n_nodes))
    order = data.draw(st.permutations(range(n_nodes)))
    moved = {}
    for (i, j, m, n), saddle in zip(edges, saddles, strict=True):
        edge = (m + cells[j][0] - cells[i][0], n + cells[j][1] - cells[i][1])
        key = forward((order[i], order[j], *edge))
        moved[key] = min(saddle, moved.get(key, saddle))
    energies = [0.0] * n_nodes
    for i in range(n_nodes):
        energies[order[i]] = site_energy[i]
    got = percolation(n_nodes, moved, energies, order[best])
    want = percolation(n_nodes, dict(zip(edges, saddles, strict=True)), site_energy, best)
    for key in ("anywhere_eV", "first_eV", "second_eV", "everywhere_eV"):
        assert getattr(got, key) == getattr(want, key)
    assert len(got.way) == len(want.way)


def test_a_channel_leads_one_way_only():
    got = percolation(2, {(0, 1, 0, 0): 0.2, (0, 1, -1, 0): 0.7}, [0.0, 0.1], 0)
    assert (got.anywhere_eV, got.first_eV, got.second_eV, got.everywhere_eV) == (0.7, 0.7, None, None)
    assert got.way in (((0, 1, 0, 0), (1, 0, 1, 0)), ((0, 1, -1, 0), (1, 0, 0, 0)))


def test_one_site_hops_by_vectors_of_the_lattice():
    got = percolation(1, {(0, 0, 1, 0): 0.3, (0, 0, 0, 1): 0.5}, [0.1], 0)
    assert (got.anywhere_eV, got.first_eV, got.second_eV, got.everywhere_eV) == approx((0.2, 0.2, 0.4, 0.4), abs=1e-9)
    assert got.way in (((0, 0, 1, 0),), ((0, 0, -1, 0),))
    slanted = percolation(1, {(0, 0, 1, 1): 0.3}, [0.0], 0)
    assert (slanted.first_eV, slanted.second_eV, slanted.everywhere_eV) == (0.3, 0.3, None)


def test_what_is_not_connected_has_no_barrier():
    got = percolation(3, {(0, 1, 0, 0): 0.2, (2, 2, 1, 0): 0.1, (2, 2, 0, 1): 0.1}, [0.0, 0.1, 0.3], 0)
    assert (got.anywhere_eV, got.everywhere_eV, got.way) == (None, None, ())
    assert percolation(1, {}, [0.0], 0).anywhere_eV is None


def test_everywhere_is_every_copy():
    got = percolation(1, {(0, 0, 1, 1): 0.1, (0, 0, 1, -1): 0.1, (0, 0, 1, 0): 0.5}, [0.0], 0)
    assert got.everywhere_eV == 0.5


# ---- neighbors -------------------------------------------------------------------------------------------------------


def hollows(slab, places):
    ops = operations(slab)
    nodes = nodes_of(slab.cell.array, ops, places)
    edges = neighbor_edges(slab.cell.array, nodes, 7.0)
    classes = classes_of(slab.cell.array, ops, nodes, edges)
    return nodes, edges, classes


def place_on(slab, name, height=2.0):
    at = np.array(slab.info["adsorbate_info"]["sites"][name]) @ slab.info["adsorbate_info"]["cell"]
    return np.array([*at, slab.positions[:, 2].max() + height])


@pytest.mark.parametrize("size", [(1, 1, 3), (2, 2, 3), (3, 2, 3)])
def test_hollows_of_fcc_100_have_one_hop_and_no_diagonal(size):
    slab = fcc100("Cu", size, vacuum=8.0, periodic=True)
    nodes, edges, classes = hollows(slab, [place_on(slab, "hollow")])
    n = size[0] * size[1]
    assert len(nodes) == n
    assert len(edges) == 2 * n, "two directions for each site, no diagonal"
    assert len({first for first, _ in classes.values()}) == (1 if size[0] == size[1] else 2)
    lengths = [length_A(slab, nodes, edge) for edge in edges]
    assert lengths == approx([3.61 / 2**0.5] * len(edges), rel=1e-6)


@pytest.mark.parametrize("size", [(1, 1, 3), (2, 2, 3), (2, 3, 3)])
def test_hollows_of_fcc_111_are_joined_to_three_of_the_other_kind_by_one_hop(size):
    slab = fcc111("Cu", size, vacuum=8.0, periodic=True)
    nodes, edges, classes = hollows(slab, [place_on(slab, "fcc"), place_on(slab, "hcp")])
    n = size[0] * size[1]
    assert [node.site for node in nodes] == [0] * n + [1] * n
    assert len(edges) == 3 * n
    assert {nodes[i].site + nodes[j].site for i, j, _, _ in edges} == {1}, "fcc to hcp only"
    # the images of lithium in a cell of 2 x 3 leave no threefold axis
    assert len({first for first, _ in classes.values()}) == (1 if size[0] == size[1] else 3)
    for i in range(2 * n):
        assert sum((edge[0] == i) + (edge[1] == i) for edge in edges) == 3


@pytest.mark.parametrize("size", [(1, 1, 3), (2, 2, 3)])
def test_one_hollow_of_fcc_111_has_three_directions(size):
    slab = fcc111("Cu", size, vacuum=8.0, periodic=True)
    nodes, edges, classes = hollows(slab, [place_on(slab, "fcc")])
    assert len(edges) == 3 * size[0] * size[1]
    assert len({first for first, _ in classes.values()}) == 1
    assert len(nodes) == size[0] * size[1]


def test_bridges_of_fcc_100_are_two_for_each_atom():
    slab = fcc100("Cu", (2, 2, 3), vacuum=8.0, periodic=True)
    nodes, edges, classes = hollows(slab, [place_on(slab, "bridge"), place_on(slab, "ontop")])
    assert sum(node.site == 0 for node in nodes) == 8
    assert sum(node.site == 1 for node in nodes) == 4
    # from on top to a bridge; two bridges have an atom on the circle over them
    assert len({first for first, _ in classes.values()}) == 1
    assert len(edges) == 16


def length_A(slab, nodes, edge):
    i, j, m, n = edge
    cell = slab.cell.array
    return float(np.linalg.norm(nodes[j].place_A + m * cell[0] + n * cell[1] - nodes[i].place_A))


@settings(max_examples=50, deadline=None)
@given(
    second=st.tuples(st.floats(-0.5, 0.5), st.floats(0.9, 2.0)),
    points=st.lists(st.tuples(st.floats(0, 0.999), st.floats(0, 0.999)), min_size=1, max_size=4),
    shift=st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
def test_neighbors_are_those_of_a_brute_force_gabriel_graph_and_connect_all(second, points, shift):
    """Over reduced cells, against 9 x 9 copies; and the same wherever the cell begins."""
    from interlith.surface.graph import Node

    cell = np.array([[3.0, 0, 0], [3 * second[0], 3 * second[1], 0], [0, 0, 20]])
    flat = np.array(points) @ cell[:2, :2]
    copies = np.array([[i, j] for i in range(-4, 5) for j in range(-4, 5)])
    everywhere = (flat[None] + (copies @ cell[:2, :2])[:, None]).reshape(-1, 2)
    gaps = np.linalg.norm(flat[:, None] - everywhere[None], axis=-1)
    if np.sort(gaps, axis=1)[:, 1].min() < 0.3:
        return
    want, unsure = set(), set()
    for i, here in enumerate(flat):
        for number, there in enumerate(everywhere):
            j, (m, n) = number % len(flat), copies[number // len(flat)]
            length = np.linalg.norm(there - here)
            if length < 1e-6 or length > 7.0:
                continue
            near = np.linalg.norm(everywhere - (here + there) / 2, axis=1) / (length / 2)
            ends = [i + len(flat) * (len(copies) // 2), number]
            rest = np.delete(near, ends)
            (want if rest.min() >= 1.01 else set()).add(forward((i, j, int(m), int(n))))
            if abs(rest.min() - 1.01) < 1e-9:
                unsure.add(forward((i, j, int(m), int(n))))
    nodes = [Node(0, 0, np.array([*place, 5.0])) for place in flat]
    got = set(neighbor_edges(cell, nodes, 7.0))
    assert got - unsure == want - unsure
    moved = [Node(0, 0, node.place_A + np.array([*(np.array(shift) @ cell[:2, :2]), 0])) for node in nodes]
    assert set(neighbor_edges(cell, moved, 7.0)) - unsure == got - unsure


# ---- distances and operations ----------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(
    second=st.tuples(st.sampled_from([-0.5, -0.3, 0.0, 0.2, 0.5]), st.floats(0.87, 3.0)),
    repeat=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    seed=st.integers(0, 10_000),
)
def test_distances_in_the_plane_are_the_shortest(second, repeat, seed):
    """Of a hundred pairs, also where rounding the fractions of a slanted cell does not give the nearest copy."""
    plane = np.array([[3.0, 0], [3 * second[0], 3 * second[1]]]) * np.array(repeat)[:, None]
    cell = np.zeros((3, 3))
    cell[:2, :2], cell[2, 2] = plane, 30.0
    first, last = np.random.default_rng(seed).uniform(-20, 20, (2, 100, 3))
    difference = first - last
    flat = np.linalg.norm(difference[:, None, :2] + STEPS @ plane, axis=-1).min(axis=1)
    want = np.hypot(flat, difference[:, 2])
    assert distances(cell, first, last) == approx(want, abs=1e-9)
    assert np.linalg.norm(apart(cell, last, first), axis=-1) == approx(want, abs=1e-9)


@pytest.mark.parametrize(
    ("slab", "n"),
    [
        (fcc111("Cu", (1, 1, 3), vacuum=8.0), 6),
        (fcc111("Cu", (2, 2, 3), vacuum=8.0), 24),
        (fcc100("Cu", (1, 1, 3), vacuum=8.0), 8),
        (fcc100("Cu", (2, 3, 3), vacuum=8.0), 24),
    ],
    ids=["111", "111-2x2", "100", "100-2x3"],
)
def test_operations_of_a_slab_are_the_plane_group_and_put_atoms_on_atoms(slab, n):
    slab.pbc = True
    ops = operations(slab)
    assert len(ops) == n
    for one in ops:
        assert sorted(one.order) == list(range(len(slab)))
        images = np.array([one.moved(position) for position in slab.positions])
        assert distances(slab.cell.array, images, slab.positions[one.order]).max() < 1e-3
        assert one.turn[2] == approx([0, 0, 1], abs=1e-6)
        plane = slab.cell.array[:2, :2]
        there = slab.positions[one.order][:, :2] + one.jump @ plane
        assert images[:, :2] == approx(there, abs=1e-3)


def test_a_displacement_breaks_the_operations_that_it_does_not_obey():
    slab = fcc100("Cu", (2, 2, 3), vacuum=8.0, periodic=True)
    moved = slab.positions.copy()
    moved[-1, 0] += 0.4
    left = operations(slab, moved)
    assert 1 <= len(left) < len(operations(slab))
    assert all(np.abs(one.moved_shifts(moved - slab.positions) - (moved - slab.positions)).max() < 0.15 for one in left)
    moved = slab.positions.copy()
    moved[:, 2] *= 1.001
    assert len(operations(slab, moved)) == len(operations(slab))
