"""Files for DFT programs that run elsewhere, with the paper's settings: VASP, one structure or a band, and GPAW.

Every folder says in plain text what is assumed, and what must be added that cannot be shipped (VASP's potentials).
"""

from __future__ import annotations

import io
import itertools
import json
import pprint
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from interlith.errors import EnvironmentError_, InputError
from interlith.surface.dft import (
    INSTALL,
    DftSettings,
    Mesh,
    d3_parameters,
    gpaw_parameters,
    is_slab,
    is_spin_polarized,
    k_mesh,
    periodic_axes,
    prepared,
)

if TYPE_CHECKING:
    from ase import Atoms

Task = Literal["relax", "single-point"]
Tags = dict[str, tuple[str, str]]  # tag of INCAR -> value, why

# Suffixes of the PBE potentials that the VASP wiki recommends (Choosing pseudopotentials), up to tin
SUFFIXES = {
    "_sv": ("Li", "K", "Ca", "Sc", "Ti", "V", "Rb", "Sr", "Y", "Zr", "Nb", "Mo"),
    "_pv": ("Na", "Cr", "Mn", "Tc", "Ru", "Rh"),
    "_d": ("Ga", "Ge", "In", "Sn"),
}
LAST_LOOKED_UP = 50  # atomic number of tin
MOST_STEPS, MOST_BAND_STEPS = 200, 300
SPRING_eV_per_A2 = -5  # nudged where negative; the default of VASP
LBFGS_OF_FORCES = "1"  # IOPT of the VTST build
LONGEST_TITLE = 80  # characters
SAME_A = 1e-3  # images nearer to each other than this are one


def write_vasp(
    atoms: Atoms,
    folder: Path,
    settings: DftSettings | None = None,
    title: str = "",
    *,
    task: Task = "relax",
    overwrite: bool = False,
) -> list[Path]:
    """Input of VASP for one structure: POSCAR, INCAR, KPOINTS, and POTCAR.txt with the potentials to be put together.

    Atoms are grouped by element; those held by a constraint stay fixed. A slab must lie with its vacuum along c.
    Raises InputError for atoms that cannot be computed and for files already there that say something else,
    EnvironmentError_ for a folder that cannot be written. Gives the files.
    """
    settings = settings or DftSettings()
    _check_task(task)
    mesh = _mesh(atoms, settings)
    tags = {**_electrons(atoms, settings, _line(title, atoms)), **_ions(settings, task), **_dipole(atoms, settings)}
    texts = {
        "POSCAR": _poscar(atoms, _line(title, atoms)),
        "INCAR": _incar(tags, settings),
        "KPOINTS": _kpoints(mesh, settings),
        "POTCAR.txt": _potcar(atoms, settings),
    }
    return _written(Path(folder), texts, overwrite)


def write_vasp_neb(
    images: Sequence[Atoms],
    folder: Path,
    settings: DftSettings | None = None,
    title: str = "",
    *,
    climbing: bool = True,
    overwrite: bool = False,
) -> list[Path]:
    """Input of VASP for a nudged elastic band: 00, 01 ... each with its POSCAR, and INCAR, KPOINTS, POTCAR.txt for all.

    images: with both ends, which must be relaxed already. climbing: only VASP built with the VTST code has it; without
    it VASP's own band is asked for. Raises InputError besides where images differ in atoms, cell or held atoms, where
    two are the same, and where an atom moves by more than half the cell between two: VASP would take it the short way.
    """
    settings = settings or DftSettings()
    _check_band(images)
    line = _line(title, images[0])
    mesh = _mesh(images[0], settings)
    tags = {
        **_electrons(images[0], settings, line),
        **_band(len(images) - 2, settings, climbing),
        **_dipole(images[0], settings),
    }
    texts = {f"{n:02d}/POSCAR": _poscar(image, f"{line}, image {n}") for n, image in enumerate(images)}
    texts["INCAR"] = _incar(tags, settings)
    texts["KPOINTS"] = _kpoints(mesh, settings)
    texts["POTCAR.txt"] = _potcar(images[0], settings) + _for_band(len(images), climbing)
    return _written(Path(folder), texts, overwrite)


