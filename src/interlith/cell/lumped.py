"""The lumped cell: two electrodes, one potential each, pores and top kept apart; its right-hand side and its voltage.

State y: the account of account.py, SI, per geometric area of the electrode it belongs to.

With i the current that oxidizes an electrode, and its double layer C:

    C du/dt = i - strip + plate + conversion + alloying
    dq_active/dt = (1 - gamma) plate - (1 + chi) strip + k D        dD/dt = chi strip - k D        dS/dt = gamma plate

Bulk foil strips and is not isolated; what is plated lies in pores or on top. The voltage is algebraic:
V = u_w - u_c + R i + drops in the dead layers and the contact, so a held voltage gives the current and no constraint
is left.
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
    N_ACCOUNT,
    PASSED,
    PORES,
    POTENTIAL,
    REVIVED,
    SEI,
    SHORTED,
    TIME,
    TOP,
)
from interlith.cell.compiled import compiled
from interlith.cell.duties import HOLD_CURRENT, serves
from interlith.cell.mechanisms.conversion import alloying_A_per_m2, converting_A_per_m2
from interlith.cell.mechanisms.dead_layer import drop_V
from interlith.cell.mechanisms.filling import room_C_per_m2
from interlith.cell.mechanisms.film import through_film
from interlith.cell.mechanisms.isolation import isolated_per_stripped
from interlith.cell.mechanisms.kinetics import left, limited, one_sided
from interlith.cell.mechanisms.nucleation import barrier_V, beyond_barrier_V
from interlith.cell.mechanisms.revival import revived_A_per_m2
from interlith.cell.mechanisms.sei import growth_factor
from interlith.cell.mechanisms.soft_short import conductance_S_per_m2
from interlith.cell.rosenbrock import GAMMA, factorize, solve

NEWTON_STEPS = 30
DIFFERENCE = 1e-7
LEAST_GROWTH = 1e-6  # of SEI, over that with fresh additive; what is smaller is left out of a border
NEAR_V = 2e-5  # to 0: so near, a potential at rest is varied by as much, to the side on which it is resisted more


class Electrode(NamedTuple):
    """One electrode for the kernel: SI, per its geometric area. Areas in m2/m2."""

    area_pores: float
    area_top: float
    area_foil: float
    exchange_A_per_m2: float
    double_layer_F_per_m2: float
    pore_C_per_m2: float
    pore_edge_C_per_m2: float
    stretching: float
    wet_when_full: float
    fade_C_per_m2: float
    nucleation_V: float
    nucleation_C_per_m2: float
    sei_per_plated: float
    isolated_per_stripped: float
    isolation_exponent: float
    revival_pores_per_s: float
    revival_top_per_s: float
    oxide_C_per_m2: float
    conversion_V: float
    alloy_V: float
    reaction_s: float
    dead_ohm_m2_per_C: float
    dead_per_limit: float
    film_ohm_m2: float


class Circuit(NamedTuple):
    """What lies between the electrodes, for the kernel. Resistance in ohm m2 of the working electrode."""

    f_per_V: float
    resistance_ohm_m2: float
    contact_ohm_m2: float
    counter_per_working: float
    gradient_V: float
    inventory_C_per_m2: float
    sei_factor_at_end: float
    sei_width: float
    short_S_per_m2: float
    short_onset_C_per_m2: float
    short_scale_C_per_m2: float


class Lumped(NamedTuple):
    """A lumped cell for the integrator. active: the states on which any rate depends, int64[m]."""

    working: Electrode
    counter: Electrode
    circuit: Circuit
    active: NDArray[np.int64]


class Work(NamedTuple):
    """What the duties write in: the active states' columns of the Jacobian, their W and right side, varied rates."""

    jacobian: NDArray[np.float64]
    matrix: NDArray[np.float64]
    pivots: NDArray[np.int64]
    right: NDArray[np.float64]
    varied: NDArray[np.float64]


