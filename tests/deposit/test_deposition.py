"""Lithium in the voxels of a host, as findings: the account, the heights beside what is published, the same bits."""

import json
import re
import subprocess
import sys
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from matplotlib.figure import Figure as Canvas
from small_study import SMALLER

from interlith.deposition import deposit_findings
from interlith.deposition_said import CALIBRATED, CHANGED, FIT_CHANGED, PREDICTED, kind_beside, not_beside, said_of
from interlith.deposition_views import by_cycle
from interlith.errors import InputError, PhysicsError
from interlith.findings import Finding
from interlith.networks import NetworkOptions, file_of, read
from interlith.report.deposition_page import _beside
from interlith.report.deposition_plots import KEY, cuts, cycles, film, thickness
from interlith.report.headline import headline

SMALL = (
    SMALLER
    + """[[published]]
sample = "cp"
quantity = "thickness_um"
plated_mAh_per_cm2 = 4
low = 80
high = 80
source = "made up"
[[published]]
sample = "cp-zno-002"
quantity = "onset_mAh_per_cm2"
low = 1
high = 9
source = "made up"
"""
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("deposition")
    (made / "small.toml").write_text(SMALL, encoding="utf-8")
    return made


@pytest.fixture(scope="module")
def found(folder):
    asked = read(str(folder / "small.toml"), NetworkOptions())
    return deposit_findings(asked, n_cycles=2, workers=1).items[0]


def test_every_mAh_is_accounted_for(found):
    assert found.summary["closes_within_mAh_per_cm2"] < 1e-9
    for row in found.summary["account"]:
        held = sum(row[name] for name in ("active_pores", "active_top", "dead_pores", "dead_top", "sei"))
        assert held == pytest.approx(row["plated_mAh_per_cm2"], abs=1e-8)
        assert row["dead_low"] <= row["dead_pores"] + row["dead_top"] <= row["dead_high"]
    assert [row["step"] for row in found.summary["account"]] == ["plate", "plate", "rest", "strip"] * 2
    for entry, held in found.summary["ledger"].items():
        low, high = found.summary["ledger_span"][entry]
        assert low <= held <= high
        assert held == pytest.approx(found.summary["account"][-1][entry])


def test_what_is_dead_is_revived_by_what_grows_over_it(found):
    first, second = (found.summary["account"][place] for place in (3, 5))
    dead = [row["dead_pores"] + row["dead_top"] for row in (first, second)]
    assert dead[0] > 0.01
    assert second["revived"] - first["revived"] >= dead[0] - dead[1] > 0.0


def test_pores_fill_before_lithium_stands_over_them(found):
    said = found.summary
    void = 0.79 * 20 * 0.2062
    assert 0.5 * void < said["in_pores_mAh_per_cm2"]["mean"]
    assert 0.0 < said["onset_mAh_per_cm2"]["mean"] < 0.7 * void
    above = said["stands_over_mAh_per_cm2"]
    assert above[0]["mean"] == said["onset_mAh_per_cm2"]["mean"]
    assert all(low["mean"] < high["mean"] for low, high in pairwise(above) if high["mean"] is not None)
    four = said["thickness_um"][1]
    assert 20.0 < four["host_um"] < four["mean"]
    assert four["low"] <= four["mean"] <= four["high"]


def test_published_numbers_of_the_sample_are_beside_ours_and_those_of_others_are_not(found):
    one, four = found.summary["thickness_um"]
    assert (one["paper_low"], one["is_met"]) == (None, None)
    assert (four["paper_low"], four["is_met"]) == (80.0, False)
    assert found.summary["onset_mAh_per_cm2"]["is_met"] is None
    assert {row["kind"] for row in found.summary["thickness_um"]} == {"predicted from calibrated and assumed values"}


def test_what_was_fitted_to_is_called_neither_predicted_nor_calibrated_in_a_changed_set(folder):
    fitted = SMALL.replace("high = 80\n", "high = 80\nis_fitted = true\n").replace("seeds = [1, 2]", "seeds = [1]")
    (folder / "fitted.toml").write_text(fitted, encoding="utf-8")
    asked = read(str(folder / "fitted.toml"), NetworkOptions())
    assert asked.is_changed
    one, four = deposit_findings(asked, workers=1).items[0].summary["thickness_um"]
    assert (one["kind"], four["kind"]) == (PREDICTED, FIT_CHANGED)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("[box]", "[deposition]\nlithium_contact = 0.1\n[box]"),
        ("bundle_diameter_um = { value = 1.0", "bundle_diameter_um = { value = 1.2"),
        ("current_density_mA_per_cm2 = -1", "current_density_mA_per_cm2 = -2"),
    ],
)
def test_other_values_another_host_or_current_are_not_what_was_fitted(folder, old, new):
    text = file_of("reference-deposit")
    assert old in text
    (folder / "other.toml").write_text(text.replace(old, new), encoding="utf-8")
    other = read(str(folder / "other.toml"), NetworkOptions())
    assert other.is_changed
    assert CHANGED in said_of(other)
    assert not read("reference-deposit", NetworkOptions(sample="cp-zno-020")).is_changed


