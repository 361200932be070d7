"""What can be measured in a test, by name: `observe(done, "ce_reservoir")` reads it from a simulation.

Values are computed from the steps, the record and the states of the simulated test. A value that the cell did not live
to give is NaN. How well each is known follows from the table in cell/inference/noise.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import polars as pl

from interlith.cell.fade import fade
from interlith.cell.inference.noise import Errors, Floats, Noise, errors
from interlith.cell.results import Simulation
from interlith.errors import InputError, did_you_mean
from interlith.ledger import STEP, TIME
from interlith.protocol import ConstantCurrent, Executed, Protocol, Repeat, Rest
from interlith.record import FREQUENCY, IMAGINARY, REAL
from interlith.record import VOLTAGE as VOLTAGE_COLUMN
from interlith.units import mV_PER_V

DEAD_BELOW, DEAD_AFTER = 0.9, 3  # efficiency, cycles in a row: the end of life


@dataclass(frozen=True)
class Observable:
    """One measurable quantity. missing(protocol): what the protocol lacks for it, or ''."""

    name: str
    unit: str
    what: str
    missing: Callable[[Protocol], str]
    read: Callable[[Simulation], Floats]
    errors: Callable[[Simulation, Floats, Noise], Errors]


@dataclass(frozen=True)
class Step:
    """A planned step, its cycle from 1, and what it passed (NaN: not done); signed mAh/cm2 and mA/cm2."""

    planned: Executed
    cycle: int
    passed: float

    @property
    def current(self) -> float:
        """mA/cm2, positive when it strips; 0 for what is no constant current."""
        return self.planned.signed_mA_per_cm2 if isinstance(self.planned, ConstantCurrent) else 0.0

    @property
    def hours(self) -> float:
        """How long a constant current flowed."""
        return abs(self.passed / self.current) if self.current else 0.0


def observe(done: Simulation, name: str) -> Floats:
    """The values of an observable, float64[m]. Raises InputError when this kind of test cannot give it.

    >>> from interlith.cell.simulate import simulate
    >>> from interlith.parts.samples import half_cell
    >>> from interlith.protocol import named
    >>> round(float(observe(simulate(half_cell("cp"), named("aurbach")), "ce_reservoir")[0]), 4)
    0.9162
    """
    known = observable(name)
    check_test(name, done.protocol)
    return known.read(done)


def errors_of(done: Simulation, name: str, noise: Noise) -> Errors:
    """How well its values are known on one tester and one cell."""
    known = observable(name)
    return known.errors(done, known.read(done), noise)


def observable(name: str) -> Observable:
    """An observable by name. Raises InputError naming the nearest."""
    if name not in OBSERVABLES:
        hint = did_you_mean(name, OBSERVABLES)
        raise InputError(f"observable {name}: not known; these are: {', '.join(OBSERVABLES)}.{hint}")
    return OBSERVABLES[name]


def check_test(name: str, protocol: Protocol) -> None:
    """Raises InputError when a protocol cannot give an observable: the wrong kind of test."""
    lacks = observable(name).missing(protocol)
    if lacks:
        raise InputError(f"{name}: the wrong kind of test: protocol {protocol.name} {lacks}")


def walked(done: Simulation) -> list[Step]:
    """The planned steps with what they passed, in order; cycles counted as the simulation counts them."""
    passed = [step.passed_mAh_per_cm2 for step in done.steps]
    found, cycle, stripped = [], 1, False
    for place, planned in enumerate(done.protocol.executed()):
        if isinstance(planned, ConstantCurrent):
            plates = planned.signed_mA_per_cm2 < 0
            cycle += plates and stripped
            stripped = not plates
        over = place >= len(passed) or (done.stopped is not None and place == len(passed) - 1)
        found.append(Step(planned, cycle, float("nan") if over else passed[place]))
    return found


# ---- reservoir


def _reservoir_place(protocol: Protocol) -> int | None:
    """Where the repeat of a reservoir test stands: after a plating, before the last stripping."""
    steps = protocol.steps
    for place, step in enumerate(steps):
        if not isinstance(step, Repeat) or not 0 < place < len(steps) - 1:
            continue
        inner = [s.signed_mA_per_cm2 for s in step.steps if isinstance(s, ConstantCurrent)]
        before, after = steps[place - 1], steps[place + 1]
        if len(inner) == len(step.steps) == 2 and inner[0] > 0 > inner[1] and _plates(before) and _strips(after):
            return place
    return None


def _plates(step: object) -> bool:
    return isinstance(step, ConstantCurrent) and step.signed_mA_per_cm2 < 0


def _strips(step: object) -> bool:
    return isinstance(step, ConstantCurrent) and step.signed_mA_per_cm2 > 0


def _no_reservoir(protocol: Protocol) -> str:
    return (
        "" if _reservoir_place(protocol.resolved(1.0)) is not None else "has no reservoir that is cycled and stripped"
    )


def _of_reservoir(done: Simulation) -> list[Step]:
    place = _reservoir_place(done.protocol)
    before = Protocol(name="before", steps=done.protocol.steps[: (place or 1) - 1]).n_steps
    after = Protocol(name="through", steps=done.protocol.steps[: (place or 1) + 2]).n_steps
    return walked(done)[before:after]


def _ce_reservoir(done: Simulation) -> Floats:
    """(n cycled + finally stripped) / (n cycled + reservoir); Aurbach et al. (1989), Adams et al. (2018)."""
    return np.array([_efficiency(_of_reservoir(done))])


def _reservoir_errors(done: Simulation, values: Floats, noise: Noise) -> Errors:
    return _ce_errors(done, [_of_reservoir(done)], values, noise)


# ---- cycles


def _cycles(done: Simulation) -> list[list[Step]]:
    """The steps of each cycle but the first, in which a host takes what it never gives back."""
    steps = walked(done)
    last = max((s.cycle for s in steps), default=1)
    return [[s for s in steps if s.cycle == number] for number in range(2, last + 1)]


def _no_cycles(protocol: Protocol) -> str:
    currents = [s.signed_mA_per_cm2 for s in protocol.executed(1.0) if isinstance(s, ConstantCurrent)]
    turns = sum(a > 0 > b for a, b in pairwise(currents))
    strips = [s for s in protocol.executed(1.0) if isinstance(s, ConstantCurrent) and s.signed_mA_per_cm2 > 0]
    whole = all(s.voltage_V is not None for s in strips)
    if _reservoir_place(protocol.resolved(1.0)) is not None:
        return "cycles a reservoir: ce_reservoir is its efficiency"
    if not whole:
        return "strips a fixed charge: its cycles have no efficiency"
    return "" if turns >= 1 and currents[0] < 0 else "does not plate and strip several times"


def _efficiency(steps: list[Step]) -> float:
    stripped = sum(s.passed for s in steps if not s.passed < 0)
    plated = -sum(s.passed for s in steps if not s.passed > 0)
    return stripped / plated


def _ce_cycle(done: Simulation) -> Floats:
    return np.array([_efficiency(steps) for steps in _cycles(done)])


def _cycle_errors(done: Simulation, values: Floats, noise: Noise) -> Errors:
    return _ce_errors(done, _cycles(done), values, noise)


def _ce_mean(done: Simulation) -> Floats:
    return np.array([float(np.mean(_ce_cycle(done)))])


def _mean_errors(done: Simulation, values: Floats, noise: Noise) -> Errors:
    every = _cycle_errors(done, _ce_cycle(done), noise)
    return Errors(every.common.mean(axis=0, keepdims=True), every.cell.mean(axis=0, keepdims=True))


def _ce_errors(done: Simulation, groups: list[list[Step]], values: Floats, noise: Noise) -> Errors:
    """d(CE) = I0 (t_strip + CE t_plate) / Q_plated of an offset I0; gains and spreads as the table says."""
    offset = noise["current_offset"] * noise["current_range_mA"] / done.cell.area_cm2
    hours = np.array(
        [
            (sum(s.hours for s in g if s.current > 0) + ce * sum(s.hours for s in g if s.current < 0))
            / -sum(s.passed for s in g if not s.passed > 0)
            for g, ce in zip(groups, values, strict=True)
        ]
    )
    loss = 1.0 - values
    return errors(
        len(values),
        common=(offset * hours, *_gains(groups, noise["gain_difference"] * values)),
        cell=(noise["loss_spread"] * loss,),
        each=np.hypot(np.sqrt(2.0) * noise["charge_repeatability"], noise["loss_scatter"] * loss),
    )


def _gains(groups: list[list[Step]], size: Floats) -> list[Floats]:
    """One source for each current at which is stripped: a tester is not equally right at all of them."""
    currents = [next((s.current for s in g if s.current > 0), 0.0) for g in groups]
    return [np.where(np.array(currents) == current, size, 0.0) for current in dict.fromkeys(currents)]


def _life(done: Simulation) -> Floats:
    """Cycles done before the efficiency stays below 90 % for three of them; all, where it does not."""
    low = 0
    found = _ce_cycle(done)
    for place, value in enumerate(found):
        low = low + 1 if not value >= DEAD_BELOW else 0
        if low == DEAD_AFTER:
            return np.array([place + 2.0 - DEAD_AFTER])
    return np.array([len(found) + 1.0])


def _life_errors(done: Simulation, values: Floats, noise: Noise) -> Errors:
    return errors(1, common=(), cell=(noise["loss_spread"] * values,), each=1.0)


# ---- full cells


def _not_full(protocol: Protocol) -> str:
    currents = [s.signed_mA_per_cm2 for s in protocol.executed(1.0) if isinstance(s, ConstantCurrent)]
    turns = sum(a > 0 > b for a, b in pairwise(currents))
    return "" if turns > 1 and currents[0] > 0 else "does not charge and discharge a full cell several times"


def _retention(done: Simulation) -> Floats:
    worn = fade(done)
    return np.array([float("nan") if worn is None else worn.retention])


def _retention_errors(done: Simulation, values: Floats, noise: Noise) -> Errors:
    each = np.sqrt(2.0) * noise["charge_repeatability"]
    return errors(1, common=(), cell=(noise["loss_spread"] * (1.0 - values),), each=each)


# ---- thickness, recovered charge, voltages


def _no_plating(protocol: Protocol) -> str:
    return "" if any(_plates(s) for s in protocol.executed(1.0)) else "plates nothing at a constant current"


def _thickness(done: Simulation) -> Floats:
    """Of the host with its lithium at the end of the last plating."""
    column = "thickness_um.porous_cap"
    if done.cell.host is None:
        raise InputError("thickness_um: this cell has no host")
    planned = list(done.protocol.executed())
    last = max(place for place, step in enumerate(planned) if _plates(step)) + 1
    rows = done.states.filter(done.record.table[STEP] == last)
    died = done.stopped is not None and len(done.steps) <= last
    return np.array([float("nan") if died or not rows.height else float(rows[column][-1])])


def _thickness_errors(done: Simulation, values: Floats, noise: Noise) -> Errors:
    bare = done.cell.host.thickness_um if done.cell.host else 0.0
    return errors(1, common=(), cell=(noise["size_spread"] * (values - bare),), each=noise["thickness_um"])


def _no_second_strip(protocol: Protocol) -> str:
    planned = list(protocol.executed(1.0))
    found = any(_is_recovery(planned, place) for place in range(2, len(planned)))
    return "" if found else "never strips, rests and strips again"


def _is_recovery(planned: list[Executed], place: int) -> bool:
    before, rest, strip = planned[place - 2 : place + 1]
    return _strips(before) and isinstance(rest, Rest) and _strips(strip)


def _recovered(done: Simulation) -> Floats:
    """Second strip after a rest in the stripped state, one value per length of rest, the shortest first."""
    steps = walked(done)
    planned = [s.planned for s in steps]
    found: dict[float, list[float]] = {}
    for place in range(2, len(steps)):
        if _is_recovery(planned, place):
            rest = planned[place - 1]
            found.setdefault(rest.duration_s if isinstance(rest, Rest) else 0.0, []).append(steps[place].passed)
    return np.array([float(np.mean(found[length])) for length in sorted(found)])


def _recovered_errors(done: Simulation, values: Floats, noise: Noise) -> Errors:
    """What the offset of a current adds in the minutes of such a strip is far less than the rest of it."""
    gain = noise["gain_difference"] * values
    spread = noise["recovery_spread"] * values
    background = noise["recovery_background_mAh_per_cm2"]
    return errors(len(values), common=(gain,), cell=(spread,), each=0.0, common_each=background)


def _overpotential(done: Simulation) -> Floats:
    """|V| halfway through each plating but the first, their median."""
    planned = list(done.protocol.executed())
    plating = [place + 1 for place, step in enumerate(planned) if _plates(step)]
    wanted = plating[1:] or plating
    rows = done.record.table.filter(pl.col(STEP).is_in(wanted)).partition_by(STEP)
    if len(rows) < len(wanted):
        return np.array([float("nan")])
    halfway = [_halfway(part[TIME].to_numpy(), part[VOLTAGE_COLUMN].to_numpy()) for part in rows]
    return np.array([mV_PER_V * float(np.median(np.abs(halfway)))])


def _halfway(time_s: Floats, voltage_V: Floats) -> float:
    return float(np.interp((time_s[0] + time_s[-1]) / 2.0, time_s, voltage_V))


def _overpotential_errors(done: Simulation, values: Floats, noise: Noise) -> Errors:
    return errors(1, common=(noise["voltage_mV"],), cell=(noise["size_spread"] * values,), each=0.0)


# ---- impedance


def _no_spectrum(protocol: Protocol) -> str:
    return "" if any(step.kind == "impedance" for step in protocol.executed(1.0)) else "measures no impedance"


def _spectrum(done: Simulation) -> tuple[Floats, Floats, Floats]:
    """Frequency, real and imaginary part in ohm cm2 of the last spectrum."""
    table = done.record.spectra()
    if table.height == 0:
        return np.full(1, np.nan), np.full(1, np.nan), np.full(1, np.nan)
    if "spectrum" in table.columns:
        table = table.filter(pl.col("spectrum") == pl.col("spectrum").max())
    area = done.cell.area_cm2
    return table[FREQUENCY].to_numpy(), area * table[REAL].to_numpy(), area * table[IMAGINARY].to_numpy()


def _resistance(done: Simulation) -> Floats:
    """Re Z at the lowest frequency measured."""
    frequency, real, _ = _spectrum(done)
    return np.array([float(real[int(np.argmin(frequency))])])


def _impedance(done: Simulation) -> Floats:
    """Re Z and -Im Z of the last spectrum nearest to each decade, all of one behind all of the other, ohm cm2.

    One a decade: what makes a point wrong makes its neighbours wrong, so more of them know no more.
    """
    frequency, real, imaginary = _spectrum(done)
    decades = np.arange(np.ceil(np.log10(frequency.min())), np.floor(np.log10(frequency.max())) + 1.0)
    places = [int(np.argmin(np.abs(np.log10(frequency) - decade))) for decade in decades]
    return np.concatenate([real[places], -imaginary[places]])


def _impedance_errors(done: Simulation, values: Floats, noise: Noise) -> Errors:
    gain, spread = noise["impedance_gain"] * values, noise["size_spread"] * values
    least = noise["impedance_gain"] * float(np.max(np.abs(values), initial=0.0))
    return errors(len(values), common=(gain,), cell=(spread,), each=least)


OBSERVABLES: Mapping[str, Observable] = {
    o.name: o
    for o in (
        Observable(
            "ce_reservoir",
            "1",
            "efficiency of a reservoir (Aurbach) test",
            _no_reservoir,
            _ce_reservoir,
            _reservoir_errors,
        ),
        Observable("ce_cycle", "1", "efficiency of each cycle but the first", _no_cycles, _ce_cycle, _cycle_errors),
        Observable("ce_mean", "1", "mean efficiency of all cycles but the first", _no_cycles, _ce_mean, _mean_errors),
        Observable("life", "cycles", "cycles before the efficiency stays below 90 %", _no_cycles, _life, _life_errors),
        Observable(
            "retention",
            "1",
            "last discharge of a full cell over the first after formation",
            _not_full,
            _retention,
            _retention_errors,
        ),
        Observable(
            "thickness_um",
            "um",
            "host with its lithium after the last plating",
            _no_plating,
            _thickness,
            _thickness_errors,
        ),
        Observable(
            "recovered_mAh_per_cm2",
            "mAh/cm2",
            "stripped again after each length of rest",
            _no_second_strip,
            _recovered,
            _recovered_errors,
        ),
        Observable(
            "overpotential_mV",
            "mV",
            "|V| halfway through plating, median",
            _no_plating,
            _overpotential,
            _overpotential_errors,
        ),
        Observable(
            "resistance_ohm_cm2",
            "ohm cm2",
            "Re Z at the lowest frequency",
            _no_spectrum,
            _resistance,
            _impedance_errors,
        ),
        Observable(
            "impedance_ohm_cm2",
            "ohm cm2",
            "Re Z and -Im Z of the last spectrum, one a decade",
            _no_spectrum,
            _impedance,
            _impedance_errors,
        ),
    )
}
