"""Every text reader on small samples written here by hand: no file of a vendor is needed."""

import polars as pl
import pytest

from interlith.cycling.formats import FORMATS
from interlith.cycling.formats.format import Head, ReadOptions
from interlith.cycling.reading import read
from interlith.errors import CorruptFile, InputError, InterlithError, UnsupportedFormat
from interlith.record import CURRENT, TIME, VOLTAGE, write_record

NESTED = """\
Cycle Index,Chg. Cap.(Ah),DChg. Cap.(Ah)
,Step Index,Step Number,Step Type,Step Time
,,DataPoint,Time,Total Time,Current(A),Voltage(V),Capacity(Ah),Date,T1(?)
1,0.002,0.001,1,1,CC Chg,00:00:02
,,1,00:00:00,00:00:00,1.0,3.0,0.000,2026-01-01 00:00:00,25.5
,,2,00:00:02,00:00:02,1.0,3.1,0.002,2026-01-01 00:00:02,25.5
,2,2,CC DChg,00:00:01
,,3,00:00:00,00:00:02,-1.0,3.0,0.000,2026-01-01 00:00:02,25.5
,,4,00:00:01,00:00:03,-1.0,2.9,0.001,2026-01-01 00:00:03,25.5
2,0.000,0.003
,1,3,CC DChg,00:00:03
,,5,00:00:00,1-00:00:03,-1.0,2.9,0.000,2026-01-02 00:00:03,25.5
,,6,00:00:03,1-00:00:06,-1.0,2.8,0.003,2026-01-02 00:00:06,25.5
"""
NEWARE = """\
DataPoint,Cycle Index,Step Index,Step Type,Time,Total Time,Current(mA),Voltage(V),Capacity(mAh),Date
1,1,1,CC Chg,00:00:00,00:00:00,1.0,3.0,0.0,2026-01-01 00:00:00
2,1,1,CC Chg,00:00:02.5,00:00:02.5,1.0,3.1,0.5,2026-01-01 00:00:02
3,1,2,CC DChg,00:00:00,00:00:02.5,-1.0,3.0,0.0,2026-01-01 00:00:02
4,1,2,CC DChg,00:00:01,2-00:00:03.5,-1.0,2.9,-0.25,2026-01-03 00:00:03
"""
NEWARE_OLD = """\
记录序号,状态,循环号,工步号,电流(mA),电压(V),容量(mAh),相对时间(h:min:s.ms),绝对时间
1,恒流充电,1,1,1.0,3.0,0.0,0:00:00.000,2026-01-01 00:00:00
2,恒流充电,1,1,1.0,3.1,0.5,0:00:10.500,2026-01-01 00:00:10
3,恒流放电,1,2,-1.0,3.0,0.0,0:00:00.000,2026-01-01 00:00:11
4,恒流放电,1,2,-1.0,2.9,0.25,0:00:05.000,2026-01-01 00:00:16
"""
LAND = """\
Cell 12
Record\tCycle-Index\tStep-Index\tStep-State\tTestTime/Sec\tStepTime/Sec\tVoltage/V\tCurrent/mA\tCapacity/mAh\tSpeCap/mAh/g
1\t1\t1\tCC charge\t0.0\t0.0\t1.25\t0.5\t0.0\t0.0
2\t1\t1\tCC charge\t10.0\t10.0\t1.5\t0.5\t0.125\t3.0
3\t1\t2\tCC discharge\t11.0\t1.0\t1.0\t0.5\t0.0625\t1.0
"""
LAND_CHINESE = """\
记录序号\t循环序号\t工步序号\t工步状态\t测试时间/Sec\t电压/V\t电流/mA\t容量/mAh\t系统时间
1\t1\t1\t恒流充电\t0.0\t1.25\t0.5\t0.0\t2026-01-01 00:00:00
2\t1\t1\t恒流充电\t10.0\t1.5\t0.5\t0.125\t2026-01-01 00:00:10
3\t1\t2\t恒流放电\t11.0\t1.0\t-0.5\t0.0625\t2026-01-01 00:00:11
"""
MACCOR = """\
Today's Date 07/17/2019  Date of Test:\t07/11/2019\t Filename:\tC:\\x.070
Rec#\tCyc#\tStep\tTest (Sec)\tStep (Sec)\tAmp-hr\tWatt-hr\tAmps\tVolts\tState\tES\tDPt Time\tWF Chg Cap
1\t0\t1\t0.0\t0.0\t0.0\t0.0\t0.0\t3.5\tR\t0\t07/11/2019 14:02:33\tN/A
2\t0\t2\t1,000.5\t1.0\t0.0\t0.0\t2.0\t3.4\tD\t0\t07/11/2019 14:19:13\tN/A
3\t0\t2\t4,600.5\t3,601.0\t2.0\t6.0\t2.0\t3.3\tD\t0\t07/11/2019 15:19:13\tN/A
4\t0\t3\t8,200.5\t3,600.0\t1.0\t3.5\t1.0\t3.6\tC\t0\t07/11/2019 16:19:13\tN/A
"""
NOVONIX = """\
[Summary]
Novonix HPC data file
Started: 2023-06-14 5:22:45 PM
[Protocol]
1: Charge, current, 0.5 A
[End Summary]
[Data]
Date and Time,Cycle Number,Step Type,Run Time (h),Step Time (h),Current (A),Potential (V),\
Capacity (Ah),Temperature (°C),Step Number
2023-06-14 5:22:45 PM,0,1,0.0,0.0,0.5,3.0,0.0,25.0,1
2023-06-14 6:22:45 PM,0,1,1.0,1.0,0.5,3.5,0.5,25.0,1
2023-06-14 6:52:45 PM,0,2,1.5,0.5,-0.5,3.4,0.25,25.0,2
"""
ARBIN = """\
Data_Point,Test_Time(s),Date_Time,Step_Index,Cycle_Index,Current(A),Voltage(V),Charge_Capacity(Ah),Discharge_Capacity(Ah)
1,0.0,01/15/2020 10:00:00,1,1,1.0,3.0,0.0,0.0
2,3600.0,01/15/2020 11:00:00,1,1,1.0,3.5,1.0,0.0
3,7200.0,01/15/2020 12:00:00,2,1,-1.0,3.0,1.0,1.0
4,9000.0,01/15/2020 12:30:00,1,2,1.0,3.2,0.25,0.0
"""
BDF_HOURS = """\
Test Time / h,Voltage / V,Current / mA,Cycle Count / 1,Ambient Temperature / degC
0.0,3.0,500,1,25.0
0.5,3.5,-500,2,25.0
"""
BDF_NAMES = "test_time_second,voltage_volt,current_ampere,half_cycle\n0.0,3.0,0.5,0\n1.5,3.5,-0.5,1\n"
GERMAN = "Zeit/s;Test Time/s;Voltage/V;Current/mA\n;0,5;1,25;-0,125\n;1,5;1,5;0,25\n"
# sample -> encoding, format, rows of (time, voltage, current)
SAMPLES = {
    "nested": (
        NESTED,
        "utf-8",
        "neware-nested",
        [(0, 3.0, 1), (2, 3.1, 1), (2, 3.0, -1), (3, 2.9, -1), (86403, 2.9, -1), (86406, 2.8, -1)],
    ),
    "neware": (
        NEWARE,
        "utf-8",
        "neware-csv",
        [(0, 3.0, 1e-3), (2.5, 3.1, 1e-3), (2.5, 3.0, -1e-3), (172803.5, 2.9, -1e-3)],
    ),
    "neware_old": (
        NEWARE_OLD,
        "gb18030",
        "neware-csv",
        [(0, 3.0, 1e-3), (10.5, 3.1, 1e-3), (10.5, 3.0, -1e-3), (15.5, 2.9, -1e-3)],
    ),
    "land": (LAND, "utf-8", "land-text", [(0, 1.25, 5e-4), (10, 1.5, 5e-4), (11, 1.0, -5e-4)]),
    "land_chinese": (LAND_CHINESE, "gb18030", "land-text", [(0, 1.25, 5e-4), (10, 1.5, 5e-4), (11, 1.0, -5e-4)]),
    "land_utf16": (LAND_CHINESE, "utf-16", "land-text", [(0, 1.25, 5e-4), (10, 1.5, 5e-4), (11, 1.0, -5e-4)]),
    "maccor": (MACCOR, "latin-1", "maccor-text", [(0, 3.5, 0), (1000.5, 3.4, -2), (4600.5, 3.3, -2), (8200.5, 3.6, 1)]),
    "novonix": (NOVONIX, "utf-8", "novonix-csv", [(0, 3.0, 0.5), (3600, 3.5, 0.5), (5400, 3.4, -0.5)]),
    "arbin": (ARBIN, "utf-8", "arbin-csv", [(0, 3.0, 1), (3600, 3.5, 1), (7200, 3.0, -1), (9000, 3.2, 1)]),
    "bdf_hours": (BDF_HOURS, "utf-8", "bdf", [(0, 3.0, 0.5), (1800, 3.5, -0.5)]),
    "bdf_names": (BDF_NAMES, "utf-8-sig", "bdf", [(0, 3.0, 0.5), (1.5, 3.5, -0.5)]),
    "german": (GERMAN, "latin-1", "generic-csv", [(0.5, 1.25, -1.25e-4), (1.5, 1.5, 2.5e-4)]),
}
# sample -> last values of the counters, Ah
COUNTED = {
    "nested": (0.002, 0.004),
    "neware": (0.5e-3, 0.25e-3),
    "neware_old": (0.5e-3, 0.25e-3),
    "land": (0.125e-3, 0.0625e-3),
    "land_chinese": (0.125e-3, 0.0625e-3),
    "maccor": (1.0, 2.0),
    "novonix": (0.5, 0.25),
    "arbin": (1.25, 1.0),
}


