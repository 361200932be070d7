"""What one impedance spectrum says, as plain JSON: resistances, exchange current, circuit, verdict."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from interlith.characterize.impedance.eis_reading import ROLES, Reading
from interlith.characterize.impedance.eis_tables import PERCENT
from interlith.characterize.impedance.kramers_kronig import KramersKronig
from interlith.units import (
    FARADAY_C_PER_MOL,
    GAS_CONSTANT_J_PER_MOL_K,
    M2_PER_CM2,
    ZERO_CELSIUS_K,
    A_PER_M2_PER_mA_PER_CM2,
)

ASSUMED_C = 25.0


@dataclass(frozen=True)
class Facts:
    """What is known of the cell beside its spectra. area_cm2: geometric; area_ratio: real over geometric, m2/m2."""

    area_cm2: float | None
    temperature_C: float
    n_electrodes: int
    electrode: str | None
    area_ratio: float | None = None

    @property
    def each_cm2(self) -> float:
        """What a resistance of all electrodes is to be multiplied by: area, real where its ratio is known, of one."""
        return (self.area_cm2 or math.nan) * (self.area_ratio or 1.0) / self.n_electrodes

    @property
    def place(self) -> str | None:
        """The electrode of a study that takes film and i0; none does where they are per geometric area."""
        return None if self.area_ratio is None else self.electrode

    def exchange_A_per_m2(self, charge_transfer_ohm: float) -> float | None:
        """i0 of one electrode from the charge transfer resistance of all; None without an area."""
        if self.area_cm2 is None:
            return None
        return exchange_current_density_A_per_m2(charge_transfer_ohm, self.each_cm2, self.temperature_C)


def exchange_current_density_A_per_m2(
    resistance_ohm: float, area_cm2: float, temperature_C: float = ASSUMED_C
) -> float:
    """i0 = R T / (F R_ct A), of a reaction of one electron about equilibrium.

    The slope of the Butler-Volmer equation at zero overpotential; i0 is per whatever area_cm2 is, geometric or real.
    Newman and Balsara, Electrochemical Systems, 4th ed. (2021), chapter 8.

    >>> round(exchange_current_density_A_per_m2(25.69, 1.0), 3)
    10.001
    """
    volt = GAS_CONSTANT_J_PER_MOL_K * (temperature_C + ZERO_CELSIUS_K) / FARADAY_C_PER_MOL
    return volt / (resistance_ohm * area_cm2 * M2_PER_CM2)


def values_of(one: Reading, facts: Facts) -> dict[str, Any]:
    """All that one spectrum says, as plain JSON."""
    f = one.spectrum.frequency_Hz
    values: dict[str, Any] = {
        "n_points": len(f),
        "lowest_Hz": float(f.min()),
        "highest_Hz": float(f.max()),
        "time_h": one.spectrum.time_h,
        "kramers_kronig": _kramers_kronig(one.test),
    }
    if facts.area_ratio is not None:
        values["area_ratio_m2_per_m2"] = facts.area_ratio
    if (farad := one.blocking_F) is not None:
        values["blocking_capacitance_F"] = farad
    values |= resistance_values(one.known, facts)
    if not one.fits:
        values["not_handed_out"] = f"the circuit leaves {one.fit.rms:.1%} of |Z|"
    return values | {"circuit": _circuit(one), "arcs": _arcs(one), "relaxation_times": _relaxation(one)}


def _kramers_kronig(test: KramersKronig) -> dict[str, Any]:
    return {
        "verdict": test.verdict,
        "residual_percent": test.rms * PERCENT,
        "noise_percent": test.noise * PERCENT,
        "systematic_percent": test.systematic * PERCENT,
        "detectable_percent": test.detectable * PERCENT,
        "worst_Hz": list(test.worst_Hz),
        "failed_Hz": [list(band) for band in test.bands_Hz],
        "n_elements": test.n_elements,
        "mu": test.under_index,
        "n_outliers": int(test.outliers.sum()),
    }


def resistance_values(found: Mapping[str, tuple[float, float]], facts: Facts) -> dict[str, Any]:
    """Resistances with their errors and, with an area, the exchange current density, or what it is at least."""
    values: dict[str, Any] = {}
    for role, (ohm, error_ohm) in found.items():
        values[ROLES[role]] = ohm
        values[_error(ROLES[role])] = error_ohm
    if "charge transfer" in found:
        ohm, error_ohm = found["charge transfer"]
        if i0 := facts.exchange_A_per_m2(ohm):
            values |= _both_units("exchange_current_density", i0)
            values |= _both_units("exchange_current_density_error", i0 * error_ohm / ohm)
    elif "interface" in found and (i0 := facts.exchange_A_per_m2(found["interface"][0])):
        values |= _both_units("exchange_current_density_at_least", i0)
    return values


def _error(name: str) -> str:
    return name.replace("_ohm", "_error_ohm")


def _both_units(name: str, A_per_m2: float) -> dict[str, float]:
    return {f"{name}_A_per_m2": A_per_m2, f"{name}_mA_per_cm2": A_per_m2 / A_PER_M2_PER_mA_PER_CM2}


def _circuit(one: Reading) -> dict[str, Any]:
    fit, bounded = one.fit, one.fit.bounded
    return {
        "text": fit.circuit.text,
        "diffusion": None if one.arcs is None else one.arcs.tail,
        "residual_percent": fit.rms * PERCENT,
        "values": [
            {"parameter": name, "value": value, "standard_error": None if name in bounded else fit.error(name)}
            for name, value in fit.values.items()
        ],
        "doubts": [] if one.arcs is None else list(one.arcs.doubts),
    }


def _arcs(one: Reading) -> list[dict[str, Any]]:
    return [
        {
            "role": arc.name,
            "resistance_ohm": arc.resistance_ohm,
            "resistance_error_ohm": arc.error_ohm,
            "top_Hz": arc.top_Hz,
            "capacitance_F": arc.capacitance_F,
            "exponent": arc.exponent,
            "beyond_the_range": not one.has_seen(arc.top_Hz),
        }
        for arc in (one.arcs.arcs if one.arcs is not None else ())
    ]


def _relaxation(one: Reading) -> dict[str, Any]:
    times = one.times
    return {
        "polarization_ohm": times.polarization_ohm,
        "series_ohm": times.series_ohm,
        "inductance_H": times.inductance_H,
        "capacitance_F": times.capacitance_F,
        "regularization": times.regularization,
        "residual_percent": times.rms * PERCENT,
        "peaks": [
            {
                "top_Hz": peak.frequency_Hz,
                "tau_s": peak.tau_s,
                "resistance_ohm": peak.resistance_ohm,
                "at_edge": peak.edge,
            }
            for peak in times.peaks
        ],
    }
