"""Layers that lithium pushes apart, porous lithium over the host, and cut-off lithium that sinks."""

import numpy as np
import pytest
from made_boxes import posts
from pytest import approx

from interlith.deposit import growth, surfaces
from interlith.deposit.box import Box, Ground
from interlith.deposit.film import Before
from interlith.deposit.follow import follow, host_um
from interlith.deposit.sinking import sink
from interlith.deposit.solver.team import Team
from interlith.deposit.surfaces import DEAD, LIVE
from interlith.parts.deposition import deposition
from interlith.protocol import ConstantCurrent, Protocol
from interlith.units import FARADAY_C_PER_MOL, LITHIUM_MOLAR_VOLUME_M3

PLAIN = deposition("cp").with_values(
    ease_spread=0.0, nucleation_spread=0.0, sei_per_plated=0.0, fibre_nucleation_mV=0.0, collector_nucleation_mV=0.0
)


@pytest.fixture(scope="module")
def team():
    with Team(1) as made:
        yield made


def test_a_layer_is_as_high_as_what_it_holds_where_its_pores_are_filled_too_far(team):
    law = PLAIN.with_values(fill_before_swelling=0.5, stiffness_MPa=30.0)
    box = Box(posts(), law, 1, team)
    host = box.host[1:13, 1:-1, 1:-1].mean(axis=(1, 2), dtype=np.float64)
    box.lithium[5, 1:-1, 1:-1] = np.where(box.host[5, 1:-1, 1:-1] > 0.0, 0.0, 0.7)
    box.lithium[7, 2, 2] = 0.9
    box.settle()
    held = box.lithium[5, 1:-1, 1:-1].mean()
    expected = host[4] + held / 0.5
    assert expected > 1.1
    assert box.heights_um[4] / 0.75 == approx(expected, rel=1e-12)
    assert (np.delete(box.heights_um[:12], 4) == 0.75).all()
    volt = 30e6 * (expected - 1.0) * LITHIUM_MOLAR_VOLUME_M3 / FARADAY_C_PER_MOL
    assert box.pressure[5] == approx(volt * box.half_per_V, rel=1e-12)
    assert np.count_nonzero(box.pressure) == 1


def test_lithium_that_stands_in_a_layer_holds_it_open_without_pressure(team):
    box = Box(posts(), PLAIN.with_values(fill_before_swelling=0.9), 1, team)
    box.lithium[5, 3, 3] = 1.4
    box.settle()
    assert box.heights_um[4] / 0.75 == approx(1.4)
    assert not box.pressure.any()


def plated(law, amount, team, ground=None):
    step = ConstantCurrent(current_density_mA_per_cm2=-1.0, areal_capacity_mAh_per_cm2=amount)
    back = ConstantCurrent(current_density_mA_per_cm2=1.0, voltage_V=1.0)
    return follow(Protocol(name="x", steps=(step, back)), ground or posts(), law, seed=1, team=team)


def test_a_soft_network_takes_all_lithium_and_a_stiff_one_leaves_it_on_top(team):
    law = PLAIN.with_values(
        fill_before_swelling=0.6, fibre_contact=1.0, lithium_contact=1.0, collector_contact=1.0, contact_grain_um=0.75
    )
    soft, middle, stiff = (plated(law.with_values(stiffness_MPa=value), 3.0, team) for value in (0.0, 20.0, 1e5))
    on_top = [got.ledger.steps()["active_top"][0] for got in (soft, middle, stiff)]
    swollen = [got.pictures[0].heights_um[:12].sum() for got in (soft, middle, stiff)]
    assert swollen[0] > 1.1 * swollen[1] > 1.1 * 1.3 * 9.0
    assert swollen[2] < 1.1 * 9.0
    assert on_top[0] < 0.3 * on_top[1] < 0.3 * on_top[2]
    for got in (soft, middle, stiff):
        assert got.ledger.residual_mAh_per_cm2 < 1e-9
        assert got.host_um[-1] == approx(9.0, rel=0.02)
        assert got.efficiencies()[0] == approx(1.0, abs=2e-3)


