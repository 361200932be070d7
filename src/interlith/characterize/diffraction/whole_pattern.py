"""A whole pattern fitted, and what its areas and widths vary by: counts, background, width of the instrument."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from interlith.characterize.diffraction.line_fit import (
    Draws,
    Fit,
    Model,
    REFERENCE_deg,
    Shape,
    expected_counts,
    fit_lines,
    knots_of,
    resampled,
    widths_deg,
)
from interlith.characterize.diffraction.masking import unmasked
from interlith.characterize.diffraction.pattern import Pattern
from interlith.characterize.diffraction.scan import Floats
from interlith.characterize.diffraction.substrates import Mask
from interlith.characterize.diffraction.texture import Interval, harris, interval, size_nm
from interlith.characterize.diffraction.wurtzite import MULTIPLICITY, TEXTURE_LINES, Line, powder_lines
from interlith.errors import InputError

INSTRUMENT_deg, INSTRUMENT_FROM_deg, INSTRUMENT_TO_deg = 0.06, 0.03, 0.12  # assumed, of laboratory diffractometers
KNOTS_deg = (3.0, 4.0, 6.0)  # backgrounds from soft to stiff; Akaike's criterion picks, the others tell the error
KNOTS_PER_WIDTH = 5.0  # the least distance of knots in widths of a line: a background must not follow lines
LEAST_LINES, LEAST_GAIN, LEAST_VISIBLE = 3, 40.0, 0.7  # for a texture; of chi2 by the lines; of a line's middle
STRAIN_PARTS, STRAIN_GAIN, STRAIN_WITHIN = 11, 30.0, 4.0  # tried; of chi2, by which strain must lower it; two errors
LEAST_DRAWS, MOST_DRAWS = 20, 5000


@dataclass(frozen=True)
class Asked:
    """What was asked for, checked."""

    lines: tuple[str, ...] | None
    instrument_deg: float
    instrument_range_deg: tuple[float, float]
    n_bootstrap: int
    seed: int


@dataclass(frozen=True)
class Analysis:
    """One pattern, fitted. residual: (counts - expected) / sigma; free: not masked.

    strain_up_to: which part of the broadening at 34.42 degrees may be strain; None where widths grow as 1/cos theta.
    """

    pattern: Pattern
    masks: tuple[Mask, ...]
    asked: Asked
    fit: Fit
    draws: Draws
    others: tuple[Fit, ...]
    free: np.ndarray
    residual: Floats
    reduced_chi2: float
    inflation: float
    strain_up_to: float | None = None

    @property
    def has_lines(self) -> bool:
        """Whether the lines explain more than the noise would."""
        return (self.fit.chi2_without_lines - self.fit.chi2) / self.inflation > LEAST_GAIN

    @property
    def share_by_lines(self) -> float:
        """Which part of what the background alone leaves, beyond the noise, the lines explain."""
        without, n = self.fit.chi2_without_lines, len(self.fit.points.angles)
        return (without - self.fit.chi2) / max(without - n, 1.0)

    @property
    def used(self) -> tuple[int, ...]:
        """Places of the lines that the texture is taken from: those asked for whose middle is not masked."""
        wanted = TEXTURE_LINES if self.asked.lines is None else self.asked.lines
        lines = self.fit.model.lines
        return tuple(at for at, line in enumerate(lines) if line.hkl in wanted and self.visible(line) >= LEAST_VISIBLE)

    def visible(self, line: Line) -> float:
        """Which part of the middle of a line, one full width to both sides, was measured and is not masked."""
        centre = line.two_theta_deg + self.fit.shape.shift_deg
        half = float(widths_deg(self.fit.model, self.fit.shape, np.array([centre]))[0])
        angles = self.pattern.two_theta_deg
        near = (np.abs(angles - centre) <= half) & self.free
        return float(near.sum()) * self.pattern.step_deg / (2 * half)


def asked_of(lines: Sequence[str] | None, instrument_width_deg: float | None, n_bootstrap: int, seed: int) -> Asked:
    """Options as they are used. Raises InputError for those that cannot be meant."""
    known = ["".join(map(str, hkl)) for hkl in MULTIPLICITY]
    if lines is not None:
        unknown = [line for line in lines if line not in known]
        if unknown:
            raise InputError(f"lines: {unknown[0]!r} is not one of {', '.join(known)}")
        if len(set(lines)) < LEAST_LINES:
            raise InputError(f"lines: {len(set(lines))}; a texture needs {LEAST_LINES} or more")
    if not LEAST_DRAWS <= n_bootstrap <= MOST_DRAWS:
        raise InputError(f"n_bootstrap = {n_bootstrap}: {LEAST_DRAWS} to {MOST_DRAWS}")
    if seed < 0:
        raise InputError(f"seed = {seed}: 0 or more")
    if instrument_width_deg is None:
        width, ends = INSTRUMENT_deg, (INSTRUMENT_FROM_deg, INSTRUMENT_TO_deg)
    elif not 0 < instrument_width_deg < 2:
        raise InputError(f"instrument_width_deg = {instrument_width_deg:g}: between 0 and 2 degrees")
    else:
        width, ends = instrument_width_deg, (instrument_width_deg, instrument_width_deg)
    return Asked(None if lines is None else tuple(dict.fromkeys(lines)), width, ends, n_bootstrap, seed)


def analysed(pattern: Pattern, masks: tuple[Mask, ...], asked: Asked) -> Analysis | None:
    """The pattern fitted and drawn anew; None where no line of ZnO lies outside the masks."""
    angles = pattern.two_theta_deg
    free = unmasked(angles, masks)
    low, high = angles[0], angles[-1]
    lines = tuple(
        line
        for line in powder_lines(pattern.radiation)
        if low < line.two_theta_deg < high and not any(mask.holds(line.two_theta_deg) for mask in masks)
    )
    if not lines or free.sum() < len(angles) / 10:
        return None
    fits = _fits(pattern, lines, masks, free, asked.instrument_deg)
    fit, others = fits[0], tuple(fits[1:])
    residual = _residual(pattern, fit)
    reduced = float(np.sum(residual[free] ** 2) / max(int(free.sum()) - fit.n_parameters, 1))
    inflation = _inflation(residual[free], fit.shape.fwhm_deg / pattern.step_deg)
    draws = resampled(fit, asked.n_bootstrap, asked.seed, counted=pattern.is_counts, inflation=inflation)
    draws = _with_backgrounds(draws, fit, others, asked.seed)
    strain = _strain(pattern, fit, free)
    return Analysis(pattern, masks, asked, fit, draws, others, free, residual, reduced, inflation, strain)


def _strain(pattern: Pattern, fit: Fit, free: np.ndarray) -> float | None:
    """Up to which part of the broadening is strain, where widths that grow as tan theta fit clearly better."""
    if fit.shape.fwhm_deg <= fit.model.instrument_deg or len(fit.model.lines) < LEAST_LINES:
        return None
    scan = (pattern.two_theta_deg, pattern.counts, pattern.variance_per_count, free)
    parts = np.linspace(0.0, 1.0, STRAIN_PARTS)
    fits = [fit_lines(replace(fit.model, strain=float(part)), scan, pattern.step_deg, fit.shape) for part in parts[1:]]
    chi2 = np.array([_chi2(pattern, one, free) for one in (fit, *fits)])
    best = int(np.argmin(chi2))
    if best == 0:
        return None
    per = fits[best - 1].shape.fwhm_deg / pattern.step_deg
    inflation = _inflation(_residual(pattern, fits[best - 1])[free], per)
    if (chi2[0] - chi2[best]) / inflation < STRAIN_GAIN:
        return None
    within = np.flatnonzero(chi2 <= chi2[best] + STRAIN_WITHIN * inflation)
    return float(parts[min(int(within[-1]) + 1, STRAIN_PARTS - 1)])


def _residual(pattern: Pattern, fit: Fit) -> Floats:
    """(counts - expected) / sigma of every point, sigma that of the expected counts."""
    expected = np.maximum(expected_counts(fit, pattern.two_theta_deg)[0], 1e-9 * pattern.counts.max())
    found: Floats = (pattern.counts - expected) / np.sqrt(pattern.variance_per_count * expected)
    return found


def _chi2(pattern: Pattern, fit: Fit, free: np.ndarray) -> float:
    return float(np.sum(_residual(pattern, fit)[free] ** 2))


def _fits(
    pattern: Pattern, lines: tuple[Line, ...], masks: tuple[Mask, ...], free: np.ndarray, instrument_deg: float
) -> list[Fit]:
    """Fits with softer and stiffer backgrounds, the best by Akaike's criterion (chi2 + 2 parameters) first."""
    angles = pattern.two_theta_deg
    scan = (angles, pattern.counts, pattern.variance_per_count, free)
    flanks = tuple(mask.centre_deg for mask in masks if mask.has_flanks)
    edges = tuple(mask.centre_deg for mask in masks if mask.edge and angles[0] < mask.centre_deg < angles[-1])
    found: list[tuple[float, Fit]] = []
    start: Shape | None = None
    spans: list[float] = []
    for distance in KNOTS_deg[::-1]:
        span = distance if start is None else max(distance, KNOTS_PER_WIDTH * start.fwhm_deg)
        if any(abs(span - other) < 0.1 for other in spans):
            continue
        model = Model(lines, pattern.radiation, instrument_deg, knots_of(angles[0], angles[-1], span), flanks, edges)
        fit = fit_lines(model, scan, pattern.step_deg, start)
        start, spans = fit.shape, [*spans, span]
        found.append((_chi2(pattern, fit, free) + 2 * fit.n_parameters, fit))
    return [fit for _, fit in sorted(found, key=lambda one: one[0])]


