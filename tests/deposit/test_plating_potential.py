"""The current shared with the resistance of the electrolyte."""

import numpy as np
import pytest
from pytest import approx

from interlith.deposit import growth, potential
from interlith.deposit.box import Box, Ground
from interlith.deposit.solver.team import Team
from interlith.parts.deposition import deposition
from interlith.parts.electrolyte import electrolyte

CONDUCTIVITY_S_PER_M = float(electrolyte("litfsi-dol-dme-lino3").conductivity_S_per_m(1000.0, 298.15))
EASY = deposition("cp").with_values(fibre_nucleation_mV=0.0, void_per_sei=0.0)


def shared(share, ease, barrier, current):
    with Team(1) as team:
        return potential.with_resistance(
            share, ease, barrier, current, np.full(share.shape, 0.5), is_periodic=False, team=team
        )


@pytest.mark.parametrize("ease", [1e-3, 0.03, 0.3])
def test_a_porous_strip_has_a_cosh_profile(ease):
    """phi of the next voxels is 2 cosh q phi, with cosh q = 1 + ease: what a sink in every voxel of a column gives.

    But in the first, in which a front would lie before the collector.
    """
    n = 40
    found, carried = shared(
        np.ones((n, 1, 1)), np.r_[0.0, np.full(n - 1, ease)][:, None, None], np.zeros((n, 1, 1)), 1e-4
    )
    profile = np.cosh(np.arccosh(1.0 + ease) * (np.arange(n - 1) + 0.5))
    assert carried.ravel()[1:] == approx(1e-4 * profile / profile.sum(), rel=1e-4)
    assert carried.sum() == approx(1e-4, rel=1e-12)
    assert found.ravel()[1:] * 2.0 * ease == approx(carried.ravel()[1:], rel=1e-4)


def test_what_enters_a_voxel_is_what_reacts_there():
    """The whole equation, far from linear, with barriers and open shares that differ."""
    random = np.random.default_rng(2)
    share = random.uniform(0.3, 1.0, (12, 6, 6))
    ease = np.where(random.uniform(size=share.shape) < 0.4, random.uniform(0.01, 0.2, share.shape), 0.0)
    barrier = random.uniform(0.0, 3.0, share.shape)
    phi, carried = shared(share, ease, barrier, 60.0)
    ahead = share**1.5
    ahead[0] = np.where(ease[0] > 0.0, 0.5 / share[0], ahead[0])  # a front before the collector
    leaving = np.zeros(share.shape)
    for axis, conducts in enumerate((ahead, share**1.5, share**1.5)):
        one, other = np.moveaxis(conducts, axis, 0)[:-1], np.moveaxis(conducts, axis, 0)[1:]
        flow = 2.0 * one * other / (one + other) * np.diff(np.moveaxis(phi, axis, 0), axis=0)
        np.moveaxis(leaving, axis, 0)[1:] += flow
        np.moveaxis(leaving, axis, 0)[:-1] -= flow
    leaving[-1] -= 60.0 / 36
    assert np.abs(leaving + carried).max() < 1e-4
    assert carried == approx(ease * 2.0 * np.sinh(np.maximum(phi - barrier, 0.0)), rel=1e-4, abs=1e-6)
    assert phi.max() > 3.0


def moves(conductivity_S_per_m, current=1.0):
    """A column of pillars: the step that plates, and the current of every voxel."""
    host = np.zeros((24, 12, 12))
    host[:, ::4, ::4] = 1.0
    with Team(1) as team:
        box = Box(Ground(host, 24, 0.75, True), EASY, 1, team, conductivity_S_per_m)
        moved = growth.plate(box, current, 1e-6)
        return moved.overpotential_mV, box.lithium[1:-1].sum(axis=(1, 2))


def test_at_1_mA_per_cm2_the_electrolyte_costs_less_than_1_mV():
    kinetic, even = moves(None)
    resisted, higher = moves(CONDUCTIVITY_S_PER_M)
    assert 0.0 < kinetic - resisted < 1.0
    assert higher[20] / even[20] > higher[2] / even[2]


def test_an_electrolyte_that_conducts_well_leaves_kinetics_alone():
    kinetic, even = moves(None)
    resisted, same = moves(1e4)
    assert resisted == approx(kinetic, rel=1e-4)
    assert same == approx(even, rel=1e-3, abs=1e-12)


def test_what_is_stripped_with_resistance_comes_off_whole():
    with Team(1) as team:
        box = Box(Ground.bare(6, 6, voxel_um=0.75), EASY.with_values(ease_spread=0.0), 1, team, CONDUCTIVITY_S_PER_M)
        plated = sum(growth.plate(box, 5.0, 0.1).charge_mAh_per_cm2 for _ in range(6))
        stripped = 0.0
        for _ in range(100):
            moved = growth.strip(box, 5.0, np.inf)
            stripped += moved.charge_mAh_per_cm2
            if moved.is_over:
                break
        assert stripped == approx(plated * (1.0 - EASY.sei_per_plated), rel=1e-9)
