"""Figures of laboratory measurements: voltammograms and their scan rates, thermogravimetry, TOF-SIMS."""

from __future__ import annotations

import numpy as np
import polars as pl

from interlith.findings import Finding
from interlith.report.sketch import (
    DENSE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PLATE,
    PURPLE,
    SKY,
    STRIP,
    Axes,
    Sketch,
    drawable,
    known,
    note,
)

COLOURS = (PLATE, STRIP, GREEN, PURPLE, ORANGE, SKY, INK)
SAMPLES = {"coated": PLATE, "bare": STRIP}
MOST_NAMED = 5  # curves with a name of their own; more are coloured from first to last
LOGARITHMIC_FROM = 8.0  # largest over smallest value
LEAST_COUNTS = 0.5  # where a count of 0 is drawn on a logarithmic axis
CV_COLUMNS = ("name", "cycle", "sweep", "rate_mV_per_s", "potential_V", "current_mA")
AXIS_WORDS = {
    "fluence_per_cm2": "Fluence (ions cm⁻²)",
    "dose_ions": "Dose (ions)",
    "sputter_time_s": "Sputter time (s)",
}


def voltammogram(finding: Finding) -> Sketch | None:
    """Current against potential, cycles and rates in colours, peaks with the current that they stand on."""
    curves = known(finding.tables.get("cv-curves"), "potential_V", "current_mA")
    if curves.height == 0:
        return None
    peaks = known(finding.tables.get("cv-peaks"), "potential_V", "current_mA", "baseline_mA")
    keys = curves.select("name", "cycle").unique()
    peaks = peaks if "assigned" in peaks.columns else peaks.with_columns(assigned=pl.lit(None, pl.String))
    shown = peaks.join(keys, on=["name", "cycle"], how="semi", maintain_order="left") if peaks.height else peaks
    blank = pl.lit(None, pl.Float64).alias("baseline_mA")
    unnamed = pl.lit(None, pl.String).alias("assigned")
    parts = [curves.select(pl.lit("curve").alias("mark"), *CV_COLUMNS, blank, unnamed)]
    if shown.height:
        ours = shown.with_columns(sweep=pl.lit(None, pl.Int64))
        parts.append(ours.select(pl.lit("peak").alias("mark"), *CV_COLUMNS, "baseline_mA", "assigned"))
    data = pl.concat(parts)
    names = curves["name"].n_unique()
    caption = f"{names} voltammogram{'s' * (names > 1)}, {curves['cycle'].n_unique()} cycles drawn."
    caption += " Points: peaks; the line below each leads to the current that it stands on." if shown.height else ""
    return Sketch("cv", "Cyclic voltammogram", caption, data, lambda canvas: _paint_cv(canvas, data), 3.1)


def _paint_cv(canvas: Axes, data: pl.DataFrame) -> None:
    axes = canvas.subplots()
    axes.axhline(0.0, color=GREY, lw=0.6)
    curves, peaks = data.filter(pl.col("mark") == "curve"), data.filter(pl.col("mark") == "peak")
    keys = curves.select("name", "cycle", "rate_mV_per_s").unique(["name", "cycle"], maintain_order=True)
    labels = _curve_labels(list(keys.iter_rows()))
    for place, (name, cycle, _) in enumerate(keys.iter_rows()):
        colour, label = _colours(keys.height)[place], labels[place]
        part = curves.filter((pl.col("name") == name) & (pl.col("cycle") == cycle))
        for (_,), sweep in part.group_by("sweep", maintain_order=True):
            x, y = sweep["potential_V"].to_numpy(), sweep["current_mA"].to_numpy()
            axes.plot(x, y, color=colour, lw=1.0, label=label, rasterized=curves.height > 20 * DENSE)
            label = None
        mine = peaks.filter((pl.col("name") == name) & (pl.col("cycle") == cycle))
        for x, top, foot in mine.select("potential_V", "current_mA", "baseline_mA").iter_rows():
            axes.plot([x, x], [foot, top], color=colour, lw=0.7, ls=(0, (2, 1.5)))
            axes.plot([x], [top], "o", ms=3.2, mew=0.6, mfc="white", mec=colour, zorder=4)
    _name_peaks(axes, peaks)
    axes.margins(y=0.12)
    axes.set_xlabel("Potential (V)")
    axes.set_ylabel("Current (mA)")


