"""A cell for PyBaMM: its parameters by name, as plain JSON, for a half cell of the positive against lithium."""

from __future__ import annotations

from typing import Any

from interlith.parts.design import CellDesign
from interlith.parts.electrolyte import REFERENCE_K
from interlith.pouch.bill import LITHIUM, bill, face_delivered_mAh_per_cm2, is_metal, lithium_foil
from interlith.pouch.exports.export import Export, real, table
from interlith.pouch.exports.facts import left_out, pores
from interlith.pouch.exports.layers import (
    Liquid,
    Particles,
    liquid,
    lithium_exchange_A_per_m2,
    no_liquid,
    no_particles,
    particles,
    separator_bruggeman,
)
from interlith.units import (
    LITHIUM_G_PER_CM3,
    LITHIUM_G_PER_MOL,
    LITHIUM_S_PER_M,
    M3_PER_CM3,
    M_PER_CM,
    M_PER_UM,
    LITHIUM_mAh_PER_CM2_PER_UM,
)

ENDS = {
    "capacities": "one nominal capacity stands for all",
    "lithium": "PyBaMM's half cell has lithium without end",
    "sizes": "only the facing area and the number of facing pairs are held",
    "coating": "held as thickness, pores and share of active material",
}


def pybamm_dictionary(cell: CellDesign) -> Export:
    """Names of PyBaMM's parameters -> numbers or tables, of the positive against lithium metal, charged, at 25 C.

    Made for its SPM, SPMe and DFN with {"working electrode": "positive"}. Its current is that of the whole cell, and a
    discharge is one. A table is {"argument": n, "x": [...], "y": [...]}: of the n-th argument that PyBaMM gives to
    such a function, counted from 0; straight between the points and beyond. In an environment that has PyBaMM:

        def value(held):
            if not isinstance(held, dict):
                return held
            x, y = numpy.array(held["x"]), numpy.array(held["y"])
            return lambda *given: pybamm.Interpolant(x, y, given[held["argument"]], interpolator="linear")

        held = json.loads(Path("pybamm.json").read_text())
        values = pybamm.ParameterValues({name: value(one) for name, one in held.items()})
        model = pybamm.lithium_ion.SPMe({"working electrode": "positive"})
        pybamm.Simulation(model, parameter_values=values, C_rate=0.1).solve([0, 40000])

    What is not known (a positive with a curve of your own, another electrolyte) is left away and named.

    >>> from interlith.pouch.design_file import read_design
    >>> export = pybamm_dictionary(read_design("reference-pouch").cell)
    >>> export.content["Number of electrodes connected in parallel to make a cell"]
    10
    >>> round(export.content["Positive electrode thickness [m]"] * 1e6, 1)
    76.7
    """
    solid, fluid = particles(cell), liquid(cell)
    said = [*_temperature(), *solid.filled_in]
    missing = () if solid.shipped is not None else (no_particles(),)
    content: dict[str, Any] = {**_cell(cell, said), **_negative(cell, said), **_separator(cell, said)}
    if fluid is None:
        missing = (*missing, no_liquid(cell))
    else:
        said += fluid.filled_in
        content |= _liquid(fluid)
    content |= _positive(solid, said)
    lost = left_out(cell, ENDS, "PyBaMM has no parameter for it")
    return Export("pybamm.json", content, (*missing, *_not_this_cell(cell), *lost), tuple(said))


def _temperature() -> list[str]:
    return ["The temperature is 25 C, at which all is known; nothing depends on it here."]


def _not_this_cell(cell: CellDesign) -> tuple[str, ...]:
    if is_metal(cell):
        return ()
    name = next(layer.material.name for layer in cell.negative.layers if layer.material.name != LITHIUM)
    return (f"Negative of {name}: the parameters are those of the positive against lithium metal, not of this cell.",)


def _cell(cell: CellDesign, said: list[str]) -> dict[str, Any]:
    width, height = cell.positive.across_cm
    if cell.positive.diameter_mm is not None:
        width = height = cell.facing_cm2**0.5
        said.append("Width and height are the side of a square as large as the disc.")
    found = bill(cell)
    nominal_Ah, which = (found.delivered_Ah, "delivered") if found.rated_Ah is None else (found.rated_Ah, "rated")
    said.append(f"The nominal capacity, 1C, is the {which} one, {nominal_Ah:.4g} Ah; the current is 1C.")
    return {
        "Electrode width [m]": real(width * M_PER_CM),
        "Electrode height [m]": real(height * M_PER_CM),
        "Number of electrodes connected in parallel to make a cell": cell.stack.n_pairs,
        "Number of cells connected in series to make a battery": 1,
        "Nominal cell capacity [A.h]": real(nominal_Ah),
        "Current function [A]": real(nominal_Ah),
        "Lower voltage cut-off [V]": cell.lower_voltage_V,
        "Upper voltage cut-off [V]": cell.upper_voltage_V,
        "Ambient temperature [K]": REFERENCE_K,
        "Reference temperature [K]": REFERENCE_K,
        "Initial temperature [K]": REFERENCE_K,
    }


