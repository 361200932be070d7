"""What a search finds on one face by one model: minima, hops between them, barriers, and what it left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from interlith.surface.graph import Barrier, Edge, Node, forward
from interlith.surface.slab import Cut, Slab

if TYPE_CHECKING:
    from ase import Atoms


def with_adsorbate(bare: Atoms, adsorbate: str, place_A: Any, shifts_A: Any = 0.0) -> Atoms:
    """A slab with an adsorbate, its last atom, at a place; shifts_A, float[atom, 3]: by how much the slab moved."""
    atoms = bare.copy()
    atoms.positions += shifts_A
    atoms.append(adsorbate)
    atoms.positions[-1] = place_A
    return atoms


@dataclass(frozen=True)
class Minimum:
    """Where lithium sits: the structure, its energy, and how well it is known to be a minimum.

    place_A: float[3], of lithium. shifts_A: float[atom, 3], by how much each atom of the slab moved.
    curvatures_eV_per_A2: of lithium, all else held. is_verified: these are positive, and pushed away it came back.
    """

    place_A: Any
    shifts_A: Any
    energy_eV: float
    label: str
    is_converged: bool
    curvatures_eV_per_A2: tuple[float, ...] = ()
    is_verified: bool | None = None


@dataclass(frozen=True)
class Hop:
    """A hop between two neighboring sites: its path and barrier, or an interval where the path did not converge.

    edge: of nodes. energies_eV: along the path, absolute. distances_A: of lithium along it. low_eV, high_eV: of the
    saddle, absolute; equal when the path converged. images: the structures along it, none where there is no path.
    """

    edge: Edge
    length_A: float
    energies_eV: tuple[float, ...]
    distances_A: tuple[float, ...]
    images: tuple[Atoms, ...]
    is_converged: bool
    low_eV: float
    high_eV: float


@dataclass(frozen=True)
class FaceFound:
    """What one model says of one face. refused: why there are no numbers; not_ranked: why they are not to be compared.

    atoms: the bare slab as cut and relaxed, from which the shifts of the minima count; bare: the lowest one known, that
    clean_energy_eV is of. left_out: starts that ended in no site of this face, by reason. n_rounds: of feeding back.
    """

    model: str
    cut: Cut
    slab: Slab | None
    atoms: Any
    bulk: Any
    clean_energy_eV: float | None
    free_atom_eV: float | None
    minima: tuple[Minimum, ...]
    nodes: tuple[Node, ...]
    edges: Mapping[Edge, tuple[Edge, bool]]
    hops: Mapping[Edge, Hop]
    barrier_low: Barrier | None
    barrier_high: Barrier | None
    left_out: Mapping[str, int]
    n_starts: int
    n_rounds: int
    adsorbate: str = "Li"
    refused: str | None = None
    not_ranked: str | None = None
    said: tuple[str, ...] = ()
    bare: Any = None

    @property
    def way_forward(self) -> tuple[Edge, ...]:
        """The edges of the best way, each told forward."""
        return () if self.barrier_high is None else tuple(forward(edge) for edge in self.barrier_high.way)

    def structure(self, minimum: Minimum) -> Atoms:
        """The slab with the adsorbate at a site."""
        return with_adsorbate(self.atoms, self.adsorbate, minimum.place_A, minimum.shifts_A)

    def binding_eV(self, minimum: Minimum) -> float:
        """E(slab) + E(free atom) - E(slab with it); positive where it sticks."""
        assert self.clean_energy_eV is not None
        assert self.free_atom_eV is not None
        return self.clean_energy_eV + self.free_atom_eV - minimum.energy_eV
