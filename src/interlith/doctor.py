"""What interlith finds around it: versions, extras, caches, cores; and whether a run's folder holds what it says."""

from __future__ import annotations

import importlib.util
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from interlith.folders import chosen_folder
from interlith.study_run import versions

EXTRAS = {  # extra -> a module of it
    "neware": "fastnda",
    "excel": "xlsxwriter",
    "biologic": "yadg",
    "pybamm": "pybamm",
    "fields": "zarr",
    "gpu": "numba_cuda",
    "scale": "distributed",
    "surface": "chgnet",
    "dft": "gpaw",
}


@dataclass(frozen=True)
class Found:
    """One thing that was looked at. is_well: None where it is nobody's need."""

    what: str
    told: str
    is_well: bool | None


def examine() -> list[Found]:
    """Versions, cores, extras and the folder of caches.

    >>> examine()[0].what
    'interlith'
    """
    found = [Found(name, told, True) for name, told in versions().items()]
    found.append(Found("cores", str(os.cpu_count() or "not known"), True))
    for extra, module in EXTRAS.items():
        has = importlib.util.find_spec(module) is not None
        found.append(Found(f"extra {extra}", "installed" if has else f"pip install 'interlith[{extra}]'", has or None))
    return [*found, _cache()]


def _cache() -> Found:
    folder = chosen_folder("doctor")
    if folder is None:
        return Found("caches", "no home folder; INTERLITH_CACHE can name one", False)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return Found("caches", str(folder.parent), True)
    except OSError as problem:
        return Found("caches", f"{folder.parent}: cannot be written ({problem.strerror})", False)


def check_run(folder: Path) -> list[Found]:
    """Every blob of a run hashed anew, and every unit held against its blobs. Raises InputError for no run."""
    from interlith.store_verify import verify

    seen = verify(folder)
    told = f"{seen.n_units} units, {seen.n_blobs} blobs, {seen.n_orphans} left over"
    return [Found(str(folder), told, not seen.problems), *(Found("problem", text, False) for text in seen.problems)]
