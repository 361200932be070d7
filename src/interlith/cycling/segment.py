"""Steps and half cycles, from the sign of the current and from step changes, never from the vendor's counters.

Charge is the trapezoid integral over measured intervals: each row carries half of the intervals beside it, unless an
interval is a gap. The same weights make every average time-weighted.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from interlith.cycling.clean import RESTARTED
from interlith.cycling.thresholds import Thresholds
from interlith.record import CURRENT, FREQUENCY, TIME, VOLTAGE, Flag, Record
from interlith.units import SECONDS_PER_HOUR, mAh_PER_Ah

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
STEP_LEVEL_CHANGE = 0.2  # without a step counter: a jump of the current by this fraction begins a new step
VOUCHED = 0.1  # the tester's own counter confirms an interval within this fraction
STEADY_VOLTAGE_V, SAME_LIMIT, FAR_FROM_MEAN_V, STEEP = 0.003, 0.01, 0.05, 4.0
WHOLE_CHARGE = 0.98
ASSUMED_CURRENT = ("current_from_settings", "current_stated")
COUNTERS = ("charging_capacity_ah", "discharging_capacity_ah")


@dataclass(frozen=True)
class Trace:
    """The time series as arrays, all of one length (rows), with the weights of every integral.

    sign: -1, 0 (rest), 1. step: number of the step from 0. weight_s: seconds each row stands for.
    gap: True where the interval before the row was not measured.
    """

    time_s: Floats
    voltage_V: Floats
    current_A: Floats
    sign: NDArray[np.int8]
    step: Ints
    weight_s: Floats
    gap: NDArray[np.bool_]

    @cached_property
    def step_starts(self) -> Ints:
        """First row of each step."""
        return np.flatnonzero(np.diff(self.step, prepend=-1)).astype(np.int64)

    def part(self, first: int, last: int) -> Trace:
        """Rows first to last, both included."""
        rows = slice(first, last + 1)
        names = ("time_s", "voltage_V", "current_A", "sign", "step", "weight_s", "gap")
        return Trace(*[getattr(self, name)[rows] for name in names])

    def flowing(self) -> Trace:
        """Only the rows with a current."""
        on = self.sign != 0
        names = ("time_s", "voltage_V", "current_A", "sign", "step", "weight_s", "gap")
        return Trace(*[getattr(self, name)[on] for name in names])


def trace(record: Record, thresholds: Thresholds) -> Trace:
    """The arrays of a record's time series, with signs, steps, gaps and weights."""
    table = record.series()
    time, voltage, current = (table[c].to_numpy().astype(float, copy=False) for c in (TIME, VOLTAGE, CURRENT))
    sign = signs(current, thresholds.rest_fraction)
    step = np.cumsum(_step_changes(table, current, sign)).astype(np.int64)
    gap = gaps(table, time, current, step, thresholds)
    weight = weights(time, gap | _between_assumed_steps(record, step))
    if "step_count" in table.columns:
        weight = _from_step_start(weight, time, sign, table["step_count"].fill_null(-1).to_numpy())
    return Trace(time, voltage, current, sign, step, weight, gap)


def signs(current: Floats, rest_fraction: float) -> NDArray[np.int8]:
    """-1, 0 or 1 for each row; 0 below `rest_fraction` of the largest current."""
    limit = rest_fraction * float(np.max(np.abs(current), initial=0.0))
    return np.where(current > limit, 1, np.where(current < -limit, -1, 0)).astype(np.int8)


def _step_changes(table: pl.DataFrame, current: Floats, sign: NDArray[np.int8]) -> NDArray[np.bool_]:
    changes = np.zeros(len(current), dtype=bool)
    changes[1:] = sign[1:] != sign[:-1]
    if "step_count" in table.columns:
        count = table["step_count"].fill_null(-1).to_numpy()
        changes[1:] |= count[1:] != count[:-1]
    else:
        size = np.abs(current)
        changes[1:] |= np.abs(np.diff(size)) > STEP_LEVEL_CHANGE * np.maximum(size[1:], size[:-1])
        changes[1:] &= (sign[1:] != 0) | (sign[:-1] != 0)
    return changes


