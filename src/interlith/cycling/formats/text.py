"""Text exports as instruments really write them: encodings, delimiters, decimal commas, torn last lines."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from interlith.errors import CorruptFile, UnsupportedFormat
from interlith.record import Flag

WEB_PAGE = re.compile(r"^\s*(<\?xml[^>]*>\s*)?<(!doctype html|html|head|body)", re.IGNORECASE)
DECIMAL_COMMA = re.compile(r"(?<![\d,.])[+-]?\d+,\d+(?:[eE][+-]?\d+)?(?![\d,])")


def looks_binary(data: bytes) -> bool:
    """True for bytes that no text export holds. UTF-16 text is text."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return False
    return b"\0" in data[:4096]


def decode(data: bytes) -> tuple[str, str]:
    """Text and the encoding it was in: UTF-8 or UTF-16 by their mark, else UTF-8, else GB 18030 or Latin-1.

    A cut-off multi-byte character at the end is dropped, so that the beginning of a file can be decoded alone.

    >>> decode("Spannung;1,5".encode("utf-16"))[0]
    'Spannung;1,5'
    """
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        even = data[: len(data) // 2 * 2]
        return even.decode("utf-16", errors="replace"), "utf-16"
    if data[:3] == b"\xef\xbb\xbf":
        return data[3:].decode("utf-8", errors="replace"), "utf-8"
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError as problem:
        if problem.start >= len(data) - 3 and "end of data" in problem.reason:
            return data[: problem.start].decode("utf-8"), "utf-8"
    chinese = data.decode("gb18030", errors="ignore")
    if sum("一" <= c <= "鿿" for c in chinese[:4096]) >= 4:
        return chinese, "gb18030"
    return data.decode("latin-1"), "latin-1"


def read_text(path: Path) -> str:
    """The whole file as text with "\\n" line ends. Refuses empty files, binary data and web pages."""
    data = path.read_bytes()
    if not data.strip():
        raise CorruptFile(f"{path.name}: the file is empty")
    if looks_binary(data):
        raise CorruptFile(f"{path.name}: binary data where text was expected; was it renamed or cut?")
    text = decode(data)[0]
    if WEB_PAGE.match(text[:500]):
        raise UnsupportedFormat(
            f"{path.name}: a web page, not data. Was it saved from a log-in page? Download it again."
        )
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")


def delimiter_of(lines: list[str]) -> str:
    """The delimiter that cuts these lines into the most fields while cutting all into equally many.

    >>> delimiter_of(["a;b;c", "1,0;2,0;3,0"])
    ';'
    """
    best, score = ",", (0.0, 0)
    for candidate in ("\t", ";", "|", ","):
        counts = [line.count(candidate) for line in lines if line.strip()]
        if counts and max(counts):
            agreement = counts.count(max(set(counts), key=counts.count)) / len(counts)
            rank = (round(agreement, 1), max(counts))
            if rank > score and min(counts) > 0:
                best, score = candidate, rank
    return best


def decimal_comma(lines: list[str], delimiter: str) -> bool:
    """True when numbers in these lines are written 1,5. Never with "," as the delimiter.

    >>> decimal_comma(["1,25\\t-3,5E-3"], "\\t")
    True
    """
    return delimiter != "," and any(DECIMAL_COMMA.search(field) for line in lines for field in line.split(delimiter))


@dataclass(frozen=True)
class TextTable:
    """The table of a text export: string columns as named in the header, and what was odd about it."""

    table: pl.DataFrame
    flags: tuple[Flag, ...] = ()


def parse_table(text: str, header_line: int, n_units_lines: int = 0, delimiter: str | None = None) -> TextTable:
    """Cut text below `header_line` (from 0) into string columns.

    A last line with fewer fields than the header, or without its line end in the middle of a number, is dropped and
    flagged `truncated`. Equal header names get "#2", "#3". Raises CorruptFile when there is no row of data.
    """
    lines = text.split("\n", header_line + n_units_lines + 200)
    sample = [line for line in lines[header_line : header_line + n_units_lines + 100] if line.strip()]
    delimiter = delimiter or delimiter_of(sample[:50])
    names = unique_names(lines[header_line].split(delimiter))
    body = _after_line(text, header_line + n_units_lines)
    body, flags = _drop_torn_line(body, len(names), delimiter, n_above=header_line + n_units_lines + 1)
    if not body.strip():
        raise CorruptFile(f"no row of data below the header in line {header_line + 1}")
    try:
        table = pl.read_csv(
            io.BytesIO(body.encode()),
            has_header=False,
            new_columns=names,
            schema=dict.fromkeys(names, pl.String),
            separator=delimiter,
            truncate_ragged_lines=True,
            missing_utf8_is_empty_string=False,
            quote_char='"' if '"' in body[:100_000] else None,
        )
    except pl.exceptions.PolarsError as problem:
        raise CorruptFile(f"not a table below line {header_line + 1}: {str(problem).splitlines()[0]}") from problem
    comma = decimal_comma(sample[1:], delimiter)
    return TextTable(_with_points(table) if comma else table, flags)


def number(name: str) -> pl.Expr:
    """A string column as Float64; what is no number becomes null, and is flagged when the record is cleaned."""
    return pl.col(name).str.strip_chars().cast(pl.Float64, strict=False)


def unique_names(names: list[str]) -> list[str]:
    """Header names stripped of spaces and quotes, made unique, never empty.

    >>> unique_names(["a", " a ", ""])
    ['a', 'a#2', 'column 3']
    """
    seen: dict[str, int] = {}
    unique = []
    for place, raw in enumerate(names, 1):
        name = raw.strip().strip('"').strip() or f"column {place}"
        seen[name] = seen.get(name, 0) + 1
        unique.append(name if seen[name] == 1 else f"{name}#{seen[name]}")
    return unique


def _after_line(text: str, line: int) -> str:
    start = -1
    for _ in range(line + 1):
        start = text.find("\n", start + 1)
        if start < 0:
            return ""
    return text[start + 1 :]


def _drop_torn_line(body: str, n_fields: int, delimiter: str, n_above: int) -> tuple[str, tuple[Flag, ...]]:
    stripped = body.rstrip("\n")
    if stripped != body or not stripped:
        return stripped, ()
    start = stripped.rfind("\n") + 1
    last, before = stripped[start:], stripped[:start].rstrip("\n")
    typical = before[before.rfind("\n") + 1 :].count(delimiter) if before else n_fields - 1
    if last.count(delimiter) >= typical:
        return stripped, ()
    row = stripped.count("\n")
    message = f"line {n_above + row + 1}: the last line is cut off; dropped. The file may lack its end."
    return before, (Flag("truncated", message, n_rows=1, first_row=row),)


def _with_points(table: pl.DataFrame) -> pl.DataFrame:
    return table.with_columns(pl.all().str.replace_all(",", ".", literal=True))
