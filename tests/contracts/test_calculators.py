"""Models of energy keep the contract of a calculator, those of ASE and those shipped; and what breaks it is found."""

import dataclasses

import numpy as np
import pytest

pytest.importorskip("ase")
pytest.importorskip("spglib")

from ase import Atoms
from ase.build import bulk
from ase.calculators.calculator import Calculator, all_changes
from ase.calculators.emt import EMT
from ase.calculators.lj import LennardJones

from interlith.surface.calculators import Model, shipped_models
from interlith.testing import check_calculator

METALS = frozenset({"Al", "Cu"})
# Of single precision, as check_calculator reasons; measured here: energies within 1e-6 eV, forces within 7e-6 eV/A
SINGLE_eV = 2e-5


def model(make, name="mine", elements=METALS):
    return Model(name, "a potential", make, "ase", "none", "a test", elements)


def test_the_effective_medium_keeps_it():
    check_calculator(model(EMT))
    check_calculator(model(EMT), bulk("Al", a=4.1).repeat((2, 1, 1)))


def test_a_smooth_pair_potential_keeps_it():
    check_calculator(model(lambda: LennardJones(epsilon=0.4, sigma=2.3, rc=5.5, smooth=True), elements=frozenset()))


@pytest.mark.parametrize(("name", "package"), [("7net-0", "sevenn"), ("chgnet", "chgnet")])
@pytest.mark.filterwarnings("ignore")
def test_the_shipped_models_keep_it_in_single_precision(name, package):
    pytest.importorskip(package)
    check_calculator(shipped_models()[name], noise_eV=SINGLE_eV)


def many_of(change):
    """The effective-medium potential for a list, with what `change` makes of the answers."""

    def many(structures):
        found = []
        for atoms in structures:
            atoms.calc = EMT()
            energy, forces, stress = atoms.get_potential_energy(), atoms.get_forces(), atoms.get_stress()
            found.append({"energy": energy, "forces": forces, "stress": stress})
        return change(found)

    return lambda: many


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda found: found[:1], "one answer for each structure"),
        (lambda found: [{**one, "energy": one["energy"] + 0.01} for one in found], "an energy is"),
        (lambda found: [{**one, "forces": one["forces"][::-1]} for one in found], "forces are"),
        (lambda found: [{**one, "stress": -one["stress"]} for one in found], "stress is"),
    ],
)
def test_many_in_one_call_must_each_be_what_they_are_alone(change, told):
    own = dataclasses.replace(model(EMT), make_many=many_of(lambda found: found))
    check_calculator(own)
    with pytest.raises(AssertionError, match=f"make_many: {told}"):
        check_calculator(dataclasses.replace(own, make_many=many_of(change)))


class Changed(Calculator):
    """The effective-medium potential with what `change` makes of its results."""

    implemented_properties = ["energy", "forces", "stress"]  # noqa: RUF012 - as ASE wants it

    def __init__(self, change):
        super().__init__()
        self.change = change
        self.n_asked = 0

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        bare = Atoms(numbers=atoms.numbers, positions=atoms.positions, cell=atoms.cell, pbc=True, calculator=EMT())
        energy, forces, stress = bare.get_potential_energy(), bare.get_forces(), bare.get_stress()
        self.n_asked += 1
        energy, forces, stress = self.change(self, atoms, energy, forces, stress)
        self.results = {"energy": energy, "forces": forces, "stress": stress}


def uphill(_, atoms, energy, forces, stress):
    """A field along z, that knows where atoms are and not that they are periodic."""
    return energy + 0.01 * atoms.positions[:, 2].sum(), forces - np.array([0.0, 0.0, 0.01]), stress


def eastern(_, atoms, energy, forces, stress):
    """A part of the energy that goes with the length of the cell along x."""
    length = 1e-3 * atoms.cell.array[0, 0]
    return energy + length, forces, stress + np.array([length / atoms.get_volume(), 0, 0, 0, 0, 0])


FAULTS = {
    "forces of 1 % more": (lambda c, a, e, f, s: (e, 1.01 * f, s), "forces are not minus the slope"),
    "forces of the other sign": (lambda c, a, e, f, s: (e, -f, s), "forces are not minus the slope"),
    "a force of another atom": (lambda c, a, e, f, s: (e, f[::-1], s), "forces are not minus the slope"),
    "stress of 1 % more": (lambda c, a, e, f, s: (e, f, 1.01 * s), "stress is not the slope"),
    "stress in GPa": (lambda c, a, e, f, s: (e, f, 160.2176634 * s), "stress is not the slope"),
    "stress in another order": (lambda c, a, e, f, s: (e, f, s[[0, 1, 2, 5, 4, 3]]), "stress is not the slope"),
    "an energy per atom": (lambda c, a, e, f, s: (e / len(a), f / len(a), s / len(a)), "of two cells"),
    "energy not finite": (lambda c, a, e, f, s: (np.nan, f, s), "energy: a finite"),
    "forces not finite": (lambda c, a, e, f, s: (e, f * np.inf, s), "forces: finite"),
    "forces of fewer atoms": (lambda c, a, e, f, s: (e, f[:-1], s), "forces: three"),
    "a field": (uphill, "forces|stress|shift"),
    "a direction in space": (eastern, "stress|rotation"),
    "an answer that drifts": (lambda c, a, e, f, s: (e + 1e-5 * c.n_asked, f, s), "energy is not the same"),
    "an order that matters": (lambda c, a, e, f, s: (e, f + np.eye(len(a), 3) * 1e-3, s), "forces are not"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_breaks_it_is_found(name):
    change, said = FAULTS[name]
    with pytest.raises(AssertionError, match=said):
        check_calculator(model(lambda: Changed(change)))


def test_what_is_unchanged_is_not_a_fault():
    check_calculator(model(lambda: Changed(lambda c, a, e, f, s: (e, f, s))))


def test_a_pair_potential_cut_off_with_a_step_in_its_forces_is_found():
    """The default of ASE: neighbors that pass the cutoff change the slope at once."""
    with pytest.raises(AssertionError, match="slope"):
        check_calculator(model(lambda: LennardJones(epsilon=0.4, sigma=2.3, rc=5.5)))


def test_a_model_says_its_name_title_and_package():
    for fault in ({"name": "Mine"}, {"name": ""}, {"title": ""}, {"package": ""}):
        named = {"name": "mine", "title": "mine", "package": "ase", **fault}
        one = Model(named["name"], named["title"], EMT, named["package"], "none", "a test", METALS)
        with pytest.raises(AssertionError):
            check_calculator(one)


def test_a_model_of_no_shipped_crystal_asks_for_a_sample():
    with pytest.raises(AssertionError, match="give a sample"):
        check_calculator(model(EMT, elements=frozenset({"Pt"})))
    check_calculator(model(EMT, elements=frozenset({"Pt"})), bulk("Pt", a=4.0).repeat((1, 1, 2)))