def write_gpaw(
    atoms: Atoms,
    folder: Path,
    settings: DftSettings | None = None,
    title: str = "",
    *,
    task: Task = "single-point",
    overwrite: bool = False,
) -> list[Path]:
    """A script for GPAW that runs as it is, run.py, and structure.extxyz beside it; it writes energy.json.

    It needs gpaw, gpaw-data, dftd3 and ase, not interlith. Raises as write_vasp does.
    """
    settings = settings or DftSettings()
    _check_task(task)
    script = GPAW_SCRIPT.format(
        title=json.dumps(_line(title, atoms))[1:-1].replace('\\"', "'"),
        install=INSTALL,
        gpaw=pprint.pformat(gpaw_parameters(atoms, settings), width=110, sort_dicts=False),
        d3=pprint.pformat(d3_parameters() if settings.dispersion != "none" else None, width=110, sort_dicts=False),
        settings=pprint.pformat(settings.as_json(), width=110, sort_dicts=False),
        relax=task == "relax",
        force=settings.force_eV_per_A,
        steps=MOST_STEPS,
    )
    texts = {"structure.extxyz": _extxyz(prepared(atoms, settings)), "run.py": script}
    return _written(Path(folder), texts, overwrite)


GPAW_SCRIPT = '''"""{title}

    python run.py        writes energy.json, and gpaw.txt with GPAW's own words

Needs: {install}
"""

import json
from pathlib import Path

from ase.calculators.mixing import SumCalculator
from ase.io import read
from ase.optimize import BFGS
from gpaw import GPAW

HERE = Path(__file__).resolve().parent
GPAW_PARAMETERS = {gpaw}
D3_PARAMETERS = {d3}
SETTINGS = {settings}
RELAX, LARGEST_FORCE_eV_per_A, MOST_STEPS = {relax}, {force}, {steps}

atoms = read(HERE / "structure.extxyz")
pbe = GPAW(**GPAW_PARAMETERS, txt=str(HERE / "gpaw.txt"))
parts = [pbe]
if D3_PARAMETERS:
    from dftd3.ase import DFTD3

    parts.append(DFTD3(**D3_PARAMETERS))
atoms.calc = SumCalculator(parts) if len(parts) > 1 else pbe
if RELAX:
    done = BFGS(atoms, logfile=str(HERE / "relax.log"), trajectory=str(HERE / "relax.traj"))
    if not done.run(fmax=LARGEST_FORCE_eV_per_A, steps=MOST_STEPS):
        raise SystemExit("not relaxed; start again from the end of relax.traj")
total_eV = float(atoms.get_potential_energy())
pbe_eV = float(pbe.get_potential_energy(atoms))
found = {{
    "formula": atoms.get_chemical_formula(),
    "pbe_eV": pbe_eV,
    "dispersion_eV": total_eV - pbe_eV if D3_PARAMETERS else None,
    "settings": SETTINGS,
}}
partial = HERE / "energy.json.partial"
partial.write_text(json.dumps(found, indent=1))
partial.replace(HERE / "energy.json")
'''


def _check_task(task: str) -> None:
    if task not in ("relax", "single-point"):
        raise InputError(f"task = {task}: relax or single-point")


def _line(title: str, atoms: Atoms) -> str:
    """The title as one line that any program reads."""
    plain = " ".join(title.encode("ascii", "replace").decode().split())
    return (plain or atoms.get_chemical_formula())[:LONGEST_TITLE]


def _mesh(atoms: Atoms, settings: DftSettings) -> Mesh:
    return k_mesh(atoms.cell.array, settings, periodic_axes(atoms))


def _electrons(atoms: Atoms, settings: DftSettings, line: str) -> Tags:
    """Tags of the electrons. VASP wiki: GGA, ENCUT, EDIFF, ISMEAR, ISPIN, IVDW."""
    polarized = is_spin_polarized(atoms, settings)
    why = "a molecule, or an element that may carry a moment" if polarized else "no element here carries a moment"
    tags: Tags = {
        "SYSTEM": (line, ""),
        "GGA": ("PE", "PBE"),
        "ENCUT": (f"{settings.cutoff_eV:g}", "eV"),
        "PREC": ("Accurate", ""),
        "EDIFF": (f"{settings.scf_eV:g}", "eV"),
        "ISMEAR": ("0", "Gaussian; the energy to take is that for sigma -> 0; assumed"),
        "SIGMA": (f"{settings.smearing_eV:g}", "eV; assumed"),
        "ISPIN": ("2" if polarized else "1", f"{why if settings.spin == 'auto' else 'as asked'}; assumed"),
        "LREAL": (".FALSE.", ""),
        "LWAVE": (".FALSE.", ""),
        "LCHARG": (".FALSE.", ""),
    }
    if settings.dispersion != "none":
        tags["IVDW"] = ("12", "D3 with Becke-Johnson damping")
    if not any(periodic_axes(atoms)):
        tags["ISYM"] = ("0", "an atom or molecule may break the symmetry of its box")
    return tags


