"""A finished run as a research object: ro-crate-metadata.json beside its files, by RO-Crate 1.1 and Process Run Crate.

https://w3id.org/ro/crate/1.1 and https://w3id.org/ro/wfrun/process/0.5. What lies in blobs/ is not listed file by file:
the manifest says what it is.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from interlith import __version__
from interlith.findings import replace_file, writing

CONTEXT = ["https://w3id.org/ro/crate/1.1/context", "https://w3id.org/ro/terms/workflow-run/context"]
CRATE, PROCESS = "https://w3id.org/ro/crate/1.1", "https://w3id.org/ro/wfrun/process/0.5"
METADATA = "ro-crate-metadata.json"
SOFTWARE, ACTION, NO_LICENCE = "#interlith", "#run", "#licence"
FORMATS = {
    ".toml": "application/toml",
    ".json": "application/json",
    ".csv": "text/csv",
    ".parquet": "application/vnd.apache.parquet",
    ".html": "text/html",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".sqlite": "application/vnd.sqlite3",
}
LISTED = ("*.toml", "findings.json", "report.html", "tables/*", "records/*", "figures/*")


def write_crate(folder: Path, summary: Mapping[str, Any], runs: Sequence[Mapping[str, Any]]) -> Path:
    """Write folder/ro-crate-metadata.json for a run that is finished. summary: of the study; runs: the store's history.

    Raises EnvironmentError_ where it cannot be written.
    """
    files = sorted({path for pattern in LISTED for path in folder.glob(pattern) if path.is_file()})
    last = runs[-1] if runs else {}
    parts = [_file(folder, path) for path in files]
    graph = [
        {
            "@id": METADATA,
            "@type": "CreativeWork",
            "conformsTo": {"@id": CRATE},
            "about": {"@id": "./"},
        },
        _root(summary, last, parts),
        {"@id": NO_LICENCE, "@type": "CreativeWork", "name": "not stated", "description": "Ask who made this run."},
        {"@id": PROCESS, "@type": "CreativeWork", "name": "Process Run Crate", "version": "0.5"},
        {
            "@id": "blobs/",
            "@type": "Dataset",
            "name": "What is kept of every stage, by its SHA-256; see manifest.sqlite",
        },
        {
            "@id": "manifest.sqlite",
            "@type": "File",
            "name": "What was computed from what, and where it is kept",
            "encodingFormat": FORMATS[".sqlite"],
        },
        {
            "@id": SOFTWARE,
            "@type": "SoftwareApplication",
            "name": "interlith",
            "version": __version__,
            "softwareVersion": __version__,
            "description": json.dumps(summary.get("versions") or {}, sort_keys=True),
        },
        _action(last, parts, summary),
        *parts,
    ]
    text = json.dumps({"@context": CONTEXT, "@graph": graph}, indent=1, ensure_ascii=False)
    with writing(folder):
        replace_file(folder / METADATA, text.encode())
    return folder / METADATA


def _root(summary: Mapping[str, Any], last: Mapping[str, Any], parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    described = [summary.get("ask"), summary.get("note"), f"Source of what is expected: {summary.get('source') or '-'}"]
    return {
        "@id": "./",
        "@type": "Dataset",
        "name": summary["title"],
        "description": " ".join(text for text in described if text),
        "datePublished": last.get("ended") or last.get("began") or "",
        "license": {"@id": NO_LICENCE},
        "conformsTo": {"@id": PROCESS},
        "hasPart": [{"@id": part["@id"]} for part in parts] + [{"@id": "blobs/"}, {"@id": "manifest.sqlite"}],
        "mentions": {"@id": ACTION},
    }


def _action(last: Mapping[str, Any], parts: Sequence[Mapping[str, Any]], summary: Mapping[str, Any]) -> dict[str, Any]:
    status = "FailedActionStatus" if summary["error"] else "CompletedActionStatus"
    given = [part["@id"] for part in parts if part["@id"].endswith(".toml")]
    return {
        "@id": ACTION,
        "@type": "CreateAction",
        "name": f"interlith carried out {summary['title']}",
        "instrument": {"@id": SOFTWARE},
        "startTime": last.get("began") or "",
        "endTime": last.get("ended") or last.get("began") or "",
        "object": [{"@id": name} for name in given],
        "result": [{"@id": part["@id"]} for part in parts if part["@id"] not in given],
        "actionStatus": {"@id": f"http://schema.org/{status}"},
    }


def _file(folder: Path, path: Path) -> dict[str, Any]:
    data = path.read_bytes()
    return {
        "@id": path.relative_to(folder).as_posix(),
        "@type": "File",
        "name": path.name,
        "encodingFormat": FORMATS.get(path.suffix, "application/octet-stream"),
        "contentSize": str(len(data)),
        "sha256": hashlib.sha256(data).hexdigest(),
    }
