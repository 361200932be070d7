"""Cycle efficiency: how much of the charge plated in a cycle came back, its statistics, and what it accumulates to."""

from __future__ import annotations

import math

import numpy as np
import polars as pl

from interlith.cycling.outcome import Cycled, Event, Outcome, nothing
from interlith.cycling.uncertainty import budget, instrument, verdict

OTHER_CURRENT = 0.2
USED = ("formation_cycles", "efficiency_low", "efficiency_high", "conversion_V", "offset_of_range", "gain_difference")


def cumulative_efficiency(efficiencies: list[float]) -> float:
    """What is left after all cycles when nothing is replaced: the product of the efficiencies (anode-free retention).

    >>> round(cumulative_efficiency([0.99] * 100), 3)
    0.366
    """
    return math.prod(efficiencies)


def reservoir_life(*, excess_mAh: float, cycled_mAh: float, efficiency: float) -> float:
    """Cycles that an excess of lithium lasts: excess / (cycled (1 - CE)); infinite for an efficiency of one.

    >>> round(reservoir_life(excess_mAh=4.0, cycled_mAh=1.0, efficiency=0.99))
    400
    """
    loss = 1.0 - efficiency
    return math.inf if loss <= 0 else excess_mAh / (cycled_mAh * loss)


def efficiency(cycled: Cycled) -> Outcome:
    """Mean of the cycle efficiencies, ratio of the sums, scatter, uncertainty; cycles without an efficiency apart.

    Formation cycles are left out of the statistics and listed. A cycle outside the limits is an event, and stays in.
    """
    table = per_cycle(cycled)
    chosen = table.filter((pl.col("cycle") > cycled.thresholds.formation_cycles) & pl.col("efficiency").is_not_null())
    if chosen.height == 0:
        reasons = cycled.cycles["no_efficiency_because"].drop_nulls()
        why = f"no cycle has an efficiency: {reasons[0]}" if reasons.len() else "no complete cycle"
        return nothing(why, *USED)
    values = chosen["efficiency"].to_numpy()
    mean, expanded = float(np.mean(values)), float(chosen["uncertainty_k2"].mean())  # type: ignore[arg-type]
    pooled = float(chosen["stripped_mAh"].sum()) / float(chosen["plated_mAh"].sum())
    n_without = cycled.cycles.height - cycled.cycles["efficiency"].count()
    offset = instrument(cycled).offset
    result = {
        "mean_efficiency": mean,
        "loss": 1 - mean,
        "uncertainty_k2": expanded,
        "offset_share_of_variance": float(chosen["offset_share"].mean()),  # type: ignore[arg-type]
        "verdict": verdict(1 - mean, expanded, offset.kind),
        "stripped_over_plated": pooled,
        "median_efficiency": float(np.median(values)),
        "median_tester_efficiency": chosen["tester_efficiency"].median(),
        "standard_deviation": float(np.std(values, ddof=1)) if len(values) > 1 else None,
        "n_cycles": len(values),
        "n_cycles_without": n_without,
        "first_efficiency": _at(table, 0),
        "formation_efficiencies": table.filter(pl.col("cycle") <= cycled.thresholds.formation_cycles)[
            "efficiency"
        ].to_list(),
        "cumulative_efficiency": cumulative_efficiency(values.tolist()),
        "cycles_per_capacity_of_excess": _finite(reservoir_life(excess_mAh=1.0, cycled_mAh=1.0, efficiency=mean)),
        "offset_uA": offset.value,
        "offset_kind": offset.kind,
    }
    return Outcome(
        values=result,
        notes=(offset.source, *_notes(cycled, n_without), *_formation_hint(cycled)),
        used=USED,
        table=table,
        events=_outside(cycled, chosen),
    )


def per_cycle(cycled: Cycled) -> pl.DataFrame:
    """Cycle, charges, efficiency, its uncertainty (k = 2) and the share of the offset in it."""
    known = cycled.cycles.filter(pl.col("efficiency").is_not_null())
    parts = ("efficiency", "plated_mAh", "plate_time_h", "strip_time_h")
    counting = (known["efficiency"] - known["tester_efficiency"]).abs().fill_null(0.0).to_numpy()
    found = budget(
        instrument(cycled), n_switches=2, counting=counting, **{part: known[part].to_numpy() for part in parts}
    )
    uncertain = known.select(
        "cycle",
        pl.Series("uncertainty_k2", found.expanded, pl.Float64),
        pl.Series("offset_share", found.offset_share, pl.Float64),
    )
    named = ("cycle", "start_time_h", "plated_mAh", "stripped_mAh", "efficiency", "tester_efficiency")
    table = cycled.cycles.select(*named, "no_efficiency_because")
    return table.join(uncertain, on="cycle", how="left", maintain_order="left")


def _at(table: pl.DataFrame, place: int) -> float | None:
    value: float | None = table["efficiency"][place]
    return value


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _notes(cycled: Cycled, n_without: int) -> tuple[str, ...]:
    if n_without == 0:
        return ()
    cycle, why = cycled.cycles.filter(pl.col("efficiency").is_null()).select("cycle", "no_efficiency_because").row(0)
    return (f"{n_without} cycles have no efficiency; the first is cycle {cycle}: {why}",)


def _formation_hint(cycled: Cycled) -> tuple[str, ...]:
    """A hint when the first cycles ran at another current than the others and were not said to be formation."""
    current = cycled.cycles["plate_current_mA"].to_numpy()
    if cycled.thresholds.formation_cycles or len(current) < 4:
        return ()
    other = np.abs(current / np.median(current) - 1) > OTHER_CURRENT
    n = int(np.argmin(other)) if not other.all() else 0
    if n == 0:
        return ()
    return (f"the first {n} cycles ran at another current and are in the mean: --threshold formation_cycles={n}",)


def _outside(cycled: Cycled, chosen: pl.DataFrame) -> tuple[Event, ...]:
    limits = cycled.thresholds
    out = chosen.filter(~pl.col("efficiency").is_between(limits.efficiency_low, limits.efficiency_high))
    times = dict(cycled.cycles.select("cycle", "start_time_h").iter_rows())
    return tuple(
        Event("efficiency_outside", f"cycle efficiency {value:.2%}", time_h=times[cycle], cycle=cycle)
        for cycle, value in out.select("cycle", "efficiency").iter_rows()
    )
