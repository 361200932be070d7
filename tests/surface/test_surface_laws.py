"""Searches by the effective-medium potential: against an independent elastic band and published barriers, and what
must not change when the crystal is written, turned or begun in another way."""

from functools import cache

import numpy as np
import pytest
from pytest import approx

pytest.importorskip("ase")
pytest.importorskip("spglib")

from ase import Atoms
from ase.build import add_adsorbate, bulk, fcc100, fcc111
from ase.calculators.emt import EMT
from ase.calculators.lj import LennardJones
from ase.constraints import FixAtoms
from ase.mep import NEB
from ase.optimize import BFGS, FIRE
from surface_searches import (
    LJ_MODEL,
    COPPER_COHESIVE_eV,
    GOLD_COHESIVE_eV,
    barrier_eV,
    found_of,
    metal,
)

from interlith.surface.crystal import Crystal, read_crystal
from interlith.surface.result import model_row
from interlith.surface.tables import structures_of
from interlith.surface.work import Work, do, packed

pytestmark = pytest.mark.filterwarnings("ignore:Set OLD_ERROR_HANDLING:DeprecationWarning")
PATH_eV = 2e-3  # of two bands with other images, stopped at 0.05 eV/A
SIZE_eV = 0.01  # of 2 x 2 against 3 x 3: EMT ends at the third neighbor, what is left is strain


@cache
def copper(face="111", **settings):
    return found_of("Cu", face, **{"repeat": (2, 2), **settings})


@cache
def gold_on_aluminum():
    """Settings of the tutorial of ASE: three layers, two of them held, 2 x 2."""
    return found_of(metal("Al"), "100", adsorbate="Au", cohesive_energy_eV=GOLD_COHESIVE_eV, n_fixed=2, repeat=(2, 2))


def band_eV(slab, element, begin, end, n_images=7):
    """A barrier by a plain band of ASE, FIRE and a straight first guess; and by how much its ends differ."""
    ends = []
    for place in (begin, end):
        atoms = slab.copy()
        atoms.append(element)
        atoms.positions[-1] = place
        atoms.calc = EMT()
        BFGS(atoms, logfile=None).run(fmax=0.01, steps=200)
        ends.append(atoms)
    images = [ends[0], *(ends[0].copy() for _ in range(n_images)), ends[1]]
    for image in images[1:-1]:
        image.calc = EMT()
    band = NEB(images, climb=True, method="aseneb")
    band.interpolate()
    assert FIRE(band, logfile=None).run(fmax=0.03, steps=400)
    energies = [image.get_potential_energy() for image in images]
    return max(energies) - energies[0], energies[-1] - energies[0]


def bare(build, symbol, lattice_A, n_fixed):
    slab = build(symbol, (2, 2, 3), a=lattice_A, vacuum=4.0, periodic=True)
    slab.set_constraint(FixAtoms(mask=[atom.tag > 3 - n_fixed for atom in slab]))
    add_adsorbate(slab, symbol, 1.9, "ontop")  # for the places of its sites
    top = slab.positions[-1]
    del slab[-1]
    return slab, top


def test_gold_on_aluminum_has_the_barrier_of_the_tutorial_of_ase():
    """0.35 eV: wiki.fysik.dtu.dk/ase/tutorials/constraints/diffusion.html, by band and by constraint."""
    found = gold_on_aluminum()
    assert [(one.label, one.is_verified) for one in found.minima] == [("Al4", True)]
    assert barrier_eV(found) == approx(0.35, abs=0.005)
    ways = found.barrier_high
    assert ways.first_eV == ways.second_eV == ways.everywhere_eV == ways.anywhere_eV


def test_gold_on_aluminum_against_an_independent_band():
    found = gold_on_aluminum()
    lattice_A = found.bulk.cell.lengths()[0]
    slab, top = bare(fcc100, "Al", lattice_A, 2)
    half = lattice_A / 2**0.5 / 2
    begin = top + np.array([half, half, -0.2])
    barrier, difference = band_eV(slab, "Au", begin, begin + np.array([2 * half, 0, 0]))
    assert difference == approx(0.0, abs=1e-4)
    assert barrier_eV(found) == approx(barrier, abs=PATH_eV)


def test_copper_on_copper_111_against_an_independent_band():
    found = copper()
    assert [one.label for one in found.minima] == ["Cu3", "Cu3"]
    lattice_A = found.bulk.cell.lengths()[0]
    slab, top = bare(fcc111, "Cu", lattice_A, 1)
    side = lattice_A / 2**0.5
    begin = top + np.array([side / 2, side / 12**0.5, 0])
    end = top + np.array([side, side / 3**0.5, 0])
    barrier, difference = band_eV(slab, "Cu", begin, end)
    energies = sorted(one.energy_eV for one in found.minima)
    assert abs(difference) == approx(energies[1] - energies[0], abs=1e-4)
    highest = max(barrier, barrier - difference)  # from the lower of both
    assert barrier_eV(found) == approx(highest, abs=PATH_eV)


