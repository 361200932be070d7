"""What must be said with a simulated result: what it rests on, where the model leaves its ground, what it found."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from interlith.cell.results import SCARCE, Simulation
from interlith.cell.translate import kelvin_of
from interlith.ledger import CYCLE, STEP, TIME
from interlith.parts.part import STATED
from interlith.parts.positive import Positive
from interlith.parts.samples import ETHER
from interlith.protocol import ConstantCurrent, Rest
from interlith.units import MOL_PER_M3_PER_MOL_PER_L, SECONDS_PER_HOUR

FITTED_TEST, FITTED_IN = "aurbach", ETHER
REFERENCE_C = 25.0
NOTICED_mAh_PER_CM2, BEYOND_V = 1e-6, 0.02
CALIBRATED, EXTRAPOLATED, ASSUMED = "calibrated", "extrapolated", "rests on assumed values"
MEANS = {
    CALIBRATED: "calibrated: fitted to the efficiency of this very test, so no prediction",
    EXTRAPOLATED: "extrapolated: from parameters fitted to an Aurbach efficiency, by laws that are partly assumed",
    ASSUMED: "rests on assumed values, fitted to nothing",
}


def result_kind(done: Simulation, parameters: Sequence[Mapping[str, Any]], without: Collection[str]) -> str:
    """Whether the efficiency of this run was fitted, follows from a fit elsewhere, or rests on assumptions alone."""
    fitted = [row for row in parameters if row["kind"] == "calibrated" and "cap_porosity" not in row["name"]]
    if not fitted:
        return ASSUMED
    own = done.protocol.name == FITTED_TEST and not without and not _by_hand(parameters)
    return CALIBRATED if own else EXTRAPOLATED


def remarks(done: Simulation, parameters: Sequence[Mapping[str, Any]], without: Collection[str]) -> list[str]:
    """Sentences, the gravest first."""
    return [
        MEANS[result_kind(done, parameters, without)],
        *_changed(parameters, without),
        *_salt(done),
        *_outside(done),
        *_warmth(done),
        *_carbonate(done, parameters),
        *_positive(done),
        *_beyond_the_positive(done),
        *_at_once(done),
        *_thickness(done, parameters),
        *_currents(done),
        *_additive(done),
        *_short(done),
        *_after_rests(done),
    ]


def _by_hand(parameters: Sequence[Mapping[str, Any]]) -> list[str]:
    return [row["name"] for row in parameters if row["source"] == STATED]


def _changed(parameters: Sequence[Mapping[str, Any]], without: Collection[str]) -> Iterator[str]:
    changed = [*_by_hand(parameters), *(f"without {name}" for name in without)]
    if changed:
        yield f"changed by hand: {', '.join(changed)}; what was fitted with the other values no longer fits"


def _salt(done: Simulation) -> Iterator[str]:
    """Steps that ended because the electrolyte, not the lithium, was at its end."""
    if done.profiles is None:
        return
    least = done.profiles.group_by(STEP, maintain_order=True).agg(pl.col("salt_mol_per_L").min())
    filled = done.cell.electrolyte.salt_mol_per_L
    scarce = least.filter(pl.col("salt_mol_per_L") < SCARCE * filled)
    if scarce.height:
        first, lowest = scarce[STEP][0], scarce["salt_mol_per_L"].min() / filled  # type: ignore[operator]
        yield (
            f"salt ran out in {scarce.height} of {least.height} steps, first in step {first} (down to {lowest:.1%} "
            "of what was filled in): they ended by transport in the electrolyte; what they leave is not lost lithium"
        )


def _outside(done: Simulation) -> Iterator[str]:
    """Where the electrolyte's correlations are not vouched for."""
    known, kelvin = done.cell.electrolyte, kelvin_of(done.cell)
    salt = [known.salt_mol_per_L]
    if done.profiles is not None:
        salt += [done.profiles["salt_mol_per_L"].min(), done.profiles["salt_mol_per_L"].max()]  # type: ignore[list-item]
    c = np.maximum(np.array(salt), 0.0) * MOL_PER_M3_PER_MOL_PER_L
    if names := known.outside(c, kelvin):
        yield (
            f"{known.name}: {', '.join(names)} are used at {min(salt):.3g} to {max(salt):.3g} mol/L and "
            f"{done.cell.temperature_C:g} C, beyond the range in which their correlations are vouched for"
        )


def _warmth(done: Simulation) -> Iterator[str]:
    if done.cell.temperature_C != REFERENCE_C:
        yield (
            f"{done.cell.temperature_C:g} C: only the electrolyte and RT/F know the temperature; exchange current, "
            f"SEI, isolation and revival are those at {REFERENCE_C:g} C"
        )


