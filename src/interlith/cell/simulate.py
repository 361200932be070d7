"""A cell under a protocol: `simulate(cell, protocol)` -> Simulation, with a Record and the Ledger of its lithium."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from interlith import __version__
from interlith.cell import lumped
from interlith.cell.advance import (
    CHARGE,
    CURRENT,
    DURATION,
    FAILED,
    FULL,
    N_ROW,
    OUT_OF_RANGE,
    RANGE_V,
    VOLTAGE,
    advance,
)
from interlith.cell.check import check
from interlith.cell.lumped import HOLD_CURRENT, HOLD_VOLTAGE
from interlith.cell.swelling import thickness_um
from interlith.cell.translate import active_states, initial, kernel, tolerances
from interlith.errors import InputError, SolverError
from interlith.ledger import CYCLE, STEP, TIME, WORKING, Ledger
from interlith.parts.cell import Cell, Foil
from interlith.protocol import ConstantCurrent, ConstantVoltage, Executed, Protocol, Ramp, Repeat, Rest
from interlith.record import CURRENT as CURRENT_COLUMN
from interlith.record import VOLTAGE as VOLTAGE_COLUMN
from interlith.record import CellFacts, Fact, Provenance, Record
from interlith.units import (
    MILLI,
    SECONDS_PER_HOUR,
    A_PER_M2_PER_mA_PER_CM2,
    C_PER_M2_PER_mAh_PER_CM2,
)

MODELS = ("lumped",)
MOST_ROWS = 3_000_000
MOST_S = 1e9  # a step without an end in time goes on no longer than this, about 30 years
ROWS_AT_ONCE = 4096
ROW_EVERY_REST_S, ROW_EVERY_RAMP_V = 60.0, 0.005  # as a tester would record
FOR_EVER = "no end of the step was reached in 30 years"
WHY = {DURATION: "time", VOLTAGE: "voltage", CHARGE: "charge", CURRENT: "current"}
Tell = Callable[[int], None]


@dataclass(frozen=True)
class Step:
    """One executed step: its number from 1, its cycle, what it was, why it ended, charge passed in mAh/cm2."""

    number: int
    cycle: int
    kind: str
    ended_by: str
    passed_mAh_per_cm2: float


@dataclass(frozen=True)
class Simulation:
    """What a simulated test leaves behind. `stopped`: why the cell ended before its protocol did, or None.

    thickness_um is a column of `states` next to the electrodes' potentials, one row per row of the record.
    """

    record: Record
    ledger: Ledger
    states: pl.DataFrame
    steps: tuple[Step, ...]
    stopped: str | None
    cell: Cell
    protocol: Protocol


@dataclass
class _Run:
    """A run under way."""

    cell: Cell
    y: NDArray[np.float64]
    parts: tuple[lumped.Electrode, lumped.Electrode, lumped.Circuit]
    tolerance: NDArray[np.float64]
    tell: Tell
    pieces: list[NDArray[np.float64]] = field(default_factory=list)
    counts: list[tuple[int, int, int]] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    cycle: int = 1
    stripped: bool = False
    stopped: str | None = None
    rows: NDArray[np.float64] = field(default_factory=lambda: np.empty((ROWS_AT_ONCE, N_ROW)))


def simulate(
    cell: Cell,
    protocol: Protocol,
    *,
    model: str = "lumped",
    without: Collection[str] = (),
    relative_tolerance: float = 1e-4,
    nominal_mAh_per_cm2: float | None = None,
    tell: Tell = lambda n_steps: None,
) -> Simulation:
    """Where the lithium goes when a cell is tested in this way.

    without: mechanisms that are switched off (cell.translate.SWITCHES). nominal_mAh_per_cm2: what C-rates refer to.
    tell(n) is called after each step of the protocol. A cell that dies ends the test and keeps all it had. Raises
    InputError for what cannot be meant, SolverError when the integrator cannot go on.

    >>> from interlith.parts.samples import half_cell
    >>> from interlith.protocol import named
    >>> done = simulate(half_cell("cp"), named("aurbach"))
    >>> done.ledger.residual_mAh_per_cm2 < 1e-6
    True
    """
    if model not in MODELS:
        raise InputError(f"model {model}: not one of {', '.join(MODELS)}")
    if not 1e-12 <= relative_tolerance <= 1e-2:
        raise InputError(f"relative_tolerance {relative_tolerance:g}: between 1e-12 and 1e-2")
    resolved = protocol.resolved(nominal_mAh_per_cm2)
    check(cell, resolved)
    run = _Run(cell, initial(cell), kernel(cell, without), tolerances(relative_tolerance), tell)
    _walk(run, resolved.steps)
    return _simulation(run, resolved, model)


def _walk(run: _Run, steps: tuple[Any, ...]) -> None:
    for step in steps:
        if run.stopped is not None:
            return
        if isinstance(step, Repeat):
            _repeat(run, step)
        else:
            _execute(run, step)


def _repeat(run: _Run, repeat: Repeat) -> None:
    low = 0
    for _ in range(repeat.times):
        begun = len(run.steps)
        _walk(run, repeat.steps)
        if run.stopped is not None:
            return
        if repeat.stop_below_efficiency is None:
            continue
        passed = [step.passed_mAh_per_cm2 for step in run.steps[begun:]]
        stripped, plated = sum(p for p in passed if p > 0), -sum(p for p in passed if p < 0)
        low = low + 1 if plated > 0 and stripped / plated < repeat.stop_below_efficiency else 0
        if low >= repeat.stop_after:
            return


def _execute(run: _Run, step: Executed) -> None:
    """One step to its end, its rows kept."""
    control, ends = _orders(run, step)
    before = run.y[lumped.PASSED]
    if isinstance(step, ConstantCurrent):
        plates = step.signed_mA_per_cm2 < 0
        run.cycle += plates and run.stripped
        run.stripped = not plates
    active = active_states(*run.parts, ramp=bool(control[2] != 0.0))
    duration, n_rows = _duration(step, float(control[1])), 0
    code, number, begun = FULL, len(run.steps) + 1, run.y[lumped.TIME]
    while code == FULL:
        ends[0] = begun + duration - run.y[lumped.TIME]
        code, n = advance(run.y, *run.parts, control, ends, active, run.tolerance, run.rows)
        n_rows += n
        if n_rows > MOST_ROWS:
            raise SolverError(
                f"step {number} ({step.kind}): more than {MOST_ROWS} integration steps; are its values meant?"
            )
        if code == FULL:
            run.tell(number)
        run.pieces.append(run.rows[:n].copy())
        run.counts.append((n, number, run.cycle))
    if code == FAILED:
        raise SolverError(_failure(run, number, step))
    passed = (run.y[lumped.PASSED] - before) / C_PER_M2_PER_mAh_PER_CM2
    why = WHY.get(code, "died")
    if code == DURATION and isinstance(step, ConstantCurrent) and _by_charge(step):
        why = "charge"
    run.steps.append(Step(number, run.cycle, step.kind, why, float(passed)))
    if code == OUT_OF_RANGE:
        run.stopped = _death(run, number, step)
    elif code == DURATION and duration >= MOST_S:
        run.stopped = f"step {number}: {FOR_EVER}"
    run.tell(number)


def _by_charge(step: ConstantCurrent) -> bool:
    """Whether the charge of a step is reached before its time is over."""
    if step.areal_capacity_mAh_per_cm2 is None:
        return False
    return step.duration_s is None or _charge_time(step) <= step.duration_s


def _charge_time(step: ConstantCurrent) -> float:
    return (step.areal_capacity_mAh_per_cm2 or 0.0) / abs(step.signed_mA_per_cm2) * SECONDS_PER_HOUR


def _duration(step: Executed, begin_V: float) -> float:
    """Seconds after which a step ends at the latest; a ramp to where it begins takes none."""
    if isinstance(step, Ramp):
        return MOST_S if step.to_voltage_V != begin_V else 0.0
    given = step.duration_s if step.duration_s is not None else MOST_S
    if isinstance(step, ConstantCurrent) and step.areal_capacity_mAh_per_cm2 is not None:
        return min(given, _charge_time(step))
    return given


def _orders(run: _Run, step: Executed) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What the kernel holds, and at what it ends."""
    control, ends = np.zeros(4), np.zeros(7)
    ends[5] = run.y[lumped.PASSED]
    if isinstance(step, Rest):
        control[0], ends[6] = HOLD_CURRENT, ROW_EVERY_REST_S
    elif isinstance(step, ConstantCurrent):
        current = step.signed_mA_per_cm2
        control[:2] = HOLD_CURRENT, current * A_PER_M2_PER_mA_PER_CM2
        if step.voltage_V is not None:
            ends[1:3] = np.sign(current), step.voltage_V
    elif isinstance(step, ConstantVoltage):
        control[:2] = HOLD_VOLTAGE, step.voltage_V
        if step.areal_capacity_mAh_per_cm2 is not None:
            ends[3] = step.areal_capacity_mAh_per_cm2 * C_PER_M2_PER_mAh_PER_CM2
        if step.current_density_mA_per_cm2 is not None:
            ends[4] = step.current_density_mA_per_cm2 * A_PER_M2_PER_mA_PER_CM2
    else:
        begin = step.from_voltage_V if step.from_voltage_V is not None else _voltage(run)
        slope = np.sign(step.to_voltage_V - begin) * step.rate_mV_per_s * MILLI
        control[:] = HOLD_VOLTAGE, begin, slope, run.y[lumped.TIME]
        ends[1:3] = np.sign(slope), step.to_voltage_V
        ends[6] = ROW_EVERY_RAMP_V / (step.rate_mV_per_s * MILLI)
    return control, ends


