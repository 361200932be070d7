"""A batch, cycle by cycle: what is let in, what the surface can take, what stays.

At kilograms of powder the surface takes up a dose far faster than the dose is held, so kinetics drop out and each dose
is a mass balance: what stays is the least of the diethylzinc let in, the water let in, and what a saturating cycle
would add to the islands as they are. Everything that does not stay is pumped away.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from interlith.coating.gas import moles
from interlith.coating.islands import Islands, film_nm3_per_nm2, film_of
from interlith.errors import PhysicsError
from interlith.parts.recipe import Growth, Recipe
from interlith.units import CM2_PER_M2, CM_PER_NM, G_PER_KG, NM_PER_UM, ZINC_OXIDE_G_PER_MOL

Floats = NDArray[np.float64]
Regime = Literal["supply", "water", "nucleation", "saturated"]
REGIMES: tuple[Regime, ...] = ("supply", "water", "nucleation", "saturated")
ALIKE = 1e-9  # relative; steps of one sum, added in another order
CLOSED = 0.99  # coverage from which the powder counts as closed
ETHANE_PER_ZINC = 2.0
LEAST_NUCLEI_per_um2 = 1e-3  # below, a powder has as good as none


@dataclass(frozen=True)
class Batch:
    """A batch after every cycle, arrays of length n_cycles; amounts in mol for the whole batch.

    zinc_in, water_in, zinc_on: of one cycle. saturating: what the cycle could have added. coverage, film_nm,
    diameter_nm: after the cycle. nuclei_per_um2: all there are at the end. oxide_g_per_g: of the bare powder.
    """

    recipe: Recipe
    zinc_in_mol: float
    water_in_mol: float
    zinc_on_mol: Floats
    saturating_mol: Floats
    oxide_g_per_g: Floats
    coverage: Floats
    film_nm: Floats
    diameter_nm: Floats
    nuclei_per_um2: float

    @property
    def n_cycles(self) -> int:
        """Cycles that were run."""
        return len(self.zinc_on_mol)

    @property
    def regimes(self) -> list[Regime]:
        """What limits each cycle: zinc, water, the area of the islands, or a closed surface."""
        less: Regime = "supply" if self.zinc_in_mol <= self.water_in_mol * (1.0 + ALIKE) else "water"
        starved = self.zinc_on_mol < self.saturating_mol
        return [
            less if short else "saturated" if covered >= CLOSED else "nucleation"
            for short, covered in zip(starved, self.coverage, strict=True)
        ]

    @property
    def shares(self) -> dict[Regime, float]:
        """Share of the oxide that came in each regime."""
        named = np.array(self.regimes)
        total = self.zinc_on_mol.sum()
        return {regime: float(self.zinc_on_mol[named == regime].sum() / total) for regime in REGIMES}

    @property
    def regime(self) -> Regime:
        """That in which most of the oxide came."""
        shares = self.shares
        return max(shares, key=lambda regime: shares[regime])

    @property
    def powder_loading(self) -> Floats:
        """Mass fraction of oxide in the coated powder after each cycle."""
        return self.oxide_g_per_g / (1.0 + self.oxide_g_per_g)

    @property
    def utilization(self) -> float:
        """Share of the diethylzinc let in that stays."""
        return float(self.zinc_on_mol.sum() / (self.zinc_in_mol * self.n_cycles))

    @property
    def zinc_out_mol(self) -> float:
        """Diethylzinc pumped away unused."""
        return float(np.sum(self.zinc_in_mol - self.zinc_on_mol))

    @property
    def ethane_mol(self) -> float:
        """Ethane pumped away: two for each zinc that stays."""
        return float(ETHANE_PER_ZINC * self.zinc_on_mol.sum())

    @property
    def particles_per_um(self) -> float | None:
        """Nuclei on one micrometre of a tube; None for a powder without diameters."""
        diameter = self.recipe.powder.outer_diameter_nm
        return None if diameter is None else self.nuclei_per_um2 * np.pi * diameter / NM_PER_UM

    def table(self) -> pl.DataFrame:
        """One row per cycle."""
        columns = {
            "cycle": np.arange(1, self.n_cycles + 1),
            "zinc_in_mol": np.full(self.n_cycles, self.zinc_in_mol),
            "zinc_on_mol": self.zinc_on_mol,
            "saturating_mol": self.saturating_mol,
            "powder_loading_wt_fraction": self.powder_loading,
            "coverage": self.coverage,
            "equivalent_thickness_nm": self.film_nm,
            "particle_diameter_nm": self.diameter_nm,
        }
        return pl.DataFrame(columns).with_columns(pl.Series("regime", self.regimes))


def nuclei_per_um2(growth: Growth, ozone_min: float) -> float:
    """Nuclei at the first cycle: as given, else N_max (1 - exp(-t / t0)) of the ozone.

    >>> made = Growth(growth_per_cycle_nm=0.19, nuclei_at_most_per_um2=1000, ozone_constant_min=10)
    >>> round(nuclei_per_um2(made, ozone_min=30))
    950
    """
    if growth.nuclei_per_um2 is not None:
        return growth.nuclei_per_um2
    assert growth.nuclei_at_most_per_um2 is not None
    assert growth.ozone_constant_min is not None
    return float(growth.nuclei_at_most_per_um2 * -np.expm1(-ozone_min / growth.ozone_constant_min))


def grow(recipe: Recipe, n_cycles: int | None = None) -> Batch:
    """The batch after n_cycles, those of the recipe where not said.

    Raises PhysicsError where there is nothing to grow on.

    >>> from interlith.coating.recipe_file import read_recipe
    >>> batch = grow(read_recipe("reference-coating").recipe)
    >>> batch.regime, round(float(batch.powder_loading[-1]), 3)
    ('supply', 0.127)
    """
    n = recipe.n_cycles if n_cycles is None else n_cycles
    zinc_in = moles(recipe.zinc, recipe.reactor_volume_L, recipe.temperature_C)
    water_in = moles(recipe.water, recipe.reactor_volume_L, recipe.temperature_C)
    per_nm3 = moles_per_volume(recipe)
    islands = _nucleated(recipe, n)
    volume, grown_nm = 0.0, recipe.growth.growth_per_cycle_nm
    on, saturating, oxide, covered, film, wide = (np.zeros(n) for _ in range(6))
    coming = recipe.growth.nuclei_per_um2_per_cycle / NM_PER_UM**2
    for i in range(n):
        if i and coming:
            islands = islands.with_cohort(coming)
        full = islands.grown(recipe.growth.growth_per_cycle_nm)
        saturating[i] = max(full.nm3_per_nm2 - volume, 0.0) * per_nm3  # merged cohorts hold a little less
        on[i] = min(zinc_in, water_in, saturating[i])
        volume += on[i] / per_nm3
        starved = on[i] < saturating[i]
        before = islands.diameter_nm
        islands = islands.filled(volume, recipe.growth.growth_per_cycle_nm, grown_nm) if starved else full
        grown_nm = (islands.diameter_nm - before) / 2.0  # about what the next cycle adds
        oxide[i] = volume * per_nm3 * ZINC_OXIDE_G_PER_MOL / (recipe.batch_mass_kg * G_PER_KG)
        covered[i], wide[i] = islands.coverage, islands.diameter_nm
        film[i] = film_of(volume, islands.tube_nm)
    nuclei = float(islands.per_nm2.sum()) * NM_PER_UM**2
    return Batch(recipe, zinc_in, water_in, on, saturating, oxide, covered, film, wide, nuclei)


def conformal_loading(recipe: Recipe, film_nm: float) -> float:
    """Mass fraction of oxide in the powder under a uniform film: the most that so many nanometres can hold.

    rho_Z v / (rho_Z v + 1 / S), v the volume of the film per area; on a tube
    rho_Z ((r + t)^2 - r^2) / (rho_Z ((r + t)^2 - r^2) + rho_C (r^2 - r_i^2)).

    >>> from interlith.coating.recipe_file import read_recipe
    >>> round(conformal_loading(read_recipe("reference-coating").recipe, 15.0), 3)
    0.941
    """
    grams = film_nm3_per_nm2(film_nm, tube_nm(recipe)) * grams_per_volume(recipe)
    return grams / (1.0 + grams)


def tube_nm(recipe: Recipe) -> float:
    """Radius of the tubes; infinite for a powder without diameters, whose surface counts as plane."""
    diameter = recipe.powder.outer_diameter_nm
    return np.inf if diameter is None else diameter / 2.0


def grams_per_volume(recipe: Recipe) -> float:
    """Oxide in g per g of powder, of one nm3 per nm2 of its area."""
    return recipe.oxide.density_g_per_cm3 * CM_PER_NM * recipe.powder.area_m2_per_g * CM2_PER_M2


def moles_per_volume(recipe: Recipe) -> float:
    """Oxide in mol for the batch, of one nm3 per nm2 of its area."""
    return grams_per_volume(recipe) * recipe.batch_mass_kg * G_PER_KG / ZINC_OXIDE_G_PER_MOL


def _nucleated(recipe: Recipe, n_cycles: int) -> Islands:
    growth = recipe.growth
    first = nuclei_per_um2(growth, recipe.ozone_min)
    if first + growth.nuclei_per_um2_per_cycle * (n_cycles - 1) < LEAST_NUCLEI_per_um2:
        why = "" if growth.nuclei_per_um2 is not None else f" after {recipe.ozone_min:g} min of ozone"
        raise PhysicsError(f"no nuclei on the powder{why}: nothing grows")
    at_first = np.array([first / NM_PER_UM**2] if first > 0 else [])
    return Islands(at_first, np.zeros(len(at_first)), tube_nm(recipe))
