"""Figures of what a cell as built delivers: its draws, against life, other cells and claims."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from itertools import product

import numpy as np
import polars as pl

from interlith.findings import Finding
from interlith.report.design_plots import of_design
from interlith.report.sketch import (
    GREEN,
    GREY,
    INK,
    ORANGE,
    PALE,
    PLATE,
    PURPLE,
    SKY,
    STRIP,
    WIDTH_LETTER_IN,
    Axes,
    Sketch,
    drawable,
    known,
    note,
    spread,
)
from interlith.report.wording import about, quantity

ENERGY = "specific_energy_Wh_per_kg"
N_BINS, LINE_GAP = 40, 0.17  # gap: of words above lines, as a part of the axis
READINGS = (PLATE, SKY, ORANGE, PURPLE, GREEN, GREY)
MARKS = {"p5_Wh_per_kg": "5 %", "median_Wh_per_kg": "median", "p95_Wh_per_kg": "95 %"}
THIS_CELL, FRONT = "this cell", "front"
TIMES_APART = 8.0  # longest over shortest life from which the axis is logarithmic
AGAINST = {
    "g_per_Ah": ("E/C", "Electrolyte over capacity, E/C (g/Ah)"),
    "n_to_p": ("N/P", "Negative over positive, N/P"),
}
MARK = {  # where a number was seen: marker, colour, filling, size, what covers what
    THIS_CELL: ("*", STRIP, STRIP, 9.0, 5),
    "computed here": ("D", INK, INK, 5.0, 3),
    "abstract": ("o", PLATE, PLATE, 5.0, 3),
    "second hand": ("^", GREY, "none", 8.0, 4),
    "not confirmed": ("s", GREY, "none", 8.0, 4),
}
FIELD_IN, SIDE_GAP = 3.5, 0.055
ROW_IN = 0.32
MOST_MOVED = 14
SIDES = (  # of a point at which its label may be: shift, and which side of the label is there
    (1.0, 0.0, "left", "center"),
    (-1.0, 0.0, "right", "center"),
    (0.0, 1.0, "center", "bottom"),
    (0.0, -1.0, "center", "top"),
    (0.8, 0.8, "left", "bottom"),
    (0.8, -0.8, "left", "top"),
    (-0.8, 0.8, "right", "bottom"),
    (-0.8, -0.8, "right", "top"),
)
RINGS_PT, LEADER_FROM_PT, MARK_PT = (6.0, 13.0, 20.0, 28.0, 38.0, 50.0, 65.0, 80.0), 8.0, 4.5
OUTSIDE_COUNTS = 3.0  # times as much as an area that covers something
LABEL_PT, POINTS_PER_IN = 7.0, 72.0


def draws(finding: Finding) -> Sketch | None:
    """How often each specific energy comes when all uncertain values are drawn, by reading of the source."""
    table = of_design(finding, "draws", ENERGY)
    if table is None:
        return None
    summary = finding.summary
    found = summary.get("monte_carlo") or {}
    published = (summary.get("published") or {}).get(ENERGY)
    lines = [(word, found[key]) for key, word in MARKS.items() if found.get(key) is not None]
    lines += [("published", published)] if published is not None else []
    data = _bins(table, lines)
    several = table["reading"].n_unique() > 1
    caption = f"Specific energy of the whole cell in {table.height} draws of all uncertain values" + (
        ", by the reading of the source, on top of each other" if several else ""
    )
    chance = found.get("probability_of_published")
    if published is not None and chance is not None:
        caption += f"; {chance:.1%} of all reach the published {published:.4g} Wh/kg".replace("%", " %")
    return Sketch(
        "draws", "What the energy may be", f"{caption}.", data, lambda canvas: _paint_draws(canvas, data), 2.5
    )


def _bins(table: pl.DataFrame, lines: Sequence[tuple[str, float]]) -> pl.DataFrame:
    """Counts of the bars by reading; lines are rows without a count, from = to."""
    energies = table[ENERGY].to_numpy()
    edges = np.histogram_bin_edges(energies, bins=N_BINS)
    rows: list[tuple[str, float, float, int | None]] = []
    for reading in table["reading"].unique(maintain_order=True):
        counts, _ = np.histogram(table.filter(pl.col("reading") == reading)[ENERGY].to_numpy(), bins=edges)
        rows += [
            (reading, *step) for step in zip(edges[:-1].tolist(), edges[1:].tolist(), counts.tolist(), strict=True)
        ]
    rows += [(word, value, value, None) for word, value in lines]
    schema = {"what": pl.String, "from_Wh_per_kg": pl.Float64, "to_Wh_per_kg": pl.Float64, "n_draws": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _paint_draws(canvas: Axes, data: pl.DataFrame) -> None:
    axes = canvas.subplots()
    bars, lines = data.filter(pl.col("n_draws").is_not_null()), data.filter(pl.col("n_draws").is_null())
    below = np.zeros(N_BINS)
    readings = bars["what"].unique(maintain_order=True)
    for place, reading in enumerate(readings):
        one = bars.filter(pl.col("what") == reading)
        left, counts = one["from_Wh_per_kg"].to_numpy(), one["n_draws"].to_numpy()
        width = one["to_Wh_per_kg"].to_numpy() - left
        colour = READINGS[place % len(READINGS)]
        label = drawable(str(reading)) if len(readings) > 1 else None
        axes.bar(left, counts, width, below, align="edge", color=colour, edgecolor="white", lw=0.3, label=label)
        below = below + counts
    axes.set_ylim(0, 1.32 * max(float(below.max()), 1.0))
    _across(axes, bars, lines)
    claimed = pl.col("what") == "published"
    _lines(axes, lines.filter(~claimed), 0.82, INK, "-")
    _lines(axes, lines.filter(claimed), 0.94, STRIP, (0, (4, 3)))
    axes.set_xlabel("Specific energy of the whole cell (Wh/kg)")
    axes.set_ylabel("Draws")


def _across(axes: Axes, bars: pl.DataFrame, lines: pl.DataFrame) -> None:
    """Show all bars, and what is published where it is not so far away that the bars would vanish."""
    low, high = (float(edge) for edge in (bars["from_Wh_per_kg"][0], bars["to_Wh_per_kg"][-1]))
    span = high - low
    near = [value for value in lines["from_Wh_per_kg"] if low - span <= value <= high + span]
    low, high = min([low, *near]), max([high, *near])
    room = 0.04 * (high - low) or 1.0
    axes.set_xlim(low - room, high + room)


def _lines(axes: Axes, lines: pl.DataFrame, top: float, colour: str, style: object) -> None:
    """Upright lines with a word and a value above each, moved apart where they would touch."""
    low, high = axes.get_xlim()
    across = axes.get_xaxis_transform()
    for word, value in lines.select("what", "from_Wh_per_kg").iter_rows():
        if not low <= value <= high:
            text = f"{word} {value:.4g} →" if value > high else f"← {word} {value:.4g}"
            note(axes, text, right=value > high, height=top + 0.05, side="top", colour=colour)
    lines = lines.filter(pl.col("from_Wh_per_kg").is_between(low, high))
    values = lines["from_Wh_per_kg"].to_list()
    places = spread(values, LINE_GAP * (high - low), (low, high))
    for word, value, at in zip(lines["what"], values, places, strict=True):
        axes.axvline(value, 0, top - 0.03, color=colour, lw=1.0, ls=style)
        axes.plot([value, at], [top - 0.03, top], transform=across, color=colour, lw=0.7)
        text = f"{word} {value:.4g}"
        axes.text(at, top + 0.005, text, transform=across, ha="center", va="bottom", fontsize=7.5, color=colour)


def pareto(finding: Finding) -> Sketch | None:
    """Cells that no other one beats in both energy and life, by their areal capacity, and this cell."""
    table = of_design(finding, "pareto", ENERGY, "n_cycles")
    if table is None:
        return None
    data = table.sort("n_cycles", ENERGY, descending=[False, True])
    front = data.filter(pl.col("kind") == FRONT)
    own = data.filter(pl.col("kind") == THIS_CELL)
    if not front.height:
        return None
    caption = (
        "Each point: a cell that no other one of the search beats in both; the colour is its areal capacity. Sheets up "
        "to twice, electrolyte per Ah as in the cell, N/P from 0 (anode-free), bounds assumed. Cycles: "
        f"until 80 % of the capacity is left, limited by the lithium that is there{_at_efficiency(finding)}."
    )
    paint = lambda canvas: _paint_pareto(canvas, front, own)  # noqa: E731
    return Sketch("pareto", "Energy against life", caption, data, paint, 3.0)


def _at_efficiency(finding: Finding) -> str:
    found = finding.summary.get("pareto")
    if not found:
        return ""
    return f" at an efficiency of {found['efficiency']:.4g} ({found['efficiency_kind']})"


def _paint_pareto(canvas: Axes, front: pl.DataFrame, own: pl.DataFrame) -> None:
    axes = canvas.subplots()
    axes.plot(front["n_cycles"], front[ENERGY], "-", color=PALE, lw=1.2, zorder=1)
    points = axes.scatter(
        front["n_cycles"],
        front[ENERGY],
        c=front["areal_capacity_mAh_per_cm2"],
        cmap="viridis",
        s=26,
        lw=0.4,
        edgecolors=INK,
        zorder=2,
    )
    bar = canvas.colorbar(points, ax=axes, pad=0.02)
    bar.set_label("Areal capacity (mAh/cm2)")
    bar.outline.set_linewidth(0.5)
    axes.plot(own["n_cycles"], own[ENERGY], "*", color=STRIP, ms=11, mec="white", mew=0.6, zorder=3)
    lives = [*front["n_cycles"], *own["n_cycles"]]
    if min(lives) > 0 and max(lives) > TIMES_APART * min(lives):
        axes.set_xscale("log")
        axes.xaxis.get_major_locator().set_params(subs=(1, 2, 5))
        axes.xaxis.set_major_formatter("{x:g}")
        axes.set_xticks([], minor=True)
    axes.margins(x=0.08, y=0.12)
    for x, y in own.select("n_cycles", ENERGY).iter_rows():
        _own_name(axes, x, y)
    axes.set_xlabel("Cycles to 80 % (limited by lithium)")
    axes.set_ylabel("Specific energy (Wh/kg)")


def _own_name(axes: Axes, x: float, y: float) -> None:
    """This cell's name below its star, to the side that has room."""
    across = axes.transAxes.inverted().transform(axes.transData.transform((x, y)))[0]
    axes.annotate(
        f"{THIS_CELL}, {y:.4g} Wh/kg",
        (x, y),
        xytext=(0, -8),
        textcoords="offset points",
        ha="left" if across < 0.25 else "right" if across > 0.75 else "center",
        va="top",
        fontsize=7.5,
        fontweight="bold",
        color=STRIP,
    )


