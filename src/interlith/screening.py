"""Surfaces, as findings: how strongly lithium binds to each face, how easily it moves, and how far models agree."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from interlith.answers import answered, head, writable
from interlith.errors import InputError
from interlith.findings import Findings, plain, replace_file, safe_name, writing
from interlith.folders import chosen_folder
from interlith.workers import pool

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from interlith.surface.conduct import Conducted, Progress
    from interlith.surface.search import FaceFound
    from interlith.surface.surfaces_file import Asked
    from interlith.surface.work import Work

WARNING = "COMPUTED by machine-learned potentials, not by DFT: the spread of the models is the error bar, and no bound"
SHIPPED = "as shipped: nothing was computed now"
STRUCTURES, INPUTS, RESULTS = "structures", "inputs", "results"
LONGEST_NAME = 100
AT_ONCE = 32  # structures that a GPU is given together
Tell = Callable[["Progress"], None]
Hands = tuple["Executor | None", "Callable[[Work], dict[str, Any]] | None"]  # what computes, as `conduct` takes it


@dataclass(frozen=True)
class ScreenOptions:
    """What a person asks for besides a file of surfaces. None, empty: not asked.

    material, faces: instead of a file. models: instead of the file's. is_quick: fewer starts and images. use_store:
    False: everything is computed anew, and nothing is kept. so_far: nothing is computed; what an earlier call kept is
    told. check_with: single points by DFT at the geometry of the first model, "gpaw" or "gpaw-paper". inputs_for: a
    code whose inputs are written too, "vasp" or "gpaw".
    """

    material: str | None = None
    faces: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    is_quick: bool = False
    use_store: bool = True
    check_with: str | None = None
    so_far: bool = False
    inputs_for: str | None = None


def screen(
    given: str | None,
    options: ScreenOptions | None = None,
    *,
    out: Path | None = None,
    workers: int | None = None,
    tell: Tell = lambda progress: None,
) -> Findings:
    """The findings of a file of surfaces, of a shipped one by its name, or of a material and its faces.

    Each relaxation and each path is kept as soon as it is done, so that the same call goes on after a kill. Raises
    InputError for what cannot be searched, EnvironmentError_ for a model that is not installed or has no weights.
    """
    from interlith.surface.calculators import model_of

    options = options or ScreenOptions()
    asked = _asked(given, options)
    models = {name: model_of(name) for name in asked.models}
    _check_inputs(options, out)
    with writable(out):
        if not options.so_far:
            _check_loaded(models, options)
        found, checks, count = _searched(asked, models, options, workers, tell)
    names = _file_names([face.key for face in asked.faces])
    inputs = _write_inputs(found, options.inputs_for, out, names) if options.inputs_for and out else []
    return _told(asked, models, found, checks, count, out, names, inputs)


def options_from(material: str | None, faces: Sequence[str], models: str | None, **others: Any) -> ScreenOptions:
    """Options of words: models joined by commas; the others as they are.

    >>> options_from("ZnO", ["002"], "chgnet, 7net-0", is_quick=True).models
    ('chgnet', '7net-0')
    """
    names = tuple(dict.fromkeys(name.strip() for name in (models or "").split(",") if name.strip()))
    if models is not None and not names:
        raise InputError("--models: names of models, joined by commas; --list shows them")
    return ScreenOptions(material, tuple(faces), names, **others)


def screened(given: str | None, options: ScreenOptions | None = None, *, out: Path | None = None) -> Findings:
    """The shipped findings of a shipped file of surfaces: nothing is computed, and nothing must be installed.

    Raises InputError for a file without shipped results, and with options that would change them.

    >>> len(screened("reference-surfaces").items[0].summary["surfaces"]) >= 7
    True
    """
    options = options or ScreenOptions()
    asked_else = options.check_with or options.inputs_for or options.so_far or not options.use_store or options.faces
    if given is None or options.material or options.models or options.is_quick or asked_else:
        raise InputError("--cached: goes with a name of shipped surfaces, --out and --json alone, as they are shipped")
    folder = resources.files("interlith.surface").joinpath(RESULTS, safe_name(given))
    if not folder.is_dir():
        inside = resources.files("interlith.surface").joinpath(RESULTS).iterdir()
        known = ", ".join(sorted(item.name for item in inside if item.is_dir()))
        raise InputError(f"--cached {given}: results are shipped of {known} only")
    with resources.as_file(folder) as here:
        summary = json.loads((here / "findings.json").read_text(encoding="utf-8"))["files"][0]
        paths = sorted((here / "tables").glob("*.csv"))
        tables = {path.name.split(".")[-2]: pl.read_csv(path, infer_schema_length=None) for path in paths}
        texts = {path.name: path.read_text(encoding="utf-8") for path in sorted((here / STRUCTURES).glob("*"))}
    summary = {**summary, "said": [SHIPPED, *summary["said"]]}
    _write_structures(texts, out)
    return answered(summary["title"], summary["path"], summary, tables, WARNING, out)


def lists() -> dict[str, list[dict[str, str]]]:
    """What can be named: shipped files of surfaces, crystals, models.

    >>> [row["name"] for row in lists()["surfaces"]]
    ['coverage-zno', 'reference-surfaces', 'thin-surfaces']
    """
    from interlith.surface.calculators import models
    from interlith.surface.crystal import crystal_titles
    from interlith.surface.surfaces_file import surfaces_names, surfaces_title

    return {
        "surfaces": [{"name": name, "what": surfaces_title(name)} for name in surfaces_names()],
        "crystals": [{"name": name, "what": title} for name, title in crystal_titles().items()],
        "models": [{"name": model.name, "what": f"{model.title}; {model.level}"} for model in models().values()],
    }


def file_of(given: str) -> str:
    """The text of a file of surfaces, or of a shipped one by its name: a beginning for one's own."""
    from interlith.surface.surfaces_file import PACKAGE
    from interlith.written import opened

    return opened(given, PACKAGE).text


