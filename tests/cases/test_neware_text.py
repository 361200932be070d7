"""Neware's nested report, and the vendor's own Parquet exports against the readings of the same .nda and .ndax."""

import numpy as np
import pytest

from interlith.cycling.reading import read
from interlith.record import CURRENT, TIME, VOLTAGE

HOUR_S, MILLI = 3600.0, 1e-3
NESTED = "neware/general_report_ife.csv"
PAIRS = {
    "test_2.parquet": "test_2_54cyc.ndax",
    "TestFile.parquet": "TestFile.nda",
    "new_nda_file.parquet": "new_nda_file.nda",
    "TESTCELL0001-B2-2025-M50T_NewareNDA_Investigation.parquet": "M50T_aux.ndax",
}
COUNTERS = ("charging_capacity_ah", "discharging_capacity_ah")


@pytest.fixture
def nested(cycler):
    return read(cycler / NESTED)


def special_lines(path, depth):
    """Rows of cycles (depth 0) or steps (depth 1), without the header lines."""
    lines = path.read_text(encoding="latin-1").split("\n")[3:]
    return [line.split(",") for line in lines if line and len(line) - len(line.lstrip(",")) == depth]


def test_nested_report_gives_its_record_rows_only(nested):
    table = nested.table
    assert nested.provenance.format == "neware-nested"
    assert table["record_index"].to_list() == list(range(1, 9296))
    assert (table[VOLTAGE].min(), table[VOLTAGE].max()) == (pytest.approx(3.8999), pytest.approx(4.7001))
    assert table[TIME][-1] == 27 * HOUR_S + 55 * 60 + 43
    assert table["surface_temperature_celsius"][0] == 26.61


def test_nested_report_knows_cycle_and_step_of_each_row(nested, cycler):
    table = nested.table
    steps = special_lines(cycler / NESTED, 1)
    told = table.group_by("step_count", maintain_order=True).first()
    assert told["step_count"].to_list() == list(
        range(1, len(steps) + 2)
    )  # the first step stands in the first cycle's row
    assert told["step_type"].to_list() == ["Rest"] + [step[3] for step in steps]
    assert told["step_id"].to_list() == [1] + [int(step[1]) for step in steps]
    assert table["cycle_count"].n_unique() == len(special_lines(cycler / NESTED, 0)) == 20


def test_nested_report_counts_what_its_cycle_rows_say(nested, cycler):
    for place, name in ((1, COUNTERS[0]), (2, COUNTERS[1])):
        ends = nested.table.group_by("cycle_count", maintain_order=True).last()[name].to_numpy()
        stated = [float(row[place]) for row in special_lines(cycler / NESTED, 0)]
        assert np.diff(ends, prepend=0.0) == pytest.approx(stated, abs=1.1e-5)


def test_nested_report_current_fits_its_counters(nested):
    table = nested.table
    passed = table[CURRENT].to_numpy()[1:] * np.diff(table[TIME].to_numpy()) / HOUR_S
    assert table[COUNTERS[0]][-1] == pytest.approx(passed[passed > 0].sum(), rel=5e-4)
    assert table[COUNTERS[1]][-1] == pytest.approx(-passed[passed < 0].sum(), rel=5e-4)


@pytest.mark.parametrize("name", PAIRS)
def test_vendor_parquet_agrees_with_the_binary_of_the_same_test(cycler, name):
    pytest.importorskip("fastnda")
    vendor, binary = read(cycler / "neware/ref_vendor" / name), read(cycler / "neware" / PAIRS[name])
    assert vendor.provenance.n_rows_in_file == binary.provenance.n_rows_in_file
    ours, theirs = vendor.table, binary.table
    if (
        ours.height != theirs.height
    ):  # the vendor wrote one row of TestFile twice, alike in all but the date in the .nda
        assert abs(ours.height - theirs.height) == 1
        ours, theirs = ours[:6600], theirs[:6600]
    assert np.abs(ours[VOLTAGE].to_numpy() - theirs[VOLTAGE].to_numpy()).max() <= 1e-4
    assert np.abs(ours[CURRENT].to_numpy() - theirs[CURRENT].to_numpy()).max() <= 1e-3 * MILLI
    assert np.abs(ours[TIME].to_numpy() - theirs[TIME].to_numpy()).max() <= 0.01
    assert ours["step_count"].to_list() == theirs["step_count"].to_list()
    assert ours["step_type"].to_list() == theirs["step_type"].to_list()
    for counter in COUNTERS:
        assert ours[counter][-1] == pytest.approx(theirs[counter][-1], rel=5e-3)
