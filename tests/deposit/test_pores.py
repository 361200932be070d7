"""Pores against shapes whose sizes, areas and throats are known, and against trying every sphere and every way."""

from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from pytest import approx
from scipy.ndimage import gaussian_filter

from interlith.deposit.network import Network
from interlith.deposit.pores import area_m2_per_m2, pore_sizes, reached
from interlith.errors import InputError


def network(solid, voxel_um=1.0, is_periodic=True):
    return Network(np.asarray(solid, dtype=np.float32), voxel_um, is_periodic, source="made for a test")


def from_middle(*shape):
    """float[3, z, y, x], voxels from the middle of a box."""
    return np.stack(np.meshgrid(*(np.arange(n) - (n - 1) / 2 for n in shape), indexing="ij"))


def across(*shape):
    """float[z, y, x], voxels from the axis along z."""
    return np.hypot(*from_middle(*shape)[1:])


def rod(direction, place, diameter, length, edge):
    """Solid rod with round ends, its edges grey over that many voxels, or whole where that is 0."""
    axis = np.asarray(direction) / np.linalg.norm(direction)
    at = from_middle(44, 44, 44) - np.reshape(place, (3, 1, 1, 1))
    along = np.tensordot(axis, at, 1)
    beyond = along - np.clip(along, -length / 2, length / 2)
    away = np.sqrt(np.maximum((at**2).sum(0) - along**2 + beyond**2, 0))
    return np.clip(0.5 + (diameter / 2 - away) / edge, 0, 1) if edge else away <= diameter / 2


def area_in_voxels(solid, is_periodic=False):
    made = network(solid, is_periodic=is_periodic)
    return area_m2_per_m2(made) * made.solid.shape[1] * made.solid.shape[2]


def error_of_rods(diameter, edge, n=8):
    """Relative errors of the area of rods in random directions, their round ends taken off."""
    random = np.random.default_rng(7)
    errors = []
    for _ in range(n):
        direction, place = random.normal(size=3), random.uniform(-0.5, 0.5, 3)
        short, long = (area_in_voxels(rod(direction, place, diameter, length, edge)) for length in (10, 24))
        errors.append((long - short) / (np.pi * diameter * 14) - 1)
    return np.array(errors)


NETWORKS = st.builds(
    lambda shares, is_periodic: network(shares, is_periodic=is_periodic),
    arrays(
        np.float32, array_shapes(min_dims=3, max_dims=3, min_side=2, max_side=7), elements=st.sampled_from([0, 0, 0, 1])
    ),
    st.booleans(),
).filter(lambda made: not made.is_solid.all())


def blobs(shape, seed, reach=2.0):
    """Smooth random pores that repeat at the sides, three fifths of the box."""
    height = gaussian_filter(np.random.default_rng(seed).random(shape), reach, mode=("nearest", "wrap", "wrap"))
    return height > np.quantile(height, 0.6)


# Sizes


@pytest.mark.parametrize("width", [2, 6, 10])
@pytest.mark.parametrize("axis", [1, 2])
def test_a_slit_has_its_width_as_median_and_as_throat(width, axis):
    solid = np.ones((40, 16, 16))
    np.moveaxis(solid, axis, 0)[3 : 3 + width] = 0.0
    slit = pore_sizes(network(solid, voxel_um=0.25))
    assert slit.diameter_um[-1] == slit.median_um == slit.throat_um == 0.25 * width


def test_an_oblique_slit_has_its_width():
    n = 48
    _, y, x = np.indices((24, n, n))
    width = n / np.sqrt(2) / 3
    found = pore_sizes(network((x + y) % n >= n / 3))
    assert found.diameter_um[-1] == approx(width, abs=0.75)
    assert found.median_um == approx(width, abs=1.0)
    assert found.throat_um == approx(width, abs=1.0)


def test_a_slit_that_leans_is_entered_as_wide_as_it_is():
    z, y, _ = np.indices((40, 20, 6))
    from_plane = np.abs((y - z + 10) % 20 - 10)
    leaning = pore_sizes(network(from_plane > 4))
    as_wide = leaning.diameter_um.tolist().index(approx(2 * np.hypot(3, 2)))
    assert leaning.fits[as_wide] > 0.95
    assert leaning.intruded[as_wide] == leaning.fits[as_wide]


def test_a_slit_that_crosses_the_side_is_as_wide_as_one_that_does_not():
    solid = np.ones((30, 8, 12))
    solid[:, :, :6] = 0.0
    inside, crossing = network(solid), network(np.roll(solid, -3, axis=2))
    assert pore_sizes(crossing).median_um == pore_sizes(inside).median_um == 6.0


