"""BioLogic EC-Lab text exports: .mpt with a header, or a bare table (.txt).

Locale and choice of columns are the user's: decimal commas, Latin-1, impedance points among the time series, or time
and voltage alone. In the last case the current is what was stated or set, and is flagged as not measured.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from interlith.cycling.formats.biologic_settings import (
    Technique,
    constant_current_A,
    durations_s,
    read_settings,
)
from interlith.cycling.formats.ec_lab import Columns, current, electrode_notes, record_table, values
from interlith.cycling.formats.format import Format, Head, Raw, ReadOptions
from interlith.cycling.formats.headers import record_columns
from interlith.cycling.formats.spectra import declared
from interlith.cycling.formats.text import TextTable, delimiter_of, epoch_seconds, number, parse_table
from interlith.errors import CorruptFile, InputError
from interlith.record import CURRENT, TIME, VOLTAGE, Flag
from interlith.text_file import read_text
from interlith.units import MILLI

Array = NDArray[np.float64]
BEGINNINGS = ("EC-Lab ASCII FILE", "BT-Lab ASCII FILE")
N_HEADER_LINES = re.compile(r"^Nb header lines\s*:\s*(\d+)", re.MULTILINE)
LOOP_END = re.compile(r"^Loop \d+ from point number \d+ to (\d+)", re.MULTILINE)
DEVICE = re.compile(r"^Device\s*:\s*(\S.*)$", re.MULTILINE)
STATED = re.compile(r"^(?:Electrode surface area|Characteristic mass|Mass of active material)\s*:.*$", re.MULTILINE)
LOOP_FILE, LOOP_BEGINNING = "_LOOP", "VMP EXPERIMENT LOOP INDEXES"
# names that no other instrument writes; "time/s" or "freq/Hz" must be there as well
OWN_NAMES = {"ox/red", "Ewe/V", "Ecell/V", "<Ewe>/V", "Re(Z)/Ohm", "-Im(Z)/Ohm", "(Q-Qo)/mA.h", "<I>/mA"}
OWN_AXES = {"time/s", "freq/Hz"}
BASE_HEADERS = {TIME: "time/s", VOLTAGE: "Ewe/V", CURRENT: "I/A"}
# the two clocks of an instrument drift by some 1e-5; a jump is this many times the usual interval
CLOCK_DRIFT, JUMP, USUAL_QUANTILE = 1e-4, 5.0, 0.99


def recognize(head: Head) -> bool:
    """EC-Lab's first line, or a first row of column names as only EC-Lab writes them."""
    if head.text.lstrip().startswith(BEGINNINGS):
        return True
    first = next((line for line in head.lines if line.strip()), "")
    return _is_header(first)


def read(path: Path, options: ReadOptions) -> Raw:
    """All rows of an EC-Lab text export."""
    text = read_text(path)
    start = header_line(text, path.name)
    above = text[: _offset(text, start)]
    try:
        parsed = parse_table(text, start, delimiter=delimiter_of(text.split("\n", start + 50)[start : start + 50]))
    except CorruptFile as problem:
        raise CorruptFile(f"{path.name}: {problem}") from problem
    columns = _columns(parsed, options)
    flags = (*parsed.flags, *(declared(_n_points(above), parsed.table.height) if not parsed.flags else ()))
    notes = tuple(" ".join(line.split()) + " (not used as a fact)" for line in STATED.findall(above))
    blocks = None
    if _lacks_current(columns):
        columns, blocks, assumed = _with_stated_current(columns, path, options)
        flags = (*flags, *assumed)
    try:
        table, derived = record_table(columns)
    except InputError as problem:
        raise InputError(f"{path.name}: {problem}") from problem
    device = DEVICE.search(above)
    return Raw(
        table=table if blocks is None else table.with_columns(pl.Series("step_count", blocks)),
        instrument=f"BioLogic {device[1].strip()}" if device else "BioLogic",
        flags=(*flags, *derived),
        notes=(*notes, *electrode_notes(columns)),
    )


def header_line(text: str, name: str) -> int:
    """Place of the line of column names, from 0. Raises CorruptFile when the file ends before it."""
    said = N_HEADER_LINES.search(text[:2000])
    if not said:
        return next(place for place, line in enumerate(text.split("\n")) if line.strip())
    place = int(said[1]) - 1
    lines = text.split("\n", place + 1)
    if place < 1 or len(lines) <= place or not lines[place].strip():
        raise CorruptFile(f"{name}: {place + 1} header lines announced, but the file ends before its table")
    return place


def _is_header(line: str) -> bool:
    names = {name.strip() for name in line.split(delimiter_of([line]))}
    return bool(names & OWN_NAMES) and bool(names & OWN_AXES)


def _offset(text: str, line: int) -> int:
    return sum(len(above) + 1 for above in text.split("\n", line)[:line])


def _n_points(above: str) -> int | None:
    ends = [int(end) for end in LOOP_END.findall(above)]
    return max(ends) + 1 if ends else None


