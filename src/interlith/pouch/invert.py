"""What a cell must be to reach a specific energy: areal capacity for given electrolyte, layers, N/P, within bounds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from scipy.optimize import brentq

from interlith.errors import InputError
from interlith.parts.design import CellDesign, Coin, Pouch
from interlith.parts.listing import replaced
from interlith.pouch.bill import Bill, bill, face_delivered_mAh_per_cm2, interlayers, inventory, lithium_foil
from interlith.units import UM_PER_MM, LITHIUM_mAh_PER_CM2_PER_UM

LEAST_AREAL_mAh_PER_CM2, MOST_AREAL_mAh_PER_CM2 = 0.5, 30.0


@dataclass(frozen=True)
class Bounds:
    """What a design may not exceed; each assumed, and yours to change.

    most_coating_um: of the positive, on one face. most_breathing: growth of the stack on charge over its thickness.
    least_overfill: electrolyte over pore volume. tab_A_per_mm2: at one full capacity per hour; tabs as they are, and
    wider where this asks for it. lithium_gauges_um: foils that are sold.
    """

    most_coating_um: float = 150.0
    most_breathing: float = 0.25
    least_overfill: float = 1.0
    most_tab_A_per_mm2: float = 4.0
    lithium_gauges_um: tuple[float, ...] = (20.0, 30.0, 50.0, 100.0)

    def sources(self) -> dict[str, str]:
        """Where each bound comes from."""
        return {field.name: BOUND_SOURCES[field.name] for field in fields(self)}


BOUND_SOURCES = {
    "most_coating_um": "assumed: thicker coatings crack in drying and starve at moderate rates",
    "most_breathing": "assumed: what a fixture of constant pressure follows",
    "least_overfill": "assumed: all pores filled once",
    "most_tab_A_per_mm2": "assumed: 3 to 5 A/mm2 of aluminium, as a supplier of tabs has it",
    "lithium_gauges_um": "assumed: rolled lithium is sold from 20 to 100 um",
}


@dataclass(frozen=True)
class Reached:
    """A design asked for: what it takes, what stands against it, and what must be said with it.

    areal_capacity_mAh_per_cm2: None where no areal capacity reaches the target; then all that follows from it is None.
    gauge_um: the foil of lithium sold that holds enough, and the specific energy with it.
    """

    target_Wh_per_kg: float
    g_per_Ah: float
    n_positive: int
    n_to_p: float
    areal_capacity_mAh_per_cm2: float | None
    lithium_um: float | None
    gauge_um: float | None
    at_gauge_Wh_per_kg: float | None
    capacity_Ah: float | None
    coating_um: float | None
    least_g_per_Ah: float | None
    breathing: float | None
    against: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        """Yes or no, and why; with yes, what it would be with lithium as it is sold, and what the host cannot hold."""
        return f"no: {'; '.join(self.against)}" if self.against else "; ".join(("yes", *self.notes))


def variant(
    cell: CellDesign, areal_mAh_per_cm2: Any, n_to_p: Any, g_per_Ah: Any, n_positive: Any, bounds: Bounds | None = None
) -> CellDesign:
    """The cell with another areal capacity, N/P by face, electrolyte per delivered Ah and number of positive sheets.

    All may be arrays. The coating keeps its composition and porosity, the separator its excess of passes; the tabs
    become wider where the bounds ask for it, the laminate stays as wide as the electrodes make it. Not checked.

    >>> from interlith.pouch.design_file import read_design
    >>> wider = variant(read_design("reference-pouch").cell, 6.0, 1.0, 2.0, 10)
    >>> round(wider.coated_Ah, 3), round(bill(wider).n_to_p["by_face"], 3)
    (3.348, 1.0)
    """
    bounds = bounds or Bounds()
    coating, holder = cell.coating, next(iter(inventory(cell)), None)
    free = {"thickness_um": None, "areal_mass_mg_per_cm2": None}
    new: dict[str, Any] = {
        "stack.n_positive": n_positive,
        "stack.n_negative": n_positive + (cell.stack.n_negative - cell.stack.n_positive),
        "rated_capacity_Ah": None,
        "delivered_capacity_Ah": None,
        "electrolyte.g_per_Ah": g_per_Ah,
        "electrolyte.basis": "delivered",
        "electrolyte.volume_mL": None,
        "electrolyte.overfill": None,
    }
    new["stack.n_separators"] = (
        cell.stack.n_passes - cell.stack.n_pairs + 2 * n_positive + (cell.stack.n_negative - cell.stack.n_positive - 1)
    )
    new |= {f"positive.{coating.name}.{key}": value for key, value in free.items()}
    new[f"positive.{coating.name}.porosity"] = coating.void_um / coating.um
    new[f"positive.{coating.name}.areal_capacity_mAh_per_cm2"] = areal_mAh_per_cm2
    if holder is not None:
        new |= {f"negative.{holder.name}.{key}": value for key, value in free.items()}
        new[f"negative.{holder.name}.areal_capacity_mAh_per_cm2"] = n_to_p * areal_mAh_per_cm2
    made = replaced(cell, new, checked=False)
    if not isinstance(cell.case, Pouch):
        return made
    tabs = cell.case.tabs
    needed_mm = made.coated_Ah / (tabs.thickness_mm * bounds.most_tab_A_per_mm2)
    return replaced(made, {"case.tabs.width_mm": np.maximum(tabs.width_mm, needed_mm)}, checked=False)


def reach(
    cell: CellDesign,
    target_Wh_per_kg: float,
    *,
    n_to_p: float | None = None,
    g_per_Ah: Sequence[float] | None = None,
    n_positive: Sequence[int] | None = None,
    bounds: Bounds | None = None,
) -> tuple[Reached, ...]:
    """The areal capacity that reaches a specific energy of the whole cell, by electrolyte and number of sheets.

    By default N/P by face as in the cell, electrolyte as it is and 1.8 and 1.3 g/Ah where it is more, sheets as they
    are and twice as many. Root by Brent's method. Raises InputError for a target that cannot be and for coin cells.

    >>> from interlith.pouch.design_file import read_design
    >>> found = reach(read_design("reference-pouch").cell, 400.0, g_per_Ah=[1.8], n_positive=[5])[0]
    >>> 5.3 < found.areal_capacity_mAh_per_cm2 < 8.0
    True
    """
    if not 0 < target_Wh_per_kg < 3000.0:
        raise InputError(f"target {target_Wh_per_kg:g} Wh/kg: a specific energy above 0 and below 3000")
    if isinstance(cell.case, Coin):
        raise InputError("a coin cell is mostly case: no areal capacity makes a specific energy of it worth asking for")
    if n_to_p and not inventory(cell):
        raise InputError(f"N/P {n_to_p:g}: the negative has no lithium to change; give it a layer of lithium")
    found = bill(cell)
    own_g_per_Ah = float(found.g_per_Ah["delivered"])
    amounts = g_per_Ah or (own_g_per_Ah, *(leaner for leaner in (1.8, 1.3) if leaner < own_g_per_Ah))
    sheets = n_positive or (cell.stack.n_positive, 2 * cell.stack.n_positive)
    ratio = float(found.n_to_p["by_face"]) if n_to_p is None else n_to_p
    limits = bounds or Bounds()
    return tuple(_reach(cell, target_Wh_per_kg, ratio, amount, count, limits) for count in sheets for amount in amounts)


def _reach(cell: CellDesign, target: float, ratio: float, amount: float, count: int, bounds: Bounds) -> Reached:
    def above(areal: float) -> float:
        return float(_whole(variant(cell, areal, ratio, amount, count, bounds))) - target

    ends = above(LEAST_AREAL_mAh_PER_CM2), above(MOST_AREAL_mAh_PER_CM2)
    if ends[1] < 0 or ends[0] > 0:
        most = f"at most {ends[1] + target:.0f} Wh/kg, at {MOST_AREAL_mAh_PER_CM2:g} mAh/cm2"
        why = most if ends[1] < 0 else f"reached below {LEAST_AREAL_mAh_PER_CM2:g} mAh/cm2"
        return Reached(target, amount, count, ratio, None, None, None, None, None, None, None, None, (why,))
    areal = float(brentq(above, LEAST_AREAL_mAh_PER_CM2, MOST_AREAL_mAh_PER_CM2, xtol=1e-9))
    made = variant(cell, areal, ratio, amount, count, bounds)
    found, foil = bill(made), lithium_foil(made)
    lithium_um = None if foil is None else foil.um
    gauge = None
    if lithium_um is not None:
        gauge = next((um for um in sorted(bounds.lithium_gauges_um) if um >= lithium_um - 1e-9), None)
    at_gauge = None
    if gauge is not None:
        richer = gauge * LITHIUM_mAh_PER_CM2_PER_UM / areal
        at_gauge = float(_whole(variant(cell, areal, richer, amount, count, bounds)))
    breathing = None if found.breathing_um is None else float(found.breathing_um / found.stack_um)
    return Reached(
        target,
        amount,
        count,
        ratio,
        areal,
        lithium_um,
        gauge,
        at_gauge,
        float(found.delivered_Ah),
        float(made.coating.um),
        float(found.least_g_per_Ah),
        breathing,
        tuple(against(made, found, bounds)),
        tuple(_notes(made, lithium_um, gauge, at_gauge)),
    )


def _notes(cell: CellDesign, lithium_um: float | None, gauge_um: float | None, at_Wh_per_kg: float | None) -> list[str]:
    """What a design that keeps its bounds does not say by itself."""
    said = []
    if lithium_um is not None and gauge_um is not None and at_Wh_per_kg is not None and gauge_um > lithium_um * 1.001:
        said.append(f"{at_Wh_per_kg:.0f} Wh/kg with the {gauge_um:g} um of lithium that is sold")
    cycled = float(face_delivered_mAh_per_cm2(cell))
    for layer in interlayers(cell):
        holds = float(layer.void_um) * LITHIUM_mAh_PER_CM2_PER_UM
        if cycled > holds:
            said.append(f"the pores of the {layer.name} hold {holds:.1f} of the {cycled:.1f} mAh/cm2")
        if layer.filled_um is not None and cycled > layer.filled_um[-1][0]:
            said.append(f"its thickness is measured up to {layer.filled_um[-1][0]:g}")
    return said


def _whole(cell: CellDesign) -> Any:
    return bill(cell).specific_energy_Wh_per_kg["whole"]


def against(cell: CellDesign, found: Bill, bounds: Bounds) -> list[str]:
    """What of the bounds a design breaks, in words."""
    return [said() for value, most, said in _bounded(cell, found, bounds) if value > most]


def violation(cell: CellDesign, found: Bill, bounds: Bounds) -> Any:
    """By how much a design breaks its bounds, as a sum of relative excesses; arrays too. 0 for one that keeps them."""
    return sum(np.maximum(value / most - 1.0, 0.0) for value, most, _ in _bounded(cell, found, bounds))


def _bounded(cell: CellDesign, found: Bill, bounds: Bounds) -> Iterator[tuple[Any, Any, Callable[[], str]]]:
    """Each bound that applies: what must not exceed what, and how to say that it does."""
    um, least = cell.coating.um, bounds.least_overfill
    yield um, bounds.most_coating_um, lambda: f"coating of {um:.0f} um, at most {bounds.most_coating_um:g}"
    yield least, found.overfill, lambda: f"needs at least {found.least_g_per_Ah * least:.2f} g/Ah to fill all pores"
    if found.breathing_um is not None:
        share, most = found.breathing_um / found.stack_um, bounds.most_breathing
        yield share, most, lambda: f"breathing {share:.0%}, at most {most:.0%}"
    if isinstance(cell.case, Pouch) and cell.case.most_depth_mm is not None:
        deep_mm, held_mm = cell.stack_um / UM_PER_MM, cell.case.most_depth_mm
        yield deep_mm, held_mm, lambda: f"stack of {deep_mm:.1f} mm, the cups hold {held_mm:g}"
    foil = lithium_foil(cell)
    if foil is not None:
        thickest_um = max(bounds.lithium_gauges_um)
        yield foil.um, thickest_um, lambda: f"lithium of {foil.um:.0f} um, sold up to {thickest_um:g}"
