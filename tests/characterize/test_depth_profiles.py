"""TOF-SIMS: ions found by name and mass, shares and ratios as counted, unequal doses and mixtures said or refused."""

import json
import math
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lab_truth import profile_text

from interlith.characterize.secondary_ions.ions import NEGATIVE, POSITIVE, composition, ion_mass_u, resolution_needed
from interlith.characterize.secondary_ions.tof_sims import chosen, is_tof_sims, measure_tof_sims, read_profile
from interlith.errors import CorruptFile, InputError, InterlithError, UnsupportedFormat

IONS = ("F-", "OH-", "C_2-", "C_2H-", "CN-", "LiNO_3-", "LiSNOF-", "Cl-")
RATES = np.array([900.0, 400, 100, 50, 200, 20, 5, 300])


@pytest.fixture
def write(tmp_path):
    """A profile in a file, read back."""

    def make(name="a.txt", factor=1.0, n=40, seed=0, ions=IONS, rates=RATES, mz="exact", **more):
        counts = np.random.default_rng(seed).poisson(rates * factor, (n, len(rates)))
        masses = [None if mz is None or "Cl" in i else ion_mass_u(i) for i in ions] if mz in ("exact", None) else mz
        path = tmp_path / name
        path.write_text(profile_text(ions, counts, mz=masses, **more), encoding="latin-1")
        return read_profile(path)

    return make


def ions_of(found, polarity="negative"):
    return {(row["species"], row["sample"]): row for row in found.values[polarity]["ions"]}


def test_masses_and_resolutions_are_computed_from_atoms():
    assert round(resolution_needed("Li_2+", "CH_2+")) == 858
    assert round(resolution_needed("CN-", "C_2H_2-")) == 2068
    nominal = {
        "F-": 19,
        "OH-": 17,
        "C_2-": 24,
        "C_2H-": 25,
        "CN-": 26,
        "LiNO_3-": 69,
        "LiSNOF-": 88,
        "Li+": 7,
        "Li_2+": 14,
    }
    assert {ion: round(ion_mass_u(ion)) for ion in (*NEGATIVE, *POSITIVE)} == nominal


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("LiNO_3-", "LiNO3-", True),
        ("HO-", "OH-", True),
        ("^7Li_2+", "Li_2+", True),
        ("C_2H_2-", "CN-", False),
        ("^13CN-", "CN-", False),
        ("Li+", "Li-", False),
        ("CHC-", "C_2H-", True),
    ],
)
def test_names_mean_their_atoms(one, other, same):
    assert (composition(one) == composition(other)) is same


@pytest.mark.parametrize("name", ["total", "F- / ( O- )", "^206PbI-, ^207PbI-PbI-", "", "N/A", "26.0036", "F"])
def test_what_is_no_single_ion_has_no_composition(name):
    assert composition(name) is None


def test_shares_are_the_counts_over_all_counts(write):
    one = write()
    found = measure_tof_sims([one])
    for ion in chosen(one):
        row = ions_of(found)[(ion.name.replace("_", ""), "a.txt")]
        assert row["share_percent"] == pytest.approx(100 * one.counts[:, ion.column].sum() / one.total.sum())
        assert row["share_low_percent"] < row["share_percent"] < row["share_high_percent"]
    assert found.quantities == ()
    json.dumps(found.values, allow_nan=False)


def test_a_known_ratio_between_two_samples_is_found(write):
    a = write("a.txt", seed=1)
    b = write("b.txt", seed=2, rates=RATES * np.array([2.0, 1, 1, 1, 1, 1, 1, 1]))
    found = ions_of(measure_tof_sims([a, b]))
    share = 2 * 900 / (RATES.sum() + 900) / (900 / RATES.sum())
    row = found[("F-", "b.txt")]
    assert row["index_low"] < share < row["index_high"]
    assert row["index"] == pytest.approx(share, rel=0.02)
    assert found[("F-", "a.txt")]["index"] is None


