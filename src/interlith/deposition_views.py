"""What is drawn of a deposition: cuts at the ends of steps, a film of the first cycle, the states in space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from interlith.units import LITHIUM_mAh_PER_CM2_PER_UM

if TYPE_CHECKING:
    from interlith.deposit.follow import Deposited, Picture
    from interlith.deposit.frames import Frame
    from interlith.deposit.layers import State

Table = list[dict[str, Any]]
Shares = NDArray[np.float32]
End = tuple[int, int, str, float]  # of a step: place, cycle, what it is, what is plated, mAh/cm2
DIGITS = 4  # of a share
SAME = 1e-6  # of a charge, mAh/cm2
STRIPPED_mAh_PER_CM2 = 0.05  # live lithium under which a box counts as stripped
MOST_STATES = 12  # of a cycle in three dimensions
DUST_mAh_PER_CM2 = 1e-12  # of a charge that is the sum, or the difference, of far larger ones
ABOVE = 2  # planes shown above what lies highest


@dataclass(frozen=True)
class _Cut:
    """The middle of a box. lithium: [z, x], shares; is_dead: likewise; heights_um, packing: of each plane."""

    lithium: Shares
    is_dead: NDArray[np.bool_]
    heights_um: NDArray[np.float64]
    packing: NDArray[np.float64]


def cuts(found: Deposited, solid: Shares, ends: Sequence[End]) -> Table:
    """The middle of a network, bare and at the end of each step of the first cycle: shares of each voxel."""
    from interlith.deposit.layers import DEAD

    middle, held = solid.shape[1] // 2, []
    for place, cycle, what, plated in ends:
        if cycle == 0 and what != "rest":
            picture = found.pictures[place]
            charges = _charges(picture, found.voxel_um)
            live = sum(charge for name, charge in charges.items() if name != DEAD)
            held.append(({"state": _state(what, plated, live)}, _cut_of_picture(picture, middle)))
    return _panels([({"state": "bare"}, _nothing(solid, found.voxel_um)), *held], solid[:, middle], found.voxel_um)


def film(found: Deposited, solid: Shares) -> Table:
    """The same cut at charges equally far apart, plated and stripped; what the stripping leaves stands last."""
    from interlith.deposit.frames import Frame

    steps = found.ledger.steps()
    last = int(np.flatnonzero(steps["cycle_count"].to_numpy() == 0)[-1])
    left, middle = -float(steps["passed"][last]), solid.shape[1] // 2
    frames = list(found.frames)
    if any(one.is_stripping for one in frames) and abs(frames[-1].plated_mAh_per_cm2 - left) > SAME:
        cut = _cut_of_picture(found.pictures[last], middle)
        frames.append(Frame(left, True, cut.lithium, cut.is_dead, cut.heights_um, cut.packing))
    named = [
        ({"plated_mAh_per_cm2": one.plated_mAh_per_cm2, "is_stripping": one.is_stripping}, _cut_of(one))
        for one in frames
    ]
    bare = ({"plated_mAh_per_cm2": 0.0, "is_stripping": False}, _nothing(solid, found.voxel_um))
    return _panels([bare, *named], solid[:, middle], found.voxel_um) if named else []


def _cut_of(one: Frame) -> _Cut:
    return _Cut(one.lithium, one.is_dead, one.heights_um, one.packing)


def _cut_of_picture(picture: Picture, middle: int) -> _Cut:
    return _Cut(picture.lithium[:, middle], picture.is_dead[:, middle], picture.heights_um, picture.packing)


def without_dust(mAh_per_cm2: float) -> float:
    """A charge; exactly 0 where nothing but the rounding of a sum is left.

    >>> without_dust(3e-23), without_dust(-1e-15), without_dust(1e-9)
    (0.0, 0.0, 1e-09)
    """
    return 0.0 if abs(mAh_per_cm2) < DUST_mAh_PER_CM2 else mAh_per_cm2


def by_cycle(account: Table) -> Table:
    """What each cycle plated, stripped, left and revived, and what is dead and bound at its end; mAh/cm2."""
    rows: Table = []
    plated_before = revived_before = 0.0
    for row in account:
        if not rows or rows[-1]["cycle"] != row["cycle"]:
            rows.append({"cycle": row["cycle"], "plated": 0.0, "stripped": 0.0, "not_stripped": 0.0, "revived": 0.0})
        moved = row["plated_mAh_per_cm2"] - plated_before
        rows[-1]["plated" if moved > 0.0 else "stripped"] += abs(moved)
        rows[-1]["not_stripped"] = without_dust(rows[-1]["plated"] - rows[-1]["stripped"])
        rows[-1]["revived"] += without_dust(row["revived"] - revived_before)
        rows[-1] |= {name: row[name] for name in ("dead_pores", "dead_top", "sei", "dead_low", "dead_high")}
        plated_before, revived_before = row["plated_mAh_per_cm2"], row["revived"]
    return rows


def states(found: Deposited, solid: Shares, ends: Sequence[End]) -> list[State]:
    """Bare, and the ends of the steps of the first and the last cycle, rests left out.

    Of more than MOST_STATES of a cycle as many are taken, equally far apart, the last among them.
    """
    from interlith.deposit.layers import AGAIN, DEAD, FIBRES, LIVE, MOSS, State, live_again, shares_of

    nothing, h = np.zeros_like(solid), found.voxel_um
    empty = dict.fromkeys((LIVE, MOSS, DEAD, AGAIN), nothing)
    shown = [
        State(
            "bare", _edges_um(np.full(len(solid), h)), {FIBRES: solid} | empty, dict.fromkeys((LIVE, MOSS, DEAD), 0.0)
        )
    ]
    last = ends[-1][1]
    begun = {0: 0.0, last: ([plated for _, cycle, _, plated in ends if cycle < last] or [0.0])[-1]}
    taken = {place for cycle in (0, last) for place in _few([e[0] for e in ends if e[1] == cycle and e[2] != "rest"])}
    for (place, cycle, what, plated), again in zip(ends, live_again(found.pictures), strict=True):
        if place not in taken:
            continue
        picture = found.pictures[place]
        charges = _charges(picture, h)
        name = _state(what, plated - begun[cycle], charges[LIVE] + charges[MOSS])
        name = name if last == 0 else f"cycle {cycle + 1}: {name}"
        layers = shares_of(picture, again, solid, h)
        shown.append(State(name, _edges_um(picture.heights_um), layers, charges))
    return shown


def _few(places: Sequence[int]) -> list[int]:
    if len(places) <= MOST_STATES:
        return list(places)
    return [places[i] for i in np.linspace(0, len(places) - 1, MOST_STATES).round().astype(int)]


def _charges(picture: Picture, voxel_um: float) -> Mapping[str, float]:
    """What is live, dense or moss, what lives again with it, and what is dead; mAh/cm2."""
    from interlith.deposit.layers import kinds_of

    return {
        name: float((picture.lithium * mask).mean(axis=(1, 2), dtype=np.float64).sum())
        * voxel_um
        * LITHIUM_mAh_PER_CM2_PER_UM
        for name, mask in kinds_of(picture).items()
    }


def _edges_um(heights_um: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.concatenate([[0.0], np.cumsum(heights_um)])


def _state(what: str, plated: float, live: float) -> str:
    """Name of the end of a step: what is plated then, or what stripping left live.

    >>> _state("plate", 3.0, 2.9), _state("strip", 0.1, 0.01), _state("strip", 2.1, 2.0)
    ('3 mAh/cm2', 'stripped', 'stripped to 2 mAh/cm2')
    """
    if what != "strip":
        return f"{plated:.3g} mAh/cm2"
    return "stripped" if live < STRIPPED_mAh_PER_CM2 else f"stripped to {live:.3g} mAh/cm2"


def _nothing(solid: Shares, voxel_um: float) -> _Cut:
    cut = np.zeros_like(solid[:, 0])
    return _Cut(cut, cut > 0.0, np.full(len(cut), voxel_um), np.ones(len(cut)))


def _panels(
    named: Sequence[tuple[Mapping[str, Any], _Cut]],
    host: Shares,
    voxel_um: float,
) -> Table:
    """Cuts [z, x] as rows, one for each square of a voxel's width, up to a little over the highest lithium.

    Where layers are stretched, squares lie where these are now; shares are of what a square covers.
    """
    highest = max(_highest_um(cut.lithium, cut.heights_um, len(host)) for _, cut in named)
    n_high = int(np.ceil(highest / voxel_um)) + ABOVE
    rows: Table = []
    for panel, (words, cut) in enumerate(named):
        plane = np.searchsorted(np.cumsum(cut.heights_um), (np.arange(n_high) + 0.5) * voxel_um, side="right")
        stretch = np.append(cut.heights_um / voxel_um, np.ones(n_high))[plane][:, None]
        packing = np.append(cut.packing, np.ones(n_high))[plane]
        below, metal = (_at(held, plane) / stretch for held in (host, cut.lithium))
        dead = _at(cut.is_dead, plane)
        rows += [
            {
                "panel": panel,
                **words,
                "x_um": (i + 0.5) * voxel_um,
                "z_um": (k + 0.5) * voxel_um,
                "host": round(float(below[k, i]), DIGITS),
                "lithium": round(float(metal[k, i]), DIGITS),
                "packing": round(float(packing[k]), DIGITS),
                "is_dead": bool(dead[k, i]),
            }
            for k, i in np.ndindex(*below.shape)
        ]
    return rows


def _at(cut: NDArray[Any], plane: NDArray[np.intp]) -> NDArray[Any]:
    """Planes of a cut, empty ones over it."""
    return np.pad(cut, ((0, max(0, int(plane.max()) + 1 - len(cut))), (0, 0)))[plane]


def _highest_um(lithium: Shares, heights_um: NDArray[np.float64], n_host: int) -> float:
    used = np.flatnonzero(lithium.any(axis=1))
    return float(heights_um[: max(int(used[-1]) + 1 if used.size else 0, n_host)].sum())
