"""The figure of a sweep: every unit as a line through its varied keys and its outcomes, coloured by the first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from interlith.findings import Finding
from interlith.report.sketch import GREY, INK, PALE, Axes, Floats, Sketch
from interlith.report.wording import quantity

UNITS = "units"
MOST_LINES, MOST_AXES = 2000, 10
DECADES = 2.0  # spanned from which an axis is logarithmic
LONGEST = 26
BEHIND = {"boxstyle": "square,pad=0.15", "fc": "white", "ec": "none", "alpha": 0.8}  # of words over lines
DENSE = 300  # lines above which they are pixels in the SVG


def parallel(finding: Finding) -> Sketch | None:
    """Every unit of a sweep as a line through parallel axes."""
    table = finding.tables.get(UNITS)
    if finding.summary.get("kind") != "sweep" or table is None:
        return None
    outcomes = [row["outcome"] for row in finding.summary["outcomes"] if row["n"]]
    varied = [name for name in finding.summary["varied"] if name in table.columns]
    if not outcomes:
        return None
    names = [*varied, *outcomes][:MOST_AXES]
    whole = table.filter(pl.col(outcomes[0]).is_not_null()).select("unit", *names)
    data = whole.gather_every(max(1, -(-whole.height // MOST_LINES)))
    left = f" {whole.height - data.height} of {whole.height} units are not drawn." if data.height < whole.height else ""
    caption = (
        f"Each line is one unit: on the left what was varied, on the right what came of it; coloured by "
        f"{quantity(outcomes[0])}. {finding.summary['n_failed']} units failed.{left}"
    )
    paint = lambda canvas: _paint(canvas, data, names, len(varied), outcomes[0])  # noqa: E731
    return Sketch("parallel", "What was varied, and what came of it", caption, data, paint, 3.4)


def _paint(canvas: Axes, data: pl.DataFrame, names: Sequence[str], n_varied: int, colour_by: str) -> None:
    axes = canvas.subplots()
    heights, marks = zip(*(_axis(data[name]) for name in names), strict=True)
    places = np.arange(len(names), dtype=float)
    shade = _axis(data[colour_by])[0]
    from matplotlib import colormaps
    from matplotlib.collections import LineCollection

    lines = [np.column_stack([places, [h[i] for h in heights]]) for i in range(data.height)]
    alpha = float(np.clip(60.0 / max(data.height, 1), 0.08, 0.8))
    held = LineCollection(lines, colors=colormaps["viridis"](shade), linewidths=0.8, alpha=alpha)
    held.set_rasterized(data.height > DENSE)
    axes.add_collection(held)
    for place, ends in zip(places, marks, strict=True):
        axes.axvline(place, color=INK if place >= n_varied else GREY, lw=0.9, zorder=3)
        for height, text in ends:
            told = {"fontsize": 7, "va": "center", "color": INK, "bbox": BEHIND}
            axes.annotate(text, (place, height), xytext=(4, 0), textcoords="offset points", zorder=4, **told)
    axes.axvspan(n_varied - 0.5, len(names) - 0.5, color=PALE, alpha=0.35, zorder=0)
    axes.set_xlim(-0.3, len(names) - 0.3)
    axes.set_ylim(-0.05, 1.05)
    axes.set_xticks(places, [_short(quantity(name)) for name in names], rotation=28, ha="right", fontsize=7.5)
    axes.set_yticks([])
    axes.grid(False)
    axes.spines["left"].set_visible(False)


def _axis(column: pl.Series) -> tuple[Floats, list[tuple[float, str]]]:
    """Heights from 0 to 1, and marks with their height."""
    if not column.dtype.is_numeric():
        words = sorted({str(value) for value in column})
        step = 1.0 / max(len(words) - 1, 1)
        at = {word: i * step if len(words) > 1 else 0.5 for i, word in enumerate(words)}
        return np.array([at[str(value)] for value in column]), [(at[word], word[:LONGEST]) for word in words]
    values = column.cast(pl.Float64).to_numpy()
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    if low == high:
        return np.full(len(values), 0.5), [(0.5, f"{low:.3g}")]
    is_log = low > 0 and np.log10(high / low) >= DECADES
    scale: Any = np.log if is_log else np.asarray
    middle = float(np.sqrt(low * high)) if is_log else (low + high) / 2.0
    heights = (scale(values) - scale(low)) / (scale(high) - scale(low))
    digits = 4 if not is_log and (high - low) < 0.1 * abs(high) else 3
    return heights, [(0.0, f"{low:.{digits}g}"), (0.5, f"{middle:.{digits}g}"), (1.0, f"{high:.{digits}g}")]


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"...{text[-LONGEST:]}"
