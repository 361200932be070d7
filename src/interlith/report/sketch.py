"""What every figure shares: what it is made of, its colours, and axes that a few outliers do not flatten."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from interlith.findings import Finding

Axes = Any  # a matplotlib Axes or Figure: only figures.py knows the library
Floats = NDArray[np.float64]

# Okabe & Ito, Color Universal Design (2008): told apart by the colour-blind
PLATE, STRIP, GREEN, PURPLE, ORANGE, SKY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"
INK, GREY, PALE = "#222222", "#767676", "#DDDDDD"
BRANCH_COLOURS: Mapping[str, str] = {"plate": PLATE, "strip": STRIP}
EVENT_COLOURS: Mapping[str, str] = {
    "soft_short": PURPLE,
    "hard_short": INK,
    "end_of_life": GREEN,
    "erratic_onset": ORANGE,
    "interrupted": SKY,
    "gap": GREY,
    "efficiency_outside": STRIP,
    "overstrip": STRIP,
    "no_cutoff": PLATE,
    "noisy_charge": ORANGE,
}
REASON_COLOURS = (STRIP, ORANGE, SKY, PURPLE, GREEN)
SHORT_CODES = ("soft_short", "hard_short")
CURRENT_TAGS: Mapping[str, str] = {
    "current_from_settings": "current assumed, not measured",
    "current_stated": "current stated, not measured",
    "current_derived": "current derived, not measured",
}
OF_KIND: Mapping[str, list[str]] = {
    "calibration": ["FITTED"],
    "design": ["COMPUTED"],
    "coat": ["COMPUTED"],
    "network": ["COMPUTED"],
    "deposition": ["SIMULATED", "from assumed values"],
    "sweep": ["SIMULATED"],
    "screen": ["COMPUTED by machine-learned potentials", "not by DFT"],
}
DENSE = 1200  # marks above which they are drawn as pixels inside the SVG
FEW_VALUES, FENCE, MOST_OUTSIDE = 12, 5.0, 0.1
LONGEST_TEXT = 70
WIDTH_LETTER_IN = 0.054  # of small text, on average
BEYOND_LATIN = 0x2300  # the fonts that matplotlib brings draw everything below


@dataclass(frozen=True)
class Sketch:
    """A figure before it is drawn. `data`: exactly what `paint` puts on the canvas. height_in: without the head.

    width_in: None for the width of all others.
    """

    name: str
    title: str
    caption: str
    data: pl.DataFrame
    paint: Callable[[Axes], None]
    height_in: float = 2.6
    width_in: float | None = None


def is_synthetic(summary: Mapping[str, Any]) -> bool:
    """Whether a finding was made up, by its provenance, its known truth, or the name such files are given.

    >>> is_synthetic({"provenance": {"instrument": "synthetic"}})
    True
    """
    provenance = summary.get("provenance") or {}
    said = (summary.get("format"), *(provenance.get(key) for key in ("format", "reader", "instrument")))
    name = str(summary.get("path", "")).replace("\\", "/").rpartition("/")[2]
    ours = name.startswith("synthetic-") and name.endswith(".bdf.parquet")  # what write_example writes
    return "synthetic" in said or "truth" in summary or ours


def tags(summary: Mapping[str, Any]) -> list[str]:
    """Words that must stand on every figure and section: SYNTHETIC, SIMULATED, and that a current was not measured.

    >>> tags({"flags": [{"code": "current_stated"}]})
    ['current stated, not measured']
    """
    if "marks" in summary:  # of a figure that is about several findings
        return list(summary["marks"])
    codes = [flag["code"] for flag in summary.get("flags") or []]
    found = [text for code, text in CURRENT_TAGS.items() if code in codes]
    simulated = "ledger" in summary or summary.get("kind") in ("discrimination", "held-out")
    made = ["SYNTHETIC"] if is_synthetic(summary) else ["SIMULATED"] if simulated else []
    made = OF_KIND.get(summary.get("kind") or "", made)
    return [*made, *dict.fromkeys(found)]


def branch_names(summary: Mapping[str, Any]) -> Mapping[str, str]:
    """What the two branches of a cycle are called in this kind of test."""
    if summary.get("plating_sign") is None:
        return {"plate": "first direction", "strip": "second direction"}
    if summary.get("kind") in ("full", "anode-free"):
        return {"plate": "charge", "strip": "discharge"}
    return {"plate": "plating", "strip": "stripping"}


def drawable(text: str) -> str:
    """Text that any font draws and any SVG holds: printable, not long, no rare scripts.

    >>> drawable("cell\\x00 漢")
    'cell? ?'
    """
    kept = "".join(c if c.isprintable() and ord(c) < BEYOND_LATIN else "?" for c in text)
    return kept if len(kept) <= LONGEST_TEXT else kept[: LONGEST_TEXT - 1] + "…"


def known(table: pl.DataFrame | None, *columns: str) -> pl.DataFrame:
    """Rows in which all of these columns have a finite number; no rows where the table or a column is missing."""
    if table is None or not set(columns) <= set(table.columns):
        return pl.DataFrame(schema=dict.fromkeys(columns, pl.Float64))
    return table.filter(
        pl.all_horizontal(pl.col(name).cast(pl.Float64).is_finite() for name in columns).fill_null(False)
    )


def view(values: Floats, *, room: float = 0.0, fence: float = FENCE, least: float = 0.0) -> tuple[float, float]:
    """Lowest and highest value an axis should show: all, unless a few lie far outside the middle half of the rest.

    room: space kept on both sides, for an uncertainty. fence: how many middle halves away is far. least: smallest
    height of the axis as a part of the median, so that noise is not blown up.

    >>> view(np.array([1.0, 1.1, 0.9, 1.0, 1.1, 0.9, 1.0, 1.1, 0.9, 1.0, 1.1, 0.9, 50.0]))[1] < 3
    True
    """
    low, high = float(np.min(values)), float(np.max(values))
    smallest = least * abs(float(np.median(values)))
    if len(values) >= FEW_VALUES:
        first, third = (float(q) for q in np.quantile(values, (0.25, 0.75)))
        far = fence * max(third - first, room, smallest)
        outside = (values < first - far) | (values > third + far)
        if far > 0 and 0 < np.mean(outside) <= max(MOST_OUTSIDE, 1.01 / len(values)):
            low, high = float(np.min(values[~outside])), float(np.max(values[~outside]))
    margin = max(0.06 * (high - low), (smallest - high + low) / 2, 1e-4 * max(abs(low), abs(high)), 1e-9)
    return low - room - margin, high + room + margin


def show(axes: Axes, x: Floats, y: Floats, limits: tuple[float, float], colour: str, unit: str = "") -> None:
    """Set the y limits and mark at the edge what lies outside them, with a count and the farthest value."""
    axes.set_ylim(*limits)
    places = (
        ("below", y < limits[0], limits[0], "v", np.min, "bottom", 0.09),
        ("above", y > limits[1], limits[1], "^", np.max, "top", 0.95),
    )
    for word, outside, edge, marker, farthest, side, height in places:
        if not outside.any():
            continue
        here = x[outside]
        axes.plot(
            here,
            np.full(len(here), edge),
            marker,
            ms=4,
            color=colour,
            clip_on=False,
            zorder=5,
            rasterized=len(here) > DENSE,
        )
        which = {"min": "lowest", "max": "highest"}["min" if farthest is np.min else "max"]
        text = f"{len(here)} {word} ({which} {farthest(y):.4g}{unit})"
        right = np.median(here) < np.mean(axes.get_xlim())
        note(axes, text, right=right, height=height, side=side, colour=colour)


def note(axes: Axes, text: str, *, right: bool, height: float, side: str, colour: str = GREY) -> None:
    """A short remark in a corner of the axes, legible over what is drawn."""
    box = {"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 1.0}
    place = (0.985, "right") if right else (0.015, "left")
    axes.text(
        place[0],
        height,
        text,
        transform=axes.transAxes,
        ha=place[1],
        va=side,
        fontsize=7,
        color=colour,
        bbox=box,
        zorder=6,
    )


def dots(axes: Axes, x: Floats, y: Floats, colour: str, label: str | None = None, marker: str = "o") -> None:
    """Points against cycle or time: joined and large when few, small when many."""
    few = len(x) <= 200
    size = 3.5 if few else (2.0 if len(x) <= DENSE else 1.2)
    line = "-" if few else "none"
    axes.plot(
        x, y, marker=marker, ms=size, lw=0.6, ls=line, mew=0, color=colour, label=label, rasterized=len(x) > DENSE
    )


def only_whole(axes: Axes, numbers: Iterable[float]) -> None:
    """Whole numbers on the x axis, with room at both ends."""
    first, last = min(numbers), max(numbers)
    room = max(0.03 * (last - first), 0.5)
    axes.set_xlim(first - room, last + room)
    axes.xaxis.get_major_locator().set_params(integer=True)


def category(reason: str) -> str:
    """The part of a reason that names its kind: what stands before the colon.

    >>> category("plate interrupted: the record ends")
    'plate interrupted'
    """
    return reason.partition(":")[0]


def counted(words: Iterable[str]) -> list[tuple[str, int]]:
    """Words with how often each comes, the most frequent first."""
    return Counter(words).most_common()


def engineering(value: float, _: object = None) -> str:
    """A number on a logarithmic axis.

    >>> engineering(0.01), engineering(1e5)
    ('10 m', '100 k')
    """
    if value <= 0 or not math.isfinite(value):
        return ""
    power = min(max(math.floor(math.log10(value) / 3 + 1e-9), -4), 3)
    prefix = {-4: "p", -3: "n", -2: "µ", -1: "m", 0: "", 1: "k", 2: "M", 3: "G"}[power]
    return f"{value / 10.0 ** (3 * power):g} {prefix}".rstrip()


def events_of(finding: Finding, codes: tuple[str, ...] | None = None) -> pl.DataFrame:
    """Events that have a time, of all or some codes."""
    table = finding.tables.get("events")
    if table is None:
        return pl.DataFrame(schema={"time_h": pl.Float64, "end_time_h": pl.Float64, "code": pl.String})
    found = known(table, "time_h").select("time_h", "end_time_h", "code")
    return found if codes is None else found.filter(pl.col("code").is_in(codes))


def spread(places: Sequence[float], gap: float, within: tuple[float, float]) -> list[float]:
    """Places moved apart until each is a gap from the next, as little as possible and in their order.

    >>> [round(place, 3) for place in spread([1.0, 1.0, 5.0], 0.5, (0.0, 6.0))]
    [0.75, 1.25, 5.0]
    """
    order = sorted(range(len(places)), key=lambda i: places[i])
    blocks: list[list[float]] = []  # of places that touch: sum of the wanted first places, how many
    for i, place in enumerate(order):
        blocks.append([places[place] - i * gap, 1.0])
        while len(blocks) > 1 and blocks[-2][0] / blocks[-2][1] > blocks[-1][0] / blocks[-1][1]:
            total, count = blocks.pop()
            blocks[-1][0] += total
            blocks[-1][1] += count
    firsts = [total / count for total, count in blocks for _ in range(int(count))]
    low, high = within[0] + gap / 2, within[1] - gap / 2 - (len(places) - 1) * gap
    found = [0.0] * len(places)
    for i, place in enumerate(order):
        found[place] = min(max(firsts[i], low), max(high, low)) + i * gap
    return found