def test_twice_the_beam_current_changes_no_index(write):
    a, b = write("a.txt", seed=1, n=200), write("b.txt", seed=2, n=200, factor=2.0)
    for (_, sample), row in ions_of(measure_tof_sims([a, b])).items():
        if sample == "b.txt":
            assert row["index"] == pytest.approx(1.0, abs=5 * (row["index_high"] - row["index_low"]) / 4)


def test_errors_are_those_of_counting(tmp_path):
    a = write_many(tmp_path, 0)
    rows = [ions_of(measure_tof_sims([a, write_many(tmp_path, k)]))[("LiSNOF-", "x.txt (2)")] for k in range(1, 150)]
    inside = np.mean([row["index_low"] <= 1.0 <= row["index_high"] for row in rows])
    spread = np.std([math.log(row["index"]) for row in rows])
    said = np.mean([math.log(row["index_high"] / row["index"]) for row in rows]) / 1.96
    assert inside > 0.85
    assert said / math.sqrt(2) == pytest.approx(spread, rel=0.25)  # the first sample is the same in all


def write_many(tmp_path, seed):
    path = tmp_path / "x.txt"
    path.write_text(profile_text(IONS, np.random.default_rng(seed).poisson(RATES, (20, len(RATES)))))
    return read_profile(path)


def test_an_ion_that_is_absent_is_said_and_not_0(write):
    keep = [0, 2, 4, 7]
    one = write(ions=[IONS[i] for i in keep], rates=RATES[keep])
    found = measure_tof_sims([one])
    assert found.values["negative"]["absent"] == {"a.txt": ["OH-", "C2H-", "LiNO3-", "LiSNOF-"]}
    assert {row["species"] for row in found.values["negative"]["ions"]} == {"F-", "C2-", "CN-"}
    assert any("not the same as none" in text for text in found.said)


def test_an_ion_without_a_count_has_an_upper_end_only(write):
    a, b = write("a.txt"), write("b.txt", rates=RATES * np.array([1, 1, 1, 1, 1, 1, 0, 1]))
    row = ions_of(measure_tof_sims([a, b]))[("LiSNOF-", "b.txt")]
    assert (row["share_percent"], row["index"], row["index_low"]) == (0.0, 0.0, 0.0)
    assert row["share_high_percent"] / 100 * b.total.sum() == pytest.approx(2.9957, abs=1e-3)
    assert row["index_high"] > 0


def test_unequal_doses_are_cut_to_what_both_have_and_said(write):
    a, b = write("a.txt", n=40), write("b.txt", n=60)
    found = measure_tof_sims([a, b])
    assert found.values["negative"]["range"] == [0.0, 4e14]
    assert any("doses differ by 1.50" in text for text in found.said)
    counts = ions_of(found)[("F-", "b.txt")]["counts"]
    assert counts == pytest.approx(b.counts[:40, 0].sum())


def test_unequal_steps_of_dose_are_said(write):
    found = measure_tof_sims([write("a.txt", n=40), write("b.txt", n=80, step=5e12)])
    assert any("between two points differs by 2.00" in text for text in found.said)


def test_profiles_without_a_common_range_are_refused(write):
    a, b = write("a.txt"), write("b.txt")
    with pytest.raises(InputError, match="equal dose"):
        measure_tof_sims([a, replace(b, axis=b.axis + 1e17)])
    with pytest.raises(InputError, match="over the fluence"):
        measure_tof_sims([a, replace(b, axis_unit="sputter_time_s")])


def test_profiles_that_share_no_range_do_not_stop_the_others(write):
    a, b, far = write("a.txt"), write("b.txt", seed=2), write("far.txt", seed=3)
    far = replace(far, axis=far.axis + 1e17)
    positive = write("p.txt", ions=("Li+", "Li_2+", "H+"), rates=np.array([5e3, 50.0, 10]))
    found = measure_tof_sims([a, far, b, positive])
    assert [one["name"] for one in found.values["negative"]["profiles"]] == ["a.txt", "b.txt"]
    assert any("left out" in text and "far.txt" in text for text in found.said)
    assert "positive" in found.values
    alone = measure_tof_sims([a, far, positive])
    assert set(alone.values) == {"positive"}
    assert any("equal dose" in text for text in alone.said)


