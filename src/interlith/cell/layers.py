"""How a full cell is laid out: intervals of its layers, shells of its particle, the order of its states."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from interlith.cell.account import DEAD_TOP, N_ACCOUNT, N_ELECTRODE, PASSED, POTENTIAL, SEI, TOP
from interlith.cell.full import CURRENT, EDGE, IN_HOST, IN_POSITIVE, SHARE, STORES, SURFACE, U_P, VOLUME
from interlith.cell.layout import Mesh
from interlith.cell.liquid import cubics
from interlith.parts.cell import Cell, Host
from interlith.parts.positive import Positive
from interlith.units import M_PER_UM, C_PER_M2_PER_mAh_PER_CM2

Floats = NDArray[np.float64]
HOST_BRUGGEMAN = 1.5
N_MATERIAL = 500  # intervals of stoichiometry
GRADING = 1.5  # shells get thinner towards the surface, where the gradients are


def layers(cell: Cell, positive: Positive, mesh: Mesh) -> Floats:
    """`Full.layers`: host (where there is one), separator and positive, in intervals of equal width each."""
    separator, host = cell.separator, cell.host
    strata: list[tuple[float, float, float, int]] = []  # thickness in um, porosity, share of transport, intervals
    if isinstance(host, Host):
        strata.append((host.thickness_um, host.porosity, host.porosity**HOST_BRUGGEMAN, mesh.n_host))
    share = separator.porosity**separator.bruggeman
    strata.append((separator.thickness_um, separator.porosity, share, mesh.n_separator))
    wet = positive.porosity**positive.bruggeman
    strata.append((positive.thickness_um, positive.porosity, wet, mesh.n_positive))
    n_host = mesh.n_host if host else 0
    n = [count for *_, count in strata]
    edge_m = np.repeat([um * M_PER_UM / count for um, _, _, count in strata], n)
    holds_m = edge_m * np.repeat([porosity for _, porosity, _, _ in strata], n)
    stores_m = 0.5 * (np.append(holds_m, 0.0) + np.append(0.0, holds_m))
    current = np.ones(len(edge_m))
    current[:n_host] = (np.arange(n_host) + 0.5) / max(n_host, 1)
    current[-mesh.n_positive :] = 1.0 - (np.arange(mesh.n_positive) + 0.5) / mesh.n_positive
    in_host, in_positive = np.zeros((2, len(stores_m)))
    in_host[: n_host + 1] = _trapezoid(n_host)
    in_positive[-mesh.n_positive - 1 :] = _trapezoid(mesh.n_positive)
    shares = np.repeat([share for _, _, share, _ in strata], n)
    found = np.zeros((6, len(stores_m)))
    for row, values in ((EDGE, edge_m), (SHARE, shares), (CURRENT, current)):
        found[row, :-1] = values
    found[[STORES, IN_HOST, IN_POSITIVE]] = stores_m, in_host, in_positive
    return found


def _trapezoid(n_edges: int) -> Floats:
    """Weights of nodes in a mean over equal intervals; one node where there is no interval."""
    if n_edges == 0:
        return np.ones(1)
    weights = np.full(n_edges + 1, 1.0 / n_edges)
    weights[[0, -1]] *= 0.5
    return weights


def shells(positive: Positive, mesh: Mesh) -> Floats:
    """Nodes from the surface to the centre, each with what lies up to half way to the next: `Full.shells`."""
    n = mesh.n_particle
    place = 1.0 - (np.arange(n) / (n - 1)) ** GRADING
    place[-1] = 0.0
    between = 0.5 * (place[1:] + place[:-1])
    bounds = np.concatenate([[1.0], between, [0.0]])
    radius_m = positive.particle_radius_um * M_PER_UM
    leads = 3.0 * between**2 / (place[:-1] - place[1:]) / radius_m**2
    return np.stack([-np.diff(bounds**3), np.append(leads, 0.0)])


def material(positive: Positive) -> Floats:
    """Open-circuit potential and diffusivity as cubics: `Full.material`."""
    x = np.linspace(0.0, 1.0, N_MATERIAL + 1)
    return cubics(np.stack([positive.open_circuit_V(x), positive.diffusivity(x)]))


def laid_out(y: Floats, positive: Positive, sites_C_per_m2: float, made: Floats, parts: Floats, salt: float) -> Floats:
    """The state of a full cell whose positive is as made, from an account; salt in mol/m3."""
    n_shells, n_salt = parts.shape[1], made.shape[1]
    found = np.zeros(n_states(made, parts))
    found[:N_ELECTRODE] = y[:N_ELECTRODE]
    found[U_P] = float(positive.open_circuit_V(positive.lithiated))
    found[SURFACE : SURFACE + n_shells] = sites_C_per_m2 * positive.lithiated * parts[VOLUME]
    first = SURFACE + n_shells + 2
    found[first : first + n_salt] = salt
    found[-(N_ACCOUNT - PASSED) :] = y[PASSED:]
    return found


def n_states(made: Floats, parts: Floats) -> int:
    """Length of y."""
    return SURFACE + parts.shape[1] + 2 + made.shape[1] + N_ACCOUNT - PASSED


def watched(made: Floats, parts: Floats) -> NDArray[np.int64]:
    """What the current of a held voltage depends on: potentials, what lies on top, SEI, throughput, salt."""
    through = SURFACE + parts.shape[1] + 1
    salt = range(through + 1, through + 1 + made.shape[1])
    return np.array([POTENTIAL, TOP, DEAD_TOP, SEI, U_P, through, *salt])


def sites_C_per_m2(positive: Positive) -> float:
    """All places for lithium in the active material, per geometric area."""
    share = positive.areal_capacity_mAh_per_cm2 / (positive.discharged - positive.charged)
    return share * C_PER_M2_PER_mAh_PER_CM2
