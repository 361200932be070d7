"""The bill of a cell: masses, volumes, capacity, energy, and every ratio on every basis that people use.

Every function takes a CellDesign whose numbers may be arrays (listing.replaced, unchecked): one cell, or a million at
once, is the same arithmetic. Results have the shape of what they depend on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from interlith.parts.design import CellDesign, Coin, Electrode, Pouch
from interlith.parts.layer import Layer
from interlith.pouch.voltage import mean_open_circuit_V
from interlith.units import (
    CM3_PER_L,
    CM_PER_UM,
    G_PER_KG,
    MG_PER_G,
    MM_PER_CM,
    LITHIUM_mAh_PER_CM2_PER_UM,
    mAh_PER_Ah,
    mV_PER_V,
)

LITHIUM = "lithium"  # the material of that name
Number = Any  # a float, or an array of floats: one per draw


@dataclass(frozen=True)
class Bill:
    """What a cell weighs, holds and delivers. Mappings go by part of the cell, or by basis.

    n_to_p: of the lithium of the negative, or, without any, of what its layers can take. by_face; delivered (over what
    a face delivers); after_conversion (less what the interlayer takes and keeps); after_first_charge (with what the
    positive gives once); total (all of the negative over all of the positive); with_positive_lithium (total + 1).
    g_per_Ah: electrolyte over each capacity. breathing_um: growth of the stack from discharged to charged, None for a
    negative that is not lithium.
    """

    masses_g: Mapping[str, Number]
    coated_Ah: Number
    delivered_Ah: Number
    rated_Ah: Number | None
    negative_Ah: Number
    mean_open_circuit_V: Number
    mean_voltage_V: Number
    energy_Wh: Number
    areas_cm2: Mapping[str, Number]
    pores_mL: Mapping[str, Number]
    electrolyte_mL: Number
    least_g_per_Ah: Number
    n_to_p: Mapping[str, Number]
    g_per_Ah: Mapping[str, Number]
    stack_um: Number
    body_um: Number
    breathing_um: Number | None
    volumes_mL: Mapping[str, Number]
    price: Number | None

    @property
    def mass_g(self) -> Number:
        """Of the whole cell."""
        return sum(self.masses_g.values())

    @property
    def overfill(self) -> Number:
        """Volume of the electrolyte over that of all pores."""
        return self.electrolyte_mL / sum(self.pores_mL.values())

    @property
    def specific_energy_Wh_per_kg(self) -> dict[str, Number]:
        """Whole, and less one part of the case after the other, until nothing but the filled stack is left."""
        rest, found = self.mass_g, {}
        found["whole"] = self.energy_Wh / rest * G_PER_KG
        for basis, parts in WITHOUT.items():
            if parts[0] in self.masses_g:
                rest = rest - sum(self.masses_g[name] for name in parts)
                found[basis] = self.energy_Wh / rest * G_PER_KG
        return found

    @property
    def energy_density_Wh_per_L(self) -> dict[str, Number]:
        """On every basis of volumes_mL."""
        return {basis: self.energy_Wh / volume * CM3_PER_L for basis, volume in self.volumes_mL.items()}


# what is left out besides what stands before it
WITHOUT: Mapping[str, tuple[str, ...]] = {
    "without_laminate": ("laminate",),
    "without_laminate_and_tabs": ("tabs", "tape"),
    "without_case": ("case", "spacers", "spring"),
}


def bill(cell: CellDesign) -> Bill:
    """The bill of a cell; see Bill. Numbers of the cell may be arrays.

    >>> from interlith.pouch.design_file import read_design
    >>> found = bill(read_design("reference-pouch").cell)
    >>> round(found.coated_Ah, 4), round(found.n_to_p["by_face"], 3)
    (1.4787, 1.167)
    """
    pores = _pores_mL(cell)
    capacities = {"coated": cell.coated_Ah, "delivered": delivered_Ah(cell)}
    if cell.rated_capacity_Ah is not None:
        capacities["rated"] = cell.rated_capacity_Ah
    density = cell.electrolyte.material.density_g_per_cm3
    electrolyte_g = _electrolyte_g(cell, capacities, sum(pores.values()))
    curve = cell.coating.material.open_circuit
    assert curve is not None  # CellDesign refuses a positive without one
    open_circuit_V = mean_open_circuit_V(curve, cell.lower_voltage_V, cell.upper_voltage_V)
    mean_V = open_circuit_V + (cell.curve_offset_mV - cell.polarization_mV) / mV_PER_V
    body_um = cell.stack_um + (2.0 * cell.case.laminate_um if isinstance(cell.case, Pouch) else 0.0)
    grown_um = breathing_um(cell)
    return Bill(
        masses_g=_masses_g(cell, electrolyte_g),
        coated_Ah=capacities["coated"],
        delivered_Ah=capacities["delivered"],
        rated_Ah=cell.rated_capacity_Ah,
        negative_Ah=_held_mAh(cell, cell.negative, inventory(cell)) / mAh_PER_Ah,
        mean_open_circuit_V=open_circuit_V,
        mean_voltage_V=mean_V,
        energy_Wh=capacities["delivered"] * mean_V,
        areas_cm2=_areas_cm2(cell),
        pores_mL=pores,
        electrolyte_mL=electrolyte_g / density,
        least_g_per_Ah=sum(pores.values()) * density / capacities["delivered"],
        n_to_p=_n_to_p(cell),
        g_per_Ah={basis: electrolyte_g / capacity for basis, capacity in capacities.items()},
        stack_um=cell.stack_um,
        body_um=body_um,
        breathing_um=grown_um,
        volumes_mL=_volumes_mL(cell, body_um, grown_um),
        price=_price(cell, electrolyte_g),
    )


def delivered_Ah(cell: CellDesign) -> Number:
    """As given; else all that the positive was coated with."""
    return cell.coated_Ah if cell.delivered_capacity_Ah is None else cell.delivered_capacity_Ah


def n_faces(cell: CellDesign, electrode: Electrode, layer: Layer) -> Number:
    """Faces that carry a layer, those included that look at no counter electrode, where it lies there too."""
    n_sheets = cell.stack.n_positive if electrode is cell.positive else cell.stack.n_negative
    return cell.stack.n_pairs + cell.n_outer(electrode, n_sheets) * layer.on_outer_faces


def electrodes(cell: CellDesign) -> tuple[tuple[str, Electrode, int], ...]:
    """Name, electrode and number of sheets of both."""
    return ("positive", cell.positive, cell.stack.n_positive), ("negative", cell.negative, cell.stack.n_negative)


def face_delivered_mAh_per_cm2(cell: CellDesign) -> Number:
    """What one facing face passes in a discharge."""
    return delivered_Ah(cell) * mAh_PER_Ah / (cell.facing_cm2 * cell.stack.n_pairs)


def breathing_um(cell: CellDesign) -> Number | None:
    """Growth of the stack on charge: of an interlayer as measured for its filling, else of dense lithium on each face.

    Without such data the pores of an interlayer are taken to stay empty, which is the upper end; `least_breathing_um`
    is the lower one. None where the negative is not lithium: what graphite grows is not known here. The positive's own
    breathing, some per cent of its coating and of the other sign, is left out.
    """
    if not is_metal(cell):
        return None
    plated = face_delivered_mAh_per_cm2(cell)
    host = next((layer for layer in cell.negative.layers if layer.filled_um is not None), None)
    if host is None:
        return cell.stack.n_pairs * plated / LITHIUM_mAh_PER_CM2_PER_UM
    full, empty = host.um_when_filled(plated), host.um_when_filled(0.0)
    assert full is not None
    assert empty is not None
    return cell.stack.n_pairs * (full - empty)


def interlayers(cell: CellDesign) -> tuple[Layer, ...]:
    """Layers of a negative on which lithium is plated that have pores for it."""
    if not is_metal(cell):
        return ()
    return tuple(layer for layer in cell.negative.layers if layer.material.name != LITHIUM and layer.void_possible)


def least_breathing_um(cell: CellDesign) -> Number:
    """Growth of the stack if dense lithium filled the pores of the interlayers first."""
    void_um = sum((layer.void_um for layer in interlayers(cell)), 0.0)
    plated_um = face_delivered_mAh_per_cm2(cell) / LITHIUM_mAh_PER_CM2_PER_UM
    return cell.stack.n_pairs * np.maximum(plated_um - void_um, 0.0)


def sheets(cell: CellDesign) -> Iterator[tuple[str, Number, Layer]]:
    """Part of the cell, all its area in cm2, and its layer: everything that has an areal mass."""
    for name, electrode, n_sheets in electrodes(cell):
        for layer in electrode.layers:
            yield f"{name}_{layer.name}", n_faces(cell, electrode, layer) * electrode.area_cm2, layer
        if electrode.foil is not None:
            yield f"{name}_foil", n_sheets * (electrode.area_cm2 + electrode.flag_cm2), electrode.foil
    yield "separator", cell.stack.separator_cm2, cell.stack.separator
    if isinstance(cell.case, Pouch):
        for layer in cell.case.laminate:
            yield "laminate", laminate_cm2(cell), layer


def _masses_g(cell: CellDesign, electrolyte_g: Number) -> dict[str, Number]:
    weighed: dict[str, Number] = {}
    for part, area_cm2, layer in sheets(cell):
        weighed[part] = weighed.get(part, 0.0) + area_cm2 * layer.mg_per_cm2 / MG_PER_G
    laminate_g = weighed.pop("laminate", None)
    found = {**weighed, "electrolyte": electrolyte_g}
    case = cell.case
    if isinstance(case, Coin):
        return {**found, "case": case.case_g, "spacers": case.spacers_g, "spring": case.spring_g}
    return {**found, "tabs": case.tabs.mass_g, "tape": case.tape_g, "laminate": laminate_g}


def laminate_cm2(cell: CellDesign) -> Number:
    """Both sheets of a pouch: the larger electrode and the margins."""
    width, height = envelope_cm(cell)
    return 2.0 * width * height


def envelope_cm(cell: CellDesign) -> tuple[Number, Number]:
    """Width and height of a pouch with its seals."""
    width, height = cell.negative.across_cm
    case = cell.case
    assert isinstance(case, Pouch)
    return width + case.margin_width_mm / MM_PER_CM, height + case.margin_height_mm / MM_PER_CM


def _electrolyte_g(cell: CellDesign, capacities: Mapping[str, Number], pores_mL: Number) -> Number:
    filling = cell.electrolyte
    density = filling.material.density_g_per_cm3
    if filling.volume_mL is not None:
        return filling.volume_mL * density
    if filling.overfill is not None:
        return filling.overfill * pores_mL * density
    per_Ah: Number = filling.g_per_Ah
    if isinstance(filling.basis, str):
        return per_Ah * capacities[filling.basis]
    return per_Ah * sum(np.where(filling.basis == name, held, 0.0) for name, held in capacities.items())


def _pores_mL(cell: CellDesign) -> dict[str, Number]:
    """Volume that electrolyte fills in a stack as built: pores of the layers and of the separator."""
    found: dict[str, Number] = {}
    for name, electrode, _ in electrodes(cell):
        for layer in electrode.layers:
            if layer.void_possible:
                area = n_faces(cell, electrode, layer) * electrode.area_cm2
                found[f"{name}_{layer.name}"] = area * layer.void_um * CM_PER_UM
    found["separator"] = cell.stack.separator_cm2 * cell.stack.separator.void_um * CM_PER_UM
    return found


def _held_mAh(cell: CellDesign, electrode: Electrode, layers: Sequence[Layer]) -> Number:
    return sum((n_faces(cell, electrode, layer) * electrode.area_cm2 * layer.mAh_per_cm2 for layer in layers), 0.0)


def inventory(cell: CellDesign) -> tuple[Layer, ...]:
    """Layers whose capacity N/P counts: those of lithium metal; without any, those that can take lithium."""
    metal = tuple(layer for layer in cell.negative.layers if layer.material.name == LITHIUM)
    return metal or tuple(layer for layer in cell.negative.layers if layer.holds_lithium)


def lithium_foil(cell: CellDesign) -> Layer | None:
    """The lithium metal of the negative; None where there is none as built."""
    return next((layer for layer in inventory(cell) if layer.material.name == LITHIUM), None)


def is_metal(cell: CellDesign) -> bool:
    """Whether lithium is plated: on lithium foil, or on a negative that takes none into itself."""
    return all(layer.material.name == LITHIUM for layer in inventory(cell))


def _n_to_p(cell: CellDesign) -> dict[str, Number]:
    face_p = cell.positive.face_mAh_per_cm2
    face_n = sum((layer.mAh_per_cm2 for layer in inventory(cell)), 0.0)
    kept = sum((layer.taken_mAh_per_cm2("conversion") for layer in cell.negative.layers), 0.0)
    surplus = sum((layer.surplus_mAh_per_cm2 for layer in cell.positive.layers), 0.0)
    all_n = _held_mAh(cell, cell.negative, inventory(cell))
    total = all_n / _held_mAh(cell, cell.positive, cell.positive.layers)
    found = {
        "by_face": face_n / face_p,
        "delivered": face_n / face_delivered_mAh_per_cm2(cell),
        "after_conversion": (face_n - kept) / face_p,
        "total": total,
    }
    if is_metal(cell):
        found |= {"after_first_charge": (face_n - kept + surplus) / face_p, "with_positive_lithium": total + 1.0}
    return found


def _areas_cm2(cell: CellDesign) -> dict[str, Number]:
    found = {
        "positive_face": cell.positive.area_cm2,
        "negative_face": cell.negative.area_cm2,
        "facing": cell.facing_cm2 * cell.stack.n_pairs,
        "separator": cell.stack.separator_cm2,
    }
    return {**found, "laminate": laminate_cm2(cell)} if isinstance(cell.case, Pouch) else found


def _volumes_mL(cell: CellDesign, body_um: Number, grown_um: Number | None) -> dict[str, Number]:
    """body: the negative times stack and laminate; cup: the separator in its place; envelope: with seals."""
    face = cell.negative.area_cm2
    found = {"stack": face * cell.stack_um * CM_PER_UM}
    if isinstance(cell.case, Coin):
        radius = cell.case.outer_diameter_mm / MM_PER_CM / 2.0
        return {"body": np.pi * radius**2 * cell.case.outer_height_mm / MM_PER_CM, **found}
    width, height = envelope_cm(cell)
    cup = cell.stack.area_cm2 * body_um * CM_PER_UM
    found = {"body": face * body_um * CM_PER_UM, "cup": cup, **found, "envelope": width * height * body_um * CM_PER_UM}
    if grown_um is not None:
        found["body_charged"] = face * (body_um + grown_um) * CM_PER_UM
    return found


def _price(cell: CellDesign, electrolyte_g: Number) -> Number | None:
    """Of all materials, tabs and coin hardware left out; None where one of them has no price."""
    total: Number = 0.0
    for _, area_cm2, layer in sheets(cell):
        per_cm2 = layer.price_per_cm2
        if per_cm2 is None:
            return None
        total = total + area_cm2 * per_cm2
    per_kg = cell.electrolyte.material.price_per_kg
    return None if per_kg is None else total + electrolyte_g * per_kg / G_PER_KG
