"""The outside judge: the same equations written in PyBaMM, solved by its solver, run by its Experiment."""

import numpy as np
import pytest

from interlith.cell.pybamm_bridge import half_cell_model
from interlith.cell.simulate import simulate
from interlith.errors import InputError
from interlith.parts.samples import half_cell
from interlith.protocol import named
from interlith.study import study

pybamm = pytest.importorskip("pybamm")


def aurbach_by_pybamm(cell):
    model, values = half_cell_model(cell)
    i = cell.area_cm2 / 1000
    strip, plate = f"Charge at {i} A", f"Discharge at {i} A"
    steps = [f"Discharge at {0.3 * i} A for 10 hours", f"Charge at {0.3 * i} A until 1 V", f"{plate} for 3 hours"]
    steps += [f"{strip} for 1 hour", f"{plate} for 1 hour"] * 10 + [f"{strip} until 1 V"]
    solver = pybamm.IDAKLUSolver(rtol=1e-7, atol=1e-8)
    run = pybamm.Simulation(model, parameter_values=values, experiment=pybamm.Experiment(steps), solver=solver)
    return [cycle.steps[0] for cycle in run.solve().cycles], i


@pytest.mark.slow
@pytest.mark.parametrize("sample", ["cp", "cp-zno-002-revival"])
def test_pybamm_finds_the_same_aurbach_test(sample):
    cell = half_cell(sample)
    steps, ampere = aurbach_by_pybamm(cell)
    ours = simulate(cell, named("aurbach"))
    passed = np.array([step["Discharge capacity [A.h]"].entries[-1] for step in steps]) / ampere
    theirs_last, ours_last = passed[-2] - passed[-1], ours.steps[-1].passed_mAh_per_cm2
    assert (10 + theirs_last) / 13 == pytest.approx((10 + ours_last) / 13, abs=1e-6)
    end = ours.ledger.final()
    for name in ("SEI", "dead pores", "dead top", "revived", "converted"):
        key = name.lower().replace(" ", "_")
        assert steps[-1][f"Working {name} [mAh.cm-2]"].entries[-1] == pytest.approx(end[key], abs=1e-5), name
    table = ours.record.table
    for place in (2, 3, 12, 22):
        one = table.filter(table["step_count"] == place + 1)
        theirs = steps[place]["Voltage [V]"].entries
        share = np.linspace(0.02, 0.98, 50)
        at = [
            np.interp(t[0] + share * (t[-1] - t[0]), t, v)
            for t, v in (
                (one["test_time_second"].to_numpy(), one["voltage_volt"].to_numpy()),
                (steps[place]["Time [s]"].entries, theirs),
            )
        ]
        np.testing.assert_allclose(at[0], at[1], atol=1e-3)


def test_a_short_is_refused_where_the_model_has_none():
    with pytest.raises(InputError, match="short"):
        half_cell_model(study("cp", changes={"cell.short_conductance_S_per_cm2": 1e-3}).cell)
