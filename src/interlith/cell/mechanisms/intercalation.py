"""How fast lithium leaves or enters the particles of a positive electrode.

    j = A j0 2 sinh(f (u - U(x)) / 2)        j0 = k (c / c_ref)^a x^b (1 - x)^d

u: potential of the electrode against the electrolyte beside it, U: open-circuit potential at the particles' surface, x:
stoichiometry there, c: salt, A: particle surface per geometric area. Positive when lithium leaves. Both transfer
coefficients are 1/2. Named parameter sets differ in k, a, b, d (parts/positives.toml). Not a mechanism to be switched
off.
"""

from __future__ import annotations

import numpy as np

from interlith.cell.compiled import compiled

STEEPEST = 100.0  # exponent beyond which a current density means nothing, and a double may overflow in products
LEAST = 1e-9  # of all sites, filled or empty: beyond it a power of nothing would be asked for


@compiled
def exchange_share(stoichiometry: float, lithium: float, vacant: float) -> float:
    """x^b (1 - x)^d."""
    x = min(max(stoichiometry, LEAST), 1.0 - LEAST)
    if lithium == 0.5 and vacant == 0.5:
        return np.sqrt(x * (1.0 - x))
    return x**lithium * (1.0 - x) ** vacant


@compiled
def leaving_A_per_m2(over_V: float, f_per_V: float, exchange_A_per_m2: float) -> float:
    """Current density at which lithium leaves, driven by so many volts beyond the open-circuit potential."""
    grown = np.exp(min(max(f_per_V * over_V / 2.0, -STEEPEST), STEEPEST))
    return exchange_A_per_m2 * (grown - 1.0 / grown)
