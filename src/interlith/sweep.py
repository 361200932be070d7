"""One study in many variants: a sweep file, the design of its units, and the key of each.

study = "my-study.toml"        # beside this file, or a shipped study
design = "sobol"               # grid | random | sobol | latin-hypercube
n = 256                        # of all but a grid
[vary]                         # keys of the study, as dotted names
"tests.mine.set.host.porosity" = { low = 0.6, high = 0.9 }         # scale = "log" where it spans decades; n for a grid
"tests.mine.sample" = ["cp", "cp-zno-002"]
[outcomes]                     # names of your own -> places in the results
efficiency = "tests > mine > ce_reservoir"

A unit is one variant. What no varied key touches is computed once.
"""

from __future__ import annotations

import copy
import itertools
import math
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from interlith.cell_test import KEYS
from interlith.checking import look
from interlith.errors import InputError, did_you_mean
from interlith.findings import plain
from interlith.pipeline import Stage
from interlith.running import files_of, inputs_of, plan
from interlith.store import key_of
from interlith.study import (
    PACKAGE,
    SEPARATOR,
    Path_,
    Study,
    is_reference,
    names_of,
    path_of,
    read_study,
    stage_of,
    study_of,
)
from interlith.written import File, Written, opened, table_of, validated

VERSION, SWEEPS = 1, "interlith.studies.sweeps"
MOST_UNITS = 1_000_000
BETWEEN = 0.381966  # of a range: where no whole number lies by chance
Design = Literal["grid", "random", "sobol", "latin-hypercube"]
SWEEP_OF = "sweep of "  # how the name of a folder's run begins
OWN_COLUMNS = ("unit", "error", "seconds")  # of the table of units


class Span(Written):
    """What a key may be: between low and high. n: values of a grid; log: even in decades."""

    low: float
    high: float
    scale: Literal["linear", "log"] = "linear"
    n: int | None = Field(default=None, ge=1, le=100_000)

    @model_validator(mode="after")
    def _fits(self) -> Span:
        if not self.low < self.high:
            raise ValueError("low: below high")
        if self.scale == "log" and self.low <= 0:
            raise ValueError("low: above 0 on a logarithmic scale")
        return self

    def at(self, share: float) -> float:
        """The value at a share of the way, from 0 to 1.

        >>> Span(low=0.01, high=1.0, scale="log").at(0.5)
        0.1
        """
        if self.scale == "log":
            return float(self.low ** (1.0 - share) * self.high**share)
        return float(self.low + share * (self.high - self.low))


def _shape(value: Any) -> str:
    return "range" if isinstance(value, (Mapping, Span)) else "values"


Held = Annotated[
    Annotated[Span, Tag("range")] | Annotated[tuple[Any, ...], Field(min_length=1), Tag("values")],
    Discriminator(_shape),
]


class SweepFile(Written):
    """The keys of a sweep. keep: of each stage of a unit its summary, or the outcomes alone."""

    title: str = ""
    study: str
    design: Design = "grid"
    n: int | None = Field(default=None, ge=1, le=MOST_UNITS)
    seed: int = Field(default=1, ge=0, lt=2**63)
    keep: Literal["summary", "outcomes"] = "summary"
    vary: Mapping[str, Held] = Field(min_length=1)
    outcomes: Mapping[str, str] = Field(min_length=1)

    @field_validator("vary")
    @classmethod
    def _of_values(cls, held: Mapping[str, Any]) -> Mapping[str, Any]:
        for name, values in held.items():
            for value in values if isinstance(values, tuple) else ():
                if not isinstance(value, (bool, int, float, str)) or (
                    isinstance(value, float) and not math.isfinite(value)
                ):
                    raise ValueError(f"vary.{name}: a list of numbers, words, true or false, not of {value!r:.60}")
        return held

    @model_validator(mode="after")
    def _fits(self) -> SweepFile:
        if self.design != "grid" and self.n is None:
            raise ValueError(f"n: a design {self.design} needs the number of units")
        if self.design == "grid" and self.n is not None:
            raise ValueError("n: a grid has as many units as its values have combinations; give n of a range")
        for name, held in self.vary.items():
            if isinstance(held, Span) and self.design == "grid" and held.n is None:
                raise ValueError(f"vary.{name}: a range of a grid needs n, the number of its values")
        return self


