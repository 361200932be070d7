"""A picture of a box as a grid of pyvista, to be drawn in a notebook; pyvista is loaded when it is called."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from interlith.deposit.follow import Picture
from interlith.errors import EnvironmentError_


def grid(picture: Picture, solid: NDArray[np.float32], voxel_um: float) -> Any:
    """A pyvista.RectilinearGrid in um, x, y and z, whose cells hold host, lithium, sei (shares) and is_dead (0 or 1).

    SEI is known by plane alone. solid: float32[z, y, x], shares of the network. Raises EnvironmentError_ where pyvista
    is not installed.
    """
    try:
        import pyvista
    except ImportError as problem:
        raise EnvironmentError_("pyvista is not installed: pip install pyvista") from problem
    host = np.zeros_like(picture.lithium)
    host[: len(solid)] = solid
    n_y, n_x = host.shape[1:]
    edges_um = np.concatenate([[0.0], np.cumsum(picture.heights_um)])
    found = pyvista.RectilinearGrid(*(np.arange(n + 1.0) * voxel_um for n in (n_x, n_y)), edges_um)
    stretch = (picture.heights_um / voxel_um)[:, None, None]
    sei = np.broadcast_to(picture.sei[:, None, None], host.shape)
    shares = {"host": host / stretch, "lithium": picture.lithium / stretch, "sei": sei / stretch}
    for name, held in (shares | {"is_dead": picture.is_dead.astype(np.uint8)}).items():
        found.cell_data[name] = held.ravel()
    return found
