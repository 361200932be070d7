"""The account of lithium: where every mAh/cm2 is at each moment, and by how much the account does not close.

`ENTRIES` is the only list of its columns: the checks here, the figures and docs/look-up/ledger.md are made from it. All
are per geometric area of the working electrode.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import polars as pl

from interlith.errors import InputError, PhysicsError

CLOSES_WITHIN_mAh_PER_CM2 = 1e-6
LEAST_mAh_PER_CM2 = 1e-5
Sort = Literal["lithium", "flow", "charge", "check"]


@dataclass(frozen=True)
class Entry:
    """One column. lithium: an amount that is somewhere; flow: a total that passed through; charge: not lithium."""

    name: str
    sort: Sort
    meaning: str


ENTRIES: tuple[Entry, ...] = (
    Entry("active_pores", "lithium", "metal in the pores, connected"),
    Entry("active_top", "lithium", "metal on top, connected"),
    Entry("active_foil", "lithium", "bulk foil of the working electrode"),
    Entry("dead_pores", "lithium", "metal in the pores that lost contact"),
    Entry("dead_top", "lithium", "metal on top that lost contact"),
    Entry("sei", "lithium", "bound in the SEI of the working electrode"),
    Entry("converted", "lithium", "bound as Li2O by the conversion of ZnO"),
    Entry("alloyed", "lithium", "in LiZn"),
    Entry("counter_active", "lithium", "metal of the counter electrode, connected"),
    Entry("counter_dead", "lithium", "metal of the counter electrode that lost contact"),
    Entry("counter_other", "lithium", "SEI, converted and alloyed lithium of the counter electrode"),
    Entry("positive", "lithium", "intercalated in the positive electrode"),
    Entry("positive_stranded", "lithium", "in material of the positive electrode that lost contact"),
    Entry("double_layer", "charge", "held by both double layers, against the start"),
    Entry("revived", "flow", "became active again after it was dead, total so far"),
    Entry("electrolyte_consumed", "flow", "charge of SEI formed on both sides, taken from electrolyte and additive"),
    Entry("shorted", "charge", "passed through a short, one direction against the other: part of the balance"),
    Entry("short_carried", "flow", "passed through a short, both directions added, total so far"),
    Entry("passed", "flow", "charge at the terminals, positive when it strips the host, collector or foil"),
    Entry("residual", "check", "what does not close, of the working electrode or of the whole cell"),
)
NAMES = tuple(entry.name for entry in ENTRIES)
LITHIUM = tuple(entry.name for entry in ENTRIES if entry.sort == "lithium")
WORKING = LITHIUM[:8]  # of the working electrode, in the order of the lumped model's states
TIME, STEP, CYCLE = "test_time_second", "step_count", "cycle_count"


@dataclass(frozen=True)
class Ledger:
    """The account of one test: one row per time, columns test_time_second, step_count, cycle_count and ENTRIES.

    Raises InputError when a column is missing, PhysicsError when it does not close within 1e-6 mAh/cm2 or
    holds less than nothing of an entry.
    """

    table: pl.DataFrame

    def __post_init__(self) -> None:
        missing = [name for name in (TIME, STEP, CYCLE, *NAMES) if name not in self.table.columns]
        if missing:
            raise InputError(f"a ledger needs {', '.join(missing)}")
        if not self.residual_mAh_per_cm2 <= CLOSES_WITHIN_mAh_PER_CM2:
            raise PhysicsError(f"the ledger does not close: {self.residual_mAh_per_cm2:.3g} mAh/cm2 are missing")
        for name in LITHIUM:
            least = self.table[name].min()
            if isinstance(least, float) and not least >= -LEAST_mAh_PER_CM2:
                raise PhysicsError(f"the ledger has {least:.3g} mAh/cm2 of {name}: less than nothing")

    @property
    def residual_mAh_per_cm2(self) -> float:
        """The largest amount by which the account ever failed to close."""
        worst = self.table["residual"].abs().max()
        return float(worst) if isinstance(worst, float) else 0.0

    def steps(self) -> pl.DataFrame:
        """The account at the end of each step of the protocol."""
        return self.table.group_by(STEP, maintain_order=True).last()

    def cycles(self) -> pl.DataFrame:
        """The account at the end of each cycle."""
        return self.table.group_by(CYCLE, maintain_order=True).last()

    def final(self) -> Mapping[str, float]:
        """The account at the end, entry -> mAh/cm2."""
        return {name: float(self.table[name][-1]) for name in NAMES}
