"""Impedance spectra of Gamry, .DTA. The open-circuit curve that may come before is left out, and said so."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from interlith.cycling.formats.format import Format, Head, Raw, ReadOptions
from interlith.cycling.formats.spectra import declared, eis_table, numbers_below, sign_flags
from interlith.errors import CorruptFile
from interlith.record import SPECTRUM, Flag
from interlith.text_file import read_text

BEGINNING = "EXPLAIN"
SPECTRUM_TABLE = re.compile(r"^ZCURVE\d*\tTABLE(?:\t(\d+))?.*$", re.MULTILINE)
OPEN_CIRCUIT = re.compile(r"^OCVCURVE\tTABLE", re.MULTILINE)
AREA = re.compile(r"^AREA\tI?QUANT\t(\S+)\t", re.MULTILINE)
INSTRUMENT = re.compile(r"^PSTAT\tPSTAT\t(\S+)", re.MULTILINE)
UNITS = {"Time": "s", "Freq": "Hz", "Zreal": "ohm", "Zimag": "ohm", "Idc": "A", "Vdc": "V"}
DEFAULT_AREA_CM2 = 1.0


def recognize(head: Head) -> bool:
    """A Gamry file begins with EXPLAIN and a TAG line; one with a spectrum says ZCURVE or an impedance TAG."""
    is_gamry = head.text.startswith(BEGINNING) and "\nTAG\t" in head.text[:200].replace("\r", "")
    return is_gamry and ("ZCURVE" in head.text or bool(re.search(r"^TAG\t\w*EIS", head.text, re.MULTILINE)))


def read(path: Path, options: ReadOptions) -> Raw:
    """All spectra of a .DTA file; Zimag is the imaginary part itself, negative when capacitive."""
    text = read_text(path)
    curves = list(SPECTRUM_TABLE.finditer(text))
    if not curves:
        raise CorruptFile(
            f"{path.name}: a Gamry impedance file without its table (ZCURVE); cut off before the spectrum?"
        )
    found = [_curve(text, curve, path.name) for curve in curves]
    spectra = pl.concat([table for table, _ in found])
    # each curve is a spectrum of its own, even where it goes on in the direction of the last
    number = np.repeat(np.arange(len(found)), [table.height for table, _ in found])
    spectra = spectra.with_columns(pl.Series(SPECTRUM, number))
    notes = ["Zimag read as the imaginary part itself"]
    if OPEN_CIRCUIT.search(text):
        notes.append(
            "the open-circuit curve before the spectrum (OCVCURVE, with a clock of its own) is not in the record"
        )
    model = INSTRUMENT.search(text)
    return Raw(
        table=spectra,
        instrument=f"Gamry {model[1]}" if model else "Gamry",
        flags=(
            *(flag for _, flags in found for flag in flags),
            *sign_flags(spectra["imaginary_impedance_ohm"].to_numpy(), "Zimag"),
        ),
        notes=tuple(notes),
        area_cm2=_area_cm2(text),
    )


def _curve(text: str, curve: re.Match[str], name: str) -> tuple[pl.DataFrame, tuple[Flag, ...]]:
    body = text[curve.end() + 1 :]
    lines = body.split("\n")
    names = [field.strip() for field in lines[0].split("\t")]
    units = [field.strip() for field in lines[1].split("\t")] if len(lines) > 1 else []
    for column, wanted in UNITS.items():
        place = names.index(column) if column in names else -1
        if place < 0 or place >= len(units) or units[place] != wanted:
            raise CorruptFile(f"{name}: the table ZCURVE lacks {column} in {wanted}; damaged or a newer layout")
    n_rows = next((n for n, line in enumerate(lines[2:]) if not line.startswith("\t")), len(lines) - 2)
    end = "" if n_rows == len(lines) - 2 else "\n"
    rows, flags = _numbers("\n".join(lines[2 : 2 + n_rows]) + end, len(names), name)
    by_name = {column: rows[:, names.index(column) - 1] for column in UNITS}
    table = eis_table(*(by_name[c] for c in ("Freq", "Zreal", "Zimag", "Time", "Vdc", "Idc")))
    return table, (*flags, *declared(int(curve[1]) if curve[1] else None, len(rows)))


def _numbers(body: str, n_fields: int, name: str) -> tuple[NDArray[np.float64], tuple[Flag, ...]]:
    unindented = "\n".join(line.removeprefix("\t") for line in body.split("\n"))
    try:
        return numbers_below(unindented, 0, "\t", n_fields - 1)
    except CorruptFile as problem:
        raise CorruptFile(f"{name}: in the table ZCURVE: {problem}") from problem


def _area_cm2(text: str) -> float | None:
    found = AREA.search(text)
    try:
        area = float(found[1].replace(",", ".")) if found else DEFAULT_AREA_CM2
    except ValueError:
        return None
    return None if area == DEFAULT_AREA_CM2 or area <= 0 else area


FORMAT = Format(
    name="gamry-eis",
    title="Gamry impedance .DTA",
    suffixes=(".dta",),
    recognize=recognize,
    read=read,
)
