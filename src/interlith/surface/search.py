"""The search of one face by one model: slab, starts, minima, hops, paths, until nothing new is found.

`search` is a generator: it hands out pieces of work in batches, and is sent their results. It computes no energy
itself, so that whoever runs it may do a batch in any order, on any number of processes, or read it from a store.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from interlith.errors import InputError
from interlith.surface.calculators import Model
from interlith.surface.crystal import Crystal, read_crystal
from interlith.surface.found import FaceFound, Hop, Minimum, with_adsorbate
from interlith.surface.graph import Barrier, Edge, Node, classes_of, neighbor_edges, nodes_of, percolation
from interlith.surface.miller import Miller
from interlith.surface.settings import Settings
from interlith.surface.slab import Cut, Slab, cut_named, slab_of
from interlith.surface.starts import starts, touch_A
from interlith.surface.symmetry import Operation, apart, operations, same_place
from interlith.surface.work import VALLEY_eV, Work, packed, unpacked

if TYPE_CHECKING:
    from ase import Atoms

Results = list[dict[str, Any]]
Plan = Generator[list[Work], Results, FaceFound]
DESORBED = 1.4  # of the distance at which the adsorbate touches the slab
BELOW_A = 0.8  # below the plane of the topmost atoms
SAME_ENERGY_eV = 0.02
LONGEST_HOP_A = 7.0
RECONSTRUCTS_eV = 0.05
GIVES_WAY_A = 0.6  # of an atom of the slab: bare, the face is another; under an adsorbate, it is told
COARSE_STEPS = 80  # of a start; what has not arrived by then is relaxed to the end if it lies low


@dataclass
class _State:
    """What is known so far. clean: the bare slab as cut; bare: its lowest state known, of energy clean_eV, whose atoms
    are up to bare_moved_A from there. points: where lithium begins."""

    crystal: Crystal
    cut: Cut
    model: Model
    settings: Settings
    slab: Slab
    bulk: Atoms
    clean: Atoms
    bare: Atoms
    clean_eV: float
    free_atom_eV: float
    ops: tuple[Operation, ...]
    points: list[Any]
    minima: list[Minimum] = field(default_factory=list)
    bare_moved_A: float = 0.0
    left_out: dict[str, int] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)

    @property
    def relief_A(self) -> float:
        """How deep the bare surface is, as a ball of the adsorbate's size feels it."""
        heights = [point[2] for point in self.points]
        return float(max(heights) - min(heights))


def search(crystal: Crystal, face: Miller, termination: str, model: Model, settings: Settings) -> Plan:
    """All of one face: give its batches to `do`, send back the results, and it returns a FaceFound."""
    state = yield from _prepared(crystal, face, termination, model, settings)
    if isinstance(state, FaceFound):
        return state
    yield from _from_starts(state)
    yield from _verify(state)
    n_rounds = 0
    hops: dict[Edge, Hop] = {}
    nodes: list[Node] = []
    classes: dict[Edge, tuple[Edge, bool]] = {}
    while state.minima:
        nodes, classes, hops, lower = yield from _connected(state)
        if lower and n_rounds >= settings.n_rounds:
            state.said.append(f"after {n_rounds} rounds paths still have lower places that were not looked into")
        if not lower or n_rounds >= settings.n_rounds:
            break
        before = [(one.energy_eV, *one.place_A) for one in state.minima]
        yield from _add(state, lower)
        if [(one.energy_eV, *one.place_A) for one in state.minima] == before:
            break
        yield from _verify(state)
        n_rounds += 1
    if not state.minima:
        nodes, classes, hops = [], {}, {}
    yield from _check_clean(state)
    return _found(state, nodes, classes, hops, n_rounds)


