"""Which tests tell two rival mechanisms apart, and with how many cells: `discriminate(question)`.

If rival A is true, a test on n cells gives m_A with covariance V(n) = V_tester + V_cell / n. Rival B explains that as well
as it can: its distance is

    D2(n) = min over B's values of [ (m_A - m_B)' V(n)^-1 (m_A - m_B) + known_B ]

known_B: squared distance of B from what is known already, in sigma. (Least favourable rival: T-optimal design of Atkinson
and Fedorov, Biometrika 62, 57 (1975), doi:10.1093/biomet/62.1.57.) Whoever decides for the more likely of A and B at its
least favourable values is right with probability Phi(D / 2) (likelihood ratio of two normal distributions of equal
covariance), so n is the smallest with D(n) >= 2 z, Phi(z) = accuracy: 3.29 at 95 %. Either rival may be true: the worse
of both directions counts. Tests of a combination are made on n cells each, and share neither cells nor testers.

Limits: A is taken at stated values; what fitting A costs, and that the model may be wrong, is not counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
from scipy.optimize import least_squares
from scipy.stats import norm, qmc

from interlith.cell.likelihood import jacobian
from interlith.cell.noise import SOURCES, Errors, Floats, stacked
from interlith.cell.profile import Each
from interlith.cell.rivals import Prediction, Question, Rival, Test, Truth, check_known, predict, truth

MOST_CELLS = 1000  # per test
NO_END = 1e9  # as good as infinitely many
N_DESIGN = 128  # places of a rival at which all tests are simulated first
N_STARTS, N_ROUNDS, MOST_STEPS = 2, 3, 12
N_OTHER_TRUTHS = 3
FAR = 1e6  # distance, in sigma, of a rival whose cell dies in the test
NEAR_BOUND = 0.02  # share of a range
CELL, TESTER, SAME = "cell to cell", "tester", "same prediction"
Combination = tuple[str, ...]


@dataclass(frozen=True)
class Direction:
    """One rival true, the other at its least favourable values. n: cells per test, None where none suffices."""

    true: str
    other: str
    n: int | None
    distance: float
    limit: float
    other_values: dict[str, float]
    at_bounds: tuple[str, ...]
    predicted: dict[str, tuple[list[float], list[float]]]
    limited_by: str


@dataclass(frozen=True)
class Verdict:
    """A test or a combination: both directions. n_cells: in all, of the worse direction."""

    tests: Combination
    directions: tuple[Direction, Direction]
    hours: float

    @property
    def worse(self) -> Direction:
        """The direction that needs more cells."""
        return max(self.directions, key=lambda d: (d.n is None, d.n or 0, -d.limit))

    @property
    def n_cells(self) -> int | None:
        """Cells in all, None where no number suffices."""
        return None if self.worse.n is None else self.worse.n * len(self.tests)

    @property
    def why(self) -> str:
        """The sentence for people."""
        d = self.worse
        at = f" ({', '.join(d.at_bounds)} at the end of its range)" if d.at_bounds else ""
        values = ", ".join(f"{name.split('.')[-1]} = {value:.2g}" for name, value in d.other_values.items())
        if d.n is not None:
            return f"if {d.true} is true, {d.other} comes nearest with {values}{at}"
        reason = {
            SAME: f"{d.other} predicts nearly the same",
            TESTER: "the tester's own error, common to all cells, hides the difference",
            CELL: f"more than {MOST_CELLS} cells",
        }[d.limited_by]
        return f"if {d.true} is true: {reason}, with {values}{at}"


@dataclass(frozen=True)
class Discrimination:
    """The answer, the best first. at_ends: cells of the best with one source of noise at the ends of its range."""

    question: Question
    verdicts: tuple[Verdict, ...]
    at_ends: tuple[dict[str, Any], ...]
    other_truths: tuple[dict[str, Any], ...]
    said: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain numbers, lists and text."""
        return {
            "rivals": [
                {
                    "name": r.name,
                    "sample": r.study.name,
                    "values": r.values(r.truth),
                    "ranges": {p.name: [p.low, p.high] for p in r.parameters},
                }
                for r in self.question.rivals
            ],
            "accuracy": self.question.accuracy,
            "distance_needed": needed(self.question),
            "known": [datum.text + f" +- {datum.sigma[0]:.2g}" for datum in self.question.known],
            "tests": [_row(v) for v in self.verdicts],
            "at_ends_of_noise": list(self.at_ends),
            "other_truths": list(self.other_truths),
            "noise": self.question.noise.table(),
        }


