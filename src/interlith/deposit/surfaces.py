"""Where lithium can be plated or stripped in a box of voxels, on how much surface, and how easily.

A front of lithium lies inside one voxel at a time: a voxel fills from the full voxels beside it, and from the surface
of the host in it, and a full one is stripped only where what lies beside it holds no lithium any more. So a flat film
ends flat, with nothing left behind. The surface in a voxel is the length of the vector of its faces, opposite ones
added, so that a slope cut into steps has the surface of the slope.

All arrays are [z, y, x] with a rim of one voxel: under the first plane the collector, over the last one electrolyte.
planes is float64[z, 4]: how far each plane is stretched (its height over that of a voxel, which holds more so), how
densely lithium packs in it, the room up to which a voxel counts as full, and the lithium that fills it over the host.
"""

from __future__ import annotations

import numpy as np

from interlith.deposit.solver.kernels import kernel

OPEN, LITHIUM, BARE, SHUT = 0, 1, 2, 3  # solid: room for lithium | full and joined, of lithium | of host | full, apart
NO_HOST, FIBRE, OXIDE, COLLECTOR, METAL = 0, 1, 2, 3, 4  # classes of surface
N_CLASSES = 5
NONE, LIVE, DEAD = 0, 1, 2  # state of the lithium in a voxel
LEAST_ROOM = 1e-9  # share of a voxel; with less it is full
LEAST_LITHIUM = 1e-9  # share of a voxel; less covers nothing and joins nothing
STRETCH, PACKING, LEAST, HOLDS = 0, 1, 2, 3  # columns of planes
FULL_ENOUGH = 0.05  # share of a stretched voxel: what is filled so far follows its layer, and is no front
SOME = 1024  # rows of a list that gets longer
BRIDGED = 0.1  # share of a voxel: dead lithium up to here does not keep a front out, and is taken up by it


@kernel
def classify(host, planes, joined, lithium, state, solid, first, last):  # type: ignore[no-untyped-def]
    """What each voxel is for those beside it."""
    for k in range(first, last):
        for j in range(1, host.shape[1] - 1):
            for i in range(1, host.shape[2] - 1):
                if (planes[k, STRETCH] - host[k, j, i]) * planes[k, PACKING] - lithium[k, j, i] > planes[k, LEAST]:
                    solid[k, j, i] = OPEN
                elif lithium[k, j, i] > LEAST_LITHIUM:
                    solid[k, j, i] = LITHIUM if state[k, j, i] == LIVE else SHUT
                else:
                    solid[k, j, i] = BARE if joined[k, j, i] else SHUT


@kernel
def with_room(host, planes, lithium, found, first, last):  # type: ignore[no-untyped-def]
    """found: bool[z, y, x] without a rim, whether electrolyte has room in a voxel."""
    for k in range(first, last):
        for j in range(1, host.shape[1] - 1):
            for i in range(1, host.shape[2] - 1):
                room = planes[k, STRETCH] - host[k, j, i] - lithium[k, j, i]
                found[k - 1, j - 1, i - 1] = room > planes[k, LEAST]


@kernel
def _face(own, whole, host, there, code):  # type: ignore[no-untyped-def]
    """Surface of the front in a voxel towards one beside it.

    own: its joined host; whole: its face; there: the host of that one.
    """
    if code in (LITHIUM, BARE):
        return whole - host
    if code == OPEN and own > there:
        return own - there
    return 0.0


@kernel
def _drop(held, host, planes, k):  # type: ignore[no-untyped-def]
    """Surface of lithium that fills a share of a voxel by itself."""
    return (held / ((planes[k, STRETCH] - host) * planes[k, PACKING])) ** (2.0 / 3.0)


@kernel
def _towards(own, host, stretch, kind, solid, faces, k, j, i):  # type: ignore[no-untyped-def]
    """Square of the surface of the front in a voxel; faces: its parts by class of surface, written here."""
    faces[:] = 0.0
    square = 0.0
    for axis in range(3):
        dz, dy, dx = axis == 0, axis == 1, axis == 2
        both = 0.0
        for side in (-1, 1):
            kk, jj, ii = k + side * dz, j + side * dy, i + side * dx
            code = solid[kk, jj, ii]
            face = _face(own, 1.0 if axis == 0 else stretch, host[k, j, i], host[kk, jj, ii], code)
            of = METAL if code == LITHIUM else (kind[kk, jj, ii] if code == BARE else kind[k, j, i])
            faces[of] += face
            both += face
        square += both * both
    return square


@kernel
def _mixed(faces, class_ease, class_barrier, class_migration, ease, k, j, i):  # type: ignore[no-untyped-def]
    """Of the classes of surface in a voxel: their faces, these times ease and squared length, and the least barrier."""
    total, eased, length, least = 0.0, 0.0, 0.0, np.inf
    for of in range(N_CLASSES):
        if faces[of] > 0.0:
            total += faces[of]
            eased += faces[of] * class_ease[of] * ease[1 if of == METAL else 0, k, j, i]
            length += faces[of] * class_migration[of]
            least = min(least, class_barrier[of] * ease[2, k, j, i])
    return total, eased, length, least


@kernel
def _is_beside(solid, k, j, i):  # type: ignore[no-untyped-def]
    """Whether something full and joined lies beside a voxel."""
    for there in (solid[k - 1, j, i], solid[k + 1, j, i], solid[k, j - 1, i], solid[k, j + 1, i]):
        if there in (LITHIUM, BARE):
            return True
    return solid[k, j, i - 1] in (LITHIUM, BARE) or solid[k, j, i + 1] in (LITHIUM, BARE)