def _negative(cell: CellDesign, said: list[str]) -> dict[str, Any]:
    held = lithium_foil(cell)
    if held is None:
        um = face_delivered_mAh_per_cm2(cell) / LITHIUM_mAh_PER_CM2_PER_UM
        said.append(
            f"The negative has no lithium as built; its thickness is that of the lithium plated on it, {um:.4g} um."
        )
    else:
        um = held.um
    exchange, why = lithium_exchange_A_per_m2()
    said += [why, "Conductivity and molar volume of the negative are those of lithium metal at 20 C."]
    return {
        "Negative electrode thickness [m]": real(um * M_PER_UM),
        "Negative electrode conductivity [S.m-1]": LITHIUM_S_PER_M,
        "Lithium metal partial molar volume [m3.mol-1]": real(LITHIUM_G_PER_MOL / LITHIUM_G_PER_CM3 * M3_PER_CM3),
        "Exchange-current density for lithium metal electrode [A.m-2]": real(exchange),
    }


def _separator(cell: CellDesign, said: list[str]) -> dict[str, Any]:
    layer = cell.stack.separator
    bruggeman, why = separator_bruggeman()
    said.append(why)
    found = {
        "Separator thickness [m]": real(layer.um * M_PER_UM),
        "Separator Bruggeman coefficient (electrolyte)": bruggeman,
    }
    porosity = pores(layer)
    if porosity is None:
        said.append("The separator has no porosity: it is left open here.")
        return found
    return {**found, "Separator porosity": real(porosity)}


def _liquid(fluid: Liquid) -> dict[str, Any]:
    salt = fluid.salt_mol_per_m3
    return {
        "Initial concentration in electrolyte [mol.m-3]": real(fluid.part.salt_mol_per_m3),
        "Electrolyte conductivity [S.m-1]": _table(0, salt, fluid.conductivity_S_per_m),
        "Electrolyte diffusivity [m2.s-1]": _table(0, salt, fluid.diffusivity_m2_per_s),
        "Cation transference number": _table(0, salt, fluid.transference),
        "Thermodynamic factor": _table(0, salt, fluid.thermodynamic_factor),
    }


def _positive(solid: Particles, said: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "Positive electrode thickness [m]": real(solid.thickness_m),
        "Positive electrode OCP [V]": _table(0, solid.stoichiometry, solid.open_circuit_V),
        "Positive electrode OCP entropic change [V.K-1]": 0.0,
    }
    if solid.porosity is not None:
        found["Positive electrode porosity"] = real(solid.porosity)
    part, most = solid.shipped, solid.most_mol_per_m3
    if part is None or most is None:
        return found
    said.append(
        "The positive's exchange current is a table over the lithium at the surface, in 1 mol/L of salt; its "
        f"exponent {part.exchange_exponent_salt:g} of the salt is left away."
    )
    diffusivity = part.diffusivity(solid.stoichiometry)
    is_constant = len(part.diffusivity.value) == 1
    return {
        **found,
        "Positive electrode active material volume fraction": real(solid.active_fraction),
        "Positive electrode Bruggeman coefficient (electrolyte)": part.bruggeman,
        "Positive electrode Bruggeman coefficient (electrode)": 0.0,
        "Positive electrode conductivity [S.m-1]": part.solid_conductivity_S_per_m,
        "Positive particle radius [m]": real(part.particle_radius_um * M_PER_UM),
        "Positive particle diffusivity [m2.s-1]": real(diffusivity[0])
        if is_constant
        else _table(0, solid.stoichiometry, diffusivity),
        "Maximum concentration in positive electrode [mol.m-3]": real(most),
        "Initial concentration in positive electrode [mol.m-3]": real(most * solid.charged),
        "Positive electrode exchange-current density [A.m-2]": _table(
            1, solid.stoichiometry * most, solid.exchange_A_per_m2
        ),
    }


def _table(argument: int, x: Any, y: Any) -> dict[str, Any]:
    return {"argument": argument, **table(x, y)}