@pytest.mark.parametrize("voxel_um", [2.0, 1.0, 0.5])
def test_a_cylinder_has_its_diameter_the_closer_the_finer_the_voxels(voxel_um):
    n = round(12 / voxel_um) + 1
    found = pore_sizes(network(across(round(20 / voxel_um), n, n) * voxel_um > 4.0, voxel_um))
    assert found.median_um == approx(8.0, abs=voxel_um)
    assert found.throat_um == approx(8.0, abs=voxel_um)
    assert found.diameter_um[-1] == approx(8.0, abs=voxel_um)


@pytest.mark.parametrize("shift", [0, 12])
def test_a_cubic_packing_of_spheres_has_the_bodies_and_the_throats_of_geometry(shift):
    # touching spheres, a apart: sqrt(3) - 1 between eight of them, sqrt(2) - 1 between four
    a = 25
    at = [(np.arange(n) + 0.5) % a - a / 2 for n in (3 * a, a, a)]
    packing = at[0][:, None, None] ** 2 + at[1][:, None] ** 2 + at[2] ** 2 <= (a / 2) ** 2
    found = pore_sizes(network(np.roll(packing, (shift, shift), (1, 2))))
    assert found.diameter_um[-1] == approx((np.sqrt(3) - 1) * a, abs=1.0)
    assert found.throat_um == approx((np.sqrt(2) - 1) * a, abs=1.0)


def test_an_ink_bottle_is_as_wide_as_its_body_and_entered_as_by_its_throat():
    away = across(50, 27, 27)
    solid = away > 10
    solid[30:] = away[30:] > 4
    bottle = pore_sizes(network(solid))
    assert bottle.median_um == approx(20.0, abs=1.0)
    assert bottle.throat_um == approx(8.0, abs=1.0)
    upside_down = pore_sizes(network(solid[::-1]))
    assert upside_down.throat_um == approx(20.0, abs=1.5)


def test_the_volume_behind_a_throat_is_intruded_with_the_throat():
    away = across(50, 28, 28)
    solid = away > 10
    solid[30:34] = away[30:34] > 4
    bottle = pore_sizes(network(solid))
    above = np.count_nonzero(~solid[34:]) / np.count_nonzero(~solid)
    at_12, at_5 = np.interp([12.0, 5.0], bottle.diameter_um, bottle.intruded)
    assert at_12 == approx(above, abs=0.03)
    assert at_5 > 0.97


def test_spheres_end_at_the_collector_and_are_cut_by_the_top():
    assert pore_sizes(network(np.zeros((9, 4, 4)), voxel_um=0.5)).diameter_um[-1] == 9.0


def test_a_sphere_fits_across_a_side_that_repeats_and_is_cut_by_one_that_does_not():
    solid = np.zeros((20, 3, 10))
    solid[:, :, 4:6] = 1.0
    assert pore_sizes(network(solid, is_periodic=True)).median_um == 8.0
    assert pore_sizes(network(solid, is_periodic=False)).median_um == 8.0
    solid[:, :, :4] = 1.0
    assert pore_sizes(network(solid, is_periodic=True)).median_um == 4.0
    assert pore_sizes(network(solid, is_periodic=False)).median_um == 8.0


def test_pores_that_are_closed_fit_spheres_and_none_gets_there():
    solid = np.ones((12, 10, 10))
    solid[3:9, 2:8, 2:8] = 0.0
    closed = pore_sizes(network(solid))
    assert closed.median_um == approx(6.0, abs=1.0)
    assert closed.throat_um is None
    assert not closed.intruded.any()


def test_a_network_without_pores_has_no_pore_sizes():
    with pytest.raises(InputError, match="without pores"):
        pore_sizes(network(np.ones((3, 3, 3))))


def apart(made):
    """float[voxel, voxel], the distances between the voxels of a small box, the short way round."""
    squares = 0
    for place, n, again in zip(
        np.indices(made.solid.shape).reshape(3, -1), made.solid.shape, (False, True, True), strict=True
    ):
        steps = np.abs(place[:, None] - place)
        squares = squares + (np.minimum(steps, n - steps) if again and made.is_periodic else steps) ** 2
    return np.sqrt(squares)


@settings(max_examples=40, deadline=None)
@given(NETWORKS)
def test_the_sphere_that_covers_a_point_is_the_largest_of_all_that_fit(made):
    solid, distances = made.is_solid.ravel(), apart(made)
    to_collector = np.indices(made.solid.shape)[0].ravel() + 1.0
    clearance = np.minimum(to_collector, np.where(solid, distances, np.inf).min(axis=1))
    assume(len(np.unique(clearance[~solid])) <= 25)
    thickness = np.where(distances < clearance - 1e-9, clearance, 0.0).max(axis=1)[~solid]
    found = pore_sizes(made)
    assert found.fits == approx(np.array([np.mean(2 * thickness >= d - 1e-9) for d in found.diameter_um]), rel=1e-12)


