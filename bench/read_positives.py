"""Read five published positive electrodes from PyBaMM and write them into parts/positives.toml.

    python bench/read_positives.py [--check]

At 25 C. Open circuit and diffusivity become tables, dense enough that the interpolation of parts/positive.py meets the
published function within TABLE_V and TABLE_RELATIVE. A table reaches as far as the function falls with lithium and
stays above LOWEST_V; `highest_V` cuts it where a published fit runs into a pole. The 1e-6 (1/x + 1/(x - 1)) that PyBaMM
adds to an open circuit at run time is not in it. --check: compare with the file, change nothing.
"""

import argparse
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pybamm

from interlith.parts.positive import Curve
from interlith.units import (
    FARADAY_C_PER_MOL,
    M2_PER_CM2,
    M_PER_UM,
    MICRO,
    MILLI,
    ZERO_CELSIUS_K,
    C_PER_M2_PER_mAh_PER_CM2,
)

FILE = Path(__file__).resolve().parents[1] / "src/interlith/parts/positives.toml"
ROOM_K = 25.0 + ZERO_CELSIUS_K
TABLE_V, TABLE_RELATIVE = 3e-5, 3e-4
LOWEST_V = 2.0
LEAST, MOST, COARSE = 0.01, 0.999, 0.01  # stoichiometry: ends of a table and its widest step
CHEN = "Chen et al., J. Electrochem. Soc. 167, 080534 (2020), doi:10.1149/1945-7111/ab9050"
OREGAN = "O'Regan et al., Electrochim. Acta 425, 140700 (2022), doi:10.1016/j.electacta.2022.140700"
XU = "Xu et al., J. Electrochem. Soc. 166, A3456 (2019)"
MOHTAT = "Mohtat et al., J. Electrochem. Soc. 167, 110561 (2020), doi:10.1149/1945-7111/aba5d1"
MARQUIS = "Marquis et al., J. Electrochem. Soc. 166, A3693 (2019), doi:10.1149/2.0341915jes"
RAMADASS = "Ramadass et al., J. Electrochem. Soc. 151, A196 (2004), doi:10.1149/1.1634273"
MEASURED, DERIVED, CALIBRATED = {"kind": "measured"}, {"kind": "derived"}, {"kind": "calibrated"}


def assumed(low: float, high: float) -> dict:
    return {"kind": "assumed", "low": low, "high": high}


