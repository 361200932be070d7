"""What EC-Lab's columns mean, whether they come from an .mpr or from a text export.

EC-Lab names a column "name/unit". Rows with a frequency above 0 are impedance points; all others are time series.
Many galvanostatic files hold no current: `current` says where else it is written, and lets the file's own charge
counter judge.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from interlith.cycling.formats.counters import split_net
from interlith.cycling.formats.spectra import eis_table, spectrum_numbers
from interlith.errors import InputError
from interlith.record import CURRENT, TIME, VOLTAGE, Flag
from interlith.units import SECONDS_PER_HOUR, unit

Array = NDArray[np.float64]
# header as EC-Lab writes it -> values in the header's unit, all of one length, NaN where empty
Columns = Mapping[str, Array]

GALVANOSTATIC, REST, MODE_BITS = 1, 3, 3
VOLTAGES = ("Ewe", "Ecell", "<Ewe>", "<Ecell>", "E", "Ewe-Ece")
CURRENTS = ("I", "<I>")
CONTROLS = ("control/V", "control")
# below this voltage, power over voltage is mostly rounding
LEAST_VOLTAGE_V = 1e-3
MOST_CHARGE_MISMATCH = 0.005
PERCENT = 100.0


def values(columns: Columns, names: tuple[str, ...], quantity: str) -> Array | None:
    """The first of these columns that holds this quantity, in its base unit (s, V, A, Ah, Hz, ohm)."""
    for name in names:
        for header, column in columns.items():
            written, _, unit_written = header.rpartition("/")
            known = unit(unit_written)
            if written == name and known and known[0] == quantity:
                return column * known[1]
    return None


def mode(columns: Columns) -> Array | None:
    """EC-Lab's mode of each row: 1 galvanostatic, 2 potentiostatic, 3 at rest."""
    if "mode" in columns:
        return np.nan_to_num(columns["mode"])
    if "flags" in columns:
        return (np.nan_to_num(columns["flags"]).astype(np.int64) & MODE_BITS).astype(float)
    return None


def net_charge_Ah(columns: Columns) -> Array | None:
    """Charge passed since the first row, charging counted positive, from the instrument's own counter."""
    growth = values(columns, ("dq",), "charge")
    if growth is not None:
        return np.cumsum(np.nan_to_num(growth))
    return values(columns, ("(Q-Qo)", "Q-Qo"), "charge")


def charge_mismatch(current_A: Array, time_s: Array, net_Ah: Array) -> float:
    """Difference of the charge by trapezoids of the current from that of the counter, per charge moved (0 = none)."""
    moved = np.diff(np.nan_to_num(net_Ah))
    total = float(np.sum(np.abs(moved)))
    if total == 0:
        return 0.0
    current = np.nan_to_num(current_A)
    charge = (current[1:] + current[:-1]) / 2 * np.diff(time_s) / SECONDS_PER_HOUR
    both_ways = abs(float(np.sum(np.abs(charge))) - total)
    return max(both_ways, abs(float(np.sum(charge) - np.sum(moved)))) / total


def charge_rate_A(time_s: Array, net_Ah: Array) -> Array:
    """Mean current over the interval before each row, from the growth of the charge counter."""
    interval = np.diff(time_s, prepend=time_s[:1])
    growth = np.diff(np.nan_to_num(net_Ah), prepend=np.nan_to_num(net_Ah[:1])) * SECONDS_PER_HOUR
    return np.divide(growth, interval, out=np.zeros(len(time_s)), where=interval > 0)


def indirect_currents(columns: Columns) -> dict[str, Array]:
    """Every way to the current that a table without a current column offers, the most direct first."""
    time, net, state = values(columns, ("time",), "time"), net_charge_Ah(columns), mode(columns)
    control = values(columns, CONTROLS if state is not None else CONTROLS[1:], "current")
    rate = None if time is None or net is None else charge_rate_A(time, net)
    found: dict[str, Array] = {}
    if control is not None and state is not None and rate is not None:
        how = "the control current where galvanostatic, growth of the charge over time elsewhere"
        found[how] = np.where(state == GALVANOSTATIC, control, rate)
    elif control is not None and state is not None:
        resting = np.where(state == REST, 0.0, np.nan)
        found["the control current where galvanostatic"] = np.where(state == GALVANOSTATIC, control, resting)
    elif rate is not None:
        found["growth of the charge over time"] = rate
    elif control is not None:
        found["the control current"] = control
    power, voltage = columns.get("P/W"), values(columns, VOLTAGES, "voltage")
    if power is not None and voltage is not None:
        near_zero = next(iter(found.values()), np.zeros(len(power)))
        usable = np.abs(voltage) > LEAST_VOLTAGE_V
        by_power = np.divide(power, voltage, out=near_zero.copy(), where=usable)
        return {"power over voltage": by_power, **found}
    return found


