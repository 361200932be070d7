"""Life of a cell by every rule in use, each with its name; none is called the life."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl

from interlith.cycling import retention
from interlith.cycling.erratic import onset_cycle
from interlith.cycling.kind import FULL_KINDS, HOST_KINDS
from interlith.cycling.outcome import Cycled, Event, Outcome, nothing
from interlith.cycling.shorts import shorts, steady_branches, symmetric_shorts

USED = ("life_efficiency", "life_successive", "life_polarization_factor", "life_settling_cycles", "life_retention", "reference_cycle")


def life(cycled: Cycled) -> Outcome:
    """First cycle, by each rule, at which the cell is spent; null where it is not within the record.

    Each rule: {"cycle": int or null, "rule": sentence}. A cell that outlives the record has null everywhere.
    """
    rules = _rules(cycled)
    if not rules:
        return nothing(f"no rule of life for a test of kind {cycled.kind}", *USED)
    n_cycles = cycled.cycles.height
    values: dict[str, Any] = {name: {"cycle": cycle, "rule": text} for name, cycle, text in rules}
    values["n_cycles_in_record"] = n_cycles
    events = tuple(Event("end_of_life", f"{name}: {text}", cycle=cycle, time_h=_time(cycled, cycle)) for name, cycle, text in rules if cycle)
    return Outcome(values=values, used=USED, events=events)


Rule = tuple[str, int | None, str]


def _rules(cycled: Cycled) -> list[Rule]:
    if cycled.kind in HOST_KINDS:
        return [*_low_efficiency(cycled), _erratic(cycled), _short(cycled)]
    if cycled.kind == "symmetric":
        return [_polarization(cycled), _short(cycled)]
    if cycled.kind in FULL_KINDS:
        return [_retention(cycled), *_low_efficiency(cycled), _short(cycled)]
    return []


def _low_efficiency(cycled: Cycled) -> list[Rule]:
    n = cycled.thresholds.life_successive
    known = cycled.cycles.filter(pl.col("efficiency").is_not_null() & (pl.col("cycle") > cycled.thresholds.formation_cycles))
    rules: list[Rule] = []
    for limit in cycled.thresholds.life_efficiency:
        cycle = first_of_run(known["cycle"].to_numpy(), known["efficiency"].to_numpy(), lambda e, limit=limit: e < limit, n)  # type: ignore[misc]
        rules.append((f"efficiency_below_{limit:.0%}".replace("%", "_percent"), cycle, f"first of {n} cycles in a row below {limit:.0%}"))
    return rules


def _erratic(cycled: Cycled) -> Rule:
    return "erratic", onset_cycle(cycled), "first erratic cycle"


def _short(cycled: Cycled) -> Rule:
    events = [e for e in shorts(cycled).events if e.code in ("soft_short", "hard_short")]
    cycle = min((e.cycle for e in events if e.cycle is not None), default=None)
    return "short", cycle, "first sign of a short"


def _retention(cycled: Cycled) -> Rule:
    limit = cycled.thresholds.life_retention
    table = retention.per_cycle(cycled)
    cycle = first_of_run(table["cycle"].to_numpy(), table["retention"].to_numpy(), lambda r: r < limit, 1)
    return f"retention_below_{limit:.0%}".replace("%", "_percent"), cycle, f"capacity below {limit:.0%} of the reference cycle"


def _polarization(cycled: Cycled) -> Rule:
    """Polarization above a multiple of its minimum after the settling cycles, shorted branches left out of the minimum."""
    factor, settling = cycled.thresholds.life_polarization_factor, cycled.thresholds.life_settling_cycles
    text = f"polarization {factor:g} times its minimum after cycle {settling}"
    cut = steady_branches(cycled)
    both = cycled.half_cycles.filter(~pl.col("fragment"))["sign"].n_unique() > 1
    size = np.nanmedian(cut.size_V, axis=1) if len(cut.start_h) else np.empty(0)
    cycle = np.arange(len(size)) // (2 if both else 1) + 1
    late = cycle > settling
    if not late.any():
        return "polarization", None, text
    shorted = np.zeros(len(size), dtype=bool)
    for event in (e for e in symmetric_shorts(cycled).events if e.time_h is not None):
        shorted |= (cut.start_h + cut.bin_h * cut.size_V.shape[1] > event.time_h) & (cut.start_h < (event.end_time_h or np.inf))
    lowest = np.minimum.accumulate(np.where(shorted, np.inf, size)[late])
    return "polarization", first_of_run(cycle[late], size[late] / lowest, lambda r: r > factor, 1), text


def first_of_run(cycle: np.ndarray, value: np.ndarray, spent: Callable[[np.ndarray], np.ndarray], n: int) -> int | None:
    """First cycle of the first n cycles in a row that are spent, or None.

    >>> first_of_run(np.array([1, 2, 3, 4]), np.array([1.0, 0.5, 0.5, 0.5]), lambda e: e < 0.9, 3)
    2
    """
    if len(value) < n:
        return None
    runs = np.lib.stride_tricks.sliding_window_view(spent(value), n).all(axis=1)
    return int(cycle[int(np.argmax(runs))]) if runs.any() else None


def _time(cycled: Cycled, cycle: int | None) -> float | None:
    row = cycled.cycles.filter(pl.col("cycle") == cycle)
    return float(row["start_time_h"][0]) if row.height else None
