"""How much void is left in a host as lithium fills its pores, and how far its network stretches.

    room = Q - (1 - s) q        F = eps0 (1 - (1 - s) q / Q)        g = 1 + s eps0 q / Q        eps = F / g

Q: dense lithium that fills the pores as made, q: what lies in them, F: free volume over the volume as made, g: width
over that as made, eps: void fraction. Volumes add up: F + lithium + fibres = g. s is the share of the lithium's volume
by which the network stretches: 0 rigid, 1 its free volume is kept, above 1 it opens more. No measurement of s is known
to us; one thickness cannot part it from a porous cap (cell/swelling.py). Switched off by s = 0.
"""

from __future__ import annotations

from interlith.cell.compiled import compiled

FILM = 0.01  # of the void that conducts even where lithium fills it: assumed, a guard more than a mechanism


@compiled
def room_C_per_m2(held_C_per_m2: float, capacity_C_per_m2: float, stretching: float) -> float:
    """Lithium that still finds room in the pores; all in C/m2."""
    return capacity_C_per_m2 - (1.0 - stretching) * held_C_per_m2


@compiled
def free_share(held_C_per_m2: float, capacity_C_per_m2: float, stretching: float) -> float:
    """Free volume over that of the pores as made; not below a film that is always left."""
    left = max(room_C_per_m2(held_C_per_m2, capacity_C_per_m2, stretching) / capacity_C_per_m2, 0.0)
    return FILM + (1.0 - FILM) * left


@compiled
def widened(held_C_per_m2: float, capacity_C_per_m2: float, stretching: float, porosity: float) -> float:
    """Width over that as made."""
    return 1.0 + stretching * porosity * max(held_C_per_m2, 0.0) / capacity_C_per_m2