def _prepared(
    crystal: Crystal, face: Miller, termination: str, model: Model, settings: Settings
) -> Generator[list[Work], Results, _State | FaceFound]:
    """The crystal and the adsorbate's bulk relaxed, the slab cut and relaxed."""
    element = _element(settings.adsorbate)
    bulk, own = yield [_bulk_work(model, crystal.atoms, settings), _bulk_work(model, element, settings)]
    relaxed = replace(crystal, atoms=unpacked(bulk["atoms"]))
    cut = cut_named(crystal, face, termination)
    nothing = FaceFound(model.name, cut, None, None, relaxed.atoms, None, None, (), (), {}, {}, None, None, {}, 0, 0)
    if not bulk["is_converged"] or own["energy_eV"] is None:
        return replace(nothing, refused="the crystal, or that of the adsorbate, did not relax")
    try:
        cut = cut_named(relaxed, face, termination)
    except InputError:
        return replace(nothing, refused=f"the relaxed crystal has no termination {termination}: its bonds are others")
    slab = slab_of(relaxed, cut, settings)
    (clean,) = yield [_relax_work(model, slab.atoms, settings, "slab", settings.force_eV_per_A / 2.0)]
    atoms = unpacked(clean["atoms"])
    moved = float(np.linalg.norm(atoms.positions - slab.atoms.positions, axis=1).max())
    nothing = replace(nothing, slab=slab, cut=cut, atoms=atoms, bare=atoms)
    if not clean["is_converged"]:
        return replace(nothing, refused="the bare slab did not relax")
    if moved > settings.reconstructs_A:
        return replace(nothing, refused=f"the bare slab reconstructs: an atom moved by {moved:.1f} A")
    free = own["energy_eV"] / len(element) + settings.cohesive_energy_eV
    ops = operations(slab.atoms, atoms.positions)
    points = starts(atoms, ops, settings)
    clean_eV = clean["energy_eV"]
    return _State(relaxed, cut, model, settings, slab, relaxed.atoms, atoms, atoms, clean_eV, free, ops, points)


def _element(symbol: str) -> Atoms:
    """The crystal of an element: shipped, else as ASE knows it."""
    from interlith.surface.crystal import crystal_names

    if symbol in crystal_names():
        return read_crystal(symbol).atoms
    from ase.build import bulk

    try:
        return bulk(symbol)
    except (KeyError, ValueError, RuntimeError) as problem:
        raise InputError(f"adsorbate {symbol}: no element whose crystal is known") from problem


def _bulk_work(model: Model, atoms: Atoms, settings: Settings) -> Work:
    given = {"atoms": packed(atoms), "most_steps": settings.most_steps}
    return Work("bulk", model.name, model.identity, given, f"bulk {atoms.get_chemical_formula('reduce')}")


def _relax_work(
    model: Model,
    atoms: Atoms,
    settings: Settings,
    name: str,
    force: float | None = None,
    most_steps: int | None = None,
    kind: Literal["relax", "kick"] = "relax",
) -> Work:
    given = {
        "atoms": packed(atoms),
        "force_eV_per_A": force or settings.force_eV_per_A,
        "most_steps": most_steps or settings.most_steps,
    }
    return Work(kind, model.name, model.identity, given, name)


def _from_starts(state: _State) -> Generator[list[Work], Results, None]:
    """Lithium from all starts, coarsely; then one of each basin to the end."""
    settings = state.settings
    begun = [_with(state, point) for point in state.points]
    coarse = settings.coarse_force_eV_per_A
    found = yield [_relax_work(state.model, atoms, settings, "start", coarse, COARSE_STEPS) for atoms in begun]
    rough: list[Minimum] = []
    for result in found:
        _merge(state, rough, result)
    best = min((one.energy_eV for one in rough), default=0.0)
    near = [one for one in rough if one.energy_eV <= best + settings.window_eV + 0.3]
    yield from _add(state, [_structure(state, one) for one in near])


def _with(state: _State, point: Any, shifts: Any = 0.0) -> Atoms:
    return with_adsorbate(state.clean, state.settings.adsorbate, point, shifts)


def _structure(state: _State, one: Minimum) -> Atoms:
    return _with(state, one.place_A, one.shifts_A)


def _add(state: _State, structures: Sequence[Atoms]) -> Generator[list[Work], Results, None]:
    """Structures relaxed to the end; those that are new sites become minima, within the window over the best."""
    found = yield [_relax_work(state.model, atoms, state.settings, "site") for atoms in structures]
    for result in found:
        _merge(state, state.minima, result)
    best = min((one.energy_eV for one in state.minima), default=0.0)
    kept = [one for one in state.minima if one.energy_eV <= best + state.settings.window_eV]
    _count(state, "high above the best", len(state.minima) - len(kept))
    state.minima[:] = sorted(kept, key=lambda one: one.energy_eV)


