"""Impedance files of other instruments, on small samples written for the purpose."""

import numpy as np
import polars as pl
import pytest

from interlith.characterize.impedance.eis import measure_eis
from interlith.characterize.impedance.spectrum import Spectrum
from interlith.cycling.formats import FORMATS, Head
from interlith.cycling.formats.headers import meaning
from interlith.cycling.formats.spectra import spectrum_numbers
from interlith.cycling.reading import read
from interlith.errors import CorruptFile, InterlithError
from interlith.record import CURRENT, FREQUENCY, IMAGINARY, REAL, SPECTRUM, TIME, VOLTAGE

GAMRY = (
    "EXPLAIN\nTAG\tEISPOT\nPSTAT\tPSTAT\tREF600\tPotentiostat\nAREA\tQUANT\t{area}\t&Area (cm^2)\n"
    "OCVCURVE\tTABLE\t1\n\tPt\tT\tVf\n\t#\ts\tV\n\t0\t0.5\t3.0\n"
)
CURVE = (
    "ZCURVE\tTABLE{n}\n\tPt\tTime\tFreq\tZreal\tZimag\tZsig\tIdc\tVdc\n\t#\ts\tHz\tohm\tohm\tV\tA\tV\n"
    "\t0\t1\t1000\t10.0\t-2.0\t1\t1.0E-006\t3.1\n\t1\t2\t100\t20.0\t-4.0\t1\t2.0E-006\t3.2\n"
)
ZVIEW = (
    '"Z60W Data File: Version 1.1"\n""\n0,2\n3\n"  Freq (Hz)    Ampl     Bias   Time(Sec)   Z\'(a)    Z\'\'(b)    GD"\n'
    + ("1000,0,0,0,10,-2,0\n100,0,0,0,20,-4,0\n10,0,0,0,30,-6,0\n")
)
CHI = (
    "Feb. 20, 2020   15:55:08\nA.C. Impedance\nInstrument Model:  CHI760E\n\n"
    "Freq/Hz, Z'/ohm, Z\"/ohm, Z/ohm, Phase/deg\n\n"
    "1.0e+3, 1.0e+1, -2.0e+0, 1.02e+1, -11.3\n1.0e+2, 2.0e+1, -4.0e+0, 2.04e+1, -11.3\n"
)
POWERSUITE = "Frequency\t Zre\t Zimg\r\r\n1000\t 10\t -2\r\r\n100\t 20\t -4\r\r\n"
SAMPLES = {
    "gamry-eis": GAMRY.format(area="1.0") + CURVE.format(n=""),
    "zview-eis": ZVIEW,
    "chi-eis": CHI,
    "powersuite-eis": POWERSUITE,
    "eis-csv": "frequency,Zre,Zim\n1000,10,-2\n100,20,-4\n",
}


def sweep(sign=-1.0, per_decade=5, delimiter=","):
    """Three columns of a sweep over four decades, without a header."""
    f = np.logspace(4, 0, 4 * per_decade + 1)
    return "".join(f"{x:.6g}{delimiter}{10 + 1 / x:.6g}{delimiter}{sign * (1 + 1 / x):.6g}\n" for x in f)


