"""Every row of the table of formats keeps the contract of a reader, on a real file of its kind or on a written one."""

import pytest

from interlith import plugins
from interlith.cycling.formats import FORMATS, Format, Head, Raw, all_formats
from interlith.cycling.reading import recognize
from interlith.errors import CorruptFile, EnvironmentError_, InputError
from interlith.testing import check_damage, check_format

REAL = {
    "neware-nda": "neware/operando_cc8.ndax",
    "land-ccs": "land/LANHE_GPCL.ccs",
    "arbin-res": "arbin/arbin_example.res",
    "arbin-xlsx": "arbin/graphite_vs_Li.xlsx",
    "neware-nested": "neware/general_report_ife.csv",
    "maccor-text": "maccor/xTESLADIAG_CH70.070",
    "arbin-csv": "arbin/fastcharge_CH33.csv",
    "land-text": "land/SINTEF_LiGrR2032_Landt.csv",
    "neware-csv": "neware/ref_vendor/TestFile.parquet",
    "biologic-mpr": "biologic/gpcl_echemistpy.mpr",
    "biologic-text": "biologic/LSV_10mVmin_CBvsLi.txt",
    "gamry-eis": "eis/Gamry.DTA",
    "zview-eis": "eis/Autolab_Z60W.txt",
    "chi-eis": "eis/CHInstruments.txt",
    "powersuite-eis": "eis/Powersuite.txt",
    "eis-csv": "eis/exampleData.csv",
    "generic-csv": "dqdv/nmc_halfcell_smooth.csv",
}
NO_REAL_FILE = {"land-xls", "novonix-csv", "bdf"}  # tested on written samples in tests/cycling
SMALL = ["gamry-eis", "zview-eis", "chi-eis", "powersuite-eis", "eis-csv", "generic-csv", "arbin-csv"]
BY_NAME = {known.name: known for known in FORMATS}


def test_every_row_has_a_sample_or_says_that_there_is_none():
    assert set(REAL) | NO_REAL_FILE == set(BY_NAME)
    assert len(BY_NAME) == len(FORMATS), "two rows of one name"


@pytest.mark.parametrize("name", REAL)
def test_contract(cycler, tmp_path, name):
    known = BY_NAME[name]
    if missing := known.missing():
        pytest.skip(missing)
    sample = tmp_path / (cycler / REAL[name]).name
    sample.write_bytes((cycler / REAL[name]).read_bytes())
    check_format(known, sample)
    assert recognize(sample).name == name


@pytest.mark.parametrize("name", REAL)
def test_no_other_row_is_preferred(cycler, name):
    assert recognize(cycler / REAL[name]).name == name


@pytest.mark.parametrize("name", REAL)
def test_content_decides_not_the_name(cycler, tmp_path, name):
    odd = tmp_path / "renamed.bin"
    odd.write_bytes((cycler / REAL[name]).read_bytes())
    assert recognize(odd).name == name


@pytest.mark.parametrize("name", SMALL)
def test_damage(cycler, tmp_path, name):
    sample = tmp_path / (cycler / REAL[name]).name
    sample.write_bytes((cycler / REAL[name]).read_bytes())
    check_damage(BY_NAME[name], sample)


def test_a_format_whose_library_is_absent_says_which_extra(monkeypatch, tmp_path):
    absent = Format(
        "x", "X", (".x",), lambda head: True, lambda p, o: None, modules=("no_such_module",), extra="neware"
    )
    assert "interlith[neware]" in absent.missing()
    monkeypatch.setattr("interlith.cycling.reading.all_formats", lambda: (absent,))
    path = tmp_path / "a.x"
    path.write_text("data")
    from interlith.cycling.reading import read

    with pytest.raises(EnvironmentError_, match=r"interlith\[neware\]"):
        read(path)


def test_a_plug_in_is_asked_first_and_used(monkeypatch, tmp_path):
    import polars as pl

    def theirs(path, options):
        rows = {"test_time_second": [0.0, 1.0], "voltage_volt": [3.0, 3.0], "current_ampere": [1.0, 1.0]}
        return Raw(pl.DataFrame(rows), instrument="theirs")

    mine = Format("theirs", "Theirs", (".csv",), lambda head: head.text.startswith("THEIRS"), theirs)
    plugins.load.cache_clear()
    entry = type("Entry", (), {"name": "theirs", "load": staticmethod(lambda: mine)})
    monkeypatch.setattr(plugins, "registered", lambda group: [entry])
    path = tmp_path / "a.csv"
    path.write_text("THEIRS\n1,2,3\n")
    from interlith.cycling.reading import read

    try:
        assert all_formats()[0] is mine
        assert read(path).provenance.instrument == "theirs"
        check_format(mine, path)
    finally:
        plugins.load.cache_clear()


def test_a_plug_in_that_cannot_be_loaded_is_a_warning(monkeypatch):
    def fail():
        raise ImportError("gone")

    plugins.load.cache_clear()
    entry = type("Entry", (), {"name": "broken", "load": staticmethod(fail)})
    monkeypatch.setattr(plugins, "registered", lambda group: [entry])
    with pytest.warns(UserWarning, match="broken"):
        assert plugins.load("interlith.formats") == ()
    plugins.load.cache_clear()


def test_the_contract_check_can_fail(tmp_path):
    import polars as pl

    path = tmp_path / "a.csv"
    path.write_text("anything")
    greedy = Format(
        "greedy", "Greedy", (), lambda head: True, lambda p, o: Raw(pl.DataFrame({"test_time_second": [1.0]}))
    )
    with pytest.raises(AssertionError, match="claims a letter"):
        check_format(greedy, path)
    empty = Format("empty", "Empty", (), lambda head: head.text == "anything", greedy.read)
    with pytest.raises(AssertionError, match="required columns missing"):
        check_format(empty, path)


@pytest.mark.parametrize(("suffix", "error"), [(".ndax", CorruptFile), (".mpr", CorruptFile), (".res", CorruptFile)])
def test_a_file_that_is_not_what_its_name_says(tmp_path, suffix, error):
    path = tmp_path / f"renamed{suffix}"
    path.write_text("this is a letter\n" * 10)
    with pytest.raises(error, match=suffix):
        recognize(path)


@pytest.mark.parametrize("suffix", [".cex", ".nox"])
def test_closed_formats_name_the_export_to_make(tmp_path, suffix):
    path = tmp_path / f"closed{suffix}"
    path.write_bytes(b"\x01\x02\x03")
    with pytest.raises(InputError, match="export"):
        recognize(path)


def test_head_reads_only_the_beginning(tmp_path):
    path = tmp_path / "long.txt"
    path.write_bytes(b"a" * 1_000_000)
    assert len(Head(path).data) == 65536
