"""Figures of a story: drawn where anything that they show is new, left as they are where nothing is."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from interlith import __version__
from interlith.findings import Finding, replace_file, writing
from interlith.report.figures import Figure, draw_sketches
from interlith.report.sketch import Sketch, tags

LIST = "story.json"  # in the folder of figures: what was drawn, and the hashes of its files
FILES = ("svg", "png", "csv")


def drawn(asked: Sequence[tuple[Finding, Sketch]], folder: Path) -> list[Figure]:
    """The figure of each sketch, in folder/figures; those that are no longer asked for are removed.

    The finding says whose a figure is, what stands at its head, and, as `facts`, by a hash what it was made of. A
    figure whose words, numbers, facts and files are those that the list says is not drawn again. Raises
    EnvironmentError_ when the folder cannot be written.
    """
    with writing(folder / "figures") as figures:
        before = _read(figures / LIST)
        now: dict[str, Any] = {}
        found = []
        for finding, sketch in asked:
            digest, figure = _digest(sketch, finding), _figure(sketch, finding, figures)
            stem = f"{finding.name}.{sketch.name}"
            hashes = _kept_hashes(before.get(stem), digest, figure)
            if hashes is None:
                (figure,) = draw_sketches([sketch], finding, folder)
                hashes = _hashes(figure)
            now[stem] = {"of": digest, "files": hashes}
            found.append(figure)
        for stem in before.keys() - now.keys():
            for kind in FILES:
                (figures / f"{Path(stem).name}.{kind}").unlink(missing_ok=True)
        if now or before:
            replace_file(figures / LIST, json.dumps(now, indent=1, sort_keys=True).encode())
    return found


def facts_of(items: Sequence[Finding], rows: Sequence[Mapping[str, Any]]) -> str:
    """A hash of the summaries of stages, and of a table."""
    told = hashlib.sha256(json.dumps(list(rows), sort_keys=True).encode())
    for item in items:
        told.update(json.dumps([item.name, item.summary], sort_keys=True, default=float).encode())
    return told.hexdigest()


def _figure(sketch: Sketch, finding: Finding, figures: Path) -> Figure:
    """A figure as it is once it is drawn."""
    paths = {kind: figures / f"{finding.name}.{sketch.name}.{kind}" for kind in FILES}
    marks = tags(finding.summary)
    caption = f"{sketch.caption} {'; '.join(marks)}." if marks else sketch.caption
    return Figure(sketch.name, sketch.title, caption, **paths)


def _kept_hashes(record: Any, digest: str, figure: Figure) -> dict[str, str] | None:
    """Hashes of the files of a figure that need not be drawn again; None where it must be."""
    try:
        hashes = _hashes(figure)
        return hashes if record["of"] == digest and record["files"] == hashes else None
    except (TypeError, KeyError, OSError):
        return None


def _hashes(figure: Figure) -> dict[str, str]:
    return {kind: hashlib.sha256(getattr(figure, kind).read_bytes()).hexdigest() for kind in FILES}


def _digest(sketch: Sketch, finding: Finding) -> str:
    told = hashlib.sha256(sketch.data.write_csv().encode())
    bare = replace(sketch, data=sketch.data.clear())
    words = (bare.name, bare.title, bare.caption, bare.height_in, bare.width_in, finding.name, finding.summary)
    told.update(json.dumps([words, _code()], sort_keys=True, default=str).encode())
    return told.hexdigest()


@cache
def _code() -> str:
    """A hash of the code that draws, and of the library that it draws with."""
    told = hashlib.sha256(f"{__version__} {version('matplotlib')}".encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        told.update(path.name.encode() + b"\0" + path.read_bytes())
    return told.hexdigest()


def _read(path: Path) -> dict[str, Any]:
    """What was drawn before; nothing where the list is missing or not to be read."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
