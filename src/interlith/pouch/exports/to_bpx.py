"""A cell as a BPX 1.1 file, of the kind "Partial": BPX has no lithium metal and no half cell.

Its negative must be a porous electrode of particles; written for a foil, eight of its twelve keys would be untrue, and
readers would simulate them. So there is no negative here. Some of what BPX has no key for is User-defined numbers.
"""

from __future__ import annotations

import math
from typing import Any

from interlith.parts.design import CellDesign, Coin
from interlith.parts.electrolyte import REFERENCE_K
from interlith.parts.layer import Layer
from interlith.pouch.bill import Bill, bill, lithium_foil
from interlith.pouch.exports.export import Export, real, sentence, table
from interlith.pouch.exports.facts import between, left_out, pores
from interlith.pouch.exports.layers import (
    Liquid,
    Particles,
    liquid,
    no_liquid,
    no_particles,
    particles,
    separator_bruggeman,
)
from interlith.units import (
    FARADAY_C_PER_MOL,
    G_PER_KG,
    KG_PER_M2_PER_MG_PER_CM2,
    KG_PER_M3_PER_G_PER_CM3,
    M2_PER_CM2,
    M3_PER_CM3,
    M_PER_UM,
    MM_PER_CM,
    UM_PER_MM,
)

VERSION = "1.1.1"
SYMMETRIC = 0.5  # exponent of salt, lithium and vacant sites alike in the rate law of BPX
NUMBERS = "kept as User-defined numbers, on which no reader acts"
ENDS = {
    "interlayer": NUMBERS,
    "lithium": NUMBERS,
    "electrolyte": NUMBERS,
    "masses": "the whole as Density times Volume, some as User-defined numbers",
    "energy": NUMBERS,
    "capacities": "one Nominal cell capacity stands for all; the others are kept as User-defined numbers",
    "coating": "held as thickness, pores and surface area of particles",
    "collectors": NUMBERS,
    "sizes": "only the facing area, the number of facing pairs, volume and outer surface are held",
}
WHY_PARTIAL = (
    "A lithium-metal cell as built. There is no Negative electrode: BPX knows only porous ones made of particles. "
    "Model is Partial, so this is a file for exchange and not for a solver."
)


def bpx(cell: CellDesign, title: str) -> Export:
    """A BPX file of the cell: cell, electrolyte, positive and separator as far as known, the rest User-defined.

    The areal capacity is that of the design (see layers.py). The sections of a positive with a curve of your own, of an
    unknown electrolyte and of a separator without a porosity are left away, for BPX takes none of them in part. The
    description carries what is left out and what is filled in: free text has no other place in BPX.

    >>> from interlith.pouch.design_file import read_design
    >>> design = read_design("reference-pouch")
    >>> export = bpx(design.cell, design.title)
    >>> export.content["Header"]["Model"], "Negative electrode" in export.content["Parameterisation"]
    ('Partial', False)
    >>> export.content["Parameterisation"]["User-defined"]["Interlayer host thickness [m]"]
    2e-05
    """
    found, solid, fluid = bill(cell), particles(cell), liquid(cell)
    said = [*solid.filled_in]
    missing = ["Negative electrode: BPX has no lithium metal and no half cell, so the section is left away."]
    sections: dict[str, Any] = {"Cell": _cell(cell, found, said)}
    user = _user_defined(cell, found)
    if fluid is None:
        missing.append(no_liquid(cell))
    else:
        said += fluid.filled_in
        sections["Electrolyte"] = _electrolyte(fluid, said)
        user["Thermodynamic factor"] = real(fluid.part.thermodynamic_factor(fluid.part.salt_mol_per_m3, REFERENCE_K))
    positive = _positive(solid, fluid, said)
    if positive is None:
        missing.append(_no_positive(solid))
        user |= _positive_in_part(solid)
    else:
        sections["Positive electrode"] = positive
    separator = _separator(cell.stack.separator, said)
    if separator is None:
        missing.append("Separator: no porosity is given, and BPX asks for one, so the section is left away.")
    else:
        sections["Separator"] = separator
    lost = (*missing, *left_out(cell, ENDS, "BPX has no key for it"))
    head = {"BPX": VERSION, "Model": "Partial", "Title": title, "Description": " ".join((WHY_PARTIAL, *said, *lost))}
    content = {"Header": head, "Parameterisation": {**sections, "User-defined": user}, "State": _state(fluid)}
    return Export("bpx.json", content, lost, tuple(said))