def current(columns: Columns, series: NDArray[np.bool_]) -> tuple[Array | None, tuple[Flag, ...]]:
    """The current in A: measured, else the first indirect one whose charge the file's counter confirms to 0.5 %.

    `series`: true for the rows that are no impedance points. None when the table offers no way to it.
    """
    measured = values(columns, CURRENTS, "current")
    if measured is not None:
        return measured, ()
    found = indirect_currents(columns)
    if not found:
        return None, ()
    time, net = values(columns, ("time",), "time"), net_charge_Ah(columns)
    if time is None or net is None:
        how, chosen = next(iter(found.items()))
        message = f"no current column; the current is {how}, and the file has no charge counter to check it against"
        return chosen, (Flag("current_derived", message, len(chosen), 0),)
    off = {how: charge_mismatch(amps[series], time[series], net[series]) for how, amps in found.items()}
    how = next((how for how in off if off[how] <= MOST_CHARGE_MISMATCH), min(off, key=lambda how: off[how]))
    agreement = f"its charge differs from the file's counter by {off[how] * PERCENT:.2g} %"
    flags = [Flag("current_derived", f"no current column; the current is {how}; {agreement}", len(time), 0)]
    if off[how] > MOST_CHARGE_MISMATCH:
        flags.append(Flag("capacity_mismatch", f"current: {how}; {agreement}", len(time), 0))
    return found[how], tuple(flags)


def impedance(columns: Columns) -> tuple[Array, Array] | None:
    """Re Z and Im Z in ohm, from Re(Z) and -Im(Z), else from |Z| and its phase; None without either."""
    real = values(columns, ("Re(Z)",), "impedance")
    minus = values(columns, ("-Im(Z)",), "impedance")
    if real is not None and minus is not None:
        return real, -minus
    size, phase = values(columns, ("|Z|",), "impedance"), columns.get("Phase(Z)/deg")
    if size is None or phase is None:
        return None
    return size * np.cos(np.radians(phase)), size * np.sin(np.radians(phase))


def record_table(columns: Columns) -> tuple[pl.DataFrame, tuple[Flag, ...]]:
    """The columns of a record, and flags for what had to be derived.

    Raises InputError when time, voltage or current cannot be had for rows that are no impedance points, and when
    frequencies come without impedances.
    """
    n_rows = len(next(iter(columns.values())))
    frequency = values(columns, ("freq",), "frequency")
    frequency = np.full(n_rows, np.nan) if frequency is None else np.where(frequency > 0, frequency, np.nan)
    series = np.isnan(frequency)
    z = impedance(columns)
    if z is None and not series.all():
        raise InputError(f"frequencies but no impedance; found {_listed(columns)}. Export Re(Z) and -Im(Z)")
    real, imaginary = z or (frequency, frequency)
    time, voltage = values(columns, ("time",), "time"), values(columns, VOLTAGES, "voltage")
    amps, flags = current(columns, series)
    for name, column in (("time", time), ("voltage (Ewe or Ecell)", voltage), ("current", amps)):
        if column is None and series.any():
            raise InputError(f"no {name} column; found {_listed(columns)}. Add it to the export from EC-Lab")
    table = eis_table(frequency, real, imaginary, time, voltage, amps)
    if series.all():
        table = table.select(TIME, VOLTAGE, CURRENT)
    else:
        where = pl.Series(~series)
        table = table.with_columns(pl.when(where).then(pl.col("real_impedance_ohm", "imaginary_impedance_ohm")))
    return table.with_columns(_extras(columns, frequency)), flags


def electrode_notes(columns: Columns) -> tuple[str, ...]:
    """A note when the counter electrode was measured too, so that the voltage is that against the reference."""
    if values(columns, ("Ewe",), "voltage") is None or values(columns, ("Ece", "<Ece>"), "voltage") is None:
        return ()
    return ("Ece was recorded too: the voltage is Ewe, against the reference electrode",)


def _extras(columns: Columns, frequency: Array) -> list[pl.Series]:
    extras = []
    for name, target in (("Ns", "step_id"), ("cycle number", "cycle_count")):
        if name in columns:
            extras.append(pl.Series(target, np.nan_to_num(columns[name]).astype(np.int64)))
    if (steps := _step_count(columns, frequency)) is not None:
        extras.append(pl.Series("step_count", steps))
    if "uts" in columns:
        extras.append(pl.Series("unix_time_second", columns["uts"], nan_to_null=True))
    if (net := net_charge_Ah(columns)) is not None:
        charged, discharged = split_net(net)
        extras += [pl.Series("charging_capacity_ah", charged), pl.Series("discharging_capacity_ah", discharged)]
    return extras


def _step_count(columns: Columns, frequency: Array) -> NDArray[np.int64] | None:
    spectrum = np.nan_to_num(spectrum_numbers(frequency), nan=-1.0)
    parts = [np.nan_to_num(columns[name]) for name in ("Ns", "half cycle") if name in columns]
    if (state := mode(columns)) is not None:
        parts.append(state)
    if not parts and len(np.unique(spectrum)) == 1:
        return None
    changes = [np.diff(part, prepend=part[:1]) != 0 for part in (*parts, spectrum)]
    return 1 + np.cumsum(np.any(changes, axis=0))


def _listed(columns: Columns) -> str:
    return ", ".join(repr(header) for header in list(columns)[:20])