def test_the_shipped_values_said_again_are_no_change(folder):
    text = file_of("reference-deposit").replace("[box]", "[deposition]\nlithium_contact = 0.3\n[box]")
    (folder / "same.toml").write_text(text, encoding="utf-8")
    same = read(str(folder / "same.toml"), NetworkOptions())
    assert (bool(same.changes), same.is_changed) == (True, False)
    paper = same.published("thickness_um")
    assert kind_beside(paper, is_changed=same.is_changed) == CALIBRATED
    assert CHANGED not in said_of(same)
    assert kind_beside(paper, is_changed=True) == FIT_CHANGED
    assert kind_beside([], is_changed=True) == PREDICTED


def test_nothing_published_stands_beside_another_paper_and_what_is_not_reached_is_told(tmp_path):
    (tmp_path / "own.toml").write_text(SMALL, encoding="utf-8")
    (tmp_path / "other.toml").write_text(SMALL.replace("[network]", "[network]\nthickness_um = 30"), encoding="utf-8")
    own, other = (read(str(tmp_path / name), NetworkOptions()) for name in ("own.toml", "other.toml"))
    assert (own.is_of_the_sample, other.is_of_the_sample) == (True, False)
    assert not_beside(own, [1.0, 4.0], []) == []
    assert "a height at 4 mAh/cm2 is not compared" in not_beside(own, [1.0], [])[0]
    assert not_beside(other, [1.0], []) == []
    assert "not those of the paper of cp" in " ".join(said_of(other))
    assert "not those of the paper of cp" not in " ".join(said_of(own))


def test_the_profile_holds_the_lithium_of_the_account(found):
    rows = pl.DataFrame(found.summary["infill_profile"])
    for row in found.summary["account"][:2]:
        layers = rows.filter(pl.col("plated_mAh_per_cm2") == row["plated_mAh_per_cm2"])
        assert (layers["mean"] * layers["height_um"]).sum() * 0.2062 == pytest.approx(
            row["active_pores"] + row["active_top"], rel=0.02
        )


def test_the_film_fills_and_empties_at_equal_steps_and_ends_as_the_cut_does(found):
    film, cut = found.tables["film"], found.tables["cuts"]
    told = film.group_by("panel", maintain_order=True).first()
    plating, stripping = (told.filter(pl.col("is_stripping") == way)["plated_mAh_per_cm2"] for way in (False, True))
    assert plating.to_list() == pytest.approx([0.0, 0.8, 1.6, 2.4, 3.2, 4.0], abs=0.3)
    steps = found.tables["front"].filter(pl.col("seed") == 1)["plated_mAh_per_cm2"]
    a_step = -steps.diff().min()  # the largest one of stripping: a frame is taken at its end
    assert a_step < 0.4
    assert stripping[:-1].to_list() == pytest.approx([3.2, 2.4, 1.6, 0.8], abs=a_step)
    assert (plating.diff().drop_nulls() > 0).all()
    assert (stripping.diff().drop_nulls() < 0).all()
    last = film.filter(pl.col("panel") == film["panel"].max()).select("x_um", "z_um", "lithium", "is_dead")
    assert last.equals(cut.filter(pl.col("panel") == cut["panel"].max()).select(last.columns))
    full = film.filter(pl.col("panel") == 5).select("lithium")
    assert full.equals(cut.filter(pl.col("panel") == 2).select("lithium"))


