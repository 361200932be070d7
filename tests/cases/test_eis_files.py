"""The real impedance files of other instruments, against what can be read in them by eye."""

import numpy as np
import pytest

from interlith.cycling.reading import read
from interlith.record import CURRENT, FREQUENCY, IMAGINARY, REAL, SPECTRUM, TIME, VOLTAGE

# file -> format, points, first frequency, last frequency, first Re Z, first Im Z
FILES = {
    "Gamry.DTA": ("gamry-eis", 72, 200015.6, 0.0158898, 825.8584, -1367.239),
    "Gamry_GALVEIS.DTA": ("gamry-eis", 71, 1000078, 0.1001603, 0.04711733, 0.1695821),
    "Autolab_Z60W.txt": ("zview-eis", 41, 10000, 0.1, 0.013785863964281, 0.007191946305823),
    "CHInstruments.txt": ("chi-eis", 73, 9.961e4, 0.1, 98.91, -2.748),
    "Powersuite.txt": ("powersuite-eis", 30, 0.1, 2e6, 423929.46, -49014.063),
    "exampleData.csv": ("eis-csv", 66, 3.1623e-3, 1e4, 0.0494998978, -0.0204386985),
}


def load(cycler, name):
    return read(cycler / "eis" / name, use_cache=False)


@pytest.mark.parametrize("name", FILES)
def test_points_ends_and_sign(cycler, name):
    expected_format, n_points, f_first, f_last, re_first, im_first = FILES[name]
    record = load(cycler, name)
    points = record.spectra()
    assert record.provenance.format == expected_format
    assert points.height == record.n_rows == n_points
    assert points[SPECTRUM].unique().to_list() == [0]
    assert points[FREQUENCY][0] == pytest.approx(f_first, rel=1e-4)
    assert points[FREQUENCY][-1] == pytest.approx(f_last, rel=0.02)
    assert points[REAL][0] == pytest.approx(re_first, rel=1e-6)
    assert points[IMAGINARY][0] == pytest.approx(im_first, rel=1e-6)
    assert record.flags == ()
    assert record.facts.area_cm2.value is None


@pytest.mark.parametrize("name", FILES)
def test_capacitive_at_low_frequency(cycler, name):
    points = load(cycler, name).spectra().sort(FREQUENCY)
    assert points[IMAGINARY][0] < 0


def test_gamry_size_and_phase_agree_with_both_parts(cycler):
    """The file's own |Z| and phase, which the reader does not use, judge the sign and the columns taken."""
    points = load(cycler, "Gamry.DTA").spectra()
    z = points[REAL][0] + 1j * points[IMAGINARY][0]
    assert abs(z) == pytest.approx(1597.306, rel=1e-6)
    assert np.degrees(np.angle(z)) == pytest.approx(-58.86662, rel=1e-6)
    assert points[VOLTAGE][0] == pytest.approx(-0.3413299)
    assert points[CURRENT][0] == pytest.approx(-5.89286e-06)
    assert points[TIME][-1] == pytest.approx(861)


def test_chi_phase_agrees_with_both_parts(cycler):
    points = load(cycler, "CHInstruments.txt").spectra()
    phase = np.degrees(np.angle(points[REAL].to_numpy() + 1j * points[IMAGINARY].to_numpy()))
    assert phase[:3] == pytest.approx([-1.6, 0.9, 0.4], abs=0.06)


def test_what_an_export_lacks_stays_empty(cycler):
    table = load(cycler, "exampleData.csv").table
    assert all(table[name].null_count() == table.height for name in (TIME, VOLTAGE, CURRENT))
