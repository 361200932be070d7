"""Whether a study can be carried out: everything that it names is read as it will be, and nothing is computed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from interlith.errors import InputError
from interlith.handing import check_handed
from interlith.parts.changes import check_name
from interlith.pipeline import Stage, coat_options, design_options, flat
from interlith.running import named_files, plan
from interlith.study import (
    CoatingAsked,
    MeasuredAsked,
    Place,
    PouchAsked,
    Study,
    SurfaceAsked,
    made_test,
    references,
    without_references,
)

if TYPE_CHECKING:
    from interlith.cell_test import CellTest

Read = TypeVar("Read")


def check(study: Study) -> list[Stage]:
    """The plan, with every file that it names read as far as it can be without computing. Raises InterlithError.

    >>> from interlith.study import read_study
    >>> [stage.label for stage in check(read_study("li-cu"))]
    ['tests.li-cu']
    """
    stages = plan(study)
    if not stages:
        raise InputError(f"{study.file.name}: nothing to do: no test, no surface, no coating, no cell, no file")
    for stage in stages:
        look(study, stage)
    return stages


def look(study: Study, stage: Stage) -> None:
    """Look at one stage. Raises InputError at the key that is wrong."""
    if (looked := _LOOKS.get(stage.name[0])) is not None:
        looked(study, stage)


@contextmanager
def _at(study: Study, *place: str) -> Iterator[None]:
    """What is wrong in the block is told at this key; of a table [set], at the key of the value that it names."""
    try:
        yield
    except InputError as problem:
        said = re.sub(r"^--\w+ ", "", str(problem))  # an option of the command line, which nobody gave here
        if place[-1] == "set":
            names = (name for name, _ in flat(getattr(study.asked, place[0]).set))
            place += tuple(next((name for name in names if said.startswith(name)), "").split("."))
        place = tuple(step for step in place if step)
        raise study.at(place, f"{'.'.join(place)}: {said}") from None


def _read(study: Study, stage: Stage, read: Callable[[str], Read]) -> Read:
    """What stands in the file that a stage names. An error of the user's own file says where itself."""
    place, given = named_files(study, stage.name)[0]
    try:
        return read(stage.path(given))
    except InputError as problem:
        if stage.path(given) == given:  # a shipped name: the study is at fault
            raise study.at(place, f"{place[-1]} = {problem}") from None
        raise


def _test(study: Study, stage: Stage) -> None:
    from interlith.cell.models import kernel_name
    from interlith.cell.simulate import checked
    from interlith.cell.translate import check_mechanisms

    name = stage.name[1]
    test = made_test(study, name)
    _handed(study, stage, test)
    place: Place = ("tests", name, "model")
    try:
        kernel_name(test.cell, test.model)
        place = ("tests", name, "without")
        check_mechanisms(test.without)
        place = ("tests", name, "protocol")
        checked(test.cell, test.protocol, test.nominal_mAh_per_cm2)
    except InputError as problem:
        place = ("tests", name, "nominal_mAh_per_cm2") if "nominal" in str(problem) else place
        raise study.at(place, str(problem)) from None


def _handed(study: Study, stage: Stage, test: CellTest) -> None:
    """Whether what comes from other stages has a place in the test."""
    for place, text in references(stage.table):
        steps = tuple(map(str, place))
        try:
            check_handed(test, steps, text)
        except InputError as problem:
            raise study.at((*stage.name, *place), str(problem)) from None


def _surface(study: Study, stage: Stage) -> None:
    from interlith.handing import closure_of
    from interlith.screening import screened
    from interlith.surface.surfaces_file import surfaces_title

    _read(study, stage, surfaces_title)
    asked = SurfaceAsked.model_validate(stage.table)
    if asked.is_computed:
        from interlith.surface.calculators import model_of  # of all models; shipped results need none

        with _at(study, "surface", "models"):
            for name in asked.models:
                model_of(name)
        return
    if asked.models or asked.is_quick:
        raise study.at(
            ("surface",), "surface: models and is_quick go with is_computed = true; shipped results are taken"
        )
    with _at(study, "surface", "surfaces"):
        found = screened(asked.surfaces).items[0].summary
    if asked.closure is not None:
        with _at(study, "surface", "closure", "reference"):
            closure_of(found, asked.closure)


def _coating(study: Study, stage: Stage) -> None:
    from interlith.coat import as_asked
    from interlith.coating.recipe_file import read_recipe

    recipe = _read(study, stage, read_recipe)
    asked = CoatingAsked.model_validate(stage.table)
    with _at(study, "coating", "reading"):
        as_asked(recipe, coat_options(asked.model_copy(update={"set": {}})))
    with _at(study, "coating", "set"):
        as_asked(recipe, coat_options(asked))


def _pouch(study: Study, stage: Stage) -> None:
    from interlith.design import as_asked
    from interlith.pouch.design_file import read_design

    design = _read(study, stage, read_design)
    asked = PouchAsked.model_validate(stage.table)
    with _at(study, "pouch", "reading"):
        as_asked(design, design_options(asked, {}, None, stage.seed))
    with _at(study, "pouch", "set"):
        as_asked(design, design_options(asked, without_references(asked.set), None, stage.seed))
        for place, _ in references(asked.set):
            check_name(design.cell, ".".join(map(str, place)))


def _fit(study: Study, stage: Stage) -> None:
    from interlith.cell.inference.fit_file import read_fit
    from interlith.cycling.reading import read

    _read(study, stage, lambda given: read_fit(given, read))


def _measured(study: Study, stage: Stage) -> None:
    from interlith.cycling.kind import check_kind
    from interlith.cycling.reading import recognize

    asked = MeasuredAsked.model_validate(stage.table)
    with _at(study, *stage.name, "kind"):
        check_kind(asked.kind)
    for i, given in enumerate(asked.files):
        try:
            recognize(Path(stage.path(given)))
        except InputError as problem:
            raise study.at((*stage.name, "files"), f"{'.'.join(stage.name)}.files.{i + 1}: {problem}") from None


_LOOKS: Mapping[str, Callable[[Study, Stage], None]] = {
    "surface": _surface,
    "coating": _coating,
    "tests": _test,
    "fits": _fit,
    "measured": _measured,
    "pouch": _pouch,
}
