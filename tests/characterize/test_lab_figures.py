"""Figures of laboratory measurements: drawn from the tables and nothing else, bounds and doubts marked."""

import re

import numpy as np
import polars as pl
import pytest
from lab_truth import burnt, lithiation, profile_text, reversible, triangle
from lab_truth import record as made_record
from matplotlib.figure import Figure

from interlith.characterize.secondary_ions.tof_sims import measure_tof_sims, read_profile
from interlith.characterize.thermogravimetry.tga import Curve, measure_tga
from interlith.characterize.voltammetry.cv import measure_cv, voltammograms
from interlith.findings import Finding
from interlith.report import lab_plots
from interlith.report.figures import draw

IONS = ("F-", "CN-", "LiNO_3-")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("lab")


def several_rates():
    potential, sweeps = triangle(0.0, 1.0, 400), []
    for rate in (0.01, 0.02, 0.05, 0.1):
        time, current = reversible(rate, potential_V=potential)
        sweeps += voltammograms(made_record(time, potential, current), f"{1e3 * rate:g} mV/s")
    return measure_cv(sweeps)


def profiles(folder):
    found = []
    for name, rates in (("a", [500, 200, 20]), ("b", [900, 200, 0])):
        path = folder / f"{name}.txt"
        path.write_text(profile_text(IONS, np.random.default_rng(1).poisson(rates, (30, 3))))
        found.append(read_profile(path))
    return measure_tof_sims(found)


@pytest.fixture(scope="module")
def measured(folder):
    coated, bare = Curve("c.txt", *burnt(0.1062, 0.02), 8.0), Curve("b.txt", *burnt(0.0, 0.02), 8.0)
    return {
        "rates": several_rates(),
        "paper": measure_cv(voltammograms(lithiation(), "paper")),
        "pair": measure_tga(coated, bare),
        "alone": measure_tga(coated),
        "short": measure_tga(Curve("s.txt", *burnt(0.1062, 0.02, end_C=640.0), 8.0)),
        "ions": profiles(folder),
    }


NAMES = {
    "rates": {"cv", "cv-rates"},
    "paper": {"cv"},
    "pair": {"tga"},
    "alone": {"tga"},
    "short": {"tga"},
    "ions": {"tof-sims", "tof-sims-depth"},
}


@pytest.mark.parametrize("case", NAMES)
def test_each_measurement_gets_its_figures_twice_the_same(measured, folder, case):
    finding = Finding(case, {"kind": measured[case].kind}, measured[case].tables)
    drawn = draw(finding, folder / "one")
    assert {figure.name for figure in drawn} == NAMES[case]
    for first, again in zip(drawn, draw(finding, folder / "two"), strict=True):
        assert first.svg.read_bytes() == again.svg.read_bytes()
        assert first.png.read_bytes().startswith(b"\x89PNG")
        assert "mathdefault" not in first.svg.read_text()
        assert pl.read_csv(first.csv, infer_schema_length=None).height > 0


def painted(sketch):
    canvas = Figure()
    sketch.paint(canvas)
    return canvas.axes


def test_every_point_that_is_drawn_is_in_the_data(measured):
    finding = Finding("a", {}, measured["rates"].tables)
    sketch = lab_plots.voltammogram(finding)
    known = set(zip(sketch.data["potential_V"].round(9), sketch.data["current_mA"].round(9), strict=True))
    curves = [line for line in painted(sketch)[0].lines if len(line.get_xdata()) > 10]
    assert len(curves) == 8
    for line in curves:
        assert {(round(x, 9), round(y, 9)) for x, y in line.get_xydata()} <= known
    marks = [line for line in painted(sketch)[0].lines if line.get_marker() == "o"]
    assert len(marks) == sketch.data.filter(mark="peak").height == 8


def test_samples_at_one_rate_are_told_apart_by_name_and_rates_by_rate(measured):
    both = measure_cv([*voltammograms(lithiation(), "A"), *voltammograms(lithiation(seed=2), "B")])
    labels = {line.get_label() for line in painted(lab_plots.voltammogram(Finding("a", {}, both.tables)))[0].lines}
    assert any(label.startswith("A") for label in labels)
    rates = {
        line.get_label()
        for line in painted(lab_plots.voltammogram(Finding("a", {}, measured["rates"].tables)))[0].lines
    }
    assert {"10 mV/s", "100 mV/s"} <= rates


def test_a_bound_is_marked_as_one(measured):
    sketch = lab_plots.thermogram(Finding("a", {}, measured["short"].tables))
    assert "bound only" in sketch.caption
    texts = [text.get_text() for text in painted(sketch)[0].texts]
    assert any(text.startswith("at most") for text in texts)
    assert any("ZnO at most" in text for text in texts)
    sure = lab_plots.thermogram(Finding("a", {}, measured["pair"].tables))
    texts = [text.get_text() for text in painted(sure)[0].texts]
    assert any(re.match(r"ZnO 9\.\d+ to 11\.\d+ wt%", text) for text in texts)


def test_an_ion_without_counts_is_drawn_as_a_bound(measured):
    sketch = lab_plots.ion_index(Finding("a", {}, measured["ions"].tables))
    assert sketch.data["species"].to_list() == ["F-", "CN-", "LiNO3-"]
    assert any(text.get_text().startswith("none, below") for text in painted(sketch)[0].texts)


def test_no_tables_no_figures():
    empty = Finding("a", {}, {})
    makers = (lab_plots.voltammogram, lab_plots.scan_rates, lab_plots.thermogram, lab_plots.ion_index)
    assert all(make(empty) is None for make in (*makers, lab_plots.ion_depth))


def test_a_voltammogram_without_peaks_is_drawn(folder):
    potential = triangle(0.0, 1.0, 200)
    through_0 = 1e-5 * (potential - 0.5)
    found = measure_cv(voltammograms(made_record(np.arange(len(potential)) * 1.0, potential, through_0), "resistor"))
    assert "No peak" in found.headline
    assert [figure.name for figure in draw(Finding("resistor", {}, found.tables), folder)] == ["cv"]
