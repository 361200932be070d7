"""What is drawn once per place, how adatoms even out a rate, and which lithium conducts."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx
from scipy import sparse
from scipy.sparse.linalg import spsolve

from interlith.deposit import growth
from interlith.deposit.box import Box, Ground
from interlith.deposit.patches import Lattice, normal, uniform
from interlith.deposit.solver import migration
from interlith.deposit.solver.team import Team
from interlith.deposit.surfaces import DEAD, LIVE
from interlith.parts.deposition import deposition

EVEN = deposition("cu").with_values(
    ease_spread=0.0, nucleation_spread=0.0, sei_per_plated=0.0, collector_nucleation_mV=0.0
)


def coarsened(fine):
    n_z, n_y, n_x = (n // 2 for n in fine.shape)
    return fine.reshape(n_z, 2, n_y, 2, n_x, 2).mean(axis=(1, 3, 5))


@pytest.mark.parametrize("is_periodic", [True, False])
def test_a_field_is_the_same_in_finer_voxels_and_in_a_higher_box(is_periodic):
    coarse = Lattice((20, 16, 24), 0.5, 2.0, is_periodic).smooth(7, 1)
    fine = Lattice((40, 32, 48), 0.25, 2.0, is_periodic).smooth(7, 1)
    assert np.abs(coarsened(fine) - coarse).max() < 0.25
    assert np.corrcoef(coarsened(fine).ravel(), coarse.ravel())[0, 1] > 0.995
    assert (Lattice((30, 16, 24), 0.5, 2.0, is_periodic).smooth(7, 1)[:20] == coarse).all()


def test_a_field_is_smooth_within_a_grain_of_variance_1_and_repeats_with_its_sides():
    draws = np.array([Lattice((6, 8, 8), 0.5, 2.0, True).smooth(seed, 1) for seed in range(1500)])
    assert draws.var(axis=0) == approx(1.0, abs=0.2)
    assert draws.var() == approx(1.0, abs=0.04)
    assert draws.mean() == approx(0.0, abs=0.03)
    beside = (draws[..., 1:] * draws[..., :-1]).mean()
    over_the_side = (draws[..., 0] * draws[..., -1]).mean()
    far = (draws[..., 0] * draws[..., 4]).mean()
    assert min(beside, over_the_side) > 0.7
    assert abs(far) < 0.15


def test_drawn_numbers_are_even_and_apart():
    drawn = uniform(3, 5, np.arange(200)[:, None], np.arange(200)[None, :])
    assert np.histogram(drawn, bins=10, range=(0, 1))[0] == approx(4000, rel=0.06)
    assert abs(np.corrcoef(drawn[:-1].ravel(), drawn[1:].ravel())[0, 1]) < 0.02
    assert abs(np.corrcoef(drawn.ravel(), uniform(4, 5, np.arange(200)[:, None], np.arange(200)).ravel())[0, 1]) < 0.02
    assert normal(3, 5, np.arange(40_000)).std() == approx(1.0, rel=0.02)


def plane(n, wall=None):
    """Places on a floor of n x n voxels whose sides repeat; behind x = wall the floor is one voxel higher."""
    z = np.ones((n, n), dtype=np.intp)
    if wall is not None:
        z[:, wall:] += 1
    y, x = (at.ravel() for at in np.indices((n, n)))
    shape = (5, n + 2, n + 2)
    return in_rows((z.ravel(), y + 1, x + 1), shape), shape


def in_rows(axes, shape):
    return np.ravel_multi_index(axes, shape).astype(np.int32)


def evened(rate, area, squared, places, shape, **options):
    with Team(1) as team:
        return migration.evened(rate, area, squared, places, shape, is_periodic=True, team=team, **options)


@pytest.mark.parametrize(("length", "waves"), [(3.0, (1, 0)), (3.0, (1, 1)), (6.0, (2, 1)), (1.5, (0, 2))])
def test_a_wave_of_the_rate_is_damped_by_migration(length, waves):
    n = 48
    places, shape = plane(n)
    k = 2.0 * np.pi / n * np.array(waves)
    _, y, x = np.unravel_index(places, shape)
    wave = np.cos(k[0] * y + k[1] * x)
    got = evened(1.0 + 0.5 * wave, np.ones(n * n), np.full(n * n, length**2), places, shape)
    assert got.sum() == approx(n * n, rel=1e-9)
    assert 4.0 * ((got - 1.0) @ wave) / n**2 == approx(1.0 / (1.0 + length**2 * (k @ k)), rel=0.01)


WAYS = [step for step in product((-1, 0, 1), repeat=3) if sum(map(abs, step)) in (1, 2)]


def solved_directly(rate, area, squared, is_place):
    """(A + lambda^2 L) u = r by a sparse matrix, edge by edge; sides repeat."""
    number = np.where(is_place, np.cumsum(is_place).reshape(is_place.shape) - 1, -1)
    number = np.pad(np.pad(number, ((1, 1), (0, 0), (0, 0)), constant_values=-1), ((0, 0), (1, 1), (1, 1)), mode="wrap")
    matrix = sparse.lil_matrix((rate.size, rate.size))
    for n, at in enumerate(np.argwhere(is_place) + 1):
        matrix[n, n] += area[n]
        for step in WAYS:
            other = number[tuple(at + step)]
            if other < 0:
                continue
            parts = [at + np.where(np.arange(3) == axis, step, 0) for axis in np.flatnonzero(step)]
            is_only_way = len(parts) == 2 and all(number[tuple(part)] < 0 for part in parts)
            share = 2 / 3 if len(parts) == 1 else 1 / 2 if is_only_way else 1 / 6
            matrix[n, n] += share * 0.5 * (squared[n] + squared[other])
            matrix[n, other] -= share * 0.5 * (squared[n] + squared[other])
    return area * spsolve(matrix.tocsc(), rate)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_migration_on_any_graph_is_that_of_a_direct_solution(share):
    random = np.random.default_rng(5)
    is_place = random.uniform(size=(6, 7, 8)) < share
    n = int(is_place.sum())
    rate, area, squared = random.uniform(0, 1, n), random.uniform(0.1, 2, n), random.choice([0.0, 1.0, 30.0], n)
    places = in_rows(np.nonzero(np.pad(is_place, 1)), (8, 9, 10))
    wanted = solved_directly(rate, area, squared, is_place)
    assert wanted.sum() == approx(rate.sum())
    assert evened(rate, area, squared, places, (8, 9, 10), within=1e-7) == approx(wanted, rel=3e-4, abs=1e-5)
    off = np.abs(evened(rate, area, squared, places, (8, 9, 10)) - wanted).sum() / wanted.sum()
    assert off < 2e-3


def test_migration_has_the_same_bits_for_any_number_of_threads():
    random = np.random.default_rng(6)
    places = in_rows(np.nonzero(np.pad(random.uniform(size=(60, 40, 40)) < 0.8, 1)), (62, 42, 42))
    values = [random.uniform(0.5, 1.5, places.size) for _ in range(3)]
    with Team(1) as one, Team(3) as team:
        wanted, got = (
            migration.evened(*values, places, (62, 42, 42), is_periodic=True, team=each) for each in (one, team)
        )
    assert (wanted == got).all()


@given(st.integers(0, 2**31), st.floats(0.1, 20.0))
@settings(max_examples=15, deadline=None)
def test_migration_gives_nothing_away_over_a_step_and_ends_even_per_surface(seed, length):
    random = np.random.default_rng(seed)
    places, shape = plane(12, wall=6)
    area, rate = random.uniform(0.3, 1.8, 144), random.uniform(0.0, 1.0, 144)
    got = evened(rate, area, np.full(144, length**2), places, shape)
    assert got.sum() == approx(rate.sum(), rel=1e-7)
    assert got.min() >= 0.0
    assert evened(2.0 * area, area, np.full(144, length**2), places, shape) == approx(2.0 * area, rel=1e-6)
    far = evened(rate, area, np.full(144, 1e6), places, shape)
    assert far / area == approx(rate.sum() / area.sum(), rel=1e-3)


def test_a_shorter_length_of_0_changes_nothing():
    places, shape = plane(6)
    rate = np.arange(36.0)
    assert (evened(rate, np.ones(36), np.zeros(36), places, shape) == rate).all()


def with_fragments(parameters, seed=1, n=24, voxel_um=0.75):
    """Blocks of lithium that were put beside the collector, not plated there: one in every cell of 3 x 3 voxels."""
    team = Team(1)
    box = Box(Ground.bare(n, n, voxel_um=voxel_um), parameters, seed, team)
    box.lithium[1, 2:-1:3, 2:-1:3] = 1.0
    box.settle()
    return box


@pytest.mark.parametrize("chance", [0.0, 0.3, 0.7, 1.0])
def test_lithium_that_touches_the_collector_conducts_with_its_probability(chance):
    law = EVEN.with_values(collector_contact=chance, lithium_contact=0.0, contact_grain_um=0.75)
    states = np.concatenate([with_fragments(law, seed).state[1, 2:-1:3, 2:-1:3].ravel() for seed in range(12)])
    assert (states == LIVE).mean() == approx(chance, abs=0.05)
    assert ((states == LIVE) | (states == DEAD)).all()


def test_dead_lithium_neither_grows_nor_is_stripped():
    box = with_fragments(EVEN.with_values(collector_contact=0.0, lithium_contact=0.0, contact_grain_um=0.75))
    assert (box.state[1, 2:-1:3, 2:-1:3] == DEAD).all()
    assert growth.strip(box, 1.0, 1.0).is_over
    for _ in range(8):
        assert growth.plate(box, 1.0, 1.0).revived_mAh_per_cm2 == 0.0
    for _ in range(200):
        if growth.strip(box, 1.0, np.inf).is_over:
            break
    left = box.lithium[1:-1, 1:-1, 1:-1]
    assert left.sum() == approx(64.0, rel=1e-12)
    assert (left[0, 1::3, 1::3] == 1.0).all()


def test_lithium_that_is_joined_again_is_revived_by_as_much_and_can_be_stripped():
    box = with_fragments(EVEN.with_values(collector_contact=0.0, lithium_contact=1.0, contact_grain_um=0.75))
    revived = sum(growth.plate(box, 1.0, 1.0).revived_mAh_per_cm2 for _ in range(3))
    assert revived == approx(64.0 * box.mAh_per_cm2_of_a_voxel, rel=1e-12)
    assert not (box.state == DEAD).any()
    for _ in range(200):
        if growth.strip(box, 1.0, np.inf).is_over:
            break
    assert box.lithium.max() == 0.0


@pytest.mark.parametrize(("chance", "spans"), [(0.18, False), (0.34, True)])
def test_bodies_in_a_heap_hang_together_beyond_the_threshold_of_bonds(chance, spans):
    """Bond percolation on the simple cubic lattice: p_c = 0.2488."""
    with Team(1) as team:
        box = Box(
            Ground.bare(30, 30, voxel_um=0.75),
            EVEN.with_values(collector_contact=1.0, lithium_contact=chance, contact_grain_um=0.75),
            1,
            team,
        )
        box.lithium = np.zeros((32, 32, 32))
        box.grown = np.zeros((32, 32, 32), dtype=np.uint8)
        box._lay()
        box.lithium[1:-1, 1:-1, 1:-1] = 1.0
        box.settle()
    assert (box.state[-2, 1:-1, 1:-1] == LIVE).any() == spans


@pytest.mark.parametrize("voxel_um", [1.0, 0.5, 0.25])
def test_contacts_belong_to_bodies_and_not_to_voxels(voxel_um):
    """Cubes of 2 um on the collector: each conducts as a whole or not, and finer voxels do not add chances to touch."""
    n, wide = round(8.0 / voxel_um), round(2.0 / voxel_um)
    law = EVEN.with_values(collector_contact=0.5, lithium_contact=0.0, contact_grain_um=2.0)
    found = []
    for seed in range(40):
        with Team(1) as team:
            box = Box(Ground.bare(n, n, voxel_um=voxel_um), law, seed, team)
            box.lithium[1 : 1 + wide, 1:-1, 1:-1] = 1.0
            box.settle()
        bodies = (box.state[1 : 1 + wide, 1:-1, 1:-1] == LIVE).reshape(wide, 4, wide, 4, wide)
        assert (bodies == bodies[:1, :, :1, :, :1]).all()
        found.append(bodies.mean())
    assert np.mean(found) == approx(0.5, abs=0.08)


def test_what_was_plated_conducts_whatever_the_law_says():
    apart = EVEN.with_values(collector_contact=0.0, lithium_contact=0.0, contact_grain_um=0.75)
    with Team(1) as team:
        box = Box(Ground.bare(6, 6, voxel_um=0.75), apart, 1, team)
        for _ in range(12):
            growth.plate(box, 1.0, 1.0)
        assert not (box.state == DEAD).any()
        assert box.lithium.sum() > 36
