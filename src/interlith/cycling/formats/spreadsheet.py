"""A look into spreadsheets, and their sheets as tables, by fastexcel (calamine)."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import polars as pl

from interlith.cycling.formats.headers import find_header
from interlith.cycling.formats.tables import SERIES
from interlith.cycling.formats.text import unique_names
from interlith.errors import CorruptFile

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
WORDS_BYTES = 262_144
HEADER_ROWS = 40


def is_workbook(members: Iterable[str]) -> bool:
    """True for the members of an .xlsx."""
    return "xl/workbook.xml" in members


def sheet_names(path: Path) -> list[str]:
    """Names of the sheets of an .xlsx, found without any library; [] when it cannot be opened."""
    return re.findall(r'<sheet\s[^>]*?name="([^"]*)"', _member(path, "xl/workbook.xml"))


def words(path: Path) -> str:
    """The beginning of all text in an .xlsx: enough to tell whose headers it has."""
    return "".join(_member(path, name) for name in ("xl/sharedStrings.xml", "xl/worksheets/sheet1.xml"))


def tables(path: Path, sheets: str = "") -> Iterator[tuple[str, pl.DataFrame]]:
    """Name and table of each sheet whose name matches `sheets` and that has a row naming time, voltage, current.

    Raises CorruptFile when the file is no spreadsheet that can be opened.
    """
    import fastexcel

    try:
        book = fastexcel.read_excel(path)
        for name in book.sheet_names:
            if re.search(sheets, name, re.IGNORECASE) and (found := _table(book, name)) is not None:
                yield name, found
    except fastexcel.FastExcelError as problem:
        what = str(problem).strip().splitlines()[0][:200]
        raise CorruptFile(f"{path.name}: cannot be opened as a spreadsheet ({what}); damaged or cut off") from problem


def _table(book: object, name: str) -> pl.DataFrame | None:
    """A sheet below its header row; the columns keep the types of the cells below."""
    top = book.load_sheet(name, header_row=None, n_rows=HEADER_ROWS, dtypes="string").to_polars()  # type: ignore[attr-defined]
    rows = ["\t".join((cell or "").replace("\t", " ").replace("\n", " ") for cell in row) for row in top.rows()]
    layout = find_header(rows, SERIES, at_least=2)
    if layout is None:
        return None
    body = book.load_sheet(name, header_row=None, skip_rows=layout.line + 1).to_polars()  # type: ignore[attr-defined]
    return body.rename(dict(zip(body.columns, unique_names(list(layout.names)), strict=False)))


def _member(path: Path, name: str) -> str:
    try:
        with zipfile.ZipFile(path) as archive, archive.open(name) as stream:
            return stream.read(WORDS_BYTES).decode("utf-8", errors="replace")
    except (KeyError, OSError, ValueError, zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError):
        return ""
