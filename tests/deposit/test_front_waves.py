"""Waves of a front that grows where the electrolyte rules: the growth of Mullins and Sekerka without surface tension.

Potential in open electrolyte from a front at z = 0, which reacts with a resistance per area r, to a plane at H through
which the current v F / Vm enters evenly: A cos kx on the front grows by dA/dt = v k tanh(kH) A / (1 + W k tanh(kH)),
W = r kappa = kappa RT / (F i0). Lengths here are in voxels.
"""

import numpy as np
import pytest
from made_boxes import EVEN, film
from pytest import approx

from interlith.deposit import growth, potential
from interlith.deposit.solver.team import Team
from interlith.units import FARADAY_C_PER_MOL, GAS_CONSTANT_J_PER_MOL_K, M_PER_UM

VOXEL_UM, CURRENT_mA_PER_CM2 = 0.5, 0.05  # so little that kinetics are linear


def front(heights, n_z, W, team):
    """A box with lithium up to heights: float[x]."""
    volt = GAS_CONSTANT_J_PER_MOL_K * 298.15 / FARADAY_C_PER_MOL
    conductivity = W * VOXEL_UM * M_PER_UM * EVEN.exchange_current_density_A_per_m2 / volt
    return film(heights, n_z, team, EVEN, conductivity, voxel_um=VOXEL_UM)


def grown(box, voxels):
    """Height of each x after so much more of a flat film."""
    growth.plate(box, CURRENT_mA_PER_CM2, voxels * box.mAh_per_cm2_of_a_voxel * 2 * (box.lithium.shape[2] - 2))
    return box.lithium[1:-1, 1:-1, 1:-1].sum(axis=0)[0]


def wave(n):
    return np.cos(2.0 * np.pi * (np.arange(n) + 0.5) / n)


def law(n, H, W):
    """Growth of a wave of n voxels per height that is plated."""
    damped = 2.0 * np.pi / n * np.tanh(2.0 * np.pi / n * H)
    return damped / (1.0 + W * damped)


def rate_over_law(n, amplitude, h, W):
    with Team(1) as team:
        heights = h + amplitude * wave(n)
        more = grown(front(heights, 10 + n // 2, W, team), 1e-4) - heights
    return 2.0 * (more @ wave(n)) / n / more.mean() / amplitude / law(n, 10 + n // 2 - h, W)


@pytest.mark.parametrize("open_share", [1.0, 0.7, 0.3, 0.06])
@pytest.mark.parametrize(("shape", "through"), [((5, 1, 1), 1.0), ((1, 1, 5), 0.75)])
def test_the_way_to_a_flat_front_ends_where_it_lies(shape, through, open_share):
    """Of the current, which enters the last plane, a part comes through the voxel before that of the front."""
    share, ease, begin = np.ones(shape), np.zeros(shape), np.full(shape, 0.5)
    share.flat[:2] = 0.0, open_share
    ease.flat[1] = 1.0
    with Team(1) as team:
        phi, _ = potential.with_resistance(share, ease, 0.0 * share, 0.01, begin, is_periodic=False, team=team)
    assert phi.flat[2] - phi.flat[1] == approx(0.01 * through * (0.5 + open_share), rel=1e-3)


@pytest.mark.parametrize("W", [0.1, 4.0])
def test_a_wave_within_a_plane_of_voxels_grows_by_the_law_the_finer_the_voxels(W):
    errors = [[1.0 - rate_over_law(n, 0.05, 10 + at, W) for at in (0.1, 0.5, 0.9)] for n in (16, 32, 64)]
    worst = np.abs(errors).max(axis=1)
    assert worst[0] < 0.31
    assert (worst[1:] < 0.6 * worst[:-1]).all()


@pytest.mark.parametrize("W", [0.1, 4.0])
@pytest.mark.parametrize(("n", "amplitude", "one", "all_of_them"), [(16, 1.0, 0.4, 0.1), (32, 2.0, 0.1, 0.05)])
def test_a_wave_over_several_planes_grows_by_the_law_on_the_mean_of_where_it_lies(n, amplitude, one, all_of_them, W):
    found = [rate_over_law(n, amplitude, 10 + at, W) for at in (0.1, 0.3, 0.5, 0.7, 0.9)]
    assert np.abs(np.array(found) - 1.0).max() < one
    assert np.mean(found) == approx(1.0, abs=all_of_them)


@pytest.mark.parametrize("step", [0.05, 0.25])
@pytest.mark.parametrize("W", [0.1, 4.0])
def test_a_wave_grows_by_the_law_while_the_front_passes_planes(W, step):
    n, first, n_z = 32, 0.5, 28
    with Team(1) as team:
        box = front(10.3 + first * wave(n), n_z, W, team)
        expected, mean = 0.0, 10.3
        for _ in range(round(2.0 / step)):
            heights = grown(box, step)
            expected += (heights.mean() - mean) * law(n, box.n_planes - 0.5 * (heights.mean() + mean), W)
            mean = heights.mean()
    assert mean == approx(12.3)
    assert np.log(2.0 * (heights @ wave(n)) / n / first) == approx(expected, rel=0.1)
