"""The coefficients of the integrator, and its dense linear algebra.

RODAS of Hairer and Wanner, Solving Ordinary Differential Equations II (1996), section IV.10: six stages, order 4 with
an embedded order 3, L-stable, stiffly accurate. For an autonomous system y' = f(y) and W = I / (h gamma) - J:

    W U_i = f(y + sum_j a_ij U_j) + sum_j c_ij U_j / h        y_new = y + sum_j a_5j U_j + U_5 + U_6        error = U_6

Within a step, at a share s of it, an interpolation of order 3:

    y(s) = (1 - s) y + s (y_new + (1 - s) (sum_j d_1j U_j + s sum_j d_2j U_j))

Time is a component of y where f depends on it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from interlith.cell.compiled import compiled

GAMMA = 0.25
N_STAGES = 6
A = np.array(
    [
        [0.0, 0.0, 0.0, 0.0, 0.0],
        [1.544, 0.0, 0.0, 0.0, 0.0],
        [0.9466785280815826, 0.2557011698983284, 0.0, 0.0, 0.0],
        [3.314825187068521, 2.896124015972201, 0.9986419139977817, 0.0, 0.0],
        [1.221224509226641, 6.019134481288629, 12.53708332932087, -0.6878860361058950, 0.0],
        [1.221224509226641, 6.019134481288629, 12.53708332932087, -0.6878860361058950, 1.0],
    ]
)
C = np.array(
    [
        [0.0, 0.0, 0.0, 0.0, 0.0],
        [-5.6688, 0.0, 0.0, 0.0, 0.0],
        [-2.430093356833875, -0.2063599157091915, 0.0, 0.0, 0.0],
        [-0.1073529058151375, -9.594562251023355, -20.47028614809616, 0.0, 0.0],
        [7.496443313967647, -10.24680431464352, -33.99990352819905, 11.70890893206160, 0.0],
        [8.083246795921522, -7.981132988064893, -31.52159432874371, 16.31930543123136, -6.058818238834054],
    ]
)
D = np.array(
    [
        [10.12623508344586, -7.487995877610167, -34.80091861555747, -7.992771707568823, 1.025137723295662],
        [-0.6762803392806898, 6.087714651680015, 16.43084320892478, 24.76722511418386, -6.594389125716872],
    ]
)
SAFETY, SMALLEST_CHANGE, LARGEST_CHANGE = 0.9, 0.2, 6.0
ERROR_ORDER = 4.0
LEAST_ERROR = 1e-2  # of an earlier step, as far as a trend is made of it


@compiled
def factorize(matrix: NDArray[np.float64], pivots: NDArray[np.int64]) -> bool:
    """LU with partial pivoting in place; False when the matrix is singular or not finite."""
    n = matrix.shape[0]
    for k in range(n):
        best, size = k, abs(matrix[k, k])
        for i in range(k + 1, n):
            if abs(matrix[i, k]) > size:
                best, size = i, abs(matrix[i, k])
        if not size > 0.0 or not np.isfinite(size):
            return False
        pivots[k] = best
        if best != k:
            for j in range(n):
                matrix[k, j], matrix[best, j] = matrix[best, j], matrix[k, j]
        for i in range(k + 1, n):
            if matrix[i, k] != 0.0:
                matrix[i, k] /= matrix[k, k]
                factor = matrix[i, k]
                for j in range(k + 1, n):
                    matrix[i, j] -= factor * matrix[k, j]
    return True


@compiled
def solve(matrix: NDArray[np.float64], pivots: NDArray[np.int64], right: NDArray[np.float64]) -> None:
    """Solve in place with what `factorize` made."""
    n = matrix.shape[0]
    for k in range(n):
        right[k], right[pivots[k]] = right[pivots[k]], right[k]
    for i in range(1, n):
        total = right[i]
        for j in range(i):
            total -= matrix[i, j] * right[j]
        right[i] = total
    for i in range(n - 1, -1, -1):
        total = right[i]
        for j in range(i + 1, n):
            total -= matrix[i, j] * right[j]
        right[i] = total / matrix[i, i]


@compiled
def step_factor(error: float) -> float:
    """How much longer or shorter the next step may be, for an error in units of the tolerance."""
    if not np.isfinite(error):
        return SMALLEST_CHANGE
    return min(LARGEST_CHANGE, max(SMALLEST_CHANGE, SAFETY * max(error, 1e-12) ** (-1.0 / ERROR_ORDER)))


@compiled
def predicted_factor(error: float, h: float, error_before: float, h_before: float) -> float:
    """The same from two accepted steps: where steps must shrink, they shrink before one is refused.

    Gustafsson, ACM Trans. Math. Softw. 20, 496 (1994), as in Hairer and Wanner (1996), IV.8.
    """
    trend = (
        SAFETY * h / h_before * (max(error_before, LEAST_ERROR) / max(error, LEAST_ERROR) ** 2) ** (1.0 / ERROR_ORDER)
    )
    return max(SMALLEST_CHANGE, min(step_factor(error), trend))
