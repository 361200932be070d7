"""Mean voltage of a positive over a window: the integral of its open circuit, not a constant."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from interlith.errors import InputError
from interlith.parts.positive import Curve, positive

Floats = NDArray[np.float64]
N_POINTS = 4001
CurveOf = str | Curve


class Table(NamedTuple):
    """Open circuit over the lithium in a positive. voltage_V falls, charge and energy rise: [N_POINTS] each."""

    stoichiometry: Floats
    voltage_V: Floats
    integral_V: Floats  # of voltage_V over the stoichiometry, from the first point


def mean_open_circuit_V(curve: CurveOf, lower_V: ArrayLike, upper_V: ArrayLike) -> Floats:
    """Mean of the open circuit over the lithium that goes in between two voltages; any shape that broadcasts.

    curve: the name of a shipped positive, or a curve over the stoichiometry. Beyond the end of a curve nothing goes in;
    `beyond` says where that is so. Raises InputError when nothing goes in at all.

    >>> round(float(mean_open_circuit_V("ncm90", 2.75, 4.25)), 3)
    3.858
    """
    table = _table(curve)
    full, empty = (_at(table, np.asarray(voltage, dtype=np.float64)) for voltage in (lower_V, upper_V))
    width = full - empty
    if np.any(width <= 0):
        raise InputError(f"{_name(curve)}: nothing goes in from {np.max(upper_V):g} down to {np.min(lower_V):g} V")
    energy = np.interp(full, table.stoichiometry, table.integral_V) - np.interp(
        empty, table.stoichiometry, table.integral_V
    )
    mean: Floats = energy / width
    return mean


def lithium_at(curve: CurveOf, voltage_V: ArrayLike) -> Floats:
    """Lithium per site at an open circuit; the end of the curve where that lies beyond it.

    >>> lithium_at("ncm90", [4.25, 2.75]).round(3).tolist()
    [0.278, 0.908]
    """
    return _at(_table(curve), np.asarray(voltage_V, dtype=np.float64))


def open_circuit_V(curve: CurveOf, stoichiometry: ArrayLike) -> Floats:
    """The open circuit at lithium per site: of a shipped positive by its name, or of a curve.

    >>> open_circuit_V("ncm90", [0.5, 0.9]).round(3).tolist()
    [3.972, 3.218]
    """
    return positive(curve).open_circuit_V(stoichiometry) if isinstance(curve, str) else curve(stoichiometry)


def beyond(curve: CurveOf, lower_V: float, upper_V: float) -> tuple[float, float] | None:
    """The ends of a curve, high and low, where a window goes beyond them; None where it does not.

    >>> beyond("ncm90", 2.75, 4.25) is None
    True
    """
    table = _table(curve)
    high, low = float(table.voltage_V[0]), float(table.voltage_V[-1])
    return (high, low) if upper_V > high or lower_V < low - 1e-9 else None


def _at(table: Table, voltage_V: Floats) -> Floats:
    found: Floats = np.interp(-voltage_V, -table.voltage_V, table.stoichiometry)
    return found


def _name(curve: CurveOf) -> str:
    return curve if isinstance(curve, str) else "open_circuit"


@cache
def _shipped(name: str) -> Table:
    part = positive(name)
    x = np.linspace(part.open_circuit.stoichiometry[0], part.lithiated, N_POINTS)
    return _integrated(x, part.open_circuit_V(x))


def _table(curve: CurveOf) -> Table:
    if isinstance(curve, str):
        return _shipped(curve)
    x = np.linspace(curve.stoichiometry[0], curve.stoichiometry[-1], N_POINTS)
    return _integrated(x, curve(x))


def _integrated(x: Floats, voltage_V: Floats) -> Table:
    if np.any(np.diff(voltage_V) > 0):
        raise InputError("open_circuit: must fall from point to point as lithium goes in")
    steps = 0.5 * (voltage_V[1:] + voltage_V[:-1]) * np.diff(x)
    return Table(x, voltage_V, np.concatenate(([0.0], np.cumsum(steps))))
