"""Searches without torch: models of ASE's own potentials, small slabs, and what the tests ask of them."""

from functools import partial

from ase.calculators.emt import EMT
from ase.calculators.lj import LennardJones

from interlith.surface.calculators import Model
from interlith.surface.conduct import conduct
from interlith.surface.crystal import Crystal, read_crystal
from interlith.surface.miller import parse_face
from interlith.surface.search import search
from interlith.surface.settings import Settings
from interlith.surface.slab import cuts
from interlith.surface.store import Store
from interlith.surface.work import do

COPPER_COHESIVE_eV = 3.49  # Kittel, Introduction to Solid State Physics, table of cohesive energies
GOLD_COHESIVE_eV = 3.81  # the same
EMT_METALS = frozenset(["Al", "Cu", "Ag", "Au", "Ni", "Pd", "Pt", "H", "C", "N", "O"])
EMT_MODEL = Model(
    "emt", "effective medium", EMT, "ase", "fitted to metals", "doi:10.1016/0039-6028(96)00816-3", EMT_METALS
)
LJ_MODEL = Model("lj", "Lennard-Jones", LennardJones, "ase", "no material", "doi:10.1098/rspa.1924.0082")
SMALL = {"vacuum_A": 8, "n_layers": 3, "n_fixed": 1}


def metal(symbol):
    """A metal that is not shipped, as ASE knows it."""
    from ase.build import bulk

    return Crystal(symbol, symbol, bulk(symbol, cubic=True))


def plan(crystal, face, *, model=EMT_MODEL, termination=None, **settings):
    """A search of a face; of copper by copper where nothing else is said."""
    crystal = read_crystal(crystal) if isinstance(crystal, str) else crystal
    miller = parse_face(face)
    settings = {**SMALL, "adsorbate": "Cu", "cohesive_energy_eV": COPPER_COHESIVE_eV, **settings}
    return search(crystal, miller, termination or cuts(crystal, miller)[0].name, model, Settings(**settings))


def found_of(crystal, face, *, potential=None, store=None, **asked):
    """What a search in this process finds."""
    doing = partial(do, potential=EMT() if potential is None else potential)
    ended, _ = conduct({"one": plan(crystal, face, **asked)}, store or Store(None), doing=doing)
    return ended["one"]


def barrier_eV(found):
    """The barrier, of a search whose paths all converged."""
    assert found.barrier_low == found.barrier_high
    return found.barrier_high.anywhere_eV


def bits_of(found):
    """All numbers of a search, with all their bits."""
    return {
        "clean": found.clean_energy_eV,
        "free": found.free_atom_eV,
        "cell": found.bulk.cell.array.tolist(),
        "minima": [[one.energy_eV, *one.place_A.tolist(), one.shifts_A.tolist()] for one in found.minima],
        "curvatures": [list(one.curvatures_eV_per_A2) for one in found.minima],
        "hops": [[list(edge), list(hop.energies_eV), hop.low_eV, hop.high_eV] for edge, hop in found.hops.items()],
        "barrier": [found.barrier_low.anywhere_eV, found.barrier_high.everywhere_eV],
        "way": [list(edge) for edge in found.barrier_high.way],
        "left_out": dict(found.left_out),
    }


TINY = {"repeat": (1, 1), "n_layers": 2}


def by_emt(work):
    """A piece by the effective-medium potential, which remembers nothing of the pieces before."""
    return do(work, EMT())


COPPER_FILE = """title = "copper"
models = ["{model}"]
[settings]
adsorbate = "Cu"
cohesive_energy_eV = 3.49
n_layers = 2
n_fixed = 1
vacuum_A = 8
repeat = [1, 1]
[[surfaces]]
crystal = "Cu"
face = "100"
"""
