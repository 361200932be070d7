"""What does not close: a claim or an over-determined number, held against the others. It changes no number."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

Verdict = Literal["closes", "does not close", "noted"]
ORDER: tuple[Verdict, ...] = ("does not close", "closes", "noted")
CLOSES_WITHIN = 0.02  # relative; what people round away


@dataclass(frozen=True)
class Audit:
    """One finding: its name, whether it closes, in words, and the numbers it rests on."""

    name: str
    verdict: Verdict
    text: str
    numbers: Mapping[str, float] = field(default_factory=dict)


def verdict(difference: float) -> Verdict:
    """Of a relative difference.

    >>> verdict(0.01), verdict(-0.03)
    ('closes', 'does not close')
    """
    return "closes" if abs(difference) <= CLOSES_WITHIN else "does not close"


def ordered(audits: Iterable[Audit]) -> tuple[Audit, ...]:
    """Those that do not close first.

    >>> [one.name for one in ordered([Audit("a", "closes", ""), Audit("b", "does not close", "")])]
    ['b', 'a']
    """
    return tuple(sorted(audits, key=lambda one: ORDER.index(one.verdict)))
