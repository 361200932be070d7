"""What the data can tell, as findings: a fit of parameters, tests that tell rivals apart, and the held-out table."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, wait
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from interlith.answers import answered, head, writable
from interlith.findings import Findings
from interlith.workers import LISTEN_EVERY_S, pool

if TYPE_CHECKING:
    from interlith.cell.inference.calibrate import Calibration
    from interlith.cell.inference.discriminate import Discrimination
    from interlith.record import Record

STAGES_OF_FIT, STAGES_OF_RIVALS = 4, 6  # each of them told when it is done
Tell = Callable[[int], None]
FITTED = "FITTED to the data listed: how far the values go beyond these data is not known"
PREDICTED = "SIMULATED: predictions from values that are partly assumed, beside measurements not used for them"
SIMULATED = "SIMULATED, not measured: what the models of the rivals give, with errors that are assumed"


def calibrate_file(
    given: str, *, out: Path | None = None, workers: int | None = None, tell: Tell = lambda n_done: None
) -> Findings:
    """The fit that a TOML file asks for, or a shipped one by name; with `out`, tables, figures and a page."""
    from interlith.cell.inference.calibrate import calibrate
    from interlith.cell.inference.fit_file import read_fit

    asked = read_fit(given, _read)
    with writable(out), _each(workers, tell, STAGES_OF_FIT) as each:
        found = calibrate(asked.problem, asked.options, each)
    answer = found.as_dict()
    summary = {
        **head("calibration", asked.name, asked.title, [*found.said, *asked.notes]),
        **answer,
        "seed": asked.options.seed,
        "results": {"fit": _fit_rows(found), "data": {"fitted_to": list(found.data)}},
    }
    tables = {"profiles": found.profiles, "samples": found.samples}
    return answered(asked.title, asked.name, summary, tables, FITTED, out)


def discriminate_file(
    given: str, *, out: Path | None = None, workers: int | None = None, tell: Tell = lambda n_done: None
) -> Findings:
    """Tests ranked by the cells they need to tell the rivals of a TOML file apart, or of a shipped one by name."""
    from interlith.cell.inference.discriminate import discriminate
    from interlith.cell.inference.rivals_file import read_rivals

    asked = read_rivals(given)
    with writable(out), _each(workers, tell, STAGES_OF_RIVALS) as each:
        found = discriminate(asked.question, each)
    answer = found.as_dict()
    summary = {
        **head("discrimination", asked.name, asked.title, list(found.said)),
        **answer,
        "results": _rival_rows(found, answer),
    }
    return answered(asked.title, asked.name, summary, {"tests": _test_table(answer)}, SIMULATED, out)


def held_out_table(
    n_draws: int | None = None,
    *,
    seed: int = 1,
    out: Path | None = None,
    workers: int | None = None,
    tell: Tell = lambda n_done: None,
) -> Findings:
    """What the model predicts beside what was measured and not fitted; with `out`, table, figure and a page."""
    from interlith.cell.inference.held_out import N_DRAWS, held_out, n_stages

    n_draws = N_DRAWS if n_draws is None else n_draws
    with writable(out), _each(workers, tell, n_stages(n_draws)) as each:
        found = [{**asdict(row), "within": row.within} for row in held_out(n_draws, seed, each)]
    known = [row for row in found if row["within"] is not None]
    n_within = sum(bool(row["within"]) for row in known)
    title = "Held out: what the model says of results that it was not fitted to"
    said = [
        f"{n_within} of {len(known)} measured values lie in the span of what is assumed; the others are misses",
        f"span: lowest and highest of the shipped values and {n_draws} draws of each sample set, every assumed value "
        "drawn from its range and the Aurbach efficiency fitted anew; transport in the electrolyte is not drawn",
        "a life as long as its protocol (103, 203, 2000 cycles) was not ended: it is at least that",
        "fitted to each sample: its Aurbach efficiency; its thickness at 5 mAh/cm2 in all rows but those that say so",
    ]
    summary = {
        **head("held-out", "held-out", title, said),
        "rows": found,
        "n_draws": n_draws,
        "source": "Shen et al., Nat. Commun. (2025), doi:10.1038/s41467-025-60609-4",
        "results": {"held_out": {"rows": [_held_out_row(row) for row in found]}},
    }
    return answered(title, "held-out", summary, {"held-out": pl.DataFrame(found)}, PREDICTED, out)


def _held_out_row(row: dict[str, Any]) -> dict[str, Any]:
    """For the page: the same without what is the same in all, the reason last."""
    paper = "not published" if row["paper"] is None else row["paper"]
    keys = ("predicted", "low", "high", "within", "reason")
    shown = f"at least {paper:g}" if row["at_least"] else paper
    return {"quantity": row["quantity"], "unit": row["unit"], "paper": shown, **{key: row[key] for key in keys}}


def held_out_stages(n_draws: int | None) -> int:
    """How often `held_out_table` tells that a part is done."""
    from interlith.cell.inference.held_out import N_DRAWS, n_stages

    return n_stages(N_DRAWS if n_draws is None else n_draws)


def _read(path: Path) -> Record:
    from interlith.cycling.reading import read

    return read(path)


@contextmanager
def _each(workers: int | None, tell: Tell, n_stages: int) -> Iterator[Callable[..., Iterable[Any]]]:
    """A map over processes, or in this one for a single worker; each call of it is a stage."""
    n_workers = workers or os.cpu_count() or 1
    done = 0

    def told(results: list[Any]) -> list[Any]:
        nonlocal done
        done += 1
        tell(min(done, n_stages))
        return results

    if n_workers == 1:
        yield lambda function, items: told([function(item) for item in items])
        return
    with pool(n_workers) as executor:

        def mapped(function: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
            futures = [executor.submit(function, item) for item in items]
            waiting = set(futures)
            while waiting:
                _, waiting = wait(waiting, timeout=LISTEN_EVERY_S, return_when=FIRST_COMPLETED)
            return told([future.result() for future in futures])

        yield mapped


def _fit_rows(found: Calibration) -> dict[str, Any]:
    """For the page: one row per parameter, and the pairs that trade."""
    rows = [
        {
            "parameter": e.parameter.label,
            "unit": e.parameter.unit,
            "best": e.best,
            "lowest": e.low if e.low is not None else f"open: allowed from {e.parameter.low:g}",
            "highest": e.high if e.high is not None else f"open: allowed to {e.parameter.high:g}",
            "verdict": e.verdict,
        }
        for e in found.estimates
    ]
    trades = [trade.text for trade in found.trade_offs]
    return {"estimates": rows, "chi2": found.chi2, "n_data": found.n_data, "trade_offs": trades}


def _rival_rows(found: Discrimination, answer: dict[str, Any]) -> dict[str, Any]:
    rows = [
        {
            "tests": " + ".join(v.tests),
            "cells": v.n_cells if v.n_cells is not None else "not possible",
            "limited_by": v.worse.limited_by,
            "why": v.why,
        }
        for v in found.verdicts
    ]
    noise = [
        {key: row[key] for key in ("name", "value", "low", "high", "unit", "of", "kind", "source")}
        for row in answer["noise"]
    ]
    return {
        "tests": {"ranked": rows},
        "known": {"known": answer["known"]},
        "noise": {"sources": noise},
    }


def _test_table(answer: dict[str, Any]) -> pl.DataFrame:
    """One row per test or combination."""
    return pl.DataFrame(
        [
            {
                "tests": " + ".join(row["tests"]),
                "n_cells": row["n_cells"],
                "distance": row["distance"],
                "distance_of_many_cells": row["distance_of_many_cells"],
                "distance_needed": answer["distance_needed"],
                "limited_by": row["limited_by"],
                "hours": row["hours"],
                "n_cells_with_least_noise": row["at_ends_of_noise"]["all of them"][0],
                "n_cells_with_most_noise": row["at_ends_of_noise"]["all of them"][1],
                "why": row["why"],
            }
            for row in answer["tests"]
        ],
        schema_overrides=dict.fromkeys(("n_cells", "n_cells_with_least_noise", "n_cells_with_most_noise"), pl.Int64),
    )
