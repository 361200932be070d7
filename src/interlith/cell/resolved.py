"""The resolved cell: a lumped electrode at every depth of the host, joined by its electrolyte; salt moves everywhere.

Nodes lie on faces: from the back of the working electrode (0) to its front, through the separator, to the front and the
back of the counter electrode. A host of n - 1 intervals has n nodes, a bare electrode one. The front of a host carries
what lies on top, its back the foil. Metal and fibres are at one potential, so with u = -phi_e + constant, in x from
back to front of each electrode,

    i = K (du/dx + G dln c/dx)             C w du/dt = change of i - w (net reaction)     K = kappa(c) eps^b
    N = -D(c) eps^b dc/dx - (1 - t+) i/F   eps0 dc/dt = -dN/dx      N: flux of anions, 0 at both ends of the cell
    G = 2 R T / F (1 - t+) (1 + dln f / dln c)

(Newman and Balsara, Electrochemical Systems, 4th ed. (2021), chapters 12 and 22; conservative form.) What charges a
double layer counts as reaction. The void fraction eps of a host falls as lithium fills it, or the host stretches
(mechanisms/filling.py). That hinders transport; the volume that stores salt stays that of the host as made, so salt is
conserved, which it is not when liquid is pressed out at one concentration and drawn in at another. Exchange currents go
with c^0.3 (mechanisms/kinetics.py).

State y: for each node the ten of a lumped electrode and c, then c inside the separator, then the last four of any
model. Between faces K and D are harmonic means, G and t+ arithmetic ones: second order in the width of an interval.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from interlith.cell import duties
from interlith.cell.account import (
    ALLOYED,
    CONVERTED,
    COUNTER,
    DEAD_PORES,
    DEAD_TOP,
    FOIL,
    N_ELECTRODE,
    PASSED,
    PORES,
    POTENTIAL,
    REVIVED,
    SEI,
    TOP,
)
from interlith.cell.compiled import compiled
from interlith.cell.duties import serves
from interlith.cell.lumped import (
    Circuit,
    Electrode,
    Ends,
    Surface,
    balance,
    barrier_of,
    held_or_found,
    sei_factor,
    surface,
)
from interlith.cell.mechanisms.filling import free_share, widened
from interlith.cell.mechanisms.isolation import isolated_per_stripped
from interlith.cell.mechanisms.kinetics import SALT_EXPONENT
from interlith.cell.mechanisms.nucleation import barrier_V
from interlith.units import FARADAY_C_PER_MOL

SALT = N_ELECTRODE
N_NODE = N_ELECTRODE + 1
N_TOTALS = 4
LEAST_SALT = 1e-6  # of the salt as filled in, below which its logarithm is not followed
INSIDE, LEAK, FACTOR, CHI_W, CHI_C, BARRIER_W, BARRIER_C = range(7)  # what all nodes know in common
N_COMMON = 7
KAPPA, DIFFUSES, ANIONS, GRADIENT, LOG = range(5, 10)  # of a node, after its Surface
N_LOCAL = 10


class Liquid(NamedTuple):
    """Transport at the cell's temperature over c: cubics in each interval of `step` from 0, float64[4, n, 4].

    The four are kappa (S/m), D (m2/s), 1 - t+ and G (V).
    """

    cubics: NDArray[np.float64]
    step_mol_per_m3: float
    salt_mol_per_m3: float


class Depth(NamedTuple):
    """One electrode over its depth: intervals of equal width, and what it is at the back, within, and at the front."""

    n_nodes: int
    first: int  # number of its back node among all nodes
    edge_m: float
    porosity: float
    back: Electrode
    inner: Electrode
    front: Electrode


class Gap(NamedTuple):
    """The separator in intervals of equal width."""

    n_edges: int
    edge_m: float
    porosity: float
    share: float  # of the free liquid's conductivity and diffusivity


class Pattern(NamedTuple):
    """Which rates depend on which states when what all know in common stands still.

    columns: the states solved for, as they lie in the band. rows[starts[m]:starts[m + 1]]: what column m moves (states,
    then from n_states on what each node strips); column_of: the same the other way. banded, following: which of these
    stand in the band, and which in rows of the other states, on which nothing depends. colors: columns that may be
    varied at once. watched: what the current of a held voltage depends on. faces: c at the faces of the separator.
    """

    columns: NDArray[np.int64]
    place: NDArray[np.int64]
    starts: NDArray[np.int64]
    rows: NDArray[np.int64]
    column_of: NDArray[np.int64]
    banded: NDArray[np.int64]
    following: NDArray[np.int64]
    others: NDArray[np.int64]
    color_starts: NDArray[np.int64]
    color_columns: NDArray[np.int64]
    watched: NDArray[np.int64]
    faces: NDArray[np.int64]
    kl: int
    ku: int


class Resolved(NamedTuple):
    """A resolved cell for the integrator."""

    working: Electrode
    counter: Electrode
    circuit: Circuit
    depth_w: Depth
    depth_c: Depth
    gap: Gap
    liquid: Liquid
    pattern: Pattern


class Side(NamedTuple):
    """What an electrode knows of the rest of the cell, per its own area.

    to_separator: anions that leave its front; half_gap_m: void of the separator that belongs to its front.
    """

    oxidizing: float
    chi: float
    factor: float
    to_separator: float
    half_gap_m: float


class Work(NamedTuple):
    """What the duties write in."""

    local: NDArray[np.float64]  # [node, N_LOCAL], what is known of each node before all in common is
    strips: NDArray[np.float64]  # [node], A/m2 of lithium stripped there, its share of the depth counted in
    common: NDArray[np.float64]  # [N_COMMON]
    varied_common: NDArray[np.float64]
    varied: NDArray[np.float64]
    strips_before: NDArray[np.float64]
    values: NDArray[np.float64]  # of the Jacobian, as pattern.rows
    border_u: NDArray[np.float64]  # d rates / d common: [N_COMMON, state]
    border_v: NDArray[np.float64]  # d common / d state: [N_COMMON, state]
    solved_u: NDArray[np.float64]
    small: NDArray[np.float64]
    share: NDArray[np.float64]
    bordered: NDArray[np.bool_]
    small_pivots: NDArray[np.int64]
    band: NDArray[np.float64]
    pivots: NDArray[np.int64]
    few: NDArray[np.float64]


@compiled
def liquid_at(liquid: Liquid, c: float) -> tuple[float, float, float, float, float]:
    """kappa, D, 1 - t+, G at a concentration, beyond the table those at its end; ln(c / c as filled in)."""
    n, share = liquid.cubics.shape[1], max(c / liquid.salt_mol_per_m3, LEAST_SALT)
    at = min(share * liquid.salt_mol_per_m3 / liquid.step_mol_per_m3, n - 1e-9)
    k = int(at)
    s, p = at - k, liquid.cubics
    kappa = p[0, k, 0] + s * (p[0, k, 1] + s * (p[0, k, 2] + s * p[0, k, 3]))
    diffusivity = p[1, k, 0] + s * (p[1, k, 1] + s * (p[1, k, 2] + s * p[1, k, 3]))
    anions = p[2, k, 0] + s * (p[2, k, 1] + s * (p[2, k, 2] + s * p[2, k, 3]))
    gradient = p[3, k, 0] + s * (p[3, k, 1] + s * (p[3, k, 2] + s * p[3, k, 3]))
    return kappa, diffusivity, anions, gradient, np.log(share)


@compiled
def weight(n_nodes: int, j: int) -> float:
    """Share of the depth for which node j stands."""
    if n_nodes == 1:
        return 1.0
    return (0.5 if j in (0, n_nodes - 1) else 1.0) / (n_nodes - 1)


@compiled
def _survey(
    y: NDArray[np.float64],
    d: Depth,
    liquid: Liquid,
    f: float,
    barrier: float,
    local: NDArray[np.float64],
    strips: NDArray[np.float64],
) -> None:
    """Surfaces and electrolyte of an electrode's nodes, to which the barrier is common."""
    for j in range(d.n_nodes):
        node = d.first + j
        o = node * N_NODE
        e = d.front if j == d.n_nodes - 1 else (d.back if j == 0 else d.inner)
        kappa, diffusivity, anions, gradient, log_c = liquid_at(liquid, y[o + SALT])
        if d.n_nodes == 1:
            barrier = barrier_of(y, o, e)
        s = surface(y, o, e, f, e.exchange_A_per_m2 * np.exp(SALT_EXPONENT * log_c), barrier)
        local[node, 0], local[node, 1], local[node, 2] = s.plate_pores, s.plate_top, s.strip_pores
        local[node, 3], local[node, 4] = s.strip_top, s.strip_foil
        share = 1.0
        if d.n_nodes > 1:
            held = y[o + PORES] + y[o + DEAD_PORES]
            free = d.porosity * free_share(held, e.pore_C_per_m2, e.stretching, e.wet_when_full)
            wide = widened(held, e.pore_C_per_m2, e.stretching, d.porosity)
            share = free / wide
            share *= np.sqrt(share) / wide  # Bruggeman's 1.5, and a wider layer is a longer way
        local[node, KAPPA], local[node, DIFFUSES] = kappa * share, diffusivity * share
        local[node, ANIONS], local[node, GRADIENT], local[node, LOG] = anions, gradient, log_c
        strips[node] = weight(d.n_nodes, j) * s.strip_pores + s.strip_top


