"""Studies that a hostile or hurried person writes: each is refused in a line, or right."""

import contextlib
import json

import pytest

from interlith.checking import check
from interlith.errors import InputError
from interlith.examples import copy
from interlith.expected import rows
from interlith.running import inputs_of, plan
from interlith.study import read_study
from interlith.study_run import _tables, run, study_of_run

NOT_REFUSED = pytest.fail.Exception  # of pytest.raises where nothing was raised
PROTOCOL = (
    'protocol = { name = "half-cell", steps = ['
    '{ kind = "constant-current", current_density_mA_per_cm2 = -1.0, areal_capacity_mAh_per_cm2 = 0.5 },'
    '{ kind = "constant-current", current_density_mA_per_cm2 = 1.0, voltage_V = 1.0 }] }\n'
)
ONE = f'sample = "cp"\n{PROTOCOL}'
HUGE = "1" + "0" * 400
REPEATED = (
    'sample = "cp"\n'
    'protocol = {{ steps = [{{ kind = "repeat", times = {}, steps = [{{ kind = "rest", duration_s = 60.0 }}] }}] }}\n'
)


def written(folder, text, name="s"):
    path = folder / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    return read_study(str(path))


def table(folder, text, summaries):
    return rows(written(folder, text), summaries, {})


def expected(ours, paper, more=""):
    return f'{ONE}[[expect]]\nquantity = "q"\n{paper}\n{ours}\n{more}\n'


# ---- what holds


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + ONE,
        ONE.replace("\n", "\r\n"),
        ONE + "seed = 9223372036854775807\n",
    ],
)
def test_bytes_that_editors_leave_are_no_fault(tmp_path, text):
    (tmp_path / "s.toml").write_bytes(text.encode())
    assert len(check(read_study(str(tmp_path / "s.toml")))) == 1


@pytest.mark.parametrize(
    "text",
    [
        "sample = [\n",
        "sample = 5\n",
        f"{ONE}seed = -1\n",
        f"{ONE}seed = {HUGE}\n",
        f"{ONE}set.cell.area_cm2 = -1.0\n",
        f"{ONE}set.cell.area_cm2 = nan\n",
        f"{ONE}set.host.porosity = inf\n",
        f"{ONE}nope = {{}}\n",
        f"{ONE}[[expect]]\nquantity = 'q'\nours = 'tests > other'\n",
        f"{ONE}[[expect]]\nquantity = 'q'\nours = 'tests > s'\npaper = [1, 2, 3]\n",
        "[tests.a]\nsample = 'cp'\n[tests.a.set]\nhost.porosity = { from = 'tests > a > ce_reservoir' }\n",
        "[pouch]\ncell = 'reference-pouch'\nefficiency = { from = 'pouch > energy_Wh' }\n",
        "[measured.m]\nfiles = []\n",
        "[measured.m]\nfiles = ['nosuch.csv']\n",
        "[measured.m]\nfiles = ['a\\u0000b']\n",
        "a = " + "[" * 3000,
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path, text):
    with pytest.raises(InputError):
        check(written(tmp_path, text))


def test_html_in_a_study_stays_text_on_its_page(tmp_path):
    evil = "<script>alert(1)</script> {{ 7 * 7 }} $\\\\frac{"
    study = written(tmp_path, f'title = "{evil}"\nnote = "{evil}"\n{ONE}')
    run(study, tmp_path / "out", workers=1)
    assert "<script>alert" not in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "text",
    [
        REPEATED.format(HUGE),
        "[surface]\nsurfaces = 'reference-surfaces'\n[surface.closure]\nreference = 'ZnO(002)-Zn'\n"
        f"pore_area_m2_per_m2 = {HUGE}\n",
        f"[tests.a]\nsample = 'cp'\ncell = 'li-ncm811'\nprotocol = 'li-ncm811'\nnominal_mAh_per_cm2 = {HUGE}\n",
    ],
    ids=["times", "closure", "nominal"],
)
def test_integers_beyond_a_float_are_refused(tmp_path, text):
    with pytest.raises(InputError):
        check(written(tmp_path, text))


