"""One impedance spectrum read in full, and several with one circuit for all."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from interlith.characterize.impedance.arcs import (
    BEYOND,
    DETERMINED,
    Arcs,
    Tried,
    candidates,
    chosen_text,
    doubts_of,
    fit_arcs,
    is_inductive,
    tail_of,
)
from interlith.characterize.impedance.circuit import CircuitFit, Weighting, circuit, fit_circuit
from interlith.characterize.impedance.kramers_kronig import KramersKronig
from interlith.characterize.impedance.relaxation_times import RelaxationTimes, relaxation_times
from interlith.characterize.impedance.spectrum import Spectrum, cleaned, upright
from interlith.errors import InputError

Floats = NDArray[np.float64]
Complex = NDArray[np.complex128]
# role of a resistance -> its name in values and tables
ROLES: Mapping[str, str] = {
    "ohmic": "ohmic_resistance_ohm",
    "film": "film_resistance_ohm",
    "charge transfer": "charge_transfer_resistance_ohm",
    "interface": "interface_resistance_ohm",
    "slow": "slow_resistance_ohm",
}
BLOCKING = ("CPE1", "Wo1")  # diffusion elements that no direct current passes
MISFIT = 0.1  # of |Z|: a circuit that leaves more does not describe the spectrum
SAMPLE = 5  # spectra of a series by which its circuit is chosen
WORSE = 1.5  # times the residual of the spectrum before: then the start is looked for anew


@dataclass(frozen=True)
class Asked:
    """How spectra are to be read. circuit: as text, instead of the choice; its start and the roles of its resistances.

    roles: role -> parameter, for instance {"film": "R1_ohm"}. assignment: names of the arcs from fast to slow.
    """

    area_cm2: float | None = None
    circuit: str | None = None
    start: Mapping[str, float] | None = None
    roles: Mapping[str, str] | None = None
    weighting: Weighting = "modulus"
    assignment: Sequence[str] | None = None


@dataclass(frozen=True)
class Reading:
    """What one spectrum says. spectrum: cleaned and turned; arcs: None where a circuit was given; said: of this one.

    resistances_ohm: role -> value and standard error, of all, whether the data tell them or not.
    """

    spectrum: Spectrum
    test: KramersKronig
    times: RelaxationTimes
    fit: CircuitFit
    arcs: Arcs | None
    resistances_ohm: Mapping[str, tuple[float, float]]
    said: tuple[str, ...]

    @property
    def used(self) -> NDArray[np.bool_]:
        """Points that were fitted."""
        return ~self.test.outliers

    @property
    def fits(self) -> bool:
        """Whether the circuit describes the spectrum at all."""
        return self.fit.rms <= MISFIT

    @property
    def beyond(self) -> tuple[str, ...]:
        """Roles whose arc tops out of the measured range by more than a factor 3: their resistance was not seen.

        Of a circuit of the user's, which has no arcs by name, those far larger than any impedance that was measured.
        """
        if self.arcs is None:
            most_ohm = BEYOND * float(np.abs(self.spectrum.impedance_ohm[self.used]).max())
            return tuple(role for role, (ohm, _) in self.resistances_ohm.items() if ohm > most_ohm)
        unseen = [arc.name for arc in self.arcs.arcs if not self.has_seen(arc.top_Hz)]
        return tuple(role for role in self.resistances_ohm if role in unseen)

    def has_seen(self, top_Hz: float) -> bool:
        """Whether the top of an arc lies in the measured range, or out of it by less than a factor 3."""
        f = self.spectrum.frequency_Hz[self.used]
        return bool(f.min() / BEYOND < top_Hz < f.max() * BEYOND)

    @property
    def blocking_F(self) -> float | None:
        """Capacitance at the lowest frequency of a spectrum that ends in no arc; None where it does."""
        spectrum = self.spectrum
        last = int(np.argmin(spectrum.frequency_Hz))
        w, z = 2.0 * math.pi * float(spectrum.frequency_Hz[last]), complex(spectrum.impedance_ohm[last])
        if z.imag >= 0 or not self._blocks:
            return None
        return -1.0 / (w * z.imag)

    @property
    def _blocks(self) -> bool:
        """An arc whose end is not seen; or nothing but a blocking element behind R_ohm."""
        if self.arcs is None:
            return bool(self.beyond)
        low_Hz = float(self.spectrum.frequency_Hz.min())
        ends = any(arc.top_Hz < low_Hz and not self.has_seen(arc.top_Hz) for arc in self.arcs.arcs)
        return ends or (set(self.given) <= {"ohmic"} and tail_of(self.fit.circuit.text) in BLOCKING)

    @property
    def known(self) -> Mapping[str, tuple[float, float]]:
        """Resistances that the data tell: known to 50 %, and of an arc that was seen."""
        beyond = self.beyond
        return {r: one for r, one in self.resistances_ohm.items() if determined(*one) and r not in beyond}

    @property
    def given(self) -> Mapping[str, tuple[float, float]]:
        """Resistances that are handed out: those known, of a circuit that describes the spectrum."""
        return self.known if self.fits else {}


def determined(value: float, error: float) -> bool:
    """Whether a value is known to better than 50 %, one standard error.

    >>> determined(10.0, 1.0), determined(1e-9, 20.0)
    (True, False)
    """
    return bool(error < DETERMINED * value)


@dataclass(frozen=True)
class _Prepared:
    spectrum: Spectrum
    test: KramersKronig
    times: RelaxationTimes
    said: tuple[str, ...]

    @property
    def points(self) -> tuple[Floats, Complex]:
        kept = ~self.test.outliers
        return self.spectrum.frequency_Hz[kept], self.spectrum.impedance_ohm[kept]


def read_one(spectrum: Spectrum, asked: Asked) -> Reading:
    """A spectrum: cleaned, turned, tested, its relaxation times, its circuit. Raises InputError."""
    return _fitted(_prepared(spectrum), asked)


def read_many(spectra: Sequence[Spectrum], asked: Asked) -> tuple[list[Reading], list[str]]:
    """Spectra of a series, all with one circuit so that they can be compared, and why some were left out.

    The circuit is chosen by five of them, evenly spread, together; each fit begins at the values of the spectrum
    before. Raises InputError when none can be read.
    """
    spectra, said = _counted_once(spectra)
    prepared, refused = [], []
    for spectrum in spectra:
        try:
            prepared.append(_prepared(spectrum))
        except InputError as problem:
            refused.append(problem)
    if not prepared:
        raise refused[0]
    said += [f"left out: {problem}" for problem in refused]
    if len(prepared) == 1:
        return [_fitted(prepared[0], asked)], said
    if asked.circuit is not None:
        own = [_with_circuit(prepared[0], asked)]
        for one in prepared[1:]:
            own.append(_with_circuit(one, replace(asked, start=own[0].fit.values)))
        return own, said
    text = _common(prepared)
    found: list[Arcs] = []
    for one in prepared:
        found.append(_followed(one, asked, text, found[-1].fit if found else None))
    words = Counter(tuple(arc.name for arc in arcs.arcs) for arcs in found).most_common(1)[0][0]
    return [_reading(one, arcs.renamed(words)) for one, arcs in zip(prepared, found, strict=True)], said


def _counted_once(spectra: Sequence[Spectrum]) -> tuple[Sequence[Spectrum], list[str]]:
    """Rows without a frequency lie between the spectra of a file and belong to none: of several told once for all."""
    n = sum(one.n_without_frequency for one in spectra)
    if len(spectra) == 1 or not n:
        return spectra, []
    bare = [replace(one, n_without_frequency=0) for one in spectra]
    return bare, [f"{n} row{'s' if n > 1 else ''} without a frequency, over {len(spectra)} spectra, left out"]


def _prepared(spectrum: Spectrum) -> _Prepared:
    clean, said = cleaned(spectrum)
    turned, test, turns = upright(clean)
    kept = ~test.outliers
    if not kept.all():
        places = ", ".join(f"{f:.4g}" for f in turned.frequency_Hz[~kept])
        said += (f"{np.sum(~kept)} points stand off their neighbours, left out of the fits: {places} Hz",)
    _has_arc(turned)
    times = relaxation_times(turned.frequency_Hz[kept], turned.impedance_ohm[kept])
    return _Prepared(turned, test, times, said + turns)


def _has_arc(spectrum: Spectrum) -> None:
    if np.all(spectrum.impedance_ohm.imag >= 0):
        raise InputError(
            f"{spectrum.name}: inductive at all frequencies: leads, or a short; no arc can be found. "
            "If -Im Z was exported, the spectrum does not obey the Kramers-Kronig relations either way"
        )


def _fitted(one: _Prepared, asked: Asked) -> Reading:
    f, z = one.points
    if asked.circuit is not None:
        return _with_circuit(one, asked)
    arcs = fit_arcs(f, z, times=one.times, area_cm2=asked.area_cm2, assignment=asked.assignment)
    return _reading(one, arcs)


def _followed(one: _Prepared, asked: Asked, text: str, before: CircuitFit | None) -> Arcs:
    f, z = one.points

    def fitted(starts: Sequence[Mapping[str, float]]) -> Arcs:
        return fit_arcs(
            f,
            z,
            times=one.times,
            circuits=[text],
            starts=starts,
            area_cm2=asked.area_cm2,
            assignment=asked.assignment,
        )

    if before is None:
        return fitted([])
    arcs = fitted([before.values])
    if arcs.fit.rms <= WORSE * before.rms:
        return arcs
    return min(arcs, fitted([]), key=lambda each: each.fit.rms)


def _reading(one: _Prepared, arcs: Arcs) -> Reading:
    resistances = {"ohmic": arcs.ohmic_ohm}
    for role in ROLES:
        if (arc := arcs.named(role)) is not None:
            resistances[role] = arc.resistance_ohm, arc.error_ohm
    return Reading(one.spectrum, one.test, one.times, arcs.fit, arcs, resistances, one.said)


def _with_circuit(one: _Prepared, asked: Asked) -> Reading:
    text, roles = asked.circuit or "", asked.roles or {}
    known = circuit(text).names
    for role, name in roles.items():
        if role not in ROLES or name not in known:
            raise InputError(f"role {role} = {name}: one of {', '.join(ROLES)}, of {', '.join(known)}")
    f, z = one.points
    said = one.said
    inductive = z.imag > 0
    if inductive.any() and not any(name.endswith("_H") for name in known):
        said += (f"{inductive.sum()} inductive points left out of the fit: {text} has no inductance",)
        f, z = f[~inductive], z[~inductive]
    fit = fit_circuit(text, f, z, asked.start, asked.weighting)
    resistances = {role: (fit.values[name], fit.error(name)) for role, name in roles.items()}
    return Reading(one.spectrum, one.test, one.times, fit, None, resistances, said)


def _common(prepared: Sequence[_Prepared]) -> str:
    """The circuit that is best for a few of a series together, by the rule of a single spectrum."""
    places = sorted({round(i) for i in np.linspace(0, len(prepared) - 1, SAMPLE)})
    sample = [prepared[i] for i in places]
    inductive = any(is_inductive(one.points[0], one.points[1], one.times) for one in sample)
    tried = []
    for one in sample:
        f, z = one.points
        found = fit_arcs(f, z, times=one.times, circuits=candidates(inductive=inductive))
        tried += [Tried(fit, len(doubts_of(fit, f))) for fit in found.tried]
    return chosen_text(tried)
