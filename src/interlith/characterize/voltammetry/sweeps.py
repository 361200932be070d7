"""Sweeps of a cyclic voltammogram: where the potential turns, and how fast it moves in between, found in the data.

Nothing is taken from the schedule: a sweep is a stretch in which the potential moves one way at one rate.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from interlith.errors import InputError
from interlith.record import CURRENT, TIME, VOLTAGE, Record
from interlith.units import mV_PER_V

Floats = NDArray[np.float64]
FEWEST_POINTS = 8
LEAST_RANGE_V = 0.02
MOST_RANGE_V = 20.0  # no electrolyte stands more: the potential is in mV
TURN = 0.03  # part of the whole range by which the potential must come back to have turned
EDGE = 0.01  # part of a sweep's range at both ends within which the potential may have been held
BENT, UNEVEN = 0.015, 0.05  # largest departure from a straight line, over the range; of the rates of thirds
SAME_RATE = 0.05  # rates closer than this are one
HELD, DRIFTED, MOSTLY = 0.05, 0.1, 0.5  # of a held current: scatter of parts; drift of a stretch; part of all stretches
HELD_PARTS, ENDS = 20, 2  # of a stretch, so that noise averages out; parts at the turns, which do not count
GALVANOSTATIC = "the current is held and the potential is not swept: a galvanostatic test, not a voltammogram"
AMBIGUOUS = (
    "the current is the same all along each stretch: a galvanostatic test, or the sweeps of an ideal capacitor. These "
    "two look alike, and neither has a peak"
)
ONE_SWEEP = "one sweep only; a cyclic voltammogram turns at least once. Export the whole test, not one step of it"


@dataclass(frozen=True)
class Sweep:
    """One stretch of a voltammogram at one rate. direction: 1 anodic, -1 cathodic. potential_V, current_A, time_s: [n].

    cycle: from 1, counted by the sweeps that go as the first one did, in first_direction. whole: as wide as the widest
    of its record.
    """

    name: str
    cycle: int
    direction: int
    rate_mV_per_s: float
    potential_V: Floats
    current_A: Floats
    time_s: Floats
    first_direction: int
    whole: bool = True

    @property
    def word(self) -> str:
        """anodic or cathodic."""
        return "anodic" if self.direction > 0 else "cathodic"


@dataclass(frozen=True)
class Voltammogram:
    """All sweeps of one record at a steady rate, and what was left out."""

    name: str
    sweeps: tuple[Sweep, ...]
    notes: tuple[str, ...] = ()


def voltammogram(record: Record, name: str) -> Voltammogram:
    """The sweeps of a record. name: for messages and legends.

    Raises InputError when the potential never turns or is not swept: a rest, a galvanostatic test, millivolts.
    """
    time, potential, current = _columns(record, name)
    ends = turning_points(potential, TURN * float(np.ptp(potential)))
    if len(ends) < 3:
        raise InputError(f"{name}: {ONE_SWEEP}")
    pieces = [slice(a, b + 1) for a, b in pairwise(ends)]
    kept: list[tuple[slice, float]] = []
    notes: list[str] = []
    for number, piece in enumerate(pieces):
        where = _trimmed(time, potential, piece)
        rate, trouble = _rate_mV_per_s(time[where], potential[where])
        if trouble:
            notes.append(f"{name}: stretch {number + 1} of {len(pieces)} left out: {trouble}")
        else:
            kept.append((where, rate))
    if not kept:
        raise InputError(f"{name}: {_why_none(potential, current, pieces, notes)}")
    if len(kept) == 1:
        raise InputError(f"{name}: {ONE_SWEEP}")
    if len(kept) < MOSTLY * len(pieces):
        why = GALVANOSTATIC if _are_held(current, pieces) else "is it a galvanostatic test?"
        raise InputError(
            f"{name}: {len(pieces) - len(kept)} of {len(pieces)} stretches have no steady scan rate: {why}"
        )
    if _are_held(current, [where for where, _ in kept]):
        raise InputError(f"{name}: {AMBIGUOUS}")
    widest = max(float(np.ptp(potential[where])) for where, _ in kept)
    sweeps, cycle = [], 0
    for where, rate in kept:
        cycle += (rate > 0) == (kept[0][1] > 0)
        whole = float(np.ptp(potential[where])) > 0.9 * widest
        parts = (potential[where], current[where], time[where])
        way, first = (1 if value > 0 else -1 for value in (rate, kept[0][1]))
        sweeps.append(Sweep(name, cycle, way, abs(rate), *parts, first, whole))
    return Voltammogram(name, tuple(sweeps), _few(notes))


def voltammograms(record: Record, name: str) -> tuple[Voltammogram, ...]:
    """The voltammogram of a record, parted where the scan rate changes: one for each rate, in the order measured."""
    whole = voltammogram(record, name)
    groups: list[list[Sweep]] = []
    for sweep in whole.sweeps:
        if groups and same_rate(groups[-1][0].rate_mV_per_s, sweep.rate_mV_per_s):
            groups[-1].append(sweep)
        else:
            groups.append([sweep])
    if len(groups) == 1:
        return (whole,)
    named = [(f"{name}, {group[0].rate_mV_per_s:.3g} mV/s", group) for group in groups]
    parts = [Voltammogram(own, tuple(replace(sweep, name=own) for sweep in group)) for own, group in named]
    return replace(parts[0], notes=whole.notes), *parts[1:]


def _are_held(current: Floats, pieces: list[slice]) -> bool:
    """Whether most stretches have one current each, but for noise and drift: the potential may then run straight."""
    held = [_is_held(current[piece]) for piece in pieces if piece.stop - piece.start >= FEWEST_POINTS]
    return bool(held) and bool(np.mean(held) > MOSTLY)


def _is_held(current: Floats) -> bool:
    """Whether the means of the parts of a stretch, those at its turns left out, lie on a flat line that is not 0."""
    n = min(HELD_PARTS, len(current) // 2)
    skipped = ENDS if n == HELD_PARTS else 1
    means = np.array([part.mean() for part in np.array_split(current, n)])[skipped:-skipped]
    size = abs(float(np.median(means)))
    if size == 0 or size < HELD * float(np.abs(current).max()):
        return False
    place = np.linspace(-0.5, 0.5, len(means))
    drift = float(np.sum(place * means) / np.sum(place**2)) if len(means) > 2 else 0.0
    off = means - means.mean() - drift * place
    return bool(np.abs(off).max() < HELD * size and abs(drift) < DRIFTED * size)


def same_rate(one: float, other: float) -> bool:
    """Whether two scan rates are the same within what a potentiostat keeps.

    >>> same_rate(100.0, 99.8), same_rate(50.0, 100.0)
    (True, False)
    """
    return abs(one - other) <= SAME_RATE * max(one, other)


def turning_points(potential_V: Floats, back_V: float) -> list[int]:
    """Places at which the potential turns by more than back_V, with the first and the last.

    >>> turning_points(np.array([0.0, 0.5, 1.0, 0.5, 0.01, 0.0, 0.6]), 0.1)
    [0, 2, 5, 6]
    """
    values = potential_V.tolist()
    ends, way, low, high = [0], 0, 0, 0
    for place, value in enumerate(values):
        low = place if value <= values[low] else low
        high = place if value >= values[high] else high
        if way <= 0 and value - values[low] > back_V:
            ends += [low] if way else []
            way, high = 1, place
        elif way >= 0 and values[high] - value > back_V:
            ends += [high] if way else []
            way, low = -1, place
    last = low if way < 0 else high
    return [*ends, last] if last > ends[-1] else ends


def _columns(record: Record, name: str) -> tuple[Floats, Floats, Floats]:
    table = record.series()
    time, potential, current = (table[column].to_numpy().astype(float) for column in (TIME, VOLTAGE, CURRENT))
    known = np.isfinite(time) & np.isfinite(potential) & np.isfinite(current)
    time, potential, current = time[known], potential[known], current[known]
    if len(time):
        new = np.concatenate(([True], np.diff(time) > 0))
        time, potential, current = time[new], potential[new], current[new]
    if len(time) < 2 * FEWEST_POINTS:
        raise InputError(f"{name}: {len(time)} points with time, potential and current; too few for a voltammogram")
    span = float(np.ptp(potential))
    if span > MOST_RANGE_V:
        raise InputError(f"{name}: the potential spans {span:.0f} V. Is it in mV? Name its column with the unit (mV)")
    if span < LEAST_RANGE_V:
        raise InputError(f"{name}: the potential moves by {1e3 * span:.1f} mV only: a rest or a hold, no sweep")
    return time, potential, current


def _trimmed(time: Floats, potential: Floats, piece: slice) -> slice:
    """A stretch without a hold at its ends."""
    part, clock = potential[piece], time[piece]
    edge = EDGE * float(np.ptp(part))
    start = int(np.flatnonzero(np.abs(part - part[0]) <= edge)[-1])
    stop = int(np.flatnonzero(np.abs(part - part[-1]) <= edge)[0])
    held = 1.5 * EDGE * float(clock[max(stop, 0)] - clock[min(start, len(clock) - 1)])
    first = start if clock[start] - clock[0] > held else 0
    last = stop if clock[-1] - clock[stop] > held else len(part) - 1
    return slice(piece.start + first, piece.start + max(last, first) + 1)


def _rate_mV_per_s(time: Floats, potential: Floats) -> tuple[float, str]:
    """The scan rate, signed, and why there is none. The points at the two turns are left out of it."""
    if len(time) < FEWEST_POINTS:
        return 0.0, f"{len(time)} points"
    inner = slice(1, -1)
    if not np.ptp(potential[inner]) > 0:
        return 0.0, "the potential stands still"
    slope, level = np.polyfit(time[inner] - time[1], potential[inner], 1)
    off = potential[inner] - (slope * (time[inner] - time[1]) + level)
    bent = float(np.max(np.abs(off))) / float(np.ptp(potential))
    thirds = [part for part in np.array_split(np.arange(1, len(time) - 1), 3) if len(part) >= 2]
    rates = [np.polyfit(time[part] - time[part[0]], potential[part], 1)[0] for part in thirds]
    if len(time) < 30:  # of a few points each, thirds say less than the line
        rates = [slope]
    if slope == 0 or bent > BENT or max(abs(rate / slope - 1) for rate in rates) > UNEVEN:
        return 0.0, f"the rate is not steady ({bent:.1%} of the range off a straight line)"
    return float(slope) * mV_PER_V, ""


def _why_none(potential: Floats, current: Floats, pieces: list[slice], notes: list[str]) -> str:
    if _are_held(current, pieces):
        return GALVANOSTATIC
    short = all(note.endswith("points") for note in notes)
    why = "its stretches have too few points" if short else "its rate is not steady anywhere"
    return f"the potential turns {len(pieces) - 1} times, but {why}; not a voltammogram"


def _few(notes: list[str]) -> tuple[str, ...]:
    return tuple(notes) if len(notes) <= 3 else (*notes[:2], f"{len(notes) - 2} further stretches left out likewise")
