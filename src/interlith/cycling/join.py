"""Several files of one test made one record: counters that restart are continued, nothing is counted between files."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from interlith.errors import InputError
from interlith.record import SPECTRUM, TIME, Flag, Record

CONTINUED = (
    "cycle_count",
    "step_count",
    "record_index",
    "charging_capacity_ah",
    "discharging_capacity_ah",
    "charging_energy_wh",
    "discharging_energy_wh",
    SPECTRUM,
)
UNIX = "unix_time_second"


def join(records: list[Record]) -> Record:
    """One record of the parts of one test, in the order of their clocks, or as given where a file has no clock.

    The pause between two files is known only from their clocks; without them it has no length. Raises InputError for
    no files, files of different instruments, or files that overlap in time.
    """
    if not records:
        raise InputError("nothing to join")
    formats = sorted({record.provenance.format for record in records})
    if len(formats) > 1:
        raise InputError(f"--join: files of different formats ({', '.join(formats)}) are not parts of one test")
    clocked = all(_has_clock(record) for record in records)
    ordered = sorted(records, key=lambda r: float(r.table[UNIX][0])) if clocked else records
    joined, flags = ordered[0].table, list(ordered[0].flags)
    for record in ordered[1:]:
        row = joined.height
        joined = pl.concat([joined, _continued(joined, record, clocked)], how="diagonal")
        pause = "by their clocks" if clocked else "of unknown length, counted as none"
        flags.append(
            Flag("joined", f"{record.provenance.path} joined after data row {row}; pause {pause}", record.n_rows, row)
        )
        flags += [replace(f, first_row=f.first_row + row) if f.first_row is not None else f for f in record.flags]
    names = " + ".join(record.provenance.path for record in ordered)
    provenance = replace(ordered[0].provenance, path=names, sha256=" + ".join(r.provenance.sha256 for r in ordered))
    return Record(table=joined, provenance=provenance, flags=tuple(flags), facts=ordered[0].facts)


def _has_clock(record: Record) -> bool:
    return UNIX in record.table.columns and record.table[UNIX][0] is not None and record.table[UNIX][-1] is not None


def _continued(before: pl.DataFrame, record: Record, clocked: bool) -> pl.DataFrame:
    table = record.table
    begin, last = float(table[TIME][0] or 0.0), float(before[TIME].max() or 0.0)  # type: ignore[arg-type]
    shift = last - begin
    if clocked:
        pause = float(table[UNIX][0]) - float(before[UNIX][-1])
        if pause < 0:
            raise InputError(f"--join: {record.provenance.path} begins {-pause:.0f} s before the file before it ends")
        shift += pause
    shifted = [(pl.col(TIME) + shift).alias(TIME)]
    for name in CONTINUED:
        if name in table.columns and name in before.columns:
            offset = before[name].max() or 0
            first = 1 if name == SPECTRUM else 0
            shifted.append((pl.col(name) + offset + first).alias(name))
    return table.with_columns(shifted)
