"""A protocol followed in a box of voxels: every mAh accounted for at each small step, and where the lithium lies."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from interlith import ledger
from interlith.deposit import counted, gap, growth, surfaces
from interlith.deposit.box import Box, Ground
from interlith.deposit.checkpoint import Keeping, Kept, arrays_of, value_of
from interlith.deposit.frames import Frame, Frames, first_plated
from interlith.deposit.solver.team import Team
from interlith.errors import InputError, SolverError
from interlith.ledger import Ledger
from interlith.parts.deposition import Deposition
from interlith.parts.electrolyte import Electrolyte
from interlith.protocol import ConstantCurrent, Executed, Protocol, Rest
from interlith.units import MOL_PER_M3_PER_MOL_PER_L, ZERO_CELSIUS_K, A_PER_M2_PER_mA_PER_CM2, mV_PER_V

MOST_STEPS = 100_000  # small ones, in one step of a protocol
FRONT_PERCENTILE = 95.0
LEAST_SEI = 1e-4  # share of a plane: with less there is none to be seen
DONE = 1e-12  # share of a step's charge
SERIES = ("volts", "fronts", "tops")  # one each for a row of the ledger, in the order in which `Deposited` has them
COUNTED = ("n_over", "previous", "left", "moved", "n_small")  # what a checkpoint says in JSON of how far it is


@dataclass(frozen=True)
class Picture:
    """Where the lithium lies at one moment.

    lithium: float32[z, y, x], share of each voxel, z = 0 at the collector. is_dead: bool[z, y, x]. front_um: height
    under which the highest lithium of 95 % of the columns lies, not below the host's own top and the SEI left on it.
    Of each plane, float64[z]: heights_um; packing, how densely lithium packs in it; sei, the volume of SEI over that
    of the plane's voxels.
    """

    step: int
    lithium: NDArray[np.float32]
    is_dead: NDArray[np.bool_]
    front_um: float
    heights_um: NDArray[np.float64]
    packing: NDArray[np.float64]
    sei: NDArray[np.float64]

    @property
    def if_sei_stands_um(self) -> float:
        """The height if the SEI over the host had stayed where it was formed, without its lithium."""
        used = np.flatnonzero(self.sei > LEAST_SEI)
        top_um = float(self.heights_um[: used[-1] + 1].sum()) if used.size else 0.0
        return max(top_um, self.front_um)


@dataclass(frozen=True)
class Deposited:
    """The account of a protocol in a box, its voltage, and a picture at the end of each step of the protocol.

    One per row of the ledger: voltage_volt, overpotential of the working electrode against the electrolyte; front_um,
    as in a picture; host_um, height of the host's top; salt_mol_per_L: float64[row, 2], at the collector and over the
    host, where there is a gap. n_host: planes of the host. frames: the middle of the box in the first cycle, between
    the pictures.
    """

    ledger: Ledger
    voltage_volt: NDArray[np.float64]
    front_um: NDArray[np.float64]
    host_um: NDArray[np.float64]
    pictures: tuple[Picture, ...]
    voxel_um: float
    n_host: int
    frames: tuple[Frame, ...] = ()
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


@dataclass
class _Course:
    """How far a protocol is in a box, and what it left behind so far.

    left: charge of the step that goes on, None between two; moved: by that step, mAh/cm2. n_small: its small steps.
    """

    box: Box
    steps: tuple[Executed, ...]
    row: _Row = field(default_factory=lambda: _Row(0.0, 0, 0, 0.0))
    n_over: int = 0
    previous: float = 0.0
    left: float | None = None
    moved: float = 0.0
    n_small: int = 0
    rows: list[dict[str, float | int]] = field(default_factory=list)
    volts: list[float] = field(default_factory=list)
    fronts: list[float] = field(default_factory=list)
    tops: list[float] = field(default_factory=list)
    salt: list[tuple[float, float]] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    frames: Frames = field(default_factory=lambda: Frames(0.0))

    def note(self, row: _Row) -> None:
        """Write down where the lithium is now."""
        self.row = row
        self.rows.append(_entries(self.box, row))
        self.volts.append(row.volt)
        self.fronts.append(front_um(self.box))
        self.tops.append(host_um(self.box))
        if self.box.salt is not None:
            self.salt.append(self.box.salt.ends_mol_per_L())
        current = _current(self.steps[row.step]) if self.left is not None else 0.0
        self.frames.look(self.box, -row.passed, row.cycle, current)

    def begin(self) -> None:
        """Begin the next step of the protocol."""
        step = self.steps[self.n_over]
        current, cycle = _current(step), self.row.cycle
        if current < 0.0 and self.previous >= 0.0 and self.n_over:
            cycle += 1
        self.row = replace(self.row, step=self.n_over, cycle=cycle)
        self.previous = current or self.previous
        self.left = _charge(step, abs(current)) if isinstance(step, ConstantCurrent) else 0.0
        self.moved, self.n_small = 0.0, 0

    def end(self) -> None:
        """End the step that goes on."""
        self.pictures.append(picture(self.box, self.n_over))
        self.n_over, self.left, self.moved = self.n_over + 1, None, 0.0

    def kept(self) -> Kept:
        """All of it, to be taken up by `restore`."""
        names = list(self.rows[0])
        state = {name: getattr(self, name) for name in COUNTED} | {"row": asdict(self.row), "entries": names}
        arrays = {f"box.{name}": held for name, held in self.box.kept().items()}
        arrays |= {f"entry.{name}": np.array([row[name] for row in self.rows]) for name in names}
        arrays |= {name: np.array(getattr(self, name)) for name in (*SERIES, "salt")} | self.frames.arrays()
        return Kept(state, arrays, [arrays_of(one) for one in self.pictures])

    def restore(self, kept: Kept) -> None:
        """Go on from there; changes nothing where it raises."""
        arrays, state = kept.arrays, kept.state
        counted = {name: state[name] for name in COUNTED}
        row, pictures = (
            _Row(**state["row"]),
            [Picture(**{name: value_of(held) for name, held in part.items()}) for part in kept.parts],
        )
        entries = {name: arrays[f"entry.{name}"].tolist() for name in state["entries"]}
        rows = [dict(zip(entries, values, strict=True)) for values in zip(*entries.values(), strict=True)]
        series = {name: arrays[name].tolist() for name in SERIES}
        if len(pictures) != counted["n_over"] or {len(held) for held in series.values()} != {len(rows)}:
            raise InputError("its tables are not of one length")
        frames, salt = self.frames.restored(arrays), [(float(one[0]), float(one[1])) for one in arrays["salt"]]
        self.box.restore({name.removeprefix("box."): arrays[name] for name in arrays if name.startswith("box.")})
        self.frames, self.salt = frames, salt
        for name, value in (counted | series).items():
            setattr(self, name, value)
        self.row, self.rows, self.pictures = row, rows, pictures


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
    keeping: Keeping | None = None,
    told: Callable[[float], Any] = lambda share: None,
) -> Deposited:
    """Plate, strip and rest as a protocol says; plating has a negative current, as in a half cell.

    Plating needs areal_capacity_mAh_per_cm2 or duration_s. Stripping also ends at voltage_V, and always when no live
    lithium is left that the electrolyte reaches. electrolyte: given, the current is shared with its resistance, as
    filled in; left out, by the kinetics of the surfaces alone. gap_um: from the host's top to a counter electrode, then
    with the salt of that electrolyte, plane by plane; gap_porosity: of what fills the gap. keeping: checkpoints, from
    whose last one it goes on: the same bits. told: the share of the protocol's charge that has passed, at first and
    after each small step.
    Raises InputError for other steps, SolverError when one cannot go on, or when the salt is used up.
    """
    box = Box(ground, deposition, seed, team, None if electrolyte is None else _conductivity(electrolyte, deposition))
    if gap_um is not None:
        if electrolyte is None:
            raise InputError("gap: salt that is used up needs an electrolyte")
        box.salt = gap.over_host(box, electrolyte, gap_um, gap_porosity)
    course = _Course(box, tuple(protocol.executed()), frames=_frames(protocol))
    planned = planned_charges(course.steps)
    if keeping is None or not keeping.take_up(course.restore):
        course.note(course.row)
    told(_share(course, planned))
    while course.n_over < len(course.steps):
        if course.left is None:
            course.begin()
        at_end = _advance(course)
        if at_end:
            course.end()
        if keeping is not None and (course.n_over == len(course.steps) or keeping.is_due(at_end=at_end)):
            keeping.keep(course.kept())
        told(_share(course, planned))
    volts, fronts, tops = (np.array(getattr(course, name)) for name in SERIES)
    account, seen = Ledger(pl.DataFrame(course.rows)), (tuple(course.pictures), ground.voxel_um, ground.n_host)
    salt = None if box.salt is None else np.array(course.salt)
    return Deposited(account, volts, fronts, tops, *seen, tuple(course.frames.kept), salt)


def planned_charges(steps: Sequence[Executed]) -> list[float]:
    """What each step moves if nothing ends it before its time, mAh/cm2; stripping without an end, all that is there.

    >>> plate = ConstantCurrent(current_density_mA_per_cm2=-1, areal_capacity_mAh_per_cm2=3)
    >>> planned_charges([plate, ConstantCurrent(current_density_mA_per_cm2=1, voltage_V=1)])
    [3.0, 3.0]
    """
    held, found = 0.0, []
    for step in steps:
        current = _current(step)
        most = _charge(step, abs(current)) if isinstance(step, ConstantCurrent) else 0.0
        found.append(most if current < 0.0 else min(most, held))
        held += found[-1] if current < 0.0 else -found[-1]
    return found


def _share(course: _Course, planned: Sequence[float]) -> float:
    """Of the protocol's charge, what has passed."""
    if course.n_over == len(planned):
        return 1.0
    whole = sum(planned) or np.inf
    return float((sum(planned[: course.n_over]) + min(course.moved, planned[course.n_over])) / whole)


