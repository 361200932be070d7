"""Where interlith keeps what it can make again: one folder for caches, in which each wing has its own."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path


def cache_folder(name: str) -> Path | None:
    """The folder of a cache below the system's folder for caches; None without a home folder.

    >>> cache_folder("records").name
    'records'
    """
    with contextlib.suppress(RuntimeError):
        return _system_folder() / "interlith" / name
    return None


def chosen_folder(name: str) -> Path | None:
    """The folder of a cache: below $INTERLITH_CACHE where that is set, else as `cache_folder` says."""
    if chosen := os.environ.get("INTERLITH_CACHE"):
        return Path(chosen) / name
    return cache_folder(name)


def _system_folder() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
