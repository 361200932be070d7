"""The full cell at SPMe level: a lumped host or foil, salt over the depth of all layers, one particle for the positive.

The reaction is taken as even over the depth of host and positive. With s the share of the cell's current that the
electrolyte carries at a place (0 at the back of each electrode, 1 in the separator), i the current that oxidizes the
working electrode, and x from the back of that to the back of the positive,

    N = -D(c) eps^b dc/dx - (1 - t+) s i / F           eps dc/dt = -dN/dx
    V = u_w - u_p + i sum(s^2 dx / kappa) - sum(s G dln c)         each potential against the mean electrolyte beside it
    dq_k/dt = inflow - outflow                          q: lithium in shells of the particle, its surface a node itself
    C du_p/dt = -i - j(u_p - U(x_surface))              the double layer of the positive: no algebraic equation is left

(Marquis et al., J. Electrochem. Soc. 166, A3693 (2019), doi:10.1149/2.0341915jes, for the SPMe; here the electrolyte
keeps its dependence on c.) The working electrode is that of lumped.py; its exchange current goes with the mean salt in
its pores. The pores of a host hinder the electrolyte as when made, however full they are. V is the working electrode
against the positive: the negative of the cell's voltage (parts.cell.Cell.polarity).

State y: the ten of a lumped electrode, u_p, shells from the surface to the centre, stranded lithium, throughput, salt
from the back of the working electrode to that of the positive, the last four of any model.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from interlith.cell import duties
from interlith.cell.account import COUNTER, DEAD_PORES, DEAD_TOP, N_ELECTRODE, PASSED, PORES, POTENTIAL, SEI, TOP
from interlith.cell.compiled import compiled
from interlith.cell.duties import HOLD_CURRENT, serves
from interlith.cell.lumped import Circuit, Electrode, Ends, electrode_rates, held_or_found, sei_factor
from interlith.cell.mechanisms.active_loss import connected, stranding_per_s
from interlith.cell.mechanisms.dry_out import wet_share
from interlith.cell.mechanisms.intercalation import exchange_share, leaving_A_per_m2
from interlith.cell.mechanisms.kinetics import SALT_EXPONENT
from interlith.cell.mechanisms.positive_resistance import grown_ohm_m2
from interlith.cell.resolved import LEAST_SALT, Liquid, liquid_at, series
from interlith.units import FARADAY_C_PER_MOL

U_P, SURFACE = N_ELECTRODE, N_ELECTRODE + 1
INSIDE, LEAK, FACTOR, SALT_W, SALT_P, THROUGH, WET = range(7)  # what all blocks know in common
N_COMMON = 7


class Particles(NamedTuple):
    """The positive electrode for the kernel: SI, per geometric area; per particle surface where it says so."""

    area: float
    exchange_A_per_m2: float  # of particle surface, prefactor with the salt as filled in
    salt_exponent: float
    lithium_exponent: float
    vacant_exponent: float
    sites_C_per_m2: float
    double_layer_F_per_m2: float
    resistance_per_C: float
    loss_per_C: float
    dry_per_C: float
    filled: float


# Rows of `Full.shells`, from surface to centre: share of the particle's volume; 3 r^2 / (dr R^2) to the next, 1/m2
VOLUME, LEADS = range(2)
# Rows of `Full.layers`. Of intervals, from the back of the working electrode to that of the positive: width in m, share
# of the free liquid's transport, s. Of the nodes between them: void in m, weights of the means in host and positive.
EDGE, SHARE, CURRENT, STORES, IN_HOST, IN_POSITIVE = range(6)


class Full(NamedTuple):
    """A full cell for the integrator. Few arrays: each is passed with every call.

    shells: float64[2, n]; material: cubics of U (V) and D (m2/s) in equal intervals of stoichiometry from 0 to 1,
    float64[2, k, 4]; layers: float64[6, n], a last column without meaning where rows are of intervals; active: states
    of the working electrode on which any rate depends, int64[m].
    """

    working: Electrode
    counter: Particles
    circuit: Circuit
    liquid: Liquid
    layers: NDArray[np.float64]
    shells: NDArray[np.float64]
    material: NDArray[np.float64]
    active: NDArray[np.int64]
    watched: NDArray[np.int64]  # what the current of a held voltage depends on


@compiled
def material_at(material: NDArray[np.float64], which: int, stoichiometry: float) -> float:
    """U or D at a stoichiometry; beyond 0 and 1 as a straight line or constant."""
    n = material.shape[1]
    at = min(max(stoichiometry, 0.0), 1.0) * n
    k = min(int(at), n - 1)
    s, p = at - k, material[which, k]
    found = p[0] + s * (p[1] + s * (p[2] + s * p[3]))
    if which == 0 and (stoichiometry < 0.0 or stoichiometry > 1.0):
        beyond = (stoichiometry - 1.0 if stoichiometry > 1.0 else stoichiometry) * n
        found += beyond * (p[1] + s * (2.0 * p[2] + 3.0 * s * p[3]))
    return found


@compiled
def stranded_of(system: Full) -> int:
    """Place of the stranded lithium; the throughput follows it, then the salt."""
    return SURFACE + system.shells.shape[1]


@compiled
def salt_of(system: Full) -> int:
    """Place of the salt at the back of the working electrode."""
    return stranded_of(system) + 2


@compiled
def _mean(y: NDArray[np.float64], first: int, layers: NDArray[np.float64], row: int) -> float:
    total = 0.0
    for k in range(layers.shape[1]):
        total += layers[row, k] * y[first + k]
    return total


@compiled
def _wet(y: NDArray[np.float64], p: Particles) -> float:
    return wet_share(y[SEI], p.filled, p.dry_per_C)


@compiled
def hindered(wet: float) -> float:
    """Share of transport that is left when this share of the pores is wet."""
    return 1.0 if wet == 1.0 else wet * np.sqrt(wet)


@serves(duties.terminals, Full)
@compiled
def terminals(y: NDArray[np.float64], system: Full, control: NDArray[np.float64]) -> tuple[float, float, float]:
    """Voltage, current at the terminals and current through the electrolyte."""
    layers, liquid, circuit, p = system.layers, system.liquid, system.circuit, system.counter
    first, wet = salt_of(system), hindered(_wet(y, p))
    open_V = y[POTENTIAL] - y[U_P]
    resistance = circuit.resistance_ohm_m2 + grown_ohm_m2(y[stranded_of(system) + 1], p.resistance_per_C)
    kappa, _, _, gradient, log_c = liquid_at(liquid, y[first])
    for k in range(layers.shape[1] - 1):
        kappa_next, _, _, gradient_next, log_next = liquid_at(liquid, y[first + k + 1])
        s = layers[CURRENT, k]
        resistance += s * s * layers[EDGE, k] / (layers[SHARE, k] * wet * series(kappa, kappa_next))
        open_V -= s * 0.5 * (gradient + gradient_next) * (log_next - log_c)
        kappa, gradient, log_c = kappa_next, gradient_next, log_next
    before = liquid.salt_mol_per_m3 / max(_mean(y, first, layers, IN_HOST), LEAST_SALT * liquid.salt_mol_per_m3)
    ends = Ends(open_V, resistance, y[DEAD_TOP], 0.0, before, 1.0, y[TOP])
    return held_or_found(ends, y[duties.TIME], system.working, system.working, circuit, control)


@compiled
def common_of(y: NDArray[np.float64], system: Full, control: NDArray[np.float64], common: NDArray[np.float64]) -> None:
    """What all blocks know in common."""
    circuit, layers, first = system.circuit, system.layers, salt_of(system)
    if control[0] == HOLD_CURRENT and circuit.short_S_per_m2 == 0.0:
        common[INSIDE], common[LEAK] = control[1] + control[2] * (y[duties.TIME] - control[3]), 0.0
    else:
        _, outside, inside = terminals(y, system, control)
        common[INSIDE], common[LEAK] = inside, outside - inside
    common[FACTOR] = sei_factor(y[SEI], 0.0, circuit)
    common[SALT_W] = _mean(y, first, layers, IN_HOST)
    common[SALT_P] = _mean(y, first, layers, IN_POSITIVE)
    common[THROUGH] = y[stranded_of(system) + 1]
    common[WET] = _wet(y, system.counter)


@compiled
def salt_share(salt: float, system: Full) -> float:
    """Of the salt as filled in; not below what a power may be taken of."""
    return max(salt / system.liquid.salt_mol_per_m3, LEAST_SALT)


@compiled
def working_exchange(system: Full, common: NDArray[np.float64]) -> float:
    """Exchange current density of the working electrode with the mean salt in its pores."""
    return system.working.exchange_A_per_m2 * salt_share(common[SALT_W], system) ** SALT_EXPONENT


@compiled
def working_rates(y: NDArray[np.float64], system: Full, common: NDArray[np.float64], dy: NDArray[np.float64]) -> None:
    """Rates of the working electrode."""
    e, f = system.working, system.circuit.f_per_V
    electrode_rates(y, 0, e, f, working_exchange(system, common), common[INSIDE], common[FACTOR], dy)


@compiled
def particle_rates(y: NDArray[np.float64], system: Full, common: NDArray[np.float64], dy: NDArray[np.float64]) -> None:
    """Rates of the positive's potential, of its shells, and of what is stranded."""
    p, shells = system.counter, system.shells
    n, left = shells.shape[1], connected(common[THROUGH], p.loss_per_C)
    sites = p.sites_C_per_m2 * left
    stranding = stranding_per_s(common[INSIDE], p.loss_per_C, left)
    x = y[SURFACE] / (sites * shells[VOLUME, 0])
    share = salt_share(common[SALT_P], system)
    salt = np.sqrt(share) if p.salt_exponent == 0.5 else share**p.salt_exponent
    exchange = p.exchange_A_per_m2 * salt * exchange_share(x, p.lithium_exponent, p.vacant_exponent)
    over = y[U_P] - material_at(system.material, 0, x)
    leaving = p.area * left * common[WET] * leaving_A_per_m2(over, system.circuit.f_per_V, exchange)
    dy[U_P] = (-common[INSIDE] - leaving) / p.double_layer_F_per_m2
    outward, diffuses, lost = leaving, material_at(system.material, 1, x), 0.0
    for k in range(n):
        inner = 0.0
        if k < n - 1:
            x_next = y[SURFACE + k + 1] / (sites * shells[VOLUME, k + 1])
            diffuses_next = material_at(system.material, 1, x_next)
            inner = sites * series(diffuses, diffuses_next) * shells[LEADS, k] * (x_next - x)
            x, diffuses = x_next, diffuses_next
        dy[SURFACE + k] = inner - outward - stranding * y[SURFACE + k]
        lost += stranding * y[SURFACE + k]
        outward = inner
    dy[SURFACE + n] = lost


