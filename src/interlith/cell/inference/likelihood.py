"""How far a model with these values is from the data: parameters, data, and `Problem.residuals`.

Parameters live in a unit cube: 0 is the lowest value allowed, 1 the highest, on a linear or a logarithmic scale.
Residuals are (model - datum) / sigma, behind them those of normal priors; chi2 is the sum of their squares.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

import numpy as np

from interlith.cell.inference.curves import curve_residuals, n_residuals
from interlith.cell.inference.noise import Floats
from interlith.cell.inference.observe import check_test, observable
from interlith.cell.models import DEFAULT_RELATIVE
from interlith.cell.results import Simulation
from interlith.cell.simulate import simulate
from interlith.cell_test import CellTest, changed
from interlith.errors import InputError, InterlithError
from interlith.parts.cell import Cell
from interlith.parts.listing import unit
from interlith.parts.part import STATED, Origin, Part
from interlith.record import Record

NO_ANSWER = 1e3  # residual of what a cell that died, or a solver that failed, did not give
CURVE = "voltage_curve"
Scale = Literal["linear", "log"]


@dataclass(frozen=True)
class Parameter:
    """A value that is sought: dotted name as in cell_test.changed, range, scale; `cell`: the one it belongs to, or all.

    prior_mean, prior_sigma: of a normal prior, if there is one; on a logarithmic scale sigma is in decades. Raises
    InputError for a range that is none.

    >>> Parameter("host.revival_rate_per_s", 1e-5, 1e-1, "log").value(0.5)
    0.001
    """

    name: str
    low: float
    high: float
    scale: Scale = "linear"
    prior_mean: float | None = None
    prior_sigma: float | None = None
    cell: str | None = None

    def __post_init__(self) -> None:
        """Refuse ranges and priors that cannot be meant."""
        if not (math.isfinite(self.low) and math.isfinite(self.high)) or not self.low < self.high:
            raise InputError(f"{self.name}: low = {self.low:g}, high = {self.high:g}: low must be below high")
        if self.scale == "log" and self.low <= 0:
            raise InputError(f"{self.name}: low = {self.low:g}: above 0 on a logarithmic scale")
        if (self.prior_mean is None) != (self.prior_sigma is None):
            raise InputError(f"{self.name}: a prior has prior_mean and prior_sigma, both of them")
        if self.prior_sigma is not None and not self.prior_sigma > 0:
            raise InputError(f"{self.name}: prior_sigma = {self.prior_sigma:g}: above 0")
        if self.scale == "log" and self.prior_mean is not None and self.prior_mean <= 0:
            raise InputError(f"{self.name}: prior_mean = {self.prior_mean:g}: above 0 on a logarithmic scale")

    @property
    def label(self) -> str:
        """The name, with the cell it belongs to."""
        return self.name if self.cell is None else f"{self.name} of {self.cell}"

    @property
    def unit(self) -> str:
        """Its unit, "1" for a bare number."""
        return unit(self.name)

    def value(self, x: float) -> float:
        """The value at a place in [0, 1]."""
        if self.scale == "log":
            return float(self.low ** (1.0 - x) * self.high**x)
        return float(self.low + x * (self.high - self.low))

    def place(self, value: float) -> float:
        """The place in [0, 1] of a value."""
        if self.scale == "log":
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def prior_residual(self, x: float) -> float | None:
        """Distance from the mean of the prior in its sigma; None without a prior."""
        if self.prior_mean is None or self.prior_sigma is None:
            return None
        if self.scale == "log":
            return math.log10(self.value(x) / self.prior_mean) / self.prior_sigma
        return (self.value(x) - self.prior_mean) / self.prior_sigma


@dataclass(frozen=True)
class Datum:
    """What was measured: an observable of a study with values and sigma, or a Record whose voltage curve is compared.

    cell: the label by which parameters of single cells find it. Raises InputError for a test that cannot give it.
    """

    study: CellTest
    observable: str
    values: tuple[float, ...] = ()
    sigma: tuple[float, ...] = ()
    cell: str = ""
    source: str = STATED
    record: Record | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Refuse what no simulation could be compared with."""
        if self.observable == CURVE:
            if self.record is None:
                raise InputError(f"{CURVE}: needs a record")
            return
        check_test(self.observable, self.study.protocol)
        if not self.values or len(self.sigma) not in (1, len(self.values)):
            raise InputError(
                f"sigma of {self.observable}: {len(self.sigma)} for {len(self.values)} values; one, or as many"
            )
        if not all(math.isfinite(v) for v in self.values):
            raise InputError(f"value of {self.observable}: must be a number")
        if not all(0 < s < math.inf for s in self.sigma):
            raise InputError(f"sigma of {self.observable}: must be above 0")

    def residuals(self, done: Simulation) -> Floats:
        """(model - datum) / sigma, float64[m]."""
        if self.record is not None:
            return curve_residuals(done, self.record, self.sigma[0] if self.sigma else None)
        found = observable(self.observable).read(done)
        if len(found) != len(self.values):
            raise InputError(
                f"{self.observable}: {len(self.values)} values are given, but this test has {len(found)} of them"
            )
        return (found - np.array(self.values)) / np.array(self.sigma)

    @property
    def n_values(self) -> int:
        """How many residuals it gives."""
        return len(self.values) if self.record is None else n_residuals(self.record)

    @property
    def text(self) -> str:
        """What it is, in a few words."""
        if self.record is not None:
            return f"voltage curve of {self.record.provenance.path}"
        shown = ", ".join(f"{v:g}" for v in self.values[:3]) + (" ..." if len(self.values) > 3 else "")
        known = observable(self.observable)
        return (
            f"{self.observable} = {shown} {known.unit if known.unit != '1' else ''}".strip() + f" of {self.study.name}"
        )