def test_no_voxel_holds_more_than_its_layer_has_room_for(team):
    box = Box(posts(), deposition("cp").with_values(fill_before_swelling=0.6, stiffness_MPa=5.0), 1, team)
    for _ in range(40):
        growth.plate(box, 1.0, np.inf)
        filled = box.host[1:-1] + box.lithium[1:-1]
        assert (filled <= box.planes[1:-1, surfaces.STRETCH, None, None] + 1e-12).all()
    assert host_um(box) > 9.5


@pytest.mark.parametrize(("current", "times"), [(1.0, 1.0), (4.0, 2.0), (0.25, 0.5)])
def test_moss_has_void_in_proportion_to_its_sei_and_to_the_root_of_the_current(current, times, team):
    law = deposition("cu").with_values(sei_per_plated=0.01, void_per_sei=100.0, void_exponent=0.5)
    box = Box(Ground.bare(5, 5, voxel_um=0.75), law, 1, team)
    growth.plate(box, current, 0.05)
    assert box.planes[1, surfaces.PACKING] == approx(1.0 / (1.0 + times))
    growth.strip(box, 9.0, 0.01)
    growth.plate(box, 9.0, 0.01)
    assert box.planes[1, surfaces.PACKING] == approx(1.0 / (1.0 + times))


def over_a_floor(law, team, shape, legs=()):
    """A slab of lithium over a floor of host with nothing under it but legs, 4 planes up."""
    host = np.zeros((3, *shape))
    host[:2] = 0.9
    box = Box(Ground(host, 2, 0.75, True), law, 1, team)
    box.lithium[7, 1:-1, 1:-1] = 0.8
    for y, x in legs:
        box.lithium[3:7, y + 1, x + 1] = 0.8
    box.settle()
    return box


@pytest.mark.parametrize(("contact", "state"), [(0.0, DEAD), (1.0, LIVE)])
def test_a_slab_sinks_to_the_host_and_conducts_as_its_contact_says(contact, state, team):
    law = PLAIN.with_values(fibre_contact=contact, lithium_contact=0.0, contact_grain_um=0.75)
    box = over_a_floor(law, team, (6, 6))
    assert (box.state[7, 1:-1, 1:-1] == DEAD).all()
    before, held = Before.of(box), box.lithium[1:-1, 1:-1, 1:-1].sum()
    sink(box, before)
    assert box.lithium[1:-1, 1:-1, 1:-1].sum() == approx(held, rel=1e-12)
    assert box.lithium[3, 1:-1, 1:-1] == approx(0.8)
    assert (box.state[3, 1:-1, 1:-1] == state).all()
    assert before.lithium[3, 1:-1, 1:-1] == approx(0.8)
    assert not box.lithium[4:-1, 1:-1, 1:-1].any()


@pytest.mark.parametrize(("legs", "height"), [([(0, 0), (3, 3), (0, 3)], 3), ([(0, 0), (2, 2), (0, 4), (4, 0)], 7)])
def test_few_legs_give_way_and_enough_of_them_hold(legs, height, team):
    law = PLAIN.with_values(fibre_contact=0.0, lithium_contact=0.0)
    box = over_a_floor(law, team, (6, 6), legs)
    sink(box, Before.of(box))
    free = np.ones((6, 6), dtype=bool)
    free[tuple(np.array(legs).T)] = False
    assert box.lithium[height, 1:-1, 1:-1][free] == approx(0.8)
    assert not box.lithium[height + 1 : -1, 1:-1, 1:-1][:, free].any()
    assert box.lithium[1:-1, 1:-1, 1:-1].sum() == approx(36 * 0.8 + 4 * len(legs) * 0.8)


def test_live_lithium_does_not_sink(team):
    box = over_a_floor(PLAIN.with_values(fibre_contact=1.0, contact_grain_um=20.0), team, (6, 6), [(0, 0)])
    if box.state[7, 3, 3] != LIVE:
        pytest.skip("the leg was not drawn to conduct")
    old = box.lithium.copy()
    sink(box, Before.of(box))
    assert (box.lithium == old).all()
