"""What every part has in common: frozen fields, and for each number that is not the user's, where it comes from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from interlith.written import Written

OriginKind = Literal["stated", "measured", "assumed", "derived", "calibrated"]
Distribution = Literal["uniform", "triangular", "normal"]
STATED = "stated by the user"


class Origin(Written):
    """How a number is known: kind, source, and for an assumed one the range it may lie in.

    distribution: uniform between low and high; triangular, with the value as its peak; or normal, cut at low and high,
    1.96 standard deviations from its middle. choices: instead of a range the values it may have, each as probable as
    the others.

    >>> Origin(kind="assumed", source="judgement", low=0.2, high=0.3).is_spread
    True
    """

    kind: OriginKind
    source: str
    low: float | None = None
    high: float | None = None
    distribution: Distribution = "uniform"
    choices: tuple[bool | int | float | str, ...] | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if (self.low is None) != (self.high is None):
            raise ValueError("low and high: both or neither")
        if self.low is not None and self.high is not None and not self.low <= self.high:
            raise ValueError(f"low = {self.low:g} and high = {self.high:g}: low comes first")
        if self.choices is not None and (self.low is not None or len(self.choices) < 2):
            raise ValueError("choices: two or more, and then neither low nor high")
        return self

    @property
    def is_spread(self) -> bool:
        """Whether it may have more than one value."""
        return self.choices is not None or (self.low is not None and self.low != self.high)


def toml_of(name: str, value: float, origin: Origin, digits: int = 6) -> str:
    """A line of TOML that says a value and where it comes from.

    >>> toml_of("porosity", 0.78123456, Origin(kind="measured", source="gauge", low=0.77, high=0.79), digits=4)
    'porosity = { value = 0.7812, kind = "measured", low = 0.77, high = 0.79, source = "gauge" }'
    """
    found = {"value": f"{value:.{digits}g}", "kind": f'"{origin.kind}"'}
    if origin.low is not None and origin.high is not None:
        found |= {"low": f"{origin.low:.{digits}g}", "high": f"{origin.high:.{digits}g}"}
        found |= {} if origin.distribution == "uniform" else {"distribution": f'"{origin.distribution}"'}
    found["source"] = json.dumps(origin.source, ensure_ascii=False)
    return f"{name} = {{ {', '.join(f'{key} = {text}' for key, text in found.items())} }}"


class Part(Written):
    """Base of all parts. `origins`: field name -> Origin; a field without one was stated by the user.

    >>> class Sheet(Part):
    ...     thickness_um: float = Field(gt=0)
    >>> sheet = Sheet(thickness_um=20.0, origins={"thickness_um": Origin(kind="measured", source="gauge")})
    >>> sheet.with_values(thickness_um=25.0).origin("thickness_um").kind
    'stated'
    """

    origins: Mapping[str, Origin] = Field(default_factory=dict, repr=False)

    def origin(self, name: str) -> Origin:
        """Where a field's value comes from."""
        return self.origins.get(name, Origin(kind="stated", source=STATED))

    def with_values(self, **values: Any) -> Self:
        """The same part with some fields changed by the user, checked anew; their origins become "stated"."""
        kept = {name: origin for name, origin in self.origins.items() if name not in values}
        return self.with_values_kept(**values, origins=kept)

    def with_values_kept(self, **values: Any) -> Self:
        """The same part with some fields replaced, checked anew, its origins as they were: for parts of parts."""
        own = {name: getattr(self, name) for name in type(self).model_fields}
        return type(self)(**{**own, **values})


def with_origins(table: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a part and their `origins`, from a table whose numbers stand as { value, kind, source, low, high }.

    >>> with_origins({"porosity": {"value": 0.3, "kind": "measured", "source": "weighed"}})["origins"]["porosity"].kind
    'measured'
    """
    fields: dict[str, Any] = {}
    origins: dict[str, Origin] = {}
    for key, held in table.items():
        if isinstance(held, dict) and "value" in held:
            fields[key] = held["value"]
            origins[key] = Origin(**{k: v for k, v in held.items() if k != "value"})
        else:
            fields[key] = held
    return {**fields, "origins": origins}
