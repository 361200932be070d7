"""Density functional theory as the reference paper did it: settings, k-points, and single points with GPAW and D3(BJ).

A single point at the geometry of another model is a spot check of that model, not a relaxed result: it says by how much
the largest force is off. Forces, energies and cells are in eV and A throughout.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import math
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from interlith.errors import EnvironmentError_, InputError, SolverError

if TYPE_CHECKING:
    from ase import Atoms

PAPER = "doi:10.1038/s41467-025-60609-4"
INSTALL = "apt-get install libxc-dev libopenblas-dev && CC=g++ pip install gpaw gpaw-data dftd3"
LEAST_VACUUM_A = 8.0  # a gap between atoms from which it counts as vacuum, and not as a wide crystal
RIGHT_ANGLE = 1e-6  # cosine
ROUNDING = 1e-6  # of a number of k-points
MAGNETIC_3D, RARE_EARTHS = range(23, 29), range(58, 71)  # atomic numbers of V to Ni, Ce to Yb
MOST_ITERATIONS = 150
# of DFT-D3 as VASP has it (IVDW = 12): two-body terms only, pairs and coordination numbers within these distances
D3_PAIRS_A, D3_COORDINATION_A = 50.2, 20.0
# of PBE with Becke-Johnson damping, a2 in bohr: Grimme, Ehrlich, Goerigk, J. Comput. Chem. 32, 1456 (2011); s9 = 0: no
# three-body terms. doi:10.1002/jcc.21759
D3_PBE = {"s6": 1.0, "s8": 0.7875, "a1": 0.4289, "a2": 4.4407, "s9": 0.0}
NOT_STATED = ("smearing_eV", "spin", "dipole_correction")  # in the paper

Spin = Literal["auto", "on", "off"]
Dispersion = Literal["D3(BJ)", "none"]
Axes = tuple[bool, bool, bool]
Mesh = tuple[int, int, int]


def _one_of(name: str, got: str, allowed: tuple[str, ...]) -> None:
    if got not in allowed:
        raise InputError(f"{name} = {got}: one of {', '.join(allowed)}")


@dataclass(frozen=True)
class DftSettings:
    """How a calculation is set up; without arguments as in the reference paper, with PBE and PAW throughout.

    cutoff_eV: of plane waves. k_spacing_per_A: largest spacing of the Gamma-centered mesh, in units of 2 pi / A.
    scf_eV: change of the energy at which self-consistency is reached. force_eV_per_A: largest force when relaxing.
    vacuum_A: between slabs. n_layers_fixed: at the bottom. The paper does not say smearing_eV (assumed; energies are
    those at no smearing), spin ("auto": polarized where a moment may be) nor dipole_correction (for every slab with
    vacuum); these are assumed. source: where the numbers are from. Raises InputError for what no calculation can have.

    >>> DftSettings().cutoff_eV, DftSettings(cutoff_eV=400).departures
    (520.0, {'cutoff_eV': 520.0})
    """

    cutoff_eV: float = 520.0
    k_spacing_per_A: float = 0.04
    dispersion: Dispersion = "D3(BJ)"
    scf_eV: float = 1e-5
    force_eV_per_A: float = 0.02
    vacuum_A: float = 20.0
    n_layers_fixed: int = 2
    smearing_eV: float = 0.05
    spin: Spin = "auto"
    dipole_correction: bool = True
    source: str = PAPER

    def __post_init__(self) -> None:
        for name in ("cutoff_eV", "k_spacing_per_A", "scf_eV", "force_eV_per_A", "vacuum_A", "smearing_eV"):
            if not (0.0 < getattr(self, name) < math.inf):
                raise InputError(f"{name} = {getattr(self, name)}: a number above 0")
        if self.n_layers_fixed < 0:
            raise InputError(f"n_layers_fixed = {self.n_layers_fixed}: 0 or more")
        _one_of("dispersion", self.dispersion, ("D3(BJ)", "none"))
        _one_of("spin", self.spin, ("auto", "on", "off"))

    @property
    def departures(self) -> dict[str, Any]:
        """What is not as in the paper, with the paper's value."""
        own = {field.name: field.default for field in fields(self) if field.name not in (*NOT_STATED, "source")}
        return {name: stated for name, stated in own.items() if getattr(self, name) != stated}

    def as_json(self) -> dict[str, Any]:
        """All settings, which of them are assumed, and where they depart from the paper."""
        return {"functional": "PBE", **asdict(self), "assumed": list(NOT_STATED), "departs_from_paper": self.departures}


