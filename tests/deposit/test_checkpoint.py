"""A deposition that is killed goes on from its last checkpoint, to the same bits; what is damaged is told, not used."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from small_study import SMALLER, asked, written

from interlith import ledger
from interlith.deposit import checkpoint
from interlith.deposit.box import Box, Ground
from interlith.deposit.checkpoint import Keeping, Kept, fingerprint, packed, prune, unpacked
from interlith.deposit.follow import follow
from interlith.deposit.solver.team import Team
from interlith.deposition import deposit_findings
from interlith.errors import CorruptFile, InputError
from interlith.parts.deposition import deposition
from interlith.parts.electrolyte import electrolyte
from interlith.protocol import ConstantCurrent, Protocol, Rest

NAME = "f" * 64


class Killed(Exception):
    """Ends a deposition where a test wants it."""


def followed(given, keeping=None, **more):
    """The protocol in a box, and the shares that were told."""
    shares = []
    with Team(1) as team:
        return follow(*given, seed=1, team=team, keeping=keeping, told=shares.append, **more), shares


def killed(given, keeping, last, **more):
    """The same, killed after so many small steps: the shares alone."""
    shares = []

    def told(share):
        shares.append(share)
        if len(shares) > last:
            raise Killed

    with Team(1) as team, pytest.raises(Killed):
        follow(*given, seed=1, team=team, keeping=keeping, told=told, **more)
    return shares


def kept_in(folder, said=None, **named):
    return Keeping(folder, NAME, (lambda text: None) if said is None else said.append, every_s=0.0, **named)


def ends(found):
    """Small steps until the first, second and third step of the protocol are over."""
    return [int(n) - 1 for n in found.ledger.table[ledger.STEP].to_numpy().searchsorted([1, 2, 3])]


def assert_same(one, other):
    assert one.ledger.table.equals(other.ledger.table)
    assert one.ledger.table.schema == other.ledger.table.schema
    assert one.voltage_volt.tobytes() == other.voltage_volt.tobytes()
    assert one.front_um.tobytes() == other.front_um.tobytes()
    assert one.host_um.tobytes() == other.host_um.tobytes()
    assert np.array_equal(one.salt_mol_per_L, other.salt_mol_per_L)
    assert [vars(frame).keys() for frame in one.frames] == [vars(frame).keys() for frame in other.frames]
    for mine, its in zip(one.frames, other.frames, strict=True):
        assert mine.plated_mAh_per_cm2 == its.plated_mAh_per_cm2
        assert (mine.lithium == its.lithium).all()
    assert len(one.pictures) == len(other.pictures)
    for mine, its in zip(one.pictures, other.pictures, strict=True):
        assert (mine.step, mine.front_um) == (its.step, its.front_um)
        assert (mine.lithium.tobytes(), mine.lithium.dtype) == (its.lithium.tobytes(), its.lithium.dtype)
        assert (mine.is_dead.tobytes(), mine.is_dead.dtype) == (its.is_dead.tobytes(), its.is_dead.dtype)
        assert mine.heights_um.tobytes() == its.heights_um.tobytes()


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    """Protocol, ground and values of the study in a smaller box."""
    return asked(written(tmp_path_factory.mktemp("small"), SMALLER))


@pytest.fixture(scope="module")
def whole(given):
    return followed(given)


@pytest.fixture
def always(monkeypatch):
    """A checkpoint after each small step."""
    monkeypatch.setattr(checkpoint, "COST", 0.0)


@pytest.mark.usefixtures("always")
def test_killed_anywhere_it_goes_on_to_the_same_bits(tmp_path, given, whole):
    found, shares = whole
    one, two, three = ends(found)
    places = [one - 1, one + 1, (one + two) // 2, two, three, (three + len(shares)) // 2, len(shares) - 2]
    for n, last in enumerate(places):
        killed(given, kept_in(tmp_path), last - (places[n - 1] if n else 0))
        shutil.copytree(tmp_path / NAME, tmp_path / str(last) / NAME)
    for last in places:
        again, left = followed(given, kept_in(tmp_path / str(last)))
        assert left == shares[last:]
        assert_same(again, found)


@pytest.mark.usefixtures("always")
def test_salt_is_kept_too(tmp_path):
    host = np.zeros((10, 6, 6))
    host[:, ::3, ::3] = 1.0
    plate = ConstantCurrent(current_density_mA_per_cm2=-12.0, areal_capacity_mAh_per_cm2=0.5)
    strip = ConstantCurrent(current_density_mA_per_cm2=6.0, areal_capacity_mAh_per_cm2=0.3)
    box = Protocol(name="x", steps=(plate, Rest(duration_s=50.0), strip)), Ground(host, 10, 0.5, True), deposition("cp")
    liquid = {"electrolyte": electrolyte("litfsi-dol-dme-lino3"), "gap_um": 200.0}
    found, shares = followed(box, **liquid)
    for last in (len(shares) // 3, ends(found)[0] + 1, len(shares) - 2):
        killed(box, kept_in(tmp_path / str(last)), last, **liquid)
        again, left = followed(box, kept_in(tmp_path / str(last)), **liquid)
        assert left == shares[last:]
        assert_same(again, found)


@pytest.mark.usefixtures("always")
def test_killed_again_and_again_it_still_ends(tmp_path, given, whole):
    for last in (5, 11, 0, 17):
        killed(given, kept_in(tmp_path), last)
    again, left = followed(given, kept_in(tmp_path))
    assert left == whole[1][33:]
    assert_same(again, whole[0])


def test_what_is_done_is_not_done_again(tmp_path, given, whole):
    followed(given, kept_in(tmp_path))
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / NAME).iterdir()}
    again, shares = followed(given, kept_in(tmp_path))
    assert shares == [1.0]
    assert_same(again, whole[0])
    assert {path.name: path.stat().st_mtime_ns for path in (tmp_path / NAME).iterdir()} == before


def flipped(data):
    return data[: len(data) // 2] + bytes([data[len(data) // 2] ^ 16]) + data[len(data) // 2 + 1 :]


HARM = {
    "cut short": lambda data: data[: len(data) // 2],
    "is no checkpoint": lambda data: b"",
    "is no checkpoint ": lambda data: os.urandom(5000),
    "what it holds is not what was written": flipped,
    "of another version": lambda data: data.replace(b'"version": 1', b'"version": 9', 1),
    "of another study": lambda data: data.replace(b"f" * 64, b"e" * 64, 1),
    "its header": lambda data: data.replace(b'{"version', b'["version', 1),
}


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize("why", HARM)
def test_a_harmed_newest_is_told_and_the_one_before_it_used(tmp_path, given, whole, why):
    killed(given, kept_in(tmp_path), 20)
    newest, said = tmp_path / NAME / "newest", []
    newest.write_bytes(HARM[why](newest.read_bytes()))
    assert killed(given, kept_in(tmp_path, said), 0) == [whole[1][19]]
    assert len(said) == 1
    assert why.strip() in said[0]
    assert "the checkpoint before it is used" in said[0]


@pytest.mark.usefixtures("always")
def test_a_good_previous_one_is_not_pushed_out_by_a_harmed_newest(tmp_path, given):
    killed(given, kept_in(tmp_path), 20)
    newest, previous = tmp_path / NAME / "newest", tmp_path / NAME / "previous"
    newest.write_bytes(b"harmed")
    good = previous.read_bytes()
    killed(given, kept_in(tmp_path), 1)
    assert previous.read_bytes() == good
    assert unpacked(newest, NAME)[0]["n_small"] == unpacked(previous, NAME)[0]["n_small"] + 1


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize("harmed", [("newest", "previous"), ("part-0000",)])
def test_with_none_that_is_whole_it_is_begun_anew_and_told(tmp_path, given, whole, harmed):
    killed(given, kept_in(tmp_path), ends(whole[0])[0] + 2)
    for name in harmed:
        (tmp_path / NAME / name).write_bytes(b"garbage")
    said = []
    assert killed(given, kept_in(tmp_path, said), 9) == whole[1][:10]
    assert said[-1] == "no checkpoint that is whole is left: this network is begun anew"


@pytest.mark.usefixtures("always")
def test_a_checkpoint_of_another_box_is_told_and_not_used(tmp_path, given):
    said = []
    killed(given, kept_in(tmp_path), 12)
    with Team(1) as team:
        other = Box(given[1].bare(4, 4, voxel_um=1.0), given[2], 1, team)
        before = other.lithium
        arrays = {"lithium": np.zeros((10, 9, 9)), "grown": other.grown}
        with pytest.raises(InputError, match="lithium: of another box"):
            other.restore(arrays)
        with pytest.raises(InputError, match="grown: of another box"):
            other.restore({"lithium": np.zeros((len(before) + 8, 6, 6)), "grown": other.grown})
        assert other.lithium is before
    smaller = (given[0], given[1].bare(4, 4, voxel_um=1.0), given[2])
    assert killed(smaller, kept_in(tmp_path, said), 0) == [0.0]
    assert "holds no such network" in said[0]


@pytest.mark.usefixtures("always")
def test_a_checkpoint_without_the_film_of_this_version_leaves_the_box_as_it_is(tmp_path, given, whole, monkeypatch):
    killed(given, kept_in(tmp_path), 12)
    read = Keeping._read

    def without_packing(self, path):
        kept = read(self, path)
        return Kept(kept.state, {name: held for name, held in kept.arrays.items() if "packing" not in name}, kept.parts)

    monkeypatch.setattr(Keeping, "_read", without_packing)
    said = []
    again, shares = followed(given, kept_in(tmp_path, said))
    assert "holds no such network" in said[0]
    assert shares == whole[1]
    assert_same(again, whole[0])


def test_a_disk_that_is_full_leaves_the_older_one_whole_and_does_not_stop_the_work(tmp_path, monkeypatch):
    said = []
    keeping = Keeping(tmp_path, NAME, said.append)
    keeping.keep(Kept({"n": 1}, {"a": np.arange(3)}))

    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(checkpoint.os, "fsync", full)
    for n in (2, 3):
        keeping.keep(Kept({"n": n}, {"a": np.arange(9)}, [{"b": np.arange(2)}]))
    assert [path.name for path in (tmp_path / NAME).iterdir()] == ["newest"]
    assert unpacked(tmp_path / NAME / "newest", NAME)[0]["n"] == 1
    assert len(said) == 1
    assert "No space left on device" in said[0]
    monkeypatch.undo()
    keeping.keep(Kept({"n": 4}, {}, [{"b": np.arange(2)}]))
    found = []
    assert Keeping(tmp_path, NAME).take_up(found.append)
    assert (found[0].state["n"], found[0].parts[0]["b"].tolist()) == (4, [0, 1])


def test_nothing_in_a_checkpoint_is_run(tmp_path):
    class Evil:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "run",))

    path = tmp_path / "newest"
    path.write_bytes(packed(NAME, {}, {"a": np.array([Evil()], dtype=object)}))
    with pytest.raises(CorruptFile, match="damaged"):
        unpacked(path, NAME)
    assert not (tmp_path / "run").exists()


def test_the_name_of_a_network_says_all_that_its_bits_depend_on(monkeypatch):
    solid = np.zeros((2, 2, 2), dtype=np.float32)
    name = fingerprint({"seed": 1}, solid)
    assert name == fingerprint({"seed": 1}, solid.copy())
    other = solid.copy()
    other[0, 0, 0] = 1e-6
    names = {name, fingerprint({"seed": 2}, solid), fingerprint({"seed": 1}, other)}
    names.add(fingerprint({"seed": 1}, solid.reshape(1, 2, 4)))
    monkeypatch.setattr(checkpoint, "__version__", "9.9")
    names.add(fingerprint({"seed": 1}, solid))
    assert len(names) == 5


def test_what_was_given_up_is_removed(tmp_path):
    day = 24 * 60 * 60
    for name, days in (("month", 40), ("week", 7), ("day", 2), ("now", 0)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "newest").write_bytes(bytes(1000))
        os.utime(tmp_path / name / "newest", (time.time() - days * day,) * 2)
    prune(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["day", "now", "week"]
    prune(tmp_path, most_bytes=2000)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["day", "now"]
    prune(tmp_path, most_bytes=0)
    assert [path.name for path in tmp_path.iterdir()] == ["now"]


def test_networks_that_are_done_are_used_again_and_what_is_kept_goes_at_the_end(tmp_path):
    study, seen = written(tmp_path, SMALLER), []
    true = deposit_findings(study, workers=1).items[0]

    def stop(progress):
        if progress.n_done == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        deposit_findings(study, workers=1, kept_in=tmp_path / "kept", tell=stop)
    assert len(list((tmp_path / "kept").iterdir())) == 1
    again = deposit_findings(study, workers=1, kept_in=tmp_path / "kept", tell=seen.append).items[0]
    assert (seen[0].kept, seen[0].share, seen[-1].share) == (0.5, 0.5, 1.0)
    assert json.dumps(again.summary) == json.dumps(true.summary)
    assert list(again.tables) == list(true.tables)
    assert all(again.tables[name].equals(table) for name, table in true.tables.items())
    assert list((tmp_path / "kept").iterdir()) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("areal_capacity_mAh_per_cm2 = 1 ", "areal_capacity_mAh_per_cm2 = 1.1 "),
        ("lithium_contact = 0.1", "lithium_contact = 0.2"),
        ("tilt_deg = 10", "tilt_deg = 12"),
        ("seeds = [1]", "seeds = [3]"),
        ('sample = "cp"', 'sample = "cp"\nelectrolyte = "litfsi-dol-dme-lino3"'),
        (None, "n_cycles"),
    ],
)
def test_a_checkpoint_of_another_study_is_not_used(tmp_path, old, new):
    """Stopped at the first thing told: what an earlier call kept."""
    text = SMALLER.replace("[1, 2]", "[1]")
    text = text.replace("areal_capacity_mAh_per_cm2 = 3 ", "duration_s = 1 ")

    def kept(study, *, is_whole=False, **named):
        """The share with which the first network begins; then it is stopped, or when it is done."""
        seen = []

        def stop(progress):
            seen.append(progress)
            if not is_whole or progress.n_done == 1:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            deposit_findings(study, workers=1, kept_in=tmp_path / "kept", tell=stop, **named)
        return seen[0].kept

    assert kept(written(tmp_path, text), is_whole=True) == 0.0
    assert kept(written(tmp_path, text.replace("a small box", "another title"))) == 1.0
    if old is None:
        assert kept(written(tmp_path, text), n_cycles=2) == 0.0
        return
    assert old in text
    assert kept(written(tmp_path, text.replace(old, new))) == 0.0


def command(folder, out, *more, cache):
    arguments = [sys.executable, "-m", "interlith", "deposit", "small.toml", "--json", "--out", str(out), *more]
    return subprocess.Popen(
        arguments, cwd=folder, env={**os.environ, "INTERLITH_CACHE": str(cache)}, stdout=-1, stderr=-1, text=True
    )


def until_kept(folder, since, process):
    """Wait for a checkpoint that this process wrote."""
    while not any(path.stat().st_mtime > since for path in folder.glob("deposit/*/part-*")):
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL there")
def test_a_command_that_is_killed_goes_on_with_the_same_bits(tmp_path, caches):
    assert "areal_capacity_mAh_per_cm2 = 3 " in SMALLER
    written(tmp_path, SMALLER.replace("areal_capacity_mAh_per_cm2 = 3 ", "areal_capacity_mAh_per_cm2 = 1 "))
    found = {}
    for name, signals in (("whole", ()), ("killed", (signal.SIGKILL, signal.SIGINT))):
        cache = tmp_path / f"cache-{name}"
        cache.mkdir()
        (cache / "compiled").symlink_to(caches[0] / "compiled", target_is_directory=True)
        for number in signals:
            since = time.time()
            process = command(tmp_path, name, "--workers", "2", cache=cache)
            until_kept(cache, since, process)
            process.send_signal(number)
            told = process.communicate()[1]
            assert process.returncode == (130 if number == signal.SIGINT else -number)
        if signals:
            assert told.strip().startswith(
                "interlith: stopped; what the last checkpoint holds, one every 20 s, is kept."
            )
            assert "To go on: interlith deposit small" in told
            assert "Traceback" not in told
        process = command(tmp_path, name, cache=cache)
        answer, told = process.communicate()
        assert process.returncode == 0, told
        assert list((cache / "deposit").iterdir()) == []
        tables = sorted((tmp_path / name / "tables").glob("*.parquet"))
        found[name] = (answer, [pl.read_parquet(path) for path in tables])
    assert found["killed"][0] == found["whole"][0]
    assert len(found["whole"][1]) >= 4
    assert all(one.equals(other) for one, other in zip(found["killed"][1], found["whole"][1], strict=True))
