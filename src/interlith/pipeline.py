"""One short function per wing: what a stage of a study does, given what the stages before it found.

Each takes the stage as the study says it and gives a finding; nothing is written here, and no stage knows another.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from interlith import cell_test
from interlith.findings import Finding, file_name, plain
from interlith.handing import Given, as_written, closure_of, number_with_origin, with_handed
from interlith.study import (
    FROM,
    CoatingAsked,
    FitAsked,
    HeldOutAsked,
    MeasuredAsked,
    Path_,
    PouchAsked,
    SurfaceAsked,
    references,
    without_references,
)

if TYPE_CHECKING:
    from interlith.coat import CoatOptions
    from interlith.design import DesignOptions

RECORD, ACCOUNT = "record", "account"  # tables of a test that go into records/, as Parquet alone
COMPARED = (  # results of a measured test and of the simulated one beside it
    ("reservoir", "efficiency"),
    ("efficiency", "mean_efficiency"),
    ("efficiency", "first_efficiency"),
    ("efficiency", "median_efficiency"),
    ("life", "efficiency_below_90_percent"),
    ("life", "efficiency_below_80_percent"),
    ("hysteresis", "median_mV"),
    ("hysteresis", "overpotential_median_mV"),
    ("nucleation", "median_mV"),
    ("retention", "retention"),
)


@dataclass(frozen=True)
class Stage:
    """A part of a study that is computed and kept as one.

    table: its keys as written. files: as the study names them -> where they lie; a shipped name is in none of both.
    needs: stages whose results it takes. workers: processes that it may use itself.
    """

    name: Path_
    table: Mapping[str, Any]
    files: Mapping[str, Path] = field(default_factory=dict)
    needs: tuple[Path_, ...] = ()
    seed: int = 1
    is_heavy: bool = False
    workers: int = 1

    @property
    def label(self) -> str:
        """Its name for files and people: tests.aurbach-cp."""
        return ".".join(self.name)

    def path(self, given: str) -> str:
        """Where a file lies that the study names, or the name of a shipped one."""
        return str(self.files.get(given, given))


def do(stage: Stage, given: Given) -> Finding:
    """What a stage finds. Raises InterlithError."""
    found = DO[stage.name[0]](stage, given)
    return replace(found, name=file_name(stage.label), summary=plain(found.summary))


def _surface(stage: Stage, given: Given) -> Finding:
    from interlith.screening import ScreenOptions, screen, screened

    asked = SurfaceAsked.model_validate(stage.table)
    if asked.is_computed:
        options = ScreenOptions(models=asked.models, is_quick=asked.is_quick)
        found = screen(stage.path(asked.surfaces), options, workers=stage.workers).items[0]
    else:
        found = screened(asked.surfaces).items[0]
    closure = None if asked.closure is None else closure_of(found.summary, asked.closure)
    return replace(found, summary={**found.summary, "closure": closure})


def _coating(stage: Stage, given: Given) -> Finding:
    from interlith.coat import coat_recipe

    asked = CoatingAsked.model_validate(stage.table)
    return coat_recipe(stage.path(asked.recipe), coat_options(asked)).items[0]


def coat_options(asked: CoatingAsked) -> CoatOptions:
    """How a study reads its recipe."""
    from interlith.coat import CoatOptions

    return CoatOptions(reading=asked.reading, changes=_pairs(asked.set))


def _test(stage: Stage, given: Given) -> Finding:
    from interlith.simulation import simulated

    test = cell_test.from_table(without_references(stage.table), stage.name[-1])
    wanted = [(tuple(map(str, place)), text) for place, text in references(stage.table)]
    test, handed = with_handed(test, given, wanted)
    made = simulated(test)
    tables = {**made.finding.tables, RECORD: made.record.table, ACCOUNT: made.done.ledger.table}
    return Finding(made.finding.name, {**made.finding.summary, "handed": handed}, tables)


def _measured(stage: Stage, given: Given) -> Finding:
    from interlith.analysis import AnalyzeOptions, measured

    asked = MeasuredAsked.model_validate(stage.table)
    options = AnalyzeOptions(
        kind=asked.kind,
        area_cm2=asked.area_cm2,
        active_mass_mg=asked.active_mass_mg,
        working_electrode=asked.working_electrode,
        offset_uA=asked.offset_uA,
    )
    found, record = measured([Path(stage.path(name)) for name in asked.files], options)
    beside = None if asked.beside is None else _beside(found.summary, given["tests", asked.beside].summary)
    summary = {**found.summary, "path": ", ".join(asked.files), "beside": asked.beside, "compared": beside}
    return Finding(found.name, summary, {**found.tables, RECORD: record.table})


def _beside(measured: Mapping[str, Any], simulated: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What both tests know, one beside the other."""
    rows = []
    for result, key in COMPARED:
        ours, theirs = (side["results"].get(result, {}).get(key) for side in (simulated, measured))
        ours, theirs = (side["cycle"] if isinstance(side, Mapping) else side for side in (ours, theirs))
        if ours is not None and theirs is not None:
            rows.append({"quantity": f"{result} {key}", "measured": theirs, "simulated": ours})
    return rows


