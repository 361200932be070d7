"""Time-weighted averages of groups of rows. Testers sample by event, so a plain mean of rows answers nothing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from interlith.cycling.segment import Trace
from interlith.units import SECONDS_PER_HOUR, mAh_PER_Ah

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def weighted_medians(group: Ints, value: Floats, weight: Floats, n_groups: int) -> Floats:
    """Weighted median of each group 0 .. n_groups - 1; NaN for a group without weight.

    group, value, weight: [row]. The median is the first value at which half of the group's weight is reached.

    >>> weighted_medians(np.array([0, 0, 0]), np.array([1.0, 2.0, 9.0]), np.array([1.0, 1.0, 8.0]), 1).tolist()
    [9.0]
    """
    kept = (weight > 0) & (group >= 0)
    group, value, weight = group[kept], value[kept], weight[kept]
    result = np.full(n_groups, np.nan)
    if len(group) == 0:
        return result
    order = np.lexsort((value, group))
    group, value, weight = group[order], value[order], weight[order]
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    total = np.cumsum(weight)
    before = np.concatenate([[0.0], total])[starts]
    half = before + np.add.reduceat(weight, starts) / 2
    place = np.searchsorted(total, half * (1 - 1e-12))
    result[group[starts]] = value[np.minimum(place, len(value) - 1)]
    return result


def branch_of_rows(first: Ints, last: Ints, n_rows: int) -> Ints:
    """Number of the branch each row belongs to, -1 outside; first and last: rows of each branch, in order."""
    branch = np.full(n_rows, -1, dtype=np.int64)
    if len(first) == 0:
        return branch
    place = np.searchsorted(first, np.arange(n_rows), side="right") - 1
    inside = (place >= 0) & (np.arange(n_rows) <= last[place])
    branch[inside] = place[inside]
    return branch


def passed_mAh(found: Trace, branch: Ints) -> Floats:
    """Charge passed in its branch until each row, in mAh, with the row's own half interval before it; 0 outside."""
    flow = np.abs(found.current_A) * found.weight_s * (branch >= 0) / SECONDS_PER_HOUR * mAh_PER_Ah
    total = np.cumsum(flow)
    starts = np.flatnonzero(np.diff(branch, prepend=-2))
    before = (total - flow)[starts]
    lengths = np.diff(np.append(starts, len(branch)))
    return np.where(branch >= 0, total - np.repeat(before, lengths) - flow / 2, 0.0)


def fraction_of_charge(found: Trace, branch: Ints, n_branches: int) -> Floats:
    """How much of its branch's charge has passed at each row, 0 to 1; NaN outside branches and where none flows."""
    passed = passed_mAh(found, branch)
    flow = np.abs(found.current_A) * found.weight_s / SECONDS_PER_HOUR * mAh_PER_Ah
    inside = branch >= 0
    total = np.bincount(branch[inside], weights=flow[inside], minlength=n_branches)
    fraction = np.full(len(branch), np.nan)
    flowing = np.flatnonzero(inside & (found.sign != 0))
    flowing = flowing[total[branch[flowing]] > 0]
    fraction[flowing] = passed[flowing] / total[branch[flowing]]
    return fraction
