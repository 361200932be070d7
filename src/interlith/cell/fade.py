"""How much of a full cell's fade the loss of lithium explains, and how much is left for other causes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import polars as pl

from interlith.cell.results import Simulation
from interlith.ledger import STEP
from interlith.parts.samples import MeasuredRetention

METAL = ("active_pores", "active_top", "active_foil", "alloyed")
LOST = ("dead_pores", "dead_top", "sei", "converted")


@dataclass(frozen=True)
class Fade:
    """Discharge capacities, first and last after formation, and lithium lost between their ends, by where it went.

    spare_mAh_per_cm2: connected lithium left on the negative at the end of the last discharge. by_lithium: the fade
    that lost lithium makes, which is none until all that was spare after the first discharge is lost; the rest of the
    simulated fade is polarization. explained: by_lithium over the measured fade, where as many cycles were measured.
    """

    first_mAh_per_cm2: float
    last_mAh_per_cm2: float
    n_cycles: int
    lost_mAh_per_cm2: dict[str, float]
    spare_mAh_per_cm2: float
    by_lithium: float
    measured: MeasuredRetention | None
    explained: float | None

    @property
    def retention(self) -> float:
        """Last discharge over the first."""
        return self.last_mAh_per_cm2 / self.first_mAh_per_cm2


def fade(done: Simulation, measured: MeasuredRetention | None = None) -> Fade | None:
    """The fade of a full or anode-free cell after its formation; None where fewer than two discharges are left."""
    discharges = [step for step in done.steps if step.passed_mAh_per_cm2 < 0][done.protocol.formation_cycles :]
    if done.cell.polarity > 0 or len(discharges) < 2:
        return None
    first, last = discharges[0], discharges[-1]
    ends = done.ledger.steps()
    before, after = (ends.row(by_predicate=pl.col(STEP) == step.number, named=True) for step in (first, last))
    lost = {name: after[name] - before[name] for name in (*LOST, "positive_stranded")}
    begun, ended = -first.passed_mAh_per_cm2, -last.passed_mAh_per_cm2
    spare_before, spare_after = (sum(account[name] for name in METAL) for account in (before, after))
    missing = max(sum(lost.values()) - spare_before, 0.0)
    found = Fade(
        first_mAh_per_cm2=begun,
        last_mAh_per_cm2=ended,
        n_cycles=len(discharges),
        lost_mAh_per_cm2=lost,
        spare_mAh_per_cm2=spare_after,
        by_lithium=min(missing, max(begun - ended, 0.0)) / begun,
        measured=measured,
        explained=None,
    )
    if measured is None or measured.n_cycles != found.n_cycles:
        return found
    return replace(found, explained=found.by_lithium / (1.0 - measured.retention))


def said(found: Fade) -> str:
    """The same as a sentence."""
    lost = sum(found.lost_mAh_per_cm2.values())
    text = (
        f"after {found.n_cycles} cycles the discharge is {found.retention:.2%} of the first; {lost:.3g} mAh/cm2 of "
        f"lithium were lost on the way, {found.spare_mAh_per_cm2:.3g} mAh/cm2 are still there to be lost: lost lithium "
        f"makes {100.0 * found.by_lithium:.2g} points of the fade"
    )
    if found.measured is None or found.explained is None:
        return text
    points = 100.0 * (1.0 - found.measured.retention)
    return f"{text}, of {points:.3g} that were measured ({found.measured.source})"
