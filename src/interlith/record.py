"""What a cell leaves behind: one time table, where it came from, what is odd about it, and the facts of the cell.

The columns are the machine names of the Battery Data Format (ontology 1.3.0) and, marked "ours", those that it lacks.
`COLUMNS` is the only list of them: the checks here and the page docs/look-up/record.md are made from it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import polars as pl

from interlith.errors import CorruptFile, InputError

Kind = Literal["stated", "measured", "assumed", "derived", "calibrated", "unknown"]


@dataclass(frozen=True)
class Column:
    """One column of a Record: machine name, label in text files, storage type, meaning."""

    name: str
    label: str
    dtype: Any
    meaning: str
    required: bool = False
    ours: bool = False


COLUMNS: tuple[Column, ...] = (
    Column(
        "test_time_second", "Test Time / s", pl.Float64, "time since the test began, never going back", required=True
    ),
    Column(
        "voltage_volt", "Voltage / V", pl.Float64, "working electrode or positive terminal against the counter", True
    ),
    Column("current_ampere", "Current / A", pl.Float64, "positive charges the test object", required=True),
    Column(
        "unix_time_second",
        "Unix Time / s",
        pl.Float64,
        "seconds since 1970-01-01 UTC, as the instrument's clock had it",
    ),
    Column("cycle_count", "Cycle Count / 1", pl.Int64, "the vendor's counter, kept as information only"),
    Column("step_count", "Step Count / 1", pl.Int64, "grows by one at each step executed"),
    Column("step_id", "Step ID", pl.Int64, "number of the step in the vendor's schedule"),
    Column("step_type", "Step Type", pl.String, "the vendor's word for the step"),
    Column("record_index", "Record Index / 1", pl.Int64, "the vendor's row number"),
    Column("charging_capacity_ah", "Charging Capacity / Ah", pl.Float64, "the vendor's charge counter, never reset"),
    Column(
        "discharging_capacity_ah", "Discharging Capacity / Ah", pl.Float64, "the vendor's charge counter, never reset"
    ),
    Column("charging_energy_wh", "Charging Energy / Wh", pl.Float64, "the vendor's energy counter, never reset"),
    Column("discharging_energy_wh", "Discharging Energy / Wh", pl.Float64, "the vendor's energy counter, never reset"),
    Column("ambient_temperature_celsius", "Ambient Temperature / degC", pl.Float64, "temperature of the chamber"),
    Column("surface_temperature_celsius", "Surface Temperature / degC", pl.Float64, "temperature of the cell's skin"),
    Column("frequency_hertz", "Frequency / Hz", pl.Float64, "frequency of an impedance point; null elsewhere"),
    Column("real_impedance_ohm", "Real Impedance / ohm", pl.Float64, "Re Z"),
    Column("imaginary_impedance_ohm", "Imaginary Impedance / ohm", pl.Float64, "Im Z: negative when capacitive"),
    Column("spectrum", "Spectrum", pl.Int64, "number of the impedance spectrum, from 0", ours=True),
    Column("mode", "Mode", pl.String, "rest, cc, cv, scan or eis, found from the data", ours=True),
    Column(
        "half_cycle",
        "Half Cycle",
        pl.Int64,
        "number of the half cycle from 0, found from the current's sign",
        ours=True,
    ),
)
BY_NAME: Mapping[str, Column] = {column.name: column for column in COLUMNS}
TIME, VOLTAGE, CURRENT, FREQUENCY = "test_time_second", "voltage_volt", "current_ampere", "frequency_hertz"
REAL, IMAGINARY, SPECTRUM = "real_impedance_ohm", "imaginary_impedance_ohm", "spectrum"


@dataclass(frozen=True)
class Flag:
    """Something odd in a record: a code, one sentence, how many rows it concerns, and the first of them (from 0)."""

    code: str
    message: str
    n_rows: int = 0
    first_row: int | None = None


@dataclass(frozen=True)
class Fact:
    """A number or word about the cell, with how it is known. `value` None: not known, and never guessed."""

    value: Any
    kind: Kind
    source: str


UNKNOWN = Fact(None, "unknown", "not given")


@dataclass(frozen=True)
class CellFacts:
    """What a file rarely says about its cell. Each is asked for or inferred, and always shown."""

    area_cm2: Fact = UNKNOWN
    active_mass_mg: Fact = UNKNOWN
    working_electrode: Fact = UNKNOWN
    plating_sign: Fact = UNKNOWN


@dataclass(frozen=True)
class Provenance:
    """Where a record came from and what read it."""

    path: str
    sha256: str
    format: str
    reader: str
    instrument: str | None = None
    n_rows_in_file: int | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Record:
    """One test: a table in the columns of `COLUMNS`, its provenance, its flags, the facts of its cell.

    Rows with a frequency are impedance points; all others are time series. Raises InputError when a required column
    is missing or a column is not one of `COLUMNS`.
    """

    table: pl.DataFrame
    provenance: Provenance
    flags: tuple[Flag, ...] = ()
    facts: CellFacts = field(default_factory=CellFacts)

    def __post_init__(self) -> None:
        unknown = [name for name in self.table.columns if name not in BY_NAME]
        if unknown:
            raise InputError(f"{self.provenance.path}: not columns of a record: {', '.join(unknown)}")
        missing = [c.name for c in COLUMNS if c.required and c.name not in self.table.columns]
        if missing:
            raise InputError(f"{self.provenance.path}: a record needs {', '.join(missing)}")

    @property
    def n_rows(self) -> int:
        """Rows of the table, impedance points included."""
        return self.table.height

    def series(self) -> pl.DataFrame:
        """The time series: every row that is not an impedance point."""
        if FREQUENCY not in self.table.columns:
            return self.table
        return self.table.filter(pl.col(FREQUENCY).is_null())

    def spectra(self) -> pl.DataFrame:
        """The impedance points, in the order measured; no rows where there are none."""
        if FREQUENCY not in self.table.columns:
            return self.table.clear()
        return self.table.filter(pl.col(FREQUENCY).is_not_null())

    def with_flags(self, flags: Iterable[Flag]) -> Record:
        """The same record with further flags."""
        return replace(self, flags=(*self.flags, *flags))


def conform(table: pl.DataFrame) -> pl.DataFrame:
    """Known columns only, in the order and the types of `COLUMNS`."""
    wanted = {c.name: c.dtype for c in COLUMNS if c.name in table.columns}
    if list(table.schema.items()) == list(wanted.items()):
        return table
    return table.select([pl.col(c.name).cast(c.dtype, strict=False) for c in COLUMNS if c.name in table.columns])


META = "interlith.record"


def write_record(record: Record, path: Path, compression: Literal["zstd", "lz4", "uncompressed"] = "zstd") -> None:
    """Write as BDF Parquet; provenance, flags and facts travel in the file's metadata. `path` is replaced whole."""
    meta: dict[str, Any] = {k: asdict(getattr(record, k)) for k in ("provenance", "facts")}
    meta["flags"] = [asdict(flag) for flag in record.flags]
    partial = path.with_name(path.name + ".partial")
    record.table.write_parquet(partial, compression=compression, metadata={META: json.dumps(meta)})
    partial.replace(path)


def read_record(path: Path) -> Record:
    """Read back what `write_record` wrote. Raises CorruptFile when it is damaged or was written by something else."""
    try:
        meta = json.loads(pl.read_parquet_metadata(path)[META])
        table = pl.read_parquet(path)
        notes = tuple(meta["provenance"].pop("notes"))
        return Record(
            table=table,
            provenance=Provenance(**meta["provenance"], notes=notes),
            flags=tuple(Flag(**flag) for flag in meta["flags"]),
            facts=CellFacts(**{name: Fact(**fact) for name, fact in meta["facts"].items()}),
        )
    except (KeyError, TypeError, ValueError, OSError, pl.exceptions.PolarsError) as problem:
        raise CorruptFile(f"{path}: not a record of interlith ({type(problem).__name__})") from problem
