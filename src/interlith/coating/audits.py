"""What does not close in a coating: four thicknesses that are not one, and the loading held against each of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from interlith.audit import CLOSES_WITHIN, Audit, Verdict, ordered, verdict
from interlith.coating.grow import Batch, conformal_loading, grams_per_volume
from interlith.coating.islands import film_of
from interlith.coating.recipe_file import Published, RecipeFile
from interlith.errors import PhysicsError
from interlith.parts.recipe import MeasuredHost, Recipe
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
    """Every audit that the published and the measured numbers of a recipe allow, those that do not close first.

    >>> from interlith.coating.grow import grow
    >>> from interlith.coating.recipe_file import read_recipe
    >>> reference = read_recipe("reference-coating")
    >>> audit(reference, grow(reference.recipe))[0].name
    'a conformal film against the loading'
    """
    told, recipe = written.beside.published, written.recipe
    found = [*_area(recipe), *_measured(recipe, batch), *_crystallites(recipe, batch)]
    if told is not None:
        found += [*_loading(batch, told), *_diameter(batch, told), *_cycles(recipe, told)]
        found += [*_conformal(recipe, told), *_particles(recipe, told), *_zinc(recipe, told)]
    return ordered(found)


def tubes(recipe: Recipe, told: Published | None) -> list[Tube]:
    """The recipe's own tube, where it has diameters, and the usual ones, with what was published of the coating.

    >>> from interlith.coating.recipe_file import read_recipe
    >>> reference = read_recipe("reference-coating")
    >>> [round(one.area_m2_per_g) for one in tubes(reference.recipe, reference.beside.published)]
    [109, 227, 71, 40]
    """
    powder = recipe.powder
    if powder.outer_diameter_nm is None:
        return _usual(recipe, told)
    own = (powder.outer_diameter_nm, powder.inner_diameter_nm)
    others = [one for one in _usual(recipe, told) if (one.outer_diameter_nm, one.inner_diameter_nm) != own]
    return [_tube(recipe, told), *others]


def _usual(recipe: Recipe, told: Published | None) -> list[Tube]:
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


def _loading(batch: Batch, told: Published) -> list[Audit]:
    """The loading that the recipe gives against the published one, which the paper must be able to hold."""
    recipe, given = batch.recipe, told.loading_wt_fraction
    if given is None:
        return []
    got, name = recipe.weighed_loading(float(batch.powder_loading[-1])), "the loading against the published one"
    text = f"published {given:.2%}; the recipe gives {got:.2%}".replace("%", " %")
    numbers = {"loading_wt_fraction": got}
    if _volume(recipe, told) is None:
        share = 1.0 if recipe.paper is None else recipe.paper.powder_share
        said = f"{text}. More oxide than coated powder: only {share:.2%} of the paper is powder".replace("%", " %")
        return [Audit(name, "does not close", said, numbers)]
    return [Audit(name, verdict(got / given - 1.0), text, numbers)]


def _diameter(batch: Batch, told: Published) -> list[Audit]:
    """The diameter that the recipe gives against the smallest and the largest that was seen."""
    seen, got = told.particle_diameter_nm, float(batch.diameter_nm[-1])
    if seen is None:
        return []
    text = f"seen {seen[0]:g} to {seen[1]:g} nm; the recipe gives {got:.3g} nm"
    name = "the particles against those seen"
    return [Audit(name, _within(got, *seen), text, {"particle_diameter_nm": got})]


def _within(got: float, low: float, high: float) -> Verdict:
    return "closes" if low <= got <= high else "does not close"


def _conformal(recipe: Recipe, told: Published) -> list[Audit]:
    """By the recipe's own tube, where it has diameters; the words span the usual ones."""
    nominal, volume = told.nominal_thickness_nm, _volume(recipe, told)
    if nominal is None or volume is None or told.loading_wt_fraction is None:
        return []
    usual, outer = _usual(recipe, told), recipe.powder.outer_diameter_nm
    loads = [one.conformal_wt_fraction or 0.0 for one in usual]
    evens = [one.equivalent_thickness_nm or 0.0 for one in usual]
    films = evens if outer is None else [film_of(volume, outer / 2.0)]
    closest = min(films, key=lambda film: abs(film / nominal - 1.0))
    closes = verdict(closest / nominal - 1.0)
    agree = "They agree: the oxide may be a closed film"
    exclude = f"They exclude each other: {nominal:g} nm can only be the thickness on a flat wafer"
    own = "" if outer is None else f", and {films[0]:.3g} nm on the recipe's own of {outer:g} nm"
    text = (
        f"a closed film of {nominal:g} nm would be {min(loads):.0%} to {max(loads):.0%} of the powder on tubes of "
        f"{TUBES_nm[0][0]:g} to {TUBES_nm[-1][0]:g} nm; {told.loading_wt_fraction:.2%} spread "
        f"evenly is {min(evens):.2f} to {max(evens):.2f} nm{own}. {agree if closes == 'closes' else exclude}"
    ).replace("%", " %")
    numbers = {"conformal_wt_fraction_least": min(loads), "equivalent_thickness_nm_most": max(evens)}
    return [Audit("a conformal film against the loading", closes, text, numbers)]


