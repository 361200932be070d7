"""Header names of tables: which column of a record they mean, and in which unit they are.

`MEANINGS` is the only list of names. A header is a name and, mostly, a unit: "Current(mA)", "Current / A", "I/mA",
"voltage_volt", "test_time_s". A header of ambiguous unit is not guessed: without one the base unit must be in the name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import polars as pl

from interlith.errors import InputError
from interlith.record import BY_NAME, COLUMNS
from interlith.units import UNITS, unit

# plain name (lower case, letters and digits only) -> column of a record
MEANINGS: dict[str, str] = {
    **dict.fromkeys(
        [
            "testtime",
            "totaltime",
            "elapsedtime",
            "timeelapsed",
            "runtime",
            "time",
            "t",
            "test",
            "测试时间",
            "总时间",
            "时间",
        ],
        "test_time_second",
    ),
    **dict.fromkeys(["voltage", "volts", "ewe", "ecell", "u", "v", "potential", "cellvoltage", "电压"], "voltage_volt"),
    **dict.fromkeys(["current", "amps", "i", "<i>", "amperes", "cellcurrent", "电流"], "current_ampere"),
    **dict.fromkeys(["unixtime", "epochtime", "uts"], "unix_time_second"),
    **dict.fromkeys(
        ["cyclecount", "cycle", "cycleindex", "cyclenumber", "cycleno", "cycleid", "循环号", "循环序号"], "cycle_count"
    ),
    **dict.fromkeys(["stepcount", "stepnumber", "工步序号"], "step_count"),
    **dict.fromkeys(["stepid", "stepindex", "step", "stepno", "ns", "工步号"], "step_id"),
    **dict.fromkeys(["steptype", "stepname", "state", "工步类型", "状态"], "step_type"),
    **dict.fromkeys(
        ["recordindex", "datapoint", "record", "recordnumber", "rec", "index", "序号", "数据序号"], "record_index"
    ),
    **dict.fromkeys(["chargingcapacity", "chargecapacity", "chgcap", "充电容量"], "charging_capacity_ah"),
    **dict.fromkeys(["dischargingcapacity", "dischargecapacity", "dchgcap", "放电容量"], "discharging_capacity_ah"),
    **dict.fromkeys(["chargingenergy", "chargeenergy", "充电能量"], "charging_energy_wh"),
    **dict.fromkeys(["dischargingenergy", "dischargeenergy", "放电能量"], "discharging_energy_wh"),
    **dict.fromkeys(["ambienttemperature", "chambertemperature"], "ambient_temperature_celsius"),
    **dict.fromkeys(
        ["surfacetemperature", "temperature", "celltemperature", "temperaturet1"], "surface_temperature_celsius"
    ),
    **dict.fromkeys(["frequency", "freq", "f"], "frequency_hertz"),
    **dict.fromkeys(["realimpedance", "rez", "zre", "zreal", "z'", "zprime"], "real_impedance_ohm"),
    **dict.fromkeys(["imaginaryimpedance", "imz", "zim", "zimag", "zimg", 'z"', "z''"], "imaginary_impedance_ohm"),
}
QUANTITIES = {
    "second": "time",
    "volt": "voltage",
    "ampere": "current",
    "ah": "charge",
    "wh": "energy",
    "hertz": "frequency",
}
QUANTITIES |= {"ohm": "impedance", "celsius": "temperature"}
SPLIT = (
    re.compile(r"^(?P<name>.+?)\s*[(\[（]\s*(?P<unit>[^()\[\]（）]+?)\s*[)\]）]$"),
    re.compile(r"^(?P<name>.+?)\s*/\s*(?P<unit>[^/]+)$"),
    re.compile(r"^(?P<name>.+)[_ ](?P<unit>[A-Za-zµμ.]+)$"),
)


@dataclass(frozen=True)
class Meaning:
    """What one header means: a column of a record, the factor to its base unit, and whether a unit was written."""

    column: str
    factor: float
    unit_written: bool


def plain(name: str) -> str:
    """Lower case, without spaces and punctuation.

    >>> plain("Test_Time ")
    'testtime'
    """
    return re.sub(r"[\s_\-.:#*]+", "", name.strip().lower())


def quantity(column: str) -> str | None:
    """The quantity a record column holds, or None for counters and words."""
    return QUANTITIES.get(column.rsplit("_", 1)[-1])


def meaning(header: str) -> Meaning | None:
    """What a header means, or None when it is not a column of a record.

    >>> meaning("Current(mA)")
    Meaning(column='current_ampere', factor=0.001, unit_written=True)
    """
    label = {plain(c.label): c.name for c in COLUMNS}.get(plain(header))
    if header.strip() in BY_NAME or label:
        return Meaning(header.strip() if header.strip() in BY_NAME else str(label), 1.0, unit_written=True)
    for pattern in SPLIT:
        found = pattern.match(header.strip())
        if found and (column := MEANINGS.get(plain(found["name"]))):
            known = unit(found["unit"])
            wanted = quantity(column)
            if known and known[0] == wanted:
                return Meaning(column, known[1], unit_written=True)
    column = MEANINGS.get(plain(header))
    if column is None:
        return None
    # "Seconds", "Amps", "Volts": the name is itself the unit
    return Meaning(column, 1.0, unit_written=quantity(column) is None or plain(header) in UNITS)


def record_columns(headers: Iterable[str], chosen: Mapping[str, str] | None = None) -> dict[str, tuple[str, float]]:
    """Record column -> (header, factor), the first header of each meaning; `chosen` (--columns) wins.

    Raises InputError when a chosen header does not exist or its unit is not one of the quantity.
    """
    headers = list(headers)
    found: dict[str, tuple[str, float]] = {}
    for header in headers:
        known = meaning(header)
        if known and known.column not in found:
            found[known.column] = (header, known.factor)
    for column, wish in (chosen or {}).items():
        found[column] = _chosen(column, wish, headers)
    return found


def _chosen(column: str, wish: str, headers: list[str]) -> tuple[str, float]:
    if column not in BY_NAME:
        raise InputError(f"--columns {column}: not a column of a record; known: {', '.join(c.name for c in COLUMNS)}")
    if wish in headers:
        known = meaning(wish)
        return wish, known.factor if known and known.column == column else 1.0
    name, _, written = wish.rpartition(":")
    if name not in headers:
        raise InputError(f"--columns {column}={wish}: no such column; found {', '.join(repr(h) for h in headers[:20])}")
    known_unit = unit(written)
    if known_unit is None or known_unit[0] != quantity(column):
        raise InputError(f"--columns {column}={wish}: {written!r} is not a unit of {quantity(column) or column}")
    return name, known_unit[1]


def scaled(column: str, header: str, factor: float) -> pl.Expr:
    """The header's column as the record's column: numbers scaled, words stripped."""
    if BY_NAME[column].dtype == pl.String:
        return pl.col(header).cast(pl.String).str.strip_chars().alias(column)
    value = pl.col(header)
    return (value.cast(pl.Float64, strict=False) * factor).alias(column)
