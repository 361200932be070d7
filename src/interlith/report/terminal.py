"""Findings and formats on a terminal, narrow or wide, or piped."""

from __future__ import annotations

import math
import os
import sys
import textwrap
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from interlith.findings import Finding, Findings
from interlith.report.headline import headline
from interlith.report.wording import PERCENT, about, quantity

PIPED_WIDTH = 160
NOTHING_DIGITS = 9  # an amount below is written as 0
MOST_FLAGS = 6
MOST_VALUES = 8  # of those that move the energy, or are moved by what was published
NARROW = 70  # columns below which numbers stand one space apart
WIDE = 110  # columns from which a title has room beside its numbers
HEAD_WIDTH, NAME_WIDTH, INDENT = 8, 30, 4
VERDICTS = {"closes": "green", "does not close": "bold red", "noted": "yellow"}
QUESTIONS = {
    "area_cm2": "the area (--area-cm2): values per cm2 are missing",
    "working_electrode": "which electrode works (--working-electrode host|positive)",
}


def new_console() -> Console:
    """Where to print: the terminal's width, or when piped that of COLUMNS, else PIPED_WIDTH."""
    wide = os.environ.get("COLUMNS", "")
    piped = int(wide) if wide.isdigit() and int(wide) > 0 else PIPED_WIDTH
    return Console() if sys.stdout.isatty() else Console(width=piped)


def print_findings(findings: Findings, page: Path | None) -> None:
    """One table of all files, below it what each file's reader should know, last where the report lies."""
    console = new_console()
    if findings.warning:
        console.print(safe(findings.warning, style="bold"))
    console.print(_table(findings))
    for item in findings.items:
        _notes(console, item)
    _unknown(console, findings)
    where = f"report: {page}" if page else "with --out DIR: a report with figures and tables"
    console.print(safe(where))


def _table(findings: Findings) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("file", "kind", "rows", "cycles"):
        table.add_column(name, justify="right" if name in ("rows", "cycles") else "left", overflow="fold")
    table.add_column("result", overflow="fold", ratio=1)
    table.add_column("flags", justify="right")
    for item in findings.items:
        summary = item.summary
        cells = [Path(summary["path"]).name, summary["kind"] or "-", _count(summary["rows"]), _count(summary["cycles"])]
        table.add_row(*[safe(str(cell)) for cell in cells], safe(headline(summary)), safe(str(len(summary["flags"]))))
    return table


def safe(text: str, style: str = "") -> Text:
    """Text without control characters: a file name must not colour or split the table."""
    return Text("".join("?" if unicodedata.category(c).startswith("C") else c for c in text), style=style)


def _count(value: int | None) -> str:
    return "-" if value is None else str(value)


def _notes(console: Console, item: Finding) -> None:
    flags: Sequence[Mapping[str, Any]] = item.summary["flags"]
    name = Path(item.summary["path"]).name
    for flag in flags[:MOST_FLAGS]:
        console.print(safe(f"{name}: {flag['code']}: {flag['message']}"))
    if len(flags) > MOST_FLAGS:
        console.print(safe(f"{name}: and {len(flags) - MOST_FLAGS} more flags"))
    if item.summary.get("stopped"):
        console.print(safe(f"{name}: stopped: {item.summary['stopped']}"))
    for text in item.summary.get("said", []):
        console.print(safe(f"{name}: {text}"))
    if account := item.summary.get("ledger"):
        console.print(safe(f"{name}: at the end, mAh/cm2, with the {item.summary['model']} model:"))
    for entry, amount in (account or {}).items():
        value = amount if entry == "residual" else round(amount, NOTHING_DIGITS)
        console.print(safe(f"  {entry.replace('_', ' '):20} {value: .6g}"))
    for row in item.summary.get("truth", []):
        console.print(safe(f"{name}: {row['quantity']}: truth {_short(row['truth'])}, found {_short(row['found'])}"))


