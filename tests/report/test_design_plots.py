"""Figures, page and terminal of a cell as built: exactly what the tables hold, for a pouch and for a coin cell."""

import doctest
import itertools
import re

import polars as pl
import pytest

from interlith.findings import Finding, Findings
from interlith.report import design_plots, energy_plots, figures, headline, page, sketch, terminal

PARTS = ("positive_coating", "positive_foil", "negative_lithium", "negative_foil", "separator", "electrolyte")
POUCH, COIN = ("tabs", "tape", "laminate"), ("case", "spacers", "spring")
AUDITS = [
    {
        "name": "copper",
        "verdict": "does not close",
        "text": "6 um of dense copper are 5.38 mg/cm2, 5.88 are given " * 3,
    },
    {"name": "laminate", "verdict": "closes", "text": "1.57 g are left for it, 1.54 g were counted"},
    {"name": "rated capacity", "verdict": "noted", "text": "1.4 Ah on 279 cm2 are 5.02 mAh/cm2"},
]
PAIR = [("positive_coating", 70.0, 70.0), ("separator", 20.0, 20.0), ("negative_lithium", 30.0, 55.0)]
NEGATIVE, POSITIVE = ("negative_foil", 6.0, 6.0), ("positive_foil", 10.0, 10.0)
MAKERS = {
    "masses": design_plots.masses,
    "stack": design_plots.stack,
    "levers": design_plots.levers,
    "sensitivity": design_plots.tornado,
    "draws": energy_plots.draws,
    "pareto": energy_plots.pareto,
    "field": energy_plots.field,
    "reconciled": energy_plots.reconciled,
}


def mass_table(case):
    masses = [7.0, 0.4, 0.6, 1.1, 0.4, 3.6, 0.5, 0.1, 1.5]
    rows = [
        {"part": part, "mass_g": g, "share": g / sum(masses), "without_it_Wh_per_kg": 5e3 / (sum(masses) - g)}
        for part, g in zip((*PARTS, *case), masses, strict=True)
    ]
    return pl.DataFrame(rows)


def stack_table(layers):
    rows, from_um = [], 0.0
    for order, (part, um, charged_um) in enumerate(layers):
        thickness = {"from_um": from_um, "thickness_um": um, "charged_thickness_um": charged_um}
        rows.append({"order": order, "part": part, **thickness, "sheet": order})
        from_um += um
    return pl.DataFrame(rows)


def pouch_layers(n_pairs=3):
    """Laminate, then negative and positive sheets in turn, then laminate."""
    laminate = ("laminate", 113.0, 113.0)
    layers = [laminate, NEGATIVE]
    for pair in range(n_pairs):
        layers += [*(PAIR if pair % 2 else PAIR[::-1]), NEGATIVE if pair % 2 else POSITIVE]
    return [*layers, laminate]


