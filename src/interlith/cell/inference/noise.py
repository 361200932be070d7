"""How well a tester and a row of equal cells know a quantity: one table of assumed values with ranges.

All are one standard deviation. "common": the same for all cells, the tester's or the chemistry's, so that more cells
do not help. "cell": each cell has its own, so that n cells know it sqrt(n) times better. None was measured here; change
them and see.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from interlith.errors import InputError, did_you_mean

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Source:
    """One source of error: value and range, unit, whether it is the tester's or the cell's, why that value."""

    name: str
    value: float
    low: float
    high: float
    unit: str
    of: str
    why: str


SOURCES: tuple[Source, ...] = (
    Source(
        "current_offset",
        2e-4,
        5e-5,
        1e-3,
        "of range",
        "common",
        "assumed: testers state 0.01 to 0.1 % as a limit (k = 2)",
    ),
    Source("current_range_mA", 5.0, 1.0, 10.0, "mA", "common", "assumed: a channel for coin cells"),
    Source(
        "gain_difference",
        1e-4,
        2e-5,
        5e-4,
        "1",
        "common",
        "assumed: stripped against plated charge, for each stripping current its own",
    ),
    Source("charge_repeatability", 1e-4, 2e-5, 5e-4, "1", "cell", "assumed: one charge measured twice"),
    Source("voltage_mV", 1.0, 0.2, 5.0, "mV", "common", "assumed: 0.02 % of 5 V"),
    Source("thickness_um", 1.0, 0.5, 3.0, "um", "cell", "assumed: a cross-section read at one place"),
    Source("loss_spread", 0.2, 0.1, 0.5, "of 1 - CE", "cell", "assumed: equal coin cells, all losses of a cell alike"),
    Source("loss_scatter", 0.05, 0.02, 0.2, "of 1 - CE", "cell", "assumed: from cycle to cycle of one cell"),
    Source("recovery_spread", 0.3, 0.1, 0.6, "of it", "cell", "assumed: charge after a rest, equal coin cells"),
    Source(
        "recovery_background_mAh_per_cm2",
        5e-4,
        1e-4,
        2e-3,
        "mAh/cm2",
        "common",
        "assumed: charge after a rest for other reasons (salt that evens out, films) that the model lacks",
    ),
    Source("size_spread", 0.1, 0.05, 0.2, "of it", "cell", "assumed: overpotential, resistance, growth of equal cells"),
    Source("impedance_gain", 0.01, 0.003, 0.03, "1", "common", "assumed: impedance of a potentiostat"),
)
NAMES = tuple(source.name for source in SOURCES)


@dataclass(frozen=True)
class Noise:
    """The values in use, by name; `source` of each in SOURCES.

    >>> Noise()["loss_spread"]
    0.2
    """

    values: Mapping[str, float] | None = None

    def __getitem__(self, name: str) -> float:
        """The value of one source."""
        return (self.values or {}).get(name, _BY_NAME[name].value)

    def with_values(self, **values: float) -> Noise:
        """The same with some values stated. Raises InputError for names that are none and values below 0."""
        for name, value in values.items():
            if name not in _BY_NAME:
                hint = did_you_mean(name, NAMES)
                raise InputError(f"noise.{name}: not a source of error; these are: {', '.join(NAMES)}.{hint}")
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < float("inf"):
                raise InputError(f"noise.{name} = {value}: must be a number, 0 or above")
        return replace(self, values={**(self.values or {}), **values})

    def table(self) -> list[dict[str, object]]:
        """One row per source: name, value, low, high, unit, of, kind, source."""
        stated = self.values or {}
        return [
            {
                "name": s.name,
                "value": self[s.name],
                "low": s.low,
                "high": s.high,
                "unit": s.unit,
                "of": s.of,
                "kind": "stated" if s.name in stated else "assumed",
                "source": "stated by the user" if s.name in stated else s.why,
            }
            for s in SOURCES
        ]


_BY_NAME = {source.name: source for source in SOURCES}


@dataclass(frozen=True)
class Errors:
    """Independent sources of error of a vector of m values, one per column: common float[m, k], cell float[m, l].

    The covariance of the mean of n cells is common common' + cell cell' / n.
    """

    common: Floats
    cell: Floats

    def covariance(self, n_cells: float = 1.0) -> Floats:
        """float[m, m]. n_cells may be infinite: then what no number of cells removes."""
        return self.common @ self.common.T + self.cell @ self.cell.T / n_cells

    def sigma(self) -> Floats:
        """Standard deviation of each value of one cell."""
        return np.sqrt(np.diag(self.covariance()))


Sources = Iterable[Floats | float]


def errors(
    n_values: int, common: Sources, cell: Sources, each: Floats | float, common_each: Floats | float = 0.0
) -> Errors:
    """From single sources: common and cell, each a vector or one number for all values; `each`: own to every value.

    common_each: own to every value, and the same for all cells.
    """

    def columns(sources: Sources) -> list[Floats]:
        return [np.broadcast_to(np.asarray(s, float), (n_values,)).reshape(-1, 1) for s in sources]

    def diagonal(size: Floats | float) -> Floats:
        return np.diag(np.broadcast_to(np.asarray(size, float), (n_values,)))

    return Errors(np.hstack([diagonal(common_each), *columns(common)]), np.hstack([diagonal(each), *columns(cell)]))


def stacked(parts: Iterable[Errors]) -> Errors:
    """Of several vectors one behind the other, measured on cells and testers that have nothing in common."""
    found = list(parts)

    def blocks(arrays: list[Floats]) -> Floats:
        whole = np.zeros((sum(a.shape[0] for a in arrays), sum(a.shape[1] for a in arrays)))
        row = column = 0
        for a in arrays:
            whole[row : row + a.shape[0], column : column + a.shape[1]] = a
            row, column = row + a.shape[0], column + a.shape[1]
        return whole

    return Errors(blocks([e.common for e in found]), blocks([e.cell for e in found]))
