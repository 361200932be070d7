"""What every command does: errors as one line and an exit status, progress on stderr, the answer on stdout."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from interlith.errors import EnvironmentError_, InterlithError
from interlith.units import SECONDS_PER_MINUTE

if TYPE_CHECKING:
    from interlith.deposition_run import Progress as Passed
    from interlith.findings import Finding, Findings
    from interlith.surface.conduct import Progress

STOPPED = 130
STOPPED_KEPT = "stopped; what was done is kept. To go on"
PLAIN_LINE_EVERY_S = 30.0


@contextmanager
def errors_told(debug: bool, stopped: str = STOPPED_KEPT) -> Iterator[None]:
    """One line on stderr and the exit status for what interlith refuses; a clean end on Ctrl-C and a closed pipe."""
    try:
        yield
    except InterlithError as problem:
        if debug:
            raise
        typer.echo(f"interlith: {problem}", err=True)
        raise typer.Exit(problem.exit_code) from None
    except BrokenPipeError:
        raise
    except OSError as problem:
        if debug:
            raise
        typer.echo(f"interlith: {problem.strerror or problem}", err=True)
        raise typer.Exit(EnvironmentError_.exit_code) from None
    except (KeyboardInterrupt, SystemError) as problem:  # compiled code that is interrupted ends in the second
        if isinstance(problem, SystemError) and not isinstance(problem.__cause__, KeyboardInterrupt):
            raise
        typer.echo(f"\ninterlith: {stopped}: {_same_command()}", err=True)
        raise typer.Exit(STOPPED) from None


def _same_command() -> str:
    import shlex

    return "interlith " + shlex.join(sys.argv[1:])


def compiling_told(what: str, how_long: str) -> None:
    """Say that code is compiled before anything is seen of the work."""
    from interlith.cell.compiled import FOLDER

    often = "once for this version" if FOLDER else "each time: INTERLITH_CACHE can name a folder that keeps it"
    typer.echo(f"interlith: compiling {what}, {often} ({how_long})", err=True)


@contextmanager
def files_told(total: int, quiet: bool) -> Iterator[Callable[[Finding], None]]:
    """Tell how many files are done."""
    number = count(1)
    with progress_told(total, quiet, "files") as told:
        yield lambda finding: told(next(number), finding.name)


@contextmanager
def progress_told(total: int, quiet: bool, unit: str) -> Iterator[Callable[[int, str], None]]:
    """Tell how far it is: a bar on a terminal, else a plain line every 30 s; nothing when quiet or for one of them."""
    if quiet or total <= 1:
        yield lambda n_done, name: None
    elif sys.stderr.isatty():
        yield from _bar(total)
    else:
        yield _plain_lines(total, unit)


def _bar(total: int) -> Iterator[Callable[[int, str], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=total)
        yield lambda n_done, name: bar.update(task, completed=n_done, description=name)


def _plain_lines(total: int, unit: str) -> Callable[[int, str], None]:
    last = [time.monotonic()]

    def tell(n_done: int, name: str) -> None:
        if time.monotonic() - last[0] >= PLAIN_LINE_EVERY_S:
            last[0] = time.monotonic()
            typer.echo(f"interlith: {n_done} of {total} {unit} done", err=True)

    return tell


@contextmanager
def searches_told(quiet: bool) -> Iterator[Callable[[Progress], None]]:
    """Tell how far searches are, whose end comes in sight as they go: a bar, or a line every 30 s; quiet: nothing."""
    if quiet:
        yield lambda progress: None
    elif sys.stderr.isatty():
        yield from _searches_bar()
    else:
        yield _search_lines()


def _searches_bar() -> Iterator[Callable[[Progress], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda at: bar.update(task, completed=at.n_done, total=at.n_expected, description=_searched(at))


def _search_lines() -> Callable[[Progress], None]:
    began = last = time.monotonic()
    before: int | None = None

    def tell(at: Progress) -> None:
        nonlocal last, before
        now = time.monotonic()
        before = at.n_done - 1 if before is None else before
        if now - last >= PLAIN_LINE_EVERY_S:
            last = now
            left = minutes_left(at.n_done - before, at.n_expected - at.n_done, now - began)
            typer.echo(f"interlith: {at.n_done} of about {at.n_expected} pieces, {_searched(at)}; {left}", err=True)

    return tell


@contextmanager
def charge_told(quiet: bool) -> Iterator[Callable[[Passed], None]]:
    """Tell how much of a deposition's charge has passed: a bar, or a line every 30 s; quiet: nothing."""
    began = time.monotonic()
    if quiet:
        yield lambda at: None
    elif sys.stderr.isatty():
        yield from _charge_bar(began)
    else:
        yield _charge_lines(began)


def _charge_bar(began: float) -> Iterator[Callable[[Passed], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    columns = (BarColumn(), TaskProgressColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=1.0)
        yield lambda at: bar.update(task, completed=at.share, description=_charge_said(at, began))


def _charge_lines(began: float) -> Callable[[Passed], None]:
    last = [began]

    def tell(at: Passed) -> None:
        if time.monotonic() - last[0] >= PLAIN_LINE_EVERY_S:
            last[0] = time.monotonic()
            typer.echo(f"interlith: {at.share:.0%} of the charge, {_charge_said(at, began)}", err=True)

    return tell


def _charge_said(at: Passed, began: float) -> str:
    """How many networks are done and how long the rest takes, at the pace of what this call has done itself."""
    parts = 1_000_000
    passed, left = round(parts * (at.share - at.kept)), round(parts * (1.0 - at.share))
    said = f"{at.n_done} of {at.n} networks done"
    return said if passed <= 0 or left <= 0 else f"{said}; {minutes_left(passed, left, time.monotonic() - began)}"


def _searched(at: Progress) -> str:
    return f"{at.n_ended} of {at.n_searches} searches done, {at.last}"


def minutes_left(n_done: int, n_left: int, seconds: float) -> str:
    """How long it still takes, at the pace so far.

    >>> minutes_left(10, 20, 60.0)
    'about 2 min left'
    """
    return f"about {max(1, round(seconds / max(n_done, 1) * n_left / SECONDS_PER_MINUTE))} min left"


def tell_note(text: str) -> None:
    """One line on stderr, whatever else is told there."""
    typer.echo(f"interlith: {text}", err=True)


def tell_lists(found: dict[str, list[dict[str, str]]], as_json: bool) -> None:
    """What can be named, as JSON or as tables."""
    from interlith.report.terminal import print_lists

    typer.echo(json.dumps(found, ensure_ascii=False)) if as_json else print_lists(found)


def answer(findings: Findings, out: Path | None, as_json: bool) -> None:
    """The findings as one JSON object, or as a table with where the report lies."""
    page = out / "report.html" if out is not None else None
    if as_json:
        typer.echo(json.dumps(findings.as_json(), ensure_ascii=False))
        return
    from interlith.report.terminal import print_findings

    print_findings(findings, page)


def status(findings: Findings) -> int:
    """The exit status: that of the worst file."""
    from interlith import errors

    names = [item.summary["error"]["type"] for item in findings.items if item.summary["error"]]
    return max((getattr(errors, name).exit_code for name in names), default=0)
