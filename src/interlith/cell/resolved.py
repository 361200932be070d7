"""The resolved cell: a lumped electrode at every depth of the host, joined by its electrolyte; salt moves everywhere.

Nodes lie on faces: from the back of the working electrode (0) to its front, through the separator, to the front and the
back of the counter electrode. A host of n - 1 intervals has n nodes, a bare electrode one. The front of a host carries
what lies on top, its back the foil. Metal and fibres are at one potential, so with u = -phi_e + constant, in x from
back to front of each electrode,

    i = K (du/dx + G dln c/dx)             C w du/dt = change of i - w (net reaction)     K = kappa(c) eps^b
    N = -D(c) eps^b dc/dx - (1 - t+) i/F   eps dc/dt = -dN/dx       N: flux of anions, 0 at both ends of the cell
    G = 2 R T / F (1 - t+) (1 + dln f / dln c)

(Newman and Balsara, Electrochemical Systems, 4th ed. (2021), chapters 12 and 22; conservative form.) What charges a
double layer counts as reaction, so salt is conserved. The void fraction eps of a host falls as lithium fills it; the
electrolyte that is pushed out takes its own salt with it. Exchange currents go with c^0.3 (mechanisms/kinetics.py).

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
    CARRIED,
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
    SHORTED,
    TIME,
    TOP,
)
from interlith.cell.banded import factorize_band, solve_band
from interlith.cell.compiled import compiled
from interlith.cell.duties import HOLD_CURRENT, serves
from interlith.cell.lumped import Circuit, Electrode, Ends, Surface, balance, held_or_found, sei_factor, surface
from interlith.cell.mechanisms.isolation import isolated_per_stripped
from interlith.cell.mechanisms.kinetics import SALT_EXPONENT
from interlith.cell.rosenbrock import GAMMA, factorize, solve
from interlith.units import FARADAY_C_PER_MOL

SALT = N_ELECTRODE
N_NODE = N_ELECTRODE + 1
N_TOTALS = 4
DIFFERENCE = 1e-7
BORDER_DIFFERENCE = 1e-3  # of what enters linearly: any size is exact, and a large one rounds least
FILM = 0.01  # of a host's void that conducts even where lithium fills it: assumed, a guard more than a mechanism
LEAST_SALT = 1e-6  # of the salt as filled in, below which its logarithm is not followed
INSIDE, OUTSIDE, FACTOR, CHI_W, CHI_C = range(5)  # what all nodes know in common
N_COMMON = 5


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
    bruggeman: float
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

    columns: the states solved for, as they lie in the band; rows[starts[m]:starts[m + 1]]: what column m moves (states,
    then from n_states on what each node strips); colors: columns that may be varied at once.
    """

    columns: NDArray[np.int64]
    place: NDArray[np.int64]
    starts: NDArray[np.int64]
    rows: NDArray[np.int64]
    color_starts: NDArray[np.int64]
    color_columns: NDArray[np.int64]
    watched: NDArray[np.int64]
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


class Work(NamedTuple):
    """What the duties write in."""

    plating: NDArray[np.float64]  # [node, Surface]
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
def liquid_at(liquid: Liquid, which: int, c: float) -> float:
    """One property at a concentration; beyond the table its value at the end."""
    n = liquid.cubics.shape[1]
    at = min(max(c, LEAST_SALT * liquid.salt_mol_per_m3) / liquid.step_mol_per_m3, n - 1e-9)
    k = int(at)
    s, p = at - k, liquid.cubics[which, k]
    return p[0] + s * (p[1] + s * (p[2] + s * p[3]))


@compiled
def log_salt(liquid: Liquid, c: float) -> float:
    """ln(c / c as filled in)."""
    return np.log(max(c / liquid.salt_mol_per_m3, LEAST_SALT))


@compiled
def void(y: NDArray[np.float64], o: int, d: Depth) -> float:
    """Void fraction of the host at the node whose states begin at o."""
    full = (y[o + PORES] + y[o + DEAD_PORES]) / d.inner.pore_C_per_m2
    return d.porosity * (FILM + (1.0 - FILM) * max(1.0 - full, 0.0))