@pytest.mark.parametrize(("off_u", "counted"), [(-0.0165, False), (-0.007, True), (0.0, True), (0.0165, False)])
def test_a_name_counts_only_where_its_mass_is_nearer_to_it_than_to_the_next_ion(write, off_u, counted):
    ions = ("Li+", "Li_2+", "H+")
    masses = [ion_mass_u("Li+"), ion_mass_u("Li_2+") + off_u, 1.0073]
    found = measure_tof_sims([write("p.txt", ions=ions, rates=np.array([5e3, 50.0, 10]), mz=masses)])
    assert ("Li2+" in found.headline) is counted
    assert ({row["species"] for row in found.values["positive"]["ions"]} == {"Li+", "Li2+"}) is counted
    assert any("not counted as Li2+" in text for text in found.said) is not counted


def test_headlines_carry_errors_and_say_below_what_nothing_was_counted(write):
    a, b = write("a.txt"), write("b.txt", seed=2, rates=RATES * np.array([1, 1, 1, 1, 1, 1, 0, 1]))
    one = measure_tof_sims([b])
    row = ions_of(one)[("F-", "b.txt")]
    assert f"F- {row['share_percent']:.3g} ({row['share_low_percent']:.3g} to" in one.headline
    assert f"LiSNOF- below {ions_of(one)[('LiSNOF-', 'b.txt')]['share_high_percent']:.2g} %" in one.headline
    both = measure_tof_sims([a, b])
    assert f"F- {ions_of(both)[('F-', 'b.txt')]['index']:.3g} (" in both.headline
    assert "LiSNOF- below" in both.headline


def test_negative_and_positive_are_grouped_and_a_mixture_in_one_file_is_refused(write):
    negative = write("n.txt")
    positive = write("p.txt", ions=("Li+", "Li_2+", "H+"), rates=np.array([5e3, 50.0, 10]))
    found = measure_tof_sims([negative, positive])
    assert set(found.values) == {"negative", "positive"}
    assert all(row["index"] is None for group in found.values.values() for row in group["ions"])
    assert any("858" in text and "does not prove metal" in text for text in found.said)
    assert any("2068" in text for text in found.said)
    with pytest.raises(CorruptFile, match="1 of 3 ions are positive"):
        write(ions=("F-", "CN-", "Li+"), rates=RATES[:3])


def test_a_name_at_the_wrong_mass_is_not_that_ion(write):
    one = write(mz=[ion_mass_u(i) + (0.2 if i == "F-" else 0.005 if i == "CN-" else 0) for i in IONS[:7]] + [34.9694])
    found = measure_tof_sims([one])
    assert "F-" in found.values["negative"]["absent"]["a.txt"]
    assert any("lies at m/z 19.19" in text for text in found.said)
    assert any("CN- is listed +5.0 mu off" in text and "C2H2- lies at +12.6" in text for text in found.said)


def test_a_column_without_a_name_is_taken_by_its_mass_and_one_with_another_name_is_not(write):
    ions = ("mass 19", "C_2H_2-", "OH-")
    one = write(ions=ions, rates=RATES[:3], mz=[18.9989, 26.0036, 17.0033])
    taken = {ion.name: ion.column for ion in chosen(one)}
    assert taken["F-"] == 0
    assert taken["CN-"] is None
    assert "taken as F-" in next(ion.remark for ion in chosen(one) if ion.name == "F-")


def test_a_file_without_a_total_says_so(write, tmp_path):
    text = profile_text(IONS, np.ones((10, 8)) * 5).replace("total", "F_2-")
    path = tmp_path / "a.txt"
    path.write_text(text)
    one = read_profile(path)
    assert "no total" in one.notes[0]


@pytest.fixture
def shared(cycler):
    return sorted((cycler.parent / "characterisation/tofsims").glob("*.txt"))


