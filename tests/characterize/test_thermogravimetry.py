"""Thermogravimetry: residues invert to loadings, in whatever way a file is written, and what is wrong is said."""

import itertools
import json
import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lab_truth import burnt

from interlith.characterize.thermogravimetry import tga, thermogram
from interlith.characterize.thermogravimetry.tga import Curve, Residue, is_tga, loading, measure_tga, read_tga, residue
from interlith.errors import CorruptFile, InputError, InterlithError, PhysicsError, UnsupportedFormat
from interlith.parts.cell import Coating
from interlith.parts.quantity import as_toml


def left(value, error=0.0, burnt_off=True):
    return Residue(value, error, 0.0, burnt_off, 0.0, 850.0, 900.0)


def curve(w=0.1062, ash=0.02, name="a.txt", mass_mg=8.0, **more):
    return Curve(name, *burnt(w, ash, **more), mass_mg)


def text(temperature, mass, *, head="", names=("Temperature (°C)", "Weight (%)"), scale=100.0, delimiter="\t"):
    rows = (f"{t:.4f}{delimiter}{m * scale:.6f}" for t, m in zip(temperature, mass, strict=True))
    return "\n".join([*([head] if head else []), delimiter.join(names), *rows]) + "\n"


def written(tmp_path, content, name="run.txt", encoding="utf-8"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


@given(w=st.floats(0.0, 0.95), ash=st.floats(0.0, 0.5))
def test_a_residue_inverts_to_the_loading_that_made_it(w, ash):
    assert loading(left(w + ash * (1 - w)), left(ash)).value == pytest.approx(w, abs=1e-12)


@given(w=st.floats(0.02, 0.6), ash=st.floats(0.0, 0.3), water=st.floats(0.0, 0.2))
@settings(max_examples=30, deadline=None)
def test_whole_curves_give_back_the_loading_whatever_the_water(w, ash, water):
    found = measure_tga(curve(w, ash, water=water), curve(0.0, ash, water=0.01))
    assert found.values["loading_wt_fraction"] == pytest.approx(w, abs=2e-4)
    assert found.values["coated"]["water"] == pytest.approx(water, abs=2e-4)


def test_two_per_cent_of_ash_move_12_41_wt_per_cent_to_10_6():
    assert 100 * loading(left(0.1241), left(0.02)).value == pytest.approx(10.62, abs=0.005)


def test_without_a_bare_run_there_is_an_interval_and_no_number():
    found = measure_tga(curve(), buoyancy_mg=0.0)
    assert found.values["loading_wt_fraction"] is None
    assert found.values["loading_low_wt_fraction"] == pytest.approx((0.1241 - 0.1) / 0.9, abs=2e-4)
    assert found.values["loading_high_wt_fraction"] == pytest.approx(0.1241, abs=2e-4)
    assert "between 2.7 and 12.4 wt%" in found.headline
    (quantity,) = found.quantities
    assert quantity.standard_error is None
    assert quantity.interval == pytest.approx((0.0268, 0.1241), abs=2e-4)
    assert "interval, no bare run" in quantity.toml
    assert any("burn the bare paper" in text for text in found.said)


@given(st.floats(0.02, 0.9), st.floats(0.0, 0.1))
def test_the_interval_without_a_bare_run_holds_every_loading_whose_ash_is_in_the_range(w, ash):
    found = loading(left(w + ash * (1 - w)))
    assert found.low - 1e-12 <= w <= found.high + 1e-12
    assert found.error is None


def test_errors_are_those_of_many_noisy_runs():
    """At a large residue and much ash, where the error of the ash counts by little more than half."""
    rng = np.random.default_rng(3)
    noise = rng.normal(0, 1, (4000, 2)) * (0.002, 0.01)
    found = [loading(left(0.5 + one, 0.002), left(0.2 + other, 0.01)) for one, other in noise]
    spread = np.std([one.value for one in found])
    assert np.mean([one.error for one in found]) == pytest.approx(spread, rel=0.05)
    inside = np.mean([one.low <= (0.5 - 0.2) / 0.8 <= one.high for one in found])
    assert inside == pytest.approx(0.95, abs=0.012)


def test_the_quantities_stand_in_their_files_and_close_with_the_coating_of_a_cell():
    found = measure_tga(curve(), curve(0.0), areal_mass_mg_per_cm2=1.0)
    places = {one.name: (one.file, one.table) for one in found.quantities}
    assert places == {
        "loading_wt_fraction": ("recipe", "measured"),
        "zinc_oxide_mg_per_cm2": ("study", "set.coating"),
    }
    oxide = found.quantities[1]
    coating = Coating(
        zinc_oxide_mg_per_cm2=oxide.value, conversion_voltage_V=0.5, alloy_voltage_V=0.2, reaction_time_s=1
    )
    middle = (found.values["conversion_low_mAh_per_cm2"] + found.values["conversion_high_mAh_per_cm2"]) / 2
    assert middle == pytest.approx(coating.conversion_mAh_per_cm2, rel=1e-9)
    assert found.values["alloy_high_mAh_per_cm2"] == pytest.approx(found.values["conversion_high_mAh_per_cm2"] / 2)
    assert "[set.coating]" in as_toml(found.quantities)
    json.dumps(found.values, allow_nan=False)


def test_the_reference_paper_takes_0_082_mAh_per_cm2():
    assert tga.conversion_mAh_per_g() * 0.1241e-3 == pytest.approx(0.082, abs=5e-4)


FORMS = {
    "trios": ("[step]\nRamp 10.0 °C/min\nTime\tTemperature\tWeight\nmin\t°C\tmg\n", "{t:.4f}\t{T:.4f}\t{mg:.6f}"),
    "universal": (
        "Version\t7.0\nInstrument\tTGA Q500\nSize\t8.0000\tmg\nXcomment\tGas1: Nitrogen 40.0 ml/min\n"
        "Xcomment\tGas2: Air 60.0 ml/min\nOrgMethod\t1: Ramp 10.00 °C/min to 900.00 °C\nNsig\t3\nSig1\tTime (min)\n"
        "Sig2\tTemperature (°C)\nSig3\tWeight (mg)\nStartOfData\n",
        "{t:.6f}\t{T:.6f}\t{mg:.6f}",
    ),
    "netzsch": (
        "#EXPORTTYPE:DATA ALL\n#SEPARATOR:SEMICOLON\n#DECIMAL:POINT\n#SAMPLE MASS /mg:8.0\n"
        "#RANGE:25/10.0(K/min)/900\n##Temp./°C;Time/min;DSC/(mW/mg);Mass/%\n",
        " {T:.5f};{t:.5f};-1.5e-2;{p:.5f}",
    ),
    "netzsch-comma": ("#SAMPLE MASS /mg:8,0\n##Temp./°C;Mass/%\n", "{T:.5f};{p:.5f}"),
    "mettler": (
        "Curve Name:\n  !&bare\nCurve Values:\n  Index             t            Ts            Tr         Value\n"
        "                  [s]          [°C]          [°C]          [mg]\n",
        "{i:>8d} {s:>12.3f} {T:>12.4f} {T:>12.4f} {mg:>12.6f}",
    ),
    "perkinelmer": (
        "Time,Unsubtracted Weight,Baseline Weight,Program Temperature,Sample Temperature,Approx. Gas Flow\n",
        "{t:.5f},{mg:.6f},0,{hot:.3f},{T:.4f},20.0",
    ),
    "kelvin": ("T (K),m (mg),Mass (mg)\n", "{K:.4f},0,{mg:.6f}"),
    "change": ("Temperature/°C\tMass change/%\n", "{T:.4f}\t{drop:.5f}"),
}


def exported(form, temperature, fraction):
    head, row = FORMS[form]
    lines = [
        row.format(
            i=i, T=T, K=T + 273.15, hot=T + 3, t=(T - 25) / 10, s=(T - 25) * 6, mg=8 * m, p=100 * m, drop=100 * (m - 1)
        )
        for i, (T, m) in enumerate(zip(temperature, fraction, strict=True))
    ]
    body = "\n".join(lines) + "\n"
    return head + (body.replace(".", ",") if form.endswith("comma") else body)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
@pytest.mark.parametrize("form", FORMS)
def test_every_maker_s_export_reads_to_the_same_curve(tmp_path, form, encoding):
    temperature, fraction = burnt(0.1062, 0.02)
    path = written(tmp_path, exported(form, temperature, fraction), encoding=encoding)
    assert is_tga(path)
    found = read_tga(path)
    assert found.temperature_C == pytest.approx(temperature, abs=1e-3)
    assert found.mass_fraction == pytest.approx(fraction, abs=1e-5)
    if form not in ("change", "perkinelmer"):
        assert found.initial_mass_mg == pytest.approx(8.0, rel=1e-4)


def test_a_column_in_mg_beside_one_in_per_cent_tells_the_sample_mass(tmp_path):
    rows = "\n".join(f"{t:.3f}\t{8 * m:.5f}\t{100 * m:.4f}" for t, m in zip(*burnt(0.1, 0.02), strict=True))
    found = read_tga(written(tmp_path, "Temperature (°C)\tWeight (mg)\tWeight (%)\n" + rows))
    assert found.initial_mass_mg == pytest.approx(8.0)
    assert found.mass_fraction[0] == pytest.approx(1.0)


def test_what_a_header_says_is_kept(tmp_path):
    found = read_tga(written(tmp_path, exported("universal", *burnt(0.1, 0.02))))
    assert (found.atmosphere, found.heating_rate_K_per_min) == ("oxidizing", 10.0)
    found = read_tga(written(tmp_path, exported("netzsch", *burnt(0.1, 0.02))))
    assert (found.atmosphere, found.heating_rate_K_per_min) == (None, 10.0)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_columns_are_found_by_name_not_by_place(tmp_path, order):
    temperature, fraction = burnt(0.1, 0.02)
    columns = [("Time (min)", temperature / 10), ("Temperature (°C)", temperature), ("Weight (mg)", 8 * fraction)]
    chosen = [columns[i] for i in order]
    rows = zip(*(values for _, values in chosen), strict=True)
    lines = [",".join(name for name, _ in chosen), *(",".join(f"{v:.6f}" for v in row) for row in rows)]
    found = read_tga(written(tmp_path, "\n".join(lines)))
    assert found.mass_fraction == pytest.approx(fraction, abs=1e-6)


@pytest.mark.parametrize(("unit", "scale"), [("mg", 8.0), ("g", 8e-3), ("µg", 8e3), ("%", 100.0), ("mg", 0.3)])
def test_the_loading_does_not_depend_on_the_unit_of_the_mass(tmp_path, unit, scale):
    temperature, fraction = burnt(0.1062, 0.02)
    names = ("Temperature (°C)", f"Weight ({unit})")
    rows = "\n".join(f"{t:.5f}\t{m * scale:.9f}" for t, m in zip(temperature, fraction, strict=True))
    found = read_tga(written(tmp_path, "\t".join(names) + "\n" + rows))
    assert residue(found).value == pytest.approx(0.1241, abs=1e-4)


def test_a_small_sample_is_known_less_well_and_a_blank_run_helps():
    errors = [residue(curve(mass_mg=mass)).error for mass in (2.0, 20.0)]
    assert errors[0] == pytest.approx(10 * errors[1], rel=0.05)
    assert residue(curve(mass_mg=2.0), buoyancy_mg=0.0).error < 0.1 * errors[0]


def test_a_fall_to_the_end_makes_a_bound_and_no_quantity():
    coated = curve(end_C=640.0)
    found = measure_tga(coated, curve(0.0))
    assert not found.values["coated"]["burnt_off"]
    assert found.quantities == ()
    assert "at most" in found.headline
    assert any("no plateau" in text for text in found.said)
    assert found.values["coated"]["residue"] == pytest.approx(coated.mass_fraction[-1] / 0.98, rel=0.02)


def test_a_bare_run_that_did_not_burn_off_leaves_an_interval():
    found = measure_tga(curve(), curve(0.0, end_C=640.0))
    assert found.values["loading_wt_fraction"] is None
    assert found.values["loading_low_wt_fraction"] < 0.1062 < found.values["loading_high_wt_fraction"]
    assert found.quantities[0].standard_error is None


def test_a_mass_that_rises_at_the_end_is_said_and_in_the_error():
    temperature, mass = burnt(0.1062, 0.02)
    rising = Curve("up.txt", temperature, mass + 0.01 * np.clip((temperature - 850) / 50, 0, 1), 8.0)
    found = residue(rising)
    assert any("still rises" in text for text in found.said)
    assert found.error > 2 * residue(curve()).error * 0.5
    assert found.burnt_off


def test_no_more_residue_than_ash_is_no_negative_loading():
    with pytest.raises(PhysicsError, match="exchanged"):
        measure_tga(curve(0.0, 0.02, name="coated"), curve(0.1062, 0.02, name="bare"))
    found = measure_tga(curve(0.0, 0.02), curve(0.0, 0.0205))
    (quantity,) = found.quantities
    assert quantity.value == 0.0
    assert quantity.low == 0.0
    assert quantity.high > 0


def inert(gas, end_C=900.0):
    return f"#PURGE 1 GAS:{gas}\n##Temp./°C;Mass/%\n", burnt(0.1, 0.02, end_C=end_C)


@pytest.mark.parametrize("gas", ["NITROGEN", "Argon", "He"])
def test_an_inert_gas_is_refused_and_carbothermic_loss_named(tmp_path, gas):
    head, (temperature, mass) = inert(gas)
    body = "\n".join(f"{t:.3f};{100 * m:.4f}" for t, m in zip(temperature, mass, strict=True))
    with pytest.raises(InputError, match=r"carbon does not burn.*zinc leaves"):
        measure_tga(read_tga(written(tmp_path, head + body)))


T, M = burnt(0.1, 0.02)
BAD_CURVES = {
    "mass rises": (T, 1 + (T - 25) / 900, "no burn-off"),
    "mass rises a little": (T, 0.9 + 0.1 * (T - 25) / 875, "no burn-off"),
    "temperature falls": (T[::-1].copy(), M, "does not rise"),
    "swapped": (100 * M, (T / 100).copy(), "swapped"),
    "residue above one": (T, np.where(T > 300, 1.04, 1.0) * np.ones_like(T), None),
    "stopped early": (T[T < 420], M[T < 420], "stopped before"),
    "too few points": (T[:5], M[:5], "5 points"),
    "negative mass": (T, M - 0.5, "tared"),
    "two programs": (np.concatenate([T[:800], T[:800]]), np.concatenate([M[:800], M[:800]]), "one heating"),
    "not numbers": (T, np.where(T > 500, np.nan, M), "numbers"),
}


@pytest.mark.parametrize("case", BAD_CURVES)
def test_curves_that_no_burn_off_gives_are_refused(case):
    temperature, mass, words = BAD_CURVES[case]
    with pytest.raises((InputError, PhysicsError), match=words):
        measure_tga(Curve("bad.txt", temperature, mass, 8.0))


GOOD = text(T, M)
BAD_FILES = {
    "empty": (b"", CorruptFile),
    "binary": (bytes(range(256)) * 20, CorruptFile),
    "spreadsheet": (b"PK\x03\x04" + bytes(100), UnsupportedFormat),
    "web page": (b"<!DOCTYPE html><html><body>log in</body></html>", UnsupportedFormat),
    "no table": (b"Temperature and weight\nwere measured\n", CorruptFile),
    "no mass": (text(T, M, names=("Temperature (°C)", "Heat flow (mW)")).encode(), InputError),
    "no names": (text(T, M, names=("", "")).encode(), InputError),
    "no temperature": (text(T, M, names=("Time (min)", "Weight (%)")).encode(), InputError),
    "derivative": (text(T, M, names=("Temperature (°C)", "Deriv. Weight (%/°C)")).encode(), InputError),
    "kelvin without unit": (text(T + 273.15, M, names=("Temperature", "Weight (%)")).encode(), InputError),
    "per cent that is a part": (text(T, 0.3 * M).encode(), InputError),
    "first mass 0": (text(T, np.r_[0.0, M[1:]], names=("T (°C)", "Weight (mg)")).encode(), InputError),
    "no tare": (text(T, M - 1.1, names=("Temperature (°C)", "Weight (mg)")).encode(), InputError),
    "change in mg": (text(T, M - 1, names=("Temperature (°C)", "Mass change (mg)")).encode(), InputError),
    "decimals part columns": (GOOD.replace("\t", ",").replace(".", ",").encode(), InputError),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_files_that_cannot_be_read_say_so(tmp_path, case):
    content, kind = BAD_FILES[case]
    path = written(tmp_path, content)
    with pytest.raises(kind) as caught:
        read_tga(path)
    assert "run.txt" in str(caught.value)


@pytest.mark.parametrize("first", [0.0, -1e-3])
def test_a_mass_that_begins_at_nothing_asks_for_the_tare(tmp_path, first):
    content = text(T, np.r_[first, M[1:]], names=("Temperature (°C)", "Weight (mg)"))
    with pytest.raises(InputError, match="not tared"):
        read_tga(written(tmp_path, content))


def test_a_missing_file_and_a_folder_are_no_thermograms(tmp_path):
    assert not is_tga(tmp_path)
    for path in (tmp_path / "none.txt", tmp_path):
        with pytest.raises(InputError):
            read_tga(path)


def test_other_files_are_not_taken_for_thermograms(cycler):
    others = [p for p in (cycler.parent).rglob("*") if p.is_file() and p.stat().st_size < 3e6]
    taken = [p.name for p in others if is_tga(p)]
    assert taken == []


def test_recognition_reads_the_beginning_only(tmp_path):
    temperature, mass = burnt(0.1, 0.02, n=400_000)
    path = written(tmp_path, text(temperature, mass))
    start = time.perf_counter()
    assert is_tga(path)
    assert time.perf_counter() - start < 1.0


@given(
    cut=st.integers(0, len(GOOD)),
    junk=st.binary(max_size=40),
    at=st.integers(0, len(GOOD)),
    swap=st.sampled_from([("\t", ";"), (".", ","), ("Weight", "mass"), ("\n", "\r"), ("1", "inf"), ("0", "x")]),
)
@settings(max_examples=150, deadline=None)
def test_a_damaged_file_gives_a_curve_or_an_error_of_ours(tmp_path_factory, cut, junk, at, swap):
    content = GOOD.replace(*swap).encode()
    path = tmp_path_factory.mktemp("fuzz") / "run.txt"
    path.write_bytes(content[:at] + junk + content[at : max(cut, at)])
    is_tga(path)
    try:
        found = measure_tga(read_tga(path))
    except InterlithError:
        return
    assert all(math.isfinite(one.value) and 0 <= one.value <= 1 for one in found.quantities)


@pytest.mark.parametrize("areal", [0.0, -1.0, math.nan, math.inf])
def test_an_areal_mass_must_be_a_mass(areal):
    with pytest.raises(InputError, match="areal_mass"):
        measure_tga(curve(), curve(0.0), areal_mass_mg_per_cm2=areal)


def test_tables_are_what_is_drawn():
    found = measure_tga(curve(), curve(0.0))
    curves, marks = found.tables["tga-curves"], found.tables["tga-marks"]
    assert set(curves["sample"]) == {"coated", "bare"}
    assert curves.filter(sample="coated")["dry_mass_percent"][-1] == pytest.approx(12.41, abs=0.02)
    assert marks["residue_percent"].to_list() == pytest.approx([12.41, 2.0], abs=0.02)
    assert thermogram.FEWEST_POINTS <= curves.height / 2 <= tga.MOST_DRAWN


def test_a_run_in_per_cent_has_the_error_of_buoyancy_of_a_small_sample():
    light, given = measure_tga(curve(mass_mg=None), curve(0.0, mass_mg=None)), measure_tga(curve(), curve(0.0))
    assert light.values["loading_standard_error"] > 3.5 * given.values["loading_standard_error"]
    assert light.values["loading_standard_error"] == pytest.approx(0.02 / 2.0 * math.hypot(1, 0.9), rel=0.1)
    assert any("2 to 20 mg is assumed" in said for said in light.said)
    told = measure_tga(curve(mass_mg=None), curve(0.0, mass_mg=None), initial_mass_mg=8.0)
    assert told.values["loading_standard_error"] == pytest.approx(given.values["loading_standard_error"], rel=1e-9)
    assert not any("assumed, and the error of buoyancy" in said for said in told.said)
    with pytest.raises(InputError, match="initial_mass_mg"):
        measure_tga(curve(), initial_mass_mg=0.0)


def test_a_run_in_which_nothing_burnt_gives_no_loading():
    temperature = np.linspace(25.0, 900.0, 1000)
    mass = 1 + np.random.default_rng(1).normal(0, 2e-4, 1000)
    with pytest.raises(InputError, match=r"nothing burnt.*inert gas"):
        measure_tga(Curve("a.csv", temperature, mass / mass[0], 5.0))


def test_the_gas_is_missed_in_the_file_that_does_not_state_it():
    named = Curve("bare.txt", *burnt(0.0, 0.02), 8.0, "oxidizing")
    said = measure_tga(curve(name="coated.txt"), named).said
    assert "the gas is not stated in coated.txt and is taken to be air" in said
