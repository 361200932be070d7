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

from interlith.deposit.solver.kernels import inlined, kernel

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


@inlined
def _whole(host, planes, k):  # type: ignore[no-untyped-def]
    """Most lithium that a voxel of a plane holds beside its host."""
    return (planes[k, STRETCH] - host) * planes[k, PACKING]


@kernel
def classify(host, planes, joined, lithium, state, solid, first, last):  # type: ignore[no-untyped-def]
    """What each voxel is for those beside it."""
    for k in range(first, last):
        for j in range(1, host.shape[1] - 1):
            for i in range(1, host.shape[2] - 1):
                if _whole(host[k, j, i], planes, k) - lithium[k, j, i] > planes[k, LEAST]:
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


@inlined
def _face(host, solid, own, whole, at, there):  # type: ignore[no-untyped-def]
    """Surface of the front in a voxel towards one beside it.

    own: its joined host; whole: its face.
    """
    code = solid[there]
    if code in (LITHIUM, BARE):
        return whole - host[at]
    if code == OPEN and own > 0.0 and own > host[there]:
        return own - host[there]
    return 0.0


@inlined
def _of_class(kind, solid, at, there):  # type: ignore[no-untyped-def]
    """Class of the surface in a voxel towards one beside it."""
    code = solid[there]
    return METAL if code == LITHIUM else (kind[there] if code == BARE else kind[at])


@inlined
def _front(host, solid, own, stretch, k, j, i):  # type: ignore[no-untyped-def]
    """Surface on which the front in a voxel grew. own: its joined host."""
    square = 0.0
    for axis in range(3):
        both, whole = 0.0, 1.0 if axis == 0 else stretch
        for side in (-1, 1):
            there = k + side * (axis == 0), j + side * (axis == 1), i + side * (axis == 2)
            both += _face(host, solid, own, whole, (k, j, i), there)
        square += both * both
    return np.sqrt(square)


@inlined
def _by_class(host, kind, solid, own, stretch, faces, k, j, i):  # type: ignore[no-untyped-def]
    """faces: surface on which the front in a voxel grew by class, written here, opposite ones not added."""
    faces[:] = 0.0
    for axis in range(3):
        for side in (-1, 1):
            there = k + side * (axis == 0), j + side * (axis == 1), i + side * (axis == 2)
            face = _face(host, solid, own, 1.0 if axis == 0 else stretch, (k, j, i), there)
            faces[_of_class(kind, solid, (k, j, i), there)] += face


@inlined
def _at_least_a_drop(size, held, host, planes, k):  # type: ignore[no-untyped-def]
    """A surface, or that of lithium that fills a share of a voxel by itself, where this is more."""
    share = held / _whole(host, planes, k)
    return size if size * size * size > share * share else share ** (2.0 / 3.0)


@inlined
def _mixed(faces, class_ease, class_barrier, class_migration, ease, k, j, i):  # type: ignore[no-untyped-def]
    """Of the classes of surface in a voxel: mean ease and squared length, and the least barrier."""
    total, eased, length, least = 0.0, 0.0, 0.0, np.inf
    for of in range(N_CLASSES):
        if faces[of] > 0.0:
            total += faces[of]
            eased += faces[of] * class_ease[of] * ease[1 if of == METAL else 0, k, j, i]
            length += faces[of] * class_migration[of]
            least = min(least, class_barrier[of] * ease[2, k, j, i])
    return eased / total, length / total, least


