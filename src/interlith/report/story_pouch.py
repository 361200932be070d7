"""Picture 7: what the pouch cell weighs, the energy that follows with all that is uncertain drawn, and its N/P."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from interlith.findings import Finding, Findings
from interlith.report.design_plots import masses, of_design
from interlith.report.sketch import GREY, INK, PLATE, SKY, STRIP, Axes, Sketch, spread
from interlith.report.story_picture import Picture, named
from interlith.report.wording import number

ENERGY = "specific_energy_Wh_per_kg"
PERCENT = 100.0
N_BINS, WORD_GAP = 40, 0.24
RATIOS: Mapping[str, str] = {  # ways to count lithium over capacity, in words
    "by_face": "foil over capacity, face by face",
    "after_conversion": "less what the oxide keeps",
    "after_first_charge": "with what the first charge leaves there",
    "total": "over the whole cell",
    "with_positive_lithium": "with the lithium of the positive",
}
WHITE = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}
QUANTILES = {"p5_Wh_per_kg": "5 %", "p95_Wh_per_kg": "95 %"}


def pouch_picture(findings: Findings) -> Picture | None:
    """Masses, energy and N/P of the cell as built; None without one."""
    finding = named(findings, "pouch")
    if finding is None:
        return None
    heavy = masses(finding)
    made = [sketch for sketch in (heavy, _energies(finding), _ratios(finding)) if sketch is not None]
    if not made:
        return None
    if heavy is not None:
        made[0] = replace(heavy, name="7-pouch-masses")
    says = (
        "The cell is built up from its layers as the paper states them; what it does not state is assumed within a "
        "range, and drawn again and again: the bars say how often each energy comes.",
        "N/P, lithium of the negative over capacity of the positive, depends on what is counted as lithium.",
    )
    noted = tuple(str(text) for text in (finding.summary.get("said") or ())[:1])
    return Picture(
        "7-pouch", _heading(finding), (*says[: len(made)], *noted), ("computed",), ("COMPUTED",), tuple(made)
    )


def _heading(finding: Finding) -> str:
    said = finding.summary
    first = f"The cell as written has {number(said[ENERGY]['whole'], 3)} Wh/kg"
    claimed = (said.get("published") or {}).get(ENERGY)
    if claimed is None:
        return f"{first} and weighs {number(said['mass_g'], 3)} g"
    chance = (said.get("monte_carlo") or {}).get("probability_of_published")
    reached = "" if chance is None else f", which {number(PERCENT * chance, 2)} % of all draws reach"
    return f"{first}; published are {number(claimed, 3)} Wh/kg{reached}"


def _energies(finding: Finding) -> Sketch | None:
    table = of_design(finding, "draws", ENERGY)
    if table is None:
        return None
    said = finding.summary
    drawn = said.get("monte_carlo") or {}
    counts, edges = np.histogram(table[ENERGY].to_numpy(), bins=N_BINS)
    lines: dict[str, Any] = {word: drawn.get(key) for key, word in QUANTILES.items()}
    lines |= {"as written": said[ENERGY]["whole"], "published": (said.get("published") or {}).get(ENERGY)}
    bars = [("draws", low, high, n) for low, high, n in zip(edges[:-1], edges[1:], counts, strict=True)]
    marks = [(word, value, value, None) for word, value in lines.items() if value is not None]
    schema = {"what": pl.String, "from_Wh_per_kg": pl.Float64, "to_Wh_per_kg": pl.Float64, "n_draws": pl.Int64}
    data = pl.DataFrame([*bars, *marks], schema=schema, orient="row")
    caption = (
        f"Specific energy of the whole cell in {table.height} draws of all uncertain values; between the thin lines "
        "lie 90 % of them. Thick: the values as written; dashed: published."
    )
    return Sketch("7-pouch-energy", "What the energy may be", caption, data, lambda c: _paint_energies(c, data), 2.6)


def _paint_energies(canvas: Axes, data: pl.DataFrame) -> None:
    axes = canvas.subplots()
    bars, lines = data.filter(pl.col("n_draws").is_not_null()), data.filter(pl.col("n_draws").is_null())
    width = bars["to_Wh_per_kg"] - bars["from_Wh_per_kg"]
    axes.bar(bars["from_Wh_per_kg"], bars["n_draws"], width, align="edge", color=SKY, edgecolor="white", lw=0.3)
    values = [*bars["from_Wh_per_kg"], *bars["to_Wh_per_kg"], *lines["from_Wh_per_kg"]]
    room = 0.04 * (max(values) - min(values)) or 1.0
    low, high = min(values) - room, max(values) + room
    axes.set_xlim(low, high)
    axes.set_ylim(0.0, 1.45 * max(float(bars["n_draws"].max()), 1.0))  # type: ignore[arg-type]
    styles = {"as written": (PLATE, 1.8, "-", 0.93), "published": (STRIP, 1.4, (0, (4, 3)), 0.93)}
    for top in (0.80, 0.93):
        row = [
            r for r in lines.select("what", "from_Wh_per_kg").iter_rows() if styles.get(r[0], (0, 0, 0, 0.80))[3] == top
        ]
        places = spread([value for _, value in row], WORD_GAP * (high - low), (low, high))
        for (word, value), at in zip(row, places, strict=True):
            colour, thick, style, _ = styles.get(word, (GREY, 0.9, "-", top))
            axes.axvline(value, 0, top - 0.03, color=colour, lw=thick, ls=style)
            across = axes.get_xaxis_transform()
            axes.plot([value, at], [top - 0.03, top], transform=across, color=colour, lw=0.7)
            text = {
                "transform": across,
                "ha": "center",
                "va": "bottom",
                "fontsize": 7.5,
                "color": colour,
                "bbox": WHITE,
            }
            axes.text(at, top + 0.005, f"{word} {value:.4g}", **text)
    axes.set_xlabel("Specific energy of the whole cell (Wh/kg)")
    axes.set_ylabel("Draws")


def _ratios(finding: Finding) -> Sketch | None:
    """N/P by each way to count it, and the published one."""
    found = finding.summary.get("n_to_p") or {}
    rows = [(words, found[key]) for key, words in RATIOS.items() if found.get(key) is not None]
    if not rows:
        return None
    claimed = (finding.summary.get("published") or {}).get("n_to_p")
    rows += [("published", claimed)] if claimed is not None else []
    data = pl.DataFrame(rows, schema={"what": pl.String, "n_to_p": pl.Float64}, orient="row")
    caption = "Lithium of the negative over the capacity of the positive, by what is counted." + (
        " Dashed: published." if claimed is not None else ""
    )
    height = 0.6 + 0.32 * len(rows)
    return Sketch(
        "7-pouch-lithium", "How much lithium is spare (N/P)", caption, data, lambda c: _paint_ratios(c, data), height
    )


def _paint_ratios(canvas: Axes, data: pl.DataFrame) -> None:
    axes = canvas.subplots()
    ours = data.filter(pl.col("what") != "published")
    for value in data.filter(pl.col("what") == "published")["n_to_p"]:
        axes.axvline(value, color=STRIP, lw=1.4, ls=(0, (4, 3)), label=f"published {value:.4g}")
    for place, (_, value) in enumerate(ours.iter_rows()):
        axes.plot(value, place, "o", ms=6, color=PLATE)
        axes.annotate(
            f"{value:.3g}",
            (value, place),
            xytext=(7, 0),
            textcoords="offset points",
            va="center",
            fontsize=7.5,
            color=INK,
        )
    axes.set_yticks(range(ours.height), [textwrap.fill(words, 24) for words in ours["what"]], fontsize=7.5)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.set_ylim(ours.height - 0.4, -0.6)
    axes.set_xlim(0.0, 1.15 * float(data["n_to_p"].max()))  # type: ignore[arg-type]
    axes.set_xlabel("N/P")
