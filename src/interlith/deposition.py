"""Lithium plated and stripped in the voxels of a host, as findings: where it lies, what of it is dead, how thick it is.

Each seed is a network and a draw of its surfaces; numbers are means over them with the smallest and the largest.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from interlith import ledger
from interlith.answers import answered, head, writable
from interlith.deposition_checks import can_write_fields, check, check_box, electrolyte_of
from interlith.deposition_run import Report, Tell, Warn, each_network, workers_for
from interlith.deposition_said import (
    DEAD,
    NOT_CONVERGED,
    PREDICTED,
    SWELLS,
    SAME_mAh_PER_CM2,
    kind_beside,
    not_beside,
    said_of,
)
from interlith.deposition_views import by_cycle, cuts, film, states, without_dust
from interlith.errors import PhysicsError
from interlith.findings import Findings, writing
from interlith.units import ZERO_CELSIUS_K, mV_PER_V

if TYPE_CHECKING:
    from interlith.deposit.deposit_file import DepositFile, Published
    from interlith.deposit.follow import Deposited
    from interlith.deposit.solver.team import Device

Table = list[dict[str, Any]]
Floats = NDArray[np.float64]
ENTRIES = ("active_pores", "active_top", "dead_pores", "dead_top", "sei", "revived")
ABOVE_um = 2.0  # over the host's top: a front that stands so high is no longer in the pores
WITHIN = 0.1  # of a published number
DIGITS = 9  # of a charge, mAh/cm2
HIGHER_um = (ABOVE_um, 5.0, 10.0, 20.0)


@dataclass(frozen=True)
class _Seed:
    """What one network and one draw gave. source: how the network came about. keeping: where it was kept meanwhile."""

    seed: int
    found: Deposited
    solid: NDArray[np.float32]
    source: str
    keeping: Path | None = None

    @property
    def plated(self) -> Floats:
        """Charge that has passed, positive when plated, one per row of the ledger."""
        return -self.found.ledger.table["passed"].to_numpy()


def deposit_findings(
    written: DepositFile,
    *,
    n_cycles: int = 1,
    out: Path | None = None,
    workers: int | None = None,
    device: Device = "cpu",
    kept_in: Path | None = None,
    tell: Tell = lambda progress: None,
    warn: Warn = lambda text: None,
) -> Findings:
    """What the protocol of a file does in each of its networks, as `networks.read` gives the file.

    workers: processes, one network each at a time; as many as there are processors. kept_in: a folder of checkpoints,
    from which the same call goes on after a kill; removed when the answer is there. The bits depend on neither. device:
    "cuda" leaves labels, migration, and the potential of an electrolyte without [gap], to a GPU, with bits of its own.
    tell: how far all networks are; warn: in a sentence, that a checkpoint is damaged, or what cannot be written.
    Raises InputError for what cannot be followed, PhysicsError where pores do not lead through, EnvironmentError_ where
    a box does not fit into memory, or without a GPU that is asked for, SolverError where a step cannot go on.
    """
    check(written, n_cycles, device, workers_for(written.n_networks, workers))
    with writable(out):
        has_fields = out is not None and can_write_fields(out, warn)
        seeds = _followed(written, n_cycles, workers, device, kept_in, tell, warn)
    tables = _tables(written, seeds)
    summary = _summary(written, n_cycles, seeds, tables)
    if out is not None:
        summary["volume_page"] = _write_volume(written, seeds[0], summary, out)
    frames = {name: pl.DataFrame(rows, infer_schema_length=None) for name, rows in tables.items() if rows}
    warning = "SIMULATED in voxels: what is assumed or calibrated carries that word"
    findings = answered(
        f"Deposition in {written.name}, {written.asked.sample}", written.name, summary, frames, warning, out
    )
    if has_fields and out is not None:
        _write_fields(written, seeds, out)
    for one in seeds:
        if one.keeping is not None:
            shutil.rmtree(one.keeping, ignore_errors=True)
    return findings


def _write_fields(written: DepositFile, seeds: Sequence[_Seed], out: Path) -> None:
    from interlith.deposit.fields import FIELDS, Field, write_fields

    with writing(out):
        fields = [Field(f"seed-{one.seed}" if written.seeds else "image", one.solid, one.found) for one in seeds]
        write_fields(out / FIELDS, fields, {"title": written.asked.title, "sample": written.asked.sample})


def _gap(written: DepositFile) -> dict[str, float]:
    gap = written.asked.gap
    return {} if gap is None else {"gap_um": gap.length_um, "gap_porosity": gap.porosity}


def _followed(
    written: DepositFile,
    n_cycles: int,
    workers: int | None,
    device: Device,
    kept_in: Path | None,
    tell: Tell,
    warn: Warn,
) -> list[_Seed]:
    """Each network in its turn, in processes of their own where there are several."""
    if kept_in is not None:
        from interlith.deposit.checkpoint import prune

        prune(kept_in)
    one = partial(_one, written, n_cycles, device, kept_in)
    return each_network(one, written.n_networks, workers_for(written.n_networks, workers), tell, warn)


def _one(
    written: DepositFile,
    n_cycles: int,
    device: Device,
    kept_in: Path | None,
    place: int,
    n_threads: int | None,
    report: Report,
) -> _Seed:
    from interlith.deposit.box import Ground
    from interlith.deposit.checkpoint import Keeping, fingerprint
    from interlith.deposit.follow import follow
    from interlith.deposit.pores import reached
    from interlith.deposit.solver.team import Team
    from interlith.protocol import Repeat

    network = written.network(place)
    if written.asked.box is None:  # what an image is, is known only now
        check_box(written, n_cycles, network, network.voxel_um, network.solid.size)
    if not reached(network).pore_percolates:
        raise PhysicsError(f"{network.source}: its pores do not lead from the separator to the current collector")
    seed = written.seeds[place] if written.seeds else 0
    protocol = written.asked.protocol
    assert protocol is not None
    if n_cycles > 1:
        protocol = protocol.model_copy(update={"steps": (Repeat(times=n_cycles, steps=protocol.steps),)})
    keeping = None
    if kept_in is not None:
        keeping = Keeping(kept_in, fingerprint(_made_from(written, n_cycles, seed, device), network.solid), report.say)
    with Team(n_threads, device) as team:
        found = follow(
            protocol,
            Ground.of(network),
            written.deposition(),
            seed=seed,
            team=team,
            electrolyte=electrolyte_of(written),
            keeping=keeping,
            told=report.at,
            **_gap(written),
        )
    return _Seed(seed, found, network.solid, network.source, None if keeping is None else keeping.folder)


def _made_from(written: DepositFile, n_cycles: int, seed: int, device: Device) -> dict[str, Any]:
    """All that decides what is followed, but the voxels: a title or what was published does not."""
    electrolyte = electrolyte_of(written)
    return {
        "asked": written.asked.model_dump(mode="json", exclude={"title", "source", "note", "published", "box"}),
        "voxel_um": None if written.asked.box is None else written.asked.box.voxel_um,
        "deposition": written.deposition().model_dump(mode="json", exclude={"origins"}),
        "electrolyte": None if electrolyte is None else electrolyte.model_dump(mode="json", exclude={"origins"}),
        "n_cycles": n_cycles,
        "seed": seed,
        "device": device,
    }


def _summary(
    written: DepositFile, n_cycles: int, seeds: Sequence[_Seed], tables: Mapping[str, Table]
) -> dict[str, Any]:
    from interlith.parts.listing import parameters

    asked, deposition = written.asked, written.deposition()
    fibres = [] if written.fibres is None else parameters(written.fibres)
    liquid = electrolyte_of(written)
    platings = [row["capacity_mAh_per_cm2"] for row in tables["thickness"]]
    strips = [row["cycle"] for row in tables["stripped"]]
    taken = [f"network: {seeds[0].source}"] if written.fibres is None else []
    of_the_liquid = [] if asked.gap is None or liquid is None else parameters(liquid)
    return {
        **head(
            "deposition", written.name, asked.title, [*taken, *said_of(written), *not_beside(written, platings, strips)]
        ),
        "sample": asked.sample,
        "electrolyte": asked.electrolyte,
        "gap": _salt(written, seeds),
        "source": asked.source,
        "networks": [one.source for one in seeds],
        "seeds": [one.seed for one in seeds],
        "n_cycles": n_cycles,
        "shape": list(seeds[0].solid.shape),
        "voxel_um": seeds[0].found.voxel_um,
        "thickness_um": tables["thickness"],
        "stripped_thickness_um": tables["stripped"],
        "onset_mAh_per_cm2": _onset(written, seeds),
        "stands_over_mAh_per_cm2": [
            {"above_um": above, **_stands(seeds, above), "kind": PREDICTED} for above in HIGHER_um
        ],
        "in_pores_mAh_per_cm2": {**_span([_most_in_pores(one) for one in seeds]), "kind": PREDICTED},
        "efficiency": _efficiencies(seeds),
        **_ledger(seeds),
        "account": tables["account"],
        "not_converged": NOT_CONVERGED,
        "infill_profile": tables["infill_profile"],
        "closes_within_mAh_per_cm2": max(one.found.ledger.residual_mAh_per_cm2 for one in seeds),
        "volume_page": None,
        "results": {"deposition": {"thickness": tables["thickness"], "account": tables["account"]}},
        "parameters": [*fibres, *parameters(deposition), *of_the_liquid],
    }


def _salt(written: DepositFile, seeds: Sequence[_Seed]) -> dict[str, Any] | None:
    """What the gap carries, beside the highest current, and the least salt that was left."""
    from interlith.deposit.gap import limiting_current_mA_per_cm2, sand_time_s

    gap, electrolyte = written.asked.gap, electrolyte_of(written)
    if gap is None or electrolyte is None:
        return None
    assert written.asked.protocol is not None
    currents = [abs(getattr(step, "signed_mA_per_cm2", 0.0)) for step in written.asked.protocol.executed()]
    warm_K = written.deposition().temperature_C + ZERO_CELSIUS_K
    least = [one.found.salt_mol_per_L.min(axis=0) for one in seeds if one.found.salt_mol_per_L is not None]
    limit = limiting_current_mA_per_cm2(electrolyte, gap.length_um, gap.porosity, warm_K)
    return {
        **gap.model_dump(),
        "limiting_current_mA_per_cm2": limit,
        "highest_current_mA_per_cm2": max(currents),
        "sand_time_s": sand_time_s(electrolyte, max(currents), warm_K) if max(currents) > 0.0 else None,
        "least_salt_at_collector_mol_per_L": _span([float(held[0]) for held in least]),
        "least_salt_over_host_mol_per_L": _span([float(held[1]) for held in least]),
        "kind": PREDICTED,
    }


def _write_volume(written: DepositFile, one: _Seed, summary: Mapping[str, Any], out: Path) -> str:
    from interlith.deposit.layers import scene
    from interlith.report.sketch import tags
    from interlith.report.volume_page import write_volume

    shown = scene(
        states(one.found, one.solid, list(_ends([one]))),
        one.found.voxel_um,
        one.found.n_host * one.found.voxel_um,
    )
    title = f"Lithium in {written.name}, {written.asked.sample}"
    return write_volume(shown, title, tags(summary), [SWELLS, DEAD], out).name


def _span(values: Sequence[float | None]) -> dict[str, Any]:
    """Mean, smallest and largest over the seeds; nothing where a seed has no value."""
    held = [value for value in values if value is not None]
    if len(held) < len(values):
        return {"mean": None, "low": None, "high": None}
    return {"mean": sum(held) / len(held), "low": min(held), "high": max(held)}


def _ends(seeds: Sequence[_Seed]) -> Iterator[tuple[int, int, str, float]]:
    """Each step of the protocol: its place, its cycle, what it is, what is plated at its end (mean), mAh/cm2."""
    frames = [one.found.ledger.steps() for one in seeds]
    before = 0.0
    for place, cycle in enumerate(frames[0][ledger.CYCLE].to_list()):
        plated = round(float(np.mean([-frame["passed"][place] for frame in frames])), DIGITS)
        moved = plated - before
        yield place, int(cycle), "plate" if moved > 0 else "strip" if moved < 0 else "rest", plated
        before = plated


def _thickness(written: DepositFile, seeds: Sequence[_Seed]) -> Table:
    """Height of the front after each plating of the first cycle, beside what was measured; and that of the host."""
    rows: Table = []
    for place, cycle, what, plated in _ends(seeds):
        if what != "plate" or cycle > 0:
            continue
        paper = [
            one
            for one in written.published("thickness_um")
            if one.plated_mAh_per_cm2 is not None and abs(one.plated_mAh_per_cm2 - plated) < SAME_mAh_PER_CM2
        ]
        ours = _span([one.found.pictures[place].front_um for one in seeds])
        host = _span([float(one.found.pictures[place].heights_um[: one.found.n_host].sum()) for one in seeds])
        kind = {"host_um": host["mean"], "kind": kind_beside(paper, is_changed=written.is_changed)}
        rows.append({"capacity_mAh_per_cm2": plated, **ours, **_beside(ours, paper), **kind})
    return rows


def _stripped(written: DepositFile, seeds: Sequence[_Seed]) -> Table:
    """What stands when a cycle has ended with a strip, beside what was measured; and host and SEI of it."""
    last = {cycle: (place, what) for place, cycle, what, _ in _ends(seeds) if what != "rest"}
    rows: Table = []
    for cycle, (place, what) in last.items():
        if what != "strip":
            continue
        pictures = [one.found.pictures[place] for one in seeds]
        paper = [one for one in written.published("stripped_thickness_um") if one.after_cycles == cycle + 1]
        ours = _span([picture.front_um for picture in pictures])
        host = _span([float(one.heights_um[: seeds[0].found.n_host].sum()) for one in pictures])["mean"]
        sei = _span([float(one.sei.sum()) * seeds[0].found.voxel_um for one in pictures])["mean"]
        stands = _span([one.if_sei_stands_um for one in pictures])["mean"]
        kind = {"kind": kind_beside(paper, is_changed=written.is_changed)}
        of_it = {"host_um": host, "sei_um": sei, "if_sei_stands_um": stands}
        rows.append({"cycle": cycle + 1, **ours, **_beside(ours, paper), **of_it, **kind})
    return rows


def _beside(ours: Mapping[str, Any], paper: Sequence[Published]) -> dict[str, Any]:
    """What is published, and whether ours is within a tenth of it."""
    if not paper:
        return {"paper_low": None, "paper_high": None, "is_met": None}
    one = paper[0]
    mean = ours["mean"]
    met = mean is not None and one.low * (1.0 - WITHIN) <= mean <= one.high * (1.0 + WITHIN)
    return {"paper_low": one.low, "paper_high": one.high, "is_met": met}


def _onset(written: DepositFile, seeds: Sequence[_Seed]) -> dict[str, Any]:
    """What is plated when the front stands over the host, beside what is published.

    That it does not up to a charge says nothing of a published one that is higher.
    """
    paper = written.published("onset_mAh_per_cm2")
    ours = _stands(seeds, ABOVE_um)
    beside = _beside(ours, paper)
    if paper and ours["mean"] is None and ours["up_to_mAh_per_cm2"] < paper[0].high * (1.0 + WITHIN):
        beside["is_met"] = None
    return {"above_um": ABOVE_um, **ours, **beside, "kind": kind_beside(paper, is_changed=written.is_changed)}


def _stands(seeds: Sequence[_Seed], above_um: float) -> dict[str, Any]:
    """From which charge on the front stands so far over the host, in how many of the networks, of what was plated.

    Without a mean and a highest where it does not in all of them.
    """
    values = [_onset_of(one, above_um) for one in seeds]
    held = [value for value in values if value is not None]
    return {
        **_span(values),
        "low": min(held, default=None),
        "n_networks": len(held),
        "of_networks": len(seeds),
        "up_to_mAh_per_cm2": min(float(one.plated[_first_cycle(one)].max()) for one in seeds),
    }


def _first_cycle(one: _Seed) -> NDArray[np.bool_]:
    """Which small steps are of the first cycle: later ones begin with what earlier ones left."""
    found: NDArray[np.bool_] = one.found.ledger.table[ledger.CYCLE].to_numpy() == 0
    return found


def _onset_of(one: _Seed, above_um: float) -> float | None:
    """Charge of the first cycle from which on the front stands so far over the host, as this is stretched by then."""
    first = _first_cycle(one)
    over, plated = (one.found.front_um - one.found.host_um)[first] - above_um, one.plated[first]
    above = np.flatnonzero(over > 0.0)
    if not above.size or above[0] == 0:
        return None
    i = int(above[0])
    return float(np.interp(0.0, over[i - 1 : i + 1], plated[i - 1 : i + 1]))


def _most_in_pores(one: _Seed) -> float:
    table = one.found.ledger.table
    return float((table["active_pores"] + table["dead_pores"]).max())  # type: ignore[arg-type]


def _efficiencies(seeds: Sequence[_Seed]) -> Table:
    """Charge stripped over charge plated, cycle by cycle."""
    by_seed = [one.found.efficiencies() for one in seeds]
    n = min(len(held) for held in by_seed)
    return [
        {"cycle": cycle + 1, **_span([float(held[cycle]) for held in by_seed]), "kind": PREDICTED} for cycle in range(n)
    ]


def _account(seeds: Sequence[_Seed]) -> Table:
    """The ledger at the end of each step: means over the seeds, and the span of what is dead."""
    frames = [one.found.ledger.steps() for one in seeds]
    rows = []
    for place, cycle, what, plated in _ends(seeds):
        held = {name: without_dust(float(np.mean([frame[name][place] for frame in frames]))) for name in ENTRIES}
        dead = _span([without_dust(float(one["dead_pores"][place] + one["dead_top"][place])) for one in frames])
        spans = {"dead_low": dead["low"], "dead_high": dead["high"]}
        rows.append(
            {"cycle": cycle + 1, "step": what, "plated_mAh_per_cm2": plated, **held, **spans, "kind": PREDICTED}
        )
    return rows


def _ledger(seeds: Sequence[_Seed]) -> dict[str, Any]:
    """The ledger when all is done, as that of a simulated test, and the span of each entry over the networks."""
    ends = [one.found.ledger.final() for one in seeds]
    spans = {name: _span([without_dust(end[name]) for end in ends]) for name in ENTRIES}
    return {
        "ledger": {name: span["mean"] for name, span in spans.items()},
        "ledger_span": {name: [span["low"], span["high"]] for name, span in spans.items()},
    }


def _profiles(seeds: Sequence[_Seed]) -> Table:
    """Lithium and SEI as shares of each layer, at the ends of steps of the first and the last cycle; mean heights."""
    rows: Table = []
    h, ends = seeds[0].found.voxel_um, list(_ends(seeds))
    before = dict.fromkeys(range(1 + ends[-1][1]), 0.0)
    before |= {cycle + 1: plated for _, cycle, _, plated in ends}
    for place, cycle, what, plated in ends:
        if cycle not in (0, ends[-1][1]) or what == "rest":
            continue
        pictures = [one.found.pictures[place] for one in seeds]
        n_high = max(len(picture.lithium) for picture in pictures)
        heights = [np.pad(one.heights_um, (0, n_high - len(one.heights_um)), constant_values=h) for one in pictures]
        shares = [
            np.pad(one.lithium.mean(axis=(1, 2), dtype=np.float64), (0, n_high - len(one.lithium))) * h / high
            for one, high in zip(pictures, heights, strict=True)
        ]
        sei = [
            np.pad(one.sei, (0, n_high - len(one.sei))) * h / high for one, high in zip(pictures, heights, strict=True)
        ]
        height = np.mean(heights, axis=0)
        middle = np.cumsum(height) - 0.5 * height
        for k in range(n_high):
            at = {"place": place, "cycle": cycle + 1, "step": what}
            at |= {"plated_mAh_per_cm2": plated, "in_cycle_mAh_per_cm2": plated - before[cycle]}
            where = {"z_um": float(middle[k]), "height_um": float(height[k])}
            ours = {**_span([float(held[k]) for held in shares]), "sei": float(np.mean([held[k] for held in sei]))}
            rows.append({**at, **where, **ours, "kind": PREDICTED})
    return rows


def _tables(written: DepositFile, seeds: Sequence[_Seed]) -> dict[str, Table]:
    account, ends = _account(seeds), list(_ends(seeds[:1]))
    return {
        "thickness": _thickness(written, seeds),
        "stripped": _stripped(written, seeds),
        "account": account,
        "infill_profile": _profiles(seeds),
        "front": _fronts(seeds),
        "cuts": cuts(seeds[0].found, seeds[0].solid, ends),
        "film": film(seeds[0].found, seeds[0].solid),
        "by_cycle": by_cycle(account),
    }


def _fronts(seeds: Sequence[_Seed]) -> Table:
    """Height of the front and the account against what is plated, small step by small step, of the first cycle."""
    rows: Table = []
    for one in seeds:
        table = one.found.ledger.table
        for at in np.flatnonzero(table[ledger.CYCLE].to_numpy() == 0):
            rows.append(
                {
                    "seed": one.seed,
                    "step": int(table[ledger.STEP][int(at)]),
                    "plated_mAh_per_cm2": float(one.plated[at]),
                    "front_um": float(one.found.front_um[at]),
                    "host_um": float(one.found.host_um[at]),
                    "overpotential_mV": mV_PER_V * float(one.found.voltage_volt[at]),
                    **_salt_of(one, int(at)),
                }
            )
    return rows


def _salt_of(one: _Seed, at: int) -> dict[str, float]:
    salt = one.found.salt_mol_per_L
    if salt is None:
        return {}
    return {"salt_at_collector_mol_per_L": float(salt[at, 0]), "salt_over_host_mol_per_L": float(salt[at, 1])}
