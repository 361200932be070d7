"""What is shipped and can stand wherever a file can: list it, copy it, to begin something of one's own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from interlith.errors import InputError, did_you_mean
from interlith.findings import replace_file, writing
from interlith.written import File, shipped, shipped_file, table_of

KINDS = {  # what it is -> the command that takes it, where it lies, how its name begins there
    "study": ("run", "interlith.studies", ""),
    "sweep": ("sweep", "interlith.studies.sweeps", ""),
    "surfaces": ("screen", "interlith.surface", ""),
    "recipe": ("coat", "interlith.coating", ""),
    "deposition": ("deposit", "interlith.deposit", ""),
    "cell": ("design", "interlith.pouch", ""),
    "fit": ("simulate --calibrate", "interlith.cell.inference", "fit-"),
    "rivals": ("simulate --discriminate", "interlith.cell.inference", "rivals-"),
}
SYNTHETIC = "synthetic"


@dataclass(frozen=True)
class Example:
    """One shipped file. command: what takes it, with its name."""

    name: str
    kind: str
    title: str
    command: str


def examples() -> list[Example]:
    """Every shipped file, those of studies first.

    >>> [one.name for one in examples()][:3]
    ['li-cu', 'my-host', 'reference']
    """
    found = []
    for kind, (command, package, prefix) in KINDS.items():
        for name in shipped(package, prefix):
            title = str(table_of(shipped_file(name, package, prefix)).get("title", ""))
            found.append(Example(name, kind, title, f"interlith {command} {name}"))
    title = "cycler files of known truth, made by a bookkeeping rule"
    return [*found, Example(SYNTHETIC, "cycler files", title, f"interlith analyze {SYNTHETIC}")]


def copy(name: str, folder: Path, kind: str | None = None) -> Path:
    """Copy a shipped file into a folder, and give its path. kind: where a name is that of several.

    Raises InputError for an unknown name, one of several kinds, and a file that is there already.
    """
    known = [one for one in examples() if one.kind in KINDS]
    meant = [one for one in known if one.name == name and kind in (None, one.kind)]
    if not meant:
        hint = did_you_mean(name, [one.name for one in known])
        of = "" if kind is None else f" of kind {kind}"
        raise InputError(f"{name}: no shipped file{of}.{hint} interlith examples lists them")
    one = meant[0]  # a study before all else
    file = _file(one)
    path = folder / f"{one.name}.toml"
    if path.exists():
        raise InputError(f"{path}: is there already, and stays")
    with writing(folder):
        replace_file(path, file.text.encode())
    return path


def _file(one: Example) -> File:
    _, package, prefix = KINDS[one.kind]
    return shipped_file(one.name, package, prefix)
