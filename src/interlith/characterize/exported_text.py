"""Tables in the text exports of laboratory instruments: encoding, separator, decimal comma, and where the table begins.

Not the reader of cycler files: these are small, have one table, and name columns and units in as many ways as there
are makers. What a column means is the business of whoever asks for the table.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from interlith.errors import CorruptFile, InputError, UnsupportedFormat
from interlith.text_file import decode, looks_binary, read_text, unified

Floats = NDArray[np.float64]
MOST_BYTES = 200_000_000
HEAD_BYTES = 65_536
FEWEST_ROWS = 3  # below which numbers are not taken for a table
SAMPLE_LINES = 400
LONGEST_LINE = 100_000
PACKED = {b"PK\x03\x04": "a zip archive or a spreadsheet", b"\xd0\xcf\x11\xe0": "a spreadsheet of old Excel"}
DELIMITERS = ("\t", ";", ",", None)  # None: any run of blanks
NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eEdD][+-]?\d+)?")
NOTHING = ("", "-", "--", "n/a", "nan", "inf", "-inf", "+inf", "null")
BEFORE_UNIT, WIDE_BLANK = re.compile(r"[ \t]+(?=[(\[])"), re.compile(r"\t|[ \t]{2,}")


@dataclass(frozen=True)
class TextTable:
    """One table of a text file. above: all lines that are no row of it; names, units: as written, one per column."""

    above: tuple[str, ...]
    names: tuple[str, ...]
    units: tuple[str, ...]
    columns: tuple[Floats, ...]
    decimal_comma: bool


def head_of(path: Path) -> str:
    """The beginning of a file as text; nothing where it cannot be read or is no text."""
    try:
        with path.open("rb") as stream:
            data = stream.read(HEAD_BYTES)
    except OSError:
        return ""
    return "" if looks_binary(data) else unified(decode(data)[0])


def text_of(path: Path) -> str:
    """A whole file as text. Raises InputError, CorruptFile or UnsupportedFormat for what is none."""
    try:
        size = path.stat().st_size
        with path.open("rb") as stream:
            first = stream.read(4)
        if size > MOST_BYTES:
            raise InputError(f"{path.name}: {size / 1e6:.0f} MB, too large for an export of this kind")
        if first in PACKED:
            raise UnsupportedFormat(f"{path.name}: {PACKED[first]}; save the sheet as .csv or .txt")
        return read_text(path)
    except OSError as problem:
        raise InputError(f"{path}: cannot be read ({problem.strerror or problem})") from problem


def number(field: str, comma: bool = False) -> float | None:
    """A field as a number: NaN for an empty one and for inf, None for what is no number.

    >>> number("1,5E2", comma=True), number("Temp.")
    (150.0, None)
    """
    plain = field.strip().strip('"')
    if plain.lower() in NOTHING:
        return math.nan
    if comma:
        if "." in plain:
            return None
        plain = plain.replace(",", ".", 1)
    if not NUMBER.fullmatch(plain):
        return None
    value = float(plain.replace("D", "e").replace("d", "e"))
    return value if math.isfinite(value) else math.nan


def cut(line: str, delimiter: str | None) -> list[str]:
    """The fields of a line.

    >>> cut("1 ;2;", ";")
    ['1', '2', '']
    """
    return [field.strip().strip('"').strip() for field in line.strip(" ").split(delimiter)]


def table_of(text: str, name: str) -> TextTable:
    """The table of a text: its longest stretch of rows that hold equally many fields, two or more of them numbers.

    name: of the file, for messages. Raises CorruptFile when there is none.

    >>> table = table_of("#made\\nTemp./°C;Mass/%\\n25,0;100,0\\n26,0;99,5\\n27,0;99,0\\n", "a.txt")
    >>> table.names, table.columns[1].tolist()
    (('Temp./°C', 'Mass/%'), [100.0, 99.5, 99.0])
    """
    lines = [line[:LONGEST_LINE] for line in text.split("\n")]
    while lines and not lines[-1].strip():
        lines.pop()
    (delimiter, comma), width = _way_to_cut(lines, name)
    rows, places = [], []
    for place, line in enumerate(lines):
        found = _row(line, delimiter, comma)
        if found is not None and len(found) == width:
            rows.append(found)
            places.append(place)
    numbers = np.array([[math.nan if v is None else v for v in row] for row in rows])
    first, taken = places[0], set(places)
    names, units = _names(lines[:first], delimiter, width)
    above = tuple(line for place, line in enumerate(lines) if place not in taken and line.strip())
    return TextTable(above, names, units, tuple(numbers.T), comma)


def _row(line: str, delimiter: str | None, comma: bool) -> list[float | None] | None:
    """Numbers of a line's fields; None for a line that is no row of a table."""
    if not line.strip() or line.lstrip().startswith("#"):
        return None
    fields = cut(line, delimiter)
    values = [number(field, comma) for field in fields]
    n_numbers = sum(value is not None and not math.isnan(value) for value in values)
    n_words = sum(value is None for value in values)
    return values if n_numbers >= 2 and n_words <= n_numbers else None


