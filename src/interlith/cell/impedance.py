"""Impedance of a cell for a small signal, by linearization about the state in which a model is.

With dy/dt = f(y, I) and V = g(y, I) at a held current I (duties `rates` and `terminals`), and J = df/dy, B = df/dI,
C = dg/dy, D = dg/dI:

    Z(w) = D + C (j w - J)^-1 B

States on which nothing depends (totals) have columns of zeros in J and C and are left out. J and C are made by
differences to both sides, of these sizes: 0.1 mV for a potential, which is small against R T / F (error 1e-6) and large
against the 0.01 mV that the integrator may be off at rest; 1e-6 of itself, or what the integrator may be off, for
all else. Currents of stripping are limited (mechanisms/kinetics.py), which adds an error of 1e-5 for lithium.

Kinetics are one-sided (mechanisms/kinetics.py): about u = 0 a surface may strip with another slope, g+, than it plates
with, g-. A fresh foil has 1 : 3, its roughness as plated. Then no linear answer exists, however small the signal. What
we take is the mean of both RESISTANCES, g = 2 g+ g- / (g+ + g-): the first harmonic of u under a slow sine of current
without a mean, and what a small steady current finds in a symmetric cell. At the corner of the arc, where u is nearer
to a sine, this is off by 5 % of the arc for 1 : 3 (tests/cell/test_impedance.py). The mean of both SLOPES, which a
plain central difference gives, is off by 33 %: it answers a sine of u with mean 0, under which lithium piles up, and no
cell at rest does that. A surface that has nothing to strip blocks.

The state need not be steady: J is then that of the moment, and Z means something at w far above the rates of change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from interlith.cell.advance import VOLTS
from interlith.cell.compiled import compiled, loading
from interlith.cell.duties import rates, terminals, workspace
from interlith.cell.models import DEFAULT_RELATIVE, Model
from interlith.errors import InputError, SolverError
from interlith.units import M2_PER_CM2, A_PER_M2_PER_mA_PER_CM2

POTENTIAL_V, CURRENT_A_PER_M2, RELATIVE = 1e-4, 1e-2, 1e-6  # how far states and current are varied
AT_ONCE = 64  # frequencies that are solved together
NO_DEAD_LAYER = ("dead_ohm_m2_per_C", "dead_per_limit")


@dataclass(frozen=True)
class Linear:
    """A cell for small signals: J, B, C and D, SI, for the states kept; size: float64[m], by which states are scaled.

    jacobian: float64[m, m] in 1/s; drive: float64[m]; sees: float64[m]; through: ohm m2.
    """

    jacobian: NDArray[np.float64]
    drive: NDArray[np.float64]
    sees: NDArray[np.float64]
    through: float
    states: NDArray[np.int64]
    size: NDArray[np.float64]


@compiled
def _differences(
    y: NDArray[np.float64],
    system: Any,
    control: NDArray[np.float64],
    size: NDArray[np.float64],
    kinked: NDArray[np.bool_],
    found: NDArray[np.float64],
) -> None:
    """J above C, and B above D in the last column: found, float64[n + 1, n + 1]. kinked: whose slopes may differ."""
    n = len(y)
    work = workspace(system)
    at, up, down = np.empty(n + 1), np.empty(n + 1), np.empty(n + 1)
    _all(y, system, control, work, at)
    for k in range(n):
        kept = y[k]
        y[k] = kept + size[k]
        above = y[k] - kept
        _all(y, system, control, work, up)
        y[k] = kept - size[k]
        below = kept - y[k]
        _all(y, system, control, work, down)
        y[k] = kept
        share = 0.5
        if kinked[k]:
            slope_up, slope_down = abs(up[k] - at[k]) / above, abs(at[k] - down[k]) / below
            if slope_up + slope_down > 0.0:
                share = slope_down / (slope_up + slope_down)
        for i in range(n + 1):
            found[i, k] = share * (up[i] - at[i]) / above + (1.0 - share) * (at[i] - down[i]) / below
    varied = control.copy()
    varied[1] = control[1] + CURRENT_A_PER_M2
    _all(y, system, varied, work, up)
    varied[1] = control[1] - CURRENT_A_PER_M2
    _all(y, system, varied, work, down)
    for i in range(n + 1):
        found[i, n] = (up[i] - down[i]) / (2.0 * CURRENT_A_PER_M2)


@compiled
def _all(
    y: NDArray[np.float64], system: Any, control: NDArray[np.float64], work: Any, found: NDArray[np.float64]
) -> None:
    """Rates of all states, then the voltage."""
    rates(y, system, control, work, found[:-1])
    found[-1] = terminals(y, system, control)[0]


def linearized(model: Model, current_mA_per_cm2: float = 0.0) -> Linear:
    """A model about its state, while this current is held (positive oxidizes the working electrode).

    >>> from interlith.cell.models import DEFAULT_RELATIVE, model_of
    >>> from interlith.parts.samples import symmetric_cell
    >>> linearized(model_of(symmetric_cell(), "lumped", (), DEFAULT_RELATIVE)).states.tolist()  # both potentials
    [8, 18]
    """
    y, tolerance = model.y.copy(), model.tolerance
    kinked = tolerance.sort == VOLTS
    floor = tolerance.absolute * max(DEFAULT_RELATIVE / tolerance.relative, 1.0)
    size = np.where(kinked, POTENTIAL_V, np.maximum(floor, RELATIVE * np.abs(y)))
    control = np.array([0.0, current_mA_per_cm2 * A_PER_M2_PER_mA_PER_CM2, 0.0, 0.0])
    found = np.empty((len(y) + 1, len(y) + 1))
    with loading(f"impedance-{type(model.system).__name__}"):
        _differences(y, model.system, control, size, kinked, found)
    if not np.isfinite(found).all():
        raise SolverError("impedance: the rates of this state are no numbers")
    states = np.flatnonzero(found[:, :-1].any(axis=0))
    return Linear(
        jacobian=found[np.ix_(states, states)],
        drive=found[states, -1],
        sees=found[-1, states],
        through=float(found[-1, -1]),
        states=states,
        size=size[states],
    )


def impedance_ohm_cm2(cell: Linear, frequency_Hz: Sequence[float] | NDArray[np.float64]) -> NDArray[np.complex128]:
    """Z at these frequencies, ohm cm2 of the working electrode; over its area in cm2 it is that of the cell in ohm.

    Raises InputError for a frequency that is not a positive number.

    >>> from interlith.cell.models import DEFAULT_RELATIVE, model_of
    >>> from interlith.parts.samples import half_cell
    >>> never_plated = linearized(model_of(half_cell("cp"), "lumped", (), DEFAULT_RELATIVE))
    >>> z = impedance_ohm_cm2(never_plated, [1e6, 1.0])
    >>> bool(z[0].imag > -0.1), bool(z[1].imag < -10)  # only a double layer: it blocks
    (True, True)
    """
    return _voltage(cell, _response(cell, _checked(frequency_Hz)))


def parts_ohm_cm2(
    model: Model, frequency_Hz: Sequence[float] | NDArray[np.float64], current_mA_per_cm2: float = 0.0
) -> Mapping[str, NDArray[np.complex128]]:
    """What each part adds to Z, ohm cm2 of the working electrode; the parts add up to it.

    contact; working and counter: each electrode's double layer, kinetics and film as seen from its front, and for a
    resolved host the electrolyte in its pores; dead layer: what lies before the fronts; electrolyte: all else, in the
    separator its resistance and its salt, in a lumped cell the resistance of the hosts' electrolyte too.

    >>> from interlith.cell.models import DEFAULT_RELATIVE, model_of
    >>> from interlith.parts.samples import half_cell
    >>> found = parts_ohm_cm2(model_of(half_cell("cp"), "lumped", (), DEFAULT_RELATIVE), [1.0])
    >>> list(found), round(float(found["contact"][0].real), 9)
    (['contact', 'electrolyte', 'working', 'counter', 'dead layer'], 2.0)
    """
    whole = linearized(model, current_mA_per_cm2)
    x = _response(whole, _checked(frequency_Hz))
    potential = model.tolerance.sort[whole.states] == VOLTS
    seen = np.where(potential, whole.sees, 0.0)
    ones = np.ones(len(x))
    found = {
        "contact": float(model.system.circuit.contact_ohm_m2) * ones / M2_PER_CM2,
        "working": x @ np.maximum(seen, 0.0) / M2_PER_CM2,
        "counter": x @ np.minimum(seen, 0.0) / M2_PER_CM2,
        "dead layer": _voltage(whole, x) - _voltage(_without_dead_layer(model, whole, current_mA_per_cm2), x),
    }
    rest = _voltage(whole, x) - np.sum(list(found.values()), axis=0)
    order = ("contact", "electrolyte", "working", "counter", "dead layer")
    return {name: {**found, "electrolyte": rest}[name] + 0j for name in order}


def _without_dead_layer(model: Model, whole: Linear, current_mA_per_cm2: float) -> Linear:
    """The same responses seen through terminals without dead layers, which are algebraic."""
    system = model.system
    off = {}
    for name in ("working", "counter"):
        part = getattr(system, name).copy()
        for field in NO_DEAD_LAYER:
            part[field] = 0.0
        off[name] = part
    bare = linearized(model._replace(system=system._replace(**off)), current_mA_per_cm2)
    sees = np.zeros(len(model.y))
    sees[bare.states] = bare.sees
    return Linear(whole.jacobian, whole.drive, sees[whole.states], bare.through, whole.states, whole.size)


def _checked(frequency_Hz: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
    found = np.asarray(frequency_Hz, dtype=float).ravel()
    wrong = found[~(np.isfinite(found) & (found > 0))]
    if len(wrong):
        raise InputError(f"frequency_Hz = {wrong[0]:g}: must be a number above 0")
    return found


def _response(cell: Linear, frequency_Hz: NDArray[np.float64]) -> NDArray[np.complex128]:
    """(j w - J)^-1 B: complex128[frequency, state]. States are scaled: amounts and volts differ by many powers of ten.

    A dense solution for each frequency: some fifty states, and no eigenvectors that could be nearly parallel.
    """
    n, scale = len(cell.states), cell.size
    jacobian = cell.jacobian * (scale / scale[:, None])
    x = np.empty((len(frequency_Hz), n), dtype=complex)
    for first in range(0, len(frequency_Hz), AT_ONCE):
        omega = 2.0 * np.pi * frequency_Hz[first : first + AT_ONCE]
        matrix = 1j * omega[:, None, None] * np.eye(n) - jacobian
        try:
            solved = np.linalg.solve(matrix, np.broadcast_to((cell.drive / scale)[:, None], (len(omega), n, 1)))
        except np.linalg.LinAlgError as problem:
            raise SolverError("impedance: this state answers one of the frequencies without bound") from problem
        x[first : first + AT_ONCE] = solved[:, :, 0] * scale
    return x


def _voltage(cell: Linear, x: NDArray[np.complex128]) -> NDArray[np.complex128]:
    return (cell.through + x @ cell.sees) / M2_PER_CM2
