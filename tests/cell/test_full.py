"""Full and anode-free cells: laws, analytic cases, PyBaMM's SPMe and DFN as judges, fade terms, bad input."""

import numpy as np
import polars as pl
import pytest

from interlith.cell import blocks, duties
from interlith.cell.fade import fade
from interlith.cell.full import STORES, SURFACE, U_P, VOLUME, salt_of, terminals
from interlith.cell.layout import Mesh
from interlith.cell.models import for_ramp, model_of
from interlith.cell.rosenbrock import GAMMA
from interlith.cell.simulate import simulate
from interlith.cell.woodbury import prepare, solve_stage
from interlith.cell_test import cell_test
from interlith.errors import InputError
from interlith.ledger import LITHIUM
from interlith.parts.cell import Cell, Separator
from interlith.parts.electrolyte import Correlation, electrolyte
from interlith.parts.positive import Curve, positive
from interlith.parts.samples import foil, full_cell, half_cell
from interlith.protocol import PROTOCOLS, ConstantCurrent, ConstantVoltage, Protocol, Ramp, Repeat, Rest, named

FULL = [name for name in PROTOCOLS if name.startswith(("li-ncm811", "li-lco", "pouch", "anode-free"))]
FADE = {
    "positive.resistance_growth_ohm_cm2_per_cycle": 0.5,
    "positive.active_loss_per_cycle": 0.002,
    "cell.solvent_used_uL_per_mAh": 15.0,
}
FADE_NAMES = ("positive-resistance", "active-loss", "dry-out")


def run(protocol, sample="cp-zno-002", changes=None, without=(), n_cycles=None, **options):
    asked = cell_test(sample, protocol, changes=changes, without=without)
    chosen = asked.protocol
    if n_cycles is not None:
        steps = [
            s.model_copy(update={"times": min(s.times, n_cycles)}) if s.kind == "repeat" else s for s in chosen.steps
        ]
        chosen = chosen.model_copy(update={"steps": tuple(steps)})
    return simulate(asked.cell, chosen, without=without, nominal_mAh_per_cm2=asked.nominal_mAh_per_cm2, **options)


def fewer(step, n_cycles):
    return step.model_copy(update={"times": min(step.times, n_cycles)}) if step.kind == "repeat" else step


def constant(value):
    return Correlation(form="polynomial", coefficients=(value,), valid_mol_per_L=(0, 4), valid_C=(0, 60))


def plain_cell(**changes):
    """Foil against NMC532 in an electrolyte of constant properties."""
    known = electrolyte("lipf6-ec-dmc-vc").with_values(
        conductivity=constant(1.0),
        diffusivity=constant(2e-10),
        transference=constant(0.4),
        activity=constant(1.0),
        additives=(),
    )
    cell = full_cell("li-ncm811")
    changes = {"working": foil(), "counter": positive("nmc532-xu2019"), "electrolyte": known, **changes}
    return cell.with_values_kept(**changes, contact_resistance_ohm_cm2=0.0)


@pytest.mark.parametrize("protocol", FULL)
@pytest.mark.parametrize("sample", ["cp", "cp-zno-002-revival"])
def test_the_ledger_closes_and_lithium_stays(protocol, sample):
    done = run(protocol, sample, n_cycles=5)
    assert done.stopped is None
    assert done.ledger.residual_mAh_per_cm2 < 1e-8
    table = done.ledger.table
    total = table.select(pl.sum_horizontal(LITHIUM)).to_series() + table["double_layer"] * 0.0
    layers = table["double_layer"] - table["double_layer"][0]
    # lithium that the double layers hold as charge is in none of the entries
    assert np.ptp((total + layers).to_numpy()) < 1e-8


def test_every_fade_term_keeps_the_ledger_closed():
    done = run("pouch-ncm90-cccv", changes=FADE, n_cycles=20)
    assert done.ledger.residual_mAh_per_cm2 < 1e-8
    assert done.ledger.final()["positive_stranded"] > 0.1


def test_the_charge_of_the_record_is_that_of_the_ledger_with_its_sign():
    done = run("li-ncm811", n_cycles=2)
    time, current = (done.record.table[c].to_numpy() for c in ("test_time_second", "current_ampere"))
    integral_mAh = np.trapezoid(current, time) / 3.6 / done.cell.area_cm2
    assert integral_mAh == pytest.approx(-done.ledger.final()["passed"], abs=1e-9)
    assert done.steps[0].passed_mAh_per_cm2 > 0  # charging is positive
    after = done.record.table.filter(pl.col("step_count") > 1)  # ZnO takes lithium at 0.5 V first
    assert after["voltage_volt"].is_between(2.8 - 1e-6, 4.3 + 1e-6).all()


