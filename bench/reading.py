"""How long reading and summarizing cycler files takes: interlith and its peers on the same files, in one run.

    python bench/reading.py DATA [--peer-python PYTHON] [--rounds 5] [--quick]

DATA: the folder with neware/BTS85_700k.ndax (file A) and neware/nda_v26_9086cyc.nda.zip (file B). The peers (fastnda,
NewareNDA, cellpy) run in PYTHON, an environment that has them; a peer that is missing is left out, and said to be.
Each contender is a process of its own, from its start to its end, so imports count; contenders take turns, round by
round, and the ratio is the median of the ratios within rounds. Writes bench/results/reading.json.
"""

import argparse
import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

RESULTS = Path(__file__).resolve().parent / "results" / "reading.json"

LONG_S = 30.0
FASTNDA = "import sys, fastnda; fastnda.read(sys.argv[1])"
NEWARENDA = """
import sys, NewareNDA
d = NewareNDA.read(sys.argv[1])
d.groupby("Cycle")[["Charge_Capacity(mAh)", "Discharge_Capacity(mAh)"]].max()
"""
CELLPY = """
import logging, sys, warnings
warnings.simplefilter("ignore"); logging.disable(logging.CRITICAL)
import cellpy
c = cellpy.get(sys.argv[1], instrument="neware_nda", mass=1.0, cycle_mode="cathode", auto_summary=False)
c.make_step_table(); c.make_summary()
"""
OURS = """
import sys
from pathlib import Path
from interlith.cycling.isolation import warm_up
if sys.argv[2] == "new": warm_up([Path(sys.argv[1])])
from interlith.cycling.analyze import summary
from interlith.cycling.reading import read
summary(read(sys.argv[1], use_cache=sys.argv[2] == "cached"))
"""
OURS_INSIDE = """
import sys, time
from interlith.cycling.analyze import summary
from interlith.cycling.reading import read
begin = time.perf_counter(); summary(read(sys.argv[1])); print(time.perf_counter() - begin)
"""


def timed(command: list, environment: dict) -> dict:
    """Wall seconds, processor seconds and peak memory (the largest process) of one run."""
    begin = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    out = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    return {
        "wall_s": wall,
        "cpu_s": used.ru_utime + used.ru_stime,
        "peak_MB": used.ru_maxrss / 1024,
        "ok": process.returncode == 0,
        "out": out.strip(),
    }


def take_turns(contenders: dict, rounds: int, environment: dict) -> dict:
    """All contenders once per round, after one round that is not counted; one that takes very long runs once."""
    runs: dict = {name: [] for name in contenders}
    for number in range(rounds + 1):
        for name, command in contenders.items():
            last = runs[name][-1] if runs[name] else None
            if last and (not last["ok"] or last["wall_s"] > LONG_S):
                continue
            got = timed(command, environment)
            if number or got["wall_s"] > LONG_S:
                runs[name].append(got)
    return runs


def row(runs: list) -> dict:
    """Medians of a contender's runs, or that it refused."""
    if not all(run["ok"] for run in runs):
        return {"refused": True}
    medians = {key: statistics.median(run[key] for run in runs) for key in ("wall_s", "cpu_s", "peak_MB")}
    inside = [float(run["out"]) for run in runs if run["out"]]
    return {**medians, **({"inside_s": statistics.median(inside)} if inside else {})}


def ratio(runs: dict, one: str, other: str) -> float | None:
    """Median over rounds of one contender's time over the other's."""
    pairs = [(a, b) for a, b in zip(runs[one], runs[other], strict=False) if a["ok"] and b["ok"]]
    return statistics.median(a["wall_s"] / b["wall_s"] for a, b in pairs) if pairs else None


def contenders(file: Path, peer: str, quick: bool) -> dict:
    """Command lines by name, those of peers that are not installed left out."""
    peers = {"fastnda": FASTNDA, "NewareNDA": NEWARENDA, "cellpy": CELLPY}
    found = {
        name: [peer, "-c", code, str(file)]
        for name, code in peers.items()
        if not (quick and name != "fastnda") and installed(peer, name)
    }
    ours = [sys.executable, "-c", OURS, str(file)]
    inside = [sys.executable, "-c", OURS_INSIDE, str(file)]
    return {
        "interlith": [*ours, "new"],
        "interlith, cached": [*ours, "cached"],
        "interlith, cached, inside": inside,
        **found,
    }


