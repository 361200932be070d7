"""A crystal to be cut: shipped by name, or read from a CIF, a POSCAR or any file of atoms; its conventional cell."""

from __future__ import annotations

import tomllib
import warnings
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from interlith.errors import CorruptFile, EnvironmentError_, InputError, did_you_mean

if TYPE_CHECKING:
    from ase import Atoms

INSTALL = "pip install 'interlith[surface]'"
SAME_VOLUME, SAME_SIDES = 1e-3, 1e-2  # relative
TOO_CLOSE_A = 0.7  # H2 is 0.74
MOST_ATOMS = 500  # of a unit cell; larger ones are no crystals that a slab is cut from
SYMMETRY_A = 0.01


@dataclass(frozen=True)
class Crystal:
    """A crystal in its conventional cell, to which Miller indices refer.

    said: what was done to the cell of the file, for people.
    """

    name: str
    title: str
    atoms: Atoms
    said: tuple[str, ...] = ()

    @property
    def elements(self) -> list[str]:
        """Its elements, each once, in the order of the alphabet."""
        return sorted(set(self.atoms.get_chemical_symbols()))


def needs() -> str | None:
    """What must be installed before atoms can be handled; None when nothing is missing."""
    from importlib.util import find_spec

    missing = [name for name in ("ase", "spglib") if find_spec(name) is None]
    return f"{' and '.join(missing)}: not installed; {INSTALL}" if missing else None


def crystal_names() -> list[str]:
    """Names of the shipped crystals.

    >>> "ZnO" in crystal_names()
    True
    """
    return list(_shipped())


def crystal_titles() -> dict[str, str]:
    """Name and title of each shipped crystal.

    >>> crystal_titles()["LiZn"]
    'lithium-zinc 1:1, B32'
    """
    return {name: held["title"] for name, held in _shipped().items()}


def read_crystal(given: str, folder: Path = Path()) -> Crystal:
    """A shipped crystal by its name, or the crystal of a file (a path, relative to `folder`).

    Raises InputError for what is neither, CorruptFile for a file that holds no crystal, EnvironmentError_ without ASE.

    >>> read_crystal("ZnO").elements
    ['O', 'Zn']
    """
    if (missing := needs()) is not None:
        raise EnvironmentError_(missing)
    if given in _shipped():
        return _of_table(given, _shipped()[given])
    path = folder / given
    if not _is_file(path):
        hint = did_you_mean(given, crystal_names())
        raise InputError(f"{given}: neither a file nor a shipped crystal ({', '.join(crystal_names())}).{hint}")
    return conventional(path.stem, path.name, _read(path))


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name longer than there can be
        return False


def conventional(name: str, title: str, atoms: Atoms) -> Crystal:
    """Atoms as a crystal: in their own cell when it is as large as the conventional one, else in that.

    Raises CorruptFile for what is no crystal: no cell, atoms upon atoms, atoms without an element.
    """
    import spglib

    _check(title, atoms)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = spglib.standardize_cell(_cell_of(atoms), to_primitive=False, no_idealize=True, symprec=SYMMETRY_A)
    if found is None:
        raise CorruptFile(f"{title}: no crystal: its symmetry cannot be found")
    other = _atoms(*found)
    ratio = other.get_volume() / atoms.get_volume()
    own, usual = (np.sort(one.cell.lengths()) for one in (atoms, other))
    if abs(ratio - 1.0) < SAME_VOLUME and np.allclose(own, usual, rtol=SAME_SIDES):
        return Crystal(name, title, _bare(atoms))
    shape = "as large, but of another shape" if abs(ratio - 1.0) < SAME_VOLUME else "a supercell"
    shape = "primitive" if ratio > 1.0 + SAME_VOLUME else shape
    said = f"{title}: its cell is {shape}; faces refer to the conventional cell"
    return Crystal(name, title, other, (f"{said} {_lengths(other)}",))


def primitive(atoms: Atoms) -> Atoms:
    """The primitive cell in the same orientation."""
    import spglib

    found = spglib.standardize_cell(_cell_of(atoms), to_primitive=True, no_idealize=True, symprec=SYMMETRY_A)
    return atoms if found is None else _atoms(*found)


def _shipped() -> dict[str, Any]:
    return tomllib.loads(resources.files("interlith.surface").joinpath("crystals.toml").read_text(encoding="utf-8"))


def _of_table(name: str, held: dict[str, Any]) -> Crystal:
    from ase.spacegroup import crystal

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        atoms = crystal(
            [one["element"] for one in held["atoms"]],
            basis=[one["at"] for one in held["atoms"]],
            spacegroup=held["spacegroup"],
            cellpar=[*held["cell_A"], *held["angles_deg"]],
        )
    return Crystal(name, held["title"], _bare(atoms))


def _read(path: Path) -> Atoms:
    from ase.io import read

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = read(path)
    except Exception as problem:  # each reader of ASE has errors of its own
        said = str(problem)[:200] or type(problem).__name__
        raise CorruptFile(f"{path.name}: no crystal that can be read ({said})") from problem
    return found[-1] if isinstance(found, list) else found


def _check(title: str, atoms: Atoms) -> None:
    from ase.neighborlist import neighbor_list

    if not len(atoms):
        raise CorruptFile(f"{title}: no atoms")
    if len(atoms) > MOST_ATOMS:
        raise InputError(f"{title}: {len(atoms)} atoms; a unit cell of at most {MOST_ATOMS} is cut here")
    if not np.isfinite(atoms.positions).all() or not np.isfinite(atoms.cell.array).all():
        raise CorruptFile(f"{title}: positions that are no numbers")
    if atoms.cell.rank < 3 or atoms.get_volume() < 1.0:
        raise CorruptFile(f"{title}: no cell in three directions, so no crystal")
    if (atoms.numbers < 1).any():
        raise CorruptFile(f"{title}: atoms of no element")
    if atoms.pbc.any() and not atoms.pbc.all():
        raise CorruptFile(f"{title}: periodic in {atoms.pbc.sum()} directions only, so no crystal; give the bulk")
    nearest = neighbor_list("d", _bare(atoms), TOO_CLOSE_A)
    if len(nearest):
        raise CorruptFile(f"{title}: two atoms {nearest.min():.2f} A apart; are there partly occupied sites?")
    occupancy = atoms.info.get("occupancy")
    if occupancy and any(len(shares) > 1 or min(shares.values()) < 1.0 for shares in occupancy.values()):
        raise InputError(f"{title}: sites that are only partly occupied; give an ordered crystal")


def _bare(atoms: Atoms) -> Atoms:
    """Elements, positions, cell and nothing else."""
    from ase import Atoms

    return Atoms(numbers=atoms.numbers, positions=atoms.positions, cell=atoms.cell.array, pbc=True)


def _cell_of(atoms: Atoms) -> tuple[Any, Any, Any]:
    return atoms.cell.array, atoms.get_scaled_positions(), atoms.numbers


def _atoms(cell: Any, scaled: Any, numbers: Any) -> Atoms:
    from ase import Atoms

    return Atoms(numbers=numbers, scaled_positions=scaled, cell=cell, pbc=True)


def _lengths(atoms: Atoms) -> str:
    return " x ".join(f"{length:.3f}" for length in atoms.cell.lengths()) + " A"