class Surface(NamedTuple):
    """How fast lithium is plated and stripped at one potential, A/m2 of the electrode's geometric area."""

    plate_pores: float
    plate_top: float
    strip_pores: float
    strip_top: float
    strip_foil: float


@compiled
def _stripped(area: float, stripping: float, held: float, fade: float) -> float:
    return area * stripping * left(held, fade) if area > 0.0 and stripping > 0.0 else 0.0


@compiled
def barrier_of(y: NDArray[np.float64], o: int, e: Electrode) -> float:
    """Extra voltage that plating needs on the electrode whose states begin at o."""
    return barrier_V(y[o + PORES] + y[o + TOP] + y[o + FOIL], e.nucleation_V, e.nucleation_C_per_m2)


@compiled
def surface(y: NDArray[np.float64], o: int, e: Electrode, f: float, exchange: float, barrier: float) -> Surface:
    """What happens on the surfaces of the electrode whose states begin at o."""
    u = y[o + POTENTIAL]
    drive = beyond_barrier_V(u, barrier)
    plating, stripping = one_sided(drive, f, exchange), limited(one_sided(u, f, exchange))
    if e.film_ohm_m2 > 0.0:
        plating, stripping = through_film(plating, drive, e.film_ohm_m2), through_film(stripping, u, e.film_ohm_m2)
    plate_pores = 0.0
    if e.area_pores > 0.0 and plating > 0.0:
        room = room_C_per_m2(y[o + PORES] + y[o + DEAD_PORES], e.pore_C_per_m2, e.stretching)
        plate_pores = e.area_pores * plating * left(room, e.pore_edge_C_per_m2)
    return Surface(
        plate_pores,
        e.area_top * plating,
        _stripped(e.area_pores, stripping, y[o + PORES], e.fade_C_per_m2),
        _stripped(e.area_top, stripping, y[o + TOP], e.fade_C_per_m2),
        _stripped(e.area_foil, stripping, y[o + FOIL], e.fade_C_per_m2),
    )


@compiled
def balance(
    y: NDArray[np.float64],
    o: int,
    e: Electrode,
    f: float,
    s: Surface,
    weight: float,
    oxidizing: float,
    chi: float,
    sei_factor: float,
    dy: NDArray[np.float64],
) -> None:
    """Rates of the states that begin at o, from the current that oxidizes them.

    weight: the share of the electrode's depth for which these states stand; top and foil belong to it whole. Currents
    and amounts are per geometric area, as if all of the depth were like this share.
    """
    u = y[o + POTENTIAL]
    gamma = min(e.sei_per_plated * sei_factor, 1.0)
    back_pores = revived_A_per_m2(y[o + DEAD_PORES], e.revival_pores_per_s)
    back_top = revived_A_per_m2(y[o + DEAD_TOP], e.revival_top_per_s)
    converting = alloying = 0.0
    if e.oxide_C_per_m2 > 0.0:
        converting = converting_A_per_m2(u, y[o + CONVERTED], e.oxide_C_per_m2, e.conversion_V, e.reaction_s, f)
        alloying = alloying_A_per_m2(u, y[o + ALLOYED], y[o + CONVERTED], e.alloy_V, e.reaction_s, f)
    dy[o + PORES] = (1.0 - gamma) * s.plate_pores - (1.0 + chi) * s.strip_pores + back_pores
    dy[o + TOP] = (1.0 - gamma) * s.plate_top - (1.0 + chi) * s.strip_top + back_top
    dy[o + FOIL] = -s.strip_foil
    dy[o + DEAD_PORES] = chi * s.strip_pores - back_pores
    dy[o + DEAD_TOP] = chi * s.strip_top - back_top
    dy[o + SEI] = gamma * (s.plate_pores + s.plate_top / weight)
    dy[o + CONVERTED] = converting
    dy[o + ALLOYED] = alloying
    outer = (s.strip_top + s.strip_foil - s.plate_top) / weight
    net = s.strip_pores - s.plate_pores - converting - alloying + outer
    dy[o + POTENTIAL] = (oxidizing - net) / e.double_layer_F_per_m2
    dy[o + REVIVED] = back_pores + back_top / weight


