"""What does not close in a coating: four thicknesses that are not one, and the loading held against each of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from interlith.audit import Audit, ordered, verdict
from interlith.coating.grow import Batch, conformal_loading, grams_per_volume
from interlith.coating.islands import film_of
from interlith.coating.recipe_file import Published, RecipeFile
from interlith.errors import PhysicsError
from interlith.parts.recipe import Recipe
from interlith.units import DIETHYLZINC_G_PER_MOL, G_PER_KG, NM_PER_UM, ZINC_OXIDE_G_PER_MOL

TUBES_nm = ((10.0, 4.0), (20.0, 7.0), (30.0, 10.0), (50.0, 10.0))  # outer and inner diameters of usual tubes
HEMISPHERE = 2.0 / 3.0  # of pi r^3


@dataclass(frozen=True)
class Tube:
    """What a thickness and a loading mean on tubes of one size. The four numbers of particles and coverage: at the
    smallest and the largest particle that was seen, half spheres on a plane; None where none is published."""

    outer_diameter_nm: float
    inner_diameter_nm: float
    area_m2_per_g: float
    conformal_wt_fraction: float | None
    equivalent_thickness_nm: float | None
    particles_per_um_smallest: float | None
    particles_per_um_largest: float | None
    coverage_smallest: float | None
    coverage_largest: float | None


def audit(written: RecipeFile, batch: Batch) -> tuple[Audit, ...]:
    """Every audit that the published numbers of a recipe allow, those that do not close first.

    >>> from interlith.coating.grow import grow
    >>> from interlith.coating.recipe_file import read_recipe
    >>> reference = read_recipe("reference-coating")
    >>> audit(reference, grow(reference.recipe))[0].name
    'a conformal film against the loading'
    """
    told, recipe = written.beside.published, written.recipe
    found = [*_area(recipe), *_measured(recipe, batch)]
    if told is not None:
        found += [*_conformal(recipe, told), *_particles(recipe, told), *_cycles(recipe, told), *_zinc(recipe, told)]
    return ordered(found)


def tubes(recipe: Recipe, told: Published | None) -> list[Tube]:
    """The usual tube sizes, with what was published of the coating on each.

    >>> from interlith.coating.recipe_file import read_recipe
    >>> reference = read_recipe("reference-coating")
    >>> [round(one.area_m2_per_g) for one in tubes(reference.recipe, reference.beside.published)]
    [227, 109, 71, 40]
    """
    return [_tube(_with_tube(recipe, outer, inner), told) for outer, inner in TUBES_nm]


def _with_tube(recipe: Recipe, outer: float, inner: float) -> Recipe:
    own = {"outer_diameter_nm": outer, "inner_diameter_nm": inner, "surface_area_m2_per_g": None}
    powder = recipe.powder.with_values(**own)
    return recipe.model_copy(update={"powder": powder})


def _tube(recipe: Recipe, told: Published | None) -> Tube:
    powder = recipe.powder
    outer = powder.outer_diameter_nm
    assert outer is not None
    nominal = None if told is None else told.nominal_thickness_nm
    conformal = None if nominal is None else conformal_loading(recipe, nominal)
    volume = None if told is None else _volume(recipe, told)
    film = None if volume is None else film_of(volume, outer / 2.0)
    seen = (None, None) if told is None or volume is None else told.particle_diameter_nm or (None, None)
    counts = [None if d is None or volume is None else particles(volume, d) for d in seen]
    per_um = [None if count is None else count * np.pi * outer * NM_PER_UM for count in counts]
    covers = [None if c is None or d is None else c * np.pi * d**2 / 4.0 for c, d in zip(counts, seen, strict=True)]
    return Tube(outer, powder.inner_diameter_nm, powder.area_m2_per_g, conformal, film, *per_um, *covers)


def particles(nm3_per_nm2: float, diameter_nm: float) -> float:
    """Half spheres per nm2 that hold a volume.

    >>> round(particles(0.2386, 10.0) * 3.1416 * 20.0 * 1000.0)
    57
    """
    return float(nm3_per_nm2 / (HEMISPHERE * np.pi * (diameter_nm / 2.0) ** 3))


def _volume(recipe: Recipe, told: Published) -> float | None:
    """Oxide in nm3 per nm2 of the powder, by the published loading; None without one, or where it cannot be."""
    if told.loading_wt_fraction is None:
        return None
    try:
        loading = recipe.powder_loading(told.loading_wt_fraction)
    except PhysicsError:
        return None
    return loading / (1.0 - loading) / grams_per_volume(recipe)


def _conformal(recipe: Recipe, told: Published) -> list[Audit]:
    nominal, volume = told.nominal_thickness_nm, _volume(recipe, told)
    if nominal is None or volume is None or told.loading_wt_fraction is None:
        return []
    films = [film_of(volume, one.outer_diameter_nm / 2.0) for one in tubes(recipe, told)]
    sizes = [one for one in tubes(recipe, told) if one.conformal_wt_fraction is not None]
    loads = [one.conformal_wt_fraction or 0.0 for one in sizes]
    evens = [one.equivalent_thickness_nm or 0.0 for one in sizes]
    text = (
        f"a closed film of {nominal:g} nm would be {min(loads):.0%} to {max(loads):.0%} of the powder on tubes of "
        f"{sizes[0].outer_diameter_nm:g} to {sizes[-1].outer_diameter_nm:g} nm; {told.loading_wt_fraction:.2%} spread "
        f"evenly is {min(evens):.2f} to {max(evens):.2f} nm. They exclude each other: {nominal:g} nm can only be the "
        "thickness on a flat wafer"
    ).replace("%", " %")
    closest = min(films, key=lambda film: abs(film / nominal - 1.0))
    numbers = {"conformal_wt_fraction_least": min(loads), "equivalent_thickness_nm_most": max(evens)}
    return [Audit("a conformal film against the loading", verdict(closest / nominal - 1.0), text, numbers)]


def _particles(recipe: Recipe, told: Published) -> list[Audit]:
    seen, outer, volume = told.particle_diameter_nm, recipe.powder.outer_diameter_nm, _volume(recipe, told)
    if seen is None or outer is None or volume is None:
        return []
    one = _tube(recipe, told)
    text = (
        f"the loading is {one.particles_per_um_smallest:.0f} half spheres of {seen[0]:g} nm on each um of a tube of "
        f"{outer:g} nm, or {one.particles_per_um_largest:.0f} of {seen[1]:g} nm; they cover "
        f"{one.coverage_smallest:.0%} or {one.coverage_largest:.0%} of it: separate particles, as seen"
    ).replace("%", " %")
    numbers = {
        "particles_per_um_most": one.particles_per_um_smallest or 0.0,
        "particles_per_um_least": one.particles_per_um_largest or 0.0,
        "coverage_most": one.coverage_smallest or 0.0,
        "coverage_least": one.coverage_largest or 0.0,
    }
    sparse = (one.coverage_smallest or 0.0) < 1.0
    return [Audit("particles against the loading", "closes" if sparse else "does not close", text, numbers)]


def _cycles(recipe: Recipe, told: Published) -> list[Audit]:
    if told.nominal_thickness_nm is None:
        return []
    nominal = recipe.n_cycles * recipe.growth.growth_per_cycle_nm
    text = (
        f"{recipe.n_cycles} cycles of {recipe.growth.growth_per_cycle_nm:g} nm are {nominal:.3g} nm on a flat wafer; "
        f"published {told.nominal_thickness_nm:g}"
    )
    numbers = {"nominal_thickness_nm": nominal}
    return [
        Audit("cycles against the nominal thickness", verdict(nominal / told.nominal_thickness_nm - 1), text, numbers)
    ]


def _zinc(recipe: Recipe, told: Published) -> list[Audit]:
    volume = _volume(recipe, told)
    if volume is None:
        return []
    per_kg = volume * grams_per_volume(recipe) * G_PER_KG / ZINC_OXIDE_G_PER_MOL
    text = (
        f"the loading is {per_kg:.2f} mol of zinc per kg of bare powder, {per_kg * DIETHYLZINC_G_PER_MOL:.0f} g of "
        f"diethylzinc if none is lost; {per_kg / recipe.n_cycles * G_PER_KG:.1f} mmol in each of {recipe.n_cycles} "
        "cycles"
    )
    return [Audit("diethylzinc for the loading", "noted", text, {"mol_per_kg": per_kg})]


def _area(recipe: Recipe) -> list[Audit]:
    """Area as measured against that of the diameters."""
    powder = recipe.powder
    geometric, measured = powder.geometric_area_m2_per_g, powder.surface_area_m2_per_g
    if geometric is None or measured is None:
        return []
    text = (
        f"{measured:g} m2/g as measured; tubes of {powder.outer_diameter_nm:g} over {powder.inner_diameter_nm:g} nm "
        f"have {geometric:.3g} outside: bores, bundles or other sizes make the difference"
    )
    return [Audit("area of the powder", verdict(geometric / measured - 1.0), text, {"geometric_m2_per_g": geometric})]


def _measured(recipe: Recipe, batch: Batch) -> list[Audit]:
    """What was measured of this very host against what the recipe gives."""
    held = recipe.measured
    if held is None:
        return []
    pairs = {
        "loading_wt_fraction": (held.loading_wt_fraction, recipe.weighed_loading(float(batch.powder_loading[-1]))),
        "particle_diameter_nm": (held.particle_diameter_nm, float(batch.diameter_nm[-1])),
        "coverage": (held.coverage, float(batch.coverage[-1])),
    }
    return [
        Audit(f"{name} as measured", verdict(got / given - 1.0), f"measured {given:.4g}; the recipe gives {got:.4g}")
        for name, (given, got) in pairs.items()
        if given
    ]