SENSITIVITY = pl.DataFrame(
    {
        "name": ["materials.ncm90.specific_capacity_mAh_per_g", "electrolyte.basis", "stack.n_separators"],
        "low": ["205", "coated", "10"],
        "high": ["230", "rated", "12"],
        "Wh_per_kg_at_low": [335.0, 329.0, 329.0],
        "Wh_per_kg_at_high": [350.0, 333.0, 329.0],
        "swing_Wh_per_kg": [15.0, 4.0, 0.0],
        "first_order": [0.8, None, 0.0],
        "total_order": [0.9, None, 0.0],
    }
)
LEVERS = pl.DataFrame(
    {
        "what": ["sheets", "electrolyte (g/Ah)"],
        "now": ["5", "2.45"],
        "then": ["10", "1.84"],
        "specific_energy_Wh_per_kg": [357.6, 351.0],
        "gain_Wh_per_kg": [28.6, 22.0],
        "against": ["", "needs at least 2 g/Ah to fill all pores"],
    }
)
DRAWS = pl.DataFrame(
    {"specific_energy_Wh_per_kg": [300.0 + i % 97 for i in range(600)], "reading": ["R1", "R2", "R2"] * 200}
)
PARETO = pl.DataFrame(
    {
        "specific_energy_Wh_per_kg": [450.0, 400.0, 300.0, 329.0],
        "n_cycles": [60.0, 300.0, 900.0, 250.0],
        "n_to_p": [0.1, 1.0, 3.0, 1.1],
        "areal_capacity_mAh_per_cm2": [8.0, 6.0, 3.0, 5.3],
        "g_per_Ah": [1.5, 1.5, 2.0, 2.4],
        "n_positive": [5, 5, 5, 5],
        "lithium_um": [5.0, 40.0, 80.0, 30.0],
        "price": [None, None, None, None],
        "kind": ["front", "front", "front", "this cell"],
    },
    schema_overrides={"price": pl.Float64},
)
FIELD = pl.DataFrame(
    [
        ("Niu 2019, Nat. Energy 4, 551", 300.0, 2.6, 3.0, "second hand", ""),
        ("Chen 2019, Joule 3, 1094", 300.0, 2.86, 3.0, "abstract", "n_to_p"),
        ("Yang 2024, Angew.", 462.0, None, 2.3, "abstract", ""),
        ("Li 2023, Chin. Phys. Lett.", 711.0, None, None, "not confirmed", ""),
        ("Weber 2019, Nat. Energy 4, 683", None, 0.0, None, "second hand", ""),
        ("this cell", 329.0, 1.1, 2.4, "computed here", ""),
    ],
    schema=["work", "specific_energy_Wh_per_kg", "n_to_p", "g_per_Ah", "seen", "unconfirmed"],
    orient="row",
)
READINGS = pl.DataFrame(
    {
        "reading": ["R1", "R5"],
        "title": ["5.3 mAh/cm2 is what is delivered", "a FIT to the published number, which says so itself"],
        "capacity_Ah": [1.479, 1.479],
        "energy_Wh": [5.0, 5.1],
        "mass_g": [15.2, 14.9],
        "whole_Wh_per_kg": [328.9, 342.3],
        "without_laminate_Wh_per_kg": [365.0, 380.6],
        "without_laminate_and_tabs_Wh_per_kg": [381.7, 396.2],
        "Wh_per_L": [981.8, 1039.1],
        "is_fit": [False, True],
    }
)
TARGET = pl.DataFrame(
    {
        "target_Wh_per_kg": [450.0, 450.0],
        "g_per_Ah": [2.45, 1.3],
        "n_positive": [5, 10],
        "areal_capacity_mAh_per_cm2": [None, 4.0],
        "lithium_um": [None, 21.9],
        "capacity_Ah": [None, 1.2],
        "verdict": ["12.5 mAh/cm2 is more than coatings hold", "yes"],
    }
)
RECONCILED = pl.DataFrame(
    {
        "name": ["materials.ncm90.specific_capacity_mAh_per_g", "curve_offset_mV"],
        "prior_mean": [217.5, 0.0],
        "prior_sd": [7.0, 20.0],
        "posterior_mean": [224.5, -5.0],
        "posterior_sd": [3.5, 18.0],
        "shift_in_sd": [1.0, -0.25],
    }
)


def design(case=POUCH, layers=None, **others):
    masses = mass_table(case)
    tables = {
        "masses": masses,
        "stack": stack_table(layers or pouch_layers()),
        "levers": LEVERS,
        "sensitivity": SENSITIVITY,
        "draws": DRAWS,
        "pareto": PARETO,
        "field": FIELD,
        "readings": READINGS,
        "target": TARGET,
        "reconciled": RECONCILED,
    }
    drawn = {"median_Wh_per_kg": 348.0, "p5_Wh_per_kg": 304.0, "p95_Wh_per_kg": 392.0, "n_draws": 600}
    summary = {
        "name": "cell",
        "path": "cell",
        "kind": "design",
        "kind_reason": "a cell of this test",
        "title": "a cell of this test",
        "error": None,
        "flags": [],
        "specific_energy_Wh_per_kg": {"whole": 329.0},
        "mass_g": 15.2,
        "energy_Wh": 5.0,
        "capacity_Ah": 1.479,
        "published": {"specific_energy_Wh_per_kg": 380.0},
        "monte_carlo": {**drawn, "probability_of_published": 0.17},
        "audits": AUDITS,
        "said": ["R5 is a fit"],
        "parameters": [],
        "results": {"readings": {"readings": READINGS.to_dicts()}},
        **others,
    }
    return Finding("cell", summary, tables)


