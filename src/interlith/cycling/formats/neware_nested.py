"""Neware's nested report: rows of cycles, of steps and of records interleaved in one .csv.

Three header lines, indented by no, one and two empty fields, and so are their rows. A cycle's row may go on with the
fields of its first step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from interlith.cycling.formats.format import Format, Head, Raw, ReadOptions
from interlith.cycling.formats.headers import Layout
from interlith.cycling.formats.neware_csv import known_name
from interlith.cycling.formats.tables import record_table, text_table
from interlith.errors import CorruptFile
from interlith.text_file import read_text

CYCLE, STEP, RECORD = 0, 1, 2
CYCLE_NAMES = ("Cycle Index", "Cycle", "循环号", "循环序号")
STEP_NAMES = {
    "step_id": ("Step Index", "工步号"),
    "step_count": ("Step Number", "工步序号"),
    "step_type": ("Step Type", "工步类型"),
}


@dataclass(frozen=True)
class Headers:
    """The names of the three kinds of row, without the empty fields that indent them."""

    cycle: tuple[str, ...]
    step: tuple[str, ...]
    record: tuple[str, ...]


def recognize(head: Head) -> bool:
    """Three header lines, each indented by one more comma, the last with a voltage."""
    return _headers(head.lines[:3]) is not None


def _headers(lines: Sequence[str]) -> Headers | None:
    if len(lines) < 3 or [_depth(line) for line in lines[:3]] != [CYCLE, STEP, RECORD]:
        return None
    cycle, step, record = (tuple(line.strip().split(",")[depth:]) for depth, line in enumerate(lines[:3]))
    has_voltage = any("voltage" in name.lower() or "电压" in name for name in record)
    return Headers(cycle, step, record) if cycle[0].strip() in CYCLE_NAMES and has_voltage else None


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip(","))


def read(path: Path, options: ReadOptions) -> Raw:
    """All record rows, each with the cycle and step whose rows stand above it."""
    text = read_text(path)
    headers = _headers(text[:100_000].split("\n", 3)[:3])
    if headers is None:
        raise CorruptFile(f"{path.name}: the three header lines of a nested report are not there; damaged or cut off")
    lines = pl.DataFrame({"line": text.rstrip("\n").split("\n")[3:]}, schema={"line": pl.String})
    records = lines.with_columns(*_places_above(headers)).filter(pl.col("line").str.starts_with(",,"))
    ended = "\n" if text.endswith("\n") else ""
    body = "\n".join([",,".join(["", ",".join(headers.record)]), *records["line"]]) + ended
    layout = Layout(0, ",", headers.record)
    found = text_table(path, layout, options, text=body, rename=known_name)
    above = records.head(found.table.height).select("Cycle Index", *(f"{name} above" for name in STEP_NAMES))
    made = record_table(_beside(found.table, above), path, options, per_step=True)
    return Raw(made.table, "Neware", (*found.flags, *made.flags))


def _beside(table: pl.DataFrame, above: pl.DataFrame) -> pl.DataFrame:
    names = {f"{name} above": first[0] for name, first in STEP_NAMES.items()}
    return pl.concat(
        [table.drop([c for c in table.columns if c in above.columns]), above.rename(names)], how="horizontal"
    )


def _places_above(headers: Headers) -> list[pl.Expr]:
    """Cycle and step of each line, from the last cycle or step row above it."""
    line = pl.col("line")
    is_cycle, is_step = ~line.str.starts_with(","), line.str.starts_with(",") & ~line.str.starts_with(",,")
    fields = line.str.split(",")
    places = [pl.when(is_cycle).then(fields.list.get(0, null_on_oob=True)).forward_fill().alias("Cycle Index")]
    for name, words in STEP_NAMES.items():
        at = next((k for k, header in enumerate(headers.step) if header.strip() in words), None)
        if at is None:
            places.append(pl.lit(None, dtype=pl.String).alias(f"{name} above"))
            continue
        in_step, in_cycle = (
            fields.list.get(1 + at, null_on_oob=True),
            fields.list.get(len(headers.cycle) + at, null_on_oob=True),
        )
        value = pl.when(is_step).then(in_step).when(is_cycle).then(in_cycle)
        places.append(value.forward_fill().alias(f"{name} above"))
    return places


FORMAT = Format(
    name="neware-nested",
    title="Neware nested report .csv",
    suffixes=(),
    recognize=recognize,
    read=read,
)
