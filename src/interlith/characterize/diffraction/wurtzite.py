"""The powder pattern of ZnO (wurtzite): where its lines lie, and how strong each is without preferred orientation."""

from __future__ import annotations

import cmath
import math
from dataclasses import dataclass

from interlith.characterize.diffraction.radiation import NM_PER_ANGSTROM, Radiation, two_theta_deg

Hkl = tuple[int, int, int]

# Cell at 25 C: JCPDS/ICDD card 36-1451, a = 3.24982, c = 5.20661 A. Zn at (1/3, 2/3, 0), O at (1/3, 2/3, u); P 63 m c.
# u: Kihara & Donnay, Can. Mineral. 23, 647 (1985), as in the Crystallography Open Database, 9004179
A_nm, C_nm, U = 0.324982, 0.520661, 0.382
# B = 8 pi2 <u2> in A2 from calculated phonon spectra at 298 K: <u2> 0.0084 A2 (Zn), 0.0077 A2 (O) (NCrystal's ZnO)
ZINC_B_A2, OXYGEN_B_A2 = 0.67, 0.61
# Scattering factors of Zn2+ and O2-: sum a exp(-b s2) + c, s = sin(theta)/lambda in 1/A
# (Waasmaier & Kirfel, Acta Cryst. A 51, 416 (1995), doi 10.1107/S0108767394013292)
Gaussians = tuple[tuple[float, ...], tuple[float, ...], float]
ZINC: Gaussians = (
    (13.340772, 10.428857, 5.544489, 0.762295, 6.869172),
    (3.215913, 0.001413, 8.54268, 21.891756, 0.239215),
    -8.945248,
)
OXYGEN: Gaussians = (
    (3.990247, 2.300563, 0.6072, 1.907882, 1.16708),
    (16.639956, 5.636819, 0.108493, 47.299709, 0.379984),
    0.025429,
)
# Dispersion at Cu K-alpha, f' + i f'' (Chantler, J. Phys. Chem. Ref. Data 29, 597 (2000), doi 10.1063/1.1321055)
ZINC_DISPERSION, OXYGEN_DISPERSION = complex(-1.56, 0.67), complex(0.045, 0.032)

# All reflections below 90 degrees with Cu K-alpha, with their multiplicity
MULTIPLICITY: dict[Hkl, int] = {
    (1, 0, 0): 6,
    (0, 0, 2): 2,
    (1, 0, 1): 12,
    (1, 0, 2): 12,
    (1, 1, 0): 6,
    (1, 0, 3): 12,
    (2, 0, 0): 6,
    (1, 1, 2): 12,
    (2, 0, 1): 12,
    (0, 0, 4): 2,
    (2, 0, 2): 12,
    (1, 0, 4): 12,
    (2, 0, 3): 12,
}
TEXTURE_LINES = ("100", "002", "101", "102", "110", "103", "112")  # the strong ones, each another orientation
SECOND_ORDERS = {"200": "100", "202": "101", "004": "002"}  # the same planes again: no orientation of their own


@dataclass(frozen=True)
class Line:
    """A reflection: its indices, its spacing, the angle of its K-alpha 1, its intensity in a powder (strongest 100)."""

    hkl: str
    spacing_nm: float
    two_theta_deg: float
    powder_intensity: float


def spacing_nm(hkl: Hkl, a_nm: float = A_nm, c_nm: float = C_nm) -> float:
    """Distance of hexagonal planes: 1/d2 = 4/3 (h2 + hk + k2)/a2 + l2/c2.

    >>> round(spacing_nm((0, 0, 2)), 6)
    0.260331
    """
    h, k, l = hkl  # noqa: E741
    return 1 / math.sqrt(4 / 3 * (h * h + h * k + k * k) / a_nm**2 + l * l / c_nm**2)


def powder_lines(radiation: Radiation) -> tuple[Line, ...]:
    """Every line of ZnO that this radiation shows, by angle, with the intensity of a powder without texture.

    I = m |F|2 (1 + cos2 2theta) / (sin2 theta cos theta), integrated intensity, Bragg-Brentano, no monochromator, a
    sample thicker than the beam goes; |F|2 is the mean of hkl and -h-k-l, which a powder shows together. Dispersion
    corrections are those of copper, and left out for another tube. Within 15 % of the peak heights of JCPDS 36-1451
    for the seven strong lines.

    >>> from interlith.characterize.diffraction.radiation import COPPER
    >>> [(line.hkl, round(line.two_theta_deg, 2), round(line.powder_intensity)) for line in powder_lines(COPPER)][:3]
    [('100', 31.77, 58), ('002', 34.42, 42), ('101', 36.25, 100)]
    """
    found = []
    for hkl, multiplicity in MULTIPLICITY.items():
        spacing = spacing_nm(hkl)
        angle = two_theta_deg(spacing, radiation.kalpha1_nm)
        if angle is not None:
            factor = structure_factor_squared(hkl, with_dispersion=radiation.is_copper)
            found.append((hkl, spacing, angle, multiplicity * factor * lorentz_polarization(angle)))
    strongest = max(intensity for *_, intensity in found)
    lines = [Line("".join(map(str, hkl)), d, angle, 100 * value / strongest) for hkl, d, angle, value in found]
    return tuple(sorted(lines, key=lambda line: line.two_theta_deg))


def structure_factor_squared(hkl: Hkl, *, with_dispersion: bool = True) -> float:
    """|F|2 of the cell with two ZnO in electrons squared, the mean of hkl and of its opposite.

    >>> round(structure_factor_squared((1, 0, 0)) ** 0.5, 1)
    29.3
    """
    s = NM_PER_ANGSTROM / (2 * spacing_nm(hkl))
    zinc = _scattered(ZINC, s) + (ZINC_DISPERSION if with_dispersion else 0)
    oxygen = _scattered(OXYGEN, s) + (OXYGEN_DISPERSION if with_dispersion else 0)
    zinc *= math.exp(-ZINC_B_A2 * s * s)
    oxygen *= math.exp(-OXYGEN_B_A2 * s * s)
    return sum(abs(_structure_factor(hkl, sign, zinc, oxygen)) ** 2 for sign in (1, -1)) / 2


def _structure_factor(hkl: Hkl, sign: int, zinc: complex, oxygen: complex) -> complex:
    h, k, l = (sign * index for index in hkl)  # noqa: E741
    total = 0j
    for x, y, z in ((1 / 3, 2 / 3, 0.0), (2 / 3, 1 / 3, 0.5)):
        total += zinc * cmath.exp(2j * math.pi * (h * x + k * y + l * z))
        total += oxygen * cmath.exp(2j * math.pi * (h * x + k * y + l * (z + U)))
    return total


def _scattered(gaussians: Gaussians, s: float) -> complex:
    heights, widths, rest = gaussians
    return complex(sum(a * math.exp(-b * s * s) for a, b in zip(heights, widths, strict=True)) + rest)


def lorentz_polarization(angle_deg: float) -> float:
    """(1 + cos2 2theta) / (sin2 theta cos theta) of a powder diffractometer without monochromator, angle 2 theta.

    >>> round(lorentz_polarization(34.42), 1)
    20.1
    """
    theta = math.radians(angle_deg) / 2
    return (1 + math.cos(2 * theta) ** 2) / (math.sin(theta) ** 2 * math.cos(theta))
