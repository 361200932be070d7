"""Networks of fibres: the porosity that is asked for, the same fibres whatever the voxels, sides without a seam."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlith.deposit.fibres import _fibre, fibre_network
from interlith.deposit.network import coarser
from interlith.errors import InputError
from interlith.parts.fibres import FibreNetwork


def paper(**changed):
    given_ = {"bundle_diameter_um": 2.0, "porosity": 0.79, "thickness_um": 20, "fibre_length_um": 30, "tilt_deg": 10}
    return FibreNetwork(**{**given_, **changed})


@settings(max_examples=20, deadline=None)
@given(porosity=st.floats(0.5, 0.95), tilt=st.floats(0, 40), seed=st.integers(0, 2**32), alignment=st.floats(0, 0.9))
def test_the_porosity_is_met_by_fibres_of_about_the_diameter(porosity, tilt, seed, alignment):
    fibres = paper(porosity=porosity, tilt_deg=tilt, alignment=alignment)
    made = fibre_network(fibres, width_um=24, voxel_um=0.5, seed=seed)
    assert made.porosity == pytest.approx(porosity, abs=1e-5)
    used = float(made.source.split(" of ")[1].split(" um")[0])
    assert used == pytest.approx(2.0, rel=0.12)  # one fibre of few; half a voxel at most besides


def test_a_seed_is_one_network_and_another_seed_another():
    one, same, other = (fibre_network(paper(), width_um=24, voxel_um=1, seed=seed) for seed in (4, 4, 5))
    assert one.solid.tobytes() == same.solid.tobytes()
    assert np.mean(np.abs(one.solid - other.solid)) > 0.1


def test_finer_voxels_show_the_same_fibres():
    coarse = fibre_network(paper(), width_um=24, voxel_um=1.0, seed=3)
    fine = coarser(fibre_network(paper(), width_um=24, voxel_um=0.5, seed=3))
    assert coarse.source.split(" fibres")[0] == fine.source.split(" fibres")[0]
    assert np.corrcoef(coarse.solid.ravel(), fine.solid.ravel())[0, 1] > 0.97


def test_sides_have_no_seam():
    made = fibre_network(paper(), width_um=32, voxel_um=0.5, seed=1).solid
    for axis in (1, 2):
        steps = np.abs(np.diff(made, axis=axis)).mean(axis=(0, 3 - axis))
        seam = np.abs(made.take(0, axis) - made.take(-1, axis)).mean()
        assert steps.min() * 0.7 < seam < steps.max() * 1.3


def test_a_wider_box_of_many_fibres_has_their_surface():
    """Fibres that overlap at random: area is porosity x 4 / diameter x (-ln porosity) of the volume."""
    from interlith.deposit.pores import area_m2_per_m2

    made = fibre_network(paper(thickness_um=40), width_um=40, voxel_um=0.25, seed=1)
    assert area_m2_per_m2(made) == pytest.approx(0.79 * 2.0 * -np.log(0.79) * 40, rel=0.06)


@pytest.mark.parametrize("alignment", [0.0, 0.3, 0.8])
def test_fibres_lie_as_asked(alignment):
    ways = np.array([_fibre(paper(alignment=alignment, tilt_deg=8), 30.0, 1, n)[1] for n in range(4000)])
    assert np.allclose(np.linalg.norm(ways, axis=1), 1.0)
    angle = np.arctan2(ways[:, 1], ways[:, 2])
    assert np.mean(np.cos(2 * angle)) == pytest.approx(alignment, abs=0.035)
    assert np.mean(np.sin(2 * angle)) == pytest.approx(0.0, abs=0.04)
    assert np.degrees(np.std(np.arcsin(ways[:, 0]))) == pytest.approx(8.0, rel=0.05)


def test_fibres_do_not_leave_the_sheet():
    centers = np.array([_fibre(paper(), 30.0, 1, n)[0] for n in range(500)])
    assert centers[:, 0].min() > 1.0
    assert centers[:, 0].max() < 19.0


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"width_um": 24, "voxel_um": 1.5}, "too coarse for fibres of 2 um: at most 1 um, that is 24 voxels"),
        ({"width_um": 12, "voxel_um": 0.5}, "too small for fibres of 2 um: at least 20 um"),
        ({"width_um": 24, "voxel_um": 0.93}, "not a whole number of voxels"),
    ],
)
def test_voxels_and_boxes_that_do_not_do_are_refused_with_those_that_do(asked, said):
    with pytest.raises(InputError, match=said):
        fibre_network(paper(), seed=1, **asked)


def test_a_porosity_that_leaves_less_than_a_fibre_is_refused():
    with pytest.raises(InputError, match=r"porosity = 0\.9999 is too high for fibres in voxels of 0\.5 um"):
        fibre_network(paper(porosity=0.9999), width_um=20, voxel_um=0.5, seed=1)


def test_a_box_that_no_memory_holds_is_refused_with_one_that_fits():
    with pytest.raises(InputError, match=r"too large for fibres of 0.05 um in a sheet of 20 um: at most 5.41 um"):
        fibre_network(paper(bundle_diameter_um=0.05), width_um=400, voxel_um=0.025, seed=1)


def test_more_fibres_than_can_be_laid_are_refused(monkeypatch):
    monkeypatch.setattr("interlith.deposit.fibres.MOST_FIBRES", 100)
    with pytest.raises(InputError, match="more than 100 fibres"):
        fibre_network(paper(fibre_length_um=5), width_um=24, voxel_um=1, seed=1)
