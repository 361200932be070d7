"""Spreadsheets of LAND and Arbin, written here by hand, through the whole way of reading."""

import zipfile
from xml.sax.saxutils import escape

import polars as pl
import pytest

from interlith.cycling.formats import arbin_res
from interlith.cycling.reading import read
from interlith.errors import CorruptFile, UnsupportedFormat
from interlith.record import CURRENT, TIME, VOLTAGE

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
TYPES = f"""<Types xmlns="{PACKAGE}/content-types"><Default Extension="xml" ContentType="application/xml"/>
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/></Types>"""
LAND_HEADER = ["Record", "Cycle-Index", "Step-Index", "TestTime/Sec", "Voltage/V", "Current/mA", "Capacity/mAh"]
ARBIN_HEADER = ["Data_Point", "Test_Time(s)", "Step_Index", "Cycle_Index", "Current(A)", "Voltage(V)"]

pytest.importorskip("fastexcel")


def cell(value):
    if isinstance(value, str):
        return f'<c t="inlineStr"><is><t>{escape(value)}</t></is></c>'
    return f"<c><v>{value}</v></c>"


def write_xlsx(path, sheets):
    """The smallest workbook with these sheets: name -> rows."""
    links, entries = "", ""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("[Content_Types].xml", TYPES)
        kind = f'Id="r1" Type="{LINKS}/officeDocument" Target="xl/workbook.xml"'
        book.writestr(
            "_rels/.rels", f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship {kind}/></Relationships>'
        )
        for k, (name, rows) in enumerate(sheets.items(), 1):
            body = "".join(f"<row>{''.join(cell(v) for v in row)}</row>" for row in rows)
            book.writestr(
                f"xl/worksheets/sheet{k}.xml", f'<worksheet xmlns="{MAIN}"><sheetData>{body}</sheetData></worksheet>'
            )
            links += f'<Relationship Id="s{k}" Type="{LINKS}/worksheet" Target="worksheets/sheet{k}.xml"/>'
            entries += f'<sheet name="{name}" sheetId="{k}" r:id="s{k}"/>'
        book.writestr(
            "xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{PACKAGE}/relationships">{links}</Relationships>'
        )
        space = f'xmlns="{MAIN}" xmlns:r="{LINKS}"'
        book.writestr("xl/workbook.xml", f"<workbook {space}><sheets>{entries}</sheets></workbook>")
    return path


def test_land_workbook_reads_the_sheets_of_records_in_order(tmp_path):
    first = [["Cell 12"], LAND_HEADER, [1, 1, 1, 0.0, 1.25, 0.5, 0.0], [2, 1, 1, 10.0, 1.5, 0.5, 0.125]]
    second = [["Cell 12"], LAND_HEADER, [3, 1, 2, 11.0, 1.0, -0.5, 0.0625]]
    sheets = {"Record1": first, "Record2": second, "Ends": [["Time/s", "Voltage/V"], [10, 1.5]]}
    record = read(write_xlsx(tmp_path / "land.xlsx", sheets))
    assert record.provenance.format == "land-xls"
    assert record.table.select(TIME, VOLTAGE, CURRENT).rows() == [(0, 1.25, 5e-4), (10, 1.5, 5e-4), (11, 1.0, -5e-4)]
    assert record.table["charging_capacity_ah"][-1] == 0.125e-3
    assert record.table["discharging_capacity_ah"][-1] == 0.0625e-3
    assert record.table["step_count"].to_list() == [1, 1, 2]
    assert record.provenance.notes == ("1 sheets with other columns left out",)


def test_arbin_workbook_reads_all_channel_sheets_but_no_statistics(tmp_path):
    first = [ARBIN_HEADER, [1, 0.0, 1, 1, 0.5, 3.0], [2, 1.5, 1, 1, 0.5, 3.1]]
    second = [ARBIN_HEADER, [3, 2.5, 2, 1, -0.5, 3.0]]
    statistics = [ARBIN_HEADER, [9, 9, 9, 9, 9, 9]]
    sheets = {"Info": [["x"]], "Channel_1_1": first, "Channel_1_2": second, "Channel_Statistic_1": statistics}
    record = read(write_xlsx(tmp_path / "arbin.xlsx", sheets))
    assert record.provenance.format == "arbin-xlsx"
    assert record.table.select(TIME, VOLTAGE, CURRENT).rows() == [(0, 3.0, 0.5), (1.5, 3.1, 0.5), (2.5, 3.0, -0.5)]
    assert record.flags == ()


def test_two_channels_in_one_workbook_are_flagged(tmp_path):
    rows = [ARBIN_HEADER, [1, 0.0, 1, 1, 0.5, 3.0]]
    later = [ARBIN_HEADER, [1, 5.0, 1, 1, 0.5, 3.0]]
    record = read(write_xlsx(tmp_path / "arbin.xlsx", {"Channel_1_1": rows, "Channel_2_1": later}))
    assert [flag.code for flag in record.flags] == ["several_tests"]


def test_a_workbook_of_nobody_we_know_is_unsupported(tmp_path):
    with pytest.raises(UnsupportedFormat, match=r"other\.xlsx"):
        read(write_xlsx(tmp_path / "other.xlsx", {"Sheet1": [["a", "b"], [1, 2]]}))


def test_an_old_xls_of_garbage_is_corrupt(tmp_path):
    path = tmp_path / "bad.xls"
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(range(256)) * 40)
    with pytest.raises(CorruptFile, match=r"bad\.xls"):
        read(path)


def test_several_tests_in_one_res_are_kept_in_order_and_flagged():
    rows = pl.DataFrame({"Test_ID": ["7", "3", "7", "3"], "Data_Point": ["2", "1", "1", "10"]})
    ordered = arbin_res._by_key(rows)
    assert ordered.rows() == [("7", "1"), ("7", "2"), ("3", "1"), ("3", "10")]
    (flag,) = arbin_res._several_tests(ordered)
    assert (flag.code, flag.n_rows, flag.first_row) == ("several_tests", 2, 2)
    assert arbin_res._several_tests(ordered[:2]) == []