@pytest.fixture
def write(tmp_path):
    def writer(text, encoding="utf-8", name="sample.csv"):
        path = tmp_path / name
        path.write_bytes(text.encode(encoding))
        return path

    return writer


def outcome(path):
    """What reading says: "read", or the message of our own error. Others pass through."""
    try:
        return "read" if read(path, use_cache=False).n_rows else "empty"
    except InterlithError as problem:
        return str(problem)


def codes(record):
    return {flag.code for flag in record.flags}


@pytest.mark.parametrize("sample", SAMPLES)
@pytest.mark.parametrize("ending", ["\n", "\r\n", ""])
def test_time_voltage_and_current(write, sample, ending):
    text, encoding, name, rows = SAMPLES[sample]
    text = text.replace("\n", ending) if ending else text.rstrip("\n")
    record = read(write(text, encoding))
    assert record.provenance.format == name
    assert record.table.select(TIME, VOLTAGE, CURRENT).rows() == [pytest.approx(row, rel=1e-12) for row in rows]
    assert "truncated" not in codes(record)


@pytest.mark.parametrize("sample", COUNTED)
def test_counters_never_restart_and_follow_the_sign(write, sample):
    table = read(write(*SAMPLES[sample][:2])).table
    assert (table["charging_capacity_ah"][-1], table["discharging_capacity_ah"][-1]) == pytest.approx(
        COUNTED[sample], rel=1e-12
    )
    assert table["charging_capacity_ah"].is_sorted()
    assert table["discharging_capacity_ah"].is_sorted()