def test_moss_is_told_from_dense_lithium_in_cuts_and_in_space(found, folder):
    full = found.tables["cuts"].filter(pl.col("state") == "4 mAh/cm2")
    by_height = full.group_by("z_um").agg(pl.col("packing").first()).sort("z_um")["packing"]
    assert by_height[0] == 1.0
    assert 0.0 < by_height.min() < 0.5  # CP has much void over lithium
    for draw, table in ((cuts, "cuts"), (film, "film")):
        canvas = Canvas()
        draw(found).paint(canvas)
        assert canvas.axes[0].get_legend_handles_labels()[1] == [name for _, name in KEY], table
    assert any(text.get_text() == "10 um" for axes in canvas.axes for text in axes.texts)
    out = folder / "space"
    asked = read(str(folder / "small.toml"), NetworkOptions())
    account = deposit_findings(asked, workers=1, out=out).items[0].tables["account"]
    told = re.search(r'<script id="scene"[^>]*>(.*?)</script>', (out / "volume.html").read_text(encoding="utf-8"))
    scene = json.loads(told[1])
    assert [one["key"] for one in scene["layers"]] == ["fibres", "live", "moss", "dead", "live_again"]
    assert len({one["colour"] for one in scene["layers"]}) == len(scene["layers"])
    charges = scene["states"][2]["mAh_per_cm2"]
    assert 0.5 < charges["moss"] < charges["live"]
    assert charges["live"] + charges["moss"] == pytest.approx(
        account["active_pores"][1] + account["active_top"][1], rel=0.1
    )
    assert scene["states"][2]["meshes"]["moss"] is not None


def test_what_rounding_leaves_is_nothing():
    step = {"cycle": 1, "dead_pores": 0.0, "dead_top": 0.0, "sei": 0.0, "dead_low": 0.0, "dead_high": 0.0}
    steps = ((0.1 + 0.2, 0.1 + 0.2), (0.3 - 0.1 - 0.2, 0.3))
    rows = by_cycle([{**step, "plated_mAh_per_cm2": plated, "revived": revived} for plated, revived in steps])
    assert (rows[0]["not_stripped"], rows[0]["revived"]) == (0.0, 0.1 + 0.2)


def test_diamonds_are_told_where_they_are_drawn(found):
    assert "Diamonds" in thickness(found).caption  # 80 um at 4 mAh/cm2
    rows = found.tables["thickness"].with_columns(pl.lit(None, pl.Float64).alias("paper_low"))
    alone = Finding(found.name, found.summary, {**found.tables, "thickness": rows})
    assert "Diamonds" not in thickness(alone).caption


def test_cycles_add_up_to_the_account(found):
    rows, account = found.tables["by_cycle"], found.summary["account"]
    assert rows["cycle"].to_list() == [1, 2]
    assert rows["plated"].to_list() == pytest.approx([4.0, 4.0])
    assert rows["not_stripped"].sum() == pytest.approx(account[-1]["plated_mAh_per_cm2"], abs=1e-9)
    assert rows["revived"].to_list() == pytest.approx(
        [account[3]["revived"], account[-1]["revived"] - account[3]["revived"]]
    )
    assert rows["dead_top"].to_list() == [account[3]["dead_top"], account[-1]["dead_top"]]
    assert cycles(found) is not None
    once = Finding(found.name, found.summary, {**found.tables, "by_cycle": rows[:1]})
    assert cycles(once) is None


def test_processes_do_not_change_a_bit(folder, found):
    asked = read(str(folder / "small.toml"), NetworkOptions())
    again = deposit_findings(asked, n_cycles=2, workers=2).items[0]
    assert json.dumps(again.summary, sort_keys=True) == json.dumps(found.summary, sort_keys=True)


