"""What moves a coating: each uncertain value of a recipe at both ends of its range, all else as written."""

from __future__ import annotations

from dataclasses import dataclass

from interlith.coating.grow import grow
from interlith.errors import PhysicsError
from interlith.parts.listing import replaced, values
from interlith.parts.part import Origin
from interlith.parts.recipe import Recipe

OF_THE_LOADING = (
    "batch_mass_kg",
    "reactor_volume_L",
    "temperature_C",
    "n_cycles",
    "zinc.pressure_steps_Torr",
    "zinc.n_pulses",
    "water.pressure_steps_Torr",
    "water.n_pulses",
    "powder.outer_diameter_nm",
    "powder.surface_area_m2_per_g",
    "paper.powder_fraction",
    "paper.char_yield",
)


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

    @property
    def is_still(self) -> bool:
        """Whether neither loading nor coverage moves at all."""
        return self.loading_at_low == self.loading_at_high and self.coverage_at_low == self.coverage_at_high


def sensitivity(recipe: Recipe) -> list[Swing]:
    """Every value with a range, or numbers to choose from, that moves loading or coverage, the largest swing first.

    >>> from interlith.coating.recipe_file import read_recipe
    >>> sensitivity(read_recipe("reference-coating").recipe)[0].name
    'batch_mass_kg'
    """
    found = []
    for name, _, origin in values(recipe):
        ends = _ends(origin)
        if ends is None or not moves_loading(recipe, name):
            continue
        (load_low, cover_low), (load_high, cover_high) = (_grown(replaced(recipe, {name: end})) for end in ends)
        found.append(Swing(name, *ends, load_low, load_high, cover_low, cover_high))
    return sorted((one for one in found if not one.is_still), key=lambda one: -one.swing_wt_fraction)


def moves_loading(recipe: Recipe, name: str) -> bool:
    """Whether a loading can depend on a value of that name: not on a price, a time, or a lump.

    >>> from interlith.coating.recipe_file import read_recipe
    >>> reference = read_recipe("reference-coating").recipe
    >>> moves_loading(reference, "reactor_volume_L"), moves_loading(reference, "zinc.hold_s")
    (True, False)
    """
    by_diameters = recipe.powder.surface_area_m2_per_g is None
    return (
        name in OF_THE_LOADING
        or name.startswith("growth.")
        or (name == "ozone_min" and recipe.growth.nuclei_per_um2 is None)
        or (name == "powder.inner_diameter_nm" and by_diameters)
        or name == f"materials.{recipe.oxide.name}.density_g_per_cm3"
        or (name == f"materials.{recipe.powder.material.name}.density_g_per_cm3" and by_diameters)
        or name == "powder.material"
    )


def _ends(origin: Origin) -> tuple[float, float] | None:
    if origin.low is not None and origin.high is not None:
        return origin.low, origin.high
    numbers = [one for one in origin.choices or () if isinstance(one, (int, float)) and not isinstance(one, bool)]
    return (float(min(numbers)), float(max(numbers))) if numbers else None


def _grown(recipe: Recipe) -> tuple[float, float]:
    """Loading of what a TGA weighs, and coverage; none of either where nothing grows."""
    try:
        end = grow(recipe)
    except PhysicsError:
        return 0.0, 0.0
    return recipe.weighed_loading(float(end.powder_loading[-1])), float(end.coverage[-1])
