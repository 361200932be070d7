"""What other formats have no place for, each as a phrase with its value: interlayer, inventory, masses, origins, ...

Keys are topics. An export names those that it leaves out, or holds only as numbers that no reader acts on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from interlith.parts.design import CellDesign, Electrode, Plane, Pouch
from interlith.parts.layer import Layer
from interlith.parts.listing import values
from interlith.pouch.bill import Bill, bill, electrodes, envelope_cm, inventory, is_metal, lithium_foil
from interlith.pouch.exports.export import sentence
from interlith.units import UM_PER_MM

PERCENT = 100.0


def facts(cell: CellDesign) -> dict[str, str]:
    """Topic -> phrase, in the order of the cell; only of what this cell has.

    >>> from interlith.pouch.design_file import read_design
    >>> facts(read_design("reference-pouch").cell)["interlayer host"][:57]
    'interlayer host: carbon-nanotubes with 12.41 % zinc-oxide'
    """
    found = bill(cell)
    return {
        **{f"interlayer {layer.name}": interlayer(layer) for layer in between(cell)},
        "lithium": _lithium(cell, found),
        "electrolyte": _electrolyte(found),
        "masses": _masses(found),
        "energy": _energy(cell, found),
        "capacities": _capacities(cell, found),
        "coating": _coating(cell),
        **_collectors(cell),
        "sizes": _sizes(cell),
        **_case(cell),
        **_others(cell, found),
        "origins": _origins(cell),
    }


def left_out(cell: CellDesign, ends: Mapping[str, str], otherwise: str) -> tuple[str, ...]:
    """A sentence for each topic. ends: beginning of a topic -> how the format deals with it, "" where it holds it.

    >>> from interlith.pouch.design_file import read_design
    >>> left_out(read_design("reference-pouch").cell, {"tabs": "no key", "": ""}, "")
    ('Tabs: aluminium and nickel, 5 x 25 x 0.3 mm; tape 0.05 g; no key.',)
    """
    said = []
    for topic, phrase in facts(cell).items():
        ending = next((how for name, how in ends.items() if topic.startswith(name)), otherwise)
        if ending:
            said.append(sentence(phrase, ending))
    return tuple(said)


def between(cell: CellDesign) -> tuple[Layer, ...]:
    """Layers of the negative that N/P does not count: hosts and what else lies on the foil."""
    counted = inventory(cell)
    return tuple(layer for layer in cell.negative.layers if layer not in counted)


def pores(layer: Layer) -> float | None:
    """Share of pores; None where nothing says whether there are any."""
    return float(layer.void_um / layer.um) if layer.void_possible else None


def interlayer(layer: Layer) -> str:
    """A phrase of its material, thickness, pores, mass and of the lithium that it takes."""
    share = "" if layer.rest is None else f" with {(1.0 - layer.active_fraction) * PERCENT:.4g} % {layer.rest.name}"
    said = [f"interlayer {layer.name}: {layer.material.name}{share}", f"{layer.um:.4g} um thick"]
    porosity = pores(layer)
    if porosity is not None:
        said.append(f"{porosity * PERCENT:.3g} % pores")
    said.append(f"{layer.mg_per_cm2:.4g} mg/cm2")
    for how in ("conversion", "alloy"):
        taken = layer.taken_mAh_per_cm2(how)
        if taken:
            said.append(f"{taken:.3g} mAh/cm2 taken by {how}")
    if layer.filled_um is not None:
        charge, um = layer.filled_um[-1]
        said.append(f"{um:.4g} um when {charge:.3g} mAh/cm2 is plated into it")
    return ", ".join(said)


def shape(plane: Plane) -> str:
    """Width and height, or the diameter."""
    width, height = plane.across_cm
    return f"{width:g} x {height:g} cm" if plane.diameter_mm is None else f"disc of {plane.diameter_mm:g} mm"


def _lithium(cell: CellDesign, found: Bill) -> str:
    ratios = f"N/P {found.n_to_p['by_face']:.4g} by face, {found.n_to_p['total']:.4g} in all"
    held = lithium_foil(cell)
    if not is_metal(cell):
        names = " and ".join(layer.material.name for layer in inventory(cell))
        return f"negative: {names}, {found.negative_Ah:.4g} Ah, {ratios}"
    if held is None:
        return "lithium inventory: none as built, all comes from the positive"
    return f"lithium inventory: {held.um:.4g} um on each face, {found.negative_Ah:.4g} Ah, {ratios}"


def _electrolyte(found: Bill) -> str:
    per_Ah = ", ".join(f"{value:.4g} g per {basis} Ah" for basis, value in found.g_per_Ah.items())
    mass = found.masses_g["electrolyte"]
    over = f", {found.overfill:.3g} times the pores" if sum(found.pores_mL.values()) else ""
    return f"electrolyte: {mass:.4g} g, {found.electrolyte_mL:.4g} mL, E/C {per_Ah}{over}"


def _masses(found: Bill) -> str:
    each = ", ".join(f"{name.replace('_', ' ')} {mass:.4g}" for name, mass in found.masses_g.items())
    return f"masses in g: cell {found.mass_g:.5g} ({each})"


def _energy(cell: CellDesign, found: Bill) -> str:
    specific = ", ".join(
        f"{value:.4g} Wh/kg {basis.replace('_', ' ')}" for basis, value in found.specific_energy_Wh_per_kg.items()
    )
    dense = f"{found.energy_density_Wh_per_L['body']:.4g} Wh/L of its body"
    mean = f"{found.mean_voltage_V:.4g} V, {cell.polarization_mV:g} mV below the open circuit"
    return f"energy: {found.energy_Wh:.4g} Wh at a mean of {mean}; {specific}, {dense}"


def _capacities(cell: CellDesign, found: Bill) -> str:
    rated = "" if cell.rated_capacity_Ah is None else f", rated {cell.rated_capacity_Ah:.4g}"
    return f"capacities in Ah: coated {found.coated_Ah:.4g}, delivered {found.delivered_Ah:.4g}{rated}"


def _coating(cell: CellDesign) -> str:
    layer = cell.coating
    rest = "" if layer.rest is None else f" with {layer.rest.name}"
    share = f"{layer.active_fraction * PERCENT:.4g} % {layer.material.name}{rest}"
    areal = f"{layer.mg_per_cm2:.4g} mg/cm2, {layer.mAh_per_cm2:.4g} mAh/cm2"
    return f"recipe of the positive: {share}, {areal}, {layer.capacity_mAh_per_g:.4g} mAh/g"


def _collectors(cell: CellDesign) -> dict[str, str]:
    foils = [
        f"{name} {electrode.foil.material.name} {electrode.foil.um:.4g} um{_flag(electrode)}"
        for name, electrode, _ in electrodes(cell)
        if electrode.foil is not None
    ]
    return {"collectors": f"current collectors: {', '.join(foils)}"} if foils else {}


def _flag(electrode: Electrode) -> str:
    return f" with a flag of {electrode.flag_cm2:g} cm2" if electrode.flag_cm2 else ""


def _sizes(cell: CellDesign) -> str:
    sides = [f"positive {shape(cell.positive)}", f"negative {shape(cell.negative)}", f"separator {shape(cell.stack)}"]
    counts = f"{cell.stack.n_positive} positive and {cell.stack.n_negative} negative sheets"
    passes = f"{cell.stack.n_passes} passes of separator ({cell.stack.scheme})"
    return f"sizes: {', '.join(sides)}; {counts}, {passes}, stack {cell.stack_um / UM_PER_MM:.4g} mm"


def _case(cell: CellDesign) -> dict[str, str]:
    case = cell.case
    if not isinstance(case, Pouch):
        outer = f"{case.outer_diameter_mm:g} x {case.outer_height_mm:g} mm"
        return {
            "case": f"coin case: {outer}, {case.case_g:g} g, spacers {case.spacers_g:g} g, spring {case.spring_g:g} g"
        }
    width, height = envelope_cm(cell)
    sheet = f"{case.laminate_um:.4g} um, {case.laminate_mg_per_cm2:.4g} mg/cm2, two sheets of {width:g} x {height:g} cm"
    tabs = case.tabs
    strips = f"{tabs.width_mm:g} x {tabs.length_mm:g} x {tabs.thickness_mm:g} mm"
    return {
        "laminate": f"laminate: {sheet}",
        "tabs": f"tabs: {tabs.positive.name} and {tabs.negative.name}, {strips}; tape {case.tape_g:g} g",
    }


def _others(cell: CellDesign, found: Bill) -> dict[str, str]:
    said = {}
    if cell.pressure_MPa is not None:
        said["pressure"] = f"pressure on the stack: {cell.pressure_MPa:g} MPa"
    if found.price is not None:
        said["price"] = f"price of the materials: {found.price:.4g} in your currency"
    return said


def _origins(cell: CellDesign) -> str:
    origins = [origin for _, _, origin in values(cell)]
    kinds = Counter(origin.kind for origin in origins)
    counted = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    n_spread = sum(origin.is_spread for origin in origins)
    return f"kind, source and range of every number: {counted}, {n_spread} with a range"
