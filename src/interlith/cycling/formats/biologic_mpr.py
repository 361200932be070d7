"""BioLogic .mpr, by yadg, and by galvani where yadg fails (both GPL-3: imported only while reading).

Each reads files that the other refuses: yadg stumbles over some settings, galvani over new column numbers.
Electrode area and active mass in the settings are mostly what EC-Lab or the last user left there: a note, not a fact.
"""

from __future__ import annotations

import importlib.util
import json
import logging
import struct
from collections.abc import Callable
from datetime import UTC
from pathlib import Path
from typing import Any

import numpy as np

from interlith.cycling.formats.ec_lab import Columns, electrode_notes, record_table
from interlith.cycling.formats.format import Format, Head, Raw, ReadOptions
from interlith.errors import CorruptFile

MAGIC = b"BIO-LOGIC MODULAR FILE"
FIRST_MODULE, TITLE_BYTES, SHORT_NAME_BYTES = 52, 41, 10
NEW_STYLE = 0xFFFFFFFF
OLD_HEADER, NEW_HEADER = struct.Struct("<41xI12x"), struct.Struct("<41x4xI16x")


def recognize(head: Head) -> bool:
    """An .mpr begins with the words BIO-LOGIC MODULAR FILE."""
    return head.data.startswith(MAGIC)


def read(path: Path, options: ReadOptions) -> Raw:
    """All rows of an .mpr, time series and impedance points."""
    check_modules(path)
    columns, notes = _columns(path)
    table, flags = record_table(columns)
    return Raw(table=table, instrument="BioLogic", flags=flags, notes=(*notes, *electrode_notes(columns)))


def check_modules(path: Path) -> None:
    """Raises CorruptFile when the file ends inside one of its modules, or holds no data module.

    A module is "MODULE", its names, its length and its content; the libraries read a cut one differently.
    """
    data = path.read_bytes()
    place = FIRST_MODULE
    names: list[str] = []
    while place < len(data) and data[place:].strip(b"\0"):
        if data[place : place + 6] != b"MODULE" or len(data) < place + NEW_HEADER.size:
            raise CorruptFile(f"{path.name}: no module at byte {place}, where one should begin; damaged or cut off")
        name = data[place + 6 : place + 6 + SHORT_NAME_BYTES].decode("latin-1").strip()
        header = OLD_HEADER
        if OLD_HEADER.unpack_from(data, place)[0] == NEW_STYLE:
            header = NEW_HEADER
        begin, length = place + header.size, header.unpack_from(data, place)[0]
        place, names = begin + length, [*names, name]
        if place > len(data):
            raise CorruptFile(
                f"{path.name}: cut off: {len(data) - begin} of {length} bytes of the module {name!r} are there"
            )
    if "VMP data" not in names:
        raise CorruptFile(f"{path.name}: no data module; was the file copied before the measurement began?")


def _columns(path: Path) -> tuple[Columns, tuple[str, ...]]:
    ways: tuple[tuple[str, Callable[[Path], tuple[Columns, tuple[str, ...]]]], ...] = (
        ("yadg", _by_yadg),
        ("galvani", _by_galvani),
    )
    failures = []
    for library, way in ways:
        if importlib.util.find_spec(library) is None:
            continue
        try:
            columns, notes = way(path)
        except MemoryError:
            raise
        except Exception as problem:
            failures.append(f"{library} could not read it ({type(problem).__name__}: {str(problem)[:120]})")
        else:
            return columns, (f"read by {library}", *failures, *notes)
    raise CorruptFile(f"{path.name}: {'; '.join(failures)}; damaged, or a newer version of the format")


def _by_yadg(path: Path) -> tuple[Columns, tuple[str, ...]]:
    from yadg.extractors import extract

    logging.disable(logging.WARNING)
    try:
        tree = extract("eclab.mpr", str(path))
    finally:
        logging.disable(logging.NOTSET)
    said = json.loads(tree.attrs.get("original_metadata", "{}"))
    columns = {}
    for name, column in tree.to_dataset().variables.items():
        if column.dtype.kind in "fiub" and column.ndim == 1 and not str(name).endswith("_uncertainty"):
            columns[_header(str(name), column.attrs.get("units"))] = np.asarray(column.values, dtype=float)
    clock = columns.pop("uts/s", None)
    if clock is not None and said.get("log"):
        columns["uts"] = clock
    return columns, _setting_notes(said.get("settings") or {})


def _header(name: str, units: str | None) -> str:
    plain = {"control_I": "control", "Pwe": "P"}.get(name, name)
    return f"{plain}/{units}" if units else plain


def _setting_notes(settings: dict[str, Any]) -> tuple[str, ...]:
    area, mass = settings.get("electrode_area"), settings.get("active_material_mass")
    technique = settings.get("technique")
    notes = [f"technique {technique}"] if technique else []
    if area or mass:
        notes.append(f"settings, not used as facts: electrode area {area or 0:.4g} cm2, active mass {mass or 0:.4g} mg")
    return tuple(notes)


def _by_galvani(path: Path) -> tuple[Columns, tuple[str, ...]]:
    from galvani import BioLogic

    with path.open("rb") as stream:
        file = BioLogic.MPRfile(stream)
    columns = {name: file.data[name].astype(float) for name in file.data.dtype.names}
    if getattr(file, "timestamp", None) and "time/s" in columns:
        columns["uts"] = file.timestamp.replace(tzinfo=UTC).timestamp() + columns["time/s"]
    return columns, ()


FORMAT = Format(
    name="biologic-mpr",
    title="BioLogic .mpr",
    suffixes=(".mpr",),
    recognize=recognize,
    read=read,
    modules=("yadg", "galvani"),
    extra="biologic",
    isolated=True,
)
