"""The uncertainty says by how much an instrument's error moves the efficiency: the error is put in and looked for."""

from dataclasses import replace

import polars as pl
import pytest
from pytest import approx

from interlith import protocol
from interlith.cycling.analyze import analyze
from interlith.cycling.synthetic import ToyCell, run

LOSS = 0.01


def record(n_cycles=12):
    cell = ToyCell("host", loss=lambda cycle: LOSS)
    return run(protocol.efficiency(n_cycles=n_cycles), cell, sampling_s=5.0)


def shifted(found, offset_A):
    flowing = pl.col("current_ampere") != 0
    current = pl.when(flowing).then(pl.col("current_ampere") + offset_A).otherwise(0.0).alias("current_ampere")
    return replace(found, table=found.table.with_columns(current))


@pytest.mark.parametrize("offset_uA", [0.2, 2.0, -2.0])
def test_an_offset_moves_the_efficiency_by_what_the_budget_says(offset_uA):
    clean = analyze(record(), offset_uA=abs(offset_uA)).outcomes["efficiency"].values
    moved = analyze(shifted(record(), offset_uA * 1e-6)).outcomes["efficiency"].values
    assert abs(moved["mean_efficiency"] - clean["mean_efficiency"]) == approx(clean["uncertainty_k2"], rel=0.01)
    assert clean["offset_share_of_variance"] == approx(1, rel=1e-6)


def test_a_common_gain_cancels():
    scaled = record()
    scaled = replace(scaled, table=scaled.table.with_columns(pl.col("current_ampere") * 1.003))
    assert analyze(scaled).outcomes["efficiency"].values["loss"] == approx(LOSS, rel=1e-9)


def test_an_offset_that_was_not_stated_is_called_assumed():
    values = analyze(record()).outcomes["efficiency"]
    assert values.values["offset_kind"] == "assumed"
    assert any("ASSUMED" in note for note in values.notes)


def test_a_tester_that_counts_otherwise_widens_the_uncertainty():
    whole = record()
    hours = pl.col("test_time_second").diff().fill_null(0) / 3600
    counted = {
        "charging_capacity_ah": (pl.col("current_ampere").clip(lower_bound=0) * hours * 0.98).cum_sum(),
        "discharging_capacity_ah": (-pl.col("current_ampere").clip(upper_bound=0) * hours).cum_sum(),
    }
    other = replace(whole, table=whole.table.with_columns(**counted))
    values = analyze(other, offset_uA=0.0).outcomes["efficiency"].values
    assert values["uncertainty_k2"] == approx(0.02 * (1 - LOSS), rel=0.02)
    assert values["loss"] == approx(LOSS, rel=1e-6)


def test_coarse_switching_widens_the_uncertainty():
    fine = record()
    edges = pl.col("step_count") != pl.col("step_count").shift(-1)
    coarse = replace(fine, table=fine.table.filter(~edges.fill_null(False)))
    narrow, wide = (analyze(r, offset_uA=0.0).outcomes["efficiency"].values["uncertainty_k2"] for r in (fine, coarse))
    assert narrow == approx(0, abs=1e-12)
    assert wide > 1e-4
