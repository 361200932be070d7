"""A network of fibres, or an image of one, as findings: its pores, and what it lets through."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from interlith.answers import answered, head, writable
from interlith.errors import InputError, PhysicsError
from interlith.findings import Findings

if TYPE_CHECKING:
    from interlith.deposit.deposit_file import DepositFile
    from interlith.deposit.network import Network
    from interlith.deposit.pores import PoreSizes
    from interlith.deposit.solver.team import Device, Team
    from interlith.deposit.transport import Axis, Phase

Table = list[dict[str, Any]]
WHERE: Mapping[Axis, str] = {"z": "through", "x": "in_plane", "y": "in_plane"}
PHASES: Mapping[Phase, str] = {"pores": "diffusivity", "solid": "conductivity"}
WIDE = "effective_in_voxels_twice_as_wide"
TOLD = (
    "area_m2_per_m2",
    "effective_diffusivity_through",
    "effective_diffusivity_in_plane",
    "effective_conductivity_through",
    "effective_conductivity_in_plane",
)
COARSE = 0.1  # change with voxels twice as wide, above which it is told
UNEVEN = 0.05  # porosity of a quarter of an image against the whole
OVERLAP = (
    "where two fibres meet, their solid is one: effective_conductivity, a share of that of a bare bundle, knows no "
    "resistance of contacts, and is an upper bound"
)
GEOMETRIC = "area: of bundles or of the image, as smooth as its voxels; single tubes have far more"
NO_SET = "; with --network-only alone: no shipped set for plating"
ALL_LITHIUM = "pore_capacity: dense lithium in all pores of a network that does not swell"
Tell = Callable[[int, str], Any]
STAGES = 1 + len(PHASES) * len(WHERE)  # of a network


@dataclass(frozen=True)
class NetworkOptions:
    """What a person asks besides the file. n_voxels: across the box of fibres. voxel_um, solid_values: of an image."""

    sample: str | None = None
    n_voxels: int | None = None
    voxel_um: float | None = None
    solid_values: tuple[float, ...] = ()


def network_findings(
    written: DepositFile, *, out: Path | None = None, tell: Tell | None = None, device: Device = "cpu"
) -> Findings:
    """Pores and transport of the networks of a file or of an image, as `read` gives it; mean and span of its seeds.

    tell(n_done, what): after each of STAGES of each network. device: "cuda" solves for transport, and labels, on an
    NVIDIA GPU. Raises InputError for fibres, box or image that cannot be used, PhysicsError where pores do not lead
    through, EnvironmentError_ where the box does not fit into memory, and for cuda without a GPU or the extra `gpu`.

    >>> asked = read("reference-deposit", NetworkOptions(n_voxels=64))
    >>> round(network_findings(asked).items[0].summary["values"]["porosity"]["mean"], 6)
    0.79
    """
    from interlith.deposit.solver.team import Team

    found = []
    with writable(out), Team(device=device) as team:
        for place in range(written.n_networks):
            done = count(place * STAGES + 1)
            found.append(_measured(written, place, team, lambda what: tell and tell(next(done), what)))  # noqa: B023
    summary, tables = _summary(written, found), _tables(found)
    frames = {name: pl.DataFrame(rows, infer_schema_length=None) for name, rows in tables.items() if rows}
    warning = None if written.fibres is None else "COMPUTED networks: what is assumed carries that word"
    return answered(f"Network of {written.name}", written.name, summary, frames, warning, out)


def read(given: str, options: NetworkOptions) -> DepositFile:
    """The file, the shipped one or the image that is meant, as the options have it."""
    from interlith.deposit.deposit_file import image_file, read_deposit

    path = Path(given)
    if path.suffix.lower() not in ("", ".toml"):
        if options.sample is not None or options.n_voxels is not None:
            raise InputError("--sample, --voxels: go with a file of fibres, not with an image")
        return image_file(path, options.voxel_um, options.solid_values)
    if options.voxel_um is not None or options.solid_values:
        raise InputError("--voxel-um, --solid: go with an image; a file says voxel_um in [box] or [image]")
    return read_deposit(given, options.sample, options.n_voxels)


def file_of(given: str) -> str:
    """The text of a file, or of a shipped one by its name: a beginning for one's own."""
    from interlith.deposit.deposit_file import PACKAGE
    from interlith.written import opened

    return opened(given, PACKAGE).text