def test_the_window_gives_the_areal_capacity_at_equilibrium():
    charge, discharge = (ConstantCurrent(rate_C=r, voltage_V=v) for r, v in ((0.002, 4.3), (-0.002, 2.8)))
    done = run(Protocol(name="li-ncm811-slow", steps=(charge, discharge)), without=("conversion",))
    given = [abs(step.passed_mAh_per_cm2) for step in done.steps]
    assert given == pytest.approx([4.5, 4.5], rel=0.01)


def test_a_particle_in_steady_flux_has_the_analytic_gradient():
    """x_surface - x_mean = -i R / (5 D F c_max area) once the start is forgotten."""
    cell = plain_cell()
    part = cell.counter
    current, errors = 0.5, []
    for n in (12, 24):
        model = model_of(cell, "lumped", (), 1e-8, Mesh(n_particle=n))
        steps = (ConstantCurrent(current_density_mA_per_cm2=current, duration_s=2500.0),)
        after = _state_after(cell, steps, Mesh(n_particle=n))
        shells = model.system.shells
        lithium = after[SURFACE : SURFACE + n]
        sites = model.system.counter.sites_C_per_m2
        gap = lithium[0] / (sites * shells[VOLUME, 0]) - lithium.sum() / sites
        radius_m = part.particle_radius_um * 1e-6
        flux = current * 10.0 / (part.particle_area_m2_per_m2 * 96485.33212 * part.most_lithium_mol_per_m3)
        true = -flux * radius_m / (5.0 * float(part.diffusivity(0.5)))
        errors.append(abs(gap / true - 1.0))
    assert errors[1] < 2e-3
    assert errors[1] < 0.35 * errors[0]  # second order


def _state_after(cell, steps, mesh):
    from interlith.cell.simulate import _execute, _Run

    run_ = _Run(cell, model_of(cell, "lumped", (), 1e-8, mesh), lambda n: None)
    for step in steps:
        _execute(run_, step)
    return run_.model.y


def test_salt_in_steady_current_has_the_analytic_drop():
    """Across the separator dc/dx = -(1 - t+) i / (F D eps^b); no salt is lost."""
    cell = plain_cell()
    mesh = Mesh(n_separator=5)
    model = model_of(cell, "lumped", (), 1e-8, mesh)
    first, stores = salt_of(model.system), model.system.layers[STORES]
    steps = (ConstantCurrent(current_density_mA_per_cm2=0.5, duration_s=4000.0),)
    salt = _state_after(cell, steps, mesh)[first : first + len(stores)]
    separator = cell.separator
    true = (1 - 0.4) * 5.0 / (96485.33212 * 2e-10 * separator.porosity**separator.bruggeman)
    true *= separator.thickness_um * 1e-6
    # charging: lithium ions leave the positive and pile up there
    assert salt[5] - salt[0] == pytest.approx(true, rel=1e-3)
    assert stores @ salt == pytest.approx(1000.0 * stores.sum(), rel=1e-10)


def test_the_jacobian_is_that_of_the_rates():
    """Blocks, border and what follows from them against differences of all rates, through W itself."""
    cell = full_cell("pouch-ncm90", "cp")
    asked = cell_test("cp", "pouch-ncm90", changes=FADE)
    cell = asked.cell
    model = model_of(cell, "lumped", (), 1e-6)
    steps = [ConstantCurrent(current_density_mA_per_cm2=i, duration_s=1800.0) for i in (1.5, -1.0)]
    y = _state_after(cell, steps, None)
    rng = np.random.default_rng(3)
    for control in (np.array([0.0, -15.0, 0.0, 0.0]), np.array([1.0, -4.0, -1e-4, y[duties.TIME]])):
        system = for_ramp(model.system) if control[0] else model.system
        work = blocks.workspace(system)
        dy = np.empty_like(y)
        blocks.rates(y, system, control, work, dy)
        blocks.linearize(y, system, control, model.tolerance.absolute, dy, work)
        h, right = 3.0, rng.normal(size=len(y))
        assert prepare(system, h, work)
        found = right.copy()
        solve_stage(system, h, work, found)
        dense = np.empty((len(y), len(y)))
        for k in range(len(y)):
            size = 1e-6 * max(abs(y[k]), 1e-2 if k != U_P else 1.0)
            up, down, there = y.copy(), y.copy(), np.empty((2, len(y)))
            up[k] += size
            down[k] -= size
            blocks.rates(up, system, control, work, there[0])
            blocks.rates(down, system, control, work, there[1])
            dense[:, k] = (there[0] - there[1]) / (up[k] - down[k])
        residual = found / (h * GAMMA) - dense @ found - right
        size = np.abs(found) / (h * GAMMA) + np.abs(dense) @ np.abs(found) + np.abs(right)
        assert np.max(np.abs(residual) / size) < 2e-4  # a term left out is 1e-2 or more


