"""How far a network is, kept on disk: a kill at any moment costs what was done since the last checkpoint, no more.

    newest, previous   the state now, and the one before it in case the newest is damaged
    part-0000, ...     what does not change any more: the picture at the end of each step, written once

Each file says its version, of what it is a part (a fingerprint of all that the result depends on) and the sha256 of
what it holds, and takes the place of an older one whole or not at all. Nothing in it is run: arrays and JSON.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import platform
import shutil
import sys
import time
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import llvmlite.binding
import numba
import numpy as np
from numpy.typing import NDArray

from interlith import __version__
from interlith.errors import CorruptFile, InputError
from interlith.units import SECONDS_PER_DAY

VERSION = 1
FIRST_LINE = b"interlith deposit checkpoint\n"
LONGEST_HEADER = 1000  # bytes
NEWEST, PREVIOUS = "newest", "previous"
STATE = "state"  # the array that holds the JSON
EVERY_S = 20.0
COST = 20.0  # so many times what the last checkpoint took pass before the next: 5 % of the time at most
MOST_BYTES = 8 * 1024**3  # of all that is kept
FORGOTTEN_S = 30.0 * SECONDS_PER_DAY  # a run that was not taken up for so long is given up
MAY_RUN_S = SECONDS_PER_DAY  # what was written since may belong to a run that goes on
HERE = Path(__file__).resolve().parent
Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Kept:
    """What a checkpoint holds. state: plain JSON; arrays: by name; parts: arrays that do not change any more."""

    state: Mapping[str, Any]
    arrays: Arrays
    parts: Sequence[Arrays] = ()


def fingerprint(made_from: Mapping[str, Any], solid: NDArray[Any]) -> str:
    """The name of a network by all that its result depends on: equal for equal bits.

    made_from: plain JSON, what is asked. Added are the voxels, and what decides the last bit of a sum: this version,
    its sources, compiler and processor.
    """
    digest = hashlib.sha256(json.dumps(made_from, sort_keys=True).encode())
    digest.update(f"{solid.shape} {solid.dtype.str}".encode())
    digest.update(np.ascontiguousarray(solid).data)
    around = (VERSION, __version__, sys.version, numba.__version__, np.__version__, platform.platform())
    digest.update(json.dumps([*around, llvmlite.binding.get_host_cpu_name()]).encode())
    for path in (*sorted(HERE.glob("*.py")), *(HERE.parent / name for name in ("units.py", "ledger.py"))):
        with contextlib.suppress(OSError):  # no sources lie there: the version stands for them
            digest.update(path.read_bytes())
    return digest.hexdigest()


class Keeping:
    """The checkpoints of one network, in a folder of its own below `root`.

    warn: told in a sentence what is damaged, and that nothing can be written: then the work goes on without.
    """

    def __init__(
        self, root: Path, name: str, warn: Callable[[str], Any] = lambda text: None, *, every_s: float = EVERY_S
    ) -> None:
        self.folder, self.name, self.warn, self.every_s = root / name, name, warn, every_s
        self._written = self._began = time.monotonic()
        self._took_s = 0.0
        self._n_parts = 0
        self._has_whole = False  # newest is worth to be kept as the previous one
        self._has_failed = False

    def take_up(self, restore: Callable[[Kept], Any]) -> bool:
        """Go on from the newest checkpoint that is whole; False where there is none, and it is begun anew.

        restore: takes up what is kept, or raises InputError, KeyError, TypeError or ValueError and changes nothing.
        """
        harmed = 0
        for name in (NEWEST, PREVIOUS):
            path = self.folder / name
            if not path.is_file():
                continue
            try:
                kept = self._read(path)
                restore(kept)
            except CorruptFile as problem:
                why = str(problem)
            except (InputError, KeyError, TypeError, ValueError) as problem:
                why = f"{path}: holds no such network ({problem})"
            else:
                self._n_parts, self._has_whole = len(kept.parts), name == NEWEST
                return True
            harmed += 1
            self.warn(f"{why}; " + ("the checkpoint before it is used" if self._goes_on(name) else "not used"))
        if harmed:
            self.warn("no checkpoint that is whole is left: this network is begun anew")
        return False

    def is_due(self, *, at_end: bool = False) -> bool:
        """Whether it is time for a checkpoint. at_end: of a step of the protocol."""
        waited, least = time.monotonic() - self._written, COST * self._took_s
        return waited >= (least if at_end else max(self.every_s, least))

    def keep(self, kept: Kept) -> None:
        """Write a checkpoint; where that fails, what was written before stays as it is."""
        self._began = time.monotonic()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            for number in range(self._n_parts, len(kept.parts)):
                write(self.folder / _part(number), packed(self.name, {}, kept.parts[number]))
                self._n_parts = number + 1
            state = {**kept.state, "n_parts": len(kept.parts)}
            write(self.folder / NEWEST, packed(self.name, state, kept.arrays), self._aside)
            self._has_whole, self._has_failed = True, False
        except OSError as problem:
            if not self._has_failed:
                self.warn(
                    f"{self.folder}: no checkpoint can be written ({problem.strerror or problem}); the work goes on, "
                    "but a kill costs what was done since the last one"
                )
            self._has_failed = True
        self._written = time.monotonic()
        self._took_s = self._written - self._began

    def forget(self) -> None:
        """Remove the checkpoints: the answer is there."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _goes_on(self, name: str) -> bool:
        return name == NEWEST and (self.folder / PREVIOUS).is_file()

    def _aside(self) -> None:
        if self._has_whole:
            with contextlib.suppress(FileNotFoundError):  # another call of the same command was here first
                (self.folder / NEWEST).replace(self.folder / PREVIOUS)

    def _read(self, path: Path) -> Kept:
        state, arrays = unpacked(path, self.name)
        n_parts = state.get("n_parts")
        if not isinstance(n_parts, int):
            raise CorruptFile(f"{path}: does not say how many parts belong to it")
        parts = [unpacked(self.folder / _part(number), self.name)[1] for number in range(n_parts)]
        return Kept(state, arrays, parts)


