"""What is read from a simulated test, and how well it is known."""

import numpy as np
import polars as pl
import pytest
from pytest import approx

from interlith.cell.inference.noise import SOURCES, Errors, Noise, errors, stacked
from interlith.cell.inference.observe import OBSERVABLES, errors_of, observe, walked
from interlith.cell.simulate import simulate
from interlith.cell_test import cell_test
from interlith.cycling.analyze import analyze
from interlith.errors import InputError
from interlith.protocol import reservoir


def done(sample="cp", protocol="aurbach"):
    asked = cell_test(sample, protocol)
    return simulate(asked.cell, asked.protocol)


@pytest.mark.parametrize("sample", ["cp", "cp-zno-002", "cp-zno-002-revival"])
def test_reservoir_efficiency_is_the_one_that_a_measured_record_gives(sample):
    test = done(sample)
    found = analyze(test.record).outcomes["reservoir"].values["efficiency"]
    assert 1 - observe(test, "ce_reservoir")[0] == approx(1 - found, rel=5e-3)


def test_efficiency_of_cycles_is_stripped_over_plated():
    test = done("cp-zno-002-revival", "rest-recovery")
    steps = [s.passed_mAh_per_cm2 for s in test.steps]
    second = observe(test, "ce_cycle")[0]
    assert second == approx((steps[5] + steps[7]) / -steps[4])


def test_charge_after_a_rest_comes_by_length_of_rest():
    short, long = observe(done("cp-zno-002-revival", "rest-recovery"), "recovered_mAh_per_cm2")
    assert long > 4 * short
    short, long = observe(done("cp-zno-002", "rest-recovery"), "recovered_mAh_per_cm2")
    assert long == approx(short, rel=1e-2)


@pytest.mark.parametrize(
    ("protocol", "name"),
    [
        ("aurbach", "ce_cycle"),
        ("aurbach", "recovered_mAh_per_cm2"),
        ("strip-rate-sweep", "ce_reservoir"),
        ("symmetric-1", "ce_cycle"),
        ("cv-zno", "overpotential_mV"),
        ("aurbach", "resistance_ohm_cm2"),
    ],
)
def test_the_wrong_kind_of_test_is_refused(protocol, name):
    test = done("cp", protocol)
    with pytest.raises(InputError, match="wrong kind of test"):
        observe(test, name)


def test_an_unknown_observable_names_the_nearest():
    with pytest.raises(InputError, match="Did you mean ce_reservoir"):
        observe(done(), "ce_reservoire")


def test_what_a_cell_did_not_live_to_give_is_not_a_number():
    thin = cell_test("cp", reservoir(n_cycles=40), changes={"counter.thickness_um": 6.0})
    test = simulate(thin.cell, thin.protocol)
    assert test.stopped is not None
    assert np.isnan(observe(test, "ce_reservoir")[0])


def test_steps_are_in_the_cycles_of_the_simulation():
    test = done("cp", "rest-recovery")
    assert [s.cycle for s in walked(test)] == [s.cycle for s in test.steps]


def test_offset_is_what_it_adds_to_a_charge():
    """An offset of 1 uA on 1 cm2 adds its current times the time to what is stripped, and takes it from the plated."""
    test = done("cp-zno-002")
    silent = {source.name: 0.0 for source in SOURCES}
    noise = Noise().with_values(**{**silent, "current_offset": 2e-4, "current_range_mA": 5.0})
    ce = observe(test, "ce_reservoir")[0]
    last = test.steps[-1].passed_mAh_per_cm2
    expected = 1e-3 / test.cell.area_cm2 * (10 + last + ce * 13) / 13
    assert errors_of(test, "ce_reservoir", noise).sigma()[0] == approx(expected, rel=1e-6)


def test_more_cells_shrink_their_own_errors_and_no_others():
    both = errors(2, common=(0.3,), cell=(0.4,), each=0.0)
    assert both.sigma() == approx([0.5, 0.5])
    assert both.covariance(1e12)[0, 1] == approx(0.09)
    two = stacked([both, both]).covariance()
    assert two[0, 1] == approx(0.25)
    assert two[0, 2] == 0.0


@pytest.mark.parametrize("name", list(OBSERVABLES))
def test_every_observable_has_errors_of_its_shape(name):
    for protocol in ("aurbach", "rest-recovery"):
        test = done("cp-zno-002-revival", protocol)
        if OBSERVABLES[name].missing(test.protocol):
            continue
        found = errors_of(test, name, Noise())
        assert isinstance(found, Errors)
        assert len(found.sigma()) == len(observe(test, name))
        assert np.all(found.sigma() > 0)


def test_the_table_of_noise_has_ranges_and_refuses_what_it_does_not_know():
    for row in Noise().with_values(voltage_mV=2.0).table():
        assert row["low"] <= row["value"] <= row["high"]
        assert row["kind"] == ("stated" if row["name"] == "voltage_mV" else "assumed")
    with pytest.raises(InputError, match="Did you mean voltage_mV"):
        Noise().with_values(voltage_mv=1.0)
    with pytest.raises(InputError, match="0 or above"):
        Noise().with_values(voltage_mV=-1.0)


def test_a_spectrum_is_read_once_a_decade():
    asked = cell_test("cp", "eis")
    done = simulate(asked.cell, asked.protocol)
    spectra = done.record.spectra()
    last = spectra.filter(pl.col("spectrum") == pl.col("spectrum").max())
    found = observe(done, "impedance_ohm_cm2")
    n = len(found) // 2
    real = last["real_impedance_ohm"].to_numpy() * asked.cell.area_cm2
    imaginary = last["imaginary_impedance_ohm"].to_numpy() * asked.cell.area_cm2
    decades = np.log10(last["frequency_hertz"].to_numpy())
    assert n == np.floor(decades.max()) - np.ceil(decades.min()) + 1
    at_1_kHz = int(np.argmin(np.abs(decades - 3.0)))
    assert found[:n][-np.round(decades.min()).astype(int) + 3] == real[at_1_kHz]
    assert found[n:][-np.round(decades.min()).astype(int) + 3] == -imaginary[at_1_kHz]
    assert observe(done, "resistance_ohm_cm2")[0] == pytest.approx(real[-1])


def test_retention_is_that_of_a_full_cell_and_of_no_other():
    asked = cell_test("cp", "anode-free")
    worn = simulate(asked.cell, asked.protocol, nominal_mAh_per_cm2=asked.nominal_mAh_per_cm2)
    discharges = [step.passed_mAh_per_cm2 for step in worn.steps if step.passed_mAh_per_cm2 < 0][1:]
    assert observe(worn, "retention")[0] == approx(discharges[-1] / discharges[0])
    with pytest.raises(InputError, match="full cell"):
        observe(done("cp", "aurbach"), "retention")
