"""A spreadsheet holds what the tables hold: numbers as numbers, text as text, one sheet for each table."""

import math
import sys
import zipfile

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from interlith.errors import EnvironmentError_, InputError
from interlith.findings import spreadsheet
from interlith.pouch.bill import bill
from interlith.pouch.design_file import read_design

AS_EXCEL = 1e-15  # it keeps 16 digits


def masses():
    found = bill(read_design("reference-pouch").cell)
    return pl.DataFrame(
        {
            "part": list(found.masses_g),
            "mass_g": [float(mass) for mass in found.masses_g.values()],
            "share": [float(mass / found.mass_g) for mass in found.masses_g.values()],
            "place": list(range(len(found.masses_g))),
        }
    )


def sheet_xml(path, number=1):
    with zipfile.ZipFile(path) as archive:
        return archive.read(f"xl/worksheets/sheet{number}.xml").decode()


def test_a_table_comes_back_as_it_was(tmp_path):
    path = tmp_path / "new" / "bill.xlsx"
    spreadsheet({"masses": masses(), "again": masses().head(2)}, path)
    back = pl.read_excel(path, sheet_name="masses")
    assert back.schema["mass_g"] == pl.Float64
    assert_frame_equal(back, masses(), rel_tol=AS_EXCEL, abs_tol=0)
    assert_frame_equal(pl.read_excel(path, sheet_name="again"), masses().head(2), rel_tol=AS_EXCEL, abs_tol=0)
    assert [file.name for file in path.parent.iterdir()] == ["bill.xlsx"]


def test_the_header_stays_and_columns_are_as_wide_as_their_text(tmp_path):
    path = tmp_path / "wide.xlsx"
    spreadsheet({"t": pl.DataFrame({"short": ["x"], "long": ["y" * 40], "longest": ["z" * 500]})}, path)
    xml = sheet_xml(path)
    assert 'ySplit="1"' in xml
    assert 'state="frozen"' in xml
    widths = [float(part.split('"')[0]) for part in xml.split(' width="')[1:]]
    assert len(widths) == 3
    assert widths[0] < 10 < 40 < widths[1] < 50 < widths[2] < 70


def test_text_that_looks_like_something_else_stays_text(tmp_path):
    path = tmp_path / "text.xlsx"
    texts = ["=1+1", "007", "https://example.org", "plain"]
    spreadsheet({"t": pl.DataFrame({"text": texts})}, path)
    assert "<f>" not in sheet_xml(path)
    assert "hyperlink" not in sheet_xml(path)
    assert pl.read_excel(path)["text"].to_list() == texts


def test_what_a_cell_cannot_hold(tmp_path):
    path = tmp_path / "odd.xlsx"
    table = pl.DataFrame({"x": [1.5, math.nan, math.inf, None], "list": [[1, 2], [], None, [3]], "X": [1, 2, 3, 4]})
    spreadsheet({"t": table}, path)
    back = pl.read_excel(path)
    assert back["x"].to_list() == [1.5, None, None, None]
    assert back["list"].to_list() == ["[1, 2]", "[]", None, "[3]"]
    assert back.columns == ["x", "list", "X_2"]
    assert back["X_2"].to_list() == [1, 2, 3, 4]


def test_names_of_sheets_are_such_as_excel_takes(tmp_path):
    path = tmp_path / "names.xlsx"
    long = "a table whose name is much too long for a sheet"
    table = pl.DataFrame({"x": [1]})
    names = [long, f"{long} indeed", "a/b", "A/B", "History", "''"]
    spreadsheet(dict.fromkeys(names, table) | {"none": pl.DataFrame()}, path)
    with zipfile.ZipFile(path) as archive:
        book = archive.read("xl/workbook.xml").decode()
    sheets = [part.split('"')[0] for part in book.split('<sheet name="')[1:]]
    assert sheets == [long[:31], f"{long[:29]}_2", "a_b", "A_B_2", "History_", "table", "none"]


def test_an_old_file_is_replaced_whole_or_kept(tmp_path):
    path = tmp_path / "bill.xlsx"
    path.write_bytes(b"old")
    with pytest.raises(InputError, match="at least one table"):
        spreadsheet({}, path)
    assert path.read_bytes() == b"old"
    spreadsheet({"masses": masses()}, path)
    assert path.read_bytes()[:2] == b"PK"
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(EnvironmentError_, match="cannot be written"):
        spreadsheet({"masses": masses()}, tmp_path / "file" / "bill.xlsx")


def test_more_rows_than_a_sheet_has_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("interlith.findings.ROWS_OF_A_SHEET", 5)
    with pytest.raises(InputError, match="10 rows; a sheet holds 5"):
        spreadsheet({"masses": masses()}, tmp_path / "bill.xlsx")


def test_without_the_extra_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    with pytest.raises(EnvironmentError_, match=r"pip install 'interlith\[excel\]'"):
        spreadsheet({"masses": masses()}, tmp_path / "bill.xlsx")
    assert not list(tmp_path.iterdir())
