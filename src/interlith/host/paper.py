"""A paper of coated powder: areal mass through drying and carbonizing, pores, area, what lithium does in it.

porosity = 1 - (m_C / rho_C + m_Z / rho_Z) / L; the lithium that its pores hold, porosity L times 0.2062 mAh/cm2 per um
of dense lithium. Zinc oxide takes 2 F / M once (ZnO + 2 Li -> Zn + Li2O) and F / M besides that comes back (LiZn).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from interlith.errors import PhysicsError
from interlith.parts.recipe import Paper, Recipe
from interlith.units import (
    CM2_PER_M2,
    CM_PER_UM,
    MG_PER_CM2_PER_UM_G_PER_CM3,
    MG_PER_G,
    LITHIUM_mAh_PER_CM2_PER_UM,
    mV_PER_V,
)

CURRENT_mA_PER_CM2 = 1.0  # for which the sheet's own drop and the true current density are told
FILLINGS, BEYOND = 51, 1.25  # rows of void against charge, up to this multiple of what the pores hold


@dataclass(frozen=True)
class PaperHost:
    """A finished paper. Areal masses in mg/cm2: powder bare, oxide, char. area: of the tubes, per area of the sheet.

    through_ohm_cm2: of the solid from face to face; None without a conductivity.
    """

    thickness_um: float
    areal_mass_mg_per_cm2: float
    carbon_mg_per_cm2: float
    oxide_mg_per_cm2: float
    char_mg_per_cm2: float
    loading_wt_fraction: float
    solid_um: float
    porosity: float
    pore_capacity_mAh_per_cm2: float
    area_cm2_per_cm2: float
    true_current_uA_per_cm2: float
    conversion_mAh_per_cm2: float
    alloy_mAh_per_cm2: float
    through_ohm_cm2: float | None
    through_mV: float | None

    @property
    def void_um(self) -> float:
        """Pores as a thickness."""
        return self.porosity * self.thickness_um

    def void(self, mAh_per_cm2: float) -> float:
        """Pores as a thickness with so much dense lithium in a paper that does not swell; 0 where they are full.

        What does not fit lies on top. Real papers swell or are covered earlier: their thickness is measured.
        """
        return max(self.void_um - mAh_per_cm2 / LITHIUM_mAh_PER_CM2_PER_UM, 0.0)

    def fillings(self) -> pl.DataFrame:
        """Void, porosity and lithium on top against the lithium plated, for a rigid paper."""
        charge = np.linspace(0.0, BEYOND, FILLINGS) * self.pore_capacity_mAh_per_cm2  # one row at full pores
        void = np.array([self.void(q) for q in charge])
        top = np.maximum(charge - self.pore_capacity_mAh_per_cm2, 0.0)
        columns = {"plated_mAh_per_cm2": charge, "void_um": void, "porosity": void / self.thickness_um}
        return pl.DataFrame({**columns, "on_top_mAh_per_cm2": top, "on_top_um": top / LITHIUM_mAh_PER_CM2_PER_UM})


def make_paper(recipe: Recipe, paper: Paper, powder_loading: float) -> PaperHost:
    """The finished paper of a powder with that mass fraction of oxide.

    Raises PhysicsError where the solid is thicker than the sheet.

    >>> sheet = Paper(areal_mass_mg_per_cm2=1, thickness_um=20, powder_fraction=0.9, char_yield=0.2)
    >>> from interlith.parts.recipe import Dose, Growth, Powder
    >>> dose = Dose(pressure_steps_Torr=(20,), source_temperature_C=40)
    >>> recipe = Recipe(powder=Powder(outer_diameter_nm=20, inner_diameter_nm=7), batch_mass_kg=1, n_cycles=79,
    ...                 reactor_volume_L=35, temperature_C=200, zinc=dose, water=dose,
    ...                 growth=Growth(growth_per_cycle_nm=0.19, nuclei_per_um2=2000), paper=sheet)
    >>> made = make_paper(recipe, sheet, recipe.powder_loading(0.1241))
    >>> round(made.porosity, 2), round(made.pore_capacity_mAh_per_cm2, 2), round(made.conversion_mAh_per_cm2, 3)
    (0.78, 3.22, 0.082)
    """
    mass = paper.finished_mg_per_cm2
    powder = mass * paper.powder_share
    oxide, carbon, char = powder * powder_loading, powder * (1.0 - powder_loading), mass - powder
    carbon_um = (carbon + char) / recipe.powder.material.density_g_per_cm3
    solid_um = (carbon_um + oxide / recipe.oxide.density_g_per_cm3) / MG_PER_CM2_PER_UM_G_PER_CM3
    porosity = 1.0 - solid_um / paper.thickness_um
    if porosity <= 0:
        raise PhysicsError(
            f"paper: {mass:.3g} mg/cm2 are {solid_um:.3g} um of solid without pores, in a sheet of "
            f"{paper.thickness_um:g} um: thickness_um or areal_mass_mg_per_cm2 is wrong"
        )
    area = carbon / MG_PER_G * recipe.powder.area_m2_per_g * CM2_PER_M2
    through = _through_ohm_cm2(paper, 1.0 - porosity)
    return PaperHost(
        thickness_um=paper.thickness_um,
        areal_mass_mg_per_cm2=mass,
        carbon_mg_per_cm2=carbon,
        oxide_mg_per_cm2=oxide,
        char_mg_per_cm2=char,
        loading_wt_fraction=oxide / mass,
        solid_um=solid_um,
        porosity=porosity,
        pore_capacity_mAh_per_cm2=porosity * paper.thickness_um * LITHIUM_mAh_PER_CM2_PER_UM,
        area_cm2_per_cm2=area,
        true_current_uA_per_cm2=CURRENT_mA_PER_CM2 * mV_PER_V / area,
        conversion_mAh_per_cm2=oxide * recipe.oxide.conversion_capacity_mAh_per_g / MG_PER_G,
        alloy_mAh_per_cm2=oxide * recipe.oxide.alloy_capacity_mAh_per_g / MG_PER_G,
        through_ohm_cm2=through,
        through_mV=None if through is None else through * CURRENT_mA_PER_CM2,
    )


def _through_ohm_cm2(paper: Paper, solid_fraction: float) -> float | None:
    """L / sigma of the sheet: four probes, else sigma_0 (phi - phi_c)^t; infinite below the threshold."""
    sigma = paper.conductivity_S_per_cm
    if sigma is None and paper.solid_conductivity_S_per_cm is not None and paper.percolation_exponent is not None:
        above = max(solid_fraction - paper.percolation_threshold, 0.0)
        sigma = paper.solid_conductivity_S_per_cm * above**paper.percolation_exponent
    if sigma is None:
        return None
    return np.inf if sigma == 0 else paper.thickness_um * CM_PER_UM / sigma