def _cell(cell: CellDesign, found: Bill, said: list[str]) -> dict[str, Any]:
    nominal_Ah, which = (found.delivered_Ah, "delivered") if found.rated_Ah is None else (found.rated_Ah, "rated")
    said.append(f"The nominal capacity is the {which} one, {nominal_Ah:.4g} Ah.")
    body_m3 = found.volumes_mL["body"] * M3_PER_CM3
    return {
        "Electrode area [m2]": real(cell.facing_cm2 * M2_PER_CM2),
        "Number of electrode pairs connected in parallel to make a cell": cell.stack.n_pairs,
        "Lower voltage cut-off [V]": cell.lower_voltage_V,
        "Upper voltage cut-off [V]": cell.upper_voltage_V,
        "Nominal cell capacity [A.h]": real(nominal_Ah),
        "Volume [m3]": real(body_m3),
        "External surface area [m2]": real(_surface_cm2(cell, found) * M2_PER_CM2),
        "Density [kg.m-3]": real(found.mass_g / G_PER_KG / body_m3),
        "Reference temperature [K]": REFERENCE_K,
    }


def _surface_cm2(cell: CellDesign, found: Bill) -> float:
    """Of the body whose volume is given: without the seals of a pouch."""
    if isinstance(cell.case, Coin):
        radius, height = (mm / MM_PER_CM for mm in (cell.case.outer_diameter_mm / 2.0, cell.case.outer_height_mm))
        return 2.0 * math.pi * radius * (radius + height)
    (width, height), thick_cm = cell.negative.across_cm, found.body_um / UM_PER_MM / MM_PER_CM
    around = math.pi * width if cell.negative.diameter_mm is not None else 2.0 * (width + height)
    return float(2.0 * cell.negative.area_cm2 + around * thick_cm)


def _electrolyte(fluid: Liquid, said: list[str]) -> dict[str, Any]:
    part, salt = fluid.part, fluid.part.salt_mol_per_m3
    said.append(
        f"The transference number is that at {part.salt_mol_per_L:g} mol/L; the thermodynamic factor there is a "
        "User-defined number, for BPX has no key for it and readers take 1."
    )
    return {
        "Cation transference number": real(part.transference_number(salt, REFERENCE_K)),
        "Diffusivity [m2.s-1]": table(fluid.salt_mol_per_m3, fluid.diffusivity_m2_per_s),
        "Conductivity [S.m-1]": table(fluid.salt_mol_per_m3, fluid.conductivity_S_per_m),
    }


def _positive(solid: Particles, fluid: Liquid | None, said: list[str]) -> dict[str, Any] | None:
    part, fraction, most = solid.shipped, solid.active_fraction, solid.most_mol_per_m3
    if part is None or fraction is None or most is None or not solid.porosity:
        return None
    radius_m = part.particle_radius_um * M_PER_UM
    diffusivity = part.diffusivity(solid.stoichiometry)
    is_constant = len(part.diffusivity.value) == 1
    return {
        "Thickness [m]": real(solid.thickness_m),
        "Porosity": real(solid.porosity),
        "Transport efficiency": real(solid.porosity**part.bruggeman),
        "Conductivity [S.m-1]": part.solid_conductivity_S_per_m,
        "Minimum stoichiometry": real(solid.charged),
        "Maximum stoichiometry": real(solid.discharged),
        "Maximum concentration [mol.m-3]": real(most),
        "Particle radius [m]": real(radius_m),
        "Surface area per unit volume [m-1]": real(3.0 * fraction / radius_m),
        "Diffusivity [m2.s-1]": real(diffusivity[0]) if is_constant else table(solid.stoichiometry, diffusivity),
        "OCP [V]": table(solid.stoichiometry, solid.open_circuit_V),
        "Entropic change coefficient [V.K-1]": 0.0,
        "Reaction rate constant [mol.m-2.s-1]": _rate_constant(solid, fluid, said),
    }


