"""A finished paper as the parts that other wings take, and as text for the files that a person writes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from interlith.host.paper import PaperHost
from interlith.parts.cell import Host
from interlith.parts.layer import Layer, Material, material, material_names
from interlith.parts.listing import values
from interlith.parts.part import Origin, toml_of
from interlith.parts.recipe import Recipe

NAME = "host"
DIGITS = 4


def as_host(made: PaperHost, like: Host, source: str) -> Host:
    """The host of a cell model: thickness, porosity, wetted area and oxide of the paper, all else as in `like`.

    What lithium does on it (SEI, isolation, revival, nuclei) is no matter of paper; it stays what it was.

    >>> from interlith.parts.samples import sample
    >>> like = sample("cp-zno-002")
    >>> made = PaperHost(20, 1, 0.85, 0.12, 0.03, 0.12, 4.4, 0.78, 3.2, 920, 1.1, 0.08, 0.04, None, None)
    >>> as_host(made, like, "a recipe").porosity, as_host(made, like, "a recipe").origin("porosity").kind
    (0.78, 'derived')
    """
    derived = Origin(kind="derived", source=source)
    new = {
        "thickness_um": made.thickness_um,
        "porosity": made.porosity,
        "wetted_area_m2_per_m2": made.area_cm2_per_cm2,
    }
    origins = {**like.origins, **dict.fromkeys(new, derived)}
    coating = like.coating
    if coating is not None:
        oxide = {"zinc_oxide_mg_per_cm2": made.oxide_mg_per_cm2}
        known = {**coating.origins, "zinc_oxide_mg_per_cm2": derived}
        coating = coating.with_values_kept(**oxide, origins=known)
    return like.with_values_kept(**new, coating=coating, origins=origins)


def as_layer(made: PaperHost, recipe: Recipe, source: str) -> Layer:
    """The interlayer of a pouch or coin cell: areal mass, thickness, and the share of carbon in it.

    >>> made = PaperHost(20, 1, 0.8459, 0.1241, 0.03, 0.1241, 4.4, 0.78, 3.2, 920, 1.1, 0.08, 0.04, None, None)
    >>> from interlith.parts.recipe import Dose, Growth, Powder
    >>> dose = Dose(pressure_steps_Torr=(20,), source_temperature_C=40)
    >>> recipe = Recipe(powder=Powder(outer_diameter_nm=20), batch_mass_kg=1, n_cycles=9, reactor_volume_L=35,
    ...                 temperature_C=200, zinc=dose, water=dose,
    ...                 growth=Growth(growth_per_cycle_nm=0.19, nuclei_per_um2=2000))
    >>> round(as_layer(made, recipe, "a recipe").taken_mAh_per_cm2("conversion"), 3)
    0.082
    """
    derived = Origin(kind="derived", source=source)
    names = ("areal_mass_mg_per_cm2", "active_fraction", "thickness_um")
    return Layer(
        name=NAME,
        material=recipe.powder.material,
        rest=recipe.oxide,
        active_fraction=1.0 - made.loading_wt_fraction,
        areal_mass_mg_per_cm2=made.areal_mass_mg_per_cm2,
        thickness_um=made.thickness_um,
        origins=dict.fromkeys(names, derived),
    )


def as_toml(made: PaperHost, recipe: Recipe, source: str, ends: tuple[PaperHost, PaperHost] | None = None) -> str:
    """The lines of a study file and of a cell file that say this paper, ready to be pasted.

    Numbers carry four digits, and a range where `ends`, the paper at both ends of a measured loading, has another.
    Materials that are not the shipped ones come with their values.
    """

    def line(name: str, of: Callable[[PaperHost], float]) -> str:
        span = () if ends is None else sorted(of(one) for one in ends)
        low, high = span if span and span[0] < span[-1] else (None, None)
        return toml_of(name, of(made), Origin(kind="derived", source=source, low=low, high=high), DIGITS)

    study = [
        "# study",
        "[set.host]",
        line("thickness_um", lambda one: one.thickness_um),
        line("porosity", lambda one: one.porosity),
        line("wetted_area_m2_per_m2", lambda one: one.area_cm2_per_cm2),
        "[set.coating]",
        line("zinc_oxide_mg_per_cm2", lambda one: one.oxide_mg_per_cm2),
    ]
    cell = [
        "# cell",
        "[[negative.layers]]",
        f'name = "{NAME}"',
        f'material = "{recipe.powder.material.name}"',
        f'rest = "{recipe.oxide.name}"',
        line("active_fraction", lambda one: 1.0 - one.loading_wt_fraction),
        line("areal_mass_mg_per_cm2", lambda one: one.areal_mass_mg_per_cm2),
        line("thickness_um", lambda one: one.thickness_um),
        *(row for held in (recipe.powder.material, recipe.oxide) for row in _own_material(held)),
    ]
    return "\n".join([*study, "", *cell])


def _own_material(held: Material) -> list[str]:
    """The table of a material that no cell file knows by its name alone: every number that differs from the shipped."""
    shipped = material(held.name) if held.name in material_names() else None
    lines = [
        toml_of(name, value, held.origin(name), DIGITS)
        for name, value, _ in values(held)
        if isinstance(value, float) and (shipped is None or value != getattr(shipped, name))
    ]
    key = held.name if re.fullmatch(r"[\w-]+", held.name, re.ASCII) else json.dumps(held.name, ensure_ascii=False)
    return [f"[materials.{key}]", *lines] if lines else []
