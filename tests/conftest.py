"""Where the real files lie; tests that need them are skipped, saying so, when the folder is missing."""

import os
from contextlib import suppress
from itertools import count
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("same", derandomize=True)  # the whole check judges a change, not the luck of a draw
if os.environ.get("INTERLITH_TESTS") == "same":
    settings.load_profile("same")

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def caches(tmp_path_factory):
    """Where tests have caches of their own, and one folder of compiled code that all share: it is the same in all."""
    folder = tmp_path_factory.mktemp("caches")
    (folder / "compiled").mkdir()
    return folder, count(1)


@pytest.fixture(autouse=True)
def private_cache(caches, monkeypatch):
    """No test reads or fills the user's own cache, nor that of another test."""
    folder, number = caches
    own = folder / str(next(number))
    own.mkdir()
    with suppress(OSError):  # where links need a privilege, code is compiled anew
        (own / "compiled").symlink_to(folder / "compiled", target_is_directory=True)
    monkeypatch.setenv("INTERLITH_CACHE", str(own))


@pytest.fixture(scope="session")
def cycler():
    """The folder of real cycler files."""
    folder = SHARED / "cycler"
    if not folder.is_dir():
        pytest.skip(f"the real files are not here ({folder})")
    return folder


@pytest.fixture(scope="session")
def characterisation():
    """The folder of real measurements of materials: diffraction, impedance, spectra."""
    folder = SHARED / "characterisation"
    if not folder.is_dir():
        pytest.skip(f"the real files are not here ({folder})")
    return folder
