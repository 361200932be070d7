"""Laws that the cell obeys whatever its parameters: balances, limits, symmetry."""

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from interlith.cell.mechanisms.kinetics import one_sided
from interlith.cell.simulate import simulate
from interlith.cell_test import cell_test
from interlith.cycling.analyze import analyze
from interlith.ledger import LITHIUM
from interlith.parts.samples import aurbach_efficiency, names
from interlith.protocol import ConstantCurrent, ConstantVoltage, Protocol, Ramp, Repeat, Rest, named
from interlith.units import MILLI

EVERY = [*names()]
QUIET = ("nucleation", "additive", "dead-layer")
NO_LAYER = {"host.double_layer_uF_per_cm2": 1e-3}  # the formulas below count lithium alone
SLOW = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def run(sample, protocol="aurbach", changes=None, without=(), **options):
    asked = cell_test(sample, protocol, changes=changes, without=without)
    return simulate(asked.cell, asked.protocol, without=without, **options)


def cycles_of(n, plated=1.0, current=1.0, cutoff=1.0):
    plate = ConstantCurrent(current_density_mA_per_cm2=-current, areal_capacity_mAh_per_cm2=plated)
    strip = ConstantCurrent(current_density_mA_per_cm2=current, voltage_V=cutoff)
    return Protocol(name="cycles", steps=(Repeat(times=n, steps=(plate, strip)),))


def efficiencies(done):
    passed = [step.passed_mAh_per_cm2 for step in done.steps]
    return np.array(passed[1::2]) / -np.array(passed[0::2])


@pytest.mark.parametrize("sample", EVERY)
@pytest.mark.parametrize("protocol", ["aurbach", "rest-recovery", "cv-zno"])
def test_the_ledger_closes(sample, protocol):
    done = run(sample, protocol)
    assert done.ledger.residual_mAh_per_cm2 < 1e-8
    assert done.record.n_rows == done.ledger.table.height


@pytest.mark.parametrize("sample", ["cp", "cp-zno-002-revival"])
def test_the_charge_of_the_record_is_that_of_the_ledger(sample):
    """The integral of the written current, a sum that the solver never sees."""
    done = run(sample)
    time, current = (done.record.table[c].to_numpy() for c in ("test_time_second", "current_ampere"))
    integral_mAh = np.trapezoid(current, time) / 3.6 / done.cell.area_cm2
    assert integral_mAh == pytest.approx(done.ledger.final()["passed"], abs=1e-9)


def test_without_losses_all_that_is_plated_lies_there():
    """Faraday: 1 mAh/cm2 is 1 mAh/cm2 of lithium and what the double layer took."""
    plate = Protocol(
        name="plate", steps=(ConstantCurrent(current_density_mA_per_cm2=-1, areal_capacity_mAh_per_cm2=1.0),)
    )
    asked = cell_test("cp", plate)
    end = simulate(asked.cell, asked.protocol, without=("sei", "isolation")).ledger.final()
    layer = 870 * 10e-6 * (1.5 + 0.002) / 3.6
    assert end["active_pores"] + end["active_top"] == pytest.approx(1.0 - layer, abs=2e-5)
    assert end["counter_active"] == pytest.approx(100 * 0.20623 * 2.011 / 1.131 - 1.0, abs=2e-3)


@SLOW
@given(gamma=st.floats(1e-4, 0.1), chi=st.floats(1e-4, 0.3))
def test_fast_bookkeeping_limit(gamma, chi):
    """Cycles from empty to empty: efficiency (1 - gamma) / (1 + chi), the LOSS to 1e-4 of itself."""
    changes = {
        **NO_LAYER,
        "host.sei_per_plated": gamma,
        "host.isolated_per_stripped": chi,
        "host.isolation_exponent": 0.0,
    }
    done = run("cp", cycles_of(3), changes, without=QUIET, relative_tolerance=1e-8)
    loss = 1 - efficiencies(done)[1:]
    assert loss == pytest.approx(1 - (1 - gamma) / (1 + chi), rel=1e-4)


