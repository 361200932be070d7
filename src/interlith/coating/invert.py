"""What reaches a wanted loading: how many cycles of this batch, or how small a batch of these cycles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from interlith.coating.grow import Batch, Regime, grow
from interlith.errors import InputError
from interlith.parts.recipe import Recipe

MOST_TIMES_THE_CYCLES, LEAST_TRIED = 20, 500
SMALLEST_SHARE, LARGEST_TIMES = 1e-3, 1e3  # of the batch of the recipe
BATCH_WITHIN = 1e-6


@dataclass(frozen=True)
class Reached:
    """One way to the loading. None: no such number of cycles, no such batch. regime: of that way."""

    change: str
    now: float
    then: float | None
    regime: Regime | None
    coverage: float | None
    particle_diameter_nm: float | None
    remark: str


def reach(recipe: Recipe, loading_wt_fraction: float) -> tuple[Reached, Reached]:
    """More or fewer cycles, or another batch mass, for a loading of what a TGA weighs.

    Raises InputError for a loading that is no fraction, PhysicsError for one that the paper cannot hold.

    >>> from interlith.coating.recipe_file import read_recipe
    >>> cycles, batch = reach(read_recipe("reference-coating").recipe, 0.06)
    >>> cycles.then < 79 and batch.then > 1.0
    True
    """
    if not 0.0 < loading_wt_fraction < 1.0:
        said = f"loading {loading_wt_fraction:g}: a mass fraction, above 0 and below 1"
        hint = f". Did you mean {loading_wt_fraction / 100:g}?" if 1 <= loading_wt_fraction < 100 else ""
        raise InputError(said + hint)
    wanted = recipe.powder_loading(loading_wt_fraction)
    return _by_cycles(recipe, wanted), _by_batch(recipe, wanted)


def _by_cycles(recipe: Recipe, wanted: float) -> Reached:
    most = max(MOST_TIMES_THE_CYCLES * recipe.n_cycles, LEAST_TRIED)
    batch = grow(recipe, most)
    place = int(np.searchsorted(batch.powder_loading, wanted))
    now = float(recipe.n_cycles)
    if place == most:
        return Reached("n_cycles", now, None, None, None, None, f"not reached within {most} cycles")
    batch = grow(recipe, place + 1)
    return _reached("n_cycles", now, float(place + 1), batch, f"{batch.powder_loading[-1]:.4f} of the powder")


def _by_batch(recipe: Recipe, wanted: float) -> Reached:
    now = recipe.batch_mass_kg

    def missing(log_kg: float) -> float:
        return float(grow(_with_batch(recipe, float(np.exp(log_kg)))).powder_loading[-1]) - wanted

    low, high = np.log(now * SMALLEST_SHARE), np.log(now * LARGEST_TIMES)
    if missing(low) < 0:
        said = "no batch is small enough: nuclei and growth per cycle limit the loading, not the gas"
        return Reached("batch_mass_kg", now, None, None, None, None, said)
    if missing(high) > 0:
        said = f"more than {LARGEST_TIMES:g} times the batch still holds so much"
        return Reached("batch_mass_kg", now, None, None, None, None, said)
    found = float(np.exp(brentq(missing, low, high, xtol=BATCH_WITHIN)))
    return _reached("batch_mass_kg", now, found, grow(_with_batch(recipe, found)), "same chamber and cycles")


def _with_batch(recipe: Recipe, kg: float) -> Recipe:
    return recipe.model_copy(update={"batch_mass_kg": kg})


def _reached(change: str, now: float, then: float, batch: Batch, remark: str) -> Reached:
    coverage, diameter = float(batch.coverage[-1]), float(batch.diameter_nm[-1])
    return Reached(change, now, then, batch.regime, coverage, diameter, remark)