@pytest.fixture(scope="module")
def xu():
    """Our cell with the numbers of PyBaMM's Xu2019, and those; the lithium electrode made reversible in both."""
    pybamm = pytest.importorskip("pybamm")
    values = pybamm.ParameterValues("Xu2019")
    fast = 1e5
    values["Exchange-current density for lithium metal electrode [A.m-2]"] = fast
    c = np.linspace(0.2, 2.5, 200)

    def fitted(name):
        of = values[f"Electrolyte {name}"]
        plain = [float(np.squeeze(getattr(v, "evaluate", lambda v=v: v)())) for v in (of(x * 1e3, 298.15) for x in c)]
        start = 1 if "conductivity" in name else 0
        found = np.linalg.lstsq(c[:, None] ** np.arange(start, 7), np.array(plain), rcond=None)[0]
        return Correlation(
            form="polynomial",
            coefficients=(*[0.0] * start, *found.tolist()),
            valid_mol_per_L=(0.2, 2.5),
            valid_C=(0, 50),
        )

    known = electrolyte("lipf6-ec-dmc-vc").with_values(
        conductivity=fitted("conductivity [S.m-1]"),
        diffusivity=fitted("diffusivity [m2.s-1]"),
        transference=constant(0.38),
        activity=constant(1.0),
        additives=(),
    )
    reversible = foil().with_values(
        exchange_current_density_A_per_m2=fast, thickness_um=500.0, sei_per_plated=0.0, isolated_per_stripped=0.0
    )
    cell = full_cell("li-ncm811").with_values_kept(
        working=reversible,
        counter=positive("nmc532-xu2019"),
        electrolyte=known,
        separator=Separator(name="of the set", thickness_um=25, porosity=0.39, bruggeman=1.5),
        contact_resistance_ohm_cm2=0.0,
        area_cm2=1.54,
        counter_area_cm2=1.54,
    )
    most = values["Maximum concentration in positive electrode [mol.m-3]"]
    values["Initial concentration in positive electrode [mol.m-3]"] = cell.counter.lithiated * most
    values["Lower voltage cut-off [V]"], values["Upper voltage cut-off [V]"] = 3.0, 4.5
    return cell, values


def _discharge(cell: Cell, rate, **options):
    per_C = 2.4 / cell.area_cm2
    steps = (
        ConstantCurrent(current_density_mA_per_cm2=0.1 * per_C, voltage_V=4.2),
        Rest(duration_s=3600),
        ConstantCurrent(current_density_mA_per_cm2=-rate * per_C, voltage_V=3.5),
    )
    table = simulate(cell, Protocol(name="judged", steps=steps), **options).record.table.filter(
        pl.col("step_count") == 3
    )
    return table["test_time_second"].to_numpy() - table["test_time_second"][0], table["voltage_volt"].to_numpy()


def _of_pybamm(model, values, rate):
    import pybamm

    steps = [f"Charge at {0.24e-3} A until 4.2 V", "Rest for 1 hour", f"Discharge at {rate * 2.4e-3} A until 3.5 V"]
    experiment = pybamm.Experiment(steps, period=f"{10 / rate} seconds")
    points = {"x_s": 20, "x_p": 30, "r_p": 60, "x_n": 5, "r_n": 5}
    simulation = pybamm.Simulation(model, experiment=experiment, parameter_values=values, var_pts=points)
    step = simulation.solve().cycles[2].steps[0]
    time = step["Time [s]"].entries
    return time - time[0], step["Voltage [V]"].entries


def _rms_mV(ours, theirs):
    end = min(ours[0][-1], theirs[0][-1])
    t = ours[0][(ours[0] > 1.0) & (ours[0] < end)]
    off = np.interp(t, *ours) - np.interp(t, *theirs)
    weight = np.gradient(t)
    return 1e3 * float(np.sqrt(np.sum(weight * off**2) / weight.sum()))


