"""From a reader's raw table to a Record: what is odd is mended where that is safe, flagged always, hidden never.

Order of the steps: numbers that are none, repeated rows, time that goes back. Rows are dropped only when they are not
numbers or exact repeats; rows are moved only when the vendor's row number, or without one the clock, says so.
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
    if np.any(step < 0):
        repeat = ~table.to_struct("row").is_first_distinct().to_numpy()
    else:
        places = np.flatnonzero(step == 0)
        repeat = np.zeros(table.height, dtype=bool)
        same = (table[places] == table[places + 1]).fill_null(True) if len(places) else table.clear()
        if len(places):
            repeat[places + 1] = same.select(pl.all_horizontal(pl.all())).to_series().to_numpy()
    if not repeat.any():
        return table, []
    first, n = int(np.argmax(repeat)), int(repeat.sum())
    message = f"{n} rows are exact repeats of an earlier row and were dropped, first in data row {first + 1}"
    return table.filter(pl.Series(~repeat)), [Flag("duplicate_rows", message, n, first)]


def _order_rows(table: pl.DataFrame, path: str) -> tuple[pl.DataFrame, list[Flag]]:
    time = _time(table)
    backward = np.flatnonzero(np.diff(time) < 0) + 1
    if len(backward) == 0:
        return table, []
    first, n = int(backward[0]), len(backward)
    index = table["record_index"].to_numpy() if "record_index" in table.columns else None
    in_order = index is not None and bool(np.all(np.diff(index) > 0))
    if index is not None and not in_order and len(np.unique(index)) == len(index):
        ordered = table.sort("record_index", maintain_order=True)
        message = f"rows out of order ({n} times, first in data row {first + 1}); put back by the vendor's row number"
        again, flags = _order_rows(ordered, path)
        return again, [Flag("reordered", message, n, first), *flags]
    if in_order or n <= MOST_RESTARTS:
        return _continue_time(table, time, backward)
    message = f"time goes back {n} times, first in data row {first + 1}; rows put in the order of time"
    return table.sort(TIME, maintain_order=True), [Flag("reordered", message, n, first)]


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
    return moved, [Flag("time_went_back", message, len(backward), first)]
