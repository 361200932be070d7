"""Figures: written, of exactly the data of the tables, the same each time, and marked where they must be."""

import hashlib
import re
from pathlib import Path

import polars as pl
import pytest

from interlith.cycling import present
from interlith.cycling.analyze import analyze
from interlith.cycling.synthetic import examples
from interlith.findings import Finding, plain
from interlith.report import cycle_plots, sketch
from interlith.report.figures import draw


@pytest.fixture(scope="module")
def found():
    """The findings of the four synthetic tests, by name."""
    analyses = {e.name: analyze(e.record) for e in examples()}
    return {n: Finding(n, plain(present.summary(a, Path(n))), present.tables(a)) for n, a in analyses.items()}


@pytest.fixture(scope="module")
def drawn(found, tmp_path_factory):
    folder = tmp_path_factory.mktemp("drawn")
    return {name: {figure.name: figure for figure in draw(item, folder)} for name, item in found.items()}


def measured(item, *codes):
    """The same finding as if it came from an instrument, with flags of these codes."""
    provenance = {**item.summary["provenance"], "format": "x", "reader": "x", "instrument": "x"}
    flags = [{"code": code, "message": code, "n_rows": 1, "first_row": 0} for code in codes]
    return Finding("cell", {**item.summary, "format": "x", "provenance": provenance, "flags": flags}, item.tables)


def finding(tables, kind="full", **results):
    summary = {"kind": kind, "plating_sign": 1, "flags": [], "results": results, "provenance": {"instrument": "x"}}
    return Finding("cell", summary, tables)


def texts(svg):
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg.read_text())


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("reservoir", {"capacity", "trace", "profiles", "hysteresis"}),
        ("efficiency", {"efficiency", "capacity", "trace", "profiles", "hysteresis"}),
        ("symmetric", {"capacity", "polarization", "trace", "profiles", "hysteresis"}),
        ("full", {"efficiency", "capacity", "trace", "profiles", "hysteresis", "dqdv"}),
    ],
)
def test_each_kind_gets_its_figures_in_three_formats(drawn, kind, names):
    assert set(drawn[kind]) == names
    for figure in drawn[kind].values():
        assert figure.svg.name == f"{kind}.{figure.name}.svg"
        assert figure.svg.parent.name == "figures"
        assert figure.png.read_bytes().startswith(b"\x89PNG")
        assert figure.svg.stat().st_size < 500_000
        assert figure.csv.stat().st_size > 0


def test_csv_is_the_table_that_is_drawn(found, drawn):
    trace = pl.read_csv(drawn["efficiency"]["trace"].csv)
    assert trace.equals(found["efficiency"].tables["trace"].cast(pl.Float64))
    shown = pl.read_csv(drawn["efficiency"]["efficiency"].csv)
    assert (shown["efficiency_percent"] / 100 - found["efficiency"].tables["cycles"]["efficiency"]).abs().max() < 1e-12


def test_all_that_is_drawn_is_in_the_csv(found):
    plan = cycle_plots.efficiency(found["efficiency"])
    from matplotlib.figure import Figure

    canvas = Figure()
    plan.paint(canvas)
    line = next(line for line in canvas.axes[0].lines if line.get_label() == "efficiency")
    assert list(line.get_ydata()) == plan.data["efficiency_percent"].to_list()


def test_synthetic_stands_on_every_synthetic_figure_and_on_no_other(found, drawn, tmp_path):
    for figures in drawn.values():
        assert all("SYNTHETIC" in texts(figure.svg) and "SYNTHETIC" in figure.caption for figure in figures.values())
    for figure in draw(measured(found["reservoir"]), tmp_path):
        assert "SYNTHETIC" not in figure.svg.read_text()


@pytest.mark.parametrize(
    ("summary", "made_up"),
    [
        ({"path": "/tmp/files/synthetic-full.bdf.parquet"}, True),
        ({"path": "synthetic-graphite.ndax"}, False),
        ({"path": "x.csv", "truth": []}, True),
        ({"path": "x.csv", "provenance": None}, False),
    ],
)
def test_what_is_synthetic(summary, made_up):
    assert sketch.is_synthetic(summary) is made_up


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("current_from_settings", "current assumed, not measured"),
        ("current_stated", "current stated, not measured"),
        ("current_derived", "current derived, not measured"),
    ],
)
def test_a_current_that_was_not_measured_is_told_on_every_figure(found, tmp_path, code, words):
    for figure in draw(measured(found["symmetric"], code), tmp_path):
        assert words in texts(figure.svg)
        assert words in figure.caption


def test_the_same_finding_gives_the_same_bytes(found, tmp_path):
    once = draw(found["symmetric"], tmp_path / "a")
    for one, other in (
        (one, two) for n in range(3) for one, two in zip(once, draw(found["symmetric"], tmp_path / str(n)), strict=True)
    ):
        for kind in ("svg", "png", "csv"):
            first, second = (hashlib.sha256(getattr(f, kind).read_bytes()).hexdigest() for f in (one, other))
            assert first == second, f"{one.name}.{kind}"


