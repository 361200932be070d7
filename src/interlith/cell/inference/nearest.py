"""How near a rival comes to what another one would give: squared distances, and the search for the least of them.

The search runs on a surrogate of the rival's predictions (posterior.py) and simulates what it proposes, until the
simulated distance is the proposed one. Distances that are given out are of simulations only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import least_squares
from scipy.stats import qmc

from interlith.cell.inference.likelihood import jacobian
from interlith.cell.inference.noise import Errors, Floats, stacked
from interlith.cell.inference.posterior import Surrogate
from interlith.cell.inference.rivals import Prediction, Truth

MOST_CELLS = 1000  # per test
N_CANDIDATES, N_PROPOSED, N_ROUNDS = 2048, 2, 8
MOST_NODES = 200  # of the surrogate: the nearest places
AGREES = 0.01  # share of a distance by which surrogate and simulation may differ
FAR = 1e6  # distance, in sigma, of a rival whose cell dies in the test
Combination = tuple[str, ...]


@dataclass(frozen=True)
class Measured:
    """What is measured if a rival is true: mean of some tests one behind the other, and its errors."""

    tests: Combination
    mean: Floats
    errors: Errors

    @classmethod
    def of(cls, found: Truth, tests: Combination) -> Measured:
        """From a truth, for a combination of its tests."""
        parts = [found.prediction.tests[name] for name in tests]
        mean = np.concatenate([part for part in parts if part is not None])
        return cls(tests, mean, stacked([found.errors[name] for name in tests]))

    def without_common(self) -> Measured:
        """The same with cell-to-cell errors alone."""
        return replace(self, errors=Errors(self.errors.common[:, :0], self.errors.cell))

    def whitener(self, n: float) -> Floats:
        """L^-1 of the Cholesky factor of V(n)."""
        covariance = self.errors.covariance(n)
        least = 1e-12 * np.diag(self.errors.covariance(1.0))  # where no error is left the difference counts as it is
        return np.linalg.inv(np.linalg.cholesky(covariance + np.diag(least)))

    def difference(self, prediction: Prediction) -> Floats:
        """In sigma of one cell, float64[m], and behind it that from what is known."""
        parts = [prediction.tests.get(name) for name in self.tests]
        if any(part is None for part in parts):
            return np.concatenate([np.full(len(self.mean), FAR), prediction.known])
        values = np.concatenate([part for part in parts if part is not None])
        return np.concatenate([(values - self.mean) / self.errors.sigma(), prediction.known])

    def whitened(self, differences: Floats, n: float) -> Floats:
        """float64[k, m] of differences float64[k, m]: their squares add up to D2(n)."""
        m = len(self.mean)
        return np.hstack([(differences[:, :m] * self.errors.sigma()) @ self.whitener(n).T, differences[:, m:]])


class Near:
    """Everything known of how near a rival comes; grows as places are simulated."""

    def __init__(self, measured: Measured, pool: list[Prediction]) -> None:
        self.measured = measured
        self.places = [p for p in pool if all(name in p.tests for name in measured.tests)]
        self.differences = np.array([measured.difference(p) for p in self.places])

    def add(self, predictions: list[Prediction]) -> None:
        """More places."""
        self.places += predictions
        self.differences = np.vstack([self.differences, *(self.measured.difference(p) for p in predictions)])

    def squares(self, n: float) -> Floats:
        """D2(n) of every place."""
        return np.sum(self.measured.whitened(self.differences, n) ** 2, axis=1)

    def least(self, n: float) -> float:
        """The least D2(n)."""
        return float(self.squares(n).min())

    def best(self, n: float) -> Prediction:
        """The nearest place."""
        return self.places[int(np.argmin(self.squares(n)))]

    def least_n(self, enough: float) -> int | None:
        """The smallest n with D(n) >= enough at every place; None where MOST_CELLS are too few."""
        if self.least(MOST_CELLS) < enough**2:
            return None
        low, high = 0, MOST_CELLS  # low is too few, high enough
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self.least(middle) >= enough**2 else (middle, high)
        return high


def sought(near: Near, enough: float, simulated: Callable[[Floats], Prediction], seed: int) -> list[Prediction]:
    """Places simulated in a search for nearer ones; simulated(x) predicts. `near` grows by them."""
    n_before = len(near.places)
    for _ in range(N_ROUNDS):
        n = near.least_n(enough)
        proposed = _proposed(near, n or MOST_CELLS, seed)
        found = [simulated(x) for x, _ in proposed]
        near.add(found)
        squares = near.squares(n or MOST_CELLS)[-len(found) :]
        place = int(np.argmin([square for _, square in proposed]))
        off = abs(np.sqrt(squares[place]) - np.sqrt(proposed[place][1]))
        if off <= AGREES * max(np.sqrt(squares[place]), enough) and near.least_n(enough) == n:
            break
    return near.places[n_before:]


def _proposed(near: Near, n: float, seed: int) -> list[tuple[Floats, float]]:
    """Places at which a surrogate is nearest, with its D2 there; not beside each other."""
    surrogate = Surrogate([(p.x, d) for p, d in zip(near.places, near.differences, strict=True)], MOST_NODES)
    n_free = surrogate.x.shape[1]

    def at(x: Floats) -> Floats:
        return near.measured.whitened(surrogate.residuals(np.atleast_2d(x)), n)[0]

    candidates = np.vstack([qmc.Sobol(n_free, seed=seed).random(N_CANDIDATES), np.clip(surrogate.x, 0.0, 1.0)])
    whitened = near.measured.whitened(surrogate.residuals(candidates), n)
    order = np.argsort(np.sum(whitened**2, axis=1))
    starts: list[Floats] = [near.best(n).x]
    for x in candidates[order[:200]]:
        if len(starts) < N_PROPOSED and all(np.max(np.abs(x - other)) > 0.1 for other in starts):
            starts.append(x)
    found = []
    for start in starts:
        begin = np.clip(start, 1e-5, 1.0 - 1e-5)
        end = least_squares(
            at, begin, jac=lambda x: jacobian(at, x, at(x), 1e-4), bounds=(0.0, 1.0), max_nfev=30, ftol=1e-4, xtol=1e-4
        )
        found.append((np.asarray(end.x), float(2.0 * end.cost)))
    return found