def _curve_labels(keys: list[tuple[str, int, float]]) -> list[str | None]:
    """Names of curves (name, cycle, rate): by rate where each record has its own, and by cycle where there are several.

    >>> _curve_labels([("a", 1, 10.0), ("b", 1, 20.0)])
    ['10 mV/s', '20 mV/s']
    """
    rates = {name: f"{rate:.3g} mV/s" for name, _, rate in keys}
    by_rate = len(set(rates.values())) == len(rates)
    many_cycles = len({(name, cycle) for name, cycle, _ in keys}) > len(rates)
    found: list[str | None] = []
    for place, (name, cycle, _) in enumerate(keys):
        words = [rates[name] if by_rate else drawable(name)] if len(rates) > 1 else []
        words += [f"cycle {cycle}"] if many_cycles else []
        shown = len(keys) <= MOST_NAMED or place in (0, len(keys) - 1)
        found.append(", ".join(words) if words and shown else None)
    return found


def _colours(n: int) -> list[str]:
    """As many colours as curves: told apart where they are few, else from blue to orange."""
    if n <= MOST_NAMED:
        return list(COLOURS[:n])
    ends = [np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) for colour in (PLATE, ORANGE)]
    mixed = [np.rint(ends[0] + (ends[1] - ends[0]) * share).astype(int) for share in np.linspace(0, 1, n)]
    return [f"#{r:02x}{g:02x}{b:02x}" for r, g, b in mixed]


def _name_peaks(axes: Axes, peaks: pl.DataFrame) -> None:
    """The potential at the peaks of the last curve that has some, and what peaks are assigned to."""
    if not peaks.height:
        return
    named = peaks.filter(pl.col("assigned").is_not_null())
    for x, top, foot, word in named.select("potential_V", "current_mA", "baseline_mA", "assigned").iter_rows():
        side = 5 if top >= foot else -5
        axes.annotate(
            f"{word} {x:.3f} V",
            (x, top),
            xytext=(0, side),
            textcoords="offset points",
            ha="center",
            va="bottom" if side > 0 else "top",
            fontsize=7,
            color=INK,
        )
    name, cycle = peaks.row(-1)[1:3]
    last = peaks.filter((pl.col("name") == name) & (pl.col("cycle") == cycle) & pl.col("assigned").is_null())
    for x, top, foot in last.select("potential_V", "current_mA", "baseline_mA").iter_rows():
        up = top >= foot
        axes.annotate(
            f"{x:.3f} V",
            (x, top),
            xytext=(0, 5 if up else -5),
            textcoords="offset points",
            ha="center",
            va="bottom" if up else "top",
            fontsize=7,
            color=INK,
        )


def scan_rates(finding: Finding) -> Sketch | None:
    """Peak height against the root of the scan rate, with the straight line."""
    data = known(finding.tables.get("cv-rates"), "root_rate", "height_mA", "line_mA")
    if data.height == 0:
        return None
    laws = data.select("peak", "exponent", "law").unique("peak", maintain_order=True)
    words = "; ".join(f"{peak}: height ~ v^{b:.2f} ({law})" for peak, b, law in laws.iter_rows())
    caption = f"Height of the peaks above the current before them. {words}. Diffusion gives 0.5 and a line through 0."
    return Sketch("cv-rates", "Peaks and scan rate", caption, data, lambda canvas: _paint_rates(canvas, data), 2.6)


def _paint_rates(canvas: Axes, data: pl.DataFrame) -> None:
    axes = canvas.subplots()
    axes.axhline(0.0, color=GREY, lw=0.6)
    for place, ((peak,), part) in enumerate(data.group_by("peak", maintain_order=True)):
        colour = COLOURS[place % len(COLOURS)]
        x, y, error = (part[name].to_numpy() for name in ("root_rate", "height_mA", "height_error_mA"))
        line = part["line_mA"].to_numpy()
        axes.errorbar(x, y, yerror(error), fmt="o", ms=4, lw=0.8, color=colour, label=drawable(str(peak)))
        if len(x) > 1:
            slope = (line[-1] - line[0]) / (x[-1] - x[0])
            axes.plot([0.0, x[-1]], [line[0] - slope * x[0], line[-1]], color=colour, lw=0.9)
    axes.set_xlim(left=0.0)
    axes.set_xlabel("Root of the scan rate √(V s⁻¹)")
    axes.set_ylabel("Peak height (mA)")


