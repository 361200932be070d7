"""X-ray lines of a tube: which wavelengths a pattern holds, and at which angle a spacing of planes reflects them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from interlith.errors import InputError

NM_PER_ANGSTROM = 0.1
LOWEST_nm, HIGHEST_nm = 0.02, 0.3  # of what laboratory tubes give: silver 0.056, chromium 0.229
ALPHA2_OVER_ALPHA1 = 0.5  # of intensities: the statistical weights of the two 2p levels are 2 : 1
OF_ANODE = 0.003  # part of the wavelength by which one that is stated may differ from K-alpha 1 of a tube
AT_COPPER = 0.02  # part of the wavelength by which a tube may differ and still be called copper


@dataclass(frozen=True)
class Radiation:
    """The lines of a tube, and how they are known.

    kalpha2_nm None: a monochromator took it out, or the scan was stripped of it. alpha2_over_alpha1: of intensities.
    """

    kalpha1_nm: float
    kalpha2_nm: float | None
    alpha2_over_alpha1: float
    kbeta_nm: float | None
    source: str

    @property
    def lines(self) -> tuple[tuple[float, float], ...]:
        """Wavelength in nm and share of the intensity of what every reflection shows.

        >>> [(round(nm, 6), round(share, 3)) for nm, share in COPPER.lines]
        [(0.154059, 0.667), (0.154443, 0.333)]
        """
        if self.kalpha2_nm is None or self.alpha2_over_alpha1 == 0:
            return ((self.kalpha1_nm, 1.0),)
        first = 1 / (1 + self.alpha2_over_alpha1)
        return ((self.kalpha1_nm, first), (self.kalpha2_nm, 1 - first))

    @property
    def is_copper(self) -> bool:
        """Whether it is that of a copper tube: the dispersion corrections used here hold for it alone."""
        return abs(self.kalpha1_nm / COPPER_ALPHA1_nm - 1) < AT_COPPER


# Copper: Hoelzer et al., Phys. Rev. A 56, 4554 (1997), doi 10.1103/PhysRevA.56.4554, as in Int. Tables C, 4.2.2 (2006)
COPPER_ALPHA1_nm, COPPER_ALPHA2_nm, COPPER_BETA_nm = 0.15405929, 0.15444274, 0.13922346
# Weak lines that a wafer shows all the same: copper K-beta 2,5, and L-alpha of tungsten from the filament on the anode
# (Bearden, Rev. Mod. Phys. 39, 78 (1967), doi 10.1103/RevModPhys.39.78)
COPPER_BETA25_nm, TUNGSTEN_ALPHA1_nm, TUNGSTEN_ALPHA2_nm = 0.13811, 0.147639, 0.148743
COPPER = Radiation(
    COPPER_ALPHA1_nm, COPPER_ALPHA2_nm, ALPHA2_OVER_ALPHA1, COPPER_BETA_nm, "assumed: a copper tube, K-alpha 1 and 2"
)


# Cr, Fe, Co: the same papers as copper. Mo: Int. Tables C, 4.2.2 (2006), K-beta 1 of Bearden (1967)
ANODES = {
    "copper": replace(COPPER, source="copper K-alpha 1 and 2, stated"),
    "cobalt": Radiation(0.1788996, 0.1792835, ALPHA2_OVER_ALPHA1, 0.1620826, "cobalt K-alpha 1 and 2, stated"),
    "molybdenum": Radiation(0.07093172, 0.0713607, ALPHA2_OVER_ALPHA1, 0.0632288, "molybdenum K-alpha 1 and 2, stated"),
    "chromium": Radiation(0.2289726, 0.2293651, ALPHA2_OVER_ALPHA1, 0.2084881, "chromium K-alpha 1 and 2, stated"),
    "iron": Radiation(0.1936041, 0.1939973, ALPHA2_OVER_ALPHA1, 0.1756604, "iron K-alpha 1 and 2, stated"),
}


def two_theta_deg(spacing_nm: float, wavelength_nm: float) -> float | None:
    """Bragg: 2 theta = 2 arcsin(lambda / 2 d) in degrees; None where the planes are too close to reflect.

    >>> round(two_theta_deg(0.26033, COPPER.kalpha1_nm), 3)
    34.422
    """
    sine = wavelength_nm / (2 * spacing_nm)
    return None if sine >= 1 else 2 * math.degrees(math.asin(sine))


def stated(kalpha1_nm: float, kalpha2_nm: float | None, ratio: float | None, source: str) -> Radiation:
    """Lines that a file states; those that it does not are copper's where it is copper, else left out.

    >>> stated(0.1540593, 0.1544414, None, "a.rasx").kbeta_nm
    0.13922346
    """
    one = Radiation(kalpha1_nm, kalpha2_nm, ALPHA2_OVER_ALPHA1 if ratio is None else ratio, None, source)
    return replace(one, kbeta_nm=COPPER_BETA_nm) if one.is_copper else one


def of_wavelength(wavelength_nm: float) -> Radiation:
    """Lines of the tube whose K-alpha (1, or the mean of both) this is; else this one wavelength alone.

    Raises InputError for a length that no tube gives.

    >>> of_wavelength(0.1790).kalpha2_nm, of_wavelength(0.06).kalpha2_nm
    (0.1792835, None)
    """
    if not LOWEST_nm < wavelength_nm < HIGHEST_nm:
        raise InputError(
            f"wavelength_nm = {wavelength_nm:g}: between {LOWEST_nm:g} and {HIGHEST_nm:g} nm; copper 0.15406, cobalt "
            "0.17890, molybdenum 0.07093. Was it in Angstrom?"
        )
    for anode in ANODES.values():
        if abs(wavelength_nm / anode.kalpha1_nm - 1) < OF_ANODE:
            return anode
    return stated(wavelength_nm, None, None, "stated")
