"""Findings and formats on a terminal, narrow or wide, or piped."""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from interlith.findings import Finding, Findings
from interlith.report.headline import headline

PIPED_WIDTH = 160
NOTHING_DIGITS = 9  # an amount below is written as 0
MOST_FLAGS = 6
QUESTIONS = {
    "area_cm2": "the area (--area-cm2): values per cm2 are missing",
    "working_electrode": "which electrode works (--working-electrode host|positive)",
}


def _console() -> Console:
    wide = os.environ.get("COLUMNS", "")
    piped = int(wide) if wide.isdigit() and int(wide) > 0 else PIPED_WIDTH
    return Console() if sys.stdout.isatty() else Console(width=piped)


def print_findings(findings: Findings, page: Path | None) -> None:
    """One table of all files, below it what each file's reader should know, last where the report lies."""
    console = _console()
    if findings.warning:
        console.print(_text(findings.warning, style="bold"))
    console.print(_table(findings))
    for item in findings.items:
        _notes(console, item)
    _unknown(console, findings)
    where = f"report: {page}" if page else "with --out DIR: a report with figures and tables"
    console.print(_text(where))


def _table(findings: Findings) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("file", "kind", "rows", "cycles"):
        table.add_column(name, justify="right" if name in ("rows", "cycles") else "left", overflow="fold")
    table.add_column("result", overflow="fold", ratio=1)
    table.add_column("flags", justify="right")
    for item in findings.items:
        summary = item.summary
        cells = [Path(summary["path"]).name, summary["kind"] or "-", _count(summary["rows"]), _count(summary["cycles"])]
        table.add_row(
            *[_text(str(cell)) for cell in cells], _text(headline(summary)), _text(str(len(summary["flags"])))
        )
    return table


def _text(text: str, style: str = "") -> Text:
    """Text without control characters: a file name must not colour or split the table."""
    return Text("".join("?" if unicodedata.category(c).startswith("C") else c for c in text), style=style)


def _count(value: int | None) -> str:
    return "-" if value is None else str(value)


def _notes(console: Console, item: Finding) -> None:
    flags: Sequence[Mapping[str, Any]] = item.summary["flags"]
    name = Path(item.summary["path"]).name
    for flag in flags[:MOST_FLAGS]:
        console.print(_text(f"{name}: {flag['code']}: {flag['message']}"))
    if len(flags) > MOST_FLAGS:
        console.print(_text(f"{name}: and {len(flags) - MOST_FLAGS} more flags"))
    if item.summary.get("stopped"):
        console.print(_text(f"{name}: stopped: {item.summary['stopped']}"))
    for text in item.summary.get("said", []):
        console.print(_text(f"{name}: {text}"))
    if account := item.summary.get("ledger"):
        console.print(_text(f"{name}: at the end, mAh/cm2, with the {item.summary['model']} model:"))
    for entry, amount in (account or {}).items():
        value = amount if entry == "residual" else round(amount, NOTHING_DIGITS)
        console.print(_text(f"  {entry.replace('_', ' '):20} {value: .6g}"))
    for row in item.summary.get("truth", []):
        console.print(_text(f"{name}: {row['quantity']}: truth {_short(row['truth'])}, found {_short(row['found'])}"))


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
            console.print(_text(f"not known for {len(lacking)} of {len(read)} files: {question}"))


def print_formats(rows: Sequence[Mapping[str, Any]], refused: Mapping[str, str]) -> None:
    """The list of formats: name, what it is, whether it can be read now."""
    console = _console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("format", "reads", "suffixes", "now"):
        table.add_column(name, overflow="fold")
    for row in rows:
        title = row["title"] + (" (experimental)" if row["experimental"] else "")
        table.add_row(
            *[_text(cell) for cell in (row["name"], title, " ".join(row["suffixes"]), row["missing"] or "yes")]
        )
    console.print(table)
    for suffix, reason in refused.items():
        console.print(_text(f"{suffix} is refused: {reason}"))


def print_lists(lists: Mapping[str, Sequence[Mapping[str, str]]]) -> None:
    """Lists of things that can be named, each with what it is."""
    console = _console()
    for heading, rows in lists.items():
        console.print(_text(heading, style="bold"))
        table = Table(box=None, pad_edge=False, show_header=False)
        for row in rows:
            table.add_row(_text(f"  {row['name']}"), _text(row["what"]))
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
        table.add_row(*[_text(cell) for cell in cells])
    _print_answer(findings, table, page)


def print_rivals(findings: Findings, page: Path | None) -> None:
    """Tests and combinations ranked by the cells they need."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("tests", "cells in all", "hours", "noise at its ends", "limited by"):
        table.add_column(name, overflow="fold")
    for row in findings.items[0].summary["tests"]:
        low, high = (_cells(n) for n in row["at_ends_of_noise"]["all of them"])
        cells = (" + ".join(row["tests"]), _cells(row["n_cells"]), f"{row['hours']:.0f}", f"{low} to {high}")
        table.add_row(*[_text(cell) for cell in (*cells, row["limited_by"])])
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
        table.add_row(*[_text(cell) for cell in cells])
    _print_answer(findings, table, page)


def _cells(n: int | None) -> str:
    return "not possible" if n is None else str(n)


def _print_answer(findings: Findings, table: Table, page: Path | None) -> None:
    console = _console()
    console.print(_text(findings.title, style="bold"))
    console.print(_text(findings.warning or ""))
    console.print(table)
    for text in findings.items[0].summary["said"]:
        console.print(_text(text))
    console.print(_text(f"report: {page}" if page else "with --out DIR: a report with figures and tables"))
