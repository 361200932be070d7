"""Picture 6: how long cells last: capacity kept, what ends each test, and results that nothing was fitted to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from interlith.findings import Finding, Findings
from interlith.report.sketch import (
    GREEN,
    INK,
    ORANGE,
    PALE,
    PLATE,
    PURPLE,
    SKY,
    STRIP,
    Axes,
    Sketch,
    drawable,
    known,
    only_whole,
)
from interlith.report.story_picture import (
    FULL_KINDS,
    Picture,
    Row,
    beside_of,
    in_order,
    is_fitted,
    marks_of,
    named,
    sample_kinds,
    short,
    simulated_of,
)
from interlith.report.story_spans import height_in, is_number, paint_spans, spans

COLOURS = (PLATE, STRIP, GREEN, PURPLE, ORANGE, SKY)
MOST_LINES, MOST_LIVES, ENOUGH_CYCLES = 6, 30, 20
LIFE_ROW_IN = 0.24
WIDER = 0.6
PERCENT = 100.0
FITTED_ELSEWHERE = "was fitted in"  # of a sentence with which a test says so
ENDS = {  # rule of life -> words, marker, colour
    "efficiency_below_90_percent": ("efficiency below 90 %", "o", ORANGE),
    "efficiency_below_80_percent": ("efficiency below 80 %", "o", STRIP),
    "retention_below_80_percent": ("capacity below 80 %", "s", STRIP),
    "polarization": ("polarization doubled", "^", PURPLE),
    "short": ("sign of a short", "P", INK),
    "erratic": ("erratic", "v", ORANGE),
}
SHIFTS = {"o": -0.12, "s": 0.12}  # of marks that come in the same cycles
ALIVE, STOPPED = "still cycling at the end", "stopped"
LONG_LIVED = 20.0  # longest over shortest test from which the axis is logarithmic


def life_picture(findings: Findings) -> Picture | None:
    """Capacity kept, lives, and held-out results; None without any of them."""
    tests = [test for test in simulated_of(findings) if not is_fitted(test)]
    held_out = named(findings, "held_out")
    rows = [] if held_out is None else _rows(held_out)
    lives = _lives(tests)
    made = [
        sketch
        for sketch in (_retentions(tests, beside_of(findings)), _lives_sketch(lives), _held_out(rows))
        if sketch is not None
    ]
    if not made:
        return None
    says = []
    if lives.height:
        says.append(
            "A bar is a test, as long as it ran. A mark on it is the first of several cycles in a row beyond a limit; "
            "an arrow at its end: the protocol was over before the cell was."
        )
    if rows:
        says.append(
            "Held out: results that nothing was fitted to, as ours over the published ones. Where the published value "
            "(dashed) lies in the span of what is assumed, the model does not contradict it; where not, it misses."
        )
    says += _elsewhere(tests)
    has_points = any("measured" in sketch.data.get_column("what").to_list() for sketch in made if "what" in sketch.data)
    kinds = in_order((*sample_kinds(tests), *(("predicted",) if rows else ()), *(("measured",) if has_points else ())))
    return Picture(
        "6-life",
        _heading(rows, lives),
        tuple(says) or ("Capacity given back in each cycle, as part of that of the reference cycle.",),
        kinds,
        marks_of(["predicted"], "simulated, nothing fitted to it"),
        tuple(made),
    )


def _elsewhere(tests: Sequence[Finding]) -> list[str]:
    """What the tests themselves say of parameters that were fitted in another electrolyte, once."""
    told = (text for test in tests for text in test.summary.get("said") or () if FITTED_ELSEWHERE in text)
    return [f"{text[:1].upper()}{text[1:]}." for text in list(dict.fromkeys(told))[:1]]


def _heading(rows: Sequence[Row], lives: pl.DataFrame) -> str:
    said = []
    judged = [row for row in rows if row["within"] is not None]
    if judged:
        n_met = sum(bool(row["within"]) for row in judged)
        said.append(f"{n_met} of {len(judged)} held-out results agree with the paper within what is assumed")
    if lives.height:
        bars = lives.filter(pl.col("what") == "ran")
        dead = set(lives.filter(~pl.col("what").is_in(["ran", ALIVE]))["test"])
        if bars.height == 1:
            name, n_cycles = bars.select("test", "cycle").row(0)
            said.append(f"{name} {'reaches a limit within' if dead else 'reaches no limit in'} {n_cycles} cycles")
        else:
            said.append(f"{len(dead)} of {bars.height} cells that cycle for long reach a limit or stop")
    return "; ".join(said) or "What is left of the capacity, cycle by cycle"


# ---- capacity


def _retentions(tests: Sequence[Finding], beside: Mapping[str, list[Finding]]) -> Sketch | None:
    able = [test for test in tests if test.summary["kind"] in FULL_KINDS and _kept(test).height > 1]
    shown = sorted(able, key=lambda test: -_kept(test).height)[:MOST_LINES]
    if not shown:
        return None
    held = []
    for place, test in enumerate(shown):
        for one in (test, *beside.get(test.name, ())):
            what = "simulated" if one is test else "measured"
            held.append(_kept(one).with_columns(test=pl.lit(short(one)), place=pl.lit(place), what=pl.lit(what)))
        told = (test.summary.get("fade") or {}).get("measured")
        if told:
            point = {"cycle": told["n_cycles"], "retention_percent": PERCENT * told["retention"], "test": short(test)}
            held.append(pl.DataFrame([{**point, "place": place, "what": "published"}]))
    data = pl.concat(held, how="diagonal_relaxed")
    caption = (
        "Capacity given back, as part of that of the reference cycle. Diamonds: published, of the cell of that colour."
    )
    return Sketch(
        "6-life-capacity", "What is left of the capacity", caption, data, lambda canvas: _paint_kept(canvas, data), 2.6
    )


def _kept(test: Finding) -> pl.DataFrame:
    table = known(test.tables.get("retention"), "cycle", "retention")
    return table.select(
        pl.col("cycle").cast(pl.Int64), (pl.col("retention").cast(pl.Float64) * PERCENT).alias("retention_percent")
    )


def _paint_kept(canvas: Axes, data: pl.DataFrame) -> None:
    axes = canvas.subplots()
    for (test, place, what), one in data.group_by(("test", "place", "what"), maintain_order=True):
        colour = COLOURS[int(place)]
        x, y = one["cycle"], one["retention_percent"]
        words = drawable(str(test)) if what == "simulated" else f"{what}"
        if what == "published":
            axes.plot(x, y, "D", ms=6.5, mfc=colour, mec=INK, mew=1.0, ls="none", label=words, zorder=5)
        else:
            style = "-" if what == "simulated" else "x"
            width = 1.3 + WIDER * (data["place"].max() - place)  # lines on each other: the last is the thinnest
            axes.plot(x, y, style, color=colour, lw=width, ms=3, mew=0.7, label=words)
    only_whole(axes, data["cycle"])
    axes.set_ylim(0.0, max(105.0, 1.03 * float(np.max(data["retention_percent"].to_numpy()))))
    axes.set_xlabel("Cycle")
    axes.set_ylabel("Capacity kept (%)")


# ---- lives


def _lives(tests: Sequence[Finding]) -> pl.DataFrame:
    """How long each test ran, what it reached on the way, and whether it was over then."""
    held: list[tuple[str, str, int]] = []
    for test in tests:
        life = test.summary["results"].get("life")
        n_cycles = test.summary["cycles"] or 0
        if life is None or n_cycles < ENOUGH_CYCLES:
            continue
        name = short(test)
        held.append((name, "ran", n_cycles))
        held += [
            (name, words, life[rule]["cycle"])
            for rule, (words, _, _) in ENDS.items()
            if isinstance(life.get(rule), dict) and life[rule].get("cycle") is not None
        ]
        held.append((name, STOPPED if test.summary["stopped"] else ALIVE, n_cycles))
    return pl.DataFrame(held, schema={"test": pl.String, "what": pl.String, "cycle": pl.Int64}, orient="row")


def _lives_sketch(lives: pl.DataFrame) -> Sketch | None:
    names = lives["test"].unique(maintain_order=True).to_list()[:MOST_LIVES]
    if not names:
        return None
    data = lives.filter(pl.col("test").is_in(names))
    caption = (
        f"A bar for each simulated test of at least {ENOUGH_CYCLES} cycles; marks: the first of three cycles in a row "
        "beyond a limit; arrow: alive when the protocol was over."
    )
    height = 0.6 + LIFE_ROW_IN * len(names)
    return Sketch(
        "6-life-lives", "How long each cell lasts", caption, data, lambda c: _paint_lives(c, data, names), height
    )


def _paint_lives(canvas: Axes, data: pl.DataFrame, names: Sequence[str]) -> None:
    axes = canvas.subplots()
    styles: dict[str, tuple[str, str]] = {words: (marker, colour) for words, marker, colour in ENDS.values()}
    styles |= {ALIVE: (">", GREEN), STOPPED: ("x", INK)}
    ran = data.filter(pl.col("what") == "ran")
    for test, cycle in ran.select("test", "cycle").iter_rows():
        axes.barh(names.index(test), cycle, height=0.5, color=PALE, zorder=1)
    for what, (marker, colour) in styles.items():
        one = data.filter(pl.col("what") == what)
        if one.height:
            y = [names.index(test) + SHIFTS.get(marker, 0.0) for test in one["test"]]
            axes.plot(
                one["cycle"], y, marker, ms=6, color=colour, mew=1.6 if marker == "x" else 0.5, ls="none", label=what
            )
    longest, shortest = int(ran["cycle"].max()), int(data["cycle"].min())  # type: ignore[arg-type]
    if longest > LONG_LIVED * max(shortest, 1):
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter("{x:g}")
        axes.set_xlim(max(1, shortest) / 2.0, longest * 1.4)
    else:
        axes.set_xlim(0, longest * 1.05)
    axes.set_yticks(range(len(names)), [drawable(name) for name in names], fontsize=7)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_xlabel("Cycle")


# ---- held out


def _rows(held_out: Finding) -> list[dict[str, Any]]:
    """Held-out results that have a published number, as rows of a table."""
    return [
        {
            **row,
            "ours": row["predicted"],
            "bound": "least" if row["at_least"] else None,
            "kind": "predicted",
        }
        for row in held_out.summary["rows"]
        if is_number(row["paper"]) and row["paper"] != 0
    ]


def _held_out(rows: Sequence[Row]) -> Sketch | None:
    data = spans(rows)
    if not data.height:
        return None
    caption = (
        "Ours over the published value, on a logarithmic axis: the point with the values as shipped, pale the span of "
        "what is assumed. ≥: the paper has a lower bound."
    )
    return Sketch(
        "6-life-held-out",
        "Predicted, and held out",
        caption,
        data,
        lambda canvas: _paint_held_out(canvas, data),
        height_in(data),
        7.6,
    )


def _paint_held_out(canvas: Axes, data: pl.DataFrame) -> None:
    paint_spans(canvas.subplots(), data, is_ratio=True, label="Ours over published")
