"""Designs between which one must choose: more energy, more cycles, or a lower price, within the bounds.

For each number of cycles (or each price) the design with the most energy, by differential evolution (scipy), all
candidates of a generation counted at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import differential_evolution

from interlith.errors import InputError
from interlith.parts.design import CellDesign, Coin
from interlith.pouch.audits import END_OF_LIFE, cycles_by_inventory
from interlith.pouch.bill import Bill, bill, lithium_foil
from interlith.pouch.invert import Bounds, variant, violation
from interlith.pouch.uncertainty import SEED
from interlith.units import WH_PER_KWH

Floats = NDArray[np.float64]
N_LEVELS, N_DESIGNS = 20, 30_000
POPULATION = 10  # candidates per free quantity and generation
INTEGRAL = (False, False, False, True)  # areal capacity, N/P, electrolyte, sheets
PENALTY_WH_PER_KG = 1e4  # per unit of violation
MOST_N_TO_P = 4.0


@dataclass(frozen=True)
class Ranges:
    """Where the free quantities of a design lie; one with two equal ends is held."""

    areal_mAh_per_cm2: tuple[float, float]
    n_to_p: tuple[float, float]
    g_per_Ah: tuple[float, float]
    n_positive: tuple[int, int]


@dataclass(frozen=True)
class Choice:
    """One design of a front. price_per_kWh: of materials, in your currency; None where they have none."""

    specific_energy_Wh_per_kg: float
    n_cycles: float
    n_to_p: float
    areal_capacity_mAh_per_cm2: float
    g_per_Ah: float
    n_positive: int
    lithium_um: float | None
    price_per_kWh: float | None


@dataclass(frozen=True)
class Front:
    """Designs of most energy for rising cycles or prices, and how many designs were counted to find them."""

    by: str
    choices: tuple[Choice, ...]
    n_designs: int
    efficiency: float


def ranges(cell: CellDesign) -> Ranges:
    """Free by default: half to 1.6 times the areal capacity, N/P to 4, sheets to twice; electrolyte as it is."""
    found = bill(cell)
    areal, own = float(cell.positive.face_mAh_per_cm2), float(found.g_per_Ah["delivered"])
    least = max(1, 1 + cell.stack.n_positive - cell.stack.n_negative)
    return Ranges((0.5 * areal, 1.6 * areal), (0.0, MOST_N_TO_P), (own, own), (least, 2 * cell.stack.n_positive))


def front(
    cell: CellDesign,
    efficiency: float,
    *,
    by: str = "cycles",
    within: Ranges | None = None,
    bounds: Bounds | None = None,
    n_levels: int = N_LEVELS,
    n_designs: int = N_DESIGNS,
    seed: int = SEED,
) -> Front:
    """Designs of most energy for each number of cycles that lithium lost at `efficiency` allows, or for each price.

    by: "cycles", to END_OF_LIFE of the capacity; or "price", per kWh, where every material has one. About n_designs are
    counted, shared among n_levels. Raises InputError for an efficiency outside of 0 to 1 (1 left out), a coin cell, a
    negative without lithium, and prices that are not there.

    >>> from interlith.pouch.design_file import read_design
    >>> found = front(read_design("reference-pouch").cell, 0.995, n_levels=3, n_designs=1500)
    >>> [a.n_cycles < b.n_cycles for a, b in zip(found.choices, found.choices[1:])]
    [True, True]
    """
    if not 0 < efficiency < 1:
        raise InputError(f"efficiency {efficiency:g}: between 0 and 1, for instance 0.995")
    if isinstance(cell.case, Coin):
        raise InputError("a coin cell is mostly case: there is no choice of energy to make")
    if lithium_foil(cell) is None:
        raise InputError("a negative without lithium foil has no N/P to choose by cycles")
    found = bill(cell)
    if by == "price" and (found.price is None or found.price <= 0):
        raise InputError("price: not every material of this cell has a price_per_kg; give them in [materials.NAME]")
    free, limits = within or ranges(cell), bounds or Bounds()
    levels = _levels(cell, efficiency, by, free, n_levels)
    counted = [0]
    choices = [
        _best(cell, efficiency, by, level, free, limits, n_designs // n_levels, seed, counted) for level in levels
    ]
    kept = [choice for choice in choices if choice is not None]
    return Front(by, tuple(_undominated(kept, by)), counted[0], efficiency)


def _levels(cell: CellDesign, efficiency: float, by: str, free: Ranges, n: int) -> Floats:
    if by == "cycles":
        low, high = (float(cycles_by_inventory(ratio, efficiency)) for ratio in free.n_to_p)
        return np.linspace(low, high, n)
    at = [_per_kWh(bill(variant(cell, a, r, g, cell.stack.n_positive))) for a, r, g in _corners(free)]
    return np.geomspace(min(at), max(at), n)


def _corners(free: Ranges) -> list[tuple[float, float, float]]:
    return [(a, r, g) for a in free.areal_mAh_per_cm2 for r in free.n_to_p for g in free.g_per_Ah]


def _per_kWh(found: Bill) -> Any:
    assert found.price is not None
    return found.price / found.energy_Wh * WH_PER_KWH


def _best(
    cell: CellDesign,
    efficiency: float,
    by: str,
    level: float,
    free: Ranges,
    limits: Bounds,
    n_designs: int,
    seed: int,
    counted: list[int],
) -> Choice | None:
    """The design of most energy that lasts so many cycles, or costs no more; None where the bounds allow none."""
    ends = [free.areal_mAh_per_cm2, free.n_to_p, free.g_per_Ah, free.n_positive]
    is_free = [low < high for low, high in ends]

    def whole(x: Floats) -> Floats:
        """The free quantities of candidates [n_free, n] with those that are held: [4, n]."""
        rows = iter(np.atleast_2d(x.T).T)
        held = [None if moves else low for moves, (low, _) in zip(is_free, ends, strict=True)]
        n = x.shape[1] if x.ndim > 1 else 1
        return np.array([next(rows) if value is None else np.full(n, value) for value in held])

    def loss(x: Floats) -> Floats:
        areal, ratio, amount, count = whole(x)
        made = variant(cell, areal, ratio, amount, np.rint(count), limits)
        found = bill(made)
        counted[0] += areal.size
        short = (
            np.maximum(1.0 - cycles_by_inventory(ratio, efficiency) / level, 0.0)
            if by == "cycles"
            else np.maximum(_per_kWh(found) / level - 1.0, 0.0)
        )
        worst: Floats = PENALTY_WH_PER_KG * (violation(made, found, limits) + short)
        return worst - found.specific_energy_Wh_per_kg["whole"]

    box = [end for end, moves in zip(ends, is_free, strict=True) if moves]
    per_generation = POPULATION * len(box)
    done = differential_evolution(
        loss,
        box,
        integrality=[whole_number for whole_number, moves in zip(INTEGRAL, is_free, strict=True) if moves],
        popsize=POPULATION,
        maxiter=max(n_designs // per_generation - 1, 1),
        tol=1e-6,
        rng=seed,
        polish=False,
        vectorized=True,
        updating="deferred",
    )
    if done.fun > 0:
        return None
    return _choice(cell, whole(done.x[:, None])[:, 0], efficiency, limits)


def _choice(cell: CellDesign, x: Floats, efficiency: float, limits: Bounds) -> Choice:
    areal, ratio, amount, count = (float(value) for value in x)
    made = variant(cell, areal, ratio, amount, round(count), limits)
    return chosen(made, efficiency)


def chosen(cell: CellDesign, efficiency: float) -> Choice:
    """A cell as a choice beside those of a front: its energy, and the cycles that its lithium allows."""
    found, foil = bill(cell), lithium_foil(cell)
    ratio = float(found.n_to_p["delivered"])
    return Choice(
        specific_energy_Wh_per_kg=float(found.specific_energy_Wh_per_kg["whole"]),
        n_cycles=float(cycles_by_inventory(ratio, efficiency, END_OF_LIFE)),
        n_to_p=ratio,
        areal_capacity_mAh_per_cm2=float(cell.positive.face_mAh_per_cm2),
        g_per_Ah=float(found.g_per_Ah["delivered"]),
        n_positive=int(cell.stack.n_positive),
        lithium_um=None if foil is None else float(foil.um),
        price_per_kWh=None if found.price is None else float(_per_kWh(found)),
    )


def _undominated(choices: list[Choice], by: str) -> list[Choice]:
    """Without those that another one beats in both."""
    second: Callable[[Choice], float] = (
        (lambda c: c.n_cycles) if by == "cycles" else (lambda c: -(c.price_per_kWh or 0.0))
    )
    kept: list[Choice] = []
    for choice in sorted(choices, key=second, reverse=True):
        if not kept or choice.specific_energy_Wh_per_kg > kept[-1].specific_energy_Wh_per_kg:
            kept.append(choice)
    return kept[::-1]
