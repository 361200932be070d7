"""Surfaces on a terminal: each face with its error bars, the rankings, and what of the paper is not met."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table

from interlith.findings import Findings
from interlith.report.headline import headline
from interlith.report.surface_words import (
    BARRIER,
    BARRIER_2D,
    BINDING,
    NOT_RANKED,
    QUANTITIES,
    Row,
    alone_said,
    energy,
    off_of,
    orders_said,
    published,
    star,
    verdict_of,
    why_not,
)
from interlith.report.terminal import new_console, safe, table_of

NARROW_HERE, WIDE = 86, 105  # columns that the table needs without and with what is published
YES_NO: Mapping[bool | None, str] = {True: "yes", False: "no", None: "-"}


def print_surfaces(findings: Findings, page: Path | None) -> None:
    """All faces of a search: a table, what is missing in it and why, rankings, what is published and not met."""
    console, said = new_console(), findings.items[0].summary
    rows = said["surfaces"]
    console.print(safe(findings.title, style="bold"))
    console.print(safe(findings.warning or "", style="bold"))
    console.print(safe(headline(said), style="bold"))
    console.print()
    console.print(_surfaces(rows, console.width))
    for text in _below(rows, console.width):
        console.print(safe(text))
    for heading, lines in orders_said(said["orders"]).items():
        _listed(console, heading, lines)
    _paper(console, said["against_paper"], {row["key"]: row for row in rows})
    _listed(console, "Single points by DFT", [_check(row) for row in rows if row["dft"]])
    console.print()
    for text in said["warnings"]:
        console.print(safe(f"WARNING: {text}", style="bold red"))
    for text in said["said"]:
        console.print(safe(text))
    models = "; ".join(f"{one['identity']}, {one['level']}" for one in said["models"])
    console.print(safe(f"models: {models}"))
    if page is not None:
        console.print(safe(f"structures: {page.parent / 'structures'}"), soft_wrap=True)
        if said["inputs"]:
            console.print(safe(f"inputs: {page.parent / 'inputs'}"), soft_wrap=True)
    where = f"report: {page}" if page else "with --out DIR: a report with maps, tables and structures"
    console.print(safe(where), soft_wrap=page is not None)


def _surfaces(rows: Sequence[Row], width: int) -> Table:
    """One row for each face; what has no room stands below the table."""
    is_narrow, has_paper = width < NARROW_HERE, width >= WIDE
    words = ("surface", "top") if is_narrow else ("surface", "termination")
    heads = ["binding (eV)", "barrier (eV)"]
    heads += [] if is_narrow else ["in 2D (eV)"]
    heads += ["paper: binding", "paper: barrier"] if has_paper else []
    found = table_of(words, heads)
    for head in ("verified", "polar"):
        found.add_column(head)
    if is_narrow:
        found.padding = (0, 1, 0, 0)
    for row in rows:
        paper = [] if is_narrow else [energy(row, BARRIER_2D)]
        paper += [_number(row, name) for name in (BINDING, BARRIER)] if has_paper else []
        cells = [row["name"], row["termination"] + star(row), energy(row, BINDING), energy(row, BARRIER), *paper]
        is_verified = row["minima_verified"] if row["models"] else None
        found.add_row(*[safe(cell) for cell in (*cells, YES_NO[is_verified], YES_NO[row["is_polar"]])])
    return found


def _number(row: Row, name: str) -> str:
    """A published number; words of a paper stand below."""
    value = row["paper"].get(name)
    return "-" if value is None else f"{value:g}"


def _below(rows: Sequence[Row], width: int) -> list[str]:
    """What the table has no room for: that there is one model alone, why a face is not ranked, words of the paper."""
    said = alone_said(rows)
    said += [f"{NOT_RANKED} not ranked: its numbers are not to be compared; why stands below"] * any(
        star(row) for row in rows
    )
    said += [f"{row['key']}: not ranked: {why}" for row in rows if not row["not_ranked"] and (why := why_not(row))]
    if width < NARROW_HERE:
        said += [f"{row['key']}: barrier in 2D {energy(row, BARRIER_2D)} eV" for row in rows if row[BARRIER_2D]]
    published_of: dict[str, dict[str, str]] = {}
    for row in rows:
        for name, word in QUANTITIES.items():
            is_below = width < WIDE or row["paper"].get(name) is None
            if is_below and (text := published(row, name)) != "-":
                published_of.setdefault(row["name"], {})[word] = text
    return said + [
        f"{name}: published: " + ", ".join(f"{word} {text}" for word, text in held.items())
        for name, held in published_of.items()
    ]


def _paper(console: Console, compared: Sequence[Mapping[str, Any]], rows: Mapping[str, Row]) -> None:
    """Every published number that is not met, or of which that cannot be said."""
    missed = [one for one in compared if one["is_met"] is not True]
    if compared:
        heading = (
            f"Published: {len(compared) - len(missed)} of {len(compared)} comparisons within the spread; the others"
        )
        _listed(
            console,
            heading if missed else heading.partition(";")[0],
            [_missed(one, rows) for one in missed],
            always=True,
        )


def _missed(one: Mapping[str, Any], rows: Mapping[str, Row]) -> str:
    name = one["quantity"]
    said = f"{one['key']}: {QUANTITIES[name]} {one['paper']:g} eV published, "
    if one["ours"] is None:
        return said + verdict_of(one)
    return f"{said}{energy(rows[one['key']], name)} found, {off_of(one)}: {verdict_of(one)}"


def _check(row: Row) -> str:
    held = row["dft"]
    numbers = {"PBE": held["pbe_eV"], "PBE-D3": held["pbe_d3_eV"], held["model"]: held["model_eV"]}
    known = [f"{name} {value:.2f} eV" for name, value in numbers.items() if value is not None]
    said = ", ".join([*known, *([held["failed"]] if held["failed"] else [])])
    return f"{row['key']}: {held['what']}: {said}"


def _listed(console: Console, heading: str, lines: Sequence[str], *, always: bool = False) -> None:
    """Lines below a heading; nothing without lines, unless the heading says enough."""
    if not lines and not always:
        return
    console.print()
    console.print(safe(heading, style="bold"))
    for line in lines:
        console.print(Padding(safe(line), (0, 0, 0, 2)))
