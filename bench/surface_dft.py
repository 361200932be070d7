"""PBE and PBE-D3(BJ) binding of lithium at the geometries of another model, by single points with GPAW.

    python bench/surface_dft.py FOLDER [--cutoff-eV 400] [--k-spacing 0.06] [--vacuum-A 12] [--only FACE] [--paper]

FOLDER holds pairs of structures, FACE.slab.extxyz and FACE.with-li.extxyz, any number. Both of a pair are laid into a
cell of one height. Lithium alone is computed twice: as bcc metal, to which the measured cohesion is added (always with
the paper's k-points: half as many are off by 0.04 eV), and as an atom in a box, spins apart. Binding energy =
E(slab) + E(Li) - E(slab with Li), positive where lithium sticks.

Each energy is kept in FOLDER/energies as soon as it is there, under a name made of structure, settings and versions:
started again, the script computes only what is missing; one that was cut off is computed anew. Two at a time: give each
another --only. A structure that does not converge is told and left out. Writes FOLDER/binding.json.

Runs without installing interlith where GPAW is, one thread each:
    apt-get install libxc-dev libopenblas-dev && CC=g++ pip install gpaw gpaw-data dftd3
    OMP_NUM_THREADS=1 PYTHONPATH=src python bench/surface_dft.py FOLDER
"""

import argparse
import hashlib
import json
import resource
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from ase import Atoms
from ase.build import bulk
from ase.io import read

from interlith.errors import InterlithError
from interlith.surface.dft import (
    SPOT_CHECK,
    DftEnergy,
    DftSettings,
    changed,
    energy_from_json,
    single_point,
    thickness_A,
    versions,
    with_height,
)
from interlith.units import LITHIUM_COHESIVE_eV

LITHIUM_A = 3.43  # lattice constant of bcc lithium in PBE; the measured one at 78 K is 3.491
BOX_A = (12.0, 12.1, 12.2)  # sides that differ, so that no symmetry is put on the atom
METAL, ATOM = "li-metal", "li-atom"
SLAB, WITH_LI = ".slab.extxyz", ".with-li.extxyz"


def structures(folder: Path, settings: DftSettings, only: str | None) -> Iterator[tuple[str, Atoms, DftSettings]]:
    """Name, atoms and settings of all to be computed: lithium alone first, the metal with the paper's k-points."""
    finest = min(settings.k_spacing_per_A, DftSettings().k_spacing_per_A)
    yield METAL, bulk("Li", "bcc", a=LITHIUM_A), replace(settings, k_spacing_per_A=finest)
    yield ATOM, Atoms("Li", [[side / 2 for side in BOX_A]], cell=BOX_A, pbc=False), settings
    for face in faces(folder, only):
        pair = {ending: read(folder / f"{face}{ending}") for ending in (SLAB, WITH_LI)}
        try:
            height_A = max(thickness_A(atoms) for atoms in pair.values()) + settings.vacuum_A
        except InterlithError as problem:
            raise SystemExit(f"{face}: {problem}") from problem
        for ending, atoms in pair.items():
            yield f"{face}{ending}".removesuffix(".extxyz"), with_height(atoms, height_A), settings


def faces(folder: Path, only: str | None) -> list[str]:
    """Those of which both structures are there."""
    found = sorted(path.name.removesuffix(SLAB) for path in folder.glob(f"*{SLAB}"))
    for face in found:
        if not (folder / f"{face}{WITH_LI}").exists():
            raise SystemExit(f"{folder}: {face}{SLAB} without {face}{WITH_LI}")
    if only is not None and only not in found:
        raise SystemExit(f"{folder}: no {only}{SLAB}; there are {', '.join(found) or 'none'}")
    return [only] if only else found


def digest(atoms: Atoms, settings: DftSettings) -> str:
    """The same for the same structure, settings and versions, and for nothing else."""
    places = (atoms.numbers.tolist(), atoms.positions.round(8).tolist(), atoms.cell.array.round(8).tolist())
    text = json.dumps([*places, settings.as_json(), versions()])
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def computed(name: str, atoms: Atoms, settings: DftSettings, folder: Path) -> DftEnergy:
    """The energy, from the folder where it is there."""
    where = folder / f"{name}.{digest(atoms, settings)}.json"
    if where.exists():
        return energy_from_json(json.loads(where.read_text()))
    begin = time.perf_counter()
    energy = single_point(atoms, settings, log=where.with_suffix(".txt"))
    kept(where, energy.as_json())
    most_MiB = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    told = f"{energy.k_points} {energy.n_iterations} iterations, {energy.cpu_s:.0f} CPU s, {most_MiB:.0f} MiB at most"
    print(f"{name}: {energy.total_eV:.4f} eV, {told}, {time.perf_counter() - begin:.0f} s", file=sys.stderr, flush=True)
    return energy


