"""Figures of a cell as built: what it weighs, its stack to scale, and what its energy rests on."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

import polars as pl

from interlith.findings import Finding
from interlith.report.sketch import (
    GREEN,
    GREY,
    INK,
    ORANGE,
    PALE,
    PLATE,
    PURPLE,
    Axes,
    Sketch,
    drawable,
    known,
    spread,
)
from interlith.report.wording import quantity

ALUMINIUM, COPPER, CARBON, POLYMER, STEEL, OTHER = "#AEB9C2", "#C8743A", "#3B3B3B", "#EFE3A0", "#8D99A6", "#6E6480"
PARTS: Mapping[str, str] = {  # by the whole name, else by its last word, else by its side
    "positive_foil": ALUMINIUM,
    "negative_foil": COPPER,
    "lithium": PURPLE,
    "plated": PURPLE,
    "host": CARBON,
    "separator": POLYMER,
    "electrolyte": GREEN,
    "laminate": GREY,
    "tabs": STEEL,
    "case": GREY,
    "tape": ORANGE,
    "spring": ORANGE,
    "spacers": STEEL,
    "positive": PLATE,
    "negative": OTHER,
}
OUTSIDE = ("laminate", "case", "spacers", "spring")  # of a stack: what no repeating unit holds
ROW_IN, WHOLE_CELL = 0.25, "whole cell"
LABEL_LEFT_FROM = 0.6  # of the whole mass: a label right of a bar that ends there would leave the axes
STACK_IN, STACK_LINE = 3.3, 0.055  # height of the drawing; of a line of its labels, as a part of that
CHARGED_AT = 5.2  # where the second pile begins, in widths of a pile
GROWN_um = 0.05
MOST_BARS, NAME_WIDTH, END_LETTERS = 12, 30, 14


def of_design(finding: Finding, name: str, *numbers: str) -> pl.DataFrame | None:
    """A table of a design with all of these numbers known in each row; None where there is no row."""
    if finding.summary.get("kind") != "design":
        return None
    table = known(finding.tables.get(name), *numbers)
    return table if table.height else None


def role_colour(part: str) -> str:
    """The colour of a part, by what it does.

    >>> role_colour("negative_lithium") == PURPLE, role_colour("positive_coating") == PLATE, role_colour("glue")
    (True, True, '#DDDDDD')
    """
    side, _, layer = part.partition("_")
    return next((PARTS[word] for word in (part, layer, side) if word in PARTS), PALE)


def masses(finding: Finding) -> Sketch | None:
    """The parts of a cell by mass, each beginning where the one above it ends."""
    table = of_design(finding, "masses", "mass_g", "share")
    if table is None:
        return None
    total_g = float(table["mass_g"].sum())
    steps = table.select(
        "part",
        (pl.col("mass_g").cum_sum() - pl.col("mass_g")).alias("from_g"),
        "mass_g",
        "share",
        "without_it_Wh_per_kg",
    )
    whole = (
        WHOLE_CELL,
        0.0,
        total_g,
        float(table["share"].sum()),
        finding.summary["specific_energy_Wh_per_kg"]["whole"],
    )
    data = pl.concat([steps, pl.DataFrame([whole], schema=steps.schema, orient="row")])
    caption = (
        f"Mass of every part, each beginning where the one above it ends; {total_g:.4g} g in all. On the right: the "
        "specific energy that the cell would have if the part weighed nothing; last, as it is."
    )
    height = 0.75 + ROW_IN * data.height
    return Sketch("masses", "What the cell weighs", caption, data, lambda canvas: _paint_masses(canvas, data), height)


def _paint_masses(canvas: Axes, data: pl.DataFrame) -> None:
    axes = canvas.subplots()
    total_g = data["mass_g"][-1]
    for place, (part, from_g, mass_g, share, without) in enumerate(data.iter_rows()):
        is_whole = part == WHOLE_CELL
        axes.barh(place, mass_g, left=from_g, height=0.72, color=INK if is_whole else role_colour(part))
        end_g = from_g + mass_g
        if not is_whole:
            axes.vlines(end_g, place + 0.36, place + 0.64, color=GREY, lw=0.7)
        inside, left = is_whole, end_g > LABEL_LEFT_FROM * total_g
        x = end_g if inside else from_g if left else end_g
        axes.annotate(
            f"{mass_g:.3g} g, {share:.1%}".replace("%", " %") if not is_whole else f"{mass_g:.4g} g",
            (x, place),
            xytext=(-4 if left else 4, 0),
            textcoords="offset points",
            ha="right" if left else "left",
            va="center",
            fontsize=7.5,
            color="white" if inside else INK,
        )
        text = "" if without is None else f"{without:.3g}"
        _beside(axes, text, place, weight="bold" if is_whole else "normal")
    _beside(axes, "Wh/kg\nwithout it", -0.95)
    axes.set_xlim(0, total_g)
    axes.set_ylim(data.height - 0.4, -0.6)
    axes.set_yticks(range(data.height), [drawable(str(part).replace("_", " ")) for part in data["part"]])
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("Mass (g)")


def _beside(axes: Axes, text: str, y: float, *, weight: str = "normal", colour: str = INK) -> None:
    """A word right of the axes, at a height of the data."""
    place = axes.get_yaxis_transform()
    axes.text(
        1.02, y, text, transform=place, va="center", fontsize=7.5, fontweight=weight, color=colour, linespacing=1.0
    )


def stack(finding: Finding) -> Sketch | None:
    """The stack to scale: all of it, and one repeating unit from its middle, as built and charged."""
    table = of_design(finding, "stack", "from_um", "thickness_um")
    if table is None:
        return None
    table = table.sort("order")
    unit = repeating_unit(table["part"].to_list())
    data = _views(table, unit)
    as_built_um, charged_um = (table[name].sum() for name in ("thickness_um", "charged_thickness_um"))
    grows = "unit, charged" in data["view"]
    caption = f"To scale: the whole stack, {table.height} layers, {as_built_um:.4g} um as built"
    caption += f" and {charged_um:.4g} um charged" if grows else ""
    caption += "; magnified, one facing pair from its middle with both foils" if "whole" in data["view"] else ""
    caption += ". Beside it the same charged, with what grew." if grows else "."
    return Sketch("stack", "The stack, to scale", caption, data, lambda canvas: _paint_stack(canvas, data), STACK_IN)


def repeating_unit(parts: Sequence[str]) -> slice:
    """Which layers make one unit: from the middle positive foil through a separator to the next negative one.

    Without a negative foil, to where the next separator begins or the stack ends. All layers without a positive foil.

    >>> repeating_unit(["negative_foil", "negative_host", "separator", "positive_coating", "positive_foil"])
    slice(0, 5, None)
    """
    foils = [place for place, part in enumerate(parts) if part == "positive_foil"]
    if not foils:
        return slice(0, len(parts))
    start = min(foils, key=lambda place: abs(2 * place - len(parts) + 1))
    up, down = parts[start:], parts[start::-1]
    length = _reach(up)
    if length:
        return slice(start, start + length)
    length = _reach(down) or len(down)
    return slice(start + 1 - length, start + 1)


def _reach(parts: Sequence[str]) -> int:
    """How many layers from a positive foil on make a unit; 0 where no negative follows."""
    negative = False
    for place, part in enumerate(parts):
        if part == "negative_foil":
            return place + 1
        if part in OUTSIDE or (negative and not part.startswith("negative")):
            return place if negative else 0
        negative = negative or part.startswith("negative")
    return len(parts) if negative else 0


def _views(table: pl.DataFrame, unit: slice) -> pl.DataFrame:
    """Every rectangle: of the whole stack where it is more than the unit, of the unit, of the unit where it grew."""
    part = table[unit]
    columns = ("view", "order", "part", "sheet", "from_um", "thickness_um", "grown_um")
    still, charged = pl.lit(None, pl.Float64), pl.col("charged_thickness_um")
    grown = charged - pl.col("thickness_um")
    views = [part.with_columns(view=pl.lit("unit"), from_um=pl.col("from_um") - part["from_um"][0], grown_um=still)]
    if part.height < table.height:
        views.insert(0, table.with_columns(view=pl.lit("whole"), grown_um=still))
    if part["charged_thickness_um"].null_count() == 0 and part.select(grown.abs().max()).item() > GROWN_um:
        from_um = charged.cum_sum() - charged
        views.append(
            part.with_columns(view=pl.lit("unit, charged"), from_um=from_um, thickness_um=charged, grown_um=grown)
        )
    return pl.concat([view.select(columns) for view in views])


def _paint_stack(canvas: Axes, data: pl.DataFrame) -> None:
    whole, unit, charged = (data.filter(pl.col("view") == view) for view in ("whole", "unit", "unit, charged"))
    top_um = max(_top(one) for one in (unit, charged) if one.height)
    if whole.height:
        left, right = canvas.subplots(1, 2, width_ratios=[1, 4.6])
        _paint_whole(left, whole, set(unit["part"]))
        right.set_axis_off()
        first, height = whole.filter(pl.col("order") == unit["order"][0])["from_um"][0], _top(unit)
        for in_whole, in_unit in ((first, 0.0), (first + height, height)):
            _zoom(canvas, left, right, in_whole, in_unit)
    else:
        right = canvas.subplots()
        _only_thickness(right)
    right.set_ylim(0, top_um * 1.06)
    right.set_xlim(-0.9 if whole.height else -0.4, 9.0)
    for layers, x, name in ((unit, 0.0, "as built"), (charged, CHARGED_AT, "charged")):
        if layers.height:
            _pile(right, layers, x)
            _labels(right, layers, x + 1.0)
            _text_above(right, x, _top(layers), f"{name}, {_top(layers):.4g} um")


def _paint_whole(axes: Axes, whole: pl.DataFrame, named_elsewhere: set[str]) -> None:
    parts = whole["part"].unique(maintain_order=True)
    _pile(axes, whole, 0.0, named=[part for part in parts if part not in named_elsewhere])
    axes.set_xlim(-0.15, 1.05)
    axes.set_ylim(0, _top(whole))
    _only_thickness(axes)


def _only_thickness(axes: Axes) -> None:
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    axes.grid(visible=False)
    axes.set_ylabel("Thickness (um)")


def _text_above(axes: Axes, x: float, y: float, text: str) -> None:
    axes.annotate(
        text, (x, y), xytext=(0, 2), textcoords="offset points", ha="left", va="bottom", fontsize=7.5, color=GREY
    )


def _top(layers: pl.DataFrame) -> float:
    return float(layers["from_um"][-1] + layers["thickness_um"][-1])


def _word(part: str, um: float, grown_um: float | None) -> str:
    """What stands beside a layer: its name and thickness; of the charged unit, the thickness where that changed."""
    if grown_um is None:
        return f"{part.replace('_', ' ')}, {um:.3g} um"
    return "" if abs(grown_um) < GROWN_um else f"{um:.3g} um ({grown_um:+.3g})"


def _pile(axes: Axes, layers: pl.DataFrame, x: float, named: Sequence[str] = ()) -> None:
    """Layers on top of each other; those in `named` get a place in the legend."""
    for part, from_um, um in layers.select("part", "from_um", "thickness_um").iter_rows():
        label = part.replace("_", " ") if part in named else None
        axes.bar(x, um, bottom=from_um, width=1.0, align="edge", color=role_colour(part), lw=0, label=label)


def _labels(axes: Axes, layers: pl.DataFrame, x: float) -> None:
    """Words beside layers, each at the middle of its own where there is room, else led to it."""
    rows = [
        (from_um + um / 2, _word(part, um, grown))
        for part, from_um, um, grown in layers.select("part", "from_um", "thickness_um", "grown_um").iter_rows()
    ]
    rows = [(y, text) for y, text in rows if text]
    top = axes.get_ylim()[1]
    for (y, text), at in zip(rows, spread([y for y, _ in rows], STACK_LINE * top, (0.0, top)), strict=True):
        axes.plot([x, x + 0.12, x + 0.28], [y, y, at], color=GREY, lw=0.6)
        axes.text(x + 0.34, at, drawable(text), va="center", fontsize=7.5, color=INK)


def _zoom(canvas: Axes, left: Axes, right: Axes, in_whole: float, in_unit: float) -> None:
    """A line from the whole stack to the same height in the magnified unit."""
    from matplotlib.patches import ConnectionPatch

    line = ConnectionPatch(
        (1.0, in_whole), (0.0, in_unit), left.transData, right.transData, color=GREY, lw=0.6, ls=(0, (4, 3))
    )
    line.set_in_layout(False)
    canvas.add_artist(line)


def _shown(text: str) -> str:
    """What stands at the end of a bar: not more than there is room for."""
    return drawable(text if len(text) <= END_LETTERS else text[: END_LETTERS - 1] + "…")


def _end(axes: Axes, text: str, x: float, y: float, *, right: bool) -> None:
    """A word at the end of a bar."""
    shift, side = (3, "left") if right else (-3, "right")
    axes.annotate(text, (x, y), xytext=(shift, 0), textcoords="offset points", ha=side, va="center", fontsize=7)


def tornado(finding: Finding) -> Sketch | None:
    """What the specific energy becomes at both ends of each uncertain value, the widest on top."""
    table = of_design(finding, "sensitivity", "Wh_per_kg_at_low", "Wh_per_kg_at_high")
    if table is None:
        return None
    base = float(finding.summary["specific_energy_Wh_per_kg"]["whole"])
    columns = ("name", "low", "high", "Wh_per_kg_at_low", "Wh_per_kg_at_high", "total_order")
    moves = table.filter((pl.col("Wh_per_kg_at_low") != base) | (pl.col("Wh_per_kg_at_high") != base))
    data = moves.head(MOST_BARS).select(*columns, pl.lit(base).alias("base_Wh_per_kg"))
    if not data.height:
        return None
    indexed = data["total_order"].null_count() < data.height
    caption = (
        f"Specific energy of the whole cell ({base:.4g} Wh/kg) at both ends of the range of each value, all others as "
        f"they are. The {data.height} widest of {table.height}."
        + (" On the right: share of the variance of all draws that the value has a part in." if indexed else "")
    )
    height = 0.75 + 0.28 * data.height
    paint = lambda canvas: _paint_tornado(canvas, data, indexed)  # noqa: E731
    return Sketch("sensitivity", "What the energy rests on", caption, data, paint, height)


def levers(finding: Finding) -> Sketch | None:
    """What each change alone brings to the specific energy, the largest gain on top."""
    table = of_design(finding, "levers", "gain_Wh_per_kg")
    if table is None:
        return None
    data = table.select("what", "now", "then", "gain_Wh_per_kg", "against")
    base = float(finding.summary["specific_energy_Wh_per_kg"]["whole"])
    caption = (
        f"Specific energy that each change alone brings to {base:.4g} Wh/kg, all else as it is; they do not simply "
        "add. Pale: a bound stands against it, which is named in the table."
    )
    paint = lambda canvas: _paint_levers(canvas, data)  # noqa: E731
    return Sketch("levers", "What one change brings", caption, data, paint, 0.7 + 0.28 * data.height)


def _paint_levers(canvas: Axes, data: pl.DataFrame) -> None:
    axes = canvas.subplots()
    for place, (_, now, then, gain, against) in enumerate(data.iter_rows()):
        axes.barh(place, gain, height=0.66, color=PALE if against else GREEN)
        text = f"{drawable(str(now))} → {drawable(str(then))}: {gain:+.1f}"
        _end(axes, text, max(gain, 0.0), place, right=True)
    gains = data["gain_Wh_per_kg"].to_list()
    low, high = min(*gains, 0.0), max(*gains, 0.0)
    axes.set_xlim(low * 1.05, high + 0.6 * (high - low))
    axes.axvline(0.0, color=INK, lw=0.8)
    axes.set_ylim(data.height - 0.4, -0.6)
    names = [textwrap.fill(drawable(str(name)), NAME_WIDTH) for name in data["what"]]
    axes.set_yticks(range(data.height), names, fontsize=7)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("Gain in specific energy (Wh/kg)")


def _paint_tornado(canvas: Axes, data: pl.DataFrame, indexed: bool) -> None:
    axes = canvas.subplots()
    base = data["base_Wh_per_kg"][0]
    ends = [value for name in ("Wh_per_kg_at_low", "Wh_per_kg_at_high") for value in data[name]]
    low, high = min(*ends, base), max(*ends, base)
    for place, (_, low_text, high_text, at_low, at_high, total, _) in enumerate(data.iter_rows()):
        sides = ((at_low, low_text, ORANGE, "at its low end"), (at_high, high_text, PLATE, "at its high end"))
        for (value, text, colour, label), (other, *_) in zip(sides, sides[::-1], strict=True):
            inner = (value - base) * (other - base) > 0 and abs(value - base) < abs(other - base)
            axes.barh(
                place,
                value - base,
                left=base,
                height=0.33 if inner else 0.66,
                color=colour,
                label=label if place == 0 else None,
                zorder=3 if inner else 2,
            )
            free = inner or value == base  # its word stands on the side that the other end leaves free
            at, right = (base, other < base) if free else (value, value > base)
            _end(axes, _shown(str(text)), at, place, right=right)
        if indexed:
            _beside(axes, "" if total is None else f"{total:.2f}", place)
    if indexed:
        _beside(axes, "share of\nvariance", -1.0, colour=GREY)
    axes.axvline(base, color=INK, lw=0.8)
    longest = max(len(_shown(str(text))) for name in ("low", "high") for text in data[name])
    room = (high - low) * min(0.1 + 0.022 * longest, 0.45) or 1.0
    axes.set_xlim(low - room, high + room)
    axes.set_ylim(data.height - 0.4, -0.6)
    names = [textwrap.fill(drawable(quantity(str(name))), NAME_WIDTH) for name in data["name"]]
    axes.set_yticks(range(data.height), names, fontsize=7)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("Specific energy of the whole cell (Wh/kg)")
