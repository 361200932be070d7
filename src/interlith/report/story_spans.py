"""Ours beside the paper's, a row each: a point with its span, and the published value, in numbers and in a word."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from interlith.report.sketch import GREEN, GREY, INK, PALE, PLATE, STRIP, Axes, Floats, drawable
from interlith.report.wording import number

ROW_IN, HEAD_IN = 0.27, 0.75
NAME_WIDTH = 38
WORD_PT, NUMBERS_PT = 6, 50  # from the right edge of the axes
AFTER_DIGIT, NO_BREAK = re.compile(r"(?<=\d) (?=[A-Za-z])"), "\u00a0"  # a number and its unit stay together
SCHEMA = {
    "quantity": pl.String,
    "unit": pl.String,
    "ours": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "paper": pl.Float64,
    "bound": pl.String,
    "kind": pl.String,
    "met": pl.Boolean,
}
NEARLY_ONE = 0.9
LEAST_RATIO = 0.08
RATIOS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


def is_number(value: Any) -> bool:
    """Whether a value of a row can be drawn."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def spans(rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """Rows of a study's table whose values are numbers, as they are drawn."""
    kept = [row for row in rows if is_number(row["ours"]) and is_number(row["paper"])]
    held = [
        {
            **{name: row[name] for name in ("quantity", "unit", "bound", "kind")},
            **{name: None if row[name] is None else float(row[name]) for name in ("ours", "low", "high", "paper")},
            "met": row["within"],
        }
        for row in kept
    ]
    return pl.DataFrame(held, schema=SCHEMA)


def word_of(row: Mapping[str, Any]) -> tuple[str, str]:
    """Whether a row is met, in a word and a colour; what was fitted says so.

    >>> word_of({"kind": "predicted", "met": False})[0], word_of({"kind": "calibrated", "met": True})[0]
    ('missed', 'fitted')
    """
    if row["kind"] == "calibrated" and row["met"]:
        return "fitted", GREY
    return {True: ("met", GREEN), False: ("missed", STRIP), None: ("not judged", GREY)}[row["met"]]


def height_in(data: pl.DataFrame) -> float:
    """Height of the axes that hold so many rows."""
    return HEAD_IN + ROW_IN * data.height


def paint_spans(axes: Axes, data: pl.DataFrame, *, is_ratio: bool = False, label: str = "") -> None:
    """A row each: pale the span, a point ours (hollow where fitted), a diamond the paper's; numbers on the right.

    is_ratio: all over the paper's value, on a logarithmic axis, the paper's a line at 1.
    """
    scale = data["paper"].to_numpy() if is_ratio else np.ones(data.height)
    _paint_values(axes, data, scale)
    if is_ratio:
        _ratio_axis(axes)
    else:
        axes.plot(data["paper"], range(data.height), "D", ms=4.5, color=INK, ls="none", label="published", zorder=2)
    _paint_words(axes, data)
    names = [textwrap.fill(AFTER_DIGIT.sub(NO_BREAK, drawable(str(name))), NAME_WIDTH) for name in data["quantity"]]
    axes.set_yticks(range(data.height), names, fontsize=7)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.set_ylim(data.height - 0.4, -0.6)
    axes.set_xlabel(label)


def _paint_values(axes: Axes, data: pl.DataFrame, scale: Floats) -> None:
    places = np.arange(data.height)
    low, high = (data[name].to_numpy() / scale for name in ("low", "high"))
    known = np.isfinite(low) & np.isfinite(high)
    if known.any():
        style = {"color": PALE, "lw": 6, "zorder": 1}
        axes.hlines(places[known], low[known], high[known], label="span of what is assumed", **style)
    for kind in data["kind"].unique(maintain_order=True):
        here = (data["kind"] == kind).to_numpy()
        is_fitted = kind == "calibrated"
        axes.plot(
            (data["ours"].to_numpy() / scale)[here],
            places[here],
            "o",
            ms=5,
            mec=PLATE,
            mew=1.2,
            mfc="white" if is_fitted else PLATE,
            ls="none",
            label="ours, fitted to it" if is_fitted else f"ours, {kind}",
            zorder=3,
        )


def _paint_words(axes: Axes, data: pl.DataFrame) -> None:
    """Right of the axes: whether each row is met, ours and the paper's."""
    from matplotlib.transforms import offset_copy

    shifted = {
        shift: offset_copy(axes.get_yaxis_transform(), axes.figure, x=shift, units="points")
        for shift in (WORD_PT, NUMBERS_PT)
    }
    style = {"va": "center", "fontsize": 7}
    axes.text(1.0, -0.85, "ours | paper", transform=shifted[NUMBERS_PT], color=GREY, **style)
    for place, row in enumerate(data.iter_rows(named=True)):
        word, colour = word_of(row)
        bound = {"least": "≥ ", "most": "≤ "}.get(row["bound"] or "", "")
        unit = "" if row["unit"] == "1" else f" {row['unit']}"
        text = f"{_told(row['ours'])} | {bound}{_told(row['paper'])}{unit}"
        axes.text(1.0, place, word, transform=shifted[WORD_PT], color=colour, fontweight="bold", **style)
        axes.text(1.0, place, drawable(text), transform=shifted[NUMBERS_PT], color=INK, **style)


def _told(value: float) -> str:
    """A number with three digits, or four where it is nearly 1."""
    return number(value, 4 if NEARLY_ONE < value < 1.0 else 3)


def _ratio_axis(axes: Axes) -> None:
    axes.axvline(1.0, color=INK, lw=1.0, ls=(0, (4, 3)), label="published", zorder=0)
    axes.set_xscale("log")
    axes.set_xlim(LEAST_RATIO, 1.0 / LEAST_RATIO)
    axes.set_xticks(RATIOS, [f"{ratio:g}" for ratio in RATIOS])
    axes.set_xticks([], minor=True)
