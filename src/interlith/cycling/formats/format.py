"""What a reader is: one `Format` row that says what it reads, how it is recognized, and what it needs."""

from __future__ import annotations

import importlib.util
import shutil
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import polars as pl

from interlith.errors import InputError
from interlith.record import Flag

HEAD_BYTES = 65536


@dataclass(frozen=True)
class Head:
    """The beginning of a file: enough to recognize it, never the whole of it."""

    path: Path

    @cached_property
    def data(self) -> bytes:
        with self.path.open("rb") as stream:
            return stream.read(HEAD_BYTES)

    @cached_property
    def text(self) -> str:
        """The beginning as text, "" when it is binary. Universal newlines, no byte order mark."""
        from interlith.text_file import decode, looks_binary

        return "" if looks_binary(self.data) else decode(self.data)[0]

    @cached_property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    @cached_property
    def members(self) -> tuple[str, ...]:
        """Names inside a zip archive; () when it is none."""
        if not self.data.startswith(b"PK"):
            return ()
        try:
            with zipfile.ZipFile(self.path) as archive:
                return tuple(archive.namelist())
        except (zipfile.BadZipFile, OSError, ValueError):
            return ()

    @property
    def suffix(self) -> str:
        return self.path.suffix.lower()


@dataclass(frozen=True)
class ReadOptions:
    """What a person can add to a file that does not say enough. None and empty mean: not given.

    columns: record column -> header in the file, with an optional unit after a colon ("I:mA").
    current_mA: the constant current of a file without a current column. settings: an EC-Lab .mps file.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    current_mA: float | None = None
    settings: Path | None = None


@dataclass(frozen=True)
class Raw:
    """What a reader gives back: columns of a record (any order, any numeric type), not yet cleaned.

    Readers convert units and signs, and nothing else: no rows dropped, no sorting, no smoothing. What they had to
    decide or could not read becomes a Flag. `area_cm2`, `active_mass_mg`: only when the file states them.
    """

    table: pl.DataFrame
    instrument: str | None = None
    flags: tuple[Flag, ...] = ()
    notes: tuple[str, ...] = ()
    area_cm2: float | None = None
    active_mass_mg: float | None = None


@dataclass(frozen=True)
class Format:
    """One row of the table of formats.

    recognize(head) answers from the content; suffixes only break ties and name what a damaged file was meant to be.
    modules: import names, any one of which is enough; program: an executable it calls.
    isolated: it hands the file to a library or program that is not ours, so it runs in a child process with limits.
    """

    name: str
    title: str
    suffixes: tuple[str, ...]
    recognize: Callable[[Head], bool]
    read: Callable[[Path, ReadOptions], Raw]
    modules: tuple[str, ...] = ()
    program: str | None = None
    extra: str | None = None
    isolated: bool = False
    experimental: bool = False

    def missing(self) -> str | None:
        """What must be installed before this can be read, as a sentence; None when all is there."""
        if self.modules and not any(importlib.util.find_spec(module) for module in self.modules):
            return f"needs {' or '.join(self.modules)}: pip install 'interlith[{self.extra}]'"
        if self.program and not shutil.which(self.program):
            return f"needs the program {self.program} (Debian: apt-get install mdbtools; macOS: brew install mdbtools)"
        return None


def columns_from(pairs: Sequence[str]) -> dict[str, str]:
    """Columns named by a person, COLUMN=HEADER each. Raises InputError for anything else.

    >>> columns_from(["current_ampere=I:mA"])
    {'current_ampere': 'I:mA'}
    """
    chosen = {}
    for pair in pairs:
        column, sign, header = pair.partition("=")
        if not sign or not header:
            raise InputError(f"--columns {pair}: write COLUMN=HEADER, e.g. --columns current_ampere=I:mA")
        chosen[column.strip()] = header.strip()
    return chosen
