"""Picture 4: the voltage of one cycle of some tests, and how much of the lithium comes back in each cycle."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from interlith.findings import Finding, Findings
from interlith.report.sketch import (
    GREEN,
    GREY,
    ORANGE,
    PLATE,
    PURPLE,
    SKY,
    STRIP,
    Axes,
    Floats,
    Sketch,
    drawable,
    known,
    only_whole,
)
from interlith.report.story_picture import (
    FULL_KINDS,
    HOST_KINDS,
    Picture,
    Row,
    beside_of,
    in_order,
    is_fitted,
    listed,
    marks_of,
    sample_kinds,
    short,
    simulated_of,
)
from interlith.report.wording import label, number, text_of

COLOURS = (PLATE, STRIP, GREEN, PURPLE, ORANGE, SKY)
MOST_CURVES, MOST_LINES = 4, 6
PANEL_IN = 2.7
LEVELS_SHOWN = 4.0  # times the voltage in the middle of a branch: how far the axis goes
MOST_DECIMALS = 4
MV_PER_V, PERCENT = 1000.0, 100.0
LEAST_LOSS = 1e-5  # of the axis: nobody measures less
TICKS = (0.9, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 1e-3, 1e-4, 1e-5)  # losses; the labels are efficiencies
DARKER = 0.45  # of a colour: what is left of it in that of a measured record
MEASURED_STYLE = (0, (2, 1.4))


def voltage_picture(findings: Findings) -> Picture | None:
    """Voltage and efficiency of the tests, measured ones beside them; None without a test that has either."""
    tests, beside = simulated_of(findings), beside_of(findings)
    made = [sketch for sketch in (_voltages(tests, beside), _efficiencies(tests, beside)) if sketch is not None]
    if not made:
        return None
    records = [record for held in beside.values() for record in held]
    says = [
        "The gap between plating (below) and stripping (above) is what the cell pays. Where the stripping branch ends "
        "before the plating one, lithium did not come back, or comes back at a voltage beyond the axis, as an alloy."
        if any(test.summary["kind"] in HOST_KINDS for test in tests)
        else "The gap between charge and discharge is what the cell pays; what a discharge lacks did not come back."
    ]
    if made[-1].name.endswith("efficiency"):
        says.append(
            "Efficiency: stripped over plated in each cycle. Its axis is that of the loss, so that 99 % and 99.9 %, "
            "ten times apart in what is lost, stand apart."
        )
    says.append(_records_said(records))
    kinds = in_order((*sample_kinds(tests), *(("measured",) if records else ())))
    return Picture(
        "4-voltage",
        _heading(tests),
        tuple(says),
        kinds,
        marks_of(kinds, "simulated; measured: dashed or crosses" if records else "simulated"),
        tuple(made),
        tuple(_compared(records)),
    )


def _records_said(records: Sequence[Finding]) -> str:
    """Whether there are measured records, and which of them have no curve."""
    if not records:
        return "All curves are simulated; this study has no measured record beside them."
    bare = [short(record) for record in records if not record.summary.get("area_cm2")]
    without = f" Of {listed(bare)} no area is given, and so there is no curve." if bare else ""
    return f"Dark, dashed or crosses: measured records beside the simulated test of the same cell.{without}"


def _compared(records: Sequence[Finding]) -> list[Row]:
    """What a measured record and the simulated test both know, in words."""
    found: list[Row] = []
    for record in records:
        for row in record.summary.get("compared") or ():
            result, _, key = str(row["quantity"]).partition(" ")
            values = {side: text_of(key, row[side]) for side in ("measured", "simulated")}
            quantity = f"{result.replace('_', ' ')}: {label(key)}"
            found.append({"record": short(record), "test": record.summary["beside"], "quantity": quantity, **values})
    return found


def _heading(tests: Sequence[Finding]) -> str:
    """What comes back, of the best and of the worst test; the voltage they cost where that is not known."""
    known_to = _side_by_side({test.name: test for test in tests if _efficiency_of(test) is not None})
    if known_to:
        best, worst = max(known_to, key=known_to.__getitem__), min(known_to, key=known_to.__getitem__)
        said = f"{best} gives back {_percent(known_to[best])} % of the lithium that is plated in a cycle"
        return said if best == worst else f"{said}, {worst} {_percent(known_to[worst])} %"
    cost = {
        short(test): value
        for test in tests
        if (value := (test.summary["results"].get("hysteresis") or {}).get("median_mV")) is not None
    }
    if cost:
        most = max(cost, key=cost.__getitem__)
        return f"Stripping and plating lie up to {number(cost[most], 3)} mV apart ({most})"
    return f"One cycle of {listed([short(test) for test in tests[:MOST_CURVES]])}"


def _side_by_side(tests: Mapping[str, Finding]) -> dict[str, float]:
    """Efficiencies of the tests of one protocol, that of which there are most: others cannot be compared."""
    protocols = [str(test.summary.get("protocol")) for test in tests.values()]
    most = max(dict.fromkeys(protocols), key=protocols.count, default="")
    chosen = [test for test in tests.values() if str(test.summary.get("protocol")) == most]
    return {short(test): value for test in chosen if (value := _efficiency_of(test)) is not None}


def _percent(efficiency: float) -> str:
    """An efficiency in percent, to two digits of what is lost and a decimal at least.

    >>> _percent(0.99950), _percent(0.8953)
    ('99.950', '89.5')
    """
    lost = abs(PERCENT * (1.0 - efficiency))
    decimals = 1 - math.floor(math.log10(lost)) if lost > 0.0 else 1
    return f"{PERCENT * efficiency:.{min(max(decimals, 1), MOST_DECIMALS)}f}"


def _efficiency_of(test: Finding) -> float | None:
    """The efficiency of a test that strips all that it can: the median of its cycles, or that of a reservoir."""
    results = test.summary["results"]
    if test.summary["kind"] not in HOST_KINDS:
        return None
    found: float | None = (results.get("efficiency") or {}).get("median_efficiency")
    return found if found is not None else (results.get("reservoir") or {}).get("efficiency")


# ---- one cycle


def _voltages(tests: Sequence[Finding], beside: Mapping[str, list[Finding]]) -> Sketch | None:
    held, marks = [], 0
    for panel, kinds in (("lithium against lithium", HOST_KINDS), ("full cells", FULL_KINDS)):
        for place, test in enumerate(_chosen([test for test in tests if test.summary["kind"] in kinds], beside)):
            for one in (test, *beside.get(test.name, ())):
                curves = _curve(one)
                if curves is not None:
                    marks += one is not test
                    what = "measured" if one is not test else "simulated"
                    held.append(curves.with_columns(panel=pl.lit(panel), place=pl.lit(place), what=pl.lit(what)))
    if not held:
        return None
    data = pl.concat(held)
    panels = data["panel"].unique(maintain_order=True).to_list()
    caption = (
        "One cycle from the middle of each test: voltage against the charge passed in each branch."
        + (
            " Voltages beyond the axis, where a branch begins or ends, are cut off."
            if panels[0] != "full cells"
            else ""
        )
        + (" Dashed: measured." if marks else "")
    )
    return Sketch(
        "4-voltage-cycle",
        "One cycle",
        caption,
        data,
        lambda canvas: _paint_voltages(canvas, data, panels),
        PANEL_IN * len(panels),
    )


def _chosen(tests: Sequence[Finding], beside: Mapping[str, list[Finding]]) -> list[Finding]:
    """A few tests: those with a record beside them, then those of one protocol that lie farthest apart."""
    able = [test for test in tests if _curve(test) is not None]
    families: dict[str, list[Finding]] = {}
    for test in able:
        families.setdefault(str(test.summary.get("protocol")), []).append(test)

    def worth(family: Sequence[Finding]) -> tuple[int, bool, int]:
        n_cycles = max(test.summary["cycles"] or 0 for test in family)
        is_stripped = family[0].summary["kind"] == "efficiency"
        return sum(test.name in beside for test in family), is_stripped and len(family) > 1, n_cycles

    ranked = sorted(families.values(), key=worth, reverse=True)
    first = [test for test in able if test.name in beside]
    most = ranked[0] if ranked and (len(ranked[0]) > 1 or len(ranked) == 1) else [f[0] for f in ranked]
    return list({test.name: test for test in (*first, *most)}.values())[:MOST_CURVES]


def _curve(finding: Finding) -> pl.DataFrame | None:
    """Both branches of the middle one of the cycles whose curves are kept."""
    area_cm2 = finding.summary.get("area_cm2")
    profiles = known(finding.tables.get("profiles"), "capacity_mAh", "voltage_V")
    if not profiles.height or not area_cm2:
        return None
    both = profiles.group_by("cycle").agg(pl.col("branch").n_unique()).filter(pl.col("branch") == 2)["cycle"].sort()
    if not both.len():
        return None
    cycle = both[both.len() // 2]
    return profiles.filter(pl.col("cycle") == cycle).select(
        pl.lit(short(finding)).alias("test"),
        pl.col("cycle").cast(pl.Int64),
        "branch",
        (pl.col("capacity_mAh") / area_cm2).alias("charge_mAh_per_cm2"),
        "voltage_V",
    )


def _paint_voltages(canvas: Axes, data: pl.DataFrame, panels: Sequence[str]) -> None:
    for axes, panel in zip(canvas.subplots(len(panels), 1, squeeze=False)[:, 0], panels, strict=True):
        part = data.filter(pl.col("panel") == panel)
        factor = 1.0 if panel == "full cells" else MV_PER_V
        axes.set_ylabel("Cell voltage (V)" if panel == "full cells" else "Voltage (mV)")
        levels = []
        for (test, cycle, branch, place, what), one in part.group_by(
            ("test", "cycle", "branch", "place", "what"), maintain_order=True
        ):
            voltage = one["voltage_V"].to_numpy() * factor
            charge = one["charge_mAh_per_cm2"].to_numpy()
            levels.append(abs(float(np.interp(charge[-1] / 2.0, charge, voltage))))
            style: dict[str, Any] = {"color": _colour(place, what), "lw": 1.4}
            if what == "measured":
                style |= {"ls": MEASURED_STYLE, "lw": 1.1}
            words = f"{drawable(str(test))}, {'' if what == 'simulated' else 'measured, '}cycle {cycle}"
            axes.plot(charge, voltage, label=words if branch == "strip" else None, **style)
        if panel != "full cells":
            axes.axhline(0.0, color=GREY, lw=0.7)
            axes.set_ylim(-LEVELS_SHOWN * max(levels), LEVELS_SHOWN * max(levels))
        axes.set_xlim(0.0, None)
        axes.set_xlabel("Charge passed in the branch (mAh/cm2)")


def _colour(place: Any, what: Any) -> tuple[float, ...]:
    """The colour of a test; of a measured record beside it, the same but darker."""
    colour = COLOURS[int(place)].removeprefix("#")
    share = DARKER if what == "measured" else 1.0
    return tuple(share * int(colour[at : at + 2], 16) / 255.0 for at in (0, 2, 4))


# ---- each cycle


def _efficiencies(tests: Sequence[Finding], beside: Mapping[str, list[Finding]]) -> Sketch | None:
    able = [test for test in tests if test.summary["kind"] in HOST_KINDS and _cycles(test).height > 1]
    able.sort(key=lambda test: (test.name not in beside, -(test.summary["cycles"] or 0)))
    shown = able[:MOST_LINES]
    if not shown:
        return None
    held = [
        _cycles(one).with_columns(
            test=pl.lit(short(one)),
            place=pl.lit(place),
            what=pl.lit("measured" if one is not test else "fitted" if is_fitted(test) else "simulated"),
        )
        for place, test in enumerate(shown)
        for one in (test, *beside.get(test.name, ()))
        if _cycles(one).height
    ]
    data = pl.concat(held)
    left = len(able) - len(shown)
    caption = "Coulombic efficiency of each cycle, on the axis of what is lost." + (
        f" The {len(shown)} longest tests; {left} more are in the tables." if left else ""
    )
    n_none = data.filter(pl.col("loss") < LEAST_LOSS).height
    caption += f" At the upper edge: {n_none} cycles with a loss below {LEAST_LOSS:g}." if n_none else ""
    return Sketch(
        "4-voltage-efficiency",
        "What comes back in each cycle",
        caption,
        data,
        lambda c: _paint_losses(c, data),
        PANEL_IN,
    )


def _cycles(finding: Finding) -> pl.DataFrame:
    """Cycles that have an efficiency, with what is lost in each."""
    table = known(finding.tables.get("cycles"), "cycle", "efficiency")
    return table.select(
        pl.col("cycle").cast(pl.Int64),
        pl.col("efficiency").cast(pl.Float64),
        (1.0 - pl.col("efficiency")).alias("loss"),
    )


def _paint_losses(canvas: Axes, data: pl.DataFrame) -> None:
    axes = canvas.subplots()
    for (test, place, what), one in data.group_by(("test", "place", "what"), maintain_order=True):
        losses: Floats = np.maximum(one["loss"].to_numpy(), LEAST_LOSS)
        axes.plot(
            one["cycle"],
            losses,
            "x" if what == "measured" else "-",
            color=_colour(place, what),
            lw=1.4,
            ms=3,
            mew=0.7,
            label=drawable(f"{test}{'' if what == 'simulated' else f', {what}'}"),
        )
    seen = np.maximum(data["loss"].to_numpy(), LEAST_LOSS)
    low, high = float(seen.min()) / 1.6, min(float(seen.max()) * 1.6, 1.0)
    axes.set_yscale("log")
    axes.set_ylim(high, min(low, high / 10.0))
    ticks = [loss for loss in TICKS if min(low, high / 10.0) <= loss <= high]
    axes.set_yticks(ticks, [f"{PERCENT * (1.0 - loss):.6g} %" for loss in ticks])
    axes.set_yticks([], minor=True)
    only_whole(axes, data["cycle"])
    axes.set_xlabel("Cycle")
    axes.set_ylabel("Coulombic efficiency")
