"""Figures of measured impedance: the complex plane with fit and arcs, Bode with residuals, relaxation times, trend."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from interlith.findings import Finding
from interlith.report.curve_plots import without_blocking
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
    engineering,
    known,
    only_whole,
)

MOST_SHOWN = 5  # spectra in one panel
COLOURS = (PLATE, STRIP, GREEN, PURPLE, ORANGE)
ROLE_COLOURS = {"bulk": GREY, "film": ORANGE, "charge transfer": GREEN, "interface": GREEN, "slow": PURPLE}
ROLE_COLOURS |= {"ohmic": INK}
ROLES = ("ohmic", "film", "charge transfer", "interface", "slow")
HEADROOM = 1.1  # above the highest point that is shown, for the fit
PANEL_IN = 1.05  # of a trend
LETTER, LINE, MOST_RAISED = 0.0125, 0.062, 3  # of words at peaks, as parts of the axes
WORDS = {"ha": "center", "va": "bottom", "fontsize": 7, "color": GREY, "linespacing": 1.0}
RESIDUAL_LIMIT = 0.3  # percent, systematic: where the Kramers-Kronig verdict turns


def _shown(table: pl.DataFrame) -> list[int]:
    """Numbers of at most five spectra, evenly spread."""
    numbers = table["spectrum"].unique().sort().to_list()
    places = sorted({round(i) for i in np.linspace(0, len(numbers) - 1, min(MOST_SHOWN, len(numbers)))})
    return [numbers[place] for place in places]


def _points(finding: Finding) -> tuple[pl.DataFrame, int]:
    """The points of the spectra that are shown, and how many spectra there are."""
    table = known(finding.tables.get("eis-points"), "frequency_Hz", "real_ohm", "imaginary_ohm")
    if table.height == 0:
        return table, 0
    return table.filter(pl.col("spectrum").is_in(_shown(table))), table["spectrum"].n_unique()


def _of(n_shown: int, n: int) -> str:
    return "" if n == 1 else f" {n_shown} of {n} spectra." if n_shown < n else f" {n} spectra."


def eis_nyquist(finding: Finding) -> Sketch | None:
    """The measured impedance in the complex plane with the fitted circuit and, of one spectrum, each of its arcs."""
    points, n = _points(finding)
    if not n:
        return None
    numbers = points["spectrum"].unique(maintain_order=True).to_list()
    up = (-pl.col("imaginary_ohm")).alias("minus_imaginary_ohm")
    measured = points.select("spectrum", pl.lit("measured").alias("what"), "real_ohm", up, "used")
    fit = points.select(
        "spectrum",
        pl.lit("fit").alias("what"),
        pl.col("fitted_real_ohm").alias("real_ohm"),
        (-pl.col("fitted_imaginary_ohm")).alias("minus_imaginary_ohm"),
        "used",
    )
    parts = [measured, fit]
    arcs = finding.tables.get("eis-arcs")
    if n == 1 and arcs is not None:
        parts.append(arcs.select("spectrum", pl.col("role").alias("what"), "real_ohm", up, pl.lit(True).alias("used")))
    data = pl.concat(parts)
    inside = without_blocking(measured)
    shown = data.filter(pl.col("minus_imaginary_ohm") <= HEADROOM * inside["minus_imaginary_ohm"].to_numpy().max())
    caption = "Impedance, equal scales on both axes; line: the fitted circuit." + _of(len(numbers), n)
    if n == 1 and arcs is not None:
        caption += " Dashed: each arc of it alone; which is film and which charge transfer is an assignment by order."
    if inside.height < measured.height:
        caption += f" {measured.height - inside.height} points of what blocks lie far above and are not drawn."
    title = "Measured impedance and its circuit"
    return Sketch("eis-nyquist", title, caption, data, lambda canvas: _paint_nyquist(canvas, shown, numbers), 3.4)


def _paint_nyquist(canvas: Axes, data: pl.DataFrame, numbers: Sequence[int]) -> None:
    axes = canvas.subplots()
    axes.axhline(0.0, color=GREY, lw=0.6)
    for place, number in enumerate(numbers):
        part = data.filter(pl.col("spectrum") == number)
        colour = COLOURS[place] if len(numbers) > 1 else PLATE
        _marks(axes, part.filter(pl.col("what") == "measured"), colour, _label(number, len(numbers)))
        fit = part.filter(pl.col("what") == "fit")
        label = "fit" if len(numbers) == 1 else None
        axes.plot(fit["real_ohm"], fit["minus_imaginary_ohm"], "-", color=INK if label else colour, lw=0.9, label=label)
        for role in [what for what in part["what"].unique(maintain_order=True) if what not in ("measured", "fit")]:
            arc = part.filter(pl.col("what") == role)
            style = {"color": ROLE_COLOURS.get(role, SKY), "lw": 1.0, "ls": (0, (4, 2)), "label": role}
            axes.plot(arc["real_ohm"], arc["minus_imaginary_ohm"], **style)
    axes.set_aspect("equal", adjustable="datalim")
    axes.margins(0.05)
    axes.set_xlabel("Re Z (Ω)")
    axes.set_ylabel("−Im Z (Ω)")


def _label(number: int, n: int) -> str:
    return "measured" if n == 1 else f"spectrum {number}"


def _marks(axes: Axes, measured: pl.DataFrame, colour: str, label: str) -> None:
    """Points that were fitted filled, those left out open."""
    for used, face in ((True, colour), (False, "white")):
        part = measured.filter(pl.col("used") == used)
        if part.height:
            axes.plot(
                part["real_ohm"],
                part["minus_imaginary_ohm"],
                "o",
                ms=2.8,
                mew=0.7,
                mfc=face,
                mec=colour,
                label=label if used else "left out",
            )


def eis_bode(finding: Finding) -> Sketch | None:
    """Modulus and phase against frequency with the fit, and below them the residuals of the Kramers-Kronig test."""
    points, n = _points(finding)
    if not n:
        return None
    data = points.select(
        "spectrum",
        "frequency_Hz",
        *_polar("real_ohm", "imaginary_ohm", "magnitude_ohm", "phase_degree"),
        *_polar("fitted_real_ohm", "fitted_imaginary_ohm", "fitted_magnitude_ohm", "fitted_phase_degree"),
        "kramers_kronig_real_percent",
        "kramers_kronig_imaginary_percent",
    )
    n_shown = data["spectrum"].n_unique()
    caption = (
        "Modulus and phase with the fitted circuit, and what the Kramers-Kronig test leaves, in percent of |Z|. Grey "
        f"band: {RESIDUAL_LIMIT} %. Noise scatters about zero; a curve, mostly at low frequencies, is a cell that "
        f"changed during the sweep.{_of(n_shown, n)}"
    )
    return Sketch(
        "eis-bode", "Impedance and Kramers-Kronig", caption, data, lambda canvas: _paint_bode(canvas, data), 4.6
    )


def _polar(real: str, imaginary: str, magnitude: str, phase: str) -> tuple[pl.Expr, pl.Expr]:
    size = (pl.col(real) ** 2 + pl.col(imaginary) ** 2).sqrt().alias(magnitude)
    return size, pl.arctan2(pl.col(imaginary), pl.col(real)).degrees().alias(phase)


def _paint_bode(canvas: Axes, data: pl.DataFrame) -> None:
    upper, middle, lower = canvas.subplots(3, 1, sharex=True, height_ratios=[1.2, 1.0, 1.0])
    upper.set_xscale("log")
    upper.set_yscale("log")
    numbers = data["spectrum"].unique(maintain_order=True).to_list()
    lower.axhspan(-RESIDUAL_LIMIT, RESIDUAL_LIMIT, color=PALE, alpha=0.6, lw=0)
    for place, number in enumerate(numbers):
        part = data.filter(pl.col("spectrum") == number)
        f, one = part["frequency_Hz"], len(numbers) == 1
        colour = PLATE if one else COLOURS[place]
        for axes, name in ((upper, "magnitude_ohm"), (middle, "phase_degree")):
            label = _label(number, len(numbers)) if axes is upper else None
            axes.plot(f, part[name], "o", ms=2.4, mew=0, color=colour, label=label)
            fit = "fit" if axes is upper and one else None
            axes.plot(f, part[f"fitted_{name}"], "-", lw=0.9, color=INK if one else colour, label=fit)
        for name, style, word in (("real", "-o", "residual of Re"), ("imaginary", "--s", "residual of Im")):
            other = STRIP if one and name == "imaginary" else colour
            residual = part[f"kramers_kronig_{name}_percent"]
            lower.plot(f, residual, style, ms=2.0, mew=0, lw=0.6, color=other, label=word if one else None)
    _decades(upper, data["magnitude_ohm"].to_numpy())
    lower.xaxis.set_major_formatter(engineering)
    for axes, word in ((upper, "|Z| (Ω)"), (middle, "Phase (°)"), (lower, "Residual (%)")):
        axes.set_ylabel(word)
    lower.set_xlabel("Frequency (Hz)")
    canvas.align_ylabels()


def _decades(axes: Axes, values: np.ndarray) -> None:
    axes.yaxis.set_major_formatter(engineering)
    decades = np.log10(values.max() / values.min())
    digits = "2" if decades > 2 else "25" if decades > 1 else "23456789"

    def minor(value: float, _: object = None) -> str:
        return engineering(value) if decades < 3 and f"{value:e}"[0] in digits else ""

    axes.yaxis.set_minor_formatter(minor)


def eis_relaxation(finding: Finding) -> Sketch | None:
    """The distribution of relaxation times, its peaks named by resistance and, where one fits, by the arc."""
    table = known(finding.tables.get("eis-relaxation"), "tau_s", "gamma_ohm")
    if table.height == 0:
        return None
    data = table.select("spectrum", "tau_s", "gamma_ohm", pl.lit(None, pl.String).alias("peak"))
    n = data["spectrum"].n_unique()
    peaks = known(finding.tables.get("eis-peaks"), "tau_s", "gamma_ohm")
    if n == 1 and peaks.height:
        words = pl.Series("peak", [_peak_word(row) for row in peaks.iter_rows(named=True)])
        data = pl.concat([data, peaks.select("spectrum", "tau_s", "gamma_ohm", words)])
    caption = (
        "Resistance per unit of ln tau, as smooth as the noise allows; the area of a peak is its resistance. Arcs "
        f"nearer than a factor of about five make one peak.{_of(n, n)}"
    )
    return Sketch(
        "eis-relaxation", "Relaxation times", caption, data, lambda canvas: _paint_relaxation(canvas, data), 2.7
    )


def _peak_word(row: dict) -> str:
    word = f"{row['resistance_ohm']:.3g} Ω" + (", at the edge" if row["at_edge"] else "")
    return f"{row['role']}\n{word}" if row["role"] else word


def _paint_relaxation(canvas: Axes, data: pl.DataFrame) -> None:
    axes = canvas.subplots()
    axes.set_xscale("log")
    curves = data.filter(pl.col("peak").is_null())
    numbers = curves["spectrum"].unique(maintain_order=True).to_list()
    for place, number in enumerate(numbers):
        part = curves.filter(pl.col("spectrum") == number)
        colour = PLATE if len(numbers) == 1 else COLOURS[place % len(COLOURS)]
        label = None if len(numbers) == 1 else f"spectrum {number}"
        axes.plot(part["tau_s"], part["gamma_ohm"], "-", lw=1.1, color=colour, label=label)
        if len(numbers) == 1:
            axes.fill_between(part["tau_s"], part["gamma_ohm"], color=colour, alpha=0.12, lw=0)
    axes.set_ylim(0.0, (curves["gamma_ohm"].to_numpy().max() or 1.0) * (1.32 if len(numbers) == 1 else 1.08))
    axes.set_xlim(curves["tau_s"].to_numpy().min() / 2, curves["tau_s"].to_numpy().max() * 2)
    _name_peaks(axes, data.filter(pl.col("peak").is_not_null()).sort("gamma_ohm", descending=True))
    axes.xaxis.set_major_formatter(engineering)
    axes.set_xlabel("Time constant (s)")
    axes.set_ylabel("γ (Ω)")


def _name_peaks(axes: Axes, peaks: pl.DataFrame) -> None:
    """A word above each peak, the highest first; one that finds no free place within a few lines is left away."""
    (left, right), top = np.log10(axes.get_xlim()), axes.get_ylim()[1]
    taken: list[tuple[float, float, float, float]] = []
    for tau_s, gamma_ohm, word in peaks.select("tau_s", "gamma_ohm", "peak").iter_rows():
        lines = drawable(word.replace("\n", "|")).split("|")
        x, half = (np.log10(tau_s) - left) / (right - left), max(map(len, lines)) * LETTER / 2
        for raised in range(MOST_RAISED):
            y = gamma_ohm / top + 0.015 + raised * LINE
            box = (x - half, x + half, y, y + len(lines) * LINE)
            if box[3] < 1.0 and not any(_meet(box, other) for other in taken):
                taken.append(box)
                axes.text(x, y, "\n".join(lines), transform=axes.transAxes, **WORDS)
                break


def _meet(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return one[0] < other[1] and other[0] < one[1] and one[2] < other[3] and other[2] < one[3]


def eis_trend(finding: Finding) -> Sketch | None:
    """Each resistance over the spectra of a series, with its error; open where Kramers-Kronig was not obeyed."""
    table = finding.tables.get("eis-trend")
    if table is None or not table.height:
        return None
    roles = [role for role in ROLES if _name(role) in table.columns and table[_name(role)].null_count() < table.height]
    if not roles:
        return None
    timed = table["time_h"].null_count() == 0 and table["time_h"].n_unique() == table.height
    x = "time_h" if timed else "spectrum"
    names = [name for role in roles for name in (_name(role), _error(role))]
    data = table.select(x, "kramers_kronig", *names)
    caption = (
        "Resistances of the circuit that all spectra share, with one standard error of the fit. Open: the spectrum "
        "does not obey the Kramers-Kronig relations. A spectrum that does not determine a resistance has no point."
    )
    height = 0.5 + PANEL_IN * len(roles)
    return Sketch(
        "eis-trend", "Resistances over time", caption, data, lambda canvas: _paint_trend(canvas, data, x, roles), height
    )


def _name(role: str) -> str:
    return f"{role.replace(' ', '_')}_resistance_ohm"


def _error(role: str) -> str:
    return f"{role.replace(' ', '_')}_resistance_error_ohm"


def _paint_trend(canvas: Axes, data: pl.DataFrame, x: str, roles: Sequence[str]) -> None:
    panels = np.atleast_1d(canvas.subplots(len(roles), 1, sharex=True))
    for axes, role in zip(panels, roles, strict=True):
        good = data.filter(pl.col(_name(role)).is_not_null())
        colour = ROLE_COLOURS[role]
        places, values = good[x].to_numpy(), good[_name(role)].to_numpy()
        axes.plot(places, values, "-", lw=0.5, color=colour, alpha=0.5)
        for bad, face in ((False, colour), (True, "white")):
            part = good.filter((pl.col("kramers_kronig") == "not consistent") == bad)
            if part.height:
                axes.errorbar(
                    part[x].to_numpy(),
                    part[_name(role)].to_numpy(),
                    part[_error(role)].to_numpy(),
                    fmt="o",
                    ms=3.5 if data.height <= 200 else 1.5,
                    mew=0.8,
                    mfc=face,
                    mec=colour,
                    ecolor=colour,
                    elinewidth=0.7,
                )
        axes.set_ylabel(f"{role}\n(Ω)")
        axes.margins(y=0.15)
    if x == "spectrum":
        only_whole(panels[-1], data[x].to_list())
    panels[-1].set_xlabel("Time (h)" if x == "time_h" else "Spectrum")
    canvas.align_ylabels()
