"""What all readers of impedance spectra share: numbering, the table, numbers in text, doubts about the sign."""

from __future__ import annotations

import csv
from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from interlith.errors import CorruptFile
from interlith.record import CURRENT, FREQUENCY, IMAGINARY, REAL, SPECTRUM, TIME, VOLTAGE, Flag

Array = NDArray[np.float64]
# two frequencies nearer than this are the same one, measured twice
SAME_FREQUENCY = 0.01
MAJORITY = 0.5


def spectrum_numbers(frequency: Array) -> Array:
    """Number of the spectrum of each row, from 0; NaN where there is no frequency.

    A spectrum ends where rows without frequency follow, or where the frequency jumps back against its sweep.

    >>> spectrum_numbers(np.array([100.0, 10.0, 1.0, 100.0, 10.0])).tolist()
    [0.0, 0.0, 0.0, 1.0, 1.0]
    """
    numbers = np.full(len(frequency), np.nan)
    places = np.flatnonzero(np.nan_to_num(frequency) > 0)
    if len(places) == 0:
        return numbers
    step = np.diff(np.log(frequency[places]))
    sweep = np.sign(np.sum(np.sign(step))) or -1.0
    begins = (step * sweep < -np.log1p(SAME_FREQUENCY)) | (np.diff(places) > 1)
    numbers[places] = np.concatenate([[0], np.cumsum(begins)])
    return numbers


def eis_table(
    frequency: Array,
    real: Array,
    imaginary: Array,
    time: Array | None = None,
    voltage: Array | None = None,
    current: Array | None = None,
) -> pl.DataFrame:
    """The record columns of impedance points; time, voltage and current stay empty where the export lacks them."""
    empty = np.full(len(frequency), np.nan)
    columns = {
        TIME: empty if time is None else time,
        VOLTAGE: empty if voltage is None else voltage,
        CURRENT: empty if current is None else current,
        FREQUENCY: frequency,
        REAL: real,
        IMAGINARY: imaginary,
        SPECTRUM: spectrum_numbers(frequency),
    }
    return pl.DataFrame(columns, nan_to_null=True)


def sign_flags(imaginary: Array, said: str) -> tuple[Flag, ...]:
    """A flag when most imaginary parts are positive, which no battery or capacitor shows; the values are kept."""
    positive = np.flatnonzero(imaginary > 0)
    if len(positive) <= MAJORITY * len(imaginary):
        return ()
    message = (
        f"{len(positive)} of {len(imaginary)} imaginary parts are positive (inductive); kept as the file has them "
        f"({said}). Was -Im Z exported?"
    )
    return (Flag("impedance_sign", message, len(positive), int(positive[0])),)


def declared(n_declared: int | None, n_rows: int) -> tuple[Flag, ...]:
    """A flag when the file says that it holds more rows than are there."""
    if n_declared is None or n_rows >= n_declared:
        return ()
    message = f"{n_rows} of {n_declared} rows that the header announces; the file is cut off"
    return (Flag("truncated", message, n_declared - n_rows, n_rows),)


def numbers_below(
    text: str, first: int, delimiter: str | None, n_fields: int, places: Sequence[int] | None = None
) -> tuple[Array, tuple[Flag, ...]]:
    """The first `n_fields` numbers of every line from line `first` (from 0) on, and a flag if the last line is torn.

    Array of shape (rows, n_fields); places: only those, others may be words. Blank lines are left out.
    Raises CorruptFile for a line in the middle that is no row of numbers, and when there is no row.
    """
    lines = [(place, line) for place, line in enumerate(text.split("\n")) if place >= first and line.strip()]
    rows: list[list[float]] = []
    flags: tuple[Flag, ...] = ()
    for place, line in lines:
        try:
            fields = _fields(line, delimiter, n_fields)
            wanted = fields if places is None else [fields[k] for k in places]
            rows.append([float(field.replace(",", ".")) for field in wanted])
        except ValueError:
            if place != lines[-1][0] or text.endswith("\n"):
                raise CorruptFile(f"line {place + 1}: not a row of numbers: {line.strip()[:60]!r}") from None
            flags = (Flag("truncated", f"line {place + 1}: the last line is cut off; dropped", 1, first_row=len(rows)),)
    if not rows:
        raise CorruptFile(f"no row of data below line {first}")
    return np.array(rows, dtype=float), flags


def _fields(line: str, delimiter: str | None, n_fields: int) -> list[str]:
    parts = next(csv.reader([line], delimiter=delimiter)) if delimiter and '"' in line else line.split(delimiter)
    fields = [field.strip().strip('"') for field in parts]
    if len(fields) < n_fields:
        raise ValueError("too few fields")
    return fields[:n_fields]