@pytest.mark.parametrize(
    ("sample", "steps"),
    [("nested", [1, 1, 2, 2, 3, 3]), ("neware", [1, 1, 2, 2]), ("arbin", [1, 1, 2, 3]), ("maccor", [1, 2, 2, 3])],
)
def test_step_count_grows_at_each_step_executed(write, sample, steps):
    assert read(write(*SAMPLES[sample][:2])).table["step_count"].to_list() == steps


@pytest.mark.parametrize(
    "sample", ["nested", "neware", "land", "land_chinese", "maccor", "arbin", "novonix", "bdf_hours"]
)
def test_a_torn_last_line_is_flagged_and_the_rest_kept(write, sample):
    text, encoding, _, rows = SAMPLES[sample]
    last = text.rstrip("\n").split("\n")[-1]
    record = read(write(text.rstrip("\n")[: -len(last) + 4], encoding))
    assert "truncated" in codes(record)
    assert record.n_rows == len(rows) - 1


def test_a_step_number_that_falls_back_in_a_loop_is_no_step_count(write):
    header, *rows = LAND_CHINESE.rstrip("\n").split("\n")
    again = rows[0].replace("1\t1\t1", "4\t2\t1").replace("\t0.0\t1.25", "\t12.0\t1.25")
    table = read(write("\n".join([header, *rows, again]), "gb18030")).table
    assert table["step_count"].to_list() == [1, 1, 2, 3]
    assert table["step_id"].to_list() == [1, 1, 2, 1]


