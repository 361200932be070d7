"""One study in many variants: a design over any of its keys, carried out by any executor, every unit kept.

study = "my-study.toml"        # beside this file, or a shipped study
design = "sobol"               # grid | random | sobol | latin-hypercube
n = 256                        # of all but a grid
[vary]                         # keys of the study, as dotted names
"tests.mine.set.host.porosity" = { low = 0.6, high = 0.9 }         # scale = "log" where it spans decades; n for a grid
"tests.mine.sample" = ["cp", "cp-zno-002"]
[outcomes]                     # names of your own -> places in the results
efficiency = "tests > mine > ce_reservoir"

What no varied key touches is computed once. A unit is one variant; what it gives does not depend on who computes it,
nor beside which others. One that fails is a result with its error. Workers never see the store: they give values back.
"""

from __future__ import annotations

import copy
import hashlib
import itertools
import math
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field, model_validator

from interlith.cell_test import KEYS
from interlith.errors import InputError, InterlithError, did_you_mean
from interlith.findings import Finding, plain
from interlith.handing import Given, found_at
from interlith.pipeline import Stage, do
from interlith.running import Outcome, conduct, inputs_of, plan, told_of
from interlith.store import Store, Unit, key_of
from interlith.study import PACKAGE, SEPARATOR, Path_, Study, names_of, path_of, read_study, stage_of, study_of
from interlith.workers import LISTEN_EVERY_S, pool
from interlith.written import File, Written, opened, table_of, validated

VERSION, SWEEPS = 1, "interlith.studies.sweeps"
MOST_UNITS = 1_000_000
TASK_S, LEAST_S = 1.0, 1e-4  # work in a task, at least, where units are shorter; no unit is shorter than this
LATEST = 20  # units whose time says how many are given out together
LEFT_OUT = ("parameters", "facts", "thresholds", "provenance", "toml", "said", "flags", "events")  # the same in all
Design = Literal["grid", "random", "sobol", "latin-hypercube"]
Tell = Callable[[int, int, int], None]  # units done, of how many, of which failed


class Span(Written):
    """What a key may be: between low and high. n: values of a grid; log: even in decades."""

    low: float
    high: float
    scale: Literal["linear", "log"] = "linear"
    n: int | None = Field(default=None, ge=1, le=100_000)

    @model_validator(mode="after")
    def _fits(self) -> Span:
        if not self.low < self.high:
            raise ValueError("low: below high")
        if self.scale == "log" and self.low <= 0:
            raise ValueError("low: above 0 on a logarithmic scale")
        return self

    def at(self, share: float) -> float:
        """The value at a share of the way, from 0 to 1.

        >>> Span(low=0.01, high=1.0, scale="log").at(0.5)
        0.1
        """
        if self.scale == "log":
            return float(self.low ** (1.0 - share) * self.high**share)
        return float(self.low + share * (self.high - self.low))


class SweepFile(Written):
    """The keys of a sweep. keep: of each stage of a unit its summary, or the outcomes alone."""

    title: str = ""
    study: str
    design: Design = "grid"
    n: int | None = Field(default=None, ge=1, le=MOST_UNITS)
    seed: int = Field(default=1, ge=0, lt=2**63)
    keep: Literal["summary", "outcomes"] = "summary"
    vary: Mapping[str, Span | tuple[bool | int | float | str, ...]] = Field(min_length=1)
    outcomes: Mapping[str, str] = Field(min_length=1)

    @model_validator(mode="after")
    def _fits(self) -> SweepFile:
        if self.design != "grid" and self.n is None:
            raise ValueError(f"n: a design {self.design} needs the number of units")
        if self.design == "grid" and self.n is not None:
            raise ValueError("n: a grid has as many units as its values have combinations; give n of a range")
        for name, held in self.vary.items():
            if isinstance(held, tuple) and not held:
                raise ValueError(f"vary.{name}: no value")
            if isinstance(held, Span) and self.design == "grid" and held.n is None:
                raise ValueError(f"vary.{name}: a range of a grid needs n, the number of its values")
        return self


@dataclass(frozen=True)
class Sweep:
    """A sweep as asked: its file, its study, and the values of every unit, in their order."""

    name: str
    asked: SweepFile
    file: File
    study: Study
    table: Mapping[str, Any]
    units: tuple[Mapping[str, Any], ...]

    @cached_property
    def study_sha256(self) -> str:
        """The hash of the study's text."""
        return hashlib.sha256(self.study.file.text.encode()).hexdigest()

    def numbers(self, shard: tuple[int, int]) -> list[int]:
        """The units of a shard: every N-th, beginning with the I-th."""
        return list(range(shard[0] - 1, len(self.units), shard[1]))

    @property
    def touched(self) -> tuple[Path_, ...]:
        """The stages that a varied key touches, and those that take from them."""
        names, stages = names_of(self.study), plan(self.study, allow_outside=True)
        found: set[Path_] = set()
        for key in self.asked.vary:
            place = _place(self.study, key)
            own = stage_of(tuple(map(str, place)), names)
            found |= {own} if own is not None else set(names)  # seed, for instance, is everybody's
        for stage in stages:
            if found & set(stage.needs):
                found.add(stage.name)
        return tuple(stage.name for stage in stages if stage.name in found)


