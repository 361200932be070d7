"""The page of a study: its pictures are those of its stages, what they draw is in their CSV, misses are in words."""

import json
import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure as Canvas

from interlith.findings import Finding, Findings
from interlith.report import story_kept
from interlith.report.story import pictures_of, write_story
from interlith.report.story_ledger import LOST
from interlith.report.story_picture import KINDS, short
from interlith.study import read_study
from interlith.study_run import run

VOID = {"meta", "img", "br", "link", "input", "hr"}
LARGEST = 2_500_000  # bytes of a page
WIDTHS = (360, 800, 1400)
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
ALL = ["1-surface", "2-coating", "3-paper", "4-voltage", "5-ledger", "6-life", "7-pouch"]
STAGES = {"1-surface": "surface", "2-coating": "coating", "7-pouch": "pouch"}
CYCLE = """steps = [{ kind = "repeat", times = 25, steps = [
  { kind = "constant-current", current_density_mA_per_cm2 = -1.0, areal_capacity_mAh_per_cm2 = 1.0 },
  { kind = "constant-current", current_density_mA_per_cm2 = 1.0, voltage_V = 1.0 },
] }]
"""
LITTLE = """sample = "{sample}"
protocol = {{ name = "little", steps = [
  {{ kind = "constant-current", current_density_mA_per_cm2 = -1.0, areal_capacity_mAh_per_cm2 = 0.2 }},
  {{ kind = "constant-current", current_density_mA_per_cm2 = 1.0, voltage_V = 1.0 }}] }}
"""
STUDY = """
title = 'A <script>alert("x")</script> & "host"'
ask = "Is 'it' <b>better</b>?"
source = "Nobody (2025), doi:10.1038/s41467-025-60609-4"
note = "<i>a</i> & b"
[surface]
surfaces = "reference-surfaces"
[coating]
recipe = "reference-coating"
[pouch]
cell = "reference-pouch"
reconcile = false
samples = 2000
[tests.one]
sample = "cp"
[tests.one.protocol]
name = "few"
CYCLE
[tests.aurbach]
sample = "cp-zno-002-revival"
protocol = "aurbach"
[tests.lco]
sample = "cp-zno-002"
protocol = "li-lco"
MEASURED
[[expect]]
section = "cells & more"
quantity = "efficiency <i>of one</i>"
unit = "1"
paper = 0.5
ours = "tests > one > results > efficiency > mean_efficiency"
reason = "made to be <missed>"
[[expect]]
section = "cells & more"
quantity = "Aurbach efficiency"
unit = "1"
paper = 0.9989
is_loss = true
ours = "tests > aurbach > ce_reservoir"
[[expect]]
section = "paper"
quantity = "thickness at 1 mAh/cm2"
unit = "um"
paper = 20.1
tolerance = 10.0
ours = "tests > one > thickness_um > porous_cap"
[[expect]]
section = "paper"
quantity = "nothing to compare with"
ours = "coating > coverage"
""".replace("CYCLE", CYCLE)
RECORD = """[measured.cell]
files = ["cell.bdf.parquet"]
beside = "one"
area_cm2 = 1.131
"""
HELD_OUT = [
    {"quantity": "life", "unit": "cycles", "paper": 40.0, "at_least": False, "predicted": 101.0, "low": 55.0}
    | {"high": 203.0, "n_draws": 2, "reason": "no shorts", "within": False},
    {"quantity": "kept", "unit": "1", "paper": 0.94, "at_least": True, "predicted": 0.99, "low": 0.9, "high": 1.0}
    | {"n_draws": 2, "reason": "", "within": True},
]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """Findings of a study with every stage, a measured record among them, without its page."""
    folder = tmp_path_factory.mktemp("study")
    (folder / "first.toml").write_text(
        f'title = "first"\n[tests.one]\nsample = "cp"\n[tests.one.protocol]\nname = "few"\n{CYCLE}', encoding="utf-8"
    )
    run(read_study(str(folder / "first.toml")), folder / "first", workers=1)
    shutil.copy(folder / "first" / "records" / "tests.one.bdf.parquet", folder / "cell.bdf.parquet")
    (folder / "tiny.toml").write_text(STUDY.replace("MEASURED", RECORD), encoding="utf-8")
    found = run(read_study(str(folder / "tiny.toml")), folder / "out", workers=1)
    assert not [row for row in found.items[0].summary["stages"] if row["error"]]
    held_out = Finding("held_out", {"path": "held-out", "kind": "held-out", "said": [], "rows": HELD_OUT})
    return replace(found, items=(*found.items, held_out))


