"""At which time constants an impedance spectrum relaxes, and with how much resistance each."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from interlith.characterize.impedance.kramers_kronig import random_part
from interlith.characterize.not_negative import not_negative
from interlith.errors import InputError

Floats = NDArray[np.float64]
Complex = NDArray[np.complex128]

PER_DECADE = 9.0  # time constants, on the grid
BEYOND_DECADES = 0.5  # of the grid, beyond the measured range
LG_LIGHT, LITTLE = (-2.0, -4.0, -6.0, -8.0), 0.9  # lambda, until the residual falls by less than a tenth
HEAVIEST, MOST_TRIALS = 1.0, 7  # lg of lambda
CLOSE_DECADES, CLOSE_TIMES, EDGE = 0.2, 1.003, 0.1  # where the search for lambda ends; the least part it moves
POWER = 0.6  # of lambda, with which the sum of squares about grows
ROUNDING = 1e-13  # of the squared norm of a column: so that a matrix always has an inverse
FLOOR = 5e-4  # of |Z|: no instrument is believed to be better than this
VALLEY = 0.8  # of the lower of two maxima: shallower ones do not part them
LEAST_SHARE = 0.005  # of all polarization: smaller peaks are not told


@dataclass(frozen=True)
class Peak:
    """One process of the distribution: mean ln tau, all its resistance, and where the distribution is highest.

    edge: that is the end of the grid, so that the resistance is a lower bound.
    """

    tau_s: float
    resistance_ohm: float
    top_tau_s: float
    edge: bool = False

    @property
    def frequency_Hz(self) -> float:
        """Where an arc of this time constant has its top."""
        return 1.0 / (2.0 * math.pi * self.tau_s)


@dataclass(frozen=True)
class RelaxationTimes:
    """tau_s[m] and resistance_ohm[m]: the distribution on its grid, each value the resistance of that grid point.

    capacitance_F: of what blocks at low frequencies; None where nothing does. rms: of the residual, fraction of |Z|.
    regularization: lambda, relative to the squared norm of the data. peaks: fastest first.
    """

    tau_s: Floats
    resistance_ohm: Floats
    series_ohm: float
    inductance_H: float
    capacitance_F: float | None
    regularization: float
    rms: float
    peaks: tuple[Peak, ...]

    @property
    def polarization_ohm(self) -> float:
        """All resistance that relaxes: the area of the distribution."""
        return float(self.resistance_ohm.sum())

    @property
    def density_ohm(self) -> Floats:
        """gamma(ln tau): resistance per unit of ln tau, which does not depend on the grid."""
        return self.resistance_ohm / math.log(self.tau_s[1] / self.tau_s[0])


def relaxation_times(frequency_Hz: Floats, impedance_ohm: Complex) -> RelaxationTimes:
    """Distribution of relaxation times by non-negative least squares with Tikhonov regularization.

    Z = R + j w L + 1 / (j w C) + sum R_k / (1 + j w tau_k), with R, L, 1 / C and R_k >= 0; minimized is the squared
    residual weighted by 1 / |Z| plus lambda * sum (R_k / R_scale)^2, R_scale the range of Re Z. lambda: the largest
    that raises the sum of squares by no more than one standard deviation of what noise alone gives, sqrt(2 n) s^2 for
    n numbers; s is the random part of the residual, and no less than 0.05 % of |Z|: as smooth as the data allow.

    frequency_Hz[n] above 0, impedance_ohm[n] finite and not 0. Raises InputError. A peak is narrower than 2 decades of
    frequency can part: arcs whose time constants differ by less than a factor of about 5 make one peak.
    Kulikovsky, J. Electrochem. Soc. (2021), doi:10.1149/1945-7111/abf508, for the method; Wan et al., Electrochim. Acta
    184, 483 (2015), doi:10.1016/j.electacta.2015.09.097, for what discretization does.

    >>> f = np.logspace(5, -1, 61)
    >>> found = relaxation_times(f, 3.0 + 20.0 / (1.0 + 2j * np.pi * f * 1e-2))
    >>> round(found.series_ohm, 1), round(found.polarization_ohm, 1), len(found.peaks)
    (3.0, 20.0, 1)
    """
    if len(frequency_Hz) < 4 or not (np.isfinite(impedance_ohm).all() and np.all(impedance_ohm != 0)):
        raise InputError("relaxation times: at least 4 points with an impedance that is a number and not 0")
    if not (np.isfinite(frequency_Hz).all() and frequency_Hz.min() > 0 and frequency_Hz.max() > frequency_Hz.min()):
        raise InputError("relaxation times: frequencies above 0, and more than one")
    return _solved(frequency_Hz, impedance_ohm)


def _solved(frequency_Hz: Floats, impedance_ohm: Complex) -> RelaxationTimes:
    w = 2.0 * np.pi * frequency_Hz
    reach = 10.0**BEYOND_DECADES
    decades = math.log10(w.max() / w.min()) + 2 * BEYOND_DECADES
    tau_s = np.geomspace(1.0 / (w.max() * reach), reach / w.min(), max(round(PER_DECADE * decades), 8))
    scale = float(np.ptp(impedance_ohm.real)) or float(np.abs(impedance_ohm).max())
    series = _series(w, impedance_ohm)
    columns = np.column_stack([*series.values(), scale / (1.0 + 1j * w[:, None] * tau_s)])
    x, regularization, rms = _smoothest(columns, impedance_ohm, len(series))
    found = dict(zip(series, x, strict=False))
    resistance_ohm = x[len(series) :] * scale
    size, capacitive = float(np.abs(impedance_ohm).max()), float(found["C"])
    return RelaxationTimes(
        tau_s=tau_s,
        resistance_ohm=resistance_ohm,
        series_ohm=float(found["R"]) * size,
        inductance_H=float(found["L"]) * size / w.max(),
        capacitance_F=None if capacitive <= 0 else 1.0 / (capacitive * size * w.min()),
        regularization=regularization,
        rms=rms,
        peaks=peaks(tau_s, resistance_ohm),
    )


def _series(w: Floats, impedance_ohm: Complex) -> dict[str, Complex]:
    """Columns of what lies in series, each scaled to about the size of Z."""
    size = float(np.abs(impedance_ohm).max())
    return {"R": np.full(len(w), size, dtype=complex), "L": size * 1j * w / w.max(), "C": size * w.min() / (1j * w)}


def _smoothest(columns: Complex, impedance_ohm: Complex, n_free: int) -> tuple[Floats, float, float]:
    """The solution of the largest lambda that the data allow, lambda, and the rms of its residual."""
    weight = 1.0 / np.abs(impedance_ohm)
    a = np.vstack([(columns * weight[:, None]).real, (columns * weight[:, None]).imag])
    b = np.concatenate([(impedance_ohm * weight).real, (impedance_ohm * weight).imag])
    n_points = len(impedance_ohm)
    least_squares = _Ridge(a, b, n_free)
    tried, best = _lightest(least_squares)
    low, least = tried[-1]
    fit = b - a @ best
    noise = max(random_part(fit[:n_points] + 1j * fit[n_points:]), FLOOR)
    allowed = math.sqrt(least**2 + noise**2 / math.sqrt(n_points))
    fits = [one for one in tried[:-1] if one[1] > allowed]
    high, above = fits[-1] if fits else (HEAVIEST, math.inf)
    rms = least
    for _ in range(MOST_TRIALS):
        # squares grow about as a power of lambda; kept away from the ends
        share = (allowed**2 - rms**2) / (above**2 - rms**2) if math.isfinite(above) else 0.0
        guess = high + math.log10(share) / POWER if share > 0 else 0.5 * (low + high)
        middle = min(max(guess, low + EDGE * (high - low)), high - EDGE * (high - low))
        x, found = least_squares.solved(10.0**middle)
        if found <= allowed:
            low, best, rms = middle, x, found
        else:
            high, above = middle, found
        if high - low < CLOSE_DECADES or allowed / rms < CLOSE_TIMES:
            break
    return best, 10.0**low, rms


def _lightest(least_squares: _Ridge) -> tuple[list[tuple[float, float]], Floats]:
    """lg of lambda and the rms of the residual, down to a lambda below which little is gained, and its solution."""
    tried: list[tuple[float, float]] = []
    for lg in LG_LIGHT:
        x, rms = least_squares.solved(10.0**lg)
        tried.append((lg, rms))
        if len(tried) > 1 and (rms > LITTLE * tried[-2][1] or rms < FLOOR / 2):
            break
    return tried, x


class _Ridge:
    """min |A x - b|^2 + lambda |x|^2 over x >= 0, the first n_free values not in the penalty, for many lambda."""

    def __init__(self, a: Floats, b: Floats, n_free: int) -> None:
        self.size = 1.0 / np.linalg.norm(a, axis=0)  # columns of one size: |Z| may span many decades
        self.a, self.b = a * self.size, b
        self.normal, self.right = self.a.T @ self.a, self.a.T @ b
        self.penalty = self.size**2
        self.penalty[:n_free] = 0.0
        self.diagonal = np.diag_indices(a.shape[1])
        self.positive: NDArray[np.bool_] | None = None  # of the last solution, where the next one begins

    def solved(self, regularization: float) -> tuple[Floats, float]:
        """x, and the rms of the residual per complex point."""
        matrix = self.normal.copy()
        matrix[self.diagonal] += regularization * self.penalty + ROUNDING
        x = not_negative(matrix, self.right, self.positive)
        self.positive = x > 0
        rms = math.sqrt(float(np.sum((self.a @ x - self.b) ** 2)) / (len(self.b) / 2))
        return x * self.size, rms


def peaks(tau_s: Floats, resistance_ohm: Floats) -> tuple[Peak, ...]:
    """Maxima of a distribution that valleys part, fastest first: mean ln tau and all resistance between the valleys.

    >>> [round(peak.resistance_ohm, 6) for peak in peaks(np.logspace(-3, 1, 5), np.array([0, 2.0, 0, 1.0, 0.5]))]
    [2.0, 1.5]
    """
    total = resistance_ohm.sum()
    found = []
    for first, last in _parts(resistance_ohm):
        part = resistance_ohm[first:last]
        if part.sum() > max(LEAST_SHARE * total, 0.0):
            tau = math.exp(float(np.log(tau_s[first:last]) @ part / part.sum()))
            top = first + int(np.argmax(part))
            found.append(Peak(tau, float(part.sum()), float(tau_s[top]), edge=top in (0, len(tau_s) - 1)))
    return tuple(found)


def _parts(values: Floats) -> list[tuple[int, int]]:
    """Where a row of values is cut: at the lowest place between two maxima that rise well above it."""
    cuts, top, valley, place = [0], 0.0, math.inf, 0
    for i, value in enumerate(values):
        if value < valley:
            valley, place = float(value), i
        if valley < VALLEY * min(top, value) and value > 0 and (i + 1 == len(values) or values[i + 1] < value):
            cuts.append(place)
            top, valley = float(value), float(value)
            place = i
        elif value > top:
            top, valley, place = float(value), float(value), i
    return list(zip(cuts, [*cuts[1:], len(values)], strict=True))