def read_sweep(given: str) -> Sweep:
    """A sweep file by its path, or a shipped sweep by its name.

    Raises InputError with file, line and key, for a key that the study cannot have too.

    >>> len(read_sweep("isolation").units)
    64
    """
    file = opened(given, SWEEPS)
    asked = validated(file, SweepFile)
    study, table = _study(file, asked)
    units = tuple(design(asked))
    for name in asked.outcomes:
        _check_outcome(file, study, name, asked.outcomes[name])
    sweep = Sweep(Path(file.name).stem, asked, file, study, table, units)
    _check_ends(sweep)
    return sweep


def design(asked: SweepFile) -> Iterator[dict[str, Any]]:
    """The values of each unit, in order: the same for the same seed.

    >>> asked = SweepFile(study="a", vary={"x": (1, 2), "y": ("p", "q")}, outcomes={"e": "tests > a > b"})
    >>> [list(unit.values()) for unit in design(asked)]
    [[1, 'p'], [1, 'q'], [2, 'p'], [2, 'q']]
    """
    names = list(asked.vary)
    if asked.design == "grid":
        axes = [_grid(asked.vary[name]) for name in names]
        n = math.prod(len(axis) for axis in axes)
        if n > MOST_UNITS:
            raise InputError(f"vary: {n} units; a sweep has at most {MOST_UNITS}")
        yield from (dict(zip(names, values, strict=True)) for values in itertools.product(*axes))
        return
    for shares in _shares(asked, len(names)):
        yield {name: _value(asked.vary[name], float(share)) for name, share in zip(names, shares, strict=True)}


def _grid(held: Span | tuple[Any, ...]) -> list[Any]:
    if isinstance(held, tuple):
        return list(held)
    n = held.n or 1
    return [held.at(i / (n - 1) if n > 1 else 0.5) for i in range(n)]


def _value(held: Span | tuple[Any, ...], share: float) -> Any:
    if isinstance(held, tuple):
        return held[min(int(share * len(held)), len(held) - 1)]
    return held.at(share)


def _shares(asked: SweepFile, n_keys: int) -> Any:
    """float64[n, n_keys], each from 0 to 1."""
    from scipy.stats import qmc

    n = asked.n or 1
    if asked.design == "random":
        return np.random.default_rng(asked.seed).random((n, n_keys))
    if asked.design == "latin-hypercube":
        return qmc.LatinHypercube(n_keys, seed=asked.seed).random(n)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that n is no power of two: said with the results
        return qmc.Sobol(n_keys, seed=asked.seed).random(n)


# ---- variants of the study


def _study(file: File, asked: SweepFile) -> tuple[Study, dict[str, Any]]:
    """The study that is varied, and its table."""
    path = file.folder / asked.study
    given = str(path) if Path(asked.study).suffix or path.is_file() else asked.study
    try:
        study = read_study(given)
        return study, table_of(opened(given, PACKAGE))
    except InputError as problem:
        raise file.at(("study",), f"study = {problem}") from problem


def _place(study: Study, key: str) -> tuple[str, ...]:
    """Where a varied key stands, as names of stages begin: a key of the one test at the top is that test's."""
    steps = tuple(key.split("."))
    return ("tests", study.top[0], *steps) if study.top and steps[0] in KEYS else steps


