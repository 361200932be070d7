"""Everything of a study's page that is words and rows: the table, counts, audits, what was handed, stages, sources."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from itertools import groupby
from typing import Any

from interlith.findings import Finding, Findings
from interlith.report.story_picture import KINDS, Row, counted, rows_of
from interlith.report.terminal_study import deviation_text, number_text, paper_text

VERDICTS = {True: ("met", "met"), False: ("MISSED", "missed"), None: ("not judged", "open")}
FITTED = ("met, fitted", "open")  # that it agrees is no evidence, and no good colour
DOI = re.compile(r"(?:doi:|https?://(?:dx\.)?doi\.org/)(10\.\d{4,9}/[^\s,;]*[^\s,;.)])")
UNCERTAIN = ("calibrated", "assumed")
NAMED = 3  # stages that are named beside a parameter; of more, how many
SHORT_HASH = 12
NOT_CLOSED = "does not close"


def counts(rows: Sequence[Row], shown: Collection[str]) -> list[dict[str, Any]]:
    """How many rows are met, by how ours is known; each row is counted under its own kind alone.

    shown: kinds that are in pictures, and explained here even where no row is of them.
    """
    found = []
    for kind, meaning in KINDS.items():
        held = [row["within"] for row in rows if row["kind"] == kind]
        if held or kind in shown:
            told = {name: sum(one is verdict for one in held) for verdict, (_, name) in VERDICTS.items()}
            found.append({"kind": kind, "meaning": meaning, "n": len(held), **told})
    return found


def sections(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The table, section by section, as text; sources are numbers in the list of them."""
    numbers = {source: place for place, source in enumerate(_sources(rows), start=1)}
    return [
        {"name": name or "", "rows": [_row(row, numbers.get(row["source"])) for row in held]}
        for name, held in groupby(rows, lambda row: row["section"])
    ]


