"""How well lithium that has grown through the separator conducts.

    1 / R = exp((q - q_crit) / q_0) / R_0

q is the active lithium on top of both electrodes: strip it and the short heals. Soft shorts, and that a steady trace
may be one: Menkin et al., Faraday Discuss. 248, 277 (2024). The law and its three numbers are assumed; off unless a
conductance 1 / R_0 is given.
"""

from __future__ import annotations

import numpy as np

from interlith.cell.compiled import compiled

STEEPEST = 30.0


@compiled
def conductance_S_per_m2(top_C_per_m2: float, at_onset: float, onset_C_per_m2: float, scale_C_per_m2: float) -> float:
    """Conductance of the short per area; at_onset in S/m2."""
    if at_onset == 0.0:
        return 0.0
    return at_onset * np.exp(min((top_C_per_m2 - onset_C_per_m2) / scale_C_per_m2, STEEPEST))
