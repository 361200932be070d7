"""The Jacobian of a resolved cell: a band, and a border for what all nodes know in common (cell/woodbury.py).

The band B is made by forward differences, columns that touch no common row at once; only states on which a rate depends
stand in the band, the others (totals) follow from them. Each column is made whole from one difference, so J conserves
what the rates conserve, to rounding.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from interlith.cell import duties
from interlith.cell.account import FOIL, PORES, SEI, TOP
from interlith.cell.banded import factorize_band, solve_band
from interlith.cell.compiled import compiled
from interlith.cell.duties import HOLD_CURRENT, serves
from interlith.cell.lumped import DIFFERENCE, LEAST_GROWTH, Electrode, sei_factor
from interlith.cell.mechanisms.isolation import isolated_per_stripped
from interlith.cell.mechanisms.nucleation import barrier_V
from interlith.cell.resolved import (
    BARRIER_C,
    BARRIER_W,
    CHI_C,
    CHI_W,
    FACTOR,
    INSIDE,
    LEAK,
    N_COMMON,
    N_LOCAL,
    N_NODE,
    Depth,
    Resolved,
    Work,
    common_of,
    fresh_C_per_m2,
    front_of,
    over_depth,
    rates_given,
    survey_all,
    terminals,
    weight,
)
from interlith.cell.rosenbrock import GAMMA
from interlith.cell.woodbury import factorize_plain, prepare, solve_plain, solve_stage

LEAST_BARRIER_V = 1e-9  # what is smaller is left out of the Jacobian
BORDER_DIFFERENCE = 1e-3  # of what enters linearly: any size is exact, and a large one rounds least


@serves(duties.workspace, Resolved)
@compiled
def workspace(system: Resolved) -> Work:
    """Arrays for one step of the protocol."""
    p = system.pattern
    n, m, n_nodes = len(p.place), len(p.columns), system.depth_w.n_nodes + system.depth_c.n_nodes
    return Work(
        local=np.zeros((n_nodes, N_LOCAL)),
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
    p, n, values, varied, strips, kept = system.pattern, len(y), work.values, work.varied, work.strips, work.few
    common_of(y, system, control, work.local, strips, work.common)
    work.strips_before[:] = strips
    for color in range(len(p.color_starts) - 1):
        first, last = p.color_starts[color], p.color_starts[color + 1]
        for place in range(first, last):
            m = p.color_columns[place]
            k = p.columns[m]
            kept[m] = y[k]
            y[k] += DIFFERENCE * max(abs(y[k]), scale[k])
        survey_all(y, system, work.common, work.local, strips)
        rates_given(y, system, work.common, work.local, strips, varied)
        for place in range(first, last):
            m = p.color_columns[place]
            k = p.columns[m]
            per_size = 1.0 / (y[k] - kept[m])
            y[k] = kept[m]
            for r in range(p.starts[m], p.starts[m + 1]):
                row = p.rows[r]
                moved = varied[row] - dy[row] if row < n else strips[row - n] - work.strips_before[row - n]
                values[r] = moved * per_size
    survey_all(y, system, work.common, work.local, strips)
    _border(y, system, control, scale, dy, work)


@compiled
def _chi_is_common(e: Electrode, d: Depth) -> bool:
    return d.n_nodes > 1 and e.isolated_per_stripped > 0.0 and e.isolation_exponent > 0.0


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
    work.bordered[INSIDE] = currents
    work.bordered[LEAK] = circuit.short_S_per_m2 > 0.0
    work.bordered[FACTOR] = abs(common[FACTOR] - 1.0) > LEAST_GROWTH
    work.bordered[CHI_W] = _chi_is_common(w, system.depth_w)
    work.bordered[CHI_C] = _chi_is_common(c, system.depth_c)
    work.bordered[BARRIER_W] = system.depth_w.n_nodes > 1 and common[BARRIER_W] > LEAST_BARRIER_V
    work.bordered[BARRIER_C] = system.depth_c.n_nodes > 1 and common[BARRIER_C] > LEAST_BARRIER_V
    for b in range(N_COMMON):
        if work.bordered[b]:
            work.varied_common[:] = common
            surveyed = b in (BARRIER_W, BARRIER_C)
            step = DIFFERENCE if surveyed else BORDER_DIFFERENCE
            away = step * max(abs(common[b]), 1.0)  # from 0, where the leak's absolute value has a kink
            work.varied_common[b] = common[b] + away if common[b] >= 0.0 else common[b] - away
            size = work.varied_common[b] - common[b]
            if surveyed:
                survey_all(y, system, work.varied_common, work.local, work.strips)
            rates_given(y, system, work.varied_common, work.local, work.strips, work.varied)
            if surveyed:
                survey_all(y, system, common, work.local, work.strips)
            for i in range(len(y)):
                work.border_u[b, i] = (work.varied[i] - dy[i]) / size
            work.border_v[b, :] = 0.0
    if currents:
        _current_border(y, system, control, scale, work)
    if work.bordered[FACTOR]:
        _factor_border(y, system, work)
    if work.bordered[BARRIER_W]:
        _barrier_border(y, w, system.depth_w, BARRIER_W, work)
    if work.bordered[BARRIER_C]:
        _barrier_border(y, c, system.depth_c, BARRIER_C, work)
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
        work.border_v[LEAK, k] = (outside - inside - work.common[LEAK]) / size


@compiled
def _factor_border(y: NDArray[np.float64], system: Resolved, work: Work) -> None:
    circuit = system.circuit
    sei_w, sei_c = over_depth(y, system.depth_w, SEI), over_depth(y, system.depth_c, SEI)
    size = DIFFERENCE * max(sei_w, circuit.inventory_C_per_m2)
    slope = (sei_factor(sei_w + size, sei_c, circuit) - sei_factor(sei_w, sei_c, circuit)) / size
    for which in range(2):
        d = system.depth_w if which == 0 else system.depth_c
        share = slope if which == 0 else slope * circuit.counter_per_working
        for j in range(d.n_nodes):
            work.border_v[FACTOR, (d.first + j) * N_NODE + SEI] = share * weight(d.n_nodes, j)


@compiled
def _barrier_border(y: NDArray[np.float64], e: Electrode, d: Depth, b: int, work: Work) -> None:
    fresh = fresh_C_per_m2(y, d)
    size = DIFFERENCE * max(fresh, e.nucleation_C_per_m2)
    higher = barrier_V(fresh + size, e.nucleation_V, e.nucleation_C_per_m2)
    slope = (higher - barrier_V(fresh, e.nucleation_V, e.nucleation_C_per_m2)) / size
    for j in range(d.n_nodes):
        work.border_v[b, (d.first + j) * N_NODE + PORES] = slope * weight(d.n_nodes, j)
    work.border_v[b, front_of(d) + TOP] = work.border_v[b, d.first * N_NODE + FOIL] = slope


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


@serves(factorize_plain, Resolved)
@compiled
def factorize(system: Resolved, h: float, work: Work) -> bool:
    """The band of I / (h gamma) - B."""
    p, middle = system.pattern, system.pattern.kl + system.pattern.ku
    work.band[:, :] = 0.0
    for m in range(len(p.columns)):
        work.band[m, middle] = 1.0 / (h * GAMMA)
    for r in p.banded:
        m = p.column_of[r]
        work.band[m, middle + p.place[p.rows[r]] - m] -= work.values[r]
    return factorize_band(work.band, p.kl, p.ku, work.pivots)


@serves(solve_plain, Resolved)
@compiled
def solve(system: Resolved, h: float, work: Work, right: NDArray[np.float64]) -> None:
    """The band, then the totals that follow from it."""
    p, few = system.pattern, work.few
    for m in range(len(p.columns)):
        few[m] = right[p.columns[m]]
    solve_band(work.band, p.kl, p.ku, work.pivots, few)
    for r in p.following:
        right[p.rows[r]] += work.values[r] * few[p.column_of[r]]
    for i in p.others:
        right[i] *= h * GAMMA
    for m in range(len(p.columns)):
        right[p.columns[m]] = few[m]


serves(duties.prepare, Resolved)(prepare)
serves(duties.solve_stage, Resolved)(solve_stage)
