"""What data tell of chosen parameters: `calibrate(problem)` -> best values, intervals, verdicts, trade-offs.

Least squares from several places, a profile likelihood of every parameter, and samples of the posterior. A value that
the data do not determine is said not to be, with its profile; an interval never ends at a bound without saying so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from scipy.stats import chi2 as chi2_distribution
from scipy.stats import qmc

from interlith.cell.inference.likelihood import Parameter, Problem, Residuals, chi2, points
from interlith.cell.inference.noise import Floats
from interlith.cell.inference.posterior import N_STEPS, N_WALKERS, Posterior, Surrogate, sample
from interlith.cell.inference.profile import RISE_95, Each, Fit, Profile, profiles, search
from interlith.errors import InputError, SolverError

DETERMINED, WEAK = "determined", "weakly determined"
BELOW, ABOVE, OPEN, PRIOR = "bounded from below", "bounded from above", "not determined", "set by its prior"
NARROW = 0.5  # share of the allowed range below which a closed interval counts as determined
SAME_AS_PRIOR = 0.85  # interval over that of the prior alone
TRADED, MOVED = 0.7, 0.1  # interval with the others held over that with them free; share of a range that is a move
N_START_POINTS, N_STARTS = 16, 3  # per parameter; searches
BETTER = 0.01  # of chi2, found while profiling: begin again from there
POOR = 0.01  # probability of a chi2 as large
FEW_EFFECTIVE = 200
MOST_SAMPLES = 2000  # in the table


@dataclass(frozen=True)
class Options:
    """How hard to look. seed: same seed, same answer."""

    seed: int = 1
    n_starts: int = N_STARTS
    n_walkers: int = N_WALKERS
    n_steps: int = N_STEPS
    sampler: bool = True

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        for name, least in (("seed", 0), ("n_starts", 1), ("n_walkers", 4), ("n_steps", 100)):
            if getattr(self, name) < least:
                raise InputError(f"{name} = {getattr(self, name)}: at least {least}")


@dataclass(frozen=True)
class Estimate:
    """One parameter: best value; ends of the 95 % interval by profile, None where the range ends before the interval.

    interval_sampler: 95 % of the posterior's samples (None without a sampler); where the profile is open it ends where
    the allowed range made it end.
    """

    parameter: Parameter
    best: float
    low: float | None
    high: float | None
    interval_sampler: tuple[float, float] | None
    verdict: str
    source: str


@dataclass(frozen=True)
class TradeOff:
    """Two parameters of which many pairs fit alike: places along the valley and their chi2 above the best."""

    one: Parameter
    other: Parameter
    pairs: tuple[tuple[float, float, float], ...]
    correlation: float | None

    @property
    def text(self) -> str:
        """The sentence for people."""
        middle = self.pairs[len(self.pairs) // 2]
        shown = " or ".join(
            f"{a:.2g} with {b:.2g}" for a, b, _ in dict.fromkeys((self.pairs[0], middle, self.pairs[-1]))
        )
        return f"{self.one.label} and {self.other.label} trade against each other: {shown} fits as well"


@dataclass(frozen=True)
class Calibration:
    """The answer. profiles, samples: tables for figures; said: what must be said with it."""

    estimates: tuple[Estimate, ...]
    trade_offs: tuple[TradeOff, ...]
    chi2: float
    n_data: int
    correlation: Floats | None
    surrogate_sigma: float | None
    n_effective: float | None
    profiles: pl.DataFrame
    samples: pl.DataFrame
    said: tuple[str, ...]
    data: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain numbers, lists and text."""
        return {
            "estimates": [_row(e) for e in self.estimates],
            "trade_offs": [
                {
                    "parameters": [t.one.label, t.other.label],
                    "pairs": [list(pair) for pair in t.pairs],
                    "correlation": t.correlation,
                    "text": t.text,
                }
                for t in self.trade_offs
            ],
            "chi2": self.chi2,
            "n_data": self.n_data,
            "n_parameters": len(self.estimates),
            "surrogate_sigma": self.surrogate_sigma,
            "n_effective": self.n_effective,
            "data": list(self.data),
        }


def _row(e: Estimate) -> dict[str, Any]:
    return {
        "name": e.parameter.label,
        "unit": e.parameter.unit,
        "best": e.best,
        "low": e.low,
        "high": e.high,
        "interval_sampler": list(e.interval_sampler) if e.interval_sampler else None,
        "allowed": [e.parameter.low, e.parameter.high],
        "scale": e.parameter.scale,
        "verdict": e.verdict,
        "kind": "calibrated",
        "source": e.source,
    }


