"""What is written for VASP and GPAW, judged by reading it back with ASE and pymatgen, and by what must be refused."""

import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest
from pytest import approx

from interlith.errors import EnvironmentError_, InputError
from interlith.surface.dft import DftSettings, changed, k_mesh
from interlith.surface.inputs import write_gpaw, write_vasp, write_vasp_neb

pytest.importorskip("ase")

from ase import Atoms
from ase.build import add_adsorbate, bulk, fcc111, molecule
from ase.constraints import FixAtoms
from ase.io import read

PAPER = DftSettings()


def slab():
    """Zn and O out of order, lithium last, the two lowest atoms held."""
    atoms = Atoms(
        "ZnOZnOLi",
        [(0, 0, 10.0), (1.6, 2.6, 10.9), (1.6, 2.6, 12.8), (0, 0, 13.7), (0.4, 0.3, 15.6)],
        cell=[3.25, 5.2, 30.0],
        pbc=True,
    )
    atoms.set_constraint(FixAtoms(indices=[0, 1]))
    return atoms


def band(n=5):
    start = slab()
    images = [start.copy() for _ in range(n)]
    for place, image in enumerate(images):
        image.positions[4, 0] += 1.3 * place / (n - 1)
    return images


def tags(path):
    lines = (line.split("#")[0] for line in path.read_text().splitlines())
    return dict(re.split(r"\s*=\s*", line.strip(), maxsplit=1) for line in lines if "=" in line)


def test_poscar_reads_back_grouped_by_element_with_the_same_atoms_held(tmp_path):
    write_vasp(slab(), tmp_path, PAPER, "lithium on ZnO(020)")
    back, given = read(tmp_path / "POSCAR"), slab()
    assert back.get_chemical_symbols() == ["Li", "O", "O", "Zn", "Zn"]
    order = [4, 1, 3, 0, 2]
    assert back.positions == approx(given.positions[order], abs=1e-9)
    assert back.cell.array == approx(given.cell.array)
    held = {int(place) for constraint in back.constraints for place in constraint.get_indices()}
    assert {order[place] for place in held} == {0, 1}
    text = (tmp_path / "POTCAR.txt").read_text()
    assert "cat Li_sv/POTCAR O/POTCAR Zn/POTCAR > POTCAR" in text
    assert f"from 0: {' '.join(map(str, order))}\n" in text
    assert (tmp_path / "POSCAR").read_text().startswith("lithium on ZnO(020)\n")


def test_pymatgen_reads_every_file(tmp_path):
    vasp = pytest.importorskip("pymatgen.io.vasp")
    write_vasp(slab(), tmp_path, PAPER, "x")
    poscar = vasp.Poscar.from_file(tmp_path / "POSCAR", check_for_potcar=False)
    assert poscar.site_symbols == ["Li", "O", "Zn"]
    assert sum(not any(flags) for flags in poscar.selective_dynamics) == 2
    points = vasp.Kpoints.from_file(tmp_path / "KPOINTS")
    assert points.style.name == "Gamma"
    assert tuple(points.kpts[0]) == k_mesh(slab().cell.array, PAPER) == (8, 5, 1)
    incar = vasp.Incar.from_file(tmp_path / "INCAR")
    assert incar["ENCUT"] == 520
    assert incar["EDIFF"] == approx(1e-5)
    assert incar["EDIFFG"] == approx(-0.02)
    assert (incar["IVDW"], incar["ISPIN"], incar["IBRION"], incar["ISIF"]) == (12, 1, 2, 2)
    assert (incar["LDIPOL"], incar["IDIPOL"]) == (True, 3)
    assert incar["DIPOL"][2] == approx(slab().get_center_of_mass()[2] / 30.0, abs=1e-4)
    assert incar["GGA"].upper() == "PE"
    incar.check_params()


def test_tags_are_known_to_pymatgen(tmp_path, recwarn):
    """A tag that VASP does not know, or a value of another kind, makes pymatgen warn. Three are VTST's."""
    vasp = pytest.importorskip("pymatgen.io.vasp")
    write_vasp_neb(band(), tmp_path / "band", PAPER)
    write_vasp(slab(), tmp_path / "one", PAPER, task="single-point")
    recwarn.clear()
    for folder in ("band", "one"):
        vasp.Incar.from_file(tmp_path / folder / "INCAR").check_params()
    unknown = {found for warned in recwarn for found in re.findall(r"Cannot find (\w+)", str(warned.message))}
    assert unknown <= {"LCLIMB", "ICHAIN", "IOPT"}, [str(warned.message) for warned in recwarn]