def settings_from_json(held: Mapping[str, Any]) -> DftSettings:
    """What as_json gave, without what it adds.

    >>> settings_from_json(DftSettings(cutoff_eV=400.0).as_json()).cutoff_eV
    400.0
    """
    names = {field.name for field in fields(DftSettings)}
    return DftSettings(**{name: value for name, value in held.items() if name in names})


# For spot checks on one core. Measured for lithium on ZnO(020) 1x1, PW400: a mesh of 6x4 (this spacing) binds 0.03 eV
# stronger than 4x3, and 340 eV of cutoff 0.06 eV stronger than 400
SPOT_CHECK = DftSettings(cutoff_eV=400.0, k_spacing_per_A=0.06, vacuum_A=12.0, source="interlith: a coarse check")


def gaps_A(atoms: Atoms) -> tuple[float, float, float]:
    """The widest empty space along each vector of the cell, measured at right angles to the other two, in A.

    Raises InputError for no atoms and for a cell without volume.

    >>> from ase.build import bulk, fcc111
    >>> [round(gap, 1) for gap in gaps_A(fcc111("Al", (1, 1, 3), vacuum=8.0))]
    [0.8, 0.8, 16.0]
    """
    _check_cell(atoms)
    scaled = np.sort(atoms.get_scaled_positions(wrap=False) % 1.0, axis=0)
    widest = np.vstack([np.diff(scaled, axis=0), scaled[:1] + 1.0 - scaled[-1:]]).max(axis=0)
    heights = 1.0 / np.linalg.norm(atoms.cell.reciprocal().array, axis=1)
    first, second, third = (float(gap) for gap in widest * heights)
    return first, second, third


def periodic_axes(atoms: Atoms) -> Axes:
    """Along which vectors of the cell atoms meet their images: (True, True, False) for a slab, all for a crystal.

    A gap of at least 8 A is vacuum. Raises InputError for no atoms, a cell without volume, and a direction that is said
    not to be periodic but has no vacuum: with plane waves it would be.

    >>> from ase.build import bulk, fcc111
    >>> periodic_axes(bulk("Al")), periodic_axes(fcc111("Al", (1, 1, 3), vacuum=8.0))
    ((True, True, True), (True, True, False))
    """
    gaps = gaps_A(atoms)
    for name, gap, is_periodic in zip("abc", gaps, atoms.pbc, strict=True):
        if not is_periodic and gap < LEAST_VACUUM_A:
            raise InputError(
                f"{atoms.get_chemical_formula()}: not periodic along {name}, yet only {gap:.1f} A of vacuum there. "
                f"Set pbc for a crystal, or leave at least {LEAST_VACUUM_A:g} A"
            )
    first, second, third = (gap < LEAST_VACUUM_A for gap in gaps)
    return first, second, third


def is_slab(atoms: Atoms) -> bool:
    """Whether the atoms are periodic in the plane of a and b, with vacuum along c at right angles to it.

    Raises InputError for a slab that lies otherwise in its cell, besides all that periodic_axes refuses.
    """
    axes = periodic_axes(atoms)
    if sum(axes) != 2:
        return False
    if axes != (True, True, False):
        raise InputError(f"{atoms.get_chemical_formula()}: the vacuum of a slab must lie along c; turn the cell")
    a, b, c = (vector / np.linalg.norm(vector) for vector in atoms.cell.array)
    if max(abs(a @ c), abs(b @ c), abs(c[0]), abs(c[1])) > RIGHT_ANGLE:
        raise InputError(f"{atoms.get_chemical_formula()}: c of a slab must be at right angles to a and b, along z")
    return True


