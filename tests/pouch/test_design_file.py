"""Bad input: every error says file, line and key, what was got, and the likely mend."""

import re
from importlib import resources
from pathlib import Path

import pytest

from interlith.errors import InputError
from interlith.parts.changes import changed
from interlith.pouch.bill import bill
from interlith.pouch.design_file import read_design

TEXT = resources.files("interlith.pouch").joinpath("shipped", "reference-pouch.toml").read_text(encoding="utf-8")
COIN = resources.files("interlith.pouch").joinpath("shipped", "reference-coin.toml").read_text(encoding="utf-8")


def refused(tmp_path, text):
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_design(str(path))
    return str(caught.value)


def line_of(text, pattern, after=None):
    start = 0 if after is None else text.index(after)
    return text[: start + re.search(pattern, text[start:], re.MULTILINE).start()].count("\n") + 1


# what is changed, into what, the table it stands in, the key of the message, what the message must say
CASES = [
    (
        "width_cm = { value = 4.7",
        "width_cm = { value = 4.3",
        "[negative]",
        "negative.width_cm",
        "overhang would be -0.1 cm",
    ),
    ("width_cm = { value = 4.9", "width_cm = { value = 4.6", "[stack]", "stack.width_cm", "the separator must reach"),
    (
        "most_depth_mm = { value = 9.0",
        "most_depth_mm = { value = 1.2",
        "[case]",
        "case.most_depth_mm",
        "about 3 positive",
    ),
    (
        "g_per_Ah = { value = 2.45",
        "volume_mL = 2.8\ng_per_Ah = { value = 2.45",
        "[electrolyte]",
        "electrolyte",
        "exactly one of",
    ),
    (
        "thickness_um = { value = 6.0",
        "thickness_um = { value = 0.006",
        "[negative.foil]",
        "negative.foil.thickness_um",
        "Did you mean 6",
    ),
    (
        'active_fraction = { value = 0.965, kind = "assumed", low = 0.94, high = 0.98',
        'active_fraction = { value = 96.5, kind = "assumed", low = 94, high = 98',
        "[[positive.layers]]",
        "active_fraction",
        "Did you mean 0.965?",
    ),
    (
        "porosity = { value = 0.41",
        "porosity = { value = 41",
        "[stack.separator]",
        "stack.separator.porosity",
        "Did you mean 0.41?",
    ),
    ('material = "ncm90"', 'material = "ncm9"', "[[positive.layers]]", "material", "Did you mean ncm90?"),
    (
        "rated_capacity_Ah = { value = 1.4",
        "rated_capacity_Ah = { value = 0.0014",
        None,
        "rated_capacity_Ah",
        "Did you mean 1.4?",
    ),
    ("n_negative = { value = 6", "n_negative = { value = 8", "[stack]", "n_negative", "differ by 1 at most"),
    (
        "lower_voltage_V = { value = 2.75",
        "lower_voltage_V = { value = 2750",
        None,
        "lower_voltage_V",
        "Did you mean 2.75",
    ),
    (
        "specific_energy_Wh_per_kg = 380.0",
        "specific_enregy_Wh_per_kg = 380.0",
        "[published]",
        "published",
        "Did you mean specific_energy",
    ),
    ("pressure_MPa", "presure_MPa", None, "presure_MPa", "Did you mean pressure_MPa?"),
    ("tape_g", "tap_g", "[case]", "tap_g", "Did you mean tape_g?"),
    ("low = 3.0, high = 10.0", "low = 6.0, high = 10.0", "[case.tabs]", "case.tabs.width_mm", "low = 6, high = 10"),
    ("low = 3.0, high = 10.0", "low = 10.0, high = 3.0", "[case.tabs]", "case.tabs.width_mm", "low comes first"),
    (
        "set.delivered_capacity_Ah = 1.4",
        "set.delivered_capacity = 1.4",
        None,
        "readings.2.set",
        "Did you mean delivered_capacity_Ah?",
    ),
    ("set.delivered_capacity_Ah = 1.4", "set.delivered_capacity_Ah = 1400", None, "readings.2.set", "between"),
    ("n_positive = { value = 5", "n_positive = { value = -5", "[stack]", "n_positive", "greater than"),
    ('kind = "pouch"', 'kind = "prismatic"', "[case]", "case", "pouch"),
    ("two_sided", "two_sided", None, None, None),
][:-1]


