"""EC-Lab text and settings, on small samples written for the purpose."""

import numpy as np
import pytest

from interlith.cycling.formats import FORMATS, Head
from interlith.cycling.formats.biologic_mpr import check_modules
from interlith.cycling.formats.biologic_settings import constant_current_A, durations_s, techniques
from interlith.cycling.formats.ec_lab import record_table
from interlith.cycling.formats.format import ReadOptions
from interlith.cycling.reading import read
from interlith.errors import CorruptFile, InputError
from interlith.record import CURRENT, FREQUENCY, IMAGINARY, REAL, SPECTRUM, TIME, VOLTAGE

HEADER = """EC-Lab ASCII FILE
Nb header lines : {n}
Galvanostatic Cycling with Potential Limitation
Device : SP-50 (SN 7)
Electrode surface area : 0,001 cm²
unit Is             µA                  µA                  µA                  µA                  µA
{extra}{names}
"""
GCPL_NAMES = "mode\tNs\ttime/s\tEwe/V\tI/mA\t"
GCPL_ROWS = [
    "3\t0\t{0}E+000\t2,5E-001\t0,0E+000",
    "1\t1\t{1}E+000\t3,5E-001\t-1,5E+000",
    "1\t1\t{2}E+000\t-1,0E-002\t-1,5E+000",
]


def mpt(names, rows, extra=""):
    """An .mpt as EC-Lab writes it: the announced number of lines, then the names, then the rows."""
    n = len(HEADER.format(n=0, extra=extra, names=names).splitlines())
    return HEADER.format(n=n, extra=extra, names=names) + "\n".join(rows)


def gcpl(rows=None):
    return mpt(GCPL_NAMES, rows or [row.format("0,0", "1,0", "2,0") for row in GCPL_ROWS])


@pytest.fixture
def load(tmp_path):
    def loader(text, name="sample.mpt", encoding="latin-1", **options):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return read(path, ReadOptions(**options), use_cache=False)

    return loader


def codes(record):
    return [flag.code for flag in record.flags]


