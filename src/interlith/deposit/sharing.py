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
    carried = _of_each(ease, barrier, high)
    total = float(carried.sum())
    if not total > 0.0:
        raise SolverError("no overpotential that can be told lets lithium be plated or stripped")
    carried *= current / total
    return high, carried


@kernel
def _of_each(ease, barrier, at):  # type: ignore[no-untyped-def]
    """Current of each place at an overpotential."""
    carried = np.empty(ease.size)
    for n in range(ease.size):
        carried[n] = 2.0 * ease[n] * np.sinh(at - barrier[n]) if at > barrier[n] else 0.0
    return carried


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
    factor, n_cut, free, cut = 0.0, 0, float(wanted.sum()), 0.0
    for _ in range(MOST_TURNS):
        if free <= 0.0:
            return np.where(wanted > 0.0, at_hand, 0.0)
        factor = max(factor, (amount - cut) / free)  # only grows, but for rounding
        before, (n_cut, free, cut) = n_cut, _cut(wanted, at_hand, factor)
        if n_cut == before:
            return np.minimum(wanted * factor, at_hand)
    raise SolverError("the current could not be shared among the surfaces")


@kernel
def _cut(wanted, at_hand, factor):  # type: ignore[no-untyped-def]
    """Places that want more than is at hand, where factor times as much is asked for: how many they are; what the
    others want; what these have at hand.
    """
    n_cut, free, cut = 0, 0.0, 0.0
    for n in range(wanted.size):
        if wanted[n] * factor >= at_hand[n]:
            n_cut += 1
            cut += at_hand[n]
        else:
            free += wanted[n]
    return n_cut, free, cut


def pace_of_the_rest(pace: Floats, carried: Floats, share: float) -> float:
    """Highest pace when the fastest, which carry less than a share of all that is carried, are left out.

    >>> pace_of_the_rest(np.array([3.0, 1.0, 2.0]), np.array([1.0, 5.0, 4.0]), 0.2)
    2.0
    """
    left_out, least = share * float(carried.sum()), float(pace.max())
    is_fast = pace >= least
    while float(carried[is_fast].sum()) <= left_out and not is_fast.all():
        least *= 0.5
        is_fast = pace >= least
    fast, with_it = pace[is_fast], carried[is_fast]
    order = np.argsort(-fast)
    at = int(np.searchsorted(np.cumsum(with_it[order]), left_out, side="right"))
    return float(fast[order[min(at, order.size - 1)]])
