"""Tables of a deposition or of a network on a page, every column with its unit: `deposition_results(summary)`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from interlith.report.wording import label, number, percent, text_of

Row = Mapping[str, Any]
OURS = (("mean", "mean"), ("lowest", "low"), ("highest", "high"))
FIRST_CYCLES = 10  # that are shown one by one
ENTRIES = ("active_pores", "active_top", "dead_pores", "dead_top", "sei")
ACCOUNT = (
    "Entries are what lies there at the end of the step. Revived so far is a sum that only grows: all that was ever "
    "joined again after it was dead. The page in three dimensions shows as live again what is so at that moment."
)
MET = {True: "yes", False: "NO", None: "nothing published"}


def deposition_results(said: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Tables by name; nothing for what is neither a deposition nor a network."""
    if said.get("kind") == "network":
        return {"network": {"values": [_value(name, row) for name, row in said["values"].items()]}}
    if said.get("kind") != "deposition":
        return {}
    onset = said["onset_mAh_per_cm2"]
    return {
        "height_of_the_lithium": {"heights": [_height(row) for row in said["thickness_um"]]},
        "when_it_stands_over_the_host": {
            "heights": [
                _onset(row, onset if row["above_um"] == onset["above_um"] else {})
                for row in said["stands_over_mAh_per_cm2"]
            ]
        },
        **({"height_when_stripped": {"heights": stripped}} if (stripped := _stripped(said)) else {}),
        "where_the_lithium_is": {
            "steps": [_step(row) for row in told_cycles(said["account"])],
            "notes": [ACCOUNT, *filter(None, [left_out(said["account"])]), *_kinds(said)],
        },
    }


def stands(row: Row) -> str:
    """Where lithium does not stand over the host in all networks: in how many it does, from when on."""
    if not row["n_networks"]:
        return f"not up to {number(row['up_to_mAh_per_cm2'], 3)}"
    return f"in {row['n_networks']} of {row['of_networks']} networks from {number(row['low'], 3)}"


def told_cycles(rows: Sequence[Row]) -> list[Row]:
    """Rows of the cycles that are shown one by one: the first ones and the last."""
    last = max((row["cycle"] for row in rows), default=0)
    return [row for row in rows if row["cycle"] <= FIRST_CYCLES or row["cycle"] == last]


def left_out(rows: Sequence[Row]) -> str:
    """That not all cycles are shown; empty where they are."""
    n_left = len({row["cycle"] for row in rows}) - len({row["cycle"] for row in told_cycles(rows)})
    return (
        f"Cycles {FIRST_CYCLES + 1} to {FIRST_CYCLES + n_left} are left out here; the JSON has them." if n_left else ""
    )


def _stripped(said: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "after_cycle": row["cycle"],
            **_beside(row, "um"),
            "host_um": row["host_um"],
            "sei_um": row["sei_um"],
            "if_its_sei_stood_um": row["if_sei_stands_um"],
            "kind": row["kind"],
        }
        for row in told_cycles(said["stripped_thickness_um"])
    ]


def _kinds(said: Mapping[str, Any]) -> list[str]:
    """Of all rows of the account, so that no column repeats it."""
    return [f"All of it: {kind}." for kind in dict.fromkeys(row["kind"] for row in said["account"])]


def _height(row: Row) -> dict[str, Any]:
    return {
        "plated_mAh_per_cm2": row["capacity_mAh_per_cm2"],
        **_beside(row, "um"),
        "host_um": row["host_um"],
        "kind": row["kind"],
    }


def _onset(row: Row, published: Row) -> dict[str, Any]:
    held = {"paper_low": None, "paper_high": None, "is_met": None, **row, **published}
    return {"over_the_host_um": row["above_um"], **_beside(held, "mAh_per_cm2"), "kind": held["kind"]}


def _beside(row: Row, unit: str) -> dict[str, Any]:
    """Ours with its span, what is published, and whether that is met."""
    ends = dict.fromkeys(text_of("", end) for end in (row["paper_low"], row["paper_high"]) if end is not None)
    ours = {f"{name}_{unit}": "" if row[end] is None else row[end] for name, end in OURS}
    if row["mean"] is None:
        ours[f"{OURS[0][0]}_{unit}"] = stands(row)
    met = MET[row["is_met"]] if row["is_met"] is not None or not ends else "not plated so far"
    return {**ours, f"published_{unit}": " to ".join(ends), "met": met}


def _step(row: Row) -> dict[str, Any]:
    entries = {f"{name}_mAh_per_cm2": row[name] for name in ENTRIES}
    spans = {"dead_lowest_mAh_per_cm2": row["dead_low"], "dead_highest_mAh_per_cm2": row["dead_high"]}
    passed = {"cycle": row["cycle"], "step": row["step"], "plated_mAh_per_cm2": row["plated_mAh_per_cm2"]}
    return {**passed, **entries, **spans, "revived_so_far_mAh_per_cm2": row["revived"]}


def _value(name: str, row: Row) -> dict[str, Any]:
    change = row["change_when_coarser"]
    spans = {words: text_of(name, row[end]) for words, end in OURS}
    return {
        "quantity": label(name),
        **spans,
        "voxels_twice_as_wide_change_it_by": "" if change is None else f"{percent(change)} %",
    }
