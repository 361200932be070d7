"""Any delimited table whose time, voltage and current can be told from their names, with their units written.

A unit of current or voltage is never guessed: it is in the name ("Amps"), beside it ("I/mA"), or stated by the person.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from interlith.cycling.formats.format import Format, Head, Raw, ReadOptions
from interlith.cycling.formats.headers import Layout, find_header, meaning, record_columns
from interlith.cycling.formats.tables import SERIES, record_table, text_table
from interlith.errors import InputError
from interlith.record import CURRENT, FREQUENCY, REAL, TIME, VOLTAGE, Flag
from interlith.text_file import read_text

NUMBER = re.compile(r'^\s*"?[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?"?\s*$')
LOOKED_AT = 4
EXAMPLE_UNIT = {CURRENT: "mA", VOLTAGE: "V"}


def recognize(head: Head) -> bool:
    """A header that names two of time, voltage and current, and numbers under it; no table of impedances."""
    layout = find_header(head.lines, SERIES, at_least=2)
    if layout is None or {FREQUENCY, REAL} & set(record_columns(layout.names)):
        return False
    below = [line for line in head.lines[layout.line + 1 :] if line.strip()][:LOOKED_AT]
    return not below or any(_has_numbers(line, layout) for line in below)


def _has_numbers(line: str, layout: Layout) -> bool:
    fields = line.split(layout.delimiter)
    found = record_columns(layout.names)
    places = [layout.names.index(found[c][0]) for c in (VOLTAGE, CURRENT) if c in found]
    return all(place < len(fields) and NUMBER.match(fields[place]) for place in places)


def read(path: Path, options: ReadOptions) -> Raw:
    """All rows of the table. Raises InputError for a missing column, or a current or voltage without unit."""
    text = read_text(path)
    layout = _layout(path, text, options)
    _check_units(path, layout.names, options)
    found = text_table(path, layout, options, text=text)
    made = record_table(found.table, path, options)
    return Raw(made.table, None, (*found.flags, *made.flags, *_time_flag(layout.names, options)))


def _layout(path: Path, text: str, options: ReadOptions) -> Layout:
    lines = text[:100_000].split("\n")
    found = find_header(lines, SERIES, at_least=2)
    if found is None:
        found = find_header(lines, SERIES, at_least=1)
    if found is None:
        shown = ", ".join(repr(word) for word in re.split(r"[\t;,|]", lines[0])[:20])
        raise InputError(f"{path.name}: no time, voltage or current column; found {shown}. Name them with --columns")
    return found


def _check_units(path: Path, names: Sequence[str], options: ReadOptions) -> None:
    for column, (header, _) in record_columns(names, options.columns).items():
        known = meaning(header)
        stated = ":" in options.columns.get(column, "")
        if column in EXAMPLE_UNIT and not stated and not (known and known.unit_written):
            wish = f"--columns {column}='{header}:{EXAMPLE_UNIT[column]}'"
            raise InputError(f"{path.name}: column {header!r} has no unit, and none is guessed; state it: {wish}")


def _time_flag(names: Sequence[str], options: ReadOptions) -> list[Flag]:
    header, _ = record_columns(names, options.columns).get(TIME, ("", 1.0))
    known = meaning(header) if header else None
    if known is None or known.unit_written or TIME in options.columns:
        return []
    return [Flag("assumed_unit", f"column {header!r} has no unit; numbers in it are taken as seconds")]


FORMAT = Format(
    name="generic-csv",
    title="any table with time, voltage and current, .csv, .txt, .tsv",
    suffixes=(),
    recognize=recognize,
    read=read,
)
