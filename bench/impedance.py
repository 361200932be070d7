"""How long measured spectra take: Kramers-Kronig test, relaxation times, circuit; one spectrum and a series; two peers.

    python bench/impedance.py SPECTRA.csv [--peer PYTHON] [--rounds 5]

SPECTRA.csv: the first spectrum of a file of modulus and phase, made for Sample2_PEIS_AtRest.csv of hybrid-drt (89
points, 7 MHz to 10 mHz, BSD-3-Clause). Ours: the test, the distribution, the choice among fifteen circuits, one circuit
from a start, all of `measure_eis` for one spectrum; and 1000 spectra (synthetic: two arcs, the film grows, 0.2 % noise,
89 frequencies) by two processes of 500 each, with one thread each.

Peers: pyimpspec and impedance.py in PYTHON, an environment that has both. pyimpspec is licensed GPL: it runs as a
process of its own, and nothing of interlith imports it. Its test as it is called by default and as the complex one, its
distributions by NNLS (default: the real part; and the imaginary part), by radial basis functions with an inductance
(needs kvxopt), by the Bayesian Hilbert transform and by the Loewner method; in one process, since a pool costs it more
than it gains here. impedance.py's linKK, and its CustomCircuit with the same circuit and start as ours, weighted by
modulus. What they compute differs
(pyimpspec's test also chooses the range of time constants, some distributions fit one part of Z), so residuals stand
beside times: rms of the complex residual over |Z|.

Contenders take turns, round by round, after one that is not counted; quick tasks run several times in a row. The clock
runs inside each process, after its imports. Ratios are medians of the ratios within rounds. Writes
bench/results/impedance.json.
"""

import argparse
import importlib.metadata
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from cycling_speed import machine, versions
from reading import installed, timed

BENCH = Path(__file__).resolve().parent
RESULTS = BENCH / "results" / "impedance.json"
PEERS = ("pyimpspec", "impedance")
CIRCUIT = "R0-p(R1,CPE1)-p(R2,CPE2)-p(R3,CPE3)"
START = (50.0, 20.0, 1e-7, 0.8, 80.0, 1e-5, 0.7, 320.0, 1e-4, 0.7)  # R0, then R, Q, n of each arc
N_SERIES, SERIES_S = 1000, 60.0
FIFTY = 50.0

