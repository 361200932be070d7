"""The held-out table: its draws, its fits, its verdicts; and that nothing fitted is sold as predicted."""

import json
from dataclasses import replace
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from interlith.cell.inference import held_out as table
from interlith.cell.inference.held_out import FITTED, Row, held_out
from interlith.cell.inference.observe import observe
from interlith.cell.simulate import simulate
from interlith.cell_test import changed
from interlith.errors import InputError
from interlith.parts.listing import parameters
from interlith.parts.samples import aurbach_efficiency, half_cell
from interlith.protocol import named


@pytest.fixture(scope="module")
def rows():
    return held_out(1, seed=3)


def test_every_result_of_the_list_has_its_row(rows):
    assert len(rows) >= 15
    asked = (
        "5 mA/cm2",
        "0.5 mAh/cm2",
        "overflow",
        "1 mAh/cm2",
        "200 cycles",
        "symmetric",
        "anode-free",
        "NCM811",
        "pouch",
    )
    for word in asked:
        assert any(word in row.quantity for row in rows), word
    for row in rows:
        assert row.low <= row.predicted <= row.high
        assert row.reason


def test_misses_stay(rows):
    """What the model is known not to explain must come out as a miss, whatever is assumed."""
    by_name = {row.quantity: row for row in rows}
    assert by_name["life of CP at 5 mA/cm2, 1 mAh/cm2"].within is False
    assert by_name["anode-free, capacity left after 5 cycles"].within is False


def test_a_draw_changes_what_is_assumed_within_its_range_and_nothing_else():
    cell = half_cell("cp-zno-002")
    drawn = table._drawn(cell, "", 1, 4, 7)
    changed = 0
    for before, after in zip(parameters(cell), parameters(drawn), strict=True):
        if before["kind"] == "assumed" and before["low"] is not None and isinstance(before["value"], float):
            assert before["low"] <= after["value"] <= before["high"]
            changed += after["value"] != before["value"]
        else:
            assert after["value"] == before["value"], before["name"]
    assert changed > 15


def test_draws_fill_every_stratum_of_every_range():
    shares = sorted(table._quantile("host.porosity", draw, 8, 1) for draw in range(8))
    assert shares == pytest.approx((np.arange(8) + 0.5) / 8)
    assert table._quantile("working.foil.host.porosity", 2, 8, 1) == table._quantile("host.porosity", 2, 8, 1)


@pytest.mark.parametrize("name", list(FITTED))
def test_what_is_fitted_is_fitted_anew_in_every_draw(name):
    cell = table._drawn(half_cell(name), "", 0, 3, 5)
    value = table._fitted(name, cell)
    assert value is not None
    done = simulate(changed(cell, FITTED[name][0], value), named("aurbach"))
    loss = 1 - observe(done, "ce_reservoir")[0]
    assert loss == pytest.approx(1 - aurbach_efficiency(name), rel=2e-3)


def test_a_draw_that_cannot_meet_the_efficiency_is_dropped():
    cell = half_cell("cp-zno-002").working.with_values(sei_per_plated=0.1)
    assert table._fitted("cp-zno-002", half_cell(cell)) is None


def test_thickness_at_five_is_not_predicted_with_the_value_fitted_to_it():
    cells = table._cells("cp")
    assert cells["blind"].working.cap_porosity != cells["half"].working.cap_porosity
    assert cells["blind"].working.origin("cap_porosity").kind == "assumed"


def test_a_bound_is_within_when_it_is_reached():
    row = Row("life", "cycles", 180.0, True, 100.0, 50.0, 200.0, 8, "why")
    assert row.within is True
    assert replace(row, high=150.0).within is False
    assert replace(row, at_least=False, low=190.0).within is False
    assert replace(row, paper=None).within is None


def test_the_same_seed_gives_the_same_draw():
    one, again, other = (table._drawn(half_cell("cp"), "", 0, 4, seed) for seed in (1, 1, 2))
    assert one == again
    assert one != other


def test_no_draws_are_refused():
    with pytest.raises(InputError, match="at least 1"):
        held_out(0)


def test_every_row_of_the_file_names_what_exists():
    text = resources.files("interlith.cell.inference").joinpath("shipped", "held-out.toml").read_text(encoding="utf-8")
    assert "doi:10.1038/s41467-025-60609-4" in text
    for case in table._cases():
        assert case.test in table.TESTS
        assert set(case.samples) <= set(FITTED)


def test_rows_are_plain_json(rows):
    assert json.loads(json.dumps([vars(row) for row in rows]))


def test_the_page_has_the_rows_of_the_file():
    page = (Path(__file__).parents[2] / "docs" / "understand" / "held-out.md").read_text(encoding="utf-8")
    lines = {line.split("|")[1].strip(): line for line in page.splitlines() if line.startswith("| ")}
    for case in table._cases():
        assert case.reason in lines[case.quantity]
        assert case.paper is None or f" {case.paper:g}" in lines[case.quantity].split("|")[2]
