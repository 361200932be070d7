"""What must be said of impedance spectra, in words: verdicts, doubts, assumptions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from interlith.characterize.impedance.arcs import BULK_F_PER_CM2
from interlith.characterize.impedance.eis_reading import Reading
from interlith.characterize.impedance.eis_tables import determined
from interlith.characterize.impedance.eis_values import ASSUMED_C, Facts, resistances
from interlith.characterize.impedance.kramers_kronig import SYSTEMATIC, KramersKronig

SLOW_HZ = 10.0  # points below take a tenth of a second and more each: there a cell has time to change
NOISE_TIMES, POOR = 3.0, 0.01  # times the noise, and of |Z|: a fit that leaves more than both is an approximation
MOST_NAMED = 5


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
    known = resistances(one)
    if not known and one.arcs is None:  # a circuit of the user's, to which no roles were given
        names = [name for name in one.fit.values if name.endswith("_ohm")]
        known = {name.removesuffix("_ohm"): (one.fit.values[name], one.fit.error(name)) for name in names}
    found = ", ".join(f"{role} {ohm:.4g} ± {error:.2g} Ω" for role, (ohm, error) in known.items())
    words = {
        "consistent": "",
        "undecided": " (Kramers-Kronig undecided)",
        "not consistent": " (NOT Kramers-Kronig consistent)",
    }
    return f"{found or 'no resistance is determined'}{words[one.test.verdict]}"


def source(one: Reading) -> str:
    """Where a number of one spectrum comes from, with what must stand beside it."""
    return f"EIS of {one.spectrum.name}, {one.fit.circuit.text}{marks([one])}"


def marks(readings: Sequence[Reading]) -> str:
    """What must stand with every number of these."""
    verdicts = [one.test.verdict for one in readings]
    roles = _roles(readings)
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
    lost = [role for role, found in one.resistances_ohm.items() if not determined(*found)]
    said += [f"{', '.join(lost)}: not determined by these data, and not given"] if lost else []
    if one.fit.rms > max(NOISE_TIMES * one.test.noise, POOR):
        text = f"the circuit leaves {one.fit.rms:.1%} where the noise is {one.test.noise:.2%}".replace("%", " %")
        said.append(f"{text}: it is an approximation, and its errors are widened for that")
    return said


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
    return {arc.name for one in readings if one.arcs is not None for arc in one.arcs.arcs}


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
    if not any("charge transfer" in one.resistances_ohm or "interface" in one.resistances_ohm for one in readings):
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
