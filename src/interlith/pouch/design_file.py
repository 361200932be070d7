"""A cell as a person writes it: a TOML file of layers and counts, what was published of it, and how that can be read.

title = "my cell"
[positive]                     # width_cm and height_cm, or diameter_mm; flag_cm2; two_sided
[positive.foil]                # material, and thickness_um or areal_mass_mg_per_cm2
[[positive.layers]]            # from the foil outwards; [negative] likewise
[stack]                        # n_positive, n_negative, and [stack.separator]
[electrolyte]                  # material, and one of g_per_Ah with its basis, volume_mL, overfill
[case]                         # kind = "pouch" or "coin"
[materials.NAME]               # materials of your own, or other values for shipped ones: a price, for instance
[published]                    # what is claimed of the cell: audited, never used as an input
[[readings]]                   # ways to read an ambiguous source: name, title, [readings.set] with what it changes

A number that is not certain is a table: { value = 212, low = 205, high = 230, source = "..." }.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from pydantic import Field, ValidationError, model_validator

from interlith.errors import InputError, did_you_mean
from interlith.parts.design import CellDesign, coin_sizes
from interlith.parts.layer import Material, material, material_names, wrong
from interlith.parts.listing import values
from interlith.parts.part import with_origins
from interlith.pouch.changes import HERE, changed, origin_of, out_of_range, wrong_origin
from interlith.pouch.voltage import mean_open_circuit_V
from interlith.written import (
    CONTRADICTION,
    File,
    Place,
    Written,
    contradiction,
    dotted,
    keys_beside,
    message,
    opened,
    shipped,
    table_of,
    validated_table,
)

PACKAGE = "interlith.pouch"
OF_CELL = tuple(name for name in CellDesign.model_fields if name != "origins")
BESIDE = ("title", "source", "note", "materials", "published", "readings", "companions", "currency")
FIELDS_OF_MATERIAL = [name for name in Material.model_fields if name != "origins"]
CASES = ("pouch", "coin")  # as pydantic names the two kinds of case in the place of an error


class Claim(Written):
    """An efficiency that is claimed, and of what. n_cycles: over how many cycles it was seen; None: not said."""

    value: float = Field(gt=0, le=1)
    what: str
    n_cycles: int | None = Field(default=None, ge=1)


class Published(Written):
    """What is claimed of a cell. Audits hold it against the layers; nothing is computed from it.

    n_to_p: by face. retention after n_cycles, with efficiencies claimed elsewhere in the same work.
    """

    source: str
    specific_energy_Wh_per_kg: float | None = Field(default=None, gt=0)
    specific_energy_without_laminate_Wh_per_kg: float | None = Field(default=None, gt=0)
    capacity_Ah: float | None = Field(default=None, gt=0)
    n_to_p: float | None = Field(default=None, ge=0)
    n_cycles: int | None = Field(default=None, ge=1)
    retention: float | None = Field(default=None, gt=0, le=1)
    efficiencies: tuple[Claim, ...] = ()
    pores_hold_mAh_per_cm2: float | None = Field(default=None, gt=0)
    dendrites_from_mAh_per_cm2: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        whole, without = self.specific_energy_Wh_per_kg, self.specific_energy_without_laminate_Wh_per_kg
        if whole is not None and without is not None and without <= whole:
            said = f"without laminate {without:g} Wh/kg, whole {whole:g}: the first is the larger one"
            raise wrong("specific_energy_without_laminate_Wh_per_kg", said)
        return self


class Reading(Written):
    """One way to read a source. set: dotted name -> value. in_prior: drawn from; a fit is none.

    is_fit: its values were chosen so that a published number comes out, and it says so wherever it is shown.
    """

    name: str
    title: str
    in_prior: bool = True
    is_fit: bool = False
    set: Mapping[str, Any] = Field(default_factory=dict)


class Beside(Written):
    """What a file holds besides the cell itself."""

    title: str
    source: str = HERE
    note: str = ""
    currency: str = ""
    companions: tuple[str, ...] = ()
    published: Published | None = None
    readings: tuple[Reading, ...] = Field(default=(), max_length=100)

    @model_validator(mode="after")
    def _named_apart(self) -> Self:
        names = [reading.name for reading in self.readings]
        for place, name in enumerate(names):
            if name in names[:place]:
                raise wrong(f"readings.{place}", f"two are called {name}")
        return self


@dataclass(frozen=True)
class Design:
    """A cell, what its file says besides, and the cells of its readings, in their order."""

    name: str
    cell: CellDesign
    beside: Beside
    readings: tuple[tuple[Reading, CellDesign], ...]

    @property
    def title(self) -> str:
        """What the cell is."""
        return self.beside.title


def design_names() -> list[str]:
    """Names of the shipped cells.

    >>> "reference-pouch" in design_names()
    True
    """
    return shipped(PACKAGE)


def read_design(given: str) -> Design:
    """A file by its path, or a shipped cell by its name. Raises InputError with file, line and key.

    >>> read_design("reference-pouch").cell.stack.n_pairs
    10
    """
    file = opened(given, PACKAGE)
    table = table_of(file)
    for key in table:
        if key not in OF_CELL + BESIDE:
            known = OF_CELL + BESIDE
            hint = did_you_mean(key, known)
            raise file.at((key,), f"{key}: not a key of a cell.{hint} (known: {', '.join(known)})")
    beside = validated_table(file, Beside, {key: table[key] for key in BESIDE if key in table and key != "materials"})
    cell = _cell(file, {key: table[key] for key in OF_CELL if key in table}, table.get("materials", {}))
    _check_curve(file, cell)
    _check_ranges(file, cell)
    _check_companions(file, beside)
    readings = tuple((reading, _read_as(file, cell, i, reading)) for i, reading in enumerate(beside.readings))
    name = file.name.removesuffix(".toml")
    return Design(name, cell, beside, readings)


def changed_design(design: Design, changes: Mapping[str, Any]) -> Design:
    """The design with the same values changed in its cell and in all its readings."""
    if not changes:
        return design
    readings = tuple((reading, changed(cell, changes)) for reading, cell in design.readings)
    return replace(design, cell=changed(design.cell, changes), readings=readings)


def _cell(file: File, table: Mapping[str, Any], own: Mapping[str, Any]) -> CellDesign:
    if not isinstance(own, Mapping) or not all(isinstance(held, Mapping) for held in own.values()):
        raise file.at(("materials",), "materials: tables, for instance [materials.lithium]")
    materials = {name: _material(file, name, held) for name, held in own.items()}
    table = {**table, **_with_size(file, table)}
    prepared = _prepared(file, table, (), materials)
    try:
        return CellDesign.model_validate(prepared)
    except ValidationError as problem:
        first = problem.errors()[0]
        place = tuple(part for part in first["loc"] if part not in CASES)
        if first["type"] == CONTRADICTION:
            keys = first["ctx"]["place"].split(".")
            exact: Place = (*place, *keys) if place else _place_of(file, keys)
            raise file.at(exact, contradiction(exact, first["msg"])) from problem
        said = message(place, first, keys_beside(CellDesign, place)) + _missing_too(problem)
        raise file.at(place, said) from problem


def _with_size(file: File, table: Mapping[str, Any]) -> dict[str, Any]:
    """The case of a coin cell with what its size says, where it names one."""
    case = table.get("case")
    if not isinstance(case, Mapping) or case.get("kind") != "coin" or not isinstance(case.get("size"), str):
        return {}
    known = coin_sizes()
    if case["size"] not in known:
        hint = did_you_mean(case["size"].upper(), known, cutoff=0.4)
        raise file.at(("case", "size"), f"case.size = {case['size']}: not a shipped size ({', '.join(known)}).{hint}")
    return {"case": {**known[case["size"]], **case}}


def _missing_too(problem: ValidationError) -> str:
    """All other keys that are missing, so that they need not be found one by one."""
    missing = [error["loc"] for error in problem.errors()[1:] if error["type"] == "missing"]
    names = [dotted(tuple(key for key in loc if key not in CASES)) for loc in missing]
    return f"; missing too: {', '.join(names)}" if names else ""


def _material(file: File, name: str, held: Mapping[str, Any]) -> Material:
    """A material of the file, on top of the shipped one of that name where there is one."""
    if held.get("name", name) != name:
        raise file.at(("materials", name, "name"), f"materials.{name}.name = {held['name']}: its name is {name}")
    base = {} if name not in material_names() else dict(material(name))
    given = _prepared(file, held, ("materials", name), {})
    origins = {**base.pop("origins", {}), **given.pop("origins", {})}
    for key in held:  # what was given plainly is the user's
        if not isinstance(held[key], Mapping):
            origins.pop(key, None)
    try:
        return Material(**{**base, "name": name, **given, "origins": origins})
    except ValidationError as problem:
        first = next((e for e in problem.errors() if any("Curve" in str(k) for k in e["loc"])), problem.errors()[0])
        keys = ctx["place"].split(".") if "place" in (ctx := first.get("ctx", {})) else first["loc"]
        place: Place = ("materials", name, *(key for key in keys if key != "str" and "Curve" not in str(key)))
        raise file.at(place, message(place, first, FIELDS_OF_MATERIAL)) from problem


def _prepared(file: File, held: Any, place: Place, materials: Mapping[str, Material]) -> Any:
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
        if isinstance(item, str) and (key in ("material", "rest") or of_tabs):
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


def _looked_up(file: File, name: str, place: Place, materials: Mapping[str, Material]) -> Material:
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


def _check_ranges(file: File, cell: CellDesign) -> None:
    for name, value, origin in values(cell):
        said = out_of_range(cell, name, value, origin)
        if said is not None:
            raise file.at(_place_of(file, name.split(".")), said)


def _check_curve(file: File, cell: CellDesign) -> None:
    held = cell.coating.material
    assert held.open_circuit is not None
    try:
        mean_open_circuit_V(held.open_circuit, cell.lower_voltage_V, cell.upper_voltage_V)
    except InputError as problem:
        raise file.at(("materials", held.name, "open_circuit"), f"{held.name}: {problem}") from problem


def _check_companions(file: File, beside: Beside) -> None:
    known = design_names()
    for name in beside.companions:
        if name not in known or f"{name}.toml" == file.name:
            hint = did_you_mean(name, known)
            raise file.at(("companions",), f"companions: {name}: not another shipped cell ({', '.join(known)}).{hint}")


def _place_of(file: File, keys: list[str]) -> Place:
    """Where a dotted name stands in the file: a layer by its number, not by its name."""
    table: Any = table_of(file)
    place: Place = ()
    for key in keys:
        listed = next((k for k in ("layers", "laminate") if isinstance(table, Mapping) and k in table), None)
        found = [i for i, item in enumerate(table[listed])] if listed and key not in table else []
        index = next((i for i in found if table[listed][i].get("name", "foil") == key), None) if listed else None
        if listed is not None and index is not None:
            place, table = (*place, listed, index), table[listed][index]
        else:
            place, table = (*place, key), table.get(key, {}) if isinstance(table, Mapping) else {}
    return place


def _read_as(file: File, cell: CellDesign, index: int, reading: Reading) -> CellDesign:
    flat = dict(_flat(reading.set, ""))
    try:
        return changed(cell, flat) if flat else cell
    except InputError as problem:
        name = re.split(r"[ :]", str(problem), maxsplit=1)[0]
        place: Place = ("readings", index, "set", *name.split("."))
        raise file.at(place, f"readings.{index + 1}.set.{problem}") from problem


def _flat(table: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, held in table.items():
        if isinstance(held, Mapping) and "value" not in held:
            yield from _flat(held, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", held