def yerror(error: np.ndarray) -> np.ndarray:
    """Two standard deviations."""
    return 2.0 * error


def thermogram(finding: Finding) -> Sketch | None:
    """Mass against temperature of the coated and the bare paper, with the plateaus and the loading between them."""
    curves = known(finding.tables.get("tga-curves"), "temperature_C", "dry_mass_percent")
    marks = known(finding.tables.get("tga-marks"), "from_C", "to_C", "residue_percent")
    if curves.height == 0:
        return None
    blank = [pl.lit(None, pl.Float64).alias(name) for name in ("from_C", "loading_low_percent", "loading_high_percent")]
    data = pl.concat(
        [
            curves.select(pl.lit("curve").alias("mark"), "sample", "temperature_C", "dry_mass_percent", *blank),
            marks.select(
                pl.when(pl.col("burnt_off")).then(pl.lit("plateau")).otherwise(pl.lit("no plateau")).alias("mark"),
                "sample",
                pl.col("to_C").alias("temperature_C"),
                pl.col("residue_percent").alias("dry_mass_percent"),
                "from_C",
                "loading_low_percent",
                "loading_high_percent",
            ),
        ]
    )
    caption = "Mass in per cent of the dry mass, that at 150 °C. Thick: the plateau whose mean is the residue"
    caption += ", here still falling, so a bound only." if "no plateau" in data["mark"] else "."
    return Sketch("tga", "Thermogravimetry", caption, data, lambda canvas: _paint_tga(canvas, data), 2.8)


def _paint_tga(canvas: Axes, data: pl.DataFrame) -> None:
    axes = canvas.subplots()
    for sample, colour in SAMPLES.items():
        part = data.filter((pl.col("sample") == sample) & (pl.col("mark") == "curve"))
        if part.height:
            x, y = part["temperature_C"].to_numpy(), part["dry_mass_percent"].to_numpy()
            axes.plot(x, y, color=colour, lw=1.1, label=sample)
    marks = data.filter(pl.col("mark") != "curve")
    rows = marks.select("sample", "mark", "temperature_C", "dry_mass_percent", "from_C").iter_rows()
    for place, (sample, mark, end, residue, start) in enumerate(rows):
        style = (0, (1, 1)) if mark == "no plateau" else "-"
        axes.plot([start, end], [residue, residue], color=SAMPLES[sample], lw=3.4, ls=style, solid_capstyle="butt")
        word = f"{'at most ' if mark == 'no plateau' else ''}{residue:.2f} %"
        shift, side = ((0, 5), "bottom") if place == 0 else ((0, -5), "top")
        axes.annotate(
            word,
            (end, residue),
            xytext=shift,
            textcoords="offset points",
            ha="right",
            va=side,
            fontsize=7.5,
            color=SAMPLES[sample],
        )
    coated = marks.row(0, named=True)
    low, high = coated["loading_low_percent"], coated["loading_high_percent"]
    if low is not None:
        text = f"ZnO {low:.2f} to {high:.2f} wt%" if coated["mark"] == "plateau" else f"ZnO at most {high:.2f} wt%"
        note(axes, text, right=False, height=0.05, side="bottom", colour=INK)
    least = min(0.0, float(data["dry_mass_percent"].min()))  # type: ignore[arg-type]
    axes.set_ylim(least - 6.0, None)
    axes.set_xlabel("Temperature (°C)")
    axes.set_ylabel("Mass (% of dry)")


SHARES = ("share_percent", "share_low_percent", "share_high_percent")


def ion_index(finding: Finding) -> Sketch | None:
    """Of several samples how often each ion is counted against the first; of one its share of all counts."""
    table = known(finding.tables.get("tof-sims-index"), "share_percent")
    if table.height == 0:
        return None
    compared = table["index"].null_count() < table.height
    value = "index" if compared else "share_percent"
    names = ("index", "index_low", "index_high") if compared else SHARES
    data = table.select("polarity", "species", "sample", *names).filter(pl.col(value).is_not_null())
    caption = (
        f"Share of all counts against that of {_references(table)}, with the 95 % interval of counting. "
        if compared
        else "Share of all counts, with the 95 % interval of counting. "
    )
    caption += "A relative index between samples measured alike: no amount, no charge."
    height = 0.8 + 0.26 * data.height
    return Sketch("tof-sims", "TOF-SIMS", caption, data, lambda canvas: _paint_index(canvas, data, value), height)


