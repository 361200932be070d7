"""Crystals, faces and slabs: against spglib and pymatgen, against lengths by hand, and over random lattices."""

import warnings
from collections import Counter
from functools import cache
from math import gcd

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pytest import approx

pytest.importorskip("ase")
pytest.importorskip("spglib")

import spglib
from ase import Atoms
from ase.build import bulk

from interlith.errors import InputError
from interlith.surface.crystal import Crystal, conventional, crystal_names, primitive, read_crystal
from interlith.surface.miller import check_four_index, parse_face, surface_lattice
from interlith.surface.slab import cuts, make_slab
from interlith.units import LITHIUM_G_PER_CM3

pytestmark = pytest.mark.filterwarnings("ignore:Set OLD_ERROR_HANDLING:DeprecationWarning")

# name -> space group, nearest distance in A (from the measured cell, by hand), density in g/cm3 (CRC Handbook; of LiZn
# by X-rays, ICSD 104790 and Villars), what a formula unit holds
KNOWN = {
    "ZnO": ("P6_3mc", (3.2498**2 / 3 + (0.1181 * 5.2066) ** 2) ** 0.5, 5.68, "ZnO"),
    "LiZn": ("Fd-3m", 6.209 * 3**0.5 / 4, 4.01, "LiZn"),
    "Li": ("Im-3m", 3.51 * 3**0.5 / 2, LITHIUM_G_PER_CM3, "Li"),
    "Cu": ("Fm-3m", 3.615 / 2**0.5, 8.93, "Cu"),
    "carbon": ("P6_3/mmc", 2.464 / 3**0.5, 2.26, "C"),
    "LiF": ("Fm-3m", 4.027 / 2, 2.64, "LiF"),
    "Li2O": ("Fm-3m", 4.619 * 3**0.5 / 4, 2.013, "Li2O"),
}
u_PER_A3_IN_G_PER_CM3 = 1.66053906660
POLAR = [("ZnO", "002"), ("ZnO", "101"), ("ZnO", "112"), ("LiF", "111"), ("Li2O", "111")]
FACES = [*POLAR, ("ZnO", "100"), ("ZnO", "110"), ("LiF", "100"), ("Cu", "111"), ("Cu", "310"), ("LiZn", "110")]
FACES += [("LiZn", "112"), ("Li2O", "100"), ("carbon", "001"), ("Li", "110")]


def cell_of(atoms):
    return atoms.cell.array, atoms.get_scaled_positions(), atoms.numbers


def lattice_of(crystal, face):
    return surface_lattice(crystal.atoms.cell.array, primitive(crystal.atoms).cell.array, parse_face(face).reduced)


def nearest_A(atoms):
    """The shortest distance in a periodic structure, its own images included."""
    from ase.neighborlist import neighbor_list

    reach = 1.0
    while True:
        found = neighbor_list("d", atoms, reach)
        if len(found):
            return float(found.min())
        reach *= 1.5


def test_every_shipped_crystal_is_judged():
    assert set(crystal_names()) == set(KNOWN)


@pytest.mark.parametrize("name", KNOWN)
def test_a_shipped_crystal_has_its_symmetry_distances_and_density(name):
    group, distance_A, density, formula = KNOWN[name]
    atoms = read_crystal(name).atoms
    assert spglib.get_spacegroup(cell_of(atoms), symprec=1e-4).split(" ")[0] == group
    assert nearest_A(atoms) == approx(distance_A, abs=5e-4)
    mass = atoms.get_masses().sum() / atoms.get_volume() * u_PER_A3_IN_G_PER_CM3
    assert mass == approx(density, rel=5e-3)
    assert atoms.symbols.formula.reduce()[0] == Atoms(formula).symbols.formula.reduce()[0]


def test_every_neighbor_of_an_atom_in_zinc_oxide_is_of_the_other_element():
    atoms = read_crystal("ZnO").atoms
    from ase.neighborlist import neighbor_list

    first, second = neighbor_list("ij", atoms, 2.2)
    assert Counter(first) == dict.fromkeys(range(4), 4)
    assert (atoms.numbers[first] != atoms.numbers[second]).all()


