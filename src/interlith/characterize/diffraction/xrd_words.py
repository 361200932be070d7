"""What is said beside the numbers of a pattern: which lines, which masks, what is assumed, where the fit is off."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from interlith.characterize.diffraction.substrates import candidates
from interlith.characterize.diffraction.texture import Interval
from interlith.characterize.diffraction.whole_pattern import LEAST_LINES, Analysis, sizes_by_convention, texture_of
from interlith.characterize.diffraction.wurtzite import SECOND_ORDERS, TEXTURE_LINES

GOOD_CHI2, MISFIT = 1.5, 6.0  # reduced; standard errors over half a width
TAIL_deg = 0.7  # from the edge of a mask, within which a misfit is the tail of what it hides
MATTERS = 1.02  # factor by which the convention must move a size to be told
Texture = Mapping[str, Interval] | None


def headline(texture: Texture, size: Interval | None, analysis: Analysis) -> str:
    """The one sentence."""
    if texture is None:
        return f"No texture: {_why_none(analysis)}."
    preferred = preferred_of(texture)
    one, n = texture[preferred], len(texture)
    first = (
        f"ZnO with TC({preferred}) {one.value:.2f} ({one.low:.2f} to {one.high:.2f}) of at most {n}, over the "
        f"{n} lines {', '.join(texture)}"
    )
    if size is None:
        return f"{first}."
    if math.isinf(size.high):
        return f"{first}; crystallites above {size.low:.0f} nm, as narrow as the instrument's lines."
    return f"{first}; crystallites of {size.value:.1f} nm ({size.low:.1f} to {size.high:.1f})."


def preferred_of(texture: Mapping[str, Interval]) -> str:
    """The line with the largest coefficient."""
    return max(texture, key=lambda hkl: texture[hkl].value)


def _why_none(analysis: Analysis) -> str:
    n = len(analysis.used)
    if not analysis.has_lines and analysis.reduced_chi2 > GOOD_CHI2:
        return "lines of something else are so strong that none of ZnO can be told from them"
    if not analysis.has_lines:
        return "no line of ZnO stands above the noise. Lines at half the angle would mean that theta was given"
    if n < LEAST_LINES:
        return f"{n} line{'s' * (n != 1)} can be seen outside the masks, {LEAST_LINES} or more are needed"
    return "the lines that can be seen have no intensity"


def remarks(analysis: Analysis, texture: Texture, size: Interval | None, hint: str = "") -> tuple[str, ...]:
    """What must be known beside the numbers. hint: what the pattern is instead, where that is known."""
    said = []
    if analysis.masks:
        parts = [f"{mask.name} ({mask.low_deg:.2f} to {mask.high_deg:.2f})" for mask in analysis.masks]
        said.append(f"left out of the fit, in degrees: {', '.join(parts)}")
    if texture is not None:
        n = len(texture)
        said.append(
            f"coefficients depend on which lines are counted: {n} of {', '.join(texture)}; a powder has 1 in each"
        )
        missing = [line for line in TEXTURE_LINES if line not in texture]
        if missing and analysis.asked.lines is None:
            said.append(f"not counted, out of range or masked: {', '.join(missing)}")
        said += [
            f"{hkl} is the second order of {SECOND_ORDERS[hkl]}: counted twice"
            for hkl in texture
            if hkl in SECOND_ORDERS
        ]
        thin = texture_of(analysis, thin=True)
        preferred = preferred_of(texture)
        if thin is not None:
            said.append(
                "powder intensities are those of a sample thicker than the 5 um that the beam reaches, as is usual; by "
                f"those of a much thinner one TC({preferred}) would be {thin[preferred].value:.2f}"
            )
    if size is not None:
        said += _about_size(analysis, size)
    return (*said, *_misfit(analysis, hint))


def _about_size(analysis: Analysis, size: Interval) -> list[str]:
    said = []
    low, high = analysis.asked.instrument_range_deg
    if low < high:
        said.append(
            f"the instrument's width is assumed: {analysis.asked.instrument_deg:g} degrees, {low:g} to {high:g}; "
            "a scan of LaB6 or of coarse silicon powder tells it"
        )
    if math.isinf(size.high):
        said.append("lines are as narrow as the instrument's: the size is a lower bound")
        return said
    said.append("all broadening is taken as size; with strain the crystallites are larger. One size for all directions")
    quadrature, linear = sizes_by_convention(analysis)
    if linear > MATTERS * quadrature:
        said.append(
            f"the instrument's width is taken off in quadrature, as from Gaussian lines; off lines that are "
            f"{analysis.fit.shape.lorentz:.0%} Lorentzian more may have to be: up to {linear:.1f} nm, which is in the "
            "interval"
        )
    if analysis.strain_up_to is not None:
        said.append(
            "strain? Widths do not grow as 1/cos theta but more: up to "
            f"{analysis.strain_up_to:.0%} of the broadening at 34.4 degrees may be strain, and the interval of the "
            "size reaches as far up"
        )
    return said


def _misfit(analysis: Analysis, hint: str) -> list[str]:
    """Where the fit is off, and which line of a substrate lies there."""
    from scipy.ndimage import uniform_filter1d

    n = max(3, round(analysis.fit.shape.fwhm_deg / 2 / analysis.pattern.step_deg))
    off = np.abs(uniform_filter1d(np.where(analysis.free, analysis.residual, 0.0), n)) * math.sqrt(n)
    worst = int(np.argmax(off))
    bad = analysis.pattern.is_counts and analysis.reduced_chi2 > GOOD_CHI2
    if not bad and off[worst] < MISFIT:
        return []
    angle = float(analysis.pattern.two_theta_deg[worst])
    what = "" if hint else _what_lies_at(analysis, angle)
    chi2 = f"reduced chi2 is {analysis.reduced_chi2:.3g}: " if bad else ""
    return [f"{chi2}the fit is off by {off[worst]:.0f} standard errors at {angle:.2f} degrees{what}"]


def _what_lies_at(analysis: Analysis, angle_deg: float) -> str:
    """What a misfit may be: the tail of what was masked, a line of ZnO of another width, a line of a substrate."""
    beside = [
        mask for mask in analysis.masks if min(abs(angle_deg - mask.low_deg), abs(angle_deg - mask.high_deg)) < TAIL_deg
    ]
    if beside:
        return f", beside its mask the tail of {beside[0].name}: mask more of it"
    shift, width = analysis.fit.shape.shift_deg, analysis.fit.shape.fwhm_deg
    of_ours = [line.hkl for line in analysis.fit.model.lines if abs(line.two_theta_deg + shift - angle_deg) < width]
    if of_ours and analysis.strain_up_to is not None:
        return f", on ({of_ours[0]}): its width is not that of size alone. Strain?"
    names = candidates(angle_deg, analysis.pattern.radiation)
    if names:
        return f"; there lies {names[0]}: name the substrate"
    return "; a line of something else? Mask it"
