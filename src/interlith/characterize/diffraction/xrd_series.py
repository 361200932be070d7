"""Several diffraction patterns side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from interlith.characterize.measured import Measured
from interlith.errors import InputError


def measure_series(found: Sequence[tuple[str, Measured]]) -> Measured:
    """Several patterns side by side: texture coefficients and size of each, and how far they spread.

    Coefficients are compared only where all were taken over the same lines; otherwise that is said. Raises InputError
    for no patterns.
    """
    if not found:
        raise InputError("a series needs at least one pattern")
    rows = []
    for name, one in found:
        for hkl, held in (_coefficients(one) or {}).items():
            ends = {"texture_coefficient": held["value"], "texture_low": held["low"], "texture_high": held["high"]}
            rows.append({"name": name, "hkl": hkl, **ends, "n_lines": one.values["n_lines"]})
    schema = {
        "name": pl.String,
        "hkl": pl.String,
        "texture_coefficient": pl.Float64,
        "texture_low": pl.Float64,
        "texture_high": pl.Float64,
        "n_lines": pl.Int64,
    }
    sizes = [{"name": name, **_size_row(one)} for name, one in found]
    said = []
    sets = {tuple(one.values["lines"]) for _, one in found if _coefficients(one)}
    if len(sets) > 1:
        said.append("the patterns show different lines: their coefficients cannot be compared; name the lines")
    said += [f"{name}: {one.headline}" for name, one in found if not _coefficients(one)]
    values = {
        "n_patterns": len(found),
        "comparable": len(sets) == 1,
        "patterns": [dict(one.values) for _, one in found],
    }
    size_schema = {"name": pl.String, "size_nm": pl.Float64, "size_low_nm": pl.Float64, "size_high_nm": pl.Float64}
    tables = {"xrd-series": pl.DataFrame(rows, schema=schema), "xrd-sizes": pl.DataFrame(sizes, schema=size_schema)}
    return Measured("xrd", _series_headline(rows, len(found), len(sets) == 1), values, (), tuple(said), tables)


def _coefficients(one: Measured) -> dict[str, Any] | None:
    """Its texture; none of what is not ZnO."""
    return None if one.values.get("doubt") else one.values.get("texture_coefficients")


def _size_row(one: Measured) -> dict[str, float | None]:
    if one.values.get("doubt"):
        return {"size_nm": None, "size_low_nm": None, "size_high_nm": None}
    size = one.values.get("crystallite_size_nm")
    if size is None:
        return {"size_nm": None, "size_low_nm": one.values.get("crystallite_size_above_nm"), "size_high_nm": None}
    return {"size_nm": size["value"], "size_low_nm": size["low"], "size_high_nm": size["high"]}


def _series_headline(rows: Sequence[dict[str, Any]], n: int, comparable: bool) -> str:
    if not rows or not comparable:
        return f"{n} patterns, no texture that can be compared."
    table = pl.DataFrame(rows)
    means = table.group_by("hkl").agg(pl.col("texture_coefficient").mean()).sort("texture_coefficient")
    hkl = means["hkl"][-1]
    of_it = table.filter(pl.col("hkl") == hkl)["texture_coefficient"]
    least, most = float(of_it.min()), float(of_it.max())  # type: ignore[arg-type]
    return f"{n} patterns: TC({hkl}) {least:.2f} to {most:.2f} of at most {rows[0]['n_lines']}."
