"""What a header means, in every vendor's way of writing it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlith.cycling.formats.headers import find_header, helper, helper_columns, meaning, record_columns
from interlith.errors import InputError
from interlith.units import UNITS

HOUR_S = 3600.0


@pytest.mark.parametrize(
    ("header", "column", "factor"),
    [
        ("Current(mA)", "current_ampere", 1e-3),
        ("电流/mA", "current_ampere", 1e-3),
        ("I/uA", "current_ampere", 1e-6),
        ("<I>/mA", "current_ampere", 1e-3),
        ("current_A", "current_ampere", 1.0),
        ("Amps", "current_ampere", 1.0),
        ("mA", "current_ampere", 1e-3),
        ("电压（mV）", "voltage_volt", 1e-3),
        ("Ecell/V", "voltage_volt", 1.0),
        ("Potential (V)", "voltage_volt", 1.0),
        ("Test Time / h", "test_time_second", HOUR_S),
        ("TestTime/Sec", "test_time_second", 1.0),
        ("Run Time (h)", "test_time_second", HOUR_S),
        ("Hours", "test_time_second", HOUR_S),
        ("Test (Sec)", "test_time_second", 1.0),
        ("Discharge_Capacity(Ah)", "discharging_capacity_ah", 1.0),
        ("DChg. Cap.(mAh)", "discharging_capacity_ah", 1e-3),
        ("充电容量/mAh", "charging_capacity_ah", 1e-3),
        ("Temperature (°C)", "surface_temperature_celsius", 1.0),
        ("Cycle-Index", "cycle_count", 1.0),
        ("Cyc#", "cycle_count", 1.0),
        ("循环号", "cycle_count", 1.0),
        ("工步号", "step_id", 1.0),
        ("Step Number", "step_count", 1.0),
        ("voltage_volt", "voltage_volt", 1.0),
        ("Voltage / V", "voltage_volt", 1.0),
    ],
)
def test_header_means(header, column, factor):
    known = meaning(header)
    assert known is not None
    assert (known.column, known.factor, known.unit_written) == (column, pytest.approx(factor, rel=1e-15), True)


@pytest.mark.parametrize("header", ["current", "I", "Voltage", "电流", "E", "V1", "Time"])
def test_a_unit_that_is_not_written_is_not_claimed(header):
    known = meaning(header)
    assert known is None or not known.unit_written


@pytest.mark.parametrize(
    "header", ["SpeCap/mAh/g", "Capacity Density(mAh/g)", "dQ/dV(mAh/V)", "Step (Sec)", "Power(W)", ""]
)
def test_what_is_no_column_of_a_record_is_none(header):
    assert meaning(header) is None


@pytest.mark.parametrize(
    ("header", "name", "factor"),
    [
        ("Capacity/mAh", "capacity_ah", 1e-3),
        ("CapaCity(mAh)", "capacity_ah", 1e-3),
        ("Amp-hr", "capacity_ah", 1.0),
        ("Ah", "capacity_ah", 1.0),
        ("Capacity(mAs)", "capacity_ah", 1e-3 / HOUR_S),
        ("能量(Wh)", "energy_wh", 1.0),
        ("StepTime/Sec", "step_time_second", 1.0),
    ],
)
def test_helpers(header, name, factor):
    assert helper_columns([header]) == {name: (header, pytest.approx(factor, rel=1e-15))}


def test_specific_capacity_is_no_capacity():
    assert helper("SpeCap/mAh/g") is None
    assert helper("Capacity/mAh/g") is None


@given(
    unit=st.sampled_from(sorted(u for u, (q, _) in UNITS.items() if q == "current")),
    form=st.sampled_from(["I/{}", "I({})", "Current / {}"]),
)
def test_each_unit_of_current_scales_alike_in_every_way_of_writing(unit, form):
    known = meaning(form.format(unit))
    assert known is not None
    assert known.factor == UNITS[unit][1]


def test_the_tests_time_goes_before_the_steps():
    assert record_columns(["Time", "Total Time"])["test_time_second"][0] == "Total Time"
    assert record_columns(["Total Time", "Time"])["test_time_second"][0] == "Total Time"
    assert record_columns(["t/s", "Test_Time(s)"])["test_time_second"][0] == "Test_Time(s)"


def test_chosen_columns_win_and_carry_their_unit():
    found = record_columns(["I", "Current(A)"], {"current_ampere": "I:mA"})
    assert found["current_ampere"] == ("I", 1e-3)


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"current": "I:mA"}, "not a column of a record"),
        ({"current_ampere": "J:mA"}, "no such column; found 'I'"),
        ({"current_ampere": "I:mV"}, "'mV' is not a unit of current"),
    ],
)
def test_chosen_columns_that_cannot_be_say_why(chosen, message):
    with pytest.raises(InputError, match=message):
        record_columns(["I"], chosen)


def test_header_is_found_below_a_preamble():
    lines = ["Cell: 7", "Note: a, b, c", "", "Record\tTest Time/Sec\tVoltage/V\tCurrent/mA", "1\t2\t3\t4"]
    found = find_header(lines, ["test_time_second", "voltage_volt", "current_ampere"], 3)
    assert (found.line, found.delimiter, len(found.names)) == (3, "\t", 4)
    assert find_header(lines[:3], ["test_time_second", "voltage_volt"], 2) is None
