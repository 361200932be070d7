"""The real LAND and Landt files, against their README and against the counters in the files themselves."""

import shutil

import numpy as np
import pytest

from interlith.cycling.reading import read
from interlith.errors import CorruptFile
from interlith.record import CURRENT, TIME, VOLTAGE

HOUR_S, MILLI = 3600.0, 1e-3
CCS = "land/LANHE_GPCL.ccs"
LANDT = "land/SINTEF_LiGrR2032_Landt.csv"
HEADER_BYTES, BLOCK_BYTES = 4096, 128


def codes(record):
    return [flag.code for flag in record.flags]


@pytest.fixture
def ccs(cycler):
    return read(cycler / CCS)


def test_ccs_holds_every_sample_of_the_readme_and_those_its_decode_missed(ccs):
    # 170508 in full blocks behind byte 4096; 66 more lie before it, 3 in blocks that end a step
    assert ccs.n_rows == 170508 + 66 + 3
    main = ccs.table[66:]
    assert main[VOLTAGE].min() == pytest.approx(0.9, abs=1e-4)
    assert main[VOLTAGE].max() == pytest.approx(1.3959, abs=1e-4)
    assert ccs.table[CURRENT].min() == pytest.approx(-3.05e-5, rel=2e-3)
    assert ccs.table[CURRENT].max() == 0


def test_ccs_time_is_in_ms_for_three_reasons(ccs, cycler):
    table = ccs.table
    rest, discharge = (table.filter(step_count=n) for n in (1, 2))
    assert rest[TIME][-1] == pytest.approx(7200.0, abs=1e-9)  # a schedule of two hours
    data = (cycler / CCS).read_bytes()
    clock_ms = [int(np.frombuffer(data, "<u8", 1, HEADER_BYTES + BLOCK_BYTES * k + 56)[0]) for k in (110, 28421)]
    assert discharge[TIME][-1] - rest[TIME][-1] == pytest.approx((clock_ms[1] - clock_ms[0]) * MILLI, abs=1e-6)
    charge_Ah = np.sum(-table[CURRENT].to_numpy()[1:] * np.diff(table[TIME].to_numpy())) / HOUR_S
    assert table["discharging_capacity_ah"][-1] == pytest.approx(charge_Ah, rel=1e-4)
    assert table["charging_capacity_ah"][-1] == 0


def test_ccs_says_that_it_is_experimental_and_has_no_doubt_about_its_unit(ccs):
    assert "experimental" in codes(ccs)
    assert "public file" in next(f.message for f in ccs.flags if f.code == "experimental")
    assert "time_unit_doubt" not in codes(ccs)


def test_ccs_cut_off_in_a_block_is_flagged_and_in_its_header_is_refused(cycler, tmp_path):
    data = (cycler / CCS).read_bytes()
    cut = tmp_path / "cut.ccs"
    cut.write_bytes(data[:100_000])
    record = read(cut)
    assert "truncated" in codes(record)
    assert 4000 < record.n_rows < 5000
    cut.write_bytes(data[:2000])
    with pytest.raises(CorruptFile, match="samples"):
        read(cut)


def test_ccs_with_a_wrong_unit_of_time_is_doubted(cycler, tmp_path):
    data = bytearray((cycler / CCS).read_bytes())
    deltas = np.frombuffer(
        data, np.dtype([("head", "V8"), ("s", [("delta", "<u4"), ("v", "V16")], 6)]), offset=HEADER_BYTES
    )
    deltas["s"]["delta"] *= 10
    other = tmp_path / "other.ccs"
    other.write_bytes(data)
    assert "time_unit_doubt" in codes(read(other))


def test_landt_csv_has_the_facts_of_the_readme(cycler):
    table = read(cycler / LANDT).table
    assert table.height == 25162
    assert table["cycle_count"].n_unique() == 2
    assert (table[VOLTAGE].min(), table[VOLTAGE].max()) == (pytest.approx(0.01), pytest.approx(2.9215))
    assert (table[CURRENT].min(), table[CURRENT].max()) == (pytest.approx(-2e-4), pytest.approx(2e-4))
    assert table[TIME][-1] / HOUR_S == pytest.approx(72.96, abs=5e-3)
    charge_Ah = table[CURRENT].to_numpy()[1:] * np.diff(table[TIME].to_numpy()) / HOUR_S
    assert charge_Ah[charge_Ah > 0].sum() / MILLI == pytest.approx(3.5634, rel=1e-3)
    assert -charge_Ah[charge_Ah < 0].sum() / MILLI == pytest.approx(8.6287, rel=1e-3)


def test_landt_csv_discharges_with_negative_current_in_four_steps(cycler):
    table = read(cycler / LANDT).table
    assert table["step_count"].n_unique() == 4
    assert (
        table.filter(step_type="discharge CC")[CURRENT].max() < 0 < table.filter(step_type="charge CC")[CURRENT].min()
    )
    assert table["unix_time_second"][-1] - table["unix_time_second"][0] == pytest.approx(table[TIME][-1], abs=2)


def test_landt_csv_counters_are_the_files_own_and_its_coarse_current_is_flagged(cycler):
    # written with 4 decimals of A: 0.0002 A stands for 0.177 mA, so the integral is 12 % above the vendor's counters
    record = read(cycler / LANDT)
    assert record.table["discharging_capacity_ah"][-1] == pytest.approx(0.0063 + 0.0013, abs=1e-9)
    assert record.table["charging_capacity_ah"][-1] == pytest.approx(0.0032, abs=1e-9)
    assert "coarse_current" in codes(record)


def test_landt_csv_torn_in_its_last_line_is_flagged(cycler, tmp_path):
    text = (cycler / LANDT).read_text()
    torn = tmp_path / "torn.csv"
    torn.write_text(text[: len(text) // 2 - 40])
    record = read(torn)
    assert "truncated" in codes(record)
    whole = read(cycler / LANDT).table
    assert record.table.equals(whole[: record.n_rows])


def test_land_text_is_recognized_whatever_it_is_called(cycler, tmp_path):
    for name in ("x.txt", "x.dat", "x"):
        shutil.copy(cycler / LANDT, tmp_path / name)
        assert read(tmp_path / name).provenance.format == "land-text"