def weights(time: Floats, gap: NDArray[np.bool_]) -> Floats:
    """Seconds each row stands for: half of the measured intervals on either side."""
    half = np.diff(time, prepend=time[:1]) / 2
    half[gap] = 0.0
    total = half.copy()
    total[:-1] += half[1:]
    return total


def _between_assumed_steps(record: Record, step: Ints) -> NDArray[np.bool_]:
    """True before the first row of a step where the current was not measured: it is only assumed within steps."""
    assumed = any(flag.code in ASSUMED_CURRENT for flag in record.flags)
    return (np.diff(step, prepend=step[:1]) != 0) & assumed


def _from_step_start(weight: Floats, time: Floats, sign: NDArray[np.int8], count: Ints) -> Floats:
    """A step whose first row still reads no current: it flowed since that row, so its time goes to the next."""
    began = np.zeros(len(time), dtype=bool)
    began[2:] = (sign[2:] != 0) & (sign[1:-1] == 0) & (count[2:] == count[1:-1]) & (count[1:-1] != count[:-2])
    if len(time) > 1:
        began[1] = sign[1] != 0 and sign[0] == 0 and count[1] == count[0]
    rows = np.flatnonzero(began)
    half = (time[rows] - time[rows - 1]) / 2
    half = np.minimum(half, weight[rows - 1])
    moved = weight.copy()
    moved[rows] += half
    moved[rows - 1] -= half
    return moved


def gaps(table: pl.DataFrame, time: Floats, current: Floats, step: Ints, thresholds: Thresholds) -> NDArray[np.bool_]:
    """True where the interval before a row is far longer than usual in its step and the tester's counter does not
    confirm that the current flowed through it."""
    interval = np.diff(time, prepend=time[:1])
    gap = np.zeros(len(time), dtype=bool)
    suspects = np.flatnonzero(interval > thresholds.gap_floor_s)
    if len(suspects) == 0:
        return gap
    usual = _usual_interval(interval, current, step, suspects)
    suspects = suspects[interval[suspects] > thresholds.gap_factor * usual]
    gap[suspects[~_vouched(table, interval, current, suspects)]] = True
    return gap


def _usual_interval(interval: Floats, current: Floats, step: Ints, suspects: Ints) -> Floats:
    """90th percentile of the intervals within the step of each suspect.

    Where a step is too short to tell: of all steps for an interval with current, of all rests for one without.
    """
    starts = np.flatnonzero(np.diff(step, prepend=step[:1] - 1))
    ends = np.append(starts[1:], len(step))
    resting = (current == 0) & (np.roll(current, 1) == 0) & (np.diff(step, prepend=step[:1] - 1) == 0)
    everywhere = {False: _typical(interval[1:]), True: _typical(interval[resting])}
    usual = []
    for row in suspects:
        place = int(step[row] - step[0])
        inside = interval[starts[place] + 1 : ends[place]]
        at_rest = current[row] == 0 and current[row - 1] == 0
        usual.append(_typical(inside) if len(inside) > 3 else everywhere[bool(at_rest)])
    return np.array(usual)


def _typical(interval: Floats) -> float:
    return float(np.quantile(interval, 0.9, method="lower")) if len(interval) else np.inf


def _vouched(table: pl.DataFrame, interval: Floats, current: Floats, rows: Ints) -> NDArray[np.bool_]:
    """Whether the tester's own counter grew by what the current brings in the interval before each of these rows."""
    counter = vendor_counter(table)
    if counter is None:
        return np.zeros(len(rows), dtype=bool)
    passed = counter[rows] - counter[rows - 1]
    expected = interval[rows] * (np.abs(current[rows]) + np.abs(current[rows - 1])) / 2 / SECONDS_PER_HOUR
    return (passed > 0) & (np.abs(passed - expected) <= VOUCHED * expected)


def vendor_counter(table: pl.DataFrame) -> Floats | None:
    """The tester's own count of all charge passed, in Ah, never reset; None where the file has none."""
    if not all(name in table.columns for name in COUNTERS):
        return None
    total = table[COUNTERS[0]].to_numpy() + table[COUNTERS[1]].to_numpy()
    return total if total[-1] > total[0] else None


