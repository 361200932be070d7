"""A fit as it is told: lines to paste, its curve in the figure, doubts, bounds."""

import re
import tomllib

import pytest
from pytest import approx
from recipe_files import written

from interlith.coat import CoatOptions, coat_recipe
from interlith.coating.fit import fit, predicted, with_growth
from interlith.coating.recipe_file import Datum, read_recipe
from interlith.report.coating_plots import loading

WIDE = ("reactor_volume_L = 3", "reactor_volume_L = 3000")


def diameters(recipe, nuclei, growth, cycles=(20, 40, 60)):
    """Diameters and a loading as another growth makes them, exactly."""
    asked = [Datum(n_cycles=n, particle_diameter_nm=1, standard_error=0.2) for n in cycles]
    asked.append(Datum(n_cycles=40, loading_wt_fraction=0.1, standard_error=0.002))
    exact = predicted(with_growth(recipe, nuclei, growth), asked)
    return [
        one.model_copy(update={"particle_diameter_nm" if one.loading_wt_fraction is None else "loading_wt_fraction": v})
        for one, v in zip(asked, exact, strict=True)
    ]


def lines(data):
    keys = ("n_cycles", "loading_wt_fraction", "particle_diameter_nm", "standard_error")
    rows = [[f"{k} = {getattr(one, k)}" for k in keys if getattr(one, k) is not None] for one in data]
    return "\n".join("[[data]]\n" + "\n".join(row) for row in rows)


def test_lines_of_a_fit_make_the_recipe_as_fitted(tmp_path):
    data = lines(diameters(read_recipe(written(tmp_path, WIDE)).recipe, 300.0, 0.15))
    item = coat_recipe(written(tmp_path, WIDE, add=data), CoatOptions(fit=True)).items[0]
    toml = item.summary["fit"]["toml"]
    growth = tomllib.loads(toml)["growth"]
    assert growth["nuclei_per_um2"]["value"] == approx(300, rel=1e-2)
    assert growth["growth_per_cycle_nm"]["kind"] == "calibrated"
    assert growth["growth_per_cycle_nm"]["low"] < 0.15 < growth["growth_per_cycle_nm"]["high"]
    pasted = re.sub(r"(?s)\[growth\].*?(?=\[\[data)", f"{toml}\n", written_text(tmp_path))
    again = tmp_path / "again.toml"
    again.write_text(pasted)
    found = coat_recipe(str(again)).items[0].summary
    assert found["result_kind"] == "calibrated"
    assert found["particle_diameter_nm"] == approx(2 * 40 * 0.15, rel=1e-2)
    assert any("recipe as written; paste the lines" in text for text in item.summary["said"])


def written_text(tmp_path):
    return (tmp_path / "r.toml").read_text()


def test_the_curve_of_a_fit_is_drawn_up_to_the_last_datum(tmp_path):
    data = lines(diameters(read_recipe(written(tmp_path, WIDE)).recipe, 300.0, 0.15))
    item = coat_recipe(written(tmp_path, WIDE, add=data), CoatOptions(fit=True)).items[0]
    rows = item.tables["growth"].to_dicts()
    fitted = [row for row in rows if row["reading"] == "fitted"]
    assert (len(fitted), fitted[-1]["particle_diameter_nm"]) == (60, approx(2 * 60 * 0.15, rel=1e-2))
    assert len(rows) == 100
    assert "and as fitted" in loading(item).caption


def test_what_a_fit_doubts(tmp_path):
    recipe = read_recipe(written(tmp_path, WIDE)).recipe
    bad = [Datum(n_cycles=n, particle_diameter_nm=d, standard_error=0.1) for n, d in ((20, 300), (40, 30), (60, 9))]
    found = fit(recipe, bad)
    assert any("reduced chi squared" in text for text in found.said)
    far = fit(recipe, [Datum(n_cycles=n, particle_diameter_nm=900, standard_error=1) for n in (20, 40, 60)])
    assert any("growth_per_cycle_nm = 1 lies on its bound" in text for text in far.said)
    good = fit(recipe, diameters(recipe, 300.0, 0.15))
    assert good.said == ()
    for one in (*found.values, *far.values):
        least, most = (0.1, 1e6) if one.name == "nuclei_per_um2" else (0.005, 1.0)
        assert least * (1 - 1e-9) <= one.low <= one.high <= most * (1 + 1e-9)


@pytest.mark.parametrize(("n", "word"), [(1, "fewer data than values"), (2, "as many values as data"), (3, None)])
def test_how_many_data_a_fit_has(tmp_path, n, word):
    recipe = read_recipe(written(tmp_path, WIDE)).recipe
    said = fit(recipe, diameters(recipe, 300.0, 0.15)[-n:]).said
    assert any(f"{word}: nothing" in text for text in said) is (word is not None)


def test_supply_is_blamed_only_where_it_is_to_blame(tmp_path):
    starved = read_recipe(written(tmp_path)).recipe.model_copy(update={"batch_mass_kg": 1.0})
    load = [Datum(n_cycles=n, loading_wt_fraction=0.1, standard_error=0.01) for n in (40, 60)]
    exact = predicted(starved, load)
    load = [one.model_copy(update={"loading_wt_fraction": v}) for one, v in zip(load, exact, strict=True)]
    assert any("supply-limited" in text for text in fit(starved, load).said)
    wide = read_recipe(written(tmp_path, WIDE)).recipe
    sizes = [Datum(n_cycles=40, particle_diameter_nm=13.6, standard_error=0.5)]
    said = fit(wide, sizes).said
    assert any("nuclei_per_um2: not said" in text for text in said)
    assert not any("supply-limited" in text for text in said)
