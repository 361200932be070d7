"""One step of a protocol, from its beginning to the first of its ends: adaptive, error-controlled, event-aware.

The length of an integration step at which an end is crossed is found by repeating that step, so that a state is always
one that the integrator itself reached.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from interlith.cell.compiled import compiled
from interlith.cell.duties import PASSED, TIME, account, linearize, prepare, rates, solve_stage, terminals, workspace
from interlith.cell.rosenbrock import N_STAGES, A, C, D, predicted_factor, step_factor

DURATION, VOLTAGE, CHARGE, CURRENT, OUT_OF_RANGE = 0, 1, 2, 3, 4
FAILED, FULL = -1, -2
RANGE_V = 5.5  # what a tester gives up at; the widest cut-off that `check` takes is 5 V
SMALLEST_STEP_S = 1e-13
NEGATIVE = 10.0  # an amount may be negative by so many absolute tolerances
ROOT_STEPS, LEAST_PART = 60, 1e-3
MOST_PARTS = 50  # of a step, between rows
VOLTAGE_SLACK_V = 1e-9
CHARGE_SLACK = 1e-12
FREE, AMOUNT, VOLTS = 0, 1, 2


class Tolerance(NamedTuple):
    """How exact a state must be: one relative number, an absolute one for each state, and what sort each state is.

    AMOUNT: cannot be clearly negative. VOLTS: the relative part does not grow beyond that of 1 V. FREE: neither.
    """

    relative: float
    absolute: NDArray[np.float64]
    sort: NDArray[np.int64]


class Memory(NamedTuple):
    """What the integrator itself writes in: float64[n] and [stage, n]; room: distances to the ends."""

    dy: NDArray[np.float64]
    y_new: NDArray[np.float64]
    stages: NDArray[np.float64]
    room: NDArray[np.float64]
    room_new: NDArray[np.float64]


@compiled
def _trial(
    y: NDArray[np.float64], h: float, system: Any, control: NDArray[np.float64], work: Any, memory: Memory
) -> None:
    """One Rosenbrock step of length h from y with a prepared system: y_new, and its error in the last stage."""
    y_new, stages = memory.y_new, memory.stages
    for s in range(N_STAGES):
        stage = stages[s]
        y_new[:] = y
        stage[:] = 0.0
        for j in range(s):
            a, c = A[s, j], C[s, j] / h
            for i in range(len(y)):
                y_new[i] += a * stages[j, i]
                stage[i] += c * stages[j, i]
        rates(y_new, system, control, work, memory.dy)
        for i in range(len(y)):
            stage[i] += memory.dy[i]
        solve_stage(system, h, work, stage)
    for i in range(len(y)):
        y_new[i] += stages[N_STAGES - 1, i]


@compiled
def _room(
    y: NDArray[np.float64],
    system: Any,
    control: NDArray[np.float64],
    ends: NDArray[np.float64],
    room: NDArray[np.float64],
) -> None:
    """How far each end still is, positive before it: voltage, charge, current, range."""
    volt, outside, _ = terminals(y, system, control)
    room[0] = ends[1] * (ends[2] - volt) if ends[1] != 0.0 else 1.0
    room[1] = ends[3] - abs(y[PASSED] - ends[5]) if ends[3] > 0.0 else 1.0
    room[2] = abs(outside) - ends[4] if ends[4] > 0.0 else 1.0
    room[3] = RANGE_V - abs(volt)


@compiled
def _between(
    y: NDArray[np.float64],
    system: Any,
    control: NDArray[np.float64],
    longest_V: float,
    memory: Memory,
    rows: NDArray[np.float64],
    n: int,
) -> int:
    """Rows within a step from y to memory.y_new, so that the voltage moves no further from row to row; rows written."""
    moved_V = abs(terminals(memory.y_new, system, control)[0] - rows[n - 1, 0])
    parts = min(int(moved_V / longest_V) + 1, MOST_PARTS, len(rows) - 1 - n)
    if parts <= 1:
        return 0
    stages, at = memory.stages, memory.dy
    for i in range(len(y)):  # the step is taken: its stages are needed for this alone
        first = second = 0.0
        for j in range(N_STAGES - 1):
            first += D[0, j] * stages[j, i]
            second += D[1, j] * stages[j, i]
        stages[0, i], stages[1, i] = first, second
    for part in range(1, parts):
        s = part / parts
        for i in range(len(y)):
            bent = stages[0, i] + s * stages[1, i]
            at[i] = (1.0 - s) * y[i] + s * (memory.y_new[i] + (1.0 - s) * bent)
        _write(at, system, control, rows[n + part - 1])
    return parts - 1


@compiled
def open_voltage(y: NDArray[np.float64], system: Any) -> float:
    """Voltage without a current, V."""
    return terminals(y, system, np.zeros(4))[0]


@compiled
def advance(
    y: NDArray[np.float64],
    system: Any,
    control: NDArray[np.float64],
    ends: NDArray[np.float64],
    tolerance: Tolerance,
    rows: NDArray[np.float64],
) -> tuple[int, int]:
    """Go on from y, in place, until an end: why it ended, rows written. (Over 60 lines: one loop.)

    system: any kind that serves the duties of duties.py. ends: duration in s, direction of the voltage end (+1 rising,
    -1 falling, 0 none), that voltage, charge in C/m2 (0: none), current in A/m2 that a held voltage falls to (0: none),
    charge passed when the protocol's step began, longest time between rows (0: any), furthest that the voltage moves
    from row to row (0: any).
    rows: float64[n, (voltage, current, account)].
    """
    n, end_time, size = 0, y[TIME] + ends[0], len(y)
    work = workspace(system)
    memory = Memory(np.empty(size), np.empty(size), np.empty((N_STAGES, size)), np.empty(4), np.empty(4))
    room, room_new, y_new = memory.room, memory.room_new, memory.y_new
    _room(y, system, control, ends, room)
    _write(y, system, control, rows[n])
    n += 1
    for k in range(4):
        if room[k] <= 0.0:
            return VOLTAGE + k, n
    h = min(1e-3, max(ends[0], SMALLEST_STEP_S))
    known = False
    h_before = error_before = 0.0
    while True:
        if n >= rows.shape[0] - 1:
            return FULL, n
        left = end_time - y[TIME]
        if left <= 1e-12 * max(abs(end_time), 1.0):
            return DURATION, n
        h = min(h, left)
        if ends[6] > 0.0:
            h = min(h, ends[6])
        if not known:
            rates(y, system, control, work, memory.dy)
            linearize(y, system, control, tolerance.absolute, memory.dy, work)
            known = True
        error = np.inf
        if prepare(system, h, work):
            _trial(y, h, system, control, work, memory)
            error = _error(y, y_new, memory.stages[N_STAGES - 1], tolerance)
        if not error <= 1.0:
            h *= min(step_factor(error), 0.9)
            if h < SMALLEST_STEP_S:
                return FAILED, n
            continue
        _room(y_new, system, control, ends, room_new)
        which = _first(room, room_new)
        if which >= 0:
            which = _locate(y, h, system, control, ends, work, memory)
        if ends[7] > 0.0:
            n += _between(y, system, control, ends[7], memory, rows, n)
        y[:] = y_new
        room[:] = room_new
        known = False
        _write(y, system, control, rows[n])
        n += 1
        if which >= 0:
            return VOLTAGE + which, n
        factor = step_factor(error) if h_before == 0.0 else predicted_factor(error, h, error_before, h_before)
        h_before, error_before = h, error
        h *= factor


@compiled
def _locate(
    y: NDArray[np.float64],
    h: float,
    system: Any,
    control: NDArray[np.float64],
    ends: NDArray[np.float64],
    work: Any,
    memory: Memory,
) -> int:
    """Shorten the step until the first end is reached; which end that is.

    Inverse quadratic interpolation where it is safe, else halving: Chandrupatla, Adv. Eng. Softw. 28, 145 (1997).
    """
    low, high, room, room_new = 0.0, h, memory.room, memory.room_new
    at_low, at_high, at_old = room.copy(), room_new.copy(), room_new.copy()
    which = _first(at_low, at_high)
    reached, part = high, at_low[which] / (at_low[which] - at_high[which])
    for _ in range(ROOT_STEPS):
        slack = VOLTAGE_SLACK_V if which in (0, 3) else CHARGE_SLACK * max(ends[3], ends[4], 1.0)
        reached = low if low > 0.0 and at_low[which] <= slack else high
        if reached == low or at_high[which] >= -slack or high - low <= 1e-14 * h:
            break
        middle = low + min(max(part, LEAST_PART), 1.0 - LEAST_PART) * (high - low)
        if not prepare(system, middle, work):
            break
        _trial(y, middle, system, control, work, memory)
        _room(memory.y_new, system, control, ends, room_new)
        crossed = _first(room, room_new)
        if crossed >= 0:
            which, old, high = crossed, high, middle
            at_old[:] = at_high
            at_high[:] = room_new
            part = 1.0 - _part(high, low, old, at_high[which], at_low[which], at_old[which])
        else:
            old, low = low, middle
            at_old[:] = at_low
            at_low[:] = room_new
            part = _part(low, high, old, at_low[which], at_high[which], at_old[which])
    if prepare(system, reached, work):
        _trial(y, reached, system, control, work, memory)
    _room(memory.y_new, system, control, ends, room_new)
    return which


@compiled
def _part(a: float, b: float, c: float, at_a: float, at_b: float, at_c: float) -> float:
    """Where a zero between a and b is sought next, from a on; c is where a was before."""
    if at_a in (at_b, at_c) or at_b == at_c:
        return 0.5
    x, f = (a - b) / (c - b), (at_a - at_b) / (at_c - at_b)
    if f * f >= x or (1.0 - f) ** 2 >= 1.0 - x:
        return 0.5
    across = at_a / (at_b - at_a) * at_c / (at_b - at_c)
    return across + (c - a) / (b - a) * at_a / (at_c - at_a) * at_b / (at_c - at_b)


@compiled
def _first(before: NDArray[np.float64], after: NDArray[np.float64]) -> int:
    """Which end is crossed, the one crossed earliest on a straight line; -1 for none."""
    which, earliest = -1, 2.0
    for k in range(4):
        if before[k] > 0.0 and after[k] <= 0.0:
            part = before[k] / (before[k] - after[k])
            if part < earliest:
                which, earliest = k, part
    return which


@compiled
def _error(
    y: NDArray[np.float64], y_new: NDArray[np.float64], error: NDArray[np.float64], tolerance: Tolerance
) -> float:
    """Largest error in units of the tolerance; infinite when a state is no number or an amount is clearly negative.

    A step across the end of the lithium leads to potentials of any size, and beside them every error would be small:
    hence VOLTS.
    """
    worst = 0.0
    for i in range(len(y)):
        reach, sort = max(abs(y[i]), abs(y_new[i])), tolerance.sort[i]
        if sort == VOLTS:
            reach = min(reach, 1.0)
        elif sort == AMOUNT and y_new[i] < -NEGATIVE * tolerance.absolute[i] and y_new[i] < y[i]:
            return np.inf
        size = abs(error[i]) / (tolerance.absolute[i] + tolerance.relative * reach)
        if not np.isfinite(size) or not np.isfinite(y_new[i]):
            return np.inf
        worst = max(worst, size)
    return worst


@compiled
def _write(y: NDArray[np.float64], system: Any, control: NDArray[np.float64], row: NDArray[np.float64]) -> None:
    volt, outside, _ = terminals(y, system, control)
    row[0], row[1] = volt, outside
    account(y, system, row[2:])
