"""What a layer of dead lithium on top costs: an ohmic drop, and a salt gradient that ends in a limiting current.

    L = D_top v / (1 - eps)    R = L tau / (kappa eps)    i_lim = 2 F c D eps / (tau L (1 - t+))
    drop = R |i| + (2 R_gas T / F)(1 - t+) ln(1 / (1 - |i| / i_lim))

v: volume per charge of lithium. It makes voltages arc and strips end early: Chen et al., J. Mater. Chem. A 5, 11671
(2017) for the picture; eps and tau of the layer are assumed. Switched off by both factors 0.
"""

from __future__ import annotations

import numpy as np

from interlith.cell.compiled import compiled

MOST = 1.0 - 1e-9  # of the limiting current: beyond it no steady gradient exists, and the voltage leaves any window


@compiled
def drop_V(
    current_A_per_m2: float, dead_C_per_m2: float, ohm_m2_per_C: float, per_limit: float, gradient_V: float
) -> float:
    """Voltage lost in the layer, with the sign of the current. per_limit: 1 / i_lim for each C/m2, m2/A."""
    dead = max(dead_C_per_m2, 0.0)
    share = min(abs(current_A_per_m2) * per_limit * dead, MOST)
    size = abs(current_A_per_m2) * ohm_m2_per_C * dead - gradient_V * np.log(1.0 - share)
    return size if current_A_per_m2 > 0.0 else -size
