"""Where the lithium lies, as Zarr: what is read back is what was found; nothing of a person's own is written over."""

import errno
import json
import re
from pathlib import Path

import numpy as np
import pytest
from small_study import SMALLER, asked, written

from interlith.deposit import fields
from interlith.deposit.fields import Field, refuse_foreign, write_fields
from interlith.deposit.follow import follow
from interlith.deposit.solver.team import Team
from interlith.deposition import deposit_findings
from interlith.errors import EnvironmentError_, InputError

DOCS = Path(__file__).resolve().parents[2] / "docs" / "do" / "deposit.md"


@pytest.fixture
def zarr():
    return pytest.importorskip("zarr", reason="zarr is not installed: pip install 'interlith[fields]'")


@pytest.fixture(scope="module")
def field(tmp_path_factory):
    study = written(tmp_path_factory.mktemp("study"), SMALLER)
    protocol, ground, values = asked(study)
    with Team(1) as team:
        return Field("seed-1", study.network(0).solid, follow(protocol, ground, values, seed=1, team=team))


def test_what_is_read_back_is_what_was_found(tmp_path, zarr, field):
    write_fields(tmp_path / "fields.zarr", [field], {"title": "a box"})
    root = zarr.open_group(str(tmp_path / "fields.zarr"), mode="r")
    group, found = root["seed-1"], field.found
    assert root.attrs["title"] == "a box"
    assert group.attrs["voxel_um"] == 1.0
    assert group.attrs["plated_mAh_per_cm2"] == group["plated_mAh_per_cm2"][:].tolist()
    assert group.attrs["plated_mAh_per_cm2"][:3] == pytest.approx([1.0, 4.0, 4.0])
    assert group.attrs["plane_um"][:2] == [0.5, 1.5]
    assert group["lithium"].metadata.dimension_names == ("picture", "z_um", "y_um", "x_um")
    assert group["host"][: len(field.host)].tobytes() == field.host.tobytes()
    for n, one in enumerate(found.pictures):
        high = len(one.lithium)
        for name in ("lithium", "is_dead"):
            assert group[name][n, :high].tobytes() == getattr(one, name).tobytes()
            assert not group[name][n, high:].any()
        assert group["sei"][n, :high].tobytes() == one.sei.tobytes()
    held = group["lithium"][1].sum() * 0.2062 / np.prod(group["lithium"].shape[2:])
    assert held == pytest.approx(4.0 * 0.98, rel=1e-3)
    assert group["is_dead"][3].any()
    assert [path.name for path in tmp_path.iterdir()] == ["fields.zarr"]


def test_xarray_has_the_planes_and_the_charge_as_coordinates(tmp_path, field, zarr):
    xarray = pytest.importorskip("xarray")
    write_fields(tmp_path / "fields.zarr", [field], {})
    held = xarray.open_zarr(tmp_path / "fields.zarr", group="seed-1", consolidated=False)
    plane = held.lithium.isel(picture=1).sel(z_um=9.5).mean()
    assert float(plane) == pytest.approx(field.found.pictures[1].lithium[9].mean())
    assert held.lithium.plated_mAh_per_cm2.values[:2] == pytest.approx([1.0, 4.0])


def test_an_older_one_is_replaced_whole_or_not_at_all(tmp_path, zarr, field, monkeypatch):
    path = tmp_path / "fields.zarr"
    write_fields(path, [field, Field("seed-2", field.host, field.found)], {"title": "older"})
    put = fields._put

    def full(group, name, *others):
        if name == "is_dead":
            raise OSError(errno.ENOSPC, "No space left on device")
        put(group, name, *others)

    monkeypatch.setattr(fields, "_put", full)
    with pytest.raises(OSError, match="No space left"):
        write_fields(path, [field], {"title": "newer"})
    assert [one.name for one in tmp_path.iterdir()] == ["fields.zarr"]
    held = zarr.open_group(str(path), mode="r")
    assert (held.attrs["title"], "seed-2" in held) == ("older", True)
    monkeypatch.undo()
    write_fields(path, [field], {"title": "newer"})
    held = zarr.open_group(str(path), mode="r")
    assert (held.attrs["title"], "seed-2" in held) == ("newer", False)


def test_a_folder_that_is_not_ours_stays(tmp_path):
    path = tmp_path / "fields.zarr"
    path.mkdir()
    (path / "zarr.json").write_text(json.dumps({"attributes": {"mine": 1}}), encoding="utf-8")
    with pytest.raises(InputError, match="is not interlith's"):
        refuse_foreign(path)
    with pytest.raises(InputError, match="is not interlith's"):
        deposit_findings(written(tmp_path, SMALLER), out=tmp_path, workers=1)
    assert [one.name for one in path.iterdir()] == ["zarr.json"]


def test_without_zarr_the_rest_is_written_and_a_line_says_how_to_get_fields(tmp_path, monkeypatch, field):
    monkeypatch.setattr(fields.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(EnvironmentError_, match="pip install"):
        write_fields(tmp_path / "fields.zarr", [field], {})
    said = []
    text = SMALLER.replace("[1, 2]", "[1]").replace("areal_capacity_mAh_per_cm2 = 3 ", "duration_s = 1 ")
    deposit_findings(written(tmp_path, text), out=tmp_path / "out", workers=1, warn=said.append)
    assert (tmp_path / "out" / "report.html").is_file()
    assert not (tmp_path / "out" / "fields.zarr").exists()
    assert len(said) == 1
    assert "will not be written: zarr is not installed: pip install 'interlith[fields]'" in said[0]


def test_what_the_docs_say_opens_them(tmp_path, field, zarr, monkeypatch):
    pytest.importorskip("xarray")
    blocks = [
        code
        for code in re.findall(r"```py\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
        if "fields.zarr" in code
    ]
    write_fields(tmp_path / "cp" / "fields.zarr", [field], {})
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "agg")
    seen = {}
    for code in blocks:
        exec(code, seen)
    assert len(blocks) == 2
    assert seen["lithium"].shape == seen["held"].lithium.shape
