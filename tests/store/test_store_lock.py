"""One writer at a time, on file systems with locks and without; the journal that fits the file system."""

import errno
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import interlith.store
import interlith.store_lock
from interlith.errors import EnvironmentError_, InputError
from interlith.store import open_store, read_store
from interlith.store_lock import file_system, is_network

NOBODY = 999_999_999  # above every pid that Linux gives
HERE = f"pid {os.getpid()} on {socket.gethostname()}"


def busy(folder, owner=HERE):
    return re.escape(f"{folder}: another run is writing into it ({owner}); wait for it, or give another --out")


@pytest.fixture(params=["locks", "no locks"])
def locks(request, monkeypatch):
    """The file system as it is, and one that has no locks."""
    if request.param == "no locks":
        without_locks(monkeypatch)
    return request.param


def without_locks(monkeypatch):
    def refused(handle):
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(interlith.store_lock, "_lock", refused)


def test_a_second_writer_is_refused(folder, unit, locks):
    with open_store(folder, "reference") as store:
        with pytest.raises(InputError, match=busy(folder)), open_store(folder, "reference"):
            pass
        store.record([unit(1)])
    with open_store(folder, "reference") as store:
        assert len(store.units()) == 1
        with read_store(folder) as reader:
            assert len(reader.units()) == 1
    assert not (folder / "lock.owner").exists()


