"""Conduction in a box of voxels, judged by direct solutions, by pyamg and by the balance of its flows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_boxes import matrix, random_faces
from scipy.sparse.linalg import spsolve

from interlith.deposit.solver.multigrid import Faces, Multigrid
from interlith.deposit.solver.team import WORTH_SHARING, Team
from interlith.deposit.transport import faces_of
from interlith.errors import SolverError

sizes = st.integers(2, 9)


@settings(max_examples=30, deadline=None)
@given(shape=st.tuples(sizes, sizes, sizes), seed=st.integers(0, 10**6), is_periodic=st.booleans())
def test_the_solution_is_that_of_a_direct_solver(shape, seed, is_periodic):
    faces = random_faces(shape, seed, is_periodic)
    source = np.random.default_rng(seed + 1).standard_normal(shape)
    equations = matrix(faces)
    shut = equations.diagonal() == 0.0
    equations = equations.tolil()
    for at in np.flatnonzero(shut):
        equations[at, at] = 1.0
    source.ravel()[shut] = 0.0
    true = spsolve(equations.tocsc(), source.ravel())
    with Team(1) as team:
        found = Multigrid(faces, team).solve(source, within=1e-11)
    assert np.max(np.abs(found.u.ravel() - true)) < 1e-6 * np.max(np.abs(true))


def test_it_agrees_with_algebraic_multigrid():
    pyamg = pytest.importorskip("pyamg")
    random = np.random.default_rng(3)
    open_ = random.random((24, 20, 22)) < 0.75
    faces = faces_of(np.where(open_, 1.0, 0.05).astype(np.float32), (True, True))
    source = random.standard_normal(open_.shape)
    true = pyamg.smoothed_aggregation_solver(matrix(faces)).solve(source.ravel(), tol=1e-12, accel="cg")
    with Team(1) as team:
        found = Multigrid(faces, team).solve(source, within=1e-11)
    assert np.max(np.abs(found.u.ravel() - true)) < 1e-7 * np.max(np.abs(true))


def big_box():
    random = np.random.default_rng(5)
    share = np.where(random.random((50, 41, 43)) < 0.8, 1.0, 0.0).astype(np.float32)
    return faces_of(share, (True, True)), random.standard_normal(share.shape) * (share > 0)


def test_the_bits_are_the_same_for_any_number_of_threads():
    faces, source = big_box()
    assert source.size > WORTH_SHARING
    leaking = Faces(faces.x, faces.y, faces.z, np.full_like(faces.sink, 0.01), True)
    found = []
    for n_threads in (1, 2, 3, 5):
        with Team(n_threads) as team:
            found.append(Multigrid(leaking, team).solve(source).u.tobytes())
    assert len(set(found)) == 1


def test_iterations_hardly_grow_with_the_box():
    counts = []
    for n in (16, 32, 64):
        share = np.ones((n, n, n), dtype=np.float32)
        share[:, : n // 4, : n // 2] = 1e-3
        source = np.zeros(share.shape)
        source[-1] = 1.0
        with Team(1) as team:
            counts.append(Multigrid(faces_of(share, (True, True)), team).solve(source).n_iterations)
    assert max(counts) <= min(counts) + 8


def test_a_good_beginning_saves_iterations_and_changes_nothing():
    faces = random_faces((12, 11, 10), 7, True)
    source = np.random.default_rng(8).standard_normal((12, 11, 10))
    with Team(1) as team:
        box = Multigrid(faces, team)
        cold = box.solve(source, within=1e-10)
        warm = box.solve(source, within=1e-10, begin=cold.u * (1.0 + 1e-6))
    assert warm.n_iterations < 0.7 * cold.n_iterations
    assert np.max(np.abs(warm.u - cold.u)) < 1e-7 * np.max(np.abs(cold.u))


def test_no_source_is_no_potential():
    with Team(1) as team:
        assert not Multigrid(random_faces((4, 4, 4), 1, True), team).solve(np.zeros((4, 4, 4))).u.any()


def test_what_does_not_converge_is_told_and_not_given_out():
    faces = random_faces((12, 12, 12), 1, True)
    source = np.ones((12, 12, 12))
    with Team(1) as team, pytest.raises(SolverError, match="is left after 2 iterations"):
        Multigrid(faces, team).solve(source, within=1e-12, n_most=2)
    source[3, 3, 3] = np.nan
    with Team(1) as team, pytest.raises(SolverError):
        Multigrid(faces, team).solve(source)


def test_what_a_thread_raises_is_raised_here():
    def fails(first, last):
        if first == 1:
            raise ValueError("the first part")

    with Team(3) as team, pytest.raises(ValueError, match="the first part"):
        team.share(team.ranges(30, 10**6), fails)