def _asked(given: str | None, options: ScreenOptions) -> Asked:
    from interlith.surface.calculators import DEFAULT
    from interlith.surface.surfaces_file import read_surfaces, surfaces_of

    if (given is None) == (options.material is None):
        raise InputError("give a file of surfaces or --material with --face: one of them")
    if options.material is None:
        if options.faces:
            raise InputError("--face: goes with --material; a file says its faces itself")
        asked = read_surfaces(str(given), is_quick=options.is_quick)
        return replace(asked, models=options.models) if options.models else asked
    if not options.faces:
        raise InputError("--material: give --face too, for instance --face 002")
    return surfaces_of(options.material, options.faces, options.models or DEFAULT, is_quick=options.is_quick)


def _check_loaded(models: Mapping[str, Any], options: ScreenOptions) -> None:
    """Refuse before the work what cannot be loaded; here, where the message is not another process's."""
    from interlith.surface.calculators import calculator

    for name in models:
        calculator(name)
    if options.check_with is not None:
        from interlith.surface.dft import check_installed
        from interlith.surface.spot_check import CHECKS

        check_installed(CHECKS[options.check_with])


def _searched(
    asked: Asked, models: Mapping[str, Any], options: ScreenOptions, workers: int | None, tell: Tell
) -> tuple[dict[tuple[str, str], FaceFound], dict[str, Any], Conducted]:
    """What each model found of each face, what DFT says of each, and what it took."""
    from interlith.surface.conduct import conduct
    from interlith.surface.search import search
    from interlith.surface.spot_check import spot_check
    from interlith.surface.store import Store

    plans = {
        f"{face.key} {model.name}": search(face.crystal, face.face, face.cut.name, model, face.settings)
        for model in models.values()
        for face in asked.faces
    }
    store = Store(chosen_folder("screen") if options.use_store else None)
    pairs = {(face.key, name): f"{face.key} {name}" for face in asked.faces for name in models}
    with _hands(options, tuple(models), workers) as (executor, doing):
        ended, count = conduct(plans, store, executor, tell, doing)
        found = {pair: ended[name] for pair, name in pairs.items() if name in ended}
        if options.check_with is None:
            return found, {}, count
    with _processes(options, workers) as (executor, doing):
        first = next(iter(models))
        best = {key: one for (key, name), one in found.items() if name == first and one.minima}
        points = {f"{key} gpaw": spot_check(one, options.check_with) for key, one in best.items()}
        checked, more = conduct(points, store, executor, tell, doing, more_to_come=0)
    checks = {key: checked[f"{key} gpaw"] for key in best if f"{key} gpaw" in checked}
    return found, checks, count.with_more(more)


