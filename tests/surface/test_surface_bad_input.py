"""What can go wrong in a search is told in a sentence: faces, slabs, potentials, crystals and files of no use."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from pytest import approx

pytest.importorskip("ase")
pytest.importorskip("spglib")

from ase import Atoms
from ase.build import bulk, fcc111
from ase.calculators.calculator import all_changes
from ase.calculators.emt import EMT
from ase.calculators.lj import LennardJones
from ase.io import write
from pydantic import ValidationError
from surface_searches import COPPER_FILE, EMT_MODEL, TINY, COPPER_COHESIVE_eV, GOLD_COHESIVE_eV, by_emt, found_of, plan

from interlith import plugins, screening
from interlith.errors import CorruptFile, EnvironmentError_, InputError, InterlithError, SolverError
from interlith.screening import ScreenOptions, screen
from interlith.surface import calculators
from interlith.surface.calculators import Model, ready
from interlith.surface.conduct import conduct
from interlith.surface.crystal import read_crystal
from interlith.surface.result import orders, orders_left_out, quantities, row_of
from interlith.surface.store import Store
from interlith.surface.surfaces_file import faces_of, read_surfaces, surfaces_of
from interlith.surface.symmetry import distances
from interlith.surface.work import do

pytestmark = pytest.mark.filterwarnings("ignore:Set OLD_ERROR_HANDLING:DeprecationWarning")
SETTINGS = {"adsorbate": "Cu", "cohesive_energy_eV": COPPER_COHESIVE_eV, "vacuum_A": 8, "n_fixed": 1, **TINY}


@cache
def sound():
    """A search with nothing wrong, of copper on Cu(100)."""
    return conducted(by_emt)


def conducted(doing, face="100", **asked):
    ended, _ = conduct({"one": plan("Cu", face, **{**TINY, **asked})}, Store(None), doing=doing)
    return ended["one"]


def asked_of(face, found):
    from interlith.surface.settings import Settings

    (asked,) = faces_of(read_crystal("Cu"), face, settings=Settings(**SETTINGS))
    return row_of(asked, [found], {"emt": EMT_MODEL})


# ---- faces and slabs -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("face", ["10-10", "000", "hkl", "1 2", "99 0 0"])
def test_a_face_that_cannot_be_cut_is_refused(face):
    with pytest.raises(InputError, match="face"):
        faces_of(read_crystal("Cu"), face)


def test_a_termination_that_a_face_has_not_is_refused_with_those_that_it_has():
    with pytest.raises(InputError, match=r"termination 'Li'.*it has 'Zn', 'O', 'O \(O3\)', 'Zn \(Zn3\)'"):
        faces_of(read_crystal("ZnO"), "002", terminations=["Li"])


def test_an_adsorbate_that_is_no_element_is_refused():
    with pytest.raises(InputError, match="adsorbate H: no element whose crystal is known"):
        next(plan("Cu", "100", adsorbate="H", **TINY))
    for symbol in ("Qq", "ZnO", "Li2O"):
        with pytest.raises(ValidationError, match=f"adsorbate = {symbol}: not an element's symbol"):
            plan("Cu", "100", adsorbate=symbol, **TINY)


@pytest.mark.parametrize(
    ("own", "told"),
    [
        ("repeat = [100000000, 1]", "repeat: two whole numbers, 1 to 20"),
        ("repeat = [20, 20]", "a slab of 1600 atoms: at most 1000"),
        ('adsorbate = "ZnO"\ncohesive_energy_eV = 1.1', "adsorbate = ZnO: not an element's symbol"),
        ("n_layers = 1\nn_fixed = 0", "n_layers = 1: 0.0 A from the lowest atom to the highest are no slab"),
    ],
)
def test_slabs_of_no_use_are_refused_with_their_line_before_anything_is_computed(tmp_path, own, told):
    (tmp_path / "s.toml").write_text(
        f'title = "x"\nmodels = ["7net-0"]\n[settings]\n{own}\n[[surfaces]]\ncrystal = "Cu"\nface = "100"\n'
    )
    with pytest.raises(InputError, match=rf"s\.toml:[0-9]+: .*{re.escape(told)}"):
        read_surfaces(str(tmp_path / "s.toml"))


@pytest.mark.parametrize(
    ("models", "told"),
    [
        ('["foo"]', r"s\.toml:2: models: foo: not a model"),
        ('["CHGNet"]', "Did you mean chgnet"),
        ('["chgnet", "chgnet"]', r"s\.toml:2: models: one of them stands there twice"),
    ],
)
def test_models_of_a_file_are_told_with_their_line(tmp_path, models, told):
    (tmp_path / "s.toml").write_text(f'title = "x"\nmodels = {models}\n[[surfaces]]\ncrystal = "Cu"\nface = "100"\n')
    with pytest.raises(InputError, match=told):
        read_surfaces(str(tmp_path / "s.toml"))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('title = "x"\nsurfaces = []', "surfaces: at least 1 needed, 0 given"),
        ('title = "x"\nmodels = "chgnet"\n[[surfaces]]\ncrystal = "Cu"\nface = "100"', "chgnet: a list in brackets"),
    ],
)
def test_lists_are_called_lists(tmp_path, text, told):
    (tmp_path / "s.toml").write_text(text)
    with pytest.raises(InputError, match=re.escape(told)):
        read_surfaces(str(tmp_path / "s.toml"))


def test_one_face_asked_for_twice_is_refused():
    with pytest.raises(InputError, match=r"--face: Cu\(111\)-Cu is asked for twice"):
        surfaces_of("Cu", ["111", "111"], ["chgnet"])


def test_words_that_name_no_model_are_refused():
    with pytest.raises(InputError, match="--models: names of models"):
        screening.options_from("Cu", ["111"], " , ")
    assert screening.options_from("Cu", ["111"], "chgnet,chgnet").models == ("chgnet",)


@pytest.mark.parametrize(
    "other", [{"check_with": "gpaw"}, {"inputs_for": "vasp"}, {"so_far": True}, {"faces": ("002",)}]
)
def test_what_is_shipped_takes_no_other_options(other):
    with pytest.raises(InputError, match="--cached: goes with a name of shipped surfaces"):
        screening.screened("reference-surfaces", ScreenOptions(**other))


def test_inputs_that_are_there_already_stay_and_are_refused_before_the_work(tmp_path):
    (tmp_path / "inputs" / "Cu_111_-Cu").mkdir(parents=True)
    (tmp_path / "inputs" / "Cu_111_-Cu" / "POSCAR").write_text("mine")
    with pytest.raises(InputError, match="inputs are there already, and stay"):
        screen(None, ScreenOptions("Cu", ("111",), ("chgnet",), so_far=True, inputs_for="vasp"), out=tmp_path)
    assert (tmp_path / "inputs" / "Cu_111_-Cu" / "POSCAR").read_text() == "mine"


def test_a_potential_that_fails_says_on_what():
    class Unable(EMT):
        def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
            raise ValueError("do not know atomic number: 84\nmore")

    with pytest.raises(SolverError, match=r"the model cannot compute Cu[0-9]*: do not know atomic number: 84$"):
        conducted(lambda work: do(work, Unable()))


def test_more_choices_of_terminations_than_can_be_told_are_counted():
    rows = [
        {"name": f"s{i}", "termination": t, "binding_energy_eV": float(i), "spread_eV": 0.1, "barrier_eV": None}
        | {
            "barrier_spread_eV": None,
            "barrier_2d_eV": None,
            "barrier_2d_spread_eV": None,
            "not_ranked": None,
            "paper": {},
        }
        for i in range(30)
        for t in "ab"
    ]
    assert len(orders(rows)) == 64
    assert orders_left_out(rows) == 2**30 - 64
    assert orders_left_out(rows[:8]) == 0


# ---- potentials ------------------------------------------------------------------------------------------------------


class Bad(EMT):
    """No numbers, where `when` says so."""

    def __init__(self, when):
        super().__init__()
        self.when = when

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        if self.when(atoms):
            self.results = {name: np.full_like(value, np.nan) for name, value in self.results.items()}


def only_in(kind, when):
    """Numbers that are none in one kind of work."""
    return lambda work: do(work, Bad(when) if work.kind == kind else EMT())


def always(atoms):
    return True


class Counted:
    def __init__(self, n):
        self.n = n

    def __call__(self, atoms):
        self.n -= 1
        return self.n < 0


def test_a_potential_of_no_numbers_in_the_bulk_is_refused():
    found = conducted(only_in("bulk", always))
    assert "crystal" in found.refused
    assert found.barrier_high is None


def test_a_potential_of_no_numbers_in_a_kick_gives_no_verified_minimum():
    found = conducted(only_in("kick", always))
    assert not any(one.is_verified for one in found.minima)


def test_a_potential_of_no_numbers_on_the_slab_is_refused():
    found = conducted(only_in("relax", lambda atoms: len(atoms) == 2))
    assert "slab" in found.refused
    row = asked_of("100", found)
    assert row["binding_energy_eV"] is None
    assert row["not_ranked"].startswith("emt: ")


def test_a_potential_of_no_numbers_with_the_adsorbate_is_refused_with_the_reason():
    found = conducted(only_in("relax", lambda atoms: len(atoms) == 3))
    assert "not finite" in found.refused
    assert found.left_out["energy not finite"] == found.n_starts


@pytest.mark.parametrize(
    "n_good",
    [0, 2, 9],
)
def test_a_potential_of_no_numbers_on_a_path_leaves_the_binding_energy_and_no_barrier(n_good):
    found = conducted(only_in("path", Counted(n_good)))
    row = asked_of("100", found)
    assert row["binding_energy_eV"] == approx(sound().binding_eV(found.minima[0]), abs=1e-4)
    assert row["barrier_eV"] is None
    json.dumps(row, allow_nan=False)


def test_a_row_without_a_barrier_says_why():
    row = asked_of("100", conducted(only_in("path", Counted(2))))
    assert row["not_ranked"] or row["warnings"] or row["models"][0]["said"]


class Repelling(EMT):
    """Gold is driven off whatever lies below it."""

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        if len(set(atoms.numbers)) == 2:
            above = atoms.positions[-1, 2] - atoms.positions[:-1, 2].max()
            energy = 20.0 * np.exp(-above / 2.0)
            self.results["energy"] += energy
            self.results["forces"][-1, 2] += energy / 2.0


def test_where_everything_desorbs_there_is_no_rank_and_the_reason_is_told():
    found = found_of("Cu", "100", potential=Repelling(), adsorbate="Au", cohesive_energy_eV=GOLD_COHESIVE_eV, **TINY)
    assert found.left_out == {"desorbed": found.n_starts}
    assert f"{found.n_starts} x desorbed" in found.refused
    row = asked_of("100", found)
    assert (row["binding_energy_eV"], row["barrier_eV"], row["minima_verified"]) == (None, None, False)
    assert "desorbed" in row["not_ranked"]


def test_a_bare_slab_that_reconstructs_is_refused():
    wide = LennardJones(epsilon=0.5, sigma=3.9, rc=9.0, smooth=True)
    found = conducted(lambda work: do(work, EMT() if work.kind == "bulk" else wide))
    assert "reconstructs" in found.refused or "did not relax" in found.refused
    assert found.minima == ()


@pytest.mark.parametrize(("moved_A", "is_ranked"), [(0.3, True), (0.9, False)])
def test_a_bare_slab_that_lithium_leaves_lower_is_the_reference_and_far_from_its_cut_not_ranked(moved_A, is_ranked):
    """The slab that the adsorbate leaves behind lies 0.5 eV lower than the one as cut."""

    def left_lower(work):
        result = do(work, EMT())
        if work.name == "bare again":
            result["energy_eV"] -= 0.5
            result["atoms"]["positions"][1][2] += moved_A
        return result

    found = conducted(left_lower)
    assert found.binding_eV(found.minima[0]) == approx(sound().binding_eV(sound().minima[0]) - 0.5, abs=1e-3)
    assert found.bare.positions[1, 2] - found.atoms.positions[1, 2] == approx(moved_A, abs=0.01)
    assert "a state 0.50 eV lower" in found.said[0]
    row = asked_of("100", found)
    assert row["binding_energy_eV"] == approx(found.binding_eV(found.minima[0]), abs=1e-4)
    assert (row["not_ranked"] is None) == is_ranked
    if not is_ranked:
        assert "the bare surface reconstructs: it lies lower with atoms 0.9 A" in row["not_ranked"]


def test_an_adsorbate_that_pulls_the_surface_apart_has_no_site_there():
    def pulled(work):
        result = do(work, EMT())
        if work.kind == "relax" and len(result["atoms"]["numbers"]) == 3:
            result["atoms"]["positions"][1][2] += 1.3
        return result

    found = conducted(pulled)
    assert "the surface reconstructed" in found.refused
    assert found.minima == ()


def test_a_slab_that_gives_way_at_the_best_site_is_told():
    def giving_way(work):
        """An atom of the slab is drawn aside, and stays there when the adsorbate is kicked."""
        if work.kind == "kick":
            end = {"atoms": work.given["atoms"], "energy_eV": 99.0, "is_converged": True}
            return {"curvatures_eV_per_A2": [1.0] * 3, "ends": [end, end], "n_calls": 1, "seconds": 0.0}
        result = do(work, EMT())
        if work.kind == "relax" and len(result["atoms"]["numbers"]) == 3:
            result["atoms"]["positions"][1][0] += 0.8
        return result

    said = "at the best site an atom of the slab lies 0.8 A from its place on the bare face"
    assert said in conducted(giving_way).said


def test_an_adsorbate_that_sinks_below_the_surface_has_no_site_there():
    def sunk(work):
        result = do(work, EMT())
        if work.kind == "relax" and len(result["atoms"]["numbers"]) == 3:
            result["atoms"]["positions"][2][2] -= 4.0
        return result

    assert "went below the surface" in conducted(sunk).refused


def test_a_path_that_does_not_converge_is_an_interval_and_no_number():
    def hasty(work):
        if work.kind == "path":
            work = replace(work, given={**work.given, "most_steps": 1, "force_eV_per_A": 1e-4})
        return do(work, EMT())

    sure, unsure = sound(), conducted(hasty)
    (hop,) = unsure.hops.values()
    assert not hop.is_converged
    true = sure.barrier_high.anywhere_eV
    assert unsure.barrier_low.anywhere_eV < true - 0.1
    assert unsure.barrier_high.anywhere_eV > true - 1e-6
    row = asked_of("100", unsure)
    told = row["models"][0]
    assert (told["barrier_low_eV"], told["barrier_high_eV"]) == approx((0.0, unsure.barrier_high.anywhere_eV), abs=6e-5)
    assert not told["hops"][0]["is_converged"]
    for one in quantities(row):
        if one.name == "barrier_eV":
            assert one.low <= 1e-4
            assert one.high >= unsure.barrier_high.anywhere_eV - 2e-4


def test_paths_with_lower_places_after_the_last_round_are_told():
    def lower(work):
        result = do(work, EMT())
        if work.kind == "path":
            result["energies_eV"][1] -= 0.3
        return result

    assert conducted(lower, n_rounds=0).said == (
        "after 0 rounds paths still have lower places that were not looked into",
    )
    assert sound().said == ()


def test_a_crystal_whose_bonds_are_others_once_relaxed_has_no_numbers_and_stops_nothing():
    def another(work):
        """Relaxed, it is aluminium: nothing dangles that is called Cu."""
        result = do(work, EMT())
        if work.kind == "bulk":
            result["atoms"]["numbers"] = [13] * len(result["atoms"]["numbers"])
        return result

    found = conducted(another)
    assert found.refused == "the relaxed crystal has no termination Cu: its bonds are others"
    assert "its bonds are others" in asked_of("100", found)["not_ranked"]


def test_a_plug_in_that_lacks_its_package_names_it_and_not_torch():
    def make():
        raise ImportError("no", name="vendor_code")

    with pytest.raises(EnvironmentError_) as told:
        ready(Model("mine", "my potential", make, "my-pack", "none", "me"))
    assert str(told.value) == "mine: vendor_code is not installed; my-pack says what it needs"


def test_a_minimum_that_is_none_is_left_out():
    """Without forces nothing comes back when it is pushed."""
    from ase.calculators.calculator import Calculator

    class Flat(Calculator):
        implemented_properties = ["energy", "forces", "stress"]  # noqa: RUF012 - as ASE wants it

        def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
            super().calculate(atoms, properties, system_changes)
            self.results = {"energy": 0.0, "forces": np.zeros((len(atoms), 3)), "stress": np.zeros(6)}

    found = found_of("Cu", "100", potential=Flat(), **TINY)
    assert "left when pushed" in found.refused


def lower_on_the_way():
    """By the effective-medium potential on (111), but what lies in the middle of the first path relaxes into the second
    site at a lower energy than it was first given."""
    seen = {"path": False}

    def doing(work):
        result = do(work, EMT())
        if work.kind == "path" and not seen["path"]:
            seen["path"] = True
            middle = len(result["images"]) // 2
            result["images"][middle] = result["images"][-1]
            result["energies_eV"][middle] = min(result["energies_eV"]) - 0.2
        elif work.kind == "relax" and seen["path"] and work.name == "site":
            result["energy_eV"] -= 0.1
        return result

    return doing


def test_nodes_are_those_of_the_minima_also_when_a_known_site_was_found_lower():
    found = conducted(lower_on_the_way(), face="111")
    assert all(one.is_verified is not None for one in found.minima)
    ops = len(found.nodes)
    assert ops >= len(found.minima)
    for node in found.nodes:
        place = found.minima[node.site].place_A
        assert distances(found.atoms.cell.array, node.place_A, place) < 0.3


def test_when_the_only_site_turns_out_to_be_none_the_search_is_refused():
    """What was found lower on the way replaces the only site, and then does not come back when it is pushed."""
    inner, seen = lower_on_the_way(), []

    def doing(work):
        result = inner(work)
        seen.append(work.kind)
        if work.kind == "kick" and "path" in seen:
            result = {**result, "curvatures_eV_per_A2": [-1.0, 1.0, 1.0], "ends": []}
        return result

    found = conducted(doing)
    assert found.minima == ()
    assert "left when pushed" in found.refused
    assert found.barrier_high is None


# ---- models ----------------------------------------------------------------------------------------------------------


def failing(problem):
    def make():
        raise problem

    return Model("mine", "mine", make, "no-such-package", "none", "me")


def test_an_element_that_a_model_never_saw_is_warned_of():
    knows = replace(EMT_MODEL, elements=frozenset({"Al"}))
    found = sound()
    from interlith.surface.settings import Settings

    (asked,) = faces_of(read_crystal("Cu"), "100", settings=Settings(**SETTINGS))
    row = row_of(asked, [found], {"emt": knows})
    assert any("not trained on Cu" in said for said in row["warnings"])
    assert not any("trained" in said for said in asked_of("100", found)["warnings"])


def test_a_missing_extra_is_one_line_with_the_command_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(EnvironmentError_, match="pip install") as caught:
        ready(calculators.shipped_models()["7net-0"])
    assert "7net-0" in str(caught.value)
    assert "torch" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_ase_is_one_line_with_the_command_that_installs_it(monkeypatch):
    monkeypatch.setattr(
        "interlith.surface.crystal.needs", lambda: "ase: not installed; pip install 'interlith[surface]'"
    )
    with pytest.raises(EnvironmentError_, match=r"pip install 'interlith\[surface\]'"):
        read_crystal("ZnO")


@pytest.mark.parametrize(
    "problem", [FileNotFoundError("no weights"), RuntimeError("one\ntwo"), KeyError("x"), OSError()]
)
def test_a_model_without_its_weights_is_one_line(problem):
    with pytest.raises(EnvironmentError_, match="mine: cannot be loaded") as caught:
        ready(failing(problem))
    assert "\n" not in str(caught.value)


def test_a_model_that_is_not_known_is_refused_with_the_nearest():
    with pytest.raises(InputError, match=r"chgnett.*Did you mean chgnet\?"):
        calculators.model_of("chgnett")


# ---- crystals --------------------------------------------------------------------------------------------------------

CIF = """data_a
_cell_length_a 3.6
_cell_length_b 3.6
_cell_length_c 3.6
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'P 1'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
"""


def crystal_files(folder):
    """Files that hold no crystal, by name, with what is said of each."""
    nan, twice = bulk("Cu", cubic=True), bulk("Cu", cubic=True)
    nan.positions[1, 0] = np.nan
    twice.append("Cu")
    texts = {
        "empty.cif": "",
        "letter.cif": "Dear colleague,\nplease find the crystal attached.\n",
        "zero.vasp": "x\n1.0\n0 0 0\n0 0 0\n0 0 0\nCu\n1\nDirect\n0 0 0\n",
        "mixed.cif": CIF + "A Cu 0 0 0 0.5\nB Zn 0 0 0 0.5\nC Cu 0.5 0.5 0.5 1.0\n",
        "vacant.cif": CIF + "A Cu 0 0 0 0.9\nC Cu 0.5 0.5 0.5 1.0\n",
        "cut.cif": CIF[:300],
        "many.xyz": "501\n"
        + 'Lattice="90 0 0 0 90 0 0 0 90"\n'
        + "".join(f"Cu {i % 8}.5 {i // 8} 0\n" for i in range(501)),
    }
    for name, text in texts.items():
        (folder / name).write_text(text)
    (folder / "bytes.cif").write_bytes(bytes(range(256)) * 20)
    structures = {
        "nan.xyz": nan,
        "twice.xyz": twice,
        "two-d.xyz": fcc111("Cu", (1, 1, 2)),
        "molecule.xyz": Atoms("CO", positions=[(0, 0, 0), (0, 0, 1.1)]),
        "nothing.xyz": Atoms(cell=[3, 3, 3], pbc=True),
        "ghost.xyz": Atoms("X2", positions=[(0, 0, 0), (1.5, 1.5, 1.5)], cell=[3, 3, 3], pbc=True),
        "flat.xyz": Atoms("Cu", cell=[[3, 0, 0], [0, 3, 0], [3, 3, 1e-3]], pbc=True),
    }
    for name, atoms in structures.items():
        write(folder / name, atoms, format="extxyz")


SAID = {
    "empty.cif": "no crystal",
    "letter.cif": "no crystal",
    "bytes.cif": "no crystal",
    "cut.cif": "no crystal|no atoms",
    "zero.vasp": "no cell",
    "two-d.xyz": "no cell",
    "molecule.xyz": "no cell",
    "flat.xyz": "no cell",
    "mixed.cif": "partly occupied",
    "vacant.cif": "partly occupied",
    "twice.xyz": "0.00 A apart",
    "nothing.xyz": "no atoms",
    "ghost.xyz": "no element",
    "nan.xyz": "no numbers",
    "many.xyz": "501 atoms",
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", SAID)
def test_a_file_that_holds_no_crystal_is_refused_with_its_name(tmp_path, name):
    crystal_files(tmp_path)
    with pytest.raises(InputError, match=SAID[name]) as caught:
        read_crystal(name, tmp_path)
    assert str(caught.value).startswith(name)
    if name not in ("many.xyz", "mixed.cif", "vacant.cif"):
        assert isinstance(caught.value, CorruptFile)


def test_a_million_atoms_are_refused(tmp_path):
    path = tmp_path / "POSCAR"
    n = 100
    line = "\n".join(f"0.{i:03d} 0.{j:03d} 0.5" for i in range(n) for j in range(n))
    path.write_text(
        f"many\n1.0\n900 0 0\n0 900 0\n0 0 900\nCu\n{n * n * 100}\nDirect\n" + "\n".join([line] * 100) + "\n"
    )
    with pytest.raises(InputError, match="1000000 atoms"):
        read_crystal("POSCAR", tmp_path)


def test_a_cell_narrower_than_any_bond_is_refused(tmp_path):
    write(tmp_path / "thin.xyz", Atoms("Cu", cell=[0.4, 3, 3], pbc=True), format="extxyz")
    with pytest.raises(CorruptFile, match="apart"):
        read_crystal("thin.xyz", tmp_path)


def test_a_slab_in_a_box_is_no_crystal(tmp_path):
    slab = fcc111("Cu", (1, 1, 2), vacuum=8)
    slab.pbc = (True, True, False)
    slab.info.clear()
    write(tmp_path / "slab.xyz", slab, format="extxyz")
    with pytest.raises(InputError):
        read_crystal("slab.xyz", tmp_path)


@pytest.mark.parametrize("name", ["", ".", "/dev/null", "no-such.cif", "Zno", "x" * 300])
def test_what_is_neither_file_nor_crystal_is_refused_with_the_shipped_ones(tmp_path, name):
    with pytest.raises(InputError, match="ZnO"):
        read_crystal(name, tmp_path)


# ---- files of surfaces -----------------------------------------------------------------------------------------------

GOOD = COPPER_FILE.format(model="emt")


@pytest.fixture
def emt_registered(monkeypatch, tmp_path):
    """The effective-medium model as a plug-in, and a cache of our own."""
    plugins.load.cache_clear()
    calculators.calculator.cache_clear()
    entry = type("Entry", (), {"name": "emt", "load": staticmethod(lambda: EMT_MODEL)})
    monkeypatch.setattr(plugins, "registered", lambda group: [entry] if group == plugins.CALCULATORS else [])
    monkeypatch.setenv("INTERLITH_CACHE", str(tmp_path / "kept"))
    yield
    plugins.load.cache_clear()
    calculators.calculator.cache_clear()


def test_the_good_file_is_good(emt_registered, tmp_path):
    (tmp_path / "s.toml").write_text(GOOD)
    findings = screen(str(tmp_path / "s.toml"), workers=1)
    (row,) = findings.items[0].summary["surfaces"]
    assert row["key"] == "Cu(100)-Cu"
    assert row["binding_energy_eV"] == approx(sound().binding_eV(sound().minima[0]), abs=1e-4)
    assert row["not_ranked"] is None
    again = screen(str(tmp_path / "s.toml"), workers=1).items[0].summary
    assert again["run"]["n_computed"] == 0
    assert again["surfaces"] == findings.items[0].summary["surfaces"]


BAD_FILES = {
    "no TOML": ("title = ", "not TOML"),
    "no title": (GOOD.replace('title = "copper"\n', ""), "title: must be given"),
    "no surfaces": (GOOD.split("[[surfaces]]")[0], "surfaces: must be given"),
    "an unknown key": ("tittle = 1\n" + GOOD, r"s\.toml:1: tittle: not a key.*title"),
    "an unknown key of a surface": (GOOD + 'faces = "1"\n', r"s\.toml:13: surfaces\.1\.faces: not a key.*face"),
    "a wrong type": (GOOD.replace('face = "100"', "face = 100"), r"s\.toml:12: surfaces\.1\.face = 100"),
    "no models": (GOOD.replace('["emt"]', "[]"), "models"),
    "an unknown model": (GOOD.replace('["emt"]', '["emtt"]'), "emtt: not a model"),
    "a face twice": (GOOD + '[[surfaces]]\ncrystal = "Cu"\nface = "100"\n', r"Cu\(100\)-Cu is asked for twice"),
    "no such termination": (GOOD + 'terminations = ["O"]\n', r"s\.toml:13: surfaces\.1\.terminations: .*'Cu'"),
    "a termination twice": (GOOD + 'terminations = ["Cu", "Cu"]\n', "twice"),
    "no such crystal": (
        GOOD.replace('crystal = "Cu"', 'crystal = "Kupfer"'),
        r"s\.toml:11: surfaces\.1\.crystal: Kupfer",
    ),
    "no such face": (GOOD.replace('"100"', '"10-10"'), r"s\.toml:12: surfaces\.1\.face: .*hexagonal"),
    "too thin": (GOOD.replace("n_fixed = 1", "n_fixed = 2"), "n_fixed = 2: below n_layers = 2"),
    "no layers": (GOOD.replace("n_layers = 2", "n_layers = 0"), "n_layers = 0: .*greater than or equal to 1"),
    "not a number": (GOOD.replace("vacuum_A = 8", "vacuum_A = nan"), "vacuum_A = nan"),
    "an unknown setting": (GOOD.replace("vacuum_A", "vacum_A"), "vacum_A: not a key.*vacuum_A"),
    "a repeat of none": (GOOD.replace("[1, 1]", "[0, 1]"), "repeat"),
    "no cohesive energy": (GOOD.replace("cohesive_energy_eV = 3.49\n", ""), "cohesive_energy_eV: must be given"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_is_refused_with_file_and_key(emt_registered, tmp_path, name):
    text, said = BAD_FILES[name]
    (tmp_path / "s.toml").write_text(text)
    with pytest.raises(InterlithError, match=said) as caught:
        screen(str(tmp_path / "s.toml"), workers=1)
    assert isinstance(caught.value, InputError)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "line"),
    [(GOOD.replace("vacuum_A = 8", "vacuum_A = 1"), 8), (GOOD.replace("[1, 1]\n", "[1, 1]\ntitle = 3\n"), 10)],
)
def test_a_wrong_setting_is_told_with_its_line(emt_registered, tmp_path, text, line):
    (tmp_path / "s.toml").write_text(text)
    with pytest.raises(InputError, match=rf"s\.toml:{line}: settings\."):
        screen(str(tmp_path / "s.toml"), workers=1)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (ScreenOptions(), "file of surfaces or --material"),
        (ScreenOptions(material="Cu"), "--face"),
        (ScreenOptions(material="Cu", faces=("100",), models=("nope",)), "nope"),
        (ScreenOptions(material="nope", faces=("100",)), "nope"),
    ],
)
def test_options_that_do_not_go_together_are_refused(emt_registered, options, said):
    with pytest.raises(InputError, match=said):
        screen(None, options, workers=1)


def test_a_file_and_a_material_or_a_face_are_refused(emt_registered, tmp_path):
    (tmp_path / "s.toml").write_text(GOOD)
    for options in (ScreenOptions(material="Cu", faces=("100",)), ScreenOptions(faces=("100",))):
        with pytest.raises(InputError, match="--"):
            screen(str(tmp_path / "s.toml"), options, workers=1)


def test_an_out_that_cannot_be_written_is_refused_before_the_work(emt_registered, tmp_path, monkeypatch):
    (tmp_path / "s.toml").write_text(GOOD)
    monkeypatch.setattr(screening, "_searched", lambda *asked: pytest.fail("worked first"))
    with pytest.raises((InterlithError, OSError)):
        screen(str(tmp_path / "s.toml"), out=tmp_path / "s.toml" / "below", workers=1)


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        ([], 3, "give a file of surfaces"),
        (["no-such.toml"], 3, "no-such.toml"),
        (["--material", "Cu"], 3, "--face"),
        (["--material", "Cu", "--face", "1x0"], 3, "face '1x0'"),
        (["--material", "bad.cif", "--face", "100"], 3, "bad.cif"),
        (["--material", "Cu", "--face", "100", "--models", "nope"], 3, "nope"),
        (["--no-such-option"], 2, "No such option"),
        (["--workers", "0"], 2, "workers"),
    ],
)
def test_the_command_line_says_it_in_one_line_with_its_status(tmp_path, arguments, status, said):
    (tmp_path / "bad.cif").write_text("Dear colleague")
    done = subprocess.run(
        [sys.executable, "-m", "interlith", "screen", *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == status, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    if status != 2:
        assert done.stderr.count("\n") == 1


def test_what_is_not_installed_has_status_five(tmp_path):
    """Python runs sitecustomize first: there torch is made one that cannot be imported."""
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['torch'] = None\n")
    import os

    done = subprocess.run(
        [sys.executable, "-m", "interlith", "screen", "--material", "Cu", "--face", "100", "--models", "7net-0"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 5, done.stderr
    assert "pip install" in done.stderr
    assert done.stderr.count("\n") == 1
