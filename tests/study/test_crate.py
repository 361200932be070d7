"""A finished run is a research object that another library reads."""

import hashlib
import json

import pytest

from interlith.study import read_study
from interlith.study_run import run

rocrate = pytest.importorskip("rocrate.rocrate", reason="rocrate is not installed")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("crate")
    (made / "small.toml").write_text(
        'title = "A <small> study"\nask = "Why?"\nsource = "nobody"\nsample = "cp"\n', encoding="utf-8"
    )
    run(read_study(str(made / "small.toml")), made / "out", workers=1)
    return made / "out"


def test_the_crate_is_read_by_rocrate(folder):
    crate = rocrate.ROCrate(folder)
    assert crate.name == "A <small> study"
    assert crate.root_dataset["license"]
    files = {entity.id for entity in crate.get_entities() if "File" in str(entity.type)}
    assert {"study.toml", "findings.json", "report.html", "manifest.sqlite", "tables/tests.small.ledger.csv"} <= files
    for name in files:
        assert (folder / name).is_file()
    actions = [entity for entity in crate.get_entities() if entity.type == "CreateAction"]
    assert [action["instrument"].id for action in actions] == ["#interlith"]
    assert "study.toml" in [entity.id for entity in actions[0]["object"]]


def test_every_file_that_is_listed_has_its_size_and_hash(folder):
    graph = json.loads((folder / "ro-crate-metadata.json").read_text(encoding="utf-8"))["@graph"]
    listed = [entity for entity in graph if "sha256" in entity]
    assert len(listed) > 5
    for entity in listed:
        data = (folder / entity["@id"]).read_bytes()
        assert entity["sha256"] == hashlib.sha256(data).hexdigest()
        assert entity["contentSize"] == str(len(data))


def test_every_reference_leads_somewhere(folder):
    graph = json.loads((folder / "ro-crate-metadata.json").read_text(encoding="utf-8"))["@graph"]
    known = {entity["@id"] for entity in graph}

    def named(held):
        if isinstance(held, dict):
            if set(held) == {"@id"}:
                yield held["@id"]
            else:
                yield from (one for value in held.values() for one in named(value))
        elif isinstance(held, list):
            yield from (one for value in held for one in named(value))

    assert {one for entity in graph for one in named(entity) if not one.startswith("http")} <= known


def test_it_can_be_written_again_by_rocrate(folder, tmp_path):
    rocrate.ROCrate(folder).write(tmp_path / "copy")
    assert rocrate.ROCrate(tmp_path / "copy").name == "A <small> study"
    assert (tmp_path / "copy" / "report.html").is_file()
