"""Fit the shipped samples to the Aurbach efficiencies of the paper, and write them into parts/samples.toml.

    python bench/fit_samples.py [--check]

The cap porosity of the two samples whose thickness at 5 mAh/cm2 was measured is fitted first. Every sample has one more
fitted number: the lithium isolated per stripped, or, for the set "revival" of ZnO(002), the
revival rate at the isolation of bare paper. All other values are measured, derived or assumed as the file says. The
efficiency is the one that `interlith analyze` finds in the simulated test. --check: print, change nothing.
"""

import argparse
import re
from pathlib import Path

from scipy.optimize import brentq

from interlith.cell.simulate import simulate
from interlith.cell_test import cell_test
from interlith.cycling.analyze import analyze
from interlith.parts.samples import COPPER, aurbach_efficiency, names
from interlith.protocol import ConstantCurrent, Protocol
from interlith.units import LITHIUM_mAh_PER_CM2_PER_UM

FILE = Path(__file__).resolve().parents[1] / "src/interlith/parts/samples.toml"
THICKNESS_um = {"cp": 80.6, "cp-zno-002": 43.8, "cp-zno-002-revival": 43.8}  # at 5 mAh/cm2, Shen et al. (2025)
REVIVAL = "cp-zno-002-revival"
SOURCE = "fitted to the Aurbach efficiency {percent:.2f} % of Shen et al. (2025), all else as listed"


def efficiency(name: str, changes: dict) -> float:
    asked = cell_test(name, "aurbach", changes=changes)
    done = simulate(asked.cell, asked.protocol, relative_tolerance=1e-8)
    return analyze(done.record, kind="reservoir").outcomes["reservoir"].values["efficiency"]


def cap_porosity(name: str, thickness_um: float) -> float:
    """The porosity at which what lies on top after plating 5 mAh/cm2 at 1 mA/cm2 gives the measured thickness."""
    step = ConstantCurrent(current_density_mA_per_cm2=-1.0, areal_capacity_mAh_per_cm2=5.0)
    asked = cell_test(name, Protocol(name="plate", steps=(step,)))
    end = simulate(asked.cell, asked.protocol).ledger.final()
    dense_um = (end["active_top"] + end["dead_top"]) / LITHIUM_mAh_PER_CM2_PER_UM
    return 1.0 - dense_um / (thickness_um - asked.cell.host.thickness_um)


def fit(name: str, isolated_on_bare_paper: float) -> tuple[str, float]:
    target = aurbach_efficiency(name)
    if name == REVIVAL:
        fixed = {"host.isolated_per_stripped": isolated_on_bare_paper}
        key, low, high = "revival_rate_per_s", 1e-5, 1e-1
    else:
        fixed, key, low, high = {}, "isolated_per_stripped", 0.0, 0.12

    def off(value: float) -> float:
        return efficiency(name, {**fixed, f"host.{key}": value}) - target

    return key, brentq(off, low, high, xtol=1e-9, rtol=1e-8)


def written(text: str, name: str, key: str, value: float, source: str | None) -> str:
    begin = text.index(f"[sample.{name}]")
    end = text.find("\n[", begin + 1)
    block = text[begin : end if end > 0 else len(text)]
    new = re.sub(rf"({key} = {{ value = )[^,]+", rf"\g<1>{value:.6g}", block)
    if source:
        new = re.sub(rf'({key} = .*source = )"[^"]*"', rf'\g<1>"{source}"', new)
    return text.replace(block, new)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    asked = parser.parse_args()
    text = FILE.read_text(encoding="utf-8")
    bare = fit("cp", 0.0)[1]
    for name in names():
        if name == COPPER:
            continue
        key, value = fit(name, bare)
        percent = 100 * aurbach_efficiency(name)
        print(f"{name:22} {percent:6.2f} %   {key} = {value:.6g}")
        if name in THICKNESS_um:
            porosity = cap_porosity(name, THICKNESS_um[name])
            print(f"{'':22} {THICKNESS_um[name]} um   cap_porosity = {porosity:.4f}")
            text = written(text, name, "cap_porosity", round(porosity, 4), None)
        text = written(text, name, key, value, SOURCE.format(percent=percent))
        if name == REVIVAL:
            text = written(text, name, "isolated_per_stripped", bare, None)
    if not asked.check:
        FILE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
