"""How much extra voltage the first lithium needs on a surface that is not lithium.

    barrier = eta_nuc (1 - theta)        theta = 1 - exp(-q / q_nuc)

q is the lithium lying there, q_nuc the charge that covers the nuclei's share of the surface. The barrier is a property
of the surface: about 40 mV on copper, little on zinc (Yan et al., Nat. Energy 1, 16010 (2016)); shipped as assumed.
Switched off by a barrier of 0.
"""

from __future__ import annotations

import numpy as np

from interlith.cell.compiled import compiled
from interlith.cell.mechanisms.kinetics import WHOLE


@compiled
def barrier_V(lithium_C_per_m2: float, nucleation_V: float, nucleation_C_per_m2: float) -> float:
    """Voltage that plating needs beyond its overpotential."""
    part = max(lithium_C_per_m2, 0.0) / nucleation_C_per_m2
    return 0.0 if part > WHOLE else nucleation_V * np.exp(-part)
