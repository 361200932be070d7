"""Surfaces of voxels: closed, facing outwards, as large as what they hold, and the same after they are packed."""

import zlib

import numpy as np
import pytest

from interlith.deposit import layers
from interlith.deposit.follow import Picture
from interlith.deposit.layers import FIBRES, LIVE, MOSS, State, live_again, scene, shares_of
from interlith.deposit.meshes import Mesh, packed, surface, surface_that_holds

SHAPE = (17, 18, 19)


def ball(radius, shape=SHAPE):
    """Shares of voxels in a ball, smoothed over one voxel."""
    middle = [(n - 1) / 2 for n in shape]
    away = np.sqrt(sum((axis - m) ** 2 for axis, m in zip(np.indices(shape), middle, strict=True)))
    return np.clip(radius - away + 0.5, 0.0, 1.0)


def unpacked(points, faces):
    """As the script of the page does it."""

    def rows(data, kind, n_rows):
        octets = np.frombuffer(zlib.decompress(data), np.uint8).reshape(np.dtype(kind).itemsize, -1)
        return np.ascontiguousarray(octets.T).view(kind).reshape(n_rows, -1)

    places = np.cumsum(rows(points, "<u2", 3), axis=1, dtype=np.uint16).T
    first, *others = rows(faces, "<i4", 4)
    corner = np.cumsum(first)
    return places, np.stack([corner, *(corner + other for other in others)], axis=1)


def test_a_ball_is_round_and_nearly_as_large_as_it_is():
    mesh = surface(ball(6.0), np.arange(SHAPE[0] + 1.0), 1.0)
    assert mesh.volume_um3 == pytest.approx(4 / 3 * np.pi * 6.0**3, rel=0.04)
    middle = [n / 2 for n in SHAPE[::-1]]
    assert np.linalg.norm(mesh.points_um - middle, axis=1) == pytest.approx(6.0, abs=0.3)


def test_every_surface_is_closed_and_ends_at_the_walls():
    share = np.random.default_rng(1).random(SHAPE)
    mesh = surface(share, np.arange(SHAPE[0] + 1.0) * 0.5, 0.5)
    begin, end = mesh.faces.ravel(), np.roll(mesh.faces, -1, axis=1).ravel()
    balance = np.zeros((len(mesh.points_um),) * 2, dtype=int)
    np.add.at(balance, (begin, end), 1)
    assert (balance == balance.T).all()
    assert mesh.points_um.min(axis=0).tolist() == [0.0, 0.0, 0.0]
    assert mesh.points_um.max(axis=0).tolist() == [n * 0.5 for n in SHAPE[::-1]]


def test_planes_may_have_heights_of_their_own():
    heights = np.array([0.0, 1.0, 3.0, 7.0])
    share = np.zeros((3, 4, 4))
    share[1] = 1.0
    assert surface(np.ones((3, 4, 4)), heights, 2.0).volume_um3 == pytest.approx(7 * 8 * 8)
    slab = surface(share, heights, 2.0)
    assert (slab.points_um[:, 2].min(), slab.points_um[:, 2].max()) == pytest.approx((1.25, 3.5))


@pytest.mark.parametrize("share", [0.3, 0.8])
def test_what_is_hardly_filled_is_not_lost(share):
    shares = np.zeros(SHAPE)
    shares[:8] = 1.0
    shares[8] = share
    shares[12:16, 4:8, 4:8] = share
    mesh = surface_that_holds(shares, np.arange(SHAPE[0] + 1.0), 1.0)
    assert mesh.volume_um3 == pytest.approx(shares.sum(), rel=0.03)


def test_packing_moves_no_point_by_more_than_half_a_step():
    mesh = surface(ball(6.0), np.arange(SHAPE[0] + 1.0), 1.0)
    places, faces = unpacked(*packed(mesh, 1 / 64))
    assert np.abs(places / 64 - mesh.points_um).max() <= 1 / 128
    assert {frozenset(row) for row in faces.tolist()} == {frozenset(row) for row in mesh.faces.tolist()}
    assert Mesh(places / 64, faces).volume_um3 == pytest.approx(mesh.volume_um3, rel=1e-3)


def picture(lithium, is_dead, stretch=1.0, packing=1.0):
    held, n = np.array(lithium, dtype=np.float32).reshape(-1, 1, 1), len(lithium)
    heights, packed = np.full(n, 0.5) * stretch, np.ones(n) * packing
    return Picture(0, held, np.array(is_dead).reshape(-1, 1, 1), 0.0, heights, packed, np.zeros(len(held)))


def test_live_again_is_live_that_was_dead_and_never_gone():
    seen = [
        picture([0.5, 0.5, 0.5], [True, True, False]),
        picture([0.6, 0.0, 0.5, 0.2], [False, False, False, True]),
        picture([0.6, 0.5, 0.5, 0.2], [False, False, False, True]),
        picture([0.6, 0.5, 0.5, 0.2], [False, False, False, False]),
    ]
    found = [again.ravel().tolist() for again in live_again(seen)]
    assert found == [
        [False] * 3,
        [True, False, False, False],
        [True, False, False, False],
        [True, False, False, True],
    ]


def test_lithium_beside_a_fibre_meets_it_and_loose_packing_is_seen_whole():
    host = np.array([0.8, 0.4, 0.0], dtype=np.float32).reshape(-1, 1, 1)
    one = picture([0.2, 0.6, 0.5, 0.25], [False] * 4, packing=np.array([1.0, 1.0, 1.0, 0.5]))
    shares = shares_of(one, np.zeros((4, 1, 1), dtype=bool), host, 0.5)
    assert shares[LIVE].ravel() == pytest.approx([0.2, 1.0, 0.5, 0.0])
    assert shares[MOSS].ravel() == pytest.approx([0.0, 0.0, 0.0, 0.5])
    wider = picture([0.4, 1.2, 1.0, 0.25], [False] * 4, np.array([2.0, 2.0, 2.0, 1.0]), one.packing)
    again = shares_of(wider, np.zeros((4, 1, 1), dtype=bool), 2.0 * host, 0.5)
    for name in (LIVE, MOSS):
        assert again[name].ravel() == pytest.approx(shares[name].ravel())
    assert again[FIBRES].ravel() == pytest.approx(host.ravel())


def test_a_large_box_is_joined_to_coarser_voxels_and_keeps_its_size():
    host = np.zeros((10, 130, 130), dtype=np.float32)
    host[2:6, 20:60] = 1.0
    state = State("bare", np.arange(11.0) * 0.5, {FIBRES: host, LIVE: np.zeros_like(host)}, {})
    made = scene([state, state], 0.5, 5.0)
    assert (made.n_joined, made.mesh_voxel_um) == (3, 1.5)
    assert made.size_um == (65.0, 65.0, 3.0)
    assert [one.meshes for one in made.states] == [{FIBRES: 0, LIVE: None}] * 2
    places, _ = unpacked(*made.packed[0])
    assert places.max(axis=0)[0] * made.unit_um == pytest.approx(65.0, abs=made.unit_um)


def test_a_page_stays_small(monkeypatch):
    state = State("bare", np.arange(SHAPE[0] + 1.0), {FIBRES: ball(6.0).astype(np.float32)}, {})
    whole = scene([state], 1.0, 17.0)
    (points, faces), *_ = whole.packed
    monkeypatch.setattr(layers, "MOST_BYTES", (len(points) + len(faces)) // 2)
    small = scene([state], 1.0, 17.0)
    assert (whole.n_joined, small.n_joined) == (1, 2)
    assert 0 < sum(map(len, small.packed[0])) <= layers.MOST_BYTES
