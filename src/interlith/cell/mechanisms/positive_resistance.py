"""How the resistance of a positive electrode grows with what has passed through it.

    R = r n        n = throughput / (2 Q)

n: equivalent full cycles, Q: the electrode's capacity per area. That such resistance grows is common knowledge of
nickel-rich electrodes; the linear law and r are assumed, and r is 0 as shipped: fade that is not loss of lithium is
only there when it is asked for. Switched off by r = 0.
"""

from __future__ import annotations

from interlith.cell.compiled import compiled


@compiled
def grown_ohm_m2(throughput_C_per_m2: float, per_C: float) -> float:
    """Resistance grown, ohm m2; per_C: growth for each C/m2 passed."""
    return per_C * throughput_C_per_m2
