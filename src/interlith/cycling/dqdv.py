"""Differential capacity dQ/dV of chosen cycles, by counting charge into voltage bins: no smoothing, no derivative."""

from __future__ import annotations

import numpy as np
import polars as pl

from interlith.cycling.outcome import Cycled, Outcome, nothing
from interlith.units import SECONDS_PER_HOUR, mAh_PER_Ah

USED = ("dqdv_step_V",)
MOST_BINS = 5000
SAMPLED_FACTOR = 3.0  # a bin holds some rows, or the counting would be a comb
END_BINS = 2  # at both ends: holds at the cut-off pile up charge there, which is no peak


def dqdv(cycled: Cycled) -> Outcome:
    """dQ/dV in mAh/V of the first, the middle and the last cycle; the integral over V is the branch's charge.

    Bins are as wide as the threshold says, or three times the voltage step between rows where that is more.
    """
    if cycled.kind not in ("full", "anode-free", "unknown"):
        return nothing(f"a test of kind {cycled.kind} runs at one voltage", *USED)
    chosen = chosen_cycles(cycled)
    if chosen.height == 0:
        return nothing("no complete cycle", *USED)
    tables = []
    for row in chosen.iter_rows(named=True):
        for branch in ("plate", "strip"):
            tables.append(_of_branch(cycled, row["cycle"], branch, row[f"{branch}_half_cycle"]))
    table = pl.concat(tables)
    inner = table.filter(pl.int_range(pl.len()).is_between(END_BINS, pl.len() - 1 - END_BINS).over("cycle", "branch"))
    peaks = (
        inner.sort("dqdv_mAh_per_V", descending=True)
        .group_by("cycle", "branch", maintain_order=True)
        .first()
        .sort("cycle", "branch")
    )
    return Outcome(values={"strongest_peaks": peaks.to_dicts()}, used=USED, table=table)


def chosen_cycles(cycled: Cycled) -> pl.DataFrame:
    """First, middle and last of the cycles that have both branches."""
    whole = cycled.cycles.filter(pl.col("strip_half_cycle").is_not_null())
    places = sorted({0, whole.height // 2, whole.height - 1}) if whole.height else []
    return whole[places]


def _of_branch(cycled: Cycled, cycle: int, branch: str, half_cycle: int) -> pl.DataFrame:
    where = cycled.half_cycles.filter(pl.col("half_cycle") == half_cycle)
    part = cycled.trace.part(int(where["first_row"][0]), int(where["last_row"][0])).flowing()
    charge = np.abs(part.current_A) * part.weight_s / SECONDS_PER_HOUR * mAh_PER_Ah
    low, high = float(part.voltage_V.min()), float(part.voltage_V.max())
    sampled = SAMPLED_FACTOR * float(np.median(np.abs(np.diff(part.voltage_V)))) if len(charge) > 1 else 0.0
    step = max(cycled.thresholds.dqdv_step_V, sampled, (high - low) / MOST_BINS)
    n_bins = max(int(np.ceil((high - low) / step)), 1)
    total, edges = np.histogram(part.voltage_V, bins=n_bins, range=(low, low + n_bins * step), weights=charge)
    return pl.DataFrame(
        {
            "cycle": np.full(n_bins, cycle),
            "branch": [branch] * n_bins,
            "voltage_V": (edges[:-1] + edges[1:]) / 2,
            "dqdv_mAh_per_V": total / step,
        }
    )
