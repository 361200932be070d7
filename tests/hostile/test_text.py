"""Encodings, delimiters, line ends, torn and doubled text: the right charges, a typed error, or a flag with its row."""

import polars as pl
import pytest
from hostile_truth import NAMES, check_truth, flags

from interlith.cycling.reading import read
from interlith.errors import CorruptFile, InputError, InterlithError, UnsupportedFormat

HEADER = "Test Time (s),Voltage (V),Current (mA)"


@pytest.fixture(scope="module")
def text(bare):
    """The test as text, with six decimals and the current in mA."""
    mA = (
        bare.rename(NAMES, strict=False)
        .with_columns(pl.col("Current (A)") * 1000)
        .rename({"Current (A)": "Current (mA)"})
    )
    return mA.write_csv(float_precision=9)


def swapped(line: str) -> str:
    time, voltage, current = line.split(",")
    return f"{time},{current},{voltage}"


WRITTEN = {
    "utf-16": lambda text: text.encode("utf-16"),
    "utf-16 without its mark": lambda text: text.encode("utf-16-le"),
    "utf-8 with mark": lambda text: text.encode("utf-8-sig"),
    "gbk": lambda text: ("# 恒流充电放电测试数据\n" + text).encode("gbk"),
    "latin-1": lambda text: ("# Prüfung: 20 °C, µA\n" + text).encode("latin-1"),
    "crlf": lambda text: text.replace("\n", "\r\n"),
    "cr": lambda text: text.replace("\n", "\r"),
    "crcrlf": lambda text: text.replace("\n", "\r\r\n"),
    "decimal comma": lambda text: text.replace(",", ";").replace(".", ","),
    "tabs and spaces": lambda text: text.replace(",", " \t "),
    "quoted": lambda text: "\n".join('"' + line.replace(",", '","') + '"' for line in text.splitlines()),
    "delimiter at the end": lambda text: text.replace("\n", ",\n"),
    "delimiter at the end of rows": lambda text: text.replace("\n", ",\n").replace(",\n", "\n", 1),
    "wrong extension": lambda text: text,
}


@pytest.mark.parametrize("way", WRITTEN)
def test_ways_to_write_the_same(look, text, way):
    check_truth(look(WRITTEN[way](text), "cell.ndax" if way == "wrong extension" else "cell.csv"))


def test_units_row(look, text):
    found = look(text.replace("\n", "\ns,V,mA\n", 1))
    check_truth(found)
    assert flags(found)["not_a_number"] == (1, 0)


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_two_equal_exports_pasted_together(look, text, bare, mark):
    found = look(text + mark + text)
    check_truth(found)
    assert flags(found)["not_a_number"] == (1, bare.height)
    assert flags(found)["duplicate_rows"] == (bare.height, bare.height)


def test_second_header_with_other_columns(look, text):
    second = "\n".join(swapped(line) for line in text.splitlines())
    with pytest.raises(CorruptFile, match="two exports in one file"):
        look(text + second + "\n")


def test_second_header_with_another_unit(look, text):
    with pytest.raises(CorruptFile, match="two exports in one file"):
        look(text + text.replace("(mA)", "(A)"))


def test_decimal_comma_where_the_comma_parts_columns(look, text):
    with pytest.raises(CorruptFile, match="more fields than the header"):
        look(text.replace(".", ","))


def test_one_number_with_a_thousands_comma(look, text):
    """It makes a field too many: the row is dropped, not read with its voltage as current."""
    lines = text.splitlines()
    lines[100] = "1,234," + lines[100].split(",", 1)[1]
    found = look("\n".join(lines) + "\n")
    check_truth(found)
    assert flags(found)["not_a_number"] == (1, 99)


def steps(separator: str, written) -> str:
    """10 000 s at +1.5 mA, then as long at -1.5 mA."""
    head = separator.join(HEADER.split(","))
    rows = (separator.join(map(written, (10 * k, 3.5, 1.5 if k <= 1000 else -1.5))) for k in range(2001))
    return "\n".join([head, *rows]) + "\n"


GROUPED = {
    "1,234.5": steps("\t", lambda value: f"{value:,}"),
    "1.234,5": steps("\t", lambda value: f"{value:,}".translate(str.maketrans(",.", ".,"))),
    '"1,234.5"': steps(",", lambda value: f'"{value:,}"'),
}


@pytest.mark.parametrize("way", GROUPED)
def test_thousands_set_off(look, way):
    found = look(GROUPED[way])
    assert found.cycled.half_cycles["charge_mAh"].to_list() == pytest.approx([1.5 / 0.36] * 2, rel=2e-3)
    assert found.record.table["test_time_second"][-1] == 20_000


