"""Figures of diffraction: the pattern with its fit, texture coefficients, and several patterns side by side."""

from __future__ import annotations

import numpy as np
import polars as pl

from interlith.findings import Finding
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
    Axes,
    Sketch,
    drawable,
    spread,
)

ROW_IN, PANEL_IN = 0.26, 3.4
ROOM = 1.35  # above the highest point that is fitted: for the indices
NAME_GAP = 0.026  # of the width of the axes, between names of masks
FAR_SIGMA = 6.0
COLOURS = (PLATE, STRIP, GREEN, PURPLE, ORANGE, SKY)
MOST_PATTERNS = 12


def diffraction(finding: Finding) -> Sketch | None:
    """Counts, fit and background against 2 theta, lines by their indices, masks by their names, and what is left."""
    points = finding.tables.get("xrd-pattern")
    if points is None or not points.height:
        return None
    lines = finding.tables["xrd-lines"].select(
        pl.lit("line").alias("what"), "hkl", pl.col("two_theta_deg"), (pl.col("area_counts_deg") > 0).alias("found")
    )
    masks = finding.tables["xrd-masks"].select(pl.lit("mask").alias("what"), "low_deg", "high_deg", "name")
    data = pl.concat([points.with_columns(pl.lit("point").alias("what")), lines, masks], how="diagonal")
    chi2 = finding.summary.get("results", {}).get("xrd", {}).get("reduced_chi2")
    caption = (
        "Counts (root scale), the fit and its background; below, what is left in standard errors of one point drawn. "
        + ("Grey: left out of the fit. " if masks.height else "")
        + (f"Reduced chi2 {chi2:.3g}." if chi2 is not None else "Not counts: chi2 says nothing.")
    )
    return Sketch(
        "diffraction", "Diffraction pattern", caption, data, lambda canvas: _paint_pattern(canvas, data), PANEL_IN
    )


def _paint_pattern(canvas: Axes, data: pl.DataFrame) -> None:
    upper, lower = canvas.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    points = data.filter(pl.col("what") == "point")
    angles, counts = points["two_theta_deg"].to_numpy(), points["counts"].to_numpy()
    masked = points["masked"].to_numpy()
    dots = {"ls": "none", "marker": "o", "ms": 0.9, "mew": 0, "rasterized": True}
    upper.plot(angles[~masked], counts[~masked], color=GREY, label="counts", **dots)
    upper.plot(angles[masked], counts[masked], color=PALE, **dots)
    fitted, background = points["fitted_counts"].to_numpy(), points["background_counts"].to_numpy()
    free = np.where(masked, np.nan, 1.0)
    upper.plot(angles, fitted * free, color=STRIP, lw=1.0, label="fit")
    upper.plot(angles, background * free, color=PLATE, lw=0.8, ls=(0, (4, 2)), label="background")
    top = ROOM * float(max(counts[~masked].max(), fitted[~masked].max()))
    upper.set_yscale("function", functions=(lambda y: np.sqrt(np.maximum(y, 0)), np.square))
    upper.set_ylim(max(0.0, 0.7 * float(counts[~masked].min())), top)
    upper.set_xlim(angles[0], angles[-1])
    upper.set_ylabel("Counts")
    residual = np.clip(points["residual_sigma"].to_numpy(), -FAR_SIGMA, FAR_SIGMA)
    lower.plot(angles[~masked], residual[~masked], color=GREY, **dots)
    lower.axhline(0.0, color=INK, lw=0.6)
    lower.set_ylim(-FAR_SIGMA, FAR_SIGMA)
    lower.set_ylabel("Residual (σ)")
    lower.set_xlabel("2θ (degrees), Kα1")
    _masks(upper, lower, data.filter(pl.col("what") == "mask"), top)
    _indices(upper, data.filter(pl.col("what") == "line"))


def _masks(upper: Axes, lower: Axes, masks: pl.DataFrame, top: float) -> None:
    """Shaded spans, each name beside its own, led to it where they are close."""
    low, high = upper.get_xlim()
    shown = [
        (max(a, low), min(b, high), name) for a, b, name in masks.select("low_deg", "high_deg", "name").iter_rows()
    ]
    for a, b, _ in shown:
        for axes in (upper, lower):
            axes.axvspan(a, b, color=PALE, alpha=0.6, lw=0)
    middles = [(a + b) / 2 for a, b, _ in shown]
    places = spread(middles, NAME_GAP * (high - low), (low, high)) if shown else []
    for place, (_, _, name) in zip(places, shown, strict=True):
        upper.text(
            place,
            0.8,
            drawable(name),
            rotation=90,
            transform=upper.get_xaxis_transform(),
            ha="center",
            va="top",
            fontsize=6,
            color=GREY,
            zorder=5,
        )