def gap_flags(found: Trace) -> list[Flag]:
    """One flag for all gaps of a trace, naming the first."""
    rows = np.flatnonzero(found.gap)
    if len(rows) == 0:
        return []
    first = int(rows[0])
    lost = float(np.sum(found.time_s[rows] - found.time_s[rows - 1]))
    message = f"{len(rows)} gaps, {lost / SECONDS_PER_HOUR:.3g} h together, first before data row {first + 1}"
    message += "; no charge counted in them"
    return [Flag("gap", message, len(rows), first)]


def half_cycles(record: Record, found: Trace, thresholds: Thresholds) -> pl.DataFrame:
    """One row per half cycle: a run of one sign of current, rests inside it included.

    Charges are positive, in mAh; `sign` says the direction. `interrupted` holds the reason why a branch is not whole,
    or null. A fragment is a branch of almost no charge.
    """
    first, last = _runs_of_sign(found.sign)
    if len(first) == 0:
        return _EMPTY.clone()
    flowing = found.sign != 0
    weight = np.where(flowing, found.weight_s, 0.0)
    flow_s = np.add.reduceat(weight, first)
    moved = found.current_A * weight
    charge = np.abs(np.add.reduceat(moved, first)) / SECONDS_PER_HOUR
    moved *= found.voltage_V
    energy = np.abs(np.add.reduceat(moved, first)) / SECONDS_PER_HOUR
    np.multiply(found.voltage_V, weight, out=moved)
    table = pl.DataFrame(
        {
            "half_cycle": np.arange(len(first)),
            "sign": found.sign[first].astype(np.int64),
            "first_row": first,
            "last_row": last,
            "start_time_h": found.time_s[first] / SECONDS_PER_HOUR,
            "end_time_h": found.time_s[last] / SECONDS_PER_HOUR,
            "flow_time_h": flow_s / SECONDS_PER_HOUR,
            "charge_mAh": charge * mAh_PER_Ah,
            "energy_mWh": energy * mAh_PER_Ah,
            "mean_voltage_V": _ratio(np.add.reduceat(moved, first), flow_s),
            "start_voltage_V": found.voltage_V[first],
            "end_voltage_V": found.voltage_V[last],
            "min_voltage_V": _extreme(np.minimum, found.voltage_V, flowing, first),
            "max_voltage_V": _extreme(np.maximum, found.voltage_V, flowing, first),
            "mean_current_mA": _ratio(charge * SECONDS_PER_HOUR, flow_s) * mAh_PER_Ah,
            "n_rows": np.add.reduceat(flowing, first, dtype=np.int64),
            "n_steps": found.step[last] - found.step[first] + 1,
        }
    )
    table = table.with_columns(_vendor_charge(record, first, last)).with_columns(_fragments(table, thresholds))
    return table.with_columns(_interrupted(record, found, table))


def _runs_of_sign(sign: NDArray[np.int8]) -> tuple[Ints, Ints]:
    """First and last row of each run of one sign, rests inside it included, those behind it not."""
    flowing = np.flatnonzero(sign)
    if len(flowing) == 0:
        return flowing, flowing
    begins = np.flatnonzero(np.diff(sign[flowing], prepend=0))
    return flowing[begins], flowing[np.append(begins[1:], len(flowing)) - 1]


def _extreme(operation: np.ufunc, voltage: Floats, flowing: NDArray[np.bool_], first: Ints) -> Floats:
    """Lowest or highest voltage with a current between each of these rows and the next of them."""
    empty = np.inf if operation is np.minimum else -np.inf
    return np.asarray(operation.reduceat(np.where(flowing, voltage, empty), first))


def _ratio(above: Floats, below: Floats) -> Floats:
    return np.divide(above, below, out=np.full(len(above), np.nan), where=below > 0)


def _vendor_charge(record: Record, first: Ints, last: Ints) -> pl.Series:
    counter = vendor_counter(record.series())
    if counter is None:
        return pl.Series("vendor_charge_mAh", [None] * len(first), dtype=pl.Float64)
    before = np.where(first > 0, counter[first - 1], 0.0)
    return pl.Series("vendor_charge_mAh", (counter[last] - before) * mAh_PER_Ah)


