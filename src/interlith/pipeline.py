"""From files to findings: read, analyze, draw, on as many cores as wanted; one bad file stops no other.

And from a study to findings: simulate, analyze the record as if it were measured, draw."""

from __future__ import annotations

import contextlib
import math
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from interlith.cycling.formats import ReadOptions
from interlith.cycling.thresholds import Thresholds
from interlith.errors import CorruptFile, InputError, InterlithError
from interlith.findings import Finding, Findings, plain, replace_parquet, safe_name, write, write_tables, writing

if TYPE_CHECKING:
    from interlith.cell.results import Simulation
    from interlith.cell.simulate import Tell as StepTell
    from interlith.cell_test import CellTest
    from interlith.cycling.analyze import Analysis
    from interlith.cycling.synthetic import Example
    from interlith.report.figures import Figure


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


FROM_TESTER = ("offset_uA", "offset_kind", "uncertainty_k2", "offset_share_of_variance", "verdict")
LISTEN_EVERY_S = 0.2  # a wait without end does not hear Ctrl-C on every system
LONGEST_NAME = 120  # names of tables and figures are longer, and no system takes more than 255
Done = tuple[Finding, "list[Figure]"]
Tell = Callable[[Finding], None]


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
        findings = _collect("Analysis of cycler files", ordered, options.thresholds)
        if out is not None and ordered:
            _write_all(findings, ordered, out)
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
    findings = replace(_collect("Demonstration on synthetic tests", done, Thresholds()), warning=warning)
    _write_all(findings, done, out)
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


@contextlib.contextmanager
def pool(n_workers: int) -> Iterator[ProcessPoolExecutor]:
    """Worker processes that end with the block, whatever they are doing then."""
    context = multiprocessing.get_context("spawn")
    executor = ProcessPoolExecutor(n_workers, mp_context=context, initializer=_begin_worker, initargs=(os.getpid(),))
    try:
        yield executor
    finally:
        for process in list((executor._processes or {}).values()):
            process.terminate()
        executor.shutdown(wait=True, cancel_futures=True)  # not waited for, it may wake a pipe that is closed at exit


def _begin_worker(caller: int) -> None:
    """Ctrl-C is the caller's to answer; and no worker outlives a caller that was killed."""
    from interlith.cycling.isolation import end_with_parent

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent(caller)


def _failed(task: Task, problem: InterlithError) -> Done:
    from interlith.cycling.present import refused

    return Finding(task.name, refused(task.paths[0], problem)), []


def fault(path: Path, problem: Exception) -> InterlithError:
    """What no file should be able to cause, told without a traceback; --debug shows that."""
    what = f"{type(problem).__name__}: {problem}".splitlines()[0][:200]
    return InterlithError(f"{path.name}: a fault of interlith ({what}); please report it with the file")


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


def simulate_study(study: CellTest, *, out: Path | None = None, tell: StepTell = lambda n_steps: None) -> Findings:
    """A study simulated, and its record analyzed like any measured one; with `out`, everything is written there."""
    from interlith.cell.models import DEFAULT_MODEL
    from interlith.cell.simulate import simulate
    from interlith.cycling import present
    from interlith.cycling.analyze import analyze

    with writable(out):
        pass
    done = simulate(
        study.cell,
        study.protocol,
        model=study.model,
        without=study.without,
        nominal_mAh_per_cm2=study.nominal_mAh_per_cm2,
        keep_interrupted=True,
        tell=tell,
    )
    formation = study.protocol.formation_cycles
    if study.cell.polarity < 0:
        formation += 1  # what a positive keeps of its first charge, or of the first at another rate, is no lithium lost
    limits = Thresholds(formation_cycles=formation)
    analysis = analyze(done.record, offset_uA=0.0, thresholds=limits)
    name = study.name if study.model == DEFAULT_MODEL else f"{study.name}-{study.model}"
    summary = plain(present.summary(analysis, Path(f"simulated-{name}")))
    summary["results"].pop("attribution", None)  # bounds on what the ledger knows
    for result in summary["results"].values():
        _without_tester(result)
    account = _simulated(study, done, summary)
    finding = Finding(safe_name(name)[:LONGEST_NAME], {**summary, **plain(account)})
    figures: list[Figure] = []
    if out is not None:
        finding, figures = _written_simulation(finding, analysis, done, out)
    warning = "SIMULATED, not measured: what the model gives for the parameters listed with it"
    findings = replace(_collect(f"Simulation of {name}", [(finding, figures)], limits), warning=warning)
    if out is not None:
        _write_all(findings, [(finding, figures)], out)
    return findings