def _ions(settings: DftSettings, task: Task) -> Tags:
    if task == "single-point":
        return {"IBRION": ("-1", "nothing moves"), "NSW": ("0", "")}
    return {
        "IBRION": ("2", "conjugate gradients"),
        "NSW": (str(MOST_STEPS), ""),
        "ISIF": ("2", "the cell stays"),
        "EDIFFG": (f"{-settings.force_eV_per_A:g}", "eV/A"),
    }


def _band(n_between: int, settings: DftSettings, climbing: bool) -> Tags:
    tags: Tags = {
        "IMAGES": (str(n_between), "between the ends; the number of cores must be a multiple of it"),
        "SPRING": (str(SPRING_eV_per_A2), "eV/A2, nudged"),
        "NSW": (str(MOST_BAND_STEPS), ""),
        "ISIF": ("2", "the cell stays"),
        "ISYM": ("0", "images may break the symmetry of the ends"),
        "EDIFFG": (f"{-settings.force_eV_per_A:g}", "eV/A"),
    }
    if not climbing:
        return {**tags, "IBRION": ("1", "RMM-DIIS: VASP's conjugate gradients fail on bands")}
    return {
        **tags,
        "ICHAIN": ("0", "VTST: nudged elastic band"),
        "LCLIMB": (".TRUE.", "VTST: the highest image climbs; VASP without VTST does not know this tag"),
        "IOPT": (LBFGS_OF_FORCES, "VTST: L-BFGS, from forces alone"),
        "IBRION": ("3", "with POTIM = 0: VASP itself moves nothing"),
        "POTIM": ("0", ""),
    }


def _dipole(atoms: Atoms, settings: DftSettings) -> Tags:
    """Correction along c, about the center of mass, as the VASP wiki advises (DIPOL)."""
    if not (is_slab(atoms) and settings.dipole_correction):
        return {}
    height = float(atoms.get_center_of_mass() @ atoms.cell.reciprocal().array[2]) % 1.0
    return {
        "LDIPOL": (".TRUE.", "a slab with lithium on one side has a dipole; assumed"),
        "IDIPOL": ("3", "along c"),
        "DIPOL": (f"0.5 0.5 {height:.4f}", "center of mass along c, of the cell"),
    }


def _incar(tags: Tags, settings: DftSettings) -> str:
    head = [f"# from interlith; {settings.source}"]
    if settings.departures:
        named = ", ".join(f"{name} (paper: {value})" for name, value in settings.departures.items())
        head.append(f"# departs from {DftSettings().source} in {named}")
    lines = [f"{tag} = {value}" + (f"  # {why}" if why else "") for tag, (value, why) in tags.items()]
    return "\n".join([*head, *lines]) + "\n"


def _kpoints(mesh: Mesh, settings: DftSettings) -> str:
    first, second, third = mesh
    return f"spacing {settings.k_spacing_per_A:g} x 2 pi/A at most\n0\nGamma\n{first} {second} {third}\n0 0 0\n"


def _grouped(atoms: Atoms) -> Any:
    """int[atom]: places of the atoms as POSCAR lists them, by element, otherwise in their order."""
    return np.argsort(np.array(atoms.get_chemical_symbols()), kind="stable")


def _poscar(atoms: Atoms, line: str) -> str:
    from ase.io import write

    text = io.StringIO()
    bare = atoms[_grouped(atoms)]
    bare.set_momenta(None)
    write(text, bare, format="vasp", direct=True, vasp5=True)
    return f"{line}\n{text.getvalue().partition(chr(10))[2]}"  # the first line is a comment


