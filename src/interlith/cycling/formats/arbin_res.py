"""Arbin .res, a Microsoft Access database, by the program mdb-export of mdbtools."""

from __future__ import annotations

import io
import os
import re
import subprocess
from pathlib import Path

import polars as pl

from interlith.cycling.formats.format import Format, Head, Raw, ReadOptions
from interlith.cycling.formats.tables import record_table
from interlith.cycling.formats.text import numbers
from interlith.errors import CorruptFile, UnsupportedFormat
from interlith.record import Flag
from interlith.units import MILLI, SECONDS_PER_DAY

PROGRAM = "mdb-export"
TIME_LIMIT_S = 100.0
ROWS, TESTS, DAYS = "Channel_Normal_Table", "Global_Table", "DateTime"
KEPT = (
    "Test_ID",
    "Data_Point",
    "Test_Time",
    DAYS,
    "Step_Index",
    "Cycle_Index",
    "Current",
    "Voltage",
    "Charge_Capacity",
    "Discharge_Capacity",
    "Charge_Energy",
    "Discharge_Energy",
)
MISSING_PAGE = re.compile(r"beyond EOF|reading page|doesn't match", re.IGNORECASE)
DAYS_TO_1970 = 25569.0  # an Access date is in days since 1899-12-30


def recognize(head: Head) -> bool:
    """A Jet or ACE database."""
    return head.data[4:19] in (b"Standard Jet DB", b"Standard ACE DB")


def read(path: Path, options: ReadOptions) -> Raw:
    """All rows of all tests; the current is in A and positive when charging.

    A table of a database has no order of its own, and Access gives pages back in any: rows are put in the order of
    their key, the tests in the order of their first row.
    """
    exported, said = export(path, ROWS, KEPT)
    table = _by_key(exported)
    flags = [*_missing_pages(said), *_several_tests(table)]
    days = numbers(table[DAYS])
    table = table.with_columns(((days - DAYS_TO_1970) * SECONDS_PER_DAY).alias(DAYS)).drop("Test_ID")
    made = record_table(table, path, options)
    mass_mg = _mass_mg(path)
    return Raw(made.table, "Arbin", (*flags, *made.flags), active_mass_mg=mass_mg)


def _by_key(table: pl.DataFrame) -> pl.DataFrame:
    order = {test: place for place, test in enumerate(table["Test_ID"].unique(maintain_order=True))}
    test = table["Test_ID"].replace_strict(order, return_dtype=pl.Int64)
    return table.select(pl.all().sort_by(test, numbers(table["Data_Point"]), maintain_order=True))


def export(path: Path, name: str, kept: tuple[str, ...]) -> tuple[pl.DataFrame, str]:
    """The wanted columns of one table of an Access database, as text, and what the program had to say about it.

    Raises UnsupportedFormat when it has no such table, CorruptFile when it is damaged or takes too long.
    """
    text, said = _run(path, name)
    try:
        header = pl.read_csv(io.BytesIO(text), n_rows=0).columns
        missing = [column for column in kept if column not in header]
        if missing:
            raise CorruptFile(f"{path.name}: its table {name} lacks {', '.join(missing)}; damaged")
        wanted = list(kept)
        table = pl.read_csv(io.BytesIO(text), columns=wanted, infer_schema=False, encoding="utf8-lossy")
    except pl.exceptions.PolarsError as problem:
        what = str(problem).splitlines()[0][:200]
        raise CorruptFile(f"{path.name}: its table {name} cannot be understood ({what}); damaged") from problem
    return table, said


def _run(path: Path, name: str) -> tuple[bytes, str]:
    order = [PROGRAM, str(path.resolve()), name]
    quiet = {**os.environ, "LC_ALL": "C", "MDB_JET3_CHARSET": "cp1252"}
    try:
        done = subprocess.run(order, capture_output=True, timeout=TIME_LIMIT_S, env=quiet, check=False)
    except subprocess.TimeoutExpired as problem:
        raise CorruptFile(f"{path.name}: {PROGRAM} took longer than {TIME_LIMIT_S:.0f} s; damaged") from problem
    said = done.stderr.decode(errors="replace").strip()
    if re.search("does not exist", said):
        raise UnsupportedFormat(f"{path.name}: an Access database without {name}; not an Arbin .res")
    if done.returncode != 0 or not done.stdout.strip():
        raise CorruptFile(f"{path.name}: {PROGRAM} could not read {name} ({said[:200] or done.returncode}); damaged")
    return done.stdout, said


def _missing_pages(said: str) -> list[Flag]:
    """A flag when the program met pages that are not there: it then gives the rest as if nothing were missing."""
    lost = [line for line in said.splitlines() if MISSING_PAGE.search(line)]
    if not lost:
        return []
    return [Flag("truncated", f"the file is cut off or damaged and rows are missing ({PROGRAM}: {lost[0][:100]})")]


def _several_tests(table: pl.DataFrame) -> list[Flag]:
    tests = table["Test_ID"].unique(maintain_order=True).to_list()
    if len(tests) < 2:
        return []
    first = int((table["Test_ID"] != tests[0]).arg_max() or 0)
    message = f"{len(tests)} tests in one file (Test_ID {', '.join(map(str, tests[:10]))}), kept one after the other"
    return [Flag("several_tests", message, table.height - first, first)]


def _mass_mg(path: Path) -> float | None:
    """The active mass, written in g; None where it is not stated or is the 1 g that nobody entered."""
    try:
        grams = numbers(export(path, TESTS, ("MASS",))[0]["MASS"])
    except (CorruptFile, UnsupportedFormat):
        return None
    stated = [float(g) for g in grams.drop_nulls() if 0 < g < 1]
    return stated[0] / MILLI if stated and len(set(stated)) == 1 else None


FORMAT = Format(
    name="arbin-res",
    title="Arbin .res",
    suffixes=(".res",),
    recognize=recognize,
    read=read,
    program=PROGRAM,
    isolated=True,
)
