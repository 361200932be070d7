"""Pictures handed to pyvista: x runs fastest, the host lies below, and what is missing is told."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from interlith.deposit.follow import Picture
from interlith.deposit.grids import grid
from interlith.errors import EnvironmentError_


@pytest.fixture
def picture():
    lithium = np.arange(24, dtype=np.float32).reshape(2, 3, 4) / 24
    return Picture(0, lithium, lithium > 0.5, 1.0, np.array([0.5, 0.75]), np.ones(2), np.array([0.0, 0.3]))


def test_cells_lie_as_in_the_picture(picture, monkeypatch):
    def plain(x, y, z):
        return SimpleNamespace(x=x, y=y, z=z, cell_data={})

    monkeypatch.setitem(sys.modules, "pyvista", SimpleNamespace(RectilinearGrid=plain))
    found = grid(picture, np.ones((1, 3, 4), dtype=np.float32), 0.5)
    assert [axis[-1] for axis in (found.x, found.y, found.z)] == [2.0, 1.5, 1.25]
    assert found.cell_data["lithium"][:5].tolist() == picture.lithium[0].ravel()[:5].tolist()
    assert found.cell_data["lithium"][12:] == pytest.approx(picture.lithium[1].ravel() / 1.5)
    assert found.cell_data["host"].tolist() == [1.0] * 12 + [0.0] * 12
    assert found.cell_data["sei"].tolist() == pytest.approx([0.0] * 12 + [0.2] * 12)
    assert found.cell_data["is_dead"].sum() == 11


def test_without_pyvista_it_says_what_to_install(picture, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyvista", None)
    with pytest.raises(EnvironmentError_, match="pip install pyvista"):
        grid(picture, picture.lithium, 0.5)


def test_pyvista_takes_it(picture):
    pytest.importorskip("pyvista", reason="pyvista is not installed")
    found = grid(picture, picture.lithium, 0.5)
    assert found.bounds[1::2] == pytest.approx((2.0, 1.5, 1.25))
    at = found.find_containing_cell((1.9, 0.1, 0.9))
    assert found.cell_data["lithium"][at] == pytest.approx(picture.lithium[1, 0, 3] / 1.5)
