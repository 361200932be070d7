"""The cell as a pybamm.BaseModel, for users of PyBaMM and as an outside judge: the extra `pybamm`.

The same equations as cell.lumped and cell.resolved, written again in the expressions of PyBaMM and solved by its
solvers; steps of a PyBaMM Experiment work, soft shorts do not. Currents follow the sign of PyBaMM: positive discharges,
which in a half cell plates the host.

    from interlith.cell.pybamm_bridge import half_cell_model
    from interlith.parts.samples import half_cell
    model, values = half_cell_model(half_cell("cp"))
    pybamm.Simulation(model, parameter_values=values, experiment=experiment).solve()
"""

from __future__ import annotations

from collections.abc import Collection
from types import SimpleNamespace
from typing import Any

from interlith.cell import account
from interlith.cell.account import COUNTER
from interlith.cell.layout import Mesh
from interlith.cell.lumped import Circuit, Electrode
from interlith.cell.mechanisms.dead_layer import MOST
from interlith.cell.models import Model, check_model, initial
from interlith.cell.pybamm_depth import Depth, depths, gap_of
from interlith.cell.pybamm_electrode import NAMES, Electrical, amount, isolation, rates, surface
from interlith.cell.resolved import N_NODE, SALT
from interlith.cell.translate import kernel
from interlith.errors import EnvironmentError_, InputError
from interlith.parts.cell import Cell
from interlith.units import (
    M2_PER_CM2,
    MOL_PER_M3_PER_MOL_PER_L,
    SECONDS_PER_HOUR,
    C_PER_M2_PER_mAh_PER_CM2,
    mAh_PER_Ah,
)

SIDES = ("Working", "Counter")


def half_cell_model(
    cell: Cell, without: Collection[str] = (), *, model: str = "lumped", mesh: Mesh | None = None
) -> tuple[Any, Any]:
    """A pybamm.BaseModel of a half or symmetric cell, and the pybamm.ParameterValues it needs.

    model: lumped, or resolved over the intervals of `mesh`. Variables: "Voltage [V]", "Current [A]", and for both
    electrodes "Working dead top [mAh.cm-2]" and its like, per cm2 of that electrode; resolved ones besides by node from
    the back, "Working node 3 dead pores [mAh.cm-2]" (as if all of the depth were like it), "Working node 3 salt
    [mol.l-1]", "Separator node 1 salt [mol.l-1]". Raises EnvironmentError_ without PyBaMM, InputError for a cell with a
    soft short.
    """
    try:
        import pybamm
    except ImportError as problem:
        raise EnvironmentError_("PyBaMM is not installed: pip install 'interlith[pybamm]'") from problem
    check_model(model)
    parts = kernel(cell, without)
    if parts[2].short_S_per_m2 > 0:
        raise InputError("cell.short_conductance_S_per_cm2: the PyBaMM model knows no short; set it to 0")
    made = pybamm.BaseModel(name=f"interlith {model} cell")
    current_A = pybamm.FunctionParameter("Current function [A]", {"Time [s]": pybamm.t})
    inside = -current_A / (cell.area_cm2 * M2_PER_CM2)
    build = _lumped if model == "lumped" else _resolved
    voltage = build(pybamm, made, cell, parts, inside, mesh or Mesh())
    passed = pybamm.Variable("Discharge capacity [A.h]")
    made.rhs[passed] = current_A / SECONDS_PER_HOUR
    made.initial_conditions[passed] = 0
    made.variables |= _variables(pybamm, voltage, current_A, passed)
    made.summary_variables = [f"{side} revived [mAh.cm-2]" for side in SIDES]
    nominal_Ah = cell.area_cm2 / mAh_PER_Ah  # 1C is 1 mA/cm2
    made.param = SimpleNamespace(Q=nominal_Ah, A_cc=cell.area_cm2 * M2_PER_CM2)  # what a held voltage asks for
    values = pybamm.ParameterValues({"Current function [A]": 0.0, "Nominal cell capacity [A.h]": nominal_Ah})
    return made, values


def begin_at(made: Any, model: Model) -> None:
    """Let a PyBaMM model begin at the state of ours, of the same cell and mesh: for instance for an EISSimulation.

    pybamm.EISSimulation(made, parameter_values=values, skip_surface_form_check=True).solve(frequencies)
    """
    for variable in made.rhs:
        label = variable.name.rsplit(" [", 1)[0]
        side, _, rest = label.partition(" ")
        if side in (*SIDES, "Separator"):
            made.initial_conditions[variable] = _value(model, side, rest)