@dataclass(frozen=True)
class Sweep:
    """A sweep as asked: its file, its study, and the values of every unit, in their order.

    inputs: of a varied key and one of its words, hashes of the files that the study names with it and not else. files:
    all that any unit reads.
    """

    name: str
    asked: SweepFile
    file: File
    study: Study
    table: Mapping[str, Any]
    units: tuple[Mapping[str, Any], ...]
    inputs: Mapping[tuple[str, str], Mapping[str, str]]
    files: tuple[Path, ...] = ()

    @property
    def run_name(self) -> str:
        """What a folder of it says that it holds."""
        return f"{SWEEP_OF}{self.name}"

    @cached_property
    def stages(self) -> tuple[Stage, ...]:
        """All stages of the study."""
        return tuple(plan(self.study))

    @cached_property
    def wanted(self) -> tuple[Stage, ...]:
        """The stages that outcomes lie in, and those that these take from."""
        stages, names = {stage.name: stage for stage in self.stages}, names_of(self.study)
        found = (stage_of(path_of(text), names) for text in self.asked.outcomes.values())
        waiting, wanted = [name for name in found if name is not None], set()
        while waiting:
            if (name := waiting.pop()) not in wanted:
                wanted.add(name)
                waiting += stages[name].needs
        return tuple(stage for stage in self.stages if stage.name in wanted)

    @cached_property
    def idle(self) -> tuple[str, ...]:
        """Varied keys on which no outcome depends."""
        wanted = {stage.name for stage in self.wanted}
        return tuple(key for key in self.asked.vary if not wanted & self._touched_by(key))

    @cached_property
    def content(self) -> str:
        """A hash of what all units have in common: stages that are wanted, files, code, seed, what is asked of them."""
        inputs = {f"{stage.label} {name}": sha for stage in self.wanted for name, sha in inputs_of(stage).items()}
        asked = {"outcomes": dict(self.asked.outcomes), "keep": self.asked.keep}
        tables = {stage.label: plain(stage.table) for stage in self.wanted}
        return key_of("sweep", VERSION, {**asked, "stages": tables}, inputs, self.study.asked.seed)

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """The key of every unit: what all have in common, its values, and the files that these name."""
        seed = self.study.asked.seed
        return tuple(
            key_of("sweep", VERSION, {"values": dict(values)}, {"common": self.content, **self._files(values)}, seed)
            for values in self.units
        )

    def _files(self, values: Mapping[str, Any]) -> dict[str, str]:
        found: dict[str, str] = {}
        for key, value in values.items():
            if isinstance(value, str):
                found |= self.inputs.get((key, value), {})
        return found

    def numbers(self, shard: tuple[int, int]) -> list[int]:
        """The units of a shard: every N-th, beginning with the I-th."""
        return list(range(shard[0] - 1, len(self.units), shard[1]))

    @cached_property
    def touched(self) -> frozenset[Path_]:
        """The stages that a varied key touches, and those that take from them."""
        return frozenset().union(*(self._touched_by(key) for key in self.asked.vary))

    def _touched_by(self, key: str) -> set[Path_]:
        names = names_of(self.study)
        own = stage_of(_place(self.study, key), names)
        found = {own} if own is not None else set(names)  # seed, for instance, is everybody's
        for stage in self.stages:
            if found & set(stage.needs):
                found.add(stage.name)
        return found


def read_sweep(given: str, *, allow_outside: bool = False) -> Sweep:
    """A sweep file by its path, or a shipped sweep by its name. allow_outside: as `read_study` takes it.

    Raises InputError with file, line and key, for a value that the study cannot have too.

    >>> len(read_sweep("isolation").units)
    64
    """
    file = opened(given, SWEEPS)
    asked = validated(file, SweepFile)
    study, table = _study(file, asked, allow_outside)
    for name in asked.outcomes:
        _check_outcome(file, study, asked, name)
    inputs, files = _inputs(file, asked, study, table)
    return Sweep(Path(file.name).stem, asked, file, study, table, tuple(design(asked)), inputs, tuple(sorted(files)))


def design(asked: SweepFile) -> Iterator[dict[str, Any]]:
    """The values of each unit, in order: the same for the same seed.

    >>> asked = SweepFile(study="a", vary={"x": (1, 2), "y": ("p", "q")}, outcomes={"e": "tests > a > b"})
    >>> [list(unit.values()) for unit in design(asked)]
    [[1, 'p'], [1, 'q'], [2, 'p'], [2, 'q']]
    """
    names = list(asked.vary)
    if asked.design == "grid":
        axes = [_grid(asked.vary[name]) for name in names]
        n = math.prod(len(axis) for axis in axes)
        if n > MOST_UNITS:
            raise InputError(f"vary: {n} units; a sweep has at most {MOST_UNITS}")
        yield from (dict(zip(names, values, strict=True)) for values in itertools.product(*axes))
        return
    for shares in _shares(asked, len(names)):
        yield {name: _value(asked.vary[name], float(share)) for name, share in zip(names, shares, strict=True)}


def _grid(held: Span | tuple[Any, ...]) -> list[Any]:
    if isinstance(held, tuple):
        return list(held)
    n = held.n or 1
    return [held.at(i / (n - 1) if n > 1 else 0.5) for i in range(n)]


