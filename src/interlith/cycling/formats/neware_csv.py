"""Neware's own exports of the record layer: flat .csv of BTSDA and BTS, English or Chinese, and BTSDA's .parquet.

"Time" is the time within the step, "Total Time" that of the test. Capacity and energy restart at each step, signed in
some exports and unsigned in others: their magnitude is kept. Charging is positive.
"""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl

from interlith.cycling.formats.format import Format, Head, Raw, ReadOptions
from interlith.cycling.formats.headers import plain
from interlith.cycling.formats.tables import find_in_text, header_of, record_table, renamed, text_table
from interlith.errors import CorruptFile

NAMES = re.compile(
    r"datapoint|cycle ?index|step ?index|step ?type|total ?time|record ?(id|number)|"
    r"step ?id|cycle ?id|step ?name|realtime|"
    r"capa?city ?\(|relative ?time ?\(|数据序号|记录序号|循环号|工步号|工步类型|总时间|绝对时间|容量 ?\(",
    re.IGNORECASE,
)
LEAST_NAMES = 4
CLOCK_UNIT = re.compile(r"\(h:min:s(\.ms)?\)$", re.IGNORECASE)
FIRST_AUXILIARY = re.compile(r"^T1 ?(\(.*\))?$")
PARQUET = b"PAR1"
PARQUET_COLUMNS = {"Cycle Index", "Step Index", "Total Time", "Current(uA)", "Voltage(mV)"}
# the codes in BTSDA's .parquet, as the .nda and .ndax of the same tests name them
STEP_TYPES = {1: "CC_Chg", 2: "CC_DChg", 3: "CV_Chg", 4: "Rest", 7: "CCCV_Chg"}


def known_name(header: str) -> str:
    """The header in a name without Neware's peculiarities.

    >>> known_name("Relative Time(h:min:s.ms)"), known_name("Time"), known_name("T1(?)")
    ('Relative Time', 'Step Time', 'Surface Temperature / degC')
    """
    header = CLOCK_UNIT.sub("", header.strip())
    if plain(header) in ("time", "时间"):
        return "Step Time"
    return "Surface Temperature / degC" if FIRST_AUXILIARY.match(header) else header


def is_neware_header(line: str) -> bool:
    """True for a line with at least four of Neware's own names."""
    return len({found[0].lower() for found in NAMES.finditer(line)}) >= LEAST_NAMES


def recognize(head: Head) -> bool:
    """Neware's own column names, in the first lines of a text or in the schema of a .parquet."""
    if head.data.startswith(PARQUET):
        return _parquet_columns(head.path) >= PARQUET_COLUMNS
    return any(is_neware_header(line) for line in head.lines[:20]) and header_of(head, at_least=2) is not None


def read(path: Path, options: ReadOptions) -> Raw:
    """All rows of a flat export."""
    with path.open("rb") as stream:
        if stream.read(len(PARQUET)) == PARQUET:
            return _read_parquet(path, options)
    text, layout = find_in_text(path, at_least=2)
    found = text_table(path, layout, options, text=text, rename=known_name)
    made = record_table(found.table, path, options, per_step=True)
    return Raw(made.table, "Neware", (*found.flags, *made.flags))


def _read_parquet(path: Path, options: ReadOptions) -> Raw:
    try:
        table = renamed(pl.read_parquet(path), known_name)
    except (pl.exceptions.PolarsError, OSError) as problem:
        raise CorruptFile(f"{path.name}: a damaged .parquet ({str(problem).splitlines()[0][:200]})") from problem
    if "Step Type" in table.columns and table["Step Type"].dtype.is_integer():
        words = pl.col("Step Type").cast(pl.Int64).replace_strict(STEP_TYPES, default=None, return_dtype=pl.String)
        table = table.with_columns(words.fill_null(pl.col("Step Type").cast(pl.String)))
    made = record_table(table, path, options, per_step=True)
    return Raw(made.table, "Neware", made.flags)


def _parquet_columns(path: Path) -> set[str]:
    try:
        return set(pl.read_parquet_schema(path))
    except (pl.exceptions.PolarsError, OSError, ValueError):
        return set()


FORMAT = Format(
    name="neware-csv",
    title="Neware record layer .csv, BTSDA .parquet",
    suffixes=(),
    recognize=recognize,
    read=read,
)
