"""Records already read, kept by content: the same bytes read the same way are never read twice.

A folder of BDF Parquet files. A damaged or foreign one is deleted and read anew; without a writable folder there is
no cache, and nothing else changes.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any

from interlith import __version__
from interlith.errors import CorruptFile
from interlith.record import Record, read_record, write_record

MOST_BYTES = 4 * 1024**3
PIECE = 1024**2


def folder() -> Path:
    """Where the cache lies: $INTERLITH_CACHE, else the system's folder for caches."""
    if chosen := os.environ.get("INTERLITH_CACHE"):
        return Path(chosen)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "interlith" / "records"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "interlith" / "records"
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "interlith" / "records"


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
    if not where.is_file():
        return None
    try:
        record = read_record(where)
    except CorruptFile:
        with contextlib.suppress(OSError):
            where.unlink()
        return None
    with contextlib.suppress(OSError):
        os.utime(where)
    return record


def store(record: Record, where: Path) -> None:
    """Keep a record; silently not, where the folder cannot be written or what was read lies in other files too."""
    if any(flag.code == "current_from_settings" for flag in record.flags):
        return
    with contextlib.suppress(OSError):
        where.parent.mkdir(parents=True, exist_ok=True)
        write_record(record, where, compression="lz4")
        prune(folder())


def prune(root: Path, most_bytes: int = MOST_BYTES) -> None:
    """Delete what was used longest ago until the cache is below its limit."""
    files = [(path.stat().st_mtime, path.stat().st_size, path) for path in root.glob("*/*.parquet")]
    excess = sum(size for _, size, _ in files) - most_bytes
    for _, size, path in sorted(files):
        if excess <= 0:
            return
        with contextlib.suppress(OSError):
            path.unlink()
            excess -= size