def kept(path: Path, value: Any) -> None:
    """Write JSON so that it is there whole or not at all."""
    partial = path.with_name(path.name + ".partial")
    partial.write_text(json.dumps(value, indent=1))
    partial.replace(path)


def references(energies: dict[str, DftEnergy]) -> dict[str, tuple[float, float]]:
    """Name of a reference -> energy of one lithium atom by it, PBE and with dispersion, eV."""
    metal, atom = energies[METAL], energies[ATOM]
    return {
        "metal": (metal.pbe_eV + LITHIUM_COHESIVE_eV, metal.total_eV + LITHIUM_COHESIVE_eV),
        "atom": (atom.pbe_eV, atom.total_eV),
    }


def row(face: str, energies: dict[str, DftEnergy]) -> dict[str, Any]:
    """Binding energies of a face against both references, and how far its atoms are from rest."""
    slab, with_li = energies[f"{face}.slab"], energies[f"{face}.with-li"]
    found: dict[str, Any] = {"face": face, "formula": with_li.formula, "k_points": list(with_li.k_points)}
    for name, (pbe_eV, total_eV) in references(energies).items():
        found[f"pbe_eV_against_{name}"] = slab.pbe_eV + pbe_eV - with_li.pbe_eV
        found[f"pbe_d3_eV_against_{name}"] = slab.total_eV + total_eV - with_li.total_eV
    found["largest_force_eV_per_A"] = with_li.largest_force_eV_per_A
    found["cpu_s"] = slab.cpu_s + with_li.cpu_s
    return found


def shown(rows: list[dict[str, Any]]) -> str:
    """The table for a person."""
    head = f"{'face':28} {'PBE':>7} {'+D3':>7}   {'PBE':>7} {'+D3':>7}   {'force':>7}"
    lines = [f"{'':28} {'against metal':>15}   {'against atom':>15}", head]
    for each in rows:
        metal, atom = (
            f"{each[f'pbe_eV_against_{name}']:7.3f} {each[f'pbe_d3_eV_against_{name}']:7.3f}"
            for name in ("metal", "atom")
        )
        lines.append(f"{each['face']:28} {metal}   {atom}   {each['largest_force_eV_per_A']:7.3f}")
    return "\n".join(lines)


def chosen(arguments: argparse.Namespace) -> DftSettings:
    """The settings asked for."""
    if arguments.paper:
        return DftSettings()
    asked = {
        "cutoff_eV": arguments.cutoff_eV,
        "k_spacing_per_A": arguments.k_spacing,
        "vacuum_A": arguments.vacuum_A,
    }
    return changed(SPOT_CHECK, **{name: value for name, value in asked.items() if value is not None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cutoff-eV", type=float)
    parser.add_argument("--k-spacing", type=float, help="1/A, in units of 2 pi")
    parser.add_argument("--vacuum-A", type=float)
    parser.add_argument("--only", help="one face")
    parser.add_argument("--paper", action="store_true", help="the settings of the reference paper")
    arguments = parser.parse_args()
    settings = chosen(arguments)
    held = arguments.folder / "energies"
    held.mkdir(exist_ok=True)
    energies, failed = {}, {}
    for name, atoms, own in structures(arguments.folder, settings, arguments.only):
        try:
            energies[name] = computed(name, atoms, own, held)
        except InterlithError as problem:
            failed[name] = str(problem)
            print(f"{name}: {problem}", file=sys.stderr, flush=True)
    if not {METAL, ATOM} <= energies.keys():
        raise SystemExit("no energy of lithium alone, so no binding energies")
    whole = [
        face
        for face in faces(arguments.folder, arguments.only)
        if {f"{face}.slab", f"{face}.with-li"} <= energies.keys()
    ]
    rows = [row(face, energies) for face in whole]
    print(shown(rows))
    found = {
        "what": "PBE and PBE-D3(BJ) single points at geometries of another model",
        "cohesion_of_pbe_eV": energies[ATOM].pbe_eV - energies[METAL].pbe_eV,
        "cohesion_added_to_metal_eV": LITHIUM_COHESIVE_eV,
        "settings": settings.as_json(),
        "versions": versions(),
        "rows": rows,
        "failed": failed,
    }
    name = f"binding.{arguments.only}.json" if arguments.only else "binding.json"
    kept(arguments.folder / name, found)
    if failed:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
