"""Boxes of voxels whose truth is known, and the matrix that a box stands for."""

import numpy as np
from scipy.sparse import coo_matrix

from interlith.deposit.box import Box, Ground
from interlith.deposit.network import Network
from interlith.deposit.solver.multigrid import Faces
from interlith.parts.deposition import deposition

ALIKE = dict.fromkeys(("ease_spread", "nucleation_spread", "sei_per_plated", "void_per_sei"), 0.0)
UNHINDERED = dict.fromkeys(("collector_nucleation_mV", "fibre_migration_um", "lithium_migration_um"), 0.0)
EVEN = deposition("cu").with_values(**ALIKE, **UNHINDERED)


def film(heights, n_z, team, parameters=EVEN, conductivity=None, *, voxel_um=0.5):
    """Columns of lithium of these heights, in voxels, on a bare collector, twice, sides repeating; n_z planes."""
    box = Box(Ground.bare(2, len(heights), voxel_um=voxel_um), parameters, 1, team, conductivity)
    box.lithium = np.zeros((n_z + 2, 4, len(heights) + 2))
    box.grown = np.full(box.lithium.shape, 255, dtype=np.uint8)
    box._lay()
    box.lithium[1:-1, 1:-1, 1:-1] = np.clip(np.asarray(heights) - np.arange(n_z)[:, None, None], 0.0, 1.0)
    box.settle()
    return box


def posts(n_z=12, n=9, h=0.75):
    """Posts of host every third voxel both ways, joined by a grid on the collector."""
    host = np.zeros((n_z, n, n))
    host[:, ::3, ::3] = 0.9
    host[0, ::3] = 0.9
    return Ground(host, n_z, h, True)


def random_faces(shape, seed, is_periodic, *, is_leaking=True, blocked=0.3):
    """Conductances over four decades, some faces shut, each voxel with a sink or none."""
    random = np.random.default_rng(seed)
    nz, ny, nx = shape

    def made(*size):
        held = 10.0 ** random.uniform(-2, 2, size)
        return np.where(random.random(size) < blocked, 0.0, held).astype(np.float32)

    x, y, z = made(nz, ny, nx + 1), made(nz, ny + 1, nx), made(nz + 1, ny, nx)
    if is_periodic:
        x[:, :, -1], y[:, -1] = x[:, :, 0], y[:, 0]
    else:
        x[:, :, 0] = x[:, :, -1] = 0.0
        y[:, 0] = y[:, -1] = 0.0
    z[0] = z[-1] = 1.0
    sink = made(nz, ny, nx) if is_leaking else np.zeros(shape, dtype=np.float32)
    return Faces(x, y, z, sink, is_periodic)


def matrix(faces):
    """The equations of a box, one row for each voxel, made without the code that is tested."""
    nz, ny, nx = faces.sink.shape
    number = np.arange(nz * ny * nx).reshape(nz, ny, nx)
    rows, columns, values = [], [], []

    def couple(one, other, g):
        for a, b in ((one, other), (other, one)):
            rows.extend([a, a])
            columns.extend([a, b])
            values.extend([g, -g])

    x, y, z = (held.astype(float) for held in (faces.x, faces.y, faces.z))
    for k, j, i in np.ndindex(nz, ny, nx):
        here = number[k, j, i]
        if i + 1 < nx:
            couple(here, number[k, j, i + 1], x[k, j, i + 1])
        elif faces.is_periodic:
            couple(here, number[k, j, 0], x[k, j, nx])
        if j + 1 < ny:
            couple(here, number[k, j + 1, i], y[k, j + 1, i])
        elif faces.is_periodic:
            couple(here, number[k, 0, i], y[k, ny, i])
        if k + 1 < nz:
            couple(here, number[k + 1, j, i], z[k + 1, j, i])
        own = float(faces.sink[k, j, i]) + (z[0, j, i] if k == 0 else 0.0) + (z[nz, j, i] if k == nz - 1 else 0.0)
        rows.append(here)
        columns.append(here)
        values.append(own)
    n = nz * ny * nx
    return coo_matrix((values, (rows, columns)), shape=(n, n)).tocsr()


def cylinders(n, solid, *, at=(0.2, 0.13)):
    """A square array of cylinders along x in cells of n voxels, six cells high: grey at their surfaces."""
    radius = n * np.sqrt(solid / np.pi)
    z, y = (np.arange(n) + 0.5 - n / 2 - shift for shift in at)
    z, y = ((held + n / 2) % n - n / 2 for held in (z, y))
    share = np.clip(0.5 + radius - np.hypot(z[:, None], y[None, :]), 0.0, 1.0)
    return Network(np.repeat(np.tile(share, (6, 1))[:, :, None], 2, axis=2).astype(np.float32), 1.0, True, "cylinders")


def spheres(n, solid):
    """A simple cubic array of spheres in cells of n voxels, three cells high."""
    radius = n * (3.0 * solid / (4.0 * np.pi)) ** (1.0 / 3.0)
    at = np.arange(n) + 0.5 - n / 2
    distance = np.sqrt(at[:, None, None] ** 2 + at[None, :, None] ** 2 + at[None, None, :] ** 2)
    share = np.clip(0.5 + radius - distance, 0.0, 1.0).astype(np.float32)
    return Network(np.tile(share, (3, 1, 1)), 1.0, True, "spheres")
