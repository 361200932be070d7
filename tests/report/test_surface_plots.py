"""Figures of surfaces draw what their data hold, at their place in the periodic plane, and say what is not known."""

import itertools

import numpy as np
import polars as pl
import pytest
from made_surfaces import CELL, face, finding, model, two_models
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from interlith.findings import Finding
from interlith.report.figures import draw
from interlith.report.sketch import tags
from interlith.report.surface_map import MARGIN_A, SHOWN_DEPTH_A, maps
from interlith.report.surface_plots import RANKING_IN, ranking, way_profile

REFUSED = "the bare slab did not relax"


def painted(sketch, size=(5.4, 3.1)):
    canvas = Figure(figsize=size)
    FigureCanvasAgg(canvas)
    sketch.paint(canvas)
    canvas.draw_without_rendering()
    return canvas


def test_a_figure_for_each_face_and_one_of_all(tmp_path):
    rows = [two_models(), two_models("ZnO(020)", "O+Zn")]
    drawn = draw(finding(rows), tmp_path)
    names = ["ranking", "way", "map-1-ZnO_002_-Zn", "map-2-ZnO_020_-O_Zn"]
    assert [figure.name for figure in drawn] == names
    assert all("machine-learned potentials; not by DFT" in figure.caption for figure in drawn)
    assert "not by DFT" in drawn[2].svg.read_text(encoding="utf-8")
    again = draw(finding(rows), tmp_path / "again")
    assert [figure.svg.read_bytes() for figure in again] == [figure.svg.read_bytes() for figure in drawn]


def test_nothing_of_other_findings_or_without_tables():
    rows = [two_models()]
    other = Finding("x", {**finding(rows).summary, "kind": "coat"}, finding(rows).tables)
    assert (ranking(other), way_profile(other), maps(other)) == (None, None, [])
    bare = Finding("x", finding(rows).summary, {})
    assert (way_profile(bare), maps(bare)) == (None, [])
    assert tags(finding(rows).summary) == ["COMPUTED by machine-learned potentials", "not by DFT"]


def test_a_map_repeats_all_that_reaches_into_the_window():
    """Every copy of an atom, site and hop that is seen, and none twice."""
    (sketch,) = maps(finding([two_models()]))
    one = sketch.data.filter(pl.col("model") == "chgnet")
    assert one.n_unique() == one.height
    sites = one.filter((pl.col("what") == "site") & (pl.col("site") == 0))
    low, high = -MARGIN_A, CELL[0][0] + MARGIN_A
    expected = {
        (1.0 + 6 * i, 1.0 + 6 * j)
        for i, j in itertools.product((-1, 0, 1), repeat=2)
        if low < 1.0 + 6 * i < high and low < 1.0 + 6 * j < high
    }
    assert expected <= set(sites.select("x_A", "y_A").iter_rows())
    hops = one.filter((pl.col("what") == "hop") & (pl.col("y_A") == 1.0)).sort("x_A")
    assert hops["x2_A"].to_list() == [x + 3 for x in hops["x_A"]]
    assert hops["x_A"].min() <= low
    assert hops["x2_A"].max() >= high
    assert hops["is_on_the_way"].to_list() == [i % 2 == 1 for i in range(hops.height)]


def test_deep_atoms_are_left_out_and_the_top_is_drawn_last():
    (sketch,) = maps(finding([two_models()]))
    atoms = sketch.data.filter((pl.col("what") == "atom") & (pl.col("model") == "chgnet"))
    assert atoms["depth_A"].max() < SHOWN_DEPTH_A
    assert atoms["depth_A"].to_list() == sorted(atoms["depth_A"], reverse=True)
    circles = painted(sketch).axes[1].patches
    assert [circle.center for circle in circles] == list(atoms.select("x_A", "y_A").iter_rows())
    deep, top = (np.mean(circles[place].get_facecolor()[:3]) for place in (0, -1))
    assert top < 0.9
    assert deep < 1.0


def test_energies_of_a_map_are_above_the_best_site_and_colours_are_one_scale():
    (sketch,) = maps(finding([two_models()]))
    sites = sketch.data.filter(pl.col("what") == "site")
    assert sites.filter(pl.col("site") == 0)["energy_eV"].unique().to_list() == [0.0]
    assert sites.filter(pl.col("site") == 1)["energy_eV"].to_numpy() == pytest.approx(0.1)
    assert sketch.data.filter(pl.col("what") == "hop")["energy_eV"].unique().sort().to_list() == pytest.approx(
        [0.19, 0.21]
    )
    canvas = painted(sketch, (5.4, 4.0))
    first, second, bar = canvas.axes
    assert first.get_title(loc="left") == "7net-0\nbinding 2.65 eV, barrier 0.19 eV"
    assert first.get_aspect() == second.get_aspect() == 1.0
    assert bar.get_xlabel() == "Energy above the best site (eV)"
    assert "2 Å" in {text.get_text() for text in first.texts} | {"1 Å"}
    assert {"0", "1"} <= {text.get_text() for text in first.texts}


def test_a_model_that_found_nothing_is_beside_the_one_that_did():
    row = face("ZnO(002)", "Zn", model("7net-0", 2.7, 0.2), model("chgnet", None, None, refused=REFUSED))
    (sketch,) = maps(finding([row]))
    assert painted(sketch).axes[1].get_title(loc="left") == f"chgnet\n{REFUSED}"
    assert ranking(finding([row])) is None
    both = finding([row, two_models("ZnO(020)", "O+Zn")])
    assert f"Not ranked: ZnO(002)-Zn (chgnet: {REFUSED})" in ranking(both).caption
    nothing = face("ZnO(202)", "O", model("chgnet", None, None, refused=REFUSED))
    assert "No way is known on ZnO(202)-O" in way_profile(finding([nothing, two_models()])).caption


