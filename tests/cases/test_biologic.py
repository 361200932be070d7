"""The real BioLogic files, against what their README knows and against galvani as an outside judge."""

import warnings

import numpy as np
import polars as pl
import pytest

from interlith.cycling.formats.format import ReadOptions
from interlith.cycling.reading import read
from interlith.errors import CorruptFile, InputError
from interlith.record import CURRENT, FREQUENCY, IMAGINARY, REAL, SPECTRUM, TIME, VOLTAGE

HOUR_S = 3600.0
GCPL = {
    "biologic/gcpl_5cycles_LiHalf.mpr": (46102, 1.9999, 3.8001, 126.753, 14),
    "biologic/LNMO_SiGr_gcpl.mpr": (3791, 0.2883, 4.9007, 22.699, 6),
    "biologic/gpcl_echemistpy.mpr": (11069, 0.9, 1.8001, 11.422, 2),
    "lili-soft-short/lili_gcpl_first10min.mpr": (109, 0.0014, 0.2984, 0.25, 1),
}
SPECTRA = {
    "lili-soft-short/lili_geis_loops.mpr": (405, 45, 0.7998, 500.2, 0.0034, 0.0427, 44.345),
    "eis/SSB_NCM_InLi_PEIS.mpr": (89, 1, 0.009997, 7e6, 2.9668, 2.9669, 0.297),
    "eis/SSB_NCM_InLi_PEIS_EOD.mpr": (86, 1, 0.01999, 7e6, 2.9481, 2.9482, 184.556),
    "eis/PEIS_aurora.mpr": (244, 4, 0.01001, 1e4, 3.7510, 3.7789, 1786.141),
}
MIXED = "biologic/anode_vs_Li_with_peis.mpr"
VOLTAGE_ONLY = "lili-soft-short/lili_gcpl_1mAcm2_VT.txt"
SETTINGS = "lili-soft-short/lili_protocol.mps"


@pytest.fixture
def libraries():
    pytest.importorskip("yadg")
    return pytest.importorskip("galvani").BioLogic


@pytest.fixture
def by_galvani(cycler, libraries):
    """The table that galvani reads."""

    def load(name):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return libraries.MPRfile(str(cycler / name)).data

    return load


def load(path, options=None):
    return read(path, options or ReadOptions(), use_cache=False)


def codes(record):
    return [flag.code for flag in record.flags]


def moved_Ah(table):
    """Charge moved both ways, and net, by trapezoids of the current."""
    time, current = table[TIME].to_numpy(), table[CURRENT].to_numpy()
    charge = (current[1:] + current[:-1]) / 2 * np.diff(time) / HOUR_S
    return np.abs(charge).sum(), charge.sum()


@pytest.mark.parametrize("name", GCPL)
def test_known_facts_of_galvanostatic_files(cycler, libraries, name):
    n_rows, low, high, last_h, _ = GCPL[name]
    table = load(cycler / name).table
    assert table.height == n_rows
    assert table[VOLTAGE].min() == pytest.approx(low, abs=1e-4)
    assert table[VOLTAGE].max() == pytest.approx(high, abs=1e-4)
    assert table[TIME].max() / HOUR_S == pytest.approx(last_h, abs=1e-3)
    assert FREQUENCY not in table.columns


@pytest.mark.parametrize("name", GCPL)
def test_derived_current_gives_the_charge_of_the_files_own_counter(cycler, libraries, by_galvani, name):
    record = load(cycler / name)
    net_Ah = by_galvani(name)["(Q-Qo)/mA.h"] / 1e3
    counted = np.abs(np.diff(net_Ah)).sum()
    both, net = moved_Ah(record.table)
    assert codes(record) == ["current_derived"]
    has_power = "P/W" in by_galvani(name).dtype.names
    assert ("power over voltage" in record.flags[0].message) == has_power
    assert both == pytest.approx(counted, rel=5e-3)
    assert net == pytest.approx(net_Ah[-1] - net_Ah[0], abs=5e-3 * counted)
    assert record.table["charging_capacity_ah"][-1] + record.table["discharging_capacity_ah"][-1] == pytest.approx(
        counted, rel=1e-5
    )


@pytest.mark.parametrize("name", GCPL)
def test_every_vendor_half_cycle_has_its_charge(cycler, libraries, by_galvani, name):
    judge, table = by_galvani(name), load(cycler / name).table
    half, net = judge["half cycle"], judge["(Q-Qo)/mA.h"] / 1e3
    assert half.max() + 1 == GCPL[name][-1]  # EC-Lab leaves a number out (0, 2, 3 ...) in the LiHalf file
    for k in np.unique(half):
        rows = np.flatnonzero(half == k)
        both, _ = moved_Ah(table[rows])
        counted = np.abs(np.diff(net[rows])).sum()
        if counted > 1e-6:
            assert both == pytest.approx(counted, rel=5e-3)