def _check_inputs(options: ScreenOptions, out: Path | None) -> None:
    """Refuse before the work what could not be written after it."""
    if options.inputs_for is None:
        return
    if out is None:
        raise InputError("--write-inputs: needs --out DIR, the folder they are written into")
    if (out / INPUTS).exists() and any((out / INPUTS).iterdir()):
        raise InputError(f"{out / INPUTS}: inputs are there already, and stay; give another --out, or move them away")


def _write_inputs(
    found: Mapping[tuple[str, str], FaceFound], code: str, out: Path, names: Mapping[str, str]
) -> list[str]:
    """Inputs for another code, of the first model's structures of each face; the folders."""
    from interlith.surface.spot_check import write_inputs

    done: list[str] = []
    for (key, name), one in found.items():
        folder = f"{INPUTS}/{names[key]}"
        if folder not in done and one.minima:
            done.append(folder)
            write_inputs(one, out / folder, code, f"{key} at the geometry of {name}")
    return done


def _file_names(keys: Sequence[str]) -> dict[str, str]:
    """A name of files for each face: no two the same, none that begins with a sign, none too long.

    >>> _file_names(["ZnO(002)-Zn", "\u9762-O", "\u8868-O"])
    {'ZnO(002)-Zn': 'ZnO_002_-Zn', '\u9762-O': 'O', '\u8868-O': 'O.2'}
    """
    found: dict[str, str] = {}
    for key in keys:
        base = safe_name(key).lstrip("-._")[:LONGEST_NAME] or "face"
        others = [name for name in found.values() if name == base or name.startswith(f"{base}.")]
        found[key] = f"{base}.{len(others) + 1}" if others else base
    return found


@contextmanager
def _hands(options: ScreenOptions, names: Sequence[str], workers: int | None) -> Iterator[Hands]:
    """On a GPU threads whose structures are computed together; else as `_processes`."""
    from interlith.surface.calculators import takes_many

    if options.so_far or workers is not None or not takes_many(names):
        with _processes(options, workers) as hands:
            yield hands
        return
    from interlith.surface.batches import DoTogether

    together = DoTogether(names)
    with ThreadPoolExecutor(AT_ONCE) as threads:
        try:
            yield threads, together
        finally:
            together.stop()


@contextmanager
def _processes(options: ScreenOptions, workers: int | None) -> Iterator[Hands]:
    """Processes, one thread each, or for a single one this process; nothing where only what is kept is told."""
    from interlith.surface.work import do

    n_workers = workers or os.cpu_count() or 1
    if options.so_far or n_workers == 1:
        yield None, None if options.so_far else do
        return
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")
    with pool(n_workers) as executor:
        yield executor, do