@pytest.mark.parametrize(
    ("old", "new", "table", "key", "said"), CASES, ids=[f"{c[3]}-{i}" for i, c in enumerate(CASES)]
)
def test_what_cannot_be_is_refused_at_its_line(tmp_path, old, new, table, key, said):
    place = TEXT.index(old, 0 if table is None else TEXT.index(table))
    text = TEXT[:place] + new + TEXT[place + len(old) :]
    message = refused(tmp_path, text)
    assert key in message
    assert said in message
    named = re.match(r"mine\.toml:(\d+): ", message)
    assert named, message
    wanted = text[:place].count("\n") + 1
    assert abs(int(named[1]) - wanted) <= (1 if "\n" in new else 0) or text.splitlines()[int(named[1]) - 1] == table, (
        message
    )


def test_a_missing_basis_is_asked_for(tmp_path):
    text = re.sub(r"^basis = .*\n", "", TEXT, flags=re.MULTILINE)
    message = refused(tmp_path, text)
    assert "of which capacity? basis = coated, delivered or rated" in message
    assert f"mine.toml:{line_of(text, r'^g_per_Ah')}:" in message


def test_two_amounts_and_none(tmp_path):
    text = re.sub(r"^(g_per_Ah|basis) = .*\n", "", TEXT, flags=re.MULTILINE)
    assert "exactly one of g_per_Ah, volume_mL, overfill: none is given" in refused(tmp_path, text)


def test_a_coin_that_does_not_hold_its_stack(tmp_path):
    text = COIN + "spacers_mm = 2.5\n"
    assert "the case holds 0.15 mm" in refused(tmp_path, text)
    wide = COIN.replace("diameter_mm = { value = 16.5", "diameter_mm = { value = 18.0")
    assert "wider than the case" in refused(tmp_path, wide)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "title"),
        ("title = 3", "title"),
        ("title = 'x'\npositive = 4", "positive"),
        ("title = [", "not TOML"),
        ("title = 'x'\n[materials]\nlithium = 3", "materials"),
        ("title = 'x'\n[positive]\nlayers = 3", "positive"),
        ("\0", "not TOML"),
    ],
)
def test_files_that_are_no_cell(tmp_path, text, said):
    assert said in refused(tmp_path, text)


def test_the_cell_of_the_docs_is_a_cell(tmp_path):
    page = (Path(__file__).resolve().parents[2] / "docs/do/design.md").read_text(encoding="utf-8")
    path = tmp_path / "cell.toml"
    path.write_text(re.search(r"```toml\n(.*?)```", page, re.DOTALL)[1], encoding="utf-8")
    found = bill(read_design(str(path)).cell)
    assert found.coated_Ah == pytest.approx(16 * 35.0 * 4.5 / 1e3)
    assert 250 < found.specific_energy_Wh_per_kg["whole"] < 400
    for old, new in ((r"^porosity = \{ value = 0.30.*$", "porosity = 30"), (r'^basis = "coated".*\n', "")):
        path.write_text(
            re.sub(old, new, path.read_text(encoding="utf-8"), count=1, flags=re.MULTILINE), encoding="utf-8"
        )
        with pytest.raises(InputError) as caught:
            read_design(str(path))
        assert str(caught.value) in page
        path.write_text(re.search(r"```toml\n(.*?)```", page, re.DOTALL)[1], encoding="utf-8")


