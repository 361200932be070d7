"""Parts as a person writes them in TOML: values that say where they come from, materials by name, readings of a source.

A number that is not certain is a table: { value = 212, low = 205, high = 230, source = "..." }. [materials.NAME] holds
materials of one's own, or other values for shipped ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self, TypeVar

from pydantic import Field, ValidationError, model_validator

from interlith.errors import InputError, did_you_mean
from interlith.parts.changes import HERE, changed, origin_of, out_of_range, wrong_origin
from interlith.parts.layer import Material, material, material_names, wrong
from interlith.parts.listing import values
from interlith.parts.part import Part, with_origins
from interlith.written import (
    CONTRADICTION,
    File,
    Place,
    Written,
    contradiction,
    dotted,
    keys_beside,
    message,
    table_of,
)

FIELDS_OF_MATERIAL = [name for name in Material.model_fields if name != "origins"]
NAMES_A_MATERIAL = ("material", "rest")  # keys whose text is the name of a material
LISTS = ("layers", "laminate")  # tables in them go by their own names
Kind = TypeVar("Kind", bound=Part)
Materials = Mapping[str, Material]


class Reading(Written):
    """One way to read a source. set: dotted name -> value. in_prior: drawn from; a fit is none.

    is_fit: its values were chosen so that a published number comes out, and it says so wherever it is shown.
    """

    name: str
    title: str
    in_prior: bool = True
    is_fit: bool = False
    set: Mapping[str, Any] = Field(default_factory=dict)


class BesidePart(Written):
    """What any file holds besides the part itself."""

    title: str
    source: str = HERE
    note: str = ""
    currency: str = ""
    readings: tuple[Reading, ...] = Field(default=(), max_length=100)

    @model_validator(mode="after")
    def _named_apart(self) -> Self:
        names = [reading.name for reading in self.readings]
        for place, name in enumerate(names):
            if name in names[:place]:
                raise wrong(f"readings.{place}", f"two are called {name}")
        return self


def tables_of(file: File, known: Sequence[str], what: str) -> dict[str, Any]:
    """The file as a table. Raises InputError for a key that is none of `what`."""
    table = table_of(file)
    for key in table:
        if key not in known:
            hint = did_you_mean(key, known)
            raise file.at((key,), f"{key}: not a key of {what}.{hint} (known: {', '.join(known)})")
    return table


def own_materials(file: File, own: Any) -> dict[str, Material]:
    """The materials of a file by name, each on top of the shipped one of that name where there is one."""
    if not isinstance(own, Mapping) or not all(isinstance(held, Mapping) for held in own.values()):
        raise file.at(("materials",), "materials: tables, for instance [materials.lithium]")
    return {name: _material(file, name, held) for name, held in own.items()}


def part_of(
    file: File, kind: type[Kind], table: Mapping[str, Any], materials: Materials, unions: Sequence[str] = ()
) -> Kind:
    """A table of the file as a part. unions: names by which pydantic tells the kinds of one table in an error's place.

    Raises InputError with file, line and key, what was got and what is allowed.
    """
    prepared = _prepared(file, table, (), materials)
    try:
        found = kind.model_validate(prepared)
    except ValidationError as problem:
        raise _wrong_part(file, kind, problem, unions) from problem
    for name, value, origin in values(found):
        said = out_of_range(found, name, value, origin)
        if said is not None:
            raise file.at(place_of(file, name.split(".")), said)
    return found


def read_as(file: File, part: Kind, index: int, reading: Reading) -> Kind:
    """The part as the reading of that number has it."""
    flat = dict(_flat(reading.set, ""))
    try:
        return changed(part, flat) if flat else part
    except InputError as problem:
        name = re.split(r"[ :]", str(problem), maxsplit=1)[0]
        place: Place = ("readings", index, "set", *name.split("."))
        raise file.at(place, f"readings.{index + 1}.set.{problem}") from problem


def chosen(readings: Sequence[tuple[Reading, Kind]], name: str, of: str) -> tuple[Reading, Kind]:
    """The reading of that name, and the part as it has it. Raises InputError naming those there are."""
    for reading, part in readings:
        if reading.name == name:
            return reading, part
    known = ", ".join(reading.name for reading, _ in readings) or "it has none"
    raise InputError(f"--reading {name}: not a reading of {of} ({known})")


def place_of(file: File, keys: Sequence[str]) -> Place:
    """Where a dotted name stands in the file: a layer by its number, not by its name."""
    table: Any = table_of(file)
    place: Place = ()
    for key in keys:
        listed = next((k for k in LISTS if isinstance(table, Mapping) and k in table), None)
        found = [i for i, item in enumerate(table[listed])] if listed and key not in table else []
        index = next((i for i in found if table[listed][i].get("name", "foil") == key), None) if listed else None
        if listed is not None and index is not None:
            place, table = (*place, listed, index), table[listed][index]
        else:
            place, table = (*place, key), table.get(key, {}) if isinstance(table, Mapping) else {}
    return place


def _wrong_part(file: File, kind: type[Part], problem: ValidationError, unions: Sequence[str]) -> InputError:
    first = problem.errors()[0]
    place = tuple(part for part in first["loc"] if part not in unions)
    if first["type"] == CONTRADICTION:
        keys = first["ctx"]["place"].split(".")
        exact: Place = (*place, *keys) if place else place_of(file, keys)
        return file.at(exact, contradiction(exact, first["msg"]))
    return file.at(place, message(place, first, keys_beside(kind, place)) + _missing_too(problem, unions))


def _missing_too(problem: ValidationError, unions: Sequence[str]) -> str:
    """All other keys that are missing, so that they need not be found one by one."""
    missing = [error["loc"] for error in problem.errors()[1:] if error["type"] == "missing"]
    names = [dotted(tuple(key for key in loc if key not in unions)) for loc in missing]
    return f"; missing too: {', '.join(names)}" if names else ""


def _material(file: File, name: str, held: Mapping[str, Any]) -> Material:
    if held.get("name", name) != name:
        raise file.at(("materials", name, "name"), f"materials.{name}.name = {held['name']}: its name is {name}")
    base = {} if name not in material_names() else dict(material(name))
    given = _prepared(file, held, ("materials", name), {})
    origins = {**base.pop("origins", {}), **given.pop("origins", {})}
    for key in held:  # what was given plainly is the user's
        if not isinstance(held[key], Mapping):
            origins.pop(key, None)
    try:
        found = Material(**{**base, "name": name, **given, "origins": origins})
    except ValidationError as problem:
        first = next((e for e in problem.errors() if any("Curve" in str(k) for k in e["loc"])), problem.errors()[0])
        keys = ctx["place"].split(".") if "place" in (ctx := first.get("ctx", {})) else first["loc"]
        place: Place = ("materials", name, *(key for key in keys if key != "str" and "Curve" not in str(key)))
        raise file.at(place, message(place, first, FIELDS_OF_MATERIAL)) from problem
    for key, value, origin in values(found):
        said = out_of_range(found, key, value, origin)
        if said is not None:
            raise file.at(("materials", name, key), f"materials.{name}.{said}")
    return found


def _prepared(file: File, held: Any, place: Place, materials: Materials) -> Any:
    """A table with materials looked up by name, and numbers that stand as tables parted into value and origin."""
    if isinstance(held, list):
        return [_prepared(file, item, (*place, i), materials) for i, item in enumerate(held)]
    if not isinstance(held, Mapping):
        return held
    found: dict[str, Any] = {}
    for key, item in held.items():
        here = (*place, key)
        of_tabs = place[-2:] == ("case", "tabs") and key in ("positive", "negative")
        if key == "origins":
            raise file.at(here, f"{dotted(here)}: not a key of a file; write {{ value, kind, source }}")
        if isinstance(item, str) and (key in NAMES_A_MATERIAL or of_tabs):
            found[key] = _looked_up(file, item, here, materials)
        elif isinstance(item, Mapping) and "value" in item and "stoichiometry" not in item:
            found[key] = {**_origin_table(file, item, here), "value": item["value"]}
        else:
            found[key] = _prepared(file, item, here, materials)
    return with_origins(found) if any(_is_valued(item) for item in found.values()) else found


def _is_valued(item: Any) -> bool:
    return isinstance(item, dict) and "value" in item and "stoichiometry" not in item


def _origin_table(file: File, item: Mapping[str, Any], place: Place) -> dict[str, Any]:
    try:
        return origin_of(item).model_dump()
    except ValidationError as problem:
        raise file.at(place, f"{dotted(place)}: {wrong_origin(problem)}") from problem


def _looked_up(file: File, name: str, place: Place, materials: Materials) -> Material:
    if name in materials:
        return materials[name]
    try:
        return material(name)
    except InputError:
        known = (*materials, *material_names())
        hint = did_you_mean(name.lower(), known, cutoff=0.4)
        own = "describe your own in [materials.NAME]"
        raise file.at(
            place, f"{dotted(place)} = {name}: not a known material.{hint} ({', '.join(known)}; {own})"
        ) from None


def _flat(table: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, held in table.items():
        if isinstance(held, Mapping) and "value" not in held:
            yield from _flat(held, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", held
