"""Which angles are left out of a fit: lines of the substrate, named or recognized, and what a user states."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from interlith.characterize.diffraction.pattern import Pattern
from interlith.characterize.diffraction.scan import Floats
from interlith.characterize.diffraction.substrates import (
    STRONG,
    SUBSTRATES,
    Foreign,
    Mask,
    NEAR_deg,
    TAIL_deg,
    WIDEST_deg,
    foreign_lines,
)
from interlith.characterize.diffraction.wurtzite import TEXTURE_LINES, powder_lines
from interlith.errors import InputError

BASELINE_deg, SMOOTH_deg = 4.0, 0.06  # half a window of the running median; of the mean over neighbours
SIGNIFICANT = 8.0  # standard errors above the baseline
STRONG_FLANKS = 100.0  # counts over the background: then the flanks are fitted as well
PROOFS = ("Si 200, forbidden", "Si 400, K-beta")
BROAD_deg = 0.8  # full width of a (002) line of carbon, from which on it is of nanotubes
OF_COATING_deg = 0.7
Stated = Sequence[tuple[float, float] | tuple[float, float, str]]


def substrates_of(pattern: Pattern, substrate: str | None) -> tuple[str, ...]:
    """Names of what lies below. None: recognized from its lines; "none": nothing; several are joined by "+"."""
    if substrate is None:
        return recognized(pattern)
    return () if substrate == "none" else tuple(name.strip() for name in substrate.split("+"))


def masks_of(pattern: Pattern, stated: Stated | None, substrates: Sequence[str]) -> tuple[Mask, ...]:
    """All masks of a pattern, by angle: those stated, and one for each line of the substrates.

    stated: (low, high) or (low, high, name) in degrees. A K-beta line of a foil that lies on a line of ZnO is not
    masked: `beneath` tells of it. Raises InputError for a mask that is not a range of angles and for a substrate that
    is not known.
    """
    found = [_stated(pattern.name, mask) for mask in stated or ()]
    for name in substrates:
        of_it = foreign_lines(name, pattern.radiation)
        found += [_around(pattern, line) for line in of_it if _covered(pattern, line) is None]
    low, high = pattern.two_theta_deg[0], pattern.two_theta_deg[-1]
    within = [mask for mask in found if mask.high_deg > low and mask.low_deg < high]
    return tuple(sorted(within, key=lambda mask: mask.low_deg))


def beneath(pattern: Pattern, substrates: Sequence[str]) -> tuple[str, ...]:
    """What is said of lines of a substrate that lie on lines of ZnO and cannot be masked."""
    found = []
    for line in (one for name in substrates for one in foreign_lines(name, pattern.radiation)):
        if (hkl := _covered(pattern, line)) is not None:
            found.append(
                f"{line.name} lies at {line.two_theta_deg:.2f} degrees, on ({hkl}), and is not masked: without a "
                f"filter or monochromator it adds to ({hkl})"
            )
    return tuple(found)


def _covered(pattern: Pattern, line: Foreign) -> str | None:
    """The strong line of ZnO on which a K-beta line of a foil lies; None for any other line."""
    if not line.weak:
        return None
    near = [
        one.hkl
        for one in powder_lines(pattern.radiation)
        if one.hkl in TEXTURE_LINES and abs(one.two_theta_deg - line.two_theta_deg) < OF_COATING_deg
    ]
    return near[0] if near else None


def recognized(pattern: Pattern) -> tuple[str, ...]:
    """Substrates whose main lines are all in the pattern, where ZnO has none, or none so strong."""
    net, error = net_counts(pattern)
    highest = float(net.max())
    of_coating = [line.two_theta_deg for line in powder_lines(pattern.radiation)]
    found: list[tuple[str, list[float], float]] = []
    for name in SUBSTRATES:
        main = [line for line in foreign_lines(name, pattern.radiation) if line.main]
        within = [line for line in main if pattern.two_theta_deg[0] < line.two_theta_deg < pattern.two_theta_deg[-1]]
        peaks = [_peak(pattern, net, error, line, of_coating, highest) for line in within]
        if within and None not in peaks and (name != "silicon" or _is_wafer(pattern, net, error, within[0])):
            at = [peak for peak in peaks if peak is not None]
            miss = sum(abs(one - line.two_theta_deg) for one, line in zip(at, within, strict=True)) / len(at)
            found.append((name, at, miss))
    kept: list[tuple[str, list[float], float]] = []
    for name, at, miss in sorted(found, key=lambda one: one[2]):
        taken = [peak for _, peaks, _ in kept for peak in peaks]
        if all(min((abs(peak - other) for other in taken), default=9.0) > 2 * NEAR_deg for peak in at):
            kept.append((name, at, miss))
    return tuple(_carbon(pattern, net, name, at) for name, at, _ in kept)


def _is_wafer(pattern: Pattern, net: Floats, error: Floats, main: Foreign) -> bool:
    """Whether a line at Si 400 is a wafer's: far above all else, or with a weak line of the wafer beside it.

    ZnO has its (201) at the same angle.
    """
    near = np.abs(pattern.two_theta_deg - main.two_theta_deg) <= NEAR_deg
    if net[near].max() > STRONG_FLANKS * np.median(pattern.counts):
        return True
    weak = [line for line in foreign_lines("silicon", pattern.radiation) if line.name in PROOFS]
    return any(_peak(pattern, net, error, line, [], 0.0) is not None for line in weak)


def unmasked(angles: Floats, masks: Sequence[Mask]) -> np.ndarray:
    """For each angle whether no mask holds it."""
    free = np.ones(len(angles), dtype=bool)
    for mask in masks:
        free &= (angles < mask.low_deg) | (angles > mask.high_deg)
    return free


def _stated(name: str, mask: tuple[float, float] | tuple[float, float, str]) -> Mask:
    low, high = float(mask[0]), float(mask[1])
    if not low < high or not np.isfinite([low, high]).all():
        raise InputError(f"{name}: mask {low:g} to {high:g}: two angles in degrees, the lower first")
    return Mask(low, high, mask[2] if len(mask) == 3 else "stated")


def _around(pattern: Pattern, line: Foreign) -> Mask:
    """A mask about where the line really is; a wafer's main line takes its flanks with it."""
    angles, counts = pattern.two_theta_deg, pattern.counts
    near = np.abs(angles - line.two_theta_deg) <= NEAR_deg
    centre, half, has_flanks = line.two_theta_deg, line.half_width_deg, False
    if line.main and near.any():
        highest = int(np.flatnonzero(near)[np.argmax(counts[near])])
        if line.substrate == "silicon":
            over = float(counts[highest] / max(np.median(counts), 1e-9))
            half, has_flanks = min(max(half, TAIL_deg * over**0.5), WIDEST_deg), over > STRONG_FLANKS
        if over_neighbours(counts, near):
            centre = float(angles[highest])
    return Mask(centre - half, centre + half, line.name, has_flanks, line.edge)