def _told(
    asked: Asked,
    models: Mapping[str, Any],
    found: Mapping[tuple[str, str], FaceFound],
    checks: Mapping[str, Any],
    count: Conducted,
    out: Path | None,
    names: Mapping[str, str],
    inputs: list[str],
) -> Findings:
    from interlith.surface.nucleation import told_of
    from interlith.surface.result import against_paper, orders, orders_left_out, quantities, row_of
    from interlith.surface.tables import structures_of, tables_of

    each = [(face, [found[face.key, name] for name in models if (face.key, name) in found]) for face in asked.faces]
    rows = [row_of(face, of_models, models) for face, of_models in each]
    rows = [{**row, "dft": checks.get(row["key"])} for row in rows]
    ranked, published = orders(rows), against_paper(rows)
    tables = tables_of(rows, [(key, one) for (key, _), one in found.items()])
    tables["work"] = count.log
    texts = {f"{names[key]}.{safe_name(name)}.extxyz": structures_of(one) for (key, name), one in found.items()}
    texts = {name: text for name, text in texts.items() if text}
    _write_structures(texts, out)
    summary = {
        **head("screen", asked.name, asked.title, _said(asked)),
        "title": asked.title,
        "source": asked.source,
        "surfaces": rows,
        "orders": ranked,
        "against_paper": published,
        "quantities": [one.as_json() for row in rows for one in quantities(row)],
        "nucleation": told_of(rows),
        "warnings": _warnings(rows, orders_left_out(rows)),
        "inputs": inputs,
        "structures": [f"{STRUCTURES}/{name}" for name in texts],
        "settings": {face.key: face.settings.model_dump() for face in asked.faces},
        "models": [_model(model) for model in models.values()],
        "versions": _versions(),
        "run": {
            "n_computed": count.n_computed,
            "n_stored": count.n_stored,
            "seconds_computing": round(count.seconds, 1),
        },
    }
    frames = {name: pl.DataFrame(held, infer_schema_length=None) for name, held in tables.items() if held}
    return answered(asked.title, asked.name, plain(summary), frames, WARNING, out)


def _warnings(rows: Sequence[Mapping[str, Any]], n_left: int) -> list[str]:
    """What must not be overlooked of each face, and that not all orders are told."""
    found = [f"rankings of {n_left} more choices of terminations are not told"] if n_left else []
    found += [f"{row['key']}: not ranked: {row['not_ranked']}" for row in rows if row["not_ranked"]]
    found += [f"{row['key']}: {text}" for row in rows for text in row["warnings"]]
    found += [f"{row['key']}: {one['model']}: {text}" for row in rows for one in row["models"] for text in one["said"]]
    return found


def _said(asked: Asked) -> list[str]:
    cohesive = {face.settings.cohesive_energy_eV for face in asked.faces}
    adsorbed = " or ".join(dict.fromkeys(face.settings.adsorbed for face in asked.faces))
    return [
        *([asked.note] if asked.note else []),
        *dict.fromkeys(text for face in asked.faces for text in face.crystal.said),
        "binding energy = E(slab) + E(atom) - E(slab with it), positive where it sticks; E(atom) is the model's "
        f"bulk {adsorbed} + {', '.join(f'{value:g}' for value in sorted(cohesive))} eV; above that energy {adsorbed} "
        "would rather be on the surface than in its metal",
        f"barrier: the smallest with which {adsorbed} leaves its best site and travels any distance over the face",
        *(["one model alone: its error is not known, and no ranking is decided"] if len(asked.models) < 2 else []),
        "no dispersion, no electrolyte, no interphase, one atom at a time on a face held in vacuum",
    ]


def _model(model: Any) -> dict[str, Any]:
    return {name: getattr(model, name) for name in ("name", "identity", "title", "level", "source")}


def _versions() -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError, version

    from interlith import __version__

    found = {"interlith": __version__, "python": sys.version.split()[0]}
    for name in ("ase", "spglib", "numpy", "torch", "sevenn", "chgnet"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _write_structures(texts: Mapping[str, str], out: Path | None) -> None:
    if out is None:
        return
    with writing(out / STRUCTURES) as folder:
        for name, text in texts.items():
            replace_file(folder / name, text.encode())
