"""Every limit an analysis uses, with its default and where that comes from. All are parameters; all are printed.

"proposal" marks a default of interlith's own for which the field has no agreed number.
"""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass, field, fields
from typing import Any

from interlith.errors import InputError

PROPOSAL = "proposal of interlith"
BOUNDS = {
    "gt": (operator.gt, "greater than"),
    "ge": (operator.ge, "at least"),
    "lt": (operator.lt, "less than"),
    "le": (operator.le, "at most"),
}


def _limit(default: float | tuple[float, ...], meaning: str, source: str = PROPOSAL, **bounds: float) -> Any:
    return field(default=default, metadata={"meaning": meaning, "source": source, "bounds": bounds})


@dataclass(frozen=True)
class Thresholds:
    """The limits of all analyses. Raises InputError for a value that is no number or outside its bounds.

    A plain dataclass, not a pydantic model: reading one file must not wait for pydantic to be imported.
    """

    rest_fraction: float = _limit(2e-4, "currents below this fraction of the largest are rest", ge=0, lt=0.5)
    gap_factor: float = _limit(10, "an interval this many times the usual one of its step is a gap", gt=1)
    gap_floor_s: float = _limit(60, "no shorter interval within a step is a gap", ge=0)
    fragment_fraction: float = _limit(
        2e-3, "branches below this fraction of the typical charge are fragments", ge=0, lt=1
    )
    capacity_mismatch: float = _limit(0.005, "own integral against the tester's counter, relative", gt=0)
    formation_cycles: int = _limit(0, "cycles at the start that are reported apart", ge=0)
    efficiency_low: float = _limit(0.80, "a cycle efficiency below is an event, not noise", gt=0, lt=1)
    efficiency_high: float = _limit(1.005, "a cycle efficiency above is an event, not noise", gt=0.9)
    erratic_first_cycle: int = _limit(4, "cycles before are not looked at", ge=1)
    erratic_median_cycles: int = _limit(11, "window of the running median", ge=3)
    erratic_stable_cycles: int = _limit(15, "length of the early stable window", ge=5)
    erratic_window_cycles: int = _limit(10, "window of the scatter", ge=3)
    erratic_sigmas: float = _limit(3, "scatter above this many early sigmas", gt=0)
    erratic_floor: float = _limit(0.005, "and above this, as a fraction of efficiency", gt=0)
    erratic_successive: int = _limit(5, "for so many cycles in a row", ge=1)
    short_drop: float = _limit(0.30, "polarization falling by more than this fraction of its recent median", gt=0, lt=1)
    short_median_branches: int = _limit(5, "branches in that recent median", ge=2)
    short_step_factor: float = _limit(10, "voltage steps above this many times the usual step noise", gt=1)
    short_recovery: float = _limit(0.30, "rise above its lowest by this fraction makes a short transient", gt=0)
    short_impedance_drop: float = _limit(0.20, "fall of Re Z of the same hour that supports a short", gt=0, lt=1)
    hard_short_V: float = _limit(0.010, "|V| that stays below, at a current, is a hard short", gt=0)
    short_overstrip: float = _limit(1.005, "more stripped than plated by this factor: short or revival", gt=1)
    full_overcharge: float = _limit(
        1.02, "charge above this times the previous discharge: soft short of a full cell", gt=1
    )
    full_noise_factor: float = _limit(5, "voltage noise above this many times the early noise", gt=1)
    life_efficiency: tuple[float, ...] = _limit((0.90, 0.80), "efficiency limits of life", source="common practice")
    life_successive: int = _limit(3, "cycles in a row below the limit", ge=1)
    life_polarization_factor: float = _limit(2, "polarization against its minimum after the settling cycles", gt=1)
    life_settling_cycles: int = _limit(5, "cycles before that minimum is taken", ge=0)
    life_retention: float = _limit(0.80, "capacity against the reference cycle", source="common practice", gt=0, lt=1)
    reference_cycle: int = _limit(1, "the cycle capacities are compared with, counted after formation", ge=1)
    hysteresis_middle: float = _limit(0.40, "middle part of the capacity that is averaged", gt=0, le=1)
    nucleation_dip_part: float = _limit(0.10, "first part of plating in which the dip is looked for", gt=0, lt=0.4)
    nucleation_step_V: float = _limit(0.001, "coarser voltage sampling than this finds no dip", gt=0)
    nucleation_step_s: float = _limit(5, "coarser time sampling than this finds no dip", gt=0)
    conversion_V: float = _limit(0.0, "charge until plating first reaches this voltage is conversion, SEI or alloying")
    conversion_return_V: float = _limit(
        0.15, "charge stripped above is given back by the host, up to what it took", gt=0
    )
    dqdv_step_V: float = _limit(0.005, "narrowest voltage bin of dQ/dV", gt=0)
    offset_of_range: float = _limit(5e-4, "current offset as a fraction of the range, where none is stated", ge=0)
    gain_difference: float = _limit(0.0, "gain of stripping minus gain of plating, relative", ge=0)

    def __post_init__(self) -> None:
        for limit in fields(self):
            object.__setattr__(self, limit.name, _checked(limit, getattr(self, limit.name)))

    def table(self) -> list[dict[str, Any]]:
        """Name, value, meaning and source of each, as shown with every result."""
        return [
            {
                "name": limit.name,
                "value": getattr(self, limit.name),
                "meaning": limit.metadata["meaning"],
                "source": limit.metadata["source"],
                "changed": getattr(self, limit.name) != limit.default,
            }
            for limit in fields(self)
        ]


NAMES = tuple(limit.name for limit in fields(Thresholds))


def _checked(limit: Any, value: Any) -> Any:
    """The value in the type of the limit's default, within its bounds."""
    if value is limit.default:
        return value
    if isinstance(limit.default, tuple):
        return tuple(_number(limit, part, float) for part in value)
    return _number(limit, value, int if limit.type == "int" else float)


def _number(limit: Any, value: Any, kind: type) -> float:
    try:
        number = kind(value)
    except (TypeError, ValueError):
        wanted = "a whole number" if kind is int else "a number"
        raise InputError(f"threshold {limit.name}={value}: must be {wanted}") from None
    if not math.isfinite(number):
        raise InputError(f"threshold {limit.name}={value}: must be a finite number")
    for bound, edge in limit.metadata["bounds"].items():
        holds, words = BOUNDS[bound]
        if not holds(number, edge):
            raise InputError(f"threshold {limit.name}={value}: must be {words} {edge}")
    return number


def thresholds_from(pairs: list[str]) -> Thresholds:
    """Thresholds with some set by hand: ["short_drop=0.4", ...]. Raises InputError naming the nearest known one.

    >>> thresholds_from(["short_drop=0.4"]).short_drop
    0.4
    """
    values: dict[str, Any] = {}
    for pair in pairs:
        name, sign, text = pair.partition("=")
        if name not in NAMES or not sign:
            raise InputError(f"--threshold {pair}: {_nearest(name)}")
        values[name] = tuple(text.split(",")) if name == "life_efficiency" else text
    return Thresholds(**values)


def _nearest(name: str) -> str:
    import difflib

    close = difflib.get_close_matches(name, NAMES, n=1)
    hint = f"; did you mean {close[0]}?" if close else ""
    return f"not a threshold as NAME=VALUE{hint} (known: {', '.join(NAMES)})"
