"""The record with the columns that interlith finds itself: `mode` and `half_cycle`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from interlith.cycling.averages import branch_of_rows
from interlith.cycling.outcome import Cycled
from interlith.cycling.segment import Trace
from interlith.record import FREQUENCY, Record, conform

HOLD_V, HOLD_CURRENT = 0.002, 0.98  # held: so near the step's last voltage, and below so much of its largest current


def annotated(cycled: Cycled) -> Record:
    """The record with each row's mode (rest, cc, cv, scan, eis) and half cycle; null in half_cycle outside of any."""
    found, branches, table = cycled.trace, cycled.half_cycles, cycled.record.table
    branch = branch_of_rows(branches["first_row"].to_numpy(), branches["last_row"].to_numpy(), len(found.time_s))
    mode = np.where(found.sign == 0, "rest", "scan" if cycled.kind == "cv" else np.where(_held(found), "cv", "cc"))
    series = pl.DataFrame({"mode": mode.astype(str), "half_cycle": np.where(found.sign != 0, branch, -1)})
    series = series.with_columns(pl.col("half_cycle").replace(-1, None).cast(pl.Int64))
    if FREQUENCY in table.columns:
        point = table[FREQUENCY].is_not_null().to_numpy()
        place = np.cumsum(~point) - 1
        series = series[np.maximum(place, 0)] if len(series) else pl.DataFrame({"mode": ["eis"] * len(point)})
        eis = pl.lit(pl.Series(point))
        series = series.with_columns(pl.when(eis).then(pl.lit("eis")).otherwise(pl.col("mode")).alias("mode"))
        if "half_cycle" in series.columns:
            series = series.with_columns(pl.when(~eis).then(pl.col("half_cycle")).alias("half_cycle"))
    return replace(cycled.record, table=conform(table.drop("mode", "half_cycle", strict=False).hstack(series)))


def _held(found: Trace) -> NDArray[np.bool_]:
    """Rows at which the voltage is held while the current falls."""
    starts = found.step_starts
    if len(starts) == 0:
        return np.zeros(0, dtype=bool)
    lengths = np.diff(np.append(starts, len(found.time_s)))
    last = np.repeat(found.voltage_V[np.append(starts[1:], len(found.time_s)) - 1], lengths)
    size = np.abs(found.current_A)
    largest = np.repeat(np.maximum.reduceat(size, starts), lengths)
    return (np.abs(found.voltage_V - last) <= HOLD_V) & (size < HOLD_CURRENT * largest)
