"""A bill as tables: every intermediate with how it was made, masses, the stack sheet by sheet, readings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from interlith.parts.design import CellDesign, Electrode, Pouch
from interlith.parts.layer import Layer
from interlith.pouch.bill import (
    LITHIUM,
    Bill,
    bill,
    electrodes,
    face_delivered_mAh_per_cm2,
    is_metal,
    n_faces,
    sheets,
)
from interlith.pouch.design_file import Design
from interlith.units import G_PER_KG, LITHIUM_mAh_PER_CM2_PER_UM

Row = dict[str, Any]
RATIOS = {
    "by_face": "lithium of one negative face (without any, what it can take) over the areal capacity of the positive",
    "delivered": "the same over what one face delivers",
    "after_conversion": "by face, less what the interlayer takes and keeps",
    "after_first_charge": "the same, with what the positive gives at its first charge and never takes back",
    "total": "all of the negative over all of the positive, outer faces and overhang included",
    "with_positive_lithium": "total + 1: the lithium of the positive counted with that of the negative",
}
BASES = {
    "whole": "energy over the mass of the whole cell",
    "without_laminate": "without the laminate",
    "without_laminate_and_tabs": "without laminate, tabs and tape",
    "without_case": "without case, spacers and spring",
}
VOLUMES = {
    "body": "negative face times thickness of stack and both laminates; of a coin cell its outer cylinder",
    "cup": "the same on the separator's face, which is what the cup must hold",
    "stack": "negative face times thickness of the stack",
    "envelope": "laminate with its seals, laid flat, times the same thickness",
    "body_charged": "the body when charged",
}


def masses(cell: CellDesign, found: Bill) -> list[Row]:
    """One row per part, the heaviest first: area and areal mass, mass_g, share, and the Wh/kg if it weighed nothing.

    area_cm2 and mg_per_cm2: of what is a sheet; areal masses of several layers of one part are added.
    """
    areas: dict[str, float] = {}
    areal: dict[str, float] = {}
    for part, area_cm2, layer in sheets(cell):
        areas[part] = float(area_cm2)
        areal[part] = areal.get(part, 0.0) + float(layer.mg_per_cm2)
    rows = [
        {
            "part": name,
            "area_cm2": areas.get(name),
            "mg_per_cm2": areal.get(name),
            "mass_g": float(mass),
            "share": float(mass / found.mass_g),
            "without_it_Wh_per_kg": float(found.energy_Wh / (found.mass_g - mass) * G_PER_KG),
        }
        for name, mass in found.masses_g.items()
    ]
    return sorted(rows, key=lambda row: -row["mass_g"])


def readings(design: Design) -> list[Row]:
    """One row per reading of a design; a design without any has one row, as written."""
    return [
        {
            "reading": name,
            "title": title,
            "capacity_Ah": float(found.delivered_Ah),
            "energy_Wh": float(found.energy_Wh),
            "mass_g": float(found.mass_g),
            **{f"{basis}_Wh_per_kg": float(v) for basis, v in found.specific_energy_Wh_per_kg.items()},
            "Wh_per_L": float(found.energy_density_Wh_per_L["body"]),
            "is_fit": is_fit,
        }
        for name, title, is_fit, found in _each_reading(design)
    ]


def readings_as_json(design: Design) -> dict[str, Row]:
    """The same, by the name of the reading, with all masses."""
    return {
        name: {
            "title": title,
            "is_fit": is_fit,
            "capacity_Ah": found.delivered_Ah,
            "energy_Wh": found.energy_Wh,
            "mass_g": found.mass_g,
            "mean_voltage_V": found.mean_voltage_V,
            "specific_energy_Wh_per_kg": found.specific_energy_Wh_per_kg,
            "energy_density_Wh_per_L": found.energy_density_Wh_per_L["body"],
            "energy_density_by_basis_Wh_per_L": found.energy_density_Wh_per_L,
            "n_to_p": found.n_to_p,
            "g_per_Ah": found.g_per_Ah,
            "masses_g": found.masses_g,
        }
        for name, title, is_fit, found in _each_reading(design)
    }


def _each_reading(design: Design) -> Iterator[tuple[str, str, bool, Bill]]:
    if not design.readings:
        yield "as written", design.title, False, bill(design.cell)
    for reading, cell in design.readings:
        yield reading.name, reading.title, reading.is_fit, bill(cell)


def intermediates(cell: CellDesign, found: Bill) -> list[Row]:
    """Every number between the layers and the specific energy: name, value, unit, and how it was made."""
    rows: list[tuple[str, Any, str, str]] = []
    for name, electrode, n_sheets in electrodes(cell):
        rows += _electrode_rows(cell, name, electrode, n_sheets)
    stack = cell.stack
    rows += [
        ("facing pairs", stack.n_pairs, "1", f"{stack.n_positive} + {stack.n_negative} - 1 sheets"),
        ("facing area", found.areas_cm2["facing"], "cm2", "pairs times the face of the positive"),
        ("separator", found.areas_cm2["separator"], "cm2", f"{stack.n_passes} passes ({stack.scheme})"),
        ("coated capacity", found.coated_Ah, "Ah", "facing area times areal capacity of the positive"),
        ("delivered capacity", found.delivered_Ah, "Ah", "as stated; else the coated capacity"),
        ("mean open circuit", found.mean_open_circuit_V, "V", _curve_text(cell)),
        ("mean voltage", found.mean_voltage_V, "V", "open circuit + curve_offset_mV - polarization_mV"),
        ("energy", found.energy_Wh, "Wh", "delivered capacity times mean voltage"),
        ("cycled per face", face_delivered_mAh_per_cm2(cell), "mAh/cm2", "delivered capacity over facing area"),
        ("electrolyte", found.electrolyte_mL, "mL", "its mass over its density"),
        *[
            (f"pores, {part}", volume, "mL", "area times thickness times porosity")
            for part, volume in found.pores_mL.items()
        ],
        ("overfill", found.overfill, "1", "electrolyte over all pores"),
        ("least electrolyte", found.least_g_per_Ah, "g/Ah", "pores filled once, per delivered capacity"),
        ("stack thickness", found.stack_um, "um", "all sheets, layers and passes"),
    ]
    if isinstance(cell.case, Pouch):
        rows.append(("laminate", found.areas_cm2["laminate"], "cm2", "two sheets of negative face and margins"))
        rows.append(("body thickness", found.body_um, "um", "stack and both laminates"))
    if found.breathing_um is not None:
        rows.append(("breathing", found.breathing_um, "um", "growth of the stack from discharged to charged"))
    for part, area_cm2, layer in sheets(cell):
        rows.append((f"{part}, all area", area_cm2, "cm2", "faces or sheets times area, flags and folds included"))
        rows.append((f"{part}, areal mass", layer.mg_per_cm2, "mg/cm2", _mass_text(layer)))
    rows += [(f"mass, {part}", mass, "g", _how(part, cell)) for part, mass in found.masses_g.items()]
    rows.append(("mass", found.mass_g, "g", "sum of all parts"))
    rows += [(f"N/P, {name}", value, "1", RATIOS[name]) for name, value in found.n_to_p.items()]
    rows += [
        (f"E/C, {name}", value, "g/Ah", f"electrolyte over the {name} capacity")
        for name, value in found.g_per_Ah.items()
    ]
    rows += [(f"Wh/kg, {name}", value, "Wh/kg", BASES[name]) for name, value in found.specific_energy_Wh_per_kg.items()]
    rows += [(f"Wh/L, {name}", value, "Wh/L", VOLUMES[name]) for name, value in found.energy_density_Wh_per_L.items()]
    if found.price is not None:
        rows.append(("price", found.price, "your currency", "materials, with tabs and coin hardware left out"))
    return [dict(zip(("name", "value", "unit", "how"), (n, float(v), u, h), strict=True)) for n, v, u, h in rows]


def _how(part: str, cell: CellDesign) -> str:
    if part == "electrolyte":
        filling = cell.electrolyte
        by = next(name for name in ("g_per_Ah", "volume_mL", "overfill") if getattr(filling, name) is not None)
        return f"by {by}" + (f" of the {filling.basis} capacity" if filling.basis else "")
    if part == "tabs" and isinstance(cell.case, Pouch):
        tabs = cell.case.tabs
        return f"{tabs.width_mm:g} x {tabs.length_mm:g} x {tabs.thickness_mm:g} mm, of each metal"
    sheet = any(part == name for name, _, _ in sheets(cell))
    return "all area times areal mass" if sheet else "as stated"


def _curve_text(cell: CellDesign) -> str:
    curve = cell.coating.material.open_circuit
    name = curve if isinstance(curve, str) else "the curve given"
    return (
        f"integral of {name} from {cell.upper_voltage_V:g} to {cell.lower_voltage_V:g} V over the lithium that goes in"
    )


def _electrode_rows(
    cell: CellDesign, name: str, electrode: Electrode, n_sheets: int
) -> list[tuple[str, Any, str, str]]:
    rows: list[tuple[str, Any, str, str]] = [
        (f"{name} face", electrode.area_cm2, "cm2", "width times height, or the disc"),
    ]
    for layer in electrode.layers:
        label = f"{name} {layer.name}"
        rows += [
            (f"{label}, faces", n_faces(cell, electrode, layer), "1", f"{n_sheets} sheets, facing and outer faces"),
            (f"{label}, thickness", layer.um, "um", _thickness_text(layer)),
            (f"{label}, solid density", layer.solid_g_per_cm3, "g/cm3", "of its materials, without pores"),
        ]
        if layer.void_possible:
            rows.append((f"{label}, void", layer.void_um, "um", "porosity times thickness, or what the solid leaves"))
        if layer.holds_lithium:
            rows.append((f"{label}, areal capacity", layer.mAh_per_cm2, "mAh/cm2", _capacity_text(layer)))
    return rows


def _mass_text(layer: Layer) -> str:
    if layer.areal_mass_mg_per_cm2 is not None:
        return "as given"
    if layer.areal_capacity_mAh_per_cm2 is not None:
        return "areal capacity over specific capacity and active fraction"
    return "thickness times solid density, pores left out"


def _thickness_text(layer: Layer) -> str:
    return "as given" if layer.thickness_um is not None else "areal mass over solid density and 1 - porosity"


def _capacity_text(layer: Layer) -> str:
    given = layer.areal_capacity_mAh_per_cm2 is not None
    return "as given" if given else "areal mass times active fraction times specific capacity"


def stack(cell: CellDesign) -> list[Row]:
    """The cell from bottom to top, one row per layer: part, sheet, from_um, thickness_um, charged_thickness_um.

    Charged, an interlayer has the thickness measured for what is cycled; without one dense lithium lies on the foil.

    >>> from interlith.pouch.design_file import read_design
    >>> rows = stack(read_design("reference-pouch").cell)
    >>> rows[0]["part"], rows[1]["part"], len([row for row in rows if row["part"] == "negative_foil"])
    ('laminate', 'negative_lithium', 6)
    """
    first_negative = cell.stack.n_negative >= cell.stack.n_positive
    n_sheets = cell.stack.n_positive + cell.stack.n_negative
    listed: list[tuple[str, int, float, float]] = []
    separator = cell.stack.separator.um
    beyond = cell.stack.n_passes - cell.stack.n_pairs
    below, above = beyond // 2, beyond - beyond // 2
    listed += [("separator", 0, separator, separator)] * below
    for sheet in range(1, n_sheets + 1):
        is_negative = (sheet % 2 == 1) == first_negative
        name, electrode = ("negative", cell.negative) if is_negative else ("positive", cell.positive)
        if sheet > 1:
            listed.append(("separator", sheet, separator, separator))
        listed += _sheet(cell, name, electrode, sheet, bottom=sheet == 1, top=sheet == n_sheets)
    listed += [("separator", n_sheets, separator, separator)] * above
    if isinstance(cell.case, Pouch):
        laminate = ("laminate", 0, float(cell.case.laminate_um), float(cell.case.laminate_um))
        listed = [laminate, *listed, laminate]
    return list(_placed(listed))


def _sheet(
    cell: CellDesign, name: str, electrode: Electrode, sheet: int, *, bottom: bool, top: bool
) -> list[tuple[str, int, float, float]]:
    """One sheet from bottom to top: layers of its lower face turned over, foil, layers of its upper face."""
    foil = [] if electrode.foil is None else [(f"{name}_foil", sheet, electrode.foil.um, electrode.foil.um)]
    lower = _face(cell, name, electrode, sheet, outer=bottom)[::-1]
    upper = _face(cell, name, electrode, sheet, outer=top)
    return [*lower, *foil, *upper]


def _face(
    cell: CellDesign, name: str, electrode: Electrode, sheet: int, *, outer: bool
) -> list[tuple[str, int, float, float]]:
    if outer and not electrode.two_sided:
        return []
    rows = []
    plated = 0.0 if outer else float(face_delivered_mAh_per_cm2(cell))
    hosted = any(layer.filled_um is not None for layer in electrode.layers)
    bare = name == "negative" and is_metal(cell) and all(layer.material.name != LITHIUM for layer in electrode.layers)
    if bare and not hosted and plated > 0:
        rows.append((f"{name}_plated", sheet, 0.0, plated / LITHIUM_mAh_PER_CM2_PER_UM))
    for layer in electrode.layers:
        if outer and not layer.on_outer_faces:
            continue
        charged = layer.um_when_filled(plated)
        if charged is None:
            from_lithium = layer.material.name == LITHIUM and not hosted
            charged = layer.um + (plated / layer.mAh_per_cm2 * layer.um if from_lithium and layer.um > 0 else 0.0)
        rows.append((f"{name}_{layer.name}", sheet, float(layer.um), float(charged)))
    return rows


def _placed(listed: Sequence[tuple[str, int, float, float]]) -> Iterator[Row]:
    at_um = 0.0
    for order, (part, sheet, um, charged_um) in enumerate(listed):
        yield {
            "order": order,
            "part": part,
            "from_um": at_um,
            "thickness_um": um,
            "charged_thickness_um": charged_um,
            "sheet": sheet,
        }
        at_um += um


def as_plain(found: Bill) -> Mapping[str, Any]:
    """The bill as JSON has it, by the names of its fields."""
    return {
        "coated_Ah": found.coated_Ah,
        "delivered_Ah": found.delivered_Ah,
        "rated_Ah": found.rated_Ah,
        "negative_Ah": found.negative_Ah,
        "mean_open_circuit_V": found.mean_open_circuit_V,
        "mean_voltage_V": found.mean_voltage_V,
        "energy_Wh": found.energy_Wh,
        "mass_g": found.mass_g,
        "masses_g": found.masses_g,
        "specific_energy_Wh_per_kg": found.specific_energy_Wh_per_kg,
        "energy_density_Wh_per_L": found.energy_density_Wh_per_L,
        "n_to_p": found.n_to_p,
        "g_per_Ah": found.g_per_Ah,
        "electrolyte_mL": found.electrolyte_mL,
        "pores_mL": found.pores_mL,
        "overfill": found.overfill,
        "least_g_per_Ah": found.least_g_per_Ah,
        "stack_um": found.stack_um,
        "body_um": found.body_um,
        "breathing_um": found.breathing_um,
        "price": found.price,
    }