def test_revival_that_is_fast_leaves_the_sei_alone_as_a_loss():
    changes = {
        **NO_LAYER,
        "host.sei_per_plated": 0.01,
        "host.revival_rate_per_s": 1.0,
        "host.revival_reach": "everywhere",
    }
    done = run("cp", cycles_of(4), changes, without=QUIET, relative_tolerance=1e-8)
    assert 1 - efficiencies(done)[1:] == pytest.approx(0.01, rel=2e-3)


@SLOW
@given(k=st.floats(1e-5, 1e-2))
def test_efficiency_with_revival_is_that_of_its_net_isolation(k):
    """chi_net from the account itself, isolated less revived per stripped, put into the same formula."""
    changes = {
        **NO_LAYER,
        "host.isolation_exponent": 0.0,
        "host.revival_rate_per_s": k,
        "host.revival_reach": "everywhere",
    }
    done = run("cp", cycles_of(6), changes, without=QUIET, relative_tolerance=1e-8)
    ends = done.ledger.steps().filter(pl.col("step_count") % 2 == 0)
    dead = ends["dead_pores"] + ends["dead_top"]
    stripped = np.array([step.passed_mAh_per_cm2 for step in done.steps[1::2]])
    chi_net = np.diff(dead.to_numpy()) / stripped[1:]
    assert 1 - efficiencies(done)[1:] == pytest.approx(1 - (1 - 0.02) / (1 + chi_net), rel=1e-4)


def test_kinetics_are_linear_near_zero_and_tafel_far_from_it():
    f, j = 38.92, 70.0
    assert one_sided(1e-6, f, j) == pytest.approx(j * f * 1e-6, rel=1e-6)
    decade = np.log(10) * 2 / f
    assert one_sided(0.5 + decade, f, j) / one_sided(0.5, f, j) == pytest.approx(10, rel=1e-6)
    assert one_sided(-0.1, f, j) == 0.0


def test_a_bare_symmetric_cell_mirrors():
    def to_and_fro(first):
        steps = [
            ConstantCurrent(current_density_mA_per_cm2=s * 1.0, areal_capacity_mAh_per_cm2=1.0)
            for s in (first, -first, first)
        ]
        return Protocol(name="symmetric-mirror", steps=tuple(steps))

    one, other = (run("cp", to_and_fro(s)) for s in (-1, 1))
    voltage = [done.record.table["voltage_volt"].to_numpy() for done in (one, other)]
    grid = np.linspace(1.0, 3 * 3600 - 1.0, 500)
    at = [
        np.interp(grid, d.record.table["test_time_second"].to_numpy(), v)
        for d, v in zip((one, other), voltage, strict=True)
    ]
    np.testing.assert_allclose(at[0], -at[1], atol=1e-5)
    assert np.abs(at[0]).max() > 1e-3


@pytest.mark.parametrize("sample", [name for name in EVERY if aurbach_efficiency(name)])
def test_the_samples_meet_the_efficiency_they_were_fitted_to(sample):
    """Calibrated, so no prediction: that the shipped numbers still are the fit."""
    found = analyze(run(sample).record).outcomes["reservoir"].values["efficiency"]
    assert found == pytest.approx(aurbach_efficiency(sample), abs=5e-4)


@pytest.mark.parametrize("sample", ["cp", "cp-zno-020"])
def test_the_analysis_finds_the_loss_that_the_ledger_knows(sample):
    """Reservoir test through `analyze` as a file would go; conversion off, so that nothing but lithium is counted."""
    done = run(sample, without=("conversion",), relative_tolerance=1e-9)
    values = analyze(done.record).outcomes["reservoir"].values
    steps = done.ledger.steps()
    lost = (steps["dead_pores"] + steps["dead_top"] + steps["sei"]).to_numpy()
    passed = np.array([step.passed_mAh_per_cm2 for step in done.steps])
    own = (lost[-1] - lost[1]) / -passed[passed < 0][1:].sum()
    raw = 1 - passed[passed > 0][1:].sum() / -passed[passed < 0][1:].sum()
    assert raw == pytest.approx(own, abs=1e-6)
    assert values["loss"] == pytest.approx(own, rel=2e-3)


def test_zero_volts_is_a_real_cutoff():
    plate = ConstantCurrent(current_density_mA_per_cm2=-0.1, areal_capacity_mAh_per_cm2=1.0, voltage_V=0.0)
    done = run("cp", Protocol(name="to-zero", steps=(plate,)))
    assert done.steps[0].ended_by == "voltage"
    assert done.record.table["voltage_volt"][-1] == pytest.approx(0.0, abs=1e-8)
    assert done.ledger.final()["active_pores"] < 1e-6


