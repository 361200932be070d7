"""Maccor text exports (.070, .txt). Some write currents without a sign: then the State, C or D, gives it."""

from __future__ import annotations

import re
from pathlib import Path

from interlith.cycling.formats.format import Format, Head, Raw, ReadOptions
from interlith.cycling.formats.tables import find_in_text, header_of, record_table, text_table

FIRST_LINE = re.compile(r"today'?s date", re.IGNORECASE)
HEADER = re.compile(r"^\W*rec\W*[\t,;].*\bcyc\w*\W*[\t,;].*\b(amp-?hr|amps|current|volts|voltage)\b", re.IGNORECASE)


def recognize(head: Head) -> bool:
    """Today's Date in the first lines, or Maccor's header, above a table."""
    first = head.lines[:20]
    dated = any(FIRST_LINE.search(line) for line in first[:3])
    return (dated or any(HEADER.search(line) for line in first)) and header_of(head) is not None


def read(path: Path, options: ReadOptions) -> Raw:
    """All rows of a Maccor export; Amp-hr and Watt-hr restart at each step."""
    text, layout = find_in_text(path)
    found = text_table(path, layout, options, text=text)
    made = record_table(found.table, path, options, per_step=True)
    return Raw(made.table, "Maccor", (*found.flags, *made.flags))


FORMAT = Format(
    name="maccor-text",
    title="Maccor text export",
    suffixes=tuple(f".{n:03d}" for n in range(1, 100)),
    recognize=recognize,
    read=read,
)