@pytest.mark.parametrize("encoding", ["latin-1", "utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_decimal_commas_in_any_encoding(load, encoding, line_end):
    record = load(gcpl().replace("\n", line_end), encoding=encoding)
    assert record.table[TIME].to_list() == [0.0, 1.0, 2.0]
    assert record.table[VOLTAGE].to_list() == [0.25, 0.35, -0.01]
    assert record.table[CURRENT].to_list() == pytest.approx([0.0, -1.5e-3, -1.5e-3])
    assert record.table["step_count"].to_list() == [1, 2, 2]
    assert record.provenance.instrument == "BioLogic SP-50 (SN 7)"
    assert record.facts.area_cm2.value is None
    assert any("cm²" in note for note in record.provenance.notes)
    assert record.flags == ()


@pytest.mark.parametrize(
    ("header", "factor"), [("I/A", 1.0), ("I/mA", 1e-3), ("<I>/mA", 1e-3), ("I/µA", 1e-6), ("I/nA", 1e-9)]
)
def test_units_of_current(load, header, factor):
    rows = ["0.0E+000\t1.0E-003\t2.5E+000", "1.0E+000\t1.0E-003\t2.5E+000"]
    record = load(f"time/s\tEwe/V\t{header}\n" + "\n".join(rows) + "\n", name="bare.txt")
    assert record.table[CURRENT].to_list() == pytest.approx([2.5 * factor] * 2)
    assert record.table[VOLTAGE][0] == pytest.approx(1e-3)


@pytest.mark.parametrize("cut", range(1, 12))
def test_a_torn_last_line_is_never_a_number(load, cut):
    """Cut anywhere in the last field or before: the row goes, and the flag says so."""
    record = load(gcpl()[:-cut])
    assert record.n_rows == 2
    assert codes(record) == ["truncated"]


def test_fewer_rows_than_the_header_announces(load):
    text = mpt(GCPL_NAMES, [row.format("0,0", "1,0", "2,0") for row in GCPL_ROWS], "Loop 0 from point number 0 to 4\n")
    record = load(text + "\n")
    assert codes(record) == ["truncated"]
    assert "3 of 5 rows" in record.flags[0].message


def test_a_header_without_its_table(load):
    with pytest.raises(CorruptFile, match="the file ends before its table"):
        load(gcpl()[:60])
    with pytest.raises(CorruptFile, match="no row of data"):
        load(mpt(GCPL_NAMES, []))


@pytest.mark.parametrize("name", ["time/s", "Ewe/V"])
def test_a_missing_column_is_named(load, name):
    with pytest.raises(InputError, match=r"sample.mpt: no (time|voltage).* column; found 'mode', 'Ns'"):
        load(gcpl().replace(name, "other/x"))


def test_impedance_points_among_time_series(load):
    names = "freq/Hz\tRe(Z)/Ohm\t-Im(Z)/Ohm\ttime/s\tEwe/V\tI/mA"
    rows = [
        "0.0\t0.0\t0.0\t0.0\t0.10\t1.0",
        "100.0\t50.0\t20.0\t1.0\t0.11\t0.0",
        "10.0\t60.0\t-5.0\t2.0\t0.12\t0.0",
        "100.0\t51.0\t21.0\t3.0\t0.13\t0.0",
        "0.0\t0.0\t0.0\t4.0\t0.14\t1.0",
        "50.0\t52.0\t22.0\t5.0\t0.15\t0.0",
    ]
    record = load(mpt(names, rows) + "\n")
    points = record.spectra()
    assert points[SPECTRUM].to_list() == [0, 0, 1, 2]
    assert points[REAL].to_list() == [50.0, 60.0, 51.0, 52.0]
    assert points[IMAGINARY].to_list() == [-20.0, 5.0, -21.0, -22.0]
    assert record.series()[VOLTAGE].to_list() == [0.10, 0.14]
    assert record.series()[REAL].null_count() == 2
    assert record.table[FREQUENCY].null_count() == 2


def test_dates_instead_of_seconds(load):
    rows = ["10/31/2019 23:59:59.500\t1.0\t0.0", "11/01/2019 00:00:01.000\t1.0\t0.0"]
    record = load("time/s\tEwe/V\tI/mA\n" + "\n".join(rows) + "\n")
    assert record.table[TIME].to_list() == pytest.approx([0.0, 1.5])
    assert record.table["unix_time_second"][0] == pytest.approx(1572566399.5)


def test_control_current_where_galvanostatic_and_charge_elsewhere(load):
    """1 mA for an hour, then 0.5 mA at constant voltage, where "control" holds a voltage."""
    hours = np.arange(0, 2.001, 0.01)
    held = hours > 1
    charge = np.where(held, 1 + 0.5 * (hours - 1), hours)
    rows = [
        f"{2 if h else 1}\t{t * 3600:.3f}\t3.9\t{4.2 if h else 1.0}\t{q:.6f}"
        for t, q, h in zip(hours, charge, held, strict=True)
    ]
    record = load("mode\ttime/s\tEwe/V\tcontrol/V/mA\t(Q-Qo)/mA.h\n" + "\n".join(rows) + "\n")
    assert record.table[CURRENT].to_numpy() == pytest.approx(np.where(held, 0.5e-3, 1e-3), rel=1e-4)
    assert codes(record) == ["current_derived"]
    assert record.table["step_count"].to_list() == [1] * 101 + [2] * 100
    assert record.table["charging_capacity_ah"][-1] == pytest.approx(1.5e-3, rel=1e-6)


def test_the_charge_counter_judges_between_sources():
    """A power column wrong by 1000 is passed over; when every source is wrong, the record says so."""
    time = np.arange(0.0, 3601.0, 10.0)
    columns = {
        "mode": np.ones(len(time)),
        "time/s": time,
        "Ewe/V": np.full(len(time), 0.5),
        "control/mA": np.ones(len(time)),
        "(Q-Qo)/mA.h": time / 3600,
        "P/W": np.full(len(time), 0.5),
    }
    table, flags = record_table(columns)
    assert table[CURRENT].to_numpy() == pytest.approx(1e-3)
    assert [flag.code for flag in flags] == ["current_derived"]
    _, flags = record_table({**columns, "(Q-Qo)/mA.h": 2 * time / 3600})
    assert [flag.code for flag in flags] == ["current_derived", "capacity_mismatch"]


MPS = """EC-LAB SETTING FILE

Number of linked techniques : {n}

Electrode surface area : 0.001 cm²

"""
TECHNIQUE = """Technique : {k}
Galvanostatic Cycling with Potential Limitation
Ns                  0                   1
Set I/C             {way:<20}{way:<20}
Is                  0,000               {current:<20}
unit Is             mA                  {unit:<20}
t1 (h:m:s)          0:00:0,0000         {duration:<20}

"""


def mps(*currents, way="I", unit="µA", duration="0:01:40,0000"):
    parts = [
        TECHNIQUE.format(k=k, way=way, current=current, unit=unit, duration=duration)
        for k, current in enumerate(currents, 1)
    ]
    loop = f"Technique : {len(parts) + 1}\nLoop\ngoto Ne             2\nnt times            44\n"
    return MPS.format(n=len(parts) + 1) + "".join(parts) + loop


def test_settings_are_techniques_with_a_value_per_sequence():
    found = techniques(mps("-250,0"))
    assert [name for name, _ in found] == ["Galvanostatic Cycling with Potential Limitation", "Loop"]
    assert found[0][1]["Is"] == ["0,000", "-250,0"]
    assert found[1][1] == {"goto Ne": ["2"], "nt times": ["44"]}
    assert constant_current_A(found, "x.mps") == pytest.approx(-250e-6)
    assert durations_s(found) == [100.0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (mps("1,0", "-1,0"), r"more than one current \(-1e-06 A, 1e-06 A\)"),
        (mps("0,000"), "no galvanostatic technique with a current"),
        (mps("130,0", way="C / N"), "a rate, not a current"),
        (mps("130,0", unit="mV"), "give it with --current-mA"),
    ],
)
def test_settings_without_one_current(text, message):
    with pytest.raises(InputError, match=message):
        constant_current_A(techniques(text), "x.mps")


def voltage_only(n_blocks=3, block_s=100.0, pause_s=4.0):
    """Blocks sampled every 10 s with pauses shorter than that between them."""
    within = np.arange(0.0, block_s + 0.1, 10.0)
    times = np.concatenate([k * (block_s + pause_s) + within for k in range(n_blocks)])
    return "time/s\tEwe/V\n" + "".join(f"{t:.6E}\t{0.1:.6E}\n" for t in times)


def test_current_of_the_only_settings_beside_and_blocks_of_the_duration_set(load, tmp_path):
    (tmp_path / "cell.mps").write_bytes(mps("250,0").encode("latin-1"))
    record = load(voltage_only(), name="cell.txt")
    assert record.table[CURRENT].unique().to_list() == pytest.approx([250e-6])
    assert record.table["step_count"].to_list() == [1] * 11 + [2] * 11 + [3] * 11
    assert codes(record) == ["current_from_settings"]
    assert "0.25 mA, the only one in cell.mps, assumed within 3 blocks" in record.flags[0].message


def test_loop_index_of_the_same_name_tells_the_blocks(load, tmp_path):
    (tmp_path / "cell_LOOP.txt").write_text("VMP EXPERIMENT LOOP INDEXES\n0\n12\n")
    (tmp_path / "another_LOOP.txt").write_text("VMP EXPERIMENT LOOP INDEXES\n0\n5\n")
    steps = load(voltage_only(), name="cell.txt", current_mA=1.0).table["step_count"].to_list()
    assert steps == [1] * 12 + [2] * 21


def test_jumps_in_time_tell_the_blocks_where_nothing_else_does(load):
    text = voltage_only(n_blocks=3, block_s=1000.0, pause_s=600.0)
    steps = load(text, name="cell.txt", current_mA=1.0).table["step_count"].to_list()
    assert steps == [1] * 101 + [2] * 101 + [3] * 101


def test_stated_current_goes_before_settings(load, tmp_path):
    (tmp_path / "cell.mps").write_bytes(mps("250,0").encode("latin-1"))
    record = load(voltage_only(), name="cell.txt", current_mA=-0.5)
    assert record.table[CURRENT][0] == pytest.approx(-0.5e-3)
    assert codes(record) == ["current_stated"]


def test_voltage_only_without_a_current_says_what_to_give(load, tmp_path):
    with pytest.raises(InputError, match=r"--current-mA.*--settings"):
        load(voltage_only(), name="cell.txt")
    for name in ("a.mps", "b.mps"):
        (tmp_path / name).write_bytes(mps("250,0").encode("latin-1"))
    with pytest.raises(InputError, match=r"--current-mA.*--settings"):
        load(voltage_only(), name="cell.txt")
    with pytest.raises(InputError, match="not an EC-Lab settings file"):
        load(voltage_only(), name="cell.txt", settings=tmp_path / "cell.txt")


@pytest.mark.parametrize("text", ["Time/s\tVoltage/V\tCurrent/mA\n0\t1\t1\n", "time/s,volts\n0,1\n", "Ewe/V\n1\n"])
def test_tables_of_others_are_not_taken(tmp_path, text):
    path = tmp_path / "other.txt"
    path.write_text(text)
    assert not any(row.recognize(Head(path)) for row in FORMATS if row.name.startswith("biologic"))


def module(name, content, new_style=False):
    head = b"MODULE" + name.ljust(10).encode() + b" " * 25
    sizes = (
        b"\xff" * 4 + len(content).to_bytes(4, "little") + bytes(8)
        if new_style
        else len(content).to_bytes(4, "little") + bytes(4)
    )
    return head + sizes + b"01/01/26" + content


@pytest.mark.parametrize("new_style", [True, False])
def test_modules_of_an_mpr(tmp_path, new_style):
    path = tmp_path / "made.mpr"
    start = b"BIO-LOGIC MODULAR FILE\x1a".ljust(52)
    settings, data = module("VMP Set", b"s" * 90, new_style), module("VMP data", b"d" * 500, new_style)
    path.write_bytes(start + settings + data)
    check_modules(path)
    for damaged, message in (
        (start + settings, "no data module"),
        ((start + settings + data)[:-1], "499 of 500 bytes of the module 'VMP data'"),
        (start + settings[:-3] + data, "no module at byte"),
    ):
        path.write_bytes(damaged)
        with pytest.raises(CorruptFile, match=message):
            check_modules(path)
