"""Whether a pattern is one of ZnO at all, and, where it is not, what it may be instead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from interlith.characterize.diffraction.line_fit import MOST_SHIFT_deg, expected_counts
from interlith.characterize.diffraction.masking import SIGNIFICANT, net_counts, unmasked
from interlith.characterize.diffraction.pattern import Pattern
from interlith.characterize.diffraction.radiation import ANODES, Radiation
from interlith.characterize.diffraction.scan import Floats
from interlith.characterize.diffraction.substrates import Mask
from interlith.characterize.diffraction.whole_pattern import Analysis, crystallite_size
from interlith.characterize.diffraction.wurtzite import TEXTURE_LINES, powder_lines

# A fit that is off by twice the noise at a typical point explains something else (assumed, 4 to 8). Real scans of a
# film with all masks give 0.9, strain 1.5, the tail of a foil's line beyond its mask 3; a wafer without masks 12 to 28.
MOST_CHI2 = 5.0
LEAST_SHARE = 0.7  # of what the background leaves, that lines must explain where chi2 says nothing
LEAST_SIZE_nm = 3.0  # some six cells along c: a line as broad is a hump, as glass shows it (assumed, 2 to 3)
APART_deg, STANDS_OUT, UPPER = 0.5, 0.3, 0.6  # of two peaks; prominence over height; of a peak, for its middle
EXPLAINED = 0.5  # of the height of a peak, by the lines of ZnO
AT_PLACE_deg, MOST_AGREED = 0.3, 3  # of a line from its place; strongest lines that must all be there
AGREED = 0.6  # of all lines seen, where another wavelength is suspected
AT_END, OTHER_ANODE = 0.99, 0.02  # of the most shift; part of a wavelength


def strongest_peaks(pattern: Pattern, masks: Sequence[Mask] = ()) -> list[tuple[float, float]]:
    """Angle and height above the surroundings of what stands out of the noise outside the masks, strongest first."""
    from scipy.signal import find_peaks, peak_prominences

    net, error = net_counts(pattern)
    places, _ = find_peaks(net, distance=max(1, round(APART_deg / pattern.step_deg)))
    tall = peak_prominences(net, places)[0]
    free = unmasked(pattern.two_theta_deg, masks)
    kept = (tall > SIGNIFICANT * error[places]) & (tall > STANDS_OUT * net[places]) & (net[places] > 0) & free[places]
    found = [(_middle(pattern.two_theta_deg, net, int(at)), float(net[at])) for at in places[kept]]
    return sorted(found, key=lambda one: -one[1])


def _middle(angles: Floats, net: Floats, top: int) -> float:
    """The middle of the upper part of a peak: its highest point alone moves with the noise."""
    below = np.flatnonzero(net < UPPER * net[top])
    left, right = below[below < top], below[below > top]
    low = int(left[-1]) + 1 if len(left) else 0
    high = int(right[0]) if len(right) else len(net)
    return float(np.average(angles[low:high], weights=net[low:high]))


def doubt_of(analysis: Analysis) -> str:
    """Why this is no pattern of ZnO, as the beginning of a headline; empty where nothing speaks against it.

    Lines as wide as a hump of glass; the strongest lines of the pattern at places where ZnO has none; a fit only with
    all lines moved as far as they may; a reduced chi2 above MOST_CHI2.
    """
    if not analysis.has_lines:
        return ""
    size = crystallite_size(analysis)
    if size is not None and size.value < LEAST_SIZE_nm:
        return (
            f"No ZnO found: lines {analysis.fit.shape.fwhm_deg:.1f} degrees wide are those of a glass, and no crystal "
            f"is claimed below {LEAST_SIZE_nm:g} nm"
        )
    strange = _strange(analysis)
    if strange:
        places = ", ".join(f"{angle:.2f}" for angle in strange)
        many, are = ("lines", "are") if len(strange) > 1 else ("line", "is")
        return f"Not explained by ZnO: the strongest {many} of the pattern, at {places} degrees, {are} none of its"
    if abs(analysis.fit.shape.shift_deg) > AT_END * MOST_SHIFT_deg:
        return f"No ZnO found: its lines fit only when all are moved by {MOST_SHIFT_deg:g} degrees, the most allowed"
    if analysis.pattern.is_counts and analysis.reduced_chi2 > MOST_CHI2:
        return f"Not explained by ZnO: reduced chi2 is {analysis.reduced_chi2:.3g}, above {MOST_CHI2:g}"
    if not analysis.pattern.is_counts and analysis.share_by_lines < LEAST_SHARE:
        return (
            f"Not explained by ZnO: its lines make {analysis.share_by_lines:.0%} of what stands out of the background"
        )
    return ""


def _strange(analysis: Analysis) -> list[float]:
    """Angles of those of the three strongest peaks that no line of ZnO explains; none where it is a minor one."""
    peaks = strongest_peaks(analysis.pattern, analysis.masks)[:MOST_AGREED]
    if not peaks:
        return []
    at = np.array([angle for angle, _ in peaks])
    lines = expected_counts(analysis.fit, at)[2].sum(axis=1)
    strange = [place for place, (_, height) in enumerate(peaks) if lines[place] < EXPLAINED * height]
    return [peaks[place][0] for place in strange] if 0 in strange or len(strange) > 1 else []


def otherwise(pattern: Pattern) -> str:
    """What else would make the strongest lines those of ZnO: angles of theta, or another anode; empty where nothing."""
    peaks = [angle for angle, _ in strongest_peaks(pattern)]
    if len(peaks) < MOST_AGREED:
        return ""
    if _agree(2 * np.array(peaks), pattern.radiation):
        places = ", ".join(f"{angle:.1f}" for angle in sorted(peaks[:MOST_AGREED]))
        return (
            f"the three strongest lines, at {places} degrees, are at half the angles of ZnO: theta was given instead "
            "of 2 theta. Double the first column"
        )
    for name, anode in ANODES.items():
        other = abs(anode.kalpha1_nm / pattern.radiation.kalpha1_nm - 1) > OTHER_ANODE
        if other and _agree(np.array(peaks), anode):
            return (
                f"the lines are at places of ZnO for a {name} tube ({anode.kalpha1_nm:.6g} nm): give that "
                f"wavelength (--wavelength-nm {anode.kalpha1_nm:.6g})"
            )
    return ""


def _agree(angles_deg: np.ndarray, radiation: Radiation) -> bool:
    """Whether the three strongest are strong lines of ZnO, each another one, and most of all others are lines of it."""
    lines = powder_lines(replace(radiation, kalpha2_nm=None))
    strong = [line.two_theta_deg for line in lines if line.hkl in TEXTURE_LINES]
    nearest = [min(strong, key=lambda place: abs(place - angle)) for angle in angles_deg[:MOST_AGREED]]
    if len(set(nearest)) < MOST_AGREED or np.abs(np.array(nearest) - angles_deg[:MOST_AGREED]).max() > AT_PLACE_deg:
        return False
    every = np.array([line.two_theta_deg for line in lines])
    near = [float(np.abs(every - angle).min()) < AT_PLACE_deg for angle in angles_deg]
    return float(np.mean(near)) >= AGREED
