"""One simulated test, as a person writes it in a study file: which cell, which protocol; explain what is wrong.

sample = "cp-zno-002"          # a shipped sample (interlith simulate --list)
cell = "half"                  # half | symmetric | li-ncm811 | li-lco | pouch-ncm90 | anode-free
protocol = "aurbach"           # a shipped protocol, or a table [protocol] with name and [[protocol.steps]]
model = "lumped"
without = ["dead-layer"]       # mechanisms that are switched off

[set.host]                     # values changed by hand; host, coating, foil, counter, positive, electrolyte,
                               # separator, cell
porosity = 0.8                 # or { value = 0.8, kind = "measured", low = 0.78, high = 0.82, source = "gauge" }
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from interlith.errors import InputError, did_you_mean
from interlith.parts.cell import Cell, Coating, Foil, Host
from interlith.parts.changes import origin_of, out_of_range, wrong_origin
from interlith.parts.part import Origin, Part
from interlith.parts.positive import Positive
from interlith.parts.positive import note as positive_note
from interlith.parts.samples import (
    MeasuredRetention,
    full_cell,
    full_names,
    full_nominal_mAh_per_cm2,
    half_cell,
    measured_retention,
    note,
    symmetric_cell,
)
from interlith.protocol import Protocol, named
from interlith.pybamm_strings import from_pybamm
from interlith.written import opened, table_of

KEYS = ("sample", "cell", "protocol", "model", "without", "set", "nominal_mAh_per_cm2")
TYPES: tuple[tuple[str, Any, str], ...] = (
    ("sample", str, "the name of a shipped sample"),
    ("cell", str, "the name of a kind of cell"),
    ("model", str, "the name of a model"),
    ("without", list, "a list of names of mechanisms"),
    ("set", dict, "tables of values, for instance [set.host]"),
    ("nominal_mAh_per_cm2", (int, float), "a number"),
)
STUDIES = "interlith.studies"
OF_A_STUDY = (
    "title",
    "ask",
    "source",
    "note",
    "seed",
    "surface",
    "coating",
    "measured",
    "fits",
    "held_out",
    "pouch",
    "expect",
)  # keys of a study file that say nothing of its test
CELLS = ("half", "symmetric", *full_names())
PLACES = ("host", "coating", "foil", "counter", "positive", "electrolyte", "separator", "cell")
UNKNOWN_VALUE = 0.5  # stands for a value that is not known yet
Changes = Mapping[str, Any]


@dataclass(frozen=True)
class CellTest:
    """One simulation: a cell, a protocol, a model. `notes`: what must be said with every result."""

    name: str
    cell: Cell
    protocol: Protocol
    model: str = "lumped"
    without: tuple[str, ...] = ()
    nominal_mAh_per_cm2: float | None = None
    notes: tuple[str, ...] = ()
    measured: MeasuredRetention | None = None


def cell_test(
    sample: str,
    protocol: str | Protocol = "aurbach",
    *,
    kind: str | None = None,
    model: str = "lumped",
    without: Sequence[str] = (),
    changes: Changes | None = None,
    nominal_mAh_per_cm2: float | None = None,
) -> CellTest:
    """A study of a shipped sample. kind: one of CELLS; by default the one whose name the protocol's begins with.

    changes: dotted name -> value, for instance {"host.porosity": 0.8}. Raises InputError.

    >>> cell_test("cp", changes={"host.porosity": 0.8}).cell.host.porosity
    0.8
    """
    chosen = named(protocol) if isinstance(protocol, str) else protocol
    kind = kind or next((name for name in CELLS if chosen.name.startswith(name)), "half")
    meant = next((name for name in full_names() if chosen.name.startswith(name)), None)
    if meant is not None and kind in ("half", "symmetric"):
        raise InputError(f"protocol {chosen.name}: is for a full cell; cell = {kind} has no positive. cell = {meant}?")
    cell = cell_of(kind, sample)
    if nominal_mAh_per_cm2 is None and kind in full_names():
        nominal_mAh_per_cm2 = full_nominal_mAh_per_cm2(kind)
    for name, value in (changes or {}).items():
        cell = changed(cell, name, value)
    said = [note(sample)]
    if isinstance(cell.counter, Positive):
        said += [positive_note(cell.counter.name)]
    notes = tuple(text for text in said if text)
    measured = measured_retention(kind, sample)
    return CellTest(
        f"{sample}-{chosen.name}", cell, chosen, model, tuple(without), nominal_mAh_per_cm2, notes, measured
    )


def cell_of(kind: str, sample: str) -> Cell:
    """A shipped cell with a shipped sample. Raises InputError for a kind that is not one of CELLS.

    >>> cell_of("anode-free", "cu").kind
    'anode-free'
    """
    if kind not in CELLS:
        raise InputError(f"cell = {kind}: one of {', '.join(CELLS)}.{did_you_mean(kind, CELLS)}")
    if kind == "half":
        return half_cell(sample)
    return symmetric_cell(sample) if kind == "symmetric" else full_cell(kind, sample)


def asked(
    file: Path | None,
    sample: str | None,
    protocol: str | None,
    kind: str | None,
    model: str | None,
    without: Sequence[str],
    pairs: Sequence[str],
) -> CellTest:
    """The study that a command line asks for: a file, or a shipped sample; values set by hand go on top of either."""
    if (file is None) == (sample is None):
        raise InputError("give a study file or --sample NAME, one of them; --list names the samples")
    if file is None:
        found = cell_test(sample or "", protocol or "aurbach", kind=kind, model=model or "lumped", without=without)
    else:
        given = {"--protocol": protocol, "--cell": kind, "--model": model}
        if said := [name for name, value in given.items() if value is not None]:
            raise InputError(f"{', '.join(said)}: belongs in the study file, where there is one")
        found = load(file)
        found = replace(found, without=tuple(dict.fromkeys([*found.without, *without])))
    cell = found.cell
    for name, value in parse_changes(pairs).items():
        try:
            cell = changed(cell, name, value)
        except InputError as problem:
            raise InputError(f"--set {problem}") from problem
    return replace(found, cell=cell)


def load(path: Path) -> CellTest:
    """The one test of a study file, or of a shipped study by its name.

    Raises InputError with file, line, key, what was got and what is allowed.

    The keys of a study that say nothing of its test (title, expect, ...) are passed over; interlith check reads them.
    """
    file = opened(str(path), STUDIES)
    written = table_of(file)
    tests = written.get("tests")
    if isinstance(tests, Mapping):
        if len(tests) != 1 or not isinstance(next(iter(tests.values())), Mapping):
            raise file.at(("tests",), f"tests: {len(tests)} of them, and one is simulated here; interlith run does all")
        name, table = next(iter(tests.items()))
        where: tuple[str, ...] = ("tests", name)
    else:
        name, where = Path(file.name).stem, ()
        table = {key: value for key, value in written.items() if key not in OF_A_STUDY}
    try:
        return from_table(table, name)
    except AtKey as problem:
        raise file.at((*where, *problem.keys), str(problem)) from None


class AtKey(InputError):
    """An error at a key of the file, told without its line."""

    def __init__(self, message: str, *keys: str) -> None:
        super().__init__(message)
        self.keys = keys


def from_table(written: Mapping[str, Any], name: str) -> CellTest:
    """The test that a table of a study file says. Raises AtKey.

    >>> from_table({"sample": "cp", "set": {"host": {"porosity": 0.8}}}, "mine").cell.host.porosity
    0.8
    """
    for key in written:
        if key not in KEYS:
            raise AtKey(f"{key}: not a key of a study{_near(key, KEYS)} (known: {', '.join(KEYS)})", key)
    for key, kind, allowed in TYPES:
        if key in written and (not isinstance(written[key], kind) or isinstance(written[key], bool)):
            raise AtKey(f"{key} = {_shown(written[key])}: must be {allowed}", key)
    if "sample" not in written:
        raise AtKey('sample: a study names a shipped sample, for instance sample = "cp"', "sample")
    without = written.get("without", [])
    if not all(isinstance(name, str) for name in without):
        raise AtKey("without: must be a list of names of mechanisms", "without")
    changes = _flat(written.get("set", {}), ())
    try:
        made = cell_test(
            written["sample"],
            _protocol(written.get("protocol", "aurbach"), name, _area(written)),
            kind=written.get("cell"),
            model=written.get("model", "lumped"),
            without=without,
            nominal_mAh_per_cm2=written.get("nominal_mAh_per_cm2"),
        )
    except AtKey:
        raise
    except InputError as problem:
        raise AtKey(str(problem), next((k for k in KEYS if str(written.get(k)) in str(problem)), "sample")) from problem
    cell = made.cell
    for path, value in changes:
        try:
            cell = changed(cell, ".".join(path), value)
        except InputError as problem:
            raise AtKey(f"set.{problem}", "set", *path) from problem
    return replace(made, name=name, cell=cell)


def _area(written: Mapping[str, Any]) -> float:
    """The area that amperes of a string refer to: that of the cell, as far as it is known before the protocol."""
    if (stated := dict(_flat(written.get("set", {}), ())).get(("cell", "area_cm2"))) is not None:
        try:
            return changed(half_cell(written["sample"]), "cell.area_cm2", stated).area_cm2
        except InputError as problem:
            raise AtKey(f"set.{problem}", "set", "cell", "area_cm2") from problem
    return cell_of(written.get("cell") or "half", written["sample"]).area_cm2


def _flat(table: Any, path: tuple[str, ...]) -> list[tuple[tuple[str, ...], Any]]:
    if isinstance(table, Mapping) and set(table) == {"from"}:
        name = ".".join(("set", *path))
        raise AtKey(f"{name}: comes from another stage, and one test is simulated here; interlith run does all", *path)
    if not isinstance(table, Mapping) or "value" in table or (not table and len(path) > 1):
        return [(path, table)]
    return [entry for key, value in table.items() for entry in _flat(value, (*path, key))]


def _protocol(written: Any, name: str, area_cm2: float) -> str | Protocol:
    if isinstance(written, str):
        return written
    if isinstance(written, list):
        try:
            return from_pybamm(written, area_cm2=area_cm2, name=name)
        except InputError as problem:
            raise AtKey(f"protocol: {problem}", "protocol") from problem
    try:
        return Protocol.model_validate({"name": name, **written})
    except ValidationError as problem:
        first = problem.errors()[0]
        keys = [str(part) for part in first["loc"] if not isinstance(part, int)]
        place = ".".join(str(part) for part in first["loc"])
        raise AtKey(f"protocol.{place} = {_shown(first['input'])}: {_allowed(first)}", "protocol", *keys) from problem
    except TypeError as problem:
        raise AtKey("protocol: a name, a list of PyBaMM strings, or a table with steps", "protocol") from problem


def changed(cell: Cell, name: str, value: Any) -> Cell:
    """The cell with one value changed, named as PLACE.FIELD. A symmetric cell changes on both sides.

    value: a number, or { value, kind, source, low, high } with where it comes from.

    >>> changed(half_cell("cp"), "host.porosity", 0.8).host.origin("porosity").kind
    'stated'
    """
    place, _, key = name.partition(".")
    if place not in PLACES or not key:
        raise InputError(f"{name}: begins with none of {', '.join(PLACES)}{_near(place, PLACES)}")
    if place == "cell":
        return _with(cell, name, key, value)
    if place in ("electrolyte", "separator"):
        return cell.with_values_kept(**{place: _with(getattr(cell, place), name, key, value)})
    if place == "positive" and isinstance(cell.counter, Positive):
        return cell.with_values_kept(counter=_with(cell.counter, name, key, value))
    if place == "foil" and cell.kind == "full":
        return cell.with_values_kept(working=_with(cell.working, name, key, value))
    if place in ("positive", "foil") or (place == "counter" and cell.polarity < 0):
        instead = "counter" if cell.polarity > 0 else "positive, and foil where it has one"
        raise InputError(f"{name}: no {place} in a cell of kind {cell.kind}; it has a {instead}")
    if place == "counter" and cell.kind == "half":
        return cell.with_values_kept(counter=_with(cell.counter, name, key, value))
    if place == "counter":
        foil = _with(cell.counter, name, key, value)
        return cell.with_values_kept(counter=foil, working=foil)
    return _host_changed(cell, place, name, key, value)


def known(cell: Cell, name: str) -> None:
    """Whether the cell has such a value, named as PLACE.FIELD. Raises InputError, as `changed` does.

    >>> known(half_cell("cp"), "host.porosity")
    """
    host: Any = cell.host
    parts = {"host": host, "coating": getattr(host, "coating", None), "cell": cell}
    parts |= {"positive": cell.counter, "foil": cell.working}
    place, _, key = name.partition(".")
    part = parts.get(place, getattr(cell, place, None))
    changed(cell, name, getattr(part, key, UNKNOWN_VALUE))


def _host_changed(cell: Cell, place: str, name: str, key: str, value: Any) -> Cell:
    host: Any = cell.host or cell.working
    if isinstance(host, Foil) or (place == "coating" and not (isinstance(host, Host) and host.coating)):
        raise InputError(f"{name}: this cell has no {place}")
    if place == "coating":
        coating: Coating = host.coating
        host = host.with_values_kept(coating=_with(coating, name, key, value))
    else:
        host = _with(host, name, key, value)
    if cell.kind in ("half", "anode-free"):
        return cell.with_values_kept(working=host)
    if cell.kind == "full":
        return cell.with_values_kept(working=cell.working.with_values_kept(interlayer=host))
    return cell.with_values_kept(
        working=cell.working.with_values_kept(interlayer=host), counter=cell.counter.with_values_kept(interlayer=host)
    )


def _with(part: Part, name: str, key: str, value: Any) -> Any:
    fields = [f for f in type(part).model_fields if f not in ("origins", "kind")]
    if key.partition(".")[0] in fields and "." in key:
        raise InputError(f"{name}: a table needs a value, for instance {{ value = 0.8, low = 0.78, high = 0.82 }}")
    if key not in fields:
        raise InputError(
            f"{name}: not a value of {type(part).__name__}{_near(key, fields)} (known: {', '.join(fields)})"
        )
    try:
        if not isinstance(value, Mapping):
            return part.with_values(**{key: value})
        origin = origin_of(value)
        found = part.with_values_kept(**{key: value["value"]}, origins={**part.origins, key: origin})
    except ValidationError as problem:
        raise InputError(_refused(name, value, problem)) from problem
    if (said := out_of_range(found, key, value["value"], origin)) is not None:
        raise InputError(f"{name.removesuffix(key)}{said}")
    return found


def _refused(name: str, value: Any, problem: ValidationError) -> str:
    first = problem.errors()[0]
    if problem.title == Origin.__name__:
        return f"{name}: {wrong_origin(problem)}"
    given = value["value"] if isinstance(value, Mapping) else value
    return f"{name} = {_shown(given)}: {_allowed(first)}{_mend(first)}"


def parse_changes(pairs: Sequence[str]) -> dict[str, Any]:
    """Values from the command line: ["host.porosity=0.8"] -> {"host.porosity": 0.8}. Raises InputError.

    >>> parse_changes(["host.porosity=0.8"])
    {'host.porosity': 0.8}
    """
    found: dict[str, Any] = {}
    for pair in pairs:
        name, sign, text = pair.partition("=")
        if not sign or not name.strip():
            raise InputError(f"--set {pair}: must be NAME=VALUE, for instance host.porosity=0.8")
        try:
            found[name.strip()] = json.loads(text)
        except (ValueError, RecursionError):
            found[name.strip()] = text.strip()
    return found


def _shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)[:60]


_LIMITS = {"greater_than": "greater than", "greater_than_equal": "at least", "less_than": "less than"}
_LIMITS |= {"less_than_equal": "at most"}


def _allowed(error: Mapping[str, Any]) -> str:
    """What would have been right, in words."""
    kind, limits = error["type"], error.get("ctx", {})
    if kind in _LIMITS:
        if set(limits.values()) <= {0, 1} and _is_fraction(error):
            return "a fraction between 0 and 1."
        return f"must be {_LIMITS[kind]} {next(iter(limits.values())):g}."
    if kind.startswith(("float", "int", "finite")):
        return "must be a number."
    if kind == "literal_error":
        return f"must be {limits.get('expected')}."
    if kind == "extra_forbidden":
        return "not a key that is known here."
    return f"{error['msg']}."


def _is_fraction(error: Mapping[str, Any]) -> bool:
    last = str(error["loc"][-1]) if error["loc"] else ""
    return "porosity" in last or last in ("sei_per_plated", "pore_edge")


def _mend(error: Mapping[str, Any]) -> str:
    value = error["input"]
    if _is_fraction(error) and isinstance(value, (int, float)) and 1 <= value < 100:
        return f" Did you mean {value / 100:g}?"
    return ""


def _near(word: str, known: Sequence[str]) -> str:
    hint = did_you_mean(word, known)
    return f".{hint}" if hint else ""
