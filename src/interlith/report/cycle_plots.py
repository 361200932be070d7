"""Figures against the cycle number: efficiency, capacities and retention, hysteresis and arc index."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from interlith.findings import Finding
from interlith.report.sketch import (
    DENSE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PALE,
    PLATE,
    REASON_COLOURS,
    STRIP,
    Axes,
    Sketch,
    branch_names,
    category,
    counted,
    dots,
    drawable,
    known,
    only_whole,
    show,
    view,
)

PERCENT = 100.0
EXACT_PERCENT = 1e-9


def efficiency(finding: Finding) -> Sketch | None:
    """Coulombic efficiency of each cycle with its uncertainty, and the cycles that have none with the reason."""
    table = finding.tables.get("cycles")
    if table is None or known(table, "cycle", "efficiency", "uncertainty_k2").height == 0:
        return None
    data = table.select(
        "cycle",
        (pl.col("efficiency") * PERCENT).alias("efficiency_percent"),
        (pl.col("uncertainty_k2") * PERCENT).alias("uncertainty_k2_percent"),
        "no_efficiency_because",
    )
    results = finding.summary["results"].get("efficiency", {})
    whose = "an assumed" if results.get("offset_kind") == "assumed" else "the stated"
    band = f" Grey band: the uncertainty (k = 2) that follows from {whose} current offset." if _is_known(data) else ""
    caption = (
        f"Coulombic efficiency of each cycle.{band} "
        "Ticks at the lower edge: cycles without an efficiency. Triangles: values outside the axis."
    )
    return Sketch("efficiency", "Coulombic efficiency", caption, data, lambda canvas: _paint_efficiency(canvas, data))


def _is_known(data: pl.DataFrame) -> bool:
    """Whether the efficiencies have an uncertainty; those of exact, simulated currents have none."""
    largest = data["uncertainty_k2_percent"].max()
    return isinstance(largest, float) and largest > EXACT_PERCENT


def _paint_efficiency(canvas: Axes, data: pl.DataFrame) -> None:
    axes = canvas.subplots()
    valid = known(data, "efficiency_percent")
    x, y = valid["cycle"].to_numpy(), valid["efficiency_percent"].to_numpy()
    band = valid["uncertainty_k2_percent"].fill_null(0.0).to_numpy()
    label = "uncertainty (k = 2)"
    if not _is_known(data):
        pass
    elif len(x) > 1:
        axes.fill_between(x, y - band, y + band, color=PALE, lw=0, label=label, rasterized=len(x) > DENSE)
    else:
        axes.errorbar(x, y, yerr=band, color=GREY, lw=1, capsize=3, label=label)
    axes.axhline(PERCENT, color=GREY, lw=0.6, ls=(0, (4, 3)))
    dots(axes, x, y, INK, "efficiency")
    only_whole(axes, data["cycle"])
    limits = view(y, room=float(np.median(band)), least=0.002)
    show(axes, x, y, limits, INK, " %")
    _without(axes, data)
    axes.set_xlabel("Cycle")
    axes.set_ylabel("Coulombic efficiency (%)")


def _without(axes: Axes, data: pl.DataFrame) -> None:
    reasons = data.drop_nulls("no_efficiency_because").with_columns(
        pl.col("no_efficiency_because").map_elements(category, return_dtype=pl.String).alias("category")
    )
    common = counted(reasons["category"])
    for place, (name, count) in enumerate(common[: len(REASON_COLOURS)]):
        here = reasons.filter(pl.col("category") == name)["cycle"].to_numpy()
        across = axes.get_xaxis_transform()
        text = drawable(f"none ({count}): {name}")
        colour = REASON_COLOURS[place]
        axes.plot(
            here,
            np.full(len(here), 0.03),
            "|",
            ms=8,
            mew=1.2,
            color=colour,
            transform=across,
            label=text,
            rasterized=len(here) > DENSE,
        )


def capacity(finding: Finding) -> Sketch | None:
    """Charge of both branches of each cycle, and what is left of the reference cycle's capacity."""
    table = finding.tables.get("cycles")
    if table is None or table.height < 2:
        return None
    names = branch_names(finding.summary)
    data = table.select("cycle", "plated_mAh", "stripped_mAh", "above_zero_mAh")
    if not (data["above_zero_mAh"] > 0).any():
        data = data.drop("above_zero_mAh")
    kept = finding.tables.get("retention")
    if kept is not None:
        percent = kept.select("cycle", (pl.col("retention") * PERCENT).alias("retention_percent"))
        data = data.join(percent, on="cycle", how="left", maintain_order="left")
    caption = f"Charge passed in each cycle, {names['plate']} and {names['strip']}."
    if "above_zero_mAh" in data.columns:
        caption += " Charge above 0 V while plating is counted apart: it plates nothing."
    if kept is not None:
        caption += " Below: capacity given back, as part of that of the reference cycle; interrupted cycles left out."
    height = 2.6 if kept is None else 3.9
    return Sketch("capacity", "Capacity", caption, data, lambda canvas: _paint_capacity(canvas, data, names), height)