@pytest.mark.parametrize("name", GCPL)
def test_steps_change_with_the_vendors_sequence_and_half_cycle(cycler, libraries, by_galvani, name):
    judge, steps = by_galvani(name), load(cycler / name).table["step_count"].to_numpy()
    changed = (np.diff(judge["Ns"]) != 0) | (np.diff(judge["half cycle"]) != 0)
    assert np.all(np.diff(steps)[changed] == 1)
    assert set(np.diff(steps).tolist()) <= {0, 1}


def test_current_of_a_constant_voltage_step_follows_the_charge(cycler, libraries):
    """The LNMO file holds neither current nor power: in its CV steps only the charge counter knows the current.

    Two of them end at 0.2413 mA, a tenth of the 2.413 mA.h that the settings state as the cell's capacity.
    """
    table = load(cycler / "biologic/LNMO_SiGr_gcpl.mpr").table
    held = table.filter((pl.col(VOLTAGE) > 4.8999) & (pl.col("step_id") == 1))
    ends = held.group_by("step_count").agg(pl.len(), pl.col(CURRENT).first().alias("first"), pl.col(CURRENT).last())
    ends = ends.filter(pl.col("len") > 100).sort("step_count")
    assert ends["first"].to_numpy() == pytest.approx([1.2065e-3] * 3, rel=2e-3)
    assert ends[CURRENT].to_numpy()[1:] == pytest.approx([0.2413e-3] * 2, rel=2e-3)


def test_clock_is_taken_only_from_a_log(cycler, libraries):
    assert "unix_time_second" not in load(cycler / "eis/PEIS_aurora.mpr").table.columns
    first = load(cycler / "lili-soft-short/lili_gcpl_first10min.mpr").table["unix_time_second"][0]
    assert first == pytest.approx(1691757615.0, abs=1)


@pytest.mark.parametrize("name", SPECTRA)
def test_known_facts_of_spectra(cycler, libraries, by_galvani, name):
    n_rows, n_spectra, f_low, f_high, v_low, v_high, last_h = SPECTRA[name]
    record = load(cycler / name)
    points, judge = record.spectra(), by_galvani(name)
    assert points.height == record.n_rows == n_rows
    assert points[SPECTRUM].unique().sort().to_list() == list(range(n_spectra))
    assert points[FREQUENCY].min() == pytest.approx(f_low, rel=1e-3)
    assert points[FREQUENCY].max() == pytest.approx(f_high, rel=1e-3)
    assert points[VOLTAGE].min() == pytest.approx(v_low, abs=1e-4)
    assert points[VOLTAGE].max() == pytest.approx(v_high, abs=1e-4)
    assert points[TIME].max() / HOUR_S == pytest.approx(last_h, abs=1e-3)
    assert points[IMAGINARY].to_numpy() == pytest.approx(-judge["-Im(Z)/Ohm"].astype(float))
    assert np.array_equal(points[SPECTRUM].to_numpy() + 1, judge["cycle number"])


def test_resistance_of_the_li_li_cell_falls_at_the_soft_short(cycler, libraries):
    points = load(cycler / "lili-soft-short/lili_geis_loops.mpr").spectra()
    slow = points.filter(pl.col(FREQUENCY) < 0.81)[REAL].to_numpy()
    assert slow[[19, 23, 24]] == pytest.approx([254.8, 223.1, 129.1], abs=0.05)


def test_impedance_points_mixed_into_a_galvanostatic_table(cycler, libraries, by_galvani):
    record, judge = load(cycler / MIXED), by_galvani(MIXED)
    points, series = record.spectra(), record.series()
    assert (record.n_rows, points.height, series.height) == (23561, 310, 23251)
    assert points.group_by(SPECTRUM).len().sort(SPECTRUM)["len"].to_list() == [64, 64, 64, 64, 54]
    assert points[FREQUENCY].min() == pytest.approx(0.04996, rel=1e-3)
    assert points[FREQUENCY].max() == pytest.approx(1e5, rel=1e-3)
    assert record.table[VOLTAGE].min() == pytest.approx(0.1234, abs=1e-4)
    assert record.table[VOLTAGE].max() == pytest.approx(0.9999, abs=1e-4)
    assert record.table[TIME].max() / HOUR_S == pytest.approx(21.150, abs=1e-3)
    both, _ = moved_Ah(series)
    assert both == pytest.approx(np.abs(judge["dq/mA.h"]).sum() / 1e3, rel=5e-3)
    size = np.hypot(points[REAL].to_numpy(), points[IMAGINARY].to_numpy())
    assert size == pytest.approx(judge["|Z|/Ohm"][judge["freq/Hz"] > 0].astype(float))
    assert points[IMAGINARY].max() < 0
    assert series[REAL].null_count() == series.height
    assert any("galvani" in note for note in record.provenance.notes)