@compiled
def weight(d: Depth, j: int) -> float:
    """Share of the depth for which node j stands."""
    if d.n_nodes == 1:
        return 1.0
    return (0.5 if j in (0, d.n_nodes - 1) else 1.0) / (d.n_nodes - 1)


@compiled
def part_at(d: Depth, j: int) -> Electrode:
    """What the electrode is at node j."""
    if j == d.n_nodes - 1:
        return d.front
    return d.back if j == 0 else d.inner


@compiled
def _surfaces(y: NDArray[np.float64], d: Depth, system: Resolved, work: Work) -> float:
    """What happens on all surfaces of an electrode; lithium stripped that can be isolated, A/m2 in all."""
    total = 0.0
    for j in range(d.n_nodes):
        o = (d.first + j) * N_NODE
        e = part_at(d, j)
        exchange = e.exchange_A_per_m2 * np.exp(SALT_EXPONENT * log_salt(system.liquid, y[o + SALT]))
        s = surface(y, o, e, system.circuit.f_per_V, exchange)
        row = work.plating[d.first + j]
        row[0], row[1], row[2], row[3], row[4] = s.plate_pores, s.plate_top, s.strip_pores, s.strip_top, s.strip_foil
        strips = weight(d, j) * s.strip_pores + s.strip_top
        work.strips[d.first + j] = strips
        total += strips
    return total


@compiled
def _over_depth(y: NDArray[np.float64], d: Depth, state: int) -> float:
    total = 0.0
    for j in range(d.n_nodes):
        total += weight(d, j) * y[(d.first + j) * N_NODE + state]
    return total


@compiled
def _electrode(
    y: NDArray[np.float64],
    d: Depth,
    system: Resolved,
    oxidizing: float,
    factor: float,
    chi: float,
    to_separator: float,
    half_gap_m: float,
    work: Work,
    dy: NDArray[np.float64],
) -> None:
    """Rates of one electrode; to_separator: anions that leave its front; half_gap_m: void of the separator there."""
    liquid, f = system.liquid, system.circuit.f_per_V
    i_before = flux_before = 0.0
    u = y[d.first * N_NODE + POTENTIAL]
    c = y[d.first * N_NODE + SALT]
    k_here = diffuses = 0.0
    if d.n_nodes > 1:
        open_here = void(y, d.first * N_NODE, d) ** d.bruggeman
        k_here, diffuses = liquid_at(liquid, 0, c) * open_here, liquid_at(liquid, 1, c) * open_here
    anions, gradient, log_c = liquid_at(liquid, 2, c), liquid_at(liquid, 3, c), log_salt(liquid, c)
    for j in range(d.n_nodes):
        o, w = (d.first + j) * N_NODE, weight(d, j)
        i_after, flux_after = oxidizing, to_separator
        holds = w * void(y, o, d) * d.edge_m * (d.n_nodes - 1) if d.n_nodes > 1 else 0.0
        if j < d.n_nodes - 1:
            p = o + N_NODE
            u_next, c_next = y[p + POTENTIAL], y[p + SALT]
            open_next = void(y, p, d) ** d.bruggeman
            k_next, diffuses_next = liquid_at(liquid, 0, c_next) * open_next, liquid_at(liquid, 1, c_next) * open_next
            anions_next, gradient_next = liquid_at(liquid, 2, c_next), liquid_at(liquid, 3, c_next)
            log_next = log_salt(liquid, c_next)
            k, diffusivity = _series(k_here, k_next), _series(diffuses, diffuses_next)
            driven = u_next - u + 0.5 * (gradient + gradient_next) * (log_next - log_c)
            i_after = k * driven / d.edge_m
            carried = 0.5 * (anions + anions_next) * i_after / FARADAY_C_PER_MOL
            flux_after = -diffusivity * (c_next - c) / d.edge_m - carried
            u, c, k_here, diffuses, anions, gradient = u_next, c_next, k_next, diffuses_next, anions_next, gradient_next
            log_c = log_next
        else:
            holds += half_gap_m
        row = work.plating[d.first + j]
        s = Surface(row[0], row[1], row[2], row[3], row[4])
        balance(y, o, part_at(d, j), f, s, w, (i_after - i_before) / w, chi, factor, dy)
        dy[o + SALT] = (flux_before - flux_after) / holds
        i_before, flux_before = i_after, flux_after


