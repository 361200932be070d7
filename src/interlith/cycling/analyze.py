"""One record through every analysis: `analyze(record)` -> Analysis."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace

import polars as pl

from interlith.cycling.attribution import attribution
from interlith.cycling.conversion import conversion
from interlith.cycling.crosscheck import crosscheck, mismatch_flags
from interlith.cycling.cycles import cycles, with_conversion
from interlith.cycling.dqdv import dqdv
from interlith.cycling.efficiency import efficiency
from interlith.cycling.erratic import erratic
from interlith.cycling.hysteresis import hysteresis
from interlith.cycling.impedance import impedance
from interlith.cycling.kind import Kind, Proposal, WorkingElectrode, check_kind, propose, settle_facts
from interlith.cycling.life import life
from interlith.cycling.nucleation import nucleation
from interlith.cycling.outcome import Cycled, Event, Outcome
from interlith.cycling.reservoir import reservoir
from interlith.cycling.retention import retention
from interlith.cycling.segment import gap_flags, half_cycles, trace
from interlith.cycling.shorts import shorts
from interlith.cycling.thresholds import Thresholds
from interlith.record import Flag, Record
from interlith.units import SECONDS_PER_HOUR

ANALYSES: dict[str, Callable[[Cycled], Outcome]] = {
    "reservoir": reservoir,
    "efficiency": efficiency,
    "attribution": attribution,
    "conversion": conversion,
    "erratic": erratic,
    "shorts": shorts,
    "life": life,
    "retention": retention,
    "hysteresis": hysteresis,
    "nucleation": nucleation,
    "dqdv": dqdv,
    "impedance": impedance,
    "crosscheck": crosscheck,
}
ALWAYS = ("hysteresis", "impedance", "crosscheck")
HOST = ("attribution", "conversion", "shorts", "nucleation", *ALWAYS)
FULL = ("efficiency", "retention", "attribution", "shorts", "life", "dqdv", *ALWAYS)
BY_KIND: Mapping[str, tuple[str, ...]] = {
    "reservoir": ("reservoir", *HOST),
    "efficiency": ("efficiency", "erratic", "life", *HOST),
    "symmetric": ("shorts", "life", "nucleation", *ALWAYS),
    "full": FULL,
    "anode-free": FULL,
    "eis": ("impedance",),
    "cv": ("impedance", "crosscheck"),
    "unknown": ("dqdv", *ALWAYS),
}


@dataclass(frozen=True)
class Analysis:
    """Everything found in one record: the record cut into cycles, each analysis' outcome, all events and flags."""

    cycled: Cycled
    kind_reason: str
    outcomes: Mapping[str, Outcome]
    events: pl.DataFrame
    flags: tuple[Flag, ...]

    @property
    def record(self) -> Record:
        return self.cycled.record


def analyze(
    record: Record,
    *,
    kind: str | None = None,
    area_cm2: float | None = None,
    active_mass_mg: float | None = None,
    working_electrode: WorkingElectrode | None = None,
    thresholds: Thresholds | None = None,
    offset_uA: float | None = None,
    range_mA: float | None = None,
    spectra: pl.DataFrame | None = None,
) -> Analysis:
    """Where the lithium went, as far as a cycler can say.

    The kind of test and the facts of the cell are proposed from the data unless stated. spectra: impedance points of
    the same test from another file. Raises InputError for a kind, area or electrode that cannot be.

    >>> from interlith.cycling.synthetic import examples
    >>> found = analyze(examples()[0].record)
    >>> found.cycled.kind, round(1 - found.outcomes["reservoir"].values["efficiency"], 5)
    ('reservoir', 0.0011)
    """
    limits = thresholds or Thresholds()
    chosen = check_kind(kind)
    cycled, proposal, flags = _cut(record, chosen, limits, area_cm2, active_mass_mg, working_electrode)
    cycled = replace(cycled, offset_uA=offset_uA, range_mA=range_mA, spectra=spectra)
    outcomes = {name: ANALYSES[name](cycled) for name in BY_KIND[cycled.kind]}
    flags = [*record.flags, *proposal.flags, *flags]
    flags += gap_flags(cycled.trace) + mismatch_flags(cycled.half_cycles, limits.capacity_mismatch)
    if chosen is not None and not _compatible(chosen, proposal.kind):
        text = f"stated as {chosen}, but the data look like {proposal.kind}: {proposal.reason}"
        flags.append(Flag("kind_conflict", text))
    reason = proposal.reason if chosen is None else f"stated; the data look like {proposal.kind}: {proposal.reason}"
    return Analysis(cycled, reason, outcomes, events_table(cycled, outcomes), tuple(flags))


def _compatible(stated: Kind, seen: Kind) -> bool:
    """Whether data that look like one kind may well be a test of the other."""
    return seen == stated or {stated, seen} in ({"full", "anode-free"}, {"reservoir", "efficiency"})


def _cut(
    record: Record,
    kind: Kind | None,
    limits: Thresholds,
    area_cm2: float | None,
    active_mass_mg: float | None,
    working_electrode: WorkingElectrode | None,
) -> tuple[Cycled, Proposal, list[Flag]]:
    found = trace(record, limits)
    branches = half_cycles(record, found, limits)
    proposal = propose(record, found, branches)
    kind = kind or proposal.kind
    facts, flags = settle_facts(
        record.facts,
        proposal,
        kind,
        area_cm2=area_cm2,
        active_mass_mg=active_mass_mg,
        working_electrode=working_electrode,
    )
    sign = facts.plating_sign.value
    branches = with_conversion(branches, found, kind, sign, limits)
    table = cycles(branches, kind, sign)
    return Cycled(record, found, branches, table, kind, facts, limits), proposal, flags


def summary(record: Record, thresholds: Thresholds | None = None) -> pl.DataFrame:
    """The cycles table alone: pairs of half cycles with their charges. What a spreadsheet would be filled with."""
    return _cut(record, None, thresholds or Thresholds(), None, None, None)[0].cycles


EVENT_COLUMNS = {
    "time_h": pl.Float64,
    "end_time_h": pl.Float64,
    "cycle": pl.Int64,
    "code": pl.String,
    "message": pl.String,
}


def events_table(cycled: Cycled, outcomes: Mapping[str, Outcome]) -> pl.DataFrame:
    """All events in the order of time: those of the analyses, gaps, interrupted branches."""
    found = [event for outcome in outcomes.values() for event in outcome.events]
    time = cycled.trace.time_s
    for row in cycled.trace.gap.nonzero()[0]:
        begin, end = float(time[row - 1]) / SECONDS_PER_HOUR, float(time[row]) / SECONDS_PER_HOUR
        found.append(Event("gap", f"no data for {end - begin:.3g} h", time_h=begin, end_time_h=end))
    cut = cycled.half_cycles.filter(pl.col("interrupted").is_not_null())
    for begin, why in cut.select("start_time_h", "interrupted").iter_rows():
        found.append(Event("interrupted", why, time_h=begin))
    rows = [asdict(event) for event in found]
    return pl.DataFrame(rows, schema=EVENT_COLUMNS).sort("time_h", nulls_last=True, maintain_order=True)
