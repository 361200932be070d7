"""Bytes, JSON and findings come back as they were put, are on the disk first, and leave nothing half written."""

import hashlib
import json
import os
import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

import interlith.blobs
import interlith.store
from interlith.errors import CorruptFile, EnvironmentError_, InputError
from interlith.findings import Finding
from interlith.store import open_store, read_store


def files(folder):
    return sorted(path.relative_to(folder).as_posix() for path in (folder / "blobs").rglob("*") if path.is_file())


def blob(folder, sha):
    return folder / "blobs" / sha[:2] / sha[2:]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(datas=st.lists(st.binary(max_size=300), max_size=8))
def test_bytes_come_back_as_they_were_put(datas, tmp_path):
    with open_store(tmp_path / "run", "reference") as store:
        hashes = store.put_many(datas)
        assert hashes == [hashlib.sha256(data).hexdigest() for data in datas]
        assert [store.get(sha) for sha in hashes] == datas


def test_a_blob_lies_under_its_sha256(folder):
    with open_store(folder, "reference") as store:
        sha = store.put(b"abc")
    assert sha.startswith("ba7816bf")
    assert files(folder) == [f"blobs/ba/{sha[2:]}"]
    assert blob(folder, sha).read_bytes() == b"abc"


def test_what_is_there_is_not_written_again(folder):
    with open_store(folder, "reference") as store:
        sha = store.put(b"abc")
        before = blob(folder, sha).stat()
        assert store.put_many([b"abc", b"abc"]) == [sha, sha]
        after = blob(folder, sha).stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


@pytest.mark.parametrize("damaged", [b"abX", b"ab", b""])
def test_a_changed_blob_is_told_and_mended_by_putting_it_again(folder, damaged):
    with open_store(folder, "reference") as store:
        sha = store.put(b"abc")
        blob(folder, sha).write_bytes(damaged)
        with pytest.raises(CorruptFile, match=f"blobs/ba/{sha[2:]}: changed on disk"):
            store.get(sha)
        store.put(b"abc")
        assert store.get(sha) == b"abc"


def test_a_missing_blob_is_told(folder):
    with open_store(folder, "reference") as store:
        sha = store.put(b"abc")
        blob(folder, sha).unlink()
        with pytest.raises(CorruptFile, match=f"blobs/ba/{sha[2:]}: missing"):
            store.get(sha)


@pytest.mark.parametrize("sha", ["", "../../../etc/passwd", "A" * 64, "a" * 63, "a" * 65, "a" * 64 + "\n"])
def test_only_a_sha256_names_a_blob(folder, sha):
    with open_store(folder, "reference") as store, pytest.raises(InputError, match="is no sha256"):
        store.get(sha)


def test_json_has_one_hash_for_equal_values(folder):
    with open_store(folder, "reference") as store:
        one, two, other = store.put_json_many([{"a": 1, "b": [2.5, None]}, {"b": [2.5, None], "a": 1}, {"a": 1}])
        assert one == two != other
        assert store.put_json({"a": 1}) == other
        assert store.get_json(one) == {"a": 1, "b": [2.5, None]}
        with pytest.raises(InputError, match="not plain JSON"):
            store.put_json({"a": float("nan")})
        with pytest.raises(CorruptFile, match="no JSON"):
            store.get_json(store.put(b"{"))


TABLE = pl.DataFrame(
    {
        "time_second": [0.0, 1.5, None, float("inf")],
        "step": ["charge", "rest", None, "µ"],
        "n": pl.Series([1, 2, None, 4], dtype=pl.Int32),
        "at": [datetime(2024, 5, 1, tzinfo=UTC)] * 4,
        "counts": [[1], [2, 3], [], None],
        "kind": pl.Series(["b", "a", "b", None], dtype=pl.Categorical),
    }
)


def test_a_finding_comes_back_with_its_order(folder):
    finding = Finding("cell-07", {"z": 1, "a": (2, float("nan"))}, {"cycles": TABLE, "all": TABLE[:0]})
    with open_store(folder, "reference") as store:
        got = store.get_finding(store.put_finding(finding))
    assert (got.name, json.dumps(got.summary)) == ("cell-07", '{"z": 1, "a": [2, null]}')
    assert list(got.tables) == ["cycles", "all"]
    assert_frame_equal(got.tables["cycles"], TABLE)
    assert_frame_equal(got.tables["all"], TABLE[:0])


