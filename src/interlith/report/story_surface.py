"""Picture 1: how strongly lithium binds to each face and how easily it moves there, beside what is published."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from interlith.findings import Finding, Findings
from interlith.report.sketch import GREY, INK, PALE, PLATE, SKY, Axes, Sketch, drawable
from interlith.report.story_picture import Picture, named
from interlith.report.surface_words import (
    BARRIER,
    BARRIER_2D,
    BINDING,
    SPREADS,
    adsorbed_of,
    energy,
    models_of,
    rows_of,
)

ROW_IN = 0.36
PANELS = ((BINDING, "Binding energy (eV)"), (BARRIER, "Barrier (eV)"))
WORDS = {  # what is drawn of a face -> words, marker, colour, place above or below the middle of the row
    BINDING: ("binding energy; bar: spread of the models", "o", PLATE, 0.0),
    BARRIER: ("barrier in the easiest direction", "o", PLATE, -0.13),
    BARRIER_2D: ("barrier to go everywhere", "s", SKY, 0.13),
}


def surface_picture(findings: Findings) -> Picture | None:
    """Binding and barrier of each face; None without a screening of surfaces that found something."""
    finding = named(findings, "surface")
    if finding is None or not any(row[BINDING] is not None for row in rows_of(finding)):
        return None
    rows = rows_of(finding)
    adsorbed = adsorbed_of(rows)
    says = (
        f"Binding energy: what is gained when one atom of {adsorbed} sticks to a face. Barrier: the hill that it has "
        "to climb to move on. A face that holds it neither too loosely nor too tightly, with a low hill, should let it "
        "spread evenly.",
        _models_said(finding),
    )
    return Picture("1-surface", _heading(finding), says, ("computed",), ("COMPUTED", "not by DFT"), (_faces(finding),))


def _heading(finding: Finding) -> str:
    rows = [row for row in rows_of(finding) if not row["not_ranked"]]
    adsorbed = adsorbed_of(rows_of(finding)).capitalize()
    bound, moving = ([row for row in rows if row[name] is not None] for name in (BINDING, BARRIER))
    said = []
    if bound:
        most = max(bound, key=lambda row: row[BINDING])
        said.append(f"{adsorbed} binds most to {most['key']} ({energy(most, BINDING)} eV)")
    if moving:
        least = min(moving, key=lambda row: row[BARRIER])
        said.append(f"moves most easily over {least['key']} ({energy(least, BARRIER)} eV)")
    judged = [one for one in finding.summary["against_paper"] if one["is_met"] is not None]
    met = f"; {sum(one['is_met'] for one in judged)} of {len(judged)} published energies are met" if judged else ""
    return (" and ".join(said) or "No face can be ranked") + met


def _models_said(finding: Finding) -> str:
    models = models_of(rows_of(finding))
    by = (
        f"By {len(models)} machine-learned potentials ({', '.join(models)})"
        if models
        else "By machine-learned potentials"
    )
    left = [row["key"] for row in rows_of(finding) if row["not_ranked"]]
    hollow = f" Hollow: not ranked ({', '.join(left)}), since the face rebuilds itself." if left else ""
    return f"{by}, not by DFT; their spread is no bound on the error.{hollow}"


def _faces(finding: Finding) -> Sketch:
    rows = rows_of(finding)
    held = [value for row in rows for value in _values(row)]
    metal = sorted({one["cohesive_energy_eV"] for one in (finding.summary.get("settings") or {}).values()})
    held += [{"key": "", "quantity": BINDING, "what": "metal", "value_eV": value} for value in metal]
    schema = {
        "key": pl.String,
        "quantity": pl.String,
        "what": pl.String,
        "value_eV": pl.Float64,
        "spread_eV": pl.Float64,
        "is_ranked": pl.Boolean,
    }
    data = pl.DataFrame(held, schema=schema)
    keys = [str(row["key"]) for row in rows]
    caption = (
        "Left: binding energy, right: barrier of each face. Points: computed, with the spread of the models. Diamonds: "
        "published. Hollow: not ranked. Dashed: the same atom in its metal."
    )
    adsorbed = adsorbed_of(rows)
    return Sketch(
        "1-surface-faces",
        f"How {adsorbed} sits on each face",
        caption,
        data,
        lambda canvas: _paint(canvas, data, keys, adsorbed),
        0.75 + ROW_IN * len(keys),
        7.6,
    )


def _values(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What is drawn of a face: ours of each quantity, and what is published."""
    found = []
    for name in WORDS:
        one = {"key": row["key"], "quantity": name, "is_ranked": not row["not_ranked"]}
        if row[name] is not None:
            found.append({**one, "what": "ours", "value_eV": row[name], "spread_eV": row[SPREADS[name]]})
        if row["paper"].get(name) is not None:
            found.append({**one, "what": "paper", "value_eV": row["paper"][name]})
    return found


def _paint(canvas: Axes, data: pl.DataFrame, keys: list[str], adsorbed: str) -> None:
    panels = canvas.subplots(1, 2, sharey=True)
    unranked = set(data.filter(~pl.col("is_ranked"))["key"])
    for axes, (name, label) in zip(panels, PANELS, strict=True):
        shown = [name] if name == BINDING else [BARRIER, BARRIER_2D]
        for quantity in shown:
            part = data.filter(pl.col("quantity") == quantity)
            for is_ranked in (True, False):
                _paint_values(axes, part.filter(pl.col("is_ranked") == is_ranked), keys)
            for value in part.filter(pl.col("what") == "metal")["value_eV"]:
                axes.axvline(value, color=INK, lw=0.9, ls=(0, (4, 2)), label=f"{adsorbed} metal", zorder=1)
        axes.set_xlabel(label)
        axes.set_xlim(0.0, None)
        for place in range(1, len(keys)):
            axes.axhline(place - 0.5, color=PALE, lw=0.5, zorder=0)
        axes.grid(visible=False, axis="y")
        axes.tick_params(axis="y", length=0)
    names = [f"{drawable(key)}\nnot ranked" if key in unranked else drawable(key) for key in keys]
    panels[0].set_yticks(range(len(keys)), names, fontsize=7.5)
    panels[0].set_ylim(len(keys) - 0.5, -0.5)


def _paint_values(axes: Axes, part: pl.DataFrame, keys: list[str]) -> None:
    """One quantity of the faces that are ranked, or of those that are not, and what is published of them."""
    ours, paper = (part.filter(pl.col("what") == what) for what in ("ours", "paper"))
    if paper.height:
        places = [keys.index(key) for key in paper["key"]]
        axes.plot(paper["value_eV"], places, "D", ms=5, color=INK, ls="none", label="published", zorder=3)
    if not ours.height:
        return
    words, marker, colour, shift = WORDS[ours["quantity"][0]]
    is_ranked = ours["is_ranked"][0]
    colour = colour if is_ranked else GREY
    axes.errorbar(
        ours["value_eV"],
        [keys.index(key) + shift for key in ours["key"]],
        xerr=ours["spread_eV"].fill_null(0.0),
        fmt=marker,
        ms=5,
        color=colour,
        mfc=colour if is_ranked else "white",
        mew=1.1,
        lw=1.1,
        capsize=2.5,
        label=words if is_ranked else "not ranked",
        zorder=4,
    )
