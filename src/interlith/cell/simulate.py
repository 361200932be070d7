"""A cell under a protocol: `simulate(cell, protocol)` -> Simulation, with a Record and the Ledger of its lithium."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from interlith.cell.account import COUNTER, DEAD_TOP, FOIL, N_ACCOUNT, N_ROW, PORES, POTENTIAL, TOP
from interlith.cell.advance import (
    CHARGE,
    CURRENT,
    DURATION,
    FAILED,
    FULL,
    OUT_OF_RANGE,
    RANGE_V,
    VOLTAGE,
    advance,
    open_voltage,
)
from interlith.cell.check import LONGEST_S, check
from interlith.cell.compiled import loading
from interlith.cell.duties import HOLD_CURRENT, HOLD_VOLTAGE, PASSED, TIME
from interlith.cell.impedance import parts_ohm_cm2
from interlith.cell.layout import Mesh
from interlith.cell.models import (
    DEFAULT_MODEL,
    DEFAULT_RELATIVE,
    Model,
    default_mesh,
    for_ramp,
    kernel_name,
    model_of,
)
from interlith.cell.results import SCARCE, Rows, Simulation, Spectrum, Step, simulation
from interlith.errors import InputError, SolverError
from interlith.parts.cell import Cell
from interlith.parts.positive import Positive
from interlith.protocol import ConstantCurrent, ConstantVoltage, Executed, Impedance, Protocol, Ramp, Repeat, Rest
from interlith.units import (
    MILLI,
    SECONDS_PER_HOUR,
    A_PER_M2_PER_mA_PER_CM2,
    C_PER_M2_PER_mAh_PER_CM2,
)

MOST_ROWS, MOST_ROWS_OVER_DEPTH = 3_000_000, 300_000  # of one step of the protocol
ROWS_AT_ONCE = 4096
ROW_EVERY_REST_S, ROW_EVERY_V, ROW_EVERY_RAMP_V = 60.0, 0.01, 0.005  # as a tester would record
BY_HAND = "by hand"
HELD = ("ramp", "constant-voltage")
NEAR_END = 0.02  # of the places for lithium at the surface of a particle
FOR_EVER = "no end of the step was reached in 30 years"
WHY = {DURATION: "time", VOLTAGE: "voltage", CHARGE: "charge", CURRENT: "current"}
Tell = Callable[[int], None]


@dataclass
class _Run:
    """A run under way."""

    cell: Cell
    model: Model
    tell: Tell
    pieces: list[NDArray[np.float64]] = field(default_factory=list)
    counts: list[tuple[int, int, int]] = field(default_factory=list)
    ends: list[NDArray[np.float64]] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    spectra: list[Spectrum] = field(default_factory=list)
    cycle: int = 1
    stripped: bool = False
    stopped: str | None = None
    rows: NDArray[np.float64] = field(default_factory=lambda: np.empty((ROWS_AT_ONCE, N_ROW)))


def checked(cell: Cell, protocol: Protocol, nominal_mAh_per_cm2: float | None = None) -> Protocol:
    """The protocol with currents in place of C-rates. Raises InputError for what this cell cannot be put through."""
    resolved = protocol.resolved(_nominal(cell) if nominal_mAh_per_cm2 is None else nominal_mAh_per_cm2)
    check(cell, resolved)
    return resolved


def simulate(
    cell: Cell,
    protocol: Protocol,
    *,
    model: str = "lumped",
    without: Collection[str] = (),
    relative_tolerance: float = DEFAULT_RELATIVE,
    mesh: Mesh | None = None,
    nominal_mAh_per_cm2: float | None = None,
    keep_interrupted: bool = False,
    tell: Tell = lambda n_steps: None,
) -> Simulation:
    """Where the lithium goes when a cell is tested in this way.

    model: "lumped" or "resolved" over depth, in the intervals of `mesh`. without: mechanisms that are switched off
    (cell.translate.SWITCHES). nominal_mAh_per_cm2: what C-rates refer to. tell(n) is called after each step of the
    protocol. keep_interrupted: a KeyboardInterrupt ends the test and keeps the steps that were done, instead of being
    passed on. A cell that dies ends the test and keeps all it had. Raises InputError for what cannot be meant,
    SolverError when the integrator cannot go on.

    >>> from interlith.parts.samples import half_cell
    >>> from interlith.protocol import named
    >>> done = simulate(half_cell("cp"), named("aurbach"))
    >>> done.ledger.residual_mAh_per_cm2 < 1e-6
    True
    """
    kept = kernel_name(cell, model)
    if not 1e-12 <= relative_tolerance <= 1e-2:
        raise InputError(f"relative_tolerance {relative_tolerance:g}: between 1e-12 and 1e-2")
    resolved = checked(cell, protocol, nominal_mAh_per_cm2)
    run = _Run(cell, model_of(cell, model, without, relative_tolerance, mesh), tell)
    with loading(kept):
        _begin(run)
    with _by_hand(run, keep_interrupted):
        _walk(run, resolved.steps)
    has_mesh = kept != DEFAULT_MODEL
    made = f"{kept} model, relative tolerance {relative_tolerance:g}" + (f", {mesh or default_mesh(kept)}" * has_mesh)
    spectra = [spectrum for spectrum in run.spectra if spectrum.step <= len(run.steps)]
    return simulation(cell, resolved, made, run.model, _rows(run), run.ends, spectra, tuple(run.steps), run.stopped)


def _nominal(cell: Cell) -> float | None:
    """What 1C fills where nobody says it: all that the positive electrode gives."""
    return cell.counter.areal_capacity_mAh_per_cm2 if isinstance(cell.counter, Positive) else None


def _begin(run: _Run) -> None:
    """A step of no length, so that code is compiled or loaded before anything is done."""
    advance(run.model.y.copy(), run.model.system, np.zeros(4), np.zeros(8), run.model.tolerance, run.rows)


@contextmanager
def _by_hand(run: _Run, keep: bool) -> Iterator[None]:
    """Ctrl-C ends the test and keeps what it had, where that is wanted and there is something to keep."""
    try:
        yield
    except KeyboardInterrupt:
        if not keep or not run.steps:
            raise
        if run.model.has_depth:
            del run.steps[len(run.ends) :]  # it may have come between two lines
        del run.pieces[len(run.counts) :]
        run.stopped = f"{BY_HAND} after step {len(run.steps)}"


def _rows(run: _Run) -> Rows:
    """All rows in one array, each column in one piece: columns are what is read of it. The pieces are given up."""
    n, number, cycle = (np.array(column) for column in zip(*run.counts, strict=True))
    columns, end = np.empty((N_ROW, n.sum())), 0
    for piece in run.pieces:
        columns[:, end : end + len(piece)] = piece.T
        end += len(piece)
    run.pieces.clear()
    return Rows(columns.T, np.repeat(number, n), np.repeat(cycle, n))


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
        passed = [step.passed_mAh_per_cm2 * run.cell.polarity for step in run.steps[begun:]]
        stripped, plated = sum(p for p in passed if p > 0), -sum(p for p in passed if p < 0)
        low = low + 1 if plated > 0 and stripped / plated < repeat.stop_below_efficiency else 0
        if low >= repeat.stop_after:
            return


def _execute(run: _Run, step: Executed) -> None:
    """One step to its end, its rows kept."""
    control, ends = _orders(run, step)
    y, tolerance, begun = run.model.y, run.model.tolerance, run.model.y[TIME]
    before = y[PASSED]
    if isinstance(step, ConstantCurrent):
        plates = step.signed_mA_per_cm2 * run.cell.polarity < 0
        run.cycle += plates and run.stripped
        run.stripped = not plates
    system = for_ramp(run.model.system) if control[2] != 0.0 else run.model.system
    duration, n_rows = _duration(step, float(run.cell.polarity * control[1])), 0
    code, number = FULL, len(run.steps) + 1
    while code == FULL:
        ends[0] = begun + duration - y[TIME]
        code, n = advance(y, system, control, ends, tolerance, run.rows)
        n_rows += n
        if n_rows > (MOST_ROWS_OVER_DEPTH if run.model.has_depth else MOST_ROWS):
            raise SolverError(
                f"step {number} ({step.kind}): {n_rows} integration steps and {y[TIME] / SECONDS_PER_HOUR:.3g} h done; "
                "are its values meant?"
            )
        if code == FULL:
            run.tell(number)
        run.pieces.append(run.rows[:n].copy())
        run.counts.append((n, number, run.cycle))
    if code == FAILED and not _at_an_end(run):
        raise SolverError(_failure(run, number, step))
    passed = run.cell.polarity * (y[PASSED] - before) / C_PER_M2_PER_mAh_PER_CM2
    why = WHY.get(code, "died")
    if isinstance(step, Impedance) and code == DURATION:
        why = "spectrum"
        run.spectra.append(_spectrum(run, number, step))
    if code == DURATION and isinstance(step, ConstantCurrent) and _by_charge(step):
        why = "charge"
    run.steps.append(Step(number, run.cycle, step.kind, why, float(passed)))
    if run.model.has_depth:
        run.ends.append(y.copy())
    if code == OUT_OF_RANGE:
        run.stopped = _death(run, number, step)
    elif code == FAILED:
        hours = y[TIME] / SECONDS_PER_HOUR
        run.stopped = f"step {number}, {hours:.4g} h: the positive can give or take no more at this current"
    elif code == DURATION and duration >= LONGEST_S:
        run.stopped = f"step {number}: {FOR_EVER}"
    run.tell(number)


def _spectrum(run: _Run, number: int, step: Impedance) -> Spectrum:
    """Impedance of the cell as it is now."""
    frequency_Hz = np.array(step.frequencies_Hz)
    return Spectrum(number, frequency_Hz, parts_ohm_cm2(run.model, frequency_Hz))


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
        return LONGEST_S if step.to_voltage_V != begin_V else 0.0
    if isinstance(step, Impedance):
        return 0.0
    given = step.duration_s if step.duration_s is not None else LONGEST_S
    if isinstance(step, ConstantCurrent) and step.areal_capacity_mAh_per_cm2 is not None:
        return min(given, _charge_time(step))
    return given


def _orders(run: _Run, step: Executed) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What the kernel holds, and at what it ends: current and voltage as they are at the working electrode."""
    control, ends, sign = np.zeros(4), np.zeros(8), run.cell.polarity
    ends[5] = run.model.y[PASSED]
    if isinstance(step, Rest):
        control[0], ends[6] = HOLD_CURRENT, ROW_EVERY_REST_S
    elif isinstance(step, Impedance):
        control[0] = HOLD_CURRENT
    elif isinstance(step, ConstantCurrent):
        current = sign * step.signed_mA_per_cm2
        ends[7] = ROW_EVERY_V if sign < 0 else 0.0  # the curve of a positive bends; that of lithium is flat
        control[:2] = HOLD_CURRENT, current * A_PER_M2_PER_mA_PER_CM2
        if step.voltage_V is not None:
            ends[1:3] = np.sign(current), sign * step.voltage_V
    elif isinstance(step, ConstantVoltage):
        control[:2] = HOLD_VOLTAGE, sign * step.voltage_V
        if step.areal_capacity_mAh_per_cm2 is not None:
            ends[3] = step.areal_capacity_mAh_per_cm2 * C_PER_M2_PER_mAh_PER_CM2
        if step.current_density_mA_per_cm2 is not None:
            ends[4] = step.current_density_mA_per_cm2 * A_PER_M2_PER_mA_PER_CM2
    else:
        begin, goal = _voltage(run), sign * step.to_voltage_V
        if step.from_voltage_V is not None:
            begin = sign * step.from_voltage_V
        slope = np.sign(goal - begin) * step.rate_mV_per_s * MILLI
        control[:] = HOLD_VOLTAGE, begin, slope, run.model.y[TIME]
        ends[1:3] = np.sign(slope), goal
        ends[6] = ROW_EVERY_RAMP_V / (step.rate_mV_per_s * MILLI)
    return control, ends