def test_a_coin_takes_its_size_from_what_is_shipped(tmp_path):
    cell = read_design("reference-coin").cell
    assert (cell.case.outer_diameter_mm, cell.case.outer_height_mm) == (20.0, 3.2)
    assert cell.case.origin("case_g").kind == "assumed"
    assert "Did you mean CR2032?" in refused(tmp_path, COIN.replace('size = "CR2032"', 'size = "CR2030"'))
    both = refused(tmp_path, COIN.replace("two_sided = false", "two_sided = true", 1))
    assert "positive.two_sided: the one sheet of a coin cell faces to one side" in both


def test_a_material_can_be_changed_by_hand():
    cell = changed(read_design("reference-pouch").cell, {"negative.foil.material": "aluminium"})
    assert cell.negative.foil.solid_g_per_cm3 == 2.7


def test_pores_are_asked_for_where_electrolyte_must_be(tmp_path):
    text = re.sub(r"^porosity = { value = 0.25.*\n", "", TEXT, flags=re.MULTILINE)
    message = refused(tmp_path, text)
    assert "positive.coating.porosity: must be given, or thickness_um" in message
    assert f":{line_of(text, r'^.*layers', '[positive.foil]')}:" in message
    no_separator = re.sub(r"^porosity = { value = 0.41.*\n", "", TEXT, flags=re.MULTILINE)
    assert "stack.separator.porosity: must be given, or areal_mass" in refused(tmp_path, no_separator)


def test_all_that_is_missing_is_told_at_once(tmp_path):
    text = TEXT.replace("n_positive = {", "n_positives = {").replace("upper_voltage_V", "upper_volts")
    path = tmp_path / "mine.toml"
    path.write_text('title = "x"\n[positive]\nwidth_cm = 4.0\nheight_cm = 5.0\n', encoding="utf-8")
    message = refused(tmp_path, path.read_text(encoding="utf-8"))
    for key in ("negative", "stack", "electrolyte", "case", "lower_voltage_V", "upper_voltage_V"):
        assert key in message
    assert "Material(" not in message
    assert "upper_volts" in refused(tmp_path, text)


def test_geometry_that_cannot_be_built(tmp_path):
    few = TEXT.replace(
        'n_separators = { value = 10, kind = "assumed", choices = [10, 11, 12]',
        'n_separators = { value = 3, kind = "assumed", choices = [3, 4]',
    )
    assert "10 facing pairs need as many" in refused(tmp_path, few)
    narrow = re.sub(r"^margin_width_mm = .*$", "margin_width_mm = 0.5", TEXT, flags=re.MULTILINE)
    assert "the laminate would be smaller than the separator" in refused(tmp_path, narrow)
    folded = TEXT.replace("[stack]", '[stack]\nscheme = "z-fold"')
    assert "a z-fold has folds: give their length" in refused(tmp_path, folded)


def test_an_unknown_cell_names_the_nearest():
    with pytest.raises(InputError, match="Did you mean reference-pouch"):
        read_design("reference-puch")


def test_own_materials_and_prices(tmp_path):
    text = TEXT + "\n[materials.lithium]\nprice_per_kg = 90.0\n\n[materials.my-salt]\ndensity_g_per_cm3 = 1.4\n"
    text = text.replace('material = "lipf6-ec-dmc-vc"', 'material = "my-salt"')
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    cell = read_design(str(path)).cell
    assert cell.electrolyte.material.density_g_per_cm3 == 1.4
    assert cell.negative.layers[0].material.price_per_kg == 90.0
    assert cell.negative.layers[0].material.density_g_per_cm3 == 0.534
    wrong = text.replace("density_g_per_cm3 = 1.4", "density_g_per_cm3 = 1400")
    message = refused(tmp_path, wrong)
    assert "materials.my-salt.density_g_per_cm3 = 1400" in message
    assert "Did you mean 1.4 (1400 kg/m3)?" in message
    assert f":{line_of(wrong, r'^density_g_per_cm3 = 1400')}:" in message


