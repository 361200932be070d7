"""What one stage hands to another: a value by its place in the results, a host, an area in pores from barriers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from interlith.cell_test import CellTest, changed, known
from interlith.errors import InputError
from interlith.findings import Finding
from interlith.parts.cell import Foil, Host
from interlith.parts.part import Origin
from interlith.parts.quantity import Quantity
from interlith.study import SEPARATOR, Closure, Path_, number_of, path_of, stage_of

Given = Mapping[Path_, Finding]
NAMES = ("key", "name", "quantity", "reading")  # keys by which an item of a list is told
VALUES = ("value", "best", "predicted")  # keys of a table that is a number with its span
MOST_NAMED = 12
AREA_EXPONENT = 2.0 / 3.0


def value_at(held: Any, path: Sequence[str], whole: str = "") -> Any:
    """What lies at a place in a result: keys of tables, numbers or names of items of lists. Raises InputError.

    >>> value_at({"rows": [{"key": "a", "x": 1.0}]}, ["rows", "a", "x"])
    1.0
    """
    for i, step in enumerate(path):
        known: dict[str, Any]
        if isinstance(held, Mapping):
            known = {str(key): value for key, value in held.items()}
        elif isinstance(held, (list, tuple)):
            known = {_name(item, place): item for place, item in enumerate(held)}
        else:
            known = {}
        if step not in known:
            where = SEPARATOR.join((whole, *path[:i])) if whole else SEPARATOR.join(path[:i])
            names = ", ".join(list(known)[:MOST_NAMED]) + (", ..." if len(known) > MOST_NAMED else "")
            said = f"it has {names}" if known else "nothing lies below it"
            raise InputError(f"{SEPARATOR.join(path)}: no {step} at {where or 'the top'}; {said}")
        held = known[step]
    return held


def _name(item: Any, place: int) -> str:
    if isinstance(item, Mapping):
        return next((str(item[key]) for key in NAMES if key in item), str(place))
    return str(place)


def found_at(given: Given, text: str) -> tuple[Any, str]:
    """What lies at a place in the results of a study, and how it is known. Raises InputError."""
    path = path_of(text)
    stage = stage_of(path, tuple(given))
    if stage is None:
        raise InputError(f"{text}: its stage has no result")
    summary = given[stage].summary
    return value_at(summary, path[len(stage) :], SEPARATOR.join(stage)), kind_of(stage, path, summary)


def kind_of(stage: Path_, path: Path_, summary: Mapping[str, Any]) -> str:
    """How a number of a stage is known to another one: calibrated where something was fitted for it, else derived."""
    is_fitted = stage[0] == "fits" or (stage[0] == "surface" and "closure" in path)
    return "calibrated" if is_fitted or summary.get("result_kind") == "calibrated" else "derived"


def number_in(held: Mapping[str, Any]) -> Any:
    """The number of a table that is one with its span; None of another table.

    >>> number_in({"predicted": 4.0, "low": 3.0, "high": 5.0})
    4.0
    """
    return next((held[key] for key in VALUES if key in held), None)


def as_written(value: float, origin: Origin) -> dict[str, Any]:
    """A number as a person writes it who says where it comes from: { value, kind, source, low, high }."""
    return {"value": value, **origin.model_dump(exclude_none=True, exclude={"distribution"})}


def number_with_origin(given: Given, text: str) -> tuple[float, Origin]:
    """A number of another stage, with its span where it has one, as a part takes it. Raises InputError."""
    held, kind = found_at(given, text)
    low = high = None
    if isinstance(held, Mapping):
        low, high = held.get("low"), held.get("high")
        held = number_in(held)
    if isinstance(held, bool) or not isinstance(held, (int, float)):
        raise InputError(f"{text}: no number there ({str(held)[:60]})")
    if low is None or high is None or not low <= held <= high:
        low = high = None
    origin = Origin(kind=kind, source=f"{text}, of this study", low=low, high=high)  # type: ignore[arg-type]
    return float(held), origin


def with_handed(test: CellTest, given: Given, wanted: Sequence[tuple[Path_, str]]) -> tuple[CellTest, list[Any]]:
    """A test with what comes from other stages, and a row for each: to, from, value, kind.

    wanted: place within the test, as ("set", "host", "porosity"), and place in the results. Raises InputError.
    """
    rows = []
    for place, text in wanted:
        check_handed(test, place, text)
        if len(place) == 2:
            test, row = _with_host(test, given, text)
        else:
            value, origin = number_with_origin(given, text)
            test = replace(test, cell=changed(test.cell, ".".join(place[1:]), as_written(value, origin)))
            row = {"to": ".".join(place[1:]), "value": value, "kind": origin.kind}
        rows.append({**row, "from": text})
    return test, rows


def check_handed(test: CellTest, place: Path_, text: str) -> None:
    """Whether what another stage finds has a place in a test: a value of [set], or a whole host. Raises InputError."""
    if place[:1] != ("set",) or len(place) not in (2, 3):
        raise InputError(f"{'.'.join(place)}: only a value of [set] comes from another stage")
    if len(place) == 3:
        known(test.cell, ".".join(place[1:]))
    elif place[1] != "host":
        raise InputError(f"set.{place[1]}: a whole part is taken for host alone, as host = {{ from = 'coating' }}")
    elif len(path_of(text)) > 1 or path_of(text)[0] != "coating":
        raise InputError(f"set.host = {text}: a host comes from the coating: {{ from = 'coating' }}")
    elif test.cell.host is None:
        raise InputError("set.host: this cell has no host")


def _with_host(test: CellTest, given: Given, text: str) -> tuple[CellTest, dict[str, Any]]:
    """The host of a coating in place of the sample's paper; what lithium does on it stays the sample's."""
    like = test.cell.host
    stage = stage_of(path_of(text), tuple(given))
    if like is None or stage is None:
        raise InputError(f"{text}: its stage has no result")
    summary = given[stage].summary
    host = host_of(summary, like)
    cell = test.cell
    if cell.kind == "symmetric":
        cell = cell.with_values_kept(working=_on(cell.working, host), counter=_on(cell.counter, host))
    else:
        cell = cell.with_values_kept(working=_on(cell.working, host))
    row = {"to": "host", "value": host.porosity, "kind": "derived", "loading": summary["result_kind"]}
    return replace(test, cell=cell), row


def _on(electrode: Any, host: Host) -> Any:
    return electrode.with_values_kept(interlayer=host) if isinstance(electrode, Foil) else host


def host_of(summary: Mapping[str, Any], like: Host) -> Host:
    """The paper of a coating as a host of a cell. Raises InputError for a recipe without paper."""
    from interlith.host.as_parts import as_host
    from interlith.host.paper import PaperHost

    if summary["host"] is None:
        raise InputError("coating: the recipe has no [paper], and so no host")
    made = PaperHost(**summary["host"])
    return as_host(made, like, f"recipe {summary['path']}, its loading {summary['result_kind']}")


def closure_of(summary: Mapping[str, Any], asked: Closure) -> dict[str, Any]:
    """Area on which lithium grows in the pores of each face, from that on one of them: a CALIBRATED closure.

    Nuclei of a spacing L on which half spheres of one volume grow have an area that goes with L^-2/3; spacings are
    `calibrated_spacing`'s. No more than `most_m2_per_m2`, all of the fibres. Faces that are not ranked have none.
    """
    from interlith.surface.nucleation import CLOSURE, calibrated_spacing

    value, origin = number_of(asked.pore_area_m2_per_m2, "pore_area_m2_per_m2")
    rows = {row["key"]: row for row in summary["surfaces"] if row["barrier_2d_eV"] is not None}
    ranked = {key: row for key, row in rows.items() if not row["not_ranked"]}
    if asked.reference not in ranked:
        raise InputError(f"closure: {asked.reference} has no barrier here; these have: {', '.join(ranked)}")
    one = Quantity("nucleus_spacing_nm", 1.0, origin.source, kind="assumed")
    faces = []
    for key, row in ranked.items():
        ratio = calibrated_spacing(_barrier(row), _barrier(ranked[asked.reference]), one, asked.temperature_C)
        low, high = ratio.interval or (ratio.value, ratio.value)
        ends = (origin.low or value, origin.high or value)

        def area(at: float, spacing: float) -> float:
            return min(asked.most_m2_per_m2, at * spacing**-AREA_EXPONENT)

        faces.append(
            {
                "key": key,
                "spacing_over_reference": ratio.value,
                "pore_area_m2_per_m2": {
                    "value": area(value, ratio.value),
                    "low": area(ends[0], high),
                    "high": area(ends[1], low),
                },
            }
        )
    said = (
        f"{CLOSURE}: areas are those of {asked.reference} ({value:g} m2/m2, {origin.kind}) times ratios of spacings, "
        f"at most {asked.most_m2_per_m2:g}. Faster motion makes FEWER nuclei by "
        "this theory, and so less area: the paper argues the other way round"
    )
    return {"reference": asked.reference, "kind": "calibrated", "said": said, "faces": faces}


def _barrier(row: Mapping[str, Any]) -> Quantity:
    spread = row["barrier_2d_spread_eV"] or 0.0
    value = row["barrier_2d_eV"]
    return Quantity("barrier_2d_eV", value, row["key"], low=value - spread, high=value + spread, kind="derived")
