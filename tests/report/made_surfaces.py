"""Findings of surfaces made by hand: one square crystal, one oblong, and what models say of them."""

import polars as pl

from interlith.findings import Finding, Findings

CELL = [[6.0, 0.0, 0.0], [0.0, 6.0, 0.0], [0.0, 0.0, 25.0]]
SPREADS = {"binding_energy_eV": "spread_eV", "barrier_eV": "barrier_spread_eV"}


def model(name, binding, barrier, *, high=None, refused=None):
    """What one model says of a face with two sites and one hop between them."""
    found = refused is None
    high = barrier if high is None else high
    sites = [("O1", binding, 0), ("O2", None if binding is None else binding - 0.1, 1)]
    site = {"x_A": 0.0, "y_A": 0.0, "z_A": 12.0, "is_verified": True, "softest_eV_per_A2": 0.5, "most_moved_A": 0.1}
    hop = {"from": 0, "to": 1, "length_A": 3.0, "low_eV": barrier, "high_eV": high, "back_low_eV": 0.1}
    return {
        "model": name,
        "cell_A": [3.0, 3.0, 5.0, 90.0, 90.0, 90.0],
        "slab_cell_A": CELL,
        "n_atoms": 2,
        "repeat": [2, 1],
        "binding_energy_eV": binding,
        "best_site": "O1" if found else None,
        "barrier_low_eV": barrier,
        "barrier_high_eV": high,
        "barrier_along": [{"way": "everywhere", "repeat_A": None, "low_eV": barrier, "high_eV": high}] if found else [],
        "minima_verified": found,
        "refused": refused,
        "said": [],
        "left_out": {"desorbed": 2},
        "n_starts": 9,
        "n_rounds": 1,
        "sites": [
            {"site": n, "bonds": bonds, "binding_energy_eV": energy, "n_copies": 1, **site}
            for bonds, energy, n in sites
        ]
        if found
        else [],
        "hops": [{**hop, "back_high_eV": 0.1, "is_converged": high == barrier, "is_on_the_way": True}] if found else [],
        "way": [],
    }


def together(values):
    """Mean and half of the span; no span of one."""
    if any(value is None for value in values):
        return None, None
    half = (max(values) - min(values)) / 2
    return sum(values) / len(values), half if len(values) > 1 else None


def face(name, termination, *models, paper=None, crystal="ZnO", warnings=()):
    """One face by the models that are given."""
    binding = together([one["binding_energy_eV"] for one in models])
    barrier = together([one["barrier_high_eV"] for one in models])
    refused = [f"{one['model']}: {one['refused']}" for one in models if one["refused"]]
    return {
        "key": f"{name}-{termination}",
        "name": name,
        "crystal": crystal,
        "adsorbate": "lithium",
        "termination": termination,
        "is_polar": True,
        "binding_energy_eV": binding[0],
        "spread_eV": binding[1],
        "barrier_eV": barrier[0],
        "barrier_spread_eV": barrier[1],
        "barrier_2d_eV": barrier[0],
        "barrier_2d_spread_eV": barrier[1],
        "minima_verified": not refused,
        "not_ranked": "; ".join(refused) or None,
        "paper": paper or {},
        "warnings": list(warnings),
        "models": list(models),
        "dft": None,
    }


def compared(row):
    """Published numbers beside those of a face."""
    found = []
    for name, spread in SPREADS.items():
        paper, ours = row["paper"].get(name), row[name]
        if isinstance(paper, float):
            off = None if ours is None else ours - paper
            is_met = None if off is None or row[spread] is None or row["not_ranked"] else abs(off) <= row[spread]
            held = {"key": row["key"], "quantity": name, "paper": paper, "ours": ours, "spread_eV": row[spread]}
            found.append({**held, "difference_eV": off, "is_met": is_met, "is_ranked": not row["not_ranked"]})
    return found