def test_an_own_curve_gives_the_energy(tmp_path):
    text = TEXT + "\n[materials.ncm90]\nopen_circuit = { stoichiometry = [0.2, 1.0], value = [4.4, 3.4] }\n"
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    found = bill(read_design(str(path)).cell)
    # a straight line from 4.25 V down to its end at 3.4 V
    assert found.mean_open_circuit_V == pytest.approx((4.25 + 3.4) / 2, abs=1e-6)
    rising = text.replace("value = [4.4, 3.4]", "value = [3.4, 4.4]")
    path.write_text(rising, encoding="utf-8")
    with pytest.raises(InputError, match="must fall"):
        bill(read_design(str(path)).cell)


def test_what_is_over_determined_is_kept_and_reported():
    cell = read_design("reference-pouch").cell
    assert cell.negative.foil.um == 6.0
    assert cell.negative.foil.mg_per_cm2 == 5.88
    assert [round(check.implied, 3) for check in cell.negative.foil.checks()] == [5.376]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("positive.areal_capacity_mAh_per_cm2", 3.0, "Did you mean positive.coating.areal_capacity_mAh_per_cm2?"),
        ("negative.host.material", "grafite", "Did you mean graphite?"),
        ("negative.lithum.thickness_um", 20.0, "Did you mean negative.lithium.thickness_um?"),
        ("negative.lithium.thickness_um", 0.02, "Did you mean 20 (0.02 mm)?"),
        ("electrolyte.volume_mL", 2.0, "exactly one of"),
        ("stack.n_positive", 20, "differ by 1"),
        ("positive.coating.porosity", "much", "number"),
    ],
)
def test_changes_by_hand_are_checked(name, value, said):
    with pytest.raises(InputError) as caught:
        changed(read_design("reference-pouch").cell, {name: value})
    assert name in str(caught.value)
    assert said in str(caught.value)


def with_value(name, table, after=None):
    """The reference file with one value written anew, in the table that begins with `after`."""
    start = 0 if after is None else TEXT.index(after)
    return TEXT[:start] + re.sub(rf"^{name} = .*$", f"{name} = {table}", TEXT[start:], count=1, flags=re.MULTILINE)


@pytest.mark.parametrize(
    ("name", "table", "after", "said"),
    [
        ("width_cm", "{ value = 4.5, low = -5.0, high = 4.6 }", "[positive]", "may be -5.0, which cannot be"),
        ("porosity", "{ value = 0.25, low = 0.2, high = 1.0 }", "[[positive.layers]]", "nothing but pores"),
        ("porosity", "{ value = 0.25, low = 0.2, high = 34 }", "[[positive.layers]]", "Did you mean 0.34?"),
        (
            "active_fraction",
            "{ value = 0.9, low = 0, high = 1.0 }",
            "[[positive.layers]]",
            "may be 0.0, which cannot be",
        ),
        ("width_cm", "{ value = 4.5, low = 4.0, high = 6.0 }", "[positive]", "overhang would be"),
        ("n_positive", "{ value = 5, low = 4, high = 6 }", "[stack]", "not drawn; use readings"),
        ("on_outer_faces", "{ value = true, choices = [true, 5] }", None, "not what it may be"),
        ("g_per_Ah", '{ value = 2.4, choices = [2.4, "rated"] }', "[electrolyte]", "not what it may be"),
        (
            "basis",
            '{ value = "coated", choices = ["coated", "ratd"] }',
            "[electrolyte]",
            "may be ratd, which cannot be",
        ),
        ("porosity", "{ value = 0.3, low = 0.4, high = 0.5 }", "[[positive.layers]]", "not what it may be by its own"),
        ("width_cm", "true", "[positive]", "width_cm = true: must be a number"),
        ("tape_g", '"0.05"', "[case]", "must be a number"),
        ("on_outer_faces", '"yes"', None, "must be true or false"),
        ("width_mm", '"8"', "[case.tabs]", "must be a number"),
        ("active_fraction", "0", "[[positive.layers]]", "a fraction between 0 and 1"),
        ("margin_width_mm", "8000", "[case]", "Did you mean 8 (8000 um)?"),
        ("n_to_p", "-1", "[published]", "published.n_to_p"),
        ("companions", '["no-such"]', None, "not another shipped cell"),
        ("companions", '["reference-coin", ""]', None, "not another shipped cell"),
        ("filled_um", "[[0, 20], [5, -30]]", None, "um above 0"),
        ("filled_um", "[[0, 200], [5, 300]]", None, "one empty layer"),
        ("specific_energy_without_laminate_Wh_per_kg", "300", "[published]", "the first is the larger"),
    ],
)
def test_what_a_value_may_be_is_checked_too(tmp_path, name, table, after, said):
    text = with_value(name, table, after)
    assert text != TEXT
    message = refused(tmp_path, text)
    assert said in message
    line = int(re.match(r"mine\.toml:(\d+): ", message)[1])
    assert name in text.splitlines()[line - 1] or text.splitlines()[line - 1] == after, message
    assert "Material(" not in message