def test_equal_findings_are_equal_bytes_however_the_table_was_made(folder):
    rows = 600_000
    long = pl.DataFrame({"t": pl.arange(0, rows, eager=True) / 3, "s": [f"x{i % 7}" for i in range(rows)]})
    pieces = pl.concat([long[:10], long[10:400], long[400:]], rechunk=False)
    cut = pl.concat([long[:3], long])[3:]
    assert pieces.n_chunks() > 1
    with open_store(folder, "reference") as store:
        hashes = store.put_findings([Finding("a", {}, {"t": table}) for table in (long, pieces, cut)])
        assert len(set(hashes)) == 1
        assert len(files(folder)) == 2
        other = store.put_finding(Finding("a", {}, {"t": long[1:]}))
        assert other not in hashes


def test_what_is_no_finding_is_told(folder):
    with open_store(folder, "reference") as store:
        for sha in (store.put(b'{"name":'), store.put_json({"name": 1}), store.put(b"")):
            with pytest.raises(CorruptFile, match="no finding"):
                store.get_finding(sha)


def test_a_file_is_synced_before_it_has_its_name_and_its_directory_after(folder, monkeypatch):
    """What a loss of power needs; a kill alone cannot show it."""
    events = []
    sync, rename = os.fsync, Path.replace

    def fsync(handle):
        events.append(("sync", os.readlink(f"/proc/self/fd/{handle}")))
        sync(handle)

    def replace(self, target):
        events.append(("name", str(self), str(target)))
        return rename(self, target)

    if not Path("/proc/self/fd").is_dir():
        pytest.skip("needs /proc to see which file a handle means")
    datas = [str(i).encode() for i in range(300)]  # more than there are directories
    with open_store(folder, "reference") as store:
        monkeypatch.setattr(os, "fsync", fsync)
        monkeypatch.setattr(Path, "replace", replace)
        hashes = store.put_many(datas)
        done, events[:] = list(events), []
        store.put(datas[0])  # there, but a killed process may not have synced its directory
        again = list(events)
    named = {target: (at, partial) for at, (what, partial, *to) in enumerate(done) if what == "name" for target in to}
    synced = {path: at for at, (what, path, *_) in enumerate(done) if what == "sync"}
    assert len(named) == 300
    for sha in hashes:
        at, partial = named[str(blob(folder, sha))]
        assert synced[partial] < at < synced[str(blob(folder, sha).parent)]
    assert synced[str(folder / "blobs")]
    counts = Counter(path for what, path, *_ in done if what == "sync")
    assert max(counts.values()) == 1
    assert again == [("sync", str(blob(folder, hashes[0]).parent))]


@pytest.mark.parametrize("broken", ["fsync", "replace"])
def test_a_full_disk_leaves_nothing_half_written(folder, monkeypatch, broken):
    def full(*_):
        raise OSError(28, "No space left on device")

    with open_store(folder, "reference") as store:
        kept = store.put(b"kept")
        with monkeypatch.context() as patched:
            patched.setattr(*{"fsync": (os, "fsync"), "replace": (Path, "replace")}[broken], full)
            with pytest.raises(EnvironmentError_, match=f"{re.escape(str(folder))}: .*No space left"):
                store.put_many([b"one", b"two"])
        assert files(folder) == [f"blobs/{kept[:2]}/{kept[2:]}"]
        assert store.get(store.put(b"one")) == b"one"


def test_stopped_by_the_person_leaves_nothing_half_written(folder, monkeypatch):
    def stopped(*_):
        raise KeyboardInterrupt

    with open_store(folder, "reference") as store:
        monkeypatch.setattr(os, "fsync", stopped)
        with pytest.raises(KeyboardInterrupt):
            store.put(b"one")
        monkeypatch.undo()
    assert files(folder) == []


def test_what_a_killed_process_left_is_removed_by_the_next_writer_alone(folder):
    with open_store(folder, "reference") as store:
        sha = store.put(b"abc")
    left = blob(folder, sha).with_name("0123456789abcdef.partial")
    left.write_bytes(b"ab")
    with read_store(folder):
        assert left.exists()
    with open_store(folder, "reference") as store:
        assert not left.exists()
        assert store.get(sha) == b"abc"


def test_a_store_for_reading_writes_nothing(folder, unit):
    with open_store(folder, "reference"):
        pass
    with read_store(folder) as store:
        for write in (lambda: store.put(b"x"), lambda: store.record([unit(1)]), lambda: store.begin("")):
            with pytest.raises(InputError, match="reading only"):
                write()
    assert files(folder) == []


def test_no_pickle():
    source = "".join(Path(one.__file__).read_text(encoding="utf-8") for one in (interlith.store, interlith.blobs))
    assert not re.search(r"pickle|marshal|shelve|\beval\(|\bexec\(", source)