@pytest.fixture
def load(tmp_path):
    def loader(text, name="sample.txt", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes(text.encode(encoding))
        return read(path, use_cache=False)

    return loader


def codes(record):
    return [flag.code for flag in record.flags]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
@pytest.mark.parametrize("name", SAMPLES)
def test_the_same_spectrum_from_every_instrument(load, name, encoding):
    record = load(SAMPLES[name], encoding=encoding)
    points = record.spectra()
    assert record.provenance.format == name
    assert points[FREQUENCY].to_list()[:2] == [1000.0, 100.0]
    assert points[REAL].to_list()[:2] == [10.0, 20.0]
    assert points[IMAGINARY].to_list()[:2] == [-2.0, -4.0]
    assert points[SPECTRUM].unique().to_list() == [0]
    assert record.flags == ()


@pytest.mark.parametrize("name", SAMPLES)
def test_content_alone_names_the_instrument(tmp_path, name):
    path = tmp_path / "nameless"
    path.write_text(SAMPLES[name])
    found = [row.name for row in FORMATS if row.recognize(Head(path))]
    assert found[0] == name
    assert set(found) <= {name, "eis-csv"}


@pytest.mark.parametrize("name", SAMPLES)
def test_cut_anywhere_it_is_whole_flagged_or_refused(load, name):
    """No cut makes a number of half a number without a flag, but for the last digits of the very last one."""
    text = SAMPLES[name]
    whole = load(text).table
    for n in range(40, len(text) - 1):
        try:
            record = load(text[:n])
        except InterlithError:
            continue
        table = record.table
        same = whole.head(table.height)
        rows = table.height - 1
        assert table[FREQUENCY].to_list()[:rows] == same[FREQUENCY].to_list()[:rows]
        assert table[IMAGINARY].to_list()[:rows] == same[IMAGINARY].to_list()[:rows]


@pytest.mark.parametrize("name", ["gamry-eis", "zview-eis", "chi-eis"])
def test_a_torn_last_line_is_flagged(load, name):
    lines = SAMPLES[name].rstrip("\n").split("\n")
    torn = "\n".join([*lines[:-1], lines[-1][: len(lines[-1]) // 3]])
    assert codes(load(torn)) == ["truncated"]


def test_a_damaged_line_in_the_middle_is_named(load):
    with pytest.raises(CorruptFile, match=r"sample.txt: line 7: not a row of numbers"):
        load(ZVIEW.replace("100,0,0,0,20,-4,0", "100,0,?,0,20,-4,0"))


def test_gamry_takes_time_voltage_current_and_says_what_it_leaves(load):
    record = load(SAMPLES["gamry-eis"])
    assert record.n_rows == 2
    assert record.table[TIME].to_list() == [1.0, 2.0]
    assert record.table[VOLTAGE].to_list() == [3.1, 3.2]
    assert record.table[CURRENT].to_list() == pytest.approx([1e-6, 2e-6])
    assert record.provenance.instrument == "Gamry REF600"
    assert any("OCVCURVE" in note for note in record.provenance.notes)


@pytest.mark.parametrize(("area", "taken"), [("1.00000E+000", None), ("2.5E+000", 2.5), ("0,5", 0.5), ("?", None)])
def test_gamry_area_counts_when_someone_entered_it(load, area, taken):
    record = load(GAMRY.format(area=area) + CURVE.format(n=""))
    assert record.facts.area_cm2.value == taken


def test_gamry_curves_are_spectra_and_their_length_is_checked(load):
    later = CURVE.format(n="\t5").replace("\t0\t1\t", "\t0\t3\t").replace("\t1\t2\t", "\t1\t4\t")
    record = load(GAMRY.format(area="1") + CURVE.format(n="\t2") + later)
    assert record.table[SPECTRUM].to_list() == [0, 0, 1, 1]
    assert codes(record)[0] == "truncated"
    assert "2 of 5 rows" in record.flags[0].message


def test_gamry_with_decimal_commas(load):
    text = GAMRY.format(area="1") + CURVE.format(n="").replace("10.0", "10,0").replace("-2.0", "-2,0").replace(
        "3.1", "3,1"
    )
    assert load(text).table[IMAGINARY].to_list() == [-2.0, -4.0]


@pytest.mark.parametrize(
    "end", ["EXPLAIN\nTAG\tEISPOT\nDELAY\tT\n", "ZCURVE\tTABLE\n", "ZCURVE\tTABLE\n\tPt\tTime\n\t#\ts\n"]
)
def test_gamry_without_its_table(load, end):
    with pytest.raises(CorruptFile, match="ZCURVE"):
        load("EXPLAIN\nTAG\tEISPOT\n" + end)


def test_zview_announces_its_points(load):
    record = load(ZVIEW.replace("10,0,0,0,30,-6,0\n", ""))
    assert codes(record) == ["truncated"]
    assert "2 of 3 rows" in record.flags[0].message


@pytest.mark.parametrize(
    ("header", "factor"),
    [
        ("Zim", 1),
        ("-Zim", -1),
        ("-Im(Z)/Ohm", -1),
        ("Im(Z)/Ohm", 1),
        ("−Z''", -1),
        ("Zim (kohm)", 1e3),
        ("-Im(Z)/kOhm", -1e3),
    ],
)
def test_sign_and_unit_of_the_imaginary_part_are_the_headers(load, header, factor):
    record = load(f"f/Hz;Re(Z)/Ohm;{header}\n1000;10;2\n100;20;4\n", name="z.csv")
    assert record.table[IMAGINARY].to_list() == pytest.approx([2 * factor, 4 * factor])
    assert codes(record) == (["impedance_sign"] if factor > 0 else [])


def test_a_minus_in_a_header_turns_the_sign_for_every_reader():
    assert meaning("-Zim/kohm").factor == -1e3
    assert meaning("Zim/kohm").factor == 1e3


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_without_a_header_the_sign_is_kept_and_doubted(load, delimiter):
    assert codes(load(sweep(delimiter=delimiter), name="z.csv")) == []
    record = load(sweep(sign=1.0, delimiter=delimiter), name="z.csv")
    assert record.table[IMAGINARY].min() > 0
    assert codes(record) == ["impedance_sign"]
    assert "-Im Z" in record.flags[0].message


@pytest.mark.parametrize(
    "text",
    [
        "".join(
            f"{t},{3.7},{0.001}\n" for t in range(1, 500)
        ),  # time, voltage, current: four decades, even steps of time
        "".join(f"{t},{3.7},{0.001}\n" for t in [0.001, *range(1, 21)]),  # the same, few rows, a first one near zero
        "".join(f"{10 ** (k / 10)},1,-1\n" for k in range(15)),  # too short a sweep
        sweep().replace("\n", ",1\n"),  # four columns
        "time,frequency,Zre,Zim,current\n1,100,1,-1,0.1\n",  # a table with a current is the general reader's
    ],
)
def test_tables_that_are_no_sweep_are_left_to_others(tmp_path, text):
    path = tmp_path / "other.csv"
    path.write_text(text)
    assert "eis-csv" not in [row.name for row in FORMATS if row.recognize(Head(path))]


@pytest.mark.parametrize(
    ("frequency", "numbers"),
    [
        ([3, 2, 1, 3, 2, 1], [0, 0, 0, 1, 1, 1]),
        ([1, 2, 3, 1, 2, 3], [0, 0, 0, 1, 1, 1]),
        ([3, 2, np.nan, 1], [0, 0, np.nan, 1]),
        ([3, 0, 3, 2.99, 3, 2], [0, np.nan, 1, 1, 1, 1]),
        ([np.nan, np.nan], [np.nan, np.nan]),
    ],
)
def test_spectra_begin_where_the_sweep_turns_back_or_was_left(frequency, numbers):
    assert np.array_equal(spectrum_numbers(np.array(frequency, dtype=float)), numbers, equal_nan=True)


@pytest.mark.parametrize(
    "header",
    [
        "frequency_Hz,Re_ohm,Im_ohm",
        "frequency_Hz,real_ohm,imaginary_ohm",
        "frequency_hertz,real_impedance_ohm,imaginary_impedance_ohm",
        "f_Hz,Re_mohm,-Im_mohm",
    ],
)
def test_names_with_their_unit_behind_a_line(load, header):
    size = 1e-3 if "mohm" in header else 1.0
    record = load(f"{header}\n" + "".join(f"{10.0**-k},{10 + k},{-2 - k}\n" for k in range(5)), "sample.csv")
    points = record.spectra()
    assert points[FREQUENCY].to_list() == pytest.approx([10.0**-k for k in range(5)])
    assert points[REAL].to_list() == pytest.approx([size * (10 + k) for k in range(5)])
    sign = -1 if "-Im" in header else 1
    assert points[IMAGINARY].to_list() == pytest.approx([sign * size * (-2 - k) for k in range(5)])


def test_tables_that_we_write_are_read_again(tmp_path):
    """eis-points of characterize, with words in it and a comma in a name; spectra of simulate; not curves of arcs."""
    f = np.logspace(5, -1, 31)
    z = 3 + 20 / (1 + 2j * np.pi * f * 1e-3)
    tables = measure_eis([Spectrum("a, b.csv #0", f, z), Spectrum("a, b.csv #1", f, 2 * z)]).tables
    tables = {name: tables[name] for name in ("eis-points", "eis-arcs")}
    base = {"frequency_Hz": f, "real_ohm": z.real, "imaginary_ohm": z.imag}
    tables["spectra"] = pl.DataFrame({"spectrum": np.zeros(31, int), "time_h": np.full(31, 0.5), **base})
    for name, table in tables.items():
        table.write_csv(tmp_path / f"{name}.csv")
    found = read(tmp_path / "eis-points.csv", use_cache=False).spectra()
    assert found[SPECTRUM].to_list() == [0] * 31 + [1] * 31
    assert found[REAL].to_numpy() == pytest.approx(np.concatenate([z.real, 2 * z.real]))
    simulated = read(tmp_path / "spectra.csv", use_cache=False).spectra()
    assert simulated[IMAGINARY].to_numpy() == pytest.approx(z.imag)
    assert simulated[TIME].to_list() == [1800.0] * 31
    assert not [row.name for row in FORMATS if row.recognize(Head(tmp_path / "eis-arcs.csv"))]


POLAR = [
    ("Frequency (Hz),|Z| (Ohm),Phase (deg)", 1.0, np.degrees(1.0)),
    ("freq/Hz,|Z|/Ohm,Phase(Z)/deg", 1.0, np.degrees(1.0)),
    ("f/Hz,|Z|/mOhm,phase/rad", 1e3, 1.0),
    ("Frequency/Hz,Zmod/Ohm,-Phase/deg", 1.0, -np.degrees(1.0)),
    ("Freq (Hz),Z modulus (ohm),Theta (°)", 1.0, np.degrees(1.0)),
    ("frequency_hz,z_mod_ohm,phase_deg", 1.0, np.degrees(1.0)),
    ("Frequency (Hz),Impedance (Ohm),Phase (radians)", 1.0, 1.0),
    ("Frequency,Modulus,Phase", 1.0, np.degrees(1.0)),  # beyond pi: degrees
]


def polar(header, size=1.0, angle=1.0):
    """An arc from 100 kHz to 0.1 Hz as modulus and phase, and its impedance."""
    f = np.logspace(5, -1, 31)
    z = 3.0 + 20.0 / (1.0 + 2j * np.pi * f * 1e-3)
    rows = zip(f, np.abs(z) * size, np.angle(z) * angle, strict=True)
    return header + "\n" + "".join(f"{a:.9g},{b:.9g},{c:.9g}\n" for a, b, c in rows), z


@pytest.mark.parametrize(("header", "size", "angle"), POLAR)
def test_modulus_and_phase_in_degrees_or_radians(load, header, size, angle):
    text, z = polar(header, size, angle)
    record = load(text, "sample.csv")
    assert record.provenance.format == "eis-csv"
    assert "modulus and phase" in record.provenance.notes[0]
    points = record.spectra()
    assert points[REAL].to_numpy() == pytest.approx(z.real, rel=1e-6)
    assert points[IMAGINARY].to_numpy() == pytest.approx(z.imag, rel=1e-6, abs=1e-6)
    assert codes(record) == []


def test_a_phase_without_a_unit_within_pi_is_not_guessed(load):
    with pytest.raises(InterlithError, match=r"degrees or radians\? Write 'Phase \(deg\)'"):
        load(polar("frequency,modulus,phase")[0], "sample.csv")
