"""Pieces of work and where they are kept: all bits, no piece twice, whole after a kill, for any number of workers."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("ase")
pytest.importorskip("spglib")

from ase import Atoms
from ase.build import fcc100
from ase.calculators.emt import EMT
from ase.constraints import FixAtoms
from surface_searches import EMT_MODEL, TINY, bits_of, by_emt, plan

from interlith.errors import EnvironmentError_
from interlith.surface.conduct import conduct
from interlith.surface.store import Store
from interlith.surface.work import Work, do, packed, unpacked

pytestmark = pytest.mark.filterwarnings("ignore:Set OLD_ERROR_HANDLING:DeprecationWarning")
HERE = Path(__file__).resolve().parent


def piece(**changes):
    atoms = fcc100("Cu", (1, 1, 2), vacuum=5.0, periodic=True)
    atoms.set_constraint(FixAtoms([0]))
    given = {"atoms": packed(atoms), "force_eV_per_A": 0.02, "most_steps": 50}
    return replace(Work("relax", "emt", EMT_MODEL.identity, given, "slab"), **changes)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """A search run once from end to end: its numbers, the folder of its results, and what it took."""
    folder = tmp_path_factory.mktemp("undisturbed")
    ended, count = conduct({"one": plan("Cu", "100", **TINY)}, Store(folder), doing=by_emt)
    return json.dumps(bits_of(ended["one"])), folder, count


# ---- pieces ----------------------------------------------------------------------------------------------------------


@settings(max_examples=50, deadline=None)
@given(
    positions=st.lists(st.tuples(*[st.floats(-1e3, 1e3)] * 3), min_size=1, max_size=5),
    held=st.sets(st.integers(0, 4)),
)
def test_a_structure_goes_through_json_with_all_its_bits(positions, held):
    atoms = Atoms(
        ["Li"] * len(positions), positions=positions, cell=[[3.1, 0.1, 0], [0, 4, 0.2], [0, 0, 1 / 3]], pbc=True
    )
    if fixed := [i for i in held if i < len(atoms)]:
        atoms.set_constraint(FixAtoms(fixed))
    back = unpacked(json.loads(json.dumps(packed(atoms))))
    assert (back.positions == atoms.positions).all()
    assert (back.cell.array == atoms.cell.array).all()
    assert packed(back) == packed(atoms)


def test_a_result_comes_back_from_a_file_with_all_its_bits(tmp_path):
    work = piece()
    result = do(work, EMT())
    Store(tmp_path).put(work, result)
    again = Store(tmp_path).get(work)
    assert json.dumps(again) == json.dumps(result)
    assert (unpacked(again["atoms"]).positions == unpacked(result["atoms"]).positions).all()


def test_the_digest_tells_apart_all_that_decides_a_result_and_nothing_else(monkeypatch):
    one = piece()
    assert len(one.key) == 40
    assert piece(name="another name").key == one.key
    others = [piece(kind="kick"), piece(identity="emt (ase 0.0)")]
    for key, value in (("force_eV_per_A", 0.020000000000000004), ("most_steps", 51)):
        others.append(piece(given={**one.given, key: value}))
    atoms = one.given["atoms"]
    changed = [{"fixed": []}, {"numbers": [29, 28]}, {"cell": (np.array(atoms["cell"]) * (1 + 1e-15)).tolist()}]
    moved = np.array(atoms["positions"])
    moved[1, 2] = np.nextafter(moved[1, 2], 99)
    for change in [*changed, {"positions": moved.tolist()}]:
        others.append(piece(given={**one.given, "atoms": {**atoms, **change}}))
    assert len({one.key, *(other.key for other in others)}) == 1 + len(others)
    reordered = dict(reversed(one.given.items()))
    assert piece(given=reordered).key == one.key
    monkeypatch.setattr("interlith.surface.work.VERSION", 10**9)
    assert piece().key != one.key


def test_the_identity_of_a_model_is_its_name_and_the_version_of_its_package():
    import ase

    assert EMT_MODEL.identity == f"emt (ase {ase.__version__})"
    assert replace(EMT_MODEL, name="emt2").identity != EMT_MODEL.identity
    assert "not known" in replace(EMT_MODEL, package="no-such-package").identity


def test_pieces_done_before_change_no_bit_of_a_result(undisturbed):
    bits, _, _ = undisturbed
    shared = EMT()
    ended, _ = conduct({"one": plan("Cu", "100", **TINY)}, Store(None), doing=lambda work: do(work, shared))
    assert json.dumps(bits_of(ended["one"])) == bits


def test_a_piece_says_how_often_forces_were_computed():
    calls = []

    class Counted(EMT):
        def calculate(self, *arguments, **named):
            calls.append(1)
            super().calculate(*arguments, **named)

    assert do(piece(), Counted())["n_calls"] == len(calls) > 1


# ---- the store -------------------------------------------------------------------------------------------------------


DAMAGES = {
    "empty": b"",
    "cut": None,
    "text": b"Dear colleague",
    "binary": b"\x00\xff\xfe" * 100,
    "null": b"null",
    "a list": b"[1, 2]",
    "of another key": b'{"key": "0000", "result": {}}',
    "without a result": None,
    "nested": b"[" * 100_000,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_or_foreign_file_is_as_if_it_were_not_there(tmp_path, damage):
    work = piece()
    result = do(work, EMT())
    Store(tmp_path).put(work, result)
    path = tmp_path / f"{work.key}.json"
    whole = path.read_bytes()
    bad = DAMAGES[damage]
    if damage == "cut":
        bad = whole[: len(whole) // 2]
    if damage == "without a result":
        bad = json.dumps({"key": work.key}).encode()
    path.write_bytes(bad)
    assert Store(tmp_path).get(work) is None
    Store(tmp_path).put(work, result)
    assert path.read_bytes() == whole


def test_a_damaged_file_is_computed_anew_and_the_others_are_not(tmp_path, undisturbed):
    bits, folder, count = undisturbed
    files = sorted(folder.glob("*.json"))
    for path in files:
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / files[1].name).write_bytes(b"{")
    (tmp_path / f"{files[2].name}.999.partial").write_bytes(b"{}")
    (tmp_path / "notes.txt").write_text("mine")
    ended, again = conduct({"one": plan("Cu", "100", **TINY)}, Store(tmp_path), doing=by_emt)
    assert json.dumps(bits_of(ended["one"])) == bits
    assert (again.n_computed, again.n_stored) == (1, count.n_computed - 1)
    assert (tmp_path / files[1].name).read_bytes()[:8] == files[1].read_bytes()[:8]


def test_a_partial_file_is_no_result(tmp_path):
    work = piece()
    text = json.dumps({"key": work.key, "result": {"energy_eV": 0.0}})
    (tmp_path / f"{work.key}.json.17.partial").write_text(text)
    (tmp_path / f"{work.key}.partial").write_text(text)
    assert Store(tmp_path).get(work) is None


@pytest.mark.skipif(sys.platform == "win32", reason="a file where a folder should be")
def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentError_, match="cannot be written"):
        Store(tmp_path / "file" / "below").put(piece(), {"energy_eV": 1.0})
    assert Store(tmp_path / "file" / "below").get(piece()) is None


def test_no_partial_file_is_left(undisturbed):
    _, folder, count = undisturbed
    assert len(list(folder.iterdir())) == count.n_computed


# ---- runs ------------------------------------------------------------------------------------------------------------


def test_a_second_run_computes_nothing_and_finds_the_same(undisturbed):
    bits, folder, count = undisturbed

    def never(work):
        raise AssertionError(f"computed again: {work.name}")

    ended, again = conduct({"one": plan("Cu", "100", **TINY)}, Store(folder), doing=never)
    assert json.dumps(bits_of(ended["one"])) == bits
    assert (again.n_computed, again.n_stored) == (0, count.n_computed)
    assert [row["digest"] for row in again.log] == [row["digest"] for row in count.log]
    in_memory, _ = conduct({"one": plan("Cu", "100", **TINY)}, Store(None), doing=by_emt)
    assert json.dumps(bits_of(in_memory["one"])) == bits


def test_two_searches_share_the_pieces_that_they_have_in_common(undisturbed):
    _, _, count = undisturbed
    done = Counter()

    def counted(work):
        done[work.key] += 1
        return by_emt(work)

    plans = {name: plan("Cu", "100", **TINY) for name in ("one", "two")}
    ended, both = conduct(plans, Store(None), doing=counted)
    assert max(done.values()) == 1
    assert both.n_computed == count.n_computed
    assert bits_of(ended["one"]) == bits_of(ended["two"])
    assert len(both.log) == 2 * len(count.log)


def test_progress_comes_to_its_end(undisturbed):
    _, _, count = undisturbed
    seen = []
    conduct({"one": plan("Cu", "100", **TINY)}, Store(None), tell=seen.append, doing=by_emt)
    assert [at.n_done for at in seen] == list(range(1, count.n_computed + 1))
    assert all(at.n_done <= at.n_expected for at in seen)
    assert (seen[-1].n_searches, len(seen)) == (1, count.n_computed)


def test_the_number_of_workers_changes_no_bit(undisturbed, tmp_path):
    from interlith.workers import pool

    with pool(2) as executor:
        ended, count = conduct({"one": plan("Cu", "100", **TINY)}, Store(tmp_path), executor, doing=by_emt)
    assert json.dumps(bits_of(ended["one"])) == undisturbed[0]
    assert count.n_computed == undisturbed[2].n_computed


def test_an_error_of_a_piece_ends_the_run_and_keeps_what_was_done(tmp_path):
    n = [0]

    def failing(work):
        n[0] += 1
        if n[0] == 4:
            raise ValueError("out of luck")
        return by_emt(work)

    with pytest.raises(ValueError, match="luck"):
        conduct({"one": plan("Cu", "100", **TINY)}, Store(tmp_path), doing=failing)
    assert len(list(tmp_path.glob("*.json"))) == 3


SCRIPT = """
import json, os, sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from surface_searches import TINY, bits_of, by_emt, plan
from interlith.surface.conduct import conduct
from interlith.surface.store import Store

