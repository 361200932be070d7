"""The parts of the fit by themselves: shapes, backgrounds, bounded least squares, resampling; judged from outside."""

import numpy as np
import pytest
from scipy.optimize import lsq_linear

from interlith.characterize.diffraction.line_fit import (
    Model,
    Shape,
    background_columns,
    knots_of,
    line_columns,
    partly_free,
    resampled,
)
from interlith.characterize.diffraction.masking import masks_of
from interlith.characterize.diffraction.radiation import COPPER, two_theta_deg
from interlith.characterize.diffraction.synthetic_pattern import synthetic_pattern
from interlith.characterize.diffraction.whole_pattern import _inflation, analysed, asked_of
from interlith.characterize.diffraction.wurtzite import powder_lines

LINES = powder_lines(COPPER)
KNOTS = knots_of(10.0, 110.0, 5.0)


def area(values, angles):
    return float(np.sum((values[1:] + values[:-1]) / 2 * np.diff(angles)))


@pytest.mark.parametrize("lorentz", [0.0, 0.4, 1.0])
def test_a_line_has_area_1_and_its_full_width(lorentz):
    """Of one wavelength: half the height half a width from the middle."""
    from dataclasses import replace

    angles = np.arange(10.0, 110.0, 0.002)
    one = replace(COPPER, kalpha2_nm=None)
    model = Model(LINES[1:2], one, 0.06, KNOTS)
    shape = Shape(0.1, 0.3, lorentz)
    values = line_columns(model, shape, angles)[:, 0]
    assert area(values, angles) == pytest.approx(1.0, abs=0.005)
    middle = LINES[1].two_theta_deg + 0.1
    height = np.interp(middle, angles, values)
    assert angles[np.argmax(values)] == pytest.approx(middle, abs=0.002)
    assert np.interp([middle - 0.15, middle + 0.15], angles, values) == pytest.approx(height / 2, rel=1e-3)


def test_the_second_line_of_copper_is_half_as_strong():
    angles = np.arange(88.0, 92.0, 0.001)
    model = Model(LINES[-1:], COPPER, 0.03, KNOTS)
    values = line_columns(model, Shape(0.0, 0.03, 0.0), angles)[:, 0]
    first, second = (two_theta_deg(LINES[-1].spacing_nm, nm) for nm, _ in COPPER.lines)
    heights = np.interp([first, second], angles, values)
    assert heights[1] / heights[0] == pytest.approx(0.5, rel=0.01)
    assert second - first == pytest.approx(0.28, abs=0.02)


def test_lines_get_wider_with_the_angle_by_size_and_not_by_the_instrument():
    """Size alone goes with 1/cos(theta)."""
    from interlith.characterize.diffraction.line_fit import REFERENCE_deg, widths_deg

    by_size = widths_deg(Model(LINES, COPPER, 1e-6, KNOTS), Shape(0, 0.5, 0), np.array([REFERENCE_deg, 80.0]))
    cosines = np.cos(np.radians([REFERENCE_deg / 2, 40.0]))
    assert by_size[1] / by_size[0] == pytest.approx(cosines[0] / cosines[1], rel=1e-9)
    by_instrument = widths_deg(Model(LINES, COPPER, 0.5, KNOTS), Shape(0, 0.5, 0), np.array([REFERENCE_deg, 80.0]))
    assert by_instrument == pytest.approx([0.5, 0.5])


def test_backgrounds_have_flanks_and_steps_that_are_asked_for():
    angles = np.linspace(20.0, 90.0, 701)
    plain = background_columns(Model(LINES, COPPER, 0.06, KNOTS), angles)
    assert plain.sum(axis=1) == pytest.approx(np.ones(701))  # B-splines add up to 1
    more = background_columns(Model(LINES, COPPER, 0.06, KNOTS, (69.0,), (61.7,)), angles)[:, plain.shape[1] :]
    assert more.shape[1] == 3
    assert np.interp([67.0, 73.0, 79.0], angles, more[:, 0]) == pytest.approx([1 / 4, 1 / 16, 1 / 100], rel=0.01)
    assert more[:, 1] + more[:, 2] == pytest.approx(np.ones(701))
    assert more[angles > 61.8, 1].min() == 1
    assert more[angles < 61.6, 1].max() == 0


def test_bounded_least_squares_as_scipy_solves_it():
    dice = np.random.default_rng(3)
    for n_free in (0, 2):
        for _ in range(20):
            a, b = dice.normal(size=(40, 9)), dice.normal(size=40) * 3
            low = np.array([0.0] * (9 - n_free) + [-np.inf] * n_free)
            judge = lsq_linear(a, b, (low, np.inf), method="bvls", tol=1e-12).x
            assert partly_free(a.T @ a, a.T @ b, n_free) == pytest.approx(judge, abs=1e-6)


def test_neighbours_that_go_together_are_found():
    noise = np.random.default_rng(2).normal(size=40_000)
    assert _inflation(noise, 20) == pytest.approx(1.0, abs=0.08)
    shared = (noise[1:] + noise[:-1]) / np.sqrt(2)
    assert _inflation(shared, 40) == pytest.approx(2.0, abs=0.2)


def test_draws_spread_as_patterns_do():
    """Areas of 40 patterns of one truth spread as the draws from the first of them say."""
    asked = asked_of(None, 0.06, 200, 0)
    ones = [synthetic_pattern({"002": 4.0}, counts=1500.0, seed=seed) for seed in range(40)]
    fits = [analysed(one, (), asked) for one in ones]
    found = np.array([one.fit.areas for one in fits])
    drawn = np.mean(
        [resampled(one.fit, 60, 1, counted=True, inflation=1.0).areas.std(axis=0) for one in fits[:4]], axis=0
    )
    strong = [0, 1, 2, 4, 5]
    ratio = drawn[strong] / found.std(axis=0)[strong]
    assert (ratio > 0.6).all()
    assert (ratio < 1.5).all()
    assert np.exp(np.log(ratio).mean()) == pytest.approx(1.0, abs=0.2)
    normal = resampled(fits[0].fit, 250, 1, counted=False, inflation=1.0).areas.std(axis=0)
    poisson = resampled(fits[0].fit, 250, 1, counted=True, inflation=1.0).areas.std(axis=0)
    assert normal[strong] == pytest.approx(poisson[strong], rel=0.2)
    inflated = resampled(fits[0].fit, 250, 1, counted=True, inflation=4.0).areas.std(axis=0)
    assert inflated[strong] == pytest.approx(2 * poisson[strong], rel=0.15)


def test_the_choice_of_background_is_part_of_the_error():
    one = synthetic_pattern({"002": 4.0}, counts=1500.0, size_nm=8.0, seed=1)
    analysis = analysed(one, masks_of(one, None, ()), asked_of(None, 0.06, 400, 0))
    alone = resampled(analysis.fit, 400, 0, counted=True, inflation=analysis.inflation)
    assert analysis.others
    assert analysis.draws.areas[:, 1].std() > alone.areas[:, 1].std()
    assert analysis.draws.fwhm_deg.std() > alone.fwhm_deg.std()
