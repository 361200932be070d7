"""Salt and potential where currents use salt up: plane by plane in the host, and through the gap over it.

    d(e c)/dt = div(D w grad c) - div((1 - t+) i / F)
    i         = kappa w (grad phi - (2RT/F) (1 - t+) (1 + dln f/dln c) grad ln c)
    div i     = sum of a i0 (c/c0)^0.5 2 sinh(F (phi - barrier) / 2RT)

with e the open share of a plane, w = e^1.5 (Bruggeman), i counted downwards, the metal at 0, and signs as for plating.
At the end of the gap lithium dissolves as fast as it is plated, and gives the liquid the room that it takes here: the
liquid is pushed up there, with its salt, and both are conserved. Differences within a plane, micrometers wide, are far
below RT/F and left out. Planes are as high as voxels up to the counter electrode: a few thousand unknowns cost less
than a millisecond, and lithium may grow as high as it will.

Each step is implicit in salt and potential together (Newton); D, kappa, t+ and dln f/dln c are those at its begin.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, solve_banded

from interlith.deposit import sharing
from interlith.deposit.checkpoint import value_of
from interlith.deposit.potential import BRUGGEMAN, LEAST_OPEN
from interlith.deposit.rows import Places, in_a_row
from interlith.errors import InputError, SolverError
from interlith.parts.electrolyte import Electrolyte
from interlith.units import (
    FARADAY_C_PER_MOL,
    GAS_CONSTANT_J_PER_MOL_K,
    M_PER_UM,
    MOL_PER_M3_PER_MOL_PER_L,
    ZERO_CELSIUS_K,
    A_PER_M2_PER_mA_PER_CM2,
    C_PER_M2_PER_mAh_PER_CM2,
)

if TYPE_CHECKING:
    from interlith.deposit.box import Box

Floats = NDArray[np.float64]

KEPT = ("c", "amount", "way", "liquid", "stretch", "risen", "since_s", "current", "sign", "last_s")
LITTLE = 1e-4  # of the salt as made; below it the exchange current falls with c, so that its slope stays finite
LEAST_SALT = 1e-30  # mol/m3, under a logarithm
FALLS_BY = 0.05  # of the salt as made, at a flat electrode in the first of the longest steps
SLOWEST = 0.01  # of the longest step: the first one after a short one
QUICKER = 1.5
AT_ONCE = 4  # of the longest steps, while lithium stays where it is
SHORTEST = 1e-4  # of the longest step: if not even this can be solved, the salt is used up
WITHIN = 1e-9
MOST_TURNS = 60
MOST_RISE = 2.0  # of F phi / 2RT in one turn
MOST_PHI = 20.0  # F phi / 2RT, 1 V: no current is driven through a layer without salt
LEAST_LEFT = 0.2  # of the salt of a plane after one turn
RESTS = (1e-3, 2.0, 10)  # step and length of the fine part of a rest, in length^2/D; steps of the coarse part
MOST_SALT = 6.0  # of the salt as made, anywhere at the limiting current


def sand_time_s(electrolyte: Electrolyte, current_mA_per_cm2: float, temperature_K: float = 298.15) -> float:
    """When a current has used up the salt at a flat electrode before an endless electrolyte: pi D (F c/2J(1-t+))^2.

    D and t+ at the salt as made. Sand, Philos. Mag. 1, 45 (1901); of a binary salt, Chazalviel, Phys. Rev. A 42, 7355
    (1990), doi:10.1103/PhysRevA.42.7355.

    >>> from interlith.parts.electrolyte import electrolyte
    >>> round(sand_time_s(electrolyte("litfsi-dol-dme-lino3"), 18.75))
    275
    """
    c = electrolyte.salt_mol_per_m3
    lost = 1.0 - float(electrolyte.transference_number(c, temperature_K))
    reach = FARADAY_C_PER_MOL * c / (2.0 * current_mA_per_cm2 * A_PER_M2_PER_mA_PER_CM2 * lost)
    return float(np.pi * float(electrolyte.diffusivity_m2_per_s(c, temperature_K)) * reach**2)


def limiting_current_mA_per_cm2(
    electrolyte: Electrolyte, length_um: float, porosity: float = 1.0, temperature_K: float = 298.15
) -> float:
    """The current at which, in the end, no salt is left at one side: F/L times the integral of D/(1-t+) over c.

    The integral goes from 0 to that c at the other side at which the mean is the salt as made; with constant D and t+
    this is 2 F D c/((1-t+) L).

    >>> from interlith.parts.electrolyte import electrolyte
    >>> round(limiting_current_mA_per_cm2(electrolyte("litfsi-dol-dme-lino3"), 900.0), 1)
    18.4
    """
    c0 = electrolyte.salt_mol_per_m3
    c = np.linspace(0.0, MOST_SALT * c0, 6001)
    lost = 1.0 - electrolyte.transference_number(c, temperature_K)
    eased = electrolyte.diffusivity_m2_per_s(c, temperature_K) / lost
    whole, weighed = (np.concatenate([[0.0], np.cumsum(0.5 * (f[1:] + f[:-1]))]) for f in (eased, eased * c))
    mean = weighed[1:] / whole[1:]
    if mean[-1] < c0:
        raise SolverError(f"{electrolyte.name}: no limiting current is found below {MOST_SALT:g} times its salt")
    integral = float(np.interp(c0, mean, whole[1:])) * (c[1] - c[0])
    metres = length_um * M_PER_UM
    return float(FARADAY_C_PER_MOL * porosity**BRUGGEMAN * integral / metres / A_PER_M2_PER_mA_PER_CM2)


@dataclass(frozen=True)
class Surfaces:
    """What reacts: the plane of each place, its ease, and exp(barrier).

    ease: A/m2 of the box at 2 sinh = 1 and the salt as made. n_planes: of the box; no place lies over them.
    """

    plane: NDArray[np.intp]
    ease: Floats
    lift: Floats
    n_planes: int

    def carried(self, phi: Floats) -> tuple[Floats, Floats, Floats]:
        """Current of each place, current of each plane, and its slope, with the salt as made."""
        up = np.exp(phi)[self.plane] / self.lift
        is_over = up > 1.0
        own = np.where(is_over, self.ease * (up - 1.0 / up), 0.0)
        slope = np.where(is_over, self.ease * (up + 1.0 / up), 0.0)
        return own, self._by_plane(own), self._by_plane(slope)

    def _by_plane(self, held: Floats) -> Floats:
        found: Floats = np.bincount(self.plane, held, self.n_planes).astype(np.float64)
        return found


@dataclass(frozen=True)
class Solved:
    """After a step: salt in all planes, F phi / 2RT in those of the box, mol/m2 that went up through each face."""

    duration_s: float
    c: Floats
    phi: Floats
    gone_up: Floats


@dataclass(frozen=True)
class _Rows:
    """One step for the salt: lower c[k-1] + own c[k] + upper c[k+1] = held - what migrates out."""

    lower: Floats
    own: Floats
    upper: Floats
    held: Floats

    def gone_up(self, c: Floats) -> Floats:
        """mol/m2 through each face, by diffusion and with the liquid."""
        return self.upper * c[1:] - self.lower * c[:-1]


class Salt:
    """Salt in each plane, from the collector to the counter electrode; what is asked for moves it.

    open_share: of each plane of the host as made, and of those over it that the box has. c: float64[z], mol/m3.
    amount: mol/m2 in each plane. voxel_um: height of the planes, but of the last one, which takes what is left over.
    Raises InputError for a gap that is not higher than the box.
    """

    def __init__(
        self,
        electrolyte: Electrolyte,
        open_share: Floats,
        *,
        n_host: int,
        voxel_um: float,
        length_um: float,
        porosity: float = 1.0,
        temperature_K: float = 298.15,
    ) -> None:
        whole_um = n_host * voxel_um + length_um
        n = int(whole_um / voxel_um + WITHIN)
        if n < open_share.size + 2:
            raise InputError(f"gap.length_um = {length_um:g}: more than the {open_share.size} planes of the box need")
        self.electrolyte, self.temperature_K = electrolyte, temperature_K
        self.length_um, self.porosity, self.n_host = length_um, porosity, n_host
        self.height = np.full(n, voxel_um * M_PER_UM)
        self.height[-1] += (whole_um - n * voxel_um) * M_PER_UM
        self.stretch = np.ones(n)
        self.made = electrolyte.salt_mol_per_m3
        self.c = np.full(n, self.made)
        self.way, self.liquid = self._shares(open_share), self._shares(open_share) * self.height
        self.amount = self.liquid * self.c
        self.risen = np.zeros(n - 1)  # m3/m2 of liquid through the top of each plane since the last step
        self.since_s, self.current, self.sign, self.last_s = 0.0, 0.0, 0.0, 0.0
        self.surfaces: Surfaces | None = None
        self.solved: Solved | None = None

    def kept(self) -> dict[str, NDArray[np.float64]]:
        """All that a checkpoint has to keep, by name, between two steps."""
        return {name: np.array(getattr(self, name)) for name in KEPT}

    def restore(self, kept: Mapping[str, NDArray[np.float64]]) -> None:
        """Go on from what `kept` gave. Raises InputError, and changes nothing, for another gap."""
        if any(name not in kept or kept[name].shape != np.shape(getattr(self, name)) for name in KEPT):
            raise InputError("salt: of another gap")
        for name in KEPT:
            setattr(self, name, value_of(kept[name].copy()))
        self.surfaces, self.solved = None, None

    def lay(self, open_share: Floats, way: Floats, stretch: Floats) -> None:
        """What of each plane of the box is open now, and how much of it conducts; liquid is pushed up for it.

        stretch: heights of the planes over those of voxels; open_share is of the latter, way of the former.

        Raises SolverError where lithium has grown through the gap.
        """
        if open_share.size + 2 > self.c.size:
            raise SolverError(f"lithium has grown through the gap of {self.length_um:g} um")
        before = self.liquid
        self.stretch[: stretch.size] = stretch
        self.way, self.liquid = self._shares(way), self._shares(open_share) * self.height
        gone = np.cumsum(before[:-1] - self.liquid[:-1])
        self.liquid[-1] = before[-1] + gone[-1]
        self.risen = self.risen + gone
        self.solved = None

    def ask(self, surfaces: Surfaces, current_A_per_m2: float, *, is_stripping: bool = False) -> Solved:
        """Salt and potential at the end of the step that comes; of phi the mirror image where lithium is stripped."""
        sign = -1.0 if is_stripping else 1.0
        if (sign, current_A_per_m2) != (self.sign, self.current):
            self.since_s, self.sign, self.current = 0.0, sign, current_A_per_m2
        self.surfaces = surfaces
        self.solved = self._solve(min(self.next_s(current_A_per_m2), self.longest_s(current_A_per_m2)))
        return self.solved

    def longest_s(self, current_A_per_m2: float) -> float:
        """Longest step at a current."""
        per_area = current_A_per_m2 / A_PER_M2_PER_mA_PER_CM2
        return FALLS_BY**2 * sand_time_s(self.electrolyte, per_area, self.temperature_K)

    def next_s(self, current_A_per_m2: float) -> float:
        """How long lithium may stay where it is: a little longer than the last time."""
        longest = self.longest_s(current_A_per_m2)
        return min(AT_ONCE * longest, max(QUICKER * self.last_s, SLOWEST * longest))

    def advance(self, duration_s: float) -> None:
        """Let so much time pass at the current and with the surfaces last asked for."""
        left, longest = duration_s, self.longest_s(self.current)
        while left > WITHIN * duration_s:
            done = self.solved
            if done is None or done.duration_s > left * (1.0 + WITHIN):
                done = self._solve(min(left, longest))
            self._take(done)
            left -= done.duration_s
        self.last_s = duration_s

    def rest(self, duration_s: float) -> None:
        """Let so much time pass without a current: salt evens out."""
        slow = float(self.height.sum()) ** 2 / float(
            self.electrolyte.diffusivity_m2_per_s(self.made, self.temperature_K)
        )
        step, fine, n_coarse = RESTS
        fine_s = min(duration_s, fine * slow)
        n_fine = int(np.ceil(fine_s / (step * slow)))
        for lasts in [fine_s / n_fine] * n_fine + [(duration_s - fine_s) / n_coarse] * n_coarse * (duration_s > fine_s):
            rows = self._rows(lasts)
            c = _banded(rows, rows.held[:, None])[:, 0]
            self._take(Solved(lasts, c, np.zeros(0), rows.gone_up(c)))
        self.current = self.sign = 0.0

    def ends_mol_per_L(self) -> tuple[float, float]:
        """In the lowest plane that holds liquid, and in the lowest one of those over the host."""
        held = np.flatnonzero(self.liquid > 0.0)
        lowest, over = int(held[0]), int(held[held >= self.n_host][0])
        return float(self.c[lowest]) / MOL_PER_M3_PER_MOL_PER_L, float(self.c[over]) / MOL_PER_M3_PER_MOL_PER_L

    def _shares(self, of_the_box: Floats) -> Floats:
        share = np.ones(self.c.size)
        share[: of_the_box.size] = of_the_box
        share[self.n_host :] *= self.porosity
        return share

    def _take(self, done: Solved) -> None:
        self.c = done.c
        self.amount[:-1] -= done.gone_up
        self.amount[1:] += done.gone_up
        self.risen = np.zeros(self.risen.size)
        self.since_s += done.duration_s
        self.solved = None

    def _solve(self, duration_s: float) -> Solved:
        """A step, shorter where it has to be. Raises SolverError when the salt is used up."""
        least = SHORTEST * self.longest_s(self.current)
        while True:
            done = self._newton(duration_s)
            if done is not None:
                return done
            duration_s *= 0.5
            if duration_s < least:
                raise SolverError(self._used_up())

    def _used_up(self) -> str:
        per_area = self.current / A_PER_M2_PER_mA_PER_CM2
        limit = limiting_current_mA_per_cm2(self.electrolyte, self.length_um, self.porosity, self.temperature_K)
        charge = self.current * self.since_s / C_PER_M2_PER_mAh_PER_CM2
        return (
            f"salt is used up after {self.since_s:.4g} s, {charge:.4g} mAh/cm2, at {per_area:.4g} mA/cm2: the limiting "
            f"current of this gap is {limit:.4g} mA/cm2, and Sand's time is "
            f"{sand_time_s(self.electrolyte, per_area, self.temperature_K):.4g} s"
        )

    def _rows(self, duration_s: float) -> _Rows:
        """Diffusion, and what the liquid that rises takes along from where it comes."""
        passes = duration_s * self._conducts(self.electrolyte.diffusivity_m2_per_s(self.c, self.temperature_K))
        up, down = np.maximum(self.risen, 0.0) + passes, np.maximum(-self.risen, 0.0) + passes
        own = self.liquid.copy()
        own[:-1] += up
        own[1:] += down
        is_empty = own <= 0.0
        held = np.where(is_empty, self.c, self.amount)
        return _Rows(-up, np.where(is_empty, 1.0, own), -down, held)

    def _conducts(self, per_open: Floats) -> Floats:
        """Of the faces between planes, harmonic: what the way of each and its own value pass."""
        eased = self.way**BRUGGEMAN * per_open
        half = np.divide(0.5 * self.height * self.stretch, eased, out=np.full(eased.shape, np.inf), where=eased > 0.0)
        return 1.0 / (half[:-1] + half[1:])

    def _newton(self, duration_s: float) -> Solved | None:
        """Salt and potential together after a step; None where Newton's method finds none."""
        surfaces = self.surfaces
        assert surfaces is not None
        n, rows, lost = surfaces.n_planes, self._rows(duration_s), self._lost()
        moves = duration_s * self.sign * lost / FARADAY_C_PER_MOL
        own, over = _without_the_gap(rows, moves * self.current, n)
        box = self._planes(moves, lost, n)
        c = np.maximum(self.c[:n], LEAST_SALT)
        eased = surfaces.ease * _eased(c / self.made)[0][surfaces.plane]
        start, _ = sharing.common_overpotential(eased, np.log(surfaces.lift), self.current)
        phi = np.full(n, start)
        for _ in range(MOST_TURNS):
            try:
                change = box.change(c, phi, own, surfaces)
            except (LinAlgError, ValueError):
                return None
            c_change, phi_change = change[0::2] * self.made, change[1::2]
            is_done = np.abs(phi_change).max() <= WITHIN and np.abs(c_change).max() <= WITHIN * self.made
            c = np.maximum(c + c_change, LEAST_LEFT * c)
            phi = phi + np.clip(phi_change, -MOST_RISE, MOST_RISE)
            if not phi.max() < MOST_PHI:
                return None
            if is_done:
                c_all = np.concatenate([c, over[:, 0] + over[:, 1] * c[-1]])
                through = np.concatenate([box.through(c, phi), np.full(self.c.size - n, self.current)])
                return Solved(duration_s, c_all, phi, rows.gone_up(c_all) + moves * through)
        return None

    def _lost(self) -> Floats:
        """1 - t+ at each face."""
        t = np.broadcast_to(self.electrolyte.transference_number(self.c, self.temperature_K), self.c.shape)
        return 1.0 - 0.5 * (t[:-1] + t[1:])

    def _planes(self, moves: Floats, lost: Floats, n: int) -> _Planes:
        """What a turn of Newton's method needs of the faces in the box."""
        per_phi = 2.0 * GAS_CONSTANT_J_PER_MOL_K * self.temperature_K / FARADAY_C_PER_MOL
        kappa = self._conducts(self.electrolyte.conductivity_S_per_m(self.c, self.temperature_K)) * per_phi
        factor = np.broadcast_to(self.electrolyte.thermodynamic_factor(self.c, self.temperature_K), self.c.shape)
        pull = self.sign * lost * 0.5 * (factor[:-1] + factor[1:])
        inside = slice(0, n - 1)
        return _Planes(moves[inside], kappa[inside], pull[inside], self.current, self.made, float(self.height[0]))