def coin():
    layers = [("negative_lithium", 250.0, 264.0), ("separator", 25.0, 25.0), *PAIR[:1], POSITIVE]
    return design(COIN, layers)


def painted(plan):
    from matplotlib.figure import Figure

    canvas = Figure()
    plan.paint(canvas)
    return canvas


def words(axes):
    return [text.get_text() for text in axes.texts]


@pytest.mark.parametrize("module", [design_plots, energy_plots, terminal])
def test_examples_in_the_docstrings_run(module):
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize("name", MAKERS)
def test_nothing_is_drawn_without_its_table_or_of_something_else(name):
    whole = design()
    assert MAKERS[name](whole) is not None
    without = {key: table for key, table in whole.tables.items() if key != name}
    assert MAKERS[name](Finding("cell", whole.summary, without)) is None
    empty = {**whole.tables, name: whole.tables[name].head(0)}
    assert MAKERS[name](Finding("cell", whole.summary, empty)) is None
    assert MAKERS[name](Finding("cell", {**whole.summary, "kind": "full"}, whole.tables)) is None


@pytest.mark.parametrize("item", [design(), coin()], ids=["pouch", "coin"])
def test_every_figure_is_written_in_order_and_marked_computed(item, tmp_path):
    drawn = figures.draw(item, tmp_path)
    assert [figure.name for figure in drawn] == list(MAKERS)
    for figure in drawn:
        assert "COMPUTED" in figure.svg.read_text()
        table = MAKERS[figure.name](item).data
        assert pl.read_csv(figure.csv).shape == table.shape


def test_the_same_design_gives_the_same_bytes(tmp_path):
    once, again = (figures.draw(design(), tmp_path / folder) for folder in ("a", "b"))
    for one, other in zip(once, again, strict=True):
        assert one.svg.read_bytes() == other.svg.read_bytes()
        assert one.png.read_bytes() == other.png.read_bytes()


def test_masses_begin_where_the_last_one_ended_and_end_at_the_whole():
    table = mass_table(POUCH)
    plan = design_plots.masses(design())
    parts, whole = plan.data.head(-1), plan.data.row(-1, named=True)
    assert parts["part"].to_list() == table["part"].to_list()
    assert parts["mass_g"].equals(table["mass_g"])
    assert (parts["from_g"] + parts["mass_g"]).to_list()[:-1] == pytest.approx(parts["from_g"].to_list()[1:])
    assert whole["mass_g"] == pytest.approx(15.2)
    assert whole["without_it_Wh_per_kg"] == 329.0
    axes = painted(plan).axes[0]
    assert [bar.get_x() for bar in axes.patches] == pytest.approx(plan.data["from_g"].to_list())
    assert [bar.get_width() for bar in axes.patches] == pytest.approx(plan.data["mass_g"].to_list())
    assert {"7 g, 46.1 %", "15.2 g"} <= set(words(axes))


def test_stack_is_drawn_as_it_is_with_the_middle_pair_as_built_and_charged():
    plan = design_plots.stack(design())
    table = stack_table(pouch_layers())
    views = plan.data.partition_by("view", as_dict=True)
    whole, unit, charged = (views[(name,)] for name in ("whole", "unit", "unit, charged"))
    columns = ("part", "from_um", "thickness_um")
    assert whole.select(columns).equals(table.select(columns))
    assert unit["part"].to_list() == ["positive_foil", *(part for part, *_ in PAIR), "negative_foil"]
    assert unit["from_um"].to_list() == [0.0, 10.0, 80.0, 100.0, 130.0]
    assert charged["from_um"].to_list() == [0.0, 10.0, 80.0, 100.0, 155.0]
    assert charged["grown_um"].to_list() == [0.0, 0.0, 0.0, 25.0, 0.0]
    left, right = painted(plan).axes
    assert [(bar.get_y(), bar.get_height()) for bar in left.patches] == list(
        whole.select("from_um", "thickness_um").iter_rows()
    )
    assert {"negative lithium, 30 um", "positive coating, 70 um", "55 um (+25)"} <= set(words(right))


