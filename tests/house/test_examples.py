"""Every example in a docstring and every code block in the documentation runs."""

import doctest
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src"
MODULES = sorted(
    ".".join(p.relative_to(SRC).with_suffix("").parts)
    for p in (SRC / "interlith").rglob("*.py")
    if p.name not in ("__init__.py", "__main__.py")
)
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])
BLOCK = re.compile(r"^```(python|console)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(language):
    return [
        pytest.param(found[2], id=f"{page.name}:{page.read_text(encoding='utf-8')[: found.start()].count(chr(10)) + 1}")
        for page in PAGES
        for found in BLOCK.finditer(page.read_text(encoding="utf-8"))
        if found[1] == language
    ]


@pytest.mark.parametrize("name", MODULES)
def test_docstrings(name):
    module = importlib.import_module(name)
    assert doctest.testmod(module, optionflags=doctest.ELLIPSIS).failed == 0


def test_there_are_examples():
    finder = doctest.DocTestFinder()
    n = sum(len(t.examples) for name in MODULES for t in finder.find(importlib.import_module(name)))
    assert n >= 30


@pytest.mark.parametrize("code", blocks("python"))
def test_python_blocks(code, tmp_path):
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("code", blocks("console"))
def test_console_blocks(code, tmp_path):
    """Lines that begin with "$ interlith" run, in the order of the block; the output beside them is for people."""
    commands = [line[2:] for line in code.splitlines() if line.startswith("$ interlith")]
    for command in commands:
        arguments = command.split("#")[0].split()[1:]
        done = subprocess.run(
            [sys.executable, "-m", "interlith", *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stderr}{done.stdout}"
