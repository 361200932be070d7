"""How fast lithium plates and strips at an overpotential, in the one-sided form.

    strip = a j0 f_s 2 sinh(f u / 2) for u > 0        plate = a j0 f_p 2 sinh(f d / 2) for d = -u - barrier > 0

u is the potential of the surface against the electrolyte beside it, f = F/RT, a the real area per geometric area. With
f_s = f_p = 1 and no barrier their difference is Butler-Volmer with both transfer coefficients 1/2. One-sided, because
with separate availabilities the two-sided form lets lithium run in a circle between surfaces and die on the way.
Exchange current density: Xu et al., J. Electrochem. Soc. 166, A3456 (2019); it goes with the salt at the surface as
c^0.3, where the salt is followed.
"""

from __future__ import annotations

import numpy as np

from interlith.cell.compiled import compiled

MOST_A_PER_M2 = 1e4
SALT_EXPONENT = 0.3
WHOLE = 40.0  # exp(-40) is nothing beside 1 in a double
STEEPEST = 200.0  # exponent beyond which a double overflows in products; 10 V at 25 C


@compiled
def one_sided(drive_V: float, f_per_V: float, exchange_A_per_m2: float) -> float:
    """Current density of a surface, A/m2, driven by so many volts in one direction; 0 when driven in the other."""
    if drive_V <= 0.0:
        return 0.0
    grown = np.exp(min(f_per_V * drive_V / 2.0, STEEPEST))
    return exchange_A_per_m2 * (grown - 1.0 / grown)  # 2 sinh, in half of its time


@compiled
def limited(current_A_per_m2: float) -> float:
    """A current density of real surface, kept below 1 A/cm2: 1 / (1 / i + 1 / i_most).

    A guard for the solver, not a mechanism: at the currents of cells it changes the overpotential by less than 0.1 %.
    Without it a surface from which the last lithium is taken at 1 V would have to be followed through twenty powers of
    ten, in steps of 30 mV.
    """
    return current_A_per_m2 / (1.0 + current_A_per_m2 / MOST_A_PER_M2)


@compiled
def left(charge_C_per_m2: float, scale_C_per_m2: float) -> float:
    """Share of a surface that still takes part when so much charge, or room for it, is left: 1 - exp(-q / scale).

    Below zero, where only rounding leads, it goes on as a straight line: a kink at zero would cost the integrator
    hundreds of steps wherever lithium is stripped as fast as it is revived.
    """
    part = charge_C_per_m2 / scale_C_per_m2
    if part > WHOLE:
        return 1.0
    return part if part < 0.0 else 1.0 - np.exp(-part)
