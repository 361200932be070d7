"""Which of the uncertain quantities decide the specific energy: each alone, and all together (Sobol)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import sobol_indices, uniform

from interlith.parts.listing import replaced
from interlith.pouch.bill import bill
from interlith.pouch.uncertainty import READING, SEED, Space, spreads

Floats = NDArray[np.float64]
N_SOBOL = 2**11  # samples per index: errors of an index about 0.01


@dataclass(frozen=True)
class Swing:
    """What one quantity does to the specific energy of the whole cell, in Wh/kg.

    low, high: its ends, with all else as written. first_order, total_order: its share of the variance alone and with
    all it acts together with (Sobol, all quantities drawn); None where that was not asked.
    """

    name: str
    low: str
    high: str
    at_low_Wh_per_kg: float
    at_high_Wh_per_kg: float
    first_order: float | None = None
    total_order: float | None = None

    @property
    def swing_Wh_per_kg(self) -> float:
        """Between both ends, without sign."""
        return abs(self.at_high_Wh_per_kg - self.at_low_Wh_per_kg)


def sensitivity(where: Space, n_sobol: int = N_SOBOL, seed: int = SEED) -> tuple[Swing, ...]:
    """Every uncertain quantity, the one that swings most first; n_sobol = 0 leaves the Sobol indices out.

    The quantities of the first reading are swung; the reading itself between those of its readings that give least and
    most. Sobol indices after Saltelli et al., Comput. Phys. Commun. 181, 259 (2010), doi:10.1016/j.cpc.2009.09.018, as
    scipy.stats.sobol_indices has them; n_sobol a power of 2.

    >>> from interlith.pouch.design_file import read_design
    >>> from interlith.pouch.uncertainty import space
    >>> sensitivity(space(read_design("reference-pouch")), n_sobol=0)[0].name
    'materials.ncm90.specific_capacity_mAh_per_g'
    """
    shares = _sobol(where, n_sobol, seed) if n_sobol else {}
    cell = where.cells[0]
    found = []
    for spread in spreads(cell):
        ends = spread.ends
        low, high = (_whole(replaced(cell, {spread.name: end}, checked=False)) for end in ends)
        found.append(Swing(spread.name, _shown(ends[0]), _shown(ends[1]), low, high, *shares.get(spread.name, ())))
    if len(where.cells) > 1:
        each = sorted((_whole(held), name) for held, name in zip(where.cells, where.readings, strict=True))
        (least, low_name), (most, high_name) = each[0], each[-1]
        found.append(Swing(READING, low_name, high_name, least, most, *shares.get(READING, ())))
    return tuple(sorted(found, key=lambda swing: -swing.swing_Wh_per_kg))


def _whole(cell: Any) -> float:
    return float(bill(cell).specific_energy_Wh_per_kg["whole"])


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else f"{value:g}"


def _sobol(where: Space, n: int, seed: int) -> dict[str, tuple[float, float]]:
    """First and total order of every quantity, by name."""
    several = len(where.cells) > 1
    names = (READING, *where.names) if several else where.names
    if not names:
        return {}

    def energies(shares: Floats) -> Floats:
        rows = shares if several else np.vstack([np.zeros(shares.shape[1]), shares])
        return where.outputs(rows)["whole_Wh_per_kg"][None, :]

    found = sobol_indices(func=energies, n=n, dists=[uniform(0.0, 1.0)] * len(names), rng=seed)
    first, total = np.ravel(found.first_order), np.ravel(found.total_order)
    return {name: (float(a), float(b)) for name, a, b in zip(names, first, total, strict=True)}
