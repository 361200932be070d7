"""Whether a study can be carried out: everything that it names is read as it will be, and nothing is computed."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from interlith.errors import InputError
from interlith.pipeline import Stage, coat_options, design_options
from interlith.running import named_files, plan
from interlith.study import (
    CoatingAsked,
    MeasuredAsked,
    Place,
    PouchAsked,
    Study,
    SurfaceAsked,
    made_test,
    without_references,
)


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
        if (look := _LOOKS.get(stage.name[0])) is not None:
            look(study, stage)
    return stages


def _at(study: Study, place: Place, problem: InputError) -> InputError:
    return study.at(place, f"{'.'.join(map(str, place))}: {problem}")


def _read(study: Study, stage: Stage, read: Callable[[str], object]) -> None:
    """Read the file that a stage names. An error of the user's own file says where itself."""
    place, given = named_files(study, stage.name)[0]
    try:
        read(stage.path(given))
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
    place: Place = ("tests", name)
    try:
        kernel_name(test.cell, test.model)
        place = ("tests", name, "without")
        check_mechanisms(test.without)
        place = ("tests", name, "protocol")
        checked(test.cell, test.protocol, test.nominal_mAh_per_cm2)
    except InputError as problem:
        raise study.at(place, str(problem)) from None


def _surface(study: Study, stage: Stage) -> None:
    from interlith.handing import closure_of
    from interlith.screening import screened
    from interlith.surface.surfaces_file import surfaces_title

    _read(study, stage, surfaces_title)
    asked = SurfaceAsked.model_validate(stage.table)
    if asked.is_computed:
        return
    try:
        found = screened(asked.surfaces).items[0].summary
    except InputError as problem:
        raise _at(study, ("surface", "surfaces"), problem) from None
    if asked.closure is not None:
        try:
            closure_of(found, asked.closure)
        except InputError as problem:
            raise _at(study, ("surface", "closure", "reference"), problem) from None


def _coating(study: Study, stage: Stage) -> None:
    from interlith.coat import as_asked
    from interlith.coating.recipe_file import read_recipe

    _read(study, stage, read_recipe)
    asked = CoatingAsked.model_validate(stage.table)
    recipe = read_recipe(stage.path(asked.recipe))
    key = "reading"
    try:
        as_asked(recipe, coat_options(asked.model_copy(update={"set": {}})))
        key = "set"
        as_asked(recipe, coat_options(asked))
    except InputError as problem:
        raise _at(study, ("coating", key), problem) from None


def _pouch(study: Study, stage: Stage) -> None:
    from interlith.design import as_asked
    from interlith.pouch.design_file import read_design

    _read(study, stage, read_design)
    asked = PouchAsked.model_validate(stage.table)
    design = read_design(stage.path(asked.cell))
    key = "reading"
    try:
        as_asked(design, design_options(asked, {}, None, stage.seed))
        key = "set"
        as_asked(design, design_options(asked, without_references(asked.set), None, stage.seed))
    except InputError as problem:
        raise _at(study, ("pouch", key), problem) from None


def _fit(study: Study, stage: Stage) -> None:
    from interlith.cell.inference.fit_file import read_fit
    from interlith.cycling.reading import read

    _read(study, stage, lambda given: read_fit(given, read))


def _measured(study: Study, stage: Stage) -> None:
    from interlith.cycling.kind import check_kind

    asked = MeasuredAsked.model_validate(stage.table)
    try:
        check_kind(asked.kind)
    except InputError as problem:
        raise _at(study, (*stage.name, "kind"), problem) from None


_LOOKS: Mapping[str, Callable[[Study, Stage], None]] = {
    "surface": _surface,
    "coating": _coating,
    "tests": _test,
    "fits": _fit,
    "measured": _measured,
    "pouch": _pouch,
}
