"""Which kind of test a record is, which electrode works, which sign of current plates: proposed, with reason.

Nothing is assumed in silence. What a person states wins; what the voltages show against it is flagged, never flipped.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
import polars as pl

from interlith.cycling.segment import Trace
from interlith.errors import InputError
from interlith.record import CellFacts, Fact, Flag, Record
from interlith.units import mV_PER_V

Kind = Literal["reservoir", "efficiency", "symmetric", "full", "anode-free", "eis", "cv", "unknown"]
KINDS: tuple[Kind, ...] = get_args(Kind)
HOST_KINDS = ("reservoir", "efficiency")
FULL_KINDS = ("full", "anode-free")
WorkingElectrode = Literal["host", "positive"]

FULL_CELL_V = 1.0  # both branches on average above: a positive electrode is in the cell
ONE_WAY_SYMMETRIC_V = 0.3  # polarization of lithium against lithium beyond this is rare
ENDS_BELOW_V = -0.001  # a branch that usually ends below has plated lithium, whatever the host took before
STRIPPED_OUT_V, STRIPPED_OUT_RISE = 0.08, 2.0
SCAN_POINTS, SCAN_EVEN, SCAN_SHARE = 400, 0.15, 0.6
SCAN_CURRENT_SPREAD = 0.2
SAME_CHARGE = 0.05
OPPOSITE = "this file's current has the opposite sign"


@dataclass(frozen=True)
class Proposal:
    """A kind of test with the reason for it, and what else the data show."""

    kind: Kind
    reason: str
    plating_sign: int | None = None
    flags: tuple[Flag, ...] = ()


def check_kind(word: str | None) -> Kind | None:
    """The kind a person named. Raises InputError listing the known ones."""
    if word is None or word in KINDS:
        return word
    raise InputError(f"--kind {word}: not a kind of test; known: {', '.join(KINDS)}")


def propose(record: Record, found: Trace, branches: pl.DataFrame) -> Proposal:
    """The kind of test that the data look like."""
    if record.series().height == 0 and record.spectra().height:
        return Proposal("eis", "the file holds impedance spectra and no time series")
    if is_scan(found):
        return Proposal("cv", "the voltage is swept evenly while the current follows")
    whole = branches.filter(~pl.col("fragment"))
    if whole.height == 0:
        return Proposal("unknown", "no current flows")
    mean = {sign: _mean_voltage(whole, sign) for sign in (-1, 1)}
    if mean[-1] is None or mean[1] is None:
        return _one_direction(whole)
    return _both_directions(whole, mean[-1], mean[1])


def is_scan(found: Trace) -> bool:
    """True when the voltage runs evenly up and down while the current varies."""
    flowing = found.sign != 0
    if flowing.sum() < 50:
        return False
    rows = np.flatnonzero(flowing)
    grid = np.linspace(found.time_s[rows[0]], found.time_s[rows[-1]], SCAN_POINTS)
    voltage = np.interp(grid, found.time_s, found.voltage_V)
    rate = np.abs(np.diff(voltage))
    typical = float(np.median(rate))
    if typical <= 1e-4 * float(np.ptp(voltage)) or np.ptp(voltage) < 0.1:
        return False
    even = np.abs(rate - typical) < SCAN_EVEN * typical
    return float(np.mean(even)) > SCAN_SHARE and _current_varies(found, grid[1:][even])


def _current_varies(found: Trace, times: np.ndarray) -> bool:
    """True when at most of these times the current changes through its step: not so at constant currents."""
    rows = np.minimum(np.searchsorted(found.time_s, times), len(found.time_s) - 1)
    step, size = found.step[rows], np.abs(found.current_A[rows])
    begins = np.flatnonzero(np.diff(step, prepend=-1))
    n_rows = np.diff(np.append(begins, len(step)))
    spread = np.maximum.reduceat(size, begins) - np.minimum.reduceat(size, begins)
    varies = spread > SCAN_CURRENT_SPREAD * np.add.reduceat(size, begins) / n_rows
    return bool(np.sum(n_rows[varies]) > 0.5 * np.sum(n_rows))


def stripped_out(strip: pl.DataFrame, plate: pl.DataFrame) -> pl.Series:
    """Whether each stripping branch ran until no lithium was left: it ends far above where the plating before it ends
    below 0 V.

    Between two lithiums both ends mirror each other, however high the polarization and whatever its shape.
    """
    end = strip["end_voltage_V"].to_numpy()
    if plate.height == 0:
        return pl.Series(end >= STRIPPED_OUT_V)
    before = np.searchsorted(plate["first_row"].to_numpy(), strip["first_row"].to_numpy()) - 1
    mirrored = np.abs(plate["end_voltage_V"].to_numpy()[np.maximum(before, 0)])
    return pl.Series(end >= np.maximum(STRIPPED_OUT_V, STRIPPED_OUT_RISE * mirrored))


def _mean_voltage(branches: pl.DataFrame, sign: int) -> float | None:
    part = branches.filter((pl.col("sign") == sign) & (pl.col("flow_time_h") > 0))
    if part.height == 0:
        return None
    return float(np.average(part["mean_voltage_V"].to_numpy(), weights=part["flow_time_h"].to_numpy()))


def _end_voltage(branches: pl.DataFrame, sign: int) -> float:
    """Where branches of one sign usually end."""
    return float(np.median(branches.filter(pl.col("sign") == sign)["end_voltage_V"].to_numpy()))


def _mV(value: float) -> str:
    return f"{value * mV_PER_V:.0f} mV"


def _one_direction(branches: pl.DataFrame) -> Proposal:
    sign, low = int(branches["sign"][0]), float(branches["min_voltage_V"].min())  # type: ignore[arg-type]
    mean = float(branches["mean_voltage_V"].mean())  # type: ignore[arg-type]
    end = float(branches["end_voltage_V"][-1])
    if sign > 0 and 0 < mean < ONE_WAY_SYMMETRIC_V and end < 2 * mean:
        reason = (
            f"current in one direction only, at a mean of {_mV(mean)}, and never stripped out: lithium on both sides"
        )
        return Proposal("symmetric", reason)
    if low < 0 and sign < 0:
        return Proposal(
            "unknown", "one plating branch only: a host not yet stripped, or a symmetric cell in one direction"
        )
    return Proposal("unknown", f"current in one direction only, at a mean of {mean:.3g} V")


def _both_directions(branches: pl.DataFrame, down: float, up: float) -> Proposal:
    low = min(down, up)
    if low > FULL_CELL_V:
        return _full(branches, down, up)
    if low < 0.0:
        return _metal(branches, down, up)
    ends = {sign: _end_voltage(branches, sign) for sign in (-1, 1)}
    if min(ends.values()) < ENDS_BELOW_V:
        when = "at its end, above 0 V on average: the host itself takes lithium first"
        return _metal(branches, ends[-1], ends[1], when)
    text = f"branches at a mean of {up:.3g} V (charging) and {down:.3g} V (discharging), never plating below 0 V"
    return Proposal("unknown", f"{text}: looks like an insertion electrode against lithium, which no kind here covers")


def _full(branches: pl.DataFrame, down: float, up: float) -> Proposal:
    reason = (
        f"both branches above {FULL_CELL_V:g} V (charging at a mean of {up:.3g} V, discharging at {down:.3g} V): "
        "a positive electrode against lithium or another negative. Anode-free looks the same: say --kind anode-free"
    )
    if up < down:
        message = f"the voltage is lower while the current is positive: {OPPOSITE}; discharging taken as positive"
        return Proposal("full", reason, plating_sign=-1, flags=(Flag("sign_conflict", message, branches.height, 0),))
    return Proposal("full", reason, plating_sign=1)


def _metal(branches: pl.DataFrame, down: float, up: float, when: str = "on average") -> Proposal:
    """A test that plates lithium; down and up: voltage of the branches of negative and positive current, `when`."""
    plating = -1 if down < up else 1
    flags: tuple[Flag, ...] = ()
    if plating > 0:
        message = f"the voltage is below 0 V while the current is positive: {OPPOSITE}; plating taken as positive"
        flags = (Flag("sign_conflict", message, branches.height, int(branches["first_row"][0])),)
    plate, strip = branches.filter(pl.col("sign") == plating), branches.filter(pl.col("sign") != plating)
    if not stripped_out(strip, plate).any():
        if max(down, up) > 0:
            reason = f"voltages of both signs about 0 V ({_mV(up)} and {_mV(down)} {when}) and never stripped out"
            return Proposal("symmetric", reason, plating_sign=plating, flags=flags)
        return Proposal("unknown", f"below 0 V in both directions ({_mV(up)} and {_mV(down)} {when})", flags=flags)
    where = f"plating at {_mV(min(down, up))} {when}"
    pattern = reservoir_pattern(plate, strip)
    if pattern is not None:
        reason = (
            f"{where}; a reservoir, then {pattern.n_cycles} strips that stop at a charge, then a strip to the cut-off"
        )
        return Proposal("reservoir", reason, plating_sign=plating, flags=flags)
    return Proposal("efficiency", f"{where}, each strip ends at a cut-off", plating_sign=plating, flags=flags)


@dataclass(frozen=True)
class ReservoirPattern:
    """Where a reservoir test's parts are: rows of the plating and stripping branches, numbered from 0 in each."""

    reservoir_plate: int
    inner_strips: tuple[int, ...]
    final_strip: int | None
    reached_cutoff: bool
    n_others: int = 0

    @property
    def n_cycles(self) -> int:
        return len(self.inner_strips)


