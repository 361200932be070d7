"""Soft and hard shorts, by the signs that each kind of cell shows. A sign is evidence, not proof.

Soft shorts are transient electronic contacts: Menkin et al., Faraday Discuss. 248, 277 (2024), doi:10.1039/D3FD00101F
(rectangular traces, impedance that shrinks, recovery); Counihan et al., Joule 8, 64 (2024). All limits are proposals.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from interlith.cycling.averages import weighted_medians
from interlith.cycling.impedance import per_spectrum
from interlith.cycling.kind import FULL_KINDS, HOST_KINDS
from interlith.cycling.outcome import Cycled, Event, Outcome, nothing
from interlith.units import MILLI, SECONDS_PER_HOUR, mV_PER_V

USED = (
    "short_drop",
    "short_median_branches",
    "short_step_factor",
    "short_recovery",
    "short_impedance_drop",
    "hard_short_V",
    "short_overstrip",
    "full_overcharge",
    "full_noise_factor",
)
MOST_BINS, ROWS_PER_BIN = 12, 4
SUCCESSIVE = 3  # bins below the limit that begin a short
SAME_CURRENT = 0.1
SUDDEN_SHARE = 0.75  # of the drop that must come between one branch and the next
HISTORY = 40  # branches remembered, of all currents and both directions
SIGNS = ("soft_short", "hard_short", "no_cutoff", "overstrip")
MAD_TO_SIGMA = 1.4826
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Branches:
    """Branches of steady current cut into equal bins: |V| is a time-weighted median. [branch, bin]"""

    size_V: Floats
    start_h: Floats
    bin_h: Floats
    current_mA: Floats

    def time_h(self, branch: int, place: int) -> float:
        """When a bin begins."""
        return float(self.start_h[branch] + place * self.bin_h[branch])


@dataclass(frozen=True)
class Short:
    """A soft short: from when to when (None: until the end), how far |V| fell, what supports it."""

    start_h: float
    end_h: float | None
    before_mV: float
    lowest_mV: float
    after_mV: float | None
    last_mV: float
    evidence: tuple[str, ...] = ()

    @property
    def is_transient(self) -> bool:
        return self.end_h is not None

    @property
    def message(self) -> str:
        what = "transient soft short" if self.is_transient else "soft short without recovery in this record"
        fell = f"polarization fell from {self.before_mV:.0f} mV to {self.lowest_mV:.0f} mV at the lowest"
        rose = f", rose again to {self.after_mV:.0f} mV" if self.after_mV is not None else ""
        return f"{what}: {'; '.join((f'{fell}{rose}, {self.last_mV:.0f} mV in the last branch', *self.evidence))}"


def shorts(cycled: Cycled) -> Outcome:
    """Signs of shorts in this kind of cell, with the verdict none, soft short or hard short."""
    if cycled.kind == "symmetric":
        return symmetric_shorts(cycled)
    if cycled.kind in HOST_KINDS:
        return _outcome(host_signs(cycled), "host")
    if cycled.kind in FULL_KINDS:
        return _outcome(full_signs(cycled), "full cell")
    return nothing(f"no rule for a test of kind {cycled.kind}", *USED)


def _verdict(events: list[Event]) -> str:
    codes = {event.code for event in events}
    if "hard_short" in codes:
        return "hard short"
    if codes & set(SIGNS):
        return "soft short suspected"
    return "noisier than before, no other sign of a short" if codes else "none seen"


def _outcome(events: list[Event], where: str) -> Outcome:
    values = {"verdict": _verdict(events), "n_events": len(events), "rules": where}
    return Outcome(values=values, used=USED, events=tuple(events))


def symmetric_shorts(cycled: Cycled) -> Outcome:
    """Collapses of the polarization of a symmetric cell at the same current, and whether it came back.

    Each branch is cut into bins; a bin is compared with the median of the same bin of the branches before it at the
    same current. Three bins in a row below the limit begin a short; it ends when |V| has stayed above its lowest by the
    recovery fraction for the length of a branch. What is left of the fall then is the new baseline.
    """
    cut = steady_branches(cycled)
    least = cycled.thresholds.short_median_branches
    if len(cut.start_h) <= least:
        return nothing(f"needs more than {least} branches of steady current, has {len(cut.start_h)}", *USED)
    found = [replace(s, evidence=_evidence(cycled, s)) for s in collapses(cut, cycled)]
    events = [
        Event("soft_short", s.message, time_h=s.start_h, end_time_h=s.end_h, cycle=_cycle_at(cycled, s.start_h))
        for s in found
    ]
    events += _hard(cut, cycled)
    values: dict[str, object] = dict(_outcome(events, "symmetric cell").values)
    if found:
        first = found[0]
        values |= {
            "first_short_h": first.start_h,
            "first_is_transient": first.is_transient,
            "evidence": list(first.evidence),
        }
        values |= {"polarization_before_mV": first.before_mV, "polarization_lowest_mV": first.lowest_mV}
    table = pl.DataFrame(
        {
            "start_time_h": cut.start_h,
            "current_mA": cut.current_mA,
            "polarization_mV": np.nanmedian(cut.size_V, axis=1) * mV_PER_V,
        }
    )
    return Outcome(values=values, notes=_trend(cut, cycled), used=USED, table=table, events=tuple(events))


def steady_branches(cycled: Cycled) -> Branches:
    """Steps with a current, cut into equal bins of time; steps too short for the others are left out."""
    found = cycled.trace
    starts = found.step_starts
    ends = np.append(starts[1:], len(found.time_s))
    flowing = found.sign[starts] != 0
    starts, ends = starts[flowing], ends[flowing]
    duration = found.time_s[ends - 1] - found.time_s[starts]
    kept = (duration > 0.2 * np.median(duration)) if len(duration) else flowing[:0]
    starts, ends, duration = starts[kept], ends[kept], duration[kept]
    if len(starts) == 0:
        return Branches(np.empty((0, 1)), np.empty(0), np.empty(0), np.empty(0))
    n_bins = int(np.clip(np.median(ends - starts) // ROWS_PER_BIN, 1, MOST_BINS))
    group = np.full(len(found.time_s), -1, dtype=np.int64)
    for branch, (start, end, long) in enumerate(zip(starts, ends, duration, strict=True)):
        place = (found.time_s[start:end] - found.time_s[start]) / long * n_bins
        group[start:end] = branch * n_bins + np.minimum(place.astype(np.int64), n_bins - 1)
    size = weighted_medians(group, np.abs(found.voltage_V), found.weight_s, len(starts) * n_bins).reshape(-1, n_bins)
    current = np.array([np.median(found.current_A[s:e]) for s, e in zip(starts, ends, strict=True)]) / MILLI
    filled = ~np.isnan(size).all(axis=1)
    start_h, bin_h = found.time_s[starts] / SECONDS_PER_HOUR, duration / n_bins / SECONDS_PER_HOUR
    return Branches(size[filled], start_h[filled], bin_h[filled], current[filled])


def _median(bins: Floats) -> Floats:
    """Median over branches, float64[bin]; not a number for a bin that no branch has a row in."""
    found = np.full(bins.shape[1], np.nan)
    filled = ~np.isnan(bins).all(axis=0)
    found[filled] = np.nanmedian(bins[:, filled], axis=0)
    return found


def collapses(cut: Branches, cycled: Cycled) -> list[Short]:
    """Soft shorts among branches, one after the other."""
    limits = cycled.thresholds
    history: deque[tuple[float, Floats]] = deque(maxlen=HISTORY)
    found: list[Short] = []
    state: _Falling | None = None
    for branch in range(len(cut.start_h)):
        size = float(cut.current_mA[branch])
        if state is None:
            same = [bins for current, bins in history if _same_current(current, size)][-limits.short_median_branches :]
            history.append((size, cut.size_V[branch]))
            if len(same) < limits.short_median_branches:
                continue
            baseline = _median(np.array(same))
            place = _first_run(_fallen(cut.size_V[branch], baseline, same[-1], limits.short_drop), SUCCESSIVE)
            if place is None:
                continue
            state = _Falling(cut.time_h(branch, place), float(np.nanmedian(baseline)), size)
            rest = range(place, cut.size_V.shape[1])
        elif not _same_current(size, state.current_mA):
            continue
        else:
            rest = range(cut.size_V.shape[1])
        end = state.follow(cut, branch, rest, cycled)
        if end is not None:
            found.append(_short(state, end, cut, branch))
            state = None
            history.clear()
    if state is not None:
        found.append(_short(state, None, cut, len(cut.start_h) - 1))
    return found


def _same_current(one: float, other: float) -> bool:
    """Whether two currents are the same in size and direction."""
    return abs(one / other - 1) <= SAME_CURRENT


def _fallen(bins: Floats, baseline: Floats, before: Floats, drop: float) -> NDArray[np.bool_]:
    """Bins far below their baseline that also fell suddenly: a cell that settles falls little from branch to branch."""
    return (bins < (1 - drop) * baseline) & (bins < (1 - SUDDEN_SHARE * drop) * before)


def _short(state: _Falling, end_h: float | None, cut: Branches, branch: int) -> Short:
    after = float(np.nanmedian(cut.size_V[branch])) if end_h is not None else None
    same = [b for b in range(len(cut.start_h)) if _same_current(cut.current_mA[b], state.current_mA)]
    last = float(np.nanmedian(cut.size_V[same[-1]]))
    return Short(
        start_h=state.start_h,
        end_h=end_h,
        before_mV=state.before_V * mV_PER_V,
        lowest_mV=state.lowest_V * mV_PER_V,
        after_mV=after * mV_PER_V if after is not None else None,
        last_mV=last * mV_PER_V,
    )


class _Falling:
    """A short that has begun and is followed until the polarization stays up again."""

    def __init__(self, start_h: float, before_V: float, current_mA: float) -> None:
        self.start_h, self.before_V, self.current_mA = start_h, before_V, current_mA
        self.lowest_V = before_V
        self._up = 0
        self._up_since_h = 0.0

    def follow(self, cut: Branches, branch: int, places: range, cycled: Cycled) -> float | None:
        """Look at these bins; the time at which the recovery began, once it has lasted a whole branch."""
        needed = cut.size_V.shape[1]
        for place in places:
            value = cut.size_V[branch, place]
            if np.isnan(value):
                continue
            if value <= (1 + cycled.thresholds.short_recovery) * self.lowest_V:
                self.lowest_V = min(self.lowest_V, float(value))
                self._up = 0
                continue
            if self._up == 0:
                self._up_since_h = cut.time_h(branch, place)
            self._up += 1
            if self._up >= needed:
                return self._up_since_h
        return None


def _first_run(below: NDArray[np.bool_], length: int) -> int | None:
    length = min(length, len(below))
    runs = np.lib.stride_tricks.sliding_window_view(below, length).all(axis=1)
    return int(np.argmax(runs)) if runs.any() else None


def _evidence(cycled: Cycled, short: Short) -> tuple[str, ...]:
    return tuple(text for text in (_steps(cycled, short), _impedance(cycled, short)) if text)


def _steps(cycled: Cycled, short: Short) -> str | None:
    """Voltage steps within branches far above the usual noise, near the beginning of the short."""
    found = cycled.trace
    change = np.diff(found.voltage_V)
    inside = (np.diff(found.step) == 0) & (found.sign[1:] != 0)
    noise = MAD_TO_SIGMA * float(np.median(np.abs(change[inside]))) if inside.any() else 0.0
    hour = found.time_s[1:] / SECONDS_PER_HOUR
    near = inside & (hour > short.start_h - 1) & (hour < short.start_h + 1)
    large = np.abs(change[near]) > cycled.thresholds.short_step_factor * noise
    if noise <= 0 or not large.any():
        return None
    largest = float(np.max(np.abs(change[near]))) * mV_PER_V
    factor = cycled.thresholds.short_step_factor
    return f"voltage steps above {factor:g} x the usual within an hour: {int(large.sum())}, up to {largest:.0f} mV"


def _impedance(cycled: Cycled, short: Short) -> str | None:
    """Fall of Re Z at the lowest frequency between the spectra before and after the beginning of the short."""
    points = cycled.spectra if cycled.spectra is not None else cycled.record.spectra()
    if points.height == 0:
        return None
    spectra = per_spectrum(points).drop_nulls("time_h")
    before = spectra.filter(pl.col("time_h") <= short.start_h).tail(1)
    after = spectra.filter(pl.col("time_h") > short.start_h)
    if before.height == 0 or after.height == 0:
        return None
    ohm = [float(part["real_at_lowest_ohm"][0]) for part in (before, after, after.tail(1))]
    when = f"between {before['time_h'][0]:.1f} and {after['time_h'][0]:.1f} h, {ohm[2]:.0f} ohm in the last spectrum"
    where = f"Re Z at {float(before['lowest_Hz'][0]):.2g} Hz {ohm[0]:.0f} -> {ohm[1]:.0f} ohm {when}"
    fell = 1 - ohm[1] / ohm[0] > cycled.thresholds.short_impedance_drop
    return where if fell else f"not supported by impedance: {where}"


def _hard(cut: Branches, cycled: Cycled) -> list[Event]:
    """Branches that lie below the limit throughout after a sudden fall at the same current."""
    limit = cycled.thresholds.hard_short_V
    level = np.nanmedian(cut.size_V, axis=1)
    for branch in np.flatnonzero(np.nanmax(cut.size_V, axis=1) < limit):
        current = cut.current_mA[branch]
        before = [level[b] for b in range(branch) if _same_current(current, cut.current_mA[b])]
        before = before[-cycled.thresholds.short_median_branches :]
        if before and max(before) > limit and level[branch] < (1 - cycled.thresholds.short_drop) * before[-1]:
            time = float(cut.start_h[branch])
            text = f"hard short: |V| below {limit * mV_PER_V:g} mV throughout a branch at {abs(current):.3g} mA"
            return [Event("hard_short", text, time_h=time, cycle=_cycle_at(cycled, time))]
    return []


def _trend(cut: Branches, cycled: Cycled) -> tuple[str, ...]:
    """What no rule of a short catches, said in words: always low, or much lower in the end without a step."""
    level = np.nanmedian(cut.size_V, axis=1) * mV_PER_V
    if np.nanmax(level) < cycled.thresholds.hard_short_V * mV_PER_V:
        return (f"|V| never above {np.nanmax(level):.1f} mV: a short from the beginning cannot be excluded",)
    same = [b for b in range(len(level)) if _same_current(cut.current_mA[b], cut.current_mA[-1])]
    highest, last = float(np.max(level[same])), float(level[same[-1]])
    if last < (1 - cycled.thresholds.short_drop) * highest:
        return (f"|V| went from {highest:.0f} to {last:.0f} mV at the last current: settling, or a slow short",)
    return ()


def _cycle_at(cycled: Cycled, time_h: float) -> int | None:
    begun = cycled.cycles.filter(pl.col("start_time_h") <= time_h)
    return int(begun["cycle"][-1]) if begun.height else None


def host_signs(cycled: Cycled) -> list[Event]:
    """Cycles whose strip never reaches the cut-off, or brings back more than was plated."""
    if cycled.plating_sign is None:
        return []
    factor = cycled.thresholds.short_overstrip
    whole = cycled.cycles.filter(pl.col("strip_half_cycle").is_not_null() & pl.col("strip_interrupted").is_null())
    events = _hard(steady_branches(cycled), cycled)
    for row in whole.iter_rows(named=True):
        given, got = row["plated_mAh"] + row["above_zero_mAh"], row["stripped_mAh"] + row["returned_above_zero_mAh"]
        if row["efficiency"] is not None and got > factor * given:
            text = f"{got / given:.1%} of the charge came back: short, or revived lithium"
            events.append(Event("overstrip", text, time_h=row["start_time_h"], cycle=row["cycle"]))
        elif cycled.kind == "efficiency" and not row["stripped_out"]:
            text = f"the strip ended at {row['strip_end_voltage_V'] * mV_PER_V:.0f} mV and never reached the cut-off"
            events.append(Event("no_cutoff", text, time_h=row["start_time_h"], cycle=row["cycle"]))
    return events


def full_signs(cycled: Cycled) -> list[Event]:
    """Charges that take more than the discharge before gave while the voltage lies flat, and voltages grown noisy."""
    events = []
    limits = cycled.thresholds
    previous = cycled.cycles["stripped_mAh"].shift(1)
    noise = charging_noise_V(cycled)
    current = cycled.cycles["plate_current_mA"].to_numpy()
    same = np.abs(current / np.median(current[:5]) - 1) <= SAME_CURRENT if len(current) else np.zeros(0, dtype=bool)
    noise = np.where(same, noise, np.nan)
    early = float(np.nanmedian(noise[:5])) if np.isfinite(noise[:5]).any() else np.nan
    for row, before, now in zip(cycled.cycles.iter_rows(named=True), previous, noise, strict=True):
        if (
            before
            and row["plated_mAh"] > limits.full_overcharge * before
            and row["cycle"] > limits.formation_cycles + 1
        ):
            slope = _late_slope(cycled, row["plate_half_cycle"])
            if slope <= 0:
                share = row["plated_mAh"] / before
                text = f"charge took {share:.1%} of the discharge before it, with a flat or falling voltage"
                events.append(Event("soft_short", text, time_h=row["start_time_h"], cycle=row["cycle"]))
        if early > 0 and now > limits.full_noise_factor * early:
            text = f"voltage noise while charging {now / early:.0f} times that of the first cycles"
            events.append(Event("noisy_charge", text, time_h=row["start_time_h"], cycle=row["cycle"]))
    return events


def charging_noise_V(cycled: Cycled) -> Floats:
    """Robust scatter of the second difference of the voltage in the middle of each cycle's charge; NaN without rows."""
    first_last = dict(
        zip(
            cycled.half_cycles["half_cycle"],
            cycled.half_cycles.select("first_row", "last_row").iter_rows(),
            strict=True,
        )
    )
    noise = np.full(cycled.cycles.height, np.nan)
    for place, half_cycle in enumerate(cycled.cycles["plate_half_cycle"]):
        first, last = first_last[half_cycle]
        quarter = (last - first) // 4
        bend = np.diff(cycled.trace.voltage_V[first + quarter : last - quarter], n=2)
        if len(bend) >= 5:
            noise[place] = MAD_TO_SIGMA * float(np.median(np.abs(bend - np.median(bend))))
    return noise


def _late_slope(cycled: Cycled, half_cycle: int) -> float:
    where = cycled.half_cycles.filter(pl.col("half_cycle") == half_cycle)
    part = cycled.trace.part(int(where["first_row"][0]), int(where["last_row"][0])).flowing()
    full_current = np.abs(part.current_A) > 0.95 * np.max(np.abs(part.current_A))
    time, voltage = part.time_s[full_current], part.voltage_V[full_current]
    late = time > time[0] + 0.8 * (time[-1] - time[0])
    if late.sum() < 3:
        return np.inf
    return float(np.polyfit(time[late] - time[late][0], voltage[late], 1)[0])
