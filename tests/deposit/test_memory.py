"""What plating needs of the memory is asked before it begins: boxes as high as lithium gets, of all processes."""

import numpy as np
import pytest
from small_study import STUDY, asked, written

from interlith import deposition
from interlith.deposit import memory
from interlith.deposit.follow import follow
from interlith.deposit.solver.team import Team
from interlith.deposition import deposit_findings
from interlith.deposition_checks import highest_um
from interlith.errors import EnvironmentError_


def test_lithium_gets_no_higher_than_memory_is_asked_for(tmp_path):
    for current in (1, 4):
        fast = written(tmp_path, STUDY.replace("cm2 = -1,", f"cm2 = -{current},"))
        with Team(1) as team:
            found = follow(*asked(fast), seed=1, team=team)
        assert found.front_um.max() < highest_um(fast, 1, fast.fibres) < 2.0 * found.front_um.max()


@pytest.mark.parametrize(("workers", "words"), [(1, "voxels need about"), (2, "voxels, 2 of them at once, need")])
def test_plating_beyond_the_memory_of_all_its_processes_is_refused_before_it_begins(
    tmp_path, monkeypatch, workers, words
):
    monkeypatch.setattr(memory, "free_bytes", lambda: 1e6)
    with pytest.raises(EnvironmentError_, match=words):
        deposit_findings(written(tmp_path), workers=workers)
    n_voxels = highest_um(written(tmp_path), 1, written(tmp_path).fibres) * 24**2
    monkeypatch.setattr(memory, "free_bytes", lambda: 1.05 * workers * n_voxels * 120.0 / 0.9)
    monkeypatch.setattr(deposition, "each_network", lambda *more: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        deposit_findings(written(tmp_path), workers=workers)


def test_an_image_whose_lithium_does_not_fit_is_refused_when_its_voxels_are_known(tmp_path, monkeypatch):
    solid = np.zeros((8, 12, 12), dtype=np.uint8)
    solid[:, ::3] = 1
    np.save(tmp_path / "stack.npy", solid)
    image = '[image]\nfile = "stack.npy"\nvoxel_um = 1.0\n'
    asked = written(tmp_path, STUDY[: STUDY.index("[network]")] + image + STUDY[STUDY.index("[deposition]") :])
    host = asked.network(0)
    needs = highest_um(asked, 1, host) / host.thickness_um * solid.size * 120.0
    assert needs > 3.0 * solid.size * 150.0  # which reading it is asked for
    monkeypatch.setattr(memory, "free_bytes", lambda: 0.95 * needs / 0.9)
    with pytest.raises(EnvironmentError_, match="voxels need about"):
        deposit_findings(asked, workers=1)
    monkeypatch.setattr(memory, "free_bytes", lambda: 1.05 * needs / 0.9)
    monkeypatch.setattr("interlith.deposit.follow.follow", lambda *more, **others: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        deposit_findings(asked, workers=1)
