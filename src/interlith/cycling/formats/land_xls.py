"""LAND .xls and .xlsx exports, by fastexcel: every sheet that holds records, in order."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from interlith.cycling.formats.format import Format, Head, Raw, ReadOptions
from interlith.cycling.formats.land_text import is_land_header
from interlith.cycling.formats.spreadsheet import OLE, is_workbook, tables, words
from interlith.cycling.formats.tables import record_table
from interlith.errors import InputError


def recognize(head: Head) -> bool:
    """A workbook with LANDdt's column names; an old .xls by its name, since its text lies too deep to be looked at."""
    if head.data.startswith(OLE):
        return head.suffix == ".xls"
    return is_workbook(head.members) and is_land_header(words(head.path))


def read(path: Path, options: ReadOptions) -> Raw:
    """All sheets with records, one after the other. Raises InputError when there is none."""
    found = [table for _, table in tables(path)]
    records = [table for table in found if table.columns == found[0].columns]
    if not records:
        raise InputError(f"{path.name}: no sheet has time, voltage and current columns. Export the record layer.")
    made = record_table(pl.concat(records, how="vertical_relaxed"), path, options)
    left_out = (
        () if len(records) == len(found) else (f"{len(found) - len(records)} sheets with other columns left out",)
    )
    return Raw(made.table, "LAND", made.flags, notes=left_out)


FORMAT = Format(
    name="land-xls",
    title="LAND .xls, .xlsx",
    suffixes=(".xls",),
    recognize=recognize,
    read=read,
    modules=("fastexcel",),
    extra="excel",
    isolated=True,
)
