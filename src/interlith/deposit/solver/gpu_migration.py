"""Migration of adatoms over a surface by an NVIDIA GPU: the steps that `migration` takes, voxel by voxel.

Arrays are float32[z, y, x] with a rim, of the planes between which there are places. Which edges of a voxel are the
only way is a bit for each of them, in the order of `migration.EDGES`.
"""

from __future__ import annotations

from typing import Any

import numba.cuda
import numpy as np
from numpy.typing import NDArray

from interlith.deposit.rows import Places
from interlith.deposit.solver import gpu_kernels
from interlith.deposit.solver.gpu import blocks, check_memory
from interlith.deposit.solver.gpu_kernels import block_sum
from interlith.deposit.solver.migration import EDGES, HALF_A_FACE, HALF_AN_EDGE, ONLY_WAY, OVER_EDGE
from interlith.deposit.solver.team import Team

cuda: Any = numba.cuda
Array = Any  # of the GPU
Values = NDArray[Any]
BYTES_PER_VOXEL = 46.0  # seven arrays in single precision, bits of edges, lists of places
PUT_BLOCK, MOST_PUT_BLOCKS = 256, 8192  # threads and blocks of a launch over a list
HALF_MORE = np.float32(0.5 * (ONLY_WAY - OVER_EDGE))