def test_decimal_comma_that_shows_late(look):
    rows = "".join(f"{10 * k}\t0\t0\n" if k < 400 else f"{10 * k}\t0,512\t1,500\n" for k in range(1000))
    found = look(HEADER.replace(",", "\t") + "\n" + rows)
    assert found.record.table["voltage_volt"].max() == 0.512
    assert found.record.table["current_ampere"].max() == pytest.approx(1.5e-3, rel=1e-12)


def test_clock_past_a_day(look):
    clock = (f"{s // 3600}:{s // 60 % 60:02d}:{s % 60:02d}" for s in range(0, 200_000, 100))
    found = look("Test Time,Voltage (V),Current (mA)\n" + "".join(f"{t},3.5,1.8\n" for t in clock))
    assert found.cycled.half_cycles["charge_mAh"].to_list() == pytest.approx([1.8 * 199_900 / 3600], rel=1e-9)


@pytest.mark.parametrize("fields", ['"1980.0,{1},{2}', '{0},{1},"{2}', '{0},"{1},{2}"'])
def test_stray_quotation_mark(look, text, fields):
    """It must not swallow the lines up to the next one."""
    lines = text.splitlines()
    for row in (100, 150):
        lines[row] = fields.format(*lines[row].split(","))
    found = look("\n".join(lines) + "\n")
    check_truth(found)
    assert flags(found)["not_a_number"][1] == 99


def test_block_never_written(look, text):
    """NUL bytes where the power failed: the digits on either side must not become one number."""
    lines = text.splitlines()
    lines[300] = lines[300][:-4] + "\0" * 4096 + "13" + lines[301]
    found = look("\n".join([*lines[:301], *lines[302:]]) + "\n")
    check_truth(found)
    assert flags(found)["not_a_number"] == (1, 299)


def test_nul_bytes_at_the_end(look, text, bare):
    check_truth(look(text + "\0" * 4096))
    found = look(text[:-15] + "\0" * 4096)
    assert flags(found)["truncated"] == (1, bare.height - 1)


def test_cut_anywhere(tmp_path, text):
    """The last 80 bytes cut off one by one: never a changed number without a flag that names its row."""
    path = tmp_path / "cut.csv"
    path.write_text(text)
    whole = read(path, use_cache=False).table
    for n in range(1, 80):
        path.write_text(text[:-n])
        found = read(path, use_cache=False)
        told = {flag.first_row for flag in found.flags if flag.code in ("truncated", "no_line_end", "not_a_number")}
        same = found.table.equals(whole[: found.n_rows])
        lost = found.n_rows < text[:-n].count("\n") - 1 + (not text[:-n].endswith("\n"))
        assert (same and not lost) or told, n


def test_cut_in_half(look, text):
    found = look(text[: len(text) // 2])
    last = found.cycled.cycles.tail(1)
    assert last["efficiency"].to_list() == [None]
    assert "interrupted" in last["no_efficiency_because"][0]


REFUSED = {
    "empty": (b"", CorruptFile),
    "only zeros": (b"\0" * 5000, CorruptFile),
    "login page": (b"<!DOCTYPE html><html><body>Sign in</body></html>", UnsupportedFormat),
    "json": (b'{"error": "unauthorized"}', InputError),
    "letter": (b"Dear colleague,\nplease find attached the report.\n", InputError),
    "only a header": (HEADER.encode() + b"\n", CorruptFile),
    "no units": (b"Time,Voltage,Current\n0,1,2\n1,1,2\n", InputError),
    "random": (bytes(range(256)) * 100, InputError),
    "ten thousand columns": (b",".join(b"c%d" % k for k in range(10_000)) + b"\n1,2\n", InputError),
    "a wall of blanks": (b"a" + b" " * 60_000, InputError),
    "brackets": (b"x(" * 9_000 + b",\n", InputError),
    "slashes": (b"a," + b"/ (" * 6_000 + b",b\n", InputError),
    "many long lines": (b"\n".join(b",".join(b"c%d" % k for k in range(2_500)) for _ in range(300)), InputError),
}


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("suffix", [".csv", ".ndax", ".mpr", ".xlsx", ""])
def test_refused(tmp_path, case, suffix):
    content, error = REFUSED[case]
    path = tmp_path / f"cell{suffix}"
    path.write_bytes(content)
    with pytest.raises(InterlithError) as told:
        read(path, use_cache=False)
    assert isinstance(told.value, (error, CorruptFile))
    assert path.name in str(told.value)


def test_hundred_megabytes_on_one_line(tmp_path):
    path = tmp_path / "line.csv"
    path.write_bytes(HEADER.encode() + b"\n0,1,2\n10,1,2\n" + b"1," * 50_000_000)
    record = read(path, use_cache=False)
    assert record.n_rows == 2
    assert {flag.code: flag.first_row for flag in record.flags}["not_a_number"] == 2