def _columns(parsed: TextTable, options: ReadOptions) -> dict[str, Array]:
    table = parsed.table
    numbers = table.select(number(name) for name in table.columns if not name.startswith("column "))
    columns = {name: numbers[name].to_numpy().astype(float) for name in numbers.columns}
    if "time/s" in columns and numbers["time/s"].null_count() == table.height:
        columns["uts"] = epoch_seconds(table["time/s"]).to_numpy().astype(float)
        columns["time/s"] = columns["uts"] - columns["uts"][0]
    if not options.columns:
        return columns
    known = record_columns(table.columns, options.columns)
    chosen = {column: known[column] for column in options.columns if column in BASE_HEADERS}
    wanted = {BASE_HEADERS[column]: columns[header] * factor for column, (header, factor) in chosen.items()}
    return {**wanted, **{name: column for name, column in columns.items() if name not in wanted}}


def _lacks_current(columns: Columns) -> bool:
    n_rows = len(next(iter(columns.values())))
    if values(columns, ("freq",), "frequency") is not None:
        return False
    return values(columns, ("time",), "time") is not None and current(columns, np.ones(n_rows, dtype=bool))[0] is None


def _with_stated_current(
    columns: Columns, path: Path, options: ReadOptions
) -> tuple[dict[str, Array], NDArray[np.int64], tuple[Flag, ...]]:
    """The columns with a constant current, the number of the block of each row, and the flag that says so."""
    time = values(columns, ("time",), "time")
    assert time is not None
    settings = _settings_file(path, options)
    listed = read_settings(settings) if settings else []
    starts, how = block_starts(time, path, listed)
    blocks = f"assumed within {len(starts)} block{'s'[: len(starts) != 1]} ({how})"
    if options.current_mA is not None:
        ampere = options.current_mA * MILLI
        code, source = "current_stated", "as stated with --current-mA"
    elif settings:
        ampere = constant_current_A(listed, settings.name)
        code, source = "current_from_settings", f"the only one in {settings.name}"
    else:
        raise InputError(
            f"{path.name}: time and voltage only, no current. Say the constant current with --current-mA, or give the "
            "EC-Lab settings file (.mps) with --settings"
        )
    message = f"no current in the file, so none was MEASURED: {ampere / MILLI:g} mA, {source}, {blocks}"
    number_of_block = np.zeros(len(time), dtype=np.int64)
    number_of_block[starts] = 1
    current_A = np.full(len(time), ampere)
    flag = Flag(code, message, len(time), 0)
    return {**columns, "I/A": current_A}, np.cumsum(number_of_block), (flag,)


def _settings_file(path: Path, options: ReadOptions) -> Path | None:
    if options.settings is not None:
        return options.settings
    beside = sorted(path.parent.glob("*.mps"))
    return beside[0] if len(beside) == 1 else None


def block_starts(time_s: Array, path: Path, listed: list[Technique]) -> tuple[list[int], str]:
    """First row of each block of constant current, and how it was found.

    By EC-Lab's loop index beside the file, else by the duration in the settings, else by jumps in time. The pause
    between two blocks can be shorter than the sampling interval, so jumps alone may miss it.
    """
    if starts := _by_loop_file(path, len(time_s)):
        return starts
    for duration_s in durations_s(listed):
        by_duration = _by_duration(time_s, duration_s)
        if by_duration:
            return by_duration, f"each {duration_s:g} s long, as set"
    interval = np.diff(time_s)
    usual = float(np.quantile(interval, USUAL_QUANTILE)) if len(interval) else 0.0
    jumps = np.flatnonzero(interval > JUMP * usual) + 1
    return [0, *jumps.tolist()], "by jumps in time"


def _by_loop_file(path: Path, n_rows: int) -> tuple[list[int], str] | None:
    for beside in sorted(path.parent.glob(f"*{LOOP_FILE}.txt")):
        if not path.stem.startswith(beside.stem.removesuffix(LOOP_FILE)):
            continue
        title, *lines = read_text(beside).split("\n")
        if title.strip() != LOOP_BEGINNING or not all(line.strip().isdigit() for line in lines if line.strip()):
            continue
        starts = [int(line) for line in lines if line.strip()]
        if starts and starts[0] == 0 and starts == sorted(set(starts)) and starts[-1] < n_rows:
            return starts, beside.name
    return None


def _by_duration(time_s: Array, duration_s: float) -> list[int]:
    """Starts of blocks that all, but for the last, end with a row at exactly this duration; [] where one does not."""
    starts, start, error_s = [], 0, CLOCK_DRIFT * duration_s
    while start < len(time_s):
        starts.append(start)
        end = int(np.searchsorted(time_s, time_s[start] + duration_s + error_s))
        if end < len(time_s) and time_s[end - 1] < time_s[start] + duration_s - error_s:
            return []
        start = end
    return starts


FORMAT = Format(
    name="biologic-text",
    title="BioLogic EC-Lab .mpt, .txt",
    suffixes=(".mpt", ".txt"),
    recognize=recognize,
    read=read,
)
