"""How fast a network that touches dead lithium makes it active again.

    dR/dt = k D

D is the dead lithium that the network reaches (in the pores; on top only where the part says so), k a rate. That dead
lithium can be recovered: Liu et al., Nature 600, 659 (2021), by polarization. The first-order law is assumed and k is
calibrated, never predicted. Switched off by k = 0.
"""

from __future__ import annotations

from interlith.cell.compiled import compiled


@compiled
def revived_A_per_m2(dead_C_per_m2: float, rate_per_s: float) -> float:
    """Current equivalent of the dead lithium that becomes active again."""
    return rate_per_s * dead_C_per_m2
