"""The command line from end to end with a plug-in of Lennard-Jones: an installed package as pip leaves it, no torch."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

pytest.importorskip("ase")
pytest.importorskip("spglib")

from surface_searches import COPPER_FILE

PLUG_IN = """
import os, time
from interlith.surface.calculators import Model

def make():
    from ase.calculators.lj import LennardJones

    class Slow(LennardJones):
        def calculate(self, *asked, **said):
            time.sleep(float(os.environ.get("LJ_WAIT_S", "0")))
            super().calculate(*asked, **said)

    return Slow(epsilon=0.4, sigma=2.3, rc=5.5, smooth=True)

MODEL = Model("my-lj", "Lennard-Jones, of copper's size", make, "my-lj", "no DFT", "a test", frozenset(["Cu"]))
"""
SURFACES = COPPER_FILE.format(model="my-lj")


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder of packages, in which one registers a model."""
    folder = tmp_path_factory.mktemp("site")
    told = folder / "my_lj-1.0.dist-info"
    told.mkdir()
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: my-lj\nVersion: 1.0\n")
    (told / "entry_points.txt").write_text("[interlith.calculators]\nmy-lj = my_lj:MODEL\n")
    (folder / "my_lj.py").write_text(PLUG_IN)
    return folder


def begun(folder, installed, *arguments, cache=None, wait_s=0.0):
    cache = str(cache or folder / "cache")
    places = {"XDG_CACHE_HOME": cache, "LOCALAPPDATA": cache, "INTERLITH_CACHE": cache, "HOME": cache}
    environment = {
        **os.environ,
        **places,
        "PYTHONPATH": str(installed),
        "LJ_WAIT_S": str(wait_s),
        "OMP_NUM_THREADS": "1",
    }
    (folder / "s.toml").write_text(SURFACES)
    return subprocess.Popen(
        [sys.executable, "-m", "interlith", "screen", *arguments],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ran(folder, installed, *arguments, **asked):
    process = begun(folder, installed, *arguments, **asked)
    out, err = process.communicate(timeout=300)
    return process.returncode, out, err


def pieces(folder):
    return sorted(path for path in folder.rglob("*.json") if len(path.stem) == 40)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, installed):
    """One run, by one process, of which nothing was known before."""
    folder = tmp_path_factory.mktemp("undisturbed")
    status, out, err = ran(folder, installed, "s.toml", "--json", "--workers", "1")
    assert status == 0, err
    return folder, out, err


def test_nothing_but_json_on_stdout_and_nothing_on_stderr(undisturbed):
    _, out, err = undisturbed
    told = json.loads(out)
    assert out.count("\n") == 1
    assert err == ""
    assert told["kind"] == "screen"
    (row,) = told["surfaces"]
    assert row["models"][0]["model"] == "my-lj"
    assert row["binding_energy_eV"] > 0
    assert told["models"][0]["identity"] == "my-lj (my-lj 1.0)"


def test_the_model_is_listed_and_its_unknown_elements_are_warned_of(tmp_path, installed):
    status, out, _ = ran(tmp_path, installed, "--list", "--json")
    assert status == 0
    assert [row["name"] for row in json.loads(out)["models"]] == ["my-lj", "7net-0", "chgnet"]


