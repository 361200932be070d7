"""The real Arbin files: .res through mdb-export, .csv and .xlsx, against their README and their own counters."""

import shutil

import numpy as np
import pytest

from interlith.cycling.reading import read
from interlith.errors import CorruptFile, InputError, UnsupportedFormat
from interlith.record import CURRENT, TIME, VOLTAGE

HOUR_S = 3600.0
RES = {
    "arbin/anode_vs_Li_45.res": (10261, 18, 0.0499, 3.1167, 238.63),
    "arbin/arbin_example.res": (2150, 5, 2.9999, 4.3001, 96.04),
}
CSV, XLSX = "arbin/fastcharge_CH33.csv", "arbin/graphite_vs_Li.xlsx"


@pytest.fixture
def mdbtools():
    if not shutil.which("mdb-export"):
        pytest.skip("the program mdb-export (mdbtools) is not installed")


def charges(table):
    """Charge passed in each direction, each interval with the current at its end: how the vendor counts."""
    passed = table[CURRENT].to_numpy()[1:] * np.diff(table[TIME].to_numpy()) / HOUR_S
    return passed[passed > 0].sum(), -passed[passed < 0].sum()


def counted(table):
    return [table[c][-1] - table[c][0] for c in ("charging_capacity_ah", "discharging_capacity_ah")]


@pytest.mark.parametrize("name", RES)
def test_res_has_the_facts_of_the_readme(cycler, mdbtools, name):
    n_rows, n_cycles, lowest, highest, hours = RES[name]
    record = read(cycler / name)
    table = record.table
    assert table.height == n_rows
    assert table["cycle_count"].n_unique() == n_cycles
    assert (table[VOLTAGE].min(), table[VOLTAGE].max()) == (
        pytest.approx(lowest, abs=6e-5),
        pytest.approx(highest, abs=6e-5),
    )
    assert table[TIME][-1] / HOUR_S == pytest.approx(hours, abs=6e-3)
    assert not record.flags


@pytest.mark.parametrize("name", RES)
def test_res_current_has_the_sign_and_size_of_the_vendors_counters(cycler, mdbtools, name):
    table = read(cycler / name).table
    assert counted(table) == pytest.approx(charges(table), rel=5e-4)


def test_res_rows_are_in_the_order_of_their_key(cycler, mdbtools):
    # mdb-export gives the pages of arbin_example.res back out of order
    table = read(cycler / "arbin/arbin_example.res").table
    assert table["record_index"].to_list() == list(range(1, 2151))
    assert table["step_count"].is_sorted()


def test_res_states_its_mass_where_one_was_entered(cycler, mdbtools):
    with_mass, without = (read(cycler / name).facts.active_mass_mg for name in RES)
    assert (with_mass.value, with_mass.kind) == (pytest.approx(0.85283798), "stated")
    assert without.value is None


def test_res_clock_agrees_with_test_time(cycler, mdbtools):
    table = read(cycler / "arbin/anode_vs_Li_45.res").table
    assert table["unix_time_second"][0] == pytest.approx(1470414083, abs=1)  # 2016-08-05 16:21:23
    assert table["unix_time_second"][1] - table["unix_time_second"][0] == pytest.approx(
        table[TIME][1] - table[TIME][0], abs=1
    )


@pytest.mark.parametrize(("keep", "n_rows"), [(401_408, 1080), (520_192, 2040)])
def test_res_without_its_end_is_flagged(cycler, mdbtools, tmp_path, keep, n_rows):
    cut = tmp_path / "cut.res"
    cut.write_bytes((cycler / "arbin/arbin_example.res").read_bytes()[:keep])
    record = read(cut)
    assert record.n_rows == n_rows
    assert "truncated" in [flag.code for flag in record.flags]


@pytest.mark.parametrize("keep", [3000, 100_000])
def test_res_cut_off_is_refused(cycler, mdbtools, tmp_path, keep):
    cut = tmp_path / "cut.res"
    cut.write_bytes((cycler / "arbin/arbin_example.res").read_bytes()[:keep])
    with pytest.raises(InputError, match=r"cut\.res"):
        read(cut)


def test_res_of_garbage_is_corrupt(tmp_path, mdbtools):
    bad = tmp_path / "bad.res"
    bad.write_bytes(b"\0\1\0\0Standard Jet DB\0" + bytes(range(256)) * 200)
    with pytest.raises((CorruptFile, UnsupportedFormat), match=r"bad\.res"):
        read(bad)


def test_csv_without_units_is_in_ampere(cycler):
    table = read(cycler / CSV).table
    assert table.height == 287
    assert table[CURRENT].max() == pytest.approx(6.6006, abs=1e-3)
    assert table["surface_temperature_celsius"][0] == pytest.approx(25.17437)
    assert table["unix_time_second"][0] == pytest.approx(1494377253.17)
    charged, discharged = charges(table)
    assert counted(table)[0] == pytest.approx(charged, rel=1e-3)
    assert discharged == 0


def test_csv_leaves_out_the_counters_that_it_names_and_does_not_fill(cycler):
    assert not {"cycle_count", "step_id", "step_count"} & set(read(cycler / CSV).table.columns)


def test_xlsx_has_the_facts_of_the_readme(cycler):
    pytest.importorskip("fastexcel")
    record = read(cycler / XLSX)
    table = record.table
    assert record.provenance.format == "arbin-xlsx"
    assert (table.height, table["cycle_count"].n_unique(), table["step_count"].n_unique()) == (4526, 1, 5)
    assert (table[VOLTAGE].min(), table[VOLTAGE].max()) == (
        pytest.approx(0.05, abs=5e-5),
        pytest.approx(2.6409, abs=5e-5),
    )
    assert counted(table) == pytest.approx(charges(table), rel=5e-4)
    assert table["unix_time_second"][-1] - table["unix_time_second"][0] == pytest.approx(
        table[TIME][-1] - table[TIME][0], rel=1e-4
    )


def test_xlsx_cut_off_is_corrupt(cycler, tmp_path):
    pytest.importorskip("fastexcel")
    cut = tmp_path / "cut.xlsx"
    cut.write_bytes((cycler / XLSX).read_bytes()[:200_000])
    with pytest.raises(CorruptFile, match=r"cut\.xlsx"):
        read(cut)
