"""A host in voxels with lithium in it and open electrolyte above: the state that plating and stripping change."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from interlith.deposit import contact, counted, surfaces
from interlith.deposit.gap import Salt
from interlith.deposit.network import Network
from interlith.deposit.patches import Lattice
from interlith.deposit.rows import Places, in_a_row, planes_of
from interlith.deposit.solver.team import PARTS_EACH, Team
from interlith.errors import InputError
from interlith.parts.deposition import Deposition
from interlith.units import (
    FARADAY_C_PER_MOL,
    GAS_CONSTANT_J_PER_MOL_K,
    LITHIUM_MOLAR_VOLUME_M3,
    ZERO_CELSIUS_K,
    LITHIUM_mAh_PER_CM2_PER_UM,
    PA_PER_MPa,
    mV_PER_V,
)

BARE_STREAM, LITHIUM_STREAM, BARRIER_STREAM, OXIDE_STREAM = 0, 1, 2, 3
LEAST_HOST = 0.02  # share of a voxel: less host carries no electrons and has no surface
HEADROOM = 3  # planes without lithium that are kept over it
MORE_PLANES = 8  # added at a time
KEPT = ("lithium", "grown", "planes", "sei")  # not derived of the ground, the numbers drawn and each other
LAID = ("host", "joined", "kind", "may", "state", "wet", "solid")  # arrays of the box, but lithium, grown and ease
DRAWN_AT_A_TIME = 32  # planes
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Ground:
    """What lithium is plated on: float64[z, y, x] shares of host, none for a bare collector; and the voxels.

    n_host: planes that belong to the host; what lies above is on top.

    >>> Ground.bare(4, 4, voxel_um=0.5).n_host
    0
    """

    host: Floats
    n_host: int
    voxel_um: float
    is_periodic: bool

    def __post_init__(self) -> None:
        if self.host.ndim != 3 or not self.host.size or not self.voxel_um > 0.0:
            raise InputError(f"a ground has voxels in z, y and x; got shape {self.host.shape}, {self.voxel_um:g} um")

    @classmethod
    def of(cls, network: Network) -> Ground:
        """A network as it lies on the collector."""
        host = np.where(network.solid < LEAST_HOST, 0.0, network.solid.astype(np.float64))
        return cls(host, host.shape[0], network.voxel_um, network.is_periodic)

    @classmethod
    def bare(cls, n_y: int, n_x: int, *, voxel_um: float, is_periodic: bool = True) -> Ground:
        """A flat collector."""
        return cls(np.zeros((1, n_y, n_x)), 0, voxel_um, is_periodic)


class Box:
    """Arrays [z, y, x] with a rim of one voxel, of a ground and as much electrolyte above as the lithium needs.

    lithium: share of each voxel, over 1 where its plane is stretched. planes: as in `surfaces`; pushed: float64[z] of
    the host, how far what a layer holds stretches it where all of it is alike. sei: float64[z], volume of SEI in each
    plane, in voxels per voxel of it: known by plane alone, and never stripped. state: none, live (conducts to the
    collector) or dead. The rest is derived of these, of the ground and of the numbers drawn, by `settle`.
    conductivity_S_per_m: of the open electrolyte; None: it loses nothing. salt: in it and in the gap over it, where
    that counts.
    """

    def __init__(
        self,
        ground: Ground,
        deposition: Deposition,
        seed: int,
        team: Team,
        conductivity_S_per_m: float | None = None,
    ) -> None:
        self.ground, self.deposition, self.seed, self.team = ground, deposition, seed, team
        self.conductivity_S_per_m = conductivity_S_per_m
        self.salt: Salt | None = None
        shape = (max(ground.host.shape[0], ground.n_host) + MORE_PLANES, *ground.host.shape[1:])
        self.lithium = np.zeros(tuple(n + 2 for n in shape))
        self.grown = np.zeros(self.lithium.shape, dtype=np.uint8)
        self.planes, self.sei = np.zeros((0, 4)), np.zeros(0)
        self._forget()
        self._lay()
        self.settle()

    def kept(self) -> dict[str, NDArray[Any]]:
        """What a box of the same ground and numbers needs to go on as this one, by name."""
        salt = {} if self.salt is None else {f"salt.{name}": held for name, held in self.salt.kept().items()}
        return {name: getattr(self, name) for name in KEPT} | salt

    def restore(self, kept: Mapping[str, NDArray[Any]]) -> None:
        """Go on from what `kept` gave. Raises InputError, and changes nothing, for arrays of another box."""
        height = len(kept.get("lithium", ()))
        for name in KEPT:
            own = getattr(self, name)
            fits = name in kept and (kept[name].dtype, kept[name].shape[1:]) == (own.dtype, own.shape[1:])
            if not fits or (len(own) == len(self.lithium) and len(kept[name]) != height):
                raise InputError(f"{name}: of another box")
        if self.salt is not None:
            salt = {name.removeprefix("salt."): held for name, held in kept.items() if name.startswith("salt.")}
            self.salt.restore(salt)
        self.lithium = kept["lithium"].copy()
        self._forget()
        self._lay()
        for name in KEPT:
            setattr(self, name, kept[name].copy())
        self.settle()

    @property
    def n_planes(self) -> int:
        """Without the rim."""
        return int(self.lithium.shape[0]) - 2

    @property
    def mAh_per_cm2_of_a_voxel(self) -> float:
        """Charge per area of the box of one voxel full of lithium."""
        return (
            self.ground.voxel_um
            * LITHIUM_mAh_PER_CM2_PER_UM
            / (self.lithium.shape[1] - 2)
            / (self.lithium.shape[2] - 2)
        )

    @property
    def n_columns(self) -> int:
        """Without the rim."""
        return (self.lithium.shape[1] - 2) * (self.lithium.shape[2] - 2)

    @property
    def packed_sei(self) -> Floats:
        """float64[z], room that the SEI of each plane takes with its pores, in voxels per voxel."""
        found: Floats = self.sei / self.deposition.fill_before_swelling
        return found

    @property
    def parts(self) -> list[tuple[int, int]]:
        """Planes, rim counted, that the threads share."""
        return self.team.ranges(self.n_planes, self.lithium.size, each=PARTS_EACH)

    def wrap(self, array: NDArray[Any]) -> None:
        """Fill the rim at the sides."""
        if self.ground.is_periodic:
            array[:, :, 0], array[:, :, -1] = array[:, :, -2], array[:, :, 1]
            array[:, 0], array[:, -1] = array[:, -2], array[:, 1]

    def plane_of(self, places: Places) -> Places:
        """The plane of each place, rim counted."""
        return planes_of(places, self.lithium.shape)

    def capacity(self, places: Places) -> Floats:
        """Most lithium that voxels hold: what the host leaves, as it packs there."""
        stretch, packing = self.planes[self.plane_of(places), : surfaces.PACKING + 1].T
        found: Floats = (stretch - in_a_row(self.host)[places]) * packing
        return found

    def open_share(self) -> Floats:
        """float64[z, y, x] without a rim, what is open of voxels that electrolyte reaches, over one not stretched."""
        inner, stretch = (slice(1, -1),) * 3, self.planes[1:-1, surfaces.STRETCH, None, None]
        solid = self.host[inner] + self.lithium[inner] + self.sei[1:-1, None, None]
        found: Floats = np.where(self.wet[inner], np.maximum(stretch - solid, 0.0), 0.0)
        return found

    @property
    def heights_um(self) -> Floats:
        """float64[z] without a rim, the height of each plane."""
        found: Floats = self.planes[1:-1, surfaces.STRETCH] * self.ground.voxel_um
        return found

    @property
    def pressure(self) -> Floats:
        """float64[z] with a rim, F / 2RT times the overpotential by which a stretched plane keeps lithium out."""
        found = np.zeros(len(self.planes))
        found[1 : 1 + self.ground.n_host] = np.maximum(self.pushed - 1.0, 0.0) * self._per_strain
        return found

    @property
    def _per_strain(self) -> float:
        """F / 2RT times the overpotential of a layer that is stretched to its double."""
        volt = self.deposition.stiffness_MPa * PA_PER_MPa * LITHIUM_MOLAR_VOLUME_M3 / FARADAY_C_PER_MOL
        return volt * self.half_per_V

    def more_until(self, barrier: float) -> Floats:
        """float64[z] of the host, lithium per voxel that a layer still takes until its pressure is such a barrier."""
        if not self._per_strain > 0.0:
            return np.full(self.ground.n_host, np.inf)
        most = 1.0 + max(barrier, 0.0) / self._per_strain
        held: Floats = np.maximum(most - self.pushed, 0.0) * self.deposition.fill_before_swelling
        return held / (1.0 + self._sei_per_lithium)

    def pack(self, current_mA_per_cm2: float) -> None:
        """How densely lithium will pack over the host, where there is none yet: as it is plated now."""
        d = self.deposition
        fresh: NDArray[np.bool_] = np.ones(len(self.planes), dtype=np.bool_)
        fresh[1:-1] = ~self._is_used()
        fresh[: self.ground.n_host + 1] = False
        void = d.void_per_sei * d.sei_per_plated * current_mA_per_cm2**d.void_exponent
        self.planes[fresh, surfaces.HOLDS] = 1.0 / (1.0 + void)
        self._stretch_over_host()

    def leave_sei(self, places: Places, plated: Floats) -> None:
        """Leave the SEI of lithium that is plated there; what it pushes apart is known when the box is settled."""
        volume = np.bincount(self.plane_of(places), plated, minlength=len(self.sei))
        self.sei += self._sei_per_lithium / self.n_columns * volume

    @property
    def _sei_per_lithium(self) -> float:
        """Volume of SEI that is left where a volume of lithium is plated."""
        d = self.deposition
        return d.sei_volume_per_lithium * d.sei_per_plated / (1.0 - d.sei_per_plated)

    def beside(self, place: tuple[int, int, int], axis: int, side: int) -> tuple[int, int, int] | None:
        """The voxel beside one, rim counted, along z, y or x; None outside of the box."""
        at = list(place)
        at[axis] += side
        n = self.lithium.shape[axis] - 2
        if axis > 0 and self.ground.is_periodic:
            at[axis] = (at[axis] - 1) % n + 1
        return (at[0], at[1], at[2]) if 1 <= at[axis] <= n else None

    def counted(self, count: Callable[..., Any], *arrays: NDArray[Any], n_planes: int | None = None) -> Floats:
        """float64[z, 2] without a rim, what a kernel of `counted` finds in each plane, or in the first n_planes."""
        n = self.n_planes if n_planes is None else n_planes
        found = np.zeros((1 + n, 2))
        parts = self.team.ranges(n, n * arrays[0][0].size)
        self.team.share(parts, lambda a, b: count(*arrays, found, a, b))
        return found[1:]

    def _is_used(self) -> NDArray[np.bool_]:
        """bool[z] without a rim, whether there is lithium in a plane."""
        found = np.zeros(len(self.planes), dtype=np.bool_)
        self.team.share(self.parts, lambda a, b: counted.held(self.lithium, found, a, b))
        return found[1:-1]

    def make_room(self) -> None:
        """Add planes of electrolyte where lithium comes near the last one."""
        used = np.flatnonzero(self._is_used())
        if used.size and used[-1] + 1 + HEADROOM > self.n_planes:
            more = ((0, MORE_PLANES), (0, 0), (0, 0))
            self.lithium, self.grown = np.pad(self.lithium, more), np.pad(self.grown, more)
            self._lay()
            self.settle()

    def settle(self) -> None:
        """Derive which lithium is live, what is full, and which room the electrolyte reaches."""
        self.wrap(self.lithium)
        self._stretch()
        own = (self.lithium, self.joined, self.may, self.grown, self.state)
        self.labels = contact.state_of_lithium(*own, self.ground.is_periodic, self.team)
        self.wrap(self.state)
        self.wrap(self.grown)
        solid = (self.host, self.planes, self.joined, self.lithium, self.state, self.solid)
        self.team.share(self.parts, lambda a, b: surfaces.classify(*solid, a, b))
        self.wrap(self.solid)
        room = np.empty(tuple(n - 2 for n in self.lithium.shape), dtype=np.bool_)
        open_to = (self.host, self.planes, self.lithium, room)
        self.team.share(self.parts, lambda a, b: surfaces.with_room(*open_to, a, b))
        contact.joined_to(room, -1, self.wet, self.ground.is_periodic, self.team)
        self.wrap(self.wet)

    def _stretch(self) -> None:
        """Layers of the host whose pores are filled too far are pushed apart; nothing in them is squeezed."""
        n = self.ground.n_host
        lithium, propped = self.counted(counted.filled, self.host, self.lithium, n_planes=n).T
        held = lithium / self.n_columns + self.sei[1 : 1 + n]
        self.pushed = self._solid + held / self.deposition.fill_before_swelling
        stretch = np.maximum(np.maximum(self.pushed, propped), 1.0)
        self.planes[1 : 1 + n, surfaces.STRETCH] = stretch
        self.planes[1 : 1 + n, surfaces.LEAST] = np.where(
            stretch > 1.0, surfaces.FULL_ENOUGH * stretch, surfaces.LEAST_ROOM
        )
        self._stretch_over_host()

    def _stretch_over_host(self) -> None:
        """SEI lies in the void beside the lithium, and makes a plane higher where that is too little for it."""
        over = self.planes[1 + self.ground.n_host : -1]
        packed = self.packed_sei[1 + self.ground.n_host : -1]
        over[:, surfaces.STRETCH] = np.maximum(over[:, surfaces.HOLDS] + packed, 1.0)
        over[:, surfaces.PACKING] = over[:, surfaces.HOLDS] / over[:, surfaces.STRETCH]

    def _forget(self) -> None:
        """No planes of the ground and of the numbers drawn."""
        sides = self.lithium.shape[1:]
        self.host = np.zeros((0, *sides), dtype=np.float32)
        self.joined, self.kind, self.state, self.wet, self.solid = (np.zeros((0, *sides), np.uint8) for _ in range(5))
        self.may = np.zeros((0, *sides), dtype=np.uint16)
        self.ease = np.ones((3, 0, *sides), dtype=np.float32)

    def _lay(self) -> None:
        """Arrays of the ground and of the numbers drawn, as high as the lithium's: what lacks at the top."""
        old, height = len(self.host), len(self.lithium)
        for name in LAID:
            held = getattr(self, name)
            more = np.zeros((height - old, *held.shape[1:]), dtype=held.dtype)
            setattr(self, name, np.concatenate([held, more]))
        wide = np.ones((3, height - old, *self.lithium.shape[1:]), dtype=np.float32)
        self.ease = np.concatenate([self.ease, wide], axis=1)
        if not old:
            self._lay_ground()
        first = max(old - 1, 0)  # what was the rim
        self.solid[first:], self.wet[first:] = surfaces.SHUT, 0
        self.solid[0], self.solid[-1], self.wet[-1] = surfaces.BARE, surfaces.OPEN, 1
        more = np.tile([1.0, 1.0, surfaces.LEAST_ROOM, 1.0], (max(height - len(self.planes), 0), 1))
        self.planes = np.concatenate([self.planes, more])
        self.sei = np.pad(self.sei, (0, max(height - len(self.sei), 0)))
        for begin in range(max(old - 2, 0), height, DRAWN_AT_A_TIME):
            self._draw(begin, min(begin + DRAWN_AT_A_TIME, height))

    def _lay_ground(self) -> None:
        """The host, what of it conducts to the collector, and how much of each layer it is."""
        below = self.ground.host
        self.host[1 : 1 + below.shape[0], 1:-1, 1:-1] = below
        layers = self.host[1 : 1 + self.ground.n_host, 1:-1, 1:-1]
        self._solid = layers.mean(axis=(1, 2), dtype=np.float64)
        self.host[0] = 1.0
        self.wrap(self.host)
        contact.joined_to(self.host[1:-1, 1:-1, 1:-1] > 0.0, 0, self.joined, self.ground.is_periodic, self.team)
        self.joined[0] = 1
        self.wrap(self.joined)

    def _draw(self, first: int, last: int) -> None:
        """Classes of surface, contacts and eases of each place of some planes, rim counted."""
        d, voxel_um, is_periodic = self.deposition, self.ground.voxel_um, self.ground.is_periodic
        inside = slice(max(first, 1), min(last, len(self.lithium) - 1))
        shape, inner = (inside.stop - inside.start, *self.ground.host.shape[1:]), (inside, slice(1, -1), slice(1, -1))
        grains = Lattice(shape, voxel_um, d.grain_um, is_periodic, first=inside.start - 1)
        carries = grains.drawn(self.seed, OXIDE_STREAM) < d.oxide_coverage
        fibre = np.where(carries, surfaces.OXIDE, surfaces.FIBRE)
        self.kind[inner] = np.where(self.host[inner] > 0.0, fibre, surfaces.NO_HOST)
        self.kind[0] = surfaces.COLLECTOR
        self.wrap(self.kind[first:last])
        for which, stream in enumerate((BARE_STREAM, LITHIUM_STREAM)):
            waves = grains.smooth(self.seed, stream)
            self.ease[(which, *inner)] = np.exp(d.ease_spread * waves - 0.5 * d.ease_spread**2)
        waves = grains.smooth(self.seed, BARRIER_STREAM)
        self.ease[(2, *inner)] = np.maximum(1.0 + d.nucleation_spread * waves, 0.0)
        before = max(first - 1, 0)  # its faces to the first of these
        n = (self.n_planes, *shape[1:])
        bodies = Lattice(n, voxel_um, d.contact_grain_um, is_periodic)
        chance = np.array([0.0, d.fibre_contact, d.oxide_contact, d.collector_contact, d.lithium_contact])
        self.may[before:last] = contact.drawn_contacts(self.kind[before:last], chance, bodies, self.seed, before)

    @property
    def class_ease(self) -> Floats:
        """float64[class of surface]."""
        d = self.deposition
        return np.array([0.0, d.fibre_ease, d.oxide_ease, d.collector_ease, 1.0])

    @property
    def half_per_V(self) -> float:
        """F / 2RT."""
        return 0.5 * FARADAY_C_PER_MOL / GAS_CONSTANT_J_PER_MOL_K / (self.deposition.temperature_C + ZERO_CELSIUS_K)

    @property
    def class_barrier(self) -> Floats:
        """float64[class of surface], F / 2RT times the nucleation overpotential."""
        d = self.deposition
        barriers = np.array([0.0, d.fibre_nucleation_mV, d.oxide_nucleation_mV, d.collector_nucleation_mV, 0.0])
        return barriers / mV_PER_V * self.half_per_V

    @property
    def class_migration(self) -> Floats:
        """float64[class of surface], squares of the migration lengths in voxels; on the collector as on fibres."""
        d = self.deposition
        lengths = [0.0, d.fibre_migration_um, d.oxide_migration_um, d.fibre_migration_um, d.lithium_migration_um]
        return (np.array(lengths) / self.ground.voxel_um) ** 2
