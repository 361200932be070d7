"""The room that SEI takes: in layers that it pushes apart, over the host where it stays, and in what is told of it."""

from itertools import pairwise

import numpy as np
import pytest
from made_boxes import posts
from matplotlib.figure import Figure as Canvas
from pytest import approx
from small_study import SMALLER, written

from interlith.deposit import growth, surfaces
from interlith.deposit.box import Box, Ground
from interlith.deposit.deposit_file import read_deposit
from interlith.deposit.follow import follow, front_um, host_um
from interlith.deposit.solver.team import Team
from interlith.deposition import _onset_of, _Seed, deposit_findings
from interlith.deposition_said import not_beside
from interlith.errors import InputError
from interlith.parts.deposition import deposition
from interlith.protocol import ConstantCurrent, Protocol, Repeat
from interlith.report.deposition_page import deposition_results, left_out
from interlith.report.deposition_plots import cycles, infill
from interlith.report.headline import headline
from interlith.units import LITHIUM_mAh_PER_CM2_PER_UM

MUCH = deposition("cp").with_values(sei_per_plated=0.1, sei_volume_per_lithium=3.0, void_per_sei=10.0)


@pytest.fixture(scope="module")
def team():
    with Team(1) as made:
        yield made


def cycled(law, team, times, amount):
    plate = ConstantCurrent(current_density_mA_per_cm2=-1.0, areal_capacity_mAh_per_cm2=amount)
    strip = ConstantCurrent(current_density_mA_per_cm2=1.0, voltage_V=1.0)
    protocol = Protocol(name="x", steps=(Repeat(times=times, steps=(plate, strip)),))
    return follow(protocol, posts(10), law, seed=1, team=team)


def test_its_volume_is_that_of_its_charge_and_no_strip_takes_it_away(team):
    found = cycled(MUCH, team, 3, 0.8)
    charges = found.ledger.steps()["sei"].to_numpy()
    assert charges == approx([0.08, 0.08, 0.16, 0.16, 0.24, 0.24], rel=1e-6)
    as_dense_um = [one.sei.sum() * found.voxel_um for one in found.pictures]
    assert as_dense_um == approx(3.0 * charges / LITHIUM_mAh_PER_CM2_PER_UM, rel=1e-9)
    assert found.ledger.residual_mAh_per_cm2 < 1e-9


def test_a_layer_whose_lithium_is_gone_stays_apart_by_its_sei(team):
    law = MUCH.with_values(fill_before_swelling=0.5, stiffness_MPa=30.0)
    box = Box(posts(10), law, 1, team)
    host = box.host[5, 1:-1, 1:-1].mean(dtype=np.float64)
    box.sei[5] = 0.6
    box.settle()
    assert box.heights_um[4] / 0.75 == approx(host + 0.6 / 0.5, rel=1e-12)
    assert (np.delete(box.heights_um[:10], 4) == 0.75).all()
    assert np.flatnonzero(box.pressure).tolist() == [5]
    box.lithium[5, 2, 2] = 0.5
    box.settle()
    assert box.heights_um[4] / 0.75 == approx(host + (0.6 + 0.5 / 81) / 0.5, rel=1e-12)


def test_many_cycles_push_a_host_apart_and_without_volume_they_do_not(team):
    swollen, rigid = (cycled(MUCH.with_values(sei_volume_per_lithium=volume), team, 6, 0.5) for volume in (6.0, 0.0))
    after = [one.front_um for one in swollen.pictures[1::2]]
    assert all(low <= high for low, high in pairwise(after))
    assert after[-1] > 1.3 * 7.5
    held = swollen.pictures[-1]
    below = held.heights_um[:10] / 0.75
    fills = (held.sei[:10] + held.lithium[:10].mean(axis=(1, 2))) / MUCH.fill_before_swelling
    propped = (posts(10).host + held.lithium[:10]).max(axis=(1, 2))  # by what stands there, dead
    law = np.maximum(fills + posts(10).host.mean(axis=(1, 2)), propped)
    assert below == approx(np.maximum(law, 1.0), rel=1e-6)
    assert rigid.pictures[-1].front_um == approx(7.5, rel=0.02)
    assert not rigid.pictures[-1].sei.any()


