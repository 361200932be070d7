"""Pictures 2 and 3: what the coating looks like, and what the pores of the paper hold, beside what was measured."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from interlith.findings import Finding, Findings
from interlith.report.coating_plots import TUBE, loading, of_coating, tube
from interlith.report.sketch import GREY, INK, ORANGE, PALE, PLATE, Axes, Sketch, drawable
from interlith.report.story_picture import Picture, Row, in_order, marks_of, named, rows_of
from interlith.report.story_spans import height_in, is_number, paint_spans, spans
from interlith.report.wording import number

STACK = {  # what is drawn -> words, colour
    "solid_um": ("tubes and fibres", TUBE),
    "in_pores_um": ("lithium in the pores", PLATE),
    "void_um": ("empty pores", PALE),
    "on_top_um": ("lithium on top", ORANGE),
}
AT_CHARGE = re.compile(r"at (\d+(?:\.\d+)?) mAh/cm2")
THICKNESS_FROM = ("coating > host", "tests", "held_out")  # of rows in um that are about the paper
STACK_IN = 2.9
PERCENT = 100.0


def coating_picture(findings: Findings) -> Picture | None:
    """How the coating grows and what it looks like; None without a coating."""
    finding = named(findings, "coating")
    if finding is None:
        return None
    made = [sketch for sketch in (loading(finding), tube(finding)) if sketch is not None]
    if not made:
        return None
    said = finding.summary
    kind = "calibrated" if said["result_kind"] == "calibrated" else "computed"
    says = [
        "Atomic layer deposition: gas that carries zinc and water are let in by turns, and each turn leaves a little "
        f"oxide. {said['n_cycles']} cycles would leave a film of {number(said['nominal_thickness_nm'], 3)} nm on a "
        f"flat wafer; on the powder the same oxide, spread evenly, is {number(said['equivalent_thickness_nm'], 2)} nm.",
        *_readings_said(finding, made),
    ]
    if kind == "calibrated":
        says.append(
            "Chamber and nuclei were fitted to the published loading and particles: that both agree is no evidence."
        )
    sketches = tuple(replace(sketch, name=f"2-coating-{sketch.name}") for sketch in made)
    kinds = in_order((kind, "measured") if _has_points(finding) else (kind,))
    return Picture("2-coating", _coating_heading(said), tuple(says), kinds, marks_of([kind]), sketches)


def _has_points(finding: Finding) -> bool:
    points = finding.tables.get("points")
    return points is not None and points.height > 0


def _coating_heading(said: Mapping[str, object]) -> str:
    load = number(PERCENT * float(said["loading_wt_fraction"]), 3)  # type: ignore[arg-type]
    first = f"After {said['n_cycles']} cycles oxide is {load} % of the {said['loading_of']} by mass"
    if said["regime"] == "saturated":
        return f"{first}: a closed film"
    size = number(float(said["particle_diameter_nm"]), 2)  # type: ignore[arg-type]
    covered = number(PERCENT * float(said["coverage"]), 2)  # type: ignore[arg-type]
    return f"{first}: separate particles of {size} nm on {covered} % of the tubes, no closed film"


def _readings_said(finding: Finding, made: Sequence[Sketch]) -> list[str]:
    """What the names of the lines mean, where there are several."""
    drawn = [name for sketch in made if "reading" in sketch.data.columns for name in sketch.data["reading"].unique()]
    titles = {row["reading"]: row["title"] for row in finding.summary.get("readings") or ()}
    words = [f"{name}: {titles[name]}" for name in titles if name in drawn]
    if len(words) < 2:
        return []
    return [f"Lines: what limits the growth is not known, so each way to read the recipe has one ({'; '.join(words)})."]


# ---- the paper


def host_picture(findings: Findings) -> Picture | None:
    """What the pores hold and what lies on top, with the published thicknesses; None without a paper."""
    finding = named(findings, "coating")
    table = None if finding is None else of_coating(finding, "void", "plated_mAh_per_cm2", "void_um")
    if finding is None or table is None:
        return None
    host = finding.summary["host"]
    rows = _thickness_rows(findings)
    drawn = spans(rows)
    says = [
        f"A paper of {number(host['thickness_um'], 3)} um with {number(PERCENT * host['porosity'], 3)} % of pores, "
        "filled with dense lithium: what does not fit lies on top. That is the least thickness that there can be; real "
        "lithium is porous, and real papers swell."
    ]
    if drawn.height:
        says.append(
            "Each thickness that was expected stands beside it, ours with its span and the published one; hollow "
            "points were fitted to that very thickness."
        )
    kinds = in_order(("computed", *drawn["kind"]))
    points = _points(rows)
    made = (_pores(finding, table, points), _thicknesses(drawn))
    sketches = tuple(sketch for sketch in made if sketch is not None)
    own = {sketches[0].name: marks_of(["computed"])}
    marks = marks_of(in_order(drawn["kind"]))
    return Picture("3-paper", _host_heading(host, points), tuple(says), kinds, marks, sketches, own_marks=own)


def _host_heading(host: Mapping[str, float], points: pl.DataFrame) -> str:
    first = f"The pores hold {number(host['pore_capacity_mAh_per_cm2'], 3)} mAh/cm2 of dense lithium"
    if not points.height:
        return f"{first}; what is plated beyond that lies on top"
    most = points.sort("paper_um").row(-1, named=True)
    return (
        f"{first}; at {number(most['plated_mAh_per_cm2'], 3)} mAh/cm2 a paper of {number(host['thickness_um'], 3)} um "
        f"was published to be up to {number(most['paper_um'], 3)} um thick"
    )


def _thickness_rows(findings: Findings) -> list[Row]:
    """Rows of the table that are about a thickness of the paper."""
    rows = [row for row in rows_of(findings) if row["unit"] == "um" and row["kind"] != "audit"]
    return [row for row in rows if str(row["place"]).startswith(THICKNESS_FROM) and is_number(row["paper"])]


def _points(rows: Sequence[Row]) -> pl.DataFrame:
    """Published thicknesses whose lithium the words of the row tell, each once."""
    found: dict[tuple[float, float], str] = {}
    for row in rows:
        told = AT_CHARGE.search(row["quantity"])
        if told is not None and "stripped" not in row["quantity"]:
            name = row["quantity"].partition(" at ")[0].removeprefix("thickness of ").strip()
            found.setdefault((float(told[1]), float(row["paper"])), name)
    schema = {"what": pl.String, "plated_mAh_per_cm2": pl.Float64, "paper_um": pl.Float64}
    return pl.DataFrame([(name, *at) for at, name in found.items()], schema=schema, orient="row")


def _pores(finding: Finding, table: pl.DataFrame, points: pl.DataFrame) -> Sketch:
    host = finding.summary["host"]
    stack = table.select(
        pl.lit("stack").alias("what"),
        "plated_mAh_per_cm2",
        pl.lit(float(host["solid_um"])).alias("solid_um"),
        (pl.col("void_um").first() - pl.col("void_um")).alias("in_pores_um"),
        "void_um",
        "on_top_um",
    )
    full = pl.DataFrame({"what": ["pores full"], "plated_mAh_per_cm2": [float(host["pore_capacity_mAh_per_cm2"])]})
    data = pl.concat([stack, full, points], how="diagonal")
    caption = (
        "What fills the thickness of a rigid paper against the lithium plated into it; dashed: its pores are full."
    ) + (" Diamonds: published thicknesses." if points.height else "")
    return Sketch("3-paper-pores", "What the pores hold", caption, data, lambda c: _paint(c, data), STACK_IN)


def _paint(canvas: Axes, data: pl.DataFrame) -> None:
    axes = canvas.subplots()
    stack = data.filter(pl.col("what") == "stack")
    x = stack["plated_mAh_per_cm2"].to_numpy()
    axes.stackplot(
        x,
        *(np.asarray(stack[name].to_numpy()) for name in STACK),
        labels=[words for words, _ in STACK.values()],
        colors=[colour for _, colour in STACK.values()],
        lw=0,
    )
    for full in data.filter(pl.col("what") == "pores full")["plated_mAh_per_cm2"]:
        axes.axvline(full, color=GREY, lw=0.8, ls="--")
    if "paper_um" in data.columns:
        _paint_points(axes, data.filter(pl.col("paper_um").is_not_null()))
    axes.set_xlim(0.0, max(float(x[-1]), axes.get_xlim()[1]))
    axes.set_ylim(0.0, None)
    axes.set_xlabel("Lithium plated (mAh/cm2)")
    axes.set_ylabel("Thickness (um)")


def _thicknesses(data: pl.DataFrame) -> Sketch | None:
    if not data.height:
        return None
    caption = "Each thickness that was expected: ours, with the span of what is assumed, and the published one."
    return Sketch(
        "3-paper-thickness",
        "Thickness, ours and published",
        caption,
        data,
        lambda canvas: _paint_thicknesses(canvas, data),
        height_in(data),
    )


def _paint_thicknesses(canvas: Axes, data: pl.DataFrame) -> None:
    axes = canvas.subplots()
    paint_spans(axes, data, label="Thickness of the paper (um)")
    axes.set_xlim(0.0, None)


def _paint_points(axes: Axes, points: pl.DataFrame) -> None:
    for name, x, y in points.select("what", "plated_mAh_per_cm2", "paper_um").iter_rows():
        axes.plot(
            x, y, "D", ms=5, color=INK, mec="white", mew=0.6, ls="none", label="published", zorder=5, clip_on=False
        )
        is_left = x < max(points["plated_mAh_per_cm2"].to_list()) / 2.0
        offset = {"xytext": (5 if is_left else -7, 6 if is_left else 0), "textcoords": "offset points"}
        text = f"{drawable(name)}, {number(y, 3)} um"
        side = "left" if is_left else "right"
        axes.annotate(text, (x, y), **offset, ha=side, va="center", fontsize=7.5, color=INK)