@compiled
def electrode_rates(
    y: NDArray[np.float64],
    o: int,
    e: Electrode,
    f: float,
    exchange: float,
    oxidizing: float,
    sei_factor: float,
    dy: NDArray[np.float64],
) -> None:
    """Rates of a lumped electrode whose states begin at o."""
    s = surface(y, o, e, f, exchange, barrier_of(y, o, e))
    chi = isolated_per_stripped(s.strip_pores + s.strip_top, e.isolated_per_stripped, e.isolation_exponent)
    balance(y, o, e, f, s, 1.0, oxidizing, chi, sei_factor, dy)


@compiled
def difference_V(y: NDArray[np.float64], o: int, e: Electrode, f: float, exchange: float, least: float) -> float:
    """How far the potential of the electrode that begins at o is varied for a Jacobian.

    Kinetics are one-sided, with a kink at 0: full pores take no lithium but give it, and may strip a hundred times as
    easily as they plate. A cell at rest lies in that kink, and the slope of the gentle side alone makes steps unstable.
    For an electrode without current: a current, however small, keeps u on the side that it drives to.
    """
    u = y[o + POTENTIAL]
    if abs(u) > NEAR_V:
        return DIFFERENCE * max(abs(u), least)
    barrier = barrier_of(y, o, e)
    y[o + POTENTIAL] = NEAR_V
    up = surface(y, o, e, f, exchange, barrier)
    y[o + POTENTIAL] = -NEAR_V
    down = surface(y, o, e, f, exchange, barrier)
    y[o + POTENTIAL] = u
    strips = up.strip_pores + up.strip_top + up.strip_foil
    return NEAR_V if strips > down.plate_pores + down.plate_top else -NEAR_V


class Ends(NamedTuple):
    """What the terminals see of a cell: open-circuit voltage, resistance of the electrolyte, dead lithium on both tops,
    how much scarcer salt is before them than as filled in, lithium on top."""

    open_V: float
    resistance_ohm_m2: float
    dead_w: float
    dead_c: float
    scarcer_w: float
    scarcer_c: float
    top: float


@compiled
def _between(i: float, ends: Ends, w: Electrode, c: Electrode, circuit: Circuit) -> float:
    """Voltage between the electrodes at a current through the electrolyte; it only ever grows with the current."""
    found = ends.open_V + i * ends.resistance_ohm_m2
    if ends.dead_w > 0.0:
        found += drop_V(i, ends.dead_w, w.dead_ohm_m2_per_C, w.dead_per_limit * ends.scarcer_w, circuit.gradient_V)
    if ends.dead_c > 0.0:
        at_counter, per_limit = -i / circuit.counter_per_working, c.dead_per_limit * ends.scarcer_c
        found -= drop_V(at_counter, ends.dead_c, c.dead_ohm_m2_per_C, per_limit, circuit.gradient_V)
    return found


