"""TOF-SIMS depth profiles: shares of chosen ions, and how they differ between samples of equal dose.

Counts over all counts, summed over the fluence that all samples have. A relative index and nothing more: yields change
with what surrounds an ion, Li2+ does not prove metal, and no count is a charge.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from interlith.characterize.exported_text import head_of, number, text_of
from interlith.characterize.measured import Measured
from interlith.characterize.secondary_ions.ions import (
    INTERFERENCES,
    NEGATIVE,
    POSITIVE,
    composition,
    ion_mass_u,
    plain_name,
    resolution_needed,
)
from interlith.errors import CorruptFile, InputError
from interlith.parts.quantity import NORMAL_95

Floats = NDArray[np.float64]
TOTAL, PERCENT = "total", 100.0
AXES = (("fluence", "fluence_per_cm2"), ("dose", "dose_ions"), ("sputter time", "sputter_time_s"))
FEWEST_POINTS = 3
FAR_U, BY_MASS_U = 0.05, 0.003  # a named column farther from its mass is not that ion; a nameless one nearer is
OFF_U = 0.003  # error of the mass scale that is said
NEARER = 0.5  # of the distance of the next ion, beyond which a listed mass is not that of the name
EQUAL = 0.05  # steps of fluence that differ by less are equal
NONE_SEEN = -math.log(1 - 0.95)  # counts that are exceeded with 95 % where none was seen
MOST_POINTS, MOST_TOLD = 400, 6  # of a profile that is drawn; ratios in a headline
WORDS = {"-": "negative", "+": "positive"}


@dataclass(frozen=True)
class Profile:
    """One depth profile. counts: [points, species], NaN where the file has none. axis: growing, in axis_unit.

    mz: [species], NaN for sums of several ions. total: all counts of a point. Points without any count are left out.
    """

    name: str
    polarity: str
    species: tuple[str, ...]
    mz: Floats
    axis: Floats
    axis_unit: str
    counts: Floats
    total: Floats
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ion:
    """One chosen ion in one profile: its column, or why there is none."""

    name: str
    column: int | None
    remark: str = ""


def is_tof_sims(path: Path) -> bool:
    """Whether a file is a depth profile as SurfaceLab exports it; reads its beginning only.

    >>> is_tof_sims(Path("no-such-file.txt"))
    False
    """
    return _header([line for line in head_of(path).split("\n") if line.startswith("#")]) is not None


def read_profile(path: Path) -> Profile:
    """The profile of a text export: rows of names, of m/z and of units, each beginning with "#", then the points.

    Ratios of columns are left out; blank cells and inf are no counts.
    Raises InputError, UnsupportedFormat or CorruptFile.
    """
    lines = text_of(path).split("\n")
    header = _header([line for line in lines if line.startswith("#")])
    if header is None:
        raise CorruptFile(
            f"{path.name}: no rows of names, m/z and units that begin with '#'. Export the profile of SurfaceLab as "
            "text, with its header"
        )
    names, masses, units = header
    table = _numbers([line for line in lines if line.strip() and not line.startswith("#")], len(units), path.name)
    first = next(place for place, unit in enumerate(units) if unit.lower().startswith("intensity"))
    axis_place, axis_unit = _axis(units[:first], path.name)
    columns = [c for c in range(first, len(units)) if c < len(names) and names[c] and " / " not in names[c]]
    species = [c for c in columns if names[c].lower() != TOTAL]
    totals = [c for c in columns if names[c].lower() == TOTAL]
    polarity = _polarity([names[c] for c in species], path.name)
    counts = table[:, species]
    if (counts < 0).any():
        raise CorruptFile(f"{path.name}: negative counts; export intensities, neither logarithms nor differences")
    notes = () if totals else (f"{path.name}: no total in the file; shares are of the sum of the listed ions",)
    total = table[:, totals[0]] if totals else np.nansum(counts, axis=1)
    axis = table[:, axis_place]
    kept = np.isfinite(axis) & np.isfinite(total) & (total > 0)
    if kept.sum() < FEWEST_POINTS:
        raise CorruptFile(f"{path.name}: {int(kept.sum())} points with counts; a profile has at least {FEWEST_POINTS}")
    if (np.diff(axis[kept]) < 0).any():
        raise CorruptFile(f"{path.name}: the {axis_unit} goes back; the rows are not in their order")
    mz = np.array([math.nan if (v := number(masses[c]) if c < len(masses) else None) is None else v for c in species])
    return Profile(
        path.name,
        polarity,
        tuple(names[c] for c in species),
        mz,
        axis[kept],
        axis_unit,
        counts[kept],
        total[kept],
        notes,
    )


def _header(rows: list[str]) -> tuple[list[str], list[str], list[str]] | None:
    """Rows of names, m/z and units, as cells; None where they are not there."""
    cells = [[cell.strip() for cell in row.lstrip("#").rstrip("\r").split("\t")] for row in rows]
    for place in range(2, len(cells)):
        units = cells[place]
        if sum(cell.lower().startswith("intensity") for cell in units) < 1 or len(units) < 3:
            continue
        names, masses = cells[place - 2], cells[place - 1]
        if any(composition(name) for name in names):
            return names, masses, units
    return None


def _numbers(rows: list[str], width: int, name: str) -> Floats:
    table = np.full((len(rows), width), math.nan)
    for place, row in enumerate(rows):
        cells = row.split("\t")
        values = [number(cell) for cell in cells[:width]]
        if any(value is None for value in values):
            bad = next(cell for cell, value in zip(cells, values, strict=False) if value is None)
            raise CorruptFile(f"{name}: {bad.strip()[:30]!r} in row {place + 1} of the points is no number")
        table[place, : len(values)] = values
    return table


def _axis(units: list[str], name: str) -> tuple[int, str]:
    for word, axis in AXES:
        for place, unit in enumerate(units):
            if unit.lower().startswith(word):
                return place, axis
    raise CorruptFile(f"{name}: neither fluence, dose nor sputter time; found {', '.join(u for u in units if u)}")


def _polarity(names: Sequence[str], name: str) -> str:
    signs = [known[1] for one in names if (known := composition(one))]
    if not signs:
        raise CorruptFile(f"{name}: no column is named after an ion, such as F- or Li+")
    if len(set(signs)) > 1:
        few = min(set(signs), key=signs.count)
        raise CorruptFile(
            f"{name}: {signs.count(few)} of {len(signs)} ions are {WORDS[few]}; one profile has one polarity"
        )
    return WORDS[signs[0]]


def chosen(profile: Profile) -> tuple[Ion, ...]:
    """The ions of the list for this polarity in a profile, by name and m/z; one that is absent says so."""
    wanted = NEGATIVE if profile.polarity == "negative" else POSITIVE
    return tuple(_found(profile, name) for name in wanted)


def _found(profile: Profile, name: str) -> Ion:
    due, mass = composition(name), ion_mass_u(name)
    off = profile.mz - mass
    named = [c for c, one in enumerate(profile.species) if composition(one) == due]
    near = [c for c in named if not abs(off[c]) > FAR_U]
    plain = plain_name(name)
    if near:
        column = min(near, key=lambda c: abs(off[c]) if math.isfinite(off[c]) else FAR_U)
        remark = _mass_remark(profile, name, float(off[column]))
        if name in INTERFERENCES and abs(off[column]) > NEARER * abs(ion_mass_u(INTERFERENCES[name]) - mass):
            return Ion(name, None, f"{remark}: name and mass do not agree, and it is not counted as {plain}")
        return Ion(name, column, remark)
    if named:
        return Ion(name, None, f"{profile.name}: a column is named {plain}, but lies at m/z {profile.mz[named[0]]:.4f}")
    nameless = [c for c, one in enumerate(profile.species) if composition(one) is None and abs(off[c]) <= BY_MASS_U]
    if nameless:
        return Ion(name, nameless[0], f"{profile.name}: {profile.species[nameless[0]]!r} taken as {plain} by its m/z")
    return Ion(name, None)


def _mass_remark(profile: Profile, name: str, off_u: float) -> str:
    if not abs(off_u) > OFF_U:
        return ""
    text = f"{profile.name}: {plain_name(name)} is listed {1e3 * off_u:+.1f} mu off its exact mass"
    if name in INTERFERENCES:
        other = INTERFERENCES[name]
        text += f"; {plain_name(other)} lies at {1e3 * (ion_mass_u(other) - ion_mass_u(name)):+.1f} mu"
    return text


def measure_tof_sims(profiles: Sequence[Profile]) -> Measured:
    """Shares of the chosen ions in each profile; of several profiles of one polarity their ratio to the first.

    Both are of the range that all profiles of the polarity share. Negative and positive profiles are treated apart.
    Profiles without a common range are left out and named; raises InputError where no two of all have one.
    """
    if not profiles:
        raise InputError("no profile: give at least one")
    groups = {word: [one for one in profiles if one.polarity == word] for word in WORDS.values()}
    values, said, indices, depths, heads = {}, [], [], [], []
    for word, group in groups.items():
        if not group:
            continue
        try:
            group, left = _comparable(word, _told_apart(group))
        except InputError as problem:
            if len(profiles) == sum(one.polarity == word for one in profiles):
                raise
            said.append(f"not compared: {problem}")
            continue
        values[word], remarks, rows = _compared(word, group)
        said += [*left, *remarks]
        indices += rows
        depths += [_depth_rows(one) for one in group]
        heads.append(_headline(word, rows, len(group)))
    if len(values) > 1:
        said.append("negative and positive profiles are not compared with each other")
    said += _general_remarks(groups)
    tables = {"tof-sims-index": pl.DataFrame(indices, schema=INDEX_SCHEMA), "tof-sims-depth": pl.concat(depths)}
    return Measured("tof-sims", "; ".join(heads), values, (), tuple(said), tables)


INDEX_SCHEMA = {
    "polarity": pl.String,
    "species": pl.String,
    "sample": pl.String,
    "counts": pl.Float64,
    "share_percent": pl.Float64,
    "share_low_percent": pl.Float64,
    "share_high_percent": pl.Float64,
    "index": pl.Float64,
    "index_low": pl.Float64,
    "index_high": pl.Float64,
}


def _told_apart(group: Sequence[Profile]) -> list[Profile]:
    """Profiles of equal names with a number behind."""
    names = [one.name for one in group]
    same = [names[:place].count(name) for place, name in enumerate(names)]
    return [
        Profile(**{**vars(one), "name": f"{one.name} ({n + 1})" if n else one.name})
        for one, n in zip(group, same, strict=True)
    ]


def _comparable(word: str, group: list[Profile]) -> tuple[list[Profile], list[str]]:
    """The most profiles that have a range in common, and what is said of the others. Raises where no two have one."""
    try:
        _common_range(word, group)
    except InputError as problem:
        sets: list[list[Profile]] = []
        for one in group:
            home = next((held for held in sets if _share_range(word, [*held, one])), None)
            if home is None:
                sets.append([one])
            else:
                home.append(one)
        largest = max(sets, key=len)
        if len(largest) < 2:
            raise
        others = ", ".join(one.name for one in group if all(one is not held for held in largest))
        return largest, [f"{word}: left out, without a range in common with the others: {others} ({problem})"]
    return group, []


def _share_range(word: str, group: list[Profile]) -> bool:
    try:
        _common_range(word, group)
    except InputError:
        return False
    return True


def _compared(word: str, group: list[Profile]) -> tuple[dict[str, Any], list[str], list[dict[str, Any]]]:
    """Values, remarks and rows of one polarity."""
    ends, remarks = _common_range(word, group)
    found = {one.name: chosen(one) for one in group}
    rows: list[dict[str, Any]] = []
    absent: dict[str, list[str]] = {}
    left_out: set[tuple[str, str]] = set()  # in the file, but not what the name says
    for place, name in enumerate(NEGATIVE if word == "negative" else POSITIVE):
        reference: dict[str, Any] | None = None
        for one in group:
            ion = found[one.name][place]
            remarks += [ion.remark] if ion.remark else []
            if ion.column is None:
                absent.setdefault(one.name, []).append(plain_name(name))
                left_out = left_out | {(one.name, plain_name(name))} if ion.remark else left_out
                continue
            row = {"polarity": word, "species": plain_name(name), "sample": one.name, **_share(one, ion.column, ends)}
            if one is group[0]:
                reference = row
            rows.append(row | _index(row, reference if one is not group[0] else None))
    for name, gone in absent.items():
        missing = [ion for ion in gone if (name, ion) not in left_out]
        remarks += [f"{name}: not in the file, which is not the same as none: {', '.join(missing)}"] if missing else []
    remarks += [note for one in group for note in one.notes]
    values = {
        "range": list(ends),
        "range_unit": group[0].axis_unit,
        "reference": group[0].name,
        "profiles": [{"name": o.name, "n_points": len(o.axis), "end": float(o.axis[-1])} for o in group],
        "ions": [{k: v for k, v in row.items() if k != "polarity"} for row in rows],
        "absent": absent,
    }
    return values, remarks, rows


def _common_range(word: str, group: list[Profile]) -> tuple[tuple[float, float], list[str]]:
    units = {one.axis_unit for one in group}
    if len(units) > 1:
        raise InputError(f"{word} profiles over {' and '.join(sorted(units))}; export all over the fluence")
    steps = [float(np.median(np.diff(one.axis))) for one in group]
    starts = [float(one.axis[0]) for one in group]  # the first scan, on the surface, counts in all or in none
    first = max(starts) if max(starts) - min(starts) > max(steps) / 2 else 0.0
    ends = first, min(float(one.axis[-1]) for one in group)
    short = [one.name for one in group if ((one.axis >= ends[0]) & (one.axis <= ends[1])).sum() < FEWEST_POINTS]
    if short:
        raise InputError(
            f"{word} profiles share too little: fewer than {FEWEST_POINTS} points of {', '.join(short)} lie in the "
            f"{group[0].axis_unit} from {ends[0]:.3g} to {ends[1]:.3g} that all have. Compare samples of equal dose"
        )
    remarks = []
    longest = max(float(one.axis[-1]) for one in group)
    if longest > (1 + EQUAL) * ends[1]:
        remarks.append(f"{word}: doses differ by {longest / ends[1]:.2f}; only up to {ends[1]:.3g} is compared")
    if max(steps) > (1 + EQUAL) * min(steps):
        remarks.append(
            f"{word}: the dose between two points differs by {max(steps) / min(steps):.2f}; shares allow for it"
        )
    return ends, remarks


def _share(profile: Profile, column: int, span: tuple[float, float]) -> dict[str, float | None]:
    """Counts of an ion over all counts, with the 95 % interval of counting (binomial), in a range of the axis."""
    inside = (profile.axis >= span[0]) & (profile.axis <= span[1])
    counts, total = float(np.nansum(profile.counts[inside, column])), float(profile.total[inside].sum())
    counts = min(counts, total)
    share, wide = counts / total, 1.0
    low, high = 0.0, NONE_SEEN / total
    if counts > 0:
        wide = math.exp(NORMAL_95 * math.sqrt((1 - share) / counts))
        low, high = share / wide, min(share * wide, 1.0)
    ends = {"share_percent": share, "share_low_percent": low, "share_high_percent": high}
    return {"counts": counts, **{name: PERCENT * value for name, value in ends.items()}}


def _index(row: dict[str, Any], reference: dict[str, Any] | None) -> dict[str, float | None]:
    """Share over that of the reference, with its 95 % interval; an upper end alone where nothing was counted."""
    if reference is None or reference["counts"] == 0:
        return {"index": None, "index_low": None, "index_high": None}
    if row["counts"] == 0:
        return {
            "index": 0.0,
            "index_low": 0.0,
            "index_high": row["share_high_percent"] / reference["share_low_percent"],
        }
    index = row["share_percent"] / reference["share_percent"]
    variance = sum((1 - one["share_percent"] / PERCENT) / one["counts"] for one in (row, reference))
    wide = math.exp(NORMAL_95 * math.sqrt(variance))
    return {"index": index, "index_low": index / wide, "index_high": index * wide}


def _headline(word: str, rows: list[dict[str, Any]], n_profiles: int) -> str:
    """Shares of one profile, or ratios to the first of several; the ratios farthest from 1, in their errors, first."""
    if not rows:
        return f"{word}: none of the chosen ions is in the file"
    if n_profiles == 1:
        ions = ", ".join(f"{row['species']} {_told(row, 'share', '_percent', ' %')}" for row in rows)
        return f"{word}: of all counts {ions}"
    ratios = [row for row in rows if row["index"] is not None]
    if not ratios:
        return f"{word}: no chosen ion is in both files, so nothing is compared"
    shown = sorted(ratios, key=_distance, reverse=True)[:MOST_TOLD]
    ions = ", ".join(f"{row['species']} {_told(row, 'index')} in {row['sample']}" for row in shown)
    more = len(ratios) - len(shown)
    return f"{word}, against the first sample: {ions}" + (f" ({more} nearer to 1 in the table)" if more else "")


def _told(row: dict[str, Any], name: str, unit: str = "", behind: str = "") -> str:
    """A number with its 95 % interval, or that it lies below the end where nothing was counted."""
    value, low, high = (row[f"{name}{end}{unit}"] for end in ("", "_low", "_high"))
    if row["counts"] == 0:
        return f"below {high:.2g}{behind}"
    return f"{value:.3g} ({low:.3g} to {high:.3g}){behind}"


def _distance(row: dict[str, Any]) -> float:
    """How far a ratio is from 1, in half-widths of its interval."""
    if row["counts"] == 0:
        return math.inf if row["index_high"] < 1 else 0.0
    return abs(math.log(row["index"])) / max(math.log(row["index_high"] / row["index"]), 1e-12)


def _general_remarks(groups: dict[str, list[Profile]]) -> list[str]:
    said = [
        "a relative index between samples measured alike, with the error of counting only; yields change with the "
        "matrix, and no count is an amount or a charge"
    ]
    if groups["positive"]:
        need = resolution_needed("Li_2+", "CH_2+")
        said.append(f"Li2+ does not prove metal, and lies beside CH2+: m/dm of {need:.0f} is needed to tell them apart")
    if groups["negative"]:
        need = resolution_needed("CN-", "C_2H_2-")
        said.append(f"CN- lies beside C2H2-: m/dm of {need:.0f} is needed to tell them apart")
    return said


def _depth_rows(profile: Profile) -> pl.DataFrame:
    keep = np.unique(np.linspace(0, len(profile.axis) - 1, MOST_POINTS).astype(int))
    tables = [
        pl.DataFrame({"axis": profile.axis[keep], "counts": profile.counts[keep, ion.column]}).select(
            pl.lit(profile.polarity).alias("polarity"),
            pl.lit(profile.name).alias("sample"),
            pl.lit(plain_name(ion.name)).alias("species"),
            pl.lit(profile.axis_unit).alias("axis_unit"),
            pl.all(),
        )
        for ion in chosen(profile)
        if ion.column is not None
    ]
    schema = {"polarity": pl.String, "sample": pl.String, "species": pl.String, "axis_unit": pl.String}
    return pl.concat(tables) if tables else pl.DataFrame(schema={**schema, "axis": pl.Float64, "counts": pl.Float64})
