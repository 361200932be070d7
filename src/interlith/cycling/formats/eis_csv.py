"""Impedance spectra as plain csv: frequency, real and imaginary part, with a line of names or without one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from interlith.cycling.formats.format import Format, Head, Raw, ReadOptions
from interlith.cycling.formats.headers import MINUS, meaning
from interlith.cycling.formats.spectra import eis_table, numbers_below, sign_flags
from interlith.cycling.formats.text import delimiter_of, read_text
from interlith.errors import CorruptFile, InputError
from interlith.record import CURRENT, FREQUENCY, IMAGINARY, REAL, TIME, VOLTAGE

N_FIELDS, LEAST_POINTS, LEAST_DECADES = 3, 5, 2.0
# a sweep has about equal steps of log f; time has not
EVEN_STEP, EVEN_SHARE, LEAST_LOG_STEP = 2.5, 0.9, 0.01
EXTRA_NAMES = {"re(z)": REAL, "im(z)": IMAGINARY, "real": REAL, "imag": IMAGINARY, "imaginary": IMAGINARY}


@dataclass(frozen=True)
class Columns:
    """Place of each record column, and the factor to its base unit; -Im Z has a negative one."""

    places: dict[str, int]
    factors: dict[str, float]

    def __contains__(self, name: str) -> bool:
        return name in self.places


def named_columns(line: str, delimiter: str) -> Columns:
    """What a line of names says, "-Zim" and "-Im(Z)/Ohm" included.

    >>> named_columns("f/Hz,Re(Z)/Ohm,-Im(Z)/kOhm", ",").factors["imaginary_impedance_ohm"]
    -1000.0
    """
    places: dict[str, int] = {}
    factors: dict[str, float] = {}
    for place, field in enumerate(line.split(delimiter)):
        name = field.strip().strip('"').strip()
        column, factor = _meaning(name)
        if column and column not in places:
            places[column], factors[column] = place, factor
    return Columns(places, factors)


def recognize(head: Head) -> bool:
    """Names of a frequency and both parts of the impedance and no current, or three columns that are a sweep."""
    lines = [line for line in head.lines if line.strip()]
    if not lines:
        return False
    delimiter = delimiter_of(lines[:50])
    if not _is_numbers(lines[0], delimiter):
        found = named_columns(lines[0], delimiter)
        return all(name in found for name in (FREQUENCY, REAL, IMAGINARY)) and CURRENT not in found
    whole = lines[:-1] if not head.text.endswith(("\n", "\r")) and len(lines) > LEAST_POINTS else lines
    return _is_sweep(whole, delimiter)


def read(path: Path, options: ReadOptions) -> Raw:
    """The spectrum. Without a header the three columns are frequency in Hz and Re Z, Im Z in ohm, signs kept."""
    text = read_text(path)
    lines = text.split("\n")
    first = next(place for place, line in enumerate(lines) if line.strip())
    delimiter = delimiter_of([line for line in lines[first : first + 50] if line.strip()])
    has_names = not _is_numbers(lines[first], delimiter)
    columns = Columns(
        places={FREQUENCY: 0, REAL: 1, IMAGINARY: 2}, factors=dict.fromkeys((FREQUENCY, REAL, IMAGINARY), 1.0)
    )
    if has_names:
        columns = named_columns(lines[first], delimiter)
    if missing := [name for name in (FREQUENCY, REAL, IMAGINARY) if name not in columns]:
        raise InputError(f"{path.name}: no column of {', '.join(missing)}; found {lines[first].strip()[:80]!r}")
    try:
        rows, flags = numbers_below(text, first + has_names, delimiter, max(columns.places.values()) + 1)
    except CorruptFile as problem:
        raise CorruptFile(f"{path.name}: {problem}") from problem
    taken = {name: rows[:, place] * columns.factors[name] for name, place in columns.places.items()}
    said = _said(columns, lines[first], delimiter) if has_names else "no header"
    return Raw(
        table=eis_table(taken[FREQUENCY], taken[REAL], taken[IMAGINARY], taken.get(TIME), taken.get(VOLTAGE)),
        flags=(*flags, *sign_flags(taken[IMAGINARY], said)),
        notes=(f"imaginary part: {said}",) if has_names else ("no header: taken as f in Hz, Re Z and Im Z in ohm",),
    )


def _said(columns: Columns, header: str, delimiter: str) -> str:
    name = header.split(delimiter)[columns.places[IMAGINARY]].strip()
    return f"header {name!r}, sign {'turned' if columns.factors[IMAGINARY] < 0 else 'kept'}"


def _meaning(name: str) -> tuple[str | None, float]:
    if name.startswith(MINUS):
        column, factor = _meaning(name[1:].strip())
        return (column, -factor) if column == IMAGINARY else (None, 1.0)
    known = meaning(name)
    if known:
        return known.column, known.factor
    for separator in ("/", " ", "["):
        bare, _, written = name.partition(separator)
        column = EXTRA_NAMES.get(bare.strip().lower())
        scale = meaning(f"Zre/{written.strip(' []()')}") if written.strip() else None
        if column and (scale or not written.strip()):
            return column, scale.factor if scale else 1.0
    return None, 1.0


def _is_numbers(line: str, delimiter: str) -> bool:
    try:
        return bool([float(field.replace(",", ".")) for field in line.split(delimiter)])
    except ValueError:
        return False


def _is_sweep(lines: list[str], delimiter: str) -> bool:
    try:
        rows = np.array([[float(field.replace(",", ".")) for field in line.split(delimiter)] for line in lines])
    except ValueError:
        return False
    if rows.ndim != 2 or rows.shape[1] != N_FIELDS or len(rows) < LEAST_POINTS or np.any(rows[:, 0] <= 0):
        return False
    return _is_even(np.log10(rows[:, 0]))


def _is_even(decades: NDArray[np.float64]) -> bool:
    steps = np.diff(decades)
    if not (np.all(steps > 0) or np.all(steps < 0)) or abs(decades[-1] - decades[0]) <= LEAST_DECADES:
        return False
    size = np.abs(steps) / np.median(np.abs(steps))
    even = float(np.mean((size < EVEN_STEP) & (size > 1 / EVEN_STEP)))
    return even >= EVEN_SHARE and float(np.median(np.abs(steps))) >= LEAST_LOG_STEP


FORMAT = Format(
    name="eis-csv",
    title="Impedance csv (frequency, Re Z, Im Z)",
    suffixes=(".csv", ".txt"),
    recognize=recognize,
    read=read,
)
