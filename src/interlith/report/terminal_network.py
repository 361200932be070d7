"""A network of fibres, and lithium in it, on a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from interlith.findings import Findings
from interlith.report.deposition_page import left_out, stands, told_cycles
from interlith.report.headline import headline
from interlith.report.terminal import new_console, safe
from interlith.report.wording import label, number, percent, text_of

WORDS = {"sei": "SEI", "revived": "revived so far"}
HEADS = ("", "mean", "low", "high", "voxels")


def print_network(findings: Findings, page: Path | None) -> None:
    """Each number with its span over the seeds, and what it changes with voxels twice as wide; warnings, sentences."""
    console, said = _begun(findings)
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


def _begun(findings: Findings) -> tuple[Console, Mapping[str, Any]]:
    """A console on which title, warning and headline stand, and the summary."""
    console, said = new_console(), findings.items[0].summary
    console.print(safe(findings.title, style="bold"))
    if findings.warning:
        console.print(safe(findings.warning))
    console.print(safe(headline(said), style="bold"))
    return console, said


def _values(values: Mapping[str, Mapping[str, Any]], *, is_one: bool) -> Table:
    table = Table(box=None, pad_edge=False)
    for head in (name for name in HEADS if not (is_one and name in ("low", "high"))):
        table.add_column(head, justify="left" if not head else "right", overflow="fold", no_wrap=bool(head))
    for name, row in values.items():
        cells = [label(name), *(text_of(name, row[end]) for end in (("mean",) if is_one else ("mean", "low", "high")))]
        change = row["change_when_coarser"]
        table.add_row(*(safe(text) for text in cells), safe("" if change is None else f"{percent(change)} %"))
    return table


def print_deposition(findings: Findings, page: Path | None) -> None:
    """Heights beside what is published, the account at the end of each step, and what must be known with them."""
    console, said = _begun(findings)
    nz, ny, nx = said["shape"]
    seeds = f"{len(said['seeds'])} network{'s' * (len(said['seeds']) > 1)}"
    console.print(safe(f"host {said['sample']}: {nx} x {ny} x {nz} voxels of {said['voxel_um']:.4g} um; {seeds}"))
    for heading, table in (
        ("Height of the lithium (um)", _heights(said)),
        *([("Height when stripped (um)", _stripped(stripped))] if (stripped := said["stripped_thickness_um"]) else []),
        ("Plated when it stands over the host (mAh/cm2)", _onset(said["onset_mAh_per_cm2"])),
        (
            "Where the lithium is (mAh/cm2); dead and revived are not converged in the voxels",
            _account(said["account"]),
        ),
    ):
        console.print()
        console.print(safe(heading, style="bold"))
        console.print(table)
    if told := left_out(said["account"]):
        console.print(safe(told))
    console.print()
    console.print(safe(_efficiencies(said["efficiency"])))
    for text in said["said"]:
        console.print(safe(text))
    console.print(safe(f"report: {page}" if page else "with --out DIR: a report with figures and tables"))


def _efficiencies(rows: Sequence[Mapping[str, Any]]) -> str:
    """Charge stripped over charge plated of the cycles."""
    told = ", ".join("none" if row["mean"] is None else percent(row["mean"]) for row in told_cycles(rows))
    return f"charge stripped over charge plated, each cycle (%): {told or 'nothing was plated'}; not converged"


def _heights(said: Mapping[str, Any]) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in ("plated mAh/cm2", "ours", "published", ""):
        table.add_column(name, justify="right" if name else "left", overflow="fold")
    for row in said["thickness_um"]:
        table.add_row(*(safe(text) for text in (number(row["capacity_mAh_per_cm2"], 3), *_against(row))))
    return table


def _stripped(rows: Sequence[Mapping[str, Any]]) -> Table:
    """What is left when cycles end: host, SEI and dead lithium; SEI as a dense layer, and the height if it stood."""
    table = Table(box=None, pad_edge=False)
    for name in ("after cycle", "ours", "published", "", "host", "SEI", "if it stood"):
        table.add_column(name, justify="right" if name else "left", overflow="fold")
    for row in told_cycles(rows):
        parts = (number(row[name], 3) for name in ("host_um", "sei_um", "if_sei_stands_um"))
        cells = (str(row["cycle"]), *_against(row), *parts)
        table.add_row(*(safe(text) for text in cells))
    return table


def _onset(row: Mapping[str, Any]) -> Table:
    """The charge at which lithium stands over the host."""
    table = Table(box=None, pad_edge=False)
    for name in ("", "ours", "published", " "):
        table.add_column(name, justify="right" if name.strip() else "left", overflow="fold")
    table.add_row(*(safe(text) for text in (f"{row['above_um']:g} um over the host", *_against(row))))
    return table


def _against(row: Mapping[str, Any]) -> tuple[str, str, str]:
    """Ours with its span, what is published, whether it is met."""
    ours = stands(row) if row["mean"] is None else f"{number(row['mean'], 3)}"
    if row["mean"] is not None and row["low"] != row["high"]:
        ours += f" ({number(row['low'], 3)} to {number(row['high'], 3)})"
    ends = (row["paper_low"], row["paper_high"])
    paper = "" if ends[0] is None else " to ".join(dict.fromkeys(number(end, 3) for end in ends))
    told = {True: "met", False: "MISSED", None: ""}[row["is_met"]]
    return ours, paper, "fitted" if row["kind"].startswith("calibrated") and row["is_met"] else told


def _account(rows: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False)
    shown = ("active_pores", "active_top", "dead_pores", "dead_top", "sei", "revived")
    for name in ("step", *(WORDS.get(key, key.replace("_", " ")) for key in shown)):
        table.add_column(name, justify="left" if name == "step" else "right", overflow="fold")
    for row in told_cycles(rows):
        step = f"{row['cycle']} {row['step']}"
        table.add_row(*(safe(text) for text in (step, *(number(row[key], 3) for key in shown))))
    return table