def test_newares_time_is_the_steps_where_no_total_time_is_given(write):
    lines = [line.split(",") for line in NEWARE.rstrip("\n").split("\n")]
    record = read(write("\n".join(",".join(line[:5] + line[6:9]) for line in lines)))
    assert record.table[TIME].to_list() == [0, 2.5, 2.5, 3.5]
    assert "time_from_steps" in codes(record)


def test_unsigned_maccor_current_is_flagged(write):
    assert "sign_from_step" in codes(read(write(MACCOR)))


def test_unsigned_land_current_is_flagged_and_signed_is_left(write):
    assert "sign_from_step" in codes(read(write(LAND)))
    assert "sign_from_step" not in codes(read(write(LAND_CHINESE, "gb18030")))


def test_time_of_a_file_with_step_times_only_is_their_sum_and_flagged(write):
    assert "time_from_steps" in codes(read(write(NEWARE_OLD, "gb18030")))


def test_novonix_says_that_it_is_experimental(write):
    assert "experimental" in codes(read(write(NOVONIX)))


def test_nested_report_gives_cycle_type_and_temperature(write):
    table = read(write(NESTED)).table
    assert table["cycle_count"].to_list() == [1, 1, 1, 1, 2, 2]
    assert table["step_type"].to_list() == ["CC Chg"] * 2 + ["CC DChg"] * 4
    assert table["step_id"].to_list() == [1, 1, 2, 2, 1, 1]
    assert table["surface_temperature_celsius"].to_list() == [25.5] * 6


def test_generic_clock_and_date_times(write):
    clock = "Time,Voltage(V),Current(mA)\n0:00:00,1,2\n0:00:01.5,1,2\n30:00:00,1,2\n"
    assert read(write(clock)).table[TIME].to_list() == [0, 1.5, 108000]
    dates = "Date and Time,Voltage(V),Current(mA)\n2024-01-01 23:59:59,1,2\n2024-01-02 00:00:01,1,2\n"
    assert read(write(dates)).table[TIME].to_list() == [0, 2]


def test_generic_time_without_unit_is_flagged(write):
    record = read(write("Time,Voltage(V),Current(mA)\n0,1,2\n1.5,1,2\n"))
    assert record.table[TIME].to_list() == [0, 1.5]
    assert "assumed_unit" in codes(record)


@pytest.mark.parametrize("name", ["current", "I"])
def test_generic_current_without_unit_is_refused_with_the_way_out(write, name):
    path = write(f"time/s,voltage/V,{name}\n0,1,2\n1,1,-4\n")
    with pytest.raises(InputError, match=rf"sample\.csv: .*--columns current_ampere='{name}:mA'"):
        read(path)
    stated = read(path, ReadOptions(columns={"current_ampere": f"{name}:mA"}))
    assert stated.table[CURRENT].to_list() == [2e-3, -4e-3]