def installed(python: str, name: str) -> bool:
    return subprocess.run([python, "-c", f"import {name}"], capture_output=True, check=False).returncode == 0


MANY = """
import sys, polars as pl
from interlith.cycling.reading import read
table = read(sys.argv[1]).table
counters = ["charging_capacity_ah", "discharging_capacity_ah"]
table = table.select("test_time_second", "voltage_volt", "current_ampere", "cycle_count", "step_count", *counters)
step = float(table["test_time_second"][-1]) + 1.0
def part(k):
    moved = [pl.col("test_time_second") + k * step, pl.col("cycle_count") + 22 * k, pl.col("step_count") + 45 * k]
    return table.with_columns(*moved, *[pl.col(c) + k * table[c][-1] for c in counters])
pl.concat([part(k) for k in range(15)]).write_parquet(sys.argv[2], compression="lz4")
"""


def print_table(name: str, rows: dict, ratios: dict) -> None:
    print(f"\n{name}")
    print(f"{'contender':28} {'wall s':>8} {'cpu s':>8} {'peak MB':>8} {'inside s':>9}")
    for contender, values in rows.items():
        if values.get("refused"):
            print(f"{contender:28} refused or failed")
            continue
        inside = f"{values['inside_s']:9.3f}" if "inside_s" in values else ""
        print(f"{contender:28} {values['wall_s']:8.2f} {values['cpu_s']:8.2f} {values['peak_MB']:8.0f} {inside}")
    for pair, value in ratios.items():
        print(f"  {pair}: {value:.2f}" if value else f"  {pair}: -")


def measure_files(asked: argparse.Namespace, folder: str, environment: dict) -> dict:
    """Files A and B by every contender."""
    with zipfile.ZipFile(asked.data / "neware/nda_v26_9086cyc.nda.zip") as archive:
        archive.extractall(folder)
    results = {}
    for name, file in {"A": file_a(asked), "B": Path(folder) / "nda_v26.nda"}.items():
        runs = take_turns(contenders(file, asked.peer_python, asked.quick), asked.rounds, environment)
        peers = [peer for peer in ("fastnda", "NewareNDA", "cellpy") if peer in runs]
        rows = {contender: row(found) for contender, found in runs.items()}
        results[name] = {
            "rows": rows,
            "ratios": {f"interlith / {peer}": ratio(runs, "interlith", peer) for peer in peers},
        }
        print_table(f"file {name}: {file.name}", rows, results[name]["ratios"])
    return results


def measure_alone(asked: argparse.Namespace, folder: str, environment: dict) -> dict:
    """What has no peer: a very large file, and the start of the command line."""
    large = Path(folder) / "large.bdf.parquet"
    subprocess.run([sys.executable, "-c", MANY, str(file_a(asked)), str(large)], env=environment, check=True)
    commands = {
        f"10.5 million rows ({large.stat().st_size / 1e6:.0f} MB)": [sys.executable, "-c", OURS, str(large), "none"],
        "interlith --help": [sys.executable, "-m", "interlith", "--help"],
    }
    rows = {}
    for name, command in commands.items():
        found = take_turns({name: command}, asked.rounds, environment)[name]
        rows[name] = row([{**run, "out": ""} for run in found])
    print_table("without a peer", rows, {})
    return {"alone": {"rows": rows, "ratios": {}}}


def file_a(asked: argparse.Namespace) -> Path:
    return asked.data / "neware/BTS85_700k.ndax"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--peer-python", default=sys.executable)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="only fastnda as a peer")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "INTERLITH_CACHE": str(Path(folder) / "cache")}
        results = {**measure_files(asked, folder, environment), **measure_alone(asked, folder, environment)}
    results["machine"] = {"cores": os.cpu_count(), "system": platform.platform(), "python": platform.python_version()}
    results["versions"] = {
        name: importlib.metadata.version(name) for name in ("interlith", "polars", "numpy", "fastnda")
    }
    results["versions of peers"] = peer_versions(asked.peer_python)
    results["rounds"] = asked.rounds
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


def peer_versions(peer: str) -> dict:
    code = """
import importlib.metadata, json
found = {}
for name in ("fastnda", "NewareNDA", "cellpy", "polars", "pandas"):
    try:
        found[name] = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        pass
print(json.dumps(found))
"""
    return json.loads(subprocess.run([peer, "-c", code], capture_output=True, text=True, check=True).stdout)


if __name__ == "__main__":
    main()
