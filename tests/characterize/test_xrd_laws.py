"""What must hold for any pattern: sums, scale, zero, masks; what is asked for that cannot be meant; all made up."""

import json
import math

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from interlith.characterize.diffraction.masking import masks_of, recognized, substrates_of
from interlith.characterize.diffraction.pattern import pattern
from interlith.characterize.diffraction.radiation import COPPER
from interlith.characterize.diffraction.substrates import SUBSTRATES, candidates, foreign_lines
from interlith.characterize.diffraction.synthetic_pattern import synthetic_pattern
from interlith.characterize.diffraction.texture import harris, interval, size_nm
from interlith.characterize.diffraction.wurtzite import TEXTURE_LINES, powder_lines
from interlith.characterize.diffraction.xrd import measure_xrd
from interlith.characterize.diffraction.xrd_series import measure_series
from interlith.errors import InputError
from interlith.parts.quantity import as_toml

STRONG = {"counts": 20_000.0, "size_nm": 20.0}


def coefficients(found):
    return {hkl: one["value"] for hkl, one in found.values["texture_coefficients"].items()}


def with_line(one, angle, height, width=0.12):
    """The same pattern with a foreign line, Poisson counts."""
    more = height * np.exp(-4 * np.log(2) * ((one.two_theta_deg - angle) / width) ** 2)
    counts = one.counts + np.random.default_rng(5).poisson(more)
    return pattern(one.name, one.two_theta_deg, counts)


@given(st.lists(st.floats(0, 1e6), min_size=3, max_size=9), st.floats(1e-6, 1e6))
def test_coefficients_add_up_to_n_and_know_no_scale(areas, scale):
    areas = np.array(areas)
    powder = np.linspace(100, 10, len(areas))
    if areas.sum() < 1e-9:
        return
    found = harris(areas, powder)
    assert found.sum() == pytest.approx(len(areas), rel=1e-9)
    assert harris(areas * scale, powder) == pytest.approx(found, rel=1e-9)
    assert (found <= len(areas) * (1 + 1e-12)).all()


def test_a_powder_has_ones_and_one_orientation_has_n():
    powder = np.array([57.0, 44.0, 100.0, 23.0])
    assert harris(powder * 3.7, powder) == pytest.approx(np.ones(4))
    assert harris(np.array([0.0, 9.0, 0.0, 0.0]), powder) == pytest.approx([0, 4, 0, 0])


def test_scherrer_by_hand():
    """0.9 x 0.154059 nm / (0.01 rad x cos 30 deg)."""
    by_hand = 0.9 * 0.154059 / (0.01 * math.cos(math.radians(30)))
    assert size_nm(math.hypot(math.degrees(0.01), 0.06), 0.06, 60.0, 0.154059) == pytest.approx(by_hand, rel=1e-12)
    assert size_nm(0.06, 0.06, 34.4, 0.154) == math.inf
    assert size_nm(0.05, 0.06, 34.4, 0.154) == math.inf


def test_an_interval_holds_its_value_and_its_ends():
    draws = np.random.default_rng(1).normal(1.0, 0.1, 4000)
    one = interval(1.0, draws)
    assert (one.low, one.high) == pytest.approx((0.804, 1.196), abs=0.02)
    leaning = interval(0.0, np.abs(draws - 1.0), 0.0)
    assert leaning.low == 0.0
    assert leaning.high > 0.2


@pytest.mark.parametrize("size", [8.0, 20.0, 60.0])
@pytest.mark.parametrize("texture", [{}, {"002": 4.0}, {"100": 6.0, "002": 0.2}])
def test_strong_patterns_give_back_their_truth(texture, size):
    one = synthetic_pattern(texture, counts=60_000.0, size_nm=size, seed=11)
    found = measure_xrd(one, instrument_width_deg=0.06, n_bootstrap=50)
    asked = {hkl: texture.get(hkl, 1.0) for hkl in TEXTURE_LINES}
    truth = {hkl: value * len(asked) / sum(asked.values()) for hkl, value in asked.items()}
    got = coefficients(found)
    assert got.keys() == truth.keys()
    for hkl, value in truth.items():
        assert got[hkl] == pytest.approx(value, rel=0.03, abs=0.03)
    assert found.values["crystallite_size_nm"]["value"] == pytest.approx(size, rel=0.03)
    assert found.values["reduced_chi2"] == pytest.approx(1.0, abs=0.1)
    assert sum(got.values()) == pytest.approx(7.0, rel=1e-9)
    fractions = found.values["fractions"]
    assert sum(part["value"] for part in fractions.values()) == pytest.approx(1.0, rel=1e-9)
    assert all(0 <= part["low"] <= part["value"] <= part["high"] <= 1 for part in fractions.values())


