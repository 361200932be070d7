"""Impedance spectra in the text form of ZView ("Z60W Data File"), as Autolab and others write it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from interlith.cycling.formats.format import Format, Head, Raw, ReadOptions
from interlith.cycling.formats.spectra import declared, eis_table, numbers_below, sign_flags
from interlith.errors import CorruptFile
from interlith.text_file import read_text

BEGINNING = "Z60W Data File"
NAMES = ("Freq", "Z'", "Z''")
# frequency, amplitude, bias, time, Z', Z''
N_FIELDS, FREQUENCY, BIAS, TIME, REAL, IMAGINARY = 6, 0, 2, 3, 4, 5


def recognize(head: Head) -> bool:
    """The first line names the format, quoted or not."""
    return head.text.lstrip('"\ufeff ').startswith(BEGINNING)


def read(path: Path, options: ReadOptions) -> Raw:
    """The spectrum; Z'' is the imaginary part itself, negative when capacitive."""
    text = read_text(path)
    lines = text.split("\n")
    start = next((place for place, line in enumerate(lines) if all(name in line for name in NAMES)), None)
    if start is None:
        raise CorruptFile(f"{path.name}: no line of column names (Freq, Z', Z''); cut off before the table?")
    try:
        rows, flags = numbers_below(text, start + 1, ",", N_FIELDS)
    except CorruptFile as problem:
        raise CorruptFile(f"{path.name}: {problem}") from problem
    said = lines[start - 1].strip().strip('"')
    imaginary = rows[:, IMAGINARY]
    return Raw(
        table=eis_table(
            rows[:, FREQUENCY], rows[:, REAL], imaginary, time=_given(rows[:, TIME]), voltage=_given(rows[:, BIAS])
        ),
        instrument="ZView",
        flags=(
            *flags,
            *(declared(int(said), len(rows)) if said.isdigit() and not flags else ()),
            *sign_flags(imaginary, "Z''"),
        ),
        notes=("Z'' read as the imaginary part itself",),
    )


def _given(column: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """The column, or None where it is nothing but zeros: not recorded."""
    return column if np.any(column != 0) else None


FORMAT = Format(
    name="zview-eis",
    title="Autolab, ZView impedance text (Z60W)",
    suffixes=(".z", ".txt"),
    recognize=recognize,
    read=read,
)
