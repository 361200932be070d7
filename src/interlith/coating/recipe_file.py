"""A recipe as a person writes it: a TOML file of powder, doses and growth, and what was published or measured of it.

title = "my batch"
batch_mass_kg = 1.0
reactor_volume_L = 33          # with temperature_C, n_cycles; heating_h and ozone_min where there are any
[powder]                       # outer_diameter_nm and inner_diameter_nm, or surface_area_m2_per_g
[zinc]                         # pressure_steps_Torr, source_temperature_C, and times; [water] likewise
[growth]                       # growth_per_cycle_nm and nuclei_per_um2
[paper]                        # if paper is made of it
[measured]                     # goes before what is computed: as `interlith characterize` gives it
[prices]                       # and currency = "EUR", for a cost
[published]                    # what is claimed: audited, never used as an input
[[data]]                       # n_cycles with loading_wt_fraction or particle_diameter_nm, for a fit
[[readings]]                   # other ways to read the source: name, title, [readings.set] with what it changes
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from pydantic import Field, model_validator

from interlith.parts.changes import HERE, changed
from interlith.parts.from_file import BesidePart, Reading, own_materials, part_of, read_as, tables_of
from interlith.parts.layer import Material, wrong
from interlith.parts.recipe import MOST_CYCLES, Recipe
from interlith.written import File, Written, opened, shipped, validated_table

PACKAGE = "interlith.coating"
OF_RECIPE = tuple(name for name in Recipe.model_fields if name not in ("origins", "oxide"))
ROUNDED_WITHIN = 0.01  # of all
LEAST_nm, MOST_nm, LEAST_LOADING = 0.01, 1e5, 1e-6
BESIDE = ("title", "source", "note", "materials", "currency", "published", "readings", "data")


class Published(Written):
    """What is claimed of a coating. Audits hold it against the others; nothing is computed from it.

    nominal_thickness_nm: on a flat wafer. particle_diameter_nm: the smallest and the largest seen.
    """

    source: str
    nominal_thickness_nm: float | None = Field(default=None, ge=LEAST_nm, le=MOST_nm)
    loading_wt_fraction: float | None = Field(default=None, ge=LEAST_LOADING, lt=1)
    particle_diameter_nm: tuple[float, float] | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        ends = self.particle_diameter_nm
        if ends is not None and not 0 < ends[0] <= ends[1]:
            said = "particle_diameter_nm: the smallest and the largest, both above 0"
            raise wrong("particle_diameter_nm", said)
        if ends is not None and not (ends[0] >= LEAST_nm and ends[1] <= MOST_nm):
            raise wrong("particle_diameter_nm", f"particle_diameter_nm: between {LEAST_nm:g} and {MOST_nm:g}")
        return self


class Datum(Written):
    """A measurement after so many cycles, with one standard deviation: a loading (TGA) or a diameter (TEM).

    loading_wt_fraction: of what a TGA weighs, the paper where the recipe has one.
    """

    n_cycles: int = Field(ge=1, le=MOST_CYCLES)
    loading_wt_fraction: float | None = Field(default=None, ge=LEAST_LOADING, lt=1)
    particle_diameter_nm: float | None = Field(default=None, ge=LEAST_nm, le=MOST_nm)
    standard_error: float = Field(ge=1e-6, le=MOST_nm)
    source: str = HERE

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.loading_wt_fraction is None) == (self.particle_diameter_nm is None):
            raise ValueError("loading_wt_fraction or particle_diameter_nm: one of them")
        return self


class Beside(BesidePart):
    """What a file holds besides the recipe itself."""

    published: Published | None = None
    data: tuple[Datum, ...] = Field(default=(), max_length=10_000)


@dataclass(frozen=True)
class RecipeFile:
    """A recipe, what its file says besides, and the recipes of its readings, in their order."""

    name: str
    recipe: Recipe
    beside: Beside
    readings: tuple[tuple[Reading, Recipe], ...]


def recipe_names() -> list[str]:
    """Names of the shipped recipes.

    >>> recipe_names()
    ['reference-coating']
    """
    return shipped(PACKAGE)


def read_recipe(given: str) -> RecipeFile:
    """A file by its path, or a shipped recipe by its name. Raises InputError with file, line and key.

    >>> read_recipe("reference-coating").recipe.n_cycles
    79
    """
    file = opened(given, PACKAGE)
    table = tables_of(file, OF_RECIPE + BESIDE, "a recipe")
    beside = validated_table(file, Beside, {key: table[key] for key in BESIDE if key in table and key != "materials"})
    materials = own_materials(file, table.get("materials", {}))
    own = {"oxide": materials["zinc-oxide"]} if "zinc-oxide" in materials else {}
    recipe = part_of(file, Recipe, {key: table[key] for key in OF_RECIPE if key in table}, materials)
    recipe = recipe.with_values_kept(**own) if own else recipe
    _check_fractions(file, recipe)
    _all_used(file, recipe, materials)
    readings = tuple((reading, read_as(file, recipe, i, reading)) for i, reading in enumerate(beside.readings))
    return RecipeFile(file.name.removesuffix(".toml"), recipe, beside, readings)


def _check_fractions(file: File, recipe: Recipe) -> None:
    """Shares of orientations are at most all; their ranges are not, since they move together."""
    total = 0.0 if recipe.measured is None else sum(recipe.measured.fractions.values())
    if recipe.measured is not None and total > 1.0 + ROUNDED_WITHIN:
        first = f"fraction_{next(iter(recipe.measured.fractions))}"
        raise file.at(("measured", first), f"measured.{first}: fractions of orientations are {total:.3g} in all")


def _all_used(file: File, recipe: Recipe, materials: Mapping[str, Material]) -> None:
    used = (recipe.powder.material.name, recipe.oxide.name)
    for name in materials:
        if name not in used:
            said = f"materials.{name}: nothing in the recipe is made of it ({', '.join(used)} are)"
            raise file.at(("materials", name), said)


def changed_recipe(written: RecipeFile, changes: Mapping[str, Any]) -> RecipeFile:
    """The same values changed in the recipe and in all its readings."""
    if not changes:
        return written
    readings = tuple((reading, changed(recipe, changes)) for reading, recipe in written.readings)
    return replace(written, recipe=changed(written.recipe, changes), readings=readings)
