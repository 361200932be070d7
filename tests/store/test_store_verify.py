"""What `verify` tells: which unit lost what, and what is only left over."""

import re

import polars as pl
import pytest

from interlith.errors import InputError
from interlith.findings import Finding
from interlith.store import open_store
from interlith.store_verify import Verified, verify


def blob(folder, sha):
    return folder / "blobs" / sha[:2] / sha[2:]


@pytest.fixture
def kept(folder, unit):
    """A run with a unit that found a table, one that failed, and one with plain bytes: the hashes by what they are."""
    with open_store(folder, "reference") as store:
        run = store.begin("[study]\n")
        finding = store.put_finding(Finding("cell-07", {"loss": 0.1}, {"cycles": pl.DataFrame({"a": [1, 2]})}))
        plain = store.put(b"plain")
        store.record([unit(1, blob=finding), unit(2, status="failed"), unit(3, blob=plain)])
        store.end(run, "done")
        table = store.get_json(finding)["tables"]["cycles"]
        return {"finding": finding, "table": table, "plain": plain, "study": store.history()[0]["study_sha256"]}


def everything(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_sound_run(folder, kept):
    before = everything(folder)
    assert verify(folder) == Verified(n_units=3, n_blobs=4, n_orphans=0, problems=())
    assert everything(folder) == before


def test_blobs_that_nothing_refers_to_are_counted_and_no_problem(folder, kept, unit):
    with open_store(folder, "reference") as store:
        taken = store.put(b"what a unit took in")
        store.put(b"left by a kill")
        store.put_finding(Finding("left", {}, {"t": pl.DataFrame({"a": [9]})}))
        store.record([unit(4, inputs={"cell": taken})])
    assert verify(folder) == Verified(n_units=4, n_blobs=8, n_orphans=3, problems=())


NEEDED_BY = {
    "finding": r"tests\.cell-0001 \(key [0-9a-f]{12}\)",
    "table": r"tests\.cell-0001 \(key [0-9a-f]{12}\), table cycles",
    "plain": r"tests\.cell-0003 \(key [0-9a-f]{12}\)",
    "study": r"run 1, its study",
}


@pytest.mark.parametrize("which", list(NEEDED_BY))
@pytest.mark.parametrize("how", ["changed", "cut", "missing"])
def test_who_needs_what_is_missing_or_changed(folder, kept, which, how):
    path = blob(folder, kept[which])
    data = path.read_bytes()
    if how == "missing":
        path.unlink()
    else:
        path.write_bytes(data[:-1] if how == "cut" else data[:-1] + bytes([data[-1] ^ 1]))
    (problem,) = verify(folder).problems
    fault = "missing" if how == "missing" else "changed on disk"
    assert re.fullmatch(rf"{NEEDED_BY[which]}: needs blobs/../{path.name}: {fault}", problem)


def test_a_changed_orphan_is_told(folder, kept):
    with open_store(folder, "reference") as store:
        sha = store.put(b"left")
    blob(folder, sha).write_bytes(b"lefT")
    verified = verify(folder)
    assert verified.problems == (f"blobs/{sha[:2]}/{sha[2:]}: changed on disk",)
    assert verified.n_orphans == 1


def test_a_damaged_manifest_is_told(folder, unit):
    with open_store(folder, "reference") as store:
        store.record([unit(i, parameters={"text": "x" * 500}, key=str(i)) for i in range(200)])
    manifest = folder / "manifest.sqlite"
    data = bytearray(manifest.read_bytes())
    data[-40_000:-20_000] = bytes(20_000)
    manifest.write_bytes(data)
    problems = verify(folder).problems
    assert problems
    assert all("manifest.sqlite" in problem for problem in problems)


def test_what_sqlite_finds_wrong_is_told_and_the_rest_goes_on(folder, kept):
    manifest = folder / "manifest.sqlite"
    data = bytearray(manifest.read_bytes())
    data[36:40] = (7).to_bytes(4, "big")  # how many pages of the file are free
    manifest.write_bytes(data)
    blob(folder, kept["plain"]).unlink()
    of_manifest, of_blob = verify(folder).problems
    assert of_manifest.startswith("manifest.sqlite: ")
    assert "reelist" in of_manifest
    assert of_blob.endswith("missing")


def test_where_there_is_no_run(tmp_path):
    with pytest.raises(InputError, match="holds no run"):
        verify(tmp_path)