@compiled
def _series(a: float, b: float) -> float:
    return 2.0 * a * b / (a + b)


@compiled
def _gap_salt(y: NDArray[np.float64], system: Resolved, k: int) -> int:
    """The state that is c at the k-th face of the separator, from the working electrode on."""
    if k == 0:
        return (system.depth_w.n_nodes - 1) * N_NODE + SALT
    if k == system.gap.n_edges:
        return (system.depth_c.first + system.depth_c.n_nodes - 1) * N_NODE + SALT
    return (system.depth_c.first + system.depth_c.n_nodes) * N_NODE + k - 1


@compiled
def _gap_rates(y: NDArray[np.float64], system: Resolved, inside: float, dy: NDArray[np.float64]) -> tuple[float, float]:
    """Rates of c within the separator; anions that enter it from the working, and leave it to the counter electrode."""
    gap, liquid = system.gap, system.liquid
    holds = gap.porosity * gap.edge_m
    entering = before = 0.0
    c = y[_gap_salt(y, system, 0)]
    diffuses, anions = liquid_at(liquid, 1, c), liquid_at(liquid, 2, c)
    for k in range(gap.n_edges):
        c_next = y[_gap_salt(y, system, k + 1)]
        diffuses_next, anions_next = liquid_at(liquid, 1, c_next), liquid_at(liquid, 2, c_next)
        flux = -gap.share * _series(diffuses, diffuses_next) * (c_next - c) / gap.edge_m
        flux -= 0.5 * (anions + anions_next) * inside / FARADAY_C_PER_MOL
        if k == 0:
            entering = flux
        else:
            dy[_gap_salt(y, system, k)] = (before - flux) / holds
        before, c, diffuses, anions = flux, c_next, diffuses_next, anions_next
    return entering, before


@compiled
def _rates_given(
    y: NDArray[np.float64], system: Resolved, common: NDArray[np.float64], work: Work, dy: NDArray[np.float64]
) -> None:
    """All rates from the surfaces as they are in `work` and from what all nodes know in common."""
    circuit, gap = system.circuit, system.gap
    ratio = circuit.counter_per_working
    entering, leaving = _gap_rates(y, system, common[INSIDE], dy)
    half_gap = 0.5 * gap.porosity * gap.edge_m
    _electrode(y, system.depth_w, system, common[INSIDE], common[FACTOR], common[CHI_W], entering, half_gap, work, dy)
    at_counter = -common[INSIDE] / ratio
    _electrode(
        y,
        system.depth_c,
        system,
        at_counter,
        common[FACTOR],
        common[CHI_C],
        -leaving / ratio,
        half_gap / ratio,
        work,
        dy,
    )
    n = len(y)
    dy[n - 4] = common[OUTSIDE]
    dy[n - 3] = common[OUTSIDE] - common[INSIDE]
    dy[n - 2] = 1.0
    dy[n - 1] = abs(common[OUTSIDE] - common[INSIDE])