def field(finding: Finding) -> Sketch | None:
    """This cell among published ones: specific energy against E/C or N/P, whichever more of them tell."""
    table = of_design(finding, "field", ENERGY)
    if table is None:
        return None
    against = max(AGAINST, key=lambda name: known(table, name).height)
    doubtful = pl.any_horizontal(pl.col("unconfirmed").fill_null("").str.contains(name) for name in (ENERGY, against))
    seen = pl.when(doubtful).then(pl.lit("not confirmed")).otherwise(pl.col("seen")).alias("seen")
    data = table.select("work", ENERGY, against, seen, pl.col(against).is_null().alias("beside")).sort(
        ENERGY, descending=True
    )
    left_out = finding.tables["field"].filter(pl.col(ENERGY).is_null())["work"].to_list()
    caption = (
        "Filled: read in the work's own abstract, or computed here. Open: second hand, or one of the two numbers not "
        "confirmed. In the column "
        f"beside the axes: {AGAINST[against][0]} not known."
        + (f" Without a specific energy: {', '.join(_short(work) for work in left_out)}." if left_out else "")
    )
    paint = lambda canvas: _paint_field(canvas, data, against)  # noqa: E731
    return Sketch("field", "This cell against the field", caption, data, paint, FIELD_IN)


def _short(work: str) -> str:
    """Name and year of a work, without where it stands.

    >>> _short("Niu 2019, Nat. Energy 4, 551")
    'Niu 2019'
    """
    return drawable(work.partition(",")[0])


