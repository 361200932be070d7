"""What does not close in a cell: every claim and every over-determined number, held against the others.

Each audit is a function of a design and its bill, and says nothing where it does not apply. It changes no number.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from interlith.audit import CLOSES_WITHIN, Audit, Verdict, ordered
from interlith.audit import verdict as verdict_of
from interlith.parts.design import Coin, Pouch
from interlith.parts.layer import Layer
from interlith.pouch.bill import (
    LITHIUM,
    Bill,
    bill,
    electrodes,
    face_delivered_mAh_per_cm2,
    interlayers,
    is_metal,
    least_breathing_um,
    lithium_foil,
)
from interlith.pouch.design_file import Claim, Design, Published
from interlith.pouch.voltage import beyond
from interlith.units import G_PER_KG, MG_PER_G, LITHIUM_mAh_PER_CM2_PER_UM, mAh_PER_Ah

# 2 mAh/cm2 for 10 um of lithium: what people reckon with
RULE_OF_THUMB_mAh_PER_CM2_PER_UM = 0.2
END_OF_LIFE = 0.8  # of the capacity
IN_mAh_BELOW_AH = 10.0
LEAN_G_PER_AH, LEAN_N_TO_P = 5.0, 3.0  # assumed: beyond, a cell says little about a lean one


Check = Callable[[Design, Bill], list[Audit]]


def audit(design: Design) -> tuple[Audit, ...]:
    """Every audit that applies to a design as written, those that do not close first.

    >>> from interlith.pouch.design_file import read_design
    >>> found = {one.name: one for one in audit(read_design("reference-pouch"))}
    >>> found["rated capacity"].verdict, round(found["rated capacity"].numbers["rated_mAh_per_cm2"], 3)
    ('does not close', 5.018)
    """
    found = bill(design.cell)
    every = [one for check in CHECKS for one in check(design, found)]
    return ordered(every)


def cycles_by_inventory(n_to_p: Any, efficiency: Any, end: float = END_OF_LIFE) -> Any:
    """Cycles until the capacity is `end`, if lost lithium alone makes it fall: (N/P + 1 - end) / (1 - efficiency).

    Each cycle loses 1 - efficiency of the capacity; the spare lithium of the negative is used up first. Arrays too.

    >>> round(cycles_by_inventory(1.13, 0.995))
    266
    """
    return (n_to_p + 1.0 - end) / (1.0 - efficiency)


def least_efficiency(n_to_p: float, retention: float, n_cycles: int) -> float:
    """The least efficiency that so many cycles prove: 1 - (N/P + 1 - retention) / cycles, all spare lithium used.

    >>> round(least_efficiency(1.13, 0.943, 50), 4)
    0.9763
    """
    return 1.0 - (n_to_p + 1.0 - retention) / n_cycles


def _charge(charge_Ah: float) -> str:
    return f"{charge_Ah * mAh_PER_Ah:.1f} mAh" if charge_Ah < IN_mAh_BELOW_AH else f"{charge_Ah:.2f} Ah"


def _rated(design: Design, found: Bill) -> list[Audit]:
    cell = design.cell
    if found.rated_Ah is None:
        return []
    face = cell.positive.face_mAh_per_cm2
    rated_face = found.rated_Ah * mAh_PER_Ah / found.areas_cm2["facing"]
    text = (
        f"{cell.stack.n_pairs} facing faces x {cell.facing_cm2:.4g} cm2 x {face:.4g} mAh/cm2 = "
        f"{_charge(found.coated_Ah)}; rated {_charge(found.rated_Ah)}, which is {rated_face:.3f} mAh/cm2"
    )
    numbers = {"coated_mAh": found.coated_Ah * mAh_PER_Ah, "rated_mAh_per_cm2": rated_face}
    return [Audit("rated capacity", verdict_of(found.rated_Ah / found.coated_Ah - 1.0), text, numbers)]


def _n_to_p(design: Design, found: Bill) -> list[Audit]:
    published = design.beside.published
    if published is None or published.n_to_p is None:
        return []
    ours = found.n_to_p["by_face"]
    lithium = lithium_foil(design.cell)
    by_rule, rule = None, ""
    if lithium is not None:
        by_rule = RULE_OF_THUMB_mAh_PER_CM2_PER_UM * lithium.um / design.cell.positive.face_mAh_per_cm2
        if published.n_to_p > 0 and abs(by_rule / published.n_to_p - 1.0) < 0.5 * CLOSES_WITHIN:
            rule = f"; the rule of thumb of 2 mAh/cm2 per 10 um gives it, {by_rule:.3f}"
    text = (
        f"published {published.n_to_p:g}; by face {ours * design.cell.positive.face_mAh_per_cm2:.3f} / "
        f"{design.cell.positive.face_mAh_per_cm2:.4g} mAh/cm2 = {ours:.3f}{rule}. Over the whole cell "
        f"{found.n_to_p['total']:.3f}"
    )
    if "with_positive_lithium" in found.n_to_p:
        text += f"; with the lithium of the positive {found.n_to_p['with_positive_lithium']:.3f}"
    numbers = {"by_face": ours, "published": published.n_to_p}
    if by_rule is not None:
        numbers["by_rule_of_thumb"] = by_rule
    difference = ours / published.n_to_p - 1.0 if published.n_to_p > 0 else ours
    return [Audit("N/P", verdict_of(difference), text, numbers)]


def _layers(design: Design, found: Bill) -> list[Audit]:
    """Layers that have more numbers than they need."""
    made = []
    for place, layer in _all_layers(design):
        for check in layer.checks():
            what = check.what.rpartition("_per_")[0].replace("_mAh", "").replace("_mg", "").replace("_", " ")
            text = f"given {check.given:.4g} {check.unit}; {check.by} make {check.implied:.4g} {check.unit}"
            if check.what.startswith("areal_mass") and layer.porosity == 0:
                text += f". {check.given:.4g} mg/cm2 would be {layer.solid_um:.2f} um"
            origin = layer.material.origin("specific_capacity_mAh_per_g")
            high = what.startswith("specific") and origin.high is not None and check.implied > origin.high
            if high:
                text += f"; {layer.material.name} is taken to have {origin.low:g} to {origin.high:g}: this is high"
            numbers = {"given": check.given, "implied": check.implied, "solid_um": layer.solid_um}
            verdict: Verdict = "closes" if check.closes else "does not close"
            made.append(Audit(f"{what} of {place}", verdict, text, numbers))
    return made


def _all_layers(design: Design) -> list[tuple[str, Layer]]:
    listed: list[tuple[str, Layer]] = []
    for name, electrode, _ in electrodes(design.cell):
        if electrode.foil is not None:
            listed.append((f"{name} foil", electrode.foil))
        listed += [(f"{name} {layer.name}", layer) for layer in electrode.layers]
    listed.append(("separator", design.cell.stack.separator))
    if isinstance(design.cell.case, Pouch):
        listed += [(layer.name, layer) for layer in design.cell.case.laminate]
    return listed


def _packing(design: Design, found: Bill) -> list[Audit]:
    """The mass of the laminate that two published specific energies imply, for the energy of every reading."""
    published, cell = design.beside.published, design.cell
    if published is None or not isinstance(cell.case, Pouch):
        return []
    whole, without = published.specific_energy_Wh_per_kg, published.specific_energy_without_laminate_Wh_per_kg
    if whole is None or without is None:
        return []
    share = 1.0 - whole / without
    energies = [bill(held).energy_Wh for reading, held in design.readings if not reading.is_fit] or [found.energy_Wh]
    masses = [energy * (1.0 / whole - 1.0 / without) * G_PER_KG for energy in (min(energies), max(energies))]
    areas = [mass * MG_PER_G / cell.case.laminate_mg_per_cm2 for mass in masses]
    ours = found.areas_cm2["laminate"]
    text = (
        f"1 - {whole:g}/{without:g} = {share:.1%} of the mass is laminate: {_span(masses, 2)} g, or "
        f"{_span(areas, 0)} cm2 of {cell.case.laminate_um:.4g} um; the pouch as laid out has {ours:.1f} cm2"
    )
    closes = min(areas) * (1 - CLOSES_WITHIN) <= ours <= max(areas) * (1 + CLOSES_WITHIN)
    numbers = {"share": share, "low_g": masses[0], "high_g": masses[1], "low_cm2": areas[0], "high_cm2": areas[1]}
    return [Audit("laminate", "closes" if closes else "does not close", text, numbers)]


def _span(ends: list[float], digits: int) -> str:
    low, high = (f"{end:.{digits}f}" for end in (min(ends), max(ends)))
    return low if low == high else f"{low} to {high}"


def _efficiencies(design: Design, found: Bill) -> list[Audit]:
    published = design.beside.published
    if published is None:
        return []
    n_to_p = found.n_to_p["by_face"] if published.n_to_p is None else published.n_to_p
    numbers: dict[str, float] = {}
    said: list[str] = []
    low = None
    if published.retention is not None and published.n_cycles is not None:
        low = least_efficiency(n_to_p, published.retention, published.n_cycles)
        all_of_it = least_efficiency(found.n_to_p["total"], published.retention, published.n_cycles)
        numbers |= {"at_least": low, "at_least_with_all_lithium": all_of_it}
        said.append(
            f"{published.n_cycles} cycles with {published.retention:.1%} left at N/P {n_to_p:g} prove at least "
            f"{low:.2%} ({all_of_it:.2%} if all lithium of the cell took part), and no more"
        )
    for claim in published.efficiencies:
        life = n_to_p / (1.0 - claim.value) if claim.value < 1 else float("inf")
        said.append(f"{claim.value:.2%} ({claim.what}) alone would allow {life:.0f} cycles without fade")
        numbers[f"claimed_{claim.value:g}"] = claim.value
    if not said:
        return []
    text = "; ".join(said) + _spread_of(published, low)
    apart = _apart(published.efficiencies, low)
    return [Audit("efficiencies", "does not close" if apart else "noted", text, numbers)]


def _apart(claims: tuple[Claim, ...], low: float | None) -> bool:
    """Whether losses that are claimed differ by more than a factor of two, or contradict what the cycles prove."""
    losses = [1.0 - claim.value for claim in claims]
    several = len(losses) > 1 and max(losses) > 2.0 * min(losses)
    return several or (low is not None and any(claim.value < low for claim in claims))


def _spread_of(published: Published, low: float | None) -> str:
    n = len(published.efficiencies) + (low is not None)
    return f". {n} efficiencies of one system, which cannot be one number" if n > 1 else ""


def _pores(design: Design, found: Bill) -> list[Audit]:
    made = []
    cycled = face_delivered_mAh_per_cm2(design.cell)
    for layer in interlayers(design.cell):
        holds = layer.void_um * LITHIUM_mAh_PER_CM2_PER_UM
        porosity = layer.void_um / layer.um
        text = (
            f"porosity {porosity:.2f} of {layer.um:.4g} um holds at most {holds:.2f} mAh/cm2 of dense "
            f"lithium; {cycled:.3g} mAh/cm2 are cycled per face"
        )
        fits = cycled <= holds
        text += "" if fits else f": {cycled - holds:.2g} do not fit into it as made"
        published = design.beside.published
        if published is not None and published.pores_hold_mAh_per_cm2 is not None:
            text += f". Published: up to {published.pores_hold_mAh_per_cm2:g} stay within the pores"
        if published is not None and published.dendrites_from_mAh_per_cm2 is not None:
            text += f". Published: dendrites from {published.dendrites_from_mAh_per_cm2:.3g} mAh/cm2 on"
        numbers = {"porosity": porosity, "pores_hold_mAh_per_cm2": holds, "cycled_mAh_per_cm2": cycled}
        made.append(Audit(f"pores of the {layer.name}", "closes" if fits else "does not close", text, numbers))
    return made


def _swelling(design: Design, found: Bill) -> list[Audit]:
    """What measured thicknesses of a filled interlayer leave as void, and what a cap on it would have to be."""
    made = []
    for layer in design.cell.negative.layers:
        if layer.filled_um is None or layer.material.name == LITHIUM:
            continue
        solid, empty_um = layer.solid_um, layer.filled_um[0][1]
        holds_um = empty_um - solid
        said, numbers = [], {"solid_um": solid}
        for charge, um in layer.filled_um:
            void = um - solid - charge / LITHIUM_mAh_PER_CM2_PER_UM
            said.append(f"{um:g} um at {charge:g} mAh/cm2: void {void:.1f}")
            numbers[f"void_um_at_{charge:g}"] = void
        charge, um = layer.filled_um[-1]
        lithium_um = charge / LITHIUM_mAh_PER_CM2_PER_UM
        dense_um = max(solid + lithium_um, empty_um)
        numbers["dense_um"] = dense_um
        text = f"solids {solid:.1f} um: " + "; ".join(said)
        grown = um - empty_um
        if grown > 0 and um > dense_um:
            filled = 1.0 - max(lithium_um - holds_um, 0.0) / grown
            numbers["cap_porosity_pores_filled"] = filled
            text += (
                f". Dense lithium overflowing from full pores would give {dense_um:.1f} um: {um:g} needs a cap "
                f"{filled:.0%} porous on full pores"
            )
            if lithium_um < grown:
                numbers["cap_porosity_pores_empty"] = 1.0 - lithium_um / grown
                text += f" or {1.0 - lithium_um / grown:.0%} on empty ones"
            text += ", or a network that swells; thickness alone cannot tell them apart"
        made.append(Audit(f"swelling of the {layer.name}", "noted", text, numbers))
    return made


def _conversion(design: Design, found: Bill) -> list[Audit]:
    kept, given_back = (
        sum(layer.taken_mAh_per_cm2(how) for layer in design.cell.negative.layers) for how in ("conversion", "alloy")
    )
    if kept <= 0:
        return []
    text = (
        f"the negative takes {kept:.3f} mAh/cm2 once and keeps it, and {given_back:.3f} that it gives back: N/P "
        f"by face {found.n_to_p['by_face']:.3f} becomes {found.n_to_p['after_conversion']:.3f}, which no N/P tells"
    )
    return [Audit("conversion", "noted", text, {"kept_mAh_per_cm2": kept, "given_back_mAh_per_cm2": given_back})]


def _lean(design: Design, found: Bill) -> list[Audit]:
    """Whether the cell is lean enough to say anything about one that is."""
    per_Ah, n_to_p = found.g_per_Ah["coated"], found.n_to_p["by_face"]
    text = f"{per_Ah:.3g} g/Ah of electrolyte (of the coated capacity), N/P {n_to_p:.2f} by face"
    numbers = {"g_per_Ah": per_Ah, "n_to_p": n_to_p}
    if per_Ah > LEAN_G_PER_AH or n_to_p > LEAN_N_TO_P:
        text += (
            f": not lean (at most {LEAN_G_PER_AH:g} g/Ah and {LEAN_N_TO_P:g}); its cycles say little about one that is"
        )
    return [Audit("lean", "noted", text, numbers)]


def _filling(design: Design, found: Bill) -> list[Audit]:
    text = (
        f"{found.electrolyte_mL:.3g} mL of electrolyte on {sum(found.pores_mL.values()):.3g} mL of pores: "
        f"{found.overfill:.2f} times; the pores alone take {found.least_g_per_Ah:.2f} g/Ah"
    )
    enough = found.overfill >= 1.0
    text += "" if enough else ". It does not fill the pores"
    numbers = {"overfill": found.overfill, "least_g_per_Ah": found.least_g_per_Ah}
    return [Audit("electrolyte against pores", "closes" if enough else "does not close", text, numbers)]


def _breathing(design: Design, found: Bill) -> list[Audit]:
    if found.breathing_um is None:
        return []
    share = found.breathing_um / found.stack_um
    text = f"the stack of {found.stack_um:.0f} um grows {found.breathing_um:.0f} um on charge, {share:.0%}"
    numbers = {"breathing_um": found.breathing_um, "share": share}
    measured = [layer for layer in design.cell.negative.layers if layer.filled_um is not None]
    plated = face_delivered_mAh_per_cm2(design.cell)
    if measured and measured[0].filled_um is not None:
        last = measured[0].filled_um[-1][0]
        text += f", of the thickness of the {measured[0].name} as measured without a counter pressure"
        text += f"; beyond {last:g} mAh/cm2 extrapolated" if plated > last else ""
    elif interlayers(design.cell):
        numbers["least_um"] = least_breathing_um(design.cell)
        text += (
            f", if dense lithium lay beside the {interlayers(design.cell)[0].name}; {numbers['least_um']:.0f} if it "
            "filled its pores first. Measure its thickness over the charge (filled_um); the larger is used"
        )
    else:
        text += ", of dense lithium: a porous one grows more"
    return [Audit("breathing", "noted", text, numbers)]


def _interlayer_cost(design: Design, found: Bill) -> list[Audit]:
    """What an interlayer costs in energy: by its mass, and with the electrolyte that its pores hold."""
    made: list[Audit] = []
    if isinstance(design.cell.case, Coin):
        return made
    for layer in interlayers(design.cell):
        part = f"negative_{layer.name}"
        mass, whole = found.masses_g[part], found.specific_energy_Wh_per_kg["whole"]
        pores_g = found.pores_mL.get(part, 0.0) * design.cell.electrolyte.material.density_g_per_cm3
        lighter = found.energy_Wh / (found.mass_g - mass) * G_PER_KG
        leaner = found.energy_Wh / (found.mass_g - mass - pores_g) * G_PER_KG
        text = (
            f"{mass:.3g} g cost {lighter - whole:.1f} Wh/kg; with the {pores_g:.2f} g of electrolyte in "
            f"its pores saved too, {leaner - whole:.1f}: {leaner:.0f} Wh/kg without it"
        )
        numbers = {"by_mass_Wh_per_kg": lighter - whole, "with_electrolyte_Wh_per_kg": leaner - whole}
        made.append(Audit(f"energy that the {layer.name} costs", "noted", text, numbers))
    return made


def _published_energy(design: Design, found: Bill) -> list[Audit]:
    published = design.beside.published
    made = []
    if published is not None and published.specific_energy_Wh_per_kg is not None:
        claimed, ours = published.specific_energy_Wh_per_kg, found.specific_energy_Wh_per_kg["whole"]
        text = f"published {claimed:g} Wh/kg; the layers as written give {ours:.1f}, {ours / claimed - 1:+.1%}"
        numbers = {"published_Wh_per_kg": claimed, "computed_Wh_per_kg": ours}
        made.append(Audit("specific energy", verdict_of(ours / claimed - 1.0), text, numbers))
    if published is not None and published.capacity_Ah is not None:
        text = f"published {published.capacity_Ah:g} Ah; the layers as written hold {found.coated_Ah:.4g} Ah"
        verdict = verdict_of(found.coated_Ah / published.capacity_Ah - 1.0)
        made.append(Audit("capacity", verdict, text, {"coated_Ah": found.coated_Ah}))
    return made


def _window(design: Design, found: Bill) -> list[Audit]:
    curve = design.cell.coating.material.open_circuit
    assert curve is not None
    ends = beyond(curve, design.cell.lower_voltage_V, design.cell.upper_voltage_V)
    if ends is None:
        return []
    text = (
        f"the window of {design.cell.lower_voltage_V:g} to {design.cell.upper_voltage_V:g} V goes beyond the open "
        f"circuit, {ends[1]:.2f} to {ends[0]:.2f} V; the mean is that of the curve"
    )
    return [Audit("window", "noted", text, {"high_V": ends[0], "low_V": ends[1]})]


def _coin(design: Design, found: Bill) -> list[Audit]:
    if not isinstance(design.cell.case, Coin):
        return []
    share = 1.0 - sum(found.masses_g[name] for name in ("case", "spacers", "spring")) / found.mass_g
    text = f"{share:.0%} of the mass is not case: Wh/kg of a coin cell say nothing about a material"
    return [Audit("coin", "noted", text, {"share": share})]


def _outer_faces(design: Design, found: Bill) -> list[Audit]:
    """Coating of the positive that looks at no negative: weighed, and never used."""
    cell = design.cell
    n_outer = cell.n_outer(cell.positive, cell.stack.n_positive)
    idle_g = sum(
        n_outer * layer.on_outer_faces * cell.positive.area_cm2 * layer.mg_per_cm2 / MG_PER_G
        for layer in cell.positive.layers
    )
    if idle_g <= 0:
        return []
    gain = found.energy_Wh / (found.mass_g - idle_g) * G_PER_KG - found.specific_energy_Wh_per_kg["whole"]
    text = (
        f"{n_outer} faces of the positive look at no negative: {idle_g:.3g} g of coating that holds nothing, "
        f"{gain:.1f} Wh/kg. on_outer_faces = false leaves them bare"
    )
    return [Audit("idle coating", "noted", text, {"idle_g": idle_g, "costs_Wh_per_kg": gain})]


def _first_charge(design: Design, found: Bill) -> list[Audit]:
    surplus = sum(layer.surplus_mAh_per_cm2 for layer in design.cell.positive.layers)
    if surplus <= 0 or "after_first_charge" not in found.n_to_p:
        return []
    text = (
        f"the positive gives {surplus:.2f} mAh/cm2 more at its first charge than it takes back (assumed of its "
        f"material); that stays on the negative: N/P {found.n_to_p['after_conversion']:.3f} becomes "
        f"{found.n_to_p['after_first_charge']:.3f}"
    )
    return [Audit("first charge", "noted", text, {"surplus_mAh_per_cm2": surplus})]


def _life(design: Design, found: Bill) -> list[Audit]:
    """Cycles that the lithium of the negative pays for, over a span of efficiencies."""
    if not is_metal(design.cell):
        return []
    ratio = found.n_to_p["delivered"]
    lives = {efficiency: cycles_by_inventory(ratio, efficiency) for efficiency in (0.99, 0.995, 0.999)}
    told = ", ".join(f"{n:.0f} at {efficiency:.1%}" for efficiency, n in lives.items())
    text = (
        f"lithium for {told} of efficiency, until {END_OF_LIFE:.0%} is left, at N/P {ratio:.2f} (by face, of what is "
        "delivered); if nothing but lithium is lost"
    )
    return [Audit("life", "noted", text, {f"cycles_at_{efficiency:g}": n for efficiency, n in lives.items()})]


CHECKS: tuple[Check, ...] = (
    _published_energy,
    _rated,
    _n_to_p,
    _layers,
    _packing,
    _efficiencies,
    _pores,
    _swelling,
    _conversion,
    _filling,
    _lean,
    _breathing,
    _interlayer_cost,
    _outer_faces,
    _first_charge,
    _life,
    _window,
    _coin,
)
