"""Every number of a cell as a list: name, value, unit, kind and source, so that a result can say what it rests on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from interlith.parts.part import Part

# ending of a name -> unit, the longest first
UNITS = {
    "mAh_per_cm2": "mAh/cm2",
    "mA_per_cm2": "mA/cm2",
    "mg_per_cm2": "mg/cm2",
    "uF_per_cm2": "uF/cm2",
    "S_per_cm2": "S/cm2",
    "ohm_cm2_per_cycle": "ohm cm2 per cycle",
    "ohm_cm2": "ohm cm2",
    "uL_per_mAh": "uL/mAh",
    "per_cycle": "1/cycle",
    "A_per_m2": "A/m2",
    "m2_per_m2": "m2/m2",
    "g_per_cm3": "g/cm3",
    "g_per_mol": "g/mol",
    "mol_per_L": "mol/L",
    "mol_per_m3": "mol/m3",
    "S_per_m": "S/m",
    "per_s": "1/s",
    "cm2": "cm2",
    "um": "um",
    "uL": "uL",
    "mV": "mV",
    "V": "V",
    "C": "degC",
    "s": "s",
}
WORDS = ("name", "kind", "salt", "solvent", "origins")


def unit(name: str) -> str:
    """The unit in which a field is given, by its name; "1" for a bare number.

    >>> unit("areal_capacity_mAh_per_cm2"), unit("porosity")
    ('mAh/cm2', '1')
    """
    return next((text for ending, text in UNITS.items() if name.endswith(f"_{ending}")), "1")


def parameters(part: Part) -> list[dict[str, Any]]:
    """One row per number of a part, a cell for instance, and its parts: name, value, unit, kind, source, low, high.

    >>> from interlith.parts.samples import half_cell
    >>> [row["kind"] for row in parameters(half_cell("cp")) if row["name"] == "working.isolated_per_stripped"]
    ['calibrated']
    """
    return list(_rows(part, ""))


def _rows(part: Part, prefix: str) -> Iterator[dict[str, Any]]:
    for name in type(part).model_fields:
        value = getattr(part, name)
        if name in WORDS or value is None:
            continue
        if isinstance(value, Part):
            yield from _rows(value, f"{prefix}{name}.")
        elif isinstance(value, tuple):
            for item in value:
                yield from _rows(item, f"{prefix}{getattr(item, 'name', name)}.")
        elif hasattr(value, "origin"):  # a correlation or a curve: its numbers stand in the file of the part
            yield _row(f"{prefix}{name}", "function", "", value.origin)
        else:
            yield _row(f"{prefix}{name}", value, unit(name), part.origin(name))


def _row(name: str, value: Any, unit_text: str, origin: Any) -> dict[str, Any]:
    return {
        "name": name,
        "value": value,
        "unit": unit_text,
        "kind": origin.kind,
        "source": origin.source,
        "low": origin.low,
        "high": origin.high,
    }