def reservoir_pattern(plate: pl.DataFrame, strip: pl.DataFrame) -> ReservoirPattern | None:
    """Find plate Q_T, n x (strip, plate) Q_C < Q_T, strip to the cut-off; None when the branches are not that.

    The longest run of at least two equal strips that stop before the cut-off, preceded by a larger plating, is taken.
    """
    out = stripped_out(strip, plate).to_numpy()
    charge, plated = strip["charge_mAh"].to_numpy(), plate["charge_mAh"].to_numpy()
    strip_row, plate_row = strip["first_row"].to_numpy(), plate["first_row"].to_numpy()
    found: list[ReservoirPattern] = []
    begin = 0
    for place in range(len(charge) + 1):
        same = place < len(charge) and not out[place] and abs(charge[place] / charge[begin] - 1) < SAME_CHARGE
        if same:
            continue
        if place - begin >= 2 and not out[begin]:
            before = np.flatnonzero(plate_row < strip_row[begin])
            if len(before) and plated[before[-1]] > (1 + SAME_CHARGE) * charge[begin]:
                final = place if place < len(charge) else None
                reached = final is not None and bool(out[final])
                candidate = ReservoirPattern(int(before[-1]), tuple(range(begin, place)), final, reached)
                found.append(candidate)
        begin = place
    if not found:
        return None
    return replace(max(found, key=lambda pattern: pattern.n_cycles), n_others=len(found) - 1)


