"""The layers of a cell as a model of particles and salt sees them: what the design says, and what it has to be told.

Thickness and pores of the positive are those of the design. Its areal capacity Q fixes the share of active material:

    active_fraction = Q / (F c_max thickness (discharged - charged))

with c_max of the shipped positive that the open circuit names, and the stoichiometries at which that open circuit,
moved by curve_offset_mV, meets the voltages of the cell. So the exported cell holds between them what the bill calls
coated. Where pores and solid would be more than the whole, the solid is what the pores leave, and c_max is raised.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from interlith.parts.design import CellDesign
from interlith.parts.electrolyte import REFERENCE_K, Electrolyte, electrolyte, electrolyte_names
from interlith.parts.positive import Positive, note, positive
from interlith.parts.samples import foil, separator
from interlith.pouch.exports.export import sentence
from interlith.pouch.exports.facts import PERCENT, pores
from interlith.pouch.voltage import lithium_at, open_circuit_V
from interlith.units import FARADAY_C_PER_MOL, M_PER_UM, MOL_PER_M3_PER_MOL_PER_L, C_PER_M2_PER_mAh_PER_CM2, mV_PER_V

Floats = NDArray[np.float64]
END_WIDTH = 0.01  # lithium per site within which an open circuit that ends too high is made to fall; assumed
END_TOLERANCE_V = 2e-3
N_ALONG, N_AT_END = 161, 60
NEAREST_END, FROM_END = 1e-4, 0.08  # lithium per site; where the points lie closer
BEYOND = 2e-3  # lithium per site by which tables go on straight, for what a solver tries
N_SALT = 39


@dataclass(frozen=True)
class Particles:
    """The coating of a positive. charged, discharged: lithium per site at the upper and at the lower voltage.

    stoichiometry, open_circuit_V: [N], from charged to discharged and straight on a little beyond both.
    shipped: the set that particles, kinetics and diffusion come from; None for a curve of one's own, and then
    active_fraction and most_mol_per_m3 are not known. porosity: None where the design does not say.
    """

    thickness_m: float
    porosity: float | None
    charged: float
    discharged: float
    stoichiometry: Floats
    open_circuit_V: Floats
    shipped: Positive | None
    active_fraction: float | None
    most_mol_per_m3: float | None
    filled_in: tuple[str, ...]

    @property
    def exchange_A_per_m2(self) -> Floats:
        """Per area of particles, in the electrolyte as made with 1 mol/L, at each stoichiometry; none without a set."""
        return np.empty(0) if self.shipped is None else self.shipped.exchange_A_per_m2(self.stoichiometry)


def particles(cell: CellDesign) -> Particles:
    """The coating of the positive.

    >>> from interlith.pouch.design_file import read_design
    >>> found = particles(read_design("reference-pouch").cell)
    >>> round(found.active_fraction, 3), round(found.charged, 3), round(found.discharged, 3)
    (0.648, 0.278, 0.908)
    """
    layer = cell.coating
    x, volts, said = _open_circuit(cell)
    charged, discharged = float(x[0]), float(x[-1])
    curve = layer.material.open_circuit
    shipped = positive(curve) if isinstance(curve, str) else None
    porosity = pores(layer)
    if porosity is None:
        said.append("The coating of the positive has no porosity: it is left open here")
    fraction = most = None
    if shipped is not None:
        said.append(
            f"Particles, kinetics and diffusion are those of the shipped positive {shipped.name}, capacity and "
            f"voltages those of this cell. That positive: {note(shipped.name)}"
        )
        fraction, most = _fraction(cell, shipped, discharged - charged, porosity or 0.0)
        said += _fractions(layer.um, layer.mAh_per_cm2, fraction, most, shipped)
    wider = np.unique([max(charged - BEYOND, 0.0), *x, min(discharged + BEYOND, 1.0)])
    return Particles(
        thickness_m=layer.um * M_PER_UM,
        porosity=porosity,
        charged=charged,
        discharged=discharged,
        stoichiometry=wider,
        open_circuit_V=_straight_on(wider, x, volts),
        shipped=shipped,
        active_fraction=fraction,
        most_mol_per_m3=most,
        filled_in=tuple(sentence(text) for text in said),
    )


def _open_circuit(cell: CellDesign) -> tuple[Floats, Floats, list[str]]:
    """Stoichiometry and voltage from the upper to the lower voltage of the cell, the points denser at the end."""
    curve = cell.coating.material.open_circuit
    assert curve is not None  # CellDesign refuses a positive without one
    offset_V = cell.curve_offset_mV / mV_PER_V
    limits = np.array([cell.upper_voltage_V, cell.lower_voltage_V]) - offset_V
    charged, discharged = (float(x) for x in lithium_at(curve, limits))
    near_end = discharged - np.geomspace(NEAREST_END, FROM_END, N_AT_END)
    x = np.unique(np.concatenate((np.linspace(charged, discharged, N_ALONG), near_end[near_end > charged])))
    volts = open_circuit_V(curve, x) + offset_V
    said = []
    if offset_V:
        said.append(f"The open circuit is moved by {cell.curve_offset_mV:g} mV, as curve_offset_mV says")
    above_V = float(volts[-1]) - cell.lower_voltage_V
    if above_V > END_TOLERANCE_V:
        volts = volts - above_V * np.exp((x - discharged) / END_WIDTH)
        said.append(
            f"The open circuit ends at {above_V + cell.lower_voltage_V:.4g} V; it is made to fall to "
            f"{cell.lower_voltage_V:g} V there within about {3 * END_WIDTH:g} of lithium per site (assumed)"
        )
    return x, volts, said


def _straight_on(wanted: Floats, x: Floats, y: Floats) -> Floats:
    """y at the wanted points, straight between those of x and straight on beyond its ends."""
    first, last = (y[1] - y[0]) / (x[1] - x[0]), (y[-1] - y[-2]) / (x[-1] - x[-2])
    below, above = np.minimum(wanted - x[0], 0.0), np.maximum(wanted - x[-1], 0.0)
    found: Floats = np.interp(wanted, x, y) + first * below + last * above
    return found


def _fraction(cell: CellDesign, shipped: Positive, width: float, porosity: float) -> tuple[float, float]:
    """Share of active material, and most lithium per volume of it; see the first lines of this file."""
    layer, most = cell.coating, shipped.most_lithium_mol_per_m3
    charge_C_per_m2 = layer.mAh_per_cm2 * C_PER_M2_PER_mAh_PER_CM2
    wanted = charge_C_per_m2 / (FARADAY_C_PER_MOL * most * layer.um * M_PER_UM * width)
    fraction = min(wanted, 1.0 - porosity)
    return fraction, most * wanted / fraction


def _fractions(um: float, mAh_per_cm2: float, fraction: float, most: float, shipped: Positive) -> list[str]:
    as_set = f"set {shipped.name}: {shipped.active_fraction:g}"
    said = [
        f"The share of active material, {fraction:.4g} of the volume ({as_set}), follows from {mAh_per_cm2:.4g} "
        f"mAh/cm2 on {um:.4g} um"
    ]
    if most > shipped.most_lithium_mol_per_m3 * (1.0 + 1e-9):
        said.append(
            f"The solid holds {most:.5g} mol/m3 at most (set: {shipped.most_lithium_mol_per_m3:g}), or there would be "
            "more solid than the pores leave"
        )
    return said


@dataclass(frozen=True)
class Liquid:
    """The electrolyte's transport. salt_mol_per_m3: [N], where the other arrays are taken, at 25 C.

    Only in the range in which all four correlations hold.
    """

    part: Electrolyte
    salt_mol_per_m3: Floats
    conductivity_S_per_m: Floats
    diffusivity_m2_per_s: Floats
    transference: Floats
    thermodynamic_factor: Floats
    filled_in: tuple[str, ...]


def liquid(cell: CellDesign) -> Liquid | None:
    """The shipped electrolyte that the cell's material is, with its transport; None where none is known.

    >>> from interlith.pouch.design_file import read_design
    >>> liquid(read_design("reference-pouch").cell).part.name
    'lipf6-ec-dmc-vc'
    """
    name = cell.electrolyte.material.name
    if name not in electrolyte_names():
        return None
    part = electrolyte(name)
    spans = [held.valid_mol_per_L for held in (part.conductivity, part.diffusivity, part.transference, part.activity)]
    low, high = max(low for low, _ in spans), min(high for _, high in spans)
    salt = np.linspace(low, high, N_SALT) * MOL_PER_M3_PER_MOL_PER_L
    beside = "".join(f" with {a.mass_fraction * PERCENT:.2g} % {a.name}" for a in part.additives)
    return Liquid(
        part=part,
        salt_mol_per_m3=salt,
        conductivity_S_per_m=part.conductivity_S_per_m(salt, REFERENCE_K),
        diffusivity_m2_per_s=part.diffusivity_m2_per_s(salt, REFERENCE_K),
        transference=part.transference_number(salt, REFERENCE_K),
        thermodynamic_factor=part.thermodynamic_factor(salt, REFERENCE_K),
        filled_in=(
            f"Salt, transport and thermodynamics of the electrolyte are those shipped as {name}, at 25 C: "
            f"{part.salt_mol_per_L:g} mol/L {part.salt} in {part.solvent}{beside} "
            f"({part.conductivity.origin.kind}: {part.conductivity.origin.source}).",
        ),
    )


def no_liquid(cell: CellDesign) -> str:
    """That nothing is known of the transport of this electrolyte."""
    return (
        f"Electrolyte {cell.electrolyte.material.name}: none of the shipped ones ({', '.join(electrolyte_names())}), "
        "so salt, conductivity, diffusivity and transference are not given."
    )


def no_particles() -> str:
    """That nothing is known of the particles of a positive with a curve of one's own."""
    return (
        "Positive with an open circuit of your own: particle radius, most lithium per volume, exchange current, "
        "diffusivity and conductivity are not known, and so not given."
    )


def separator_bruggeman() -> tuple[float, str]:
    """Exponent of the separator's pores, which no design says, and where it is from.

    >>> separator_bruggeman()[0]
    2.5
    """
    part = separator()
    origin = part.origin("bruggeman")
    said = f"The separator's exponent of transport over pores, {part.bruggeman:g}, is {origin.kind} ({origin.source})"
    return part.bruggeman, sentence(said)


def lithium_exchange_A_per_m2() -> tuple[float, str]:
    """Exchange current of lithium metal per area of the electrode, at 1 mol/L, and where it is from.

    >>> lithium_exchange_A_per_m2()[0]
    210.0
    """
    part = foil()
    per_area = part.exchange_current_density_A_per_m2 * part.top_area_m2_per_m2
    origin, rough = part.origin("exchange_current_density_A_per_m2"), part.origin("top_area_m2_per_m2")
    said = (
        f"The exchange current of lithium, {part.exchange_current_density_A_per_m2:g} A/m2 ({origin.kind}: "
        f"{origin.source}) on {part.top_area_m2_per_m2:g} m2 of surface per m2 ({rough.kind}), is of no cell in "
        "particular"
    )
    return per_area, sentence(said)
