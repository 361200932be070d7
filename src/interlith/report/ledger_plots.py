"""The figure of the ledger: where the lithium is at the end of each cycle, stacked."""

from __future__ import annotations

import numpy as np
import polars as pl

from interlith.findings import Finding
from interlith.report.sketch import GREEN, GREY, ORANGE, PLATE, PURPLE, SKY, STRIP, Axes, Sketch, only_whole

# entry -> its words and colour, from the collector outwards; what is lost below, what is still there on top
LAYERS = {
    "converted": ("converted to Li2O", GREY),
    "sei": ("SEI", ORANGE),
    "dead_pores": ("dead, in pores", STRIP),
    "dead_top": ("dead, on top", PURPLE),
    "alloyed": ("alloyed", GREEN),
    "active_pores": ("active, in pores", PLATE),
    "active_top": ("active, on top", SKY),
}
SEEN_mAh_PER_CM2 = 1e-9


def ledger(finding: Finding) -> Sketch | None:
    """Lithium of the working electrode by place at the end of each cycle, as a stacked area, and what was revived."""
    table = finding.tables.get("ledger")
    if table is None or table.height < 2:
        return None
    shown = [name for name in LAYERS if table[name].abs().max() > SEEN_mAh_PER_CM2]  # type: ignore[operator]
    if not shown:
        return None
    data = table.select("cycle_count", *shown, "revived")
    residual = float(table["residual"].abs().max())  # type: ignore[arg-type]
    caption = (
        "Simulated: lithium of the working electrode at the end of each cycle, by where it is. The account closes "
        f"within {residual:.1g} mAh/cm2."
    )
    if data["revived"][-1] > SEEN_mAh_PER_CM2:
        caption += f" Revived so far, at the end: {data['revived'][-1]:.3g} mAh/cm2 (a flow, not in the stack)."
    return Sketch("ledger", "Where the lithium went", caption, data, lambda canvas: _paint(canvas, data, shown), 3.0)


def _paint(canvas: Axes, data: pl.DataFrame, shown: list[str]) -> None:
    axes = canvas.subplots()
    x = data["cycle_count"].to_numpy()
    heights = [np.maximum(data[name].to_numpy(), 0.0) for name in shown]
    axes.stackplot(
        x, heights, labels=[LAYERS[name][0] for name in shown], colors=[LAYERS[name][1] for name in shown], lw=0
    )
    axes.set_xlim(float(x[0]), float(x[-1]))
    axes.set_ylim(0, None)
    only_whole(axes, data["cycle_count"])
    axes.set_xlabel("Cycle")
    axes.set_ylabel("Lithium (mAh/cm2)")