@pytest.mark.parametrize("text", ["[coating]\nrecipe = '{}'\n", "[measured.m]\nfiles = ['{}']\n"])
def test_a_name_that_no_file_can_have_is_told_at_its_key(tmp_path, text):
    with pytest.raises(InputError):
        check(written(tmp_path, text.format("x" * 300)))


@pytest.mark.parametrize(
    "text",
    [
        f"[tests.a]\n{ONE}set.host.porosity = {{ from = 5 }}\n",
        f"[tests.a]\n{ONE}set.host.no_such_key = {{}}\n",
        "[tests.a]\nsample = 'cp'\nprotocol = {}\n",
        "[pouch]\ncell = 'reference-pouch'\nset.'electrolyte.g_per_Ah' = { from = 5 }\n",
    ],
    ids=["from", "empty", "protocol", "pouch"],
)
def test_what_is_no_reference_and_no_value_is_refused(tmp_path, text):
    with pytest.raises(InputError):
        check(written(tmp_path, text))


@pytest.mark.parametrize(
    "text",
    [
        "[coating]\nrecipe = 'reference-coating'\nset.batch_mas_kg = 1.0\n",
        "[coating]\nrecipe = 'reference-coating'\nset.batch_mass_kg = -3\n",
        "[coating]\nrecipe = 'reference-coating'\nset.batch_mass_kg = 2020-01-01\n",
        "[coating]\nrecipe = 'reference-coating'\nreading = 'nope'\n",
        "[pouch]\ncell = 'reference-pouch'\nefficiency = 'x'\n",
        "[pouch]\ncell = 'reference-pouch'\nefficiency = { value = 0.99 }\n",
        "[pouch]\ncell = 'reference-pouch'\nefficiency = 1.5\n",
        "[pouch]\ncell = 'reference-pouch'\nset.electrolyte.nope = 1.0\n",
        "[surface]\nsurfaces = 'reference-surfaces'\nclosure = { reference = 'nope', pore_area_m2_per_m2 = 1 }\n",
        "[surface]\nsurfaces = 'reference-surfaces'\n"
        "closure = { reference = 'ZnO(002)-Zn', pore_area_m2_per_m2 = inf }\n",
        "[measured.m]\nfiles = ['s.toml']\nkind = 'nope'\n",
        "[measured.m]\nfiles = ['.']\n",
        "[measured.m]\nfiles = ['s.toml', 's.toml']\n",
        "title = 'nothing to do'\n",
    ],
)
def test_check_says_what_run_would_say(tmp_path, text):
    with pytest.raises(InputError):
        check(written(tmp_path, text))


@pytest.mark.parametrize("names", [("a b", "a_b"), ("空白", "涂层"), ("a/b", "a b")])
def test_tests_have_files_of_their_own(tmp_path, names):
    text = "".join(f'[tests."{name}"]\n{ONE}' for name in names)
    run(written(tmp_path, text), tmp_path / "out", workers=1)
    assert len(list((tmp_path / "out" / "records").glob("*.bdf.parquet"))) == 2


def test_a_name_too_long_for_a_file_is_refused_or_cut(tmp_path):
    study = written(tmp_path, f"[tests.{'n' * 300}]\n{ONE}")
    try:
        check(study)
    except InputError:
        return
    run(study, tmp_path / "out", workers=1)


@pytest.mark.parametrize("held", [["a", "b"], [{"x": 1.0}, {"x": 2.0}]])
def test_a_place_that_is_a_list_does_not_stop_a_run(tmp_path, held):
    assert _tables(
        table(tmp_path, expected('ours = "tests > s > said"', "paper = 1.0"), {("tests", "s"): {"said": held}})
    )


