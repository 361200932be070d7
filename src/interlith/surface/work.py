"""One piece of computing at a time: a crystal or a structure relaxed, a minimum kicked, a path, a point by DFT.

Each piece is a pure function of its input, so that what is stored under the input's digest need never be done again.
"""

from __future__ import annotations

import copy
import hashlib
import json
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from interlith.errors import SolverError, first_line
from interlith.surface.calculators import calculator, device

if TYPE_CHECKING:
    from ase import Atoms

VERSION = 1  # of what a piece does: another number, and stored pieces are done again
SPRING_eV_PER_A2, DECAY, GROUND_eV_PER_A2, REACH_A = 5.0, 4.0, 2.0, 5.0  # of the first guess of the Hessian
LONGEST_STEP_A, LONGEST_STEP_OF_PATH_A = 0.3, 0.2
KICK_A, PROBE_A = 0.25, 0.03
CLIMB_FROM_eV_PER_A = 0.3
PATH_SPRING_eV_PER_A2 = 0.5
VALLEY_eV = 0.02  # an image so far below its neighbors is a place to look for a minimum
HASTY_STEPS, SURE_STEPS = 60, 100  # of a band before it climbs, and again then; what needs more never arrived here
BULK_FORCE_eV_PER_A = 0.005
Kind = Literal["bulk", "relax", "kick", "path", "dft"]


@dataclass(frozen=True)
class Work:
    """A piece: what is done, by which model, on what. given: plain JSON, structures as `packed` gives them.

    name: for people; it is not part of the digest.
    """

    kind: Kind
    model: str
    identity: str
    given: Mapping[str, Any]
    name: str = ""

    @cached_property
    def key(self) -> str:
        """Digest of all that decides the result: 40 hex digits."""
        text = json.dumps([VERSION, self.kind, self.identity, self.given], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:40]


def packed(atoms: Atoms) -> dict[str, Any]:
    """A structure as plain JSON; floats keep all their bits.

    >>> from ase import Atoms
    >>> packed(Atoms("Li", cell=[3, 3, 3], pbc=True))["numbers"]
    [3]
    """
    held = sorted({int(i) for constraint in atoms.constraints for i in constraint.get_indices()})
    return {
        "numbers": atoms.numbers.tolist(),
        "positions": atoms.positions.tolist(),
        "cell": atoms.cell.array.tolist(),
        "fixed": held,
    }


def unpacked(held: Mapping[str, Any]) -> Atoms:
    """The structure again."""
    from ase import Atoms
    from ase.constraints import FixAtoms

    atoms = Atoms(numbers=held["numbers"], positions=held["positions"], cell=held["cell"], pbc=True)
    if held["fixed"]:
        atoms.set_constraint(FixAtoms(indices=held["fixed"]))
    return atoms


