"""What every answer has in common: a folder that can be written, a head, tables, figures and one page."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from interlith.cycling.thresholds import Thresholds
from interlith.errors import InterlithError, fault_said
from interlith.findings import Finding, Findings, plain, safe_name, write, write_tables, writing

if TYPE_CHECKING:
    from interlith.report.figures import Figure

Done = tuple[Finding, "list[Figure]"]


def head(kind: str, name: str, title: str, said: list[str]) -> dict[str, Any]:
    """What every answer says that is not about a file: its kind, and the sentences that go with it."""
    return {"path": name, "kind": kind, "kind_reason": title, "error": None, "flags": [], "said": said}


def others_there(out: Path | None, kind: str, name: str) -> list[str]:
    """Sentences on a result of another kind or name that lies in a folder: its files stay, and nothing is removed."""
    if out is None:
        return []
    try:
        held = json.loads((out / "findings.json").read_text(encoding="utf-8"))["files"][0]
        there = str(held["kind"]), str(held["path"])
    except (OSError, ValueError, LookupError, TypeError):  # none, or not one of ours
        return []
    if there == (kind, name):
        return []
    kind, name = (safe_name(text) for text in there)
    return [
        f"{out}: holds a result of kind {kind} ({name}); findings.json and report.html are replaced, of its tables, "
        "figures and other files those stay that are not written anew. Another --out keeps both"
    ]


@contextlib.contextmanager
def writable(out: Path | None) -> Iterator[None]:
    """Refused before the work, not after it; a folder that was made for work that failed goes again while empty."""
    is_new = out is not None and not out.exists()
    if out is not None:
        with writing(out):
            pass
    try:
        yield
    except BaseException:
        if out is not None and is_new:
            with contextlib.suppress(OSError):  # something lies in it
                out.rmdir()
        raise


def answered(
    title: str,
    name: str,
    summary: Mapping[str, Any],
    tables: Mapping[str, pl.DataFrame],
    warning: str | None,
    out: Path | None,
) -> Findings:
    """One finding that is not about a file; with `out`, its tables, figures and page are written there."""
    finding = Finding(safe_name(name), plain(summary), tables)
    findings = Findings(title, (finding,), warning=warning)
    if out is not None:
        from interlith.report.figures import draw

        write_tables(finding, out)
        written_with_page(findings, [(finding, draw(finding, out))], out)
    return findings


def collected(title: str, done: Sequence[Done], thresholds: Thresholds) -> Findings:
    """The findings of files, with the limits that hold for all of them."""
    return Findings(title, tuple(finding for finding, _ in done), tuple(thresholds.table()))


def written_with_page(findings: Findings, done: Sequence[Done], out: Path) -> None:
    """Write findings.json and the page of findings whose tables and figures lie in the folder already."""
    from interlith.report.page import write_page

    write(findings, out)
    write_page(findings, {finding.name: figures for finding, figures in done}, out)


def fault(path: Path, problem: Exception) -> InterlithError:
    """What no file should be able to cause, told without a traceback; --debug shows that."""
    return InterlithError(f"{path.name}: {fault_said(problem, 'the file')}")
