"""Units and runs: what was recorded is found, all or none, in folders of any age and of no other run."""

import dataclasses
import re
import sqlite3
from types import MappingProxyType

import pytest

import interlith.store
from interlith import __version__
from interlith.errors import CorruptFile, EnvironmentError_, InputError
from interlith.store import key_of, open_store, read_store


def pragma(folder, name):
    connection = sqlite3.connect(folder / "manifest.sqlite")
    try:
        return connection.execute(f"PRAGMA {name}").fetchone()[0]
    finally:
        connection.close()


def without_time(units):
    return [dataclasses.replace(unit, recorded="") for unit in units]


def test_a_unit_comes_back_as_it_was_recorded(folder, unit):
    failed = unit(2, status="failed", error={"type": "SolverError", "message": "at 3 s"}, seed=2**80, seconds=1e-3)
    with open_store(folder, "reference") as store:
        store.record([unit(1, blob=store.put(b"x")), failed])
        one, two = store.find(unit(1).key), store.find(failed.key)
        assert store.find("no such key") is None
    assert without_time([two]) == [failed]
    assert without_time([one]) == [unit(1, blob=one.blob)]
    assert one.interlith == __version__
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00", one.recorded)


def test_units_are_in_the_order_of_their_names_and_then_of_their_recording(folder, unit):
    late = [unit(3, name="tests.b", key="f"), unit(4, name="tests.b", key="a")]
    with open_store(folder, "reference") as store:
        store.record([unit(9, name="tests_b", key="1"), *late])
        store.record([unit(5, name="tests.a", key="2"), unit(6, name="tests.b", key="0")])
        assert [one.key for one in store.units()] == ["2", "f", "a", "0", "1"]
        assert [one.key for one in store.units("tests.b")] == ["f", "a", "0"]
        assert store.units("tests%") == store.units("TESTS") == []


def test_a_unit_of_the_same_key_is_replaced(folder, unit):
    with open_store(folder, "reference") as store:
        store.record([unit(1, status="failed", error={"type": "SolverError", "message": ""})])
        store.record([unit(1)])
        assert without_time(store.units()) == [unit(1)]


def test_units_of_many_keys_at_once(folder, unit):
    many = [unit(i, key=str(i), status="failed" if i % 2 else "done") for i in range(3000)]
    with open_store(folder, "reference") as store:
        store.record(many)
        got = store.units_of(str(i) for i in range(1, 40_000))
    assert {key: one.status for key, one in got.items()} == {one.key: one.status for one in many[1:]}


@pytest.mark.parametrize("wrong", [{"status": "perhaps"}, {"seconds": float("nan")}, {"parameters": {"a": {1, 2}}}])
def test_units_are_recorded_all_or_none(folder, unit, wrong):
    with open_store(folder, "reference") as store:
        with pytest.raises(InputError, match=r"cannot be recorded|not plain JSON"):
            store.record([unit(1), unit(2, **wrong), unit(3)])
        assert store.units() == []
        store.record([unit(1)])
        assert len(store.units()) == 1


def test_the_key_says_what_a_unit_is_made_from():
    made_from = ("tests", 1, {"a": {"x": 1, "y": 2}, "b": 1.5}, {"cell": "ff"}, 7)
    key = key_of(*made_from)
    assert re.fullmatch("[0-9a-f]{64}", key)
    assert key == key_of("tests", 1, MappingProxyType({"b": 1.5, "a": {"y": 2, "x": 1}}), {"cell": "ff"}, 7)
    others = [
        key_of(*made_from[:at], other, *made_from[at + 1 :])
        for at, other in enumerate(("cells", 2, {"b": 1.5}, {"cell": "fe"}, 8))
    ]
    assert len({key, *others}) == 6
    for wrong in (float("nan"), float("inf"), {1, 2}, b"x", {1: 1, "1": 2}):
        with pytest.raises(InputError, match="the parameters of tests: not plain JSON"):
            key_of("tests", 1, {"a": wrong}, {}, 7)