def varied(table: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """The table of a study with values at dotted names.

    >>> varied({"set": {"host": {"porosity": 0.7}}}, {"set.host.porosity": 0.8})
    {'set': {'host': {'porosity': 0.8}}}
    """
    found: dict[str, Any] = copy.deepcopy(dict(table))
    for key, value in values.items():
        held = found
        *way, last = key.split(".")
        for step in way:
            inner = held.setdefault(step, {})
            if not isinstance(inner, dict) or set(inner) == {"from"}:
                raise InputError(f"vary.{key}: {step} is no table of the study")
            held = inner
        held[last] = value
    return found


def _check_outcome(file: File, study: Study, name: str, text: str) -> None:
    names = names_of(study)
    if stage_of(path_of(text), names) is None:
        known = [SEPARATOR.join(one) for one in names]
        hint = did_you_mean(SEPARATOR.join(path_of(text)[:2]), known)
        raise file.at(
            ("outcomes", name),
            f"outcomes.{name} = {text}: the study has no such stage.{hint} (it has {', '.join(known)})",
        )


def _check_ends(sweep: Sweep) -> None:
    """Every value that a key may have makes a study, as far as can be seen before it is carried out."""
    for key, held in sweep.asked.vary.items():
        ends = held if isinstance(held, tuple) else (held.low, held.high)
        for value in ends:
            try:
                study_of(varied(sweep.table, {key: value}), sweep.study.file, sweep.study.name)
            except InputError as problem:
                raise sweep.file.at(("vary", key), f"vary.{key} = {value}: {problem}") from None


# ---- carrying out


@dataclass(frozen=True)
class Order:
    """What a worker needs for a batch: the study's table and file, what is known already, and values by number."""

    table: Mapping[str, Any]
    file: File
    name: str
    known: Given
    wanted: tuple[Path_, ...]
    outcomes: Mapping[str, str]
    keep: str
    units: tuple[tuple[int, Mapping[str, Any]], ...]


Result = tuple[int, dict[str, Any] | None, dict[str, str] | None, float]  # number, what it gave, its error, seconds


def carry_out(
    sweep: Sweep,
    store: Store,
    run: int,
    executor: Callable[[], Any],
    *,
    shard: tuple[int, int] = (1, 1),
    workers: int = 1,
    allow_outside: bool = False,
    tell: Tell = lambda n_done, n, n_failed: None,
) -> None:
    """Every unit that is not kept yet, of a shard (1 of 1: all). executor: makes a context of an Executor, when needed.

    Each is acknowledged in the store before the next batch is asked for; a kill loses what was under way alone. Raises
    InterlithError where a stage that all have in common fails.
    """
    known = _common(sweep, store, run, workers, allow_outside)
    keys = unit_keys(sweep, allow_outside=allow_outside)
    mine = sweep.numbers(shard)
    kept = store.statuses(keys[i] for i in mine)
    todo = [i for i in mine if keys[i] not in kept]
    counts = [len(mine) - len(todo), sum(kept.get(keys[i]) == "failed" for i in mine)]
    seconds = [TASK_S]

    def record(results: Sequence[Result]) -> None:
        _record(sweep, store, keys, results)
        seconds.extend(took for *_, took in results)
        counts[0] += len(results)
        counts[1] += sum(error is not None for _, _, error, _ in results)
        tell(counts[0], len(mine), counts[1])

    tell(counts[0], len(mine), counts[1])
    if not todo:
        return
    with executor() as hands:
        lost = list(_spread(hands, _batches(sweep, known, todo, seconds), record, workers))
    for order in lost:  # one of them killed its process, and took the others with it: each alone now
        for unit in order.units:
            record([_alone(order, unit)])


def unit_keys(sweep: Sweep, *, allow_outside: bool = False) -> list[str]:
    """The key of every unit: its values, what is asked of it, the study and its files, the code."""
    inputs = {"study": sweep.study_sha256}
    for stage in plan(sweep.study, allow_outside=allow_outside):
        inputs |= {f"{stage.label} {name}": sha for name, sha in inputs_of(stage).items()}
    asked = {"outcomes": dict(sweep.asked.outcomes), "keep": sweep.asked.keep}
    seed = sweep.study.asked.seed
    return [key_of("sweep", VERSION, {**asked, "values": dict(values)}, inputs, seed) for values in sweep.units]


def _common(sweep: Sweep, store: Store, run: int, workers: int, allow_outside: bool) -> dict[Path_, Finding]:
    """What no varied key touches and an outcome or a varied stage needs, computed once and kept."""
    touched = sweep.touched
    stages = {stage.name: stage for stage in plan(sweep.study, allow_outside=allow_outside)}
    wanted = _wanted(sweep, stages)
    common = [stage for name, stage in stages.items() if name in wanted and name not in touched]
    done: dict[Path_, Outcome] = conduct(common, store, run, workers=workers, tell=lambda *_: None)
    for outcome in done.values():
        if outcome.finding is None:
            raise InterlithError(f"{outcome.stage.label}, which all units need: {(outcome.error or {})['message']}")
    return {name: Finding(one.finding.name, one.finding.summary) for name, one in done.items() if one.finding}


def _wanted(sweep: Sweep, stages: Mapping[Path_, Stage]) -> set[Path_]:
    """The stages that outcomes lie in, and those that these take from."""
    names = names_of(sweep.study)
    found = {stage_of(path_of(text), names) for text in sweep.asked.outcomes.values()}
    waiting = [name for name in found if name is not None]
    wanted: set[Path_] = set()
    while waiting:
        name = waiting.pop()
        if name not in wanted:
            wanted.add(name)
            waiting += stages[name].needs
    return wanted


def _order(sweep: Sweep, known: Given, batch: Sequence[int]) -> Order:
    stages = {stage.name: stage for stage in plan(sweep.study, allow_outside=True)}
    used = _wanted(sweep, stages)
    wanted = tuple(name for name in stages if name in used and name not in known)
    units = tuple((i, sweep.units[i]) for i in batch)
    asked = sweep.asked
    return Order(
        _bare(sweep, {*wanted, *known}),
        sweep.study.file,
        sweep.study.name,
        known,
        wanted,
        dict(asked.outcomes),
        asked.keep,
        units,
    )


def _bare(sweep: Sweep, used: set[Path_]) -> dict[str, Any]:
    """The table of the study without stages that are not used, which every unit would check anew."""
    table = {key: value for key, value in sweep.table.items() if key != "expect"}
    for key in ("tests", "fits", "measured"):
        if key in table:
            table[key] = {name: value for name, value in table[key].items() if (key, name) in used}
    return {key: value for key, value in table.items() if key not in ("surface", "coating", "pouch") or (key,) in used}


def _batches(sweep: Sweep, known: Given, todo: Sequence[int], seconds: Sequence[float]) -> Iterator[Order]:
    """Units in tasks of a second of work at least, by how long the latest ones took; one by one at first."""
    place = 0
    while place < len(todo):
        size = max(1, math.ceil(TASK_S / max(min(seconds[-LATEST:]), LEAST_S)))
        yield _order(sweep, known, todo[place : place + size])
        place += size


def work(order: Order) -> list[Result]:
    """In a worker: every unit of a batch. What fails is its result; nothing is written."""
    return [_unit(order, number, values) for number, values in order.units]


def _unit(order: Order, number: int, values: Mapping[str, Any]) -> Result:
    began = time.perf_counter()
    try:
        study = study_of(varied(order.table, values), order.file, order.name)
        given = dict(order.known)
        for stage in plan(study, allow_outside=True):
            if stage.name in order.wanted:
                given[stage.name] = do(stage, given)
        outcomes = {name: found_at(given, text)[0] for name, text in order.outcomes.items()}
        found: dict[str, Any] = {"number": number, "values": dict(values), "outcomes": outcomes}
        if order.keep == "summary":
            found["stages"] = {".".join(name): _kept(given[name].summary) for name in order.wanted}
        return number, plain(found), None, time.perf_counter() - began
    except Exception as problem:
        return number, None, told_of(problem), time.perf_counter() - began


def _kept(summary: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in summary.items() if key not in LEFT_OUT}


def _spread(
    hands: Executor, orders: Iterator[Order], record: Callable[[Sequence[Result]], None], workers: int
) -> Iterator[Order]:
    """Batches over an executor, few at a time; those whose process was killed are given back."""
    running: dict[Future[list[Result]], Order] = {}
    is_broken = False
    while True:
        while not is_broken and len(running) < 2 * workers and (order := next(orders, None)) is not None:
            try:
                running[hands.submit(work, order)] = order
            except BrokenProcessPool:
                is_broken = True
                yield order
        if not running:
            break
        finished, _ = wait(running, timeout=LISTEN_EVERY_S, return_when=FIRST_COMPLETED)
        for future in finished:
            order = running.pop(future)
            problem = future.exception()
            if problem is None:
                record(future.result())
            else:  # nothing of ours raises in `work`: the worker is gone
                is_broken = is_broken or isinstance(problem, BrokenProcessPool)
                yield order
    yield from orders


def _alone(order: Order, unit: tuple[int, Mapping[str, Any]]) -> Result:
    """One unit in a process of its own, so that what kills it is known."""
    with pool(1) as hands:
        try:
            return hands.submit(work, replace(order, units=(unit,))).result()[0]
        except BrokenProcessPool:
            why = "its process was killed, perhaps for memory"
            return unit[0], None, {"type": "EnvironmentError_", "message": why}, 0.0


def _record(sweep: Sweep, store: Store, keys: Sequence[str], results: Sequence[Result]) -> None:
    """A batch, acknowledged: when this returns, a kill loses nothing of it."""
    blobs = store.put_json_many([found if found is not None else error for _, found, error, _ in results])
    units = [
        Unit(
            key=keys[number],
            name=unit_name(number),
            stage="sweep",
            version=VERSION,
            parameters=dict(sweep.units[number]),
            inputs={"study": sweep.study_sha256},
            seed=sweep.study.asked.seed,
            status="done" if error is None else "failed",
            blob=blob,
            error=error,
            seconds=seconds,
        )
        for (number, _, error, seconds), blob in zip(results, blobs, strict=True)
    ]
    store.record(units)


def unit_name(number: int) -> str:
    """The name of a unit in a store.

    >>> unit_name(7)
    'unit.0000007'
    """
    return f"unit.{number:07d}"