def test_what_departs_from_the_paper_stands_in_the_file(tmp_path):
    write_vasp(slab(), tmp_path, changed(PAPER, cutoff_eV=400.0, dispersion="none"))
    head = (tmp_path / "INCAR").read_text().splitlines()[1]
    assert "cutoff_eV (paper: 520.0)" in head
    assert "dispersion (paper: D3(BJ))" in head
    assert "IVDW" not in tags(tmp_path / "INCAR")
    assert tags(tmp_path / "INCAR")["ENCUT"] == "400"


def test_crystal_and_atom_have_no_dipole_correction(tmp_path):
    write_vasp(bulk("Li", "bcc", a=3.44), tmp_path / "crystal", PAPER)
    write_vasp(Atoms("Li", [(6, 6, 6)], cell=[12, 13, 14], pbc=True), tmp_path / "atom", PAPER)
    crystal, atom = (tags(tmp_path / name / "INCAR") for name in ("crystal", "atom"))
    assert not {"LDIPOL", "IDIPOL", "DIPOL"} & (crystal.keys() | atom.keys())
    assert (crystal["ISPIN"], atom["ISPIN"]) == ("1", "2")
    assert atom["ISYM"] == "0"
    assert (tmp_path / "atom" / "KPOINTS").read_text().splitlines()[3] == "1 1 1"
    assert (tmp_path / "crystal" / "KPOINTS").read_text().splitlines()[3] == "11 11 11"  # 0.4111 / 0.04 = 10.3
    assert not read(tmp_path / "crystal" / "POSCAR").constraints


def test_single_point_moves_nothing(tmp_path):
    write_vasp(slab(), tmp_path, PAPER, task="single-point")
    written = tags(tmp_path / "INCAR")
    assert (written["IBRION"], written["NSW"]) == ("-1", "0")
    assert "EDIFFG" not in written


def test_band_reads_back_image_by_image(tmp_path):
    write_vasp_neb(band(), tmp_path, PAPER, "hop along a")
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == ["00", "01", "02", "03", "04"]
    for n, image in enumerate(band()):
        assert read(tmp_path / f"{n:02d}" / "POSCAR").positions == approx(image.positions[[4, 1, 3, 0, 2]], abs=1e-9)
    written = tags(tmp_path / "INCAR")
    assert (written["IMAGES"], written["ICHAIN"]) == ("3", "0")
    assert float(written["SPRING"]) == -5
    assert (written["LCLIMB"], written["IOPT"], written["IBRION"], written["POTIM"]) == (".TRUE.", "1", "3", "0")
    assert float(written["EDIFFG"]) == -0.02
    assert "VASP must be built with it" in (tmp_path / "POTCAR.txt").read_text()


def test_band_without_climbing_needs_no_vtst(tmp_path):
    write_vasp_neb(band(), tmp_path, PAPER, climbing=False)
    written = tags(tmp_path / "INCAR")
    assert not {"LCLIMB", "IOPT", "ICHAIN", "POTIM"} & written.keys()
    assert written["IBRION"] == "1"
    assert "VTST" not in (tmp_path / "POTCAR.txt").read_text()


def of_another_cell(images):
    images[2].cell[2, 2] += 1.0


def with_another_order(images):
    images[2].symbols[:2] = ["O", "Zn"]


def with_nothing_held(images):
    images[1].set_constraint()


def twice_the_same(images):
    images[2].positions = images[1].positions


def wrapped(images):
    images[3].positions[4, 0] += 3.25


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (of_another_cell, "image 2: another cell"),
        (with_another_order, "image 2: not the same atoms"),
        (with_nothing_held, "image 1: other atoms held"),
        (twice_the_same, "images 1 and 2 are the same"),
        (wrapped, "images 2 and 3: an atom moves by half the cell"),
        (lambda images: images.__delitem__(slice(2, None)), "2 images: a band needs"),
    ],
)
def test_bands_that_would_go_wrong_unseen(tmp_path, spoil, said):
    images = band()
    spoil(images)
    with pytest.raises(InputError, match=said):
        write_vasp_neb(images, tmp_path, PAPER)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("write", [write_vasp, write_gpaw])
