"""What the data say of one parameter, the others free: fits from several places, and profile likelihoods.

The profile of a parameter is the least chi2 at each of its values. Its 95 % interval is where chi2 is less than 3.84
above the best (chi2 with one degree of freedom; Wilks, Ann. Math. Stat. 9, 60 (1938)).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import least_squares

from interlith.cell.inference.likelihood import Residuals, chi2, jacobian
from interlith.cell.inference.noise import Floats

RISE_95 = 3.841459  # 95 % quantile of chi2 with one degree of freedom
N_OUTWARDS, N_CLOSER = 7, 4  # steps from the best value to a bound; halvings of the one in which the limit lies
MOST_EVALUATIONS = 25
GOOD = 1e-4  # chi2, or its rise above the best, of which no less is sought
Each = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]  # map, in this process or over others


@dataclass(frozen=True)
class Fit:
    """The end of a search: place, chi2, and all that was evaluated on the way (place, residuals)."""

    x: Floats
    chi2: float
    seen: tuple[tuple[Floats, Floats], ...]


@dataclass(frozen=True)
class Profile:
    """Of one parameter: places x[n, p] along it, in order, and chi2[n] there, the others fitted."""

    place: int
    x: Floats
    chi2: Floats

    def interval(self, best: float) -> tuple[float | None, float | None]:
        """Both ends of the 95 % interval as places in [0, 1]; None where the bound comes before the end."""
        along, rise = self.x[:, self.place], self.chi2 - best
        inside = np.flatnonzero(rise <= RISE_95)
        if len(inside) == 0:
            return None, None
        first, last = int(inside[0]), int(inside[-1])
        low = None if first == 0 else _crossing(along, rise, first, first - 1)
        high = None if last == len(along) - 1 else _crossing(along, rise, last, last + 1)
        return low, high


def _crossing(along: Floats, rise: Floats, inside: int, outside: int) -> float:
    """Where a parabola-like rise passes the limit: linear in its square root."""
    a, b, goal = (np.sqrt(max(v, 0.0)) for v in (rise[inside], rise[outside], RISE_95))
    share = (goal - a) / (b - a) if b > a else 1.0
    return float(along[inside] + share * (along[outside] - along[inside]))


class Seen:
    """Residuals with a memory, so that no place is simulated twice and all are kept."""

    def __init__(self, problem: Residuals) -> None:
        self.problem = problem
        self.known: dict[bytes, tuple[Floats, Floats]] = {}

    def __call__(self, x: Floats) -> Floats:
        """Residuals at x."""
        key = x.tobytes()
        if key not in self.known:
            self.known[key] = (x.copy(), self.problem.residuals(x))
        return self.known[key][1]

    def all(self) -> tuple[tuple[Floats, Floats], ...]:
        """All that was evaluated."""
        return tuple(self.known.values())


def search(order: tuple[Residuals, Floats]) -> Fit:
    """A least-squares fit from one place."""
    problem, start = order
    at = Seen(problem)
    x = _least(at, np.clip(start, 0.0, 1.0), (), GOOD)
    return Fit(x, chi2(at(x)), at.all())


class _Enough(Exception):
    """A place that needs no better one."""


def _least(at: Callable[[Floats], Floats], start: Floats, held: tuple[int, ...], enough: float) -> Floats:
    """The place of least chi2 from a start, some parameters held; the first whose chi2 is `enough`."""
    free = [k for k in range(len(start)) if k not in held]
    if not free:
        return start

    def whole(part: Floats) -> Floats:
        x = start.copy()
        x[free] = part
        return x

    def residuals(part: Floats) -> Floats:
        r = at(whole(part))
        if chi2(r) <= enough:
            raise _Enough(part)
        return r

    def slopes(part: Floats) -> Floats:
        return jacobian(lambda p: at(whole(p)), part, at(whole(part)))

    begin = np.clip(start[free], 1e-6, 1.0 - 1e-6)  # the method needs a place inside
    try:
        found = _solved(residuals, begin, slopes)
    except _Enough as good:
        return whole(good.args[0])
    return whole(found)


def _solved(residuals: Callable[[Floats], Floats], begin: Floats, slopes: Callable[[Floats], Floats]) -> Floats:
    found = least_squares(
        residuals,
        begin,
        jac=slopes,
        bounds=(0.0, 1.0),
        xtol=1e-5,
        ftol=1e-5,
        gtol=1e-5,
        max_nfev=MOST_EVALUATIONS,
    )
    return np.asarray(found.x)


def half_profile(
    order: tuple[Residuals, int, Floats, float, int],
) -> tuple[list[tuple[Floats, float]], tuple[Any, ...]]:
    """One side of a profile: places and chi2 outwards from the best, and all that was evaluated."""
    problem, place, best, least, side = order
    at = Seen(problem)
    end = 1.0 if side > 0 else 0.0
    found: list[tuple[Floats, float]] = []
    x, inside, outside = best, best[place], None
    for goal in np.linspace(best[place], end, N_OUTWARDS + 1)[1:]:
        x = _at(at, x, place, float(goal), least)
        found.append((x, chi2(at(x))))
        if found[-1][1] - least > RISE_95:
            outside = float(goal)
            break
        inside = float(goal)
    nearest = min((f for f in found if f[1] - least <= RISE_95), key=lambda f: abs(f[0][place] - end), default=None)
    x = nearest[0] if nearest else best
    for _ in range(N_CLOSER if outside is not None else 0):
        middle = (inside + (outside or 0.0)) / 2.0
        tried = _at(at, x, place, middle, least)
        found.append((tried, chi2(at(tried))))
        if found[-1][1] - least > RISE_95:
            outside = middle
        else:
            inside, x = middle, tried
        if abs((outside or 0.0) - inside) < 1e-3:
            break
    return found, at.all()


def _at(at: Callable[[Floats], Floats], start: Floats, place: int, goal: float, least: float) -> Floats:
    x = start.copy()
    x[place] = goal
    return _least(at, x, (place,), least + GOOD)


def profiles(problem: Residuals, best: Fit, each: Each = map) -> tuple[list[Profile], Fit]:
    """The profile of every parameter, and the best of all places, with everything that was evaluated."""
    n = len(best.x)
    orders = [(problem, k, best.x, best.chi2, side) for k in range(n) for side in (-1, 1)]
    sides = list(each(half_profile, orders))
    seen = [*best.seen, *(pair for _, part in sides for pair in part)]
    found = []
    least = (best.x, best.chi2)
    for k in range(n):
        rows = [*sides[2 * k][0], (best.x, best.chi2), *sides[2 * k + 1][0]]
        rows.sort(key=lambda row: row[0][k])
        least = min([least, *rows], key=lambda row: row[1])
        found.append(Profile(k, np.array([x for x, _ in rows]), np.array([c for _, c in rows])))
    return found, Fit(least[0], least[1], tuple(seen))
