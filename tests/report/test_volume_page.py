"""The page in three dimensions: on its own, proof against hostile names, and drawn by a browser where there is one."""

import re
import shutil
import subprocess

import numpy as np
import pytest

from interlith.deposit.layers import AGAIN, DEAD, FIBRES, LIVE, MOSS, State, scene
from interlith.report.volume_page import write_volume

BROWSER = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)
SOFTWARE = ("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")
NONE_AT_ALL = ("--disable-gpu", "--disable-software-rasterizer", "--disable-3d-apis")
needs_browser = pytest.mark.skipif(BROWSER is None, reason="no chromium here: the page is not drawn")


def states():
    host, lithium, nothing = (np.zeros((8, 8, 8), dtype=np.float32) for _ in range(3))
    host[2:4, 2:4], lithium[4:6] = 1.0, 1.0
    empty = dict.fromkeys((LIVE, MOSS, DEAD, AGAIN), nothing)
    edges = np.arange(9.0)
    bare = State("bare", edges, {FIBRES: host, **empty}, {LIVE: 0.0, DEAD: 0.0})
    full = State("1 mAh/cm2", edges, {FIBRES: host, **empty, LIVE: lithium}, {LIVE: 1.0, DEAD: 0.0})
    return [bare, full]


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    made = scene(states(), 1.0, 6.0)
    return write_volume(made, "a box", ["SIMULATED"], ["not converged"], tmp_path_factory.mktemp("volume"))


def drawn(page, view, *options):
    """The page as the browser holds it after it was drawn: attributes of its root, and its text."""
    command = [BROWSER, "--headless", "--no-sandbox", *options, f"--user-data-dir={page.parent / 'profile'}"]
    command += ["--window-size=600,500", "--virtual-time-budget=5000", "--dump-dom", f"file://{page}#{view}"]
    dom = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60).stdout
    root = re.search(r"<html[^>]*>", dom)
    return dict(re.findall(r'data-([a-z]+)="([^"]*)"', root[0] if root else "")), dom


def test_the_page_loads_nothing_and_says_what_it_must(page):
    text = page.read_text(encoding="utf-8")
    assert "http:" not in text
    assert "https:" not in text
    assert not re.search(r"<(link|img|iframe)\b|\bsrc=|fetch\(|import\(|XMLHttpRequest", text)
    assert "default-src 'none'" in text
    for words in ("SIMULATED", "not converged", "Every voxel, 1 um wide", 'href="report.html"'):
        assert words in text


def test_hostile_names_stay_text(tmp_path):
    evil = '</script><script>alert(1)</script>"><img onerror=x>'
    renamed = [State(evil, one.z_edges_um, one.shares, one.mAh_per_cm2) for one in states()]
    text = write_volume(scene(renamed, 1.0, 6.0), evil, [evil], [evil], tmp_path).read_text(encoding="utf-8")
    assert text.count("<script") == 2
    assert "<img" not in text


@needs_browser
def test_a_browser_draws_it_and_what_is_asked_for(page):
    bare, _ = drawn(page, "state=0", *SOFTWARE)
    assert bare["ready"] == "drawn", bare
    empty, _ = drawn(page, f"state=0&hide={FIBRES}", *SOFTWARE)
    full, dom = drawn(page, "state=1&cut=30&theme=dark", *SOFTWARE)
    assert (full["ready"], full["theme"]) == ("drawn", "dark")
    shares = [float(one["painted"]) for one in (empty, bare, full)]
    assert shares[0] + 0.01 < shares[1] < shares[2] - 0.01 < 1.0
    assert re.search(r'id="now"[^>]*>1 mAh/cm2<', dom)
    assert re.search(r"<span>\d+ um</span>", dom)


@needs_browser
def test_without_webgl_the_page_says_so(page):
    told, dom = drawn(page, "", *NONE_AT_ALL)
    assert told["ready"] == "trouble"
    assert "has no WebGL 2" in dom
