"""Surfaces on a terminal and on the page: numbers with their spreads, what is not known and why, what is not met."""

import io
import re

import pytest
from made_surfaces import face, finding, findings, model, order, two_models
from test_page import Reader

from interlith.report.figures import draw
from interlith.report.headline import headline
from interlith.report.page import write_page
from interlith.report.surface_page import surface_details, surface_results
from interlith.report.surface_words import orders_said
from interlith.report.terminal_surface import print_surfaces

REFUSED = "the bare slab did not relax"


@pytest.fixture
def rows():
    zn = two_models(paper={"binding_energy_eV": 3.4, "barrier": "low (figure only)"})
    o = two_models(termination="O", binding=4.6, barrier=0.4, paper={"binding_energy_eV": 3.4})
    m = two_models("ZnO(020)", "O+Zn", binding=3.1, barrier=0.5, paper={"binding_energy_eV": 3.08}, warnings=["odd"])
    return [zn, o, m]


def orders(rows):
    zn, o, m = rows
    return [order([zn, m], False, True), order([o, m], True, False)]


def shown(capsys, monkeypatch, rows, width=100, page=None, **other):
    monkeypatch.setenv("COLUMNS", str(width))
    print_surfaces(findings(rows, **other), page)
    text = capsys.readouterr().out
    assert max(len(line) for line in text.splitlines()) <= width
    return re.sub(r" +\n", "\n", text)


@pytest.mark.parametrize("width", [60, 100, 160])
def test_a_terminal_shows_each_face_with_its_spread(capsys, monkeypatch, rows, width):
    text = shown(capsys, monkeypatch, rows, width, orders=orders(rows))
    flat = re.sub(r"\s+", " ", text)
    assert "COMPUTED by models, not by DFT" in flat
    assert re.search(r"ZnO\(002\) +Zn +2\.70 ± 0\.05 +0\.200 ± 0\.010", text)
    assert re.search(r"ZnO\(020\) +O\+Zn +3\.10 ± 0\.05 +0\.500 ± 0\.010", text)
    assert "WARNING: ZnO(020)-O+Zn: odd" in flat
    assert "ZnO(002) < ZnO(020) (NOT as published) with ZnO(002) Zn" in flat
    assert "ZnO(020) < ZnO(002) (as published; neighbors within their spreads) with ZnO(002) O" in flat
    assert "Published: 1 of 3 comparisons within the spread" in flat
    assert "ZnO(002)-Zn: binding energy 3.4 eV published, 2.70 ± 0.05 found, −0.70: not met" in flat
    assert "ZnO(002): published: " in flat
    assert "low (figure only)" in flat
    assert "models: 7net-0 (pack 1.0), PBE; chgnet (pack 1.0), PBE" in flat


def test_warnings_are_red_on_a_terminal(monkeypatch, rows):
    from rich.console import Console

    wide = Console(file=io.StringIO(), force_terminal=True, width=80, color_system="standard", legacy_windows=False)
    monkeypatch.setattr("interlith.report.terminal_surface.new_console", lambda: wide)
    print_surfaces(findings(rows), None)
    assert "\x1b[1;31mWARNING: ZnO(020)-O+Zn: odd" in wide.file.getvalue()


def test_what_is_not_known_is_a_dash_with_its_reason(capsys, monkeypatch):
    lost = face("ZnO(202)", "O", model("chgnet", None, None, refused=REFUSED), paper={"binding_energy_eV": 4.32})
    still = {**face("ZnO(020)", "Zn", model("chgnet", 3.0, 0.5)), "barrier_eV": None, "barrier_spread_eV": None}
    warnings = [f"{lost['key']}: not ranked: {lost['not_ranked']}"]
    text = shown(capsys, monkeypatch, [lost, still], warnings=warnings)
    assert re.search(r"ZnO\(202\) +O\* +- +- +- +no", text)
    assert "ZnO(202): published: binding energy 4.32" in text
    assert re.search(r"ZnO\(020\) +Zn +3\.00 +-", text)
    assert f"WARNING: ZnO(202)-O: not ranked: chgnet: {REFUSED}" in text
    assert "ZnO(020)-Zn: not ranked: no barrier is known: no way across the face was found" in text
    assert "one model: no spread is known (chgnet)" in text
    assert "ZnO(202)-O: binding energy 4.32 eV published, none found" in text


def test_one_model_meets_and_misses_nothing(capsys, monkeypatch):
    row = face("ZnO(002)", "Zn", model("chgnet", 3.4, 0.2), paper={"binding_energy_eV": 3.4})
    text = shown(capsys, monkeypatch, [row])
    assert "Published: 0 of 1 comparisons within the spread" in text
    assert "3.40 found, +0.00: no spread to judge by" in text
    assert headline(findings([row]).items[0].summary).endswith("one model: no spread is known")


