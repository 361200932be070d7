"""One page for a run: `write_page(findings, figures, folder)` -> report.html, which needs no network and no script."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from interlith import __version__
from interlith.errors import EnvironmentError_
from interlith.findings import Finding, Findings, replace_file
from interlith.ledger import ENTRIES
from interlith.report.deposition_page import deposition_results
from interlith.report.figures import Figure
from interlith.report.headline import headline
from interlith.report.sketch import is_synthetic, tags
from interlith.report.surface_page import surface_details, surface_results
from interlith.report.wording import NOT_KNOWN, WHOLE, from_assumption, label, number, quantity, shares, text_of

MOST_EVENTS = 50
NO_TESTS = (
    "design",
    "coat",
    "network",
    "deposition",
    "characterize",
    "screen",
    "sweep",
)  # kinds of finding that are not about a test of a cell
MANY_FILES = 20  # above: sections are closed until asked for
OF_VALUES = ("name", "change")  # columns of dotted names, in these results:
WORDED = ("what_moves_the_loading", "wanted_loading", "fit")
MOST_COLUMNS, LONG_TEXT = 4, 60  # of a table within half of the page
ABOUT = (
    ("duration_h", "duration (h)"),
    ("voltage_V", "voltage (V)"),
    ("current_mA", "current (mA)"),
    ("charged_mAh", "charged (mAh)"),
    ("discharged_mAh", "discharged (mAh)"),
    ("half_cycles", "half cycles"),
)


def write_page(findings: Findings, figures: Mapping[str, Sequence[Figure]], folder: Path) -> Path:
    """Write folder/report.html: every finding with its figures, by the name of the finding. Returns its path.

    Raises EnvironmentError_ when it cannot be written or a figure's file is missing.
    """
    import jinja2

    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    template = environment.from_string(Path(__file__).with_name("page.html").read_text(encoding="utf-8"))
    path = folder / "report.html"
    try:
        text = template.render(_page(findings, figures, folder))
        folder.mkdir(parents=True, exist_ok=True)
        replace_file(path, text.encode("utf-8", errors="replace"))
    except OSError as problem:
        raise EnvironmentError_(f"{path}: cannot be written ({problem.strerror or problem})") from problem
    return path


def _page(findings: Findings, figures: Mapping[str, Sequence[Figure]], folder: Path) -> dict[str, Any]:
    limits = [dict(limit) for limit in findings.thresholds]
    return {
        "title": findings.title,
        "version": __version__,
        "warning": findings.warning,
        "all_synthetic": bool(findings.items) and all(is_synthetic(item.summary) for item in findings.items),
        "sections": [
            _section(place, item, [_drawn(figure, folder) for figure in figures.get(item.name, ())], limits)
            for place, item in enumerate(findings.items, start=1)
        ],
        "tests": any(item.summary.get("kind") not in NO_TESTS for item in findings.items),
        "closed": len(findings.items) > MANY_FILES,
        "limits": [_limit(limit, limit["value"]) for limit in limits],
        "most_events": MOST_EVENTS,
    }


def _section(place: int, item: Finding, drawn: list[dict[str, str]], limits: list[dict[str, Any]]) -> dict[str, Any]:
    """Everything the page says of one file, as text."""
    said = item.summary
    events = list(said.get("events") or [])
    return {
        "anchor": f"file-{place}",
        "name": item.name,
        "headline": headline(said),
        "tags": tags(said),
        "kind": said.get("kind"),
        "is_test": said.get("kind") not in NO_TESTS,
        "measurement": said.get("measurement"),
        "warnings": list(said.get("warnings") or []),
        "quantities": [_quantity(row) for row in said.get("quantities") or ()],
        "toml": "\n\n".join(text for text in ((said.get("fit") or {}).get("toml"), said.get("toml")) if text),
        "structures": [{"name": path.rpartition("/")[2], "href": quote(path)} for path in said.get("structures") or ()],
        "kind_reason": said.get("kind_reason"),
        "volume_page": quote(said["volume_page"]) if said.get("volume_page") else None,
        "rows": _count(said.get("rows")),
        "cycles": _count(said.get("cycles")),
        "error": said.get("error"),
        "flags": list(said.get("flags") or []),
        "said": [text for text in (said.get("stopped"), *(said.get("said") or ())) if text],
        "audits": [dict(audit) for audit in said.get("audits") or ()],
        "ledger": _ledger(said),
        "parameters": [_parameter(row) for row in said.get("parameters") or ()],
        "truth": [_truth(row) for row in said.get("truth") or ()],
        "facts": _facts(said.get("facts") or {}),
        "about": [(name, text_of(key, said.get(key))) for key, name in ABOUT if said.get(key) is not None],
        "results": [
            _result(name, result, said["kind_reason"] if name == said.get("measurement") else name.replace("_", " "))
            for name, result in _results_of(said).items()
        ],
        "details": [
            (title, [_result(name, result, name) for name, result in results.items()])
            for title, results in surface_details(said)
        ],
        "figures": drawn,
        "events": [_event(event) for event in events[:MOST_EVENTS]],
        "n_events": len(events),
        "event_counts": [
            (code.replace("_", " "), count) for code, count in Counter(e["code"] for e in events).most_common()
        ],
        "provenance": _provenance(said.get("provenance") or {}),
        "limits": _used(said.get("thresholds") or {}, limits),
    }


def _results_of(said: Mapping[str, Any]) -> Mapping[str, Any]:
    """Results as tables for people, where a kind has such, else as they stand in the JSON."""
    return surface_results(said) or deposition_results(said) or said.get("results") or {}


def _ledger(said: Mapping[str, Any]) -> list[dict[str, str]]:
    """The account at the end of a simulated test: entry, mAh/cm2, meaning."""
    known = {entry.name: entry for entry in ENTRIES}
    return [
        {
            "name": name.replace("_", " "),
            "value": f"{value:.4g}",
            "meaning": known[name].meaning,
            "sort": known[name].sort,
        }
        for name, value in (said.get("ledger") or {}).items()
    ]


def _quantity(row: Mapping[str, Any]) -> dict[str, str]:
    """A measured number: its interval, and the table of the file that takes it."""
    key = row["name"]
    known = row["low"] is not None and row["high"] is not None
    place = f"{row['file']}, [{row['table']}]" if row["file"] else ""
    interval = f"{text_of(key, row['low'])} to {text_of(key, row['high'])}" if known else ""
    return {
        "label": label(key),
        "value": text_of(key, row["value"]),
        "interval": interval,
        "place": place,
        "source": row["source"],
    }


def _parameter(row: Mapping[str, Any]) -> dict[str, str]:
    held = row["value"] if isinstance(row["value"], (list, tuple)) else (row["value"],)
    value = ", ".join(f"{one:g}" if isinstance(one, (int, float)) else str(one) for one in held)
    span = "" if row["low"] is None else f" ({row['low']:g} to {row['high']:g})"
    unit = "" if row["unit"] == "1" else row["unit"]
    shown = f"{value} {unit}".strip()
    return {
        "name": row["name"],
        "value": shown,
        "kind": row["kind"] + span,
        "source": row["source"],
    }


def _count(value: Any) -> str:
    return number(value, WHOLE) if isinstance(value, int) else ""  # what is not about a record has none


def _facts(facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Facts of the cell: label, value or 'not given', how it is known, and from where."""
    found = []
    for name, fact in facts.items():
        given = fact.get("value") is not None
        source = fact.get("source", "")
        value = text_of(name, fact["value"]) if given else "not given"
        found.append(
            {
                "label": label(name),
                "value": value,
                "kind": fact.get("kind") if given else "",
                "source": "" if source == "not given" else source,
            }
        )
    return found


