"""Figures of lithium in a network: cuts as a microscope shows them, a film, heights, where it lies, what dies."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from interlith.findings import Finding
from interlith.report.network_plots import WIDTH_IN, of_kind
from interlith.report.sketch import GREEN, GREY, INK, ORANGE, PLATE, PURPLE, STRIP, Axes, Sketch, dots, only_whole

PERCENT = 100.0
HOST = "#404045"
LITHIUM = {  # names and colours, in cuts and in space
    "live": ("live lithium, dense", "#56b4e9"),
    "moss": ("live lithium, porous (moss)", "#f0e442"),
    "dead": ("dead lithium", "#d55e00"),
}
KEY = ((HOST, "fibres"), *((colour, name) for name, colour in LITHIUM.values()))
DRAWN = (
    "Live lithium conducts to the collector; moss, over the host, is drawn with its pores, as the room that it takes, "
    "and dead lithium of either sort as dead"
)
BAR_SHARE = 0.5  # of the width of a cut, that a scale bar has at most
HIGHEST_IN = 9.0
N_ACROSS = 3
SEEN = 0.02  # share of a layer: SEI from here on is drawn
LINES = (ORANGE, PLATE, INK, STRIP, PURPLE, GREEN)
DASHES = ("-", "--", "-.", ":")  # so that lines differ without their colours too


def cuts(finding: Finding) -> Sketch | None:
    """The same cut bare, at the end of each step of the first cycle: host, live lithium, moss, dead lithium."""
    data = of_kind(finding, "deposition", "cuts")
    if data is None:
        return None
    n_rows = -(-data["panel"].n_unique() // N_ACROSS)
    ratio = float(data["z_um"].max()) / float(data["x_um"].max())  # type: ignore[arg-type]
    height = min(HIGHEST_IN, 0.3 + n_rows * (WIDTH_IN * 0.28 * ratio + 0.45))
    caption = f"The same cut through the first network as it is filled and emptied, the collector below. {DRAWN}."
    return Sketch("cuts", "Lithium in the host", caption, data, lambda c: _paint_cuts(c, data), height)


def _paint_cuts(canvas: Axes, data: pl.DataFrame) -> None:
    states = data.group_by("panel", maintain_order=True).first()["state"].to_list()
    n_rows = -(-len(states) // N_ACROSS)
    panels = canvas.subplots(n_rows, N_ACROSS, sharex=True, sharey=True, squeeze=False).ravel()
    for axes in panels[len(states) :]:
        axes.set_visible(False)
    for panel, (axes, name) in enumerate(zip(panels, states, strict=False)):
        _paint_cut(axes, data.filter(pl.col("panel") == panel))
        axes.set_title(name, fontsize=8.5)
    _key(panels[0])
    for axes in panels[::N_ACROSS]:
        axes.set_ylabel("Height (um)")
    for axes in panels[max(0, len(states) - N_ACROSS) : len(states)]:
        axes.set_xlabel("um")
        axes.tick_params(labelbottom=True)


def _paint_cut(axes: Axes, rows: pl.DataFrame) -> None:
    rows = rows.sort("z_um", "x_um")
    n = rows["z_um"].n_unique(), rows["x_um"].n_unique()
    host, lithium, dead = (rows[key].cast(pl.Float64).to_numpy().reshape(n) for key in ("host", "lithium", "is_dead"))
    packing = rows["packing"].to_numpy().reshape(n)
    live, moss, is_dead = (_rgb(colour) for _, colour in LITHIUM.values())
    metal = np.where(dead[..., None] > 0, is_dead, np.where(packing[..., None] < 1.0, moss, live))
    room = np.minimum(lithium / packing, 1.0 - host)
    picture = 1.0 - host[..., None] * (1.0 - _rgb(HOST)) - room[..., None] * (1.0 - metal)
    x, z = rows["x_um"].unique().sort().to_numpy(), rows["z_um"].unique().sort().to_numpy()
    ends = (0.0, float(x[-1] + x[0]), 0.0, float(z[-1] + z[0]))
    axes.imshow(np.clip(picture, 0, 1), origin="lower", extent=ends, interpolation="nearest")
    axes.grid(False)


def _rgb(colour: str) -> NDArray[np.float64]:
    """Red, green and blue from 0 to 1 of #rrggbb."""
    return np.array([int(colour[at : at + 2], 16) / 255.0 for at in (1, 3, 5)])


