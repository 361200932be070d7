"""Figures of fits and of rivals: profile likelihoods, samples of a posterior, cells that a test needs."""

from __future__ import annotations

import numpy as np
import polars as pl

from interlith.findings import Finding
from interlith.parts.listing import UNITS
from interlith.report.sketch import GREEN, GREY, INK, PALE, PLATE, STRIP, Axes, Sketch, drawable

RISE_95 = 3.84  # of chi2, where the 95 % interval of one parameter ends
HIGHEST_RISE = 12.0
PLAIN = "{x:g}"  # of a logarithmic axis: powers would need a parser of mathematics
PANEL_IN, ROW_IN = 1.75, 0.3
LEAST_RATIO, RATIOS = 0.08, (0.1, 0.3, 1.0, 3.0, 10.0)  # of the axis of predicted over measured


def profile_likelihoods(finding: Finding) -> Sketch | None:
    """The least chi2 at each value of a parameter, one panel each."""
    table = finding.tables.get("profiles")
    if finding.summary.get("kind") != "calibration" or table is None or not table.height:
        return None
    data = table.select("parameter", "value", "rise_of_chi2").with_columns(pl.col("rise_of_chi2").clip(0, HIGHEST_RISE))
    rows = {row["name"]: row for row in finding.summary["estimates"]}
    caption = (
        "Least chi2 above the best, the other parameters fitted. Dashed: 3.84, where the 95 % interval ends. A curve "
        "that stays below it to the edge of the panel leaves the parameter open on that side."
    )
    height = PANEL_IN * ((len(rows) + 1) // 2)

    def paint(canvas: Axes) -> None:
        panels = np.atleast_1d(canvas.subplots((len(rows) + 1) // 2, min(2, len(rows)))).ravel()
        for axes, (name, row) in zip(panels, rows.items(), strict=False):
            part = data.filter(pl.col("parameter") == name).sort("value")
            axes.plot(part["value"], part["rise_of_chi2"], "-o", color=PLATE, ms=2.5, lw=1.0)
            axes.axhline(RISE_95, color=GREY, lw=0.8, ls=(0, (4, 3)))
            axes.set_xscale("log" if row["scale"] == "log" else "linear")
            axes.set_xlim(*row["allowed"])
            axes.xaxis.set_major_formatter(PLAIN)
            axes.set_ylim(-0.3, HIGHEST_RISE)
            axes.set_xlabel(drawable(_short(name, row["unit"])))
            axes.set_ylabel("Rise of chi2")
            axes.text(0.03, 0.95, row["verdict"], transform=axes.transAxes, va="top", fontsize=7, color=STRIP)
        for axes in panels[len(rows) :]:
            axes.set_axis_off()

    return Sketch("profiles", "Profile likelihoods", caption, data, paint, height)


def posterior(finding: Finding) -> Sketch | None:
    """Samples of the two parameters that trade most, or of the first two."""
    table = finding.tables.get("samples")
    if finding.summary.get("kind") != "calibration" or table is None or table.height < 2 or table.width < 2:
        return None
    rows = {row["name"]: row for row in finding.summary["estimates"]}
    trades = finding.summary["trade_offs"]
    one, other = trades[0]["parameters"] if trades else list(rows)[:2]
    data = table.select(one, other)

    def paint(canvas: Axes) -> None:
        axes = canvas.subplots()
        axes.plot(data[one], data[other], ".", color=PLATE, ms=2, alpha=0.35, rasterized=data.height > 1000)
        if trades:
            pairs = np.array(trades[0]["pairs"])
            axes.plot(pairs[:, 0], pairs[:, 1], "-", color=STRIP, lw=1.2, label="fits as well")
        axes.plot(rows[one]["best"], rows[other]["best"], "s", color=INK, ms=4, label="best")
        for name, axis, scale, limits, word in (
            (one, axes.xaxis, axes.set_xscale, axes.set_xlim, axes.set_xlabel),
            (other, axes.yaxis, axes.set_yscale, axes.set_ylim, axes.set_ylabel),
        ):
            scale("log" if rows[name]["scale"] == "log" else "linear")
            limits(*rows[name]["allowed"])
            axis.set_major_formatter(PLAIN)
            word(drawable(_short(name, rows[name]["unit"])))

    caption = "Samples of the posterior within the allowed ranges, which are those of the axes."
    return Sketch("posterior", "What fits", caption, data, paint, 3.2)


def cells_needed(finding: Finding) -> Sketch | None:
    """Cells in all that each test, or combination, needs to tell the rivals apart."""
    table = finding.tables.get("tests")
    if finding.summary.get("kind") != "discrimination" or table is None or not table.height:
        return None
    names = ("n_cells", "n_cells_with_least_noise", "n_cells_with_most_noise")
    data = table.select("tests", *names)
    most = max((value for name in names for value in data[name].drop_nulls()), default=1)
    beyond = 3.0 * most

    def paint(canvas: Axes) -> None:
        axes = canvas.subplots()
        for place, (_, n, low, high) in enumerate(data.iter_rows()):
            axes.hlines(
                place,
                low or beyond,
                high or beyond,
                color=PALE,
                lw=5,
                label="all noise at its ends" if place == 0 else None,
            )
            colour = GREEN if n else GREY
            axes.plot(n or beyond, place, "o" if n else "x", color=colour, ms=5)
            axes.text((n or beyond) * 1.4, place, str(n) if n else "not possible", va="center", fontsize=7)
        axes.set_xscale("log")
        axes.set_xlim(0.8, beyond * 6.0)
        axes.xaxis.set_major_formatter(PLAIN)
        axes.set_yticks(range(data.height), [drawable(str(name)) for name in data["tests"]], fontsize=7)
        axes.set_ylim(data.height - 0.4, -0.6)
        axes.set_xlabel("Cells in all")

    caption = (
        f"Cells needed to be right with {finding.summary['accuracy']:.0%}, whichever rival is true. Pale: with all "
        "assumed errors at the low and at the high ends of their ranges. Crosses: no number of cells."
    )
    return Sketch("cells", "Cells that tell the rivals apart", caption, data, paint, 0.7 + ROW_IN * data.height)


def held_out(finding: Finding) -> Sketch | None:
    """Predicted over measured, one row for each result that was not fitted."""
    if finding.summary.get("kind") != "held-out":
        return None
    rows = [row for row in finding.summary["rows"] if row["paper"]]
    data = pl.DataFrame(
        [
            {
                "quantity": row["quantity"],
                "predicted_over_paper": row["predicted"] / row["paper"],
                "low_over_paper": row["low"] / row["paper"],
                "high_over_paper": row["high"] / row["paper"],
                "within": row["within"],
                "at_least": row["at_least"],
            }
            for row in rows
        ]
    )

    def paint(canvas: Axes) -> None:
        axes = canvas.subplots()
        for place, (_, at, low, high, within, at_least) in enumerate(data.iter_rows()):
            axes.hlines(place, low, high, color=PALE, lw=5)
            axes.plot(at, place, ">" if at_least else "o", color=GREEN if within else STRIP, ms=5)
        axes.axvline(1.0, color=GREY, lw=0.8, ls=(0, (4, 3)))
        axes.set_xscale("log")
        axes.set_xlim(LEAST_RATIO, 1.0 / LEAST_RATIO)
        axes.set_xticks(RATIOS, [f"{ratio:g}" for ratio in RATIOS])
        axes.set_xticks([], minor=True)
        axes.set_yticks(range(data.height), [drawable(str(name)) for name in data["quantity"]], fontsize=7)
        axes.set_ylim(data.height - 0.4, -0.6)
        axes.set_xlabel("Predicted over measured")

    caption = (
        "Point: with the values as shipped, green where the measured value lies in the span of what is assumed (pale), "
        "else red. Arrows: measured is a lower bound, the cell was still alive. A span that reaches the left edge goes "
        "on: there, cells die early."
    )
    return Sketch("held-out", "Predicted and held out", caption, data, paint, 0.7 + ROW_IN * data.height)


def _short(name: str, unit: str) -> str:
    """The last part of a dotted name, with the cell and the unit behind it."""
    first, _, cell = name.partition(" of ")
    last = first.split(".")[-1]
    ending = next((f"_{e}" for e, text in UNITS.items() if text == unit and last.endswith(f"_{e}")), "")
    words = last.removesuffix(ending).replace("_", " ")
    words = f"{words}, {cell}" if cell else words
    return words if unit == "1" else f"{words} ({unit})"
