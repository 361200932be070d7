"""Cyclic voltammetry: peaks and their shifts, the plateaus of zinc oxide, and diffusion only where scan rates allow it.

from interlith.characterize.voltammetry.cv import measure_cv, voltammograms
measured = measure_cv(voltammograms(record, "cell-07"))
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from interlith.characterize.measured import Measured
from interlith.characterize.voltammetry.cv_peaks import Peak, peaks_of
from interlith.characterize.voltammetry.scan_rates import (
    FEWEST_RATES,
    ScanRates,
    diffusion_cm2_per_s,
    families,
    not_reversible,
    scan_rates,
)
from interlith.characterize.voltammetry.sweeps import Sweep, Voltammogram, same_rate, voltammogram, voltammograms
from interlith.errors import InputError
from interlith.parts.quantity import Quantity
from interlith.units import MILLI, ZERO_CELSIUS_K, mV_PER_V

__all__ = ["Sweep", "Voltammogram", "measure_cv", "pairs", "voltammogram", "voltammograms", "zinc_oxide"]

SAME_PEAK_V = 0.1  # a peak may move by this from one cycle to the next
FARTHEST_PAIR_V = 0.6
MOST_CYCLES, MOST_POINTS = 5, 500  # drawn of one voltammogram; of one sweep
MOST_TOLD = 3  # peaks of one direction in a headline, one by one
# Where a first lithiation of ZnO is looked for, V against Li: conversion near 0.5, LiZn and SEI near 0.2 (Shen et al.
# 2025, doi:10.1038/s41467-025-60609-4; two reactions in turn: Fu et al., J. Electrochem. Soc. 150, A714 (2003)).
CONVERSION_V, ALLOY_V = (0.35, 0.8), (0.05, 0.35)  # widths assumed
LOWEST_END_V, HIGHEST_END_V = (-0.05, 0.1), (0.8, 3.5)
SLOW_mV_per_s = 1.0  # solid reactions are seen at their potential only when scanned slowly (assumed)
COARSE_V = 0.01  # standard error of a potential, from which on it is said
LESS_AGAIN = 0.8  # part of the first charge that an irreversible reaction may still show in the next cycle

PEAK_NUMBERS = (
    "rate_mV_per_s",
    "potential_V",
    "potential_error_V",
    "current_mA",
    "baseline_mA",
    "height_mA",
    "height_error_mA",
    "charge_mAh",
)


def measure_cv(
    sweeps: Sequence[Voltammogram],
    *,
    area_cm2: float | None = None,
    concentration_mol_per_L: float | None = None,
    n_electrons: int = 1,
    temperature_C: float = 25.0,
) -> Measured:
    """What voltammograms say; several rates, from one or several records, are taken together.

    area_cm2, concentration_mol_per_L, n_electrons: of the couple; a diffusion coefficient needs area and concentration,
    four scan rates, a straight line through 0 and a reversible couple, and is else not given. Raises InputError.
    """
    if not sweeps:
        raise InputError("no voltammogram: give at least one")
    _check(area_cm2, concentration_mol_per_L, n_electrons, temperature_C)
    sweeps = sorted(sweeps, key=lambda one: one.sweeps[0].rate_mV_per_s)
    found = [[peak for sweep in one.sweeps for peak in peaks_of(sweep)] for one in sweeps]
    every = [peak for peaks in found for peak in peaks]
    assigned, why_not = _assigned(sweeps, found)
    laws = [scan_rates(chain) for chain in families(every)]
    values: dict[str, Any] = {
        "voltammograms": [_described(one) for one in sweeps],
        "peaks": [_peak_values(peak, area_cm2) for peak in every],
        "pairs": [pair for peaks in found for pair in pairs(peaks)],
        "shifts": [shift for peaks in found for shift in _shifts(peaks)],
        "scan_rates": [],
        "zinc_oxide": None,
    }
    said = [note for one in sweeps for note in one.notes]
    quantities: list[Quantity] = []
    if assigned is not None:
        quantities += _zinc_quantities(assigned)
        values["zinc_oxide"] = {
            "conversion_voltage_V": assigned[0].potential_V,
            "alloy_voltage_V": assigned[1].potential_V,
            "rate_mV_per_s": assigned[0].sweep.rate_mV_per_s,
        }
    for law in laws:
        more, coefficient, text = _judged(law, area_cm2, concentration_mol_per_L, n_electrons, temperature_C)
        values["scan_rates"].append(more)
        said.append(text)
        quantities += [] if coefficient is None else [coefficient]
    said += _general_remarks(every, laws, sweeps, assigned, why_not)
    tables = {
        "cv-curves": _curves_table(sweeps),
        "cv-peaks": _peaks_table(every, assigned),
        "cv-rates": _rates_table(laws),
    }
    headline = _headline(sweeps, found, assigned, quantities, laws)
    return Measured("cv", headline, values, tuple(quantities), tuple(said), tables)


def _check(area_cm2: float | None, concentration: float | None, n_electrons: int, temperature_C: float) -> None:
    for name, value in (("area_cm2", area_cm2), ("concentration_mol_per_L", concentration)):
        if value is not None and not 0 < value < math.inf:
            raise InputError(f"{name} = {value:g}: a number above 0")
    if n_electrons < 1 or int(n_electrons) != n_electrons:
        raise InputError(f"n_electrons = {n_electrons:g}: a whole number from 1 on")
    if not -ZERO_CELSIUS_K < temperature_C < 2000:
        raise InputError(f"temperature_C = {temperature_C:g}: not a temperature of a cell")


def pairs(peaks: Sequence[Peak]) -> list[dict[str, Any]]:
    """Anodic and cathodic peaks of the last cycle that has both, each the nearest of the other: an assignment.

    half_wave_V is the middle of both, separation_mV anodic less cathodic.
    """
    for cycle in sorted({peak.sweep.cycle for peak in peaks}, reverse=True):
        anodic = [p for p in peaks if p.sweep.cycle == cycle and p.sweep.direction > 0]
        cathodic = [p for p in peaks if p.sweep.cycle == cycle and p.sweep.direction < 0]
        together = [(a, c) for a in anodic if (c := _nearest(a, cathodic)) and _nearest(c, anodic) is a]
        if together:
            return [_pair(a, c) for a, c in together]
    return []


def _nearest(peak: Peak, others: Sequence[Peak], far_V: float = FARTHEST_PAIR_V) -> Peak | None:
    best = min(others, key=lambda other: abs(other.potential_V - peak.potential_V), default=None)
    return best if best is not None and abs(best.potential_V - peak.potential_V) <= far_V else None


def _pair(anodic: Peak, cathodic: Peak) -> dict[str, Any]:
    error_V = math.hypot(anodic.potential_error_V, cathodic.potential_error_V)
    return {
        "name": anodic.sweep.name,
        "cycle": anodic.sweep.cycle,
        "rate_mV_per_s": anodic.sweep.rate_mV_per_s,
        "anodic_V": anodic.potential_V,
        "cathodic_V": cathodic.potential_V,
        "half_wave_V": (anodic.potential_V + cathodic.potential_V) / 2,
        "half_wave_standard_error_V": error_V / 2,
        "separation_mV": mV_PER_V * (anodic.potential_V - cathodic.potential_V),
        "separation_standard_error_mV": mV_PER_V * error_V,
        "height_ratio": cathodic.height_A / anodic.height_A,
    }


def _shifts(peaks: Sequence[Peak]) -> list[dict[str, Any]]:
    """How far each peak of the first cycle moves, followed from cycle to cycle as long as it is there."""
    shifts = []
    for first in peaks:
        if first.sweep.cycle != peaks[0].sweep.cycle:
            continue
        last = first
        for cycle in range(first.sweep.cycle + 1, max(p.sweep.cycle for p in peaks) + 1):
            same = [p for p in peaks if p.sweep.cycle == cycle and p.sweep.direction == first.sweep.direction]
            following = _nearest(last, same, SAME_PEAK_V)
            if following is None:
                break
            last = following
        if last is not first:
            shifts.append(_shift(first, last))
    return shifts


def _shift(first: Peak, last: Peak) -> dict[str, Any]:
    return {
        "name": first.sweep.name,
        "direction": first.sweep.word,
        "from_cycle": first.sweep.cycle,
        "to_cycle": last.sweep.cycle,
        "from_V": first.potential_V,
        "to_V": last.potential_V,
        "shift_mV": mV_PER_V * (last.potential_V - first.potential_V),
        "shift_standard_error_mV": mV_PER_V * math.hypot(first.potential_error_V, last.potential_error_V),
        "height_ratio": last.height_A / first.height_A,
    }


def zinc_oxide(one: Voltammogram, peaks: Sequence[Peak]) -> tuple[tuple[Peak, Peak] | None, str]:
    """The cathodic peaks that fit conversion and alloying of ZnO, and, where there are none, why not.

    Asked of the first sweep towards 0 V against Li: a window from at least 0.8 V down to about 0, at 1 mV/s or slower;
    a peak near 0.5 V and below it one near 0.2 V; and the first of them smaller in the next cycle, since Li2O stays.
    """
    cathodic = [sweep for sweep in one.sweeps if sweep.direction < 0]
    if not cathodic:
        return None, "no cathodic sweep"
    first = cathodic[0]
    low, high = (float(end(first.potential_V)) for end in (np.min, np.max))
    if not (LOWEST_END_V[0] <= low <= LOWEST_END_V[1] and HIGHEST_END_V[0] <= high <= HIGHEST_END_V[1]):
        return None, f"the first cathodic sweep goes from {high:.2f} to {low:.2f} V, not from above 0.8 V to about 0 V"
    if first.rate_mV_per_s > SLOW_mV_per_s:
        return None, f"{first.rate_mV_per_s:.3g} mV/s is too fast for a solid to react at its potential"
    mine = [peak for peak in peaks if peak.sweep is first]
    conversion, alloy = _highest(mine, CONVERSION_V), _highest(mine, ALLOY_V)
    if conversion is None or alloy is None:
        return None, "the first cathodic sweep lacks a peak near 0.5 V or one near 0.2 V"
    if len(cathodic) > 1:
        again = _highest([peak for peak in peaks if peak.sweep is cathodic[1]], CONVERSION_V)
        if again is not None and again.charge_mAh > LESS_AGAIN * conversion.charge_mAh:
            return None, "the peak near 0.5 V comes back in the next cycle; the conversion of ZnO does not"
    return (conversion, alloy), ""


def _highest(peaks: Sequence[Peak], between: tuple[float, float]) -> Peak | None:
    inside = [peak for peak in peaks if between[0] <= peak.potential_V < between[1]]
    return max(inside, key=lambda peak: peak.height_A, default=None)


def _assigned(sweeps: Sequence[Voltammogram], found: Sequence[Sequence[Peak]]) -> tuple[tuple[Peak, Peak] | None, str]:
    """The assignment in the slowest voltammogram that allows one; else why the first does not."""
    reasons = []
    for one, peaks in sorted(zip(sweeps, found, strict=True), key=lambda pair: pair[0].sweeps[0].rate_mV_per_s):
        both, why = zinc_oxide(one, peaks)
        if both is not None:
            return both, ""
        reasons.append(why)
    return None, reasons[0]


def _zinc_quantities(both: tuple[Peak, Peak]) -> list[Quantity]:
    names = ("conversion_voltage_V", "alloy_voltage_V")
    return [
        Quantity(
            name,
            peak.potential_V,
            f"CV of {peak.sweep.name}, cathodic peak at {peak.sweep.rate_mV_per_s:.3g} mV/s, assigned",
            standard_error=peak.potential_error_V,
            file="study",
            table="set.coating",
        )
        for name, peak in zip(names, both, strict=True)
    ]


def _judged(
    law: ScanRates, area_cm2: float | None, concentration: float | None, n_electrons: int, temperature_C: float
) -> tuple[dict[str, Any], Quantity | None, str]:
    """The values of one peak at several rates, its diffusion coefficient where it may have one, and a sentence."""
    where = f"{law.word} peak at {law.peaks[0].potential_V:.3f} V"
    values: dict[str, Any] = {
        "direction": law.word,
        "potential_V": law.peaks[0].potential_V,
        "rates_mV_per_s": [peak.sweep.rate_mV_per_s for peak in law.peaks],
        "heights_mA": [peak.height_A / MILLI for peak in law.peaks],
        "exponent": law.b,
        "exponent_half_width": None if math.isinf(law.b_half_width) else law.b_half_width,
        "law": law.law,
        "why": law.why,
        "slope_A_per_root_V_per_s": law.slope_A_per_root_V_per_s if law.law == "diffusion" else None,
        "diffusion_cm2_per_s": None,
    }
    if law.law != "diffusion":
        return values, None, f"{where}: no Randles-Sevcik: {law.why}"
    if reason := not_reversible(law, n_electrons=n_electrons, temperature_C=temperature_C):
        return values, None, f"{where}: {law.why}, but no coefficient: {reason}"
    if area_cm2 is None or concentration is None:
        return values, None, f"{where}: {law.why}; a diffusion coefficient needs area and concentration as well"
    given = {"area_cm2": area_cm2, "concentration_mol_per_L": concentration}
    slope, half = law.slope_A_per_root_V_per_s, law.slope_half_width
    ends = (slope, max(slope - half, 0.0), slope + half)
    middle, low, high = (
        diffusion_cm2_per_s(end, **given, n_electrons=n_electrons, temperature_C=temperature_C) for end in ends
    )
    values["diffusion_cm2_per_s"] = middle
    source = f"Randles-Sevcik, {law.word} peak of {len(law.peaks)} scan rates"
    text = f"{where}: {law.why}; area and concentration are taken as exact, the electrode as flat"
    if any(peak.sweep.cycle > 1 for peak in law.peaks):
        text += "; heights of a later cycle, which begins on a depleted solution, make the coefficient too small"
    return values, Quantity("diffusion_cm2_per_s", middle, source, low=low, high=high), text


def _general_remarks(
    every: Sequence[Peak],
    laws: Sequence[ScanRates],
    sweeps: Sequence[Voltammogram],
    assigned: tuple[Peak, Peak] | None,
    why_not: str,
) -> list[str]:
    said = []
    if assigned is not None:
        said.append(
            "conversion_voltage_V and alloy_voltage_V are an assignment by window and order of the peaks, not a proof; "
            "peak potentials lie below the equilibrium by what the scan rate costs"
        )
    elif why_not:
        said.append(f"no potentials of ZnO are proposed: {why_not}")
    if not every:
        return [*said, "no peak stands out of noise and background"]
    n_rates = len(_distinct([one.sweeps[0].rate_mV_per_s for one in sweeps]))
    if not laws and n_rates < FEWEST_RATES:
        said.append(f"no Randles-Sevcik: {n_rates} scan rate{'s' * (n_rates > 1)}; at least {FEWEST_RATES} are needed")
    elif not laws:
        said.append("no Randles-Sevcik: no peak is there at every scan rate")
    if any(peak.baseline == "hull" for peak in every):
        said.append(
            "some peaks have no straight current before them; their height is taken above the hull of the sweep"
        )
    coarse = [peak for peak in every if peak.potential_error_V > COARSE_V]
    if coarse:
        worst = max(coarse, key=lambda peak: peak.potential_error_V)
        said.append(
            f"{len(coarse)} of {len(every)} peaks lie between points that are far apart, or noisy: the "
            f"{worst.sweep.word} one at {worst.potential_V:.2f} V in cycle {worst.sweep.cycle} is known to "
            f"{mV_PER_V * worst.potential_error_V:.0f} mV only"
        )
    return said


def _distinct(rates: Sequence[float]) -> list[float]:
    found: list[float] = []
    for rate in rates:
        if not any(same_rate(rate, other) for other in found):
            found.append(rate)
    return found


def _headline(
    sweeps: Sequence[Voltammogram],
    found: Sequence[Sequence[Peak]],
    assigned: tuple[Peak, Peak] | None,
    quantities: Sequence[Quantity],
    laws: Sequence[ScanRates],
) -> str:
    if assigned is not None:
        both = " and ".join(f"{peak.potential_V:.3f}" for peak in assigned)
        return f"Cathodic peaks at {both} V fit conversion and alloying of ZnO (an assignment)"
    for one in quantities:
        if one.name == "diffusion_cm2_per_s" and one.interval:
            low, high = one.interval
            return f"Diffusion coefficient {one.value:.3g} cm2/s ({low:.3g} to {high:.3g}), reversible couple"
    rates = _distinct([one.sweeps[0].rate_mV_per_s for one in sweeps])
    at = f"{rates[0]:.3g} mV/s" if len(rates) == 1 else f"{rates[0]:.3g} to {rates[-1]:.3g} mV/s"
    last = next((group for group in reversed(found) if group), None)
    if last is None:
        return f"No peak at {at}"
    if laws:
        return f"Peaks at {at}, slowest to fastest: {'; '.join(_moved(law.peaks[0], law.peaks[-1]) for law in laws)}"
    words = [word for way in (1, -1) if (word := _in_last_cycle(last, way))]
    far = max(_shifts(last), key=lambda shift: abs(shift["shift_mV"]), default=None)
    drift = (
        ""
        if far is None
        else f"; farthest from cycle {far['from_cycle']} to {far['to_cycle']} moves the {far['direction']} one at "
        f"{far['from_V']:.3f} V, by {round(far['shift_mV']):+d} mV"
    )
    where = at if len(rates) == 1 else f"{rates[-1]:.3g} mV/s"
    return f"Peaks of the last cycle at {where}: {'; '.join(words)}{drift}"


def _moved(first: Peak, last: Peak) -> str:
    shift_mV = mV_PER_V * (last.potential_V - first.potential_V)
    return f"{first.sweep.word} {first.potential_V:.3f} to {last.potential_V:.3f} V ({round(shift_mV):+d} mV)"


def _in_last_cycle(peaks: Sequence[Peak], way: int) -> str:
    """The peaks of one direction in the last cycle: each of a few, of more the outermost."""
    last = [peak for peak in peaks if peak.sweep.cycle == peaks[-1].sweep.cycle and peak.sweep.direction == way]
    places = sorted(peak.potential_V for peak in last)
    if not places:
        return ""
    if len(places) > MOST_TOLD:
        return f"{len(places)} {last[0].sweep.word}, {places[0]:.3f} to {places[-1]:.3f} V"
    return f"{last[0].sweep.word} {' and '.join(f'{place:.3f}' for place in places)} V"


def _described(one: Voltammogram) -> dict[str, Any]:
    return {
        "name": one.name,
        "rate_mV_per_s": float(np.median([sweep.rate_mV_per_s for sweep in one.sweeps])),
        "n_sweeps": len(one.sweeps),
        "n_cycles": len({sweep.cycle for sweep in one.sweeps}),
        "low_V": min(float(sweep.potential_V.min()) for sweep in one.sweeps),
        "high_V": max(float(sweep.potential_V.max()) for sweep in one.sweeps),
    }


def _peak_values(peak: Peak, area_cm2: float | None) -> dict[str, Any]:
    values: dict[str, Any] = {
        "name": peak.sweep.name,
        "cycle": peak.sweep.cycle,
        "direction": peak.sweep.word,
        "rate_mV_per_s": peak.sweep.rate_mV_per_s,
        "potential_V": peak.potential_V,
        "potential_standard_error_V": peak.potential_error_V,
        "height_mA": peak.height_A / MILLI,
        "height_standard_error_mA": peak.height_error_A / MILLI,
        "baseline": peak.baseline,
        "charge_mAh": peak.charge_mAh,
    }
    if area_cm2 is not None:
        values |= {
            "height_mA_per_cm2": peak.height_A / MILLI / area_cm2,
            "charge_mAh_per_cm2": peak.charge_mAh / area_cm2,
        }
    return values


def _curves_table(sweeps: Sequence[Voltammogram]) -> pl.DataFrame:
    """The sweeps that are drawn: of many cycles the first, the last and some between; of many points some."""
    tables = []
    for one in sweeps:
        cycles = sorted({sweep.cycle for sweep in one.sweeps})
        shown = {cycles[i] for i in np.linspace(0, len(cycles) - 1, min(MOST_CYCLES, len(cycles))).astype(int)}
        for number, sweep in enumerate(one.sweeps):
            if sweep.cycle not in shown:
                continue
            keep = np.unique(np.linspace(0, len(sweep.time_s) - 1, MOST_POINTS).astype(int))
            columns = {"potential_V": sweep.potential_V[keep], "current_mA": sweep.current_A[keep] / MILLI}
            head = {"name": one.name, "cycle": sweep.cycle, "sweep": number, "rate_mV_per_s": sweep.rate_mV_per_s}
            tables.append(pl.DataFrame(columns).select(*[pl.lit(v).alias(k) for k, v in head.items()], pl.all()))
    return pl.concat(tables).cast({"cycle": pl.Int64, "sweep": pl.Int64})


def _peaks_table(peaks: Sequence[Peak], assigned: tuple[Peak, Peak] | None) -> pl.DataFrame:
    names = {id(peak): name for peak, name in zip(assigned or (), ("conversion", "alloy"), strict=False)}
    rows = [
        {
            "name": peak.sweep.name,
            "cycle": peak.sweep.cycle,
            "direction": peak.sweep.word,
            "rate_mV_per_s": peak.sweep.rate_mV_per_s,
            "potential_V": peak.potential_V,
            "potential_error_V": peak.potential_error_V,
            "current_mA": peak.current_A / MILLI,
            "baseline_mA": (peak.current_A - peak.sweep.direction * peak.height_A) / MILLI,
            "height_mA": peak.height_A / MILLI,
            "height_error_mA": peak.height_error_A / MILLI,
            "charge_mAh": peak.charge_mAh,
            "assigned": names.get(id(peak)),
        }
        for peak in peaks
    ]
    words = {"name": pl.String, "cycle": pl.Int64, "direction": pl.String}
    return pl.DataFrame(rows, schema=words | dict.fromkeys(PEAK_NUMBERS, pl.Float64) | {"assigned": pl.String})


def _rates_table(laws: Sequence[ScanRates]) -> pl.DataFrame:
    rows = [
        {
            "peak": f"{law.word}, {law.peaks[0].potential_V:.2f} V",
            "root_rate": root,
            "height_mA": peak.height_A / MILLI,
            "height_error_mA": peak.height_error_A / MILLI,
            "line_mA": (law.slope_A_per_root_V_per_s * root + law.intercept_A) / MILLI,
            "exponent": law.b,
            "law": law.law,
        }
        for law in laws
        for peak, root in zip(law.peaks, np.sqrt(law.rates_V_per_s).tolist(), strict=True)
    ]
    schema = {"peak": pl.String} | dict.fromkeys(
        ("root_rate", "height_mA", "height_error_mA", "line_mA", "exponent"), pl.Float64
    )
    return pl.DataFrame(rows, schema={**schema, "law": pl.String})