def lists() -> dict[str, list[dict[str, str]]]:
    """What can be named: shipped files, and samples that have a network; which of these take no lithium is said.

    >>> [row["name"] for row in lists()["depositions"]]
    ['optical-cell', 'reference-deposit', 'two-hundred-cycles']
    """
    from interlith.deposit.deposit_file import deposit_names, read_deposit
    from interlith.parts import samples
    from interlith.parts.deposition import deposition_names

    plates = deposition_names()
    hosts = [name for name in samples.names() if name != samples.COPPER]
    return {
        "depositions": [{"name": name, "what": read_deposit(name).asked.title} for name in deposit_names()],
        "samples": [{"name": name, "what": samples.title(name) + NO_SET * (name not in plates)} for name in hosts],
    }


@dataclass(frozen=True)
class _Measured:
    """One network: its numbers by name, the rows of its transport, its pores.

    changes: by how much a number changes with voxels twice as wide, as a share. notes: what does not lead through.
    """

    seed: int | None
    network: Network
    values: dict[str, float | None]
    transport: Table
    sizes: PoreSizes
    changes: dict[str, float]
    notes: tuple[str, ...]


def _measured(written: DepositFile, place: int, team: Team, told: Callable[[str], Any]) -> _Measured:
    from interlith.deposit.memory import check_memory
    from interlith.deposit.network import coarser
    from interlith.deposit.pores import pore_sizes, reached

    check_memory(written.n_voxels)
    network = written.network(place)
    check_memory(network.solid.size)
    seed = written.seeds[place] if written.seeds else None
    reach = reached(network)
    if not reach.pore_percolates:
        raise PhysicsError(f"{network.source}: its pores do not lead from the separator to the current collector")
    sizes = pore_sizes(network)
    shape = _of_pores(network, sizes)
    told("pores")
    wide = coarser(network)
    rows, notes = _transport(network, wide, seed, team, told)
    values: dict[str, float | None] = {
        "porosity": network.porosity,
        "pore_capacity_mAh_per_cm2": network.pore_capacity_mAh_per_cm2,
        "open_pore_fraction": reach.pore_share,
        "joined_solid_fraction": reach.solid_share,
        **shape,
        **_by_direction(rows, "effective"),
    }
    wider: dict[str, float | None] = {}
    if wide is not None:
        with suppress(InputError):  # no pore is left in it
            wider = _of_pores(wide, pore_sizes(wide))
        wider |= _by_direction(rows, WIDE)
    return _Measured(seed, network, values, rows, sizes, _changes(values, wider), tuple(notes))


def _of_pores(network: Network, sizes: PoreSizes) -> dict[str, float | None]:
    from interlith.deposit.pores import area_m2_per_m2

    return {
        "area_m2_per_m2": area_m2_per_m2(network),
        "pore_diameter_um": sizes.median_um,
        "throat_diameter_um": sizes.throat_um,
    }


def _changes(values: Mapping[str, float | None], wider: Mapping[str, float | None]) -> dict[str, float]:
    """By how much each number is another in voxels twice as wide, as a share of it."""
    pairs = ((name, values[name], wide) for name, wide in wider.items())
    return {name: abs(wide / value - 1.0) for name, value, wide in pairs if value and wide is not None}


def _transport(
    network: Network, wide: Network | None, seed: int | None, team: Team, told: Callable[[str], Any]
) -> tuple[Table, list[str]]:
    """Each phase along each axis, here and in `wide`; sentences where one does not lead through."""
    from interlith.deposit.transport import transport

    rows, notes = [], []
    for phase in PHASES:
        for axis in WHERE:
            try:
                found = transport(network, phase, axis, team)
            except PhysicsError as problem:
                notes.append(str(problem))
                continue
            finally:
                told(f"{phase} along {axis}")
            rows.append(
                {
                    "seed": seed,
                    "phase": phase,
                    "axis": axis,
                    "share": found.share,
                    "effective": found.effective,
                    WIDE: _effective(wide, phase, axis, team),
                    "tortuosity_factor": found.tortuosity_factor,
                    "macmullin_number": found.macmullin_number,
                    "carrying_fraction": found.carrying_share,
                    "flow_imbalance": found.flow_imbalance,
                    "n_iterations": found.n_iterations,
                }
            )
    return rows, notes


def _effective(network: Network | None, phase: Phase, axis: Axis, team: Team) -> float | None:
    from interlith.deposit.transport import transport

    try:
        return None if network is None else transport(network, phase, axis, team).effective
    except PhysicsError:
        return None


def _by_direction(rows: Table, column: str) -> dict[str, float | None]:
    """Numbers by phase, through the sheet and in its plane: of the two directions there the mean conductance."""
    found: dict[str, float | None] = {}
    for phase in PHASES:
        for where in dict.fromkeys(WHERE.values()):
            axes = [axis for axis, one in WHERE.items() if one == where]
            held = [row for row in rows if row["phase"] == phase and row["axis"] in axes and row[column] is not None]
            effective = sum(row[column] for row in held) / len(held) if len(held) == len(axes) else None
            found[f"effective_{PHASES[phase]}_{where}"] = effective
            if phase == "pores":
                found[f"tortuosity_factor_{where}"] = None if effective is None else held[0]["share"] / effective
                found[f"macmullin_number_{where}"] = None if effective is None else 1.0 / effective
    return found


