"""Each analysis against a synthetic test of known truth, and the cases in which it must stay silent."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from pytest import approx

from interlith import protocol
from interlith.cycling.analyze import analyze
from interlith.cycling.cycles import LEFT_BEFORE, NOT_EMPTY, NOT_OUT
from interlith.cycling.erratic import running_median
from interlith.cycling.synthetic import ToyCell, examples, run
from interlith.cycling.thresholds import NAMES, Thresholds, thresholds_from
from interlith.errors import InputError
from interlith.units import LITHIUM_mAh_PER_mg

TESTS = {example.name: example for example in examples()}


def host(loss=0.02, n_cycles=30, sampling_s=20.0, **cell):
    losses = loss if callable(loss) else lambda cycle: loss
    return run(protocol.efficiency(n_cycles=n_cycles), ToyCell("host", loss=losses, **cell), sampling_s=sampling_s)


def stopped(record, step, after_s):
    """The record of a test in which one step was ended early and the next begun at once."""
    time, inside = pl.col("test_time_second"), pl.col("step_count") == step
    begin, end = (getattr(record.table.filter(inside)["test_time_second"], what)() for what in ("min", "max"))
    kept = record.table.filter(~(inside & (time > begin + after_s)))
    later = pl.when(pl.col("step_count") > step).then(time - (end - begin - after_s)).otherwise(time)
    return replace(record, table=kept.with_columns(later.alias("test_time_second")))


def changed(record, *columns):
    return replace(record, table=record.table.with_columns(*columns))


@pytest.mark.parametrize("name", TESTS)
def test_demo_truths_are_found(name):
    example = TESTS[name]
    outcomes = analyze(example.record).outcomes
    for quantity, truth in example.truth.items():
        analysis, key = example.found_at[quantity]
        got = outcomes[analysis].values[key]
        if "efficiency" in quantity:
            assert 1 - got == approx(1 - truth, rel=1e-6)
        elif quantity == "erratic_onset_cycle":
            assert abs(got - truth) <= 5
        elif isinstance(truth, bool):
            assert got is truth
        else:
            assert got == approx(truth, rel=0.02)


class TestReservoir:
    def test_a_reservoir_used_up_gives_only_a_bound(self):
        cell = ToyCell("host", loss=lambda cycle: 0.2)
        record = run(
            protocol.reservoir(reservoir_mAh_per_cm2=2.0, n_cycles=20, formation_current_mA_per_cm2=None), cell
        )
        outcome = analyze(record, kind="reservoir").outcomes["reservoir"]
        assert "used up" in outcome.why_not
        assert "efficiency" not in outcome.values
        assert outcome.values["efficiency_at_most"] < 1

    def test_a_record_that_ends_before_the_last_strip_has_none(self):
        record = TESTS["reservoir"].record
        last = record.table["step_count"].max()
        outcome = analyze(replace(record, table=record.table.filter(pl.col("step_count") < last))).outcomes["reservoir"]
        assert "before the last strip" in outcome.why_not
        assert "efficiency" not in outcome.values

    def test_more_stripped_than_plated_has_none(self):
        record = TESTS["reservoir"].record
        last = record.table["step_count"].max()
        more = (
            pl.when(pl.col("step_count") == last)
            .then(pl.col("current_ampere") * 1.2)
            .otherwise(pl.col("current_ampere"))
        )
        outcome = analyze(changed(record, more.alias("current_ampere"))).outcomes["reservoir"]
        assert "more was stripped than plated" in outcome.why_not
        assert "efficiency" not in outcome.values

    def test_an_interrupted_branch_has_none(self):
        record = TESTS["reservoir"].record
        inside = pl.col("test_time_second").is_between(20.5 * 3600, 20.9 * 3600)
        found = analyze(replace(record, table=record.table.filter(~inside)))
        assert "interrupted" in found.outcomes["reservoir"].why_not

    def test_inner_cycles_have_no_efficiency_of_their_own(self):
        table = analyze(TESTS["reservoir"].record).cycled.cycles
        assert table["efficiency"].is_null().to_list() == [False] + [True] * 11


class TestCycles:
    def test_an_interrupted_branch_has_no_efficiency_and_says_why(self):
        record = host(n_cycles=6)
        third = record.table.filter(pl.col("step_count") == 9)["test_time_second"]
        inside = pl.col("test_time_second").is_between(third.min() + 600, third.min() + 1800)
        found = analyze(replace(record, table=record.table.filter(~inside)))
        row = found.cycled.cycles.filter(pl.col("efficiency").is_null())
        assert row["cycle"].to_list() == [3]
        assert "plate interrupted: a gap before data row" in row["no_efficiency_because"][0]
        assert "gap" in [flag.code for flag in found.flags]
        whole = analyze(record).cycled.half_cycles["charge_mAh"][4]
        assert found.cycled.half_cycles["charge_mAh"][4] == approx(whole * (1 - 1200 / 3600), rel=0.02)

    def test_a_gap_that_the_testers_counter_confirms_is_none(self):
        record = host(n_cycles=6)
        amount = pl.col("current_ampere").abs() * pl.col("test_time_second").diff().fill_null(0) / 3600
        with_counter = changed(
            record,
            pl.when(pl.col("current_ampere") > 0).then(amount).otherwise(0).cum_sum().alias("charging_capacity_ah"),
            pl.when(pl.col("current_ampere") < 0).then(amount).otherwise(0).cum_sum().alias("discharging_capacity_ah"),
        )
        third = record.table.filter(pl.col("step_count") == 9)["test_time_second"]
        inside = pl.col("test_time_second").is_between(third.min() + 600, third.min() + 1800)
        found = analyze(replace(with_counter, table=with_counter.table.filter(~inside)))
        assert found.cycled.cycles["efficiency"].null_count() == 0
        assert 1 - found.cycled.cycles["efficiency"][2] == approx(0.02, rel=1e-3)

    def test_a_strip_that_stops_early_has_none_nor_has_the_next(self):
        record = host(n_cycles=6)
        table = analyze(stopped(record, step=11, after_s=1000)).cycled.cycles
        assert table["no_efficiency_because"][2] == NOT_OUT
        assert table["no_efficiency_because"][3] == LEFT_BEFORE
        assert table["efficiency"].null_count() == 2

    def test_a_full_cell_that_began_charged_has_no_first_efficiency(self):
        steps = protocol.full(n_cycles=4).steps[0].steps
        cell = ToyCell("full", loss=lambda cycle: 0.002)
        cell.plated_mAh = 3.0
        record = run(protocol.Protocol(name="p", steps=(protocol.Repeat(times=4, steps=steps),)), cell)
        table = analyze(record).cycled.cycles
        assert "charged before the record began" in table["no_efficiency_because"][0]
        assert 1 - table["efficiency"][1] == approx(0.002, rel=1e-6)

    def test_a_discharge_that_stops_early_has_none(self):
        record = TESTS["full"].record
        table = analyze(stopped(record, step=7, after_s=7000)).cycled.cycles
        assert table["no_efficiency_because"][1] == NOT_EMPTY

    def test_a_test_still_running_has_no_last_efficiency(self):
        record = host(n_cycles=6)
        end = record.table["test_time_second"].max()
        table = analyze(
            replace(record, table=record.table.filter(pl.col("test_time_second") < end - 1800))
        ).cycled.cycles
        assert "record ends in it" in table["no_efficiency_because"][5]
        assert table["efficiency"].count() == 5


class TestStatistics:
    def test_mean_pooled_and_cumulative(self):
        record = host(loss=lambda cycle: 0.01 + 0.001 * cycle, n_cycles=10)
        losses = 0.01 + 0.001 * np.arange(10)
        values = analyze(record).outcomes["efficiency"].values
        assert values["loss"] == approx(losses.mean(), rel=1e-6)
        assert 1 - values["stripped_over_plated"] == approx(losses.mean(), rel=1e-6)
        assert values["cumulative_efficiency"] == approx(np.prod(1 - losses), rel=1e-6)
        assert values["cycles_per_capacity_of_excess"] == approx(1 / losses.mean(), rel=1e-6)

    def test_formation_is_apart(self):
        record = host(loss=lambda cycle: 0.3 if cycle < 2 else 0.01, n_cycles=10)
        values = analyze(record, thresholds=Thresholds(formation_cycles=2)).outcomes["efficiency"].values
        assert values["loss"] == approx(0.01, rel=1e-6)
        assert values["n_cycles"] == 8
        assert [1 - e for e in values["formation_efficiencies"]] == approx([0.3, 0.3], rel=1e-6)

    def test_an_outlier_is_an_event_and_stays_in(self):
        record = host(loss=lambda cycle: 0.5 if cycle == 4 else 0.01, n_cycles=10)
        outcome = analyze(record).outcomes["efficiency"]
        assert [event.cycle for event in outcome.events] == [5]
        assert outcome.values["n_cycles"] == 10

    def test_lost_lithium_is_weighed(self):
        values = analyze(host(loss=0.02, n_cycles=10)).outcomes["attribution"].values
        assert values["lost_mAh"] == approx(0.2, rel=1e-6)
        assert values["lost_as_lithium_mg"] == approx(0.2 / LITHIUM_mAh_PER_mg, rel=1e-6)
        assert values["dead_lithium_mAh"] == [0.0, values["lost_mAh"]]
        assert "titration" in values["needs"]

    def test_lithium_capacity_is_the_textbooks(self):
        assert LITHIUM_mAh_PER_mg * 1e3 == approx(3861, abs=2)


class TestErratic:
    def test_a_steady_cell_has_no_onset(self):
        scatter = np.random.default_rng(1).normal(0, 1e-3, 80)
        outcome = analyze(host(loss=lambda cycle: 0.02 + scatter[cycle], n_cycles=80)).outcomes["erratic"]
        assert outcome.values["onset_cycle"] is None

    def test_a_slow_fade_is_not_erratic(self):
        outcome = analyze(host(loss=lambda cycle: 0.01 + 0.001 * cycle, n_cycles=80)).outcomes["erratic"]
        assert outcome.values["onset_cycle"] is None

    @pytest.mark.parametrize("onset", [30, 50])
    def test_the_onset_is_found_within_its_window(self, onset):
        scatter = np.abs(np.random.default_rng(onset).normal(0, 0.05, 100))
        record = host(loss=lambda cycle: 0.01 + (scatter[cycle] if cycle >= onset - 1 else 0.0), n_cycles=80)
        assert abs(analyze(record).outcomes["erratic"].values["onset_cycle"] - onset) <= 5

    def test_too_few_cycles_are_said(self):
        assert "needs 25 cycles" in analyze(host(n_cycles=10)).outcomes["erratic"].why_not

    def test_running_median_keeps_a_step_and_drops_a_spike(self):
        values = np.array([1.0] * 10 + [5.0] + [1.0] * 10 + [3.0] * 10)
        smooth = running_median(values, 5)
        assert smooth[10] == 1.0
        assert smooth[-1] == 3.0


class TestShorts:
    def symmetric(self, leak, **cell):
        test = ToyCell("symmetric", resistance_ohm_cm2=50.0, leak=leak, noise_V=3e-4, **cell)
        return analyze(run(protocol.symmetric(n_cycles=30), test, sampling_s=20.0))

    def test_a_steady_cell_has_none(self):
        outcome = self.symmetric(lambda t: np.zeros_like(t)).outcomes["shorts"]
        assert outcome.values["verdict"] == "none seen"

    def test_a_slow_fall_is_not_a_short(self):
        outcome = self.symmetric(lambda t: 0.5 * t / 60).outcomes["shorts"]
        assert outcome.values["verdict"] == "none seen"

    def test_a_short_without_recovery_is_not_called_transient(self):
        outcome = self.symmetric(lambda t: np.where(t > 30.5, 0.5, 0.0)).outcomes["shorts"]
        assert outcome.values["first_is_transient"] is False
        assert outcome.values["first_short_h"] == approx(30.5, abs=0.2)
        assert outcome.events[0].end_time_h is None

    def test_a_dead_cell_is_a_hard_short(self):
        outcome = self.symmetric(lambda t: np.where(t > 30, 0.99, 0.0)).outcomes["shorts"]
        assert outcome.values["verdict"] == "hard short"

    def test_impedance_of_the_same_hour_supports_or_contradicts(self):
        test = ToyCell("symmetric", resistance_ohm_cm2=50.0, leak=lambda t: np.where(t > 30.5, 0.5, 0.0))
        record = run(protocol.symmetric(n_cycles=30), test, sampling_s=20.0)
        for after, words in ((60.0, "100 -> 60 ohm"), (98.0, "not supported")):
            points = spectra([29.0, 30.0, 31.0], [100.0, 100.0, after])
            evidence = analyze(record, spectra=points).outcomes["shorts"].values["evidence"]
            assert any(words in text for text in evidence)

    def test_a_host_that_gives_back_more_than_it_got(self):
        record = host(loss=lambda cycle: -0.05 if cycle == 7 else 0.01, n_cycles=12)
        events = analyze(record).outcomes["shorts"].events
        assert [(event.code, event.cycle) for event in events] == [("overstrip", 8)]

    def test_a_full_cell_that_takes_more_charge_at_a_flat_voltage(self):
        record = TESTS["full"].record
        charge = record.table.filter(pl.col("step_count") == 41)
        long = charge[-1:].select(pl.all().repeat_by(240).explode())
        long = long.with_columns(pl.col("test_time_second") + 60.0 * np.arange(1, 241), voltage_volt=pl.lit(4.2))
        later = record.table.filter(pl.col("step_count") > 41).with_columns(pl.col("test_time_second") + 60.0 * 240)
        table = pl.concat([record.table.filter(pl.col("step_count") <= 41), long, later])
        events = analyze(replace(record, table=table)).outcomes["shorts"].events
        assert ("soft_short", 11) in [(event.code, event.cycle) for event in events]


def spectra(hours, real):
    return pl.DataFrame(
        {
            "test_time_second": np.array(hours) * 3600.0,
            "frequency_hertz": [1.0] * len(hours),
            "real_impedance_ohm": real,
            "imaginary_impedance_ohm": [-1.0] * len(hours),
            "spectrum": range(len(hours)),
        }
    )


class TestRetention:
    def test_cycles_at_other_currents_are_no_fade(self):
        slow, fast = (protocol.full(n_cycles=5, current_density_mA_per_cm2=i).steps for i in (0.5, 2.0))
        cell = ToyCell("full", loss=lambda cycle: 0.01, resistance_ohm_cm2=200.0)
        both = protocol.Protocol(name="rates", steps=(*slow, *fast))
        outcome = analyze(run(both, cell, sampling_s=30)).outcomes["retention"]
        assert outcome.values["last_cycle"] == 5
        assert outcome.values["retention"] == approx(0.99**4, rel=1e-6)
        assert any("5 cycles at other currents" in note for note in outcome.notes)

    def test_discharges_that_stop_early_are_no_fade(self):
        values = analyze(stopped(TESTS["full"].record, step=7, after_s=7000)).outcomes["retention"].values
        assert values["n_cycles"] == 49


class TestLife:
    def test_every_rule_is_named(self):
        losses = lambda cycle: 0.15 if cycle >= 40 else 0.02  # noqa: E731
        life = analyze(host(loss=losses, n_cycles=60)).outcomes["life"].values
        assert life["efficiency_below_90_percent"]["cycle"] == 41
        assert life["efficiency_below_80_percent"]["cycle"] is None
        assert {"erratic", "short"} <= set(life)

    def test_two_bad_cycles_are_not_the_end(self):
        life = (
            analyze(host(loss=lambda cycle: 0.15 if cycle in (20, 21) else 0.02, n_cycles=40)).outcomes["life"].values
        )
        assert life["efficiency_below_90_percent"]["cycle"] is None

    def test_retention_of_a_full_cell(self):
        cell = ToyCell("full", loss=lambda cycle: 0.01, capacity_mAh=5.0)
        life = analyze(run(protocol.full(n_cycles=40), cell, sampling_s=60)).outcomes["life"].values
        assert life["retention_below_80_percent"]["cycle"] == 24

    def test_polarization_of_a_symmetric_cell(self):
        cell = ToyCell("symmetric", leak=lambda t: np.where(t > 60, -1.5, 0.0), resistance_ohm_cm2=30.0)
        life = analyze(run(protocol.symmetric(n_cycles=40), cell, sampling_s=20)).outcomes["life"].values
        assert life["polarization"]["cycle"] == 31


class TestVoltages:
    def test_hysteresis_of_a_host_is_twice_the_polarization(self):
        values = analyze(host(resistance_ohm_cm2=25.0, n_cycles=5)).outcomes["hysteresis"].values
        assert values["median_mV"] == approx(50.0, rel=1e-3)

    def test_overpotential_of_a_symmetric_cell_is_half_of_it(self):
        values = analyze(TESTS["symmetric"].record).outcomes["hysteresis"].values
        assert values["overpotential_median_mV"] == approx(50.0, rel=0.01)

    def test_nucleation_dip(self):
        outcome = analyze(host(n_cycles=3, sampling_s=2.0)).outcomes["nucleation"]
        assert outcome.values["median_mV"] == approx(30.0, rel=0.01)

    def test_a_coarse_record_has_no_nucleation_dip(self):
        outcome = analyze(host(n_cycles=3, sampling_s=60.0)).outcomes["nucleation"]
        assert outcome.values == {}
        assert "coarsely" in outcome.why_not or "inside" in outcome.why_not

    def test_dqdv_integrates_to_the_charge(self):
        found = analyze(TESTS["full"].record)
        table = found.outcomes["dqdv"].table.filter((pl.col("cycle") == 1) & (pl.col("branch") == "plate"))
        step = table["voltage_V"].diff().drop_nulls().mean()
        assert (table["dqdv_mAh_per_V"] * step).sum() == approx(found.cycled.cycles["plated_mAh"][0], rel=1e-9)

    def test_conversion_is_counted_apart_from_plating(self):
        record = host(loss=0.0, n_cycles=4, sampling_s=5.0)
        early = (pl.col("step_count") == 1) & (pl.col("test_time_second") <= 360.0)
        lifted = changed(
            record, pl.when(early).then(pl.lit(0.5)).otherwise(pl.col("voltage_volt")).alias("voltage_volt")
        )
        found = analyze(lifted)
        values = found.outcomes["conversion"].values
        assert values["first_mAh"] == approx(0.1, rel=0.02)
        assert values["first_above_split_mAh"] == approx(values["first_mAh"], rel=1e-9)
        assert found.cycled.cycles["plated_mAh"][0] == approx(1.0 - values["first_mAh"], rel=1e-6)
        assert found.cycled.half_cycles["charge_mAh"][0] == approx(1.0, rel=1e-6)


class TestThresholds:
    def test_an_unknown_one_is_answered_with_the_nearest(self):
        with pytest.raises(InputError, match="did you mean short_drop"):
            thresholds_from(["short_dropp=0.3"])

    def test_a_value_outside_its_bounds_is_refused(self):
        with pytest.raises(InputError, match="short_drop"):
            thresholds_from(["short_drop=3"])

    def test_those_used_are_named_with_each_result(self):
        for outcome in analyze(TESTS["efficiency"].record).outcomes.values():
            assert set(outcome.used) <= set(NAMES)

    def test_a_changed_one_is_marked(self):
        marked = [row["name"] for row in thresholds_from(["short_drop=0.4"]).table() if row["changed"]]
        assert marked == ["short_drop"]
