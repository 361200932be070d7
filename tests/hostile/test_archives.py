"""Zip archives and workbooks made to fill the memory, and what they cost: every process is measured."""

import contextlib
import json
import struct
import subprocess
import sys
import zipfile

import numpy as np
import polars as pl
import pytest

from interlith.cycling.reading import read
from interlith.errors import CorruptFile, InputError

MOST_MB = 300
MEASURED = """
import json, resource, sys
from interlith.cycling import isolation
from interlith.cycling.reading import read
from interlith.errors import InterlithError
try:
    answer = {"rows": read(sys.argv[1], use_cache=False).n_rows}
except InterlithError as problem:
    answer = {"error": type(problem).__name__, "message": str(problem)}
isolation.READER.stop()
# VmHWM: ru_maxrss of this process would be that of the pytest which started it
own = int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
print(json.dumps({**answer, "MB": max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) / 1024}))
"""
linux = pytest.mark.skipif(sys.platform != "linux", reason="memory is measured by /proc")


def measured(path) -> dict:
    """What reading a file in a process of its own gives, and the most memory that it or a child of it held."""
    done = subprocess.run([sys.executable, "-c", MEASURED, str(path)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


TYPES = "http://schemas.openxmlformats.org/package/2006"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
HEADERS = ("Data_Point", "Test_Time(s)", "Step_Index", "Cycle_Index", "Current(A)", "Voltage(V)", "Date_Time")


def cells(row: int, values) -> str:
    kinds = (
        f'<c r="{c}{row}" t="inlineStr"><is><t>{v}</t></is></c>'
        if isinstance(v, str)
        else f'<c r="{c}{row}"><v>{v}</v></c>'
        for c, v in zip("ABCDEFG", values, strict=True)
    )
    return f'<row r="{row}">{"".join(kinds)}</row>'


def workbook(path, more: bytes | str = b"", n_rows: int = 50):
    """A small Arbin workbook, with `more` in its sheet."""
    rows = "".join(cells(k + 2, (k, 10 * k, 1, 1, 0.001, 3.5, 45000)) for k in range(n_rows))
    more = more.encode() if isinstance(more, str) else more
    sheet = (
        f'<worksheet xmlns="{MAIN}"><sheetData>{cells(1, HEADERS)}{rows}'.encode() + more + b"</sheetData></worksheet>"
    )
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{TYPES}/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{SHEET_TYPE}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{SHEET_TYPE}.worksheet+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{TYPES}/relationships"><Relationship Id="rId1" '
        f'Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>'
        '<sheet name="Channel_1-008" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{TYPES}/relationships"><Relationship Id="rId1" '
        f'Type="{OFFICE}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": sheet,
    }
    return zipped(path, parts)


def zipped(path, parts):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


@linux
@pytest.mark.slow
def test_600_kB_that_hide_600_MB(tmp_path):
    path = workbook(tmp_path / "bomb.xlsx", b" " * 600_000_000)
    assert path.stat().st_size < 700_000
    found = measured(path)
    assert found["error"] == "CorruptFile"
    assert "600 MB" in found["message"]
    assert found["MB"] < MOST_MB


@linux
def test_a_bomb_whose_listing_lies(tmp_path):
    """The listing says 1000 bytes; the stream goes on for 200 MB."""
    path = workbook(tmp_path / "liar.xlsx", b" " * 200_000_000)
    data = path.read_bytes()
    true = next(i.file_size for i in zipfile.ZipFile(path).infolist() if i.filename.endswith("sheet1.xml"))
    path.write_bytes(data.replace(struct.pack("<I", true), struct.pack("<I", 1000)))
    found = measured(path)
    assert found["error"] == "CorruptFile"
    assert found["MB"] < MOST_MB


@linux
@pytest.mark.parametrize("corner", ["XFD1048576", "CV1048000", "CV400000", "Z200000"])
def test_two_cells_far_apart(tmp_path, corner):
    """A sheet of a few cells that its reader lays out as a full rectangle."""
    pytest.importorskip("fastexcel")
    row = corner.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    path = workbook(tmp_path / "sparse.xlsx", f'<row r="{row}"><c r="{corner}"><v>1</v></c></row>')
    found = measured(path)
    assert found["error"] == "CorruptFile"
    assert found["MB"] < MOST_MB


@linux
def test_parquet_of_one_number_repeated(tmp_path):
    n = 30_000_000
    path = tmp_path / "bomb.parquet"
    one = {name: pl.repeat(1.0, n, eager=True) for name in ("test_time_second", "voltage_volt", "current_ampere")}
    pl.DataFrame(one).write_parquet(path)
    assert path.stat().st_size < 1_000_000
    found = measured(path)
    assert found["error"] == "CorruptFile"
    assert found["MB"] < MOST_MB


def test_the_workbook_itself_is_read(tmp_path):
    pytest.importorskip("fastexcel")
    record = read(workbook(tmp_path / "good.xlsx"), use_cache=False)
    assert record.table["test_time_second"].to_list() == [10.0 * k for k in range(50)]
    assert record.provenance.format.startswith("arbin")


def test_a_bomb_in_an_archive_in_an_archive(tmp_path):
    inner = zipped(tmp_path / "inner.zip", {"cell.csv": b"0," * 30_000_000})
    outer = zipped(tmp_path / "outer.zip", {"inner.zip": inner.read_bytes()})
    with pytest.raises(InputError):
        read(outer, use_cache=False)
    bomb = workbook(tmp_path / "bomb.xlsx", b" " * 60_000_000)
    with pytest.raises(CorruptFile, match="unpack"):
        read(zipped(tmp_path / "again.zip", {"bomb.xlsx": bomb.read_bytes()}), use_cache=False)


def named_ndax(path, names):
    return zipped(path, dict.fromkeys(names, b"x" * 100))


@pytest.mark.parametrize("name", ["../../evil", "/etc/evil", "a/../../evil", "..\\evil", "C:evil"])
def test_names_that_lead_elsewhere(tmp_path, name):
    with pytest.raises(CorruptFile, match="elsewhere"):
        read(named_ndax(tmp_path / "cell.ndax", ["data.ndc", name]), use_cache=False)
    assert not list(tmp_path.parent.glob("evil"))


def test_thousands_of_entries(tmp_path):
    with pytest.raises(CorruptFile, match="5000 files"):
        read(named_ndax(tmp_path / "cell.ndax", ["data.ndc", *map(str, range(4999))]), use_cache=False)


def test_encrypted(tmp_path):
    path = named_ndax(tmp_path / "cell.ndax", ["data.ndc"])
    data = bytearray(path.read_bytes())
    for magic, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        data[data.index(magic) + offset] |= 1
    path.write_bytes(data)
    with pytest.raises(CorruptFile, match="encrypted"):
        read(path, use_cache=False)


def test_an_only_file_in_a_zip_is_read_and_a_wrong_checksum_told(tmp_path, bare):
    text = bare.rename(
        {"test_time_second": "Test Time (s)", "voltage_volt": "U/V", "current_ampere": "I/A"}
    ).write_csv()
    path = zipped(tmp_path / "cell.zip", {"cell.csv": text})
    assert read(path, use_cache=False).n_rows == bare.height
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x10
    path.write_bytes(data)
    with pytest.raises(CorruptFile):
        read(path, use_cache=False)


@pytest.mark.parametrize("part", np.linspace(0.05, 0.95, 7))
def test_cut_and_flipped_workbooks(tmp_path, part):
    pytest.importorskip("fastexcel")
    data = workbook(tmp_path / "good.xlsx").read_bytes()
    place = int(part * len(data))
    path = tmp_path / "cell.xlsx"
    path.write_bytes(data[:place])
    with pytest.raises(InputError):
        read(path, use_cache=False)
    path.write_bytes(data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :])
    with contextlib.suppress(InputError):
        assert read(path, use_cache=False).n_rows == 50
