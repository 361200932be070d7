"""Impedance spectra of PowerSuite (Princeton Applied Research), as text."""

from __future__ import annotations

import re
from pathlib import Path

from interlith.cycling.formats.format import Format, Head, Raw, ReadOptions
from interlith.cycling.formats.spectra import eis_table, numbers_below, sign_flags
from interlith.errors import CorruptFile
from interlith.text_file import read_text

# "Zimg" is PowerSuite's own word
TABLE = re.compile(r"\s*Frequency\s*\t\s*Zre\s*\t\s*Zimg\s*")
N_FIELDS = 3


def recognize(head: Head) -> bool:
    """The first line is Frequency, Zre, Zimg."""
    return bool(head.lines) and bool(TABLE.fullmatch(head.lines[0]))


def read(path: Path, options: ReadOptions) -> Raw:
    """The spectrum; Zimg is the imaginary part itself, negative when capacitive."""
    try:
        rows, flags = numbers_below(read_text(path), 1, "\t", N_FIELDS)
    except CorruptFile as problem:
        raise CorruptFile(f"{path.name}: {problem}") from problem
    return Raw(
        table=eis_table(rows[:, 0], rows[:, 1], rows[:, 2]),
        instrument="PowerSuite",
        flags=(*flags, *sign_flags(rows[:, 2], "Zimg")),
        notes=("Zimg read as the imaginary part itself; Hz and ohm taken, the export names no units",),
    )


FORMAT = Format(
    name="powersuite-eis",
    title="PowerSuite impedance text",
    suffixes=(".txt",),
    recognize=recognize,
    read=read,
)
