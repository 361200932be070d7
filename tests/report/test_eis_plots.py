"""Figures of measured impedance: drawn of exactly what their data hold, equal scales, words where they must be."""

import numpy as np
import polars as pl
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from interlith.characterize.impedance.eis import measure_eis
from interlith.characterize.impedance.spectrum import Spectrum
from interlith.findings import Finding
from interlith.report.eis_plots import eis_bode, eis_nyquist, eis_relaxation, eis_trend
from interlith.report.figures import draw

F = np.logspace(6, -1, 71)
W = 2j * np.pi * F
SKETCHES = (eis_nyquist, eis_bode, eis_relaxation, eis_trend)


def spectrum(i=0, film=20.0):
    draw = np.random.default_rng(i).normal(size=(2, 71)) / np.sqrt(2)
    z = 3 + film / (1 + (W * film * 1e-6) ** 0.9) + 50 / (1 + (W * 5e-3) ** 0.9)
    return Spectrum(f"synthetic {i}", F, z * (1 + 1e-3 * (draw[0] + 1j * draw[1])), time_h=float(i))


def finding(*spectra):
    return Finding("cell", {"kind": "eis"}, measure_eis(spectra).tables)


@pytest.fixture(scope="module")
def one():
    z = spectrum().impedance_ohm.copy()
    z[30] *= 1.1
    return finding(Spectrum("synthetic", F, z))


@pytest.fixture(scope="module")
def series():
    return finding(*(spectrum(i, film=20.0 + i) for i in range(8)))


def painted(sketch):
    canvas = Figure()
    sketch.paint(canvas)
    canvas.draw_without_rendering()
    return canvas


def test_figures_of_one_and_of_several(one, series, tmp_path):
    assert [f.name for f in draw(one, tmp_path)] == ["eis-nyquist", "eis-bode", "eis-relaxation"]
    assert [f.name for f in draw(series, tmp_path)] == ["eis-nyquist", "eis-bode", "eis-relaxation", "eis-trend"]
    assert draw(Finding("cell", {"kind": "eis"}, {}), tmp_path) == []


def test_all_that_is_drawn_in_the_complex_plane_is_in_its_data(one):
    sketch = eis_nyquist(one)
    axes = painted(sketch).axes[0]
    assert axes.get_aspect() == 1.0
    lines = {line.get_label(): line for line in axes.lines}
    for what in ("fit", "film", "charge transfer"):
        data = sketch.data.filter(pl.col("what") == what)
        assert list(lines[what].get_xdata()) == data["real_ohm"].to_list()
        assert list(lines[what].get_ydata()) == data["minus_imaginary_ohm"].to_list()
    measured = sketch.data.filter((pl.col("what") == "measured") & pl.col("used"))
    assert list(lines["measured"].get_xdata()) == measured["real_ohm"].to_list()
    assert len(lines["left out"].get_xdata()) == 1
    assert "assignment" in sketch.caption


def test_arcs_stand_where_the_faster_ones_end(one):
    arcs = one.tables["eis-arcs"]
    film, ct = (arcs.filter(pl.col("role") == role)["real_ohm"] for role in ("film", "charge transfer"))
    assert film.min() == pytest.approx(3, abs=0.3)
    assert film.max() == pytest.approx(23, abs=0.5)
    assert ct.min() == pytest.approx(23, abs=1.0)
    assert ct.max() == pytest.approx(73, abs=1.5)


def test_residuals_of_the_test_are_drawn_below_the_modulus_and_the_phase(one):
    sketch = eis_bode(one)
    upper, middle, lower = painted(sketch).axes
    assert list(upper.lines[0].get_ydata()) == sketch.data["magnitude_ohm"].to_list()
    assert list(middle.lines[0].get_ydata()) == sketch.data["phase_degree"].to_list()
    assert list(lower.lines[0].get_ydata()) == sketch.data["kramers_kronig_real_percent"].to_list()
    assert sketch.data["phase_degree"].min() < -20
    z = one.tables["eis-points"]
    expected = np.hypot(z["real_ohm"].to_numpy(), z["imaginary_ohm"].to_numpy())
    assert sketch.data["magnitude_ohm"].to_numpy() == pytest.approx(expected)


def test_peaks_are_named_by_the_arc(one):
    sketch = eis_relaxation(one)
    texts = [text.get_text() for text in painted(sketch).axes[0].texts]
    assert any(text.startswith("film\n") for text in texts)
    assert any(text.startswith("charge transfer\n") for text in texts)
    words = sketch.data["peak"].drop_nulls().to_list()
    assert set(texts) <= set(words)


def test_words_at_peaks_do_not_meet(one):
    canvas = Figure(figsize=(5.4, 3.2))
    renderer = FigureCanvasAgg(canvas).get_renderer()
    eis_relaxation(one).paint(canvas)
    boxes = [text.get_window_extent(renderer) for text in canvas.axes[0].texts]
    assert len(boxes) >= 2
    for i, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[i + 1 :])


def test_a_series_shows_five_spectra_and_all_of_its_trend(series):
    assert eis_nyquist(series).data["spectrum"].n_unique() == 5
    assert "5 of 8 spectra" in eis_nyquist(series).caption
    trend = eis_trend(series)
    assert trend.data.height == 8
    panels = painted(trend).axes
    assert [axes.get_ylabel() for axes in panels] == ["ohmic\n(Ω)", "film\n(Ω)", "charge transfer\n(Ω)"]
    assert list(panels[1].lines[0].get_ydata()) == trend.data["film_resistance_ohm"].to_list()
    assert panels[-1].get_xlabel() == "Time (h)"


def test_a_spectrum_that_is_not_consistent_is_open_in_the_trend(series):
    table = series.tables["eis-trend"]
    bad = table.with_columns(
        pl.when(pl.col("spectrum") == 3)
        .then(pl.lit("not consistent"))
        .otherwise(pl.col("kramers_kronig"))
        .alias("kramers_kronig")
    )
    panels = painted(eis_trend(Finding("cell", {}, {"eis-trend": bad}))).axes
    faces = {line.get_markerfacecolor(): line for line in panels[0].lines if line.get_marker() == "o"}
    assert list(faces["white"].get_xdata()) == [3.0]
    assert "Open" in eis_trend(series).caption


def test_no_other_finding_gets_these_figures():
    other = Finding("cell", {"kind": "full"}, {"spectra": pl.DataFrame({"frequency_Hz": [1.0]})})
    assert [make(other) for make in SKETCHES] == [None] * 4
