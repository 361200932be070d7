"""Surfaces as a person writes them: crystals, faces, terminations, and how they are searched.

title = "my coatings"
models = ["7net-0", "chgnet"]  # those of the error bar
[settings]                     # of all surfaces: n_layers, n_fixed, vacuum_A, grid_A, force_eV_per_A ...
[[surfaces]]
crystal = "LiF"                # a shipped crystal, or a file beside this one: my.cif, POSCAR
face = "100"                   # three indices, or four of a hexagonal crystal
terminations = ["O"]           # by name; otherwise all that break the fewest bonds
settings = { n_layers = 6 }    # of this surface alone
paper = { binding_energy_eV = 3.4 }   # what is published, beside which the result is shown
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from interlith.errors import InputError
from interlith.parts.changes import HERE
from interlith.surface.calculators import DEFAULT, model_of
from interlith.surface.crystal import Crystal, read_crystal
from interlith.surface.miller import Miller, check_four_index, parse_face
from interlith.surface.settings import Settings
from interlith.surface.slab import THIN_A, THINNEST_A, Cut, Slab, cut_named, cuts, slab_of
from interlith.written import (
    CONTRADICTION,
    File,
    Place,
    Written,
    contradiction,
    dotted,
    message,
    opened,
    shipped,
    table_of,
    validated_table,
)

PACKAGE = "interlith.surface"


class Paper(Written):
    """What is published of a surface; shown beside the result, and never an input.

    binding_energy, barrier: in words, where there is no number.
    """

    binding_energy_eV: float | None = None
    barrier_eV: float | None = None
    binding_energy: str = ""
    barrier: str = ""


class SurfaceAsked(Written):
    """One crystal and face.

    crystal: a shipped one by name, or a file beside this one. face: three indices, or four of a hexagonal crystal.
    name: for people; crystal(face) otherwise. terminations: by name, instead of all that break the fewest bonds.
    settings: of this surface alone. paper: what is published.
    """

    crystal: str
    face: str
    name: str = ""
    terminations: tuple[str, ...] = ()
    settings: dict[str, Any] = Field(default_factory=dict)
    paper: Paper = Paper()


class SurfacesFile(Written):
    """What stands above all tables. models: those whose spread is the error bar. settings: of all surfaces."""

    title: str
    source: str = HERE
    note: str = ""
    models: tuple[str, ...] = Field(default=DEFAULT, min_length=1)
    settings: dict[str, Any] = Field(default_factory=dict)
    surfaces: tuple[SurfaceAsked, ...] = Field(min_length=1, max_length=1000)


@dataclass(frozen=True)
class FaceAsked:
    """One face to be searched: a crystal, a face, and one way to cut it."""

    name: str
    crystal: Crystal
    face: Miller
    cut: Cut
    settings: Settings
    paper: Paper

    @property
    def key(self) -> str:
        """Name and termination, ZnO(002)-Zn for instance: no two faces of a file have the same."""
        return f"{self.name}-{self.cut.name}"


@dataclass(frozen=True)
class Asked:
    """What a file asks for: its words, its models, and its faces one by one."""

    name: str
    title: str
    source: str
    note: str
    models: tuple[str, ...]
    faces: tuple[FaceAsked, ...]


def surfaces_names() -> list[str]:
    """Names of the shipped files.

    >>> surfaces_names()
    ['coverage-zno', 'reference-surfaces', 'thin-surfaces']
    """
    return shipped(PACKAGE)


def surfaces_title(given: str) -> str:
    """The title of a file, which needs no ASE to be told.

    >>> surfaces_title("reference-surfaces")
    'Surfaces of Shen et al. (2025): zinc oxide and lithium-zinc'
    """
    file = opened(given, PACKAGE)
    return validated_table(file, SurfacesFile, table_of(file)).title


def read_surfaces(given: str, *, is_quick: bool = False) -> Asked:
    """The faces of a file by its path, or of a shipped one by its name. Raises InputError with file, line and key.

    >>> [face.key for face in read_surfaces("reference-surfaces").faces][:3]
    ['ZnO(002)-Zn', 'ZnO(002)-O', 'ZnO(020)-O+Zn']
    """
    file = opened(given, PACKAGE)
    written = validated_table(file, SurfacesFile, table_of(file))
    faces = [face for i, one in enumerate(written.surfaces) for face in _faces(file, written, i, one, is_quick)]
    _told_apart(file.name, faces)
    with _told_at(file, ("models",)):
        for model in written.models:
            model_of(model)
    if len(set(written.models)) < len(written.models):
        raise file.at(("models",), "models: one of them stands there twice")
    name = file.name.removesuffix(".toml")
    return Asked(name, written.title, written.source, written.note, written.models, tuple(faces))


def surfaces_of(material: str, faces: Sequence[str], models: Sequence[str], *, is_quick: bool = False) -> Asked:
    """What a material and its faces ask for, without a file.

    >>> [face.key for face in surfaces_of("Cu", ["111"], ["chgnet"]).faces]
    ['Cu(111)-Cu']
    """
    crystal = read_crystal(material)
    settings = Settings().quick() if is_quick else Settings()
    found = [one for face in faces for one in faces_of(crystal, face, settings=settings)]
    _told_apart("--face", found)
    title = f"{crystal.name}: " + ", ".join(f"({face})" for face in faces)
    name = "-".join([crystal.name, *faces])
    return Asked(name, title, HERE, "", tuple(models), tuple(found))


def faces_of(
    crystal: Crystal,
    face: str,
    *,
    name: str = "",
    terminations: Sequence[str] = (),
    settings: Settings | None = None,
    paper: Paper | None = None,
) -> list[FaceAsked]:
    """The terminations of a face, or those of them that are named; else those that break the fewest bonds.

    Raises InputError for a face that cannot be cut, and for a slab too thin for what is fixed, or to be one.
    """
    miller = _miller(crystal, face)
    title = name or f"{crystal.name}({miller.written})"
    settings, paper = settings or Settings(), paper or Paper()
    found = [FaceAsked(title, crystal, miller, cut, settings, paper) for cut in _chosen(crystal, miller, terminations)]
    for one in found:  # of the crystal as it is given; a search cuts it anew once it is relaxed
        _check_thick(slab_of(crystal, one.cut, settings))
    return found


def _check_thick(slab: Slab) -> None:
    if slab.thick_A < THINNEST_A:
        said = f"n_layers = {slab.n_layers}: {slab.thick_A:.1f} A from the lowest atom to the highest are no slab"
        raise InputError(f"{said}; layers are planes of atoms: as many as make {THIN_A:g} A")


def _miller(crystal: Crystal, face: str) -> Miller:
    check_four_index(face, crystal.atoms.cell)
    return parse_face(face)


def _chosen(crystal: Crystal, miller: Miller, terminations: Sequence[str]) -> list[Cut]:
    if terminations:
        return [cut_named(crystal, miller, termination) for termination in terminations]
    return [cut for cut in cuts(crystal, miller) if cut.is_easiest]


def _faces(file: File, written: SurfacesFile, i: int, one: SurfaceAsked, is_quick: bool) -> list[FaceAsked]:
    place: Place = ("surfaces", i)
    own = _settings(file, written.settings, one.settings, place)
    with _told_at(file, (*place, "crystal")):
        crystal = read_crystal(one.crystal, Path(file.folder))
    with _told_at(file, (*place, "face")):
        _miller(crystal, one.face)
    with _told_at(file, (*place, "terminations" if one.terminations else "face")):
        return faces_of(
            crystal,
            one.face,
            name=one.name,
            terminations=one.terminations,
            settings=own.quick() if is_quick else own,
            paper=one.paper,
        )


@contextmanager
def _told_at(file: File, place: Place) -> Iterator[None]:
    """What is refused in the block, told with the file, line and key that it is about."""
    try:
        yield
    except InputError as problem:
        raise type(problem)(str(file.at(place, f"{dotted(place)}: {problem}"))) from problem


def _settings(file: File, of_all: Mapping[str, Any], own: Mapping[str, Any], place: Place) -> Settings:
    """Settings of one surface; what is wrong is told at the table that holds it."""
    try:
        return Settings.model_validate({**of_all, **own})
    except ValidationError as problem:
        error = problem.errors()[0]
        inside = tuple(error["loc"])
        if error["type"] == CONTRADICTION:
            inside = tuple(error["ctx"]["place"].split("."))
        at = (*place, "settings") if str(inside[0]) in own or str(inside[0]) not in of_all else ("settings",)
        where = (*at, *inside)
        if error["type"] == CONTRADICTION:
            raise file.at(where, contradiction(where, error["msg"])) from problem
        raise file.at(where, message(where, error, list(Settings.model_fields))) from problem


def _told_apart(where: str, faces: Sequence[FaceAsked]) -> None:
    keys = [face.key for face in faces]
    for key in keys:
        if keys.count(key) > 1:
            raise InputError(f"{where}: {key} is asked for twice; leave one out, or give it another name")
