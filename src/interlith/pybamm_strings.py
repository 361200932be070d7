"""Which steps the strings of a PyBaMM experiment ask for: `from_pybamm(strings)` -> Protocol. PyBaMM is not needed.

Read are "Charge at X", "Discharge at X", "Hold at X V" and "Rest", each with "for TIME", "until LIMIT" or both, joined
by "or". The grammar is that of pybamm.Experiment (docs.pybamm.org, 26.10); limits in either order and uA are ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import inf
from typing import Any

from pydantic import ValidationError

from interlith.errors import InputError
from interlith.protocol import ConstantCurrent, ConstantVoltage, Protocol, Repeat, Rest, Step
from interlith.units import SECONDS_PER_HOUR, SECONDS_PER_MINUTE, mAh_PER_Ah, unit

ACCEPTED = (
    "'Discharge at 1 mA for 2 hours or until 0.01 V', 'Charge at C/2 until 4.2 V', 'Hold at 4.2 V until C/20', "
    "'Rest for 10 minutes'; currents in A, mA, uA or C, times in seconds, minutes or hours"
)
PERIOD = re.compile(r"\s*\([^()]*\bperiod\)\s*$")
END = re.compile(r"\s+(?:or\s+)?(for|until)\s+")
NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
QUANTITY = re.compile(rf"({NUMBER})\s*([^\W\d_]+)")
RATE = re.compile(rf"C\s*/\s*({NUMBER})|({NUMBER})\s*C")
TIMES_s = {
    **dict.fromkeys(("s", "sec", "second", "seconds"), 1.0),
    **dict.fromkeys(("m", "min", "minute", "minutes"), SECONDS_PER_MINUTE),
    **dict.fromkeys(("h", "hr", "hour", "hours"), SECONDS_PER_HOUR),
}


def from_pybamm(
    strings: str | Sequence[str | Sequence[str]],
    *,
    area_cm2: float | None = None,
    nominal_mAh_per_cm2: float | None = None,
    name: str = "from PyBaMM strings",
    discharge_is_plating: bool = True,
) -> Protocol:
    """The protocol that PyBaMM experiment strings describe.

    A tuple (or list) within is a cycle; equal cycles in a row become one Repeat. Discharge is negative and Charge
    positive, as the test object sees it, in half and full cells alike; discharge_is_plating=False is for half cells
    whose strings say Charge where lithium is plated, and turns both signs. Currents in A, mA or uA need area_cm2.
    C-rates stay rates until nominal_mAh_per_cm2 is given; a hold that ends at a rate needs it. "(1 minute period)" is
    accepted and changes nothing: it says how often to write, not what is done. The limits on time that PyBaMM adds
    unasked to steps without a duration are not added. Raises InputError naming the string, for power, resistance and
    drive cycles too.

    >>> from_pybamm(["Discharge at 2 mA for 30 minutes or until 0 V"], area_cm2=2.0).steps[0].voltage_V
    0.0
    """
    for label, value in (("area_cm2", area_cm2), ("nominal_mAh_per_cm2", nominal_mAh_per_cm2)):
        if value is not None and not 0 < value < inf:
            raise InputError(f"{label} = {value:g}: a number above 0")
    reader = _Reader(area_cm2, nominal_mAh_per_cm2, -1.0 if discharge_is_plating else 1.0)
    listed = [strings] if isinstance(strings, str) else list(strings)
    protocol = Protocol(name=name, steps=tuple(_steps(listed, reader)))
    return protocol if nominal_mAh_per_cm2 is None else protocol.resolved(nominal_mAh_per_cm2)


def _steps(listed: list[Any], reader: _Reader) -> Iterator[Step]:
    if not listed:
        raise InputError(f"no strings, no protocol. Accepted: {ACCEPTED}")
    cycles = [tuple(item) if isinstance(item, list) else item for item in listed]
    for cycle, same in groupby(cycles):
        times = len(list(same))
        if not isinstance(cycle, tuple):
            yield from [reader.step(cycle)] * times
        elif not cycle:
            raise InputError("a cycle without steps: leave it out")
        else:
            yield Repeat(times=times, steps=tuple(reader.step(text) for text in cycle))


@dataclass(frozen=True)
class _Reader:
    """What a string alone does not say. discharge: the sign of a discharging current, -1 or 1."""

    area_cm2: float | None
    nominal_mAh_per_cm2: float | None
    discharge: float

    def step(self, text: object) -> Step:
        if not isinstance(text, str):
            raise InputError(f"{text!r}: not a string. Accepted: {ACCEPTED}")
        if text.lstrip().lower().startswith("run "):
            raise _refused(text, "drive cycles are not run here")
        head, *rest = END.split(PERIOD.sub("", text.strip()))
        ends = dict(zip(rest[::2], rest[1::2], strict=True))
        if 2 * len(ends) != len(rest):
            raise _refused(text, "'for' and 'until' may stand once each")
        if not ends:
            raise _refused(text, "a step needs an end, 'for' or 'until'")
        what, _, value = head.partition(" at ")
        try:
            return self._made(text, what.strip().lower(), value.strip(), ends)
        except ValidationError as problem:
            first = problem.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            raise _refused(text, f"{place}: {first['msg']}" if place else first["msg"]) from problem

    def _made(self, text: str, what: str, value: str, ends: dict[str, str]) -> Step:
        duration_s = _duration_s(text, ends["for"]) if "for" in ends else None
        until = ends.get("until")
        if what == "rest" and not value:
            if until is not None or duration_s is None:
                raise _refused(text, "a rest ends after a time, not at a limit")
            return Rest(duration_s=duration_s)
        if what == "hold":
            end = None if until is None else self._current_mA_per_cm2(text, until)
            return ConstantVoltage(
                voltage_V=_voltage_V(text, value), current_density_mA_per_cm2=end, duration_s=duration_s
            )
        if what not in ("charge", "discharge"):
            raise _refused(text, "a step begins with Charge at, Discharge at, Hold at, or Rest")
        limit_V = None if until is None else _voltage_V(text, until)
        sign = self.discharge if what == "discharge" else -self.discharge
        rate = _rate(text, value)
        current = sign * self._amperes_mA_per_cm2(text, value) if rate is None else None
        return ConstantCurrent(
            current_density_mA_per_cm2=current,
            rate_C=None if rate is None else sign * rate,
            voltage_V=limit_V,
            duration_s=duration_s,
        )

    def _current_mA_per_cm2(self, text: str, value: str) -> float:
        rate = _rate(text, value)
        if rate is None:
            return self._amperes_mA_per_cm2(text, value)
        if self.nominal_mAh_per_cm2 is None:
            raise _refused(text, f"to end a hold at {value}, give nominal_mAh_per_cm2, what 1C fills")
        return rate * self.nominal_mAh_per_cm2

    def _amperes_mA_per_cm2(self, text: str, value: str) -> float:
        amperes = _read(text, value, "current")
        if amperes <= 0:
            raise _refused(text, f"{value}: a current above 0; Charge and Discharge say its direction")
        if self.area_cm2 is None:
            raise _refused(text, f"currents here are per area: to read {value}, give area_cm2")
        return amperes * mAh_PER_Ah / self.area_cm2


def _rate(text: str, value: str) -> float | None:
    """The C-rate of "C/2" or "0.5C", or None when the value is something else."""
    found = RATE.fullmatch(value)
    if found is None:
        return None
    number = float(found[1] or found[2])
    if number <= 0:
        raise _refused(text, f"{value}: a rate above 0; Charge and Discharge say its direction")
    return 1 / number if found[1] else number


def _duration_s(text: str, value: str) -> float:
    found = QUANTITY.fullmatch(value.strip())
    factor_s = TIMES_s.get(found[2].lower()) if found else None
    if found is None or factor_s is None:
        raise _refused(text, f"{value!r} is no time in seconds, minutes or hours")
    return float(found[1]) * factor_s


def _voltage_V(text: str, value: str) -> float:
    return _read(text, value, "voltage")


def _read(text: str, value: str, wanted: str) -> float:
    """A current in A or a voltage in V, as `wanted` says."""
    found = QUANTITY.fullmatch(value.strip())
    known = unit(found[2]) if found else None
    if found and re.fullmatch(r"[mk]?(W|Ohm)", found[2]):
        raise _refused(text, f"{value}: power and resistance are not controlled here")
    if found is None or known is None or known[0] != wanted:
        raise _refused(text, f"{value!r} is not a {wanted}, and a {wanted} has to stand there")
    return float(found[1]) * known[1]


def _refused(text: str, why: str) -> InputError:
    return InputError(f"{text!r}: {why}. Accepted: {ACCEPTED}")