def _paint_field(canvas: Axes, data: pl.DataFrame, against: str) -> None:
    placed, aside = data.filter(~pl.col("beside")), data.filter(pl.col("beside"))
    axes, side = canvas.subplots(1, 2, sharey=True, width_ratios=[4, 1])
    energies = data[ENERGY].to_numpy()
    room = 0.12 * float(np.ptp(energies)) or 0.1 * float(energies[0])
    axes.set_ylim(energies.min() - room, energies.max() + room)
    across = placed[against].to_numpy().astype(float) if placed.height else np.array([0.0, 1.0])
    margin = 0.16 * float(np.ptp(across)) or 0.5
    axes.set_xlim(across.min() - margin, across.max() + margin)
    _legend(axes, data)
    for work, y, x, seen in placed.select("work", ENERGY, against, "seen").iter_rows():
        _mark(axes, x, y, THIS_CELL if work == THIS_CELL else seen)
    _name_points(axes, placed, against)
    axes.set_xlabel(AGAINST[against][1])
    axes.set_ylabel("Specific energy (Wh/kg)")
    side.set_xlim(0, 1)
    side.set_xticks([])
    side.grid(visible=False)
    side.spines["left"].set_visible(False)
    side.spines["bottom"].set_visible(False)
    side.tick_params(axis="y", left=False, labelleft=False)
    side.set_xlabel(f"{AGAINST[against][0]}\nnot known", color=GREY, fontsize=7.5)
    limits = axes.get_ylim()
    heights = spread(aside[ENERGY].to_list(), SIDE_GAP * (limits[1] - limits[0]), limits)
    for (work, y, seen), at in zip(aside.select("work", ENERGY, "seen").iter_rows(), heights, strict=True):
        _mark(side, 0.08, y, THIS_CELL if work == THIS_CELL else seen)
        side.plot([0.14, 0.22], [y, at], color=GREY, lw=0.5)
        side.text(0.25, at, _short(work), va="center", fontsize=LABEL_PT, color=INK)


