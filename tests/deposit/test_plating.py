"""Plating and stripping in voxels: Faraday's law, flat films, slopes, the account, and the bits."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx

from interlith.deposit import follow as follow_module
from interlith.deposit import growth, sharing, surfaces
from interlith.deposit.box import Box, Ground
from interlith.deposit.follow import follow
from interlith.deposit.solver.team import Team
from interlith.errors import InputError, SolverError
from interlith.parts.deposition import deposition, deposition_names
from interlith.protocol import ConstantCurrent, ConstantVoltage, Protocol, Repeat, Rest
from interlith.units import FARADAY_C_PER_MOL, GAS_CONSTANT_J_PER_MOL_K, LITHIUM_mAh_PER_CM2_PER_UM

EVEN = deposition("cu").with_values(ease_spread=0.0, nucleation_spread=0.0, sei_per_plated=0.0)
UM_PER_mAh_PER_CM2 = 1.0 / LITHIUM_mAh_PER_CM2_PER_UM


def plated_and_stripped(mAh_per_cm2, n=1):
    plating = ConstantCurrent(current_density_mA_per_cm2=-1.0, areal_capacity_mAh_per_cm2=mAh_per_cm2)
    stripping = ConstantCurrent(current_density_mA_per_cm2=1.0, voltage_V=1.0)
    return Protocol(name="cycles", steps=(Repeat(times=n, steps=(plating, stripping)),))


def bars(n_z, n_y, n_x, seed):
    """A stack of bars of 2 x 2 voxels, along x and along y in turn, with grey sides."""
    random = np.random.Generator(np.random.Philox(seed))
    host = np.zeros((n_z, n_y, n_x))
    for k in range(0, n_z, 2):
        for at in random.integers(0, n_x, 3):
            across = [at % n_x, (at + 1) % n_x]
            if k % 4:
                host[k : k + 2, across, :] = 1.0
            else:
                host[k : k + 2, :, across] = 1.0
    near = sum(np.roll(host, step, axis) for axis in (1, 2) for step in (-1, 1))
    return Ground(np.maximum(host, 0.2 * (near > 0)), n_z, 0.75, True)


def followed(protocol, ground, parameters, seed=1, n_threads=1):
    with Team(n_threads) as team:
        return follow(protocol, ground, parameters, seed=seed, team=team)


@pytest.mark.parametrize("voxel_um", [0.3, 0.75])
def test_a_flat_film_is_485_um_per_mAh_and_comes_off_whole(voxel_um):
    got = followed(plated_and_stripped(2.3), Ground.bare(6, 5, voxel_um=voxel_um), EVEN)
    assert got.pictures[0].front_um == approx(2.3 * UM_PER_mAh_PER_CM2, rel=1e-9)
    assert got.pictures[0].front_um == approx(2.3 * 4.85, rel=1e-3)
    assert abs(1.0 - got.efficiencies()[0]) < 1e-10
    assert float(got.pictures[1].lithium.max()) == 0.0


@pytest.mark.parametrize("stripped", [0.31, 0.8, 1.57])
def test_a_film_is_stripped_from_its_top_one_layer_at_a_time(stripped):
    plating, _ = plated_and_stripped(2.0).steps[0].steps
    some = ConstantCurrent(current_density_mA_per_cm2=1.0, areal_capacity_mAh_per_cm2=stripped)
    got = followed(Protocol(name="x", steps=(plating, some)), Ground.bare(5, 5, voxel_um=0.75), EVEN)
    left = got.pictures[1].lithium.mean(axis=(1, 2)) * 0.75
    assert left.sum() == approx((2.0 - stripped) * UM_PER_mAh_PER_CM2, rel=1e-6)
    assert ((left > 0.0) & (left < 0.75 * (1.0 - 1e-6))).sum() == 1
    assert (np.diff(left) <= 0.0).all()


@pytest.mark.parametrize("porosity", [0.3, 0.75])
def test_porous_lithium_on_top_is_higher_by_its_voids_and_comes_off_whole(porosity):
    host = np.zeros((4, 6, 6))
    host[:, 2:4] = 1.0
    sei = 1e-3
    mossy = EVEN.with_values(
        sei_per_plated=sei,
        void_per_sei=porosity / (1.0 - porosity) / sei,
        void_exponent=1.0,
        fill_before_swelling=1.0,
        collector_nucleation_mV=0.0,
        fibre_nucleation_mV=0.0,
    )
    got = followed(plated_and_stripped(1.5), Ground(host, 4, 0.75, True), mossy)
    on_top_um = got.ledger.steps()["active_top"][0] * UM_PER_mAh_PER_CM2
    assert got.pictures[0].front_um == approx(3.0 + on_top_um / (1.0 - porosity), abs=1.01 * 0.75)
    assert got.pictures[0].lithium[4:].max() <= 1.0 - porosity + 1e-6
    assert len(got.voltage_volt) < 400
    assert abs(1.0 - sei - got.efficiencies()[0]) < 1e-9


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(("ease_spread", "lost"), [(0.0, 1e-5), (0.2, 5e-4)])
def test_an_uneven_film_comes_off_whole_where_what_touches_conducts(seed, ease_spread, lost):
    """Fronts that meet, columns thinner than a voxel: none of it is lost but what is undercut."""
    touching = deposition("cu").with_values(
        lithium_contact=1.0, collector_contact=1.0, sei_per_plated=0.0, ease_spread=ease_spread, nucleation_spread=0.5
    )
    got = followed(plated_and_stripped(2.0), Ground.bare(16, 16, voxel_um=0.75), touching, seed)
    heights = got.pictures[0].lithium.sum(axis=0)
    assert heights.std() > 0.005 * heights.mean()
    assert abs(1.0 - got.efficiencies()[0]) < lost


@given(
    st.floats(0.02, 3.0),
    st.floats(0.0, 0.3),
    st.floats(0.1, 20.0),
    st.sampled_from(deposition_names()),
    st.integers(0, 9),
)
@settings(max_examples=12, deadline=None)
def test_lithium_and_sei_are_what_was_passed(mAh_per_cm2, sei, current, name, seed):
    parameters = deposition(name).with_values(sei_per_plated=sei, void_per_sei=3.0)
    step = ConstantCurrent(current_density_mA_per_cm2=-current, areal_capacity_mAh_per_cm2=mAh_per_cm2)
    got = followed(Protocol(name="x", steps=(step,)), bars(8, 12, 12, 5), parameters, seed)
    held = float(got.pictures[0].lithium.sum(dtype=np.float64)) * 0.75 * LITHIUM_mAh_PER_CM2_PER_UM / 144
    assert held == approx(mAh_per_cm2 * (1.0 - sei), rel=1e-6)  # pictures are in single precision
    final = got.ledger.final()
    assert final["active_pores"] + final["active_top"] == approx(mAh_per_cm2 * (1.0 - sei), rel=1e-8)
    assert final["sei"] == approx(mAh_per_cm2 * sei, rel=1e-8)
    assert final["passed"] == approx(-mAh_per_cm2, rel=1e-8)
    assert got.ledger.table["test_time_second"][-1] == approx(mAh_per_cm2 / current * 3600.0, rel=1e-8)


def test_the_account_closes_over_cycles_and_what_was_lost_lies_there():
    got = followed(plated_and_stripped(2.0, n=3), bars(8, 16, 16, 5), deposition("cp"))
    assert got.ledger.residual_mAh_per_cm2 < 1e-9
    final = got.ledger.final()
    assert final["dead_pores"] + final["dead_top"] > 1e-4
    lost = final["dead_pores"] + final["dead_top"] + final["active_pores"] + final["active_top"] + final["sei"]
    assert -final["passed"] == approx(lost, abs=1e-9)
    assert len(got.efficiencies()) == 3
    assert 2.0 * (1.0 - got.efficiencies()).sum() == approx(lost, abs=1e-9)


def test_the_bits_do_not_depend_on_the_threads():
    ground = bars(30, 48, 48, 3)
    found = [followed(plated_and_stripped(0.5), ground, deposition("cp"), n_threads=n) for n in (1, 2, 3)]
    for other in found[1:]:
        assert other.ledger.table.equals(found[0].ledger.table)
        assert other.voltage_volt.tobytes() == found[0].voltage_volt.tobytes()
        assert all((a.lithium == b.lithium).all() for a, b in zip(other.pictures, found[0].pictures, strict=True))


def test_the_seed_counts():
    one, same, other = (followed(plated_and_stripped(1.0), bars(8, 12, 12, 5), deposition("cp"), s) for s in (1, 1, 2))
    assert (one.pictures[0].lithium == same.pictures[0].lithium).all()
    assert not (one.pictures[0].lithium == other.pictures[0].lithium).all()


def test_a_current_changes_no_voxel_by_more_than_half(monkeypatch):
    monkeypatch.setattr(growth, "gather_crumbs", lambda *_: None)
    monkeypatch.setattr(growth, "sink", lambda *_: None)
    with Team(1) as team:
        box = Box(bars(8, 12, 12, 5), deposition("cp"), 1, team)
        moves = [growth.plate] * 60 + [growth.strip] * 60
        for move in moves:
            before = box.lithium.copy()
            move(box, 1.0, np.inf)
            n = min(len(before), len(box.lithium)) - 1
            assert np.abs(box.lithium[:n] - before[:n]).max() <= growth.MOST_CHANGE + 1e-12
            assert box.lithium.min() >= 0.0
            filled = box.lithium[1:-1] + box.host[1:-1]
            assert (filled <= box.planes[1:-1, surfaces.STRETCH, None, None] + 1e-12).all()


def overpotential_mV(surface, current_mA_per_cm2=1.0, i0=EVEN.exchange_current_density_A_per_m2):
    """By hand: i0 2 sinh(F eta / 2RT) on so much surface per area."""
    per_V = FARADAY_C_PER_MOL / (2.0 * GAS_CONSTANT_J_PER_MOL_K * 298.15)
    return -np.arcsinh(current_mA_per_cm2 * 10.0 / (2.0 * i0 * surface)) / per_V * 1e3


def slope(rise, n):
    """Full host under a plane that rises by `rise` planes per voxel of x."""
    z, x = np.arange(n * rise + 2)[:, None, None], np.arange(n)[None, None, :]
    return np.where(z < 1 + rise * x, 1.0, 0.0) * np.ones((1, 4, 1))


@pytest.mark.parametrize(("host", "surface"), [(slope(0, 24), 1.0), (slope(1, 24), np.sqrt(2.0))])
def test_a_slope_has_the_surface_of_a_slope(host, surface):
    """The common overpotential tells how much surface the current was shared among."""
    easy = EVEN.with_values(fibre_ease=1.0, fibre_nucleation_mV=0.0)
    with Team(1) as team:
        box = Box(Ground(host, host.shape[0], 0.5, False), easy, 1, team)
        moved = growth.plate(box, 1.0, 1e-4)
    ends = np.sqrt(2.0) / 24 if surface > 1.0 else 1e-9  # at a wall a step has no other side
    assert moved.overpotential_mV == approx(overpotential_mV(surface), rel=ends)


def fibre_surface(n):
    """Surface over its own area of a round fibre of half the box's width, standing in it, as the model counts it."""
    y, x = np.meshgrid(np.arange(n) + 0.5, np.arange(n) + 0.5, indexing="ij")
    disc = np.clip(0.5 - (np.hypot(y - n / 2.0, x - n / 2.0) - 0.25 * n), 0.0, 1.0)
    host = np.repeat(disc[None], 6, axis=0)
    only = EVEN.with_values(fibre_ease=1.0, fibre_nucleation_mV=0.0, collector_nucleation_mV=499.0)
    with Team(1) as team:
        box = Box(Ground(host, 6, 8.0 / n, True), only, 1, team)
        moved = growth.plate(box, 1.0, 1e-9)
    per_area = overpotential_mV(1.0) / moved.overpotential_mV  # small currents: the overpotential goes as 1 / surface
    wall, top = np.pi * (n / 2.0) * 6, np.pi * (n / 4.0) ** 2
    return per_area * n * n / (wall + top)


