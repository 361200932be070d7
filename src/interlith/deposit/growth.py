"""Plating and stripping of lithium in a box of voxels, one small step after another, at an imposed current.

The current is shared by surface kinetics alone, with one overpotential for all places, unless the electrolyte's
conductivity is given: at 1 mA/cm2 it loses about 1 mV over 100 um, against barriers of 10 to 100 mV. No voxel fills or
empties by more than half in a step.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from interlith.deposit import beyond, contact, counted, gap, potential, sharing, surfaces
from interlith.deposit.box import Box
from interlith.deposit.film import Before, gather_crumbs
from interlith.deposit.rows import Places, in_a_row
from interlith.deposit.sinking import sink
from interlith.deposit.solver import migration
from interlith.units import M_PER_UM, SECONDS_PER_HOUR, A_PER_M2_PER_mA_PER_CM2, mV_PER_V

MOST_CHANGE = 0.5  # of a voxel's share in one step
MOST_STRIPPED = 0.3  # of what a voxel holds when it is full, in one step
LEAST_STRAIN = 0.02  # of a layer, in one step
HELD_BACK = 0.01  # share of a step's charge that the fastest places may leave to the others
LEAST_LEFT = 1e-12  # share of a voxel: what would be left by rounding is stripped too, and counted
Floats = NDArray[np.float64]
Singles = NDArray[np.float32]


@dataclass(frozen=True)
class Moved:
    """What one small step did; the charge has no sign.

    revived: lithium that was dead before and is live after; died: the reverse. overpotential_mV: of the working
    electrode against the electrolyte, negative when lithium is plated. is_over: nothing more could be moved.
    """

    charge_mAh_per_cm2: float
    sei_mAh_per_cm2: float
    revived_mAh_per_cm2: float
    died_mAh_per_cm2: float
    overpotential_mV: float
    is_over: bool = False


NOTHING = Moved(0.0, 0.0, 0.0, 0.0, 0.0, is_over=True)


@dataclass(frozen=True)
class _Step:
    """Lithium that a small step moves: at each place of the front, and in each voxel behind it that it passes into.

    volts: overpotential as F eta / 2RT.
    """

    volts: float
    places: Places
    taken: Floats
    behind: Places
    passed: Floats

    @property
    def total(self) -> float:
        """Voxels of lithium."""
        return float(self.taken.sum() + self.passed.sum())


def plate(box: Box, current_mA_per_cm2: float, most_mAh_per_cm2: float) -> Moved:
    """Plate for one small step: at most a charge, and at most half a voxel anywhere."""
    box.make_room()
    box.pack(current_mA_per_cm2)
    keeps = 1.0 - box.deposition.sei_per_plated
    step = _step(box, *_plated(box, _total(box, current_mA_per_cm2)), most_mAh_per_cm2 * keeps)
    before = Before.of(box)
    _grow(box, step)
    plated = step.total * box.mAh_per_cm2_of_a_voxel
    revived, died = _changes(box, before)
    charge = plated / keeps
    return Moved(charge, charge - plated, revived, died, -step.volts / box.half_per_V * mV_PER_V)


def strip(box: Box, current_mA_per_cm2: float, most_mAh_per_cm2: float) -> Moved:
    """Strip for one small step; over when no live lithium is reached by the electrolyte."""
    found = _stripped(box, _total(box, current_mA_per_cm2))
    if found is None:
        return NOTHING
    step = _step(box, *found, most_mAh_per_cm2, is_stripping=True)
    del found
    before = Before.of(box)
    lithium = in_a_row(box.lithium)
    lithium[step.places] -= step.taken
    lithium[step.behind] -= step.passed
    box.settle()
    gather_crumbs(box, before)
    sink(box, before)
    revived, died = _changes(box, before)
    charge = step.total * box.mAh_per_cm2_of_a_voxel
    return Moved(charge, 0.0, revived, died, step.volts / box.half_per_V * mV_PER_V)


def seconds(charge_mAh_per_cm2: float, current_mA_per_cm2: float) -> float:
    """How long a current takes for a charge."""
    return charge_mAh_per_cm2 / current_mA_per_cm2 * SECONDS_PER_HOUR


def _plated(box: Box, total: float) -> tuple[Places, float, Floats]:
    """Voxels that can take lithium, overpotential as F eta / 2RT, and the current of each after migration."""
    places, (area, ease, barrier, squared) = _where_plated(box)
    volts, carried = _shared(box, places, ease, barrier + box.pressure[box.plane_of(places)], total)
    del ease, barrier  # migration holds most
    own = (carried, area, squared, places, box.lithium.shape)
    return places, volts, migration.evened(*own, is_periodic=box.ground.is_periodic, team=box.team)


def _stripped(box: Box, total: float) -> tuple[Places, float, Floats] | None:
    """Voxels whose lithium can be stripped, overpotential and currents likewise; None without one."""
    places, (ease,) = _where_stripped(box)
    if not places.size:
        return None
    return places, *_shared(box, places, ease, -box.pressure[box.plane_of(places)], total, is_stripping=True)


def _step(
    box: Box, places: Places, volts: float, carried: Floats, most_mAh_per_cm2: float, *, is_stripping: bool = False
) -> _Step:
    """What a step moves at places that carry these currents, at most such a charge."""
    at_hand, most = _at_hand(box, places, is_stripping=is_stripping)
    amount = _amount(box, carried, at_hand, most, most_mAh_per_cm2)
    if not is_stripping:
        amount = min(amount, _before_pressure(box, places, carried, volts))
    wanted = carried * (amount / float(carried.sum()))
    behind, passed = beyond.behind(box, places, np.minimum(wanted, most) - at_hand, is_stripping=is_stripping)
    passed = np.minimum(passed, _at_hand(box, behind, is_stripping=is_stripping)[0])
    taken = sharing.no_more_than(wanted, at_hand, amount - float(passed.sum()))
    if is_stripping:
        held = in_a_row(box.lithium)[places]
        taken = np.where(held - taken <= LEAST_LEFT, held, taken)
    return _Step(volts, places, taken, behind, passed)


def _at_hand(box: Box, places: Places, *, is_stripping: bool) -> tuple[Floats, Floats]:
    """What each place can take or give in a step, and the most by which it may change."""
    at_hand, most = np.empty(places.size), np.empty(places.size)
    own = (places, in_a_row(box.host), in_a_row(box.lithium), box.planes, box.lithium[0].size)
    share = MOST_STRIPPED if is_stripping else MOST_CHANGE
    box.team.share_list(places.size, lambda a, b: surfaces.at_hand(*own, share, is_stripping, at_hand, most, a, b))
    return at_hand, most


def _where_plated(box: Box) -> tuple[Places, list[Singles]]:
    """Voxels that can take lithium, and float32[n] each: surface, ease, barrier and squared migration length."""
    own = (box.host, box.planes, box.joined, box.kind, box.lithium, box.state, box.solid, box.wet, box.ease)
    classes = (box.class_ease, box.class_barrier, box.class_migration)
    nucleus = box.deposition.nucleus_um / box.ground.voxel_um
    return _listed(box.team.share(box.parts, lambda a, b: surfaces.plating(*own, *classes, nucleus, a, b)))


def _where_stripped(box: Box) -> tuple[Places, list[Singles]]:
    """Voxels whose lithium can be stripped, and float32[n], the ease of each."""
    own = (box.host, box.planes, box.joined, box.lithium, box.state, box.solid, box.wet, box.ease)
    inner = box.deposition.sei_per_plated / box.deposition.sei_um * box.ground.voxel_um
    return _listed(box.team.share(box.parts, lambda a, b: surfaces.stripping(*own, inner, a, b)))


def _listed(found: list[tuple[Places, Singles]]) -> tuple[Places, list[Singles]]:
    """Lists of the threads as one, and each quantity by itself."""
    columns = range(found[0][1].shape[1])
    return np.concatenate([at for at, _ in found]), [np.concatenate([held[:, n] for _, held in found]) for n in columns]


def _total(box: Box, current_mA_per_cm2: float) -> float:
    """Current through the box in A/m2 times faces of a voxel."""
    return current_mA_per_cm2 * A_PER_M2_PER_mA_PER_CM2 * box.n_columns


def _amount(box: Box, carried: Floats, at_hand: Floats, most: Floats, most_mAh_per_cm2: float) -> float:
    """Voxels of lithium to move: until the fast places have changed by the most they may, or all has been moved.

    The fastest, which carry a hundredth of the current, are not waited for.
    """
    return min(
        most_mAh_per_cm2 / box.mAh_per_cm2_of_a_voxel,
        float(carried.sum()) / sharing.pace_of_the_rest(carried / most, carried, HELD_BACK),
        float(at_hand.sum()),
    )


def _before_pressure(box: Box, places: Places, carried: Floats, volts: float) -> float:
    """Voxels of lithium until a layer is half way to the strain at which its pressure stops what is plated in it.

    Small strains are let pass: without that a stiff layer would only be neared.
    """
    room = np.maximum(0.5 * box.more_until(volts), LEAST_STRAIN * box.deposition.fill_before_swelling)
    by_plane = np.bincount(box.plane_of(places), carried, minlength=len(box.planes))[1 : 1 + room.size]
    limits = room[by_plane > 0.0] / by_plane[by_plane > 0.0]
    return float(limits.min(initial=np.inf)) * box.n_columns * float(carried.sum())


def _grow(box: Box, step: _Step) -> None:
    """Add lithium, and its SEI; what lies behind grows on what that filled."""
    box.leave_sei(step.places, step.taken)
    box.leave_sei(step.behind, step.passed)
    _add(box, step.places, step.taken)
    if step.passed.size:
        own = (step.places, in_a_row(box.host), in_a_row(box.lithium), box.planes, box.lithium[0].size)
        box.team.share_list(step.places.size, lambda a, b: surfaces.fill_up(*own, in_a_row(box.solid), a, b))
        box.wrap(box.solid)
        _add(box, step.behind, step.passed)
    box.settle()


def _add(box: Box, places: Places, taken: Floats) -> None:
    """Add lithium, and note on what that grew which was not there before."""
    fresh = np.zeros(box.lithium.shape, dtype=np.uint8)
    rows = (in_a_row(box.lithium), in_a_row(fresh))
    box.team.share_list(places.size, lambda a, b: surfaces.put(places, taken, *rows, a, b))
    box.wrap(fresh)
    own = (box.host, box.joined, box.lithium, box.solid, fresh, box.grown)
    box.team.share(box.parts, lambda a, b: contact.take_root(*own, a, b))


def _shared(
    box: Box, places: Places, relative: Singles, barrier: Floats, total: float, *, is_stripping: bool = False
) -> tuple[float, Floats]:
    """Overpotential as F eta / 2RT and current of each place: by kinetics alone, or with the electrolyte's resistance.

    relative: ease of each place over that of a face of lithium. With resistance, or with salt, the overpotential is
    that of the electrolyte in the last plane.
    """
    ease: Floats = np.multiply(relative, box.deposition.exchange_current_density_A_per_m2, dtype=np.float64)
    if box.salt is not None:
        return gap.shared(box, places, ease, barrier, total, is_stripping=is_stripping)
    volts, carried = sharing.common_overpotential(ease, barrier, total)
    if box.conductivity_S_per_m is None:
        return volts, carried
    inner = tuple(slice(1, -1) for _ in range(3))
    per_open_voxel = box.half_per_V * box.ground.voxel_um * M_PER_UM / box.conductivity_S_per_m
    spread, threshold = np.zeros(box.lithium.shape), np.zeros(box.lithium.shape)
    in_a_row(spread)[places], in_a_row(threshold)[places] = ease * per_open_voxel, barrier
    share = box.open_share() / box.planes[1:-1, surfaces.STRETCH, None, None]
    begin = np.full(share.shape, volts)
    phi, found = potential.with_resistance(
        share,
        spread[inner],
        threshold[inner],
        total * per_open_voxel,
        begin,
        is_periodic=box.ground.is_periodic,
        team=box.team,
    )
    rimmed = np.zeros(box.lithium.shape)
    rimmed[inner] = found / per_open_voxel
    return float(phi[-1].mean()), in_a_row(rimmed)[places]


def _changes(box: Box, before: Before) -> tuple[float, float]:
    """Dead lithium that is live now, and live lithium that is dead now."""
    found = box.counted(counted.changed, before.lithium, before.state, box.lithium, box.state)
    revived, died = found.sum(axis=0) * box.mAh_per_cm2_of_a_voxel
    return float(revived), float(died)
