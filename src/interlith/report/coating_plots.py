"""Figures of a coating: growth against cycles with the regime marked, a tube to scale, pores that fill."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from interlith.findings import Finding
from interlith.report.sketch import GREEN, GREY, INK, ORANGE, PALE, PLATE, PURPLE, SKY, STRIP, Axes, Sketch, known

BANDS: Mapping[str, tuple[str, str]] = {
    "nucleation": ("limited by the islands", "#FBE3C8"),
    "supply": ("limited by the diethylzinc let in", "#DCEBF5"),
    "water": ("limited by the water let in", "#D5F0E7"),
    "saturated": ("closed and saturated", "#EBDDEB"),
}
LINES = (PLATE, STRIP, GREEN, PURPLE, SKY)
TUBE, OXIDE = "#5A5A5A", "#8FB4D9"
OTHERS = ("-", (0, (4, 2)), (0, (1, 1.5)), (0, (6, 1, 1, 1)))
PERCENT = 100.0
ALONE = " A loading alone does not tell the readings apart: particles and other batch masses do."
FITTED = "fitted"
LONG_nm = 250.0  # of the tube that is drawn


def of_coating(finding: Finding, name: str, *numbers: str) -> pl.DataFrame | None:
    """A table of a coating with all of these numbers known in each row; None where there is no row."""
    if finding.summary.get("kind") != "coat":
        return None
    table = known(finding.tables.get(name), *numbers)
    return table if table.height else None


def loading(finding: Finding) -> Sketch | None:
    """Loading, coverage and particle size against cycles; behind them what limits the growth."""
    table = of_coating(finding, "growth", "loading_wt_fraction", "coverage")
    if table is None:
        return None
    points = finding.tables.get("points")
    of = finding.summary["loading_of"]
    shown = table["reading"].unique(maintain_order=True).to_list()
    caption = (
        f"Loading of the {of} (above), coverage and diameter of the particles (below) against cycles"
        + (", for each reading of the source" if len(set(shown) - {FITTED}) > 1 else "")
        + (", and as fitted" if FITTED in shown else "")
        + "; the shade says what limits the first."
        + (ALONE if len(set(shown) - {FITTED}) > 1 else "")
    )
    data = table
    if points is not None and points.height:
        data = table.join(points, left_on="cycle", right_on="n_cycles", how="full", coalesce=True, suffix="_measured")
    return Sketch("loading", "How the coating grows", caption, data, lambda c: _paint(c, data, shown, of), 4.6)


def _paint(canvas: Axes, data: pl.DataFrame, shown: list[str], of: str) -> None:
    above, below, last = canvas.subplots(3, 1, sharex=True, gridspec_kw={"height_ratios": (1.5, 1, 1)})
    first = data.filter(pl.col("reading") == shown[0])
    for axes in (above, below, last):
        _bands(axes, first)
    for place, name in enumerate(shown):
        rows = data.filter(pl.col("reading") == name)
        x = np.concatenate([[0], rows["cycle"].to_numpy()])
        style = {"color": LINES[place % len(LINES)], "ls": OTHERS[place % len(OTHERS)], "lw": 1.5}
        columns = (
            (above, "loading_wt_fraction", PERCENT),
            (below, "coverage", PERCENT),
            (last, "particle_diameter_nm", 1),
        )
        for axes, column, factor in columns:
            label = name if axes is above and len(shown) > 1 else None
            axes.plot(x, np.concatenate([[0.0], rows[column].to_numpy() * factor]), label=label, **style)
    _points(above, data, "loading_wt_fraction_measured", PERCENT)
    _points(last, data, "particle_diameter_nm_measured", 1.0)
    above.set_ylabel(f"Oxide in the {of} (wt%)")
    below.set_ylabel("Coverage (%)")
    last.set_ylabel("Particle (nm)")
    last.set_xlabel("Cycle")
    for axes in (above, below, last):
        axes.set_ylim(0, None)
    last.set_xlim(0, None)


def _bands(axes: Axes, rows: pl.DataFrame) -> None:
    """A shade behind each run of cycles of one regime."""
    regimes, cycles = rows["regime"].to_list(), rows["cycle"].to_list()
    begins = [i for i in range(len(regimes)) if i == 0 or regimes[i] != regimes[i - 1]]
    for begin, end in zip(begins, [*begins[1:], len(regimes)], strict=True):
        words, colour = BANDS[regimes[begin]]
        axes.axvspan(cycles[begin] - 1, cycles[end - 1], color=colour, lw=0, zorder=0, label=words)


def _points(axes: Axes, data: pl.DataFrame, column: str, factor: float) -> None:
    if column not in data.columns:
        return
    rows = known(data, column).unique(("cycle", column), maintain_order=True)
    if not rows.height:
        return
    x, y = rows["cycle"].to_numpy(), rows[column].to_numpy() * factor
    errors = np.abs([rows[end].to_numpy() * factor - y for end in ("low", "high")])
    axes.errorbar(x, y, yerr=errors, fmt="o", ms=4.5, color=INK, capsize=2, lw=0.8, zorder=5, label="measured, or seen")


def tube(finding: Finding) -> Sketch | None:
    """A tube from its side, to scale: the particles, the same oxide spread evenly, the nominal film."""
    table = of_coating(finding, "particles", "along_nm", "across_nm", "radius_nm")
    if table is None:
        return None
    said = finding.summary
    outer = next(row["value"] for row in said["parameters"] if row["name"] == "powder.outer_diameter_nm")
    films = {
        f"particles of {said['particle_diameter_nm']:.2g} nm, one draw of their places": 0.0,
        f"the same oxide spread evenly: {said['equivalent_thickness_nm']:.2g} nm": said["equivalent_thickness_nm"],
        f"a closed film of the nominal {said['nominal_thickness_nm']:.3g} nm": said["nominal_thickness_nm"],
    }
    caption = (
        f"{LONG_nm:g} nm of a tube of {outer:g} nm from its side, all to one scale. Above as computed; the "
        "other two are what their words say: four thicknesses of one coating are four different numbers."
    )
    return Sketch(
        "tube", "What it looks like, to scale", caption, table, lambda c: _paint_tube(c, table, outer, films), 3.4
    )


def _paint_tube(canvas: Axes, table: pl.DataFrame, outer: float, films: Mapping[str, float]) -> None:
    from matplotlib.patches import Circle, Rectangle

    axes = canvas.subplots()
    widest = outer / 2 + max(*films.values(), float(table["radius_nm"].max()))  # type: ignore[arg-type]
    step = 2 * widest + 9.0
    for row, (words, film) in enumerate(films.items()):
        y = -row * step
        if film:
            axes.add_patch(Rectangle((0, y - outer / 2 - film), LONG_nm, outer + 2 * film, color=OXIDE, lw=0))
        else:
            for aLONG_nm, across, radius, _ in table.filter(~pl.col("front")).iter_rows():
                axes.add_patch(Circle((aLONG_nm, y + across), radius, facecolor=OXIDE, edgecolor="white", lw=0.4))
        axes.add_patch(Rectangle((0, y - outer / 2), LONG_nm, outer, color=TUBE, lw=0))
        if not film:
            for aLONG_nm, across, radius, _ in table.filter(pl.col("front")).iter_rows():
                axes.add_patch(Circle((aLONG_nm, y + across), radius, facecolor=OXIDE, edgecolor="white", lw=0.4))
        axes.text(0, y + (outer / 2 + film if film else widest) + 1.5, words, fontsize=8, color=INK, va="bottom")
    end = -(len(films) - 1) * step - widest - 6
    axes.plot([0, 50], [end, end], color=INK, lw=2, solid_capstyle="butt")
    axes.text(53, end, "50 nm", fontsize=8, color=INK, va="center")
    axes.set_xlim(-2, LONG_nm + 2)
    axes.set_ylim(end - 5, widest + 14)
    axes.set_aspect("equal")
    axes.axis("off")


def void(finding: Finding) -> Sketch | None:
    """What is left of the pores of the paper, and what lies on top, against the lithium plated into it."""
    table = of_coating(finding, "void", "plated_mAh_per_cm2", "void_um")
    if table is None:
        return None
    host = finding.summary["host"]
    caption = (
        f"A rigid paper of {host['thickness_um']:g} um and porosity {host['porosity']:.3g}, filled with dense lithium: "
        f"its pores hold {host['pore_capacity_mAh_per_cm2']:.3g} mAh/cm2. Real papers swell, or are covered before "
        "they are full."
    )
    return Sketch("void", "What the pores hold", caption, table, lambda canvas: _paint_void(canvas, table, host), 2.4)


def _paint_void(canvas: Axes, table: pl.DataFrame, host: Mapping[str, float]) -> None:
    axes = canvas.subplots()
    x = table["plated_mAh_per_cm2"].to_numpy()
    solid = np.full(len(x), host["solid_um"])
    full = table["void_um"][0]
    filled = full - table["void_um"].to_numpy()
    axes.stackplot(
        x,
        solid,
        filled,
        table["void_um"].to_numpy(),
        table["on_top_um"].to_numpy(),
        labels=["solid", "lithium in pores", "void", "lithium on top"],
        colors=[TUBE, PLATE, PALE, ORANGE],
        lw=0,
    )
    axes.axvline(host["pore_capacity_mAh_per_cm2"], color=GREY, lw=0.8, ls="--")
    axes.set_xlim(0, float(x[-1]))
    axes.set_xlabel("Lithium plated (mAh/cm2)")
    axes.set_ylabel("Thickness (um)")