def test_conversion_takes_two_electrons_and_the_alloy_half_as_many():
    hold = ConstantVoltage(voltage_V=0.05, duration_s=3600.0)
    end = run("cp-zno-002", Protocol(name="hold", steps=(hold,))).ledger.final()
    charge = 0.124 / 1000 / 81.379 * 96485.33212 / 3.6
    assert end["converted"] == pytest.approx(2 * charge, rel=1e-6)
    assert end["alloyed"] == pytest.approx(charge, rel=5e-3)
    assert end["active_pores"] == pytest.approx(0.0, abs=1e-9)


def test_a_ramp_runs_at_its_rate():
    done = run("cp-zno-002", Protocol(name="ramp", steps=(Ramp(rate_mV_per_s=1.0, to_voltage_V=0.1),)))
    table = done.record.table
    assert table["voltage_volt"][-1] == pytest.approx(0.1, abs=1e-8)
    slope = np.diff(table["voltage_volt"].to_numpy()) / np.diff(table["test_time_second"].to_numpy())
    assert slope == pytest.approx(np.full(len(slope), -MILLI), rel=1e-6)


def test_a_long_rest_gives_back_what_only_revival_can():
    """The experiment that the paper's claim asks for: what a second strip finds after a rest in the stripped state."""
    found = {}
    for sample in ("cp-zno-002", "cp-zno-002-revival"):
        passed = np.array([step.passed_mAh_per_cm2 for step in run(sample, "rest-recovery").steps]).reshape(-1, 4)
        found[sample] = passed[5:10, 3].mean() - passed[:5, 3].mean()
    assert found["cp-zno-002-revival"] > 5e-3
    assert abs(found["cp-zno-002"]) < 1e-3


def test_a_short_shows_in_the_ledger_and_lets_it_close():
    changes = {"cell.short_conductance_S_per_cm2": 1e-3, "cell.short_onset_mAh_per_cm2": 0.0}
    done = run("cp", "symmetric-1", changes)
    assert abs(done.ledger.table["shorted"].abs().max()) > 1e-4
    assert done.ledger.residual_mAh_per_cm2 < 1e-7
    assert run("cp", "symmetric-1", changes, without=("soft-short",)).ledger.final()["shorted"] == 0.0


@pytest.mark.parametrize("name", ["sei", "isolation", "conversion"])
def test_a_mechanism_that_is_off_leaves_its_entry_empty(name):
    entry = {"sei": "sei", "isolation": "dead_pores", "conversion": "converted"}[name]
    assert run("cp-zno-020").ledger.final()[entry] > 1e-3
    assert run("cp-zno-020", without=(name,)).ledger.final()[entry] == 0.0


def test_dead_lithium_on_top_raises_the_voltage():
    changes = {"host.top_area_m2_per_m2": 10.0}
    polarization = [
        run("cp", "half-cell-5", changes, without=off).record.table.filter(pl.col("step_count") == 40)["voltage_volt"][
            5
        ]
        for off in ((), ("dead-layer",))
    ]
    assert abs(polarization[0]) > abs(polarization[1]) + 1e-3


def test_rests_change_nothing_but_what_is_revived():
    steps = (*cycles_of(1).steps, Rest(duration_s=36000.0))
    done = run("cp", Protocol(name="rest", steps=steps))
    ends = done.ledger.steps()
    for name in LITHIUM:
        assert ends[name][-1] == pytest.approx(ends[name][-2], abs=1e-6)


def test_lithium_goes_nowhere_else():
    """Sum over all places: constant but for what the double layers hold."""
    table = run("cp-zno-002-revival").ledger.table
    total = table.select(pl.sum_horizontal(LITHIUM) + pl.col("double_layer")).to_series().to_numpy()
    assert np.ptp(total) < 1e-8


def test_named_protocols_all_run_or_say_why_they_stop():
    for name in ("half-cell-1", "symmetric-3", "strip-rate-sweep"):
        done = run("cp", name)
        planned = sum(1 for _ in named(name).executed())
        assert len(done.steps) == planned or "used up" in done.stopped
