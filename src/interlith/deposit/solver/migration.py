"""How adatoms even out a rate over the surface before they are built in: (A + lambda^2 L) u = r, r' = A u.

u is the rate per surface, A the surface in a voxel, L the Laplacian on the graph of the voxels that take lithium. What
is handed on is conserved. On a plane a wave of wave number k is damped by 1 / (1 + lambda^2 k^2). Faces and edges join:
on a plane, with weights 2/3 and 1/6, as the nine-point Laplacian; over an edge that is the only way, with 1/2.

Solved by conjugate gradients on arrays of the whole box, in single precision with sums in double: more than a quarter
of the voxels of a host have a surface, and rows of voxels are quicker than lists of neighbors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from interlith.deposit.rows import Places, in_a_row, planes_of
from interlith.deposit.solver.kernels import kernel, wrap
from interlith.deposit.solver.team import PARTS_EACH, Team
from interlith.errors import SolverError

if TYPE_CHECKING:
    from interlith.deposit.solver.gpu_migration import OnGpu

Floats = NDArray[np.float64]
Single = NDArray[np.float32]
Values = Floats | Single
OVER_FACE, OVER_EDGE, ONLY_WAY = 2.0 / 3.0, 1.0 / 6.0, 0.5
HALF_A_FACE, HALF_AN_EDGE = np.float32(0.5 * OVER_FACE), np.float32(0.5 * OVER_EDGE)
WITHIN = 1e-3  # of the rate, in the norm of its scaled squares: 0.05 % of the current lies elsewhere
MOST_ITERATIONS = 2000
NEXT = (-1, 1)
EDGES = np.array(  # z, y, x of the voxels over the edges of one
    [(z, y, 0) for z in NEXT for y in NEXT]
    + [(z, 0, x) for z in NEXT for x in NEXT]
    + [(0, y, x) for y in NEXT for x in NEXT]
)


def evened(
    rate: Floats,
    area: Values,
    squared: Values,
    places: Places,
    shape: tuple[int, ...],
    *,
    is_periodic: bool,
    team: Team,
    within: float = WITHIN,
) -> Floats:
    """r' of each place for its rate r.

    area: surface in faces of a voxel. squared: lambda^2 of each place in voxels squared; between two it is their mean.
    places: of each in a box of that shape, in order. Raises SolverError when it does not converge.
    """
    if not squared.any():
        return rate
    on = (_OnThreads if team.device == "cpu" else _on_gpu())(area, squared, places, shape, is_periodic, team)
    handed_on: Floats = np.multiply(area, np.maximum(_solved(on, rate, area, within), 0.0), dtype=np.float64)
    return handed_on * (float(rate.sum()) / float(handed_on.sum()))


def _solved(on: _OnThreads | OnGpu, rate: Floats, area: Values, within: float) -> Single:
    """The rate per surface of each place, by conjugate gradients from that of places that hand nothing on."""
    on.begin(rate, rate / area.astype(np.float32))
    size = on.moved(0.0)
    on.apply()
    now, before = on.moved(1.0), np.inf
    for _ in range(MOST_ITERATIONS):
        if not now > within**2 * size:
            return on.found()
        on.direct(now / before)
        step = now / on.apply()
        before, now = now, on.moved(step)
    raise SolverError("migration of adatoms over the surface did not converge")


def _on_gpu() -> type[OnGpu]:
    from interlith.deposit.solver.gpu_migration import OnGpu  # numba.cuda takes a second to load

    return OnGpu


class _OnThreads:
    """The graph of the places: lambda^2 and diagonal of each voxel, 0 elsewhere, and edges that are the only way."""

    def __init__(
        self, area: Values, squared: Values, places: Places, shape: tuple[int, ...], is_periodic: bool, team: Team
    ) -> None:
        self._places, self._is_periodic, self._team = places, is_periodic, team
        first, last = (int(end) for end in planes_of(places[[0, -1]], shape))
        begin = first - 1
        self._parts = [(a + begin, b + begin) for a, b in team.ranges(last + 1 - first, squared.size, each=PARTS_EACH)]
        self._squared, self._out = self._dense(shape, squared), self._dense(shape, area)
        self._diagonal = np.zeros(shape, dtype=np.float32)
        self._edges: dict[int, tuple[Any, Any]] = {}
        self._sums = np.zeros(shape[0])
        present = self._dense(shape, np.ones(squared.size, dtype=np.uint8))
        self._share(lambda a, b: _summed(self._out, present, self._squared, self._diagonal, a, b))
        self._share(lambda a, b: self._join(present, a, b))

    def _dense(self, shape: tuple[int, ...], values: NDArray[Any]) -> NDArray[Any]:
        found = np.zeros(shape, dtype=np.float32 if values.dtype == np.float64 else values.dtype)
        row = in_a_row(found)
        self._team.share_list(self._places.size, lambda a, b: _put(self._places, values, row, a, b))
        self._share(lambda a, b: _wrapped(found, a, b, self._is_periodic))
        return found

    def _share(self, work: Callable[[int, int], Any]) -> None:
        self._team.share(self._parts, work)

    def _join(self, present: NDArray[np.uint8], first: int, last: int) -> None:
        self._edges[first] = _joined(present, self._squared, self._diagonal, first, last)

    def begin(self, rate: Floats, guess: Values) -> None:
        """Nothing found yet; the first direction is a guess of the rate per surface."""
        shape = self._out.shape
        self._u, self._rest, self._way = (
            np.zeros(shape, np.float32),
            self._dense(shape, rate),
            self._dense(shape, guess),
        )
        self._times = self._squared * self._way

    def direct(self, beta: float) -> None:
        """The next direction."""
        own = (self._rest, self._diagonal, self._squared, self._way, self._times, np.float32(beta))
        self._share(lambda a, b: _direct(*own, a, b, self._is_periodic))

    def apply(self) -> float:
        """A times the direction; the direction times that."""

        def work(first: int, last: int) -> None:
            own = (self._way, self._times, self._squared, self._diagonal, *self._edges[first], self._out, self._sums)
            _apply(*own, first, last)

        self._share(work)
        return float(self._sums.sum())

    def moved(self, step: float) -> float:
        """Go a step along the direction; the squares of what is left, each over its diagonal."""
        own = (self._u, self._rest, self._way, self._out, self._diagonal, np.float32(step), self._sums)
        self._share(lambda a, b: _moved(*own, a, b))
        return float(self._sums.sum())

    def found(self) -> Single:
        """The rate per surface of each place."""
        found: Single = in_a_row(self._u)[self._places]
        return found


@kernel
def _put(places, values, into, first, last):  # type: ignore[no-untyped-def]
    """Values of places first to last - 1 into a row of voxels."""
    for n in range(first, last):
        into[places[n]] = values[n]


@kernel
def _wrapped(u, first, last, is_periodic):  # type: ignore[no-untyped-def]
    for k in range(first, last):
        _wrap(u, k, is_periodic)


@kernel
def _wrap(u, k, is_periodic):  # type: ignore[no-untyped-def]
    """Fill the rim of a plane and its corners, which edges lead to."""
    wrap(u, k, is_periodic)
    if is_periodic:
        ny, nx = u.shape[1] - 2, u.shape[2] - 2
        u[k, 0, 0], u[k, 0, nx + 1] = u[k, ny, nx], u[k, ny, 1]
        u[k, ny + 1, 0], u[k, ny + 1, nx + 1] = u[k, 1, nx], u[k, 1, 1]


@kernel
def _summed(area, present, squared, diagonal, first, last):  # type: ignore[no-untyped-def]
    """The diagonal of some planes, as if an edge were never the only way; 0 where there is no place.

    present: 1 where there is one.
    """
    cross, corners = np.empty(area.shape[2], dtype=area.dtype), np.empty(area.shape[2], dtype=area.dtype)
    for k in range(first, last):
        for j in range(1, area.shape[1] - 1):
            total, s, p = diagonal[k, j], squared[k, j], present[k, j]
            _around(present, k, j, cross, corners)
            for i in range(1, area.shape[2] - 1):
                total[i] = s[i] * _weighed(p, cross, corners, i)
            _around(squared, k, j, cross, corners)
            for i in range(1, area.shape[2] - 1):
                more = total[i] + _weighed(s, cross, corners, i)
                total[i] = area[k, j, i] + more if p[i] > 0.0 else np.float32(0.0)


@kernel
def _joined(present, squared, diagonal, first, last):  # type: ignore[no-untyped-def]
    """Edges of some planes that are the only way, in the order of their places: float32[n] of what they have more than
    others, which is added to the diagonal, and int32[n, 2] from and to as places.
    """
    n, ny, nx = 0, present.shape[1], present.shape[2]
    more, ends = np.empty(1024, dtype=np.float32), np.empty((1024, 2), dtype=np.int32)
    ways = np.empty(nx, dtype=np.uint16)
    for k in range(first, last):
        for j in range(1, ny - 1):
            _only_ways(present, k, j, ways)
            for i in range(1, nx - 1):
                left = ways[i]
                if left == 0:
                    continue
                if n + len(EDGES) > more.size:
                    wide, long = np.empty(2 * more.size, dtype=np.float32), np.empty((2 * more.size, 2), dtype=np.int32)
                    wide[:n], long[:n] = more[:n], ends[:n]
                    more, ends = wide, long
                for number in range(len(EDGES)):
                    if left & (1 << number) == 0:
                        continue
                    kk, jj, ii = k + EDGES[number, 0], j + EDGES[number, 1], i + EDGES[number, 2]
                    both = np.float32(0.5 * (ONLY_WAY - OVER_EDGE)) * (squared[k, j, i] + squared[kk, jj, ii])
                    more[n], ends[n, 0], ends[n, 1] = both, (k * ny + j) * nx + i, (kk * ny + jj) * nx + ii
                    diagonal[k, j, i] += both
                    n += 1
    return more[:n].copy(), ends[:n].copy()


@kernel
def _only_ways(present, k, j, ways):  # type: ignore[no-untyped-def]
    """ways[i]: bits of the edges of a voxel that are the only way to the place over them, none over the two faces."""
    end, none = present.shape[2] - 1, np.uint8(1)
    own, here = present[k, j, 1:end], ways[1:end]
    here[:] = 0
    for number in range(len(EDGES)):
        dz, dy, dx = EDGES[number]
        over, bit = present[k + dz, j + dy, 1 + dx : end + dx], np.uint16(1 << number)
        one = present[k + dz, j + (dy if dx else 0), 1:end]  # the faces between are those over y, or x, and z, or y
        other = present[k, j + (0 if dx else dy), 1 + dx : end + dx]
        for i in range(own.size):
            if own[i] & over[i] & (none - one[i]) & (none - other[i]):
                here[i] |= bit


@kernel
def _weighed(u, cross, corners, i):  # type: ignore[no-untyped-def]
    """Half the weights times a row's neighbors of a voxel: over faces, and over edges."""
    face, edge = u[i - 1] + u[i + 1] + cross[i], corners[i] + cross[i - 1] + cross[i + 1]
    return HALF_A_FACE * face + HALF_AN_EDGE * edge


