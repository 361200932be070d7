"""Which tests tell two rival mechanisms apart, and with how many cells: `discriminate(question)`.

If rival A is true, a test on n cells gives m_A with covariance V(n) = V_common + V_cell / n. Rival B explains that as
well as it can: its distance is

    D2(n) = min over B's values of [ (m_A - m_B)' V(n)^-1 (m_A - m_B) + known_B ]

known_B: squared distance of B from what is known already, in sigma. (Least favourable rival: T-optimal design of
Atkinson and Fedorov, Biometrika 62, 57 (1975), doi:10.1093/biomet/62.1.57; citation not confirmed.) Whoever decides
for the more likely of A and B at its least favourable values is right with probability Phi(D / 2) (likelihood ratio of
two normal distributions of equal covariance), so n is the smallest with D(n) >= 2 z, Phi(z) = accuracy: 3.29 at 95 %.
Either rival may be true: the worse of both directions counts. Tests of a combination are made on n cells each, and
share neither cells nor testers.

Limits: A is taken at stated values; what fitting A costs, and that the model may be wrong, is not counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
from scipy.stats import norm, qmc

from interlith.cell.inference.nearest import MOST_CELLS, Combination, Measured, Near, sought
from interlith.cell.inference.noise import SOURCES, Floats
from interlith.cell.inference.profile import Each
from interlith.cell.inference.rivals import (
    Experiment,
    Prediction,
    Question,
    Rival,
    Truth,
    check_known,
    predict,
    truth,
    truths,
)

N_DESIGN = 64  # places of a rival at which all tests are simulated first
N_OTHER_TRUTHS = 3
FEW_CELLS = 6  # what a laboratory gives to one question
NARROWER, N_NARROWER = (0.7,), 2  # share of a range that is left; parameters of which it is asked
ALL = "all of them"
NEAR_BOUND = 0.02  # share of a range
CELL, COMMON, SAME = "cell to cell", "common error", "same prediction"


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
    """A test or a combination: both directions, hours that it takes; cells with noise at the ends of its ranges."""

    tests: Combination
    directions: tuple[Direction, Direction]
    hours: float
    at_ends: dict[str, tuple[int | None, int | None]]

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
            COMMON: "errors common to all cells (tester, charge for other reasons) hide the difference",
        }[d.limited_by]
        return f"if {d.true} is true: {reason}, with {values}{at}"


@dataclass(frozen=True)
class Discrimination:
    """The answer, the best first. narrower: with a range that ends earlier; other_truths: with other true values."""

    question: Question
    verdicts: tuple[Verdict, ...]
    narrower: tuple[dict[str, Any], ...]
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
            "narrower_ranges": list(self.narrower),
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
        "hours": v.hours,
        "at_ends_of_noise": {name: list(pair) for name, pair in v.at_ends.items()},
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
    true = [truth(question, rival, rival.truth) for rival in question.rivals]
    for rival, found in zip(question.rivals, true, strict=True):
        check_known(question, rival, found)
    pools = _pools(question, each)
    sides = [(c, k) for c in _combinations(question.tests) for k in (0, 1)]
    ends = [(c, k) for c, k in sides if len(c) in (1, len(question.tests))]
    for part in (ends, sides):  # what was found for one combination may be near for another
        done = list(each(_searched, [(question, c, k, true[k], pools[1 - k]) for c, k in part]))
        for (_, k), more in zip(part, done, strict=True):
            pools[1 - k].extend(more)
    directions = [_direction(question, c, k, true[k], pools[1 - k]) for c, k in sides]
    at_ends = _at_ends(question, [c for c, _ in sides[::2]], pools, each)
    verdicts = [
        Verdict(c, (one, other), sum(true[0].hours[name] for name in c), at_ends[c])
        for (c, _), one, other in zip(sides[::2], directions[::2], directions[1::2], strict=True)
    ]
    verdicts.sort(key=lambda v: (v.n_cells is None, v.n_cells or 0, len(v.tests), -v.worse.limit))
    narrower = tuple(_narrower(question, verdicts, pools, true, each))
    others = tuple(_other_truths(question, verdicts[0], pools, each)) if verdicts[0].n_cells else ()
    said = tuple(_said(question, verdicts, narrower, others))
    return Discrimination(question, tuple(verdicts), narrower, others, said)


def _combinations(tests: tuple[Experiment, ...]) -> list[Combination]:
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


Order = tuple[Question, Combination, int, Truth, list[Prediction]]


def _searched(order: Order) -> list[Prediction]:
    """Places at which the other rival is near, all tests simulated there."""
    question, tests, k, found, pool = order
    other, every = question.rivals[1 - k], tuple(test.name for test in question.tests)
    near = Near(Measured.of(found, tests), pool)
    return sought(near, needed(question), lambda x: predict(question, other, x, every), question.seed)


def _direction(question: Question, tests: Combination, k: int, found: Truth, pool: list[Prediction]) -> Direction:
    """One direction of one combination, from the places that were simulated."""
    rival, other, enough = question.rivals[k], question.rivals[1 - k], needed(question)
    near = Near(Measured.of(found, tests), pool)
    n = near.least_n(enough)
    nearest = near.best(n or MOST_CELLS)
    return Direction(
        rival.name,
        other.name,
        n,
        float(np.sqrt(near.least(1.0))),
        float(np.sqrt(near.least(MOST_CELLS))),
        other.values(nearest.x),
        tuple(_at_bounds(other, nearest.x)),
        {t: (_plain(found.prediction.tests[t]), _plain(nearest.tests[t])) for t in tests},
        _limited_by(near, n, enough),
    )


def _plain(values: Floats | None) -> list[float]:
    return [] if values is None else [float(v) for v in values]


def _at_bounds(rival: Rival, x: Floats) -> Iterator[str]:
    for parameter, place in zip(rival.parameters, x, strict=True):
        if not NEAR_BOUND < place < 1.0 - NEAR_BOUND:
            yield parameter.name.split(".")[-1]


def _limited_by(near: Near, n: int | None, enough: float) -> str:
    """What keeps the number of cells from being smaller."""
    cells_alone = Near(near.measured.without_common(), near.places)
    if n is None:
        return SAME if cells_alone.least(MOST_CELLS) < enough**2 else COMMON
    return COMMON if cells_alone.least(n) > 2.0 * near.least(n) else CELL


def _at_ends(
    question: Question, combinations_: list[Combination], pools: list[list[Prediction]], each: Each
) -> dict[Combination, dict[str, tuple[int | None, int | None]]]:
    """Cells in all with one source of noise, and with all of them, at the ends of the range: (at low, at high).

    From the places already simulated; what is known keeps its sigma. Sources that change nothing are left out.
    """
    changes = [{s.name: end} for s in SOURCES for end in (s.low, s.high)]
    changes += [{s.name: s.low for s in SOURCES}, {s.name: s.high for s in SOURCES}]
    noises = [question.noise, *(question.noise.with_values(**change) for change in changes)]
    true = [truths(question, rival, rival.truth, noises) for rival in question.rivals]
    orders = [(c, true, pools, needed(question)) for c in combinations_]
    found: dict[Combination, dict[str, tuple[int | None, int | None]]] = {}
    for c, counts in zip(combinations_, each(_counts, orders), strict=True):
        rows = zip((*(s.name for s in SOURCES), ALL), counts[1::2], counts[2::2], strict=True)
        found[c] = {name: (low, high) for name, low, high in rows if name == ALL or {low, high} != {counts[0]}}
    return found


def _counts(order: tuple[Combination, list[list[Truth]], list[list[Prediction]], float]) -> list[int | None]:
    """Cells in all of a combination with each of several tables of noise; true[k] has rival k with each of them."""
    c, true, pools, enough = order
    return [_in_all(c, [side[i] for side in true], pools, enough) for i in range(len(true[0]))]


def _in_all(c: Combination, true: list[Truth], pools: list[list[Prediction]], enough: float) -> int | None:
    """Cells in all of a combination, from the places already simulated."""
    counts = [Near(Measured.of(true[k], c), pools[1 - k]).least_n(enough) for k in (0, 1)]
    known = [n for n in counts if n is not None]
    return max(known) * len(c) if len(known) == len(counts) else None


def _narrower(
    question: Question, verdicts: list[Verdict], pools: list[list[Prediction]], true: list[Truth], each: Each
) -> Iterator[dict[str, Any]]:
    """Cells in all where the range, at the end of which the other rival comes nearest, ends earlier.

    Of the parameters of which that is so most often: one row for each new end, and each test alone and the best
    combination.
    """
    wanted = [v for v in verdicts if len(v.tests) == 1 or v is verdicts[0]]
    cases = Counter((v.worse.true, name) for v in wanted for name in v.worse.at_bounds)
    orders, rows = [], []
    for (name_true, name), _ in cases.most_common(N_NARROWER):
        k = next(i for i, rival in enumerate(question.rivals) if rival.name == name_true)
        for share in NARROWER:
            rival, pool, end = _cut(question.rivals[1 - k], name, share, verdicts, pools[1 - k])
            rivals = (question.rivals[0], rival) if k == 0 else (rival, question.rivals[1])
            for v in wanted:
                asked = replace(question, rivals=rivals, tests=tuple(t for t in question.tests if t.name in v.tests))
                orders.append((asked, v.tests, k, true[k], pool))
                other_way = v.directions[1 - k].n
                rows.append((rival.name, name, end, v.tests, other_way))
    for (rival_name, name, end, tests, back), order, more in zip(rows, orders, each(_searched, orders), strict=True):
        found = _direction(*order[:4], [*order[4], *more])
        n = None if found.n is None or back is None else max(found.n, back) * len(tests)
        yield {"rival": rival_name, "parameter": name, "end": end, "tests": list(tests), "n_cells": n}


def _cut(
    rival: Rival, name: str, share: float, verdicts: list[Verdict], pool: list[Prediction]
) -> tuple[Rival, list[Prediction], float]:
    """The rival with a shorter range of one parameter, its pool without what is left out, and the new end."""
    k = next(i for i, p in enumerate(rival.parameters) if p.name.split(".")[-1] == name)
    old = rival.parameters[k]
    nearest = [d for v in verdicts for d in v.directions if d.other == rival.name and name in d.at_bounds]
    at_high = old.place(nearest[0].other_values[old.name]) > 0.5
    edge = max(share, float(rival.truth[k])) if at_high else min(1.0 - share, float(rival.truth[k]))
    low, high = (old.low, old.value(edge)) if at_high else (old.value(edge), old.high)
    new = replace(old, low=low, high=high)

    def moved(x: Floats) -> Floats:
        y = x.copy()
        y[k] = new.place(old.value(float(x[k])))
        return y

    kept = [replace(p, x=moved(p.x)) for p in pool]
    kept = [p for p in kept if -1e-9 <= p.x[k] <= 1.0 + 1e-9]
    parameters = tuple(new if i == k else p for i, p in enumerate(rival.parameters))
    return replace(rival, parameters=parameters, truth=moved(rival.truth)), kept, high if at_high else low


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
    for (k, x), order, more in zip(places, orders, each(_searched, orders), strict=True):
        direction = _direction(*order[:4], [*order[4], *more])
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
    question: Question,
    verdicts: list[Verdict],
    narrower: tuple[dict[str, Any], ...],
    others: tuple[dict[str, Any], ...],
) -> Iterator[str]:
    best, percent = verdicts[0], f"{question.accuracy:.0%}"
    if best.n_cells is None:
        yield f"none of these tests, alone or together, tells the rivals apart with {percent}"
    else:
        yield f"{' and '.join(best.tests)}: {best.n_cells} cells in all tell the rivals apart with {percent}"
        if best.n_cells > FEW_CELLS:
            yield f"none of these tests, alone or together, does it with {FEW_CELLS} cells or fewer"
    for v in verdicts:
        if len(v.tests) == 1 and v.n_cells is None:
            yield f"{v.tests[0]} alone cannot: {v.why}"
    low, high = best.at_ends[ALL]
    yield (
        f"{' and '.join(best.tests)} with all sources of noise at their low ends: {_cells(low)}; "
        f"at their high ends: {_cells(high)}"
    )
    for end in dict.fromkeys((row["rival"], row["parameter"], row["end"]) for row in narrower):
        rows = [row for row in narrower if (row["rival"], row["parameter"], row["end"]) == end and row["n_cells"]]
        if rows:
            row = min(rows, key=lambda row: row["n_cells"])
            which = f"{' and '.join(row['tests'])}, {_cells(row['n_cells'])}"
            yield f"with the range of {end[1]} of {end[0]} ending at {end[2]:.2g}: {which}"
    if others:
        counts = [o["n_cells"] for o in others]
        known = [c for c in counts if c is not None]
        span = f"{min(known)} to {max(known)} cells" if known else _cells(None)
        lost = f"; not possible for {len(counts) - len(known)} of {len(counts)}" if len(known) < len(counts) else ""
        yield f"if a rival is true elsewhere in its ranges: {span}{lost}"
    yield "every error is assumed, with the range listed; statements about the model, not about a measured cell"


def _cells(n: int | None) -> str:
    return "not possible" if n is None else f"{n} cells" if n > 1 else "1 cell"
