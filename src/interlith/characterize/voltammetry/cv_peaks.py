"""Peaks of one sweep of a voltammogram: potential, height above the current before the peak, charge.

Two baselines, because two kinds of peak need them. `height` stands on the straight line through the current before the
peak, drawn on to its potential: the one that diffusion laws mean, since their current does not come back. The charge is
counted above the straight line between the feet of the peak, where it touches the lower hull of the sweep (a rubber
band under the curve); a peak of a surface comes back to it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.signal import find_peaks, savgol_filter

from interlith.characterize.voltammetry.sweeps import Floats, Sweep
from interlith.units import SECONDS_PER_HOUR, mAh_PER_Ah

NORMAL_MAD = 1.4826  # standard deviations in a median absolute deviation of a normal distribution
FOURTH, FOURTH_NORM = (1.0, -4.0, 6.0, -4.0, 1.0), math.sqrt(70.0)  # differences that a smooth curve does not have
SMOOTH_V, MOST_SMOOTH = 0.008, 0.03  # width of smoothing; and as a part of the sweep
LEAST_PROMINENCE, NOISES = 0.03, 10.0  # of the height of the sweep; of the noise
TOP, MOST_OF_TOP, TOP_NOISES = 0.03, 0.3, 4.0  # upper part of a peak for its parabola: least, most, in noises
GROUND, GROUND_NOISES = 0.001, 2.0  # where a peak has come down: of its height above the hull; of the noise
LEVEL_POINTS = 5  # whose mean is the current at the foot of a peak
STRAIGHT = 0.002  # departure from a straight line before a peak, of its height
FEWEST_OF_FOOT, EIGHTHS, FOOT_REACH = 6, 8, 0.5  # points; parts; length of the line over how far it goes on
INNER = slice(1, -1)
ABOVE_HULL = 0.05  # of the height above the hull, by which the line before a peak may end above it
SAMPLING = math.sqrt(12.0)  # a step in its standard deviations


@dataclass(frozen=True)
class Peak:
    """One peak. Errors are one standard deviation; the height is positive in either direction.

    baseline: "line" through the current before the peak, or "hull" where there is no straight stretch before it.
    half_width_V: from the potential of half the height, before the peak, to the peak; None where that is not in it.
    """

    sweep: Sweep
    potential_V: float
    potential_error_V: float
    current_A: float
    height_A: float
    height_error_A: float
    baseline: str
    charge_mAh: float
    half_width_V: float | None


def noise_A(current_A: Floats) -> float:
    """Standard deviation of the noise of a current that is smooth but for it, by its fourth differences.

    >>> rng = np.random.default_rng(1)
    >>> round(noise_A(np.sin(np.linspace(0, 6, 2000)) + rng.normal(0, 0.01, 2000)), 3)
    0.01
    """
    if len(current_A) < len(FOURTH) + 3:
        return 0.0
    fourth = np.convolve(current_A, FOURTH, mode="valid")
    return NORMAL_MAD * float(np.median(np.abs(fourth))) / FOURTH_NORM


def lower_hull(x: Floats, y: Floats) -> Floats:
    """The rubber band under a curve: its lower convex hull at every x, which must grow.

    >>> lower_hull(np.array([0.0, 1.0, 2.0, 3.0]), np.array([0.0, 5.0, 1.0, 3.0])).tolist()
    [0.0, 0.5, 1.0, 3.0]
    """
    corners: list[int] = []
    for place in range(len(x)):
        while len(corners) > 1 and _turns_up(x, y, corners[-2], corners[-1], place) <= 0:
            corners.pop()
        corners.append(place)
    return np.interp(x, x[corners], y[corners])


def _turns_up(x: Floats, y: Floats, a: int, b: int, c: int) -> float:
    return float((x[b] - x[a]) * (y[c] - y[a]) - (y[b] - y[a]) * (x[c] - x[a]))


def peaks_of(sweep: Sweep) -> tuple[Peak, ...]:
    """The peaks of one sweep, in the order of the sweep.

    A peak is a maximum that stands out by at least 3 % of the sweep's height and by 10 standard deviations of the noise
    that is left after smoothing over 8 mV. Ends of a sweep and shoulders are no peaks.
    """
    x, y = _oriented(sweep)
    noise = noise_A(y)
    smooth, left = _smoothed(x, y)
    above = smooth - lower_hull(x, smooth)
    least = max(LEAST_PROMINENCE * float(np.ptp(smooth)), NOISES * noise * left)
    if least <= 0:
        return ()
    tops, _ = find_peaks(smooth, prominence=least)
    if not len(tops):
        return ()
    found = []
    before = 0
    for top, bounds in zip(tops, _bounds(above, tops, GROUND_NOISES * noise * left), strict=True):
        found.append(_peak(sweep, (x, y, smooth, above), int(top), bounds, before, (noise, noise * left)))
        before = bounds[1]
    return tuple(found)


def _oriented(sweep: Sweep) -> tuple[Floats, Floats]:
    """Potential growing in the order of the sweep, and the current positive for peaks of its direction.

    Without the two points at the turns, whose current may be that of the other sweep.
    """
    x = np.maximum.accumulate(sweep.direction * sweep.potential_V[INNER])
    tiny = 1e-9 * max(float(np.ptp(x)), 1e-12)
    return x + tiny * np.arange(len(x)), sweep.direction * sweep.current_A[INNER]


def _smoothed(x: Floats, y: Floats) -> tuple[Floats, float]:
    """A smoothed current, and the part of the noise that is left in it."""
    width = min(SMOOTH_V, MOST_SMOOTH * float(np.ptp(x)))
    n = round(width / float(np.ptp(x)) * (len(x) - 1)) | 1
    if n < 5:
        return y, 1.0
    # the noise gain of a least-squares parabola over n points
    return savgol_filter(y, n, 2), math.sqrt(9.0 / (4.0 * n))


def _bounds(above: Floats, tops: Floats, noise: float) -> list[tuple[int, int]]:
    """From where to where each peak goes: down to the hull, or to the valley before the next one."""
    valleys = [int(a + np.argmin(above[a : b + 1])) for a, b in pairwise(tops)]
    bounds = []
    for top, low, high in zip(tops, [0, *valleys], [*valleys, len(above) - 1], strict=True):
        ground = max(GROUND * float(above[top]), noise)
        down = np.flatnonzero(above[low:top] <= ground)
        up = np.flatnonzero(above[top : high + 1] <= ground)
        bounds.append((low + int(down[-1]) if len(down) else low, int(top + up[0]) if len(up) else high))
    return bounds


def _peak(
    sweep: Sweep,
    curves: tuple[Floats, Floats, Floats, Floats],
    top: int,
    bounds: tuple[int, int],
    before: int,
    noises: tuple[float, float],
) -> Peak:
    """One peak. curves: x, current, smoothed, above the hull. before: where its foot may begin."""
    x, y, smooth, above = curves
    place, value, place_error, value_error = _summit(x, y, above, top, noises)
    line = _foot(x, y, before, top, STRAIGHT * float(above[top]), noises[0])
    hull = value - float(above[top])
    if line is not None and line[0] > hull + ABOVE_HULL * float(above[top]):
        line = None  # a line that rises above the rubber band is the flank of something else
    base, base_error = (hull, noises[1]) if line is None else line
    return Peak(
        sweep=sweep,
        potential_V=sweep.direction * place,
        potential_error_V=place_error,
        current_A=sweep.direction * value,
        height_A=value - base,
        height_error_A=math.hypot(value_error, base_error),
        baseline="hull" if line is None else "line",
        charge_mAh=_charge_As(sweep.time_s[INNER], x, smooth, *bounds) / SECONDS_PER_HOUR * mAh_PER_Ah,
        half_width_V=_half_width(x, smooth, before, top, place, base, value),
    )


def _charge_As(time_s: Floats, x: Floats, y: Floats, start: int, stop: int) -> float:
    """Charge above the straight line between the feet of a peak, whose current is the mean of a few points there."""
    near = min(LEVEL_POINTS // 2, (stop - start) // 8)
    low = float(y[max(start - near, 0) : start + near + 1].mean())
    high = float(y[max(stop - near, 0) : stop + near + 1].mean())
    part = slice(start, stop + 1)
    line = np.interp(x[part], (x[start], x[stop]), (low, high))
    return float(np.trapezoid(y[part] - line, time_s[part]))


def _summit(
    x: Floats, y: Floats, above: Floats, top: int, noises: tuple[float, float]
) -> tuple[float, float, float, float]:
    """Place and height of the top of a parabola through the upper part of a peak, and the errors of both."""
    upper = min(max(TOP, TOP_NOISES * noises[1] / float(above[top])), MOST_OF_TOP)
    start, stop = top, top
    while start > 0 and above[start - 1] >= above[top] * (1 - upper):
        start -= 1
    while stop < len(x) - 1 and above[stop + 1] >= above[top] * (1 - upper):
        stop += 1
    start, stop = min(start, top - 1), max(stop, top + 1)
    part, n, width = slice(start, stop + 1), stop - start + 1, float(x[stop] - x[start])
    step = width / (n - 1)
    square, slope, level = np.polyfit(x[part] - x[top], y[part], 2)
    shift = -slope / (2 * square) if square < 0 else math.nan
    if not x[start] <= x[top] + shift <= x[stop]:  # no top within: noise, or points too far apart
        return float(x[top]), float(y[top]), math.hypot(width / 2, step / SAMPLING), noises[0]
    # slope in the middle of n even points: noise/(width (n/12)^1/2)
    by_noise = noises[0] / (abs(2 * square) * width * math.sqrt(n / 12))
    value = float(np.polyval((square, slope, level), shift))
    error = math.hypot(min(by_noise, width / 2), step / SAMPLING)
    return float(x[top] + shift), value, error, noises[0] * math.sqrt(min(9 / (4 * n), 1.0))


def _foot(x: Floats, y: Floats, before: int, top: int, most: float, noise: float) -> tuple[float, float] | None:
    """Current and its error that the straight stretch before a peak has when drawn on to it; None without one.

    Straight: the means of its eighths lie on the line within `most`, or within what the noise leaves of them.
    """
    first = before + (top - before) // 20  # what the turn leaves behind
    for last in np.unique(np.linspace(first + FEWEST_OF_FOOT, top - 1, 60).astype(int))[::-1]:
        n = last - first + 1
        if n < FEWEST_OF_FOOT:
            continue
        middle = float(x[first : last + 1].mean())
        reach = x[first : last + 1] - middle
        slope, level = np.polyfit(reach, y[first : last + 1], 1)
        off = y[first : last + 1] - slope * reach - level
        means = [float(np.mean(part)) for part in np.array_split(off, min(EIGHTHS, n))]
        if max(abs(mean) for mean in means) > max(most, 3 * noise / math.sqrt(max(n / EIGHTHS, 1.0))):
            continue
        if x[last] - x[first] < FOOT_REACH * (x[top] - x[last]):
            return None
        ahead = float(x[top]) - middle
        error = noise * math.sqrt(1 / n + ahead**2 / float(np.sum(reach**2)))
        return float(level + slope * ahead), math.hypot(error, most)
    return None


def _half_width(x: Floats, y: Floats, before: int, top: int, place: float, base: float, value: float) -> float | None:
    low = np.flatnonzero(y[before : top + 1] <= (base + value) / 2)
    if not len(low):
        return None
    a = before + int(low[-1])
    share = ((base + value) / 2 - y[a]) / (y[a + 1] - y[a]) if a < top and y[a + 1] > y[a] else 0.0
    return place - float(x[a] + share * (x[min(a + 1, top)] - x[a]))
