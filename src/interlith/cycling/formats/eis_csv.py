"""Impedance spectra as plain csv: frequency and both parts, or modulus and phase; with a line of names or without."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from interlith.cycling.formats.format import Format, Head, Raw, ReadOptions
from interlith.cycling.formats.headers import MINUS, SPLIT, meaning, plain
from interlith.cycling.formats.spectra import eis_table, numbers_below, sign_flags
from interlith.cycling.formats.text import delimiter_of
from interlith.errors import CorruptFile, InputError
from interlith.record import CURRENT, FREQUENCY, IMAGINARY, REAL, TIME, VOLTAGE
from interlith.text_file import read_text
from interlith.units import unit

N_FIELDS, LEAST_POINTS, LEAST_DECADES = 3, 5, 2.0
# a sweep has about equal steps of log f; time has not
EVEN_STEP, EVEN_SHARE, LEAST_LOG_STEP = 2.5, 0.9, 0.01
EXTRA_NAMES = {
    **dict.fromkeys(["re(z)", "re", "real"], REAL),
    **dict.fromkeys(["im(z)", "im", "imag", "imaginary"], IMAGINARY),
}
# the polar form, which a record does not keep: names as `plain` makes them
MODULUS, PHASE, BARE_PHASE = "modulus", "phase", "phase without a unit"
POLAR_NAMES = {
    **dict.fromkeys(["|z|", "zmod", "zmodulus", "modulus", "magnitude", "zmag", "zmagnitude", "mod"], MODULUS),
    **dict.fromkeys(["absz", "abs(z)", "impedance", "impedancemodulus", "impedancemagnitude"], MODULUS),
    **dict.fromkeys(["phase", "phase(z)", "phasez", "zphase", "phaseangle", "theta", "zphz", "phz"], PHASE),
    **dict.fromkeys(["phi", "arg(z)", "argz"], PHASE),
}
DRAWN = "arc"  # a column of our table eis-arcs: curves of a circuit, nothing measured
DEGREE = math.radians(1.0)
ANGLES = {
    **dict.fromkeys(["deg", "degree", "degrees", "°"], DEGREE),
    **dict.fromkeys(["rad", "radian", "radians"], 1.0),
}
FORMS = ((FREQUENCY, REAL, IMAGINARY), (FREQUENCY, MODULUS, PHASE), (FREQUENCY, MODULUS, BARE_PHASE))
CARTESIAN = FORMS[0]


@dataclass(frozen=True)
class Columns:
    """Place of each column, and the factor to its base unit; -Im Z has a negative one."""

    places: dict[str, int]
    factors: dict[str, float]

    def __contains__(self, name: str) -> bool:
        return name in self.places

    @property
    def form(self) -> tuple[str, ...] | None:
        """The columns from which the impedance comes; None where they are not all there."""
        return next((form for form in FORMS if all(name in self for name in form)), None)


def named_columns(line: str, delimiter: str) -> Columns:
    """What a line of names says, "-Zim" and "-Im(Z)/Ohm" included, and the names that tables of ours have.

    >>> named_columns("frequency_Hz,real_ohm,imaginary_ohm", ",").form == CARTESIAN
    True
    >>> named_columns("f/Hz,Re(Z)/Ohm,-Im(Z)/kOhm", ",").factors["imaginary_impedance_ohm"]
    -1000.0
    """
    places: dict[str, int] = {}
    factors: dict[str, float] = {}
    for place, field in enumerate(line.split(delimiter)):
        name = field.strip().strip('"').strip()
        column, factor = _meaning(name)
        if column and column not in places:
            places[column], factors[column] = place, factor
    return Columns(places, factors)


def recognize(head: Head) -> bool:
    """Names of a frequency and both parts of the impedance and no current, or three columns that are a sweep."""
    lines = [line for line in head.lines if line.strip()]
    if not lines:
        return False
    delimiter = delimiter_of(lines[:50])
    if not _is_numbers(lines[0], delimiter):
        found = named_columns(lines[0], delimiter)
        return found.form is not None and CURRENT not in found and DRAWN not in lines[0].split(delimiter)
    whole = lines[:-1] if not head.text.endswith(("\n", "\r")) and len(lines) > LEAST_POINTS else lines
    return _is_sweep(whole, delimiter)


def read(path: Path, options: ReadOptions) -> Raw:
    """The spectrum. Without a header the three columns are frequency in Hz and Re Z, Im Z in ohm, signs kept."""
    text = read_text(path)
    lines = text.split("\n")
    first = next(place for place, line in enumerate(lines) if line.strip())
    delimiter = delimiter_of([line for line in lines[first : first + 50] if line.strip()])
    has_names = not _is_numbers(lines[first], delimiter)
    columns = Columns(
        places={FREQUENCY: 0, REAL: 1, IMAGINARY: 2}, factors=dict.fromkeys((FREQUENCY, REAL, IMAGINARY), 1.0)
    )
    if has_names:
        columns = named_columns(lines[first], delimiter)
    if columns.form is None:
        missing = [name for name in CARTESIAN if name not in columns]
        raise InputError(f"{path.name}: no column of {', '.join(missing)}; found {lines[first].strip()[:80]!r}")
    try:
        places = list(columns.places.values())
        rows, flags = numbers_below(text, first + has_names, delimiter, max(places) + 1, places)
    except CorruptFile as problem:
        raise CorruptFile(f"{path.name}: {problem}") from problem
    taken = {name: rows[:, k] * columns.factors[name] for k, name in enumerate(columns.places)}
    if columns.form != CARTESIAN:
        taken, said = _from_polar(taken, path.name)
    else:
        said = _said(columns, lines[first], delimiter) if has_names else "no header"
    return Raw(
        table=eis_table(taken[FREQUENCY], taken[REAL], taken[IMAGINARY], taken.get(TIME), taken.get(VOLTAGE)),
        flags=(*flags, *sign_flags(taken[IMAGINARY], said)),
        notes=(said if MODULUS in (columns.form or ()) else f"imaginary part: {said}",)
        if has_names
        else ("no header: taken as f in Hz, Re Z and Im Z in ohm",),
    )


def _from_polar(taken: dict[str, NDArray[np.float64]], name: str) -> tuple[dict[str, NDArray[np.float64]], str]:
    """Real and imaginary part from modulus and phase, and how the phase was read."""
    if PHASE in taken:
        phase, said = taken[PHASE], "from modulus and phase, by the unit of the header"
    else:
        phase, said = taken[BARE_PHASE] * DEGREE, "from modulus and phase, which goes beyond pi: taken as degrees"
        if np.max(np.abs(taken[BARE_PHASE])) <= math.pi:
            raise InputError(
                f"{name}: the phase has no unit and stays within pi: degrees or radians? Write 'Phase (deg)' or "
                "'Phase (rad)' into the header"
            )
    parts = {REAL: taken[MODULUS] * np.cos(phase), IMAGINARY: taken[MODULUS] * np.sin(phase)}
    return {**taken, **parts}, said


def _said(columns: Columns, header: str, delimiter: str) -> str:
    name = header.split(delimiter)[columns.places[IMAGINARY]].strip()
    return f"header {name!r}, sign {'turned' if columns.factors[IMAGINARY] < 0 else 'kept'}"


def _meaning(name: str) -> tuple[str | None, float]:
    if name.startswith(MINUS):
        column, factor = _meaning(name[1:].strip())
        return (column, -factor) if column in (IMAGINARY, PHASE, BARE_PHASE) else (None, 1.0)
    known = meaning(name)
    if known:
        return known.column, known.factor
    polar = _polar(name)
    if polar is not None:
        return polar
    for separator in ("/", " ", "[", "_"):
        bare, _, written = name.partition(separator)
        column = EXTRA_NAMES.get(bare.strip().lower())
        scale = meaning(f"Zre/{written.strip(' []()')}") if written.strip() else None
        if column and (scale or not written.strip()):
            return column, scale.factor if scale else 1.0
    return None, 1.0


def _polar(name: str) -> tuple[str, float] | None:
    """Modulus in ohm or phase in radians, by name and unit.

    >>> _polar("|Z|/kOhm"), _polar("Phase(Z)/deg")[0], _polar("phase")
    (('modulus', 1000.0), 'phase', ('phase without a unit', 1.0))
    """
    for pattern in SPLIT:
        found = pattern.match(name)
        column = POLAR_NAMES.get(plain(found["name"])) if found else None
        if found and column == MODULUS and (known := unit(found["unit"])) and known[0] == "impedance":
            return MODULUS, known[1]
        if found and column == PHASE and (factor := ANGLES.get(found["unit"].strip().lower())):
            return PHASE, factor
    column = POLAR_NAMES.get(plain(name))
    return None if column is None else (MODULUS if column == MODULUS else BARE_PHASE, 1.0)


def _is_numbers(line: str, delimiter: str) -> bool:
    try:
        return bool([float(field.replace(",", ".")) for field in line.split(delimiter)])
    except ValueError:
        return False


def _is_sweep(lines: list[str], delimiter: str) -> bool:
    try:
        rows = np.array([[float(field.replace(",", ".")) for field in line.split(delimiter)] for line in lines])
    except ValueError:
        return False
    if rows.ndim != 2 or rows.shape[1] != N_FIELDS or len(rows) < LEAST_POINTS or np.any(rows[:, 0] <= 0):
        return False
    return _is_even(np.log10(rows[:, 0]))


def _is_even(decades: NDArray[np.float64]) -> bool:
    steps = np.diff(decades)
    if not (np.all(steps > 0) or np.all(steps < 0)) or abs(decades[-1] - decades[0]) <= LEAST_DECADES:
        return False
    size = np.abs(steps) / np.median(np.abs(steps))
    even = float(np.mean((size < EVEN_STEP) & (size > 1 / EVEN_STEP)))
    return even >= EVEN_SHARE and float(np.median(np.abs(steps))) >= LEAST_LOG_STEP


FORMAT = Format(
    name="eis-csv",
    title="Impedance csv (frequency, Re Z, Im Z or modulus, phase)",
    suffixes=(".csv", ".txt"),
    recognize=recognize,
    read=read,
)
