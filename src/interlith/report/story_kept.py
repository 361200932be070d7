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


def drawn(pictures: Sequence[tuple[Finding, Sequence[Sketch]]], folder: Path, facts: str) -> list[list[Figure]]:
    """The figures of each picture, in folder/figures; those that no picture has any more are removed.

    facts: a hash of all that the sketches were made of. A figure whose words, numbers, facts and files are those that
    the list says is not drawn again. Raises EnvironmentError_ when the folder cannot be written.
    """
    with writing(folder / "figures") as figures:
        before = _read(figures / LIST)
        now: dict[str, Any] = {}
        found = []
        for finding, sketches in pictures:
            digests = {sketch.name: _digest(sketch, finding, facts) for sketch in sketches}
            kept = {
                name: figure
                for name, figure in ((sketch.name, _figure(sketch, finding, figures)) for sketch in sketches)
                if _is_kept(before.get(_stem(finding, name)), digests[name], figure)
            }
            new = draw_sketches([sketch for sketch in sketches if sketch.name not in kept], finding, folder)
            made = {**kept, **{figure.name: figure for figure in new}}
            found.append([made[sketch.name] for sketch in sketches])
            for figure in found[-1]:
                stem = _stem(finding, figure.name)
                hashes = before[stem]["files"] if figure.name in kept else _hashes(figure)
                now[stem] = {"of": digests[figure.name], "files": hashes}
        for stem in before.keys() - now.keys():
            for kind in FILES:
                (figures / f"{Path(stem).name}.{kind}").unlink(missing_ok=True)
        if now or before:
            replace_file(figures / LIST, json.dumps(now, indent=1, sort_keys=True).encode())
    return found


def facts_of(items: Sequence[Finding], rows: Sequence[Mapping[str, Any]]) -> str:
    """A hash of the summaries of all stages and of the table of the study."""
    told = hashlib.sha256(json.dumps(list(rows), sort_keys=True).encode())
    for item in items:
        told.update(json.dumps([item.name, item.summary], sort_keys=True, default=float).encode())
    return told.hexdigest()


def _stem(finding: Finding, name: str) -> str:
    return f"{finding.name}.{name}"


def _figure(sketch: Sketch, finding: Finding, figures: Path) -> Figure:
    """A figure as it is once it is drawn."""
    paths = {kind: figures / f"{_stem(finding, sketch.name)}.{kind}" for kind in FILES}
    marks = tags(finding.summary)
    caption = f"{sketch.caption} {'; '.join(marks)}." if marks else sketch.caption
    return Figure(sketch.name, sketch.title, caption, **paths)


def _is_kept(record: Any, digest: str, figure: Figure) -> bool:
    try:
        return bool(record["of"] == digest and record["files"] == _hashes(figure))
    except (TypeError, KeyError, OSError):
        return False


def _hashes(figure: Figure) -> dict[str, str]:
    return {kind: hashlib.sha256(getattr(figure, kind).read_bytes()).hexdigest() for kind in FILES}


def _digest(sketch: Sketch, finding: Finding, facts: str) -> str:
    told = hashlib.sha256(sketch.data.write_csv().encode())
    bare = replace(sketch, data=sketch.data.clear())
    words = (bare.name, bare.title, bare.caption, bare.height_in, bare.width_in, finding.name, finding.summary)
    told.update(json.dumps([words, facts, _code()], sort_keys=True, default=str).encode())
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
