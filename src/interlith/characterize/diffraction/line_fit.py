"""Lines of known places and one width on a smooth background, fitted to counts: amplitudes that are not negative."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from interlith.characterize.diffraction.radiation import Radiation, two_theta_deg
from interlith.characterize.diffraction.scan import Floats
from interlith.characterize.diffraction.wurtzite import Line
from interlith.characterize.not_negative import not_negative

GAUSS = 4 * np.log(2.0)
WIDTHS_deg = (0.06, 0.1, 0.17, 0.3, 0.5, 0.9)  # to begin with
MOST_SHIFT_deg, LEAST_deg, MOST_deg = 0.4, 0.02, 4.0
POINTS_PER_WIDTH = 10  # of the fit; finer ones are added up
MOST_STEPS, LEAST_PART = 25, 0.02  # of Gauss-Newton; of a step, shortened
STILL, STILL_GAIN = 1e-5, 0.01  # of chi2, by which a step must lower it to go on
FLOOR = 1e-3  # of the mean: below it no variance is taken
RIDGE = 1e-10  # of the diagonal: lines out of sight still have a matrix with an inverse
REFERENCE_deg = 34.42  # where the width that is fitted holds: (002)


@dataclass(frozen=True)
class Shape:
    """What all lines share: shift of the zero, full width at half maximum at 34.42 degrees, Lorentzian share."""

    shift_deg: float
    fwhm_deg: float
    lorentz: float


@dataclass(frozen=True)
class Points:
    """What is fitted. weight: how many points of the pattern were added up (their mean stands in `counts`)."""

    angles: Floats
    counts: Floats
    variance_per_count: Floats
    weight: float


@dataclass(frozen=True)
class Model:
    """What may be in a pattern: lines, wavelengths, instrument width, and of what the background is made.

    flanks_deg: where a masked line is so strong that its flanks reach beyond the mask. edges_deg: where the background
    may jump, under a mask: a wafer reflects the tube's continuum, which a filter or the detector cuts off. strain:
    which part of what broadens a line at 34.42 degrees grows as tan theta, as strain does, instead of 1/cos theta.
    """

    lines: tuple[Line, ...]
    radiation: Radiation
    instrument_deg: float
    knots: Floats
    flanks_deg: tuple[float, ...] = ()
    edges_deg: tuple[float, ...] = ()
    strain: float = 0.0


@dataclass(frozen=True)
class Fit:
    """The best fit. areas: counts x degrees of each line. background: height at each knot function.

    normal: JT W J of areas, background and shape, in this order; moved: which of the three of the shape are free.
    """

    model: Model
    points: Points
    shape: Shape
    areas: Floats
    background: Floats
    chi2: float
    chi2_without_lines: float
    jacobian: Floats
    moved: tuple[int, ...]

    @property
    def n_parameters(self) -> int:
        """Numbers that were fitted and are not held at 0."""
        return int((self.areas > 0).sum() + (self.background > 0).sum()) + len(self.moved)


def widths_deg(model: Model, shape: Shape, angles_deg: Floats) -> Floats:
    """Full width of the lines at each angle: B2 = b2 + s2 (cos theta_0 / cos theta)2, b the instrument's.

    s2 = B0^2 - b2 is what crystallites of finite size add at theta_0, where B0 is the width that is fitted. Of s the
    part `strain` grows as tan theta / tan theta_0 instead; the two parts add up (Lorentzian lines).
    """
    size = max(shape.fwhm_deg**2 - model.instrument_deg**2, 0.0)
    theta_0, theta = np.radians(REFERENCE_deg / 2), np.radians(angles_deg / 2)
    grown = (1 - model.strain) * np.cos(theta_0) / np.cos(theta) + model.strain * np.tan(theta) / np.tan(theta_0)
    found: Floats = np.sqrt(shape.fwhm_deg**2 + size * (grown**2 - 1))
    return found


def line_columns(model: Model, shape: Shape, angles: Floats) -> Floats:
    """Each line at each angle, of area 1: pseudo-Voigt of K-alpha 1 and 2.  # [n, lines]"""
    columns = np.zeros((len(angles), len(model.lines)))
    for wavelength_nm, share in model.radiation.lines:
        found = [two_theta_deg(line.spacing_nm, wavelength_nm) for line in model.lines]
        centres = np.array([np.inf if angle is None else angle for angle in found])
        width = widths_deg(model, shape, np.minimum(centres, 179.0))
        away = (angles[:, None] - centres - shape.shift_deg) / width
        square = np.minimum(away * away, 1e6)
        lorentz = (2 / np.pi) / (1 + 4 * square)
        gauss = np.sqrt(GAUSS / np.pi) * np.exp(-GAUSS * np.minimum(square, 200.0))
        columns += share * (shape.lorentz * lorentz + (1 - shape.lorentz) * gauss) / width
    return columns


