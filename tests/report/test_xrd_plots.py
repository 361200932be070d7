"""Figures of diffraction draw exactly what the tables hold, and nothing where there is nothing."""

import itertools

import numpy as np
import polars as pl
import pytest

from interlith.characterize.diffraction.synthetic_pattern import synthetic_pattern
from interlith.characterize.diffraction.xrd import measure_xrd
from interlith.characterize.diffraction.xrd_series import measure_series
from interlith.findings import Finding
from interlith.report import figures, xrd_plots


def finding(measured, name="a coating"):
    return Finding(name, {"kind": "characterize", "results": {measured.kind: measured.values}}, measured.tables)


@pytest.fixture(scope="module")
def coating():
    one = synthetic_pattern({"002": 4.0}, counts=5000.0, range_deg=(20.0, 80.0, 0.01), seed=1)
    return measure_xrd(one, masks=[(40.0, 42.0, "holder"), (41.0, 43.0, "clip")], n_bootstrap=30)


@pytest.fixture
def canvas():
    from matplotlib.figure import Figure

    return Figure()


def texts(axes):
    return [text.get_text() for text in axes.texts]


def test_the_pattern_shows_counts_fit_background_lines_and_masks(coating, canvas):
    sketch = xrd_plots.diffraction(finding(coating))
    sketch.paint(canvas)
    upper, lower = canvas.axes
    points = sketch.data.filter(pl.col("what") == "point")
    assert points.drop("what", "hkl", "found", "low_deg", "high_deg", "name").equals(
        coating.tables["xrd-pattern"], null_equal=True
    )
    curves = {line.get_label(): line for line in upper.lines if not line.get_label().startswith("_")}
    assert set(curves) == {"counts", "fit", "background"}
    free = ~points["masked"].to_numpy()
    assert curves["counts"].get_ydata() == pytest.approx(points["counts"].to_numpy()[free])
    assert np.isnan(curves["fit"].get_ydata()[~free]).all()
    assert curves["fit"].get_ydata()[free] == pytest.approx(points["fitted_counts"].to_numpy()[free])
    assert curves["background"].get_ydata()[free] == pytest.approx(points["background_counts"].to_numpy()[free])
    named = texts(upper)
    for hkl in coating.tables["xrd-lines"]["hkl"]:
        assert hkl in named
    assert {"holder", "clip"} <= set(named)
    assert upper.get_xlim() == pytest.approx((20.0, 80.0), abs=0.05)
    assert len(lower.lines) == 2


def test_the_highest_point_that_is_fitted_is_on_the_canvas(coating, canvas):
    sketch = xrd_plots.diffraction(finding(coating))
    sketch.paint(canvas)
    assert canvas.axes[0].get_ylim()[1] > coating.tables["xrd-pattern"].filter(~pl.col("masked"))["counts"].max()


def test_words_do_not_lie_on_each_other(coating, canvas):
    xrd_plots.diffraction(finding(coating)).paint(canvas)
    canvas.set_size_inches(figures.WIDTH_IN, xrd_plots.PANEL_IN)
    canvas.draw_without_rendering()
    indices = [text for text in canvas.axes[0].texts if text.get_text().isdigit()]
    boxes = [text.get_window_extent() for text in indices]
    assert len(boxes) >= 9
    assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))


def test_bars_are_the_coefficients(coating, canvas):
    sketch = xrd_plots.texture(finding(coating))
    sketch.paint(canvas)
    held = coating.values["texture_coefficients"]
    assert [bar.get_height() for bar in canvas.axes[0].patches] == pytest.approx(
        [one["value"] for one in held.values()]
    )
    assert [label.get_text() for label in canvas.axes[0].get_xticklabels()] == [f"({hkl})" for hkl in held]
    assert f"these {len(held)} lines" in sketch.caption


def test_a_series_has_a_row_for_each_pattern(coating, canvas):
    other = measure_xrd(synthetic_pattern({"100": 3.0}, counts=5000.0, seed=2), n_bootstrap=30)
    series = measure_series([("a" * 60 + ".xy", coating), ("other.xy", other)])
    sketch = xrd_plots.texture_series(finding(series))
    sketch.paint(canvas)
    names = [label.get_text() for label in canvas.axes[0].get_yticklabels()]
    assert names[1] == "other.xy"
    assert len(names[0]) == 28
    assert sketch.data.equals(series.tables["xrd-series"])


def test_everything_is_drawn_and_the_same_twice(coating, tmp_path):
    drawn = figures.draw(finding(coating), tmp_path)
    assert [figure.name for figure in drawn] == ["diffraction", "texture"]
    assert "Reduced chi2 " in drawn[0].caption
    assert all(figure.png.stat().st_size > 5000 for figure in drawn)
    again = figures.draw(finding(coating), tmp_path / "again")
    assert [figure.svg.read_bytes() for figure in drawn] == [figure.svg.read_bytes() for figure in again]


def test_nothing_is_drawn_where_there_is_nothing(canvas):
    assert xrd_plots.diffraction(Finding("a", {})) is None
    assert xrd_plots.texture(Finding("a", {})) is None
    assert xrd_plots.texture_series(Finding("a", {})) is None
    flat = np.random.default_rng(1).poisson(40.0, 2350)
    from interlith.characterize.diffraction.pattern import pattern

    noise = measure_xrd(pattern("noise", np.arange(25.0, 72.0, 0.02), flat), n_bootstrap=30)
    assert xrd_plots.texture(finding(noise)) is None
    xrd_plots.diffraction(finding(noise)).paint(canvas)
    assert xrd_plots.texture_series(finding(measure_series([("noise", noise)]))) is None
