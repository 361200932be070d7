"""From a file to a Record: recognize, check, read, clean, keep.

    record = read("cell-07.ndax")

Content decides what a file is; its name only breaks ties. Libraries that are not ours run in a child process.
"""

from __future__ import annotations

import contextlib
import tempfile
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from interlith import __version__
from interlith.cycling import archive, cache
from interlith.cycling.clean import to_record
from interlith.cycling.formats import FORMATS, Format, Head, ReadOptions, all_formats, generic_csv
from interlith.cycling.formats.refused import refusal
from interlith.cycling.isolation import READER, guarded
from interlith.errors import CorruptFile, EnvironmentError_, InputError, UnsupportedFormat
from interlith.record import Flag, Provenance, Record, read_record, write_record
from interlith.text_file import WEB_PAGE

PLAIN = ReadOptions()
AMBIGUOUS = (".txt", ".csv")  # names that many formats share say nothing of what a file was meant to be


def read(path: Path | str, options: ReadOptions = PLAIN, *, use_cache: bool = True) -> Record:
    """What was measured, as a Record, whatever instrument wrote the file.

    Raises UnsupportedFormat, CorruptFile or InputError for a file that cannot be read, EnvironmentError_ when the
    library for it is not installed. Never returns part of a table as if it were whole: what is missing is flagged.

    >>> from interlith.cycling.synthetic import write_example
    >>> read(write_example(), use_cache=False).n_rows > 100
    True
    """
    path = Path(path)
    try:
        return _read(path, options, use_cache)
    except OSError as problem:
        raise InputError(f"{path}: cannot be read ({problem.strerror or problem})") from problem


def _read(path: Path, options: ReadOptions, use_cache: bool) -> Record:
    _check_is_file(path)
    before = _state(path)
    with unwrapped(path) as (inner, shown):
        known = recognize(inner, shown, named_columns=bool(options.columns))
        if missing := known.missing():
            raise EnvironmentError_(f"{shown}: {known.title} {missing}")
        content = cache.sha256(inner)
        where = cache.place(content, {"format": known.name, "path": shown, **_as_order(options)})
        if use_cache and (kept := cache.load(where)):
            return kept
        record = _read_new(inner, known, options, shown, content)
        if _state(path) != before:
            message = "the file was written to while it was read; its end may be missing. Read it again."
            return record.with_flags([Flag("changed_while_read", message)])
        if use_cache:
            cache.store(record, where)
        return record


def _state(path: Path) -> tuple[int, int]:
    known = path.stat()
    return known.st_size, known.st_mtime_ns


def recognize(path: Path, shown: str | None = None, *, named_columns: bool = False) -> Format:
    """The format of a file. Raises UnsupportedFormat or CorruptFile, saying what was found and what to do.

    named_columns: a person has named the columns, so any text is a plain table.
    """
    shown = shown or path.name
    head = Head(path)
    if reason := refusal(head):
        raise UnsupportedFormat(f"{shown}: {reason}")
    if WEB_PAGE.match(head.text[:500]):
        raise UnsupportedFormat(f"{shown}: a web page, not data. Was it saved from a log-in page? Download it again.")
    if named_columns and head.text:
        return generic_csv.FORMAT
    by_content = [known for known in all_formats() if _recognizes(known, head, shown)]
    if by_content:
        by_name = [known for known in by_content if head.suffix in known.suffixes]
        return (by_name or by_content)[0]
    meant = [known.title for known in all_formats() if head.suffix in known.suffixes and head.suffix not in AMBIGUOUS]
    if meant:
        raise CorruptFile(
            f"{shown}: named {head.suffix} ({meant[0]}), but its content is not; damaged, cut off or renamed"
        )
    raise UnsupportedFormat(
        f"{shown}: not a format that is read here (`interlith formats` lists them). A table with time, voltage and "
        "current columns can be read as .csv; name the columns with --columns"
    )


def _recognizes(known: Format, head: Head, shown: str) -> bool:
    """Whether a format claims a file; one that stumbles over a damaged file does not."""
    claims: list[bool] = []
    answer = guarded(lambda: claims.append(known.recognize(head)), shown, known.title)
    return not answer and claims[0]