def background_columns(model: Model, angles: Floats) -> Floats:
    """Cubic B-splines over the knots, flanks that fall with the square of the distance, and steps.  # [n, functions]

    None is negative, and neither is what is fitted with them: a background below 0 cannot come out.
    """
    from scipy.interpolate import BSpline

    inside = np.clip(angles, model.knots[3], model.knots[-4])
    found = [BSpline.design_matrix(inside, model.knots, 3).toarray()]
    found += [1 / np.maximum(np.abs(angles - at), 1.0)[:, None] ** 2 for at in model.flanks_deg]
    for at in model.edges_deg:
        found += [(angles > at)[:, None].astype(np.float64), (angles <= at)[:, None].astype(np.float64)]
    return np.hstack(found)


def knots_of(low_deg: float, high_deg: float, distance_deg: float) -> Floats:
    """Evenly spread knots with three more at each end.

    >>> len(knots_of(20.0, 60.0, 4.0))
    17
    """
    n = max(2, round((high_deg - low_deg) / distance_deg) + 1)
    inner = np.linspace(low_deg - 1e-6, high_deg + 1e-6, n)
    return np.concatenate([[inner[0]] * 3, inner, [inner[-1]] * 3])


def binned(angles: Floats, counts: Floats, per_count: Floats, free: np.ndarray, n: int) -> Points:
    """Means of n neighbours, where none of them is masked."""
    whole = len(angles) // n * n

    def mean(values: Floats) -> Floats:
        found: Floats = values[:whole].reshape(-1, n).mean(axis=1)
        return found

    kept = mean(free.astype(np.float64)) == 1
    return Points(mean(angles)[kept], mean(counts)[kept], mean(per_count)[kept], float(n))


def partly_free(normal: Floats, right: Floats, n_free: int = 0) -> Floats:
    """x that minimizes xT N x / 2 - rT x with x >= 0, but for the last n_free, which may be negative.

    >>> partly_free(np.eye(2), np.array([1.0, -1.0])).round(6).tolist()
    [1.0, 0.0]
    """
    scale = np.sqrt(np.maximum(np.diag(normal), 1e-300))
    matrix, r = normal / np.outer(scale, scale), right / scale
    n = len(r) - n_free
    if n_free:
        across = np.linalg.solve(matrix[n:, n:] + RIDGE * np.eye(n_free), np.column_stack([matrix[n:, :n], r[n:]]))
        bound, rest = matrix[:n, :n] - matrix[:n, n:] @ across[:, :-1], r[:n] - matrix[:n, n:] @ across[:, -1]
    else:
        bound, rest = matrix, r
    x = not_negative(bound + RIDGE * np.eye(n), rest)
    if n_free:
        x = np.concatenate([x, across[:, -1] - across[:, :-1] @ x])
    found: Floats = x / scale
    return found


def _weights(points: Points, expected: Floats) -> Floats:
    least = FLOOR * float(points.counts.mean())
    found: Floats = points.weight / (points.variance_per_count * np.maximum(expected, least))
    return found


def _linear(points: Points, columns: Floats, weights: Floats) -> Floats:
    weighted = columns * weights[:, None]
    return partly_free(columns.T @ weighted, weighted.T @ points.counts)


def chi2_of(points: Points, expected: Floats) -> float:
    """Sum of (counts - expected)2 / variance, the variance that of the expected counts."""
    return float(np.sum(_weights(points, expected) * (points.counts - expected) ** 2))


def _first_guess(model: Model, scan: tuple[Floats, Floats, Floats, np.ndarray], step: float) -> Shape:
    """The width and the shift among a few that lower chi2 the most."""
    best, most = Shape(0.0, 0.3, 0.5), -np.inf
    for width in (max(one, 1.5 * step) for one in WIDTHS_deg):
        points = binned(*scan, max(1, int(width / 4 / step)))
        flat = background_columns(model, points.angles)
        bare = flat @ _linear(points, flat, _weights(points, points.counts + 1 / points.weight))
        weights = _weights(points, bare)
        bare = flat @ _linear(points, flat, weights)
        without = np.sum(weights * (points.counts - bare) ** 2)
        reach = np.arange(0.0, 0.26, max(0.6 * width, 0.05))
        for shift in np.unique(np.concatenate([-reach, reach])):
            shape = Shape(float(shift), width, 0.5)
            columns = np.hstack([line_columns(model, shape, points.angles), flat])
            fitted = columns @ _linear(points, columns, weights)
            gain = without - np.sum(weights * (points.counts - fitted) ** 2)
            if gain > most:
                best, most = shape, gain
    return best


