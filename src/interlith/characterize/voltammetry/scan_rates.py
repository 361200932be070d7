"""How the height of a peak grows with the scan rate, and whether that allows a diffusion coefficient.

A reversible couple that diffuses to a flat electrode gives i = 0.4463 n F A C (n F v D/(R T))^1/2 (Randles and Sevcik;
Nicholson and Shain, Anal. Chem. 36, 706 (1964), doi:10.1021/ac60210a007). What sits on the surface gives i ~ v. Between
the two stands every other case, and no coefficient can be had from it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.stats import t as student

from interlith.characterize.voltammetry.cv_peaks import Peak
from interlith.characterize.voltammetry.sweeps import Floats, same_rate
from interlith.parts.quantity import NORMAL_95
from interlith.units import (
    CM3_PER_L,
    FARADAY_C_PER_MOL,
    GAS_CONSTANT_J_PER_MOL_K,
    ZERO_CELSIUS_K,
    mV_PER_V,
)

# Nicholson and Shain (1964), table I: the largest value of the current function of a reversible couple
RANDLES_SEVCIK = 0.4463
HALF_PEAK = 2.20  # |Ep - Ep/2| of a reversible couple over R T/(n F); same source
FEWEST_RATES, LEAST_SPAN = 4, 4.0  # scan rates; the fastest over the slowest
CONFIDENCE = 0.95
LEAST_B, MOST_B = 0.03, 0.15  # tolerance of the exponent: never less (baselines), and more decides nothing
HEIGHT_ERROR = 0.01  # of the slope, standard deviation: what the choice of a baseline moves at least (assumed)
LEAST_INTERCEPT, STRAIGHT = 0.04, 0.05  # of the highest peak: intercept that is still 0; departure from the line
FAR_V = 0.15  # a peak may move by this from one rate to the next
WIDTH_TOLERANCE, DRIFT_mV = 0.3, 15.0  # of the width of a reversible peak; of its potential in a decade of rate


@dataclass(frozen=True)
class ScanRates:
    """One peak at several scan rates: i = slope v^1/2 + intercept, and i ~ v^b.

    law: diffusion, surface, neither or undecided. why: the reason in words. Errors are half-widths of 95 % intervals.
    """

    word: str
    peaks: tuple[Peak, ...]
    b: float
    b_half_width: float
    slope_A_per_root_V_per_s: float
    slope_half_width: float
    intercept_A: float
    intercept_half_width: float
    law: str
    why: str

    @property
    def rates_V_per_s(self) -> Floats:
        """Scan rates of the peaks, growing."""
        return np.array([peak.sweep.rate_mV_per_s for peak in self.peaks]) / mV_PER_V


def families(peaks: Sequence[Peak]) -> list[tuple[Peak, ...]]:
    """Peaks that are the same one at every scan rate, slowest first, found by their potential from rate to rate.

    Of several cycles at one rate the first counts: later ones begin on what it has depleted. Peaks that are missing at
    a rate are left out.
    """
    found = []
    for direction in (1, -1):
        mine = sorted((p for p in peaks if p.sweep.direction == direction), key=lambda p: p.sweep.rate_mV_per_s)
        rates: list[list[Peak]] = []
        for peak in mine:
            if rates and same_rate(rates[-1][0].sweep.rate_mV_per_s, peak.sweep.rate_mV_per_s):
                rates[-1].append(peak)
            else:
                rates.append([peak])
        firsts = [_first_sweep(group) for group in rates]
        found += [chain for first in (firsts[0] if firsts else []) if (chain := _chain(first, firsts))]
    return found


def _first_sweep(peaks: Sequence[Peak]) -> list[Peak]:
    """The peaks of the first sweep that has any: of the earliest cycle, and in that of the earliest time."""
    earliest = min(peaks, key=lambda peak: (peak.sweep.cycle, peak.sweep.time_s[0])).sweep
    return [peak for peak in peaks if peak.sweep is earliest]


def _chain(first: Peak, groups: list[list[Peak]]) -> tuple[Peak, ...]:
    """From rate to rate the peak that is nearest, and to which it is the nearest; nothing where that breaks off."""
    chain = [first]
    for before, group in pairwise(groups):
        place = chain[-1].potential_V
        nearest = min(group, key=lambda p: abs(p.potential_V - place))
        back = min(before, key=lambda p: abs(p.potential_V - nearest.potential_V))
        if back is not chain[-1] or abs(nearest.potential_V - place) > FAR_V:
            return ()
        chain.append(nearest)
    return tuple(chain) if len(chain) > 1 else ()


def scan_rates(peaks: Sequence[Peak]) -> ScanRates:
    """The law that the heights of one peak follow; see families for its peaks, one for each rate."""
    root = np.sqrt([peak.sweep.rate_mV_per_s / mV_PER_V for peak in peaks])
    height = np.array([peak.height_A for peak in peaks])
    b, _, b_width, _ = _line(2 * np.log(root), np.log(height))
    slope, intercept, slope_width, intercept_width = _line(root, height)
    known = math.hypot(HEIGHT_ERROR, float(np.mean([peak.height_error_A / peak.height_A for peak in peaks])))
    slope_width = math.hypot(slope_width, NORMAL_95 * known * slope)
    off = float(np.max(np.abs(height - slope * root - intercept))) / float(height.max())
    law, why = _law(b, max(b_width, LEAST_B), intercept, intercept_width, off, height, root)
    return ScanRates(
        peaks[0].sweep.word, tuple(peaks), b, b_width, slope, slope_width, intercept, intercept_width, law, why
    )


def _line(x: Floats, y: Floats) -> tuple[float, float, float, float]:
    """Slope and intercept of a straight line, and the half-widths of their 95 % intervals; infinite for two points."""
    slope, intercept = (float(value) for value in np.polyfit(x, y, 1))
    free, spread = len(x) - 2, float(np.sum((x - x.mean()) ** 2))
    if free < 1 or spread == 0:
        return slope, intercept, math.inf, math.inf
    variance = float(np.sum((y - slope * x - intercept) ** 2)) / free
    t = float(student.ppf((1 + CONFIDENCE) / 2, free))
    wide = t * math.sqrt(variance / spread)
    return slope, intercept, wide, wide * math.sqrt(float(np.mean(x**2)))


def _law(
    b: float, b_width: float, intercept: float, intercept_width: float, off: float, height: Floats, root: Floats
) -> tuple[str, str]:
    span = float(root[-1] / root[0]) ** 2
    if len(root) < FEWEST_RATES:
        return "undecided", f"{len(root)} scan rates; at least {FEWEST_RATES} are needed to see a law"
    if span < LEAST_SPAN:
        return "undecided", f"the scan rates differ by a factor of {span:.2g} only; at least {LEAST_SPAN:g} is needed"
    if b_width > MOST_B:
        return "undecided", f"the exponent b = {b:.2f} is known to {b_width:.2f} only"
    through_0 = abs(intercept) <= max(intercept_width, LEAST_INTERCEPT * float(height.max()))
    if abs(b - 0.5) <= b_width and through_0 and off <= STRAIGHT:
        return "diffusion", f"height ~ v^{b:.2f}, a straight line through 0 against the root of the rate"
    if abs(b - 1.0) <= b_width:
        return "surface", f"height ~ v^{b:.2f}: bound to the surface, or capacitive; nothing diffuses"
    more = "" if through_0 else "; the line against the root of the rate misses 0"
    more += "" if off <= STRAIGHT else "; it is not straight"
    return "neither", f"height ~ v^{b:.2f} (±{b_width:.2f}), not 0.5{more}: kinetics, resistance or a mixture"


def not_reversible(found: ScanRates, *, n_electrons: int, temperature_C: float) -> str:
    """Why the coefficient of a reversible couple may not be used; empty where it may.

    Reversible: |Ep - Ep/2| = 2.20 R T/(n F), and Ep does not move with the rate.
    """
    thermal_V = GAS_CONSTANT_J_PER_MOL_K * (temperature_C + ZERO_CELSIUS_K) / (n_electrons * FARADAY_C_PER_MOL)
    due_V = HALF_PEAK * thermal_V
    if any(peak.sweep.direction != peak.sweep.first_direction for peak in found.peaks):
        return "it is on the way back, where the current of the sweep before lies under it"
    for peak in found.peaks:
        if peak.half_width_V is None:
            return "the foot of the peak is not in the sweep, so its width cannot be checked"
        if abs(peak.half_width_V - due_V) > WIDTH_TOLERANCE * due_V + 2 * peak.potential_error_V:
            return (
                f"the peak is {1e3 * peak.half_width_V:.0f} mV wide from half its height, a reversible one "
                f"{1e3 * due_V:.0f} mV"
            )
    places = np.array([peak.potential_V for peak in found.peaks])
    drift_mV = mV_PER_V * float(np.polyfit(np.log10(found.rates_V_per_s), places, 1)[0])
    error_mV = 2 * mV_PER_V * max(peak.potential_error_V for peak in found.peaks)
    if abs(drift_mV) > DRIFT_mV / n_electrons + error_mV:
        return f"the potential moves by {drift_mV:.0f} mV in a decade of the rate, a reversible one stands still"
    return ""


def diffusion_cm2_per_s(
    slope_A_per_root_V_per_s: float,
    *,
    area_cm2: float,
    concentration_mol_per_L: float,
    n_electrons: int = 1,
    temperature_C: float = 25.0,
) -> float:
    """Diffusion coefficient of a reversible couple from the slope of peak height against the root of the scan rate.

    D = (slope/(0.4463 n F A C))^2 R T/(n F). Flat electrode, semi-infinite diffusion, no resistance.

    >>> f"{diffusion_cm2_per_s(8.5e-4, area_cm2=1.0, concentration_mol_per_L=1e-3):.2e}"
    '1.00e-05'
    """
    thermal_V = GAS_CONSTANT_J_PER_MOL_K * (temperature_C + ZERO_CELSIUS_K) / (n_electrons * FARADAY_C_PER_MOL)
    per_cm3 = concentration_mol_per_L / CM3_PER_L
    root = slope_A_per_root_V_per_s / (RANDLES_SEVCIK * n_electrons * FARADAY_C_PER_MOL * area_cm2 * per_cm3)
    return root**2 * thermal_V
