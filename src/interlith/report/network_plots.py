"""Figures of a network: a cut through it, how wide its pores are, and how open it is from face to face."""

from __future__ import annotations

import numpy as np
import polars as pl

from interlith.findings import Finding
from interlith.report.sketch import GREY, INK, ORANGE, PLATE, STRIP, Axes, Sketch

PERCENT = 100.0
WIDTH_IN = 5.4
HIGHEST_IN = 6.0


def of_kind(finding: Finding, kind: str, name: str) -> pl.DataFrame | None:
    """A table of a finding of that kind; None where it is another, or there is no row."""
    table = finding.tables.get(name) if finding.summary.get("kind") == kind else None
    return table if table is not None and table.height else None


def section(finding: Finding) -> Sketch | None:
    """A cut through the middle of the first network, the collector below."""
    data = of_kind(finding, "network", "section")
    if data is None:
        return None
    height = min(HIGHEST_IN, 0.55 + WIDTH_IN * 0.85 * float(data["z_um"].max()) / float(data["x_um"].max()))  # type: ignore[arg-type]
    caption = "A cut through the middle of the box: solid dark, pores white; the current collector lies below."
    return Sketch("section", "A cut through the network", caption, data, lambda c: _paint_section(c, data), height)


def _paint_section(canvas: Axes, data: pl.DataFrame) -> None:
    axes = canvas.subplots()
    x, z = data["x_um"].unique().sort().to_numpy(), data["z_um"].unique().sort().to_numpy()
    share = data.sort("z_um", "x_um")["solid"].to_numpy().reshape(len(z), len(x))
    ends = (0.0, float(x[-1] + x[0]), 0.0, float(z[-1] + z[0]))
    axes.imshow(share, origin="lower", extent=ends, cmap="Greys", vmin=0.0, vmax=1.0, interpolation="nearest")
    axes.grid(False)
    axes.set_xlabel("In the plane (um)")
    axes.set_ylabel("From the collector (um)")


def pores(finding: Finding) -> Sketch | None:
    """Share of the pores against diameter: of spheres that fit, and of those that get there from the separator."""
    data = of_kind(finding, "network", "pore_sizes")
    if data is None:
        return None
    n = data["seed"].n_unique()
    caption = (
        "Share of the pore volume in which a sphere of this diameter or larger fits, and the share that it reaches "
        "from the separator through the throats" + (f"; one line for each of {n} networks." if n > 1 else ".")
    )
    return Sketch("pores", "How wide the pores are", caption, data, lambda c: _paint_pores(c, data), 2.8)


def _paint_pores(canvas: Axes, data: pl.DataFrame) -> None:
    axes = canvas.subplots()
    for place, (_, rows) in enumerate(data.group_by("seed", maintain_order=True)):
        x = rows["diameter_um"].to_numpy()
        for column, colour, words in (("fits", PLATE, "fits"), ("intruded", STRIP, "gets there from the separator")):
            shown = words if place == 0 else None
            axes.plot(x, PERCENT * rows[column].to_numpy(), color=colour, lw=1.2, label=shown)
    axes.set_xlim(0.0, None)
    axes.set_ylim(0.0, PERCENT)
    axes.set_xlabel("Diameter of a sphere (um)")
    axes.set_ylabel("Share of the pores (%)")


def through(finding: Finding) -> Sketch | None:
    """Porosity of each layer, from the collector to the separator."""
    data = of_kind(finding, "network", "profile")
    if data is None:
        return None
    whole = finding.summary["values"]["porosity"]["mean"]
    caption = "Porosity of each layer of voxels from the current collector to the separator; dashed: of the whole."
    return Sketch("porosity", "How open each layer is", caption, data, lambda c: _paint_profile(c, data, whole), 2.6)


def _paint_profile(canvas: Axes, data: pl.DataFrame, whole: float) -> None:
    axes = canvas.subplots()
    lines = (PLATE, ORANGE, STRIP, GREY)
    for place, ((seed,), rows) in enumerate(data.group_by("seed", maintain_order=True)):
        name = None if seed is None else f"seed {seed}"
        x = np.asarray(rows["z_um"].to_numpy())
        axes.plot(x, PERCENT * rows["porosity"].to_numpy(), lw=1.1, color=lines[place % len(lines)], label=name)
    axes.axhline(PERCENT * whole, color=INK, lw=0.8, ls="--")
    axes.set_ylim(0.0, PERCENT)
    axes.set_xlim(0.0, None)
    axes.set_xlabel("From the collector (um)")
    axes.set_ylabel("Porosity (%)")