@pytest.mark.parametrize(("value", "more"), [(0.0, ""), (1.0, "is_loss = true")])
def test_what_is_equal_is_met(tmp_path, value, more):
    text = expected('ours = "tests > s > x"', f"paper = {value}", more)
    assert table(tmp_path, text, {("tests", "s"): {"x": value}})[0].within


def test_a_ratio_has_no_span_of_one_of_its_parts(tmp_path):
    text = expected('ratio = ["tests > s > x", "tests > s > y"]', "paper = 2.0", "tolerance = 0.01")
    row = table(tmp_path, text, {("tests", "s"): {"x": {"value": 2.0, "low": 1.5, "high": 2.5}, "y": 0.5}})[0]
    assert row.ours == 4.0
    assert not row.within


COATED = {
    "result_kind": "calibrated",
    "parameters": [{"kind": "calibrated", "source": "fitted to 12.4 wt% of that paper"}],
    "x": 0.1241,
}


@pytest.mark.parametrize("paper", ["paper = 0.12", "paper = [0.12, 0.13]"])
def test_what_a_coating_was_fitted_to_is_not_predicted_when_it_is_rounded(tmp_path, paper):
    text = f'[coating]\nrecipe = "reference-coating"\n[[expect]]\nquantity = "q"\n{paper}\n'
    text += 'ours = "coating > x"\nkind = "predicted"\n'
    assert table(tmp_path, text, {("coating",): COATED})[0].kind == "calibrated"


@pytest.mark.parametrize(
    ("stage", "name", "place", "held"),
    [
        ('[fits.m]\nfit = "reference"\n', ("fits", "m"), "fits > m > estimates > k", {"estimates": [{"name": "k"}]}),
        (
            '[surface]\nsurfaces = "reference-surfaces"\n',
            ("surface",),
            "surface > closure > x",
            {"closure": {"x": {"value": 1.0}}},
        ),
    ],
    ids=["fit", "closure"],
)
def test_no_word_makes_a_fit_or_a_closure_predicted(tmp_path, stage, name, place, held):
    text = f'{stage}[[expect]]\nquantity = "q"\npaper = 0.5\nours = "{place}"\nkind = "predicted"\n'
    assert table(tmp_path, text, {name: held})[0].kind == "calibrated"


def test_a_study_named_as_its_stage_has_rows_of_its_own(tmp_path):
    text = '[coating]\nrecipe = "reference-coating"\n[[expect]]\nquantity = "{}"\nours = "coating > host > porosity"\n'
    for word in ("before", "after"):
        run(written(tmp_path, text.format(word), "coating"), tmp_path / "out", workers=1)
    assert "after" in (tmp_path / "out" / "tables" / "coating.rows.csv").read_text(encoding="utf-8")


def test_a_run_of_a_study_with_files_can_be_resumed(tmp_path):
    copy("reference-coating", tmp_path)
    run(written(tmp_path, '[coating]\nrecipe = "reference-coating.toml"\n'), tmp_path / "out", workers=1)
    check(study_of_run(tmp_path / "out"))


def test_a_file_that_a_fit_names_is_part_of_its_key_whatever_the_fit_is_called(tmp_path):
    (tmp_path / "mine.toml").write_text(ONE, encoding="utf-8")
    (tmp_path / "my.fit").write_text(
        "[[parameter]]\nname = 'host.isolated_per_stripped'\nlow = 1e-3\nhigh = 0.2\n"
        "[[datum]]\nstudy = 'mine.toml'\nobservable = 'ce_mean'\nvalue = 0.9\nsigma = 0.01\n",
        encoding="utf-8",
    )
    study = written(tmp_path, "[fits.m]\nfit = 'my.fit'\n")
    before = inputs_of(plan(study)[0])
    (tmp_path / "mine.toml").write_text(ONE + "set.host.porosity = 0.7\n", encoding="utf-8")
    assert inputs_of(plan(study)[0]) != before


