"""Components of voxels, judged by scipy and by the threshold of percolation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from interlith.deposit.solver.labels import ALONG_X, ALONG_Y, ALONG_Z, components
from interlith.deposit.solver.team import WORTH_SHARING, Team
from interlith.errors import InputError

SITES = (
    0.3116  # threshold of site percolation on the simple cubic lattice: Xu et al. (2014), doi:10.1007/s11467-013-0403-z
)
sizes = st.integers(1, 8)


def same_parts(one, other):
    """Whether two labelings part the voxels alike."""
    pairs = np.unique(np.stack([one.ravel(), other.ravel()]), axis=1)
    return len(np.unique(pairs[0])) == len(np.unique(pairs[1])) == pairs.shape[1]


def by_graph(held, joined, is_periodic):
    """The same by a graph of faces."""
    number = np.arange(held.size).reshape(held.shape)
    ends = []
    for axis, bit in ((2, ALONG_X), (1, ALONG_Y), (0, ALONG_Z)):
        next_held, next_number = np.roll(held, -1, axis), np.roll(number, -1, axis)
        open_ = held & next_held & ((joined & bit) > 0)
        if axis == 0 or not is_periodic:
            open_[(slice(None),) * axis + (-1,)] = False
        ends.append((number[open_], next_number[open_]))
    a, b = (np.concatenate(side) for side in zip(*ends, strict=True))
    graph = coo_matrix((np.ones(len(a)), (a, b)), shape=(held.size, held.size))
    return np.where(held, connected_components(graph, directed=False)[1].reshape(held.shape) + 1, 0)


@settings(max_examples=30, deadline=None)
@given(shape=st.tuples(sizes, sizes, sizes), share=st.floats(0.1, 0.9), seed=st.integers(0, 10**6))
def test_components_are_those_of_scipy(shape, share, seed):
    held = np.random.default_rng(seed).random(shape) < share
    with Team(1) as team:
        assert same_parts(components(held, team, is_periodic=False), ndimage.label(held)[0])


@settings(max_examples=30, deadline=None)
@given(
    shape=st.tuples(sizes, sizes, sizes),
    share=st.floats(0.2, 1.0),
    seed=st.integers(0, 10**6),
    is_periodic=st.booleans(),
)
def test_faces_that_do_not_join_part(shape, share, seed, is_periodic):
    random = np.random.default_rng(seed)
    held = random.random(shape) < share
    joined = random.integers(0, 8, shape).astype(np.uint8)
    with Team(1) as team:
        found = components(held, team, is_periodic=is_periodic, joined=joined)
    assert same_parts(found, by_graph(held, joined, is_periodic))


def test_a_label_is_the_first_voxel_of_its_component_for_any_number_of_threads():
    held = np.random.default_rng(1).random((60, 40, 41)) < 0.34
    assert held.size > WORTH_SHARING
    found = []
    for n_threads in (1, 2, 3, 7):
        with Team(n_threads) as team:
            found.append(components(held, team, is_periodic=True))
    assert all((one == found[0]).all() for one in found[1:])
    labels, first = np.unique(found[0], return_index=True)
    assert (labels[1:] == first[1:] + 1).all()
    assert not found[0][~held].any()


def test_chance_of_crossing_turns_at_the_threshold_and_faster_in_larger_boxes():
    def crossing(n, share, n_boxes):
        n_through = 0
        for seed in range(n_boxes):
            held = np.random.default_rng([n, seed]).random((n, n, n)) < share
            labels = components(held, team, is_periodic=True)
            n_through += len(np.intersect1d(labels[0][labels[0] > 0], labels[-1])) > 0
        return n_through / n_boxes

    with Team(1) as team:
        small = [crossing(12, share, 60) for share in (SITES - 0.03, SITES + 0.03)]
        large = [crossing(36, share, 20) for share in (SITES - 0.03, SITES + 0.03)]
    assert large[0] < 0.2 < 0.8 < large[1]
    assert small[1] - small[0] < large[1] - large[0]


def test_more_voxels_than_labels_are_refused():
    held = np.broadcast_to(np.True_, (2, 2**15, 2**15))
    with Team(1) as team, pytest.raises(InputError, match="at most"):
        components(held, team, is_periodic=False)
