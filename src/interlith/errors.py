"""The one tree of errors. Each has an exit status; the command line shows the message and no traceback."""

from __future__ import annotations

from collections.abc import Iterable


def did_you_mean(word: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """The end of a message about a name that is not known: the nearest that is, or nothing.

    >>> did_you_mean("porosty", ["porosity", "name"])
    ' Did you mean porosity?'
    """
    import difflib  # needed only when something is wrong

    close = difflib.get_close_matches(word, list(known), n=1, cutoff=cutoff)
    return f" Did you mean {close[0]}?" if close else ""


def first_line(problem: Exception) -> str:
    """What another package's error says, in a line; its kind where it says nothing.

    >>> first_line(ValueError("no such element\\nin the model")), first_line(ValueError())
    ('no such element', 'ValueError')
    """
    return str(problem).splitlines()[0][:200] if str(problem) else type(problem).__name__


def fault_said(problem: Exception, beside: str) -> str:
    """What nothing that is given should be able to cause, as the end of a message; beside: what to report it with.

    >>> fault_said(ValueError("no such row"), "the file")
    'a fault of interlith (ValueError: no such row); please report it with the file'
    """
    what = f"{type(problem).__name__}: {problem}".splitlines()[0][:200]
    return f"a fault of interlith ({what}); please report it with {beside}"


class InterlithError(Exception):
    """Anything interlith refuses, with a message a person can act on."""

    exit_code = 1


class InputError(InterlithError):
    """What was given cannot be used as it stands: a wrong value, a missing column, a contradiction."""

    exit_code = 3


class UnsupportedFormat(InputError):
    """The file is of a kind that is not read here; the message says which export to make instead."""


class CorruptFile(InputError):
    """The file is of a known kind but damaged, cut off, empty, or made to harm."""


class PhysicsError(InterlithError):
    """The numbers contradict a law: more stripped than plated, a negative mass, an efficiency above one."""

    exit_code = 4


class SolverError(InterlithError):
    """A solver could not go on; the message says at which time and step. No result after it is given out."""

    exit_code = 4


class EnvironmentError_(InterlithError):
    """Something outside is missing: an extra, a program, memory, a writable folder."""

    exit_code = 5