@pytest.mark.parametrize("rate", [0.1, 0.5, 1.0])
def test_pybamm_spme_gives_the_same_discharge(xu, rate):
    import pybamm

    cell, values = xu
    ours = _discharge(cell, rate)
    theirs = _of_pybamm(pybamm.lithium_ion.SPMe({"working electrode": "positive"}), values, rate)
    assert ours[0][-1] == pytest.approx(theirs[0][-1], rel=1e-3)
    assert _rms_mV(ours, theirs) < 0.5  # 2 mV asked for


def test_pybamm_dfn_differs_by_what_a_single_particle_leaves_out(xu):
    import pybamm

    cell, values = xu
    ours = _discharge(cell, 1.0)
    theirs = _of_pybamm(pybamm.lithium_ion.DFN({"working electrode": "positive"}), values, 1.0)
    assert _rms_mV(ours, theirs) < 1.0


def test_a_finer_mesh_changes_the_voltage_little(xu):
    cell, _ = xu
    fine = _discharge(cell, 1.0, mesh=Mesh(4, 20, 30, 60), relative_tolerance=1e-7)
    assert _rms_mV(_discharge(cell, 1.0), fine) < 0.4


def test_fade_terms_are_off_as_shipped():
    plain, without = run("li-ncm811", n_cycles=3), run("li-ncm811", n_cycles=3, without=FADE_NAMES)
    assert plain.record.table.equals(without.record.table)


def test_grown_resistance_is_ohmic():
    growth = 0.5
    changes = {"positive.resistance_growth_ohm_cm2_per_cycle": growth}
    done, plain = (run("li-ncm811", changes=c, n_cycles=10) for c in (changes, None))
    # the last discharge begins after 19 half cycles; at its first row only the resistance differs
    first = [d.record.table.filter(pl.col("step_count") == 20)["voltage_volt"][0] for d in (done, plain)]
    before = [d.record.table.filter(pl.col("step_count") == 19)["voltage_volt"][-1] for d in (done, plain)]
    passed = sum(abs(step.passed_mAh_per_cm2) for step in done.steps[:19])
    ohm_cm2 = growth * passed / (2 * 4.5)
    grown_V = ohm_cm2 * 2.25e-3  # on charge and on discharge
    assert (before[0] - first[0]) - (before[1] - first[1]) == pytest.approx(2 * grown_V, rel=1e-3)


def test_lost_material_takes_capacity_and_lithium_along():
    loss, n_cycles = 0.01, 10
    charge, discharge = (ConstantCurrent(rate_C=r, voltage_V=v) for r, v in ((0.05, 4.3), (-0.05, 2.8)))
    slow = Protocol(name="li-ncm811-slow", steps=(Repeat(times=n_cycles, steps=(charge, discharge)),))
    done, plain = (run(slow, changes=c) for c in ({"positive.active_loss_per_cycle": loss}, None))
    passed = sum(abs(step.passed_mAh_per_cm2) for step in done.steps)
    connected = 1 - loss * passed / (2 * 4.5)
    last = [d.steps[-1].passed_mAh_per_cm2 for d in (done, plain)]
    # the last discharge itself loses material on its way: half of a cycle, on average a quarter of its effect
    assert last[0] / last[1] == pytest.approx(connected, abs=loss)
    # lithium is lost at the content that the material has on the way, between charged and discharged
    least, most = (x * 4.5 / (done.cell.counter.discharged - done.cell.counter.charged) for x in (0.26, 0.91))
    assert least < done.ledger.final()["positive_stranded"] / (1 - connected) < most


def test_drying_out_costs_voltage_only_once_pores_run_dry():
    wet = {"cell.electrolyte_volume_uL": 200.0, "cell.solvent_used_uL_per_mAh": 15.0}
    dry = {**wet, "cell.electrolyte_volume_uL": 8.0}
    plain, much, little = (run("li-ncm811", "cp", changes=c, n_cycles=8) for c in (None, wet, dry))
    volts = [d.record.table.filter(pl.col("step_count") == 15)["voltage_volt"][1] for d in (plain, much, little)]
    assert volts[1] == pytest.approx(volts[0], abs=2e-3)  # the additive differs with the volume
    assert volts[2] > volts[0] + 0.01