def test_scaled_counts_change_no_coefficient_and_no_size():
    """The same shape, 100 times as many counts: the same within the errors; seven times each count: the same at all."""
    one = synthetic_pattern({"002": 4.0}, **STRONG, seed=2)
    times = pattern(one.name, one.two_theta_deg, one.counts * 7.0)
    first, second = (measure_xrd(each, n_bootstrap=30) for each in (one, times))
    assert coefficients(second) == pytest.approx(coefficients(first), abs=0.01)
    size = first.values["crystallite_size_nm"]["value"]
    assert second.values["crystallite_size_nm"]["value"] == pytest.approx(size, rel=0.01)
    assert first.values["reduced_chi2"] is not None
    assert second.values["reduced_chi2"] is None


@pytest.mark.parametrize("shift", [-0.2, -0.05, 0.1, 0.25])
@pytest.mark.parametrize("size", [15.0, 80.0])
def test_a_shifted_zero_changes_nothing(shift, size):
    still, moved = (
        measure_xrd(
            synthetic_pattern({"002": 3.0}, counts=20_000.0, size_nm=size, shift_deg=by, seed=4), n_bootstrap=30
        )
        for by in (0.0, shift)
    )
    assert moved.values["shift_deg"]["value"] == pytest.approx(shift, abs=0.01)
    assert coefficients(moved) == pytest.approx(coefficients(still), abs=0.1)


def test_an_attenuator_changes_nothing_but_the_errors():
    from dataclasses import replace

    one = synthetic_pattern({"002": 4.0}, **STRONG, seed=6)
    factor = np.where(np.abs(one.two_theta_deg - 34.42) < 1.0, 50.0, 1.0)
    seen = np.where(factor > 1, np.random.default_rng(3).poisson(one.counts / factor) * factor, one.counts)
    found = measure_xrd(replace(one, counts=seen, variance_per_count=factor), n_bootstrap=60)
    plain = measure_xrd(one, n_bootstrap=60)
    assert found.values["reduced_chi2"] == pytest.approx(1.0, abs=0.15)
    assert coefficients(found)["002"] == pytest.approx(coefficients(plain)["002"], rel=0.1)
    widths = [each.values["texture_coefficients"]["002"] for each in (found, plain)]
    assert widths[0]["high"] - widths[0]["low"] > 2 * (widths[1]["high"] - widths[1]["low"])


def test_the_wide_step_and_the_narrow_agree():
    fine = synthetic_pattern({"002": 4.0}, **STRONG, seed=8)
    n = len(fine.counts) // 4 * 4
    coarse = pattern("4 added", fine.two_theta_deg[:n].reshape(-1, 4).mean(1), fine.counts[:n].reshape(-1, 4).sum(1))
    one, other = (measure_xrd(each, n_bootstrap=30) for each in (fine, coarse))
    assert coefficients(other) == pytest.approx(coefficients(one), abs=0.03)
    size = one.values["crystallite_size_nm"]["value"]
    assert other.values["crystallite_size_nm"]["value"] == pytest.approx(size, rel=0.03)


def test_the_same_seed_gives_the_same_bits_and_another_does_not():
    one = synthetic_pattern({"002": 4.0}, seed=1)
    first, again, other = (measure_xrd(one, n_bootstrap=40, seed=seed) for seed in (3, 3, 4))
    assert json.dumps(first.values) == json.dumps(again.values)
    assert first.values["texture_coefficients"] != other.values["texture_coefficients"]
    assert coefficients(first) == coefficients(other)


def test_more_counts_bring_narrower_intervals():
    widths = []
    for counts in (1_000.0, 100_000.0):
        one = measure_xrd(synthetic_pattern({"002": 4.0}, counts=counts, background=counts / 10, seed=5))
        ends = one.values["texture_coefficients"]["002"]
        widths.append(ends["high"] - ends["low"])
    assert widths[0] > 3 * widths[1]


def test_a_masked_foreign_line_is_as_none_and_an_unmasked_one_is_told():
    clean = synthetic_pattern({"002": 4.0}, **STRONG, seed=9)
    dirty = with_line(clean, 61.7, 4000.0)
    right = measure_xrd(clean, n_bootstrap=30)
    masked = measure_xrd(dirty, masks=[(61.2, 62.2, "holder")], substrate="none", n_bootstrap=30)
    wrong = measure_xrd(dirty, substrate="none", n_bootstrap=30)
    assert coefficients(masked) == pytest.approx(coefficients(right), abs=0.05)
    assert masked.values["reduced_chi2"] < 1.15
    assert any("holder (61.20 to 62.20)" in words for words in masked.said)
    assert wrong.values["reduced_chi2"] > 3
    assert any("61.7" in words and "Si 400, K-beta" in words for words in wrong.said)


