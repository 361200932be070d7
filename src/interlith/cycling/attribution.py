"""Where the lost charge may be: dead lithium or SEI. A cycler cannot tell; this says between which bounds.

Q_loss = Q_dead + Q_SEI; Fang et al., Nature 572, 511 (2019), doi:10.1038/s41586-019-1481-z, measured the dead part by
titration (TGC) and found that it dominates. The reading of low and erratic, or high and steady, efficiency is the rule
of Shen et al., Nat. Commun. (2025), doi:10.1038/s41467-025-60609-4: an indication, not a measurement.
"""

from __future__ import annotations

import polars as pl

from interlith.cycling.erratic import onset_cycle, scattered_from_the_start
from interlith.cycling.kind import HOST_KINDS
from interlith.cycling.outcome import NEEDS_AREA, Cycled, Outcome, nothing
from interlith.units import LITHIUM_mAh_PER_mg

HIGH_EFFICIENCY, LOW_EFFICIENCY = 0.99, 0.97  # proposal: what the rule calls high and low has no agreed number


def attribution(cycled: Cycled) -> Outcome:
    """Lost charge, the interval of its dead and SEI parts, and the lithium it is worth."""
    cut = cycled.half_cycles["interrupted"].drop_nulls()
    if cycled.kind == "reservoir" and cut.len():
        return nothing(f"interrupted: {cut[0]}")
    whole = cycled.cycles.filter(pl.col("stripped_mAh").is_not_null() & pl.col("plate_interrupted").is_null())
    whole = whole.filter(pl.col("strip_interrupted").is_null())
    if whole.height == 0:
        return nothing("no complete cycle")
    plated, stripped = float(whole["plated_mAh"].sum()), float(whole["stripped_mAh"].sum())
    lost = plated - stripped
    if lost <= 0:
        return nothing("no charge was lost: more came back than was plated")
    above = float(whole["above_zero_mAh"].sum())
    values = {
        "plated_mAh": plated,
        "stripped_mAh": stripped,
        "lost_mAh": lost,
        "lost_mAh_per_cm2": cycled.per_area(lost),
        "dead_lithium_mAh": [0.0, lost],
        "sei_mAh": [0.0, lost],
        "above_zero_mAh": above,
        "lost_as_lithium_mg": lost / LITHIUM_mAh_PER_mg,
        "needs": "titration (TGC): charges alone cannot part dead lithium from SEI",
        "reading": _reading(cycled, whole),
    }
    notes = ("charge above 0 V is counted apart: conversion, SEI or alloying, not plating",) if above > 0 else ()
    return Outcome(values=values, notes=(*notes, *(() if cycled.area_cm2 else (NEEDS_AREA,))))


def _reading(cycled: Cycled, whole: pl.DataFrame) -> str:
    if cycled.kind not in HOST_KINDS:
        return "the rule of Shen 2025 is for hosts: in a full cell the positive electrode loses charge too"
    efficiencies = whole["efficiency"].drop_nulls()
    if efficiencies.len() < cycled.thresholds.erratic_stable_cycles:
        return "too few cycle efficiencies for an indication"
    median = float(efficiencies.median())  # type: ignore[arg-type]
    erratic = onset_cycle(cycled) is not None or scattered_from_the_start(cycled)
    if median < LOW_EFFICIENCY and erratic:
        return "low and erratic: by the rule of Shen 2025 dead lithium dominates (an indication, not a measurement)"
    if median >= HIGH_EFFICIENCY and not erratic:
        return "high and steady: by the rule of Shen 2025 SEI dominates (an indication, not a measurement)"
    return "neither low and erratic nor high and steady: the rule of Shen 2025 gives no indication"