def test_single_points_by_dft_are_told(capsys, monkeypatch, rows):
    check = {"what": "single point", "model": "7net-0", "pbe_eV": 2.1, "pbe_d3_eV": 2.3, "model_eV": 2.7}
    check |= {"largest_force_eV_per_A": 0.5, "failed": None, "settings": {}, "versions": {}}
    text = shown(capsys, monkeypatch, [{**rows[0], "dft": check}, *rows[1:]])
    assert "ZnO(002)-Zn: single point: PBE 2.10 eV, PBE-D3 2.30 eV, 7net-0 2.70 eV" in text
    assert "Single points by DFT" not in shown(capsys, monkeypatch, rows)
    lost = {**check, "pbe_eV": None, "pbe_d3_eV": None, "failed": "Li: not self-consistent"}
    text = shown(capsys, monkeypatch, [{**rows[0], "dft": lost}, *rows[1:]])
    assert "ZnO(002)-Zn: single point: 7net-0 2.70 eV, Li: not self-consistent" in text


def test_the_sentence_about_surfaces(rows):
    assert headline(findings(rows).items[0].summary) == (
        "Lithium binds most to ZnO(002)-O, 4.60 ± 0.05 eV; moves most easily over ZnO(002)-Zn, barrier 0.200 ± 0.010 "
        "eV; 2 of 3 comparisons with published numbers not met"
    )
    oblong = {**rows[0], "barrier_2d_eV": 0.5, "barrier_2d_spread_eV": 0.02}
    said = headline(findings([oblong, *rows[1:]]).items[0].summary)
    assert "barrier 0.200 ± 0.010 eV along one direction, 0.500 ± 0.020 in two;" in said
    said = headline(findings([{**oblong, "barrier_2d_eV": None}, *rows[1:]]).items[0].summary)
    assert "barrier 0.200 ± 0.010 eV along one direction;" in said
    lost = face("ZnO(202)", "O", model("chgnet", None, None, refused=REFUSED))
    assert headline(findings([lost]).items[0].summary).startswith(
        "No face binds lithium, as far as is known; one model"
    )


def test_orders_that_are_one_stand_once(rows):
    zn, _, m = rows
    twin = {**zn, "termination": "Zn2"}
    same = [order([zn, m], None, True), order([twin, m], None, True)]
    assert orders_said(same)["From the weakest binding to the strongest"] == ["ZnO(002) < ZnO(020)"]
    assert orders_said([]) == {}
    assert orders_said([order([zn], None, True)]) == {}


def test_the_page_has_faces_models_and_structures(tmp_path, rows):
    made = finding(rows, orders=orders(rows))
    whole = findings(rows, orders=orders(rows))
    page = write_page(whole, {"made": draw(made, tmp_path)}, tmp_path).read_text(encoding="utf-8")
    seen = Reader(page)
    assert not seen.open
    text = seen.text.replace("\u00a0", " ")
    for words in (
        "COMPUTED by models, not by DFT",
        "COMPUTED by machine-learned potentials",
        "ZnO(002) Zn 2.70 ± 0.05 0.200 ± 0.010 0.200 ± 0.010 yes yes 3.4 low (figure only)",
        "ZnO(002)-Zn binding energy 3.4 2.70 ± 0.05 −0.70 not met",
        "ZnO(020) < ZnO(002) (as published; neighbors within their spreads) with ZnO(002) O",
        "ZnO(002)-Zn: what each model says",
        "chgnet, sites",
        "everywhere - 0.21 eV",
        "Structures to download",
        "chgnet (pack 1.0)",
    ):
        assert words in text, words
    links = [value for name, value in seen.attributes if name == "href"]
    assert "structures/ZnO%28002%29-Zn.chgnet.extxyz" in links
    assert sum(tag == "img" for tag in seen.tags) == 5


def test_the_page_holds_hostile_words_as_words(tmp_path):
    row = two_models("<script>alert(1)</script>", "Zn", warnings=["<img src=x>"], paper={"barrier": "<b>low"})
    page = write_page(findings([row]), {}, tmp_path).read_text(encoding="utf-8")
    assert "<script" not in page
    assert "<img" not in page
    assert "<b>low" not in page


def test_settings_are_told_once_and_what_differs_by_face(rows):
    said = finding(rows).summary
    assert surface_results(said)["settings"] == {"n_layers": 4, "cohesive_energy_eV": 1.63}
    assert "settings_of_single_faces" not in surface_results(said)
    other = {**said["settings"], rows[0]["key"]: {**said["settings"][rows[0]["key"]], "n_layers": 8}}
    found = surface_results({**said, "settings": other})
    assert "n_layers" not in found["settings"]
    assert [row["n_layers"] for row in found["settings_of_single_faces"]["faces"]] == [8, 4, 4]
    assert surface_results({"kind": "coat"}) == {}
    assert [title for title, _ in surface_details(said)] == [row["key"] for row in rows]
