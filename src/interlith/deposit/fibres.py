"""A network of fibres at random in a box whose sides repeat, with the porosity that is asked for.

Fibre number n of a seed is the same one in every box of the same size, whatever the voxels: its numbers come from a
counter (Philox; Salmon et al., SC11 (2011), doi:10.1145/2063384.2063405). So finer voxels show the same fibres.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ive

from interlith.deposit.network import Network
from interlith.deposit.solver.kernels import Array, kernel
from interlith.errors import InputError
from interlith.parts.fibres import FibreNetwork

LEAST_VOXELS = 2.0  # of a diameter; with fewer, fibres are not seen by the voxels
LEAST_DIAMETERS = 10.0  # of the width of a box
MOST_FIBRES = 1_000_000
FIRST_SHARE = 0.9  # of the fibres that a random overlap would need: begun with, then added to
COUNTED_WITH = 4.0  # voxels of a diameter, where fibres are counted
MOST_COUNTED = 3e8  # voxels of that box
STEP = 0.7  # along a fibre, in voxels
STRAIGHTEST = 1e4  # concentration of directions


def fibre_network(fibres: FibreNetwork, *, width_um: float, voxel_um: float, seed: int) -> Network:
    """A box of width_um x width_um of a sheet, its sides repeating.

    A voxel's share of solid falls from 1 to 0 over one voxel at a fibre's surface. As many fibres are laid as the
    porosity needs, and their diameter is then changed a little until it is met exactly.
    Raises InputError where voxels are too coarse for the fibres, or the box too small.

    >>> paper = FibreNetwork(bundle_diameter_um=2, porosity=0.8, thickness_um=20, fibre_length_um=30, tilt_deg=10)
    >>> made = fibre_network(paper, width_um=20, voxel_um=1, seed=1)
    >>> made.solid.shape, round(made.porosity, 6)
    ((20, 20, 20), 0.8)
    """
    shape = _shape(fibres, width_um, voxel_um)
    h = width_um / shape[2]
    laid = _count(fibres, width_um, seed)
    distance = np.full(shape, np.inf, dtype=np.float32)
    _add(distance, fibres, width_um, seed, range(laid))
    solid = 1.0 - fibres.porosity
    most = fibres.bundle_diameter_um / 2.0 + h
    if _share(distance, most, h) < solid:
        wanted = f"porosity = {fibres.porosity:g}"
        raise InputError(f"{wanted} cannot be met with fibres of {fibres.bundle_diameter_um:g} um")
    if _share(distance, 0.0, h) > solid:
        raise InputError(f"porosity = {fibres.porosity:g} is too high for fibres in voxels of {h:.3g} um")
    radius = brentq(lambda r: _share(distance, r, h) - solid, 0.0, most, xtol=1e-9 * most)
    source = f"{laid} fibres of {2.0 * radius:.4g} um at random, seed {seed}"
    return Network(_solid(distance, radius, h), h, is_periodic=True, source=source)


def _count(fibres: FibreNetwork, width_um: float, seed: int) -> int:
    """How many fibres the porosity needs, counted in voxels of their own size, so that all boxes have the same."""
    radius, solid = fibres.bundle_diameter_um / 2.0, 1.0 - fibres.porosity
    n_wide = int(np.ceil(width_um * COUNTED_WITH / fibres.bundle_diameter_um))
    h = width_um / n_wide
    n_high = max(1, round(fibres.thickness_um / h))
    if n_high * n_wide**2 > MOST_COUNTED:
        most = np.sqrt(MOST_COUNTED / n_high) * h
        raise InputError(
            f"a box {width_um:g} um wide is too large for fibres of {fibres.bundle_diameter_um:g} um in a sheet of "
            f"{fibres.thickness_um:g} um: at most {most:.3g} um"
        )
    distance = np.full((n_high, n_wide, n_wide), np.inf, dtype=np.float32)
    box = fibres.thickness_um * width_um**2
    expected = -np.log(fibres.porosity) * box / (np.pi * radius**2 * fibres.fibre_length_um)  # of fibres that overlap
    laid, more = 0, max(1, int(FIRST_SHARE * expected))
    while more:
        if laid + more > MOST_FIBRES:
            raise InputError(f"more than {MOST_FIBRES} fibres: make the box smaller, or the fibres thicker")
        _add(distance, fibres, width_um, seed, range(laid, laid + more))
        laid, missing = laid + more, solid - _share(distance, radius, h)
        more = max(1, int(0.5 * expected * missing / solid)) if missing > 0.0 else 0
    return laid


def _add(distance: NDArray[np.float32], fibres: FibreNetwork, width_um: float, seed: int, numbers: range) -> None:
    h = width_um / distance.shape[2]
    reach = fibres.bundle_diameter_um / 2.0 + 2.0 * h
    for number in numbers:
        _lay(distance, *_fibre(fibres, width_um, seed, number), fibres.fibre_length_um, h, reach)


def _shape(fibres: FibreNetwork, width_um: float, voxel_um: float) -> tuple[int, int, int]:
    diameter = fibres.bundle_diameter_um
    if voxel_um * LEAST_VOXELS > diameter * (1.0 + 1e-9):
        most = diameter / LEAST_VOXELS
        raise InputError(
            f"voxels of {voxel_um:.4g} um are too coarse for fibres of {diameter:g} um: at most {most:.3g} um, that is "
            f"{int(np.ceil(width_um / most))} voxels for a width of {width_um:g} um"
        )
    if width_um < LEAST_DIAMETERS * diameter * (1.0 - 1e-9):
        raise InputError(
            f"a box {width_um:g} um wide is too small for fibres of {diameter:g} um: at least "
            f"{LEAST_DIAMETERS * diameter:g} um, {LEAST_DIAMETERS:g} diameters"
        )
    n_wide, n_high = round(width_um / voxel_um), round(fibres.thickness_um / voxel_um)
    for name, length, n in (("width", width_um, n_wide), ("thickness", fibres.thickness_um, n_high)):
        if abs(n * voxel_um - length) > 0.005 * length:
            raise InputError(f"a {name} of {length:g} um is not a whole number of voxels of {voxel_um:g} um")
    return n_high, n_wide, n_wide


def _fibre(
    fibres: FibreNetwork, width_um: float, seed: int, number: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Center (z, y, x) in um and direction of a fibre. Centers keep their radius from both faces."""
    random = np.random.Generator(np.random.Philox(key=seed, counter=[0, 0, 0, number]))
    margin = min(fibres.bundle_diameter_um, fibres.thickness_um) / 2.0
    z = margin + random.random() * (fibres.thickness_um - 2.0 * margin)
    y, x = random.random(2) * width_um
    angle = 0.5 * random.vonmises(0.0, _concentration(fibres.alignment)) + np.pi * (random.random() < 0.5)
    tilt = np.deg2rad(fibres.tilt_deg) * random.standard_normal()
    flat = np.cos(tilt)
    return np.array([z, y, x]), np.array([np.sin(tilt), flat * np.sin(angle), flat * np.cos(angle)])


