"""What is done to a cell, as data: currents, voltages, ramps, rests with their ends, spectra, and repeats.

Currents are per area and signed as in a Record: positive charges the test object, so that in a half cell, whose working
electrode is the host, plating is negative. A step ends at the first of its ends; an end that is None is not there, and
0.0 V is a real one. PyBaMM strings are read by `interlith.pybamm_strings`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from interlith.errors import InputError, did_you_mean
from interlith.units import SECONDS_PER_HOUR
from interlith.written import Written

MOST_FREQUENCIES = 100_000  # of one spectrum


class Rest(Written):
    """No current for a time."""

    kind: Literal["rest"] = "rest"
    duration_s: float = Field(gt=0)


class ConstantCurrent(Written):
    """A constant current until a charge, a voltage or a time is reached, whichever comes first.

    rate_C in its place is signed alike; `Protocol.resolved` turns it into a current density.

    >>> ConstantCurrent(current_density_mA_per_cm2=-1, areal_capacity_mAh_per_cm2=3).duration_s is None
    True
    """

    kind: Literal["constant-current"] = "constant-current"
    current_density_mA_per_cm2: float | None = None
    rate_C: float | None = None
    areal_capacity_mAh_per_cm2: float | None = Field(default=None, gt=0)
    voltage_V: float | None = None
    duration_s: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _ends(self) -> ConstantCurrent:
        if (self.current_density_mA_per_cm2 is None) == (self.rate_C is None):
            raise ValueError("give current_density_mA_per_cm2 or rate_C, one of them")
        if self.current_density_mA_per_cm2 == 0 or self.rate_C == 0:
            raise ValueError("a current of 0 is a rest: use kind = 'rest'")
        if self.areal_capacity_mAh_per_cm2 is None and self.voltage_V is None and self.duration_s is None:
            raise ValueError("the step has no end: give areal_capacity_mAh_per_cm2, voltage_V or duration_s")
        return self

    @property
    def signed_mA_per_cm2(self) -> float:
        """The current density, of a step whose C-rate is resolved."""
        if self.current_density_mA_per_cm2 is None:
            raise InputError(f"rate_C = {self.rate_C}: what 1C fills is not known here")
        return self.current_density_mA_per_cm2


class ConstantVoltage(Written):
    """A voltage held until the current has fallen to a size, a charge has passed or a time is over.

    current_density_mA_per_cm2 is that size, without a sign; rate_C in its place is resolved by `Protocol.resolved`.
    """

    kind: Literal["constant-voltage"] = "constant-voltage"
    voltage_V: float
    current_density_mA_per_cm2: float | None = Field(default=None, gt=0)
    rate_C: float | None = Field(default=None, gt=0)
    areal_capacity_mAh_per_cm2: float | None = Field(default=None, gt=0)
    duration_s: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _ends(self) -> ConstantVoltage:
        if self.current_density_mA_per_cm2 is not None and self.rate_C is not None:
            raise ValueError("give current_density_mA_per_cm2 or rate_C, not both")
        ends = (self.current_density_mA_per_cm2, self.rate_C, self.areal_capacity_mAh_per_cm2, self.duration_s)
        if all(end is None for end in ends):
            raise ValueError(
                "the step has no end: give current_density_mA_per_cm2, rate_C, areal_capacity_mAh_per_cm2 or duration_s"
            )
        return self


class Ramp(Written):
    """A voltage that moves at a constant rate to another, from where the cell is unless that is given.

    The rate has no sign: the two voltages say whether it falls or rises.
    """

    kind: Literal["ramp"] = "ramp"
    rate_mV_per_s: float = Field(gt=0)
    to_voltage_V: float
    from_voltage_V: float | None = None

    @model_validator(mode="after")
    def _moves(self) -> Ramp:
        if self.from_voltage_V is not None and self.from_voltage_V == self.to_voltage_V:
            raise ValueError("a ramp that stays where it is: use kind = 'constant-voltage'")
        return self


class Impedance(Written):
    """Impedance at the state that the cell is in, without a current, at frequencies equally spaced in their logarithm.

    from_Hz is the highest and comes first. amplitude_mV is what the instrument would use; the answer is linear, so it
    is recorded and changes nothing. A simulation lets no time pass, where a real spectrum down to 0.01 Hz takes some
    ten minutes in which the cell may change.

    >>> Impedance(from_Hz=100, to_Hz=1, points_per_decade=1).frequencies_Hz
    (100.0, 10.0, 1.0)
    """

    kind: Literal["impedance"] = "impedance"
    from_Hz: float = Field(default=1e6, gt=0)
    to_Hz: float = Field(default=0.01, gt=0)
    points_per_decade: float = Field(default=10, gt=0)
    amplitude_mV: float = Field(default=10.0, gt=0)

    @model_validator(mode="after")
    def _falls(self) -> Impedance:
        if self.from_Hz <= self.to_Hz:
            raise ValueError(
                f"from_Hz = {self.from_Hz:g} must be above to_Hz = {self.to_Hz:g}: a spectrum begins at the highest"
            )
        if not self._decades * self.points_per_decade < MOST_FREQUENCIES:
            raise ValueError(f"more than {MOST_FREQUENCIES} frequencies: fewer points_per_decade")
        return self

    @property
    def _decades(self) -> float:
        return math.log10(self.from_Hz) - math.log10(self.to_Hz)

    @property
    def frequencies_Hz(self) -> tuple[float, ...]:
        """From the highest to the lowest, both ends among them; the spacing is rounded so that it fits."""
        n = max(round(self._decades * self.points_per_decade), 1)
        return (self.from_Hz, *(self.from_Hz * 10 ** (-self._decades * k / n) for k in range(1, n)), self.to_Hz)


class Repeat(Written):
    """Steps done several times over; fewer when the efficiency stays below a limit so many times in a row.

    The efficiency of a round is what it stripped (positive charge) over what it plated. Only a runner can know it:
    `Protocol.executed` goes all the rounds.
    """

    kind: Literal["repeat"] = "repeat"
    times: int = Field(ge=1)
    steps: tuple[Step, ...] = Field(min_length=1)
    stop_below_efficiency: float | None = Field(default=None, gt=0, le=1)
    stop_after: int = Field(default=3, ge=1)


Executed = Rest | ConstantCurrent | ConstantVoltage | Ramp | Impedance
Step = Annotated[Rest | ConstantCurrent | ConstantVoltage | Ramp | Impedance | Repeat, Field(discriminator="kind")]


class Protocol(Written):
    """A named sequence of steps; `title` says in a few words what it is, the first cycles may be formation."""

    name: str
    title: str = ""
    formation_cycles: int = Field(default=0, ge=0)
    steps: tuple[Step, ...]

    def resolved(self, nominal_mAh_per_cm2: float | None = None) -> Protocol:
        """The same steps with every C-rate as a current density. Raises InputError when what 1C fills is not given.

        >>> half = Protocol(name="x", steps=(ConstantCurrent(rate_C=-0.5, duration_s=60),))
        >>> half.resolved(4.0).steps[0].current_density_mA_per_cm2
        -2.0
        """
        if nominal_mAh_per_cm2 is not None and not 0 < nominal_mAh_per_cm2 < float("inf"):
            raise InputError(f"nominal_mAh_per_cm2 = {nominal_mAh_per_cm2:g}: a capacity per area above 0")
        return self.model_copy(update={"steps": _resolved(self.steps, nominal_mAh_per_cm2, self.name)})

    @property
    def n_steps(self) -> int:
        """Steps with all repeats done to their last round.

        >>> Protocol(name="x", steps=(Repeat(times=3, steps=(Rest(duration_s=1), Rest(duration_s=2))),)).n_steps
        6
        """
        return _count(self.steps)

    def executed(self, nominal_mAh_per_cm2: float | None = None) -> Iterator[Executed]:
        """The steps one after the other, repeats unrolled to their last round, C-rates resolved."""
        return _unrolled(self.resolved(nominal_mAh_per_cm2).steps)


def _count(steps: tuple[Step, ...]) -> int:
    return sum(step.times * _count(step.steps) if isinstance(step, Repeat) else 1 for step in steps)


def _resolved(steps: tuple[Step, ...], nominal_mAh_per_cm2: float | None, name: str) -> tuple[Step, ...]:
    found: list[Step] = []
    for step in steps:
        if isinstance(step, Repeat):
            inner = _resolved(step.steps, nominal_mAh_per_cm2, name)
            found.append(step.model_copy(update={"steps": inner}))
        elif isinstance(step, (ConstantCurrent, ConstantVoltage)) and step.rate_C is not None:
            if nominal_mAh_per_cm2 is None:
                raise InputError(f"protocol {name}: rate_C = {step.rate_C:g} needs nominal_mAh_per_cm2, what 1C fills")
            current = step.rate_C * nominal_mAh_per_cm2
            found.append(step.model_copy(update={"rate_C": None, "current_density_mA_per_cm2": current}))
        else:
            found.append(step)
    return tuple(found)


def _unrolled(steps: tuple[Step, ...]) -> Iterator[Executed]:
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


def half_cell_efficiency(
    *, current_density_mA_per_cm2: float, plated_mAh_per_cm2: float, n_cycles: int, n_formation: int = 3
) -> Protocol:
    """Formation at 0.2 mA/cm2 and 1 mAh/cm2, then plate a charge and strip to 1 V, many times."""
    formation = (_plate(0.2, 1.0), ConstantCurrent(current_density_mA_per_cm2=0.2, voltage_V=1.0))
    strip = ConstantCurrent(current_density_mA_per_cm2=current_density_mA_per_cm2, voltage_V=1.0)
    cycles = Repeat(times=n_cycles, steps=(_plate(current_density_mA_per_cm2, plated_mAh_per_cm2), strip))
    before = (Repeat(times=n_formation, steps=formation),) if n_formation else ()
    name = f"half-cell-{current_density_mA_per_cm2:g}"
    return Protocol(name=name, formation_cycles=n_formation, steps=(*before, cycles))


def rest_recovery() -> Protocol:
    """Plate 1 mAh/cm2, strip to 1 V, rest, strip to 1 V again: five times with 60 s, 10 h and 60 s of rest.

    What the second strip gives after a long rest, and not after a short one, was dead. It comes before the next
    plating, since an hour of plating may revive as much as the rest. After Zhang et al., Nature 626, 306 (2024;
    citation not confirmed), who recovered capacity by a rest in the discharged state.
    """

    def cycles(rest_s: float) -> Repeat:
        strip = ConstantCurrent(current_density_mA_per_cm2=1.0, voltage_V=1.0)
        return Repeat(times=5, steps=(_plate(1.0, 1.0), strip, Rest(duration_s=rest_s), strip))

    steps = (cycles(60.0), cycles(10 * SECONDS_PER_HOUR), cycles(60.0))
    return Protocol(
        name="rest-recovery", title="rests of 60 s, 10 h, 60 s when stripped, then stripped again", steps=steps
    )


def strip_rate_sweep() -> Protocol:
    """1 mAh/cm2 plated at 1 mA/cm2, stripped at 0.2, 0.5, 1, 2 and 5 mA/cm2, five cycles each."""
    rates = (0.2, 0.5, 1.0, 2.0, 5.0)
    steps = tuple(
        Repeat(times=5, steps=(_plate(1.0, 1.0), ConstantCurrent(current_density_mA_per_cm2=i, voltage_V=1.0)))
        for i in rates
    )
    return Protocol(name="strip-rate-sweep", title="1 mAh/cm2 stripped at 0.2 to 5 mA/cm2", steps=steps)


def cv_zno() -> Protocol:
    """Cyclic voltammetry of a coated host: 12 h rest, then three sweeps at 0.1 mV/s to 0 V and to 1 V.

    Shen et al., Nat. Commun. (2025), doi:10.1038/s41467-025-60609-4.
    """
    down, up = Ramp(rate_mV_per_s=0.1, to_voltage_V=0.0), Ramp(rate_mV_per_s=0.1, to_voltage_V=1.0)
    rest = Rest(duration_s=12 * SECONDS_PER_HOUR)
    return Protocol(
        name="cv-zno",
        title="12 h rest, three sweeps at 0.1 mV/s between 0 and 1 V (Shen 2025)",
        steps=(rest, Repeat(times=3, steps=(down, up))),
    )


def eis() -> Protocol:
    """Plate 1 mAh/cm2 and strip it, a spectrum, plate 1 mAh/cm2 again, a spectrum; 60 s of rest before each.

    4 MHz to 0.01 Hz with 10 mV after an activation cycle, as Shen et al., Nat. Commun. (2025),
    doi:10.1038/s41467-025-60609-4, measured stripped hosts. A host that is empty has only a double layer, so the
    charge-transfer arc stands in the second spectrum. In a symmetric cell the cycle goes to and fro.
    """
    strip = ConstantCurrent(current_density_mA_per_cm2=1.0, areal_capacity_mAh_per_cm2=1.0, voltage_V=1.0)
    spectrum = (Rest(duration_s=60.0), Impedance(from_Hz=4e6, to_Hz=0.01))
    return Protocol(
        name="eis",
        title="4 MHz-0.01 Hz after one cycle of 1 mAh/cm2 (Shen 2025), and again with 1 mAh/cm2 plated",
        steps=(_plate(1.0, 1.0), strip, *spectrum, _plate(1.0, 1.0), *spectrum),
    )


def cccv(
    current_density_mA_per_cm2: float, voltage_V: float, end_current_density_mA_per_cm2: float
) -> tuple[ConstantCurrent, ConstantVoltage]:
    """A constant current to a voltage, then that voltage until the current has fallen.

    >>> [step.kind for step in cccv(1.0, 4.2, 0.05)]
    ['constant-current', 'constant-voltage']
    """
    return (
        ConstantCurrent(current_density_mA_per_cm2=current_density_mA_per_cm2, voltage_V=voltage_V),
        ConstantVoltage(voltage_V=voltage_V, current_density_mA_per_cm2=end_current_density_mA_per_cm2),
    )


def _full_cycles(rate_C: float, lower_V: float, upper_V: float, n_cycles: int) -> Repeat:
    """Charge to the upper, discharge to the lower voltage at a C-rate."""
    charge = ConstantCurrent(rate_C=rate_C, voltage_V=upper_V)
    return Repeat(times=n_cycles, steps=(charge, ConstantCurrent(rate_C=-rate_C, voltage_V=lower_V)))


def _li_ncm811() -> Protocol:
    title = "100 cycles at 0.5C between 2.8 and 4.3 V (Shen 2025)"
    return Protocol(name="li-ncm811", title=title, steps=(_full_cycles(0.5, 2.8, 4.3, 100),))


def _li_lco() -> Protocol:
    title = "100 cycles at 1C between 3.0 and 4.6 V (Shen 2025)"
    return Protocol(name="li-lco", title=title, steps=(_full_cycles(1.0, 3.0, 4.6, 100),))


def _pouch(name: str, held: bool) -> Protocol:
    """Formation twice at 0.1C, then 50 cycles at 0.33C between 2.75 and 4.25 V; held: 4.25 V until 0.05C."""
    cycles = _full_cycles(0.33, 2.75, 4.25, 50)
    title = "formation twice at 0.1C, 50 cycles at 0.33C between 2.75 and 4.25 V (Shen 2025)"
    if held:
        charge, discharge = cycles.steps
        hold = ConstantVoltage(voltage_V=4.25, rate_C=0.05)
        cycles = cycles.model_copy(update={"steps": (charge, hold, discharge)})
        title += ", held at 4.25 V until 0.05C (assumed)"
    return Protocol(name=name, title=title, formation_cycles=2, steps=(_full_cycles(0.1, 2.75, 4.25, 2), cycles))


def _anode_free() -> Protocol:
    title = "one cycle at 0.1C, five at 0.33C between 2.75 and 4.25 V (assumed)"
    steps = (_full_cycles(0.1, 2.75, 4.25, 1), _full_cycles(0.33, 2.75, 4.25, 5))
    return Protocol(name="anode-free", title=title, formation_cycles=1, steps=steps)


def _full_cv(name: str, lower_V: float, upper_V: float) -> Protocol:
    up, down = Ramp(rate_mV_per_s=0.1, to_voltage_V=upper_V), Ramp(rate_mV_per_s=0.1, to_voltage_V=lower_V)
    title = f"12 h rest, three sweeps at 0.1 mV/s between {lower_V:g} and {upper_V:g} V (Shen 2025)"
    return Protocol(
        name=name, title=title, steps=(Rest(duration_s=12 * SECONDS_PER_HOUR), Repeat(times=3, steps=(up, down)))
    )


def _full_eis(name: str, rate_C: float, lower_V: float, upper_V: float) -> Protocol:
    """One cycle, an hour of rest, then a spectrum discharged; and one charged, which Shen et al. do not have."""
    charge, discharge = _full_cycles(rate_C, lower_V, upper_V, 1).steps
    rest, spectrum = Rest(duration_s=SECONDS_PER_HOUR), Impedance(from_Hz=4e6, to_Hz=0.01)
    title = "one cycle, spectra discharged and charged, 4 MHz to 0.01 Hz (Shen 2025: discharged)"
    return Protocol(name=name, title=title, steps=(charge, discharge, rest, spectrum, charge, rest, spectrum))


def _called(made: Protocol, name: str, title: str) -> Protocol:
    return made.model_copy(update={"name": name, "title": title})


def _half_cell(current: float, plated: float, n_cycles: int, n_formation: int = 3) -> Protocol:
    made = half_cell_efficiency(
        current_density_mA_per_cm2=current, plated_mAh_per_cm2=plated, n_cycles=n_cycles, n_formation=n_formation
    )
    title = f"plate {plated:g} mAh/cm2 at {current:g} mA/cm2, strip to 1 V, {n_cycles} times (Shen 2025)"
    return _called(made, f"half-cell-{current:g}", title)


def _symmetric(size: float) -> Protocol:
    made = symmetric(areal_capacity_mAh_per_cm2=size, current_density_mA_per_cm2=size, n_cycles=200)
    title = f"{size:g} mAh/cm2 at {size:g} mA/cm2 to and fro, 200 times (Shen 2025)"
    return _called(made, f"symmetric-{size:g}", title)


# The protocols of Shen et al., Nat. Commun. (2025), doi:10.1038/s41467-025-60609-4, and two that tell rivals apart
PROTOCOLS: Mapping[str, Callable[[], Protocol]] = {
    "aurbach": lambda: _called(
        reservoir(), "aurbach", "reservoir of 3 mAh/cm2, ten times 1 mAh/cm2, strip all to 1 V (Shen 2025)"
    ),
    "half-cell-1": lambda: _half_cell(1.0, 1.0, 200),
    "half-cell-5": lambda: _half_cell(5.0, 1.0, 100),
    "half-cell-0.5": lambda: _half_cell(0.5, 0.5, 2000, n_formation=0),
    "symmetric-1": lambda: _symmetric(1.0),
    "symmetric-3": lambda: _symmetric(3.0),
    "rest-recovery": rest_recovery,
    "strip-rate-sweep": strip_rate_sweep,
    "cv-zno": cv_zno,
    "eis": eis,
    "li-ncm811": _li_ncm811,
    "li-ncm811-cv": lambda: _full_cv("li-ncm811-cv", 2.8, 4.3),
    "li-ncm811-eis": lambda: _full_eis("li-ncm811-eis", 0.5, 2.8, 4.3),
    "li-lco": _li_lco,
    "li-lco-cv": lambda: _full_cv("li-lco-cv", 3.0, 4.6),
    "li-lco-eis": lambda: _full_eis("li-lco-eis", 1.0, 3.0, 4.6),
    "pouch-ncm90": lambda: _pouch("pouch-ncm90", held=False),
    "pouch-ncm90-cccv": lambda: _pouch("pouch-ncm90-cccv", held=True),
    "anode-free": _anode_free,
}


def named(name: str) -> Protocol:
    """A shipped protocol. Raises InputError naming the nearest.

    >>> named("aurbach").name
    'aurbach'
    """
    if name not in PROTOCOLS:
        hint = did_you_mean(name, PROTOCOLS)
        raise InputError(f"protocol {name}: not a shipped one; these are: {', '.join(PROTOCOLS)}.{hint}")
    return PROTOCOLS[name]()
