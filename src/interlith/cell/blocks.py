"""The Jacobian of a full cell: three blocks that know each other by what is common alone (cell/woodbury.py).

The working electrode is a small full matrix, the positive with its shells and the salt are tridiagonal. All by forward
differences, each column whole from one difference, so J conserves what the rates conserve.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from interlith.cell import duties
from interlith.cell.account import N_ELECTRODE, POTENTIAL, SEI
from interlith.cell.compiled import compiled
from interlith.cell.duties import HOLD_CURRENT, serves
from interlith.cell.full import (
    FACTOR,
    IN_HOST,
    IN_POSITIVE,
    INSIDE,
    LEAK,
    N_COMMON,
    SALT_P,
    SALT_W,
    SURFACE,
    THROUGH,
    U_P,
    WET,
    Full,
    common_of,
    particle_rates,
    rates_given,
    salt_of,
    salt_rates,
    stranded_of,
    terminals,
    working_exchange,
    working_rates,
)
from interlith.cell.lumped import DIFFERENCE, LEAST_GROWTH, difference_V, factorize_active, sei_factor, solve_active
from interlith.cell.mechanisms.active_loss import connected, stranding_per_s
from interlith.cell.mechanisms.dry_out import wet_share
from interlith.cell.rosenbrock import GAMMA
from interlith.cell.woodbury import factorize_plain, prepare, solve_plain, solve_stage

POTENTIAL_V = 1e-5  # by which a potential is varied for the current of a held voltage, in which it enters linearly


# Rows of a tridiagonal block: of J below, at and above the diagonal, and what elimination leaves of W
LOWER, MIDDLE, UPPER, ELIMINATED, PIVOT = range(5)


class Work(NamedTuple):
    """What the duties write in."""

    common: NDArray[np.float64]
    varied_common: NDArray[np.float64]
    varied: NDArray[np.float64]
    jacobian: NDArray[np.float64]  # of the working electrode: [state, active]
    matrix: NDArray[np.float64]
    pivots: NDArray[np.int64]
    few: NDArray[np.float64]
    particle: NDArray[np.float64]  # [5, row], tridiagonal
    salt: NDArray[np.float64]
    stranding: NDArray[np.float64]  # [1], 1/s
    border_u: NDArray[np.float64]
    border_v: NDArray[np.float64]
    solved_u: NDArray[np.float64]
    bordered: NDArray[np.bool_]
    small: NDArray[np.float64]
    small_pivots: NDArray[np.int64]
    share: NDArray[np.float64]


@serves(duties.workspace, Full)
@compiled
def workspace(system: Full) -> Work:
    """Arrays for one step of the protocol."""
    m, n_salt = len(system.active), system.layers.shape[1]
    n = salt_of(system) + n_salt + 4
    return Work(
        common=np.zeros(N_COMMON),
        varied_common=np.zeros(N_COMMON),
        varied=np.zeros(n),
        jacobian=np.zeros((N_ELECTRODE, m)),
        matrix=np.zeros((m, m)),
        pivots=np.zeros(m, np.int64),
        few=np.zeros(m),
        particle=np.zeros((5, system.shells.shape[1] + 1)),
        salt=np.zeros((5, n_salt)),
        stranding=np.zeros(1),
        border_u=np.zeros((N_COMMON, n)),
        border_v=np.zeros((N_COMMON, n)),
        solved_u=np.zeros((N_COMMON, n)),
        bordered=np.zeros(N_COMMON, np.bool_),
        small=np.zeros((N_COMMON, N_COMMON)),
        small_pivots=np.zeros(N_COMMON, np.int64),
        share=np.zeros(N_COMMON),
    )


@serves(duties.rates, Full)
@compiled
def rates(
    y: NDArray[np.float64], system: Full, control: NDArray[np.float64], work: Work, dy: NDArray[np.float64]
) -> None:
    """dy/dt of the whole cell."""
    common_of(y, system, control, work.common)
    rates_given(y, system, work.common, dy)


@serves(duties.linearize, Full)
@compiled
def linearize(
    y: NDArray[np.float64],
    system: Full,
    control: NDArray[np.float64],
    scale: NDArray[np.float64],
    dy: NDArray[np.float64],
    work: Work,
) -> None:
    """The Jacobian in blocks with all in common held, and what goes through the common."""
    common_of(y, system, control, work.common)
    for place, k in enumerate(system.active):
        kept, size = y[k], DIFFERENCE * max(abs(y[k]), scale[k])
        if k == POTENTIAL and work.common[INSIDE] == 0.0:
            exchange = working_exchange(system, work.common)
            size = difference_V(y, 0, system.working, system.circuit.f_per_V, exchange, scale[k])
        y[k] = kept + size
        size = y[k] - kept
        working_rates(y, system, work.common, work.varied)
        y[k] = kept
        for i in range(N_ELECTRODE):
            work.jacobian[i, place] = (work.varied[i] - dy[i]) / size
    for which in range(2):
        block, first = (work.particle, U_P) if which == 0 else (work.salt, salt_of(system))
        for color in range(3):
            _vary(y, system, which, block, first, color, scale, dy, work)
    left = connected(work.common[THROUGH], system.counter.loss_per_C)
    work.stranding[0] = stranding_per_s(work.common[INSIDE], system.counter.loss_per_C, left)
    _border(y, system, control, scale, dy, work)


@compiled
def _vary(
    y: NDArray[np.float64],
    system: Full,
    which: int,
    block: NDArray[np.float64],
    first: int,
    color: int,
    scale: NDArray[np.float64],
    dy: NDArray[np.float64],
    work: Work,
) -> None:
    """Every third column of a tridiagonal block from one difference."""
    m, kept, varied = block.shape[1], block[ELIMINATED], work.varied
    for k in range(color, m, 3):
        i = first + k
        kept[k] = y[i]
        y[i] += DIFFERENCE * max(abs(y[i]), scale[i])
    if which == 0:
        particle_rates(y, system, work.common, varied)
    else:
        salt_rates(y, system, work.common, varied)
    for k in range(color, m, 3):
        i = first + k
        size = y[i] - kept[k]
        y[i] = kept[k]
        block[MIDDLE, k] = (varied[i] - dy[i]) / size
        if k > 0:
            block[UPPER, k - 1] = (varied[i - 1] - dy[i - 1]) / size
        if k < m - 1:
            block[LOWER, k] = (varied[i + 1] - dy[i + 1]) / size


@compiled
def _border(
    y: NDArray[np.float64],
    system: Full,
    control: NDArray[np.float64],
    scale: NDArray[np.float64],
    dy: NDArray[np.float64],
    work: Work,
) -> None:
    """d rates / d common, and d common / d state."""
    common, circuit, p, layers = work.common, system.circuit, system.counter, system.layers
    first, through = salt_of(system), stranded_of(system) + 1
    shorted = circuit.short_S_per_m2 > 0.0
    work.bordered[INSIDE] = control[0] != HOLD_CURRENT or shorted
    work.bordered[LEAK] = shorted
    work.bordered[FACTOR] = abs(common[FACTOR] - 1.0) > LEAST_GROWTH
    work.bordered[SALT_W] = work.bordered[SALT_P] = True
    work.bordered[THROUGH] = p.loss_per_C > 0.0
    work.bordered[WET] = p.dry_per_C > 0.0
    for b in range(N_COMMON):
        if not work.bordered[b]:
            continue
        work.varied_common[:] = common
        away = DIFFERENCE * max(abs(common[b]), 1.0)
        work.varied_common[b] = common[b] + away if common[b] >= 0.0 and b != WET else common[b] - away
        size = work.varied_common[b] - common[b]
        rates_given(y, system, work.varied_common, work.varied)
        for i in range(len(y)):
            work.border_u[b, i] = (work.varied[i] - dy[i]) / size
        work.border_v[b, :] = 0.0
    for k in range(layers.shape[1]):
        work.border_v[SALT_W, first + k] = layers[IN_HOST, k]
        work.border_v[SALT_P, first + k] = layers[IN_POSITIVE, k]
    work.border_v[THROUGH, through] = 1.0
    size = DIFFERENCE * max(y[SEI], circuit.inventory_C_per_m2, 1.0)
    if work.bordered[FACTOR]:
        work.border_v[FACTOR, SEI] = (sei_factor(y[SEI] + size, 0.0, circuit) - common[FACTOR]) / size
    if work.bordered[WET]:
        work.border_v[WET, SEI] = (wet_share(y[SEI] + size, p.filled, p.dry_per_C) - common[WET]) / size
    if work.bordered[INSIDE]:
        for k in system.watched:
            kept = y[k]
            least = POTENTIAL_V / DIFFERENCE if k in (POTENTIAL, U_P) else scale[k]
            y[k] = kept + DIFFERENCE * max(abs(kept), least)
            size = y[k] - kept
            _, outside, inside = terminals(y, system, control)
            y[k] = kept
            work.border_v[INSIDE, k] = (inside - common[INSIDE]) / size
            work.border_v[LEAK, k] = (outside - inside - common[LEAK]) / size


@compiled
def _eliminate(t: NDArray[np.float64], diagonal: float) -> bool:
    """W = diagonal - J factorized; rows are dominated by their diagonal, so none are exchanged."""
    for k in range(t.shape[1]):
        t[PIVOT, k] = diagonal - t[MIDDLE, k]
        if k > 0:
            t[ELIMINATED, k] = t[LOWER, k - 1] / t[PIVOT, k - 1]  # both of W's entries beside the diagonal are -J
            t[PIVOT, k] -= t[ELIMINATED, k] * t[UPPER, k - 1]
        if not abs(t[PIVOT, k]) > 0.0 or not np.isfinite(t[PIVOT, k]):
            return False
    return True


@compiled
def _substitute(t: NDArray[np.float64], right: NDArray[np.float64], first: int) -> None:
    m = t.shape[1]
    for k in range(1, m):
        right[first + k] += t[ELIMINATED, k] * right[first + k - 1]
    right[first + m - 1] /= t[PIVOT, m - 1]
    for k in range(m - 2, -1, -1):
        right[first + k] = (right[first + k] + t[UPPER, k] * right[first + k + 1]) / t[PIVOT, k]


@serves(factorize_plain, Full)
@compiled
def factorize_blocks(system: Full, h: float, work: Work) -> bool:
    """W of the three blocks."""
    diagonal = 1.0 / (h * GAMMA)
    if not factorize_active(work.jacobian, system.active, diagonal, work.matrix, work.pivots):
        return False
    return _eliminate(work.particle, diagonal) and _eliminate(work.salt, diagonal)


@serves(solve_plain, Full)
@compiled
def solve_blocks(system: Full, h: float, work: Work, right: NDArray[np.float64]) -> None:
    """The blocks, then what follows from them."""
    diagonal = 1.0 / (h * GAMMA)
    solve_active(work.jacobian, system.active, diagonal, work.matrix, work.pivots, work.few, right)
    _substitute(work.particle, right, U_P)
    stranded = stranded_of(system)
    for k in range(SURFACE, stranded):
        right[stranded] += work.stranding[0] * right[k]
    right[stranded] /= diagonal
    right[stranded + 1] /= diagonal
    _substitute(work.salt, right, salt_of(system))
    for k in range(duties.PASSED, 0):
        right[k] /= diagonal


serves(duties.prepare, Full)(prepare)
serves(duties.solve_stage, Full)(solve_stage)
