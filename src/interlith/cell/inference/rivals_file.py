"""Rivals and tests as a person writes them: [[rival]], [[test]] and [[known]] tables in TOML -> Question."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field

from interlith.cell.inference.fit_file import CellTable, ParameterTable, assumed_sigma, key_of, many, noise_of
from interlith.cell.inference.likelihood import Datum, Parameter
from interlith.cell.inference.rivals import Experiment, Question, Rival
from interlith.cell_test import changed, load
from interlith.errors import InputError
from interlith.parts.cell import Cell
from interlith.protocol import Protocol, Step, named
from interlith.written import File, Written, opened, validated


class FreeTable(ParameterTable):
    """[[rival.parameter]]: its value if the rival is true is that of the sample, unless it is given."""

    value: float | None = None


class RivalTable(CellTable):
    """[[rival]]: a mechanism, and the ranges of what nobody knows of it."""

    name: str
    parameter: tuple[FreeTable, ...] = Field(min_length=1)


class ExperimentTable(Written):
    """[[test]]: a shipped protocol by name, steps of one's own, or the protocol of a study file."""

    name: str
    protocol: str | None = None
    steps: tuple[Step, ...] = ()
    study: str | None = None
    observables: tuple[str, ...] = Field(min_length=1)


class KnownTable(Written):
    """[[known]]: what was measured already; sigma as the table of noise has it, unless it is given."""

    protocol: str
    observable: str
    value: float | tuple[float, ...]
    sigma: float | tuple[float, ...] | None = None


class RivalsTable(Written):
    """The whole file."""

    title: str = ""
    accuracy: float = 0.95
    seed: int = 1
    rival: tuple[RivalTable, ...] = Field(min_length=2, max_length=2)
    test: tuple[ExperimentTable, ...] = Field(min_length=1)
    known: tuple[KnownTable, ...] = ()
    noise: Mapping[str, float] = Field(default_factory=dict)


@dataclass(frozen=True)
class Asked:
    """A question that was asked, and what it is called."""

    name: str
    title: str
    question: Question


def read_rivals(given: str) -> Asked:
    """The question of a TOML file, or a shipped one by name. Raises InputError with file, line and key.

    >>> [rival.name for rival in read_rivals("reference").question.rivals]
    ['less isolation', 'revival']
    """
    file = opened(given, "interlith.cell.inference", "rivals-")
    table = validated(file, RivalsTable)
    noise = noise_of(file, table.noise)
    rivals = tuple(_rival(file, place, entry) for place, entry in enumerate(table.rival))
    tests = tuple(_test(file, place, entry) for place, entry in enumerate(table.test))
    known = []
    for place, entry in enumerate(table.known):
        try:
            study = table.rival[0].made(file.folder, entry.protocol)
            sigma = many(entry.sigma) or assumed_sigma(study, entry.observable, noise)
            known.append(Datum(study, entry.observable, many(entry.value), sigma, "", file.name))
        except InputError as problem:
            raise file.at(("known", place, key_of(entry, str(problem))), f"known.{place + 1}: {problem}") from problem
    name = Path(file.name).stem
    try:
        question = Question((rivals[0], rivals[1]), tests, tuple(known), noise, table.accuracy, table.seed)
    except InputError as problem:
        first = str(problem).split(" ")[0].rstrip(":")
        raise file.at((first, 1, "name") if first == "rival" else (first,), str(problem)) from problem
    return Asked(name, table.title or f"Rivals of {name}", question)


def _rival(file: File, place: int, entry: RivalTable) -> Rival:
    try:
        study = entry.made(file.folder)
    except InputError as problem:
        raise file.at(("rival", place, key_of(entry, str(problem))), f"rival.{place + 1}: {problem}") from problem
    parameters, truth = [], []
    for number, free in enumerate(entry.parameter):
        where = ("rival", place, "parameter", number)
        try:
            parameter = Parameter(free.name, free.low, free.high, free.scale)
            for end in (free.low, free.high):
                changed(study.cell, free.name, end)
            value = free.value if free.value is not None else _value(study.cell, free.name)
            if not free.low <= value <= free.high:
                raise InputError(f"{free.name} = {value:g}: outside of its range, {free.low:g} to {free.high:g}")
        except InputError as problem:
            raise file.at((*where, "name"), f"rival.{place + 1}: {problem}") from problem
        parameters.append(parameter)
        truth.append(parameter.place(value))
    return Rival(entry.name, study, tuple(parameters), np.array(truth))


def _value(cell: Cell, name: str) -> float:
    """The value of a cell by the dotted name that cell_test.changed takes."""
    place, _, key = name.partition(".")
    host: Any = cell.host or cell.working
    part = {"host": host, "coating": getattr(host, "coating", None), "cell": cell}.get(place) or getattr(cell, place)
    return float(getattr(part, key))


def _test(file: File, place: int, entry: ExperimentTable) -> Experiment:
    try:
        if sum((entry.protocol is not None, entry.study is not None, bool(entry.steps))) != 1:
            raise InputError(
                "protocol: give a shipped protocol, steps, or a study file that has them, one of the three"
            )
        if entry.steps:
            protocol = Protocol(name=entry.name, steps=entry.steps)
        else:
            protocol = named(entry.protocol) if entry.protocol else load(file.folder / str(entry.study)).protocol
        made = Experiment(entry.name, protocol, entry.observables)
        Question.check_tests((made,))
        return made
    except InputError as problem:
        raise file.at(("test", place, key_of(entry, str(problem))), f"test.{place + 1}: {problem}") from problem
