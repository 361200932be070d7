"""coat and characterize as a person calls them: one object on stdout, one line on stderr, the exit status."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

KEYS = (
    "loading_wt_fraction",
    "nominal_thickness_nm",
    "equivalent_thickness_nm",
    "particle_diameter_nm",
    "coverage",
    "utilization",
    "regime",
    "warnings",
)


def interlith(*arguments, cwd, **environment):
    return subprocess.run(
        [sys.executable, "-m", "interlith", *arguments],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_coat_gives_one_object(tmp_path):
    done = interlith("coat", "reference-coating", "--json", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    said = json.loads(done.stdout)
    assert not [key for key in KEYS if key not in said]
    assert said["loading_wt_fraction"] == pytest.approx(0.1241, rel=1e-3)
    first = said["audits"][0]
    assert first["verdict"] == "does not close"
    assert "exclude each other" in first["text"]


def test_coat_shows_a_beginning_that_runs(tmp_path):
    shown = interlith("coat", "reference-coating", "--show", cwd=tmp_path)
    (tmp_path / "mine.toml").write_text(shown.stdout, encoding="utf-8")
    done = interlith("coat", "mine.toml", "--loading", "0.2", "--out", "out", cwd=tmp_path, COLUMNS="60")
    assert done.returncode == 0
    assert "What reaches the loading" in done.stdout
    assert max(map(len, done.stdout.split("To paste into other files")[0].splitlines())) <= 60
    assert (tmp_path / "out" / "report.html").exists()
    listed = json.loads(interlith("coat", "--list", "--json", cwd=tmp_path).stdout)
    assert listed["recipes"][0]["name"] == "reference-coating"


@pytest.mark.parametrize(
    ("arguments", "said", "code"),
    [
        (("coat",), "give a recipe file", 3),
        (("coat", "reference-coatin"), "Did you mean reference-coating?", 3),
        (("coat", "reference-coating", "--loading", "12"), "Did you mean 0.12?", 3),
        (("coat", "reference-coating", "--reading", "x"), "not a reading of reference-coating", 3),
        (("coat", "reference-coating", "--set", "batch_mas_kg=2"), "Did you mean batch_mass_kg?", 3),
        (("coat", "reference-coating", "--fit"), "nothing to fit to", 3),
        (("coat", "reference-coating", "--set", "paper.thickness_um=2"), "um of solid without pores", 4),
        (("coat", "reference-coating", "--out", "/dev/null/x"), "cannot be written", 5),
        (("characterize", "none.csv"), "no such file", 3),
        (("characterize", ".", "--mask", "x"), "write LOW-HIGH", 3),
        (("characterize", ".", "--area-cm2", "nan"), "must be a number above 0", 3),
        (("characterize", ".", "--kind", "raman"), "raman", 2),
    ],
)
def test_refusals_are_one_line_and_have_their_status(tmp_path, arguments, said, code):
    (tmp_path / "a.txt").write_text("nothing\n")
    done = interlith(*arguments, cwd=tmp_path)
    assert done.returncode == code
    assert said in done.stderr + done.stdout
    assert "Traceback" not in done.stderr
    assert code == 2 or len(done.stderr.strip().splitlines()) <= 1


def test_characterize_gives_one_object_and_stops_at_no_bad_file(tmp_path):
    f = np.logspace(5, -1, 61)
    z = 3 + 20 / (1 + 2j * np.pi * f * 1e-3)
    rows = "\n".join(f"{a:.5e},{b.real:.6e},{b.imag:.6e}" for a, b in zip(f, z, strict=True))
    (tmp_path / "good.csv").write_text(f"frequency/Hz,Re(Z)/Ohm,Im(Z)/Ohm\n{rows}\n")
    (tmp_path / "bad.csv").write_bytes(bytes(range(256)))
    done = interlith("characterize", "good.csv", "bad.csv", "--json", "--no-cache", "--quiet", cwd=tmp_path)
    assert done.returncode == 3
    files = {row["path"]: row for row in json.loads(done.stdout)["files"]}
    assert files["bad.csv"]["error"]["message"].startswith("bad.csv: ")
    assert files["good.csv"]["measurement"] == "eis"