def test_lithium_loss_alone_explains_little_and_says_so():
    worn = fade(run("pouch-ncm90"), None)
    assert worn.spare_mAh_per_cm2 > 1.0
    assert 1 - worn.retention < 1e-3
    assert fade(run("anode-free", "cp"), None).retention < 0.9  # nothing spare: every loss shows


def test_rows_follow_the_curve_of_the_positive():
    done = run("li-ncm811", n_cycles=2)
    rows = done.record.table.filter(pl.col("step_count") == 3)
    assert rows["voltage_volt"].diff().abs().max() < 0.015
    ledger = done.ledger.table.filter(pl.col("step_count") == 3)
    # between the integrator's own steps too, charge is current times time and the account closes
    time, passed = ledger["test_time_second"].to_numpy(), ledger["passed"].to_numpy()
    assert passed - passed[0] == pytest.approx(-2.25 * (time - time[0]) / 3600, abs=1e-9)
    assert ledger["residual"].abs().max() < 1e-8


def test_lost_lithium_makes_no_fade_while_any_is_spare():
    worn = fade(run("li-ncm811", changes={"positive.resistance_growth_ohm_cm2_per_cycle": 2.0}, n_cycles=20))
    assert 1 - worn.retention > 0.01
    assert worn.by_lithium == 0.0
    poor = fade(run("anode-free", "cp"))
    assert poor.by_lithium == pytest.approx(1 - poor.retention, rel=0.2)


def test_a_charge_beyond_what_the_positive_holds_ends_with_the_reason():
    charge = ConstantCurrent(current_density_mA_per_cm2=1.0, areal_capacity_mAh_per_cm2=50.0)
    done = run(Protocol(name="anode-free-over", steps=(charge,)))
    assert done.stopped is not None
    assert done.ledger.final()["positive"] < 0.5


def test_without_losses_an_anode_free_cell_keeps_its_capacity():
    quiet = ("sei", "isolation", "conversion")
    worn = fade(run("anode-free", "cp", without=quiet), None)
    assert 1 - worn.retention < 1e-6


def test_in_an_anode_free_cell_capacity_falls_by_what_is_lost():
    done = run("anode-free", "cp")
    steps = [s for s in done.steps if s.passed_mAh_per_cm2 < 0]
    ends = done.ledger.steps()
    lost = [
        sum(ends.filter(pl.col("step_count") == s.number)[0, n] for n in ("dead_pores", "dead_top", "sei"))
        for s in steps
    ]
    fallen = steps[1].passed_mAh_per_cm2 - steps[-1].passed_mAh_per_cm2
    assert -fallen == pytest.approx(lost[-1] - lost[1], rel=0.02)


def test_a_held_voltage_is_held_and_ends_at_its_current():
    done = run("pouch-ncm90-cccv", n_cycles=2)
    held = [s for s in done.steps if s.kind == "constant-voltage"]
    assert [s.ended_by for s in held] == ["current"] * 2
    rows = done.record.table.filter(pl.col("step_count") == held[0].number)
    assert rows["voltage_volt"].to_numpy() == pytest.approx(4.25, abs=1e-9)
    assert rows["current_ampere"][-1] / done.cell.area_cm2 * 1e3 == pytest.approx(0.05 * 5.018, rel=1e-6)


def test_a_slow_sweep_peaks_where_the_open_circuit_is_flat():
    """i -> dQ/dU times the sweep rate as the rate falls (law of a surface that keeps its equilibrium)."""
    cell = plain_cell()
    part = cell.counter
    up = Ramp(rate_mV_per_s=0.002, to_voltage_V=4.15)
    steps = (ConstantCurrent(current_density_mA_per_cm2=0.02, voltage_V=3.6), Rest(duration_s=36000), up)
    done = simulate(cell, Protocol(name="sweep", steps=steps))
    rows = done.record.table.filter(pl.col("step_count") == 3)
    volt, current = rows["voltage_volt"].to_numpy(), rows["current_ampere"].to_numpy() / cell.area_cm2 * 1e3
    x = np.linspace(part.charged, part.discharged, 4001)
    slope = np.gradient(part.open_circuit_V(x), x)
    sites_mAh = part.areal_capacity_mAh_per_cm2 / (part.discharged - part.charged)
    equilibrium = np.interp(-volt, -part.open_circuit_V(x), -sites_mAh / slope) * 0.002e-3 * 3600
    inside = (volt > 3.65) & (volt < 4.1)
    assert current[inside] == pytest.approx(equilibrium[inside], rel=0.05)