@kernel
def _longer(held):  # type: ignore[no-untyped-def]
    """The same rows, and room for a quarter more."""
    more = np.empty((len(held) + max(len(held) // 4, SOME), *held.shape[1:]), dtype=held.dtype)
    more[: len(held)] = held
    return more


@kernel
def plating(  # type: ignore[no-untyped-def]
    host,
    planes,
    joined,
    kind,
    lithium,
    state,
    solid,
    wet,
    ease,
    class_ease,
    class_barrier,
    class_migration,
    nucleus,
    first,
    last,
):
    """The voxels that can take lithium: int32[n], their places in a row in order, and float32[n, 4] of their surface,
    ease times surface, barrier and squared migration length.

    ease[0] on bare surface, ease[1] on lithium, ease[2] that of barriers: of the place; class_*: of the class of
    surface; nucleus: thickness of lithium from which on a surface is lithium, in voxels.
    """
    faces = np.zeros(N_CLASSES)
    n, places, found = 0, np.empty(SOME, dtype=np.int32), np.empty((SOME, 4), dtype=np.float32)
    for k in range(first, last):
        for j in range(1, host.shape[1] - 1):
            for i in range(1, host.shape[2] - 1):
                held = lithium[k, j, i]
                if solid[k, j, i] != OPEN or not wet[k, j, i] or (state[k, j, i] == DEAD and held > BRIDGED):
                    continue
                own = host[k, j, i] if joined[k, j, i] else 0.0
                if own == 0.0 and held <= LEAST_LITHIUM and not _is_beside(solid, k, j, i):
                    continue
                square = _towards(own, host, planes[k, STRETCH], kind, solid, faces, k, j, i)
                size = np.sqrt(square)
                if held > LEAST_LITHIUM and state[k, j, i] == LIVE:
                    size = max(size, _drop(held, host[k, j, i], planes, k))
                    if square == 0.0:
                        faces[METAL] = size
                if size <= 0.0:
                    continue
                total, eased, length, least = _mixed(faces, class_ease, class_barrier, class_migration, ease, k, j, i)
                covered = min(1.0, held / (size * nucleus))
                rate = size * (covered * ease[1, k, j, i] + (1.0 - covered) * eased / total)
                if rate <= 0.0:
                    continue
                if n == len(places):
                    places, found = _longer(places), _longer(found)
                places[n] = (k * host.shape[1] + j) * host.shape[2] + i
                found[n, 0], found[n, 1], found[n, 2] = size, rate, (1.0 - covered) * least
                found[n, 3] = covered * class_migration[METAL] + (1.0 - covered) * length / total
                n += 1
    return places[:n], found[:n]


@kernel
def _bared(host, planes, lithium, state, solid, wet, k, j, i):  # type: ignore[no-untyped-def]
    """Surface of a full voxel of lithium towards the electrolyte: not where another front lies before it."""
    square = 0.0
    for axis in range(3):
        dz, dy, dx = axis == 0, axis == 1, axis == 2
        both = 0.0
        for side in (-1, 1):
            kk, jj, ii = k + side * dz, j + side * dy, i + side * dx
            shielded = state[kk, jj, ii] == LIVE and lithium[kk, jj, ii] > LEAST_LITHIUM
            if solid[kk, jj, ii] == OPEN and wet[kk, jj, ii] and not shielded:
                open_share = planes[kk, STRETCH] - host[kk, jj, ii] - lithium[kk, jj, ii]
                both += open_share / planes[kk, STRETCH] if axis == 0 else open_share
        square += both * both
    return np.sqrt(square)


@kernel
def _front(host, planes, joined, lithium, solid, k, j, i):  # type: ignore[no-untyped-def]
    """Surface of a front that lies inside a voxel: that on which it grew, or where this is gone that of a drop."""
    own = host[k, j, i] if joined[k, j, i] else 0.0
    square = 0.0
    for axis in range(3):
        dz, dy, dx = axis == 0, axis == 1, axis == 2
        both = 0.0
        for side in (-1, 1):
            kk, jj, ii = k + side * dz, j + side * dy, i + side * dx
            whole = 1.0 if axis == 0 else planes[k, STRETCH]
            both += _face(own, whole, host[k, j, i], host[kk, jj, ii], solid[kk, jj, ii])
        square += both * both
    return max(np.sqrt(square), _drop(lithium[k, j, i], host[k, j, i], planes, k))


@kernel
def stripping(  # type: ignore[no-untyped-def]
    host, planes, joined, lithium, state, solid, wet, ease, inner, first, last
):
    """The voxels whose lithium can be stripped: int32[n], their places in a row in order; float32[n, 1], ease times
    surface.

    inner: surface per volume of porous lithium, which is stripped wherever it is wet, times the width of a voxel.
    """
    n, places, found = 0, np.empty(SOME, dtype=np.int32), np.empty((SOME, 1), dtype=np.float32)
    for k in range(first, last):
        for j in range(1, host.shape[1] - 1):
            for i in range(1, host.shape[2] - 1):
                if lithium[k, j, i] <= 0.0 or state[k, j, i] == DEAD:
                    continue
                if solid[k, j, i] == OPEN:
                    size = _front(host, planes, joined, lithium, solid, k, j, i) if wet[k, j, i] else 0.0
                else:
                    size = _bared(host, planes, lithium, state, solid, wet, k, j, i)
                if planes[k, PACKING] < 1.0 and wet[k, j, i]:
                    whole = (planes[k, STRETCH] - host[k, j, i]) * planes[k, PACKING]
                    size = max(size, inner * np.sqrt(lithium[k, j, i] * whole))
                rate = size * ease[1, k, j, i]
                if rate <= 0.0:
                    continue
                if n == len(places):
                    places, found = _longer(places), _longer(found)
                places[n] = (k * host.shape[1] + j) * host.shape[2] + i
                found[n, 0] = rate
                n += 1
    return places[:n], found[:n]