@pytest.mark.parametrize(
    ("atoms", "said"),
    [
        (Atoms(), "no atoms"),
        (molecule("H2O"), "no cell"),
        (Atoms("Al", cell=[4.0, 4.0, 4.0], pbc=False), "not periodic along a"),
        (Atoms("Al2", [(0, 0, 0), (0, 0, 2)], cell=[20.0, 3.0, 4.0], pbc=True), "must lie along c"),
    ],
)
def test_atoms_that_cannot_be_computed_leave_no_file(tmp_path, write, atoms, said):
    with pytest.raises(InputError, match=said):
        write(atoms, tmp_path / "new", PAPER)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("write", [write_vasp, write_gpaw])
def test_a_task_that_is_not_known(tmp_path, write):
    with pytest.raises(InputError, match="relax or single-point"):
        write(slab(), tmp_path, PAPER, task="dance")


@pytest.mark.parametrize("write", [write_vasp, write_gpaw])
def test_what_is_there_is_not_replaced_unasked(tmp_path, write):
    files = write(slab(), tmp_path, PAPER, "one")
    assert write(slab(), tmp_path, PAPER, "one") == files  # the same again is no loss
    before = {path: path.read_bytes() for path in files}
    with pytest.raises(InputError, match="already there, and different"):
        write(slab(), tmp_path, changed(PAPER, cutoff_eV=300.0), "two")
    assert {path: path.read_bytes() for path in files} == before
    write(slab(), tmp_path, changed(PAPER, cutoff_eV=300.0), "two", overwrite=True)
    assert {path: path.read_bytes() for path in files} != before
    assert not list(tmp_path.rglob("*.partial"))


@pytest.mark.parametrize("write", [write_vasp, write_gpaw])
def test_a_folder_that_cannot_be_written(tmp_path, write):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(EnvironmentError_, match="cannot be written"):
        write(slab(), tmp_path / "file" / "below", PAPER)


@pytest.mark.skipif(
    os.name == "nt" or not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere"
)
def test_a_folder_without_rights(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(EnvironmentError_, match="cannot be written"):
        write_vasp(slab(), tmp_path, PAPER)


@pytest.mark.parametrize("title", ["", "Zn\nO", 'a "quoted" \\ {title}', "Lithium für ZnO – é", '"""', "x" * 500])
def test_any_title_gives_files_that_can_be_read(tmp_path, title):
    write_vasp(slab(), tmp_path / "vasp", PAPER, title)
    assert len(read(tmp_path / "vasp" / "POSCAR")) == 5
    assert tags(tmp_path / "vasp" / "INCAR")["ENCUT"] == "520"
    write_gpaw(slab(), tmp_path / "gpaw", PAPER, title)
    compile((tmp_path / "gpaw" / "run.py").read_text(), "run.py", "exec")


def test_structure_for_gpaw_keeps_atoms_cell_and_constraints(tmp_path):
    write_gpaw(slab(), tmp_path, PAPER)
    back = read(tmp_path / "structure.extxyz")
    assert back.positions == approx(slab().positions, abs=1e-7)
    assert back.pbc.tolist() == [True, True, False]
    assert np.sort(back.constraints[0].get_indices()).tolist() == [0, 1]


@pytest.mark.parametrize("task", ["single-point", "relax"])
def test_script_for_gpaw_says_the_settings(tmp_path, task):
    write_gpaw(slab(), tmp_path, PAPER, task=task)
    script = (tmp_path / "run.py").read_text()
    assert "'ecut': 520.0" in script
    assert "'size': (8, 5, 1)" in script
    assert "'dipolelayer': 'xy'" in script
    assert f"RELAX, LARGEST_FORCE_eV_per_A, MOST_STEPS = {task == 'relax'}, 0.02, 200" in script
    assert "interlith" not in [line.split()[1] for line in script.splitlines() if line.startswith(("import", "from"))]


@pytest.mark.parametrize("task", ["single-point", "relax"])
def test_script_for_gpaw_runs(tmp_path, task):
    pytest.importorskip("gpaw")
    pytest.importorskip("dftd3")
    coarse = DftSettings(cutoff_eV=200.0, k_spacing_per_A=0.2, force_eV_per_A=0.3, source="tests")
    metal = fcc111("Al", (1, 1, 2), vacuum=6.0)
    add_adsorbate(metal, "Li", 2.6, "fcc")
    metal.set_constraint(FixAtoms(indices=[0]))
    write_gpaw(metal, tmp_path, coarse, task=task)
    done = subprocess.run([sys.executable, tmp_path / "run.py"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "energy.json").read_text())
    assert found["dispersion_eV"] < 0
    assert found["settings"]["cutoff_eV"] == 200.0
    if task == "single-point":
        from interlith.surface.dft import single_point

        assert found["pbe_eV"] == approx(single_point(metal, coarse).pbe_eV, abs=1e-3)