@contextlib.contextmanager
def unwrapped(path: Path) -> Iterator[tuple[Path, str]]:
    """The file itself, or the only file inside a plain .zip, unpacked beside nothing of the user's."""
    members = [name for name in Head(path).members if not name.endswith("/")]
    if path.suffix.lower() != ".zip" or any(name.lower().endswith("data.ndc") for name in members):
        yield path, path.name
        return
    archive.check_archive(path)
    if len(members) != 1:
        raise UnsupportedFormat(f"{path.name}: {len(members)} files inside; unpack it and give the files")
    with tempfile.TemporaryDirectory(prefix="interlith-") as folder, zipfile.ZipFile(path) as outer:
        inner = Path(folder) / Path(members[0]).name
        with outer.open(members[0]) as source, inner.open("wb") as target:
            while piece := source.read(cache.PIECE):
                target.write(piece)
        yield inner, f"{path.name}/{inner.name}"


def _check_is_file(path: Path) -> None:
    if not path.exists():
        raise InputError(f"{path}: no such file")
    if not path.is_file():
        raise InputError(f"{path}: not a file")
    try:
        with path.open("rb") as stream:
            first = stream.read(4096)
    except OSError as problem:
        raise InputError(f"{path}: cannot be opened ({problem.strerror})") from problem
    if not first.strip(b"\0 \r\n\t"):
        raise CorruptFile(f"{path.name}: the file is empty")


def _read_new(path: Path, known: Format, options: ReadOptions, shown: str, content: str) -> Record:
    with _members_checked_beside(path):
        if not known.isolated:
            return _read_here(path, known, options, shown, content)
        return _read_in_child(path, known, options, shown, content)


@contextlib.contextmanager
def _members_checked_beside(path: Path) -> Iterator[None]:
    """A zip archive's listing is checked before the block, the checksums of its members while the block runs.

    A damaged member is what is raised then, whatever the reader made of it.
    """
    if not Head(path).members:
        yield
        return
    archive.check_listing(path)
    with ThreadPoolExecutor(1) as beside:
        checked = beside.submit(archive.check_members, path)
        try:
            yield
        finally:
            checked.result()


def _read_in_child(path: Path, known: Format, options: ReadOptions, shown: str, content: str) -> Record:
    with tempfile.TemporaryDirectory(prefix="interlith-") as folder:
        out = Path(folder) / "record.parquet"
        order = {"path": str(path), "format": known.name, "shown": shown, "sha256": content, "out": str(out)}
        READER.request({**order, **_as_order(options)}, path)
        return read_record(out)


def _read_here(path: Path, known: Format, options: ReadOptions, shown: str, content: str) -> Record:
    made: list[Record] = []
    answer = guarded(lambda: made.append(_make(path, known, options, shown, content)), shown, known.title)
    if answer:
        from interlith import errors

        raise getattr(errors, answer["error"])(answer["message"])
    return made[0]


def _make(path: Path, known: Format, options: ReadOptions, shown: str, content: str) -> Record:
    raw = known.read(path, options)
    provenance = Provenance(
        path=shown,
        sha256=content,
        format=known.name,
        reader=f"interlith {__version__}",
        instrument=raw.instrument,
        n_rows_in_file=raw.table.height,
        notes=raw.notes,
    )
    return to_record(raw, provenance)


def obey(order: dict[str, Any]) -> None:
    """What the child process does with one order: read the file, write the record."""
    built_in = {known.name: known for known in FORMATS}
    known = built_in.get(order["format"]) or next(f for f in all_formats() if f.name == order["format"])
    settings = order["settings"]
    options = ReadOptions(order["columns"], order["current_mA"], Path(settings) if settings else None)
    record = _make(Path(order["path"]), known, options, order["shown"], order["sha256"])
    write_record(record, Path(order["out"]), compression="uncompressed")


def _as_order(options: ReadOptions) -> dict[str, Any]:
    settings = options.settings
    return {
        "columns": dict(options.columns),
        "current_mA": options.current_mA,
        "settings": str(settings) if settings else None,
    }