@serves(duties.terminals, Resolved)
@compiled
def terminals(y: NDArray[np.float64], system: Resolved, control: NDArray[np.float64]) -> tuple[float, float, float]:
    """Voltage, current at the terminals and current through the electrolyte."""
    gap, liquid, circuit = system.gap, system.liquid, system.circuit
    w = (system.depth_w.n_nodes - 1) * N_NODE
    c = (system.depth_c.first + system.depth_c.n_nodes - 1) * N_NODE
    open_V, resistance = y[w + POTENTIAL] - y[c + POTENTIAL], circuit.resistance_ohm_m2
    here = y[w + SALT]
    kappa, gradient, log_c = liquid_at(liquid, 0, here), liquid_at(liquid, 3, here), log_salt(liquid, here)
    for k in range(1, gap.n_edges + 1):
        there = y[_gap_salt(y, system, k)]
        kappa_next, gradient_next = liquid_at(liquid, 0, there), liquid_at(liquid, 3, there)
        log_next = log_salt(liquid, there)
        resistance += gap.edge_m / (gap.share * _series(kappa, kappa_next))
        open_V -= 0.5 * (gradient + gradient_next) * (log_next - log_c)
        kappa, gradient, log_c = kappa_next, gradient_next, log_next
    ratio = circuit.counter_per_working
    ends = Ends(open_V, resistance, y[w + DEAD_TOP], y[c + DEAD_TOP], y[w + TOP] + y[c + TOP] * ratio)
    return held_or_found(ends, y[len(y) - 2], system.working, system.counter, circuit, control)


@compiled
def _common(
    y: NDArray[np.float64], system: Resolved, control: NDArray[np.float64], work: Work, common: NDArray[np.float64]
) -> None:
    """What all nodes know in common, and what happens on all surfaces."""
    w, c = system.working, system.counter
    _, common[OUTSIDE], common[INSIDE] = terminals(y, system, control)
    common[FACTOR] = 1.0
    if system.circuit.inventory_C_per_m2 > 0.0:
        sei_w, sei_c = _over_depth(y, system.depth_w, SEI), _over_depth(y, system.depth_c, SEI)
        common[FACTOR] = sei_factor(sei_w, sei_c, system.circuit)
    strip_w = _surfaces(y, system.depth_w, system, work)
    strip_c = _surfaces(y, system.depth_c, system, work)
    common[CHI_W] = isolated_per_stripped(strip_w, w.isolated_per_stripped, w.isolation_exponent)
    common[CHI_C] = isolated_per_stripped(strip_c, c.isolated_per_stripped, c.isolation_exponent)


@serves(duties.rates, Resolved)
@compiled
def rates(
    y: NDArray[np.float64], system: Resolved, control: NDArray[np.float64], work: Work, dy: NDArray[np.float64]
) -> None:
    """dy/dt of the whole cell."""
    _common(y, system, control, work, work.common)
    _rates_given(y, system, work.common, work, dy)


@serves(duties.account, Resolved)
@compiled
def account(y: NDArray[np.float64], system: Resolved, row: NDArray[np.float64]) -> None:
    """Sums over depth; top and foil lie at one node each. The potential is the mean that charges the double layer."""
    for which in range(2):
        d = system.depth_w if which == 0 else system.depth_c
        first = which * COUNTER
        for state in (PORES, DEAD_PORES, SEI, CONVERTED, ALLOYED, POTENTIAL, REVIVED):
            row[first + state] = _over_depth(y, d, state)
        front = (d.first + d.n_nodes - 1) * N_NODE
        row[first + TOP], row[first + DEAD_TOP] = y[front + TOP], y[front + DEAD_TOP]
        row[first + FOIL] = y[d.first * N_NODE + FOIL]
    n = len(y)
    row[PASSED], row[SHORTED], row[TIME], row[CARRIED] = y[n - 4], y[n - 3], y[n - 2], y[n - 1]


@serves(duties.workspace, Resolved)
@compiled
def workspace(system: Resolved) -> Work:
    """Arrays for one step of the protocol."""
    p = system.pattern
    n, m, n_nodes = len(p.place), len(p.columns), system.depth_w.n_nodes + system.depth_c.n_nodes
    return Work(
        plating=np.zeros((n_nodes, 5)),
        strips=np.zeros(n_nodes),
        common=np.zeros(N_COMMON),
        varied_common=np.zeros(N_COMMON),
        varied=np.zeros(n),
        strips_before=np.zeros(n_nodes),
        values=np.zeros(len(p.rows)),
        border_u=np.zeros((N_COMMON, n)),
        border_v=np.zeros((N_COMMON, n)),
        solved_u=np.zeros((N_COMMON, n)),
        small=np.zeros((N_COMMON, N_COMMON)),
        share=np.zeros(N_COMMON),
        bordered=np.zeros(N_COMMON, np.bool_),
        small_pivots=np.zeros(N_COMMON, np.int64),
        band=np.zeros((m, 2 * p.kl + p.ku + 1)),
        pivots=np.zeros(m, np.int64),
        few=np.zeros(m),
    )


