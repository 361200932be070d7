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
GAS_CONSTANT_J_PER_MOL_K = 8.314462618
ELEMENTARY_CHARGE_C = 1.602176634e-19
BOLTZMANN_eV_PER_K = 8.617333262e-5
ZERO_CELSIUS_K = 273.15
MOL_PER_M3_PER_MOL_PER_L = 1e3
PA_PER_MPa = 1e6

# Molar mass of lithium, conventional atomic weight (IUPAC, Pure Appl. Chem. 94, 573 (2022))
LITHIUM_G_PER_MOL = 6.94
# Theoretical charge of lithium metal, derived: F / M
LITHIUM_mAh_PER_mg = FARADAY_C_PER_MOL / SECONDS_PER_HOUR / LITHIUM_G_PER_MOL

# Density of lithium at 20 C, g/cm3 (CRC Handbook of Chemistry and Physics): 1 mAh/cm2 of dense lithium is 4.85 um
LITHIUM_G_PER_CM3 = 0.534
# Cohesive energy of bcc lithium at 0 K: 157.7 kJ/mol, from the enthalpy of formation of the gas, 159.3 kJ/mol at 298 K
# (CODATA key values for thermodynamics, Cox, Wagman, Medvedev 1989)
LITHIUM_COHESIVE_eV = 1.63
# Molar volume of lithium metal, derived: M / density, m3/mol
LITHIUM_MOLAR_VOLUME_M3 = LITHIUM_G_PER_MOL / LITHIUM_G_PER_CM3 * 1e-6
CM_PER_UM = 1e-4
MG_PER_G = 1e3
LITHIUM_mAh_PER_CM2_PER_UM = LITHIUM_mAh_PER_mg * LITHIUM_G_PER_CM3 * MG_PER_G * CM_PER_UM
# Conductivity of lithium at 20 C, S/m, from 92.8 nohm m (CRC Handbook of Chemistry and Physics)
LITHIUM_S_PER_M = 1.0776e7
# Molar mass of zinc oxide, conventional atomic weights (IUPAC, as above): 65.38 + 15.999
ZINC_OXIDE_G_PER_MOL = 81.379
# Molar masses of diethylzinc, Zn(C2H5)2, and of water, likewise: 65.38 + 4 x 12.011 + 10 x 1.008; 15.999 + 2 x 1.008
DIETHYLZINC_G_PER_MOL = 123.504
WATER_G_PER_MOL = 18.015

# Per area: 1 mA/cm2 in A/m2, 1 mAh/cm2 in C/m2, 1 ohm cm2 in ohm m2
A_PER_M2_PER_mA_PER_CM2 = 10.0
C_PER_M2_PER_mAh_PER_CM2 = A_PER_M2_PER_mA_PER_CM2 * SECONDS_PER_HOUR
M2_PER_CM2 = 1e-4
M_PER_UM = 1e-6

# Of gases: pascal in one Torr, by definition 101325 / 760
TORR_PER_ATM = 760.0
PA_PER_TORR = 101325.0 / TORR_PER_ATM
M3_PER_L = 1e-3

# Of particles and grams: 1 nm in um, m, cm; 1 kJ in J
NM_PER_UM = 1e3
M_PER_NM = 1e-9
M_PER_A = 1e-10
CM_PER_NM = 1e-7
J_PER_KJ = 1e3
CM2_PER_M2 = 1e4

# Of pieces
G_PER_KG = 1e3
WH_PER_KWH = 1e3
MM_PER_CM = 10.0
MM_PER_M = 1e3
UM_PER_MM = 1e3
CM3_PER_L = 1e3
M_PER_CM = 1e-2
M3_PER_CM3 = 1e-6

# Of sheets: 1 um of 1 g/cm3 in mg/cm2, 1 um of 1 cm2 in cm3
MG_PER_CM2_PER_UM_G_PER_CM3 = MG_PER_G * CM_PER_UM
# 1 mg/cm2 in kg/m2, 1 g/cm3 in kg/m3
KG_PER_M2_PER_MG_PER_CM2 = 1e-2
KG_PER_M3_PER_G_PER_CM3 = 1e3

# Of solutions: 1 mS/cm in S/m, 1 uL in cm3
S_PER_M_PER_mS_PER_CM = 0.1
CM3_PER_uL = 1e-3

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
