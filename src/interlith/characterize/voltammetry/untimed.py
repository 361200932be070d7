"""Voltammograms in text tables of potential and current that hold no time: the scan rate makes it."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import polars as pl

from interlith.characterize.exported_text import TextTable, head_of, table_of, text_of
from interlith.errors import InputError
from interlith.record import CURRENT, TIME, VOLTAGE, Provenance, Record
from interlith.units import mV_PER_V, unit

POTENTIAL = re.compile(r"^\W*(we\W*)?(potential|voltage|e\b|ewe|e\s?we|vf\b|u\b|v\b)", re.IGNORECASE)
FLOW = re.compile(r"^\W*(we\W*)?(current|<?i>?\b|im\b|i\s?we)", re.IGNORECASE)
CLOCK = re.compile(r"\btime\b|^\W*t\b|\bzeit\b", re.IGNORECASE)
UNIT = re.compile(r"[/(\[]\s*([a-zµμ]+)\s*[)\]]?\s*$", re.IGNORECASE)
PLAIN = {"voltage": "V", "current": "A"}
HELD = 1e-9  # of the range: a step of the potential below it takes no time
NEEDED = "potential and current without time: the scan rate is needed (scan_rate_mV_per_s, --scan-rate-mV-per-s)"


def is_untimed(path: Path) -> bool:
    """Whether a file is a text table that names a potential and a current, and no time; reads its beginning only.

    >>> is_untimed(Path("no-such-file.txt"))
    False
    """
    text = head_of(path)
    try:
        table = table_of(text[: text.rfind("\n") + 1] or text, path.name)
        return _places(table) is not None
    except InputError:
        return False


def read_untimed(path: Path, scan_rate_mV_per_s: float | None) -> Record:
    """The record of such a table: each point as late as the potential needs at this rate.

    Units are taken from the header (V and A where it has none). Raises InputError without a scan rate, and for one that
    is not above 0.
    """
    if scan_rate_mV_per_s is None:
        raise InputError(f"{path.name}: {NEEDED}")
    if not 0 < scan_rate_mV_per_s < math.inf:
        raise InputError(f"scan_rate_mV_per_s = {scan_rate_mV_per_s:g}: a rate above 0")
    table = table_of(text_of(path), path.name)
    places = _places(table)
    if places is None:
        found = ", ".join(repr(name) for name in table.names if name) or "no names at all"
        raise InputError(f"{path.name}: no potential and current without time; found {found}")
    potential, current = (
        table.columns[place] * _scale(table, place, kind) for place, kind in zip(places, PLAIN, strict=True)
    )
    known = np.isfinite(potential) & np.isfinite(current)
    potential, current = potential[known], current[known]
    steps = np.abs(np.diff(potential, prepend=potential[:1])) * mV_PER_V / scan_rate_mV_per_s
    steps = np.maximum(steps, HELD * max(float(steps.sum()), 1.0))
    note = f"{path.name}: no time in the file; it is made of the scan rate, {scan_rate_mV_per_s:g} mV/s"
    columns = {TIME: np.cumsum(steps), VOLTAGE: potential, CURRENT: current}
    return Record(pl.DataFrame(columns), Provenance(str(path), "", "text", "untimed", notes=(note,)))


def _places(table: TextTable) -> tuple[int, int] | None:
    """Columns of potential and current; None where one is missing or a time is there."""
    if any(CLOCK.search(name) for name in table.names):
        return None
    potential = [place for place, name in enumerate(table.names) if POTENTIAL.search(name)]
    current = [place for place, name in enumerate(table.names) if FLOW.search(name)]
    return (potential[0], current[0]) if potential and current and potential[0] != current[0] else None


def _scale(table: TextTable, place: int, kind: str) -> float:
    written = (
        table.units[place].strip("[]() ") or ((found := UNIT.search(table.names[place])) and found[1]) or PLAIN[kind]
    )
    known = unit(written)
    if known is None or known[0] != kind:
        raise InputError(f"{table.names[place]!r}: {written!r} is no unit of a {kind}; for instance {PLAIN[kind]}")
    return known[1]