def test_a_second_process_is_refused(folder):
    code = "import sys; from pathlib import Path; from interlith.store import open_store\n"
    code += "with open_store(Path(sys.argv[1]), 'reference'): print('open', flush=True); sys.stdin.read()"
    first = subprocess.Popen(
        [sys.executable, "-c", code, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert first.stdout.readline() == "open\n"
        owner = f"pid {first.pid} on {socket.gethostname()}"
        with pytest.raises(InputError, match=busy(folder, owner)), open_store(folder, "reference"):
            pass
    finally:
        first.communicate("")
    with open_store(folder, "reference"):
        pass


def test_a_lock_is_let_go_when_the_run_fails(folder, locks):
    with pytest.raises(ZeroDivisionError), open_store(folder, "reference"):
        raise ZeroDivisionError
    with open_store(folder, "reference"):
        pass


def test_a_lock_is_let_go_when_the_folder_is_refused(folder, locks):
    with open_store(folder, "reference"):
        pass
    with pytest.raises(InputError, match="holds the run"), open_store(folder, "other"):
        pass
    with open_store(folder, "reference"):
        pass


def test_without_locks_a_dead_owner_is_taken_over(folder, monkeypatch):
    without_locks(monkeypatch)
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    folder.mkdir()
    (folder / "lock.owner").write_text(f"pid {dead.pid} on {socket.gethostname()}")
    with open_store(folder, "reference"):
        assert (folder / "lock.owner").read_text() == HERE
    assert not list(folder.glob("lock.owner*"))


@pytest.mark.parametrize(
    "owner", [f"pid {NOBODY} on another-machine", f"pid {os.getppid()} on {socket.gethostname()}", ""]
)
def test_without_locks_an_owner_that_may_live_is_left_alone(folder, monkeypatch, owner):
    without_locks(monkeypatch)
    folder.mkdir()
    (folder / "lock.owner").write_text(owner)
    message = rf"\({owner or 'pid unknown'}\).*delete {re.escape(str(folder / 'lock.owner'))}"
    with pytest.raises(InputError, match=message), open_store(folder, "reference"):
        pass
    assert (folder / "lock.owner").read_text() == owner


def test_a_lock_that_fails_otherwise_is_told(folder, monkeypatch):
    def broken(handle):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(interlith.store_lock, "_lock", broken)
    with pytest.raises(EnvironmentError_, match="Input/output"), open_store(folder, "reference"):
        pass


MOUNTS = r"""22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
40 27 0:40 / /home rw,relatime - autofs systemd-1 rw
41 40 0:41 / /home rw,relatime shared:9 - nfs4 server:/home rw
42 41 0:42 / /home/ada/scratch rw - xfs /dev/vdb rw
43 27 0:43 / /mnt/my\040share rw - cifs //server/share rw
44 27 0:44 / /lustre rw master:1 propagate_from:2 - lustre 10.0.0.1@tcp:/l rw
a line of another kind
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "ext4"),
        ("/homer/run", "ext4"),
        ("/home", "nfs4"),
        ("/home/ada/run", "nfs4"),
        ("/home/ada/scratch/run", "xfs"),
        ("/home/ada/scratch2", "nfs4"),
        ("/mnt/my share/run", "cifs"),
        ("/lustre/run", "lustre"),
        ("/proc", "proc"),
    ],
)
def test_the_file_system_of_a_path(path, kind):
    assert file_system(path, MOUNTS) == kind


def test_no_mounts_no_file_system():
    assert file_system("/run", "") is None
    assert not is_network(None)


@pytest.mark.parametrize(
    "kind",
    "nfs nfs4 cifs smb3 smbfs 9p fuse.sshfs lustre gpfs beegfs ceph afs glusterfs fuse.glusterfs".split(),  # noqa: SIM905
)
def test_file_systems_over_a_network(kind):
    assert is_network(kind)


@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs", "tmpfs", "overlay", "fuse", "fuseblk", "zfs", "afsx"])
def test_file_systems_of_one_machine(kind):
    assert not is_network(kind)


def journal_of(store):
    return store._connection.execute("PRAGMA journal_mode").fetchone()[0]


def all_mounts_are(monkeypatch, kind):
    read = Path.read_text
    text = f"27 1 254:0 / / rw - {kind} x rw"
    monkeypatch.setattr(
        Path, "read_text", lambda self, *a, **k: text if self.name == "mountinfo" else read(self, *a, **k)
    )


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")
@pytest.mark.parametrize(("kind", "journal"), [("ext4", "wal"), ("nfs4", "delete")])
@pytest.mark.parametrize("chosen", [None, "wal", "DELETE"])
def test_the_journal_fits_the_file_system_or_is_chosen(folder, unit, monkeypatch, kind, journal, chosen):
    all_mounts_are(monkeypatch, kind)
    if chosen:
        monkeypatch.setenv("INTERLITH_JOURNAL", chosen)
        journal = chosen.lower()
    with open_store(folder, "reference") as store:
        assert journal_of(store) == journal
        assert store._connection.execute("PRAGMA synchronous").fetchone()[0] >= 2  # FULL
        store.record([unit(1)])
        assert (folder / "manifest.sqlite-wal").exists() == (journal == "wal")
        with read_store(folder) as reader:
            assert len(reader.units()) == 1


def test_without_locks_there_is_no_memory_to_share_either(folder, monkeypatch):
    without_locks(monkeypatch)
    monkeypatch.setenv("INTERLITH_JOURNAL", "wal")
    with open_store(folder, "reference") as store:
        assert journal_of(store) == "delete"


def test_a_journal_that_is_none_is_refused(folder, monkeypatch):
    monkeypatch.setenv("INTERLITH_JOURNAL", "off")
    with pytest.raises(InputError, match=r"INTERLITH_JOURNAL: 'off'.*wal or delete"), open_store(folder, "reference"):
        pass


def test_a_finished_run_is_one_plain_file(folder, unit):
    with open_store(folder, "reference") as store:
        store.record([unit(1)])
    assert sorted(path.name for path in folder.iterdir()) == ["blobs", "lock", "manifest.sqlite"]
    with read_store(folder) as store:
        assert journal_of(store) == "delete"


def test_a_reader_goes_on_while_writers_come_and_go(folder, unit):
    with open_store(folder, "reference") as writer:
        writer.record([unit(1)])
    with read_store(folder) as reader:
        for number in (2, 3):
            assert len(reader.units()) == number - 1
            with open_store(folder, "reference") as writer:
                writer.record([unit(number)])
                assert len(reader.units()) == number
    with open_store(folder, "reference") as writer:
        assert len(writer.units()) == 3