def test_the_shared_profiles_are_read_as_they_are(shared):
    positive, negative = (read_profile(path) for path in shared)
    assert (positive.polarity, negative.polarity) == ("positive", "negative")
    for one in (positive, negative):
        assert len(one.axis) == 307  # of 308 points the last has no counts
        assert not any(" / " in name for name in one.species)
        assert np.isfinite(one.total).all()
    raw = [line.split("\t") for line in shared[1].read_text("latin-1").split("\n")]
    column = raw[1].index("F-")
    assert raw[2][column] == "18.9993"
    fluorine = chosen(negative)[0]
    assert negative.counts[:, fluorine.column].sum() == pytest.approx(sum(float(row[column]) for row in raw[4:-1]))


def test_exact_masses_are_those_that_the_instrument_of_the_shared_profiles_found(shared):
    for path, ions in zip(shared, [("O+", "CH_3+", "NH_3+", "C_6H_5+"), ("F-", "O-", "C_2-", "O_2-")], strict=True):
        one = read_profile(path)
        for ion in ions:
            assert one.mz[one.species.index(ion)] == pytest.approx(ion_mass_u(ion), abs=0.009)


def test_the_shared_profiles_show_three_ions_of_the_list_and_none_of_lithium(shared):
    found = measure_tof_sims([read_profile(path) for path in shared])
    assert [row["species"] for row in found.values["negative"]["ions"]] == ["F-", "C2-", "CN-"]
    assert found.values["positive"]["ions"] == []
    assert any("CN- is listed +4.9 mu off" in text for text in found.said)
    assert found.tables["tof-sims-index"].height == 3


def test_profiles_are_recognized_by_content(shared, cycler):
    others = [p for p in cycler.parent.rglob("*") if p.is_file() and p not in shared]
    start = time.perf_counter()
    assert all(is_tof_sims(path) for path in shared)
    assert not [path for path in others if is_tof_sims(path)]
    assert time.perf_counter() - start < 5.0


GOOD = profile_text(IONS, np.random.default_rng(0).poisson(RATES, (12, 8)), mz=[19.0] * 8)
BAD = {
    "empty": (b"", CorruptFile),
    "no header": (b"1\t2\t3\n4\t5\t6\n", CorruptFile),
    "spreadsheet": (b"PK\x03\x04" + bytes(60), UnsupportedFormat),
    "binary": (bytes(range(256)) * 9, CorruptFile),
    "no rows": ("\n".join(GOOD.split("\n")[:4]).encode(), CorruptFile),
    "a word": (GOOD.replace("\t9", "\tx9", 1).encode(), CorruptFile),
    "negative counts": (GOOD.replace("\t9", "\t-9").encode(), CorruptFile),
    "rows shuffled": ("\n".join(GOOD.split("\n")[:4] + GOOD.split("\n")[:3:-1]).encode(), CorruptFile),
    "no axis": (GOOD.replace("Fluence", "A").replace("Dose", "B").replace("Sputter", "C").encode(), CorruptFile),
    "no ions": (GOOD.replace("-", "").encode(), CorruptFile),
}


@pytest.mark.parametrize("case", BAD)
def test_files_that_are_no_profile_say_so(tmp_path, case):
    content, kind = BAD[case]
    path = tmp_path / "a.txt"
    path.write_bytes(content)
    with pytest.raises(kind, match=r"a\.txt"):
        read_profile(path)


@given(at=st.integers(0, len(GOOD)), junk=st.binary(max_size=30), end=st.integers(0, len(GOOD)), swap=st.booleans())
@settings(max_examples=150, deadline=None)
def test_a_damaged_profile_gives_shares_or_an_error_of_ours(tmp_path_factory, at, junk, end, swap):
    content = (GOOD.replace("1", "inf") if swap else GOOD).encode()
    path = tmp_path_factory.mktemp("fuzz") / "a.txt"
    path.write_bytes(content[:at] + junk + content[at : max(end, at)])
    is_tof_sims(path)
    try:
        found = measure_tof_sims([read_profile(path)] * 2)
    except InterlithError:
        return
    assert all(0 <= row["share_percent"] <= 100 for group in found.values.values() for row in group["ions"])


def test_no_profile_is_no_measurement():
    with pytest.raises(InputError, match="at least one"):
        measure_tof_sims([])
