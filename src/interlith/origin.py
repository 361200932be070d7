"""Whose the folder of a run is: from which file it was made, and that nothing of a person's own is written over."""

from __future__ import annotations

import os
from pathlib import Path

from interlith.errors import InputError
from interlith.store import MANIFEST, Store
from interlith.written import File, read_file

ORIGIN = "study"  # what the manifest calls it
OWN = ("study.toml", "sweep.toml", "findings.json", "report.html")  # files that a run writes over


def refuse_foreign(out: Path) -> None:
    """Refuse a folder that holds such files and is no run's. Raises InputError."""
    if not (out / MANIFEST).exists():
        for name in OWN:
            if (out / name).exists():
                raise InputError(f"{out}: holds a {name} that is no run's; give another --out")


def settle(file: File, store: Store, out: Path) -> None:
    """Note which file the folder is a run of. Raises InputError where it is another one's, that has the same name."""
    own = path_of(file)
    if own is not None and own.parent.resolve() == out.resolve():
        return  # the copy in the folder
    noted = origin(store, out)
    if noted is not None and noted.is_file() and (own is None or not own.samefile(noted)):
        raise InputError(f"{out}: holds the run of {noted}; give another --out")
    store.note(ORIGIN, "" if own is None else _from(out, own))


def origin(store: Store, out: Path) -> Path | None:
    """The file from which the folder was made, whether it is still there or not; None for a shipped one."""
    noted = store.noted(ORIGIN)
    return (out / noted).resolve() if noted else None


def path_of(file: File) -> Path | None:
    """Where a file lies; None for a shipped one."""
    path = file.folder / file.name
    return path if path.is_file() and read_file(path).text == file.text else None


def _from(out: Path, path: Path) -> str:
    """A path as seen from a folder, so that both can be moved together."""
    try:
        return Path(os.path.relpath(path.resolve(), out.resolve())).as_posix()
    except ValueError:  # another drive of Windows
        return path.resolve().as_posix()
