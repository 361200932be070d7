"""What a study expects beside what came out: one row each, its deviation, how ours is known, why it is missed.

Kinds: computed, from the wing's own laws and inputs; calibrated, because something was fitted to this very number;
predicted, by a model that was fitted to something else, or to nothing; audit, arithmetic with published numbers. What
was fitted to the number in question is found in the sources of the stage's parameters, whatever the file calls it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from interlith.errors import InputError
from interlith.handing import MOST_NAMED, VALUES, kind_of, number_in, value_at
from interlith.study import SEPARATOR, Expected, Kind, Path_, Study, names_of, stage_of

PERCENT = 100.0
EXTRAPOLATED = "extrapolated from parameters that were fitted on another test, or another paper"
SAME_WITHIN = 1e-9
LEAST_DIGITS = 3  # a number with fewer is too common to be recognized in a text
KINDS: Mapping[str, Kind] = {
    "surface": "computed",
    "coating": "computed",
    "tests": "predicted",
    "held_out": "predicted",
    "fits": "calibrated",
    "measured": "computed",
    "pouch": "computed",
}
Summaries = Mapping[Path_, Mapping[str, Any]]


@dataclass(frozen=True)
class Row:
    """A line of the table. paper, ours: number, word or None. deviation: relative, of the loss where that is asked."""

    section: str
    quantity: str
    unit: str
    paper: Any
    bound: str | None
    ours: Any
    low: float | None
    high: float | None
    deviation: float | None
    kind: Kind
    within: bool | None
    reason: str
    source: str
    place: str


def rows(study: Study, summaries: Summaries, failed: Mapping[Path_, str]) -> list[Row]:
    """The table of a study. failed: stages without a result, and why; their rows have nothing of ours, and say so."""
    return [_row(study, one, summaries, failed) for one in study.asked.expect]


def _row(study: Study, asked: Expected, summaries: Summaries, failed: Mapping[Path_, str]) -> Row:
    held: list[Any] = []
    low = high = None
    reasons = [asked.reason] if asked.reason else []
    for path in asked.places:
        stage = stage_of(path, names_of(study))
        assert stage is not None  # as the study was read
        if stage in failed:
            reasons.insert(0, f"{'.'.join(stage)}: {failed[stage]}")
            continue
        try:
            found = value_at(summaries[stage], path[len(stage) :], SEPARATOR.join(stage))
        except InputError as problem:
            reasons.insert(0, str(problem))
            continue
        if isinstance(found, Mapping):
            low, high = found.get("low"), found.get("high")
            reasons += [found["reason"]] if found.get("reason") and not asked.reason else []
            if not any(key in found for key in VALUES):
                below = ", ".join(list(map(str, found))[:MOST_NAMED])
                reasons.insert(0, f"{SEPARATOR.join(path)}: a table; what is compared lies below it ({below})")
            found = number_in(found)
        held.append(found)
        if not asked.reason and summaries[stage].get("result_kind") == "extrapolated":
            reasons.append(EXTRAPOLATED)
        reasons += _why(summaries[stage], path[len(stage) :]) if not asked.reason else []
    if asked.ratio is not None:
        low = high = None  # of one of both
    ours = _ours(asked, held)
    kind = _kind(asked, study, summaries)
    within = _within(asked, ours, low, high)
    return Row(
        asked.section,
        asked.quantity,
        asked.unit,
        list(asked.paper) if isinstance(asked.paper, tuple) else asked.paper,
        asked.bound,
        ours,
        low,
        high,
        _deviation(asked, ours),
        kind,
        within,
        "; ".join(dict.fromkeys(reasons)),
        asked.source or study.asked.source,
        " / ".join(SEPARATOR.join(path) for path in asked.places),
    )


def _ours(asked: Expected, held: list[Any]) -> Any:
    if asked.ratio is None:
        return held[0] if held else None
    if len(held) != 2 or not all(_is_number(value) for value in held) or held[1] == 0:
        return None
    return float(held[0]) / float(held[1])


def _why(summary: Mapping[str, Any], path: Path_) -> list[str]:
    """What an audit says of the number that was taken from it."""
    if "audits" not in path:
        return []
    audit = value_at(summary, path[: path.index("audits") + 2])
    return [str(audit["text"])] if isinstance(audit, Mapping) and "text" in audit else []


def _kind(asked: Expected, study: Study, summaries: Summaries) -> Kind:
    """What ours is: as the file says, or as its stage is; but calibrated where something was fitted to this number."""
    names = names_of(study)
    stages = [stage_of(path, names) for path in asked.places]
    for stage, path in zip(stages, asked.places, strict=True):
        if stage is None or stage not in summaries:
            continue
        is_fitted_for = kind_of(stage, path, summaries[stage]) == "calibrated"
        rests_on_nothing_else = stage[0] in ("fits", "surface") or asked.kind == "predicted"
        if _is_fitted(asked, summaries[stage]) or (is_fitted_for and rests_on_nothing_else):
            return "calibrated"
    if asked.kind is not None:
        return asked.kind
    if any("audits" in path for path in asked.places):
        return "audit"
    return KINDS[str(stages[0][0])] if stages[0] else "computed"


def _is_fitted(asked: Expected, summary: Mapping[str, Any]) -> bool:
    """Whether the stage is the very test to which its parameters were fitted, or one was fitted to this number."""
    if summary.get("result_kind") == "calibrated" and summary.get("ledger"):
        return True
    if not isinstance(asked.paper, float):
        return False
    for row in summary.get("parameters") or ():
        if row["kind"] != "calibrated":
            continue
        for text, is_percent in re.findall(r"(\d+(?:\.\d+)?)\s*(?:wt)?(%)?", row["source"]):
            number = float(text) / (PERCENT if is_percent else 1.0)
            digits = len(text.replace(".", "").strip("0"))
            if digits >= LEAST_DIGITS and math.isclose(number, asked.paper, rel_tol=SAME_WITHIN):
                return True
    return False


def _within(asked: Expected, ours: Any, low: float | None, high: float | None) -> bool | None:
    """Whether both agree: the paper's number in our span, where there is one, else within the tolerance."""
    paper = asked.paper
    if paper is None or ours is None or not asked.is_judged:
        return None
    if isinstance(paper, str) or not _is_number(ours):
        return str(ours) == str(paper)
    if isinstance(paper, tuple):
        return bool(paper[0] <= ours <= paper[1])
    if asked.bound is not None:
        best = high if asked.bound == "least" else low
        best = ours if best is None else best
        return bool(best >= paper if asked.bound == "least" else best <= paper)
    if low is not None and high is not None:
        return bool(low <= paper <= high)
    if ours == paper:
        return True
    off = _deviation(asked, ours)
    return off is not None and abs(off) <= asked.tolerance


def _deviation(asked: Expected, ours: Any) -> float | None:
    """Ours over the paper's number less 1; of what is lost, where a fraction is near 1; None where neither is one."""
    paper = asked.paper
    if not isinstance(paper, float) or not _is_number(ours):
        return None
    if asked.is_loss:
        return None if paper == 1.0 else (1.0 - ours) / (1.0 - paper) - 1.0
    return None if paper == 0.0 else ours / paper - 1.0


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
