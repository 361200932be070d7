"""How much void is left in a host as lithium fills its pores, and how far its network stretches.

    room = Q - (1 - s) q        F = eps0 (w + (1 - w) room / Q)        g = 1 + s eps0 q / Q        eps = F / g

Q: dense lithium that fills the pores as made, q: what lies in them, F: free volume over the volume as made, g: width
over that as made, eps: void fraction. Volumes add up, but for w: F + lithium + fibres = g. w is what stays wet and
conducts where the pores are full; assumed, and with s it decides how much a clogged host puts on top. s is the share of
the lithium's volume by which the network stretches: 0 rigid, 1 its free volume is kept, above 1 it opens more. No
measurement of s is known to us; one thickness cannot part it from a porous cap (cell/swelling.py). Switched off by
s = 0.
"""

from __future__ import annotations

from interlith.cell.compiled import compiled


@compiled
def room_C_per_m2(held_C_per_m2: float, capacity_C_per_m2: float, stretching: float) -> float:
    """Lithium that still finds room in the pores; all in C/m2."""
    return capacity_C_per_m2 - (1.0 - stretching) * held_C_per_m2


@compiled
def free_share(held_C_per_m2: float, capacity_C_per_m2: float, stretching: float, wet: float) -> float:
    """Free volume over that of the pores as made; not below what always stays wet."""
    left = max(room_C_per_m2(held_C_per_m2, capacity_C_per_m2, stretching) / capacity_C_per_m2, 0.0)
    return wet + (1.0 - wet) * left


@compiled
def widened(held_C_per_m2: float, capacity_C_per_m2: float, stretching: float, porosity: float) -> float:
    """Width over that as made."""
    return 1.0 + stretching * porosity * max(held_C_per_m2, 0.0) / capacity_C_per_m2
