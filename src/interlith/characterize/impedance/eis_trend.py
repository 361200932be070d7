"""How resistances change over a series of impedance spectra, and how well they repeat."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import stdtrit

from interlith.characterize.impedance.eis_reading import ROLES
from interlith.characterize.impedance.eis_tables import top_of

CONFIDENCE = 0.975  # one side of 95 %
LEAST_FOR_SLOPE = 4  # spectra
MOVES = 10.0  # factor between the tops of an arc from which on it need not be one process
STEADY = 0.1  # scatter, as a fraction of the mean


@dataclass(frozen=True)
class Trend:
    """One resistance over a series. errors: standard, of the fits; fit_error_ohm is the largest of them.

    slope per hour, or per spectrum where the times are not known, with its error. change: last minus first as a
    fraction of the first, with the error of both fits. repeatability: standard deviation about the straight line, as a
    fraction of the mean. is_change: the slope differs from 0 with 95 %. n: spectra in which the resistance was
    determined. top_Hz: lowest and highest top of its arc, None where that is not known; where they lie more than a
    decade apart it need not be one process, and nothing is said of its change.
    """

    role: str
    n: int
    mean_ohm: float
    least_ohm: float
    most_ohm: float
    first_ohm: float
    last_ohm: float
    first_error_ohm: float
    last_error_ohm: float
    fit_error_ohm: float
    change: float
    change_error: float
    slope: float
    slope_error: float
    per: str
    repeatability: float
    is_change: bool
    top_Hz: tuple[float, float] | None

    @property
    def moves(self) -> bool:
        """Whether the top of its arc lies at frequencies more than a decade apart."""
        return self.top_Hz is not None and self.top_Hz[1] > MOVES * self.top_Hz[0]

    @property
    def is_steady(self) -> bool:
        """Whether a mean says what all of them say."""
        return not self.is_change and not self.moves and self.repeatability < STEADY


def trends(table: pl.DataFrame) -> tuple[Trend, ...]:
    """The trend of each resistance of a trend table, of spectra whose Kramers-Kronig test did not fail.

    Least squares of a straight line; error of the slope from the scatter, Student's t for its significance.

    >>> times = [0.0, 1.0, 2.0, 3.0]
    >>> columns = {"time_h": times, "kramers_kronig": ["consistent"] * 4}
    >>> columns |= {"film_resistance_ohm": [10.0, 11.0, 12.0, 13.0], "film_resistance_error_ohm": [0.1] * 4}
    >>> found = trends(pl.DataFrame(columns))[0]
    >>> round(found.slope, 6), found.per, round(found.change, 3), found.is_change
    (1.0, 'h', 0.3, True)
    """
    found = []
    for role, name in ROLES.items():
        if name not in table.columns:
            continue
        good = table.filter((pl.col("kramers_kronig") != "not consistent") & pl.col(name).is_not_null())
        if good.height > 1:
            found.append(_trend(role, good, name))
    return tuple(found)


def _trend(role: str, good: pl.DataFrame, name: str) -> Trend:
    x, per = axis(good)
    y, errors = (good[column].cast(pl.Float64).to_numpy() for column in (name, name.replace("_ohm", "_error_ohm")))
    slope, slope_error, scatter = _line(x, y)
    change = y[-1] / y[0] - 1.0
    relative = math.hypot(errors[0] / y[0], errors[-1] / y[-1])
    top_Hz = _tops(role, good)
    moves = top_Hz is not None and top_Hz[1] > MOVES * top_Hz[0]
    is_change = len(y) >= LEAST_FOR_SLOPE and abs(slope) > float(stdtrit(len(y) - 2, CONFIDENCE)) * slope_error
    return Trend(
        role=role,
        n=len(y),
        mean_ohm=float(y.mean()),
        least_ohm=float(y.min()),
        most_ohm=float(y.max()),
        first_ohm=float(y[0]),
        last_ohm=float(y[-1]),
        first_error_ohm=float(errors[0]),
        last_error_ohm=float(errors[-1]),
        fit_error_ohm=float(errors.max()),
        change=float(change),
        change_error=float(y[-1] / y[0] * relative),
        slope=slope,
        slope_error=slope_error,
        per=per,
        repeatability=scatter / float(y.mean()),
        is_change=is_change and not moves,
        top_Hz=top_Hz,
    )


def _tops(role: str, good: pl.DataFrame) -> tuple[float, float] | None:
    name = top_of(role)
    if name not in good.columns or good[name].null_count() == good.height:
        return None
    tops = good[name].drop_nulls().cast(pl.Float64).to_numpy()
    return float(tops.min()), float(tops.max())


def axis(table: pl.DataFrame) -> tuple[NDArray[np.float64], str]:
    """What spectra are drawn over: their time in h where all have one of their own, else their number."""
    if "time_h" in table.columns and table["time_h"].null_count() == 0 and table["time_h"].n_unique() == table.height:
        return table["time_h"].cast(pl.Float64).to_numpy(), "h"
    number = table["spectrum"] if "spectrum" in table.columns else pl.Series(range(table.height))
    return number.cast(pl.Float64).to_numpy(), "spectrum"


def _line(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[float, float, float]:
    """Slope, its standard error, standard deviation about the line; of two points the error is not known."""
    middle = x - x.mean()
    slope = float(middle @ y / (middle @ middle))
    if len(x) < 3:
        return slope, math.nan, float(np.std(y, ddof=1))
    rest = y - y.mean() - slope * middle
    scatter = math.sqrt(float(rest @ rest) / (len(x) - 2))
    return slope, scatter / math.sqrt(float(middle @ middle)), scatter


def as_json(trend: Trend) -> Mapping[str, object]:
    """A trend as plain JSON."""
    unit = f"slope_ohm_per_{trend.per}"
    return {
        "n": trend.n,
        "mean_ohm": trend.mean_ohm,
        "least_ohm": trend.least_ohm,
        "most_ohm": trend.most_ohm,
        "first_ohm": trend.first_ohm,
        "last_ohm": trend.last_ohm,
        "first_error_ohm": trend.first_error_ohm,
        "last_error_ohm": trend.last_error_ohm,
        "fit_error_ohm": trend.fit_error_ohm,
        "top_Hz": None if trend.top_Hz is None else list(trend.top_Hz),
        "top_moves": trend.moves,
        "change_fraction": None if trend.moves else trend.change,
        "change_error_fraction": None if trend.moves else trend.change_error,
        unit: None if trend.moves else trend.slope,
        unit.replace("slope", "slope_error"): None if trend.moves else trend.slope_error,
        "repeatability_fraction": trend.repeatability,
        "changes": trend.is_change,
        "steady": trend.is_steady,
    }
