"""From a table with headers to the columns of a record: units, times, signs, steps and never-reset counters.

Every reader of text, spreadsheets and foreign Parquet ends here, so that one rule holds for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from interlith.cycling.formats.counters import increments, restarts, split_common
from interlith.cycling.formats.format import Head, ReadOptions
from interlith.cycling.formats.headers import (
    Layout,
    Meaning,
    find_header,
    helper_columns,
    meaning,
    quantity,
    record_columns,
)
from interlith.cycling.formats.text import epoch_seconds, numbers, parse_table, seconds, unique_names
from interlith.errors import CorruptFile, InputError
from interlith.record import BY_NAME, CURRENT, TIME, VOLTAGE, Flag
from interlith.text_file import read_text
from interlith.units import MILLI

SERIES = (TIME, VOLTAGE, CURRENT)
UNIX, STEP_TIME = "unix_time_second", "step_time_second"
DISCHARGE = r"(?i)dch|disch|放电|^\s*d\s*$"
COUNTERS = (
    ("capacity_ah", "charging_capacity_ah", "discharging_capacity_ah"),
    ("energy_wh", "charging_energy_wh", "discharging_energy_wh"),
)
COARSE = 10.0  # a current below this many of its last written digits carries an error above 5 %
BEGINNING = 1_000_000
Found = dict[str, tuple[str, float]]


@dataclass(frozen=True)
class Columns:
    """Columns of a record made from a vendor's table, and what had to be decided to make them."""

    table: pl.DataFrame
    flags: tuple[Flag, ...] = ()


def header_of(head: Head, at_least: int = 3) -> Layout | None:
    """Where a text's table of time, voltage and current begins, or None when it has none."""
    return find_header(head.lines, SERIES, at_least)


def text_table(
    path: Path,
    layout: Layout,
    options: ReadOptions,
    text: str | None = None,
    rename: Callable[[str], str] = str,
) -> Columns:
    """The string columns that can be used, below the header of `layout`; errors name the file.

    rename: from a vendor's peculiar header to a name that `headers` knows.
    Headers that the person named with --columns are kept too.
    """

    chosen = {part for wish in options.columns.values() for part in (wish, wish.rpartition(":")[0])}

    def kept(names: list[str]) -> list[str]:
        known = useful([rename(name) for name in names])
        return [name for name in names if rename(name) in known or name in chosen]

    try:
        parsed = parse_table(text or read_text(path), layout.line, 0, layout.delimiter, kept)
    except CorruptFile as problem:
        raise CorruptFile(_named(path, str(problem))) from problem
    return Columns(renamed(parsed.table, rename), parsed.flags)


def renamed(table: pl.DataFrame, rename: Callable[[str], str]) -> pl.DataFrame:
    """The table with its headers renamed, still unique."""
    return table.rename(dict(zip(table.columns, unique_names([rename(n) for n in table.columns]), strict=True)))


def find_in_text(path: Path, at_least: int = 3, within: int = 300) -> tuple[str, Layout]:
    """The text of a file and where its table begins. Raises InputError when nothing in it is a table."""
    text = read_text(path)
    layout = find_header(text[:BEGINNING].split("\n"), SERIES, at_least, within)
    if layout is None:
        raise InputError(f"{path.name}: no line names time, voltage and current. Export the record layer.")
    return text, layout


def useful(names: Sequence[str]) -> list[str]:
    """The headers that a record, or a counter of it, can be made from."""
    taken = {header for header, _ in (*record_columns(names).values(), *helper_columns(names).values())}
    return [name for name in names if name in taken]


def record_table(table: pl.DataFrame, path: Path, options: ReadOptions, *, per_step: bool = False) -> Columns:
    """The columns of a record from a table with a vendor's headers.

    per_step: the vendor's counters restart at each step. Raises InputError when time, voltage or current is missing
    and cannot be derived.
    """
    found = record_columns(table.columns, options.columns)
    helpers = helper_columns(h for h in table.columns if h not in {header for header, _ in found.values()})
    made = pl.DataFrame([_typed(table[header], column, factor) for column, (header, factor) in found.items()])
    _check_repeated_header(path, table, made, found)
    made = made.select([s for s in made if s.null_count() < len(s) or s.name in SERIES])
    common = {name: numbers(table[header]) * factor for name, (header, factor) in helpers.items() if name != STEP_TIME}
    made = _with_steps(made)
    step_time = seconds(table[helpers[STEP_TIME][0]], helpers[STEP_TIME][1]) if STEP_TIME in helpers else None
    made, flags = _with_time(made, step_time)
    made, more = _with_current(made, options)
    _require(made, table.columns, path)
    coarse = _coarse_current(table, found, made)
    return Columns(_with_counters(made, common, per_step), (*flags, *more, *coarse))