def _truth(row: Mapping[str, Any]) -> dict[str, str]:
    """What a synthetic test was made with beside what was found in it."""
    key = row["quantity"]
    return {"label": label(key), **{side: text_of(key, row[side]) for side in ("truth", "found")}}


def _result(name: str, result: Mapping[str, Any], title: str) -> dict[str, Any]:
    """One analysis: its values as rows, why it found none, notes."""
    expanded = result.get("uncertainty_k2")
    rows = []
    for key, value in result.items():
        if key in ("why_not", "notes"):
            continue
        rows_of = value if _is_table(value) else None
        table = _worded(rows_of) if rows_of and name in WORDED else rows_of
        text = "" if table else shares(value) if key == "regime_shares" else text_of(key, value, expanded)
        rows.append(
            {
                "key": key,
                "label": "" if table and len(result.keys() - {"notes"}) == 1 else label(key),
                "text": text,
                "table": _nested(table) if table else None,
                "assumed": from_assumption(key, result),
                "unknown": text == NOT_KNOWN,
            }
        )
    return {
        "name": name,
        "title": title,
        "rows": rows,
        "wide": any(_is_wide(value) for value in result.values()),
        "why_not": result.get("why_not"),
        "notes": list(result.get("notes") or []),
    }


def _worded(rows: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Rows whose names of values are dotted names, with these in words."""
    return [{key: quantity(cell) if key in OF_VALUES else cell for key, cell in row.items()} for row in rows]


def _is_table(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], Mapping)


def _is_wide(value: Any) -> bool:
    """Whether a table needs the whole width of the page: for its columns, or for sentences in them."""
    if not _is_table(value):
        return False
    return len(value[0]) > MOST_COLUMNS or any(len(str(cell)) > LONG_TEXT for row in value for cell in row.values())


def _nested(rows: list[Mapping[str, Any]]) -> dict[str, Any]:
    keys = list(rows[0])
    return {
        "heads": [label(key) for key in keys],
        "rows": [[text_of(key, row.get(key)) for key in keys] for row in rows],
    }


def _event(event: Mapping[str, Any]) -> dict[str, str]:
    def hours(key: str) -> str:
        return "" if event.get(key) is None else f"{event[key]:.2f}"

    return {
        "code": event["code"].replace("_", " "),
        "begin": hours("time_h"),
        "end": hours("end_time_h"),
        "cycle": _count(event.get("cycle")),
        "message": event["message"],
    }


def _provenance(provenance: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Where the record came from, what is known of it."""
    named = {"n_rows_in_file": "rows in the file", "sha256": "SHA-256"}
    found = [
        (named.get(key, key), str(value))
        for key, value in provenance.items()
        if key != "notes" and value not in (None, "")
    ]
    return found + [("note", str(text)) for text in provenance.get("notes") or ()]


def _used(values: Mapping[str, Any], limits: list[dict[str, Any]]) -> list[dict[str, Any]]:
    known = {limit["name"]: limit for limit in limits}
    return [_limit(known.get(name, {"name": name}), value) for name, value in values.items()]


def _limit(limit: Mapping[str, Any], value: Any) -> dict[str, Any]:
    shown = ", ".join(f"{part:g}" for part in value) if isinstance(value, (list, tuple)) else f"{value:g}"
    return {
        "name": limit["name"],
        "value": shown,
        "meaning": limit.get("meaning") or "",
        "source": limit.get("source") or "",
        "changed": bool(limit.get("changed")),
    }


def _drawn(figure: Figure, folder: Path) -> dict[str, str]:
    """A figure for the page: the picture within it, links to its files beside it."""
    picture = base64.b64encode(figure.svg.read_bytes()).decode("ascii")
    links = {kind: quote(f"{figure.svg.parent.name}/{getattr(figure, kind).name}") for kind in ("svg", "png", "csv")}
    return {
        "title": figure.title,
        "caption": figure.caption,
        "picture": f"data:image/svg+xml;base64,{picture}",
        **links,
    }