@kernel
def _apply(way, times, squared, diagonal, more, ends, out, sums, first, last):  # type: ignore[no-untyped-def]
    """out = A way, and way . out of each plane. times: squared way."""
    flat, into, at, zero = way.reshape(-1), out.reshape(-1), 0, np.float32(0.0)
    ny, nx = way.shape[1], way.shape[2]
    row, cross, corners = np.empty(nx, dtype=way.dtype), np.empty(nx, dtype=way.dtype), np.empty(nx, dtype=way.dtype)
    for k in range(first, last):
        for j in range(1, ny - 1):
            _around(way, k, j, cross, corners)
            u, own, s = way[k, j], diagonal[k, j], squared[k, j]
            for i in range(1, nx - 1):
                row[i] = own[i] * u[i] - s[i] * _weighed(u, cross, corners, i)
            _around(times, k, j, cross, corners)
            q, to = times[k, j], out[k, j]
            for i in range(1, nx - 1):
                to[i] = row[i] - _weighed(q, cross, corners, i) if own[i] > 0.0 else zero
        while at < more.size and ends[at, 0] < (k + 1) * ny * nx:
            into[ends[at, 0]] -= more[at] * flat[ends[at, 1]]
            at += 1
        total = 0.0
        for j in range(1, ny - 1):
            a, b = way[k, j], out[k, j]
            for i in range(1, nx - 1):
                total += a[i] * b[i]
        sums[k] = total