def test_a_profile_is_drawn_as_it_is_with_its_barrier():
    open_path = face("LiZn(220)", "Li", model("chgnet", 1.7, 0.02, high=0.045), crystal="LiZn")
    sketch = way_profile(finding([two_models(), open_path]))
    first, second = painted(sketch).axes[:2]
    data = sketch.data.filter((pl.col("key") == "ZnO(002)-Zn") & (pl.col("model") == "chgnet"))
    lines = {line.get_label(): line for line in first.lines}
    assert list(lines["chgnet"].get_ydata()) == data["energy_eV"].to_list()
    assert list(lines["chgnet"].get_xdata()) == data["distance_A"].to_list()
    assert [text.get_text() for text in first.texts] == ["0.19 eV", "0.21 eV"]
    assert [text.get_text() for text in second.texts] == ["0.020 to 0.045 eV"]
    assert first.get_ylim()[1] > 2 * second.get_ylim()[1]
    peaks = [line for line in first.lines if line.get_marker() == "^"]
    assert [peak.get_ydata()[0] for peak in peaks] == pytest.approx([0.19, 0.21])


def test_error_bars_are_the_spread_of_the_models():
    sketch = ranking(finding([two_models(binding=2.7, barrier=0.2)]))
    axes = painted(sketch).axes[0]
    (bar,) = axes.containers
    segments = [collection.get_segments()[0] for collection in bar.lines[2]]
    assert np.sort(segments[0][:, 0]) == pytest.approx([2.65, 2.75])
    assert np.sort(segments[1][:, 1]) == pytest.approx([0.19, 0.21])
    assert "from the lowest to the highest of 2 models (7net-0, chgnet)" in sketch.caption


def test_one_model_has_no_error_bar_and_says_so():
    sketch = ranking(finding([face("ZnO(002)", "Zn", model("chgnet", 2.7, 0.2))]))
    axes = painted(sketch).axes[0]
    assert not axes.containers
    assert "ZnO, one model" in axes.get_legend_handles_labels()[1]
    assert "By one model, chgnet: no spread is known, and no error bar is drawn" in sketch.caption


def test_published_numbers_and_lithium_metal_are_marked():
    rows = [
        two_models(paper={"binding_energy_eV": 3.4, "barrier": "low"}),
        two_models(termination="O", binding=4.6, paper={"binding_energy_eV": 3.4, "barrier": "low"}),
        two_models("LiZn(220)", "Li", binding=1.7, paper={"barrier_eV": 0.017}, crystal="LiZn"),
    ]
    sketch = ranking(finding(rows))
    paper = sketch.data.filter(pl.col("what") == "paper")
    assert paper.select("key", "binding_energy_eV", "barrier_eV").rows() == [
        ("ZnO(002)", 3.4, None),
        ("LiZn(220)", None, 0.017),
    ]
    axes = painted(sketch).axes[0]
    texts = {text.get_text() for text in axes.texts}
    assert {"ZnO(002) 3.4", "LiZn(220) 0.017", "ZnO(002)-Zn", "ZnO(002)-O", "LiZn(220)-Li"} <= texts
    lines = {line.get_label(): line for line in axes.lines}
    assert list(lines["lithium metal, 1.63 eV"].get_xdata()) == [1.63, 1.63]
    left, right = axes.get_xlim()
    assert left < 1.63 < 4.6 < right


@pytest.mark.parametrize("n_models", [1, 2])
def test_names_of_faces_do_not_meet(n_models):
    """As many faces as the reference has, some of them nearly at one place."""
    places = [(2.7, 0.2), (4.6, 0.4), (3.1, 0.5), (4.5, 0.9), (4.5, 0.95), (4.52, 0.75), (1.7, 0.04), (1.6, 0.2)]
    rows = [
        two_models(f"ZnO({i}02)", "O+Zn (O1 Zn2)" if i in (4, 6) else "Zn", binding=x, barrier=y)
        for i, (x, y) in enumerate(places)
    ]
    rows = rows if n_models == 2 else [face(r["name"], r["termination"], r["models"][0]) for r in rows]
    canvas = painted(ranking(finding(rows)), (RANKING_IN[0] + 0.7, RANKING_IN[1]))
    axes = canvas.axes[0]
    axes.set_position([0.1, 0.02, RANKING_IN[0] / (RANKING_IN[0] + 0.7), 0.96])
    renderer = canvas.canvas.get_renderer()
    keys = {row["key"] for row in rows}
    boxes = [text.get_window_extent(renderer) for text in axes.texts if text.get_text() in keys]
    assert len(boxes) == len(keys)
    for one, other in itertools.combinations(boxes, 2):
        assert not one.padded(-1.5).overlaps(other.padded(-1.5))


def test_hostile_names_are_drawn_and_written_within_the_folder(tmp_path):
    row = two_models("../<b>\x00 $x^2$" + "y" * 90, "Zn")
    drawn = draw(finding([row]), tmp_path)
    assert len(drawn) == 3
    assert {path.parent for path in tmp_path.rglob("*.svg")} == {tmp_path / "figures"}
