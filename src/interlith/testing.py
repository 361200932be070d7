"""Contract checks for authors of plug-ins: each raises AssertionError that says which duty is not met.

from interlith.testing import check_calculator, check_format
def test_my_format():
    check_format(FORMAT, sample=Path("sample.xyz"))
def test_my_potential():
    check_calculator(MODEL)
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from interlith.cycling.clean import to_record
from interlith.cycling.formats import Format, Head, Raw, ReadOptions
from interlith.errors import InterlithError
from interlith.record import BY_NAME, CURRENT, FREQUENCY, TIME, VOLTAGE, Provenance

if TYPE_CHECKING:
    from interlith.surface.calculators import Model

Atoms = Any  # of ASE, which only the wing of surfaces imports
STEP_A, STRAIN = 0.02, 0.004  # of finite differences, and twice that: what is left goes with the fourth power
SAME_SHARE = 2e-3  # of forces or stress, by which these may differ: less than a wrong unit or a forgotten term makes


def check_format(known: Format, sample: Path, options: ReadOptions | None = None) -> Raw:
    """The duties of a Format, on one sample file of its kind.

    It recognizes the sample by content (also under another name) and not an empty or foreign file; reads it into known
    columns with the required ones, finite where they are series; gives the same twice; raises only interlith's errors
    for a file cut in half, or flags it, and never gives more rows than the whole.
    """
    assert known.name == known.name.lower(), "name: lower case, words joined by '-'"
    assert known.title, "title: what it reads, for people"
    assert all(suffix.startswith(".") for suffix in known.suffixes), "suffixes begin with a dot"
    check_recognition(known, sample)
    raw = known.read(sample, options or ReadOptions())
    _check_raw(raw)
    again = known.read(sample, options or ReadOptions())
    assert raw.table.equals(again.table, null_equal=True), "the same file must give the same table"
    provenance = Provenance(sample.name, "", known.name, "check_format")
    assert to_record(raw, provenance).n_rows > 0, "no row survives cleaning"
    return raw


def check_recognition(known: Format, sample: Path) -> None:
    """Content decides: the sample is recognized, text of no instrument is not."""
    assert known.recognize(Head(sample)), f"{known.name} does not recognize {sample.name}"
    foreign = sample.with_name("foreign-check.txt")
    foreign.write_text("Dear colleague,\nplease find the report attached.\n", encoding="utf-8")
    try:
        assert not known.recognize(Head(foreign)), f"{known.name} claims a letter"
    finally:
        foreign.unlink()


def check_damage(known: Format, sample: Path, options: ReadOptions | None = None, parts: int = 8) -> None:
    """Cut or with bytes flipped, a file is refused with interlith's errors, or read with no more rows than whole.

    For formats read in this process only; isolated ones are guarded by their child process.
    """
    data = sample.read_bytes()
    whole = known.read(sample, options or ReadOptions()).table.height
    damaged = sample.with_name("damaged-check" + sample.suffix)
    rng = np.random.default_rng(0)
    try:
        for part in range(1, parts):
            damaged.write_bytes(data[: len(data) * part // parts])
            assert _rows(known, damaged, options) <= whole, "a cut file gave more rows than the whole"
            flipped = bytearray(data)
            for place in rng.integers(0, len(data), 10):
                flipped[place] ^= 1 << int(rng.integers(0, 8))
            damaged.write_bytes(bytes(flipped))
            _rows(known, damaged, options)
    finally:
        damaged.unlink(missing_ok=True)


def _rows(known: Format, path: Path, options: ReadOptions | None) -> int:
    from interlith.cycling.isolation import guarded

    rows = [0]

    def work() -> None:
        rows[0] = known.read(path, options or ReadOptions()).table.height

    answer = guarded(work, path.name, known.title)
    assert not answer or issubclass(_error(answer["error"]), InterlithError)
    return rows[0]


def _error(name: str) -> type[BaseException]:
    from interlith import errors

    return getattr(errors, name)


def _check_raw(raw: Raw) -> None:
    names = raw.table.columns
    unknown = [name for name in names if name not in BY_NAME]
    assert not unknown, f"not columns of a record: {unknown}"
    missing = [name for name in (TIME, VOLTAGE, CURRENT) if name not in names]
    assert not missing, f"required columns missing: {missing}"
    series = raw.table.filter(raw.table[FREQUENCY].is_null()) if FREQUENCY in names else raw.table
    if series.height:
        finite = np.isfinite(series[CURRENT].cast(float).to_numpy()).mean()
        assert finite > 0.5, "most rows of the series have no current"


def check_calculator(model: Model, sample: Atoms | None = None, *, noise_eV: float = 1e-6) -> None:
    """The duties of a Model, on one crystal: energy, forces and stress that a search of surfaces can rely on.

    All are finite, and the same when asked again after another structure. Forces are minus the derivative of the
    energy by positions, stress that by strain over volume (finite differences). A shift, a rotation, another order of
    the atoms and an atom moved by a vector of the cell leave the energy as it is, and forces go with them. Two cells
    have twice the energy of one. Where there is a make_many, structures in one call are each what they are alone.

    sample: a periodic structure off its equilibrium; otherwise a shipped crystal of elements that the model knows,
    shaken and sheared. noise_eV: by how much rounding makes the energy of the sample uncertain: 1e-6 serves for double
    precision, 2e-5 for single, in which the last of 24 bits of 16 eV is 2e-6 and ten such steps are allowed. Raises
    AssertionError that says which duty is not met.

    >>> from ase.calculators.emt import EMT
    >>> from interlith.surface.calculators import Model
    >>> check_calculator(Model("emt", "effective medium", EMT, "ase", "fitted", "a paper", frozenset(["Cu", "Al"])))
    """
    from interlith.surface.calculators import ready

    assert model.name, "name: by which it is asked for"
    assert model.name == model.name.lower(), "name: lower case"
    assert model.title, "title: what it is, for people"
    assert model.package, "package: whose version goes into what is computed with it"
    atoms = _shaken(model) if sample is None else sample.copy()
    atoms.calc = ready(model)
    energy, forces, stress = _asked(atoms)
    _check_forces(atoms, forces, noise_eV)
    _check_stress(atoms, stress, noise_eV)
    for said, moved, turn, order, n_cells in _same_structures(atoms):
        got, their_forces, _ = _asked(moved)
        assert abs(got - n_cells * energy) <= n_cells * noise_eV, f"energy is not the same {said}: {got}, {energy} eV"
        off = np.abs(their_forces[: len(order)] - forces[order] @ turn.T).max()
        assert off <= noise_eV / STEP_A, f"forces are not the same {said}: {off} eV/A off"
    if model.make_many is not None:
        _check_many(model, atoms, noise_eV)


def _check_many(model: Model, atoms: Atoms, noise_eV: float) -> None:
    """Structures of two sizes in one call are each what they are alone."""
    assert model.make_many is not None
    structures = [atoms, atoms.repeat((2, 1, 1))]
    found = model.make_many()([one.copy() for one in structures])
    assert len(found) == len(structures), "make_many: one answer for each structure"
    for one, got in zip(structures, found, strict=True):
        one.calc = atoms.calc
        energy, forces, stress = _asked(one)
        off = abs(got["energy"] - energy) / len(one)
        assert off <= noise_eV, f"make_many: an energy is {off} eV per atom off that of one alone"
        off = float(np.abs(np.asarray(got["forces"]) - forces).max())
        assert off <= noise_eV / STEP_A, f"make_many: forces are {off} eV/A off those of one alone"
        off = float(np.abs(np.asarray(got["stress"]) - stress).max())
        assert off <= noise_eV, f"make_many: stress is {off} eV/A3 off that of one alone"


def _shaken(model: Model) -> Atoms:
    """A shipped crystal of known elements off its equilibrium, so that nothing is zero by symmetry."""
    from interlith.surface.crystal import crystal_names, read_crystal

    crystals = [read_crystal(name) for name in ("Cu", *crystal_names())]
    known = [one.atoms for one in crystals if not model.unknown(one.elements)]
    assert known, f"no shipped crystal is of elements that {model.name} knows; give a sample"
    atoms, rng = known[0].copy(), np.random.default_rng(0)
    shear = np.eye(3) + rng.uniform(-0.02, 0.02, (3, 3))
    atoms.set_cell(atoms.cell.array @ shear, scale_atoms=True)
    atoms.positions += rng.uniform(-0.1, 0.1, atoms.positions.shape)
    return atoms


def _asked(atoms: Atoms) -> tuple[float, Any, Any]:
    """Energy, forces float[atom, 3] and stress float[6] of a copy; finite, and what they should be in shape."""
    energy, forces = atoms.get_potential_energy(), np.array(atoms.get_forces(), float)
    stress = np.array(atoms.get_stress(), float)
    assert np.ndim(energy) == 0, "energy: one number"
    assert np.isfinite(energy), "energy: a finite number"
    assert forces.shape == (len(atoms), 3), "forces: three for each atom"
    assert np.isfinite(forces).all(), "forces: finite numbers"
    assert stress.shape == (6,), "stress: six numbers, in the order of Voigt"
    assert np.isfinite(stress).all(), "stress: finite numbers"
    return float(energy), forces, stress


def _slope(energy_at: Callable[[float], float], step: float) -> float:
    """The derivative at zero by central differences of two steps, extrapolated."""
    single, double = ((energy_at(h) - energy_at(-h)) / (2.0 * h) for h in (step, 2.0 * step))
    return (4.0 * single - double) / 3.0


def _check_forces(atoms: Atoms, forces: Any, noise_eV: float) -> None:
    """Along random directions in the space of all positions, each of length one for the atom that moves most."""
    rng = np.random.default_rng(1)
    for _ in range(3):
        way = rng.normal(size=forces.shape)
        way /= np.linalg.norm(way, axis=1).max()

        def energy_at(by_A: float, way: Any = way) -> float:
            moved = atoms.copy()
            moved.positions += by_A * way
            moved.calc = atoms.calc
            return float(moved.get_potential_energy())

        got, want = _slope(energy_at, STEP_A), -float((forces * way).sum())
        allowed = 2.0 * noise_eV / STEP_A + SAME_SHARE * np.abs(forces * way).sum()
        assert abs(got - want) <= allowed, f"forces are not minus the slope of the energy: {want} and {got} eV/A"


def _check_stress(atoms: Atoms, stress: Any, noise_eV: float) -> None:
    """By random symmetric strains, whose largest part is one."""
    rng, volume = np.random.default_rng(2), float(atoms.get_volume())
    xx, yy, zz, yz, xz, xy = stress
    tensor = np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])
    for _ in range(3):
        way = rng.normal(size=(3, 3))
        way = (way + way.T) / np.abs(way + way.T).max()

        def energy_at(by: float, way: Any = way) -> float:
            strained = atoms.copy()
            strained.set_cell(atoms.cell.array @ (np.eye(3) + by * way), scale_atoms=True)
            strained.calc = atoms.calc
            return float(strained.get_potential_energy())

        got, want = _slope(energy_at, STRAIN), volume * float((tensor * way).sum())
        allowed = 2.0 * noise_eV / STRAIN + SAME_SHARE * volume * np.abs(tensor * way).sum()
        assert abs(got - want) <= allowed, f"stress is not the slope of the energy by strain: {want} and {got} eV"


def _same_structures(atoms: Atoms) -> list[tuple[str, Atoms, Any, Any, int]]:
    """What must have the same energy: in words, the structure, the rotation of its forces, which atom of the sample
    each of its first atoms is, and of how many cells it is."""
    stay, own = np.eye(3), np.arange(len(atoms))
    rng = np.random.default_rng(3)
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    turn *= np.sign(np.linalg.det(turn))
    order = rng.permutation(len(atoms))
    again, shifted, turned, shuffled, imaged = (atoms.copy() for _ in range(5))
    shifted.positions += [0.37, -1.21, 2.63]
    turned.set_cell(atoms.cell.array @ turn.T)
    turned.positions = atoms.positions @ turn.T
    shuffled = shuffled[order]
    imaged.positions[-1] += atoms.cell.array[0] - 2.0 * atoms.cell.array[2]
    found = [
        ("after a shift", shifted, stay, own, 1),
        ("after a rotation", turned, turn, own, 1),
        ("in another order of the atoms", shuffled, stay, order, 1),
        ("with an atom in another cell", imaged, stay, own, 1),
        *(("of two cells", atoms.repeat(repeat), stay, own, 2) for repeat in ((2, 1, 1), (1, 2, 1), (1, 1, 2))),
        ("when asked again", again, stay, own, 1),
    ]
    for _, structure, *_ in found:
        structure.calc = atoms.calc
    return found