def test_stack_of_a_coin_cell_is_drawn_once_and_without_growth_not_twice():
    plan = design_plots.stack(coin())
    assert set(plan.data["view"]) == {"unit", "unit, charged"}
    assert len(painted(plan).axes) == 1
    still = [(part, um, um) for part, um, _ in [POSITIVE, *PAIR]]
    assert set(design_plots.stack(design(layers=still)).data["view"]) == {"unit"}
    unknown = [(part, um, None) for part, um, _ in pouch_layers()]
    assert set(design_plots.stack(design(layers=unknown)).data["view"]) == {"whole", "unit"}


@pytest.mark.parametrize(
    ("parts", "found"),
    [
        (["pf", "pc", "separator", "nl", "nf"], (0, 5)),
        (["laminate", "nl", "nf", "nl", "separator", "pc", "pf", "laminate"], (2, 7)),
        (["pf", "pc", "separator", "separator", "nl", "separator", "pc", "pf"], (0, 5)),
        (["case", "nl", "separator", "pc", "pf", "spring"], (1, 5)),
        (["separator", "nl"], (0, 2)),
    ],
)
def test_unit_is_one_facing_pair(parts, found):
    words = {"pf": "positive_foil", "pc": "positive_coating", "nl": "negative_lithium", "nf": "negative_foil"}
    unit = design_plots.repeating_unit([words.get(part, part) for part in parts])
    assert (unit.start, unit.stop) == found


def test_tornado_has_a_bar_to_each_end_and_leaves_out_what_moves_nothing():
    plan = design_plots.tornado(design())
    assert plan.data["name"].to_list() == SENSITIVITY["name"].to_list()[:2]
    axes = painted(plan).axes[0]
    ends = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in axes.patches]
    assert ends == [(329.0, 335.0), (329.0, 350.0), (329.0, 329.0), (329.0, 333.0)]
    assert {"205", "230", "coated", "rated", "0.90"} <= set(words(axes))
    assert SENSITIVITY.height - plan.data.height == 1


def test_long_ends_are_shortened_on_the_figure_only():
    long = SENSITIVITY.with_columns(low=pl.lit("5.3 mAh/cm2 is what is delivered"))
    plan = design_plots.tornado(Finding("cell", design().summary, {"sensitivity": long}))
    assert "5.3 mAh/cm2 i…" in words(painted(plan).axes[0])
    assert plan.data["low"][0] == "5.3 mAh/cm2 is what is delivered"


def test_two_ends_on_one_side_are_both_seen():
    """The nearer end is a thinner bar in front, and its word stands on the free side."""
    axes = painted(design_plots.tornado(design())).axes[0]
    near, far = axes.patches[:2]
    assert near.get_height() < far.get_height()
    assert near.get_zorder() > far.get_zorder()
    sides = {text.get_text(): text.get_ha() for text in axes.texts}
    assert (sides["205"], sides["230"]) == ("right", "left")


def test_histogram_holds_every_draw_of_every_reading_and_its_lines():
    plan = energy_plots.draws(design())
    bars = plan.data.filter(pl.col("n_draws").is_not_null())
    counts = dict(bars.group_by("what").agg(pl.col("n_draws").sum()).iter_rows())
    assert counts == {"R1": 200, "R2": 400}
    lines = dict(plan.data.filter(pl.col("n_draws").is_null()).select("what", "from_Wh_per_kg").iter_rows())
    assert lines == {"5 %": 304.0, "median": 348.0, "95 %": 392.0, "published": 380.0}
    axes = painted(plan).axes[0]
    assert sum(bar.get_height() for bar in axes.patches) == 600
    first, second = axes.patches[: energy_plots.N_BINS], axes.patches[energy_plots.N_BINS :]
    assert [bar.get_y() for bar in second] == [bar.get_height() for bar in first]
    assert {"published 380", "median 348"} <= set(words(axes))
    unpublished = energy_plots.draws(design(published=None))
    assert "published" not in unpublished.data["what"]
    assert "published" not in unpublished.caption


def test_what_is_published_far_away_is_named_at_the_edge_and_leaves_the_draws_legible():
    far = energy_plots.draws(design(published={"specific_energy_Wh_per_kg": 900.0}))
    axes = painted(far).axes[0]
    assert axes.get_xlim()[1] < 500
    assert "published 900 →" in words(axes)
    assert far.data.filter(pl.col("what") == "published")["from_Wh_per_kg"].item() == 900.0


