"""Vendors' charge and energy counters, which reset at steps or cycles, turned into counters that never reset."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def increments(counter: Array, resets: NDArray[np.bool_] | None = None) -> Array:
    """Growth of an unsigned counter at each row, taken as restarted wherever it falls, or where `resets` is true.

    At a restart the whole new value counts. Missing values (NaN) grow by nothing.

    >>> increments(np.array([0.0, 1.0, 2.0, 0.5])).tolist()
    [0.0, 1.0, 1.0, 0.5]
    """
    value = np.abs(np.nan_to_num(np.asarray(counter, dtype=float)))
    step = np.diff(value, prepend=0.0)
    restarted = step < 0 if resets is None else (step < 0) | resets
    return np.where(restarted, value, step)


def split_by_sign(growth: Array, sign: Array) -> tuple[Array, Array]:
    """Never-reset charging and discharging counters from the growth of a common one and the sign of the current."""
    return np.cumsum(np.where(sign > 0, growth, 0.0)), np.cumsum(np.where(sign < 0, growth, 0.0))


def split_net(net: Array) -> tuple[Array, Array]:
    """Never-reset charging and discharging counters from a net one that goes up and down (BioLogic Q - Qo)."""
    step = np.diff(np.nan_to_num(np.asarray(net, dtype=float)), prepend=0.0)
    step[:1] = 0.0
    return np.cumsum(np.maximum(step, 0.0)), np.cumsum(np.maximum(-step, 0.0))
