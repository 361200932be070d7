"""The answer, as a folder: findings.json, tables/*.parquet and *.csv, later the figures and the page beside them.

A Finding is one file's or one cell's part: a name, a summary that is plain JSON, and tables. Whoever reads a folder of
findings needs nothing else.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import io
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from interlith import __version__
from interlith.errors import EnvironmentError_, InputError

LONGEST_NAME = 120  # names of tables and figures are longer, and no system takes more than 255
OF_A_FULL_DISK = ("No space left", "os error", "Invalid thrift")  # in what polars says of it
ROWS_OF_A_SHEET = 1_048_575  # below the header
NAME_OF_A_SHEET = 31  # characters
TEXT_OF_A_CELL = 32_767  # characters
WIDEST_CELL, PIXELS_PER_CHARACTER = 60, 7
AS_WRITTEN = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


@dataclass(frozen=True)
class Finding:
    """What was found about one thing. `summary`: plain JSON. `tables`: by name."""

    name: str
    summary: Mapping[str, Any]
    tables: Mapping[str, pl.DataFrame] = field(default_factory=dict)


@dataclass(frozen=True)
class Findings:
    """All findings of one run, with its title and what is the same for all (thresholds, versions)."""

    title: str
    items: tuple[Finding, ...]
    thresholds: tuple[Mapping[str, Any], ...] = ()
    warning: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The object of findings.json and of --json: title, version, files, thresholds."""
        head: dict[str, Any] = {"title": self.title, "interlith": __version__}
        if self.warning:
            head["warning"] = self.warning
        return {
            **head,
            "files": [plain(item.summary) for item in self.items],
            "thresholds": plain(list(self.thresholds)),
        }


def plain(value: Any) -> Any:
    """Only what JSON has: numbers that are not finite become null, tuples lists, paths text.

    >>> plain({"a": (1, float("nan"))})
    {'a': [1, None]}
    """
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str):  # a file name need not be text
        return value.encode("utf-8", "backslashreplace").decode()
    if value is None or isinstance(value, (bool, int)):
        return value
    if hasattr(value, "item"):
        return plain(value.item())
    return str(value)


def safe_name(text: str) -> str:
    """A file name of letters, digits, '.', '_' and '-' that says what `text` says.

    >>> safe_name("cell 07/é.ndax")
    'cell_07_.ndax'
    """
    return re.sub(r"[^A-Za-z0-9._-]+", "_", text).strip("_") or "unnamed"


def file_name(text: str) -> str:
    """The same, with letters of all scripts, and of different texts never the same: what is changed or cut is marked.

    >>> file_name("tests.涂层"), file_name("tests.a b")
    ('tests.涂层', 'tests.a_b-215757')
    """
    name = re.sub(r"[^\w.-]+", "_", text)
    while len(name.encode()) > LONGEST_NAME:
        name = name[:-1]
    return name if name == text else f"{name}-{hashlib.sha256(plain(text).encode()).hexdigest()[:6]}"


def write(findings: Findings, folder: Path) -> None:
    """Write findings.json and the tables. Files are replaced whole; raises EnvironmentError_ when that cannot be."""
    with writing(folder):
        for item in findings.items:
            write_tables(item, folder)
        replace_file(folder / "findings.json", json.dumps(findings.as_json(), indent=1, ensure_ascii=False).encode())


def write_tables(item: Finding, folder: Path) -> None:
    """Write one finding's tables as CSV and Parquet into folder/tables."""
    with writing(folder / "tables") as tables:
        for name, table in item.tables.items():
            stem = f"{item.name}.{name}"
            replace_file(tables / f"{stem}.csv", table.write_csv().encode())
            replace_parquet(tables / f"{stem}.parquet", table)