@pytest.mark.parametrize(
    ("text", "indices"),
    [
        ("002", (0, 0, 2)),
        ("-110", (-1, 1, 0)),
        ("1-10", (1, -1, 0)),
        ("+1+1-2", (1, 1, -2)),
        ("(1 0 -1 0)", (1, 0, 0)),
        ("1,0,-1,0", (1, 0, 0)),
        ("10-10", (1, 0, 0)),
        ("11-20", (1, 1, 0)),
        ("-1-120", (-1, -1, 0)),
        ("(1 0 -1 12)", (1, 0, 12)),
        ("  {1, 1, 12} ", (1, 1, 12)),
        ("[-10 0 20]", (-10, 0, 20)),
        ("0001", (0, 0, 1)),
    ],
)
def test_a_face_in_every_notation(text, indices):
    assert parse_face(text).indices == indices


@pytest.mark.parametrize("text", ["12-30", "1 0 -1 2", "10-12", "0 0 0 1"])
def test_what_a_face_is_called_reads_as_the_same_face(text):
    face = parse_face(text)
    assert parse_face(face.written).indices == face.indices
    assert parse_face(face.opposite.written).indices == tuple(-i for i in face.indices)
    assert face.opposite.opposite.indices == face.indices


@pytest.mark.parametrize(
    "text",
    [
        *("", "()", "0", "00", "000", "0 0 0 0", "1.5 0 0", "1 0", "hkl", "11111", "1 1 1 0", "1 1 -1 0", "1--10"),
        *("1 0 21", "- 1 0 0", "1 0 0;", "1e1 0 0", "1 0 -", "1_0 0 0", "9" * 400),
    ],
)
def test_what_is_no_face_is_refused(text):
    with pytest.raises(InputError, match="face"):
        parse_face(text)


@pytest.mark.parametrize("name", ["Cu", "LiF", "LiZn", "Li2O", "Li"])
def test_four_indices_on_a_cubic_crystal_are_refused(name):
    with pytest.raises(InputError, match="hexagonal"):
        check_four_index("10-10", read_crystal(name).atoms.cell)
    check_four_index("100", read_crystal(name).atoms.cell)


@pytest.mark.parametrize("text", ["10-10", "(1 1 -2 0)", "0,0,0,1"])
def test_four_indices_on_a_hexagonal_crystal_are_taken(text):
    check_four_index(text, read_crystal("ZnO").atoms.cell)
    check_four_index(text, read_crystal("carbon").atoms.cell)


def test_four_and_three_indices_are_the_same_cuts():
    zinc_oxide = read_crystal("ZnO")
    three, four = (cuts(zinc_oxide, parse_face(text)) for text in ("1-12", "1 -1 0 2"))
    assert [(cut.name, cut.height_A, cut.dangling) for cut in three] == [
        (cut.name, cut.height_A, cut.dangling) for cut in four
    ]


@pytest.mark.parametrize(
    ("name", "face", "first_A", "second_A", "spacing_A"),
    [
        ("Cu", "111", 3.615 / 2**0.5, 3.615 / 2**0.5, 3.615 / 3**0.5),
        ("Cu", "100", 3.615 / 2**0.5, 3.615 / 2**0.5, 3.615 / 2),
        ("Cu", "110", 3.615 / 2**0.5, 3.615, 3.615 / 8**0.5),
        ("Li", "110", 3.51 * 3**0.5 / 2, 3.51 * 3**0.5 / 2, 3.51 / 2**0.5),
        ("Li", "100", 3.51, 3.51, 3.51 / 2),
        ("ZnO", "001", 3.2498, 3.2498, 5.2066),
        ("ZnO", "100", 3.2498, 5.2066, 3.2498 * 3**0.5 / 2),
        ("ZnO", "110", 5.2066, 3.2498 * 3**0.5, 3.2498 / 2),
        ("ZnO", "101", 3.2498, (5.2066**2 + 3.2498**2 * 3 / 4 + (3.2498 / 2) ** 2) ** 0.5, 2.475848),
        ("LiF", "100", 4.027 / 2**0.5, 4.027 / 2**0.5, 4.027 / 2),
        ("LiF", "111", 4.027 / 2**0.5, 4.027 / 2**0.5, 4.027 / 3**0.5),
    ],
)
def test_lengths_and_spacings_by_hand(name, face, first_A, second_A, spacing_A):
    found = lattice_of(read_crystal(name), face)
    assert np.linalg.norm(found.in_plane_A, axis=1) == approx([first_A, second_A], rel=1e-6)
    assert found.spacing_A == approx(spacing_A, rel=1e-6)