class OnGpu:
    """The same steps as those of threads, to the same result but for rounding; the same bits on each run."""

    def __init__(
        self, area: Values, squared: Values, places: Places, shape: tuple[int, ...], is_periodic: bool, team: Team
    ) -> None:
        del team  # the GPU does it alone
        n_of_a_plane = shape[1] * shape[2]
        first, last = int(places[0]) // n_of_a_plane - 1, int(places[-1]) // n_of_a_plane + 1
        self._shape, self._is_periodic = (last + 1 - first, *shape[1:]), is_periodic
        check_memory(int(np.prod(self._shape)), BYTES_PER_VOXEL)
        self._places = cuda.to_device(places - np.int32(first * n_of_a_plane))
        self._squared, self._out = self._dense(squared), self._dense(area)
        self._diagonal, self._ways = self._zeros(), cuda.device_array(self._shape, dtype=np.uint16)
        self._sums = cuda.to_device(np.zeros(int(np.prod(blocks(self._inner)))))
        self._launch(join, self._out, self._squared, self._diagonal, self._ways)

    @property
    def _inner(self) -> tuple[int, ...]:
        """The shape without the rim."""
        return tuple(n - 2 for n in self._shape)

    def _zeros(self) -> Array:
        made = cuda.device_array(self._shape, dtype=np.float32)
        self._launch(gpu_kernels.zero, made)
        return made

    def _dense(self, values: Values) -> Array:
        made = self._zeros()
        given = cuda.to_device(np.ascontiguousarray(values, dtype=np.float32))
        put[self._row_of_blocks(), PUT_BLOCK](self._places, given, made.reshape(made.size))
        self._wrapped(made)
        return made

    def _row_of_blocks(self) -> int:
        return min(-(-self._places.size // PUT_BLOCK), MOST_PUT_BLOCKS)

    def begin(self, rate: Values, guess: Values) -> None:
        """Nothing found yet; the first direction is a guess of the rate per surface."""
        self._u, self._times = self._zeros(), self._zeros()
        self._rest, self._way = self._zeros(), self._dense(guess)
        self.direct(1.0)  # of nothing that is left: products and rims of the guess
        self._rest = self._dense(rate)

    def direct(self, beta: float) -> None:
        """The next direction."""
        self._launch(direct, self._rest, self._diagonal, self._squared, self._way, self._times, np.float32(beta))
        self._wrapped(self._way)
        self._wrapped(self._times)

    def apply(self) -> float:
        """A times the direction; the direction times that."""
        own = (self._way, self._times, self._squared, self._diagonal, self._ways, self._out)
        return self._summed(apply, *own)

    def moved(self, step: float) -> float:
        """Go a step along the direction; the squares of what is left, each over its diagonal."""
        own = (self._u, self._rest, self._way, self._out, self._diagonal, np.float32(step))
        return self._summed(moved, *own)

    def found(self) -> NDArray[np.float32]:
        """The rate per surface of each place."""
        found = cuda.device_array(self._places.size, dtype=np.float32)
        take[self._row_of_blocks(), PUT_BLOCK](self._places, self._u.reshape(self._u.size), found)
        held: NDArray[np.float32] = found.copy_to_host()
        return held

    def _summed(self, kernel: Any, *given: Any) -> float:
        self._launch(kernel, *given, self._sums)
        return float(self._sums.copy_to_host().sum())

    def _wrapped(self, u: Array) -> None:
        if self._is_periodic:
            self._launch(wrap_corners, u)

    def _launch(self, kernel: Any, *given: Any) -> None:
        kernel[blocks(self._inner), gpu_kernels.BLOCK](*given)


@cuda.jit
def put(places: Array, values: Array, into: Array) -> None:
    """Values of places into a row of voxels."""
    for n in range(cuda.grid(1), places.size, cuda.gridsize(1)):
        into[places[n]] = values[n]


@cuda.jit
def take(places: Array, row: Array, values: Array) -> None:
    """Values of places from a row of voxels."""
    for n in range(cuda.grid(1), places.size, cuda.gridsize(1)):
        values[n] = row[places[n]]


@cuda.jit
def wrap_corners(u: Array) -> None:
    """Fill the rim with the voxels of the other side, that of the edges in z too."""
    at, by = cuda.grid(3), cuda.gridsize(3)
    ny, nx = u.shape[1] - 2, u.shape[2] - 2
    for k in range(at[2], u.shape[0], by[2]):
        for j in range(at[1], ny + 2, by[1]):
            is_end = j in (0, ny + 1)
            for i in range(at[0], nx + 2, by[0]):
                if is_end or i in (0, nx + 1):
                    u[k, j, i] = u[k, (j + ny - 1) % ny + 1, (i + nx - 1) % nx + 1]


@cuda.jit(device=True)
def _weighed(u: Array, k: int, j: int, i: int) -> float:
    """Half the weights times the neighbors of a voxel: over faces, and over edges."""
    edges = cuda.const.array_like(EDGES)
    face = u[k - 1, j, i] + u[k + 1, j, i] + u[k, j - 1, i] + u[k, j + 1, i] + u[k, j, i - 1] + u[k, j, i + 1]
    edge = np.float32(0.0)
    for number in range(edges.shape[0]):
        edge += u[k + edges[number, 0], j + edges[number, 1], i + edges[number, 2]]
    return HALF_A_FACE * face + HALF_AN_EDGE * edge


@cuda.jit(device=True)
def _is_only_way(area: Array, k: int, j: int, i: int, dz: int, dy: int, dx: int) -> bool:
    """Whether there is a place over an edge, and none over the two faces that it joins."""
    if area[k + dz, j + dy, i + dx] == 0.0:
        return False
    by_z, by_y, by_x = area[k + dz, j, i] == 0.0, area[k, j + dy, i] == 0.0, area[k, j, i + dx] == 0.0
    return (by_z or dz == 0) and (by_y or dy == 0) and (by_x or dx == 0)


@cuda.jit
def join(area: Array, squared: Array, diagonal: Array, ways: Array) -> None:
    """diagonal of each place, 0 elsewhere; ways: bits of its edges that are the only way."""
    edges = cuda.const.array_like(EDGES)
    at, by = cuda.grid(3), cuda.gridsize(3)
    for k in range(1 + at[2], area.shape[0] - 1, by[2]):
        for j in range(1 + at[1], area.shape[1] - 1, by[1]):
            for i in range(1 + at[0], area.shape[2] - 1, by[0]):
                ways[k, j, i] = 0
                if area[k, j, i] == 0.0:
                    continue
                own, bits, total = squared[k, j, i], 0, area[k, j, i] + _weighed(squared, k, j, i)
                for axis in range(3):
                    for side in (-1, 1):
                        kk, jj, ii = k + side * (axis == 0), j + side * (axis == 1), i + side * (axis == 2)
                        if area[kk, jj, ii] != 0.0:
                            total += HALF_A_FACE * own
                for number in range(edges.shape[0]):
                    dz, dy, dx = edges[number, 0], edges[number, 1], edges[number, 2]
                    if area[k + dz, j + dy, i + dx] != 0.0:
                        total += HALF_AN_EDGE * own
                    if _is_only_way(area, k, j, i, dz, dy, dx):
                        bits |= 1 << number
                        total += HALF_MORE * (own + squared[k + dz, j + dy, i + dx])
                diagonal[k, j, i], ways[k, j, i] = total, bits


@cuda.jit
def apply(way: Array, times: Array, squared: Array, diagonal: Array, ways: Array, out: Array, sums: Array) -> None:
    """out = A way; sums[block] = way . out of its voxels. times: squared way."""
    edges = cuda.const.array_like(EDGES)
    at, by = cuda.grid(3), cuda.gridsize(3)
    total = 0.0
    for k in range(1 + at[2], way.shape[0] - 1, by[2]):
        for j in range(1 + at[1], way.shape[1] - 1, by[1]):
            for i in range(1 + at[0], way.shape[2] - 1, by[0]):
                if diagonal[k, j, i] == 0.0:
                    out[k, j, i] = 0.0
                    continue
                own, flow = squared[k, j, i], diagonal[k, j, i] * way[k, j, i]
                flow -= own * _weighed(way, k, j, i) + _weighed(times, k, j, i)
                for number in range(edges.shape[0]):
                    if ways[k, j, i] & (1 << number):
                        kk, jj, ii = k + edges[number, 0], j + edges[number, 1], i + edges[number, 2]
                        flow -= HALF_MORE * (own + squared[kk, jj, ii]) * way[kk, jj, ii]
                out[k, j, i] = flow
                total += way[k, j, i] * flow
    block_sum(total, sums)


@cuda.jit
def direct(rest: Array, diagonal: Array, squared: Array, way: Array, times: Array, beta: float) -> None:
    """The next direction: what is left over its diagonal, and beta times the last; times: squared way."""
    at, by = cuda.grid(3), cuda.gridsize(3)
    for k in range(1 + at[2], way.shape[0] - 1, by[2]):
        for j in range(1 + at[1], way.shape[1] - 1, by[1]):
            for i in range(1 + at[0], way.shape[2] - 1, by[0]):
                if diagonal[k, j, i] > 0.0:
                    now = rest[k, j, i] / diagonal[k, j, i] + beta * way[k, j, i]
                    way[k, j, i] = now
                    times[k, j, i] = squared[k, j, i] * now


@cuda.jit
def moved(u: Array, rest: Array, way: Array, out: Array, diagonal: Array, step: float, sums: Array) -> None:
    """u += step way, rest -= step out; sums[block] = rest^2 / diagonal of its voxels."""
    at, by = cuda.grid(3), cuda.gridsize(3)
    total = 0.0
    for k in range(1 + at[2], u.shape[0] - 1, by[2]):
        for j in range(1 + at[1], u.shape[1] - 1, by[1]):
            for i in range(1 + at[0], u.shape[2] - 1, by[0]):
                if diagonal[k, j, i] > 0.0:
                    u[k, j, i] += step * way[k, j, i]
                    now = rest[k, j, i] - step * out[k, j, i]
                    rest[k, j, i] = now
                    total += now * now / diagonal[k, j, i]
    block_sum(total, sums)
