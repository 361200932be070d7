"""A fit as a person writes it: [[parameter]] and [[datum]] tables in TOML -> Problem and Options."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import Field

from interlith.cell.inference.calibrate import Options
from interlith.cell.inference.likelihood import CURVE, Datum, Parameter, Problem, Scale, run
from interlith.cell.inference.noise import Noise
from interlith.cell.inference.observe import check_test, errors_of
from interlith.cell_test import CellTest, cell_test, changed, load
from interlith.errors import InputError, SolverError
from interlith.record import Record
from interlith.written import File, Written, opened, validated

Read = Callable[[Path], Record]


class ParameterTable(Written):
    """[[parameter]]: shared = false gives every cell a value of its own."""

    name: str
    low: float
    high: float
    scale: Scale = "linear"
    prior_mean: float | None = None
    prior_sigma: float | None = None
    shared: bool = True


class CellTable(Written):
    """What a test is done on: a shipped sample or a study file, a protocol, values fixed by hand."""

    sample: str | None = None
    study: str | None = None
    protocol: str | None = None
    kind: str | None = None
    model: str = "lumped"
    without: tuple[str, ...] = ()
    set: Mapping[str, Mapping[str, Any]] = Field(default_factory=dict)

    def made(self, folder: Path, fallback: str = "aurbach") -> CellTest:
        """The study. Raises InputError."""
        if (self.sample is None) == (self.study is None):
            raise InputError("sample: give a shipped sample or a study file, one of them")
        if self.study is not None:
            if self.protocol is not None:
                raise InputError("protocol: belongs in the study file, where there is one")
            found = load(folder / self.study)
        else:
            found = cell_test(
                self.sample or "", self.protocol or fallback, kind=self.kind, model=self.model, without=self.without
            )
        cell = found.cell
        for place, values in self.set.items():
            for key, value in values.items():
                cell = changed(cell, f"{place}.{key}", value)
        return replace(found, cell=cell)


class DatumTable(CellTable):
    """[[datum]]: an observable with value and sigma, or a record. cell: label of the cell it was measured on."""

    cell: str | None = None
    observable: str | None = None
    value: float | tuple[float, ...] | None = None
    sigma: float | tuple[float, ...] | None = None
    record: str | None = None


class FitTable(Written):
    """The whole file."""

    title: str = ""
    parameter: tuple[ParameterTable, ...] = Field(min_length=1)
    datum: tuple[DatumTable, ...] = Field(min_length=1)
    noise: Mapping[str, float] = Field(default_factory=dict)
    seed: int = 1
    n_starts: int = Options.n_starts
    n_walkers: int = Options.n_walkers
    n_steps: int = Options.n_steps
    sampler: bool = True


@dataclass(frozen=True)
class Asked:
    """A fit that was asked for. notes: what must be said with it."""

    name: str
    title: str
    problem: Problem
    options: Options
    notes: tuple[str, ...]


def read_fit(given: str, read: Read) -> Asked:
    """The fit of a TOML file, or a shipped one by name; read(path) opens a measured record.

    Raises InputError with file, line and key.

    >>> read_fit("reference", lambda path: None).problem.parameters[0].scale
    'log'
    """
    file = opened(given, "interlith.cell.inference", "fit-")
    table = validated(file, FitTable)
    noise = noise_of(file, table.noise)
    data = tuple(_datum(file, place, entry, noise, read) for place, entry in enumerate(table.datum))
    parameters: list[Parameter] = []
    for place, entry in enumerate(table.parameter):
        parameters += _parameters(file, place, entry, data)
        try:
            Problem(tuple(parameters), data)
        except InputError as problem:
            raise file.at(("parameter", place, "name"), f"parameter.{place + 1}: {problem}") from problem
    try:
        options = Options(table.seed, table.n_starts, table.n_walkers, table.n_steps, table.sampler)
    except InputError as problem:
        raise file.at((str(problem).split(" ")[0],), str(problem)) from problem
    notes = tuple(dict.fromkeys(note for datum in data for note in datum.study.notes))
    name = Path(file.name).stem
    return Asked(name, table.title or f"Fit {name}", Problem(tuple(parameters), data), options, notes)


def noise_of(file: File, stated: Mapping[str, float]) -> Noise:
    """The table of noise with what a file states. Raises InputError at the key."""
    noise = Noise()
    for name, value in stated.items():
        try:
            noise = noise.with_values(**{name: value})
        except InputError as problem:
            raise file.at(("noise", name), str(problem)) from problem
    return noise


def _parameters(file: File, place: int, entry: ParameterTable, data: tuple[Datum, ...]) -> list[Parameter]:
    fields = entry.model_dump(exclude={"shared"})
    cells: list[str | None] = [None] if entry.shared else list(dict.fromkeys(datum.cell for datum in data))
    try:
        return [Parameter(**fields, cell=cell) for cell in cells]
    except InputError as problem:
        key = "prior_sigma" if "prior" in str(problem) else "low"
        raise file.at(("parameter", place, key), f"parameter.{place + 1}: {problem}") from problem


def _datum(file: File, place: int, entry: DatumTable, noise: Noise, read: Read) -> Datum:
    try:
        made = entry.made(file.folder)
        cell = entry.cell or entry.sample or made.name
        if entry.record is not None:
            if entry.observable not in (None, CURVE) or entry.value is not None:
                raise InputError(
                    "record: its voltage curve is compared; observable and value belong to a datum without"
                )
            record = read(file.folder / entry.record)
            sigma = many(entry.sigma)
            return Datum(made, CURVE, (), sigma, cell, f"record {entry.record}", record)
        if entry.observable is None or entry.value is None:
            raise InputError("observable: a datum has observable and value, or a record")
        check_test(entry.observable, made.protocol)
        sigma = many(entry.sigma) or assumed_sigma(made, entry.observable, noise)
        return Datum(made, entry.observable, many(entry.value), sigma, cell, f"{file.name}, datum {place + 1}")
    except InputError as problem:
        raise file.at(("datum", place, key_of(entry, str(problem))), f"datum.{place + 1}: {problem}") from problem


def assumed_sigma(made: CellTest, observable: str, noise: Noise) -> tuple[float, ...]:
    """Sigma of one cell on one tester as the table of noise has it, at the values of the study."""
    done = run(made)
    if done is None:
        raise SolverError(f"{made.name}: not simulated, so that sigma must be given")
    return tuple(float(s) for s in errors_of(done, observable, noise).sigma())


def many(value: float | tuple[float, ...] | None) -> tuple[float, ...]:
    """One value or several, as several."""
    return () if value is None else (value,) if isinstance(value, (int, float)) else tuple(value)


def key_of(entry: Written, message: str) -> str:
    """The key of a table that an error speaks of."""
    keys = [key for key in type(entry).model_fields if getattr(entry, key) and key != "name"]
    begins = [key for key in type(entry).model_fields if message.split(" ")[0].rstrip(":") == key]
    cited = {key: [message.find(word) for word in _words(getattr(entry, key)) if word in message] for key in keys}
    named = sorted((key for key in keys if cited[key]), key=lambda key: min(cited[key]))
    mentioned = [key for key in keys if f"{key} " in message or f"{key}:" in message]
    return next(iter([*begins, *named, *mentioned]), "sample")


def _words(value: Any) -> list[str]:
    """What of a value an error could cite; a name says too little."""
    many = value if isinstance(value, tuple) else (value,)
    return [word for word in many if isinstance(word, str)]