def _indices(axes: Axes, lines: pl.DataFrame) -> None:
    low, high = axes.get_xlim()
    rows = list(lines.select("two_theta_deg", "hkl", "found").iter_rows())
    places = spread([angle for angle, *_ in rows], 0.05 * (high - low), (low, high)) if rows else []
    across = axes.get_xaxis_transform()
    for place, (angle, hkl, found) in zip(places, rows, strict=True):
        axes.plot([angle, angle, place], [0.84, 0.88, 0.92], color=INK if found else GREY, lw=0.6, transform=across)
        axes.text(
            place, 0.925, hkl, transform=across, ha="center", va="bottom", fontsize=7, color=INK if found else GREY
        )


def texture(finding: Finding) -> Sketch | None:
    """Texture coefficient of each line with its interval of 95 %."""
    table = finding.tables.get("xrd-lines")
    if table is None or not table.height or not table["texture_coefficient"].is_not_null().any():
        return None
    columns = ("hkl", "texture_coefficient", "texture_low", "texture_high")
    data = table.filter(pl.col("texture_coefficient").is_not_null()).select(*columns)
    n = data.height
    caption = (
        f"Harris: intensity over that of a powder, over its mean of these {n} lines. 1 (dashed): as in a powder; {n}: "
        "all of one orientation. Bars: 95 %."
    )
    return Sketch("texture", "Texture coefficients", caption, data, lambda canvas: _paint_texture(canvas, data), 2.4)


def _paint_texture(canvas: Axes, data: pl.DataFrame) -> None:
    axes = canvas.subplots()
    values = data["texture_coefficient"].to_numpy()
    places = np.arange(data.height)
    axes.bar(places, values, width=0.6, color=PLATE)
    below, above = values - data["texture_low"].to_numpy(), data["texture_high"].to_numpy() - values
    axes.errorbar(places, values, [below, above], ls="none", color=INK, lw=0.9, capsize=2.5)
    for place, value, high in zip(places, values, data["texture_high"].to_numpy(), strict=True):
        axes.annotate(
            f"{value:.2f}",
            (place, high),
            xytext=(0, 2),
            textcoords="offset points",
            ha="center",
            va="bottom",
            fontsize=7,
        )
    axes.axhline(1.0, color=GREY, lw=0.8, ls=(0, (4, 3)))
    axes.set_xticks(places, [f"({hkl})" for hkl in data["hkl"]])
    axes.set_ylim(0, 1.15 * float(data["texture_high"].max()))  # type: ignore[arg-type]
    axes.grid(visible=False, axis="x")
    axes.set_ylabel("Texture coefficient")


def texture_series(finding: Finding) -> Sketch | None:
    """Texture coefficients of several patterns, one row each, one colour for each line."""
    table = finding.tables.get("xrd-series")
    if table is None or not table.height:
        return None
    names = table["name"].unique(maintain_order=True).to_list()[:MOST_PATTERNS]
    data = table.filter(pl.col("name").is_in(names))
    counts = sorted(data["n_lines"].unique().to_list())
    over = f"{counts[0]} lines" if len(counts) == 1 else f"{counts[0]} to {counts[-1]} lines, which cannot be compared"
    left = table["name"].n_unique() - len(names)
    caption = f"Texture coefficients with 95 %, over {over}." + (
        f" {left} more patterns are in the table." if left else ""
    )
    height = 0.8 + 2 * ROW_IN * len(names)
    return Sketch(
        "texture-series",
        "Texture, pattern by pattern",
        caption,
        data,
        lambda canvas: _paint_series(canvas, data),
        height,
    )


def _paint_series(canvas: Axes, data: pl.DataFrame) -> None:
    axes = canvas.subplots()
    names = data["name"].unique(maintain_order=True).to_list()
    hkls = data["hkl"].unique(maintain_order=True).to_list()
    axes.axvline(1.0, color=GREY, lw=0.8, ls=(0, (4, 3)))
    for order, hkl in enumerate(hkls):
        part = data.filter(pl.col("hkl") == hkl)
        values = part["texture_coefficient"].to_numpy()
        shift = 0.7 * ((order + 0.5) / len(hkls) - 0.5)
        places = np.array([names.index(name) for name in part["name"]]) + shift
        ends = [values - part["texture_low"].to_numpy(), part["texture_high"].to_numpy() - values]
        colour = COLOURS[order % len(COLOURS)]
        marker = "os^"[order // len(COLOURS) % 3]
        axes.errorbar(values, places, xerr=ends, fmt=marker, ms=3, lw=0.9, capsize=1.5, color=colour, label=f"({hkl})")
    axes.set_yticks(range(len(names)), [drawable(_short(str(name))) for name in names], fontsize=7)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_xlim(left=-0.05)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("Texture coefficient")


def _short(name: str) -> str:
    """The end of a long name: there files of a series differ."""
    return name if len(name) <= 28 else f"…{name[-27:]}"
