"""A coating on a terminal and on the page: what is shown, in which words, and what is left out."""

import re

from recipe_files import written

from interlith.coat import CoatOptions, coat_recipe
from interlith.report.terminal_host import print_coating
from interlith.report.wording import shares

PRICES = "[prices]\ndiethylzinc_per_kg = 1000\npowder_per_kg = 100\nreactor_per_h = 50"


def shown(capsys, given, **asked):
    print_coating(coat_recipe(str(given), CoatOptions(**asked)), None)
    return capsys.readouterr().out


def test_a_terminal_has_what_a_batch_is_asked_for(tmp_path, capsys):
    text = shown(capsys, written(tmp_path, add=PRICES))
    for line in (
        r"residue of a TGA in air \(wt%\)",
        r"loading of half the batch \(wt%\)",
        r"loading of a closed film \(wt%\)",
        r"oxide by what limits it +\d+ % supply, \d+ % nucleation",
        r"time \(h\) +not known",
        r"diethylzinc \(g\) +2\.8",
        r"cost per kg of bare powder",
        r"Cost\ndiethylzinc +2\.8\d*\npowder +1\n",
    ):
        assert re.search(line, re.sub(r" +\n", "\n", text)), line
    assert re.search(r"diethylzinc \(kg\) +0\.23", shown(capsys, "reference-coating"))


def test_what_moves_is_left_out_where_nothing_does(tmp_path, capsys):
    area = ("outer_diameter_nm = 40\ninner_diameter_nm = 20", "surface_area_m2_per_g = 60")
    own = "[materials.zinc-oxide]\ndensity_g_per_cm3 = 5.61"
    assert "What moves the loading" not in shown(capsys, written(tmp_path, area, add=own))
    assert "What moves the loading" in shown(capsys, written(tmp_path))


def test_a_terminal_has_the_fit_and_its_lines(tmp_path, capsys):
    data = [
        f"[[data]]\nn_cycles = {n}\nparticle_diameter_nm = {d}\nstandard_error = 0.5\n" for n, d in ((10, 3), (20, 7))
    ]
    load = "[[data]]\nn_cycles = 40\nloading_wt_fraction = 0.08\nstandard_error = 0.01\n"
    text = shown(capsys, written(tmp_path, add="".join(data) + load), fit=True)
    assert "reduced chi squared" in text
    assert "To paste into the recipe\n# recipe\n[growth]\n" in text


def test_a_page_speaks_in_words(tmp_path):
    asked = CoatOptions(loading_wt_fraction=0.2)
    coat_recipe("reference-coating", asked, out=tmp_path)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    tables = page[: page.index("To paste into")]
    assert "<td>growth per cycle (nm)</td>" in tables
    assert "<td>doses (Torr)</td>" in tables
    assert "97 % supply, 3 % nucleation" in tables
    assert "loading of half the batch (wt%)" in tables
    assert "6.5, 6.5, 7 Torr" in page
    assert '<td colspan="2">\n<div class="scroll">' in tables  # the table of tubes, named once


def test_shares_in_words():
    assert shares({"supply": 0.996, "nucleation": 0.004, "water": 0.0}) == "100 % supply, under 1 % nucleation"
