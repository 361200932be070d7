"""The answer, as a folder: findings.json, tables/*.parquet and *.csv, later the figures and the page beside them.

A Finding is one file's or one cell's part: a name, a summary that is plain JSON, and tables. Whoever reads a folder of
findings needs nothing else.
"""

from __future__ import annotations

import contextlib
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from interlith import __version__
from interlith.errors import EnvironmentError_


@dataclass(frozen=True)
class Finding:
    """What was found about one thing. `summary`: plain JSON. `tables`: by name."""

    name: str
    summary: Mapping[str, Any]
    tables: Mapping[str, pl.DataFrame] = field(default_factory=dict)


@dataclass(frozen=True)
class Findings:
    """All findings of one run, with its title and what is the same for all (thresholds, versions)."""

    title: str
    items: tuple[Finding, ...]
    thresholds: tuple[Mapping[str, Any], ...] = ()
    warning: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The object of findings.json and of --json: title, version, files, thresholds."""
        head: dict[str, Any] = {"title": self.title, "interlith": __version__}
        if self.warning:
            head["warning"] = self.warning
        return {
            **head,
            "files": [plain(item.summary) for item in self.items],
            "thresholds": plain(list(self.thresholds)),
        }


def plain(value: Any) -> Any:
    """Only what JSON has: numbers that are not finite become null, tuples lists, paths text.

    >>> plain({"a": (1, float("nan"))})
    {'a': [1, None]}
    """
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str):  # a file name need not be text
        return value.encode("utf-8", "backslashreplace").decode()
    if value is None or isinstance(value, (bool, int)):
        return value
    if hasattr(value, "item"):
        return plain(value.item())
    return str(value)


def safe_name(text: str) -> str:
    """A file name of letters, digits, '.', '_' and '-' that says what `text` says.

    >>> safe_name("cell 07/é.ndax")
    'cell_07_.ndax'
    """
    return re.sub(r"[^A-Za-z0-9._-]+", "_", text).strip("_") or "unnamed"


def write(findings: Findings, folder: Path) -> None:
    """Write findings.json and the tables. Files are replaced whole; raises EnvironmentError_ when that cannot be."""
    with writing(folder):
        for item in findings.items:
            write_tables(item, folder)
        replace_file(folder / "findings.json", json.dumps(findings.as_json(), indent=1, ensure_ascii=False).encode())


def write_tables(item: Finding, folder: Path) -> None:
    """Write one finding's tables as CSV and Parquet into folder/tables."""
    with writing(folder / "tables") as tables:
        for name, table in item.tables.items():
            stem = f"{item.name}.{name}"
            replace_file(tables / f"{stem}.csv", table.write_csv().encode())
            replace_parquet(tables / f"{stem}.parquet", table)


@contextlib.contextmanager
def writing(folder: Path) -> Iterator[Path]:
    """A folder that exists, and EnvironmentError_ instead of OSError for all that is written in the block."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield folder
    except OSError as problem:
        raise EnvironmentError_(f"{folder}: cannot be written ({problem.strerror or problem})") from problem
    except pl.exceptions.ComputeError as problem:  # what polars makes of a full disk
        if "No space left" not in str(problem) and "os error" not in str(problem):
            raise
        raise EnvironmentError_(f"{folder}: cannot be written ({str(problem).splitlines()[0]})") from problem


def replace_file(path: Path, data: bytes) -> None:
    """Write a file so that it is either the old one or the whole new one."""
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(data)
    partial.replace(path)


def replace_parquet(path: Path, table: pl.DataFrame) -> None:
    """The same for a table."""
    partial = path.with_name(path.name + ".partial")
    table.write_parquet(partial)
    partial.replace(path)
