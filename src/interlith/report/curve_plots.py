"""Figures of curves: voltage against capacity, dQ/dV, impedance spectra (Nyquist and Bode)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from interlith.findings import Finding
from interlith.report.sketch import (
    BRANCH_COLOURS,
    DENSE,
    GREEN,
    GREY,
    PLATE,
    PURPLE,
    STRIP,
    Axes,
    Sketch,
    branch_names,
    engineering,
    known,
    note,
    view,
)

LINES = ("-", (0, (4, 1.5)), (0, (1, 1.2)))  # first, middle, last cycle
BLOCKS, LEAST_WIDTH = 5.0, 0.2  # -Im Z over the range of Re Z; that range over Re Z
MOST_COLOURS = 4  # spectra that are told apart by colour and name; more take a colour bar
SPECTRUM_COLOURS = (PLATE, STRIP, GREEN, PURPLE)
HOST_FENCE = 1.5


def profiles(finding: Finding) -> Sketch | None:
    """Voltage against the charge passed in its branch, of the first, the middle and the last cycle."""
    data = known(finding.tables.get("profiles"), "cycle", "capacity_mAh", "voltage_V")
    if data.height == 0:
        return None
    names = branch_names(finding.summary)
    caption = f"Voltage against the charge passed in each branch: cycles {_listed(data)}."
    host = finding.summary.get("kind") in ("reservoir", "efficiency")
    return Sketch(
        "profiles", "Voltage profiles", caption, data, lambda canvas: _paint_profiles(canvas, data, names, host), 2.9
    )


def _listed(data: pl.DataFrame) -> str:
    return ", ".join(str(cycle) for cycle in data["cycle"].unique(maintain_order=True))


def _curves(axes: Axes, data: pl.DataFrame, x: str, y: str, names: Mapping[str, str]) -> None:
    cycles = data["cycle"].unique(maintain_order=True).to_list()
    for branch in ("plate", "strip"):
        for place, cycle in enumerate(cycles):
            part = data.filter((pl.col("cycle") == cycle) & (pl.col("branch") == branch))
            if part.height:
                style = {"ls": LINES[place % len(LINES)], "color": BRANCH_COLOURS[branch], "lw": 1.1}
                axes.plot(part[x].to_numpy(), part[y].to_numpy(), label=f"{names[branch]}, cycle {cycle}", **style)


def _paint_profiles(canvas: Axes, data: pl.DataFrame, names: Mapping[str, str], host: bool) -> None:
    axes = canvas.subplots()
    _curves(axes, data, "capacity_mAh", "voltage_V", names)
    voltage = data["voltage_V"].to_numpy()
    if host:
        axes.axhline(0.0, color=GREY, lw=0.6)
        low, high = view(voltage, fence=HOST_FENCE)
        axes.set_ylim(low, high)
        if voltage.max() > high:
            note(axes, f"goes on to {voltage.max():.3g} V", right=False, height=0.97, side="top")
        if voltage.min() < low:
            note(axes, f"goes on to {voltage.min():.3g} V", right=True, height=0.03, side="bottom")
    axes.set_xlabel("Capacity (mAh)")
    axes.set_ylabel("Voltage (V)")


def dqdv(finding: Finding) -> Sketch | None:
    """Differential capacity against voltage; the second branch drawn downwards."""
    table = known(finding.tables.get("dqdv"), "cycle", "voltage_V", "dqdv_mAh_per_V")
    if table.height == 0:
        return None
    downwards = pl.when(pl.col("branch") == "strip").then(-1.0).otherwise(1.0)
    data = table.select(
        "cycle", "branch", "voltage_V", (pl.col("dqdv_mAh_per_V") * downwards).alias("drawn_dqdv_mAh_per_V")
    )
    peaks = [peak["dqdv_mAh_per_V"] for peak in finding.summary["results"].get("dqdv", {}).get("strongest_peaks", [])]
    names = branch_names(finding.summary)
    caption = (
        f"Charge counted into bins of voltage, cycles {_listed(data)}; {names['strip']} drawn downwards. "
        "The axis shows the strongest peaks; charge of holds at the cut-offs may lie beyond it."
    )
    return Sketch(
        "dqdv",
        "Differential capacity",
        caption,
        data,
        lambda canvas: _paint_dqdv(canvas, data, names, max(peaks, default=0.0)),
        2.9,
    )


def _paint_dqdv(canvas: Axes, data: pl.DataFrame, names: Mapping[str, str], peak: float) -> None:
    axes = canvas.subplots()
    axes.axhline(0.0, color=GREY, lw=0.6)
    _curves(axes, data, "voltage_V", "drawn_dqdv_mAh_per_V", names)
    if peak > 0:
        drawn = data["drawn_dqdv_mAh_per_V"]
        one_way = drawn.min() == 0 or not data["branch"].eq("strip").any()
        axes.set_ylim(-0.05 * peak if one_way else -1.12 * peak, 1.12 * peak)
    axes.set_xlabel("Voltage (V)")
    axes.set_ylabel("dQ/dV (mAh V⁻¹)")


def nyquist(finding: Finding) -> Sketch | None:
    """Impedance in the complex plane: equal scales, capacitive arcs upwards."""
    table = known(finding.tables.get("spectra"), "frequency_Hz", "real_ohm", "imaginary_ohm")
    if table.height == 0:
        return None
    data = table.select(
        "spectrum", "time_h", "frequency_Hz", "real_ohm", (-pl.col("imaginary_ohm")).alias("minus_imaginary_ohm")
    )
    caption = f"Impedance, {data['spectrum'].n_unique()} spectra, equal scales on both axes. No circuit is fitted."
    shown = without_blocking(data)
    if shown.height < data.height:
        caption += f" {data.height - shown.height} points of what blocks lie far above and are not drawn."
    return Sketch("nyquist", "Impedance (Nyquist)", caption, data, lambda canvas: _paint_nyquist(canvas, shown), 3.4)


def without_blocking(data: pl.DataFrame) -> pl.DataFrame:
    """Without the steep line of a capacitor, beside which every arc would be a dot."""
    real = data["real_ohm"]
    width = max(float(real.max() - real.min()), LEAST_WIDTH * float(real.abs().max()))  # type: ignore[operator, arg-type]
    if data["minus_imaginary_ohm"].max() <= BLOCKS * width:  # type: ignore[operator]
        return data
    return data.filter(pl.col("minus_imaginary_ohm") <= width)


def _paint_nyquist(canvas: Axes, data: pl.DataFrame) -> None:
    axes = canvas.subplots()
    axes.axhline(0.0, color=GREY, lw=0.6)
    _spectra(canvas, [axes], data, "real_ohm", ("minus_imaginary_ohm",))
    axes.set_aspect("equal", adjustable="datalim")
    axes.margins(0.06)
    axes.set_xlabel("Re Z (Ω)")
    axes.set_ylabel("−Im Z (Ω)")


def bode(finding: Finding) -> Sketch | None:
    """Magnitude and phase of the impedance against frequency."""
    table = known(finding.tables.get("spectra"), "frequency_Hz", "real_ohm", "imaginary_ohm").filter(
        pl.col("frequency_Hz") > 0
    )
    if table.height == 0:
        return None
    real, imaginary = pl.col("real_ohm"), pl.col("imaginary_ohm")
    data = table.select(
        "spectrum",
        "time_h",
        "frequency_Hz",
        (real**2 + imaginary**2).sqrt().alias("magnitude_ohm"),
        pl.arctan2(imaginary, real).degrees().alias("phase_degree"),
    )
    caption = "Magnitude and phase of the impedance against frequency."
    return Sketch("bode", "Impedance (Bode)", caption, data, lambda canvas: _paint_bode(canvas, data), 3.6)


def _paint_bode(canvas: Axes, data: pl.DataFrame) -> None:
    upper, lower = canvas.subplots(2, 1, sharex=True)
    upper.set_xscale("log")
    if (data["magnitude_ohm"] > 0).all():
        upper.set_yscale("log")
        for kind in ("major", "minor"):
            getattr(upper.yaxis, f"set_{kind}_formatter")(engineering)
    _spectra(canvas, [upper, lower], data, "frequency_Hz", ("magnitude_ohm", "phase_degree"))
    _few_labels(upper, data["magnitude_ohm"].to_numpy())
    lower.xaxis.set_major_formatter(engineering)
    upper.set_ylabel("|Z| (Ω)")
    lower.set_ylabel("Phase (°)")
    lower.set_xlabel("Frequency (Hz)")


def _few_labels(axes: Axes, values: Any) -> None:
    """Minor labels only where less than a decade is shown, or the axis would be crowded."""
    if axes.get_yscale() == "log" and values.max() / values.min() > 10:
        axes.yaxis.set_minor_formatter(lambda *_: "")


def _spectra(canvas: Axes, panels: list[Axes], data: pl.DataFrame, x: str, ys: tuple[str, ...]) -> None:
    """Each spectrum as a line with dots: few by colour and name, many by a colour for their time or number."""
    numbers = data["spectrum"].unique(maintain_order=True).to_list()
    timed = data["time_h"].is_not_null().all() and data["time_h"].n_unique() > 1
    few = len(numbers) <= MOST_COLOURS
    scale = (
        None
        if few
        else _colour_bar(
            canvas, panels, data["time_h" if timed else "spectrum"].to_numpy(), "Time (h)" if timed else "Spectrum"
        )
    )
    for place, number in enumerate(numbers):
        part = data.filter(pl.col("spectrum") == number)
        when = part["time_h"][0]
        colour = SPECTRUM_COLOURS[place] if scale is None else scale.to_rgba(when if timed else number)
        name = f"{number}" + (f", {when:.4g} h" if timed and when is not None else "")
        for axes, y in zip(panels, ys, strict=True):
            label = f"spectrum {name}" if few and len(numbers) > 1 and axes is panels[0] else None
            style = {
                "lw": 0.7,
                "marker": "o",
                "ms": 2.2,
                "mew": 0,
                "color": colour,
                "label": label,
                "rasterized": data.height > DENSE,
            }
            axes.plot(part[x].to_numpy(), part[y].to_numpy(), **style)


def _colour_bar(canvas: Axes, panels: list[Axes], values: Any, label: str) -> Any:
    # a scatter without points is the way to a colour scale that needs no import here
    ends = np.array([values.min(), values.max()], dtype=float)
    scale = panels[0].scatter([], [], c=[], cmap="viridis", vmin=ends[0], vmax=ends[1])
    canvas.colorbar(scale, ax=panels, label=label, fraction=0.05, pad=0.02, aspect=30)
    return scale
