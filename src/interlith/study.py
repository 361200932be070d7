"""The study file: what is asked of which parts under which protocols, what was measured, and what is expected.

A study of one test says it at the top (sample, cell, protocol, ...); one of many has [tests.NAME] for each. Besides it
may name surfaces, a recipe, fits, measured files and a cell as built; what one stage finds goes on to another where a
value is written as { from = "coating > host > porosity" }. `[[expect]]` holds what somebody published or measured.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from interlith import cell_test
from interlith.errors import InputError, did_you_mean
from interlith.parts.changes import origin_of, wrong_origin
from interlith.written import File, Place, Written, opened, table_of, validated_table

PACKAGE = "interlith.studies"
MOST_BYTES = 1_000_000  # of a study; a longer one was not written by a person
MOST_TESTS, MOST_EXPECTED = 1000, 5000
OF_A_SWEEP = ("study", "vary", "outcomes", "design")
SEPARATOR = " > "
FROM = "from"
Kind = Literal["computed", "calibrated", "predicted", "audit"]
Path_ = tuple[str, ...]


class Closure(Written):
    """[surface.closure]: from barriers to the area on which lithium grows in pores. CALIBRATED, and no prediction.

    reference: the face, as in the results of a screening, on which `pore_area_m2_per_m2` is known or assumed.
    """

    reference: str
    pore_area_m2_per_m2: Any
    most_m2_per_m2: float = Field(default=927.0, gt=0)
    temperature_C: float = Field(default=25.0, gt=-60, lt=120)

    @model_validator(mode="after")
    def _is_number(self) -> Closure:
        number_of(self.pore_area_m2_per_m2, "pore_area_m2_per_m2")
        return self


class SurfaceAsked(Written):
    """[surface]: a file of surfaces or a shipped one. is_computed: False takes the shipped results as they are."""

    surfaces: str
    is_computed: bool = False
    models: tuple[str, ...] = ()
    is_quick: bool = False
    closure: Closure | None = None


class CoatingAsked(Written):
    """[coating]: a recipe file or a shipped recipe, read in one way and changed by hand where that is asked."""

    recipe: str
    reading: str | None = None
    set: Mapping[str, Any] = Field(default_factory=dict)


class PouchAsked(Written):
    """[pouch]: a cell as built. set: values changed; reconcile: with its published totals.

    efficiency: Coulombic efficiency of a cycle, for energy against cycles; may come from a test.
    """

    cell: str
    reading: str | None = None
    reconcile: bool = False
    samples: int = Field(default=100_000, ge=1000, le=20_000_000)
    efficiency: Any = None
    set: Mapping[str, Any] = Field(default_factory=dict)

    @field_validator("efficiency")
    @classmethod
    def _is_efficiency(cls, value: Any) -> Any:
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not (value is None or (is_number and 0 < value <= 1) or is_reference(value)):
            raise ValueError("above 0, at most 1; or { from = a place in the results }")
        return value


class MeasuredAsked(Written):
    """[measured.NAME]: files of a cycler, parts of one test; beside: the simulated test that they are compared with."""

    files: tuple[str, ...] = Field(min_length=1)
    beside: str | None = None
    kind: str | None = None
    area_cm2: float | None = Field(default=None, gt=0)
    active_mass_mg: float | None = Field(default=None, gt=0)
    working_electrode: Literal["host", "positive"] | None = None
    offset_uA: float | None = None


class FitAsked(Written):
    """[fits.NAME]: a fit file, or a shipped fit: parameters calibrated to data."""

    fit: str


class HeldOutAsked(Written):
    """[held_out]: what the model says of the reference paper's results to which nothing was fitted, and its span."""

    draws: int = Field(default=8, ge=1, le=1000)


class Expected(Written):
    """[[expect]]: one number, range or word that somebody published or measured, and where ours is found.

    paper: the value; [low, high]; a word; absent where none is published. bound: the value is a least or a most. ours:
    a place in the results, as "tests > aurbach-cp > ledger > sei", or a ratio of two. tolerance: relative. is_loss: a
    fraction near 1, whose distance from 1 is compared. is_judged: False where an agreement would mean nothing. kind:
    what ours is, where that is not plain from its stage; what was fitted to the value itself is calibrated whatever
    stands here. reason: why it is missed, or what it rests on.
    """

    quantity: str
    section: str = ""
    unit: str = ""
    paper: float | tuple[float, float] | str | None = None
    bound: Literal["least", "most"] | None = None
    ours: str | None = None
    ratio: tuple[str, str] | None = None
    tolerance: float = Field(default=0.05, ge=0)
    is_loss: bool = False
    is_judged: bool = True
    kind: Kind | None = None
    reason: str = ""
    source: str = ""

    @model_validator(mode="after")
    def _fits(self) -> Expected:
        if (self.ours is None) == (self.ratio is None):
            raise ValueError("give ours = a place in the results, or ratio = two of them")
        if isinstance(self.paper, tuple) and not self.paper[0] <= self.paper[1]:
            raise ValueError("paper: [low, high], the low one first")
        if self.bound is not None and not isinstance(self.paper, float):
            raise ValueError("bound: goes with one number as paper")
        return self

    @field_validator("paper", mode="before")
    @classmethod
    def _no_truth_value(cls, value: Any) -> Any:
        if isinstance(value, bool):
            raise ValueError("a number, [low, high] or a word; of what is true or not the word 'True' or 'False'")
        return value

    @property
    def places(self) -> tuple[Path_, ...]:
        """The places in the results that it names."""
        return tuple(path_of(text) for text in (self.ratio or (self.ours or "",)))


