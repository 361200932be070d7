"""Which orientation the oxide prefers: as measured, else a published label at that temperature, else not known."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal

from interlith.parts.recipe import MeasuredHost

SAME_TEMPERATURE_C = 1.0
LEAST_IN_ALL = 0.9  # of the shares, below which lines are missing
LIKE_NO_OTHER = 1.5  # times the second share: below, no orientation is preferred


@dataclass(frozen=True)
class Orientation:
    """The Miller indices that are preferred, "mixed", or None where nothing says; how it is known, and in words."""

    hkl: str | None
    kind: Literal["measured", "stated", "unknown"]
    source: str
    text: str


def orientation(temperature_C: float, measured: MeasuredHost | None = None) -> Orientation:
    """What the powder has, by its XRD where there is one, else by the label of the reference paper.

    >>> orientation(200.0).hkl, orientation(125.0).hkl
    ('002', None)
    """
    shares = {} if measured is None else measured.fractions
    if measured is not None and shares:
        return _of_shares(measured, shares)
    source, points = str(_file()["source"]), _file()["points"]
    for point in points:
        if abs(point["temperature_C"] - temperature_C) <= SAME_TEMPERATURE_C:
            said = f"({point['hkl']})" if point["hkl"] != "mixed" else "mixed"
            return Orientation(point["hkl"], "stated", source, f"{said} at {temperature_C:g} C: a label of {source}")
    below = [point for point in points if point["temperature_C"] < temperature_C]
    above = [point for point in points if point["temperature_C"] > temperature_C]
    near = [f"{p['hkl']} at {p['temperature_C']} C" for p in (*below[-1:], *above[:1])]
    text = (
        f"no label at {temperature_C:g} C ({', '.join(near)}); sources contradict each other between, and beyond: "
        "measure XRD, and give its fractions in [measured]"
    )
    return Orientation(None, "unknown", source, text)


def _of_shares(measured: MeasuredHost, shares: Mapping[str, float]) -> Orientation:
    total = sum(shares.values())
    if total < LEAST_IN_ALL:
        first = next(iter(shares))
        text = (
            f"the measured fractions are {total:.0%} in all, of {len(shares)} lines: they determine no orientation; "
            "give all lines of the pattern"
        ).replace("%", " %")
        return Orientation(None, "unknown", measured.origin(f"fraction_{first}").source, text)
    ranked = sorted(shares, key=lambda hkl: shares[hkl], reverse=True)
    first = ranked[0]
    source = measured.origin(f"fraction_{first}").source
    listed = ", ".join(f"({hkl}) {shares[hkl]:.0%}".replace("%", " %") for hkl in ranked)
    alone = len(ranked) == 1 or shares[first] >= LIKE_NO_OTHER * shares[ranked[1]]
    return Orientation(first if alone else "mixed", "measured", source, f"{listed}, of {len(ranked)} lines")


@cache
def _file() -> Mapping[str, Any]:
    return tomllib.loads(resources.files("interlith.coating").joinpath("orientations.toml").read_text(encoding="utf-8"))
