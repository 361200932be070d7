"""What cannot be meant, found before anything is solved."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from interlith.errors import InputError
from interlith.parts.cell import Cell
from interlith.protocol import ConstantCurrent, ConstantVoltage, Protocol, Ramp, Repeat

WIDEST_V = 6.0


def check(cell: Cell, protocol: Protocol) -> None:
    """Raises InputError for a protocol that this cell cannot start or whose limits lie on the wrong side."""
    steps = list(_atoms(protocol.steps, "steps"))
    if not steps:
        raise InputError(f"protocol {protocol.name}: no steps")
    for place, step in steps:
        _check_limits(cell, place, step)
    if cell.kind == "half":
        _check_start(protocol, steps)


def _atoms(steps: tuple[Any, ...], place: str) -> Iterator[tuple[str, Any]]:
    for k, step in enumerate(steps):
        if isinstance(step, Repeat):
            yield from _atoms(step.steps, f"{place}[{k}].steps")
        else:
            yield f"{place}[{k}]", step


def _check_limits(cell: Cell, place: str, step: Any) -> None:
    limits = [("voltage_V", getattr(step, "voltage_V", None)), ("to_voltage_V", getattr(step, "to_voltage_V", None))]
    for name, value in limits:
        if value is not None and abs(value) > WIDEST_V:
            raise InputError(
                f"protocol.{place}.{name} = {value:g}: between -{WIDEST_V:g} and {WIDEST_V:g} V. Is it mV?"
            )
    if not isinstance(step, ConstantCurrent) or step.voltage_V is None or cell.kind != "half":
        return
    strips = step.signed_mA_per_cm2 > 0
    if strips and step.voltage_V < 0:
        raise InputError(
            f"protocol.{place}.voltage_V = {step.voltage_V:g}: stripping raises the voltage, so its cut-off is at or "
            f"above 0 V against lithium. Did you mean {-step.voltage_V:g}?"
        )
    if not strips and step.voltage_V >= cell.initial_voltage_V:
        raise InputError(
            f"protocol.{place}.voltage_V = {step.voltage_V:g}: plating lowers the voltage from "
            f"{cell.initial_voltage_V:g} V, so its cut-off is below; a current of the other sign strips"
        )


def _check_start(protocol: Protocol, steps: list[tuple[str, Any]]) -> None:
    """A host begins empty: nothing can be stripped from it first."""
    for place, step in steps:
        if isinstance(step, ConstantCurrent):
            if step.current_density_mA_per_cm2 > 0:  # type: ignore[operator]
                raise InputError(
                    f"protocol.{place}.current_density_mA_per_cm2 = {step.signed_mA_per_cm2:g}: protocol "
                    f"{protocol.name} begins by stripping a host that holds no lithium; plating is negative here"
                )
            return
        if isinstance(step, (ConstantVoltage, Ramp)):
            return
