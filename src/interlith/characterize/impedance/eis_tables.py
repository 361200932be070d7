"""Readings of impedance spectra as the tables that figures are drawn from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from interlith.characterize.impedance.arcs import doubts_of
from interlith.characterize.impedance.circuit import circuit
from interlith.characterize.impedance.eis_reading import ROLES, Reading

PERCENT = 100.0
CURVE_POINTS, CURVE_DECADES = 81, 2.0  # of an arc alone, beyond its top on both sides
SAME_PROCESS = 3.0  # factor between the time constants of a peak and the arc that it is named after
MOST_CURVES = 5  # spectra of a series whose arcs and distributions are kept as curves


def tables_of(readings: Sequence[Reading]) -> dict[str, pl.DataFrame]:
    """eis-points, eis-arcs, eis-relaxation, eis-peaks; of one spectrum eis-circuits, of several eis-trend."""
    shown = _spread(readings)
    found = {
        "eis-points": pl.concat([_points(i, readings[i]) for i in range(len(readings))]),
        "eis-relaxation": pl.concat([_relaxation(i, readings[i]) for i in shown]),
        "eis-peaks": pl.concat([_peaks(i, readings[i]) for i in shown]),
    }
    arcs = [_arcs(i, readings[i]) for i in shown if readings[i].arcs is not None]
    found |= {"eis-arcs": pl.concat(arcs)} if arcs else {}
    if len(readings) > 1:
        return found | {"eis-trend": trend_table(readings)}
    tried = _circuits(readings[0])
    return found | ({"eis-circuits": tried} if tried is not None else {})


def _spread(readings: Sequence[Reading]) -> list[int]:
    return sorted({round(i) for i in np.linspace(0, len(readings) - 1, MOST_CURVES)})


def _points(number: int, reading: Reading) -> pl.DataFrame:
    spectrum, test = reading.spectrum, reading.test
    fitted = reading.fit.circuit.impedance_ohm(spectrum.frequency_Hz, reading.fit.values)
    return pl.DataFrame(
        {
            "spectrum": np.full(len(fitted), number),
            "name": [spectrum.name] * len(fitted),
            "frequency_Hz": spectrum.frequency_Hz,
            "real_ohm": spectrum.impedance_ohm.real,
            "imaginary_ohm": spectrum.impedance_ohm.imag,
            "fitted_real_ohm": fitted.real,
            "fitted_imaginary_ohm": fitted.imag,
            "kramers_kronig_real_percent": test.residual.real * PERCENT,
            "kramers_kronig_imaginary_percent": test.residual.imag * PERCENT,
            "used": reading.used,
        }
    )


def _arcs(number: int, reading: Reading) -> pl.DataFrame:
    """Each arc alone, standing on the real axis where the faster ones end."""
    assert reading.arcs is not None
    rows, at_ohm = [], reading.fit.values["R0_ohm"]
    for place, arc in enumerate(reading.arcs.arcs):
        f = arc.top_Hz * np.logspace(CURVE_DECADES, -CURVE_DECADES, CURVE_POINTS)
        values = {"A1_ohm": arc.resistance_ohm, "A1_s": arc.tau_s, "A1_n": arc.exponent}
        z = at_ohm + circuit("A1").impedance_ohm(f, values)
        rows.append(
            pl.DataFrame(
                {
                    "spectrum": np.full(len(f), number),
                    "arc": np.full(len(f), place + 1),
                    "role": [arc.name] * len(f),
                    "frequency_Hz": f,
                    "real_ohm": z.real,
                    "imaginary_ohm": z.imag,
                }
            )
        )
        at_ohm += arc.resistance_ohm
    return pl.concat(rows)


def _relaxation(number: int, reading: Reading) -> pl.DataFrame:
    times = reading.times
    return pl.DataFrame(
        {
            "spectrum": np.full(len(times.tau_s), number),
            "name": [reading.spectrum.name] * len(times.tau_s),
            "tau_s": times.tau_s,
            "gamma_ohm": times.density_ohm,
        }
    )


def _peaks(number: int, reading: Reading) -> pl.DataFrame:
    times = reading.times
    roles = _roles_of_peaks(reading)
    height_ohm = dict(zip(times.tau_s.tolist(), times.density_ohm.tolist(), strict=True))
    rows = [
        (number, roles.get(i), peak.tau_s, peak.top_tau_s, peak.resistance_ohm, height_ohm[peak.top_tau_s], peak.edge)
        for i, peak in enumerate(times.peaks)
    ]
    names = ("spectrum", "role", "mean_tau_s", "tau_s", "resistance_ohm", "gamma_ohm", "at_edge")
    types = (pl.Int64, pl.String, pl.Float64, pl.Float64, pl.Float64, pl.Float64, pl.Boolean)
    return pl.DataFrame(rows, schema=dict(zip(names, types, strict=True)), orient="row")


def _roles_of_peaks(reading: Reading) -> dict[int, str]:
    """For each arc of the circuit the peak whose time constant is nearest, if within a factor 3."""
    found = {}
    peaks = reading.times.peaks
    for arc in reading.arcs.arcs if reading.arcs is not None else ():
        apart = [abs(math.log(arc.tau_s / peak.tau_s)) for peak in peaks]
        if apart and min(apart) < math.log(SAME_PROCESS):
            found[apart.index(min(apart))] = arc.name
    return found


def _circuits(reading: Reading) -> pl.DataFrame | None:
    """Every circuit that was tried, best Bayesian criterion first."""
    if reading.arcs is None:
        return None
    f = reading.spectrum.frequency_Hz[reading.used]
    rows = [
        {
            "circuit": fit.circuit.text,
            "n_values": len(fit.values),
            "residual_percent": fit.rms * PERCENT,
            "bayes": fit.bayes,
            "akaike": fit.akaike,
            "doubts": "; ".join(doubts_of(fit, f)),
            "chosen": fit.circuit.text == reading.arcs.text,
        }
        for fit in sorted(reading.arcs.tried, key=lambda fit: fit.bayes)
    ]
    return pl.DataFrame(rows)


def trend_table(readings: Sequence[Reading]) -> pl.DataFrame:
    """One row per spectrum: verdict, residuals, each resistance with its error and the top of its arc.

    Null where it is not handed out.
    """
    roles = [role for role in ROLES if any(role in reading.resistances_ohm for reading in readings)]
    rows = [{"spectrum": i, **_row(reading, roles)} for i, reading in enumerate(readings)]
    return pl.DataFrame(rows, infer_schema_length=None)


def top_of(role: str) -> str:
    """The column of a trend table that has the frequency at which the arc of a role is highest.

    >>> top_of("charge transfer")
    'charge_transfer_top_Hz'
    """
    return ROLES[role].replace("_resistance_ohm", "_top_Hz")


def _row(reading: Reading, roles: Sequence[str]) -> Mapping[str, object]:
    row: dict[str, object] = {
        "name": reading.spectrum.name,
        "time_h": reading.spectrum.time_h,
        "kramers_kronig": reading.test.verdict,
        "kramers_kronig_percent": reading.test.rms * PERCENT,
        "noise_percent": reading.test.noise * PERCENT,
        "systematic_percent": reading.test.systematic * PERCENT,
        "fit_percent": reading.fit.rms * PERCENT,
    }
    given = reading.given
    tops = {arc.name: arc.top_Hz for arc in reading.arcs.arcs} if reading.arcs is not None else {}
    for role in roles:
        row[ROLES[role]], row[ROLES[role].replace("_ohm", "_error_ohm")] = given.get(role, (None, None))
        if role != "ohmic":
            row[top_of(role)] = tops.get(role) if role in given else None
    row["polarization_ohm"] = reading.times.polarization_ohm
    return row