@compiled
def survey_all(
    y: NDArray[np.float64],
    system: Resolved,
    common: NDArray[np.float64],
    local: NDArray[np.float64],
    strips: NDArray[np.float64],
) -> None:
    """Surfaces and electrolyte of all nodes."""
    f = system.circuit.f_per_V
    _survey(y, system.depth_w, system.liquid, f, common[BARRIER_W], local, strips)
    _survey(y, system.depth_c, system.liquid, f, common[BARRIER_C], local, strips)


@compiled
def fresh_C_per_m2(y: NDArray[np.float64], d: Depth) -> float:
    """Connected metal of an electrode, all depths."""
    return over_depth(y, d, PORES) + y[front_of(d) + TOP] + y[d.first * N_NODE + FOIL]


@compiled
def front_of(d: Depth) -> int:
    """First state of an electrode's front node."""
    return (d.first + d.n_nodes - 1) * N_NODE


@compiled
def _stripped(d: Depth, strips: NDArray[np.float64]) -> float:
    """Lithium stripped from all of an electrode that can be isolated, A/m2."""
    total = 0.0
    for j in range(d.n_nodes):
        total += strips[d.first + j]
    return total


@compiled
def over_depth(y: NDArray[np.float64], d: Depth, state: int) -> float:
    """A state of all nodes, each by its share of the depth."""
    total = 0.0
    for j in range(d.n_nodes):
        total += weight(d.n_nodes, j) * y[(d.first + j) * N_NODE + state]
    return total