def _key(axes: Axes) -> None:
    """Colours with their names, for the legend."""
    for colour, name in KEY:
        axes.plot([], [], "s", color=colour, label=name)


def _scale_bar(axes: Axes) -> None:
    """A bar of a round length with its um, under the left corner of a cut."""
    wide_um = float(axes.get_xlim()[1])
    power = 10.0 ** math.floor(math.log10(BAR_SHARE * wide_um))
    long_um = max(n * power for n in (1, 2, 5) if n * power <= BAR_SHARE * wide_um)
    below = axes.get_xaxis_transform()
    axes.plot([0.0, long_um], [-0.05, -0.05], color=INK, lw=1.6, clip_on=False, transform=below)
    axes.text(long_um / 2, -0.07, f"{long_um:g} um", fontsize=6.5, ha="center", va="top", transform=below)


def film(finding: Finding) -> Sketch | None:
    """The same cut at equally spaced charges of the first cycle: plating above, stripping at the same charge below."""
    data = of_kind(finding, "deposition", "film")
    if data is None:
        return None
    n_rows = 1 + int(data["is_stripping"].any())
    ratio = float(data["z_um"].max()) / float(data["x_um"].max())  # type: ignore[arg-type]
    n_across = max(len(_panels(data, False)), len(_panels(data, True)))
    height = min(HIGHEST_IN, 0.2 + n_rows * (WIDTH_IN * 0.88 / n_across * ratio + 0.3))
    caption = (
        "The cut of the first network at about equally spaced charges of the first cycle, mAh/cm2: plating above, from "
        f"left to right; stripping below, from right to left. {DRAWN}. The bar is a length and a height."
    )
    return Sketch("film", "The front as it fills and retreats", caption, data, lambda c: _paint_film(c, data), height)


def _panels(data: pl.DataFrame, is_stripping: bool) -> list[tuple[int, float]]:
    """Panels of one direction with what is plated, the least first."""
    held = data.filter(pl.col("is_stripping") == is_stripping).group_by("panel").first()
    held = held.sort("plated_mAh_per_cm2")
    return list(zip(held["panel"].to_list(), held["plated_mAh_per_cm2"].to_list(), strict=True))


def _paint_film(canvas: Axes, data: pl.DataFrame) -> None:
    ways = [(name, panels) for name, way in (("plating", False), ("stripping", True)) if (panels := _panels(data, way))]
    n_across = max(len(panels) for _, panels in ways)
    grid = canvas.subplots(len(ways), n_across, sharex=True, sharey=True, squeeze=False)
    for row, (name, panels) in zip(grid, ways, strict=True):
        for axes in row:
            axes.set_visible(False)
        for axes, (panel, plated) in zip(row, panels, strict=False):
            axes.set_visible(True)
            _paint_cut(axes, data.filter(pl.col("panel") == panel))
            axes.set_title(f"{plated:.2g}", fontsize=7.5, pad=2)
            axes.tick_params(left=False, bottom=False, labelleft=False, labelbottom=False)
        row[0].set_ylabel(name, fontsize=8)
        _scale_bar(row[0])
    _key(grid[0, 0])


def thickness(finding: Finding) -> Sketch | None:
    """Height of the front against what is plated, beside measured thicknesses."""
    data = of_kind(finding, "deposition", "front")
    points = of_kind(finding, "deposition", "thickness")
    if data is None or points is None:
        return None
    data = pl.concat([data, points], how="diagonal")
    caption = (
        "Height under which the lithium of 95 % of the places lies, against what is plated, while it is plated and "
        "stripped; one line for each network. Dashed: the top of the host, which swells."
    )
    if points["paper_low"].is_not_null().any():
        caption += " Diamonds: thickness of the paper as published, hollow where the shipped values were fitted to it."
    return Sketch("height", "How high the lithium stands", caption, data, lambda c: _paint_height(c, data), 2.9)


