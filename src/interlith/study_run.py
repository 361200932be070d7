"""`interlith run`: a study carried out in a folder, as findings: the table, every stage's tables and records, one page.

The folder is the run: study.toml as it was, manifest.sqlite and blobs (what is kept of every stage), findings.json,
tables, records, figures, report.html and ro-crate-metadata.json.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import polars as pl

from interlith import __version__
from interlith.checking import check
from interlith.crate import write_crate
from interlith.errors import InputError
from interlith.expected import Row, rows
from interlith.findings import (
    Finding,
    Findings,
    file_name,
    plain,
    replace_file,
    replace_parquet,
    write,
    write_tables,
    writing,
)
from interlith.handing import Given
from interlith.origin import origin, refuse_foreign, settle
from interlith.pipeline import ACCOUNT, RECORD
from interlith.running import Outcome, Tell, conduct, plan
from interlith.store import Store, open_store, read_store
from interlith.study import Study, StudyFile, read_study
from interlith.sweep import SWEEP_OF
from interlith.written import read_file

WARNING = "SIMULATED and COMPUTED but for what is called measured: the kind of each number stands beside it"
STUDY = "study.toml"
KEPT_FILES = (RECORD, ACCOUNT)
PACKAGES = ("numpy", "scipy", "numba", "polars", "pydantic", "matplotlib")
FEW = 8  # draws below which a span says little
FAST = {"held_out": {"draws": 2}, "pouch": {"reconcile": False, "samples": 20_000}}  # settings of a demonstration


def run(
    study: Study,
    out: Path,
    *,
    workers: int | None = None,
    tell: Tell = lambda outcome, n_done, n: None,
) -> Findings:
    """Carry out a study in a folder, and write all that it found there. What is kept there is not computed again.

    Raises InputError for a study that cannot be, for a folder that holds another study, or that another run writes
    into; a stage that fails is told in the findings, and stops only what takes from it.
    """
    stages = check(study)
    refuse_foreign(out)
    with open_store(out, study.name) as store:
        settle(study.file, store, out)
        before = _names_before(store)
        number = store.begin(study.file.text)
        with writing(out):
            replace_file(out / STUDY, study.file.text.encode())
        try:
            outcomes = conduct(stages, store, number, workers=workers or os.cpu_count() or 1, tell=tell)
            findings = told(study, list(outcomes.values()))
            _forget(out, before - {item.name for item in findings.items})
            _write(findings, out)
        except BaseException as problem:
            store.end(number, "stopped" if isinstance(problem, KeyboardInterrupt) else "broken")
            raise
        store.end(number, "failed" if any(one.error for one in outcomes.values()) else "done")
        write_crate(out, findings.items[0].summary, store.history())
    return findings


def study_of_run(out: Path, *, allow_outside: bool = False) -> Study:
    """The study that lies in a folder of a run; its files are looked for beside the file that it was copied from.

    Raises InputError where there is none.
    """
    with read_store(out) as store:
        name, own = store.name, origin(store, out)
    if name.startswith(SWEEP_OF):
        raise InputError(f"{out}: holds a {name}; interlith sweep goes on with it, with --out {out}")
    if not (out / STUDY).is_file():
        raise InputError(f"{out}: has no {STUDY}; run the study itself again, with --out {out}")
    copy = read_study(str(out / STUDY), name, allow_outside=allow_outside)
    if own is None:
        return copy
    if own.is_file() and read_file(own).text == copy.file.text:
        return read_study(str(own), name, allow_outside=allow_outside)
    try:
        plan(copy)
    except InputError as problem:
        why = f"changed since {out} was made" if own.is_file() else "gone"
        raise InputError(
            f"{own}: is {why}, and its files lie beside it; run it itself, with --out {out} ({problem})"
        ) from None
    return copy


def fast(study: Study) -> Study:
    """The same study with fewer draws, for a demonstration; what is fewer is said in its note."""
    asked, said = study.asked, []
    for name, values in FAST.items():
        held = getattr(asked, name)
        if held is not None:
            asked = asked.model_copy(update={name: held.model_copy(update=values)})
            said += [f"{name}.{key} = {json.dumps(value)}" for key, value in values.items()]
    if said:
        note = f"{asked.note} With fast settings: {', '.join(said)}; study.toml has the full ones.".strip()
        asked = asked.model_copy(update={"note": note})
    return replace(study, asked=asked)


def told(study: Study, outcomes: Sequence[Outcome]) -> Findings:
    """The findings of a study: first its own, with the table, then those of its stages."""
    found: Given = {one.stage.name: one.finding for one in outcomes if one.finding is not None}
    failed = {one.stage.name: one.error["message"] for one in outcomes if one.error is not None}
    table = rows(study, {name: finding.summary for name, finding in found.items()}, failed)
    own = Finding(study.name, plain(_summary(study, outcomes, table, found)), _tables(table))
    return Findings(study.title, (own, *found.values()), warning=WARNING)


def _summary(study: Study, outcomes: Sequence[Outcome], table: Sequence[Row], found: Given) -> dict[str, Any]:
    asked = study.asked
    errors = [one for one in outcomes if one.how == "failed" and one.error is not None]
    return {
        "path": study.name,
        "kind": "study",
        "kind_reason": study.title,
        "error": None if not errors else dict(errors[0].error or {}),
        "flags": [],
        "title": study.title,
        "ask": asked.ask,
        "source": asked.source,
        "note": asked.note,
        "seed": asked.seed,
        "said": [*([asked.note] if asked.note else []), *_drawn(asked), *_said(table, errors)],
        "rows": [asdict(row) for row in table],
        "stages": [one.as_json() for one in outcomes],
        "handed": [
            {"stage": ".".join(name), **row}
            for name, finding in found.items()
            for row in finding.summary.get("handed") or ()
        ],
        "versions": versions(),
    }


def _drawn(asked: StudyFile) -> list[str]:
    """Of how many draws the spans are: with few of them they are narrow."""
    if asked.held_out is None:
        return []
    n = asked.held_out.draws
    return [f"held out: spans are those of {n} draws of what is assumed" + ("; few, and so narrow" if n < FEW else "")]


def _said(table: Sequence[Row], errors: Sequence[Outcome]) -> list[str]:
    """How many rows are met, by kind: nothing calibrated is counted as predicted."""
    said = [f"{one.stage.label} failed: {(one.error or {})['message']}" for one in errors]
    for kind in ("computed", "predicted", "calibrated", "audit"):
        known = [row for row in table if row.kind == kind and row.within is not None]
        if known:
            done = "close" if kind == "audit" else "are met"
            said.append(f"{kind}: {sum(bool(row.within) for row in known)} of {len(known)} {done}")
    return said


def versions() -> dict[str, str]:
    """What computed it: interlith, Python, the machine, and the packages that numbers depend on."""
    found = {"interlith": __version__, "python": platform.python_version(), "machine": platform.machine()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _tables(table: Sequence[Row]) -> dict[str, pl.DataFrame]:
    if not table:
        return {}
    shown = [{**asdict(row), "paper": _text(row.paper), "ours": _text(row.ours)} for row in table]
    return {"rows": pl.DataFrame(shown, infer_schema_length=None)}


def _text(value: Any) -> str:
    if isinstance(value, list):
        return " to ".join(_text(end) for end in value)
    return "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)


# ---- the folder


def _write(findings: Findings, out: Path) -> None:
    """Everything into the folder, what was kept too: an earlier study may have left other files there."""
    for item in findings.items:
        _write_stage(item, out)
    bare = replace(findings, items=tuple(replace(item, tables={}) for item in findings.items))
    write(bare, out)
    from interlith.report.story import write_story

    write_story(findings, out)


def _write_stage(item: Finding, out: Path) -> None:
    write_tables(replace(item, tables={k: v for k, v in item.tables.items() if k not in KEPT_FILES}), out)
    with writing(out / "records") as records:
        for name, path in _record_files(item, records).items():
            replace_parquet(path, item.tables[name])


def _record_files(item: Finding, records: Path) -> dict[str, Path]:
    names = {RECORD: "bdf", ACCOUNT: "ledger"}
    return {name: records / f"{item.name}.{names[name]}.parquet" for name in KEPT_FILES if name in item.tables}


def _names_before(store: Store) -> set[str]:
    """Names of files of all stages that the folder ever had, whoever wrote its manifest."""
    return {file_name(row["name"]) for earlier in store.history() for row in earlier["uses"]}


def _forget(out: Path, gone: set[str]) -> None:
    """Files of stages that the study had, and has no more."""
    for name in gone:
        for folder in ("tables", "records", "figures"):
            for path in (out / folder).glob(f"{name}.*"):
                path.unlink()
