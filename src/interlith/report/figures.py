"""Findings as figures: `draw(finding, folder)`. The only home of matplotlib, which is loaded when something is drawn.

Each figure is an SVG whose text is text, a PNG, and a CSV of exactly what is drawn. The same finding gives the same
bytes: no dates, no random ids, no settings of the user's.
"""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from interlith.errors import EnvironmentError_
from interlith.findings import Finding, replace_file
from interlith.report.coating_plots import loading, tube, void
from interlith.report.curve_plots import bode, dqdv, nyquist, profiles
from interlith.report.cycle_plots import capacity, efficiency, hysteresis
from interlith.report.deposition_plots import cuts, cycles, film, infill, thickness
from interlith.report.design_plots import levers, masses, stack, tornado
from interlith.report.eis_plots import eis_bode, eis_nyquist, eis_relaxation, eis_trend
from interlith.report.energy_plots import draws, field, pareto, reconciled
from interlith.report.fit_plots import cells_needed, held_out, posterior, profile_likelihoods
from interlith.report.lab_plots import ion_depth, ion_index, scan_rates, thermogram, voltammogram
from interlith.report.ledger_plots import depth, ledger, ramps
from interlith.report.network_plots import pores, section, through
from interlith.report.sketch import GREY, INK, STRIP, Axes, Sketch, drawable, tags
from interlith.report.surface_map import maps
from interlith.report.surface_plots import ranking, way_profile
from interlith.report.sweep_plots import parallel
from interlith.report.time_plots import polarization, trace
from interlith.report.xrd_plots import diffraction, texture, texture_series

SKETCHES: tuple[Callable[[Finding], Sketch | None], ...] = (
    ledger,
    depth,
    ramps,
    efficiency,
    capacity,
    polarization,
    trace,
    profiles,
    hysteresis,
    dqdv,
    nyquist,
    bode,
    profile_likelihoods,
    posterior,
    cells_needed,
    held_out,
    masses,
    stack,
    levers,
    tornado,
    draws,
    pareto,
    field,
    reconciled,
    loading,
    tube,
    void,
    section,
    pores,
    through,
    cuts,
    film,
    thickness,
    infill,
    cycles,
    voltammogram,
    scan_rates,
    thermogram,
    ion_index,
    ion_depth,
    eis_nyquist,
    eis_bode,
    eis_relaxation,
    eis_trend,
    diffraction,
    texture,
    texture_series,
    ranking,
    way_profile,
    parallel,
)
SERIES: tuple[Callable[[Finding], list[Sketch]], ...] = (maps,)  # as many as there are things to be drawn
WIDTH_IN, PNG_DPI = 5.4, 200
LAYOUT_DIGITS = 6
LINE_IN, ENTRY_IN = 0.17, 0.145  # height of a line of the head, and of the legend
LETTER_IN, HANDLE_IN = 0.058, 0.5  # width of a letter, and of the mark of a legend's entry
STYLE: Any = {  # matplotlib types its settings by a list of all their names
    "svg.fonttype": "none",
    "svg.hashsalt": "interlith",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "text.parse_math": False,
    "font.size": 8.5,
    "axes.labelsize": 8.5,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 7.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.7,
    "axes.edgecolor": "#555555",
    "axes.grid": True,
    "grid.color": "#ECECEC",
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "axes.formatter.useoffset": False,
    "axes.formatter.limits": (-4, 6),
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "figure.facecolor": "white",
    "figure.dpi": 100,
    "savefig.dpi": PNG_DPI,
}


@dataclass(frozen=True)
class Figure:
    """A figure that was drawn: its words and where its files lie."""

    name: str
    title: str
    caption: str
    svg: Path
    png: Path
    csv: Path


def draw(finding: Finding, folder: Path) -> list[Figure]:
    """Every figure that the tables of a finding allow, written to folder/figures as SVG, PNG and CSV.

    Nothing for a finding without tables. Raises EnvironmentError_ when the folder cannot be written.
    """
    sketches = [sketch for sketch in (make(finding) for make in SKETCHES) if sketch is not None]
    sketches += [sketch for make in SERIES for sketch in make(finding)]
    return draw_sketches(sketches, finding, folder)


def draw_sketches(sketches: Sequence[Sketch], finding: Finding, folder: Path) -> list[Figure]:
    """These figures of a finding, written to folder/figures. Raises EnvironmentError_ when that cannot be."""
    if not sketches:
        return []
    import matplotlib

    try:
        (folder / "figures").mkdir(parents=True, exist_ok=True)
        with matplotlib.rc_context():
            matplotlib.rcdefaults()
            matplotlib.rcParams.update(STYLE)
            return [_written(sketch, finding, folder / "figures") for sketch in sketches]
    except OSError as problem:
        raise EnvironmentError_(f"{folder}: figures cannot be written ({problem.strerror or problem})") from problem


