"""The page: well-formed, on its own, complete, and proof against hostile names."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from interlith.cycling import present
from interlith.cycling.analyze import analyze
from interlith.cycling.synthetic import examples
from interlith.cycling.thresholds import Thresholds
from interlith.errors import CorruptFile
from interlith.findings import Finding, Findings, plain
from interlith.report.figures import draw
from interlith.report.page import _is_wide, write_page
from interlith.report.wording import label

VOID = {"meta", "img", "br", "link", "input", "hr"}
HOSTILE = "<script>alert(1)</script>.csv"


class Reader(HTMLParser):
    """Checks that every element is closed in its turn; collects attributes and text."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.attributes, self.words = [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> without beginning"
        assert self.open[-1] == tag, f"</{tag}> closes <{self.open[-1]}>"
        self.open.pop()

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return re.sub(r"\s+", " ", " ".join(self.words))


def analyzed(name, record, **options):
    analysis = analyze(record, **options)
    return Finding(name, plain(present.summary(analysis, Path(name))), present.tables(analysis))


@pytest.fixture(scope="module")
def items():
    good = [analyzed(f"synthetic-{e.name}", e.record) for e in examples()]
    bad = Finding("cell", present.refused(Path("cell.ndax"), CorruptFile("cell.ndax: ends in a row & more")))
    return (*good, bad)


