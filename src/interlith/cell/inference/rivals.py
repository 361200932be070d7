"""Rival mechanisms, the tests that could part them, and what each rival predicts: the model side of discriminate.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from interlith.cell.inference.likelihood import Datum, Parameter, run
from interlith.cell.inference.noise import Errors, Floats, Noise, stacked
from interlith.cell.inference.observe import check_test, errors_of, observable
from interlith.cell.results import Simulation
from interlith.cell_test import CellTest, changed
from interlith.errors import InputError
from interlith.parts.cell import Cell
from interlith.protocol import Protocol
from interlith.record import TIME
from interlith.units import SECONDS_PER_HOUR

FITS_WITHIN = 2.0  # sigma of the known data in which a rival must lie to be one


@dataclass(frozen=True)
class Experiment:
    """A test that could be made: its protocol and what is read in it."""

    name: str
    protocol: Protocol
    observables: tuple[str, ...]


@dataclass(frozen=True)
class Rival:
    """A mechanism: a cell with the values it has if it is true, and the ranges of those nobody knows."""

    name: str
    study: CellTest
    parameters: tuple[Parameter, ...]
    truth: Floats

    def cell(self, x: Floats) -> Cell:
        """The cell with the values at x."""
        cell = self.study.cell
        for parameter, place in zip(self.parameters, x, strict=True):
            cell = changed(cell, parameter.name, parameter.value(float(place)))
        return cell

    def values(self, x: Floats) -> dict[str, float]:
        """Names and values at x."""
        return {p.name: p.value(float(place)) for p, place in zip(self.parameters, x, strict=True)}


@dataclass(frozen=True)
class Question:
    """Two rivals, the tests, what is known already, how sure to be. Raises InputError for what is no question."""

    rivals: tuple[Rival, Rival]
    tests: tuple[Experiment, ...]
    known: tuple[Datum, ...]
    noise: Noise = field(default_factory=Noise)
    accuracy: float = 0.95
    seed: int = 1

    def __post_init__(self) -> None:
        """Every test must be one that gives what is read in it."""
        if not self.tests:
            raise InputError("test: at least one test")
        if not 0.5 < self.accuracy < 1.0:
            raise InputError(f"accuracy = {self.accuracy:g}: above 0.5 and below 1")
        if self.rivals[0].name == self.rivals[1].name:
            raise InputError(f"rival {self.rivals[0].name}: two rivals have this name")
        self.check_tests(self.tests)

    @staticmethod
    def check_tests(tests: tuple[Experiment, ...]) -> None:
        """Raises InputError for a test that cannot give what is read in it."""
        for test in tests:
            for name in test.observables:
                check_test(name, test.protocol)


@dataclass(frozen=True)
class Prediction:
    """At one place of a rival: what each test gives (None: the cell died), distance from what is known, in sigma."""

    x: Floats
    tests: dict[str, Floats | None]
    known: Floats


def predict(question: Question, rival: Rival, x: Floats, wanted: tuple[str, ...]) -> Prediction:
    """What a rival predicts at x for some of the tests."""
    cell = rival.cell(x)
    done: dict[str, Simulation | None] = {}

    def tested(protocol: Protocol) -> Simulation | None:
        if protocol.name not in done:
            try:
                done[protocol.name] = run(replace(rival.study, cell=cell, protocol=protocol))
            except InputError as problem:
                raise InputError(f"rival {rival.name} cannot run {protocol.name}: {problem}") from problem
        return done[protocol.name]

    found = {test.name: _values(tested(test.protocol), test) for test in question.tests if test.name in wanted}
    known = []
    for datum in question.known:
        simulated = tested(datum.study.protocol)
        known.append(np.full(datum.n_values, 1e3) if simulated is None else datum.residuals(simulated))
    return Prediction(x, found, np.concatenate([*known, np.zeros(0)]))


def _values(done: Simulation | None, test: Experiment) -> Floats | None:
    if done is None:
        return None
    values = np.concatenate([observable(name).read(done) for name in test.observables])
    return values if np.all(np.isfinite(values)) else None


@dataclass(frozen=True)
class Truth:
    """A rival taken for true at one place: its predictions, and how well one cell and one tester see them."""

    prediction: Prediction
    errors: dict[str, Errors]
    hours: dict[str, float]


def truth(question: Question, rival: Rival, x: Floats) -> Truth:
    """What is measured if a rival is true at x. Raises InputError where its cell does not live through a test."""
    return truths(question, rival, x, (question.noise,))[0]


def truths(question: Question, rival: Rival, x: Floats, noises: Sequence[Noise]) -> list[Truth]:
    """The same for several tables of noise, each test simulated once."""
    cell, hours = rival.cell(x), {}
    errors: list[dict[str, Errors]] = [{} for _ in noises]
    for test in question.tests:
        try:
            done = run(replace(rival.study, cell=cell, protocol=test.protocol))
        except InputError as problem:
            raise InputError(f"rival {rival.name} cannot run test {test.name}: {problem}") from problem
        if done is None or _values(done, test) is None:
            why = done.stopped if done is not None else "the solver gave up"
            raise InputError(f"rival {rival.name} cannot run test {test.name}: {why}")
        for found, noise in zip(errors, noises, strict=True):
            found[test.name] = stacked([errors_of(done, name, noise) for name in test.observables])
        hours[test.name] = float(done.record.table[TIME][-1]) / SECONDS_PER_HOUR
    prediction = predict(question, rival, x, tuple(t.name for t in question.tests))
    return [Truth(prediction, found, hours) for found in errors]


def check_known(question: Question, rival: Rival, found: Truth) -> None:
    """Raises InputError when a rival does not fit what is known already: then it is no rival."""
    worst = float(np.max(np.abs(found.prediction.known), initial=0.0))
    if worst > FITS_WITHIN:
        raise InputError(
            f"rival {rival.name}: {worst:.3g} sigma from what is known already: it is refuted, not a rival"
        )
