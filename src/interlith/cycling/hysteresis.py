"""Hysteresis between stripping and plating, overpotential, and the shape of the branches.

Time-weighted median of the voltage over the middle part of each branch's charge; strip minus plate is the hysteresis,
half of it the overpotential of one electrode in a symmetric cell. Arc index: end over middle of |V|; a trace that turns
from peaking to arcing has a transport limit in its dead layer: Wood et al., ACS Cent. Sci. 2, 790 (2016),
doi:10.1021/acscentsci.6b00260; Chen et al., J. Mater. Chem. A 5, 11671 (2017).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from interlith.cycling.averages import branch_of_rows, fraction_of_charge, weighted_medians
from interlith.cycling.kind import HOST_KINDS
from interlith.cycling.outcome import Cycled, Outcome, nothing
from interlith.units import mV_PER_V

USED = ("hysteresis_middle",)
END = (0.85, 0.97)  # the part of the charge that stands for the end, short of the last switching


def hysteresis(cycled: Cycled) -> Outcome:
    """Hysteresis and overpotential by cycle, and how the shape of the branches changes."""
    if cycled.kind in ("cv", "eis"):
        return nothing(f"a test of kind {cycled.kind} has no branches of constant current", *USED)
    table = per_cycle(cycled)
    known = table.drop_nulls("hysteresis_mV")
    if known.height == 0:
        return nothing("no cycle has both branches", *USED)
    values: dict[str, Any] = {
        "first_mV": float(known["hysteresis_mV"][0]),
        "median_mV": float(known["hysteresis_mV"].median()),  # type: ignore[arg-type]
        "last_mV": float(known["hysteresis_mV"][-1]),
        "arc_index_first": _edge(known, "arc_index", first=True),
        "arc_index_last": _edge(known, "arc_index", first=False),
    }
    if cycled.kind == "symmetric":
        values["overpotential_median_mV"] = values["median_mV"] / 2
    notes = (
        ("the arc index of a host is that of plating: its strips end at a cut-off",)
        if cycled.kind in HOST_KINDS
        else ()
    )
    return Outcome(values=values, notes=notes, used=USED, table=table)


def per_cycle(cycled: Cycled) -> pl.DataFrame:
    """Cycle, median voltages of plating and stripping, hysteresis in mV, arc index (null where it cannot be had)."""
    middle = 0.5 - cycled.thresholds.hysteresis_middle / 2, 0.5 + cycled.thresholds.hysteresis_middle / 2
    voltage = branch_medians(cycled, *middle)
    end = branch_medians(cycled, *END)
    place = pl.DataFrame({"half_cycle": cycled.half_cycles["half_cycle"], "voltage": voltage, "end": end})
    place = place.with_columns(pl.all().exclude("half_cycle").fill_nan(None))
    table = cycled.cycles.select("cycle", "plate_half_cycle", "strip_half_cycle")
    for branch in ("plate", "strip"):
        renamed = place.rename(
            {"half_cycle": f"{branch}_half_cycle", "voltage": f"{branch}_V", "end": f"{branch}_end_V"}
        )
        table = table.join(renamed, on=f"{branch}_half_cycle", how="left", maintain_order="left")
    return table.select(
        "cycle",
        "plate_V",
        "strip_V",
        ((pl.col("strip_V") - pl.col("plate_V")) * _direction(cycled) * mV_PER_V).alias("hysteresis_mV"),
        (pl.col("plate_end_V") / pl.col("plate_V")).alias("arc_index"),
    )


def branch_medians(cycled: Cycled, begin: float, end: float) -> NDArray[np.float64]:
    """Time-weighted median voltage of each half cycle between two fractions of its charge; NaN where nothing is."""
    found, table = cycled.trace, cycled.half_cycles
    branch = branch_of_rows(table["first_row"].to_numpy(), table["last_row"].to_numpy(), len(found.time_s))
    fraction = fraction_of_charge(found, branch, table.height)
    chosen = (fraction >= begin) & (fraction <= end)
    return weighted_medians(branch[chosen], found.voltage_V[chosen], found.weight_s[chosen], table.height)


def _direction(cycled: Cycled) -> float:
    """+1 where stripping lies above plating (a host), -1 where it lies below (a full cell, or a sign the other way)."""
    if cycled.plating_sign is not None:
        return 1.0 if cycled.plating_sign < 0 else -1.0
    whole = cycled.half_cycles.filter(~pl.col("fragment"))
    return -float(whole["sign"][0]) if whole.height else 1.0


def _edge(table: pl.DataFrame, column: str, *, first: bool) -> float | None:
    known = table[column].drop_nulls()
    return None if known.len() == 0 else float(known[0] if first else known[-1])