def _without_the_gap(rows: _Rows, migrates: Floats, n: int) -> tuple[_Rows, Floats]:
    """Rows of the n planes of the box, those of the gap solved: its salt is over[:, 0] + over[:, 1] c of the last.

    migrates: mol/m2 through each face at the whole current, which passes all faces of the gap.
    """
    out = migrates[n - 1 :]
    right = np.zeros((rows.own.size - n, 2))
    right[:, 0] = rows.held[n:] + out
    right[:-1, 0] -= out[1:]
    right[0, 1] = -rows.lower[n - 1]
    over = _banded(_Rows(rows.lower[n:], rows.own[n:], rows.upper[n:], rows.held[n:]), right)
    own, held = rows.own[:n].copy(), rows.held[:n].copy()
    own[-1] += rows.upper[n - 1] * over[0, 1]
    held[-1] -= rows.upper[n - 1] * over[0, 0] + out[0]
    return _Rows(rows.lower[: n - 1], own, rows.upper[: n - 1], held), over


@dataclass(frozen=True)
class _Planes:
    """Faces between the planes of the box: mol/m2 that migrate per A/m2, A/m2 per F phi / 2RT, and per ln c of it."""

    moves: Floats
    kappa: Floats
    pull: Floats
    current: float
    made: float
    height: float

    def through(self, c: Floats, phi: Floats) -> Floats:
        """Current downwards through each face, A/m2."""
        found: Floats = self.kappa * (np.diff(phi) - self.pull * np.diff(np.log(c)))
        return found

    def change(self, c: Floats, phi: Floats, rows: _Rows, surfaces: Surfaces) -> Floats:
        """One turn of Newton's method: changes of c (over the salt as made) and phi, plane by plane in turn."""
        n, below = c.size, np.arange(c.size - 1)
        w, w_slope = _eased(c / self.made)
        _, carried, slope = surfaces.carried(phi)
        through = self.through(c, phi)
        salt, charge = rows.own * c - rows.held, w * carried
        salt[1:] += rows.lower * c[:-1] - self.moves * through
        salt[:-1] += rows.upper * c[1:] + self.moves * through
        charge[1:] += through
        charge[:-1] -= through
        charge[-1] -= self.current
        band = np.zeros((7, 2 * n))
        k = np.arange(n)
        _add(band, 2 * k, 2 * k, rows.own)
        _add(band, 2 * below + 2, 2 * below, rows.lower)
        _add(band, 2 * below, 2 * below + 2, rows.upper)
        _add(band, 2 * k + 1, 2 * k, w_slope * carried / self.made)
        _add(band, 2 * k + 1, 2 * k + 1, w * slope)
        for column, by in (
            (2 * below + 3, self.kappa),
            (2 * below + 1, -self.kappa),
            (2 * below + 2, -self.pull * self.kappa / c[1:]),
            (2 * below, self.pull * self.kappa / c[:-1]),
        ):
            _add(band, 2 * below, column, self.moves * by)
            _add(band, 2 * below + 2, column, -self.moves * by)
            _add(band, 2 * below + 1, column, -by)
            _add(band, 2 * below + 3, column, by)
        return self._solved(band, salt, charge)

    def _solved(self, band: Floats, salt: Floats, charge: Floats) -> Floats:
        """Rows in the size of what a plane holds and of the current, so that they can be compared."""
        right, weigh = np.empty(2 * salt.size), np.empty(2 * salt.size)
        weigh[0::2], weigh[1::2] = 1.0 / (self.made * self.height), 1.0 / self.current
        right[0::2], right[1::2] = -salt, -charge
        band[:, 0::2] *= self.made
        band[3, 1::2] = np.where(band[3, 1::2] == 0.0, self.current, band[3, 1::2])
        for off in range(-3, 4):
            rows = np.arange(max(0, off), min(right.size, right.size + off))
            band[3 + off, rows - off] *= weigh[rows]
        found: Floats = solve_banded((3, 3), band, right * weigh, overwrite_ab=True, check_finite=True)
        return found


