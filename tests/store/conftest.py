"""Units to record, and a place for a run."""

import pytest

from interlith.store import Unit, key_of


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "run"


@pytest.fixture
def unit():
    """A function that makes the unit of a number; what differs from a plain one is given by name."""

    def make(number, **differing):
        parameters = {"number": number, "thickness_um": 0.5}
        plain = {
            "key": key_of("tests", 3, parameters, {"cell": "ab" * 32}, 7),
            "name": f"tests.cell-{number:04d}",
            "stage": "tests",
            "version": 3,
            "parameters": parameters,
            "inputs": {"cell": "ab" * 32},
            "seed": 7,
            "status": "done",
            "blob": None,
            "error": None,
            "seconds": 0.25,
        }
        return Unit(**{**plain, **differing})

    return make
