"""A quick study of plating, as a file and as what `follow` takes."""

from interlith.deposit.box import Ground
from interlith.networks import NetworkOptions, read

STUDY = """title = "a small box"
sample = "cp"
[network]
bundle_diameter_um = 2.0
fibre_length_um = 30
tilt_deg = 10
[box]
width_um = 24
voxel_um = 1
seeds = [1, 2]
[deposition]
lithium_contact = 0.1
[protocol]
name = "once"
steps = [
  { kind = "constant-current", current_density_mA_per_cm2 = -1, areal_capacity_mAh_per_cm2 = 1 },
  { kind = "constant-current", current_density_mA_per_cm2 = -1, areal_capacity_mAh_per_cm2 = 3 },
  { kind = "rest", duration_s = 600 },
  { kind = "constant-current", current_density_mA_per_cm2 = 1, voltage_V = 1.0 },
]
"""
SMALLER = STUDY.replace("width_um = 24", "width_um = 20")


def written(folder, text=STUDY):
    """The study as read from a file in a folder."""
    (folder / "small.toml").write_text(text, encoding="utf-8")
    return read(str(folder / "small.toml"), NetworkOptions())


def asked(study):
    """Protocol, ground and values of its first network."""
    return study.asked.protocol, Ground.of(study.network(0)), study.deposition()
