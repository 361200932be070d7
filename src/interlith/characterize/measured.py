"""What one measurement gives: quantities of kind `measured` that stand in a study, a recipe or a cell, as TOML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from interlith.parts.quantity import Quantity


@dataclass(frozen=True)
class Measured:
    """What one measurement, or several of one kind together, say.

    kind: xrd, tga, eis, cv or tof-sims. headline: the one sentence. values: plain JSON, its keys with units. said: what
    must be known beside the numbers (assumptions, doubts, what was left out). tables: what figures are drawn from.
    """

    kind: str
    headline: str
    values: Mapping[str, Any]
    quantities: tuple[Quantity, ...] = ()
    said: tuple[str, ...] = ()
    tables: Mapping[str, pl.DataFrame] = field(default_factory=dict)