@pytest.fixture(scope="module")
def written(tiny, tmp_path_factory):
    """The folder with the page of that study."""
    folder = tmp_path_factory.mktemp("page")
    write_story(tiny, folder)
    return folder


@pytest.fixture(scope="module")
def page(written):
    return Reader((written / "report.html").read_text(encoding="utf-8"))


class Reader(HTMLParser):
    """Checks that every element is closed in its turn; collects tags with their attributes, and text."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.words = [], [], []
        self.rows = []  # cells of each row of a table, with the class of the row
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append((dict(attrs).get("class"), []))
        if tag in ("td", "th"):
            self.rows[-1][1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open[-1:] == [tag], f"</{tag}> closes <{self.open[-1:]}>"
        self.open.pop()

    def handle_data(self, data):
        self.words.append(data)
        if "td" in self.open or "th" in self.open:
            self.rows[-1][1][-1] += data

    @property
    def text(self):
        return re.sub(r"\s+", " ", " ".join(self.words))

    def row_of(self, first):
        return next(row for row in self.rows if row[1] and row[1][0].strip() == first)


def without(findings, name):
    return replace(findings, items=tuple(item for item in findings.items if not item.name.startswith(name)))


def names(findings):
    return [picture.name for _, picture in pictures_of(findings)]


def sketch_of(findings, name):
    return next(sketch for _, picture in pictures_of(findings) for sketch in picture.sketches if sketch.name == name)


def painted(sketch):
    canvas = Canvas()
    sketch.paint(canvas)
    return canvas.axes


# ---- which pictures


def test_each_stage_has_its_picture_and_each_picture_its_figures(tiny, page):
    assert names(tiny) == ALL
    assert all(picture.sketches and picture.heading and picture.says for _, picture in pictures_of(tiny))
    shown = [dict(attrs)["id"] for tag, attrs in page.tags if tag == "section" and attrs.get("id") in ALL]
    assert shown == ALL
    n_figures = sum(len(picture.sketches) for _, picture in pictures_of(tiny))
    assert sum(tag == "figure" for tag, _ in page.tags) == n_figures >= 12


@pytest.mark.parametrize("name", sorted(STAGES))
def test_without_a_stage_there_is_no_such_picture(tiny, written, tmp_path, name):
    shutil.copytree(written, tmp_path, dirs_exist_ok=True)
    left = without(tiny, STAGES[name])
    gone = {name, "3-paper"} if name == "2-coating" else {name}
    assert names(left) == [one for one in ALL if one not in gone]
    text = write_story(left, tmp_path).read_text(encoding="utf-8")
    assert f'id="{name}"' not in text
    assert not list((tmp_path / "figures").glob(f"*.{name}-*"))


def test_without_tests_there_is_no_voltage_and_no_ledger(tiny):
    assert names(without(without(tiny, "tests."), "held_out")) == ["1-surface", "2-coating", "3-paper", "7-pouch"]


def test_a_study_of_one_test_has_its_three_pictures(tmp_path):
    found = run(read_study("li-cu"), tmp_path, workers=1)
    assert names(found) == ["4-voltage", "5-ledger", "6-life"]
    page = Reader((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert "li-cu gives back" in page.text
    assert sum(tag == "img" for tag, _ in page.tags) == len(list((tmp_path / "figures").glob("*.svg"))) == 5


def test_headings_say_what_the_numbers_are(tiny):
    found = {picture.name: picture.heading for _, picture in pictures_of(tiny)}
    assert found["6-life"].startswith("1 of 2 held-out results agree")
    one = next(item for item in tiny.items if item.name == "tests.one")
    bad = {**one.summary["ledger"], "dead_top": 12.5}
    worse = replace(one, summary={**one.summary, "ledger": bad})
    changed = replace(tiny, items=tuple(worse if item is one else item for item in tiny.items))
    heading = next(picture.heading for _, picture in pictures_of(changed) if picture.name == "5-ledger")
    assert "dead on top" in heading
    assert "dead in the pores" in found["5-ledger"]


# ---- what is drawn


def test_every_csv_is_the_data_of_its_figure(tiny, written):
    for _, picture in pictures_of(tiny):
        for sketch in picture.sketches:
            path = written / "figures" / f"tiny.{sketch.name}.csv"
            assert path.read_text(encoding="utf-8") == sketch.data.write_csv()
            assert sketch.data.height > 0


def test_bars_of_the_account_are_the_numbers_of_the_csv(tiny):
    sketch = sketch_of(tiny, "5-ledger-ends")
    left, right = painted(sketch)
    for axes, ending in ((left, "percent_of_taken"), (right, "percent_there")):
        drawn = {}
        for bars in axes.collections:
            if isinstance(bars, PolyCollection) and bars.get_label() != "_nolegend_":
                widths = [np.ptp(path.vertices[:, 0]) for path in bars.get_paths()]
                drawn[bars.get_label()] = sum(widths)
        columns = [name for name in sketch.data.columns if name.endswith(ending) and not name.startswith("revived")]
        held = sorted(float(sketch.data[name].sum()) for name in columns)
        assert sum(drawn.values()) == pytest.approx(sum(held), rel=1e-3)
        assert max(drawn.values()) == pytest.approx(max(held), rel=1e-9)
    assert [line.get_xdata()[0] for line in left.lines if line.get_label() == "revived"] == pytest.approx(
        sketch.data.filter(pl.col("revived_percent_of_taken") > 0.01)["revived_percent_of_taken"].to_list()
    )


def test_the_account_is_the_ledger_of_each_test(tiny):
    data = sketch_of(tiny, "5-ledger-ends").data
    for name, label in (("one", "one"), ("aurbach", "aurbach, fitted"), ("lco", "lco")):
        said = next(item for item in tiny.items if item.name == f"tests.{name}").summary
        row = data.filter(pl.col("test") == label).row(0, named=True)
        taken = said["plated_in_all_mAh_per_cm2"] + max(said["ledger"]["converted"], 0.0)
        for entry in LOST:
            share = 100.0 * max(said["ledger"][entry], 0.0) / taken
            assert row[f"{entry}_percent_of_taken"] == pytest.approx(share, rel=1e-12)
        assert sum(row[key] for key in row if key.endswith("percent_there")) == pytest.approx(100.0)


def test_lines_are_the_numbers_of_the_csv(tiny):
    sketch = sketch_of(tiny, "4-voltage-efficiency")
    lines = [line for line in painted(sketch)[0].lines if not line.get_label().startswith("_")]
    one = sketch.data.filter(pl.col("what") == "measured")
    assert {line.get_label() for line in lines} == {"one", "cell, measured"}
    measured = next(line for line in lines if line.get_label() == "cell, measured")
    assert measured.get_ydata() == pytest.approx(1.0 - one["efficiency"].to_numpy())
    sketch = sketch_of(tiny, "4-voltage-cycle")
    curve = next(line for line in painted(sketch)[0].lines if line.get_label().startswith("cell, measured"))
    held = sketch.data.filter((pl.col("what") == "measured") & (pl.col("branch") == "strip"))
    assert curve.get_ydata() == pytest.approx(1000.0 * held["voltage_V"].to_numpy())


def test_points_beside_published_ones_are_the_numbers_of_the_csv(tiny):
    sketch = sketch_of(tiny, "6-life-held-out")
    (axes,) = painted(sketch)
    ours = next(line for line in axes.lines if line.get_label() == "ours, predicted")
    assert ours.get_xdata() == pytest.approx((sketch.data["ours"] / sketch.data["paper"]).to_list())
    words = [text.get_text() for text in axes.texts]
    assert words.count("missed") == 1
    assert words.count("met") == 1
    assert "0.99 | ≥ 0.94" in words


def test_faces_bars_and_lives_are_the_numbers_of_the_csv(tiny):
    sketch = sketch_of(tiny, "1-surface-faces")
    published = sorted(
        x for line in painted(sketch)[0].lines if line.get_label() == "published" for x in line.get_xdata()
    )
    held = sketch.data.filter((pl.col("what") == "paper") & (pl.col("quantity") == "binding_energy_eV"))
    assert published == sorted(held["value_eV"])
    labels = [tick.get_text() for tick in painted(sketch)[0].get_yticklabels()]
    n_unranked = sketch.data.filter(~pl.col("is_ranked"))["key"].n_unique()
    assert sum("not ranked" in label for label in labels) == n_unranked == 2
    sketch = sketch_of(tiny, "7-pouch-energy")
    heights = [bar.get_height() for bar in painted(sketch)[0].patches]
    assert heights == sketch.data["n_draws"].drop_nulls().to_list()
    sketch = sketch_of(tiny, "6-life-lives")
    lengths = [bar.get_width() for bar in painted(sketch)[0].patches]
    assert lengths == sketch.data.filter(pl.col("what") == "ran")["cycle"].to_list() == [25, 100]


# ---- the table


def test_a_miss_is_a_word_and_a_fit_is_no_success(page):
    kind, cells = page.row_of("efficiency <i>of one</i>")
    assert kind == "missed"
    assert "MISSED" in cells
    assert "made to be <missed>" in cells
    kind, cells = page.row_of("Aurbach efficiency")
    assert kind == "open"
    assert cells[5:7] == ["calibrated", "met, fitted"]
    assert page.row_of("thickness at 1 mAh/cm2")[1][6] == "met"
    assert page.row_of("nothing to compare with")[1][6] == "not judged"


def test_nothing_calibrated_is_counted_among_predicted(tiny, written, page, tmp_path):
    shutil.copytree(written, tmp_path, dirs_exist_ok=True)
    assert page.row_of("predicted")[1][1:4] == ["1 of 2", "1", "0"]
    assert page.row_of("calibrated")[1][1:4] == ["1 of 1", "0", "0"]
    own = tiny.items[0]
    rows = [{**row, "kind": "calibrated"} for row in own.summary["rows"]]
    fitted = replace(tiny, items=(replace(own, summary={**own.summary, "rows": rows}), *tiny.items[1:]))
    changed = Reader(write_story(fitted, tmp_path).read_text(encoding="utf-8"))
    assert changed.row_of("predicted")[1][1:4] == ["-", "-", "-"]
    assert changed.row_of("calibrated")[1][1:4] == ["2 of 3", "1", "1"]


def test_a_stage_without_a_result_is_told_first(tiny, tmp_path):
    own = tiny.items[0].summary
    stages = [
        {**row, "how": "failed", "error": {"type": "SolverError", "message": "a <b> stuck"}} for row in own["stages"]
    ]
    rows = [{**row, "ours": None, "within": None, "reason": "it failed"} for row in own["rows"]]
    bare = Findings("x", (replace(tiny.items[0], summary={**own, "stages": stages, "rows": rows}),))
    page = Reader(write_story(bare, tmp_path).read_text(encoding="utf-8"))
    assert f"{len(stages)} of {len(stages)} stages have no result" in page.text
    assert "a <b> stuck" in page.text
    assert page.row_of("Aurbach efficiency")[1][6] == "no value"
    assert not [tag for tag, _ in page.tags if tag in ("img", "figure")]
    assert [path.name for path in (tmp_path / "figures").glob("*.*")] == []


def test_audits_handed_stages_and_values_are_on_the_page(tiny, page):
    audits = [audit for item in tiny.items[1:] for audit in item.summary.get("audits") or ()]
    open_ones = [audit["name"] for audit in audits if audit["verdict"] == "does not close"]
    assert open_ones
    assert all(page.row_of(name) for name in open_ones)
    assert not [audit for audit in audits if audit["verdict"] == "closes" and audit["text"] in page.text]
    assert all(page.row_of(row["name"]) for row in tiny.items[0].summary["stages"])
    assert page.row_of("working.isolated_per_stripped")
    used = {row["kind"] for item in tiny.items[1:] for row in item.summary.get("parameters") or ()}
    assert {"assumed", "calibrated", "stated"} <= used
    assert page.row_of("cell")[1][2:] == ["efficiency: mean efficiency (%)", "91.65", "91.65"]
    assert "SHA-256" in page.text
    assert tiny.warning in page.text


# ---- the page


def test_nothing_is_loaded_and_nothing_runs(written, page):
    text = (written / "report.html").read_text(encoding="utf-8")
    for _, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on")]
        assert attributes.get("src", "data:").startswith("data:image/svg+xml;base64,") or "src" not in attributes
        assert re.match(r"#|figures/|https://doi\.org/10\.", attributes.get("href", "#"))
    assert not {"script", "link", "iframe", "object"} & {tag for tag, _ in page.tags}
    assert "@import" not in text
    assert "url(" not in text
    assert len(text) < LARGEST


def test_what_files_say_is_escaped(written, page):
    assert not {"b", "i"} & {tag for tag, _ in page.tags}
    assert page.text.count('A <script>alert("x")</script> & "host"') == 2
    assert "Is 'it' <b>better</b>?" in page.text
    for svg in (written / "figures").glob("*.svg"):
        assert "<script" not in svg.read_text(encoding="utf-8")


def test_links_lead_somewhere_and_headings_are_in_order(written, page):
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = [attributes["href"] for tag, attributes in page.tags if tag == "a"]
    assert {link[1:] for link in links if link.startswith("#")} <= set(ids)
    files = [link for link in links if link.startswith("figures/")]
    assert len(files) == 3 * sum(tag == "img" for tag, _ in page.tags)
    assert all((written / link).is_file() for link in files)
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert all(len(attributes["alt"]) > 20 for tag, attributes in page.tags if tag == "img")
    boxes = [attributes for tag, attributes in page.tags if attributes.get("class") == "scroll"]
    assert all(box["tabindex"] == "0" and box["aria-label"] for box in boxes)


def test_every_kind_of_number_is_explained(tiny, page):
    shown = {kind for _, picture in pictures_of(tiny) for kind in picture.kinds}
    assert shown == {"measured", "computed", "predicted", "calibrated"}
    assert all(KINDS[kind] in page.text for kind in shown)


# ---- kept


def files_of(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_same_findings_give_the_same_bytes(tiny, written, tmp_path):
    write_story(tiny, tmp_path)
    assert files_of(tmp_path) == files_of(written)


def test_what_is_there_already_is_not_drawn_again(tiny, written, tmp_path, monkeypatch):
    shutil.copytree(written, tmp_path, dirs_exist_ok=True)
    before, drawn = files_of(tmp_path), []
    draw = story_kept.draw_sketches
    monkeypatch.setattr(
        story_kept,
        "draw_sketches",
        lambda sketches, *rest: drawn.extend(s.name for s in sketches) or draw(sketches, *rest),
    )
    write_story(tiny, tmp_path)
    assert drawn == []
    (tmp_path / "figures" / "tiny.4-voltage-cycle.png").unlink()
    (tmp_path / "figures" / "tiny.5-ledger-ends.csv").write_text("changed", encoding="utf-8")
    write_story(tiny, tmp_path)
    assert sorted(drawn) == ["4-voltage-cycle", "5-ledger-ends"]
    told = tmp_path / "figures" / "story.json"
    held = json.loads(told.read_text(encoding="utf-8"))
    held["tiny.6-life-lives"] = "nonsense"
    told.write_text(json.dumps(held), encoding="utf-8")
    write_story(tiny, tmp_path)
    assert drawn[2:] == ["6-life-lives"]
    assert files_of(tmp_path) == before


def test_a_list_that_cannot_be_read_is_no_list(tmp_path):
    path = tmp_path / "story.json"
    assert story_kept._read(path) == {}
    for text in ("[", "[1]", "\x00"):
        path.write_text(text, encoding="utf-8")
        assert story_kept._read(path) == {}


def test_what_changed_is_drawn_again(tiny, written, tmp_path):
    shutil.copytree(written, tmp_path, dirs_exist_ok=True)
    pouch = next(item for item in tiny.items if item.name == "pouch")
    lighter = pouch.tables["masses"].with_columns(pl.col("mass_g") * 0.5)
    other = replace(pouch, tables={**pouch.tables, "masses": lighter})
    write_story(replace(tiny, items=tuple(other if item is pouch else item for item in tiny.items)), tmp_path)
    name = "figures/tiny.7-pouch-masses"
    before, after = files_of(written), files_of(tmp_path)
    assert all(before[f"{name}.{kind}"] != after[f"{name}.{kind}"] for kind in ("svg", "png", "csv"))
    assert before["figures/tiny.4-voltage-cycle.svg"] == after["figures/tiny.4-voltage-cycle.svg"]
    assert before["report.html"] != after["report.html"]


def test_figures_of_a_stage_that_is_gone_are_removed(tiny, written, tmp_path):
    shutil.copytree(written, tmp_path, dirs_exist_ok=True)
    (tmp_path / "figures" / "mine.png").write_bytes(b"not ours")
    write_story(without(tiny, "pouch"), tmp_path)
    assert not list((tmp_path / "figures").glob("*7-pouch*"))
    assert (tmp_path / "figures" / "mine.png").is_file()


# ---- in a browser

PROBE = """<script>addEventListener('load', () => {
document.querySelectorAll('details').forEach(one => { one.open = true })
const held = document.scrollingElement
parent.postMessage([WIDTH, held.scrollWidth, innerWidth].join(' '), '*') })</script></body>"""
FRAMES = """<!DOCTYPE html><body><script>addEventListener('message', event => {
document.body.insertAdjacentHTML('beforeend', '<p class="probe">' + event.data + '</p>') })</script>%s</body>"""


def test_the_page_never_scrolls_sideways(written, tmp_path):
    browser = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if browser is None:
        pytest.skip(f"no browser to look with: none of {', '.join(BROWSERS)}")
    text = (written / "report.html").read_text(encoding="utf-8")
    assert text.count("</body>") == 1
    for width in WIDTHS:
        probe = PROBE.replace("WIDTH", str(width))
        (tmp_path / f"{width}.html").write_text(text.replace("</body>", probe), encoding="utf-8")
    frames = "".join(
        f'<iframe src="{width}.html" style="border:0;width:{width}px;height:900px"></iframe>' for width in WIDTHS
    )
    (tmp_path / "frames.html").write_text(FRAMES % frames, encoding="utf-8")
    asked = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=8000"]
    asked += ["--window-size=1500,900", "--dump-dom", f"--user-data-dir={tmp_path / 'profile'}"]
    found = subprocess.run([*asked, (tmp_path / "frames.html").as_uri()], capture_output=True, text=True, timeout=120)
    probes = [tuple(map(int, one.split())) for one in re.findall(r'class="probe">([\d ]+)<', found.stdout)]
    if not probes and found.returncode:
        pytest.skip(f"the browser does not run here: {found.stderr[-200:]}")
    assert sorted(width for width, _, _ in probes) == list(WIDTHS)
    for width, scrolled, inner in probes:
        assert inner == width
        assert scrolled <= inner, f"at {width} px the page is {scrolled} px wide"


def test_names_on_the_page_are_those_that_a_person_gave(tmp_path):
    tests = "".join(f'[tests."{name}"]\n{LITTLE.format(sample="cp")}' for name in ("a b", "a_b"))
    (tmp_path / "s.toml").write_text(tests, encoding="utf-8")
    findings = run(read_study(str(tmp_path / "s.toml")), tmp_path / "out", workers=1)
    assert [short(item) for item in findings.items[1:]] == ["a b", "a_b"]


def test_no_test_loses_more_than_went_in(tmp_path):
    """Little lithium on much oxide: most of it is bound before anything is plated."""
    (tmp_path / "s.toml").write_text(LITTLE.format(sample="cp-zno-002"), encoding="utf-8")
    row = sketch_of(run(read_study(str(tmp_path / "s.toml")), tmp_path / "out", workers=1), "5-ledger-ends").data
    assert 0.0 < row["converted_percent_of_taken"][0] < 100.0
