"""Real patterns: six points of a ZnO film, grown by atomic layer deposition on a silicon wafer."""

import numpy as np
import pytest

from interlith.characterize.diffraction.masking import recognized
from interlith.characterize.diffraction.pattern import is_pattern, read_pattern
from interlith.characterize.diffraction.xrd import measure_xrd
from interlith.characterize.diffraction.xrd_series import measure_series

LINES = ["100", "002", "101", "102", "110", "103"]


@pytest.fixture(scope="module")
def files(characterisation):
    found = sorted((characterisation / "xrd").glob("*.rasx"))
    assert len(found) == 6
    return found


@pytest.fixture(scope="module")
def measured(files):
    return {path.name: measure_xrd(read_pattern(path)) for path in files}


def test_the_file_says_which_radiation_and_how_many_counts(files):
    for path in files:
        assert is_pattern(path)
        one = read_pattern(path)
        assert len(one.counts) == 7001
        assert one.two_theta_deg[[0, -1]] == pytest.approx([20.0, 90.0])
        assert one.step_deg == pytest.approx(0.01)
        assert (one.radiation.kalpha1_nm, one.radiation.kalpha2_nm) == pytest.approx((0.1540593, 0.1544414))
        assert one.is_counts
        assert 228e3 < one.counts.max() < 235e3
        assert one.two_theta_deg[np.argmax(one.counts)] == pytest.approx(69.13, abs=0.03)


def test_only_diffraction_is_taken_for_diffraction(characterisation):
    others = [path for path in characterisation.rglob("*") if path.is_file() and path.suffix != ".rasx"]
    assert len(others) > 10
    assert [path.name for path in others if is_pattern(path)] == []


def test_the_wafer_is_recognized_and_its_lines_are_named(files, measured):
    for path in files:
        assert recognized(read_pattern(path)) == ("silicon",)
        masks = {mask["name"]: mask for mask in measured[path.name].values["masks"]}
        for name, angle in {
            "Si 200, forbidden": 32.95,
            "Si 400, K-beta": 61.71,
            "Si 400, W L-alpha 1": 65.91,
            "Si 400": 69.13,
        }.items():
            assert masks[name]["low_deg"] < angle < masks[name]["high_deg"]


def test_the_coating_prefers_002_at_every_point(measured):
    for one in measured.values():
        held = one.values["texture_coefficients"]
        assert list(held) == LINES
        assert 3.7 < held["002"]["value"] < 4.3
        assert 0.85 < held["100"]["value"] < 1.3
        assert held["101"]["value"] < 0.35
        assert held["103"]["low"] == 0
        assert one.values["reduced_chi2"] < 1.2
        assert 12 < one.values["crystallite_size_nm"]["value"] < 20
        assert sum(part["value"] for part in held.values()) == pytest.approx(6.0)


def test_points_of_one_film_agree_within_their_errors(measured):
    """Six patterns of one film: their spread is not larger than their intervals say."""
    held = [one.values["texture_coefficients"]["002"] for one in measured.values()]
    values = np.array([one["value"] for one in held])
    errors = np.array([(one["high"] - one["low"]) / 3.92 for one in held])
    assert values.std(ddof=1) < 1.5 * errors.mean()


def test_without_the_masks_the_fit_is_bad_and_says_where(files):
    for path in files[:2]:
        bare = measure_xrd(read_pattern(path), substrate="none", masks=[(64.0, 74.0)], n_bootstrap=30)
        assert 9 < bare.values["reduced_chi2"] < 16
        assert "61.6" in bare.said[-1] or "61.7" in bare.said[-1]
        assert "Si 400, K-beta" in bare.said[-1]


def test_the_series_tells_the_spread(measured):
    series = measure_series(list(measured.items()))
    assert series.values["comparable"]
    assert series.tables["xrd-series"].height == 36
    assert series.headline.startswith("6 patterns: TC(002) 3.7")
