"""A cell as built, as findings: its bill, what does not close, what it may be, what closes a claim, what to change."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from interlith.answers import answered, head, writable
from interlith.errors import InputError
from interlith.findings import Findings, plain, replace_file, safe_name, spreadsheet, spreadsheet_needs, writing

if TYPE_CHECKING:
    from interlith.audit import Audit
    from interlith.pouch.design_file import Design
    from interlith.pouch.exports import Export
    from interlith.pouch.reconcile import Reconciled
    from interlith.pouch.uncertainty import Draws, Space

PUBLISHED = "published"
N_DRAWS, MOST_DRAWS = 100_000, 20_000_000
N_DRAWS_TO_RECONCILE = 1_000_000  # few draws come near two published numbers at once
N_DRAWN = 5_000  # draws that the figure shows
EFFICIENCY = 0.995  # of a cycle, where nothing is said; assumed
Table = list[dict[str, Any]]
Exports = tuple["Export", ...]


@dataclass(frozen=True)
class DesignOptions:
    """What a person asks of a cell beside its bill. None: not asked.

    target_Wh_per_kg: one or more; n_to_p: by face, for them; that of the cell where not said. reconcile: "published",
    or one or two numbers in Wh/kg as text, "380,424". reading: a name; the cell is then read so. efficiency: of a
    cycle, for the choice between energy and cycles.
    """

    target_Wh_per_kg: tuple[float, ...] = ()
    n_to_p: float | None = None
    reconcile: str | None = None
    samples: int | None = None
    efficiency: float | None = None
    reading: str | None = None
    changes: tuple[str, ...] = ()
    seed: int | None = None


def design_cell(given: str, options: DesignOptions | None = None, *, out: Path | None = None) -> Findings:
    """The findings of a cell file, or of a shipped cell by name; with `out`, tables, figures, exports and a page.

    Raises InputError for a file or an option that cannot be used.
    """
    from interlith.pouch.design_file import read_design
    from interlith.pouch.exports import exports

    asked = options or DesignOptions()
    design = as_asked(read_design(given), asked)
    with writable(out):
        made = exports(design.cell, design.title)
        summary, tables = _found(design, asked, made)
    if out is not None:
        _forget(design.name, tables, out)
        if (missing := spreadsheet_needs()) is not None:
            summary["said"].append(f"bill.xlsx is not written: {missing}")
    title = f"Design of {design.name}"
    warning = "COMPUTED from layers: what is assumed carries that word, and its range is drawn from"
    frames = {name: pl.DataFrame(rows, infer_schema_length=None) for name, rows in tables.items() if rows}
    findings = answered(title, design.name, summary, frames, warning, out)
    if out is not None:
        _export(made, findings.items[0].summary, frames, out)
    return findings


def targets_from(text: str | None) -> tuple[float, ...]:
    """Specific energies from the command line: "350,400". Raises InputError for what is no number.

    >>> targets_from("350,400"), targets_from(None)
    ((350.0, 400.0), ())
    """
    return () if text is None else _numbers("--target-Wh-per-kg", text)


def _numbers(option: str, text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise InputError(f"{option} {text}: specific energies in Wh/kg, as 380 or 380,424") from None


def file_of(given: str) -> str:
    """The text of a cell file, or of a shipped cell by its name: a beginning for one's own.

    >>> file_of("reference-coin").splitlines()[2]
    'title = "Coin cell of Shen et al. (2025): Li with CNT@ZnO host | NCM811"'
    """
    from interlith.pouch.design_file import PACKAGE
    from interlith.written import opened

    return opened(given, PACKAGE).text


def lists() -> dict[str, list[dict[str, str]]]:
    """What can be named: shipped cells, shipped materials.

    >>> sorted(lists())
    ['cells', 'materials']
    """
    from interlith.parts.layer import material, material_names
    from interlith.pouch.design_file import design_names, read_design

    cells = [{"name": name, "what": read_design(name).title} for name in design_names()]
    return {"cells": cells, "materials": [{"name": n, "what": material(n).title} for n in material_names()]}


def as_asked(design: Design, asked: DesignOptions) -> Design:
    """The design read in one way, and with values changed by hand."""
    from interlith.cell_test import parse_changes
    from interlith.parts.from_file import chosen
    from interlith.pouch.design_file import changed_design

    if asked.reading is not None:
        one = chosen(design.readings, asked.reading, design.name)
        design = replace(design, cell=one[1], readings=(one,))
    if asked.samples is not None and not 1 <= asked.samples <= MOST_DRAWS:
        raise InputError(f"--samples {asked.samples}: from 1 to {MOST_DRAWS}")
    return changed_design(design, parse_changes(asked.changes))


def _found(design: Design, asked: DesignOptions, exported: Exports) -> tuple[dict[str, Any], dict[str, Table]]:
    from interlith.parts.design import Coin
    from interlith.parts.listing import parameters
    from interlith.pouch import tables as made
    from interlith.pouch.audits import audit
    from interlith.pouch.bill import bill
    from interlith.pouch.field import rows as field_rows
    from interlith.pouch.levers import levers
    from interlith.pouch.sensitivity import sensitivity
    from interlith.pouch.uncertainty import SEED, draw, space

    found, where = bill(design.cell), space(design)
    seed = SEED if asked.seed is None else asked.seed
    claims = _claims(design, asked)
    n_draws = asked.samples or (N_DRAWS_TO_RECONCILE if claims else N_DRAWS)
    draws = draw(where, n_draws, seed)
    swings = sensitivity(where, seed=seed)
    audits = audit(design)
    plain_bill = made.as_plain(found)
    summary = {
        **head("design", design.name, design.title, _said(design)),
        "title": design.title,
        "source": design.beside.source,
        "currency": design.beside.currency or None,
        **plain_bill,
        "capacity_Ah": found.delivered_Ah,
        "readings": made.readings_as_json(design),
        "audits": [_audit_row(one) for one in audits] + _companions(design),
        "monte_carlo": _monte_carlo(design, draws, seed),
        "sensitivity": [{**asdict(swing), "swing_Wh_per_kg": swing.swing_Wh_per_kg} for swing in swings],
        "published": None if design.beside.published is None else design.beside.published.model_dump(),
        "parameters": parameters(design.cell),
        "exports": [
            {"file": made.name, "left_out": list(made.left_out), "filled_in": list(made.filled_in)} for made in exported
        ],
    }
    tables = {
        "masses": made.masses(design.cell, found),
        "readings": made.readings(design),
        "intermediates": made.intermediates(design.cell, found),
        "stack": made.stack(design.cell),
        "draws": _draws_table(draws),
        "sensitivity": [_swing_row(asdict(swing), swing.swing_Wh_per_kg) for swing in swings],
    }
    _add_asked(design, asked, claims, where, draws, summary, tables)
    if not isinstance(design.cell.case, Coin):
        summary["levers"] = tables["levers"] = [asdict(lever) for lever in levers(design.cell)]
        tables["field"] = field_rows(design.cell, design.title, _claimed(design))
        summary["pareto"], tables["pareto"] = _pareto(design, asked.efficiency, seed)
    summary["results"] = _for_page(tables, summary)
    return summary, tables


def _add_asked(
    design: Design,
    asked: DesignOptions,
    claims: dict[str, float],
    where: Space,
    draws: Draws,
    summary: dict[str, Any],
    tables: dict[str, Table],
) -> None:
    """What only options ask for: reconciliation and targets, with what must be said of them."""
    if claims:
        reconciled = _reconciled(where, draws, claims)
        summary["reconcile"] = reconciled
        tables["reconciled"] = reconciled["posteriors"]
        summary["said"] += reconciled["said"]
    if asked.target_Wh_per_kg:
        summary["target"] = tables["target"] = _targets(design, asked)
        summary["said"].append(_held(tables["target"][0], asked))
    elif asked.n_to_p is not None:
        raise InputError("--n-to-p: goes with --target-Wh-per-kg")


def _claims(design: Design, asked: DesignOptions) -> dict[str, float]:
    """Published totals to reconcile with: as asked, or those of the file; empty when not asked."""
    from interlith.pouch.reconcile import published_totals

    if asked.reconcile is None:
        return {}
    if asked.reconcile != PUBLISHED:
        return published_totals(_numbers("--reconcile", asked.reconcile))
    told = design.beside.published
    given = () if told is None else (told.specific_energy_Wh_per_kg, told.specific_energy_without_laminate_Wh_per_kg)
    numbers = [number for number in given if number is not None]
    if not numbers:
        raise InputError(f"--reconcile: {design.name} has no published specific energy; give one, as 380 or 380,424")
    return published_totals(numbers)


def _said(design: Design) -> list[str]:
    from interlith.pouch.uncertainty import without_range

    said = [design.beside.note] if design.beside.note else []
    fixed = without_range(design.cell)
    if fixed:
        said.append(f"assumed without a range, and so not drawn: {', '.join(fixed)}")
    nothing = _counted_as_nothing(design)
    if nothing:
        said.append(f"not given, and so counted as nothing: {', '.join(nothing)}")
    fits = [reading.name for reading, _ in design.readings if reading.is_fit]
    if fits:
        said.append(f"{', '.join(fits)}: fitted to the published number, and no evidence for it")
    return said


def _counted_as_nothing(design: Design) -> list[str]:
    """What a cell has and the file leaves away."""
    from interlith.parts.design import Pouch

    cell, found = design.cell, []
    for name, electrode in (("positive", cell.positive), ("negative", cell.negative)):
        if isinstance(cell.case, Pouch) and electrode.foil is not None and electrode.flag_cm2 == 0:
            found.append(f"{name}.flag_cm2")
    if isinstance(cell.case, Pouch) and cell.case.tape_g == 0:
        found.append("case.tape_g")
    for layer in cell.positive.layers:
        if layer.holds_lithium and layer.rest is None:
            found.append(f"binder and carbon of positive.{layer.name} (rest, active_fraction)")
    return found


def _audit_row(one: Audit, cell: str | None = None) -> dict[str, Any]:
    row = {"name": one.name, "verdict": one.verdict, "text": one.text, "numbers": dict(one.numbers)}
    return row if cell is None else {**row, "name": f"{one.name} ({cell})", "cell": cell}


def _companions(design: Design) -> list[dict[str, Any]]:
    """Audits of other cells of the same work, those of one kind that says the same twice left out."""
    from interlith.pouch.audits import audit
    from interlith.pouch.design_file import read_design

    found: list[dict[str, Any]] = []
    seen: set[str] = set()
    for name in design.beside.companions:
        for one in audit(read_design(name)):
            if one.text not in seen:
                seen.add(one.text)
                found.append(_audit_row(one, name))
    return found


def _monte_carlo(design: Design, draws: Draws, seed: int) -> dict[str, Any]:
    from interlith.pouch.uncertainty import OUTPUTS, summary

    whole = draws.outputs["whole_Wh_per_kg"]
    made = summary(whole)
    claimed = _claimed(design)
    per_reading = {
        name: asdict(summary(whole[draws.reading == i])) for i, name in enumerate(draws.readings) if draws.n > i
    }
    return {
        "n_draws": draws.n,
        "seed": seed,
        "median_Wh_per_kg": made.median,
        "p5_Wh_per_kg": made.p5,
        "p95_Wh_per_kg": made.p95,
        "mean_Wh_per_kg": made.mean,
        "standard_deviation_Wh_per_kg": made.standard_deviation,
        "published_Wh_per_kg": claimed,
        "probability_of_published": None if claimed is None else float((whole >= claimed).mean()),
        "readings": per_reading,
        "outputs": {name: asdict(summary(draws.outputs[name])) for name in OUTPUTS},
    }


def _claimed(design: Design) -> float | None:
    """The specific energy that is published of the whole cell; None where there is none."""
    told = design.beside.published
    return None if told is None else told.specific_energy_Wh_per_kg


def _draws_table(draws: Draws) -> Table:
    whole = draws.outputs["whole_Wh_per_kg"]
    return [
        {"specific_energy_Wh_per_kg": float(value), "reading": draws.readings[index]}
        for value, index in zip(whole[:N_DRAWN], draws.reading[:N_DRAWN], strict=True)
    ]


def _swing_row(swing: dict[str, Any], size_Wh_per_kg: float) -> dict[str, Any]:
    return {
        "name": swing["name"],
        "low": swing["low"],
        "high": swing["high"],
        "Wh_per_kg_at_low": swing["at_low_Wh_per_kg"],
        "Wh_per_kg_at_high": swing["at_high_Wh_per_kg"],
        "swing_Wh_per_kg": size_Wh_per_kg,
        "first_order": swing["first_order"],
        "total_order": swing["total_order"],
    }


def _reconciled(where: Space, draws: Draws, claims: dict[str, float]) -> dict[str, Any]:
    from interlith.pouch.reconcile import reconcile

    found = reconcile(where, draws, claims)
    posteriors = [{**asdict(p), "shift_in_sd": p.shift_in_sd} for p in found.posteriors]
    voltage = {**asdict(found.mean_voltage_V), "shift_in_sd": found.mean_voltage_V.shift_in_sd}
    return {
        "published": dict(found.published),
        "n_draws": draws.n,
        "n_effective": found.n_effective,
        "probability_a_priori": found.probability_a_priori,
        "within_tolerance": found.within,
        "readings": dict(found.readings),
        "posteriors": posteriors,
        "mean_voltage_V": voltage,
        "said": _reconciled_said(found),
    }


def _reconciled_said(found: Reconciled) -> list[str]:
    numbers = " and ".join(f"{value:g}" for value in found.published.values())
    first = next(iter(found.published.values()))
    best = max(found.readings, key=lambda name: found.readings[name])
    moved = ", ".join(
        f"{p.name} {p.prior_mean:.4g} to {p.posterior_mean:.4g} (sd {p.posterior_sd:.2g})" for p in found.posteriors[:3]
    )
    said = [
        f"before anything is fitted, {found.probability_a_priori:.1%} of the draws reach {first:g} Wh/kg, and "
        f"{found.within:.2%} come within rounding of {numbers}",
        f"what closes {numbers}: reading {best} ({found.readings[best]:.0%}); {moved}. Conditioned on the claim, and "
        "so no evidence for it",
    ]
    if not found.is_reliable:
        said.append(f"only {found.n_effective:.0f} draws carry this; ask for more with --samples")
    return said


def _targets(design: Design, asked: DesignOptions) -> Table:
    from interlith.pouch.invert import reach

    rows = []
    for target in asked.target_Wh_per_kg:
        for row in reach(design.cell, target, n_to_p=asked.n_to_p):
            found = {key: value for key, value in asdict(row).items() if key not in ("against", "notes")}
            rows.append({**found, "reached": not row.against, "verdict": row.verdict})
    return rows


def _held(row: dict[str, Any], asked: DesignOptions) -> str:
    whose = "as in the cell; --n-to-p changes it" if asked.n_to_p is None else "as asked"
    return (
        f"targets: N/P by face is held at {row['n_to_p']:.3g} ({whose}), so lithium grows with the coating; sheets "
        "keep their size, tabs grow with the current"
    )


def _pareto(design: Design, efficiency: float | None, seed: int) -> tuple[dict[str, Any] | None, Table]:
    """The front of energy against cycles, and against price where there is one; nothing where there is no choice."""
    from interlith.pouch.bill import bill, lithium_foil
    from interlith.pouch.invert import Bounds
    from interlith.pouch.pareto import chosen, front

    if lithium_foil(design.cell) is None:
        if efficiency is not None:
            raise InputError("--efficiency: a negative without lithium foil has no N/P to choose by cycles")
        return None, []
    at = EFFICIENCY if efficiency is None else efficiency
    found = front(design.cell, at, seed=seed)
    own = {**asdict(chosen(design.cell, at)), "kind": "this cell"}
    rows = [{**asdict(choice), "kind": "front"} for choice in found.choices]
    said: dict[str, Any] = {
        "efficiency": at,
        "efficiency_kind": "assumed" if efficiency is None else "stated",
        "n_designs": found.n_designs,
        "bounds": {**asdict(Bounds()), "sources": Bounds().sources()},
        "front": rows,
        "this_cell": own,
    }
    if bill(design.cell).price:
        cheap = front(design.cell, at, by="price", seed=seed)
        by_price = [asdict(choice) for choice in cheap.choices]
        said["front_by_price"] = by_price
        rows += [{**choice, "kind": "front by price"} for choice in by_price]
    return said, [*rows, own]


def _for_page(tables: dict[str, Table], summary: dict[str, Any]) -> dict[str, Any]:
    """The tables that the page shows in words."""
    found: dict[str, Any] = {name: {name: tables[name]} for name in ("target", "levers") if tables.get(name)}
    if len(tables["readings"]) > 1:
        found["readings"] = {"readings": tables["readings"]}
    if tables.get("pareto"):
        found["pareto"] = {"designs": tables["pareto"]}
    missing = [{"file": made["file"], "cannot_hold": text} for made in summary["exports"] for text in made["left_out"]]
    if "reconcile" in summary:
        found["reconcile"] = {"readings": summary["reconcile"]["readings"], "posteriors": tables["reconciled"]}
    found["intermediates"] = {"intermediates": tables["intermediates"]}
    found["exports"] = {"what_each_file_leaves_out": missing}
    return found


def _sheets(summary: Mapping[str, Any], frames: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """The sheets of the workbook: what was found, what it rests on, audits, then every table but draws and stack."""
    ratios = {
        "Wh/kg": summary["specific_energy_Wh_per_kg"],
        "Wh/L": summary["energy_density_Wh_per_L"],
        "N/P": summary["n_to_p"],
        "E/C (g/Ah)": summary["g_per_Ah"],
    }
    first = [
        {"quantity": key, "value": summary[key]} for key in ("capacity_Ah", "energy_Wh", "mass_g", "mean_voltage_V")
    ]
    first += [
        {"quantity": f"{name}, {basis}", "value": v} for name, held in ratios.items() for basis, v in held.items()
    ]
    drawn = summary["monte_carlo"]
    first += [
        {"quantity": f"Wh/kg of draws, {name}", "value": drawn[f"{name}_Wh_per_kg"]} for name in ("p5", "median", "p95")
    ]
    inputs = [{**row, "value": str(row["value"])} for row in summary["parameters"]]
    audits = [{key: row[key] for key in ("verdict", "name", "text")} for row in summary["audits"]]
    made = {"summary": first, "inputs": inputs, "audits": audits}
    sheets = {name: pl.DataFrame(rows, infer_schema_length=None) for name, rows in made.items()}
    return {**sheets, **{name: frame for name, frame in frames.items() if name not in ("draws", "stack")}}


def _forget(name: str, tables: dict[str, Table], out: Path) -> None:
    """Tables and figures of an earlier run into the same folder that this one does not make."""
    for table in ("target", "reconciled", "pareto", "field", "levers"):
        if not tables.get(table):
            for folder in ("tables", "figures"):
                for left in (out / folder).glob(f"{safe_name(name)}.{table}.*"):
                    left.unlink()


def _export(exported: Exports, summary: Mapping[str, Any], frames: dict[str, pl.DataFrame], out: Path) -> None:
    """What other programs read, beside the page: the spreadsheet, and one file per format with what it cannot hold."""
    if spreadsheet_needs() is None:
        spreadsheet(_sheets(summary, frames), out / "bill.xlsx")
    with writing(out / "exports") as folder:
        for made in exported:
            replace_file(folder / made.name, json.dumps(plain(made.content), indent=1, ensure_ascii=False).encode())
