"""A fit gives back what the data were made with, as often as it says; and says what data cannot tell."""

from dataclasses import dataclass, replace

import numpy as np
import polars as pl
import pytest
from pytest import approx
from scipy.interpolate import CubicSpline

from interlith.cell.inference.calibrate import ABOVE, DETERMINED, OPEN, PRIOR, Options, calibrate
from interlith.cell.inference.likelihood import CURVE, Datum, Parameter, Problem, calibrated
from interlith.cell.inference.observe import observe
from interlith.cell.simulate import simulate
from interlith.cell_test import cell_test
from interlith.errors import InputError
from interlith.parts.part import Origin
from interlith.protocol import named

ISOLATED, REVIVAL = "host.isolated_per_stripped", "host.revival_rate_per_s"


@dataclass(frozen=True)
class Made:
    """A problem with a known model, for tests of the engine alone."""

    parameters: tuple
    model: object
    data: tuple
    sigma: float

    def residuals(self, x):
        values = np.array([p.value(float(place)) for p, place in zip(self.parameters, x, strict=True)])
        found = (np.asarray(self.model(values)) - np.array(self.data)) / self.sigma
        priors = (p.prior_residual(float(place)) for p, place in zip(self.parameters, x, strict=True))
        return np.concatenate([found, [r for r in priors if r is not None]])


QUICK = Options(n_starts=1, sampler=False)
LINE = (Parameter("a", -5.0, 5.0), Parameter("b", -5.0, 5.0))
TIMES = np.linspace(0.0, 2.0, 8)


def line(values):
    return values[0] + values[1] * TIMES


def holds(estimate, truth):
    return (estimate.low is None or estimate.low <= truth) and (estimate.high is None or truth <= estimate.high)


@pytest.mark.slow
def test_intervals_hold_the_truth_as_often_as_they_say():
    """200 draws: 95 % intervals of two correlated parameters, and of one through a curved model."""
    rng = np.random.default_rng(3)
    truth, n, hits = (1.0, -0.5), 200, np.zeros(2)
    for _ in range(n):
        data = tuple(line(truth) + 0.4 * rng.standard_normal(len(TIMES)))
        found = calibrate(Made(LINE, line, data, 0.4), QUICK)
        hits += [holds(e, t) for e, t in zip(found.estimates, truth, strict=True)]
    assert np.all((hits / n >= 0.90) & (hits / n <= 0.99)), hits / n


@pytest.mark.slow
def test_intervals_of_isolation_hold_the_truth_through_the_cell_itself():
    """200 Aurbach efficiencies of bare paper; the simulated efficiency stands in a spline of 33 simulations."""
    asked = cell_test("cp", "aurbach")
    p = Parameter(ISOLATED, 0.0, 0.2)
    grid = np.linspace(0.0, 0.2, 33)
    cells = (cell_test("cp", "aurbach", changes={ISOLATED: float(v)}).cell for v in grid)
    spline = CubicSpline(grid, [observe(simulate(c, asked.protocol), "ce_reservoir")[0] for c in cells])
    rng, truth, n, hits = np.random.default_rng(5), 0.07, 200, 0
    for _ in range(n):
        data = (float(spline(truth)) + 0.004 * rng.standard_normal(),)
        found = calibrate(Made((p,), lambda v: spline(v), data, 0.004), QUICK)
        hits += holds(found.estimates[0], truth)
    assert 0.90 <= hits / n <= 0.99


def test_profile_and_samples_agree_where_the_model_is_a_line():
    problem = Made(LINE, line, tuple(line((1.0, -0.5))), 0.4)
    found = calibrate(problem, Options(n_starts=1))
    design = np.vstack([np.ones(len(TIMES)), TIMES]).T / 0.4
    sigma = np.sqrt(np.diag(np.linalg.inv(design.T @ design)))
    for e, truth, s in zip(found.estimates, (1.0, -0.5), sigma, strict=True):
        assert e.best == approx(truth, abs=0.01)
        assert (e.low, e.high) == (approx(truth - 1.96 * s, abs=0.03 * s), approx(truth + 1.96 * s, abs=0.03 * s))
        assert e.interval_sampler == (approx(e.low, abs=0.25 * s), approx(e.high, abs=0.25 * s))
        assert e.verdict == DETERMINED
    assert found.correlation[0, 1] == approx(-0.84, abs=0.05)
    assert found.surrogate_sigma < 0.2


