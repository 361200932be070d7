"""One step of a protocol, from its beginning to the first of its ends: adaptive, error-controlled, event-aware.

The length of an integration step at which an end is crossed is found by repeating that step, so that a state is always
one that the integrator itself reached.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from interlith.cell.compiled import compiled
from interlith.cell.lumped import (
    COUNTER,
    HOLD_CURRENT,
    N_STATES,
    PASSED,
    POTENTIAL,
    SEI,
    TIME,
    Circuit,
    Electrode,
    electrode_rates,
    rates,
    sei_factor,
    terminals,
)
from interlith.cell.rosenbrock import GAMMA, N_STAGES, A, C, factorize, solve, step_factor

DURATION, VOLTAGE, CHARGE, CURRENT, OUT_OF_RANGE = 0, 1, 2, 3, 4
FAILED, FULL = -1, -2
RANGE_V = 5.5  # what a tester gives up at; the widest cut-off that `check` takes is 5 V
DIFFERENCE = 1e-7
SMALLEST_STEP_S = 1e-13
NEGATIVE = 10.0  # an amount may be negative by so many absolute tolerances
ROOT_STEPS = 60
VOLTAGE_SLACK_V = 1e-9
CHARGE_SLACK = 1e-12
N_ROW = N_STATES + 2


@compiled
def _jacobian(
    y: NDArray[np.float64],
    dy: NDArray[np.float64],
    w: Electrode,
    c: Electrode,
    circuit: Circuit,
    control: NDArray[np.float64],
    active: NDArray[np.int64],
    scale: NDArray[np.float64],
    work: NDArray[np.float64],
    jacobian: NDArray[np.float64],
) -> None:
    """Forward differences, for the active states only: all other columns are zero.

    At a constant current without a short the electrodes know each other by the additive alone: one is evaluated then.
    """
    apart = control[0] == HOLD_CURRENT and circuit.short_S_per_m2 == 0.0
    factor = sei_factor(y, circuit)
    jacobian[:, :] = 0.0
    for k in active:
        kept = y[k]
        y[k] = kept + DIFFERENCE * max(abs(kept), scale[k])
        size = y[k] - kept
        first, last = 0, N_STATES
        if apart and k < PASSED and k not in (SEI, COUNTER + SEI):
            first = 0 if k < COUNTER else COUNTER
            last = first + COUNTER
            inside = control[1] if first == 0 else -control[1] / circuit.counter_per_working
            electrode_rates(y, first, w if first == 0 else c, circuit.f_per_V, inside, factor, work)
        else:
            rates(y, w, c, circuit, control, work)
        y[k] = kept
        for i in range(first, last):
            jacobian[i, k] = (work[i] - dy[i]) / size


@compiled
def _trial(
    y: NDArray[np.float64],
    h: float,
    w: Electrode,
    c: Electrode,
    circuit: Circuit,
    control: NDArray[np.float64],
    active: NDArray[np.int64],
    jacobian: NDArray[np.float64],
    matrix: NDArray[np.float64],
    pivots: NDArray[np.int64],
    stages: NDArray[np.float64],
    y_new: NDArray[np.float64],
    dy: NDArray[np.float64],
) -> None:
    """One Rosenbrock step of length h from y with a factorized matrix: y_new, and its error in the last stage.

    Only the active states are coupled; the others follow from them, since their columns of the Jacobian are zero.
    """
    right, total = np.empty(len(active)), np.empty(N_STATES)
    for s in range(N_STAGES):
        y_new[:] = y
        total[:] = 0.0
        for j in range(s):
            for i in range(N_STATES):
                y_new[i] += A[s, j] * stages[j, i]
                total[i] += C[s, j] * stages[j, i]
        rates(y_new, w, c, circuit, control, dy)
        for i in range(N_STATES):
            total[i] = dy[i] + total[i] / h
        for m in range(len(active)):
            right[m] = total[active[m]]
        solve(matrix, pivots, right)
        for i in range(N_STATES):
            coupled = total[i]
            for m in range(len(active)):
                coupled += jacobian[i, active[m]] * right[m]
            stages[s, i] = coupled * h * GAMMA
    for i in range(N_STATES):
        y_new[i] += stages[N_STAGES - 1, i]


@compiled
def _prepare(
    jacobian: NDArray[np.float64],
    h: float,
    active: NDArray[np.int64],
    matrix: NDArray[np.float64],
    pivots: NDArray[np.int64],
) -> bool:
    for i in range(len(active)):
        for j in range(len(active)):
            matrix[i, j] = -jacobian[active[i], active[j]]
        matrix[i, i] += 1.0 / (h * GAMMA)
    return factorize(matrix, pivots)


@compiled
def _room(
    y: NDArray[np.float64],
    begun: float,
    w: Electrode,
    c: Electrode,
    circuit: Circuit,
    control: NDArray[np.float64],
    ends: NDArray[np.float64],
    room: NDArray[np.float64],
) -> None:
    """How far each end still is, positive before it: voltage, charge, current, range."""
    volt, outside, _ = terminals(y, w, c, circuit, control)
    room[0] = ends[1] * (ends[2] - volt) if ends[1] != 0.0 else 1.0
    room[1] = ends[3] - abs(y[PASSED] - begun) if ends[3] > 0.0 else 1.0
    room[2] = abs(outside) - ends[4] if ends[4] > 0.0 else 1.0
    room[3] = RANGE_V - abs(volt)


@compiled
def advance(
    y: NDArray[np.float64],
    w: Electrode,
    c: Electrode,
    circuit: Circuit,
    control: NDArray[np.float64],
    ends: NDArray[np.float64],
    active: NDArray[np.int64],
    tolerance: NDArray[np.float64],
    rows: NDArray[np.float64],
) -> tuple[int, int]:
    """Go on from y, in place, until an end: why it ended, rows written. (Over 60 lines: one loop.)

    ends: duration in s, direction of the voltage end (+1 rising, -1 falling, 0 none), that voltage, charge in C/m2 (0:
    none), current in A/m2 that a held voltage falls to (0: none), charge passed when the protocol's step began,
    longest time between rows (0: any).
    active: the states that anything depends on. tolerance: relative, then the absolute one of each state, which is
    also its scale. rows: float64[n, (voltage, current, states)].
    """
    n, begun, end_time = 0, ends[5], y[TIME] + ends[0]
    dy, work, y_new = np.empty(N_STATES), np.empty(N_STATES), np.empty(N_STATES)
    jacobian, matrix = np.empty((N_STATES, N_STATES)), np.empty((len(active), len(active)))
    pivots, stages = np.empty(len(active), np.int64), np.empty((N_STAGES, N_STATES))
    room, room_new = np.empty(4), np.empty(4)
    scale = tolerance[1:]
    _room(y, begun, w, c, circuit, control, ends, room)
    _write(y, w, c, circuit, control, rows, n)
    n += 1
    for k in range(4):
        if room[k] <= 0.0:
            return VOLTAGE + k, n
    h = min(1e-3, max(ends[0], SMALLEST_STEP_S))
    known = False
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
            rates(y, w, c, circuit, control, dy)
            _jacobian(y, dy, w, c, circuit, control, active, scale, work, jacobian)
            known = True
        error = np.inf
        if _prepare(jacobian, h, active, matrix, pivots):
            _trial(y, h, w, c, circuit, control, active, jacobian, matrix, pivots, stages, y_new, dy)
            error = _error(y, y_new, stages[N_STAGES - 1], tolerance)
        if not error <= 1.0:
            h *= min(step_factor(error), 0.9)
            if h < SMALLEST_STEP_S:
                return FAILED, n
            continue
        _room(y_new, begun, w, c, circuit, control, ends, room_new)
        which = _first(room, room_new)
        if which >= 0:
            which = _locate(
                y, h, w, c, circuit, control, ends, active, jacobian, matrix, pivots, stages, y_new, dy, room, room_new
            )
        y[:] = y_new
        room[:] = room_new
        known = False
        _write(y, w, c, circuit, control, rows, n)
        n += 1
        if which >= 0:
            return VOLTAGE + which, n
        h *= step_factor(error)


@compiled
def _locate(
    y: NDArray[np.float64],
    h: float,
    w: Electrode,
    c: Electrode,
    circuit: Circuit,
    control: NDArray[np.float64],
    ends: NDArray[np.float64],
    active: NDArray[np.int64],
    jacobian: NDArray[np.float64],
    matrix: NDArray[np.float64],
    pivots: NDArray[np.int64],
    stages: NDArray[np.float64],
    y_new: NDArray[np.float64],
    dy: NDArray[np.float64],
    room: NDArray[np.float64],
    room_new: NDArray[np.float64],
) -> int:
    """Shorten the step until the first end is just reached (false position, Illinois); which end that is."""
    low, high = 0.0, h
    at_low, at_high = room.copy(), room_new.copy()
    which = _first(at_low, at_high)
    side = 0
    for _ in range(ROOT_STEPS):
        slack = VOLTAGE_SLACK_V if which in (0, 3) else CHARGE_SLACK * max(ends[3], ends[4], 1.0)
        if -slack <= at_high[which] or high - low <= 1e-14 * h:
            break
        part = at_low[which] / (at_low[which] - at_high[which])
        middle = low + min(max(part, 0.01), 0.99) * (high - low)
        if not _prepare(jacobian, middle, active, matrix, pivots):
            break
        _trial(y, middle, w, c, circuit, control, active, jacobian, matrix, pivots, stages, y_new, dy)
        _room(y_new, ends[5], w, c, circuit, control, ends, room_new)
        crossed = _first(room, room_new)
        if crossed >= 0:
            high, which = middle, crossed
            at_high[:] = room_new
            if side == 1:
                at_low[:] *= 0.5
            side = 1
        else:
            low = middle
            at_low[:] = room_new
            if side == -1:
                at_high[:] *= 0.5
            side = -1
    if _prepare(jacobian, high, active, matrix, pivots):
        _trial(y, high, w, c, circuit, control, active, jacobian, matrix, pivots, stages, y_new, dy)
    _room(y_new, ends[5], w, c, circuit, control, ends, room_new)
    return which


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
    y: NDArray[np.float64], y_new: NDArray[np.float64], error: NDArray[np.float64], tolerance: NDArray[np.float64]
) -> float:
    """Largest error in units of the tolerance; infinite when a state is no number or an amount is clearly negative.

    A potential's tolerance does not grow beyond that of 1 V: a step across the end of the lithium leads to potentials
    of any size, and beside them every error would be small.
    """
    worst = 0.0
    for i in range(N_STATES):
        reach = max(abs(y[i]), abs(y_new[i]))
        if i in (POTENTIAL, COUNTER + POTENTIAL):
            reach = min(reach, 1.0)
        elif i < PASSED and y_new[i] < -NEGATIVE * tolerance[1 + i] and y_new[i] < y[i]:
            return np.inf
        size = abs(error[i]) / (tolerance[1 + i] + tolerance[0] * reach)
        if not np.isfinite(size) or not np.isfinite(y_new[i]):
            return np.inf
        worst = max(worst, size)
    return worst


@compiled
def _write(
    y: NDArray[np.float64],
    w: Electrode,
    c: Electrode,
    circuit: Circuit,
    control: NDArray[np.float64],
    rows: NDArray[np.float64],
    n: int,
) -> None:
    volt, outside, _ = terminals(y, w, c, circuit, control)
    rows[n, 0], rows[n, 1] = volt, outside
    rows[n, 2:] = y
