"""From areas of lines to orientation, from their width to the size of crystallites."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from interlith.characterize.diffraction.scan import Floats

SCHERRER = 0.9  # of the full width at half maximum (Patterson, Phys. Rev. 56, 978 (1939), doi 10.1103/PhysRev.56.978)
INTERVAL = (2.5, 97.5)  # percent


@dataclass(frozen=True)
class Interval:
    """A value and where it lies with 95 %."""

    value: float
    low: float
    high: float


def harris(areas: Floats, powder: Floats) -> Floats:
    """Texture coefficients TC_i = (I_i / I0_i) / ((1/N) sum_j I_j / I0_j); they add up to N.

    areas: one pattern [lines], or many [patterns, lines]; powder: intensities without texture. TC 1: as in a powder,
    N: all in this orientation. Not a number where all areas are 0. Harris, Phil. Mag. 43, 113 (1952).

    >>> harris(np.array([57.0, 84.0, 100.0]), np.array([57.0, 42.0, 100.0])).tolist()
    [0.75, 1.5, 0.75]
    """
    ratios = areas / powder
    mean = ratios.mean(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Floats = ratios / mean
    return found


def size_nm(
    fwhm_deg: float, instrument_deg: float, two_theta_deg: float, wavelength_nm: float, power: float = 2.0
) -> float:
    """Scherrer: D = 0.9 lambda / (beta cos theta), beta2 = B2 - b2, both full widths at half maximum, beta in radians.

    power: 2 for Gaussian lines, 1 for Lorentzian ones (beta = B - b).
    Infinite where the line is no wider than the instrument makes it. All broadening is taken as size: with strain the
    crystallites are larger.

    >>> round(size_nm(0.5, 0.06, 34.42, 0.154059), 1)
    16.8
    """
    left = fwhm_deg**power - instrument_deg**power
    if left <= 0:
        return math.inf
    return SCHERRER * wavelength_nm / (math.radians(left ** (1 / power)) * math.cos(math.radians(two_theta_deg / 2)))


def interval(value: float, draws: Floats, least: float = -math.inf, most: float = math.inf) -> Interval:
    """A value with an interval of 95 % from its draws: the middle 95 % of them, and its mirror about the value.

    The wider end of the two is taken: near an end of what is possible (an area of 0) draws lean to one side.

    >>> interval(1.0, np.array([0.5, 0.75, 1.0, 1.0, 1.1]), least=0.0).high > 1.4
    True
    """
    low, high = np.percentile(draws[~np.isnan(draws)], INTERVAL, method="nearest")
    low, high = min(low, 2 * value - high, value), max(high, 2 * value - low, value)
    return Interval(value, float(max(low, least)), float(min(high, most)))
