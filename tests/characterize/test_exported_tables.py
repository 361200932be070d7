"""Tables in text exports: the same numbers whatever separator, decimal mark, encoding and lines around them."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlith.characterize.exported_text import number, table_of, text_of
from interlith.errors import CorruptFile, InputError, UnsupportedFormat
from interlith.text_file import decode, unified

NUMBERS = st.floats(-1e6, 1e6).map(lambda value: round(value, 4))
WAYS = [pair for pair in itertools.product("\t;, ", ".,") if pair != (",", ",")]


@given(rows=st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS), min_size=4, max_size=30), way=st.sampled_from(WAYS))
@settings(max_examples=80, deadline=None)
def test_numbers_come_back_from_every_way_to_write_them(rows, way):
    delimiter, mark = way
    lines = [delimiter.join(f"{value:.4f}".replace(".", mark) for value in row) for row in rows]
    text = "\n".join(["Made by hand", delimiter.join(("Alpha", "Beta", "Gamma")), *lines])
    table = table_of(text, "a.txt")
    assert table.names == ("Alpha", "Beta", "Gamma")
    assert np.column_stack(table.columns) == pytest.approx(np.array(rows))
    assert table.decimal_comma is (mark == ",")
    assert "Made by hand" in table.above


@given(st.text(alphabet="aAäµ°;,.0123\n", max_size=60), st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "latin-1"]))
def test_text_survives_its_encoding(text, encoding):
    if encoding == "latin-1":
        text = text.replace("äµ", "µ")  # two bytes that UTF-8 reads as one character mean that character
    data = text.encode(encoding)
    if encoding != "utf-8" or "\ufeff" not in text:
        assert unified(decode(data)[0]) in (text, data.decode("utf-8", errors="ignore"))


def test_utf_16_without_its_mark_is_seen():
    assert decode("Temp.;Mass\n25;100\n".encode("utf-16-le"))[0] == "Temp.;Mass\n25;100\n"


@pytest.mark.parametrize(
    ("field", "comma", "value"),
    [("1.5", False, 1.5), ("1,5", True, 1.5), ("1,5", False, None), ("1.5", True, None), ("-2E-3", False, -2e-3)],
)
def test_fields_are_numbers_of_one_decimal_mark(field, comma, value):
    assert number(field, comma) == value


@pytest.mark.parametrize("field", ["", "inf", "NaN", "--", "1e999"])
def test_what_is_not_finite_is_no_value(field):
    found = number(field)
    assert found is not None
    assert math.isnan(found)


def test_units_in_a_line_below_the_names_are_units():
    table = table_of("Index  t  Ts  Value\n  [s]  [°C]  [mg]\n1 0 25 8\n2 1 26 8\n3 2 27 7\n", "a")
    assert table.names == ("Index", "t", "Ts", "Value")
    assert table.units == ("", "[s]", "[°C]", "[mg]")


def test_blanks_within_names_where_blanks_part_columns():
    table = table_of("Temperature (°C)   Weight (mg)\n25.0 8.0\n26.0 7.9\n27.0 7.8\n", "a")
    assert table.names == ("Temperature (°C)", "Weight (mg)")


def test_steps_of_a_program_make_one_table():
    step = "[step]\nRamp\nTime\tMass\nmin\tmg\n{0}\t1\n{1}\t2\n{2}\t3\n"
    table = table_of(step.format(1, 2, 3) + step.format(4, 5, 6), "a")
    assert table.columns[0].tolist() == [1, 2, 3, 4, 5, 6]


def test_a_cut_last_line_is_left_out():
    assert table_of("a;b;c\n1;2;3\n4;5;6\n7;8;9\n10;1", "a").columns[0].tolist() == [1, 4, 7]


@pytest.mark.parametrize(
    ("data", "kind"),
    [(b"\0" * 99, CorruptFile), (b"", CorruptFile), (b"<html>", UnsupportedFormat), (None, InputError)],
)
def test_what_is_no_text_is_refused(tmp_path, data, kind):
    path = tmp_path / "a.txt"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(kind):
        text_of(path)
