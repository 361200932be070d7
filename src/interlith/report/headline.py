"""The one sentence about a file that people remember: `headline(summary)`. It words what was found, no more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from interlith.report.deposition_page import stands
from interlith.report.surface_words import (
    BARRIER,
    BARRIER_2D,
    BINDING,
    ONE_MODEL,
    adsorbed_of,
    energy,
    models_of,
    why_not,
)
from interlith.report.wording import number, percent

Summary = Mapping[str, Any]
EXACT = 1e-6  # no tester comes near
FILM_DIGITS = 2
NEARLY_eV = 0.01  # barriers that are one
RETENTION_KNOWN_TO = 1e-3  # for its digits only: no tester repeats a capacity better


def headline(summary: Summary) -> str:
    """The main result of a file with its uncertainty, or why there is none.

    >>> headline({"error": {"type": "CorruptFile", "message": "cell.ndax: empty"}})
    'Not read: cell.ndax: empty'
    >>> headline({"kind": "reservoir", "results": {"reservoir": {"why_not": "the record ends before the last strip"}}})
    'Reservoir efficiency: none: the record ends before the last strip'
    """
    if summary.get("error"):
        return f"Not read: {summary['error']['message']}"
    if summary.get("kind") == "design":
        return _design(summary)
    if summary.get("kind") == "coat":
        return _coat(summary)
    if summary.get("kind") == "screen":
        return _screen(summary)
    if summary.get("kind") == "network":
        return _network(summary)
    if summary.get("kind") == "deposition":
        return _deposition(summary)
    if summary.get("headline"):  # a measurement's own
        return str(summary["headline"])
    results = summary.get("results") or {}
    word = BY_KIND.get(summary.get("kind") or "")
    first = word(results) if word else _other(summary)
    return "; ".join(part for part in (first, *_warnings(summary, results)) if part)


def _warnings(summary: Summary, results: Summary) -> list[str]:
    found = [f"stopped: {summary['stopped']}"] if summary.get("stopped") else []
    verdict = results.get("shorts", {}).get("verdict", "none seen")
    if summary.get("kind") != "symmetric" and verdict != "none seen":
        found.append(verdict)
    for name, rule in results.get("life", {}).items():
        if name.startswith("efficiency_below") and isinstance(rule, dict) and rule.get("cycle"):
            found.append(f"{number(float(name.split('_')[2]), 4)} % efficiency lost at cycle {rule['cycle']}")
    if onset := results.get("erratic", {}).get("onset_cycle"):
        found.append(f"erratic from cycle {onset} on")
    return found


def with_uncertainty(name: str, efficiency: float, result: Summary) -> str:
    """An efficiency with its uncertainty, where that comes from, and whether the loss stands out of it."""
    expanded = result.get("uncertainty_k2")
    if not expanded or expanded < EXACT:  # none known, or the exact currents of a simulation
        return f"{name} {percent(efficiency)} %"
    origin = f", offset {result['offset_kind']}" if result.get("offset_kind") else ""
    verdict = result.get("verdict") or ""
    verdict = "distinguishable from 100 %" if verdict == "significant" else verdict
    said = f"{name} {percent(efficiency, expanded)} % ± {percent(expanded, expanded)} % (k = 2{origin})"
    return f"{said}: {verdict}" if verdict else said


def _reservoir(results: Summary) -> str:
    found = results.get("reservoir", {})
    if found.get("efficiency") is not None:
        return with_uncertainty("Reservoir efficiency", found["efficiency"], found)
    at_most = found.get("efficiency_at_most")
    bound = f" (at most {percent(at_most)} %)" if at_most is not None else ""
    return f"Reservoir efficiency: none{bound}: {found.get('why_not') or 'not looked for'}"


def _efficiency(results: Summary) -> str:
    found = results.get("efficiency", {})
    if found.get("mean_efficiency") is None:
        return f"Mean cycle efficiency: none: {found.get('why_not') or 'not looked for'}"
    count = found.get("n_cycles")
    name = f"Mean efficiency of {count} cycle{'' if count == 1 else 's'}"
    said = with_uncertainty(name, found["mean_efficiency"], found)
    scatter = found.get("standard_deviation")
    return f"{said}; scatter {number(scatter * 100, 2)} % (standard deviation)" if scatter and count > 2 else said


def _full(results: Summary) -> str:
    kept = results.get("retention", {})
    if kept.get("retention") is None:
        return _efficiency(results)
    against = f"at cycle {kept.get('last_cycle')} against cycle {kept.get('reference_cycle')}"
    if kept.get("n_cycles") != kept.get("n_cycles_in_record"):
        against += f" ({kept.get('n_cycles')} of {kept.get('n_cycles_in_record')} cycles, those at one current)"
    return f"{_efficiency(results)}; capacity retention {percent(kept['retention'], RETENTION_KNOWN_TO)} % {against}"


def _symmetric(results: Summary) -> str:
    found = results.get("shorts", {})
    if found.get("why_not"):
        return f"Shorts: not judged: {found['why_not']}"
    verdict = found.get("verdict", "not looked for")
    if found.get("first_short_h") is None:
        level = results.get("hysteresis", {}).get("overpotential_median_mV")
        return f"Shorts: {verdict}" + (f"; overpotential {number(level, 3)} mV (median)" if level is not None else "")
    came_back = "rose again later" if found.get("first_is_transient") else "without recovery in this record"
    return (
        f"{verdict[:1].upper()}{verdict[1:]} at {number(found['first_short_h'], 3)} h, {came_back}: polarization from "
        f"{number(found['polarization_before_mV'], 3)} to {number(found['polarization_lowest_mV'], 3)} mV"
    )


def _spectra(results: Summary) -> str:
    found = results.get("impedance", {})
    if found.get("why_not") or "n_spectra" not in found:
        return f"Impedance: none: {found.get('why_not') or 'not looked for'}"
    count = found["n_spectra"]
    reach = f"{number(found['lowest_Hz'], 3)} to {number(found['highest_Hz'], 3)} Hz"
    first, last = found.get("real_at_lowest_first_ohm"), found.get("real_at_lowest_last_ohm")
    if first is None or last is None:
        return f"{count} impedance spectra, {reach}"
    at_lowest = f"{number(first, 3)} Ω"
    if count > 1:
        at_lowest += f" in the first, {number(last, 3)} Ω in the last"
    return f"{count} impedance spectr{'um' if count == 1 else 'a'}, {reach}; Re Z at the lowest frequency {at_lowest}"


def _other(summary: Summary) -> str:
    """What passed, and why there is no efficiency: for sweeps and for tests that no kind covers."""
    charge = [f"{number(summary[key], 3)} mAh {way}" for key, way in WAYS.items() if summary.get(key)]
    passed = " and ".join(charge) or "no charge passed"
    if summary.get("kind") == "cv":
        low, high = summary.get("voltage_V") or (0.0, 0.0)
        return f"Voltage swept between {number(low, 3)} and {number(high, 3)} V; {passed}"
    return f"No efficiency: {summary.get('kind_reason') or 'the kind of test is not known'}; {passed}"


def _fit(results: Summary) -> str:
    rows = results.get("fit", {}).get("estimates") or []
    return "; ".join(f"{row['parameter']}: {row['verdict']}" for row in rows)


def _rivals(results: Summary) -> str:
    rows = results.get("tests", {}).get("ranked") or []
    able = [row for row in rows if isinstance(row["cells"], int)]
    if not able:
        return "None of these tests tells the rivals apart"
    return f"{able[0]['tests']}: {able[0]['cells']} cells tell the rivals apart"


def _held_out(results: Summary) -> str:
    rows = [row for row in results.get("held_out", {}).get("rows") or [] if row["within"] is not None]
    return f"{sum(row['within'] for row in rows)} of {len(rows)} held-out results lie in the span of what is assumed"


def _design(summary: Summary) -> str:
    """What a cell as built delivers and weighs, what its uncertain values make of it, and whether it closes.

    >>> _design({"specific_energy_Wh_per_kg": {"whole": 360.4}, "energy_Wh": 5.667, "mass_g": 15.72})
    '360 Wh/kg, 5.67 Wh, 15.7 g'
    """
    energy, held, mass = summary["specific_energy_Wh_per_kg"]["whole"], summary["energy_Wh"], summary["mass_g"]
    said = [f"{number(energy, 3)} Wh/kg, {number(held, 3)} Wh, {number(mass, 3)} g"]
    if drawn := summary.get("monte_carlo"):
        low, high = (number(drawn[f"{name}_Wh_per_kg"], 3) for name in ("p5", "p95"))
        said.append(f"5 to 95 % of draws: {low} to {high} Wh/kg")
    claimed = (summary.get("published") or {}).get("specific_energy_Wh_per_kg")
    said += [f"published: {number(claimed, 4)} Wh/kg"] if claimed is not None else []
    audits = [row for row in summary.get("audits") or () if "cell" not in row]
    n_open = sum(audit["verdict"] == "does not close" for audit in audits)
    said += [f"{n_open} of {len(audits)} audits {'does' if n_open == 1 else 'do'} not close"] if n_open else []
    return "; ".join(said)


def _coat(summary: Summary) -> str:
    """What the recipe leaves, how it lies there, what limits it, and whether it closes."""
    load, film = percent(summary["loading_wt_fraction"]), number(summary["equivalent_thickness_nm"], FILM_DIGITS)
    kind = "" if summary["result_kind"] == "derived" else f" ({summary['result_kind']})"
    even = "" if summary["regime"] == "saturated" else f", {film} nm if it were even"
    said = [
        f"{load} wt% of the {summary['loading_of']}{kind}{even}; nominal "
        f"{number(summary['nominal_thickness_nm'], 3)} nm",
        *_how_it_lies(summary),
    ]
    n_open = sum(audit["verdict"] == "does not close" for audit in summary["audits"])
    n_all = len(summary["audits"])
    said += [f"{n_open} of {n_all} audits {'does' if n_open == 1 else 'do'} not close"] if n_open else []
    said += [f"{len(summary['warnings'])} warning{'s' * (len(summary['warnings']) > 1)}"] if summary["warnings"] else []
    return "; ".join(said)


def _how_it_lies(summary: Summary) -> list[str]:
    """Particles and what limits them, or the film that they have become."""
    if summary["regime"] == "saturated":
        return [f"a closed film of {number(summary['equivalent_thickness_nm'], 3)} nm; saturated"]
    size = number(summary["particle_diameter_nm"], 2)
    return [f"particles of {size} nm cover {percent(summary['coverage'])} %", f"{summary['regime']}-limited"]


def _deposition(summary: Summary) -> str:
    """How much the pores take, and when the front leaves them."""
    said = [f"Pores took {number(summary['in_pores_mAh_per_cm2']['mean'], 3)} mAh/cm2"]
    onset = summary["onset_mAh_per_cm2"]
    does = "stands" if onset["n_networks"] else "does not stand"
    since = stands(onset) if onset["mean"] is None else f"from {number(onset['mean'], 3)}"
    over = f"{since} mAh/cm2 on" if onset["n_networks"] else f"up to {number(onset['up_to_mAh_per_cm2'], 3)} mAh/cm2"
    said.append(f"lithium {does} {onset['above_um']:g} um over the host {over}")
    if len(left := summary["stripped_thickness_um"]) > 1:
        said.append(f"{number(left[-1]['mean'], 3)} um are left when cycle {left[-1]['cycle']} is stripped")
    beside = (*summary["thickness_um"], *summary["stripped_thickness_um"], summary["onset_mAh_per_cm2"])
    judged = [row["is_met"] for row in beside if row["is_met"] is not None]
    said += [f"{judged.count(False)} of {len(judged)} published numbers missed"] if judged else []
    return "; ".join([*said, "dead lithium is not converged; kinetics and contacts are assumed"])


def _network(summary: Summary) -> str:
    """What the pores hold, how wide they are, and what gets through them."""
    mean = {name: row["mean"] for name, row in summary["values"].items()}
    holds = number(mean["pore_capacity_mAh_per_cm2"], 3)
    said = [
        f"Pores are {percent(mean['porosity'])} % of it and hold {holds} mAh/cm2",
        f"half of them is wider than {number(mean['pore_diameter_um'], 2)} um",
        f"an electrolyte in them conducts {percent(mean['effective_diffusivity_through'])} % of a free one through",
    ]
    if mean["effective_diffusivity_in_plane"] is not None:
        said[-1] += f", {percent(mean['effective_diffusivity_in_plane'])} % in the plane"
    n_warned = len(summary["warnings"])
    return "; ".join([*said, *([f"{n_warned} warning{'s' * (n_warned > 1)}"] if n_warned else [])])


def _screen(summary: Summary) -> str:
    """Where lithium binds most, where it moves most easily, what is not known, what is published and not met."""
    rows = summary["surfaces"]
    if not any(row["models"] for row in rows):
        return "nothing is computed yet"
    sound = [row for row in rows if not row["not_ranked"]]
    bound, moving = ([row for row in sound if row[name] is not None] for name in (BINDING, BARRIER))
    said = [f"No face binds {adsorbed_of(rows)}, as far as is known"] if not bound else []
    if bound:
        most = max(bound, key=lambda row: row[BINDING])
        said.append(f"{adsorbed_of(rows).capitalize()} binds most to {most['key']}, {energy(most, BINDING)} eV")
    if moving:
        least = min(moving, key=lambda row: row[BARRIER])
        said.append(f"moves most easily over {least['key']}, barrier {energy(least, BARRIER)} eV{_in_2d(least)}")
    said += [ONE_MODEL] if len(models_of(rows)) == 1 else []
    n_late = sum(not row["models"] for row in rows)
    said += [f"{n_late} of {len(rows)} faces not computed yet"] if n_late else []
    n_left = sum(why_not(row) is not None for row in rows) - n_late
    said += [f"{n_left} of {len(rows)} faces not ranked"] if n_left else []
    compared = summary["against_paper"]
    n_missed = sum(one["is_met"] is False for one in compared)
    said += [f"{n_missed} of {len(compared)} comparisons with published numbers not met"] if n_missed else []
    return "; ".join(said)


def _in_2d(row: Mapping[str, Any]) -> str:
    """Whether that barrier leads along one direction only."""
    if row[BARRIER_2D] is None:
        return " along one direction"
    return (
        "" if row[BARRIER_2D] - row[BARRIER] < NEARLY_eV else f" along one direction, {energy(row, BARRIER_2D)} in two"
    )


WAYS = {"charged_mAh": "charged", "discharged_mAh": "discharged"}
BY_KIND: Mapping[str, Callable[[Summary], str]] = {
    "reservoir": _reservoir,
    "efficiency": _efficiency,
    "full": _full,
    "anode-free": _full,
    "symmetric": _symmetric,
    "eis": _spectra,
    "calibration": _fit,
    "discrimination": _rivals,
    "held-out": _held_out,
}