@compiled
def series(a: float, b: float) -> float:
    """What two halves of an interval let through, one behind the other."""
    return 2.0 * a * b / (a + b)


@compiled
def _edge(y: NDArray[np.float64], node: int, edge_m: float, local: NDArray[np.float64]) -> tuple[float, float]:
    """Current and flux of anions in the electrolyte from a node to the next, A/m2 and mol/(m2 s)."""
    o, p, to = node * N_NODE, (node + 1) * N_NODE, node + 1
    gradient = 0.5 * (local[node, GRADIENT] + local[to, GRADIENT]) * (local[to, LOG] - local[node, LOG])
    i = series(local[node, KAPPA], local[to, KAPPA]) * (y[p + POTENTIAL] - y[o + POTENTIAL] + gradient) / edge_m
    carried = 0.5 * (local[node, ANIONS] + local[to, ANIONS]) * i / FARADAY_C_PER_MOL
    diffusivity = series(local[node, DIFFUSES], local[to, DIFFUSES])
    return i, -diffusivity * (y[p + SALT] - y[o + SALT]) / edge_m - carried


@compiled
def _nodes(
    y: NDArray[np.float64],
    d: Depth,
    f: float,
    side: Side,
    local: NDArray[np.float64],
    strips: NDArray[np.float64],
    dy: NDArray[np.float64],
) -> None:
    """Rates of all nodes of one electrode."""
    i_before = flux_before = 0.0
    stores_m = d.porosity * d.edge_m * (d.n_nodes - 1)
    for j in range(d.n_nodes):
        node = d.first + j
        o, w = node * N_NODE, weight(d.n_nodes, j)
        holds, i_after, flux_after = w * stores_m, side.oxidizing, side.to_separator
        if j < d.n_nodes - 1:
            i_after, flux_after = _edge(y, node, d.edge_m, local)
        else:
            holds += side.half_gap_m
        s = Surface(local[node, 0], local[node, 1], local[node, 2], local[node, 3], local[node, 4])
        e = d.front if j == d.n_nodes - 1 else (d.back if j == 0 else d.inner)
        chi = side.chi
        if d.n_nodes == 1:
            chi = isolated_per_stripped(strips[node], e.isolated_per_stripped, e.isolation_exponent)
        balance(y, o, e, f, s, w, (i_after - i_before) / w, chi, side.factor, dy)
        dy[o + SALT] = (flux_before - flux_after) / holds
        i_before, flux_before = i_after, flux_after