FACTOR_10 = {"kind": "assumed", "times": (0.1, 10.0)}
FACTOR_2 = {"kind": "assumed", "times": (0.5, 2.0)}
TENTH = {"kind": "assumed", "times": (0.9, 1.1)}
FIFTH = {"kind": "assumed", "times": (0.8, 1.2)}
BRUGGEMAN, DOUBLE_LAYER, EXPONENT = assumed(1.0, 4.0), assumed(5.0, 50.0), assumed(0.3, 0.7)
LAYER = "judgement, a round number in every set"
UNMEASURED = "not traced to a measurement; range: judgement"
OF_LGM50 = {
    "porosity": (MEASURED, ""),
    "active_fraction": (DERIVED, "all of the solid, no binder"),
    "particle_radius_um": (MEASURED, ""),
    "bruggeman": (BRUGGEMAN, "not measured; range: judgement"),
    "double_layer_uF_per_cm2": (DOUBLE_LAYER, LAYER),
}
OF_OTHERS = {
    "porosity": (FIFTH, UNMEASURED),
    "active_fraction": (FIFTH, UNMEASURED),
    "particle_radius_um": (FACTOR_2, UNMEASURED),
    "bruggeman": (BRUGGEMAN, UNMEASURED),
    "most_lithium_mol_per_m3": (TENTH, UNMEASURED),
    "solid_conductivity_S_per_m": (FACTOR_10, UNMEASURED),
    "double_layer_uF_per_cm2": (DOUBLE_LAYER, LAYER),
    "exchange_current_density_A_per_m2": (FACTOR_10, UNMEASURED),
    "exchange_exponent_salt": (EXPONENT, "symmetric charge transfer"),
    "exchange_exponent_lithium": (EXPONENT, "symmetric charge transfer"),
    "exchange_exponent_vacant": (EXPONENT, "symmetric charge transfer"),
}
OFF = {
    "end_width": (0.03, "the published curve as it is"),
    "resistance_growth_ohm_cm2_per_cycle": (0.5, "no growth unless asked for"),
    "active_loss_per_cycle": (0.002, "no loss unless asked for"),
}
AGAINST_LITHIUM = (
    "judgement: usual against lithium; the cut-offs of the set, {low:g} and {high:g} V, are of a cell with graphite"
)
NMC811_WINDOW = ((2.8, assumed(2.5, 3.0)), (4.3, assumed(4.2, 4.4)), AGAINST_LITHIUM)
LCO_WINDOW = ((3.0, assumed(2.8, 3.2)), (4.2, assumed(4.1, 4.3)), AGAINST_LITHIUM)
NMC811_NOTE = (
    "The open circuit rests on data from about 0.26 to 0.91 lithium per site, 4.3 to 3.56 V; beyond it extrapolates. "
    "Discharge to less than 3.56 V ends with all lithium back (0.9084)."
)
SETS = {
    "nmc811-chen2020": {
        "set": "Chen2020",
        "paper": CHEN,
        "window": NMC811_WINDOW,
        "lithiated": (0.9084, DERIVED, "stoichiometry of the discharged cell"),
        "open_circuit": "fit to the measured open circuit of LG M50 (NMC811)",
        "diffusivity": (CALIBRATED, "adjusted to the discharge of the paper's cell"),
        "known": OF_LGM50
        | {
            "most_lithium_mol_per_m3": (CALIBRATED, "adjusted to the discharge of the paper's cell"),
            "solid_conductivity_S_per_m": (MEASURED, ""),
            "exchange_current_density_A_per_m2": (DERIVED, "from impedance"),
            "exchange_exponent_salt": (EXPONENT, "symmetric charge transfer"),
            "exchange_exponent_lithium": (EXPONENT, "symmetric charge transfer"),
            "exchange_exponent_vacant": (EXPONENT, "symmetric charge transfer"),
        },
        "note": NMC811_NOTE,
    },
    "nmc811-oregan2022": {
        "set": "ORegan2022",
        "paper": OREGAN,
        "window": NMC811_WINDOW,
        "lithiated": (0.9084, assumed(0.85, 0.95), f"that of the same electrode in {CHEN}"),
        "open_circuit": "nmc811-chen2020",
        "diffusivity": (CALIBRATED, "titration, times 2.7 to meet the discharge of the paper's cell"),
        "known": OF_LGM50
        | {
            "most_lithium_mol_per_m3": (DERIVED, ""),
            "solid_conductivity_S_per_m": (MEASURED, ""),
            "exchange_current_density_A_per_m2": (DERIVED, "from impedance"),
            "exchange_exponent_salt": (DERIVED, "from impedance"),
            "exchange_exponent_lithium": (DERIVED, "from impedance"),
            "exchange_exponent_vacant": (DERIVED, "from impedance"),
        },
        "note": NMC811_NOTE,
    },
    "nmc532-xu2019": {
        "set": "Xu2019",
        "paper": XU,
        "window": (
            (3.5, {"kind": "stated"}),
            (4.2, {"kind": "stated"}),
            "cut-off of the set, a cell against lithium",
        ),
        "open_circuit": f"fit to NMC532 by {MOHTAT}",
        "diffusivity": (FACTOR_10, UNMEASURED),
        "known": OF_OTHERS,
        "note": "It reaches 4.34 V when empty, so it cannot stand for charge to more than about 4.3 V.",
    },
    "lco-marquis2019": {
        "set": "Marquis2019",
        "paper": MARQUIS,
        "window": LCO_WINDOW,
        "open_circuit": "fit of Newman's Dualfoil to data of Doyle (1995) and Garcia (2001), stretched by 1.062",
        "diffusivity": (FACTOR_10, UNMEASURED),
        "known": OF_OTHERS,
        "note": "Set for charge to 4.1 V; above, the open circuit is a smooth fit of early data, without its steps.",
    },
    "lco-ramadass2004": {
        "set": "Ramadass2004",
        "paper": RAMADASS,
        "window": LCO_WINDOW,
        "highest_V": 4.3,
        "open_circuit": "fit of Ramadass et al., stretched by 1.13; cut before its poles at 0.374 and 0.889",
        "diffusivity": (FACTOR_10, UNMEASURED),
        "known": OF_OTHERS,
        "note": "Up to 4.2 V only: its open circuit has a pole at 0.374 lithium per site and is cut at 4.3 V.",
    },
}


def scalar(symbol) -> float | np.ndarray:
    return symbol.evaluate() if isinstance(symbol, pybamm.Symbol) else symbol


def functions(name: str) -> SimpleNamespace:
    """Open circuit, diffusivity and exchange current density of a set at 25 C as functions of plain numbers."""
    values = pybamm.ParameterValues(name)
    ocp, spread, exchange = (
        values[f"Positive {key}"]
        for key in ("electrode OCP [V]", "particle diffusivity [m2.s-1]", "electrode exchange-current density [A.m-2]")
    )
    most = values["Maximum concentration in positive electrode [mol.m-3]"]

    def diffusivity(x):
        if not callable(spread):
            return np.full_like(x, spread)
        return np.vectorize(lambda at: float(np.squeeze(scalar(spread(at, ROOM_K)))))(x)

    def exchange_at(x: float, salt_mol_per_m3: float) -> float:
        return float(values.evaluate(exchange(pybamm.Scalar(salt_mol_per_m3), x * most, most, ROOM_K)))

    return SimpleNamespace(open_circuit=ocp, diffusivity=diffusivity, exchange=exchange_at, values=values)


