"""Figures of surfaces: energy along the best way over each face, and binding against barrier with their error bars."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product

import polars as pl

from interlith.findings import Finding
from interlith.report.sketch import (
    GREEN,
    GREY,
    INK,
    ORANGE,
    PLATE,
    PURPLE,
    SKY,
    STRIP,
    WIDTH_LETTER_IN,
    Axes,
    Sketch,
    drawable,
    known,
    spread,
)
from interlith.report.surface_words import (
    BARRIER,
    BINDING,
    NOT_RANKED,
    SPREADS,
    Row,
    adsorbed_of,
    interval,
    marked,
    models_of,
    rows_of,
    spread_of,
    why_not,
)

COLOURS = (PLATE, STRIP, GREEN, PURPLE, ORANGE, SKY)
MARKS = ("o", "s", "^", "D", "v", "P")
PANEL_IN, HEAD_ROOM = 1.45, 1.32
RANKING_IN = (4.7, 3.1)  # the axes, nearly
LINE_IN, NAME_LETTER_IN = 0.13, 0.062
PREFERS_IN = 1.65


def way_profile(finding: Finding) -> Sketch | None:
    """Energy along the best way over each face, a panel for each, a line for each model."""
    rows = rows_of(finding)
    points = known(finding.tables.get("profile"), "distance_A", "energy_eV")
    drawn = [row for row in rows if row["key"] in points["key"]] if points.height else []
    if not drawn:
        return None
    bounds = [
        {"key": row["key"], "model": one["model"], **{end: one[end] for end in ("barrier_low_eV", "barrier_high_eV")}}
        for row in drawn
        for one in row["models"]
    ]
    data = points.join(pl.DataFrame(bounds, infer_schema_length=None), on=["key", "model"], maintain_order="left")
    missing = [row["key"] for row in rows if row not in drawn]
    caption = (
        f"Energy of {adsorbed_of(rows)} above its best site, from there along the way of the smallest barrier to a "
        "copy of it. "
        "Filled: the best site, hollow: other sites, triangle: the highest point. The number is the barrier; from "
        "where to where it lies, if a path did not converge. Faces of one crystal have one scale of energy."
        + (f" {NOT_RANKED}: not ranked." if any(row["not_ranked"] for row in drawn) else "")
        + (f" No way is known on {', '.join(missing)}." if missing else "")
    )
    height = 0.45 + PANEL_IN * math.ceil(len(drawn) / 2)
    names = models_of(rows)
    return Sketch("way", "Along the best way", caption, data, lambda c: _paint_ways(c, data, drawn, names), height)


def _paint_ways(canvas: Axes, data: pl.DataFrame, rows: Sequence[Row], models: list[str]) -> None:
    n_columns = min(2, len(rows))
    grid = canvas.subplots(math.ceil(len(rows) / n_columns), n_columns, squeeze=False)
    for place, axes in enumerate(grid.flat):
        if place >= len(rows):
            axes.axis("off")
            continue
        part = data.filter(pl.col("key") == rows[place]["key"])
        axes.set_title(drawable(marked(rows[place])), fontsize=8, loc="left", color=INK, pad=3)
        axes.axhline(0.0, color=GREY, lw=0.6)
        said = [_paint_way(axes, part.filter(pl.col("model") == name), i) for i, name in enumerate(models)]
        _words(axes, [(text, COLOURS[i % len(COLOURS)]) for i, text in enumerate(said) if text])
        axes.set_xlim(0, None)
        axes.set_ylim(*_limits(data, [row["key"] for row in rows if row["crystal"] == rows[place]["crystal"]]))
    canvas.supxlabel(f"Way of {adsorbed_of(rows)} (Å)", fontsize=8.5)
    canvas.supylabel("Energy (eV)", fontsize=8.5)


def _limits(data: pl.DataFrame, keys: Sequence[str]) -> tuple[float, float]:
    """Of the energies of some faces, with room for words above."""
    part = data.filter(pl.col("key").is_in(keys))["energy_eV"].to_numpy()
    top = max(float(part.max()), 0.01) * HEAD_ROOM
    return min(0.0, float(part.min())) - 0.04 * top, top


def _paint_way(axes: Axes, points: pl.DataFrame, place: int) -> str:
    """One line; what its barrier is."""
    if not points.height:
        return ""
    colour = COLOURS[place % len(COLOURS)]
    x, y = points["distance_A"].to_numpy(), points["energy_eV"].to_numpy()
    axes.plot(x, y, color=colour, lw=1.3, ls=("-", (0, (4, 1.5)))[place % 2], label=points["model"][0])
    for is_best, face in ((True, colour), (False, "white")):
        here = points.filter(pl.col("site").is_not_null() & ((pl.col("site") == 0) == is_best))
        at = (here["distance_A"].to_numpy(), here["energy_eV"].to_numpy())
        axes.plot(*at, MARKS[place % 2], ms=3.6, mfc=face, mec=colour, mew=0.9, zorder=4)
    axes.plot(x[[y.argmax()]], y[[y.argmax()]] + 0.0, "^", ms=4.5, color=colour, mew=0, zorder=5)
    return interval(*points.select("barrier_low_eV", "barrier_high_eV").row(0))


def _words(axes: Axes, words: Sequence[tuple[str, str]]) -> None:
    """Remarks in their colours, one below the other in the upper right corner."""
    for line, (text, colour) in enumerate(words):
        at = (0.985, 1.0 - 0.115 * line)
        axes.text(*at, text, transform=axes.transAxes, ha="right", va="top", fontsize=7.5, color=colour, zorder=6)


def ranking(finding: Finding) -> Sketch | None:
    """Barrier against binding energy of each face, with error bars where there are several models."""
    rows = rows_of(finding)
    shown = [row for row in rows if not why_not(row)]
    if not shown:
        return None
    adsorbed = adsorbed_of(rows)
    metal = sorted({held["cohesive_energy_eV"] for held in (finding.summary.get("settings") or {}).values()})
    data = pl.concat([_points(shown), _published(rows), _metal(metal)], how="diagonal")
    caption = (
        f"How strongly {adsorbed} binds to each face, and the barrier with which it travels over it in the easiest "
        "direction. "
        f"{_error_bars(rows)} Right of the line of its metal, {adsorbed} would rather be on the surface than in the "
        "metal." + (" Triangles at the edges: published." if "paper" in data["what"] else "") + _not_ranked(rows)
    )
    painted = partial(_paint_ranking, data=data, adsorbed=adsorbed)
    return Sketch("ranking", "Affinity and barrier", caption, data, painted, RANKING_IN[1])


def _points(rows: Sequence[Row]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "what": "face",
                "key": row["key"],
                "crystal": row["crystal"],
                "n_models": len(row["models"]),
                **{name: row[name] for name in SPREADS},
                **{bar: spread_of(row, name) for name, bar in SPREADS.items()},
            }
            for row in rows
        ],
        infer_schema_length=None,
        schema_overrides=dict.fromkeys(SPREADS.values(), pl.Float64),
    )


def _published(rows: Sequence[Row]) -> pl.DataFrame:
    """What is published, once for each number and the faces that share it."""
    found = []
    for quantity in SPREADS:
        values = {row["name"]: row["paper"][quantity] for row in rows if row["paper"].get(quantity) is not None}
        for value in sorted(set(values.values())):
            names = [name for name, held in values.items() if held == value]
            found.append({"what": "paper", "key": ", ".join(names), quantity: value})
    return pl.DataFrame(found, schema={"what": pl.String, "key": pl.String, BINDING: pl.Float64, BARRIER: pl.Float64})


def _metal(energies: Sequence[float]) -> pl.DataFrame:
    found = [{"what": "metal", BINDING: value} for value in energies]
    return pl.DataFrame(found, schema={"what": pl.String, BINDING: pl.Float64})


def _error_bars(rows: Sequence[Row]) -> str:
    models = models_of(rows)
    if len(models) == 1:
        return f"By one model, {models[0]}: no spread is known, and no error bar is drawn."
    return f"Bars: from the lowest to the highest of {len(models)} models ({', '.join(models)}); no bound on the error."


def _not_ranked(rows: Sequence[Row]) -> str:
    said = [f"{row['key']} ({why})" for row in rows if (why := why_not(row))]
    return f" Not ranked: {'; '.join(said)}." if said else ""


def _paint_ranking(canvas: Axes, data: pl.DataFrame, adsorbed: str) -> None:
    axes = canvas.subplots()
    faces, paper = (data.filter(pl.col("what") == what) for what in ("face", "paper"))
    frame = _frame(data)
    axes.set_xlim(frame.left, frame.right)
    axes.set_ylim(frame.bottom, frame.top)
    crystals = faces["crystal"].unique(maintain_order=True).to_list()
    for row in faces.iter_rows(named=True):
        _paint_face(axes, row, crystals.index(row["crystal"]))
    taken = _paint_published(axes, paper, frame)
    for value in data.filter(pl.col("what") == "metal")[BINDING]:
        taken += _paint_metal(axes, value, frame, adsorbed)
    _name_faces(axes, faces, frame, taken)
    axes.set_xlabel("Binding energy (eV)")
    axes.set_ylabel("Barrier in the easiest direction (eV)")


def _paint_face(axes: Axes, row: Row, crystal: int) -> None:
    colour, mark = COLOURS[crystal % len(COLOURS)], MARKS[crystal % len(MARKS)]
    x, y, spread_x, spread_y = (row[name] for name in (BINDING, BARRIER, SPREADS[BINDING], SPREADS[BARRIER]))
    if spread_x is None:
        words = f"{drawable(row['crystal'])}, one model"
        axes.plot([x], [y], mark, ms=5.5, mfc="white", mec=colour, mew=1.3, zorder=4, label=words)
        return
    spread_y = spread_y or 0.0
    bar = {"yerr": [[min(spread_y, max(y, 0.0))], [spread_y]], "xerr": spread_x, "label": drawable(row["crystal"])}
    axes.errorbar(x, y, **bar, fmt=mark, ms=5, mew=0, color=colour, lw=1.1, capsize=2.5, capthick=1.1, zorder=4)


@dataclass(frozen=True)
class Frame:
    """The limits of the axes, and where a point lies on them in inches."""

    left: float
    right: float
    bottom: float
    top: float

    def at_in(self, x: float, y: float) -> tuple[float, float]:
        """From the lower left corner, in inches, nearly."""
        width, height = RANKING_IN
        return (x - self.left) / (self.right - self.left) * width, (y - self.bottom) / (self.top - self.bottom) * height


Box = tuple[float, float, float, float]  # left, right, bottom, top, inches


def _frame(data: pl.DataFrame) -> Frame:
    bars = [pl.col(name).fill_null(0.0) for name in ("spread_eV", "barrier_spread_eV")]
    x, y = pl.col(BINDING), pl.col(BARRIER)
    found = data.select(low=(x - bars[0]).min(), high=(x + bars[0]).max(), top=(y + bars[1]).max(), bottom=y.min()).row(
        0
    )
    low, high, top, bottom = (float(value) for value in found)
    room = max(0.08 * (high - low), 0.05)
    return Frame(low - room, high + room, min(0.0, bottom), max(top, 0.01) * 1.15)


def _paint_published(axes: Axes, paper: pl.DataFrame, frame: Frame) -> list[Box]:
    """Binding energies at the upper edge, barriers at the right one; where the words of the latter stand."""
    binding = paper.filter(pl.col(BINDING).is_not_null())
    names = [f"{drawable(key)} {value:g}" for key, value in binding.select("key", BINDING).iter_rows()]
    widest = max((len(name) for name in names), default=0) * WIDTH_LETTER_IN + 0.06
    gap = widest / RANKING_IN[0] * (frame.right - frame.left)
    values = binding[BINDING].to_list()
    for value, name, at in zip(values, names, spread(values, gap, (frame.left, frame.right)), strict=True):
        axes.plot([value], [frame.top], "v", ms=5, color=GREY, clip_on=False, zorder=5, label="published")
        offset = {"xytext": (0, 5), "textcoords": "offset points", "annotation_clip": False}
        axes.annotate(name, (at, frame.top), **offset, ha="center", fontsize=7, color=GREY)
    taken = []
    for key, value in paper.filter(pl.col(BARRIER).is_not_null()).select("key", BARRIER).iter_rows():
        name = f"{drawable(key)} {value:g}"
        axes.plot([frame.right], [value], "<", ms=5, color=GREY, clip_on=False, zorder=5, label="published")
        x, y = frame.at_in(frame.right, value)
        offset = {"xytext": (-6, 72 * max(LINE_IN * 0.7 - y, 0.0)), "textcoords": "offset points"}
        axes.annotate(name, (frame.right, value), **offset, ha="right", va="center", fontsize=7, color=GREY)
        y = max(y, LINE_IN * 0.7)
        taken.append((x - 0.1 - len(name) * WIDTH_LETTER_IN, x, y - LINE_IN / 2, y + LINE_IN / 2))
    return taken


def _paint_metal(axes: Axes, value: float, frame: Frame, adsorbed: str) -> list[Box]:
    """The line of the adsorbate's metal, and what it tells apart, on the side that has room for the words."""
    axes.axvline(value, color=INK, lw=0.9, ls=(0, (4, 2)), label=f"{adsorbed} metal, {value:g} eV", zorder=1)
    x, height = frame.at_in(value, 0.0)[0], RANKING_IN[1]
    is_right = x + PREFERS_IN < RANKING_IN[0]
    words = f"{adsorbed} prefers the surface →" if is_right else f"← {adsorbed} prefers the metal"
    offset = {"xytext": (4 if is_right else -4, -4), "textcoords": "offset points"}
    side = "left" if is_right else "right"
    axes.annotate(words, (value, frame.top), **offset, ha=side, va="top", fontsize=7, color=INK)
    left = x if is_right else x - PREFERS_IN
    return [(x - 0.02, x + 0.02, 0.0, height), (left, left + PREFERS_IN, height - 0.2, height)]


