"""A box of a host in voxels: how much of each voxel is solid."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from interlith.errors import InputError
from interlith.units import LITHIUM_mAh_PER_CM2_PER_UM

LEAST_COARSE = 4
MOSTLY = 0.5  # a voxel is counted as solid from this share on


@dataclass(frozen=True)
class Network:
    """Solid and pores of a host in a box of voxels.

    solid: float32[z, y, x], the share of each voxel that is solid, z = 0 at the current collector, the last z at the
    separator. is_periodic: whether its sides, y and x, repeat. source: where it comes from.
    Raises InputError for shares outside 0 to 1, an array that is not of three dimensions, or no spacing.

    >>> half = np.zeros((4, 2, 2), dtype=np.float32)
    >>> half[:2] = 1.0
    >>> Network(half, voxel_um=0.5, is_periodic=True, source="made by hand").porosity
    0.5
    """

    solid: NDArray[np.float32]
    voxel_um: float
    is_periodic: bool
    source: str

    def __post_init__(self) -> None:
        if self.solid.ndim != 3 or not self.solid.size:
            raise InputError(f"a network has three dimensions, z, y and x; got shape {self.solid.shape}")
        if not (0.0 < self.voxel_um < np.inf):
            raise InputError(f"voxel_um = {self.voxel_um:g}: above 0")
        low, high = float(self.solid.min()), float(self.solid.max())
        if not (low >= 0.0 and high <= 1.0):
            raise InputError(f"shares of solid between 0 and 1; got {low:g} to {high:g}")

    @property
    def porosity(self) -> float:
        """Share of the box that is not solid."""
        return 1.0 - float(self.solid.mean(dtype=np.float64))

    @property
    def thickness_um(self) -> float:
        """Of the sheet."""
        return self.solid.shape[0] * self.voxel_um

    @property
    def is_solid(self) -> NDArray[np.bool_]:
        """bool[z, y, x], voxels of which half or more is solid."""
        return self.solid >= MOSTLY

    @property
    def pore_capacity_mAh_per_cm2(self) -> float:
        """Dense lithium that fills all pores."""
        return self.porosity * self.thickness_um * LITHIUM_mAh_PER_CM2_PER_UM


def coarser(network: Network) -> Network | None:
    """The same box in voxels twice as wide: what a result changes by then tells what the voxels do to it.

    A last voxel that has no partner is left out. None where fewer than four voxels would be left in a direction.

    >>> one = Network(np.ones((8, 8, 9), dtype=np.float32), 0.5, True, "made by hand")
    >>> made = coarser(one)
    >>> None if made is None else (made.solid.shape, made.voxel_um)
    ((4, 4, 4), 1.0)
    """
    nz, ny, nx = (n // 2 for n in network.solid.shape)
    if min(nz, ny, nx) < LEAST_COARSE:
        return None
    blocks = network.solid[: 2 * nz, : 2 * ny, : 2 * nx].reshape(nz, 2, ny, 2, nx, 2)
    solid = np.clip(blocks.mean(axis=(1, 3, 5), dtype=np.float32), 0.0, 1.0)
    return replace(network, solid=solid, voxel_um=2.0 * network.voxel_um)
