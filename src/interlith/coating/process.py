"""What a batch asks of the plant: time, diethylzinc, heat, cost, and what the recipe cannot do as it is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from interlith.coating.gas import diethylzinc_Torr, water_Torr
from interlith.coating.grow import Batch, moles_per_volume, tube_nm
from interlith.coating.islands import film_nm3_per_nm2
from interlith.parts.recipe import Dose, Recipe
from interlith.units import (
    DIETHYLZINC_G_PER_MOL,
    G_PER_KG,
    GAS_CONSTANT_J_PER_MOL_K,
    J_PER_KJ,
    KG_PER_M3_PER_G_PER_CM3,
    M3_PER_L,
    M_PER_NM,
    MM_PER_M,
    PA_PER_TORR,
    SECONDS_PER_HOUR,
    SECONDS_PER_MINUTE,
    UM_PER_MM,
    ZERO_CELSIUS_K,
)

GROWS_BETWEEN_C, DECOMPOSES_C = (100.0, 200.0), 250.0  # growth per cycle is assumed there; diethylzinc: judgement
KNOWN_KINDS = ("measured", "calibrated")  # of a growth per cycle that is one's own
LEVELS = 2.0  # the last step over the first, from which rising steps look like levels
HOT_K = 30.0  # in one cycle, of powder that gives off no heat: judgement
STARVED = 0.9  # of what would saturate: below, a dose stays in the skin of a lump
KNUDSEN_PORE_nm, TORTUOSITY = 100.0, 3.0  # of loose powder; judgement, for an estimate of the front alone


@dataclass(frozen=True)
class Process:
    """Of the whole batch. heat: of one average cycle into powder that gives none off; saturating_heat: if a film grew.

    reservoir: chamber that would saturate a closed film at the dose's pressure. skin_depth: how deep the last dose
    goes into the largest lump, None where it saturates it or no lump is given; front_time: until a saturating dose is
    at its middle. time: None where no time is given for the doses; the cost is then without the reactor. cost: None
    without prices; cost_per_kg: of bare powder.
    """

    time_h: float | None
    diethylzinc_kg: float
    diethylzinc_used_kg: float
    heat_per_cycle_K: float
    saturating_heat_K: float
    saturating_mol_per_kg: float
    reservoir_m3: float
    skin_depth_um: float | None
    front_time_s: float | None
    cost: float | None
    cost_per_kg: float | None
    cost_parts: Mapping[str, float]


def process(batch: Batch) -> Process:
    """Time, gas, heat and cost of a batch.

    >>> from interlith.coating.grow import grow
    >>> from interlith.coating.recipe_file import read_recipe
    >>> found = process(grow(read_recipe("reference-coating").recipe))
    >>> round(found.saturating_mol_per_kg, 2), round(found.heat_per_cycle_K, 1)
    (1.44, 7.0)
    """
    recipe = batch.recipe
    film = film_nm3_per_nm2(recipe.growth.growth_per_cycle_nm, tube_nm(recipe))
    saturating = film * moles_per_volume(recipe)
    capacity_J_per_K = recipe.powder.heat_capacity_J_per_g_K * recipe.batch_mass_kg * G_PER_KG
    heat_K = recipe.reaction_heat_kJ_per_mol * J_PER_KJ / capacity_J_per_K
    kg_per_mol = DIETHYLZINC_G_PER_MOL / G_PER_KG
    let_in_kg = batch.zinc_in_mol * batch.n_cycles * kg_per_mol
    parts = _cost(batch, let_in_kg)
    cost = sum(parts.values()) if parts else None
    return Process(
        time_h=time_h(recipe, batch.n_cycles),
        diethylzinc_kg=let_in_kg,
        diethylzinc_used_kg=float(batch.zinc_on_mol.sum()) * kg_per_mol,
        heat_per_cycle_K=float(batch.zinc_on_mol.mean()) * heat_K,
        saturating_heat_K=saturating * heat_K,
        saturating_mol_per_kg=saturating / recipe.batch_mass_kg,
        reservoir_m3=recipe.reactor_volume_L * M3_PER_L * saturating / batch.zinc_in_mol,
        skin_depth_um=_skin_um(batch),
        front_time_s=front_time_s(recipe),
        cost=cost,
        cost_per_kg=None if cost is None else cost / recipe.batch_mass_kg,
        cost_parts=parts,
    )


def time_h(recipe: Recipe, n_cycles: int) -> float | None:
    """Heating, ozone, and n_cycles of both doses with their purges; None where no dose has a time."""
    if recipe.zinc.time_s + recipe.water.time_s == 0:
        return None
    cycles_h = n_cycles * (recipe.zinc.time_s + recipe.water.time_s) / SECONDS_PER_HOUR
    return recipe.heating_h + recipe.ozone_min * SECONDS_PER_MINUTE / SECONDS_PER_HOUR + cycles_h


def front_time_s(recipe: Recipe) -> float | None:
    """Until a dose that saturates a film is at the middle of the largest lump: a shrinking core fed by Knudsen flow.

    t = n R^2 / (6 D c), n the moles that a volume of the lump takes, D = eps / tau (d / 3) sqrt(8 R T / (pi M)). An
    estimate: pores of 100 nm, tortuosity 3 (assumed). None where no lump is given.
    """
    powder = recipe.powder
    if powder.lump_diameter_mm is None:
        return None
    kelvin = recipe.temperature_C + ZERO_CELSIUS_K
    speed = np.sqrt(8.0 * GAS_CONSTANT_J_PER_MOL_K * kelvin / (np.pi * DIETHYLZINC_G_PER_MOL / G_PER_KG))
    open_share = 1.0 - powder.lump_density_g_per_cm3 / powder.material.density_g_per_cm3
    diffusivity = open_share / TORTUOSITY * KNUDSEN_PORE_nm * M_PER_NM / 3.0 * speed
    concentration = recipe.zinc.pressure_Torr * PA_PER_TORR / (GAS_CONSTANT_J_PER_MOL_K * kelvin)
    film = film_nm3_per_nm2(recipe.growth.growth_per_cycle_nm, tube_nm(recipe))
    per_kg = film * moles_per_volume(recipe) / recipe.batch_mass_kg
    taken = per_kg * powder.lump_density_g_per_cm3 * KG_PER_M3_PER_G_PER_CM3
    radius_m = powder.lump_diameter_mm / 2.0 / MM_PER_M
    return float(taken * radius_m**2 / (6.0 * diffusivity * concentration))


def warnings(batch: Batch, found: Process) -> list[str]:
    """What the recipe cannot do, or should not."""
    recipe = batch.recipe
    said = [
        *_source("diethylzinc", recipe.zinc, diethylzinc_Torr(recipe.zinc.source_temperature_C)),
        *_source("water", recipe.water, water_Torr(recipe.water.source_temperature_C)),
        *_condenses("diethylzinc", recipe.zinc, recipe.temperature_C, diethylzinc_Torr(recipe.temperature_C)),
        *_condenses("water", recipe.water, recipe.temperature_C, water_Torr(recipe.temperature_C)),
        *_levels("zinc", recipe.zinc),
        *_levels("water", recipe.water),
        *_window(recipe),
    ]
    hottest_K = found.heat_per_cycle_K * float(batch.zinc_on_mol.max() / batch.zinc_on_mol.mean())
    if hottest_K > HOT_K:
        said.append(
            f"one cycle sets free enough to heat the powder by {hottest_K:.0f} K, if it gave none off: smaller doses, "
            "or time between the steps"
        )
    if found.skin_depth_um is not None and recipe.powder.lump_diameter_mm is not None:
        half_um = recipe.powder.lump_diameter_mm * UM_PER_MM / 2.0
        said.append(
            f"the last dose is {float(batch.zinc_on_mol[-1] / batch.saturating_mol[-1]):.0%} of what saturates: in a "
            f"lump of {recipe.powder.lump_diameter_mm:g} mm it stays within {found.skin_depth_um:.0f} of {half_um:.0f} "
            "um from its surface, unless the powder is stirred".replace("%", " %")
        )
    held_s = recipe.zinc.hold_s * recipe.zinc.n_pulses
    if found.front_time_s is not None and found.front_time_s > held_s:
        said.append(
            f"a saturating dose takes about {found.front_time_s:.0f} s to the middle of the largest lump; it is held "
            f"{held_s:g} s"
        )
    if batch.regime == "water":
        said.append("less water than diethylzinc is let in: water limits the growth, and ethyl groups stay")
    return said


def as_sources_can(recipe: Recipe) -> Recipe:
    """The recipe with no more in each dose than the vapor pressure of its source; itself where it asks for no more."""
    most = {
        "zinc": diethylzinc_Torr(recipe.zinc.source_temperature_C),
        "water": water_Torr(recipe.water.source_temperature_C),
    }
    new = {name: _capped(getattr(recipe, name), torr) for name, torr in most.items()}
    return recipe.model_copy(update=new)


def _capped(dose: Dose, most_Torr: float) -> Dose:
    if dose.pressure_Torr <= most_Torr:
        return dose
    steps = tuple(step * most_Torr / dose.pressure_Torr for step in dose.pressure_steps_Torr)
    return dose.model_copy(update={"pressure_steps_Torr": steps})


def _source(name: str, dose: Dose, vapor_Torr: float) -> list[str]:
    if dose.pressure_Torr <= vapor_Torr:
        return []
    return [
        f"{name}: {dose.pressure_Torr:.3g} Torr cannot come from a source at {dose.source_temperature_C:g} C, whose "
        f"vapor pressure is {vapor_Torr:.3g} Torr: heat it, or take smaller steps"
    ]


def _condenses(name: str, dose: Dose, temperature_C: float, vapor_Torr: float) -> list[str]:
    if dose.pressure_Torr <= vapor_Torr:
        return []
    return [
        f"{name}: {dose.pressure_Torr:.3g} Torr are above its vapor pressure at the powder, {vapor_Torr:.3g} Torr at "
        f"{temperature_C:g} C: it condenses there, and growth by cycles is lost"
    ]


def _levels(table: str, dose: Dose) -> list[str]:
    steps = dose.pressure_steps_Torr
    rising = all(after > before for before, after in pairwise(steps))
    if len(steps) < 2 or not rising or steps[-1] < LEVELS * steps[0]:
        return []
    listed = ", ".join(f"{step:g}" for step in steps)
    return [
        f"{table}.pressure_steps_Torr = [{listed}]: are these levels? they are rises, and {dose.pressure_Torr:g} Torr "
        "in all"
    ]


def _window(recipe: Recipe) -> list[str]:
    held, said = recipe.temperature_C, []
    low, high = GROWS_BETWEEN_C
    if not low <= held <= high and recipe.growth.origin("growth_per_cycle_nm").kind not in KNOWN_KINDS:
        said.append(
            f"at {held:g} C the growth per cycle is not known to hold: it is assumed for {low:g} to {high:g} C; "
            "measure it on a wafer"
        )
    if held > DECOMPOSES_C:
        said.append(f"above {DECOMPOSES_C:g} C diethylzinc decomposes (assumed): growth is then no matter of cycles")
    return said


def _skin_um(batch: Batch) -> float | None:
    """The shell of a sphere that holds the last dose, if it saturates from outside inwards: R (1 - (1 - f)^(1/3))."""
    lump = batch.recipe.powder.lump_diameter_mm
    share = float(batch.zinc_on_mol[-1] / batch.saturating_mol[-1])
    if lump is None or share > STARVED:
        return None
    return lump * UM_PER_MM / 2.0 * (1.0 - (1.0 - share) ** (1.0 / 3.0))


def _cost(batch: Batch, let_in_kg: float) -> dict[str, float]:
    prices = batch.recipe.prices
    if prices is None:
        return {}
    hours = time_h(batch.recipe, batch.n_cycles)
    reactor = {} if hours is None else {"reactor": hours * prices.reactor_per_h}
    return {
        "diethylzinc": let_in_kg * prices.diethylzinc_per_kg,
        "powder": batch.recipe.batch_mass_kg * prices.powder_per_kg,
        "argon": prices.argon_m3_per_cycle * batch.n_cycles * prices.argon_per_m3,
        **reactor,
    }
