"""Surfaces on a terminal: two numbers of each face, rankings for every choice of terminations, what is not met."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from interlith.findings import Findings
from interlith.report.headline import headline
from interlith.report.surface_words import BARRIER, BINDING, energy, rows_of
from interlith.report.terminal import NARROW, new_console, safe, table_of

MOST_ORDERS = 8


def print_surfaces(findings: Findings, page: Path | None) -> None:
    """Each face with its error bars, the rankings, what is published, warnings, and what must be known with it."""
    console, item = new_console(), findings.items[0]
    said, rows = item.summary, rows_of(item)
    console.print(safe(findings.title, style="bold"))
    console.print(safe(findings.warning or ""))
    console.print(safe(headline(said), style="bold"))
    parts = {
        "": _faces(rows, console.width),
        "Rankings, weakest binding first; the order may depend on the face": _orders(said["orders"]),
        "Published, and what was found": _against(said["against_paper"]),
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
    console.print(safe(f"report: {page}" if page else "with --out DIR: a report with maps, paths and structures"))


def _faces(rows: Sequence[Mapping[str, Any]], width: int) -> Table:
    """One row for each face."""
    numbers = ["binding eV", "barrier eV", *(["paper eV", "minima"] if width >= NARROW else [])]
    table = table_of(("face",), numbers)
    for row in rows:
        cells = [row["key"] + " (polar)" * bool(row["is_polar"]), energy(row, BINDING), energy(row, BARRIER)]
        if width >= NARROW:
            cells += [_both(row), "verified" if row["minima_verified"] else "not all"]
        table.add_row(*[safe(cell) for cell in cells])
    return table


def _both(row: Mapping[str, Any]) -> str:
    """What is published in numbers of binding energy and barrier."""
    values = [row["paper"].get(name) for name in (BINDING, BARRIER)]
    return " / ".join("-" if value is None else f"{value:g}" for value in values) if any(values) else "-"


def _orders(orders: Sequence[Mapping[str, Any]]) -> Group | None:
    """Choices of terminations that lead to one order share a line."""
    if not orders or len(orders[0]["by_binding"]) < 2:
        return None
    lines: list[Text] = []
    for key, what in (("by_binding", "binding"), ("by_barrier", "barrier")):
        found: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
        for one in orders:
            found.setdefault(tuple(one[key]), []).append(one)
        for order, ones in list(found.items())[:MOST_ORDERS]:
            lines.append(safe(f"{what}: {' < '.join(order)}{_verdict(ones, what)}"))
            lines.append(safe(f"    with {_choices(ones, orders)}"))
    return Group(*lines)


def _verdict(ones: Sequence[Mapping[str, Any]], what: str) -> str:
    if what != "binding":
        return ""
    is_published = ones[0]["is_published_order"]
    told = {True: "; the published order", False: "; not the published order", None: ""}[is_published]
    return told + {True: "", False: "; error bars overlap", None: ""}[_all(one["is_decided"] for one in ones)]


def _all(decided: Iterable[bool | None]) -> bool | None:
    """Whether all are; None where it is not known of one."""
    known = list(decided)
    return None if None in known else all(known)


def _choices(ones: Sequence[Mapping[str, Any]], every: Sequence[Mapping[str, Any]]) -> str:
    """The terminations of those surfaces that have more than one."""
    names = [name for name in every[0]["terminations"] if len({one["terminations"][name] for one in every}) > 1]
    told = [", ".join(f"{name} {one['terminations'][name]}" for name in names) for one in ones]
    if not names or len(ones) == len(every):
        return "every choice of terminations" if names else "the only terminations"
    return "; or ".join(told)


def _against(rows: Sequence[Mapping[str, Any]]) -> Table | None:
    if not rows:
        return None
    table = table_of(("face", "quantity"), ("paper eV", "ours eV", "off by eV", "verdict"))
    words = {True: "within the spread", False: "NOT MET", None: "no spread is known"}
    for row in rows:
        numbers = ["-" if row[key] is None else f"{row[key]:.3f}" for key in ("paper", "ours", "difference_eV")]
        met = words[row["is_met"]] if row["ours"] is not None else "not computed"
        table.add_row(*[safe(cell) for cell in (row["key"], row["quantity"].removesuffix("_eV"), *numbers, met)])
    return table
