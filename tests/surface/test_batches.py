"""Many structures in one call: the same search as one by one, what fails fails alone, and nobody waits for ever."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from pytest import approx

pytest.importorskip("ase")
pytest.importorskip("spglib")

from ase import Atoms
from ase.build import bulk, fcc111
from ase.calculators.emt import EMT
from surface_searches import TINY, bits_of, by_emt, plan

from interlith.surface.batches import DoTogether, Together
from interlith.surface.calculators import calculator, model_of
from interlith.surface.conduct import conduct
from interlith.surface.store import Store

pytestmark = pytest.mark.filterwarnings("ignore:Set OLD_ERROR_HANDLING:DeprecationWarning")


class Recorded:
    """Many by the effective-medium potential, one after the other; how many were handed in at once."""

    def __init__(self):
        self.sizes = []

    def __call__(self, structures):
        self.sizes.append(len(structures))
        return [self.one(atoms) for atoms in structures]

    def one(self, atoms):
        atoms.calc = EMT()
        return {"energy": atoms.get_potential_energy(), "forces": atoms.get_forces(), "stress": atoms.get_stress()}


def numbers(held):
    """All numbers of nested lists, in order."""
    return [held] if isinstance(held, float) else [value for part in held for value in numbers(part)]


def searched(doing, executor=None):
    ended, count = conduct({"one": plan("Cu", "100", **TINY)}, Store(None), executor, doing=doing)
    return bits_of(ended["one"]), count


def test_a_search_by_threads_that_compute_together_is_that_of_one_by_one():
    """But for last digits: one by one, this potential keeps its list of neighbors from step to step."""
    many = Recorded()
    with ThreadPoolExecutor(4) as threads:
        together, count = searched(DoTogether(["emt"], lambda name: many), threads)
    alone, other = searched(by_emt)
    assert together["way"] == alone["way"]
    for key in ("clean", "free", "barrier", "minima", "curvatures"):
        assert numbers(together[key]) == approx(numbers(alone[key]), abs=1e-5), key
    assert (count.n_computed, max(many.sizes)) == (other.n_computed, 4)
    assert 0.9 < sum(many.sizes) / sum(row["n_calls"] for row in count.log) <= 1.0  # a stress alone is at hand


def test_a_structure_that_cannot_be_computed_fails_alone():
    def many(structures):
        if any("X" in atoms.get_chemical_symbols() for atoms in structures):
            raise ValueError("X is no element")
        return [{"energy": float(len(atoms))} for atoms in structures]

    hub = Together(many)

    def asked(symbol):
        with hub.at_work():
            both.wait()
            return hub(Atoms(symbol))

    both = threading.Barrier(2)
    with ThreadPoolExecutor(2) as threads:
        good, bad = threads.submit(asked, "Cu"), threads.submit(asked, "X")
        assert good.result(timeout=30) == {"energy": 1.0}
        with pytest.raises(ValueError, match="X is no element"):
            bad.result(timeout=30)


def test_whoever_waits_is_answered_when_the_others_are_done():
    hub = Together(Recorded())
    begun = threading.Event()

    def short():
        with hub.at_work():
            begun.set()
            time.sleep(0.3)

    def long():
        begun.wait()
        with hub.at_work():
            return hub(bulk("Cu"))

    with ThreadPoolExecutor(2) as threads:
        waiting = threads.submit(long)
        threads.submit(short)
        assert waiting.result(timeout=30)["energy"] < 0.1


def test_whoever_waits_is_sent_away_when_a_search_is_given_up():
    hub = Together(Recorded())

    def waits():
        with hub.at_work():
            return hub(bulk("Cu"))

    with ThreadPoolExecutor(1) as threads, hub.at_work():
        waiting = threads.submit(waits)
        time.sleep(0.2)
        hub.stop()
        with pytest.raises(InterruptedError):
            waiting.result(timeout=30)


@pytest.mark.parametrize("name", ["7net-0", "chgnet"])
def test_a_model_says_the_same_of_many_as_of_each(name):
    """Structures of different sizes, one strained, one with vacuum. Needs the extra `surface`."""
    pytest.importorskip("sevenn" if name == "7net-0" else "chgnet")
    slab = fcc111("Cu", (1, 1, 3), vacuum=8.0)
    slab.pbc = True
    strained = bulk("Li", "bcc", a=3.3)
    strained.rattle(0.05, seed=1)
    structures = [bulk("Cu", cubic=True), strained * (2, 1, 1), slab]
    structures[0].rattle(0.1, seed=2)
    together = model_of(name).make_many()([atoms.copy() for atoms in structures])
    for atoms, found in zip(structures, together, strict=True):
        atoms.calc = calculator(name)
        assert found["energy"] == approx(atoms.get_potential_energy(), abs=2e-4)
        assert np.asarray(found["forces"]) == approx(atoms.get_forces(), abs=2e-4)
        assert np.asarray(found["stress"]) == approx(atoms.get_stress(), abs=2e-5)
        assert np.abs(found["stress"]).max() > 1e-3