def _row(v: Verdict) -> dict[str, Any]:
    return {
        "tests": list(v.tests),
        "n_cells": v.n_cells,
        "n_cells_per_test": v.worse.n,
        "possible": v.n_cells is not None,
        "distance": v.worse.distance,
        "distance_of_many_cells": v.worse.limit,
        "limited_by": v.worse.limited_by,
        "why": v.why,
        "hours_per_cell": v.hours,
        "directions": [
            {
                "true": d.true,
                "other": d.other,
                "n_cells_per_test": d.n,
                "distance": d.distance,
                "distance_of_many_cells": d.limit,
                "limited_by": d.limited_by,
                "other_values": d.other_values,
                "at_bounds": list(d.at_bounds),
                "predicted": {k: list(pair) for k, pair in d.predicted.items()},
            }
            for d in v.directions
        ],
    }


def needed(question: Question) -> float:
    """The distance at which a decision is right with the accuracy that is asked for: 2 z."""
    return 2.0 * float(norm.ppf(question.accuracy))


def discriminate(question: Question, each: Each = map) -> Discrimination:
    """The tests and their combinations, ranked by the cells they need.

    each: a map, over processes where it is one of a pool. Raises InputError for a rival that cannot run a test or does
    not fit what is known.
    """
    truths = tuple(truth(question, rival, rival.truth) for rival in question.rivals)
    for rival, found in zip(question.rivals, truths, strict=True):
        check_known(question, rival, found)
    pools = _pools(question, each)
    orders = [(question, c, k, truths[k], pools[1 - k]) for c in _combinations(question.tests) for k in (0, 1)]
    done = list(each(_direction, orders))
    for (_, _, k, _, _), (_, more) in zip(orders, done, strict=True):
        pools[1 - k].extend(more)
    verdicts = [
        Verdict(orders[i][1], (done[i][0], done[i + 1][0]), sum(truths[0].hours[name] for name in orders[i][1]))
        for i in range(0, len(orders), 2)
    ]
    verdicts.sort(key=lambda v: (v.n_cells is None, v.n_cells or 0, len(v.tests), -v.worse.limit))
    best = verdicts[0]
    ends = tuple(_at_ends(question, best, pools)) if best.n_cells else ()
    others = tuple(_other_truths(question, best, pools, each)) if best.n_cells else ()
    return Discrimination(question, tuple(verdicts), ends, others, tuple(_said(question, verdicts, ends, others)))


def _combinations(tests: tuple[Test, ...]) -> list[Combination]:
    """Single tests, pairs, and all together."""
    names = [test.name for test in tests]
    sizes = sorted({1, 2, len(names)} & set(range(1, len(names) + 1)))
    return [c for size in sizes for c in combinations(names, size)]


def _pools(question: Question, each: Each) -> list[list[Prediction]]:
    """Predictions of each rival over its ranges; its stated values among them."""
    orders, wanted = [], tuple(test.name for test in question.tests)
    for k, rival in enumerate(question.rivals):
        design = np.vstack([rival.truth, qmc.Sobol(len(rival.parameters), seed=question.seed).random(N_DESIGN)])
        orders += [(question, k, part, wanted) for part in np.array_split(design, 8)]
    found = list(each(_predictions, orders))
    pools: list[list[Prediction]] = [[], []]
    for (_, k, _, _), part in zip(orders, found, strict=True):
        pools[k] += part
    return pools


def _predictions(order: tuple[Question, int, Floats, Combination]) -> list[Prediction]:
    question, k, places, wanted = order
    return [predict(question, question.rivals[k], x, wanted) for x in places]


