"""Capacity retention: what each cycle gives back, against a reference cycle."""

from __future__ import annotations

import numpy as np
import polars as pl

from interlith.cycling.outcome import NEEDS_AREA, Cycled, Outcome, nothing
from interlith.units import MILLI

SAME_CURRENT = 0.2  # a branch that ends in a hold has a somewhat lower mean current
USED = ("formation_cycles", "reference_cycle")


def retention(cycled: Cycled) -> Outcome:
    """Capacity of the last and of every cycle as a fraction of that of the reference cycle."""
    table = per_cycle(cycled)
    if table.height < 2:
        return nothing(f"needs two complete cycles at one current, has {table.height}", *USED)
    last = float(table["capacity_mAh"][-1])
    reference = float(table["capacity_mAh"][0])
    values = {
        "retention": last / reference,
        "n_cycles": table.height,
        "n_cycles_in_record": cycled.cycles.height,
        "last_cycle": int(table["cycle"][-1]),
        "reference_cycle": int(table["cycle"][0]),
        "reference_mAh": reference,
        "reference_mAh_per_cm2": cycled.per_area(reference),
        "last_mAh": last,
        "highest_mAh": float(table["capacity_mAh"].max()),  # type: ignore[arg-type]
    }
    mass_mg = cycled.facts.active_mass_mg.value
    if mass_mg:
        values["reference_mAh_per_g"] = reference / (mass_mg * MILLI)
    n_other = candidates(cycled).height - table.height
    notes = [f"{n_other} cycles at other currents than most are left out"] if n_other else []
    notes += [] if cycled.area_cm2 else [NEEDS_AREA]
    return Outcome(values=values, notes=tuple(notes), used=USED, table=table)


def per_cycle(cycled: Cycled) -> pl.DataFrame:
    """Cycle, capacity given back (stripped or discharged) in mAh, and its part of the first one's.

    Only cycles at one current, the one at which most were run: a slower cycle gives more without being any younger.
    """
    whole = candidates(cycled)
    if whole.height == 0:
        return whole.select("cycle", "start_time_h", capacity_mAh="stripped_mAh", retention="stripped_mAh")
    usual = _most_common(whole["strip_current_mA"].to_numpy())
    same = whole.filter((pl.col("strip_current_mA") / usual - 1).abs() <= SAME_CURRENT)
    return same.select(
        "cycle",
        "start_time_h",
        pl.col("stripped_mAh").alias("capacity_mAh"),
        (pl.col("stripped_mAh") / pl.col("stripped_mAh").first()).alias("retention"),
    )


def _most_common(current_mA: np.ndarray) -> float:
    """The current around which most cycles lie."""
    ordered = np.sort(current_mA)
    alike = np.searchsorted(ordered, ordered * (1 + SAME_CURRENT), side="right") - np.arange(len(ordered))
    most = int(np.argmax(alike))
    return float(np.median(ordered[most : most + alike[most]]))


def candidates(cycled: Cycled) -> pl.DataFrame:
    """Cycles from the reference cycle on, which is counted from the end of formation.

    Interrupted cycles and those that stop above the lower cut-off are left out.
    """
    whole = cycled.cycles.filter(
        pl.col("stripped_mAh").is_not_null()
        & pl.col("plate_interrupted").is_null()
        & pl.col("strip_interrupted").is_null()
        & pl.col("stripped_out")
    )
    first = cycled.thresholds.formation_cycles + cycled.thresholds.reference_cycle
    return whole.filter(pl.col("cycle") >= first)