@compiled
def _gap_rates(
    y: NDArray[np.float64],
    gap: Gap,
    liquid: Liquid,
    faces: NDArray[np.int64],
    inside: float,
    dy: NDArray[np.float64],
) -> tuple[float, float]:
    """Rates of c within the separator; anions that enter it from the working, and leave it to the counter electrode."""
    holds = gap.porosity * gap.edge_m
    entering = before = 0.0
    c = y[faces[0]]
    _, diffuses, anions, _, _ = liquid_at(liquid, c)
    for k in range(gap.n_edges):
        c_next = y[faces[k + 1]]
        _, diffuses_next, anions_next, _, _ = liquid_at(liquid, c_next)
        flux = -gap.share * series(diffuses, diffuses_next) * (c_next - c) / gap.edge_m
        flux -= 0.5 * (anions + anions_next) * inside / FARADAY_C_PER_MOL
        if k == 0:
            entering = flux
        else:
            dy[faces[k]] = (before - flux) / holds
        before, c, diffuses, anions = flux, c_next, diffuses_next, anions_next
    return entering, before


@compiled
def _sides(gap: Gap, ratio: float, common: NDArray[np.float64], entering: float, leaving: float) -> tuple[Side, Side]:
    """What each electrode knows of the rest, per its own area, from the anions that enter and leave the separator."""
    half_gap = 0.5 * gap.porosity * gap.edge_m
    w = Side(common[INSIDE], common[CHI_W], common[FACTOR], entering, half_gap)
    return w, Side(-common[INSIDE] / ratio, common[CHI_C], common[FACTOR], -leaving / ratio, half_gap / ratio)


@compiled
def rates_given(
    y: NDArray[np.float64],
    system: Resolved,
    common: NDArray[np.float64],
    local: NDArray[np.float64],
    strips: NDArray[np.float64],
    dy: NDArray[np.float64],
) -> None:
    """All rates, from a survey of the nodes and what they all know in common."""
    gap, f = system.gap, system.circuit.f_per_V
    entering, leaving = _gap_rates(y, gap, system.liquid, system.pattern.faces, common[INSIDE], dy)
    w, c = _sides(gap, system.circuit.counter_per_working, common, entering, leaving)
    _nodes(y, system.depth_w, f, w, local, strips, dy)
    _nodes(y, system.depth_c, f, c, local, strips, dy)
    dy[duties.PASSED] = common[INSIDE] + common[LEAK]
    dy[duties.SHORTED] = common[LEAK]
    dy[duties.TIME] = 1.0
    dy[duties.CARRIED] = abs(common[LEAK])


