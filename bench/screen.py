"""How long the sites of a face take: ours on some processes against ASE alone, the same starts to the same force.

    python bench/screen.py [--material ZnO] [--face 020] [--model 7net-0] [--workers 2] [--rounds 3]

The peer is what a careful user of ASE writes: the same bare slab, the same starts (equal ones by symmetry already left
out, which is ours: how many it would have been without is told), BFGS with ASE's own defaults, one process and one
thread. Both end at the same force; the best energies must agree within 5 meV or the bench says NO. Ours is timed twice:
until the sites are known, and with the kicks that show that they are minima, which the peer does not do.
Rounds take turns; medians are over rounds. Besides, the seconds that each surface of the shipped results took, by
model, from their log. Writes bench/results/screen.json.
"""

import argparse
import json
import os
import statistics
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
from cycling_speed import machine, versions

from interlith.surface.calculators import calculator, model_of
from interlith.surface.conduct import conduct
from interlith.surface.search import search
from interlith.surface.store import Store
from interlith.surface.surfaces_file import FaceAsked, surfaces_of
from interlith.surface.work import unpacked
from interlith.workers import pool

RESULTS = Path(__file__).resolve().parent / "results" / "screen.json"
SHIPPED = Path(__file__).resolve().parents[1] / "src/interlith/surface/results/reference-surfaces/tables"
ASKED, SAME_eV = 1.8, 0.005
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def until(plan: Any, kind: str, seen: list[dict[str, Any]]) -> Iterator[Any]:
    """A search that ends where the first piece of a kind would begin; `seen` gets its pieces with their results."""
    batch = plan.send(None)
    while batch[0].kind != kind:
        results = yield batch
        seen += [
            {"name": work.name, "given": work.given, **result} for work, result in zip(batch, results, strict=True)
        ]
        batch = plan.send(results)
    return seen


def ours(face: FaceAsked, model: str, n_workers: int, kind: str) -> tuple[float, list[dict[str, Any]]]:
    """Seconds and pieces of a search to where `kind` begins, with processes that are already there and warm."""
    with pool(n_workers) as executor:
        list(executor.map(calculator_is_there, [model] * 4 * n_workers))
        began = time.perf_counter()
        plan = search(face.crystal, face.face, face.cut.name, model_of(model), face.settings)
        found, _ = conduct({"face": until(plan, kind, [])}, Store(None), executor)
        return time.perf_counter() - began, found["face"]


def calculator_is_there(model: str) -> bool:
    """Load a model in a worker, and let the other workers have theirs."""
    calculator(model)
    time.sleep(0.5)
    return True


def peer(pieces: list[dict[str, Any]], model: str, force: float) -> tuple[float, float, int]:
    """Seconds, best energy and force calls of ASE: each start to the end, one after the other."""
    from ase.optimize import BFGS

    began, energies, n_calls = time.perf_counter(), [], 0
    for piece in pieces:
        atoms = unpacked(piece["given"]["atoms"])
        atoms.calc = calculator(model)
        search_ = BFGS(atoms, logfile=None)
        search_.run(fmax=force, steps=piece["given"]["most_steps"] * 10)
        n_calls += search_.nsteps + 1
        energies.append(float(atoms.get_potential_energy()))
    return time.perf_counter() - began, min(energies), n_calls


def seconds_of_shipped() -> list[dict[str, Any]]:
    """Seconds of computing of each surface and model, of the log of the shipped results."""
    paths = list(SHIPPED.glob("*.work.csv"))
    if not paths:
        return []
    log = pl.read_csv(paths[0], infer_schema_length=None)
    told = log.group_by("search", maintain_order=True).agg(pl.col("seconds").sum().round(0), pl.len().alias("pieces"))
    return told.to_dicts()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("material", "ZnO"), ("face", "020"), ("model", "7net-0")):
        parser.add_argument(f"--{name}", default=default)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    os.environ.update(dict.fromkeys(ONE_THREAD, "1"))
    load = os.getloadavg()
    face = surfaces_of(asked.material, [asked.face], [asked.model]).faces[0]
    calculator(asked.model)
    rounds = [one_round(face, asked.model, asked.workers) for _ in range(asked.rounds)]
    middle = {key: statistics.median(one[key] for one in rounds) for key in rounds[0]}
    ratio = statistics.median(one["peer_s"] / one["ours_s"] for one in rounds)
    gap_eV = max(one["ours_eV"] - one["peer_eV"] for one in rounds)
    met = ratio >= ASKED and gap_eV <= SAME_eV
    print(f"ours, {asked.workers} processes      {middle['ours_s']:8.1f} s   best {middle['ours_eV']:.4f} eV")
    print(f"ours, with kicks       {middle['ours_with_kicks_s']:8.1f} s")
    print(f"ASE, serial            {middle['peer_s']:8.1f} s   best {middle['peer_eV']:.4f} eV")
    print(
        f"ratio {ratio:.1f}, asked {ASKED} at an energy not above the peer's by {SAME_eV} eV: {'yes' if met else 'NO'}"
    )
    shipped = seconds_of_shipped()
    for row in shipped:
        print(f"{row['search']:40} {row['seconds']:8.0f} s of one core, {row['pieces']} pieces")
    said = {"asked": vars(asked), "machine": machine(load), "versions": versions(), "rounds": rounds, "ratio": ratio}
    said |= {"medians": middle, "gap_eV": gap_eV, "met": met, "shipped": shipped}
    RESULTS.write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")


def one_round(face: FaceAsked, model: str, n_workers: int) -> dict[str, float]:
    """Ours to the sites, ours to the verified sites, and the peer from the same starts."""
    ours_s, pieces = ours(face, model, n_workers, "kick")
    with_kicks_s, _ = ours(face, model, n_workers, "path")
    begun = [piece for piece in pieces if piece["name"] == "start"]
    sites = [piece["energy_eV"] for piece in pieces if piece["name"] == "site" and piece["energy_eV"] is not None]
    peer_s, peer_eV, n_calls = peer(begun, model, face.settings.force_eV_per_A)
    return {
        "ours_s": ours_s,
        "ours_with_kicks_s": with_kicks_s,
        "ours_eV": min(sites),
        "ours_calls": sum(piece["n_calls"] for piece in pieces),
        "peer_s": peer_s,
        "peer_eV": peer_eV,
        "peer_calls": n_calls,
        "n_starts": len(begun),
    }


if __name__ == "__main__":
    main()
