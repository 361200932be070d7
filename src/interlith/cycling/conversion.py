"""Charge passed above 0 V against lithium while plating: conversion, SEI and alloying, which plate nothing.

On a ZnO-coated host the first lithiation converts near 0.5 V (ZnO + 2 Li+ + 2 e- -> Zn + Li2O) and forms SEI and LiZn
near 0.2 V: Shen et al., Nat. Commun. (2025), doi:10.1038/s41467-025-60609-4.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from interlith.cycling.kind import HOST_KINDS
from interlith.cycling.outcome import NEEDS_AREA, Cycled, Outcome, nothing
from interlith.units import SECONDS_PER_HOUR, mAh_PER_Ah

USED = ("conversion_V", "conversion_return_V")
SPLIT_V = 0.35  # between the two processes named above, halfway


def conversion(cycled: Cycled) -> Outcome:
    """Charge above 0 V in the first plating and in all, parted at 0.35 V, and counted as plated nowhere."""
    if cycled.kind not in HOST_KINDS:
        return nothing("only a host against lithium plates below 0 V and converts above", *USED)
    plate = cycled.branches(cycled.plating_sign)
    if plate.height == 0:
        return nothing("no plating branch", *USED)
    first = plate["above_zero_mAh"][0]
    high = min(first, _above(cycled, int(plate["first_row"][0]), int(plate["last_row"][0]), SPLIT_V))
    values = {
        "first_mAh": first,
        "first_above_split_mAh": high,
        "first_below_split_mAh": first - high,
        "split_V": SPLIT_V,
        "all_mAh": float(plate["above_zero_mAh"].sum()),
        "first_mAh_per_cm2": cycled.per_area(first),
        "returned_mAh": float(cycled.cycles["returned_above_zero_mAh"].fill_null(0.0).sum()),
        "all_mAh_per_cm2": cycled.per_area(float(plate["above_zero_mAh"].sum())),
    }
    table = plate.select("half_cycle", "start_time_h", "above_zero_mAh", pl.col("charge_mAh").alias("branch_mAh"))
    return Outcome(values=values, notes=() if cycled.area_cm2 else (NEEDS_AREA,), used=USED, table=table)


def _above(cycled: Cycled, first: int, last: int, limit_V: float) -> float:
    part = cycled.trace.part(first, last)
    chosen = (part.voltage_V > max(limit_V, cycled.thresholds.conversion_V)) & (part.sign == cycled.plating_sign)
    return float(np.sum((np.abs(part.current_A) * part.weight_s)[chosen])) / SECONDS_PER_HOUR * mAh_PER_Ah
