"""The commands of a study: run, check, demo, examples, sweep, merge, doctor. Each is one call; no physics here."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from interlith.cli_options import Debug, Json, Out, Quiet
from interlith.cli_running import STOPPED_KEPT, compiling_told, errors_told, progress_told
from interlith.errors import InputError

if TYPE_CHECKING:
    from interlith.findings import Findings
    from interlith.running import Outcome
    from interlith.study import Study

DEMO = "reference"
STAGE_FAILED, NOT_WELL = 4, 5
Given = Annotated[str | None, typer.Argument(help="A study file, or a shipped study.", metavar="[STUDY.toml|NAME]")]
Workers = Annotated[int | None, typer.Option(min=1, help="Processes; as many as cores.")]
Outside = Annotated[bool, typer.Option("--allow-outside", help="Files may lie outside of the study's folder.")]


def run(
    study: Given = None,
    resume: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Go on with the run in a folder, by the study in it.")
    ] = None,
    fast: Annotated[bool, typer.Option("--fast", help="Fewer draws: a first look.")] = False,
    allow_outside: Outside = False,
    out: Out = None,
    workers: Workers = None,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Carry out a study, stage by stage, beside what was expected.

    What is kept in the folder is not computed again; the exit status is 4 when a stage failed.
    """
    with errors_told(debug, stopped=STOPPED_KEPT):
        from interlith.study_run import fast as as_fast
        from interlith.study_run import run as carry_out

        if (study is None) == (resume is None):
            raise InputError("give a study file, a shipped study (interlith examples lists them), or --resume DIR")
        asked = _asked(study, resume, allow_outside)
        folder = out or resume or Path(f"interlith-{asked.name}")
        models_told(asked, quiet)
        with stages_told(quiet) as tell:
            findings = carry_out(as_fast(asked) if fast else asked, folder, workers=workers, tell=tell)
        told(findings, folder, as_json)


def _asked(study: str | None, resume: Path | None, allow_outside: bool) -> Study:
    from interlith.study import read_study
    from interlith.study_run import study_of_run

    if study is not None:
        return read_study(study, allow_outside=allow_outside)
    assert resume is not None
    return study_of_run(resume, allow_outside=allow_outside)


