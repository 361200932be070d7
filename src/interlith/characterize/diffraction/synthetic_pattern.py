"""Patterns with a known truth: made up, and named so."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from interlith.characterize.diffraction.line_fit import Model, REFERENCE_deg, Shape, knots_of, line_columns
from interlith.characterize.diffraction.pattern import Pattern, pattern
from interlith.characterize.diffraction.radiation import COPPER, Radiation
from interlith.characterize.diffraction.texture import SCHERRER
from interlith.characterize.diffraction.wurtzite import powder_lines


def synthetic_pattern(
    texture: Mapping[str, float],
    *,
    size_nm: float = 15.0,
    instrument_deg: float = 0.06,
    counts: float = 600.0,
    background: float = 60.0,
    lorentz: float = 0.6,
    shift_deg: float = 0.0,
    range_deg: tuple[float, float, float] = (25.0, 72.0, 0.02),
    seed: int = 0,
    radiation: Radiation = COPPER,
) -> Pattern:
    """Counts drawn (Poisson) from lines of ZnO on a falling background.

    texture: by which factor each line is stronger than in a powder, 1 where it is not named (so TC is this over its
    mean). counts: area of the strongest line of the powder in counts x degrees / step; range_deg: first, last, step.

    >>> synthetic_pattern({"002": 4.0}).name
    'synthetic ZnO, made up'
    """
    angles = np.arange(range_deg[0], range_deg[1], range_deg[2])
    lines = tuple(line for line in powder_lines(radiation) if range_deg[0] < line.two_theta_deg < range_deg[1])
    beta = np.degrees(SCHERRER * radiation.kalpha1_nm / (size_nm * np.cos(np.radians(REFERENCE_deg / 2))))
    shape = Shape(shift_deg, float(np.hypot(beta, instrument_deg)), lorentz)
    model = Model(lines, radiation, instrument_deg, knots_of(range_deg[0], range_deg[1], 10.0))
    areas = np.array([texture.get(line.hkl, 1.0) * line.powder_intensity / 100 for line in lines])
    expected = counts * range_deg[2] * (line_columns(model, shape, angles) @ areas)
    smooth = background * (0.4 + 0.6 * np.exp(-(angles - angles[0]) / 20.0))
    drawn = np.random.Generator(np.random.Philox(seed)).poisson(expected + smooth)
    return pattern("synthetic ZnO, made up", angles, drawn.astype(np.float64), radiation)