def test_a_path_walked_back_has_the_same_saddle():
    found = copper()
    (hop,) = found.hops.values()
    first, last = hop.images[0], hop.images[-1]
    given = {"n_images": 5, "force_eV_per_A": 0.02, "most_steps": 300}
    there, back = (
        do(Work("path", "emt", "emt", {"first": packed(a), "last": packed(b), **given}), EMT())
        for a, b in ((first, last), (last, first))
    )
    assert there["is_converged"]
    assert back["is_converged"]
    forward_eV = max(there["energies_eV"]) - there["energies_eV"][0]
    back_eV = max(back["energies_eV"]) - back["energies_eV"][0]
    assert forward_eV - back_eV == approx(there["energies_eV"][-1] - there["energies_eV"][0], abs=5e-4)
    assert max(there["energies_eV"]) == approx(max(hop.energies_eV), abs=5e-4)


def test_a_hop_by_a_vector_of_the_lattice_is_as_long_as_it_is_and_no_false_zero():
    """Of one adsorbate in a cell of 1 x 1 the ends of the hop are images of each other."""
    found = found_of("Cu", "100", repeat=(1, 1))
    (hop,) = found.hops.values()
    assert hop.length_A == approx(found.bulk.cell.lengths()[0] / 2**0.5, abs=1e-3)
    assert hop.energies_eV[0] == approx(hop.energies_eV[-1], abs=1e-5)
    assert barrier_eV(found) > 0.1


# ---- energies --------------------------------------------------------------------------------------------------------


def test_energies_are_those_of_the_structures_that_are_told():
    from io import StringIO

    from ase.io import read

    found = copper()
    frames = read(StringIO(structures_of(found)), index=":", format="extxyz")
    assert len(frames) == 1 + len(found.minima)
    energies = [found.clean_energy_eV, *(one.energy_eV for one in found.minima)]
    for frame, energy in zip(frames, energies, strict=True):
        frame.calc = EMT()
        assert frame.get_potential_energy() == approx(energy, abs=1e-5)
    solid = found.bulk.copy()
    solid.calc = EMT()
    assert found.free_atom_eV == approx(solid.get_potential_energy() / len(solid) + COPPER_COHESIVE_eV, abs=1e-6)
    for place, one in enumerate(found.minima):
        want = found.clean_energy_eV + found.free_atom_eV - one.energy_eV
        assert found.binding_eV(one) == want
        row = model_row(found)["sites"][place]
        assert row["binding_energy_eV"] == approx(want, abs=6e-5)


def test_every_structure_told_as_a_minimum_is_one():
    for found in (copper(), gold_on_aluminum()):
        for one in found.minima:
            atoms = found.atoms.copy()
            atoms.positions += one.shifts_A
            atoms.append(Atoms(found.adsorbate)[0])
            atoms.positions[-1] = one.place_A
            atoms.set_constraint(found.atoms.constraints)
            atoms.calc = EMT()
            assert np.linalg.norm(atoms.get_forces(), axis=1).max() < 0.02 + 1e-6
            assert min(one.curvatures_eV_per_A2) > 0
            assert atoms.get_potential_energy() == approx(one.energy_eV, abs=1e-6)


def test_more_neighbors_bind_more_and_none_as_much_as_the_bulk_has():
    """Cu on Cu: 3, 4 and 5 neighbors on (111), (100), (110); a kink would bind by the cohesive energy."""
    binding = [copper(face).binding_eV(copper(face).minima[0]) for face in ("111", "100", "110")]
    assert [copper(face).minima[0].label for face in ("111", "100", "110")] == ["Cu3", "Cu4", "Cu5"]
    dimer = Atoms("Cu2", positions=[(0, 0, 0), (0, 0, 2.3)], cell=(12, 12, 12), calculator=EMT())
    BFGS(dimer, logfile=None).run(fmax=0.01)
    atom = Atoms("Cu", cell=(12, 12, 12), calculator=EMT())
    bond = 2 * atom.get_potential_energy() - dimer.get_potential_energy()
    assert 0.5 * bond < binding[0] < binding[1] < binding[2] < COPPER_COHESIVE_eV


