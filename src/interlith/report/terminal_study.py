"""A study on a terminal: the table of what was expected and what came out, misses with their reasons, the stages."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from interlith.findings import Findings
from interlith.report.terminal import NARROW, new_console, safe
from interlith.report.wording import PERCENT

WITHIN = {True: ("yes", "green"), False: ("MISS", "bold red"), None: ("-", "")}
WHOLE_FROM, NOTHING = 10.0, 0.05  # percent, from where on without decimals, and below which it is 0
LARGE = 10.0  # deviations from here on are told as a factor
INDENT = "    "


def print_study(findings: Findings, page: Path | None) -> None:
    """The table, section by section; below it the reasons of misses, what failed, and where the report lies."""
    console, said = new_console(), findings.items[0].summary
    console.print(safe(said["title"], style="bold"))
    for text in (said["ask"], findings.warning or ""):
        if text:
            console.print(safe(text))
    console.print()
    if said["rows"]:
        console.print(_table(said["rows"], console))
        _misses(console, said["rows"])
    for text in said["said"]:
        console.print(safe(text))
    computed = [one["name"] for one in said["stages"] if one["how"] == "computed"]
    kept = sum(one["how"] == "kept" for one in said["stages"])
    console.print(safe(f"stages: {len(computed)} computed, {kept} kept from before"))
    console.print(safe(f"report: {page}" if page else "with --out DIR: a report with figures and tables"))


def print_plan(found: Mapping[str, Any]) -> None:
    """What a study would do: its stages in their order, and what each takes from others."""
    console = new_console()
    console.print(safe(f"{found['study']}: {found['title']}", style="bold"))
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("stage", "takes from"):
        table.add_column(name, overflow="fold")
    for stage in found["stages"]:
        table.add_row(safe(stage["name"]), safe(", ".join(stage["needs"])))
    console.print(table)
    console.print(safe(f"expected: {found['n_expected']} rows. Nothing is wrong in it"))


def print_examples(found: Sequence[Mapping[str, str]]) -> None:
    """What is shipped, kind by kind, and how to use it."""
    console = new_console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("name", "what it is", "use it"):
        table.add_column(name, overflow="fold", ratio={"what it is": 1}.get(name))
    for kind, held in groupby(found, lambda one: one["kind"]):
        table.add_row(safe(kind, style="bold"))
        for one in held:
            table.add_row(safe(one["name"]), safe(one["title"]), safe(one["command"]))
    console.print(table)
    console.print(safe("interlith examples NAME copies one, to begin with"))


def print_sweep(findings: Findings, page: Path) -> None:
    """A sweep: how many units, what came of them, what failed."""
    console, said = new_console(), findings.items[0].summary
    console.print(safe(said["title"], style="bold"))
    console.print(safe(findings.warning or ""))
    failed = f", {said['n_failed']} failed" if said["n_failed"] else ""
    shard = "" if said["shard"][1] == 1 else f" (shard {said['shard'][0]} of {said['shard'][1]})"
    console.print(safe(f"{said['design']}: {said['n_done']} of {said['n_units']} units done{failed}{shard}"))
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("outcome", "n", "lowest", "median", "highest"):
        table.add_column(name, justify="left" if name == "outcome" else "right", overflow="fold")
    for row in said["outcomes"]:
        numbers = [number_text(row[name]) for name in ("lowest", "median", "highest")]
        table.add_row(*[safe(text) for text in (row["outcome"], str(row["n"]), *numbers)])
    console.print(table)
    for text in said["said"]:
        console.print(safe(text))
    console.print(safe(f"units: {page.parent / 'tables'}; report: {page}"))


def print_examined(found: Sequence[Mapping[str, Any]]) -> None:
    """What was looked at, and whether it is well."""
    console = new_console()
    table = Table(box=None, pad_edge=False, show_header=False)
    for one in found:
        word, style = {True: ("ok", "green"), False: ("NOT WELL", "bold red"), None: ("-", "")}[one["is_well"]]
        table.add_row(safe(word, style=style), safe(one["what"]), safe(one["told"]))
    console.print(table)


def _table(rows: Sequence[Mapping[str, Any]], console: Console) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1, 0, 0))
    table.add_column("quantity", overflow="fold", ratio=1)
    for name in ("paper", "ours"):
        table.add_column(name, justify="right", no_wrap=True)
    is_wide = console.width >= NARROW
    if is_wide:
        table.add_column("unit", no_wrap=True)
        table.add_column("off", justify="right", no_wrap=True)
    table.add_column("kind", no_wrap=True)
    table.add_column("met", no_wrap=True)
    for section, held in groupby(rows, lambda row: row["section"]):
        if section:
            table.add_row(safe(section, style="bold"))
        for row in held:
            word, style = WITHIN[row["within"]]
            cells = [row["quantity"], paper_text(row), number_text(row["ours"])]
            cells += [row["unit"] if row["unit"] != "1" else "", deviation_text(row)] if is_wide else []
            table.add_row(*[safe(cell) for cell in cells], safe(row["kind"]), safe(word, style=style))
    return table


def _misses(console: Console, rows: Sequence[Mapping[str, Any]]) -> None:
    missed = [row for row in rows if row["within"] is False or row["ours"] is None]
    if not missed:
        return
    console.print()
    console.print(safe("Misses, and why", style="bold"))
    for row in missed:
        text = f"{row['quantity']}: {row['reason'] or 'no reason is given'}"
        for line in textwrap.wrap(text, max(20, console.width - len(INDENT)), subsequent_indent=INDENT):
            console.print(safe(line))
    console.print()


def number_text(value: Any) -> str:
    """A number with four digits, a word as it is.

    >>> number_text(0.123456), number_text(None), number_text(2000.0)
    ('0.1235', '-', '2000')
    """
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, (int, float)):
        return str(value)
    return f"{value:.4g}" if abs(value) < 1e4 else f"{value:.0f}"


def paper_text(row: Mapping[str, Any]) -> str:
    """What the paper has: a number, a range, a least or a most, or that it has none.

    >>> paper_text({"paper": 100.0, "bound": "least"}), paper_text({"paper": [5.0, 10.0], "bound": None})
    ('>= 100', '5 to 10')
    """
    paper = row["paper"]
    if isinstance(paper, list):
        return " to ".join(number_text(end) for end in paper)
    if isinstance(paper, str) and paper in ("True", "False"):
        return "yes" if paper == "True" else "no"
    return {"least": ">= ", "most": "<= "}.get(row["bound"] or "", "") + number_text(paper)


def deviation_text(row: Mapping[str, Any]) -> str:
    """How far ours is off: in percent, or as a factor where it is large.

    >>> deviation_text({"deviation": 0.051, "bound": None}), deviation_text({"deviation": 19.0, "bound": None})
    ('+5.1 %', 'x 20')
    """
    off = row["deviation"]
    if off is None or row["bound"]:
        return ""
    if off >= LARGE:
        return f"x {1.0 + off:.3g}"
    percent = PERCENT * off
    return (
        f"{percent:+.0f} %" if abs(percent) >= WHOLE_FROM else f"{percent:+.1f} %" if abs(percent) >= 0.05 else "0.0 %"
    )
