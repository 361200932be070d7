"""A number that was found, with its uncertainty and how it is known: what one wing hands to another, or to a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from interlith.parts.part import Origin, OriginKind, toml_of

File = Literal["study", "recipe", "cell"]  # files that a person writes, and that a quantity can stand in
NORMAL_95 = 1.96  # standard deviations on each side that hold 95 % of a normal distribution


@dataclass(frozen=True)
class Quantity:
    """A number with its uncertainty, how it is known, and where it stands in a file.

    name: ends in its unit, and is the key in that file. standard_error: one standard deviation, where the distribution
    is normal; low and high: an interval of 95 % where it is not, or bounds where no more is known. file, table: for
    instance "study" and "set.host"; None where no file takes it. kind: measured, or derived where it was computed.

    >>> size = Quantity("film_resistance_ohm_cm2", 12.0, "EIS of a.csv", standard_error=0.5, file="study",
    ...                 table="set.host")
    >>> size.interval
    (11.02, 12.98)
    """

    name: str
    value: float
    source: str
    standard_error: float | None = None
    low: float | None = None
    high: float | None = None
    file: File | None = None
    table: str | None = None
    kind: OriginKind = "measured"

    @property
    def interval(self) -> tuple[float, float] | None:
        """Where the value lies with 95 %, or between its bounds; None where that is not known."""
        if self.standard_error is not None:
            return self.value - NORMAL_95 * self.standard_error, self.value + NORMAL_95 * self.standard_error
        return None if self.low is None or self.high is None else (self.low, self.high)

    @property
    def origin(self) -> Origin:
        """How it is known, as a part keeps it."""
        ends = self.interval
        low, high = (None, None) if ends is None else ends
        shape: Literal["normal", "uniform"] = "uniform" if self.standard_error is None else "normal"
        return Origin(kind=self.kind, source=self.source, low=low, high=high, distribution=shape)

    @property
    def toml(self) -> str:
        """One line of TOML.

        >>> Quantity("loading_wt_fraction", 0.1241, "TGA of a.csv").toml
        'loading_wt_fraction = { value = 0.1241, kind = "measured", source = "TGA of a.csv" }'
        """
        return toml_of(self.name, self.value, self.origin)

    def as_json(self) -> dict[str, Any]:
        """All of it as plain JSON, with its interval and its line of TOML."""
        low, high = self.interval or (None, None)
        return {**asdict(self), "low": low, "high": high, "kind": self.origin.kind, "line": self.toml}


def as_toml(quantities: Sequence[Quantity]) -> str:
    """Quantities as TOML, those of one table of one file together, ready to be pasted there.

    >>> print(as_toml([Quantity("size_nm", 15.0, "XRD"), Quantity("porosity", 0.8, "gauge", file="study",
    ...                table="set.host")]))
    # study
    [set.host]
    porosity = { value = 0.8, kind = "measured", source = "gauge" }
    <BLANKLINE>
    # no file of interlith takes these
    # size_nm = { value = 15, kind = "measured", source = "XRD" }
    """
    places: dict[tuple[str | None, str | None], list[str]] = {}
    for one in sorted(quantities, key=lambda one: one.file is None):
        places.setdefault((one.file, one.table), []).append(one.toml)
    blocks = []
    for (file, table), lines in places.items():
        if file is None:
            blocks.append("\n".join(["# no file of interlith takes these", *(f"# {line}" for line in lines)]))
        else:
            blocks.append("\n".join([f"# {file}", f"[{table}]", *lines]))
    return "\n\n".join(blocks)
