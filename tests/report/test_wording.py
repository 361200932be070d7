"""Words and numbers: the digits that an uncertainty allows, units in labels, one sentence for a file."""

import doctest
from pathlib import Path

import pytest

from interlith.cycling import present
from interlith.cycling.analyze import analyze
from interlith.cycling.synthetic import examples
from interlith.report import cycle_plots, figures, headline, sketch, wording


@pytest.mark.parametrize("module", [wording, headline, sketch, figures, cycle_plots])
def test_examples_in_the_docstrings_run(module):
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("lost_mAh_per_cm2", "lost (mAh cm⁻²)"),
        ("reference_mAh_per_g", "reference (mAh g⁻¹)"),
        ("real_at_lowest_first_ohm", "real at lowest first (Ω)"),
        ("first_short_h", "first short (h)"),
        ("efficiency_of_cycled_charge", "efficiency of cycled charge (%)"),
        ("formula_of_cycled_charge", "formula of cycled charge"),
        ("efficiency_below_90_percent", "efficiency below 90 percent"),
        ("cycles_per_capacity_of_excess", "cycles per capacity of excess"),
        ("dead_lithium_mAh", "dead lithium (mAh)"),
        ("sei_mAh", "SEI (mAh)"),
        ("whole_Wh_per_kg", "whole (Wh kg⁻¹)"),
        ("lithium_um", "lithium (µm)"),
        ("n_to_p", "N/P"),
        ("g_per_Ah", "E/C (g Ah⁻¹)"),
    ],
)
def test_labels(key, words):
    assert wording.label(key) == words


@pytest.mark.parametrize(
    ("key", "value", "uncertainty", "text"),
    [
        ("efficiency", 0.9989, 0.004416, "99.89"),
        ("efficiency", 0.99893, 0.000044, "99.8930"),
        ("efficiency", 0.99999, None, "99.9990"),
        ("loss", 0.0011, 0.004416, "0.11"),
        ("uncertainty_k2", 0.004416, 0.004416, "0.44"),
        ("difference", -6.25e-06, None, "−0.0006"),
        ("retention", 1.0, None, "100"),
        ("reservoir_mAh", 3.393, None, "3.393"),
        ("tester_mAh", 67457.178, None, "67\u202f457"),
        ("own_mAh", 1.5e-7, None, "1.5 × 10⁻⁷"),
        ("n_points", 76807, None, "76\u202f807"),
        ("n_events", 0, None, "0"),
        ("sei_mAh", [0.0, 0.118], None, "0 to 0.118"),
        ("evidence", ["one", "two"], None, "one; two"),
        ("formation_efficiencies", [], None, "none"),
        ("first_is_transient", True, None, "yes"),
        (
            "short",
            {"state": "not reached in 9 cycles", "rule": "first sign"},
            None,
            "not reached in 9 cycles (first sign)",
        ),
        ("short", {"state": "reached", "cycle": 21, "rule": "first sign"}, None, "cycle 21 (first sign)"),
        ("reference_mAh_per_cm2", None, None, "not known"),
    ],
)
def test_values(key, value, uncertainty, text):
    assert wording.text_of(key, value, uncertainty) == text


def test_headlines_of_the_four_synthetic_tests():
    found = {e.name: headline.headline(present.summary(analyze(e.record), Path(e.name))) for e in examples()}
    assert found["reservoir"] == (
        "Reservoir efficiency 99.89 % ± 0.44 % (k = 2, offset assumed): "
        "not significant: the loss is smaller than its uncertainty, if the assumed offset holds"
    )
    assert found["efficiency"].startswith("Mean efficiency of 100 cycles 97.72 % ± 0.43 % (k = 2, offset assumed)")
    assert "erratic from cycle" in found["efficiency"]
    assert "rose again later: polarization from 50 to 19.8 mV" in found["symmetric"]
    assert "capacity retention 90.66 % at cycle 50 against cycle 1" in found["full"]


@pytest.mark.parametrize(
    "kind", ["reservoir", "efficiency", "full", "anode-free", "symmetric", "eis", "cv", "unknown", None]
)
def test_a_headline_for_every_kind_even_without_results(kind):
    assert headline.headline({"kind": kind, "results": {}})


def test_a_bound_is_told_where_there_is_no_value():
    result = {"why_not": "the reservoir was used up", "efficiency_at_most": 0.95}
    said = headline.headline({"kind": "reservoir", "results": {"reservoir": result}})
    assert said == "Reservoir efficiency: none (at most 95.00 %): the reservoir was used up"
