"""Every real file is read, or refused by a typed error that says why, and the known facts of each are met.

The facts come with the files (README.md beside them), from independent libraries. Where a fact does not hold, the
evidence is in docs/understand/limits.md and the test says what holds instead.
"""

import pytest
from pytest import approx

from interlith.cycling.analyze import analyze
from interlith.cycling.companion import spectra_beside
from interlith.cycling.reading import read
from interlith.errors import UnsupportedFormat

# file: rows, charged and discharged mAh (trapezoid), lowest and highest V, hours; None: the fact is not given
FACTS = {
    "neware/BTS85_700k.ndax": (699677, 19.4, 18.893, 1.3990, 3.4001, 192.35),
    "neware/nda_v26_9086cyc.nda.zip": (222330, 3.8318e5, 3.8208e5, 1.75, 2.8952, 377.27),
    "neware/test_2_54cyc.ndax": (108563, 2.2923, 2.0437, 0.1995, 3.4061, 25.89),
    "neware/nw4-120-1-6-53_160cyc.ndax": (18700, 7.1517, 3.7609, 1.6461, 5.0, 48.07),
    "neware/M50T_aux.ndax": (77745, 33112, 34345, 2.499, 4.2003, 21.58),
    "neware/TestFile.nda": (6670, 11626, 9596.8, 1.7206, 4.2001, 20.10),
    "neware/operando_cc8.ndax": (4647, 2.7852, 2.6218, 2.4996, 4.3021, 15.05),
    "arbin/anode_vs_Li_45.res": (10261, None, None, 0.0499, 3.1167, 238.63),
    "arbin/arbin_example.res": (2150, None, None, 2.9999, 4.3001, 96.04),
    "arbin/graphite_vs_Li.xlsx": (4526, None, None, 0.0500, 2.6409, None),
    "land/SINTEF_LiGrR2032_Landt.csv": (25162, 3.5634, 8.6287, 0.01, 2.9215, 72.96),
    "biologic/gcpl_5cycles_LiHalf.mpr": (46102, None, None, 1.9999, 3.8001, 126.753),
    "biologic/gpcl_echemistpy.mpr": (11069, None, None, 0.9, 1.8001, 11.422),
    "lili-soft-short/lili_gcpl_1mAcm2_VT.txt": (76807, None, None, 0.0045, 0.6634, None),
}
CYCLES = {
    "neware/BTS85_700k.ndax": (22, [(1.057, 1.026), (1.0487, 1.0312)], 0.98901),
    "neware/test_2_54cyc.ndax": (54, [(0.235, 0.1006), (0.0703, 0.061)], 0.98295),
    "neware/nw4-120-1-6-53_160cyc.ndax": (160, [(1.6965, 0.3236), (0.3206, 0.2322)], 0.77633),
    "neware/nda_v26_9086cyc.nda.zip": (9086, [], None),
}
REFUSED = {
    "README.md": "not a format",
    "lili-soft-short/lili_gcpl_LOOP.txt": "loop index",
    "lili-soft-short/lili_protocol.mps": "settings",
}


def needs(known):
    """Skip where a program this file needs is not installed."""
    from interlith.cycling.reading import recognize

    missing = recognize(known).missing()
    if missing:
        pytest.skip(missing)


@pytest.mark.parametrize("name", FACTS)
def test_facts(cycler, name):
    if not name.endswith(".zip"):
        needs(cycler / name)
    rows, charged, discharged, low, high, hours = FACTS[name]
    record = read(cycler / name)
    cycled = analyze(record).cycled
    assert record.n_rows == rows
    assert cycled.trace.voltage_V.min() == approx(low, abs=1e-4)
    assert cycled.trace.voltage_V.max() == approx(high, abs=1e-4)
    if hours is not None:
        assert (cycled.trace.time_s[-1] - cycled.trace.time_s[0]) / 3600 == approx(hours, rel=1e-3)
    if charged is not None:
        for sign, wanted in ((1, charged), (-1, discharged)):
            got = cycled.half_cycles.filter(cycled.half_cycles["sign"] == sign)["charge_mAh"].sum()
            assert got == approx(wanted, rel=1e-3)


@pytest.mark.parametrize("name", CYCLES)
def test_cycles_are_those_of_the_vendor(cycler, name):
    n_cycles, first, ratio = CYCLES[name]
    table = analyze(read(cycler / name)).cycled.cycles
    assert table.height == n_cycles
    for row, (charge, discharge) in zip(table.iter_rows(named=True), first, strict=False):
        assert row["plated_mAh"] == approx(charge, rel=2e-3)
        assert row["stripped_mAh"] == approx(discharge, rel=2e-3)
    if ratio:
        assert 1 - table["tester_efficiency"].median() == approx(1 - ratio, rel=0.03)


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_data_is_refused_with_the_way_out(cycler, name):
    with pytest.raises(UnsupportedFormat, match=REFUSED[name]):
        read(cycler / name)


def test_every_other_file_is_read_and_analyzed(cycler):
    for path in sorted(p for p in cycler.rglob("*") if p.is_file()):
        name = path.relative_to(cycler).as_posix()
        if name in REFUSED or path.suffix == ".res":
            continue
        found = analyze(read(path))
        assert found.cycled.record.n_rows > 0, name
        assert found.kind_reason, name


def test_the_short_of_the_symmetric_record(cycler):
    path = cycler / "lili-soft-short/lili_gcpl_1mAcm2_VT.txt"
    record = read(path)
    spectra, flags = spectra_beside(path, record)
    found = analyze(record.with_flags(flags), spectra=spectra)
    assert found.cycled.kind == "symmetric"
    events = [e for e in found.outcomes["shorts"].events if e.code == "soft_short"]
    assert 22.5 < events[0].time_h < 25.5
    assert min(e.time_h for e in events) > 20
    assert "transient" in events[0].message
    assert "223 -> 129 ohm" in events[0].message
    assert events[0].end_time_h is not None


def test_time_weighted_medians_of_the_symmetric_record(cycler):
    """The plain mean of the rows of block 0 is 239 mV; its time-weighted median is 106 mV."""
    record = read(cycler / "lili-soft-short/lili_gcpl_1mAcm2_VT.txt")
    table = analyze(record).outcomes["shorts"].table
    wanted = {0: 106, 1: 78, 10: 103, 18: 134, 20: 129, 22: 119, 24: 56, 26: 39, 35: 77, 44: 49}
    assert table.height == 45
    for block, mV in wanted.items():
        assert table["polarization_mV"][block] == approx(mV, abs=3)
