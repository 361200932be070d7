"""What must be said of impedance spectra, in words: verdicts, doubts, assumptions."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

from interlith.characterize.impedance.arcs import BULK_F_PER_CM2
from interlith.characterize.impedance.eis_reading import Reading, determined
from interlith.characterize.impedance.eis_trend import Trend
from interlith.characterize.impedance.eis_values import ASSUMED_C, Facts
from interlith.characterize.impedance.kramers_kronig import SYSTEMATIC, KramersKronig

SLOW_HZ = 10.0  # points below take a tenth of a second and more each: there a cell has time to change
NOISE_TIMES, POOR = 3.0, 0.003  # times the noise, and of |Z|: a fit that leaves more than both is an approximation
MOST_NAMED = 5
LEAST_TOLD = 0.001  # scatter of a series
PLAIN_POWERS, MOST_DIGITS = (-6, 7), 5  # of numbers written without a power of 10; behind the first digit


def verdict_text(test: KramersKronig) -> str:
    """The verdict of the Kramers-Kronig test with its numbers and, where it failed, where and what that may mean."""
    numbers = f"residual {test.rms:.2%} rms, noise {test.noise:.2%}".replace("%", " %")
    if test.verdict == "consistent":
        seen = f"a systematic {max(test.detectable, SYSTEMATIC):.2%} would have been seen".replace("%", " %")
        return f"Kramers-Kronig: consistent; {numbers}; {seen}"
    if test.verdict == "undecided":
        return f"Kramers-Kronig: undecided, too few points or too much noise; {numbers}"
    places = ", ".join(f"{low:.3g} to {high:.3g} Hz" for low, high in test.bands_Hz)
    slow = any(low < SLOW_HZ for low, _ in test.bands_Hz)
    fast = any(low >= SLOW_HZ for low, _ in test.bands_Hz)
    why = ["the cell changed during the sweep (non-stationary) or did not answer linearly"] if slow else []
    why += ["leads, the instrument or its ranges"] if fast else []
    systematic = f"systematic {test.systematic:.2%} at {places}".replace("%", " %")
    return f"Kramers-Kronig: NOT consistent, {systematic} ({'; or '.join(why)}); {numbers}"


def headline(one: Reading) -> str:
    """One spectrum in one sentence."""
    words = {
        "consistent": "",
        "undecided": " (Kramers-Kronig undecided)",
        "not consistent": " (NOT Kramers-Kronig consistent)",
    }
    return f"{_told(one)}{words[one.test.verdict]}"


def _told(one: Reading) -> str:
    if not one.fits:
        return f"no resistance is given: the circuit leaves {percent(one.fit.rms)} of |Z|"
    known = one.given
    if not one.resistances_ohm and one.arcs is None:  # a circuit of the user's, to which no roles were given
        names = [name for name in one.fit.values if name.endswith("_ohm") and name not in one.fit.bounded]
        found = {name.removesuffix("_ohm"): (one.fit.values[name], one.fit.error(name)) for name in names}
        known = {name: each for name, each in found.items() if determined(*each)}
    words = [f"{role} {with_error(ohm, error)} Ω" for role, (ohm, error) in known.items()]
    if (farad := one.blocking_F) is not None:
        words.append(f"blocks: {farad:.3g} F at {one.spectrum.frequency_Hz.min():.3g} Hz")
    return ", ".join(words) or "no resistance is determined"


def series_headline(readings: Sequence[Reading], found: Sequence[Trend]) -> str:
    """A series in one sentence."""
    told = ", ".join(_trend_words(trend, len(readings)) for trend in found) or "no resistance is determined"
    n_bad = sum(one.test.verdict == "not consistent" for one in readings)
    bad = f"; {n_bad} NOT Kramers-Kronig consistent" if n_bad else ""
    n_poor = sum(not one.fits for one in readings)
    poor = f"; {n_poor} not described by the circuit" if n_poor else ""
    return f"{len(readings)} spectra: {told}{bad}{poor}"


def _trend_words(trend: Trend, n_spectra: int) -> str:
    """A resistance of a series; with the error of the fit, in all of its numbers, where that is above the scatter."""
    scatter_ohm = trend.repeatability * trend.mean_ohm
    some = "" if trend.n == n_spectra else f" in {trend.n}"

    def told(ohm: float, error_ohm: float) -> str:
        return with_error(ohm, error_ohm) if error_ohm > scatter_ohm else f"{ohm:#.4g}"

    if trend.is_steady:
        repeats = f"repeats within {max(trend.repeatability, LEAST_TOLD):.1%}".replace("%", " %")
        return f"{trend.role} {told(trend.mean_ohm, trend.fit_error_ohm)} Ω, {repeats}{some}"
    first, last = told(trend.first_ohm, trend.first_error_ohm), told(trend.last_ohm, trend.last_error_ohm)
    if trend.moves:
        return f"{trend.role} {first} to {last} Ω, not at one frequency{some}"
    if trend.is_change:
        return f"{trend.role} {first} to {last} Ω ({trend.change:+.0%}){some}".replace("%", " %")
    return f"{trend.role} between {trend.least_ohm:#.4g} and {trend.most_ohm:#.4g} Ω{some}"


def moved(found: Sequence[Trend]) -> list[str]:
    """What is said of arcs whose top does not stay where it was."""
    return [
        f"{trend.role}: its arc tops between {trend.top_Hz[0]:.3g} and {trend.top_Hz[1]:.3g} Hz, more than a decade "
        "apart: it need not be one process, and no change is given"
        for trend in found
        if trend.top_Hz is not None and trend.moves
    ]


def percent(fraction: float) -> str:
    """A fraction in percent, with two digits below 10 %.

    >>> percent(0.0077), percent(0.00034), percent(0.447)
    ('0.77 %', '0.034 %', '45 %')
    """
    return f"{100.0 * fraction:.2g} %"


def with_error(value: float, error: float) -> str:
    """A value and its standard error: two digits of the error, and the value to the same decimal.

    >>> with_error(0.002631, 0.00062), with_error(17463.0, 4600.0), with_error(2.0, 1e-9)
    ('0.00263 ± 0.00062', '17500 ± 4600', '2.00000 ± < 0.00001')
    >>> with_error(2.412e13, 4e12)
    '(2.41 ± 0.40)e13'
    """
    power = math.floor(math.log10(max(value, error)))
    if not PLAIN_POWERS[0] <= power < PLAIN_POWERS[1]:
        return f"({with_error(value / 10.0**power, error / 10.0**power)})e{power}"
    least = 10.0 ** (power - MOST_DIGITS)
    if error < least:
        return f"{value:.{max(MOST_DIGITS - power, 0)}f} ± < {least:.{max(MOST_DIGITS - power, 0)}f}"
    place = math.floor(math.log10(float(f"{error:.1e}"))) - 1
    return f"{round(value, -place):.{max(-place, 0)}f} ± {round(error, -place):.{max(-place, 0)}f}"


def source(one: Reading) -> str:
    """Where a number of one spectrum comes from, with what must stand beside it."""
    return f"EIS of {one.spectrum.name}, {one.fit.circuit.text}{marks([one])}"


def marks(readings: Sequence[Reading]) -> str:
    """What must stand with every number of these."""
    verdicts = [one.test.verdict for one in readings]
    roles = {role for one in readings if one.arcs is not None for role in one.given}
    return (
        ("; film and charge transfer by order of the arcs, an assignment" if "film" in roles else "")
        + ("; one arc, film and charge transfer together" if "interface" in roles else "")
        + ("; NOT Kramers-Kronig consistent" if "not consistent" in verdicts else "")
        + ("; Kramers-Kronig undecided" if "undecided" in verdicts else "")
    )


def remarks(readings: Sequence[Reading], facts: Facts, *, temperature_assumed: bool) -> list[str]:
    """All that must be known beside the numbers."""
    if len(readings) == 1:
        each = [verdict_text(readings[0].test), *readings[0].said, *_doubts(readings[0])]
    else:
        each = [*_verdicts(readings), *_gathered(readings)]
    return [*each, *_assigned(readings, facts), *_assumed(readings, facts, temperature_assumed)]


def _doubts(one: Reading) -> list[str]:
    said = list(one.arcs.doubts) if one.arcs is not None else []
    beyond = one.beyond
    said += [f"{', '.join(beyond)}: beyond the range of frequencies that was measured, and not given"] if beyond else []
    said += [f"blocks: {farad:.3g} F at its lowest frequency"] if (farad := one.blocking_F) is not None else []
    lost = [role for role, each in one.resistances_ohm.items() if not determined(*each) and role not in beyond]
    said += [f"{', '.join(lost)}: not determined by these data, and not given"] if lost else []
    if one.fit.rms > max(NOISE_TIMES * one.test.noise, POOR):
        text = f"the circuit leaves {percent(one.fit.rms)} where the noise is {percent(one.test.noise)}"
        poor = "it is an approximation, and its errors are widened for that"
        said.append(f"{text}: {poor if one.fits else 'it does not describe the spectrum, and nothing is given'}")
    if bounded := one.fit.bounded:
        held = ", ".join(f"{name} = {_bound_of(name, one.fit.values[name])}" for name in bounded)
        said.append(f"on a bound of the fit, without an error: {held}; the other errors are as if exponents were known")
    return said


def _bound_of(name: str, value: float) -> str:
    if name.endswith("_n"):
        return f"{value:.3g}"
    return "0" if value < 1.0 else "infinite"


def _verdicts(readings: Sequence[Reading]) -> list[str]:
    counts = Counter(one.test.verdict for one in readings)
    said = ["Kramers-Kronig: " + ", ".join(f"{n} of {len(readings)} {verdict}" for verdict, n in counts.items())]
    failed = [one for one in readings if one.test.verdict == "not consistent"]
    said += [f"{one.spectrum.name}: {verdict_text(one.test)}" for one in failed[:MOST_NAMED]]
    if len(failed) > MOST_NAMED:
        said.append(f"and {len(failed) - MOST_NAMED} more that are not consistent, in the table")
    return said


def _gathered(readings: Sequence[Reading]) -> list[str]:
    """Remarks of single spectra, those that are the same but for their numbers told once."""
    found: dict[str, list[tuple[str, str]]] = {}
    for one in readings:
        for text in (*one.said, *_doubts(one)):
            plain = "".join(letter for letter in text if not letter.isdigit() and letter not in ".+-,e")
            found.setdefault(plain, []).append((one.spectrum.name, text))
    return [
        f"{same[0][0]}: {same[0][1]}" + (f" (and {len(same) - 1} more spectra like it)" if len(same) > 1 else "")
        for same in found.values()
    ]


def _roles(readings: Iterable[Reading]) -> set[str]:
    """Names of arcs that are known, and whether some are of the bulk, which are no resistance by themselves."""
    named = {arc.name for one in readings if one.arcs is not None for arc in one.arcs.arcs}
    return named & {"bulk", *(role for one in readings for role in one.known)}


def _assigned(readings: Sequence[Reading], facts: Facts) -> list[str]:
    roles, said = _roles(readings), []
    if {"film", "charge transfer"} <= roles:
        said.append("film = the faster arc, charge transfer = the slower one: an ASSIGNMENT by order; confirm it")
    if "interface" in roles:
        said.append(
            "one arc: film and charge transfer are not told apart; were it charge transfer alone, the exchange current "
            "would have its least value"
        )
    if "bulk" in roles:
        area = "" if facts.area_cm2 is not None else " (as if the area were 1 cm2)"
        said.append(
            f"arcs below {BULK_F_PER_CM2:.0e} F/cm2{area} are taken as solid electrolyte or leads and counted to R_ohm"
        )
    if "slow" in roles:
        said.append("the slowest arc is not assigned: diffusion, the other electrode, or a pore")
    return said


def _assumed(readings: Sequence[Reading], facts: Facts, temperature_assumed: bool) -> list[str]:
    if not any("charge transfer" in one.known or "interface" in one.known for one in readings):
        return []
    if facts.area_cm2 is None:
        return ["no area given: nothing per area, no exchange current density"]
    said = [f"temperature {ASSUMED_C:g} C assumed"] if temperature_assumed else []
    said.append(_per_area(facts.area_ratio))
    if facts.n_electrodes == 1:
        said.append("all of film and charge transfer counted to one electrode; the counter electrode is in them too")
    else:
        said.append("two equal electrodes in series: half of film and charge transfer is each one's")
    return said


def _per_area(area_ratio: float | None) -> str:
    if area_ratio is None:
        return (
            "film and i0 per geometric area, and a study takes them per real area: give --area-ratio (m2/m2, e.g. the "
            "study's top_area_m2_per_m2) to have lines for a study"
        )
    return f"film and i0 per real area, {area_ratio:g} m2/m2: the film is multiplied, i0 divided by it"