def test_a_weak_foreign_line_is_told_though_chi2_is_good():
    one = with_line(synthetic_pattern({"002": 4.0}, **STRONG, seed=9), 54.3, 60.0)
    found = measure_xrd(one, substrate="none", n_bootstrap=30)
    assert found.values["reduced_chi2"] < 1.5
    assert any("standard errors at 54." in words and "something else" in words for words in found.said)


@pytest.mark.parametrize("substrate", ["copper", "aluminium", "nickel", "stainless steel", "graphite"])
def test_foils_are_recognized_named_and_masked(substrate):
    one = synthetic_pattern({"002": 4.0}, **STRONG, range_deg=(20.0, 90.0, 0.02), seed=10)
    for line in foreign_lines(substrate, COPPER):
        one = with_line(one, line.two_theta_deg + 0.05, 8000.0 if "K-beta" not in line.name else 40.0)
    assert recognized(one) == (substrate,)
    found = measure_xrd(one, n_bootstrap=30)
    assert any(substrate[:4] in mask["name"] or "C 002" in mask["name"] for mask in found.values["masks"])
    assert found.values["preferred"] == "002"
    assert found.values["reduced_chi2"] < 1.3


def test_a_beta_line_of_a_foil_on_002_is_told_and_not_masked():
    found = measure_xrd(synthetic_pattern({"002": 4.0}, **STRONG, seed=1), substrate="aluminium", n_bootstrap=30)
    assert "002" in found.values["lines"]
    assert any("aluminium 111, K-beta lies at 34.6" in words and "(002)" in words for words in found.said)


def test_broad_carbon_is_of_nanotubes():
    one = synthetic_pattern({"002": 4.0}, **STRONG, range_deg=(15.0, 80.0, 0.02), seed=10)
    one = with_line(one, 26.1, 400.0, width=1.8)
    assert recognized(one) == ("nanotubes",)
    assert measure_xrd(one, n_bootstrap=30).values["reduced_chi2"] < 1.3


def test_clean_coatings_are_on_nothing():
    for seed, texture in enumerate(({}, {"002": 10.0}, {"201": 8.0}, {"112": 6.0})):
        assert recognized(synthetic_pattern(texture, **STRONG, range_deg=(20.0, 90.0, 0.02), seed=seed)) == ()


def test_several_substrates_and_names_that_are_not_known():
    one = synthetic_pattern({}, seed=1)
    both = masks_of(one, None, substrates_of(one, "copper + graphite"))
    assert {mask.name.split()[0] for mask in both} >= {"copper", "C"}
    with pytest.raises(InputError, match="Did you mean copper"):
        measure_xrd(one, substrate="coper")
    assert all(foreign_lines(name, COPPER) for name in SUBSTRATES)
    assert candidates(20.5, COPPER) == []


def test_lines_as_narrow_as_the_instrument_bound_the_size():
    one = synthetic_pattern({"002": 3.0}, counts=3000.0, size_nm=2000.0, seed=3)
    found = measure_xrd(one, n_bootstrap=60)
    assert found.values["crystallite_size_nm"] is None
    assert 20 < found.values["crystallite_size_above_nm"] < 2000
    assert "above" in found.headline
    assert not [one for one in found.quantities if one.name == "crystallite_size_nm"]
    assert any("lower bound" in words for words in found.said)


def test_the_assumed_instrument_width_widens_the_size():
    one = synthetic_pattern({"002": 3.0}, **STRONG, seed=3)
    assumed, stated = (measure_xrd(one, instrument_width_deg=width) for width in (None, 0.06))
    ends = [each.values["crystallite_size_nm"] for each in (assumed, stated)]
    assert ends[0]["value"] == pytest.approx(ends[1]["value"], rel=1e-6)
    assert ends[0]["high"] - ends[0]["low"] > ends[1]["high"] - ends[1]["low"]
    assert any("assumed" in words for words in assumed.said)
    assert not any("assumed: 0.06" in words for words in stated.said)


def test_noise_alone_has_no_texture():
    angles = np.arange(25.0, 72.0, 0.02)
    for seed in range(12):
        flat = pattern("noise", angles, np.random.default_rng(seed).poisson(40.0, len(angles)))
        found = measure_xrd(flat, n_bootstrap=30)
        assert found.values["texture_coefficients"] is None
        assert found.quantities == ()
        assert "theta" in found.headline


