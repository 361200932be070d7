"""How thick a host is with its lithium, by three rivals that the measured thicknesses cannot decide between.

    porous-cap         pores fill first; what lies on top is porous        L = L0 + q_top v / (1 - eps)
    swelling-network   the network stretches for what its pores cannot hold, its void kept     the same L, other places
    beside-pores       pores stay empty, all lithium lies on top           L = L0 + (q_pores + q_top) v / (1 - eps')

v = 4.85 um per mAh/cm2 of dense lithium. eps is calibrated to 80.6 um (CP) and 43.8 um (CP@ZnO(002)) at 5 mAh/cm2 of
Shen et al., Nat. Commun. (2025), doi:10.1038/s41467-025-60609-4. A rival that needs a porosity below 0 is ruled out.
The first two give one thickness for all lumped amounts and part only in a resolved host: one column stands for both.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from interlith.parts.cell import Collector, Foil, Host
from interlith.units import LITHIUM_mAh_PER_CM2_PER_UM

CALIBRATED_AT_mAh_PER_CM2 = 5.0


def thickness_um(
    working: Host | Collector | Foil, pores: NDArray[np.float64], top: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    """Thickness by rival, float64[n], from the metal in pores and on top in mAh/cm2, float64[n] each.

    >>> from interlith.parts.samples import sample
    >>> host = sample("cp")
    >>> found = thickness_um(host, np.array([host.pore_capacity_mAh_per_cm2]), np.array([0.0]))
    >>> float(found["porous_cap"][0])
    20.0
    """
    surface = working.interlayer if isinstance(working, Foil) and working.interlayer else working
    bare = surface.thickness_um if isinstance(surface, Host) else 0.0
    dense = 1.0 / LITHIUM_mAh_PER_CM2_PER_UM
    cap = bare + top * dense / (1.0 - surface.cap_porosity)
    found = {"porous_cap": cap}
    if isinstance(surface, Host):
        beside = beside_porosity(surface)
        if beside is not None:
            found["beside_pores"] = bare + (pores + top) * dense / (1.0 - beside)
    return found


def beside_porosity(host: Host) -> float | None:
    """Porosity that lithium beside empty pores would need for the measured thickness; None: impossible, or none.

    >>> from interlith.parts.samples import sample
    >>> beside_porosity(sample("cp-zno-002")) is None
    True
    """
    if host.thickness_at_5_mAh_per_cm2_um is None:
        return None
    grown = host.thickness_at_5_mAh_per_cm2_um - host.thickness_um
    porosity = 1.0 - CALIBRATED_AT_mAh_PER_CM2 / LITHIUM_mAh_PER_CM2_PER_UM / grown
    return porosity if porosity >= 0 else None
