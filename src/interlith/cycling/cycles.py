"""One row per cycle: what was plated, what came back, and why a cycle has no efficiency."""

from __future__ import annotations

import numpy as np
import polars as pl

from interlith.cycling.kind import FULL_KINDS, HOST_KINDS, Kind, stripped_out
from interlith.cycling.segment import Trace
from interlith.cycling.thresholds import Thresholds
from interlith.units import SECONDS_PER_HOUR, mAh_PER_Ah

CHARGE_ONLY = "the strip stops at a charge, not at the cut-off"
NOT_OUT = "the strip did not reach the cut-off: lithium is left, or the cell is short"
LEFT_BEFORE = "the strip before it left lithium behind, which counts here too"
NOT_EMPTY = "the discharge stops above the lower cut-off"
NOT_EMPTY_BEFORE = "the discharge before it stopped above the lower cut-off, so it began partly charged"
CHARGED_BEFORE = "more came out than went in: the cell was charged before the record began"
OVERFULL = 1.02
NOTHING = 1e-3
SHARP_V, SHARP_SHARE = 0.005, 0.5  # so many ends so near each other are a cut-off
EMPTY_TOLERANCE = 0.02  # of the highest voltage: how far from the lowest end of discharge counts as the cut-off


def with_conversion(
    branches: pl.DataFrame, found: Trace, kind: Kind, sign: int | None, thresholds: Thresholds
) -> pl.DataFrame:
    """Half cycles with `above_zero_mAh`, the charge that is not lithium metal.

    Plating on a host: charge until the voltage first reaches 0 V. Stripping: charge above `conversion_return_V`, which
    the host itself gives back; no more of it is taken out of a cycle than went in above 0 V.
    """
    if kind not in HOST_KINDS or branches.height == 0 or sign is None:
        return branches.with_columns(pl.lit(0.0).alias("above_zero_mAh"))
    passed = np.abs(found.current_A) * found.weight_s * (found.sign != 0) / SECONDS_PER_HOUR * mAh_PER_Ah
    first, last = branches["first_row"].to_numpy(), branches["last_row"].to_numpy()
    plates = branches["sign"].to_numpy() == sign
    below = np.flatnonzero((found.voltage_V <= thresholds.conversion_V) & (found.sign == sign))
    reached = np.append(below, len(passed))[np.searchsorted(below, first)]
    plating = _between(passed, first, np.minimum(reached, last + 1))
    host = passed * ((found.voltage_V > thresholds.conversion_return_V) & (found.sign == -sign))
    stripping = _between(host, first, last + 1)
    return branches.with_columns(pl.Series("above_zero_mAh", np.where(plates, plating, stripping)))