class Residuals(Protocol):
    """What the engine of a fit needs to know: parameters, and residuals at a place in their unit cube."""

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """What is sought."""

    def residuals(self, x: Floats) -> Floats:
        """float64[m] for x float64[p] in [0, 1]."""


@dataclass(frozen=True)
class Problem:
    """Data and the parameters sought. Raises InputError for nothing to fit, unknown names and cells."""

    parameters: tuple[Parameter, ...]
    data: tuple[Datum, ...]
    relative_tolerance: float = DEFAULT_RELATIVE

    def __post_init__(self) -> None:
        """Every name must be one, at both ends of its range, and twice is once too often."""
        if not self.parameters or not self.data:
            raise InputError("a fit needs at least one parameter and one datum")
        labels = {datum.cell for datum in self.data}
        seen = set()
        for parameter in self.parameters:
            if parameter.label in seen or (parameter.name in seen and parameter.cell is not None):
                raise InputError(f"{parameter.label}: is there twice")
            seen.add(parameter.label)
            if parameter.cell is not None and parameter.cell not in labels:
                raise InputError(
                    f"{parameter.name}: no datum of a cell {parameter.cell}; there are {', '.join(labels)}"
                )
            for datum in self._of(parameter):
                for end in (parameter.low, parameter.high):
                    changed(datum.study.cell, parameter.name, end)

    def _of(self, parameter: Parameter) -> list[Datum]:
        return [datum for datum in self.data if parameter.cell in (None, datum.cell)]

    def study(self, datum: Datum, x: Floats) -> CellTest:
        """The study of a datum with the values at x."""
        cell = datum.study.cell
        for parameter, place in zip(self.parameters, x, strict=True):
            if parameter.cell in (None, datum.cell):
                cell = changed(cell, parameter.name, parameter.value(float(place)))
        return replace(datum.study, cell=cell)

    def residuals(self, x: Floats) -> Floats:
        """Of all data, one behind the other, then of the priors, float64[m]."""
        runs: dict[tuple[str, str, str], Simulation | None] = {}
        found = []
        for datum in self.data:
            key = (datum.cell, datum.study.name, datum.study.model)
            if key not in runs:
                runs[key] = run(self.study(datum, x), self.relative_tolerance)
            done = runs[key]
            part = np.full(datum.n_values, NO_ANSWER) if done is None else datum.residuals(done)
            found.append(np.nan_to_num(part, nan=NO_ANSWER))
        priors = (p.prior_residual(float(place)) for p, place in zip(self.parameters, x, strict=True))
        found.append(np.array([r for r in priors if r is not None]))
        return np.clip(np.concatenate(found), -NO_ANSWER, NO_ANSWER)


def run(study: CellTest, relative_tolerance: float = DEFAULT_RELATIVE) -> Simulation | None:
    """The simulated study; None where the solver or the account gave up. What cannot be meant is still refused."""
    try:
        return simulate(
            study.cell,
            study.protocol,
            model=study.model,
            without=study.without,
            relative_tolerance=relative_tolerance,
            nominal_mAh_per_cm2=study.nominal_mAh_per_cm2,
        )
    except InputError:
        raise
    except InterlithError:
        return None


def calibrated(cell: Cell, name: str, value: float, source: str, interval: tuple[float, float] | None = None) -> Cell:
    """The cell with a fitted value, of kind "calibrated" with the data it was fitted to.

    >>> from interlith.parts.samples import half_cell
    >>> cell = calibrated(half_cell("cp"), "host.porosity", 0.7, "fitted to a thickness")
    >>> cell.host.origin("porosity").kind
    'calibrated'
    """
    low, high = interval or (None, None)
    return _marked(cell, changed(cell, name, value), Origin(kind="calibrated", source=source, low=low, high=high))


def _marked(before: Any, after: Any, origin: Origin) -> Any:
    """The part after a change, with an origin for each value of it or of its parts that was changed by hand."""
    values: dict[str, Any] = {}
    origins = dict(after.origins)
    for name in type(after).model_fields:
        old, new = getattr(before, name), getattr(after, name)
        if name == "origins":
            continue
        if isinstance(new, Part) and isinstance(old, Part) and new is not old:
            values[name] = _marked(old, new, origin)
        elif not isinstance(new, Part) and (new != old or (name in before.origins and name not in after.origins)):
            origins[name] = origin
    return after.with_values_kept(**values, origins=origins)


def chi2(residuals: Floats) -> float:
    """Sum of the squares."""
    return float(residuals @ residuals)


def jacobian(at: Callable[[Floats], Floats], x: Floats, r: Floats, step: float = 1e-3) -> Floats:
    """Differences of the residuals, float64[m, p], one-sided, inwards where x is near a bound."""
    columns = []
    for k in range(len(x)):
        h = step if x[k] + step <= 1.0 else -step
        moved = x.copy()
        moved[k] += h
        columns.append((at(moved) - r) / h)
    return np.array(columns).T


def points(problem: Residuals, xs: Sequence[Floats]) -> list[tuple[Floats, Floats]]:
    """Residuals at many places: what is sent to another process."""
    return [(x, problem.residuals(x)) for x in xs]