def test_too_few_lines_have_no_texture_and_say_so():
    one = synthetic_pattern({"002": 4.0}, **STRONG, range_deg=(30.4, 35.6, 0.01), seed=1)
    found = measure_xrd(one, n_bootstrap=30)
    assert found.values["texture_coefficients"] is None
    assert "2 lines can be seen" in found.headline
    none = synthetic_pattern({"002": 4.0}, **STRONG, seed=1)
    nothing = measure_xrd(none, masks=[(25.0, 72.0)])
    assert "no line of ZnO lies between" in nothing.headline
    assert nothing.values["n_lines"] == 0


def test_which_lines_are_counted_is_said_and_can_be_chosen():
    one = synthetic_pattern({"002": 4.0}, **STRONG, seed=1)
    found = measure_xrd(one, lines=("100", "002", "101", "200"), n_bootstrap=30)
    assert found.values["lines"] == ["100", "002", "101", "200"]
    assert sum(coefficients(found).values()) == pytest.approx(4.0)
    assert any("second order of 100" in words for words in found.said)
    assert "over the 4 lines 100, 002, 101, 200" in found.headline
    assert found.quantities[0].source.endswith("/ 4 over 100, 002, 101, 200")


def test_the_text_that_goes_into_a_recipe():
    found = measure_xrd(synthetic_pattern({"002": 4.0}, **STRONG, seed=1), n_bootstrap=30)
    text = as_toml(found.quantities)
    assert text.startswith("# recipe\n[measured]\n")
    assert text.count("fraction_") == 7
    assert "crystallite_size_nm = {" in text
    assert json.loads(json.dumps(dict(found.values))) == dict(found.values)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"lines": ("100", "002")}, "3 or more"),
        ({"lines": ("100", "002", "999")}, "'999' is not one of"),
        ({"instrument_width_deg": 0.0}, "between 0 and 2"),
        ({"instrument_width_deg": float("nan")}, "between 0 and 2"),
        ({"n_bootstrap": 3}, "20 to"),
        ({"seed": -1}, "0 or more"),
        ({"masks": [(30.0, 20.0)]}, "the lower first"),
        ({"masks": [(float("nan"), 20.0)]}, "the lower first"),
        ({"substrate": "moon rock"}, "one of silicon"),
    ],
)
def test_options_that_cannot_be_meant(options, said):
    with pytest.raises(InputError, match=said):
        measure_xrd(synthetic_pattern({}, seed=1), **options)


def test_a_series_holds_what_each_pattern_gave():
    ones = [
        (f"point {i}", measure_xrd(synthetic_pattern({"002": 4.0}, **STRONG, seed=i), n_bootstrap=30)) for i in (1, 2)
    ]
    series = measure_series(ones)
    table = series.tables["xrd-series"]
    assert table.height == 14
    for name, one in ones:
        rows = table.filter(name=name)
        assert dict(zip(rows["hkl"], rows["texture_coefficient"], strict=True)) == coefficients(one)
    assert series.values["comparable"]
    assert series.headline.startswith("2 patterns: TC(002)")
    other = measure_xrd(synthetic_pattern({}, **STRONG, seed=3), lines=("100", "002", "101"), n_bootstrap=30)
    assert not measure_series([*ones, ("other", other)]).values["comparable"]
    with pytest.raises(InputError, match="at least one"):
        measure_series([])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    counts=st.floats(10, 1e5),
    background=st.floats(0.05, 1e4),
    size=st.floats(3, 500),
    first=st.floats(15, 33),
    span=st.floats(6, 80),
    step=st.sampled_from([0.01, 0.03, 0.1]),
    seed=st.integers(0, 1000),
)
@example(counts=119.0, background=222.0, size=50.0, first=24.5, span=14.0, step=0.1, seed=16)
def test_any_pattern_gives_finite_numbers_or_none(counts, background, size, first, span, step, seed):
    try:
        one = synthetic_pattern(
            {"002": 3.0},
            counts=counts,
            background=background,
            size_nm=size,
            range_deg=(first, min(first + span, 95.0), step),
            seed=seed,
        )
    except InputError:
        return
    found = measure_xrd(one, n_bootstrap=20)
    text = json.dumps(dict(found.values))
    assert "NaN" not in text
    assert "Infinity" not in text
    held = found.values.get("texture_coefficients")
    if held:
        assert sum(part["value"] for part in held.values()) == pytest.approx(len(held), rel=1e-9)
        assert all(part["low"] <= part["value"] <= part["high"] for part in held.values())
    assert len(powder_lines(one.radiation)) == 13