def _name_faces(axes: Axes, faces: pl.DataFrame, frame: Frame, taken: list[Box]) -> None:
    """Each point with its name beside it, where nothing else stands; a thin line to a name that is farther away."""
    rows = list(faces.iter_rows(named=True))
    boxes = [*taken, *(box for row in rows for box in _bars_in(frame, row))]
    for row, box in _placed(rows, boxes, frame):
        name = drawable(row["key"])
        x, y = frame.at_in(row[BINDING], row[BARRIER])
        line = {"arrowstyle": "-", "color": GREY, "lw": 0.5, "shrinkA": 0, "shrinkB": 3}
        axes.annotate(
            name,
            (row[BINDING], row[BARRIER]),
            xytext=(((box[0] + box[1]) / 2 - x) * 72, ((box[2] + box[3]) / 2 - y) * 72),
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=7.5,
            color=INK,
            zorder=6,
            arrowprops=line if _away(box, (x, y)) > 0.3 else None,
        )


def _placed(rows: Sequence[Row], boxes: Sequence[Box], frame: Frame) -> list[tuple[Row, Box]]:
    """Where each name stands, one after the other; of a few orders the one with which the least is hidden."""
    orders = [sorted(rows, key=key) for key in (lambda r: r[BINDING], lambda r: r[BARRIER], lambda r: -len(r["key"]))]
    tried = []
    for order in (*orders, *(order[::-1] for order in orders)):
        total, placed, held = [0.0, 0.0], [], list(boxes)
        for row in order:
            at = frame.at_in(row[BINDING], row[BARRIER])
            places = _places(*at, len(drawable(row["key"])) * NAME_LETTER_IN + 0.04)
            costs = [_cost(place, held, at) for place in places]
            best = min(range(len(places)), key=costs.__getitem__)
            total = [all_of + one for all_of, one in zip(total, costs[best], strict=True)]
            placed.append((row, places[best]))
            held.append(places[best])
        tried.append((total, placed))
    return min(tried, key=lambda one: one[0])[1]