def test_a_study_that_lies_in_the_folder_is_not_written_over(tmp_path):
    (tmp_path / "study.toml").write_text("# precious\n" + ONE, encoding="utf-8")
    study = written(tmp_path, ONE, "other")
    with contextlib.suppress(InputError):
        run(study, tmp_path, workers=1)
    assert "precious" in (tmp_path / "study.toml").read_text(encoding="utf-8")


def test_another_study_of_the_same_name_does_not_take_the_folder(tmp_path):
    for project in ("one", "two"):
        (tmp_path / project).mkdir()
    run(written(tmp_path / "one", f"[tests.mine]\n{ONE}", "study"), tmp_path / "out", workers=1)
    with pytest.raises(InputError):
        run(written(tmp_path / "two", f"[tests.yours]\n{ONE}", "study"), tmp_path / "out", workers=1)


def test_the_json_of_a_run_is_json(tmp_path):
    findings = run(written(tmp_path, ONE), tmp_path / "out", workers=1)
    json.dumps(findings.items[0].summary, allow_nan=False)


RECIPE = '[coating]\nrecipe = "reference-coating"\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('hst.porosity = { from = "coating > host > porosity" }', "Did you mean host"),
        ('host.porositty = { from = "coating > host > porosity" }', "Did you mean porosity"),
        ('host.porosity.value = { from = "coating > host > porosity" }', "only a value of"),
        ('foil = { from = "coating" }', "a whole part is taken for host alone"),
        ('host = { from = "coating > host" }', "a host comes from the coating"),
    ],
)
def test_a_place_for_what_another_stage_finds_is_looked_at(tmp_path, text, said):
    with pytest.raises(InputError, match=r"s.toml:9: .*" + said):
        check(written(tmp_path, f"{RECIPE}[tests.x]\n{ONE}[tests.x.set]\n\n\n{text}\n"))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f"{ONE}model = 'nope'\n", 3),
        (f"{ONE}nominal_mAh_per_cm2 = -1\n", 3),
        (f"{RECIPE}[coating.set]\nn_cycles = 80\nbatch_mass_kg = -3\n", 5),
        (f"{RECIPE}reading = 'nope'\n", 3),
    ],
)
def test_an_error_is_told_at_its_own_line(tmp_path, text, line):
    with pytest.raises(InputError, match=rf"s.toml:{line}: (?!.*--reading)"):
        check(written(tmp_path, text))


@pytest.mark.parametrize(
    "text",
    [
        f"{ONE}seed = true\n",
        f"{ONE}[[expect]]\nquantity = 'q'\nours = 'tests > s'\npaper = [2.0, 1.0]\n",
        f'[tests.""]\n{ONE}',
        f'[tests."a\\u0000b"]\n{ONE}',
        "[measured.m]\nfiles = ['s.toml']\n",
        "[surface]\nsurfaces = 'reference-surfaces'\nis_computed = true\nmodels = ['nope']\n",
        "[surface]\nsurfaces = 'reference-surfaces'\nmodels = ['7net-0']\n",
        f"[tests.x]\n{ONE}[pouch]\ncell = 'reference-coin'\nset.foo = {{ from = 'tests > x > ce_reservoir' }}\n",
    ],
)
def test_what_is_no_seed_no_range_no_name_and_no_record_is_refused(tmp_path, text):
    with pytest.raises(InputError):
        check(written(tmp_path, text))


def test_to_go_on_by_a_copy_whose_files_are_gone_says_which_study_to_run(tmp_path):
    copy("reference-coating", tmp_path)
    text = '[coating]\nrecipe = "reference-coating.toml"\n'
    run(written(tmp_path, text), tmp_path / "out", workers=1)
    written(tmp_path, text + "# another word\n")
    with pytest.raises(InputError, match=r"s.toml: is changed since .* run it itself"):
        study_of_run(tmp_path / "out")
    (tmp_path / "s.toml").unlink()
    with pytest.raises(InputError, match=r"s.toml: is gone"):
        study_of_run(tmp_path / "out")
