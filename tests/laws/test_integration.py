"""Charge and averages do not depend on how a test was sampled, on when it began, or on the sign convention."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx

from interlith import protocol
from interlith.cycling.analyze import analyze, summary
from interlith.cycling.averages import weighted_medians
from interlith.cycling.hysteresis import branch_medians
from interlith.cycling.segment import half_cycles, trace
from interlith.cycling.synthetic import ToyCell, run
from interlith.cycling.thresholds import Thresholds

LIMITS = Thresholds()


def charges(record):
    return half_cycles(record, trace(record, LIMITS), LIMITS)["charge_mAh"].to_numpy()


def record(**more):
    cell = ToyCell("host", loss=lambda cycle: 0.02, noise_V=1e-4)
    return run(protocol.efficiency(n_cycles=4, **more), cell, sampling_s=10.0)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), share=st.floats(0.05, 0.9))
def test_constant_current_charge_is_exact_whatever_rows_are_missing_inside(seed, share):
    whole = record()
    table = whole.table.with_row_index("row")
    inner = (pl.col("step_count") == pl.col("step_count").shift(1)) & (
        pl.col("step_count") == pl.col("step_count").shift(-1)
    )
    keep = np.random.default_rng(seed).random(table.height) < share
    thin = table.filter(~inner.fill_null(False) | pl.Series(keep)).drop("row")
    wide = Thresholds(gap_floor_s=1e9)
    sampled = replace(whole, table=thin)
    got = half_cycles(sampled, trace(sampled, wide), wide)["charge_mAh"].to_numpy()
    assert got == approx(charges(whole), rel=1e-9)


@given(shift=st.floats(-1e6, 1e7))
@settings(max_examples=20, deadline=None)
def test_charge_does_not_depend_on_when_the_test_began(shift):
    whole = record()
    moved = replace(whole, table=whole.table.with_columns(pl.col("test_time_second") + shift))
    assert charges(moved) == approx(charges(whole), rel=1e-6)


def test_a_file_of_the_opposite_sign_gives_the_same_efficiencies_and_a_flag():
    whole = record()
    turned = replace(whole, table=whole.table.with_columns(-pl.col("current_ampere")))
    got, wanted = analyze(turned), analyze(whole)
    assert got.cycled.cycles["efficiency"].to_list() == approx(wanted.cycled.cycles["efficiency"].to_list(), rel=1e-12)
    assert "sign_conflict" in [flag.code for flag in got.flags]
    assert "sign_conflict" not in [flag.code for flag in wanted.flags]


def test_extra_rows_at_an_event_do_not_move_a_time_weighted_median():
    whole = record()
    table = whole.table
    burst = table[100:101].select(pl.all().repeat_by(500).explode())
    spiky = burst.with_columns(
        pl.lit(5.0).alias("voltage_volt"), pl.col("test_time_second") + np.linspace(0, 0.01, 500)
    )
    crowded = replace(whole, table=pl.concat([table[:101], spiky, table[101:]]))
    middle = [branch_medians(analyze(r).cycled, 0.3, 0.7)[0] for r in (whole, crowded)]
    assert middle[1] == approx(middle[0], abs=2e-4)


@given(st.lists(st.tuples(st.floats(-5, 5), st.integers(1, 6)), min_size=1, max_size=40))
def test_a_weighted_median_is_the_median_of_the_repeated_values(pairs):
    values, weights = np.array([v for v, _ in pairs]), np.array([w for _, w in pairs], dtype=float)
    repeated = np.sort(np.repeat(values, weights.astype(int)))
    lower = repeated[(len(repeated) - 1) // 2]
    assert weighted_medians(np.zeros(len(values), dtype=np.int64), values, weights, 1)[0] == lower


def test_the_summary_agrees_with_the_analysis():
    whole = record()
    assert summary(whole)["plated_mAh"].to_list() == analyze(whole).cycled.cycles["plated_mAh"].to_list()


@pytest.mark.parametrize("sampling_s", [1.0, 7.0, 60.0])
def test_a_ramp_is_integrated_as_a_trapezoid(sampling_s):
    time = np.append(np.arange(0, 3600, sampling_s), 3600.0)
    whole = record()
    table = pl.DataFrame(
        {"test_time_second": time, "voltage_volt": 0 * time + 3, "current_ampere": 1e-3 * (1 + time / 3600)}
    )
    assert charges(replace(whole, table=table)) == approx([1.5], rel=1e-9)
