"""Rows repeated, moved, missing, turned: the right charges, or a reason and a flag with its row."""

import numpy as np
import polars as pl
import pytest
from hostile_truth import LOSS, check_truth, flags

from interlith import protocol
from interlith.cycling.join import join
from interlith.cycling.synthetic import ToyCell, run
from interlith.errors import CorruptFile, InputError

TIME, CURRENT = "test_time_second", "current_ampere"


@pytest.fixture(params=["with steps", "without steps"])
def table(request, cell, bare):
    return cell if request.param == "with steps" else bare


def test_whole_file_appended_again(look, table):
    found = look(pl.concat([table, table]))
    check_truth(found)
    assert flags(found)["duplicate_rows"] == (table.height, table.height)


def test_part_of_the_file_repeated(look, table):
    found = look(pl.concat([table[:900], table[700:]]))
    check_truth(found)
    assert flags(found)["duplicate_rows"] == (200, 900)


def test_shuffled_rows(look, table):
    found = look(table[np.random.default_rng(0).permutation(table.height)])
    check_truth(found)
    assert flags(found)["reordered"][0] > 1000


def test_shuffled_rows_with_row_numbers(look, table):
    found = look(table.with_row_index("Record Index")[np.random.default_rng(0).permutation(table.height)])
    check_truth(found)
    assert "reordered" in flags(found)


def test_shuffled_rows_with_counters_do_not_use_them(look, counted):
    found = look(counted[np.random.default_rng(0).permutation(counted.height)])
    check_truth(found)
    assert "capacity_mismatch" not in flags(found)


def test_halves_in_the_wrong_order(look, table):
    half = table.height // 2
    found = look(pl.concat([table[half:], table[:half]]))
    check_truth(found)
    assert flags(found)["reordered"] == (1, table.height - half)


def test_time_that_restarts_with_each_step(look, cell):
    begin = pl.col(TIME).min().over("step_count")
    found = look(cell.with_columns(pl.col(TIME) - begin).drop("step_count"))
    check_truth(found)
    assert flags(found)["time_went_back"][0] == 4 * 5 - 1


def test_time_that_restarts_with_each_of_many_steps(look):
    n_cycles = 30
    table = run(protocol.efficiency(n_cycles=n_cycles), ToyCell("host", loss=lambda cycle: LOSS)).table
    begin = pl.col(TIME).min().over("step_count")
    found = look(table.with_columns(pl.col(TIME) - begin).drop("step_count"))
    check_truth(found, n_cycles=n_cycles)


def test_equal_cycles_whose_time_restarts_are_no_repeats(look):
    table = run(protocol.symmetric(n_cycles=5), ToyCell("symmetric"), sampling_s=20).table
    begin = pl.col(TIME).min().over("step_count")
    found = look(table.with_columns(pl.col(TIME) - begin).drop("step_count"))
    assert found.cycled.half_cycles["charge_mAh"].to_list() == pytest.approx([1.0] * 10, rel=1e-6)


def test_power_failure_in_a_branch(look, table, branch):
    """The tester begins its time anew: how long it was off is not known, so the cycle has no efficiency."""
    row = sum(branch) // 2
    time = pl.when(pl.int_range(pl.len()) >= row).then(pl.col(TIME) - table[TIME][row]).otherwise(pl.col(TIME))
    found = look(table.with_columns(time))
    check_truth(found, without=(2,))
    assert flags(found)["restart_in_branch"] == (1, row)
    assert f"data row {row + 1}" in found.cycled.cycles["no_efficiency_because"][1]


def test_gap_in_a_branch(look, table, branch):
    row = sum(branch) // 2
    found = look(pl.concat([table[: row - 60], table[row + 60 :]]))
    check_truth(found, without=(2,))
    assert flags(found)["gap"] == (1, row - 60)
    kept_h = (branch[1] - branch[0] - 120) * 10.0 / 3600
    assert found.cycled.cycles["plated_mAh"][1] == pytest.approx(kept_h, abs=0.006)


def test_rare_rows_that_the_counter_confirms_are_no_gap(look, counted, branch):
    begin, end = sum(branch) // 2, branch[1] - 1
    row = np.arange(counted.height)
    kept = (row < begin) | (row >= end) | ((row - begin) % 30 == 0)
    found = look(counted.filter(pl.Series(kept)))
    check_truth(found)
    assert "gap" not in flags(found)


@pytest.mark.parametrize("rests", [0, 1, 2, 3, 5])
def test_gap_that_hides_a_whole_strip(look, table, branch, rests):
    """Two platings must not be added and held against one strip."""
    on = table[CURRENT].to_numpy() < 0
    starts = np.flatnonzero(np.diff(on.astype(int), prepend=0) == 1)
    found = look(pl.concat([table[: branch[1] + 1 + rests], table[int(starts[2]) - rests :]]))
    assert found.cycled.cycles["efficiency"][1] is None
    assert "gap" in found.cycled.cycles["no_efficiency_because"][1]
    assert "gap" in flags(found)


