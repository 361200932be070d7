"""The sets of the faces of zinc oxide: what differs between them is said, and derived where it can be."""

import json
import math
from importlib import resources

import pytest
from pytest import approx
from small_study import written

from interlith.deposition import deposit_findings
from interlith.deposition_said import PREDICTED
from interlith.parts.deposition import Deposition, deposition, deposition_names, deposition_note
from interlith.units import ZERO_CELSIUS_K, BOLTZMANN_eV_PER_K, LITHIUM_COHESIVE_eV, mV_PER_V

FACES = [name for name in deposition_names() if name.startswith("cp-zno-") and name != "cp-zno-002"]
OF_THE_FACE = {"oxide_nucleation_mV", "oxide_migration_um"}
LEFT = 1e-2  # of a migration length, um: a fiftieth of a voxel
STUDY = """title = "one plating"
sample = "SAMPLE"
[network]
bundle_diameter_um = 2.0
fibre_length_um = 30
tilt_deg = 10
[box]
width_um = 20
voxel_um = 1
seeds = [1]
[protocol]
name = "plate"
steps = [{ kind = "constant-current", current_density_mA_per_cm2 = -1, areal_capacity_mAh_per_cm2 = 0.5 }]
[[published]]
sample = "cp-zno-002"
quantity = "thickness_um"
plated_mAh_per_cm2 = 0.5
low = 20.1
high = 20.1
source = "a test"
"""


def screened():
    """Barriers of the shipped screening in both directions, and why a face is not ranked; by face and termination."""
    text = resources.files("interlith.surface").joinpath("results/reference-surfaces/findings.json").read_text("utf-8")
    rows = json.loads(text)["files"][0]["surfaces"]
    return {(row["name"], row["termination"]): (row["barrier_2d_eV"], row["not_ranked"]) for row in rows}


@pytest.mark.parametrize("name", FACES)
def test_faces_differ_from_002_in_what_is_said_alone(name):
    face, other = deposition(name), deposition("cp-zno-002")
    differing = {key for key in Deposition.model_fields if getattr(face, key) != getattr(other, key)}
    assert differing - {"name", "origins"} <= OF_THE_FACE | {"sei_per_plated"}
    assert deposition_note(name)
    for key in differing - {"name", "origins"}:
        origin = face.origin(key)
        assert origin.kind == "assumed"
        assert origin.low <= getattr(face, key) <= origin.high
        assert origin.low <= getattr(other, key) <= origin.high  # that they are alike is not excluded


def test_the_barrier_of_020_is_what_lithium_lacks_there_of_its_metal():
    assert deposition("cp-zno-020").oxide_nucleation_mV == approx(mV_PER_V * (LITHIUM_COHESIVE_eV - 1.61))
    assert min(3.40, 4.32) > LITHIUM_COHESIVE_eV  # published for (002) and (202)
    assert deposition("cp-zno-002").oxide_nucleation_mV == deposition("cp-zno-202").oxide_nucleation_mV == 0.0


@pytest.mark.parametrize(("name", "face"), [("cp-zno-020", "ZnO(020)"), ("cp-zno-202", "ZnO(202)")])
def test_the_migration_length_is_that_of_002_times_what_the_barriers_leave(name, face):
    """lambda = sqrt(D tau), so that of two faces lambda goes as exp(-dE / 2kT); any termination of either."""
    own, other = deposition(name), deposition("cp-zno-002")
    kT_eV = BOLTZMANN_eV_PER_K * (own.temperature_C + ZERO_CELSIUS_K)
    barriers = {key: held for key, (held, _) in screened().items()}
    apart = [barriers[key] - barriers["ZnO(002)", end] for key in barriers if key[0] == face for end in ("Zn", "O")]
    longest = other.oxide_migration_um * math.exp(-min(apart) / (2.0 * kT_eV))
    assert own.oxide_migration_um == approx(longest, abs=LEFT)
    assert own.origin("oxide_migration_um").high == other.oxide_migration_um
    assert any(reason for key, (_, reason) in screened().items() if key[0] == face) == (face == "ZnO(202)")


@pytest.mark.parametrize("name", ["cp-zno-020", "cp-zno-002"])
def test_a_sample_of_which_nothing_is_published_is_predicted_and_not_judged(tmp_path, name):
    summary = deposit_findings(written(tmp_path, STUDY.replace("SAMPLE", name)), out=tmp_path / "out").items[0].summary
    (height,), said = summary["thickness_um"], " ".join(summary["said"])
    is_other = name == "cp-zno-020"
    assert (height["is_met"] is None, height["paper_low"] is None) == (is_other, is_other)
    assert height["kind"] == PREDICTED
    assert ("nothing is published" in said, "95.53 %" in said, deposition_note(name) in said) == (
        is_other,
        is_other,
        True,
    )
    assert (tmp_path / "out" / "report.html").exists()