def test_the_surface_of_a_round_fibre_is_found():
    errors = [1.0 - fibre_surface(n) for n in (8, 16, 32)]
    assert errors[0] < 0.2
    assert all(0.0 < fine < 0.6 * coarse for coarse, fine in itertools.pairwise(errors))


def test_a_closed_pore_takes_no_lithium():
    host = np.zeros((9, 8, 8))
    host[4] = 1.0
    host[:4, 3, 3] = 1.0
    with Team(1) as team:
        box = Box(Ground(host, 9, 0.75, True), deposition("cp"), 1, team)
        for _ in range(20):
            growth.plate(box, 1.0, 1.0)
    assert box.lithium[1:5].max() == 0.0
    assert box.lithium[6:].max() > 0.5


def test_nothing_plates_below_the_barrier():
    """Half of the collector's neighbors are host with a high barrier: at a small current it stays bare."""
    host = np.zeros((4, 6, 6))
    host[:, :3] = 1.0
    ground = Ground(host, 4, 0.75, True)
    high = EVEN.with_values(
        fibre_nucleation_mV=200.0, collector_nucleation_mV=0.0, fibre_migration_um=0.0, lithium_migration_um=0.0
    )
    with Team(1) as team:
        box = Box(ground, high, 1, team)
        growth.plate(box, 0.1, 0.05)
    assert box.lithium[1].sum() > 0.0
    assert box.lithium[2:].sum() == 0.0


