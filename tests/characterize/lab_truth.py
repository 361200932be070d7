"""Made-up measurements with a known truth: a voltammogram by finite differences, thermograms, a depth profile."""

import numpy as np
import polars as pl
from scipy.linalg import solve_banded
from scipy.optimize import brentq

from interlith.record import CURRENT, TIME, VOLTAGE, Provenance, Record

F, R = 96485.33212, 8.314462618


def record(time_s, potential_V, current_A):
    table = pl.DataFrame({TIME: time_s, VOLTAGE: potential_V, CURRENT: current_A}, schema_overrides={TIME: pl.Float64})
    return Record(table, Provenance("made up", "", "", ""))


def triangle(low_V, high_V, n, cycles=1, up_first=True):
    """Potential that goes from one end to the other and back, n steps a sweep."""
    one = np.concatenate([np.linspace(low_V, high_V, n + 1), np.linspace(high_V, low_V, n + 1)[1:]])
    whole = np.concatenate([one, *[one[1:]] * (cycles - 1)])
    return whole if up_first else low_V + high_V - whole


def reversible(rate_V_per_s, *, potential_V, formal_V=0.5, n=1, D=1e-5, c=1e-6, area=1.0, T=298.15, resistance_ohm=0.0):
    """Oxidation of a couple that diffuses, by implicit finite differences on a growing mesh: D cm2/s, c mol/cm3.

    The equal-diffusion Nernst case of Nicholson and Shain (1964), whose peak is 0.4463; nothing of the package is used.
    With a resistance the potential at the electrode is that applied less I R: the current is linear in the
    concentration at the electrode, so two solutions of the mesh and one root give a step.
    """
    step_s = abs(potential_V[1] - potential_V[0]) / rate_V_per_s
    time = np.arange(len(potential_V)) * step_s
    x, h = [0.0], 0.02 * np.sqrt(D * step_s)
    while x[-1] < 6 * np.sqrt(D * time[-1]):
        x.append(x[-1] + h)
        h *= 1.06
    d = np.diff(np.array(x))
    middle = (d[1:] + d[:-1]) / 2
    bands = np.zeros((3, len(x)))
    bands[1] = 1.0
    bands[2, :-2], bands[0, 2:] = -D * step_s / (d[:-1] * middle), -D * step_s / (d[1:] * middle)
    bands[1, 1:-1] -= bands[2, :-2] + bands[0, 2:]
    one, two = d[0], d[0] + d[1]
    surface = np.zeros(len(x))
    surface[0] = 1.0
    per_surface = solve_banded((1, 1), bands, surface)  # what one unit of concentration at the electrode adds
    weights = np.array([-(two**2 - one**2), two**2, -(one**2)]) / (one * two * (two - one)) * n * F * area * D
    held, current = np.full(len(x), c), []
    for E in potential_V:
        known = held.copy()
        known[0], known[-1] = 0.0, c
        alone = solve_banded((1, 1), bands, known)
        i_0, i_1 = weights @ alone[:3], weights @ per_surface[:3]

        def off(c_0, E=E, i_0=i_0, i_1=i_1):
            return c_0 - c / (1 + np.exp(n * F * (E - resistance_ohm * (i_0 + c_0 * i_1) - formal_V) / (R * T)))

        c_0 = brentq(off, 0.0, c, xtol=1e-18) if resistance_ohm else -off(0.0)
        held = alone + c_0 * per_surface
        current.append(i_0 + c_0 * i_1)
    return time, np.array(current)


def surface_bound(rate_V_per_s, *, potential_V, formal_V=0.5, mol=1e-9, capacitance_F=2e-5, T=298.15):
    """A monolayer that stays in equilibrium (Laviron's limit of fast kinetics), with a capacitance beside it."""
    way = np.sign(np.gradient(potential_V))
    theta = np.exp(F * (potential_V - formal_V) / (R * T))
    current = way * rate_V_per_s * (F**2 / (R * T) * mol * theta / (1 + theta) ** 2 + capacitance_F)
    return np.arange(len(potential_V)) * abs(potential_V[1] - potential_V[0]) / rate_V_per_s, current


def bell(x, middle, sigma, height):
    return height * np.exp(-0.5 * ((x - middle) / sigma) ** 2)


def lithiation(*, cycles=3, rate_V_per_s=1e-4, top_V=1.0, comes_back=0.05, noise=0.0, seed=1):
    """Sweeps of a paper with ZnO against lithium: conversion at 0.5 V once, an alloy at 0.2 V every time."""
    potential = triangle(0.0, top_V, int(2000 * top_V), cycles, up_first=False)
    sweep = np.repeat(np.arange(2 * cycles), int(2000 * top_V))
    sweep = np.concatenate([[0], sweep])
    down, first = sweep % 2 == 0, sweep // 2 == 0
    current = np.where(
        down,
        -3e-6
        - bell(potential, 0.5, 0.04, 5e-5) * np.where(first, 1.0, comes_back)
        - bell(potential, 0.19, 0.03, 4e-5)
        - 8e-5 * np.exp(-potential / 0.03),
        3e-6 + bell(potential, 0.28, 0.04, 2e-5),
    )
    current = current + np.random.default_rng(seed).normal(0, noise, len(current)) if noise else current
    return record(np.arange(len(potential)) * 5e-4 / rate_V_per_s, potential, current)


def burnt(w, ash, *, water=0.02, at_C=600.0, end_C=900.0, n=1500, noise=0.0, seed=1):
    """Temperature and mass, over the first mass, of a paper with zinc oxide w (of the dry coated paper) in air."""
    temperature = np.linspace(25.0, end_C, n)
    wet = water / (1 - water) / (1 + np.exp((temperature - 90.0) / 6.0))
    left = w + ash * (1 - w)
    mass = wet + left + (1 - left) / (1 + np.exp((temperature - at_C) / 12.0))
    return temperature, mass / mass[0] + np.random.default_rng(seed).normal(0, noise, n) * (noise > 0)


def profile_text(ions, counts, *, mz=None, total=None, step=1e13, columns=None):
    """A depth profile as SurfaceLab exports it. counts: [points, ions]."""
    counts = np.asarray(counts, float)
    total = counts.sum(axis=1) if total is None else np.asarray(total, float)
    masses = ["" if m is None else f"{m:.4f}" for m in (mz or [None] * len(ions))]
    units = ["#Data Point #", "Sputter Time (s)", "Dose (ions)", "Fluence (ions/cm^2)"]
    lines = [
        "# Profile Smoothing is Disabled",
        "#\t\t\t\t" + "\t".join(["total", *ions]) + "\t",
        "#\t\t\t\t" + "\t".join(["N/A", *masses]) + "\t",
        "\t".join([*units, *["Intensity"] * (len(ions) + 1)]) + "\t",
    ]
    for place, (row, all_counts) in enumerate(zip(counts, total, strict=True)):
        axis = [str(place + 1), f"{5.0 * place:g}", f"{1e9 * (place + 1):g}", f"{step * (place + 1):g}"]
        lines.append("\t".join([*axis, f"{all_counts:g}", *(f"{value:g}" for value in row)]) + "\t")
    return "\r\n".join(lines) + "\r\n"