def test_over_the_host_it_lies_in_the_void_of_moss_and_makes_planes_higher_beyond_that(team):
    law = MUCH.with_values(void_per_sei=30.0)  # void 3 over lithium 1
    box = Box(Ground.bare(6, 6, voxel_um=0.75), law, 1, team)
    box.sei[1:4] = (0.2, 0.55, 1.1)
    box.pack(1.0)
    stretch, packing = box.planes[1:5, : surfaces.PACKING + 1].T
    assert stretch == approx([1.0, 1.25, 2.25, 1.0])  # packed to 0.55, beside a quarter of lithium
    assert stretch * packing == approx([0.25] * 4)  # the lithium that a voxel takes
    growth.plate(box, 1.0, 0.001)
    left_um = 0.75 * box.sei.sum() / 0.55
    assert left_um > 0.75 * 1.85 / 0.55
    assert (host_um(box), front_um(box)) == (0.0, approx(left_um))


def test_lithium_stands_over_a_host_in_the_first_cycle_or_not_at_all(team):
    found = cycled(MUCH.with_values(sei_volume_per_lithium=6.0), team, 5, 0.5)
    over, is_first = found.front_um - found.host_um, found.ledger.table["cycle_count"].to_numpy() == 0
    most = over[is_first].max()
    assert over[~is_first].max() > most + 0.1
    one = _Seed(1, found, posts(10).host.astype(np.float32), "posts")
    assert _onset_of(one, most + 0.05) is None
    assert 0.0 < _onset_of(one, 0.5 * most) < 0.5


@pytest.mark.parametrize("contact", [0.0, 1.0])
def test_no_layer_holds_more_than_its_height_whatever_is_dead_in_it(contact, team):
    law = MUCH.with_values(
        sei_volume_per_lithium=20.0, stiffness_MPa=1e4, ease_spread=1.0, lithium_contact=contact, fibre_contact=contact
    )
    found = cycled(law, team, 5, 2.0)
    most = 0.0
    for one in found.pictures:
        room = one.heights_um / found.voxel_um
        most = max(most, float(one.sei[10:].max()))
        below = posts(10).host.mean(axis=(1, 2))
        host = np.concatenate([below, np.zeros(len(room) - len(below))])
        assert (host + one.lithium.mean(axis=(1, 2)) + one.sei <= room + 1e-6).all()
    assert most > 1.0  # over the host, of a voxel
    assert found.ledger.residual_mAh_per_cm2 < 1e-9


def test_sei_counts_in_how_far_a_layer_may_be_filled(team):
    law = MUCH.with_values(sei_volume_per_lithium=9.0, stiffness_MPa=30.0)  # a volume of SEI for each of lithium
    with_sei, without = (
        Box(posts(10), values, 1, team).more_until(0.1) for values in (law, law.with_values(sei_volume_per_lithium=0.0))
    )
    assert with_sei == approx(0.5 * without)