def _voltage(run: _Run) -> float:
    """The cell's open-circuit voltage now."""
    return float(lumped.terminals(run.y, *run.parts, np.zeros(4))[0])


def _failure(run: _Run, number: int, step: Executed) -> str:
    hours = run.y[lumped.TIME] / SECONDS_PER_HOUR
    state = ", ".join(f"{value:.6g}" for value in run.y)
    return f"step {number} ({step.kind}), {hours:.6g} h: no step length meets the tolerance; state [{state}]"


def _death(run: _Run, number: int, step: Executed) -> str:
    """Why the voltage left every window, as far as the state tells."""
    y, hours = run.y, run.y[lumped.TIME] / SECONDS_PER_HOUR
    o = lumped.COUNTER
    counter = (y[o + lumped.FOIL] + y[o + lumped.TOP] + y[o + lumped.PORES]) / C_PER_M2_PER_mAh_PER_CM2
    working = (y[lumped.FOIL] + y[lumped.TOP] + y[lumped.PORES]) / C_PER_M2_PER_mAh_PER_CM2
    current = getattr(step, "current_density_mA_per_cm2", None) or 0.0
    if current < 0 and counter < 0.01:
        reason = "the lithium of the counter electrode is used up"
    elif current > 0 and working < 0.01:
        reason = "the working electrode has no lithium left, and the step no voltage at which to stop"
    elif run.parts[0].dead_per_limit > 0 and max(y[lumped.DEAD_TOP], y[o + lumped.DEAD_TOP]) > 0:
        reason = "the dead layer lets no such current through"
    else:
        reason = "no reaction carries the current"
    return f"step {number}, {hours:.4g} h: the voltage left +-{RANGE_V:g} V; {reason}"