class _Distance:
    """Distances of a rival's predictions from what is measured if the other is true."""

    def __init__(self, found: Truth, tests: Combination, errors: Errors | None = None) -> None:
        self.tests = tests
        self.mean = self._joined(found.prediction)
        self.errors = errors or stacked([found.errors[name] for name in tests])

    def _joined(self, prediction: Prediction) -> Floats | None:
        parts = [prediction.tests.get(name) for name in self.tests]
        return None if any(part is None for part in parts) else np.concatenate([p for p in parts if p is not None])

    def whitener(self, n: float) -> Floats:
        """L^-1 of the Cholesky factor of V(n)."""
        covariance = self.errors.covariance(n)
        least = 1e-12 * np.diag(self.errors.covariance(1.0))  # where no error is left the difference counts as it is
        return np.linalg.inv(np.linalg.cholesky(covariance + np.diag(least)))

    def residuals(self, prediction: Prediction, whitener: Floats) -> Floats:
        """Whitened differences, and behind them those of what is known."""
        other, mean = self._joined(prediction), self.mean
        assert mean is not None
        if other is None:
            return np.concatenate([np.full(len(mean), FAR), prediction.known])
        return np.concatenate([whitener @ (other - mean), prediction.known])

    def nearest(self, pool: list[Prediction], n: float) -> list[tuple[float, Prediction]]:
        """Squared distances of the places where these tests were simulated, the nearest first."""
        whitener = self.whitener(n)
        known = [p for p in pool if all(name in p.tests for name in self.tests)]
        residuals = (self.residuals(p, whitener) for p in known)
        found = [(float(r @ r), p) for r, p in zip(residuals, known, strict=True)]
        return sorted(found, key=lambda pair: pair[0])

    def least_n(self, pool: list[Prediction], enough: float) -> int | None:
        """The smallest n at which every place is far enough; None where MOST_CELLS are too few."""

        def far(n: int) -> bool:
            return self.nearest(pool, n)[0][0] >= enough**2

        if not far(MOST_CELLS):
            return None
        low, high = 0, MOST_CELLS  # low is too few, high enough
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if far(middle) else (middle, high)
        return high


def _direction(order: tuple[Question, Combination, int, Truth, list[Prediction]]) -> tuple[Direction, list[Prediction]]:
    """One direction of one combination, and the predictions made on the way."""
    question, tests, k, found, pool = order
    rival, other = question.rivals[k], question.rivals[1 - k]
    distance, enough = _Distance(found, tests), needed(question)
    more: list[Prediction] = []
    n = distance.least_n(pool, enough)
    for _ in range(N_ROUNDS):
        at = n or MOST_CELLS
        for _, start in distance.nearest([*pool, *more], at)[:N_STARTS]:
            more += _refined(question, other, distance, start.x, at)
        before, n = n, distance.least_n([*pool, *more], enough)
        if n == before:
            break
    everything = [*pool, *more]
    square, nearest = distance.nearest(everything, n or MOST_CELLS)[0]
    return (
        Direction(
            rival.name,
            other.name,
            n,
            float(np.sqrt(distance.nearest(everything, 1)[0][0])),
            float(np.sqrt(distance.nearest(everything, NO_END)[0][0])),
            other.values(nearest.x),
            tuple(_at_bounds(other, nearest.x)),
            {t: (_plain(found.prediction.tests[t]), _plain(nearest.tests[t])) for t in tests},
            _limited_by(distance, everything, n, enough),
        ),
        more,
    )


def _plain(values: Floats | None) -> list[float]:
    return [] if values is None else [float(v) for v in values]


def _at_bounds(rival: Rival, x: Floats) -> Iterator[str]:
    for parameter, place in zip(rival.parameters, x, strict=True):
        if not NEAR_BOUND < place < 1.0 - NEAR_BOUND:
            yield parameter.name.split(".")[-1]


def _refined(question: Question, rival: Rival, distance: _Distance, start: Floats, n: float) -> list[Prediction]:
    """Predictions on the way from a place to the nearest one around it."""
    whitener, seen = distance.whitener(n), {}

    def at(x: Floats) -> Floats:
        key = x.tobytes()
        if key not in seen:
            seen[key] = predict(question, rival, x, distance.tests)
        return distance.residuals(seen[key], whitener)

    begin = np.clip(start, 1e-4, 1.0 - 1e-4)
    least_squares(
        at,
        begin,
        jac=lambda x: jacobian(at, x, at(x), 2e-3),
        bounds=(0.0, 1.0),
        max_nfev=MOST_STEPS,
        ftol=1e-3,
        xtol=1e-3,
    )
    return list(seen.values())


