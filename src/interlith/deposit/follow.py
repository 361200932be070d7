"""A protocol followed in a box of voxels: every mAh accounted for at each small step, and where the lithium lies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from interlith import ledger
from interlith.deposit import gap, growth, surfaces
from interlith.deposit.box import Box, Ground
from interlith.deposit.team import Team
from interlith.errors import InputError, SolverError
from interlith.ledger import Ledger
from interlith.parts.deposition import Deposition
from interlith.parts.electrolyte import Electrolyte
from interlith.protocol import ConstantCurrent, Executed, Protocol, Rest
from interlith.units import MOL_PER_M3_PER_MOL_PER_L, ZERO_CELSIUS_K, A_PER_M2_PER_mA_PER_CM2, mV_PER_V

MOST_STEPS = 100_000  # small ones, in one step of a protocol
FRONT_PERCENTILE = 95.0
DONE = 1e-12  # share of a step's charge


@dataclass(frozen=True)
class Picture:
    """Where the lithium lies at one moment.

    lithium: float32[z, y, x], share of each voxel, z = 0 at the collector. is_dead: bool[z, y, x]. front_um: height
    under which the highest lithium of 95 % of the columns lies, not below the host's own top.
    """

    step: int
    lithium: NDArray[np.float32]
    is_dead: NDArray[np.bool_]
    front_um: float


@dataclass(frozen=True)
class Deposited:
    """The account of a protocol in a box, its voltage, and a picture at the end of each step of the protocol.

    One per row of the ledger: voltage_volt, overpotential of the working electrode against the electrolyte; front_um,
    as in a picture; salt_mol_per_L: float64[row, 2], at the collector and over the host, where there is a gap.
    n_host: planes of the host.
    """

    ledger: Ledger
    voltage_volt: NDArray[np.float64]
    front_um: NDArray[np.float64]
    pictures: tuple[Picture, ...]
    voxel_um: float
    n_host: int
    salt_mol_per_L: NDArray[np.float64] | None = None

    def efficiencies(self) -> NDArray[np.float64]:
        """Charge stripped over charge plated of each cycle, a cycle being a plating step and what follows it."""
        passed = np.concatenate([[0.0], self.ledger.steps()["passed"].to_numpy()])
        moved, cycle = np.diff(passed), self.ledger.steps()[ledger.CYCLE].to_numpy()
        plated = np.bincount(cycle, np.maximum(-moved, 0.0))
        stripped = np.bincount(cycle, np.maximum(moved, 0.0))
        found: NDArray[np.float64] = stripped[plated > 0.0] / plated[plated > 0.0]
        return found


@dataclass(frozen=True)
class _Row:
    time_s: float
    step: int
    cycle: int
    volt: float
    sei: float = 0.0
    revived: float = 0.0
    passed: float = 0.0


def follow(
    protocol: Protocol,
    ground: Ground,
    deposition: Deposition,
    *,
    seed: int,
    team: Team,
    electrolyte: Electrolyte | None = None,
    gap_um: float | None = None,
    gap_porosity: float = 1.0,
) -> Deposited:
    """Plate, strip and rest as a protocol says; plating has a negative current, as in a half cell.

    Plating needs areal_capacity_mAh_per_cm2 or duration_s. Stripping also ends at voltage_V, and always when no live
    lithium is left that the electrolyte reaches. electrolyte: given, the current is shared with its resistance, as
    filled in; left out, by the kinetics of the surfaces alone. gap_um: from the host's top to a counter electrode, then
    with the salt of that electrolyte, plane by plane; gap_porosity: of what fills the gap.
    Raises InputError for other steps, SolverError when one cannot go on, or when the salt is used up.
    """
    box = Box(ground, deposition, seed, team, None if electrolyte is None else _conductivity(electrolyte, deposition))
    if gap_um is not None:
        if electrolyte is None:
            raise InputError("gap: salt that is used up needs an electrolyte")
        box.salt = gap.over_host(box, electrolyte, gap_um, gap_porosity)
    row, previous = _Row(0.0, 0, 0, 0.0), 0.0
    rows, pictures = [_entries(box, row)], []
    volts, fronts, salt = [0.0], [front_um(box)], [_salt(box)]
    for number, step in enumerate(protocol.executed()):
        current = _current(step)
        if current < 0.0 and previous >= 0.0 and number:
            row = replace(row, cycle=row.cycle + 1)
        previous = current or previous
        for now in _done(box, step, replace(row, step=number)):
            rows.append(_entries(box, now))
            volts.append(now.volt)
            fronts.append(front_um(box))
            salt.append(_salt(box))
            row = now
        pictures.append(picture(box, number))
    told = (np.array(volts), np.array(fronts), tuple(pictures), ground.voxel_um, ground.n_host)
    return Deposited(Ledger(pl.DataFrame(rows)), *told, None if box.salt is None else np.array(salt))


def _salt(box: Box) -> tuple[float, float] | None:
    return None if box.salt is None else box.salt.ends_mol_per_L()


def _conductivity(electrolyte: Electrolyte, deposition: Deposition) -> float:
    c, T = electrolyte.salt_mol_per_L * MOL_PER_M3_PER_MOL_PER_L, deposition.temperature_C + ZERO_CELSIUS_K
    return float(electrolyte.conductivity_S_per_m(c, T))


def picture(box: Box, step: int) -> Picture:
    """Where the lithium of a box lies now."""
    inner = (slice(1, -1),) * 3
    is_dead = box.state[inner] == surfaces.DEAD
    return Picture(step, box.lithium[inner].astype(np.float32), is_dead, front_um(box))


def front_um(box: Box) -> float:
    """Height under which the highest lithium of 95 % of the columns lies, not below the host's own top."""
    inner = (slice(1, -1),) * 3
    lithium = box.lithium[inner]
    planes = np.arange(1, box.n_planes + 1)[:, None, None]
    begun = np.where(
        lithium > surfaces.LEAST_LITHIUM,
        planes - 1.0 + np.minimum(lithium / box.packing[1:-1, None, None] + box.host[inner], 1.0),
        0.0,
    )
    highest = np.maximum(begun.max(axis=0), box.ground.n_host)
    return float(np.percentile(highest, FRONT_PERCENTILE)) * box.ground.voxel_um


