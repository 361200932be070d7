"""How well an efficiency is known: current offset, gains, sampling. All limits are read as k = 2 (95 %).

A gain error common to both directions cancels. An offset I0 adds to one direction what it takes from the other:
d(CE) = I0 (t_strip + CE t_plate) / Q_plated, about 2 I0 / I. Different gains: CE (g_strip - g_plate).
Sampling: the end of a branch is known to the interval between the last row of a step and the first of the next.
Counting: what the efficiency of the tester's own counter differs by, where there is one.
Smith, Burns, Dahn, J. Electrochem. Soc. 157, A196 (2010) discuss the offset; the formulas here are derived above.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from interlith.cycling.outcome import Cycled
from interlith.record import Fact
from interlith.units import MICRO, MILLI, SECONDS_PER_HOUR, mAh_PER_Ah

# full-scale ranges that testers commonly have; only to guess one where none is stated
RANGE_MARGIN = 2.0  # a range is not used to its end; guessing it larger claims less
LEAST_REST_ROWS = 100
COMMON_RANGES_mA = tuple(f * 10.0**k for k in range(-3, 6) for f in (1.0, 5.0))


@dataclass(frozen=True)
class Instrument:
    """What is known of the tester: limit of the current offset and its origin, how well the end of a step is known."""

    offset_mA: float
    offset: Fact
    switch_interval_h: float
    gain_difference: float


@dataclass(frozen=True)
class Budget:
    """Uncertainty (k = 2) of one efficiency, or of many (arrays), and its parts."""

    expanded: Any
    offset: Any
    gain: Any
    sampling: Any
    counting: Any

    @property
    def offset_share(self) -> Any:
        """Part of the variance that is offset."""
        return np.divide(np.square(self.offset), np.maximum(np.square(self.expanded), np.finfo(float).tiny))


def instrument(cycled: Cycled) -> Instrument:
    """The current offset, stated or assumed as a fraction of the stated or the likely range, and the switching."""
    edge_h, gain = switch_interval_s(cycled) / SECONDS_PER_HOUR, cycled.thresholds.gain_difference
    if cycled.offset_uA is not None:
        fact = Fact(abs(cycled.offset_uA), "stated", f"current offset {abs(cycled.offset_uA):g} uA (k = 2), stated")
        return Instrument(abs(cycled.offset_uA) * MICRO / MILLI, fact, edge_h, gain)
    if cycled.range_mA is None and (measured := rest_offset_mA(cycled)) is not None:
        source = f"current offset MEASURED from the rests of this record: {measured * MILLI / MICRO:.3g} uA (k = 2)"
        return Instrument(measured, Fact(measured * MILLI / MICRO, "measured", source), edge_h, gain)
    largest = float(np.max(np.abs(cycled.trace.current_A), initial=0.0)) * mAh_PER_Ah
    likely = next((r for r in COMMON_RANGES_mA if r >= RANGE_MARGIN * largest), largest)
    range_mA = cycled.range_mA or likely
    offset_mA = cycled.thresholds.offset_of_range * range_mA
    whose = "stated" if cycled.range_mA else "likely"
    source = (
        f"current offset ASSUMED: {cycled.thresholds.offset_of_range:.3%} of the {whose} range {range_mA:g} mA "
        "(testers: 0.01 to 0.1 %); measure it and state it with --offset-uA"
    )
    return Instrument(offset_mA, Fact(offset_mA * MILLI / MICRO, "assumed", source), edge_h, gain)


def rest_offset_mA(cycled: Cycled) -> float | None:
    """Current offset seen at rest: mean reading and twice its standard error; None where the tester writes zeros."""
    at_rest = cycled.trace.current_A[cycled.trace.sign == 0] * mAh_PER_Ah
    if len(at_rest) < LEAST_REST_ROWS or np.mean(at_rest != 0) < 0.5:
        return None
    return abs(float(np.mean(at_rest))) + 2 * float(np.std(at_rest)) / float(np.sqrt(len(at_rest)))


def budget(
    tester: Instrument,
    *,
    efficiency: Any,
    plated_mAh: Any,
    plate_time_h: Any,
    strip_time_h: Any,
    n_switches: int,
    counting: Any = 0.0,
) -> Budget:
    """Uncertainty of efficiencies from the charges and times they were made of; numbers or arrays of one shape.

    n_switches: changes of step whose moment matters (2 for a cycle, 2 (n + 1) for a reservoir test of n cycles).
    counting: difference between the efficiency of the own integrals and that of the tester's counter.
    """
    offset = tester.offset_mA * (strip_time_h + efficiency * plate_time_h) / plated_mAh
    gain = efficiency * tester.gain_difference
    current_mA = plated_mAh / plate_time_h
    sampling = current_mA * tester.switch_interval_h / 2 * np.sqrt(n_switches) / plated_mAh
    return Budget(np.sqrt(offset**2 + gain**2 + sampling**2 + counting**2), offset, gain, sampling, counting)


def switch_interval_s(cycled: Cycled) -> float:
    """Mean time between the last row of a step and the first row of the next: how well a step's end is known."""
    trace = cycled.trace
    starts = trace.step_starts[1:]
    starts = starts[~trace.gap[starts]]
    flowing = (trace.sign[starts] != 0) | (trace.sign[starts - 1] != 0)
    starts = starts[flowing]
    if len(starts) == 0:
        return 0.0
    return float(np.mean(trace.time_s[starts] - trace.time_s[starts - 1]))


def verdict(loss: float, expanded: float, offset_kind: str) -> str:
    """Whether a loss stands out of its uncertainty, which rests on an offset that was stated or assumed.

    >>> verdict(0.001, 0.005, "stated")
    'not significant: the loss is smaller than its uncertainty'
    """
    basis = "uncertainty" if offset_kind == "stated" else "uncertainty, if the assumed offset holds"
    if abs(loss) <= expanded:
        return f"not significant: the loss is smaller than its {basis}"
    if loss < 0:
        return f"more came back than was plated, beyond the {basis}"
    return "significant"
