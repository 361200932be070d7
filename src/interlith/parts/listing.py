"""Every number of a cell as a list: name, value, unit, kind and source, so that a result can say what it rests on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from interlith.parts.part import Origin, Part

# ending of a name -> unit, the longest first
UNITS = {
    "per_um2_per_cycle": "1/um2 per cycle",
    "m3_per_cycle": "m3 per cycle",
    "J_per_g_K": "J/(g K)",
    "kJ_per_mol": "kJ/mol",
    "S_per_cm": "S/cm",
    "m2_per_g": "m2/g",
    "per_um2": "1/um2",
    "per_h": "1/h",
    "Torr": "Torr",
    "min": "min",
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
    "per_m3": "1/m3",
    "mAh_per_g": "mAh/g",
    "Wh_per_kg": "Wh/kg",
    "g_per_Ah": "g/Ah",
    "per_kg": "1/kg",
    "kg": "kg",
    "S_per_m": "S/m",
    "per_s": "1/s",
    "cm2": "cm2",
    "MPa": "MPa",
    "mL": "mL",
    "L": "L",
    "Ah": "Ah",
    "cm": "cm",
    "mm": "mm",
    "deg": "deg",
    "um": "um",
    "nm": "nm",
    "g": "g",
    "uL": "uL",
    "mV": "mV",
    "V": "V",
    "C": "degC",
    "s": "s",
    "h": "h",
}
Kind = TypeVar("Kind", bound=Part)
WORDS = ("name", "title", "kind", "salt", "solvent", "origins")


def unit(name: str) -> str:
    """The unit in which a field is given, by its name; "1" for a bare number.

    >>> unit("areal_capacity_mAh_per_cm2"), unit("electrolyte.g_per_Ah"), unit("porosity")
    ('mAh/cm2', 'g/Ah', '1')
    """
    last = f"_{name.rpartition('.')[2]}"
    return next((text for ending, text in UNITS.items() if last.endswith(f"_{ending}")), "1")


def parameters(part: Part) -> list[dict[str, Any]]:
    """One row per number of a part, a cell for instance, and its parts: name, value, unit, kind, source, low, high.

    >>> from interlith.parts.samples import half_cell
    >>> [row["kind"] for row in parameters(half_cell("cp")) if row["name"] == "working.isolated_per_stripped"]
    ['calibrated']
    """
    return [
        _row(name, value, unit(name), origin)
        if not hasattr(value, "origin")
        else _row(name, "function", "", value.origin)  # a correlation or a curve: its numbers stand in the file
        for name, value, origin in values(part)
    ]


def values(part: Part) -> Iterator[tuple[str, Any, Origin]]:
    """Dotted name, value and origin of every value of a part and its parts, names and titles left out.

    A member of a tuple goes by its own name. What is shared (a material in several layers) comes once, under the name
    that its class says: materials.copper.density_g_per_cm3.
    """
    seen: set[str] = set()
    for name, value, origin in _values(part, ""):
        if name not in seen:
            seen.add(name)
            yield name, value, origin


def _values(part: Part, prefix: str) -> Iterator[tuple[str, Any, Origin]]:
    for owner, name, place, value in _fields(part, prefix):
        if name in WORDS or value is None or _is_default(owner, name, value) or not _is_one(value):
            continue
        yield place, value, owner.origin(name)


def names(part: Part) -> list[str]:
    """Names of everything that `replaced` can change, values that are not given included."""
    leaves = (
        place
        for _, name, place, value in _fields(part, "")
        if name not in WORDS and not isinstance(value, Part) and not _is_of_parts(value)
    )
    return list(dict.fromkeys(leaves))


def materials_of(part: Part) -> list[str]:
    """Places where `replaced` can put another material: positive.coating.material, for instance."""
    return [place for _, _, place, value in _fields(part, "") if getattr(value, "shared_as", None)]


def _fields(part: Part, prefix: str) -> Iterator[tuple[Part, str, str, Any]]:
    """Every field of a part and its parts: the part it belongs to, its name, its dotted name, its value."""
    for name in type(part).model_fields:
        value = getattr(part, name)
        yield part, name, f"{prefix}{name}", value
        if isinstance(value, Part):
            yield from _fields(value, _prefix(value, f"{prefix}{name}."))
        elif _is_of_parts(value):
            for item in value:
                yield from _fields(item, f"{prefix}{getattr(item, 'name', name)}.")


def _is_of_parts(value: Any) -> bool:
    return isinstance(value, tuple) and bool(value) and isinstance(value[0], Part)


def _is_one(value: Any) -> bool:
    """Whether it stands for itself: no part, no list of parts or of pairs. A list of numbers does."""
    if isinstance(value, tuple):
        return bool(value) and all(isinstance(item, (int, float)) for item in value)
    return not isinstance(value, Part)


def _is_default(part: Part, name: str, value: Any) -> bool:
    """Whether nobody said so: the value that a field has when it is left away."""
    default = type(part).model_fields[name].default
    return name not in part.origins and isinstance(value, (bool, int, float, str)) and value == default


def _prefix(part: Part, place: str) -> str:
    shared = getattr(part, "shared_as", None)
    return f"{shared}.{getattr(part, 'name', '')}." if shared else place


def replaced(
    part: Kind, new: Mapping[str, Any], *, checked: bool = True, origins: Mapping[str, Origin] | None = None
) -> Kind:
    """A part with some values changed, by the names of `values`. checked: each as if the user had given it.

    origins: where the new values come from, by the same names; one without is stated by the user.

    Unchecked, values may be arrays: the properties of the part then give arrays. Names that are none of the part's are
    left over silently; look them up first.

    >>> from interlith.parts.layer import Layer, material
    >>> foil = Layer(material=material("copper"), thickness_um=6.0)
    >>> round(replaced(foil, {"materials.copper.density_g_per_cm3": 8.9}).mg_per_cm2, 3)
    5.34
    """
    return _replaced(part, new, "", checked, origins or {})


def _replaced(part: Kind, new: Mapping[str, Any], prefix: str, checked: bool, origins: Mapping[str, Origin]) -> Kind:
    own: dict[str, Any] = {}
    inner: dict[str, Any] = {}
    for name in type(part).model_fields:
        value = getattr(part, name)
        if f"{prefix}{name}" in new and name not in WORDS:
            own[name] = new[f"{prefix}{name}"]
        elif isinstance(value, Part):
            place = _prefix(value, f"{prefix}{name}.")
            inner[name] = _replaced(value, new, place, checked, origins)
        elif _is_of_parts(value):
            places = [f"{prefix}{getattr(item, 'name', name)}." for item in value]
            items = tuple(
                _replaced(item, new, place, checked, origins) for item, place in zip(value, places, strict=True)
            )
            inner[name] = items if any(a is not b for a, b in zip(items, value, strict=True)) else value
    inner = {name: held for name, held in inner.items() if held is not getattr(part, name)}
    if not inner and not own:
        return part
    if not checked:
        return part.model_copy(update={**inner, **own})
    kept = {name: origin for name, origin in part.origins.items() if name not in own}
    kept |= {name: origins[f"{prefix}{name}"] for name in own if f"{prefix}{name}" in origins}
    return part.with_values_kept(**inner, **own, origins=kept)


def _row(name: str, value: Any, unit_text: str, origin: Origin) -> dict[str, Any]:
    return {
        "name": name,
        "value": value,
        "unit": unit_text,
        "kind": origin.kind,
        "source": origin.source,
        "low": origin.low,
        "high": origin.high,
    }
