"""What a simulated test leaves behind, made of the rows that the integrator wrote: Record, Ledger, states, profiles."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from interlith import __version__
from interlith.cell import account
from interlith.cell.full import Particles
from interlith.cell.lumped import Circuit, Electrode
from interlith.cell.models import Model
from interlith.cell.profiles import profiles
from interlith.cell.swelling import thickness_um
from interlith.ledger import CYCLE, STEP, TIME, WORKING, LEAST_mAh_PER_CM2, Ledger
from interlith.parts.cell import Cell, Foil
from interlith.protocol import Protocol
from interlith.record import CURRENT as CURRENT_COLUMN
from interlith.record import FREQUENCY, IMAGINARY, REAL, SPECTRUM, CellFacts, Fact, Provenance, Record
from interlith.record import VOLTAGE as VOLTAGE_COLUMN
from interlith.units import MILLI, A_PER_M2_PER_mA_PER_CM2, C_PER_M2_PER_mAh_PER_CM2

Parts = tuple[Electrode, Electrode | Particles, Circuit]
SCARCE = 0.05  # of the salt as filled in: below, transport in the electrolyte decides and not the lithium


@dataclass(frozen=True)
class Step:
    """One executed step: its number from 1, its cycle, what it was, why it ended, charge passed in mAh/cm2."""

    number: int
    cycle: int
    kind: str
    ended_by: str
    passed_mAh_per_cm2: float


@dataclass(frozen=True)
class Simulation:
    """What a simulated test leaves behind. `stopped`: why the cell ended before its protocol did, or None.

    thickness_um is a column of `states` next to the electrodes' potentials, one row per row of the record. profiles:
    what lies where over the depth at the end of each step (cell/profiles.py); None for a lumped cell. Spectra lie
    in the record, each behind the row of its state; impedance_parts: what each part of the cell adds to them
    (cell/impedance.py), None without any.
    """

    record: Record
    ledger: Ledger
    states: pl.DataFrame
    profiles: pl.DataFrame | None
    impedance_parts: pl.DataFrame | None
    steps: tuple[Step, ...]
    stopped: str | None
    cell: Cell
    protocol: Protocol


@dataclass(frozen=True)
class Spectrum:
    """A spectrum: the step that it is, its frequencies, what each part adds, complex, ohm cm2 of the working area."""

    step: int
    frequency_Hz: NDArray[np.float64]
    parts_ohm_cm2: Mapping[str, NDArray[np.complex128]]


@dataclass(frozen=True)
class Rows:
    """What the integrator wrote: values float64[n, (voltage, current, account)], step and cycle int64[n]."""

    values: NDArray[np.float64]
    step: NDArray[np.int64]
    cycle: NDArray[np.int64]

    @property
    def account(self) -> NDArray[np.float64]:
        """float64[n, N_ACCOUNT]."""
        return self.values[:, 2:]

    @property
    def time(self) -> NDArray[np.float64]:
        """Seconds since the test began."""
        return self.account[:, account.TIME]

    @property
    def index(self) -> dict[str, NDArray[np.int64]]:
        """The columns that say to what a row belongs."""
        return {STEP: self.step, CYCLE: self.cycle}


def simulation(
    cell: Cell,
    protocol: Protocol,
    how: str,
    made: Model,
    rows: Rows,
    ends: Sequence[NDArray[np.float64]],
    spectra: Sequence[Spectrum],
    steps: tuple[Step, ...],
    stopped: str | None,
) -> Simulation:
    """Everything of a test that was simulated.

    how: model, tolerance and mesh in words; ends: states of a resolved cell at the ends of its steps; spectra: those of
    steps that have one row. Raises PhysicsError for a ledger that does not close.
    """
    parts = made.system.working, made.system.counter, made.system.circuit
    entries = _entries(cell, parts, rows.account)
    return Simulation(
        record=_record(cell, protocol, how, parts, rows, spectra),
        ledger=Ledger(pl.DataFrame({TIME: rows.time, **rows.index, **entries})),
        states=_states(cell, rows.account),
        profiles=_profiles(made, ends, steps),
        impedance_parts=_impedance_parts(spectra),
        steps=steps,
        stopped=stopped,
        cell=cell,
        protocol=protocol,
    )


def _record(cell: Cell, protocol: Protocol, how: str, parts: Parts, rows: Rows, spectra: Sequence[Spectrum]) -> Record:
    """As a tester would have written it: amperes of the real area, one row per step of the integrator."""
    inputs = f"{cell.model_dump_json()} {protocol.model_dump_json()} {how} {parts}"
    name = f"simulated {_label(cell)}, {protocol.name}"
    sign = cell.polarity
    amperes = sign * rows.values[:, 1] / A_PER_M2_PER_mA_PER_CM2 * MILLI * cell.area_cm2
    passed = sign * rows.account[:, account.PASSED]
    growth = np.diff(passed, prepend=passed[0]) * cell.area_cm2 / C_PER_M2_PER_mAh_PER_CM2 * MILLI
    table = pl.DataFrame(
        {
            TIME: rows.time,
            VOLTAGE_COLUMN: sign * rows.values[:, 0],
            CURRENT_COLUMN: amperes,
            **rows.index,
            "charging_capacity_ah": np.cumsum(np.maximum(growth, 0.0)),
            "discharging_capacity_ah": np.cumsum(np.maximum(-growth, 0.0)),
        }
    )
    table = _with_spectra(table, spectra, cell.area_cm2)
    facts = CellFacts(
        area_cm2=Fact(cell.area_cm2, "stated", "the simulated cell"),
        working_electrode=Fact("host" if sign > 0 else "positive", "stated", "the simulated cell"),
        plating_sign=Fact(-sign, "stated", "the simulated cell"),
    )
    provenance = Provenance(
        path=name,
        sha256=hashlib.sha256(inputs.encode()).hexdigest(),
        format="simulated",
        reader=f"interlith {__version__}",
        instrument=f"interlith, {how}: simulated, not measured",
        n_rows_in_file=table.height,
    )
    return Record(table=table, provenance=provenance, facts=facts)


def _with_spectra(table: pl.DataFrame, spectra: Sequence[Spectrum], area_cm2: float) -> pl.DataFrame:
    """Each spectrum behind the one row of its step, whose time, voltage and current are those of its points."""
    if not spectra:
        return table
    points = []
    for number, one in enumerate(spectra):
        z = np.sum(list(one.parts_ohm_cm2.values()), axis=0) / area_cm2
        columns = {FREQUENCY: one.frequency_Hz, REAL: z.real, IMAGINARY: z.imag}
        index = {name: np.full(len(z), value) for name, value in ((STEP, one.step), (SPECTRUM, number))}
        points.append(pl.DataFrame({**index, **columns}))
    states = table.select(STEP, TIME, VOLTAGE_COLUMN, CURRENT_COLUMN, CYCLE)
    found = pl.concat(points).join(states, on=STEP, maintain_order="left")
    return pl.concat([table, found], how="diagonal").sort(STEP, SPECTRUM, nulls_last=False, maintain_order=True)


def _impedance_parts(spectra: Sequence[Spectrum]) -> pl.DataFrame | None:
    """One row for each spectrum, part and frequency; ohm cm2 of the working electrode."""
    found = [
        pl.DataFrame({SPECTRUM: number, "part": name, "frequency_Hz": one.frequency_Hz}).with_columns(
            real_ohm_cm2=z.real, imaginary_ohm_cm2=z.imag
        )
        for number, one in enumerate(spectra)
        for name, z in one.parts_ohm_cm2.items()
    ]
    return pl.concat(found) if found else None


def _profiles(made: Model, ends: Sequence[NDArray[np.float64]], steps: tuple[Step, ...]) -> pl.DataFrame | None:
    if not made.has_depth:
        return None
    return profiles(made.system, np.array(ends), [s.number for s in steps], [s.cycle for s in steps])


def _label(cell: Cell) -> str:
    working = cell.working
    if isinstance(working, Foil):
        return working.interlayer.name if working.interlayer else working.name
    return working.name


def _entries(cell: Cell, parts: Parts, y: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """The account of every row in mAh/cm2 of the working electrode, and by how much it does not close.

    Column by column: an array of all of them at once would be the largest of a long test.
    """
    working, counter, circuit = parts
    ratio, o = circuit.counter_per_working, account.COUNTER

    def moved(*states: int) -> NDArray[np.float64]:
        return _total(y[:, k] - y[0, k] for k in states)

    def held(first: int, *states: int) -> NDArray[np.float64]:
        return _total(y[:, first + k] for k in states)

    lithium = tuple(range(account.POTENTIAL))  # what stands before it
    working_layer = -working.double_layer_F_per_m2 * moved(account.POTENTIAL)
    counter_layer = -counter.double_layer_F_per_m2 * moved(o + account.POTENTIAL) * ratio
    own = moved(*lithium) + working_layer
    against_charge = own + moved(account.PASSED) - moved(account.SHORTED)
    against_counter = own + moved(*(o + k for k in lithium)) * ratio + counter_layer
    nothing = np.zeros(len(y))
    positive = cell.polarity < 0
    metal = account.PORES, account.TOP, account.FOIL
    dead, rest = (account.DEAD_PORES, account.DEAD_TOP), (account.SEI, account.CONVERTED, account.ALLOYED)
    found = {
        **{name: y[:, k] for k, name in enumerate(WORKING)},
        "counter_active": nothing if positive else held(o, *metal) * ratio,
        "counter_dead": nothing if positive else held(o, *dead) * ratio,
        "counter_other": held(o, *rest) * ratio,
        "positive": held(o, account.PORES) if positive else nothing,
        "positive_stranded": held(o, account.DEAD_PORES) if positive else nothing,
        "double_layer": working_layer + counter_layer,
        "revived": y[:, account.REVIVED] + y[:, o + account.REVIVED] * ratio,
        "electrolyte_consumed": y[:, account.SEI] + y[:, o + account.SEI] * ratio,
        "shorted": moved(account.SHORTED),
        "short_carried": moved(account.CARRIED),
        "passed": moved(account.PASSED),
        "residual": np.where(np.abs(against_charge) > np.abs(against_counter), against_charge, against_counter),
    }
    return {name: values / C_PER_M2_PER_mAh_PER_CM2 for name, values in found.items()}


def _total(columns: Iterator[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Their sum, with one of them in memory at a time."""
    total = next(columns).copy()
    for column in columns:
        total += column
    return total


