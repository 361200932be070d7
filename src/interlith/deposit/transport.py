"""What a network of voxels lets through: effective diffusivity of its pores, effective conductivity of its solid.

div(k grad u) = 0 with k the share of pores (or of solid) in each voxel, harmonic means between voxels, u = 1 and 0 on
two opposite faces of the box. What does not hang together with both carries nothing and is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from interlith.deposit.network import Network
from interlith.deposit.solver.labels import ALONG_X, ALONG_Y, ALONG_Z, components
from interlith.deposit.solver.multigrid import Faces, Multigrid
from interlith.deposit.solver.team import Team
from interlith.errors import PhysicsError

Phase = Literal["pores", "solid"]
Axis = Literal["z", "y", "x"]
Single = NDArray[np.float32]
# The axis along which it flows comes first; z, if it is another, next.
ORDERS: dict[Axis, tuple[int, int, int]] = {"z": (0, 1, 2), "y": (1, 0, 2), "x": (2, 0, 1)}
WITHIN = 1e-8


@dataclass(frozen=True)
class Transport:
    """How a phase conducts along an axis. effective: of the box, as a share of the bare substance.

    share: of the box that is this phase; carrying_share: of the phase that hangs together with both faces.
    flow_imbalance: between the flows in and out, as a share, of the computation. effective is that of the flow in,
    which stands at the face with a source: by conjugate gradients its error is the square of that of u.
    """

    phase: Phase
    axis: Axis
    effective: float
    share: float
    carrying_share: float
    flow_imbalance: float
    n_iterations: int

    @property
    def tortuosity_factor(self) -> float:
        """share / effective: porosity / (D_eff / D) for pores."""
        return self.share / self.effective

    @property
    def macmullin_number(self) -> float:
        """1 / effective: resistance of the filled pores over that of the free electrolyte."""
        return 1.0 / self.effective


def transport(network: Network, phase: Phase, axis: Axis, team: Team, *, within: float = WITHIN) -> Transport:
    """Effective diffusivity of the pores, or conductivity of the solid, along an axis of a box.

    Sides that repeat do so in the two other directions, where the network's do; others are walls. `within`: the
    residual that is left, as a share of the source. Raises PhysicsError where the phase does not lead through.

    >>> slabs = np.zeros((4, 4, 4), dtype=np.float32)
    >>> slabs[:, :2] = 1.0
    >>> with Team(1) as team:
    ...     round(transport(Network(slabs, 1.0, True, "slabs"), "pores", "z", team).effective, 6)
    0.5
    """
    share = (1.0 - network.solid if phase == "pores" else network.solid).transpose(ORDERS[axis])
    repeats = (network.is_periodic and axis == "z", network.is_periodic)
    carrying = _leads_through(share > 0.0, repeats, team)
    if not carrying.any():
        raise PhysicsError(f"{network.source}: its {phase} do not lead through the box along {axis}")
    k = np.where(carrying, share, np.float32(0.0))
    faces = faces_of(k, repeats)
    source = np.zeros(k.shape)
    source[-1] = faces.z[-1]
    solved = Multigrid(faces, team).solve(source, within=within)
    into = float(np.sum(faces.z[-1] * (1.0 - solved.u[-1]), dtype=np.float64))
    out = float(np.sum(faces.z[0] * solved.u[0], dtype=np.float64))
    n_long, area = k.shape[0], k.shape[1] * k.shape[2]
    held = float(share.mean(dtype=np.float64))
    return Transport(
        phase=phase,
        axis=axis,
        effective=into * n_long / area,
        share=held,
        carrying_share=float(k.mean(dtype=np.float64)) / held,
        flow_imbalance=abs(into - out) / into,
        n_iterations=solved.n_iterations,
    )


def faces_of(k: Single, repeats: tuple[bool, bool]) -> Faces:
    """Faces of a box whose voxels conduct k[z, y, x], with u = 0 under its first and over its last plane.

    repeats: whether y and x do; sides that do not are walls.
    """
    nz, ny, nx = k.shape
    x = np.zeros((nz, ny, nx + 1), dtype=np.float32)
    y = np.zeros((nz, ny + 1, nx), dtype=np.float32)
    z = np.zeros((nz + 1, ny, nx), dtype=np.float32)
    x[:, :, 1:-1] = _harmonic(k[:, :, :-1], k[:, :, 1:])
    y[:, 1:-1] = _harmonic(k[:, :-1], k[:, 1:])
    z[1:-1] = _harmonic(k[:-1], k[1:])
    z[0], z[-1] = 2.0 * k[0], 2.0 * k[-1]
    if repeats[0]:
        y[:, 0] = y[:, -1] = _harmonic(k[:, -1], k[:, 0])
    if repeats[1]:
        x[:, :, 0] = x[:, :, -1] = _harmonic(k[:, :, -1], k[:, :, 0])
    return Faces(x, y, z, np.zeros_like(k), is_periodic=any(repeats))


def _harmonic(a: Single, b: Single) -> Single:
    total = a + b
    found: Single = np.divide(2.0 * a * b, total, out=np.zeros_like(total), where=total > 0.0)
    return found


def _leads_through(held: NDArray[np.bool_], repeats: tuple[bool, bool], team: Team) -> NDArray[np.bool_]:
    """bool[z, y, x]: what of `held` hangs together with the first and with the last plane."""
    joined = np.full(held.shape, ALONG_X | ALONG_Y | ALONG_Z, dtype=np.uint8)
    joined[:, -1] &= ~np.uint8(0 if repeats[0] else ALONG_Y)
    joined[:, :, -1] &= ~np.uint8(0 if repeats[1] else ALONG_X)
    labels = components(held, team, is_periodic=any(repeats), joined=joined)
    both = np.intersect1d(labels[0], labels[-1])
    found: NDArray[np.bool_] = np.isin(labels, both[both > 0])
    return found
