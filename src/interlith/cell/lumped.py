"""The lumped cell: two electrodes, one potential each, pores and top kept apart; its right-hand side and its voltage.

State y, SI, per geometric area of the electrode it belongs to:

    0..9    working electrode      active in pores, active on top, active in foil, dead in pores, dead on top, SEI,
    10..19  counter electrode      converted, alloyed (C/m2 of lithium each), u (V against the electrolyte), revived
    20 charge passed, 21 charge through a short (C/m2 of the working electrode), 22 time (s), 23 what the short carried,
    both directions added

With i the current that oxidizes an electrode, and its double layer C:

    C du/dt = i - strip + plate + conversion + alloying
    dq_active/dt = (1 - gamma) plate - (1 + chi) strip + k D        dD/dt = chi strip - k D        dS/dt = gamma plate

Bulk foil strips and is not isolated; what is plated lies in pores or on top. The voltage is algebraic:
V = u_w - u_c + R i + drops in the dead layers, so a held voltage gives the current and no constraint is left.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from interlith.cell.compiled import compiled
from interlith.cell.mechanisms.conversion import alloying_A_per_m2, converting_A_per_m2
from interlith.cell.mechanisms.dead_layer import drop_V
from interlith.cell.mechanisms.isolation import isolated_per_stripped
from interlith.cell.mechanisms.kinetics import left, limited, one_sided
from interlith.cell.mechanisms.nucleation import barrier_V
from interlith.cell.mechanisms.revival import revived_A_per_m2
from interlith.cell.mechanisms.sei import growth_factor
from interlith.cell.mechanisms.soft_short import conductance_S_per_m2

PORES, TOP, FOIL, DEAD_PORES, DEAD_TOP, SEI, CONVERTED, ALLOYED, POTENTIAL, REVIVED = range(10)
N_ELECTRODE = 10
COUNTER = N_ELECTRODE
PASSED, SHORTED, TIME, CARRIED = 20, 21, 22, 23
N_STATES = 24
HOLD_CURRENT, HOLD_VOLTAGE = 0, 1
NEWTON_STEPS = 30


class Electrode(NamedTuple):
    """One electrode for the kernel: SI, per its geometric area. Areas in m2/m2."""

    area_pores: float
    area_top: float
    area_foil: float
    exchange_A_per_m2: float
    double_layer_F_per_m2: float
    pore_C_per_m2: float
    pore_edge_C_per_m2: float
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


class Circuit(NamedTuple):
    """What lies between the electrodes, for the kernel. Resistance in ohm m2 of the working electrode."""

    f_per_V: float
    resistance_ohm_m2: float
    counter_per_working: float
    gradient_V: float
    inventory_C_per_m2: float
    sei_factor_at_end: float
    sei_width: float
    short_S_per_m2: float
    short_onset_C_per_m2: float
    short_scale_C_per_m2: float


@compiled
def electrode_rates(
    y: NDArray[np.float64],
    o: int,
    e: Electrode,
    f: float,
    oxidizing: float,
    sei_factor: float,
    dy: NDArray[np.float64],
) -> None:
    """Rates of the electrode whose states begin at o, from the current that oxidizes it."""
    u = y[o + POTENTIAL]
    j = e.exchange_A_per_m2
    fresh = y[o + PORES] + y[o + TOP]
    barrier = barrier_V(fresh + y[o + FOIL], e.nucleation_V, e.nucleation_C_per_m2)
    plating, stripping = one_sided(-u - barrier, f, j), limited(one_sided(u, f, j))
    room = e.pore_C_per_m2 - y[o + PORES] - y[o + DEAD_PORES]
    plate_pores = e.area_pores * plating * left(room, e.pore_edge_C_per_m2)
    plate_top = e.area_top * plating
    strip_pores = e.area_pores * stripping * left(y[o + PORES], e.fade_C_per_m2)
    strip_top = e.area_top * stripping * left(y[o + TOP], e.fade_C_per_m2)
    strip_foil = e.area_foil * stripping * left(y[o + FOIL], e.fade_C_per_m2)
    chi = isolated_per_stripped(strip_pores + strip_top, e.isolated_per_stripped, e.isolation_exponent)
    gamma = min(e.sei_per_plated * sei_factor, 1.0)
    back_pores = revived_A_per_m2(y[o + DEAD_PORES], e.revival_pores_per_s)
    back_top = revived_A_per_m2(y[o + DEAD_TOP], e.revival_top_per_s)
    converting = alloying = 0.0
    if e.oxide_C_per_m2 > 0.0:
        converting = converting_A_per_m2(u, y[o + CONVERTED], e.oxide_C_per_m2, e.conversion_V, e.reaction_s, f)
        alloying = alloying_A_per_m2(u, y[o + ALLOYED], y[o + CONVERTED], e.alloy_V, e.reaction_s, f)
    dy[o + PORES] = (1.0 - gamma) * plate_pores - (1.0 + chi) * strip_pores + back_pores
    dy[o + TOP] = (1.0 - gamma) * plate_top - (1.0 + chi) * strip_top + back_top
    dy[o + FOIL] = -strip_foil
    dy[o + DEAD_PORES] = chi * strip_pores - back_pores
    dy[o + DEAD_TOP] = chi * strip_top - back_top
    dy[o + SEI] = gamma * (plate_pores + plate_top)
    dy[o + CONVERTED] = converting
    dy[o + ALLOYED] = alloying
    net = strip_pores + strip_top + strip_foil - plate_pores - plate_top - converting - alloying
    dy[o + POTENTIAL] = (oxidizing - net) / e.double_layer_F_per_m2
    dy[o + REVIVED] = back_pores + back_top


@compiled
def _drops(i: float, y: NDArray[np.float64], w: Electrode, c: Electrode, circuit: Circuit) -> float:
    """Voltage lost to a current through the electrolyte and both dead layers, with the current's sign."""
    drop = i * circuit.resistance_ohm_m2
    drop += drop_V(i, y[DEAD_TOP], w.dead_ohm_m2_per_C, w.dead_per_limit, circuit.gradient_V)
    at_counter = i / circuit.counter_per_working
    dead = y[COUNTER + DEAD_TOP]
    return drop + drop_V(at_counter, dead, c.dead_ohm_m2_per_C, c.dead_per_limit, circuit.gradient_V)


