"""A cell against the field: published lithium-metal pouch cells, each number with where it was seen."""

from __future__ import annotations

import tomllib
from dataclasses import asdict, dataclass, replace
from importlib import resources
from typing import Any, Literal

from interlith.parts.design import CellDesign
from interlith.pouch.bill import bill
from interlith.pouch.design_file import read_design

Seen = Literal["abstract", "second hand", "not confirmed", "computed here"]
NUMBERS = (
    "capacity_Ah",
    "specific_energy_Wh_per_kg",
    "n_to_p",
    "g_per_Ah",
    "areal_capacity_mAh_per_cm2",
    "n_cycles",
    "retention",
)


@dataclass(frozen=True)
class Work:
    """A published cell. unconfirmed: names of numbers that no readable source was found for.

    computed_Wh_per_kg: what a rough bill of it gives, its unknowns assumed; None where there is none.
    """

    work: str
    positive: str
    source: str
    seen: Seen
    capacity_Ah: float | None = None
    specific_energy_Wh_per_kg: float | None = None
    n_to_p: float | None = None
    g_per_Ah: float | None = None
    areal_capacity_mAh_per_cm2: float | None = None
    n_cycles: int | None = None
    retention: float | None = None
    unconfirmed: tuple[str, ...] = ()
    computed_Wh_per_kg: float | None = None


def field() -> tuple[Work, ...]:
    """The published cells, in the order of the file; those with a rough bill are counted.

    >>> next(work.specific_energy_Wh_per_kg for work in field() if work.work == "Niu 2021")
    350.0
    """
    text = resources.files("interlith.pouch").joinpath("field.toml").read_text(encoding="utf-8")
    return tuple(_work(entry) for entry in tomllib.loads(text)["work"])


def _work(entry: dict[str, Any]) -> Work:
    name = entry.pop("computed", None)
    ours = None if name is None else float(bill(read_design(name).cell).specific_energy_Wh_per_kg["whole"])
    return Work(**{**entry, "unconfirmed": tuple(entry.get("unconfirmed", ())), "computed_Wh_per_kg": ours})


def this_cell(cell: CellDesign, title: str) -> Work:
    """A design as a row of the field."""
    found = bill(cell)
    return Work(
        work="this cell",
        positive=cell.coating.material.title or cell.coating.material.name,
        source=title,
        seen="computed here",
        capacity_Ah=float(found.delivered_Ah),
        specific_energy_Wh_per_kg=float(found.specific_energy_Wh_per_kg["whole"]),
        n_to_p=float(found.n_to_p["by_face"]),
        g_per_Ah=float(found.g_per_Ah["delivered"]),
        areal_capacity_mAh_per_cm2=float(cell.positive.face_mAh_per_cm2),
    )


def rows(cell: CellDesign, title: str, published_Wh_per_kg: float | None = None) -> list[dict[str, Any]]:
    """The field and this cell, one row each, unconfirmed numbers named as a text.

    published_Wh_per_kg: what is claimed of the cell, as a row of its own with the ratios of the cell as counted.
    """
    own = this_cell(cell, title)
    listed = [*field(), own]
    if published_Wh_per_kg is not None:
        claimed = replace(own, work="as published", seen="abstract", specific_energy_Wh_per_kg=published_Wh_per_kg)
        listed.insert(-1, claimed)
    return [{**asdict(work), "unconfirmed": ", ".join(work.unconfirmed)} for work in listed]
