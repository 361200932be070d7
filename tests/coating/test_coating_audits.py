"""What closes and what does not: computed against published and measured, each in the words of its verdict."""

import pytest
from recipe_files import PAPER, written

from interlith.coat import CoatOptions, coat_recipe, file_of

SHIPPED = file_of("reference-coating")


def audits(given, **asked):
    return {row["name"]: row for row in coat_recipe(str(given), CoatOptions(**asked)).items[0].summary["audits"]}


def test_a_recipe_is_held_against_the_published_loading_and_the_particles_seen():
    shipped = audits("reference-coating")
    assert shipped["the loading against the published one"]["verdict"] == "closes"
    assert shipped["the particles against those seen"]["verdict"] == "closes"
    film = shipped["a conformal film against the loading"]
    assert film["verdict"] == "does not close"
    assert "12.41 %" in film["text"]
    assert "They exclude each other: 15 nm" in film["text"]
    few = audits("reference-coating", reading="nucleation")["the particles against those seen"]
    assert (few["verdict"], few["text"]) == ("does not close", "seen 5 to 10 nm; the recipe gives 30 nm")
    half = audits("reference-coating", changes=("batch_mass_kg=0.5",))["the loading against the published one"]
    assert half["verdict"] == "does not close"


def test_a_published_loading_that_the_paper_cannot_hold_is_told(tmp_path):
    path = written(tmp_path, add=f"{PAPER}[published]\nsource = 'x'\nloading_wt_fraction = 0.97")
    found = audits(path)["the loading against the published one"]
    assert found["verdict"] == "does not close"
    assert "More oxide than coated powder" in found["text"]


def test_a_conformal_film_that_is_one_says_so(tmp_path):
    told = "[published]\nsource = 'x'\nnominal_thickness_nm = 5\nloading_wt_fraction = 0.668"
    one = audits(written(tmp_path, add=told))["a conformal film against the loading"]
    assert one["verdict"] == "closes"  # on the recipe's own tube, which is none of the usual ones
    assert "exclude" not in one["text"]
    assert "They agree" in one["text"]


def test_particles_that_do_not_fit_are_no_separate_ones(tmp_path):
    told = "[published]\nsource = 'x'\nparticle_diameter_nm = [1, 3]\nloading_wt_fraction = 0.7"
    found = audits(written(tmp_path, add=told))["particles against the loading"]
    assert found["verdict"] == "does not close"
    assert "separate" not in found["text"]


def test_a_measurement_closes_within_its_own_range(tmp_path):
    def verdict(text):
        return audits(written(tmp_path, add=f"[measured]\n{text}"))

    wide = "loading_wt_fraction = { value = 0.09, kind = 'measured', low = 0.08, high = 0.11, source = 'TGA' }"
    assert verdict(wide)["loading_wt_fraction as measured"]["verdict"] == "closes"
    assert "(0.08 to 0.11)" in verdict(wide)["loading_wt_fraction as measured"]["text"]
    close = wide.replace("low = 0.08, high = 0.11", "low = 0.089, high = 0.091")
    assert verdict(close)["loading_wt_fraction as measured"]["verdict"] == "does not close"
    assert verdict("loading_wt_fraction = 0.09")["loading_wt_fraction as measured"]["verdict"] == "does not close"


@pytest.mark.parametrize(
    ("text", "closes"),
    [
        ("crystallite_size_nm = 25", "does not close"),  # computed particles of 11 nm
        ("crystallite_size_nm = 8", "closes"),
        ("crystallite_size_nm = 8\nparticle_diameter_nm = 6", "does not close"),
        ("crystallite_size_nm = 25\nparticle_diameter_nm = 30", "closes"),
    ],
)
def test_a_crystallite_is_no_larger_than_its_particle(tmp_path, text, closes):
    found = audits(written(tmp_path, add=f"[measured]\n{text}"))["crystallites against the particles"]
    assert found["verdict"] == closes


def test_tubes_begin_with_ones_own_and_show_what_is_known(tmp_path):
    said = coat_recipe(written(tmp_path)).items[0].summary
    first = said["tubes"][0]
    assert (first["outer_diameter_nm"], first["inner_diameter_nm"]) == (40, 20)
    assert set(first) == {"outer_diameter_nm", "inner_diameter_nm", "area_m2_per_g"}
    assert len(said["tubes"]) == 5
    assert len(coat_recipe("reference-coating").items[0].summary["tubes"]) == 4
