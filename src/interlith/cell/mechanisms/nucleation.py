"""How much extra voltage the first lithium needs on a surface that is not lithium.

    barrier = eta_nuc (1 - theta)    theta = 1 - exp(-q / q_nuc)    d = -u - barrier    drive = d^2 / (d + r barrier)

q is the lithium of the electrode, q_nuc the charge that covers the nuclei's share of its surface. Nuclei are taken to
form at all depths in the first dip of the voltage, assumed: a barrier that fell with the lithium of each depth alone
would let the first depth take all, in a front as sharp as the mesh. The barrier is a property of the surface: about
40 mV on copper, little on zinc (Yan et al., Nat. Energy 1, 16010 (2016)); shipped as assumed. The onset of plating is
rounded over r = 2 % of the barrier: nuclei are not all alike, and a kink costs the integrator thousands of steps.
Switched off by a barrier of 0.
"""

from __future__ import annotations

import numpy as np

from interlith.cell.compiled import compiled
from interlith.cell.mechanisms.kinetics import WHOLE

ROUNDED = 0.02


@compiled
def barrier_V(lithium_C_per_m2: float, nucleation_V: float, nucleation_C_per_m2: float) -> float:
    """Voltage that plating needs beyond its overpotential."""
    if nucleation_V == 0.0:
        return 0.0
    part = max(lithium_C_per_m2, 0.0) / nucleation_C_per_m2
    return 0.0 if part > WHOLE else nucleation_V * np.exp(-part)


@compiled
def beyond_barrier_V(potential_V: float, barrier: float) -> float:
    """What drives plating at a potential against the electrolyte; not above 0 before the barrier is reached."""
    over = -potential_V - barrier
    if over <= 0.0 or barrier == 0.0:
        return over
    return over * over / (over + ROUNDED * barrier)
