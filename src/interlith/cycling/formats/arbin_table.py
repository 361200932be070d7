"""Arbin .csv and .xlsx exports. Where Arbin writes no unit it means A, V, s, Ah, Wh; charging is positive."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from interlith.cycling.formats.format import Format, Head, Raw, ReadOptions
from interlith.cycling.formats.spreadsheet import is_workbook, sheet_names, tables
from interlith.cycling.formats.tables import find_in_text, header_of, record_table, text_table
from interlith.errors import InputError
from interlith.record import Flag

NAMES = ("Test_Time", "Step_Index", "Cycle_Index", "Charge_Capacity", "Discharge_Capacity", "Charge_Energy")
LEAST_NAMES = 4
SHEET_NAMES = r"^channel"
MAGIC = b"PK"


def is_arbin_header(line: str) -> bool:
    """True for a line with at least four of Arbin's own names, which are joined by "_" or, in newer exports, spaces."""
    joined = line.replace(" ", "_")
    return sum(name in joined for name in NAMES) >= LEAST_NAMES


def recognize_csv(head: Head) -> bool:
    """Arbin's own column names in a text."""
    return any(is_arbin_header(line) for line in head.lines[:50]) and header_of(head) is not None


def recognize_xlsx(head: Head) -> bool:
    """A workbook with a Channel sheet; or what claims to be an .xlsx and cannot be opened as one."""
    if head.data.startswith(MAGIC) and head.suffix == ".xlsx" and not head.members:
        return True
    return is_workbook(head.members) and any(name.lower().startswith("channel") for name in sheet_names(head.path))


def read_csv(path: Path, options: ReadOptions) -> Raw:
    """All rows of an Arbin .csv."""
    text, layout = find_in_text(path)
    found = text_table(path, layout, options, text=text)
    made = record_table(found.table, path, options)
    return Raw(made.table, "Arbin", (*found.flags, *made.flags))


def read_xlsx(path: Path, options: ReadOptions) -> Raw:
    """All Channel sheets that hold records, one after the other."""
    sheets = [(name, table) for name, table in tables(path, SHEET_NAMES) if "statistic" not in name.lower()]
    if not sheets:
        raise InputError(f"{path.name}: no Channel sheet has time, voltage and current. Export the record layer.")
    channels = {name.rsplit("_", 1)[0].rsplit("-", 1)[0] for name, _ in sheets}
    made = record_table(pl.concat([table for _, table in sheets], how="diagonal_relaxed"), path, options)
    flags = list(made.flags)
    if len(channels) > 1:
        flags.append(Flag("several_tests", f"sheets of {len(channels)} channels, kept one after the other"))
    return Raw(made.table, "Arbin", tuple(flags))


CSV = Format(
    name="arbin-csv",
    title="Arbin .csv",
    suffixes=(),
    recognize=recognize_csv,
    read=read_csv,
)
XLSX = Format(
    name="arbin-xlsx",
    title="Arbin .xlsx",
    suffixes=(),
    recognize=recognize_xlsx,
    read=read_xlsx,
    modules=("fastexcel",),
    extra="excel",
    isolated=True,
)
