"""What a cell may be: every quantity that is not certain is drawn, and the bill counted for all draws at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from interlith.errors import InputError
from interlith.parts.design import CellDesign
from interlith.parts.listing import replaced, values
from interlith.parts.part import Origin
from interlith.pouch.bill import Bill, bill
from interlith.pouch.design_file import Design

Floats = NDArray[np.float64]
CHUNK = 16384  # draws whose arrays stay in the processor's cache
# A normal one is cut at its ends, which lie 1.96 standard deviations from the mean: 95 % of it would lie within
CENTRAL_95, WITHIN_95 = 1.959964, 0.95
N_DRAWS, SEED = 100_000, 20251
READING = "reading"
OUTPUTS = ("capacity_Ah", "energy_Wh", "mass_g", "energy_density_Wh_per_L")


@dataclass(frozen=True)
class Spread:
    """A quantity that may have more than one value."""

    name: str
    value: Any
    origin: Origin

    def at(self, share: Floats) -> NDArray[Any]:
        """Its values at shares of its distribution, 0 to 1; any shape.

        >>> Spread("x", 2.0, Origin(kind="assumed", source="", low=1.0, high=3.0)).at(np.array([0.0, 0.5])).tolist()
        [1.0, 2.0]
        """
        origin = self.origin
        if origin.choices is not None:
            choices = np.array(origin.choices)
            return choices[np.minimum((share * len(choices)).astype(np.intp), len(choices) - 1)]
        assert origin.low is not None
        assert origin.high is not None
        low, high = origin.low, origin.high
        if origin.distribution == "normal":
            tail = 0.5 * (1.0 - WITHIN_95)
            return 0.5 * (low + high) + ndtri(tail + share * WITHIN_95) * (high - low) / (2.0 * CENTRAL_95)
        if origin.distribution == "triangular":
            peak = (self.value - low) / (high - low)
            rising = low + (high - low) * np.sqrt(share * peak)
            falling = high - (high - low) * np.sqrt((1.0 - share) * (1.0 - peak))
            return np.where(share < peak, rising, falling)
        return low + share * (high - low)

    @property
    def ends(self) -> tuple[Any, Any]:
        """Its least and greatest value; of choices the first and the last."""
        origin = self.origin
        if origin.choices is None:
            return origin.low, origin.high
        ordered = origin.choices if isinstance(origin.choices[0], str) else tuple(sorted(origin.choices))
        return ordered[0], ordered[-1]


@dataclass(frozen=True)
class Draws:
    """Cells drawn. reading: index of the reading of each draw, [n]; inputs and outputs: [n] by name.

    An input that a reading sets has that value in its draws. Words are given as the index among the choices.
    """

    readings: tuple[str, ...]
    reading: NDArray[np.int8]
    inputs: Mapping[str, Floats]
    outputs: Mapping[str, Floats]

    @property
    def n(self) -> int:
        """How many."""
        return len(self.reading)


@dataclass(frozen=True)
class Space:
    """The cells that a design may be: one per reading of the prior, each with its quantities that may differ."""

    readings: tuple[str, ...]
    cells: tuple[CellDesign, ...]

    @cached_property
    def spreads(self) -> tuple[Spread, ...]:
        """Every quantity that may differ in some reading, once."""
        found: dict[str, Spread] = {}
        for cell in self.cells:
            for spread in spreads(cell):
                found.setdefault(spread.name, spread)
        return tuple(found.values())

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the rows of `shares` below the first, which chooses the reading."""
        return tuple(spread.name for spread in self.spreads)

    @cached_property
    def _own(self) -> tuple[frozenset[str], ...]:
        """Per reading the names that are not fixed by it."""
        return tuple(frozenset(spread.name for spread in spreads(cell)) for cell in self.cells)

    def cell(self, reading: int, shares: Floats) -> tuple[CellDesign, dict[str, NDArray[Any]]]:
        """A cell of arrays, and what was drawn for it: shares [n_spreads, n], between 0 and 1."""
        drawn = {
            spread.name: spread.at(share)
            for spread, share in zip(self.spreads, shares, strict=True)
            if spread.name in self._own[reading]
        }
        return replaced(self.cells[reading], drawn, checked=False), drawn

    def outputs(self, shares: Floats) -> dict[str, Floats]:
        """Outputs at shares [1 + n_spreads, n]; the first row chooses the reading."""
        which = np.minimum((shares[0] * len(self.cells)).astype(np.int8), len(self.cells) - 1)
        found: dict[str, Floats] = {}
        for reading in range(len(self.cells)):
            here = which == reading
            if here.any():
                cell, _ = self.cell(reading, shares[1:, here])
                for name, value in outputs(bill(cell)).items():
                    found.setdefault(name, np.empty(shares.shape[1]))[here] = value
        return found


