"""From which cycle on the efficiency becomes erratic: the mark of dead lithium and of soft shorts.

r_i = CE_i - running median; sigma0 = 1.4826 MAD of r over an early stable window; the onset is the first cycle at which
the MAD of r in a window around it exceeds max(3 sigma0, 0.5 %) for five cycles in a row. A proposal of interlith.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from interlith.cycling.outcome import Cycled, Event, Outcome, nothing
from interlith.cycling.thresholds import Thresholds

MAD_TO_SIGMA = 1.4826
USED = (
    "erratic_first_cycle",
    "erratic_median_cycles",
    "erratic_stable_cycles",
    "erratic_window_cycles",
    "erratic_sigmas",
    "erratic_floor",
    "erratic_successive",
)
SCATTERED = "the efficiency scatters from the first cycles on: there is no stable window to compare with"
Floats = NDArray[np.float64]


def erratic(cycled: Cycled) -> Outcome:
    """The cycle at which the efficiency becomes erratic, or that it does not."""
    known = _known(cycled)
    least = cycled.thresholds.erratic_stable_cycles + cycled.thresholds.erratic_window_cycles
    if known.height < least:
        return nothing(f"needs {least} cycles with an efficiency, has {known.height}", *USED)
    scatter, limit = scatter_and_limit(known["efficiency"].to_numpy(), cycled.thresholds)
    cycle = onset_cycle(cycled)
    values = {"onset_cycle": cycle, "limit": limit, "early_sigma": limit_sigma(known, cycled.thresholds)}
    notes = (SCATTERED,) if scattered_from_the_start(cycled) else ()
    table = known.select("cycle").with_columns(pl.Series("scatter", scatter))
    if cycle is None:
        return Outcome(values=values, notes=notes, used=USED, table=table)
    time = float(known.filter(pl.col("cycle") == cycle)["start_time_h"][0])
    event = Event("erratic_onset", f"efficiency erratic from cycle {cycle} on", time_h=time, cycle=cycle)
    return Outcome(values=values, notes=notes, used=USED, table=table, events=(event,))


def scattered_from_the_start(cycled: Cycled) -> bool:
    """Whether even the early window scatters more than the floor, so that no stable window exists."""
    known = _known(cycled)
    enough = known.height >= cycled.thresholds.erratic_stable_cycles
    return enough and limit_sigma(known, cycled.thresholds) > cycled.thresholds.erratic_floor


def onset_cycle(cycled: Cycled) -> int | None:
    """The first erratic cycle, or None (also when there are too few cycles to tell)."""
    known = _known(cycled)
    limits = cycled.thresholds
    if known.height < limits.erratic_stable_cycles + limits.erratic_window_cycles:
        return None
    scatter, limit = scatter_and_limit(known["efficiency"].to_numpy(), limits)
    above = scatter > limit
    runs = sliding_window_view(above, limits.erratic_successive).all(axis=1)
    return int(known["cycle"][int(np.argmax(runs))]) if runs.any() else None


def _known(cycled: Cycled) -> pl.DataFrame:
    first = max(cycled.thresholds.erratic_first_cycle, cycled.thresholds.formation_cycles + 1)
    return cycled.cycles.filter(pl.col("efficiency").is_not_null() & (pl.col("cycle") >= first))


def scatter_and_limit(efficiency: Floats, limits: Thresholds) -> tuple[Floats, float]:
    """Scatter (MAD) around each cycle and the limit above which it is erratic. Both fractions of efficiency."""
    residual = efficiency - running_median(efficiency, limits.erratic_median_cycles)
    sigma = _early_sigma(residual, limits)
    limit = max(limits.erratic_sigmas * sigma, limits.erratic_floor)
    size = limits.erratic_window_cycles
    padded = np.pad(residual, (size // 2, size - 1 - size // 2), mode="edge")
    windows = sliding_window_view(padded, size)
    return np.median(np.abs(windows - np.median(windows, axis=1, keepdims=True)), axis=1), limit


def limit_sigma(known: pl.DataFrame, limits: Thresholds) -> float:
    """The early scatter, as a standard deviation."""
    values = known["efficiency"].to_numpy()
    return _early_sigma(values - running_median(values, limits.erratic_median_cycles), limits)


def _early_sigma(residual: Floats, limits: Thresholds) -> float:
    early = residual[: limits.erratic_stable_cycles]
    return MAD_TO_SIGMA * float(np.median(np.abs(early - np.median(early))))


def running_median(values: Floats, size: int) -> Floats:
    """Median of a centred window; at the ends of what there is of it.

    >>> running_median(np.array([1.0, 9.0, 1.0, 1.0]), 3).tolist()
    [5.0, 1.0, 1.0, 1.0]
    """
    half = size // 2
    padded = np.pad(values, half, constant_values=np.nan)
    return np.asarray(np.nanmedian(sliding_window_view(padded, 2 * half + 1), axis=1))
