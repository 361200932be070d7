"""From cycler files to findings: read, analyze, draw, on as many cores as wanted; one bad file stops no other."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from interlith.answers import Done, collected, fault, written_with_page
from interlith.cycling.formats import ReadOptions
from interlith.cycling.thresholds import Thresholds
from interlith.errors import CorruptFile, InputError, InterlithError
from interlith.findings import LONGEST_NAME, Finding, Findings, plain, safe_name, write_tables, writing
from interlith.workers import LISTEN_EVERY_S, pool

if TYPE_CHECKING:
    from interlith.cycling.analyze import Analysis
    from interlith.cycling.synthetic import Example
    from interlith.record import Record

Tell = Callable[[Finding], None]


@dataclass(frozen=True)
class AnalyzeOptions:
    """What a person says of the files beside naming them. None: not said."""

    kind: str | None = None
    area_cm2: float | None = None
    active_mass_mg: float | None = None
    working_electrode: Any = None
    offset_uA: float | None = None
    range_mA: float | None = None
    thresholds: Thresholds = field(default_factory=Thresholds)
    reading: ReadOptions = field(default_factory=ReadOptions)
    spectra: Path | None = None
    use_cache: bool = True
    debug: bool = False

    def __post_init__(self) -> None:
        """Refuse at once what would be wrong for every file."""
        positive = {"--area-cm2": self.area_cm2, "--mass-mg": self.active_mass_mg, "--range-mA": self.range_mA}
        for name, value in positive.items():
            if value is not None and not 0 < value < math.inf:
                raise InputError(f"{name} {value:g}: must be a positive number")
        for name, value in (("--offset-uA", self.offset_uA), ("--current-mA", self.reading.current_mA)):
            if value is not None and not math.isfinite(value):
                raise InputError(f"{name} {value:g}: must be a number")


@dataclass(frozen=True)
class Task:
    """One finding to be made: its name, and the files it is made of (more than one: parts of one test)."""

    name: str
    paths: tuple[Path, ...]


def analyze_files(
    paths: Sequence[Path],
    options: AnalyzeOptions,
    *,
    out: Path | None = None,
    workers: int | None = None,
    join: bool = False,
    tell: Tell = lambda finding: None,
) -> Findings:
    """Findings of all files, in the order given; with `out`, tables, figures and one page are written there.

    A file that cannot be read becomes a finding with an error. tell(finding) is called as each is done. On Ctrl-C what
    is done is written, then KeyboardInterrupt goes on.
    """
    tasks = tasks_of(paths, join=join)
    done: dict[str, Done] = {}
    try:
        for result in _results(tasks, options, out, workers):
            done[result[0].name] = result
            tell(result[0])
    finally:
        ordered = [done[task.name] for task in tasks if task.name in done]
        findings = collected("Analysis of cycler files", ordered, options.thresholds)
        if out is not None and ordered:
            written_with_page(findings, ordered, out)
    return findings


def analyze_examples(examples: Sequence[Example], out: Path, tell: Tell = lambda finding: None) -> Findings:
    """The SYNTHETIC tests analyzed, truth beside result, written with their files into `out`."""
    from interlith.cycling.synthetic import beside_truth, write_example

    done: list[Done] = []
    for example in examples:
        path = write_example(example, out / "files")
        finding, figures = _one(Task(f"synthetic-{example.name}", (path,)), AnalyzeOptions(), out)
        summary = {**finding.summary, "truth": beside_truth(example, finding.summary)}
        finding = replace(finding, summary=summary)
        done.append((finding, figures))
        tell(finding)
    warning = "SYNTHETIC tests of known truth: made by a bookkeeping rule, measured by nobody"
    findings = replace(collected("Demonstration on synthetic tests", done, Thresholds()), warning=warning)
    written_with_page(findings, done, out)
    return findings


def tasks_of(paths: Sequence[Path], *, join: bool) -> list[Task]:
    """Files and the files of folders as tasks with names of their own. Raises InputError for none."""
    files = [file for path in paths for file in _expanded(path)]
    if not files:
        raise InputError("no files in " + ", ".join(str(path) for path in paths))
    if join:
        return [Task(safe_name(files[0].stem)[:LONGEST_NAME] + "-joined", tuple(files))]
    tasks: dict[str, Task] = {}
    for file in files:
        name = plain_name = safe_name(file.name)[:LONGEST_NAME]
        count = 1
        while name in tasks:
            count += 1
            name = f"{plain_name}-{count}"
        tasks[name] = Task(name, (file,))
    return list(tasks.values())


def _expanded(path: Path) -> list[Path]:
    try:
        if not path.is_dir():
            return [path]
        return sorted(p for p in path.rglob("*") if p.is_file() and not p.name.startswith("."))
    except OSError:  # no permission, or a name longer than there can be: reading it will say so
        return [path]


def _results(tasks: list[Task], options: AnalyzeOptions, out: Path | None, workers: int | None) -> Iterator[Done]:
    n_workers = min(workers or os.cpu_count() or 1, len(tasks))
    if n_workers == 1:
        yield from (_one(task, options, out) for task in tasks)
        return
    unsettled: list[Task] = []
    with pool(n_workers) as executor:
        futures: dict[Future[Done], Task] = {executor.submit(_one, task, options, out): task for task in tasks}
        waiting = set(futures)
        while waiting:
            finished, waiting = wait(waiting, timeout=LISTEN_EVERY_S, return_when=FIRST_COMPLETED)
            for future in finished:
                if isinstance(future.exception(), BrokenProcessPool):
                    unsettled.append(futures[future])
                else:
                    yield future.result()
    for task in unsettled:  # one of them killed its process, and took the others with it: each alone now
        yield _alone(task, options, out)


def _alone(task: Task, options: AnalyzeOptions, out: Path | None) -> Done:
    with pool(1) as executor:
        try:
            return executor.submit(_one, task, options, out).result()
        except BrokenProcessPool:
            why = f"{task.paths[0].name}: the process that analyzed it was killed, perhaps for memory"
            return _failed(task, CorruptFile(why))


def _failed(task: Task, problem: InterlithError) -> Done:
    from interlith.cycling.present import refused

    return Finding(task.name, refused(task.paths[0], problem)), []


def _one(task: Task, options: AnalyzeOptions, out: Path | None) -> Done:
    from interlith.cycling import present

    try:
        analysis = _analysis(task, options)
    except InterlithError as problem:
        return _failed(task, problem)
    except Exception as problem:
        if options.debug:
            raise
        return _failed(task, fault(task.paths[0], problem))
    path = task.paths[0]
    finding = Finding(task.name, plain(present.summary(analysis, path)))
    if out is None:
        return finding, []
    from interlith.cycling.annotate import annotated
    from interlith.record import write_record
    from interlith.report.figures import draw

    whole = replace(finding, tables=present.tables(analysis))
    write_tables(whole, out)
    with writing(out / "records") as records:
        write_record(annotated(analysis.cycled), records / f"{task.name}.bdf.parquet")
    return finding, draw(whole, out)


def measured(paths: Sequence[Path], options: AnalyzeOptions) -> tuple[Finding, Record]:
    """Files, parts of one test, analyzed: the finding with its tables, and the record with mode and half cycles.

    Raises InterlithError for what cannot be read: nothing stands in for it.
    """
    from interlith.cycling import present
    from interlith.cycling.annotate import annotated

    task = Task(safe_name(paths[0].stem)[:LONGEST_NAME], tuple(paths))
    analysis = _analysis(task, options)
    summary = plain(present.summary(analysis, paths[0]))
    return Finding(task.name, summary, present.tables(analysis)), annotated(analysis.cycled)


def _analysis(task: Task, options: AnalyzeOptions) -> Analysis:
    from interlith.cycling.analyze import analyze
    from interlith.cycling.companion import spectra_beside, spectra_from
    from interlith.cycling.join import join
    from interlith.cycling.reading import read

    records = [read(path, options.reading, use_cache=options.use_cache) for path in task.paths]
    record = records[0] if len(records) == 1 else join(records)
    if options.spectra is not None:
        spectra, flags = spectra_from(options.spectra, use_cache=options.use_cache)
    else:
        found, flags = spectra_beside(task.paths[0], record, use_cache=options.use_cache)
        spectra = found  # type: ignore[assignment]
    return analyze(
        record.with_flags(flags),
        kind=options.kind,
        area_cm2=options.area_cm2,
        active_mass_mg=options.active_mass_mg,
        working_electrode=options.working_electrode,
        thresholds=options.thresholds,
        offset_uA=options.offset_uA,
        range_mA=options.range_mA,
        spectra=spectra,
    )
