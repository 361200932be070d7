"""Battery Data Format: .bdf.csv, .bdf.parquet, with machine names ("voltage_volt") or labels ("Voltage / V").

A label in another unit is scaled: one public file gives "Test Time / h". Only the columns of a record are read from
Parquet; columns that are already right are handed on without a copy.
"""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl

from interlith.cycling.formats.format import Format, Head, Raw, ReadOptions
from interlith.cycling.formats.headers import Layout, find_header, meaning, plain, record_columns
from interlith.cycling.formats.tables import COUNTERS, SERIES, never_reset, record_table, text_table
from interlith.cycling.formats.text import epoch_seconds, numbers
from interlith.errors import CorruptFile, InputError
from interlith.record import BY_NAME, META, TIME, Flag
from interlith.text_file import read_text

PARQUET = b"PAR1"
MANY_ROWS = 1_000_000  # beyond, a row takes at least a byte, or the file was made to fill the memory
LABEL_NAMES = {plain(label.rsplit("/", 1)[0]) for label in (c.label for c in BY_NAME.values())}


def is_bdf_name(header: str) -> bool:
    """True for a machine name or a label, also a label in another unit.

    >>> is_bdf_name("voltage_volt"), is_bdf_name("Test Time / h"), is_bdf_name("Current(A)")
    (True, True, False)
    """
    header = header.strip().strip('"')
    if header in BY_NAME:
        return True
    name, slash, _ = header.rpartition(" / ")
    return bool(slash) and plain(name) in LABEL_NAMES and meaning(header) is not None


def recognize(head: Head) -> bool:
    """At least two of time, voltage and current under BDF's names, in the first line or in the Parquet schema."""
    if head.data.startswith(PARQUET):
        found = record_columns(_schema(head.path))
        return all(c in found and (m := meaning(found[c][0])) is not None and m.unit_written for c in SERIES)
    layout = _layout(head.lines)
    if layout is None:
        return False
    found = record_columns(layout.names)
    return sum(c in found and is_bdf_name(found[c][0]) for c in SERIES) >= 2


def _layout(lines: list[str]) -> Layout | None:
    return find_header(lines, SERIES, at_least=2, within=1)


def _schema(path: Path) -> dict[str, pl.DataType]:
    try:
        return dict(pl.read_parquet_schema(path))
    except (pl.exceptions.PolarsError, OSError, ValueError):
        return {}


def read(path: Path, options: ReadOptions) -> Raw:
    """All rows; counters that restart are joined up, others are left as they are."""
    with path.open("rb") as stream:
        if stream.read(len(PARQUET)) == PARQUET:
            return _read_parquet(path, options)
    text = read_text(path)
    layout = _layout(text[:100_000].split("\n", 1)[:1])
    if layout is None:
        raise InputError(f"{path.name}: its first line does not name time, voltage and current")
    found = text_table(path, layout, options, text=text)
    made = record_table(found.table, path, options)
    return Raw(made.table, None, (*found.flags, *made.flags))


def _read_parquet(path: Path, options: ReadOptions) -> Raw:
    schema = _schema(path)
    found = record_columns(schema, options.columns)
    try:
        _check_rows(path)
        table = pl.DataFrame([_column(path, name, *found[name], schema[found[name][0]]) for name in found])
        ours = pl.read_parquet_metadata(path).get(META)
    except (pl.exceptions.PolarsError, OSError) as problem:
        raise CorruptFile(f"{path.name}: a damaged .parquet ({str(problem).splitlines()[0][:200]})") from problem
    if ours is not None:
        return _remembered(table, path, ours)
    columns = [name for pair in COUNTERS for name in pair[1:] if name in table.columns]
    table = table.with_columns([pl.Series(name, never_reset(table[name])) for name in columns])
    return Raw(table if "step_count" in table.columns else _with_steps(table, path, options))


def _remembered(table: pl.DataFrame, path: Path, meta: str) -> Raw:
    """A record that interlith wrote: where it came from, its flags and its stated area and mass come back with it."""
    try:
        known = json.loads(meta)
        origin, facts = known["provenance"], known["facts"]
        return Raw(
            table,
            origin["instrument"],
            flags=tuple(Flag(**flag) for flag in known["flags"]),
            notes=(
                f"written by {origin['reader']} from {origin['path']} {origin['sha256'][:12]}".rstrip(),
                *origin["notes"],
            ),
            area_cm2=facts["area_cm2"]["value"],
            active_mass_mg=facts["active_mass_mg"]["value"],
        )
    except (KeyError, TypeError, ValueError) as problem:
        raise CorruptFile(f"{path.name}: the notes of interlith in it are damaged") from problem


def _check_rows(path: Path) -> None:
    n_rows = int(pl.scan_parquet(path).select(pl.len()).collect().item())
    if n_rows > max(MANY_ROWS, path.stat().st_size):
        raise CorruptFile(f"{path.name}: {n_rows} rows in {path.stat().st_size} bytes; no measurement packs so small")


def _column(path: Path, name: str, header: str, factor: float, dtype: pl.DataType) -> pl.Series:
    """One column in one piece: read singly, so that no more than one is held twice."""
    wanted = _expression(name, header, factor, dtype)
    return pl.scan_parquet(path).select(wanted).collect().to_series().rechunk()


def _with_steps(table: pl.DataFrame, path: Path, options: ReadOptions) -> pl.DataFrame:
    return record_table(table, path, ReadOptions(current_mA=options.current_mA)).table


def _expression(name: str, header: str, factor: float, dtype: pl.DataType) -> pl.Expr:
    """The header's column as the record's, untouched where type and unit are already right."""
    value = pl.col(header)
    wanted = BY_NAME[name].dtype
    if dtype == pl.String and wanted != pl.String:
        value = value.map_batches(numbers, return_dtype=pl.Float64)
    elif dtype.is_temporal() and name != TIME:
        value = value.map_batches(epoch_seconds, return_dtype=pl.Float64)
    if factor != 1.0:
        value = value.cast(pl.Float64) * factor
    return value.cast(wanted, strict=False).alias(name)


FORMAT = Format(
    name="bdf",
    title="Battery Data Format .bdf.csv, .bdf.parquet",
    suffixes=(".parquet",),
    recognize=recognize,
    read=read,
)