class StudyFile(Written):
    """The keys of a study file but those of its one test, where it has one at the top."""

    title: str = ""
    ask: str = ""
    source: str = ""
    note: str = ""
    seed: int = Field(default=1, ge=0, lt=2**63, strict=True)
    surface: SurfaceAsked | None = None
    coating: CoatingAsked | None = None
    tests: Mapping[str, Mapping[str, Any]] = Field(default_factory=dict, max_length=MOST_TESTS)
    fits: Mapping[str, FitAsked] = Field(default_factory=dict)
    held_out: HeldOutAsked | None = None
    measured: Mapping[str, MeasuredAsked] = Field(default_factory=dict)
    pouch: PouchAsked | None = None
    expect: tuple[Expected, ...] = Field(default=(), max_length=MOST_EXPECTED)


@dataclass(frozen=True)
class Study:
    """A study as written: its keys, its text, and the folder in which its files lie.

    top: names of tests whose keys stand at the top of the file. allow_outside: its files may lie outside of its folder.
    """

    name: str
    asked: StudyFile
    file: File
    top: tuple[str, ...] = ()
    allow_outside: bool = False

    @property
    def title(self) -> str:
        """What it is about; its name where it does not say."""
        return self.asked.title or self.name

    def at(self, place: Place, message: str) -> InputError:
        """An error at a key of the file."""
        if place[:1] == ("tests",) and place[1:2] and place[1] in self.top:
            place = place[2:]
        return self.file.at(place, message)


def read_study(given: str, name: str | None = None, *, allow_outside: bool = False) -> Study:
    """A study file by its path, or a shipped study by its name. Raises InputError with file, line and key.

    name: of the study, and of its one test where that stands at the top; that of the file where not said.
    allow_outside: the files that it names may lie outside of its folder.

    >>> read_study("li-cu").name
    'li-cu'
    """
    file = opened(given, PACKAGE)
    if len(file.text) > MOST_BYTES:
        raise InputError(f"{file.name}: {len(file.text)} characters; a study has fewer than {MOST_BYTES}")
    return study_of(table_of(file), file, name or Path(file.name).stem, allow_outside)


def study_of(table: Mapping[str, Any], file: File, name: str, allow_outside: bool = False) -> Study:
    """The study of a table, which is that of the file or a variant of it."""
    own = {key: value for key, value in table.items() if key in cell_test.KEYS}
    rest = {key: value for key, value in table.items() if key not in own}
    known = (*StudyFile.model_fields, *cell_test.KEYS)
    for key in rest:
        if key in OF_A_SWEEP:
            raise file.at((key,), f"{key}: this file is a sweep; interlith sweep carries it out")
        if key not in known:
            hint = did_you_mean(key, known)
            raise file.at((key,), f"{key}: not a key of a study.{hint} (known: {', '.join(known)})")
    if own and "tests" in rest:
        first = next(iter(own))
        raise file.at((first,), f"{first}: of one test; this study has [tests], and says it there")
    if own:
        rest["tests"] = {name: own}
    for key in ("tests", "fits", "measured"):
        for one in rest[key] if isinstance(rest.get(key), Mapping) else ():
            if not one.strip() or not one.isprintable():
                raise file.at((key,), f"{key}: one has the name {one!r}; a word is needed")
    study = Study(name, validated_table(file, StudyFile, rest), file, (name,) if own else (), allow_outside)
    _check_names(study)
    _check_tests(study)
    return study


def names_of(study: Study) -> tuple[Path_, ...]:
    """The stages of a study, as places in the results begin."""
    asked = study.asked
    single = [(key,) for key in ("surface", "coating", "held_out", "pouch") if getattr(asked, key) is not None]
    many = [(key, name) for key in ("fits", "tests", "measured") for name in getattr(asked, key)]
    return (*single, *many)


def path_of(text: str) -> Path_:
    """The steps of a place in the results.

    >>> path_of("tests > aurbach-cp > ledger > sei")
    ('tests', 'aurbach-cp', 'ledger', 'sei')
    """
    return tuple(part.strip() for part in text.split(SEPARATOR.strip()))


def stage_of(path: Path_, names: tuple[Path_, ...]) -> Path_ | None:
    """The stage in which a place lies; None where the study has none such.

    >>> stage_of(("tests", "a", "ledger"), (("pouch",), ("tests", "a")))
    ('tests', 'a')
    """
    return next((name for name in names if path[: len(name)] == name), None)


