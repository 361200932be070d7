"""A measured voltage curve beside a simulated one, branch by branch: `curve_residuals`.

A branch is a stretch in which the current keeps its sign. Branch k of one is compared with branch k of the other, the
voltage at equal charges over the charge that both have, and the charges themselves.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from interlith.cell.inference.noise import Floats
from interlith.cell.results import Simulation
from interlith.errors import InputError
from interlith.record import CURRENT, TIME, VOLTAGE, Record
from interlith.units import MILLI, SECONDS_PER_HOUR, mAh_PER_Ah

N_POINTS = 12  # of a branch: neighbours tell nothing new
FROM, TO = 0.04, 0.96  # of the charge that both have
VOLTAGE_SIGMA_V, CHARGE_SIGMA = 1.0 * MILLI, 2e-4  # assumed: 1 mV, and 0.02 % of a charge
FLOWS = 0.02  # of the largest current
SAME_CURRENT = 0.1
LEAST_CHARGE = 1e-3  # of the largest branch


def curve_residuals(done: Simulation, measured: Record, sigma_V: float | None = None) -> Floats:
    """(simulated - measured) / sigma of voltages and charges, float64[n_branches * (N_POINTS + 1)].

    sigma_V: of a voltage, 1 mV where it is not given. Raises InputError for records of another kind of test, other
    currents, or voltages that nowhere overlap.
    """
    theirs, own = branches(measured, None), branches(done.record, done.cell.area_cm2)
    if done.stopped is None:
        theirs = theirs[: len(own)]
    area = _area(measured, done)
    theirs = [(q / area, v, i / area) for q, v, i in theirs]
    _check(own, theirs, measured.provenance.path)
    found = []
    fractions = np.linspace(FROM, TO, N_POINTS)
    for place, (q, v, _) in enumerate(theirs):
        if place >= len(own):  # the simulated cell died
            found.append(np.full(N_POINTS + 1, np.nan))
            continue
        ours_q, ours_v, _ = own[place]
        both = fractions * min(q[-1], ours_q[-1])
        difference = (np.interp(both, ours_q, ours_v) - np.interp(both, q, v)) / (sigma_V or VOLTAGE_SIGMA_V)
        found.append(np.append(difference, (ours_q[-1] / q[-1] - 1.0) / CHARGE_SIGMA))
    return np.concatenate(found)


def n_residuals(measured: Record) -> int:
    """How many residuals a measured record gives at most."""
    return len(branches(measured, None)) * (N_POINTS + 1)


def branches(record: Record, area_cm2: float | None) -> list[tuple[Floats, Floats, float]]:
    """Charge in mAh (per cm2 with an area) from 0, voltage, mean signed current in mA, of each branch."""
    table = record.table.drop_nulls([TIME, VOLTAGE, CURRENT])
    time, voltage = table[TIME].to_numpy(), table[VOLTAGE].to_numpy()
    current = table[CURRENT].to_numpy() * mAh_PER_Ah / (area_cm2 or 1.0)
    largest = float(np.max(np.abs(current), initial=0.0))
    sign = np.where(np.abs(current) > FLOWS * largest, np.sign(current), 0.0)
    edges = [0, *(np.flatnonzero(np.diff(sign)) + 1), len(sign)]
    found = []
    for begin, end in pairwise(edges):
        if sign[begin] == 0.0 or end - begin < 2:
            continue
        hours, size = time[begin:end] / SECONDS_PER_HOUR, np.abs(current[begin:end])
        steps = np.diff(hours) * (size[1:] + size[:-1]) / 2.0
        charge = np.concatenate([[0.0], np.cumsum(steps)])
        found.append((charge, voltage[begin:end], float(sign[begin] * np.median(size))))
    most = max((q[-1] for q, _, _ in found), default=0.0)
    return [branch for branch in found if branch[0][-1] > LEAST_CHARGE * most]


def _area(measured: Record, done: Simulation) -> float:
    stated = measured.facts.area_cm2.value
    return float(stated) if isinstance(stated, (int, float)) else done.cell.area_cm2


def _check(own: list[tuple[Floats, Floats, float]], theirs: list[tuple[Floats, Floats, float]], name: str) -> None:
    if not theirs:
        raise InputError(f"{name}: no current flows in it: nothing to compare")
    for place, ((_, _, i), (_, _, ours_i)) in enumerate(zip(theirs, own, strict=False), start=1):
        if i * ours_i < 0 or abs(i / ours_i - 1.0) > SAME_CURRENT:
            raise InputError(
                f"{name}: records of the wrong test kind: half cycle {place} has {i:.3g} mA/cm2, "
                f"the protocol {ours_i:.3g}"
            )
    v, ours_v = (np.concatenate([branch[1] for branch in side]) for side in (theirs, own))
    if v.max() < ours_v.min() or ours_v.max() < v.min():
        raise InputError(
            f"{name}: does not overlap with the model: {v.min():.3g} to {v.max():.3g} V against "
            f"{ours_v.min():.3g} to {ours_v.max():.3g} V"
        )
