"""The look-up pages say what the code says."""

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def docs_make():
    spec = importlib.util.spec_from_file_location("docs_make", ROOT / "docs" / "make.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    "name",
    [
        "ledger.md",
        "record.md",
        "thresholds.md",
        "formats.md",
        "materials.md",
        "cell-file.md",
        "recipe-file.md",
        "surfaces-file.md",
        "deposit-file.md",
        "study-file.md",
        "sweep-file.md",
        "reference-surfaces.md",
    ],
)
def test_made_pages_are_up_to_date(name):
    assert (ROOT / "docs/look-up" / name).read_text(encoding="utf-8") == docs_make().PAGES[name](), (
        "run python docs/make.py"
    )


def test_every_key_of_the_json_is_documented(tmp_path):
    subprocess.run(
        [sys.executable, "-m", "interlith", "analyze", "synthetic", "--out", "demo", "--quiet"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    page = (ROOT / "docs/look-up/json.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"`([A-Za-z0-9_]+)`", page))
    for file in json.loads((tmp_path / "demo/findings.json").read_text())["files"]:
        missing = [key for key in file if key not in documented]
        for name, result in file["results"].items():
            missing += [f"{name}.{key}" for key in result if key not in documented]
        assert not missing


def test_every_key_of_a_simulation_is_documented(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "interlith", "simulate", "--sample", "cp", "--json", "--quiet"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    page = (ROOT / "docs/look-up/json.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"`([A-Za-z0-9_]+)`", page))
    assert not [key for key in json.loads(done.stdout) if key not in documented]


@pytest.mark.parametrize("name", ["reference-pouch", "reference-coin"])
def test_every_key_of_a_design_is_documented(name):
    from interlith.design import DesignOptions, design_cell

    coin = name.endswith("coin")
    asked = DesignOptions(
        samples=30_000, reconcile=None if coin else "published", target_Wh_per_kg=() if coin else (400.0,)
    )
    summary = design_cell(name, asked).items[0].summary
    page = (ROOT / "docs/look-up/json.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"`([A-Za-z0-9_]+)`", page))
    assert not [key for key in summary if key not in documented]
    words = set(re.findall(r"[A-Za-z0-9_]+", page))
    nested = [*summary["readings"].values(), summary["monte_carlo"], *summary["sensitivity"], *summary["exports"]]
    nested += [summary["reconcile"], *summary["target"], summary["pareto"]] if not coin else []
    assert not {key for held in nested for key in held} - words


def toml_blocks(page):
    return re.findall(r"```toml\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)


def json_page():
    page = (ROOT / "docs/look-up/json.md").read_text(encoding="utf-8")
    return set(re.findall(r"`([A-Za-z0-9_]+)`", page)), set(re.findall(r"[A-Za-z0-9_]+", page))


def test_every_key_of_a_coating_is_documented():
    from interlith.coat import CoatOptions, coat_recipe

    summary = coat_recipe("reference-coating", CoatOptions(loading_wt_fraction=0.2)).items[0].summary
    documented, words = json_page()
    assert not [key for key in summary if key not in documented]
    nested = [summary["process"], summary["host"], *summary["tubes"], *summary["readings"], *summary["reach"]["ways"]]
    assert not {key for held in nested for key in held} - words


def test_every_key_of_a_network_is_documented():
    from interlith.networks import NetworkOptions, network_findings, read

    summary = network_findings(read("reference-deposit", NetworkOptions(n_voxels=64))).items[0].summary
    documented, words = json_page()
    assert not [key for key in summary if key not in documented]
    assert not [key for key in summary["values"] if key not in documented]
    nested = [*summary["values"].values(), *summary["transport"]]
    assert not {key for held in nested for key in held} - words


def test_every_key_of_a_deposition_is_documented(tmp_path):
    from interlith.deposition import deposit_findings
    from interlith.networks import NetworkOptions, read

    text = (ROOT / "docs/do/deposit.md").read_text(encoding="utf-8")
    paper, plating = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)[:2]
    coarse = paper.replace("width_um = 32", "width_um = 10").replace("seeds = [1, 2, 3]", "seeds = [1]")
    (tmp_path / "paper.toml").write_text(coarse + plating, encoding="utf-8")
    summary = deposit_findings(read(str(tmp_path / "paper.toml"), NetworkOptions())).items[0].summary
    documented, words = json_page()
    assert not [key for key in summary if key not in documented]
    nested = [*summary["thickness_um"], *summary["account"], *summary["infill_profile"], *summary["efficiency"]]
    assert not {key for held in nested for key in held} - words


def test_every_key_of_a_measurement_is_documented(tmp_path):
    import numpy as np

    from interlith.measurements import CharacterizeOptions, characterize_files

    f = np.logspace(5, -1, 61)
    z = 3 + 20 / (1 + 2j * np.pi * f * 1e-3)
    rows = "\n".join(f"{a:.5e},{b.real:.6e},{b.imag:.6e}" for a, b in zip(f, z, strict=True))
    (tmp_path / "a.csv").write_text(f"frequency/Hz,Re(Z)/Ohm,Im(Z)/Ohm\n{rows}\n", encoding="utf-8")
    summary = characterize_files([tmp_path / "a.csv"], CharacterizeOptions(use_cache=False)).items[0].summary
    documented, words = json_page()
    assert not [key for key in summary if key not in documented]
    assert not {key for row in summary["quantities"] for key in row} - words


def test_the_host_in_the_documentation_is_one(tmp_path):
    from interlith.deposit.deposit_file import read_deposit

    first, _, gap, image = re.findall(
        r"```toml\n(.*?)```", (ROOT / "docs/do/deposit.md").read_text(encoding="utf-8"), re.DOTALL
    )
    for name, text in (("paper", first), ("image", image)):
        (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
    paper = read_deposit(str(tmp_path / "paper.toml"))
    salt = 'electrolyte = "litfsi-dol-dme-lino3"\n'
    (tmp_path / "cell.toml").write_text(salt + first + gap, encoding="utf-8")
    assert read_deposit(str(tmp_path / "cell.toml")).asked.gap.length_um == 900
    assert (paper.fibres.porosity, paper.fibres.alignment, paper.n_networks) == (0.79, 0.2, 3)
    assert paper.network(0).porosity == pytest.approx(0.79, abs=1e-5)
    assert read_deposit(str(tmp_path / "image.toml")).asked.image.axis == "y"


def test_the_recipe_in_the_documentation_is_one(tmp_path):
    from interlith.coat import CoatOptions, coat_recipe

    first, data, *_ = re.findall(
        r"```toml\n(.*?)```", (ROOT / "docs/do/coat.md").read_text(encoding="utf-8"), re.DOTALL
    )
    path = tmp_path / "recipe.toml"
    path.write_text(first + data, encoding="utf-8")
    summary = coat_recipe(str(path), CoatOptions(fit=True)).items[0].summary
    assert 0.7 < summary["host"]["porosity"] < 0.9
    assert len(summary["fit"]["values"]) == 2
    documented, words = json_page()
    assert not [key for key in summary if key not in documented]
    assert not {key for held in [summary["fit"], *summary["fit"]["values"]] for key in held} - words


def test_the_study_in_the_documentation_of_measurements_is_one(tmp_path):
    from interlith.cell_test import load

    text = re.findall(r"```toml\n(.*?)```", (ROOT / "docs/do/characterize.md").read_text(encoding="utf-8"), re.DOTALL)[
        0
    ]
    path = tmp_path / "study.toml"
    path.write_text(text, encoding="utf-8")
    assert load(path).cell.host.origin("porosity").kind == "measured"


def test_every_key_of_a_screening_is_documented():
    from interlith.screening import screened

    summary = screened("reference-surfaces").items[0].summary
    documented, words = json_page()
    assert not [key for key in summary if key not in documented]
    rows = [*summary["surfaces"], *summary["orders"], *summary["against_paper"], summary["run"]]
    rows += [one for row in summary["surfaces"] for one in row["models"]]
    rows += [held for row in rows if "sites" in row for held in (*row["sites"], *row["hops"], *row["barrier_along"])]
    assert not {key for held in rows for key in held} - words


def test_the_surfaces_in_the_documentation_can_be_cut(tmp_path):
    pytest.importorskip("ase")
    from interlith.surface.surfaces_file import read_surfaces

    path = tmp_path / "surfaces.toml"
    path.write_text(toml_blocks("docs/do/screen.md")[0], encoding="utf-8")
    faces = read_surfaces(str(path)).faces
    assert [face.key for face in faces] == ["LiF(100)-F+Li", "Li2O(111)-Li+O", "ZnO(002)-O"]
    assert faces[1].settings.n_layers == 3


def test_links_between_pages_lead_somewhere():
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_nothing_speaks_of_this_machine_or_of_how_it_was_written():
    words = re.compile(r"/work/|/root/|/tmp/try|\bpypi\.org|\bhelper-\d", re.IGNORECASE)
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()
    for name in listed:
        path = ROOT / name
        if path.suffix in (".py", ".md", ".toml", ".cff", ".html", ".json") and path != Path(__file__):
            found = words.search(path.read_text(encoding="utf-8"))
            assert not found, f"{name}: {found and found[0]}"