@kernel
def _around(u, k, j, cross, corners):  # type: ignore[no-untyped-def]
    """Sums of the four rows beside a row, and of the four rows over its edges."""
    left, right, under, above = u[k, j - 1], u[k, j + 1], u[k - 1, j], u[k + 1, j]
    for i in range(u.shape[2]):
        cross[i] = left[i] + right[i] + under[i] + above[i]
    left, right, under, above = u[k - 1, j - 1], u[k - 1, j + 1], u[k + 1, j - 1], u[k + 1, j + 1]
    for i in range(u.shape[2]):
        corners[i] = left[i] + right[i] + under[i] + above[i]


@kernel
def _direct(rest, diagonal, squared, way, times, beta, first, last, is_periodic):  # type: ignore[no-untyped-def]
    """The next direction, rim included: what is left over its diagonal, and beta times the last. times: squared way."""
    zero = np.float32(0.0)
    for k in range(first, last):
        for j in range(1, way.shape[1] - 1):
            a, b, c, d, e = rest[k, j], diagonal[k, j], way[k, j], squared[k, j], times[k, j]
            for i in range(1, way.shape[2] - 1):
                now = (a[i] / b[i] if b[i] > 0.0 else zero) + beta * c[i]
                c[i] = now
                e[i] = d[i] * now
        _wrap(way, k, is_periodic)
        _wrap(times, k, is_periodic)


@kernel
def _moved(u, rest, way, out, diagonal, step, sums, first, last):  # type: ignore[no-untyped-def]
    """u += step way, rest -= step out; sums[k] = rest^2 / diagonal of a plane."""
    for k in range(first, last):
        total = 0.0
        for j in range(1, u.shape[1] - 1):
            to, left, along, by, scale = u[k, j], rest[k, j], way[k, j], out[k, j], diagonal[k, j]
            for i in range(1, u.shape[2] - 1):
                to[i] += step * along[i]
                now = left[i] - step * by[i]
                left[i] = now
                total += now * now / scale[i] if scale[i] > 0.0 else 0.0
        sums[k] = total
