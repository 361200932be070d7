"""The real Maccor export, against its README and its own counters."""

import numpy as np
import pytest

from interlith.cycling.reading import read
from interlith.record import CURRENT, TIME, VOLTAGE

HOUR_S = 3600.0
FILE = "maccor/xTESLADIAG_CH70.070"


@pytest.fixture
def table(cycler):
    return read(cycler / FILE).table


def test_every_line_below_the_header_is_a_row(table):
    assert table.height == 11671 - 2
    assert table["record_index"].to_list() == list(range(1, 11670))
    assert table["cycle_count"].unique().sort().to_list() == [0, 1, 2]


def test_values_are_those_written(table):
    third = table.row(2, named=True)
    assert third[CURRENT] == -9.0750743877
    assert third[VOLTAGE] == 3.26169223
    assert third[TIME] == 5.01
    assert table[TIME][-1] == 136344.95
    # the clock also counts the pauses between steps, in whole seconds
    assert 0 <= table["unix_time_second"][-1] - table["unix_time_second"][0] - table[TIME][-1] < 60


def test_charging_is_positive(table):
    assert table.filter(step_type="C")[CURRENT].min() > 0 > table.filter(step_type="D")[CURRENT].max()
    assert table.filter(step_type="R")[CURRENT].abs().max() == 0


def test_counters_that_restart_at_each_step_are_joined_up(table):
    current, time = table[CURRENT].to_numpy(), table[TIME].to_numpy()
    passed = (current[1:] + current[:-1]) / 2 * np.diff(time) / HOUR_S
    assert table["charging_capacity_ah"][-1] == pytest.approx(passed[passed > 0].sum(), rel=5e-4)
    assert table["discharging_capacity_ah"][-1] == pytest.approx(-passed[passed < 0].sum(), rel=5e-4)
    assert table["charging_capacity_ah"].is_sorted()


def test_unsigned_currents_get_the_same_record(cycler, tmp_path, table):
    lines = (cycler / FILE).read_bytes().decode("latin-1").split("\n")
    unsigned = tmp_path / "unsigned.txt"
    unsigned.write_text("\n".join(line.replace("\t-", "\t") for line in lines), encoding="latin-1")
    record = read(unsigned)
    assert [flag.code for flag in record.flags] == ["sign_from_step"]
    assert record.table.equals(table)
