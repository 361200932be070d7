"""What an export is: a file of another format, what it cannot hold of this cell, and what it asks for besides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

SIGNIFICANT = 10  # digits; more are noise of the arithmetic


@dataclass(frozen=True)
class Export:
    """One file. name: of the file; content: plain JSON.

    left_out: one sentence for each thing of this cell that the format cannot hold, with its value. filled_in: one
    sentence for each number in the content that this cell does not say, with where it comes from.
    """

    name: str
    content: dict[str, Any]
    left_out: tuple[str, ...]
    filled_in: tuple[str, ...] = ()


def real(value: Any) -> float:
    """A plain float of at most 10 significant digits.

    >>> real(0.1 + 0.2)
    0.3
    """
    return float(f"{float(value):.{SIGNIFICANT}g}")


def table(x: ArrayLike, y: ArrayLike) -> dict[str, list[float]]:
    """Two lists of one length.

    >>> table([0.0, 1.0], [4.0, 3.0])
    {'x': [0.0, 1.0], 'y': [4.0, 3.0]}
    """
    return {"x": [real(value) for value in np.asarray(x)], "y": [real(value) for value in np.asarray(y)]}


def sentence(text: str, ending: str = "") -> str:
    """Text with a capital letter, an ending after a semicolon, and one full stop.

    >>> sentence("tape: 0.05 g", "no key for it")
    'Tape: 0.05 g; no key for it.'
    """
    whole = f"{text.rstrip('.')}; {ending}" if ending else text
    return f"{whole[:1].upper()}{whole[1:].rstrip('.')}."
