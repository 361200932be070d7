"""A part, a cell for instance, with values changed by name, each checked as if a file said so; what a value may be."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import ValidationError

from interlith.errors import InputError, did_you_mean
from interlith.parts.layer import Material, material
from interlith.parts.listing import materials_of, names, replaced, values
from interlith.parts.part import Origin, Part
from interlith.written import shown, words_of

Kind = TypeVar("Kind", bound=Part)
HERE = "stated in this file"
OF_THE_LAYOUT = ("n_positive", "n_negative", "two_sided", "scheme", "size")


def changed(part: Kind, changes: Mapping[str, Any]) -> Kind:
    """The part with values changed, by dotted name; { value, kind, source, low, high } gives their origin too.

    Raises InputError for an unknown name and for a value that cannot be.

    >>> from interlith.parts.layer import Layer
    >>> foil = Layer(material=material("lithium"), thickness_um=30.0)
    >>> changed(foil, {"thickness_um": 20.0}).um
    20.0
    """
    plain: dict[str, Any] = {}
    for name, value in changes.items():
        check_name(part, name)
        if isinstance(value, Mapping) and "value" not in value:
            raise InputError(f"{name}: a table needs a value, for instance {{ value = 2.4, low = 2, high = 3 }}")
        plain[name] = value["value"] if isinstance(value, Mapping) else value
        if name.endswith((".material", ".rest")) and isinstance(plain[name], str):
            plain[name] = _material_named(name, plain[name])
    origins = {name: _origin_at(name, value) for name, value in changes.items() if isinstance(value, Mapping)}
    try:
        found = replaced(part, plain, origins=origins)
    except ValidationError as problem:
        first = problem.errors()[0]
        key = str(first["loc"][-1]) if first["loc"] else str(first.get("ctx", {}).get("place", ""))
        blamed = [f"{name} = {shown(plain[name])}" for name in plain if name.rpartition(".")[2] == key]
        said = words_of(first)
        if blamed:  # it is named already
            said = re.sub(rf'^{re.escape(key)}( = ("[^"]*"|[^:]*))?: ', "", said)
        raise InputError(f"{(blamed or [', '.join(plain)])[0]}: {said}") from problem
    for name, origin in origins.items():
        outside = out_of_range(found, name, plain[name], origin)
        if outside is not None:
            raise InputError(outside)
    return found


def check_name(part: Part, name: str) -> None:
    """Whether a part has a value of this dotted name that can be changed. Raises InputError."""
    known = [*names(part), *materials_of(part)]
    if name not in known and _lacks(part, name):
        table = name.partition(".")[0]
        raise InputError(f"{name}: there is no [{table}] to change: add [{table}] to the file")
    if name not in known:
        raise InputError(f"{name}: not a value that can be changed.{_nearest(name, known, part)}")


def _lacks(part: Part, name: str) -> bool:
    """Whether it is a value of a table that could be there and is not."""
    table, _, key = name.partition(".")
    field = type(part).model_fields.get(table)
    kinds = () if field is None or not key else getattr(field.annotation, "__args__", ())
    found = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, Part)]
    return bool(found) and getattr(part, table) is None and any(key in kind.model_fields for kind in found)


def _origin_at(name: str, value: Mapping[str, Any]) -> Origin:
    try:
        return origin_of(value)
    except ValidationError as problem:
        raise InputError(f"{name}: {wrong_origin(problem)}") from problem


def _nearest(name: str, known: Sequence[str], part: Part) -> str:
    """The nearest name: first among those that end alike and have a value, then that end alike."""
    last = name.rpartition(".")[2]
    alike = [other for other in known if other.rpartition(".")[2] == last]
    given = {held for held, _, _ in values(part)}
    first = did_you_mean(name, [other for other in alike if other in given], cutoff=0.3)
    return first or did_you_mean(name, alike, cutoff=0.3) or did_you_mean(name, known)


def _material_named(place: str, name: str) -> Material:
    try:
        return material(name)
    except InputError as problem:
        raise InputError(f"{place} = {problem}") from problem


def origin_of(item: Mapping[str, Any]) -> Origin:
    """Where a number comes from that stands as a table; a table with a range is assumed, unless it says otherwise."""
    spread = "low" in item or "high" in item or "choices" in item
    said = {"kind": "assumed" if spread else "stated", "source": HERE}
    return Origin(**{**said, **{key: value for key, value in item.items() if key != "value"}})


def wrong_origin(problem: ValidationError) -> str:
    """What is wrong in a table that says where a number comes from."""
    first = problem.errors()[0]
    key = f"{first['loc'][0]}: " if first["loc"] else ""
    if first["type"] == "extra_forbidden":
        return f"{key}not a key here (known: value, {', '.join(Origin.model_fields)})"
    return f"{key}{words_of(first)}"


def out_of_range(part: Part, name: str, value: Any, origin: Origin) -> str | None:
    """What is wrong with what a value may be: that it is not one of it, or that an end or a choice cannot be."""
    if origin.choices is None and (origin.low is None or origin.high is None):
        return None
    if name.rpartition(".")[2] in OF_THE_LAYOUT:
        return f"{name}: a count or a layout is not drawn; use readings"
    if origin.choices is not None:
        ends: tuple[Any, ...] = origin.choices
        within = value in ends and all(_alike(value, choice) for choice in ends)
    else:
        ends = (origin.low, origin.high)
        numbers = isinstance(value, (int, float)) and not isinstance(value, bool)
        within = numbers and ends[0] <= value <= ends[1]
    if not within:
        span = f"one of {', '.join(map(shown, ends))}" if origin.choices else f"low = {ends[0]:g}, high = {ends[1]:g}"
        said = list(value) if isinstance(value, tuple) else value
        return f"{name} = {said}: not what it may be by its own table ({span})"
    for end in ends:
        try:
            replaced(part, {name: end})
        except ValidationError as problem:
            return f"{name}: may be {end}, which cannot be: {words_of(problem.errors()[0])}"
    return None


def _alike(one: Any, other: Any) -> bool:
    """Whether two values are of one kind: truth values, words, or numbers."""
    kinds = [bool if isinstance(value, bool) else str if isinstance(value, str) else float for value in (one, other)]
    return kinds[0] is kinds[1]
