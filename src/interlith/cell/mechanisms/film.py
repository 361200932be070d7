"""How a resistive film on lithium, its SEI, slows what goes through it.

    j = k d / (1 + k R)        k = j_k(d) / d

d drives the surface through film and kinetics together, j_k is what the kinetics alone would give at d, R the film's
resistance for each real area. Two chord conductances in series: exact for linear kinetics and for a film that takes
nearly all of d. Where both share a large d it gives too much, since the kinetics are then less driven than their chord
says: with equal chords 6 % at d = 2 R T / F, 18 % at 4, 47 % at 10, against the true j = j_k(d - R j). The film has no
capacitance of its own: film and charge transfer make one arc, not two. It is the same for plating and stripping, and
it does not grow. R is assumed, and left out of the shipped sets. Switched off by R = 0.
"""

from __future__ import annotations

from interlith.cell.compiled import compiled


@compiled
def through_film(current_A_per_m2: float, drive_V: float, film_ohm_m2: float) -> float:
    """Current density of real surface behind a film, A/m2, from that of the bare surface at the same drive."""
    if current_A_per_m2 <= 0.0:
        return 0.0
    return current_A_per_m2 / (1.0 + film_ohm_m2 * current_A_per_m2 / drive_V)
