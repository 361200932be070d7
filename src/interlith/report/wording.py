"""Keys and values of a summary in words: names with units, numbers with the digits they deserve, percentages."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from interlith.parts.listing import UNITS

PERCENT = 100.0
MOST_DECIMALS = 4  # of a percentage: no cycler knows more
WHOLE = 12  # digits of a count: all of them
NOT_KNOWN = "not known"
NARROW = "\u202f"  # narrow no-break space, between the thousands
UNIT_WORDS: Mapping[str, str] = {
    "cm2_per_cm2": "cm² cm⁻²",
    "uA_per_cm2": "µA cm⁻²",
    "A_per_m2": "A m⁻²",
    "m2_per_g": "m² g⁻¹",
    "m2_per_m2": "m² m⁻²",
    "per_um2": "µm⁻²",
    "per_um": "µm⁻¹",
    "mol_per_kg": "mol kg⁻¹",
    "ohm_cm2": "Ω cm²",
    "mAh_per_cm2": "mAh cm⁻²",
    "mA_per_cm2": "mA cm⁻²",
    "mAh_per_g": "mAh g⁻¹",
    "Wh_per_kg": "Wh kg⁻¹",
    "Wh_per_L": "Wh L⁻¹",
    "mg_per_cm2": "mg cm⁻²",
    "g_per_cm3": "g cm⁻³",
    "g_per_Ah": "g Ah⁻¹",
    "mAh_per_V": "mAh V⁻¹",
    "mAh": "mAh",
    "mWh": "mWh",
    "mA": "mA",
    "uA": "µA",
    "mV": "mV",
    "V": "V",
    "h": "h",
    "s": "s",
    "Hz": "Hz",
    "ohm": "Ω",
    "mg": "mg",
    "g": "g",
    "Ah": "Ah",
    "Wh": "Wh",
    "mL": "mL",
    "um": "µm",
    "nm": "nm",
    "mol": "mol",
    "kg": "kg",
    "m3": "m³",
    "K": "K",
    "mm": "mm",
    "cm": "cm",
    "cm2": "cm²",
    "MPa": "MPa",
    "eV_per_A2": "eV Å⁻²",
    "eV_per_A": "eV Å⁻¹",
    "e_per_A": "e Å⁻¹",
    "eV": "eV",
    "A": "Å",
}
WORDS: Mapping[str, str] = {"dqdv": "dQ/dV", "sei": "SEI", "k2": "(k = 2)", "n": "number of", "macmullin": "MacMullin"}
NAMES: dict[str, str] = {"n_to_p": "N/P", "g_per_Ah": "E/C (g Ah⁻¹)", "Wh_per_L": "Wh L⁻¹"}  # of whole keys
NAMES |= {"loading_wt_fraction": "loading (wt%)", "powder_loading_wt_fraction": "loading of the powder (wt%)"}
NAMES |= {
    "loading_of_half_the_batch": "loading of half the batch (wt%)",
    "residue_wt_fraction": "residue of a TGA in air (wt%)",
    "conformal_limit_wt_fraction": "loading of a closed film (wt%)",
    "regime_shares": "oxide by what limits it",
    "cost_per_kg": "cost per kg of bare powder",
}
FRACTIONS = (
    "loss",
    "uncertainty_k2",
    "offset_share_of_variance",
    "stripped_over_plated",
    "standard_deviation",
    "retention",
    "difference",
    "worst_difference",
    "limit",
    "early_sigma",
    "share",
    "probability_of_published",
    "coverage",
    "utilization",
    "char_yield",
)
FRACTION_ENDS = ("efficiency", "efficiencies", "wt_fraction")
LOADINGS = ("coverage_", "loading_at_", "loading_of_half")
PLACES = ("materials.", "case.", "growth.")  # that a reader of a dotted name does not miss
FROM_OFFSET = ("offset_uA", "uncertainty_k2", "offset_share_of_variance", "verdict")


def label(key: str) -> str:
    """What a key says, with its unit behind it.

    >>> label("lost_mAh_per_cm2"), label("offset_uA"), label("n_cycles"), label("mean_efficiency")
    ('lost (mAh cm⁻²)', 'offset (µA)', 'number of cycles', 'mean efficiency (%)')
    """
    if key in NAMES:
        return NAMES[key]
    name, unit = _parted(key)
    words = " ".join(WORDS.get(word, word) for word in name.split("_"))
    unit = "%" if is_fraction(key) else unit
    return f"{words} ({unit})" if unit else words


def quantity(name: str) -> str:
    """A dotted name of a value of a cell in words, with its unit, plain enough for any font.

    >>> quantity("materials.ncm90.specific_capacity_mAh_per_g"), quantity("negative.lithium.on_outer_faces")
    ('ncm90 specific capacity (mAh/g)', 'negative lithium on outer faces')
    """
    for place in PLACES:
        name = name.removeprefix(place)
    path, _, last = name.rpartition(".")
    ending = next((ending for ending in UNITS if last == ending or last.endswith(f"_{ending}")), "")
    words = f"{path}.{last.removesuffix(ending)}" if ending else name
    words = words.replace(".", " ").replace("_", " ").strip()
    return f"{words} ({UNITS[ending]})" if ending else words


def shares(parts: Mapping[str, float]) -> str:
    """Parts of a whole in words, the largest first, those that are nothing left out.

    >>> shares({"supply": 0.97, "water": 0.0, "nucleation": 0.03})
    '97 % supply, 3 % nucleation'
    """
    ranked = sorted((item for item in parts.items() if item[1] > 0), key=lambda item: -item[1])
    return ", ".join(f"{_whole(share)} % {name}" for name, share in ranked)


def _whole(share: float) -> str:
    percents = f"{share * PERCENT:.0f}"
    return percents if percents != "0" else "under 1"


def _parted(key: str) -> tuple[str, str]:
    for suffix, unit in UNIT_WORDS.items():
        if key.endswith(f"_{suffix}"):
            return key.removesuffix(f"_{suffix}"), unit
    return key, ""


def is_fraction(key: str) -> bool:
    """Whether a value is a fraction that people read in percent."""
    name = key.removeprefix("efficiency_") if key.startswith("efficiency_") else key
    return (
        key in FRACTIONS
        or key.startswith("efficiency_of")
        or name.startswith(("at_most", "with_", *LOADINGS))
        or key.endswith(FRACTION_ENDS)
    )


def number(value: float, digits: int = 4) -> str:
    """A number with so many significant digits, thousands apart, powers of ten written as such.

    >>> number(0.0143), number(18.0960001), number(1.5e-7), number(0.0), number(9.9996e-5)
    ('0.0143', '18.1', '1.5 × 10⁻⁷', '0', '1 × 10⁻⁴')
    """
    if value == 0:
        return "0"
    power = math.floor(math.log10(abs(value)))
    if power < -3 or power > 8:  # what rounds up to 10 has the next power
        power += abs(float(f"{value:.{max(digits - 2, 0)}e}")) >= 10.0 ** (power + 1)
    if power < -3 or power > 8:
        mantissa = f"{value / 10.0**power:.{digits - 1}g}"
        return f"{mantissa} × 10{str(power).translate(_RAISED)}".replace("-", "−")
    text = f"{value:,.{max(digits - 1 - power, 0)}f}".replace(",", NARROW if abs(value) >= 1e4 else "")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return text.replace("-", "−")


_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def percent(fraction: float, uncertainty: float | None = None) -> str:
    """A fraction in %, without the sign: to two digits of its uncertainty, else to three digits of its distance from 1.

    >>> percent(0.9989, 0.004416), percent(0.99891234), percent(0.004416)
    ('99.89', '99.891', '0.442')
    """
    if uncertainty:
        return f"{fraction * PERCENT:.{_decimals(uncertainty * PERCENT, 2)}f}".replace("-", "−")
    distance = min(abs(fraction), abs(1 - fraction)) if fraction > 0.5 else abs(fraction)
    if distance == 0:
        return f"{fraction * PERCENT:g}"
    return f"{fraction * PERCENT:.{_decimals(distance * PERCENT, 3)}f}".replace("-", "−")


def about(name: str, mean: float, deviation: float | None = None) -> str:
    """A value that may differ, by its mean and its standard deviation; "NAME = CHOICE" is the probability of a choice.

    >>> about("electrolyte.basis = rated", 0.8042, 0.4), about("tape_g", 0.0561, 0.023), about("tape_g", 0.06)
    ('80 %', '0.0561 ± 0.023', '0.06')
    """
    if " = " in name:
        return f"{mean * PERCENT:.0f} %"
    return f"{mean:.4g}" if deviation is None else f"{mean:.4g} ± {deviation:.2g}"


def plus_minus(value: float, spread: float | None, decimals: int = 2) -> str:
    """A value and how far what it was made of lies from it; alone where that is not known.

    >>> plus_minus(2.725, 0.025), plus_minus(0.0444, 0.0002, 3), plus_minus(4.69, None)
    ('2.73 ± 0.03', '0.044 ± <0.001', '4.69')
    """
    shown = f"{value + 0.0:.{decimals}f}".replace("-", "−")
    if spread is None:
        return shown
    least = 10.0**-decimals
    return f"{shown} ± " + (f"{spread:.{decimals}f}" if spread >= least / 2 else f"<{least:.{decimals}f}")


def _decimals(value: float, digits: int) -> int:
    return int(min(max(digits - 1 - math.floor(math.log10(abs(value))), 0), MOST_DECIMALS))


def text_of(key: str, value: Any, uncertainty: float | None = None) -> str:
    """A value of a result as a reader wants it; the unit stands in its label.

    >>> text_of("loss", 0.0011, 0.004416), text_of("dead_lithium_mAh", [0.0, 0.118]), text_of("onset_cycle", None)
    ('0.11', '0 to 0.118', 'not known')
    """
    if value is None:
        return NOT_KNOWN
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        if "state" in value and "rule" in value:
            return _rule_of_life(value)
        if set(value) == {"value", "low", "high"}:
            return _with_interval(key, value)
        return ", ".join(f"{label(str(k))}: {text_of(str(k), v)}" for k, v in value.items())
    if isinstance(value, (list, tuple)):
        return _listed(key, value)
    if isinstance(value, (int, float)):
        return _number(key, value, uncertainty)
    return str(value)


def _with_interval(key: str, value: Mapping[str, Any]) -> str:
    """A value and where it lies.

    >>> _with_interval("size_nm", {"value": 15.1, "low": 11.06, "high": 19.13})
    '15.1 (11.06 to 19.13)'
    """
    ends = [text_of(key, value[end]) for end in ("low", "high")]
    return f"{text_of(key, value['value'])} ({' to '.join(ends)})"


def _rule_of_life(rule: Mapping[str, Any]) -> str:
    """What came of a rule of life, and the rule.

    >>> _rule_of_life({"state": "reached", "cycle": 41, "time_h": 82.5, "rule": "first erratic cycle"})
    'cycle 41, 82.5 h (first erratic cycle)'
    """
    places = [f"cycle {rule['cycle']}"] if rule.get("cycle") is not None else []
    places += [f"{number(rule['time_h'], 3)} h"] if rule.get("time_h") is not None else []
    return f"{', '.join(places) or rule['state']} ({rule['rule']})"


def _listed(key: str, values: Any) -> str:
    if not values:
        return "none"
    texts = [text_of(key, value) for value in values]
    interval = len(texts) == 2 and _parted(key)[1] and all(isinstance(value, (int, float)) for value in values)
    return " to ".join(texts) if interval else "; ".join(texts)


def _number(key: str, value: float, uncertainty: float | None) -> str:
    if is_fraction(key):
        return percent(value, uncertainty if key.endswith(("efficiency", "loss", "uncertainty_k2")) else None)
    return number(value, WHOLE if isinstance(value, int) else 4)


def from_assumption(key: str, result: Mapping[str, Any]) -> bool:
    """Whether a value rests on an offset of the current that was assumed."""
    return result.get("offset_kind") == "assumed" and key in FROM_OFFSET
