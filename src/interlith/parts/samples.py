"""The shipped parts: the six samples of the reference paper (one of them twice), bare copper, and cells of them.

Shen et al., Nat. Commun. (2025), doi:10.1038/s41467-025-60609-4. Their efficiencies are data; what the model needs
besides is assumed with a range or calibrated to that datum, and says so.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from interlith.errors import InputError, did_you_mean
from interlith.parts.cell import Cell, Coating, Collector, Foil, Host, Separator
from interlith.parts.electrolyte import electrolyte
from interlith.parts.part import Origin

COPPER = "cu"
BARE = ("cp", "o3-cp")
ETHER = "litfsi-dol-dme-lino3"


@cache
def _file() -> Mapping[str, Any]:
    return tomllib.loads(resources.files("interlith.parts").joinpath("samples.toml").read_text(encoding="utf-8"))


def names() -> tuple[str, ...]:
    """Names of the shipped samples.

    >>> "cp-zno-002" in names()
    True
    """
    return (*_file()["sample"], COPPER)


def title(name: str) -> str:
    """What a sample is, in a few words."""
    return str(_entry(name)["title"])


def note(name: str) -> str:
    """What must be said wherever a sample is used; empty for most."""
    return str(_entry(name).get("note", ""))


def aurbach_efficiency(name: str) -> float | None:
    """The reservoir efficiency that the paper measured, None where it gives none."""
    return _entry(name).get("aurbach_efficiency")


def sample(name: str) -> Host | Collector:
    """A shipped surface by name. Raises InputError naming the nearest.

    >>> sample("cp").origin("isolated_per_stripped").kind
    'calibrated'
    """
    if name == COPPER:
        return Collector(name=name, **_fields("common", COPPER))
    entry = _entry(name)
    layers = ("common", "paper") if name in BARE else ("common", "paper", "coated")
    coating = None if name in BARE else Coating(**_fields("coating"))
    return Host(name=name, coating=coating, **_fields(*layers, entry))


def foil(interlayer: Host | None = None) -> Foil:
    """The paper's lithium foil of 100 um."""
    return Foil(name="lithium", interlayer=interlayer, **_fields("common", "foil"))


def separator() -> Separator:
    """The paper's separator."""
    return Separator(name=_file()["separator"]["name"], **_fields("separator"))


def half_cell(surface: str | Host | Collector) -> Cell:
    """A coin half cell as in the paper: a surface of 12 mm against lithium foil of 16 mm.

    >>> half_cell("cp").area_cm2
    1.131
    """
    working = sample(surface) if isinstance(surface, str) else surface
    return _cell("half", working, foil(), "half_working_cm2")


def symmetric_cell(surface: str | Host | None = None) -> Cell:
    """A symmetric cell as in the paper: two foils of 16 mm, each with the host on it, or bare."""
    host = sample(surface) if isinstance(surface, str) else surface
    if isinstance(host, Collector):
        raise InputError(f"{host.name}: a symmetric cell has lithium foil on both sides; give a host, or none")
    return _cell("symmetric", foil(host), foil(host), "symmetric_working_cm2")


def _cell(kind: str, working: Host | Collector | Foil, counter: Foil, disc: str) -> Cell:
    fields = _fields("cell")
    areas = {"area_cm2": _file()["disc"][disc], "counter_area_cm2": _file()["disc"]["counter_cm2"]}
    values, origins = _split(areas)
    return Cell(
        kind=kind,  # type: ignore[arg-type]
        working=working,
        counter=counter,
        electrolyte=electrolyte(ETHER),
        separator=separator(),
        origins={**fields.pop("origins"), **origins},
        **fields,
        **values,
    )


def _entry(name: str) -> Mapping[str, Any]:
    if name == COPPER:
        return _file()[COPPER]
    if name not in _file()["sample"]:
        hint = did_you_mean(name, names())
        raise InputError(f"{name}: not a shipped sample; these are: {', '.join(names())}.{hint}")
    return _file()["sample"][name]


def _fields(*layers: str | Mapping[str, Any]) -> dict[str, Any]:
    """Values and origins of several tables of the file, the later ones before the earlier."""
    merged: dict[str, Any] = {}
    for layer in layers:
        merged |= _file()[layer] if isinstance(layer, str) else layer
    values, origins = _split({k: v for k, v in merged.items() if isinstance(v, dict)})
    return {**values, "origins": origins}


def _split(table: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Origin]]:
    values = {name: entry["value"] for name, entry in table.items()}
    known = ("kind", "source", "low", "high")
    return values, {name: Origin(**{k: e[k] for k in known if k in e}) for name, e in table.items()}
