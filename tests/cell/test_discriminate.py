"""How many cells tell two rivals apart: the formula against coin tosses, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest
from pytest import approx

from interlith.cell.inference.discriminate import ALL, discriminate, needed
from interlith.cell.inference.likelihood import Parameter
from interlith.cell.inference.nearest import Measured, Near
from interlith.cell.inference.noise import errors
from interlith.cell.inference.rivals import Prediction, Question, Rival
from interlith.cell.inference.rivals_file import read_rivals
from interlith.cell_test import cell_test
from interlith.errors import InputError
from interlith.protocol import named


def near(difference, common, each):
    m = len(difference)
    measured = Measured(("t",), np.zeros(m), errors(m, common, (), each))
    return Near(measured, [Prediction(np.array([0.5]), {"t": np.array(difference)}, np.zeros(0))])


def test_cells_needed_are_those_of_the_formula():
    assert near([1.0], (), 1.0).least_n(3.29) == 11  # n >= 3.29^2
    assert near([1.0], (0.2,), 1.0).least_n(3.29) == 20  # 1 / (0.04 + 1 / n) >= 3.29^2
    assert near([1.0], (0.4,), 1.0).least_n(3.29) is None  # 1 / 0.16 < 3.29^2
    assert near([1.0, 1.0], (0.4,), 1.0).least_n(3.29) is None  # a common error hits both values alike
    assert near([1.0, -1.0], (0.4,), 1.0).least_n(3.29) == 6  # not their difference


def test_a_decision_with_so_many_cells_is_right_as_often_as_asked():
    """Likelihood ratio on 20000 made measurements, in both directions."""
    n = near([0.5, 1.0], (0.1,), 1.0).least_n(3.29)
    made = errors(2, (0.1,), (), 1.0).covariance(n)
    rng, inverse, b = np.random.default_rng(1), np.linalg.inv(made), np.array([0.5, 1.0])
    for truth, sign in ((np.zeros(2), 1.0), (b, -1.0)):
        data = rng.multivariate_normal(truth, made, 20000)
        from_a = np.einsum("ij,jk,ik->i", data, inverse, data)
        from_b = np.einsum("ij,jk,ik->i", data - b, inverse, data - b)
        assert np.mean(sign * (from_b - from_a) > 0) >= 0.945


def small(tests=("rest-recovery",), **changes):
    """Two rivals with one free value each."""
    asked = read_rivals("reference").question
    rivals = []
    for rival in asked.rivals:
        wanted = "rate_per_s" if rival.name == "revival" else "isolated_per_stripped"
        kept = [k for k, p in enumerate(rival.parameters) if p.name.endswith(wanted)]
        parameters = tuple(replace(rival.parameters[k]) for k in kept)
        if parameters[0].name.endswith("rate_per_s"):
            parameters = (Parameter(parameters[0].name, 1e-4, 2.5e-3, "log"),)
            place = parameters[0].place(rival.parameters[kept[0]].value(float(rival.truth[kept[0]])))
            rivals.append(Rival(rival.name, rival.study, parameters, np.array([place])))
        else:
            rivals.append(Rival(rival.name, rival.study, parameters, rival.truth[kept]))
    chosen = tuple(t for t in asked.tests if t.name in tests)
    return replace(asked, rivals=tuple(rivals), tests=chosen, **changes)


@pytest.mark.slow
def test_a_rest_parts_slow_revival_from_less_isolation_and_the_efficiency_does_not():
    found = discriminate(small(("aurbach", "rest-recovery")))
    by_tests = {v.tests: v for v in found.verdicts}
    assert by_tests["aurbach",].n_cells is None
    assert by_tests["aurbach",].worse.limit < 1.0
    rest = by_tests["rest-recovery",]
    assert rest.n_cells is not None
    assert rest.n_cells <= 6
    both = by_tests["aurbach", "rest-recovery"]
    assert both.worse.n <= rest.worse.n  # a further test never needs more cells of each
    low, high = rest.at_ends[ALL]
    assert low <= rest.n_cells
    assert high is None or high >= rest.n_cells
    assert found.as_dict()["tests"][0]["possible"]


def test_more_sure_needs_a_larger_distance():
    assert needed(small()) == approx(3.29, abs=0.01)
    assert needed(small(accuracy=0.99)) == approx(4.65, abs=0.01)


def test_a_refuted_rival_is_no_rival():
    question = small()
    wrong = replace(question.rivals[0], study=cell_test("cp"))
    with pytest.raises(InputError, match=r"rival less isolation: .* sigma from what is known already"):
        discriminate(replace(question, rivals=(wrong, question.rivals[1])))


def test_a_rival_that_cannot_run_a_test_is_named():
    question = small()
    thin = cell_test("cp-zno-002", changes={"counter.thickness_um": 3.0})
    dead = replace(question.rivals[0], study=thin)
    with pytest.raises(InputError, match="rival less isolation cannot run test rest-recovery"):
        discriminate(replace(question, rivals=(dead, question.rivals[1]), known=()))


def test_a_test_that_cannot_give_what_is_read_in_it_is_refused():
    question = small()
    wrong = replace(question.tests[0], protocol=named("aurbach"))
    with pytest.raises(InputError, match="wrong kind of test"):
        Question(question.rivals, (wrong,), ())