def is_reference(value: Any) -> bool:
    """Whether a value comes from another stage.

    >>> is_reference({"from": "coating > host > porosity"})
    True
    """
    return isinstance(value, Mapping) and set(value) == {FROM} and isinstance(value[FROM], str)


def references(table: Any, place: Place = ()) -> Iterator[tuple[Place, str]]:
    """Every { from = "..." } below a table, with its place.

    >>> list(references({"set": {"host": {"porosity": {"from": "coating > host > porosity"}}}}))
    [(('set', 'host', 'porosity'), 'coating > host > porosity')]
    """
    if isinstance(table, Mapping):
        if is_reference(table):
            yield place, table[FROM]
            return
        for key, value in table.items():
            yield from references(value, (*place, key))


def without_references(table: Mapping[str, Any]) -> dict[str, Any]:
    """The same table without what comes from other stages, and without tables that become empty by it."""
    found: dict[str, Any] = {}
    for key, value in table.items():
        if is_reference(value):
            continue
        held = without_references(value) if isinstance(value, Mapping) else value
        if held != {} or value == {}:
            found[key] = held
    return found


def _odd_references(table: Any, place: Place) -> Iterator[Place]:
    """Places of tables with `from` that are no references."""
    if isinstance(table, Mapping) and not is_reference(table):
        if FROM in table:
            yield place
        for key, value in table.items():
            yield from _odd_references(value, (*place, key))


def table_of_stage(study: Study, stage: Path_) -> dict[str, Any]:
    """The keys of a stage, as written and with what holds where nothing is written; without those that are absent."""
    held: Any = getattr(study.asked, stage[0])
    for step in stage[1:]:
        held = held[step]
    return dict(held) if isinstance(held, Mapping) else held.model_dump(exclude_none=True)


def needs_of(study: Study, stage: Path_) -> list[tuple[Place, str]]:
    """What a stage takes from others: place in the file, and place in the results."""
    table = table_of_stage(study, stage)
    found = list(references(table, stage))
    if stage[0] == "measured" and "beside" in table:
        found.append(((*stage, "beside"), f"tests{SEPARATOR}{table['beside']}"))
    return found


def number_of(value: Any, name: str) -> tuple[float, Any]:
    """A number, or { value, kind, source, low, high }, and where it comes from. Raises ValueError."""
    told = value if isinstance(value, Mapping) else {"value": value, "kind": "stated", "source": "stated in this study"}
    number = told.get("value")
    if isinstance(number, bool) or not isinstance(number, (int, float)) or not 0 < number < math.inf:
        raise ValueError(f"{name}: a number above 0, or a table {{ value, kind, source, low, high }}")
    try:
        return float(number), origin_of(told)
    except ValidationError as problem:
        raise ValueError(f"{name}: {wrong_origin(problem)}") from problem


def _check_names(study: Study) -> None:
    """Every place that is named lies in a stage that there is, and no stage waits for itself."""
    names = names_of(study)
    for name in names:
        for place in _odd_references(table_of_stage(study, name), name):
            wanted = f'{{ {FROM} = "coating{SEPARATOR}host{SEPARATOR}porosity" }}'
            raise study.at(place, f"{'.'.join(map(str, place))}: what comes from another stage is written {wanted}")
    ordered(study)
    for i, expected in enumerate(study.asked.expect):
        for path in expected.places:
            key = "ours" if expected.ratio is None else "ratio"
            _known(study, names, ("expect", i, key), SEPARATOR.join(path))


def _known(study: Study, names: tuple[Path_, ...], place: Place, text: str) -> Path_:
    found = stage_of(path_of(text), names)
    if found is None:
        known = [SEPARATOR.join(name) for name in names]
        first = SEPARATOR.join(path_of(text)[: 2 if text.startswith(("tests", "fits", "measured")) else 1])
        hint = did_you_mean(first, known)
        raise study.at(place, f"{place[-1]} = {text}: this study has no {first}.{hint} (it has: {', '.join(known)})")
    return found


def ordered(study: Study) -> tuple[Path_, ...]:
    """The stages, each after all that it takes from. Raises InputError for a circle, at the key that closes it."""
    names = names_of(study)
    needs = {
        name: {_known(study, names, place, text): place for place, text in needs_of(study, name)} for name in names
    }
    try:
        return tuple(TopologicalSorter({name: tuple(held) for name, held in needs.items()}).static_order())
    except CycleError as problem:
        circle = problem.args[1][::-1]  # each before the one that it takes from
        place = needs[circle[0]][circle[1]]
        said = " -> ".join(SEPARATOR.join(name) for name in circle)
        raise study.at(place, f"{place[-1]}: stages wait for each other in a circle ({said})") from None


def _check_tests(study: Study) -> None:
    """Every test can be made, but for what comes from other stages."""
    for name in study.asked.tests:
        made_test(study, name)


def made_test(study: Study, name: str) -> cell_test.CellTest:
    """A test as its table says it, without what comes from other stages. Raises InputError with file, line and key."""
    table = without_references(study.asked.tests[name])
    try:
        return cell_test.from_table(table, name)
    except cell_test.AtKey as problem:
        raise study.at(("tests", name, *problem.keys), str(problem)) from None
