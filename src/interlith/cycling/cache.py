"""Records already read, kept by content: the same bytes read the same way are never read twice.

A folder of BDF Parquet files, each with its checksum beside it: Parquet itself does not notice a flipped bit. A damaged
or foreign one is deleted and read anew; without a writable folder there is no cache, and nothing else changes.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
import zlib
from pathlib import Path
from typing import Any

import polars as pl

from interlith import __version__
from interlith.errors import CorruptFile
from interlith.folders import cache_folder
from interlith.record import Record, read_record, write_record
from interlith.units import SECONDS_PER_DAY

MOST_BYTES = 4 * 1024**3
PIECE = 1024**2
LEFT_BEHIND_S = SECONDS_PER_DAY  # an unfinished file this old was left by a process that was killed


def folder() -> Path:
    """Where the cache lies: $INTERLITH_CACHE, else the system's folder for caches, else nowhere (no home folder)."""
    if chosen := os.environ.get("INTERLITH_CACHE"):
        return Path(chosen)
    return cache_folder("records") or Path(os.devnull) / "nowhere"


def sha256(path: Path) -> str:
    """Checksum of a file's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while piece := stream.read(PIECE):
            digest.update(piece)
    return digest.hexdigest()


def place(content: str, how: dict[str, Any]) -> Path:
    """The cache file of these bytes read in this way by this version."""
    key = hashlib.sha256(json.dumps([content, how, __version__], sort_keys=True).encode()).hexdigest()
    return folder() / key[:2] / f"{key}.bdf.parquet"


def load(where: Path) -> Record | None:
    """The cached record, or None."""
    try:
        if not where.is_file():
            return None
        record = read_record(where) if _checksum(where) == _beside(where).read_text() else None
    except (CorruptFile, OSError, UnicodeDecodeError):
        record = None
    with contextlib.suppress(OSError):
        os.utime(where) if record else where.unlink()
    return record


def store(record: Record, where: Path) -> None:
    """Keep a record; silently not, where the folder cannot be written or what was read lies in other files too."""
    if any(flag.code == "current_from_settings" for flag in record.flags):
        return
    own = where.with_name(f"{where.name}.{os.getpid()}")  # no other process writes this one
    try:
        where.parent.mkdir(parents=True, exist_ok=True)
        write_record(record, own, compression="lz4")
        replace_text(_beside(where), _checksum(own))
        own.replace(where)
        prune(folder())
    except (OSError, pl.exceptions.PolarsError):
        for left in where.parent.glob(f"{own.name}*"):
            with contextlib.suppress(OSError):
                left.unlink()


def prune(root: Path, most_bytes: int = MOST_BYTES) -> None:
    """Delete what was used longest ago until the cache is below its limit, and what killed processes left behind."""
    files = [(path.stat().st_mtime, path.stat().st_size, path) for path in root.glob("*/*.parquet*")]
    excess = sum(size for _, size, _ in files) - most_bytes
    forgotten = time.time() - LEFT_BEHIND_S
    for used, size, path in sorted(files):
        left_behind = path.suffix != ".parquet" and used < forgotten
        if excess <= 0 and not left_behind:
            continue
        with contextlib.suppress(OSError):
            path.unlink()
            _beside(path).unlink(missing_ok=True)
            excess -= size


def _beside(where: Path) -> Path:
    return where.with_name(f"{where.name.partition('.')[0]}.crc32")


def _checksum(path: Path) -> str:
    checksum = 0
    with path.open("rb") as stream:
        while piece := stream.read(PIECE):
            checksum = zlib.crc32(piece, checksum)
    return f"{checksum:08x}"


def replace_text(path: Path, text: str) -> None:
    """Write a small file so that it is either the old one or the whole new one."""
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    partial.write_text(text)
    partial.replace(path)