def test_words_above_lines_do_not_touch_when_the_draws_are_narrow():
    drawn = {"median_Wh_per_kg": 348.0, "p5_Wh_per_kg": 347.9, "p95_Wh_per_kg": 348.1, "n_draws": 600}
    axes = painted(energy_plots.draws(design(monte_carlo=drawn))).axes[0]
    low, high = axes.get_xlim()
    places = sorted(text.get_position()[0] for text in axes.texts if "published" not in text.get_text())
    gap = energy_plots.LINE_GAP * (high - low)
    assert all(after - before > 0.999 * gap for before, after in itertools.pairwise(places))


def test_pareto_draws_the_front_and_this_cell():
    plan = energy_plots.pareto(design())
    assert (
        plan.data.select(sorted(PARETO.columns))
        .sort("n_cycles")
        .equals(PARETO.select(sorted(PARETO.columns)).sort("n_cycles"))
    )
    axes = painted(plan).axes[0]
    assert axes.collections[0].get_offsets().tolist() == [[60.0, 450.0], [300.0, 400.0], [900.0, 300.0]]
    assert axes.collections[0].get_array().tolist() == [8.0, 6.0, 3.0]
    assert words(axes) == ["this cell, 329 Wh/kg"]
    lonely = Finding("cell", design().summary, {"pareto": PARETO.filter(pl.col("kind") == "front")})
    assert words(painted(energy_plots.pareto(lonely)).axes[0]) == []


def test_field_takes_what_most_works_tell_and_lists_the_others_beside():
    plan = energy_plots.field(design())
    assert "g_per_Ah" in plan.data.columns
    assert "n_to_p" not in plan.data.columns
    assert plan.data.filter(pl.col("beside"))["work"].to_list() == ["Li 2023, Chin. Phys. Lett."]
    assert "Weber 2019" in plan.caption
    axes, side = painted(plan).axes
    assert set(words(axes)) == {"Niu 2019", "Chen 2019", "Yang 2024", "this cell"}
    assert words(side) == ["Li 2023"]
    told = FIELD.with_columns(n_to_p=pl.lit(1.0), g_per_Ah=pl.lit(None, pl.Float64))
    other = energy_plots.field(Finding("cell", design().summary, {"field": told}))
    assert "n_to_p" in other.data.columns
    unknown = told.with_columns(n_to_p=pl.lit(None, pl.Float64))
    beside = energy_plots.field(Finding("cell", design().summary, {"field": unknown}))
    assert len(words(painted(beside).axes[1])) == 5


def test_names_in_the_field_cover_neither_each_other_nor_a_point(tmp_path):
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = figures._canvas(energy_plots.field(design()), design())
    FigureCanvasAgg(canvas).draw()
    boxes = [text.get_window_extent() for axes in canvas.axes for text in axes.texts]
    assert len(boxes) == 5
    assert not any(one.overlaps(other) for place, one in enumerate(boxes) for other in boxes[:place])


def test_open_and_filled_marks_tell_what_was_seen():
    axes = painted(energy_plots.field(design())).axes[0]
    faces = {line.get_label(): line.get_markerfacecolor() for line in axes.lines if line.get_label()[0] != "_"}
    assert faces["second hand"] == faces["not confirmed"] == "none"
    assert "none" not in (faces["abstract"], faces["this cell"])


def test_a_mark_is_open_where_one_of_its_two_numbers_is_doubtful():
    item = design()
    doubted = FIELD.with_columns(unconfirmed=pl.lit("g_per_Ah"))
    plan = energy_plots.field(Finding("cell", item.summary, {"field": doubted}))
    assert set(plan.data["seen"]) == {"not confirmed"}
    elsewhere = FIELD.with_columns(unconfirmed=pl.lit("n_to_p"))
    assert "abstract" in set(energy_plots.field(Finding("cell", item.summary, {"field": elsewhere})).data["seen"])