def test_runs_say_what_they_used(folder):
    with open_store(folder, "reference") as store:
        first = store.begin("[study]\n")
        store.use(first, "tests.b", "k1", True)
        store.uses(first, [("tests.b", "k1", False), ("tests.a", "k2", False)])
        store.end(first, "done")
        second = store.begin("[study]\nseed = 2\n")
        done, killed = store.history()
        assert store.get(done["study_sha256"]) == b"[study]\n"
    assert (done["id"], done["outcome"], done["interlith"]) == (first, "done", __version__)
    assert done["began"] <= done["ended"]
    assert done["uses"] == [
        {"name": "tests.b", "key": "k1", "was_computed": True},
        {"name": "tests.a", "key": "k2", "was_computed": False},
    ]
    assert (killed["id"], killed["ended"], killed["outcome"], killed["uses"]) == (second, None, None, [])


def test_the_run_of_another_name_is_refused(folder, unit):
    with open_store(folder, "reference") as store:
        store.record([unit(1)])
    message = f"{re.escape(str(folder))}: holds the run of 'reference'; give another --out"
    with pytest.raises(InputError, match=message), open_store(folder, "other"):
        pass
    with open_store(folder, "reference") as store:
        assert (store.name, len(store.units())) == ("reference", 1)


def test_a_folder_with_other_things_in_it_is_fine(folder):
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    with open_store(folder, "reference"):
        pass
    assert (folder / "notes.txt").read_text() == "mine"


def test_a_manifest_that_is_none_is_refused_and_stays(folder):
    folder.mkdir()
    (folder / "manifest.sqlite").write_bytes(b"my cargo\n" * 200)
    for opened in (open_store(folder, "reference"), read_store(folder)):
        with pytest.raises(CorruptFile, match="no SQLite file"), opened:
            pass
    assert [path.name for path in folder.iterdir()] == ["manifest.sqlite"]


def test_the_database_of_another_program_is_refused_and_stays(folder):
    folder.mkdir()
    connection = sqlite3.connect(folder / "manifest.sqlite")
    connection.execute("CREATE TABLE cargo (what)")
    connection.close()
    before = (folder / "manifest.sqlite").read_bytes()
    for opened in (open_store(folder, "reference"), read_store(folder)):
        with pytest.raises(CorruptFile, match="not the manifest of a run"), opened:
            pass
    assert (folder / "manifest.sqlite").read_bytes() == before


def test_a_damaged_manifest_is_told(folder, unit):
    with open_store(folder, "reference") as store:
        store.record([unit(i, name=f"{i}" * 50) for i in range(200)])
    manifest = folder / "manifest.sqlite"
    data = manifest.read_bytes()
    manifest.write_bytes(data[:5000] + bytes(len(data) - 5000))
    with pytest.raises(CorruptFile, match=r"manifest\.sqlite"), read_store(folder) as store:
        store.units()


def test_where_there_is_no_run_nothing_is_read(folder):
    with pytest.raises(InputError, match="holds no run"), read_store(folder):
        pass
    folder.mkdir()
    (folder / "manifest.sqlite").touch()  # what a kill leaves before the first transaction
    with pytest.raises(InputError, match="holds no run"), read_store(folder):
        pass
    with open_store(folder, "reference") as store:
        assert store.units() == []


OLD = """
CREATE TABLE about (item TEXT PRIMARY KEY, value TEXT NOT NULL);
INSERT INTO about VALUES ('name', 'reference');
CREATE TABLE units (key TEXT PRIMARY KEY, name TEXT NOT NULL, stage TEXT NOT NULL, version INTEGER NOT NULL,
    parameters TEXT NOT NULL, inputs TEXT NOT NULL, seed TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('done', 'failed')), blob TEXT, error TEXT, seconds REAL NOT NULL,
    recorded TEXT NOT NULL);
INSERT INTO units VALUES ('k1', 'tests.old', 'tests', 1, '{"a":1}', '{}', '7', 'done', NULL, NULL, 2.0, '2024');
CREATE TABLE runs (id INTEGER PRIMARY KEY, study_sha256 TEXT NOT NULL, began TEXT NOT NULL, ended TEXT, outcome TEXT,
    interlith TEXT NOT NULL);
INSERT INTO runs VALUES (1, 'ff', '2024', '2024', 'done', '0.0.9');
PRAGMA user_version = 1;
"""


