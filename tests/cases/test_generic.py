"""Plain tables: the public dQ/dV curves, and what must not be taken for one."""

import pytest

from interlith.cycling.formats import generic_csv
from interlith.cycling.formats.format import Head
from interlith.cycling.reading import read
from interlith.record import CURRENT, TIME, VOLTAGE

CURVES = {"dqdv/cell1_rough.csv": (4217, 42159.013728424434), "dqdv/nmc_halfcell_smooth.csv": (501, 70770.67006129675)}


@pytest.mark.parametrize("name", CURVES)
def test_seconds_amps_volts_are_read_as_written(cycler, name):
    n_rows, last = CURVES[name]
    record = read(cycler / name)
    table = record.table
    assert record.provenance.format == "generic-csv"
    assert (table.height, table[TIME][-1]) == (n_rows, last)
    assert table[CURRENT].max() < 0
    written = (cycler / name).read_text().split("\n")[1].split(",")
    assert (table[CURRENT][0], table[VOLTAGE][0]) == (float(written[1]), float(written[2]))


@pytest.mark.parametrize("name", CURVES)
def test_one_capacity_column_becomes_the_counter_of_the_direction_of_the_current(cycler, name):
    table = read(cycler / name).table
    written = float((cycler / name).read_text().strip().split("\n")[-1].split(",")[3])
    assert table["discharging_capacity_ah"][-1] == pytest.approx(written, rel=1e-12)
    assert table["charging_capacity_ah"][-1] == 0


def test_readme_and_impedance_tables_are_not_claimed(cycler):
    others = [cycler / "README.md", *(cycler / "eis").iterdir(), cycler / "lili-soft-short/lili_protocol.mps"]
    assert [path.name for path in others if generic_csv.recognize(Head(path))] == []


def test_no_text_reader_claims_the_file_of_another(cycler):
    from interlith.cycling.formats import FORMATS

    ours = {"land-text", "arbin-csv", "maccor-text", "novonix-csv", "neware-csv", "neware-nested", "bdf"}
    claimed = {}
    for path in [*cycler.glob("*/*"), *cycler.glob("neware/ref_vendor/*")]:
        if path.is_file() and (names := ours & {f.name for f in FORMATS if f.recognize(Head(path))}):
            claimed[path.name] = names
    assert {name: len(names) for name, names in claimed.items() if len(names) > 1} == {}
    assert sorted(name for name in claimed if not name.endswith(".parquet")) == [
        "SINTEF_LiGrR2032_Landt.csv",
        "fastcharge_CH33.csv",
        "general_report_ife.csv",
        "xTESLADIAG_CH70.070",
    ]