@pytest.mark.parametrize(
    ("added", "said"),
    [
        (
            '[[case.laminate]]\nname = "laminate"\nmaterial = "nylon"\nthickness_um = 25',
            "each layer has a name of its own",
        ),
        ('[[readings]]\nname = "R1"\ntitle = "again"', "two are called R1"),
        ('[materials.lithium]\nname = "copper"', "its name is lithium"),
        ("[materials.lithium]\norigins = 3", "not a key of a file"),
        ('[materials.ncm90]\nopen_circuit = "nope"', "nope: not a shipped positive"),
        ("[materials.ncm90]\nopen_circuit = { stoichiometry = [0.2, 1.0], value = [3.4, 4.4] }", "must fall"),
        ("[materials.ncm90]\nopen_circuit = { stoichiometry = [0.2], value = [3.4, 4.4] }", "as many of each"),
        ("[materials.lithium]\ndensity_g_per_cm3 = { value = 0.5, unit = 3 }", "not a key here (known: value"),
        ("[materials.lithium]\ndensity_g_per_cm3 = { value = 0.5, low = 0.6, high = 0.4 }", "low comes first"),
    ],
)
def test_what_is_added_is_checked_too(tmp_path, added, said):
    message = refused(tmp_path, f"{TEXT}\n{added}\n")
    assert said in message
    assert re.match(r"mine\.toml:\d+: ", message), message


@pytest.mark.parametrize(
    "value",
    [{"value": 2.0, "low": 3.0, "high": 4.0}, {}, {"value": 2.0, "low": 3.0, "high": 1.0}, {"value": 2.0, "odd": 1}],
)
def test_tables_by_hand_are_checked(value):
    with pytest.raises(InputError, match=r"electrolyte\.g_per_Ah"):
        changed(read_design("reference-pouch").cell, {"electrolyte.g_per_Ah": value})


def test_what_is_no_file_is_refused_at_once(tmp_path):
    with pytest.raises(InputError, match="not a file"):
        read_design("/dev/zero")
    with pytest.raises(InputError, match="not a file"):
        read_design(str(tmp_path))
    large = tmp_path / "large.toml"
    large.write_text("# " + "x" * 6_000_000, encoding="utf-8")
    with pytest.raises(InputError, match="a person wrote"):
        read_design(str(large))
    deep = tmp_path / "deep.toml"
    deep.write_text("note" + ".a" * 3000 + " = 1", encoding="utf-8")
    with pytest.raises(InputError):
        read_design(str(deep))


def test_more_delivered_than_coated_and_overfull_nothing(tmp_path):
    assert "more than the 1.479 Ah" in refused(tmp_path, "delivered_capacity_Ah = 3.0\n" + TEXT)
