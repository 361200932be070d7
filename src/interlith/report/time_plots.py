"""Figures against time: the whole record with its events, and the polarization of symmetric cells."""

from __future__ import annotations

import numpy as np
import polars as pl

from interlith.findings import Finding
from interlith.report.sketch import (
    EVENT_COLOURS,
    GREY,
    INK,
    SHORT_CODES,
    Axes,
    Sketch,
    counted,
    dots,
    events_of,
    known,
    show,
    view,
)

MOST_LINES = 40  # events of one code above which lines through the panels would hide the data


def trace(finding: Finding) -> Sketch | None:
    """Voltage and current of the whole record, with the events in rows above."""
    data = known(finding.tables.get("trace"), "time_h", "voltage_V", "current_mA")
    if data.height < 2:
        return None
    events = events_of(finding)
    rows = [code for code, _ in counted(events["code"])]
    caption = (
        "Voltage and current of the whole record, thinned to the lowest and highest voltage of each stretch of time."
    )
    if rows:
        caption += " Above: events by kind; bars last from their beginning to their end. Grey: no data."
    height = 3.3 + 0.17 * len(rows)
    return Sketch(
        "trace", "Whole record", caption, data, lambda canvas: _paint_trace(canvas, data, events, rows), height
    )


def _paint_trace(canvas: Axes, data: pl.DataFrame, events: pl.DataFrame, rows: list[str]) -> None:
    heights = [2.0, 1.0] if not rows else [0.17 * len(rows), 2.0, 1.0]
    panels = list(canvas.subplots(len(heights), 1, sharex=True, height_ratios=heights))
    time = data["time_h"].to_numpy()
    voltage, current = panels[-2:]
    voltage.plot(time, data["voltage_V"].to_numpy(), lw=0.5, color=INK)
    current.plot(time, data["current_mA"].to_numpy(), lw=0.5, color=GREY)
    voltage.set_ylabel("Voltage (V)")
    current.set_ylabel("Current (mA)")
    current.set_xlabel("Time (h)")
    current.set_xlim(time[0], time[-1])
    if rows:
        _event_rows(panels[0], events, rows)
        for axes in (voltage, current):
            mark(axes, events)


def _event_rows(axes: Axes, events: pl.DataFrame, rows: list[str]) -> None:
    for place, code in enumerate(rows):
        found = events.filter(pl.col("code") == code)
        colour = EVENT_COLOURS.get(code, INK)
        begin = found["time_h"].to_numpy()
        axes.plot(begin, np.full(len(begin), place), "|", ms=8, mew=1.2, color=colour, rasterized=len(begin) > 1000)
        lasting = found.drop_nulls("end_time_h")
        if lasting.height:
            axes.hlines(
                np.full(lasting.height, place), lasting["time_h"], lasting["end_time_h"], color=colour, lw=4, alpha=0.7
            )
    axes.set_yticks(range(len(rows)), [code.replace("_", " ") for code in rows], fontsize=7)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.tick_params(length=0)
    axes.tick_params(axis="x", which="both", bottom=False, labelbottom=False)
    axes.spines[:].set_visible(False)
    axes.grid(visible=False)


def mark(axes: Axes, events: pl.DataFrame, *, label: bool = False) -> None:
    """Events on a time axis: a shade where one has an end, a line where it has none."""
    for code, count in counted(events["code"]):
        colour = EVENT_COLOURS.get(code, INK)
        found = events.filter(pl.col("code") == code)
        text = code.replace("_", " ") if label else None
        for begin, end in found.select("time_h", "end_time_h").iter_rows():
            if end is not None:
                over = code == "gap"  # a line drawn across a gap is no measurement
                axes.axvspan(
                    begin,
                    end,
                    color="#EEEEEE" if over else colour,
                    alpha=1.0 if over else 0.22,
                    lw=0,
                    zorder=3 if over else 0,
                    label=text,
                )
            elif count <= MOST_LINES:
                axes.axvline(begin, color=colour, lw=0.9, alpha=0.9, ls=(0, (5, 2)), zorder=4, label=text)
            text = None


def polarization(finding: Finding) -> Sketch | None:
    """Polarization of each branch of a symmetric cell against time, with the shorts."""
    data = known(finding.tables.get("shorts"), "start_time_h", "polarization_mV")
    if data.height == 0:
        return None
    data = data.select("start_time_h", "current_mA", "polarization_mV")
    shorts = events_of(finding, SHORT_CODES)
    caption = "Median |V| of each branch of steady current, drawn where the branch begins."
    if shorts.height:
        caption += " Shaded: a short that recovered. Dashed: one that did not within this record."
    return Sketch(
        "polarization", "Polarization", caption, data, lambda canvas: _paint_polarization(canvas, data, shorts)
    )


def _paint_polarization(canvas: Axes, data: pl.DataFrame, shorts: pl.DataFrame) -> None:
    axes = canvas.subplots()
    x, y = data["start_time_h"].to_numpy(), data["polarization_mV"].to_numpy()
    dots(axes, x, y, INK)
    low, high = view(y, least=0.2)
    show(axes, x, y, (min(low, 0.0), high), GREY, " mV")
    mark(axes, shorts, label=True)
    axes.set_xlabel("Time (h)")
    axes.set_ylabel("Polarization |V| (mV)")