@pytest.fixture
def old(folder):
    folder.mkdir()
    connection = sqlite3.connect(folder / "manifest.sqlite")
    connection.executescript(OLD)
    connection.close()
    return folder


def test_an_older_run_is_brought_up_to_date(old, unit):
    with open_store(old, "reference") as store:
        (held,) = store.units()
        assert (held.key, held.parameters, held.seed, held.interlith) == ("k1", {"a": 1}, 7, "")
        store.record([unit(1)])
        store.use(1, "tests.old", "k1", True)
    assert pragma(old, "user_version") == interlith.store.SCHEMA == 2
    with read_store(old) as store:
        assert [one.interlith for one in store.units()] == [__version__, ""]
        assert store.history()[0]["uses"] == [{"name": "tests.old", "key": "k1", "was_computed": True}]


def test_an_older_run_is_read_as_it_lies(old):
    before = (old / "manifest.sqlite").read_bytes()
    with read_store(old) as store:
        assert [one.name for one in store.units()] == ["tests.old"]
        assert store.history()[0]["uses"] == []
    assert [path.name for path in old.iterdir()] == ["manifest.sqlite"]
    assert (old / "manifest.sqlite").read_bytes() == before


def test_bringing_up_to_date_is_all_or_nothing(old, monkeypatch):
    broken = (*interlith.store.MIGRATIONS[1], "CREATE TABLE uses (twice)")
    monkeypatch.setattr(interlith.store, "MIGRATIONS", (interlith.store.MIGRATIONS[0], broken))
    with pytest.raises(EnvironmentError_), open_store(old, "reference"):
        pass
    monkeypatch.undo()
    assert pragma(old, "user_version") == 1
    with open_store(old, "reference") as store:
        assert len(store.units()) == 1


def test_a_newer_run_is_refused(folder):
    with open_store(folder, "reference"):
        pass
    connection = sqlite3.connect(folder / "manifest.sqlite")
    connection.execute("PRAGMA user_version = 3")
    connection.close()
    for opened in (open_store(folder, "reference"), read_store(folder)):
        with pytest.raises(InputError, match=r"newer interlith \(schema 3; .*knows 2\)"), opened:
            pass
    assert pragma(folder, "user_version") == 3


def test_a_full_disk_loses_nothing_acknowledged(folder, unit):
    with open_store(folder, "reference") as store:
        store.record([unit(1)])
        n_pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
        store._connection.execute(f"PRAGMA max_page_count = {n_pages}")
        with pytest.raises(EnvironmentError_, match=f"{re.escape(str(folder))}: .*full"):
            store.record([unit(i) for i in range(2, 400)])
        assert without_time(store.units()) == [unit(1)]
        store._connection.execute("PRAGMA max_page_count = 100000")
        store.record([unit(2)])
    with read_store(folder) as store:
        assert without_time(store.units()) == [unit(1), unit(2)]


def test_a_manifest_that_another_program_holds_is_told(folder, unit, monkeypatch):
    with open_store(folder, "reference"):
        pass
    monkeypatch.setattr(interlith.store, "WAIT_S", 0.1)
    other = sqlite3.connect(folder / "manifest.sqlite", isolation_level=None)
    try:
        with open_store(folder, "reference") as store:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(EnvironmentError_, match=r"locked for 0\.1 s"):
                store.record([unit(1)])
            other.execute("ROLLBACK")
            store.record([unit(1)])
    finally:
        other.close()


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "run"):
        with pytest.raises(EnvironmentError_, match=re.escape(f"{folder}: cannot be written")):
            open_store(folder, "reference").__enter__()


@pytest.mark.parametrize("name", ["ü 100%?#&=.run", "-"])
def test_any_name_of_a_folder_will_do(tmp_path, name, unit):
    with open_store(tmp_path / name, "reference") as store:
        store.record([unit(1)])
    assert (tmp_path / name / "manifest.sqlite").is_file()
    with read_store(tmp_path / name) as store:
        assert len(store.units()) == 1