@cache
def pymatgen_slabs(name, face, ftol_A=0.05):
    pytest.importorskip("pymatgen")
    from pymatgen.core.surface import SlabGenerator
    from pymatgen.io.ase import AseAtomsAdaptor

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        structure = AseAtomsAdaptor.get_structure(read_crystal(name).atoms)
        made = SlabGenerator(structure, parse_face(face).indices, 12, 12, primitive=True, center_slab=True)
        return made.get_slabs(ftol=ftol_A)


@pytest.mark.parametrize(("name", "face"), FACES)
def test_area_and_atoms_per_area_and_depth_are_those_of_pymatgen(name, face):
    crystal = read_crystal(name)
    theirs = pymatgen_slabs(name, face)
    cut = cuts(crystal, parse_face(face))[0]
    ours = make_slab(crystal, cut, repeat=(1, 1))
    area = float(np.linalg.norm(np.cross(*ours.atoms.cell.array[:2])))
    assert area == approx(theirs[0].surface_area, rel=1e-6)
    small = primitive(crystal.atoms)
    depth = lattice_of(crystal, face).spacing_A
    assert area * depth == approx(small.get_volume(), rel=1e-9)
    # pymatgen counts atoms in whole repeats of its own; per area and depth both must be the crystal's
    made = theirs[0]
    thickness = len(made) / len(small) * depth
    assert len(made) / (made.surface_area * thickness) == approx(len(small) / small.get_volume(), rel=1e-6)


@pytest.mark.parametrize(
    ("name", "face"),
    FACES,
)
def test_there_are_as_many_cuts_as_pymatgen_has_slabs(name, face):
    """A slab of pymatgen has two faces: the top of one sense, and that of the other turned over."""
    crystal, miller = read_crystal(name), parse_face(face)
    theirs = pymatgen_slabs(name, face)
    found = cuts(crystal, miller)
    n_faces = {frozenset([(cut.dangling, cut.below), (cut.below, cut.dangling)]) for cut in found}
    has_both = any(cut.face.indices != miller.indices for cut in found)
    n_ours = sum(cut.face.indices == miller.indices for cut in found) if has_both else len(n_faces)
    assert n_ours == len(theirs)


# ---- random lattices -------------------------------------------------------------------------------------------------

index = st.integers(-4, 4)
millers = st.tuples(index, index, index).filter(any)


@st.composite
def cells(draw):
    """Triclinic cells, far from flat."""
    lengths = [draw(st.floats(3.0, 8.0)) for _ in range(3)]
    alpha, beta, gamma = (draw(st.floats(60.0, 115.0)) for _ in range(3))
    from ase.cell import Cell

    cosines = np.cos(np.radians([alpha, beta, gamma]))
    assume(1 - (cosines**2).sum() + 2 * cosines.prod() > 0.15)
    turn = np.linalg.qr(np.random.default_rng(draw(st.integers(0, 1000))).normal(size=(3, 3)))[0]
    turn = turn * np.sign(np.linalg.det(turn))
    return Cell.fromcellpar([*lengths, alpha, beta, gamma]).array @ turn