def _check_repeated_header(path: Path, table: pl.DataFrame, made: pl.DataFrame, found: Found) -> None:
    """Raises CorruptFile where a second header among the rows names other columns or units: two exports in one file."""
    for column in (c for c in SERIES if c in found and made[c].null_count()):
        header = found[column][0]
        known = meaning(header)
        words = table[header].filter(made[column].is_null()).cast(pl.String).drop_nulls().unique().head(100)
        for word in words:
            other = meaning(word.strip().strip('"'))
            if known and other and _contradicts(known, other):
                raise CorruptFile(
                    f"{path.name}: a second header stands among the rows and has {word!r} where the first has "
                    f"{header!r}: two exports in one file. Part it, and give both files with --join"
                )


def _contradicts(known: Meaning, other: Meaning) -> bool:
    if known.column != other.column:
        return other.column in SERIES
    return known.unit_written and other.unit_written and known.factor != other.factor


def _typed(values: pl.Series, column: str, factor: float) -> pl.Series:
    if BY_NAME[column].dtype == pl.String:
        words = values.cast(pl.String, strict=False).str.strip_chars()
        return words.rename(column)
    if column == TIME:
        return seconds(values, factor).rename(column)
    if column == UNIX:
        return (epoch_seconds(values) * factor).rename(column)
    exact = numbers(values)
    return (exact * factor if quantity(column) else exact).rename(column)


def _with_steps(table: pl.DataFrame) -> pl.DataFrame:
    """With step_count: the vendor's where it never falls, else grown wherever step, cycle or kind of step changes."""
    if "step_count" in table.columns:
        if table["step_count"].drop_nulls().is_sorted():
            return table
        has_id = "step_id" in table.columns
        table = table.drop("step_count") if has_id else table.rename({"step_count": "step_id"})
    by = [c for c in ("step_id", "cycle_count", "step_type") if c in table.columns]
    if not {"step_id", "step_type"} & set(by):
        return table
    return table.with_columns(step_count=pl.Series(np.cumsum(_changes(table, by)) + 1))


def _changes(table: pl.DataFrame, by: Sequence[str]) -> NDArray[np.bool_]:
    changed = pl.any_horizontal([pl.col(c).ne_missing(pl.col(c).shift(1)) for c in by])
    places = table.select(changed).to_series().to_numpy().copy()
    places[:1] = False
    return places


def _with_time(table: pl.DataFrame, step_time: pl.Series | None) -> tuple[pl.DataFrame, tuple[Flag, ...]]:
    if TIME in table.columns and table[TIME].null_count() < table.height:
        return table, ()
    if step_time is not None and "step_count" in table.columns and step_time.null_count() < table.height:
        whole = _cumulated(step_time.to_numpy(), _changes(table, ["step_count"]))
        message = "only the time within each step is given; test time is their sum, without pauses between steps"
        return table.with_columns(pl.Series(TIME, whole)), (Flag("time_from_steps", message),)
    if UNIX in table.columns:
        message = "no test time is given; taken from the instrument's clock"
        return table.with_columns((pl.col(UNIX) - pl.col(UNIX).drop_nulls().first()).alias(TIME)), (
            Flag("time_from_clock", message),
        )
    return table, ()