def _paint_height(canvas: Axes, data: pl.DataFrame) -> None:
    axes = canvas.subplots()
    lines = data.filter(pl.col("front_um").is_not_null())
    for place, (_, rows) in enumerate(lines.group_by("seed", maintain_order=True)):
        x, y = rows["plated_mAh_per_cm2"].to_numpy(), rows["front_um"].to_numpy()
        last = int(np.argmax(x)) + 1
        axes.plot(x[:last], y[:last], color=PLATE, lw=1.2, label="plating" if place == 0 else None)
        axes.plot(x[last - 1 :], y[last - 1 :], color=STRIP, lw=1.0, label="stripping" if place == 0 else None)
        axes.plot(x, rows["host_um"].to_numpy(), color=GREY, lw=0.8, ls="--", label="host" if place == 0 else None)
    seen = data.filter(pl.col("paper_low").is_not_null())
    is_fitted = pl.col("kind").str.contains("fitted to this")
    for name, inside, rows in (
        ("published, fitted to", "white", seen.filter(is_fitted)),
        ("published", INK, seen.filter(~is_fitted)),
    ):
        _paint_published(axes, "capacity_mAh_per_cm2", inside, rows, name)
    axes.margins(y=0.1)
    axes.set_ylim(0.0, None)
    axes.set_xlim(0.0, None)
    axes.set_xlabel("Lithium plated (mAh/cm2)")
    axes.set_ylabel("Height (um)")


def _paint_published(axes: Axes, along: str, inside: Any, rows: pl.DataFrame, name: str) -> None:
    """A diamond in the middle of what was published, with its ends."""
    if not rows.height:
        return
    low, high = (rows[end].to_numpy() for end in ("paper_low", "paper_high"))
    half = 0.5 * (high - low)
    style = {"ms": 5, "color": inside, "mec": INK, "ecolor": INK, "elinewidth": 0.9, "capsize": 2}
    axes.errorbar(rows[along].to_numpy(), low + half, yerr=half, fmt="D", label=name, **style)


def infill(finding: Finding) -> Sketch | None:
    """Share of each layer that is lithium, and SEI where that is seen, at the ends of steps."""
    data = of_kind(finding, "deposition", "infill_profile")
    if data is None:
        return None
    top = finding.summary["shape"][0] * finding.summary["voxel_um"]
    caption = (
        "Share of each layer that is lithium, mean over the networks, from the current collector on, at the end of "
        "each step of the first and the last cycle; dashed: the top of the host as made."
    )
    shown, height = {"mean": "Lithium (%)"}, 2.8
    if data["sei"].max() > SEEN:  # type: ignore[operator]
        shown["sei"], height = "SEI (%)", 4.4
        caption += " Below: share that is SEI, with the room that is assumed for it."
    painted = partial(_paint_infill, data=data, top=top, shown=shown)
    return Sketch("infill", "Where the lithium lies", caption, data, painted, height)


def _paint_infill(canvas: Axes, data: pl.DataFrame, top: float, shown: Mapping[str, str]) -> None:
    """shown: columns of shares, and the name of the axis of each."""
    panels = canvas.subplots(len(shown), 1, sharex=True, squeeze=False).ravel()
    is_one = data["cycle"].n_unique() == 1
    for axes, (column, name) in zip(panels, shown.items(), strict=True):
        ends = data.group_by("place", "cycle", "step", "in_cycle_mAh_per_cm2", maintain_order=True)
        for n, ((_, cycle, step, plated), rows) in enumerate(ends):
            words = "stripped" if step == "strip" else f"{plated:.3g} mAh/cm2"
            label = (words if is_one else f"cycle {cycle}: {words}") if axes is panels[0] else None
            x, y = rows["z_um"].to_numpy(), PERCENT * rows[column].to_numpy()
            axes.plot(x, y, DASHES[n % len(DASHES)], lw=1.3, color=LINES[n % len(LINES)], label=label)
        axes.axvline(top, color=GREY, lw=0.8, ls="--")
        axes.set_xlim(0.0, None)
        axes.set_ylim(0.0, PERCENT if column == "mean" else None)
        axes.set_ylabel(name)
    panels[-1].set_xlabel("From the collector (um)")