def test_a_sweep_turns_where_it_was():
    """The way back begins at the voltage that was reached, with the current that flowed there."""
    rows = run("li-ncm811-cv", n_cycles=1).record.table
    up, down = (rows.filter(pl.col("step_count") == number) for number in (2, 3))
    assert down["voltage_volt"][0] == pytest.approx(up["voltage_volt"][-1], abs=1e-9)
    assert down["current_ampere"][0] == pytest.approx(up["current_ampere"][-1], rel=1e-3)


def test_the_peak_of_a_sweep_follows_its_rate():
    """As the rate itself while the particles keep their equilibrium, and less once they diffuse too slowly."""
    cell, peaks = plain_cell(), []
    rates = (0.001, 0.002, 0.5, 1.0)
    begin = (ConstantCurrent(current_density_mA_per_cm2=0.02, voltage_V=3.6), Rest(duration_s=36000))
    for rate in rates:
        up = Ramp(rate_mV_per_s=rate, to_voltage_V=4.15)
        rows = simulate(cell, Protocol(name="sweep", steps=(*begin, up))).record.table.filter(pl.col("step_count") == 3)
        peaks.append(rows["current_ampere"].max())
    slow, fast = (np.log2(peaks[k + 1] / peaks[k]) for k in (0, 2))
    assert slow == pytest.approx(1.0, abs=0.02)
    assert 0.2 < fast < 0.9


@pytest.mark.parametrize(
    ("ask", "say"),
    [
        (lambda: run("li-ncm811", model="resolved"), "resolved"),
        (lambda: run(Protocol(name="li-ncm811-x", steps=(ConstantCurrent(rate_C=-0.5, voltage_V=2.8),))), "charging"),
        (lambda: run(Protocol(name="li-ncm811-x", steps=(ConstantCurrent(rate_C=0.5, voltage_V=-4.3),))), "mean 4.3"),
        (lambda: cell_test("cp", "li-ncm811", changes={"counter.thickness_um": 30.0}), "positive"),
        (lambda: cell_test("cp", "aurbach", changes={"positive.porosity": 0.3}), "no positive"),
        (lambda: cell_test("cp", "anode-free", changes={"foil.thickness_um": 30.0}), "no foil"),
        (lambda: cell_test("cp", "li-ncm811", kind="half"), "for a full cell"),
        (lambda: run(Protocol(name="li-ncm811-x", steps=(ConstantCurrent(rate_C=0.5, voltage_V=2.7),))), "raises"),
        (lambda: cell_test("cu", "li-ncm811"), "give a host"),
        (lambda: cell_test("cp", "li-ncm811", kind="ncm811"), "li-ncm811"),
        (lambda: half_cell("cp").with_values_kept(counter=positive("ncm811")), "counter.kind"),
    ],
)
def test_what_cannot_be_is_refused(ask, say):
    with pytest.raises((InputError, ValueError), match=say):
        ask()


def test_a_positive_whose_curve_never_reaches_its_cut_off_still_ends():
    """A published curve as it is, without an end: the discharge ends by what the kinetics let through."""
    curve = Curve(stoichiometry=(0.2, 0.6, 1.0), value=(4.3, 3.9, 3.6))
    part = positive("ncm811").with_values(open_circuit=curve, end_width=0.0)
    cell = full_cell("li-ncm811", "cp").with_values_kept(counter=part)
    done = simulate(cell, named("li-ncm811").model_copy(update={"steps": named("li-ncm811").steps[0].steps}))
    assert [step.ended_by for step in done.steps] == ["voltage", "voltage"]


def test_the_terminals_are_those_of_the_parts():
    model = model_of(full_cell("li-ncm811"), "lumped", (), 1e-4)
    volt, outside, inside = terminals(model.y, model.system, np.zeros(4))
    assert -volt == pytest.approx(2.8, abs=1e-9)  # as made: at the lower voltage, against fresh lithium
    assert outside == inside == 0.0


def test_a_full_cell_holds_a_voltage_for_a_time():
    hold = ConstantVoltage(voltage_V=4.0, duration_s=600.0)
    done = run(Protocol(name="li-ncm811-hold", steps=(hold,)))
    assert done.record.table["voltage_volt"].to_numpy() == pytest.approx(4.0, abs=1e-9)
    assert done.ledger.final()["passed"] < 0  # charged: lithium went to the negative