def _merge(state: _State, known: list[Minimum], result: Mapping[str, Any]) -> None:
    """Take a result among the minima that are known, unless it is one of them or none of this surface."""
    one = _outcome(state, result)
    if isinstance(one, str):
        _count(state, one, 1)
        return
    for place, other in enumerate(known):
        if _is_same(state, one, other):
            if one.energy_eV < other.energy_eV - SAME_ENERGY_eV or (one.is_converged and not other.is_converged):
                known[place] = one
            return
    known.append(one)


def _count(state: _State, reason: str, n: int) -> None:
    if n:
        state.left_out[reason] = state.left_out.get(reason, 0) + n


def _is_same(state: _State, one: Minimum, other: Minimum) -> bool:
    return same_place(state.clean.cell.array, state.ops, one.place_A, other.place_A, state.settings.merge_A)


def _outcome(state: _State, result: Mapping[str, Any]) -> Minimum | str:
    """Where a relaxation ended: a minimum, or why it is none of this surface."""
    if result["energy_eV"] is None:
        return "energy not finite"
    atoms = unpacked(result["atoms"])
    shifts = atoms.positions[:-1] - state.clean.positions
    place = atoms.positions[-1]
    away = np.linalg.norm(apart(state.clean.cell.array, place, atoms.positions[:-1]), axis=1)
    reach = touch_A(state.clean, state.settings.adsorbate)
    if (away > DESORBED * reach).all():
        return "desorbed"
    if np.linalg.norm(shifts, axis=1).max() > state.settings.reconstructs_A:
        return "the surface reconstructed"
    if place[2] < atoms.positions[:-1, 2].max() - BELOW_A - state.relief_A:
        return "went below the surface"
    label = _bonds(state.clean, away / reach)
    return Minimum(place, shifts, result["energy_eV"], label, bool(result["is_converged"]))


def _bonds(slab: Atoms, share: Any) -> str:
    """The neighbors of an adsorbate, for instance O3 or O2 Zn1."""
    near = [symbol for symbol, s in zip(slab.get_chemical_symbols(), share, strict=True) if s < 1.25]
    return " ".join(f"{symbol}{near.count(symbol)}" for symbol in sorted(set(near))) or "far from all"


def _verify(state: _State) -> Generator[list[Work], Results, None]:
    """Each minimum kicked: it stays one when its curvatures are positive and it comes back. What it falls into is
    added, and kicked too, until nothing new is found."""
    while True:
        new = [place for place, one in enumerate(state.minima) if one.is_verified is None]
        if not new:
            return
        structures = [_structure(state, state.minima[place]) for place in new]
        found = yield [_relax_work(state.model, atoms, state.settings, "kick", kind="kick") for atoms in structures]
        fallen: Results = []
        kept = [one for one in state.minima if one.is_verified is not None]
        for place, result in zip(new, found, strict=True):
            one, left = _judged(state, state.minima[place], result)
            fallen += left
            if one is not None:
                kept.append(one)
        state.minima[:] = kept
        for result in fallen:
            _merge(state, state.minima, result)
        state.minima.sort(key=lambda one: one.energy_eV)


def _judged(state: _State, one: Minimum, result: Mapping[str, Any]) -> tuple[Minimum | None, Results]:
    """A minimum with what its kick says, or None where it is no minimum; and the ends that lie elsewhere."""
    curvatures = tuple(result["curvatures_eV_per_A2"])
    back, elsewhere = 0, []
    for end in result["ends"]:
        there = _outcome(state, end)
        is_back = isinstance(there, Minimum) and _is_same(state, there, one)
        if is_back and there.energy_eV > one.energy_eV - SAME_ENERGY_eV:  # type: ignore[union-attr]
            back += 1
        else:
            elsewhere.append(end)
    is_minimum = one.is_converged and min(curvatures, default=0.0) > 0 and back > 0
    if not is_minimum:
        _count(state, "no minimum: left when pushed", 1)
        return None, elsewhere
    return replace(one, curvatures_eV_per_A2=curvatures, is_verified=back == len(result["ends"])), elsewhere