def test_the_same_seed_gives_the_same_answer():
    problem = Made(LINE, line, tuple(line((1.0, -0.5))), 0.4)
    one, two = (calibrate(problem, Options(n_starts=1, n_steps=300)) for _ in range(2))
    assert one.samples.equals(two.samples)
    assert one.as_dict() == two.as_dict()


def test_known_values_come_back_from_two_tests_of_two_cells():
    """Isolation shared by two cells and a porosity of one of them, from efficiencies and a thickness: end to end."""
    truth = {ISOLATED: 0.05, "host.cap_porosity": 0.8}
    data = []
    for label, protocol, names in (
        ("a", "aurbach", ("ce_reservoir", "thickness_um")),
        ("b", "strip-rate-sweep", ("ce_mean",)),
    ):
        cell = cell_test("cp", protocol, changes=truth).cell
        done = simulate(cell, named(protocol))
        for name in names:
            value = tuple(float(v) for v in observe(done, name))
            data.append(Datum(cell_test("cp", protocol), name, value, (1.0 if "um" in name else 1e-3,), label))
    parameters = (Parameter(ISOLATED, 1e-3, 0.2, "log"), Parameter("host.cap_porosity", 0.5, 0.95, cell="a"))
    found = calibrate(Problem(parameters, tuple(data)), Options(sampler=False))
    for e, value in zip(found.estimates, truth.values(), strict=True):
        assert e.best == approx(value, rel=5e-3)
        assert e.low < value < e.high
        assert e.verdict == DETERMINED
    assert found.estimates[1].parameter.label == "host.cap_porosity of a"
    assert not found.trade_offs


def test_one_efficiency_does_not_part_isolation_and_revival():
    datum = Datum(cell_test("cp-zno-002-revival"), "ce_reservoir", (0.9989,), (3e-4,), "zno")
    parameters = (Parameter(ISOLATED, 1e-4, 0.1, "log"), Parameter(REVIVAL, 1e-5, 0.1, "log"))
    found = calibrate(Problem(parameters, (datum,)), Options(n_steps=300))
    assert [e.verdict for e in found.estimates] == [OPEN, OPEN]
    assert all(e.low is None and e.high is None for e in found.estimates)
    (trade,) = found.trade_offs
    assert "trade against each other" in trade.text
    said = " ".join(found.said)
    assert "2 parameters and 1 data" in said
    assert "is not determined" in said
    for isolated, rate, _ in trade.pairs:  # and so they do: any pair along the valley fits
        cell = cell_test("cp-zno-002-revival", changes={ISOLATED: isolated, REVIVAL: rate}).cell
        assert observe(simulate(cell, named("aurbach")), "ce_reservoir")[0] == approx(0.9989, abs=2 * 3e-4)


def test_an_open_end_is_said_and_a_prior_is_not_sold_as_data():
    p = (Parameter("a", 0.0, 10.0),)
    high = calibrate(Made(p, lambda v: np.maximum(v - 5.0, 0.0), (0.0,), 1.0), QUICK)
    assert high.estimates[0].verdict == ABOVE
    assert high.estimates[0].low is None
    assert "bounded from above only" in high.said[0]
    known = (Parameter("a", 0.0, 10.0, prior_mean=5.0, prior_sigma=0.5),)
    prior = calibrate(Made(known, lambda v: 0.01 * v, (0.05,), 1.0), QUICK)
    assert prior.estimates[0].verdict == PRIOR
    assert "known by its prior" in prior.said[0]