@inlined
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
                bare = _front(host, solid, own, planes[k, STRETCH], k, j, i)
                size = bare
                if held > LEAST_LITHIUM and state[k, j, i] == LIVE:
                    size = _at_least_a_drop(bare, held, host[k, j, i], planes, k)
                if size <= 0.0:
                    continue
                covered, barrier = min(1.0, held / (size * nucleus)), 0.0
                rate, squared = ease[1, k, j, i], class_migration[METAL]
                if covered < 1.0:
                    _by_class(host, kind, solid, own, planes[k, STRETCH], faces, k, j, i)
                    if bare == 0.0:
                        faces[METAL] = size
                    eased, length, least = _mixed(faces, class_ease, class_barrier, class_migration, ease, k, j, i)
                    rate = covered * rate + (1.0 - covered) * eased
                    squared = covered * squared + (1.0 - covered) * length
                    barrier = (1.0 - covered) * least
                if rate <= 0.0:
                    continue
                if n == len(places):
                    places, found = _longer(places), _longer(found)
                places[n] = (k * host.shape[1] + j) * host.shape[2] + i
                found[n, 0], found[n, 1], found[n, 2], found[n, 3] = size, size * rate, barrier, squared
                n += 1
    return places[:n], found[:n]


@inlined
def _bared(host, planes, lithium, state, solid, wet, k, j, i):  # type: ignore[no-untyped-def]
    """Surface of a full voxel of lithium towards the electrolyte: not where another front lies before it."""
    square = 0.0
    for axis in range(3):
        both = 0.0
        for side in (-1, 1):
            kk, jj, ii = k + side * (axis == 0), j + side * (axis == 1), i + side * (axis == 2)
            if solid[kk, jj, ii] != OPEN or not wet[kk, jj, ii]:
                continue
            if state[kk, jj, ii] != LIVE or lithium[kk, jj, ii] <= LEAST_LITHIUM:
                open_share = planes[kk, STRETCH] - host[kk, jj, ii] - lithium[kk, jj, ii]
                both += open_share / planes[kk, STRETCH] if axis == 0 else open_share
        square += both * both
    return np.sqrt(square)


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
                size = 0.0
                if solid[k, j, i] == OPEN and wet[k, j, i]:
                    own = host[k, j, i] if joined[k, j, i] else 0.0
                    size = _front(host, solid, own, planes[k, STRETCH], k, j, i)
                    size = _at_least_a_drop(size, lithium[k, j, i], host[k, j, i], planes, k)
                elif solid[k, j, i] != OPEN:
                    size = _bared(host, planes, lithium, state, solid, wet, k, j, i)
                if planes[k, PACKING] < 1.0 and wet[k, j, i]:
                    size = max(size, inner * np.sqrt(lithium[k, j, i] * _whole(host[k, j, i], planes, k)))
                rate = size * ease[1, k, j, i]
                if rate <= 0.0:
                    continue
                if n == len(places):
                    places, found = _longer(places), _longer(found)
                places[n] = (k * host.shape[1] + j) * host.shape[2] + i
                found[n, 0] = rate
                n += 1
    return places[:n], found[:n]


@kernel
def at_hand(  # type: ignore[no-untyped-def]
    places, host, lithium, planes, n_of_a_plane, share, is_stripping, at_hand, most, first, last
):
    """Of places first to last - 1 in a row: the most by which each may change in a step, and how much of that it can
    take, or give. share: of a voxel, by which it may change at most.
    """
    for n in range(first, last):
        k, held = places[n] // n_of_a_plane, lithium[places[n]]
        packing = planes[k, PACKING]
        most[n] = share * packing if is_stripping else min(packing, share)
        at_hand[n] = min(held if is_stripping else _whole(host[places[n]], planes, k) - held, most[n])


@kernel
def put(places, taken, lithium, fresh, first, last):  # type: ignore[no-untyped-def]
    """Add what places first to last - 1 take, all in rows; fresh: 1 where there was no lithium before."""
    for n in range(first, last):
        fresh[places[n]] = lithium[places[n]] <= LEAST_LITHIUM and taken[n] > 0.0
        lithium[places[n]] += taken[n]


@kernel
def fill_up(places, host, lithium, planes, n_of_a_plane, solid, first, last):  # type: ignore[no-untyped-def]
    """Places first to last - 1 that are full are lithium for those beside them."""
    for n in range(first, last):
        at, k = places[n], places[n] // n_of_a_plane
        if _whole(host[at], planes, k) - lithium[at] <= planes[k, LEAST]:
            solid[at] = LITHIUM
