"""Vendors' charge and energy counters, which reset at steps or cycles, turned into counters that never reset."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
# a counter that falls to more than this share of its value was not restarted: rows are out of order, or it is noise
RESTARTED_BELOW = 0.5
PIECE = 1_000_000  # rows compared at once: no second table of ten million rows
SIGNED_SHARE, NET_SHARE = 0.99, 0.5


def increments(counter: Array, resets: NDArray[np.bool_] | None = None) -> Array:
    """Growth of an unsigned counter at each row, taken as restarted where it falls far, or where `resets` is true.

    At a restart the whole new value counts. Missing values (NaN) grow by nothing. A small fall is kept as it is, so
    that rows out of order and noise cancel.

    >>> increments(np.array([0.0, 1.0, 2.0, 0.5])).tolist()
    [0.0, 1.0, 1.0, 0.5]
    """
    value = np.abs(_filled(counter))
    step = value.copy()
    step[1:] -= value[:-1]
    fallen = restarts(value)
    step[fallen] = value[fallen]
    if resets is not None:
        step[resets] = value[resets]
    return step


def restarts(value: Array) -> NDArray[np.intp]:
    """Rows at which a counter without sign begins anew: it fell below half of what it was."""
    pieces = []
    for begin in range(0, len(value) - 1, PIECE):
        part = value[begin : begin + PIECE + 1]
        pieces.append(np.flatnonzero(part[1:] < RESTARTED_BELOW * part[:-1]) + begin + 1)
    return np.concatenate(pieces) if pieces else np.empty(0, dtype=np.intp)


def split_by_sign(growth: Array, sign: Array) -> tuple[Array, Array]:
    """Never-reset charging and discharging counters from the growth of a common one and the sign of the current."""
    return np.cumsum(np.where(sign > 0, growth, 0.0)), np.cumsum(np.where(sign < 0, growth, 0.0))


def split_net(net: Array) -> tuple[Array, Array]:
    """Never-reset charging and discharging counters from a net one that goes up and down (BioLogic Q - Qo)."""
    step = np.diff(_filled(net), prepend=0.0)
    step[:1] = 0.0
    return np.cumsum(np.maximum(step, 0.0)), np.cumsum(np.maximum(-step, 0.0))


def split_common(counter: Array, current: Array, resets: NDArray[np.bool_] | None = None) -> tuple[Array, Array]:
    """Never-reset charging and discharging counters from one that serves both directions, whichever way it counts.

    It may restart at each step, signed like the current or not, or be one net count that falls while discharging.
    """
    value, sign = _filled(counter), np.sign(np.nan_to_num(current))
    if not _is_net(value, sign):
        return split_by_sign(increments(value, resets), sign)
    return split_net(value)


def _is_net(value: Array, sign: Array) -> bool:
    if np.any(value < 0):
        return bool(np.mean((np.sign(value) * sign)[sign != 0] >= 0) < SIGNED_SHARE) if np.any(sign) else True
    discharging = sign < 0
    return bool(np.any(discharging)) and bool(np.mean(np.diff(value, prepend=value[:1])[discharging] < 0) > NET_SHARE)


def _filled(counter: Array) -> Array:
    """The counter as floats, a missing or infinite value replaced by the one before it, or by 0 at the beginning."""
    value = np.asarray(counter, dtype=float)
    missing = ~np.isfinite(value)
    if not missing.any():
        return value
    last = np.maximum.accumulate(np.where(missing, -1, np.arange(len(value))))
    return np.where(last >= 0, value[np.maximum(last, 0)], 0.0)
