"""Impedance spectra of CH Instruments, as text."""

from __future__ import annotations

import re
from pathlib import Path

from interlith.cycling.formats.format import Format, Head, Raw, ReadOptions
from interlith.cycling.formats.spectra import eis_table, numbers_below, sign_flags
from interlith.errors import CorruptFile
from interlith.text_file import read_text

TECHNIQUE = re.compile(r"^A\.C\. Impedance", re.MULTILINE)
MODEL = re.compile(r"^Instrument Model:\s*(\S+)", re.MULTILINE)
TABLE = re.compile(r"^Freq/Hz\s*,\s*Z'/ohm\s*,\s*Z\"/ohm", re.MULTILINE)
N_FIELDS = 3


def recognize(head: Head) -> bool:
    """The second line names the technique, a later one the instrument, in the words of CH Instruments."""
    beginning = head.text[:5000].replace("\r", "")
    return bool(TECHNIQUE.search(beginning)) and bool(MODEL.search(beginning))


def read(path: Path, options: ReadOptions) -> Raw:
    """The spectrum; Z" is the imaginary part itself, negative when capacitive."""
    text = read_text(path)
    table = TABLE.search(text)
    if table is None:
        raise CorruptFile(f"{path.name}: no table with Freq/Hz, Z'/ohm and Z\"/ohm; cut off, or another representation")
    try:
        rows, flags = numbers_below(text, text.count("\n", 0, table.start()) + 1, ",", N_FIELDS)
    except CorruptFile as problem:
        raise CorruptFile(f"{path.name}: {problem}") from problem
    model = MODEL.search(text)
    return Raw(
        table=eis_table(rows[:, 0], rows[:, 1], rows[:, 2]),
        instrument=f"CH Instruments {model[1]}" if model else "CH Instruments",
        flags=(*flags, *sign_flags(rows[:, 2], 'Z"')),
        notes=('Z" read as the imaginary part itself',),
    )


FORMAT = Format(
    name="chi-eis",
    title="CH Instruments impedance text",
    suffixes=(".txt",),
    recognize=recognize,
    read=read,
)
