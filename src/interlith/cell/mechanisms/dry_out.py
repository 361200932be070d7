"""How much of the pores is still wet when electrolyte is used up for SEI.

    w = min(1, (V - v S) / V_pores)

V: electrolyte filled in, V_pores: pores of all layers as made, S: charge of SEI formed on both sides, v: volume of
electrolyte that each mAh of SEI takes with it. Transport goes with w^1.5, the wetted surface of the positive with w.
The law and v are assumed, and v is 0 as shipped. Switched off by v = 0.
"""

from __future__ import annotations

from interlith.cell.compiled import compiled

LEAST = 0.02


@compiled
def wet_share(sei_C_per_m2: float, filled: float, per_C: float) -> float:
    """Wet share of the pores. filled: V / V_pores; per_C: v / V_pores for each C/m2 of SEI; 0: not followed."""
    if per_C == 0.0:
        return 1.0
    return min(1.0, max(filled - per_C * sei_C_per_m2, LEAST))
