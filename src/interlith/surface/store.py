"""What was computed once, kept: one file for each piece of work, named by the digest of all that decides its result."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from interlith.errors import EnvironmentError_
from interlith.surface.work import Work


@dataclass
class Store:
    """A folder of results; folder None: only in memory.

    A result is written to a file beside, synced, and renamed: what `get` finds is whole. A file that cannot be read is
    as if it were not there, and is computed anew.
    """

    folder: Path | None = None
    held: dict[str, dict[str, Any]] = field(default_factory=dict)

    def get(self, work: Work) -> dict[str, Any] | None:
        """The result of a piece, if it was done."""
        key = work.key
        if key not in self.held and self.folder is not None:
            try:
                kept = json.loads((self.folder / f"{key}.json").read_text(encoding="utf-8"))
            except (OSError, ValueError, RecursionError):
                return None
            if not isinstance(kept, dict) or kept.get("key") != key or not _is_result(kept.get("result")):
                return None
            self.held[key] = kept["result"]
        return self.held.get(key)

    def put(self, work: Work, result: dict[str, Any]) -> dict[str, Any]:
        """Keep the result of a piece; it comes back as it will be read later."""
        text = json.dumps({"key": work.key, "kind": work.kind, "model": work.identity, "result": result})
        if self.folder is not None:
            _write(self.folder / f"{work.key}.json", text)
        self.held[work.key] = json.loads(text)["result"]
        return self.held[work.key]


def _is_result(held: Any) -> bool:
    return isinstance(held, dict) and "seconds" in held


def _write(path: Path, text: str) -> None:
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as problem:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise EnvironmentError_(f"{path.parent}: cannot be written ({problem.strerror or problem})") from problem
