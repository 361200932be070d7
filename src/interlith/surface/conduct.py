"""Searches run together: their pieces of work on a pool of processes, each done once, each stored when it is done."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from typing import Any

from interlith.errors import EnvironmentError_
from interlith.surface.store import Store
from interlith.surface.work import Work, do

MORE_TO_COME = 8  # pieces that a search asks for besides those known, a guess
WAITING = 2  # pieces handed out for each process; few, so that the first searches come to their end first
LISTEN_EVERY_S = 0.2  # a wait without end does not hear Ctrl-C on every system


@dataclass(frozen=True)
class Progress:
    """How far the searches are: pieces done of those expected, searches ended of all, and the piece done last.

    n_expected: those known so far, and a guess of what the searches that still go on will ask for.
    """

    n_done: int
    n_expected: int
    n_ended: int
    n_searches: int
    last: str


Tell = Callable[[Progress], None]
Plan = Generator[list[Work], list[dict[str, Any]], Any]  # a search, a check: batches of work out, results in


@dataclass
class _Running:
    """A search that waits for a batch."""

    plan: Plan
    batch: list[Work] = field(default_factory=list)


@dataclass
class Conducted:
    """What a run took: pieces computed now and read from the store, and seconds of computing now.

    log: one row for each piece of each search, in order: what it was, how often forces were computed, the seconds that
    it took when it was computed, and where that was.
    """

    n_computed: int = 0
    n_stored: int = 0
    seconds: float = 0.0
    log: list[dict[str, Any]] = field(default_factory=list)

    def with_more(self, other: Conducted) -> Conducted:
        """Both together."""
        n_computed, n_stored = self.n_computed + other.n_computed, self.n_stored + other.n_stored
        return Conducted(n_computed, n_stored, self.seconds + other.seconds, self.log + other.log)


def conduct(
    plans: Mapping[str, Plan],
    store: Store,
    executor: Executor | None = None,
    tell: Tell = lambda progress: None,
    doing: Callable[[Work], dict[str, Any]] | None = do,
    more_to_come: int = MORE_TO_COME,
) -> tuple[dict[str, Any], Conducted]:
    """The result of each search by its name, and what it took; in this process without an executor.

    doing: what computes a piece, a function that can be sent to a process; None: nothing is computed, and only searches
    whose pieces are all in the store come to an end. more_to_come: how many pieces each search will ask for besides
    those known, for the time left. A batch is sent back whole and in order, so results do not depend on which piece
    was done first.
    """
    running = {name: _Running(plan) for name, plan in plans.items()}
    ended: dict[str, Any] = {}
    count = Conducted()
    waiting: dict[Future[dict[str, Any]], Work] = {}
    under_way: set[str] = set()
    known: set[str] = set()
    at_once = WAITING * getattr(executor, "_max_workers", 1)
    for name in list(running):
        _go_on(name, running, ended, None)
    while running:
        missing = _answer(running, ended, store, known, count)
        if doing is None:
            break
        for work in missing:
            if work.key in under_way or len(waiting) >= at_once:
                continue
            under_way.add(work.key)
            if executor is None:
                _keep(store, work, doing(work), count)
                tell(_progress(count, len(known) + more_to_come * len(running), len(ended), len(plans), work))
                break
            waiting[executor.submit(doing, work)] = work
        if executor is None or not waiting:
            under_way.clear()
            continue
        finished, _ = wait(waiting, timeout=LISTEN_EVERY_S, return_when=FIRST_COMPLETED)
        for future in finished:
            work = waiting.pop(future)
            under_way.discard(work.key)
            _keep(store, work, _result(future), count)
            tell(_progress(count, len(known) + more_to_come * len(running), len(ended), len(plans), work))
    return ended, count


def _answer(
    running: dict[str, _Running], ended: dict[str, Any], store: Store, known: set[str], count: Conducted
) -> list[Work]:
    """Let every search go on that can; the pieces that are still missing, of the searches in their order."""
    missing: list[Work] = []
    for name in list(running):
        while name in running:
            batch = running[name].batch
            results = [_look_up(store, work, known, count) for work in batch]
            left = [work for work, result in zip(batch, results, strict=True) if result is None]
            if left:
                missing += left
                break
            given = [result for result in results if result is not None]
            count.log += [_logged(name, work, result) for work, result in zip(batch, given, strict=True)]
            _go_on(name, running, ended, given)
    return missing


def _result(future: Future[dict[str, Any]]) -> dict[str, Any]:
    """What a process computed. Raises EnvironmentError_ where it was killed: what was done before is kept."""
    try:
        return future.result()
    except BrokenProcessPool as problem:
        said = "a process that computed was killed, perhaps for memory; what was done is kept: the same call goes on"
        raise EnvironmentError_(said) from problem


def _look_up(store: Store, work: Work, known: set[str], count: Conducted) -> dict[str, Any] | None:
    result = store.get(work)
    if work.key not in known:
        known.add(work.key)
        count.n_stored += result is not None
    return result


def _logged(name: str, work: Work, result: Mapping[str, Any]) -> dict[str, Any]:
    told = {key: result.get(key) for key in ("is_converged", "n_calls", "seconds", "device")}
    return {"search": name, "model": work.identity, "kind": work.kind, "what": work.name, **told, "digest": work.key}


def _go_on(name: str, running: dict[str, _Running], ended: dict[str, Any], results: Any) -> None:
    try:
        running[name].batch = running[name].plan.send(results)
    except StopIteration as stopped:
        ended[name] = stopped.value
        del running[name]


def _keep(store: Store, work: Work, result: dict[str, Any], count: Conducted) -> None:
    store.put(work, result)
    count.n_computed += 1
    count.seconds += result["seconds"]


def _progress(count: Conducted, n_expected: int, n_ended: int, n_searches: int, work: Work) -> Progress:
    return Progress(count.n_computed + count.n_stored, n_expected, n_ended, n_searches, f"{work.model} {work.name}")