def cycles(finding: Finding) -> Sketch | None:
    """What is dead, bound and revived, cycle by cycle; None with a single cycle."""
    data = of_kind(finding, "deposition", "by_cycle")
    if data is None or data.height < 2:
        return None
    caption = (
        "Above: lithium that is dead or bound in SEI at the end of each cycle, stacked; bars: smallest and largest of "
        "what is dead in the networks. Under it: what each cycle plated and did not strip again, and what it revived "
        "(dead before, live again, counted each time). Dead and revived lithium are not converged in the voxels, and "
        "not to be quoted."
    )
    stripped = of_kind(finding, "deposition", "stripped")
    if stripped is not None:
        data = data.join(stripped, on="cycle", how="left")
        caption += (
            " Below: height of what is left when a cycle has ended stripped, of the host in it, and if the SEI over "
            "the host stood where it was formed."
        )
        caption += " Diamonds: as published." if data["paper_low"].is_not_null().any() else ""
    height = 3.9 if stripped is None else 5.6
    return Sketch("cycles", "Dead and revived, cycle by cycle", caption, data, lambda c: _paint_cycles(c, data), height)


def _paint_cycles(canvas: Axes, data: pl.DataFrame) -> None:
    is_stripped = "host_um" in data.columns
    above, below, *heights = canvas.subplots(2 + is_stripped, 1, sharex=True)
    x = data["cycle"].to_numpy().astype(float)
    stacked = np.zeros(len(x))
    for key, name, colour in (
        ("dead_pores", "dead in the pores", STRIP),
        ("dead_top", "dead on top", ORANGE),
        ("sei", "SEI", PURPLE),
    ):
        height = data[key].to_numpy()
        above.bar(x, height, 0.6, bottom=stacked, color=colour, label=name)
        stacked = stacked + height
        if key == "dead_top":
            off = np.abs(np.stack([stacked - data["dead_low"].to_numpy(), data["dead_high"].to_numpy() - stacked]))
            above.errorbar(x, stacked, yerr=off, fmt="none", ecolor=INK, lw=0.9, capsize=2)
    for key, name, colour, marker in (
        ("not_stripped", "plated and not stripped", PLATE, "o"),
        ("revived", "revived in the cycle", ORANGE, "D"),
    ):
        dots(below, x, data[key].to_numpy(), colour, name, marker)
    for axes in (above, below):
        axes.set_ylim(0.0, None)
        axes.set_ylabel("mAh/cm2")
    for axes in heights:
        _paint_stripped(axes, data)
    last = [above, below, *heights][-1]
    only_whole(last, x)
    last.set_xlabel("Cycle")


def _paint_stripped(axes: Axes, data: pl.DataFrame) -> None:
    """What is left of the height when cycles end stripped."""
    rows = data.filter(pl.col("mean").is_not_null())
    x = rows["cycle"].to_numpy()
    axes.fill_between(x, rows["low"].to_numpy(), rows["high"].to_numpy(), color=STRIP, alpha=0.2, lw=0)
    axes.plot(x, rows["mean"].to_numpy(), "-", color=STRIP, lw=1.2, label="stripped")
    axes.plot(x, rows["host_um"].to_numpy(), "--", color=GREY, lw=0.9, label="host")
    axes.plot(x, rows["if_sei_stands_um"].to_numpy(), ":", color=PURPLE, lw=1.1, label="if its SEI stood")
    _paint_published(axes, "cycle", INK, rows.filter(pl.col("paper_low").is_not_null()), "published")
    axes.margins(y=0.15)
    axes.set_ylim(0.0, None)
    axes.set_ylabel("Height (um)")