def test_settings_of_matplotlib_are_left_as_they_were(found, tmp_path, monkeypatch):
    import matplotlib

    monkeypatch.setitem(matplotlib.rcParams, "font.size", 33.0)
    before = dict(matplotlib.rcParams)
    draw(found["reservoir"], tmp_path)
    assert dict(matplotlib.rcParams) == before


def test_many_cycles_make_a_light_file(tmp_path):
    n = 9000
    cycle = pl.int_range(1, n + 1, eager=True)
    columns = {"cycle": cycle, "efficiency": 0.99 + (cycle % 7) / 1000, "uncertainty_k2": [0.001] * n}
    empty = {"no_efficiency_because": pl.Series([None] * n, dtype=pl.String), "plated_mAh": [1.0] * n}
    more = {
        "stripped_mAh": [0.99] * n,
        "above_zero_mAh": [0.0] * n,
        "hysteresis_mV": [40.0] * n,
        "arc_index": [1.0] * n,
    }
    figures = draw(finding({"cycles": pl.DataFrame({**columns, **empty, **more})}), tmp_path)
    assert {figure.name for figure in figures} == {"efficiency", "capacity", "hysteresis"}
    assert max(figure.svg.stat().st_size for figure in figures) < 500_000
    assert pl.read_csv(figures[0].csv).height == n


def test_spectra_are_drawn_with_the_capacitive_side_up(tmp_path):
    spectra = pl.DataFrame(
        {
            "spectrum": [n for n in range(6) for _ in range(3)],
            "time_h": [float(n) for n in range(6) for _ in range(3)],
            "frequency_Hz": [1.0, 10.0, 100.0] * 6,
            "real_ohm": [30.0, 20.0, 10.0] * 6,
            "imaginary_ohm": [-5.0, -8.0, -1.0] * 6,
        }
    )
    figures = {figure.name: figure for figure in draw(finding({"spectra": spectra}, kind="eis"), tmp_path)}
    assert set(figures) == {"nyquist", "bode"}
    assert pl.read_csv(figures["nyquist"].csv)["minus_imaginary_ohm"].to_list()[:3] == [5.0, 8.0, 1.0]
    assert "Time (h)" in texts(figures["nyquist"].svg)
    assert pl.read_csv(figures["bode"].csv)["magnitude_ohm"][0] == pytest.approx((30**2 + 5**2) ** 0.5)


def test_a_spectrum_that_blocks_does_not_hide_the_arcs_of_another(tmp_path):
    spectra = pl.DataFrame(
        {
            "spectrum": [0, 0, 0, 1, 1, 1],
            "time_h": [1.0] * 6,
            "frequency_Hz": [0.01, 1.0, 100.0] * 2,
            "real_ohm": [4.1, 4.1, 3.5, 5.6, 4.5, 3.5],
            "imaginary_ohm": [-1600.0, -16.0, -0.1, -0.1, -0.5, -0.1],
        }
    )
    drawn = {figure.name: figure for figure in draw(finding({"spectra": spectra}, kind="eis"), tmp_path)}["nyquist"]
    assert "2 points of what blocks lie far above and are not drawn" in drawn.caption
    assert pl.read_csv(drawn.csv)["minus_imaginary_ohm"].max() == 1600.0
    assert not {"1000", "1500"} & set(texts(drawn.svg))


def test_names_and_reasons_that_would_break_a_figure_do_not(tmp_path):
    cycles = pl.DataFrame(
        {
            "cycle": [1, 2, 3],
            "efficiency": [0.9, None, 0.95],
            "uncertainty_k2": [0.01, None, 0.01],
            "no_efficiency_because": [None, "strip $interrupted_{ \x07<b>漢字", None],
            "plated_mAh": [1.0, 1.0, 1.0],
            "stripped_mAh": [0.9, None, 0.95],
            "above_zero_mAh": [0.0, 0.1, 0.0],
        }
    )
    figures = draw(finding({"cycles": cycles}), tmp_path)
    assert any("strip $interrupted_{ ?&lt;b&gt;" in text for text in texts(figures[0].svg))


def test_outliers_do_not_flatten_the_rest_and_are_counted(tmp_path):
    import numpy as np

    values = np.array([99.0, 99.1, 99.2, 98.9, 99.0] * 8 + [3.0])
    low, high = sketch.view(values)
    assert 98 < low < 98.9
    assert 99.2 < high < 100
    spread = np.array([50.0, 99.0, 99.1, 98.0])
    assert sketch.view(spread)[0] < 50, "of few values none is left out"


def test_a_file_that_failed_has_no_figure(tmp_path):
    assert draw(Finding("broken", {"error": {"type": "CorruptFile", "message": "x"}, "results": {}}), tmp_path) == []
    assert not (tmp_path / "figures").exists()
