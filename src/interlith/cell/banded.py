"""Linear algebra of a banded matrix, column by column.

Storage: A[i, j] at band[j, kl + ku + i - j], float64[n, 2 kl + ku + 1]; the first kl places of a column are for what
pivoting fills in. As in LAPACK's gbtrf, transposed, so that a column lies in one piece.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from interlith.cell.compiled import compiled


@compiled
def factorize_band(band: NDArray[np.float64], kl: int, ku: int, pivots: NDArray[np.int64]) -> bool:
    """LU with partial pivoting in place; False when the matrix is singular or not finite."""
    n, d = band.shape[0], kl + ku
    for k in range(n):
        n_below = min(kl, n - 1 - k)
        best, size = 0, abs(band[k, d])
        for i in range(1, n_below + 1):
            if abs(band[k, d + i]) > size:
                best, size = i, abs(band[k, d + i])
        if not size > 0.0 or not np.isfinite(size):
            return False
        pivots[k] = k + best
        if best != 0:
            band[k, d], band[k, d + best] = band[k, d + best], band[k, d]
        for i in range(1, n_below + 1):
            band[k, d + i] /= band[k, d]
        for j in range(k + 1, min(k + d, n - 1) + 1):
            top = d + k - j
            if best != 0:
                band[j, top], band[j, top + best] = band[j, top + best], band[j, top]
            factor = band[j, top]
            if factor != 0.0:
                for i in range(1, n_below + 1):
                    band[j, top + i] -= band[k, d + i] * factor
    return True


@compiled
def solve_band(
    band: NDArray[np.float64], kl: int, ku: int, pivots: NDArray[np.int64], right: NDArray[np.float64]
) -> None:
    """Solve in place with what `factorize_band` made."""
    n, d = band.shape[0], kl + ku
    for k in range(n):
        best = pivots[k]
        if best != k:
            right[k], right[best] = right[best], right[k]
        value = right[k]
        if value != 0.0:
            for i in range(1, min(kl, n - 1 - k) + 1):
                right[k + i] -= band[k, d + i] * value
    for k in range(n - 1, -1, -1):
        value = right[k] / band[k, d]
        right[k] = value
        if value != 0.0:
            for i in range(1, min(d, k) + 1):
                right[k - i] -= band[k, d - i] * value
