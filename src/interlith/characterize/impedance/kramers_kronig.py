"""Does an impedance spectrum obey the Kramers-Kronig relations: did the system stand still, and answer linearly?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from interlith.errors import InputError

Floats = NDArray[np.float64]
Complex = NDArray[np.complex128]
Verdict = Literal["consistent", "not consistent", "undecided"]

LEAST_POINTS = 12  # fewer leave no freedom after the fit
WINDOW_POINTS = 8  # fewest that a decade is judged by
BEYOND_DECADES = 0.5  # time constants reach so far beyond the measured range, on both sides
FEWEST_ELEMENTS, MOST_PER_DECADE, MOST_PER_POINT, FINER = 3, 5.0, 0.6, 1.25
# A charge-transfer resistance that drifts by a fifth during the sweep leaves 0.4 to 0.6 % in the decade that is hit
# hardest (tests/characterize/test_kramers_kronig.py computes it); the usual 1 % lets a drift by a half pass.
SYSTEMATIC = 0.003
SIGNIFICANT = 5.0  # standard deviations, of the largest of about ten windows
BLIND = 0.01  # a systematic part that is seen only from here on proves nothing by its absence
OUTLIER, OUTLIER_LEAST, MOST_OUTLIERS = 8.0, 0.01, 0.1  # noise, residual, share of the points
SMALLEST_SINGULAR = 1e-12


@dataclass(frozen=True)
class KramersKronig:
    """What the test found; residuals are fractions of |Z|, complex[n], in the order of the frequencies.

    noise: standard deviation of what is random, Re and Im together. systematic: root of the mean product of
    neighbouring residuals in the worst decade, which is 0 for noise. worst_Hz: lowest and highest frequency of that
    decade; bands_Hz: of all that failed, highest first. detectable: the least systematic part that would have been
    told from the noise. under_index: Schoenleber's mu, 1 - sum|R < 0| / sum(R > 0) of the elements. outliers: bool[n],
    single points that stand far off; the fit leaves them out.
    """

    verdict: Verdict
    residual: Complex
    noise: float
    systematic: float
    detectable: float
    worst_Hz: tuple[float, float]
    bands_Hz: tuple[tuple[float, float], ...]
    n_elements: int
    under_index: float
    outliers: NDArray[np.bool_]

    @property
    def rms(self) -> float:
        """Root mean square of the residuals, outliers left out."""
        return math.sqrt(float(np.mean(np.abs(self.residual[~self.outliers]) ** 2)))


def kramers_kronig(frequency_Hz: Floats, impedance_ohm: Complex) -> KramersKronig:
    """Linear Kramers-Kronig test, by a sum of elements each of which obeys the relations.

    Z = R0 + j w L + 1 / (j w C) + sum R_k / (1 + j w tau_k), with fixed tau_k evenly spaced in log tau, is fitted by
    linear least squares to Re Z and Im Z together, weighted by 1 / |Z|; R_k, L and C may be negative, so that inductive
    loops pass. How many elements: the least Bayesian information criterion of a ladder up to five per decade.

    Neighbouring residuals of noise are independent. Their mean product in the worst decade is what is systematic; `not
    consistent` when that is above 0.3 % of |Z| and five standard deviations; `undecided` when fewer than 12 points, or
    noise, would hide 1 %. frequency_Hz[n] falls or rises; InputError when it does neither, or anything is not finite.

    Boukamp, J. Electrochem. Soc. 142, 1885 (1995), doi:10.1149/1.2044210; Schoenleber et al., Electrochim. Acta 131, 20
    (2014), doi:10.1016/j.electacta.2014.01.034, whose criterion for the number of elements, mu, is given beside.

    >>> f = np.logspace(5, -1, 43)
    >>> w = 2j * np.pi * f
    >>> kramers_kronig(f, 3.0 + 20.0 / (1.0 + w * 1e-2)).verdict
    'consistent'
    """
    _check(frequency_Hz, impedance_ohm)
    outliers = np.zeros(len(frequency_Hz), dtype=bool)
    fitted = _fit(frequency_Hz, impedance_ohm, outliers)
    if (found := _outliers(fitted.residual)).any():
        outliers = found
        fitted = _fit(frequency_Hz, impedance_ohm, outliers)
    return _judged(frequency_Hz, fitted, outliers)


@dataclass(frozen=True)
class _Fitted:
    residual: Complex
    n_parameters: int
    n_elements: int
    under_index: float


def _check(frequency_Hz: Floats, impedance_ohm: Complex) -> None:
    steps = np.diff(frequency_Hz)
    if len(frequency_Hz) < 3 or len(frequency_Hz) != len(impedance_ohm):
        raise InputError(f"Kramers-Kronig test: {len(frequency_Hz)} frequencies and {len(impedance_ohm)} impedances")
    if not (np.isfinite(frequency_Hz).all() and np.isfinite(impedance_ohm).all() and frequency_Hz.min() > 0):
        raise InputError("Kramers-Kronig test: frequencies above 0 and numbers are needed; drop the other rows")
    if not (np.all(steps > 0) or np.all(steps < 0)) or np.any(impedance_ohm == 0):
        raise InputError("Kramers-Kronig test: each frequency once, in order, and no impedance of 0 ohm")


def _fit(frequency_Hz: Floats, impedance_ohm: Complex, outliers: NDArray[np.bool_]) -> _Fitted:
    """The best number of elements of the ladder."""
    w = 2.0 * np.pi * frequency_Hz
    decades = math.log10(w.max() / w.min())
    kept = int(np.sum(~outliers))
    most = int(min(MOST_PER_DECADE * decades + 2, MOST_PER_POINT * kept))
    best: tuple[float, _Fitted] | None = None
    n_elements = min(FEWEST_ELEMENTS, max(most, 1))
    while best is None or n_elements <= most:
        fitted = _fit_of(w, impedance_ohm, outliers, n_elements)
        score = _criterion(fitted, outliers)
        if best is None or score < best[0]:
            best = score, fitted
        n_elements = max(n_elements + 1, round(FINER * n_elements))
    return best[1]


def _criterion(fitted: _Fitted, outliers: NDArray[np.bool_]) -> float:
    n = 2 * int(np.sum(~outliers))
    squares = max(float(np.sum(np.abs(fitted.residual[~outliers]) ** 2)), n * np.finfo(float).eps ** 2)
    return n * math.log(squares / n) + fitted.n_parameters * math.log(n)


def _fit_of(w: Floats, impedance_ohm: Complex, outliers: NDArray[np.bool_], n_elements: int) -> _Fitted:
    reach = 10.0**BEYOND_DECADES
    tau_s = np.geomspace(1.0 / (w.max() * reach), reach / w.min(), n_elements)
    shapes = [np.ones_like(w, dtype=complex), 1j * w / w.max(), w.min() / (1j * w)]
    a = np.column_stack([*shapes, 1.0 / (1.0 + 1j * w[:, None] * tau_s)]) / np.abs(impedance_ohm)[:, None]
    b = impedance_ohm / np.abs(impedance_ohm)
    rows = np.vstack([a[~outliers].real, a[~outliers].imag])
    size = np.linalg.norm(rows, axis=0)
    target = np.concatenate([b[~outliers].real, b[~outliers].imag])
    x = np.linalg.lstsq(rows / size, target, rcond=SMALLEST_SINGULAR)[0] / size
    resistances = x[len(shapes) :]
    positive, negative = resistances[resistances > 0].sum(), -resistances[resistances < 0].sum()
    under_index = 1.0 - negative / positive if positive > 0 else 0.0
    return _Fitted(b - a @ x, len(x), n_elements, float(under_index))


def random_part(residual: Complex) -> float:
    """Standard deviation of what neighbours do not share, from second differences; a few outliers do not move it.

    |r_-1 - 2 r_0 + r_1|^2 of white noise of variance s^2 is exponential of mean 6 s^2, and median 6 s^2 ln 2.

    >>> random_part(np.linspace(0.0, 1.0, 9) + 0j) < 1e-12
    True
    """
    if len(residual) < 3:
        return float(np.abs(residual).max(initial=0.0))
    second = np.abs(residual[2:] - 2.0 * residual[1:-1] + residual[:-2]) ** 2
    return math.sqrt(float(np.median(second)) / (6.0 * math.log(2.0)))


def _outliers(residual: Complex) -> NDArray[np.bool_]:
    """Points that stand off the mean of their neighbours, which stand by each other: mains, a change of range."""
    n, noise = len(residual), random_part(residual)
    found = np.zeros(n, dtype=bool)
    if n < LEAST_POINTS:
        return found
    off = np.abs(residual[1:-1] - 0.5 * (residual[2:] + residual[:-2]))
    far = off > max(OUTLIER * noise, OUTLIER_LEAST)
    peak = (off >= np.concatenate([[0.0], off[:-1]])) & (off >= np.concatenate([off[1:], [0.0]]))
    found[1:-1] = far & peak
    return found if found.sum() <= MOST_OUTLIERS * n else np.zeros(n, dtype=bool)


def _judged(frequency_Hz: Floats, fitted: _Fitted, outliers: NDArray[np.bool_]) -> KramersKronig:
    kept, hertz = fitted.residual[~outliers], frequency_Hz[~outliers]
    n = len(kept)
    freedom = max(2 * n - fitted.n_parameters, 1) / (2 * n)
    noise = min(random_part(kept) / math.sqrt(freedom), math.sqrt(float(np.mean(np.abs(kept) ** 2)) / freedom))
    width = min(max(WINDOW_POINTS, round(n / max(math.log10(hertz.max() / hertz.min()), 1.0))), n)
    products = (kept[1:] * kept[:-1].conj()).real
    sums = np.convolve(products, np.ones(width - 1), mode="valid")
    spread = np.array([max(noise, random_part(kept[i : i + width])) ** 2 for i in range(len(sums))])
    spread *= math.sqrt((width - 1) / 2.0)
    worst = int(np.argmax(sums))
    systematic = math.sqrt(max(float(sums[worst]), 0.0) / (width - 1))
    detectable = noise * math.sqrt(SIGNIFICANT / math.sqrt(2.0 * (width - 1)))
    failed = np.flatnonzero((sums > SIGNIFICANT * spread) & (sums > SYSTEMATIC**2 * (width - 1)))
    verdict: Verdict = "undecided" if n < LEAST_POINTS or detectable > BLIND else "consistent"
    bands = _bands(hertz, failed, width) if n >= LEAST_POINTS else ()
    return KramersKronig(
        verdict="not consistent" if bands else verdict,
        residual=fitted.residual,
        noise=noise,
        systematic=systematic,
        detectable=detectable,
        worst_Hz=_ends(hertz[worst : worst + width]),
        bands_Hz=bands,
        n_elements=fitted.n_elements,
        under_index=fitted.under_index,
        outliers=outliers,
    )


def _ends(hertz: Floats) -> tuple[float, float]:
    return float(hertz.min()), float(hertz.max())


def _bands(hertz: Floats, failed: NDArray[np.int64], width: int) -> tuple[tuple[float, float], ...]:
    """Windows that failed, those that overlap as one."""
    found: list[tuple[int, int]] = []
    for first in failed.tolist():
        if found and first <= found[-1][1]:
            found[-1] = found[-1][0], first + width
        else:
            found.append((first, first + width))
    return tuple(sorted((_ends(hertz[first:last]) for first, last in found), reverse=True))