def test_generic_voltage_without_unit_is_refused(write):
    with pytest.raises(InputError, match="voltage_volt='Voltage:V'"):
        read(write("time/s,Voltage,Current(A)\n0,1,2\n1,1,-4\n"))


def test_generic_without_current_says_what_it_found(write):
    path = write("Time(s),Voltage(V)\n0,1\n1,2\n")
    with pytest.raises(
        InputError, match=r"sample\.csv: no current column; found 'Time\(s\)', 'Voltage\(V\)'\. Is this a"
    ):
        read(path)
    stated = read(path, ReadOptions(current_mA=-0.5))
    assert stated.table[CURRENT].to_list() == [-5e-4, -5e-4]
    assert "current_stated" in codes(stated)


@pytest.mark.parametrize(
    "text",
    [
        "# Title\n\nSome words about time, voltage and current.\n",
        "| file | time | voltage |\n|---|---|---|\n| a | b | c |\n",
        "freq/Hz,Zre/ohm,Zim/ohm\n1000,1,-2\n100,2,-3\n",
        "Frequency (Hz),Time (s),Voltage (V),Current (A),Z' (ohm)\n1000,1,1,1,1\n",
        "cycle,efficiency\n1,0.99\n2,0.98\n",
        "<html><body>time,voltage,current</body></html>",
    ],
)
def test_what_is_no_cycling_table_is_not_claimed(write, text):
    path = write(text)
    assert [known.name for known in FORMATS if known.name == "generic-csv" and known.recognize(Head(path))] == []
    with pytest.raises((UnsupportedFormat, InputError)):
        read(write("<html><body>time,voltage,current</body></html>"))


def test_header_without_rows_is_corrupt(write):
    with pytest.raises(CorruptFile, match=r"sample\.csv: no row of data"):
        read(write("Time(s),Voltage(V),Current(A)\n"))


@pytest.mark.parametrize("sample", SAMPLES)
def test_damage_anywhere_raises_nothing_foreign(write, sample):
    text, encoding, _, _ = SAMPLES[sample]
    data = text.encode(encoding)
    path = write("x")
    for place in range(0, len(data), 7):
        for damaged in (
            data[:place],
            data[:place] + b"\xff\x00\x9c," + data[place + 3 :],
            data[:place] + data[place + 5 :],
        ):
            path.write_bytes(damaged)
            told = outcome(path)
            assert told == "read" or ("sample.csv" in told and "could not read it" not in told), damaged


def test_bdf_parquet_reads_known_columns_only_and_scales(tmp_path):
    path = tmp_path / "x.bdf.parquet"
    pl.DataFrame(
        {"Test Time / h": [0.0, 1.0], "Voltage / V": [1.0, 2.0], "Current / A": [1, -1], "Junk": ["a", "b"]}
    ).write_parquet(path)
    record = read(path)
    assert record.provenance.format == "bdf"
    assert record.table.columns == [TIME, VOLTAGE, CURRENT]
    assert record.table.rows() == [(0.0, 1.0, 1.0), (3600.0, 2.0, -1.0)]


def test_bdf_parquet_joins_up_counters_that_restart(tmp_path):
    path = tmp_path / "x.parquet"
    columns = {TIME: [0.0, 1, 2, 3], VOLTAGE: [1.0] * 4, CURRENT: [1.0] * 4, "charging_capacity_ah": [0.0, 2, 0.5, 1]}
    pl.DataFrame(columns).write_parquet(path)
    assert read(path).table["charging_capacity_ah"].to_list() == [0, 2, 2.5, 3]


def test_a_record_written_by_interlith_is_read_back_unchanged(write, tmp_path):
    record = read(write(ARBIN))
    path = tmp_path / "ours.bdf.parquet"
    write_record(record, path)
    assert read(path).table.equals(record.table)


def test_damaged_parquet_is_corrupt(write, tmp_path):
    path = tmp_path / "x.bdf.parquet"
    write_record(read(write(ARBIN)), path)
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(CorruptFile, match=r"x\.bdf\.parquet"):
        read(path)
