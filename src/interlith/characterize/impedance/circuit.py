"""Equivalent circuits as text, their impedance with its slopes, and their fit to a spectrum with standard errors."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import leastsq

from interlith.errors import InputError, SolverError, did_you_mean

Floats = NDArray[np.float64]
Complex = NDArray[Any]  # complex128; the type that powers and tanh have is not known to mypy
Weighting = Literal["modulus", "unit"]
Answer = tuple[Complex, list[Complex]]  # impedance, and its slopes over the parameters in order

LEAST_EXPONENT = 0.5  # of a constant phase element; 1 is a capacitor
AT_BOUND = 1e-3  # of an exponent: nearer to its bound than this is on it
LOGS = 80.0  # parameters stay within exp(-80) to exp(80)
GONE = 1e6  # times its value: what has such an error has gone to 0
STARTS, SEED, EVALUATIONS, TOLERANCE = 24, 1, 300, 1e-7
SPREAD_START = 0.85  # exponent where a fit begins
SINGULAR = 1e-13
MOST_SHARED = 0.95  # correlation of neighbouring residuals that is still corrected for


@dataclass(frozen=True)
class Element:
    """A kind of element: its parameters by unit, n_ for exponents; impedance and slopes over ln p, or over n."""

    units: tuple[str, ...]
    answer: Callable[..., Answer]


def _resistor(jw: Complex, ohm: float) -> Answer:
    z = np.full(len(jw), ohm, dtype=complex)
    return z, [z]


def _capacitor(jw: Complex, farad: float) -> Answer:
    z = 1.0 / (jw * farad)
    return z, [-z]


def _inductor(jw: Complex, henry: float) -> Answer:
    z = jw * henry
    return z, [z]


def _constant_phase(jw: Complex, size: float, n: float) -> Answer:
    z = jw**-n / size
    return z, [-z, -z * np.log(jw)]


def _arc(jw: Complex, ohm: float, tau_s: float, n: float) -> Answer:
    log = np.log(jw * tau_s)
    s = np.exp(n * log)
    z = ohm / (1.0 + s)
    share = z * s / (1.0 + s)
    return z, [z, -n * share, -log * share]


def _warburg(jw: Complex, ohm_per_root_s: float) -> Answer:
    z = ohm_per_root_s * math.sqrt(2.0) / np.sqrt(jw)
    return z, [z]


def _short_diffusion(jw: Complex, ohm: float, tau_s: float) -> Answer:
    x = np.sqrt(jw * tau_s)
    tanh = np.tanh(x)
    z = ohm * tanh / x
    return z, [z, 0.5 * (ohm * (1.0 - tanh**2) - z)]


def _open_diffusion(jw: Complex, ohm: float, tau_s: float) -> Answer:
    x = np.sqrt(jw * tau_s)
    coth = 1.0 / np.tanh(x)
    z = ohm * coth / x
    return z, [z, 0.5 * (ohm * (1.0 - coth**2) - z)]


ELEMENTS: Mapping[str, Element] = {
    "R": Element(("ohm",), _resistor),
    "C": Element(("F",), _capacitor),
    "L": Element(("H",), _inductor),
    "CPE": Element(("S_sn", "n"), _constant_phase),
    "A": Element(("ohm", "s", "n"), _arc),
    "W": Element(("ohm_per_root_s",), _warburg),
    "Ws": Element(("ohm", "s"), _short_diffusion),
    "Wo": Element(("ohm", "s"), _open_diffusion),
}
TOKEN = re.compile(r"\s*(p\(|[A-Za-z]+\d*|[-,)])")


@dataclass(frozen=True)
class Circuit:
    """A circuit: its text, the names of its parameters in order, each the element's name and the unit.

    Of the text: elements in series joined by "-", parallel branches in "p(a,b)". R, C, L; CPE 1 / (Q (j w)^n); A, an
    arc R / (1 + (j w tau)^n), which is R || CPE with Q = tau^n / R; W sigma (1 - j) / sqrt(w); Ws R tanh(x) / x and Wo
    R coth(x) / x with x = sqrt(j w tau): diffusion through a layer to a source, and to a wall.

    >>> circuit("R0-p(R1,C1)").names
    ('R0_ohm', 'R1_ohm', 'C1_F')
    """

    text: str
    names: tuple[str, ...]
    tree: tuple[object, ...]

    def impedance_ohm(self, frequency_Hz: Floats, values: Mapping[str, float]) -> Complex:
        """Z at these frequencies, complex[n], for values by name."""
        return self.answer(_jw(frequency_Hz), np.array([values[name] for name in self.names]))[0]

    def answer(self, jw: Complex, p: Floats) -> Answer:
        """Z and its slopes over ln p of each parameter, over n for an exponent."""
        return _answer(self.tree, jw, p)


def _jw(frequency_Hz: Floats) -> Complex:
    return np.asarray(2j * np.pi * frequency_Hz, dtype=np.complex128)


def _answer(node: tuple[object, ...], jw: Complex, p: Floats) -> Answer:
    kind, rest = node[0], node[1:]
    if kind == "element":
        name, first, n = rest
        return ELEMENTS[str(name)].answer(jw, *p[int(first) : int(first) + int(n)])  # type: ignore[call-overload]
    parts = [_answer(part, jw, p) for part in rest]  # type: ignore[arg-type]
    if kind == "series":
        z = parts[0][0]
        for part in parts[1:]:
            z = z + part[0]
        return z, [slope for part in parts for slope in part[1]]
    z = 1.0 / np.sum([1.0 / part[0] for part in parts], axis=0)
    return z, [slope * (z / part[0]) ** 2 for part in parts for slope in part[1]]


@lru_cache(maxsize=256)
def circuit(text: str) -> Circuit:
    """The circuit that a text describes. Raises InputError, saying at which place it is not understood."""
    tokens = [(found.group(1), found.start(1)) for found in TOKEN.finditer(text)]
    if "".join(token for token, _ in tokens) != re.sub(r"\s", "", text) or not tokens:
        raise InputError(f"circuit {text!r}: elements joined by '-', parallel branches as p(a,b)")
    names: list[str] = []
    tree, rest = _series(text, tokens, names)
    if rest:
        raise InputError(f"circuit {text!r}: {rest[0][0]!r} at character {rest[0][1] + 1} is not expected")
    return Circuit(text, tuple(names), tree)


Tokens = list[tuple[str, int]]


def _series(text: str, tokens: Tokens, names: list[str]) -> tuple[tuple[object, ...], Tokens]:
    first, tokens = _one(text, tokens, names)
    parts = [first]
    while tokens and tokens[0][0] == "-":
        part, tokens = _one(text, tokens[1:], names)
        parts.append(part)
    return (parts[0] if len(parts) == 1 else ("series", *parts)), tokens


def _one(text: str, tokens: Tokens, names: list[str]) -> tuple[tuple[object, ...], Tokens]:
    if not tokens:
        raise InputError(f"circuit {text!r}: ends where an element is expected")
    token, place = tokens[0]
    if token == "p(":
        branches, tokens = [], tokens
        while True:
            branch, tokens = _series(text, tokens[1:], names)
            branches.append(branch)
            if not tokens or tokens[0][0] not in (",", ")"):
                raise InputError(f"circuit {text!r}: the bracket at character {place + 1} is not closed")
            if tokens[0][0] == ")":
                return ("parallel", *branches), tokens[1:]
    kind = token.rstrip("0123456789")
    if kind not in ELEMENTS:
        known = ", ".join(ELEMENTS)
        raise InputError(f"circuit {text!r}: {token!r} is none of {known}.{did_you_mean(kind, ELEMENTS)}")
    added = [f"{token}_{unit}" for unit in ELEMENTS[kind].units]
    if added[0] in names:
        raise InputError(f"circuit {text!r}: {token} stands there twice; number its elements")
    node = ("element", kind, len(names), len(added))
    names.extend(added)
    return node, tokens[1:]


@dataclass(frozen=True)
class CircuitFit:
    """A circuit with values, by name, and their covariance, float64[k, k] in their order, in their units.

    rms: of the residual, fraction of |Z|. neighbours: correlation of neighbouring residuals, 0 for noise. residual:
    complex[n], fractions of |Z|. Exponents at their bound are taken as known: their variance is 0.
    """

    circuit: Circuit
    values: Mapping[str, float]
    covariance: Floats
    residual: Complex
    rms: float
    neighbours: float

    def error(self, *names: str) -> float:
        """Standard error of a value, or of the sum of several, in its unit."""
        weights = np.array([float(name in names) for name in self.values])
        return math.sqrt(max(float(weights @ self.covariance @ weights), 0.0))

    def relative_error(self, name: str) -> float:
        """Standard error of a value as a fraction of it."""
        return self.error(name) / self.values[name]

    @property
    def bounded(self) -> tuple[str, ...]:
        """Names of values on a bound, of which no error is known: exponents of 0.5 and 1, and what has gone to 0."""
        return tuple(
            name
            for name, value in self.values.items()
            if (_at_bound(value) if name.endswith("_n") else _is_gone(value, self.error(name)))
        )

    @property
    def bayes(self) -> float:
        """Bayesian information criterion, of 2 n numbers."""
        n = 2 * len(self.residual)
        return n * math.log(max(self.rms, np.finfo(float).eps) ** 2) + len(self.values) * math.log(n)

    @property
    def akaike(self) -> float:
        """Akaike information criterion, corrected for few numbers."""
        n, k = 2 * len(self.residual), len(self.values) + 1
        corrected = 2.0 * k * (k + 1) / (n - k - 1) if n > k + 1 else math.inf
        return n * math.log(max(self.rms, np.finfo(float).eps) ** 2) + 2.0 * k + corrected


def fit_circuit(
    text: str,
    frequency_Hz: Floats,
    impedance_ohm: Complex,
    start: Mapping[str, float] | None = None,
    weighting: Weighting = "modulus",
    evaluations: int = EVALUATIONS,
) -> CircuitFit:
    """The values of a circuit that fit a spectrum best, by complex least squares, each point weighted by 1 / |Z|.

    Levenberg-Marquardt with exact slopes over ln p, so that all values stay above 0; exponents stay within 0.5 to 1.
    start: values by name; without it the best of 24 starts spread over the range of the data, always the same ones.
    weighting "unit": all points alike, as a fit without weights does; the largest impedances then rule it.
    evaluations: of Z, at most, per start.
    Standard errors: of the slopes and the residual, (J^T J)^-1 S / (n - k), widened by (1 + r) / (1 - r) where
    neighbouring residuals are alike (r), since those are fewer numbers than they seem. They say how well the data
    determine a value within this circuit, not whether the circuit is right.

    Raises InputError for a circuit that is not understood, too few points, or a start that is not of this circuit.

    >>> f = np.logspace(4, 0, 41)
    >>> z = 2.0 + 10.0 / (1.0 + 2j * np.pi * f * 1e-2)
    >>> fit = fit_circuit("R0-p(R1,C1)", f, z)
    >>> {name: float(f"{value:.3g}") for name, value in fit.values.items()}
    {'R0_ohm': 2.0, 'R1_ohm': 10.0, 'C1_F': 0.001}
    """
    found = circuit(text)
    if 2 * len(frequency_Hz) <= len(found.names):
        raise InputError(f"circuit {text}: {len(found.names)} values cannot be found in {len(frequency_Hz)} points")
    if start is not None and (missing := [name for name in found.names if name not in start]):
        raise InputError(f"circuit {text}: no start for {', '.join(missing)}")
    begins = [start] if start is not None else _starts(found, frequency_Hz, impedance_ohm)
    size = np.abs(impedance_ohm) if weighting == "modulus" else np.full(len(impedance_ohm), np.abs(impedance_ohm).max())
    fits = [_descend(found, frequency_Hz, impedance_ohm, size, begin, evaluations) for begin in begins]
    best = min((one for one in fits if one is not None), key=lambda one: one[1], default=None)
    if best is None:
        raise SolverError(f"circuit {text}: the fit did not end in numbers")
    return _with_errors(found, frequency_Hz, impedance_ohm, size, best[0])


def _starts(found: Circuit, frequency_Hz: Floats, impedance_ohm: Complex) -> list[Mapping[str, float]]:
    """Starts drawn over the range of the data: resistances of its size, times within those measured."""
    draw = np.random.default_rng(np.random.Philox(SEED))
    size, w = np.abs(impedance_ohm), 2.0 * np.pi * frequency_Hz
    least, most = math.log(max(size.min() * 0.03, size.max() * 1e-4)), math.log(size.max() * 2.0)
    begins: list[Mapping[str, float]] = []
    for _ in range(STARTS):
        begin: dict[str, float] = {}
        for name in found.names:
            unit = name.split("_", 1)[1]
            ohm, tau_s = (
                math.exp(draw.uniform(least, most)),
                math.exp(draw.uniform(-math.log(w.max()), -math.log(w.min()))),
            )
            begin[name] = {
                "ohm": ohm,
                "s": tau_s,
                "n": SPREAD_START,
                "F": tau_s / ohm,
                "H": 0.3 * size.min() / w.max(),
                "S_sn": tau_s**SPREAD_START / ohm,
                "ohm_per_root_s": ohm / math.sqrt(tau_s),
            }[unit]
        begins.append(begin)
    return begins


def _free(names: tuple[str, ...], values: Mapping[str, float]) -> Floats:
    """Values as the numbers that are varied: ln p; of an exponent the logit of its place between its bounds."""
    found = []
    for name in names:
        value = values[name]
        if name.endswith("_n"):
            place = min(max((value - LEAST_EXPONENT) / (1.0 - LEAST_EXPONENT), AT_BOUND), 1.0 - AT_BOUND)
            found.append(math.log(place / (1.0 - place)))
        else:
            found.append(math.log(value))
    return np.array(found)


def _bound(names: tuple[str, ...], free: Floats) -> tuple[Floats, Floats]:
    """Values of what is varied, and what a slope over ln p or n is to be multiplied by."""
    p, factors = np.exp(np.clip(free, -LOGS, LOGS)), np.ones(len(free))
    for place, name in enumerate(names):
        if name.endswith("_n"):
            share = 1.0 / (1.0 + 1.0 / p[place])
            p[place] = LEAST_EXPONENT + (1.0 - LEAST_EXPONENT) * share
            factors[place] = (1.0 - LEAST_EXPONENT) * share * (1.0 - share)
    return p, factors


def _descend(
    found: Circuit,
    frequency_Hz: Floats,
    impedance_ohm: Complex,
    size_ohm: Floats,
    begin: Mapping[str, float],
    evaluations: int,
) -> tuple[dict[str, float], float] | None:
    """The values that a start leads to and their sum of squares; None where it leads nowhere."""
    jw, weight = _jw(frequency_Hz), 1.0 / size_ohm
    last: dict[bytes, tuple[Floats, Floats]] = {}

    def both(free: Floats) -> tuple[Floats, Floats]:
        key = free.tobytes()
        if key not in last:
            last.clear()
            p, factors = _bound(found.names, free)
            z, slopes = found.answer(jw, p)
            rows = np.array(slopes) * (weight * factors[:, None])
            off = (z - impedance_ohm) * weight
            last[key] = np.concatenate([off.real, off.imag]), np.concatenate([rows.real, rows.imag], axis=1)
        return last[key]

    with np.errstate(all="ignore"):
        free, *_ = leastsq(
            lambda x: both(x)[0],
            _free(found.names, begin),
            Dfun=lambda x: both(x)[1],
            col_deriv=True,
            full_output=True,
            ftol=TOLERANCE,
            xtol=TOLERANCE,
            maxfev=evaluations,
        )
        squares = float(np.sum(both(free)[0] ** 2))
    p, _ = _bound(found.names, free)
    return (dict(zip(found.names, p.tolist(), strict=True)), squares) if math.isfinite(squares) else None


def _at_bound(exponent: float) -> bool:
    return not LEAST_EXPONENT + AT_BOUND < exponent < 1.0 - AT_BOUND


def _is_gone(value: float, error: float) -> bool:
    """Whether a value above 0 has run towards 0 or infinity, where ln p is kept from going on."""
    return error > GONE * value or abs(math.log(value)) > LOGS - AT_BOUND


def _with_errors(
    found: Circuit, frequency_Hz: Floats, impedance_ohm: Complex, size_ohm: Floats, values: dict[str, float]
) -> CircuitFit:
    jw, weight = _jw(frequency_Hz), 1.0 / size_ohm
    z, slopes = found.answer(jw, np.array(list(values.values())))
    residual = (impedance_ohm - z) * weight
    held = [name.endswith("_n") and _at_bound(value) for name, value in values.items()]
    jacobian = np.array(slopes) * weight
    jacobian = np.concatenate([jacobian.real, jacobian.imag], axis=1)[~np.array(held)]
    size = np.linalg.norm(jacobian, axis=1) + np.finfo(float).tiny
    squares, n = float(np.sum(np.abs(residual) ** 2)), 2 * len(residual)
    neighbours = float(np.sum((residual[1:] * residual[:-1].conj()).real)) / squares if squares > 0 else 0.0
    shared = min(max(neighbours, 0.0), MOST_SHARED)
    variance = squares / max(n - len(size), 1) * (1.0 + shared) / (1.0 - shared)
    rows = jacobian / size[:, None]
    per = np.array([1.0 if name.endswith("_n") else value for name, value in values.items()])[~np.array(held)] / size
    covariance = np.zeros((len(values), len(values)))
    free = np.flatnonzero(~np.array(held))
    inverse = np.linalg.pinv(rows @ rows.T, rcond=SINGULAR, hermitian=True)
    covariance[np.ix_(free, free)] = inverse * variance * np.outer(per, per)
    return CircuitFit(found, values, covariance, residual, math.sqrt(squares / len(residual)), neighbours)
