"""What is drawn of a deposition: cuts at the ends of steps, a film of the first cycle, the states in space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from interlith.units import LITHIUM_mAh_PER_CM2_PER_UM

if TYPE_CHECKING:
    from interlith.deposit.follow import Deposited, Picture
    from interlith.deposit.layers import State

Table = list[dict[str, Any]]
Shares = NDArray[np.float32]
End = tuple[int, int, str, float]  # of a step: place, cycle, what it is, what is plated, mAh/cm2
DIGITS = 4  # of a share
SAME = 1e-6  # of a charge, mAh/cm2
MOST_STATES = 12  # of a cycle in three dimensions
ABOVE = 2  # planes shown above what lies highest


def cuts(found: Deposited, solid: Shares, ends: Sequence[End]) -> Table:
    """The middle of a network, bare and at the end of each step of the first cycle: shares of each voxel."""
    middle, held = solid.shape[1] // 2, []
    for place, cycle, what, plated in ends:
        if cycle == 0 and what != "rest":
            picture = found.pictures[place]
            cut = picture.lithium[:, middle], picture.is_dead[:, middle]
            held.append(({"state": _state(what, plated)}, *cut))
    return _panels([({"state": "bare"}, *_nothing(solid)), *held], solid[:, middle], found.voxel_um)


def film(found: Deposited, solid: Shares) -> Table:
    """The same cut at charges equally far apart, plated and stripped; what the stripping leaves stands last."""
    steps = found.ledger.steps()
    last = int(np.flatnonzero(steps["cycle_count"].to_numpy() == 0)[-1])
    left, middle = -float(steps["passed"][last]), solid.shape[1] // 2
    frames = [(one.plated_mAh_per_cm2, one.is_stripping, one.lithium, one.is_dead) for one in found.frames]
    if any(one[1] for one in frames) and abs(frames[-1][0] - left) > SAME:
        picture = found.pictures[last]
        frames.append((left, True, picture.lithium[:, middle], picture.is_dead[:, middle]))
    named = [
        ({"plated_mAh_per_cm2": plated, "is_stripping": stripping}, lithium, is_dead)
        for plated, stripping, lithium, is_dead in frames
    ]
    bare = ({"plated_mAh_per_cm2": 0.0, "is_stripping": False}, *_nothing(solid))
    return _panels([bare, *named], solid[:, middle], found.voxel_um) if named else []


def by_cycle(account: Table) -> Table:
    """What each cycle plated, stripped, left and revived, and what is dead and bound at its end; mAh/cm2."""
    rows: Table = []
    plated_before = revived_before = 0.0
    for row in account:
        if not rows or rows[-1]["cycle"] != row["cycle"]:
            rows.append({"cycle": row["cycle"], "plated": 0.0, "stripped": 0.0, "not_stripped": 0.0, "revived": 0.0})
        moved = row["plated_mAh_per_cm2"] - plated_before
        rows[-1]["plated" if moved > 0.0 else "stripped"] += abs(moved)
        rows[-1]["not_stripped"] = rows[-1]["plated"] - rows[-1]["stripped"]
        rows[-1]["revived"] += row["revived"] - revived_before
        rows[-1] |= {name: row[name] for name in ("dead_pores", "dead_top", "sei", "dead_low", "dead_high")}
        plated_before, revived_before = row["plated_mAh_per_cm2"], row["revived"]
    return rows


def states(found: Deposited, solid: Shares, ends: Sequence[End], packing: float) -> list[State]:
    """Bare, and the ends of the steps of the first and the last cycle, rests left out; packing: of lithium on top.

    Of more than MOST_STATES of a cycle as many are taken, equally far apart, the last among them.
    """
    from interlith.deposit.layers import DEAD, FIBRES, LIVE, REVIVED, State, revived, shares_of

    nothing, h = np.zeros_like(solid), found.voxel_um
    empty = dict.fromkeys((LIVE, DEAD, REVIVED), nothing)
    shown = [State("bare", _edges_um(len(solid), h), {FIBRES: solid} | empty, {LIVE: 0.0, DEAD: 0.0})]
    last = ends[-1][1]
    begun = {0: 0.0, last: ([plated for _, cycle, _, plated in ends if cycle < last] or [0.0])[-1]}
    taken = {place for cycle in (0, last) for place in _few([e[0] for e in ends if e[1] == cycle and e[2] != "rest"])}
    for (place, cycle, what, plated), again in zip(ends, revived(found.pictures), strict=True):
        if place not in taken:
            continue
        picture = found.pictures[place]
        n_high = len(picture.lithium)
        packed = np.where(np.arange(n_high) < found.n_host, 1.0, packing)
        name = _state(what, plated - begun[cycle])
        layers = shares_of(picture, again, solid, packed)
        edges_um = _edges_um(n_high, h)
        name = name if last == 0 else f"cycle {cycle + 1}: {name}"
        shown.append(State(name, edges_um, layers, _charges(picture, edges_um)))
    return shown


def _few(places: Sequence[int]) -> list[int]:
    if len(places) <= MOST_STATES:
        return list(places)
    return [places[i] for i in np.linspace(0, len(places) - 1, MOST_STATES).round().astype(int)]


def _charges(picture: Picture, z_edges_um: NDArray[np.float64]) -> Mapping[str, float]:
    """What is live, revived lithium too, and what is dead; mAh/cm2."""
    of_a_plane = np.diff(z_edges_um) * LITHIUM_mAh_PER_CM2_PER_UM
    held = {"live": ~picture.is_dead, "dead": picture.is_dead}
    return {
        name: float((picture.lithium * mask).mean(axis=(1, 2), dtype=np.float64) @ of_a_plane)
        for name, mask in held.items()
    }


def _edges_um(n_high: int, voxel_um: float) -> NDArray[np.float64]:
    return np.arange(n_high + 1.0) * voxel_um


def _state(what: str, plated: float) -> str:
    return "stripped" if what == "strip" else f"{plated:.3g} mAh/cm2"


def _nothing(solid: Shares) -> tuple[Shares, NDArray[np.bool_]]:
    cut = np.zeros_like(solid[:, 0])
    return cut, cut > 0.0


def _panels(
    named: Sequence[tuple[Mapping[str, Any], Shares, NDArray[np.bool_]]], host: Shares, voxel_um: float
) -> Table:
    """Cuts [z, x] of different heights as rows: one for each voxel of each, up to a little over the highest lithium."""
    n_high = max(len(host), *(_highest(lithium) for _, lithium, _ in named)) + ABOVE
    filled = [(words, _high(lithium, n_high), _high(is_dead, n_high)) for words, lithium, is_dead in named]
    below = _high(host, n_high)
    return [
        {
            "panel": panel,
            **words,
            "x_um": (i + 0.5) * voxel_um,
            "z_um": (k + 0.5) * voxel_um,
            "host": round(float(below[k, i]), DIGITS),
            "lithium": round(float(lithium[k, i]), DIGITS),
            "is_dead": bool(is_dead[k, i]),
        }
        for panel, (words, lithium, is_dead) in enumerate(filled)
        for k, i in np.ndindex(*below.shape)
    ]


def _high(cut: NDArray[Any], n_high: int) -> NDArray[Any]:
    return np.pad(cut, ((0, max(0, n_high - len(cut))), (0, 0)))[:n_high]


def _highest(lithium: Shares) -> int:
    used = np.flatnonzero(lithium.any(axis=1))
    return int(used[-1]) + 1 if used.size else 0
