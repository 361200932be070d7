"""The rules of the house, kept by reading the source: who imports whom, where heavy libraries live, names, sizes."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

SRC = Path(__file__).resolve().parents[2] / "src" / "interlith"
FILES = sorted(SRC.rglob("*.py"))
WINGS = {"surface", "coating", "host", "deposit", "cell", "cycling", "characterize", "pouch"}
FLOOR_2 = {
    "audit",
    "errors",
    "folders",
    "units",
    "parts",
    "protocol",
    "record",
    "ledger",
    "plugins",
    "pybamm_strings",
    "cell_test",
    "text_file",
    "written",
}
HOMES = {
    "fastnda": "cycling/formats",
    "yadg": "cycling/formats",
    "galvani": "cycling/formats",
    "fastexcel": "cycling/formats",
    "xlsxwriter": "findings.py",
    "matplotlib": "report",
    "jinja2": "report",
    "typer": "cli",
    "numba": ("cell", "deposit"),
    "tifffile": "deposit",
    "nrrd": "deposit",
    "zarr": "deposit/fields.py",
    "pyvista": "deposit",
    "ase": "surface",
    "spglib": "surface",
    "torch": "surface",
    "sevenn": "surface",
    "chgnet": "surface",
    "gpaw": "surface",
    "dftd3": "surface",
    "emcee": "cell",
    "pybamm": "cell/pybamm_bridge.py",
    "dask_jobqueue": "workers.py",
    "distributed": "workers.py",
}
FORBIDDEN = {"utils", "util", "helpers", "common", "base", "core", "manager", "misc"}
LITERALS = {3600, 96485, 8.314, 86400}
UNIT_WORDS = ("capacity", "thickness", "temperature", "overpotential", "polarization")


def imports(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def test_there_is_something_to_check():
    assert len(FILES) > 30


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SRC)))
def test_a_wing_imports_the_lower_floors_and_itself(path):
    wing = path.relative_to(SRC).parts[0]
    if wing not in WINGS:
        return
    for name in imports(path):
        parts = name.split(".")
        if parts[0] == "interlith" and len(parts) > 1:
            assert parts[1] in FLOOR_2 | {wing}, f"{path.name} imports {name}"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SRC)))
def test_floor_1_and_2_import_nothing_above(path):
    where = path.relative_to(SRC)
    if len(where.parts) > 1 or where.stem not in FLOOR_2:
        return
    for name in imports(path):
        parts = name.split(".")
        assert parts[0] != "interlith" or parts[1] in FLOOR_2, f"{where} imports {name}"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SRC)))
def test_heavy_libraries_stay_in_their_homes(path):
    where = path.relative_to(SRC).as_posix()
    for name in imports(path):
        home = HOMES.get(name.split(".")[0])
        assert home is None or where.startswith(home), f"{where} imports {name}, whose home is {home}"


def test_matplotlib_has_one_home_file_group():
    users = {p.relative_to(SRC).as_posix() for p in FILES if any(n.split(".")[0] == "matplotlib" for n in imports(p))}
    assert users
    assert all(user.startswith("report/") for user in users)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SRC)))
def test_names_and_sizes(path):
    assert path.stem not in FORBIDDEN
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    first = ast.get_docstring(tree) or ""
    assert first, "a file says in its first line what it answers"
    assert text.count("\n") <= 500 or "500 lines" in first
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            length = (node.end_lineno or 0) - node.lineno + 1
            assert length <= 60 or "60 lines" in ast.unparse(node)[:400] or is_command(node, path), (
                f"{node.name}: {length} lines"
            )


def is_command(node, path):
    """A command's options are its signature, one line each; they count as data."""
    registered = f"app.command()({node.name})" in (SRC / "cli.py").read_text(encoding="utf-8")
    decorated = any("app.command" in ast.unparse(d) for d in node.decorator_list)
    return decorated or (registered and path.name.startswith("cli"))


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SRC)))
def test_constants_live_in_units(path):
    if path.name == "units.py":
        return
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and type(node.value) in (int, float):
            assert node.value not in LITERALS, f"{path.name}:{node.lineno} {node.value}"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SRC)))
def test_public_things_are_documented(path):
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{path.name}: {node.name} has no docstring"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SRC)))
def test_fields_and_arguments_that_hold_a_quantity_end_in_its_unit(path):
    """A float called capacity or thickness says in which unit; a bare one is a fraction."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        name = annotation = None
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            name, annotation = node.target.id, ast.unparse(node.annotation)
        elif isinstance(node, ast.arg) and node.annotation:
            name, annotation = node.arg, ast.unparse(node.annotation)
        if name and annotation and re.match(r"float\b", annotation):
            assert not name.lower().endswith(UNIT_WORDS), f"{path.name}:{node.lineno} {name} has no unit"


def test_exports_are_sorted():
    for path in FILES:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
                names = ast.literal_eval(node.value)
                assert names == sorted(names), path.name


def run_python(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_importing_interlith_loads_nothing_heavy():
    heavy = ["numpy", "polars", "pydantic", "matplotlib", "scipy", "rich", "typer"]
    assert run_python(f"import sys, interlith; print([m for m in {heavy!r} if m in sys.modules])").strip() == "[]"


def test_help_loads_nothing_heavy():
    heavy = ["numpy", "polars", "pydantic", "matplotlib"]
    code = f"import sys, interlith.cli; print([m for m in {heavy!r} if m in sys.modules])"
    assert run_python(code).strip() == "[]"


def test_library_code_does_not_print():
    for path in FILES:
        if path.name in ("cli.py", "terminal.py"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            assert not (isinstance(node, ast.Call) and ast.unparse(node.func) == "print"), path.name
