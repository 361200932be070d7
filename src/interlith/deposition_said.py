"""What is said with a deposition in voxels: what was fitted, what is assumed, what is missed and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from interlith.deposit.deposit_file import DepositFile, Published

CALIBRATED = "calibrated: the shipped values were fitted to this"
FIT_CHANGED = "with another host, other values or currents than those that were fitted to this"
PREDICTED = "predicted from calibrated and assumed values"
SAME_mAh_PER_CM2 = 1e-6
NOT_CONVERGED = ["dead_pores", "dead_top", "revived", "efficiency"]  # in the voxels
FITTED = (
    "fitted: stiffness_MPa to the published height of CP@ZnO(002) at 5 mAh/cm2, void_per_sei to that of CP; all else "
    "is assumed, each value with its range"
)
CHANGED = "host, values or currents are not those with which the calibrated values were fitted"
SWELLS = (
    "a height alone cannot tell a host that swells from porous lithium over it: with another fill_before_swelling, "
    "assumed, another stiffness and another void fit as well"
)
CONTACTS = (
    "contacts cannot be fitted to the published efficiencies: from 0 to 1 they move that of CP by 0.3 points, far from "
    "91.62 % (bench/results/calibrate_deposition.json); the efficiencies follow the SEI that was assumed"
)
ALIKE = "the electrolyte costs no voltage anywhere (electrolyte = a shipped one counts it)"
NO_GAP = (
    "no salt is used up, and there is no gap of 0.9 mm as in the optical cell, where the published onsets were seen at "
    "18.75 mA/cm2"
)
SALT = (
    "salt and potential of {0} are computed plane by plane, through a gap of {1:g} um: its diffusivity and "
    "transference number decide when salt is used up, and are carried beyond the concentrations they are vouched for"
)
DEAD = (
    "dead lithium and what hangs on it are NOT CONVERGED in the voxels and not to be quoted "
    "(bench/results/dead_lithium.json)"
)
UNSEEN = "of {0} nothing is published that is computed here: its heights are predicted and not judged"
OTHER_PAPER = "porosity or thickness are not those of the paper of {0}: nothing published stands beside the numbers"
SEI_ROOM = (
    "SEI takes sei_volume_per_lithium, assumed, times the volume of its lithium: known by layer alone, it fills the "
    "pores that push a layer apart and takes the room of electrolyte, but shuts no single voxel and covers no surface; "
    "over the host it lies down when its lithium is gone"
)
NEVER_STRIPPED = "published, but cycle {0} does not come, or does not end stripped: a thickness of then is not compared"
NOT_BESIDE = "published, but no plating of the first cycle ends there: a height at {0:g} mAh/cm2 is not compared"
AURBACH = (
    "; its Aurbach efficiency, {0} %, is of another test, and the efficiencies here follow the SEI that was assumed"
)


def said_of(written: DepositFile) -> list[str]:
    """What must be known with the numbers of a file."""
    asked = written.asked
    notes = [*([asked.note] if asked.note else []), *_of_the_sample(written)]
    changed = [CHANGED] if written.is_changed else []
    return [*notes, FITTED, *changed, SWELLS, SEI_ROOM, CONTACTS, of_the_liquid(written), DEAD]


def _of_the_sample(written: DepositFile) -> list[str]:
    """What its set says of itself, and whether anything that was published of it stands in the file."""
    from interlith.parts.deposition import deposition_note
    from interlith.parts.samples import COPPER, aurbach_efficiency

    name, published = written.asked.sample or COPPER, written.asked.published
    notes = [note] if (note := deposition_note(name)) else []
    if published and not written.is_of_the_sample:
        return [*notes, OTHER_PAPER.format(name)]
    if not published or any(one.sample == name for one in published):
        return notes
    efficiency = None if name == COPPER else aurbach_efficiency(name)
    told = "" if efficiency is None else AURBACH.format(f"{100.0 * efficiency:.2f}")
    return [*notes, UNSEEN.format(name) + told]


def not_beside(written: DepositFile, plated: Sequence[float], stripped: Sequence[int]) -> list[str]:
    """Which published heights of the sample stand beside none of ours: at charges plated, after cycles that strip."""
    charges = [one.plated_mAh_per_cm2 or 0.0 for one in written.published("thickness_um")]
    lost = [charge for charge in charges if all(abs(charge - one) > SAME_mAh_PER_CM2 for one in plated)]
    cycles = [one.after_cycles for one in written.published("stripped_thickness_um")]
    never = [cycle for cycle in cycles if cycle not in stripped]
    return [*(NOT_BESIDE.format(charge) for charge in lost), *(NEVER_STRIPPED.format(cycle) for cycle in never)]


def of_the_liquid(written: DepositFile) -> str:
    """What of the electrolyte is computed."""
    asked = written.asked
    if asked.gap is not None:
        return SALT.format(asked.electrolyte, asked.gap.length_um)
    counts = f"resistance of {asked.electrolyte} counts" if asked.electrolyte else ALIKE
    return f"{counts}; {NO_GAP}"


def kind_beside(paper: Sequence[Published], *, is_changed: bool) -> str:
    """Whether a number was fitted to what is published, or follows; never predicted where the shipped set was fitted.

    Nor calibrated, where values are not those that were fitted.
    """
    if not (paper and paper[0].is_fitted):
        return PREDICTED
    return FIT_CHANGED if is_changed else CALIBRATED
