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

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from pydantic import Field, model_validator

from interlith.errors import InputError, did_you_mean
from interlith.parts.changes import changed
from interlith.parts.design import CellDesign, coin_sizes
from interlith.parts.from_file import BesidePart, Reading, own_materials, part_of, read_as, tables_of
from interlith.parts.layer import wrong
from interlith.pouch.voltage import mean_open_circuit_V
from interlith.written import File, Written, opened, shipped, validated_table

PACKAGE = "interlith.pouch"
OF_CELL = tuple(name for name in CellDesign.model_fields if name != "origins")
BESIDE = ("title", "source", "note", "materials", "published", "readings", "companions", "currency")
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


class Beside(BesidePart):
    """What a file holds besides the cell itself."""

    companions: tuple[str, ...] = ()
    published: Published | None = None


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
    table = tables_of(file, OF_CELL + BESIDE, "a cell")
    beside = validated_table(file, Beside, {key: table[key] for key in BESIDE if key in table and key != "materials"})
    cell = _cell(file, {key: table[key] for key in OF_CELL if key in table}, table.get("materials", {}))
    _check_companions(file, beside)
    readings = tuple((reading, read_as(file, cell, i, reading)) for i, reading in enumerate(beside.readings))
    name = file.name.removesuffix(".toml")
    return Design(name, cell, beside, readings)


def changed_design(design: Design, changes: Mapping[str, Any]) -> Design:
    """The design with the same values changed in its cell and in all its readings."""
    if not changes:
        return design
    readings = tuple((reading, changed(cell, changes)) for reading, cell in design.readings)
    return replace(design, cell=changed(design.cell, changes), readings=readings)


def _cell(file: File, table: Mapping[str, Any], own: Any) -> CellDesign:
    materials = own_materials(file, own)
    cell = part_of(file, CellDesign, {**table, **_with_size(file, table)}, materials, CASES)
    _check_curve(file, cell)
    return cell


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
