"""Draws, sensitivity and reconciliation: against distributions with a known answer, and the reference pouch."""

import numpy as np
import pytest
from scipy import stats

from interlith.errors import InputError
from interlith.parts.part import Origin
from interlith.pouch.bill import bill
from interlith.pouch.design_file import changed_design, read_design
from interlith.pouch.reconcile import published_totals, reconcile
from interlith.pouch.sensitivity import sensitivity
from interlith.pouch.uncertainty import Spread, draw, space, summary, without_range

POUCH = read_design("reference-pouch")
SPACE = space(POUCH)
DRAWS = draw(SPACE, 200_000)


@pytest.mark.parametrize(
    ("distribution", "judge"),
    [
        ("uniform", stats.uniform(1.0, 4.0)),
        ("triangular", stats.triang(0.25, 1.0, 4.0)),
        ("normal", stats.truncnorm(-stats.norm.ppf(0.975), stats.norm.ppf(0.975), 3.0, 2.0 / stats.norm.ppf(0.975))),
    ],
)
def test_distributions_have_their_quantiles(distribution, judge):
    spread = Spread("x", 2.0, Origin(kind="assumed", source="", low=1.0, high=5.0, distribution=distribution))
    share = np.linspace(0.001, 0.999, 97)
    assert np.allclose(spread.at(share), judge.ppf(share), rtol=1e-6)


def test_choices_are_as_probable_as_each_other():
    spread = Spread("x", "a", Origin(kind="assumed", source="", choices=("a", "b", "c")))
    found = spread.at((np.arange(3000) + 0.5) / 3000)
    assert [int((found == name).sum()) for name in "abc"] == [1000, 1000, 1000]


def test_the_prior_of_the_reference_pouch():
    """Prior 357 Wh/kg (338 to 378), 3 % of it at 380 or more: drawn elsewhere, over ranges that differ a little."""
    found = summary(DRAWS.outputs["whole_Wh_per_kg"])
    assert found.median == pytest.approx(357, abs=4)
    assert found.p5 == pytest.approx(338, abs=4)
    assert found.p95 == pytest.approx(378, abs=4)
    assert 0.01 < float((DRAWS.outputs["whole_Wh_per_kg"] >= 380).mean()) < 0.05


def test_draws_without_any_range_are_the_bill():
    fixed = {spread.name: spread.value for spread in SPACE.spreads}
    where = space(changed_design(POUCH, fixed))
    assert where.spreads == ()
    found = draw(where, 9)
    for i, (reading, cell) in enumerate(list(changed_design(POUCH, fixed).readings)[:3]):
        here = found.outputs["whole_Wh_per_kg"][found.reading == i]
        assert reading.name == where.readings[i]
        if here.size:
            assert np.allclose(here, float(bill(cell).specific_energy_Wh_per_kg["whole"]), rtol=1e-12)


def test_readings_are_drawn_in_equal_shares():
    assert np.allclose(np.bincount(DRAWS.reading) / DRAWS.n, 1 / 3, atol=1e-3)


def test_what_a_reading_sets_is_not_drawn():
    shares = np.full((len(SPACE.spreads), 4), 0.9)
    cell, drawn = SPACE.cell(SPACE.readings.index("R2"), shares)
    assert "electrolyte.basis" not in drawn
    assert cell.electrolyte.basis == "delivered"
    other, drawn = SPACE.cell(SPACE.readings.index("R1"), shares)
    assert drawn["electrolyte.basis"].tolist() == ["rated"] * 4
    assert other.electrolyte.basis is drawn["electrolyte.basis"]


def test_one_at_a_time_is_as_worked_out_by_hand():
    swings = {swing.name: swing.swing_Wh_per_kg for swing in sensitivity(SPACE, n_sobol=0)}
    by_hand = {
        "materials.ncm90.specific_capacity_mAh_per_g": 18,
        "reading": 15,
        "case.tabs.width_mm": 14,
        "case.tabs.length_mm": 12,
        "case.laminate.areal_mass_mg_per_cm2": 9,
        "electrolyte.basis": 4.5,
        "negative.lithium.on_outer_faces": 2.3,
        "negative.foil.areal_mass_mg_per_cm2": 2.2,
        "stack.n_separators": 2.0,
        "negative.host.on_outer_faces": 1.4,
    }
    for name, wanted in by_hand.items():
        assert swings[name] == pytest.approx(wanted, rel=0.08, abs=0.1), name
    assert swings["positive.coating.porosity"] == 0.0


