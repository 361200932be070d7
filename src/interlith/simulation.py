"""A test of a cell simulated, as findings: its record is analyzed as if it were measured, its ledger stands beside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from interlith.answers import collected, writable, written_with_page
from interlith.cycling.thresholds import Thresholds
from interlith.findings import LONGEST_NAME, Finding, Findings, plain, replace_parquet, safe_name, write_tables, writing
from interlith.units import LITHIUM_mAh_PER_CM2_PER_UM

if TYPE_CHECKING:
    from interlith.cell.results import Simulation
    from interlith.cell.simulate import Tell as StepTell
    from interlith.cell_test import CellTest
    from interlith.record import Record
    from interlith.report.figures import Figure

WARNING = "SIMULATED, not measured: what the model gives for the parameters listed with it"
FROM_TESTER = ("offset_uA", "offset_kind", "uncertainty_k2", "offset_share_of_variance", "verdict")


@dataclass(frozen=True)
class Simulated:
    """A finding with the tables that a person reads, the record with mode and half cycle of each row, and the run."""

    finding: Finding
    record: Record
    done: Simulation
    thresholds: Thresholds


def simulate_test(test: CellTest, *, out: Path | None = None, tell: StepTell = lambda n_steps: None) -> Findings:
    """A test simulated, and its record analyzed like any measured one; with `out`, everything is written there."""
    with writable(out):
        pass
    made = simulated(test, tell)
    finding, figures = made.finding, []
    if out is not None:
        figures = _written(made, out)
    finding = replace(finding, tables={})
    findings = replace(
        collected(f"Simulation of {_named(test)}", [(finding, figures)], made.thresholds), warning=WARNING
    )
    if out is not None:
        written_with_page(findings, [(finding, figures)], out)
    return findings


def simulated(test: CellTest, tell: StepTell = lambda n_steps: None) -> Simulated:
    """A test simulated, and its record analyzed like any measured one: nothing is written."""
    from interlith.cell.simulate import simulate
    from interlith.cycling import present
    from interlith.cycling.analyze import analyze
    from interlith.cycling.annotate import annotated

    done = simulate(
        test.cell,
        test.protocol,
        model=test.model,
        without=test.without,
        nominal_mAh_per_cm2=test.nominal_mAh_per_cm2,
        keep_interrupted=True,
        tell=tell,
    )
    formation = test.protocol.formation_cycles
    if test.cell.polarity < 0:
        formation += 1  # what a positive keeps of its first charge, or of the first at another rate, is no lithium lost
    limits = Thresholds(formation_cycles=formation)
    analysis = analyze(done.record, offset_uA=0.0, thresholds=limits)
    name = _named(test)
    summary = plain(present.summary(analysis, Path(f"simulated-{name}")))
    summary["results"].pop("attribution", None)  # bounds on what the ledger knows
    for result in summary["results"].values():
        _without_tester(result)
    account = _account(test, done, summary)
    tables = {**present.tables(analysis), **_tables(done)}
    finding = Finding(safe_name(name)[:LONGEST_NAME], {**summary, **plain(account)}, tables)
    return Simulated(finding, annotated(analysis.cycled), done, limits)


def _named(test: CellTest) -> str:
    """The name of a test, with its model where that is another than the usual one."""
    from interlith.cell.models import DEFAULT_MODEL

    return test.name if test.model == DEFAULT_MODEL else f"{test.name}-{test.model}"


def _account(test: CellTest, done: Simulation, summary: Mapping[str, Any]) -> dict[str, Any]:
    """What only a simulation knows: its ledger, what it rests on, what must be said with it."""
    from interlith.cell.fade import fade, said
    from interlith.cell.remarks import remarks, result_kind
    from interlith.cell.simulate import BY_HAND
    from interlith.parts.listing import parameters

    listed, account = parameters(test.cell), done.ledger.final()
    dead = account["dead_pores"] + account["dead_top"]
    worn = fade(done, test.measured)
    found = {
        "protocol": test.protocol.name,
        "model": test.model,
        "without": list(test.without),
        "stopped": done.stopped,
        "interrupted": done.stopped is not None and done.stopped.startswith(BY_HAND),
        "said": [
            *remarks(done, listed, test.without),
            *([] if worn is None else [said(worn)]),
            *_no_short(test, summary),
            *test.notes,
        ],
        "result_kind": result_kind(done, listed, test.without),
        "ce_reservoir": summary["results"].get("reservoir", {}).get("efficiency"),
        "ledger": account,
        "residual": done.ledger.residual_mAh_per_cm2,
        "dead_mAh_per_cm2": dead,
        "dead_um": dead / LITHIUM_mAh_PER_CM2_PER_UM,
        "thickness_um": {
            name.partition(".")[2]: float(done.states[name][-1])
            for name in done.states.columns
            if name.startswith("thickness_um.")
        },
        "parameters": listed,
    }
    return found if worn is None else {**found, "fade": {**asdict(worn), "retention": worn.retention}}


def lists() -> dict[str, list[dict[str, str]]]:
    """What a study can name: samples, protocols, mechanisms that can be switched off.

    >>> sorted(lists())
    ['mechanisms', 'models', 'protocols', 'samples']
    """
    from interlith.cell.models import MODELS
    from interlith.cell.translate import SWITCHES
    from interlith.parts.samples import names, title
    from interlith.protocol import PROTOCOLS

    return {
        "samples": [{"name": name, "what": title(name)} for name in names()],
        "protocols": [{"name": name, "what": make().title} for name, make in PROTOCOLS.items()],
        "models": [{"name": name, "what": what} for name, what in MODELS.items()],
        "mechanisms": [{"name": name, "what": switch.what} for name, switch in SWITCHES.items()],
    }


def _without_tester(result: dict[str, Any]) -> None:
    """A simulated current has no offset, and so an efficiency made of it no uncertainty to speak of."""
    if "offset_uA" not in result:
        return
    for key in FROM_TESTER:
        result.pop(key, None)
    result["notes"] = [note for note in result.get("notes", []) if not note.startswith("current offset")]


def _no_short(test: CellTest, summary: Mapping[str, Any]) -> list[str]:
    """What to think of a short that the rules see in a cell without one."""
    verdict = summary["results"].get("shorts", {}).get("verdict", "none seen")
    if verdict == "none seen" or test.cell.short_conductance_S_per_cm2 > 0:
        return []
    return [f"there is no short in this cell: '{verdict}' is what the rule for measured cells makes of revived lithium"]


def _tables(done: Simulation) -> dict[str, pl.DataFrame]:
    """What only a simulation has: the account of each cycle, the steps, and what a model adds."""
    from interlith.cell.results import depth, ramps

    tables = {"ledger": done.ledger.cycles(), "steps": pl.DataFrame([asdict(step) for step in done.steps])}
    some = {"ramps": ramps(done), "depth": depth(done), "impedance-parts": done.impedance_parts}
    return tables | {name: table for name, table in some.items() if table is not None}


def _written(made: Simulated, out: Path) -> list[Figure]:
    """Its tables, its record, its whole ledger and its figures, in a folder."""
    from interlith.record import write_record
    from interlith.report.figures import draw

    name, done = made.finding.name, made.done
    write_tables(made.finding, out)
    with writing(out / "records") as records:
        write_record(made.record, records / f"{name}.bdf.parquet")
        replace_parquet(records / f"{name}.ledger.parquet", done.ledger.table)
        replace_parquet(records / f"{name}.states.parquet", done.states)
        if done.profiles is not None:
            replace_parquet(records / f"{name}.depth.parquet", done.profiles)
    return draw(made.finding, out)
