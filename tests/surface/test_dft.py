"""The paper's settings, k-meshes by hand, what is a slab, and single points with GPAW where it is installed."""

import dataclasses
import json
import sys

import numpy as np
import pytest
from pytest import approx

from interlith.errors import EnvironmentError_, InputError, SolverError
from interlith.surface.dft import (
    SPOT_CHECK,
    DftEnergy,
    DftSettings,
    changed,
    d3_parameters,
    energy_from_json,
    gaps_A,
    gpaw_parameters,
    is_slab,
    is_spin_polarized,
    k_mesh,
    periodic_axes,
    prepared,
    single_point,
    thickness_A,
    with_height,
)

pytest.importorskip("ase")

from ase import Atoms
from ase.build import bulk, fcc111, molecule
from ase.constraints import FixAtoms

PAPER = DftSettings()


def slab(vacuum=8.0):
    return fcc111("Al", (1, 1, 3), vacuum=vacuum)


def lithium_atom(box=12.0):
    return Atoms("Li", [(box / 2,) * 3], cell=[box, box + 1, box + 2], pbc=False)


def test_settings_are_those_of_the_paper():
    """Shen et al., Nat. Commun. (2025), doi:10.1038/s41467-025-60609-4, Methods."""
    assert (PAPER.cutoff_eV, PAPER.k_spacing_per_A, PAPER.dispersion) == (520.0, 0.04, "D3(BJ)")
    assert (PAPER.scf_eV, PAPER.force_eV_per_A, PAPER.vacuum_A, PAPER.n_layers_fixed) == (1e-5, 0.02, 20.0, 2)
    assert PAPER.source == "doi:10.1038/s41467-025-60609-4"
    assert PAPER.departures == {}


def test_what_departs_from_the_paper_says_so():
    own = changed(PAPER, cutoff_eV=400.0, smearing_eV=0.1)
    assert own.departures == {"cutoff_eV": 520.0}
    assert own.source.endswith("changed: cutoff_eV, smearing_eV")
    assert "smearing_eV" in own.as_json()["assumed"]
    assert SPOT_CHECK.departures.keys() >= {"cutoff_eV", "k_spacing_per_A"}


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ({"cutoff_eV": 0.0}, "cutoff_eV = 0.0: a number above 0"),
        ({"k_spacing_per_A": float("nan")}, "k_spacing_per_A"),
        ({"smearing_eV": float("inf")}, "smearing_eV"),
        ({"n_layers_fixed": -1}, "n_layers_fixed"),
        ({"dispersion": "D2"}, r"one of D3\(BJ\), none"),
        ({"spin": "up"}, "one of auto, on, off"),
    ],
)
def test_settings_that_no_calculation_can_have(own, said):
    with pytest.raises(InputError, match=said):
        DftSettings(**own)


@pytest.mark.parametrize(
    ("cell", "periodic", "mesh"),
    [
        (np.diag([3.25, 5.2, 30.0]), (True, True, False), (8, 5, 1)),  # 1 / 3.25 / 0.04 = 7.69, 1 / 5.2 / 0.04 = 4.81
        (np.diag([5.0, 5.0, 5.0]), (True, True, True), (5, 5, 5)),  # exactly 5: rounding makes no sixth
        (np.diag([4.999999999] * 3), (True, True, True), (5, 5, 5)),  # as a file of ten digits may say it
        (np.diag([25.0, 26.0, 12.4]), (True, True, True), (1, 1, 3)),  # 1.0, 0.96, 2.02
        # hexagonal, a = 3.25: |b| = 2 / (sqrt(3) a) = 0.3553, over 0.04 is 8.88
        ([[3.25, 0, 0], [-1.625, 3.25 * 3**0.5 / 2, 0], [0, 0, 5.2]], (True, True, True), (9, 9, 5)),
        (np.diag([12.0, 13.0, 14.0]), (False, False, False), (1, 1, 1)),
    ],
)
def test_mesh_is_the_one_computed_by_hand(cell, periodic, mesh):
    assert k_mesh(cell, PAPER, periodic) == mesh


