"""The store of a run folder: what was computed is kept there, so that a kill at any moment loses nothing acknowledged.

    manifest.sqlite   which units were computed from what, and which run used them
    blobs/ab/cdef...  what they found, each file under the sha256 of its bytes
    lock              held by the one process that writes

A blob is on the disk before the unit that needs it is recorded; a unit is acknowledged when `Store.record` returns.
Manifest, blobs and lock are safe only in the order that is kept here.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import shutil
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import polars as pl

from interlith import __version__
from interlith.blobs import (
    BLOBS,
    as_json,
    blob_files,
    blob_path,
    blobs_of,
    finding_in,
    prepare_blobs,
    sync_directory,
    what_is_wrong,
    write_blobs,
)
from interlith.errors import CorruptFile, EnvironmentError_, InputError
from interlith.findings import Finding
from interlith.store_lock import journal_mode, locked

MANIFEST = "manifest.sqlite"
WAIT_S = 30.0
FIRST_BYTES = b"SQLite format 3\0"

# What leads from a schema to the next; an empty file has schema 0.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        "CREATE TABLE about (item TEXT PRIMARY KEY, value TEXT NOT NULL)",
        "CREATE TABLE units (key TEXT PRIMARY KEY, name TEXT NOT NULL, stage TEXT NOT NULL, version INTEGER NOT NULL,"
        " parameters TEXT NOT NULL, inputs TEXT NOT NULL, seed TEXT NOT NULL,"
        " status TEXT NOT NULL CHECK (status IN ('done', 'failed')), blob TEXT, error TEXT, seconds REAL NOT NULL,"
        " recorded TEXT NOT NULL)",
        "CREATE TABLE runs (id INTEGER PRIMARY KEY, study_sha256 TEXT NOT NULL, began TEXT NOT NULL, ended TEXT,"
        " outcome TEXT, interlith TEXT NOT NULL)",
    ),
    (
        "ALTER TABLE units ADD COLUMN interlith TEXT NOT NULL DEFAULT ''",
        "CREATE TABLE uses (run INTEGER NOT NULL, name TEXT NOT NULL, key TEXT NOT NULL, was_computed INTEGER NOT NULL,"
        " PRIMARY KEY (run, name, key))",
    ),
)
SCHEMA = len(MIGRATIONS)


@dataclass(frozen=True)
class Unit:
    """One piece of work and how it went: what it was made from, and the blob that it found or the error that it met.

    `parameters` and `error` are plain JSON, `inputs` the hashes of what went in by name. `recorded` is set when the
    unit is recorded (ISO, UTC).
    """

    key: str
    name: str
    stage: str
    version: int
    parameters: Mapping[str, Any]
    inputs: Mapping[str, str]
    seed: int
    status: Literal["done", "failed"]
    blob: str | None
    error: Mapping[str, Any] | None
    seconds: float
    interlith: str = __version__
    recorded: str = ""


COLUMNS = tuple(part.name for part in fields(Unit))


def key_of(stage: str, version: int, parameters: Mapping[str, Any], inputs: Mapping[str, str], seed: int) -> str:
    """The name of a unit by what it is made from: equal for equal work, whatever the order of the keys.

    Raises InputError for what JSON does not have, numbers that are not finite among it.

    >>> key_of("tests", 1, {"a": 1, "b": 2}, {}, 7) == key_of("tests", 1, {"b": 2, "a": 1}, {}, 7)
    True
    """
    made_from = {"stage": stage, "version": version, "parameters": parameters, "inputs": inputs, "seed": seed}
    return hashlib.sha256(as_json(made_from, f"the parameters of {stage}").encode()).hexdigest()


class Store:
    """The store of one run folder, made by `open_store` and `read_store`.

    >>> with tempfile.TemporaryDirectory() as folder, open_store(Path(folder), "reference") as store:
    ...     store.get(store.put(b"what was found"))
    b'what was found'
    """

    def __init__(self, folder: Path, name: str, connection: sqlite3.Connection, may_write: bool):
        self.folder = folder
        self.name = name
        self._connection = connection
        self._may_write = may_write

    def put(self, data: bytes) -> str:
        """Keep bytes; gives their sha256, by which `get` finds them. On the disk when it returns."""
        return self.put_many([data])[0]

    def put_many(self, datas: Sequence[bytes]) -> list[str]:
        """As `put` for each, with one sync for each directory instead of each file."""
        self._refuse_unless_writing()
        hashes = [hashlib.sha256(data).hexdigest() for data in datas]
        with _told(self.folder):
            write_blobs(self.folder / BLOBS, dict(zip(hashes, datas, strict=True)))
        return hashes

    def get(self, sha: str) -> bytes:
        """The bytes kept under this sha256. Raises CorruptFile when they are missing or no longer the same."""
        path = blob_path(self.folder / BLOBS, sha)
        with _told(self.folder, "read"):
            try:
                data = path.read_bytes()
            except FileNotFoundError:
                raise CorruptFile(f"{path}: missing; what it held must be computed anew") from None
            except IsADirectoryError:
                raise EnvironmentError_(f"{path}: a folder where a file was; remove it") from None
        if hashlib.sha256(data).hexdigest() != sha:
            raise CorruptFile(f"{path}: changed on disk (its bytes are not those that its name says)")
        return data

    def is_whole(self, sha: str | None) -> bool:
        """Whether what is kept under this sha256 is there and unchanged; of nothing (None) it is."""
        try:
            if sha is not None:
                self.get(sha)
        except CorruptFile:
            return False
        return True

    def put_json(self, value: Any) -> str:
        """Keep plain JSON, with sorted keys: equal values have one hash."""
        return self.put_json_many([value])[0]

    def put_json_many(self, values: Sequence[Any]) -> list[str]:
        """As `put_json` for each, with the syncs of one `put_many`."""
        return self.put_many([as_json(value, "what is to be kept").encode() for value in values])

    def get_json(self, sha: str) -> Any:
        """What `put_json` kept."""
        try:
            return json.loads(self.get(sha))
        except ValueError as problem:
            raise CorruptFile(f"{blob_path(self.folder / BLOBS, sha)}: holds no JSON ({problem})") from problem

    def put_finding(self, finding: Finding) -> str:
        """Keep a finding: a blob of JSON that names one of Parquet for each table."""
        return self.put_findings([finding])[0]

    def put_findings(self, findings: Sequence[Finding]) -> list[str]:
        """As `put_finding` for each, with the syncs of one `put_many`."""
        datas: list[bytes] = []
        ends: list[int] = []
        for finding in findings:
            datas += blobs_of(finding)
            ends.append(len(datas) - 1)
        hashes = self.put_many(datas)
        return [hashes[end] for end in ends]

    def get_finding(self, sha: str) -> Finding:
        """What `put_finding` kept, its summary and tables in their order."""
        held = finding_in(self.get(sha))
        if held is None:
            raise CorruptFile(f"{blob_path(self.folder / BLOBS, sha)}: holds no finding")
        tables = {name: pl.read_parquet(io.BytesIO(self.get(table))) for name, table in held["tables"].items()}
        return Finding(held["name"], held["summary"], tables)

    def record(self, units: Sequence[Unit]) -> None:
        """Write units down, all or none; one of the same key is replaced. They are acknowledged when this returns."""
        recorded = _now()
        rows = [_as_row(replace(unit, recorded=recorded)) for unit in units]
        marks = ", ".join("?" * len(COLUMNS))
        with self._writing() as connection:
            connection.executemany(f"INSERT OR REPLACE INTO units ({', '.join(COLUMNS)}) VALUES ({marks})", rows)

    def find(self, key: str) -> Unit | None:
        """The unit of this key, None when it was not recorded."""
        found = self._units("WHERE key = ?", key)
        return found[0] if found else None

    def units_of(self, keys: Iterable[str]) -> dict[str, Unit]:
        """The units of these keys by key, without those that were not recorded; one question for thousands."""
        found = self._units("WHERE key IN (SELECT value FROM json_each(?))", json.dumps(list(keys)))
        return {unit.key: unit for unit in found}

    def units(self, prefix: str = "") -> list[Unit]:
        """The units whose name begins so, by name, then in the order they were recorded."""
        return self._units("WHERE substr(name, 1, length(?1)) = ?1 ORDER BY name, recorded, rowid", prefix)

    def begin(self, study: str) -> int:
        """Note that a run of this study begins; its text is kept as a blob under `study_sha256`. Gives its number."""
        sha = self.put(study.encode("utf-8", "backslashreplace"))
        with self._writing() as connection:
            statement = "INSERT INTO runs (study_sha256, began, interlith) VALUES (?, ?, ?)"
            return int(connection.execute(statement, (sha, _now(), __version__)).lastrowid or 0)

    def use(self, run: int, name: str, key: str, was_computed: bool) -> None:
        """Note that a run used a unit, computed in it or found in the store."""
        self.uses(run, [(name, key, was_computed)])

    def uses(self, run: int, rows: Iterable[tuple[str, str, bool]]) -> None:
        """As `use` for each (name, key, was_computed). What was said first of a name and key of a run stays."""
        noted = [(run, name, key, bool(was_computed)) for name, key, was_computed in rows]
        with self._writing() as connection:
            connection.executemany("INSERT OR IGNORE INTO uses VALUES (?, ?, ?, ?)", noted)

    def end(self, run: int, outcome: str) -> None:
        """Note how a run ended."""
        with self._writing() as connection:
            connection.execute("UPDATE runs SET ended = ?, outcome = ? WHERE id = ?", (_now(), outcome, run))

    def note(self, item: str, value: str) -> None:
        """Write down something about the folder, in place of what was said of it before."""
        with self._writing() as connection:
            connection.execute("INSERT OR REPLACE INTO about VALUES (?, ?)", (item, value))

    def noted(self, item: str) -> str | None:
        """What was written down about the folder; None where nothing was."""
        found = self._select("SELECT value FROM about WHERE item = ?", item)
        return str(found[0][0]) if found else None

    def history(self) -> list[dict[str, Any]]:
        """All runs, oldest first, each with its `uses`: dicts of name, key, was_computed. Killed, it has no `ended`."""
        names = ("id", "study_sha256", "began", "ended", "outcome", "interlith")
        runs: dict[int, dict[str, Any]] = {
            row[0]: {**dict(zip(names, row, strict=True)), "uses": []}
            for row in self._select(f"SELECT {', '.join(names)} FROM runs ORDER BY id")
        }
        for run, name, key, was_computed in self._select("SELECT * FROM uses ORDER BY run, rowid"):
            if run in runs:
                runs[run]["uses"].append({"name": name, "key": key, "was_computed": bool(was_computed)})
        return list(runs.values())

    def harm_of_manifest(self) -> list[str]:
        """What SQLite finds wrong in the manifest."""
        return [row[0] for row in self._select("PRAGMA integrity_check") if row[0] != "ok"]

    def harm_of_blobs(self) -> dict[str, str]:
        """Every blob that lies in the folder, and what is wrong with it: "" where nothing is."""
        with _told(self.folder, "read"):
            return {path.parent.name + path.name: what_is_wrong(path) for path in blob_files(self.folder / BLOBS)}

    def _units(self, where: str, *values: Any) -> list[Unit]:
        with _told(self.folder, "read"):
            found = self._connection.execute(f"SELECT {', '.join(COLUMNS)} FROM units {where}", values)
            return [_as_unit(row) for row in found]

    def _select(self, statement: str, *values: Any) -> list[Any]:
        with _told(self.folder, "read"):
            return self._connection.execute(statement, values).fetchall()

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        self._refuse_unless_writing()
        with _told(self.folder), _transaction(self._connection):
            yield self._connection

    def _refuse_unless_writing(self) -> None:
        if not self._may_write:
            raise InputError(f"{self.folder}: opened for reading only")


@contextlib.contextmanager
def open_store(folder: Path, name: str) -> Iterator[Store]:
    """The store of the run `name`, made or opened for writing, by one process at a time.

    Raises InputError when another process writes there, when the folder holds another run or was written by a newer
    interlith; CorruptFile when the manifest is none; EnvironmentError_ when the folder cannot be written.
    """
    folder = Path(folder)
    with _told(folder):
        folder.mkdir(parents=True, exist_ok=True)
        _refuse_foreign(folder / MANIFEST)
    with contextlib.ExitStack() as stack:
        with _told(folder):
            has_locks = stack.enter_context(locked(folder))
            query = "mode=rwc" if has_locks else "mode=rwc&nolock=1"
            connection = stack.enter_context(_connected(folder / MANIFEST, query))
            _refuse_other(folder, connection, name)
            connection.execute(f"PRAGMA journal_mode = {journal_mode(folder)}")  # without locks it stays DELETE
            connection.execute("PRAGMA synchronous = EXTRA")  # FULL, and in mode DELETE the directory as well
            _migrate(connection, name)
            prepare_blobs(folder / BLOBS)
            for made in (folder, folder.absolute().parent):
                sync_directory(made)
        yield Store(folder, name, connection, may_write=True)
        with contextlib.suppress(sqlite3.Error):  # a finished run is one plain file, readable on any medium
            connection.execute("PRAGMA busy_timeout = 0")
            connection.execute("PRAGMA journal_mode = DELETE")


@contextlib.contextmanager
def read_store(folder: Path) -> Iterator[Store]:
    """The store of a folder for reading only, while another process writes there too, and on read-only media.

    A manifest that cannot be read where it lies (a killed run on a read-only medium), or of an older schema, is read
    from a copy. Raises InputError where there is no run.
    """
    folder = Path(folder)
    with contextlib.ExitStack() as stack:
        with _told(folder, "read"):
            if not (folder / MANIFEST).is_file():
                raise InputError(f"{folder}: holds no run (there is no {MANIFEST} in it)")
            _refuse_foreign(folder / MANIFEST)
            connection = _connect_to_read(folder, stack)
            name = _name_of_run(folder, connection)
        if name is None:
            raise InputError(f"{folder}: holds no run ({MANIFEST} is empty)")
        yield Store(folder, name, connection, may_write=False)


def _uri(path: Path, query: str) -> str:
    uri = path.absolute().as_uri()
    if not uri.startswith("file:///"):  # a share of Windows, which SQLite wants without an authority
        uri = "file:////" + uri.removeprefix("file://")
    return f"{uri}?{query}"


@contextlib.contextmanager
def _connected(path: Path, query: str) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(
        sqlite3.connect(_uri(path, query), uri=True, timeout=WAIT_S, isolation_level=None)
    ) as connection:
        yield connection


def _connect_to_read(folder: Path, stack: contextlib.ExitStack) -> sqlite3.Connection:
    """Where it lies if SQLite can and the schema is ours, else a copy, brought up to date."""
    try:
        connection = stack.enter_context(_connected(folder / MANIFEST, "mode=ro"))
        if _schema(connection) == SCHEMA or _name_of_run(folder, connection) is None:
            return connection
    except sqlite3.OperationalError as problem:
        if "locked" in str(problem):
            raise
    copy = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="interlith-")))
    _copy_manifest(folder, copy)
    connection = stack.enter_context(_connected(copy / MANIFEST, "mode=rw"))
    if (name := _name_of_run(folder, connection)) is not None:
        _migrate(connection, name)
    return connection


def _copy_manifest(folder: Path, into: Path) -> None:
    """The manifest with the journal that may lie beside it, all of one moment."""
    for _ in range(10):
        files = [path for end in ("", "-wal", "-journal") if (path := folder / f"{MANIFEST}{end}").exists()]
        before = [(path.stat().st_mtime_ns, path.stat().st_size) for path in files]
        for path in files:
            shutil.copyfile(path, into / path.name)
        if before == [(path.stat().st_mtime_ns, path.stat().st_size) for path in files]:
            return
    raise EnvironmentError_(f"{folder}: {MANIFEST} changes while it is copied; try again when the run rests")


def _schema(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _name_of_run(folder: Path, connection: sqlite3.Connection) -> str | None:
    """Whose run the manifest is; None for an empty one, as a kill leaves it."""
    if (schema := _schema(connection)) > SCHEMA:
        raise InputError(
            f"{folder}: written by a newer interlith (schema {schema}; this one, {__version__}, knows {SCHEMA});"
            " use that one, or give another --out"
        )
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not schema and not tables:
        return None
    if not {"about", "units", "runs"} <= tables:
        raise CorruptFile(f"{folder / MANIFEST}: an SQLite file, but not the manifest of a run; give another --out")
    return str(connection.execute("SELECT value FROM about WHERE item = 'name'").fetchone()[0])


def _refuse_other(folder: Path, connection: sqlite3.Connection, name: str) -> None:
    held = _name_of_run(folder, connection)
    if held is not None and held != name:
        raise InputError(f"{folder}: holds the run of {held!r}; give another --out")


def _refuse_foreign(manifest: Path) -> None:
    if manifest.exists():
        with manifest.open("rb") as file:
            first = file.read(len(FIRST_BYTES))
        if first not in (b"", FIRST_BYTES):
            raise CorruptFile(f"{manifest}: no SQLite file, so not the manifest of a run; give another --out")


def _migrate(connection: sqlite3.Connection, name: str) -> None:
    if (schema := _schema(connection)) == SCHEMA:
        return
    with _transaction(connection):
        for step in MIGRATIONS[schema:]:
            for statement in step:
                connection.execute(statement)
        if schema == 0:
            connection.execute("INSERT INTO about VALUES ('name', ?)", (name,))
        connection.execute(f"PRAGMA user_version = {SCHEMA}")


@contextlib.contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # SQLite itself rolls back on a full disk
            connection.execute("ROLLBACK")
        raise


@contextlib.contextmanager
def _told(folder: Path, doing: str = "written") -> Iterator[None]:
    """Whatever the system or SQLite raises in the block, as one of our errors that names the folder."""
    try:
        yield
    except OSError as problem:
        raise EnvironmentError_(f"{folder}: cannot be {doing} ({problem.strerror or problem})") from problem
    except sqlite3.ProgrammingError:
        raise
    except sqlite3.IntegrityError as problem:
        raise InputError(f"{folder}: such a unit cannot be recorded ({problem})") from problem
    except sqlite3.OperationalError as problem:
        if "locked" in str(problem):
            why = f"another program held {MANIFEST} locked for {WAIT_S:g} s; close it there and try again"
            raise EnvironmentError_(f"{folder}: {why}") from problem
        raise EnvironmentError_(f"{folder}: cannot be {doing} ({problem})") from problem
    except (sqlite3.DatabaseError, UnicodeDecodeError, json.JSONDecodeError) as problem:
        raise CorruptFile(f"{folder / MANIFEST}: damaged ({problem})") from problem


def _as_row(unit: Unit) -> tuple[Any, ...]:
    held = {name: getattr(unit, name) for name in COLUMNS}
    what = f"the unit {unit.name}"
    held |= {name: as_json(held[name], what) for name in ("parameters", "inputs")}
    held |= {"error": None if unit.error is None else as_json(unit.error, what)}
    held |= {"version": int(unit.version), "seed": str(int(unit.seed)), "seconds": float(unit.seconds)}
    return tuple(held[name] for name in COLUMNS)


def _as_unit(row: Sequence[Any]) -> Unit:
    held = dict(zip(COLUMNS, row, strict=True))
    for name in ("parameters", "inputs", "error"):
        held[name] = None if held[name] is None else json.loads(held[name])
    return Unit(**{**held, "seed": int(held["seed"])})


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")