def demo(
    out: Annotated[Path, typer.Option(help="Folder of the run.")] = Path("interlith-demo"),
    workers: Workers = None,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """The reference study with few draws: what comes out."""
    with errors_told(debug, stopped=STOPPED_KEPT):
        from interlith.study import read_study
        from interlith.study_run import fast
        from interlith.study_run import run as carry_out

        asked = fast(read_study(DEMO))
        models_told(asked, quiet)
        with stages_told(quiet) as tell:
            findings = carry_out(asked, out, workers=workers, tell=tell)
        told(findings, out, as_json)


def check(
    study: Given = None,
    allow_outside: Outside = False,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Say what is wrong in a study, or what it would do."""
    with errors_told(debug):
        from interlith.checking import check as check_stages
        from interlith.study import read_study

        if study is None:
            raise InputError("give a study file, or a shipped study: interlith examples lists them")
        asked = read_study(study, allow_outside=allow_outside)
        stages = check_stages(asked)
        found = {
            "study": asked.name,
            "title": asked.title,
            "stages": [{"name": stage.label, "needs": [".".join(need) for need in stage.needs]} for stage in stages],
            "n_expected": len(asked.asked.expect),
        }
        if as_json:
            typer.echo(json.dumps(found, ensure_ascii=False))
            return
        from interlith.report.terminal_study import print_plan

        print_plan(found)


def examples(
    name: Annotated[str | None, typer.Argument(help="One of them, to be copied.", metavar="[NAME]")] = None,
    kind: Annotated[str | None, typer.Option(help="Where a name is that of several: study, recipe, cell, ...")] = None,
    out: Annotated[Path, typer.Option(help="Folder for the copy.")] = Path(),
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """List what is shipped, or copy one of it."""
    with errors_told(debug):
        from interlith.examples import copy
        from interlith.examples import examples as all_examples

        if name is not None:
            path = copy(name, out, kind)
            typer.echo(json.dumps({"copied": str(path)}) if as_json else f"copied to {path}")
            return
        if as_json:
            typer.echo(json.dumps([asdict(one) for one in all_examples()], ensure_ascii=False))
            return
        from interlith.report.terminal_study import print_examples

        print_examples([asdict(one) for one in all_examples()])


def sweep(
    file: Annotated[str, typer.Argument(help="A sweep file, or a shipped sweep.", metavar="SWEEP.toml|NAME")],
    executor: Annotated[
        str, typer.Option(metavar="KIND", help="serial, pool, dask, slurm, or a scheduler's tcp://HOST:PORT.")
    ] = "pool",
    shard: Annotated[str, typer.Option(metavar="I/N", help="Every N-th unit, beginning with the I-th.")] = "1/1",
    allow_outside: Outside = False,
    out: Out = None,
    workers: Workers = None,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """One study in many variants, every unit kept.

    Units that are kept in the folder are not computed again; one that fails is a result with its error. The exit
    status is 4 when all of them failed.
    """
    with errors_told(debug, stopped=STOPPED_KEPT):
        from interlith.sweep import read_sweep
        from interlith.sweep_run import shard_of, sweep_in

        asked, part = read_sweep(file, allow_outside=allow_outside), shard_of(shard)
        folder = out or Path(f"interlith-{asked.name}" + ("" if part[1] == 1 else f"-{part[0]}-of-{part[1]}"))
        with units_told(quiet) as tell:
            findings = sweep_in(asked, folder, executor=executor, workers=workers, shard=part, tell=tell)
        swept(findings, folder, as_json)


def merge(
    file: Annotated[str, typer.Argument(help="The sweep file of all shards.", metavar="SWEEP.toml")],
    folders: Annotated[list[Path], typer.Argument(help="Folders of shards.", metavar="DIR")],
    allow_outside: Outside = False,
    out: Out = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Bring the shards of a sweep together."""
    with errors_told(debug):
        from interlith.sweep_run import merge as bring_together

        folder = out or Path(f"interlith-{Path(file).stem}")
        swept(bring_together(file, folders, folder, allow_outside=allow_outside), folder, as_json)


def doctor(
    verify: Annotated[
        list[Path] | None, typer.Option(metavar="DIR", help="Hash all that a run's folder keeps; repeatable.")
    ] = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Versions, extras, caches; --verify: whether a run is whole.

    The exit status is 5 when something is not well.
    """
    with errors_told(debug):
        from interlith.doctor import check_run, examine

        found = [one for folder in verify for one in check_run(folder)] if verify else examine()
        if as_json:
            typer.echo(json.dumps([asdict(one) for one in found], ensure_ascii=False))
        else:
            from interlith.report.terminal_study import print_examined

            print_examined([asdict(one) for one in found])
        raise typer.Exit(NOT_WELL if any(one.is_well is False for one in found) else 0)


def swept(findings: Findings, folder: Path, as_json: bool) -> None:
    """The findings of a sweep, and the exit status."""
    summary = findings.items[0].summary
    if as_json:
        typer.echo(json.dumps(summary, ensure_ascii=False))
    else:
        from interlith.report.terminal_study import print_sweep

        print_sweep(findings, folder / "report.html")
    raise typer.Exit(STAGE_FAILED if summary["n_failed"] and not summary["n_done"] else 0)


def told(findings: Findings, folder: Path, as_json: bool) -> None:
    """The findings of a study, and the exit status."""
    summary = findings.items[0].summary
    if as_json:
        typer.echo(json.dumps(summary, ensure_ascii=False))
    else:
        from interlith.report.terminal_study import print_study

        print_study(findings, folder / "report.html")
    raise typer.Exit(STAGE_FAILED if summary["error"] else 0)


def models_told(asked: Study, quiet: bool) -> None:
    """Say that models are compiled first, where that is so."""
    from interlith.running import must_compile

    if not quiet and must_compile(asked):
        compiling_told("the models", "about a minute")


@contextmanager
def units_told(quiet: bool) -> Iterator[Callable[[int, int, int], None]]:
    """Tell how many units are done, and how many of them failed."""
    with late_progress(quiet, "units") as told_of:
        yield lambda n_done, n, n_failed: told_of(n_done, n, f"{n_failed} failed" if n_failed else "")


@contextmanager
def stages_told(quiet: bool) -> Iterator[Callable[[Outcome, int, int], None]]:
    """Tell which stages are done: a bar on a terminal, a plain line every 30 s otherwise."""
    with late_progress(quiet, "stages") as told_of:
        yield lambda outcome, n_done, n: told_of(n_done, n, outcome.stage.label)


@contextmanager
def late_progress(quiet: bool, unit: str) -> Iterator[Callable[[int, int, str], None]]:
    """Progress of what is only counted once it begins."""
    with ExitStack() as stack:
        held: list[Callable[[int, str], None]] = []

        def tell(n_done: int, n: int, name: str) -> None:
            if not held:
                held.append(stack.enter_context(progress_told(n, quiet, unit)))
            held[0](n_done, name)

        yield tell