folder, log = Path(sys.argv[2]), open(sys.argv[3], "a", buffering=1)
kill_at, wait_s = int(sys.argv[4]), float(sys.argv[5])
kept = {path.stem for path in folder.glob("*.json")}
n = 0

def slow(work):
    global n
    n += 1
    log.write(f"{'AGAIN' if work.key in kept else 'begun'} {work.key}\\n")
    result = by_emt(work)
    if n == kill_at:
        log.write("READY -\\n")
        time.sleep(60)
    time.sleep(wait_s)
    return result

ended, count = conduct({"one": plan("Cu", "100", **TINY)}, Store(folder), doing=slow)
Path(sys.argv[6]).write_text(json.dumps(bits_of(ended["one"])))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_three_kills_change_no_bit_and_cost_no_finished_piece(tmp_path, undisturbed):
    """Killed while a piece is computed, at three places of the search, then let run to its end."""
    bits, _, whole = undisturbed
    script, log, out = tmp_path / "script.py", tmp_path / "log", tmp_path / "out.json"
    script.write_text(SCRIPT)
    log.touch()
    kill_at = [2, 4, 3]
    for place in [*kill_at, 0]:
        arguments = [str(HERE), str(tmp_path / "store"), str(log), str(place), "0.01", str(out)]
        process = subprocess.Popen(
            [sys.executable, str(script), *arguments], env={**os.environ, "OMP_NUM_THREADS": "1"}
        )
        if place:
            n_ready = kill_at.index(place) + 1
            while log.read_text().count("READY") < n_ready:
                assert process.poll() is None, "ended before it was killed"
                try:
                    process.wait(0.05)
                except subprocess.TimeoutExpired:
                    continue
            process.send_signal(signal.SIGKILL)
            assert process.wait() == -signal.SIGKILL
        else:
            assert process.wait(120) == 0
    assert out.read_text() == bits
    lines = [line.split(" ") for line in log.read_text().splitlines()]
    begun = Counter(key for said, key in lines if said in ("begun", "AGAIN"))
    assert not any(said == "AGAIN" for said, _ in lines), "a finished piece was computed again"
    assert sum(begun.values()) == whole.n_computed + len(kill_at), "only the piece under way is lost by a kill"
    assert len(begun) == whole.n_computed == len(list((tmp_path / "store").glob("*.json")))


@pytest.mark.parametrize("inside", [5, "seconds", [], None, {}, {"energy_eV": 1.0}])
def test_a_piece_with_something_else_inside_is_as_if_it_were_not_there(tmp_path, inside):
    work = piece()
    told = {"key": work.key, "kind": work.kind, "model": work.identity, "result": inside}
    (tmp_path / f"{work.key}.json").write_text(json.dumps(told))
    assert Store(tmp_path).get(work) is None