def _inflation(residual: Floats, per_width: float) -> float:
    """Variance of sums over half a line over what independent points would have; at least 1.

    Detectors of strips share photons between steps, and a background may be off: neighbours then go together.
    """
    n = max(2, min(round(per_width / 2), len(residual) // 20))
    whole = len(residual) // n * n
    sums = residual[:whole].reshape(-1, n).sum(axis=1)
    return max(1.0, float(np.mean(sums**2)) / n)


def _with_backgrounds(draws: Draws, fit: Fit, others: Sequence[Fit], seed: int) -> Draws:
    """Draws that vary as well as the result does with the background: softer, stiffer."""
    kept = [other for other in others if other.areas.sum() > 0 and fit.areas.sum() > 0]
    if not kept:
        return draws
    generator = np.random.Generator(np.random.Philox([seed, 1]))
    weight = generator.normal(0, 1 / math.sqrt(len(kept)), (len(draws.areas), len(kept)))
    # all areas go up and down together, by a factor; what shares they have, by a difference
    factor = np.array([other.areas.sum() / fit.areas.sum() for other in kept])
    shares = np.array([other.areas for other in kept]) / factor[:, None] - fit.areas
    areas = np.maximum(draws.areas + weight @ shares, 0.0) * np.exp(weight @ np.log(factor))[:, None]
    width = np.log([other.shape.fwhm_deg / fit.shape.fwhm_deg for other in kept])
    return replace(draws, areas=areas, fwhm_deg=draws.fwhm_deg * np.exp(weight @ width))


def texture_of(analysis: Analysis, thin: bool = False) -> dict[str, Interval] | None:
    """Texture coefficient of each line used; None where there are too few, or none above the noise."""
    used = list(analysis.used)
    lines = [analysis.fit.model.lines[at] for at in used]
    if len(used) < LEAST_LINES or not analysis.has_lines or not (analysis.fit.areas[used] > 0).any():
        return None
    powder = np.array([line.powder_intensity for line in lines])
    if thin:
        powder = powder / np.sin(np.radians([line.two_theta_deg / 2 for line in lines]))
    best, drawn = harris(analysis.fit.areas[used], powder), harris(analysis.draws.areas[:, used], powder)
    return {line.hkl: interval(float(best[at]), drawn[:, at], 0.0, float(len(lines))) for at, line in enumerate(lines)}


def crystallite_size(analysis: Analysis) -> Interval | None:
    """Crystallite size in nm; high is infinite where only a lower bound is known. None without lines, and with a bound
    of nothing: lines that no draw finds wider than the instrument's.

    The value takes the instrument's width off in quadrature and all broadening as size; the interval reaches up to the
    exponent 2 - eta (eta the Lorentzian share: 1 for Lorentzian lines), and to the part that is strain where it shows.
    """
    if not analysis.has_lines:
        return None
    wavelength, (low, high) = analysis.pattern.radiation.kalpha1_nm, analysis.asked.instrument_range_deg
    generator = np.random.Generator(np.random.Philox([analysis.asked.seed, 2]))
    instrument = generator.uniform(low, high, len(analysis.draws.fwhm_deg))

    def drawn_sizes(power: float) -> Floats:
        pairs = zip(analysis.draws.fwhm_deg, instrument, strict=True)
        return np.array([size_nm(float(width), float(b), REFERENCE_deg, wavelength, power) for width, b in pairs])

    drawn = 1 / drawn_sizes(2.0)
    best = 1 / size_nm(analysis.fit.shape.fwhm_deg, analysis.asked.instrument_deg, REFERENCE_deg, wavelength)
    inverse = interval(best, drawn, 0.0)  # of what is measured, a width: sizes are skewed
    value, low, high = (1 / one if one > 0 else math.inf for one in (best, inverse.high, inverse.low))
    # Lorentzian lines lose the instrument's width itself and not its square; strain would leave less to the size
    if math.isinf(low):
        return None
    power = 2 - analysis.fit.shape.lorentz
    linear = drawn_sizes(power)
    high = max(high, float(np.percentile(linear, 97.5, method="nearest")))
    return Interval(value, low, high / (1 - (analysis.strain_up_to or 0.0)) if analysis.strain_up_to != 1 else math.inf)


def sizes_by_convention(analysis: Analysis) -> tuple[float, float]:
    """Size in nm with the instrument's width taken off in quadrature, and as far as these lines are Lorentzian."""
    width, b = analysis.fit.shape.fwhm_deg, analysis.asked.instrument_deg
    wavelength = analysis.pattern.radiation.kalpha1_nm
    powers = (2.0, 2 - analysis.fit.shape.lorentz)
    quadrature, linear = (size_nm(width, b, REFERENCE_deg, wavelength, power) for power in powers)
    return quadrature, linear