def test_gap_of_thirty_years(look, table, branch):
    row = sum(branch) // 2
    time = pl.when(pl.int_range(pl.len()) >= row).then(pl.col(TIME) + 1e9).otherwise(pl.col(TIME))
    found = look(table.with_columns(time))
    check_truth(found, without=(2,))
    assert flags(found)["gap"] == (1, row)


def test_long_rest_recorded_rarely_is_no_gap_in_a_branch(look, bare, branch):
    """A pulse test rests an hour between two pulses of one sign, with a row at either end of the rest."""
    rows = [(0.0, 0.1, 0.0)]
    for _ in range(4):
        begin = rows[-1][0]
        rows += [(begin + 10.0 * k, 0.1, 1e-3) for k in range(61)] + [(begin + 600, 0.1, 0.0), (begin + 4200, 0.1, 0.0)]
    found = look(pl.DataFrame(rows, schema=[TIME, "voltage_volt", CURRENT], orient="row"))
    assert "gap" not in flags(found)
    assert found.cycled.half_cycles["charge_mAh"].sum() == pytest.approx(4 * 600 / 3600, rel=1e-6)


def test_current_turned_half_way(look, counted, branch):
    """The tester's own counters say which way it flowed."""
    sign = pl.when(pl.int_range(pl.len()) <= branch[1] + 20).then(1).otherwise(-1)
    found = look(counted.with_columns(pl.col(CURRENT) * sign))
    assert "sign_conflict" in flags(found)
    good = found.cycled.cycles["efficiency"].drop_nulls()
    assert (1 - good).to_list() == pytest.approx([LOSS] * len(good), rel=1e-4)


def test_milliamperes_called_amperes(look, counted):
    found = look(counted.with_columns(pl.col(CURRENT) * 1000))
    assert flags(found)["capacity_mismatch"] == (10, 0)
    assert found.outcomes["crosscheck"].values["difference"] == pytest.approx(999, rel=1e-6)


def test_bad_numbers_in_rows(look, table):
    text = table[CURRENT].cast(pl.String).to_list()
    for row, word in enumerate(["1e400", "--", "NaN", "inf", "#REF!", "", "-", "1.2.3"], 100):
        text[row] = word
    found = look(table.with_columns(pl.Series(CURRENT, text)))
    check_truth(found)
    assert flags(found)["not_a_number"] == (8, 100)


def test_current_of_no_numbers(look, bare):
    with pytest.raises((CorruptFile, InputError)):
        look(bare.with_columns(pl.lit("NaN").alias(CURRENT)))


def test_negative_time(look, table):
    check_truth(look(table.with_columns(pl.col(TIME) - 5000)))


@pytest.mark.parametrize("n", [1, 2, 3])
def test_few_rows(look, n):
    rows = "".join(f"{10 * k},0.5,0.36\n" for k in range(n))
    found = look("Test Time (s),Voltage (V),Current (A)\n" + rows)
    assert found.cycled.half_cycles["charge_mAh"].to_list() == pytest.approx([float(n - 1)], rel=1e-9)
    assert found.cycled.cycles["efficiency"].to_list() == [None]


def test_only_rest(look):
    found = look("Test Time (s),Voltage (V),Current (A)\n" + "".join(f"{10 * k},3.7,0\n" for k in range(99)))
    assert found.cycled.cycles.height == 0
    assert "efficiency" in found.cycled.cycles.columns


def test_nothing_but_zeros(look):
    found = look("Test Time (s),Voltage (V),Current (A)\n" + "0,0,0\n" * 99)
    assert flags(found)["duplicate_rows"] == (98, 1)
    assert found.cycled.cycles.height == 0


def test_begins_with_a_strip(look, table):
    """Lithium of unknown origin comes out first; it belongs to no cycle."""
    strip = pl.DataFrame({TIME: [-100.0 + 10 * k for k in range(11)], "voltage_volt": 0.02, CURRENT: 1e-3})
    if "step_count" in table.columns:
        strip = strip.with_columns(step_count=pl.lit(0, pl.Int64))
    found = look(pl.concat([strip.select(table.columns), table]))
    check_truth(found)


def test_steps_without_length(look, cell):
    last = cell.tail(1)
    more = [last.with_columns(pl.col("step_count") + k, pl.lit(0.0).alias(CURRENT)) for k in range(1, 6)]
    check_truth(look(pl.concat([cell, *more])))


def test_only_impedance_rows(look):
    rows = "".join(f"{10 ** (5 - k)},{10 + k},{-k}\n" for k in range(6))
    found = look("Frequency (Hz),Re(Z) (Ohm),Im(Z) (Ohm)\n" + rows)
    assert found.cycled.kind == "eis"
    assert found.record.spectra()["real_impedance_ohm"].to_list() == [10.0, 11, 12, 13, 14, 15]


def test_flags_of_a_joined_part_name_its_rows_in_the_whole(look, bare):
    text = bare["current_ampere"].cast(pl.String).to_list()
    text[100] = "--"
    part = look(bare.with_columns(pl.Series(CURRENT, text))).record
    rows = [flag.first_row for flag in join([part, part]).flags if flag.code == "not_a_number"]
    assert rows == [100, part.n_rows + 100]
