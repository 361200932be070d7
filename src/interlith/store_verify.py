"""Whether the folder of a run still holds what it says: every blob is hashed anew, and nothing is changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from interlith.blobs import finding_in, shown
from interlith.errors import CorruptFile
from interlith.store import MANIFEST, Store, Unit, read_store


@dataclass(frozen=True)
class Verified:
    """What `verify` counted. Orphans are blobs that nothing refers to; a kill leaves them, and they harm nobody."""

    n_units: int
    n_blobs: int
    n_orphans: int
    problems: tuple[str, ...]


def verify(folder: Path) -> Verified:
    """Whether a run folder still holds what it says: reads every blob, changes nothing.

    `problems` says which unit needs a blob that is missing or changed, and what SQLite finds wrong in the manifest.
    """
    problems: list[str] = []
    needs: list[tuple[str, str]] = []
    units: list[Unit] = []
    with read_store(folder) as store:
        try:
            problems += [f"{MANIFEST}: {harm}" for harm in store.harm_of_manifest()]
            units = store.units()
            needs = [(f"run {run['id']}, its study", run["study_sha256"]) for run in store.history()]
        except CorruptFile as problem:
            problems.append(str(problem))
        wrong = store.harm_of_blobs()
        for unit in units:
            needs += _needs_of(store, f"{unit.name} (key {unit.key[:12]})", unit.blob, wrong)
    needed = {sha for _, sha in needs}
    problems += [f"{who}: needs {shown(sha)}: {wrong.get(sha, 'missing')}" for who, sha in needs if wrong.get(sha, "?")]
    problems += [f"{shown(sha)}: {fault}" for sha, fault in wrong.items() if fault and sha not in needed]
    inputs = {sha for unit in units for sha in unit.inputs.values()}
    return Verified(len(units), len(wrong), len(wrong.keys() - needed - inputs), tuple(problems))


def _needs_of(store: Store, who: str, blob: str | None, wrong: Mapping[str, str]) -> list[tuple[str, str]]:
    if blob is None:
        return []
    held = None if wrong.get(blob, "missing") else finding_in(store.get(blob))
    tables = held["tables"] if held else {}
    return [(who, blob), *((f"{who}, table {name}", sha) for name, sha in tables.items())]