def test_mesh_is_no_coarser_than_asked_and_not_finer_than_needed():
    random = np.random.default_rng(7)
    for _ in range(50):
        cell = random.uniform(-1.0, 1.0, (3, 3)) + 6.0 * np.eye(3)
        lengths = np.linalg.norm(np.linalg.inv(cell).T, axis=1)
        mesh = np.array(k_mesh(cell, PAPER, (True, True, True)))
        assert (lengths / mesh <= 0.04 * (1 + 1e-6)).all()
        assert (lengths / np.maximum(mesh - 1, 1e-9) > 0.04).all()


def test_no_mesh_without_volume():
    with pytest.raises(InputError, match="without volume"):
        k_mesh(np.zeros((3, 3)), PAPER)


def test_a_gap_is_found_wherever_the_slab_lies():
    middle = slab()
    wrapped = middle.copy()
    wrapped.positions[:, 2] += 9.0
    wrapped.wrap(pbc=True)
    assert gaps_A(wrapped) == approx(gaps_A(middle))
    assert thickness_A(wrapped) == approx(thickness_A(middle))
    assert periodic_axes(wrapped) == (True, True, False)


def test_slab_crystal_and_atom_are_told_apart():
    assert is_slab(slab())
    said_periodic = slab()
    said_periodic.pbc = True
    assert is_slab(said_periodic)
    assert not is_slab(bulk("Al"))
    assert not is_slab(lithium_atom())
    assert periodic_axes(lithium_atom()) == (False, False, False)


@pytest.mark.parametrize(
    ("atoms", "said"),
    [
        (Atoms(), "no atoms"),
        (molecule("H2O"), "no cell"),
        (Atoms("Li", cell=[3, 3, 0], pbc=True), "no cell"),
        (bulk("Al") * (1, 1, 1), None),
        (Atoms("Al", cell=np.diag([4.0, 4.0, 4.0]), pbc=False), "not periodic along a, yet only 4.0 A of vacuum"),
        (Atoms("Al", [[np.nan, 0, 0]], cell=np.diag([4.0, 4.0, 4.0]), pbc=True), "not finite"),
    ],
)
def test_atoms_that_cannot_be_computed(atoms, said):
    if said is None:
        gpaw_parameters(atoms, PAPER)
        return
    with pytest.raises(InputError, match=said):
        gpaw_parameters(atoms, PAPER)


def test_a_slab_lies_with_its_vacuum_along_z():
    lying = slab()
    lying.set_cell(lying.cell.array[[2, 0, 1]])
    with pytest.raises(InputError, match="along c"):
        is_slab(lying)
    leaning = slab()
    leaning.cell[2] = (1.0, 0.0, leaning.cell[2, 2])
    with pytest.raises(InputError, match="right angles"):
        is_slab(leaning)


def test_height_moves_nothing_within_the_slab():
    before = slab()
    before.set_constraint(FixAtoms(indices=[0]))
    before.positions[:, 2] += 9.0
    before.wrap(pbc=True)
    after = with_height(before, 15.0)
    assert after.cell[2, 2] == 15.0
    assert after.get_all_distances(mic=True) == approx(slab().get_all_distances(mic=True))
    assert np.ptp(after.positions[:, 2]) == approx(thickness_A(before))
    assert after.constraints[0].get_indices().tolist() == [0]
    with pytest.raises(InputError, match="leaves"):
        with_height(before, 10.0)
    with pytest.raises(InputError, match="not a slab"):
        with_height(bulk("Al"), 20.0)


def test_spins_are_apart_where_a_moment_may_be():
    assert is_spin_polarized(lithium_atom(), PAPER)
    assert is_spin_polarized(bulk("Ni"), PAPER)
    assert not is_spin_polarized(slab(), PAPER)
    assert is_spin_polarized(slab(), changed(PAPER, spin="on"))
    assert not is_spin_polarized(bulk("Ni"), changed(PAPER, spin="off"))
    assert prepared(lithium_atom(), PAPER).get_initial_magnetic_moments().tolist() == [1.0]


def test_what_gpaw_is_told():
    told = gpaw_parameters(slab(), PAPER)
    assert told["mode"] == {"name": "pw", "ecut": 520.0}
    assert told["kpts"] == {"size": (11, 11, 1), "gamma": True}  # a = 2.864 A, |b| = 0.4032, over 0.04 is 10.08
    assert told["poissonsolver"] == {"dipolelayer": "xy"}
    assert "poissonsolver" not in gpaw_parameters(slab(), changed(PAPER, dipole_correction=False))
    assert "poissonsolver" not in gpaw_parameters(bulk("Al"), PAPER)
    json.dumps(told)


