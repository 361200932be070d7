"""Diffraction patterns: recognized by what is in the file, read, and checked before anything is made of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from interlith.characterize.diffraction.pattern_rasx import is_rasx, read_rasx
from interlith.characterize.diffraction.pattern_text import looks_like_pattern, read_text_pattern, swapped
from interlith.characterize.diffraction.pattern_xrdml import is_xrdml, read_xrdml
from interlith.characterize.diffraction.radiation import COPPER, Radiation
from interlith.characterize.diffraction.scan import Floats, Scan
from interlith.errors import InputError, UnsupportedFormat

LEAST_POINTS, LEAST_SPAN_deg, MOST_POINTS = 50, 5.0, 200_000
HIGHEST_deg = 170.0
NOISE_BLOCKS = 40
SECOND_DIFFERENCE = 6.0  # variance of y[i-1] - 2 y[i] + y[i+1] over that of y: 1 + 4 + 1
POISSON_FROM, POISSON_TO = 0.6, 1.6  # scatter over that of counts, within which it is taken as counts
ASSUMED = "no wavelength is stated: copper K-alpha 1 and 2 is assumed"
FILE_DIFFERS = 1e-3  # part of a wavelength from which on it is another than the file's
BINARY = {".raw": "Bruker or Rigaku binary", ".brml": "Bruker", ".ras": "Rigaku"}


@dataclass(frozen=True)
class Pattern:
    """One theta-2theta scan.

    counts: as corrected for attenuators. variance_per_count: variance of a count over the count, for each point: the
    attenuator's factor where photons were counted. is_counts: whether the scatter is that of counted photons, so that
    chi2 means something; otherwise variance_per_count comes from the scatter of the data. said: what must be known.
    """

    name: str
    two_theta_deg: Floats
    counts: Floats
    variance_per_count: Floats
    is_counts: bool
    radiation: Radiation
    said: tuple[str, ...] = ()

    @property
    def step_deg(self) -> float:
        """The usual distance of two points."""
        return float(np.median(np.diff(self.two_theta_deg)))


def is_pattern(path: Path) -> bool:
    """Whether a file holds a diffraction pattern, by its content; cheap, and False for a file that cannot be opened."""
    try:
        return path.is_file() and (is_rasx(path) or is_xrdml(path) or looks_like_pattern(path))
    except OSError:
        return False


def read_pattern(path: Path) -> Pattern:
    """A pattern of a .rasx, .xrdml, .xy, .xye, .csv, .txt or text .ras file.

    Raises InputError for a file that is not there or whose numbers cannot be a pattern, UnsupportedFormat for a binary
    format, CorruptFile for a damaged one.
    """
    try:
        if not path.is_file():
            raise InputError(f"{path}: {'not a file' if path.exists() else 'no such file'}")
        return checked(path.name, _scan(path))
    except (OSError, RecursionError, OverflowError) as problem:
        raise InputError(f"{path}: cannot be read ({getattr(problem, 'strerror', None) or problem})") from problem


def _scan(path: Path) -> Scan:
    if is_rasx(path) or path.suffix.lower() == ".rasx":
        return read_rasx(path)
    if is_xrdml(path) or path.suffix.lower() == ".xrdml":
        return read_xrdml(path)
    with path.open("rb") as stream:
        head = stream.read(512)
    if b"\0" in head and path.suffix.lower() in BINARY and head[:2] not in (b"\xff\xfe", b"\xfe\xff"):
        kind = BINARY[path.suffix.lower()]
        raise UnsupportedFormat(f"{path.name}: {kind}, not read here; export the scan as .xy, .xrdml or .rasx")
    return read_text_pattern(path)


def pattern(name: str, two_theta_deg: Floats, counts: Floats, radiation: Radiation | None = None) -> Pattern:
    """A pattern from numbers that are already there, checked as one from a file.

    >>> one = pattern("flat", np.arange(20.0, 60.0, 0.02), np.random.default_rng(1).poisson(100.0, 2000))
    >>> one.is_counts, round(one.step_deg, 3)
    (True, 0.02)
    """
    angles, values = np.asarray(two_theta_deg, dtype=np.float64), np.asarray(counts, dtype=np.float64)
    if angles.ndim != 1 or angles.shape != values.shape:
        raise InputError(
            f"{name}: {angles.shape} angles and {values.shape} counts; two equally long columns are needed"
        )
    return checked(name, Scan(angles, values, np.ones(len(angles)), radiation))


def checked(name: str, scan: Scan) -> Pattern:
    """A scan whose numbers can be a pattern. Raises InputError that says in which row they cannot, and what to do."""
    angles, counts = scan.two_theta_deg, scan.counts
    _check_numbers(name, angles, counts)
    _check_angles(name, angles, counts)
    if counts.max() <= 0:
        raise InputError(f"{name}: all counts are 0")
    radiation, said = scan.radiation, list(scan.said)
    if radiation is None:
        radiation = COPPER
        said.append(ASSUMED)
    elif not radiation.is_copper:
        said.append(f"not a copper tube ({radiation.kalpha1_nm:.6g} nm): powder intensities are less exact")
    per_count, is_counts, words = _noise(name, scan)
    return Pattern(name, angles, counts, per_count, is_counts, radiation, (*said, *words))


def with_radiation(one: Pattern, radiation: Radiation) -> Pattern:
    """The same scan by another tube, and that said."""
    said = [word for word in one.said if word != ASSUMED and not word.startswith("not a copper tube")]
    if ASSUMED not in one.said and abs(radiation.kalpha1_nm / one.radiation.kalpha1_nm - 1) > FILE_DIFFERS:
        said.append(
            f"the file says {one.radiation.kalpha1_nm:.6g} nm; {radiation.kalpha1_nm:.6g} nm was given and used"
        )
    if not radiation.is_copper:
        said.append(f"not a copper tube ({radiation.kalpha1_nm:.6g} nm): powder intensities are less exact")
    return replace(one, radiation=radiation, said=tuple(said))


def _check_numbers(name: str, angles: Floats, counts: Floats) -> None:
    if len(angles) < LEAST_POINTS:
        raise InputError(f"{name}: {len(angles)} point{'s' * (len(angles) != 1)}; a pattern has {LEAST_POINTS} or more")
    if len(angles) > MOST_POINTS:
        raise InputError(f"{name}: {len(angles)} points; at most {MOST_POINTS} are read: add up neighbours first")
    for word, column in (("angle", angles), ("count", counts)):
        if not np.isfinite(column).all():
            raise InputError(f"{name}: row {int(np.argmin(np.isfinite(column))) + 1}: the {word} is not a number")
    if swapped(angles, counts):
        raise InputError(f"{name}: the columns are swapped: the second ascends evenly like angles, the first does not")


def _check_angles(name: str, angles: Floats, counts: Floats) -> None:
    steps = np.diff(angles)
    if not (steps > 0).all():
        row = int(np.argmin(steps > 0)) + 2
        whole = "the angles descend: turn the rows round" if (steps < 0).all() else "sort the rows, one scan in a file"
        raise InputError(f"{name}: row {row}: the angle {angles[row - 1]:g} is not above the one before it; {whole}")
    if angles[0] <= 0 or angles[-1] > HIGHEST_deg:
        raise InputError(
            f"{name}: angles from {angles[0]:g} to {angles[-1]:g}; 2 theta lies between 0 and {HIGHEST_deg:g} degrees"
        )
    if angles[-1] - angles[0] < LEAST_SPAN_deg:
        raise InputError(
            f"{name}: from {angles[0]:g} to {angles[-1]:g} degrees; a pattern spans {LEAST_SPAN_deg:g} or more. "
            "Are these q, d or radians instead of 2 theta?"
        )
    if counts.min() < 0:
        row = int(np.argmin(counts)) + 1
        raise InputError(
            f"{name}: row {row}: {counts[row - 1]:g} counts; negative ones come from subtracting the background. "
            "Export the raw scan: the background is fitted here, with its noise"
        )


def noise_per_count(counts: Floats) -> float:
    """Variance over mean from how neighbours scatter: 1 for photons, t^-1 for counts per second of t seconds.

    Second differences in blocks, the median of all blocks: lines, which few blocks hold, do not count.
    """
    bends = np.square(counts[:-2] - 2 * counts[1:-1] + counts[2:]) / SECOND_DIFFERENCE
    blocks = np.array_split(np.arange(len(bends)), min(NOISE_BLOCKS, max(len(bends) // 10, 1)))
    found = [bends[block].mean() / counts[block + 1].mean() for block in blocks if counts[block + 1].mean() > 0]
    return float(np.median(found)) if found else 0.0


def _noise(name: str, scan: Scan) -> tuple[Floats, bool, tuple[str, ...]]:
    """Variance over count of each point, whether photons explain it, and what is to be said about that."""
    counts = scan.counts
    if scan.sigma is not None:
        known = (counts > 0) & (scan.sigma > 0)
        if known.any():
            usual = float(np.median(scan.sigma[known] ** 2 / counts[known]))
            ratio = noise_per_count(counts) / usual
            fits = POISSON_FROM < ratio < POISSON_TO
            words = () if fits else (f"the scatter has {ratio:.2g} times the variance that the file states",)
            return np.full(len(counts), usual), fits, (*words, *(() if fits else (NOT_COUNTS,)))
    scatter = noise_per_count(counts / scan.factor)
    if POISSON_FROM < scatter < POISSON_TO:
        return scan.factor.copy(), True, ()
    if scatter <= 0:
        raise InputError(f"{name}: neighbours do not scatter at all; is this a calculated pattern? Counts scatter")
    told = f"intensities scatter {scatter:.2g} times as counted photons would"
    return scan.factor * scatter, False, (f"{told} (per second, normalized or smoothed?): {NOT_COUNTS}",)


NOT_COUNTS = "errors come from the scatter of the data, and chi2 says nothing about the fit"
