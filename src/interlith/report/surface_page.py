"""Surfaces on the page: tables of faces, rankings and published numbers, and what each model says of each face."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from interlith.report.surface_words import (
    BARRIER,
    BARRIER_2D,
    BINDING,
    QUANTITIES,
    Row,
    alone_said,
    energy,
    faces_of,
    interval,
    off_of,
    orders_said,
    published,
    remarks_of,
    verdict_of,
    why_not,
)

Tables = dict[str, dict[str, Any]]
OF_SITE = {
    "site": "site",
    "bonds": "bonds",
    BINDING: BINDING,
    "is_verified": "verified",
    "softest_eV_per_A2": "softest_curvature_eV_per_A2",
    "most_moved_A": "most_moved_A",
    "n_copies": "n_copies",
}
OF_HOP = {
    "from": "from",
    "to": "to",
    "length_A": "length_A",
    "low_eV": "barrier_low_eV",
    "high_eV": "barrier_high_eV",
    "is_converged": "converged",
    "is_on_the_way": "on_the_best_way",
}
OF_MODEL = ("cell_A", "n_atoms", "repeat", "best_site", "n_starts", "n_rounds")
OF_CHECK = ("what", "model", "pbe_eV", "pbe_d3_eV", "model_eV", "largest_force_eV_per_A", "failed")
BY_ITSELF, NO_BREAK = "not given", "\u00a0"
RATIOS = "Ratios of classical nucleation in vacuum, without electrolyte and interphase: no prediction."


def surface_results(said: Mapping[str, Any]) -> Tables:
    """Tables by name: faces, rankings, published numbers, settings, models. Nothing for what is not about surfaces."""
    rows = faces_of(said)
    if not rows:
        return {}
    found: Tables = {"faces": {"faces": [_face(row, rows) for row in rows], "notes": alone_said(rows)}}
    orders = orders_said(said["orders"])
    if orders:
        found["rankings"] = {
            "rankings": [{"ranking": name, "order": line} for name, lines in orders.items() for line in lines]
        }
    if said["against_paper"]:
        of_key = {row["key"]: row for row in rows}
        found["published_and_found"] = {
            "numbers": [_compared(one, of_key[one["key"]]) for one in said["against_paper"]]
        }
    checks = [{"face": row["key"], **{key: row["dft"][key] for key in OF_CHECK}} for row in rows if row.get("dft")]
    if checks:
        found["single_points_by_DFT"] = {"points": checks}
    found["nucleation"] = {
        "faces": [{"face": one["key"], **{k: v for k, v in one.items() if k != "key"}} for one in said["nucleation"]],
        "notes": [RATIOS],
    }
    found["models"] = {"models": [dict(one) for one in said["models"]]}
    return found | _settings(said["settings"]) | {"versions": dict(said["versions"]), "run": dict(said["run"])}


def surface_details(said: Mapping[str, Any]) -> list[tuple[str, Tables]]:
    """For each face what each model says: its search, sites, hops, and barriers by direction."""
    return [(row["key"], _details(row)) for row in faces_of(said)]


def _face(row: Row, rows: Sequence[Row]) -> dict[str, Any]:
    found = {
        "surface": row["name"],
        "termination": row["termination"],
        BINDING: _unbroken(energy(row, BINDING)),
        BARRIER: _unbroken(energy(row, BARRIER)),
        BARRIER_2D: _unbroken(energy(row, BARRIER_2D)),
        "minima_verified": row["minima_verified"],
        "polar": "-" if row["is_polar"] is None else row["is_polar"],
    }
    if any(other["paper"] for other in rows):
        found |= {f"published_{name}": published(row, name) for name in QUANTITIES}
    if any(why_not(other) for other in rows):
        found["not_ranked_because"] = why_not(row) or ""
    return found


def _compared(one: Row, row: Row) -> dict[str, Any]:
    return {
        "face": one["key"],
        "quantity": QUANTITIES[one["quantity"]],
        "published_eV": f"{one['paper']:g}",
        "found_eV": _unbroken(energy(row, one["quantity"])),
        "off_by_eV": off_of(one),
        "verdict": verdict_of(one),
    }


def _unbroken(text: str) -> str:
    """A value and its spread on one line."""
    return text.replace(" ", NO_BREAK)


def _settings(settings: Mapping[str, Mapping[str, Any]]) -> Tables:
    """Settings that all faces share once, the others by face."""
    held = list(settings.values())
    shared = {key for key, value in held[0].items() if all(one.get(key) == value for one in held)}
    found: Tables = {"settings": {key: value for key, value in held[0].items() if key in shared and value is not None}}
    own = [
        {"face": face, **{k: BY_ITSELF if v is None else v for k, v in one.items() if k not in shared}}
        for face, one in settings.items()
    ]
    if len(own[0]) > 1:
        found["settings_of_single_faces"] = {"faces": own}
    return found


def _details(row: Row) -> Tables:
    found: Tables = {}
    for one in row["models"]:
        name = one["model"]
        said = [text.removeprefix(f"{name}: ") for text in remarks_of({**row, "models": [one]})]
        found[name] = {**{key: one[key] for key in OF_MODEL if one[key] is not None}, "notes": said}
        tables = {"sites": _of(one["sites"], OF_SITE), "hops": _of(one["hops"], OF_HOP)}
        tables["barriers"] = [_along(held) for held in one["barrier_along"]]
        found |= {f"{name}, {word}": {word: table} for word, table in tables.items() if table}
    return found


def _along(held: Row) -> dict[str, Any]:
    repeat = "-" if held["repeat_A"] is None else f"{held['repeat_A']:.3f}"
    return {"way": held["way"], "repeat_A": repeat, "barrier": interval(held["low_eV"], held["high_eV"])}


def _of(rows: Sequence[Row], names: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{name: row[key] for key, name in names.items()} for row in rows]