@serves(duties.linearize, Resolved)
@compiled
def linearize(
    y: NDArray[np.float64],
    system: Resolved,
    control: NDArray[np.float64],
    scale: NDArray[np.float64],
    dy: NDArray[np.float64],
    work: Work,
) -> None:
    """The Jacobian in two parts: by forward differences with all in common held, and what goes through the common."""
    p, n = system.pattern, len(y)
    _common(y, system, control, work, work.common)
    work.strips_before[:] = work.strips
    for color in range(len(p.color_starts) - 1):
        group = p.color_columns[p.color_starts[color] : p.color_starts[color + 1]]
        for m in group:
            k = p.columns[m]
            work.few[m] = y[k]
            y[k] += DIFFERENCE * max(abs(y[k]), scale[k])
        _surfaces(y, system.depth_w, system, work)
        _surfaces(y, system.depth_c, system, work)
        _rates_given(y, system, work.common, work, work.varied)
        for m in group:
            k = p.columns[m]
            size = y[k] - work.few[m]
            y[k] = work.few[m]
            for r in range(p.starts[m], p.starts[m + 1]):
                row = p.rows[r]
                moved = work.varied[row] - dy[row] if row < n else work.strips[row - n] - work.strips_before[row - n]
                work.values[r] = moved / size
    _border(y, system, control, scale, dy, work)


@compiled
def _border(
    y: NDArray[np.float64],
    system: Resolved,
    control: NDArray[np.float64],
    scale: NDArray[np.float64],
    dy: NDArray[np.float64],
    work: Work,
) -> None:
    """d rates / d common, which is linear, and d common / d state."""
    w, c, circuit, common = system.working, system.counter, system.circuit, work.common
    currents = control[0] != HOLD_CURRENT or circuit.short_S_per_m2 > 0.0
    work.bordered[INSIDE] = work.bordered[OUTSIDE] = currents
    work.bordered[FACTOR] = circuit.inventory_C_per_m2 > 0.0
    work.bordered[CHI_W] = w.isolated_per_stripped > 0.0 and w.isolation_exponent > 0.0
    work.bordered[CHI_C] = c.isolated_per_stripped > 0.0 and c.isolation_exponent > 0.0
    _surfaces(y, system.depth_w, system, work)
    _surfaces(y, system.depth_c, system, work)
    for b in range(N_COMMON):
        if work.bordered[b]:
            work.varied_common[:] = common
            work.varied_common[b] = common[b] + BORDER_DIFFERENCE * max(abs(common[b]), 1.0)
            size = work.varied_common[b] - common[b]
            _rates_given(y, system, work.varied_common, work, work.varied)
            for i in range(len(y)):
                work.border_u[b, i] = (work.varied[i] - dy[i]) / size
            work.border_v[b, :] = 0.0
    if currents:
        _current_border(y, system, control, scale, work)
    if work.bordered[FACTOR]:
        _factor_border(y, system, work)
    if work.bordered[CHI_W]:
        _chi_border(system, w, system.depth_w, CHI_W, work)
    if work.bordered[CHI_C]:
        _chi_border(system, c, system.depth_c, CHI_C, work)


@compiled
def _current_border(
    y: NDArray[np.float64], system: Resolved, control: NDArray[np.float64], scale: NDArray[np.float64], work: Work
) -> None:
    for k in system.pattern.watched:
        kept = y[k]
        y[k] = kept + DIFFERENCE * max(abs(kept), scale[k])
        size = y[k] - kept
        _, outside, inside = terminals(y, system, control)
        y[k] = kept
        work.border_v[INSIDE, k] = (inside - work.common[INSIDE]) / size
        work.border_v[OUTSIDE, k] = (outside - work.common[OUTSIDE]) / size


