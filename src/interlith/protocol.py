"""What is done to a cell, as data: steps of constant current with their ends, rests, repeats.

Currents are per area and signed as in a Record: positive charges the test object. A step ends at the first of its ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Rest(_Frozen):
    """No current for a time."""

    kind: Literal["rest"] = "rest"
    duration_s: float = Field(gt=0)


class ConstantCurrent(_Frozen):
    """A constant current until a charge, a voltage or a time is reached, whichever comes first.

    >>> ConstantCurrent(current_density_mA_per_cm2=-1, areal_capacity_mAh_per_cm2=3).duration_s is None
    True
    """

    kind: Literal["constant-current"] = "constant-current"
    current_density_mA_per_cm2: float
    areal_capacity_mAh_per_cm2: float | None = Field(default=None, gt=0)
    voltage_V: float | None = None
    duration_s: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _ends(self) -> ConstantCurrent:
        if self.current_density_mA_per_cm2 == 0:
            raise ValueError("a current of 0 is a rest: use kind = 'rest'")
        if self.areal_capacity_mAh_per_cm2 is None and self.voltage_V is None and self.duration_s is None:
            raise ValueError("the step has no end: give areal_capacity_mAh_per_cm2, voltage_V or duration_s")
        return self


class Repeat(_Frozen):
    """Steps done several times over."""

    kind: Literal["repeat"] = "repeat"
    times: int = Field(ge=1)
    steps: tuple[Step, ...]


Step = Annotated[Rest | ConstantCurrent | Repeat, Field(discriminator="kind")]


class Protocol(_Frozen):
    """A named sequence of steps."""

    name: str
    steps: tuple[Step, ...]

    def executed(self) -> Iterator[Rest | ConstantCurrent]:
        """The steps one after the other, repeats unrolled."""
        yield from _unrolled(self.steps)


def _unrolled(steps: tuple[Step, ...]) -> Iterator[Rest | ConstantCurrent]:
    for step in steps:
        if isinstance(step, Repeat):
            for _ in range(step.times):
                yield from _unrolled(step.steps)
        else:
            yield step


def reservoir(
    *,
    reservoir_mAh_per_cm2: float = 3.0,
    cycled_mAh_per_cm2: float = 1.0,
    n_cycles: int = 10,
    current_density_mA_per_cm2: float = 1.0,
    cutoff_V: float = 1.0,
    formation_current_mA_per_cm2: float | None = 0.3,
) -> Protocol:
    """Reservoir (Aurbach) test of a host: formation cycle, reservoir, n times strip and plate, strip all.

    The defaults are those of Shen et al., Nat. Commun. (2025), doi:10.1038/s41467-025-60609-4. Plating is negative.
    """
    i, t, c = current_density_mA_per_cm2, reservoir_mAh_per_cm2, cycled_mAh_per_cm2
    formation: tuple[Step, ...] = ()
    if formation_current_mA_per_cm2 is not None:
        f = formation_current_mA_per_cm2
        formation = (_plate(f, t), ConstantCurrent(current_density_mA_per_cm2=f, voltage_V=cutoff_V))
    inner = (
        ConstantCurrent(current_density_mA_per_cm2=i, areal_capacity_mAh_per_cm2=c, voltage_V=cutoff_V),
        _plate(i, c),
    )
    last = ConstantCurrent(current_density_mA_per_cm2=i, voltage_V=cutoff_V)
    return Protocol(name="reservoir", steps=(*formation, _plate(i, t), Repeat(times=n_cycles, steps=inner), last))


def efficiency(
    *,
    plated_mAh_per_cm2: float = 1.0,
    n_cycles: int = 100,
    current_density_mA_per_cm2: float = 1.0,
    cutoff_V: float = 1.0,
    rest_s: float = 60.0,
) -> Protocol:
    """Plate a fixed charge, strip to a cut-off, many times. Plating is negative."""
    strip = ConstantCurrent(current_density_mA_per_cm2=current_density_mA_per_cm2, voltage_V=cutoff_V)
    rest = Rest(duration_s=rest_s)
    steps = (_plate(current_density_mA_per_cm2, plated_mAh_per_cm2), rest, strip, rest)
    return Protocol(name="efficiency", steps=(Repeat(times=n_cycles, steps=steps),))


def symmetric(
    *, areal_capacity_mAh_per_cm2: float = 1.0, current_density_mA_per_cm2: float = 1.0, n_cycles: int = 40
) -> Protocol:
    """Equal charges to and fro between two lithium electrodes."""
    to, fro = (
        ConstantCurrent(
            current_density_mA_per_cm2=s * current_density_mA_per_cm2,
            areal_capacity_mAh_per_cm2=areal_capacity_mAh_per_cm2,
        )
        for s in (-1, 1)
    )
    return Protocol(name="symmetric", steps=(Repeat(times=n_cycles, steps=(to, fro)),))


def full(
    *,
    current_density_mA_per_cm2: float = 1.0,
    upper_V: float = 4.3,
    lower_V: float = 2.8,
    n_cycles: int = 50,
    rest_s: float = 300.0,
) -> Protocol:
    """Charge to the upper, discharge to the lower voltage, many times. Charging plates lithium on the negative."""
    charge = ConstantCurrent(current_density_mA_per_cm2=current_density_mA_per_cm2, voltage_V=upper_V)
    discharge = ConstantCurrent(current_density_mA_per_cm2=-current_density_mA_per_cm2, voltage_V=lower_V)
    rest = Rest(duration_s=rest_s)
    return Protocol(name="full", steps=(Repeat(times=n_cycles, steps=(charge, rest, discharge, rest)),))


def _plate(current_density_mA_per_cm2: float, areal_capacity_mAh_per_cm2: float) -> ConstantCurrent:
    return ConstantCurrent(
        current_density_mA_per_cm2=-current_density_mA_per_cm2, areal_capacity_mAh_per_cm2=areal_capacity_mAh_per_cm2
    )
