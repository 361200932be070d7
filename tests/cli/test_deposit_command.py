"""deposit as a person calls it: one object on stdout, one line on stderr, the exit status, a page."""

import json
import os
import subprocess
import sys

import numpy as np
import polars as pl
import pytest

from interlith.errors import InputError
from interlith.networks import NetworkOptions, read

SMALL = """title = "a small box"
[network]
bundle_diameter_um = 2.0
fibre_length_um = 30
tilt_deg = 10
porosity = 0.8
thickness_um = 20
[box]
width_um = 24
voxel_um = 1
seeds = [1, 2]
"""


def interlith(*arguments, cwd, **environment):
    return subprocess.run(
        [sys.executable, "-m", "interlith", *arguments],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_network_gives_one_object_and_a_page_with_the_same_numbers(tmp_path):
    (tmp_path / "small.toml").write_text(SMALL, encoding="utf-8")
    done = interlith("deposit", "small.toml", "--network-only", "--json", "--quiet", "--out", "out", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    said = json.loads(done.stdout)
    assert said["kind"] == "network"
    assert said["shape"] == [20, 24, 24]
    values = said["values"]
    assert values["porosity"]["mean"] == pytest.approx(0.8, abs=1e-5)
    assert values["pore_capacity_mAh_per_cm2"]["mean"] == pytest.approx(0.8 * 20 * 0.2062, rel=1e-3)
    assert values["tortuosity_factor_through"]["low"] < values["tortuosity_factor_through"]["high"]
    assert len(said["transport"]) == 12
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "How wide the pores are" in page
    assert "COMPUTED" in page
    assert "<td>pore capacity (mAh cm⁻²)</td>" in page
    rows = pl.read_csv(tmp_path / "out" / "tables" / "small.profile.csv")
    assert 1.0 - rows["porosity"].mean() == pytest.approx(0.2, abs=1e-4)
    text = interlith("deposit", "small.toml", "--network-only", cwd=tmp_path, COLUMNS="60")
    assert max(map(len, text.stdout.splitlines())) <= 60
    assert "voxels twice as wide" in text.stdout.replace("\n", " ")


def test_what_another_result_left_in_a_folder_is_told_and_stays(tmp_path):
    (tmp_path / "small.toml").write_text(SMALL.replace("[1, 2]", "[1]"), encoding="utf-8")
    held = {"interlith": "0", "files": [{"kind": "deposition", "path": "paper"}]}
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "findings.json").write_text(json.dumps(held), encoding="utf-8")
    (tmp_path / "out" / "volume.html").write_text("old", encoding="utf-8")
    command = ("deposit", "small.toml", "--network-only", "--quiet", "--out", "out")
    first, again = (interlith(*command, cwd=tmp_path) for _ in range(2))
    assert "out: holds a result of kind deposition (paper)" in first.stderr
    assert (again.returncode, again.stderr) == (0, "")
    assert (tmp_path / "out" / "volume.html").read_text(encoding="utf-8") == "old"
    (tmp_path / "out" / "findings.json").write_text("[1", encoding="utf-8")
    assert interlith(*command, cwd=tmp_path).returncode == 0


def test_an_image_needs_no_file(tmp_path):
    solid = np.zeros((12, 12, 12), dtype=np.uint8)
    solid[:, ::3, ::3] = 255
    np.save(tmp_path / "pillars.npy", solid)
    done = interlith("deposit", "pillars.npy", "--network-only", "--voxel-um", "0.5", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["from_image"] is True
    assert said["values"]["effective_diffusivity_through"]["mean"] == pytest.approx(8 / 9, rel=1e-6)
    assert said["values"]["effective_conductivity_in_plane"]["mean"] is None
    assert any("solid do not lead through the box along x" in text for text in said["warnings"])


def test_three_phases_are_not_taken_for_two(tmp_path):
    np.save(tmp_path / "three.npy", np.arange(216, dtype=np.uint8).reshape(6, 6, 6) % 3)
    done = interlith("deposit", "three.npy", "--network-only", "--voxel-um", "0.5", cwd=tmp_path)
    assert done.returncode == 3
    assert "three.npy" in done.stderr
    assert "Traceback" not in done.stderr


def test_pores_that_lead_nowhere_are_refused(tmp_path):
    solid = np.zeros((8, 8, 8), dtype=bool)
    solid[4] = True
    np.save(tmp_path / "wall.npy", solid)
    done = interlith("deposit", "wall.npy", "--network-only", "--voxel-um", "1", "--out", "out", cwd=tmp_path)
    assert done.returncode == 4
    assert "do not lead from the separator to the current collector" in done.stderr
    assert not (tmp_path / "out" / "findings.json").exists()


@pytest.mark.parametrize(
    ("arguments", "said", "code"),
    [
        ((), "give a file of a host", 3),
        (("reference-deposit", "--network-only", "--cycles", "2"), "do not go with --network-only", 3),
        (("none.npy",), "plating needs a [protocol]", 3),
        (("reference-depost", "--network-only"), "Did you mean reference-deposit", 3),
        (("reference-deposit", "--network-only", "--voxels", "20"), "too coarse", 3),
        (("reference-deposit", "--network-only", "--voxel-um", "1"), "go with an image", 3),
        (("none.tif", "--network-only"), "none.tif", 3),
        (("none.npy", "--network-only", "--voxel-um", "0"), "--voxel-um 0: more than 0", 3),
        (("none.npy", "--network-only", "--sample", "cp"), "not with an image", 3),
        (("reference-deposit", "--network-only", "--voxels", "4000"), "GB are free", 5),
    ],
)
def test_what_cannot_be_used_is_one_line(tmp_path, arguments, said, code):
    done = interlith("deposit", *arguments, "--out", "out", cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert not (tmp_path / "out").exists()
    assert done.stdout == ""
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_beginning_is_shown_and_lists_are_told(tmp_path):
    shown = interlith("deposit", "reference-deposit", "--show", cwd=tmp_path)
    assert shown.stdout.startswith('title = "Papers of Shen')
    listed = json.loads(interlith("deposit", "--list", "--json", cwd=tmp_path).stdout)
    told = {row["name"]: "--network-only alone" in row["what"] for row in listed["samples"]}
    assert {name for name, refused in told.items() if refused} == {"o3-cp", "cp-zno-002-revival"}
    for name, refused in told.items():
        asked = read("reference-deposit", NetworkOptions(sample=name))
        if refused:
            with pytest.raises(InputError, match="no shipped set"):
                asked.deposition()
        else:
            assert asked.deposition().name == name


def test_shipped_depositions_are_examples_and_can_be_copied(tmp_path):
    listed = json.loads(interlith("examples", "--json", cwd=tmp_path).stdout)
    known = {row["name"]: row["command"] for row in listed if row["kind"] == "deposition"}
    names = ("optical-cell", "reference-deposit", "two-hundred-cycles")
    assert known == {name: f"interlith deposit {name}" for name in names}
    assert interlith("examples", "optical-cell", cwd=tmp_path).returncode == 0
    assert read(str(tmp_path / "optical-cell.toml"), NetworkOptions()).asked.gap is not None