def test_dispersion_is_that_of_vasp():
    """VASP wiki, DFT-D3: no three-body terms, VDW_RADIUS = 50.2 and VDW_CNRADIUS = 20 A."""
    told = d3_parameters()
    assert told["params_tweaks"]["s9"] == 0.0
    assert told["realspace_cutoff"] == {"disp2": 50.2, "cn": 20.0}


def test_energy_goes_through_json_and_back():
    energy = DftEnergy("Li", 1, -1.9, -0.1, 0.01, None, (11, 11, 11), False, False, 9, 3.0, SPOT_CHECK, {"ase": "3"})
    assert energy.total_eV == approx(-2.0)
    assert energy_from_json(json.loads(json.dumps(energy.as_json()))) == energy
    assert dataclasses.replace(energy, dispersion_eV=None).total_eV == -1.9
    for wrong in ({}, {**energy.as_json(), "settings": 3}, []):
        with pytest.raises(InputError, match="not an energy"):
            energy_from_json(wrong)


@pytest.mark.parametrize("missing", ["gpaw", "dftd3"])
def test_what_is_not_installed_is_named_with_the_command(monkeypatch, missing):
    import importlib.util

    real = importlib.util.find_spec
    there = object()
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name, *more: (None if name == missing else there) if name in ("gpaw", "dftd3") else real(name, *more),
    )
    with pytest.raises(EnvironmentError_, match=rf"{missing} is not installed: apt-get .*pip install gpaw"):
        single_point(slab(), PAPER)


def test_nothing_heavy_is_loaded_by_import():
    import subprocess

    code = "import sys, interlith.surface.dft; print([m for m in ('ase', 'gpaw', 'dftd3') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


COARSE = DftSettings(cutoff_eV=200.0, k_spacing_per_A=0.2, source="tests: as coarse as can be")


def test_single_point_says_all_it_rests_on(tmp_path):
    pytest.importorskip("gpaw")
    pytest.importorskip("dftd3")
    from dftd3.ase import DFTD3

    found = single_point(bulk("Li", "bcc", a=3.44), COARSE, log=tmp_path / "gpaw.txt")
    alone = bulk("Li", "bcc", a=3.44)
    alone.calc = DFTD3(method="PBE", damping="d3bj")  # by name: two-body terms
    assert found.dispersion_eV == approx(alone.get_potential_energy(), rel=1e-3)
    assert found.k_points == (3, 3, 3)
    assert found.settings == COARSE
    assert found.versions.keys() >= {"gpaw", "gpaw-data", "dftd3", "ase"}
    assert found.largest_force_eV_per_A < 1e-3  # by symmetry
    assert (tmp_path / "gpaw.txt").stat().st_size > 0
    assert energy_from_json(json.loads(json.dumps(found.as_json()))) == found


def test_slab_with_a_dipole_does_not_feel_its_images():
    """Uncorrected, dipoles of images cost an energy that falls as 1 / height: d^2 / (2 epsilon0 volume)."""
    pytest.importorskip("gpaw")
    dipoles = Atoms("LiH", [(0, 0, 5.0), (0, 0, 6.6)], cell=[7.5, 7.5, 11.6], pbc=(True, True, False))
    bare = changed(COARSE, dispersion="none", spin="off")
    low, high = (single_point(with_height(dipoles, height), bare).pbe_eV for height in (11.6, 19.6))
    assert low == approx(high, abs=0.01)
    uncorrected = changed(bare, dipole_correction=False)
    errors = [single_point(with_height(dipoles, h), uncorrected).pbe_eV - high for h in (11.6, 19.6)]
    assert errors[0] < -0.1
    assert errors[1] / errors[0] == approx(11.6 / 19.6, rel=0.1)


def test_no_self_consistency_is_an_error(monkeypatch):
    pytest.importorskip("gpaw")
    monkeypatch.setattr("interlith.surface.dft.MOST_ITERATIONS", 2)
    with pytest.raises(SolverError, match="Li: not self-consistent after 2 iterations"):
        single_point(bulk("Li", "bcc", a=3.44), changed(COARSE, dispersion="none"))
