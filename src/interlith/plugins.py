"""Plug-ins: what other packages add under an entry-point group, looked up by name when it is needed.

Groups: `interlith.formats`, objects of interlith.cycling.formats.Format. interlith.testing checks one.
"""

from __future__ import annotations

import warnings
from functools import cache
from importlib.metadata import entry_points
from typing import Any

FORMATS = "interlith.formats"


@cache
def load(group: str) -> tuple[Any, ...]:
    """All plug-ins of a group, in the order of their names. One that cannot be loaded is named in a warning.

    >>> load("interlith.no-such-group")
    ()
    """
    found = []
    for entry in sorted(entry_points(group=group), key=lambda entry: entry.name):
        try:
            found.append(entry.load())
        except Exception as problem:
            warnings.warn(f"plug-in {entry.name} of {group} cannot be loaded: {problem!r}", stacklevel=2)
    return tuple(found)
