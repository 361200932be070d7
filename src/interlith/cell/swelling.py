"""How thick a host is with its lithium: what the model says, and what a rival would that thickness alone cannot refute.

    porous_cap          L = L0 + s v q_pores + v q_top / (1 - eps)      the model: pores fill, the top is porous
    swelling_network    L = L0 + s' v (q_pores + q_top)                 the network stretches with all of it

v = 4.85 um per mAh/cm2 of dense lithium; s is the host's `swelling`, 0 as shipped. eps and s' are calibrated to the
thickness at 5 mAh/cm2, 80.6 um (CP) and 43.8 um (CP@ZnO(002)) of Shen et al., Nat. Commun. (2025),
doi:10.1038/s41467-025-60609-4. A third rival, lithium beside empty pores with a porosity of its own, is the line of the
second with s' = 1 / (1 - porosity), and impossible where s' < 1. The held-out 20.1 um of CP@ZnO(002) at 1 mAh/cm2 parts
them: the swelling network gives 24.2.
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
    host = surface if isinstance(surface, Host) else None
    bare, stretching = (host.thickness_um, host.swelling) if host else (0.0, 0.0)
    dense = 1.0 / LITHIUM_mAh_PER_CM2_PER_UM
    found = {"porous_cap": bare + stretching * pores * dense + top * dense / (1.0 - surface.cap_porosity)}
    share = swelling_for_thickness(host) if host else None
    if share is not None:
        found["swelling_network"] = bare + share * (pores + top) * dense
    return found


def swelling_for_thickness(host: Host) -> float | None:
    """s' that gives the measured thickness at 5 mAh/cm2 alone; None without a measurement.

    >>> from interlith.parts.samples import sample
    >>> [round(swelling_for_thickness(sample(name)), 2) for name in ("cp", "cp-zno-002")]
    [2.5, 0.98]
    """
    if host.thickness_at_5_mAh_per_cm2_um is None:
        return None
    grown = host.thickness_at_5_mAh_per_cm2_um - host.thickness_um
    return grown * LITHIUM_mAh_PER_CM2_PER_UM / CALIBRATED_AT_mAh_PER_CM2