def _short(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _unknown(console: Console, findings: Findings) -> None:
    """What is not known of the cells, said once for all of them."""
    read = [
        item for item in findings.items if item.summary["error"] is None and item.summary["kind"] not in ("eis", "cv")
    ]
    for key, question in QUESTIONS.items():
        lacking = [item for item in read if item.summary[key] is None]
        if lacking:
            console.print(safe(f"not known for {len(lacking)} of {len(read)} files: {question}"))


def print_formats(
    rows: Sequence[Mapping[str, Any]], lab: Sequence[Mapping[str, Any]], refused: Mapping[str, str]
) -> None:
    """The list of formats: name, what it is, whether it can be read now; lab: those of `interlith characterize`."""
    console = new_console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("format", "reads", "suffixes", "now"):
        table.add_column(name, overflow="fold")
    for row in rows:
        title = row["title"] + (" (experimental)" if row["experimental"] else "")
        table.add_row(
            *[safe(cell) for cell in (row["name"], title, " ".join(row["suffixes"]), row["missing"] or "yes")]
        )
    for row in lab:
        title = f"{row['title']}, for interlith characterize"
        table.add_row(*[safe(cell) for cell in (row["name"], title, " ".join(row["suffixes"]), "yes")])
    console.print(table)
    for suffix, reason in refused.items():
        console.print(safe(f"{suffix} is refused: {reason}"))


def print_lists(lists: Mapping[str, Sequence[Mapping[str, str]]]) -> None:
    """Lists of things that can be named, each with what it is."""
    console = new_console()
    for heading, rows in lists.items():
        console.print(safe(heading, style="bold"))
        table = Table(box=None, pad_edge=False, show_header=False)
        for row in rows:
            table.add_row(safe(f"  {row['name']}"), safe(row["what"]))
        console.print(table)


def print_fit(findings: Findings, page: Path | None) -> None:
    """A fit: one row per parameter, and what must be said with it."""
    summary = findings.items[0].summary
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("parameter", "best", "95 % by profile", "95 % of samples", "verdict"):
        table.add_column(name, overflow="fold")
    for row in summary["estimates"]:
        low = "open" if row["low"] is None else f"{row['low']:.4g}"
        high = "open" if row["high"] is None else f"{row['high']:.4g}"
        samples = " to ".join(f"{end:.4g}" for end in row["interval_sampler"] or ()) or "-"
        cells = (row["name"], f"{row['best']:.4g}", f"{low} to {high}", samples, row["verdict"])
        table.add_row(*[safe(cell) for cell in cells])
    _print_answer(findings, table, page)


def print_rivals(findings: Findings, page: Path | None) -> None:
    """Tests and combinations ranked by the cells they need."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("tests", "cells in all", "hours", "noise at its ends", "limited by"):
        table.add_column(name, overflow="fold")
    for row in findings.items[0].summary["tests"]:
        low, high = (_cells(n) for n in row["at_ends_of_noise"]["all of them"])
        cells = (" + ".join(row["tests"]), _cells(row["n_cells"]), f"{row['hours']:.0f}", f"{low} to {high}")
        table.add_row(*[safe(cell) for cell in (*cells, row["limited_by"])])
    _print_answer(findings, table, page)


def print_held_out(findings: Findings, page: Path | None) -> None:
    """Predictions beside measurements that were not used for them, misses with their reason."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("quantity", "unit", "paper", "predicted", "span", "within", "why it may miss"):
        table.add_column(name, overflow="fold")
    for row in findings.items[0].summary["rows"]:
        paper = "-" if row["paper"] is None else f"{'at least ' if row['at_least'] else ''}{row['paper']:.4g}"
        span = f"{row['low']:.4g} to {row['high']:.4g}"
        within = "-" if row["within"] is None else "yes" if row["within"] else "MISS"
        cells = (row["quantity"], row["unit"], paper, f"{row['predicted']:.4g}", span, within, row["reason"])
        table.add_row(*[safe(cell) for cell in cells])
    _print_answer(findings, table, page)


def _cells(n: int | None) -> str:
    return "not possible" if n is None else str(n)


def _print_answer(findings: Findings, table: Table, page: Path | None) -> None:
    console = new_console()
    console.print(safe(findings.title, style="bold"))
    console.print(safe(findings.warning or ""))
    console.print(table)
    for text in findings.items[0].summary["said"]:
        console.print(safe(text))
    console.print(safe(f"report: {page}" if page else "with --out DIR: a report with figures and tables"))


def print_design(findings: Findings, page: Path | None) -> None:
    """A cell as built: its masses as a tree, its readings, what is uncertain, what does not close."""
    console, item = new_console(), findings.items[0]
    audits = item.summary.get("audits") or ()
    console.print(safe(findings.title, style="bold"))
    console.print(safe(findings.warning or ""))
    console.print(safe(headline(item.summary), style="bold"))
    parts = {
        "": _masses(item.tables.get("masses")),
        "On each basis (Wh/kg)": _readings(item.tables.get("readings"), console.width),
        "Audits": audits_table([row for row in audits if "cell" not in row]),
        "Audits of other cells of the same work": audits_table([row for row in audits if "cell" in row]),
        "Single changes": _levers(item.tables.get("levers")),
        "What moves the specific energy (Wh/kg)": _sensitivity(item.tables.get("sensitivity")),
        "What reaches the target": _target(item.tables.get("target")),
        "What the published numbers ask for": _reconciled(item.tables.get("reconciled")),
    }
    for heading, part in parts.items():
        if part is None:
            continue
        console.print()
        if heading:
            console.print(safe(heading, style="bold"))
        console.print(part)
    console.print()
    for text in (_monte_carlo(item.summary), *item.summary.get("said", ())):
        if text:
            console.print(safe(text))
    console.print(safe(f"report: {page}" if page else "with --out DIR: a report with figures and tables"))


def _masses(table: pl.DataFrame | None) -> Tree | None:
    """The cell, its electrodes and its case, and what each is made of."""
    if table is None or not table.height:
        return None
    rows = list(table.filter(pl.col("mass_g") > 0).select("part", "mass_g", "share").iter_rows())
    groups: dict[str, list[tuple[str, float, float]]] = {}
    for part, mass_g, share in rows:
        group, layer = _group(part)
        groups.setdefault(group, []).append((layer, mass_g, share))
    decimals = _decimals(sum(row[1] for row in rows))
    tree = Tree(_weighed("cell", rows, 0, decimals))
    for group, members in groups.items():
        branch = tree.add(_weighed(group, members, 1, decimals))
        for member in members:
            if member[0]:
                branch.add(_weighed(member[0], [member], 2, decimals))
    return tree


def _group(part: str) -> tuple[str, str]:
    """Where a part belongs, and its name there; no name for what is alone.

    >>> _group("negative_host"), _group("electrolyte"), _group("tabs")
    (('negative', 'host'), ('electrolyte', ''), ('case', 'tabs'))
    """
    side, _, layer = part.partition("_")
    if side in ("positive", "negative"):
        return side, layer
    return (part, "") if part in ("separator", "electrolyte") else ("case", part)


def _weighed(name: str, rows: Sequence[tuple[str, float, float]], depth: int, decimals: int) -> Text:
    """A line of the tree, its numbers below those of all others."""
    mass_g, share = sum(row[1] for row in rows), sum(row[2] for row in rows)
    words = f"{name.replace('_', ' '):<{NAME_WIDTH - INDENT * depth}}"
    return safe(f"{words} {mass_g:>8.{decimals}f} g {share:>6.1%}".replace("%", " %"), style="" if depth else "bold")


def _readings(table: pl.DataFrame | None, width: int) -> Table | Group | None:
    """One row per reading; its title beside it where there is room, else below."""
    if table is None or not table.height:
        return None
    bases = [name for name in table.columns if name.endswith("_Wh_per_kg")]
    columns = {"capacity_Ah": "Ah", "energy_Wh": "Wh", "mass_g": "g"}
    columns |= {name: name.removesuffix("_Wh_per_kg").replace("_", " ") for name in bases} | {"Wh_per_L": "Wh/L"}
    found = table_of(("reading",), columns.values())
    if width < NARROW:
        found.padding = (0, 1, 0, 0)
    if width >= WIDE:
        found.add_column("", overflow="fold", ratio=1)
    names = [name + " FIT" * fit for name, fit in table.select("reading", "is_fit").iter_rows()]
    for name, title, *numbers in zip(names, table["title"], *(column_of(table[key]) for key in columns), strict=True):
        found.add_row(*[safe(cell) for cell in (name, *numbers, *([title] if width >= WIDE else []))])
    titles = [safe(f"{name}: {title}") for name, title in zip(names, table["title"], strict=True)]
    return found if width >= WIDE else Group(found, *titles)


def table_of(words: Iterable[str], numbers: Iterable[str]) -> Table:
    """A table whose words may wrap, after their first column to the right, and whose numbers may not."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for place, head in enumerate(words):
        table.add_column(head, overflow="fold", justify="right" if place else "left")
    for head in numbers:
        table.add_column(textwrap.fill(head, HEAD_WIDTH), justify="right", no_wrap=True)
    return table


def _decimals(largest: float, digits: int = 4) -> int:
    """Decimals with which the largest number of a column has so many digits."""
    return max(digits - 1 - math.floor(math.log10(largest)), 0) if largest > 0 else 0


def column_of(values: pl.Series, digits: int = 4) -> list[str]:
    """Numbers of a column with the same decimals, by the largest of them."""
    known = [abs(value) for value in values.drop_nulls()]
    decimals = 0 if values.dtype.is_integer() else _decimals(max(known, default=0.0), digits)
    return ["-" if value is None else f"{value:.{decimals}f}" for value in values]


def audits_table(audits: Sequence[Mapping[str, str]]) -> Table | None:
    """The verdict in front, then what was held against what."""
    if not audits:
        return None
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold", ratio=1)
    for audit in audits:
        verdict = safe(audit["verdict"], style=VERDICTS.get(audit["verdict"], ""))
        table.add_row(verdict, safe(f"{audit['name']}: {audit['text']}"))
    return table


def _sensitivity(table: pl.DataFrame | None) -> Table | None:
    """The values that move the energy most, with what it becomes at both ends."""
    if table is None or not table.height:
        return None
    numbers = {"Wh_per_kg_at_low": "at low", "Wh_per_kg_at_high": "at high", "swing_Wh_per_kg": "swing"}
    if table["total_order"].null_count() < table.height:
        numbers["total_order"] = "share of variance"
    found = table_of(("value", "low", "high"), numbers.values())
    shown = table.filter(pl.col("swing_Wh_per_kg") > 0).head(MOST_VALUES)
    if not shown.height:
        return None
    columns = (column_of(shown[key], 3 if key == "total_order" else 4) for key in numbers)
    for name, low, high, *cells in zip(shown["name"], shown["low"], shown["high"], *columns, strict=True):
        found.add_row(*[safe(cell) for cell in (quantity(name), str(low), str(high), *cells)])
    return found


def _levers(table: pl.DataFrame | None) -> Table | None:
    """What each change alone brings, and what stands against it."""
    if table is None or not table.height:
        return None
    found = table_of(("change", "now", "then"), ("Wh/kg", "gain"))
    found.add_column("against", overflow="fold", ratio=1)
    energies, gains = column_of(table["specific_energy_Wh_per_kg"]), table["gain_Wh_per_kg"]
    for (what, now, then, against), energy, gain in zip(
        table.select("what", "now", "then", "against").iter_rows(), energies, gains, strict=True
    ):
        found.add_row(*[safe(cell) for cell in (what, now, then, energy, f"{gain:+.1f}", against)])
    return found


def _target(table: pl.DataFrame | None) -> Table | None:
    """What each amount of electrolyte and number of sheets asks of the coating, or what stands against it."""
    if table is None or not table.height:
        return None
    columns = {
        "target_Wh_per_kg": "Wh/kg",
        "g_per_Ah": "E/C (g/Ah)",
        "n_positive": "positive sheets",
        "areal_capacity_mAh_per_cm2": "mAh/cm2",
        "lithium_um": "lithium (um)",
        "capacity_Ah": "Ah",
    }
    found = Table(box=None, pad_edge=False, header_style="bold")
    for head in columns.values():
        found.add_column(textwrap.fill(head, HEAD_WIDTH), justify="right", no_wrap=True)
    found.add_column("verdict", overflow="fold", ratio=1)
    for cells in zip(*(column_of(table[key], 3) for key in columns), table["verdict"], strict=True):
        found.add_row(*[safe(cell) for cell in cells])
    return found


def _reconciled(table: pl.DataFrame | None) -> Table | None:
    """The uncertain values that move most, before and after, given that what is published holds."""
    if table is None or not table.height:
        return None
    found = table_of(("value",), ("before", "after", "shift (sd)"))
    for row in table.head(MOST_VALUES).iter_rows(named=True):
        before, after = (about(row["name"], row[f"{when}_mean"], row[f"{when}_sd"]) for when in ("prior", "posterior"))
        cells = (quantity(row["name"]), before, after, f"{row['shift_in_sd']:+.2f}")
        found.add_row(*[safe(cell) for cell in cells])
    return found


def _monte_carlo(summary: Mapping[str, Any]) -> str:
    """The draws in one sentence; nothing where there were none."""
    found = summary.get("monte_carlo")
    if not found:
        return ""
    low, middle, high = (f"{found[f'{name}_Wh_per_kg']:.4g}" for name in ("p5", "median", "p95"))
    said = f"{found['n_draws']} draws of what is uncertain: median {middle} Wh/kg, 5 to 95 %: {low} to {high} Wh/kg"
    claimed = (summary.get("published") or {}).get("specific_energy_Wh_per_kg")
    chance = found.get("probability_of_published")
    if claimed is None or chance is None:
        return said
    return f"{said}; {chance * PERCENT:.1f} % of them reach the published {claimed:.4g} Wh/kg"
