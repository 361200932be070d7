"""Picture 5: where the lithium went, of every test at its end, and of one test from cycle to cycle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from interlith.findings import Finding, Findings
from interlith.report.ledger_plots import FULL, LAYERS, SEEN_mAh_PER_CM2
from interlith.report.sketch import GREY, INK, PALE, Axes, Sketch, drawable, only_whole
from interlith.report.story_picture import Picture, is_fitted, marks_of, sample_kinds, short, simulated_of
from interlith.report.wording import number

LOST = ("dead_pores", "dead_top", "sei", "converted", "positive_stranded")
STILL_THERE = ("alloyed", "active_pores", "active_top")
PLACES = {  # in words, for sentences
    "dead_pores": "dead in the pores",
    "dead_top": "dead on top",
    "sei": "in the SEI",
    "converted": "bound by the oxide",
    "positive_stranded": "stranded in the positive",
}
GROUPS = {  # kind of test -> heading, in their order
    "efficiency": "half cells",
    "reservoir": "Aurbach tests",
    "symmetric": "symmetric cells",
    "full": "full cells",
    "anode-free": "full cells",
}
OTHER = "others"
ROW_IN, WIDE_IN, BAR = 0.215, 8.4, 0.72  # BAR: height of a bar as a part of its row
MOST_TESTS, MOST_ROWS = 60, 400
PERCENT, LEAST_SHOWN = 100.0, 1e-4  # LEAST_SHOWN: of the width or height of the axes
LONGEST = 22  # letters of a name in a title
REVIVED_FROM = 1e-4  # mAh/cm2: below it nothing was revived


def ledger_picture(findings: Findings) -> Picture | None:
    """The account of lithium at the end of each test, and of one over its cycles; None without a test that plated."""
    tests = [test for test in simulated_of(findings) if test.summary.get("ledger") and _taken(test) > 0.0]
    if not tests:
        return None
    made = [_ends(tests), *(_course(test, words) for test, words in _followed(tests))]
    says = [
        "Lost for good: metal that lost contact (dead), in the pores or on top; lithium bound in the film that the "
        "electrolyte grows on it (SEI); lithium that the oxide keeps, once and for all (converted): most of it where "
        "little else is lost. Alloyed and active lithium is still there to be used. Every "
        "account closes: what is plated is somewhere.",
        "Left: what was lost for good, of each 100 mAh that went in (plated, or bound by the oxide); a diamond marks "
        "what had died and came back (revived). Right: where the lithium is that the test leaves on the host, foil not "
        "counted.",
    ]
    if any(is_fitted(test) for test in tests):
        says.append("Tests called fitted had their isolation or revival fitted to their own efficiency.")
    kinds = sample_kinds(tests)
    return Picture("5-ledger", _heading(tests), tuple(says), kinds, marks_of(kinds, "simulated"), tuple(made))


def _taken(test: Finding) -> float:
    """All lithium that went in: plated, or bound by the oxide before anything was."""
    return float(test.summary.get("plated_in_all_mAh_per_cm2") or 0.0) + max(test.summary["ledger"]["converted"], 0.0)


def _lost_percent(test: Finding) -> float:
    """What was lost for good of each 100 mAh that went in."""
    ledger = test.summary["ledger"]
    return PERCENT * sum(max(ledger[name], 0.0) for name in LOST) / _taken(test)


def _group(test: Finding) -> str:
    return GROUPS.get(test.summary["kind"], OTHER)


def _heading(tests: Sequence[Finding]) -> str:
    cycled = [test for test in tests if _group(test) != OTHER] or list(tests)
    worst, best = (choose(cycled, key=_lost_percent) for choose in (max, min))
    ledger = worst.summary["ledger"]
    main = max(LOST, key=lambda name: ledger[name])
    loss = number(_lost_percent(worst), 2)
    said = f"Of 100 mAh that went in, {short(worst)} loses {loss}, the largest part of it {PLACES[main]}"
    if best is not worst:
        said += f"; {short(best)} loses {number(_lost_percent(best), 2)}"
    revived = max(tests, key=lambda test: test.summary["ledger"]["revived"] / _taken(test))
    share = PERCENT * revived.summary["ledger"]["revived"] / _taken(revived)
    if revived.summary["ledger"]["revived"] > REVIVED_FROM:
        said += f"; in {short(revived)} {number(share, 2)} had died and came back, as its parameters have it"
    return said


# ---- the end of each test


def _ends(tests: Sequence[Finding]) -> Sketch:
    order = list(dict.fromkeys((*GROUPS.values(), OTHER)))
    ranked = sorted(tests, key=lambda test: order.index(_group(test)))[:MOST_TESTS]
    data = pl.DataFrame([_end(test) for test in ranked])
    caption = (
        "Simulated. Left: lost for good, percent of what went in; an arrow: the bar goes on to the number at its "
        "end. Right: shares of what lies on the host at the end, and how much that is in mAh/cm2."
    ) + (f" The first {MOST_TESTS} of {len(tests)} tests." if len(tests) > MOST_TESTS else "")
    n_rows = data.height + data["group"].n_unique()
    height = 0.75 + ROW_IN * n_rows
    return Sketch(
        "5-ledger-ends",
        "Where the lithium went",
        caption,
        data,
        lambda canvas: _paint_ends(canvas, data),
        height,
        WIDE_IN,
    )


def _end(test: Finding) -> dict[str, Any]:
    ledger, taken = test.summary["ledger"], _taken(test)
    there = {name: max(ledger[name], 0.0) for name in (*LOST, *STILL_THERE)}
    total = sum(there.values())
    return {
        "group": _group(test),
        "test": short(test) + (", fitted" if is_fitted(test) else ""),
        "taken_mAh_per_cm2": taken,
        **{f"{name}_percent_of_taken": PERCENT * there[name] / taken for name in LOST},
        "revived_percent_of_taken": PERCENT * max(ledger["revived"], 0.0) / taken,
        "there_mAh_per_cm2": total,
        **{f"{name}_percent_there": PERCENT * there[name] / total if total else 0.0 for name in there},
    }


def _paint_ends(canvas: Axes, data: pl.DataFrame) -> None:
    left, right = canvas.subplots(1, 2, sharey=True, width_ratios=(1.15, 1.0))
    places, heads = _layout(data)
    edge = _edge(data)
    _stack(left, data, places, LOST, "percent_of_taken", edge)
    _stack(right, data, places, (*LOST, *STILL_THERE), "percent_there", PERCENT)
    for place, row in zip(places, data.iter_rows(named=True), strict=True):
        _paint_lost(left, row, place, edge)
        _beside(right, place, number(row["there_mAh_per_cm2"], 3), INK)
    _beside(right, -0.9, "mAh/cm2", GREY)
    names = dict(zip(places, data["test"], strict=True)) | heads
    left.set_yticks(sorted(names), [drawable(str(names[place])) for place in sorted(names)], fontsize=7)
    for place, words in zip(sorted(names), left.get_yticklabels(), strict=True):
        words.set_fontweight("bold" if place in heads else "normal")
    left.set_ylim(max(places) + 0.6, -0.6)
    left.set_xlabel("Lost for good (% of all that went in)")
    right.set_xlabel("On the host at the end (%)")
    for axes in (left, right):
        axes.tick_params(axis="y", length=0)
        axes.grid(visible=False, axis="y")


def _layout(data: pl.DataFrame) -> tuple[list[int], dict[int, str]]:
    """Rows of the tests, with one left free above each group for its heading."""
    places: list[int] = []
    heads: dict[int, str] = {}
    for group in data["group"]:
        if group not in heads.values():
            heads[len(places) + len(heads)] = str(group)
        places.append(len(places) + len(heads))
    return places, heads


def _stack(
    axes: Axes, data: pl.DataFrame, places: Sequence[int], names: Sequence[str], ending: str, edge: float
) -> None:
    """A bar for each test, the entries one behind the other, cut at the edge."""
    from matplotlib.collections import PolyCollection

    at = np.zeros(data.height)
    for name in names:
        widths = data[f"{name}_{ending}"].to_numpy()
        words, colour = FULL[name]
        shown = np.minimum(widths, np.maximum(edge - at, 0.0))
        if shown.max() > LEAST_SHOWN * edge:  # one collection for all bars of an entry: a patch for each takes a second
            bars = [_box(x, x + width, y) for x, width, y in zip(at, shown, places, strict=True) if width > 0.0]
            axes.add_collection(PolyCollection(bars, facecolors=colour, edgecolors="none", label=words))
        at = at + widths
    axes.set_xlim(0.0, edge)


def _box(low: float, high: float, place: float) -> list[tuple[float, float]]:
    """Corners of a bar."""
    top, bottom = place - BAR / 2.0, place + BAR / 2.0
    return [(low, top), (high, top), (high, bottom), (low, bottom)]


def _beside(axes: Axes, place: float, text: str, colour: str) -> None:
    """A word right of the axes."""
    axes.text(1.015, place, text, transform=axes.get_yaxis_transform(), va="center", fontsize=7, color=colour)


def _edge(data: pl.DataFrame) -> float:
    """How far the axis goes: as far as the longest bar of a test that cycles, with room for its number."""
    cycled = data.filter(pl.col("group") != OTHER)
    shown = cycled if cycled.height else data
    lost = shown.select(pl.sum_horizontal(f"{name}_percent_of_taken" for name in LOST)).max().item()
    return 1.28 * max(float(lost), float(shown["revived_percent_of_taken"].max()), 1e-6)  # type: ignore[arg-type]


def _paint_lost(axes: Axes, row: Mapping[str, Any], place: int, edge: float) -> None:
    from matplotlib.transforms import offset_copy

    at = sum(row[f"{name}_percent_of_taken"] for name in LOST)
    revived = row["revived_percent_of_taken"]
    is_revived = revived * row["taken_mAh_per_cm2"] / PERCENT > REVIVED_FROM
    if is_revived:
        axes.hlines(place, at, revived, color=INK, lw=0.6, ls=":")
        axes.plot(revived, place, "D", ms=5, mec=INK, mfc="white", mew=1.1, label="revived", zorder=4)
    text = f"{number(at, 2)} %"
    is_cut = at > edge * 0.9
    x = edge if is_cut else max(at, revived if is_revived else 0.0)
    axes.text(
        x,
        place,
        f"→ {text}" if is_cut else f"{text}, {number(revived, 2)} % revived" if is_revived else text,
        transform=offset_copy(axes.transData, axes.figure, x=-3 if is_cut else 8 if is_revived else 4, units="points"),
        ha="right" if is_cut else "left",
        va="center",
        fontsize=7,
        color="white" if is_cut else INK,
    )


# ---- one test, cycle by cycle


def _followed(tests: Sequence[Finding]) -> list[tuple[Finding, str]]:
    """The test that lost most, and the one that revived most, of half cells: what stays there after stripping is lost.

    Of other tests where there is no half cell; none where no test has more than two cycles.
    """
    able = [test for test in tests if "ledger" in test.tables and test.tables["ledger"].height > 2]
    if not able:
        return []
    ranked = sorted(
        able, key=lambda test: list(GROUPS).index(test.summary["kind"]) if test.summary["kind"] in GROUPS else 9
    )
    held = [test for test in able if test.summary["kind"] == ranked[0].summary["kind"]]
    found = [(max(held, key=_lost_percent), "which loses most of its kind")]
    revived = max(held, key=_revived)
    if _revived(revived) > REVIVED_FROM and revived is not found[0][0]:
        found.append((revived, "in which most was revived"))
    return found


def _revived(test: Finding) -> float:
    return float(test.summary["ledger"]["revived"])


def _course(test: Finding, words: str) -> Sketch:
    table = test.tables["ledger"]
    step = -(-table.height // MOST_ROWS)
    table = table.filter((pl.int_range(pl.len()) % step == 0) | (pl.int_range(pl.len()) == pl.len() - 1))
    most = {name: float(table[name].abs().max()) for name in ("positive_stranded", *LAYERS)}  # type: ignore[arg-type]
    shown = [name for name, value in most.items() if value > max(LEAST_SHOWN * max(most.values()), SEEN_mAh_PER_CM2)]
    revived = ["revived"] if float(table["revived"][-1]) > REVIVED_FROM else []
    data = table.select("cycle_count", *shown, *revived)
    residual = float(table["residual"].abs().max())  # type: ignore[arg-type]
    caption = (
        f"Simulated: {short(test)}, {words}, at the end of each cycle. The account closes within "
        f"{residual:.1g} mAh/cm2."
    ) + (" Line: revived so far, a flow and not part of the stack." if revived else "")
    name = short(test)
    title = f"Cycle by cycle: {name if len(name) <= LONGEST else name[: LONGEST - 1] + '…'}"
    return Sketch(
        f"5-ledger-{'revived' if 'revived' in words else 'course'}",
        drawable(title),
        caption,
        data,
        lambda c: _paint_course(c, data, shown),
        2.9,
    )


def _paint_course(canvas: Axes, data: pl.DataFrame, shown: Sequence[str]) -> None:
    axes = canvas.subplots()
    x = data["cycle_count"].to_numpy()
    heights = [np.maximum(data[name].to_numpy(), 0.0) for name in shown]
    words = [FULL[name] for name in shown]
    axes.stackplot(x, heights, labels=[text for text, _ in words], colors=[colour for _, colour in words], lw=0)
    if "revived" in data.columns:
        axes.plot(x, data["revived"], color=INK, lw=1.3, ls=(0, (4, 2)), label="revived so far")
    axes.set_ylim(0.0, None)
    only_whole(axes, data["cycle_count"])
    axes.set_xlim(float(x[0]), float(x[-1]))
    axes.axhline(0.0, color=PALE, lw=0.5)
    axes.set_xlabel("Cycle")
    axes.set_ylabel("Lithium (mAh/cm2)")