def sources(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Where the published numbers are from, numbered."""
    return [{"number": place, "parts": linked(text)} for place, text in enumerate(_sources(rows), start=1)]


def _sources(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(row["source"] for row in rows if row["source"]))


def _row(row: Row, source: int | None) -> dict[str, Any]:
    word, name = FITTED if row["kind"] == "calibrated" and row["within"] else VERDICTS[row["within"]]
    ours = number_text(row["ours"])
    if row["low"] is not None and row["high"] is not None and row["ours"] is not None:
        ours += f" ({number_text(row['low'])} to {number_text(row['high'])})"
    return {
        "quantity": row["quantity"],
        "unit": "" if row["unit"] == "1" else row["unit"],
        "paper": paper_text(row),
        "ours": "no value" if row["ours"] is None else ours,
        "deviation": deviation_text(row),
        "kind": row["kind"],
        "word": "no value" if row["ours"] is None else word,
        "verdict": "missed" if row["ours"] is None else name,
        "reason": row["reason"],
        "source": source,
        "place": row["place"],
    }


def linked(text: str) -> list[tuple[str, str]]:
    """A text in parts, with the address of each part that is a DOI.

    >>> linked("Shen (2025), doi:10.1038/s41467-025-60609-4.")[1]
    ('doi:10.1038/s41467-025-60609-4', 'https://doi.org/10.1038/s41467-025-60609-4')
    """
    parts, at = [], 0
    for found in DOI.finditer(text):
        parts += [(text[at : found.start()], ""), (found[0], f"https://doi.org/{found[1]}")]
        at = found.end()
    return [part for part in (*parts, (text[at:], "")) if part[0]]


def audits(findings: Findings) -> list[dict[str, str]]:
    """Audits that do not close: of the stages, and rows of the table that no stage tells already."""
    found = [
        {"stage": item.name, "name": str(audit["name"]), "text": str(audit["text"])}
        for item in findings.items[1:]
        for audit in item.summary.get("audits") or ()
        if audit["verdict"] == NOT_CLOSED
    ]
    told = {one["text"] for one in found}
    for row in rows_of(findings):
        if row["kind"] == "audit" and row["within"] is False and row["reason"] not in told:
            unit = "" if row["unit"] == "1" else f" {row['unit']}"
            text = f"published {paper_text(row)}{unit}, ours {number_text(row['ours'])}{unit}. {row['reason']}".strip()
            found.append({"stage": "table", "name": row["quantity"], "text": text})
    return found


def handed(said: Mapping[str, Any]) -> list[dict[str, str]]:
    """What one stage took from another."""
    return [
        {
            "stage": str(row["stage"]),
            "to": str(row["to"]),
            "from": str(row["from"]),
            "value": f"porosity {number_text(row['value'])}" if row["to"] == "host" else number_text(row["value"]),
            "kind": str(row["kind"]) + (f"; its loading is {row['loading']}" if row.get("loading") else ""),
        }
        for row in said["handed"]
    ]


def stages(said: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What became of each stage."""
    return [
        {
            "name": row["name"],
            "how": row["how"],
            "seconds": f"{row['seconds']:.2f}",
            "result": (row["result"] or "")[:SHORT_HASH],
            "error": (row["error"] or {}).get("message", ""),
        }
        for row in said["stages"]
    ]


def stages_said(said: Mapping[str, Any]) -> str:
    """How many stages were computed and kept, and what they took."""
    how = [row["how"] for row in said["stages"]]
    words = [
        f"{how.count(one)} {word}"
        for one, word in (("computed", "computed"), ("kept", "kept from before"))
        if one in how
    ]
    words += [f"{n} without a result"] if (n := sum(one in ("failed", "waiting") for one in how)) else []
    spent = sum(row["seconds"] for row in said["stages"] if row["how"] == "computed")
    return f"{counted(len(how), 'stage')}: {', '.join(words)}; {spent:.1f} s of computing in all"


def parameters(findings: Findings) -> list[dict[str, str]]:
    """Values that are assumed or calibrated, each once, with the stages that use it; the calibrated first."""
    users: dict[tuple[Any, ...], list[str]] = {}
    for item in findings.items[1:]:
        for row in item.summary.get("parameters") or ():
            if row["kind"] in UNCERTAIN:
                users.setdefault(_told(row), []).append(item.name)
    ranked = sorted(users.items(), key=lambda one: (UNCERTAIN.index(one[0][1]), one[0][0]))
    return [
        {"name": name, "kind": kind, "value": value, "range": span, "source": source, "stages": _users(held)}
        for (name, kind, value, span, source), held in ranked
    ]


def _told(row: Row) -> tuple[str, str, str, str, str]:
    held = row["value"] if isinstance(row["value"], (list, tuple)) else (row["value"],)
    values = ", ".join(f"{one:g}" if isinstance(one, (int, float)) else str(one) for one in held)
    value = f"{values} {'' if row['unit'] == '1' else row['unit']}".strip()
    span = "" if row["low"] is None or row["high"] is None else f"{row['low']:g} to {row['high']:g}"
    return str(row["name"]), str(row["kind"]), value, span, str(row["source"])


def _users(names: Sequence[str]) -> str:
    return (
        ", ".join(names) if len(names) <= NAMED else f"{counted(len(names), 'stage')}: {', '.join(names[:NAMED])}, ..."
    )


def provenance(findings: Findings) -> list[tuple[str, str]]:
    """Study, source, seed, files of measured records, versions of all that computed."""
    said = findings.items[0].summary
    found = [("study", str(said["path"])), ("source", str(said["source"])), ("seed", str(said["seed"]))]
    for item in findings.items[1:]:
        found += _file(item)
    versions = ", ".join(f"{name} {text}" for name, text in said["versions"].items())
    found.append(("versions", versions))
    found += [
        (f"versions of {item.name}", ", ".join(f"{name} {text}" for name, text in item.summary["versions"].items()))
        for item in findings.items[1:]
        if item.summary.get("versions")
    ]
    return [(name, text) for name, text in found if text]


def _file(item: Finding) -> list[tuple[str, str]]:
    held = item.summary.get("provenance") or {}
    if not item.name.startswith("measured.") or not held.get("sha256"):
        return []
    return [(item.name, f"{held.get('path', '')}, read by {held.get('reader', '')}, SHA-256 {held['sha256']}")]