def _simulation(run: _Run, protocol: Protocol, model: str) -> Simulation:
    rows = np.concatenate(run.pieces) if len(run.pieces) != 1 else run.pieces[0]
    run.pieces.clear()
    n, number, cycle = (np.array(column) for column in zip(*run.counts, strict=True))
    index = {STEP: np.repeat(number, n), CYCLE: np.repeat(cycle, n)}
    record = _record(run, protocol, model, rows, index)
    return Simulation(
        record=record,
        ledger=Ledger(pl.DataFrame({TIME: rows[:, 2 + lumped.TIME], **index, **_entries(run, rows[:, 2:])})),
        states=_states(run, rows),
        steps=tuple(run.steps),
        stopped=run.stopped,
        cell=run.cell,
        protocol=protocol,
    )


def _record(
    run: _Run, protocol: Protocol, model: str, rows: NDArray[np.float64], index: dict[str, NDArray[np.int64]]
) -> Record:
    """As a tester would have written it: amperes of the real area, one row per step of the integrator."""
    inputs = f"{run.cell.model_dump_json()} {protocol.model_dump_json()} {model} {run.parts}"
    name = f"simulated {_label(run.cell)}, {protocol.name}"
    amperes = rows[:, 1] / A_PER_M2_PER_mA_PER_CM2 * MILLI * run.cell.area_cm2
    growth = np.diff(rows[:, 2 + lumped.PASSED], prepend=rows[0, 2 + lumped.PASSED])
    growth *= run.cell.area_cm2 / C_PER_M2_PER_mAh_PER_CM2 * MILLI
    table = pl.DataFrame(
        {
            TIME: rows[:, 2 + lumped.TIME],
            VOLTAGE_COLUMN: rows[:, 0],
            CURRENT_COLUMN: amperes,
            **index,
            "charging_capacity_ah": np.cumsum(np.maximum(growth, 0.0)),
            "discharging_capacity_ah": np.cumsum(np.maximum(-growth, 0.0)),
        }
    )
    facts = CellFacts(
        area_cm2=Fact(run.cell.area_cm2, "stated", "the simulated cell"),
        working_electrode=Fact("host", "stated", "the simulated cell"),
        plating_sign=Fact(-1, "stated", "the simulated cell"),
    )
    provenance = Provenance(
        path=name,
        sha256=hashlib.sha256(inputs.encode()).hexdigest(),
        format="simulated",
        reader=f"interlith {__version__}",
        instrument=f"interlith, {model} model: simulated, not measured",
        n_rows_in_file=table.height,
    )
    return Record(table=table, provenance=provenance, facts=facts)


