"""Effective diffusivity and conductivity, judged by exact results for slabs, cylinders and spheres, and by bounds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_boxes import cylinders, spheres

from interlith.deposit.fibres import fibre_network
from interlith.deposit.network import Network, coarser
from interlith.deposit.solver.team import Team
from interlith.deposit.transport import transport
from interlith.errors import InputError, PhysicsError
from interlith.parts.fibres import FibreNetwork

PAPER = FibreNetwork(bundle_diameter_um=2, porosity=0.79, thickness_um=20, fibre_length_um=30, tilt_deg=10)


def effective(network, phase="pores", axis="z"):
    with Team(1) as team:
        return transport(network, phase, axis, team).effective


def around_cylinders(solid):
    """Square array of insulating cylinders, across: Perrins et al. (1979), doi:10.1098/rspa.1979.0160, with T = 1."""
    f = solid
    return 1.0 - 2.0 * f / (1.0 + f - 0.305827 * f**4 / (1.0 - 1.402958 * f**8) - 0.013362 * f**8)


@settings(max_examples=30, deadline=None)
@given(share=st.floats(0.05, 0.95), axis=st.sampled_from("zyx"), is_periodic=st.booleans())
def test_slabs_conduct_side_by_side_and_one_after_the_other(share, axis, is_periodic):
    solid = np.zeros((6, 6, 6), dtype=np.float32)
    solid[:, :3] = share  # slabs lie along z and x, and follow each other along y
    found = effective(Network(solid, 0.5, is_periodic, "slabs"), "pores", axis)
    open_ = 1.0 - float(np.float32(share))
    true = 2.0 / (1.0 + 1.0 / open_) if axis == "y" else (1.0 + open_) / 2.0
    assert found == pytest.approx(true, rel=1e-6)


@pytest.mark.parametrize("solid", [0.1, 0.215, 0.4])
def test_cylinders_across_converge_to_the_exact_result(solid):
    coarse, fine = (abs(effective(cylinders(n, solid)) / around_cylinders(solid) - 1.0) for n in (12, 72))
    assert coarse < 0.05
    assert fine < 0.25 * coarse  # of first order: a sixth


def test_cylinders_along_conduct_by_their_share():
    network = cylinders(10, 0.3)
    assert effective(network, "pores", "x") == pytest.approx(network.porosity, rel=1e-6)
    assert effective(network, "solid", "x") == pytest.approx(1.0 - network.porosity, rel=1e-6)


def test_few_spheres_converge_to_maxwell():
    solid = 0.1  # Maxwell is exact to the 10/3rd power of it: Rayleigh (1892), doi:10.1080/14786449208620364
    true = (1.0 - solid) / (1.0 + solid / 2.0)
    errors = [abs(effective(spheres(n, solid)) / true - 1.0) for n in (6, 24)]
    assert errors[1] < 0.01
    assert errors[1] < 0.6 * errors[0]


def test_tau_factor_finds_the_same():
    taufactor = pytest.importorskip("taufactor", reason="TauFactor, which needs PyTorch, is not installed")
    fibres = FibreNetwork(bundle_diameter_um=4, porosity=0.75, thickness_um=40, fibre_length_um=60, tilt_deg=15)
    solid = (fibre_network(fibres, width_um=40, voxel_um=1.0, seed=1).solid >= 0.5).astype(np.float32)
    solver = taufactor.PeriodicSolver(1.0 - solid, device="cpu")
    solver.solve(verbose=False, conv_crit=1e-4)
    found = effective(Network(solid, 1.0, True, "whole voxels"))
    assert found == pytest.approx(float(np.ravel(solver.D_eff)[0]), rel=1e-4)


def test_a_turned_network_has_its_axes_turned():
    network = fibre_network(PAPER, width_um=20, voxel_um=1.0, seed=1)
    turned = Network(network.solid.transpose(0, 2, 1).copy(), 1.0, True, "turned")
    assert effective(network, "pores", "y") == pytest.approx(effective(turned, "pores", "x"), rel=1e-6)
    whole = Network(network.solid, 1.0, False, "walls")
    upright = Network(network.solid.transpose(1, 0, 2).copy(), 1.0, False, "upright")
    assert effective(whole, "pores", "y") == pytest.approx(effective(upright, "pores", "z"), rel=1e-6)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 20), axis=st.sampled_from("zx"))
def test_fibres_let_through_less_than_the_bound_of_hashin_and_shtrikman(seed, axis):
    network = fibre_network(PAPER, width_um=20, voxel_um=1.0, seed=seed)
    open_ = network.porosity
    found = effective(network, "pores", axis)
    assert found < open_  # of Wiener
    if axis == "z":
        assert found < 2.0 * open_ / (3.0 - open_)  # the bound of isotropic ones; a sheet lets through less across
    assert found > open_**3


def test_flows_in_and_out_are_the_same():
    with Team(1) as team:
        found = transport(fibre_network(PAPER, width_um=20, voxel_um=0.5, seed=1), "solid", "z", team)
    assert found.flow_imbalance < 1e-5
    assert found.tortuosity_factor == pytest.approx(found.share / found.effective)
    assert found.macmullin_number == pytest.approx(1.0 / found.effective)


def test_what_is_let_through_is_known_better_than_the_flows_are_balanced():
    network = fibre_network(PAPER, width_um=20, voxel_um=0.5, seed=1)
    with Team(1) as team:
        rough, fair, true = (transport(network, "pores", "z", team, within=within) for within in (1e-3, 1e-5, 1e-12))
    assert rough.flow_imbalance > 1e-3 > fair.flow_imbalance > 1e-6
    for found in (rough, fair):
        assert abs(found.effective / true.effective - 1.0) < min(0.1 * found.flow_imbalance, 1e-4)
    assert fair.effective == pytest.approx(true.effective, rel=1e-8)


def test_random_fibres_let_through_what_others_found():
    """Tomadakis, Sotirchos, J. Chem. Phys. 98, 616 (1993): fit to walks among fibres in planes, within 6 %."""
    found = fibre_network(PAPER, width_um=40, voxel_um=0.5, seed=2)
    through = 0.79 * ((0.79 - 0.11) / 0.89) ** 0.785
    along = 0.79 * ((0.79 - 0.11) / 0.89) ** 0.521
    assert effective(found, "pores", "z") == pytest.approx(through, rel=0.06)
    assert effective(found, "pores", "x") == pytest.approx(along, rel=0.06)


def test_dead_ends_and_islands_carry_nothing():
    solid = np.ones((6, 6, 6), dtype=np.float32)
    solid[:, 0, 0] = 0.0
    solid[2:4, 3, 3] = 0.0  # closed in
    network = Network(solid, 1.0, False, "one way, one hole")
    with Team(1) as team:
        found = transport(network, "pores", "z", team)
    assert found.effective == pytest.approx(1.0 / 36.0, rel=1e-6)
    assert found.carrying_share == pytest.approx(6.0 / 8.0)


def test_what_leads_nowhere_is_refused_by_name():
    solid = np.zeros((6, 6, 6), dtype=np.float32)
    solid[3] = 1.0
    with Team(1) as team, pytest.raises(PhysicsError, match="a wall: its pores do not lead through the box along z"):
        transport(Network(solid, 1.0, True, "a wall"), "pores", "z", team)


def test_a_way_around_the_side_counts_only_where_sides_repeat():
    solid = np.ones((2, 3, 4), dtype=np.float32)
    solid[0, 1, 0] = solid[1, 1, 3] = solid[0, 1, 3] = 0.0  # joined across the side
    with Team(1) as team:
        assert transport(Network(solid, 1.0, True, "round"), "pores", "z", team).carrying_share == pytest.approx(1.0)
        assert transport(Network(solid, 1.0, False, "cut"), "pores", "z", team).carrying_share == pytest.approx(2 / 3)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 5))
def test_voxels_twice_as_wide_hold_the_same_solid(seed):
    network = fibre_network(PAPER, width_um=20, voxel_um=0.5, seed=seed)
    wide = coarser(network)
    assert wide is not None
    assert wide.porosity == pytest.approx(network.porosity, abs=1e-6)
    assert (wide.thickness_um, wide.solid.shape) == (20.0, (20, 20, 20))


def test_boxes_that_are_none_are_refused():
    with pytest.raises(InputError, match="three dimensions"):
        Network(np.zeros((3, 3), dtype=np.float32), 1.0, True, "flat")
    with pytest.raises(InputError, match="between 0 and 1"):
        Network(np.full((3, 3, 3), 1.5, dtype=np.float32), 1.0, True, "more than all")
    with pytest.raises(InputError, match="between 0 and 1"):
        Network(np.full((3, 3, 3), np.nan, dtype=np.float32), 1.0, True, "nothing")
    with pytest.raises(InputError, match="voxel_um"):
        Network(np.zeros((3, 3, 3), dtype=np.float32), 0.0, True, "no size")
