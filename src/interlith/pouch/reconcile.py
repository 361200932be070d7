"""Which assumptions make published totals come out: draws weighted by how near they come, and what that moves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from interlith.errors import InputError
from interlith.pouch.uncertainty import Draws, Space, Spread

Floats = NDArray[np.float64]
FARTHEST = 10.0  # tolerances; no draw nearer, and there is nothing to weight
LEAST_EFFECTIVE = 50.0  # draws that count; below, a posterior is not worth its name
# What a published total is taken to mean, one standard deviation: a rounded number, and one read from a figure or text
WHOLE, WITHOUT = "whole_Wh_per_kg", "without_laminate_Wh_per_kg"
TOLERANCE_WH_PER_KG: Mapping[str, float] = {WHOLE: 1.0, WITHOUT: 1.5}


@dataclass(frozen=True)
class Posterior:
    """A quantity before and after; "NAME = CHOICE": the probability of a choice that is not the one written."""

    name: str
    prior_mean: float
    prior_sd: float
    posterior_mean: float
    posterior_sd: float

    @property
    def shift_in_sd(self) -> float:
        """How far the mean moves, in standard deviations of the prior."""
        return (self.posterior_mean - self.prior_mean) / self.prior_sd if self.prior_sd > 0 else 0.0


@dataclass(frozen=True)
class Reconciled:
    """What closes published totals.

    probability_a_priori: share of the draws that reach the first total or more; within: share that come within one
    tolerance of all of them. readings: probability of each after. n_effective: draws that carry the answer.
    """

    published: Mapping[str, float]
    probability_a_priori: float
    within: float
    n_effective: float
    readings: Mapping[str, float]
    posteriors: tuple[Posterior, ...]
    mean_voltage_V: Posterior

    @property
    def is_reliable(self) -> bool:
        """Whether enough draws come near to speak of a posterior."""
        return self.n_effective >= LEAST_EFFECTIVE


def published_totals(numbers: Sequence[float]) -> dict[str, float]:
    """One or two totals in Wh/kg: of the whole cell, and without the laminate. Raises InputError for others.

    >>> published_totals([380.0, 424.0])
    {'whole_Wh_per_kg': 380.0, 'without_laminate_Wh_per_kg': 424.0}
    """
    if not 1 <= len(numbers) <= 2 or not all(np.isfinite(x) and x > 0 for x in numbers):
        raise InputError(f"reconcile {', '.join(map(str, numbers))}: one or two specific energies in Wh/kg, as 380,424")
    if len(numbers) == 2 and numbers[1] <= numbers[0]:
        raise InputError(f"reconcile {numbers[0]:g},{numbers[1]:g}: the second, without laminate, is the larger one")
    return dict(zip((WHOLE, WITHOUT), numbers, strict=False))


def reconcile(where: Space, draws: Draws, published: Mapping[str, float]) -> Reconciled:
    """Weights of draws, normal around each published total with TOLERANCE_WH_PER_KG, and what follows from them.

    published: output name -> value. Raises InputError for an output that the cell does not have, and when no draw comes
    near any of them.

    >>> from interlith.pouch.design_file import read_design
    >>> from interlith.pouch.uncertainty import draw, space
    >>> where = space(read_design("reference-pouch"))
    >>> found = reconcile(where, draw(where, 30000), published_totals([360.0]))
    >>> found.readings["R1"] > found.readings["R2"]
    True
    """
    for name in published:
        if name not in draws.outputs:
            raise InputError(f"{name}: not an output of this cell; known: {', '.join(draws.outputs)}")
    distance = {name: (draws.outputs[name] - value) / TOLERANCE_WH_PER_KG[name] for name, value in published.items()}
    log_weight = -0.5 * sum(d**2 for d in distance.values())
    weight = np.exp(log_weight - np.max(log_weight))
    first, value = next(iter(published.items()))
    nearest = float(np.min(np.sqrt(sum(d**2 for d in distance.values()))))
    if nearest > FARTHEST:
        span = (float(draws.outputs[first].min()), float(draws.outputs[first].max()))
        raise InputError(
            f"reconcile: no draw comes near {', '.join(f'{x:g}' for x in published.values())}; the cell gives "
            f"{span[0]:.0f} to {span[1]:.0f} Wh/kg. What it rests on cannot be what was published"
        )
    total = weight.sum()
    readings = {name: float(weight[draws.reading == i].sum() / total) for i, name in enumerate(draws.readings)}
    posteriors = [p for spread in where.spreads for p in _posteriors(spread, draws.inputs[spread.name], weight)]
    energy_per_charge = draws.outputs["energy_Wh"] / draws.outputs["capacity_Ah"]
    return Reconciled(
        published=dict(published),
        probability_a_priori=float(np.mean(draws.outputs[first] >= value)),
        within=float(np.mean(np.all([np.abs(d) <= 1.0 for d in distance.values()], axis=0))),
        n_effective=float(total**2 / (weight**2).sum()),
        readings=readings,
        posteriors=tuple(sorted(posteriors, key=lambda p: -abs(p.shift_in_sd))),
        mean_voltage_V=_moments("mean_voltage_V", energy_per_charge, weight),
    )


def _posteriors(spread: Spread, drawn: Floats, weight: Floats) -> list[Posterior]:
    if spread.origin.choices is None:
        return [_moments(spread.name, drawn.astype(np.float64), weight)]
    found = []
    for i, choice in enumerate(spread.origin.choices):
        if choice != spread.value:
            here = drawn == (i if isinstance(choice, str) else float(choice))
            found.append(_moments(f"{spread.name} = {_word(choice)}", here.astype(np.float64), weight))
    return found


def _word(choice: bool | int | float | str) -> str:
    if isinstance(choice, bool):
        return "yes" if choice else "no"
    return str(choice)


def _moments(name: str, drawn: Floats, weight: Floats) -> Posterior:
    mean = float(np.average(drawn, weights=weight))
    sd = float(np.sqrt(np.average((drawn - mean) ** 2, weights=weight)))
    return Posterior(name, float(drawn.mean()), float(drawn.std()), mean, sd)