def _add(band: Floats, row: NDArray[np.intp], column: NDArray[np.intp], value: Any) -> None:
    band[3 + row - column, column] += value


def _banded(rows: _Rows, right: Floats) -> Floats:
    """Solutions of three diagonals, one for each column of the right-hand side."""
    band = np.zeros((3, rows.own.size))
    band[0, 1:], band[1], band[2, :-1] = rows.upper, rows.own, rows.lower
    found: Floats = solve_banded((1, 1), band, right)
    return found


def _eased(y: Floats) -> tuple[Floats, Floats]:
    """(c/c0)^0.5 and its slope; in proportion to c where there is little salt."""
    root = np.sqrt(y + LITTLE)
    return y / root, (1.0 - 0.5 * y / (y + LITTLE)) / root


def over_host(box: Box, electrolyte: Electrolyte, length_um: float, porosity: float) -> Salt:
    """Salt in a box as made, and in a gap of a length over its host."""
    return Salt(
        electrolyte,
        box.open_share().mean(axis=(1, 2)),
        n_host=box.ground.n_host,
        voxel_um=box.ground.voxel_um,
        length_um=length_um,
        porosity=porosity,
        temperature_K=box.deposition.temperature_C + ZERO_CELSIUS_K,
    )


def shared(
    box: Box, places: Places, ease: Floats, barrier: Floats, total: float, *, is_stripping: bool
) -> tuple[float, Floats]:
    """F phi / 2RT in the last plane of a box, and the current of each place, as salt and potential share the total.

    total, ease: A/m2 times faces of a voxel, as in `sharing`.
    """
    assert box.salt is not None
    share, stretch = box.open_share(), box.heights_um / box.ground.voxel_um
    reacts = np.zeros(box.lithium.shape, dtype=np.bool_)
    in_a_row(reacts)[places] = True
    way = share / stretch[:, None, None]
    way = np.where(reacts[1:-1, 1:-1, 1:-1], np.maximum(way, LEAST_OPEN), way)
    box.salt.lay(share.mean(axis=(1, 2)), way.mean(axis=(1, 2)), stretch)
    n_faces = share.shape[1] * share.shape[2]
    surfaces = Surfaces(box.plane_of(places).astype(np.intp) - 1, ease / n_faces, np.exp(barrier), box.n_planes)
    done = box.salt.ask(surfaces, total / n_faces, is_stripping=is_stripping)
    carried = surfaces.carried(done.phi)[0] * _eased(done.c / box.salt.made)[0][surfaces.plane]
    return float(done.phi[-1]), carried * (total / float(carried.sum()))
