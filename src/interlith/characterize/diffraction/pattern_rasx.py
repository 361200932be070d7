"""Rigaku .rasx: a zip file with the profile as text and the conditions as XML."""

from __future__ import annotations

import contextlib
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from interlith.characterize.diffraction.radiation import NM_PER_ANGSTROM, HIGHEST_nm, LOWEST_nm, Radiation, stated
from interlith.characterize.diffraction.safe_xml import number, parsed
from interlith.characterize.diffraction.scan import Scan
from interlith.errors import CorruptFile, UnsupportedFormat

PROFILE = re.compile(r"(?:^|/)Data(\d+)/Profile\d+\.txt$")
MOST_ENTRIES, MOST_BYTES = 500, 64 * 1024**2


def is_rasx(path: Path) -> bool:
    """Whether a file is a zip file that holds a profile of SmartLab Studio; nothing is unpacked."""
    try:
        with path.open("rb") as stream:
            if stream.read(4) != b"PK\x03\x04":
                return False
        with zipfile.ZipFile(path) as archive:
            return any(PROFILE.search(name) for name in archive.namelist())
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError):
        return path.suffix.lower() == ".rasx"  # damaged: the reader says how


def read_rasx(path: Path) -> Scan:
    """The scan: angle, counts and attenuator of each point, wavelengths from the conditions.

    Counts are multiplied by the attenuator's factor. Raises CorruptFile for an archive that is damaged, cut off, lacks
    the profile or would unpack to something huge, UnsupportedFormat for several scans in one file.
    """
    with _opened(path) as archive:
        names = _checked_names(path, archive)
        profiles = [name for name in names if PROFILE.search(name)]
        if not profiles:
            raise CorruptFile(f"{path.name}: no profile inside (Data0/Profile0.txt); holds {', '.join(names[:5])}")
        if len(profiles) > 1:
            raise UnsupportedFormat(f"{path.name}: {len(profiles)} scans in one file; export the one you mean alone")
        rows = _rows(path.name, _member(path, archive, profiles[0]))
        folder = profiles[0].rpartition("/")[0]
        conditions = [name for name in names if name.startswith(f"{folder}/") and name.lower().endswith(".xml")]
        radiation: Radiation | None = None
        said: tuple[str, ...] = ()
        if conditions:
            radiation, said = _radiation(path.name, _member(path, archive, conditions[0]))
    attenuated = rows[:, 2] != 1
    if attenuated.any():
        said = (*said, f"{int(attenuated.sum())} points were counted through an attenuator; its factor is applied")
    return Scan(rows[:, 0], rows[:, 1] * rows[:, 2], rows[:, 2], radiation, None, claims_counts=True, said=said)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (CorruptFile, UnsupportedFormat):
        raise
    except Exception as problem:  # zlib, struct and zipfile each have their own
        raise CorruptFile(f"{path.name}: damaged or cut off zip file ({problem})") from problem


def _checked_names(path: Path, archive: zipfile.ZipFile) -> list[str]:
    entries = archive.infolist()
    if len(entries) > MOST_ENTRIES:
        raise CorruptFile(f"{path.name}: {len(entries)} files inside; a measurement has a few")
    for entry in entries:
        parts = entry.filename.replace("\\", "/").split("/")
        if ".." in parts or entry.filename.startswith(("/", "\\")) or ":" in parts[0]:
            raise CorruptFile(f"{path.name}: a file inside wants to be unpacked elsewhere ({entry.filename!r})")
    return [entry.filename for entry in entries]


def _member(path: Path, archive: zipfile.ZipFile, name: str) -> bytes:
    entry = archive.getinfo(name)
    if entry.flag_bits & 0x1:
        raise CorruptFile(f"{path.name}: {name} is encrypted")
    with archive.open(entry) as stream:
        data = stream.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise CorruptFile(f"{path.name}: {name} unpacks to more than {MOST_BYTES // 1024**2} MB; not a pattern")
    return data


def _rows(name: str, data: bytes) -> np.ndarray:
    text = data.decode("utf-8-sig", errors="replace")
    rows = [line.split() for line in text.splitlines() if line.strip()]
    if not rows:
        raise CorruptFile(f"{name}: the profile inside is empty")
    width = len(rows[0])
    wrong = next((place for place, row in enumerate(rows, 1) if len(row) != width or width not in (2, 3)), None)
    if wrong is not None:
        raise CorruptFile(f"{name}: line {wrong} of the profile has {len(rows[wrong - 1])} columns; 2 or 3 are written")
    try:
        table = np.array(rows, dtype=np.float64)
    except ValueError as problem:
        raise CorruptFile(f"{name}: the profile holds what is no number ({problem})") from problem
    if width == 2:
        table = np.column_stack([table, np.ones(len(table))])
    if not (table[:, 2] > 0).all():
        raise CorruptFile(f"{name}: an attenuator factor that is not above 0")
    return table


def _radiation(name: str, data: bytes) -> tuple[Radiation | None, tuple[str, ...]]:
    root = parsed(data, name)
    first, second = number(root, "WavelengthKalpha1"), number(root, "WavelengthKalpha2")
    if first is None or not LOWEST_nm < first * NM_PER_ANGSTROM < HIGHEST_nm:
        return None, ("the file states no wavelength that an X-ray tube gives",)
    alpha2 = None if second is None or not 1 <= second / first < 1.01 else second * NM_PER_ANGSTROM
    return stated(first * NM_PER_ANGSTROM, alpha2, None, f"stated in {name}"), ()
