"""Coatings and measurements on a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
from rich.console import Console, Group
from rich.table import Table

from interlith.findings import Findings
from interlith.report.headline import headline
from interlith.report.terminal import MOST_FLAGS, NARROW, audits_table, column_of, new_console, safe, table_of
from interlith.report.wording import label, quantity, shares, text_of
from interlith.units import G_PER_KG

MOST_VALUES = 6
HOST = (
    "loading_wt_fraction",
    "areal_mass_mg_per_cm2",
    "porosity",
    "pore_capacity_mAh_per_cm2",
    "conversion_mAh_per_cm2",
    "alloy_mAh_per_cm2",
    "area_cm2_per_cm2",
    "through_ohm_cm2",
)
IN_WORDS = ("regime", "regime_shares")  # of a coating, told otherwise
PROCESS = ("time_h", "diethylzinc_kg", "heat_per_cycle_K", "saturating_heat_K", "reservoir_m3", "cost", "cost_per_kg")
ALWAYS = ("time_h",)  # told where it is not known, too
SMALL_kg = 0.1  # below, in grams


def print_coating(findings: Findings, page: Path | None) -> None:
    """A coating: its four thicknesses and regime, the host, what does not close, what to be warned of."""
    console, item = new_console(), findings.items[0]
    said = item.summary
    console.print(safe(findings.title, style="bold"))
    console.print(safe(findings.warning or ""))
    console.print(safe(headline(said), style="bold"))
    parts = {
        "": _coating(said),
        "Batch": _pairs(said["process"], PROCESS),
        "Cost": _costs(said["process"]),
        "Host": None if said["host"] is None else _pairs(said["host"], HOST),
        "Readings of the source": _readings(item.tables.get("readings"), console.width),
        "Audits": audits_table(said["audits"]),
        "What moves the loading": _moves(item.tables.get("moves")),
        "What reaches the loading": _reach(item.tables.get("reach")),
        "Fitted": _fitted(said.get("fit"), item.tables.get("fitted")),
    }
    for heading, part in parts.items():
        if part is not None:
            console.print()
            if heading:
                console.print(safe(heading, style="bold"))
            console.print(part)
    console.print()
    for text in said["warnings"]:
        console.print(safe(f"WARNING: {text}", style="bold red"))
    for text in said["said"]:
        console.print(safe(text))
    _to_paste(console, "To paste into the recipe", said.get("fit", {}).get("toml"))
    _to_paste(console, "To paste into other files", said["toml"])
    console.print(safe(f"report: {page}" if page else "with --out DIR: a report with figures and tables"))


def _to_paste(console: Console, heading: str, text: str | None) -> None:
    if not text:
        return
    console.print()
    console.print(safe(heading, style="bold"))
    for line in text.splitlines():
        console.print(safe(line), soft_wrap=True)


def print_measured(findings: Findings, page: Path | None) -> None:
    """Each measurement: its result, what must be known with it, and its lines of TOML where no folder has them."""
    console = new_console()
    for item in findings.items:
        said = item.summary
        sentence = headline(said)
        named = sentence if said["error"] else f"{item.name}: {sentence}"
        console.print(safe(named, style="bold" if said["error"] is None else "bold red"))
        for flag in said["flags"][:MOST_FLAGS]:
            console.print(safe(f"  {flag['message']}"))
        for text in said["said"]:
            console.print(safe(f"  {text}"))
        for line in said["toml"].splitlines() if page is None else ():
            console.print(safe(line), soft_wrap=True)
        console.print()
    if page is not None:
        console.print(safe(f"lines to paste: {page.parent / 'parameters'}"))
    console.print(safe(f"report: {page}" if page else "with --out DIR: a report with figures and tables"))


def _pairs(said: Mapping[str, Any], keys: Sequence[str]) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(overflow="fold")
    table.add_column(justify="right", no_wrap=True)
    for key in keys:
        if said.get(key) is not None or key in ALWAYS:
            table.add_row(*(safe(text) for text in _row(key, said[key])))
    return table


def _row(key: str, value: Any) -> tuple[str, str]:
    """A name and a value; a small batch in grams."""
    if key.endswith("_kg") and not key.endswith("per_kg") and value < SMALL_kg:
        key, value = f"{key.removesuffix('_kg')}_g", value * G_PER_KG
    return label(key), text_of(key, value)


def _coating(said: Mapping[str, Any]) -> Table:
    coating = said["results"]["coating"]
    table = _pairs(coating, [key for key in coating if key not in IN_WORDS])
    table.add_row(safe(label("regime_shares")), safe(shares(said["regime_shares"])))
    return table


def _costs(process: Mapping[str, Any]) -> Table | None:
    """What the cost is made of, in the currency of the file."""
    parts = process["cost_parts"]
    return _pairs(parts, tuple(parts)) if parts else None


def _readings(table: pl.DataFrame | None, width: int) -> Table | Group | None:
    """One row per reading; its title below the table, where a narrow terminal has no room beside it."""
    if table is None or table.height < 2:
        return None
    heads = {
        "loading_wt_fraction": "loading",
        "loading_of_half_the_batch": "half the batch",
        "particle_diameter_nm": "particle nm",
        "coverage": "coverage",
        "diethylzinc_kg": "DEZ kg",
        "porosity": "porosity",
    }
    shown = {key: head for key, head in heads.items() if table[key].null_count() < table.height}
    found = table_of(("reading",), shown.values())
    columns = (column_of(table[key], 3) for key in shown)
    names = [name + " FIT" * fit for name, fit in table.select("reading", "is_fit").iter_rows()]
    for name, *cells in zip(names, *columns, strict=True):
        found.add_row(*[safe(cell) for cell in (name, *cells)])
    titles = [safe(f"{name}: {title}") for name, title in zip(names, table["title"], strict=True)]
    if width < NARROW:
        found.padding = (0, 1, 0, 0)
    return Group(found, *titles)


def _moves(table: pl.DataFrame | None) -> Table | None:
    if table is None or not table.height:
        return None
    shown = table.head(MOST_VALUES)
    numbers = {"loading_at_low": "loading at low", "loading_at_high": "at high", "coverage_at_low": "coverage at low"}
    numbers |= {"coverage_at_high": "at high"}
    found = table_of(("value", "low", "high"), numbers.values())
    columns = (column_of(shown[key], 3) for key in numbers)
    for name, low, high, *cells in zip(shown["name"], shown["low"], shown["high"], *columns, strict=True):
        found.add_row(*[safe(cell) for cell in (quantity(name), f"{low:g}", f"{high:g}", *cells)])
    return found


def _reach(table: pl.DataFrame | None) -> Table | None:
    if table is None or not table.height:
        return None
    found = table_of(("change", "regime"), ("now", "then", "coverage", "particle nm"))
    found.add_column("", overflow="fold", ratio=1)
    for row in table.iter_rows(named=True):
        values = [row["now"], row["then"], row["coverage"], row["particle_diameter_nm"]]
        numbers = ["-" if value is None else f"{value:.4g}" for value in values]
        found.add_row(
            *[safe(cell) for cell in (quantity(row["change"]), row["regime"] or "-", *numbers, row["remark"])]
        )
    return found


def _fitted(fit: Mapping[str, Any] | None, table: pl.DataFrame | None) -> Table | Group | None:
    """Values, and how well they meet the data."""
    if fit is None or table is None or not table.height:
        return None
    found = table_of(("value", "verdict"), ("before", "fitted", "95 % low", "high"))
    for row in table.iter_rows(named=True):
        numbers = [f"{row[key]:.4g}" for key in ("before", "value", "low", "high")]
        verdict = "calibrated" if row["is_known"] else "not said by the data"
        found.add_row(*[safe(cell) for cell in (quantity(row["name"]), verdict, *numbers)])
    if fit["reduced_chi2"] is None:
        return found
    return Group(found, safe(f"reduced chi squared {fit['reduced_chi2']:.3g}"))