@given(st.lists(st.tuples(st.floats(1e-3, 1e3), st.floats(0.0, 4.0)), min_size=1, max_size=30), st.floats(1e-3, 1e4))
def test_one_overpotential_carries_the_current(places, current):
    ease, barrier = (np.array(column) for column in zip(*places, strict=True))
    found, carried = sharing.common_overpotential(ease, barrier, current)
    by_hand = ease * 2.0 * np.sinh(np.maximum(found - barrier, 0.0))
    assert carried.sum() == approx(current, rel=1e-12)
    assert carried == approx(by_hand, rel=1e-6, abs=1e-9 * current)


@given(st.lists(st.tuples(st.floats(1e-3, 1e3), st.floats(1e-6, 1.0)), min_size=1, max_size=30), st.floats(0.01, 1.0))
def test_no_place_gives_more_than_it_has(places, share):
    wanted, at_hand = (np.array(column) for column in zip(*places, strict=True))
    amount = share * at_hand.sum()
    found = sharing.no_more_than(wanted, at_hand, amount)
    assert found.sum() == approx(amount, rel=1e-12)
    assert (found <= at_hand * (1.0 + 1e-12)).all()
    free = found < at_hand * (1.0 - 1e-9)
    assert np.ptp((found / wanted)[free]) <= 1e-9 * (found / wanted).max() if free.any() else True


