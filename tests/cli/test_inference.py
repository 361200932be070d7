"""simulate --calibrate and --discriminate, as a person meets them."""

import json

import pytest
from typer.testing import CliRunner

from interlith.cli import app

FIT = """
n_starts = 1
sampler = false

[[parameter]]
name = "host.isolated_per_stripped"
low = 0.0
high = 0.2

[[datum]]
sample = "cp"
observable = "ce_reservoir"
value = 0.9162
sigma = 0.002
"""
RIVALS = """
[[known]]
protocol = "aurbach"
observable = "ce_reservoir"
value = 0.9989

[[rival]]
name = "less"
sample = "cp-zno-002"
[[rival.parameter]]
name = "host.isolated_per_stripped"
low = 1e-5
high = 1e-2
scale = "log"

[[rival]]
name = "revival"
sample = "cp-zno-002-revival"
[[rival.parameter]]
name = "host.revival_rate_per_s"
low = 1e-3
high = 2.5e-3
scale = "log"

[[test]]
name = "efficiency"
protocol = "aurbach"
observables = ["ce_reservoir"]
"""


def asked(*arguments):
    return CliRunner().invoke(app, ["simulate", *arguments, "--quiet", "--workers", "1"])


def written(tmp_path, text):
    path = tmp_path / "asked.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_fit_in_one_command(tmp_path):
    path, out = written(tmp_path, FIT), tmp_path / "out"
    found = json.loads(asked("--calibrate", str(path), "--json", "--out", str(out)).stdout)
    (row,) = found["estimates"]
    assert row["verdict"] == "determined"
    assert row["low"] < 0.0697 < row["high"]
    assert row["kind"] == "calibrated"
    assert "ce_reservoir = 0.9162" in row["source"]
    for name in ("report.html", "figures/asked.profiles.svg", "tables/asked.profiles.csv", "findings.json"):
        assert (out / name).is_file()
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "FITTED" in page
    assert "determined" in page


def test_sigma_may_come_from_the_table_of_noise(tmp_path):
    path = written(tmp_path, FIT.replace("sigma = 0.002\n", ""))
    one = json.loads(asked("--calibrate", str(path), "--json").stdout)["estimates"][0]
    path.write_text(FIT.replace("sigma = 0.002\n", "\n[noise]\nloss_spread = 0.02\n"), encoding="utf-8")
    other = json.loads(asked("--calibrate", str(path), "--json").stdout)["estimates"][0]
    assert other["high"] - other["low"] < 0.3 * (one["high"] - one["low"])


def test_the_shipped_fit_says_what_cannot_be_told():
    told = asked("--calibrate", "reference").stdout
    assert told.count("not determined") >= 2
    assert "trade against each other" in told


@pytest.mark.parametrize(
    ("old", "new", "line", "what"),
    [
        ("high = 0.2", "high = -1.0", 7, "low must be below high"),
        ("host.isolated_per_stripped", "host.isolated_per", 6, "Did you mean isolated_per_stripped"),
        ("low = 0.0", "lowest = 0.0", 7, "Did you mean low"),
        ("high = 0.2", 'high = "much"', 8, "number"),
        ('"ce_reservoir"', '"ce_cycle"', 12, "wrong kind of test"),
        ('sample = "cp"', 'sample = "cpp"', 11, "not a shipped sample"),
        ("value = 0.9162", "", 12, "observable and value"),
        ("sigma = 0.002", "sigma = 0.0", 14, "above 0"),
        ("sigma = 0.002", "sigma = 0.002\nsigmas = 1", 15, "Did you mean sigma"),
        ("n_starts = 1", "n_starts = 0", 2, "at least 1"),
        ("n_starts = 1", "n_starts = 1\nseeds = 1", 3, "Did you mean seed"),
    ],
)
def test_a_wrong_file_is_told_at_its_line(tmp_path, old, new, line, what):
    refused = asked("--calibrate", str(written(tmp_path, FIT.replace(old, new))))
    assert refused.exit_code == 3
    assert f"asked.toml:{line}:" in refused.stderr, refused.stderr
    assert what in refused.stderr


def test_nothing_else_goes_with_it(tmp_path):
    refused = asked("--calibrate", "reference", "--sample", "cp")
    assert refused.exit_code == 3
    assert "one of them" in refused.stderr
    refused = asked("--calibrate", "reference", "--discriminate", "reference")
    assert refused.exit_code == 3
    refused = asked("--calibrate", "referenc")
    assert refused.exit_code == 3
    assert "Did you mean reference?" in refused.stderr


def test_a_question_in_one_command(tmp_path):
    path, out = written(tmp_path, RIVALS), tmp_path / "out"
    found = json.loads(asked("--discriminate", str(path), "--json", "--out", str(out)).stdout)
    (row,) = found["tests"]
    assert row["tests"] == ["efficiency"]
    assert row["n_cells"] is None
    assert not row["possible"]
    assert row["limited_by"] == "same prediction"
    assert found["accuracy"] == 0.95
    assert [rival["name"] for rival in found["rivals"]] == ["less", "revival"]
    assert any("none of these tests" in text for text in found["said"])
    assert (out / "figures" / "asked.cells.svg").is_file()


@pytest.mark.parametrize(
    ("old", "new", "line", "what"),
    [
        ('observables = ["ce_reservoir"]', 'observables = ["ce_cycle"]', 28, "wrong kind of test"),
        ("high = 1e-2", "high = 1e-4", 11, "outside of its range"),
        ('protocol = "aurbach"\nobservables', 'protocol = "aurbch"\nobservables', 27, "Did you mean aurbach"),
        ('name = "revival"', 'name = "less"', 17, "two rivals"),
    ],
)
def test_a_wrong_question_is_told_at_its_line(tmp_path, old, new, line, what):
    refused = asked("--discriminate", str(written(tmp_path, RIVALS.replace(old, new))))
    assert refused.exit_code == 3
    assert what in refused.stderr, refused.stderr
    assert f"asked.toml:{line}:" in refused.stderr, refused.stderr
