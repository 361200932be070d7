"""Least squares with values that are not negative, for many right sides or penalties that are nearly alike."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, solve_triangular
from scipy.linalg.lapack import dposv
from scipy.optimize import nnls

from interlith.errors import SolverError

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
SMALL = 1e-12  # of the largest value, or of the largest right side: rounding
FULL_EXCHANGES, MOST_EXCHANGES = 3, 60


def not_negative(matrix: Floats, right: Floats, begin: Bools | None = None) -> Floats:
    """x >= 0 that minimizes x^T N x / 2 - r^T x; N of full rank, shape (n, n), r of shape (n,).

    Block principal pivoting (Kim and Park, SIAM J. Sci. Comput. 33, 3261 (2011), doi:10.1137/110821172): values that
    are positive are solved for, whatever breaks the conditions changes sides at once. begin: which values are likely
    positive, for instance those of a problem nearly like it; where it does not settle, scipy's active set goes on.
    Raises SolverError where N has no Cholesky factor.

    >>> not_negative(np.eye(2), np.array([1.0, -1.0])).tolist()
    [1.0, 0.0]
    """
    positive = right > 0 if begin is None else begin.copy()
    fewest, left = len(right) + 1, FULL_EXCHANGES
    edge = SMALL * float(np.abs(right).max(initial=0.0))
    x = np.zeros(len(right))
    for _ in range(MOST_EXCHANGES):
        x[:] = 0.0
        if positive.any():
            _, x[positive], info = dposv(matrix[np.ix_(positive, positive)], right[positive])
            if info != 0:
                break
        slope = matrix @ x - right
        wrong = np.where(positive, x < -SMALL * np.abs(x).max(initial=0.0), slope < -edge)
        n_wrong = int(wrong.sum())
        if n_wrong == 0:
            return np.maximum(x, 0.0)
        if n_wrong < fewest:
            fewest, left = n_wrong, FULL_EXCHANGES
        elif left:
            left -= 1
        else:  # one at a time ends surely, if slowly
            wrong[: np.flatnonzero(wrong)[-1]] = False
        positive ^= wrong
    return _by_active_set(matrix, right)


def _by_active_set(matrix: Floats, right: Floats) -> Floats:
    """The same by Lawson and Hanson, of the Cholesky factor."""
    try:
        factor = cholesky(matrix, lower=True)
        found: Floats = nnls(factor.T, solve_triangular(factor, right, lower=True), maxiter=50 * len(right))[0]
    except (RuntimeError, np.linalg.LinAlgError) as problem:
        raise SolverError(f"non-negative least squares did not end ({problem})") from problem
    return found