def _paint_capacity(canvas: Axes, data: pl.DataFrame, names: Mapping[str, str]) -> None:
    both = "retention_percent" in data.columns
    panels = canvas.subplots(2 if both else 1, 1, sharex=True, squeeze=False, height_ratios=(3, 2) if both else None)[
        :, 0
    ]
    only_whole(panels[0], data["cycle"])
    _charges(panels[0], data, names)
    panels[0].set_ylabel("Capacity (mAh)")
    panels[-1].set_xlabel("Cycle")
    if both:
        part = known(data, "retention_percent")
        x, y = part["cycle"].to_numpy(), part["retention_percent"].to_numpy()
        dots(panels[1], x, y, GREEN)
        if len(y):
            show(panels[1], x, y, view(y, least=0.02), GREEN, " %")
        panels[1].set_ylabel("Retention (%)")


def _charges(axes: Axes, data: pl.DataFrame, names: Mapping[str, str]) -> None:
    series = (
        ("plated_mAh", PLATE, names["plate"], "o"),
        ("stripped_mAh", STRIP, names["strip"], "s"),
        ("above_zero_mAh", ORANGE, "above 0 V while plating", "^"),
    )[: 3 if "above_zero_mAh" in data.columns else 2]
    everything = []
    for column, colour, label, marker in series:
        part = known(data, "cycle", column).select("cycle", column).to_numpy()
        dots(axes, part[:, 0], part[:, 1], colour, label, marker)
        everything.append(part)
    x, y = np.concatenate(everything).T
    if len(y):
        show(axes, x, y, view(y, fence=20.0, least=0.02), INK, " mAh")


def hysteresis(finding: Finding) -> Sketch | None:
    """Hysteresis of each cycle, and the arc index where there is one."""
    known_rows = known(finding.tables.get("cycles"), "cycle", "hysteresis_mV")
    if known_rows.height < 2:
        return None
    data = known_rows.select("cycle", "hysteresis_mV", "arc_index")
    arcs = known(data, "arc_index").height > 0
    caption = "Voltage of stripping minus that of plating, medians over the middle of each branch's charge."
    if finding.summary.get("kind") in ("full", "anode-free", "unknown"):
        caption = "Difference of the voltages of both branches, medians over the middle of each branch's charge."
    if arcs:
        caption += " Below: arc index, the voltage at a branch's end over that at its middle."
    else:
        data = data.drop("arc_index")
    height = 3.6 if arcs else 2.4
    return Sketch("hysteresis", "Hysteresis", caption, data, lambda canvas: _paint_hysteresis(canvas, data), height)


def _paint_hysteresis(canvas: Axes, data: pl.DataFrame) -> None:
    columns = [("hysteresis_mV", "Hysteresis (mV)", " mV", 0.2), ("arc_index", "Arc index", "", 0.02)]
    chosen = [row for row in columns if row[0] in data.columns]
    panels = canvas.subplots(len(chosen), 1, sharex=True, squeeze=False)[:, 0]
    only_whole(panels[0], data["cycle"])
    for axes, (column, label, unit, least) in zip(panels, chosen, strict=True):
        part = known(data, column)
        x, y = part["cycle"].to_numpy(), part[column].to_numpy()
        dots(axes, x, y, INK)
        show(axes, x, y, view(y, least=least), INK, unit)
        axes.set_ylabel(label)
    panels[-1].set_xlabel("Cycle")
