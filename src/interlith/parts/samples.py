"""The shipped parts: the six samples of the reference paper (one of them twice), bare copper, and cells of them.

Shen et al., Nat. Commun. (2025), doi:10.1038/s41467-025-60609-4. Their efficiencies are data; what the model needs
besides is assumed with a range or calibrated to that datum, and says so.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from interlith.errors import InputError, did_you_mean
from interlith.parts.cell import Cell, Coating, Collector, Foil, Host, Separator
from interlith.parts.electrolyte import electrolyte
from interlith.parts.part import Origin
from interlith.parts.positive import Positive, positive

COPPER = "cu"
BARE = ("cp", "o3-cp")
ETHER, CARBONATE = "litfsi-dol-dme-lino3", "lipf6-ec-dmc-vc"


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


def common_value(field: str) -> tuple[Any, Origin]:
    """What is assumed of any surface, and where that comes from: for a value that was fitted to one.

    >>> common_value("cap_porosity")[0]
    0.75
    """
    values, origins = _split(_file()["common"])
    return values[field], origins[field]


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
    return _cell("half", working, foil(), ETHER, _discs("half_working_cm2"))


def symmetric_cell(surface: str | Host | None = None) -> Cell:
    """A symmetric cell as in the paper: two foils of 16 mm, each with the host on it, or bare."""
    host = sample(surface) if isinstance(surface, str) else surface
    if isinstance(host, Collector):
        raise InputError(f"{host.name}: a symmetric cell has lithium foil on both sides; give a host, or none")
    return _cell("symmetric", foil(host), foil(host), ETHER, _discs("symmetric_working_cm2"))


def full_names() -> tuple[str, ...]:
    """Names of the shipped full and anode-free cells.

    >>> full_names()
    ('li-ncm811', 'li-lco', 'pouch-ncm90', 'anode-free')
    """
    return tuple(_file()["full"])


def full_cell(name: str, surface: str | Host | Collector | None = None) -> Cell:
    """A shipped full cell with a surface: on lithium foil, where the cell has one; None: bare foil.

    Raises InputError for an unknown name, a collector on foil, and an anode-free cell without a surface.

    >>> full_cell("pouch-ncm90", "cp-zno-002").working.thickness_um
    30.0
    """
    if name not in full_names():
        raise InputError(f"{name}: not a shipped full cell; these are: {', '.join(full_names())}")
    written = _file()["full"][name]
    chosen = sample(surface) if isinstance(surface, str) else surface
    own = {key: written[key] for key in ("electrolyte_volume_uL", "contact_resistance_ohm_cm2") if key in written}
    area = {"area_cm2": written["area_cm2"], "counter_area_cm2": written["area_cm2"]}
    if written.get("anode_free", False):
        if chosen is None:
            raise InputError(f"{name}: needs a host or a collector on which lithium is plated")
        return _cell("anode-free", chosen, positive(written["positive"]), CARBONATE, {**area, **own})
    if isinstance(chosen, Collector):
        raise InputError(f"{chosen.name}: {name} has lithium foil as its negative; give a host, or none")
    lithium = foil(chosen)
    if "foil_um" in written:
        values, origins = _split({"thickness_um": written["foil_um"]})
        lithium = lithium.with_values_kept(**values, origins={**lithium.origins, **origins})
    return _cell("full", lithium, positive(written["positive"]), CARBONATE, {**area, **own})


def full_nominal_mAh_per_cm2(name: str) -> float:
    """What 1C fills in a shipped full cell.

    >>> full_nominal_mAh_per_cm2("li-ncm811")
    4.5
    """
    written = _file()["full"][name]
    stated = written.get("nominal_mAh_per_cm2")
    return float(stated["value"]) if stated else positive(written["positive"]).areal_capacity_mAh_per_cm2


@dataclass(frozen=True)
class MeasuredRetention:
    """Discharge in this cycle after formation over the first, as somebody measured it."""

    retention: float
    n_cycles: int
    source: str


def measured_retention(name: str, surface: str) -> MeasuredRetention | None:
    """What was measured of a shipped full cell with a shipped surface; None where nothing was.

    >>> measured_retention("li-ncm811", "cp-zno-002").retention
    0.926
    >>> measured_retention("li-ncm811", "cp") is None
    True
    """
    written = _file()["full"].get(name, {}).get("measured_retention")
    if written is None or not surface.startswith(written["surface"]):
        return None
    return MeasuredRetention(written["value"], written["n_cycles"], written["source"])


def _cell(
    kind: str, working: Host | Collector | Foil, counter: Foil | Positive, salt: str, own: Mapping[str, Any]
) -> Cell:
    """own: entries that stand before those of every cell."""
    values, origins = _split({**_file()["cell"], **own})
    return Cell(
        kind=kind,  # type: ignore[arg-type]
        working=working,
        counter=counter,
        electrolyte=electrolyte(salt),
        separator=separator(),
        origins=origins,
        **values,
    )


def _discs(working: str) -> dict[str, Any]:
    return {"area_cm2": _file()["disc"][working], "counter_area_cm2": _file()["disc"]["counter_cm2"]}


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