def _current(step: Executed) -> float:
    if isinstance(step, Rest):
        return 0.0
    if isinstance(step, ConstantCurrent):
        return step.signed_mA_per_cm2
    raise InputError(f"kind = '{step.kind}': deposition follows constant currents and rests")


def _done(box: Box, step: Executed, row: _Row) -> Iterator[_Row]:
    """Rows of one step of the protocol."""
    if isinstance(step, Rest):
        if box.salt is not None:
            box.salt.rest(step.duration_s)
        yield replace(row, time_s=row.time_s + step.duration_s, volt=0.0)
        return
    current = _current(step)
    assert isinstance(step, ConstantCurrent)
    left = whole = _charge(step, abs(current))
    move, sign = (growth.plate, -1.0) if current < 0.0 else (growth.strip, 1.0)
    for _ in range(MOST_STEPS):
        moved = move(box, abs(current), min(left, _most(box, abs(current))))
        taken_s = growth.seconds(moved.charge_mAh_per_cm2, abs(current))
        if box.salt is not None and not moved.is_over:
            box.salt.advance(taken_s)
        row = _after(row, moved, sign, taken_s)
        left -= moved.charge_mAh_per_cm2
        yield row
        if moved.is_over or (whole < np.inf and left <= DONE * whole) or _reached(step, row.volt):
            return
    raise SolverError(
        f"step {row.step + 1} of the protocol is not over after {MOST_STEPS} small steps, {row.time_s:g} s"
    )


def _most(box: Box, current_mA_per_cm2: float) -> float:
    """Charge of the step that comes, mAh/cm2, where salt bounds it."""
    if box.salt is None:
        return np.inf
    return box.salt.next_s(current_mA_per_cm2 * A_PER_M2_PER_mA_PER_CM2) / growth.seconds(1.0, current_mA_per_cm2)


def _after(row: _Row, moved: growth.Moved, sign: float, taken_s: float) -> _Row:
    return replace(
        row,
        time_s=row.time_s + taken_s,
        volt=row.volt if moved.is_over else moved.overpotential_mV / mV_PER_V,
        sei=row.sei + moved.sei_mAh_per_cm2,
        revived=row.revived + moved.revived_mAh_per_cm2,
        passed=row.passed + sign * moved.charge_mAh_per_cm2,
    )


def _charge(step: ConstantCurrent, current_mA_per_cm2: float) -> float:
    """The most that a step moves, mAh/cm2."""
    ends = []
    if step.areal_capacity_mAh_per_cm2 is not None:
        ends.append(step.areal_capacity_mAh_per_cm2)
    if step.duration_s is not None:
        ends.append(step.duration_s * current_mA_per_cm2 / growth.seconds(1.0, 1.0))
    if not ends and step.signed_mA_per_cm2 < 0.0:
        raise InputError("plating has no end: give areal_capacity_mAh_per_cm2 or duration_s")
    return min(ends) if ends else np.inf


def _reached(step: ConstantCurrent, volt: float) -> bool:
    if step.voltage_V is None:
        return False
    return volt >= step.voltage_V if step.signed_mA_per_cm2 > 0.0 else volt <= step.voltage_V


def _entries(box: Box, row: _Row) -> dict[str, float | int]:
    """A row of the ledger: what lies in the box now, and what has passed."""
    inner, n_host = (slice(1, -1),) * 3, box.ground.n_host
    lithium, is_dead = box.lithium[inner], box.state[inner] == surfaces.DEAD
    dead = (lithium * is_dead).sum(axis=(1, 2)) * box.mAh_per_cm2_of_a_voxel
    live = (lithium * ~is_dead).sum(axis=(1, 2)) * box.mAh_per_cm2_of_a_voxel
    held = {
        "active_pores": float(live[:n_host].sum()),
        "active_top": float(live[n_host:].sum()),
        "dead_pores": float(dead[:n_host].sum()),
        "dead_top": float(dead[n_host:].sum()),
        "sei": row.sei,
    }
    flows = {"revived": row.revived, "electrolyte_consumed": row.sei, "passed": row.passed}
    found: dict[str, float | int] = {ledger.TIME: row.time_s, ledger.STEP: row.step, ledger.CYCLE: row.cycle}
    found |= dict.fromkeys(ledger.NAMES, 0.0) | held | flows
    return found | {"residual": sum(held.values()) + row.passed}
