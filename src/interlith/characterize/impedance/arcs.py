"""How many arcs and which diffusion element an impedance spectrum carries, and what each arc may be."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from interlith.characterize.impedance.circuit import CircuitFit, circuit, fit_circuit
from interlith.characterize.impedance.relaxation_times import FLOOR, RelaxationTimes, relaxation_times
from interlith.errors import InputError

Floats = NDArray[np.float64]
Complex = NDArray[np.complex128]

MOST_ARCS = 3
TAILS: Mapping[str, str] = {
    "": "no diffusion element",
    "W1": "semi-infinite diffusion",
    "Ws1": "diffusion through a layer of finite length",
    "Wo1": "diffusion in a layer of finite length that ends at a wall",
    "CPE1": "a blocking constant phase element",
}
DETERMINED = 0.5  # relative standard error above which a value is not told by the data
BEYOND = 3.0  # an arc whose top lies farther outside the measured range than this factor is not told by it
APART = 3.0  # factor between the time constants of two arcs that can be told apart
SHARE = 0.01  # of all resistance of the arcs: smaller arcs are not told
VISIBLE = 3.0  # times the residual: what an inductance must add at the highest frequency
EXPONENT, HALVED, SLOWER = 0.85, 1.0, 2.5  # where a fit begins
SEARCH, WORSE = 60, 1.2  # evaluations of a candidate; times the best residual, from which on it is begun again
ADEQUATE, ENOUGH = 3.0, 3e-4  # times the best residual; fractions of |Z| below which all are alike
# Of the Bayesian criterion: very strong evidence (Kass and Raftery 1995, doi:10.1080/01621459.1995.10476572)
BETTER = 10.0
# Effective capacitance per area below which an arc is of the solid electrolyte, its grains, or the leads. Assumed, 1e-9
# to 1e-7: a dielectric layer of permittivity 10 has 8.9 nF/cm2 at 1 um, and films on lithium are thinner.
BULK_F_PER_CM2 = 1e-8


@dataclass(frozen=True)
class Arc:
    """R || CPE. error_ohm: one standard deviation; top_Hz: frequency of its highest point; exponent of the CPE.

    capacitance_F: effective, tau / R (the frequency of the top and R give it without an assumption on the exponent).
    name: film, charge transfer, interface, bulk or slow; an assignment by order and capacitance, not a measurement.
    """

    name: str
    resistance_ohm: float
    error_ohm: float
    tau_s: float
    exponent: float

    @property
    def top_Hz(self) -> float:
        """Frequency at which -Im Z of the arc is highest."""
        return 1.0 / (2.0 * math.pi * self.tau_s)

    @property
    def capacitance_F(self) -> float:
        """Effective capacitance tau / R."""
        return self.tau_s / self.resistance_ohm


@dataclass(frozen=True)
class Arcs:
    """The chosen circuit of a spectrum. doubts: what the data do not tell; tried: every candidate with its criteria."""

    fit: CircuitFit
    arcs: tuple[Arc, ...]
    doubts: tuple[str, ...]
    tried: tuple[CircuitFit, ...]

    @property
    def text(self) -> str:
        """The circuit."""
        return self.fit.circuit.text

    @property
    def tail(self) -> str:
        """Its diffusion element in words."""
        return TAILS[tail_of(self.text)]

    @property
    def ohmic_ohm(self) -> tuple[float, float]:
        """R_ohm and its error: the series resistance, and the arcs of the bulk, whose sum is known better than each."""
        bulk = [name for name, arc in zip(ordered(self.fit), self.arcs, strict=True) if arc.name == "bulk"]
        names = ["R0_ohm", *(f"{name}_ohm" for name in bulk)]
        return sum(self.fit.values[name] for name in names), self.fit.error(*names)

    def renamed(self, words: Sequence[str]) -> Arcs:
        """The same arcs with these names, from fast to slow."""
        arcs = tuple(replace(arc, name=word) for arc, word in zip(self.arcs, words, strict=True))
        return replace(self, arcs=arcs)

    def named(self, name: str) -> Arc | None:
        """The arc of this name; None where there is none."""
        return next((arc for arc in self.arcs if arc.name == name), None)


def tail_of(text: str) -> str:
    """The diffusion element of a circuit of arcs.

    >>> tail_of("L0-R0-A1-A2-Wo1")
    'Wo1'
    """
    last = text.split("-")[-1]
    return last if last in TAILS else ""


def candidates(*, inductive: bool, most_arcs: int = MOST_ARCS) -> tuple[str, ...]:
    """All circuits that are tried: one to three arcs, with and without each diffusion element.

    >>> candidates(inductive=False, most_arcs=1)
    ('R0-A1', 'R0-A1-W1', 'R0-A1-Ws1', 'R0-A1-Wo1', 'R0-A1-CPE1')
    """
    head = ["L0", "R0"] if inductive else ["R0"]
    counts = range(1, most_arcs + 1)
    return tuple("-".join([*head, *(f"A{i + 1}" for i in range(n)), *filter(None, [t])]) for n in counts for t in TAILS)


def fit_arcs(
    frequency_Hz: Floats,
    impedance_ohm: Complex,
    *,
    times: RelaxationTimes | None = None,
    circuits: Sequence[str] | None = None,
    starts: Iterable[Mapping[str, float]] = (),
    area_cm2: float | None = None,
    assignment: Sequence[str] | None = None,
) -> Arcs:
    """R_ohm + one to three arcs [+ diffusion] [+ L], as many as the data carry.

    Every candidate begins where the distribution of relaxation times has its resistance. Taken is the one of the least
    Bayesian criterion of those whose arcs the data determine: resistance within 50 % (one standard error), top within
    a factor 3 of the measured range, time constants a factor 3 apart; a further parameter must lower the criterion by
    10. Where none is so, the simplest is taken, with doubts.

    circuits: only these are tried, as in a series in which all spectra must have one circuit; starts: values of an
    earlier fit, which then take the place of the distribution. assignment: names of the arcs from fast to slow. Raises
    InputError.

    >>> f = np.logspace(5, -1, 61)
    >>> found = fit_arcs(f, 3.0 + 20.0 / (1.0 + 2j * np.pi * f * 1e-3) + 50.0 / (1.0 + 2j * np.pi * f * 0.1))
    >>> found.text, [(arc.name, round(arc.resistance_ohm, 2)) for arc in found.arcs]
    ('R0-A1-A2', [('film', 20.0), ('charge transfer', 50.0)])
    """
    if len(frequency_Hz) < 4:
        raise InputError(f"{len(frequency_Hz)} points are too few for a circuit")
    begins = list(starts)
    if times is None and (circuits is None or not begins):
        times = relaxation_times(frequency_Hz, impedance_ohm)
    if circuits is None:
        circuits = candidates(inductive=times is not None and is_inductive(frequency_Hz, impedance_ohm, times))
    carried = [text for text in circuits if n_parameters(text) < len(frequency_Hz)] or list(circuits[:1])
    fits = []
    for text in carried:
        begin = next((one for one in begins if set(one) == set(_names(text))), None)
        if begin is None:
            times = times or relaxation_times(frequency_Hz, impedance_ohm)
            begin = start_of(text, frequency_Hz, impedance_ohm, times)
        fits.append(fit_circuit(text, frequency_Hz, impedance_ohm, begin, evaluations=SEARCH))
        if times is not None and text.count("A") > 1 and tail_of(text) in ("", "W1"):  # the others follow, below
            begin = start_of(text, frequency_Hz, impedance_ohm, times, even=True)
            fits.append(fit_circuit(text, frequency_Hz, impedance_ohm, begin, evaluations=SEARCH))
    fits = [_again(fit, fits, frequency_Hz, impedance_ohm) for fit in fits]
    fits = [min((one for one in fits if one.circuit.text == text), key=lambda one: one.rms) for text in carried]
    chosen = choose(fits, frequency_Hz)
    chosen = fit_circuit(chosen.circuit.text, frequency_Hz, impedance_ohm, chosen.values)
    return Arcs(chosen, _assigned(chosen, area_cm2, assignment), doubts_of(chosen, frequency_Hz), tuple(fits))


def _again(fit: CircuitFit, fits: Sequence[CircuitFit], frequency_Hz: Floats, impedance_ohm: Complex) -> CircuitFit:
    """The same circuit, begun at the arcs of the best one with as many, where that is much better."""
    n_arcs = fit.circuit.text.count("A")
    best = min((one for one in fits if one.circuit.text.count("A") == n_arcs), key=lambda one: one.rms)
    if fit.rms < WORSE * best.rms:
        return fit
    begin = {name: best.values.get(name, value) for name, value in fit.values.items()}
    again = fit_circuit(fit.circuit.text, frequency_Hz, impedance_ohm, begin, evaluations=SEARCH)
    return again if again.rms < fit.rms else fit


def n_parameters(text: str) -> int:
    """How many values a circuit of arcs has."""
    return len(_names(text))


def _names(text: str) -> tuple[str, ...]:
    return circuit(text).names


def is_inductive(frequency_Hz: Floats, impedance_ohm: Complex, times: RelaxationTimes) -> bool:
    """Whether an inductance adds more than the residual at the highest frequency."""
    top = int(np.argmax(frequency_Hz))
    adds = 2.0 * math.pi * float(frequency_Hz[top]) * times.inductance_H
    return adds > VISIBLE * max(times.rms, FLOOR) * abs(complex(impedance_ohm[top]))


def groups(times: RelaxationTimes, n: int) -> list[tuple[float, float]]:
    """The distribution as n processes: resistance in ohm and time constant in s, fastest first.

    Neighbouring peaks are joined, those first that are small and near; where there are too few, the largest is halved.
    """
    found = [(peak.resistance_ohm, math.log(peak.tau_s)) for peak in times.peaks] or [
        (times.polarization_ohm or times.series_ohm, float(np.mean(np.log(times.tau_s))))
    ]
    if times.capacitance_F is not None:  # what blocks is the slowest process
        tau_s = float(times.tau_s[-1])
        found.append((tau_s / times.capacitance_F, math.log(tau_s)))
    while len(found) > n:
        costs = [min(a[0], b[0]) * (b[1] - a[1]) for a, b in pairwise(found)]
        i = int(np.argmin(costs))
        (one, t), (two, u) = found[i], found[i + 1]
        found[i : i + 2] = [(one + two, (one * t + two * u) / (one + two))]
    while len(found) < n:
        i = max(range(len(found)), key=lambda place: found[place][0])
        ohm, t = found[i]
        found[i : i + 1] = [(ohm / 2, t - HALVED), (ohm / 2, t + HALVED)]
    return [(ohm, math.exp(t)) for ohm, t in found]


def even_groups(times: RelaxationTimes, n: int) -> list[tuple[float, float]]:
    """The distribution cut into n parts of equal weight, the root of the resistance: another start, for flat ones."""
    weights, logs = np.sqrt(times.resistance_ohm) + np.finfo(float).tiny, np.log(times.tau_s)
    part = np.minimum((np.cumsum(weights) / weights.sum() * n).astype(int), n - 1)
    found = []
    for i in range(n):
        inside = part == i
        middle = np.average(logs[inside], weights=weights[inside]) if inside.any() else logs.mean()
        found.append((float(times.resistance_ohm[inside].sum()), math.exp(float(middle))))
    return found


def start_of(
    text: str, frequency_Hz: Floats, impedance_ohm: Complex, times: RelaxationTimes, *, even: bool = False
) -> dict[str, float]:
    """Where the fit of a circuit of arcs begins: at `groups` of the distribution, or at `even_groups`."""
    w = 2.0 * np.pi * frequency_Hz
    size = np.abs(impedance_ohm)
    tail, n_arcs = tail_of(text), text.count("A")
    found = (even_groups if even else groups)(times, n_arcs + bool(tail))
    begin = {"R0_ohm": max(times.series_ohm, 1e-2 * float(size.min()))}
    if text.startswith("L0"):
        begin["L0_H"] = max(times.inductance_H, 1e-3 * float(size.min()) / float(w.max()))
    for i, (ohm, tau_s) in enumerate(found[:n_arcs]):
        begin |= {f"A{i + 1}_ohm": max(ohm, 1e-3 * float(size.min())), f"A{i + 1}_s": tau_s, f"A{i + 1}_n": EXPONENT}
    if tail:
        begin |= _tail_start(tail, *found[-1], w, impedance_ohm)
    return begin


def _tail_start(tail: str, ohm: float, tau_s: float, w: Floats, impedance_ohm: Complex) -> dict[str, float]:
    last = int(np.argmin(w))
    rise = max(-float(impedance_ohm[last].imag), 0.05 * abs(complex(impedance_ohm[last])))
    slowest = float(w[last])
    if tail == "W1":
        return {"W1_ohm_per_root_s": rise * math.sqrt(slowest)}
    if tail == "CPE1":
        return {"CPE1_S_sn": 1.0 / (rise * slowest**EXPONENT), "CPE1_n": EXPONENT}
    if tail == "Ws1":
        return {"Ws1_ohm": ohm, "Ws1_s": SLOWER * tau_s}
    return {"Wo1_ohm": ohm, "Wo1_s": ohm / (rise * slowest)}  # its capacitance is tau / R


def ordered(fit: CircuitFit) -> list[str]:
    """Its arcs, fastest first."""
    names = [name.removesuffix("_ohm") for name in fit.values if name.startswith("A") and name.endswith("_ohm")]
    return sorted(names, key=lambda name: fit.values[f"{name}_s"])


def doubts_of(fit: CircuitFit, frequency_Hz: Floats) -> tuple[str, ...]:
    """What of a circuit the data do not tell; nothing where all is determined.

    An arc whose top lies beyond the measured range by no more than a factor 3 may be seen in part: no doubt of the
    circuit, though its resistance may be unknown (its error says so).
    """
    values, arcs = fit.values, ordered(fit)
    low, high = float(frequency_Hz.min()), float(frequency_Hz.max())
    whole = sum(values[f"{arc}_ohm"] for arc in arcs)
    found = []
    for arc in arcs:
        ohm, top_Hz = values[f"{arc}_ohm"], 1.0 / (2.0 * math.pi * values[f"{arc}_s"])
        what = f"the arc at {top_Hz:.3g} Hz"
        if not low / BEYOND < top_Hz < high * BEYOND:
            found.append(f"{what} lies outside the measured range")
        elif low < top_Hz < high and not fit.relative_error(f"{arc}_ohm") < DETERMINED:
            found.append(f"the resistance of {what} is not determined")
        elif ohm < SHARE * whole:
            found.append(f"{what} is smaller than {SHARE:.0%} of all arcs")
    for one, two in pairwise(arcs):
        if values[f"{two}_s"] < APART * values[f"{one}_s"]:
            found.append("two arcs have time constants that are nearly the same")
    for name in values:
        if name.startswith(("Wo1_", "Ws1_", "W1_", "CPE1_S")) and not fit.relative_error(name) < DETERMINED:
            found.append(f"the diffusion element is not determined ({name})")
    return tuple(found)


def choose(fits: Sequence[CircuitFit], frequency_Hz: Floats) -> CircuitFit:
    """The simplest of the circuits that are determined and not worse than the best of them by 10 of the criterion.

    A circuit whose residual is three times that of the best of all, and more than 0.1 % of |Z|, is not in question.
    """
    best_text = chosen_text([Tried(fit, len(doubts_of(fit, frequency_Hz))) for fit in fits])
    return min((fit for fit in fits if fit.circuit.text == best_text), key=lambda fit: fit.rms)


@dataclass(frozen=True)
class Tried:
    """A candidate, and how many doubts there are of it."""

    fit: CircuitFit
    n_doubts: int


def chosen_text(tried: Sequence[Tried]) -> str:
    """The circuit of `choose`, for one spectrum, or for several together, each of which tried all."""
    per_text: dict[str, list[Tried]] = {}
    for one in tried:
        per_text.setdefault(one.fit.circuit.text, []).append(one)
    sums = {
        text: (
            sum(one.n_doubts for one in ones) / len(ones),
            sum(one.fit.bayes for one in ones) / len(ones),
            math.exp(sum(math.log(max(one.fit.rms, ENOUGH)) for one in ones) / len(ones)),
        )
        for text, ones in per_text.items()
    }
    least = min(rms for _, _, rms in sums.values())
    sums = {text: found for text, found in sums.items() if found[2] <= ADEQUATE * least}
    fewest = min(doubts for doubts, _, _ in sums.values())
    sums = {text: found for text, found in sums.items() if found[0] == fewest}
    limit = min(bayes for _, bayes, _ in sums.values()) + BETTER
    near = [text for text, (_, bayes, _) in sums.items() if bayes <= limit]
    return min(near, key=lambda text: (n_parameters(text), sums[text][1]))


def _assigned(fit: CircuitFit, area_cm2: float | None, assignment: Sequence[str] | None) -> tuple[Arc, ...]:
    """Arcs with names: given, or by capacitance and order."""
    names = ordered(fit)
    values = fit.values
    if assignment is not None:
        if len(assignment) != len(names):
            raise InputError(f"{len(assignment)} names for the {len(names)} arcs of {fit.circuit.text}")
        words = list(assignment)
    else:
        per_area = [values[f"{name}_s"] / values[f"{name}_ohm"] / (area_cm2 or 1.0) for name in names]
        words = assigned(per_area)
    return tuple(
        Arc(word, values[f"{n}_ohm"], fit.error(f"{n}_ohm"), values[f"{n}_s"], values[f"{n}_n"])
        for word, n in zip(words, names, strict=True)
    )


def assigned(capacitance_F_per_cm2: Sequence[float]) -> list[str]:
    """Names of arcs, fastest first, by order and effective capacitance.

    Arcs below 10 nF/cm2 that come first are the bulk: grains of a solid electrolyte, leads. Of the others the first is
    the film and the second the charge transfer, what follows slow; one alone is the interface, film and charge transfer
    in one.

    >>> assigned([1e-6, 1e-4]), assigned([1e-11, 1e-5]), assigned([1e-6, 1e-5, 1e-2])
    (['film', 'charge transfer'], ['bulk', 'interface'], ['film', 'charge transfer', 'slow'])
    """
    n_bulk = 0
    while n_bulk < len(capacitance_F_per_cm2) and capacitance_F_per_cm2[n_bulk] < BULK_F_PER_CM2:
        n_bulk += 1
    rest = len(capacitance_F_per_cm2) - n_bulk
    words = ["interface"] if rest == 1 else ["film", "charge transfer", *["slow"] * (rest - 2)][:rest]
    return [*["bulk"] * n_bulk, *words]
