"""How long a fit of two parameters to one Aurbach efficiency takes: search, profiles, samples, in one process.

    python bench/fit_speed.py

There is no peer beside it: no other open package fits dead lithium and its revival.
"""

import json
import platform
import statistics
import time
from pathlib import Path

from interlith import __version__
from interlith.cell.inference.calibrate import calibrate
from interlith.cell.inference.fit_file import read_fit
from interlith.cell.inference.likelihood import run

RESULT = Path(__file__).resolve().parent / "results" / "fit_speed.json"
N_TIMES = 5


def main() -> None:
    asked = read_fit("reference", lambda path: None)
    run(asked.problem.data[0].study)  # loads the compiled code
    seconds = []
    for _ in range(N_TIMES):
        begun = time.perf_counter()
        calibrate(asked.problem, asked.options)
        seconds.append(time.perf_counter() - begun)
    found = {
        "interlith": __version__,
        "python": platform.python_version(),
        "machine": platform.machine(),
        "median_s": statistics.median(seconds),
        "least_s": min(seconds),
    }
    print(f"two parameters, one Aurbach test: median {found['median_s']:.2f} s, least {found['least_s']:.2f} s")
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
