"""A recipe, as findings: what the doses leave on the powder, what does not close in it, and the host made of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from interlith.answers import answered, head, writable
from interlith.errors import PhysicsError
from interlith.findings import Findings

if TYPE_CHECKING:
    from interlith.coating.grow import Batch
    from interlith.coating.process import Process
    from interlith.coating.recipe_file import RecipeFile
    from interlith.host.paper import PaperHost
    from interlith.parts.recipe import Recipe

Table = list[dict[str, Any]]
NOT_YET = "the numbers of the coating are those of the recipe as written"
TO_PASTE = "; paste the lines of [growth] to have them as fitted"
FITTED = "fitted"  # among the readings of the growth table
OF_COATING = (
    "loading_wt_fraction",
    "powder_loading_wt_fraction",
    "residue_wt_fraction",
    "loading_of_half_the_batch",
    "conformal_limit_wt_fraction",
    "nominal_thickness_nm",
    "equivalent_thickness_nm",
    "particle_diameter_nm",
    "particles_per_um",
    "coverage",
    "utilization",
    "regime",
    "regime_shares",
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
    written = as_asked(read_recipe(given), asked)
    with writable(out), _named(written.name, asked.reading):
        summary, tables = _answered(written, asked)
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


def as_asked(written: RecipeFile, asked: CoatOptions) -> RecipeFile:
    """The recipe read in one way, and with values changed by hand."""
    from interlith.cell_test import parse_changes
    from interlith.coating.recipe_file import changed_recipe
    from interlith.parts.from_file import chosen

    if asked.reading is not None:
        one = chosen(written.readings, asked.reading, written.name)
        written = replace(written, recipe=one[1], readings=(one,))
    return changed_recipe(written, parse_changes(asked.changes))


def _answered(written: RecipeFile, asked: CoatOptions) -> tuple[dict[str, Any], dict[str, Table]]:
    from interlith.coat_said import does_not_conduct, result_kind
    from interlith.coating.audits import audit, tubes
    from interlith.coating.grow import grow
    from interlith.coating.orientation import orientation
    from interlith.coating.picture import particles
    from interlith.coating.process import process, warnings
    from interlith.coating.sensitivity import sensitivity
    from interlith.parts.listing import parameters

    recipe, is_changed = written.recipe, _is_changed(written.recipe, asked)
    batch = grow(recipe)
    plant = process(batch)
    host, host_text = _host(written, batch, is_changed=is_changed)
    listed, numbers = parameters(recipe), _headline_numbers(batch)
    swings = sensitivity(recipe)
    said = _said(written, asked, numbers, (batch, plant), listed)
    summary: dict[str, Any] = {
        **head("coat", written.name, written.beside.title, said),
        "title": written.beside.title,
        "source": written.beside.source,
        "result_kind": result_kind(recipe, listed, is_changed=is_changed),
        **numbers,
        "warnings": [*warnings(batch, plant), *does_not_conduct(recipe, host)],
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
        "tubes": _known_columns([asdict(one) for one in tubes(recipe, written.beside.published)]),
        "readings": _readings(written, is_changed=is_changed),
        "moves": [{**asdict(one), "swing_wt_fraction": one.swing_wt_fraction} for one in swings],
        "points": _points(written),
    }
    summary["tubes"], summary["readings"] = tables["tubes"], tables["readings"]
    if host is not None:
        tables["void"] = host.fillings().to_dicts()
    _add_asked(written, asked, summary, tables)
    summary["results"] = _for_page(summary, tables)
    return summary, tables


def _is_changed(recipe: Recipe, asked: CoatOptions) -> bool:
    """Whether anything that can move the loading was changed by hand."""
    from interlith.cell_test import parse_changes
    from interlith.coating.sensitivity import moves_loading

    return any(moves_loading(recipe, name) for name in parse_changes(asked.changes))


def _known_columns(rows: Table) -> Table:
    """Without the columns that no row knows."""
    known = [key for key in rows[0] if any(row[key] is not None for row in rows)]
    return [{key: row[key] for key in known} for row in rows]


@contextmanager
def _named(name: str, reading: str | None = None) -> Iterator[None]:
    """What cannot be, told with the recipe, or the reading of it, that it is about."""
    try:
        yield
    except PhysicsError as problem:
        of = name if reading is None else f"{name}, reading {reading}"
        raise PhysicsError(f"{of}: {problem}") from problem


def _headline_numbers(batch: Batch) -> dict[str, Any]:
    from interlith.coating.grow import conformal_loading, grow

    recipe, powder_loading = batch.recipe, float(batch.powder_loading[-1])
    nominal_nm = recipe.n_cycles * recipe.growth.growth_per_cycle_nm
    half = grow(recipe.model_copy(update={"batch_mass_kg": recipe.batch_mass_kg / 2.0}))
    return {
        "loading_wt_fraction": recipe.weighed_loading(powder_loading),
        "loading_of": "powder" if recipe.paper is None else "paper",
        "powder_loading_wt_fraction": powder_loading,
        "residue_wt_fraction": recipe.residue(powder_loading),
        "loading_of_half_the_batch": recipe.weighed_loading(float(half.powder_loading[-1])),
        "conformal_limit_wt_fraction": recipe.weighed_loading(conformal_loading(recipe, nominal_nm)),
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


def _host(written: RecipeFile, batch: Batch, *, is_changed: bool) -> tuple[PaperHost | None, str | None]:
    """The paper of the recipe, of the measured loading where there is one, and the text that says it in other files."""
    from interlith.coat_said import result_kind
    from interlith.host.as_parts import as_toml
    from interlith.host.paper import make_paper
    from interlith.parts.listing import parameters

    recipe = written.recipe
    if recipe.paper is None:
        return None, None
    measured = None if recipe.measured is None else recipe.measured.loading_wt_fraction
    loading = float(batch.powder_loading[-1]) if measured is None else recipe.powder_loading(measured)
    made = make_paper(recipe, recipe.paper, loading)
    known = "measured" if measured is not None else result_kind(recipe, parameters(recipe), is_changed=is_changed)
    return made, as_toml(made, recipe, f"recipe {written.name}, its loading {known}", _ends(recipe))


def _ends(recipe: Recipe) -> tuple[PaperHost, PaperHost] | None:
    """The paper at both ends of a measured loading; None where it has none."""
    from interlith.host.paper import make_paper

    if recipe.paper is None or recipe.measured is None:
        return None
    origin = recipe.measured.origin("loading_wt_fraction")
    if origin.low is None or origin.high is None:
        return None
    low, high = (make_paper(recipe, recipe.paper, recipe.powder_loading(end)) for end in (origin.low, origin.high))
    return low, high


def _said(
    written: RecipeFile,
    asked: CoatOptions,
    numbers: Mapping[str, Any],
    made: tuple[Batch, Process],
    listed: list[dict[str, Any]],
) -> list[str]:
    """The note of the file, what changes by hand did to it, and all else that is to be known."""
    from interlith.coat_said import CALIBRATED, result_kind, sentences

    note, recipe = written.beside.note, written.recipe
    as_written = asked.reading is None and not asked.changes
    said = [note if as_written else f"as written: {note}"] if note else []
    if _is_changed(recipe, asked) and result_kind(recipe, listed, is_changed=False) == CALIBRATED:
        said.append("changed by hand: what was calibrated was fitted to the recipe as written, not to this one")
    return [*said, *sentences(written, *made, numbers["loading_of_half_the_batch"], listed)]


def _process(batch: Batch, plant: Process, currency: str) -> dict[str, Any]:
    zinc = {
        "diethylzinc_in_mol": batch.zinc_in_mol * batch.n_cycles,
        "zinc_on_powder_mol": float(batch.zinc_on_mol.sum()),
        "diethylzinc_out_mol": batch.zinc_out_mol,
        "water_in_mol": batch.water_in_mol * batch.n_cycles,
        "ethane_out_mol": batch.ethane_mol,
    }
    return {**zinc, **asdict(plant), "currency": currency or None}


def _readings(written: RecipeFile, *, is_changed: bool) -> Table:
    """Each way to read the source: what it makes, and what could tell it from the others."""
    from interlith.coating.grow import grow

    rows = []
    for reading, recipe in written.readings:
        with _named(f"reading {reading.name}"):
            batch = grow(recipe)
            host, _ = _host(replace(written, recipe=recipe), batch, is_changed=is_changed)
        rows.append(
            {
                "reading": reading.name,
                "title": reading.title,
                "is_fit": reading.is_fit,
                **_headline_numbers(batch),
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
        rows = _rows(name, grow(recipe))
        if [{**row, "reading": ""} for row in rows] not in [[{**r, "reading": ""} for r in other] for other in found]:
            found.append(rows)
    return [row for rows in found for row in rows]


def _rows(name: str, batch: Batch) -> Table:
    weighed = batch.recipe.weighed_loading
    rows = batch.table().to_dicts()
    return [{"reading": name, "loading_wt_fraction": weighed(r["powder_loading_wt_fraction"]), **r} for r in rows]


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
        from interlith.coat_said import CALIBRATED
        from interlith.coating.fit import as_fitted, fit
        from interlith.coating.grow import grow

        recipe, data = written.recipe, written.beside.data
        found = fit(recipe, data)
        tables["fitted"] = [asdict(one) for one in found.values]
        last = max(one.n_cycles for one in data)
        tables["growth"] += _rows(FITTED, grow(as_fitted(recipe, found.values), last))
        summary["fit"] = {**asdict(found), "kind": CALIBRATED}
        summary["said"] += [f"fit: {text}" for text in (*found.said, NOT_YET + TO_PASTE * bool(found.toml))]


def _for_page(summary: Mapping[str, Any], tables: Mapping[str, Table]) -> dict[str, Any]:
    """The tables that the page shows in words."""
    process = summary["process"]
    shown = {key: value for key, value in process.items() if key == "time_h" or value is not None}
    found: dict[str, Any] = {"coating": {key: summary[key] for key in OF_COATING}}
    found["process"] = {key: value for key, value in shown.items() if key != "cost_parts"}
    if process["cost_parts"]:
        found["cost"] = dict(process["cost_parts"])
    if summary["host"] is not None:
        found["host"] = dict(summary["host"])
    if len(tables["readings"]) > 1:
        found["readings"] = {"readings": [{key: row[key] for key in OF_READING} for row in tables["readings"]]}
    found["usual_tubes"] = {"tubes": tables["tubes"]}
    if tables["moves"]:
        found["what_moves_the_loading"] = {"values": tables["moves"]}
    if "reach" in tables:
        found["wanted_loading"] = {"ways": tables["reach"]}
    if "fit" in summary:
        numbers = {key: summary["fit"][key] for key in ("reduced_chi2", "correlation")}
        found["fit"] = {"values": tables["fitted"], **numbers}
    return found
