"""The only constants and conversion factors. Every other number of this kind in the package is a fault.

Conversion factors turn one unit into the base unit of its quantity, as `UNITS` lists them: s, V, A, Ah, Wh, Hz, ohm,
degree Celsius (offset apart), W, cm2, mg.
"""

SECONDS_PER_MINUTE = 60.0
SECONDS_PER_HOUR = 3600.0
SECONDS_PER_DAY = 86400.0
MILLI = 1e-3
MICRO = 1e-6
NANO = 1e-9
mAh_PER_Ah = 1e3
mV_PER_V = 1e3

# CODATA 2018 (exact since the SI of 2019)
FARADAY_C_PER_MOL = 96485.33212

# Molar mass of lithium, conventional atomic weight (IUPAC, Pure Appl. Chem. 94, 573 (2022))
LITHIUM_G_PER_MOL = 6.94
# Theoretical charge of lithium metal, derived: F / M
LITHIUM_mAh_PER_mg = FARADAY_C_PER_MOL / SECONDS_PER_HOUR / LITHIUM_G_PER_MOL

# unit as written in a header (lower case, no spaces) -> (quantity, factor to the base unit)
UNITS: dict[str, tuple[str, float]] = {
    "s": ("time", 1.0),
    "sec": ("time", 1.0),
    "second": ("time", 1.0),
    "seconds": ("time", 1.0),
    "ms": ("time", MILLI),
    "min": ("time", SECONDS_PER_MINUTE),
    "minute": ("time", SECONDS_PER_MINUTE),
    "h": ("time", SECONDS_PER_HOUR),
    "hr": ("time", SECONDS_PER_HOUR),
    "hour": ("time", SECONDS_PER_HOUR),
    "hours": ("time", SECONDS_PER_HOUR),
    "d": ("time", SECONDS_PER_DAY),
    "day": ("time", SECONDS_PER_DAY),
    "v": ("voltage", 1.0),
    "volt": ("voltage", 1.0),
    "volts": ("voltage", 1.0),
    "mv": ("voltage", MILLI),
    "uv": ("voltage", MICRO),
    "a": ("current", 1.0),
    "amp": ("current", 1.0),
    "amps": ("current", 1.0),
    "ampere": ("current", 1.0),
    "ma": ("current", MILLI),
    "ua": ("current", MICRO),
    "na": ("current", NANO),
    "ah": ("charge", 1.0),
    "a.h": ("charge", 1.0),
    "amp-hr": ("charge", 1.0),
    "mah": ("charge", MILLI),
    "ma.h": ("charge", MILLI),
    "uah": ("charge", MICRO),
    "c": ("charge", 1.0 / SECONDS_PER_HOUR),
    "as": ("charge", 1.0 / SECONDS_PER_HOUR),
    "mas": ("charge", MILLI / SECONDS_PER_HOUR),
    "wh": ("energy", 1.0),
    "w.h": ("energy", 1.0),
    "watt-hr": ("energy", 1.0),
    "mwh": ("energy", MILLI),
    "uwh": ("energy", MICRO),
    "mws": ("energy", MILLI / SECONDS_PER_HOUR),
    "hz": ("frequency", 1.0),
    "khz": ("frequency", 1e3),
    "mhz": ("frequency", 1e6),
    "ohm": ("impedance", 1.0),
    "ohms": ("impedance", 1.0),
    "mohm": ("impedance", MILLI),
    "kohm": ("impedance", 1e3),
    "degc": ("temperature", 1.0),
    "celsius": ("temperature", 1.0),
}


def unit(text: str) -> tuple[str, float] | None:
    """Quantity and factor of a unit as an instrument wrote it, or None when it is not one.

    >>> unit("mA")
    ('current', 0.001)
    >>> unit("µA") == unit("uA")
    True
    """
    plain = text.strip().lower().replace(" ", "").replace("·", ".")
    plain = plain.replace("µ", "u").replace("μ", "u").replace("ω", "ohm").replace("ω", "ohm").replace("°", "deg")
    return UNITS.get(plain)
