"""Which values of a design can be meant, and what a value was meant as that cannot: the wrong unit, a percentage."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

UM, MM, PERCENT, MILLI_UNIT = (1e-3, "um"), (1e3, "mm"), (1e-2, "%"), (1e-3, "milli")


class Span(NamedTuple):
    """From where to where a value can be meant; slips: factor to the right unit, and the unit that was used."""

    low: float
    high: float
    slips: tuple[tuple[float, str], ...] = ()
    zero: bool = False


UM_IN_NM, ANGSTROM = (1e3, "um"), (0.1, "angstrom")
SECONDS_IN_MIN = (1 / 60, "s")
FRACTION = Span(0.0, 1.0, (PERCENT,), zero=True)
SHARE = Span(0.01, 1.0, (PERCENT,))
LENGTH_CM = Span(0.3, 100.0, ((0.1, "mm"), (1e2, "m")))
LENGTH_MM = Span(0.5, 300.0, ((10.0, "cm"), (1e3, "m"), UM))
VOLTAGE = Span(0.5, 6.0, (MILLI_UNIT,))
TIME_S = Span(0.0, 1e6, ((1e-3, "ms"),), zero=True)
PRICE = Span(0.0, 1e9)
SIZE_nm = Span(0.1, 1e5, (UM_IN_NM, ANGSTROM))
CONDUCTIVITY = Span(1e-9, 1e7, ((1e-2, "S/m"),))
MASS_G = Span(1e-3, 1e4, ((1e-3, "mg"), (1e3, "kg")), zero=True)
# field -> span; wide enough for any cell that is made, too narrow for a factor of a thousand
SPANS: Mapping[str, Span] = {
    "thickness_um": Span(0.5, 3000.0, (MM, (1e-3, "nm"), (1e6, "m"))),
    "thickness_mm": Span(0.02, 5.0, (UM, (10.0, "cm"), (1e3, "m"))),
    "width_cm": LENGTH_CM,
    "height_cm": LENGTH_CM,
    "diameter_mm": Span(2.0, 100.0, ((10.0, "cm"), UM)),
    "width_mm": LENGTH_MM,
    "length_mm": LENGTH_MM,
    "areal_mass_mg_per_cm2": Span(0.02, 500.0, ((1e3, "g/cm2"), (0.1, "g/m2"), (1e-3, "ug/cm2"))),
    "areal_capacity_mAh_per_cm2": Span(0.02, 60.0, ((1e3, "Ah/cm2"), (0.1, "Ah/m2"), (1e-3, "uAh/cm2"))),
    "specific_capacity_mAh_per_g": Span(20.0, 4500.0, ((1e3, "Ah/g"),)),
    "first_charge_mAh_per_g": Span(20.0, 4500.0, ((1e3, "Ah/g"),)),
    "density_g_per_cm3": Span(0.3, 25.0, ((1e-3, "kg/m3"),)),
    "porosity": FRACTION,
    "active_fraction": SHARE,
    "g_per_Ah": Span(0.2, 300.0, ((1e3, "g/mAh"), (1e-3, "g/kAh"))),
    "volume_mL": Span(1e-3, 1e4, ((1e-3, "uL"), (1e3, "L"))),
    "overfill": Span(0.1, 30.0, (PERCENT,)),
    "lower_voltage_V": VOLTAGE,
    "upper_voltage_V": VOLTAGE,
    "polarization_mV": Span(0.5, 500.0, ((1e3, "V"),), zero=True),
    "rated_capacity_Ah": Span(1e-5, 900.0, ((1e-3, "mAh"),)),
    "delivered_capacity_Ah": Span(1e-5, 900.0, ((1e-3, "mAh"),)),
    "pressure_MPa": Span(1e-3, 20.0, ((1e-3, "kPa"), (1e-6, "Pa")), zero=True),
    "margin_width_mm": Span(0.5, 100.0, ((10.0, "cm"), UM), zero=True),
    "margin_height_mm": Span(0.5, 150.0, ((10.0, "cm"), UM), zero=True),
    "fold_mm": Span(0.1, 50.0, ((10.0, "cm"), UM), zero=True),
    "flag_cm2": Span(0.01, 200.0, ((0.01, "mm2"),), zero=True),
    "most_depth_mm": Span(0.5, 100.0, ((10.0, "cm"), UM)),
    "spacers_mm": Span(0.05, 10.0, (UM, (10.0, "cm")), zero=True),
    "inner_diameter_mm": Span(2.0, 100.0, ((10.0, "cm"), UM)),
    "outer_diameter_mm": Span(2.0, 100.0, ((10.0, "cm"), UM)),
    "inner_height_mm": Span(0.3, 50.0, ((10.0, "cm"), UM)),
    "outer_height_mm": Span(0.5, 60.0, ((10.0, "cm"), UM)),
    "outer_diameter_nm": Span(0.5, 5e4, (UM_IN_NM, ANGSTROM)),
    "surface_area_m2_per_g": Span(0.05, 3500.0, ((1e-4, "cm2/g"), (1e-3, "m2/kg"))),
    "growth_per_cycle_nm": Span(0.005, 1.0, (ANGSTROM, (1e-3, "pm"))),
    "nuclei_per_um2": Span(0.1, 1e6, ((1e-8, "1/cm2"), (1e-12, "1/m2"), (1e6, "1/nm2"))),
    "nuclei_at_most_per_um2": Span(0.1, 1e6, ((1e-8, "1/cm2"), (1e-12, "1/m2"), (1e6, "1/nm2"))),
    "nuclei_per_um2_per_cycle": Span(1e-6, 1e5, ((1e-8, "1/cm2"), (1e-12, "1/m2"), (1e6, "1/nm2")), zero=True),
    "ozone_constant_min": Span(1e-3, 1e5, (SECONDS_IN_MIN,)),
    "ozone_min": Span(0.0, 1e5, (SECONDS_IN_MIN,), zero=True),
    "heating_h": Span(0.0, 1e4, ((1 / 60, "min"),), zero=True),
    "fill_s": TIME_S,
    "hold_s": TIME_S,
    "pump_s": TIME_S,
    "purge_s": TIME_S,
    "lump_diameter_mm": Span(1e-3, 500.0, (UM, (10.0, "cm"))),
    "lump_density_g_per_cm3": Span(1e-4, 25.0, ((1e-3, "kg/m3"),)),
    "heat_capacity_J_per_g_K": Span(0.05, 20.0, ((1e-3, "J/(kg K)"),)),
    "reaction_heat_kJ_per_mol": Span(1.0, 3000.0, ((1e-3, "J/mol"),)),
    "particle_diameter_nm": SIZE_nm,
    "crystallite_size_nm": SIZE_nm,
    "conductivity_S_per_cm": CONDUCTIVITY,
    "solid_conductivity_S_per_cm": CONDUCTIVITY,
    "diethylzinc_per_kg": PRICE,
    "powder_per_kg": PRICE,
    "argon_per_m3": PRICE,
    "argon_m3_per_cycle": PRICE,
    "reactor_per_h": PRICE,
    "batch_mass_kg": Span(1e-7, 1e4, ((1e-3, "g"), (1e-6, "mg"))),
    "reactor_volume_L": Span(1e-3, 1e5, ((1e3, "m3"), (1e-3, "mL"))),
    "loading_wt_fraction": FRACTION,
    "ash_wt_fraction": FRACTION,
    "powder_fraction": SHARE,
    "char_yield": FRACTION,
    "tape_g": MASS_G,
    "case_g": MASS_G,
    "spacers_g": MASS_G,
    "spring_g": MASS_G,
}


def slip(name: str, value: float) -> str | None:
    """What is wrong with the size of a value, and the value that was likely meant; None where nothing is.

    >>> slip("thickness_um", 0.01)
    'between 0.5 and 3000. Did you mean 10 (0.01 mm)?'
    >>> slip("porosity", 92), slip("porosity", 0.92)
    ('a fraction between 0 and 1. Did you mean 0.92?', None)
    """
    span = SPANS.get(name)
    if span is None or span.low <= value <= span.high or (span.zero and value == 0):
        return None
    allowed = "a fraction between 0 and 1" if span in (FRACTION, SHARE) else f"between {span.low:g} and {span.high:g}"
    for factor, unit in span.slips:
        meant = value * factor
        if math.isfinite(meant) and span.low <= meant <= span.high:
            hint = f"{meant:g}?" if unit == "%" else f"{meant:g} ({value:g} {_named(unit, name)})?"
            return f"{allowed}. Did you mean {hint}"
    return f"{allowed}."


def _named(unit: str, name: str) -> str:
    return f"m{name.rpartition('_')[2]}" if unit == "milli" else unit
