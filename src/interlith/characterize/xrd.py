"""How a ZnO coating is oriented and how large its crystallites are: one diffraction pattern, or several side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from interlith.characterize.line_fit import (
    REFERENCE_deg,
    Draws,
    Fit,
    Model,
    Shape,
    expected_counts,
    fit_lines,
    knots_of,
    resampled,
    widths_deg,
)
from interlith.characterize.masking import Stated, masks_of, unmasked
from interlith.characterize.measured import Measured, Quantity
from interlith.characterize.pattern import Pattern
from interlith.characterize.scan import Floats
from interlith.characterize.substrates import Mask, candidates
from interlith.characterize.texture import Interval, harris, interval, size_nm
from interlith.characterize.wurtzite import MULTIPLICITY, SECOND_ORDERS, TEXTURE_LINES, Line, powder_lines
from interlith.errors import InputError

INSTRUMENT_deg, INSTRUMENT_FROM_deg, INSTRUMENT_TO_deg = 0.06, 0.03, 0.12  # assumed, of laboratory diffractometers
KNOTS_deg = (3.0, 4.0, 6.0)  # backgrounds from soft to stiff; Akaike's criterion picks, the others tell the error
KNOTS_PER_WIDTH = 5.0  # the least distance of knots in widths of a line: a background must not follow lines
LEAST_LINES, LEAST_GAIN, LEAST_VISIBLE = 3, 40.0, 0.7  # for a texture; of chi2 by the lines; of a line's middle
GOOD_CHI2, MISFIT = 1.5, 6.0  # reduced; standard errors over half a width
LEAST_DRAWS, MOST_DRAWS = 20, 5000
MOST_DRAWN = 2500  # points of a figure


@dataclass(frozen=True)
class _Asked:
    lines: tuple[str, ...] | None
    instrument_deg: float
    instrument_range_deg: tuple[float, float]
    n_bootstrap: int
    seed: int


@dataclass(frozen=True)
class _Analysis:
    """One pattern, fitted. residual: (counts - expected) / sigma; free: not masked."""

    pattern: Pattern
    masks: tuple[Mask, ...]
    asked: _Asked
    fit: Fit
    draws: Draws
    others: tuple[Fit, ...]
    free: np.ndarray
    residual: Floats
    reduced_chi2: float
    inflation: float

    @property
    def has_lines(self) -> bool:
        """Whether the lines explain more than the noise would."""
        return (self.fit.chi2_without_lines - self.fit.chi2) / self.inflation > LEAST_GAIN

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


def measure_xrd(
    pattern: Pattern,
    *,
    masks: Stated | None = None,
    substrate: str | None = None,
    lines: Sequence[str] | None = None,
    instrument_width_deg: float | None = None,
    n_bootstrap: int = 200,
    seed: int = 0,
) -> Measured:
    """Texture coefficients by Harris and the crystallite size by Scherrer, from a fit of the whole pattern.

    Every line of ZnO in the range, at the places of its cell with one shift of the zero, pseudo-Voigt with K-alpha 1
    and 2, widths from one crystallite size and the instrument; areas that are not negative; a smooth background; Poisson
    weights. Intervals hold 95 %: patterns are drawn anew from the fit, the background is taken softer and stiffer, and
    the instrument's width varies over its range.

    masks: (low, high) or (low, high, name) in degrees, left out of the fit beside the lines of the substrate. substrate:
    one of substrates.SUBSTRATES, several joined by "+", None: recognized, "none": there is none. lines: of which the
    texture is taken ("002", ...); None: those of the seven strong ones that can be seen. instrument_width_deg: full width
    at half maximum of a standard without broadening (LaB6); None: 0.06 assumed, 0.03 to 0.12.

    Fewer than three lines, or none above the noise: no texture, and the reason is said. A line no wider than the
    instrument makes it: a lower bound of the size. Raises InputError for options that cannot be meant.

    >>> from interlith.characterize.synthetic_pattern import synthetic_pattern
    >>> found = measure_xrd(synthetic_pattern({"002": 4.0}, size_nm=15.0, seed=1), n_bootstrap=50)
    >>> found.values["n_lines"], found.values["preferred"]
    (7, '002')
    """
    asked = _asked(lines, instrument_width_deg, n_bootstrap, seed)
    analysis = _analysed(pattern, masks_of(pattern, masks, substrate), asked)
    if analysis is None:
        low, high = pattern.two_theta_deg[0], pattern.two_theta_deg[-1]
        reason = f"no line of ZnO lies between {low:g} and {high:g} degrees outside the masks"
        return Measured("xrd", f"No texture: {reason}.", {"name": pattern.name, "n_lines": 0}, said=pattern.said)
    return _measured(analysis)


def _asked(
    lines: Sequence[str] | None, instrument_width_deg: float | None, n_bootstrap: int, seed: int
) -> _Asked:
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
    return _Asked(None if lines is None else tuple(dict.fromkeys(lines)), width, ends, n_bootstrap, seed)


def _analysed(pattern: Pattern, masks: tuple[Mask, ...], asked: _Asked) -> _Analysis | None:
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
    fit, others = fits[0], fits[1:]
    expected = np.maximum(expected_counts(fit, angles)[0], 1e-9 * pattern.counts.max())
    residual = (pattern.counts - expected) / np.sqrt(pattern.variance_per_count * expected)
    reduced = float(np.sum(residual[free] ** 2) / max(int(free.sum()) - fit.n_parameters, 1))
    inflation = _inflation(residual[free], fit.shape.fwhm_deg / pattern.step_deg)
    draws = resampled(fit, asked.n_bootstrap, asked.seed, counted=pattern.is_counts, inflation=inflation)
    draws = _with_backgrounds(draws, fit, others, asked.seed)
    return _Analysis(pattern, masks, asked, fit, draws, others, free, residual, reduced, inflation)


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
        found.append((fit.chi2 + 2 * fit.n_parameters, fit))
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
    if not others:
        return draws
    generator = np.random.Generator(np.random.Philox([seed, 1]))
    weight = generator.normal(0, 1 / math.sqrt(len(others)), (len(draws.areas), len(others)))
    areas = draws.areas + weight @ np.array([other.areas - fit.areas for other in others])
    width = draws.fwhm_deg + weight @ np.array([other.shape.fwhm_deg - fit.shape.fwhm_deg for other in others])
    return replace(draws, areas=np.maximum(areas, 0.0), fwhm_deg=np.maximum(width, 1e-3))


def _texture(analysis: _Analysis, thin: bool = False) -> dict[str, Interval] | None:
    """Texture coefficient of each line used; None where there are too few, or none above the noise."""
    used = list(analysis.used)
    lines = [analysis.fit.model.lines[at] for at in used]
    if len(used) < LEAST_LINES or not analysis.has_lines or not (analysis.fit.areas[used] > 0).any():
        return None
    powder = np.array([line.powder_intensity for line in lines])
    if thin:
        powder = powder / np.sin(np.radians([line.two_theta_deg / 2 for line in lines]))
    best, drawn = harris(analysis.fit.areas[used], powder), harris(analysis.draws.areas[:, used], powder)
    return {
        line.hkl: interval(float(best[at]), drawn[:, at]) for at, line in enumerate(lines)
    }


def _size(analysis: _Analysis) -> Interval | None:
    """Crystallite size in nm; high is infinite where only a lower bound is known. None without lines."""
    if not analysis.has_lines:
        return None
    wavelength, (low, high) = analysis.pattern.radiation.kalpha1_nm, analysis.asked.instrument_range_deg
    generator = np.random.Generator(np.random.Philox([analysis.asked.seed, 2]))
    instrument = generator.uniform(low, high, len(analysis.draws.fwhm_deg))
    pairs = zip(analysis.draws.fwhm_deg, instrument, strict=True)
    drawn = np.array([size_nm(float(width), float(b), REFERENCE_deg, wavelength) for width, b in pairs])
    best = size_nm(analysis.fit.shape.fwhm_deg, analysis.asked.instrument_deg, REFERENCE_deg, wavelength)
    ends = np.percentile(drawn, (2.5, 97.5), method="higher")
    return Interval(best, float(min(ends[0], best)), float(max(ends[1], best)))


def _measured(analysis: _Analysis) -> Measured:
    texture, size = _texture(analysis), _size(analysis)
    name, n = analysis.pattern.name, len(analysis.used)
    hkls = [analysis.fit.model.lines[at].hkl for at in analysis.used]
    preferred = None if texture is None else max(texture, key=lambda hkl: texture[hkl].value)
    values: dict[str, Any] = {
        "name": name,
        "n_lines": n,
        "lines": hkls,
        "preferred": preferred,
        "texture_coefficients": None if texture is None else {hkl: _plain(one) for hkl, one in texture.items()},
        "fractions": None if texture is None else {hkl: _plain(one, n) for hkl, one in texture.items()},
        "crystallite_size_nm": None if size is None or math.isinf(size.high) else _plain(size),
        "crystallite_size_above_nm": size.low if size is not None and math.isinf(size.high) else None,
        "fwhm_deg": _plain(interval(analysis.fit.shape.fwhm_deg, analysis.draws.fwhm_deg)),
        "shift_deg": _plain(interval(analysis.fit.shape.shift_deg, analysis.draws.shift_deg)),
        "lorentzian_share": analysis.fit.shape.lorentz,
        "reduced_chi2": analysis.reduced_chi2 if analysis.pattern.is_counts else None,
        "kalpha1_nm": analysis.pattern.radiation.kalpha1_nm,
        "instrument_width_deg": analysis.asked.instrument_deg,
        "masks": [{"low_deg": mask.low_deg, "high_deg": mask.high_deg, "name": mask.name} for mask in analysis.masks],
    }
    said = (*analysis.pattern.said, *_said(analysis, texture, size))
    quantities = _quantities(name, hkls, texture, size)
    headline = _headline(texture, size, n, hkls, analysis)
    return Measured("xrd", headline, values, quantities, said, _tables(analysis, texture))


def _plain(one: Interval, over: int = 1) -> dict[str, float]:
    return {"value": one.value / over, "low": one.low / over, "high": one.high / over}


def _quantities(
    name: str, hkls: Sequence[str], texture: dict[str, Interval] | None, size: Interval | None
) -> tuple[Quantity, ...]:
    found = []
    n = len(hkls)
    source = f"XRD of {name}, texture coefficient / {n} over {', '.join(hkls)}"
    for hkl, one in (texture or {}).items():
        fraction = _plain(one, n)
        ends = {"low": fraction["low"], "high": fraction["high"], "file": "recipe", "table": "measured"}
        found.append(Quantity(f"fraction_{hkl}", fraction["value"], source, **ends))
    if size is not None and not math.isinf(size.high):
        words = f"XRD of {name}, Scherrer 0.9, no strain"
        ends = {"low": size.low, "high": size.high, "file": "recipe", "table": "measured"}
        found.append(Quantity("crystallite_size_nm", size.value, words, **ends))
    return tuple(found)


def _headline(
    texture: dict[str, Interval] | None, size: Interval | None, n: int, hkls: Sequence[str], analysis: _Analysis
) -> str:
    if texture is None:
        return f"No texture: {_why_none(analysis)}."
    preferred = max(texture, key=lambda hkl: texture[hkl].value)
    one = texture[preferred]
    first = (
        f"ZnO with TC({preferred}) {one.value:.2f} ({one.low:.2f} to {one.high:.2f}) of at most {n}, over the "
        f"{n} lines {', '.join(hkls)}"
    )
    if size is None:
        return f"{first}."
    if math.isinf(size.high):
        return f"{first}; crystallites above {size.low:.0f} nm, as narrow as the instrument's lines."
    return f"{first}; crystallites of {size.value:.1f} nm ({size.low:.1f} to {size.high:.1f})."


def _why_none(analysis: _Analysis) -> str:
    n = len(analysis.used)
    if not analysis.has_lines:
        return "no line of ZnO stands above the noise. Lines at half the angle would mean that theta was given"
    if n < LEAST_LINES:
        return f"{n} line{'s' * (n != 1)} can be seen outside the masks, {LEAST_LINES} or more are needed"
    return "the lines that can be seen have no intensity"


def _said(analysis: _Analysis, texture: dict[str, Interval] | None, size: Interval | None) -> tuple[str, ...]:
    """What must be known beside the numbers."""
    said = []
    if analysis.masks:
        parts = [f"{mask.name} ({mask.low_deg:.2f} to {mask.high_deg:.2f})" for mask in analysis.masks]
        said.append(f"left out of the fit, in degrees: {', '.join(parts)}")
    if texture is not None:
        n = len(texture)
        said.append(f"coefficients depend on which lines are counted: {n} of {', '.join(texture)}; a powder has 1 in each")
        missing = [line for line in TEXTURE_LINES if line not in texture]
        if missing and analysis.asked.lines is None:
            said.append(f"not counted, out of range or masked: {', '.join(missing)}")
        said += [f"{hkl} is the second order of {SECOND_ORDERS[hkl]}: counted twice" for hkl in texture if hkl in SECOND_ORDERS]
        thin = _texture(analysis, thin=True)
        preferred = max(texture, key=lambda hkl: texture[hkl].value)
        if thin is not None:
            said.append(
                f"powder intensities are those of a thick sample; of a coating far thinner than 10 um with the beam's "
                f"footprint on it TC({preferred}) is {thin[preferred].value:.2f}"
            )
    if size is not None:
        said += _about_size(analysis, size)
    return (*said, *_misfit(analysis))


def _about_size(analysis: _Analysis, size: Interval) -> list[str]:
    said = []
    low, high = analysis.asked.instrument_range_deg
    if low < high:
        said.append(
            f"the instrument's width is assumed: {analysis.asked.instrument_deg:g} degrees, {low:g} to {high:g}; a scan "
            "of LaB6 or of coarse silicon powder tells it"
        )
    if math.isinf(size.high):
        said.append("lines are as narrow as the instrument's: the size is a lower bound")
    else:
        said.append("all broadening is taken as size; with strain the crystallites are larger. One size for all directions")
    return said


def _misfit(analysis: _Analysis) -> list[str]:
    """Where the fit is off, and which line of a substrate lies there."""
    from scipy.ndimage import uniform_filter1d

    n = max(3, round(analysis.fit.shape.fwhm_deg / 2 / analysis.pattern.step_deg))
    kept = np.where(analysis.free, analysis.residual, 0.0)
    smooth = np.abs(uniform_filter1d(kept, n)) * math.sqrt(n) / math.sqrt(analysis.inflation)
    worst = int(np.argmax(smooth))
    bad = analysis.pattern.is_counts and analysis.reduced_chi2 > GOOD_CHI2
    raw = float(smooth[worst]) * math.sqrt(analysis.inflation)
    if not bad and raw < MISFIT:
        return []
    angle = float(analysis.pattern.two_theta_deg[worst])
    names = candidates(angle, analysis.pattern.radiation)
    what = f"; there lies {names[0]}: name the substrate" if names else "; a line of something else? Mask it"
    chi2 = f"reduced chi2 is {analysis.reduced_chi2:.3g}: " if bad else ""
    return [f"{chi2}the fit is off by {raw:.0f} standard errors at {angle:.2f} degrees{what}"]


def _tables(analysis: _Analysis, texture: dict[str, Interval] | None) -> dict[str, pl.DataFrame]:
    pattern = analysis.pattern
    n = max(1, math.ceil(len(pattern.counts) / MOST_DRAWN))
    whole = len(pattern.counts) // n * n

    def mean(values: Floats) -> Floats:
        found: Floats = values[:whole].reshape(-1, n).mean(axis=1)
        return found

    expected, background, _ = expected_counts(analysis.fit, pattern.two_theta_deg)
    columns = {
        "two_theta_deg": mean(pattern.two_theta_deg),
        "counts": mean(pattern.counts),
        "fitted_counts": mean(expected),
        "background_counts": mean(background),
        "residual_sigma": mean(analysis.residual) * math.sqrt(n),
        "masked": mean(analysis.free.astype(np.float64)) < 1,
    }
    names = ("low_deg", "high_deg", "name")
    masks = [dict(zip(names, (mask.low_deg, mask.high_deg, mask.name), strict=True)) for mask in analysis.masks]
    return {
        "xrd-pattern": pl.DataFrame(columns),
        "xrd-masks": pl.DataFrame(masks, schema={"low_deg": pl.Float64, "high_deg": pl.Float64, "name": pl.String}),
        "xrd-lines": pl.DataFrame(_line_rows(analysis, texture), infer_schema_length=None),
    }


def _line_rows(analysis: _Analysis, texture: dict[str, Interval] | None) -> list[dict[str, Any]]:
    rows = []
    for at, line in enumerate(analysis.fit.model.lines):
        area = interval(float(analysis.fit.areas[at]), analysis.draws.areas[:, at])
        one = (texture or {}).get(line.hkl)
        rows.append(
            {
                "hkl": line.hkl,
                "two_theta_deg": line.two_theta_deg + analysis.fit.shape.shift_deg,
                "area_counts_deg": area.value,
                "area_low_counts_deg": area.low,
                "area_high_counts_deg": area.high,
                "powder_intensity": line.powder_intensity,
                "texture_coefficient": None if one is None else one.value,
                "texture_low": None if one is None else one.low,
                "texture_high": None if one is None else one.high,
            }
        )
    return rows


def measure_series(found: Sequence[tuple[str, Measured]]) -> Measured:
    """Several patterns side by side: texture coefficients and size of each, and how far they spread.

    Coefficients are compared only where all were taken over the same lines; otherwise that is said. Raises InputError
    for no patterns.
    """
    if not found:
        raise InputError("a series needs at least one pattern")
    rows = []
    for name, one in found:
        for hkl, held in (one.values.get("texture_coefficients") or {}).items():
            ends = {"texture_coefficient": held["value"], "texture_low": held["low"], "texture_high": held["high"]}
            rows.append({"name": name, "hkl": hkl, **ends, "n_lines": one.values["n_lines"]})
    schema = {
        "name": pl.String,
        "hkl": pl.String,
        "texture_coefficient": pl.Float64,
        "texture_low": pl.Float64,
        "texture_high": pl.Float64,
        "n_lines": pl.Int64,
    }
    sizes = [{"name": name, **_size_row(one)} for name, one in found]
    said = []
    sets = {tuple(one.values["lines"]) for _, one in found if one.values.get("texture_coefficients")}
    if len(sets) > 1:
        said.append("the patterns show different lines: their coefficients cannot be compared; name the lines")
    said += [f"{name}: {one.headline}" for name, one in found if not one.values.get("texture_coefficients")]
    values = {"n_patterns": len(found), "comparable": len(sets) == 1, "patterns": [dict(one.values) for _, one in found]}
    size_schema = {"name": pl.String, "size_nm": pl.Float64, "size_low_nm": pl.Float64, "size_high_nm": pl.Float64}
    tables = {"xrd-series": pl.DataFrame(rows, schema=schema), "xrd-sizes": pl.DataFrame(sizes, schema=size_schema)}
    return Measured("xrd", _series_headline(rows, len(found), len(sets) == 1), values, (), tuple(said), tables)


def _size_row(one: Measured) -> dict[str, float | None]:
    size = one.values.get("crystallite_size_nm")
    if size is None:
        return {"size_nm": None, "size_low_nm": one.values.get("crystallite_size_above_nm"), "size_high_nm": None}
    return {"size_nm": size["value"], "size_low_nm": size["low"], "size_high_nm": size["high"]}


def _series_headline(rows: Sequence[dict[str, Any]], n: int, comparable: bool) -> str:
    if not rows or not comparable:
        return f"{n} patterns, no texture that can be compared."
    table = pl.DataFrame(rows)
    means = table.group_by("hkl").agg(pl.col("texture_coefficient").mean()).sort("texture_coefficient")
    hkl = means["hkl"][-1]
    of_it = table.filter(pl.col("hkl") == hkl)["texture_coefficient"]
    least, most = float(of_it.min()), float(of_it.max())  # type: ignore[arg-type]
    return f"{n} patterns: TC({hkl}) {least:.2f} to {most:.2f} of at most {rows[0]['n_lines']}."