def _mark(axes: Axes, x: float, y: float, seen: str, label: str | None = None) -> None:
    """A point, by where its number was seen. An open mark is larger, so that it shows a filled one within it."""
    marker, colour, face, size, place = MARK.get(seen, MARK["not confirmed"])
    axes.plot(x, y, marker, ms=size, color=colour, mfc=face, mew=1.1, zorder=place, ls="none", label=label)


def _legend(axes: Axes, data: pl.DataFrame) -> None:
    """A place in the legend for each kind of mark that is drawn, the surest first."""
    kinds = {THIS_CELL if work == THIS_CELL else seen for work, seen in data.select("work", "seen").iter_rows()}
    for seen in sorted(kinds, key=lambda seen: list(MARK).index(seen) if seen in MARK else len(MARK)):
        _mark(axes, float("nan"), float("nan"), seen, drawable(seen))


def _name_points(axes: Axes, placed: pl.DataFrame, against: str) -> None:
    """A name beside each point, at the nearest place where it covers no point and no other name."""
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    size = (FIELD_WIDTH_IN * POINTS_PER_IN, (FIELD_IN - 0.5) * POINTS_PER_IN)
    rows = sorted(placed.select("work", against, ENERGY).iter_rows(), key=lambda row: row[0] != THIS_CELL)
    points = [((x - left) / (right - left) * size[0], (y - low) / (high - low) * size[1]) for _, x, y in rows]
    taken = [(x - MARK_PT, y - MARK_PT, x + MARK_PT, y + MARK_PT) for x, y in points]
    for place, ((work, x, y), at) in enumerate(zip(rows, points, strict=True)):
        own = work == THIS_CELL
        text = _short(work)
        others = taken[:place] + taken[place + 1 :]
        dx, dy, ha, va, box = _free(at, text, others, size)
        taken.append(box)
        axes.annotate(
            text,
            (x, y),
            xytext=(dx, dy),
            textcoords="offset points",
            ha=ha,
            va=va,
            fontsize=LABEL_PT,
            fontweight="bold" if own else "normal",
            color=STRIP if own else INK,
            arrowprops=_LEADER if math.hypot(dx, dy) > LEADER_FROM_PT else None,
        )