READ = """
import json, sys, time
import numpy as np
rows = np.genfromtxt(sys.argv[1], delimiter=",", names=True, deletechars="")
first = rows[(rows["loop_index"] == 0) & (rows["freq/Hz"] > 0)]
f = np.ascontiguousarray(first["freq/Hz"])
z = first["|Z|/Ohm"] * np.exp(1j * np.radians(first["Phase(Z)/deg"]))
circuit, start, least = sys.argv[2], json.loads(sys.argv[3]), float(sys.argv[4])

def rms(residual):
    return float(np.sqrt(np.mean(np.abs(residual) ** 2)))

def clocked(run):
    run()
    n, begin = 0, time.perf_counter()
    while time.perf_counter() - begin < least or n < 1:
        run()
        n += 1
    return (time.perf_counter() - begin) / n
"""
OURS = (
    READ
    + """
from interlith.characterize.impedance.arcs import fit_arcs
from interlith.characterize.impedance.circuit import circuit as named, fit_circuit
from interlith.characterize.impedance.eis import measure_eis
from interlith.characterize.impedance.kramers_kronig import kramers_kronig
from interlith.characterize.impedance.relaxation_times import relaxation_times
from interlith.characterize.impedance.spectrum import Spectrum
begin = dict(zip(named(circuit).names, start))
tasks = {
    "Kramers-Kronig": (lambda: kramers_kronig(f, z), lambda got: got.rms),
    "relaxation times": (lambda: relaxation_times(f, z), lambda got: got.rms),
    "choice of 15 circuits": (lambda: fit_arcs(f, z), lambda got: got.fit.rms),
    "one circuit": (lambda: fit_circuit(circuit, f, z, begin), lambda got: got.rms),
    "measure_eis": (lambda: measure_eis([Spectrum("a", f, z)]), lambda got: None),
}
print(json.dumps({name: {"s": clocked(run), "rms": of(run())} for name, (run, of) in tasks.items()}))
"""
)
PYIMPSPEC = (
    READ
    + """
import pyimpspec
from pyimpspec.analysis.drt import calculate_drt_bht, calculate_drt_lm, calculate_drt_tr_nnls, calculate_drt_tr_rbf
data = pyimpspec.DataSet(frequencies=f, impedances=z)
test = pyimpspec.perform_kramers_kronig_test
tasks = {
    "test, default": lambda: test(data, num_procs=1),
    "test, complex": lambda: test(data, test="complex", num_procs=1),
    "NNLS, default": lambda: calculate_drt_tr_nnls(data),
    "NNLS, imaginary": lambda: calculate_drt_tr_nnls(data, mode="imaginary"),
    "RBF, inductance": lambda: calculate_drt_tr_rbf(data, inductance=True, num_procs=1),
    "BHT, default": lambda: calculate_drt_bht(data, num_procs=1),
    "Loewner": lambda: calculate_drt_lm(data, num_procs=1),
}
if __name__ == "__main__":
    found = {}
    for name, run in tasks.items():
        begin = time.perf_counter()
        got = run()
        once = time.perf_counter() - begin
        found[name] = {"s": once if once > 1.0 else clocked(run), "rms": rms(got.residuals)}
    print(json.dumps(found))
"""
)
IMPEDANCE_PY = (
    READ
    + """
np.set_printoptions(legacy="1.25")  # its linKK evaluates numbers that it printed, which numpy 2 prints otherwise
from impedance.models.circuits import CustomCircuit
from impedance.validation import linKK

def fitted():
    made = CustomCircuit(circuit, initial_guess=start)
    made.fit(f, z, weight_by_modulus=True)
    return made

def tested():
    return linKK(f, z, c=0.85, max_M=60, fit_type="complex")

_, _, _, real, imaginary = tested()
found = {"linKK": {"s": clocked(tested), "rms": rms(real + 1j * imaginary)}}
found["CustomCircuit"] = {"s": clocked(fitted), "rms": rms((z - fitted().predict(f)) / np.abs(z))}
print(json.dumps(found))
"""
)
SERIES = """
import json, sys, time
import numpy as np
from interlith.characterize.impedance.eis import measure_eis
from interlith.characterize.impedance.spectrum import Spectrum
first, last, n = (int(word) for word in sys.argv[1:4])
f = np.logspace(np.log10(7e6), -2, 89)
w = 2j * np.pi * f
spectra = []
for i in range(first, last):
    draw = np.random.default_rng(i).normal(size=(2, len(f))) / np.sqrt(2)
    film = 20.0 + 30.0 * i / n
    z = 5 + film / (1 + (w * film * 1e-6) ** 0.9) + 60 / (1 + (w * 0.05) ** 0.85) + 2 / np.sqrt(w)
    spectra.append(Spectrum(f"synthetic {i}", f, z * (1 + 2e-3 * (draw[0] + 1j * draw[1]))))
begin = time.perf_counter()
found = measure_eis(spectra, area_cm2=1.0)
took = time.perf_counter() - begin
got = found.tables["eis-trend"]["film_resistance_ohm"].to_numpy()
true = 20.0 + 30.0 * np.arange(first, last) / n
print(json.dumps({"s": took, "worst": float(np.abs(got / true - 1).max()), "circuit": found.values["circuit"]}))
"""


def usable(peer: str | None) -> tuple[str | None, str]:
    """The interpreter where both peers can be run in it, and what is said of them."""
    if peer is None:
        return None, "left out: no --peer given"
    if missing := [name for name in PEERS if not installed(peer, name)]:
        return None, f"left out: {', '.join(missing)} cannot be imported by the interpreter of --peer"
    asked = "import importlib.metadata as m, platform; print(*(f'{n} {m.version(n)}' for n in "
    asked += f"{(*PEERS, 'numpy', 'scipy')!r}), 'Python', platform.python_version(), sep=', ')"
    return peer, subprocess.run([peer, "-c", asked], capture_output=True, text=True, check=True).stdout.strip()


def environment() -> dict[str, str]:
    """One thread each, so that two cores stay two cores."""
    one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return {**os.environ, **one, "PYTHONWARNINGS": "ignore"}


def run(name: str, command: list[str]) -> dict:
    """What a process printed last."""
    got = timed(command, environment())
    if not got["ok"]:
        raise SystemExit(f"{name}: failed")
    return json.loads(got["out"].strip().splitlines()[-1])


