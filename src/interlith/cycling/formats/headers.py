"""Header names of tables: which column of a record they mean, and in which unit they are.

`MEANINGS` is the only list of names. A header is a name and, mostly, a unit: "Current(mA)", "Current / A", "I/mA",
"voltage_volt", "test_time_s". A header of ambiguous unit is not guessed: without one the base unit must be in the name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import polars as pl

from interlith.cycling.formats.text import DELIMITERS, unique_names
from interlith.errors import InputError
from interlith.record import BY_NAME, COLUMNS, IMAGINARY, TIME
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
            "seconds",
            "sec",
            "hours",
            "测试时间",
            "总时间",
            "时间",
        ],
        "test_time_second",
    ),
    **dict.fromkeys(
        ["voltage", "volts", "ewe", "ecell", "u", "v", "potential", "cellvoltage", "mv", "电压"], "voltage_volt"
    ),
    **dict.fromkeys(
        ["current", "cur", "amps", "i", "<i>", "amperes", "ampere", "cellcurrent", "ma", "ua", "电流"], "current_ampere"
    ),
    **dict.fromkeys(
        [
            "unixtime",
            "epochtime",
            "uts",
            "datetime",
            "dateandtime",
            "datetimeisostring",
            "datetimeiso",
            "date",
            "dpttime",
            "systime",
            "realtime",
            "absolutetime",
            "系统时间",
            "绝对时间",
            "日期",
        ],
        "unix_time_second",
    ),
    **dict.fromkeys(
        ["cyclecount", "cycle", "cycleindex", "cyclenumber", "cycleno", "cycleid", "cyc", "循环号", "循环序号", "循环"],
        "cycle_count",
    ),
    **dict.fromkeys(["stepcount", "stepnumber", "工步序号"], "step_count"),
    **dict.fromkeys(["stepid", "stepindex", "step", "steps", "stepno", "ns", "工步号", "工步"], "step_id"),
    **dict.fromkeys(
        ["steptype", "stepname", "stepstate", "state", "status", "工步类型", "工步状态", "工作模式", "状态"],
        "step_type",
    ),
    **dict.fromkeys(
        [
            "recordindex",
            "datapoint",
            "record",
            "recordid",
            "recordnumber",
            "rec",
            "index",
            "序号",
            "数据序号",
            "记录序号",
            "记录号",
        ],
        "record_index",
    ),
    **dict.fromkeys(
        ["chargingcapacity", "chargecapacity", "chgcap", "capacitancechg", "充电容量"], "charging_capacity_ah"
    ),
    **dict.fromkeys(
        ["dischargingcapacity", "dischargecapacity", "dchgcap", "capacitancedchg", "放电容量"],
        "discharging_capacity_ah",
    ),
    **dict.fromkeys(["chargingenergy", "chargeenergy", "chgenergy", "engychg", "充电能量"], "charging_energy_wh"),
    **dict.fromkeys(
        ["dischargingenergy", "dischargeenergy", "dchgenergy", "engydchg", "放电能量"], "discharging_energy_wh"
    ),
    **dict.fromkeys(["ambienttemperature", "chambertemperature"], "ambient_temperature_celsius"),
    **dict.fromkeys(
        ["surfacetemperature", "temperature", "celltemperature", "temperaturet1"], "surface_temperature_celsius"
    ),
    **dict.fromkeys(["frequency", "freq", "f"], "frequency_hertz"),
    **dict.fromkeys(["realimpedance", "rez", "zre", "zreal", "z'", "zprime"], "real_impedance_ohm"),
    **dict.fromkeys(["imaginaryimpedance", "imz", "zim", "zimag", "zimg", 'z"', "z''"], "imaginary_impedance_ohm"),
}
# names that may also mean the time within a step: any other name for the test's time goes before them
VAGUE_TIMES = ("time", "t", "test", "时间")
# counters that serve both directions, and the time within a step: no columns of a record, yet needed to make some
HELPERS: dict[str, str] = {
    **dict.fromkeys(["capacity", "cap", "amphr", "ah", "mah", "q", "容量"], "capacity_ah"),
    **dict.fromkeys(["energy", "watthr", "wh", "mwh", "能量"], "energy_wh"),
    **dict.fromkeys(["steptime", "relativetime", "steptimes", "工步时间", "相对时间"], "step_time_second"),
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
# "-Zim", "-Im(Z)": the imaginary part with its sign turned
MINUS = ("-", "−", "–")
LONGEST_HEADER = 20_000
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


LABELS = {plain(c.label): c.name for c in COLUMNS}


def quantity(column: str) -> str | None:
    """The quantity a record column holds, or None for counters and words."""
    return QUANTITIES.get(column.rsplit("_", 1)[-1])


@lru_cache(maxsize=4096)
def meaning(header: str) -> Meaning | None:
    """What a header means, or None when it is not a column of a record.

    >>> meaning("Current(mA)")
    Meaning(column='current_ampere', factor=0.001, unit_written=True)
    """
    if header.strip().startswith(MINUS) and not header.strip()[1:].strip().startswith(MINUS):
        known = meaning(header.strip()[1:])
        if known and known.column == IMAGINARY:
            return replace(known, factor=-known.factor)
    label = LABELS.get(plain(header))
    if header.strip() in BY_NAME or label:
        return Meaning(header.strip() if header.strip() in BY_NAME else str(label), 1.0, unit_written=True)
    return _named(header, MEANINGS)


@lru_cache(maxsize=4096)
def helper(header: str) -> Meaning | None:
    """What a header means that is no column of a record but helps to make one: `HELPERS`.

    >>> helper("Capacity/mAh")
    Meaning(column='capacity_ah', factor=0.001, unit_written=True)
    """
    return _named(header, HELPERS)


def _named(header: str, names: Mapping[str, str]) -> Meaning | None:
    for pattern in SPLIT:
        found = pattern.match(header.strip())
        if found and (column := names.get(plain(found["name"]))):
            known = unit(found["unit"])
            if known and known[0] == quantity(column):
                return Meaning(column, known[1], unit_written=True)
    column = names.get(plain(header))
    if column is None:
        return None
    # "Seconds", "mA", "Volts": the name is itself the unit
    named = UNITS.get(plain(header)) or unit(header)
    own = named if named and named[0] == quantity(column) else None
    return Meaning(column, own[1] if own else 1.0, unit_written=quantity(column) is None or own is not None)


def is_vague_time(header: str) -> bool:
    """True for a name that may mean the time of the test or of the step: "Time", "t/s"."""
    return any(plain(m["name"]) in VAGUE_TIMES for p in SPLIT if (m := p.match(header.strip()))) or (
        plain(header) in VAGUE_TIMES
    )


def record_columns(headers: Iterable[str], chosen: Mapping[str, str] | None = None) -> dict[str, tuple[str, float]]:
    """Record column -> (header, factor), the first header of each meaning; `chosen` (--columns) wins.

    A time that is surely the test's ("Total Time") goes before one that may be the step's ("Time").

    Raises InputError when a chosen header does not exist or its unit is not one of the quantity.
    """
    headers = list(headers)
    found: dict[str, tuple[str, float]] = {}
    for header in headers:
        known = meaning(header)
        if known and (known.column not in found or _is_better(header, found[known.column][0], known.column)):
            found[known.column] = (header, known.factor)
    for column, wish in (chosen or {}).items():
        found[column] = _chosen(column, wish, headers)
    return found


def helper_columns(headers: Iterable[str]) -> dict[str, tuple[str, float]]:
    """Helper -> (header, factor): common capacity and energy counters, time within the step."""
    found: dict[str, tuple[str, float]] = {}
    for header in headers:
        known = helper(header)
        if known:
            found.setdefault(known.column, (header, known.factor))
    return found


@dataclass(frozen=True)
class Layout:
    """Where the table of a text begins: line of the header (from 0), delimiter, names."""

    line: int
    delimiter: str
    names: tuple[str, ...]


def find_header(lines: Sequence[str], wanted: Iterable[str], at_least: int, within: int = 300) -> Layout | None:
    """The first line that names `at_least` of the wanted record columns, or None.

    >>> find_header(["a note", "Time/s;Voltage/V"], ["test_time_second", "voltage_volt"], 2)
    Layout(line=1, delimiter=';', names=('Time/s', 'Voltage/V'))
    """
    wanted = set(wanted)
    for place, line in enumerate(lines[:within]):
        for delimiter in DELIMITERS:
            if line.count(delimiter) + 1 < at_least or len(line) > LONGEST_HEADER:
                continue
            names = unique_names(line.split(delimiter))
            if len(wanted & set(record_columns(names))) >= at_least:
                return Layout(place, delimiter, tuple(names))
    return None


def _is_better(header: str, than: str, column: str) -> bool:
    return column == TIME and is_vague_time(than) and not is_vague_time(header)


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