def settle_facts(
    facts: CellFacts,
    proposal: Proposal,
    kind: Kind,
    *,
    area_cm2: float | None = None,
    active_mass_mg: float | None = None,
    working_electrode: WorkingElectrode | None = None,
) -> tuple[CellFacts, list[Flag]]:
    """Facts of the cell: stated ones, then those of the file, then those the data show. Contradictions are flagged.

    Raises InputError for an area or a mass that is not positive, or an electrode that is not known.
    """
    for name, value in (("--area-cm2", area_cm2), ("--mass-mg", active_mass_mg)):
        if value is not None and not 0 < value < 1e6:
            raise InputError(f"{name} {value:g}: must be a positive number")
    if working_electrode not in (None, "host", "positive"):
        raise InputError(f"--working-electrode {working_electrode}: 'host' or 'positive'")
    flags: list[Flag] = []
    if area_cm2 is not None:
        facts = replace(facts, area_cm2=Fact(area_cm2, "stated", "--area-cm2"))
    if active_mass_mg is not None:
        facts = replace(facts, active_mass_mg=Fact(active_mass_mg, "stated", "--mass-mg"))
    electrode = _electrode(working_electrode, kind)
    sign, conflict = _sign(electrode, proposal, stated=working_electrode is not None)
    flags += conflict
    return replace(facts, working_electrode=electrode, plating_sign=sign), flags


def _electrode(stated: WorkingElectrode | None, kind: Kind) -> Fact:
    if stated:
        return Fact(stated, "stated", "--working-electrode")
    if kind in FULL_KINDS:
        return Fact("positive", "derived", f"a cell of kind {kind}")
    if kind in (*HOST_KINDS, "symmetric"):
        return Fact("host", "derived", f"a cell of kind {kind}")
    return Fact(None, "unknown", "not given and not visible in the data; say --working-electrode host or positive")


def _sign(electrode: Fact, proposal: Proposal, *, stated: bool) -> tuple[Fact, list[Flag]]:
    rule = {"host": -1, "positive": 1}.get(electrode.value)
    seen = proposal.plating_sign
    if rule is None:
        return Fact(None, "unknown", "needs the working electrode"), []
    if seen is None or seen == rule:
        return Fact(
            rule, "derived", f"working electrode {electrode.value}: plating is {'positive' if rule > 0 else 'negative'}"
        ), []
    source = f"voltage: {OPPOSITE}"
    message = f"working electrode {electrode.value} means the other sign of plating; the voltages are followed"
    return Fact(seen, "derived", source), [Flag("sign_conflict", message)] if stated else []
