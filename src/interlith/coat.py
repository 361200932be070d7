"""A recipe, as findings: what the doses leave on the powder, what does not close in it, and the host made of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from interlith.errors import PhysicsError
from interlith.findings import Findings
from interlith.pipeline import answered, head, writable

if TYPE_CHECKING:
    from interlith.coating.grow import Batch
    from interlith.coating.process import Process
    from interlith.coating.recipe_file import RecipeFile
    from interlith.host.paper import PaperHost

Table = list[dict[str, Any]]
CALIBRATED = "calibrated"
LIKE = "cp-zno-002"  # the shipped host whose lithium parameters a recipe leaves as they are
OF_COATING = (
    "loading_wt_fraction",
    "powder_loading_wt_fraction",
    "conformal_limit_wt_fraction",
    "nominal_thickness_nm",
    "equivalent_thickness_nm",
    "particle_diameter_nm",
    "particles_per_um",
    "coverage",
    "utilization",
    "regime",
)
OF_READING = (  # on the page
    "reading",
    "title",
    "is_fit",
    "regime",
    "loading_wt_fraction",
    "loading_of_half_the_batch",
    "particle_diameter_nm",
    "coverage",
    "diethylzinc_kg",
    "porosity",
)
REGIMES = {
    "supply": "supply-limited: the gas let in is used up, so the loading goes as doses over batch mass",
    "water": "supply-limited by water: it runs out before diethylzinc does",
    "nucleation": "nucleation-limited: doses saturate the islands, so the loading does not depend on the batch mass",
    "saturated": "saturated: the surface is closed and each dose adds its growth per cycle",
}
CANNOT_TELL = (
    "a loading alone cannot tell which: coat half the batch (supply: about twice the oxide; nucleation: the same "
    "loading), or measure the particles"
)
NO_PRESSURE = (
    "one ethane is freed for each diethylzinc taken up, so the total pressure cannot show when a dose saturates"
)


@dataclass(frozen=True)
class CoatOptions:
    """What a person asks of a recipe beside its result. None: not asked.

    loading_wt_fraction: one that is wanted, of what a TGA weighs. reading: a name; the recipe is then read so. fit:
    nuclei and growth per cycle are fitted to the data of the file.
    """

    loading_wt_fraction: float | None = None
    reading: str | None = None
    fit: bool = False
    changes: tuple[str, ...] = ()


def coat_recipe(given: str, options: CoatOptions | None = None, *, out: Path | None = None) -> Findings:
    """The findings of a recipe file, or of a shipped recipe by name; with `out`, tables, figures and a page.

    Raises InputError for a file or an option that cannot be used, PhysicsError for a paper that cannot be.

    >>> coat_recipe("reference-coating").items[0].summary["regime"]
    'supply'
    """
    from interlith.coating.recipe_file import read_recipe

    asked = options or CoatOptions()
    written = _as_asked(read_recipe(given), asked)
    with writable(out), _named(written.name, asked.reading):
        summary, tables = _found(written, asked)
    frames = {name: pl.DataFrame(rows, infer_schema_length=None) for name, rows in tables.items() if rows}
    warning = "COMPUTED from a recipe: what is assumed or calibrated carries that word"
    return answered(f"Coating of {written.name}", written.name, summary, frames, warning, out)


def file_of(given: str) -> str:
    """The text of a recipe file, or of a shipped recipe by its name: a beginning for one's own.

    >>> file_of("reference-coating").splitlines()[0]
    'title = "CNT@ZnO(002) powder and paper of Shen et al. (2025)"'
    """
    from interlith.coating.recipe_file import PACKAGE
    from interlith.written import opened

    return opened(given, PACKAGE).text


def lists() -> dict[str, list[dict[str, str]]]:
    """What can be named: shipped recipes.

    >>> [row["name"] for row in lists()["recipes"]]
    ['reference-coating']
    """
    from interlith.coating.recipe_file import read_recipe, recipe_names

    return {"recipes": [{"name": name, "what": read_recipe(name).beside.title} for name in recipe_names()]}


def _as_asked(written: RecipeFile, asked: CoatOptions) -> RecipeFile:
    """The recipe read in one way, and with values changed by hand."""
    from interlith.coating.recipe_file import changed_recipe
    from interlith.parts.from_file import chosen
    from interlith.study import parse_changes

    if asked.reading is not None:
        one = chosen(written.readings, asked.reading, written.name)
        written = replace(written, recipe=one[1], readings=(one,))
    return changed_recipe(written, parse_changes(asked.changes))


def _found(written: RecipeFile, asked: CoatOptions) -> tuple[dict[str, Any], dict[str, Table]]:
    from interlith.coating.audits import audit, tubes
    from interlith.coating.grow import conformal_loading, grow
    from interlith.coating.orientation import orientation
    from interlith.coating.picture import particles
    from interlith.coating.process import process, warnings
    from interlith.coating.sensitivity import sensitivity
    from interlith.parts.listing import parameters

    recipe = written.recipe
    batch = grow(recipe)
    plant = process(batch)
    nominal_nm = recipe.n_cycles * recipe.growth.growth_per_cycle_nm
    host, host_text = _host(written, batch)
    listed = parameters(recipe)
    swings = sensitivity(recipe)
    summary: dict[str, Any] = {
        **head("coat", written.name, written.beside.title, _said(written, batch, listed)),
        "title": written.beside.title,
        "source": written.beside.source,
        "result_kind": _result_kind(listed),
        **_headline_numbers(batch, nominal_nm),
        "conformal_limit_wt_fraction": recipe.weighed_loading(conformal_loading(recipe, nominal_nm)),
        "warnings": warnings(batch, plant),
        "orientation": asdict(orientation(recipe.temperature_C, recipe.measured)),
        "process": _process(batch, plant, written.beside.currency),
        "host": None if host is None else asdict(host),
        "toml": host_text,
        "audits": [asdict(one) for one in audit(written, batch)],
        "parameters": listed,
    }
    tables = {
        "growth": _growth(written),
        "particles": particles(batch),
        "tubes": [asdict(one) for one in tubes(recipe, written.beside.published)],
        "readings": _readings(written),
        "moves": [{**asdict(one), "swing_wt_fraction": one.swing_wt_fraction} for one in swings],
        "points": _points(written),
    }
    summary["tubes"], summary["readings"] = tables["tubes"], tables["readings"]
    if host is not None:
        tables["void"] = host.fillings().to_dicts()
    _add_asked(written, asked, summary, tables)
    summary["results"] = _for_page(summary, tables)
    return summary, tables


@contextmanager
def _named(name: str, reading: str | None = None) -> Iterator[None]:
    """What cannot be, told with the recipe, or the reading of it, that it is about."""
    try:
        yield
    except PhysicsError as problem:
        of = name if reading is None else f"{name}, reading {reading}"
        raise PhysicsError(f"{of}: {problem}") from problem


def _headline_numbers(batch: Batch, nominal_nm: float) -> dict[str, Any]:
    powder_loading = float(batch.powder_loading[-1])
    return {
        "loading_wt_fraction": batch.recipe.weighed_loading(powder_loading),
        "loading_of": "powder" if batch.recipe.paper is None else "paper",
        "powder_loading_wt_fraction": powder_loading,
        "residue_wt_fraction": batch.recipe.residue(powder_loading),
        "nominal_thickness_nm": nominal_nm,
        "equivalent_thickness_nm": float(batch.film_nm[-1]),
        "particle_diameter_nm": float(batch.diameter_nm[-1]),
        "particles_per_um": batch.particles_per_um,
        "coverage": float(batch.coverage[-1]),
        "utilization": batch.utilization,
        "regime": batch.regime,
        "regime_shares": batch.shares,
        "n_cycles": batch.n_cycles,
    }


def _host(written: RecipeFile, batch: Batch) -> tuple[PaperHost | None, str | None]:
    """The paper of the recipe, of the measured loading where there is one, and the text that says it in other files."""
    from interlith.host.as_parts import as_toml
    from interlith.host.paper import make_paper
    from interlith.parts.listing import parameters

    recipe = written.recipe
    if recipe.paper is None:
        return None, None
    measured = None if recipe.measured is None else recipe.measured.loading_wt_fraction
    loading = float(batch.powder_loading[-1]) if measured is None else recipe.powder_loading(measured)
    made = make_paper(recipe, recipe.paper, loading)
    known = "measured" if measured is not None else _result_kind(parameters(recipe))
    return made, as_toml(made, recipe, f"recipe {written.name}, its loading {known}")


def _said(written: RecipeFile, batch: Batch, listed: list[dict[str, Any]]) -> list[str]:
    from interlith.coating.grow import grow
    from interlith.coating.orientation import orientation
    from interlith.coating.process import as_sources_can

    recipe = written.recipe
    said = [written.beside.note] if written.beside.note else []
    said.append(f"{REGIMES[batch.regime]}; {CANNOT_TELL}")
    said.append(NO_PRESSURE)
    said.append(f"orientation: {orientation(recipe.temperature_C, recipe.measured).text}")
    possible = as_sources_can(recipe)
    if possible != recipe:
        loading = recipe.weighed_loading(float(grow(possible).powder_loading[-1]))
        said.append(f"with no more than the sources can give, the loading would be {loading:.2%}".replace("%", " %"))
    fixed = [row["name"] for row in listed if row["kind"] == "assumed" and row["low"] is None]
    if fixed:
        said.append(f"assumed without a range: {', '.join(fixed)}")
    fits = [reading.name for reading, _ in written.readings if reading.is_fit]
    if fits:
        of = "reading" if len(fits) == 1 else "readings"
        said.append(f"{of} {', '.join(fits)}: fitted to the published loading, and no evidence for it")
    if recipe.measured is not None and recipe.measured.loading_wt_fraction is not None and recipe.paper is not None:
        said.append(f"the host is that of the measured loading, {recipe.measured.loading_wt_fraction:.4g}")
    if recipe.paper is not None:
        said.append(
            "void and lithium on top are those of a rigid paper of dense lithium: real ones swell, or are covered "
            "before their pores are full; conversion is lithium lost once, the alloy gives it back"
        )
    return said


def _result_kind(listed: list[dict[str, Any]]) -> str:
    """What the loading is, by the worst of what it rests on."""
    kinds = {row["kind"] for row in listed if not row["name"].startswith(("paper.", "measured.", "prices."))}
    return next(kind for kind in (CALIBRATED, "assumed", "derived") if kind in kinds or kind == "derived")


def _process(batch: Batch, plant: Process, currency: str) -> dict[str, Any]:
    zinc = {
        "diethylzinc_in_mol": batch.zinc_in_mol * batch.n_cycles,
        "zinc_on_powder_mol": float(batch.zinc_on_mol.sum()),
        "diethylzinc_out_mol": batch.zinc_out_mol,
        "water_in_mol": batch.water_in_mol * batch.n_cycles,
        "ethane_out_mol": batch.ethane_mol,
    }
    return {**zinc, **asdict(plant), "currency": currency or None}


def _readings(written: RecipeFile) -> Table:
    """Each way to read the source: what it makes, and what could tell it from the others."""
    from interlith.coating.grow import grow

    rows = []
    for reading, recipe in written.readings:
        with _named(f"reading {reading.name}"):
            batch = grow(recipe)
            host, _ = _host(replace(written, recipe=recipe), batch)
            half = grow(recipe.model_copy(update={"batch_mass_kg": recipe.batch_mass_kg / 2.0}))
        rows.append(
            {
                "reading": reading.name,
                "title": reading.title,
                "is_fit": reading.is_fit,
                **_headline_numbers(batch, recipe.n_cycles * recipe.growth.growth_per_cycle_nm),
                "loading_of_half_the_batch": recipe.weighed_loading(float(half.powder_loading[-1])),
                "diethylzinc_kg": _diethylzinc_kg(batch),
                "porosity": None if host is None else host.porosity,
                "pore_capacity_mAh_per_cm2": None if host is None else host.pore_capacity_mAh_per_cm2,
                "conversion_mAh_per_cm2": None if host is None else host.conversion_mAh_per_cm2,
            }
        )
    for row in rows:
        row.pop("regime_shares")
    return rows


def _growth(written: RecipeFile) -> Table:
    """Cycle by cycle, the recipe as written or, where the source can be read in several ways, each of them."""
    from interlith.coating.grow import grow

    ways = {reading.name: recipe for reading, recipe in written.readings} or {written.name: written.recipe}
    found: list[Table] = []
    for name, recipe in ways.items():
        rows = grow(recipe).table().to_dicts()
        rows = [{"loading_wt_fraction": recipe.weighed_loading(r["powder_loading_wt_fraction"]), **r} for r in rows]
        if rows not in [[{k: v for k, v in r.items() if k != "reading"} for r in other] for other in found]:
            found.append([{"reading": name, **row} for row in rows])
    return [row for rows in found for row in rows]


def _diethylzinc_kg(batch: Batch) -> float:
    from interlith.coating.process import process

    return process(batch).diethylzinc_kg


def _points(written: RecipeFile) -> Table:
    """Measured points for the figure: those of the data, and what is published of the finished coating.

    low, high: one standard deviation, or the smallest and the largest that was seen.
    """
    rows: Table = []
    for one in written.beside.data:
        value = one.particle_diameter_nm if one.loading_wt_fraction is None else one.loading_wt_fraction
        assert value is not None
        ends = (value - one.standard_error, value + one.standard_error)
        rows.append(_point(one.n_cycles, one.loading_wt_fraction, one.particle_diameter_nm, ends, one.source))
    told = written.beside.published
    if told is not None and told.loading_wt_fraction is not None:
        ends = (told.loading_wt_fraction, told.loading_wt_fraction)
        rows.append(_point(written.recipe.n_cycles, told.loading_wt_fraction, None, ends, told.source))
    if told is not None and told.particle_diameter_nm is not None:
        ends = told.particle_diameter_nm
        rows.append(_point(written.recipe.n_cycles, None, sum(ends) / 2.0, ends, told.source))
    return rows


def _point(
    n_cycles: int, loading: float | None, diameter: float | None, ends: tuple[float, float], source: str
) -> dict[str, Any]:
    found = {"n_cycles": n_cycles, "loading_wt_fraction": loading, "particle_diameter_nm": diameter}
    return {**found, "low": ends[0], "high": ends[1], "source": source}


def _add_asked(written: RecipeFile, asked: CoatOptions, summary: dict[str, Any], tables: dict[str, Table]) -> None:
    """What only options ask for: the way to a loading, and a fit."""
    if asked.loading_wt_fraction is not None:
        from interlith.coating.invert import reach

        tables["reach"] = [asdict(one) for one in reach(written.recipe, asked.loading_wt_fraction)]
        summary["reach"] = {"loading_wt_fraction": asked.loading_wt_fraction, "ways": tables["reach"]}
    if asked.fit:
        from interlith.coating.fit import fit

        found = fit(written.recipe, written.beside.data)
        tables["fitted"] = [asdict(one) for one in found.values]
        summary["fit"] = {**asdict(found), "kind": CALIBRATED}
        summary["said"] += [f"fit: {text}" for text in found.said]


def _for_page(summary: Mapping[str, Any], tables: Mapping[str, Table]) -> dict[str, Any]:
    """The tables that the page shows in words."""
    apart = {key: value for key, value in summary["process"].items() if key != "cost_parts" and value is not None}
    found: dict[str, Any] = {"coating": {key: summary[key] for key in OF_COATING}, "process": apart}
    if summary["process"]["cost_parts"]:
        found["cost"] = dict(summary["process"]["cost_parts"])
    if summary["host"] is not None:
        found["host"] = dict(summary["host"])
    if len(tables["readings"]) > 1:
        found["readings"] = {"readings": [{key: row[key] for key in OF_READING} for row in tables["readings"]]}
    found["usual_tubes"] = {"tubes": tables["tubes"]}
    found["what_moves_the_loading"] = {"values": tables["moves"]}
    if "reach" in tables:
        found["wanted_loading"] = {"ways": tables["reach"]}
    if "fit" in summary:
        numbers = {key: summary["fit"][key] for key in ("reduced_chi2", "correlation")}
        found["fit"] = {"values": tables["fitted"], **numbers}
    return found