@settings(max_examples=40, deadline=None)
@given(NETWORKS)
def test_shares_fall_sum_to_one_and_what_is_intruded_fits(made):
    found = pore_sizes(made)
    assert found.volume_fraction.sum() == approx(1.0, rel=1e-12)
    assert (found.volume_fraction >= 0.0).all()
    assert (np.diff(found.intruded) <= 0.0).all()
    assert (found.intruded <= found.fits).all()
    assert found.intruded[0] == approx(reached(made).pore_share, rel=1e-12)
    assert (np.diff(found.diameter_um) > 0.0).all()
    assert len(found.diameter_um) <= 25


MOVES = {
    "mirrored in y": lambda solid: solid[:, ::-1],
    "mirrored in x": lambda solid: solid[:, :, ::-1],
    "turned": lambda solid: np.rot90(solid, axes=(1, 2)),
    "rolled": lambda solid: np.roll(solid, (5, -9), axis=(1, 2)),
}


@pytest.mark.parametrize("move", MOVES.values(), ids=MOVES)
@pytest.mark.parametrize("shape", [(16, 24, 24), (16, 19, 17)], ids=["quick lengths", "prime lengths"])
def test_a_box_that_repeats_is_the_same_mirrored_turned_and_rolled(move, shape):
    solid = blobs(shape, seed=3)
    made, moved = network(solid), network(move(solid))
    one, other = pore_sizes(made), pore_sizes(moved)
    assert np.array_equal(one.diameter_um, other.diameter_um)
    assert np.array_equal(one.fits, other.fits)
    assert np.array_equal(one.intruded, other.intruded)
    assert reached(made) == reached(moved)
    assert area_m2_per_m2(moved) == approx(area_m2_per_m2(made), rel=1e-6)


@pytest.mark.parametrize("shape", [(16, 12, 12), (16, 13, 17)])
def test_a_box_set_beside_itself_has_the_same_pores(shape):
    solid = blobs(shape, seed=5)
    one, four = pore_sizes(network(solid)), pore_sizes(network(np.tile(solid, (1, 2, 2))))
    assert np.array_equal(one.fits, four.fits)
    assert np.array_equal(one.intruded, four.intruded)
    assert area_m2_per_m2(network(np.tile(solid, (1, 2, 2)))) == approx(area_m2_per_m2(network(solid)), rel=1e-6)


def test_sizes_are_lengths():
    solid = blobs((16, 16, 16), seed=1)
    one, ten = pore_sizes(network(solid, 1.0)), pore_sizes(network(solid, 10.0))
    assert ten.median_um == approx(10 * one.median_um)
    assert ten.throat_um == approx(10 * one.throat_um)


# Area


@pytest.mark.parametrize(("diameter", "error"), [(6, 0.04), (10, 0.02), (20, 0.008)])
def test_a_sphere_of_whole_voxels_has_its_area(diameter, error):
    place = np.reshape([0.1, 0.3, -0.2], (3, 1, 1, 1))
    ball = np.linalg.norm(from_middle(26, 26, 26) - place, axis=0) <= diameter / 2
    assert area_in_voxels(ball) == approx(np.pi * diameter**2, rel=error)


@pytest.mark.parametrize(("diameter", "mean", "spread"), [(3, -0.027, 0.035), (6, -0.008, 0.03), (10, -0.007, 0.015)])
def test_cylinders_of_whole_voxels_have_the_error_that_is_told(diameter, mean, spread):
    errors = error_of_rods(diameter, edge=0)
    assert errors.mean() == approx(mean, abs=0.012)
    assert errors.std() < spread


@pytest.mark.parametrize("edge", [1, 2])
@pytest.mark.parametrize(("diameter", "mean"), [(2, -0.09), (3, -0.035), (4, -0.014), (6, -0.003), (10, 0.004)])
def test_grey_cylinders_have_the_error_that_is_told(diameter, mean, edge):
    errors = error_of_rods(diameter, edge, n=6)
    assert errors.mean() == approx(mean, abs=0.015 if diameter < 4 else 0.006)
    assert errors.std() < (0.025 if diameter < 3 else 0.008)


def test_a_count_of_voxel_faces_gives_half_again_as_much():
    ball = np.linalg.norm(from_middle(26, 26, 26), axis=0) <= 10
    counted = sum(np.count_nonzero(np.diff(ball, axis=axis)) for axis in range(3))
    assert counted / area_in_voxels(ball) == approx(1.5, abs=0.03)