@pytest.fixture(scope="module")
def page(items, tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    figures = {item.name: draw(item, folder) for item in items[:2]}
    limits = Thresholds(short_drop=0.4).table()
    return write_page(Findings("Five cells", items, tuple(limits)), figures, folder)


@pytest.fixture(scope="module")
def read(page):
    return Reader(page.read_text())


def rendered(folder, *items, **more):
    path = write_page(Findings("t", items, **more), {}, folder)
    return path.read_text(), Reader(path.read_text())


def test_every_element_is_closed(page, read):
    assert page.name == "report.html"
    assert read.open == []
    assert read.tags.count("section") == 6, "one for each file and one for the thresholds"


def test_nothing_is_fetched_and_nothing_runs(page, read):
    text = page.read_text()
    assert "script" not in read.tags
    assert not re.search(r"https?://(?!(dx\.)?doi\.org/)", re.sub(r"base64,[A-Za-z0-9+/=]+", "", text))
    assert not re.search(r"@import|url\(", text)
    sources = [value for name, value in read.attributes if name == "src"]
    assert len(sources) == 9
    assert all(source.startswith("data:image/svg+xml;base64,") for source in sources)


def test_links_lead_to_files_and_sections_that_exist(page, read):
    ids = [value for name, value in read.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    links = [value for name, value in read.attributes if name == "href"]
    assert len([link for link in links if not link.startswith("#")]) == 27
    for link in links:
        assert link[1:] in ids if link.startswith("#") else (page.parent / link).is_file()


def test_every_result_of_every_file_is_on_the_page(items, read):
    keys = [value for name, value in read.attributes if name == "data-key"]
    expected = [
        key
        for item in items
        for result in item.summary["results"].values()
        for key in result
        if key not in ("why_not", "notes")
    ]
    assert sorted(keys) == sorted(expected)
    for item in items:
        for result in item.summary["results"].values():
            assert all(
                re.sub(r"\s+", " ", label(key)) in read.text for key in result if key not in ("why_not", "notes")
            )
            assert result["why_not"] is None or result["why_not"] in read.text
            assert all(note in read.text for note in result["notes"])


def test_facts_that_are_not_known_are_shown_as_such(read):
    assert re.search(r"active mass \(mg\) not given", read.text)
    assert re.search(r"area \(cm²\) 1\.131 \(stated\)", read.text)


def test_what_rests_on_an_assumption_says_so(read):
    assert re.search(r"offset \(µA\) 2\.5 assumed", read.text)
    assert re.search(r"uncertainty \(k = 2\) \(%\) 0\.44 assumed", read.text)


def test_a_stated_offset_is_not_called_assumed(tmp_path):
    _, read = rendered(tmp_path, analyzed("x", examples()[0].record, offset_uA=1.0))
    assert "offset stated" in read.text
    assert not re.search(r"offset \(µA\) [\d.]+ assumed", read.text)


def test_a_file_that_failed_shows_its_error(read):
    assert "CorruptFile : cell.ndax: ends in a row & more" in read.text


def test_synthetic_stands_in_every_section(items, read):
    headings = [word for word in read.words if word.strip() == "SYNTHETIC"]
    assert len(headings) == 2 * 4, "in the table of files and at each section"


def test_events_beyond_fifty_are_counted_not_listed(items, tmp_path):
    event = {"time_h": 1.0, "end_time_h": None, "cycle": 3, "code": "no_cutoff", "message": "never reached"}
    _, read = rendered(tmp_path, Finding("x", {**items[0].summary, "events": [event] * 70}))
    assert read.text.count("never reached") == 50
    assert "70 × no cutoff" in read.text
    assert "the first 50 of 70" in read.text


def test_flags_show_their_row(items, tmp_path):
    flag = {"code": "gap", "message": "no data for 3 h", "n_rows": 1, "first_row": 0}
    _, read = rendered(tmp_path, Finding("x", {**items[0].summary, "flags": [flag]}))
    assert re.search(r"gap no data for 3 h 1 0", read.text)


def test_truth_stands_beside_the_result(items, tmp_path):
    rows = [{"quantity": "final_efficiency", "truth": 0.9989, "found": None}]
    _, read = rendered(tmp_path, Finding("x", {**items[0].summary, "truth": rows}))
    assert "final efficiency (%) 99.890 not known" in read.text


def test_changed_thresholds_are_marked(page, read):
    rows = re.findall(r'<tr class="changed">.*?</tr>', page.read_text())
    assert rows
    assert all("short_drop" in row for row in rows)
    assert "currents below this fraction of the largest are rest" in read.text


def test_hostile_names_and_headers_stay_text(items, tmp_path):
    evil = f'"><img src=x onerror=alert(1)>{HOSTILE}'
    summary = {**items[0].summary, "path": evil, "kind_reason": evil, "working_electrode": evil}
    summary |= {
        "provenance": {"path": evil, "notes": [evil]},
        "results": {evil: {evil: evil, "why_not": evil, "notes": [evil]}},
    }
    summary |= {"flags": [{"code": evil, "message": evil, "n_rows": 0, "first_row": None}]}
    summary |= {"facts": {"area_cm2": {"value": evil, "kind": "stated", "source": evil}}, "thresholds": {}}
    event = {"time_h": None, "end_time_h": None, "cycle": None, "code": evil, "message": evil}
    failed = Finding(evil, {"error": {"type": evil, "message": evil}})
    text, read = rendered(tmp_path, Finding(evil, {**summary, "events": [event]}), failed, warning=evil)
    assert "<script" not in text
    assert "script" not in read.tags
    assert "img" not in read.tags
    assert not any(name.startswith("on") for name, _ in read.attributes)
    assert read.text.count(HOSTILE) > 10


def test_many_files_are_folded(items, tmp_path):
    _, read = rendered(tmp_path, *[Finding(f"cell-{n}", items[0].summary) for n in range(21)])
    folded = [attribute for attribute in read.attributes if attribute == ("class", "file")]
    assert len(folded) == 21
    assert "section" not in read.tags


@pytest.mark.parametrize(
    ("table", "wide"),
    [
        ([{"cycle": 1, "voltage_V": 3.7}], False),
        ([dict.fromkeys("abcde", 1)], True),
        ([{"test": "aurbach", "why": "word " * 20}], True),
        ([1.0, 2.0], False),
        ("word " * 20, False),
    ],
)
def test_a_table_of_many_columns_or_sentences_takes_the_whole_width(table, wide):
    assert _is_wide(table) is wide
