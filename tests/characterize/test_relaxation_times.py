"""The distribution of relaxation times: its area, its peaks, its limits. All spectra synthetic."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_kramers_kronig import noisy

from interlith.characterize.impedance.relaxation_times import peaks, relaxation_times
from interlith.errors import InputError

F = np.logspace(6, -2, 81)
W = 2j * np.pi * F

arcs = st.lists(st.tuples(st.floats(1, 100), st.floats(-3.5, -1.0), st.floats(0.75, 1.0)), min_size=1, max_size=3)


@settings(max_examples=40, deadline=None)
@given(arcs, st.floats(0.5, 20), st.sampled_from([0.0, 1e-3]))
def test_the_area_is_the_polarization_resistance(arcs, ohm, noise):
    """R_total = Z(0) - Z(infinity), whatever the arcs, when they are finished within the measured range."""
    z = noisy(ohm + sum(r / (1 + (W * 10**t) ** n) for r, t, n in arcs), noise, 3)
    found = relaxation_times(F, z)
    total = sum(r for r, _, _ in arcs)
    assert found.polarization_ohm + found.series_ohm == pytest.approx(total + ohm, rel=0.01)
    assert found.polarization_ohm == pytest.approx(total, rel=0.03)
    assert found.density_ohm.sum() * np.log(found.tau_s[1] / found.tau_s[0]) == pytest.approx(found.polarization_ohm)
    assert np.all(found.resistance_ohm >= 0)


def test_three_arcs_make_three_peaks_at_their_place():
    z = noisy(5 + 10 / (1 + (W * 1e-5) ** 0.9) + 30 / (1 + (W * 1e-3) ** 0.9) + 20 / (1 + (W * 0.1) ** 0.95), 2e-3, 1)
    found = [peak for peak in relaxation_times(F, z).peaks if peak.resistance_ohm > 1]
    assert [peak.resistance_ohm for peak in found] == pytest.approx([10, 30, 20], rel=0.06)
    assert np.log10([peak.tau_s for peak in found]) == pytest.approx([-5, -3, -1], abs=0.1)
    assert found[1].frequency_Hz == pytest.approx(1 / (2 * np.pi * 1e-3), rel=0.2)


def test_inductance_and_what_blocks_are_no_peaks():
    z = noisy(5 + 2e-7 * W + 10 / (1 + W * 1e-3) + 1 / (W * 0.5), 3e-4, 1)
    found = relaxation_times(F, z)
    assert found.inductance_H == pytest.approx(2e-7, rel=0.02)
    assert found.capacitance_F == pytest.approx(0.5, rel=0.02)
    assert found.polarization_ohm == pytest.approx(10, rel=0.03)


def test_the_residual_is_the_noise_and_no_less():
    """Regularized as much as the noise allows: neither smoothed beyond the data nor fitted to their noise."""
    z = 5 + 30 / (1 + (W * 1e-3) ** 0.8)
    for noise in (1e-3, 1e-2):
        found = relaxation_times(F, noisy(z, noise, 5))
        assert 0.8 * noise < found.rms < 1.2 * noise


def test_more_noise_more_smoothing():
    z = 5 + 30 / (1 + (W * 1e-3) ** 0.8)
    weights = [relaxation_times(F, noisy(z, noise, 5)).regularization for noise in (1e-4, 1e-3, 1e-2)]
    assert weights == sorted(weights)
    assert weights[2] > 10 * weights[0]


def test_two_arcs_nearer_than_can_be_parted_make_one_peak():
    z = noisy(1 + 10 / (1 + W * 1e-3) + 10 / (1 + W * 1.8e-3), 1e-3, 2)
    found = [peak for peak in relaxation_times(F, z).peaks if peak.resistance_ohm > 1]
    assert [peak.resistance_ohm for peak in found] == pytest.approx([20], rel=0.02)


def test_an_arc_beyond_the_range_is_told_as_a_bound():
    z = 1 + 10 / (1 + W * 1e-3) + 1000 / (1 + W * 3e3)
    assert any(peak.edge for peak in relaxation_times(F, z).peaks) or relaxation_times(F, z).capacitance_F


def test_peaks_are_cut_in_the_valleys():
    tau = np.logspace(-4, 2, 7)
    found = peaks(tau, np.array([0, 4.0, 1.0, 3.0, 0, 0, 2.0]))
    assert [peak.resistance_ohm for peak in found] == [4.0, 4.0, 2.0]
    assert [peak.edge for peak in found] == [False, False, True]


@pytest.mark.parametrize("z", [np.full(20, np.nan + 0j), np.zeros(20, complex)])
def test_bad_input(z):
    with pytest.raises(InputError, match="number and not 0"):
        relaxation_times(np.logspace(3, 0, 20), z)
    with pytest.raises(InputError, match="above 0"):
        relaxation_times(np.full(20, 5.0), np.ones(20, complex))
