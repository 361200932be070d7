"""Threads that share a box by its planes, and the device that solves in it and labels it."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from itertools import pairwise
from typing import Literal, Self, TypeVar

Gave = TypeVar("Gave")
Device = Literal["cpu", "cuda"]
Part = tuple[int, tuple[int, int]]  # its number, first and last
WORTH_SHARING = 60_000  # voxels: below it threads cost more than they give
PARTS_EACH = 4  # for each thread, where surfaces are looked at, which lie in some planes more than in others


class Team:
    """Threads that share the planes of a box. The same bits whatever their number.

    device: "cuda" leaves conduction (`Multigrid`), migration (`evened`) and labels (`components`) to an NVIDIA GPU; all
    else is done by the threads. Labels are the same; bits of the others are its own, the same on each run. Raises
    EnvironmentError_ without a GPU or without the extra `gpu`.

    >>> with Team(2) as team:
    ...     team.n_threads
    2
    """

    def __init__(self, n_threads: int | None = None, device: Device = "cpu") -> None:
        if device == "cuda":
            from interlith.deposit.solver.gpu import check_gpu  # numba takes a second to load

            check_gpu()
        self.device = device
        self.n_threads = n_threads or len(os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else [0])
        self._pool = ThreadPoolExecutor(self.n_threads - 1) if self.n_threads > 1 else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown()

    def ranges(self, n_planes: int, n_voxels: int, *, each: int = 1) -> list[tuple[int, int]]:
        """Planes 1 to n_planes in parts of two planes or more, so many for each thread.

        More than one each evens out work that is not alike in all planes.
        """
        n_parts = 1 if n_voxels < WORTH_SHARING else max(1, min(each * self.n_threads, n_planes // 2))
        ends = [1 + n_planes * part // n_parts for part in range(n_parts + 1)]
        return list(pairwise(ends))

    def share(self, parts: list[tuple[int, int]], work: Callable[[int, int], Gave]) -> list[Gave]:
        """What work(first, last) gives of each part; who is done with one takes the next."""
        if self._pool is None or len(parts) == 1:
            return [work(first, last) for first, last in parts]
        todo, gave = deque(enumerate(parts)), {}

        def some() -> None:
            while (part := _next_of(todo)) is not None:
                number, (first, last) = part
                gave[number] = work(first, last)

        others = [self._pool.submit(some) for _ in range(min(self.n_threads, len(parts)) - 1)]
        try:
            some()
        finally:  # whoever mends what went wrong finds nobody at work
            todo.clear()
            wait(others)
        for other in others:
            other.result()
        return [gave[number] for number in range(len(parts))]

    def share_list(self, n: int, work: Callable[[int, int], object]) -> None:
        """work(first, last) for all of n things in a row."""
        self.share([(first - 1, last - 1) for first, last in self.ranges(n, n)], work)


def _next_of(todo: deque[Part]) -> Part | None:
    """The next part, taken off by whoever comes first; None after the last."""
    try:
        return todo.popleft()
    except IndexError:
        return None
