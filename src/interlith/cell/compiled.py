"""The one decorator for compiled functions: numba, kept on disk, thrown away when any source of this wing changes.

numba notices a change of the file of a compiled function, not of the functions that it calls from other files. So the
folder of what is kept carries a checksum of all sources here (inference/ compiles nothing); stale code cannot be run.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import numba

from interlith.errors import EnvironmentError_
from interlith.folders import chosen_folder

Function = TypeVar("Function", bound=Callable[..., Any])
HERE = Path(__file__).resolve().parent


def _sources() -> str:
    digest = hashlib.sha256(f"{numba.__version__} {sys.version}".encode())
    for path in sorted((*HERE.glob("*.py"), *(HERE / "mechanisms").glob("*.py"))):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _folder() -> str:
    root = chosen_folder("compiled")
    if root is None:
        return ""
    folder = root / _sources()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return ""
    return str(folder) if os.access(folder, os.W_OK) else ""


FOLDER = _folder()


def is_kept(model: str) -> bool:
    """Whether compiled code for a model lies on disk, so that nothing has to be compiled now."""
    return bool(FOLDER) and (Path(FOLDER) / model).is_file()


@contextmanager
def loading(model: str) -> Iterator[None]:
    """Around the call that compiles or loads a model: notes that its code is kept now, says what is wrong if it is.

    Raises EnvironmentError_ when what is kept cannot be read, or the folder not be written.
    """
    try:
        yield
    except OSError as problem:
        why = f"cannot be written ({problem.strerror or problem})"
        raise EnvironmentError_(f"{FOLDER}: {why}; INTERLITH_CACHE names another folder") from problem
    except Exception as problem:
        if not FOLDER:
            raise
        raise EnvironmentError_(f"{FOLDER}: compiled code kept there is damaged; delete the folder") from problem
    if FOLDER and not is_kept(model):
        with suppress(OSError):
            (Path(FOLDER) / model).touch()


def compiled(function: Function) -> Function:
    """Compile a function of numbers, arrays and named tuples of numbers at its first call.

    >>> @compiled
    ... def twice(x):
    ...     return 2 * x
    >>> twice(2.0)
    4.0
    """
    config: Any = numba.config
    before = config.CACHE_DIR
    config.CACHE_DIR = FOLDER
    try:
        kept = bool(FOLDER) and Path(function.__code__.co_filename).is_file()
        made: Any = numba.njit(cache=kept, error_model="numpy")(function)
    finally:
        config.CACHE_DIR = before
    return made
