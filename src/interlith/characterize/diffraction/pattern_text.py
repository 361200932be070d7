"""Patterns as text: .xy, .xye, .csv, .txt, .ras: two or three columns, whatever parts them, below any header."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from interlith.characterize.diffraction.radiation import NM_PER_ANGSTROM, HIGHEST_nm, LOWEST_nm, Radiation, stated
from interlith.characterize.diffraction.scan import Scan
from interlith.errors import CorruptFile, InputError, UnsupportedFormat
from interlith.text_file import decode, looks_binary

MOST_HEADER = 500  # lines above the data
MOST_BYTES, HEAD_BYTES = 64 * 1024**2, 32 * 1024
SEPARATORS = ("\t", ";", None, ",")  # None: any blanks
COMMENT = ("#", "*", "!", "'", "%", "/")
LEAST_SAMPLE, MOST_SAMPLE = 3, 400
TWO_THETA = re.compile(r"2\s*[-_ ]?\s*(theta|th\b|tth|θ)|two[-_ ]?theta|2θ|\btth\b|twotheta", re.IGNORECASE)
THETA = re.compile(r"\b(theta|omega|θ)\b", re.IGNORECASE)
OTHER = re.compile(
    r"freq|temperature|\btemp\b|\btime\b|mass|weight|raman|wavenumber|wavelength|binding|potential|voltage|current"
    r"|capacity|impedance|z'|m/z",
    re.IGNORECASE,
)
ERRORS = re.compile(r"sigma|esd|error|std|uncert", re.IGNORECASE)
ANGLE = re.compile(r"angle|winkel|pos\b|position", re.IGNORECASE)
INTENSITY = re.compile(r"intens|counts|\bcps\b|\byobs\b|zähl", re.IGNORECASE)
CELLS = re.compile(r"[\t;,]")
ALPHA = re.compile(r"alpha[-_ ]?(1|2)\D{0,12}?(\d[.,]\d{3,})", re.IGNORECASE)
RATIO = re.compile(r"^.*ratio.*$", re.IGNORECASE | re.MULTILINE)  # a line of two intensities, no wavelength
LAST_deg, LEAST_START_deg, MOST_STEP_deg = 165.0, 3.0, 0.2
Row = tuple[float, ...]


def looks_like_pattern(path: Path) -> bool:
    """Whether the head of a text file holds angles in equal steps and intensities. Cheap: a few kB are read.

    A header that speaks of something else (temperature, frequency, mass, ...) says no; one that names 2 theta says yes
    where the numbers allow it; without either the step must be even, 0.2 degrees or less, and the intensities counts,
    or the name end in .xy, .xye or .ras.
    """
    with path.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
    if looks_binary(head):
        return False
    lines = decode(head)[0].splitlines()
    lines = lines[:-1] if len(head) == HEAD_BYTES else lines
    try:
        rows, header, _ = _rows(path.name, lines, torn=True)
    except InputError:
        return False
    text = "\n".join(header)
    if len(rows) < 10 or (OTHER.search(text) and not _of_xrays(text)):
        return False
    angles, counts = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    steps = np.diff(angles)
    within = bool((steps > 0).all() and angles[0] > 0 and angles[-1] < LAST_deg and (counts >= 0).all())
    if not within or not np.isfinite(counts).all():
        return _of_xrays(text)  # it says so: the reader tells what is wrong
    even = bool(np.ptp(steps) < 0.05 * np.median(steps) + 2e-3 and np.median(steps) <= MOST_STEP_deg)
    named = path.suffix.lower() in (".xy", ".xye", ".ras") or _of_xrays(text)
    return even and (named or (angles[0] >= LEAST_START_deg and bool((counts == np.rint(counts)).all())))


def _of_xrays(text: str) -> bool:
    """Whether a header names 2 theta or the wavelength of a tube."""
    return bool(TWO_THETA.search(text) or ALPHA.search(text))


def read_text_pattern(path: Path) -> Scan:
    """Angles and intensities of a text file; a third column is errors where it is named so, else left out and told.

    Raises InputError for a line within the data that holds none (its number is told), UnsupportedFormat for more
    columns, CorruptFile for a file without numbers.
    """
    if path.stat().st_size > MOST_BYTES:
        raise InputError(f"{path.name}: more than {MOST_BYTES // 1024**2} MB; a pattern has some ten thousand lines")
    data = path.read_bytes()
    if not data.strip():
        raise CorruptFile(f"{path.name}: the file is empty")
    if looks_binary(data):
        raise UnsupportedFormat(f"{path.name}: binary data; export the scan as .xy, .xrdml or .rasx")
    rows, header, torn = _rows(path.name, decode(data)[0].splitlines(), torn=False)
    table = np.array(rows, dtype=np.float64)
    text = "\n".join(header)
    said = ("the last line is cut off and was left out",) if torn else ()
    if THETA.search(text) and not TWO_THETA.search(text):
        said = (*said, "the first column is named theta and taken as 2 theta; were it theta, no line would be found")
    radiation = _radiation(path.name, text)
    if radiation is not None and radiation.kalpha2_nm is None:
        said = (
            *said,
            f"the header has K-alpha 1 alone ({radiation.kalpha1_nm:.6g} nm), so lines are taken as single, as behind "
            "a monochromator; were K-alpha 2 there, sizes would be too small and the zero 0.03 degrees off",
        )
    factor, sigma = np.ones(len(table)), None
    if table.shape[1] == 3:
        if path.suffix.lower() == ".xye" or ERRORS.search(text):
            sigma = table[:, 2]
        elif "*RAS" in text:
            factor = table[:, 2]
        else:
            said = (*said, "a third column without a name that tells what it is was left out")
    if sigma is not None and not (sigma > 0).any():
        sigma, said = None, (*said, "the column of errors holds none above 0 and was left out")
    if not (factor > 0).all():
        raise CorruptFile(f"{path.name}: an attenuator factor that is not above 0")
    return Scan(table[:, 0], table[:, 1] * factor, factor, radiation, sigma, said=said)


def _rows(name: str, lines: Sequence[str], *, torn: bool) -> tuple[list[Row], list[str], bool]:
    """Rows of numbers, the lines above them, and whether the last line was cut off. torn: it may be."""
    if (named := named_columns(lines)) is not None:
        lines = _only(lines, *named)
    filled = [(place, line.strip()) for place, line in enumerate(lines, 1) if line.strip()]
    separator, comma = _way_of_writing([line for _, line in filled if not line.startswith(COMMENT)])
    rows: list[Row] = []
    header: list[str] = []
    cut = False
    for order, (place, line) in enumerate(filled):
        row = None if line.startswith(COMMENT) else _numbers(line, separator, comma)
        if row is None:
            if not rows or line.startswith(COMMENT):
                header.append(line)
                continue
            if order == len(filled) - 1:
                cut = True
                break
            raise InputError(f"{name}:{place}: no numbers in the middle of the data: {line[:40]!r}")
        if rows and len(row) != len(rows[0]):
            if order == len(filled) - 1:
                cut = True
                break
            if len(rows) > LEAST_SAMPLE:
                raise InputError(f"{name}:{place}: {len(row)} columns where the lines above have {len(rows[0])}")
            header.extend(map(str, rows))
            rows = []
        rows.append(row)
    if not rows:
        raise CorruptFile(f"{name}: no two columns of numbers; angle and counts are needed")
    if len(rows[0]) > 3:
        raise UnsupportedFormat(f"{name}: {len(rows[0])} columns; export one pattern: angle, counts and at most errors")
    return rows, header, cut and not torn


def named_columns(lines: Sequence[str]) -> tuple[int, list[int]] | None:
    """The line that names three columns or more, an angle and an intensity among them, and the places of these and of
    the errors; None where there is no such line, or where angle and intensity are the first two of three.

    >>> named_columns(["[Scan points]", "Angle,TimePerStep,Intensity,ESD", "25.0,45.7,209,14.5"])
    (1, [0, 2, 3])
    """
    for place, line in enumerate(lines[:MOST_HEADER]):
        cells = [cell.strip().strip('"') for cell in CELLS.split(line.lstrip("#").strip())]
        angle = next((at for at, cell in enumerate(cells) if TWO_THETA.search(cell) or ANGLE.search(cell)), None)
        counts = next((at for at, cell in enumerate(cells) if at != angle and INTENSITY.search(cell)), None)
        errors = [at for at, cell in enumerate(cells) if ERRORS.search(cell)]
        if len(cells) < 3 or angle is None or counts is None or any(_is_number(cell) for cell in cells):
            continue
        if len(cells) == 3 and (angle, counts) == (0, 1):
            return None
        return place, [angle, counts, *errors[:1]]
    return None


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _only(lines: Sequence[str], place: int, columns: Sequence[int]) -> list[str]:
    """The same lines with only some columns below the line that names them, parted by tabulators."""
    split = next(one for one in ("\t", ";", ",") if one in lines[place])

    def shortened(line: str) -> str:
        cells = line.rstrip("\r\n").split(split)
        return "\t".join(cells[at] for at in columns) if len(cells) > max(columns) else line

    return [line if at < place else shortened(line) for at, line in enumerate(lines)]


def _way_of_writing(lines: Sequence[str]) -> tuple[str | None, bool]:
    """What parts the columns, and whether decimals are written with a comma: what reads the most lines as numbers.

    >>> _way_of_writing(["31,50;12", "31,52;14"]), _way_of_writing(["31.50, 12"]), _way_of_writing(["31,5 12,0"])
    ((';', True), (',', False), (None, True))
    """
    step = max(1, len(lines) // MOST_SAMPLE)
    sample = lines[::step]
    best: tuple[str | None, bool] = (None, False)
    most = 0
    for separator in SEPARATORS:
        for comma in (False, True):
            if comma and separator == ",":
                continue
            read = sum((row := _numbers(line, separator, comma)) is not None and len(row) <= 3 for line in sample)
            if read > most:
                best, most = (separator, comma), read
    return best if most else (",", False)


def _numbers(line: str, separator: str | None, comma: bool) -> Row | None:
    fields = [field.strip().strip('"') for field in line.split(separator)]
    while fields and not fields[-1]:
        fields.pop()
    if len(fields) < 2:
        return None
    try:
        return tuple(float(field.replace(",", ".") if comma else field) for field in fields)
    except ValueError:
        return None


def _radiation(name: str, text: str) -> Radiation | None:
    found = {
        which: float(value.replace(",", ".")) * NM_PER_ANGSTROM for which, value in ALPHA.findall(RATIO.sub("", text))
    }
    first = found.get("1")
    if first is None or not LOWEST_nm < first < HIGHEST_nm:
        return None
    second = found.get("2")
    return stated(first, second if second and 1 <= second / first < 1.01 else None, None, f"stated in {name}")


def swapped(first: np.ndarray, second: np.ndarray) -> bool:
    """Whether the second column looks like the angles of a scan, and the first does not.

    >>> swapped(np.array([120.0, 118.0, 125.0]), np.array([20.0, 20.02, 20.04]))
    True
    """
    ascending = all(b > a for a, b in pairwise(second.tolist()))
    within = bool(second.min() > 0 and second.max() < LAST_deg)
    return ascending and within and not bool((np.diff(first) > 0).all())
