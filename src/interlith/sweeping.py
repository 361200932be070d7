"""A sweep carried out: what all units have in common once, then every unit by whoever computes, each one kept.

What a unit gives does not depend on who computes it, nor beside which others. One that fails is a result with its
error. Workers never see the store: they give values back.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from interlith.errors import EnvironmentError_, InputError, InterlithError
from interlith.findings import Finding, plain
from interlith.handing import VALUES, Given, found_at
from interlith.pipeline import do
from interlith.running import KILLED, Outcome, conduct, plan, told_of
from interlith.store import Store, Unit
from interlith.study import Path_, study_of
from interlith.sweep import VERSION, Sweep, varied
from interlith.workers import LISTEN_EVERY_S, pool
from interlith.written import File

TASK_S, LEAST_S = 1.0, 1e-4  # work in a task, at least, where units are shorter; no unit is shorter than this
LATEST = 20  # units whose time says how many are given out together
LEFT_OUT = ("parameters", "facts", "thresholds", "provenance", "toml", "said", "flags", "events")  # the same in all
Tell = Callable[[int, int, int], None]  # units done, of how many, of which failed


@dataclass(frozen=True)
class Order:
    """What a worker needs for a batch: the study's table and file, what is known already, and values by number."""

    table: Mapping[str, Any]
    file: File
    name: str
    allow_outside: bool
    known: Given
    wanted: tuple[Path_, ...]
    outcomes: Mapping[str, str]
    keep: str
    units: tuple[tuple[int, Mapping[str, Any]], ...] = ()


Result = tuple[int, dict[str, Any] | None, dict[str, str] | None, float]  # number, what it gave, its error, seconds


def carry_out(
    sweep: Sweep,
    store: Store,
    run: int,
    executor: Callable[[], Any],
    *,
    shard: tuple[int, int] = (1, 1),
    workers: int = 1,
    tell: Tell = lambda n_done, n, n_failed: None,
) -> None:
    """Every unit that is not kept yet, of a shard (1 of 1: all). executor: makes a context of an Executor, when needed.

    Each is acknowledged in the store before the next batch is asked for; a kill loses what was under way alone. Raises
    InterlithError where a stage that all have in common fails.
    """
    order = _order(sweep, _common(sweep, store, run, workers))
    mine = sweep.numbers(shard)
    kept = kept_units(store, [sweep.keys[i] for i in mine])
    todo = [i for i in mine if sweep.keys[i] not in kept]
    counts = [len(mine) - len(todo), sum(unit.status == "failed" for unit in kept.values())]
    seconds = [TASK_S]
    before = _states(sweep)

    def record(results: Sequence[Result]) -> None:
        if (now := _states(sweep)) != before:
            changed = next(path for path in before if before[path] != now[path])
            raise InputError(f"{changed}: changed while the sweep ran; the same command goes on with it as it is now")
        _record(sweep, store, results)
        seconds.extend(took for *_, took in results)
        counts[0] += len(results)
        counts[1] += sum(error is not None for _, _, error, _ in results)
        tell(counts[0], len(mine), counts[1])

    tell(counts[0], len(mine), counts[1])
    batches = _batches(order, sweep, todo, seconds)
    while (first := next(batches, None)) is not None:
        with executor() as hands:
            lost = _spread(hands, first, batches, record, workers)
        for one in lost:  # one of them killed its process, and took the others with it
            for results in _parted(one):
                record(results)


def _states(sweep: Sweep) -> dict[Path, tuple[int, int]]:
    """When the files that units read were written, and how long they are."""
    found = {}
    for path in sweep.files:
        try:
            state = path.stat()
            found[path] = (state.st_mtime_ns, state.st_size)
        except OSError:
            found[path] = (0, 0)
    return found


def kept_units(store: Store, keys: Sequence[str]) -> dict[str, Unit]:
    """Units that need not be computed: kept, whole on the disk, and not failed for a reason of the machine alone."""
    found = store.units_of(keys)
    return {key: unit for key, unit in found.items() if store.is_whole(unit.blob) and not _is_machine(unit.error)}


def _is_machine(error: Mapping[str, Any] | None) -> bool:
    return error is not None and error["type"] == EnvironmentError_.__name__


def _common(sweep: Sweep, store: Store, run: int, workers: int) -> dict[Path_, Finding]:
    """What no varied key touches and an outcome or a varied stage needs, computed once and kept."""
    common = [stage for stage in sweep.wanted if stage.name not in sweep.touched]
    done: dict[Path_, Outcome] = conduct(common, store, run, workers=workers, tell=lambda *_: None)
    for outcome in done.values():
        if outcome.finding is None:
            raise InterlithError(f"{outcome.stage.label}, which all units need: {(outcome.error or {})['message']}")
    return {name: Finding(one.finding.name, one.finding.summary) for name, one in done.items() if one.finding}


def _order(sweep: Sweep, known: Given) -> Order:
    """What is the same in every batch."""
    study, asked = sweep.study, sweep.asked
    wanted = tuple(stage.name for stage in sweep.wanted if stage.name not in known)
    table = _bare(sweep, {*wanted, *known, *sweep.touched})
    return Order(table, study.file, study.name, study.allow_outside, known, wanted, dict(asked.outcomes), asked.keep)


