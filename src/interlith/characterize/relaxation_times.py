"""At which time constants an impedance spectrum relaxes, and with how much resistance each."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from interlith.characterize.kramers_kronig import random_part
from interlith.errors import InputError, SolverError

Floats = NDArray[np.float64]
Complex = NDArray[np.complex128]

PER_DECADE = 9.0  # time constants, on the grid
BEYOND_DECADES = 0.5  # of the grid, beyond the measured range
LIGHTEST, HEAVIEST, BISECTIONS = -8.0, 1.0, 7  # lg of lambda
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
    r = np.asarray(np.linalg.qr(np.column_stack([a, b]), mode="r"))  # the same problem with as many rows as unknowns
    reduced, target = r[:, :-1], r[:, -1]
    penalty = np.zeros((columns.shape[1] - n_free, columns.shape[1]))
    penalty[:, n_free:] = np.eye(columns.shape[1] - n_free)

    def solve(regularization: float) -> tuple[Floats, float]:
        stacked = np.vstack([reduced, math.sqrt(regularization) * penalty])
        try:
            x, _ = nnls(stacked, np.concatenate([target, np.zeros(len(penalty))]), maxiter=20 * stacked.shape[1])
        except RuntimeError as problem:
            raise SolverError(f"relaxation times: non-negative least squares did not end ({problem})") from problem
        return x, math.sqrt(float(np.sum((reduced @ x - target) ** 2)) / n_points)

    low, high = LIGHTEST, HEAVIEST
    best, least = solve(10.0**low)
    fit = b - a @ best
    noise = max(random_part(fit[:n_points] + 1j * fit[n_points:]), FLOOR)
    allowed = math.sqrt(least**2 + noise**2 / math.sqrt(n_points))
    rms = least
    for _ in range(BISECTIONS):
        middle = 0.5 * (low + high)
        x, found = solve(10.0**middle)
        if found <= allowed:
            low, best, rms = middle, x, found
        else:
            high = middle
    return best, 10.0**low, rms


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
            tau = math.exp(float(np.average(np.log(tau_s[first:last]), weights=part)))
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
