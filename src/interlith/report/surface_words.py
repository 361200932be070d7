"""What is found of a face, in the words that figures, page and terminal share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

from interlith.findings import Finding
from interlith.report.wording import plus_minus

Row = Mapping[str, Any]
BINDING, BARRIER, BARRIER_2D = "binding_energy_eV", "barrier_eV", "barrier_2d_eV"
SPREADS = {BINDING: "spread_eV", BARRIER: "barrier_spread_eV", BARRIER_2D: "barrier_2d_spread_eV"}
DECIMALS = {BINDING: 2, BARRIER: 3, BARRIER_2D: 3}
ORDERS = {
    "by_binding": "From the weakest binding to the strongest",
    "by_barrier": "From the lowest barrier in one direction up",
    "by_barrier_2d": "From the lowest barrier in two directions up",
}
NOT_RANKED = "*"
QUANTITIES = {BINDING: "binding energy", BARRIER: "barrier"}
ONE_MODEL = "one model: no spread is known"


def faces_of(said: Mapping[str, Any]) -> list[Row]:
    """The faces of a summary about surfaces; none of any other."""
    return list(said.get("surfaces") or ()) if said.get("kind") == "screen" else []


def rows_of(finding: Finding) -> list[Row]:
    """The faces of a finding about surfaces; none of any other."""
    return faces_of(finding.summary)


def models_of(rows: Sequence[Row]) -> list[str]:
    """Names of the models, in their order."""
    return list(dict.fromkeys(one["model"] for row in rows for one in row["models"]))


def adsorbed_of(rows: Sequence[Row]) -> str:
    """What binds to the faces, in words: lithium.

    >>> adsorbed_of([{"adsorbate": "lithium"}, {"adsorbate": "sodium"}])
    'lithium or sodium'
    """
    return " or ".join(dict.fromkeys(row["adsorbate"] for row in rows))


def spread_of(row: Row, name: str) -> float | None:
    """The spread of a number over the models; None where it is not known, as for one model alone."""
    value: float | None = row[SPREADS[name]]
    return value


def marked(row: Row) -> str:
    """The key of a face, with a star where its numbers are not to be compared."""
    return str(row["key"]) + star(row)


def star(row: Row) -> str:
    """What marks numbers that are not to be compared; nothing where there are none."""
    return NOT_RANKED if row["not_ranked"] and row["models"] else ""


def energy(row: Row, name: str) -> str:
    """A number of a face with its spread, eV; "-" where it is not known.

    >>> energy({"barrier_eV": 0.3, "barrier_spread_eV": 0.05}, BARRIER)
    '0.300 ± 0.050'
    """
    return "-" if row[name] is None else plus_minus(row[name], spread_of(row, name), DECIMALS[name])


def alone_said(rows: Sequence[Row]) -> list[str]:
    """What is said where one model alone was asked; nothing otherwise."""
    models = models_of(rows)
    if len(models) != 1:
        return []
    is_open = any(row[SPREADS[BARRIER]] is not None for row in rows)
    return [f"{ONE_MODEL} ({models[0]})" + ("; ± of a barrier: a path that did not converge" if is_open else "")]


def interval(low: float | None, high: float | None) -> str:
    """A barrier, or between what it lies.

    >>> interval(0.3815, 0.3815), interval(0.02, 0.045), interval(0.3, None), interval(None, None)
    ('0.38 eV', '0.020 to 0.045 eV', '0.30 eV or more', '-')
    """
    if low is None:
        return "-"
    decimals = 3 if low < 0.1 else 2
    if high is None:
        return f"{low:.{decimals}f} eV or more"
    ends = dict.fromkeys(f"{end:.{decimals}f}" for end in (low, high))
    return f"{' to '.join(ends)} eV"


def published(row: Row, name: str) -> str:
    """What is published of a number: the number, or words, or "-"."""
    value = row["paper"].get(name)
    return f"{value:g}" if value is not None else row["paper"].get(name.removesuffix("_eV")) or "-"


def why_not(row: Row) -> str | None:
    """Why a face is missing in a ranking; None where it is in both."""
    if row["not_ranked"]:
        return str(row["not_ranked"])
    if row[BARRIER] is None:
        return "no barrier is known: no way across the face was found"
    return "no binding energy is known" if row[BINDING] is None else None


def remarks_of(row: Row) -> list[str]:
    """What each model says of its search of a face, and what its starts came to that found no site."""
    found = []
    for one in row["models"]:
        left = ", ".join(f"{count} x {why}" for why, count in one["left_out"].items())
        starts = f"{one['n_starts']} starts" + (f", left out: {left}" if left else "")
        found += [f"{one['model']}: {text}" for text in (one["refused"], *one["said"], starts) if text]
    return found


def verdict_of(one: Row) -> str:
    """Whether a published number is met: within the spread, not met, or why that cannot be said.

    >>> verdict_of({"ours": 2.7, "is_met": None, "is_ranked": True})
    'no spread to judge by'
    >>> verdict_of({"ours": 2.7, "is_met": None, "is_ranked": False})
    'no judgment: not ranked'
    """
    if one["ours"] is None:
        return "none found"
    if not one["is_ranked"]:
        return "no judgment: not ranked"
    return {True: "within the spread", False: "not met", None: "no spread to judge by"}[one["is_met"]]


def off_of(one: Row) -> str:
    """By how much what was found differs from what is published, eV.

    >>> off_of({"difference_eV": -0.67, "quantity": "binding_energy_eV"})
    '−0.67'
    """
    off = one["difference_eV"]
    return "-" if off is None else f"{off:+.{DECIMALS[one['quantity']]}f}".replace("-", "−")


def orders_said(orders: Sequence[Row]) -> dict[str, list[str]]:
    """The rankings in words: each order once, with the terminations that give it.

    >>> order = {"terminations": {"A": "x"}, "by_binding": ["A", "B"], "by_barrier": ["B", "A"], "by_barrier_2d": []}
    >>> more = {"is_published_order": True, "is_decided": {"by_binding": True, "by_barrier": False}, "without": []}
    >>> orders_said([order | more])["From the lowest barrier in one direction up"]
    ['B < A (neighbors within their spreads)']
    """
    if not orders or max(len(order["by_binding"]) for order in orders) < 2:
        return {}
    open_names = _chosen(orders)
    return {heading: _grouped(orders, word, open_names) for word, heading in ORDERS.items()}


def _chosen(orders: Sequence[Row]) -> list[str]:
    """Surfaces of which more than one termination was searched: what a ranking depends on."""
    names = orders[0]["terminations"]
    return [name for name in names if len({order["terminations"].get(name) for order in orders}) > 1]


def _grouped(orders: Sequence[Row], key: str, names: Sequence[str]) -> list[str]:
    groups: dict[tuple[str, str], list[Row]] = {}
    for order in orders:
        if len(order[key]) > 1:
            groups.setdefault((" < ".join(order[key]), _verdict(order, key)), []).append(order)
    found = []
    for (ranked, verdict), held in groups.items():
        choice = _choice(held, names) if names and len(groups) > 1 else ""
        found.append(f"{ranked}{verdict}{choice}")
    return found


def _verdict(order: Row, key: str) -> str:
    is_published = order["is_published_order"] if key == "by_binding" else None
    words = {True: "as published", False: "NOT as published", None: ""}[is_published]
    close = {True: "", False: "neighbors within their spreads", None: "not decided, for want of a spread"}[
        order["is_decided"][key]
    ]
    missing = f"without {', '.join(order['without'])}" if order["without"] else ""
    said = [word for word in (words, missing, close) if word]
    return f" ({'; '.join(said)})" if said else ""


def _choice(orders: Sequence[Row], names: Sequence[str]) -> str:
    """The terminations of a group of orders: all together where they are all combinations, else one by one.

    >>> _choice([{"terminations": {"A": "x", "B": "u"}}, {"terminations": {"A": "x", "B": "v"}}], ["A", "B"])
    ' with A x and B u or v'
    """
    held = {name: list(dict.fromkeys(order["terminations"].get(name, "-") for order in orders)) for name in names}
    if prod(len(values) for values in held.values()) == len(orders):
        return " with " + " and ".join(f"{name} {' or '.join(values)}" for name, values in held.items())
    each = (" and ".join(f"{name} {order['terminations'].get(name, '-')}" for name in names) for order in orders)
    return " with " + "; or ".join(each)