def _frames(protocol: Protocol) -> Frames:
    steps = [(step, _current(step)) for step in protocol.executed()]
    charged = [(step, current) for step, current in steps if isinstance(step, ConstantCurrent) and current]
    return Frames(first_plated([math.copysign(_charge(step, abs(current)), current) for step, current in charged]))


def _conductivity(electrolyte: Electrolyte, deposition: Deposition) -> float:
    c, T = electrolyte.salt_mol_per_L * MOL_PER_M3_PER_MOL_PER_L, deposition.temperature_C + ZERO_CELSIUS_K
    return float(electrolyte.conductivity_S_per_m(c, T))


def picture(box: Box, step: int) -> Picture:
    """Where the lithium of a box lies now."""
    inner = (slice(1, -1),) * 3
    is_dead = box.state[inner] == surfaces.DEAD
    lithium, packing = box.lithium[inner].astype(np.float32), box.planes[1:-1, surfaces.PACKING].copy()
    return Picture(step, lithium, is_dead, front_um(box), box.heights_um, packing, box.sei[1:-1].copy())


def front_um(box: Box) -> float:
    """Height under which the highest lithium of 95 % of the columns lies, not below the host's own top.

    Nor below the SEI that was left over the host: without its lithium it lies down, packed as in the host's pores.
    """
    begun = np.empty((box.lithium.shape[1] - 2, box.lithium.shape[2] - 2))
    counted.fronts(box.host, box.planes, box.lithium, begun)
    least_um = host_um(box) + float(box.packed_sei[1 + box.ground.n_host :].sum()) * box.ground.voxel_um
    return float(np.percentile(np.maximum(begun * box.ground.voxel_um, least_um), FRONT_PERCENTILE))