@compiled
def salt_rates(y: NDArray[np.float64], system: Full, common: NDArray[np.float64], dy: NDArray[np.float64]) -> None:
    """Rates of c in all layers."""
    layers, liquid, first = system.layers, system.liquid, salt_of(system)
    wet, carried = hindered(common[WET]), common[INSIDE] / FARADAY_C_PER_MOL
    before = 0.0
    _, diffuses, anions, _, _ = liquid_at(liquid, y[first])
    n = layers.shape[1] - 1
    for k in range(n + 1):
        flux = 0.0
        if k < n:
            _, diffuses_next, anions_next, _, _ = liquid_at(liquid, y[first + k + 1])
            flux = (
                -layers[SHARE, k]
                * wet
                * series(diffuses, diffuses_next)
                * (y[first + k + 1] - y[first + k])
                / layers[EDGE, k]
            )
            flux -= 0.5 * (anions + anions_next) * layers[CURRENT, k] * carried
            diffuses, anions = diffuses_next, anions_next
        dy[first + k] = (before - flux) / layers[STORES, k]
        before = flux


@compiled
def rates_given(y: NDArray[np.float64], system: Full, common: NDArray[np.float64], dy: NDArray[np.float64]) -> None:
    """All rates, from what all blocks know in common."""
    working_rates(y, system, common, dy)
    particle_rates(y, system, common, dy)
    dy[stranded_of(system) + 1] = abs(common[INSIDE])
    salt_rates(y, system, common, dy)
    dy[duties.PASSED] = common[INSIDE] + common[LEAK]
    dy[duties.SHORTED] = common[LEAK]
    dy[duties.TIME] = 1.0
    dy[duties.CARRIED] = abs(common[LEAK])


@serves(duties.account, Full)
@compiled
def account(y: NDArray[np.float64], system: Full, row: NDArray[np.float64]) -> None:
    """The working electrode as it is; of the positive the intercalated lithium as active, the stranded as dead."""
    row[:N_ELECTRODE] = y[:N_ELECTRODE]
    row[COUNTER : COUNTER + N_ELECTRODE] = 0.0
    stranded = stranded_of(system)
    for k in range(SURFACE, stranded):
        row[COUNTER + PORES] += y[k]
    row[COUNTER + DEAD_PORES] = y[stranded]
    row[COUNTER + POTENTIAL] = y[U_P]
    row[PASSED:] = y[duties.PASSED :]