def _fit(stage: Stage, given: Given) -> Finding:
    from interlith.inference import calibrate_file

    asked = FitAsked.model_validate(stage.table)
    return calibrate_file(stage.path(asked.fit), workers=stage.workers).items[0]


def _held_out(stage: Stage, given: Given) -> Finding:
    from interlith.inference import held_out_table

    asked = HeldOutAsked.model_validate(stage.table)
    return held_out_table(asked.draws, seed=stage.seed, workers=stage.workers).items[0]


def _pouch(stage: Stage, given: Given) -> Finding:
    from interlith.design import design_cell

    asked = PouchAsked.model_validate(stage.table)
    handed = []
    efficiency = asked.efficiency
    if isinstance(efficiency, Mapping):
        text = str(efficiency[FROM])
        efficiency, origin = number_with_origin(given, text)
        handed.append({"to": "efficiency", "from": text, "value": efficiency, "kind": origin.kind})
    changes = dict(flat(without_references(asked.set)))
    for place, text in references(asked.set):
        value, origin = number_with_origin(given, text)
        name = ".".join(map(str, place))
        changes[name] = as_written(value, origin)
        handed.append({"to": name, "from": text, "value": value, "kind": origin.kind})
    options = design_options(asked, changes, efficiency, stage.seed)
    found = design_cell(stage.path(asked.cell), options).items[0]
    return replace(found, summary={**found.summary, "handed": handed})


def design_options(asked: PouchAsked, changes: Mapping[str, Any], efficiency: float | None, seed: int) -> DesignOptions:
    """How a study reads its cell; changes and efficiency: with what comes from other stages."""
    from interlith.design import PUBLISHED, DesignOptions

    return DesignOptions(
        reconcile=PUBLISHED if asked.reconcile else None,
        samples=asked.samples,
        efficiency=efficiency,
        reading=asked.reading,
        changes=_pairs(changes),
        seed=seed,
    )


DO: Mapping[str, Callable[[Stage, Given], Finding]] = {
    "surface": _surface,
    "coating": _coating,
    "tests": _test,
    "measured": _measured,
    "fits": _fit,
    "held_out": _held_out,
    "pouch": _pouch,
}


def flat(table: Mapping[str, Any], before: str = "") -> list[tuple[str, Any]]:
    """Dotted names and values of tables within tables; a table with a value is one."""
    found: list[tuple[str, Any]] = []
    for key, value in table.items():
        if isinstance(value, Mapping) and value and "value" not in value:
            found += flat(value, f"{before}{key}.")
        else:
            found.append((f"{before}{key}", value))
    return found


def _pairs(table: Mapping[str, Any]) -> tuple[str, ...]:
    """Changes as the command line writes them."""
    return tuple(f"{name}={json.dumps(value)}" for name, value in flat(table))
