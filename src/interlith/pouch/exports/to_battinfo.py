"""A cell as linked data: JSON-LD in the terms of BattINFO and EMMO, its context within it, so that nothing is fetched.

A term is used where one is published (battinfo.toml); what has none is a schema.org PropertyValue with its unit as
text, or a node with a name and no type, as the interlayer is. No identifier is made up here.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any

from interlith.parts.design import CellDesign, Electrode, Plane, Pouch
from interlith.parts.layer import Layer, Material
from interlith.parts.part import Origin, Part
from interlith.pouch.bill import Bill, bill, envelope_cm, inventory, is_metal
from interlith.pouch.exports.export import Export, real
from interlith.pouch.exports.facts import between, left_out, pores
from interlith.pouch.exports.layers import liquid
from interlith.units import UM_PER_MM

Node = dict[str, Any]
NATURES = {"stated": "ConventionalProperty", "measured": "MeasuredProperty"}
COMPUTED = "ModelledProperty"
VALUES = "held as schema:PropertyValue, for there is no term"
ENDS = {
    "interlayer": "no term for an interlayer: a node with a name and no type; its filling curve and what it takes of "
    "lithium are not held",
    "lithium": "thickness and N/P by face have terms; inventory and the other ratio are held as schema:PropertyValue",
    "electrolyte": "mass and volume have terms; electrolyte per capacity is held as schema:PropertyValue",
    "masses": "the cell and the electrolyte have a mass here, the other parts do not",
    "energy": "held for the whole cell and its body only",
    "capacities": "the coated one is held as schema:PropertyValue",
    "coating": "",
    "collectors": "thickness and material have terms; flags are not held",
    "sizes": "counts are held as schema:PropertyValue; the scheme of the separator is not held",
    "case": "size and mass have terms; spacers and spring are not held",
    "laminate": "no term for a laminate: held as thickness and schema:PropertyValue of the case",
    "tabs": "the tape is not held",
    "pressure": VALUES,
    "origins": "kind and source stand in the comment of a number that the cell gives; ranges as text only",
}


def battinfo(cell: CellDesign, title: str) -> Export:
    """JSON-LD of the cell. The nature of a number follows from its kind: conventional (stated), measured, modelled.

    Kind, source and range of a number that the cell gives stand in its rdfs:comment; numbers without one are computed.

    >>> from interlith.pouch.design_file import read_design
    >>> design = read_design("reference-pouch")
    >>> battinfo(design.cell, design.title).content["@type"]
    ['PouchCell', 'BatteryCell', 'LithiumMetalBattery']
    """
    found = bill(cell)
    node: Node = {
        "@type": [
            "PouchCell" if isinstance(cell.case, Pouch) else "CoinCell",
            "BatteryCell",
            *(["LithiumMetalBattery"] if is_metal(cell) else []),
        ],
        "schema:name": title,
        "rdfs:comment": "A cell design: computed from its layers, not measured.",
        "hasProperty": _of_cell(cell, found),
        "schema:additionalProperty": _beside(cell, found),
        "hasPositiveElectrode": _positive(cell),
        "hasNegativeElectrode": _negative(cell),
        "hasSeparator": _separator(cell),
        "hasElectrolyte": _electrolyte(cell, found),
        "hasCase": _case(cell),
    }
    said = _filled_in(cell)
    lost = left_out(cell, ENDS, "there is no term for it")
    return Export("battinfo.jsonld", {"@context": _context(node), **node}, lost, said)


@cache
def _file() -> Mapping[str, Any]:
    text = resources.files("interlith.pouch.exports").joinpath("battinfo.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def _context(node: Node) -> Node:
    """Prefixes, and of all terms those that the node uses."""
    used = set(_words(node))
    relations = {name: {"@id": iri, "@type": "@id"} for name, iri in _file()["relations"].items() if name in used}
    terms = {name: iri for name, iri in _file()["terms"].items() if name in used}
    return {"@version": 1.1, **_file()["prefixes"], **terms, **relations}


def _words(held: Any) -> Iterator[str]:
    if isinstance(held, list):
        for one in held:
            yield from _words(one)
    elif isinstance(held, dict):
        for key, value in held.items():
            yield key
            if key == "@type":
                yield from [value] if isinstance(value, str) else value
            yield from _words(value)


def _quantity(term: str, value: Any, unit: str, origin: Origin | None = None) -> Node:
    nature = COMPUTED if origin is None else NATURES.get(origin.kind, COMPUTED)
    node = {
        "@type": [term, nature],
        "hasNumericalPart": {"@type": "RealData", "hasNumberValue": real(value)},
        "hasMeasurementUnit": _file()["units"][unit],
    }
    return node if origin is None else {**node, "rdfs:comment": _origin_text(origin)}


def _origin_text(origin: Origin) -> str:
    span = ""
    if origin.low is not None and origin.high is not None:
        span = f", {origin.low:g} to {origin.high:g} ({origin.distribution})"
    elif origin.choices is not None:
        span = f", one of {', '.join(str(choice) for choice in origin.choices)}"
    return f"{origin.kind}{span}: {origin.source}"


def _given(part: Part, name: str, term: str, unit: str, computed: Any = None) -> list[Node]:
    """A field of a part with its origin; where it is not given, what is computed instead, or nothing."""
    value = getattr(part, name)
    if value is not None:
        return [_quantity(term, value, unit, part.origin(name))]
    return [] if computed is None else [_quantity(term, computed, unit)]


def _value(name: str, value: Any, unit: str, origin: Origin | None = None) -> Node:
    number = value if isinstance(value, int) else real(value)
    node = {"@type": "schema:PropertyValue", "schema:name": name, "schema:value": number, "schema:unitText": unit}
    return node if origin is None else {**node, "rdfs:comment": _origin_text(origin)}


def _of_cell(cell: CellDesign, found: Bill) -> list[Node]:
    nominal = (
        [_quantity("NominalCapacity", found.delivered_Ah, "Ah")]
        if found.rated_Ah is None
        else [
            _quantity(name, found.rated_Ah, "Ah", cell.origin("rated_capacity_Ah"))
            for name in ("NominalCapacity", "RatedCapacity")
        ]
    )
    return [
        *nominal,
        _quantity("NominalVoltage", found.mean_voltage_V, "V"),
        *_given(cell, "upper_voltage_V", "UpperVoltageLimit", "V"),
        *_given(cell, "lower_voltage_V", "LowerVoltageLimit", "V"),
        _quantity("Mass", found.mass_g, "g"),
        _quantity("Volume", found.volumes_mL["body"], "mL"),
        _quantity("SpecificEnergy", found.specific_energy_Wh_per_kg["whole"], "Wh/kg"),
        _quantity("EnergyDensity", found.energy_density_Wh_per_L["body"], "Wh/L"),
        _quantity("NPRatio", found.n_to_p["by_face"], "1"),
        *_outside(cell, found),
    ]


def _outside(cell: CellDesign, found: Bill) -> list[Node]:
    case = cell.case
    if not isinstance(case, Pouch):
        diameter = _given(case, "outer_diameter_mm", "Diameter", "mm")
        return [*diameter, *_given(case, "outer_height_mm", "Height", "mm")]
    width, height = envelope_cm(cell)
    thickness = _quantity("Thickness", found.body_um / UM_PER_MM, "mm")
    return [_quantity("Width", width, "cm"), _quantity("Height", height, "cm"), thickness]


def _beside(cell: CellDesign, found: Bill) -> list[Node]:
    stack = cell.stack
    values = [
        _value("sheets of the positive", stack.n_positive, "1", stack.origin("n_positive")),
        _value("sheets of the negative", stack.n_negative, "1", stack.origin("n_negative")),
        _value("facing pairs", stack.n_pairs, "1"),
        _value("passes of the separator", stack.n_passes, "1"),
        _value("coated capacity of the positive", found.coated_Ah, "A.h"),
        _value("delivered capacity", found.delivered_Ah, "A.h"),
        _value("capacity of the negative", found.negative_Ah, "A.h"),
        _value("negative to positive capacity, outer faces included", found.n_to_p["total"], "1"),
        _value("mean voltage below open circuit", cell.polarization_mV, "mV", cell.origin("polarization_mV")),
    ]
    values += [_value(f"electrolyte per {basis} capacity", per, "g/(A.h)") for basis, per in found.g_per_Ah.items()]
    if cell.pressure_MPa is not None:
        values.append(_value("pressure on the stack", cell.pressure_MPa, "MPa", cell.origin("pressure_MPa")))
    return values


def _plane(plane: Plane) -> list[Node]:
    return [
        *_given(plane, "width_cm", "Width", "cm"),
        *_given(plane, "height_cm", "Height", "cm"),
        *_given(plane, "diameter_mm", "Diameter", "mm"),
    ]


def _typed(material: Material, *types: str) -> Node:
    """A node of these types and of the material's; of its name in any case."""
    term = _file()["materials"].get(material.name)
    found = [*types, *([term] if term else [])]
    name = material.title or material.name
    return {**({"@type": found} if found else {}), "schema:name": name}


