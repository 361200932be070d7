"""The outside judge: the same equations written in PyBaMM, solved by its solver, run by its Experiment."""

import numpy as np
import pytest

from interlith.cell.layout import Mesh
from interlith.cell.pybamm_bridge import half_cell_model
from interlith.cell.simulate import simulate
from interlith.cell_test import cell_test
from interlith.errors import InputError
from interlith.parts.samples import half_cell, symmetric_cell
from interlith.protocol import ConstantCurrent, ConstantVoltage, Protocol, named

pybamm = pytest.importorskip("pybamm")
MESH = Mesh(5, 3)


def by_pybamm(cell, steps, model):
    """Solutions of the steps, one each."""
    made, values = half_cell_model(cell, model=model, mesh=MESH)
    solver = pybamm.IDAKLUSolver(rtol=1e-7, atol=1e-8)
    run = pybamm.Simulation(made, parameter_values=values, experiment=pybamm.Experiment(steps), solver=solver)
    return [cycle.steps[0] for cycle in run.solve().cycles]


def aurbach(i):
    strip, plate = f"Charge at {i} A", f"Discharge at {i} A"
    first = [f"Discharge at {0.3 * i} A for 10 hours", f"Charge at {0.3 * i} A until 1 V", f"{plate} for 3 hours"]
    return [*first, *[f"{strip} for 1 hour", f"{plate} for 1 hour"] * 10, f"{strip} until 1 V"]


def voltages(ours, theirs, number):
    """Both at fifty times of one step, its ends left out."""
    one = ours.record.table.filter(ours.record.table["step_count"] == number + 1)
    share = np.linspace(0.02, 0.98, 50)
    pairs = (
        (one["test_time_second"].to_numpy(), one["voltage_volt"].to_numpy()),
        (theirs["Time [s]"].entries, theirs["Voltage [V]"].entries),
    )
    return [np.interp(t[0] + share * (t[-1] - t[0]), t, v) for t, v in pairs]


@pytest.mark.slow
@pytest.mark.parametrize("model", ["lumped", "resolved"])
@pytest.mark.parametrize("sample", ["cp", "cp-zno-002-revival"])
def test_pybamm_finds_the_same_aurbach_test(sample, model):
    cell = half_cell(sample)
    ampere = cell.area_cm2 / 1000
    steps = by_pybamm(cell, aurbach(ampere), model)
    ours = simulate(cell, named("aurbach"), model=model, mesh=MESH)
    passed = np.array([step["Discharge capacity [A.h]"].entries[-1] for step in steps]) / ampere
    theirs_last, ours_last = passed[-2] - passed[-1], ours.steps[-1].passed_mAh_per_cm2
    assert (10 + theirs_last) / 13 == pytest.approx((10 + ours_last) / 13, abs=1e-6)
    end = ours.ledger.final()
    for name in ("SEI", "dead pores", "dead top", "revived", "converted"):
        key = name.lower().replace(" ", "_")
        assert steps[-1][f"Working {name} [mAh.cm-2]"].entries[-1] == pytest.approx(end[key], abs=5e-5), name
    for number, theirs in enumerate(steps):
        np.testing.assert_allclose(*voltages(ours, theirs, number), atol=1e-3)


def test_pybamm_finds_the_same_profiles():
    """A symmetric cell with hosts on both foils: salt and potential at every node."""
    cell = symmetric_cell("cp-zno-020")
    (theirs,) = by_pybamm(cell, [f"Discharge at {3 * cell.area_cm2 / 1000} A for 20 minutes"], "resolved")
    plating = ConstantCurrent(current_density_mA_per_cm2=-3.0, duration_s=1200.0)
    ours = simulate(cell, Protocol(name="plating", steps=(plating,)), model="resolved", mesh=MESH).profiles
    labels = [f"Working node {j}" for j in range(6)] + [f"Separator node {k}" for k in (1, 2)]
    labels += [f"Counter node {j}" for j in range(5, -1, -1)]
    salt = [theirs[f"{label} salt [mol.l-1]"].entries[-1] for label in labels]
    np.testing.assert_allclose(ours["salt_mol_per_L"], salt, rtol=1e-5)
    electrodes = [label for label in labels if not label.startswith("Separator")]
    potential = [theirs[f"{label} potential [V]"].entries[-1] for label in electrodes]
    np.testing.assert_allclose(ours["potential_volt"].drop_nulls(), potential, atol=1e-5)
    assert np.ptp(salt) > 0.05


@pytest.mark.parametrize("model", ["lumped", "resolved"])
def test_pybamm_holds_the_same_voltage(model):
    cell = half_cell("cp")
    ampere = cell.area_cm2 / 1000
    steps = [f"Discharge at {ampere} A for 1 hour", "Hold at 0.01 V for 20 minutes", f"Charge at {ampere} A until 1 V"]
    passed = [0.0, *(s["Discharge capacity [A.h]"].entries[-1] / ampere for s in by_pybamm(cell, steps, model))]
    ours = (
        ConstantCurrent(current_density_mA_per_cm2=-1.0, duration_s=3600.0),
        ConstantVoltage(voltage_V=0.01, duration_s=1200.0),
        ConstantCurrent(current_density_mA_per_cm2=1.0, voltage_V=1.0),
    )
    done = simulate(cell, Protocol(name="hold", steps=ours), model=model, mesh=MESH)
    assert [step.passed_mAh_per_cm2 for step in done.steps] == pytest.approx(-np.diff(passed), abs=2e-5)


def test_pybamm_finds_the_same_voltage_behind_a_film():
    cell = cell_test("cp", changes={"host.film_resistance_ohm_cm2": 20.0, "counter.film_resistance_ohm_cm2": 40.0}).cell
    ampere = 3 * cell.area_cm2 / 1000
    theirs = by_pybamm(cell, [f"Discharge at {ampere} A for 20 minutes", f"Charge at {ampere} A until 1 V"], "lumped")
    plate = ConstantCurrent(current_density_mA_per_cm2=-3.0, duration_s=1200.0)
    strip = ConstantCurrent(current_density_mA_per_cm2=3.0, voltage_V=1.0)
    ours = simulate(cell, Protocol(name="film", steps=(plate, strip)), mesh=MESH, relative_tolerance=1e-7)
    for number, one in enumerate(theirs):
        np.testing.assert_allclose(*voltages(ours, one, number), atol=1e-4)
    assert -voltages(ours, theirs[0], 0)[0][25] > 0.03 * (20 / 13 + 40 / 3 * 1.131 / 2.011) / 10


def test_a_short_is_refused_where_the_model_has_none():
    with pytest.raises(InputError, match="short"):
        half_cell_model(cell_test("cp", changes={"cell.short_conductance_S_per_cm2": 1e-3}).cell)


def test_a_model_that_is_none_is_refused():
    with pytest.raises(InputError, match="not one of lumped, resolved"):
        half_cell_model(half_cell("cp"), model="flat")
