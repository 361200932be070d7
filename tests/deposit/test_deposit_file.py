"""Files of a deposition as people write them, and what is said of those that cannot be used."""

import numpy as np
import pytest
from small_study import SMALLER, written

from interlith.deposit import memory
from interlith.deposit.deposit_file import image_file, read_deposit
from interlith.deposit.memory import check_memory
from interlith.errors import EnvironmentError_, InputError

GOOD = """title = "mine"
sample = "cp"
[network]
bundle_diameter_um = 2.0
fibre_length_um = { value = 30, kind = "assumed", low = 10, high = 90, source = "a guess" }
tilt_deg = 10
[box]
width_um = 24
voxel_um = 1
seeds = [3, 4]
"""


def read(folder, text, **options):
    (folder / "mine.toml").write_text(text, encoding="utf-8")
    return read_deposit(str(folder / "mine.toml"), **options)


def test_porosity_and_thickness_are_the_sample_s_with_their_origin(tmp_path):
    found = read(tmp_path, GOOD)
    assert (found.fibres.porosity, found.fibres.thickness_um, found.n_networks) == (0.79, 20.0, 2)
    assert found.fibres.origin("thickness_um").kind == "measured"
    assert found.fibres.origin("fibre_length_um").kind == "assumed"
    assert found.fibres.origin("bundle_diameter_um").kind == "stated"
    assert found.n_voxels == 24 * 24 * 20


def test_what_the_file_says_goes_before_the_sample(tmp_path):
    found = read(tmp_path, GOOD.replace("[network]", "[network]\nporosity = 0.7"))
    assert (found.fibres.porosity, found.fibres.thickness_um) == (0.7, 20.0)
    assert found.network(1).source.endswith("seed 4")


def test_voxels_across_change_the_voxel_alone(tmp_path):
    found = read(tmp_path, GOOD, n_voxels=48)
    assert (found.asked.box.voxel_um, found.asked.box.width_um) == (0.5, 24.0)
    assert found.network(0).solid.shape == (40, 48, 48)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("bundle_diameter_um", "bundle_diamter_um", "network.bundle_diameter_um: must be given"),
        ("bundle_diameter_um = 2.0\n", "", "network.bundle_diameter_um: must be given"),
        ("tilt_deg = 10", "tilt_deg = 80", "mine.toml:6: network.tilt_deg = 80"),
        ("tilt_deg = 10", 'tilt_deg = "flat"', 'mine.toml:6: network.tilt_deg = "flat": must be a number'),
        ("tilt_deg = 10", 'tilt_deg = "10"', 'mine.toml:6: network.tilt_deg = "10": must be a number'),
        ("seeds = [3, 4]", 'seeds = [3, "4"]', 'mine.toml:10: box.seeds = "4": must be numbers'),
        (
            "[box]",
            "[deposition]\ngrain_um = 2\nlithium_contact = 1.5\n[box]",
            "mine.toml:9: deposition.lithium_contact",
        ),
        ('sample = "cp"', 'sample = "cq"', "mine.toml:2: sample = cq: not a shipped sample"),
        ('sample = "cp"', 'sample = "cu"', "cu: a bare collector has no network of fibres"),
        ('sample = "cp"\n', "", "network.porosity: must be given"),
        ("seeds = [3, 4]", "seeds = [3, 3]", "mine.toml:10: box.seeds: whole numbers from 0 on, each once"),
        ("seeds = [3, 4]", "seeds = [-1]", "mine.toml:10: box.seeds"),
        ("seeds = [3, 4]", "seeds = []", "mine.toml:10: box.seeds"),
        ("voxel_um = 1\n", "voxel_um = 0\n", "mine.toml:9: box.voxel_um = 0"),
        ("voxel_um = 1\n", "voxel_um = nan\n", "mine.toml:9: box.voxel_um = nan"),
        ("[box]", "[boxes]", "mine.toml:7: boxes: not a key of a deposition. Did you mean box"),
        ("[box]", "[image]\nfile = 'a.tif'\n[box]", "mine.toml:7: image: instead of"),
        ("[network]", "[network.fibres]", "network.bundle_diameter_um: must be given"),
        ("tilt_deg = 10", "tilt_deg = 10\nlenght_um = 3", "mine.toml:7: network.lenght_um: not a key"),
        ("low = 10", "low = 40", "fibre_length_um"),
    ],
)
def test_what_is_wrong_is_said_at_its_line(tmp_path, old, new, said):
    assert old in GOOD
    with pytest.raises(InputError) as told:
        read(tmp_path, GOOD.replace(old, new))
    assert said in str(told.value)


def test_a_file_of_nothing_is_refused(tmp_path):
    with pytest.raises(InputError, match="must be given"):
        read(tmp_path, 'title = "nothing"\n')
    with pytest.raises(InputError, match="network: a table"):
        read(tmp_path, 'title = "text"\nnetwork = "fibres"\n[box]\nwidth_um = 9\nvoxel_um = 1\nseeds = [1]\n')


def test_another_sample_does_not_go_with_numbers_of_one_s_own(tmp_path):
    assert read(tmp_path, GOOD, other_sample="cp-zno-002").asked.sample == "cp-zno-002"
    with pytest.raises(InputError, match=r"network\.porosity is said in the file"):
        read(tmp_path, GOOD.replace("[network]", "[network]\nporosity = 0.7"), other_sample="o3-cp")
    with pytest.raises(InputError, match="not a shipped sample"):
        read(tmp_path, GOOD, other_sample="o4-cp")


def test_an_image_is_read_beside_its_file(tmp_path):
    np.save(tmp_path / "stack.npy", np.random.default_rng(1).random((6, 5, 4)) < 0.3)
    text = 'title = "image"\n[image]\nfile = "stack.npy"\nvoxel_um = 0.5\naxis = "x"\n'
    found = read(tmp_path, text)
    assert (found.network(0).solid.shape[0], found.network(0).voxel_um, found.n_networks) == (4, 0.5, 1)
    assert image_file(tmp_path / "stack.npy", 0.25, ()).network(0).voxel_um == 0.25
    with pytest.raises(InputError, match="--voxels: goes with fibres"):
        read(tmp_path, text, n_voxels=32)


def test_a_box_beyond_the_memory_is_refused_with_one_that_fits(monkeypatch):
    monkeypatch.setattr(memory, "free_bytes", lambda: 1e9)
    with pytest.raises(EnvironmentError_, match="a box of about 181 x 181 x 181 voxels fits"):
        check_memory(256**3)
    check_memory(180**3)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("width_um = 20", "width_um = true"),
        ("seeds = [1, 2]", "seeds = [true, 2]"),
        ("tilt_deg = 10", "tilt_deg = false"),
        ("tilt_deg = 10", "tilt_deg = { value = true, kind = 'measured', source = 'by eye' }"),
        ("lithium_contact = 0.1", "lithium_contact = true"),
        ("duration_s = 600", "duration_s = true"),
        ("capacity_mAh_per_cm2 = 3", "capacity_mAh_per_cm2 = true"),
    ],
)
def test_true_and_false_are_no_numbers(tmp_path, old, new):
    assert old in SMALLER
    with pytest.raises(InputError, match=r"(?i)true|false") as told:
        written(tmp_path, SMALLER.replace(old, new)).deposition()
    assert "must be" in str(told.value)
