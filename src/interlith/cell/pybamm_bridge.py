"""The lumped cell as a pybamm.BaseModel, for users of PyBaMM and as an outside judge: the extra `pybamm`.

The same equations as cell.lumped, written again in the expressions of PyBaMM and solved by its solvers; the current
and rest steps of a PyBaMM Experiment work, held voltages and soft shorts do not. Currents follow the sign of
PyBaMM: positive discharges, which in a half cell plates the host.

    from interlith.cell.pybamm_bridge import half_cell_model
    from interlith.parts.samples import half_cell
    model, values = half_cell_model(half_cell("cp"))
    pybamm.Simulation(model, parameter_values=values, experiment=experiment).solve()
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from interlith.cell import account
from interlith.cell.lumped import Circuit, Electrode
from interlith.cell.mechanisms.dead_layer import MOST
from interlith.cell.mechanisms.isolation import REFERENCE_A_PER_M2, SLOWEST
from interlith.cell.mechanisms.kinetics import MOST_A_PER_M2
from interlith.cell.models import initial
from interlith.cell.translate import kernel
from interlith.errors import EnvironmentError_, InputError
from interlith.parts.cell import Cell
from interlith.units import M2_PER_CM2, SECONDS_PER_HOUR, C_PER_M2_PER_mAh_PER_CM2, mAh_PER_Ah

NAMES = ("pores", "top", "foil", "dead pores", "dead top", "SEI", "converted", "alloyed", "potential", "revived")
SIDES = ("Working", "Counter")


def half_cell_model(cell: Cell, without: Collection[str] = ()) -> tuple[Any, Any]:
    """A pybamm.BaseModel of a half or symmetric cell, and the pybamm.ParameterValues it needs.

    Variables: "Voltage [V]", "Current [A]", and for both electrodes "Working dead top [mAh.cm-2]" and its like, per cm2
    of that electrode. Raises EnvironmentError_ without PyBaMM, InputError for a cell with a soft short.
    """
    try:
        import pybamm
    except ImportError as problem:
        raise EnvironmentError_("PyBaMM is not installed: pip install 'interlith[pybamm]'") from problem
    working, counter, circuit = kernel(cell, without)
    if circuit.short_S_per_m2 > 0:
        raise InputError("cell.short_conductance_S_per_cm2: the PyBaMM model knows no short; set it to 0")
    model = pybamm.BaseModel(name="interlith lumped cell")
    sides = [{name: pybamm.Variable(_full(side, name)) for name in NAMES} for side in SIDES]
    scaled = [{name: y[name] * _scale(name) for name in NAMES} for y in sides]
    current_A = pybamm.FunctionParameter("Current function [A]", {"Time [s]": pybamm.t})
    inside = -current_A / (cell.area_cm2 * M2_PER_CM2)
    factor = _sei_factor(pybamm, scaled, circuit)
    begin = initial(cell)
    for y, own, part, oxidizing, first in (
        (sides[0], scaled[0], working, inside, 0),
        (sides[1], scaled[1], counter, -inside / circuit.counter_per_working, account.COUNTER),
    ):
        rates = _electrode(pybamm, own, part, circuit.f_per_V, oxidizing, factor)
        model.rhs |= {y[name]: rates[name] / _scale(name) for name in NAMES}
        model.initial_conditions |= {y[name]: begin[first + k] / _scale(name) for k, name in enumerate(NAMES)}
    passed = pybamm.Variable("Discharge capacity [A.h]")
    model.rhs[passed] = current_A / SECONDS_PER_HOUR
    model.initial_conditions[passed] = 0
    open_V = sides[0]["potential"] - sides[1]["potential"]
    voltage = open_V + _drops(pybamm, inside, scaled, working, counter, circuit)
    model.variables = _variables(pybamm, sides, voltage, current_A, passed)
    model.summary_variables = [_full(side, "revived") for side in SIDES]
    nominal_Ah = cell.area_cm2 / mAh_PER_Ah  # 1C is 1 mA/cm2
    values = pybamm.ParameterValues({"Current function [A]": 0.0, "Nominal cell capacity [A.h]": nominal_Ah})
    return model, values


def _scale(name: str) -> float:
    """C/m2 in one of the units of the model's variables: mAh/cm2, or volts as they are."""
    return 1.0 if name == "potential" else C_PER_M2_PER_mAh_PER_CM2


def _full(side: str, name: str) -> str:
    return f"{side} {name} [V]" if name == "potential" else f"{side} {name} [mAh.cm-2]"


def _sei_factor(pybamm: Any, sides: list[dict[str, Any]], circuit: Circuit) -> Any:
    if circuit.inventory_C_per_m2 == 0:
        return pybamm.Scalar(1)
    used = (sides[0]["SEI"] + sides[1]["SEI"] * circuit.counter_per_working) / circuit.inventory_C_per_m2
    return 1 + (circuit.sei_factor_at_end - 1) / (1 + pybamm.exp(-(used - 1) / circuit.sei_width))


