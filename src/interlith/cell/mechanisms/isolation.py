"""How much lithium loses contact for each that is stripped.

    chi = chi_ref (|i_strip| / i_ref)^-n

Isolated lithium forms less at higher stripping current density: Werres et al., ACS Nano 17, 10218 (2023),
doi:10.1021/acsnano.3c00329, theory and cryo-TEM. They give the direction, not this power law: its form and n are
assumed. i_ref = 1 mA/cm2. Below 1 % of it the law is cut off. Switched off by chi_ref = 0.
"""

from __future__ import annotations

from interlith.cell.compiled import compiled

REFERENCE_A_PER_M2 = 10.0
SLOWEST = 0.01


@compiled
def isolated_per_stripped(strip_A_per_m2: float, at_reference: float, exponent: float) -> float:
    """Lithium isolated per lithium stripped, at this stripping current per geometric area."""
    if at_reference == 0.0 or exponent == 0.0:
        return at_reference
    ratio = strip_A_per_m2 / REFERENCE_A_PER_M2
    return at_reference * (ratio * ratio + SLOWEST * SLOWEST) ** (-exponent / 2.0)