def _extxyz(atoms: Atoms) -> str:
    from ase.io import write

    bare, text = atoms.copy(), io.StringIO()
    bare.info.clear()
    write(text, bare, format="extxyz")
    return text.getvalue()


def potential(element: str) -> str:
    """The PBE potential of VASP for an element, as the VASP wiki recommends up to tin; the plain one beyond.

    >>> potential("Li"), potential("Zn"), potential("O")
    ('Li_sv', 'Zn', 'O')
    """
    return element + next((suffix for suffix, elements in SUFFIXES.items() if element in elements), "")


def _potcar(atoms: Atoms, settings: DftSettings) -> str:
    order = _grouped(atoms)
    elements = list(dict.fromkeys(np.array(atoms.get_chemical_symbols())[order]))
    joined = " ".join(f"{potential(element)}/POTCAR" for element in elements)
    chosen = "They are those that the VASP wiki recommends; the paper does not say which it used."
    if max(atoms.numbers) > LAST_LOOKED_UP:
        chosen += " Those beyond tin are not looked up: choose them."
    return (
        "POTCAR is VASP's and cannot be shipped. Put it together from the PBE potentials of your licence, in this\n"
        f"order, which is that of POSCAR:\n\n    cat {joined} > POTCAR\n\n{chosen}\n"
        f"ENMAX of each must be at most ENCUT = {settings.cutoff_eV:g} eV; that of Li_sv is 499 eV: below, take Li.\n\n"
        f"Atoms of POSCAR, as places in the structure given, from 0: {' '.join(map(str, order))}\n"
    )


def _for_band(n_images: int, climbing: bool) -> str:
    last = f"{n_images - 1:02d}"
    text = f"\n00 and {last} are the ends: VASP does not move them, so relax them first with these very settings.\n"
    if climbing:
        text += (
            "LCLIMB, ICHAIN and IOPT are tags of the VTST code (Henkelman group): VASP must be built with it. Copy\n"
            f"OUTCAR of each relaxed end into 00 and {last}: the scripts of VTST look for their energies there.\n"
        )
    return text


def _check_band(images: Sequence[Atoms]) -> None:
    if len(images) < 3:
        raise InputError(f"{len(images)} images: a band needs its two ends and at least one between")
    if len(images) > 100:
        raise InputError(f"{len(images)} images: VASP numbers at most 100")
    first = images[0]
    for n, image in enumerate(images):
        periodic_axes(image)
        if image.get_chemical_symbols() != first.get_chemical_symbols():
            raise InputError(f"image {n}: not the same atoms in the same order as image 0")
        if not np.allclose(image.cell.array, first.cell.array, atol=1e-6):
            raise InputError(f"image {n}: another cell than image 0")
        if _held(image) != _held(first):
            raise InputError(f"image {n}: other atoms held than in image 0")
    for n, (before, after) in enumerate(itertools.pairwise(images)):
        moved = after.positions - before.positions
        if np.abs(moved).max() < SAME_A:
            raise InputError(f"images {n} and {n + 1} are the same")
        if np.abs(moved @ np.linalg.inv(first.cell.array)).max() >= 0.5:
            raise InputError(
                f"images {n} and {n + 1}: an atom moves by half the cell or more; VASP would take it the short way. "
                "Was it wrapped into the cell? Unwrap it, or give more images"
            )


def _held(atoms: Atoms) -> set[int]:
    return {int(place) for constraint in atoms.constraints for place in constraint.get_indices()}


def _written(folder: Path, texts: Mapping[str, str], overwrite: bool) -> list[Path]:
    """Write all files, each whole or not at all. What is there already and says something else stays, unless told."""
    paths = {folder / name: text.encode() for name, text in texts.items()}
    try:
        other = [path for path, data in paths.items() if path.exists() and not _holds(path, data)]
        if other and not overwrite:
            raise InputError(f"{other[0]}: already there, and different; give another folder, or say to overwrite")
        for path, data in paths.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_name(path.name + ".partial")
            try:
                partial.write_bytes(data)
                partial.replace(path)
            finally:
                partial.unlink(missing_ok=True)
    except OSError as problem:
        raise EnvironmentError_(f"{folder}: cannot be written ({problem.strerror or problem})") from problem
    return list(paths)


def _holds(path: Path, data: bytes) -> bool:
    return path.is_file() and path.read_bytes() == data
