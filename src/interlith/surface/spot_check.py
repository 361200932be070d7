"""A face beyond the model that searched it: single points by DFT at its geometry, and inputs for other programs."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from interlith.errors import InputError
from interlith.surface.dft import SPOT_CHECK, DftSettings, energy_from_json, thickness_A, versions, with_height
from interlith.surface.found import FaceFound
from interlith.surface.inputs import write_gpaw, write_vasp, write_vasp_neb
from interlith.surface.work import Work, packed
from interlith.units import LITHIUM_COHESIVE_eV

if TYPE_CHECKING:
    from ase import Atoms

CHECKS: Mapping[str, DftSettings] = {"gpaw": SPOT_CHECK, "gpaw-paper": DftSettings()}
WHAT = "PBE-D3(BJ) single points at the geometry of"
LITHIUM_PBE_A = 3.43  # cell of bcc lithium in PBE; the energy there is flat: 0.05 A are 1 meV


def best_structures(found: FaceFound) -> tuple[Atoms, Atoms]:
    """The lowest bare slab known, and the slab with lithium at its best site. Raises InputError for a face without."""
    if found.bare is None or not found.minima:
        raise InputError(f"{found.model}: no site on this face ({found.refused})")
    return found.bare.copy(), found.structure(found.minima[0])


def spot_check(found: FaceFound, name: str) -> Generator[list[Work], list[dict[str, Any]], dict[str, Any]]:
    """Binding energy by DFT at the geometry of a model: three pieces of work, and then plain numbers.

    name: of CHECKS; "gpaw" has a coarser cutoff and mesh, "gpaw-paper" those of the publication. Against bulk lithium
    of the same DFT + its measured cohesive energy, as everywhere here.
    """
    from ase.build import bulk

    settings = CHECKS[name]
    bare, with_lithium = best_structures(found)
    height_A = max(thickness_A(atoms) for atoms in (bare, with_lithium)) + settings.vacuum_A
    pair = [with_height(atoms, height_A) for atoms in (bare, with_lithium)]
    finest = replace(settings, k_spacing_per_A=min(settings.k_spacing_per_A, DftSettings().k_spacing_per_A))
    metal = bulk("Li", "bcc", a=LITHIUM_PBE_A)
    results = yield [_work(metal, finest, "Li"), *(_work(atoms, settings, "slab") for atoms in pair)]
    failed = [result["failed"] for result in results if result["failed"]]
    return {
        "what": f"{WHAT} {found.model}",
        "model": found.model,
        **(_NOTHING if failed else _binding(results)),
        "model_eV": found.binding_eV(found.minima[0]),
        "failed": "; ".join(failed) or None,
        "settings": settings.as_json(),
        "versions": versions(),
    }


_NOTHING = {"pbe_eV": None, "pbe_d3_eV": None, "largest_force_eV_per_A": None}


def _binding(results: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Of lithium metal, bare slab, and slab with lithium."""
    lithium, slab, whole = (energy_from_json(result["dft"]) for result in results)
    return {
        "pbe_eV": slab.pbe_eV + lithium.pbe_eV + LITHIUM_COHESIVE_eV - whole.pbe_eV,
        "pbe_d3_eV": slab.total_eV + lithium.total_eV + LITHIUM_COHESIVE_eV - whole.total_eV,
        "largest_force_eV_per_A": max(slab.largest_force_eV_per_A, whole.largest_force_eV_per_A),
    }


def write_inputs(found: FaceFound, folder: Path, code: str, title: str) -> list[Path]:
    """Inputs with the paper's settings: the bare slab, the one with lithium, and for VASP the hop that decides.

    code: "vasp" or "gpaw". Folders `bare`, `with-lithium`, `hop` below `folder`. Raises InputError for a face without a
    site.
    """
    bare, with_lithium = best_structures(found)
    paths = []
    for name, atoms in (("bare", bare), ("with-lithium", with_lithium)):
        if code == "gpaw":
            paths += write_gpaw(atoms, folder / name, title=f"{title}, {name}")
        else:
            paths += write_vasp(atoms, folder / name, title=f"{title}, {name}", task="relax")
    if code == "gpaw":
        return paths
    images = deciding_images(found)
    return [*paths, *(write_vasp_neb(images, folder / "hop", title=f"{title}, hop") if images else [])]


def deciding_images(found: FaceFound) -> list[Atoms]:
    """The images of the hop with the highest saddle on the best way; none where there is no way."""
    hops = [found.hops[found.edges[edge][0]] for edge in found.way_forward]
    if not hops:
        return []
    return list(max(hops, key=lambda hop: hop.high_eV).images)


def _work(atoms: Atoms, settings: DftSettings, name: str) -> Work:
    given = {"atoms": packed(atoms), "settings": settings.as_json()}
    return Work("dft", "gpaw", f"gpaw {sorted(versions().items())}", given, name)