def _written(sketch: Sketch, finding: Finding, folder: Path) -> Figure:
    canvas = _canvas(sketch, finding)
    _settle(canvas)
    paths = {kind: folder / f"{finding.name}.{sketch.name}.{kind}" for kind in ("svg", "png", "csv")}
    replace_file(
        paths["svg"],
        _bytes(canvas, "svg", {"Date": None, "Creator": "interlith", "Title": f"{finding.name}: {sketch.title}"}),
    )
    replace_file(paths["png"], _bytes(canvas, "png", {"Software": "interlith"}))
    replace_file(paths["csv"], sketch.data.write_csv().encode())
    marks = tags(finding.summary)
    caption = sketch.caption if not marks else f"{sketch.caption} {'; '.join(marks)}."
    return Figure(sketch.name, sketch.title, caption, **paths)


def _settle(canvas: Axes) -> None:
    """Find the layout once, and round it: its solver leaves noise in the last digits that differs from run to run."""
    canvas.get_layout_engine().execute(canvas)
    canvas.set_layout_engine(None)  # not "none", for which each file is laid out once more
    for axes in canvas.axes:
        axes.set_position([round(float(edge), LAYOUT_DIGITS) for edge in axes.get_position(original=True).bounds])


def _bytes(canvas: Axes, kind: str, metadata: dict[str, Any]) -> bytes:
    target = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")  # a letter that no font here has is a box
        canvas.savefig(target, format=kind, metadata=metadata)
    return target.getvalue()


def _canvas(sketch: Sketch, finding: Finding) -> Axes:
    from matplotlib.figure import Figure as Canvas

    width_in = sketch.width_in or WIDTH_IN
    canvas: Axes = Canvas(figsize=(width_in, sketch.height_in), layout="constrained")
    sketch.paint(canvas)
    entries = _entries(canvas)
    columns = _columns(list(entries), width_in)
    head_in = LINE_IN * 2 + ENTRY_IN * math.ceil(len(entries) / columns) + 0.16
    height_in = sketch.height_in + head_in
    canvas.set_size_inches(width_in, height_in)
    canvas.get_layout_engine().set(rect=(0, 0, 1, 1 - head_in / height_in), w_pad=0.05, h_pad=0.05)
    _head(canvas, sketch, finding, height_in)
    if entries:
        place = (0.005, 1 - (2 * LINE_IN + 0.06) / height_in)
        names = _by_rows(list(entries), columns)
        legend = canvas.legend(
            [entries[name] for name in names], names, loc="upper left", bbox_to_anchor=place, ncols=columns, **_TIGHT
        )
        for handle in legend.legend_handles:
            if getattr(handle, "get_marker", lambda: None)() in ("o", "s", "^"):
                handle.set_markersize(4)
    return canvas


_TIGHT = {
    "frameon": False,
    "borderpad": 0.2,
    "borderaxespad": 0.0,
    "labelspacing": 0.35,
    "columnspacing": 1.2,
    "handlelength": 1.8,
}


def _entries(canvas: Axes) -> dict[str, Any]:
    """Everything drawn that has a name, each name once."""
    found: dict[str, Any] = {}
    for axes in canvas.axes:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    return found


def _columns(labels: list[str], width_in: float) -> int:
    """How many legend columns fit the width."""
    if not labels:
        return 1
    widest = max(len(label) for label in labels) * LETTER_IN + HANDLE_IN
    return max(1, min(len(labels), int(width_in / widest)))


def _by_rows(names: list[str], columns: int) -> list[str]:
    """Names in the order in which matplotlib, which fills column by column, shows them row by row.

    >>> _by_rows(["a", "b", "c", "d", "e"], 2)
    ['a', 'c', 'e', 'b', 'd']
    """
    return [name for column in range(columns) for name in names[column::columns]]


def _head(canvas: Axes, sketch: Sketch, finding: Finding, height_in: float) -> None:
    """Title and the finding's name on the left; on the right what must not be overlooked."""
    for line, (text, size, weight, colour) in enumerate(
        ((sketch.title, 10, "bold", INK), (drawable(finding.name), 7.5, "normal", GREY))
    ):
        canvas.text(
            0.012,
            1 - (0.05 + line * LINE_IN) / height_in,
            text,
            va="top",
            fontsize=size,
            fontweight=weight,
            color=colour,
        )
    for line, text in enumerate(tags(finding.summary)[:2]):
        y = 1 - (0.06 + line * LINE_IN) / height_in
        canvas.text(0.988, y, text, va="top", ha="right", fontsize=8, fontweight="bold", color=STRIP)
