"""What the model predicts for results to which nothing was fitted, beside what was measured: `held_out()`.

Fitted are, for each sample, its Aurbach efficiency (isolation, or revival) and its thickness at 5 mAh/cm2 (porosity of
the cap). Everything else of Shen et al., Nat. Commun. (2025), doi:10.1038/s41467-025-60609-4, is held out. The interval
is the span of draws: every assumed value is drawn from its range, all at once (Latin hypercube), and what is fitted is
fitted anew; draws that cannot meet the fitted efficiency are dropped. ZnO(002) is drawn with both of its rival sets,
since nobody knows which is true. Nothing here is tuned to a row; a miss stays, with its reason.
"""

from __future__ import annotations

import tomllib
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
from pydantic import ValidationError
from scipy.optimize import brentq

from interlith.cell.fade import fade
from interlith.cell.inference.observe import observe
from interlith.cell.results import Simulation
from interlith.cell.simulate import simulate
from interlith.cell_test import changed
from interlith.errors import InputError, InterlithError
from interlith.ledger import STEP
from interlith.parts.cell import Cell, Collector, Foil, Host
from interlith.parts.part import Part
from interlith.parts.samples import (
    aurbach_efficiency,
    common_value,
    full_cell,
    full_nominal_mAh_per_cm2,
    half_cell,
    sample,
    symmetric_cell,
)
from interlith.protocol import ConstantCurrent, Protocol, Repeat, named

FULL = ("li-ncm811", "pouch-ncm90", "anode-free")
COATED = ("cp-zno-002", "cp-zno-002-revival")
FITTED: Mapping[str, tuple[str, float]] = {  # sample -> what is fitted to its efficiency, and the most it may be
    "cp": ("host.isolated_per_stripped", 0.5),
    "cp-zno-002": ("host.isolated_per_stripped", 0.5),
    "cp-zno-002-revival": ("host.revival_rate_per_s", 1.0),
}
FROM_ONE_DRAW_ON = 3.0  # high over low beyond which a range is drawn on a logarithmic scale
MET_WITHIN = 1e-6
N_DRAWS = 8
AT_ONCE = 6  # draws of samples between two signs of life
LAST_OF = 200  # cycles of the residue
Each = Callable[[Callable[[Any], Any], Sequence[Any]], Any]


@dataclass(frozen=True)
class Row:
    """One held-out result. paper None: not published in numbers; at_least: the test was stopped there, still alive.

    predicted: with the values as shipped; low, high: span of the draws. within: whether the paper's value lies in it.
    """

    quantity: str
    unit: str
    paper: float | None
    at_least: bool
    predicted: float
    low: float
    high: float
    n_draws: int
    reason: str

    @property
    def within(self) -> bool | None:
        """Whether the measured value lies within the span; for a bound, whether the span reaches it."""
        if self.paper is None:
            return None
        return self.high >= self.paper if self.at_least else self.low <= self.paper <= self.high


@dataclass(frozen=True)
class Case:
    """How a row is made. test: name in TESTS, samples: any of which may be the true one."""

    quantity: str
    unit: str
    paper: float | None
    at_least: bool
    samples: tuple[str, ...]
    test: str
    read: Callable[[Simulation], float]
    reason: str


def held_out(n_draws: int = N_DRAWS, seed: int = 1, each: Each = map) -> list[Row]:
    """The table. n_draws: of each sample set; each: a map, over processes where it is one of a pool.

    The same seed gives the same table. Takes a few minutes for eight draws on two cores. Raises InputError for none.
    """
    if n_draws < 1:
        raise InputError(f"n_draws = {n_draws}: at least 1")
    orders = [(name, draw, n_draws, seed) for draw in range(-1, n_draws) for name in FITTED]
    answers: dict[tuple[str, int], dict[str, float]] = {}
    for first in range(0, len(orders), AT_ONCE):
        asked = orders[first : first + AT_ONCE]
        for (name, draw, *_), found in zip(asked, each(_predictions, asked), strict=True):
            if found is not None:
                answers[name, draw] = found
    rows = [_row(case, answers, n_draws) for case in _cases()]
    return [*rows, _ratio(answers, n_draws)]