def _bars_in(frame: Frame, row: Row) -> list[Box]:
    x, y = row[BINDING], row[BARRIER]
    wide, high = (row[name] or 0.0 for name in ("spread_eV", "barrier_spread_eV"))
    (left, middle), (right, _) = frame.at_in(x - wide, y), frame.at_in(x + wide, y)
    (center, low), (_, top) = frame.at_in(x, y - high), frame.at_in(x, y + high)
    return [
        (left - 0.05, right + 0.05, middle - 0.05, middle + 0.05),
        (center - 0.05, center + 0.05, low - 0.05, top + 0.05),
    ]


def _places(x: float, y: float, width: float) -> list[Box]:
    """Where a name can stand: beside the point, above and below, farther away, in the order of liking."""
    found = []
    for away in (0.1, 0.22, 0.38, 0.56, 0.8):
        for side, rise in product((1, -1, 0), (0, 1, -1, 0.5, -0.5)):
            center = x + side * (away + width / 2)
            middle = y + rise * (away + LINE_IN / 2)
            found.append((center - width / 2, center + width / 2, middle - LINE_IN / 2, middle + LINE_IN / 2))
    return found


def _cost(box: Box, others: Sequence[Box], point: tuple[float, float]) -> tuple[float, float]:
    """What a place hides or leaves the axes by, then how far it is."""
    hidden = sum(
        max(min(box[1], other[1]) - max(box[0], other[0]), 0.0)
        * max(min(box[3], other[3]) - max(box[2], other[2]), 0.0)
        for other in others
    )
    outside = sum(max(value, 0.0) for value in (-box[0], box[1] - RANKING_IN[0], 0.02 - box[2], box[3] - RANKING_IN[1]))
    return round(hidden + outside, 4), _away(box, point)


def _away(box: Box, point: tuple[float, float]) -> float:
    """From a point to the nearest edge of a box, inches."""
    across = max(box[0] - point[0], point[0] - box[1], 0.0)
    return math.hypot(across, max(box[2] - point[1], point[1] - box[3], 0.0))
