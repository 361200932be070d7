"""What the oxide on the host takes: conversion near 0.5 V for good, alloying near 0.2 V and back.

    ZnO + 2 Li+ + 2 e- -> Zn + Li2O        dZ/dt = (Z_max - Z) / tau (1 - exp(-f (0.5 V - u)))    u < 0.5 V
    Zn + Li+ + e- <-> LiZn                 dA/dt = (Z / 2 - A) / tau (1 - exp(-f (0.2 V - u)))    u < 0.2 V
                                           dA/dt = -A / tau (1 - exp(-f (u - 0.2 V)))             u > 0.2 V

A bounded rate with time constant tau, so the potential rests on a plateau as long as the current asks for less. The
plateaus are those of Shen et al., Nat. Commun. (2025), doi:10.1038/s41467-025-60609-4; tau is assumed. Only converted
zinc alloys: one electron for each two of conversion. Switched off by Z_max = 0.
"""

from __future__ import annotations

import numpy as np

from interlith.cell.compiled import compiled


@compiled
def _driven(drive_V: float, f_per_V: float) -> float:
    return 1.0 - np.exp(-f_per_V * drive_V) if drive_V > 0.0 else 0.0


@compiled
def converting_A_per_m2(
    u_V: float, converted: float, all_oxide: float, plateau_V: float, time_s: float, f_per_V: float
) -> float:
    """Current that oxide takes for conversion; both charges in C/m2."""
    return (all_oxide - converted) / time_s * _driven(plateau_V - u_V, f_per_V)


@compiled
def alloying_A_per_m2(
    u_V: float, alloyed: float, converted: float, plateau_V: float, time_s: float, f_per_V: float
) -> float:
    """Current that zinc takes for alloying, negative when the alloy gives it back; both charges in C/m2."""
    taken = (converted / 2.0 - alloyed) * _driven(plateau_V - u_V, f_per_V)
    return (taken - alloyed * _driven(u_V - plateau_V, f_per_V)) / time_s
