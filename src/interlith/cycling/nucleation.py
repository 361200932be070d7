"""Nucleation overpotential: how far the voltage dips below its plateau when lithium first nucleates.

Plateau (median at 40 to 60 % of the plating) minus the minimum within the first part. Yan et al., Nat. Energy 1, 16010
(2016); Pei et al., Nano Lett. 17, 1132 (2017).
"""

from __future__ import annotations

import numpy as np
import polars as pl

from interlith.cycling.averages import branch_of_rows, fraction_of_charge
from interlith.cycling.hysteresis import branch_medians
from interlith.cycling.outcome import Cycled, Outcome, nothing
from interlith.cycling.segment import Trace
from interlith.units import mV_PER_V

USED = ("nucleation_dip_part", "nucleation_step_V", "nucleation_step_s")
PLATEAU = (0.4, 0.6)
NOISE_FACTOR, MAD_TO_SIGMA = 5.0, 1.4826
SECOND_DIFFERENCE = 6**0.5  # standard deviation of a second difference of independent readings
MOST_BRANCHES = 2000  # a dip of every later cycle would say no more


def nucleation(cycled: Cycled) -> Outcome:
    """Nucleation overpotential of each plating branch, or why a branch has none."""
    if cycled.kind not in ("reservoir", "efficiency", "symmetric"):
        return nothing(f"a test of kind {cycled.kind} does not show nucleation against lithium", *USED)
    table = per_branch(cycled)
    known = table.drop_nulls("nucleation_overpotential_mV")
    if known.height == 0:
        why = table["why_none"].drop_nulls()
        return Outcome(
            why_not=f"no branch shows a resolved dip: {why[0]}" if why.len() else "no plating branch",
            used=USED,
            table=table,
        )
    values = {
        "first_mV": table["nucleation_overpotential_mV"][0],
        "median_mV": float(known["nucleation_overpotential_mV"].median()),  # type: ignore[arg-type]
        "n_branches": known.height,
        "n_branches_without": table.height - known.height,
    }
    return Outcome(values=values, used=USED, table=table)


def per_branch(cycled: Cycled) -> pl.DataFrame:
    """Half cycle, nucleation overpotential in mV or null, and why there is none."""
    found, table = cycled.trace, cycled.half_cycles
    branch = branch_of_rows(table["first_row"].to_numpy(), table["last_row"].to_numpy(), len(found.time_s))
    fraction = fraction_of_charge(found, branch, table.height)
    plateau = branch_medians(cycled, *PLATEAU)
    rows = []
    for half_cycle, first, last in (
        _plating_somewhere(cycled).select("half_cycle", "first_row", "last_row").head(MOST_BRANCHES).iter_rows()
    ):
        part = found.part(first, last)
        early = fraction[first : last + 1] <= cycled.thresholds.nucleation_dip_part
        dip, why = _dip(part, early & (part.sign != 0), float(plateau[half_cycle]), cycled)
        rows.append((half_cycle, dip, why))
    return pl.DataFrame(
        rows,
        schema={"half_cycle": pl.Int64, "nucleation_overpotential_mV": pl.Float64, "why_none": pl.String},
        orient="row",
    )


def _plating_somewhere(cycled: Cycled) -> pl.DataFrame:
    """Branches that plate on an electrode: all of a symmetric cell that are one step, those that plate on a host."""
    if cycled.kind == "symmetric":
        return cycled.half_cycles.filter(~pl.col("fragment") & (pl.col("n_steps") == 1))
    return cycled.branches(cycled.plating_sign)


def _dip(part: Trace, early: np.ndarray, plateau_V: float, cycled: Cycled) -> tuple[float | None, str | None]:
    rows = np.flatnonzero(early)
    if len(rows) < 3:
        return None, "fewer than three rows in the first part"
    below = 1.0 if int(part.sign[rows[0]]) < 0 else -1.0
    if cycled.plating_sign == 1:  # a file of the opposite sign
        below = -below
    depth = part.voltage_V[rows] * below
    lowest = int(np.argmin(depth))
    if depth[lowest] >= 0:
        return None, "the voltage stays above 0 V"
    if lowest in (0, len(rows) - 1):
        return None, "the minimum is not inside the first part"
    around = rows[lowest - 1 : lowest + 2]
    noise = _noise_V(part.voltage_V[part.sign != 0])
    if np.max(np.abs(np.diff(part.voltage_V[around]))) > cycled.thresholds.nucleation_step_V + NOISE_FACTOR * noise:
        return None, f"sampled more coarsely than {cycled.thresholds.nucleation_step_V * mV_PER_V:g} mV at the minimum"
    if np.max(np.diff(part.time_s[around])) > cycled.thresholds.nucleation_step_s * (1 + 1e-6):
        return None, f"sampled more coarsely than {cycled.thresholds.nucleation_step_s:g} s at the minimum"
    dip = plateau_V * below - float(depth[lowest])
    if dip <= NOISE_FACTOR * noise:
        return None, "no dip below the plateau beyond the noise"
    return dip * mV_PER_V, None


def _noise_V(voltage: np.ndarray) -> float:
    """Scatter of single readings, from the second differences, which a slow change does not enter."""
    bend = np.diff(voltage, n=2)
    return MAD_TO_SIGMA * float(np.median(np.abs(bend))) / SECOND_DIFFERENCE if len(bend) else 0.0
