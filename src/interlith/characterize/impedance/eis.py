"""What impedance spectra say of a cell: resistances, exchange current, whether the cell stood still, how it changes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from interlith.characterize.impedance.circuit import Weighting
from interlith.characterize.impedance.eis_reading import ROLES, Asked, Reading, read_many
from interlith.characterize.impedance.eis_tables import tables_of, trend_table
from interlith.characterize.impedance.eis_trend import Trend, as_json, trends
from interlith.characterize.impedance.eis_values import ASSUMED_C, Facts, values_of
from interlith.characterize.impedance.eis_words import headline, marks, moved, remarks, series_headline, source
from interlith.characterize.impedance.spectrum import Spectrum
from interlith.characterize.measured import Measured
from interlith.errors import InputError
from interlith.parts.quantity import NORMAL_95, Quantity
from interlith.units import ZERO_CELSIUS_K

Electrode = Literal["host", "foil", "counter"]
Known = Mapping[str, tuple[float, float]]  # role -> ohm, standard error in ohm
NORMAL_UP_TO = 0.25  # relative error up to which an interval about a value may be symmetric


def measure_eis(
    spectra: Sequence[Spectrum],
    *,
    area_cm2: float | None = None,
    area_ratio: float | None = None,
    temperature_C: float | None = None,
    n_electrodes: Literal[1, 2] = 1,
    electrode: Electrode | None = None,
    circuit: str | None = None,
    start: Mapping[str, float] | None = None,
    roles: Mapping[str, str] | None = None,
    weighting: Weighting = "modulus",
    assignment: Sequence[str] | None = None,
) -> Measured:
    """Resistances of the ohmic path, the film and the charge transfer, from one spectrum or a series of one cell.

    Each spectrum is cleaned, tested by Kramers-Kronig, resolved into relaxation times and fitted; the spectra of a
    series all with one circuit. i0 = R T / (F R_ct A), for a reaction of one electron.

    area_cm2: geometric; without it nothing is given per area, and capacitances are judged as if it were 1 cm2.
    area_ratio: real over geometric area of the electrode, m2/m2, taken as exact. With it film, interface and i0 are per
    real area, as a study takes them; without it they are per geometric area, and no file takes them. temperature_C: 25
    where not given, and said. n_electrodes: 2 for a symmetric cell of two equal electrodes, each of which has half of
    film and charge transfer. electrode: which part of a study the film and i0 belong to. circuit, start, roles,
    weighting: a circuit of your own, see `circuit.fit_circuit` and `eis_reading.Asked`. assignment: names of the arcs
    from fast to slow, instead of those by order and capacitance.

    Raises InputError when no spectrum can be read.

    >>> import numpy as np
    >>> f = np.logspace(5, -1, 61)
    >>> w = 2j * np.pi * f
    >>> made_up = Spectrum("a", f, 3.0 + 20.0 / (1.0 + w * 2e-5) + 50.0 / (1.0 + w * 5e-3))
    >>> found = measure_eis([made_up], area_cm2=1.13, area_ratio=3.0, electrode="foil")
    >>> [(one.name, round(one.value, 3)) for one in found.quantities][-2:]
    [('film_resistance_ohm_cm2', 67.8), ('exchange_current_density_A_per_m2', 1.516)]
    """
    _check(spectra, area_cm2, area_ratio, temperature_C, n_electrodes)
    readings, left_out = read_many(spectra, Asked(area_cm2, circuit, start, roles, weighting, assignment))
    celsius = ASSUMED_C if temperature_C is None else temperature_C
    facts = Facts(area_cm2, celsius, n_electrodes, electrode, area_ratio)
    found = trends(trend_table(readings)) if len(readings) > 1 else ()
    said = (*left_out, *moved(found), *remarks(readings, facts, temperature_assumed=temperature_C is None))
    tables = tables_of(readings)
    if len(readings) == 1:
        one = readings[0]
        values = {"name": one.spectrum.name, **values_of(one, facts)}
        return Measured("eis", headline(one), values, _quantities(one.given, facts, source(one)), said, tables)
    best, where = _of_series(readings, found)
    values = _series_values(readings, found, facts)
    return Measured("eis", series_headline(readings, found), values, _quantities(best, facts, where), said, tables)


def _check(
    spectra: Sequence[Spectrum],
    area_cm2: float | None,
    area_ratio: float | None,
    temperature_C: float | None,
    n_electrodes: int,
) -> None:
    if not spectra:
        raise InputError("no impedance spectrum was given")
    if area_cm2 is not None and not (math.isfinite(area_cm2) and area_cm2 > 0):
        raise InputError(f"area_cm2 = {area_cm2}: an area above 0 cm2")
    if area_ratio is not None and not (math.isfinite(area_ratio) and area_ratio > 0):
        raise InputError(f"area_ratio = {area_ratio}: real over geometric area, above 0 m2/m2")
    if temperature_C is not None and not -ZERO_CELSIUS_K < temperature_C < math.inf:
        raise InputError(f"temperature_C = {temperature_C}: above {-ZERO_CELSIUS_K} C")
    if n_electrodes not in (1, 2):
        raise InputError(f"n_electrodes = {n_electrodes}: 1, or 2 for a symmetric cell")


def _quantities(found: Known, facts: Facts, source: str) -> tuple[Quantity, ...]:
    """Resistances of the cell; with an area also those of one electrode times its area, and i0."""
    quantities = [_quantity(ROLES[role], ohm, error, source) for role, (ohm, error) in found.items()]
    if facts.area_cm2 is None:
        return tuple(quantities)
    for role in ("ohmic", "interface", "film"):
        if role in found:
            ohm, error = found[role]
            factor = facts.area_cm2 if role == "ohmic" else facts.each_cm2
            place = facts.place if role == "film" else None
            quantities.append(_quantity(f"{ROLES[role]}_cm2", ohm * factor, error * factor, source, place))
    if "charge transfer" in found:
        ohm, error = found["charge transfer"]
        i0 = facts.exchange_A_per_m2(ohm) or math.nan
        name = "exchange_current_density_A_per_m2"
        quantities.append(_quantity(name, i0, i0 * error / ohm, source, facts.place))
    return tuple(quantities)


def _quantity(name: str, value: float, error: float, source: str, electrode: str | None = None) -> Quantity:
    """A value above 0: with a large error its logarithm is what is normal, and the interval stays above 0."""
    place: dict[str, Any] = {} if electrode is None else {"file": "study", "table": f"set.{electrode}"}
    if error < NORMAL_UP_TO * value:
        return Quantity(name, value, source, standard_error=error, **place)
    wide = math.exp(NORMAL_95 * error / value)
    return Quantity(name, value, source, low=value / wide, high=value * wide, **place)


def _of_series(readings: Sequence[Reading], found: Sequence[Trend]) -> tuple[Known, str]:
    """What a series hands out, and from where: the mean where all are steady, else the last spectrum.

    The error of a mean is that of one fit: what the model leaves out is the same in all spectra.
    """
    last = readings[-1]
    text = last.fit.circuit.text
    if not found or not all(trend.is_steady for trend in found):
        return last.given, f"EIS of {last.spectrum.name}, the last of {len(readings)}, {text}{marks([last])}"
    good = [one for one in readings if one.test.verdict != "not consistent"]
    means = {}
    for trend in found:
        errors = [one.given[trend.role][1] for one in good if trend.role in one.given]
        means[trend.role] = trend.mean_ohm, math.hypot(max(errors), trend.repeatability * trend.mean_ohm)
    n = min(trend.n for trend in found)
    names = f"{good[0].spectrum.name} to {good[-1].spectrum.name}"
    return means, f"EIS, mean of {n} spectra of {names}, {text}{marks(good)}"


def _series_values(readings: Sequence[Reading], found: Sequence[Trend], facts: Facts) -> dict[str, Any]:
    verdicts = [one.test.verdict for one in readings]
    return {
        "n_spectra": len(readings),
        "circuit": readings[0].fit.circuit.text,
        "kramers_kronig": {word: verdicts.count(word) for word in ("consistent", "not consistent", "undecided")},
        "trends": {trend.role: as_json(trend) for trend in found},
        "first": {"name": readings[0].spectrum.name, **values_of(readings[0], facts)},
        "last": {"name": readings[-1].spectrum.name, **values_of(readings[-1], facts)},
    }