def ends(open_circuit, highest_V: float) -> tuple[float, float]:
    """The stoichiometries between which the function falls from highest_V at most to LOWEST_V."""
    x = np.linspace(LEAST, MOST, 98_901)
    V = open_circuit(x)
    sane = np.isfinite(V) & (V >= LOWEST_V) & (highest_V >= V) & (np.gradient(V, x) < 0)
    middle = np.searchsorted(x, 0.6)
    before, after = np.flatnonzero(~sane[:middle]), np.flatnonzero(~sane[middle:])
    least = x[before[-1] + 1] if len(before) else x[0]
    most = x[middle + after[0] - 1] if len(after) else x[-1]
    return float(round(least, 5)), float(round(most, 5))


def table(function, least: float, most: float, allowed) -> Curve:
    """A curve that meets the function: intervals are halved until all of them do. allowed(values): the error each."""
    x = np.round(np.linspace(least, most, 1 + int(np.ceil((most - least) / COARSE))), 6)
    within = np.linspace(0.05, 0.95, 19)
    for _ in range(20):
        curve = Curve(stoichiometry=x.tolist(), value=[float(f"{v:.7g}") for v in function(x)])
        inner = x[:-1, None] + np.diff(x)[:, None] * within
        truth = function(inner)
        bad = np.any(np.abs(curve(inner) - truth) > allowed(truth), axis=1)
        if not np.any(bad):
            return curve
        x = np.sort(np.r_[x, np.round(0.5 * (x[:-1] + x[1:])[bad], 6)])
    raise SystemExit("a table does not converge")


def exchange_law(found: SimpleNamespace) -> tuple[float, float, float, float]:
    """Prefactor and exponents of salt, lithium and vacant sites, checked at other points."""
    half = found.exchange(0.5, 1000.0)
    salt = np.log2(found.exchange(0.5, 2000.0) / half)
    # x = 1/3 and 2/3 against 1/2: two equations for the two exponents
    third, two = (np.log(found.exchange(x, 1000.0) / half) for x in (1 / 3, 2 / 3))
    lithium, vacant = np.linalg.solve(np.log([[2 / 3, 4 / 3], [4 / 3, 2 / 3]]), [third, two])
    exponents = tuple(float(round(e, 9)) for e in (salt, lithium, vacant))
    prefactor = half * 2.0 ** (exponents[1] + exponents[2])
    for x, c in ((0.1, 300.0), (0.9, 1700.0), (0.99, 1000.0)):
        law = prefactor * (c * MILLI) ** exponents[0] * x ** exponents[1] * (1 - x) ** exponents[2]
        assert abs(law / found.exchange(x, c) - 1) < 1e-9, "the law does not hold"
    return prefactor, *exponents


def numbers(found: SimpleNamespace) -> dict[str, float]:
    """The single numbers of a set, in the units of the fields."""

    def value(key: str) -> float:
        return found.values[f"Positive {key}"]

    solid = value("electrode conductivity [S.m-1]")
    solid = float(scalar(solid(0.5, ROOM_K))) if callable(solid) else solid
    porosity = value("electrode porosity")
    law = exchange_law(found)
    return {
        "porosity": porosity,
        "bruggeman": value("electrode Bruggeman coefficient (electrolyte)"),
        "active_fraction": value("electrode active material volume fraction"),
        "particle_radius_um": value("particle radius [m]") / M_PER_UM,
        "most_lithium_mol_per_m3": found.values["Maximum concentration in positive electrode [mol.m-3]"],
        "solid_conductivity_S_per_m": solid * (1 - porosity) ** value("electrode Bruggeman coefficient (electrode)"),
        "double_layer_uF_per_cm2": value("electrode double-layer capacity [F.m-2]") * M2_PER_CM2 / MICRO,
        "exchange_current_density_A_per_m2": law[0],
        "exchange_exponent_salt": law[1],
        "exchange_exponent_lithium": law[2],
        "exchange_exponent_vacant": law[3],
    }


def line(key: str, value: float, how: dict, source: str) -> str:
    low, high = (value * t for t in how["times"]) if "times" in how else (how.get("low"), how.get("high"))
    bounds = f", low = {low:.4g}, high = {high:.4g}" if low is not None else ""
    return f'{key} = {{ value = {value:.9g}, kind = "{how["kind"]}"{bounds}, source = "{source}" }}\n'