def _states(cell: Cell, y: NDArray[np.float64]) -> pl.DataFrame:
    """What is neither record nor ledger: potentials of both electrodes, thickness of the host with its lithium."""
    pores = (y[:, account.PORES] + y[:, account.DEAD_PORES]) / C_PER_M2_PER_mAh_PER_CM2
    top = (y[:, account.TOP] + y[:, account.DEAD_TOP]) / C_PER_M2_PER_mAh_PER_CM2
    columns = {
        TIME: y[:, account.TIME],
        "working_potential_volt": y[:, account.POTENTIAL],
        "counter_potential_volt": y[:, account.COUNTER + account.POTENTIAL],
        **{f"thickness_um.{name}": values for name, values in thickness_um(cell.working, pores, top).items()},
    }
    return pl.DataFrame(columns)


def ramps(done: Simulation) -> pl.DataFrame | None:
    """Current against voltage of all ramps: ramp (numbered from 1), voltage_V, current_mA_per_cm2, test_time_s."""
    numbers = [step.number for step in done.steps if step.kind == "ramp"]
    if not numbers:
        return None
    order = pl.DataFrame({STEP: numbers, "ramp": range(1, len(numbers) + 1)})
    return done.record.table.join(order, on=STEP, maintain_order="left").select(
        "ramp",
        pl.col(VOLTAGE_COLUMN).alias("voltage_V"),
        (pl.col(CURRENT_COLUMN) / (MILLI * done.cell.area_cm2)).alias("current_mA_per_cm2"),
        pl.col(TIME).alias("test_time_s"),
    )


def depth(done: Simulation) -> pl.DataFrame | None:
    """The profiles at the end of the last step that plated and of the last that stripped; column `after` says which."""
    if done.profiles is None:
        return None
    wanted: dict[str, int] = {}
    for step in done.steps:
        if abs(step.passed_mAh_per_cm2) > LEAST_mAh_PER_CM2:
            wanted["plating" if step.passed_mAh_per_cm2 < 0 else "stripping"] = step.number
    schema = {"after": pl.String, STEP: pl.Int64}
    after = pl.DataFrame({"after": list(wanted), STEP: list(wanted.values())}, schema=schema)
    return done.profiles.join(after, on=STEP, maintain_order="left")