@settings(max_examples=150, deadline=None)
@given(cell=cells(), indices=millers)
def test_the_lattice_of_a_face_of_any_crystal(cell, indices):
    n = gcd(*indices)
    reduced = tuple(i // n for i in indices)
    found = surface_lattice(cell, cell, reduced)
    reciprocal = np.linalg.inv(cell) @ np.array(reduced)
    assert found.spacing_A == approx(1.0 / np.linalg.norm(reciprocal), rel=1e-9)
    assert np.dot(found.normal, reciprocal) > 0
    assert np.abs(found.in_plane_A @ found.normal).max() < 1e-8
    first, second = found.in_plane_A
    assert np.dot(np.cross(first, second), found.normal) > 0, "right-handed"
    area = np.linalg.norm(np.cross(first, second))
    assert area * found.spacing_A == approx(abs(np.linalg.det(cell)), rel=1e-9)
    whole = np.array([first, second, found.up_A]) @ np.linalg.inv(cell)
    assert np.abs(whole - np.round(whole)).max() < 1e-6, "vectors of the lattice"
    for i in (-1, 0, 1):
        for j in (-1, 0, 1):
            if (i, j) != (0, 0):
                assert np.linalg.norm(i * first + j * second) > np.linalg.norm(first) - 1e-7
            if j:
                assert np.linalg.norm(i * first + j * second) > np.linalg.norm(second) - 1e-7


@st.composite
def crystals(draw):
    """Random triclinic crystals of two elements with no atoms closer than 1.6 A."""
    cell = draw(cells())
    rng = np.random.default_rng(draw(st.integers(0, 100_000)))
    n = draw(st.integers(1, 5))
    symbols = ["Zn", *(["Zn", "O"][i] for i in rng.integers(0, 2, n - 1))]
    atoms = Atoms(symbols, scaled_positions=rng.random((n, 3)), cell=cell, pbc=True)
    assume(nearest_A(atoms) > 1.6)
    return Crystal("random", "random", atoms)


def checked_slab(crystal, cut, n_layers):
    """A slab, whose density, composition, distances and place in the cell are right for any crystal."""
    small = primitive(crystal.atoms)
    slab = make_slab(crystal, cut, n_layers=n_layers, n_fixed=1, vacuum_A=10.0, repeat=(1, 1))
    heights = slab.atoms.positions[:, 2]
    lattice = surface_lattice(crystal.atoms.cell.array, small.cell.array, cut.face.reduced)
    thickness = slab.atoms.cell.array[2, 2] - 10.0
    area = np.linalg.norm(np.cross(*slab.atoms.cell.array[:2]))
    assert area * lattice.spacing_A == approx(small.get_volume(), rel=1e-6)
    assert heights.min() > 5.0 - 1e-6
    assert heights.max() < 5.0 + thickness + 1e-6
    assert nearest_A(slab.atoms) > nearest_A(small) - 1e-6
    assert 0 < slab.fixed.sum() < len(slab.atoms)
    assert heights[slab.fixed].max() < heights[~slab.fixed].min() + 1e-9
    return slab, thickness / lattice.spacing_A


@settings(max_examples=20, deadline=None, derandomize=True)
@given(crystal=crystals(), indices=millers, n_layers=st.integers(2, 4))
def test_slabs_of_any_crystal_have_the_crystals_density_and_composition(crystal, indices, n_layers):
    face = parse_face(" ".join(str(i) for i in indices))
    small = primitive(crystal.atoms)
    for cut in cuts(crystal, face)[:2]:
        slab, n_repeats = checked_slab(crystal, cut, n_layers)
        got, want = Counter(slab.atoms.get_chemical_symbols()), Counter(small.get_chemical_symbols())
        assert len(slab.atoms) == approx(n_repeats * len(small), rel=1e-6)
        assert all(got[element] * len(small) == n * len(slab.atoms) for element, n in want.items())


@pytest.mark.parametrize(("name", "face"), FACES)
@pytest.mark.parametrize("n_layers", [2, 4, 5])
def test_slabs_of_shipped_crystals_have_the_crystals_density_and_composition(name, face, n_layers):
    crystal = read_crystal(name)
    small = primitive(crystal.atoms)
    for cut in cuts(crystal, parse_face(face)):
        slab, n_repeats = checked_slab(crystal, cut, n_layers)
        if (name, face) == ("ZnO", "101") and cut.name.startswith("O+Zn"):
            continue  # reported: see UNEQUAL_CUTS
        assert len(slab.atoms) == approx(n_repeats * len(small), rel=1e-6)
        got, want = Counter(slab.atoms.get_chemical_symbols()), Counter(small.get_chemical_symbols())
        assert all(got[element] * len(small) == n * len(slab.atoms) for element, n in want.items())


@pytest.mark.parametrize(
    ("name", "face"),
    FACES,
)
def test_each_layer_of_a_slab_is_like_the_next(name, face):
    """Layers run from one cut to the next equal one: two slabs of one layer more or less differ by a layer each time,
    and the top of both is the same."""
    crystal = read_crystal(name)
    for cut in cuts(crystal, parse_face(face)):
        thin, thick = (make_slab(crystal, cut, n_layers=n, n_fixed=1, repeat=(1, 1)).atoms for n in (3, 4))
        for slab in (thin, thick):
            slab.positions[:, 2] -= slab.positions[:, 2].max()
        n = len(thick) - len(thin)
        assert Counter(thick.symbols[-len(thin) :]) == Counter(thin.symbols)
        depths = [np.sort(slab.positions[:, 2])[-len(thin) :] for slab in (thin, thick)]
        assert depths[0] == approx(depths[1], abs=1e-6)
        bottom, above = thick.positions[:n, 2], thick.positions[n : 2 * n, 2]
        assert above - above.min() == approx(bottom - bottom.min(), abs=1e-3)
        assert Counter(thick.symbols[:n]) == Counter(thick.symbols[n : 2 * n])


@pytest.mark.parametrize("n_layers", [1, 2, 3])
def test_a_slab_is_of_the_crystals_composition_where_two_unequal_cuts_break_equal_bonds(n_layers):
    """A chain Zn O Zn O O: below its first and its second oxygen the same bond breaks, with another rest between."""
    chain = Atoms("ZnOZnOO", positions=[(0, 0, 2.0 * i) for i in range(5)], cell=(3.0, 3.0, 10.0), pbc=True)
    crystal = Crystal("chain", "chain", chain)
    compositions = []
    for cut in cuts(crystal, parse_face("001")):
        slab = make_slab(crystal, cut, n_layers=n_layers, n_fixed=0, repeat=(1, 1)).atoms
        got = Counter(slab.get_chemical_symbols())
        compositions.append(got["Zn"] * 3 == got["O"] * 2)
    assert all(compositions)
    assert len(compositions) == 5
    assert len({cut.name for cut in cuts(crystal, parse_face("001"))}) == 5


@pytest.mark.parametrize("shift_A", [5.0, 7.5])
def test_a_name_means_the_same_cut_wherever_the_cell_begins(shift_A):
    stacks = []
    for by in (0.0, shift_A):
        chain = Atoms("ZnOZnOO", positions=[(0, 0, 2.0 * i + by) for i in range(5)], cell=(3.0, 3.0, 10.0), pbc=True)
        chain.wrap()
        crystal = Crystal("chain", "chain", chain)
        found = cuts(crystal, parse_face("001"))
        slabs = {cut.name: make_slab(crystal, cut, n_layers=1, n_fixed=0, repeat=(1, 1)).atoms for cut in found}
        stacks.append({name: "".join(slab.symbols) for name, slab in slabs.items()})
    assert stacks[0] == stacks[1]


# ---- terminations ----------------------------------------------------------------------------------------------------


def test_faces_of_zinc_oxide_are_named_by_bonding_and_not_by_the_topmost_atom():
    found = {(cut.face.written, cut.name): cut for cut in cuts(read_crystal("ZnO"), parse_face("002"))}
    zinc, oxygen = found["002", "Zn"], found["00-2", "O"]
    assert (zinc.dangling, zinc.below) == ((("Zn", 1),), (("O", 1),))
    assert (oxygen.dangling, oxygen.below) == ((("O", 1),), (("Zn", 1),))
    # cut where three bonds break in place of one, the same senses have the other element dangling
    assert found["002", "O (O3)"].n_broken == found["00-2", "Zn (Zn3)"].n_broken == 3
    assert [cut.is_easiest for cut in found.values()] == [True, True, False, False]
    for (_, name), cut in found.items():
        slab = make_slab(read_crystal("ZnO"), cut)
        assert slab.atoms.symbols[-1] == name.split(" ")[0]


def test_dipoles_of_the_two_polar_faces_are_opposite_and_of_the_others_zero():
    """Both are the same slab turned over; d = n q h / area for n bilayers, by hand."""
    zinc_oxide = read_crystal("ZnO")
    polar = [make_slab(zinc_oxide, cut, n_layers=4) for cut in cuts(zinc_oxide, parse_face("002"))[:2]]
    area = 3.2498**2 * 3**0.5 / 2
    apart_A = (0.5 - 0.3819) * 5.2066  # zinc over oxygen of a bilayer whose zinc is on top
    assert polar[0].dipole_e_per_A == approx(4 * 2 * apart_A / area, rel=1e-6)
    assert polar[1].dipole_e_per_A == approx(-polar[0].dipole_e_per_A, rel=1e-9)
    for face in ("020", "110"):
        for cut in cuts(zinc_oxide, parse_face(face)):
            flat = make_slab(zinc_oxide, cut)
            assert flat.dipole_e_per_A == approx(0.0, abs=1e-9)
            assert not flat.is_polar
    assert make_slab(read_crystal("LiF"), cuts(read_crystal("LiF"), parse_face("100"))[0]).dipole_e_per_A == approx(
        0.0, abs=1e-9
    )
    assert make_slab(read_crystal("Cu"), cuts(read_crystal("Cu"), parse_face("111"))[0]).dipole_e_per_A is None


@pytest.mark.parametrize(("name", "face"), FACES)
def test_a_cut_leaves_as_many_ends_above_as_below(name, face):
    for cut in cuts(read_crystal(name), parse_face(face)):
        assert cut.n_broken == sum(n for _, n in cut.below)


@pytest.mark.parametrize(("name", "face"), FACES)
def test_names_tell_the_cuts_of_a_face_apart_and_mean_one_slab(name, face):
    """The bottom of a slab under a cut is the top of a slab under the cut of the other sense."""
    crystal = read_crystal(name)
    found = cuts(crystal, parse_face(face))
    assert len({cut.name for cut in found}) == len(found)
    for cut in found:
        bottom = make_slab(crystal, cut, n_layers=3, n_fixed=0, repeat=(1, 1)).atoms
        turned = [other for other in found if (other.dangling, other.below) == (cut.below, cut.dangling)]
        assert turned, "no cut of the other sense"
        candidates = [make_slab(crystal, other, n_layers=3, n_fixed=0, repeat=(1, 1)).atoms for other in turned]
        assert any(is_same_stack(bottom, other, is_flipped=True) for other in candidates)


def is_same_stack(slab, other, *, is_flipped=False):
    """Whether planes of elements lie at the same depths."""
    depths = []
    for atoms, sign in ((slab, -1.0 if is_flipped else 1.0), (other, 1.0)):
        heights = sign * atoms.positions[:, 2]
        depths.append(sorted(zip(np.round(heights.max() - heights, 4).tolist(), atoms.symbols, strict=True)))
    return len(depths[0]) == len(depths[1]) and all(
        a[1] == b[1] and abs(a[0] - b[0]) < 1e-3 for a, b in zip(*depths, strict=True)
    )


def slab_key(crystal, cut):
    slab = make_slab(crystal, cut, n_layers=3, n_fixed=1, repeat=(1, 1)).atoms
    found = spglib.get_symmetry_dataset(cell_of(slab), symprec=1e-3)
    distances = np.sort(slab.get_all_distances(mic=True).ravel())
    return found.international, len(found.rotations), distances


def ways_to_write(crystal):
    """The same crystal rotated, its atoms in another order and shifted, as a supercell and as its primitive cell."""
    atoms = crystal.atoms.copy()
    rng = np.random.default_rng(1)
    rotated = atoms.copy()
    rotated.rotate(37.0, (1, 2, 3), rotate_cell=True)
    yield "rotated", rotated
    order = rng.permutation(len(atoms))
    shuffled = atoms[order]
    shuffled.set_scaled_positions((shuffled.get_scaled_positions() + np.array([0.13, 0.21, 0.37])) % 1.0)
    yield "shuffled", shuffled
    yield "supercell", atoms.repeat((2, 1, 2))
    yield "primitive", primitive(atoms)


@pytest.mark.parametrize(
    ("name", "face"), [("ZnO", "002"), ("ZnO", "100"), ("LiF", "111"), ("Cu", "110"), ("LiZn", "110")]
)
def test_however_a_crystal_is_written_its_slabs_are_the_same(name, face):
    crystal = read_crystal(name)
    miller = parse_face(face)
    want = cuts(crystal, miller)
    for said, atoms in ways_to_write(crystal):
        other = conventional(name, name, atoms)
        got = cuts(other, miller)
        by_name = {(cut.face.indices, cut.name): cut for cut in got}
        assert {key: cut.dangling for key, cut in by_name.items()} == {
            (cut.face.indices, cut.name): cut.dangling for cut in want
        }, said
        assert len(got) == len(want), said
        for mine in want:
            theirs = by_name[mine.face.indices, mine.name]
            keys = slab_key(crystal, mine), slab_key(other, theirs)
            assert keys[0][:2] == keys[1][:2], said
            assert keys[0][2] == approx(keys[1][2], abs=1e-5), said


def test_another_cell_than_the_conventional_one_is_said():
    copper = bulk("Cu", a=3.615)
    found = conventional("cu", "cu.cif", copper)
    assert len(found.atoms) == 4
    assert "primitive" in found.said[0]
    assert "3.615 x 3.615 x 3.615" in found.said[0]
    assert "supercell" in conventional("cu", "cu.cif", copper.repeat(3)).said[0]
    assert conventional("cu", "cu.cif", bulk("Cu", cubic=True, a=3.615)).said == ()


def test_a_cell_as_large_as_the_conventional_one_but_of_another_shape_is_said():
    odd = bulk("Cu", a=3.615).repeat((1, 1, 4))
    found = conventional("cu", "cu.cif", odd)
    assert found.said or found.atoms.cell.lengths() == approx([3.615] * 3)


def test_layers_fixed_and_widths_are_as_asked():
    crystal = read_crystal("Cu")
    cut = cuts(crystal, parse_face("111"))[0]
    slab = make_slab(crystal, cut, n_layers=5, n_fixed=2, vacuum_A=12.0, least_width_A=7.0)
    assert slab.repeat == (3, 3)
    assert np.linalg.norm(slab.atoms.cell.array[:2], axis=1).min() >= 7.0
    assert len(slab.atoms) == 5 * 9
    assert slab.fixed.sum() == 2 * 9
    assert np.ptp(slab.atoms.positions[:, 2]) == approx(4 * 3.615 / 3**0.5, rel=1e-6)
    assert slab.atoms.cell.array[2, 2] - 5 * 3.615 / 3**0.5 == approx(12.0, rel=1e-6)
    for n_layers, n_fixed in ((2, 2), (2, 3), (1, -1)):
        with pytest.raises(InputError, match="layers"):
            make_slab(crystal, cut, n_layers=n_layers, n_fixed=n_fixed)