def _sheet(layer: Layer) -> list[Node]:
    """Thickness, pores and mass of a layer: as given, or as they follow from what is given."""
    porosity = pores(layer)
    found = _given(layer, "thickness_um", "Thickness", "um", layer.um)
    if layer.porosity is not None or porosity is not None:
        found += _given(layer, "porosity", "Porosity", "1", porosity)
    return [*found, *_given(layer, "areal_mass_mg_per_cm2", "MassLoading", "mg/cm2", layer.mg_per_cm2)]


def _capacity(layer: Layer) -> list[Node]:
    return _given(layer, "areal_capacity_mAh_per_cm2", "AreicCapacity", "mAh/cm2", layer.mAh_per_cm2)


def _shares(layer: Layer) -> list[Node]:
    """What a layer consists of besides its active material, with its share of the mass."""
    if layer.rest is None:
        return []
    share = [_quantity("MassFraction", 1.0 - layer.active_fraction, "1")]
    return [{**_typed(layer.rest), "hasProperty": share}]


def _active(layer: Layer) -> Node:
    material = layer.material
    held = layer if layer.specific_capacity_mAh_per_g is not None else material
    return {
        **_typed(material, "ActiveMaterial"),
        "hasProperty": [
            *_given(layer, "active_fraction", "MassFraction", "1"),
            *_given(held, "specific_capacity_mAh_per_g", "DischargingSpecificCapacity", "mAh/g"),
            *_given(material, "density_g_per_cm3", "Density", "g/cm3"),
        ],
    }


