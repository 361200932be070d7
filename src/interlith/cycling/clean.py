"""From a reader's raw table to a Record: what is odd is mended where that is safe, flagged always, hidden never.

Order of the steps: numbers that are none, repeated rows, time that goes back. Rows are dropped only when they are not
numbers or exact repeats; rows are moved only when the vendor's row number, or without one the clock, says so.

Time that goes back means one of four things, told apart by where it lands: rows out of order, blocks of rows in the
wrong order (their times do not overlap), time that restarts with each step (it always lands at the beginning), or a
test that was interrupted and went on (few, anywhere).
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from interlith.cycling.formats.format import Raw
from interlith.errors import CorruptFile
from interlith.record import (
    CURRENT,
    FREQUENCY,
    IMAGINARY,
    REAL,
    TIME,
    VOLTAGE,
    CellFacts,
    Fact,
    Flag,
    Provenance,
    Record,
    conform,
)

MOST_BAD_ROWS = 0.5
MOST_RESTARTS = 20
REGULAR_RESTARTS = 3  # so many restarts, all at the beginning, are a time that counts within steps or cycles
# made by the readers from the order of the rows, so they differ between a row and its repeat
DERIVED = (
    "step_count",
    "charging_capacity_ah",
    "discharging_capacity_ah",
    "charging_energy_wh",
    "discharging_energy_wh",
)
IDENTITY = ("record_index", "unix_time_second")  # two rows with the same of these are the same row
RESTARTED = "restart_in_branch"
# no cell of this package's users leaves these; beyond them the file, or its units, are wrong
VOLTAGE_LIMIT_V, CURRENT_LIMIT_A = 1000.0, 100_000.0


def to_record(raw: Raw, provenance: Provenance) -> Record:
    """A Record from what a reader gave, with every oddity flagged.

    Raises CorruptFile when nothing, or less than half, of the table is numbers.
    """
    table = conform(raw.table)
    if table.height == 0:
        raise CorruptFile(f"{provenance.path}: no row of data")
    flags = list(raw.flags)
    for step in (_drop_not_numbers, _drop_repeats, _order_rows):
        table, found = step(table, provenance.path)
        flags += found
    facts = CellFacts()
    if raw.area_cm2 is not None:
        facts = CellFacts(area_cm2=Fact(raw.area_cm2, "stated", f"written in {provenance.path}"))
    if raw.active_mass_mg is not None:
        mass = Fact(raw.active_mass_mg, "stated", f"written in {provenance.path}")
        facts = CellFacts(area_cm2=facts.area_cm2, active_mass_mg=mass)
    return Record(table=table, provenance=provenance, flags=tuple(flags), facts=facts)


def _good_rows(table: pl.DataFrame) -> pl.Expr:
    series = [pl.col(c) for c in (TIME, VOLTAGE, CURRENT) if c in table.columns]
    numbers = pl.all_horizontal([c.is_not_null() & c.is_finite() for c in series])
    limits = (pl.col(VOLTAGE).abs() <= VOLTAGE_LIMIT_V) & (pl.col(CURRENT).abs() <= CURRENT_LIMIT_A)
    if FREQUENCY not in table.columns:
        return numbers & limits
    point = [pl.col(c) for c in (FREQUENCY, REAL, IMAGINARY)]
    is_point = pl.all_horizontal([c.is_not_null() & c.is_finite() for c in point]) & (pl.col(FREQUENCY) > 0)
    return pl.when(pl.col(FREQUENCY).is_null()).then(numbers & limits).otherwise(is_point)


def _drop_not_numbers(table: pl.DataFrame, path: str) -> tuple[pl.DataFrame, list[Flag]]:
    good = table.select(_good_rows(table).fill_null(False)).to_series()
    n_bad = table.height - int(good.sum())
    if n_bad == 0:
        return table, []
    first = int((~good).arg_max() or 0)
    if n_bad > MOST_BAD_ROWS * table.height:
        raise CorruptFile(
            f"{path}: {n_bad} of {table.height} rows hold no usable time, voltage and current; "
            f"first in data row {first + 1}"
        )
    message = f"{n_bad} rows without usable numbers dropped, first in data row {first + 1}"
    return table.filter(good), [Flag("not_a_number", message, n_bad, first)]


def _time(table: pl.DataFrame) -> NDArray[np.float64]:
    return table[TIME].to_numpy().astype(float)


def _drop_repeats(table: pl.DataFrame, path: str) -> tuple[pl.DataFrame, list[Flag]]:
    time = _time(table)
    step = np.diff(time)
    if not np.any(step <= 0):
        return table, []
    measured = table.drop(DERIVED, strict=False)
    if np.any(step < 0) and (set(IDENTITY) & set(table.columns) or not _restarts_regularly(time)):
        repeat = ~measured.to_struct("row").is_first_distinct().to_numpy()
    else:
        repeat = _repeats_neighbour(measured, np.flatnonzero(step == 0))
    if not repeat.any():
        return table, []
    first, n = int(np.argmax(repeat)), int(repeat.sum())
    message = f"{n} rows are exact repeats of an earlier row and were dropped, first in data row {first + 1}"
    return table.filter(pl.Series(~repeat)), [Flag("duplicate_rows", message, n, first)]


def _repeats_neighbour(table: pl.DataFrame, places: NDArray[np.intp]) -> NDArray[np.bool_]:
    """True for each row after `places` that is the same as the row at that place."""
    repeat = np.zeros(table.height, dtype=bool)
    if len(places):
        same = (table[places] == table[places + 1]).fill_null(True)
        repeat[places + 1] = same.select(pl.all_horizontal(pl.all())).to_series().to_numpy()
    return repeat


def _usual_step(time: NDArray[np.float64]) -> float:
    forward = np.diff(time)
    forward = forward[forward > 0]
    return float(np.quantile(forward, 0.9)) if len(forward) else 0.0


def _lands_at_beginning(time: NDArray[np.float64], backward: NDArray[np.intp]) -> bool:
    """True when time, each time it goes back, goes back to where it began."""
    return bool(np.all(time[backward] <= time.min() + _usual_step(time)))


def _restarts_regularly(time: NDArray[np.float64]) -> bool:
    """True for a time that counts within steps or cycles: equal rows of two of them are still two rows."""
    backward = np.flatnonzero(np.diff(time) < 0) + 1
    return len(backward) >= REGULAR_RESTARTS and _lands_at_beginning(time, backward)


def _order_rows(table: pl.DataFrame, path: str) -> tuple[pl.DataFrame, list[Flag]]:
    time = _time(table)
    backward = np.flatnonzero(np.diff(time) < 0) + 1
    if len(backward) == 0:
        return table, []
    first, n = int(backward[0]), len(backward)
    index = table["record_index"].to_numpy() if "record_index" in table.columns else None
    in_order = index is not None and bool(np.all(np.diff(index) > 0))
    if index is not None and not in_order and len(np.unique(index)) == len(index):
        ordered = _with_order_of_steps(table.sort("record_index", maintain_order=True))
        message = f"rows out of order ({n} times, first in data row {first + 1}); put back by the vendor's row number"
        again, flags = _order_rows(ordered, path)
        return again, [Flag("reordered", message, n, first), *flags]
    if in_order or not _is_disorder(time, backward):
        return _continue_time(table, time, backward)
    message = f"time goes back {n} times, first in data row {first + 1}; rows put in the order of time"
    return _by_time(table), [Flag("reordered", message, n, first)]


def _is_disorder(time: NDArray[np.float64], backward: NDArray[np.intp]) -> bool:
    """True when rows, or whole blocks of them, stand in the wrong order; False when time itself went back."""
    begins = np.concatenate([[0], backward])
    ends = np.append(backward, len(time)) - 1
    order = np.argsort(time[begins], kind="stable")
    if np.all(time[ends[order]][:-1] <= time[begins[order]][1:]):
        return True
    return len(backward) > MOST_RESTARTS and not _lands_at_beginning(time, backward)


def _by_time(table: pl.DataFrame) -> pl.DataFrame:
    """Rows in the order of time; of two at the same time, the one whose current continues goes first."""
    table = table.sort(TIME, maintain_order=True)
    current, tie = table[CURRENT].fill_null(0.0).to_numpy(), np.diff(_time(table)) == 0
    alone = tie & ~np.append(tie[1:], False) & ~np.append(False, tie[:-1])
    place = np.flatnonzero(alone)
    place = place[(place > 0) & (place + 2 < table.height)]
    before, a, b, after = (current[place + k] for k in (-1, 0, 1, 2))
    swap = place[np.abs(a - before) + np.abs(after - b) > np.abs(b - before) + np.abs(after - a)]
    order = np.arange(table.height)
    order[swap], order[swap + 1] = swap + 1, swap
    return _with_order_of_steps(table[order])


def _with_order_of_steps(table: pl.DataFrame) -> pl.DataFrame:
    """Counters that the readers made from the old order made anew, or left out where that cannot be."""
    wrong = [c for c in DERIVED if c in table.columns and not table[c].drop_nulls().is_sorted()]
    table = table.drop(wrong)
    if "step_count" not in wrong or "step_id" not in table.columns:
        return table
    changed = pl.col("step_id").ne_missing(pl.col("step_id").shift(1)).cast(pl.Int64)
    return table.with_columns(step_count=changed.cum_sum())


def _continue_time(
    table: pl.DataFrame, time: NDArray[np.float64], backward: NDArray[np.intp]
) -> tuple[pl.DataFrame, list[Flag]]:
    """Time that restarts goes on where it stopped: the interval of the restart has no length, so no charge."""
    shift = np.zeros(len(time))
    shift[backward] = time[backward - 1] - time[backward]
    first = int(backward[0])
    message = (
        f"time goes back {len(backward)} times, first in data row {first + 1}; "
        "continued from there, the pause is not known"
    )
    moved = table.with_columns(pl.Series(TIME, time + np.cumsum(shift)))
    flags = [Flag("time_went_back", message, len(backward), first)]
    return moved, flags if _restarts_regularly(time) else flags + _restarts_in_branches(table, backward)


def _restarts_in_branches(table: pl.DataFrame, backward: NDArray[np.intp]) -> list[Flag]:
    """A flag for each restart in the middle of a step with current: what flowed before it was recorded is not known."""
    current = table[CURRENT].fill_null(0.0).to_numpy()
    inside = current[backward] * current[backward - 1] > 0
    if "step_count" in table.columns:
        count = table["step_count"].fill_null(-1).to_numpy()
        inside &= count[backward] == count[backward - 1]
    return [
        Flag(RESTARTED, f"time starts again at data row {row + 1} while a current flows", 1, int(row))
        for row in backward[inside]
    ]