@compiled
def _factor_border(y: NDArray[np.float64], system: Resolved, work: Work) -> None:
    circuit = system.circuit
    sei_w, sei_c = _over_depth(y, system.depth_w, SEI), _over_depth(y, system.depth_c, SEI)
    size = DIFFERENCE * max(sei_w, circuit.inventory_C_per_m2)
    slope = (sei_factor(sei_w + size, sei_c, circuit) - sei_factor(sei_w, sei_c, circuit)) / size
    for which in range(2):
        d = system.depth_w if which == 0 else system.depth_c
        share = slope if which == 0 else slope * circuit.counter_per_working
        for j in range(d.n_nodes):
            work.border_v[FACTOR, (d.first + j) * N_NODE + SEI] = share * weight(d, j)


@compiled
def _chi_border(system: Resolved, e: Electrode, d: Depth, b: int, work: Work) -> None:
    p, n = system.pattern, len(work.varied)
    total = np.sum(work.strips_before[d.first : d.first + d.n_nodes])
    size = DIFFERENCE * max(total, 1.0)
    at = isolated_per_stripped(total, e.isolated_per_stripped, e.isolation_exponent)
    slope = (isolated_per_stripped(total + size, e.isolated_per_stripped, e.isolation_exponent) - at) / size
    for m in range(len(p.columns)):
        for r in range(p.starts[m], p.starts[m + 1]):
            node = p.rows[r] - n
            if d.first <= node < d.first + d.n_nodes:
                work.border_v[b, p.columns[m]] += slope * work.values[r]


@serves(duties.prepare, Resolved)
@compiled
def prepare(system: Resolved, h: float, work: Work) -> bool:
    """The band factorized, and the little matrix that the border leaves (Sherman, Morrison, Woodbury)."""
    p, n, middle = system.pattern, len(system.pattern.place), system.pattern.kl + system.pattern.ku
    work.band[:, :] = 0.0
    for m in range(len(p.columns)):
        work.band[m, middle] = 1.0 / (h * GAMMA)
        for r in range(p.starts[m], p.starts[m + 1]):
            row = p.rows[r]
            if row < n and p.place[row] >= 0:
                work.band[m, middle + p.place[row] - m] -= work.values[r]
    if not factorize_band(work.band, p.kl, p.ku, work.pivots):
        return False
    for b in range(N_COMMON):
        if work.bordered[b]:
            work.solved_u[b, :] = work.border_u[b]
            _solve_unbordered(system, h, work, work.solved_u[b])
    for a in range(N_COMMON):
        for b in range(N_COMMON):
            work.small[a, b] = 1.0 if a == b else 0.0
            if work.bordered[a] and work.bordered[b]:
                work.small[a, b] -= np.dot(work.border_v[a], work.solved_u[b])
    return factorize(work.small, work.small_pivots)


@compiled
def _solve_unbordered(system: Resolved, h: float, work: Work, right: NDArray[np.float64]) -> None:
    """As if all in common stood still: the band, then the totals that follow from it."""
    p, n = system.pattern, len(right)
    for m in range(len(p.columns)):
        work.few[m] = right[p.columns[m]]
    solve_band(work.band, p.kl, p.ku, work.pivots, work.few)
    for m in range(len(p.columns)):
        for r in range(p.starts[m], p.starts[m + 1]):
            row = p.rows[r]
            if row < n and p.place[row] < 0:
                right[row] += work.values[r] * work.few[m]
    for i in range(n):
        right[i] = right[i] * h * GAMMA if p.place[i] < 0 else work.few[p.place[i]]


@serves(duties.solve_stage, Resolved)
@compiled
def solve_stage(system: Resolved, h: float, work: Work, right: NDArray[np.float64]) -> None:
    """The bordered solution."""
    _solve_unbordered(system, h, work, right)
    for b in range(N_COMMON):
        work.share[b] = np.dot(work.border_v[b], right) if work.bordered[b] else 0.0
    solve(work.small, work.small_pivots, work.share)
    for b in range(N_COMMON):
        if work.bordered[b]:
            for i in range(len(right)):
                right[i] += work.solved_u[b, i] * work.share[b]