def _part(number: int) -> str:
    return f"part-{number:04d}"


def arrays_of(one: Any) -> dict[str, NDArray[Any]]:
    """The fields of a dataclass of arrays and numbers, to be kept."""
    return {name: np.asarray(value) for name, value in vars(one).items()}


def value_of(array: NDArray[Any]) -> Any:
    """What was kept: an array, or the number that it was."""
    return array if array.ndim else array.item()


def packed(name: str, state: Mapping[str, Any], arrays: Arrays) -> bytes:
    """The bytes of a file: a first line, a header of JSON, and an archive of NumPy."""
    held = io.BytesIO()
    text = np.frombuffer(json.dumps(dict(state)).encode(), dtype=np.uint8)
    np.savez(held, **{STATE: text, **arrays})  # type: ignore[arg-type]
    data = held.getbuffer()
    header = {"version": VERSION, "of": name, "n_bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    return b"".join([FIRST_LINE, json.dumps(header).encode(), b"\n", data])


def unpacked(path: Path, name: str) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """State and arrays of a file. Raises CorruptFile, which says why, for one that is not whole or not of this run."""
    try:
        data = path.read_bytes()
    except OSError as problem:
        raise CorruptFile(f"{path}: cannot be read ({problem.strerror or problem})") from problem
    begin = len(FIRST_LINE)
    end = data.find(b"\n", begin, begin + LONGEST_HEADER)
    if not data.startswith(FIRST_LINE) or end < 0:
        raise CorruptFile(f"{path}: is no checkpoint")
    body = memoryview(data)[end + 1 :]
    _check(path, name, data[begin:end], body)
    try:
        with np.load(io.BytesIO(body), allow_pickle=False) as held:
            arrays = {key: held[key] for key in held.files}
        state = json.loads(arrays.pop(STATE).tobytes())
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile, RecursionError) as problem:
        raise CorruptFile(f"{path}: damaged ({problem})") from problem
    return state, arrays


def _check(path: Path, name: str, header: bytes, body: memoryview) -> None:
    try:
        said = json.loads(header)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise CorruptFile(f"{path}: damaged (its header)")
    if said.get("version") != VERSION:
        raise CorruptFile(f"{path}: a checkpoint of another version ({said.get('version')}; this is {VERSION})")
    if said.get("of") != name:
        raise CorruptFile(f"{path}: a checkpoint of another study, or of one with other options")
    if said.get("n_bytes") != len(body):
        raise CorruptFile(f"{path}: cut short ({len(body)} of {said.get('n_bytes')} bytes)")
    if said.get("sha256") != hashlib.sha256(body).hexdigest():
        raise CorruptFile(f"{path}: damaged (what it holds is not what was written)")


def write(path: Path, data: bytes, before: Callable[[], Any] = lambda: None) -> None:
    """Write a file beside, on the disk, and put it in its place; before: done just before that. Raises OSError."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        before()
        partial.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise


def prune(root: Path, most_bytes: int = MOST_BYTES) -> None:
    """Delete what nobody took up for a month, and beyond a limit what was written longest ago; not of today."""
    found = []
    for folder in root.glob("*"):
        with contextlib.suppress(OSError):
            sizes = [(path.stat().st_mtime, path.stat().st_size) for path in folder.iterdir()]
            written = max((time_s for time_s, _ in sizes), default=folder.stat().st_mtime)
            found.append((written, sum(size for _, size in sizes), folder))
    excess, now = sum(size for _, size, _ in found) - most_bytes, time.time()
    for written, size, folder in sorted(found):
        if now - written > FORGOTTEN_S or (excess > 0 and now - written > MAY_RUN_S):
            shutil.rmtree(folder, ignore_errors=True)
            excess -= size
