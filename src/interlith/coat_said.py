"""What must be known with a coating, in sentences: its kind, its regime, where the model ends, what was fitted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from interlith.coating.grow import CLOSED, Batch, grow, tube_nm
from interlith.coating.orientation import orientation
from interlith.coating.process import Process, as_sources_can
from interlith.coating.recipe_file import RecipeFile
from interlith.coating.sensitivity import moves_loading
from interlith.host.paper import PaperHost
from interlith.parts.recipe import Recipe

CALIBRATED = "calibrated"
REGIMES = {
    "supply": ("supply-limited", "the gas let in is used up"),
    "water": ("supply-limited by water", "it is used up before diethylzinc is"),
    "nucleation": ("nucleation-limited", "doses saturate the islands"),
    "saturated": ("saturated", "the surface is closed, and each dose adds its growth per cycle"),
}
CANNOT_TELL = (
    "a loading alone cannot tell what limits it: coat half the batch, and see whether it holds that, or measure the "
    "particles"
)
NO_PRESSURE = (
    "one ethane is freed for each diethylzinc taken up, so the total pressure cannot show when a dose saturates"
)
PERCENT = 100.0
LARGE = 0.5  # of the radius of the tube: islands up to it hold what the model says within 1 %


def result_kind(recipe: Recipe, listed: Sequence[Mapping[str, Any]], *, is_changed: bool) -> str:
    """What the loading is, by the worst of what can move it. Changed by hand, what was calibrated is so no longer."""
    kinds = {row["kind"] for row in listed if moves_loading(recipe, row["name"])}
    found = next(kind for kind in (CALIBRATED, "assumed", "derived") if kind in kinds or kind == "derived")
    return "assumed" if is_changed and found == CALIBRATED else found


def sentences(
    written: RecipeFile, batch: Batch, plant: Process, half_loading: float, listed: Sequence[Mapping[str, Any]]
) -> list[str]:
    """All that is to be known beside the numbers of a recipe as it is read."""
    recipe = written.recipe
    said = [*_regime(batch, half_loading), *_large_islands(batch), NO_PRESSURE]
    said.append(f"orientation: {orientation(recipe.temperature_C, recipe.measured).text}")
    if plant.time_h is None:
        cost = "" if plant.cost is None else ", and the cost is without the reactor"
        said.append(f"no dose has a time in the recipe: the time of the batch is not known{cost}")
    possible = as_sources_can(recipe)
    if possible != recipe:
        loading = recipe.weighed_loading(float(grow(possible).powder_loading[-1]))
        said.append(f"with no more than the sources can give, the loading would be {_percent(loading)}")
    fixed = [row["name"] for row in listed if row["kind"] == "assumed" and row["low"] is None]
    if fixed:
        said.append(f"assumed without a range: {', '.join(fixed)}")
    fits = [reading.name for reading, _ in written.readings if reading.is_fit]
    if fits:
        of = "reading" if len(fits) == 1 else "readings"
        said.append(f"{of} {', '.join(fits)}: fitted to the published loading, and no evidence for it")
    return [*said, *_of_the_paper(recipe)]


def does_not_conduct(recipe: Recipe, host: PaperHost | None) -> list[str]:
    """A warning for a sheet whose solid is too thin to be one body."""
    if host is None or recipe.paper is None or host.through_ohm_cm2 is None or np.isfinite(host.through_ohm_cm2):
        return []
    return [
        f"the sheet does not conduct: its solid is {_percent(1.0 - host.porosity)} of it, at or below "
        f"percolation_threshold = {recipe.paper.percolation_threshold:g}"
    ]


def _regime(batch: Batch, half_loading: float) -> list[str]:
    """What limits, for how much of the oxide, and what half the batch would hold by the same recipe."""
    word, why = REGIMES[batch.regime]
    loading = batch.recipe.weighed_loading(float(batch.powder_loading[-1]))
    text = (
        f"{word} for {PERCENT * batch.shares[batch.regime]:.0f} % of the oxide ({why}); half the batch would hold "
        f"{PERCENT * half_loading:.3g} wt%, this one holds {PERCENT * loading:.3g} wt%"
    )
    return [text] if batch.regime == "saturated" else [f"{text}; {CANNOT_TELL}"]


def _large_islands(batch: Batch) -> list[str]:
    radius, tube = float(batch.diameter_nm[-1]) / 2.0, tube_nm(batch.recipe)
    if radius <= LARGE * tube or batch.coverage[-1] >= CLOSED:
        return []
    return [
        f"the largest islands have a radius of {radius / tube:.2g} times the tube's: what they hold is within 1 % up "
        f"to {LARGE:g} times, about 4 % too low at 1.5 times and 15 % at 3 times or more"
    ]


def _of_the_paper(recipe: Recipe) -> list[str]:
    said = []
    if recipe.measured is not None and recipe.measured.loading_wt_fraction is not None and recipe.paper is not None:
        said.append(f"the host is that of the measured loading, {recipe.measured.loading_wt_fraction:.4g}")
    if recipe.paper is not None:
        said.append(
            "void and lithium on top are those of a rigid paper of dense lithium: real ones swell, or are covered "
            "before their pores are full; conversion is lithium lost once, the alloy gives it back"
        )
    return said


def _percent(fraction: float) -> str:
    return f"{fraction:.2%}".replace("%", " %")