def _between(values: np.ndarray, begin: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Sum of the values from each begin up to, without, each end."""
    total = np.concatenate([[0.0], np.cumsum(values)])
    return np.asarray(total[end] - total[begin])


def cycles(branches: pl.DataFrame, kind: Kind, plating_sign: int | None) -> pl.DataFrame:
    """Pair each plating branch with the strip that follows it.

    Columns: cycle (from 1), start and end in h, the half cycles paired, plated_mAh and stripped_mAh (both without the
    charge that is not lithium metal), above_zero_mAh and returned_above_zero_mAh (that charge), efficiency or null,
    no_efficiency_because, tester_efficiency (the same ratio by the tester's own counter, where the file has one).
    Where the plating sign is not known the first direction takes the place of plating and `efficiency` stays null.
    """
    merged = _merged(branches)
    sign = plating_sign if plating_sign is not None else int([*merged["sign"], 1][0])
    plate = merged.filter(pl.col("sign") == sign)
    strip = merged.filter(pl.col("sign") != sign)
    if strip.height:
        strip = strip.with_columns(_ran_out(strip, plate, kind).alias("stripped_out"))
    else:
        strip = strip.with_columns(pl.lit(None, dtype=pl.Boolean).alias("stripped_out"))
    table = _paired(plate, strip)
    return table.with_columns(_why_none(kind, plating_sign)).with_columns(_efficiency(), _tester_efficiency())


def _ran_out(strip: pl.DataFrame, plate: pl.DataFrame, kind: Kind) -> pl.Series:
    """Whether a strip or discharge went on until its cut-off, so that what could come back did."""
    if kind in HOST_KINDS:
        return stripped_out(strip, plate)
    if kind in FULL_KINDS:
        high = float(strip["start_voltage_V"].max())  # type: ignore[arg-type]
        return strip["end_voltage_V"] <= lower_cutoff_V(strip["end_voltage_V"].to_numpy()) + EMPTY_TOLERANCE * abs(high)
    return pl.Series([True] * strip.height)


def lower_cutoff_V(ends: np.ndarray) -> float:
    """The voltage at which discharges end: the one at which many do, or the lowest where they end at charges.

    >>> round(lower_cutoff_V(np.array([2.8001, 2.7999, 2.8, 2.5])), 2)
    2.8
    """
    ordered = np.sort(ends)
    alike = np.searchsorted(ordered, ordered + SHARP_V, side="right") - np.arange(len(ordered))
    most = int(np.argmax(alike))
    return float(ordered[most]) if alike[most] >= SHARP_SHARE * len(ordered) else float(ordered[0])


def _merged(branches: pl.DataFrame) -> pl.DataFrame:
    """Branches without fragments; neighbours of the same sign, which a fragment had parted, made one."""
    kept = branches.filter(~pl.col("fragment")).with_columns(pl.col("sign").rle_id().alias("run"))
    hours = pl.col("flow_time_h")
    return (
        kept.group_by("run", maintain_order=True)
        .agg(
            pl.col("half_cycle", "sign", "start_time_h", "first_row", "start_voltage_V").first(),
            pl.col("end_time_h", "end_voltage_V", "last_row").last(),
            pl.col("charge_mAh", "energy_mWh", "above_zero_mAh", "flow_time_h").sum(),
            pl.when(pl.col("vendor_charge_mAh").is_null().any())
            .then(None)
            .otherwise(pl.col("vendor_charge_mAh").sum())
            .alias("vendor_charge_mAh"),
            ((pl.col("mean_voltage_V") * hours).sum() / hours.sum()).alias("mean_voltage_V"),
            ((pl.col("mean_current_mA") * hours).sum() / hours.sum()).alias("mean_current_mA"),
            pl.col("interrupted").drop_nulls().first(),
        )
        .drop("run")
    )


def _paired(plate: pl.DataFrame, strip: pl.DataFrame) -> pl.DataFrame:
    if "stripped_out" not in strip.columns:
        strip = strip.with_columns(pl.lit(None, dtype=pl.Boolean).alias("stripped_out"))
    follows = (
        np.searchsorted(strip["first_row"].to_numpy(), plate["first_row"].to_numpy())
        if plate.height
        else np.array([], int)
    )
    pair = strip.with_row_index("place").select(
        pl.col("place").cast(pl.Int64),
        pl.col("half_cycle").alias("strip_half_cycle"),
        pl.col("end_time_h").alias("strip_end_time_h"),
        pl.col("charge_mAh").alias("stripped_mAh"),
        pl.col("above_zero_mAh").alias("strip_above_zero_mAh"),
        pl.col("vendor_charge_mAh").alias("strip_tester_mAh"),
        pl.col("energy_mWh").alias("strip_energy_mWh"),
        pl.col("flow_time_h").alias("strip_time_h"),
        pl.col("mean_voltage_V").alias("strip_voltage_V"),
        pl.col("mean_current_mA").alias("strip_current_mA"),
        pl.col("end_voltage_V").alias("strip_end_voltage_V"),
        pl.col("interrupted").alias("strip_interrupted"),
        pl.col("stripped_out"),
    )
    left = plate.select(
        pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("cycle"),
        pl.col("start_time_h"),
        pl.col("half_cycle").alias("plate_half_cycle"),
        (pl.col("charge_mAh") - pl.col("above_zero_mAh")).alias("plated_mAh"),
        pl.col("above_zero_mAh"),
        pl.col("vendor_charge_mAh").alias("plate_tester_mAh"),
        pl.col("energy_mWh").alias("plate_energy_mWh"),
        pl.col("flow_time_h").alias("plate_time_h"),
        pl.col("mean_voltage_V").alias("plate_voltage_V"),
        pl.col("mean_current_mA").alias("plate_current_mA"),
        pl.col("end_voltage_V").alias("plate_end_voltage_V"),
        pl.col("interrupted").alias("plate_interrupted"),
        pl.Series("place", follows.astype(np.int64)),
    )
    both = left.join(pair, on="place", how="left", maintain_order="left").drop("place")
    returned = pl.min_horizontal("above_zero_mAh", "strip_above_zero_mAh")
    both = both.with_columns(returned.alias("returned_above_zero_mAh")).drop("strip_above_zero_mAh")
    return both.with_columns(pl.col("stripped_mAh") - pl.col("returned_above_zero_mAh").fill_null(0.0))


def _why_none(kind: Kind, plating_sign: int | None) -> pl.Expr:
    """The first reason that holds, or null."""
    column = pl.col
    reasons: list[tuple[pl.Expr, pl.Expr]] = [
        (pl.lit(plating_sign is None), pl.lit("which direction plates is not known")),
        (column("stripped_mAh").is_null(), pl.lit("no strip follows")),
    ]
    for branch in ("plate", "strip"):
        cut = column(f"{branch}_interrupted")
        reasons.append((cut.is_not_null(), pl.lit(f"{branch} interrupted: ") + cut))
    left, left_before = ~column("stripped_out"), ~column("stripped_out").shift(1)
    if kind in HOST_KINDS:
        reasons.append((left, pl.lit(CHARGE_ONLY if kind == "reservoir" else NOT_OUT)))
        reasons.append((left_before, pl.lit(LEFT_BEFORE)))
    elif kind in FULL_KINDS:
        too_much = (column("cycle") == 1) & (column("stripped_mAh") > OVERFULL * column("plated_mAh"))
        reasons += [
            (too_much, pl.lit(CHARGED_BEFORE)),
            (left, pl.lit(NOT_EMPTY)),
            (left_before, pl.lit(NOT_EMPTY_BEFORE)),
        ]
    else:
        reasons.append((pl.lit(True), pl.lit(f"a test of kind {kind} has no efficiency")))
    nothing = column("plated_mAh") <= NOTHING * (column("plated_mAh") + column("above_zero_mAh"))
    reasons.insert(2, (nothing, pl.lit("nothing was plated below 0 V")))
    given = [pl.when(holds).then(text) for holds, text in reasons]
    return pl.coalesce(given).alias("no_efficiency_because")


def _efficiency() -> pl.Expr:
    ratio = pl.col("stripped_mAh") / pl.col("plated_mAh")
    return pl.when(pl.col("no_efficiency_because").is_null()).then(ratio).otherwise(None).alias("efficiency")


def _tester_efficiency() -> pl.Expr:
    plated = pl.col("plate_tester_mAh") - pl.col("above_zero_mAh")
    allowed = pl.col("no_efficiency_because").is_null() & (plated > 0)
    stripped = pl.col("strip_tester_mAh") - pl.col("returned_above_zero_mAh").fill_null(0.0)
    return pl.when(allowed).then(stripped / plated).otherwise(None).alias("tester_efficiency")