def _moved(shape: Shape, which: int, by: float) -> Shape:
    values = [shape.shift_deg, shape.fwhm_deg, shape.lorentz]
    values[which] += by
    return Shape(*values)


def jacobian_of(model: Model, points: Points, shape: Shape, areas: Floats) -> Floats:
    """Columns of lines, background and shape (shift, width, Lorentzian share), the last by differences."""
    columns = line_columns(model, shape, points.angles)
    steps = (0.02 * shape.fwhm_deg, 0.02 * shape.fwhm_deg, 0.02)
    moved = [
        (
            line_columns(model, _moved(shape, which, by), points.angles)
            - line_columns(model, _moved(shape, which, -by), points.angles)
        )
        @ areas
        / (2 * by)
        for which, by in enumerate(steps)
    ]
    return np.hstack([columns, background_columns(model, points.angles), np.column_stack(moved)])


def _stepped(shape: Shape, by: Floats, part: float) -> Shape:
    least, most = LEAST_deg, MOST_deg
    shift = shape.shift_deg + part * max(min(by[0], 0.7 * shape.fwhm_deg), -0.7 * shape.fwhm_deg)
    width = shape.fwhm_deg * float(np.exp(part * max(min(by[1] / shape.fwhm_deg, 0.5), -0.5)))
    lorentz = shape.lorentz + part * max(min(by[2], 0.4), -0.4)
    return Shape(
        float(np.clip(shift, -MOST_SHIFT_deg, MOST_SHIFT_deg)),
        float(np.clip(width, least, most)),
        float(np.clip(lorentz, 0.0, 1.0)),
    )


def _free(shape: Shape, step: Floats) -> tuple[int, ...]:
    """Which of shift, width and share can be moved: not one that stands at its end and wants to go beyond."""
    at_end = (
        abs(shape.shift_deg) >= MOST_SHIFT_deg and step[0] * shape.shift_deg > 0,
        (shape.fwhm_deg <= LEAST_deg and step[1] < 0) or (shape.fwhm_deg >= MOST_deg and step[1] > 0),
        (shape.lorentz <= 0 and step[2] < 0) or (shape.lorentz >= 1 and step[2] > 0),
    )
    return tuple(which for which in range(3) if not at_end[which])


def fit_lines(
    model: Model, scan: tuple[Floats, Floats, Floats, np.ndarray], step_deg: float, start: Shape | None = None
) -> Fit:
    """The best shape, areas and background. scan: angles, counts, variance per count, and which points are free.
    start: a shape near the best; without it the best of a coarse search.

    Gauss-Newton on the shape, all linear ones solved with it and kept from being negative; weights are those of the
    counts that are expected, from step to step (Poisson maximum likelihood). Converged or not, the last and best step
    is given back.
    """
    shape = _first_guess(model, scan, step_deg) if start is None else start
    points = _points_for(scan, shape.fwhm_deg, step_deg)
    for _ in range(2):  # again where the width that was found asks for finer points
        fit = _gauss_newton(model, points, shape)
        finer = _points_for(scan, fit.shape.fwhm_deg, step_deg)
        if finer.weight == points.weight:
            break
        points, shape = finer, fit.shape
    return fit


def _points_for(scan: tuple[Floats, Floats, Floats, np.ndarray], fwhm_deg: float, step_deg: float) -> Points:
    return binned(*scan, max(1, int(fwhm_deg / POINTS_PER_WIDTH / step_deg)))


