"""What one picture of a study's story is made of, and where in the findings its stages are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from interlith.findings import Finding, Findings, file_name
from interlith.report.sketch import Sketch

KINDS: Mapping[str, str] = {  # how a number is known, and what that is worth
    "measured": "read from a record of a cycler, or published as measured",
    "computed": "from the laws and inputs of its own stage; nothing was fitted to it",
    "predicted": "by a model that was fitted to something else, or to nothing",
    "calibrated": "something was fitted to this very number: that it agrees is no evidence",
    "audit": "arithmetic with published numbers: do they agree among themselves?",
}
TESTS, MEASURED, SIMULATED = "tests.", "measured.", "simulated-"
HOST_KINDS = ("efficiency", "reservoir", "symmetric")  # tests whose voltage is that of lithium against lithium
FULL_KINDS = ("full", "anode-free")
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Picture:
    """A picture: a sentence that says what is seen, words for who never saw the code, figures, perhaps a table.

    kinds: how its numbers are known. marks: words at the head of its figures. compared: rows of measured
    beside simulated.
    """

    name: str
    heading: str
    says: tuple[str, ...]
    kinds: tuple[str, ...]
    marks: tuple[str, ...]
    sketches: tuple[Sketch, ...]
    compared: tuple[Row, ...] = ()
    own_marks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # of a sketch, instead of those of all


def named(findings: Findings, name: str) -> Finding | None:
    """The finding of a stage; None where the study has no such stage, or it failed."""
    return next((item for item in findings.items[1:] if item.name == name), None)


def simulated_of(findings: Findings) -> list[Finding]:
    """The simulated tests, in the order of the study."""
    order = {file_name(stage["name"]): place for place, stage in enumerate(findings.items[0].summary["stages"])}
    found = [item for item in findings.items[1:] if item.name.startswith(TESTS)]
    return sorted(found, key=lambda item: order.get(item.name, len(order)))


def beside_of(findings: Findings) -> dict[str, list[Finding]]:
    """Measured records by the name of the simulated test that they stand beside."""
    found: dict[str, list[Finding]] = {}
    for item in findings.items[1:]:
        if item.name.startswith(MEASURED) and item.summary.get("beside"):
            found.setdefault(file_name(f"{TESTS}{item.summary['beside']}"), []).append(item)
    return found


def short(item: Finding) -> str:
    """The name that a person gave to a test or a record."""
    given = str(item.summary.get("path", ""))
    if item.name.startswith(TESTS) and given.startswith(SIMULATED):
        return given.removeprefix(SIMULATED)
    return item.name.removeprefix(TESTS).removeprefix(MEASURED)


def is_fitted(item: Finding) -> bool:
    """Whether a test is the one that its parameters were fitted to."""
    return bool(item.summary.get("result_kind") == "calibrated")


def rows_of(findings: Findings) -> list[Row]:
    """The table of a study: what was expected beside what came out."""
    return list(findings.items[0].summary["rows"])


def sample_kinds(items: Sequence[Finding]) -> tuple[str, ...]:
    """How the numbers of some tests are known: predicted, or calibrated where they were fitted to the test itself."""
    return in_order("calibrated" if is_fitted(item) else "predicted" for item in items)


def marks_of(kinds: Sequence[str], *more: str) -> tuple[str, ...]:
    """What stands at the head of figures: how their numbers are known.

    >>> marks_of(["predicted", "calibrated"], "simulated")
    ('PREDICTED, CALIBRATED', 'simulated')
    """
    return (", ".join(kind.upper() for kind in kinds), *more)


def in_order(kinds: Iterable[str]) -> tuple[str, ...]:
    """Kinds, each once, in the order in which a page explains them."""
    held = set(kinds)
    return tuple(kind for kind in KINDS if kind in held)


def listed(words: Sequence[str]) -> str:
    """Words in a row.

    >>> listed(["a", "b", "c"]), listed(["a"])
    ('a, b and c', 'a')
    """
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def counted(n: int, word: str) -> str:
    """A number with its word.

    >>> counted(1, "test"), counted(3, "test")
    ('1 test', '3 tests')
    """
    return f"{n} {word}" if n == 1 else f"{n} {word}s"