def test_sobol_indices_share_the_variance():
    """Nearly additive: first orders sum to about 1; against the squared correlation of plain draws."""
    swings = {swing.name: swing for swing in sensitivity(SPACE)}
    assert sum(swing.first_order for swing in swings.values()) == pytest.approx(1.0, abs=0.06)
    whole = DRAWS.outputs["whole_Wh_per_kg"]
    for name in ("materials.ncm90.specific_capacity_mAh_per_g", "case.tabs.width_mm", "case.tabs.length_mm"):
        squared = np.corrcoef(DRAWS.inputs[name], whole)[0, 1] ** 2
        assert swings[name].first_order == pytest.approx(squared, abs=0.03), name


def test_reconciled_with_what_was_published():
    """Given 380 +- 1 and 424 +- 1.5: R1 .91, R2 0, R3 .09; 223.6 +- 3.4 mAh/g, 3.846 +- 0.025 V; rated basis .69."""
    found = reconcile(SPACE, draw(SPACE, 1_000_000), published_totals([380.0, 424.0]))
    rows = {row.name: row for row in found.posteriors}
    assert found.readings["R1"] == pytest.approx(0.91, abs=0.06)
    assert found.readings["R2"] < 0.001
    capacity = rows["materials.ncm90.specific_capacity_mAh_per_g"]
    assert capacity.posterior_mean == pytest.approx(223.6, abs=3.4)
    assert capacity.posterior_sd == pytest.approx(3.4, abs=1.0)
    assert found.mean_voltage_V.posterior_mean == pytest.approx(3.846, abs=0.025)
    assert rows["electrolyte.basis = rated"].posterior_mean == pytest.approx(0.69, abs=0.12)
    assert found.probability_a_priori == pytest.approx(0.03, abs=0.015)
    assert found.is_reliable
    assert rows["negative.lithium.on_outer_faces = no"].prior_mean == pytest.approx(0.5, abs=0.01)
    assert rows["negative.lithium.on_outer_faces = no"].posterior_mean == pytest.approx(0.67, abs=0.05)
    assert rows["stack.n_separators = 12"].prior_mean == pytest.approx(1 / 3, abs=0.01)


def test_weights_do_what_bayes_says():
    """One uniform quantity and one number: the posterior is that number's own, cut by the range."""
    fixed = {s.name: s.value for s in SPACE.spreads if s.name != "case.tape_g"}
    where = space(changed_design(POUCH, {**fixed}))
    only = type(where)(where.readings[:1], where.cells[:1])
    drawn = draw(only, 200_000)
    target = float(np.median(drawn.outputs["whole_Wh_per_kg"]))
    found = reconcile(only, drawn, {"whole_Wh_per_kg": target})
    slope = np.polyfit(drawn.inputs["case.tape_g"], drawn.outputs["whole_Wh_per_kg"], 1)[0]
    tape = found.posteriors[0]
    half = 0.04 * abs(slope)
    judge = stats.truncnorm(-half, half).std() / abs(slope)
    assert tape.posterior_sd == pytest.approx(judge, rel=0.01)
    assert tape.posterior_mean == pytest.approx(0.06, abs=0.001)


@pytest.mark.parametrize("numbers", [[], [380.0, 424.0, 436.0], [-1.0], [float("nan")], [424.0, 380.0]])
def test_totals_that_cannot_be(numbers):
    with pytest.raises(InputError):
        published_totals(numbers)


def test_a_claim_beyond_reach_is_refused():
    with pytest.raises(InputError, match="cannot be what was published"):
        reconcile(SPACE, DRAWS, published_totals([711.0]))


def test_assumed_without_a_range_is_named():
    assert without_range(POUCH.cell) == ["case.laminate.thickness_um", "case.most_depth_mm"]