def _cumulated(step_time: NDArray[np.float64], starts: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Test time from times that restart at each step: what each earlier step reached is added."""
    ended = np.where(starts, np.roll(step_time, 1), 0.0)
    return step_time + np.cumsum(np.nan_to_num(ended))


def _with_current(table: pl.DataFrame, options: ReadOptions) -> tuple[pl.DataFrame, tuple[Flag, ...]]:
    """Current as given by --current-mA where none is in the file; its sign from the kind of step where all are >= 0."""
    if CURRENT not in table.columns:
        if options.current_mA is None:
            return table, ()
        message = f"no current in the file; {options.current_mA:g} mA all the time, as stated"
        return table.with_columns(pl.lit(options.current_mA * MILLI).alias(CURRENT)), (Flag("current_stated", message),)
    lowest = table[CURRENT].min()
    if "step_type" not in table.columns or (isinstance(lowest, float) and lowest < 0):
        return table, ()
    discharging = table["step_type"].str.contains(DISCHARGE).fill_null(False)
    n = int((discharging & (table[CURRENT] > 0).fill_null(False)).sum())
    if n == 0:
        return table, ()
    message = f"currents are written without sign; {n} rows of discharge steps made negative"
    signed = pl.when(discharging).then(-pl.col(CURRENT)).otherwise(pl.col(CURRENT))
    return table.with_columns(signed.alias(CURRENT)), (Flag("sign_from_step", message, n, discharging.arg_max()),)


def _coarse_current(table: pl.DataFrame, found: Found, made: pl.DataFrame) -> tuple[Flag, ...]:
    """A flag when the current was written with so few digits that charge from it cannot be trusted."""
    if CURRENT not in found or table[found[CURRENT][0]].dtype != pl.String:
        return ()
    header, factor = found[CURRENT]
    written = table[header].str.to_lowercase()
    if written.str.contains("e", literal=True).any():
        return ()
    decimals = written.str.strip_chars().str.extract(r"\.(\d+)$").str.len_chars().fill_null(0)
    n_decimals = decimals.max()
    if n_decimals != decimals.min():  # not cut to so many digits: written with as many as each number needs
        return ()
    digit, largest = factor * 10.0 ** -int(str(n_decimals or 0)), made[CURRENT].abs().max()
    if not isinstance(largest, float) or not 0 < largest < COARSE * digit:
        return ()
    message = (
        f"current is written in steps of {digit / MILLI:g} mA and never exceeds {largest / MILLI:g} mA: "
        f"charge from it may be off by {digit / largest / 2:.0%}; export it with more digits"
    )
    return (Flag("coarse_current", message),)


def _require(table: pl.DataFrame, headers: Sequence[str], path: Path) -> None:
    missing = [c for c in SERIES if c not in table.columns]
    if missing:
        word = {TIME: "time", VOLTAGE: "voltage", CURRENT: "current"}[missing[-1]]
        shown = ", ".join(repr(h) for h in headers[:20])
        raise InputError(
            f"{path.name}: no {word} column; found {shown}. Is this a summary sheet? Export the record layer"
            + (", or state a constant current with --current-mA." if missing == [CURRENT] else ".")
        )


def _with_counters(table: pl.DataFrame, common: Mapping[str, pl.Series], per_step: bool) -> pl.DataFrame:
    starts = _changes(table, ["step_count"]) if per_step and "step_count" in table.columns else None
    added: list[pl.Series] = []
    for name, charging, discharging in COUNTERS:
        own = [c for c in (charging, discharging) if c in table.columns]
        added += [pl.Series(c, never_reset(table[c], starts)) for c in own]
        if not own and name in common:
            both = split_common(common[name].to_numpy(), table[CURRENT].to_numpy(), starts)
            added += [pl.Series(c, values) for c, values in zip((charging, discharging), both, strict=True)]
    return table.with_columns(added)


def never_reset(counter: pl.Series, resets: NDArray[np.bool_] | None = None) -> NDArray[np.float64] | pl.Series:
    """A counter of one direction that never restarts; handed back untouched where it does not.

    >>> never_reset(pl.Series([0.0, 2.0, 0.5])).tolist()
    [0.0, 2.0, 2.5]
    """
    if resets is None and _never_restarts(counter):
        return counter
    return np.cumsum(increments(counter.to_numpy(), resets))


def _never_restarts(counter: pl.Series) -> bool:
    if counter.null_count() or not counter.dtype.is_float() or not (counter >= 0).all():
        return False
    return len(restarts(counter.to_numpy())) == 0


def _named(path: Path, message: str) -> str:
    return message if message.startswith(path.name) else f"{path.name}: {message}"
