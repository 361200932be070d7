"""What reaches a wanted loading: how many cycles, how small a batch, or how large the doses, all else as written."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from interlith.coating.grow import Batch, Regime, grow
from interlith.coating.process import as_sources_can
from interlith.errors import InputError
from interlith.parts.recipe import Dose, Recipe
from interlith.units import TORR_PER_ATM

MOST_TIMES_THE_CYCLES, LEAST_TRIED, MOST_TRIED = 20, 500, 5000
SMALLEST_SHARE, LARGEST_TIMES = 1e-3, 1e3  # of the batch of the recipe
SMALLEST_DOSE = 1e-3  # of the doses of the recipe
LOG_WITHIN = 1e-6


@dataclass(frozen=True)
class Reached:
    """One way to the loading. change: n_cycles, batch_mass_kg, or doses_Torr (of diethylzinc; water goes with it).

    None: no such number of cycles, no such batch, no such doses. regime: of that way.
    """

    change: str
    now: float
    then: float | None
    regime: Regime | None
    coverage: float | None
    particle_diameter_nm: float | None
    remark: str


def reach(recipe: Recipe, loading_wt_fraction: float) -> tuple[Reached, Reached, Reached]:
    """More or fewer cycles, another batch mass, or other doses, for a loading of what a TGA weighs.

    Raises InputError for a loading that is no fraction, PhysicsError for one that the paper cannot hold.

    >>> from interlith.coating.recipe_file import read_recipe
    >>> cycles, batch, doses = reach(read_recipe("reference-coating").recipe, 0.06)
    >>> cycles.then < 79 and batch.then > 1.0 and doses.then < 20
    True
    """
    if not 0.0 < loading_wt_fraction < 1.0:
        said = f"loading {loading_wt_fraction:g}: a mass fraction, above 0 and below 1"
        hint = f". Did you mean {loading_wt_fraction / 100:g}?" if 1 <= loading_wt_fraction < 100 else ""
        raise InputError(said + hint)
    wanted = recipe.powder_loading(loading_wt_fraction)
    return _by_cycles(recipe, wanted), _by_batch(recipe, wanted), _by_doses(recipe, wanted)


def _by_cycles(recipe: Recipe, wanted: float) -> Reached:
    most = min(max(MOST_TIMES_THE_CYCLES * recipe.n_cycles, LEAST_TRIED), MOST_TRIED)
    batch = grow(recipe, most)
    place = int(np.searchsorted(batch.powder_loading, wanted))
    now = float(recipe.n_cycles)
    if place == most:
        return Reached("n_cycles", now, None, None, None, None, f"not reached within {most} cycles")
    return _reached("n_cycles", now, float(place + 1), grow(recipe, place + 1), "")


def _by_batch(recipe: Recipe, wanted: float) -> Reached:
    now = recipe.batch_mass_kg

    def missing(log_kg: float) -> float:
        return float(grow(_with_batch(recipe, float(np.exp(log_kg)))).powder_loading[-1]) - wanted

    low, high = np.log(now * SMALLEST_SHARE), np.log(now * LARGEST_TIMES)
    if missing(low) < 0:
        said = f"no batch is small enough: {_limit(grow(_with_batch(recipe, now * SMALLEST_SHARE)))}"
        return Reached("batch_mass_kg", now, None, None, None, None, said)
    if missing(high) > 0:
        said = f"more than {LARGEST_TIMES:g} times the batch still holds so much"
        return Reached("batch_mass_kg", now, None, None, None, None, said)
    found = float(np.exp(brentq(missing, low, high, xtol=LOG_WITHIN)))
    return _reached("batch_mass_kg", now, found, grow(_with_batch(recipe, found)), "same chamber and cycles")


def _by_doses(recipe: Recipe, wanted: float) -> Reached:
    """All pressure steps of both doses times one factor, up to one atmosphere of the larger."""
    now = recipe.zinc.pressure_Torr
    most = TORR_PER_ATM / max(now, recipe.water.pressure_Torr)

    def missing(log_factor: float) -> float:
        return float(grow(_with_doses(recipe, float(np.exp(log_factor)))).powder_loading[-1]) - wanted

    low, high = np.log(SMALLEST_DOSE), np.log(most)
    if missing(high) < 0:
        said = f"not with doses of one atmosphere: {_limit(grow(_with_doses(recipe, most)))}"
        return Reached("doses_Torr", now, None, None, None, None, said)
    if missing(low) > 0:
        said = f"doses {1 / SMALLEST_DOSE:g} times smaller still bring so much"
        return Reached("doses_Torr", now, None, None, None, None, said)
    factor = float(np.exp(brentq(missing, low, high, xtol=LOG_WITHIN)))
    made = _with_doses(recipe, factor)
    beyond = "" if as_sources_can(made) == made else ", more than the sources give"
    return _reached("doses_Torr", now, now * factor, grow(made), f"all steps of both doses times {factor:.3g}{beyond}")


def _limit(batch: Batch) -> str:
    """What limits where gas does not, or how far the gas goes."""
    held = f"{batch.recipe.weighed_loading(float(batch.powder_loading[-1])):.2%} {_of(batch.recipe)}".replace("%", " %")
    if batch.regime == "saturated":
        return f"these cycles closed hold at most {held}"
    if batch.regime == "nucleation":
        return f"nuclei and growth per cycle limit the loading to {held}, not the gas"
    return f"they bring {held}"


def _of(recipe: Recipe) -> str:
    return "of the powder" if recipe.paper is None else "of the paper"


def _with_batch(recipe: Recipe, kg: float) -> Recipe:
    return recipe.model_copy(update={"batch_mass_kg": kg})


def _with_doses(recipe: Recipe, factor: float) -> Recipe:
    return recipe.model_copy(update={name: _times(getattr(recipe, name), factor) for name in ("zinc", "water")})


def _times(dose: Dose, factor: float) -> Dose:
    return dose.model_copy(update={"pressure_steps_Torr": tuple(step * factor for step in dose.pressure_steps_Torr)})


def _reached(change: str, now: float, then: float, batch: Batch, remark: str) -> Reached:
    recipe, coverage, diameter = batch.recipe, float(batch.coverage[-1]), float(batch.diameter_nm[-1])
    got = f"{recipe.weighed_loading(float(batch.powder_loading[-1])):.2%} {_of(recipe)}".replace("%", " %")
    said = f"{got}; {remark}" if remark else got
    return Reached(change, now, then, batch.regime, coverage, diameter, said)