def _particles(recipe: Recipe, told: Published) -> list[Audit]:
    seen, outer, volume = told.particle_diameter_nm, recipe.powder.outer_diameter_nm, _volume(recipe, told)
    if seen is None or outer is None or volume is None:
        return []
    one = _tube(recipe, told)
    sparse = (one.coverage_smallest or 0.0) < 1.0
    word = "separate particles, as seen" if sparse else "the smallest do not fit on it, so particles lie on particles"
    text = (
        f"the loading is {one.particles_per_um_smallest:.0f} half spheres of {seen[0]:g} nm on each um of a tube of "
        f"{outer:g} nm, or {one.particles_per_um_largest:.0f} of {seen[1]:g} nm; they cover "
        f"{one.coverage_smallest:.0%} or {one.coverage_largest:.0%} of it: {word}"
    ).replace("%", " %")
    numbers = {
        "particles_per_um_most": one.particles_per_um_smallest or 0.0,
        "particles_per_um_least": one.particles_per_um_largest or 0.0,
        "coverage_most": one.coverage_smallest or 0.0,
        "coverage_least": one.coverage_largest or 0.0,
    }
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
    return [Audit("area of the powder", "noted", text, {"geometric_m2_per_g": geometric})]


def _measured(recipe: Recipe, batch: Batch) -> list[Audit]:
    """What was measured of this very host against what the recipe gives: within its range, where it has one."""
    held = recipe.measured
    if held is None:
        return []
    gives = {
        "loading_wt_fraction": recipe.weighed_loading(float(batch.powder_loading[-1])),
        "particle_diameter_nm": float(batch.diameter_nm[-1]),
        "coverage": float(batch.coverage[-1]),
    }
    return [_held_against(held, name, got) for name, got in gives.items() if getattr(held, name)]


def _held_against(held: MeasuredHost, name: str, got: float) -> Audit:
    given, origin = getattr(held, name), held.origin(name)
    text = f"measured {given:.4g}; the recipe gives {got:.4g}"
    if origin.low is None or origin.high is None:
        return Audit(f"{name} as measured", verdict(got / given - 1.0), text)
    text = f"measured {given:.4g} ({origin.low:.4g} to {origin.high:.4g}); the recipe gives {got:.4g}"
    return Audit(f"{name} as measured", _within(got, origin.low, origin.high), text)


def _crystallites(recipe: Recipe, batch: Batch) -> list[Audit]:
    """A crystallite lies within a particle: it is no larger."""
    held = recipe.measured
    if held is None or held.crystallite_size_nm is None:
        return []
    size, seen = held.crystallite_size_nm, held.particle_diameter_nm
    diameter, known = (float(batch.diameter_nm[-1]), "computed") if seen is None else (seen, "measured")
    text = f"crystallites of {size:.3g} nm in particles of {diameter:.3g} nm ({known})"
    fits = size <= diameter * (1.0 + CLOSES_WITHIN)
    text += "" if fits else ": a crystallite is no larger than its particle"
    return [Audit("crystallites against the particles", "closes" if fits else "does not close", text)]