def _value(model: Model, side: str, label: str) -> float:
    """The value, in the unit of its label, of "pores", "node 3 salt" or "node 3 dead pores"."""
    y, system, name, first = model.y, model.system, label, COUNTER if side == SIDES[1] else 0
    if model.has_depth:
        _, number, name = label.split(" ", 2)
        if side == "Separator":
            return float(y[system.pattern.faces[int(number)]] / MOL_PER_M3_PER_MOL_PER_L)
        depth = system.depth_w if side == SIDES[0] else system.depth_c
        first = (depth.first + int(number)) * N_NODE
    if name == "salt":
        return float(y[first + SALT] / MOL_PER_M3_PER_MOL_PER_L)
    value = float(y[first + NAMES.index(name)])
    return value if name == "potential" else value / C_PER_M2_PER_mAh_PER_CM2


def _lumped(
    pybamm: Any,
    made: Any,
    cell: Cell,
    parts: tuple[Electrode, Electrode, Circuit],
    inside: Any,
    mesh: Mesh,
) -> Any:
    """Adds the lumped electrodes to the model; the voltage."""
    working, counter, circuit = parts
    sides = [{name: amount(pybamm, f"{side} {name}", name) for name in NAMES} for side in SIDES]
    begin, f = initial(cell), circuit.f_per_V
    factor = _sei_factor(pybamm, sides[0]["SEI"].value, sides[1]["SEI"].value, circuit)
    for y, part, oxidizing, first in (
        (sides[0], working, inside, 0),
        (sides[1], counter, -inside / circuit.counter_per_working, account.COUNTER),
    ):
        own = {name: held.value for name, held in y.items()}
        s = surface(pybamm, own, part, f, part.exchange_A_per_m2)
        chi = isolation(part, s["strip_pores"] + s["strip_top"])
        found = rates(pybamm, own, part, Electrical(f, oxidizing, chi, factor), s, 1.0)
        for place, name in enumerate(NAMES):
            y[name].put(made, found[name], begin[first + place])
            made.variables[y[name].label] = y[name].variable
    tops = [y["dead top"].value for y in sides]
    open_V = sides[0]["potential"].value - sides[1]["potential"].value
    return open_V + inside * circuit.resistance_ohm_m2 + _dead_drops(pybamm, inside, tops, [1, 1], parts)


def _resolved(
    pybamm: Any,
    made: Any,
    cell: Cell,
    parts: tuple[Electrode, Electrode, Circuit],
    inside: Any,
    mesh: Mesh,
) -> Any:
    """Adds the resolved electrodes and the separator to the model; the voltage."""
    working, counter, circuit = parts
    w, c = depths(pybamm, cell, working, counter, mesh)
    gap = gap_of(pybamm, cell, mesh, w, c)
    factor = _sei_factor(pybamm, w.mean("SEI"), c.mean("SEI"), circuit)
    ratio = circuit.counter_per_working
    w.put(made, circuit.f_per_V, inside, factor, gap.leaving(0, inside), 1.0)
    c.put(made, circuit.f_per_V, -inside / ratio, factor, -gap.leaving(-1, inside) / ratio, ratio)
    gap.put(made, inside)
    ends: list[Depth] = [w, c]
    tops = [d.nodes[-1]["dead top"].value for d in ends]
    open_V = w.nodes[-1]["potential"].value - c.nodes[-1]["potential"].value
    scarcer = [d.fluid.salt / d.nodes[-1]["salt"].value for d in ends]
    return open_V + gap.drop(inside) + _dead_drops(pybamm, inside, tops, scarcer, parts)


def _sei_factor(pybamm: Any, sei_w: Any, sei_c: Any, circuit: Circuit) -> Any:
    if circuit.inventory_C_per_m2 == 0:
        return pybamm.Scalar(1)
    used = (sei_w + sei_c * circuit.counter_per_working) / circuit.inventory_C_per_m2
    return 1 + (circuit.sei_factor_at_end - 1) / (1 + pybamm.exp(-(used - 1) / circuit.sei_width))


def _dead_drops(
    pybamm: Any, inside: Any, tops: list[Any], scarcer: list[Any], parts: tuple[Electrode, Electrode, Circuit]
) -> Any:
    working, counter, circuit = parts
    total = inside * circuit.contact_ohm_m2
    for k, (part, i, sign) in enumerate(((working, inside, 1), (counter, -inside / circuit.counter_per_working, -1))):
        dead = pybamm.maximum(tops[k], 0)
        share = pybamm.maximum(i * part.dead_per_limit * scarcer[k] * dead, -MOST)
        total += sign * (i * part.dead_ohm_m2_per_C * dead + circuit.gradient_V * pybamm.log(1 + share))
    return total


def _variables(pybamm: Any, voltage: Any, current_A: Any, passed: Any) -> dict[str, Any]:
    return {
        "Voltage [V]": voltage,
        "Terminal voltage [V]": voltage,
        "Battery voltage [V]": voltage,
        "Current [A]": current_A,
        "Current variable [A]": current_A,
        "Time [s]": pybamm.t,
        "Time [h]": pybamm.t / SECONDS_PER_HOUR,
        "Discharge capacity [A.h]": passed,
    }