def _concentration(alignment: float) -> float:
    """kappa of von Mises for twice the angle, whose mean cosine is I1/I0 = alignment."""
    if alignment == 0.0:
        return 0.0
    return float(brentq(lambda kappa: ive(1, kappa) / ive(0, kappa) - alignment, 0.0, STRAIGHTEST))


def _solid(distance: NDArray[np.float32], radius: float, h: float) -> NDArray[np.float32]:
    return np.clip(0.5 + (np.float32(radius) - distance) / np.float32(h), 0.0, 1.0).astype(np.float32)


def _share(distance: NDArray[np.float32], radius: float, h: float) -> float:
    planes = map(partial(_solid, radius=radius, h=h), distance)
    return float(np.mean([plane.mean(dtype=np.float64) for plane in planes]))


@kernel
def _lay(distance: Array, center: Array, direction: Array, length: float, h: float, reach: float) -> None:
    """Shorten the distance of each voxel within reach to a fibre's axis; sides repeat, faces cut."""
    nz, ny, nx = distance.shape
    n_steps = int(np.ceil(length / (STEP * h)))
    m = int(np.ceil(reach / h)) + 1
    for n in range(n_steps + 1):
        along = length * (n / n_steps - 0.5)
        k0 = int(np.floor((center[0] + along * direction[0]) / h))
        j0 = int(np.floor((center[1] + along * direction[1]) / h))
        i0 = int(np.floor((center[2] + along * direction[2]) / h))
        for k in range(max(0, k0 - m), min(nz, k0 + m + 1)):
            z = (k + 0.5) * h - center[0]
            for j in range(j0 - m, j0 + m + 1):
                y = (j + 0.5) * h - center[1]
                for i in range(i0 - m, i0 + m + 1):
                    x = (i + 0.5) * h - center[2]
                    at = z * direction[0] + y * direction[1] + x * direction[2]
                    if abs(at - along) > STEP * h:
                        continue
                    at = min(max(at, -length / 2.0), length / 2.0)
                    square = (z - at * direction[0]) ** 2 + (y - at * direction[1]) ** 2 + (x - at * direction[2]) ** 2
                    if square < reach * reach:
                        found = np.float32(np.sqrt(square))
                        if found < distance[k, j % ny, i % nx]:
                            distance[k, j % ny, i % nx] = found
