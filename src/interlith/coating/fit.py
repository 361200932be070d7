"""Nuclei and growth per cycle from measured loadings and diameters: what the data say, and what they cannot say.

Weighted least squares in the logarithms of both, all else as in the recipe. A supply-limited loading depends on
neither: then the covariance is as wide as the bounds, and the value is no result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from interlith.coating.grow import grow, nuclei_per_um2
from interlith.coating.recipe_file import Datum
from interlith.errors import InputError
from interlith.parts.part import Origin, toml_of
from interlith.parts.recipe import Recipe

Floats = NDArray[np.float64]
NAMES = ("nuclei_per_um2", "growth_per_cycle_nm")
LOW, HIGH = np.log([0.1, 0.005]), np.log([1e6, 1.0])
KNOWN_WITHIN = 1.0  # standard error of the logarithm: a factor of e
STEP = 1e-4  # of the logarithm, for derivatives
STANDARD_ERRORS_95 = 1.96
AT_BOUND = 1e-3  # of the logarithm
WORST_CHI2 = 3.0  # reduced; above, the recipe does not say the data, or their errors are too small
DIGITS = 4


@dataclass(frozen=True)
class Fitted:
    """One value with its interval of 95 %, log-normal. is_known: whether the data say it within a factor of e."""

    name: str
    before: float
    value: float
    low: float
    high: float
    is_known: bool


@dataclass(frozen=True)
class Fit:
    """Values, reduced chi squared (None without a degree of freedom), the correlation of the two, and what to know.

    toml: the lines of [growth] that say what was fitted, ready to be pasted.
    """

    values: tuple[Fitted, ...]
    reduced_chi2: float | None
    correlation: float | None
    said: tuple[str, ...]
    toml: str


def fit(recipe: Recipe, data: Sequence[Datum]) -> Fit:
    """Nuclei and growth per cycle that meet the data best. Raises InputError without data."""
    if not data:
        raise InputError("nothing to fit to: add [[data]] with n_cycles, a value and its standard_error")
    found = _solved(recipe, data, np.log(np.maximum(_own(recipe), np.exp(LOW))))
    information = found.jac.T @ found.jac
    # a prior as wide as the bounds, so that what the data do not say has their width and not an infinite one
    widths = (HIGH - LOW) / np.sqrt(12.0)
    covariance = np.linalg.inv(information + np.diag(widths**-2.0))
    errors = np.sqrt(np.diag(covariance))
    freedom = len(data) - len(NAMES)
    values = tuple(_fitted(*one) for one in zip(NAMES, _own(recipe), found.x, errors, LOW, HIGH, strict=True))
    known = all(one.is_known for one in values)
    correlation = float(covariance[0, 1] / (errors[0] * errors[1])) if known else None
    chi2 = float(2.0 * found.cost / freedom) if freedom > 0 else None
    said = (*_unsaid(as_fitted(recipe, values), values, data), *_doubts(values, len(data), chi2))
    return Fit(values, chi2, correlation, said, _toml(recipe, values, len(data)))


def as_fitted(recipe: Recipe, values: Sequence[Fitted]) -> Recipe:
    """The recipe with the values of a fit."""
    return with_growth(recipe, *(one.value for one in values))


def predicted(recipe: Recipe, data: Sequence[Datum]) -> Floats:
    """What the recipe gives for each datum."""
    batch = grow(recipe, max(one.n_cycles for one in data))
    return np.array(
        [
            recipe.weighed_loading(float(batch.powder_loading[one.n_cycles - 1]))
            if one.loading_wt_fraction is not None
            else batch.diameter_nm[one.n_cycles - 1]
            for one in data
        ]
    )


def with_growth(recipe: Recipe, nuclei: float, growth_per_cycle_nm: float) -> Recipe:
    """The recipe with other nuclei and another growth per cycle."""
    own = {"nuclei_per_um2": nuclei, "growth_per_cycle_nm": growth_per_cycle_nm}
    growth = recipe.growth.model_copy(update=own)
    return recipe.model_copy(update={"growth": growth})


def _own(recipe: Recipe) -> Floats:
    return np.array([nuclei_per_um2(recipe.growth, recipe.ozone_min), recipe.growth.growth_per_cycle_nm])


def _solved(recipe: Recipe, data: Sequence[Datum], start: Floats) -> least_squares:
    measured = np.array([_value(one) for one in data])
    errors = np.array([one.standard_error for one in data])

    def residuals(logs: Floats) -> Floats:
        nuclei, growth = np.exp(logs)
        return (predicted(with_growth(recipe, nuclei, growth), data) - measured) / errors

    return least_squares(residuals, np.clip(start, LOW, HIGH), bounds=(LOW, HIGH), diff_step=STEP, x_scale=1.0)


def _value(one: Datum) -> float:
    found = one.particle_diameter_nm if one.loading_wt_fraction is None else one.loading_wt_fraction
    assert found is not None
    return found


def _fitted(name: str, before: float, centre: float, error: float, least: float, most: float) -> Fitted:
    """Its interval ends where the bounds do."""
    ends = np.clip([centre - STANDARD_ERRORS_95 * error, centre + STANDARD_ERRORS_95 * error], least, most)
    low, high = (float(end) for end in np.exp(ends))
    return Fitted(name, float(before), float(np.exp(centre)), low, high, bool(error < KNOWN_WITHIN))


def _unsaid(fitted: Recipe, values: Sequence[Fitted], data: Sequence[Datum]) -> list[str]:
    """What the data do not say, and why, where the gas let in is used up."""
    said = [
        f"{one.name}: not said by these {len(data)} data (95 %: {one.low:.3g} to {one.high:.3g}, about the bounds)"
        for one in values
        if not one.is_known
    ]
    n_cycles = max((one.n_cycles for one in data if one.loading_wt_fraction is not None), default=0)
    if said and n_cycles and grow(fitted, n_cycles).regime in ("supply", "water"):
        said.append("a supply-limited loading depends on neither: measure diameters, or batches of another mass")
    return said


def _doubts(values: Sequence[Fitted], n_data: int, chi2: float | None) -> list[str]:
    said = [
        f"{one.name} = {one.value:.4g} lies on its bound: the data ask for more than can be meant"
        for one, least, most in zip(values, LOW, HIGH, strict=True)
        if min(np.log(one.value) - least, most - np.log(one.value)) < AT_BOUND
    ]
    if chi2 is not None and chi2 > WORST_CHI2:
        said.append(
            f"reduced chi squared is {chi2:.3g}: the recipe does not describe the data, or their standard errors are "
            "too small; the intervals are then too narrow"
        )
    if chi2 is None:
        few = "as many values as data" if n_data == len(values) else "fewer data than values"
        said.append(f"{few}: nothing is left over to doubt the fit with")
    return said


def _toml(recipe: Recipe, values: Sequence[Fitted], n_data: int) -> str:
    """The lines of [growth]; what the data do not say is left to the file. Empty where they say nothing."""
    if not any(one.is_known for one in values):
        return ""
    source = f"fitted to {n_data} data, all else as in the recipe"
    lines = ["# recipe", "[growth]"]
    for one in values:
        origin = Origin(kind="calibrated", source=source, low=one.low, high=one.high)
        unsaid = f"# {one.name}: not said by the data; keep your own"
        lines.append(toml_of(one.name, one.value, origin, DIGITS) if one.is_known else unsaid)
    if recipe.growth.nuclei_per_um2_per_cycle:
        lines.append(f"nuclei_per_um2_per_cycle = {recipe.growth.nuclei_per_um2_per_cycle:g}")
    return "\n".join(lines)