def test_reconciled_bars_are_in_widths_of_before():
    plan = energy_plots.reconciled(design())
    assert plan.data.select("low", "high").rows() == [(0.5, 1.5), (-1.15, 0.65)]
    axes = painted(plan).axes[0]
    after = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in axes.patches[1::2]]
    assert after == [pytest.approx((0.5, 1.5)), pytest.approx((-1.15, 0.65))]
    assert "217.5 → 224.5 ± 3.5" in words(axes)


def test_spread_keeps_the_gap_the_order_and_the_limits():
    places = [0.0, 0.0, 0.1, 5.0, 9.99]
    found = sketch.spread(places, 1.0, (0.0, 10.0))
    assert all(after - before > 0.999 for before, after in itertools.pairwise(found))
    assert found[0] >= 0.5
    assert found[-1] <= 9.5
    assert sketch.spread([3.0, 1.0], 1.0, (0.0, 10.0)) == [3.0, 1.0]


def printed(item, width, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(width))
    terminal.print_design(Findings("the cell", (item,), warning="COMPUTED"), None)
    return capsys.readouterr().out


@pytest.mark.parametrize("width", [60, 80, 160])
@pytest.mark.parametrize("item", [design(), coin()], ids=["pouch", "coin"])
def test_terminal_says_all_at_every_width(item, width, capsys, monkeypatch):
    out = printed(item, width, capsys, monkeypatch)
    assert max(len(line) for line in out.splitlines()) <= width
    assert "\x1b" not in out
    assert "…" not in out
    flat = re.sub(r"\s+", " ", re.sub(r"^(does not close|closes|noted) ", r"\1 ", out, flags=re.MULTILINE))
    for audit in AUDITS:
        assert re.search(rf"{audit['verdict']} +{re.escape(audit['name'])}: ", out)
        for word in audit["text"].split():
            assert word in flat
    for text in (
        "R5 is a fit",
        "ncm90 specific",
        " 1.20 yes",
        "+28.6",
        "17.0 % of them reach the published",
        "a FIT to the",
    ):
        assert text in flat
    for part in item.tables["masses"]["part"]:
        assert re.search(rf"── {re.escape(part.split('_')[-1])} +[\d.]+ g +[\d.]+ %$", out, flags=re.MULTILINE), part


def test_terminal_adds_up_what_belongs_together(capsys, monkeypatch):
    out = printed(design(), 80, capsys, monkeypatch)
    assert re.search(r"── positive +7\.40 g +48\.7 %", out)
    assert re.search(r"── case +2\.10 g +13\.8 %", out)
    assert re.search(r"^cell +15\.20 g +100\.0 %", out, flags=re.MULTILINE)


def test_terminal_shows_only_what_there_is(capsys, monkeypatch):
    bare = design(monte_carlo=None, audits=[], published=None)
    out = printed(Finding("cell", bare.summary, {}), 80, capsys, monkeypatch)
    assert out.split("\n")[2] == "329 Wh/kg, 5 Wh, 15.2 g"
    for heading in ("Audits", "Readings", "target", "draws", "published"):
        assert heading not in out


def test_headline_counts_what_does_not_close():
    said = headline.headline(design().summary)
    assert said == (
        "329 Wh/kg, 5 Wh, 15.2 g; 5 to 95 % of draws: 304 to 392 Wh/kg; published: 380 Wh/kg; "
        "1 of 3 audits does not close"
    )


def test_page_lists_audits_with_their_verdicts_and_readings_with_units(tmp_path):
    hostile = [{"name": "<b>", "verdict": "does not close", "text": "<script>"}]
    item = design(audits=[*AUDITS, *hostile])
    text = page.write_page(Findings("the cell", (item,)), {"cell": figures.draw(item, tmp_path)}, tmp_path).read_text()
    assert re.findall(r'<tr data-verdict="([^"]*)">', text) == [audit["verdict"] for audit in item.summary["audits"]]
    assert "<script>" not in text
    assert "&lt;script&gt;" in text
    for head in ("whole (Wh kg⁻¹)", "capacity (Ah)", "mass (g)", "<th>Wh L⁻¹</th>"):
        assert head in text
    assert text.count("<figure>") == len(MAKERS)
    assert "Where the data came from" not in text
    assert "Audits" not in page.write_page(Findings("none", (design(audits=[]),)), {}, tmp_path / "b").read_text()