def written_curve(heading: str, curve: Curve, how: dict, source: str) -> str:
    def rows(values) -> str:
        texts = [f"{v:.7g}" if "." in f"{v:.7g}" or "e" in f"{v:.7g}" else f"{v:.1f}" for v in values]
        lines = ("    " + ", ".join(texts[i : i + 12]) + ",\n" for i in range(0, len(texts), 12))
        return "[\n" + "".join(lines) + "]"

    low, high = (curve.value[0] * t for t in how["times"]) if "times" in how else (None, None)
    bounds = f", low = {low:.4g}, high = {high:.4g}" if low is not None else ""
    origin = f'{{ kind = "{how["kind"]}"{bounds}, source = "{source}" }}'
    table = f"stoichiometry = {rows(curve.stoichiometry)}\nvalue = {rows(curve.value)}\n"
    return f"\n[{heading}]\n{table}origin = {origin}\n"


def section(name: str, entry: dict) -> str:
    found = functions(entry["set"])
    source = f"{entry['paper']}, as in PyBaMM {pybamm.__version__} set {entry['set']}"
    shared = entry["open_circuit"] in SETS
    least, most = ends(found.open_circuit, entry.get("highest_V", 5.0))
    ocp = table(found.open_circuit, least, most, lambda truth: np.full_like(truth, TABLE_V))
    single = numbers(found)

    cut = {"low": found.values["Lower voltage cut-off [V]"], "high": found.values["Upper voltage cut-off [V]"]}
    (lower, lower_how), (upper, upper_how), window = entry["window"]
    window = window.format(**cut)
    fine = np.linspace(least, most, 1_000_001)
    charged, empty = (float(np.interp(-V, -ocp(fine), fine)) for V in (upper, lower))
    at_lower = (round(empty, 4), assumed(0.9 * empty, most), f"where the open circuit falls to {lower:g} V")
    lithiated, lithiated_how, why = entry.get("lithiated", at_lower)
    moles_per_m2 = single["most_lithium_mol_per_m3"] * single["active_fraction"]
    moles_per_m2 *= found.values["Positive electrode thickness [m]"] * (min(lithiated, empty) - charged)
    capacity = moles_per_m2 * FARADAY_C_PER_MOL / C_PER_M2_PER_mAh_PER_CM2

    text = f'\n["{name}"]\nnote = "{name}, at 25 C only. {entry["note"]}"\n'
    thickness = f"thickness of the electrode of {source}, between the two voltages"
    text += line("areal_capacity_mAh_per_cm2", capacity, DERIVED, thickness)
    text += line("lower_voltage_V", lower, lower_how, f"{window}; {source}" if "set, a" in window else window)
    text += line("upper_voltage_V", upper, upper_how, f"{window}; {source}" if "set, a" in window else window)
    text += line("lithiated", lithiated, lithiated_how, f"{why}; {source}")
    for key, (high, remark) in OFF.items():
        text += line(key, 0.0, assumed(0.0, high), f"judgement: {remark}")
    for key, value in single.items():
        how, remark = entry["known"][key]
        text += line(key, value, how, f"{source}; {remark}" if remark else source)
    if shared:
        text += f'open_circuit = "{entry["open_circuit"]}"\n'
    else:
        text += written_curve(f'"{name}".open_circuit', ocp, DERIVED, f"{entry['open_circuit']}; {source}")
    how, remark = entry["diffusivity"]
    x = np.array([0.2, 0.5, 0.8])
    if np.ptp(found.diffusivity(x)) == 0:
        spread = Curve(stoichiometry=(0.5,), value=(float(found.diffusivity(x)[0]),))
    else:
        spread = table(found.diffusivity, least, most, lambda truth: TABLE_RELATIVE * truth)
    print(f"{name}: {len(ocp.value)} and {len(spread.value)} points; open circuit from {ocp.value[0]:.3f} V at {least}")
    print(
        f"    to {ocp.value[-1]:.3f} V at {most}; {capacity:.3f} mAh/cm2, charged {charged:.4f}, empty at {empty:.4f}"
    )
    return text + written_curve(f'"{name}".diffusivity', spread, how, f"{remark}; {source}")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--check", action="store_true")
    text = "# Published positive electrodes at 25 C, written by bench/read_positives.py: change that, not this.\n"
    text += "# Tables over lithium per site; open circuit in V against lithium, diffusivity in m2/s.\n"
    text += "".join(section(name, entry) for name, entry in SETS.items())
    if not arguments.parse_args().check:
        FILE.write_text(text, encoding="utf-8")
    elif FILE.read_text(encoding="utf-8") != text:
        sys.exit(f"{FILE.name} is not what this script writes")


if __name__ == "__main__":
    main()