def test_a_poor_fit_is_said():
    found = calibrate(Made(LINE, line, tuple(line((1.0, 0.0)) + np.tile([2.0, -2.0], 4)), 0.4), QUICK)
    assert any("poor fit" in text for text in found.said)


def test_a_record_is_fitted_by_its_curve():
    truth = cell_test("cp", "aurbach", changes={"cell.contact_resistance_ohm_cm2": 6.0, ISOLATED: 0.05})
    record = simulate(truth.cell, truth.protocol).record
    datum = Datum(cell_test("cp", "aurbach"), CURVE, (), (), "a", "made", record)
    parameters = (Parameter("cell.contact_resistance_ohm_cm2", 0.5, 10.0), Parameter(ISOLATED, 1e-3, 0.2, "log"))
    found = calibrate(Problem(parameters, (datum,)), QUICK)
    assert [e.best for e in found.estimates] == [approx(6.0, rel=1e-2), approx(0.05, rel=1e-2)]


def test_records_of_another_test_are_refused():
    other = cell_test("cp", "half-cell-5")
    record = simulate(other.cell, other.protocol).record
    datum = Datum(cell_test("cp", "aurbach"), CURVE, (), (), "a", "made", record)
    with pytest.raises(InputError, match="wrong test kind"):
        Problem((Parameter(ISOLATED, 0.0, 0.2),), (datum,)).residuals(np.array([0.3]))
    asked = cell_test("cp", "aurbach")
    own = simulate(asked.cell, asked.protocol).record
    lifted = replace(own, table=own.table.with_columns(pl.col("voltage_volt") + 3.0))
    datum = Datum(asked, CURVE, (), (), "a", "made", lifted)
    with pytest.raises(InputError, match="does not overlap"):
        Problem((Parameter(ISOLATED, 0.0, 0.2),), (datum,)).residuals(np.array([0.3]))


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda: Parameter("a", 1.0, 1.0), "low must be below high"),
        (lambda: Parameter("a", 0.0, 1.0, "log"), "logarithmic"),
        (lambda: Parameter("a", 0.0, 1.0, prior_mean=0.5), "both of them"),
        (lambda: Parameter("a", 0.0, 1.0, prior_mean=0.5, prior_sigma=0.0), "above 0"),
        (lambda: Datum(cell_test("cp"), "ce_cycle", (0.9,), (0.1,)), "wrong kind of test"),
        (lambda: Datum(cell_test("cp"), "ce_reservoir", (0.9,), (0.0,)), "must be above 0"),
        (lambda: Problem((), ()), "at least one"),
    ],
)
def test_what_cannot_be_meant_is_refused(make, what):
    with pytest.raises(InputError, match=what):
        make()


@pytest.mark.parametrize(("name", "what"), [("host.isolatd", "not a value"), ("hst.porosity", "begins with none of")])
def test_an_unknown_parameter_is_refused(name, what):
    with pytest.raises(InputError, match=what):
        Problem((Parameter(name, 0.1, 0.2),), (Datum(cell_test("cp"), "ce_reservoir", (0.9,), (0.1,), "a"),))


def test_the_wrong_number_of_values_is_refused():
    datum = Datum(cell_test("cp", "rest-recovery"), "recovered_mAh_per_cm2", (0.1, 0.2, 0.3), (0.1,), "a")
    with pytest.raises(InputError, match="3 values are given, but this test has 2"):
        Problem((Parameter(ISOLATED, 0.0, 0.2),), (datum,)).residuals(np.array([0.3]))


def test_a_fitted_value_carries_its_data():
    cell = calibrated(cell_test("cp-zno-002").cell, "coating.reaction_time_s", 5.0, "fitted to a sweep", (4.0, 6.0))
    expected = Origin(kind="calibrated", source="fitted to a sweep", low=4.0, high=6.0)
    assert cell.host.coating.origin("reaction_time_s") == expected
    assert cell.host.origin("porosity").kind == "derived"
    assert cell.origin("temperature_C").kind == "measured"
