"""A sweep killed at random, again and again: is any acknowledged unit lost, and are the bits the same?

python bench/kills.py [N_KILLS] [N_UNITS]. Writes bench/results/kills.json. A unit is acknowledged once another process
reads it in the manifest while the sweep runs; the sweep and its workers are killed with SIGKILL at random moments.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from interlith.errors import InterlithError
from interlith.store import read_store
from interlith.store_verify import verify

LONGEST_S, MOST_NEW = 8.0, 8  # a kill comes after so many new units at most, or so long
STUDY = 'sample = "cp-zno-002"\nprotocol = "aurbach"\n'
SWEEP = """
study = "mine.toml"
design = "random"
n = {n}
seed = 7
[vary]
"set.host.porosity" = {{ low = 0.6, high = 0.9 }}
"set.host.isolated_per_stripped" = {{ low = 1e-4, high = 1e-1, scale = "log" }}
[outcomes]
efficiency = "tests > mine > ce_reservoir"
"""


def command(folder: Path, out: str) -> list[str]:
    return [
        sys.executable,
        "-m",
        "interlith",
        "sweep",
        str(folder / "sweep.toml"),
        "--out",
        str(folder / out),
        "--quiet",
    ]


def acknowledged(out: Path) -> dict[str, str]:
    """Key and blob of every unit that another process can read now."""
    try:
        with read_store(out) as store:
            return {unit.key: str(unit.blob) for unit in store.units("unit.")}
    except InterlithError:
        return {}


def killed_at_random(folder: Path, n_kills: int, dice: random.Random) -> tuple[int, int, int]:
    """Units lost, kills that hit a running sweep, blobs that were damaged."""
    out, known, lost, hit = folder / "killed", {}, 0, 0
    for _ in range(n_kills):
        running = subprocess.Popen(
            command(folder, "killed"), start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until, enough = time.monotonic() + LONGEST_S, len(known) + dice.randint(0, MOST_NEW)
        while time.monotonic() < until and len(known) < enough and running.poll() is None:
            known |= acknowledged(out)
            time.sleep(0.01)
        time.sleep(dice.uniform(0.0, 0.1))
        known |= acknowledged(out)
        if running.poll() is None:
            hit += 1
            os.killpg(running.pid, signal.SIGKILL)
        running.wait()
        now = acknowledged(out)
        lost += sum(now.get(key) != blob for key, blob in known.items())
    return lost, hit, len(verify(out).problems)


def main() -> None:
    n_kills, n_units = (int(text) for text in (*sys.argv[1:], "50", "400")[:2])
    folder = Path(tempfile.mkdtemp())
    (folder / "mine.toml").write_text(STUDY)
    (folder / "sweep.toml").write_text(SWEEP.format(n=n_units))
    began = time.monotonic()
    lost, hit, damaged = killed_at_random(folder, n_kills, random.Random(1))
    n_before = len(acknowledged(folder / "killed"))
    subprocess.run(command(folder, "killed"), check=True, stdout=subprocess.DEVNULL)
    subprocess.run(command(folder, "undisturbed"), check=True, stdout=subprocess.DEVNULL)
    one, other = acknowledged(folder / "killed"), acknowledged(folder / "undisturbed")
    found = {
        "kills": n_kills,
        "kills_that_hit_a_running_sweep": hit,
        "units": n_units,
        "units_done_when_the_kills_ended": n_before,
        "acknowledged_units_lost": lost,
        "damaged_blobs": damaged,
        "same_bits_as_undisturbed": one == other and len(one) == n_units,
        "seconds": round(time.monotonic() - began, 1),
    }
    print(json.dumps(found, indent=1))
    (Path(__file__).parent / "results" / "kills.json").write_text(json.dumps(found, indent=1) + "\n")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