def order(rows, is_published, is_decided):
    """One choice of terminations."""
    ranked = sorted(rows, key=lambda row: row["binding_energy_eV"])
    return {
        "terminations": {row["name"]: row["termination"] for row in rows},
        "by_binding": [row["name"] for row in ranked],
        "by_barrier": [row["name"] for row in sorted(rows, key=lambda row: row["barrier_eV"])],
        "is_published_order": is_published,
        "without": [],
        "by_barrier_2d": [row["name"] for row in sorted(rows, key=lambda row: row["barrier_2d_eV"])],
        "is_decided": dict.fromkeys(("by_binding", "by_barrier", "by_barrier_2d"), is_decided),
    }


def summary(rows, orders=(), **other):
    """All that a search says of these faces."""
    models = list(dict.fromkeys(one["model"] for row in rows for one in row["models"]))
    return {
        "path": "made",
        "kind": "screen",
        "kind_reason": "made by hand",
        "error": None,
        "flags": [],
        "said": ["binding energy: as said"],
        "surfaces": rows,
        "orders": list(orders),
        "against_paper": [one for row in rows for one in compared(row)],
        "nucleation": [
            {"key": row["key"], "adsorption_potential_V": None, "spacing_over_slowest": None} for row in rows
        ],
        "warnings": [f"{row['key']}: {text}" for row in rows for text in row["warnings"]],
        "inputs": [],
        "structures": [f"structures/{row['key']}.{one['model']}.extxyz" for row in rows for one in row["models"]],
        "settings": {row["key"]: {"n_layers": 4, "cohesive_energy_eV": 1.63, "repeat": None} for row in rows},
        "models": [
            {"name": name, "identity": f"{name} (pack 1.0)", "title": name, "level": "PBE", "source": "doi:10.1/x"}
            for name in models
        ],
        "versions": {"interlith": "0", "ase": "3"},
        "run": {"n_computed": 1, "n_stored": 2, "seconds_computing": 3.0},
        **other,
    }


def tables(rows):
    """Maps and profiles: an atom on top and one deep, two sites, a hop to and fro over the edge of the cell."""
    pairs = [({"key": row["key"], "model": one["model"]}, one) for row in rows for one in row["models"]]
    found = [(of, one) for of, one in pairs if one["refused"] is None]
    atoms = [("Zn", 0.0, 0.0, 10.0, 1.2), ("O", 3.0, 3.0, 9.0, 0.7), ("Zn", 3.0, 0.0, 1.0, 1.2)]
    names = ("element", "x_A", "y_A", "z_A", "radius_A")
    hop = {"x1_A": 1.0, "y1_A": 1.0, "x2_A": 4.0, "y2_A": 1.0}
    back = {"x1_A": 4.0, "y1_A": 1.0, "x2_A": 7.0, "y2_A": 1.0}
    made = {
        "map-atoms": [{**of, **dict(zip(names, atom, strict=True))} for of, _ in pairs for atom in atoms],
        "map-nodes": [{**of, "site": n, "x_A": 1.0 + 3 * n, "y_A": 1.0} for of, _ in found for n in (0, 1)],
        "map-hops": [
            {**of, **way, "saddle_eV": one["barrier_high_eV"], "is_converged": True, "is_on_the_way": way is hop}
            for of, one in found
            for way in (hop, back)
        ],
        "profile": [
            {**of, "distance_A": d, "energy_eV": e * one["barrier_high_eV"], "site": site}
            for of, one in found
            for d, e, site in ((0.0, 0.0, 0), (1.5, 1.0, None), (3.0, 0.25, 1), (4.5, 1.0, None), (6.0, 0.0, 0))
        ],
    }
    return {name: pl.DataFrame(held, infer_schema_length=None) for name, held in made.items() if held}


def finding(rows, **other):
    """With summary and tables."""
    return Finding("made", summary(rows, **other), tables(rows))


def findings(rows, **other):
    """The same as a whole."""
    return Findings("made surfaces", (finding(rows, **other),), warning="COMPUTED by models, not by DFT")


def two_models(name="ZnO(002)", termination="Zn", *, binding=2.7, barrier=0.2, **other):
    """A face on which two models lie 0.1 and 0.02 eV apart."""
    first = model("7net-0", binding - 0.05, barrier - 0.01)
    return face(name, termination, first, model("chgnet", binding + 0.05, barrier + 0.01), **other)
