"""Reservoir (Aurbach) efficiency: plate a reservoir, cycle a part of it, strip all, divide.

Adams et al., Adv. Energy Mater. 8, 1702097 (2018), doi:10.1002/aenm.201702097; Aurbach, Gofer, Langzam,
J. Electrochem. Soc. 136, 3198 (1989).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import polars as pl

from interlith.cycling.kind import SAME_CHARGE, ReservoirPattern, reservoir_pattern
from interlith.cycling.outcome import NEEDS_AREA, Cycled, Event, Outcome, nothing
from interlith.cycling.uncertainty import budget, instrument, verdict
from interlith.errors import PhysicsError

LEFT_OVER = 1e-9


def reservoir_efficiency(*, reservoir_mAh: float, cycled_mAh: float, n_cycles: int, final_strip_mAh: float) -> float:
    """Average Coulombic efficiency of a reservoir (Aurbach) test.

    (n cycled + final) / (n cycled + reservoir), all in mAh or all per area. Every plated charge is taken to lose the
    same fraction. Raises PhysicsError when more was stripped than plated. Adams et al. (2018), the module's source.

    >>> round(reservoir_efficiency(reservoir_mAh=5.0, cycled_mAh=1.0, n_cycles=10, final_strip_mAh=4.7), 4)
    0.98
    """
    _check(reservoir_mAh, cycled_mAh, n_cycles, final_strip_mAh)
    return (n_cycles * cycled_mAh + final_strip_mAh) / (n_cycles * cycled_mAh + reservoir_mAh)


def efficiency_of_cycled_charge(
    *, reservoir_mAh: float, cycled_mAh: float, n_cycles: int, final_strip_mAh: float
) -> float:
    """The other formula in circulation: the whole loss is charged to the n cycles, none to the reservoir.

    1 - (reservoir - final) / (n cycled). Always lower than `reservoir_efficiency`: its loss is larger by the factor
    1 + reservoir / (n cycled). Never compare one with the other. Raises PhysicsError as above.

    >>> round(efficiency_of_cycled_charge(reservoir_mAh=5.0, cycled_mAh=1.0, n_cycles=10, final_strip_mAh=4.7), 4)
    0.97
    """
    _check(reservoir_mAh, cycled_mAh, n_cycles, final_strip_mAh)
    return 1.0 - (reservoir_mAh - final_strip_mAh) / (n_cycles * cycled_mAh)


def _check(reservoir_mAh: float, cycled_mAh: float, n_cycles: int, final_strip_mAh: float) -> None:
    if min(reservoir_mAh, cycled_mAh) <= 0 or n_cycles < 1 or final_strip_mAh < 0:
        raise PhysicsError("a reservoir test needs positive charges and at least one cycle")
    if final_strip_mAh > reservoir_mAh * (1 + LEFT_OVER):
        raise PhysicsError(
            f"more was stripped in the end ({final_strip_mAh:.4g} mAh) than the reservoir held "
            f"({reservoir_mAh:.4g} mAh): a short, lithium left from before, or an offset of the current"
        )


@dataclass(frozen=True)
class Charges:
    """The measured charges of a reservoir test, in mAh, and its times, in h."""

    reservoir_mAh: float
    plated_mAh: float
    stripped_mAh: float
    final_strip_mAh: float
    n_cycles: int
    plate_time_h: float
    strip_time_h: float
    formation_efficiency: float | None
    formation_plated_mAh: float
    formation_stripped_mAh: float

    @property
    def cycled_mAh(self) -> float:
        """Mean charge cycled: what was plated beside the reservoir, over n."""
        return (self.plated_mAh - self.reservoir_mAh) / self.n_cycles

    def efficiency(self, *, with_formation: bool = False) -> float:
        """All stripped over all plated; with the cycles of formation before, or without."""
        if not with_formation:
            return self.stripped_mAh / self.plated_mAh
        return (self.stripped_mAh + self.formation_stripped_mAh) / (self.plated_mAh + self.formation_plated_mAh)


def reservoir(cycled: Cycled) -> Outcome:
    """Efficiency of a reservoir test by both formulas, its uncertainty, and the cases in which there is none.

    Measured charges are used, not the ones that were set; charge above 0 V while plating is left out. The pattern is
    found in the branches. Invalid: an interrupted branch, the reservoir used up before the last strip (then only an
    upper bound), no final strip, more stripped than plated.
    """
    used = ("conversion_V", "offset_of_range", "gain_difference")
    sign = cycled.plating_sign
    if sign is None:
        return nothing("which direction plates is not known")
    plate, strip = cycled.branches(sign), cycled.branches(-sign)
    pattern = reservoir_pattern(plate, strip) if plate.height and strip.height else None
    if pattern is None:
        return nothing("no reservoir followed by equal strips was found", *used)
    involved = _involved(plate, strip, pattern)
    if (cut := involved["interrupted"].drop_nulls()).len():
        return nothing(f"interrupted: {cut[0]}", *used)
    charges = _charges(cycled, plate, strip, pattern)
    if invalid := _invalid(plate, strip, pattern, charges):
        return _bounded(charges, pattern, invalid, used)
    found = _valid(cycled, charges, used)
    if not pattern.n_others:
        return found
    more = f"{pattern.n_others} more reservoir tests in this record are not analyzed: give them as files of their own"
    return replace(found, notes=(*found.notes, more))


def _involved(plate: pl.DataFrame, strip: pl.DataFrame, pattern: ReservoirPattern) -> pl.DataFrame:
    last = pattern.final_strip if pattern.final_strip is not None else pattern.inner_strips[-1]
    begin, end = plate["first_row"][pattern.reservoir_plate], strip["last_row"][last]
    both = pl.concat([plate, strip])
    return both.filter((pl.col("first_row") >= begin) & (pl.col("first_row") <= end))


def _charges(cycled: Cycled, plate: pl.DataFrame, strip: pl.DataFrame, pattern: ReservoirPattern) -> Charges:
    involved = _involved(plate, strip, pattern)
    plated = involved.filter(pl.col("sign") == cycled.plating_sign).with_columns(
        pl.col("charge_mAh") - pl.col("above_zero_mAh")
    )
    stripped = involved.filter(pl.col("sign") != cycled.plating_sign)
    final = pattern.final_strip
    before = cycled.cycles.filter(pl.col("plate_half_cycle") < plate["half_cycle"][pattern.reservoir_plate])
    returned = min(float(stripped["above_zero_mAh"].sum()), float(plated["above_zero_mAh"].sum()))
    last = returned if final is not None else 0.0
    return Charges(
        reservoir_mAh=float(plated["charge_mAh"][0]),
        plated_mAh=float(plated["charge_mAh"].sum()),
        stripped_mAh=float(stripped["charge_mAh"].sum()) - returned,
        final_strip_mAh=float(strip["charge_mAh"][final]) - last if final is not None else 0.0,
        n_cycles=pattern.n_cycles,
        plate_time_h=float(plated["flow_time_h"].sum()),
        strip_time_h=float(stripped["flow_time_h"].sum()),
        formation_efficiency=before["efficiency"].drop_nulls().last() if before.height else None,  # type: ignore[arg-type]
        formation_plated_mAh=float(before["plated_mAh"].sum()),
        formation_stripped_mAh=float(before["stripped_mAh"].fill_null(0.0).sum()),
    )


def _invalid(plate: pl.DataFrame, strip: pl.DataFrame, pattern: ReservoirPattern, charges: Charges) -> str | None:
    if pattern.final_strip is None:
        return "the record ends before the last strip"
    if not pattern.reached_cutoff:
        return "the last strip did not reach the cut-off: lithium is left, or the cell is short"
    inner = float(strip["charge_mAh"].gather(list(pattern.inner_strips)).mean())  # type: ignore[arg-type]
    after = plate.filter(pl.col("first_row") > strip["first_row"][pattern.final_strip])
    goes_on = after.height > 0 and abs(after["charge_mAh"][0] / inner - 1) < SAME_CHARGE
    if goes_on:
        return "the voltage reached the cut-off before the last strip: the reservoir was used up"
    if charges.stripped_mAh > charges.plated_mAh:
        return "more was stripped than plated: a short, lithium left from before, or an offset of the current"
    return None


def _bounded(charges: Charges, pattern: ReservoirPattern, invalid: str, used: tuple[str, ...]) -> Outcome:
    values = {"n_cycles": charges.n_cycles, "reservoir_mAh": charges.reservoir_mAh, "cycled_mAh": charges.cycled_mAh}
    if "used up" in invalid:
        values["efficiency_at_most"] = charges.efficiency()
    return Outcome(values=values, why_not=invalid, used=used, events=(Event("reservoir_invalid", invalid),))


def _valid(cycled: Cycled, charges: Charges, used: tuple[str, ...]) -> Outcome:
    efficiency = charges.efficiency()
    tester = instrument(cycled)
    known = budget(
        tester,
        efficiency=efficiency,
        plated_mAh=charges.plated_mAh,
        plate_time_h=charges.plate_time_h,
        strip_time_h=charges.strip_time_h,
        n_switches=2 * (charges.n_cycles + 1),
    )
    loss_per_cycled = (charges.plated_mAh - charges.stripped_mAh) / (charges.n_cycles * charges.cycled_mAh)
    values = {
        "efficiency": efficiency,
        "loss": 1 - efficiency,
        "uncertainty_k2": float(known.expanded),
        "offset_share_of_variance": float(known.offset_share),
        "verdict": verdict(1 - efficiency, known.expanded, tester.offset.kind),
        "formula": "(n Q_C + Q_S) / (n Q_C + Q_T), Adams 2018",
        "efficiency_of_cycled_charge": 1 - loss_per_cycled,
        "formula_of_cycled_charge": "1 - (Q_T - Q_S) / (n Q_C): never mix with the other",
        "efficiency_with_formation": charges.efficiency(with_formation=True),
        "formation_efficiency": charges.formation_efficiency,
        "n_cycles": charges.n_cycles,
        "reservoir_mAh": charges.reservoir_mAh,
        "cycled_mAh": charges.cycled_mAh,
        "final_strip_mAh": charges.final_strip_mAh,
        "reservoir_mAh_per_cm2": cycled.per_area(charges.reservoir_mAh),
        "lost_mAh_per_cm2": cycled.per_area(charges.plated_mAh - charges.stripped_mAh),
        "offset_uA": tester.offset.value,
        "offset_kind": tester.offset.kind,
    }
    notes = [tester.offset.source]
    if cycled.area_cm2 is None:
        notes.append(NEEDS_AREA)
    return Outcome(values=values, notes=tuple(notes), used=used)
