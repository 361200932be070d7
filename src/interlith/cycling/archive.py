"""A look into a zip archive before any library unpacks it: sizes, ratio, count, names, checksums."""

from __future__ import annotations

import contextlib
import zipfile
from collections.abc import Iterator
from pathlib import Path

from interlith.errors import CorruptFile

MOST_ENTRIES = 2000
MOST_BYTES = 4 * 1024**3
MOST_RATIO = 60
FREE_BYTES = 48 * 1024**2  # below this, any ratio is harmless
CHUNK = 1024**2


def check_archive(path: Path) -> None:
    """Raises CorruptFile for an archive that is damaged, lies about its sizes, or would unpack to something huge."""
    check_listing(path)
    check_members(path)


def check_listing(path: Path) -> None:
    """The sizes, the ratio, the count and the names that an archive states; nothing is unpacked."""
    with _opened(path) as archive:
        _check_listing(path, archive.infolist())


def check_members(path: Path) -> None:
    """Every member unpacked once in pieces and thrown away: a wrong checksum or a hidden size is found here."""
    with _opened(path) as archive:
        for entry in archive.infolist():
            _check_entry(path, archive, entry)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except CorruptFile:
        raise
    except Exception as problem:  # libraries put other decompressors, with other errors, in the place of zlib
        raise CorruptFile(f"{path.name}: damaged zip archive ({problem})") from problem


def _check_listing(path: Path, entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > MOST_ENTRIES:
        raise CorruptFile(f"{path.name}: {len(entries)} files inside; at most {MOST_ENTRIES} are unpacked")
    total = sum(entry.file_size for entry in entries)
    ratio = total / max(path.stat().st_size, 1)
    if total > MOST_BYTES or (total > FREE_BYTES and ratio > MOST_RATIO):
        raise CorruptFile(
            f"{path.name}: would unpack to {total / 1e6:.0f} MB, {ratio:.0f} times its size; at most "
            f"{MOST_RATIO} times or {FREE_BYTES / 1e6:.0f} MB is accepted"
        )
    for entry in entries:
        parts = entry.filename.replace("\\", "/").split("/")
        if ".." in parts or entry.filename.startswith(("/", "\\")) or ":" in parts[0]:
            raise CorruptFile(f"{path.name}: a file inside wants to be unpacked elsewhere ({entry.filename!r})")


def _check_entry(path: Path, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    if entry.flag_bits & 0x1:
        raise CorruptFile(f"{path.name}: {entry.filename} is encrypted")
    with archive.open(entry) as stream:
        n = 0
        while piece := stream.read(CHUNK):
            n += len(piece)
            if n > entry.file_size:
                raise CorruptFile(f"{path.name}: {entry.filename} is larger than it says")