@pytest.mark.parametrize("normal", [(1, 0, 0), (1, 1, 0), (1, 1, 1), (1, 2, 3)])
def test_a_grey_plane_has_its_area_whichever_way_it_lies(normal):
    unit = np.array(normal) / np.linalg.norm(normal)

    def area(n):
        depth = np.tensordot(unit, from_middle(140, n, n), 1)
        return area_in_voxels(np.clip(0.5 + depth / 2, 0, 1))

    without_rim = (area(20) - 2 * area(14) + area(8)) / (2 * 6**2)
    assert without_rim == approx(1 / unit[0], rel=0.005)


@pytest.mark.parametrize("edge", [0, 1.5])
def test_a_pillar_has_the_area_of_its_wall_alone_whatever_its_height(edge):
    away = across(1, 24, 24)
    pillar = np.clip(0.5 + (8 - away) / edge, 0, 1) if edge else away <= 8
    walls = [area_in_voxels(np.repeat(pillar, height, axis=0), is_periodic=True) / height for height in (1, 2, 9)]
    assert walls == approx([16 * np.pi] * 3, rel=0.03)
    assert walls == approx([walls[0]] * 3, rel=1e-6)


@pytest.mark.parametrize("is_periodic", [True, False])
def test_a_box_filled_evenly_has_no_area(is_periodic):
    for share in (0.0, 0.4, 1.0):
        assert area_m2_per_m2(network(np.full((4, 4, 4), share), is_periodic=is_periodic)) == 0.0


def test_a_surface_at_a_side_counts_where_the_box_repeats():
    solid = np.zeros((6, 6, 6))
    solid[:, :, :3] = 1.0
    repeated, cut = (area_m2_per_m2(network(solid, is_periodic=is_periodic)) for is_periodic in (True, False))
    assert repeated == approx(2 * cut, rel=1e-6)
    assert cut == approx(1.0, rel=0.08)


@settings(max_examples=30, deadline=None)
@given(arrays(np.float32, (5, 4, 6), elements=st.sampled_from([0, 0.25, 0.5, 1])), st.booleans())
def test_pores_and_solid_share_one_surface(shares, is_periodic):
    assert area_in_voxels(1 - shares, is_periodic) == approx(area_in_voxels(shares, is_periodic), rel=1e-5)


def test_area_per_area_does_not_depend_on_the_length_of_a_voxel():
    solid = blobs((12, 12, 12), seed=2)
    assert area_m2_per_m2(network(solid, 0.1)) == area_m2_per_m2(network(solid, 7.0))


# What is reached


def flooded(phase, layer, is_periodic):
    """The number of voxels of a phase that a walk from a layer through faces gets to, and the layers it sees."""
    shape = phase.shape
    to_do = [tuple(at) for at in np.argwhere(phase) if at[0] == layer % shape[0]]
    seen = set(to_do)
    while to_do:
        here = to_do.pop()
        for axis, by in product(range(3), (-1, 1)):
            there = list(here)
            there[axis] += by
            if axis and is_periodic:
                there[axis] %= shape[axis]
            key = tuple(there)
            if all(0 <= k < n for k, n in zip(key, shape, strict=True)) and phase[key] and key not in seen:
                seen.add(key)
                to_do.append(key)
    return len(seen), {z for z, _, _ in seen}


@settings(max_examples=80, deadline=None)
@given(
    arrays(
        np.float32,
        array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=6),
        elements=st.sampled_from([0, 0.49, 0.5, 1]),
    ),
    st.booleans(),
)
def test_what_is_reached_is_what_a_walk_gets_to(shares, is_periodic):
    made, last = network(shares, is_periodic=is_periodic), shares.shape[0] - 1
    found, solid = reached(made), shares >= 0.5
    n_pores, of_pores = flooded(~solid, last, is_periodic)
    n_solid, of_solid = flooded(solid, 0, is_periodic)
    assert found.pore_share * np.count_nonzero(~solid) == approx(n_pores)
    assert found.solid_share * np.count_nonzero(solid) == approx(n_solid)
    assert (found.pore_percolates, found.solid_percolates) == (0 in of_pores, last in of_solid)


def test_a_way_around_the_side_counts_only_where_the_box_repeats():
    solid = np.ones((4, 3, 5))
    solid[2:, 1, 0] = solid[:3, 1, 4] = 0.0
    assert reached(network(solid, is_periodic=True)).pore_percolates
    assert reached(network(solid, is_periodic=True)).pore_share == 1.0
    assert not reached(network(solid, is_periodic=False)).pore_percolates
    assert reached(network(solid, is_periodic=False)).pore_share == approx(2 / 5)


def test_voxels_that_touch_at_an_edge_are_not_joined():
    solid = np.zeros((2, 4, 4))
    solid[0, 1, 1] = solid[1, 2, 1] = 1.0
    assert reached(network(solid)).solid_share == 0.5
