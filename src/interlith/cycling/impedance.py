"""Impedance spectra of a record: how many, over which frequencies, how they change. No circuit is fitted."""

from __future__ import annotations

import polars as pl

from interlith.cycling.outcome import Cycled, Outcome, nothing
from interlith.record import FREQUENCY, IMAGINARY, REAL, SPECTRUM, TIME
from interlith.units import SECONDS_PER_HOUR


def impedance(cycled: Cycled) -> Outcome:
    """Each spectrum's range and its real part at the lowest and the highest frequency."""
    points = cycled.spectra if cycled.spectra is not None else cycled.record.spectra()
    if points.height == 0:
        return nothing("no impedance spectrum")
    table = per_spectrum(points)
    values = {
        "n_spectra": table.height,
        "n_points": points.height,
        "lowest_Hz": float(table["lowest_Hz"].min()),  # type: ignore[arg-type]
        "highest_Hz": float(table["highest_Hz"].max()),  # type: ignore[arg-type]
        "real_at_lowest_first_ohm": table["real_at_lowest_ohm"][0],
        "real_at_lowest_last_ohm": table["real_at_lowest_ohm"][-1],
    }
    return Outcome(values=values, table=table)


def per_spectrum(points: pl.DataFrame) -> pl.DataFrame:
    """One row per spectrum: time in h (null where the export has none), frequencies, real parts, capacitive points."""
    if SPECTRUM not in points.columns:
        points = points.with_columns(pl.lit(0, dtype=pl.Int64).alias(SPECTRUM))
    return (
        points.group_by(SPECTRUM, maintain_order=True)
        .agg(
            (pl.col(TIME).first() / SECONDS_PER_HOUR).alias("time_h"),
            pl.len().alias("n_points"),
            pl.col(FREQUENCY).min().alias("lowest_Hz"),
            pl.col(FREQUENCY).max().alias("highest_Hz"),
            pl.col(REAL).sort_by(FREQUENCY).first().alias("real_at_lowest_ohm"),
            pl.col(REAL).sort_by(FREQUENCY).last().alias("real_at_highest_ohm"),
            (pl.col(IMAGINARY) < 0).sum().alias("n_capacitive"),
        )
        .sort(SPECTRUM)
    )