@compiled
def held_or_found(
    ends: Ends, time: float, w: Electrode, c: Electrode, circuit: Circuit, control: NDArray[np.float64]
) -> tuple[float, float, float]:
    """Voltage, current at the terminals and current through the electrolyte, A/m2 of the working electrode.

    A short lies between the electrodes, the contact's resistance outside of it.
    """
    leak = conductance_S_per_m2(
        ends.top, circuit.short_S_per_m2, circuit.short_onset_C_per_m2, circuit.short_scale_C_per_m2
    )
    held = control[1] + control[2] * (time - control[3])
    # inside follows from a (voltage between) + b (current inside) = held
    a, b = leak, 1.0
    if control[0] != HOLD_CURRENT:
        a, b = 1.0 + circuit.contact_ohm_m2 * leak, circuit.contact_ohm_m2
    inside = (held - a * ends.open_V) / (a * ends.resistance_ohm_m2 + b)
    if a > 0.0 and (ends.dead_w > 0.0 or ends.dead_c > 0.0):
        low, high = min(inside, 0.0), max(inside, 0.0)
        if control[0] == HOLD_CURRENT:
            low, high = min(inside, held) - abs(held), max(inside, held) + abs(held)
        for _ in range(NEWTON_STEPS):
            off = a * _between(inside, ends, w, c, circuit) + b * inside - held
            if off > 0.0:
                high = inside
            else:
                low = inside
            size = 1e-6 * max(abs(inside), 1e-6)
            further = a * _between(inside + size, ends, w, c, circuit) + b * (inside + size) - held
            trial = inside - off * size / (further - off)
            if not low < trial < high:
                trial = 0.5 * (low + high)
            if abs(trial - inside) <= 1e-12 * max(abs(inside), 1e-6):
                break
            inside = trial
    between = _between(inside, ends, w, c, circuit)
    outside = held if control[0] == HOLD_CURRENT else inside + leak * between
    volt = between + circuit.contact_ohm_m2 * outside if control[0] == HOLD_CURRENT else held
    return volt, outside, inside


@serves(duties.terminals, Lumped)
@compiled
def terminals(y: NDArray[np.float64], system: Lumped, control: NDArray[np.float64]) -> tuple[float, float, float]:
    """Voltage, current at the terminals and current through the electrolyte."""
    circuit = system.circuit
    ends = Ends(
        y[POTENTIAL] - y[COUNTER + POTENTIAL],
        circuit.resistance_ohm_m2,
        y[DEAD_TOP],
        y[COUNTER + DEAD_TOP],
        1.0,
        1.0,
        y[TOP] + y[COUNTER + TOP] * circuit.counter_per_working,
    )
    return held_or_found(ends, y[TIME], system.working, system.counter, circuit, control)


@compiled
def sei_factor(sei_w: float, sei_c: float, circuit: Circuit) -> float:
    """How many times faster SEI grows than with fresh additive, by the SEI of both electrodes."""
    if circuit.inventory_C_per_m2 == 0.0:
        return 1.0
    used = (sei_w + sei_c * circuit.counter_per_working) / circuit.inventory_C_per_m2
    return growth_factor(used, circuit.sei_factor_at_end, circuit.sei_width)


@serves(duties.rates, Lumped)
@compiled
def rates(
    y: NDArray[np.float64], system: Lumped, control: NDArray[np.float64], work: Work, dy: NDArray[np.float64]
) -> None:
    """dy/dt of the whole cell."""
    circuit = system.circuit
    _, outside, inside = terminals(y, system, control)
    factor = sei_factor(y[SEI], y[COUNTER + SEI], circuit)
    w, c = system.working, system.counter
    electrode_rates(y, 0, w, circuit.f_per_V, w.exchange_A_per_m2, inside, factor, dy)
    at_counter = -inside / circuit.counter_per_working
    electrode_rates(y, COUNTER, c, circuit.f_per_V, c.exchange_A_per_m2, at_counter, factor, dy)
    dy[PASSED] = outside
    dy[SHORTED] = outside - inside
    dy[TIME] = 1.0
    dy[CARRIED] = abs(outside - inside)


@serves(duties.workspace, Lumped)
@compiled
def workspace(system: Lumped) -> Work:
    """Arrays for one step of the protocol."""
    m = len(system.active)
    jacobian, matrix = np.empty((N_ACCOUNT, m)), np.empty((m, m))
    return Work(jacobian, matrix, np.empty(m, np.int64), np.empty(m), np.empty(N_ACCOUNT))