def _simulated(study: CellTest, done: Simulation, summary: Mapping[str, Any]) -> dict[str, Any]:
    """What only a simulation knows: its ledger, what it rests on, what must be said with it."""
    from interlith.cell.fade import fade, said
    from interlith.cell.remarks import remarks, result_kind
    from interlith.cell.simulate import BY_HAND
    from interlith.parts.listing import parameters

    listed = parameters(study.cell)
    worn = fade(done, study.measured)
    found = {
        "protocol": study.protocol.name,
        "model": study.model,
        "without": list(study.without),
        "stopped": done.stopped,
        "interrupted": done.stopped is not None and done.stopped.startswith(BY_HAND),
        "said": [
            *remarks(done, listed, study.without),
            *([] if worn is None else [said(worn)]),
            *_no_short(study, summary),
            *study.notes,
        ],
        "result_kind": result_kind(done, listed, study.without),
        "ce_reservoir": summary["results"].get("reservoir", {}).get("efficiency"),
        "ledger": done.ledger.final(),
        "residual": done.ledger.residual_mAh_per_cm2,
        "parameters": listed,
    }
    return found if worn is None else {**found, "fade": {**asdict(worn), "retention": worn.retention}}


def lists() -> dict[str, list[dict[str, str]]]:
    """What a study can name: samples, protocols, mechanisms that can be switched off.

    >>> sorted(lists())
    ['mechanisms', 'models', 'protocols', 'samples']
    """
    from interlith.cell.models import MODELS
    from interlith.cell.translate import SWITCHES
    from interlith.parts.samples import names, title
    from interlith.protocol import PROTOCOLS

    return {
        "samples": [{"name": name, "what": title(name)} for name in names()],
        "protocols": [{"name": name, "what": make().title} for name, make in PROTOCOLS.items()],
        "models": [{"name": name, "what": what} for name, what in MODELS.items()],
        "mechanisms": [{"name": name, "what": switch.what} for name, switch in SWITCHES.items()],
    }


def _without_tester(result: dict[str, Any]) -> None:
    """A simulated current has no offset, and so an efficiency made of it no uncertainty to speak of."""
    if "offset_uA" not in result:
        return
    for key in FROM_TESTER:
        result.pop(key, None)
    result["notes"] = [note for note in result.get("notes", []) if not note.startswith("current offset")]


def _no_short(study: CellTest, summary: Mapping[str, Any]) -> list[str]:
    """What to think of a short that the rules see in a cell without one."""
    verdict = summary["results"].get("shorts", {}).get("verdict", "none seen")
    if verdict == "none seen" or study.cell.short_conductance_S_per_cm2 > 0:
        return []
    return [f"there is no short in this cell: '{verdict}' is what the rule for measured cells makes of revived lithium"]


def _written_simulation(finding: Finding, analysis: Analysis, done: Simulation, out: Path) -> Done:
    """The finding with its tables, written with its record, its whole ledger and its figures."""
    from interlith.cell.results import depth, ramps
    from interlith.cycling import present
    from interlith.cycling.annotate import annotated
    from interlith.record import write_record
    from interlith.report.figures import draw

    tables = {"ledger": done.ledger.cycles(), "steps": pl.DataFrame([asdict(step) for step in done.steps])}
    some = {"ramps": ramps(done), "depth": depth(done), "impedance-parts": done.impedance_parts}
    tables |= {name: table for name, table in some.items() if table is not None}
    whole = replace(finding, tables={**present.tables(analysis), **tables})
    write_tables(whole, out)
    with writing(out / "records") as records:
        write_record(annotated(analysis.cycled), records / f"{finding.name}.bdf.parquet")
        replace_parquet(records / f"{finding.name}.ledger.parquet", done.ledger.table)
        replace_parquet(records / f"{finding.name}.states.parquet", done.states)
        if done.profiles is not None:
            replace_parquet(records / f"{finding.name}.depth.parquet", done.profiles)
    return finding, draw(whole, out)


def _collect(title: str, done: Sequence[Done], thresholds: Thresholds) -> Findings:
    return Findings(title, tuple(finding for finding, _ in done), tuple(thresholds.table()))


def _write_all(findings: Findings, done: Sequence[Done], out: Path) -> None:
    from interlith.report.page import write_page

    write(findings, out)
    write_page(findings, {finding.name: figures for finding, figures in done}, out)


def head(kind: str, name: str, title: str, said: list[str]) -> dict[str, Any]:
    """What every answer says that is not about a file: its kind, and the sentences that go with it."""
    return {"path": name, "kind": kind, "kind_reason": title, "error": None, "flags": [], "said": said}


@contextlib.contextmanager
def writable(out: Path | None) -> Iterator[None]:
    """Refused before the work, not after it."""
    if out is not None:
        with writing(out):
            pass
    yield


def answered(
    title: str,
    name: str,
    summary: Mapping[str, Any],
    tables: Mapping[str, pl.DataFrame],
    warning: str | None,
    out: Path | None,
) -> Findings:
    """One finding that is not about a file; with `out`, its tables, figures and page are written there."""
    finding = Finding(safe_name(name), plain(summary), tables)
    findings = Findings(title, (finding,), warning=warning)
    if out is not None:
        from interlith.report.figures import draw

        write_tables(finding, out)
        _write_all(findings, [(finding, draw(finding, out))], out)
    return findings
