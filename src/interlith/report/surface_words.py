"""What is found of a face, in the words that figures, page and terminal share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from interlith.findings import Finding
from interlith.report.wording import plus_minus

Row = Mapping[str, Any]
NOT_DFT = "Computed by machine-learned potentials, not by DFT."
BINDING, BARRIER = "binding_energy_eV", "barrier_eV"
SPREADS = {BINDING: "spread_eV", BARRIER: "barrier_spread_eV"}
DECIMALS = {BINDING: 2, BARRIER: 3}
QUANTITIES = {BINDING: "binding energy", BARRIER: "barrier"}
ONE_MODEL = "one model: no spread is known"


def rows_of(finding: Finding) -> list[Row]:
    """The faces of a finding about surfaces; none of any other."""
    return list(finding.summary.get("surfaces") or ()) if finding.summary.get("kind") == "screen" else []


def models_of(rows: Sequence[Row]) -> list[str]:
    """Names of the models, in their order."""
    return list(dict.fromkeys(one["model"] for row in rows for one in row["models"]))


def spread_of(row: Row, name: str) -> float | None:
    """The spread of a number over the models; None where there is one model alone, which has none."""
    return None if len(row["models"]) < 2 else row[SPREADS[name]]


def energy(row: Row, name: str) -> str:
    """A number of a face with its spread, eV; "-" where it is not known.

    >>> energy({"models": [1, 2], "barrier_eV": 0.3, "barrier_spread_eV": 0.05}, BARRIER)
    '0.300 ± 0.050'
    """
    return "-" if row[name] is None else plus_minus(row[name], spread_of(row, name), DECIMALS[name])


def interval(low: float | None, high: float | None) -> str:
    """A barrier, or between what it lies.

    >>> interval(0.3815, 0.3815), interval(0.02, 0.045), interval(0.3, None), interval(None, None)
    ('0.38 eV', '0.020 to 0.045 eV', '0.30 eV or more', '-')
    """
    if low is None:
        return "-"
    decimals = 3 if low < 0.1 else 2
    if high is None:
        return f"{low:.{decimals}f} eV or more"
    ends = dict.fromkeys(f"{end:.{decimals}f}" for end in (low, high))
    return f"{' to '.join(ends)} eV"


def published(row: Row, name: str) -> str:
    """What is published of a number: the number, or words, or "-"."""
    value = row["paper"].get(name)
    return f"{value:g}" if value is not None else row["paper"].get(name.removesuffix("_eV")) or "-"


def why_not(row: Row) -> str | None:
    """Why a face is missing in a ranking; None where it is in both."""
    if row[BINDING] is not None and row[BARRIER] is not None:
        return None
    return row["not_ranked"] or (
        "no barrier is known: no way across the face was found"
        if row[BARRIER] is None
        else "no binding energy is known"
    )
