"""Where the real files lie; tests that need them are skipped, saying so, when the folder is missing."""

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(autouse=True)
def private_cache(tmp_path, monkeypatch):
    """No test reads or fills the user's own cache."""
    monkeypatch.setenv("INTERLITH_CACHE", str(tmp_path / "cache"))


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
