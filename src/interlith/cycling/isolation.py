"""A child process that reads files for us, so that a library we did not write can neither crash nor fill this one.

One child serves many files. It is held to a memory and a time limit and replaced after a crash; its answer is one
JSON line, its result a Parquet file. On systems without `resource` (Windows) only the time limit holds.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from interlith import errors

MEMORY_LIMIT_BYTES = 4 * 1024**3
MEMORY_PER_FILE_BYTE = 40
# what the files of ten instruments took: 60 to 160 MB for the libraries, 60 to 70 times the size of a packed file
RESIDENT_LIMIT_BYTES, RESIDENT_PER_FILE_BYTE, RESIDENT_LARGE_PER_FILE_BYTE = 256 * 1024**2, 70, 400
WATCH_EVERY_S = 0.01
TIME_LIMIT_S = 120.0
TIME_PER_FILE_MB_S = 2.0
MB = 1024**2
ALARM = getattr(signal, "SIGALRM", 14)
ORPHAN_EVERY_S = 1.0
ALARM_AFTER_S = 10.0  # later than the caller's own clock


class ReaderProcess:
    """The child, started at the first request and again after it died."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()

    def start(self, preload: Sequence[str] = ()) -> None:
        """Start the child now, so that it imports, these modules too, while the caller does something else."""
        with self._lock:
            self._running(preload)

    def request(self, order: dict[str, Any], file: Path) -> None:
        """Have the child do `order`; raises the error it met, or CorruptFile when it died or ran past a limit."""
        size = file.stat().st_size
        time_s = TIME_LIMIT_S + TIME_PER_FILE_MB_S * size / MB
        resident = max(RESIDENT_LIMIT_BYTES + RESIDENT_PER_FILE_BYTE * size, RESIDENT_LARGE_PER_FILE_BYTE * size)
        order = {**order, "memory_bytes": max(MEMORY_LIMIT_BYTES, MEMORY_PER_FILE_BYTE * size), "time_s": time_s}
        with self._lock:
            held = self._held_bytes(resident)
            answer, why = self._exchange(order, _Limits(time_s, held + resident))
        if answer is None:
            raise errors.CorruptFile(f"{file.name}: {why}; the file is damaged or far too large")
        if "error" in answer:
            kind = getattr(errors, answer["error"], errors.CorruptFile)
            raise kind(answer["message"])

    def stop(self) -> None:
        """Kill the child."""
        if self._process is not None:
            _kill(self._process)
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    with contextlib.suppress(OSError):
                        pipe.close()
            self._process = None

    def _held_bytes(self, budget_bytes: float) -> int:
        """Memory the child holds from the files before; one that holds more than this file may take is replaced."""
        held = _resident_bytes(self._process.pid) if self._process is not None else 0
        if held > budget_bytes:
            self.stop()
            return 0
        return held

    def _running(self, preload: Sequence[str] = ()) -> subprocess.Popen[str]:
        if self._process is None or self._process.poll() is not None:
            try:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "interlith.cycling.isolation", *preload],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    text=True,
                    encoding="utf-8",
                    start_new_session=True,  # so that it is killed together with the programs it runs
                )
            except OSError as problem:
                raise errors.EnvironmentError_(f"no process to read in could be started ({problem})") from problem
        return self._process

    def _exchange(self, order: dict[str, Any], limits: _Limits) -> tuple[dict[str, Any] | None, str]:
        """The child's answer, or None and why there is none."""
        process = self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        done, passed = threading.Event(), list[str]()
        threading.Thread(target=_watch, args=(process, limits, done, passed), daemon=True).start()
        try:
            process.stdin.write(json.dumps(order) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except (BrokenPipeError, ValueError):
            line = ""
        except BaseException:
            self.stop()
            raise
        finally:
            done.set()
        if passed:
            self.stop()
            return None, passed[0]
        if line.endswith("\n"):  # half an answer, or none: it died
            return json.loads(line), ""
        code = process.wait()
        self.stop()
        return None, _death(code, order)


@dataclass(frozen=True)
class _Limits:
    time_s: float
    resident_bytes: float


def _watch(process: subprocess.Popen[str], limits: _Limits, done: threading.Event, passed: list[str]) -> None:
    """Kill the child when it passes a limit, and say which in `passed`, until `done`."""
    end = time.monotonic() + limits.time_s
    while not done.wait(WATCH_EVERY_S):
        if time.monotonic() > end:
            passed.append(f"reading took longer than {limits.time_s:.0f} s and was stopped")
        elif _resident_bytes(process.pid) > limits.resident_bytes:
            passed.append(f"reading needed more than {limits.resident_bytes / MB:.0f} MB of memory and was stopped")
        if passed:
            _kill(process)
            return


def _resident_bytes(pid: int) -> int:
    """Memory a process holds now; 0 where the system does not say (only Linux does)."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_bytes().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0


def _kill(process: subprocess.Popen[str]) -> None:
    """Kill the child and whatever program it is running."""
    with contextlib.suppress(OSError, AttributeError):  # it is gone already, or this is Windows
        os.killpg(process.pid, signal.SIGKILL)
    process.kill()


def _death(code: int, order: dict[str, Any]) -> str:
    if code == -ALARM:
        return f"reading took longer than {order['time_s']:.0f} s and was stopped"
    if code < 0:
        name = signal.Signals(-code).name if -code in signal.Signals.__members__.values() else str(-code)
        return f"the reading library crashed ({name}) or needed more than {order['memory_bytes'] / 1024**3:.0f} GB"
    return f"the reading library stopped without an answer (exit {code})"


READER = ReaderProcess()
# suffix -> the library that a file of that name will likely need
LIKELY = {".nda": "fastnda", ".ndax": "fastnda", ".zip": "fastnda", ".mpr": "yadg.extractors", ".res": ""}
LIKELY |= {".xls": "fastexcel", ".xlsx": "fastexcel"}


def warm_up(paths: Iterable[Path]) -> None:
    """Start the child early when one of these files will likely need it: it imports while the caller does."""
    wanted = {LIKELY[path.suffix.lower()] for path in paths if path.suffix.lower() in LIKELY}
    if wanted:
        READER.start(sorted(wanted - {""}))


atexit.register(READER.stop)


def set_limits(memory_bytes: int, time_s: float) -> None:
    """Hold this process to so much memory, and to so much processor time from now on."""
    try:
        import resource
    except ImportError:  # Windows
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu_s = int(used.ru_utime + used.ru_stime + time_s * (os.cpu_count() or 1)) + 1
    for kind, wanted in ((resource.RLIMIT_AS, memory_bytes), (resource.RLIMIT_CPU, cpu_s)):
        _, hard = resource.getrlimit(kind)
        limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(kind, (limit, hard))


def end_with_parent(parent: int | None = None) -> None:
    """End this process soon after the one that started it, however that ended.

    parent: its process number, for a process whose parent may be gone before it gets here; None: asked for now.
    """
    parent = os.getppid() if parent is None else parent

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(ORPHAN_EVERY_S)
        if hasattr(os, "getpgrp") and os.getpgrp() == os.getpid():  # a group of its own: with the programs it runs
            os.killpg(0, signal.SIGKILL)
        os._exit(errors.EnvironmentError_.exit_code)

    threading.Thread(target=watch, daemon=True).start()


def set_alarm(time_s: float) -> None:
    """Have this process killed after so many seconds, even in a library that never comes back; 0: not any more."""
    if hasattr(signal, "alarm"):
        signal.alarm(int(time_s))


def guarded(work: Callable[[], None], name: str, library: str) -> dict[str, str]:
    """Do the work; an answer that names the typed error when it fails, whatever was raised."""
    try:
        work()
    except errors.InterlithError as problem:
        return {"error": type(problem).__name__, "message": str(problem)}
    except MemoryError:
        return {
            "error": "CorruptFile",
            "message": f"{name}: needs more memory than is allowed; damaged, or far too large",
        }
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as problem:
        what = (str(problem).strip().splitlines() or [""])[0][:200]
        why = f"{type(problem).__name__}: {what}"
        message = f"{name}: could not be read as {library} ({why}); damaged, or a newer version of the format"
        return {"error": "CorruptFile", "message": message}
    return {}


def serve() -> None:
    """The child's loop: a line with an order in, a line with the answer out, until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    from interlith.cycling.reading import obey

    for module in sys.argv[1:]:
        with contextlib.suppress(ImportError):
            importlib.import_module(module)
    for line in sys.stdin:
        order = json.loads(line)
        set_limits(order["memory_bytes"], order["time_s"])
        set_alarm(order["time_s"] + ALARM_AFTER_S)
        path = Path(order["path"])
        answer = guarded(lambda order=order: obey(order), order.get("shown", path.name), order["format"])  # type: ignore[misc]
        set_alarm(0)
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    serve()
