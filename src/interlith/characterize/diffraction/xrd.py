"""How a ZnO coating is oriented and how large its crystallites are, from a diffraction pattern."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from interlith.characterize.diffraction.identity import doubt_of, otherwise
from interlith.characterize.diffraction.line_fit import expected_counts
from interlith.characterize.diffraction.masking import Stated, beneath, masks_of, substrates_of
from interlith.characterize.diffraction.pattern import Pattern, with_radiation
from interlith.characterize.diffraction.radiation import of_wavelength
from interlith.characterize.diffraction.scan import Floats
from interlith.characterize.diffraction.texture import Interval, interval
from interlith.characterize.diffraction.whole_pattern import Analysis, analysed, asked_of, crystallite_size, texture_of
from interlith.characterize.diffraction.xrd_words import Texture, headline, preferred_of, remarks
from interlith.characterize.measured import Measured
from interlith.parts.quantity import Quantity

MOST_DRAWN = 2500  # points of a figure


def measure_xrd(
    pattern: Pattern,
    *,
    masks: Stated | None = None,
    substrate: str | None = None,
    lines: Sequence[str] | None = None,
    instrument_width_deg: float | None = None,
    wavelength_nm: float | None = None,
    n_bootstrap: int = 200,
    seed: int = 0,
) -> Measured:
    """Texture coefficients by Harris and the crystallite size by Scherrer, from a fit of the whole pattern.

    Every line of ZnO in the range, at the places of its cell with one shift of the zero, pseudo-Voigt with K-alpha 1
    and 2, widths from one crystallite size and the instrument; areas that are not negative; a smooth background;
    Poisson weights. Intervals hold 95 %: patterns are drawn anew from the fit, the background is taken softer and
    stiffer, and the instrument's width varies over its range.

    masks: (low, high) or (low, high, name) in degrees, left out of the fit beside the lines of the substrate.
    substrate: one of substrates.SUBSTRATES, several joined by "+", None: recognized, "none": there is none. lines: of
    which the texture is taken ("002", ...); None: those of the seven strong ones that can be seen.
    instrument_width_deg: full width at half maximum of a standard without broadening (LaB6); None: 0.06 assumed, 0.03
    to 0.12. wavelength_nm: K-alpha 1 of the tube, in place of what the file says.

    Where the pattern is not one of ZnO (see identity.doubt_of) the headline says why, and there are no quantities.
    Fewer than three lines, or none above the noise: no texture, and the reason is said. A line no wider than the
    instrument makes it: a lower bound of the size. Raises InputError for options that cannot be meant.

    >>> from interlith.characterize.diffraction.synthetic_pattern import synthetic_pattern
    >>> found = measure_xrd(synthetic_pattern({"002": 4.0}, size_nm=15.0, seed=1), n_bootstrap=50)
    >>> found.values["n_lines"], found.values["preferred"]
    (7, '002')
    """
    asked = asked_of(lines, instrument_width_deg, n_bootstrap, seed)
    if wavelength_nm is not None:
        pattern = with_radiation(pattern, of_wavelength(wavelength_nm))
    names = substrates_of(pattern, substrate)
    pattern = replace(pattern, said=(*pattern.said, *beneath(pattern, names)))
    analysis = analysed(pattern, masks_of(pattern, masks, names), asked)
    if analysis is None:
        low, high = pattern.two_theta_deg[0], pattern.two_theta_deg[-1]
        reason = f"no line of ZnO lies between {low:g} and {high:g} degrees outside the masks"
        more = f": {hint}" if (hint := otherwise(pattern)) else ""
        return Measured("xrd", f"No texture: {reason}{more}.", {"name": pattern.name, "n_lines": 0}, said=pattern.said)
    return _measured(analysis, doubt_of(analysis))


def _measured(analysis: Analysis, doubt: str) -> Measured:
    texture, size = texture_of(analysis), crystallite_size(analysis)
    name, n = analysis.pattern.name, len(analysis.used)
    hkls = [analysis.fit.model.lines[at].hkl for at in analysis.used]
    values: dict[str, Any] = {
        "name": name,
        "n_lines": n,
        "lines": hkls,
        "doubt": doubt or None,
        "preferred": None if texture is None else preferred_of(texture),
        "texture_coefficients": None if texture is None else {hkl: _plain(one) for hkl, one in texture.items()},
        "fractions": None if texture is None else {hkl: _plain(one, n) for hkl, one in texture.items()},
        "crystallite_size_nm": None if size is None or math.isinf(size.high) else _plain(size),
        "crystallite_size_above_nm": size.low if size is not None and math.isinf(size.high) else None,
        "fwhm_deg": _plain(interval(analysis.fit.shape.fwhm_deg, analysis.draws.fwhm_deg, 0.0)),
        "shift_deg": _plain(interval(analysis.fit.shape.shift_deg, analysis.draws.shift_deg)),
        "lorentzian_share": analysis.fit.shape.lorentz,
        "reduced_chi2": analysis.reduced_chi2 if analysis.pattern.is_counts else None,
        "kalpha1_nm": analysis.pattern.radiation.kalpha1_nm,
        "instrument_width_deg": analysis.asked.instrument_deg,
        "masks": [{"low_deg": mask.low_deg, "high_deg": mask.high_deg, "name": mask.name} for mask in analysis.masks],
    }
    hint = otherwise(analysis.pattern) if doubt or texture is None else ""
    if doubt or hint:
        what = f"{doubt or 'No ZnO found'}{'; ' * bool(hint)}{hint}."
        said = (*analysis.pattern.said, *remarks(analysis, None, None, hint))
        return Measured("xrd", what, values, (), said, _tables(analysis, None))
    said = (*analysis.pattern.said, *remarks(analysis, texture, size))
    quantities = _quantities(name, texture, size)
    return Measured("xrd", headline(texture, size, analysis), values, quantities, said, _tables(analysis, texture))


def _plain(one: Interval, over: int = 1) -> dict[str, float]:
    return {"value": one.value / over, "low": one.low / over, "high": one.high / over}


def _quantities(name: str, texture: Texture, size: Interval | None) -> tuple[Quantity, ...]:
    n = len(texture or {})
    source = f"XRD of {name}, texture coefficient / {n} over {', '.join(texture or {})}"
    found = [_quantity(f"fraction_{hkl}", _plain(one, n), source) for hkl, one in (texture or {}).items()]
    if size is not None and not math.isinf(size.high):
        found.append(_quantity("crystallite_size_nm", _plain(size), f"XRD of {name}, Scherrer 0.9, no strain"))
    return tuple(found)


def _quantity(key: str, one: Mapping[str, float], source: str) -> Quantity:
    return Quantity(key, one["value"], source, low=one["low"], high=one["high"], file="recipe", table="measured")


def _tables(analysis: Analysis, texture: Texture) -> dict[str, pl.DataFrame]:
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


def _line_rows(analysis: Analysis, texture: Texture) -> list[dict[str, Any]]:
    rows = []
    for at, line in enumerate(analysis.fit.model.lines):
        area = interval(float(analysis.fit.areas[at]), analysis.draws.areas[:, at], 0.0)
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
