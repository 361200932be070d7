"""Neware .nda and .ndax, by fastnda (BSD-3).

The vendor's cycle counter is kept as information only: its modes disagree with the vendor's own export. Capacity is
signed in some files and unsigned in others and restarts at each step; its magnitude is what is kept.
"""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import numpy as np
import polars as pl

from interlith.cycling.formats.counters import increments, split_by_sign
from interlith.cycling.formats.format import Format, Head, Raw, ReadOptions
from interlith.units import MILLI


def recognize(head: Head) -> bool:
    """A .nda begins with NEWARE; a .ndax is a zip with data.ndc in it."""
    return head.data.startswith(b"NEWARE") or any(name.lower().endswith("data.ndc") for name in head.members)


def read(path: Path, options: ReadOptions) -> Raw:
    """All rows of a .nda or .ndax."""
    import fastnda

    with contextlib.redirect_stdout(io.StringIO()):
        table = fastnda.read(path, cycle_mode="raw")
    step_count = table["step_count"].to_numpy()
    resets = np.diff(step_count, prepend=step_count[:1]) != 0
    sign = np.sign(table["current_mA"].to_numpy().astype(float))
    counters = {}
    for name, target in (("capacity_mAh", "capacity_ah"), ("energy_mWh", "energy_wh")):
        growth = increments(table[name].to_numpy().astype(float) * MILLI, resets)
        counters[f"charging_{target}"], counters[f"discharging_{target}"] = split_by_sign(growth, sign)
    temperature = [c for c in table.columns if c.endswith("temperature_degC")][:1]
    return Raw(
        table=table.select(
            pl.col("total_time_s").alias("test_time_second"),
            pl.col("voltage_V").cast(pl.Float64).alias("voltage_volt"),
            (pl.col("current_mA").cast(pl.Float64) * MILLI).alias("current_ampere"),
            pl.col("unix_time_s").alias("unix_time_second"),
            pl.col("cycle_count"),
            pl.col("step_count"),
            pl.col("step_index").alias("step_id"),
            pl.col("step_type").cast(pl.String),
            pl.col("index").alias("record_index"),
            *[pl.Series(name, values) for name, values in counters.items()],
            *[pl.col(name).cast(pl.Float64).alias("surface_temperature_celsius") for name in temperature],
        ),
        instrument="Neware",
        notes=(f"fastnda {fastnda.__version__}",) if hasattr(fastnda, "__version__") else (),
    )


FORMAT = Format(
    name="neware-nda",
    title="Neware .nda, .ndax",
    suffixes=(".nda", ".ndax"),
    recognize=recognize,
    read=read,
    modules=("fastnda",),
    extra="neware",
    isolated=True,
)