def n_stages(n_draws: int) -> int:
    """How often `each` is called.

    >>> n_stages(8)
    5
    """
    return -(-len(FITTED) * (n_draws + 1) // AT_ONCE)


def _row(case: Case, answers: Mapping[tuple[str, int], Mapping[str, float]], n_draws: int) -> Row:
    values = [
        answers[name, draw][case.quantity]
        for name in case.samples
        for draw in range(n_draws)
        if (name, draw) in answers
    ]
    shipped = [answers[name, -1][case.quantity] for name in case.samples]
    spread = [v for v in (*values, *shipped) if np.isfinite(v)]
    return Row(
        case.quantity,
        case.unit,
        case.paper,
        case.at_least,
        shipped[0],
        min(spread, default=float("nan")),
        max(spread, default=float("nan")),
        len(values),
        case.reason,
    )


def _ratio(answers: Mapping[tuple[str, int], Mapping[str, float]], n_draws: int) -> Row:
    """Of two lives with the same draw of what both samples share."""
    of_bare, of_coated = (f"life of {which} at 1 mA/cm2, 1 mAh/cm2" for which in ("CP", "ZnO(002)"))
    found = {
        (name, draw): answers[name, draw][of_coated] / answers["cp", draw][of_bare]
        for name in COATED
        for draw in range(-1, n_draws)
        if (name, draw) in answers and ("cp", draw) in answers
    }
    reason = (
        "CP outlives its measured 40 cycles here, ZnO(002) its protocol: no dendrites, no short, no drying out. The "
        "paper's own numbers give 180 / 40 = 4.5, its text 6"
    )
    spread = list(found.values())
    return Row(
        "life of ZnO(002) over that of CP, 1 mA/cm2",
        "1",
        6.0,
        False,
        found["cp-zno-002", -1],
        min(spread),
        max(spread),
        sum(draw >= 0 for _, draw in found),
        reason,
    )


# ---- draws


def _predictions(order: tuple[str, int, int, int]) -> dict[str, float] | None:
    """All rows that a sample serves, at one draw (-1: as shipped); None for a draw that cannot be."""
    name, draw, n_draws, seed = order
    cells = _cells(name)
    if draw >= 0:
        try:
            cells = {which: _drawn(cell, "", draw, n_draws, seed) for which, cell in cells.items()}
        except ValidationError:
            return None
        fitted = _fitted(name, cells["half"])
        if fitted is None:
            return None
        cells = {which: changed(cell, FITTED[name][0], fitted) for which, cell in cells.items()}
    found: dict[str, float] = {}
    done: dict[str, Simulation] = {}
    for case in _cases():
        if name not in case.samples:
            continue
        if case.test not in done:
            done[case.test] = _tested(cells, case.test)
        found[case.quantity] = case.read(done[case.test])
    return found


def _cells(name: str) -> dict[str, Cell]:
    host = sample(name)
    assert isinstance(host, Host)  # as FITTED names them
    blind = host.with_values_kept(
        cap_porosity=common_value("cap_porosity")[0],
        origins={**host.origins, "cap_porosity": common_value("cap_porosity")[1]},
    )
    full = {which: full_cell(which, host) for which in FULL}
    return {"half": half_cell(host), "blind": half_cell(blind), "symmetric": symmetric_cell(host), **full}


def _tested(cells: Mapping[str, Cell], test: str) -> Simulation:
    which, make = TESTS[test]
    nominal = full_nominal_mAh_per_cm2(which) if which in FULL else None
    return simulate(cells[which], make(), nominal_mAh_per_cm2=nominal)


def _drawn(part: Any, path: str, draw: int, n_draws: int, seed: int) -> Any:
    """A part with every assumed number that has a range drawn from it; equal names get equal draws."""
    values: dict[str, Any] = {}
    for field in type(part).model_fields:
        value = getattr(part, field)
        if isinstance(value, Part):
            values[field] = _drawn(value, f"{path}{_place(field, value)}.", draw, n_draws, seed)
            continue
        origin = part.origin(field)
        if isinstance(value, float) and origin.kind == "assumed" and origin.low is not None and origin.high is not None:
            share = _quantile(f"{path}{field}", draw, n_draws, seed)
            values[field] = _between(origin.low, origin.high, share)
    return part.with_values_kept(**values)


def _place(field: str, value: Part) -> str:
    """A host is the same host in every kind of cell."""
    if isinstance(value, (Host, Collector)):
        return "host"
    return "foil" if isinstance(value, Foil) else field


def _quantile(name: str, draw: int, n_draws: int, seed: int) -> float:
    """The middle of a stratum that is this draw's: a Latin hypercube over all names."""
    short = ".".join(name.split(".")[-2:])  # the same host on foil, or on nothing
    stream = np.random.default_rng([seed, zlib.crc32(short.encode())])
    return float((stream.permutation(n_draws)[draw] + 0.5) / n_draws)


def _between(low: float, high: float, share: float) -> float:
    if low > 0 and high > FROM_ONE_DRAW_ON * low:
        return float(low ** (1.0 - share) * high**share)
    return float(low + share * (high - low))


def _fitted(name: str, cell: Cell) -> float | None:
    """The fitted value that meets the measured efficiency with all else as drawn; None where none does."""
    name_of_value, most = FITTED[name]
    wanted = aurbach_efficiency(name)
    assert wanted is not None  # as FITTED names them

    def off(value: float) -> float:
        done = simulate(changed(cell, name_of_value, value), named("aurbach"))
        return float(observe(done, "ce_reservoir")[0]) - wanted

    try:
        return float(brentq(off, 0.0, most, xtol=MET_WITHIN * most, rtol=1e-6))
    except (ValueError, InterlithError):
        return None


# ---- tests and rows


def _plating(charge: float) -> Protocol:
    step = ConstantCurrent(current_density_mA_per_cm2=-1.0, areal_capacity_mAh_per_cm2=charge)
    return Protocol(name="plating", steps=(step,))


def _until_dead(name: str) -> Protocol:
    """A shipped protocol that ends once the efficiency has stayed below 90 % for three cycles."""
    made = named(name)
    steps = tuple(_until_low(s) if isinstance(s, Repeat) and s.times > made.formation_cycles else s for s in made.steps)
    return made.model_copy(update={"steps": steps})


def _until_low(step: Repeat) -> Repeat:
    """The same repeat, given up when the cell is dead."""
    return step.model_copy(update={"stop_below_efficiency": 0.9, "stop_after": 3})


TESTS: Mapping[str, tuple[str, Callable[[], Protocol]]] = {
    "fast": ("half", lambda: _until_dead("half-cell-5")),
    "one": ("half", lambda: _until_dead("half-cell-1")),
    "long": ("half", lambda: _until_dead("half-cell-0.5")),
    "two hundred": ("half", lambda: _shorter("half-cell-0.5", LAST_OF)),
    "plate 1": ("half", lambda: _plating(1.0)),
    "plate 5": ("half", lambda: _plating(5.0)),
    "plate 5 blind": ("blind", lambda: _plating(5.0)),
    "symmetric": ("symmetric", lambda: _shorter("symmetric-1", 10)),
    "li-ncm811": ("li-ncm811", lambda: named("li-ncm811")),
    "pouch-ncm90": ("pouch-ncm90", lambda: named("pouch-ncm90")),
    "anode-free": ("anode-free", lambda: named("anode-free")),
}


def _shorter(name: str, n_cycles: int) -> Protocol:
    made = named(name)
    last = made.steps[-1]
    assert isinstance(last, Repeat)
    return made.model_copy(update={"steps": (*made.steps[:-1], last.model_copy(update={"times": n_cycles}))})


def _life(done: Simulation) -> float:
    return float(observe(done, "life")[0])


def _thickness(done: Simulation) -> float:
    return float(done.states["thickness_um.porous_cap"][-1])


def _overflow(done: Simulation) -> float:
    """Lithium plated when half of what comes next lies on top, mAh/cm2; all that was plated where it never does."""
    table = done.ledger.table.filter(done.ledger.table[STEP] == 1)
    top, plated = table["active_top"].to_numpy(), -table["passed"].to_numpy()
    share = np.diff(top) / np.maximum(np.diff(plated), 1e-12)
    over = np.flatnonzero(share > 0.5)
    return float(plated[over[0] + 1]) if len(over) else float(plated[-1])


def _first_efficiency(done: Simulation) -> float:
    plated, stripped = (abs(step.passed_mAh_per_cm2) for step in done.steps[:2])
    return stripped / plated


def _retention(done: Simulation) -> float:
    worn = fade(done)
    return float("nan") if worn is None else worn.retention


def _overpotential(done: Simulation) -> float:
    return float(observe(done, "overpotential_mV")[0])


READS: Mapping[str, Callable[[Simulation], float]] = {
    "life": _life,
    "thickness": _thickness,
    "overflow": _overflow,
    "first efficiency": _first_efficiency,
    "retention": _retention,
    "overpotential": _overpotential,
}


@cache
def _cases() -> tuple[Case, ...]:
    text = resources.files("interlith.cell.inference").joinpath("shipped", "held-out.toml").read_text(encoding="utf-8")
    return tuple(
        Case(
            row["quantity"],
            row["unit"],
            row.get("paper"),
            row.get("at_least", False),
            tuple(row["samples"]),
            row["test"],
            READS[row["read"]],
            row["reason"],
        )
        for row in tomllib.loads(text)["row"]
    )
