"""What searches found, told in plain numbers: each model by itself, and all models together with their spread.

Energies of a machine-learned potential are not those of density functional theory, and every row says which they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import islice, pairwise, product
from math import prod
from typing import Any

import numpy as np

from interlith.parts.quantity import Quantity
from interlith.surface.calculators import Model
from interlith.surface.found import FaceFound, Hop, Minimum
from interlith.surface.graph import Barrier, Edge, forward
from interlith.surface.slab import THIN_A, Slab
from interlith.surface.surfaces_file import FaceAsked

DISAGREE_eV, DISAGREE_CELL = 0.3, 0.03
NOT_DFT = "computed by machine-learned potentials, not by DFT"
DIGITS = 4
MOST_ORDERS = 64
EVERYWHERE = "everywhere"
NOT_YET = "not computed yet"
BINDING, BARRIER, BARRIER_2D = "binding_energy_eV", "barrier_eV", "barrier_2d_eV"
ORDERS = {"by_binding": BINDING, "by_barrier": BARRIER, "by_barrier_2d": BARRIER_2D}
SPREADS = {BINDING: "spread_eV", BARRIER: "barrier_spread_eV", BARRIER_2D: "barrier_2d_spread_eV"}
Row = dict[str, Any]


def row_of(asked: FaceAsked, found: Sequence[FaceFound], models: Mapping[str, Model]) -> Row:
    """One face: value and spread over its models, what is published, and what each model says.

    binding_energy_eV; barrier_eV, with which the adsorbate travels any distance, be it along one direction;
    barrier_2d_eV, with which it reaches every copy of its site: the mean of the models. spread_eV, barrier_spread_eV,
    barrier_2d_spread_eV: half of what lies between the lowest and the highest of them, None for a single one. None: not
    known.
    """
    told = [model_row(one) for one in found]
    binding = _together([(row["binding_energy_eV"], row["binding_energy_eV"]) for row in told])
    barrier = _together([(row["barrier_low_eV"], row["barrier_high_eV"]) for row in told])
    ways = [one for row in told for one in row["barrier_along"] if one["way"] == EVERYWHERE]
    both = _together([(one["low_eV"], one["high_eV"]) for one in ways]) if len(ways) == len(told) else (None, None)
    reasons = [f"{row['model']}: {why}" for row in told for why in (row["refused"], row["not_ranked"]) if why]
    late = [name for name in models if told and name not in {one.model for one in found}]
    slab = next((one.slab for one in found if one.slab is not None), None)
    return {
        "key": asked.key,
        "name": asked.name,
        "crystal": asked.crystal.name,
        "adsorbate": asked.settings.adsorbed,
        "face": asked.face.written,
        "sense": asked.cut.face.written,
        "termination": asked.cut.name,
        "broken_bonds": dict(asked.cut.dangling),
        "is_polar": None if slab is None else slab.is_polar,
        "dipole_e_per_A": None if slab is None else rounded(slab.dipole_e_per_A),
        "binding_energy_eV": binding[0],
        "spread_eV": binding[1],
        "barrier_eV": barrier[0],
        "barrier_spread_eV": barrier[1],
        "barrier_2d_eV": both[0],
        "barrier_2d_spread_eV": both[1],
        "minima_verified": bool(told) and all(row["minima_verified"] for row in told),
        "not_ranked": "; ".join(reasons) or (None if told else NOT_YET),
        "kind": NOT_DFT,
        "paper": {key: value for key, value in asked.paper.model_dump().items() if value not in (None, "")},
        "warnings": [
            *_thin(slab),
            *(f"{name}: {NOT_YET}" for name in late),
            *_unknown(asked, found, models),
            *_disagreement(told, asked.settings.adsorbed),
        ],
        "models": told,
    }


def quantities(row: Row) -> list[Quantity]:
    """Binding energy and percolating barriers of a row, for other wings: derived, with the models' spread as bounds.

    Nothing of a face that is not ranked, and no number without a spread.
    """
    if row["not_ranked"]:
        return []
    by = ", ".join(one["model"] for one in row["models"])
    source = f"{row['name']}, {row['termination']} termination, by {by}: not DFT; bounds are the spread of the models"
    return [
        Quantity(name, row[name], source, low=row[name] - row[spread], high=row[name] + row[spread], kind="derived")
        for name, spread in SPREADS.items()
        if row[name] is not None and row[spread] is not None
    ]


def model_row(found: FaceFound) -> Row:
    """What one model says of one face: bulk, sites, hops, barriers, what was left out."""
    best = found.minima[0] if found.minima else None
    low, high = found.barrier_low, found.barrier_high
    return {
        "model": found.model,
        "cell_A": [rounded(length) for length in found.bulk.cell.cellpar()],
        "slab_cell_A": None if found.slab is None else np.round(found.slab.atoms.cell.array, DIGITS).tolist(),
        "n_atoms": None if found.slab is None else len(found.slab.atoms),
        "repeat": None if found.slab is None else list(found.slab.repeat),
        "binding_energy_eV": None if best is None else rounded(found.binding_eV(best)),
        "best_site": None if best is None else best.label,
        "barrier_low_eV": None if low is None else rounded(low.anywhere_eV),
        "barrier_high_eV": None if high is None else rounded(high.anywhere_eV),
        "barrier_along": [] if low is None or high is None else _along(found, low, high),
        "minima_verified": best is not None and all(one.is_verified for one in found.minima),
        "refused": found.refused,
        "not_ranked": found.not_ranked,
        "said": list(found.said),
        "left_out": dict(found.left_out),
        "n_starts": found.n_starts,
        "n_rounds": found.n_rounds,
        "sites": [_site(found, i, one) for i, one in enumerate(found.minima)],
        "hops": [_hop_row(found, edge, hop) for edge, hop in found.hops.items()],
        "way": [] if high is None else _way(found, high.way),
    }


def orders(rows: Sequence[Row]) -> list[Row]:
    """The rankings for every choice of terminations, and whether that by binding energy is the published one.

    One termination of each surface at a time: which of them a publication means may not be known, and a ranking may
    depend on it. by_binding: from the weakest; by_barrier, by_barrier_2d: from the lowest. is_decided: for each of
    them, whether no two neighbors lie within their spreads; None where a spread is not known. without: surfaces that
    have no ranked termination, and stand in no order. The first MOST_ORDERS choices, where there are more.
    """
    names = list(dict.fromkeys(row["name"] for row in rows))
    sound = [row for row in rows if row[BINDING] is not None and not row["not_ranked"]]
    choices = [[row for row in sound if row["name"] == name] for name in names]
    found = []
    for chosen in islice(product(*(choice for choice in choices if choice)), MOST_ORDERS):
        ranked = {word: _ranked(chosen, key) for word, key in ORDERS.items()}
        numbers = [value for row in ranked["by_binding"] if (value := row["paper"].get(BINDING)) is not None]
        found.append(
            {
                "terminations": {row["name"]: row["termination"] for row in chosen},
                **{word: [row["name"] for row in held] for word, held in ranked.items()},
                "is_published_order": numbers == sorted(numbers) if len(numbers) > 1 else None,
                "is_decided": {word: _decided(held, ORDERS[word]) for word, held in ranked.items()},
                "without": [name for name, choice in zip(names, choices, strict=True) if not choice],
            }
        )
    return found


def orders_left_out(rows: Sequence[Row]) -> int:
    """How many choices of terminations are in no order, because there are too many."""
    names = Counter(row["name"] for row in rows if row[BINDING] is not None and not row["not_ranked"])
    return max(0, prod(names.values()) - MOST_ORDERS)


def _ranked(rows: Sequence[Row], key: str) -> list[Row]:
    return sorted((row for row in rows if row[key] is not None), key=lambda row: row[key])


def against_paper(rows: Sequence[Row]) -> list[Row]:
    """Every published number of a surface beside each termination: the difference, and whether the spread covers it.

    is_met: None where that cannot be said: without a spread, and on a face that is not ranked.
    """
    found = []
    for row in rows:
        for name in (BINDING, BARRIER):
            spread = SPREADS[name]
            published, ours = row["paper"].get(name), row[name]
            if published is None:
                continue
            off = None if ours is None else rounded(ours - published)
            is_met = None if off is None or row[spread] is None or row["not_ranked"] else abs(off) <= row[spread]
            found.append(
                {
                    "key": row["key"],
                    "quantity": name,
                    "paper": published,
                    "ours": ours,
                    "spread_eV": row[spread],
                    "difference_eV": off,
                    "is_met": is_met,
                    "is_ranked": not row["not_ranked"],
                }
            )
    return found


def _together(bounds: Sequence[tuple[float | None, float | None]]) -> tuple[float | None, float | None]:
    """The mean of the models' middles, and half of what lies between the lowest and the highest bound.

    One model that gives a number has no spread: None, which is not zero.
    """
    known = [(float(low), float(high)) for low, high in bounds if low is not None and high is not None]
    if not known or len(known) < len(bounds):
        return None, None
    middles = [(low + high) / 2.0 for low, high in known]
    half = (max(high for _, high in known) - min(low for low, _ in known)) / 2.0
    has_spread = len(known) > 1 or half > 0
    return rounded(sum(middles) / len(middles)), rounded(half) if has_spread else None


def _unknown(asked: FaceAsked, found: Sequence[FaceFound], models: Mapping[str, Model]) -> list[str]:
    elements = [*asked.crystal.elements, asked.settings.adsorbate]
    said = []
    for one in found:
        if unknown := models[one.model].unknown(elements):
            said.append(f"{one.model} was not trained on {', '.join(unknown)}: its energies mean nothing here")
    return said


def _thin(slab: Slab | None) -> list[str]:
    if slab is None or slab.thick_A >= THIN_A:
        return []
    return [f"the slab is {slab.thick_A:.1f} A thick, which may be too thin to be a surface: more n_layers"]


def _disagreement(told: Sequence[Row], adsorbed: str) -> list[str]:
    said = []
    energies = [row["binding_energy_eV"] for row in told if row["binding_energy_eV"] is not None]
    if energies and max(energies) - min(energies) > DISAGREE_eV:
        said.append(f"the models differ by {max(energies) - min(energies):.2f} eV in the binding energy")
    cells = np.array([row["cell_A"][:3] for row in told])
    if len(cells) > 1 and (np.ptp(cells, axis=0) / cells.mean(axis=0)).max() > DISAGREE_CELL:
        said.append("the models differ by more than 3 % in the cell of the crystal")
    places = {row["best_site"] for row in told if row["best_site"] is not None}
    if len(places) > 1:
        said.append(f"the models put {adsorbed} at different sites ({', '.join(sorted(places))})")
    return said


def _along(found: FaceFound, low: Barrier, high: Barrier) -> list[Row]:
    """The barrier with a part along each vector of the surface cell, and to every copy of the site."""
    assert found.slab is not None
    lengths = np.linalg.norm(found.slab.atoms.cell.array[:2], axis=1) / np.array(found.slab.repeat)
    names = (
        ("along the first vector", "first_eV", lengths[0]),
        ("along the second vector", "second_eV", lengths[1]),
        (EVERYWHERE, "everywhere_eV", None),
    )
    return [
        {
            "way": name,
            "repeat_A": rounded(length),
            "low_eV": rounded(getattr(low, key)),
            "high_eV": rounded(getattr(high, key)),
        }
        for name, key, length in names
    ]


def _site(found: FaceFound, number: int, one: Minimum) -> Row:
    return {
        "site": number,
        "bonds": one.label,
        "binding_energy_eV": rounded(found.binding_eV(one)),
        "x_A": rounded(one.place_A[0]),
        "y_A": rounded(one.place_A[1]),
        "z_A": rounded(one.place_A[2]),
        "is_verified": one.is_verified,
        "softest_eV_per_A2": rounded(min(one.curvatures_eV_per_A2)) if one.curvatures_eV_per_A2 else None,
        "most_moved_A": rounded(float(np.linalg.norm(one.shifts_A, axis=1).max())),
        "n_copies": sum(node.site == number for node in found.nodes),
    }


def _hop_row(found: FaceFound, edge: Edge, hop: Hop) -> Row:
    first, last = (found.nodes[place] for place in edge[:2])
    energy = found.minima[first.site].energy_eV
    back = found.minima[last.site].energy_eV
    return {
        "from": first.site,
        "to": last.site,
        "length_A": rounded(hop.length_A),
        "low_eV": rounded(hop.low_eV - energy),
        "high_eV": rounded(hop.high_eV - energy),
        "back_low_eV": rounded(hop.low_eV - back),
        "back_high_eV": rounded(hop.high_eV - back),
        "is_converged": hop.is_converged,
        "is_on_the_way": edge in {found.edges[other][0] for other in found.way_forward},
    }


def _way(found: FaceFound, way: Sequence[Edge]) -> list[Row]:
    """The best way point by point: distance and energy above the best site, and where lithium is."""
    best = found.minima[0].energy_eV
    rows: list[Row] = []
    walked = 0.0
    for i, j, m, n in way:
        first, is_turned = _representative(found, (i, j, m, n))
        hop = found.hops[first]
        energies, distances = np.array(hop.energies_eV), np.array(hop.distances_A)
        if is_turned:
            energies, distances = energies[::-1], distances[-1] - distances[::-1]
        for k, (energy, distance) in enumerate(zip(energies, distances, strict=True)):
            if k or not rows:
                is_site = k in (0, len(energies) - 1)
                site = found.nodes[i if k == 0 else j].site if is_site else None
                here = {"distance_A": rounded(walked + distance), "energy_eV": rounded(energy - best)}
                rows.append({**here, "site": site})
        walked += float(distances[-1])
    return rows


def _representative(found: FaceFound, edge: Edge) -> tuple[Edge, bool]:
    first, is_reverse = found.edges[forward(edge)]
    return first, is_reverse != (forward(edge) != edge)


def _decided(ranked: Sequence[Row], key: str) -> bool | None:
    """Whether neighbors in an order lie farther apart than their spreads together; None without spreads."""
    spread = SPREADS[key]
    if any(row[spread] is None for row in ranked):
        return None
    return all(b[key] - a[key] > a[spread] + b[spread] for a, b in pairwise(ranked))


def rounded(value: Any) -> float | None:
    """A number to 0.1 meV, or 1e-4 A; None for what is no finite number."""
    if value is None or not np.isfinite(value):
        return None
    return round(float(value), DIGITS)
