"""Blobs: bytes under the name that is their sha256, each whole or not at all; findings and JSON as such bytes."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import re
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from interlith.errors import InputError
from interlith.findings import Finding, plain

BLOBS, PARTIAL = "blobs", ".partial"
SHA256 = re.compile("[0-9a-f]{64}")


def blob_path(blobs: Path, sha: str) -> Path:
    """Where the bytes of a hash lie. Raises InputError for what is no hash."""
    if not SHA256.fullmatch(sha):
        raise InputError(f"{sha!r} is no sha256: 64 of the digits 0-9 and a-f")
    return blobs / sha[:2] / sha[2:]


def shown(sha: str) -> str:
    """The place of a hash as people read it."""
    return f"{BLOBS}/{sha[:2]}/{sha[2:]}"


def blob_files(blobs: Path) -> list[Path]:
    """Every blob below a folder, in order."""
    return sorted(path for path in blobs.glob("??/*") if SHA256.fullmatch(path.parent.name + path.name))


def prepare_blobs(blobs: Path) -> None:
    """Make the folder, and remove what a killed process left half written."""
    blobs.mkdir(exist_ok=True)
    for left in blobs.glob(f"??/*{PARTIAL}"):
        left.unlink(missing_ok=True)
    sync_directory(blobs)


def write_blobs(blobs: Path, datas: Mapping[str, bytes]) -> None:
    """Each whole or not at all, under its name and on the disk when this returns."""
    partials: dict[Path, Path] = {}
    directories: dict[Path, None] = {}
    try:
        for sha, data in datas.items():
            path = blob_path(blobs, sha)
            directories[path.parent] = None  # even where the blob is there: a killed process may not have synced
            if _holds(path, data):
                continue
            if not path.parent.is_dir():
                path.parent.mkdir(exist_ok=True)
                directories[blobs] = None
            partial = path.with_name(secrets.token_hex(8) + PARTIAL)
            partials[partial] = path
            with partial.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        for partial, path in partials.items():
            partial.replace(path)
        for directory in directories:
            sync_directory(directory)
    finally:
        for partial in partials:
            partial.unlink(missing_ok=True)


def _holds(path: Path, data: bytes) -> bool:
    """Compared byte by byte, so that to put it again mends a blob that was changed on disk."""
    try:
        return path.stat().st_size == len(data) and path.read_bytes() == data
    except FileNotFoundError:
        return False


def sync_directory(directory: Path) -> None:
    """On the disk: what was made or renamed in a directory."""
    if sys.platform == "win32":  # a directory cannot be opened there
        return
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as problem:
        if problem.errno not in (errno.EINVAL, errno.ENOTSUP):  # some file systems know no sync of a directory
            raise
    finally:
        os.close(handle)


def what_is_wrong(path: Path) -> str:
    """Nothing for a blob that is what its name says."""
    try:
        with path.open("rb") as file:
            same = hashlib.file_digest(file, "sha256").hexdigest() == path.parent.name + path.name
    except OSError as problem:
        return f"cannot be read ({problem.strerror or problem})"
    return "" if same else "changed on disk"


def blobs_of(finding: Finding) -> list[bytes]:
    """The Parquet of each table, then the JSON that names them, in the order of the summary: people read it."""
    tables = [_as_parquet(table) for table in finding.tables.values()]
    hashes = (hashlib.sha256(table).hexdigest() for table in tables)
    held = {
        "name": finding.name,
        "summary": plain(finding.summary),
        "tables": dict(zip(finding.tables, hashes, strict=True)),
    }
    return [*tables, as_json(held, finding.name, is_sorted=False).encode()]


def _as_parquet(table: pl.DataFrame) -> bytes:
    """Equal bytes for equal tables: how a table was put together and how many threads write it play no part."""
    buffer = io.BytesIO()
    table.rechunk().write_parquet(
        buffer, compression="zstd", compression_level=3, statistics=True, row_group_size=1 << 18
    )
    return buffer.getvalue()


def finding_in(data: bytes) -> dict[str, Any] | None:
    """What `blobs_of` made of a finding, its tables by their hashes; None for other bytes."""
    if not data.startswith(b'{"name":'):
        return None
    try:
        held = json.loads(data)
    except ValueError:
        return None
    is_one = set(held) == {"name", "summary", "tables"} and isinstance(held["tables"], dict)
    return held if is_one else None


def as_json(value: Any, what: str, is_sorted: bool = True) -> str:
    """Compact JSON, the same for equal values. Raises InputError for what JSON does not have."""
    try:
        return json.dumps(value, sort_keys=is_sorted, separators=(",", ":"), allow_nan=False, default=_as_dict)
    except (TypeError, ValueError) as problem:
        raise InputError(f"{what}: not plain JSON ({problem})") from problem


def _as_dict(value: Any) -> dict[str, Any]:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is none of its types")
