"""How large the pores of a network are, how much area they have, and what of them is reached from the separator.

Pore or solid: a voxel counts whole, as what half or more of it is (`Network.is_solid`). Diameters: twice the exact
Euclidean distance from the centre of a pore voxel, where the sphere sits, to the centre of the nearest solid one.
Half of that, less the true radius, was measured over random places and orientations, at diameters of 4 to 24 voxels:
slits +0.1 to +0.25 voxels, cylinders -0.15 to +0.05, spheres -0.2 to -0.5. A slit along the voxels that is an even
number of them wide has its width, an odd number counts as one more; at worst, a cylinder along the voxels with its
axis where four of them meet, the diameter is 1.4 voxels short.
Faces of the box: the collector, under z = 0, is solid and spheres end there; above the last z the box is open and
spheres are cut, though their centres stay in the box. Sides that do not repeat cut spheres too.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from interlith.deposit.network import Network
from interlith.errors import InputError

N_DIAMETERS = 25
SAME = 1e-9  # distances closer than this, in voxels, are one
COLLECTOR, SEPARATOR = 0, -1

# Share of all directions that is nearest to each of the two ends of an axis, by the count of its steps that are not 0:
# Legland, Kieu, Devaux, Image Anal. Stereol. 26, 83 (2007), doi 10.5566/ias.v26.p83-92
NEAREST = {1: 0.04577789120476, 2: 0.03698062787608, 3: 0.03519563978232}
SIDES = ((0, 0), (1, 1), (1, 1))  # a rim of one voxel
BEFORE = {-1: slice(0, -1), 0: slice(1, -1), 1: slice(1, None)}
AXES = [step for step in product((-1, 0, 1), repeat=3) if step > (0, 0, 0)]


@dataclass(frozen=True)
class PoreSizes:
    """Shares of the pore volume by diameter; both are cumulative, from the largest sphere down.

    diameter_um: float[n], rising, from two voxels, which stand for all that is as narrow or narrower, to the largest
    sphere that fits. fits: float[n], the share covered by spheres of this diameter or larger that fit in the pores.
    intruded: float[n], the share covered by those of them that come from the separator, through throats.
    """

    diameter_um: NDArray[np.float64]
    fits: NDArray[np.float64]
    intruded: NDArray[np.float64]

    @property
    def volume_fraction(self) -> NDArray[np.float64]:
        """float[n], the share of the pore volume from each diameter up to the next; their sum is 1.

        >>> PoreSizes(np.array([1.0, 2.0]), np.array([1.0, 0.25]), np.array([0.5, 0.0])).volume_fraction.tolist()
        [0.75, 0.25]
        """
        return -np.diff(self.fits, append=0.0)

    @property
    def median_um(self) -> float:
        """Diameter that half of the pore volume exceeds, linear between the diameters.

        >>> round(PoreSizes(np.array([1.0, 2.0]), np.array([1.0, 0.25]), np.array([0.5, 0.0])).median_um, 3)
        1.667
        """
        return _where_half(self.diameter_um, self.fits)

    @property
    def throat_um(self) -> float | None:
        """Diameter at which half of the pore volume is intruded; None where no sphere of two voxels gets that far.

        >>> PoreSizes(np.array([1.0, 2.0]), np.array([1.0, 0.25]), np.array([0.4, 0.0])).throat_um is None
        True
        """
        return _where_half(self.diameter_um, self.intruded) if self.intruded[0] >= 0.5 else None


def _where_half(diameter_um: NDArray[np.float64], share: NDArray[np.float64]) -> float:
    return float(np.interp(0.5, share[::-1], diameter_um[::-1]))


@dataclass(frozen=True)
class Reach:
    """What hangs together, voxels joined by their faces; all of it 0 or False where there is nothing to join.

    pore_share: of the pores, what is joined to the separator. solid_share: of the solid, what is joined to the
    collector. pore_percolates, solid_percolates: whether either goes all the way from one to the other.
    """

    pore_share: float
    solid_share: float
    pore_percolates: bool
    solid_percolates: bool


def pore_sizes(network: Network) -> PoreSizes:
    """How large the pores are, by the spheres that fit in them and by those that get there from the separator.

    A point has the diameter of the largest sphere that covers it and fits in the pores (local thickness: Hildebrand,
    Rueegsegger, J. Microsc. 185, 67 (1997), doi 10.1046/j.1365-2818.1997.1340694.x). It is intruded at the largest
    diameter at which such a sphere gets there from the last z, its centre moving from voxel to voxel (Hilpert, Miller,
    Adv. Water Resour. 24, 243 (2001), doi 10.1016/S0309-1708(00)00056-7), as mercury does, or a front of lithium.
    All diameters that occur where they are 25 or fewer, else those next above 25 at equal steps, so that a sphere is
    taken up to a step too small, and medians are within a step. The finest, two voxels, is a pore voxel by itself.
    Raises InputError for a network without pores.

    >>> solid = np.ones((30, 8, 8), dtype=np.float32)
    >>> solid[:, :6] = 0.0
    >>> slit = pore_sizes(Network(solid, voxel_um=0.5, is_periodic=True, source="a slit of 3 um"))
    >>> slit.median_um, slit.throat_um
    (3.0, 3.0)
    """
    is_pore = ~network.is_solid
    if not is_pore.any():
        raise InputError("pore sizes of a network without pores: every voxel is half solid or more")
    clearance = _clearance(is_pore, network.is_periodic)
    diameters = _diameters(clearance[is_pore])
    fits, intruded = np.zeros(is_pore.shape, dtype=bool), np.zeros(is_pore.shape, dtype=bool)
    shares = np.empty((len(diameters), 2))
    for at in reversed(range(len(diameters))):
        radius = diameters[at] / 2.0 - SAME
        centres = clearance >= radius
        entered = _joined(centres, SEPARATOR, network.is_periodic, by_corners=radius > 1.0)
        fits |= _covered(centres, radius, network.is_periodic)
        intruded |= fits if (entered == centres).all() else _covered(entered, radius, network.is_periodic)
        shares[at] = np.count_nonzero(fits), np.count_nonzero(intruded)
    shares /= np.count_nonzero(is_pore)
    return PoreSizes(diameters * network.voxel_um, fits=shares[:, 0], intruded=shares[:, 1])


def _clearance(is_pore: NDArray[np.bool_], is_periodic: bool) -> NDArray[np.float64]:
    """float[z, y, x], voxels from each centre to that of the nearest solid voxel or the collector; 0 in the solid."""
    above = np.pad(is_pore, ((1, 0), (0, 0), (0, 0)))
    clearance = ndimage.distance_transform_edt(above)
    if not is_periodic:
        return clearance[1:]
    far = int(np.ceil(clearance.max()))  # the sides can only bring solid nearer than this
    wide = [min(far, (n + 1) // 2) for n in is_pore.shape[1:]]
    images = np.pad(above, ((0, 0), *((n, n) for n in wide)), mode="wrap")
    inner = tuple(slice(n, -n) for n in wide)
    return ndimage.distance_transform_edt(images)[1:, *inner]


def _diameters(clearance: NDArray[np.float64]) -> NDArray[np.float64]:
    found = 2.0 * np.unique(clearance)
    if len(found) <= N_DIAMETERS:
        return found
    even = np.linspace(found[0], found[-1], N_DIAMETERS)
    return np.unique(found[np.searchsorted(found, even - SAME)])


def _covered(centres: NDArray[np.bool_], radius: float, is_periodic: bool) -> NDArray[np.bool_]:
    """bool[z, y, x], voxels whose centres are nearer than the radius, in voxels, to one of the centres.

    A convolution with the ball, which counts the centres in reach of each voxel: whole numbers, so half of one
    divides them. Its cost is the same for all radii.
    """
    if not centres.any():
        return centres
    room = int(radius) + 1
    if is_periodic:
        roomy = np.pad(_repeated(_repeated(centres, 1, room), 2, room), ((0, room), (0, 0), (0, 0)))
    else:
        roomy = np.pad(centres, (0, room))
    shape = [fft.next_fast_len(n) for n in roomy.shape]
    z, y, x = (np.minimum(np.arange(n), n - np.arange(n)) ** 2 for n in shape)
    ball = (z[:, None, None] + y[:, None] + x < radius**2).astype(np.float64)
    spectrum = fft.rfftn(roomy.astype(np.float64), shape) * fft.rfftn(ball)
    in_reach = fft.irfftn(spectrum, shape, overwrite_x=True)
    return in_reach[tuple(slice(n) for n in centres.shape)] > 0.5


def _repeated(centres: NDArray[np.bool_], axis: int, room: int) -> NDArray[np.bool_]:
    """With images on both sides where the length is slow to transform; those before the first voxel come last."""
    n = centres.shape[axis]
    if fft.next_fast_len(n) == n:
        return centres
    wide = fft.next_fast_len(n + 2 * room)
    place = np.arange(wide)
    return centres.take(np.where(place < (n + wide) // 2, place, place - wide) % n, axis)


def reached(network: Network) -> Reach:
    """What of the pores is joined to the separator and what of the solid to the collector, and whether they percolate.

    >>> solid = np.zeros((4, 2, 2), dtype=np.float32)
    >>> solid[1] = 1.0
    >>> reached(Network(solid, voxel_um=0.5, is_periodic=True, source="a floor over the collector"))
    Reach(pore_share=0.6666666666666666, solid_share=0.0, pore_percolates=False, solid_percolates=False)
    """
    pore_share, pore_percolates = _reach(~network.is_solid, SEPARATOR, COLLECTOR, network.is_periodic)
    solid_share, solid_percolates = _reach(network.is_solid, COLLECTOR, SEPARATOR, network.is_periodic)
    return Reach(pore_share, solid_share, pore_percolates, solid_percolates)


def _reach(phase: NDArray[np.bool_], start: int, end: int, is_periodic: bool) -> tuple[float, bool]:
    joined = _joined(phase, start, is_periodic, by_corners=False)
    share = int(np.count_nonzero(joined)) / max(1, int(np.count_nonzero(phase)))
    return share, bool(joined[end].any())


def _joined(phase: NDArray[np.bool_], layer: int, is_periodic: bool, by_corners: bool) -> NDArray[np.bool_]:
    """bool[z, y, x], what of the phase hangs together with its part in the layer, by faces or also by corners."""
    neighbours = ndimage.generate_binary_structure(3, 3 if by_corners else 1)
    if is_periodic:
        labels, n_labels = _periodic_labels(phase, neighbours)
    else:
        labels, n_labels = ndimage.label(phase, neighbours)
    is_joined = np.zeros(n_labels + 1, dtype=bool)
    is_joined[labels[layer][phase[layer]]] = True
    return is_joined[labels]


def _periodic_labels(phase: NDArray[np.bool_], neighbours: NDArray[np.bool_]) -> tuple[NDArray[np.intp], int]:
    """int[z, y, x] and the largest label: those of one voxel and of its image beyond a side are made one."""
    labels, n_labels = ndimage.label(np.pad(phase, SIDES, mode="wrap"), neighbours)
    inner = labels[:, 1:-1, 1:-1]
    images = np.pad(inner, SIDES, mode="wrap")
    pairs = labels[labels != images], images[labels != images]
    same = coo_array((np.ones(len(pairs[0]), dtype=bool), pairs), shape=(n_labels + 1, n_labels + 1))
    _, united = connected_components(same, directed=False)
    return united[inner], n_labels


def area_m2_per_m2(network: Network) -> float:
    """Area of the surface between solid and pores, per area of the sheet; the faces of the box are not counted.

    Of whole voxels, all 0 or 1, by Crofton's formula: 4 sum over 13 axes of (share of directions nearest to one end)
    x (faces between solid and pores, counted along the axis) / (length of the step). Of grey ones, the integral of
    |grad solid| (coarea formula), the gradient taken between eight voxels: an edge some voxels wide counts once, and a
    uniform grey has no area. Where only some edges are grey, the sharp ones count for 5 % too much.
    Error on cylinders of all orientations, as measured, mean and spread, by diameter in voxels:
        grey     2: -9 +- 2 %    3: -3.5 +- 0.5 %  4: -1.4 +- 0.3 %    6: -0.3 +- 0.3 %    from 10 on: +0.4 +- 0.3 %
        whole    2: -8 +- 4 %    3: -3 +- 2 %      4: -1.5 +- 1.6 %    6: -1 +- 1.5 %      from 10 on: -0.7 +- 0.8 %
    A plane has its area where it is grey; of whole voxels between -7 % (it lies along the voxels) and +2 %.
    A count of voxel faces gives 1.5 times the area. Slanted surfaces lose a part of their last half voxel where they
    end at a face of the box that does not repeat.

    >>> solid = np.zeros((10, 4, 4), dtype=np.float32)
    >>> solid[3:7] = np.array([0.5, 1.0, 1.0, 0.5], dtype=np.float32)[:, None, None]
    >>> area_m2_per_m2(Network(solid, voxel_um=0.5, is_periodic=True, source="a plate with two sides"))
    2.0
    """
    solid = np.pad(network.solid, ((1, 1), (0, 0), (0, 0)), mode="edge")
    solid = np.pad(solid, SIDES, mode="wrap") if network.is_periodic else np.pad(solid, SIDES, mode="edge")
    is_whole = bool(((solid == 0.0) | (solid == 1.0)).all())
    _, n_y, n_x = network.solid.shape
    return (_crofton(solid) if is_whole else _coarea(solid)) / (n_y * n_x)


def _crofton(padded: NDArray[np.float32]) -> float:
    """Area in faces of a voxel, of whole voxels with a rim of one."""
    area = 0.0
    for step in AXES:
        starts = padded[tuple(BEFORE[-k] for k in step)]
        ends = padded[tuple(BEFORE[k] for k in step)]
        n_steps = sum(map(abs, step))
        area += 4.0 * NEAREST[n_steps] / np.sqrt(n_steps) * _inside(np.abs(ends - starts), step)
    return area


def _coarea(padded: NDArray[np.float32]) -> float:
    """Area in faces of a voxel, of shares of solid with a rim of one."""
    square = sum(_slope(padded, along) ** 2 for along in range(3))
    return _inside(np.sqrt(square), (1, 1, 1))


def _slope(padded: NDArray[np.float32], along: int) -> NDArray[np.float32]:
    slope = np.diff(padded, axis=along)
    for axis in {0, 1, 2} - {along}:
        first, last = (np.take(slope, np.arange(slope.shape[axis] - 1) + k, axis) for k in (0, 1))
        slope = (first + last) / np.float32(2.0)
    return slope


def _inside(change: NDArray[np.float32], step: tuple[int, ...]) -> float:
    """Sum over the box of what lies between voxels a step apart; across a face of the box, half belongs to it."""
    z, y, x = (_halved_ends(n) if k else np.ones(n) for n, k in zip(change.shape, step, strict=True))
    return float(z @ (change @ x) @ y)


def _halved_ends(n: int) -> NDArray[np.float64]:
    weights = np.ones(n)
    weights[[0, -1]] = 0.5
    return weights