def _limited_by(distance: _Distance, pool: list[Prediction], n: int | None, enough: float) -> str:
    """What keeps the number of cells from being smaller."""
    whole = distance.errors
    without_tester = _Distance.__new__(_Distance)
    without_tester.tests, without_tester.mean = distance.tests, distance.mean
    without_tester.errors = Errors(whole.tester[:, :0], whole.cell)
    at = n or MOST_CELLS
    if n is None:
        if without_tester.nearest(pool, MOST_CELLS)[0][0] < enough**2:
            return SAME
        return CELL if distance.nearest(pool, NO_END)[0][0] >= enough**2 else TESTER
    return TESTER if without_tester.nearest(pool, at)[0][0] > 2.0 * distance.nearest(pool, at)[0][0] else CELL


def _at_ends(question: Question, best: Verdict, pools: list[list[Prediction]]) -> Iterator[dict[str, Any]]:
    """Cells in all of the best combination with each source at the ends of its range, and with all of them there."""
    singles = [(s.name, {s.name: s.low}, {s.name: s.high}) for s in SOURCES]
    both = [("all of them", {s.name: s.low for s in SOURCES}, {s.name: s.high for s in SOURCES})]
    for name, low, high in (*singles, *both):
        found = [_n_with(question, best, pools, values) for values in (low, high)]
        if name == "all of them" or any(n != best.n_cells for n in found):
            yield {"source": name, "n_cells_at_low": found[0], "n_cells_at_high": found[1]}


def _n_with(question: Question, best: Verdict, pools: list[list[Prediction]], values: dict[str, float]) -> int | None:
    """Cells in all with other noise, from the places already simulated; what is known keeps its sigma."""
    noise = question.noise.with_values(**values)
    asked = replace(question, noise=noise, tests=tuple(t for t in question.tests if t.name in best.tests))
    worst = 0
    for k, rival in enumerate(question.rivals):
        n = _Distance(truth(asked, rival, rival.truth), best.tests).least_n(pools[1 - k], needed(question))
        if n is None:
            return None
        worst = max(worst, n)
    return worst * len(best.tests)


def _other_truths(
    question: Question, best: Verdict, pools: list[list[Prediction]], each: Each
) -> Iterator[dict[str, Any]]:
    """Cells in all of the best combination if a rival is true at other values that fit what is known."""
    orders, places = [], []
    asked = replace(question, tests=tuple(t for t in question.tests if t.name in best.tests))
    for k, rival in enumerate(question.rivals):
        for x in _apart([p.x for p in pools[k] if np.all(np.abs(p.known) <= 1.0)], rival.truth):
            places.append((k, x))
            orders.append((asked, best.tests, k, truth(asked, rival, x), pools[1 - k]))
    for (k, x), (direction, _) in zip(places, each(_direction, orders), strict=True):
        rival = question.rivals[k]
        n = None if direction.n is None else direction.n * len(best.tests)
        yield {"true": rival.name, "values": rival.values(x), "n_cells": n, "limited_by": direction.limited_by}


def _apart(places: list[Floats], first: Floats) -> list[Floats]:
    """A few places as far from each other, and from the first, as there are."""
    kept = [first]
    while len(kept) <= N_OTHER_TRUTHS and places:
        kept.append(max(places, key=lambda x: min(float(np.linalg.norm(x - other)) for other in kept)))
    return kept[1:]


def _said(
    question: Question, verdicts: list[Verdict], ends: tuple[dict[str, Any], ...], others: tuple[dict[str, Any], ...]
) -> Iterator[str]:
    best = verdicts[0]
    percent = f"{question.accuracy:.0%}"
    if best.n_cells is None:
        yield f"none of these tests, alone or together, tells the rivals apart with {percent}"
    else:
        yield f"{' and '.join(best.tests)}: {best.n_cells} cells in all tell the rivals apart with {percent}"
    for v in verdicts:
        if len(v.tests) == 1 and v.n_cells is None:
            yield f"{v.tests[0]} alone cannot: {v.why}"
    if ends:
        low, high = ends[-1]["n_cells_at_low"], ends[-1]["n_cells_at_high"]
        yield f"all sources of noise at their low ends: {low} cells; at their high ends: {high or 'not possible'}"
    if others:
        counts = [o["n_cells"] for o in others]
        known = [c for c in counts if c is not None]
        span = f"{min(known)} to {max(known)} cells" if known else "not possible"
        lost = (
            f"; not possible for {len(counts) - len(known)} of {len(counts)}"
            if known and len(known) < len(counts)
            else ""
        )
        yield f"true values elsewhere in their ranges that fit what is known: {span}{lost}"
    yield "every error is assumed, with the range listed; statements about the model, not about a measured cell"
