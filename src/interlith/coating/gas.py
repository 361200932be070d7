"""Gases of the process: moles of a dose, vapor pressure of a source."""

from __future__ import annotations

from interlith.parts.recipe import Dose
from interlith.units import GAS_CONSTANT_J_PER_MOL_K, M3_PER_L, PA_PER_TORR, ZERO_CELSIUS_K

# log10(p / Torr) = A - B / T. Diethylzinc: assumed, no readable source of the fit; it boils at 118 C by it within 1 K.
DIETHYLZINC = (8.280, 2109.0)
# log10(p / Torr) = A - B / (C + t / degC), 1 to 100 C. Water: the usual Antoine constants; 17.5 Torr at 20 C.
WATER = (8.07131, 1730.63, 233.426)


def moles(dose: Dose, reactor_volume_L: float, temperature_C: float) -> float:
    """What a dose lets in: the sum of its pressure steps times V / (R T), ideal gas at the powder's temperature.

    All its pulses together.

    >>> dose = Dose(pressure_steps_Torr=(6.5, 6.5, 7.0), source_temperature_C=40)
    >>> round(moles(dose, reactor_volume_L=33.3, temperature_C=200) * 1e3, 1)
    22.6
    """
    kelvin = temperature_C + ZERO_CELSIUS_K
    pressure_Pa = dose.n_pulses * dose.pressure_Torr * PA_PER_TORR
    return pressure_Pa * reactor_volume_L * M3_PER_L / (GAS_CONSTANT_J_PER_MOL_K * kelvin)


def diethylzinc_Torr(source_temperature_C: float) -> float:
    """Vapor pressure over liquid diethylzinc.

    >>> round(diethylzinc_Torr(20.0), 1), round(diethylzinc_Torr(118.0) / 760.0, 2)
    (12.2, 1.02)
    """
    a, b = DIETHYLZINC
    return float(10.0 ** (a - b / (source_temperature_C + ZERO_CELSIUS_K)))


def water_Torr(source_temperature_C: float) -> float:
    """Vapor pressure over water.

    >>> round(water_Torr(20.0), 1), round(water_Torr(100.0))
    (17.5, 760)
    """
    a, b, c = WATER
    return float(10.0 ** (a - b / (c + source_temperature_C)))
