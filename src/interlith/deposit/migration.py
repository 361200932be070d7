"""How adatoms even out a rate over the surface before they are built in: (A + lambda^2 L) u = r, r' = A u.

u is the rate per surface, A the surface in a voxel, L the Laplacian on the graph of the voxels that take lithium. What
is handed on is conserved. On a plane a wave of wave number k is damped by 1 / (1 + lambda^2 k^2). Faces and edges join:
on a plane, with weights 2/3 and 1/6, as the nine-point Laplacian; over an edge that is the only way, with 1/2.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from interlith.deposit.kernels import kernel
from interlith.errors import SolverError

Floats = NDArray[np.float64]
Places = tuple[NDArray[np.intp], ...]
MOST_NEAR = 18
OVER_FACE, OVER_EDGE, ONLY_WAY = 2.0 / 3.0, 1.0 / 6.0, 0.5
WITHIN = 1e-5
MOST_ITERATIONS = 2000


def evened(rate: Floats, area: Floats, squared: Floats, places: Places, number: NDArray[np.int32]) -> Floats:
    """r' of each place for its rate r.

    area: surface in faces of a voxel. squared: lambda^2 of each place in voxels squared; between two it is their mean.
    places: z, y, x of each. number: int32[z, y, x] with a rim, -1 everywhere, and so it is left; its rim repeats where
    sides do. Raises SolverError when it does not converge.
    """
    if not squared.any():
        return rate
    near = np.full((rate.size, MOST_NEAR), -1, dtype=np.int32)
    weight = np.zeros(near.shape, dtype=np.float32)
    _neighbors(number, places[0], places[1], places[2], squared, near, weight)
    diagonal = area + weight.sum(axis=1, dtype=np.float64)
    u = rate / area
    if not _solved(near, weight, diagonal, rate, u, WITHIN, MOST_ITERATIONS):
        raise SolverError("migration of adatoms over the surface did not converge")
    handed_on: Floats = area * np.maximum(u, 0.0)
    return handed_on * (float(rate.sum()) / float(handed_on.sum()))


@kernel
def _neighbors(number, z, y, x, squared, near, weight):  # type: ignore[no-untyped-def]
    """Which places lie beside each, over faces and edges, and lambda^2 times the weight of the way to them."""
    for n in range(z.size):
        found = 0
        for dz in range(-1, 2):
            for dy in range(-1, 2):
                for dx in range(-1, 2):
                    far = abs(dz) + abs(dy) + abs(dx)
                    if far != 1 and far != 2:
                        continue
                    other = number[z[n] + dz, y[n] + dy, x[n] + dx]
                    if other < 0:
                        continue
                    share = OVER_FACE
                    if far == 2:
                        first = number[z[n] + dz, y[n] + (dy if dz == 0 else 0), x[n]]
                        second = number[z[n], y[n] + (dy if dz != 0 else 0), x[n] + dx]
                        share = OVER_EDGE if first >= 0 or second >= 0 else ONLY_WAY
                    near[n, found] = other
                    weight[n, found] = share * 0.5 * (squared[n] + squared[other])
                    found += 1


@kernel
def _solved(near, weight, diagonal, rate, u, within, most):  # type: ignore[no-untyped-def]
    """Conjugate gradients on u, each place scaled by its diagonal; False when they do not converge."""
    n_places = rate.size
    rest, way, out = rate.copy(), np.zeros(n_places), np.empty(n_places)
    _apply(near, weight, diagonal, u, out)
    size, now = 0.0, 0.0
    for n in range(n_places):
        rest[n] -= out[n]
        size += rate[n] * rate[n] / diagonal[n]
        now += rest[n] * rest[n] / diagonal[n]
    before = 1.0
    for _ in range(most):
        if not now > within * within * size:
            return True
        for n in range(n_places):
            way[n] = rest[n] / diagonal[n] + (now / before) * way[n]
        _apply(near, weight, diagonal, way, out)
        along = 0.0
        for n in range(n_places):
            along += way[n] * out[n]
        step, before, now = now / along, now, 0.0
        for n in range(n_places):
            u[n] += step * way[n]
            rest[n] -= step * out[n]
            now += rest[n] * rest[n] / diagonal[n]
    return False


@kernel
def _apply(near, weight, diagonal, u, out):  # type: ignore[no-untyped-def]
    for n in range(u.size):
        total = diagonal[n] * u[n]
        for m in range(near.shape[1]):
            if near[n, m] < 0:
                break
            total -= weight[n, m] * u[near[n, m]]
        out[n] = total