def calibrate(problem: Residuals, options: Options | None = None, each: Each = map) -> Calibration:
    """Best values, intervals and verdicts of all parameters of a problem.

    each: a map, over processes where it is one of a pool. Raises SolverError when the model answers nowhere in range.

    >>> from interlith.cell.inference.likelihood import Datum, Parameter
    >>> from interlith.cell_test import cell_test
    >>> datum = Datum(cell_test("cp"), "ce_reservoir", (0.9162,), (0.002,), "cp")
    >>> problem = Problem((Parameter("host.isolated_per_stripped", 0.0, 0.2),), (datum,))
    >>> found = calibrate(problem, Options(sampler=False)).estimates[0]
    >>> found.verdict, found.low < 0.0697 < found.high
    ('determined', True)
    """
    options = options or Options()
    best = _best(problem, options, each)
    for _ in range(2):
        found, again = profiles(problem, best, each)
        if again.chi2 > best.chi2 - BETTER:
            break
        better = search((problem, again.x))
        best = Fit(better.x, better.chi2, (*again.seen, *better.seen))
    posterior = None
    if options.sampler:
        posterior = sample(problem, list(again.seen), options.seed, each, options.n_walkers, options.n_steps)
    return _answer(problem, best, found, posterior, Surrogate(list(again.seen)))


def _best(problem: Residuals, options: Options, each: Each) -> Fit:
    n = len(problem.parameters)
    n_points = int(2 ** np.ceil(np.log2(N_START_POINTS * n)))
    design = qmc.Sobol(n, seed=options.seed).random(n_points)
    parts = np.array_split(design, 4)
    seen = [pair for part in each(_points, [(problem, part) for part in parts]) for pair in part]
    seen.sort(key=lambda pair: chi2(pair[1]))
    if len(seen[0][1]) and np.all(np.abs(seen[0][1]) >= 1e3):
        raise SolverError("no values within the ranges let the model give what was measured")
    starts = _apart([x for x, _ in seen], options.n_starts)
    fits = list(each(search, [(problem, x) for x in starts]))
    best = min(fits, key=lambda fit: fit.chi2)
    return Fit(best.x, best.chi2, (*seen, *(pair for fit in fits for pair in fit.seen)))


def _points(order: tuple[Residuals, Floats]) -> list[tuple[Floats, Floats]]:
    return points(order[0], list(order[1]))


def _apart(places: list[Floats], n: int) -> list[Floats]:
    """The best n places that are not beside each other."""
    kept: list[Floats] = []
    for x in places:
        if len(kept) < n and all(np.max(np.abs(x - other)) > 0.1 for other in kept):
            kept.append(x)
    return kept


def _answer(
    problem: Residuals, best: Fit, found: list[Profile], posterior: Posterior | None, of: Surrogate
) -> Calibration:
    parameters = problem.parameters
    data = tuple(d.text for d in problem.data) if isinstance(problem, Problem) else ()
    residuals = next(r for x, r in reversed(best.seen) if np.array_equal(x, best.x))
    n_priors = sum(p.prior_sigma is not None for p in parameters)
    estimates = tuple(_estimate(parameters[k], best, found[k], posterior, k, data) for k in range(len(parameters)))
    correlation = posterior.correlation() if posterior and len(parameters) > 1 else None
    trades = tuple(_trade_offs(parameters, best, found, of, correlation))
    n_data = len(residuals) - n_priors
    return Calibration(
        estimates,
        trades,
        best.chi2,
        n_data,
        correlation,
        posterior.surrogate_sigma if posterior else None,
        posterior.n_effective if posterior else None,
        _profile_table(parameters, best, found),
        _sample_table(parameters, posterior),
        tuple(_said(parameters, estimates, trades, best, n_data, posterior)),
        data,
    )


def _estimate(
    p: Parameter, best: Fit, profile: Profile, posterior: Posterior | None, k: int, data: tuple[str, ...]
) -> Estimate:
    low, high = profile.interval(best.chi2)
    verdict = _verdict(p, low, high)
    ends = tuple(p.value(end) for end in posterior.interval(k)) if posterior else None
    source = f"fitted to {'; '.join(data)}" if data else "fitted"
    return Estimate(
        p,
        p.value(float(best.x[k])),
        None if low is None else p.value(low),
        None if high is None else p.value(high),
        (ends[0], ends[1]) if ends else None,
        verdict,
        f"{source} ({verdict})",
    )


def _verdict(p: Parameter, low: float | None, high: float | None) -> str:
    if low is None and high is None:
        return OPEN
    if low is None:
        return ABOVE
    if high is None:
        return BELOW
    if p.prior_sigma is not None:
        of_prior = [
            place for place in np.linspace(0.0, 1.0, 2001) if (p.prior_residual(float(place)) or 0.0) ** 2 <= RISE_95
        ]
        if of_prior and high - low >= SAME_AS_PRIOR * (of_prior[-1] - of_prior[0]):
            return PRIOR
    return DETERMINED if high - low <= NARROW else WEAK