def _connected(
    state: _State,
) -> Generator[list[Work], Results, tuple[list[Node], dict[Edge, tuple[Edge, bool]], dict[Edge, Hop], list[Atoms]]]:
    """Copies of the sites, hops between neighbors, one path for each hop that symmetry tells apart; and what lies lower
    on the paths than both neighbors there."""
    cell = state.clean.cell.array
    nodes = nodes_of(cell, state.ops, [one.place_A for one in state.minima])
    edges = neighbor_edges(cell, nodes, LONGEST_HOP_A)
    classes = classes_of(cell, state.ops, nodes, edges)
    distinct = sorted({first for first, _ in classes.values()})
    pairs = [_ends(state, nodes, edge) for edge in distinct]
    found = yield [_path_work(state, *pair[:2]) for pair in pairs]
    hops, lower = {}, []
    for edge, (first, _, folded), result in zip(distinct, pairs, found, strict=True):
        ends = [state.minima[nodes[place].site].energy_eV for place in edge[:2]]
        hops[edge] = _hop(edge, first, result, max(ends))
        lower += _lower(state, first, folded, result)
    return nodes, classes, hops, lower


def _ends(state: _State, nodes: Sequence[Node], edge: Edge) -> tuple[Atoms, Atoms, Any]:
    """Both ends of a hop, the slab folded around its middle; and by how much each atom was folded, float[atom, 3]."""
    plane = state.clean.cell.array[:2, :2]
    begin, end = nodes[edge[0]], nodes[edge[1]]
    last = end.place_A + np.array([*(np.array(edge[2:]) @ plane), 0.0])
    middle = (begin.place_A + last) / 2.0
    wide = (state.clean.positions - middle)[:, :2] @ np.linalg.inv(plane)
    folded = np.column_stack([-np.round(wide) @ plane, np.zeros(len(state.clean))])
    pair = []
    for node, place in ((begin, begin.place_A), (end, last)):
        atoms = _with(state, place)
        shifts = state.ops[node.operation].moved_shifts(state.minima[node.site].shifts_A)
        atoms.positions[:-1] = state.clean.positions + folded + shifts
        pair.append(atoms)
    return pair[0], pair[1], folded


def _path_work(state: _State, first: Atoms, last: Atoms) -> Work:
    settings = state.settings
    length = float(np.linalg.norm(last.positions[-1] - first.positions[-1]))
    n_images = int(np.clip(np.ceil(length / settings.image_spacing_A), 3, settings.most_images))
    given = {
        "first": packed(first),
        "last": packed(last),
        "n_images": n_images + 1 - n_images % 2,
        "force_eV_per_A": settings.path_force_eV_per_A,
        "most_steps": settings.most_steps,
    }
    return Work("path", state.model.name, state.model.identity, given, f"path of {length:.1f} A")


def _hop(edge: Edge, first: Atoms, result: Mapping[str, Any], higher_end_eV: float) -> Hop:
    energies = result["energies_eV"]
    images = tuple(_moved_to(first, positions) for positions in result["images"])
    places = np.array([image.positions[-1] for image in images]).reshape(-1, 3)
    steps = np.linalg.norm(np.diff(places, axis=0), axis=1)
    is_converged = bool(result["is_converged"])
    high = max(energies) if images else float("inf")
    return Hop(
        edge=edge,
        length_A=float(np.linalg.norm(places[-1] - places[0])) if images else float("nan"),
        energies_eV=tuple(energies),
        distances_A=tuple(np.concatenate([[0.0], np.cumsum(steps)]).tolist()) if images else (),
        images=images,
        is_converged=is_converged,
        low_eV=high if is_converged else higher_end_eV,
        high_eV=high,
    )


def _moved_to(atoms: Atoms, positions: Any) -> Atoms:
    moved = atoms.copy()
    moved.set_positions(np.array(positions), apply_constraint=False)
    return moved


def _lower(state: _State, first: Atoms, folded: Any, result: Mapping[str, Any]) -> list[Atoms]:
    """Structures of a path that lie lower than both their neighbors, unfolded."""
    energies = result["energies_eV"]
    found = []
    for i in range(1, len(result["images"]) - 1):
        neighbors, ends = min(energies[i - 1], energies[i + 1]), min(energies[0], energies[-1])
        if energies[i] < max(neighbors, ends) - VALLEY_eV:
            atoms = _moved_to(first, result["images"][i])
            atoms.positions[:-1] -= folded
            found.append(atoms)
    return found


