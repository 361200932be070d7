"""What is seen in a box of voxels: fibres, and lithium, dense, porous, dead or live again, as surfaces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from interlith.deposit.follow import Picture
from interlith.deposit.meshes import Mesh, coarsened, packed, surface_that_holds, unit_um
from interlith.deposit.surfaces import LEAST_LITHIUM

FIBRES, LIVE, MOSS, DEAD, AGAIN = "fibres", "live", "moss", "dead", "live_again"
MOST_ACROSS = 64  # voxels of the meshes to a side of the box
SHARED = (0.5, 0.8)  # share of host in a voxel: up to the first all is shared, from the second on nothing
COARSEST = 64  # voxels joined to one, to a side
MOST_BYTES = 5_500_000  # of all meshes; a third more as text of a page
Shares = Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True)
class State:
    """One moment: its words, heights of the edges of its planes, share of each voxel of each layer, and charges."""

    name: str
    z_edges_um: NDArray[np.float64]
    shares: Shares
    mAh_per_cm2: Mapping[str, float]


@dataclass(frozen=True)
class Shown:
    """A state as surfaces: each layer the place of its packed mesh, None where there is nothing; and charges."""

    name: str
    meshes: Mapping[str, int | None]
    mAh_per_cm2: Mapping[str, float]


@dataclass(frozen=True)
class Scene:
    """States as surfaces. size_um: x, y, z. mesh_voxel_um: of the voxels meshed, each of n_joined to a side."""

    states: tuple[Shown, ...]
    packed: tuple[tuple[bytes, bytes], ...]
    unit_um: float
    size_um: tuple[float, float, float]
    host_um: float
    mesh_voxel_um: float
    n_joined: int


def live_again(pictures: Sequence[Picture]) -> Iterator[NDArray[np.bool_]]:
    """For each picture the voxels whose lithium is live, and was dead in an earlier one and never gone in between.

    A voxel counts whole, also with the lithium that came to what was dead.
    """
    before = np.zeros((0, *pictures[0].lithium.shape[1:]), dtype=bool) if pictures else np.zeros((0, 0, 0), dtype=bool)
    for picture in pictures:
        held = np.zeros(picture.lithium.shape, dtype=bool)
        held[: len(before)] = before[: len(held)]
        is_there = picture.lithium > LEAST_LITHIUM
        again = held & is_there & ~picture.is_dead
        yield again
        before = again | (picture.is_dead & is_there)


def shares_of(picture: Picture, is_again: NDArray[np.bool_], host: NDArray[np.float32], voxel_um: float) -> Shares:
    """Layers of a picture: the share of each voxel, stretched as it is, that they take up.

    Beside the host lithium is given of the host's share as much as SHARED allows, as far as it fills the rest, so that
    both surfaces meet without pits. Moss takes the room of its pores too.
    """
    stretch = (picture.heights_um / voxel_um).astype(np.float32)[:, None, None]
    lithium, packing = picture.lithium / stretch, picture.packing
    host = host / stretch[: len(host)]
    below = np.zeros(picture.lithium.shape, dtype=np.float32)
    below[: len(host)] = host
    filled = np.minimum(lithium / np.maximum(1.0 - below, LEAST_LITHIUM) / packing[:, None, None], 1.0)
    lent = below * np.clip((SHARED[1] - below) / (SHARED[1] - SHARED[0]), 0.0, 1.0)
    taken = (filled * (1.0 - below + lent)).astype(np.float32)
    return {
        FIBRES: host,
        **{name: np.where(held & ~is_again, taken, np.float32(0.0)) for name, held in kinds_of(picture).items()},
        AGAIN: np.where(is_again, taken, np.float32(0.0)),
    }


def kinds_of(picture: Picture) -> Mapping[str, NDArray[np.bool_]]:
    """Which voxels hold dense live lithium, which live moss, in planes where it packs loosely, and which dead."""
    is_live, is_porous = ~picture.is_dead, (picture.packing < 1.0)[:, None, None]
    return {LIVE: is_live & ~is_porous, MOSS: is_live & is_porous, DEAD: picture.is_dead}


def scene(states: Sequence[State], voxel_um: float, host_um: float) -> Scene:
    """Surfaces of states, of voxels joined to blocks until they are few enough for a page."""
    n_joined = max(1, -(-max(states[0].shares[FIBRES].shape[1:]) // MOST_ACROSS))
    while True:
        made = _scene(states, voxel_um, host_um, n_joined)
        n_bytes = sum(len(points) + len(faces) for points, faces in made.packed)
        if n_bytes <= MOST_BYTES or n_joined >= COARSEST:
            return made
        n_joined += 1


def _scene(states: Sequence[State], voxel_um: float, host_um: float, n_joined: int) -> Scene:
    wide = n_joined * voxel_um
    ny, nx = states[0].shares[FIBRES].shape[1:]
    size_um = (nx * voxel_um, ny * voxel_um, max(_top_um(state) for state in states))
    step_um = unit_um(max(size_um) + wide, wide)
    found: dict[tuple[bytes, bytes], int] = {}
    known: dict[tuple[int, bytes], int | None] = {}
    shown = []
    for state in states:
        held: dict[str, int | None] = {}
        for name, share in state.shares.items():
            same = (id(share), state.z_edges_um[: len(share) + 1].tobytes())
            if same not in known:
                mesh = _mesh(share, state.z_edges_um, voxel_um, n_joined, size_um)
                known[same] = None if mesh is None else found.setdefault(packed(mesh, step_um), len(found))
            held[name] = known[same]
        shown.append(Shown(state.name, held, state.mAh_per_cm2))
    return Scene(tuple(shown), tuple(found), step_um, size_um, host_um, wide, n_joined)


def _top_um(state: State) -> float:
    """Height of the highest plane in which there is anything."""
    used = np.zeros(len(state.z_edges_um) - 1, dtype=bool)
    for share in state.shares.values():
        used[: len(share)] |= share.any(axis=(1, 2))
    return float(state.z_edges_um[np.flatnonzero(used)[-1] + 1]) if used.any() else 0.0


def _mesh(
    share: NDArray[np.float32],
    z_edges_um: NDArray[np.float64],
    voxel_um: float,
    n_joined: int,
    size_um: tuple[float, float, float],
) -> Mesh | None:
    """The surface of a layer; None where there is none. What blocks reach beyond the box is cut off."""
    used = np.flatnonzero(share.any(axis=(1, 2)))
    if not used.size:
        return None
    n_high = int(used[-1]) + 1
    means, edges_um = coarsened(share[:n_high], z_edges_um[: n_high + 1], n_joined)
    mesh = surface_that_holds(means, edges_um, n_joined * voxel_um)
    inside = np.minimum(mesh.points_um, np.array(size_um))
    return Mesh(inside, mesh.faces) if len(mesh.faces) else None