@serves(duties.terminals, Resolved)
@compiled
def terminals(y: NDArray[np.float64], system: Resolved, control: NDArray[np.float64]) -> tuple[float, float, float]:
    """Voltage, current at the terminals and current through the electrolyte."""
    gap, liquid, circuit, faces = system.gap, system.liquid, system.circuit, system.pattern.faces
    w, c = faces[0] - SALT, faces[gap.n_edges] - SALT
    open_V, resistance = y[w + POTENTIAL] - y[c + POTENTIAL], circuit.resistance_ohm_m2
    kappa, _, _, gradient, log_c = liquid_at(liquid, y[faces[0]])
    for k in range(1, gap.n_edges + 1):
        kappa_next, _, _, gradient_next, log_next = liquid_at(liquid, y[faces[k]])
        resistance += gap.edge_m / (gap.share * series(kappa, kappa_next))
        open_V -= 0.5 * (gradient + gradient_next) * (log_next - log_c)
        kappa, gradient, log_c = kappa_next, gradient_next, log_next
    ratio = circuit.counter_per_working
    scarcer = [liquid.salt_mol_per_m3 / max(y[faces[k]], LEAST_SALT * liquid.salt_mol_per_m3) for k in (0, gap.n_edges)]
    top = y[w + TOP] + y[c + TOP] * ratio
    ends = Ends(open_V, resistance, y[w + DEAD_TOP], y[c + DEAD_TOP], scarcer[0], scarcer[1], top)
    return held_or_found(ends, y[duties.TIME], system.working, system.counter, circuit, control)


@compiled
def common_of(
    y: NDArray[np.float64],
    system: Resolved,
    control: NDArray[np.float64],
    local: NDArray[np.float64],
    strips: NDArray[np.float64],
    common: NDArray[np.float64],
) -> None:
    """A survey of all nodes, and what they know in common."""
    w, c = system.working, system.counter
    _, outside, inside = terminals(y, system, control)
    common[INSIDE], common[LEAK] = inside, outside - inside
    common[FACTOR] = 1.0
    if system.circuit.inventory_C_per_m2 > 0.0:
        sei_w, sei_c = over_depth(y, system.depth_w, SEI), over_depth(y, system.depth_c, SEI)
        common[FACTOR] = sei_factor(sei_w, sei_c, system.circuit)
    common[BARRIER_W] = barrier_V(fresh_C_per_m2(y, system.depth_w), w.nucleation_V, w.nucleation_C_per_m2)
    common[BARRIER_C] = barrier_V(fresh_C_per_m2(y, system.depth_c), c.nucleation_V, c.nucleation_C_per_m2)
    survey_all(y, system, common, local, strips)
    strip_w, strip_c = _stripped(system.depth_w, strips), _stripped(system.depth_c, strips)
    common[CHI_W] = isolated_per_stripped(strip_w, w.isolated_per_stripped, w.isolation_exponent)
    common[CHI_C] = isolated_per_stripped(strip_c, c.isolated_per_stripped, c.isolation_exponent)


@serves(duties.rates, Resolved)
@compiled
def rates(
    y: NDArray[np.float64], system: Resolved, control: NDArray[np.float64], work: Work, dy: NDArray[np.float64]
) -> None:
    """dy/dt of the whole cell."""
    common_of(y, system, control, work.local, work.strips, work.common)
    rates_given(y, system, work.common, work.local, work.strips, dy)


@serves(duties.account, Resolved)
@compiled
def account(y: NDArray[np.float64], system: Resolved, row: NDArray[np.float64]) -> None:
    """Sums over depth; top and foil lie at one node each. The potential is the mean that charges the double layer."""
    for which in range(2):
        d = system.depth_w if which == 0 else system.depth_c
        first = which * COUNTER
        for state in (PORES, DEAD_PORES, SEI, CONVERTED, ALLOYED, POTENTIAL, REVIVED):
            row[first + state] = over_depth(y, d, state)
        front = front_of(d)
        row[first + TOP], row[first + DEAD_TOP] = y[front + TOP], y[front + DEAD_TOP]
        row[first + FOIL] = y[d.first * N_NODE + FOIL]
    row[PASSED:] = y[duties.PASSED :]