def test_a_command_gives_one_object_and_a_page(folder):
    command = [sys.executable, "-m", "interlith", "deposit", "small.toml", "--json", "--quiet", "--out", "out"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    said = json.loads(done.stdout)
    assert (said["kind"], said["n_cycles"], said["sample"]) == ("deposition", 1, "cp")
    page = (folder / "out" / "report.html").read_text(encoding="utf-8")
    assert "Lithium in the host" in page
    assert "from assumed values" in page
    contact = next(row for row in said["parameters"] if row["name"] == "lithium_contact")
    assert (contact["value"], contact["kind"]) == (0.1, "stated")
    assert said["volume_page"] == "volume.html"
    assert '<a href="volume.html">' in page
    heads = re.findall(
        r"<th>([^<]*)</th>", page[page.index("<h4>height of the lithium") : page.index("Parameters and")]
    )
    bare = {"met", "kind", "cycle", "step", "after cycle"}
    assert {head for head in heads if not head.endswith(("(µm)", "(mAh cm⁻²)"))} == bare
    assert "revived so far (mAh cm⁻²)" in heads
    shown = (folder / "out" / "volume.html").read_text(encoding="utf-8")
    assert [f'"name": "{name}"' in shown for name in ("bare", "1 mAh/cm2", "4 mAh/cm2", "stripped")] == [True] * 4
    assert "NOT CONVERGED in the voxels" in shown
    cut = pl.read_csv(folder / "out" / "figures" / "small.cuts.csv")
    assert cut["state"].unique(maintain_order=True).to_list() == ["bare", "1 mAh/cm2", "4 mAh/cm2", "stripped"]


def test_resistance_of_an_electrolyte_moves_lithium_up_a_little(tmp_path):
    one = SMALL.replace("seeds = [1, 2]", "seeds = [1]").replace("areal_capacity_mAh_per_cm2 = 3", "duration_s = 36")
    heights = []
    for more in ("", 'electrolyte = "litfsi-dol-dme-lino3"\n'):
        (tmp_path / "one.toml").write_text(more + one.partition('  { kind = "rest"')[0] + "]\n", encoding="utf-8")
        summary = deposit_findings(read(str(tmp_path / "one.toml"), NetworkOptions()), workers=1).items[0].summary
        rows = pl.DataFrame(summary["infill_profile"]).filter(pl.col("place") == 0)
        heights.append((rows["z_um"] * rows["mean"]).sum() / rows["mean"].sum())
        assert summary["closes_within_mAh_per_cm2"] < 1e-9
    assert heights[0] < heights[1] < 1.1 * heights[0]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('sample = "cp"\n[network]', "[network]\nporosity = 0.8\nthickness_um = 20", "plating needs sample"),
        ('sample = "cp"\n[network]', 'sample = "o3-cp"\n[network]', "no shipped set for deposition"),
        ("lithium_contact = 0.1", "lithium_contact = 1.1", "lithium_contact = 1.1"),
        ("lithium_contact", "lithum_contact", "lithum_contact"),
        (
            '{ kind = "rest", duration_s = 600 }',
            '{ kind = "constant-voltage", voltage_V = 0.1, duration_s = 9 }',
            "rests",
        ),
        ('title = "a small box"', 'title = "a"\nelectrolyte = "water"', "water"),
        ("capacity_mAh_per_cm2 = 3", "capacity_mAh_per_cm2 = 1e9", "1e+09 mAh/cm2, 4.849e+09 um of dense lithium"),
        ("areal_capacity_mAh_per_cm2 = 3", "duration_s = 1e12", "at most 844"),
        ("current_density_mA_per_cm2 = -1,", "current_density_mA_per_cm2 = -18.75,", "at most 10"),
        ("= -1, areal_capacity_mAh_per_cm2 = 1 ", "= 1, areal_capacity_mAh_per_cm2 = 1 ", "strips before"),
        ('sample = "cp-zno-002"\nquantity', 'sample = "cpx"\nquantity', "sample = 'cpx': one of"),
        ("plated_mAh_per_cm2 = 4\n", "", "plated_mAh_per_cm2: goes with a thickness"),
    ],
)
def test_what_cannot_be_followed_is_refused(tmp_path, old, new, said):
    assert old in SMALL
    (tmp_path / "small.toml").write_text(SMALL.replace(old, new), encoding="utf-8")
    with pytest.raises(InputError) as told:
        deposit_findings(read(str(tmp_path / "small.toml"), NetworkOptions()), workers=1)
    assert said in str(told.value)


def test_a_file_without_a_protocol_has_a_network_alone(tmp_path):
    (tmp_path / "small.toml").write_text(SMALL.partition("[deposition]")[0], encoding="utf-8")
    with pytest.raises(InputError, match=r"plating needs a \[protocol\]; --network-only needs none"):
        deposit_findings(read(str(tmp_path / "small.toml"), NetworkOptions()))


