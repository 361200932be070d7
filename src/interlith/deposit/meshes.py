"""Surfaces of shares in voxels, closed at the walls of the box: surface nets, coarsened by blocks, packed into bytes.

One vertex lies in each cell between eight nodes that the surface crosses, at the mean of the crossings of its edges;
the four cells around a crossed edge are a face (Gibson, Constrained elastic surface nets, MICCAI 1998).
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

LEVELS = (0.05, 0.6)  # share of a voxel at which a surface may lie
HALVINGS = 5  # of that span
PARTS = 64  # of a voxel: what a packed position is rounded to
MOST_STEPS = 65_535  # of a packed position
AXES = ((0, 1, 2), (1, 2, 0), (2, 0, 1))  # of an edge, and the two across it in right-handed order
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Mesh:
    """A closed surface. points_um: float64[n, 3], x, y and z. faces: int64[m, 4], anticlockwise seen from outside."""

    points_um: Floats
    faces: NDArray[np.int64]

    @property
    def volume_um3(self) -> float:
        """What the surface holds, from its faces as two triangles each; positive where they face outwards.

        >>> round(surface(np.ones((2, 3, 4)), np.array([0.0, 1.0, 2.0]), 1.0).volume_um3, 9)
        24.0
        """
        a, b, c, d = (self.points_um[self.faces[:, corner]] for corner in range(4))
        return float((np.cross(a, b) * c).sum() + (np.cross(a, c) * d).sum()) / 6.0


def surface(share: NDArray[Any], z_edges_um: Floats, voxel_um: float, level: float = 0.5) -> Mesh:
    """Where a share of voxels, [z, y, x], crosses a level. z_edges_um: float64[z + 1], heights of the planes' edges.

    Up to the walls of the box the share is that of the last voxel; there the surface is closed.

    >>> surface(np.zeros((2, 2, 2)), np.array([0.0, 1.0, 2.0]), 1.0).faces.shape
    (0, 4)
    """
    nodes = np.pad(np.pad(share.astype(np.float64), 1, mode="edge"), 1)
    sides = [z_edges_um, *(np.arange(n + 1.0) * voxel_um for n in share.shape[1:])]
    places_um = [_node_places(edges_um) for edges_um in sides]
    shape = tuple(n - 1 for n in nodes.shape)
    sums, counts = np.zeros((3, int(np.prod(shape)))), np.zeros(int(np.prod(shape)))
    rings = [_crossed(axes, nodes, level, places_um, shape, sums, counts) for axes in AXES]
    cells = np.flatnonzero(counts)
    number = np.full(counts.size, -1, dtype=np.int64)
    number[cells] = np.arange(cells.size)
    points = (sums[:, cells] / counts[cells]).T[:, ::-1]
    return Mesh(np.ascontiguousarray(points), number[np.concatenate(rings)])


def _node_places(edges_um: Floats) -> Floats:
    """The middles of the voxels; at each wall a node as its voxel, and one outside that lies at the same place."""
    middles = 0.5 * (edges_um[:-1] + edges_um[1:])
    return np.concatenate([edges_um[[0, 0]], middles, edges_um[[-1, -1]]])


def _crossed(
    axes: tuple[int, int, int],
    nodes: Floats,
    level: float,
    places_um: list[Floats],
    shape: tuple[int, ...],
    sums: Floats,
    counts: Floats,
) -> NDArray[np.int64]:
    """The four cells around each crossed edge along an axis, int64[m, 4]; the crossing is added to what each sums."""
    axis, right, left = axes
    below, above = ([slice(None)] * 3 for _ in range(2))
    below[axis], above[axis] = slice(None, -1), slice(1, None)
    is_in = nodes >= level
    edges = np.nonzero(is_in[tuple(below)] != is_in[tuple(above)])
    upper = list(edges)
    upper[axis] = edges[axis] + 1
    low, high = nodes[edges], nodes[tuple(upper)]
    along = (level - low) / (high - low)
    at = [held[edge] for held, edge in zip(places_um, edges, strict=True)]
    at[axis] = at[axis] + along * (places_um[axis][upper[axis]] - at[axis])
    ring = []
    for back_right, back_left in ((0, 0), (1, 0), (1, 1), (0, 1)):
        cell = list(edges)
        cell[right], cell[left] = cell[right] - back_right, cell[left] - back_left
        flat = np.ravel_multi_index(tuple(cell), shape)
        counts += np.bincount(flat, minlength=counts.size)
        for place in range(3):
            sums[place] += np.bincount(flat, at[place], counts.size)
        ring.append(flat)
    rings = np.stack(ring, axis=1)
    faces_down = is_in[tuple(upper)]
    rings[~faces_down] = rings[~faces_down, ::-1]
    return rings


def coarsened(share: NDArray[Any], z_edges_um: Floats, n_voxels: int) -> tuple[Floats, Floats]:
    """Means over blocks of so many voxels to each side, and the edges of their planes; what is over counts as empty.

    >>> shares, edges_um = coarsened(np.ones((3, 4, 4)), np.arange(4.0), 2)
    >>> shares[:, 0, 0].tolist(), edges_um.tolist()
    ([1.0, 0.5], [0.0, 2.0, 4.0])
    """
    if n_voxels == 1:
        return share.astype(np.float64), z_edges_um
    over = [-n % n_voxels for n in share.shape]
    padded = np.pad(share.astype(np.float64), [(0, n) for n in over])
    nz, ny, nx = (n // n_voxels for n in padded.shape)
    means = padded.reshape(nz, n_voxels, ny, n_voxels, nx, n_voxels).mean(axis=(1, 3, 5))
    last_um = z_edges_um[-1] - z_edges_um[-2]
    edges_um = np.concatenate([z_edges_um, z_edges_um[-1] + last_um * np.arange(1.0, over[0] + 1.0)])
    return means, edges_um[::n_voxels]


def surface_that_holds(share: NDArray[Any], z_edges_um: Floats, voxel_um: float) -> Mesh:
    """The surface at the level at which it holds as much as the voxels do, or as nearly as LEVELS allow.

    At one half thin layers and single voxels that are partly full would be lost.
    """
    wanted_um3 = float((share.sum(axis=(1, 2)) * np.diff(z_edges_um)).sum()) * voxel_um**2
    low, high = LEVELS
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        if surface(share, z_edges_um, voxel_um, middle).volume_um3 > wanted_um3:
            low = middle
        else:
            high = middle
    return surface(share, z_edges_um, voxel_um, 0.5 * (low + high))


def unit_um(longest_um: float, voxel_um: float) -> float:
    """Length of one step of a packed position, in a box with sides up to so long.

    >>> unit_um(32.0, 0.5)
    0.0078125
    """
    return max(voxel_um / PARTS, longest_um / MOST_STEPS)


def packed(mesh: Mesh, unit_um: float) -> tuple[bytes, bytes]:
    """Points as uint16 in steps of a length, corners of faces as int32: each as differences, low bytes first, deflated.

    Points: from the one before; all x, then y, then z. Faces: the first corner, the lowest, from that of the face
    before, then the others from the first.
    """
    points = np.rint(mesh.points_um / unit_um).clip(0, MOST_STEPS).astype(np.int32)
    steps = np.diff(points, axis=0, prepend=np.int32(0)).astype(np.uint16)
    turned = (mesh.faces.argmin(axis=1)[:, None] + np.arange(4)) % 4
    faces = np.take_along_axis(mesh.faces, turned, axis=1).astype(np.int32)
    first = np.diff(faces[:, 0], prepend=np.int32(0))
    return _deflated(steps.T), _deflated(np.stack([first, *(faces[:, 1:] - faces[:, :1]).T]))


def _deflated(rows: NDArray[Any]) -> bytes:
    """All lowest bytes, then the next, and so on, of the rows one after another."""
    octets = np.ascontiguousarray(rows).astype(rows.dtype.newbyteorder("<"))
    return zlib.compress(octets.reshape(-1, 1).view(np.uint8).T.tobytes(), 6)
