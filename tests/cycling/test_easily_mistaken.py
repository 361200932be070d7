"""Tests that are easily taken for something else: each once gave a wrong number or a false alarm."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from pytest import approx

from interlith import protocol
from interlith.cycling.analyze import analyze
from interlith.cycling.synthetic import ToyCell, examples, run
from interlith.cycling.uncertainty import instrument
from interlith.protocol import Protocol, Repeat

TESTS = {example.name: example.record for example in examples()}


def symmetric(n_cycles=30, current=1.0, **cell):
    steps = protocol.symmetric(n_cycles=n_cycles, current_density_mA_per_cm2=current)
    return run(steps, ToyCell("symmetric", noise_V=3e-4, **cell), sampling_s=20.0)


def host(n_cycles=10, loss=0.02, **cell):
    steps = protocol.efficiency(n_cycles=n_cycles)
    return run(steps, ToyCell("host", loss=lambda cycle: loss, **cell), sampling_s=10.0)


def shaped(record, voltage):
    """The record with its voltage as a function of the fraction of each step that has passed."""
    time, step = pl.col("test_time_second"), "step_count"
    part = ((time - time.min().over(step)) / (time.max().over(step) - time.min().over(step))).alias("part")
    return replace(record, table=record.table.with_columns(part).with_columns(voltage_volt=voltage).drop("part"))


class TestSymmetricCells:
    @pytest.mark.parametrize("resistance", [100.0, 150.0, 400.0])
    def test_a_high_polarization_is_no_host(self, resistance):
        found = analyze(symmetric(resistance_ohm_cm2=resistance))
        assert found.cycled.kind == "symmetric"
        assert found.outcomes["shorts"].values["verdict"] == "none seen"

    @pytest.mark.parametrize("shape", ["spike", "arc", "peak"])
    def test_a_peaking_or_arcing_trace_is_no_host_and_no_short(self, shape):
        x = pl.col("part")
        size = {"spike": 0.05 + 0.2 * (x > 0.97), "arc": 0.05 + 0.1 * x**4, "peak": 0.05 + 0.1 * (-20 * x).exp()}[shape]
        found = analyze(shaped(symmetric(), size * pl.col("current_ampere").sign()))
        assert found.cycled.kind == "symmetric"
        assert found.outcomes["shorts"].values["verdict"] == "none seen"

    def test_two_unlike_electrodes_are_no_short(self):
        uneven = pl.col("voltage_volt") * pl.when(pl.col("current_ampere") > 0).then(1.7).otherwise(1.0)
        found = analyze(shaped(symmetric(resistance_ohm_cm2=50.0), uneven))
        assert found.outcomes["shorts"].values["verdict"] == "none seen"

    def test_a_lower_current_is_no_short(self):
        fast, slow = (protocol.symmetric(n_cycles=15, current_density_mA_per_cm2=i).steps for i in (3.0, 0.2))
        cell = ToyCell("symmetric", resistance_ohm_cm2=30.0, noise_V=1e-4)
        found = analyze(run(Protocol(name="rates", steps=(*fast, *slow)), cell, sampling_s=20))
        assert found.outcomes["shorts"].values["verdict"] == "none seen"
        assert found.outcomes["life"].values["polarization"]["cycle"] is None

    def test_a_higher_current_is_no_end_of_life(self):
        slow, fast = (protocol.symmetric(n_cycles=15, current_density_mA_per_cm2=i).steps for i in (1.0, 3.0))
        cell = ToyCell("symmetric", resistance_ohm_cm2=30.0)
        life = analyze(run(Protocol(name="rates", steps=(*slow, *fast)), cell, sampling_s=20)).outcomes["life"].values
        assert life["polarization"]["cycle"] is None

    @pytest.mark.parametrize("tau_h", [3.0, 6.0])
    def test_a_cell_that_settles_has_no_short(self, tau_h):
        cell = {"leak": lambda t: 1 - (0.15 + 0.85 * np.exp(-t / tau_h)), "resistance_ohm_cm2": 260.0}
        outcome = analyze(symmetric(**cell)).outcomes["shorts"]
        assert outcome.values["verdict"] == "none seen"
        assert any("settling, or a slow short" in note for note in outcome.notes)

    def test_a_cell_low_from_the_beginning_is_not_called_sound(self):
        outcome = analyze(symmetric(resistance_ohm_cm2=4.0)).outcomes["shorts"]
        assert any("cannot be excluded" in note for note in outcome.notes)

    def test_a_short_is_not_over_because_the_current_rose(self):
        low, high = (protocol.symmetric(n_cycles=15, current_density_mA_per_cm2=i).steps for i in (1.0, 4.0))
        cell = ToyCell("symmetric", resistance_ohm_cm2=50.0, leak=lambda t: np.where(t > 20, 0.6, 0.0))
        values = analyze(run(Protocol(name="p", steps=(*low, *high)), cell, sampling_s=20)).outcomes["shorts"].values
        assert values["first_short_h"] == approx(20, abs=0.3)
        assert values["first_is_transient"] is False


class TestHosts:
    def test_capacity_that_the_host_takes_and_gives_back_is_not_lithium(self):
        """3 % of the charge goes into the host above 0 V and comes back above 0.15 V: the metal still loses 2 %."""
        x, step = pl.col("part"), pl.col("step_count")
        plate, strip = step % 4 == 1, step % 4 == 3
        voltage = (
            pl.when(plate & (x < 0.03))
            .then(0.3)
            .when(plate)
            .then(-0.02)
            .when(strip & (x > 0.97))
            .then(0.3 + 0.7 * (x > 0.999))
            .when(strip)
            .then(0.02)
            .otherwise(0.0)
        )
        found = analyze(shaped(host(loss=0.02 * 0.97), voltage))
        values = found.outcomes["efficiency"].values
        assert values["loss"] == approx(0.02, rel=0.05)
        assert found.outcomes["shorts"].values["verdict"] == "none seen"
        assert found.outcomes["conversion"].values["returned_mAh"] > 0.2

    @pytest.mark.parametrize("noise_V", [0.002, 0.004])
    def test_noise_about_0_V_is_no_conversion(self, noise_V):
        found = analyze(host(resistance_ohm_cm2=5.0, noise_V=noise_V))
        assert found.outcomes["efficiency"].values["loss"] == approx(0.02, rel=0.03)
        assert found.outcomes["shorts"].values["verdict"] == "none seen"

    def test_a_last_strip_that_stops_early_gives_no_reservoir_efficiency(self):
        record = TESTS["reservoir"]
        last = record.table["step_count"].max()
        begin = record.table.filter(pl.col("step_count") == last)["test_time_second"].min()
        cut = record.table.filter(pl.col("test_time_second") < begin + 2 * 3600)
        rest = cut[-1:].with_columns(
            pl.col("test_time_second") + 60,
            pl.lit(0.0).alias("current_ampere"),
            pl.lit(99, dtype=pl.Int64).alias("step_count"),
        )
        outcome = analyze(replace(record, table=pl.concat([cut, rest])), kind="reservoir").outcomes["reservoir"]
        assert "did not reach the cut-off" in outcome.why_not

    def test_a_small_last_strip_to_the_cut_off_is_complete(self):
        cell = ToyCell("host", loss=lambda cycle: 0.1)
        steps = protocol.reservoir(reservoir_mAh_per_cm2=1.9, n_cycles=8, formation_current_mA_per_cm2=None)
        values = analyze(run(steps, cell, sampling_s=10.0)).outcomes["reservoir"].values
        assert values["final_strip_mAh"] < 0.95
        assert values["loss"] == approx(0.1, rel=1e-4)

    def test_a_second_reservoir_test_in_the_record_is_pointed_out(self):
        steps = protocol.reservoir(n_cycles=6, formation_current_mA_per_cm2=None).steps
        record = run(
            Protocol(name="two", steps=(*steps, *steps)), ToyCell("host", loss=lambda c: 0.02), sampling_s=20.0
        )
        outcome = analyze(record).outcomes["reservoir"]
        assert outcome.values["loss"] == approx(0.02, rel=1e-4)
        assert any("1 more reservoir tests" in note for note in outcome.notes)

    def test_an_insertion_electrode_stated_as_a_host_plates_nothing(self):
        lifted = host()
        lifted = replace(lifted, table=lifted.table.with_columns(pl.col("voltage_volt").abs() + 0.1))
        found = analyze(lifted, kind="efficiency")
        assert found.cycled.cycles["efficiency"].count() == 0
        assert "nothing was plated below 0 V" in found.cycled.cycles["no_efficiency_because"][0]
        assert "kind_conflict" in [flag.code for flag in found.flags]

    def test_an_offset_seen_at_rest_is_measured_not_assumed(self):
        record = TESTS["efficiency"]
        resting = pl.when(pl.col("current_ampere") == 0).then(2e-8).otherwise(pl.col("current_ampere"))
        seen = replace(record, table=record.table.with_columns(resting.alias("current_ampere")))
        known = instrument(analyze(seen).cycled).offset
        assert known.kind == "measured"
        assert known.value == approx(0.02, rel=0.05)
        assert instrument(analyze(record).cycled).offset.kind == "assumed"

    def test_first_cycles_at_another_current_are_pointed_out(self):
        slow, fast = (
            protocol.efficiency(n_cycles=n, current_density_mA_per_cm2=i).steps for n, i in ((3, 0.2), (20, 1.0))
        )
        record = run(Protocol(name="p", steps=(*slow, *fast)), ToyCell("host", loss=lambda c: 0.02), sampling_s=60)
        assert any("formation_cycles=3" in note for note in analyze(record).outcomes["efficiency"].notes)


class TestFullCells:
    def test_slow_first_cycles_do_not_hide_the_others(self):
        slow, fast = (protocol.full(n_cycles=n, current_density_mA_per_cm2=i).steps for n, i in ((2, 0.1), (38, 1.0)))
        cell = ToyCell("full", loss=lambda cycle: 0.005)
        values = (
            analyze(run(Protocol(name="p", steps=(*slow, *fast)), cell, sampling_s=120)).outcomes["retention"].values
        )
        assert (values["n_cycles"], values["reference_cycle"], values["last_cycle"]) == (38, 3, 40)
        assert values["retention"] == approx(0.995**37, rel=1e-6)

    def test_one_deeper_discharge_leaves_the_others_their_efficiency(self):
        record = TESTS["full"]
        deep = (pl.col("step_count") == 43) & (pl.col("voltage_volt") < 2.802)
        lower = pl.when(deep).then(pl.lit(2.5)).otherwise(pl.col("voltage_volt")).alias("voltage_volt")
        table = analyze(replace(record, table=record.table.with_columns(lower))).cycled.cycles
        assert table["efficiency"].count() == 50

    def test_one_bad_cycle_is_not_the_end(self):
        cycle = protocol.full(n_cycles=1).steps[0].steps
        fast = protocol.full(n_cycles=1, current_density_mA_per_cm2=1.0, lower_V=3.4).steps[0].steps
        steps = (Repeat(times=10, steps=cycle), *fast, Repeat(times=10, steps=cycle))
        life = analyze(run(Protocol(name="p", steps=steps), ToyCell("full"), sampling_s=60)).outcomes["life"].values
        assert life["retention_below_80_percent"]["state"] == "not reached in 21 cycles"


def test_a_rule_of_life_that_cannot_be_judged_says_so():
    life = analyze(host(n_cycles=6)).outcomes["life"].values
    assert life["erratic"]["state"].startswith("not judged: needs 25 cycles")
    assert life["efficiency_below_90_percent"]["state"] == "not reached in 6 cycles"


def test_cycles_without_an_efficiency_part_those_beside_them():
    from interlith.cycling.life import first_of_run

    spent = np.array([True, True, True])
    assert first_of_run(np.array([1, 11, 21]), spent, 3, together=True) is None
    assert first_of_run(np.array([11, 12, 13]), spent, 3, together=True) == 11
