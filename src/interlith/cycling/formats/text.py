"""Text exports as instruments really write them: encodings, delimiters, decimal commas, torn last lines."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import polars as pl

from interlith.errors import CorruptFile
from interlith.record import Flag
from interlith.units import MICRO, MILLI, NANO, SECONDS_PER_DAY, SECONDS_PER_HOUR, SECONDS_PER_MINUTE

DELIMITERS = ("\t", ";", "|", ",")
DECIMAL_COMMA = re.compile(r"(?<![\d,.])[+-]?\d+,\d+(?:[eE][+-]?\d+)?(?![\d,.])")
EXPONENT = re.compile(r"(?<=\d)[eE][+-]?\d+\s*$")
DECIMAL_POINT = re.compile(r"\s*[+-]?\d+\.\d+(?:[eE][+-]?\d+)?\s*")
THOUSANDS = r"^[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?$"
THOUSANDS_BY_POINT = r"^[+-]?[1-9]\d{0,2}(\.\d{3})+(,\d*)?$"
OVERFLOW = "more fields than the header"
SAMPLE_LINES, SAMPLE_CHARACTERS = 100, 20_000
CLOCK = r"^\s*(?:(\d+)\s*[-d. ]\s*)?(\d+):(\d{1,2}):(\d{1,2}(?:[.,]\d+)?)\s*$"
DATES = (
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y/%m/%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%m/%d/%Y %H:%M:%S%.f",
    "%d/%m/%Y %H:%M:%S%.f",
    "%d.%m.%Y %H:%M:%S%.f",
    "%Y-%m-%d %I:%M:%S %p",
    "%m/%d/%Y %I:%M:%S %p",
    "%d/%m/%Y %I:%M:%S %p",
    "%Y-%m-%dT%H:%M:%S%.f%:z",
)


def delimiter_of(lines: list[str]) -> str:
    """The delimiter that cuts these lines into the most fields while cutting all into equally many.

    >>> delimiter_of(["a;b;c", "1,0;2,0;3,0"])
    ';'
    """
    best, score = ",", (0.0, 0)
    for candidate in DELIMITERS:
        counts = [line.count(candidate) for line in lines if line.strip()]
        if any(counts):
            agreement = Counter(counts).most_common(1)[0][1] / len(counts)
            rank = (round(agreement, 1), max(counts))
            if rank > score and min(counts) > 0:
                best, score = candidate, rank
    return best


def decimal_comma(lines: list[str], delimiter: str) -> bool:
    """True when numbers in these lines are written 1,5. Never with "," as the delimiter, nor where most have a point.

    >>> decimal_comma(["1,25\\t-3,5E-3"], "\\t"), decimal_comma(["1,250.0\\t3.5"], "\\t")
    (True, False)
    """
    if delimiter == ",":
        return False
    fields = [field for line in lines for field in line.split(delimiter)]
    n_commas = sum(bool(DECIMAL_COMMA.search(field)) for field in fields)
    return n_commas > sum(bool(DECIMAL_POINT.fullmatch(field)) for field in fields)


@dataclass(frozen=True)
class TextTable:
    """The table of a text export: string columns as named in the header, and what was odd about it."""

    table: pl.DataFrame
    flags: tuple[Flag, ...] = ()


def parse_table(
    text: str,
    header_line: int,
    n_units_lines: int = 0,
    delimiter: str | None = None,
    keep: Callable[[list[str]], Iterable[str]] | None = None,
) -> TextTable:
    """Cut text below `header_line` (from 0) into string columns.

    A last line with fewer fields than the header, or without its line end in the middle of a number, is dropped and
    flagged `truncated`. Equal header names get "#2", "#3". `keep` picks from all names those worth holding in memory.
    Raises CorruptFile when there is no row of data.
    """
    lines = text.split("\n", header_line + n_units_lines + 200)
    sample = [line for line in lines[header_line : header_line + n_units_lines + 100] if line.strip()]
    delimiter = delimiter or delimiter_of(sample[:50])
    names = unique_names(lines[header_line].split(delimiter))
    body = _after_line(text, header_line + n_units_lines)
    body, flags = _drop_torn_line(body, len(names), delimiter, n_above=header_line + n_units_lines + 1)
    if not body.strip():
        raise CorruptFile(f"no row of data below the header in line {header_line + 1}")
    places = _places(names, keep(names)) if keep else list(range(len(names)))
    table = _cut(body, len(names), places, delimiter, header_line)
    table = _without_overfull(table, header_line).rename({str(place): names[place] for place in places})
    comma = decimal_comma([*sample[1:], *_sample_lines(body)], delimiter)
    return TextTable(_with_points(table) if comma else table, flags)


def _cut(body: str, n_fields: int, places: list[int], delimiter: str, header_line: int) -> pl.DataFrame:
    """The fields at `places` of every line, named by their place, and beside them what stands behind the last."""
    quote = '"' if '"' in body[:100_000] else None
    # a first line of place numbers sets the width, whatever the first row of data lacks or has too much
    data = f"{delimiter.join(map(str, range(n_fields)))}{delimiter}{OVERFLOW}\n{body}".encode()
    n_lines = body.count("\n") + 1
    try:
        table = _fields(data, [*places, n_fields], delimiter, quote)
    except pl.exceptions.PolarsError as problem:
        if quote is None:
            raise CorruptFile(f"not a table below line {header_line + 1}: {str(problem).splitlines()[0]}") from problem
        table = None
    if table is None or table.height != n_lines:  # a quotation mark that is never closed swallows lines
        return _fields(data, [*places, n_fields], delimiter, None)
    return table


def _fields(data: bytes, places: list[int], delimiter: str, quote: str | None) -> pl.DataFrame:
    return pl.read_csv(
        io.BytesIO(data),
        infer_schema=False,
        columns=places,
        separator=delimiter,
        truncate_ragged_lines=True,
        quote_char=quote,
    )


def _without_overfull(table: pl.DataFrame, header_line: int) -> pl.DataFrame:
    """Rows with more fields than the header say nothing: which field is which is not known.

    Raises CorruptFile when that is so in most rows.
    """
    overfull = (table[OVERFLOW].str.strip_chars() != "").fill_null(False)
    kept = table.drop(OVERFLOW)
    if not overfull.any():
        return kept
    if overfull.sum() > table.height / 2:
        raise CorruptFile(
            f"most rows have more fields than the header in line {header_line + 1}; first in data row "
            f"{(overfull.arg_max() or 0) + 1}. Are decimals written with the comma that also parts the columns?"
        )
    return kept.with_columns(pl.when(~overfull).then(pl.all()))


def _sample_lines(body: str) -> list[str]:
    """Whole lines from the middle and the end of a text."""
    middle = len(body) // 2
    pieces = (body[middle : middle + SAMPLE_CHARACTERS], body[-SAMPLE_CHARACTERS:])
    return [line for piece in pieces for line in piece.split("\n")[1:-1][:SAMPLE_LINES]]


def number(name: str) -> pl.Expr:
    """A string column as Float64; what is no number becomes null, and is flagged when the record is cleaned."""
    return pl.col(name).str.strip_chars().cast(pl.Float64, strict=False)


def numbers(values: pl.Series) -> pl.Series:
    """Any column as Float64; thousands may be set off by commas ("1,234.5"); what is no number becomes null.

    >>> numbers(pl.Series(["1,234.5", " 2e-3 ", "N/A"])).to_list()
    [1234.5, 0.002, None]
    """
    if values.dtype != pl.String:
        return values.cast(pl.Float64, strict=False)
    stripped = values.str.strip_chars()
    found = stripped.cast(pl.Float64, strict=False)
    if found.null_count() == stripped.null_count():
        return found
    is_number = stripped.str.contains(THOUSANDS)
    if not is_number.any():
        return found
    joined = stripped.str.replace_all(",", "", literal=True).cast(pl.Float64, strict=False)
    return found.zip_with(~is_number.fill_null(False), joined)


def seconds(values: pl.Series, factor: float = 1.0) -> pl.Series:
    """Times as seconds: numbers times `factor`, clocks ("26:00:01", "1-02:00:00", "0d 00:00:05"), dates less the first.

    >>> seconds(pl.Series(["00:01:00.5", "1-00:00:00"])).to_list()
    [60.5, 86400.0]
    """
    if values.dtype == pl.Duration:
        return values.dt.total_microseconds() * MICRO
    if values.dtype == pl.Time:
        return values.cast(pl.Int64) * NANO
    if values.dtype.is_temporal():
        return _from_first(epoch_seconds(values))
    found = numbers(values) * factor
    if found.null_count() < len(found) or values.dtype != pl.String:
        return found
    clock = _clock(values)
    return clock if clock.null_count() < len(clock) else _from_first(epoch_seconds(values))


def epoch_seconds(values: pl.Series) -> pl.Series:
    """Dates as seconds since 1970-01-01, in the zone of the instrument's clock; numbers are taken to be that already.

    Month and day are told apart by what parses every date and spans the shorter time.

    >>> epoch_seconds(pl.Series(["1970-01-02 00:00:00"])).to_list()
    [86400.0]
    """
    if values.dtype == pl.Date:
        values = values.cast(pl.Datetime("us"))
    if values.dtype.is_temporal():
        return values.dt.epoch("ms").cast(pl.Float64) * MILLI if values.dtype == pl.Datetime else numbers(values)
    found = numbers(values)
    if found.null_count() < len(found) or values.dtype != pl.String:
        return found
    sample = _sample(values)
    parsed = [(_span(_dates(sample, form)), form) for form in DATES]
    _, best = min(parsed, key=lambda pair: pair[0])
    return _dates(values, best)


def _clock(values: pl.Series) -> pl.Series:
    part = pl.col("t").str.extract
    number = [part(CLOCK, k).str.replace(",", ".", literal=True).cast(pl.Float64, strict=False) for k in (1, 2, 3, 4)]
    days, hours, minutes, rest = number
    total = days.fill_null(0.0) * SECONDS_PER_DAY + hours * SECONDS_PER_HOUR + minutes * SECONDS_PER_MINUTE + rest
    return values.to_frame("t").select(total).to_series()


def _dates(values: pl.Series, form: str) -> pl.Series:
    parsed = values.str.strip_chars().str.to_datetime(form, strict=False, time_unit="ms", ambiguous="earliest")
    return parsed.dt.epoch("ms").cast(pl.Float64) * MILLI


def _sample(values: pl.Series) -> pl.Series:
    return pl.concat([values.head(200), values.slice(len(values) // 2, 200), values.tail(200)])


def _span(found: pl.Series) -> tuple[int, float]:
    low, high = found.min(), found.max()
    span = float(high) - float(low) if isinstance(low, float) and isinstance(high, float) else 0.0
    return found.null_count(), span


def _from_first(found: pl.Series) -> pl.Series:
    known = found.drop_nulls()
    return found - known[0] if len(known) else found


def _places(names: list[str], kept: Iterable[str]) -> list[int]:
    wanted = set(kept)
    return [place for place, name in enumerate(names) if name in wanted]


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
    typical = before[before.rfind("\n") + 1 :] if before else delimiter.join(["0"] * n_fields)
    row = stripped.count("\n")
    if not _is_torn(last, typical, delimiter):
        return stripped, _shorter_number(last, typical, delimiter, n_above + row + 1, row)
    message = f"line {n_above + row + 1}: the last line is cut off; dropped. The file may lack its end."
    return before, (Flag("truncated", message, n_rows=1, first_row=row),)


def _is_torn(last: str, typical: str, delimiter: str) -> bool:
    """True when a line has fewer fields than another, or the exponent of its last number is missing or shorter."""
    if last.count(delimiter) != typical.count(delimiter):
        return last.count(delimiter) < typical.count(delimiter)
    whole, rest = (EXPONENT.search(line.rsplit(delimiter, 1)[-1]) for line in (typical, last))
    return whole is not None and (rest is None or len(rest[0]) < len(whole[0]))


def _shorter_number(last: str, typical: str, delimiter: str, line: int, row: int) -> tuple[Flag, ...]:
    """A flag for a last line without its end whose last number has fewer digits than the one above it."""
    if len(last.rsplit(delimiter, 1)[-1].strip()) >= len(typical.rsplit(delimiter, 1)[-1].strip()):
        return ()
    message = f"line {line}: the last line has no line end; its last number may be cut off. The file may lack its end."
    return (Flag("no_line_end", message, n_rows=1, first_row=row),)


def _with_points(table: pl.DataFrame) -> pl.DataFrame:
    """Decimal commas made points; points that set off thousands ("1.234,5") go first."""
    return table.select([_without_thousands(column).str.replace_all(",", ".", literal=True) for column in table])


def _without_thousands(values: pl.Series) -> pl.Series:
    """Points removed, where the column's other numbers leave no doubt that they set off thousands."""
    pointed = values.str.contains(".", literal=True).fill_null(False)
    if not pointed.any():
        return values
    grouped = values.str.strip_chars().str.contains(THOUSANDS_BY_POINT).fill_null(False)
    if not grouped.any() or (pointed & ~grouped).any() or (pointed.all() and not values.str.contains(",").any()):
        return values
    return values.str.replace_all(".", "", literal=True)