def _one_sided(pybamm: Any, drive: Any, f: float, j: float) -> Any:
    return j * 2 * pybamm.sinh(f * pybamm.maximum(drive, 0) / 2)


def _left(pybamm: Any, charge: Any, scale: float) -> Any:
    part = charge / scale
    return pybamm.minimum(part, 0) + 1 - pybamm.exp(-pybamm.maximum(part, 0))


def _electrode(pybamm: Any, y: dict[str, Any], e: Electrode, f: float, oxidizing: Any, factor: Any) -> dict[str, Any]:
    """Rates of one electrode; line by line those of cell.lumped.electrode_rates."""
    u = y["potential"]
    metal = y["pores"] + y["top"] + y["foil"]
    barrier = e.nucleation_V * pybamm.exp(-pybamm.maximum(metal, 0) / e.nucleation_C_per_m2)
    plating = _one_sided(pybamm, -u - barrier, f, e.exchange_A_per_m2)
    free = _one_sided(pybamm, u, f, e.exchange_A_per_m2)
    stripping = free / (1 + free / MOST_A_PER_M2)
    room = e.pore_C_per_m2 - (1 - e.stretching) * (y["pores"] + y["dead pores"])
    plate_pores = e.area_pores * plating * _left(pybamm, room, e.pore_edge_C_per_m2)
    plate_top = e.area_top * plating
    strip_pores = e.area_pores * stripping * _left(pybamm, y["pores"], e.fade_C_per_m2)
    strip_top = e.area_top * stripping * _left(pybamm, y["top"], e.fade_C_per_m2)
    strip_foil = e.area_foil * stripping * _left(pybamm, y["foil"], e.fade_C_per_m2)
    ratio = (strip_pores + strip_top) / REFERENCE_A_PER_M2
    chi = e.isolated_per_stripped * (ratio**2 + SLOWEST**2) ** (-e.isolation_exponent / 2)
    gamma = pybamm.minimum(e.sei_per_plated * factor, 1)
    back_pores, back_top = e.revival_pores_per_s * y["dead pores"], e.revival_top_per_s * y["dead top"]
    converting, alloying = _oxide(pybamm, y, e, f)
    net = strip_pores + strip_top + strip_foil - plate_pores - plate_top - converting - alloying
    return {
        "pores": (1 - gamma) * plate_pores - (1 + chi) * strip_pores + back_pores,
        "top": (1 - gamma) * plate_top - (1 + chi) * strip_top + back_top,
        "foil": -strip_foil,
        "dead pores": chi * strip_pores - back_pores,
        "dead top": chi * strip_top - back_top,
        "SEI": gamma * (plate_pores + plate_top),
        "converted": converting,
        "alloyed": alloying,
        "potential": (oxidizing - net) / e.double_layer_F_per_m2,
        "revived": back_pores + back_top,
    }


def _oxide(pybamm: Any, y: dict[str, Any], e: Electrode, f: float) -> tuple[Any, Any]:
    if e.oxide_C_per_m2 == 0:
        return pybamm.Scalar(0), pybamm.Scalar(0)

    def driven(drive: Any) -> Any:
        return 1 - pybamm.exp(-f * pybamm.maximum(drive, 0))

    u = y["potential"]
    converting = (e.oxide_C_per_m2 - y["converted"]) / e.reaction_s * driven(e.conversion_V - u)
    taken = (y["converted"] / 2 - y["alloyed"]) * driven(e.alloy_V - u)
    return converting, (taken - y["alloyed"] * driven(u - e.alloy_V)) / e.reaction_s


def _drops(
    pybamm: Any, inside: Any, sides: list[dict[str, Any]], working: Electrode, counter: Electrode, circuit: Circuit
) -> Any:
    total = inside * circuit.resistance_ohm_m2
    for y, part, i in (
        (sides[0], working, inside),
        (sides[1], counter, inside / circuit.counter_per_working),
    ):
        dead = pybamm.maximum(y["dead top"], 0)
        share = pybamm.minimum(abs(i) * part.dead_per_limit * dead, MOST)
        total += i * part.dead_ohm_m2_per_C * dead - pybamm.sign(i) * circuit.gradient_V * pybamm.log(1 - share)
    return total


def _variables(pybamm: Any, sides: list[dict[str, Any]], voltage: Any, current_A: Any, passed: Any) -> dict[str, Any]:
    found = {
        "Voltage [V]": voltage,
        "Terminal voltage [V]": voltage,
        "Battery voltage [V]": voltage,
        "Current [A]": current_A,
        "Time [s]": pybamm.t,
        "Time [h]": pybamm.t / SECONDS_PER_HOUR,
        "Discharge capacity [A.h]": passed,
    }
    for side, y in zip(SIDES, sides, strict=True):
        found |= {_full(side, name): y[name] for name in NAMES}
    return found