def _value(held: Span | tuple[Any, ...], share: float) -> Any:
    if isinstance(held, tuple):
        return held[min(int(share * len(held)), len(held) - 1)]
    return held.at(share)


def _shares(asked: SweepFile, n_keys: int) -> Any:
    """float64[n, n_keys], each from 0 to 1."""
    from scipy.stats import qmc

    n = asked.n or 1
    if asked.design == "random":
        return np.random.default_rng(asked.seed).random((n, n_keys))
    if asked.design == "latin-hypercube":
        return qmc.LatinHypercube(n_keys, seed=asked.seed).random(n)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that n is no power of two: said with the results
        return qmc.Sobol(n_keys, seed=asked.seed).random(n)


# ---- variants of the study


def _study(file: File, asked: SweepFile, allow_outside: bool) -> tuple[Study, dict[str, Any]]:
    """The study that is varied, and its table."""
    path = file.folder / asked.study
    given = str(path) if Path(asked.study).suffix or path.is_file() else asked.study
    try:
        study = read_study(given, allow_outside=allow_outside)
        return study, table_of(opened(given, PACKAGE))
    except InputError as problem:
        raise file.at(("study",), f"study = {problem}") from problem


def _place(study: Study, key: str) -> tuple[str, ...]:
    """Where a varied key stands, as names of stages begin: a key of the one test at the top is that test's."""
    steps = tuple(key.split("."))
    return ("tests", study.top[0], *steps) if study.top and steps[0] in KEYS else steps


def varied(table: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """The table of a study with values at dotted names.

    >>> varied({"set": {"host": {"porosity": 0.7}}}, {"set.host.porosity": 0.8})
    {'set': {'host': {'porosity': 0.8}}}
    """
    found: dict[str, Any] = copy.deepcopy(dict(table))
    for key, value in values.items():
        held = found
        *way, last = key.split(".")
        for step in way:
            inner = held.setdefault(step, {})
            if not isinstance(inner, dict) or is_reference(inner):
                raise InputError(f"vary.{key}: {step} is no table of the study")
            held = inner
        held[last] = value
    return found


def column(key: str) -> str:
    """A varied key as the name of a column: its last steps, which tell it apart in most sweeps.

    >>> column("tests.mine.set.host.porosity")
    'tests.mine.host.porosity'
    """
    return key.replace(".set.", ".").removeprefix("set.")


def _check_outcome(file: File, study: Study, asked: SweepFile, name: str) -> None:
    text, names = asked.outcomes[name], names_of(study)
    if not name.strip():
        raise file.at(("outcomes", name), "outcomes: one has no name")
    if name in OWN_COLUMNS or name in map(column, asked.vary):
        raise file.at(("outcomes", name), f"outcomes.{name}: the table has a column of this name; give it another")
    if stage_of(path_of(text), names) is None:
        known = [SEPARATOR.join(one) for one in names]
        hint = did_you_mean(SEPARATOR.join(path_of(text)[:2]), known)
        raise file.at(
            ("outcomes", name),
            f"outcomes.{name} = {text}: the study has no such stage.{hint} (it has {', '.join(known)})",
        )


Inputs = dict[tuple[str, str], dict[str, str]]


def _inputs(file: File, asked: SweepFile, study: Study, table: Mapping[str, Any]) -> tuple[Inputs, set[Path]]:
    """Hashes of the files that a word names where it is the value of a key, and all files that any unit reads.

    Raises InputError for a value that makes no study, as far as can be seen before, for a file that is not there or may
    not be read.
    """
    written = {stage.name: stage for stage in plan(study)}
    found: Inputs = {}
    files = {path for stage in written.values() for path in files_of(stage).values()}
    for key, held in asked.vary.items():
        for value in held if isinstance(held, tuple) else (held.low, held.high, held.at(BETWEEN)):
            try:
                variant = study_of(varied(table, {key: value}), study.file, study.name, study.allow_outside)
                stages = [stage for stage in plan(variant) if stage != written.get(stage.name)]
                for stage in stages:
                    look(variant, stage)
            except InputError as problem:
                raise file.at(("vary", key), f"vary.{key} = {value}: {problem}{_mend(held, value)}") from None
            files |= {path for stage in stages for path in files_of(stage).values()}
            if isinstance(value, str):
                found[key, value] = {
                    f"{stage.label} {name}": sha for stage in stages for name, sha in inputs_of(stage).items()
                }
    return found, files


def _mend(held: Span | tuple[Any, ...], value: Any) -> str:
    within = isinstance(held, Span) and value not in (held.low, held.high)
    return "; where it must be a whole number, list its values" if within else ""