def _way_to_cut(lines: list[str], name: str) -> tuple[tuple[str | None, bool], int]:
    """Separator, whether decimals have a comma, and the number of fields, that make the most fields numbers."""
    middle = len(lines) // 2
    sample = lines[:SAMPLE_LINES] + (lines[max(middle, SAMPLE_LINES) :][:SAMPLE_LINES])
    best: tuple[float, tuple[str | None, bool], int] = (0.0, (",", False), 0)
    for delimiter in DELIMITERS:
        for comma in (False, True) if delimiter != "," else (False,):
            rows = [row for line in sample if (row := _row(line, delimiter, comma)) is not None]
            if not rows:
                continue
            width = Counter(len(row) for row in rows).most_common(1)[0][0]
            score = sum(1 - row.count(None) / width for row in rows if len(row) == width)
            if score > best[0]:
                best = (score, (delimiter, comma), width)
    if best[0] < FEWEST_ROWS / 2:
        raise CorruptFile(f"{name}: no table of numbers found; is it a report without its data, or cut off?")
    return best[1], best[2]


def _names(above: list[str], delimiter: str | None, width: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names and units of the columns from the lines above the table; empty where there are none."""
    nothing = ("",) * width
    header = [line for line in above if line.strip()][-4:]
    for place in range(len(header) - 1, -1, -1):
        names = _names_in(header[place].lstrip("#"), delimiter, width)
        if names is None or _are_units(names):
            continue
        below = header[place + 1] if place + 1 < len(header) else ""
        units = _fitted(cut(below, delimiter), width, right=True) if below.strip() else None
        return names, units if units is not None and _are_units(units) else nothing
    return nothing, nothing


def _names_in(line: str, delimiter: str | None, width: int) -> tuple[str, ...] | None:
    """Names of columns in a line, which may hold blanks themselves where blanks part the columns."""
    ways = [cut(line, delimiter)]
    if delimiter is None:
        ways += [WIDE_BLANK.split(line.strip()), cut(BEFORE_UNIT.sub("", line), None)]
    return next((names for fields in ways if (names := _fitted(fields, width)) is not None), None)


def _fitted(fields: list[str], width: int, right: bool = False) -> tuple[str, ...] | None:
    """Fields as one per column; an empty one at the end is dropped, and a first column may lack its unit."""
    while len(fields) > width and not fields[-1]:
        fields.pop()
    if right and 2 <= len(fields) < width:
        fields = [""] * (width - len(fields)) + fields
    if len(fields) != width or sum(bool(field) and number(field) is None for field in fields) < 2:
        return None
    return tuple(fields)


def _are_units(fields: Iterable[str]) -> bool:
    """Whether a line holds units and no names: each in brackets, or short and among those that such files have."""
    known = {"min", "s", "sec", "h", "mg", "g", "µg", "ug", "%", "wt%", "°c", "c", "k", "°f", "mw", "w/g", "uv", "µv"}
    written = [field.strip().lower() for field in fields if field.strip()]
    plain = [field.strip("[]()").replace("º", "°") for field in written]
    return all(
        field.startswith(("[", "(")) or short in known or "/" in short
        for field, short in zip(written, plain, strict=True)
    ) and any(short in known for short in plain)
