"""Single points by DFT at a model's geometry: what is computed, the sum of it, and what is told where it fails."""

import pytest
from pytest import approx

pytest.importorskip("ase")
pytest.importorskip("spglib")

from surface_searches import TINY, found_of

from interlith.errors import SolverError
from interlith.surface import dft
from interlith.surface.conduct import conduct
from interlith.surface.spot_check import CHECKS, best_structures, spot_check
from interlith.surface.store import Store
from interlith.surface.work import do

pytestmark = pytest.mark.filterwarnings("ignore:Set OLD_ERROR_HANDLING:DeprecationWarning")
LI_eV, BARE_eV, WITH_eV = -2.0, -10.0, -14.5
DISPERSION_eV = {LI_eV: -0.1, BARE_eV: -0.5, WITH_eV: -0.8}


@pytest.fixture(scope="module")
def found():
    return found_of("Cu", "100", **TINY)


@pytest.fixture
def seen(monkeypatch, found):
    """The structures that DFT is asked for, with their settings; energies are made up, one for each."""
    asked = []
    bare = len(best_structures(found)[0])

    def single_point(atoms, settings):
        asked.append((atoms, settings))
        energy = {1: LI_eV, bare: BARE_eV, bare + 1: WITH_eV}[len(atoms)]
        rest = {"k_points": (1, 1, 1), "is_spin_polarized": False, "is_dipole_corrected": True, "n_iterations": 9}
        return dft.DftEnergy(
            formula=atoms.get_chemical_formula(),
            n_atoms=len(atoms),
            pbe_eV=energy,
            dispersion_eV=DISPERSION_eV[energy],
            largest_force_eV_per_A=0.3,
            vacuum_A=None,
            cpu_s=1.0,
            settings=settings,
            versions={},
            **rest,
        )

    monkeypatch.setattr(dft, "single_point", single_point)
    return asked


def checked(found, store=None, doing=do):
    ended, count = conduct({"one": spot_check(found, "gpaw")}, store or Store(None), doing=doing)
    return ended.get("one"), count


def test_the_binding_energy_is_that_of_the_three_energies(found, seen):
    row, _ = checked(found)
    assert row["pbe_eV"] == approx(BARE_eV + LI_eV + 1.634 - WITH_eV, abs=0.01)  # 157.7 kJ/mol: cohesion of lithium
    assert row["pbe_d3_eV"] - row["pbe_eV"] == approx(-0.5 - 0.1 + 0.8)
    assert (row["model"], row["model_eV"]) == ("emt", found.binding_eV(found.minima[0]))
    assert (row["largest_force_eV_per_A"], row["failed"]) == (0.3, None)


def test_both_slabs_are_in_one_cell_at_the_models_geometry_and_lithium_has_the_finest_mesh(found, seen):
    checked(found)
    (metal, finest), (bare, of_bare), (whole, of_whole) = seen
    assert of_bare == of_whole == CHECKS["gpaw"]
    assert (finest.k_spacing_per_A, finest.cutoff_eV) == (0.04, CHECKS["gpaw"].cutoff_eV)
    assert metal.get_chemical_symbols() == ["Li"]
    assert whole.cell.array == approx(bare.cell.array)
    model = best_structures(found)
    for ours, theirs in zip((bare, whole), model, strict=True):
        assert ours.get_all_distances() == approx(theirs.get_all_distances())


def test_a_check_is_kept_and_not_computed_again(found, seen, tmp_path):
    first, count = checked(found, Store(tmp_path))
    assert (count.n_computed, len(seen)) == (3, 3)
    again, count = checked(found, Store(tmp_path), doing=None)
    assert again == first
    assert (count.n_computed, len(seen)) == (0, 3)


def test_what_does_not_converge_is_told_and_has_no_number(found, monkeypatch):
    def never(atoms, settings):
        raise SolverError(f"{atoms.get_chemical_formula()}: not self-consistent")

    monkeypatch.setattr(dft, "single_point", never)
    row, _ = checked(found)
    assert row["pbe_eV"] is row["pbe_d3_eV"] is None
    assert "not self-consistent" in row["failed"]
    assert row["model_eV"] == found.binding_eV(found.minima[0])
