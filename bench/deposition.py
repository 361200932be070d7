"""What a network of fibres costs: conduction in its pores, labels, and how near the sweeps come to the memory's pace.

    python bench/deposition.py [--sizes 100 200] [--rounds 3] [--gpu-only]

A box of fibres (synthetic: porosity 0.75, six voxels of a diameter, sides repeating), each voxel wholly pore or wholly
solid, with 100 and 200 voxels along each edge. Conduction through it, everything from the image on, in one thread:
ours to a residual of 1e-8; pyamg's smoothed aggregation with conjugate gradients to the same, its matrix assembled from
the same image by numpy; TauFactor's PeriodicSolver on the processor to conv_crit 1e-3 (single precision; it stops by
the spread of the flows through all planes), its ratio being to ours at a residual that leaves no larger spread (`as
balanced`), beside ours at the loosest residual of some that leaves no larger error (`as exact`). Each is held against
ours to 1e-12: the error of the effective diffusivity.
Seconds are of the processor; contenders take turns, round by round, after one that is not counted; ratios are medians
of the ratios within rounds. Labels: all pores, by ours in one and in two threads and by scipy.ndimage, seconds of the
clock. Sweeps: one red-black sweep of ours, its bytes counted as if each value were read and written once (28 of a
voxel), over the bytes per second of a STREAM triad of the same thread in the same run.
GPU: where there is one, the same solve by it and by the threads of all cores, seconds of the clock with (`transport`)
and without what the processor does before and after (`solve`), after one that is not counted (it compiles); whether two
solves have the same bits; labels by both; a sweep and a triad as above, on it. A sweep there is a launch for each
color, and each moves every value: half of the triad is what can be reached. Where there is none, the reason stands in
its place. Writes bench/results/deposition.json; with --gpu-only the part on the GPU in it anew.
"""

import argparse
import importlib.metadata
import json
import os
import statistics
import time
from functools import partial
from pathlib import Path

import numpy as np
from cycling_speed import machine
from numba import cuda
from scipy import ndimage
from scipy.sparse import coo_matrix

from interlith.deposit.fibres import fibre_network
from interlith.deposit.network import Network
from interlith.deposit.solver import kernels
from interlith.deposit.solver.gpu import check_gpu
from interlith.deposit.solver.labels import components
from interlith.deposit.solver.multigrid import Multigrid
from interlith.deposit.solver.team import Team
from interlith.deposit.transport import faces_of, transport
from interlith.errors import EnvironmentError_
from interlith.parts.fibres import FibreNetwork

RESULTS = Path(__file__).resolve().parent / "results" / "deposition.json"
PACKAGES = ("interlith", "numpy", "scipy", "numba", "pyamg", "taufactor", "torch")
BYTES_OF_A_SWEEP = 28
AS_BALANCED = 1e-5  # residual at which flows through planes differ by 4e-4, and those of TauFactor by 5e-4
LOOSE = (1e-3, 3e-4, 1e-4, 3e-5, 1e-5)  # residuals tried for an error not above that of TauFactor
BALANCED, EXACT = "interlith, as balanced", "interlith, as exact"
COMPARED = (("pyamg", "interlith"), ("TauFactor", BALANCED), ("TauFactor", EXACT))
EDGE = 160  # of the box that is swept
GPU_EDGE, GPU_TRIAD, GPU_IN_A_ROW = 256, 60_000_000, 10  # large enough to fill a GPU
GPU_BLOCKS = (4096, 256)  # of the triad, and threads of each


def box(n):
    """Fibres of six voxels; what hangs together with both faces."""
    fibres = FibreNetwork(bundle_diameter_um=6, porosity=0.75, thickness_um=n, fibre_length_um=150, tilt_deg=15)
    solid = fibre_network(fibres, width_um=n, voxel_um=1.0, seed=1).solid >= 0.5
    return Network(solid.astype(np.float32), 1.0, True, "bench")


def ours(network, within=1e-8):
    with Team(1) as team:
        return transport(network, "pores", "z", team, within=within).effective


def by_pyamg(network):
    import pyamg

    open_ = network.solid < 0.5
    nz, ny, nx = open_.shape
    number = np.full(open_.shape, -1)
    number[open_] = np.arange(open_.sum())
    diagonal = np.zeros(open_.sum())
    rows, columns = [], []
    for axis in (0, 1, 2):
        other = np.roll(number, -1, axis)
        joined = (number >= 0) & (other >= 0)
        if axis == 0:
            joined[-1] = False
        a, b = number[joined], other[joined]
        rows += [a, b]
        columns += [b, a]
        np.add.at(diagonal, a, 1.0)
        np.add.at(diagonal, b, 1.0)
    source = np.zeros(open_.sum())
    for plane, potential in ((0, 0.0), (-1, 1.0)):
        at = number[plane][number[plane] >= 0]
        diagonal[at] += 2.0
        source[at] += 2.0 * potential
    rows, columns = np.concatenate(rows), np.concatenate(columns)
    whole = np.arange(len(diagonal))
    values = np.concatenate([np.full(len(rows), -1.0), diagonal])
    matrix = coo_matrix((values, (np.concatenate([rows, whole]), np.concatenate([columns, whole])))).tocsr()
    u = pyamg.smoothed_aggregation_solver(matrix).solve(source, tol=1e-8, accel="cg")
    bottom = number[0][number[0] >= 0]
    return 2.0 * float(u[bottom].sum()) * nz / (ny * nx)


