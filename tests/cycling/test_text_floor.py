"""The floor under every text reader: encodings, delimiters, decimals, torn lines, clocks, dates, counters."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlith.cycling.formats.counters import increments, split_common, split_net
from interlith.cycling.formats.text import (
    decimal_comma,
    delimiter_of,
    epoch_seconds,
    numbers,
    parse_table,
    seconds,
)
from interlith.errors import CorruptFile
from interlith.text_file import decode, looks_binary

FINITE = st.floats(-1e6, 1e6, allow_nan=False).filter(lambda x: x == 0 or abs(x) > 1e-9)
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "gb18030"]


@given(values=st.lists(FINITE, min_size=1, max_size=20), encoding=st.sampled_from(ENCODINGS), comma=st.booleans())
def test_neither_encoding_nor_decimal_comma_changes_a_number(values, encoding, comma):
    lines = ["电压测试数据\t备注", *(f"{value!r}\t{value / 2!r}" for value in values)]
    text = "\n".join(lines) + "\n"
    decoded = decode((text.replace(".", ",") if comma else text).encode(encoding))[0]
    table = parse_table(decoded, 0).table
    names = ["电压测试数据", "备注"]
    if comma and not decimal_comma(decoded.split("\n")[1:], "\t"):
        return  # every number has an exponent without digits behind a comma
    assert numbers(table[names[0]]).to_list() == values
    assert numbers(table[names[1]]).to_list() == [value / 2 for value in values]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "gb18030"])
def test_the_beginning_of_a_file_can_be_decoded_alone(encoding):
    data = ("循环序号\t电流/mA\n" * 50).encode(encoding)
    for cut in range(len(data) - 8, len(data)):
        assert decode(data[:cut])[0].startswith("循环序号\t电流/mA\n")


def test_latin_1_is_not_taken_for_chinese():
    assert decode("Temp °C\tµA\n1\t2\n".encode("latin-1"))[0].startswith("Temp °C\tµA")


def test_binary_is_told_from_text():
    assert looks_binary(b"PK\x03\x04\0\0")
    assert not looks_binary("Zeit;Spannung".encode("utf-16"))


@pytest.mark.parametrize(
    ("lines", "delimiter"),
    [(["a,b,c", "1,2,3"], ","), (["a;b", "1,5;2,5"], ";"), (["a\tb", "1,5\t2,5"], "\t"), (["a|b", "1|2"], "|")],
)
def test_delimiter_is_the_one_that_cuts_all_lines_alike(lines, delimiter):
    assert delimiter_of(lines) == delimiter


def test_thousands_are_not_decimal_commas():
    assert not decimal_comma(["1,234.5\t12,345.678"], "\t")
    assert decimal_comma(["1,234\t0,5"], "\t")
    assert numbers(pl.Series(["1,234.5", "12,345,678", "0.5", "N/A", "1,23"])).to_list() == [
        1234.5,
        12345678.0,
        0.5,
        None,
        None,
    ]


def test_torn_last_line_is_dropped_and_flagged():
    torn = parse_table("t,v,i\n1,2,3\n2,3,4\n3,4", 0)
    assert torn.table.height == 2
    assert [(flag.code, flag.first_row) for flag in torn.flags] == [("truncated", 2)]
    assert "line 4" in torn.flags[0].message
    whole = parse_table("t,v,i\n1,2,3\n2,3,4", 0)
    assert (whole.table.height, whole.flags) == (2, ())


def test_rows_longer_than_the_header_keep_their_first_fields():
    assert parse_table("t,v\n1,2,\n3,4,\n", 0).table.rows() == [("1", "2"), ("3", "4")]


def test_only_what_is_wanted_is_kept():
    table = parse_table("a,b,c\n1,2,3\n", 0, keep=lambda names: ["c", "a"]).table
    assert table.columns == ["a", "c"]
    assert table.rows() == [("1", "3")]


def test_no_row_is_corrupt():
    with pytest.raises(CorruptFile, match="no row of data below the header in line 2"):
        parse_table("note\nt,v\n", 1)


@given(days=st.integers(0, 99), clock=st.integers(0, 86_399), millis=st.integers(0, 999))
def test_clocks_of_all_vendors_are_the_same_seconds(days, clock, millis):
    h, m, s = clock // 3600, clock // 60 % 60, clock % 60
    rest = f"{m:02d}:{s:02d}.{millis:03d}"
    written = [f"{days}-{h:02d}:{rest}", f"{days}d {h:02d}:{rest}", f"{days} {h:02d}:{rest}", f"{days * 24 + h}:{rest}"]
    for text in written:
        assert seconds(pl.Series([text]))[0] == pytest.approx(days * 86400 + clock + millis / 1000, abs=1e-9)


def test_plain_times_are_scaled_and_dates_count_from_the_first():
    assert seconds(pl.Series(["0.5", "2"]), 3600.0).to_list() == [1800.0, 7200.0]
    assert seconds(pl.Series(["2024-03-01 00:00:00", "2024-03-01 00:01:30.5"])).to_list() == [0.0, 90.5]
    assert seconds(pl.Series(["soon"])).to_list() == [None]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (["04/30/2024 23:59:00", "05/01/2024 00:01:00"], 120.0),
        (["30/04/2024 23:59:00", "01/05/2024 00:01:00"], 120.0),
        (["02/03/2024 23:59:00", "03/03/2024 00:01:00"], 120.0),
        (["2023-06-14 11:59:00 AM", "2023-06-14 12:01:00 PM"], 120.0),
        (["2024/04/30 23:59:00", "2024/05/01 00:01:00"], 120.0),
    ],
)
def test_day_and_month_are_told_apart_by_the_span(written, expected):
    found = epoch_seconds(pl.Series(written))
    assert found[1] - found[0] == expected


POSITIVE = st.floats(0.01, 10)


@given(steps=st.lists(st.tuples(st.sampled_from([-1.0, 1.0]), POSITIVE, POSITIVE), min_size=1, max_size=30))
def test_a_counter_that_restarts_at_each_step_loses_nothing(steps):
    current = np.concatenate([[sign] * 3 for sign, _, _ in steps])
    counter = np.concatenate([[0.0, a, a + b] for _, a, b in steps])
    resets = np.tile([True, False, False], len(steps))
    charged, discharged = split_common(counter, current, resets)
    assert charged[-1] == pytest.approx(sum(a + b for sign, a, b in steps if sign > 0))
    assert discharged[-1] == pytest.approx(sum(a + b for sign, a, b in steps if sign < 0))
    signed = split_common(counter * current, current, resets)
    assert signed[0][-1] == pytest.approx(charged[-1])
    assert signed[1][-1] == pytest.approx(discharged[-1])


def test_one_net_count_is_told_from_one_that_restarts():
    current = np.array([1.0, 1, 1, -1, -1, -1])
    charged, discharged = split_common(np.array([0.0, 1, 2, 1.5, 0.5, 0]), current)
    assert (charged[-1], discharged[-1]) == (2.0, 2.0)
    plated_first = split_common(np.array([0.0, -1, -2, -1.5, -0.5, 0]), -current)
    assert (plated_first[0][-1], plated_first[1][-1]) == (2.0, 2.0)


def test_missing_values_and_rows_out_of_order_add_no_charge():
    assert np.cumsum(increments(np.array([np.nan, 1.0, np.nan, 2.0])))[-1] == 2.0
    assert np.cumsum(increments(np.array([0.0, 10.0, 9.9, 10.1])))[-1] == pytest.approx(10.1)
    assert split_net(np.array([5.0, np.nan, 6.0, 4.0]))[1][-1] == 2.0
