"""What moves a coating: each uncertain value of a recipe at both ends of its range, all else as written."""

from __future__ import annotations

from dataclasses import dataclass

from interlith.coating.grow import grow
from interlith.parts.listing import replaced, values
from interlith.parts.recipe import Recipe

OF_THE_REST = ("paper.", "prices.", "measured.", "heating_h", "ozone_min", "reaction_heat_kJ_per_mol")
OF_THE_PLANT = ("_s", "_C", "lump_diameter_mm", "lump_density_g_per_cm3", "heat_capacity_J_per_g_K")


@dataclass(frozen=True)
class Swing:
    """A value at both ends of its range, and the loading of what a TGA weighs and the coverage that come of it."""

    name: str
    low: float
    high: float
    loading_at_low: float
    loading_at_high: float
    coverage_at_low: float
    coverage_at_high: float

    @property
    def swing_wt_fraction(self) -> float:
        """How far the loading moves."""
        return abs(self.loading_at_high - self.loading_at_low)


def sensitivity(recipe: Recipe) -> list[Swing]:
    """Every value with a range that a coating depends on, the largest swing of the loading first.

    >>> from interlith.coating.recipe_file import read_recipe
    >>> sensitivity(read_recipe("reference-coating").recipe)[0].name
    'batch_mass_kg'
    """
    found = []
    for name, _, origin in values(recipe):
        if origin.low is None or origin.high is None or not _matters(name):
            continue
        ends = [grow(replaced(recipe, {name: end})) for end in (origin.low, origin.high)]
        loads = [recipe.weighed_loading(float(end.powder_loading[-1])) for end in ends]
        found.append(Swing(name, origin.low, origin.high, *loads, *(float(end.coverage[-1]) for end in ends)))
    return sorted(found, key=lambda one: -one.swing_wt_fraction)


def _matters(name: str) -> bool:
    return not name.startswith(OF_THE_REST) and not name.endswith(OF_THE_PLANT)
