"""Readers that hang, hoard, crash or lie; processes killed from outside; caches damaged: the next file is read."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hostile_truth import put

from interlith.cycling import cache, isolation, reading
from interlith.cycling.reading import read
from interlith.errors import CorruptFile, EnvironmentError_, InputError

EVIL = """
import ctypes, os, time
import polars as pl
from interlith.cycling.formats.format import Format, Raw
def read(path, options):
    what = path.read_text().split()[1]
    if what == "hang":
        while True: pass
    if what == "sleep":
        time.sleep(1e6)
    if what == "hoard":
        kept = []
        while True: kept.append(b"x" * 10_000_000)
    if what == "huge":
        bytearray(1 << 45)
    if what == "segfault":
        ctypes.string_at(0)
    if what == "leave":
        os._exit(0)
    if what == "exit":
        raise SystemExit(3)
    if what == "panic":
        raise type("PanicException", (BaseException,), {})("foreign\\nlines")
    if what == "talk":
        os.write(1, b"{}\\n" * 100)
        print("{}")
    return Raw(pl.DataFrame({"test_time_second": [0.0, 9.0], "voltage_volt": [1.0, 1.0], "current_ampere": [1.0, 1.0]}))
FORMAT = Format("evil", "Evil", (".evil",), lambda head: head.data.startswith(b"EVIL"), read, isolated=True)
"""
posix = pytest.mark.skipif(sys.platform == "win32", reason="signals and limits of POSIX")


@pytest.fixture
def evil(tmp_path, monkeypatch):
    """A plug-in whose reader does the worst, as the child process sees it: order(what) has it read such a file."""
    folder = tmp_path / "plug-in"
    made = folder / "evil-1.0.dist-info"
    made.mkdir(parents=True)
    (folder / "evil.py").write_text(EVIL)
    (made / "METADATA").write_text("Metadata-Version: 2.1\nName: evil\nVersion: 1.0\n")
    (made / "entry_points.txt").write_text("[interlith.formats]\nevil = evil:FORMAT\n")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]))
    return folder


@pytest.fixture
def reader(evil):
    process = isolation.ReaderProcess()
    yield process
    process.stop()


@pytest.fixture
def order(reader, tmp_path):
    def ask(what: str) -> int:
        file, out = tmp_path / f"{what}.evil", tmp_path / "out.parquet"
        file.write_text(f"EVIL {what}")
        given = {"path": str(file), "format": "evil", "shown": file.name, "sha256": "", "out": str(out)}
        reader.request({**given, "columns": {}, "current_mA": None, "settings": None}, file)
        return reading.read_record(out).n_rows

    return ask


@posix
@pytest.mark.parametrize(
    ("what", "why"),
    [
        ("hang", "longer than"),
        ("sleep", "longer than"),
        ("hoard", "more than"),
        ("huge", "more memory"),
        ("segfault", "SIGSEGV"),
        ("leave", "without an answer"),
        ("exit", "without an answer"),
        ("panic", "PanicException: foreign"),
    ],
)
def test_what_a_reader_does_is_a_typed_error_and_the_next_file_is_read(order, monkeypatch, what, why):
    assert order("good") == 2
    monkeypatch.setattr(isolation, "TIME_LIMIT_S", 2.0 if what in ("hang", "sleep") else 60.0)
    with pytest.raises(CorruptFile, match=why) as told:
        order(what)
    assert f"{what}.evil" in str(told.value)
    assert "\n" not in str(told.value)
    monkeypatch.setattr(isolation, "TIME_LIMIT_S", 60.0)
    assert order("good") == 2
    assert order("talk") == 2


@posix
def test_child_killed_between_requests(order, reader):
    assert order("good") == 2
    os.kill(reader._process.pid, signal.SIGKILL)
    time.sleep(0.1)
    assert order("good") == 2


def alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as stream:
            return stream.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def session(env: dict[str, str], *arguments: str) -> subprocess.Popen:
    # whoever runs the tests in the background may have told them to leave Ctrl-C alone
    heard = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from interlith.cli import main; "
    command = [sys.executable, "-c", heard + "main()", "analyze", *arguments]
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def descendants(pid: int) -> list[int]:
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat") as stream:
                    parent = int(stream.read().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue
            if parent == pid:
                found += [int(entry), *descendants(int(entry))]
    return found


def wait_until(true, seconds: float = 20.0) -> bool:
    end = time.monotonic() + seconds
    while not (now := true()) and time.monotonic() < end:
        time.sleep(0.05)
    return bool(now)


@pytest.fixture
def busy(evil, tmp_path, bare, monkeypatch):
    """A running `interlith analyze` of one good file and one whose reader sleeps; with two workers."""
    put(tmp_path / "a-good.csv", bare)
    (tmp_path / "b.evil").write_text("EVIL sleep")
    out = tmp_path / "out"
    process = session(
        dict(os.environ), str(tmp_path / "a-good.csv"), str(tmp_path / "b.evil"), "--workers", "2", "--out", str(out)
    )
    assert wait_until(lambda: is_settled(out / "figures"), 40)
    yield process, out
    if process.poll() is None:
        process.kill()
    process.communicate()


def is_settled(folder) -> bool:
    """Files are there, and no more have come for a second: the good file is done."""
    before = sorted(folder.glob("*"))
    time.sleep(1.0)
    return bool(before) and sorted(folder.glob("*")) == before


def whole_files(out) -> bool:
    return not [path for path in out.rglob("*") if "partial" in path.name]


@pytest.mark.skipif(sys.platform != "linux", reason="processes are found in /proc")
@pytest.mark.slow
def test_ctrl_c_keeps_what_is_done(busy):
    process, out = busy
    children = descendants(process.pid)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Traceback" not in said
    assert "stopped" in said
    assert (out / "findings.json").is_file()
    assert (out / "report.html").is_file()
    assert whole_files(out)
    assert wait_until(lambda: not any(map(alive, children)), 5)


@pytest.mark.skipif(sys.platform != "linux", reason="processes are found in /proc")
@pytest.mark.slow
def test_killed_from_outside_no_orphan_stays(busy, tmp_path):
    process, out = busy
    children = descendants(process.pid)
    assert len(children) >= 3
    process.kill()
    assert wait_until(lambda: not any(map(alive, children)), 10), [c for c in children if alive(c)]
    assert whole_files(out)
    again = session(dict(os.environ), str(tmp_path / "a-good.csv"), "--out", str(out), "--json")
    answer, said = again.communicate(timeout=60)
    assert (again.returncode, said) == (0, "")
    assert '"error": null' in answer


@posix
def test_a_worker_that_begins_after_its_caller_was_killed_ends():
    """The caller may be gone before a worker has imported what watches for that."""
    late = (
        "import subprocess, sys, time; from interlith.cycling.isolation import end_with_parent; "
        "gone = subprocess.Popen([sys.executable, '-c', '']); gone.wait(); end_with_parent(gone.pid); time.sleep(60)"
    )
    done = subprocess.run([sys.executable, "-c", late], timeout=50, check=False)
    assert done.returncode == EnvironmentError_.exit_code


@pytest.mark.skipif(sys.platform != "linux", reason="processes are found in /proc")
@pytest.mark.slow
def test_a_worker_killed_stops_no_other_file(evil, tmp_path, bare):
    """The process of one file dies: the files beside it, and those waiting, are analyzed all the same."""
    (tmp_path / "a.evil").write_text("EVIL sleep")
    files = [put(tmp_path / f"b{k}.csv", bare) for k in range(4)]
    process = session(dict(os.environ), str(tmp_path / "a.evil"), *map(str, files), "--workers", "2", "--json")

    def worker_of_the_sleeper() -> list[int]:
        for child in descendants(process.pid):
            below = descendants(child)
            if any(b"isolation" in Path(f"/proc/{b}/cmdline").read_bytes() for b in below):
                return [child]
        return []

    assert wait_until(worker_of_the_sleeper)
    time.sleep(1.5)
    (tmp_path / "a.evil").write_text("EVIL segfault")  # when it is tried again, alone
    for worker in worker_of_the_sleeper():
        os.kill(worker, signal.SIGKILL)
    answer, said = process.communicate(timeout=90)
    assert process.returncode == 3, said
    assert answer.count('"error": null') == 4
    assert "Traceback" not in said


@pytest.fixture
def csv(tmp_path, bare):
    return put(tmp_path / "cell.csv", bare)


@pytest.fixture
def cached(csv):
    first = read(csv)
    (kept,) = cache.folder().glob("*/*.parquet")
    return first, kept


def test_every_damage_to_a_cache_file_is_noticed(csv, cached):
    first, kept = cached
    data = kept.read_bytes()
    for place in range(0, len(data), max(1, len(data) // 60)):
        kept.write_bytes(data[:place] + bytes([data[place] ^ 0x04]) + data[place + 1 :])
        assert read(csv).table.equals(first.table), place
    for part in (b"", data[: len(data) // 2], b"PAR1", data + b"x"):
        kept.write_bytes(part)
        assert read(csv).table.equals(first.table)
    assert read(csv).flags == first.flags


def test_cache_file_without_its_checksum_or_as_a_folder(csv, cached):
    first, kept = cached
    for beside in kept.parent.glob("*.crc32"):
        beside.write_bytes(b"\xff\xfe")
    assert read(csv).table.equals(first.table)
    kept.unlink()
    kept.mkdir()
    assert read(csv).table.equals(first.table)


@pytest.mark.parametrize("folder", ["/dev/null/nowhere", "/proc/nowhere", "a file"])
def test_cache_that_cannot_be_written_changes_nothing(csv, tmp_path, monkeypatch, folder):
    (tmp_path / "a file").write_text("")
    monkeypatch.setenv("INTERLITH_CACHE", str(tmp_path / folder))
    assert read(csv).table.equals(read(csv, use_cache=False).table)


@posix
def test_full_disk_leaves_no_half_cache_file(csv, monkeypatch):
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        full = read(csv)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, old)
    assert not [path for path in cache.folder().rglob("*") if path.is_file()]
    assert full.table.equals(read(csv, use_cache=False).table)


def test_no_home_folder(csv, monkeypatch):
    monkeypatch.delenv("INTERLITH_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(cache.Path, "home", lambda: (_ for _ in ()).throw(RuntimeError("no home")))
    assert read(csv).n_rows > 0


def test_left_behind_by_a_killed_process_is_cleared_away(csv, cached):
    _, kept = cached
    left = kept.with_name(kept.name + ".999.partial")
    left.write_bytes(b"half")
    os.utime(left, (1, 1))
    cache.prune(cache.folder())
    assert not left.exists()
    assert kept.exists()


def test_file_that_grows_while_it_is_read(csv, monkeypatch):
    made = reading._make

    def slow(path, *rest):
        record = made(path, *rest)
        with csv.open("a") as stream:
            stream.write("1e6,0.1,0.001\n")
        return record

    monkeypatch.setattr(reading, "_make", slow)
    record = read(csv)
    assert "changed_while_read" in [flag.code for flag in record.flags]
    assert not list(cache.folder().glob("*/*.parquet"))


def test_file_that_vanishes_while_it_is_read(csv, monkeypatch):
    def gone(path):
        csv.unlink()
        return str(path.stat())

    monkeypatch.setattr(cache, "sha256", gone)
    with pytest.raises(InputError, match="cannot be read"):
        read(csv)
