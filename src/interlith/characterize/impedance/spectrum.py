"""One impedance spectrum: where it comes from, what of it can be used, and whether its axes are as said."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from interlith.characterize.impedance.kramers_kronig import KramersKronig, kramers_kronig
from interlith.errors import InputError
from interlith.record import FREQUENCY, IMAGINARY, REAL, SPECTRUM, TIME
from interlith.units import SECONDS_PER_HOUR

Floats = NDArray[np.float64]
Complex = NDArray[np.complex128]

LEAST_POINTS = 7  # R_ohm and one arc are four values, of which Re and Im tell two at each point
LEAST_DECADES, FEW_DECADES = 0.5, 2.0
SAME_FREQUENCY = 1e-6  # relative: nearer ones are one frequency that was measured twice
MEASURABLE_OHM, MEASURABLE_HZ = (1e-9, 1e15), (1e-9, 1e12)  # beyond it is no impedance of a cell
CONSTANT = 1e-3  # of |Z|: a spectrum that changes less is a resistor
DOUBTFUL = 0.05  # rms of the Kramers-Kronig residual from which on other axes are tried
MUCH_BETTER, NO_WORSE = 3.0, 1.1  # times smaller must the residual be before axes are turned; or no larger than


@dataclass(frozen=True)
class Spectrum:
    """One spectrum as measured: frequency_Hz[n] and impedance_ohm complex[n], in any order; time_h: when it began.

    n_without_frequency: rows of its file that have none, which are left out; of several spectra in a file the first has
    the number of all.
    """

    name: str
    frequency_Hz: Floats
    impedance_ohm: Complex
    time_h: float | None = None
    n_without_frequency: int = 0


def spectra_of(table: pl.DataFrame, name: str) -> tuple[Spectrum, ...]:
    """The spectra in a record's table or in its impedance points, in the order measured.

    Rows without a frequency, or of frequency 0, are counted and left out. Raises InputError where a column is missing
    or no row has a frequency.

    >>> columns = {"frequency_hertz": [10.0, 1.0, 0.0], "real_impedance_ohm": [1.0, 2.0, 0.0]}
    >>> found = spectra_of(pl.DataFrame(columns | {"imaginary_impedance_ohm": [0.0, -1.0, 0.0]}), "a.csv")
    >>> len(found), len(found[0].frequency_Hz), found[0].n_without_frequency
    (1, 2, 1)
    """
    if missing := [column for column in (FREQUENCY, REAL, IMAGINARY) if column not in table.columns]:
        raise InputError(f"{name}: not an impedance spectrum: no {', '.join(missing)}")
    points = table.filter(pl.col(FREQUENCY) > 0)
    n_dropped = table.height - points.height
    if points.height == 0:
        raise InputError(f"{name}: not an impedance spectrum: no row has a frequency above 0")
    if SPECTRUM not in points.columns:
        points = points.with_columns(pl.lit(0).alias(SPECTRUM))
    parts = points.partition_by(SPECTRUM, maintain_order=True)
    found = []
    for i, part in enumerate(parts):
        called = name if len(parts) == 1 else f"{name} #{part[SPECTRUM][0]}"
        began_s = part[TIME][0] if TIME in part.columns else None
        real, imaginary = (part[column].cast(pl.Float64).to_numpy() for column in (REAL, IMAGINARY))
        time_h = None if began_s is None or not np.isfinite(began_s) else began_s / SECONDS_PER_HOUR
        spectrum = Spectrum(called, part[FREQUENCY].cast(pl.Float64).to_numpy(), real + 1j * imaginary, time_h)
        found.append(replace(spectrum, n_without_frequency=n_dropped if i == 0 else 0))
    return tuple(found)


def cleaned(spectrum: Spectrum) -> tuple[Spectrum, tuple[str, ...]]:
    """The spectrum with each frequency once, falling, and numbers only; and what was left out, in words.

    Raises InputError where fewer than 7 points or half a decade are left, or where Z does not change.
    """
    f, z = np.asarray(spectrum.frequency_Hz, dtype=float), np.asarray(spectrum.impedance_ohm, dtype=complex)
    if f.ndim != 1 or f.shape != z.shape:
        raise InputError(f"{spectrum.name}: {f.size} frequencies and {z.size} impedances")
    kept = np.isfinite(f) & (f > 0)
    said = _left_out(spectrum.n_without_frequency + int(np.sum(~kept)), "without a frequency")
    numbers = np.isfinite(z.real) & np.isfinite(z.imag)
    said += _left_out(int(np.sum(kept & ~numbers)), "without an impedance")
    said += _left_out(int(np.sum(kept & numbers & (z == 0))), "with an impedance of 0 ohm")
    size = np.abs(np.where(numbers & (z != 0), z, 1.0))
    beyond = (size < MEASURABLE_OHM[0]) | (size > MEASURABLE_OHM[1]) | (f < MEASURABLE_HZ[0]) | (f > MEASURABLE_HZ[1])
    said += _left_out(int(np.sum(kept & beyond)), "with numbers that no instrument measures")
    kept &= numbers & (z != 0) & ~beyond
    f, z, n_twice = _once(f[kept], z[kept])
    if n_twice:
        said += [f"{n_twice} rows repeat a frequency; the mean is taken"]
    _enough(spectrum.name, f, z)
    decades = float(np.log10(f[0] / f[-1]))
    if decades < FEW_DECADES:
        said += [f"only {decades:.1f} decades of frequency were measured; arcs beyond them are not seen"]
    return replace(spectrum, frequency_Hz=f, impedance_ohm=z, n_without_frequency=0), tuple(said)


def _left_out(n: int, why: str) -> list[str]:
    return [f"{n} row{'s' if n > 1 else ''} {why} left out"] if n else []


def _once(f: Floats, z: Complex) -> tuple[Floats, Complex, int]:
    """Falling frequencies, each once, with the mean of what was measured there, and how many rows that took."""
    order = np.argsort(-f, kind="stable")
    f, z = f[order], z[order]
    if len(f) == 0:
        return f, z, 0
    first = np.concatenate([[True], f[:-1] - f[1:] > SAME_FREQUENCY * f[:-1]])
    group = np.cumsum(first) - 1
    counts = np.bincount(group)
    mean = (np.bincount(group, z.real) + 1j * np.bincount(group, z.imag)) / counts
    return f[first], np.asarray(mean, dtype=np.complex128), len(f) - int(first.sum())


def _enough(name: str, f: Floats, z: Complex) -> None:
    if len(f) < LEAST_POINTS:
        raise InputError(
            f"{name}: {len(f)} points with a frequency and an impedance; at least {LEAST_POINTS} are needed"
        )
    if np.log10(f[0] / f[-1]) < LEAST_DECADES:
        raise InputError(f"{name}: {f[-1]:.4g} to {f[0]:.4g} Hz is less than half a decade; measure over a wider range")
    if np.abs(z - z.mean()).max() < CONSTANT * abs(z.mean()):
        raise InputError(f"{name}: Z is {abs(z.mean()):.4g} ohm at all frequencies: a resistor or a short, no arc")


TURNS: Mapping[str, Callable[[Complex], Complex]] = {
    "the imaginary part has the other sign": np.conj,
    "real and imaginary part are exchanged": lambda z: z.imag + 1j * z.real,
    "real and imaginary part are exchanged, and -Im Z was given": lambda z: z.imag - 1j * z.real,
    "the real part has the other sign": lambda z: -np.conj(z),
    "both parts have the other sign": lambda z: -z,
}


def upright(spectrum: Spectrum) -> tuple[Spectrum, KramersKronig, tuple[str, ...]]:
    """The spectrum with its axes as they should be, its Kramers-Kronig test, and what was turned.

    Other axes are tried when most imaginary parts are positive, a real part is negative, or the residual is above 5 %.
    They are taken only when most real parts are positive then and the residual is three times smaller, or no larger
    where most real parts were negative: the relations tell the impedance of a system that answers after it is asked,
    so a truly inductive spectrum stays as it is; -Z obeys them as Z does, and there passivity decides.

    >>> f = np.logspace(4, -1, 41)
    >>> z = 1.0 + 5.0 / (1.0 + 2j * np.pi * f * 1e-2)
    >>> upright(Spectrum("a", f, z.conj()))[2]
    ('the imaginary part has the other sign in the file: turned',)
    """
    f, z = spectrum.frequency_Hz, spectrum.impedance_ohm
    test = kramers_kronig(f, z)
    if np.mean(z.imag > 0) <= 0.5 and np.all(z.real > 0) and test.rms < DOUBTFUL:
        return spectrum, test, ()
    best: tuple[float, str, Complex, KramersKronig] | None = None
    for what, turn in TURNS.items():
        other = turn(z)
        if np.mean(other.real > 0) > 0.5 and np.mean(other.imag > 0) <= 0.5:
            found = kramers_kronig(f, other)
            if best is None or found.rms < best[0]:
                best = found.rms, what, other, found
    smaller = MUCH_BETTER if np.mean(z.real > 0) > 0.5 else 1.0 / NO_WORSE
    if best is not None and best[0] * smaller < test.rms:
        return replace(spectrum, impedance_ohm=best[2]), best[3], (f"{best[1]} in the file: turned", *_odd(best[2]))
    return spectrum, test, _odd(z)


def _odd(z: Complex) -> tuple[str, ...]:
    said = []
    if (n := int(np.sum(z.imag > 0))) > 0.5 * len(z):
        said.append(
            f"{n} of {len(z)} imaginary parts are positive (inductive); turned round they fit no better, so they stay"
        )
    if (n := int(np.sum(z.real < 0))) > 0:
        said.append(f"{n} of {len(z)} real parts are negative, which no passive cell has")
    return tuple(said)
