"""Non-negative least squares: the conditions of Karush, Kuhn and Tucker, and scipy as judge."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import nnls

from interlith.characterize.not_negative import not_negative
from interlith.errors import SolverError


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 40), st.floats(-8, 0), st.booleans())
def test_it_is_the_least_and_scipy_says_so(seed, n, lg_ridge, begins_wrong):
    chance = np.random.default_rng(seed)
    a = np.exp(-(np.subtract.outer(np.linspace(0, 1, 60), np.linspace(0, 1, n)) ** 2) / 0.02)  # like one another
    b = a @ np.maximum(chance.normal(size=n), 0) + 0.1 * chance.normal(size=60)
    ridge = 10.0**lg_ridge
    matrix, right = a.T @ a + ridge * np.eye(n), a.T @ b
    begin = chance.random(n) < 0.5 if begins_wrong else None
    x = not_negative(matrix, right, begin)
    assert (x >= 0).all()
    judge, _ = nnls(np.vstack([a, np.sqrt(ridge) * np.eye(n)]), np.concatenate([b, np.zeros(n)]), maxiter=10_000)

    def height(x):
        return 0.5 * x @ matrix @ x - right @ x

    assert height(x) <= height(judge) + 1e-9 * abs(height(judge))
    assert matrix @ x - right == pytest.approx(np.maximum(matrix @ x - right, 0), abs=1e-6 * np.abs(right).max())


def test_nothing_positive_is_nothing():
    assert not_negative(np.eye(3), -np.ones(3)).tolist() == [0.0, 0.0, 0.0]
    assert not_negative(np.eye(3), -np.ones(3), np.ones(3, dtype=bool)).tolist() == [0.0, 0.0, 0.0]


def test_a_matrix_without_an_inverse_is_refused():
    with pytest.raises(SolverError, match="non-negative"):
        not_negative(-np.eye(2), np.ones(2))