@serves(duties.linearize, Lumped)
@compiled
def linearize(
    y: NDArray[np.float64],
    system: Lumped,
    control: NDArray[np.float64],
    scale: NDArray[np.float64],
    dy: NDArray[np.float64],
    work: Work,
) -> None:
    """The Jacobian by forward differences, for the active states only: all other columns are zero.

    At a constant current without a short the electrodes know each other by the additive alone: one is evaluated then.
    """
    circuit, varied, jacobian = system.circuit, work.varied, work.jacobian
    apart = control[0] == HOLD_CURRENT and circuit.short_S_per_m2 == 0.0
    factor = sei_factor(y[SEI], y[COUNTER + SEI], circuit)
    held = control[1] + control[2] * (y[TIME] - control[3])
    jacobian[:, :] = 0.0
    for place, k in enumerate(system.active):
        kept, size = y[k], DIFFERENCE * max(abs(y[k]), scale[k])
        if control[0] == HOLD_CURRENT and held == 0.0 and k in (POTENTIAL, COUNTER + POTENTIAL):
            part = system.working if k < COUNTER else system.counter
            size = difference_V(y, k - POTENTIAL, part, circuit.f_per_V, part.exchange_A_per_m2, scale[k])
        y[k] = kept + size
        size = y[k] - kept
        first, last = 0, N_ACCOUNT
        if apart and k < PASSED and k not in (SEI, COUNTER + SEI):
            first = 0 if k < COUNTER else COUNTER
            last = first + COUNTER
            inside = held if first == 0 else -held / circuit.counter_per_working
            part = system.working if first == 0 else system.counter
            electrode_rates(y, first, part, circuit.f_per_V, part.exchange_A_per_m2, inside, factor, varied)
        else:
            rates(y, system, control, work, varied)
        y[k] = kept
        for i in range(first, last):
            jacobian[i, place] = (varied[i] - dy[i]) / size


@compiled
def factorize_active(
    jacobian: NDArray[np.float64],
    active: NDArray[np.int64],
    diagonal: float,
    matrix: NDArray[np.float64],
    pivots: NDArray[np.int64],
) -> bool:
    """W of the active states, factorized. jacobian: float64[state, active]; diagonal: 1 / (h gamma)."""
    for i in range(len(active)):
        for j in range(len(active)):
            matrix[i, j] = -jacobian[active[i], j]
        matrix[i, i] += diagonal
    return factorize(matrix, pivots)


@compiled
def solve_active(
    jacobian: NDArray[np.float64],
    active: NDArray[np.int64],
    diagonal: float,
    matrix: NDArray[np.float64],
    pivots: NDArray[np.int64],
    few: NDArray[np.float64],
    right: NDArray[np.float64],
) -> None:
    """Only the active states are coupled; the others follow from them, since their columns of the Jacobian are zero."""
    for m in range(len(active)):
        few[m] = right[active[m]]
    solve(matrix, pivots, few)
    for i in range(jacobian.shape[0]):
        coupled = right[i]
        for m in range(len(active)):
            coupled += jacobian[i, m] * few[m]
        right[i] = coupled / diagonal


@serves(duties.prepare, Lumped)
@compiled
def prepare(system: Lumped, h: float, work: Work) -> bool:
    """W of the active states, factorized."""
    return factorize_active(work.jacobian, system.active, 1.0 / (h * GAMMA), work.matrix, work.pivots)


@serves(duties.solve_stage, Lumped)
@compiled
def solve_stage(system: Lumped, h: float, work: Work, right: NDArray[np.float64]) -> None:
    """W^-1 right."""
    diagonal = 1.0 / (h * GAMMA)
    solve_active(work.jacobian, system.active, diagonal, work.matrix, work.pivots, work.right, right)


@serves(duties.account, Lumped)
@compiled
def account(y: NDArray[np.float64], system: Lumped, row: NDArray[np.float64]) -> None:
    """The state is the account."""
    row[:] = y
