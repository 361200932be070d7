"""What an analysis gives back, and what it works on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from interlith.cycling.kind import Kind
from interlith.cycling.segment import Trace
from interlith.cycling.thresholds import Thresholds
from interlith.record import CellFacts, Record


@dataclass(frozen=True)
class Event:
    """Something that happened at a time: a short, an onset, an interrupted branch."""

    code: str
    message: str
    time_h: float | None = None
    cycle: int | None = None
    end_time_h: float | None = None


@dataclass(frozen=True)
class Cycled:
    """A record cut into branches and cycles, with the facts and the limits that the analyses need.

    half_cycles, cycles: see segment.half_cycles and cycles.cycles. plating_sign: 1, -1, or None when not known.
    """

    record: Record
    trace: Trace
    half_cycles: pl.DataFrame
    cycles: pl.DataFrame
    kind: Kind
    facts: CellFacts
    thresholds: Thresholds
    offset_uA: float | None = None
    range_mA: float | None = None
    spectra: pl.DataFrame | None = None

    @property
    def plating_sign(self) -> int | None:
        value: int | None = self.facts.plating_sign.value
        return value

    @property
    def area_cm2(self) -> float | None:
        value: float | None = self.facts.area_cm2.value
        return value

    def branches(self, sign: int | None) -> pl.DataFrame:
        """Half cycles of one sign that are not fragments."""
        return self.half_cycles.filter((pl.col("sign") == sign) & ~pl.col("fragment"))

    def per_area(self, mAh: float | None) -> float | None:
        """A charge per area, or None where the area is not known."""
        return None if mAh is None or self.area_cm2 is None else mAh / self.area_cm2


@dataclass(frozen=True)
class Outcome:
    """What one analysis found: values by name with units, or why it found none; tables and events beside it.

    used: names of the thresholds it used. notes: what the reader must know to judge the values.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    why_not: str | None = None
    notes: tuple[str, ...] = ()
    used: tuple[str, ...] = ()
    table: pl.DataFrame | None = None
    events: tuple[Event, ...] = ()


def nothing(why: str, *used: str) -> Outcome:
    """An outcome without values, and the reason."""
    return Outcome(why_not=why, used=used)


NEEDS_AREA = "the area is not known: give --area-cm2 for values per cm2"