def test_more_than_is_there_is_refused():
    with pytest.raises(SolverError, match="more lithium"):
        sharing.no_more_than(np.ones(2), np.ones(2), 2.1)
    with pytest.raises(SolverError, match="no surface"):
        sharing.common_overpotential(np.zeros(0), np.zeros(0), 1.0)


def test_a_rest_only_takes_time():
    steps = (*plated_and_stripped(0.3).steps[0].steps[:1], Rest(duration_s=60.0))
    got = followed(Protocol(name="x", steps=steps), Ground.bare(4, 4, voxel_um=0.75), EVEN)
    before, after = got.ledger.steps().iter_rows(named=True)
    assert after["test_time_second"] - before["test_time_second"] == approx(60.0)
    assert after["active_top"] == before["active_top"]


@pytest.mark.parametrize(
    "step",
    [ConstantVoltage(voltage_V=0.1, duration_s=1.0), ConstantCurrent(current_density_mA_per_cm2=-1.0, voltage_V=-0.1)],
)
def test_what_cannot_be_followed_is_refused(step):
    with pytest.raises(InputError):
        followed(Protocol(name="x", steps=(step,)), Ground.bare(4, 4, voxel_um=0.75), EVEN)


def test_a_step_that_does_not_end_is_said(monkeypatch):
    monkeypatch.setattr(follow_module, "MOST_STEPS", 3)
    with pytest.raises(SolverError, match="not over after 3 small steps"):
        followed(plated_and_stripped(2.0), Ground.bare(4, 4, voxel_um=0.75), EVEN)


def test_an_unknown_set_is_named():
    with pytest.raises(InputError, match="Did you mean cp-zno-002"):
        deposition("cp-zno-0002")