def _check_cell(atoms: Atoms) -> None:
    if len(atoms) == 0:
        raise InputError("no atoms to be computed")
    if atoms.cell.rank < 3:
        raise InputError(
            f"{atoms.get_chemical_formula()}: no cell; a calculation with plane waves needs all three vectors"
        )
    if not (np.isfinite(atoms.positions).all() and np.isfinite(atoms.cell.array).all()):
        raise InputError(f"{atoms.get_chemical_formula()}: positions or cell are not finite numbers")


def k_mesh(cell: Any, settings: DftSettings, periodic: Axes = (True, True, False)) -> Mesh:
    """How many k-points along each reciprocal vector, Gamma included: (n1, n2, 1) for a slab.

    n = ceiling(|b| / spacing), b without 2 pi: the spacing is in units of 2 pi/A, not that of VASP's KSPACING. 1 where
    not periodic, as along c of a slab. cell: float[3, 3], vectors as rows, A. Raises InputError for one without volume.

    >>> k_mesh([[3.25, 0, 0], [0, 5.2, 0], [0, 0, 30]], DftSettings())
    (8, 5, 1)
    """
    vectors = np.asarray(cell, float).reshape(3, 3)
    if not abs(np.linalg.det(vectors)) > 0.0:
        raise InputError("no k-points for a cell without volume")
    lengths = np.linalg.norm(np.linalg.inv(vectors), axis=0)
    first, second, third = (
        max(1, math.ceil(length / settings.k_spacing_per_A - ROUNDING)) if along else 1
        for length, along in zip(lengths, periodic, strict=True)
    )
    return first, second, third


def is_spin_polarized(atoms: Atoms, settings: DftSettings) -> bool:
    """Whether spins are treated apart. "auto": for molecules and atoms alone, and where an element may carry a moment.

    >>> from ase.build import bulk
    >>> is_spin_polarized(bulk("Li"), DftSettings()), is_spin_polarized(bulk("Fe"), DftSettings())
    (False, True)
    """
    if settings.spin != "auto":
        return settings.spin == "on"
    may_be_magnetic = any(number in MAGNETIC_3D or number in RARE_EARTHS for number in atoms.numbers)
    return may_be_magnetic or not any(periodic_axes(atoms))


def with_height(atoms: Atoms, height_A: float) -> Atoms:
    """The slab, with its constraints, in the middle of a cell of another height: the same with and without adsorbate.

    Raises InputError where less than 8 A of vacuum would be left.

    >>> from ase.build import fcc111
    >>> round(gaps_A(with_height(fcc111("Al", (1, 1, 3), vacuum=8.0), 15.0))[2], 1)
    10.3
    """
    thick = thickness_A(atoms)
    if height_A - thick < LEAST_VACUUM_A:
        raise InputError(
            f"a cell {height_A:g} A high leaves {height_A - thick:.1f} A of vacuum: {LEAST_VACUUM_A:g} needed"
        )
    new = _in_one_piece(atoms)
    new.cell[2] = (0.0, 0.0, height_A)
    new.positions[:, 2] += height_A / 2.0 - (new.positions[:, 2].min() + thick / 2.0)
    return new


def thickness_A(atoms: Atoms) -> float:
    """From the lowest to the highest atom of a slab. Raises InputError for what is no slab."""
    if not is_slab(atoms):
        raise InputError(f"{atoms.get_chemical_formula()}: not a slab; vacuum along c is needed")
    return float(np.ptp(_in_one_piece(atoms).positions[:, 2]))