def test_what_is_left_stands_beside_what_was_published(tmp_path):
    text = SMALLER.replace("areal_capacity_mAh_per_cm2 = 3 ", "areal_capacity_mAh_per_cm2 = 1 ")
    text = text.replace("lithium_contact = 0.1", "sei_per_plated = 0.2\nsei_volume_per_lithium = 15")
    text = text.replace("seeds = [1, 2]", "seeds = [1]")
    paper = '[[published]]\nsample = "cp"\nquantity = "stripped_thickness_um"\nafter_cycles = {}\nlow = {}\nhigh = {}\n'
    source = 'source = "made up"\n'
    asked = written(tmp_path, text + paper.format(2, 20, 25) + source + paper.format(7, 70, 70) + source)
    found = deposit_findings(asked, n_cycles=2, workers=1).items[0]
    one, two = found.summary["stripped_thickness_um"]
    assert (one["cycle"], one["paper_low"], one["is_met"]) == (1, None, None)
    assert (two["cycle"], two["paper_low"], two["paper_high"]) == (2, 20, 25)
    assert 20.0 <= one["host_um"] < two["host_um"] <= two["mean"]
    assert two["sei_um"] == approx(15.0 * found.summary["account"][-1]["sei"] / LITHIUM_mAh_PER_CM2_PER_UM)
    assert two["is_met"] == (0.9 * 20 <= two["mean"] <= 1.1 * 25)
    assert any("cycle 7 does not come" in text for text in found.summary["said"])
    assert not any("cycle 2 does not come" in text for text in found.summary["said"])
    for told in (one, two):
        ends = [("strip", told["cycle"])]
        rows = [row for row in found.summary["infill_profile"] if (row["step"], row["cycle"]) in ends]
        assert sum(row["sei"] * row["height_um"] for row in rows) == approx(told["sei_um"])
    canvas = Canvas()
    infill(found).paint(canvas)
    assert [axes.get_ylabel() for axes in canvas.axes] == ["Lithium (%)", "SEI (%)"]
    assert canvas.axes[0].get_legend_handles_labels()[1][-1] == "cycle 2: stripped"
    assert two["if_sei_stands_um"] >= two["mean"]
    assert f"{two['mean']:.3g} um are left when cycle 2 is stripped" in headline(found.summary)
    table = deposition_results(found.summary)["height_when_stripped"]["heights"]
    assert [row["published_um"] for row in table] == ["", "20 to 25"]
    assert "Diamonds" in cycles(found).caption


def test_a_published_residue_needs_its_cycle_and_a_height_has_none(tmp_path):
    lines = SMALLER + '[[published]]\nsample = "cp"\nlow = 1\nhigh = 1\nsource = "x"\n'
    with pytest.raises(InputError, match="after_cycles: goes with a stripped thickness"):
        written(tmp_path, lines + 'quantity = "stripped_thickness_um"\n')
    with pytest.raises(InputError, match="after_cycles: goes with a stripped thickness"):
        written(tmp_path, lines + 'quantity = "onset_mAh_per_cm2"\nafter_cycles = 3\n')
    one = lines[len(SMALLER) :] + 'quantity = "stripped_thickness_um"\nafter_cycles = 3\n'
    with pytest.raises(InputError, match="stripped_thickness_um of cp stands there twice"):
        written(tmp_path, SMALLER + 2 * one)
    asked = written(tmp_path, SMALLER + one)
    assert not_beside(asked, [1.0], [1, 2, 3]) == []
    assert "cycle 3 does not come" in not_beside(asked, [1.0], [])[0]


def test_of_many_cycles_the_first_and_the_last_are_shown_and_the_others_told():
    rows = [{"cycle": cycle} for cycle in range(1, 15) for _ in range(2)]
    assert left_out(rows[:22]) == ""
    assert left_out(rows) == "Cycles 11 to 13 are left out here; the JSON has them."


@pytest.mark.parametrize(("sample", "paper"), [("cp", 75.9), ("cp-zno-002", 50.7)])
def test_the_shipped_200_cycles_end_where_the_residue_was_published(sample, paper):
    asked = read_deposit("two-hundred-cycles", other_sample=sample)
    steps = list(asked.asked.protocol.executed())
    cycles_done = len(steps) // 2
    assert [one.low for one in asked.published("stripped_thickness_um") if one.after_cycles == cycles_done] == [paper]
    assert {step.signed_mA_per_cm2 for step in steps} == {-0.5, 0.5}
    assert not_beside(asked, [], [cycles_done]) == []