def by_taufactor(network):
    import taufactor
    import torch

    torch.set_num_threads(1)
    solver = taufactor.PeriodicSolver((network.solid < 0.5).astype(np.float32), device="cpu")
    solver.solve(verbose=False, conv_crit=1e-3)
    return float(np.ravel(solver.D_eff)[0])


def conduction(n, n_rounds):
    network = box(n)
    carrying = _carrying(network)
    true = ours(carrying, 1e-12)
    as_exact = _as_exact(carrying, true)
    contenders = {
        "interlith": ours,
        BALANCED: partial(ours, within=AS_BALANCED),
        EXACT: partial(ours, within=as_exact),
        "pyamg": by_pyamg,
        "TauFactor": by_taufactor,
    }
    seconds, errors = {name: [] for name in contenders}, {}
    for at in range(n_rounds + 1):
        for name, solve in contenders.items():
            begin = time.process_time()
            found = solve(carrying)
            if at or n > 150:  # a warm-up round only where it is short
                seconds[name].append(time.process_time() - begin)
            errors[name] = abs(found / true - 1.0)
        if n > 150 and at + 1 == n_rounds:
            break
    ratios = {f"{name} to {other}": _ratio(seconds[name], seconds[other]) for name, other in COMPARED}
    return {
        "n": n,
        "effective_diffusivity": true,
        "residual_as_balanced": AS_BALANCED,
        "residual_as_exact": as_exact,
        "cpu_s": {name: statistics.median(held) for name, held in seconds.items()},
        "n_rounds": len(seconds["interlith"]),
        "ratio_of_cpu_s": ratios,
        "error_of_effective": errors,
    }


def _as_exact(network, true):
    """The loosest residual at which ours has no larger error than TauFactor."""
    theirs = abs(by_taufactor(network) / true - 1.0)
    return next(within for within in LOOSE if abs(ours(network, within) / true - 1.0) <= theirs)


def _ratio(theirs, own):
    return statistics.median(t / o for t, o in zip(theirs, own, strict=True))


def _carrying(network):
    """The same with closed pores filled, which no peer likes."""
    with Team() as team:
        labels = components(network.solid < 0.5, team, is_periodic=True)
    both = np.intersect1d(labels[0], labels[-1])
    return Network(1.0 - np.isin(labels, both[both > 0]).astype(np.float32), 1.0, True, "bench")


def labels(n, n_rounds):
    held = box(n).solid < 0.5
    found = {"interlith, 1 thread": [], "interlith, 2 threads": [], "scipy.ndimage": []}
    with Team(1) as one, Team(2) as two:
        for at in range(n_rounds + 1):
            for name, run in (
                ("interlith, 1 thread", lambda: components(held, one, is_periodic=False)),
                ("interlith, 2 threads", lambda: components(held, two, is_periodic=False)),
                ("scipy.ndimage", lambda: ndimage.label(held)),
            ):
                begin = time.perf_counter()
                run()
                if at:
                    found[name].append(time.perf_counter() - begin)
    medians = {name: statistics.median(held) for name, held in found.items()}
    return {
        "n": n,
        "mvoxel_per_s": {name: held_s and held.size / held_s / 1e6 for name, held_s in medians.items()},
        "ratio_to_scipy": {
            name: statistics.median(s / o for s, o in zip(found["scipy.ndimage"], found[name], strict=True))
            for name in found
        },
    }


@kernels.kernel
def _triad(a, b, c, scalar):
    for i in range(a.size):
        a[i] = b[i] + scalar * c[i]


def sweeps(n_rounds):
    faces = faces_of(np.random.default_rng(1).random((EDGE, EDGE, EDGE)).astype(np.float32), (True, True))
    a, b, c = (np.ones(20_000_000) for _ in range(3))
    swept, triads = [], []
    with Team(1) as team:
        on = Multigrid(faces, team).on
        for at in range(n_rounds + 1):
            for held, work in ((swept, lambda: on.sweep(0, 0)), (triads, lambda: _triad(a, b, c, 3.0))):
                begin = time.perf_counter()
                work()
                if at:
                    held.append(time.perf_counter() - begin)
    sweep_GB = BYTES_OF_A_SWEEP * EDGE**3 / 1e9
    triad_GB = 24 * a.size / 1e9
    shares = [(sweep_GB / s) / (triad_GB / t) for s, t in zip(swept, triads, strict=True)]
    return {
        "sweep_GB_per_s": sweep_GB / statistics.median(swept),
        "triad_GB_per_s": triad_GB / statistics.median(triads),
        "share_of_triad": statistics.median(shares),
    }