def over_neighbours(counts: Floats, near: np.ndarray) -> bool:
    """Whether the highest of some points is far above most of them."""
    return bool(counts[near].max() > 2 * np.median(counts[near]))


def net_counts(pattern: Pattern) -> tuple[Floats, Floats]:
    """Smoothed counts above a running median, and their standard error."""
    from scipy.ndimage import median_filter, uniform_filter1d

    step = pattern.step_deg
    wide = max(3, 2 * round(BASELINE_deg / step) + 1)
    few = max(1, round(SMOOTH_deg / step))
    stride = max(1, wide // 100)  # a median over a hundred points is exact enough, and fast
    coarse = median_filter(uniform_filter1d(pattern.counts, stride)[::stride], max(3, wide // stride), mode="nearest")
    baseline = np.interp(np.arange(len(pattern.counts)), np.arange(0, len(pattern.counts), stride), coarse)
    smooth = uniform_filter1d(pattern.counts, few)
    error = np.sqrt(pattern.variance_per_count * np.maximum(baseline, pattern.counts.mean() * 1e-3) / few)
    return smooth - baseline, error


def _peak(
    pattern: Pattern, net: Floats, error: Floats, line: Foreign, of_coating: Sequence[float], highest: float
) -> float | None:
    """Where a line of a substrate was found; None where it was not, or where it may be one of the coating."""
    near = np.flatnonzero(np.abs(pattern.two_theta_deg - line.two_theta_deg) <= NEAR_deg)
    if not len(near):
        return None
    at = int(near[np.argmax(net[near])])
    if net[at] < SIGNIFICANT * error[at]:
        return None
    angle = float(pattern.two_theta_deg[at])
    of_ours = min((abs(angle - other) for other in of_coating), default=90.0) < OF_COATING_deg
    edge = at in (near[0], near[-1]) and line.substrate not in ("graphite", "nanotubes")
    return None if edge or (of_ours and net[at] < STRONG * highest) else angle


def _carbon(pattern: Pattern, net: Floats, name: str, at: Sequence[float]) -> str:
    """Graphite and nanotubes have their (002) at nearly one angle; how broad it is tells them apart."""
    if name not in ("graphite", "nanotubes"):
        return name
    angles = pattern.two_theta_deg
    place = int(np.argmin(np.abs(angles - at[0])))
    low = high = place
    while low > 0 and net[low] > net[place] / 2:
        low -= 1
    while high < len(net) - 1 and net[high] > net[place] / 2:
        high += 1
    return "nanotubes" if angles[high] - angles[low] > BROAD_deg else "graphite"