def series(rounds: int) -> dict:
    """Seconds for all spectra by two processes at once, the slower of them, imports included and not."""
    half, walls, found = N_SERIES // 2, [], []
    for _ in range(rounds):
        begin = time.perf_counter()
        parts = [
            subprocess.Popen(
                [sys.executable, "-c", SERIES, str(first), str(first + half), str(N_SERIES)],
                stdout=subprocess.PIPE,
                text=True,
                env=environment(),
            )
            for first in (0, half)
        ]
        found = [json.loads(part.communicate()[0].splitlines()[-1]) for part in parts]
        walls.append(time.perf_counter() - begin)
    worst = max(one["worst"] for one in found)
    return {
        "n": N_SERIES,
        "wall_s": statistics.median(walls),
        "walls_s": walls,
        "worst_film_fraction": worst,
        "ms_each_and_core": 1e3 * statistics.median(one["s"] for one in found) / half,
        "circuit": found[0]["circuit"],
    }


def medians(runs: list[dict]) -> dict:
    """By task: median and ends of the seconds, and the residual, which is the same each time."""
    found = {}
    for task in runs[0]:
        seconds = [run[task]["s"] for run in runs]
        found[task] = {
            "ms": 1e3 * statistics.median(seconds),
            "least_ms": 1e3 * min(seconds),
            "greatest_ms": 1e3 * max(seconds),
        }
        found[task] |= {} if runs[0][task]["rms"] is None else {"residual_percent": 100 * runs[0][task]["rms"]}
    return found


def ratio(ours: list[dict], task: str, peer: list[dict], other: str) -> dict:
    """How many times as long the peer took, and whether our residual is no larger."""
    times = statistics.median(b[other]["s"] / a[task]["s"] for a, b in zip(ours, peer, strict=True))
    return {
        "times": times,
        "our_residual_no_larger": ours[0][task]["rms"] <= peer[0][other]["rms"],
        "fifty_times": times >= FIFTY,
    }


PAIRS = (
    ("Kramers-Kronig", "pyimpspec", "test, default"),
    ("Kramers-Kronig", "pyimpspec", "test, complex"),
    ("Kramers-Kronig", "impedance.py", "linKK"),
    ("relaxation times", "pyimpspec", "NNLS, default"),
    ("relaxation times", "pyimpspec", "NNLS, imaginary"),
    ("relaxation times", "pyimpspec", "RBF, inductance"),
    ("relaxation times", "pyimpspec", "BHT, default"),
    ("relaxation times", "pyimpspec", "Loewner"),
    ("one circuit", "impedance.py", "CustomCircuit"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("spectra", type=Path)
    parser.add_argument("--peer", metavar="PYTHON", help="interpreter of an environment that has both peers")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--least", type=float, default=0.5, help="seconds that a quick task is repeated for")
    chosen, load = parser.parse_args(), os.getloadavg()
    peer, said = usable(chosen.peer)
    words = [str(chosen.spectra), CIRCUIT, json.dumps(START), str(chosen.least)]
    commands = {"interlith": [sys.executable, "-c", OURS, *words]}
    if peer:
        alone = [peer, "-P", "-c"]  # this file has the name of a package
        commands |= {"pyimpspec": [*alone, PYIMPSPEC, *words], "impedance.py": [*alone, IMPEDANCE_PY, *words]}
    runs: dict = {name: [] for name in commands}
    for number in range(chosen.rounds + 1):
        for name, command in commands.items():
            got = run(name, command)
            if number:
                runs[name].append(got)
    many = series(min(chosen.rounds, 3))
    ratios = {
        f"{other} of {who} / {task}": ratio(runs["interlith"], task, runs[who], other)
        for task, who, other in PAIRS
        if who in runs
    }
    results = {
        "n_points": 89,
        "tasks": {name: medians(found) for name, found in runs.items()},
        "ratios": ratios,
        "series": {**many, "asked_s": SERIES_S, "met": many["wall_s"] < SERIES_S},
        "peers": said,
        "rounds": chosen.rounds,
        "machine": machine(load),
        "versions": {**versions(), "scipy": importlib.metadata.version("scipy")},
    }
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    for who, tasks in results["tasks"].items():
        for task, v in tasks.items():
            residual = f"{v['residual_percent']:8.3f} %" if "residual_percent" in v else ""
            print(f"{who:13} {task:24} {v['ms']:11.2f} ms  {residual}")
    for pair, v in ratios.items():
        print(f"{pair:58} {v['times']:9.1f} times, residual no larger: {v['our_residual_no_larger']}")
    print(
        f"{N_SERIES} spectra: {many['wall_s']:.1f} s, film within {many['worst_film_fraction']:.1%}, {many['circuit']}"
    )
    print(said)


if __name__ == "__main__":
    main()