@pytest.mark.parametrize("share", [0.02, 0.5, 0.97])
def test_a_cut_mpr_is_refused_whatever_the_libraries_make_of_it(cycler, libraries, tmp_path, share):
    data = (cycler / "biologic/gpcl_echemistpy.mpr").read_bytes()
    cut = tmp_path / "cut.mpr"
    cut.write_bytes(data[: int(share * len(data))])
    with pytest.raises(CorruptFile, match="cut off"):
        load(cut)


def test_voltage_only_export_takes_its_current_from_the_settings_beside_it(cycler):
    record = load(cycler / VOLTAGE_ONLY)
    table = record.table
    assert table.height == 76807
    assert table[VOLTAGE].min() == pytest.approx(0.0045, abs=1e-4)
    assert table[VOLTAGE].max() == pytest.approx(0.6634, abs=1e-4)
    assert table[TIME].max() / HOUR_S == pytest.approx(45.35, abs=0.01)
    assert table[CURRENT].unique().to_list() == pytest.approx([0.4e-3])
    assert codes(record) == ["current_from_settings"]
    assert "MEASURED: 0.4 mA" in record.flags[0].message
    assert "lili_protocol.mps" in record.flags[0].message


@pytest.mark.parametrize("with_loop_file", [True, False])
def test_blocks_of_the_voltage_only_export(cycler, tmp_path, with_loop_file):
    """45 blocks of an hour, from the loop index or from the duration set: both find the same rows."""
    wanted = [int(line) for line in (cycler / "lili-soft-short/lili_gcpl_LOOP.txt").read_text().split("\n")[1:] if line]
    path = tmp_path / "lili_gcpl_1mAcm2_VT.txt"
    path.symlink_to(cycler / VOLTAGE_ONLY)
    if with_loop_file:
        (tmp_path / "lili_gcpl_LOOP.txt").symlink_to(cycler / "lili-soft-short/lili_gcpl_LOOP.txt")
    table = load(path, ReadOptions(settings=cycler / SETTINGS)).table
    steps = table["step_count"].to_numpy()
    assert [0, *(np.flatnonzero(np.diff(steps)) + 1).tolist()] == wanted
    blocks = table.group_by("step_count").agg((pl.col(TIME).max() - pl.col(TIME).min()).alias("s"))
    assert blocks.height == 45
    assert blocks["s"].min() == pytest.approx(HOUR_S, rel=2e-5)
    assert blocks["s"].max() == pytest.approx(HOUR_S, rel=2e-5)


def test_voltage_only_export_alone_is_refused_or_stated(cycler, tmp_path):
    path = tmp_path / "alone.txt"
    path.symlink_to(cycler / VOLTAGE_ONLY)
    with pytest.raises(InputError, match=r"--current-mA.*--settings"):
        load(path)
    record = load(path, ReadOptions(current_mA=-0.25))
    assert record.table[CURRENT].unique().to_list() == pytest.approx([-0.25e-3])
    assert codes(record) == ["current_stated"]


def test_linear_sweep_without_a_header_block(cycler):
    table = load(cycler / "biologic/LSV_10mVmin_CBvsLi.txt").table
    assert table.height == 9015
    assert table[VOLTAGE][0] == pytest.approx(2.6112936)
    assert table[CURRENT].min() == pytest.approx(-2.7e-4, rel=0.01)


def test_cyclic_voltammetry_with_decimal_commas(cycler):
    """The header announces points 0 to 4472; the last line lacks the delimiter and the line end, and is whole."""
    record = load(cycler / "biologic/Pt_poly_cv.mpt")
    table = record.table
    assert (table.height, record.flags) == (4473, ())
    assert table[VOLTAGE][-1] == pytest.approx(0.193813)
    assert table[CURRENT][0] == pytest.approx(2.979992132168263e-07)
    assert table["cycle_count"].max() == 5
    both, _ = moved_Ah(table)
    counted = table["charging_capacity_ah"][-1] + table["discharging_capacity_ah"][-1]
    assert both == pytest.approx(counted, rel=5e-3)
    assert record.provenance.instrument == "BioLogic SP-200 (SN 0961)"


def test_impedance_as_mpt(cycler):
    record = load(cycler / "eis/BioLogic.mpt")
    points = record.spectra()
    assert (points.height, points[SPECTRUM].n_unique(), record.flags) == (43, 1, ())
    assert points[FREQUENCY].max() == pytest.approx(1000.32, rel=1e-4)
    assert points[REAL][0] == pytest.approx(65.470886)
    assert points[IMAGINARY][0] == pytest.approx(-0.38998979)
    assert points[CURRENT][0] == pytest.approx(-4.8041187e-05)
    assert record.facts.area_cm2.value is None