def _voltage(run: _Run) -> float:
    """Where the cell is, of the working electrode against the counter: what was held last, else without a current."""
    if run.steps and run.steps[-1].kind in HELD:
        return float(run.pieces[-1][-1][0])
    return float(open_voltage(run.model.y, run.model.system))


def _at_an_end(run: _Run) -> bool:
    """Whether the surface of the positive's particles is empty or full, where no current has a voltage any more."""
    share = run.model.surface_share()
    return share is not None and not NEAR_END < share < 1.0 - NEAR_END


def _failure(run: _Run, number: int, step: Executed) -> str:
    hours, y = run.model.y[TIME] / SECONDS_PER_HOUR, run.model.y
    state = ", ".join(f"{value:.6g}" for value in (y if len(y) <= N_ACCOUNT else run.pieces[-1][-1][2:]))
    return f"step {number} ({step.kind}), {hours:.6g} h: no step length meets the tolerance; state [{state}]"


def _death(run: _Run, number: int, step: Executed) -> str:
    """Why the voltage left every window, as far as the state tells."""
    hours, row = run.model.y[TIME] / SECONDS_PER_HOUR, run.pieces[-1][-1]
    held, parts = row[2:], run.model.system
    working, counter = (sum(held[o + k] for k in (PORES, TOP, FOIL)) / C_PER_M2_PER_mAh_PER_CM2 for o in (0, COUNTER))
    current = run.cell.polarity * (getattr(step, "current_density_mA_per_cm2", None) or 0.0)
    lost = abs(row[0] - (held[POTENTIAL] - held[COUNTER + POTENTIAL]))  # not at the surfaces of the electrodes
    dead = parts.working.dead_per_limit > 0 and max(held[DEAD_TOP], held[COUNTER + DEAD_TOP]) > 0
    if run.model.least_salt_share() < SCARCE:
        reason = "the salt at one electrode is used up: the electrolyte carries no such current"
    elif current < 0 and counter < 0.01:
        reason = "the lithium of the counter electrode is used up"
    elif current > 0 and working < 0.01:
        reason = "the working electrode has no lithium left, and the step no voltage at which to stop"
    elif lost > RANGE_V / 2:
        reason = "electrolyte and contact take it" if not dead else "the dead layer lets no such current through"
    else:
        reason = "no reaction carries the current"
    return f"step {number}, {hours:.4g} h: the voltage left +-{RANGE_V:g} V; {reason}"