def _gauss_newton(model: Model, points: Points, shape: Shape) -> Fit:
    n, flat = len(model.lines), background_columns(model, points.angles)

    def columns_of(trial: Shape) -> Floats:
        return np.hstack([line_columns(model, trial, points.angles), flat])

    def solved(columns: Floats, weights: Floats) -> tuple[Floats, Floats, float]:
        linear = _linear(points, columns, weights)
        expected = columns @ linear
        return linear, expected, float(np.sum(weights * (points.counts - expected) ** 2))

    columns = columns_of(shape)
    weights = _weights(points, np.maximum(points.counts, 1 / points.weight))
    linear, expected, _ = solved(columns, weights)
    moved: tuple[int, ...] = ()
    for _ in range(MOST_STEPS):
        weights = _weights(points, expected)
        linear, expected, chi2 = solved(columns, weights)
        jacobian = jacobian_of(model, points, shape, linear[:n])
        step, moved = _shape_step(jacobian, weights, points.counts - expected, linear, shape)
        part, chi2_then = 1.0, math.inf
        while part > LEAST_PART and chi2_then >= chi2:
            trial = _stepped(shape, step, part)
            columns_then = columns_of(trial)
            linear_then, expected_then, chi2_then = solved(columns_then, weights)
            part /= 3
        if chi2_then >= chi2:
            break
        shape, columns, linear, expected = trial, columns_then, linear_then, expected_then
        if chi2 - chi2_then < min(STILL * max(chi2, 1.0), STILL_GAIN):
            break
    jacobian = jacobian_of(model, points, shape, linear[:n])
    bare = flat @ _linear(points, flat, weights)
    bare = flat @ _linear(points, flat, _weights(points, bare))
    return Fit(
        model,
        points,
        shape,
        linear[:n],
        linear[n:],
        chi2_of(points, expected),
        chi2_of(points, bare),
        jacobian,
        moved,
    )


def _shape_step(
    jacobian: Floats, weights: Floats, rest: Floats, linear: Floats, shape: Shape
) -> tuple[Floats, tuple[int, ...]]:
    """The step of the shape, with the linear ones solved along and bounded."""
    n = len(linear)
    moved = tuple(which for which in range(3) if np.abs(jacobian[:, n + which]).max() > 0)
    for _ in range(3):
        kept = [*range(n), *(n + which for which in moved)]
        weighted = jacobian[:, kept] * weights[:, None]
        normal = jacobian[:, kept].T @ weighted
        start = np.concatenate([linear, np.zeros(len(moved))])
        found = partly_free(normal, weighted.T @ rest + normal @ start, len(moved))
        step = np.zeros(3)
        step[list(moved)] = found[n:]
        free = tuple(which for which in moved if which in _free(shape, step))
        if free == moved:
            break
        moved = free
    return step, moved


def expected_counts(fit: Fit, angles: Floats) -> tuple[Floats, Floats, Floats]:
    """What the fit expects at any angles: all, the background alone, and each line alone.  # [n], [n], [n, lines]"""
    lines = line_columns(fit.model, fit.shape, angles) * fit.areas
    background = background_columns(fit.model, angles) @ fit.background
    return background + lines.sum(axis=1), background, lines


@dataclass(frozen=True)
class Draws:
    """Resampled fits. areas: [draws, lines]; fwhm_deg, shift_deg: [draws]."""

    areas: Floats
    fwhm_deg: Floats
    shift_deg: Floats


def resampled(fit: Fit, n_draws: int, seed: int, *, counted: bool, inflation: float) -> Draws:
    """Patterns drawn anew from what the fit expects, each fitted by one Gauss-Newton step from the best fit.

    counted: photons are drawn (Poisson), else normal errors. inflation: variance over that of independent points.
    """
    points, n = fit.points, len(fit.areas)
    generator = np.random.Generator(np.random.Philox(seed))
    expected = expected_counts(fit, points.angles)[0]
    per = points.variance_per_count / points.weight
    mean = np.maximum(expected, 0.0) / per
    shape = (n_draws, len(mean))
    drawn = generator.poisson(mean, shape) - mean if counted else generator.normal(0, np.sqrt(mean), shape)
    kept = [*range(n + len(fit.background)), *(n + len(fit.background) + which for which in fit.moved)]
    jacobian, weights = fit.jacobian[:, kept], _weights(points, expected)
    weighted = jacobian * weights[:, None]
    start = np.concatenate([fit.areas, fit.background, np.zeros(len(fit.moved))])
    normal = jacobian.T @ weighted
    right = (drawn * per * inflation**0.5) @ weighted + normal @ start
    found = np.array([partly_free(normal, one, len(fit.moved)) for one in right])
    step = np.zeros((n_draws, 3))
    step[:, list(fit.moved)] = found[:, n + len(fit.background) :]
    width = fit.shape.fwhm_deg * np.exp(np.clip(step[:, 1] / fit.shape.fwhm_deg, -2, 2))
    return Draws(found[:, :n], width, fit.shape.shift_deg + step[:, 0])