def _trade_offs(
    parameters: tuple[Parameter, ...], best: Fit, found: list[Profile], of: Surrogate, correlation: Floats | None
) -> Iterator[TradeOff]:
    """Pairs of which one can be moved far only because the other moves with it."""
    done = set()
    for profile in found:
        k = profile.place
        valley = profile.x[profile.chi2 - best.chi2 <= RISE_95]
        rise = profile.chi2[profile.chi2 - best.chi2 <= RISE_95] - best.chi2
        if len(valley) < 2 or np.ptp(valley[:, k]) < MOVED:
            continue
        alone = min(_width_alone(of, x, k, best.chi2) for x in valley)
        if alone > TRADED * np.ptp(valley[:, k]):
            continue
        for j in np.argsort(-np.ptp(valley, axis=0)):
            if j == k or np.ptp(valley[:, j]) < MOVED or (min(j, k), max(j, k)) in done:
                continue
            done.add((min(j, k), max(j, k)))
            one, other = parameters[k], parameters[j]
            pairs = tuple((one.value(x[k]), other.value(x[j]), float(r)) for x, r in zip(valley, rise, strict=True))
            yield TradeOff(one, other, pairs, None if correlation is None else float(correlation[k, j]))


def _width_alone(of: Surrogate, x: Floats, k: int, best: float) -> float:
    """Width of the interval of one parameter through a place, all others held there."""
    along = np.linspace(0.0, 1.0, 401)
    places = np.repeat(x[None, :], len(along), axis=0)
    places[:, k] = along
    return float(np.mean(of.chi2(places) - best <= RISE_95))


def _profile_table(parameters: tuple[Parameter, ...], best: Fit, found: list[Profile]) -> pl.DataFrame:
    """One row per place: which parameter, its value, chi2 above the best, and the values of all others there."""
    rows = [
        {
            "parameter": parameters[profile.place].label,
            "value": parameters[profile.place].value(float(x[profile.place])),
            "rise_of_chi2": max(height - best.chi2, 0.0),
            **{p.label: p.value(float(place)) for p, place in zip(parameters, x, strict=True)},
        }
        for profile in found
        for x, height in zip(profile.x, profile.chi2, strict=True)
    ]
    return pl.DataFrame(rows)


def _sample_table(parameters: tuple[Parameter, ...], posterior: Posterior | None) -> pl.DataFrame:
    if posterior is None:
        return pl.DataFrame(schema={p.label: pl.Float64 for p in parameters})
    every = max(len(posterior.samples) // MOST_SAMPLES, 1)
    thinned = posterior.samples[::every]
    return pl.DataFrame({p.label: [p.value(float(x)) for x in thinned[:, k]] for k, p in enumerate(parameters)})


def _said(
    parameters: tuple[Parameter, ...],
    estimates: tuple[Estimate, ...],
    trades: tuple[TradeOff, ...],
    best: Fit,
    n_data: int,
    posterior: Posterior | None,
) -> Iterator[str]:
    if len(parameters) > n_data:
        yield f"{len(parameters)} parameters and {n_data} data: the data alone cannot determine all of them"
    for e in estimates:
        if e.verdict == OPEN:
            span = f"{e.parameter.low:g} to {e.parameter.high:g}"
            yield f"{e.parameter.label} is not determined: every value from {span} fits"
        elif e.verdict == ABOVE:
            yield f"{e.parameter.label} is bounded from above only: the lower end is that of the allowed range"
        elif e.verdict == BELOW:
            yield f"{e.parameter.label} is bounded from below only: the upper end is that of the allowed range"
        elif e.verdict == PRIOR:
            yield f"{e.parameter.label} is known by its prior; the data add little"
    yield from (trade.text for trade in trades)
    free = n_data - len(parameters)
    if free > 0 and chi2_distribution.sf(best.chi2, free) < POOR:
        yield f"poor fit: chi2 = {best.chi2:.3g} with {free} degrees of freedom; the intervals hold if the model does"
    elif free <= 0 and best.chi2 > RISE_95:
        yield f"poor fit: chi2 = {best.chi2:.3g}, though there are as many parameters as data"
    if posterior is not None and posterior.surrogate_sigma > 0.5:
        yield f"the sampler's surrogate is wrong by {posterior.surrogate_sigma:.2g} sigma: trust the profiles alone"
    if posterior is not None and posterior.n_effective < FEW_EFFECTIVE:
        yield f"only {posterior.n_effective:.0f} independent samples: raise n_steps"
