"""Own integrals against the tester's own charge counter: two ways of counting that must agree."""

from __future__ import annotations

import polars as pl

from interlith.cycling.outcome import Cycled, Outcome, nothing
from interlith.record import Flag

USED = ("capacity_mismatch",)


def crosscheck(cycled: Cycled) -> Outcome:
    """Relative difference of own and the tester's charge, for all branches together and for the worst whole branch."""
    table = compared(cycled.half_cycles)
    if table.height == 0:
        return nothing("the file has no charge counter of the tester", *USED)
    own, theirs = float(table["charge_mAh"].sum()), float(table["vendor_charge_mAh"].sum())
    off = table.filter(pl.col("difference").abs() > cycled.thresholds.capacity_mismatch)
    worst = table.sort(pl.col("difference").abs(), descending=True)
    values = {
        "own_mAh": own,
        "tester_mAh": theirs,
        "difference": own / theirs - 1 if theirs else None,
        "worst_difference": float(worst["difference"][0]),
        "worst_half_cycle": int(worst["half_cycle"][0]),
        "n_half_cycles": table.height,
        "n_half_cycles_off": off.height,
    }
    return Outcome(values=values, used=USED, table=table)


def compared(branches: pl.DataFrame) -> pl.DataFrame:
    """Half cycles with both counts and their relative difference."""
    both = branches.filter(
        pl.col("vendor_charge_mAh").is_not_null() & ~pl.col("fragment") & (pl.col("vendor_charge_mAh") > 0)
    )
    difference = (pl.col("charge_mAh") / pl.col("vendor_charge_mAh") - 1).alias("difference")
    return both.select("half_cycle", "sign", "charge_mAh", "vendor_charge_mAh", difference)


def mismatch_flags(branches: pl.DataFrame, limit: float) -> list[Flag]:
    """A flag when the branches together, or any of them, disagree by more than the limit."""
    table = compared(branches)
    off = table.filter(pl.col("difference").abs() > limit)
    if off.height == 0:
        return []
    own, theirs = float(table["charge_mAh"].sum()), float(table["vendor_charge_mAh"].sum())
    worst = float(off["difference"].abs().max())  # type: ignore[arg-type]
    row = int(branches.filter(pl.col("half_cycle") == off["half_cycle"][0])["first_row"][0])
    message = (
        f"own integral and the tester's counter differ by more than {limit:.1%} in {off.height} of {table.height} "
        f"half cycles (worst {worst:.2%}; all together {own / theirs - 1:+.3%}); own integrals are used"
    )
    return [Flag("capacity_mismatch", message, off.height, row)]
