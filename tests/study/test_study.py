"""Study files: what they say, what is wrong in them and at which line, and what takes from what."""

import pytest

from interlith.errors import InputError
from interlith.study import (
    made_test,
    names_of,
    needs_of,
    ordered,
    read_study,
    references,
    stage_of,
    without_references,
)


def written(tmp_path, text, name="mine"):
    path = tmp_path / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_study_of_one_test_says_it_at_the_top(tmp_path):
    study = read_study(written(tmp_path, 'title = "x"\nsample = "cp"\n[set.host]\nporosity = 0.7\n'))
    assert names_of(study) == (("tests", "mine"),)
    assert made_test(study, "mine").cell.host.porosity == 0.7


@pytest.mark.parametrize("name", ["reference", "li-cu", "my-host"])
def test_shipped_studies_are_studies(name):
    study = read_study(name)
    assert study.name == name
    assert ordered(study)
    assert study.asked.expect


def test_every_stage_comes_after_what_it_takes_from():
    study = read_study("reference")
    order = list(ordered(study))
    for name in order:
        for _, text in needs_of(study, name):
            need = stage_of(tuple(part.strip() for part in text.split(">")), names_of(study))
            assert order.index(need) < order.index(name)


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ('sample = "cp"\ntitel = "x"\n', 2, "Did you mean title?"),
        ('[tests.a]\nsample = "cp"\n[tests.a.set.host]\nporosty = 0.8\n', 4, "Did you mean porosity?"),
        ('[tests.a]\nsample = "cp"\n[tests.a.set.host]\nporosity = 92\n', 4, "Did you mean 0.92?"),
        ('sample = "cp"\nseed = "one"\n', 2, 'seed = "one"'),
        ('sample = "cp"\nseed = -1\n', 2, "greater than or equal to 0"),
        ('[tests.a]\nsample = "pc"\n', 2, "not a shipped sample; these are: cp"),
        ('sample = "cp"\n[tests.a]\nsample = "cp"\n', 1, "of one test"),
        ('sample = "cp"\n[pouch]\ncel = "reference-pouch"\n', 3, "Did you mean cell?"),
        ('sample = "cp"\n[held_out]\ndraws = 0\n', 3, "greater than or equal to 1"),
        ('sample = "cp"\n[[expect]]\nquantity = "a"\n', 2, "give ours"),
        ('sample = "cp"\n[[expect]]\nquantity = "a"\nours = "tests > min > ledger"\n', 4, "Did you mean tests > mine?"),
        ('sample = "cp"\n[[expect]]\nquantity = "a"\nours = "pouch > mass_g"\n', 4, "this study has no pouch"),
        ('sample = "cp"\n[set.host]\nporosity = { from = "coating > host > porosity" }\n', 3, "no coating"),
        ("[measured.a]\nfiles = []\n", 2, "at least 1"),
        ('[surface]\nsurfaces = "x"\n[surface.closure]\nreference = "a"\npore_area_m2_per_m2 = -1\n', 3, "above 0"),
    ],
)
def test_errors_say_the_line_what_was_got_and_the_mend(tmp_path, text, line, said):
    with pytest.raises(InputError) as problem:
        read_study(written(tmp_path, text))
    assert str(problem.value).startswith(f"mine.toml:{line}: ")
    assert said in str(problem.value)


def test_stages_that_wait_for_each_other_are_told_with_the_circle(tmp_path):
    text = "".join(
        f'[tests.{name}]\nsample = "cp"\n[tests.{name}.set.host]\nporosity = {{ from = "tests > {other} > x" }}\n'
        for name, other in (("a", "b"), ("b", "c"), ("c", "a"))
    )
    with pytest.raises(InputError, match="circle") as problem:
        read_study(written(tmp_path, text))
    for name in "abc":
        assert f"tests > {name}" in str(problem.value)


def test_a_long_chain_of_stages_is_no_trouble(tmp_path):
    text = '[tests.t0]\nsample = "cp"\n' + "".join(
        f'[tests.t{i}]\nsample = "cp"\n[tests.t{i}.set.host]\nporosity = {{ from = "tests > t{i - 1} > x" }}\n'
        for i in range(1, 150)
    )
    assert ordered(read_study(written(tmp_path, text)))[-1] == ("tests", "t149")


@pytest.mark.parametrize(
    "text",
    [
        ".".join(["a"] * 100_000) + " = 1\n",
        'sample = "cp"\n[set.host]\n' + "a." * 100_000 + "b = 1\n",
        "a = " + "[" * 100_000 + "]" * 100_000,
        "x = " + "9" * 500_000,
        'sample = "cp"\ntitle = "' + "x" * 1_100_000 + '"\n',
        "".join(f'[tests.t{i}]\nsample = "cp"\n' for i in range(5000)),
        "".join(f'[[expect]]\nquantity = "q{i}"\nours = "tests > mine > x"\n' for i in range(9000)),
    ],
    ids=["dotted", "dotted-in-table", "nested", "number", "long", "tests", "rows"],
)
def test_bombs_are_refused_and_not_slowly(tmp_path, text):
    with pytest.raises(InputError):
        read_study(written(tmp_path, text))


def test_a_sentence_with_many_points_is_no_bomb(tmp_path):
    text = f'sample = "cp"\ntitle = "{"etc. " * 100}"\n'
    assert read_study(written(tmp_path, text)).title.startswith("etc. ")


def test_references_are_found_and_taken_out():
    table = {
        "sample": "cp",
        "set": {"host": {"porosity": {"from": "a > b"}, "swelling": 0.1}, "cell": {"x": {"from": "c"}}},
    }
    assert dict(references(table)) == {("set", "host", "porosity"): "a > b", ("set", "cell", "x"): "c"}
    assert without_references(table) == {"sample": "cp", "set": {"host": {"swelling": 0.1}}}
