"""A study carried out: which stages there are, what of them is kept already, what is computed, in which order.

Each stage is kept by its content (stage, code, keys as written, what it takes from others, its files, seed). So the
same study in the same folder computes nothing again, a change computes only what lies below it, and a kill loses
nothing that was done.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal, Self

from interlith import __version__
from interlith.errors import CorruptFile, InterlithError, fault_said
from interlith.findings import Finding, file_name, plain
from interlith.handing import Given
from interlith.pipeline import Stage, do
from interlith.store import Store, Unit, key_of
from interlith.study import (
    Path_,
    Place,
    Study,
    made_test,
    names_of,
    needs_of,
    ordered,
    path_of,
    stage_of,
    table_of_stage,
)
from interlith.workers import LISTEN_EVERY_S, Here, pool
from interlith.written import MOST_SHOWN, File, is_file, is_there, read_file, table_of

VERSION = 1  # of what is kept of a stage
HEAVY = ("fits", "held_out")  # stages that use all workers by themselves
SHIPPED_PACKAGES = {  # keys of files -> where names without a suffix are looked up
    "surfaces": "interlith.surface",
    "recipe": "interlith.coating",
    "fit": "interlith.cell.inference",
    "cell": "interlith.pouch",
}
CODE = {  # wings whose code a stage runs
    "surface": ("surface",),
    "coating": ("coating", "host"),
    "tests": ("cell", "cycling", "host"),
    "measured": ("cycling",),
    "fits": ("cell", "cycling"),
    "held_out": ("cell",),
    "pouch": ("pouch",),
}
KILLED = {
    "type": "EnvironmentError_",
    "message": "the process that computed it was killed, perhaps for memory; the same command tries it again",
}
CHANGED = {"type": "InputError", "message": "its files changed while it was computed; the same command goes on"}
TELLS = Literal["computed", "kept", "failed", "waiting"]
Tell = Callable[["Outcome", int, int], None]  # a stage that ended, how many did, of how many


@dataclass(frozen=True)
class Outcome:
    """What became of a stage: its finding, or why there is none. key: "" where it could not even begin."""

    stage: Stage
    how: TELLS
    seconds: float
    key: str = ""
    blob: str = ""
    finding: Finding | None = None
    error: Mapping[str, str] | None = None

    def as_json(self) -> dict[str, Any]:
        """A row of the manifest."""
        return {
            "name": self.stage.label,
            "how": self.how,
            "seconds": round(self.seconds, 3),
            "key": self.key,
            "result": self.blob,
            "error": None if self.error is None else dict(self.error),
        }


def plan(study: Study) -> list[Stage]:
    """The stages of a study, each after those that it takes from.

    Raises InputError for a file that is not there, and for one outside of the study's folder unless that is allowed.
    """
    return [_stage(study, name) for name in ordered(study)]


def must_compile(study: Study) -> bool:
    """Whether a model that a test of the study runs on is not compiled yet."""
    from interlith.cell.compiled import is_kept
    from interlith.cell.models import kernel_name

    tests = [made_test(study, name) for name in study.asked.tests]
    return any(not is_kept(kernel_name(test.cell, test.model)) for test in tests)


def conduct(stages: Sequence[Stage], store: Store, run: int, *, workers: int, tell: Tell) -> dict[Path_, Outcome]:
    """All stages: taken from the store where they are kept, else computed and recorded one by one.

    A stage that fails stops only those that take from it. On Ctrl-C what was recorded stays.
    """
    done: dict[Path_, Outcome] = {}

    def ended(outcome: Outcome) -> None:
        done[outcome.stage.name] = outcome
        if outcome.key:
            store.use(run, outcome.stage.label, outcome.key, outcome.how != "kept")
        tell(outcome, len(done), len(stages))

    waiting = list(stages)
    running: dict[Future[Any], Begun] = {}
    with _Hands(workers) as hands:
        while waiting or running:
            ready = [stage for stage in waiting if all(need in done for need in stage.needs)]
            light = [stage for stage in ready if not stage.is_heavy]
            chosen = light if light or running else ready[:1]  # one that uses all workers has them alone
            waiting = [stage for stage in waiting if stage not in chosen]
            begun = [_begin(stage, store, done) for stage in chosen]
            for one in begun:
                if isinstance(one, Outcome):
                    ended(one)
            work = [one for one in begun if isinstance(one, Begun)]
            for one in work:
                is_alone = one.stage.is_heavy or (len(work) == 1 and not running)
                running[hands.future(one, done, is_alone=is_alone)] = one
            if running:
                finished, _ = wait(running, timeout=LISTEN_EVERY_S, return_when=FIRST_COMPLETED)
                for future in finished:
                    one = running.pop(future)
                    ended(_record(store, one, hands.again(one, done) if _is_lost(future) else future))
    return {stage.name: done[stage.name] for stage in stages}


# ---- the plan


def _stage(study: Study, name: Path_) -> Stage:
    table = table_of_stage(study, name)
    given_files = named_files(study, name)
    if len({given for _, given in given_files}) < len(given_files):
        raise study.at(given_files[0][0], f"{'.'.join(map(str, given_files[0][0]))}: the same file twice")
    files = {given: _file(study, place, given) for place, given in given_files}
    needs = {stage_of(path_of(text), names_of(study)) for _, text in needs_of(study, name)}
    return Stage(
        name,
        table,
        {given: path for given, path in files.items() if path is not None},
        tuple(sorted(need for need in needs if need is not None)),
        study.asked.seed,
        name[0] in HEAVY or (name[0] == "surface" and table["is_computed"]),
    )


def named_files(study: Study, name: Path_) -> list[tuple[Place, str]]:
    """The files that a stage names, with the place of each in the study."""
    table = table_of_stage(study, name)
    if name[0] == "measured":
        return [((*name, "files"), given) for given in table["files"]]
    key = {"surface": "surfaces", "coating": "recipe", "fits": "fit", "pouch": "cell"}.get(name[0])
    return [] if key is None else [((*name, key), table[key])]


def _file(study: Study, place: Place, given: str) -> Path | None:
    """Where a file lies that a study names; None for the name of a shipped one."""
    path = study.file.folder / given
    if str(place[-1]) in SHIPPED_PACKAGES and not Path(given).suffix and not is_file(path):
        return None
    if not is_file(path):
        why = "no file; those of a folder are named each" if is_there(path) else "no such file beside the study"
        raise study.at(place, f"{place[-1]} = {given[:MOST_SHOWN]}: {why}")
    _within(study, place, given, path)
    if str(place[-1]) in SHIPPED_PACKAGES:
        file = read_file(path)
        for other in _nested(file):
            _within(study, place, f"{given}, which names {other}", file.folder / other)
    return path


def _within(study: Study, place: Place, given: str, path: Path) -> None:
    inside = path.resolve().is_relative_to(study.file.folder.resolve())
    if not inside and not study.allow_outside:
        raise study.at(
            place, f"{place[-1]} = {given}: lies outside the folder of the study; --allow-outside takes it all the same"
        )


def _nested(file: File) -> list[str]:
    """Names in a file that are those of files beside it."""

    def words(held: Any) -> Iterator[str]:
        if isinstance(held, str):
            yield held
        elif isinstance(held, Mapping):
            for value in held.values():
                yield from words(value)
        elif isinstance(held, list):
            for value in held:
                yield from words(value)

    found = (word for word in words(table_of(file)) if 0 < len(word) < 255 and "\n" not in word)
    return sorted({word for word in found if is_file(file.folder / word)})


# ---- what a stage is


def _key(stage: Stage, blobs: Mapping[Path_, str]) -> tuple[str, dict[str, Any], dict[str, str]]:
    """The key of a stage, its parameters and its inputs."""
    inputs = {f"stage {'.'.join(need)}": blobs[need] for need in stage.needs} | inputs_of(stage)
    parameters = {"stage": stage.label, **plain(stage.table)}
    return key_of(stage.name[0], VERSION, parameters, inputs, stage.seed), parameters, inputs


def inputs_of(stage: Stage) -> dict[str, str]:
    """Hashes of what a stage reads besides its keys: files, files that they name, and the code."""
    inputs = {"code": _code(CODE[stage.name[0]])}
    return inputs | {f"file {name}": _hash_of_file(path) for name, path in files_of(stage).items()}


def files_of(stage: Stage) -> dict[str, Path]:
    """All files that a stage reads: those that the study names, and those that these name."""
    found: dict[str, Path] = {}
    for given, path in stage.files.items():
        found[given] = path
        if stage.name[0] != "measured":
            file = read_file(path)
            found |= {f"{given} > {other}": file.folder / other for other in _nested(file)}
    return found


def _hash_of_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@cache
def _code(wings: tuple[str, ...]) -> str:
    """A hash of the code and the data that a stage runs with: another release, or a change, computes anew."""
    root = resources.files("interlith")
    told = hashlib.sha256(__version__.encode())
    with resources.as_file(root) as folder:
        found = [*folder.glob("*.py"), *(p for wing in ("parts", *wings) for p in (folder / wing).rglob("*"))]
        for path in sorted(found):
            if path.suffix in (".py", ".toml", ".json", ".csv") and not path.name.startswith("cli"):
                told.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return told.hexdigest()


# ---- carrying out


@dataclass(frozen=True)
class Begun:
    """A stage that is to be computed: its key, and what that was made of."""

    stage: Stage
    key: str
    parameters: Mapping[str, Any]
    inputs: Mapping[str, str]


def _begin(stage: Stage, store: Store, done: Mapping[Path_, Outcome]) -> Outcome | Begun:
    """A stage that is kept, or cannot begin, as it ended; else what is to be computed."""
    missing = [need for need in stage.needs if done[need].finding is None]
    if missing:
        why = f"needs {', '.join('.'.join(need) for need in missing)}, which failed"
        return Outcome(stage, "waiting", 0.0, error={"type": "InputError", "message": why})
    try:
        key, parameters, inputs = _key(stage, {need: done[need].blob for need in stage.needs})
    except (InterlithError, OSError) as problem:
        return Outcome(stage, "failed", 0.0, error=told_of(problem))
    kept = store.find(key)
    if kept is not None and kept.status == "done" and kept.blob is not None:
        try:
            finding = replace(store.get_finding(kept.blob), name=file_name(stage.label))  # whoever wrote the store
            return Outcome(stage, "kept", kept.seconds, key, kept.blob, finding)
        except CorruptFile:
            pass  # changed on disk: computed anew
    return Begun(stage, key, parameters, inputs)


def _done(stage: Stage, given: Given) -> tuple[Finding | None, dict[str, str] | None, float]:
    """In a worker: what the stage finds, or why it does not, and how long it took."""
    began = time.perf_counter()
    try:
        return do(stage, given), None, time.perf_counter() - began
    except Exception as problem:
        return None, told_of(problem), time.perf_counter() - began


def told_of(problem: Exception) -> dict[str, str]:
    """An error as plain JSON: its type and message; a fault of ours says so."""
    if isinstance(problem, InterlithError):
        return {"type": type(problem).__name__, "message": str(problem)}
    if isinstance(problem, BrokenProcessPool):
        return dict(KILLED)
    if isinstance(problem, OSError):
        return {"type": "EnvironmentError_", "message": f"{problem.filename or ''}: {problem.strerror or problem}"}
    return {"type": "InterlithError", "message": fault_said(problem, "the study")}


def _record(store: Store, begun: Begun, future: Future[Any]) -> Outcome:
    """What a worker gave, acknowledged: when this returns, a kill loses it no more."""
    stage, key = begun.stage, begun.key
    try:
        finding, error, seconds = future.result()
    except BrokenProcessPool:
        return Outcome(stage, "failed", 0.0, error=KILLED)
    if stage.files and not inputs_of(stage).items() <= begun.inputs.items():
        return Outcome(stage, "failed", seconds, error=CHANGED)
    blob = None if finding is None else store.put_finding(finding)
    unit = Unit(
        key=key,
        name=stage.label,
        stage=stage.name[0],
        version=VERSION,
        parameters=begun.parameters,
        inputs=begun.inputs,
        seed=stage.seed,
        status="failed" if finding is None else "done",
        blob=blob,
        error=error,
        seconds=seconds,
    )
    store.record([unit])
    if finding is None or blob is None:
        return Outcome(stage, "failed", seconds, key, error=error)
    return Outcome(stage, "computed", seconds, key, blob, finding)


def _is_lost(future: Future[Any]) -> bool:
    return isinstance(future.exception(), BrokenProcessPool)


class _Hands:
    """Worker processes, begun when they are first needed; what is alone is done in this one."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._stack = ExitStack()
        self._pool: Executor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def future(self, begun: Begun, done: Mapping[Path_, Outcome], *, is_alone: bool) -> Future[Any]:
        """The stage under way, or done already where it is alone."""
        given = _given(begun, done)
        if is_alone or self._workers == 1:
            return Here().submit(_done, replace(begun.stage, workers=self._workers), given)
        if self._pool is None:
            self._pool = self._stack.enter_context(pool(self._workers))
        return _submitted(self._pool, begun.stage, given)

    def again(self, begun: Begun, done: Mapping[Path_, Outcome]) -> Future[Any]:
        """A stage whose pool broke, in a process of its own: only what kills that one fails."""
        self._pool = None
        with pool(1) as alone:
            future = _submitted(alone, begun.stage, _given(begun, done))
            wait([future])
        return future


def _submitted(executor: Executor, stage: Stage, given: Given) -> Future[Any]:
    try:
        return executor.submit(_done, stage, given)
    except BrokenProcessPool as problem:  # another stage killed a process
        broken: Future[Any] = Future()
        broken.set_exception(problem)
        return broken


def _given(begun: Begun, done: Mapping[Path_, Outcome]) -> Given:
    found = {need: done[need].finding for need in begun.stage.needs}
    return {need: finding for need, finding in found.items() if finding is not None}