def _carbonate(done: Simulation, parameters: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    fitted = [row for row in parameters if row["kind"] == "calibrated" and "Aurbach" in row["source"]]
    if fitted and done.cell.electrolyte.name != FITTED_IN:
        yield (
            f"what the host does with lithium was fitted in {FITTED_IN} and is used in {done.cell.electrolyte.name} as "
            "if it were the same there, which is assumed; carbonates are as a rule worse"
        )


def _positive(done: Simulation) -> Iterator[str]:
    positive = done.cell.counter
    if not isinstance(positive, Positive):
        return
    on = {
        "growth of its resistance": positive.resistance_growth_ohm_cm2_per_cycle,
        "loss of its material": positive.active_loss_per_cycle,
        "drying out": done.cell.solvent_used_uL_per_mAh,
    }
    if asked := [name for name, value in on.items() if value > 0]:
        yield f"fade of the cell besides loss of lithium, by assumed laws: {', '.join(asked)}"
    else:
        yield "the positive does not age and the cell does not dry out here: what fades is lithium, or polarization"


def _beyond_the_positive(done: Simulation) -> Iterator[str]:
    """Where the assumed end of the positive's curve, or what lies outside of its window, makes the result."""
    positive = done.cell.counter
    if not isinstance(positive, Positive):
        return
    if done.cell.kind == "anode-free" and positive.end_width > 0:
        yield (
            "anode-free: how much lithium the first discharges leave spare, and so how late losses show, follows from "
            "the end of the positive's open circuit (positive.end_width), which is assumed"
        )
    volts = done.record.series().filter(pl.col(STEP) > 1)["voltage_volt"].to_numpy()
    low, high = positive.lower_voltage_V, positive.upper_voltage_V
    if len(volts) and (volts.min() < low - BEYOND_V or volts.max() > high + BEYOND_V):
        yield (
            f"the cell went from {volts.min():.3g} to {volts.max():.3g} V, beyond the {low:g} to {high:g} V of its "
            f"positive {positive.name}: its curve is not vouched for there"
        )


def _at_once(done: Simulation) -> Iterator[str]:
    """Steps of a current that was beyond their cut-off before anything passed."""
    planned = zip(done.protocol.executed(), done.steps, strict=False)
    found = [
        step.number
        for asked, step in planned
        if isinstance(asked, ConstantCurrent)
        and step.ended_by == "voltage"
        and abs(step.passed_mAh_per_cm2) < NOTICED_mAh_PER_CM2
    ]
    if found:
        first = f"{len(found)} steps ended at once, first step {found[0]}"
        yield f"{first}: the voltage was beyond the cut-off from the start"


def _thickness(done: Simulation, parameters: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    calibrated = any(row["kind"] == "calibrated" and "cap_porosity" in row["name"] for row in parameters)
    if done.profiles is not None and calibrated:
        yield "thickness: cap_porosity was calibrated with the lumped model, which puts less lithium on top"


def _currents(done: Simulation) -> Iterator[str]:
    steps = [step for step in done.protocol.executed() if isinstance(step, ConstantCurrent)]
    if len({abs(step.signed_mA_per_cm2) for step in steps}) > 1:
        yield (
            "several current densities: how efficiency moves with current is the assumed isolation_exponent; the "
            "current of plating has no effect on isolation or SEI in this model"
        )


def _additive(done: Simulation) -> Iterator[str]:
    additive = done.cell.additive_mAh_per_cm2
    used = done.ledger.table.filter(pl.col("electrolyte_consumed") >= additive)
    if additive > 0 and used.height:
        hours, cycle = used[TIME][0] / SECONDS_PER_HOUR, used[CYCLE][0]
        yield (
            f"the additive is used up in cycle {cycle} ({hours:.4g} h): from there on the result is made by "
            "sei_factor_after_additive, which is assumed; solvent, SEI volume and SEI resistance are not in the model"
        )


def _short(done: Simulation) -> Iterator[str]:
    carried = done.ledger.final()["short_carried"]
    if carried > NOTICED_mAh_PER_CM2:
        yield f"a short carried {carried:.3g} mAh/cm2 in all, both directions added"


def _after_rests(done: Simulation) -> Iterator[str]:
    """What a second strip gave after a rest in the stripped state, by the length of the rest."""
    planned = list(done.protocol.executed())
    found: dict[float, list[float]] = {}
    for place in range(2, min(len(planned), len(done.steps))):
        before, rest, strip = planned[place - 2 : place + 1]
        if not (isinstance(before, ConstantCurrent) and isinstance(rest, Rest) and isinstance(strip, ConstantCurrent)):
            continue
        sign = done.cell.polarity
        if before.signed_mA_per_cm2 * sign > 0 and strip.signed_mA_per_cm2 * sign > 0:
            found.setdefault(rest.duration_s, []).append(abs(done.steps[place].passed_mAh_per_cm2))
    for rest_s, charges in sorted(found.items()):
        length, mean = f"{rest_s / SECONDS_PER_HOUR:.3g} h", float(np.mean(charges))
        yield f"stripped again after a rest of {length}: {mean:.3g} mAh/cm2 (mean of {len(charges)})"
