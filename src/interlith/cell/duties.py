"""What a model of a cell owes the integrator, and how it says that it offers it.

A model is a NamedTuple `system` of numbers and arrays. With W = I / (h gamma) - J, J = d rates / d y at the state where
`linearize` was called, the duties are:

    workspace(system)                           arrays that the model works in, made once for a step of the protocol
    rates(y, system, control, work, dy)         dy/dt into dy; it depends on time through the state of time alone
    terminals(y, system, control)               voltage, current at the terminals, current through the electrolyte
    linearize(y, system, control, scale, dy, work)  J, given dy = rates(y); scale: float[n], the size of each state
    prepare(system, h, work)                    factorize W; False when that cannot be done
    solve_stage(system, h, work, right)         right <- W^-1 right. What is conserved by J must be conserved by it
    account(y, system, row)                     the numbers of account.py

control: what is held (0 current, 1 voltage), its value, its slope per s, the time from which the slope counts. Currents
are A/m2 of the working electrode, positive when they oxidize it. The last four states of every model are charge passed,
charge through a short, time, and what the short carried.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numba.extending import overload
from numpy.typing import NDArray

Function = TypeVar("Function", bound=Callable[..., Any])
Floats = NDArray[np.float64]
HOLD_CURRENT, HOLD_VOLTAGE = 0, 1
PASSED, SHORTED, TIME, CARRIED = -4, -3, -2, -1


def workspace(system: Any) -> Any:
    """See above."""
    raise NotImplementedError


def rates(y: Floats, system: Any, control: Floats, work: Any, dy: Floats) -> None:
    """See above."""
    raise NotImplementedError


def terminals(y: Floats, system: Any, control: Floats) -> tuple[float, float, float]:
    """See above."""
    raise NotImplementedError


def linearize(y: Floats, system: Any, control: Floats, scale: Floats, dy: Floats, work: Any) -> None:
    """See above."""
    raise NotImplementedError


def prepare(system: Any, h: float, work: Any) -> bool:
    """See above."""
    raise NotImplementedError


def solve_stage(system: Any, h: float, work: Any, right: Floats) -> None:
    """See above."""
    raise NotImplementedError


def account(y: Floats, system: Any, row: Floats) -> None:
    """See above."""
    raise NotImplementedError


def serves(duty: Callable[..., Any], kind: type) -> Callable[[Function], Function]:
    """Say that a function does this duty for systems of this kind; the integrator is compiled for each kind."""

    def register(function: Function) -> Function:
        plain: Any = getattr(function, "py_func", function)
        place = list(inspect.signature(plain).parameters).index("system")

        def choose(*types: Any) -> Any:
            return plain if getattr(types[place], "instance_class", None) is kind else None

        choose.__signature__ = inspect.signature(plain)  # type: ignore[attr-defined]
        overload(duty)(choose)
        return function

    return register
