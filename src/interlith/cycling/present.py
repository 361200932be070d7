"""An analysis as plain data: the summary that JSON carries, the tables, and traces thinned for drawing."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from interlith.cycling.analyze import Analysis
from interlith.cycling.dqdv import chosen_cycles
from interlith.cycling.outcome import Cycled, Outcome
from interlith.errors import InterlithError
from interlith.record import FREQUENCY, IMAGINARY, REAL, SPECTRUM, TIME
from interlith.units import MILLI, SECONDS_PER_HOUR, mAh_PER_Ah

MOST_POINTS = 3000
MOST_PROFILE_POINTS = 600


def refused(path: Path, problem: InterlithError) -> dict[str, Any]:
    """The summary of a file that could not be read: every key of one, and the error."""
    nothing = dict.fromkeys(
        ("format", "rows", "cycles", "half_cycles", "kind", "kind_reason", "area_cm2", "working_electrode")
    )
    error = {"type": type(problem).__name__, "message": str(problem)}
    return {"path": str(path), **nothing, "flags": [], "events": [], "results": {}, "error": error}


def summary(analysis: Analysis, path: Path) -> dict[str, Any]:
    """Everything found: the object that `interlith analyze --json` prints per file."""
    cycled, record = analysis.cycled, analysis.record
    branches = cycled.half_cycles.filter(~pl.col("fragment"))
    charge = {name: _sum(cycled.half_cycles, sign) for name, sign in (("charged_mAh", 1), ("discharged_mAh", -1))}
    time = cycled.trace.time_s
    result = {
        "path": str(path),
        "format": record.provenance.format,
        "rows": record.n_rows,
        "cycles": cycled.cycles.height,
        "half_cycles": branches.height,
        "kind": cycled.kind,
        "kind_reason": analysis.kind_reason,
        "area_cm2": cycled.area_cm2,
        "working_electrode": cycled.facts.working_electrode.value,
        "plating_sign": cycled.plating_sign,
        "facts": asdict(cycled.facts),
        "duration_h": float(time[-1] - time[0]) / SECONDS_PER_HOUR if len(time) else None,
        "voltage_V": _range(cycled.trace.voltage_V),
        "current_mA": _range(cycled.trace.current_A / MILLI),
        **charge,
        "current_mA_per_cm2": _density(cycled),
        "plated_in_all_mAh_per_cm2": cycled.per_area(float(cycled.cycles["plated_mAh"].sum())),
        "flags": [asdict(flag) for flag in analysis.flags],
        "events": analysis.events.to_dicts(),
        "results": {name: _outcome(outcome) for name, outcome in analysis.outcomes.items()},
        "thresholds": {name: getattr(cycled.thresholds, name) for o in analysis.outcomes.values() for name in o.used},
        "provenance": asdict(record.provenance),
        "error": None,
    }
    return result


def _outcome(outcome: Outcome) -> dict[str, Any]:
    return {**outcome.values, "why_not": outcome.why_not, "notes": list(outcome.notes)}


def _sum(branches: pl.DataFrame, sign: int) -> float:
    return float(branches.filter(pl.col("sign") == sign)["charge_mAh"].sum())


def _density(cycled: Cycled) -> list[float] | None:
    """Lowest and highest mean current density of a half cycle, or None where the area is not known."""
    size = cycled.half_cycles.filter(~pl.col("fragment"))["mean_current_mA"].to_numpy()
    return None if cycled.area_cm2 is None else _range(size / cycled.area_cm2)


def _range(values: np.ndarray) -> list[float] | None:
    return [float(values.min()), float(values.max())] if len(values) else None


def tables(analysis: Analysis) -> dict[str, pl.DataFrame]:
    """The tables of a finding, those without a row left out: cycles, half_cycles, events, and what figures draw."""
    cycled, outcomes = analysis.cycled, analysis.outcomes
    found = {
        "cycles": _cycles(cycled, outcomes),
        "half_cycles": cycled.half_cycles,
        "events": analysis.events,
        "trace": thinned(cycled),
        "profiles": profiles(cycled),
        "spectra": spectra(cycled),
    }
    for name in ("dqdv", "shorts", "retention", "nucleation", "impedance"):
        table = outcomes[name].table if name in outcomes else None
        if table is not None:
            found[name] = table
    return {name: table for name, table in found.items() if table.height}


def _cycles(cycled: Cycled, outcomes: Any) -> pl.DataFrame:
    table = cycled.cycles
    for name, columns in (
        ("efficiency", ("uncertainty_k2", "offset_share")),
        ("hysteresis", ("hysteresis_mV", "arc_index")),
    ):
        extra = outcomes[name].table if name in outcomes else None
        if extra is not None:
            table = table.join(extra.select("cycle", *columns), on="cycle", how="left", maintain_order="left")
    return table if cycled.area_cm2 is None else table.with_columns(_per_area(cycled.area_cm2))


def _per_area(area_cm2: float) -> list[pl.Expr]:
    """Per cycle: current density and areal charges, and the charge plated until then."""
    return [
        (pl.col("plate_current_mA") / area_cm2).alias("plate_current_mA_per_cm2"),
        (pl.col("strip_current_mA") / area_cm2).alias("strip_current_mA_per_cm2"),
        (pl.col("plated_mAh") / area_cm2).alias("plated_mAh_per_cm2"),
        (pl.col("stripped_mAh") / area_cm2).alias("stripped_mAh_per_cm2"),
        (pl.col("plated_mAh").cum_sum() / area_cm2).alias("plated_until_then_mAh_per_cm2"),
    ]


def thinned(cycled: Cycled) -> pl.DataFrame:
    """The trace with at most a few thousand points: first, lowest, highest and last voltage of each stretch of time."""
    found = cycled.trace
    rows = np.arange(len(found.time_s))
    if len(rows) > MOST_POINTS:
        edges = np.linspace(found.time_s[0], found.time_s[-1], MOST_POINTS // 4 + 1)
        stretch = np.clip(np.searchsorted(edges, found.time_s, side="right") - 1, 0, len(edges) - 2)
        order = np.lexsort((found.voltage_V, stretch))
        begins = np.flatnonzero(np.diff(stretch[order], prepend=-1))
        ends = np.append(begins[1:], len(order)) - 1
        first = np.flatnonzero(np.diff(stretch, prepend=-1))
        rows = np.unique(
            np.concatenate([order[begins], order[ends], first, np.append(first[1:] - 1, len(stretch) - 1)])
        )
    return pl.DataFrame(
        {
            "time_h": found.time_s[rows] / SECONDS_PER_HOUR,
            "voltage_V": found.voltage_V[rows],
            "current_mA": found.current_A[rows] / MILLI,
        }
    )


def profiles(cycled: Cycled) -> pl.DataFrame:
    """Voltage against charge passed in its branch, for the first, the middle and the last complete cycle."""
    pieces = []
    rows = {h: (f, last) for h, f, last in cycled.half_cycles.select("half_cycle", "first_row", "last_row").iter_rows()}
    for row in chosen_cycles(cycled).iter_rows(named=True):
        for branch in ("plate", "strip"):
            part = cycled.trace.part(*rows[row[f"{branch}_half_cycle"]]).flowing()
            passed = np.cumsum(np.abs(part.current_A) * part.weight_s) / SECONDS_PER_HOUR * mAh_PER_Ah
            keep = np.unique(np.linspace(0, len(passed) - 1, min(MOST_PROFILE_POINTS, len(passed))).astype(int))
            piece = {"capacity_mAh": passed[keep], "voltage_V": part.voltage_V[keep]}
            pieces.append(
                pl.DataFrame(piece).select(
                    pl.lit(row["cycle"]).alias("cycle"), pl.lit(branch).alias("branch"), pl.all()
                )
            )
    return pl.concat(pieces) if pieces else pl.DataFrame()


def spectra(cycled: Cycled) -> pl.DataFrame:
    """Impedance points: number of the spectrum, time in h, frequency, real and imaginary part."""
    points = cycled.spectra if cycled.spectra is not None else cycled.record.spectra()
    if points.height == 0:
        return pl.DataFrame()
    number = pl.col(SPECTRUM) if SPECTRUM in points.columns else pl.lit(0)
    return points.select(
        number.alias("spectrum"),
        (pl.col(TIME) / SECONDS_PER_HOUR).alias("time_h"),
        pl.col(FREQUENCY).alias("frequency_Hz"),
        pl.col(REAL).alias("real_ohm"),
        pl.col(IMAGINARY).alias("imaginary_ohm"),
    )
