"""Who may write into a run folder: one process at a time, on a file system with locks or without, near or far."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

from interlith.errors import InputError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

LOCK, OWNER = "lock", "lock.owner"
JOURNAL_VARIABLE = "INTERLITH_JOURNAL"
BYTE_OF_THE_LOCK = 1 << 30  # on Windows nobody else can read a locked byte; the owner's name stands before it
HELD = {errno.EAGAIN, errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK}
NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL}
NETWORK = re.compile(r"(nfs.*|cifs|smb.*|9p|fuse\.sshfs|lustre|gpfs|beegfs|(fuse\.)?ceph.*|afs|(fuse\.)?glusterfs)")


def file_system(path: str, mountinfo: str) -> str | None:
    """The type of the file system that holds an absolute path, from the text of /proc/self/mountinfo.

    >>> file_system("/data/run", "36 35 98:0 / /data rw,noatime master:1 - nfs4 server:/data rw")
    'nfs4'
    """
    longest, found = -1, None
    for line in mountinfo.splitlines():
        mount, _, source = line.partition(" - ")
        if len(words := mount.split(" ")) < 5 or not source:
            continue
        point = re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), words[4]).rstrip("/")
        if (path == point or path.startswith(point + "/")) and len(point) >= longest:  # a later mount hides the earlier
            longest, found = len(point), source.split(" ")[0]
    return found


def is_network(kind: str | None) -> bool:
    """Whether several machines may write to such a file system at a time.

    >>> is_network("nfs4"), is_network("ext4")
    (True, False)
    """
    return kind is not None and NETWORK.fullmatch(kind) is not None


def journal_mode(folder: Path) -> str:
    """WAL needs memory that all its users share; a file system over a network has none."""
    chosen = os.environ.get(JOURNAL_VARIABLE, "").strip().upper()
    if chosen in ("WAL", "DELETE"):
        return chosen
    if chosen:
        raise InputError(f"{JOURNAL_VARIABLE}: {chosen.lower()!r} is no way to keep a journal; set wal or delete")
    try:
        mountinfo = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:  # no Linux
        return "WAL"
    return "DELETE" if is_network(file_system(str(folder.resolve()), mountinfo)) else "WAL"


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[bool]:
    """Hold the folder for writing; gives whether its file system has locks. A killed process lets go by itself."""
    handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
    _LOCKS.add(handle)
    try:
        if _take(handle, folder):
            os.ftruncate(handle, 0)
            os.write(handle, _me().encode())
            yield True
        else:
            with _owned(folder):
                yield False
    finally:
        if handle in _LOCKS:
            _LOCKS.discard(handle)
            os.close(handle)


def _take(handle: int, folder: Path) -> bool:
    try:
        _lock(handle)
    except OSError as problem:
        if problem.errno in NO_LOCKS:
            return False
        if problem.errno in HELD:
            raise InputError(_busy(folder, os.read(handle, 300).decode("utf-8", "replace"))) from None
        raise
    return True


def _lock(handle: int) -> None:
    if sys.platform == "win32":
        os.lseek(handle, BYTE_OF_THE_LOCK, os.SEEK_SET)
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        finally:
            os.lseek(handle, 0, os.SEEK_SET)
    else:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextlib.contextmanager
def _owned(folder: Path) -> Iterator[None]:
    """The lock where the file system has none: a file that one process can make."""
    path = folder / OWNER
    _remove_dead(path)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    except FileExistsError:
        owner = path.read_text(encoding="utf-8")
        raise InputError(f"{_busy(folder, owner)}. If that process is no more, delete {path}") from None
    try:
        with open(handle, "w", encoding="utf-8") as file:
            file.write(_me())
        yield
    finally:
        path.unlink(missing_ok=True)


def _remove_dead(path: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        owner = path.read_text(encoding="utf-8")
        found = re.fullmatch(r"pid (\d{1,9}) on (.*)", owner)
        if found is None or found[2] != socket.gethostname() or _is_alive(int(found[1])):
            return
        aside = path.with_name(f"{path.name}.{os.getpid()}")
        path.rename(aside)
        if aside.read_text(encoding="utf-8") == owner:
            aside.unlink()
        else:  # another process was here first, and this file is its own
            aside.rename(path)


def _is_alive(pid: int) -> bool:
    if sys.platform == "win32":  # there os.kill ends what it asks about
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _me() -> str:
    return f"pid {os.getpid()} on {socket.gethostname()}"


def _busy(folder: Path, owner: str) -> str:
    return f"{folder}: another run is writing into it ({owner or 'pid unknown'}); wait for it, or give another --out"


def _let_go() -> None:
    """A forked worker that outlives its killed parent must not go on holding the lock."""
    for handle in _LOCKS:
        os.close(handle)
    _LOCKS.clear()


_LOCKS: set[int] = set()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go)