def _named(layer: Layer, *types: str) -> Node:
    """A layer that no term is for: its name, sizes, and materials."""
    inner = {**_typed(layer.material), "hasProperty": _given(layer, "active_fraction", "MassFraction", "1")}
    return {
        **({"@type": list(types)} if types else {}),
        "schema:name": layer.name,
        "hasProperty": _sheet(layer),
        "hasConstituent": [inner, *_shares(layer)],
    }


def _collector(cell: CellDesign, electrode: Electrode, side: str) -> Node:
    if electrode.foil is None:
        return {}
    foil: Node = {**_typed(electrode.foil.material, "CurrentCollector", "Foil"), "hasProperty": _sheet(electrode.foil)}
    if isinstance(cell.case, Pouch):
        tabs = cell.case.tabs
        strip = [
            *_given(tabs, "width_mm", "Width", "mm"),
            *_given(tabs, "length_mm", "Length", "mm"),
            *_given(tabs, "thickness_mm", "Thickness", "mm"),
        ]
        foil["hasConstituent"] = {**_typed(getattr(tabs, side), "CurrentCollectorTab"), "hasProperty": strip}
    return {"hasCurrentCollector": foil}


def _positive(cell: CellDesign) -> Node:
    electrode, coating = cell.positive, cell.coating
    others = [_named(layer) for layer in electrode.layers if layer is not coating]
    shares = _shares(coating)
    return {
        "@type": ["PositiveElectrode", *(["DoubleCoatedElectrode"] if electrode.two_sided else [])],
        "hasProperty": _plane(electrode),
        **_collector(cell, electrode, "positive"),
        "hasCoating": {
            "@type": "ElectrodeCoating",
            "hasProperty": [*_sheet(coating), *_capacity(coating)],
            "hasActiveMaterial": _active(coating),
            **({"hasConstituent": shares} if shares else {}),
        },
        **({"hasConstituent": others} if others else {}),
    }


def _negative(cell: CellDesign) -> Node:
    electrode = cell.negative
    holders = inventory(cell)
    is_lithium = bool(holders) and is_metal(cell)
    active = [
        {**_typed(layer.material, "ActiveMaterial"), "hasProperty": [*_sheet(layer), *_capacity(layer)]}
        for layer in holders
    ]
    others = [_named(layer) for layer in between(cell)]
    return {
        "@type": ["NegativeElectrode", *(["LithiumElectrode"] if is_lithium else [])],
        "hasProperty": _plane(electrode),
        **_collector(cell, electrode, "negative"),
        **({"hasActiveMaterial": active} if active else {}),
        **({"hasConstituent": others} if others else {}),
    }


def _separator(cell: CellDesign) -> Node:
    layer = cell.stack.separator
    return {**_typed(layer.material, "Separator"), "hasProperty": [*_plane(cell.stack), *_sheet(layer)]}


def _electrolyte(cell: CellDesign, found: Bill) -> Node:
    material, fluid = cell.electrolyte.material, liquid(cell)
    node: Node = {
        "@type": "LiquidElectrolyte",
        "schema:name": material.title or material.name,
        "hasProperty": [
            _quantity("Mass", found.masses_g["electrolyte"], "g"),
            _quantity("Volume", found.electrolyte_mL, "mL"),
            *_given(material, "density_g_per_cm3", "Density", "g/cm3"),
        ],
    }
    known = _file()["solutions"].get(material.name)
    if known is None or fluid is None:
        return node
    salt = _given(fluid.part, "salt_mol_per_L", "AmountConcentration", "mol/L")
    return {
        **node,
        "@type": "OrganicElectrolyte",
        "hasSolute": {"@type": known["solute"], "hasProperty": salt},
        "hasSolvent": [{"@type": solvent} for solvent in known["solvents"]],
    }


def _filled_in(cell: CellDesign) -> tuple[str, ...]:
    fluid = liquid(cell)
    if fluid is None:
        return ()
    return (f"Salt, its concentration and solvents are those shipped as {fluid.part.name}.",)


def _case(cell: CellDesign) -> Node:
    case = cell.case
    if not isinstance(case, Pouch):
        size = [*_given(case, "outer_diameter_mm", "Diameter", "mm"), *_given(case, "outer_height_mm", "Height", "mm")]
        return {"@type": "CoinCase", "hasProperty": [*size, *_given(case, "case_g", "Mass", "g")]}
    return {
        "@type": "PouchCase",
        "hasProperty": [_quantity("Thickness", case.laminate_um, "um")],
        "schema:additionalProperty": [_value("areal mass of the laminate", case.laminate_mg_per_cm2, "mg/cm2")],
        "hasConstituent": [_named(layer) for layer in case.laminate],
    }
