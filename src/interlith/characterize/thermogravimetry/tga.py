"""Thermogravimetry in air: how much zinc oxide lies on a carbon paper, from a coated run and a bare one.

The carbon burns, zinc oxide and ash stay. With the residue R of the coated paper and the ash a of the bare one, both
per dry mass, R = w + a (1 - w), so the zinc oxide is w = (R - a)/(1 - a) of the coated paper. Without the bare run w is
an interval, not a number.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from interlith.characterize.measured import Measured
from interlith.characterize.thermogravimetry.thermogram import Curve, Floats, is_tga, read_tga
from interlith.errors import InputError, PhysicsError
from interlith.parts.quantity import NORMAL_95, Quantity
from interlith.units import FARADAY_C_PER_MOL, MG_PER_G, SECONDS_PER_HOUR, ZINC_OXIDE_G_PER_MOL, mAh_PER_Ah

__all__ = ["Curve", "Loading", "Residue", "is_tga", "loading", "measure_tga", "read_tga", "residue"]

DRY_AT_C = 150.0  # physisorbed water has left below, carbon does not burn yet
DRY_WINDOW_K = 10.0
PLATEAU_K = 50.0  # the last part of the heating that must be flat
FEWEST_OF_PLATEAU = 5
FLAT = 0.002  # largest change of the mass over it, of the dry mass (assumed, 0.001 to 0.005)
BURNT_ABOVE_C = 650.0  # where a flat curve needs no step before it (assumed: nanotubes burn from 500 to 650 C in air)
STEP = 0.2  # smallest loss that counts as a burn-off (assumed)
MUCH_CARBON = 0.5  # residue above which the gas is doubted
GAIN = 0.005  # gain above the dry mass that is said
CARBOTHERMIC_C = 800.0  # carbon reduces ZnO from about here on, zinc leaves as vapour (assumed, 800 to 950)
ASH_LOW, ASH_HIGH = 0.0, 0.1  # of nanotubes as made to purified; assumed, there is no bare run
LEAST_MASS_mg, MOST_MASS_mg = 2.0, 20.0  # of a sample whose mass no file tells; assumed
NOTHING_BURNT = 0.05  # loss below which no carbon can have burnt (assumed, 0.02 to 0.1)
BUOYANCY_mg = 0.02  # standard deviation: 0.85 mg/cm3 less gas at 800 C on 0.02 to 0.05 cm3 of pan (derived, assumed)
ELECTRONS_CONVERSION, ELECTRONS_ALLOY = 2, 1
MOST_DRAWN = 1000


@dataclass(frozen=True)
class Residue:
    """What is left of a dry sample. value, error: of the dry mass, error one standard deviation.

    change: of the mass over the plateau. burnt_off: the mass stands still after a burn-off. water: lost below 150 C.
    """

    value: float
    error: float
    change: float
    burnt_off: bool
    water: float
    from_C: float
    to_C: float
    said: tuple[str, ...] = ()


@dataclass(frozen=True)
class Loading:
    """Zinc oxide as a fraction of the coated paper: a number with its error, or an interval where error is None."""

    value: float
    error: float | None
    low: float
    high: float


def residue(curve: Curve, *, buoyancy_mg: float = BUOYANCY_mg) -> Residue:
    """The residue of one curve, per dry mass, and whether it is one.

    The mean over the last 50 K, or the last of a mass that still falls there. Its error joins the scatter, that of the
    dry mass, and buoyancy_mg (one standard deviation; 0 where a blank run was subtracted), on 2 mg of sample where the
    file tells no mass. Raises InputError for a run in inert gas, for one in which nothing burnt, and for one that ends
    before anything does.

    >>> T = np.linspace(25, 900, 500)
    >>> left = residue(Curve("a", T, 0.9 / (1 + np.exp((T - 600) / 15)) + 0.1))
    >>> round(left.value, 4), left.burnt_off
    (0.1, True)
    """
    _check_gas(curve)
    dry, dry_error, said = _dry(curve)
    end_C = float(curve.temperature_C[-1])
    window = curve.temperature_C >= float(curve.temperature_C.max()) - PLATEAU_K
    window[-FEWEST_OF_PLATEAU:] = True
    mass = curve.mass_fraction[window] / dry
    change = _change(mass)
    end = mass if change >= -FLAT else mass[-FEWEST_OF_PLATEAU:]
    value = float(end.mean())
    flat, burnt = abs(change) <= FLAT, value < 1 - STEP or end_C >= BURNT_ABOVE_C
    if flat and not burnt:
        raise InputError(
            f"{curve.name}: heating ends at {end_C:.0f} C with {value:.1%} of the mass: stopped before the carbon "
            f"burns. Heat in air to {BURNT_ABOVE_C + PLATEAU_K:.0f} C or more"
        )
    if value > 1 - NOTHING_BURNT and end_C >= BURNT_ABOVE_C:
        raise InputError(
            f"{curve.name}: nothing burnt, {value:.1%} of the dry mass is left at {end_C:.0f} C: no carbon, or was it "
            "run in an inert gas? Without a burn-off there is no loading"
        )
    pan = buoyancy_mg / ((curve.initial_mass_mg or LEAST_MASS_mg) * dry)
    error = math.sqrt(float(end.var(ddof=1)) + (value * dry_error / dry) ** 2 + pan**2)
    said = [*said, *_doubts(curve, value, change, mass_gain=float(curve.mass_fraction.max()) / max(dry, 1e-9) - 1)]
    if curve.initial_mass_mg is None and buoyancy_mg:
        said.append(
            f"{curve.name}: the initial mass is not in the file; {LEAST_MASS_mg:g} to {MOST_MASS_mg:g} mg is assumed, "
            f"and the error of buoyancy and drift is that of {LEAST_MASS_mg:g} mg. Give the mass (initial_mass_mg)"
        )
    whole = value <= 1.0 + NORMAL_95 * error
    if not whole:
        raise PhysicsError(
            f"{curve.name}: a residue of {value:.1%} of the dry mass; more than all. Was a blank needed?"
        )
    span = curve.temperature_C[window]
    done = change >= -FLAT and burnt
    return Residue(value, error, change, done, 1 - dry, float(span[0]), float(span[-1]), tuple(said))


def _check_gas(curve: Curve) -> None:
    if curve.atmosphere != "inert":
        return
    more = ""
    if curve.temperature_C[-1] > CARBOTHERMIC_C:
        more = f" Above about {CARBOTHERMIC_C:.0f} C carbon also reduces the ZnO, and zinc leaves as vapour."
    raise InputError(
        f"{curve.name}: the file names an inert gas: the carbon does not burn, so the residue is carbon and ZnO "
        f"together.{more} Run it in air"
    )


def _change(mass: Floats) -> float:
    """Change over a stretch, by a straight line through it."""
    place = np.linspace(-0.5, 0.5, len(mass))
    return float(np.sum(place * mass) / np.sum(place**2))


def _dry(curve: Curve) -> tuple[float, float, list[str]]:
    """Mass fraction at 150 C, its error, and what is said of it; the first mass where the curve begins later."""
    temperature, mass = curve.temperature_C, curve.mass_fraction
    if temperature[0] > DRY_AT_C:
        said = f"{curve.name}: begins at {temperature[0]:.0f} C, so the mass there is taken as dry"
        return float(mass[0]), 0.0, [said]
    near = np.abs(temperature - DRY_AT_C) <= DRY_WINDOW_K
    if near.sum() < FEWEST_OF_PLATEAU:
        place = int(np.argmax(temperature >= DRY_AT_C))
        return float(mass[place]), abs(float(mass[place] - mass[max(place - 1, 0)])) / 2, []
    slope = _change(mass[near]) * np.linspace(-0.5, 0.5, int(near.sum()))
    return float(mass[near].mean()), float((mass[near] - slope).std(ddof=1)), []


def _doubts(curve: Curve, value: float, change: float, mass_gain: float) -> list[str]:
    said = []
    if change < -FLAT:
        said.append(
            f"{curve.name}: no plateau: the mass still falls by {-change:.2%} over the last {PLATEAU_K:.0f} K, so the "
            "residue is an upper bound"
        )
    if change > FLAT:
        said.append(
            f"{curve.name}: the mass still rises by {change:.2%} over the last {PLATEAU_K:.0f} K: metal that oxidizes, "
            "or buoyancy; the rise is in the error"
        )
    if mass_gain > GAIN and curve.temperature_C[int(np.argmax(curve.mass_fraction))] > DRY_AT_C:
        said.append(
            f"{curve.name}: the mass rises by {mass_gain:.2%} before the burn-off: buoyancy, or metal that oxidizes"
        )
    if value > MUCH_CARBON and curve.atmosphere is None:
        said.append(f"{curve.name}: more than half is left. Was it run in air? The file names no gas")
    return said


def loading(coated: Residue, bare: Residue | None = None) -> Loading:
    """Zinc oxide in the coated paper: w = (R - a)/(1 - a), its error (s_R^2 + ((1 - R)/(1 - a) s_a)^2)^1/2/(1 - a).

    Without a bare run, or with one that did not burn off, the ash is only known to lie in a range, and so is w. A
    coated run that did not burn off gives an upper bound. Raises PhysicsError when there is more ash than residue.

    >>> def left(value, burnt_off=True):
    ...     return Residue(value, 0.001, 0.0, burnt_off, 0.0, 850.0, 900.0)
    >>> round(loading(left(0.1241), left(0.02)).value, 4)
    0.1062
    >>> interval = loading(left(0.1241))
    >>> round(interval.low, 2), round(interval.high, 2)
    (0.02, 0.13)
    """
    most = coated.value + NORMAL_95 * coated.error
    if bare is None or not (bare.burnt_off and coated.burnt_off):
        ash = ASH_HIGH if bare is None else bare.value + NORMAL_95 * bare.error
        least = (coated.value - NORMAL_95 * coated.error - ash) / (1 - ash) if coated.burnt_off and ash < 1 else 0.0
        low, high = min(max(least, 0.0), 1.0), min(max(most, 0.0), 1.0)
        return Loading((low + high) / 2, None, low, high)
    ash = bare.value
    value = (coated.value - ash) / (1 - ash)
    error = math.hypot(coated.error, (1 - coated.value) / (1 - ash) * bare.error) / (1 - ash)
    if value < -NORMAL_95 * error:
        raise PhysicsError(
            f"the bare paper leaves {ash:.2%}, the coated one {coated.value:.2%}: less than no ZnO. Are the runs "
            "exchanged, or of different papers?"
        )
    return Loading(value, error, value - NORMAL_95 * error, value + NORMAL_95 * error)


def conversion_mAh_per_g() -> float:
    """Charge of ZnO + 2 Li+ + 2 e- -> Zn + Li2O per gram of ZnO: 2 F/M. Zn + Li+ + e- -> LiZn takes half of it on top.

    >>> round(conversion_mAh_per_g(), 1)
    658.7
    """
    return ELECTRONS_CONVERSION * FARADAY_C_PER_MOL / SECONDS_PER_HOUR * mAh_PER_Ah / ZINC_OXIDE_G_PER_MOL


def measure_tga(
    coated: Curve,
    bare: Curve | None = None,
    *,
    areal_mass_mg_per_cm2: float | None = None,
    buoyancy_mg: float = BUOYANCY_mg,
    initial_mass_mg: float | None = None,
) -> Measured:
    """ZnO loading of a coated paper, and what it takes up of lithium.

    areal_mass_mg_per_cm2: of the coated paper, dry; gives zinc oxide and capacity per area. buoyancy_mg: see residue.
    initial_mass_mg: of each sample whose file does not tell it.
    Raises InputError or PhysicsError; see residue and loading.
    """
    if areal_mass_mg_per_cm2 is not None and not 0 < areal_mass_mg_per_cm2 < math.inf:
        raise InputError(f"areal_mass_mg_per_cm2 = {areal_mass_mg_per_cm2:g}: a mass above 0")
    if not 0 <= buoyancy_mg < math.inf:
        raise InputError(f"buoyancy_mg = {buoyancy_mg:g}: 0 or more")
    if initial_mass_mg is not None and not 0 < initial_mass_mg < math.inf:
        raise InputError(f"initial_mass_mg = {initial_mass_mg:g}: a mass above 0")
    curves = [
        curve if curve.initial_mass_mg else replace(curve, initial_mass_mg=initial_mass_mg)
        for curve in ([coated] if bare is None else [coated, bare])
    ]
    left = [residue(curve, buoyancy_mg=buoyancy_mg) for curve in curves]
    found = loading(left[0], left[1] if bare is not None else None)
    source = f"TGA of {coated.name}" + ("" if bare is None else f" and, bare, {bare.name}")
    return Measured(
        kind="tga",
        headline=_headline(left, found),
        values=_values(left, found, curves, areal_mass_mg_per_cm2),
        quantities=_quantities(left[0], found, source, areal_mass_mg_per_cm2),
        said=tuple(_said(curves, left, found, areal_mass_mg_per_cm2 is not None)),
        tables={"tga-curves": _curves_table(curves), "tga-marks": _marks_table(left, found)},
    )


def _headline(left: list[Residue], found: Loading) -> str:
    coated = left[0]
    if not coated.burnt_off:
        return f"ZnO: at most {found.high:.2%} of the mass; the burn-off is not complete"
    if found.error is None:
        why = (
            f"ash assumed {ASH_LOW:.0%} to {ASH_HIGH:.0%}, no bare run" if len(left) == 1 else "bare run not burnt off"
        )
        return f"ZnO: between {100 * found.low:.1f} and {100 * found.high:.1f} wt% ({why}), residue {coated.value:.2%}"
    return (
        f"ZnO: {100 * found.value:.2f} ± {100 * NORMAL_95 * found.error:.2f} wt% (95 %), from a residue of "
        f"{coated.value:.2%} and {left[1].value:.2%} ash"
    )


def _values(
    left: list[Residue], found: Loading, curves: list[Curve], areal_mg_per_cm2: float | None
) -> dict[str, object]:
    per_g = conversion_mAh_per_g()
    values: dict[str, object] = {
        "loading_wt_fraction": None if found.error is None else found.value,
        "loading_low_wt_fraction": found.low,
        "loading_high_wt_fraction": found.high,
        "loading_standard_error": found.error,
        "loading_if_no_ash_wt_fraction": left[0].value,
        "conversion_low_mAh_per_g": max(found.low, 0.0) * per_g,
        "conversion_high_mAh_per_g": found.high * per_g,
    }
    if areal_mg_per_cm2 is not None:
        for end, share in (("low", max(found.low, 0.0)), ("high", found.high)):
            conversion = share * areal_mg_per_cm2 * per_g / MG_PER_G
            values[f"zinc_oxide_{end}_mg_per_cm2"] = share * areal_mg_per_cm2
            values[f"conversion_{end}_mAh_per_cm2"] = conversion
            values[f"alloy_{end}_mAh_per_cm2"] = conversion * ELECTRONS_ALLOY / ELECTRONS_CONVERSION
    for role, curve, one in zip(("coated", "bare"), curves, left, strict=False):
        values[role] = {
            "name": curve.name,
            "residue": one.value,
            "residue_standard_error": one.error,
            "residue_change": one.change,
            "burnt_off": one.burnt_off,
            "water": one.water,
            "initial_mass_mg": curve.initial_mass_mg,
            "heating_rate_K_per_min": curve.heating_rate_K_per_min,
            "atmosphere": curve.atmosphere,
        }
    return values


def _quantities(coated: Residue, found: Loading, source: str, areal_mg_per_cm2: float | None) -> tuple[Quantity, ...]:
    """The loading, and zinc oxide per area; an interval where no number is known, nothing where only a bound is."""
    if not coated.burnt_off:
        return ()
    bounded = found.error is None or found.low < 0
    source += ", interval, no bare run that burnt off" if found.error is None else ""

    def quantity(name: str, scale: float, note: str, **place: str) -> Quantity:
        value, low, high = (max(x, 0.0) * scale for x in (found.value, found.low, found.high))
        ends = {"low": low, "high": high} if bounded else {"standard_error": (found.error or 0.0) * scale}
        return Quantity(name, value, source + note, **ends, **place)  # type: ignore[arg-type]

    quantities = [quantity("loading_wt_fraction", 1.0, "", file="recipe", table="measured")]
    if areal_mg_per_cm2 is not None:
        note = f", on {areal_mg_per_cm2:g} mg/cm2"
        place = {"file": "study", "table": "set.coating"}
        quantities.append(quantity("zinc_oxide_mg_per_cm2", areal_mg_per_cm2, note, **place))
    return tuple(quantities)


def _said(curves: list[Curve], left: list[Residue], found: Loading, areal: bool) -> list[str]:
    said = [note for curve in curves for note in curve.notes] + [note for one in left for note in one.said]
    said.append(f"per dry mass, that at {DRY_AT_C:.0f} C; " + "; ".join(
        f"{curve.name} lost {one.water:.2%} before" for curve, one in zip(curves, left, strict=True)
    ))  # fmt: skip
    if found.error is None and left[0].burnt_off:
        said.append(_why_interval(left))
    elif found.low < 0:
        said.append("no more ZnO than the error: the loading may be 0")
    said.append(
        "ash is weighed as oxide (iron catalyst as Fe2O3, 1.43 times its mass), in both runs alike where the paper is "
        "the same; all other residue counts as ZnO"
    )
    unnamed = [curve.name for curve in curves if curve.atmosphere is None]
    if unnamed:
        said.append(f"the gas is not stated in {' and '.join(unnamed)} and is taken to be air")
    if areal:
        said.append("the areal mass is taken as exact; its error is not in that of the zinc oxide per area")
    return said


def _why_interval(left: list[Residue]) -> str:
    if len(left) > 1:
        return "interval: the bare run did not burn off, so its residue bounds the ash from above only"
    return (
        f"interval, no bare run: every wt% of ash takes about {1 - left[0].value:.1f} wt% off the loading. Ash of the "
        f"bare paper is assumed to be {ASH_LOW:.0%} to {ASH_HIGH:.0%}; burn the bare paper the same way"
    )


def _curves_table(curves: list[Curve]) -> pl.DataFrame:
    tables = []
    for role, curve in zip(("coated", "bare"), curves, strict=False):
        dry = _dry(curve)[0]
        keep = np.unique(np.linspace(0, len(curve.temperature_C) - 1, MOST_DRAWN).astype(int))
        tables.append(
            pl.DataFrame(
                {
                    "sample": [role] * len(keep),
                    "temperature_C": curve.temperature_C[keep],
                    "dry_mass_percent": 100.0 * curve.mass_fraction[keep] / dry,
                }
            )
        )
    return pl.concat(tables)


def _marks_table(left: list[Residue], found: Loading) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "sample": role,
                "from_C": one.from_C,
                "to_C": one.to_C,
                "residue_percent": 100.0 * one.value,
                "burnt_off": one.burnt_off,
                "loading_low_percent": 100.0 * max(found.low, 0.0) if role == "coated" else None,
                "loading_high_percent": 100.0 * found.high if role == "coated" else None,
            }
            for role, one in zip(("coated", "bare"), left, strict=False)
        ],
        schema_overrides={"loading_low_percent": pl.Float64, "loading_high_percent": pl.Float64},
    )