def _bare(sweep: Sweep, used: set[Path_]) -> dict[str, Any]:
    """The table of the study without stages that are not used, which every unit would check anew."""
    table = {key: value for key, value in sweep.table.items() if key != "expect"}
    for key in ("tests", "fits", "measured"):
        if key in table:
            table[key] = {name: value for name, value in table[key].items() if (key, name) in used}
    return {key: value for key, value in table.items() if key not in ("surface", "coating", "pouch") or (key,) in used}


def _batches(order: Order, sweep: Sweep, todo: Sequence[int], seconds: Sequence[float]) -> Iterator[Order]:
    """Units in tasks of a second of work at least, by how long the latest ones took; one by one at first."""
    place = 0
    while place < len(todo):
        size = max(1, math.ceil(TASK_S / max(min(seconds[-LATEST:]), LEAST_S)))
        yield replace(order, units=tuple((i, sweep.units[i]) for i in todo[place : place + size]))
        place += size


def work(order: Order) -> list[Result]:
    """In a worker: every unit of a batch. What fails is its result; nothing is written."""
    return [_unit(order, number, values) for number, values in order.units]


def _unit(order: Order, number: int, values: Mapping[str, Any]) -> Result:
    began = time.perf_counter()
    try:
        study = study_of(varied(order.table, values), order.file, order.name, allow_outside=order.allow_outside)
        given = dict(order.known)
        for stage in plan(study):
            if stage.name in order.wanted:
                given[stage.name] = do(stage, given)
        found: dict[str, Any] = {"number": number, "values": dict(values), **_outcomes(given, order.outcomes)}
        if order.keep == "summary":
            found["stages"] = {".".join(name): _kept(given[name].summary) for name in order.wanted}
        return number, plain(found), None, time.perf_counter() - began
    except Exception as problem:
        return number, None, told_of(problem), time.perf_counter() - began


def _outcomes(given: Given, asked: Mapping[str, str]) -> dict[str, Any]:
    """What was asked for by name; None, with the reason in `lacks`, for what the results do not have."""
    outcomes: dict[str, Any] = dict.fromkeys(asked)
    lacks: dict[str, str] = {}
    for name, text in asked.items():
        try:
            held = outcomes[name] = found_at(given, text)[0]
            if held is None:
                lacks[name] = f"{text}: empty"
            elif isinstance(held, (Mapping, list)) and not (isinstance(held, Mapping) and set(VALUES) & set(held)):
                lacks[name] = f"{text}: a table, no value; what is wanted lies below it"
        except InputError as problem:
            lacks[name] = str(problem)
    return {"outcomes": outcomes, "lacks": lacks}


def _kept(summary: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in summary.items() if key not in LEFT_OUT}


def _spread(
    hands: Executor,
    first: Order,
    rest: Iterator[Order],
    record: Callable[[Sequence[Result]], None],
    workers: int,
) -> list[Order]:
    """Batches over an executor, few at a time, until all are done or it breaks; those whose process was killed."""
    running: dict[Future[list[Result]], Order] = {}
    lost: list[Order] = []
    is_broken = False
    order: Order | None = first
    while order is not None or running:
        while not is_broken and order is not None and len(running) < 2 * workers:
            try:
                running[hands.submit(work, order)] = order
            except BrokenProcessPool:
                lost.append(order)
                is_broken = True
            order = None if is_broken else next(rest, None)
        finished, _ = wait(running, timeout=LISTEN_EVERY_S, return_when=FIRST_COMPLETED)
        for future in finished:
            done = running.pop(future)
            problem = future.exception()
            if problem is None:
                record(future.result())
            else:  # nothing of ours raises in `work`: the worker is gone
                lost.append(done)
                is_broken = is_broken or isinstance(problem, BrokenProcessPool)
        if is_broken and order is not None:
            lost.append(order)
            order = None
    return lost


def _parted(order: Order) -> Iterator[list[Result]]:
    """A batch that was lost, in a process of its own; parted until the unit that kills its process is alone."""
    with pool(1) as hands:
        try:
            results = hands.submit(work, order).result()
        except BrokenProcessPool:
            results = None
    if results is not None:
        yield results
    elif len(order.units) == 1:
        yield [(order.units[0][0], None, dict(KILLED), 0.0)]
    else:
        middle = len(order.units) // 2
        yield from _parted(replace(order, units=order.units[:middle]))
        yield from _parted(replace(order, units=order.units[middle:]))


def _record(sweep: Sweep, store: Store, results: Sequence[Result]) -> None:
    """A batch, acknowledged: when this returns, a kill loses nothing of it."""
    blobs = store.put_json_many([found if found is not None else error for _, found, error, _ in results])
    units = [
        Unit(
            key=sweep.keys[number],
            name=unit_name(number),
            stage="sweep",
            version=VERSION,
            parameters=dict(sweep.units[number]),
            inputs={"study": sweep.content},
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
