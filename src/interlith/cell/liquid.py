"""The electrolyte as the kernel reads it: its four properties at one temperature as cubics over concentration."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from interlith.cell.resolved import Liquid
from interlith.parts.electrolyte import Electrolyte
from interlith.units import FARADAY_C_PER_MOL, GAS_CONSTANT_J_PER_MOL_K, MOL_PER_M3_PER_MOL_PER_L

N_INTERVALS = 400
HEADROOM = 1.5  # the table goes at least so far beyond the salt as filled in


def most_salt_mol_per_m3(known: Electrolyte) -> float:
    """Up to where all four correlations are vouched for, or half beyond the salt as filled in if that is more."""
    four = (known.conductivity, known.diffusivity, known.transference, known.activity)
    vouched = min(correlation.valid_mol_per_L[1] for correlation in four)
    return max(vouched * MOL_PER_M3_PER_MOL_PER_L, HEADROOM * known.salt_mol_per_m3)


def properties(known: Electrolyte, c_mol_per_m3: NDArray[np.float64], kelvin: float) -> NDArray[np.float64]:
    """kappa, D, 1 - t+ and G = 2 R T / F (1 - t+)(1 + dln f / dln c): float64[4, n]."""
    anions = 1.0 - known.transference_number(c_mol_per_m3, kelvin)
    thermal_V = GAS_CONSTANT_J_PER_MOL_K * kelvin / FARADAY_C_PER_MOL
    gradient = 2.0 * thermal_V * anions * known.thermodynamic_factor(c_mol_per_m3, kelvin)
    kappa = known.conductivity_S_per_m(c_mol_per_m3, kelvin)
    return np.stack([kappa, known.diffusivity_m2_per_s(c_mol_per_m3, kelvin), anions, gradient])


def liquid(known: Electrolyte, kelvin: float) -> Liquid:
    """Cubics through the values and their slopes by central differences, in each of equal intervals.

    Raises InputError where a correlation leaves physical sense.

    >>> from interlith.cell.resolved import liquid_at
    >>> from interlith.parts.electrolyte import electrolyte
    >>> known = electrolyte("lipf6-ec-dmc-vc")
    >>> table = liquid(known, 298.15)
    >>> bool(abs(liquid_at(table, 777.7)[0] - known.conductivity_S_per_m(777.7, 298.15)) < 1e-6)
    True
    """
    c = np.linspace(0.0, most_salt_mol_per_m3(known), N_INTERVALS + 1)
    return Liquid(cubics(properties(known, c, kelvin)), float(c[1]), known.salt_mol_per_m3)


def cubics(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Through values at equal distances, with slopes by central differences: float64[m, n + 1] -> float64[m, n, 4].

    In each interval p0 + p1 s + p2 s^2 + p3 s^3, s from 0 to 1.

    >>> cubics(np.array([[0.0, 1.0, 4.0, 9.0]]))[0, 1].tolist()
    [1.0, 2.0, 1.0, 0.0]
    """
    slopes = np.gradient(values, axis=1, edge_order=2)
    p, q, a, b = values[:, :-1], values[:, 1:], slopes[:, :-1], slopes[:, 1:]
    return np.ascontiguousarray(np.stack([p, a, 3.0 * (q - p) - 2.0 * a - b, 2.0 * (p - q) + a + b], axis=-1))