def _check_clean(state: _State) -> Generator[list[Work], Results, None]:
    """The best structure without its lithium, relaxed: if it lies lower than the bare slab, that was not its lowest."""
    if not state.minima:
        return
    atoms = _structure(state, state.minima[0])
    del atoms[-1]
    (found,) = yield [_relax_work(state.model, atoms, state.settings, "bare again")]
    lower = 0.0 if found["energy_eV"] is None else state.clean_eV - found["energy_eV"]
    if lower > SAME_ENERGY_eV:
        state.said.append(f"the bare slab has a state {lower:.2f} eV lower than the one as cut; energies are from that")
        state.clean_eV -= lower
        state.bare = unpacked(found["atoms"])
        state.bare_moved_A = float(np.linalg.norm(state.bare.positions - state.clean.positions, axis=1).max())


def _found(
    state: _State,
    nodes: Sequence[Node],
    classes: Mapping[Edge, tuple[Edge, bool]],
    hops: Mapping[Edge, Hop],
    n_rounds: int,
) -> FaceFound:
    low = _barrier(state, nodes, classes, {edge: hop.low_eV for edge, hop in hops.items()})
    high = _barrier(state, nodes, classes, {edge: hop.high_eV for edge, hop in hops.items()})
    if high is not None and high.anywhere_eV is None:
        state.said.append("no way of known barriers leads across the face")
    elif high is not None and high.everywhere_eV is None:
        state.said.append(f"no way to every copy of the site is known: hops up to {LONGEST_HOP_A:g} A were looked at")
    if state.minima and (moved := float(np.linalg.norm(state.minima[0].shifts_A, axis=1).max())) > GIVES_WAY_A:
        state.said.append(f"at the best site an atom of the slab lies {moved:.1f} A from its place on the bare face")
    refused = None if state.minima else f"{state.settings.adsorbed} has no site here ({_listed(state.left_out)})"
    return FaceFound(
        model=state.model.name,
        cut=state.cut,
        slab=state.slab,
        atoms=state.clean,
        bulk=state.bulk,
        clean_energy_eV=state.clean_eV,
        free_atom_eV=state.free_atom_eV,
        minima=tuple(state.minima),
        nodes=tuple(nodes),
        edges=classes,
        hops=hops,
        barrier_low=low,
        barrier_high=high,
        left_out=dict(state.left_out),
        n_starts=len(state.points),
        n_rounds=n_rounds,
        adsorbate=state.settings.adsorbate,
        refused=refused,
        not_ranked=_unsound(state, hops),
        said=tuple(state.said),
        bare=state.bare,
    )


def _unsound(state: _State, hops: Mapping[Edge, Hop]) -> str | None:
    """Why the numbers of a face are not to be compared: bare it becomes another one, or it does under lithium."""
    if state.bare_moved_A > GIVES_WAY_A:
        return (
            f"the bare surface reconstructs: it lies lower with atoms {state.bare_moved_A:.1f} A from where it is cut"
        )
    lowest = min((min(hop.energies_eV, default=0.0) for hop in hops.values()), default=0.0)
    below = 0.0 if not hops or not state.minima else state.minima[0].energy_eV - lowest
    if below <= RECONSTRUCTS_eV:
        return None
    adsorbed = state.settings.adsorbed
    return f"the surface reconstructs with {adsorbed} on it: on a path it lies {below:.2f} eV below the best site"


def _barrier(
    state: _State, nodes: Sequence[Node], classes: Mapping[Edge, tuple[Edge, bool]], saddles: Mapping[Edge, float]
) -> Barrier | None:
    if not nodes:
        return None
    energies = [state.minima[node.site].energy_eV for node in nodes]
    best = int(np.argmin(energies))
    known = {edge: saddles[first] for edge, (first, _) in classes.items() if np.isfinite(saddles[first])}
    return percolation(len(nodes), known, energies, best)


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{n} x {reason}" for reason, n in sorted(counts.items())) or "no start"