@compiled
def _short(y: NDArray[np.float64], circuit: Circuit) -> float:
    top = y[TOP] + y[COUNTER + TOP] * circuit.counter_per_working
    return conductance_S_per_m2(top, circuit.short_S_per_m2, circuit.short_onset_C_per_m2, circuit.short_scale_C_per_m2)


@compiled
def terminals(
    y: NDArray[np.float64],
    w: Electrode,
    c: Electrode,
    circuit: Circuit,
    control: NDArray[np.float64],
) -> tuple[float, float, float]:
    """Voltage, current at the terminals and current through the electrolyte (A/m2, positive oxidizes the working one).

    control: what is held (0 current, 1 voltage), its value, its slope per s, the time from which the slope counts.
    """
    open_V = y[POTENTIAL] - y[COUNTER + POTENTIAL]
    leak = _short(y, circuit)
    held = control[1] + control[2] * (y[TIME] - control[3])
    if control[0] == HOLD_CURRENT:
        inside = held
        if leak > 0.0:
            inside = held - leak * (open_V + held * circuit.resistance_ohm_m2) / (
                1.0 + leak * circuit.resistance_ohm_m2
            )
        return open_V + _drops(inside, y, w, c, circuit), held, inside
    inside = (held - open_V) / circuit.resistance_ohm_m2
    if y[DEAD_TOP] > 0.0 or y[COUNTER + DEAD_TOP] > 0.0:
        low, high = min(inside, 0.0), max(inside, 0.0)  # the drops only ever grow with the current
        for _ in range(NEWTON_STEPS):
            off = open_V + _drops(inside, y, w, c, circuit) - held
            if off > 0.0:
                high = inside
            else:
                low = inside
            size = 1e-6 * max(abs(inside), 1e-6)
            slope = (open_V + _drops(inside + size, y, w, c, circuit) - held - off) / size
            trial = inside - off / slope
            if not low < trial < high:
                trial = 0.5 * (low + high)
            if abs(trial - inside) <= 1e-12 * max(abs(inside), 1e-6):
                break
            inside = trial
    return held, inside + leak * held, inside


@compiled
def sei_factor(y: NDArray[np.float64], circuit: Circuit) -> float:
    """How many times faster SEI grows than with fresh additive."""
    if circuit.inventory_C_per_m2 == 0.0:
        return 1.0
    used = (y[SEI] + y[COUNTER + SEI] * circuit.counter_per_working) / circuit.inventory_C_per_m2
    return growth_factor(used, circuit.sei_factor_at_end, circuit.sei_width)


@compiled
def rates(
    y: NDArray[np.float64],
    w: Electrode,
    c: Electrode,
    circuit: Circuit,
    control: NDArray[np.float64],
    dy: NDArray[np.float64],
) -> None:
    """dy/dt of the whole cell."""
    _, outside, inside = terminals(y, w, c, circuit, control)
    factor = sei_factor(y, circuit)
    electrode_rates(y, 0, w, circuit.f_per_V, inside, factor, dy)
    electrode_rates(y, COUNTER, c, circuit.f_per_V, -inside / circuit.counter_per_working, factor, dy)
    dy[PASSED] = outside
    dy[SHORTED] = outside - inside
    dy[TIME] = 1.0
    dy[CARRIED] = abs(outside - inside)
