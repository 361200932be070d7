"""How much of a full cell's fade the loss of lithium explains, and how much is left for other causes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import polars as pl

from interlith.cell.results import Simulation, Step
from interlith.ledger import STEP
from interlith.parts.samples import MeasuredRetention

METAL = ("active_pores", "active_top", "active_foil", "alloyed")
LOST = ("dead_pores", "dead_top", "sei", "converted")


@dataclass(frozen=True)
class Fade:
    """Discharge capacities, first and last after formation, and lithium lost between their ends, by where it went.

    spare_mAh_per_cm2: connected lithium left on the negative at the end of the last discharge; while there is any, lost
    lithium costs no capacity. explained: simulated over measured fade, where the same number of cycles was measured.
    """

    first_mAh_per_cm2: float
    last_mAh_per_cm2: float
    n_cycles: int
    lost_mAh_per_cm2: dict[str, float]
    spare_mAh_per_cm2: float
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
    before, after = (_account(done, step) for step in (first, last))
    found = Fade(
        first_mAh_per_cm2=-first.passed_mAh_per_cm2,
        last_mAh_per_cm2=-last.passed_mAh_per_cm2,
        n_cycles=len(discharges),
        lost_mAh_per_cm2={name: after[name] - before[name] for name in (*LOST, "positive_stranded")},
        spare_mAh_per_cm2=sum(after[name] for name in METAL),
        measured=measured,
        explained=None,
    )
    if measured is None or measured.n_cycles != found.n_cycles:
        return found
    return replace(found, explained=(1.0 - found.retention) / (1.0 - measured.retention))


def _account(done: Simulation, step: Step) -> dict[str, float]:
    """The ledger at the end of a step."""
    return done.ledger.steps().row(by_predicate=pl.col(STEP) == step.number, named=True)


def said(found: Fade) -> str:
    """The same as a sentence."""
    lost = sum(found.lost_mAh_per_cm2.values())
    text = (
        f"after {found.n_cycles} cycles the discharge is {found.retention:.2%} of the first; {lost:.3g} mAh/cm2 of "
        f"lithium were lost on the way, {found.spare_mAh_per_cm2:.3g} mAh/cm2 are still there to be lost"
    )
    if found.measured is None or found.explained is None:
        return text
    points = 100.0 * (1.0 - found.measured.retention)
    return (
        f"{text}; measured were {found.measured.retention:.1%} ({found.measured.source}): of {points:.3g} points "
        f"of fade this run explains {100.0 * (1.0 - found.retention):.2g}"
    )
