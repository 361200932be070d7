"""Circuits: what their text means, slopes against differences, fits of known values, arcs chosen and named."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_kramers_kronig import noisy

from interlith.characterize.impedance.arcs import Tried, assigned, candidates, chosen_text, fit_arcs
from interlith.characterize.impedance.circuit import circuit, fit_circuit
from interlith.errors import InputError

F = np.logspace(6, -2, 81)
W = 2j * np.pi * F
ALL = "L0-R0-p(R1,CPE1)-p(R2-Wo1,C2)-A3-Ws2-W1"
VALUES = (1e-7, 1.0, 2.0, 1e-3, 0.8, 3.0, 4.0, 0.5, 1e-2, 5.0, 0.1, 0.9, 2.0, 1.0, 0.3)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0.3, 3.0), min_size=15, max_size=15))
def test_slopes_are_those_of_differences(factors):
    found = circuit(ALL)
    p = np.array([v if n.endswith("_n") else v * f for n, v, f in zip(found.names, VALUES, factors, strict=True)])
    z, slopes = found.answer(W, p)
    for place, name in enumerate(found.names):
        step = 1e-5
        up, down = p.copy(), p.copy()
        up[place] *= 1 + step
        down[place] *= 1 - step
        size = p[place] if name.endswith("_n") else 1.0
        numeric = (found.answer(W, up)[0] - found.answer(W, down)[0]) / (2 * step * size)
        assert np.abs(numeric - slopes[place]).max() < 1e-5 * np.abs(slopes[place]).max() + 1e-9 * np.abs(z).max()


def test_elements_are_what_they_are_said_to_be():
    f = np.array([1e3, 1.0, 1e-3])
    w = 2j * np.pi * f
    values = {"R1_ohm": 5.0, "C1_F": 1e-3}
    assert circuit("p(R1,C1)").impedance_ohm(f, values) == pytest.approx(5 / (1 + w * 5e-3))
    arc = circuit("A1").impedance_ohm(f, {"A1_ohm": 5.0, "A1_s": 0.1, "A1_n": 0.8})
    q = 0.1**0.8 / 5.0
    pair = circuit("p(R1,CPE1)").impedance_ohm(f, {"R1_ohm": 5.0, "CPE1_S_sn": q, "CPE1_n": 0.8})
    assert arc == pytest.approx(pair)
    warburg = circuit("W1").impedance_ohm(f, {"W1_ohm_per_root_s": 2.0})
    assert warburg == pytest.approx(2.0 * (1 - 1j) / np.sqrt(2 * np.pi * f))


@settings(max_examples=30, deadline=None)
@given(st.floats(0.1, 100), st.floats(1e-2, 10))
def test_diffusion_elements_have_their_limits(ohm, tau_s):
    """Short: R at low frequency. Open: R / 3 + tau's capacitor. Both: Warburg's line at high frequency."""
    slow, fast = np.array([1e-5 / tau_s]), np.array([1e5 / tau_s])
    short = circuit("Ws1").impedance_ohm(slow, {"Ws1_ohm": ohm, "Ws1_s": tau_s})[0]
    wall = circuit("Wo1").impedance_ohm(slow, {"Wo1_ohm": ohm, "Wo1_s": tau_s})[0]
    assert short == pytest.approx(ohm, rel=1e-3)
    assert wall.real == pytest.approx(ohm / 3, rel=1e-3)
    assert wall.imag == pytest.approx(-ohm / (2 * np.pi * slow[0] * tau_s), rel=1e-3)
    line = circuit("W1").impedance_ohm(fast, {"W1_ohm_per_root_s": ohm / np.sqrt(2 * tau_s)})[0]
    for name in ("Ws1", "Wo1"):
        assert circuit(name).impedance_ohm(fast, {f"{name}_ohm": ohm, f"{name}_s": tau_s})[0] == pytest.approx(line)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("R0-", "ends where"),
        ("R0-p(R1,C1", "not closed"),
        ("R0-X1", "none of"),
        ("R0-WO1", "Did you mean W"),
        ("R0-R0", "twice"),
        ("R0)C1", "not expected"),
        ("", "elements joined"),
        ("R0 + C1", "elements joined"),
    ],
)
def test_a_circuit_that_is_not_understood_says_where(text, word):
    with pytest.raises(InputError, match=word):
        circuit(text)


def test_a_start_that_is_not_of_the_circuit():
    with pytest.raises(InputError, match="no start for R1_ohm"):
        fit_circuit("R0-R1", F, 1 / W, {"R0_ohm": 1.0})
    with pytest.raises(InputError, match="cannot be found in 1 points"):
        fit_circuit("R0-C1", F[:1], 1 / W[:1])


@settings(max_examples=15, deadline=None)
@given(st.floats(0.5, 50), st.floats(1, 100), st.floats(-4, -1))
def test_a_circuit_is_found_without_a_start(series, ohm, lg_tau):
    z = series + ohm / (1 + W * 10**lg_tau)
    fit = fit_circuit("R0-p(R1,C1)", F, z)
    assert fit.values["R0_ohm"] == pytest.approx(series, rel=1e-4)
    assert fit.values["R1_ohm"] == pytest.approx(ohm, rel=1e-4)
    assert fit.values["C1_F"] == pytest.approx(10**lg_tau / ohm, rel=1e-4)


def test_standard_errors_are_the_scatter_of_repeats():
    """The judge of an error bar: how much the value scatters when the noise is drawn anew."""
    z = 3 + 20 / (1 + (W * 1e-3) ** 0.85) + 10 / (1 + (W * 0.3) ** 0.9)
    start = {"R0_ohm": 3, "A1_ohm": 20, "A1_s": 1e-3, "A1_n": 0.85, "A2_ohm": 10, "A2_s": 0.3, "A2_n": 0.9}
    fits = [fit_circuit("R0-A1-A2", F, noisy(z, 5e-3, seed), start) for seed in range(120)]
    for name in start:
        scatter = np.std([fit.values[name] for fit in fits], ddof=1)
        assert np.median([fit.error(name) for fit in fits]) == pytest.approx(scatter, rel=0.3)
    sums = np.std([fit.values["A1_ohm"] + fit.values["A2_ohm"] for fit in fits], ddof=1)
    assert np.median([fit.error("A1_ohm", "A2_ohm") for fit in fits]) == pytest.approx(sums, rel=0.3)


def test_standard_errors_count_neighbours_that_are_alike():
    """Noise that drifts from point to point (correlation 0.7) scatters the values 2.4 times as much as white noise."""
    z = 3 + 20 / (1 + (W * 1e-3) ** 0.85)
    start = {"R0_ohm": 3, "A1_ohm": 20, "A1_s": 1e-3, "A1_n": 0.85}
    fits = []
    for seed in range(120):
        steps = np.random.default_rng(seed).normal(size=(2, 200)) / np.sqrt(2)
        walk = np.zeros((2, 200))
        for i in range(1, 200):
            walk[:, i] = 0.7 * walk[:, i - 1] + np.sqrt(1 - 0.7**2) * steps[:, i]
        noise = walk[0, -len(F) :] + 1j * walk[1, -len(F) :]
        fits.append(fit_circuit("R0-A1", F, z * (1 + 5e-3 * noise), start))
    for name in ("R0_ohm", "A1_ohm"):
        scatter = np.std([fit.values[name] for fit in fits], ddof=1)
        assert np.median([fit.error(name) for fit in fits]) == pytest.approx(scatter, rel=0.3)


def test_a_wrong_circuit_widens_the_errors():
    z = noisy(3 + 20 / (1 + (W * 1e-3) ** 0.7) + 2 / np.sqrt(W), 1e-3, 0)
    right, wrong = fit_circuit("R0-A1-W1", F, z), fit_circuit("R0-p(R1,C1)-W1", F, z)
    assert wrong.neighbours > 0.5 > 0.3 > abs(right.neighbours)
    assert wrong.relative_error("R1_ohm") > 10 * right.relative_error("A1_ohm")


TAILS = {
    "": 0 * W,
    "Ws1": 8 * np.tanh(np.sqrt(W * 20)) / np.sqrt(W * 20),
    "Wo1": 8 / np.tanh(np.sqrt(W * 20)) / np.sqrt(W * 20),
    "W1": 2 / np.sqrt(W),
}


@pytest.mark.parametrize("noise", [1e-3, 5e-3])
@pytest.mark.parametrize("tail", TAILS)
def test_three_arcs_are_recovered_within_5_percent(tail, noise):
    z = 5 + 1e-7 * W + 10 / (1 + (W * 1e-5) ** 0.9) + 30 / (1 + (W * 1e-3) ** 0.9) + 20 / (1 + (W * 0.1) ** 0.95)
    found = fit_arcs(F, noisy(z + TAILS[tail], noise, 7), area_cm2=1.0)
    assert found.text == "L0-R0-A1-A2-A3" + (f"-{tail}" if tail else "")
    assert [arc.name for arc in found.arcs] == ["film", "charge transfer", "slow"]
    assert [arc.resistance_ohm for arc in found.arcs] == pytest.approx([10, 30, 20], rel=0.05)
    assert found.ohmic_ohm[0] == pytest.approx(5, rel=0.05)
    assert found.doubts == ()
    for arc, true in zip(found.arcs, (10, 30, 20), strict=True):
        assert abs(arc.resistance_ohm - true) < 4 * arc.error_ohm


@pytest.mark.parametrize("seed", range(8))
def test_no_more_arcs_than_there_are(seed):
    """A second and third arc are in the noise: they are not found."""
    one = fit_arcs(F, noisy(5 + 30 / (1 + (W * 1e-3) ** 0.8), 2e-3, seed))
    two = fit_arcs(F, noisy(5 + 30 / (1 + (W * 1e-3) ** 0.9) + 20 / (1 + (W * 0.3) ** 0.9), 2e-3, seed))
    assert (one.text, two.text) == ("R0-A1", "R0-A1-A2")
    assert one.arcs[0].name == "interface"


def test_two_arcs_that_noise_hides_are_one():
    z = 5 + 30 / (1 + (W * 1e-3) ** 0.9) + 20 / (1 + (W * 2e-3) ** 0.9)
    assert fit_arcs(F, noisy(z, 1e-2, 0)).text == "R0-A1"


def test_an_arc_that_is_not_finished_is_not_given_a_size():
    """Only its beginning is measured: its resistance is unknown, and no candidate that pretends otherwise is taken."""
    z = noisy(5 + 30 / (1 + W * 1e-3) + 5000 / (1 + W * 5e3), 3e-3, 1)
    found = fit_arcs(F, z)
    assert "CPE1" in found.text or "Wo1" in found.text
    assert found.arcs[0].resistance_ohm == pytest.approx(30, rel=0.03)


def test_the_faster_arc_is_film_and_the_bulk_is_recognized_by_its_capacitance():
    f = np.logspace(7.5, -1, 86)
    w = 2j * np.pi * f
    z = noisy(1 + 40 / (1 + w * 2e-8) + 30 / (1 + w * 1e-4) + 20 / (1 + w * 0.1), 1e-3, 2)
    found = fit_arcs(f, z, area_cm2=1.0)
    assert [arc.name for arc in found.arcs] == ["bulk", "film", "charge transfer"]
    assert found.ohmic_ohm[0] == pytest.approx(41, rel=0.01)
    small = fit_arcs(f, z, area_cm2=0.01)  # the same arc on a hundredth of the area has the capacitance of a film
    assert [arc.name for arc in small.arcs] == ["film", "charge transfer", "slow"]
    own = fit_arcs(f, z, assignment=["slow", "charge transfer", "film"])
    assert own.named("film").resistance_ohm == pytest.approx(20, rel=0.02)
    with pytest.raises(InputError, match="1 names for the 3 arcs"):
        fit_arcs(f, z, assignment=["film"])


def test_names_by_capacitance_and_order():
    assert assigned([]) == []
    assert assigned([1e-5]) == ["interface"]
    assert assigned([1e-12, 1e-10, 1e-6, 1e-5]) == ["bulk", "bulk", "film", "charge transfer"]
    assert assigned([1e-6, 1e-12]) == ["film", "charge transfer"]


def test_every_candidate_is_a_circuit():
    for inductive in (True, False):
        texts = candidates(inductive=inductive)
        assert len(set(texts)) == 15
        assert all(circuit(text).names for text in texts)


@pytest.mark.parametrize(
    ("bayes", "rms", "doubts", "chosen"),
    [
        ((0.0, -9.0), (0.01, 0.009), (0, 0), "R0-A1"),  # better, but not by 10: the simpler one
        ((0.0, -11.0), (0.01, 0.009), (0, 0), "R0-A1-A2"),
        ((0.0, -100.0), (0.01, 0.005), (0, 1), "R0-A1"),  # an arc that is not determined does not count
        ((0.0, -100.0), (0.05, 0.005), (0, 1), "R0-A1-A2"),  # unless the other is no description at all
        ((0.0, -100.0), (2e-4, 1e-9), (0, 1), "R0-A1"),  # below 0.03 % all describe
    ],
)
def test_the_rule_of_choice(bayes, rms, doubts, chosen):
    fits = [
        SimpleNamespace(circuit=circuit(text), bayes=b, rms=r)
        for text, b, r in zip(("R0-A1", "R0-A1-A2"), bayes, rms, strict=True)
    ]
    assert chosen_text([Tried(fit, n) for fit, n in zip(fits, doubts, strict=True)]) == chosen
