"""Plug-ins: what other packages add under an entry-point group, looked up by name when it is needed.

Groups: `interlith.formats`, objects of interlith.cycling.formats.Format; `interlith.calculators`, objects of
interlith.surface.calculators.Model. interlith.testing checks one of either.
"""

from __future__ import annotations

import warnings
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from importlib.metadata import EntryPoint

FORMATS = "interlith.formats"
CALCULATORS = "interlith.calculators"


def registered(group: str) -> Iterable[EntryPoint]:
    """What is registered under a group."""
    from importlib.metadata import entry_points  # slow to import, and the reading process has no use for it

    return entry_points(group=group)


@cache
def load(group: str) -> tuple[Any, ...]:
    """All plug-ins of a group, in the order of their names. One that cannot be loaded is named in a warning.

    >>> load("interlith.no-such-group")
    ()
    """
    found = []
    for entry in sorted(registered(group), key=lambda entry: entry.name):
        try:
            found.append(entry.load())
        except Exception as problem:
            warnings.warn(f"plug-in {entry.name} of {group} cannot be loaded: {problem!r}", stacklevel=2)
    return tuple(found)