def test_pores_that_lead_nowhere_take_no_lithium(tmp_path):
    import numpy as np

    solid = np.zeros((8, 8, 8), dtype=bool)
    solid[4] = True
    np.save(tmp_path / "wall.npy", solid)
    protocol = SMALL[SMALL.index("[protocol]") : SMALL.index("[[published]]")]
    image = f'title = "wall"\nsample = "cp"\n[image]\nfile = "wall.npy"\nvoxel_um = 1\n{protocol}'
    (tmp_path / "wall.toml").write_text(image, encoding="utf-8")
    with pytest.raises(PhysicsError, match="do not lead from the separator"):
        deposit_findings(read(str(tmp_path / "wall.toml"), NetworkOptions()))


def test_an_image_with_lithium_says_what_was_taken_as_solid(tmp_path):
    solid = np.zeros((8, 8, 8), dtype=np.uint8)
    solid[:, ::4, ::4] = 7
    np.save(tmp_path / "pillars.npy", solid)
    head, _, rest = SMALLER.partition("[network]")
    text = f'{head}[image]\nfile = "pillars.npy"\nvoxel_um = 0.5\n[deposition]{rest.partition("[deposition]")[2]}'
    (tmp_path / "image.toml").write_text(text.replace("_cm2 = 1 }", "_cm2 = 0.1 }").replace("_cm2 = 3", "_cm2 = 0.1"))
    summary = deposit_findings(read(str(tmp_path / "image.toml"), NetworkOptions()), workers=1).items[0].summary
    assert summary["said"][0].startswith("network: pillars.npy: solid 7 (6.25 %), the larger value; pore 0")
    assert "voxel of 0.5 um as given" in summary["networks"][0]


LITTLE = (
    SMALL[: SMALL.index("[protocol]")]
    + """[protocol]
name = "little"
steps = [
  { kind = "constant-current", current_density_mA_per_cm2 = -1, areal_capacity_mAh_per_cm2 = 0.3 },
  { kind = "constant-current", current_density_mA_per_cm2 = 1, voltage_V = 1.0 },
]
[[published]]
sample = "cp"
quantity = "onset_mAh_per_cm2"
low = 0.3
high = 0.3
source = "made up"
"""
)


def onsets(folder, monkeypatch, *values, published="0.3"):
    """The onset, where lithium stands over the host in each network when it is told so."""
    told = iter(values * 20)
    monkeypatch.setattr("interlith.deposition._onset_of", lambda one, above_um: next(told))
    text = LITTLE.replace("low = 0.3\nhigh = 0.3", f"low = {published}\nhigh = {published}")
    (folder / "little.toml").write_text(text, encoding="utf-8")
    found = deposit_findings(read(str(folder / "little.toml"), NetworkOptions()), workers=1).items[0]
    return found.summary["onset_mAh_per_cm2"], headline(found.summary)


def test_an_onset_beyond_what_was_plated_is_not_missed(folder, monkeypatch):
    row, said = onsets(folder, monkeypatch, None, None)
    assert (row["mean"], row["low"], row["n_networks"], row["of_networks"]) == (None, None, 0, 2)
    assert row["up_to_mAh_per_cm2"] == pytest.approx(0.3)
    assert row["is_met"] is None
    assert "does not stand 2 um over the host up to 0.3 mAh/cm2" in said
    assert "missed" not in said
    assert _beside(row, "mAh_per_cm2")["met"] == "not plated so far"
    row, said = onsets(folder, monkeypatch, None, None, published="0.2")
    assert row["is_met"] is False
    assert "1 of 1 published numbers missed" in said


def test_an_onset_in_some_networks_says_in_how_many(folder, monkeypatch):
    row, said = onsets(folder, monkeypatch, 0.25, None)
    assert (row["mean"], row["low"], row["high"], row["n_networks"]) == (None, 0.25, None, 1)
    assert "stands 2 um over the host in 1 of 2 networks from 0.25 mAh/cm2 on" in said


def test_a_protocol_without_steps_is_refused(folder):
    text = LITTLE[: LITTLE.index("steps")] + "steps = []\n"
    (folder / "none.toml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"protocol\.steps: at least one is needed"):
        deposit_findings(read(str(folder / "none.toml"), NetworkOptions()), workers=1)