def test_the_same_again_computes_nothing_with_two_workers_as_with_one(undisturbed, tmp_path, installed):
    folder, out, _ = undisturbed
    again = json.loads(ran(folder, installed, "s.toml", "--json", "--workers", "2")[1])
    two = json.loads(ran(tmp_path, installed, "s.toml", "--json", "--workers", "2")[1])
    one = json.loads(out)
    assert again["run"]["n_computed"] == 0
    assert two["run"]["n_computed"] == one["run"]["n_computed"] == len(pieces(folder))
    for other in (again, two):
        assert {**other, "run": None} == {**one, "run": None}


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_killed_three_times_it_goes_on_and_says_the_same(undisturbed, tmp_path, installed):
    """Slowed to be hit while it works; killed when another piece is kept, and one more, and three more."""
    _, out, _ = undisturbed
    arguments = ["s.toml", "--json", "--workers", "2"]
    kept = {}
    for n_more in (1, 1, 3):
        goal = len(kept) + n_more
        process = begun(tmp_path, installed, *arguments, wait_s=0.01)
        deadline = time.monotonic() + 120
        while len(pieces(tmp_path)) < goal and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        assert process.poll() is None, process.communicate()
        process.send_signal(signal.SIGKILL)
        process.communicate()
        now = {path.name: path.stat().st_mtime_ns for path in pieces(tmp_path)}
        assert kept.items() <= now.items(), "what was kept is not touched again"
        kept = now
    time.sleep(1.0)  # workers see that their caller is gone
    status, text, err = ran(tmp_path, installed, *arguments)
    assert status == 0, err
    last, first = json.loads(text), json.loads(out)
    assert last["run"]["n_stored"] >= len(kept)
    assert last["run"]["n_computed"] + last["run"]["n_stored"] == first["run"]["n_computed"]
    assert {**last, "run": None} == {**first, "run": None}
    now = {path.name: path.stat().st_mtime_ns for path in pieces(tmp_path)}
    assert kept.items() <= now.items()


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT for a child alone")
def test_stopped_it_says_how_to_go_on(tmp_path, installed):
    process = begun(tmp_path, installed, "s.toml", "--json", "--workers", "1", wait_s=0.01)
    while not pieces(tmp_path) and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert out == ""
    assert "To go on: interlith screen s.toml --json --workers 1" in err
    assert "Traceback" not in err


def test_progress_is_told_on_stderr_and_not_when_quiet(tmp_path, installed):
    """A line every 30 s: here time runs thousandfold, by a sitecustomize of the child."""
    (installed / "sitecustomize.py").write_text(
        "import os, time\nif os.environ.get('LJ_WAIT_S') == '0.0001':\n"
        "    real = time.monotonic\n    time.monotonic = lambda: 1000 * real()\n"
    )
    try:
        status, out, err = ran(tmp_path, installed, "s.toml", "--json", "--workers", "1", wait_s=0.0001)
        assert status == 0
        json.loads(out)
        lines = err.splitlines()
        assert lines
        assert all(line.startswith("interlith: ") and "of about" in line and "searches done" in line for line in lines)
        quiet = ran(tmp_path, installed, "s.toml", "--json", "--quiet", "--no-cache", "--workers", "1", wait_s=0.0001)
        assert (quiet[0], quiet[2]) == (0, "")
        assert json.loads(quiet[1])["run"]["n_stored"] == 0
        assert {**json.loads(quiet[1]), "run": None} == {**json.loads(out), "run": None}
    finally:
        (installed / "sitecustomize.py").unlink()


def test_out_has_tables_structures_and_a_page(undisturbed, installed):
    folder, _, _ = undisturbed
    status, _, err = ran(folder, installed, "s.toml", "--workers", "1", "--out", "told")
    assert status == 0, err
    told = folder / "told"
    assert (told / "report.html").is_file()
    assert len(list((told / "structures").glob("*.extxyz"))) == 1
    names = {path.name.split(".")[-2] for path in (told / "tables").glob("*.csv")}
    assert {"surfaces", "sites", "hops", "profile", "work"} <= names
    from ase.io import read

    frames = read(next((told / "structures").glob("*.extxyz")), index=":")
    assert frames[0].info["what"] == "bare slab"


def test_a_plug_in_that_cannot_be_loaded_is_one_line(tmp_path, installed):
    broken = tmp_path / "site"
    told = broken / "other-1.0.dist-info"
    told.mkdir(parents=True)
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1.0\n")
    (told / "entry_points.txt").write_text("[interlith.calculators]\nother = no_such_module:MODEL\n")
    status, out, err = ran(tmp_path, broken, "s.toml", "--json", "--workers", "1")
    assert (status, out) == (3, "")
    assert "my-lj: not a model" in err
    assert "Traceback" not in err