def _in_one_piece(slab: Atoms) -> Atoms:
    """A copy cut at the middle of its vacuum, not through the slab."""
    new = slab.copy()
    scaled = np.sort(new.get_scaled_positions(wrap=False)[:, 2] % 1.0)
    gaps = np.append(np.diff(scaled), scaled[0] + 1.0 - scaled[-1])
    middle = scaled[gaps.argmax()] + gaps.max() / 2.0
    height = new.cell.array[2, 2]
    fractions = new.get_scaled_positions(wrap=False)[:, 2]
    new.positions[:, 2] -= np.floor(fractions - middle + ROUNDING) * height
    return new


def gpaw_parameters(atoms: Atoms, settings: DftSettings) -> dict[str, Any]:
    """The arguments of GPAW's calculator, as plain data. Raises InputError for atoms that cannot be computed."""
    parameters: dict[str, Any] = {
        "mode": {"name": "pw", "ecut": settings.cutoff_eV},
        "xc": "PBE",
        "kpts": {"size": k_mesh(atoms.cell.array, settings, periodic_axes(atoms)), "gamma": True},
        "occupations": {"name": "fermi-dirac", "width": settings.smearing_eV},
        "convergence": {"energy": {"name": "energy", "tol": settings.scf_eV, "relative": False}},
        "maxiter": MOST_ITERATIONS,
        "spinpol": is_spin_polarized(atoms, settings),
    }
    if is_slab(atoms) and settings.dipole_correction:
        parameters["poissonsolver"] = {"dipolelayer": "xy"}
    return parameters


def d3_parameters() -> dict[str, Any]:
    """The arguments of dftd3's calculator: PBE, Becke-Johnson damping, two-body terms with the cutoffs of VASP."""
    return {
        "damping": "d3bj",
        "params_tweaks": dict(D3_PBE),
        "realspace_cutoff": {"disp2": D3_PAIRS_A, "cn": D3_COORDINATION_A},
    }


def prepared(atoms: Atoms, settings: DftSettings) -> Atoms:
    """A copy without calculator, periodic exactly where it is so, with a moment of 1 on each atom where spins count."""
    new = atoms.copy()
    new.pbc = periodic_axes(atoms)
    if not is_spin_polarized(atoms, settings):
        new.set_initial_magnetic_moments(None)
    elif not new.get_initial_magnetic_moments().any():
        new.set_initial_magnetic_moments(np.ones(len(new)))
    return new


@dataclass(frozen=True)
class DftEnergy:
    """The energy of one structure, and all it rests on.

    pbe_eV: extrapolated to no smearing; of GPAW, thus against separate reference atoms: only differences mean anything.
    dispersion_eV: of D3(BJ); None where the settings have none. largest_force_eV_per_A: on atoms that are not held,
    dispersion included. vacuum_A: None without vacuum along c.
    """

    formula: str
    n_atoms: int
    pbe_eV: float
    dispersion_eV: float | None
    largest_force_eV_per_A: float
    vacuum_A: float | None
    k_points: Mesh
    is_spin_polarized: bool
    is_dipole_corrected: bool
    n_iterations: int
    cpu_s: float
    settings: DftSettings
    versions: Mapping[str, str]

    @property
    def total_eV(self) -> float:
        """PBE and dispersion."""
        return self.pbe_eV + (self.dispersion_eV or 0.0)

    def as_json(self) -> dict[str, Any]:
        """All of it, as plain JSON."""
        own = {field.name: getattr(self, field.name) for field in fields(self)}
        return {
            **own,
            "k_points": list(self.k_points),
            "settings": self.settings.as_json(),
            "versions": {**self.versions},
        }


def energy_from_json(held: Mapping[str, Any]) -> DftEnergy:
    """What as_json gave. Raises InputError where it is something else."""
    try:
        own = {field.name: held[field.name] for field in fields(DftEnergy)}
        return DftEnergy(**{**own, "settings": settings_from_json(own["settings"]), "k_points": tuple(own["k_points"])})
    except (KeyError, TypeError, AttributeError) as problem:
        raise InputError(f"not an energy that was written here ({problem!r})") from problem


