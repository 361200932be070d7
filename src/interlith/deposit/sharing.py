"""How an imposed current is shared among the places that take it: one overpotential for all, none takes what it lacks.

A place of surface A and ease a carries a A i0 2 sinh(F (eta - barrier) / 2RT) beyond its barrier (Butler-Volmer with
equal transfer coefficients), and nothing below it. `decay` and `turns` stand for F / 2RT times a potential.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from interlith.deposit.solver.kernels import kernel
from interlith.errors import SolverError

Floats = NDArray[np.float64]
WITHIN = 1e-13
MOST_TURNS = 200
MOST_BARRIER = 600.0  # its exponential is a number still


def common_overpotential(ease: Floats, barrier: Floats, current: float) -> tuple[float, Floats]:
    """F eta / 2RT at which all places together carry the current, and what each carries.

    ease: current of each at 2 sinh = 1, with barrier likewise as F eta / 2RT. Raises SolverError without a place.

    >>> found, carried = common_overpotential(np.array([1.0, 3.0]), np.zeros(2), 8.0)
    >>> round(float(found), 6), carried.round(6).tolist()
    (0.881374, [2.0, 6.0])
    """
    least = min(float(barrier.min(initial=0.0)), 0.0)
    if least < 0.0:
        volts, carried = common_overpotential(ease, barrier - least, current)
        return volts + least, carried
    total = float(ease.sum())
    if not (total > 0.0 and np.isfinite(total)):
        raise SolverError("there is no surface on which lithium could be plated or stripped")
    low = float(np.arcsinh(0.5 * current / total))  # as if there were no barriers
    easiest = float(barrier.min())
    alone = easiest + float(np.arcsinh(0.5 * current / float(ease[barrier == easiest].sum())))
    high = min(low + float(barrier.max()), alone)
    if high > low:
        lift = np.exp(np.minimum(barrier, MOST_BARRIER))
        high = _root(ease, lift, low, high, current)
    carried = ease * 2.0 * np.sinh(np.maximum(high - barrier, 0.0))
    return high, carried * (current / float(carried.sum()))


@kernel
def _carried(ease, lift, x):  # type: ignore[no-untyped-def]
    """Current of all places, and its slope, at exp(F eta / 2RT) = x."""
    total, slope = 0.0, 0.0
    for n in range(ease.size):
        if x > lift[n]:
            up = x / lift[n]
            total += ease[n] * (up - 1.0 / up)
            slope += ease[n] * (up + 1.0 / up)
    return total, slope


def _root(ease: Floats, lift: Floats, low: float, high: float, current: float) -> float:
    """Newton's method inside a bracket; the current only grows with the overpotential."""
    at = high
    for _ in range(MOST_TURNS):
        total, slope = _carried(ease, lift, float(np.exp(at)))
        off = total - current
        if abs(off) <= WITHIN * current or high - low <= WITHIN * high:
            return at
        low, high = (low, at) if off > 0.0 else (at, high)
        at = at - off / slope if slope > 0.0 else high
        if not low < at < high:
            at = 0.5 * (low + high)
    raise SolverError(f"no overpotential carries the current: off by {off / current:.2g} of it")


def no_more_than(wanted: Floats, at_hand: Floats, amount: float) -> Floats:
    """Amounts in proportion to what is wanted, none above what is at hand, whose sum is `amount`.

    What one place cannot take goes to the others in proportion. Raises SolverError when not so much is at hand.

    >>> no_more_than(np.array([1.0, 1.0, 2.0]), np.array([0.5, 9.0, 9.0]), 4.0).tolist()
    [0.5, 1.1666666666666667, 2.3333333333333335]
    """
    if amount > float(at_hand.sum()) * (1.0 + 1e-12):
        raise SolverError("more lithium is asked for than the surface can take or give")
    is_cut = np.zeros(wanted.shape, dtype=np.bool_)
    for _ in range(MOST_TURNS):
        left = amount - float(at_hand[is_cut].sum())
        free = float(wanted[~is_cut].sum())
        if free <= 0.0:
            return np.where(is_cut, at_hand, 0.0)
        factor = max(left, 0.0) / free
        now = is_cut | (wanted * factor >= at_hand)
        if (now == is_cut).all():
            return np.where(is_cut, at_hand, wanted * factor)
        is_cut = now
    raise SolverError("the current could not be shared among the surfaces")
