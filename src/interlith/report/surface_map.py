"""Maps of faces: each seen from above, with its atoms, the sites of lithium and the hops between them."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
import polars as pl

from interlith.findings import Finding, safe_name
from interlith.report.sketch import GREY, INK, Axes, Floats, Sketch, drawable
from interlith.report.surface_words import BINDING, NOT_RANKED, Row, interval, marked, rows_of
from interlith.report.wording import plus_minus

ELEMENTS: Mapping[str, str] = {  # nearly as chemists paint them
    "H": "#BFBFBF", "Li": "#B98AD9", "Be": "#9CCB3C", "B": "#E8A898", "C": "#707070", "N": "#5B76D8", "O": "#E2665C",
    "F": "#6FBF4B", "Na": "#9A6FD0", "Mg": "#5FA83A", "Al": "#B09C9C", "Si": "#D9B48A", "P": "#E58A2E", "S": "#D9C02E",
    "Cl": "#4FB84F", "K": "#8A5FC0", "Ca": "#5FA85F", "Ti": "#A8A8AE", "V": "#9A9AA8", "Cr": "#8490B8", "Mn": "#9478B8",
    "Fe": "#D07A4A", "Co": "#D88090", "Ni": "#6FAF6F", "Cu": "#C08048", "Zn": "#7D80B0", "Ge": "#7A9A9A",
    "Zr": "#88B8B8", "Ag": "#A8A8A8", "Cd": "#C8B878", "In": "#A87878", "Sn": "#7A8C8C", "Sb": "#9A6AA8",
    "Au": "#D8B020", "Pb": "#5A5F66", "Bi": "#945FA8",
}  # fmt: skip
OTHER = "#9A9A9A"
SHOWN_DEPTH_A, ATOM_SIZE, PALEST = 5.0, 0.6, 0.86
MARGIN_A = 1.3  # beyond the edges of the cell of the slab
CELLS = tuple(product(range(-4, 5), repeat=2))
WIDTH_IN, MOST_HEIGHT_IN, POINTS_PER_IN = 5.2, 3.4, 72
SITE_A, BEST_A = 0.17, 0.25  # radii
WIDEST_pt, THINNEST_pt = 2.6, 0.9
HIGHEST = 2.0  # times the barrier: hops above it are all of one colour
BARS_A = (1, 2, 5, 10, 20, 50)
LONGEST_TITLE, LONGEST_REASON = 30, 44
NAMES_AT_A, NAME_ROOM_A = (0.42, 0.75, 1.1, 1.5), 0.42  # how far from its site a number stands, and from all others
SCHEMA = {
    "model": pl.String,
    "what": pl.String,
    "element": pl.String,
    "site": pl.Int64,
    **dict.fromkeys(("x_A", "y_A", "x2_A", "y2_A", "depth_A", "radius_A", "energy_eV"), pl.Float64),
    **dict.fromkeys(("is_converged", "is_on_the_way"), pl.Boolean),
}
Window = tuple[float, float, float, float]  # left, right, bottom, top, A


def maps(finding: Finding) -> list[Sketch]:
    """A map of each face of which something is known, its models side by side."""
    found = []
    for place, row in enumerate(rows_of(finding), start=1):
        views = {one["model"]: _view(finding, row["key"], one) for one in row["models"]}
        data = pl.concat([part for part in views.values() if part is not None] or [pl.DataFrame(schema=SCHEMA)])
        if data.height:
            found.append(_map(row, place, data))
    return found


def _map(row: Row, place: int, data: pl.DataFrame) -> Sketch:
    caption = (
        f"From above, atoms down to {SHOWN_DEPTH_A:g} Å, the paler the deeper. Circles: sites of {row['adsorbate']} by "
        "number, the best filled; lines: hops, wide where easy, dashed where the path did not converge, dotted where "
        "it is not known; over black: the best way. Colour: energy above the best site. Grey: the cell of the slab, "
        "which repeats; dotted: of the surface."
    )
    caption += f" {NOT_RANKED} Not ranked: {why}." if (why := row["not_ranked"]) else ""
    title = marked(row) if len(row["key"]) <= LONGEST_TITLE else row["key"][: LONGEST_TITLE - 1] + "…"
    name = f"map-{place}-{safe_name(row['key'])}"
    panels = [_size_in(row, data, one["model"]) for one in row["models"]]
    n_rows = math.ceil(len(panels) / 2)
    height = n_rows * (max(panels) + 0.45) + 0.5
    return Sketch(name, drawable(title), caption, data, lambda c: _paint(c, row, data), height)


def _view(finding: Finding, key: str, one: Row) -> pl.DataFrame | None:
    """All that is drawn of one model, repeated over the window; None where it has no slab."""
    cell = one["slab_cell_A"]
    atoms = _part(finding, "map-atoms", key, one["model"])
    if cell is None or not atoms.height:
        return None
    plane = np.array(cell)[:2, :2]
    window = window_of(plane)
    best = one[BINDING]
    above = {site["site"]: best - site[BINDING] for site in one["sites"]}
    top = float(atoms["z_A"].max())  # type: ignore[arg-type]
    atoms = atoms.with_columns(depth_A=top - pl.col("z_A")).filter(pl.col("depth_A") < SHOWN_DEPTH_A)
    nodes = _part(finding, "map-nodes", key, one["model"])
    hops = _part(finding, "map-hops", key, one["model"])
    parts = [atoms.with_columns(what=pl.lit("atom"))]
    if nodes.height:
        energies = pl.col("site").replace_strict(above, return_dtype=pl.Float64)
        parts.append(nodes.with_columns(what=pl.lit("site"), energy_eV=energies))
    if hops.height:
        parts.append(
            hops.rename({"x1_A": "x_A", "y1_A": "y_A", "saddle_eV": "energy_eV"}).with_columns(what=pl.lit("hop"))
        )
    whole = pl.concat([pl.DataFrame(schema=SCHEMA), *(_fitted(part) for part in parts)])
    return pl.concat([_repeated(whole, plane, shift, window) for shift in CELLS]).sort(
        "what", pl.col("depth_A") * -1.0, maintain_order=True
    )


def _part(finding: Finding, table: str, key: str, model: str) -> pl.DataFrame:
    held = finding.tables.get(table)
    return pl.DataFrame() if held is None else held.filter((pl.col("key") == key) & (pl.col("model") == model))


def _fitted(part: pl.DataFrame) -> pl.DataFrame:
    """The columns of the map, those that a part has not being empty."""
    columns = [pl.col(name) if name in part.columns else pl.lit(None).alias(name) for name in SCHEMA]
    return part.select(column.cast(kind) for column, kind in zip(columns, SCHEMA.values(), strict=True))


def window_of(plane: Floats) -> Window:
    """What is shown: the cell, float[2, 2] with vectors as rows, and a little beyond its edges.

    >>> window_of(np.array([[6.0, 0.0], [-3.0, 5.0]]))
    (-4.3, 7.3, -1.3, 6.3)
    """
    corners = np.array([[0, 0], [1, 0], [0, 1], [1, 1]]) @ plane
    (left, bottom), (right, top) = corners.min(axis=0) - MARGIN_A, corners.max(axis=0) + MARGIN_A
    return float(left), float(right), float(bottom), float(top)


def _repeated(part: pl.DataFrame, plane: Floats, shift: tuple[int, ...], window: Window) -> pl.DataFrame:
    """Moved by whole cells; only what reaches into the window."""
    dx, dy = (float(value) for value in np.array(shift) @ plane)
    moved = part.with_columns(*(pl.col(n) + dx for n in ("x_A", "x2_A")), *(pl.col(n) + dy for n in ("y_A", "y2_A")))
    left, right, bottom, top = window
    room = pl.col("radius_A").fill_null(SITE_A) * ATOM_SIZE
    seen = [
        pl.min_horizontal("x_A", "x2_A") - room < right,
        pl.max_horizontal("x_A", "x2_A") + room > left,
        pl.min_horizontal("y_A", "y2_A") - room < top,
        pl.max_horizontal("y_A", "y2_A") + room > bottom,
    ]
    return moved.filter(*seen)


def _size_in(row: Row, data: pl.DataFrame, model: str) -> float:
    """How high a panel is, at the width that it has."""
    one = next(held for held in row["models"] if held["model"] == model)
    if one["slab_cell_A"] is None or model not in data["model"]:
        return 1.0
    left, right, bottom, top = window_of(np.array(one["slab_cell_A"])[:2, :2])
    return min(_width_in(row) * (top - bottom) / (right - left), MOST_HEIGHT_IN)


def _width_in(row: Row) -> float:
    return WIDTH_IN / min(len(row["models"]), 2)


def _paint(canvas: Axes, row: Row, data: pl.DataFrame) -> None:
    n_columns = min(len(row["models"]), 2)
    grid = canvas.subplots(math.ceil(len(row["models"]) / n_columns), n_columns, squeeze=False)
    scale = _scale(row, data)
    drawn = []
    for place, axes in enumerate(grid.flat):
        axes.axis("off")
        if place >= len(row["models"]):
            continue
        one = row["models"][place]
        axes.set_title(_told(one), fontsize=7.5, loc="left", color=INK, pad=3)
        part = data.filter(pl.col("model") == one["model"])
        if part.height:
            _paint_view(axes, one, part, scale, _size_in(row, data, one["model"]))
            drawn.append(axes)
        else:
            why = textwrap.fill(drawable(one["refused"] or "no slab"), 40)
            axes.text(0.0, 0.9, why, transform=axes.transAxes, va="top", fontsize=7.5, color=GREY)
    _legend(drawn[0], sorted(set(data["element"].drop_nulls())))
    beyond = "max" if (data["energy_eV"].max() or 0.0) > scale.norm.vmax else "neither"
    bar = canvas.colorbar(scale, ax=list(grid.flat), location="bottom", shrink=0.6, aspect=32, pad=0.03, extend=beyond)
    bar.set_label("Energy above the best site (eV)", fontsize=8)
    bar.outline.set_linewidth(0.5)


def _told(one: Row) -> str:
    """The model, and below it what it says of the face."""
    if one[BINDING] is None:
        said = textwrap.shorten(one["refused"] or "no site is known", LONGEST_REASON, placeholder=" …")
    else:
        barrier = interval(one["barrier_low_eV"], one["barrier_high_eV"])
        said = f"binding {plus_minus(one[BINDING], None)} eV, barrier {barrier}"
    return f"{drawable(one['model'])}\n{drawable(said)}"


def _scale(row: Row, data: pl.DataFrame) -> Any:
    """Colours of energies: dark blue at the best site; above twice the barrier all alike."""
    from matplotlib import colormaps
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import LinearSegmentedColormap, Normalize

    known = data["energy_eV"].drop_nulls()
    barriers = [one["barrier_high_eV"] for one in row["models"] if one["barrier_high_eV"] is not None]
    highest = float(known.max()) if known.len() else 0.0  # type: ignore[arg-type]
    most = max(min(highest, HIGHEST * max(barriers)) if barriers else highest, 0.01)
    colours = LinearSegmentedColormap.from_list(
        "plasma without its palest", colormaps["plasma"](np.linspace(0, 0.8, 64))
    )
    return ScalarMappable(Normalize(0.0, most), colours)


def _paint_view(axes: Axes, one: Row, part: pl.DataFrame, scale: Any, height_in: float) -> None:
    plane = np.array(one["slab_cell_A"])[:2, :2]
    left, right, bottom, top = window_of(plane)
    per_A = height_in * POINTS_PER_IN / (top - bottom)
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)
    axes.set_aspect("equal")
    _paint_atoms(axes, part.filter(pl.col("what") == "atom"))
    small = plane / np.array(one["repeat"])[:, None]
    for vectors, style in ((small, ":"), (plane, "-")):
        corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]) @ vectors
        axes.plot(*corners.T, style, color=GREY, lw=0.9, zorder=3)
    _paint_hops(axes, part.filter(pl.col("what") == "hop"), scale)
    _paint_sites(axes, part.filter(pl.col("what") == "site"), scale, per_A)
    _bar(axes, (left, right, bottom, top))


def _paint_atoms(axes: Axes, atoms: pl.DataFrame) -> None:
    """Circles, the deepest first; each mixed with the more white the deeper it lies."""
    from matplotlib.patches import Circle

    for element, x, y, depth, radius in atoms.select("element", "x_A", "y_A", "depth_A", "radius_A").iter_rows():
        white = 0.35 + (PALEST - 0.35) * depth / SHOWN_DEPTH_A
        face, edge = (_paled(ELEMENTS.get(element, OTHER), share) for share in (white, white * 0.7))
        axes.add_patch(Circle((x, y), radius * ATOM_SIZE, facecolor=face, edgecolor=edge, lw=0.6, zorder=2))


def _paled(colour: str, white: float) -> str:
    """A colour mixed with white.

    >>> _paled("#000000", 0.5)
    '#808080'
    """
    parts = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(part + (255 - part) * white):02x}" for part in parts)


def _paint_hops(axes: Axes, hops: pl.DataFrame, scale: Any) -> None:
    """The highest first, so that the easy ones lie on top; the way over black, last."""
    most = scale.norm.vmax
    rows = hops.sort("is_on_the_way", pl.col("energy_eV").fill_null(np.inf) * -1.0, maintain_order=True)
    for row in rows.iter_rows(named=True):
        x, y, energy_eV = [row["x_A"], row["x2_A"]], [row["y_A"], row["y2_A"]], row["energy_eV"]
        if energy_eV is None:
            axes.plot(x, y, ":", color=GREY, lw=0.8, zorder=4)
            continue
        width = THINNEST_pt + (WIDEST_pt - THINNEST_pt) * (1.0 - min(max(energy_eV / most, 0.0), 1.0))
        if row["is_on_the_way"]:
            axes.plot(x, y, "-", color=INK, lw=width + 2.4, zorder=5, solid_capstyle="round")
        style = "-" if row["is_converged"] else (0, (2.2, 1.2))
        axes.plot(x, y, ls=style, color=scale.to_rgba(energy_eV), lw=width, zorder=4 + 2 * row["is_on_the_way"])


def _paint_sites(axes: Axes, sites: pl.DataFrame, scale: Any, per_A: float) -> None:
    """The best filled, the others hollow; one copy of each with its number."""
    for number in sites["site"].unique().sort(descending=True):
        part = sites.filter(pl.col("site") == number)
        colour, is_best = scale.to_rgba(part["energy_eV"][0]), number == 0
        axes.plot(
            part["x_A"].to_numpy(),
            part["y_A"].to_numpy(),
            "o",
            ms=2 * per_A * (BEST_A if is_best else SITE_A),
            mfc=colour if is_best else "white",
            mec="white" if is_best else colour,
            mew=0.6 if is_best else 1.1,
            zorder=8 if is_best else 7,
        )
    _number_sites(axes, sites)


def _number_sites(axes: Axes, sites: pl.DataFrame) -> None:
    """Each number beside one copy of its site: where no other site is near, and near the middle."""
    from matplotlib.patheffects import withStroke

    window = np.array([axes.get_xlim(), axes.get_ylim()])
    middle = window.mean(axis=1)
    taken = sites.select("x_A", "y_A").to_numpy()
    turns = np.linspace(0, 2 * np.pi, 12, endpoint=False) + 0.3
    around = np.array([[away * np.cos(turn), away * np.sin(turn)] for away in NAMES_AT_A for turn in turns])
    for number in sites["site"].unique().sort():
        own = sites.filter(pl.col("site") == number).select("x_A", "y_A").to_numpy()
        own = own[((own > window[:, 0] + SITE_A) & (own < window[:, 1] - SITE_A)).all(axis=1)]
        if not len(own):
            continue
        places = (own[:, None, :] + around).reshape(-1, 2)
        near = np.linalg.norm(places[:, None, :] - taken, axis=2).min(axis=1)
        lengths = np.tile(np.linalg.norm(around, axis=1), len(own))
        outside = np.maximum(window[:, 0] + 0.2 - places, places - window[:, 1] + 0.2).max(axis=1)
        cost = 20 * np.maximum(NAME_ROOM_A - near, 0) + 2 * lengths + 50 * np.maximum(outside, 0)
        best = int(np.argmin(cost + 0.1 * np.linalg.norm(places - middle, axis=1)))
        place, site = places[best], own[best // len(around)]
        taken = np.vstack([taken, place])
        if lengths[best] > NAMES_AT_A[0] + 0.01:
            axes.plot(*np.column_stack([site, place]), "-", color=INK, lw=0.5, zorder=9)
        halo = [withStroke(linewidth=1.8, foreground="white")]
        axes.text(*place, str(number), fontsize=7, color=INK, zorder=10, ha="center", va="center", path_effects=halo)


def _bar(axes: Axes, window: Window) -> None:
    """A scale bar below the window."""
    left, right, bottom, top = window
    length = max([value for value in BARS_A if value <= (right - left) / 4], default=BARS_A[0])
    y = bottom - 0.035 * (top - bottom)
    axes.plot([left, left + length], [y, y], color=INK, lw=2, solid_capstyle="butt", clip_on=False)
    axes.annotate(
        f"{length} Å", (left + length, y), xytext=(4, 0), textcoords="offset points", va="center", fontsize=7.5,
        annotation_clip=False,
    )  # fmt: skip


def _legend(axes: Axes, elements: Sequence[str]) -> None:
    for element in elements:
        colour = _paled(ELEMENTS.get(element, OTHER), 0.35)
        axes.plot([], [], "o", color=colour, mew=0, label=element)
    axes.plot([], [], "o", color="#0D0887", mew=0, label="best site")
    axes.plot([], [], "o", mfc="white", mec="#9C179E", mew=1.1, label="site")
    axes.plot([], [], "-", color=INK, lw=4, label="best way")
