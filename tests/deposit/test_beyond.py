"""A front that passes into the next voxel within a step: columns whose voxel is full or empty do not wait."""

import pytest
from made_boxes import EVEN, film
from pytest import approx

from interlith.deposit import growth, surfaces
from interlith.deposit.solver.team import Team

N_COLUMNS, N_PLANES = 4, 20


def moved(box, move, voxels):
    move(box, 1.0, voxels * box.mAh_per_cm2_of_a_voxel * 2 * N_COLUMNS)
    return box.lithium[1:-1, 1:-1, 1:-1].sum(axis=0)[0].tolist()


@pytest.fixture
def team():
    with Team(1) as team:
        yield team


def test_columns_that_fill_their_voxel_grow_on_in_the_next(team):
    box = film([5.9, 5.1, 5.6, 5.3], N_PLANES, team)
    assert moved(box, growth.plate, 0.35) == approx([6.25, 5.45, 5.95, 5.65], rel=1e-9)
    assert (box.state[box.lithium > 0.0] == surfaces.LIVE).all()


def test_columns_that_empty_their_voxel_are_stripped_on_in_the_one_under_it(team):
    box = film([5.9, 5.1, 5.6, 5.2], N_PLANES, team)
    assert moved(box, growth.strip, 0.22) == approx([5.68, 4.88, 5.38, 4.98], rel=1e-9)


def test_lithium_behind_a_voxel_that_filled_hangs_on_it_where_touching_alone_joins_nothing(team):
    apart = dict.fromkeys(("lithium_contact", "fibre_contact", "collector_contact", "oxide_contact"), 0.0)
    box = film([5.9, 5.1, 5.6, 5.3], N_PLANES, team, EVEN.with_values(**apart))
    moved(box, growth.plate, 0.35)
    assert box.lithium[7, 1, 1] == approx(0.25)
    assert (box.state[7, 1:-1, 1] == surfaces.LIVE).all()


def test_what_has_no_room_behind_it_goes_to_the_others(team):
    """Host of a whole voxel over one column: its front ends there."""
    box = film([5.9, 5.1, 5.1, 5.1], N_PLANES, team)
    box.host[7, :, 1] = 1.0
    box.settle()
    assert moved(box, growth.plate, 0.4) == approx([6.0, 5.6, 5.6, 5.6], rel=1e-9)


def test_dead_lithium_behind_a_front_is_not_grown_into(team):
    box = film([5.9, 5.1, 5.1, 5.1], N_PLANES, team)
    box.lithium[7, 1:-1, 1], box.state[7, 1:-1, 1] = 0.5, surfaces.DEAD
    assert moved(box, growth.plate, 0.4)[0] == approx(6.5, rel=1e-9)
