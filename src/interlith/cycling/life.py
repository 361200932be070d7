"""Life of a cell by every rule in use, each with its name; none is called the life."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from interlith.cycling import retention
from interlith.cycling.erratic import erratic, onset_cycle
from interlith.cycling.kind import FULL_KINDS, HOST_KINDS
from interlith.cycling.outcome import Cycled, Event, Outcome, nothing
from interlith.cycling.shorts import SAME_CURRENT, SIGNS, Branches, shorts, steady_branches

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

    Each rule: {"state": reached, not reached or not judged, "cycle", "time_h" (null unless reached), "rule": sentence}.
    """
    rules = _rules(cycled)
    if not rules:
        return nothing(f"no rule of life for a test of kind {cycled.kind}", *USED)
    n = cycled.cycles.height
    values: dict[str, Any] = {
        r.name: {"state": _state(r, n), "cycle": r.cycle, "time_h": r.time_h, "rule": r.text} for r in rules
    }
    values["n_cycles_in_record"] = cycled.cycles.height
    events = tuple(
        Event("end_of_life", f"{rule.name}: {rule.text}", cycle=rule.cycle, time_h=rule.time_h)
        for rule in rules
        if rule.time_h is not None
    )
    return Outcome(values=values, used=USED, events=events)


@dataclass(frozen=True)
class Rule:
    """One rule of life: its name, the rule in words, when the cell was spent by it (None: not within the record)."""

    name: str
    text: str
    cycle: int | None = None
    time_h: float | None = None
    not_judged: str | None = None


def _state(rule: Rule, n_cycles: int) -> str:
    if rule.not_judged:
        return f"not judged: {rule.not_judged}"
    return "reached" if rule.time_h is not None else f"not reached in {n_cycles} cycles"


def _rule(cycled: Cycled, name: str, text: str, cycle: int | None) -> Rule:
    return Rule(name, text, cycle, _time(cycled, cycle))


def _rules(cycled: Cycled) -> list[Rule]:
    if cycled.kind in HOST_KINDS:
        return [*_low_efficiency(cycled), _erratic(cycled), _short(shorts(cycled))]
    if cycled.kind == "symmetric":
        found = shorts(cycled)
        return [_polarization(cycled, found), _short(found)]
    if cycled.kind in FULL_KINDS:
        return [_retention(cycled), *_low_efficiency(cycled), _short(shorts(cycled))]
    return []


def _low_efficiency(cycled: Cycled) -> list[Rule]:
    n = cycled.thresholds.life_successive
    known = cycled.cycles.filter(
        pl.col("efficiency").is_not_null() & (pl.col("cycle") > cycled.thresholds.formation_cycles)
    )
    rules = []
    for limit in cycled.thresholds.life_efficiency:
        cycle = first_of_run(known["cycle"].to_numpy(), known["efficiency"].to_numpy() < limit, n, together=True)
        text = f"first of {n} cycles in a row below {limit:.0%}"
        rules.append(_rule(cycled, f"efficiency_below_{_percent(limit)}", text, cycle))
    return rules


def _percent(fraction: float) -> str:
    return f"{fraction * 100:g}_percent"


def _erratic(cycled: Cycled) -> Rule:
    why = erratic(cycled).why_not
    if why:
        return Rule("erratic", "first erratic cycle", not_judged=why)
    return _rule(cycled, "erratic", "first erratic cycle", onset_cycle(cycled))


def _short(found: Outcome) -> Rule:
    text = "first sign of a short"
    if found.why_not:
        return Rule("short", text, not_judged=found.why_not)
    signs = [e for e in found.events if e.code in SIGNS and e.time_h is not None]
    if not signs:
        return Rule("short", text)
    first = min(signs, key=lambda event: event.time_h or 0.0)
    return Rule("short", text, first.cycle, first.time_h)


def _retention(cycled: Cycled) -> Rule:
    limit = cycled.thresholds.life_retention
    table = retention.per_cycle(cycled)
    n = cycled.thresholds.life_successive
    text = f"first of {n} capacities in a row below {limit:.0%} of the reference cycle"
    if table.height < n:
        return Rule(
            f"retention_below_{_percent(limit)}",
            text,
            not_judged="too few cycles at the current of the reference cycle",
        )
    cycle = first_of_run(table["cycle"].to_numpy(), table["retention"].to_numpy() < limit, n)
    return _rule(cycled, f"retention_below_{_percent(limit)}", text, cycle)


def _polarization(cycled: Cycled, found: Outcome) -> Rule:
    """Polarization above a multiple of its minimum after the settling cycles; shorted branches are no minimum."""
    factor, settling = cycled.thresholds.life_polarization_factor, cycled.thresholds.life_settling_cycles
    text = f"polarization {factor:g} times its minimum after cycle {settling}"
    cut = steady_branches(cycled)
    if cycled.cycles["strip_half_cycle"].count() == 0 or len(cut.start_h) == 0:
        return Rule("polarization", text, not_judged="needs both directions")
    cycle = np.searchsorted(cycled.cycles["start_time_h"].to_numpy(), cut.start_h, side="right")
    size = np.nanmedian(cut.size_V, axis=1)
    usual = np.median(np.abs(cut.current_mA))
    late = (cycle > settling) & (np.abs(np.abs(cut.current_mA) / usual - 1) <= SAME_CURRENT)
    if not late.any():
        return Rule("polarization", text, not_judged="no cycle at the usual current after settling")
    lowest = np.minimum.accumulate(np.where(_shorted(found, cut), np.inf, size)[late])
    return _rule(cycled, "polarization", text, first_of_run(cycle[late], size[late] / lowest > factor, 1))


def _shorted(found: Outcome, cut: Branches) -> np.ndarray:
    """Branches that lie, in part or whole, within a short."""
    shorted = np.zeros(len(cut.start_h), dtype=bool)
    for event in found.events:
        ended = np.inf if event.end_time_h is None else event.end_time_h
        begun = cut.start_h + cut.bin_h * cut.size_V.shape[1] > (event.time_h or 0.0)
        shorted |= begun & (cut.start_h < ended)
    return shorted


def first_of_run(cycle: np.ndarray, spent: np.ndarray, n: int, *, together: bool = False) -> int | None:
    """First cycle of the first n in a row that are spent, or None; together: their numbers must follow each other.

    >>> first_of_run(np.array([1, 2, 3, 4]), np.array([False, True, True, True]), 3)
    2
    """
    if len(spent) < n:
        return None
    window = np.lib.stride_tricks.sliding_window_view
    runs = window(spent, n).all(axis=1)
    if together:
        runs &= np.ptp(window(cycle, n), axis=1) == n - 1
    return int(cycle[int(np.argmax(runs))]) if runs.any() else None


def _time(cycled: Cycled, cycle: int | None) -> float | None:
    if cycle is None:
        return None
    row = cycled.cycles.filter(pl.col("cycle") == cycle)
    return float(row["start_time_h"][0]) if row.height else None
