"""Readers of diffraction patterns give back what was written, whatever the dialect, and know what is not a pattern."""

import numpy as np
import pytest
from diffraction_files import made_up, rasx, xrdml_text

from interlith.characterize.diffraction.pattern import is_pattern, pattern, read_pattern
from interlith.errors import CorruptFile, InputError, UnsupportedFormat

ANGLES, COUNTS = made_up()


def write(path, rows, header="", encoding="utf-8"):
    path.write_bytes((header + "\n".join(rows) + "\n").encode(encoding))
    return path


def lines(form):
    return [form.format(a, int(c)) for a, c in zip(ANGLES, COUNTS, strict=True)]


def with_comma(rows):
    return [row.replace(".", ",") for row in rows]


DIALECTS = {
    "blank.xy": lambda: (lines("{:.4f} {}"), ""),
    "aligned.xy": lambda: (lines("   {:9.4f}    {:8d}"), "# exported\n"),
    "tab.txt": lambda: (lines("{:.4f}\t{}"), "2theta\tIntensity\n"),
    "comma.csv": lambda: (lines("{:.4f},{}"), "Angle,Intensity\n"),
    "comma-blank.csv": lambda: (lines("{:.4f}, {}"), "Sample: a\nMeasured: 2024\n[Data]\nAngle, PSD\n"),
    "semicolon.csv": lambda: (lines("{:.4f};{}"), "2Theta;Counts\n"),
    "decimal-comma.csv": lambda: (with_comma(lines("{:.4f};{}.0")), "2Theta;Counts\n"),
    "decimal-comma-blank.txt": lambda: (with_comma(lines("{:.4f} {}.0")), "2Theta Zähler\n"),
    "exponent.xy": lambda: (lines("{:.6e} {:.3e}"), ""),
    "quoted.csv": lambda: (lines('"{:.4f}","{}"'), '"Two Theta","I"\n'),
    "trailing.csv": lambda: (lines("{:.4f},{},"), "2theta,I,\n"),
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
@pytest.mark.parametrize("name", DIALECTS)
def test_text_in_any_dialect_gives_the_same(name, encoding, tmp_path):
    rows, header = DIALECTS[name]()
    path = write(tmp_path / name, rows, header, encoding)
    assert is_pattern(path)
    one = read_pattern(path)
    assert one.two_theta_deg == pytest.approx(ANGLES, abs=1e-4)
    assert one.counts == pytest.approx(COUNTS, rel=1e-3)
    assert one.is_counts
    assert any("copper" in words for words in one.said)


def test_old_line_ends_and_a_cut_last_line(tmp_path):
    path = tmp_path / "a.xy"
    path.write_bytes("\r\n".join(lines("{:.4f} {}")).encode() + b"\r\n72.")
    one = read_pattern(path)
    assert len(one.counts) == len(COUNTS)
    assert any("cut off" in words for words in one.said)


def test_rasx_multiplies_by_the_attenuator(tmp_path):
    factor = np.where(np.abs(ANGLES - 34.4) < 1.0, 8.0, 1.0)
    path = rasx(tmp_path / "a.rasx", ANGLES, COUNTS, factor)
    assert is_pattern(path)
    one = read_pattern(path)
    assert one.counts == pytest.approx(COUNTS * factor)
    assert one.variance_per_count == pytest.approx(factor)
    assert one.radiation.kalpha1_nm == pytest.approx(0.1540593)
    assert one.radiation.source == "stated in a.rasx"
    assert any("attenuator" in words for words in one.said)


def test_rasx_without_conditions_assumes_copper_and_says_so(tmp_path):
    one = read_pattern(rasx(tmp_path / "a.rasx", ANGLES, COUNTS, conditions=None))
    assert any("copper" in words for words in one.said)


def test_xrdml_intensities_are_already_corrected_and_counts_are_not(tmp_path):
    factor = np.where(np.abs(ANGLES - 34.4) < 1.0, 8.0, 1.0)
    factors = f"<beamAttenuationFactors>{' '.join(f'{f:g}' for f in factor)}</beamAttenuationFactors>"
    corrected, raw = tmp_path / "a.xrdml", tmp_path / "b.xrdml"
    corrected.write_text(xrdml_text(ANGLES, COUNTS * factor, "intensities", factors))
    raw.write_text(xrdml_text(ANGLES, COUNTS, "counts", factors))
    for path in (corrected, raw):
        assert is_pattern(path)
        one = read_pattern(path)
        assert one.counts == pytest.approx(COUNTS * factor)
        assert one.variance_per_count == pytest.approx(factor)
        assert one.two_theta_deg == pytest.approx(ANGLES, abs=1e-3)
        assert one.radiation.kalpha1_nm == pytest.approx(0.1540598)
        assert one.radiation.alpha2_over_alpha1 == 0.5


def test_xrdml_lists_its_positions(tmp_path):
    path = tmp_path / "a.xrdml"
    listed = f"<listPositions>{' '.join(f'{a:.4f}' for a in ANGLES)}</listPositions>"
    path.write_text(xrdml_text(ANGLES, COUNTS, positions=listed))
    assert read_pattern(path).two_theta_deg == pytest.approx(ANGLES, abs=1e-4)


def test_xrdml_of_another_scan_is_refused(tmp_path):
    path = tmp_path / "a.xrdml"
    path.write_text(xrdml_text(ANGLES, COUNTS, positions="<commonPosition>34.4</commonPosition>"))
    with pytest.raises(InputError, match="stands still"):
        read_pattern(path)
    path.write_text(xrdml_text(ANGLES, COUNTS, axis="Phi"))
    with pytest.raises(InputError, match="no positions of 2Theta"):
        read_pattern(path)


def test_a_third_column(tmp_path):
    sigma = np.sqrt(np.maximum(COUNTS, 1.0))
    rows = [f"{a:.4f} {c:g} {s:.4f}" for a, c, s in zip(ANGLES, COUNTS, sigma, strict=True)]
    assert read_pattern(write(tmp_path / "a.xye", rows)).is_counts
    tripled = [f"{a:.4f} {c:g} {3 * s:.4f}" for a, c, s in zip(ANGLES, COUNTS, sigma, strict=True)]
    wrong = read_pattern(write(tmp_path / "b.xye", tripled))
    assert not wrong.is_counts
    assert any("the file states" in words for words in wrong.said)
    unnamed = read_pattern(write(tmp_path / "c.xy", rows))
    assert any("third column" in words for words in unnamed.said)


@pytest.mark.parametrize("factor", [0.02, 1 / 850.0, 7.0])
def test_what_is_not_counts_is_told_and_its_scatter_measured(factor, tmp_path):
    """Counts per second, normalized to 1, multiplied: the variance over the value is that factor."""
    one = pattern("scaled", ANGLES, COUNTS * factor)
    assert not one.is_counts
    assert one.variance_per_count[0] == pytest.approx(factor, rel=0.25)
    assert any("chi2" in words for words in one.said)


def test_theta_in_the_header_is_told(tmp_path):
    one = read_pattern(write(tmp_path / "a.xy", lines("{:.4f} {}"), "Theta Counts\n"))
    assert any("theta" in words for words in one.said)


BAD = {
    "one point": (["30.0 5"], "1 point"),
    "few": ([f"{30 + i} 5" for i in range(20)], "20 points"),
    "swapped": (lines("{1} {0:.4f}"), "swapped"),
    "descending": (lines("{:.4f} {}")[::-1], "descend"),
    "twice": (lines("{:.4f} {}") * 2, "sort the rows"),
    "not a number": ([*lines("{:.4f} {}")[:100], "nan 5", *lines("{:.4f} {}")[101:]], "row 101"),
    "count nan": ([*lines("{:.4f} {}")[:100], f"{ANGLES[100]:.4f} nan", *lines("{:.4f} {}")[101:]], "the count is not"),
    "infinite": ([*lines("{:.4f} {}")[:100], f"{ANGLES[100]:.4f} inf", *lines("{:.4f} {}")[101:]], "the count is not"),
    "negative": ([*lines("{:.4f} {}")[:100], f"{ANGLES[100]:.4f} -3", *lines("{:.4f} {}")[101:]], "background"),
    "zero": ([f"{a:.4f} 0" for a in ANGLES], "all counts are 0"),
    "beyond": ([f"{a + 150:.4f} {int(c)}" for a, c in zip(ANGLES, COUNTS, strict=True)], "2 theta lies between"),
    "radians": ([f"{np.radians(a):.6f} {int(c)}" for a, c in zip(ANGLES, COUNTS, strict=True)], "radians"),
    "words within": ([*lines("{:.4f} {}")[:100], "pause", *lines("{:.4f} {}")[100:]], ":101: no numbers"),
    "smooth": ([f"{a:.4f} 500" for a in ANGLES], "do not scatter"),
}


@pytest.mark.parametrize("name", BAD)
def test_numbers_that_cannot_be_a_pattern_say_why(name, tmp_path):
    rows, said = BAD[name]
    path = write(tmp_path / "bad.xy", rows)
    with pytest.raises(InputError, match=said):
        read_pattern(path)


def test_too_many_columns_or_points(tmp_path):
    with pytest.raises(UnsupportedFormat, match="4 columns"):
        read_pattern(write(tmp_path / "a.csv", ["30.0,1,2,3"] * 60))
    angles = np.linspace(10, 90, 200_001)
    with pytest.raises(InputError, match="add up neighbours"):
        pattern("huge", angles, np.ones(len(angles)))


def test_files_that_are_not_there_or_no_files(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_pattern(tmp_path / "none.xy")
    with pytest.raises(InputError, match="not a file"):
        read_pattern(tmp_path)
    (tmp_path / "empty.xy").write_bytes(b"")
    with pytest.raises(CorruptFile, match="empty"):
        read_pattern(tmp_path / "empty.xy")
    assert not is_pattern(tmp_path / "none.xy")
    assert not is_pattern(tmp_path)
    assert not is_pattern(tmp_path / "empty.xy")


OTHERS = {
    "eis.csv": ("freq,re,im\n", [f"{10 ** (5 - i / 10):.5g},{1 + i},{-i}" for i in range(80)]),
    "tga.txt": ("Temperature (C)\tMass (%)\n", [f"{25 + i}\t{100 - i / 100:.3f}" for i in range(800)]),
    "tga-even.csv": ("Time/min;Temp/C;Mass/%\n", [f"{i / 10};{25 + i};{100 - i / 100:.3f}" for i in range(800)]),
    "cv.txt": ("Potential/V, Current/A\n", [f"{i / 1000:.3f}, {i % 7}e-6" for i in range(800)]),
    "raman.txt": ("", [f"{100 + i * 0.96:.2f}\t{500 + i % 40}" for i in range(1000)]),
    "plain.csv": ("", [f"{i},{i * i}" for i in range(1, 100)]),
    "prose.txt": ("", ["We measured the sample on Monday."] * 40),
    "uneven.txt": ("", [f"{20 + 0.001 * i * i:.3f} {100 + i % 9}" for i in range(150)]),
    "mass.txt": ("", [f"{20 + i * 0.1:.1f} {99.9 - i * 0.001:.3f}" for i in range(500)]),
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_not_a_pattern_is_not_taken_for_one(name, tmp_path):
    header, rows = OTHERS[name]
    assert not is_pattern(write(tmp_path / name, rows, header))


PANALYTICAL = "[Measurement conditions]\nAnode material,Cu\nK-Alpha1 wavelength,1.5405980\n{more}\n[Scan points]\n"


def test_columns_are_taken_by_their_names(tmp_path):
    angles, counts = made_up()
    rows = "".join(f"{a:.4f},45.72,{c:g},{c**0.5:.4f}\n" for a, c in zip(angles, counts, strict=True))
    head = PANALYTICAL.format(more="K-Alpha2 wavelength,1.5444260\nRatio K-Alpha2/K-Alpha1,0.50000")
    path = tmp_path / "a.csv"
    path.write_text(f"{head}Angle,TimePerStep,Intensity,ESD\n{rows}")
    assert is_pattern(path)
    one = read_pattern(path)
    assert np.allclose(one.counts, counts)
    assert np.allclose(one.two_theta_deg, angles, atol=1e-4)
    assert one.is_counts
    assert (one.radiation.kalpha1_nm, one.radiation.kalpha2_nm) == pytest.approx((0.1540598, 0.1544426))
    assert not any("K-alpha 1 alone" in text for text in one.said)
    rows = "".join(f"{a:.4f},45.72,{c:g}\n" for a, c in zip(angles, counts, strict=True))
    path.write_text(f"{head}Angle,TimePerStep,Intensity\n{rows}")
    assert np.allclose(read_pattern(path).counts, counts)


def test_a_header_with_one_wavelength_alone_is_said(tmp_path):
    angles, counts = made_up()
    rows = "".join(f"{a:.4f},{c:g}\n" for a, c in zip(angles, counts, strict=True))
    path = tmp_path / "a.csv"
    path.write_text(f"{PANALYTICAL.format(more='')}Angle,Intensity\n{rows}")
    assert any("K-alpha 1 alone" in text for text in read_pattern(path).said)