def _label(cell: Cell) -> str:
    working = cell.working
    if isinstance(working, Foil):
        return working.interlayer.name if working.interlayer else working.name
    return working.name


def _entries(run: _Run, y: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """The account of every row in mAh/cm2 of the working electrode, and by how much it does not close."""
    working, counter, circuit = run.parts
    ratio, o = circuit.counter_per_working, lumped.COUNTER
    own, other = y[:, : lumped.POTENTIAL], y[:, o : o + lumped.POTENTIAL] * ratio  # what stands before it is lithium
    moved = y - y[0]
    working_layer = -working.double_layer_F_per_m2 * moved[:, lumped.POTENTIAL]
    counter_layer = -counter.double_layer_F_per_m2 * moved[:, o + lumped.POTENTIAL] * ratio
    inside = moved[:, lumped.PASSED] - moved[:, lumped.SHORTED]
    against_charge = (own - own[0]).sum(axis=1) + working_layer + inside
    against_counter = (own - own[0]).sum(axis=1) + (other - other[0]).sum(axis=1) + working_layer + counter_layer
    worse = np.where(np.abs(against_charge) > np.abs(against_counter), against_charge, against_counter)
    metal = [lumped.PORES, lumped.TOP, lumped.FOIL]
    dead, rest = [lumped.DEAD_PORES, lumped.DEAD_TOP], [lumped.SEI, lumped.CONVERTED, lumped.ALLOYED]
    found = {name: own[:, k] for k, name in enumerate(WORKING)}
    found |= {
        "counter_active": other[:, metal].sum(axis=1),
        "counter_dead": other[:, dead].sum(axis=1),
        "counter_other": other[:, rest].sum(axis=1),
        "double_layer": working_layer + counter_layer,
        "revived": y[:, lumped.REVIVED] + y[:, o + lumped.REVIVED] * ratio,
        "electrolyte_consumed": own[:, lumped.SEI] + other[:, lumped.SEI],
        "shorted": moved[:, lumped.SHORTED],
        "short_carried": moved[:, lumped.CARRIED],
        "passed": moved[:, lumped.PASSED],
        "residual": worse,
    }
    return {name: values / C_PER_M2_PER_mAh_PER_CM2 for name, values in found.items()}


def _states(run: _Run, rows: NDArray[np.float64]) -> pl.DataFrame:
    """What is neither record nor ledger: potentials of both electrodes, thickness of the host with its lithium."""
    y = rows[:, 2:]
    own = y[:, : lumped.DEAD_TOP + 1] / C_PER_M2_PER_mAh_PER_CM2
    pores = own[:, lumped.PORES] + own[:, lumped.DEAD_PORES]
    top = own[:, lumped.TOP] + own[:, lumped.DEAD_TOP]
    columns = {
        TIME: y[:, lumped.TIME],
        "working_potential_volt": y[:, lumped.POTENTIAL],
        "counter_potential_volt": y[:, lumped.COUNTER + lumped.POTENTIAL],
        **{f"thickness_um.{name}": values for name, values in thickness_um(run.cell.working, pores, top).items()},
    }
    return pl.DataFrame(columns)
