"""What is drawn and downloaded: rows of sites, hops, maps and paths, and structures as text."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from interlith.surface.found import FaceFound
from interlith.surface.result import Row, rounded

if TYPE_CHECKING:
    from ase import Atoms

OF_SURFACES = (
    "key",
    "name",
    "face",
    "termination",
    "is_polar",
    "binding_energy_eV",
    "spread_eV",
    "barrier_eV",
    "barrier_spread_eV",
    "barrier_2d_eV",
    "barrier_2d_spread_eV",
    "minima_verified",
    "not_ranked",
    "kind",
)


def tables_of(rows: Sequence[Row], found: Sequence[tuple[str, FaceFound]]) -> dict[str, list[Row]]:
    """Tables by name; each row with the key of its face and its model. Lengths in A, energies in eV.

    surfaces: one row for each face. sites, hops: of each model. map-atoms, map-nodes, map-hops: what is seen from
    above. profile: along the best way, above the best site.
    """
    tables: dict[str, list[Row]] = {
        "surfaces": [
            {**{key: row[key] for key in OF_SURFACES}, **{f"paper_{key}": value for key, value in _paper(row).items()}}
            for row in rows
        ]
    }
    pairs = [({"key": row["key"], "model": one["model"]}, one) for row in rows for one in row["models"]]
    named = {"sites": "sites", "hops": "hops", "barrier-along": "barrier_along", "profile": "way"}
    for name, key in named.items():
        tables[name] = [{**of, **held} for of, one in pairs for held in one[key]]
    for name, make in (("map-atoms", _atoms), ("map-nodes", _nodes), ("map-hops", _hops)):
        tables[name] = [{"key": key, "model": one.model, **held} for key, one in found for held in make(one)]
    return tables


def structures_of(found: FaceFound) -> str:
    """The bare slab, every site and the images of the best way, as extended XYZ; each says what it is."""
    from ase.io import write

    frames: list[Atoms] = []
    if found.atoms is None:
        return ""
    frames.append(_framed(found, found.bare, "bare slab", found.clean_energy_eV))
    for number, one in enumerate(found.minima):
        frames.append(_framed(found, found.structure(one), f"site {number} {one.label}", one.energy_eV))
    text = io.StringIO()
    write(text, frames, format="extxyz", write_results=False)
    return text.getvalue()


def _framed(found: FaceFound, atoms: Atoms, name: str, energy: float | None) -> Atoms:
    """A copy with nothing of a calculator, and its words."""
    from ase import Atoms

    framed = Atoms(numbers=atoms.numbers, positions=np.round(atoms.positions, 6), cell=atoms.cell.array, pbc=True)
    held = np.zeros(len(framed), int)
    for constraint in atoms.constraints:
        held[constraint.get_indices()] = 1
    framed.arrays["fixed"] = held
    framed.info = {"what": name, "model": found.model, "model_energy_eV": energy}
    return framed


def _paper(row: Row) -> Row:
    return {key: row["paper"].get(key) for key in ("binding_energy_eV", "barrier_eV")}


def _atoms(found: FaceFound) -> list[Row]:
    from ase.data import covalent_radii

    if found.atoms is None:
        return []
    return [
        {
            "element": atom.symbol,
            "x_A": rounded(atom.position[0]),
            "y_A": rounded(atom.position[1]),
            "z_A": rounded(atom.position[2]),
            "radius_A": rounded(covalent_radii[atom.number]),
        }
        for atom in found.atoms
    ]


def _nodes(found: FaceFound) -> list[Row]:
    return [
        {"site": node.site, "x_A": rounded(node.place_A[0]), "y_A": rounded(node.place_A[1])} for node in found.nodes
    ]


def _hops(found: FaceFound) -> list[Row]:
    if found.atoms is None or not found.minima:
        return []
    plane, best = found.atoms.cell.array[:2, :2], found.minima[0].energy_eV
    walked = set() if found.barrier_high is None else set(found.way_forward)
    rows = []
    for edge, (first, _) in found.edges.items():
        begin = found.nodes[edge[0]].place_A[:2]
        end = found.nodes[edge[1]].place_A[:2] + np.array(edge[2:]) @ plane
        rows.append(
            {
                "x1_A": rounded(begin[0]),
                "y1_A": rounded(begin[1]),
                "x2_A": rounded(end[0]),
                "y2_A": rounded(end[1]),
                "saddle_eV": rounded(found.hops[first].high_eV - best),
                "is_converged": found.hops[first].is_converged,
                "is_on_the_way": edge in walked,
            }
        )
    return rows
