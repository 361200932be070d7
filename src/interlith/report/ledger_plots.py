"""Figures of a simulated cell: where the lithium is after each cycle, what lies where over depth, voltage ramps."""

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
    known,
    only_whole,
)

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
FULL = {"positive_stranded": ("stranded in the positive", INK), **LAYERS, "active_foil": ("foil", PALE)}
SEEN_mAh_PER_CM2 = 1e-9
SHARES = {"active_share": ("active", PLATE), "dead_share": ("dead", STRIP)}


def ledger(finding: Finding) -> Sketch | None:
    """Lithium by place at the end of each cycle, as a stacked area, and what was revived.

    Of the working electrode without its foil, which would hide all else; of a full cell with it, since there it is what
    is spare, and with what is stranded in the positive.
    """
    table = finding.tables.get("ledger")
    if table is None or table.height < 2:
        return None
    full = table["positive"].max() > 0  # type: ignore[operator]
    layers = FULL if full else LAYERS
    shown = [name for name in layers if table[name].abs().max() > SEEN_mAh_PER_CM2]  # type: ignore[operator]
    if not shown:
        return None
    data = table.select("cycle_count", *shown, "revived")
    residual = float(table["residual"].abs().max())  # type: ignore[arg-type]
    of = "that is not in the positive" if full else "of the working electrode"
    caption = (
        f"Simulated: lithium {of} at the end of each cycle, by where it is. The account closes within {residual:.1g} "
        "mAh/cm2."
    )
    if data["revived"][-1] > SEEN_mAh_PER_CM2:
        caption += f" Revived so far, at the end: {data['revived'][-1]:.3g} mAh/cm2 (a flow, not in the stack)."
    return Sketch("ledger", "Where the lithium went", caption, data, lambda canvas: _paint(canvas, data, shown), 3.0)


def _paint(canvas: Axes, data: pl.DataFrame, shown: list[str]) -> None:
    axes = canvas.subplots()
    x = data["cycle_count"].to_numpy()
    heights = [np.maximum(data[name].to_numpy(), 0.0) for name in shown]
    axes.stackplot(x, heights, labels=[FULL[name][0] for name in shown], colors=[FULL[name][1] for name in shown], lw=0)
    axes.set_xlim(float(x[0]), float(x[-1]))
    axes.set_ylim(0, None)
    only_whole(axes, data["cycle_count"])
    axes.set_xlabel("Cycle")
    axes.set_ylabel("Lithium (mAh/cm2)")


def depth(finding: Finding) -> Sketch | None:
    """What fills the pores of the host, and the salt, over depth, after the last plating and the last stripping."""
    table = finding.tables.get("depth")
    if table is None or not table.height:
        return None
    asked = [name for name in (*SHARES, "void_fraction") if name in table.columns]
    data = table.select("after", "step_count", "place", "depth_um", "salt_mol_per_L", *asked)
    steps = dict(data.select("after", "step_count").unique(maintain_order=True).iter_rows())
    caption = (
        "Simulated, resolved over depth, at the end of "
        + " and ".join(f"step {number} ({after})" for after, number in steps.items())
        + "; 0 is the back of the working electrode, the dotted line its front, then comes the separator. Above: share "
        "of the pores as made. Below: salt."
    )
    return Sketch("depth", "What lies where", caption, data, lambda canvas: _paint_depth(canvas, data), 3.4)


def _paint_depth(canvas: Axes, data: pl.DataFrame) -> None:
    filled, salt = canvas.subplots(2, 1, sharex=True, height_ratios=[3, 2])
    front = data.filter(pl.col("place") == "working")["depth_um"].max()
    for after, style in (("plating", "-"), ("stripping", "--")):
        one = data.filter(pl.col("after") == after)
        if not one.height:
            continue
        for name, (words, colour) in SHARES.items():
            for place in ("working", "counter"):
                host = known(one.filter(pl.col("place") == place), "depth_um", name)
                if host.height:
                    label = f"{words}, after {after}" if place == "working" else None
                    filled.plot(host["depth_um"], host[name], style, color=colour, lw=1.3, label=label)
        salt.plot(one["depth_um"], one["salt_mol_per_L"], style, color=GREEN, lw=1.3, label=f"salt, after {after}")
    for axes in (filled, salt):
        axes.axvline(front, color=GREY, lw=0.8, ls=":")
    filled.set_ylabel("Share of pores")
    salt.set_ylabel("Salt (mol/L)")
    salt.set_xlabel("Depth (um)")


def ramps(finding: Finding) -> Sketch | None:
    """Current density against voltage, one line for each ramp."""
    data = known(finding.tables.get("ramps"), "voltage_V", "current_mA_per_cm2")
    if data.height < 2:
        return None
    caption = "Simulated: current against voltage of each ramp of the voltage, numbered in their order."
    return Sketch("ramps", "Voltage ramps", caption, data, lambda canvas: _paint_ramps(canvas, data), 2.8)


def _paint_ramps(canvas: Axes, data: pl.DataFrame) -> None:
    axes = canvas.subplots()
    colours = (PLATE, STRIP, SKY, ORANGE, PURPLE, GREEN)
    for number in data["ramp"].unique(maintain_order=True):
        one = data.filter(pl.col("ramp") == number)
        label = f"ramp {number}" if number <= len(colours) else None
        colour = colours[(number - 1) % len(colours)]
        axes.plot(one["voltage_V"], one["current_mA_per_cm2"], color=colour, lw=1.1, label=label)
    axes.axhline(0.0, color=GREY, lw=0.7)
    axes.set_xlabel("Voltage (V)")
    axes.set_ylabel("Current (mA/cm2)")
