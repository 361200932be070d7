"""Slabs of a crystal: every distinct way to cut a face, named by the bonds it breaks, and marked where it is polar."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from interlith.errors import InputError
from interlith.surface.crystal import SYMMETRY_A, Crystal, primitive
from interlith.surface.miller import Miller, SurfaceLattice, surface_lattice
from interlith.surface.settings import Settings

if TYPE_CHECKING:
    from ase import Atoms

SAME_HEIGHT_A = 0.05
BOND_FACTOR = 1.12  # of the distance to the nearest neighbor; second neighbors of a bcc metal are at 1.155
ANIONS = {"F": -1, "Cl": -1, "Br": -1, "I": -1, "O": -2, "S": -2, "Se": -2, "Te": -2, "N": -3}
MOST_ATOMS = 1000
THINNEST_A, THIN_A = 1.75, 5.0  # a slab below the first is not searched, one below the second is told
POLAR_e_per_A = 1e-3  # dipole over area, below which it is rounding


@dataclass(frozen=True)
class Cut:
    """One way to cut a face: where, which bonds it breaks, and what is left dangling on top.

    face: with its sense. height_A: of the cut in one repeat. dangling: element -> broken bonds of the top, per surface
    cell; below: of what is taken away. top: elements of the topmost plane. name: by what dangles, for instance "Zn" or
    "Zn (Zn3)". is_easiest: no other cut of this sense breaks fewer.
    """

    face: Miller
    height_A: float
    dangling: tuple[tuple[str, int], ...]
    below: tuple[tuple[str, int], ...]
    top: str
    name: str
    is_easiest: bool

    @property
    def n_broken(self) -> int:
        """Bonds broken in one surface cell."""
        return sum(n for _, n in self.dangling)


@dataclass(frozen=True)
class Slab:
    """A slab in its cell, top at high z, periodic in the plane.

    atoms: with the atoms below held (a constraint of ASE). repeat: of the surface cell. n_layers, n_fixed: of layers,
    each from one cut to the next equal one. dipole_e_per_A: over area, of formal charges (assumed); None where the
    crystal has no anion.
    """

    atoms: Atoms
    cut: Cut
    repeat: tuple[int, int]
    n_layers: int
    n_fixed: int
    dipole_e_per_A: float | None

    @property
    def is_polar(self) -> bool:
        """Whether formal charges leave a dipole across the slab: its energies then depend on its thickness."""
        return self.dipole_e_per_A is not None and abs(self.dipole_e_per_A) > POLAR_e_per_A

    @property
    def thick_A(self) -> float:
        """From the lowest to the highest atom."""
        return float(np.ptp(self.atoms.positions[:, 2]))

    @property
    def fixed(self) -> Any:
        """bool[atom]: held."""
        held = np.zeros(len(self.atoms), bool)
        for constraint in self.atoms.constraints:
            held[constraint.get_indices()] = True
        return held


@dataclass(frozen=True)
class _Bulk:
    """The primitive cell and its bonds. bonds: (i, j, height of i, height of j) with j not below i."""

    atoms: Atoms
    lattice: SurfaceLattice
    heights: Any
    bonds: tuple[tuple[int, int, float, float], ...]


def cuts(crystal: Crystal, face: Miller) -> list[Cut]:
    """Every distinct cut of a face; of both senses where no symmetry of the crystal makes them equal.

    Those that break the fewest bonds of their sense come first.

    >>> from interlith.surface.crystal import read_crystal
    >>> from interlith.surface.miller import parse_face
    >>> [(cut.face.written, cut.name, cut.n_broken) for cut in cuts(read_crystal("ZnO"), parse_face("002"))]
    [('002', 'Zn', 1), ('00-2', 'O', 1), ('002', 'O (O3)', 3), ('00-2', 'Zn (Zn3)', 3)]
    """
    senses = [face] if _both_senses_are_one(crystal, face) else [face, face.opposite]
    found = [cut for sense in senses for cut in _cuts_of(crystal, sense)]
    named = [_named(cut, found) for cut in found]
    return sorted(named, key=lambda cut: not cut.is_easiest)


def cut_named(crystal: Crystal, face: Miller, termination: str) -> Cut:
    """The cut of a face by the name of its termination. Raises InputError for a name that it has not."""
    found = cuts(crystal, face)
    for cut in found:
        if cut.name == termination:
            return cut
    has = ", ".join(repr(cut.name) for cut in found)
    raise InputError(f"no termination {termination!r} of {crystal.name} ({face.written}); it has {has}")


def make_slab(
    crystal: Crystal,
    cut: Cut,
    *,
    n_layers: int = 4,
    n_fixed: int = 2,
    vacuum_A: float = 20.0,
    least_width_A: float = 5.0,
    repeat: tuple[int, int] | None = None,
) -> Slab:
    """A slab of a crystal, already relaxed or not, below a cut.

    repeat: of the surface cell; None: as often as both sides are at least least_width_A. Raises InputError for a slab
    too thin for its fixed layers, and for one of too many atoms.
    """
    from ase import Atoms
    from ase.constraints import FixAtoms

    if not 0 <= n_fixed < n_layers:
        raise InputError(f"{n_fixed} of {n_layers} layers fixed: at least one must be free to move")
    bulk = _bulk(crystal, cut.face)
    tops = _equal_heights(bulk, cut)
    top = cut.height_A
    bottom, held_below = (_below(tops, bulk.lattice.spacing_A, top, n) for n in (n_layers, n_layers - n_fixed))
    numbers, positions = _between(bulk, bottom, top)
    turned = _turned(bulk.lattice)
    plane = bulk.lattice.in_plane_A @ turned.T
    cell = np.array([plane[0], plane[1], [0.0, 0.0, top - bottom + vacuum_A]])
    at = positions @ turned.T - [0.0, 0.0, bottom - vacuum_A / 2.0]
    atoms = Atoms(numbers=numbers, positions=at, cell=cell, pbc=True)
    atoms.set_scaled_positions(_wrapped(atoms.get_scaled_positions(wrap=False)))
    times = repeat or _repeat(cell, least_width_A)
    if (n_atoms := len(atoms) * times[0] * times[1]) > MOST_ATOMS:
        raise InputError(f"a slab of {n_atoms} atoms: at most {MOST_ATOMS}; fewer n_layers, or a smaller repeat")
    atoms = atoms.repeat((*times, 1))
    atoms = atoms[np.lexsort((atoms.positions[:, 0], atoms.positions[:, 1], atoms.positions[:, 2]))]
    held = atoms.positions[:, 2] < held_below - bottom + vacuum_A / 2.0
    atoms.set_constraint(FixAtoms(mask=held))
    return Slab(atoms, cut, times, n_layers, n_fixed, _dipole(atoms))


def slab_of(crystal: Crystal, cut: Cut, settings: Settings) -> Slab:
    """The slab that settings ask for. Raises as make_slab does."""
    return make_slab(
        crystal,
        cut,
        n_layers=settings.n_layers,
        n_fixed=settings.n_fixed,
        vacuum_A=settings.vacuum_A,
        least_width_A=settings.least_width_A,
        repeat=settings.repeat,
    )


def _bulk(crystal: Crystal, face: Miller) -> _Bulk:
    from ase.neighborlist import neighbor_list

    small = primitive(crystal.atoms)
    lattice = surface_lattice(crystal.atoms.cell.array, small.cell.array, face.reduced)
    heights = small.positions @ lattice.normal
    reach = 1.3 * _nearest(small).max() + 0.1
    first, second, distances, vectors = neighbor_list("ijdD", small, reach)
    nearest = _nearest(small)
    bonds = tuple(
        (int(i), int(j), float(heights[i]), float(heights[i] + vector @ lattice.normal))
        for i, j, d, vector in zip(first, second, distances, vectors, strict=True)
        if d <= BOND_FACTOR * max(nearest[i], nearest[j]) and vector @ lattice.normal > SAME_HEIGHT_A
    )
    return _Bulk(small, lattice, heights, bonds)


def _nearest(atoms: Atoms) -> Any:
    """float[atom]: distance to the nearest neighbor, A."""
    from ase.neighborlist import neighbor_list

    reach = 2.0 * (atoms.get_volume() / len(atoms)) ** (1 / 3)
    while True:
        first, distances = neighbor_list("id", atoms, reach)
        if len(set(first)) == len(atoms):
            return np.array([distances[first == i].min() for i in range(len(atoms))])
        reach *= 1.5


def _cuts_of(crystal: Crystal, face: Miller) -> list[Cut]:
    """The distinct cuts of one sense, named by their elements alone."""
    bulk = _bulk(crystal, face)
    found: dict[float, Cut] = {}
    for height in _candidates(bulk):
        if not any(_are_equal(bulk, height, other.height_A) for other in found.values()):
            found[height] = Cut(face, height, *_broken(bulk, height), _top(bulk, height), "", False)
    least = min(cut.n_broken for cut in found.values())
    return [
        replace(cut, name="+".join(element for element, _ in cut.dangling) or cut.top, is_easiest=cut.n_broken == least)
        for cut in sorted(found.values(), key=lambda cut: _place(bulk, cut))
    ]


def _place(bulk: _Bulk, cut: Cut) -> tuple[Any, ...]:
    """The order of cuts, which does not depend on where the cell begins."""
    planes = [(round(depth, 1), elements) for depth, elements in _planes_below(bulk, cut.height_A)]
    return cut.n_broken, cut.dangling, cut.below, cut.top, planes


def _candidates(bulk: _Bulk) -> list[float]:
    """Heights midway between planes of atoms, of one repeat."""
    spacing = bulk.lattice.spacing_A
    heights = np.sort(np.mod(bulk.heights, spacing))
    planes = [heights[0]]
    for height in heights[1:]:
        if height - planes[-1] > SAME_HEIGHT_A:
            planes.append(height)
    if len(planes) > 1 and planes[0] + spacing - planes[-1] <= SAME_HEIGHT_A:
        planes.pop()
    above = [*planes[1:], planes[0] + spacing]
    return [float((low + high) / 2.0) for low, high in zip(planes, above, strict=True)]


def _are_equal(bulk: _Bulk, first: float, second: float) -> bool:
    """Whether two cuts break the same bonds, and meet the same planes downwards: their elements and depths."""
    if _broken(bulk, first) != _broken(bulk, second):
        return False
    planes = [_planes_below(bulk, height) for height in (first, second)]
    return len(planes[0]) == len(planes[1]) and all(
        abs(a[0] - b[0]) < SAME_HEIGHT_A and a[1] == b[1] for a, b in zip(*planes, strict=True)
    )


def _planes_below(bulk: _Bulk, height: float) -> list[tuple[float, list[str]]]:
    """Depth below a cut and elements of each plane of one repeat, downwards."""
    symbols = bulk.atoms.get_chemical_symbols()
    depths = np.mod(height - bulk.heights, bulk.lattice.spacing_A)
    planes: list[tuple[float, list[str]]] = []
    for i in np.argsort(depths, kind="stable"):
        if planes and depths[i] - planes[-1][0] < SAME_HEIGHT_A:
            planes[-1][1].append(symbols[i])
        else:
            planes.append((float(depths[i]), [symbols[i]]))
    return [(depth, sorted(elements)) for depth, elements in planes]


def _broken(bulk: _Bulk, height: float) -> tuple[tuple[tuple[str, int], ...], tuple[tuple[str, int], ...]]:
    """Ends of the bonds that a cut breaks, by element: those below it, which dangle on top of the slab, and above."""
    symbols = bulk.atoms.get_chemical_symbols()
    lower, upper = Counter(), Counter()  # type: ignore[var-annotated]
    for i, j, low, high in bulk.bonds:
        n = _n_between(low, high, height, bulk.lattice.spacing_A)
        lower[symbols[i]] += n
        upper[symbols[j]] += n
    return tuple(sorted((k, n) for k, n in lower.items() if n)), tuple(sorted((k, n) for k, n in upper.items() if n))


def _n_between(low: float, high: float, height: float, spacing: float) -> int:
    """How many of the planes at height + n spacing lie between low and high."""
    return int(np.floor((high - height) / spacing) - np.floor((low - height) / spacing))


def _top(bulk: _Bulk, height: float) -> str:
    return "+".join(sorted(set(_planes_below(bulk, height)[0][1])))


def _named(cut: Cut, all_cuts: list[Cut]) -> Cut:
    """The cut with a name of its own: those that break the fewest bonds keep the short one where they can.

    Else it counts the bonds, then says which element is on top, then how the slab is numbered among its like.
    """
    same = [other for other in all_cuts if other.name == cut.name and other is not cut]
    if not same or (cut.is_easiest and cut.dangling and not any(other.is_easiest for other in same)):
        return cut
    counts = " ".join(f"{element}{n}" for element, n in cut.dangling)
    name = f"{cut.name} ({counts})" if counts else cut.name
    like = [other for other in same if (other.face, other.dangling) == (cut.face, cut.dangling)]
    if like:
        name += f", {cut.top} on top"
        like = [other for other in all_cuts if other in (cut, *like) and other.top == cut.top]
        name += f" ({like.index(cut) + 1})" if len(like) > 1 else ""
    return replace(cut, name=name)


def _both_senses_are_one(crystal: Crystal, face: Miller) -> bool:
    """Whether a symmetry of the crystal turns the face into its opposite."""
    import spglib

    cell = (crystal.atoms.cell.array, crystal.atoms.get_scaled_positions(), crystal.atoms.numbers)
    found = spglib.get_symmetry(cell, symprec=SYMMETRY_A)
    rotations = [] if found is None else found["rotations"]
    h = np.array(face.reduced)
    return any(np.array_equal(h @ rotation, -h) for rotation in rotations)


def _equal_heights(bulk: _Bulk, cut: Cut) -> list[float]:
    """Heights of all cuts of one repeat that break the same bonds."""
    return [height for height in _candidates(bulk) if _are_equal(bulk, height, cut.height_A)]


def _below(heights: list[float], spacing: float, top: float, n: int) -> float:
    """The height of the n-th equal cut below the top."""
    beginning = heights.index(min(heights, key=lambda height: abs(height - top)))
    place = beginning - n
    return heights[place % len(heights)] + spacing * (place // len(heights))


def _between(bulk: _Bulk, bottom: float, top: float) -> tuple[Any, Any]:
    spacing, up = bulk.lattice.spacing_A, bulk.lattice.up_A
    numbers, positions = [], []
    for number, position, height in zip(bulk.atoms.numbers, bulk.atoms.positions, bulk.heights, strict=True):
        first, last = int(np.ceil((bottom - height) / spacing)), int(np.floor((top - height) / spacing))
        for n in range(first, last + 1):
            numbers.append(number)
            positions.append(position + n * up)
    return np.array(numbers), np.array(positions)


def _turned(lattice: SurfaceLattice) -> Any:
    """float[3, 3]: the rotation that lays the first vector along x and the normal along z."""
    x = lattice.in_plane_A[0] / np.linalg.norm(lattice.in_plane_A[0])
    return np.array([x, np.cross(lattice.normal, x), lattice.normal])


def _wrapped(scaled: Any) -> Any:
    """Fractions of the cell in the plane, from 0 to below 1, rounding aside."""
    plane = np.mod(scaled[:, :2] + 1e-6, 1.0) - 1e-6
    return np.column_stack([plane, scaled[:, 2]])


def _repeat(cell: Any, least_width_A: float) -> tuple[int, int]:
    """How often the surface cell is repeated so that an adsorbate is at least so far from its images."""
    lengths = np.linalg.norm(cell[:2], axis=1)
    first, second = (int(np.ceil(least_width_A / length - 1e-6)) for length in lengths)
    return first, second


def _dipole(atoms: Atoms) -> float | None:
    """Dipole over area, e/A: anions with their formal charges, the other atoms sharing what balances them."""
    symbols = np.array(atoms.get_chemical_symbols())
    is_anion = np.isin(symbols, list(ANIONS))
    if not is_anion.any() or is_anion.all():
        return None
    charges = np.array([float(ANIONS.get(symbol, 0)) for symbol in symbols])
    charges[~is_anion] = -charges.sum() / (~is_anion).sum()
    area = float(np.linalg.norm(np.cross(atoms.cell.array[0], atoms.cell.array[1])))
    return float(charges @ (atoms.positions[:, 2] - atoms.positions[:, 2].mean())) / area
