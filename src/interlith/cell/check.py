"""What cannot be meant, found before anything is solved."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from interlith.errors import InputError
from interlith.parts.cell import Cell
from interlith.parts.positive import Positive
from interlith.protocol import ConstantCurrent, ConstantVoltage, Protocol, Ramp, Repeat

WIDEST_V = 5.0
MOST_mA_PER_CM2 = 1000.0
MOST_STEPS = 1_000_000
LONGEST_S = 1e9  # about 30 years; a step without an end in time goes on no longer either


def check(cell: Cell, protocol: Protocol) -> None:
    """Raises InputError for a protocol that this cell cannot start or whose limits lie on the wrong side."""
    steps = list(_atoms(protocol.steps, "steps"))
    if not steps:
        raise InputError(f"protocol {protocol.name}: no steps")
    if protocol.n_steps > MOST_STEPS:
        raise InputError(
            f"protocol {protocol.name}: {protocol.n_steps:.3g} steps with all repeats; at most {MOST_STEPS}"
        )
    for place, step in steps:
        _check_limits(cell, place, step)
    if cell.kind != "symmetric":
        _check_start(cell, protocol, steps)


def _atoms(steps: tuple[Any, ...], place: str) -> Iterator[tuple[str, Any]]:
    for k, step in enumerate(steps):
        if isinstance(step, Repeat):
            yield from _atoms(step.steps, f"{place}[{k}].steps")
        else:
            yield f"{place}[{k}]", step


def _check_limits(cell: Cell, place: str, step: Any) -> None:
    for name in ("voltage_V", "to_voltage_V", "from_voltage_V"):
        value = getattr(step, name, None)
        if value is not None and abs(value) > WIDEST_V:
            raise InputError(
                f"protocol.{place}.{name} = {value:g}: between -{WIDEST_V:g} and {WIDEST_V:g} V. Is it mV?"
            )
    duration_s = getattr(step, "duration_s", None) or 0.0
    if duration_s > LONGEST_S:
        raise InputError(f"protocol.{place}.duration_s = {duration_s:g}: at most {LONGEST_S:g}, about 30 years")
    if not isinstance(step, ConstantCurrent):
        return
    if abs(step.signed_mA_per_cm2) > MOST_mA_PER_CM2:
        raise InputError(
            f"protocol.{place}.current_density_mA_per_cm2 = {step.signed_mA_per_cm2:g}: at most {MOST_mA_PER_CM2:g}"
        )
    if step.voltage_V is not None:
        _check_cut_off(cell, f"protocol.{place}.voltage_V = {step.voltage_V:g}", step.voltage_V, step.signed_mA_per_cm2)


def _check_cut_off(cell: Cell, what: str, volt: float, current: float) -> None:
    """A voltage that the current of its step moves away from is never reached."""
    if cell.kind == "symmetric" and volt * current < 0:
        raise InputError(
            f"{what}: a current of {current:g} mA/cm2 moves the voltage to the other side of 0 V. Did you mean "
            f"{-volt:g}?"
        )
    if cell.polarity < 0 and volt < 0:
        raise InputError(f"{what}: the voltage of a {cell.kind} cell is positive. Did you mean {-volt:g}?")
    positive = cell.counter
    if isinstance(positive, Positive):
        if current > 0 and volt <= positive.lower_voltage_V:
            raise InputError(
                f"{what}: charging raises the voltage; its cut-off is above {positive.lower_voltage_V:g} V"
            )
        if current < 0 and volt >= positive.upper_voltage_V:
            raise InputError(
                f"{what}: discharging lowers the voltage; its cut-off is below {positive.upper_voltage_V:g} V"
            )
    if cell.kind != "half":
        return
    if current > 0 and volt < 0:
        raise InputError(
            f"{what}: stripping raises the voltage, so its cut-off is at or above 0 V against lithium. Did you mean "
            f"{-volt:g}?"
        )
    if current < 0 and volt >= cell.initial_voltage_V:
        raise InputError(
            f"{what}: plating lowers the voltage from {cell.initial_voltage_V:g} V, so its cut-off is below; a current "
            "of the other sign strips"
        )


def _check_start(cell: Cell, protocol: Protocol, steps: list[tuple[str, Any]]) -> None:
    """A host begins empty and a positive full of lithium: nothing can be stripped or discharged first."""
    what = (
        "stripping a host that holds no lithium; plating is negative here"
        if cell.polarity > 0
        else "discharging a positive that holds all its lithium as made; charging is positive here"
    )
    for place, step in steps:
        if isinstance(step, ConstantCurrent):
            if step.signed_mA_per_cm2 * cell.polarity > 0:
                raise InputError(
                    f"protocol.{place}.current_density_mA_per_cm2 = {step.signed_mA_per_cm2:g}: protocol "
                    f"{protocol.name} begins by {what}"
                )
            return
        if isinstance(step, (ConstantVoltage, Ramp)):
            return
