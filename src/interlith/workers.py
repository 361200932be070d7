"""Who does the work: this process, worker processes that end with whoever asked for them, or workers of Dask."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from multiprocessing.context import SpawnContext, SpawnProcess
from typing import Any

from interlith.errors import EnvironmentError_, InputError, did_you_mean, first_line

EXECUTORS = ("serial", "pool", "dask", "slurm")
WAIT_FOR_SCHEDULER = "30s"
LISTEN_EVERY_S = 0.2  # a wait without end does not hear Ctrl-C on every system


class _DeafProcess(SpawnProcess):
    """A process that is deaf to Ctrl-C from its first moment on, before it could be told to be."""

    def start(self) -> None:
        if threading.current_thread() is not threading.main_thread():  # only that one may say what signals do
            super().start()
            return
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            super().start()
        finally:
            signal.signal(signal.SIGINT, before)


class _Deaf(SpawnContext):
    Process = _DeafProcess


@contextlib.contextmanager
def pool(n_workers: int) -> Iterator[ProcessPoolExecutor]:
    """Worker processes that end with the block, whatever they are doing then."""
    executor = ProcessPoolExecutor(n_workers, mp_context=_Deaf(), initializer=_begin_worker, initargs=(os.getpid(),))
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


class Here(Executor):
    """This process as an executor: each call is done before the next one is asked for.

    >>> Here().submit(max, 1, 2).result()
    2
    """

    def submit(self, function: Callable[..., Any], /, *args: Any, **named: Any) -> Future[Any]:
        """The call, done at once; what it raises is in the future, but for what stops the program."""
        future: Future[Any] = Future()
        try:
            future.set_result(function(*args, **named))
        except Exception as problem:
            future.set_exception(problem)
        return future


def known_executor(kind: str) -> str:
    """The same word, where `get_executor` knows it. Raises InputError.

    >>> known_executor("pool")
    'pool'
    """
    if kind not in EXECUTORS and "://" not in kind:
        hint = did_you_mean(kind, EXECUTORS)
        raise InputError(
            f"executor {kind}: one of {', '.join(EXECUTORS)}, or a scheduler's address as tcp://HOST:PORT.{hint}"
        )
    return kind


@contextlib.contextmanager
def get_executor(kind: str = "pool", n_workers: int | None = None) -> Iterator[Executor]:
    """An executor as `concurrent.futures` has it, closed with the block.

    kind: "serial", this process, which ends with what kills a unit; "pool", worker processes; "dask", workers of a
    cluster on this machine; "slurm", jobs of a SLURM cluster as dask-jobqueue's own configuration describes them; or
    the address of a Dask scheduler that is running, "tcp://HOST:PORT". Raises InputError for another word,
    EnvironmentError_ without the extra `scale` and for a scheduler that does not answer.

    >>> with get_executor("serial") as executor:
    ...     executor.submit(sum, (1, 2)).result()
    3
    """
    n = n_workers or os.cpu_count() or 1
    if known_executor(kind) == "serial":
        yield Here()
    elif kind == "pool":
        with pool(n) as executor:
            yield executor
    else:
        with _dask(kind, n) as client:
            yield client.get_executor()


@contextlib.contextmanager
def _dask(kind: str, n_workers: int) -> Iterator[Any]:
    """A client of Dask and, where the cluster is ours, the cluster."""
    try:
        from distributed import Client, LocalCluster
    except ImportError:
        raise EnvironmentError_(f"executor {kind}: Dask is not installed: pip install 'interlith[scale]'") from None
    with contextlib.ExitStack() as stack:
        address: Any = kind
        if kind == "dask":
            quiet = {"dashboard_address": None, "silence_logs": "ERROR"}
            address = stack.enter_context(LocalCluster(n_workers=n_workers, threads_per_worker=1, **quiet))
        elif kind == "slurm":
            address = stack.enter_context(_slurm(n_workers))
        try:
            client = stack.enter_context(Client(address, timeout=WAIT_FOR_SCHEDULER))
        except (OSError, TimeoutError, ValueError) as problem:
            raise EnvironmentError_(f"executor {kind}: no scheduler answers ({first_line(problem)})") from problem
        yield client


def _slurm(n_jobs: int) -> Any:
    try:
        from dask_jobqueue import SLURMCluster
    except ImportError:
        raise EnvironmentError_("executor slurm: pip install 'interlith[scale]'") from None
    if shutil.which("sbatch") is None:
        raise EnvironmentError_("executor slurm: there is no sbatch here; run it where jobs are submitted")
    try:
        cluster = SLURMCluster()  # queue, cores, memory and time of a job are in jobqueue.yaml, as its manual says
    except ValueError as problem:
        raise EnvironmentError_(f"executor slurm: {first_line(problem)}; say it in dask's jobqueue.yaml") from problem
    cluster.scale(jobs=n_jobs)
    return cluster