def _rate_constant(solid: Particles, fluid: Liquid | None, said: list[str]) -> float:
    """K of j0 = F K sqrt(c / c0) sqrt(x) sqrt(1 - x), with c0 the salt as made; the same j0 at x = 0.5."""
    part = solid.shipped
    assert part is not None  # _positive asked
    exponents = (part.exchange_exponent_salt, part.exchange_exponent_lithium, part.exchange_exponent_vacant)
    if set(exponents) != {SYMMETRIC}:
        said.append(
            f"The exchange current has the exponents {', '.join(f'{value:g}' for value in exponents)} of salt, lithium "
            "and vacant sites; BPX knows 0.5 alone, so it is right at 0.5 lithium per site and the salt as made only."
        )
    salt = 1.0 if fluid is None else fluid.part.salt_mol_per_L
    half = 0.5  # lithium per site, and there sqrt(x) sqrt(1 - x)
    return real(float(part.exchange_A_per_m2(half, salt)) / FARADAY_C_PER_MOL / half)


def _no_positive(solid: Particles) -> str:
    if solid.shipped is None:
        return no_particles()
    return "Positive electrode: no porosity is given, and BPX asks for one, so the section is left away."


def _positive_in_part(solid: Particles) -> dict[str, Any]:
    found: dict[str, Any] = {
        "Positive electrode thickness [m]": real(solid.thickness_m),
        "Positive electrode OCP [V]": table(solid.stoichiometry, solid.open_circuit_V),
    }
    return {**found, "Positive electrode porosity": real(solid.porosity)} if solid.porosity else found


def _separator(layer: Layer, said: list[str]) -> dict[str, Any] | None:
    porosity = pores(layer)
    if not porosity:
        return None
    bruggeman, why = separator_bruggeman()
    said.append(sentence(why))
    return {
        "Thickness [m]": real(layer.um * M_PER_UM),
        "Porosity": real(porosity),
        "Transport efficiency": real(porosity**bruggeman),
    }


def _state(fluid: Liquid | None) -> dict[str, Any]:
    held: dict[str, Any] = {"Initial temperature [K]": REFERENCE_K}
    if fluid is not None:
        held["Initial electrolyte concentration [mol.m-3]"] = real(fluid.part.salt_mol_per_m3)
    return {"Initial conditions": held}


def _user_defined(cell: CellDesign, found: Bill) -> dict[str, Any]:
    """Flat names with their unit, SI but for A.h: other readers take them as they are, or not at all."""
    numbers: dict[str, Any] = {
        "Cell mass [kg]": real(found.mass_g / G_PER_KG),
        "Electrolyte mass [kg]": real(found.masses_g["electrolyte"] / G_PER_KG),
        "Electrolyte volume [m3]": real(found.electrolyte_mL * M3_PER_CM3),
        "Coated capacity [A.h]": real(found.coated_Ah),
        "Delivered capacity [A.h]": real(found.delivered_Ah),
        "Negative electrode capacity [A.h]": real(found.negative_Ah),
        "Negative to positive capacity ratio": real(found.n_to_p["by_face"]),
        "Energy [W.h]": real(found.energy_Wh),
        "Mean discharge voltage [V]": real(found.mean_voltage_V),
        "Positive electrode coating areal mass [kg.m-2]": real(cell.coating.mg_per_cm2 * KG_PER_M2_PER_MG_PER_CM2),
        "Electrolyte density [kg.m-3]": real(cell.electrolyte.material.density_g_per_cm3 * KG_PER_M3_PER_G_PER_CM3),
    }
    metal = lithium_foil(cell)
    if metal is not None:
        numbers["Lithium foil thickness [m]"] = real(metal.um * M_PER_UM)
    for name, electrode in (("Positive", cell.positive), ("Negative", cell.negative)):
        if electrode.foil is not None:
            numbers[f"{name} current collector thickness [m]"] = real(electrode.foil.um * M_PER_UM)
    for layer in between(cell):
        numbers |= _interlayer(layer)
    return numbers


def _interlayer(layer: Layer) -> dict[str, float]:
    name, porosity = f"Interlayer {layer.name}", pores(layer)
    held = {
        f"{name} thickness [m]": real(layer.um * M_PER_UM),
        f"{name} areal mass [kg.m-2]": real(layer.mg_per_cm2 * KG_PER_M2_PER_MG_PER_CM2),
    }
    return held if porosity is None else {**held, f"{name} porosity": real(porosity)}