def single_point(atoms: Atoms, settings: DftSettings | None = None, *, log: Path | None = None) -> DftEnergy:
    """PBE and D3(BJ) energy of atoms where they are, by GPAW with plane waves; None: with the paper's settings.

    The cell is used as it is: `with_height` sets the vacuum. log: a file for GPAW's own words. Raises InputError for
    atoms that cannot be computed, SolverError where no self-consistency is reached, EnvironmentError_ without GPAW, its
    PAW data or dftd3, saying how to install them.
    """
    settings = settings or DftSettings()
    parameters, ready = gpaw_parameters(atoms, settings), prepared(atoms, settings)
    check_installed(settings)
    begin = time.process_time()
    pbe_eV, forces, n_iterations = _pbe(ready, parameters, log)
    dispersion_eV = None
    if settings.dispersion != "none":
        dispersion_eV, more = _d3(ready)
        forces = forces + more
    free = np.ones(len(ready), bool)
    for constraint in ready.constraints:
        free[constraint.get_indices()] = False
    return DftEnergy(
        formula=ready.get_chemical_formula(),
        n_atoms=len(ready),
        pbe_eV=pbe_eV,
        dispersion_eV=dispersion_eV,
        largest_force_eV_per_A=float(np.linalg.norm(forces[free], axis=1).max(initial=0.0)),
        vacuum_A=gaps_A(ready)[2] if not ready.pbc[2] else None,
        k_points=parameters["kpts"]["size"],
        is_spin_polarized=parameters["spinpol"],
        is_dipole_corrected="poissonsolver" in parameters,
        n_iterations=n_iterations,
        cpu_s=time.process_time() - begin,
        settings=settings,
        versions=versions(),
    )


def versions() -> dict[str, str]:
    """What the numbers of a single point depend on, those that are installed.

    >>> "ase" in versions()
    True
    """
    found = {}
    for name in ("gpaw", "gpaw-data", "dftd3", "ase", "numpy", "scipy"):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def check_installed(settings: DftSettings) -> None:
    """Raises EnvironmentError_ for what is not installed, before hours are spent."""
    wanted = ("gpaw",) if settings.dispersion == "none" else ("gpaw", "dftd3")
    for name in wanted:
        if importlib.util.find_spec(name) is None:
            raise EnvironmentError_(f"{name} is not installed: {INSTALL}")


def _pbe(ready: Atoms, parameters: dict[str, Any], log: Path | None) -> tuple[float, Any, int]:
    """Energy at no smearing, float[atom, 3] forces, and how many iterations it took."""
    import gpaw  # type: ignore[import-not-found, unused-ignore]

    formula = ready.get_chemical_formula()
    try:
        ready.calc = gpaw.GPAW(**parameters, txt=str(log) if log else None)
        energy_eV = float(ready.get_potential_energy())
        forces = ready.get_forces(apply_constraint=False)
    except gpaw.ConvergenceError as problem:
        said = f"{formula}: not self-consistent after {parameters['maxiter']} iterations"
        raise SolverError(f"{said}; a larger smearing_eV or more vacuum often helps") from problem
    except FileNotFoundError as problem:
        raise EnvironmentError_(f"PAW data of GPAW are not installed: pip install gpaw-data ({problem})") from problem
    return energy_eV, forces, int(ready.calc.get_number_of_iterations())


def _d3(ready: Atoms) -> tuple[float, Any]:
    """Dispersion energy and float[atom, 3] its forces."""
    from dftd3.ase import DFTD3  # type: ignore[import-not-found, unused-ignore]

    bare = ready.copy()
    bare.calc = DFTD3(**d3_parameters())
    return float(bare.get_potential_energy()), bare.get_forces(apply_constraint=False)


def changed(settings: DftSettings, **own: Any) -> DftSettings:
    """The settings with some of them changed, their source saying so.

    >>> changed(DftSettings(), cutoff_eV=400.0).source
    'doi:10.1038/s41467-025-60609-4, changed: cutoff_eV'
    """
    source = f"{settings.source}, changed: {', '.join(sorted(own))}" if own else settings.source
    return replace(settings, **{"source": source, **own})
