"""What one change at a time gives: the levers of a cell, each with the energy it brings and what stands against it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from interlith.parts.design import CellDesign, Coin, Pouch
from interlith.parts.layer import Layer
from interlith.parts.listing import replaced
from interlith.pouch.bill import bill, interlayers, lithium_foil
from interlith.pouch.invert import Bounds, against, variant
from interlith.units import LITHIUM_mAh_PER_CM2_PER_UM

QUARTER = 0.25  # by which a quantity is changed that has no steps of its own
NONE = "none"


@dataclass(frozen=True)
class Lever:
    """One change: what, now and then as text, the specific energy with it, what it brings, which bounds it breaks."""

    what: str
    now: str
    then: str
    specific_energy_Wh_per_kg: float
    gain_Wh_per_kg: float
    against: str


def levers(cell: CellDesign, bounds: Bounds | None = None) -> tuple[Lever, ...]:
    """Changes that a designer can make, each alone and with all else as it is, the largest gain first.

    Coating and electrolyte by a quarter, twice the sheets, lithium to the next thinner foil and to facing sides only,
    collectors, separator and laminate a quarter thinner, no interlayer. Nothing for coin cells.

    >>> from interlith.pouch.design_file import read_design
    >>> [lever.what for lever in levers(read_design("reference-pouch").cell)][:2]
    ['sheets', 'electrolyte (g/Ah)']
    """
    if isinstance(cell.case, Coin):
        return ()
    limits = bounds or Bounds()
    base = float(bill(cell).specific_energy_Wh_per_kg["whole"])
    found = []
    for what, now, then, made in _changes(cell, limits):
        counted = bill(made)
        energy = float(counted.specific_energy_Wh_per_kg["whole"])
        stands = "; ".join(against(made, counted, limits))
        found.append(Lever(what, now, then, energy, energy - base, stands))
    return tuple(sorted(found, key=lambda lever: -lever.gain_Wh_per_kg))


Change = tuple[str, str, str, CellDesign]


def _changes(cell: CellDesign, bounds: Bounds) -> Iterator[Change]:
    yield from _of_the_stack(cell, bounds)
    yield from _of_the_lithium(cell, bounds)
    yield from _of_thickness(cell)
    for layer in interlayers(cell):
        bare = tuple(other for other in cell.negative.layers if other is not layer)
        negative = cell.negative.model_copy(update={"layers": bare})
        if bare or negative.foil is not None:
            yield layer.name, f"{layer.um:.4g} um", NONE, cell.model_copy(update={"negative": negative})


def _of_the_stack(cell: CellDesign, bounds: Bounds) -> Iterator[Change]:
    found = bill(cell)
    areal, ratio = float(cell.positive.face_mAh_per_cm2), float(found.n_to_p["by_face"])
    amount, count = float(found.g_per_Ah["delivered"]), cell.stack.n_positive
    thicker, leaner = areal * (1.0 + QUARTER), amount * (1.0 - QUARTER)
    yield (
        "areal capacity (mAh/cm2)",
        f"{areal:.3g}",
        f"{thicker:.3g}",
        variant(cell, thicker, ratio, amount, count, bounds),
    )
    yield "electrolyte (g/Ah)", f"{amount:.3g}", f"{leaner:.3g}", variant(cell, areal, ratio, leaner, count, bounds)
    yield "sheets", f"{count}", f"{2 * count}", variant(cell, areal, ratio, amount, 2 * count, bounds)


def _of_the_lithium(cell: CellDesign, bounds: Bounds) -> Iterator[Change]:
    metal = lithium_foil(cell)
    if metal is None:
        return
    name = f"negative.{metal.name}"
    if metal.on_outer_faces and cell.n_outer(cell.negative, cell.stack.n_negative):
        facing = replaced(cell, {f"{name}.on_outer_faces": False}, checked=False)
        yield f"{metal.name} on outer faces", "yes", "no", facing
    thinner = [um for um in bounds.lithium_gauges_um if um < metal.um * 0.999]
    if thinner:
        free = {f"{name}.areal_mass_mg_per_cm2": None, f"{name}.areal_capacity_mAh_per_cm2": None}
        made = replaced(cell, {**free, f"{name}.thickness_um": max(thinner)}, checked=False)
        left = max(thinner) * LITHIUM_mAh_PER_CM2_PER_UM / float(cell.positive.face_mAh_per_cm2)
        yield f"{metal.name} (um)", f"{metal.um:.4g}", f"{max(thinner):g}, N/P {left:.2f}", made


def _of_thickness(cell: CellDesign) -> Iterator[Change]:
    """Sheets that hold nothing, a quarter thinner, and lighter with it."""
    places: list[tuple[str, str, Layer]] = [("separator", "stack.separator", cell.stack.separator)]
    for name, electrode in (("positive", cell.positive), ("negative", cell.negative)):
        if electrode.foil is not None:
            places.append((f"{name} foil", f"{name}.foil", electrode.foil))
    if isinstance(cell.case, Pouch):
        places += [(layer.name, f"case.{layer.name}", layer) for layer in cell.case.laminate]
    for what, place, layer in places:
        keys = ("thickness_um", "areal_mass_mg_per_cm2")
        given = {key: getattr(layer, key) for key in keys if getattr(layer, key) is not None}
        new: dict[str, Any] = {f"{place}.{key}": value * (1.0 - QUARTER) for key, value in given.items()}
        yield f"{what} (um)", f"{layer.um:.4g}", f"{layer.um * (1 - QUARTER):.4g}", replaced(cell, new, checked=False)