def _fragments(table: pl.DataFrame, thresholds: Thresholds) -> pl.Series:
    charge = table["charge_mAh"].to_numpy()
    typical = float(np.quantile(charge, 0.9)) if len(charge) else 0.0
    return pl.Series("fragment", charge < thresholds.fragment_fraction * typical)


def _interrupted(record: Record, found: Trace, table: pl.DataFrame) -> pl.Series:
    first, last = table["first_row"].to_numpy(), table["last_row"].to_numpy()
    reasons: list[str | None] = [None] * table.height
    for row in map(int, np.flatnonzero(found.gap)):
        place = int(np.searchsorted(last, row))
        touched = [p for p in (place, place - 1) if 0 <= p < table.height and first[p] <= row <= last[p] + 1]
        for p in touched:
            reasons[p] = f"a gap before data row {row + 1}"
    for row in _restarted_rows(record):
        for p in map(int, np.flatnonzero((first < row) & (row <= last))):
            reasons[p] = reasons[p] or f"time starts again at data row {row + 1}, what flowed before is not known"
    if table.height and (reason := _cut_at_end(record, found, table)):
        reasons[-1] = reasons[-1] or reason
    return pl.Series("interrupted", reasons, dtype=pl.String)


def _restarted_rows(record: Record) -> list[int]:
    """Rows of the time series at which time started again in the middle of a step with current."""
    rows = [flag.first_row for flag in record.flags if flag.code == RESTARTED and flag.first_row is not None]
    if not rows or FREQUENCY not in record.table.columns:
        return rows
    place = np.cumsum(record.table[FREQUENCY].is_null().to_numpy()) - 1
    return [int(place[row]) for row in rows if row < len(place)]


def _cut_at_end(record: Record, found: Trace, table: pl.DataFrame) -> str | None:
    """A last branch that stops short of what the branches of its sign before it reached."""
    if int(table["last_row"][-1]) < len(found.time_s) - 1:
        return None
    if any(flag.code == "truncated" for flag in record.flags):
        return "the file is cut off in it"
    peers = table[:-1].filter((pl.col("sign") == table["sign"][-1]) & ~pl.col("fragment"))
    if peers.height < 2:
        return None
    whole = peers["charge_mAh"].median()
    assert isinstance(whole, float)
    if _ends_at_a_limit(table[-1:], peers) or float(table["charge_mAh"][-1]) > WHOLE_CHARGE * whole:
        return None
    return "the record ends in it, before the charge and the voltage that its peers reached"


def _ends_at_a_limit(branch: pl.DataFrame, peers: pl.DataFrame) -> bool:
    """Whether a branch ends at a voltage limit: far from its mean, where a peer ended, or after a steep rise."""
    end, mean = float(branch["end_voltage_V"][0]), float(branch["mean_voltage_V"][0])
    if abs(end - mean) < FAR_FROM_MEAN_V:
        return False
    near = (peers["end_voltage_V"] - end).abs() <= STEADY_VOLTAGE_V + SAME_LIMIT * abs(end)
    return bool(near.any()) or end > STEEP * max(abs(mean), FAR_FROM_MEAN_V)


_EMPTY = pl.DataFrame(
    schema={
        "half_cycle": pl.Int64,
        "sign": pl.Int64,
        "first_row": pl.Int64,
        "last_row": pl.Int64,
        **dict.fromkeys(
            [
                "start_time_h",
                "end_time_h",
                "flow_time_h",
                "charge_mAh",
                "energy_mWh",
                "mean_voltage_V",
                "start_voltage_V",
                "end_voltage_V",
                "min_voltage_V",
                "max_voltage_V",
                "mean_current_mA",
            ],
            pl.Float64,
        ),
        "n_rows": pl.Int64,
        "n_steps": pl.Int64,
        "vendor_charge_mAh": pl.Float64,
        "fragment": pl.Boolean,
        "interrupted": pl.String,
    }
)
