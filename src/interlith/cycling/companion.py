"""Impedance spectra that lie beside a test: EC-Lab writes each technique of one experiment into a file of its own."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

import polars as pl

from interlith.cycling.reading import read
from interlith.errors import InputError, InterlithError
from interlith.record import TIME, Flag, Record
from interlith.units import SECONDS_PER_HOUR

SUFFIXES = (".mpr", ".mpt")
LEAST_SHARED_LETTERS = 3
MOST_FILES = 20


def spectra_beside(path: Path, record: Record, *, use_cache: bool = True) -> tuple[pl.DataFrame | None, list[Flag]]:
    """Spectra of the EC-Lab file of the same experiment in the same folder, whose times overlap; None where none is.

    Same experiment: the names begin with the same word. The clock is taken to be the same, and a flag says so.
    """
    if not record.provenance.format.startswith("biologic") or record.spectra().height or record.series().height == 0:
        return None, []
    word = re.split(r"[_\-. ]", path.stem)[0]
    if len(word) < LEAST_SHARED_LETTERS:
        return None, []
    beside = [
        p
        for p in sorted(path.parent.glob("*"))
        if p.suffix.lower() in SUFFIXES and p != path and p.stem.startswith(word)
    ]
    for candidate in beside[:MOST_FILES]:
        with contextlib.suppress(InterlithError):
            points = read(candidate, use_cache=use_cache).spectra()
            if points.height and _overlap(points, record):
                return points, [_flag(candidate, points, "beside this file, its name begins alike")]
    return None, []


def spectra_from(path: Path, *, use_cache: bool = True) -> tuple[pl.DataFrame, list[Flag]]:
    """Spectra of a file that was named. Raises InputError when it has none."""
    points = read(path, use_cache=use_cache).spectra()
    if points.height == 0:
        raise InputError(f"--spectra {path.name}: no impedance spectrum in it")
    return points, [_flag(path, points, "named with --spectra")]


def _overlap(points: pl.DataFrame, record: Record) -> bool:
    time, inside = points[TIME].drop_nulls(), record.series()[TIME]
    if time.len() == 0 or inside.len() == 0:
        return False
    low, high = float(inside.min()) - SECONDS_PER_HOUR, float(inside.max()) + SECONDS_PER_HOUR  # type: ignore[arg-type]
    return bool(time.is_between(low, high).mean() > 0.5)  # type: ignore[operator]


def _flag(path: Path, points: pl.DataFrame, why: str) -> Flag:
    message = (
        f"{points['spectrum'].n_unique()} spectra taken from {path.name} ({why}); the clocks are taken to be the same"
    )
    return Flag("spectra_from_beside", message, points.height)