def space(design: Design) -> Space:
    """What a design may be: its readings that are drawn from, or the cell as written where there are none.

    >>> from interlith.pouch.design_file import read_design
    >>> space(read_design("reference-pouch")).readings
    ('R1', 'R2', 'R3')
    """
    drawn = [(reading.name, cell) for reading, cell in design.readings if reading.in_prior]
    drawn = drawn or [("as written", design.cell)]
    return Space(tuple(name for name, _ in drawn), tuple(cell for _, cell in drawn))


def spreads(cell: CellDesign) -> tuple[Spread, ...]:
    """The quantities of a cell that may have more than one value."""
    return tuple(Spread(name, value, origin) for name, value, origin in values(cell) if origin.is_spread)


def without_range(cell: CellDesign) -> list[str]:
    """Assumed quantities that have no range, and so take no part in the draws."""
    return [name for name, _, origin in values(cell) if origin.kind == "assumed" and not origin.is_spread]


def outputs(found: Bill) -> dict[str, Any]:
    """What is kept of each draw: specific energy on every basis, as whole_Wh_per_kg and so on, and OUTPUTS."""
    per_kg = {f"{basis}_Wh_per_kg": value for basis, value in found.specific_energy_Wh_per_kg.items()}
    density = found.energy_density_Wh_per_L["body"]
    rest = (found.delivered_Ah, found.energy_Wh, found.mass_g, density)
    return {**per_kg, **dict(zip(OUTPUTS, rest, strict=True))}


def draw(where: Space, n: int = N_DRAWS, seed: int = SEED) -> Draws:
    """n cells, the readings in equal shares. The same seed gives the same bits, whatever n is beyond them.

    Raises InputError for less than one draw per reading.

    >>> from interlith.pouch.design_file import read_design
    >>> found = draw(space(read_design("reference-pouch")), 3000, seed=1)
    >>> 350 < float(np.median(found.outputs["whole_Wh_per_kg"])) < 365
    True
    """
    n_readings = len(where.cells)
    if not 0 <= seed < 2**64:
        raise InputError(f"seed {seed}: a whole number from 0 to 2^64 - 1")
    if n < n_readings:
        raise InputError(f"{n} samples: at least {n_readings}, one for each reading")
    kept: dict[str, NDArray[np.float32]] = {name: np.empty(n, dtype=np.float32) for name in where.names}
    found: dict[str, Floats] = {}
    reading = (np.arange(n) % n_readings).astype(np.int8)
    for number, part in enumerate(_chunks(n)):
        rng = np.random.Generator(np.random.Philox(key=np.array([seed, number], dtype=np.uint64)))
        shares = rng.random((len(where.spreads), CHUNK))
        for index in range(n_readings):
            first = (index - part.start) % n_readings
            there = slice(part.start + first, part.stop, n_readings)
            if there.start >= part.stop:
                continue
            cell, drawn = where.cell(index, shares[:, first : part.stop - part.start : n_readings])
            for name, value in outputs(bill(cell)).items():
                found.setdefault(name, np.empty(n))[there] = value
            for spread in where.spreads:
                kept[spread.name][there] = _as_number(spread, drawn.get(spread.name), where.cells[index])
    return Draws(where.readings, reading, kept, found)  # type: ignore[arg-type]


def _chunks(n: int) -> Iterator[slice]:
    return (slice(start, min(start + CHUNK, n)) for start in range(0, n, CHUNK))


def _as_number(spread: Spread, drawn: NDArray[Any] | None, cell: CellDesign) -> Any:
    """Drawn values as numbers; where nothing was drawn, the value that the reading has."""
    value = _value(cell, spread.name) if drawn is None else drawn
    choices = spread.origin.choices
    if choices is not None and isinstance(choices[0], str):
        known = [*choices, *({value} - set(choices) if isinstance(value, str) else ())]
        return sum(np.where(value == name, i, 0) for i, name in enumerate(known))
    return value


def _value(cell: CellDesign, wanted: str) -> Any:
    return next((value for name, value, _ in values(cell) if name == wanted), np.nan)


@dataclass(frozen=True)
class Summary:
    """Draws in a few numbers, of one output: median, 5th and 95th percentile, mean and standard deviation."""

    median: float
    p5: float
    p95: float
    mean: float
    standard_deviation: float


def summary(values_drawn: Floats) -> Summary:
    """Median, percentiles, mean and standard deviation of draws.

    >>> summary(np.array([1.0, 2.0, 3.0])).median
    2.0
    """
    p5, median, p95 = np.percentile(values_drawn, [5, 50, 95])
    return Summary(float(median), float(p5), float(p95), float(values_drawn.mean()), float(values_drawn.std()))