_LEADER = {"arrowstyle": "-", "lw": 0.5, "color": GREY, "shrinkA": 0, "shrinkB": 3}
FIELD_WIDTH_IN = 3.7  # of its axes
Box = tuple[float, float, float, float]


def _free(
    at: tuple[float, float], text: str, taken: Sequence[Box], size: tuple[float, float]
) -> tuple[float, float, str, str, Box]:
    """The place round a point where a text covers least, and is near."""
    width, height = len(text) * WIDTH_LETTER_IN * POINTS_PER_IN, 1.25 * LABEL_PT
    found = []
    for ring, (across, up, ha, va) in product(RINGS_PT, SIDES):
        dx, dy = ring * across, ring * up
        x = at[0] + dx - {"left": 0.0, "center": 0.5, "right": 1.0}[ha] * width
        y = at[1] + dy - {"bottom": 0.0, "center": 0.5, "top": 1.0}[va] * height
        box = (x, y, x + width, y + height)
        covered = sum(_shared(box, other) for other in taken)
        within = _shared(box, (0.0, 0.0, *size))
        cost = covered + OUTSIDE_COUNTS * (width * height - within) + ring  # a near place may touch a little
        found.append((round(cost, 3), (dx, dy, ha, va, box)))
    return min(found, key=lambda row: row[0])[1]


def _shared(one: Box, other: Box) -> float:
    """Area that two boxes share.

    >>> _shared((0.0, 0.0, 2.0, 2.0), (1.0, 1.0, 3.0, 5.0)), _shared((0.0, 0.0, 1.0, 1.0), (1.0, 0.0, 2.0, 1.0))
    (1.0, 0.0)
    """
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(width, 0.0) * max(height, 0.0)


def reconciled(finding: Finding) -> Sketch | None:
    """How far each value moves when the published numbers hold, in widths of what was assumed of it."""
    table = of_design(finding, "reconciled", "prior_sd", "posterior_sd", "shift_in_sd")
    if table is None:
        return None
    width = pl.col("posterior_sd") / pl.col("prior_sd")
    data = table.with_columns(low=pl.col("shift_in_sd") - width, high=pl.col("shift_in_sd") + width).head(MOST_MOVED)
    caption = (
        "Pale: each uncertain value before, one standard deviation to either side. Blue: after, given that what is "
        "published of the cell holds. On the right: mean before → mean after ± its standard deviation, or the "
        f"probability of a choice. At most the {MOST_MOVED} that move most."
    )
    height = 0.7 + ROW_IN * data.height
    paint = lambda canvas: _paint_reconciled(canvas, data)  # noqa: E731
    return Sketch("reconciled", "What the published numbers ask for", caption, data, paint, height)


def _paint_reconciled(canvas: Axes, data: pl.DataFrame) -> None:
    axes = canvas.subplots()
    columns = ("name", "shift_in_sd", "low", "high", "prior_mean", "posterior_mean", "posterior_sd")
    for place, (name, shift, low, high, before, after, sd) in enumerate(data.select(columns).iter_rows()):
        first = place == 0
        axes.barh(place, 2.0, left=-1.0, height=0.62, color=PALE, label="before" if first else None)
        axes.barh(place, high - low, left=low, height=0.3, color=PLATE, label="after" if first else None)
        axes.plot(shift, place, "o", color=INK, ms=3.5)
        axes.text(
            1.02,
            place,
            f"{about(str(name), before)} → {about(str(name), after, sd)}",
            transform=axes.get_yaxis_transform(),
            va="center",
            fontsize=7,
        )
    axes.axvline(0.0, color=GREY, lw=0.8, ls=(0, (4, 3)))
    ends = (*data["low"], *data["high"], -1.0, 1.0)
    axes.set_xlim(min(ends) - 0.15, max(ends) + 0.15)
    names = [textwrap.fill(drawable(quantity(str(name))), 28) for name in data["name"]]
    axes.set_yticks(range(data.height), names, fontsize=7)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.set_ylim(data.height - 0.4, -0.6)
    axes.set_xlabel("Shift (standard deviations of before)")