def host_um(box: Box) -> float:
    """Height of the host's own top, as it is stretched now."""
    return float(box.heights_um[: box.ground.n_host].sum())


def _current(step: Executed) -> float:
    if isinstance(step, Rest):
        return 0.0
    if isinstance(step, ConstantCurrent):
        return step.signed_mA_per_cm2
    raise InputError(f"kind = '{step.kind}': deposition follows constant currents and rests")


def _advance(course: _Course) -> bool:
    """One small step; whether it was the last one of its step of the protocol."""
    step, row = course.steps[course.n_over], course.row
    if isinstance(step, Rest):
        if course.box.salt is not None:
            course.box.salt.rest(step.duration_s)
        course.note(replace(row, time_s=row.time_s + step.duration_s, volt=0.0))
        return True
    current = _current(step)
    assert isinstance(step, ConstantCurrent)
    assert course.left is not None
    whole = _charge(step, abs(current))
    move, sign = (growth.plate, -1.0) if current < 0.0 else (growth.strip, 1.0)
    moved = move(course.box, abs(current), min(course.left, _most(course.box, abs(current))))
    taken_s = growth.seconds(moved.charge_mAh_per_cm2, abs(current))
    if course.box.salt is not None and not moved.is_over:
        course.box.salt.advance(taken_s)
    course.left -= moved.charge_mAh_per_cm2
    course.moved += moved.charge_mAh_per_cm2
    course.n_small += 1
    course.note(_after(row, moved, sign, taken_s))
    if moved.is_over or (whole < np.inf and course.left <= DONE * whole) or _reached(step, course.row.volt):
        return True
    if course.n_small == MOST_STEPS:
        raise SolverError(
            f"step {row.step + 1} of the protocol is not over after {MOST_STEPS} small steps, {course.row.time_s:g} s"
        )
    return False


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
    n_host = box.ground.n_host
    live, dead = box.counted(counted.live_and_dead, box.lithium, box.state).T * box.mAh_per_cm2_of_a_voxel
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
