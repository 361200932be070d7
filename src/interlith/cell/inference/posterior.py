"""Samples of the posterior: an ensemble sampler on a surrogate of the residuals that is checked against the model.

Sampler: Foreman-Mackey et al., Publ. Astron. Soc. Pac. 125, 306 (2013), doi:10.1086/670067. The prior is flat on each
parameter's scale between its bounds, times the normal one where one is given (it is among the residuals). Surrogate:
cubic radial basis functions through arsinh of the residuals, refined where the samples are until it is right within a
fifth of a sigma there; what it is wrong by is part of the answer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import RBFInterpolator
from scipy.stats import qmc

from interlith.cell.inference.likelihood import Residuals, points
from interlith.cell.inference.noise import Floats
from interlith.cell.inference.profile import Each

N_WALKERS, N_STEPS = 32, 1200
N_CHECKED, N_ROUNDS, WITHIN_SIGMA = 24, 5, 0.2
MOST_NODES = 500
N_FIRST = 2048  # places of which the walkers' starts are drawn
BURN = 0.4


@dataclass(frozen=True)
class Posterior:
    """Samples float64[n, p] in the unit cube; what the surrogate was wrong by (sigma); effective number of samples."""

    samples: Floats
    surrogate_sigma: float
    n_effective: float

    def interval(self, place: int) -> tuple[float, float]:
        """95 % of the samples, 2.5 % left out on each side."""
        low, high = np.quantile(self.samples[:, place], (0.025, 0.975))
        return float(low), float(high)

    def correlation(self) -> Floats:
        """float64[p, p]; NaN for a parameter that does not move."""
        return np.atleast_2d(np.corrcoef(self.samples, rowvar=False))


class Surrogate:
    """Residuals interpolated between places where they are known."""

    def __init__(self, seen: list[tuple[Floats, Floats]], most: int = MOST_NODES) -> None:
        seen = sorted(seen, key=lambda pair: float(pair[1] @ pair[1]))
        places, kept = np.array([x for x, _ in seen]), [0]
        for k in range(1, len(seen)):  # two places as near as the step of a difference make the matrix singular
            if len(kept) < most and np.abs(places[kept] - places[k]).max(axis=1).min() > 3e-3:
                kept.append(k)
        self.x = places[kept]
        self.of = RBFInterpolator(self.x, np.arcsinh([seen[k][1] for k in kept]), kernel="cubic", degree=1)

    def residuals(self, x: Floats) -> Floats:
        """float64[n, m] for float64[n, p]."""
        return np.sinh(np.clip(self.of(x), -8.0, 8.0))

    def chi2(self, x: Floats) -> Floats:
        """float64[n]."""
        return np.sum(self.residuals(x) ** 2, axis=1)


def sample(
    problem: Residuals,
    seen: list[tuple[Floats, Floats]],
    seed: int,
    each: Each = map,
    n_walkers: int = N_WALKERS,
    n_steps: int = N_STEPS,
) -> Posterior:
    """Samples of the posterior, from what was evaluated before and what is needed besides."""
    seen = list(seen)
    generator = np.random.default_rng(seed)
    for last in (*[False] * (N_ROUNDS - 1), True):
        surrogate = Surrogate(seen)
        samples, effective = _run(
            surrogate, len(problem.parameters), seed, n_walkers, n_steps if last else n_steps // 3
        )
        asked = samples[generator.choice(len(samples), N_CHECKED, replace=False)]
        half = N_CHECKED // 2
        checked = [pair for part in each(_points, [(problem, asked[:half]), (problem, asked[half:])]) for pair in part]
        wrong = _wrong(surrogate, checked)
        if wrong <= WITHIN_SIGMA and not last:
            samples, effective = _run(surrogate, len(problem.parameters), seed, n_walkers, n_steps)
        if wrong <= WITHIN_SIGMA or last:
            return Posterior(samples, wrong, effective)
        seen += checked
    raise AssertionError("the last round returns")


def _points(order: tuple[Residuals, Floats]) -> list[tuple[Floats, Floats]]:
    return points(order[0], list(order[1]))


def _wrong(surrogate: Surrogate, checked: list[tuple[Floats, Floats]]) -> float:
    """90 % quantile, over places, of the largest error of a residual, in sigma; less counts far from the data."""
    found = surrogate.residuals(np.array([x for x, _ in checked]))
    truth = np.array([r for _, r in checked])
    near = np.maximum(1.0, np.abs(truth) / 3.0)
    return float(np.quantile(np.max(np.abs(found - truth) / near, axis=1), 0.9))


def _run(surrogate: Surrogate, n: int, seed: int, n_walkers: int, n_steps: int) -> tuple[Floats, float]:
    import emcee

    def log_posterior(x: Floats) -> Floats:
        inside = np.all((x >= 0.0) & (x <= 1.0), axis=1)
        value = np.full(len(x), -np.inf)
        if inside.any():
            value[inside] = -0.5 * surrogate.chi2(x[inside])
        return value

    n_walkers = max(n_walkers, 2 * n + 2) // 2 * 2
    moves = [(emcee.moves.StretchMove(), 0.6), (emcee.moves.DEMove(), 0.4)]
    sampler = emcee.EnsembleSampler(n_walkers, n, log_posterior, vectorize=True, moves=moves)
    sampler.random_state = np.random.RandomState(seed).get_state()
    sampler.run_mcmc(_starts(surrogate, n, seed, n_walkers), n_steps)
    kept = sampler.get_chain(discard=int(BURN * n_steps))
    time = float(np.max(sampler.get_autocorr_time(discard=int(BURN * n_steps), tol=0)))
    n_kept = kept.shape[0] * kept.shape[1]
    return kept.reshape(-1, n), n_kept / time if np.isfinite(time) and time > 0 else 0.0


def _starts(surrogate: Surrogate, n: int, seed: int, n_walkers: int) -> Floats:
    """Places drawn as likely as they are, from a design over the whole cube and the places already known."""
    cube = qmc.Sobol(n, seed=seed).random(N_FIRST)
    places = np.vstack([cube, np.clip(surrogate.x, 0.0, 1.0)])
    height = surrogate.chi2(places)
    weight = np.exp(-0.5 * (height - height.min()) / 4.0)  # wider than the posterior
    generator = np.random.default_rng(seed)
    chosen = places[generator.choice(len(places), n_walkers, p=weight / weight.sum())]
    return np.clip(chosen + 1e-3 * generator.standard_normal(chosen.shape), 1e-6, 1.0 - 1e-6)
