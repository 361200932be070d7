"""The page of a study: `write_story(findings, folder)` -> report.html, its story in pictures, and one table.

It computes nothing: it arranges and draws what the findings hold. One file, no script, nothing loaded from elsewhere.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from interlith import __version__
from interlith.errors import EnvironmentError_
from interlith.findings import Finding, Findings, replace_file
from interlith.report import story_table
from interlith.report.figures import Figure
from interlith.report.sketch import Sketch
from interlith.report.story_host import coating_picture, host_picture
from interlith.report.story_kept import drawn, facts_of
from interlith.report.story_ledger import ledger_picture
from interlith.report.story_life import life_picture
from interlith.report.story_picture import Picture, counted, rows_of
from interlith.report.story_pouch import pouch_picture
from interlith.report.story_surface import surface_picture
from interlith.report.story_voltage import voltage_picture

TABLE, OF_TESTS = "table", ("tests", "measured", "held_out")
PICTURES: tuple[tuple[str, Callable[[Findings], Picture | None], tuple[str, ...]], ...] = (
    # in the order of the chain: what it is about, what makes it, which stages it is made of
    ("Surface", surface_picture, ("surface",)),
    ("Coating", coating_picture, ("coating",)),
    ("Paper", host_picture, ("coating", TABLE)),
    ("Voltage and efficiency", voltage_picture, OF_TESTS),
    ("The lithium account", ledger_picture, OF_TESTS),
    ("Cycling life", life_picture, OF_TESTS),
    ("Pouch cell", pouch_picture, ("pouch",)),
)
FILE = "report.html"
WIDE_FROM_IN = 6.5  # figures from here on take the whole width of the page


def write_story(findings: Findings, folder: Path) -> Path:
    """Write folder/report.html and folder/figures of a study. Returns the path of the page.

    A figure that shows what it showed before is not drawn again. Raises EnvironmentError_ when it cannot be written.
    """
    import jinja2

    path = folder / FILE
    try:
        text = jinja2.Environment(
            autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
        ).from_string(Path(__file__).with_name("story.html").read_text(encoding="utf-8"))
        page = text.render(_page(findings, folder))
        replace_file(path, page.encode("utf-8", errors="replace"))
    except OSError as problem:
        raise EnvironmentError_(f"{path}: cannot be written ({problem.strerror or problem})") from problem
    return path


def pictures_of(findings: Findings) -> list[tuple[str, Picture]]:
    """The pictures that the stages of a study allow, with what each is about."""
    made = ((about, make(findings)) for about, make, _ in PICTURES)
    return [(about, picture) for about, picture in made if picture is not None]


def _page(findings: Findings, folder: Path) -> dict[str, Any]:
    said, rows = findings.items[0].summary, rows_of(findings)
    pictures = pictures_of(findings)
    figures = iter(drawn(_asked(findings, pictures), folder))
    return {
        "version": __version__,
        "title": said["title"],
        "warning": findings.warning,
        "ask": said["ask"],
        "source": story_table.linked(said["source"] or ""),
        "note": said["note"],
        "failed": [row for row in story_table.stages(said) if row["error"]],
        "counts": story_table.counts(rows, {kind for _, picture in pictures for kind in picture.kinds}),
        "pictures": [_told(about, picture, [next(figures) for _ in picture.sketches]) for about, picture in pictures],
        "sections": story_table.sections(rows),
        "n_rows": counted(len(rows), "row"),
        "sources": story_table.sources(rows),
        "audits": story_table.audits(findings),
        "handed": story_table.handed(said),
        "stages": story_table.stages(said),
        "stages_said": story_table.stages_said(said),
        "parameters": story_table.parameters(findings),
        "provenance": story_table.provenance(findings),
    }


def _asked(findings: Findings, pictures: Sequence[tuple[str, Picture]]) -> list[tuple[Finding, Sketch]]:
    """Each sketch with whose it is, what must not be overlooked in it, and a hash of what it was made of."""
    uses = {about: stages for about, _, stages in PICTURES}
    asked = []
    for about, picture in pictures:
        items = [item for item in findings.items[1:] if item.name.partition(".")[0] in uses[about]]
        facts = facts_of(items, rows_of(findings) if TABLE in uses[about] else ())
        for sketch in picture.sketches:
            marks = picture.own_marks.get(sketch.name, picture.marks)
            asked.append((Finding(findings.items[0].name, {"marks": list(marks), "facts": facts}), sketch))
    return asked


def _told(about: str, picture: Picture, figures: Sequence[Figure]) -> dict[str, Any]:
    shown = zip(picture.sketches, figures, strict=True)
    return {
        "about": about,
        "anchor": picture.name,
        "heading": picture.heading,
        "says": picture.says,
        "kinds": picture.kinds,
        "figures": [_figure(sketch, figure) for sketch, figure in shown],
        "compared": picture.compared,
    }


def _figure(sketch: Sketch, figure: Figure) -> dict[str, Any]:
    """A figure for the page: the picture within it, links to its files beside it."""
    held = base64.b64encode(figure.svg.read_bytes()).decode("ascii")
    links = {kind: quote(f"{figure.svg.parent.name}/{getattr(figure, kind).name}") for kind in ("svg", "png", "csv")}
    is_wide = (sketch.width_in or 0.0) >= WIDE_FROM_IN
    return {
        "title": figure.title,
        "caption": figure.caption,
        "picture": f"data:image/svg+xml;base64,{held}",
        "is_wide": is_wide,
        **links,
    }