def _summary(written: DepositFile, found: Sequence[_Measured]) -> dict[str, Any]:
    network, asked = found[0].network, written.asked
    values = _over_seeds(found)
    return {
        **head("network", written.name, asked.title, [*_said(written, found)]),
        "warnings": [*dict.fromkeys(note for one in found for note in one.notes), *_warnings(found, values)],
        "from_image": written.fibres is None,
        "sample": asked.sample,
        "source": asked.source,
        "networks": [one.network.source for one in found],
        "seeds": list(written.seeds),
        "shape": list(network.solid.shape),
        "voxel_um": network.voxel_um,
        "thickness_um": network.thickness_um,
        "values": values,
        "transport": [row for one in found for row in one.transport],
        "results": {"network": {"values": [{"quantity": name, **row} for name, row in values.items()]}},
        "parameters": _parameters(written),
    }


def _parameters(written: DepositFile) -> Table:
    from interlith.parts.listing import parameters

    return [] if written.fibres is None else list(parameters(written.fibres))


def _over_seeds(found: Sequence[_Measured]) -> dict[str, dict[str, Any]]:
    """Mean of each number over the networks, the smallest and the largest; and the change with voxels twice as wide."""
    rows = {}
    for name in found[0].values:
        held = [value for one in found if (value := one.values[name]) is not None]
        whole = len(held) == len(found)
        rows[name] = {
            "mean": sum(held) / len(held) if whole else None,
            "low": min(held) if whole else None,
            "high": max(held) if whole else None,
            "change_when_coarser": max((one.changes[name] for one in found if name in one.changes), default=None),
        }
    return rows


def _said(written: DepositFile, found: Sequence[_Measured]) -> Iterator[str]:
    if written.asked.note:
        yield written.asked.note
    yield from (f"network: {one.network.source}" for one in found)
    if written.fibres is not None and len(found) > 1:
        yield f"low and high: of {len(found)} networks that differ only in their seed"
    yield ALL_LITHIUM
    yield GEOMETRIC
    yield OVERLAP


def _warnings(found: Sequence[_Measured], values: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    changes = {name: row["change_when_coarser"] or 0.0 for name, row in values.items()}
    coarse = [f"{name.replace('_', ' ')} by {changes[name]:.0%}" for name in TOLD if changes[name] > COARSE]
    if coarse:
        yield (
            f"voxels twice as wide would change {', '.join(coarse)}: errors may be as large, and finer voxels would say"
        )
    network = found[0].network
    if found[0].seed is None:
        yield from _uneven(network)


def _uneven(network: Network) -> Iterator[str]:
    """Whether an image is large enough for its pores: the porosity of its four quarters."""
    half_y, half_x = (max(1, n // 2) for n in network.solid.shape[1:])
    sides = [(slice(None, half_y), slice(half_y, None)), (slice(None, half_x), slice(half_x, None))]
    quarters = [network.solid[:, y, x] for y in sides[0] for x in sides[1]]
    held = [1.0 - float(one.mean(dtype="float64")) for one in quarters if one.size]
    if max(held) - min(held) > UNEVEN * network.porosity:
        yield (
            f"the box is small for its pores: the porosity of its quarters is {min(held):.3f} to {max(held):.3f}; a "
            "larger image would say what the sheet does"
        )


def _tables(found: Sequence[_Measured]) -> dict[str, Table]:
    return {
        "transport": [row for one in found for row in one.transport],
        "pore_sizes": [
            {"seed": one.seed, "diameter_um": float(d), "fits": float(a), "intruded": float(b)}
            for one in found
            for d, a, b in zip(one.sizes.diameter_um, one.sizes.fits, one.sizes.intruded, strict=True)
        ],
        "profile": [
            {"seed": one.seed, "z_um": (k + 0.5) * one.network.voxel_um, "porosity": 1.0 - float(plane.mean())}
            for one in found
            for k, plane in enumerate(one.network.solid)
        ],
        "section": _section(found[0].network),
    }


def _section(network: Network) -> Table:
    """The middle of the first network, cut from the collector to the separator."""
    h = network.voxel_um
    cut = network.solid[:, network.solid.shape[1] // 2]
    return [
        {"x_um": (i + 0.5) * h, "z_um": (k + 0.5) * h, "solid": round(float(value), 4)}
        for k, row in enumerate(cut)
        for i, value in enumerate(row)
    ]
