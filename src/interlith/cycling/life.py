"""Life of a cell by every rule in use, each with its name; none is called the life."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from interlith.cycling import retention
from interlith.cycling.erratic import onset_cycle
from interlith.cycling.kind import FULL_KINDS, HOST_KINDS
from interlith.cycling.outcome import Cycled, Event, Outcome, nothing
from interlith.cycling.shorts import Branches, shorts, steady_branches, symmetric_shorts

USED = (
    "life_efficiency",
    "life_successive",
    "life_polarization_factor",
    "life_settling_cycles",
    "life_retention",
    "reference_cycle",
)


def life(cycled: Cycled) -> Outcome:
    """First cycle, by each rule, at which the cell is spent; null where it is not within the record.

    Each rule: {"cycle": int or null, "time_h": h or null, "rule": sentence}. A cell that outlives its record has nulls.
    """
    rules = _rules(cycled)
    if not rules:
        return nothing(f"no rule of life for a test of kind {cycled.kind}", *USED)
    values: dict[str, Any] = {r.name: {"cycle": r.cycle, "time_h": r.time_h, "rule": r.text} for r in rules}
    values["n_cycles_in_record"] = cycled.cycles.height
    events = tuple(
        Event("end_of_life", f"{rule.name}: {rule.text}", cycle=rule.cycle, time_h=rule.time_h)
        for rule in rules
        if rule.time_h is not None
    )
    return Outcome(values=values, used=USED, events=events)


SIGNS = ("soft_short", "hard_short", "no_cutoff", "overstrip")


@dataclass(frozen=True)
class Rule:
    """One rule of life: its name, the rule in words, when the cell was spent by it (None: not within the record)."""

    name: str
    text: str
    cycle: int | None = None
    time_h: float | None = None


def _rule(cycled: Cycled, name: str, text: str, cycle: int | None) -> Rule:
    return Rule(name, text, cycle, _time(cycled, cycle))


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
    known = cycled.cycles.filter(
        pl.col("efficiency").is_not_null() & (pl.col("cycle") > cycled.thresholds.formation_cycles)
    )
    rules = []
    for limit in cycled.thresholds.life_efficiency:
        cycle = first_of_run(known["cycle"].to_numpy(), known["efficiency"].to_numpy() < limit, n)
        text = f"first of {n} cycles in a row below {limit:.0%}"
        rules.append(_rule(cycled, f"efficiency_below_{_percent(limit)}", text, cycle))
    return rules


def _percent(fraction: float) -> str:
    return f"{fraction * 100:g}_percent"


def _erratic(cycled: Cycled) -> Rule:
    return _rule(cycled, "erratic", "first erratic cycle", onset_cycle(cycled))


def _short(cycled: Cycled) -> Rule:
    text = "first sign of a short"
    signs = [e for e in shorts(cycled).events if e.code in SIGNS and e.time_h is not None]
    if not signs:
        return Rule("short", text)
    first = min(signs, key=lambda event: event.time_h or 0.0)
    return Rule("short", text, first.cycle, first.time_h)


def _retention(cycled: Cycled) -> Rule:
    limit = cycled.thresholds.life_retention
    table = retention.per_cycle(cycled)
    cycle = first_of_run(table["cycle"].to_numpy(), table["retention"].to_numpy() < limit, 1)
    text = f"capacity below {limit:.0%} of the reference cycle"
    return _rule(cycled, f"retention_below_{_percent(limit)}", text, cycle)


def _polarization(cycled: Cycled) -> Rule:
    """Polarization above a multiple of its minimum after the settling cycles; shorted branches are no minimum."""
    factor, settling = cycled.thresholds.life_polarization_factor, cycled.thresholds.life_settling_cycles
    text = f"polarization {factor:g} times its minimum after cycle {settling}"
    cut = steady_branches(cycled)
    if cycled.cycles["strip_half_cycle"].count() == 0 or len(cut.start_h) == 0:
        return Rule("polarization", text + " (needs both directions)")
    cycle = np.searchsorted(cycled.cycles["start_time_h"].to_numpy(), cut.start_h, side="right")
    size, late = np.nanmedian(cut.size_V, axis=1), cycle > settling
    if not late.any():
        return Rule("polarization", text)
    lowest = np.minimum.accumulate(np.where(_shorted(cycled, cut), np.inf, size)[late])
    return _rule(cycled, "polarization", text, first_of_run(cycle[late], size[late] / lowest > factor, 1))


def _shorted(cycled: Cycled, cut: Branches) -> np.ndarray:
    """Branches that lie, in part or whole, within a short."""
    shorted = np.zeros(len(cut.start_h), dtype=bool)
    for event in symmetric_shorts(cycled).events:
        ended = np.inf if event.end_time_h is None else event.end_time_h
        begun = cut.start_h + cut.bin_h * cut.size_V.shape[1] > (event.time_h or 0.0)
        shorted |= begun & (cut.start_h < ended)
    return shorted


def first_of_run(cycle: np.ndarray, spent: np.ndarray, n: int) -> int | None:
    """First cycle of the first n cycles in a row that are spent, or None.

    >>> first_of_run(np.array([1, 2, 3, 4]), np.array([False, True, True, True]), 3)
    2
    """
    if len(spent) < n:
        return None
    runs = np.lib.stride_tricks.sliding_window_view(spent, n).all(axis=1)
    return int(cycle[int(np.argmax(runs))]) if runs.any() else None


def _time(cycled: Cycled, cycle: int | None) -> float | None:
    if cycle is None:
        return None
    row = cycled.cycles.filter(pl.col("cycle") == cycle)
    return float(row["start_time_h"][0]) if row.height else None
