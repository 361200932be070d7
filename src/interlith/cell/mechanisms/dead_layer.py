"""What a layer of dead lithium on top costs: an ohmic drop, and a salt gradient that limits plating.

    L = D_top v / (1 - eps)    R = L tau / (kappa eps)    i_lim = F c D eps / (tau L (1 - t+))
    drop = R i + G ln(1 + i / i_lim)        i > 0 strips: salt piles up under the layer; i < 0 plates: it runs out

v: volume per charge of lithium; c: salt before the layer, which is open to the electrolyte on that side (between two
electrodes, where the salt is shut in, the limit would be twice that). G as in cell/resolved.py. It makes voltages arc:
Chen et al., J. Mater. Chem. A 5, 11671 (2017) for the picture; eps and tau of the layer are assumed. Switched off by
both factors 0.
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
    share = max(current_A_per_m2 * per_limit * dead, -MOST)
    return current_A_per_m2 * ohm_m2_per_C * dead + gradient_V * np.log(1.0 + share)
