"""`interlith sweep` and `interlith merge`: a sweep carried out in a folder, its shards brought together, its table."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from interlith.answers import answered, head
from interlith.errors import CorruptFile, InputError
from interlith.findings import Findings, replace_file, writing
from interlith.handing import number_in
from interlith.origin import refuse_foreign, settle
from interlith.store import Store, Unit, open_store, read_store
from interlith.sweep import Sweep, column, read_sweep
from interlith.sweeping import Tell, carry_out
from interlith.workers import get_executor, known_executor

SWEEP, UNITS = "sweep.toml", "units"
WARNING = "SIMULATED, not measured: one study in many variants; what its parameters rest on holds for each of them"
POWER_OF_TWO = "a Sobol design is balanced for a power of two alone: 64, 128, 256, ..."
MOST_ERRORS = 10


def shard_of(text: str) -> tuple[int, int]:
    """Which part of a sweep, from the command line. Raises InputError.

    >>> shard_of("2/4")
    (2, 4)
    """
    first, _, n = text.partition("/")
    if not (first.isdecimal() and n.isdecimal() and 1 <= int(first) <= int(n)):
        raise InputError(f"--shard {text}: I/N with I from 1 to N, as 2/4")
    return int(first), int(n)


def sweep_in(
    sweep: Sweep,
    out: Path,
    *,
    executor: str = "pool",
    workers: int | None = None,
    shard: tuple[int, int] = (1, 1),
    tell: Tell = lambda n_done, n, n_failed: None,
) -> Findings:
    """Carry out a sweep, or a shard of it, in a folder. Units that are kept there already are not computed again.

    executor: as `get_executor` takes it. Raises InputError for a folder that holds something else.
    """
    n_workers = workers or os.cpu_count() or 1
    known_executor(executor)
    refuse_foreign(out)
    with open_store(out, sweep.run_name) as store:
        settle(sweep.file, store, out)
        run = store.begin(sweep.file.text)
        with writing(out):
            replace_file(out / SWEEP, sweep.file.text.encode())
        hands = partial(get_executor, executor, n_workers)
        try:
            carry_out(
                sweep,
                store,
                run,
                hands,
                shard=shard,
                workers=n_workers,
                tell=tell,
            )
        except BaseException as problem:
            store.end(run, "stopped" if isinstance(problem, KeyboardInterrupt) else "broken")
            raise
        findings = told(sweep, store, out, shard=shard)
        store.end(run, "done")
    return findings


def merge(given: str, folders: Sequence[Path], out: Path, *, allow_outside: bool = False) -> Findings:
    """Bring the shards of a sweep together in one folder: the same units, byte for byte, as if one had made them all.

    Raises InputError for a folder of another sweep.
    """
    sweep = read_sweep(given, allow_outside=allow_outside)
    if out.resolve() in [folder.resolve() for folder in folders]:
        raise InputError(f"{out}: is one of the shards; give another --out")
    refuse_foreign(out)
    with ExitStack() as stack:
        shards = [stack.enter_context(read_store(folder)) for folder in folders]
        units = [_units_of(shard, sweep) for shard in shards]
        store = stack.enter_context(open_store(out, sweep.run_name))
        settle(sweep.file, store, out)
        run = store.begin(sweep.file.text)
        with writing(out):
            replace_file(out / SWEEP, sweep.file.text.encode())
        said = [line for shard, found in zip(shards, units, strict=True) for line in _take(shard, found, store)]
        findings = told(sweep, store, out, said=said)
        store.end(run, "done")
    return findings


def _units_of(shard: Store, sweep: Sweep) -> list[Unit]:
    """What a shard has of a sweep. Raises InputError where that is nothing."""
    if shard.name != sweep.run_name:
        raise InputError(f"{shard.folder}: holds the {shard.name}, not the {sweep.run_name}")
    units = list(shard.units_of(sweep.keys).values())
    if not units:
        raise InputError(
            f"{shard.folder}: has no unit of this sweep; was the sweep, its study or interlith changed since?"
        )
    return units


def _take(shard: Store, units: Sequence[Unit], store: Store) -> list[str]:
    """The units of a shard that are whole; says how many are not."""
    whole = [unit for unit in units if shard.is_whole(unit.blob)]
    store.put_many([shard.get(unit.blob) for unit in whole if unit.blob is not None])
    store.record(whole)
    n = len(units) - len(whole)
    return [f"{shard.folder}: {n} of {len(units)} units are harmed; sweep this shard again"] if n else []


def told(
    sweep: Sweep, store: Store, out: Path | None, *, shard: tuple[int, int] = (1, 1), said: Sequence[str] = ()
) -> Findings:
    """The findings of a sweep, as far as it is: one row per unit, in the order of the design. said: before all else."""
    mine = sweep.numbers(shard)
    units = store.units_of([sweep.keys[i] for i in mine])
    rows: list[dict[str, Any]] = []
    lacks: Counter[tuple[str, str]] = Counter()
    for i in mine:
        unit = units.get(sweep.keys[i])
        if unit is None or unit.blob is None:
            continue
        try:
            held = store.get_json(unit.blob)
        except CorruptFile:
            continue  # harmed since: missing
        outcomes = held["outcomes"] if unit.status == "done" else {}
        lacks.update(held.get("lacks", {}).items())
        rows.append(
            {
                "unit": i,
                **{column(key): value for key, value in sweep.units[i].items()},
                **{name: _plain(outcomes.get(name)) for name in sweep.asked.outcomes},
                "error": None if unit.status == "done" else held["message"],
                "seconds": unit.seconds,
            }
        )
    summary = _summary(sweep, rows, lacks, len(mine), shard)
    summary["said"] = [*said, *summary["said"]]
    tables = {UNITS: pl.DataFrame(rows, infer_schema_length=None)} if rows else {}
    return answered(f"Sweep {sweep.name}", sweep.name, summary, tables, WARNING, out)


def _summary(
    sweep: Sweep,
    rows: Sequence[Mapping[str, Any]],
    lacks: Counter[tuple[str, str]],
    n: int,
    shard: tuple[int, int],
) -> dict[str, Any]:
    asked, failed = sweep.asked, [row for row in rows if row["error"] is not None]
    said = []
    if asked.design == "sobol" and asked.n is not None and asked.n & (asked.n - 1):
        said.append(POWER_OF_TWO)
    if len(rows) < n:
        said.append(f"{n - len(rows)} of {n} units are missing")
    said += [f"{key}: no outcome depends on it" for key in sweep.idle]
    said += [f"{name}: {why} (in {count} of {n} units)" for (name, why), count in lacks.most_common(MOST_ERRORS)]
    errors = Counter(row["error"] for row in failed)
    said += [f"{count} failed: {text}" for text, count in errors.most_common(MOST_ERRORS)]
    known = {  # numbers of each outcome
        name: [row[name] for row in rows if isinstance(row[name], (int, float)) and not isinstance(row[name], bool)]
        for name in asked.outcomes
    }
    outcomes = [_outcome(name, asked.outcomes[name], values) for name, values in known.items()]
    return {
        **head("sweep", sweep.name, asked.title or sweep.name, said),
        "title": asked.title or sweep.name,
        "study": asked.study,
        "design": asked.design,
        "seed": asked.seed,
        "shard": list(shard),
        "n_units": n,
        "n_done": len(rows) - len(failed),
        "n_failed": len(failed),
        "varied": {column(key): key for key in asked.vary},
        "outcomes": outcomes,
        "results": {"outcomes": {"outcomes": outcomes}},
    }


def _outcome(name: str, place: str, values: Sequence[float]) -> dict[str, Any]:
    found = pl.Series(values, dtype=pl.Float64)
    return {
        "outcome": name,
        "place": place,
        "n": len(values),
        "lowest": found.min(),
        "median": found.median(),
        "highest": found.max(),
    }


def _plain(value: Any) -> Any:
    """A number, a word or nothing: what a cell of a table can hold."""
    if isinstance(value, Mapping):
        value = number_in(value)
    return value if value is None or isinstance(value, (int, float, str, bool)) else str(value)
