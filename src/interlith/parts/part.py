"""What every part has in common: frozen fields, and for each number that is not the user's, where it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

OriginKind = Literal["stated", "measured", "assumed", "derived", "calibrated"]
STATED = "stated by the user"


class Origin(BaseModel):
    """How a number is known: kind, source, and for an assumed one the range it may lie in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: OriginKind
    source: str
    low: float | None = None
    high: float | None = None


class Part(BaseModel):
    """Base of all parts. `origins`: field name -> Origin; a field without one was stated by the user.

    >>> class Sheet(Part):
    ...     thickness_um: float = Field(gt=0)
    >>> sheet = Sheet(thickness_um=20.0, origins={"thickness_um": Origin(kind="measured", source="gauge")})
    >>> sheet.with_values(thickness_um=25.0).origin("thickness_um").kind
    'stated'
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

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
