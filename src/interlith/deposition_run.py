"""The networks of a deposition, one after another or in processes: how far they are, what they say, what they gave."""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from interlith.findings import replace_file
from interlith.workers import pool

REPORT_EVERY_S = 0.5
Gave = TypeVar("Gave")


@dataclass(frozen=True)
class Progress:
    """How far all networks are.

    share: of the charge of their protocols, what has passed; kept: that part of it which an earlier call had done.
    """

    share: float
    kept: float
    n_done: int
    n: int


@dataclass
class Report:
    """What one network tells while it is followed: the share of its charge that has passed, and sentences.

    put: takes it as plain JSON. kept: the first share told, with which it began.
    """

    put: Callable[[dict[str, Any]], Any]
    share: float = 0.0
    kept: float | None = None
    said: list[str] = field(default_factory=list)
    _last: float = -REPORT_EVERY_S

    def at(self, share: float) -> None:
        """Tell how far it is, not too often."""
        now = time.monotonic()
        self.share, self.kept = share, share if self.kept is None else self.kept
        if now - self._last >= REPORT_EVERY_S or share >= 1.0:
            self._last = now
            self._put()

    def say(self, text: str) -> None:
        """Tell a sentence, at once."""
        self.said.append(text)
        self._put()

    def _put(self) -> None:
        self.put({"share": self.share, "kept": self.kept or 0.0, "said": self.said})


One = Callable[[int, int | None, Report], Gave]  # place of a network, threads (None: as many as cores), its report
Tell = Callable[[Progress], Any]
Warn = Callable[[str], Any]


class _Board:
    """What all networks reported last, told together."""

    def __init__(self, n: int, tell: Tell, warn: Warn) -> None:
        self.n, self.tell, self.warn, self.n_done = n, tell, warn, 0
        self.last: list[dict[str, Any]] = [{"share": 0.0, "kept": 0.0, "said": []} for _ in range(n)]

    def put(self, place: int, held: dict[str, Any]) -> None:
        for text in held["said"][len(self.last[place]["said"]) :]:
            self.warn(text)
        self.last[place] = {**held, "said": list(held["said"])}

    def told(self) -> None:
        share, kept = (sum(held[name] for held in self.last) / self.n for name in ("share", "kept"))
        self.tell(Progress(share, kept, self.n_done, self.n))


def each_network(one: One[Gave], n: int, n_workers: int, tell: Tell, warn: Warn) -> list[Gave]:
    """What `one` gives of each place from 0 to n - 1, here or in processes: then it must be importable there.

    tell: how far all are, twice a second; warn: what one of them says. Raises what the first of them raises.
    """
    board = _Board(n, tell, warn)
    return _in_processes(one, board, n_workers) if n_workers > 1 else _here(one, board)


def _here(one: One[Gave], board: _Board) -> list[Gave]:
    found = []
    for place in range(board.n):

        def put(held: dict[str, Any], place: int = place) -> None:
            board.put(place, held)
            board.told()

        found.append(one(place, None, Report(put)))
        board.n_done += 1
        board.told()
    return found


def _in_processes(one: One[Gave], board: _Board, n_workers: int) -> list[Gave]:
    """Each writes its report into a small file, which is looked at while all are waited for."""
    with tempfile.TemporaryDirectory(prefix="interlith-", ignore_cleanup_errors=True) as folder:
        slips = [Path(folder) / str(place) for place in range(board.n)]
        with pool(n_workers) as executor:
            threads = threads_for(board.n, n_workers, os.cpu_count() or 1)
            jobs = enumerate(zip(threads, slips, strict=True))
            futures = [executor.submit(_reporting, one, place, n, slip) for place, (n, slip) in jobs]
            running: set[Future[Gave]] = set(futures)
            while running:
                ended, running = wait(running, timeout=REPORT_EVERY_S, return_when=FIRST_COMPLETED)
                _look(board, slips)
                for future in futures:
                    if future in ended:
                        future.result()
                board.n_done += len(ended)
                board.told()
            return [future.result() for future in futures]


def _look(board: _Board, slips: Sequence[Path]) -> None:
    for place, slip in enumerate(slips):
        with suppress(OSError, ValueError):  # not begun, or on Windows just being replaced
            board.put(place, json.loads(slip.read_bytes()))


def _reporting(one: One[Gave], place: int, n_threads: int, slip: Path) -> Gave:
    """In a process of its own."""

    def put(held: dict[str, Any]) -> None:
        with suppress(OSError):  # a full disk of temporary files stops no computation
            replace_file(slip, json.dumps(held).encode())

    return one(place, n_threads, Report(put))


def threads_for(n: int, n_workers: int, n_cores: int) -> list[int]:
    """Threads of each network: what is left over at the end, fewer than the workers, shares all cores.

    >>> threads_for(3, 2, 2), threads_for(4, 3, 8)
    ([1, 1, 2], [2, 2, 2, 8])
    """
    left = n % n_workers
    even, last = max(1, n_cores // n_workers), max(1, n_cores // max(1, left))
    return [even] * (n - left) + [last] * left


def workers_for(n: int, workers: int | None) -> int:
    """Processes for n networks: as asked, else as many as cores; no more than networks.

    >>> workers_for(3, 2)
    2
    """
    return min(workers or os.cpu_count() or 1, n)