def test_a_pair_potential_by_hand():
    """Lennard-Jones on (100): bulk, slab and adsorbate summed pair by pair in numpy."""
    epsilon, sigma, cutoff = 0.3, 2.3, 6.0
    potential = LennardJones(epsilon=epsilon, sigma=sigma, rc=cutoff, smooth=False)

    def summed(atoms):
        n = np.ceil(cutoff / np.abs(1.0 / np.linalg.norm(np.linalg.inv(atoms.cell.array), axis=0))).astype(int) + 1
        shifts = np.array(list(np.ndindex(*(2 * n + 1)))) - n
        points = (atoms.positions[None] + (shifts @ atoms.cell.array)[:, None]).reshape(-1, 3)
        r = np.linalg.norm(atoms.positions[:, None] - points[None], axis=-1)
        r = r[(r > 1e-6) & (r < cutoff)]
        e0 = 4 * epsilon * ((sigma / cutoff) ** 12 - (sigma / cutoff) ** 6)
        return float((4 * epsilon * ((sigma / r) ** 12 - (sigma / r) ** 6) - e0).sum() / 2)

    crystal = Crystal("lj", "lj", bulk("Cu", cubic=True, a=3.58))
    found = found_of(crystal, "100", model=LJ_MODEL, potential=potential, repeat=(2, 2), n_layers=2)
    assert found.refused is None
    for one in found.minima:
        atoms = found.atoms.copy()
        atoms.positions += one.shifts_A
        free = summed(found.bulk) / len(found.bulk) + COPPER_COHESIVE_eV
        with_it = Atoms([*atoms.symbols, "Cu"], positions=[*atoms.positions, one.place_A], cell=atoms.cell, pbc=True)
        assert found.binding_eV(one) == approx(summed(found.atoms) + free - summed(with_it), abs=1e-6)
    assert found.minima[0].label == "Cu4"


# ---- what must not matter --------------------------------------------------------------------------------------------


def told(found):
    """Sites with their binding energies, best first; and the barriers every way."""
    return [(one.label, found.binding_eV(one)) for one in found.minima], barrier_eV(found)


def assert_same(found, other, within_eV=5e-3):
    (sites, barrier), (others, other_barrier) = told(found), told(other)
    assert [label for label, _ in sites] == [label for label, _ in others]
    assert [energy for _, energy in sites] == approx([energy for _, energy in others], abs=1e-3)
    assert barrier == approx(other_barrier, abs=within_eV)


@pytest.mark.parametrize("seed", [1, 20250601])
def test_other_seeds_find_the_same_sites_and_barrier(seed):
    assert_same(copper("100", seed=0), copper("100", seed=seed))


def test_the_grid_alone_finds_what_the_named_starts_find(monkeypatch):
    """Without starts on top, on bridges and in hollows, and with another seed: the same two hollows."""
    monkeypatch.setattr("interlith.surface.starts._named", lambda slab, adsorbate: [])
    assert_same(copper("111"), found_of("Cu", "111", repeat=(2, 2), seed=5))


def written_otherwise():
    atoms = read_crystal("Cu").atoms
    turned = atoms.copy()
    turned.rotate(41.0, (3, 1, 2), rotate_cell=True)
    shuffled = atoms[[2, 0, 3, 1]]
    shuffled.positions += [0.31, 0.77, 1.23]
    return {"turned": turned, "shuffled and shifted": shuffled}


@pytest.mark.parametrize("how", written_otherwise())
def test_order_shift_and_rotation_of_the_crystal_do_not_matter(how):
    assert_same(copper("111"), found_of(Crystal("Cu", "Cu", written_otherwise()[how]), "111", repeat=(2, 2)))


def test_equal_faces_of_a_cubic_crystal_are_equal():
    assert_same(copper("100"), found_of("Cu", "0-10", repeat=(2, 2)))


def test_the_order_of_the_starts_does_not_matter(monkeypatch):
    from interlith.surface import search

    forwards = search.starts
    monkeypatch.setattr(search, "starts", lambda *asked: forwards(*asked)[::-1])
    assert_same(copper("111"), found_of("Cu", "111", repeat=(2, 2)))


def test_a_larger_cell_changes_little_and_is_told():
    small, large = copper("100"), found_of("Cu", "100", repeat=(3, 3))
    assert_same(small, large, SIZE_eV)
    assert (model_row(small)["repeat"], model_row(large)["repeat"]) == ([2, 2], [3, 3])
    assert (model_row(small)["n_atoms"], model_row(large)["n_atoms"]) == (12, 27)
    assert len(large.nodes) == 9


def test_a_channel_is_easier_along_than_across():
    """(110) of an fcc metal: rows of atoms with a trough between; along it is easy, over the row it is not."""
    along = copper("110").barrier_high
    assert along.anywhere_eV == along.first_eV < along.second_eV - 0.3
    assert along.everywhere_eV == along.second_eV
    row = model_row(copper("110"))
    assert [way["low_eV"] for way in row["barrier_along"]] == approx(
        [along.first_eV, along.second_eV, along.everywhere_eV], abs=6e-5
    )


def test_the_way_is_told_from_site_to_site():
    for found in (copper("111"), copper("110"), gold_on_aluminum()):
        row = model_row(found)
        way = row["way"]
        distances = [point["distance_A"] for point in way]
        assert distances == sorted(distances)
        assert way[0] == {"distance_A": 0.0, "energy_eV": approx(0.0, abs=1e-4), "site": 0}
        assert way[-1]["site"] == 0
        assert way[-1]["energy_eV"] == approx(0.0, abs=1e-4)
        assert max(point["energy_eV"] for point in way) == approx(row["barrier_low_eV"], abs=1e-4)
        for point in way:
            if point["site"] is not None:
                want = found.minima[point["site"]].energy_eV - found.minima[0].energy_eV
                assert point["energy_eV"] == approx(want, abs=2e-4)
