"""A thermogravimetric curve and the text exports it comes in: TRIOS, Universal Analysis, Netzsch, Mettler, PerkinElmer.

Columns are found by their names and units, never by their places. A mass in mg becomes a fraction of the first; one in
per cent stays what the instrument made of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from interlith.characterize.exported_text import TextTable, head_of, table_of, text_of
from interlith.errors import CorruptFile, InputError
from interlith.units import MG_PER_G, MICRO, MILLI, ZERO_CELSIUS_K

Floats = NDArray[np.float64]
FEWEST_POINTS = 20
TEMPERATURES = (  # in the order in which they are preferred
    re.compile(r"sample\s*temp|temp\w*\s*\(?sample|probentemp", re.IGNORECASE),
    re.compile(r"^t\s?s\b", re.IGNORECASE),
    re.compile(r"^(?!.*(furnace|program|reference|set|ofen))(.*\btemp|.*temperatur)", re.IGNORECASE),
    re.compile(r"^T(\s*[/(\[].*)?$"),
    re.compile(r"(program|furnace|reference|set|ofen)\w*\s*temp|^t\s?r\b", re.IGNORECASE),
)
MASSES = (
    re.compile(r"(weight|mass|masse|gewicht|\btga?\b).*(%|percent)", re.IGNORECASE),
    re.compile(r"\b(weight|mass|masse|gewicht)\b|^tga?\b", re.IGNORECASE),
    re.compile(r"^value$", re.IGNORECASE),
)
NO_MASS = re.compile(r"deriv|dtg|/min|/\s?°?[ck]\b|heat|flow|spectr|rate", re.IGNORECASE)
LOSS, CHANGE = re.compile(r"\bloss|verlust", re.IGNORECASE), re.compile(r"change|änderung", re.IGNORECASE)
UNIT = re.compile(
    r"[/(\[]\s*(°?\s?[CKF]|deg\s?C|celsius|kelvin|m?g|µg|μg|ug|wt\.?\s?%|%|percent)\s*[)\]]?\s*$", re.IGNORECASE
)
MG = {"mg": 1.0, "g": MG_PER_G, "ug": MICRO / MILLI}
SIGNAL = re.compile(r"^Sig(\d+)\t(.+)$", re.MULTILINE)  # of Universal Analysis, one column a line
START = re.compile(r"^StartOfData\s*$", re.MULTILINE)
GASES = {
    "oxidizing": r"\bair\b|\bluft\b|synth\w*\s+air|oxygen|\bo2\b",
    "inert": r"nitrogen|\bn2\b|argon|\bar\b|helium|\bhe\b",
}
GAS_LINE = re.compile(r"^[#\s\"]*(gas\s?\d*|\w*comment|atmosph\w*|purge\w*|.*gas\b)", re.IGNORECASE)
RATE = re.compile(r"(\d+(?:[.,]\d+)?)\s*\(?\s*(?:°C|K|ºC|C)\s*/\s*min", re.IGNORECASE)
SAMPLE_MASS = re.compile(
    r"(?:sample\s*(?:mass|weight)|^size|einwaage)\s*(/?\s*\(?(?:mg|g)\)?)?\s*[:,;\t ]+\s*(\d+(?:[.,]\d+)?)\s*(mg|g)?",
    re.IGNORECASE | re.MULTILINE,
)
TALKS_OF_TEMPERATURE = re.compile(r"(?i:temp|°C)|\bT\b|\bTs\b")
TALKS_OF_MASS = re.compile(r"mass|weight|masse|gewicht|\btga?\b|\bvalue\b", re.IGNORECASE)
FAHRENHEIT_ZERO, FAHRENHEIT_STEP = 32.0, 1.8
LOOKS_KELVIN_FROM, LOOKS_KELVIN_TO = 270.0, 320.0  # first temperature of a curve that no unit explains
FALL_K = 25.0  # largest step back of the temperature within a heating: more is a second program
PER_CENT_FROM, PER_CENT_TO = 90.0, 110.0  # first value of a mass in per cent


@dataclass(frozen=True)
class Curve:
    """Mass against temperature of one heating.

    temperature_C, mass_fraction: [n], the fraction of the mass at the beginning. initial_mass_mg, atmosphere (oxidizing
    or inert), heating_rate_K_per_min: None where the file does not say. notes: what was done to read it.
    Raises InputError for a curve that no heating gives.

    >>> Curve("a", np.linspace(25, 800, 50), np.linspace(1, 0.1, 50)).mass_fraction[-1]
    np.float64(0.1)
    """

    name: str
    temperature_C: Floats
    mass_fraction: Floats
    initial_mass_mg: float | None = None
    atmosphere: str | None = None
    heating_rate_K_per_min: float | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        n, m = len(self.temperature_C), len(self.mass_fraction)
        if n != m or n < FEWEST_POINTS:
            raise InputError(f"{self.name}: {min(n, m)} points; a residue needs a curve of at least {FEWEST_POINTS}")
        if not (np.isfinite(self.temperature_C).all() and np.isfinite(self.mass_fraction).all()):
            raise InputError(f"{self.name}: temperatures and masses must all be numbers")
        _check_heating(self)


def _check_heating(curve: Curve) -> None:
    temperature, mass = curve.temperature_C, curve.mass_fraction
    risen = float(temperature[-1] - temperature[0])
    fall = float(np.max(np.maximum.accumulate(temperature) - temperature))
    if risen < 2 * FALL_K or fall > max(FALL_K, 0.1 * risen):
        swapped = temperature[-1] < temperature[0] and mass[-1] > mass[0]
        hint = "Are temperature and mass swapped?" if swapped else "Give one heating alone, its rows in order of time."
        raise InputError(
            f"{curve.name}: the temperature does not rise (by {risen:.0f} K, falls by {fall:.0f} K). {hint}"
        )
    if mass.min() < -0.02:
        raise InputError(f"{curve.name}: a mass of {mass.min():.3g} of the first. Was the crucible not tared?")
    if mass.max() > 1.5 or mass[-1] > mass[0] + 0.05:
        high = max(float(mass.max()), float(mass[-1] / mass[0]))
        raise InputError(
            f"{curve.name}: the mass rises to {high:.3g} of the first: no burn-off. Are temperature and mass swapped, "
            "or is the column a derivative?"
        )


def is_tga(path: Path) -> bool:
    """Whether a file is a text table with a temperature and a mass column; reads its beginning only.

    >>> is_tga(Path("no-such-file.txt"))
    False
    """
    text = head_of(path)
    if not (TALKS_OF_TEMPERATURE.search(text) and TALKS_OF_MASS.search(text)):
        return False
    try:
        table = _table(text[: text.rfind("\n") + 1] or text, path.name)
        return _picked(table.names, TEMPERATURES) is not None and _mass_place(table) is not None
    except InputError:
        return False


def read_tga(path: Path) -> Curve:
    """The curve of a text export.

    Units are taken from the header: degrees C, K or F; mg, g, ug or per cent. A cooling at the end is cut off and said.
    Raises InputError, UnsupportedFormat or CorruptFile.
    """
    text = text_of(path)
    table = _table(text, path.name)
    place, mass_place = _picked(table.names, TEMPERATURES), _mass_place(table)
    if place is None or mass_place is None:
        what = "temperature" if place is None else "mass"
        found = ", ".join(repr(name) for name in table.names if name) or "no names at all"
        raise InputError(
            f"{path.name}: no {what} column; found {found}. Name the columns, for instance 'Temperature (°C)' and "
            "'Weight (mg)'"
        )
    above = "\n".join(table.above)
    notes: list[str] = []
    temperature = _celsius(table, place, path.name, notes)
    fraction, mass_mg = _fractions(table, mass_place, path.name, notes)
    temperature, fraction = _heating(temperature, fraction, path.name, notes)
    rate = RATE.search(above)
    return Curve(
        name=path.name,
        temperature_C=temperature,
        mass_fraction=fraction,
        initial_mass_mg=mass_mg or _weighed_mg(table) or _stated_mass_mg(above),
        atmosphere=_atmosphere(table.above),
        heating_rate_K_per_min=float(rate[1].replace(",", ".")) if rate else None,
        notes=tuple(notes),
    )


def _table(text: str, name: str) -> TextTable:
    """The table; where Universal Analysis lists its columns above it, with those names."""
    start = START.search(text)
    if start is None:
        return table_of(text, name)
    signals = tuple(found[2].strip() for found in SIGNAL.finditer(text[: start.start()]))
    table = table_of(text[start.end() :], name)
    if len(signals) != len(table.columns):
        raise CorruptFile(f"{name}: {len(signals)} signals are listed, the table has {len(table.columns)} columns")
    return TextTable(tuple(text[: start.start()].split("\n")), signals, ("",) * len(signals), table.columns, False)


def _picked(names: tuple[str, ...], patterns: tuple[re.Pattern[str], ...]) -> int | None:
    """The column that the first pattern with a match means."""
    for pattern in patterns:
        for place, name in enumerate(names):
            if pattern.search(name.strip()):
                return place
    return None


def _mass_place(table: TextTable) -> int | None:
    """The mass column: not a derivative, not a heat flow; one in per cent before one in mg."""
    names = tuple(_mass_name(name, unit) for name, unit in zip(table.names, table.units, strict=True))
    return _picked(names, MASSES)


def _mass_name(name: str, unit: str) -> str:
    if NO_MASS.search(f"{name} {unit}"):
        return ""
    return f"{name} %" if unit.strip("[]() ") == "%" else name


def _unit(table: TextTable, place: int) -> str:
    """The unit of a column, plain and in lower case; empty where none is given."""
    written = table.units[place].strip("[]() ") or ((found := UNIT.search(table.names[place])) and found[1]) or ""
    plain = written.lower().replace("°", "").replace("º", "").replace("deg", "").replace(" ", "")
    plain = plain.replace("µ", "u").replace("μ", "u")
    return {"celsius": "c", "kelvin": "k", "wt%": "%", "wt.%": "%", "percent": "%"}.get(plain, plain)


def _celsius(table: TextTable, place: int, name: str, notes: list[str]) -> Floats:
    values, written = table.columns[place], _unit(table, place)
    if written == "k":
        return values - ZERO_CELSIUS_K
    if written == "f":
        return (values - FAHRENHEIT_ZERO) / FAHRENHEIT_STEP
    known = values[np.isfinite(values)]
    if written != "c" and len(known):
        if LOOKS_KELVIN_FROM <= known[0] <= LOOKS_KELVIN_TO:
            raise InputError(
                f"{name}: column {table.names[place]!r} begins at {known[0]:.0f} and has no unit. Kelvin? Write it "
                "into the header: (K) or (°C)"
            )
        notes.append(f"{name}: temperature taken as degrees C, the header has no unit")
    return values


def _fractions(table: TextTable, place: int, name: str, notes: list[str]) -> tuple[Floats, float | None]:
    """The mass as a fraction of the first, and the first in mg where the unit tells."""
    values, written = table.columns[place], _unit(table, place)
    title = table.names[place]
    known = values[np.isfinite(values)]
    if not len(known):
        raise CorruptFile(f"{name}: column {title!r} holds no number")
    first = float(known[0])
    per_cent = written == "%" or "%" in title
    if LOSS.search(title) or CHANGE.search(title) or (per_cent and abs(first) < 1.0 and known.min() < -1.0):
        if not per_cent:
            raise InputError(f"{name}: column {title!r} is a change of mass; export the mass itself, or it in per cent")
        notes.append(f"{name}: {title!r} read as a change from 100 %")
        return 1.0 - np.abs(values) / 100.0, None
    if per_cent:
        if not PER_CENT_FROM <= first <= PER_CENT_TO:
            raise InputError(
                f"{name}: {title!r} begins at {first:.3g} %, not near 100 %. Is it another column, or a part?"
            )
        return values / 100.0, None
    if first <= 0:
        raise InputError(f"{name}: the first mass is {first:.3g}. Was the crucible not tared?")
    if written not in MG:
        notes.append(f"{name}: the mass has no unit; taken as relative to its first value")
    return values / first, first * MG[written] if written in MG else None


def _heating(temperature: Floats, fraction: Floats, name: str, notes: list[str]) -> tuple[Floats, Floats]:
    """The rows up to the highest temperature and the hold at it."""
    known = np.isfinite(temperature) & np.isfinite(fraction)
    temperature, fraction = temperature[known], fraction[known]
    if not len(temperature):
        raise CorruptFile(f"{name}: no row has both a temperature and a mass")
    top = float(temperature.max())
    end = int(np.flatnonzero(temperature >= top - FALL_K / 5)[-1]) + 1
    cooling = len(temperature) - end
    if cooling and float(temperature[end - 1] - temperature[-1]) > FALL_K and end > 1:
        notes.append(f"{name}: {cooling} points of the cooling at the end left out")
        return temperature[:end], fraction[:end]
    return temperature, fraction


def _atmosphere(above: tuple[str, ...]) -> str | None:
    """Oxidizing where any gas line names air or oxygen; inert where one names only other gases."""
    lines = " ; ".join(line for line in above if GAS_LINE.match(line))
    return next((kind for kind, words in GASES.items() if re.search(words, lines, re.IGNORECASE)), None)


def _weighed_mg(table: TextTable) -> float | None:
    """The first mass of a column in mg or g, where the curve itself was taken from one in per cent."""
    for place, name in enumerate(table.names):
        unit = _unit(table, place)
        if unit in MG and not NO_MASS.search(name) and MASSES[1].search(name):
            known = table.columns[place][np.isfinite(table.columns[place])]
            return float(known[0]) * MG[unit] if len(known) and known[0] > 0 else None
    return None


def _stated_mass_mg(above: str) -> float | None:
    found = SAMPLE_MASS.search(above)
    if found is None:
        return None
    written = (found[3] or (found[1] or "").strip("/() ")).lower()
    return float(found[2].replace(",", ".")) * MG[written] if written in MG else None