@contextlib.contextmanager
def writing(folder: Path) -> Iterator[Path]:
    """A folder that exists, and EnvironmentError_ instead of OSError for all that is written in the block."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield folder
    except OSError as problem:
        raise EnvironmentError_(f"{folder}: cannot be written ({problem.strerror or problem})") from problem
    except pl.exceptions.ComputeError as problem:  # what polars makes of a full disk
        if not any(word in str(problem) for word in OF_A_FULL_DISK):
            raise
        raise EnvironmentError_(f"{folder}: cannot be written ({str(problem).splitlines()[0]})") from problem


def replace_file(path: Path, data: bytes) -> None:
    """Write a file so that it is either the old one or the whole new one."""
    with _partial(path) as partial:
        partial.write_bytes(data)


def replace_parquet(path: Path, table: pl.DataFrame) -> None:
    """The same for a table."""
    with _partial(path) as partial:
        table.write_parquet(partial)


@contextlib.contextmanager
def _partial(path: Path) -> Iterator[Path]:
    """A file to be written whole, which then takes the place of path; nothing of it is left when that fails."""
    partial = path.with_name(path.name + ".partial")
    try:
        yield partial
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def spreadsheet_needs() -> str | None:
    """What must be installed before a spreadsheet can be written; None when nothing."""
    if importlib.util.find_spec("xlsxwriter") is None:
        return "XlsxWriter is not installed: pip install 'interlith[excel]'"
    return None


def spreadsheet(tables: Mapping[str, pl.DataFrame], path: Path) -> None:
    """Write an .xlsx with a sheet for each table; an old file is replaced whole.

    Numbers stay numbers, and text text, even where it looks like a formula; NaN and infinities are empty, lists are
    JSON. The header stays in sight, columns are as wide as their text. Sheets take the names of the tables, cut to 31
    characters. Raises InputError without a table and for one with more rows than a sheet has, EnvironmentError_ without
    the extra `excel` and when the file cannot be written.
    """
    if (missing := spreadsheet_needs()) is not None:
        raise EnvironmentError_(missing)
    import xlsxwriter

    if not tables:
        raise InputError(f"{path}: a spreadsheet needs at least one table")
    for name, table in tables.items():
        if table.height > ROWS_OF_A_SHEET:
            raise InputError(
                f"{name}: {table.height} rows; a sheet holds {ROWS_OF_A_SHEET}. Write CSV or Parquet instead"
            )
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True, **AS_WRITTEN}) as workbook:
        for sheet, table in zip(_sheet_names(tables), tables.values(), strict=True):
            _write_sheet(workbook, sheet, table)
    with writing(path.parent):
        replace_file(path, buffer.getvalue())


def _write_sheet(workbook: Any, sheet: str, table: pl.DataFrame) -> None:
    shown = table.select(
        _as_cells(table[name]).alias(new) for name, new in zip(table.columns, _distinct(table.columns), strict=True)
    )
    if not shown.width:
        workbook.add_worksheet(sheet)
        return
    shown.write_excel(
        workbook=workbook,
        worksheet=sheet,
        freeze_panes=(1, 0),
        dtype_formats={
            pl.Float64: "General",
            pl.Float32: "General",
            **dict.fromkeys(pl.datatypes.group.INTEGER_DTYPES, "0"),
        },
        column_widths={name: _width_pixels(name, shown[name]) for name in shown.columns},
    )


def _as_cells(column: pl.Series) -> pl.Series:
    if column.dtype.is_float():
        return column.set(~column.is_finite().fill_null(True), None)
    if column.dtype.is_nested():
        return pl.Series(column.name, [None if held is None else json.dumps(plain(held)) for held in column.to_list()])
    return column.str.slice(0, TEXT_OF_A_CELL) if column.dtype == pl.String else column


def _width_pixels(name: str, column: pl.Series) -> int:
    longest = column.cast(pl.String, strict=False).str.len_chars().max()
    characters = max(len(name) + 3, int(longest or 0) + 1)  # type: ignore[arg-type]  # 3: the button of the filter
    return min(characters, WIDEST_CELL) * PIXELS_PER_CHARACTER


def _sheet_names(names: Iterable[str]) -> list[str]:
    plain_names = [re.sub(r"[\[\]:*?/\\\x00-\x1f]+", "_", name).strip("'") or "table" for name in names]
    return _distinct((f"{name}_" if name.lower() == "history" else name for name in plain_names), NAME_OF_A_SHEET)


def _distinct(names: Iterable[str], most: int = 255) -> list[str]:
    """Names cut to `most` characters and told apart by a number, for Excel takes capitals and small letters alike."""
    found: list[str] = []
    for name in names:
        new, n = name[:most], 1
        while new.lower() in {held.lower() for held in found}:
            n += 1
            new = f"{name[: most - len(str(n)) - 1]}_{n}"
        found.append(new)
    return found