def _references(table: pl.DataFrame) -> str:
    first = (
        table.filter(pl.col("index").is_null()).group_by("polarity", maintain_order=True).agg(pl.col("sample").first())
    )
    return " and ".join(drawable(name) for name in first["sample"].unique(maintain_order=True))


def _paint_index(canvas: Axes, data: pl.DataFrame, value: str) -> None:
    axes = canvas.subplots()
    samples = data["sample"].unique(maintain_order=True).to_list()
    for place, (_, _, sample, middle, low, high) in enumerate(data.iter_rows()):
        colour = COLOURS[samples.index(sample) % len(COLOURS)]
        label = drawable(sample) if len(samples) > 1 else None
        axes.plot([low, high], [place, place], color=colour, lw=1.4)
        axes.plot(
            [middle] if middle > 0 else [], [place] if middle > 0 else [], "o", ms=4.5, mew=0, color=colour, label=label
        )
        text = f"{middle:.3g}" if middle > 0 else f"none, below {high:.2g}"
        at = max(middle, high)
        axes.annotate(
            text, (at, place), xytext=(6, 0), textcoords="offset points", va="center", fontsize=7.5, color=INK
        )
    positive = [v for name in data.columns[3:] for v in data[name] if v and v > 0]
    if value == "index":
        axes.axvline(1.0, color=GREY, lw=0.8)
        positive.append(1.0)
    if max(positive) < LOGARITHMIC_FROM * min(positive):
        axes.set_xlim(0.0, max(positive) * 1.25)
    else:
        axes.set_xscale("log")
        _plain_decades(axes.xaxis)
        axes.set_xlim(min(positive) / 1.8, max(positive) * 3.0)
    axes.set_yticks(range(data.height), [drawable(str(name)) for name in data["species"]])
    axes.set_ylim(data.height - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("Share against the first sample" if value == "index" else "Share of all counts (%)")


def _plain_decades(axis: Axes) -> None:
    """Numbers at whole decades only, without formulas."""
    axis.set_major_formatter(lambda value, _: f"{value:g}")
    axis.set_minor_formatter(lambda *_: "")


def ion_depth(finding: Finding) -> Sketch | None:
    """Counts of the chosen ions against fluence, one panel for each sample."""
    data = known(finding.tables.get("tof-sims-depth"), "axis")
    if data.height == 0:
        return None
    samples = data["sample"].unique(maintain_order=True).to_list()
    caption = "Counts of a point against what was sputtered before; the first point is the surface. Depth is not known."
    height = 0.7 + 1.9 * len(samples)
    return Sketch(
        "tof-sims-depth", "Depth profile", caption, data, lambda canvas: _paint_depth(canvas, data, samples), height
    )


def _paint_depth(canvas: Axes, data: pl.DataFrame, samples: list[str]) -> None:
    panels = canvas.subplots(len(samples), 1, sharex=data["axis_unit"].n_unique() == 1, squeeze=False)[:, 0]
    species = data["species"].unique(maintain_order=True).to_list()
    for axes, sample in zip(panels, samples, strict=True):
        part = data.filter(pl.col("sample") == sample)
        for (name,), ion in part.group_by("species", maintain_order=True):
            x, y = (
                ion["axis"].to_numpy(),
                np.maximum(ion["counts"].fill_null(0.0).fill_nan(0.0).to_numpy(), LEAST_COUNTS),
            )
            axes.plot(x, y, lw=0.9, color=COLOURS[species.index(name) % len(COLOURS)], label=name)
        axes.set_yscale("log")
        _plain_decades(axes.yaxis)
        axes.set_ylim(bottom=LEAST_COUNTS)
        axes.set_ylabel("Counts")
        if len(samples) > 1:
            note(axes, drawable(sample), right=True, height=0.97, side="top")
    panels[-1].set_xlabel(AXIS_WORDS.get(data["axis_unit"][-1], data["axis_unit"][-1]))
