"""A process killed at any moment loses no unit that it had acknowledged, and is in nobody's way."""

import os
import random
import signal
import subprocess
import sys
import time

import pytest

from interlith.errors import EnvironmentError_
from interlith.store import key_of, open_store, read_store
from interlith.store_verify import verify

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")

WRITER = """
import itertools, sys
from pathlib import Path
import polars as pl
from interlith.findings import Finding
from interlith.store import Unit, key_of, open_store

folder, first, stop = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
with open_store(folder, "reference") as store:
    print("open", flush=True)
    for number in range(first, stop):
        table = pl.DataFrame({"cycle": range(number % 50 + 1), "loss": [number / 7] * (number % 50 + 1)})
        blob = store.put_finding(Finding(f"cell-{number}", {"number": number}, {"cycles": table}))
        parameters = {"number": number}
        key = key_of("tests", 1, parameters, {}, 0)
        store.record([Unit(key, f"tests.{number}", "tests", 1, parameters, {}, 0, "done", blob, None, 0.1)])
        print(number, flush=True)
"""


def start(code, *arguments, **environment):
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )


def wait_for(process, line):
    for got in process.stdout:
        if got.strip() == line:
            return
    raise AssertionError(f"the process ended ({process.wait()}) and never said {line!r}")


@pytest.mark.slow
@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_killed_at_random_moments_no_acknowledged_unit_is_lost(folder, journal):
    """Fifteen kills in each way to keep a journal; some meet the opening, most a write."""
    chance = random.Random(journal)
    acknowledged = []
    for round_ in range(15):
        process = start(WRITER, folder, round_ * 100_000, (round_ + 1) * 100_000, INTERLITH_JOURNAL=journal)
        if round_ % 5:
            wait_for(process, "open")
            acknowledged.append(int(process.stdout.readline()))
            time.sleep(chance.uniform(0, 0.2))
        else:
            time.sleep(chance.uniform(0.2, 0.5))
        process.kill()
        acknowledged += [int(line) for line in process.stdout.read().split("\n")[:-1] if line != "open"]
        assert process.wait() == -signal.SIGKILL
        check(folder, acknowledged)
    assert len(acknowledged) >= 12


def check(folder, acknowledged):
    if not (acknowledged or (folder / "manifest.sqlite").exists()):
        return  # killed before it could open anything
    for opened in (read_store(folder), open_store(folder, "reference"), read_store(folder)):
        with opened as store:
            for number in acknowledged:
                unit = store.find(key_of("tests", 1, {"number": number}, {}, 0))
                assert unit is not None, f"{number} was acknowledged and is lost"
                assert unit.parameters == {"number": number}
    with read_store(folder) as store:
        for number in acknowledged[-20:]:
            unit = store.find(key_of("tests", 1, {"number": number}, {}, 0))
            assert store.get_finding(unit.blob).summary == {"number": number}
    verified = verify(folder)
    assert verified.problems == ()
    assert verified.n_units >= len(acknowledged)
    assert not list(folder.rglob("*.partial"))


def test_a_reader_sees_what_a_writer_acknowledges(folder):
    writer = start(WRITER, folder, 0, 300)
    wait_for(writer, "0")
    with read_store(folder) as store:
        counts = [len(store.units())]
        for line in writer.stdout:
            if int(line) % 20 == 0:
                units = store.units()
                counts.append(len(units))
                assert len(units) > int(line)
                assert store.get_finding(units[-1].blob).name == f"cell-{units[-1].name.removeprefix('tests.')}"
        assert len(store.units()) == 300
    assert writer.wait() == 0
    assert counts == sorted(counts)
    assert len(set(counts)) > 5


HOLDER = """
import os, sys, time
from pathlib import Path
from interlith.store import open_store

with open_store(Path(sys.argv[1]), "reference"):
    child = os.fork()
    if child == 0:
        print(os.getpid(), flush=True)
    time.sleep(60)
    os._exit(0)
"""


def test_a_worker_that_outlives_its_killed_parent_holds_no_lock(folder):
    process = start(HOLDER, folder)
    child = int(process.stdout.readline())
    try:
        process.kill()
        process.wait()
        os.kill(child, 0)
        with open_store(folder, "reference") as store:
            assert store.units() == []
    finally:
        os.kill(child, signal.SIGKILL)


LIMITED = """
import resource, signal, sys
from pathlib import Path
from interlith.errors import EnvironmentError_
from interlith.store import Unit, open_store

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
folder, allowed_bytes = Path(sys.argv[1]), int(sys.argv[2])
with open_store(folder, "reference") as store:
    kept = store.put(b"kept")
    resource.setrlimit(resource.RLIMIT_FSIZE, (allowed_bytes, resource.RLIM_INFINITY))
    try:
        store.put(bytes(2 * allowed_bytes))
    except EnvironmentError_ as problem:
        print(problem, flush=True)
    try:
        for number in range(100_000):
            parameters = {"number": number}
            store.record([Unit(str(number), "tests", "tests", 1, parameters, {}, 0, "done", kept, None, 0.1)])
            print(number, flush=True)
    except EnvironmentError_ as problem:
        print(problem, flush=True)
    print(len(store.units()), flush=True)
"""


@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_where_no_file_may_grow_nothing_acknowledged_is_lost(folder, journal):
    process = start(LIMITED, folder, 200_000, INTERLITH_JOURNAL=journal)
    of_blob, *numbers, of_manifest, n_units = process.stdout.read().splitlines()
    assert process.wait() == 0
    assert of_blob.startswith(f"{folder}: cannot be written (")
    assert of_manifest.startswith(f"{folder}: cannot be written (")
    assert int(n_units) == len(numbers) > 10
    verified = verify(folder)
    assert (verified.n_units, verified.n_blobs, verified.problems) == (len(numbers), 1, ())
    assert not list(folder.rglob("*.partial"))
    with open_store(folder, "reference") as store:
        assert len(store.units()) == len(numbers)


def test_a_run_that_was_killed_is_read_where_nothing_can_be_written(folder, monkeypatch):
    """A read-only medium, played: SQLite refuses the manifest where it lies; what its journal holds still counts."""
    import interlith.store

    process = start(WRITER, folder, 0, 100_000)
    wait_for(process, "50")
    process.kill()
    process.wait()
    assert (folder / "manifest.sqlite-wal").stat().st_size > 0
    before = {path.name: path.stat().st_size for path in folder.iterdir()}
    connected = interlith.store._connected

    def refused(path, query):
        if path.parent == folder:
            raise interlith.store.sqlite3.OperationalError("unable to open database file")
        return connected(path, query)

    monkeypatch.setattr(interlith.store, "_connected", refused)
    with read_store(folder) as store:
        assert len(store.units()) > 50
    assert {path.name: path.stat().st_size for path in folder.iterdir()} == before
    with pytest.raises(EnvironmentError_, match="cannot be written"), open_store(folder, "reference"):
        pass
