"""SYNTHETIC tests of known truth, for demonstrations and for checking the analyses. Not a model of a cell.

A `ToyCell` obeys a bookkeeping rule (each plated charge loses a fixed fraction) and draws a plain voltage. What it says
is true by construction, so an analysis can be held against it. The electrochemical model is another thing.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from interlith import protocol as protocols
from interlith.errors import InputError
from interlith.protocol import ConstantCurrent, Protocol, Rest
from interlith.record import CellFacts, Fact, Provenance, Record, write_record
from interlith.units import SECONDS_PER_HOUR, mAh_PER_Ah

Floats = NDArray[np.float64]
STRIP_KNEE_mAh = 0.002  # the charge over which the voltage rises when the lithium is used up
DIP_mAh, DIP_V = 0.01, 0.03


@dataclass
class ToyCell:
    """Lithium on a host (`kind` host), between two lithiums (symmetric), or against a positive electrode (full).

    loss(i): fraction of the charge plated in cycle i that does not come back. leak(time_h): the part of the voltage
    that a soft short takes away. capacity_mAh: of the positive electrode. noise_V: of the voltage, Gaussian.
    """

    kind: str
    area_cm2: float = 1.0
    resistance_ohm_cm2: float = 20.0
    loss: Callable[[int], float] = lambda cycle: 0.0
    leak: Callable[[Floats], Floats] = lambda time_h: np.zeros_like(time_h)
    capacity_mAh: float = 4.0
    noise_V: float = 0.0
    plated_mAh: float = field(default=0.0, init=False)
    cycle: int = field(default=0, init=False)

    def available_mAh(self, current_mA: float) -> float:
        """Charge that can still pass in this direction."""
        if self.kind == "symmetric":
            return np.inf
        if self.kind == "full":
            return self.capacity_mAh - self.plated_mAh if current_mA > 0 else self.plated_mAh
        return np.inf if current_mA < 0 else self.plated_mAh

    def pass_charge(self, current_mA: float, charge_mAh: float) -> None:
        """Book a finished step: what was plated loses its fraction."""
        plating = current_mA > 0 if self.kind == "full" else current_mA < 0
        if plating:
            kept = charge_mAh * (1.0 - self.loss(self.cycle))
            self.plated_mAh += kept
            if self.kind == "full":
                self.capacity_mAh -= charge_mAh - kept
            self.cycle += 1
        elif self.kind != "symmetric":
            self.plated_mAh -= charge_mAh

    def voltage(self, current_mA: float, passed_mAh: Floats, time_h: Floats) -> Floats:
        """Voltage while `passed_mAh` has flowed in this step."""
        polarization = current_mA / self.area_cm2 * self.resistance_ohm_cm2 / 1e3
        if self.kind == "full":
            stored = self.plated_mAh + np.sign(current_mA) * passed_mAh
            open_circuit = 2.8 + 1.5 * np.clip(stored / max(self.capacity_mAh, 1e-12), 0, 1)
            return np.asarray(open_circuit + polarization)
        voltage = np.full_like(passed_mAh, polarization) * (1 - self.leak(time_h))
        if self.kind == "host" and current_mA < 0:
            voltage -= DIP_V * np.exp(-(((passed_mAh - DIP_mAh) / DIP_mAh) ** 2))
        if self.kind == "host" and current_mA > 0:
            left = np.maximum(self.plated_mAh - passed_mAh, 0.0)
            voltage += 2.0 * np.exp(-left / STRIP_KNEE_mAh)
        return voltage


def run(
    protocol: Protocol, cell: ToyCell, *, sampling_s: float = 10.0, seed: int = 0, name: str = "synthetic"
) -> Record:
    """A SYNTHETIC record of a protocol on a toy cell, sampled evenly and at both ends of every step."""
    rng = np.random.default_rng(seed)
    pieces: list[dict[str, Floats]] = []
    time = 0.0
    for count, step in enumerate(protocol.executed(), 1):
        piece: dict[str, Floats] | None
        if isinstance(step, Rest):
            piece = _rest(step, time, sampling_s, cell)
        elif isinstance(step, ConstantCurrent):
            piece = _flow(step, time, sampling_s, cell)
        else:
            raise InputError(f"step {count} ({step.kind}): the toy cell knows constant currents and rests only")
        if piece is None:
            continue
        piece["step_count"] = np.full(len(piece["t"]), count, dtype=float)
        pieces.append(piece)
        time = float(piece["t"][-1])
    arrays = {key: np.concatenate([piece[key] for piece in pieces]) for key in pieces[0]}
    voltage = arrays["v"] + cell.noise_V * rng.standard_normal(len(arrays["v"]))
    table = pl.DataFrame(
        {
            "test_time_second": arrays["t"],
            "voltage_volt": voltage,
            "current_ampere": arrays["i"] / mAh_PER_Ah,
            "step_count": arrays["step_count"].astype(np.int64),
        }
    )
    provenance = Provenance(
        path=f"{name} (synthetic)", sha256="", format="synthetic", reader="synthetic", instrument="synthetic"
    )
    area = Fact(cell.area_cm2, "stated", "SYNTHETIC test")
    return Record(table=table, provenance=provenance, facts=CellFacts(area_cm2=area))


def _times(start: float, duration_s: float, sampling_s: float) -> Floats:
    inner = np.arange(0.0, duration_s, sampling_s)
    return start + np.append(inner, duration_s)


def _rest(step: Rest, start: float, sampling_s: float, cell: ToyCell) -> dict[str, Floats]:
    time = _times(start, step.duration_s, sampling_s)
    level = cell.voltage(0.0, np.zeros(1), np.zeros(1))[0] if cell.kind == "full" else 0.0
    return {"t": time, "v": np.full_like(time, level), "i": np.zeros_like(time)}


def _flow(step: ConstantCurrent, start: float, sampling_s: float, cell: ToyCell) -> dict[str, Floats] | None:
    current = step.signed_mA_per_cm2 * cell.area_cm2
    charge = cell.available_mAh(current)
    if step.areal_capacity_mAh_per_cm2 is not None:
        charge = min(charge, step.areal_capacity_mAh_per_cm2 * cell.area_cm2)
    if step.duration_s is not None:
        charge = min(charge, abs(current) * step.duration_s / SECONDS_PER_HOUR)
    if not np.isfinite(charge) or charge <= 0:
        return None
    time = _times(start, charge / abs(current) * SECONDS_PER_HOUR, sampling_s)
    passed = np.append((time[:-1] - start) * abs(current) / SECONDS_PER_HOUR, charge)
    voltage = cell.voltage(current, passed, time / SECONDS_PER_HOUR)
    if step.voltage_V is not None:
        voltage = np.minimum(voltage, step.voltage_V) if current > 0 else np.maximum(voltage, step.voltage_V)
    if step.voltage_V is not None and cell.available_mAh(current) <= charge:
        voltage[-1] = step.voltage_V
    cell.pass_charge(current, charge)
    return {"t": time, "v": voltage, "i": np.full_like(time, current)}


@dataclass(frozen=True)
class Example:
    """A synthetic record, the truth it was made with, and which analysis and value should find it."""

    name: str
    record: Record
    truth: dict[str, Any]
    found_at: dict[str, tuple[str, str]]


def examples(seed: int = 2025) -> list[Example]:
    """The four SYNTHETIC tests of `interlith analyze synthetic`."""
    return [_reservoir(seed), _erratic(seed + 1), _soft_short(seed + 2), _full(seed + 3)]


def _reservoir(seed: int) -> Example:
    loss = 0.0011
    cell = ToyCell("host", area_cm2=1.131, loss=lambda cycle: 0.03 if cycle == 0 else loss, noise_V=2e-4)
    record = run(protocols.reservoir(), cell, sampling_s=5.0, seed=seed, name="reservoir")
    truth = {"efficiency": 1 - loss, "n_cycles": 10, "formation_efficiency": 0.97}
    return Example("reservoir", record, truth, {name: ("reservoir", name) for name in truth})


def _erratic(seed: int) -> Example:
    onset = 60
    scatter = np.random.default_rng(seed).normal(0.0, 1.0, 200)

    def loss(cycle: int) -> float:
        late = 0.03 * abs(scatter[cycle]) if cycle >= onset - 1 else 0.0
        return float(0.012 + 0.0005 * scatter[cycle] + late)

    cell = ToyCell("host", area_cm2=1.131, loss=loss, noise_V=2e-4)
    record = run(protocols.efficiency(n_cycles=100), cell, sampling_s=20.0, seed=seed, name="efficiency")
    mean = 1 - float(np.mean([loss(i) for i in range(100)]))
    truth = {"mean_efficiency": mean, "erratic_onset_cycle": onset}
    return Example(
        "efficiency",
        record,
        truth,
        {"mean_efficiency": ("efficiency", "mean_efficiency"), "erratic_onset_cycle": ("erratic", "onset_cycle")},
    )


def _soft_short(seed: int) -> Example:
    begin_h, end_h = 41.0, 45.0

    def leak(time_h: Floats) -> Floats:
        return np.where((time_h >= begin_h) & (time_h < end_h), 0.6, 0.0)

    cell = ToyCell("symmetric", area_cm2=1.131, resistance_ohm_cm2=50.0, leak=leak, noise_V=3e-4)
    record = run(protocols.symmetric(n_cycles=40), cell, sampling_s=20.0, seed=seed, name="symmetric")
    truth = {
        "short_start_h": begin_h,
        "short_is_transient": True,
        "polarization_before_mV": 50.0,
        "polarization_lowest_mV": 20.0,
    }
    places = {"short_start_h": "first_short_h", "short_is_transient": "first_is_transient"}
    return Example("symmetric", record, truth, {name: ("shorts", places.get(name, name)) for name in truth})


def _full(seed: int) -> Example:
    loss, n_cycles = 0.002, 50
    cell = ToyCell("full", area_cm2=1.131, loss=lambda cycle: loss, capacity_mAh=5.0, noise_V=3e-4)
    record = run(protocols.full(n_cycles=n_cycles), cell, sampling_s=60.0, seed=seed, name="full")
    truth = {"retention": (1 - loss) ** (n_cycles - 1), "mean_efficiency": 1 - loss}
    return Example(
        "full",
        record,
        truth,
        {"retention": ("retention", "retention"), "mean_efficiency": ("efficiency", "mean_efficiency")},
    )


def beside_truth(example: Example, summary: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What is true of an example beside what the analysis found: rows of quantity, truth, found."""
    results = summary["results"]
    rows = []
    for name, truth in example.truth.items():
        analysis, key = example.found_at[name]
        rows.append({"quantity": name, "truth": truth, "found": results.get(analysis, {}).get(key)})
    return rows


def write_example(example: Example | None = None, folder: Path | None = None) -> Path:
    """Write a SYNTHETIC example (by default the reservoir test) as BDF Parquet and say where."""
    folder = folder or Path(tempfile.mkdtemp(prefix="interlith-"))
    folder.mkdir(parents=True, exist_ok=True)
    example = example or examples()[0]
    path = folder / f"synthetic-{example.name}.bdf.parquet"
    write_record(example.record, path)
    return path
