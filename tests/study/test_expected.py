"""The table: deviation, kind and verdict of each row, and that nothing calibrated is called predicted."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as some

from interlith.expected import rows
from interlith.study import Expected, StudyFile, read_study
from interlith.written import File

PARAMETERS = [
    {"name": "isolated", "kind": "calibrated", "source": "fitted to the Aurbach efficiency 91.62 % of somebody (2025)"},
    {"name": "loading", "kind": "calibrated", "source": "fitted to 12.41 wt% and 80.6 um"},
    {"name": "area", "kind": "assumed", "source": "judgement: 55.5 perhaps"},
]


def study_with(tmp_path, *expected):
    made = read_study("li-cu")
    asked = StudyFile.model_validate({"tests": {"a": {"sample": "cu"}}, "source": "a paper", "expect": list(expected)})
    return replace(made, asked=asked, file=File("a.toml", "", tmp_path), top=())


def row_of(tmp_path, summary, **expected):
    study = study_with(tmp_path, {"quantity": "q", **expected})
    return rows(study, {("tests", "a"): {"parameters": PARAMETERS, **summary}}, {})[0]


@given(paper=some.floats(0.01, 1e6), factor=some.floats(0.1, 10.0), tolerance=some.floats(0.0, 1.0))
def test_within_is_the_tolerance(tmp_path_factory, paper, factor, tolerance):
    row = row_of(
        tmp_path_factory.getbasetemp(),
        {"x": paper * factor},
        paper=paper,
        ours="tests > a > x",
        tolerance=tolerance,
    )
    assert row.deviation == pytest.approx(factor - 1.0, abs=1e-9)
    assert row.within == (abs(row.deviation) <= tolerance)


@given(loss=some.floats(1e-6, 0.5), factor=some.floats(0.1, 10.0))
def test_a_fraction_near_one_is_compared_by_its_loss(tmp_path_factory, loss, factor):
    row = row_of(
        tmp_path_factory.getbasetemp(),
        {"x": 1.0 - loss * factor},
        paper=1.0 - loss,
        ours="tests > a > x",
        is_loss=True,
    )
    assert row.deviation == pytest.approx(factor - 1.0, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize(
    ("paper", "kind"),
    [
        (0.9162, "calibrated"),
        (80.6, "calibrated"),
        (0.1241, "calibrated"),
        (55.5, "predicted"),
        (91.63, "predicted"),
        (2025.0, "calibrated"),
    ],
)
def test_what_was_fitted_to_the_number_is_calibrated(tmp_path, paper, kind):
    """Even 2025, a year: too much is called calibrated rather than too little."""
    assert row_of(tmp_path, {"x": 1.0}, paper=paper, ours="tests > a > x").kind == kind


def test_no_word_in_the_file_makes_a_fitted_number_predicted(tmp_path):
    row = row_of(tmp_path, {"x": 1.0}, paper=0.9162, ours="tests > a > x", kind="predicted")
    assert row.kind == "calibrated"


@pytest.mark.parametrize(
    ("bound", "held", "within"),
    [
        ("least", {"predicted": 5.0, "low": 1.0, "high": 12.0}, True),
        ("least", {"predicted": 5.0, "low": 1.0, "high": 9.0}, False),
        ("most", {"predicted": 15.0, "low": 11.0, "high": 12.0}, False),
        ("most", {"predicted": 15.0, "low": 9.0, "high": 12.0}, True),
        (None, {"predicted": 5.0, "low": 9.0, "high": 12.0}, True),
        (None, {"predicted": 10.0, "low": 11.0, "high": 12.0}, False),
    ],
)
def test_a_span_says_whether_the_number_lies_in_it(tmp_path, bound, held, within):
    row = row_of(tmp_path, {"x": held}, paper=10.0, ours="tests > a > x", bound=bound)
    assert row.within is within
    assert (row.low, row.high) == (held["low"], held["high"])


def test_words_ranges_and_ratios(tmp_path):
    assert row_of(tmp_path, {"x": "002"}, paper="002", ours="tests > a > x").within is True
    assert row_of(tmp_path, {"x": "202"}, paper="002", ours="tests > a > x").within is False
    assert row_of(tmp_path, {"x": 7.0}, paper=[5.0, 10.0], ours="tests > a > x").within is True
    assert row_of(tmp_path, {"x": 4.0}, paper=[5.0, 10.0], ours="tests > a > x").within is False
    found = row_of(tmp_path, {"x": 4.0, "y": 8.0}, paper=0.5, ratio=["tests > a > x", "tests > a > y"])
    assert (found.ours, found.within) == (0.5, True)
    assert row_of(tmp_path, {"x": 4.0, "y": 0.0}, paper=0.5, ratio=["tests > a > x", "tests > a > y"]).ours is None


def test_a_place_that_is_not_there_is_told_in_the_row(tmp_path):
    row = row_of(tmp_path, {"ledger": {"sei": 1.0}}, paper=1.0, ours="tests > a > ledger > se")
    assert (row.ours, row.within) == (None, None)
    assert "it has sei" in row.reason


def test_a_stage_that_failed_is_told_in_its_rows(tmp_path):
    study = study_with(tmp_path, {"quantity": "q", "paper": 1.0, "ours": "tests > a > x"})
    row = rows(study, {}, {("tests", "a"): "no lithium"})[0]
    assert (row.ours, row.within) == (None, None)
    assert "no lithium" in row.reason


def test_an_audit_brings_its_own_words(tmp_path):
    audits = [{"name": "rated", "text": "they do not close", "numbers": {"mAh": 1479.0}}]
    row = row_of(tmp_path, {"audits": audits}, paper=1400.0, ours="tests > a > audits > rated > numbers > mAh")
    assert (row.kind, row.within, row.reason) == ("audit", False, "they do not close")


@pytest.mark.parametrize(
    "wrong", [{"paper": True}, {"paper": float("nan")}, {"paper": [1.0]}, {"ours": None}, {"bound": "least"}]
)
def test_rows_that_cannot_be_meant_are_refused(wrong):
    with pytest.raises(ValueError):
        Expected.model_validate({"quantity": "q", "ours": "tests > a > x", **wrong})
