"""A network of fibres on a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.table import Table

from interlith.findings import Findings
from interlith.report.headline import headline
from interlith.report.terminal import new_console, safe
from interlith.report.wording import label, percent, text_of

HEADS = ("", "mean", "low", "high", "voxels")


def print_network(findings: Findings, page: Path | None) -> None:
    """Each number with its span over the seeds, and what it changes with voxels twice as wide; warnings, sentences."""
    console, item = new_console(), findings.items[0]
    said = item.summary
    console.print(safe(findings.title, style="bold"))
    if findings.warning:
        console.print(safe(findings.warning))
    console.print(safe(headline(said), style="bold"))
    console.print()
    nz, ny, nx = said["shape"]
    console.print(safe(f"{nx} x {ny} x {nz} voxels of {said['voxel_um']:.4g} um, {said['thickness_um']:.4g} um thick"))
    console.print()
    console.print(_values(said["values"], is_one=len(said["seeds"]) < 2))
    console.print(safe("voxels: change with voxels twice as wide, the error that they may cause"))
    console.print()
    for text in said["warnings"]:
        console.print(safe(f"WARNING: {text}", style="bold red"))
    for text in said["said"]:
        console.print(safe(text))
    console.print(safe(f"report: {page}" if page else "with --out DIR: a report with figures and tables"))


def _values(values: Mapping[str, Mapping[str, Any]], *, is_one: bool) -> Table:
    table = Table(box=None, pad_edge=False)
    for head in (name for name in HEADS if not (is_one and name in ("low", "high"))):
        table.add_column(head, justify="left" if not head else "right", overflow="fold", no_wrap=bool(head))
    for name, row in values.items():
        cells = [label(name), *(text_of(name, row[end]) for end in (("mean",) if is_one else ("mean", "low", "high")))]
        change = row["change_when_coarser"]
        table.add_row(*(safe(text) for text in cells), safe("" if change is None else f"{percent(change)} %"))
    return table