def gpu(sizes, n_rounds):
    try:
        name = check_gpu()
    except EnvironmentError_ as problem:
        return {"measured": False, "why": str(problem)}
    with Team(None, "cuda") as card, Team() as threads:
        return {
            "measured": True,
            "name": name,
            "sweeps": gpu_sweeps(card, 5 * n_rounds),
            "labels": gpu_labels(sizes, card, threads, n_rounds),
            "conduction": [gpu_conduction(n, card, threads, n_rounds) for n in sizes],
        }


@cuda.jit
def _gpu_triad(a, b, c, scalar):
    for i in range(cuda.grid(1), a.size, cuda.gridsize(1)):
        a[i] = b[i] + scalar * c[i]


def gpu_sweeps(card, n_rounds):
    share = np.random.default_rng(1).random((GPU_EDGE, GPU_EDGE, GPU_EDGE)).astype(np.float32)
    on = Multigrid(faces_of(share, (True, True)), card).on
    a, b, c = (cuda.to_device(np.ones(GPU_TRIAD)) for _ in range(3))
    launched = _gpu_triad[GPU_BLOCKS]
    works = {"sweep": lambda: on.sweep(0, 0), "triad": lambda: launched(a, b, c, 3.0)}
    seconds = {name: [] for name in works}
    for at in range(n_rounds + 1):
        for name, work in works.items():
            cuda.synchronize()
            begin = time.perf_counter()
            for _ in range(GPU_IN_A_ROW):
                work()
            cuda.synchronize()
            if at:
                seconds[name].append((time.perf_counter() - begin) / GPU_IN_A_ROW)
    bytes_moved = {"sweep": BYTES_OF_A_SWEEP * GPU_EDGE**3, "triad": 24 * GPU_TRIAD}
    rates = {name: bytes_moved[name] / statistics.median(held) / 1e9 for name, held in seconds.items()}
    return {
        **{f"{name}_GB_per_s": rate for name, rate in rates.items()},
        "share_of_triad": rates["sweep"] / rates["triad"],
    }


def gpu_labels(sizes, card, threads, n_rounds):
    """Millions of voxels a second, there and back included; whether the labels are the same."""
    found = []
    for n in sizes:
        held = box(n).solid < 0.5
        runs = {
            name: [_clocked(lambda: components(held, team, is_periodic=True)) for _ in range(n_rounds + 1)]  # noqa: B023
            for name, team in (("gpu", card), ("all cores", threads))
        }
        speed = {name: held.size / statistics.median(s for s, _ in run[1:]) / 1e6 for name, run in runs.items()}
        same = bool((runs["gpu"][-1][1] == runs["all cores"][-1][1]).all())
        found.append({"n": n, "mvoxel_per_s": speed, "are_the_same": same})
    return found


def gpu_conduction(n, card, threads, n_rounds):
    network = _carrying(box(n))
    share = (1.0 - network.solid).astype(np.float32)
    faces, source = faces_of(share, (True, True)), np.zeros(share.shape)
    source[-1] = faces.z[-1]
    seconds, found, effective = {}, {}, {}
    for name, team in (("gpu", card), ("all cores", threads)):
        multigrid = Multigrid(faces, team)
        held = [_clocked(lambda: multigrid.solve(source)) for _ in range(n_rounds + 1)]  # noqa: B023
        whole = [_clocked(lambda: transport(network, "pores", "z", team)) for _ in range(n_rounds + 1)]  # noqa: B023
        found[name], effective[name] = [solved for _, solved in held], whole[-1][1].effective
        seconds[name] = {
            "solve_s": statistics.median(s for s, _ in held[1:]),
            "transport_s": statistics.median(s for s, _ in whole[1:]),
            "n_iterations": held[-1][1].n_iterations,
        }
    first, last = found["gpu"][0].u, found["gpu"][-1].u
    return {
        "n": n,
        **seconds,
        "ratio_of_solve": seconds["all cores"]["solve_s"] / seconds["gpu"]["solve_s"],
        "same_bits_again": first.tobytes() == last.tobytes(),
        "apart_in_u": float(np.abs(first - found["all cores"][0].u).max()),
        "apart_in_effective": abs(effective["gpu"] / effective["all cores"] - 1.0),
    }


def _clocked(work):
    begin = time.perf_counter()
    found = work()
    return time.perf_counter() - begin, found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 200])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--gpu-only", action="store_true")
    asked = parser.parse_args()
    if asked.gpu_only:
        found = json.loads(RESULTS.read_text(encoding="utf-8")) | {"gpu": gpu(asked.sizes, asked.rounds)}
        print(json.dumps(found["gpu"], indent=1))
        RESULTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        return
    load = os.getloadavg()
    found = {
        "machine": machine(load),
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
        "sweeps": sweeps(5 * asked.rounds),
        "labels": labels(200, 2 * asked.rounds),
        "gpu": gpu(asked.sizes, asked.rounds),
        "conduction": [],
    }
    print(json.dumps({name: found[name] for name in ("sweeps", "labels", "gpu")}, indent=1))
    for n in asked.sizes:
        found["conduction"].append(conduction(n, asked.rounds if n <= 150 else 1))
        print(json.dumps(found["conduction"][-1], indent=1))
    RESULTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
