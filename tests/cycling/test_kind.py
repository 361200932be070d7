"""The kind of test is proposed from the data, with the reason; what is stated wins and contradictions are flagged."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from interlith import protocol
from interlith.cycling.analyze import analyze
from interlith.cycling.synthetic import ToyCell, examples, run
from interlith.errors import InputError

TESTS = {example.name: example.record for example in examples()}


@pytest.mark.parametrize("name", TESTS)
def test_each_synthetic_test_is_recognized(name):
    found = analyze(TESTS[name])
    assert found.cycled.kind == name
    assert found.kind_reason


def series(time, voltage, current):
    table = pl.DataFrame({"test_time_second": time, "voltage_volt": voltage, "current_ampere": current}, strict=False)
    return replace(TESTS["full"], table=table.cast(pl.Float64))


def test_a_sweep_is_cyclic_voltammetry():
    time = np.linspace(0, 2000, 4001)
    voltage = 1 - np.abs(np.mod(time, 1000) - 500) / 500
    assert analyze(series(time, voltage, 1e-4 * np.sin(time / 159))).cycled.kind == "cv"


def test_an_insertion_electrode_against_lithium_is_not_called_lithium_metal():
    up = np.linspace(0.05, 1.0, 500)
    voltage, current = np.concatenate([up[::-1], up]), np.repeat([-1e-3, 1e-3], 500)
    found = analyze(series(np.arange(1000.0), voltage, current))
    assert found.cycled.kind == "unknown"
    assert "insertion" in found.kind_reason
    assert found.cycled.cycles["efficiency"].null_count() == found.cycled.cycles.height


def test_no_current_is_said():
    found = analyze(series(np.arange(10.0), np.full(10, 3.0), np.zeros(10)))
    assert (found.cycled.kind, found.kind_reason) == ("unknown", "no current flows")


def test_a_stated_kind_wins_and_the_proposal_is_still_shown():
    found = analyze(TESTS["full"], kind="anode-free")
    assert found.cycled.kind == "anode-free"
    assert "the data look like full" in found.kind_reason


def test_an_unknown_kind_is_refused_with_the_known_ones():
    with pytest.raises(InputError, match="reservoir, efficiency"):
        analyze(TESTS["full"], kind="aurbach")


def test_a_full_cell_plates_while_charging_and_a_host_while_discharging():
    assert analyze(TESTS["full"]).cycled.plating_sign == 1
    assert analyze(TESTS["efficiency"]).cycled.plating_sign == -1


def test_an_electrode_stated_against_the_voltages_is_flagged_and_the_voltages_are_followed():
    found = analyze(TESTS["efficiency"], working_electrode="positive")
    assert found.cycled.plating_sign == -1
    assert "sign_conflict" in [flag.code for flag in found.flags]


@pytest.mark.parametrize("area", [0.0, -1.0, float("nan")])
def test_an_area_must_be_positive(area):
    with pytest.raises(InputError, match="area"):
        analyze(TESTS["full"], area_cm2=area)


def test_an_area_that_is_not_known_is_said_and_stays_null():
    record = replace(
        TESTS["reservoir"],
        facts=replace(TESTS["reservoir"].facts, area_cm2=analyze(TESTS["full"]).cycled.facts.active_mass_mg),
    )
    outcome = analyze(record).outcomes["reservoir"]
    assert outcome.values["reservoir_mAh_per_cm2"] is None
    assert any("--area-cm2" in note for note in outcome.notes)
    assert analyze(record, area_cm2=2.0).outcomes["reservoir"].values["reservoir_mAh_per_cm2"] == pytest.approx(
        3.393 / 2
    )


def test_a_test_that_begins_with_a_strip_pairs_from_the_first_plating():
    steps = protocol.efficiency(n_cycles=3).steps[0].steps
    _, rest, strip, _ = steps
    late = protocol.Protocol(name="late", steps=(strip, rest, *[s for _ in range(3) for s in steps]))
    cell = ToyCell("host", loss=lambda cycle: 0.02)
    cell.plated_mAh = 0.5
    table = analyze(run(late, cell)).cycled.cycles
    assert table.height == 3
    assert 1 - table["efficiency"].to_numpy() == pytest.approx([0.02] * 3, rel=1e-6)