def do(work: Work, potential: Any = None) -> dict[str, Any]:
    """The result of a piece, plain JSON, with how many times forces were computed, the seconds and where.

    potential: an ASE calculator instead of the model's own.
    """
    if work.kind == "dft":
        return _single_point(work.given)
    kinds: dict[str, Callable[[Mapping[str, Any], Any], dict[str, Any]]] = {
        "bulk": _bulk,
        "relax": _relax,
        "kick": _kick,
        "path": _path,
    }
    began = time.perf_counter()
    counted = _counting()(_forgetful(potential if potential is not None else calculator(work.model)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = kinds[work.kind](work.given, counted)
    took = round(time.perf_counter() - began, 3)
    return {**found, "n_calls": counted.counts[0], "seconds": took, "device": device()}


def _forgetful(potential: Any) -> Any:
    """A copy that remembers nothing of earlier pieces, so that no bit depends on them; itself where it has no copy."""
    try:
        return copy.deepcopy(potential)
    except Exception:  # a calculator that talks to a program, or to a device
        return potential


def springs(atoms: Atoms) -> Any:
    """float[3 n, 3 n], eV/A2: a first guess of the Hessian, springs between neighbors that weaken with distance.

    It spares a quasi-Newton search the first steps, in which it would learn that neighbors are bound.
    """
    from ase.data import covalent_radii
    from ase.neighborlist import neighbor_list

    n, held = len(atoms), {int(i) for constraint in atoms.constraints for i in constraint.get_indices()}
    blocks = np.zeros((n, 3, n, 3))
    first, second, distances, vectors = neighbor_list("ijdD", atoms, REACH_A)
    radii = covalent_radii[atoms.numbers]
    strength = SPRING_eV_PER_A2 * np.exp(-DECAY * (distances / (radii[first] + radii[second]) - 1.0))
    unit = vectors / np.maximum(distances, 1e-9)[:, None]
    for i, j, k, u in zip(first, second, strength, unit, strict=True):
        if i != j:
            block = min(float(k), 10.0 * SPRING_eV_PER_A2) * np.outer(u, u)
            blocks[i, :, i, :] += block
            if i not in held and j not in held:
                blocks[i, :, j, :] -= block
    return blocks.reshape(3 * n, 3 * n) + GROUND_eV_PER_A2 * np.eye(3 * n)


def _counting() -> Any:
    """A calculator around another that keeps its last answer, one for each structure, and counts the others."""
    from ase.calculators.calculator import Calculator, all_changes

    class Counting(Calculator):
        implemented_properties: list[str] = ["energy", "forces", "stress"]  # noqa: RUF012 - as ASE wants it

        def __init__(self, inner: Any, counts: list[int] | None = None) -> None:
            super().__init__()
            self.inner = inner
            self.counts = [0] if counts is None else counts

        def another(self) -> Any:
            return Counting(self.inner, self.counts)

        def calculate(self, atoms: Any = None, properties: Any = ("energy",), changes: Any = all_changes) -> None:
            super().calculate(atoms, properties, changes)
            bare = atoms.copy()
            bare.set_constraint()
            bare.calc = self.inner
            self.counts[0] += 1
            try:
                found: dict[str, Any] = {
                    "energy": float(bare.get_potential_energy()),
                    "forces": np.array(bare.get_forces(), float),
                }
                if "stress" in properties:
                    found["stress"] = np.array(bare.get_stress(), float)
            except np.linalg.LinAlgError:  # of this structure alone, as an energy that is no number
                raise
            except (RuntimeError, ValueError, LookupError) as problem:
                said = f"the model cannot compute {bare.get_chemical_formula()}: {first_line(problem)}"
                raise SolverError(said) from problem
            self.results = found
            if not (np.isfinite(self.results["energy"]) and np.isfinite(self.results["forces"]).all()):
                raise ArithmeticError("energy or forces are no numbers")

    return Counting


def _single_point(given: Mapping[str, Any]) -> dict[str, Any]:
    """DFT where the atoms are; `dft` is None where it does not converge, and `failed` says so."""
    from interlith.surface.dft import settings_from_json, single_point

    began = time.perf_counter()
    try:
        energy, failed = single_point(unpacked(given["atoms"]), settings_from_json(given["settings"])).as_json(), None
    except SolverError as problem:
        energy, failed = None, str(problem)
    took = round(time.perf_counter() - began, 3)
    return {
        "dft": energy,
        "failed": failed,
        "is_converged": failed is None,
        "n_calls": 1,
        "seconds": took,
        "device": "cpu",
    }


def _bulk(given: Mapping[str, Any], potential: Any) -> dict[str, Any]:
    """A crystal relaxed with its cell, its symmetry kept."""
    from ase.constraints import FixSymmetry
    from ase.filters import FrechetCellFilter
    from ase.optimize import BFGS

    atoms = unpacked(given["atoms"])
    atoms.calc = potential
    atoms.set_constraint(FixSymmetry(atoms))
    filtered: Any = FrechetCellFilter(atoms)
    search = BFGS(filtered, logfile=None)
    try:
        is_converged = bool(search.run(fmax=BULK_FORCE_eV_PER_A, steps=given["most_steps"]))
        energy: float | None = float(atoms.get_potential_energy())
    except (ArithmeticError, np.linalg.LinAlgError):
        is_converged, energy = False, None
    atoms.set_constraint()
    return {"atoms": packed(atoms), "energy_eV": energy, "is_converged": is_converged}


def _relax(given: Mapping[str, Any], potential: Any) -> dict[str, Any]:
    return _relaxed(unpacked(given["atoms"]), potential, given["force_eV_per_A"], given["most_steps"])


def _relaxed(atoms: Atoms, potential: Any, force: float, most_steps: int) -> dict[str, Any]:
    """The nearest minimum of energy: BFGS from springs."""
    from ase.optimize import BFGS

    atoms.calc = potential
    search = BFGS(atoms, logfile=None, maxstep=LONGEST_STEP_A)
    search.H0 = springs(atoms)
    try:
        is_converged = bool(search.run(fmax=force, steps=most_steps))
    except (ArithmeticError, np.linalg.LinAlgError):
        return {"atoms": packed(atoms), "energy_eV": None, "is_converged": False, "largest_force_eV_per_A": None}
    largest = float(np.linalg.norm(atoms.get_forces(), axis=1).max())
    return {
        "atoms": packed(atoms),
        "energy_eV": float(atoms.get_potential_energy()),
        "is_converged": is_converged,
        "largest_force_eV_per_A": largest,
    }


def _kick(given: Mapping[str, Any], potential: Any) -> dict[str, Any]:
    """The last atom's curvatures with all others held; then it is pushed both ways along the softest, and relaxed."""
    atoms = unpacked(given["atoms"])
    atoms.calc = potential
    hessian = np.zeros((3, 3))
    try:
        for axis in range(3):
            pushed = [_force_on_last(atoms, axis, sign * PROBE_A) for sign in (1.0, -1.0)]
            hessian[axis] = -(pushed[0] - pushed[1]) / (2.0 * PROBE_A)
    except ArithmeticError:
        return {"curvatures_eV_per_A2": [], "ends": []}
    values, vectors = np.linalg.eigh((hessian + hessian.T) / 2.0)
    ends = []
    for sign in (1.0, -1.0):
        moved = unpacked(given["atoms"])
        moved.positions[-1] += sign * KICK_A * vectors[:, 0]
        ends.append(_relaxed(moved, potential, given["force_eV_per_A"], given["most_steps"]))
    return {"curvatures_eV_per_A2": values.tolist(), "ends": ends}


def _force_on_last(atoms: Atoms, axis: int, by: float) -> Any:
    moved = atoms.copy()
    moved.set_constraint()
    moved.positions[-1, axis] += by
    moved.calc = atoms.calc
    return moved.get_forces()[-1]


def _path(given: Mapping[str, Any], potential: Any) -> dict[str, Any]:
    """A climbing-image nudged elastic band: improved tangent, first guess by image-dependent pair potentials.

    Henkelman and Jonsson, doi:10.1063/1.1323224; Henkelman et al., doi:10.1063/1.1329672; Smidstrup et al.,
    doi:10.1063/1.4878664. Positions are never folded: a hop by a lattice vector is as long as it is.
    """
    from ase.mep import NEB

    first, last = unpacked(given["first"]), unpacked(given["last"])
    images = [*(first.copy() for _ in range(given["n_images"] + 1)), last]
    band = NEB(images, k=PATH_SPRING_eV_PER_A2, method="improvedtangent", climb=False)
    band.interpolate("idpp", mic=False)
    for image in images:
        image.calc = potential.another()
    begun = [image.positions.copy() for image in images]
    try:
        is_converged = _climbed(band, given, begun, is_hasty=True)
        if not is_converged and not _has_valley(images):
            is_converged = _climbed(band, given, begun, is_hasty=False)
        left = float(np.linalg.norm(band.get_forces(), axis=1).max())
        energies = [float(image.get_potential_energy()) for image in images]
    except (ArithmeticError, np.linalg.LinAlgError):
        return {"energies_eV": [], "images": [], "is_converged": False, "left_eV_per_A": None}
    return {
        "energies_eV": energies,
        "images": [image.positions.tolist() for image in images],
        "is_converged": is_converged,
        "left_eV_per_A": left,
    }


def _has_valley(images: Sequence[Any]) -> bool:
    """Whether an image lies lower than both its neighbors: the hop is two, and its middle will be looked for first."""
    energies = [float(image.get_potential_energy()) for image in images]
    return any(b < min(a, c) - VALLEY_eV for a, b, c in zip(energies, energies[1:], energies[2:], strict=False))


def _climbed(band: Any, given: Mapping[str, Any], begun: Any, *, is_hasty: bool) -> bool:
    """The band relaxed from where it began, then with its highest image climbing; whether it converged.

    In haste: BFGS from springs, which is given up when it has not arrived soon. Else FIRE, slower and surer.
    """
    from ase.optimize import BFGS, FIRE
    from scipy.linalg import block_diag

    for image, positions in zip(band.images, begun, strict=True):
        image.positions = positions
    band.climb = False
    search: Any = FIRE(band, logfile=None)
    if is_hasty:
        search = BFGS(band, logfile=None, maxstep=LONGEST_STEP_OF_PATH_A)
        search.H0 = block_diag(*[springs(image) for image in band.images[1:-1]])
    most = min(given["most_steps"], HASTY_STEPS if is_hasty else SURE_STEPS)
    if not search.run(fmax=max(CLIMB_FROM_eV_PER_A, given["force_eV_per_A"]), steps=most):
        return False
    band.climb = True
    return bool(search.run(fmax=given["force_eV_per_A"], steps=most))
