"""measure_eis: from spectra to quantities; series; bad input; axes that are not what they are said to be."""

import re

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_kramers_kronig import drifting, noisy

from interlith.cell.account import N_ROW, PASSED
from interlith.cell.advance import advance
from interlith.cell.impedance import impedance_ohm_cm2, linearized
from interlith.cell.models import model_of
from interlith.cell_test import cell_test
from interlith.characterize.impedance.eis import measure_eis
from interlith.characterize.impedance.eis_reading import ROLES
from interlith.characterize.impedance.eis_values import exchange_current_density_A_per_m2
from interlith.characterize.impedance.eis_words import with_error
from interlith.characterize.impedance.spectrum import Spectrum, cleaned, spectra_of, upright
from interlith.cycling.reading import read
from interlith.errors import InputError
from interlith.findings import plain
from interlith.parts.quantity import as_toml

F = np.logspace(6, -1, 71)
W = 2j * np.pi * F


def cell(film=20.0, ct=50.0, noise=1e-3, seed=0, ohm=3.0):
    """R_ohm, a film of 1 uF and a charge transfer of 100 uF. Synthetic."""
    z = ohm + film / (1 + (W * film * 1e-6) ** 0.9) + ct / (1 + (W * ct * 1e-4) ** 0.9)
    return Spectrum(f"synthetic {seed}", F, noisy(z, noise, seed))


def by_name(found):
    return {one.name: one for one in found.quantities}


def test_resistances_with_errors_and_the_exchange_current():
    found = measure_eis([cell()], area_cm2=2.0, area_ratio=3.0, temperature_C=40.0, electrode="foil")
    quantity = by_name(found)
    for name, true in (
        ("ohmic_resistance_ohm", 3),
        ("film_resistance_ohm", 20),
        ("charge_transfer_resistance_ohm", 50),
    ):
        one = quantity[name]
        assert abs(one.value - true) < 4 * one.standard_error < 0.03 * true
        assert found.values[name] == one.value
    assert quantity["film_resistance_ohm_cm2"].value == pytest.approx(120, rel=0.01)
    i0 = quantity["exchange_current_density_A_per_m2"]
    assert i0.value == pytest.approx(8.314462618 * 313.15 / 96485.33212 / (50 * 6e-4), rel=0.01)
    assert found.values["exchange_current_density_mA_per_cm2"] == pytest.approx(i0.value / 10)
    assert (i0.file, i0.table) == ("study", "set.foil")
    assert quantity["ohmic_resistance_ohm"].file is None
    assert found.values["kramers_kronig"]["verdict"] == "consistent"
    assert "[set.foil]\nfilm_resistance_ohm_cm2 = { value = 119.9" in as_toml(found.quantities)
    assert any("ASSIGNMENT" in text for text in found.said)
    assert "an assignment" in i0.source
    assert plain(found.values)["circuit"]["text"] == "R0-A1-A2"


@pytest.mark.parametrize("electrode", ["foil", "host", "counter"])
def test_the_quantities_stand_in_a_study(electrode):
    found = [
        one
        for one in measure_eis([cell()], area_cm2=2.0, area_ratio=3.0, electrode=electrode).quantities
        if one.file == "study"
    ]
    kind = "li-ncm811" if electrode == "foil" else "half"
    made = cell_test(
        "cp",
        "li-ncm811-eis" if electrode == "foil" else "eis",
        kind=kind,
        changes={f"{electrode}.{one.name}": one.value for one in found},
    )
    part = {"foil": made.cell.working, "host": made.cell.working, "counter": made.cell.counter}[electrode]
    assert {one.name: getattr(part, one.name) for one in found} == {one.name: one.value for one in found}
    assert len(found) == 2


def test_without_the_ratio_of_areas_no_study_takes_what_is_per_geometric_area():
    found = measure_eis([cell()], area_cm2=2.0, electrode="host")
    assert by_name(found)["film_resistance_ohm_cm2"].value == pytest.approx(40, rel=0.01)
    assert not any(one.file for one in found.quantities)
    assert any("give --area-ratio" in text for text in found.said)
    told = measure_eis([cell()], area_cm2=2.0, electrode="host", area_ratio=13.0)
    assert any("per real area, 13 m2/m2" in text for text in told.said)


def plated_half_cell(**changes):
    """A lumped half cell whose host holds 1 mAh/cm2 in its pores, and its spectrum."""
    asked = cell_test("cp", changes=changes).cell
    model = model_of(asked, "lumped", ("sei", "isolation", "nucleation", "additive", "dead-layer"), 1e-8)
    for current_A_per_m2, seconds in ((-10.0, 3600.0), (0.0, 60.0)):
        ends, rows = np.zeros(8), np.empty((20_000, N_ROW))
        ends[0], ends[5] = seconds, model.y[PASSED]
        assert (
            advance(model.y, model.system, np.array([0.0, current_A_per_m2, 0, 0]), ends, model.tolerance, rows)[0] == 0
        )
    return asked, impedance_ohm_cm2(linearized(model), F) / asked.area_cm2


def test_film_and_charge_transfer_of_a_simulated_spectrum_reproduce_it_in_a_study():
    """Real area: pores and top, 10 + 3 m2/m2, by which the lumped model multiplies where the pores hold lithium.

    The model has one arc for each electrode: the slower is the host's, and gives its i0 back. Both pasted into the
    host, as film and charge transfer, make one arc as large as both.
    """
    fast = {"counter.exchange_current_density_A_per_m2": 1e6}
    slow = {"host.exchange_current_density_A_per_m2": 1.0, "counter.exchange_current_density_A_per_m2": 0.5}
    asked, z = plated_half_cell(**slow)
    ratio = asked.working.pore_area_m2_per_m2 + asked.working.top_area_m2_per_m2
    found = measure_eis([Spectrum("simulated", F, z)], area_cm2=asked.area_cm2, area_ratio=ratio, electrode="host")
    lines = {f"host.{one.name}": one.value for one in found.quantities if one.file == "study"}
    assert set(lines) == {"host.film_resistance_ohm_cm2", "host.exchange_current_density_A_per_m2"}
    assert lines["host.exchange_current_density_A_per_m2"] == pytest.approx(1.0, rel=1e-3)
    again = measure_eis([Spectrum("again", F, plated_half_cell(**fast, **lines)[1])]).values["arcs"]
    both = sum(arc["resistance_ohm"] for arc in found.values["arcs"])
    assert sum(arc["resistance_ohm"] for arc in again) == pytest.approx(both, rel=0.01)


def test_two_electrodes_share():
    one = by_name(measure_eis([cell()], area_cm2=1.0))
    two = by_name(measure_eis([cell()], area_cm2=1.0, n_electrodes=2))
    film, i0 = "film_resistance_ohm_cm2", "exchange_current_density_A_per_m2"
    assert two[film].value == pytest.approx(one[film].value / 2)
    assert two[i0].value == pytest.approx(one[i0].value * 2)
    assert two["ohmic_resistance_ohm_cm2"].value == one["ohmic_resistance_ohm_cm2"].value


@settings(max_examples=20, deadline=None)
@given(st.floats(0.1, 1e4), st.floats(0.01, 100), st.floats(-40, 80))
def test_exchange_current_is_the_slope_of_butler_volmer(ohm, area_cm2, temperature_C):
    i0 = exchange_current_density_A_per_m2(ohm, area_cm2, temperature_C)
    f = 96485.33212 / 8.314462618 / (temperature_C + 273.15)
    step = 1e-6
    slope = i0 * (np.exp(0.5 * f * step) - np.exp(-0.5 * f * step)) / step  # A/m2 per V
    assert 1 / slope == pytest.approx(ohm * area_cm2 * 1e-4, rel=1e-6)


def test_without_an_area_nothing_per_area():
    found = measure_eis([cell()])
    assert not any("cm2" in one.name or "exchange" in one.name for one in found.quantities)
    assert any("no area" in text for text in found.said)


def test_one_arc_is_an_interface_and_bounds_the_exchange_current():
    z = noisy(3 + 50 / (1 + (W * 5e-3) ** 0.85), 1e-3, 0)
    found = measure_eis([Spectrum("synthetic", F, z)], area_cm2=1.0)
    assert "interface_resistance_ohm" in by_name(found)
    assert not any("exchange" in one.name for one in found.quantities)
    least = found.values["exchange_current_density_at_least_A_per_m2"]
    assert least == pytest.approx(exchange_current_density_A_per_m2(50, 1.0), rel=0.01)


def test_a_cell_that_changes_during_the_sweep_is_marked_everywhere():
    """Synthetic: R_ct grows by half while the sweep runs."""
    found = measure_eis([Spectrum("synthetic drift", F, drifting(F, 0.5))], area_cm2=1.0)
    assert found.values["kramers_kronig"]["verdict"] == "not consistent"
    assert "NOT Kramers-Kronig consistent" in found.headline
    assert any("non-stationary" in text for text in found.said)
    assert found.quantities
    assert all("NOT Kramers-Kronig consistent" in one.source for one in found.quantities)
    assert all("NOT" in line for line in as_toml(found.quantities).splitlines() if "value" in line)
    assert found.values["charge_transfer_resistance_ohm"] > 50, "the values are kept"


def capacitor(farad=1e-3, seed=1):
    return Spectrum("synthetic capacitor", F, noisy(5 + 1 / (W * farad), 2e-3, seed))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_capacitor_gets_no_resistance_but_its_capacitance(seed):
    """With seeds 1 and 2 the fit gives a resistance of above 1e30 ohm a small error."""
    found = measure_eis([capacitor(seed=seed)], area_cm2=1.0)
    assert set(by_name(found)) == {"ohmic_resistance_ohm", "ohmic_resistance_ohm_cm2"}
    assert found.values["blocking_capacitance_F"] == pytest.approx(1e-3, rel=0.02)
    assert re.search(r"blocks: 0\.00(1|099\d) F at 0\.1 Hz", found.headline)
    assert "interface" not in found.headline
    assert any("interface: beyond the range" in text for text in found.said)
    assert [arc["beyond_the_range"] for arc in found.values["arcs"]] == [True]
    series = measure_eis([capacitor(), capacitor(2e-3), capacitor(3e-3)], area_cm2=1.0)
    assert not any("interface" in one.name for one in series.quantities)
    assert series.tables["eis-trend"]["interface_resistance_ohm"].null_count() == 3


def test_a_capacitor_gets_no_resistance_from_a_circuit_of_your_own():
    start, roles = {"R0_ohm": 5, "R1_ohm": 1e12, "C1_F": 1e-3}, {"ohmic": "R0_ohm", "interface": "R1_ohm"}
    found = measure_eis([capacitor()], circuit="R0-p(R1,C1)", start=start, roles=roles)
    assert set(by_name(found)) == {"ohmic_resistance_ohm"}


@pytest.mark.parametrize(("top_Hz", "seen"), [(0.05, True), (0.02, False), (2e6, True), (5e6, False)])
def test_an_arc_is_given_when_its_top_is_within_three_times_of_the_range(top_Hz, seen):
    """A film in the middle of the range, and an arc at its end. Synthetic, without noise."""
    z = 3 + 20 / (1 + 1j * F / 300) + 50 / (1 + 1j * F / top_Hz)
    found = measure_eis([Spectrum("a", F, z)], assignment=["film", "charge transfer"], circuit=None)
    other = "charge transfer" if top_Hz < 300 else "film"
    assert (ROLES[other] in by_name(found)) == seen


def flat(seed):
    """An arc of exponent 0.4, less than is fitted, on R_ohm, with 0.1 % noise."""
    return Spectrum(f"flat {seed}", F, noisy(3 + 40 / (1 + (W * 1e-3) ** 0.4), 1e-3, seed))


def test_what_lies_on_a_bound_has_no_error_and_is_named():
    found = measure_eis([flat(0)], assignment=None)
    rows = {row["parameter"]: row for row in found.values["circuit"]["values"]}
    held = [name for name, row in rows.items() if row["standard_error"] is None]
    assert any(name.endswith("_n") for name in held)
    told = next(text for text in found.said if text.startswith("on a bound"))
    assert all(name in told for name in held)
    assert all(row["standard_error"] > 0 for name, row in rows.items() if name not in held)


def test_the_headline_of_a_series_has_the_error_of_the_fit_where_it_is_above_the_scatter(characterisation):
    """Ten spectra of a solid-state cell: they repeat within 1 %, but the film is known to 20 % only."""
    table = read(characterisation / "eis" / "Sample2_PEIS_AtRest.csv", use_cache=False).table
    found = measure_eis(spectra_of(table, "a.csv"))
    film = found.values["trends"]["film"]
    assert film["fit_error_ohm"] > 10 * film["repeatability_fraction"] * film["mean_ohm"]
    assert re.search(r"film 9\d ± \d\d Ω, repeats within", found.headline)
    assert found.said[0] == "10 rows without a frequency, over 10 spectra, left out"
    assert not any("without a frequency" in text for text in found.said[1:])


def test_a_resistance_that_is_not_determined_is_no_number_of_a_headline():
    z = 1e-3 + 20 / (1 + 1j * F / 3e4) + 50 / (1 + 1j * F / 30)
    found = measure_eis([Spectrum(f"a {i}", F, noisy(z, 5e-2, i)) for i in range(3)])
    assert "ohmic" not in found.headline
    assert any("ohmic: not determined" in text for text in found.said)


def test_a_circuit_that_does_not_describe_the_spectrum_gives_nothing():
    z = noisy(3 + 20 / (1 + 1j * F / 3e4) + 500 / (1 + 1j * F / 30), 1e-3, 0)
    start, roles = {"R0_ohm": 3, "R1_ohm": 20, "C1_F": 1e-6}, {"ohmic": "R0_ohm", "film": "R1_ohm"}
    found = measure_eis([Spectrum("a", F, z)], area_cm2=1.0, circuit="R0-p(R1,C1)", start=start, roles=roles)
    assert found.values["circuit"]["residual_percent"] > 10
    assert found.quantities == ()
    assert found.headline.startswith("no resistance is given: the circuit leaves")
    assert "the circuit leaves" in found.values["not_handed_out"]
    assert "not_handed_out" not in measure_eis([cell()]).values


def test_negative_real_parts_and_a_great_misfit_of_a_real_file(cycler):
    found = measure_eis(spectra_of(read(cycler / "eis" / "Powersuite.txt", use_cache=False).table, "p.txt"))
    assert found.quantities == ()
    assert "no resistance is given" in found.headline
    assert found.values["not_handed_out"]
    assert found.values["ohmic_resistance_ohm"] > 0, "the values are kept"
    assert "2 of 30 real parts are negative, which no passive cell has" in found.said


def test_an_arc_that_moves_by_more_than_a_decade_has_no_percent_and_the_misfit_is_told(cycler):
    found = measure_eis(spectra_of(read(cycler / "eis" / "PEIS_aurora.mpr", use_cache=False).table, "p.mpr"))
    trend = found.values["trends"]["charge transfer"]
    assert trend["top_Hz"][1] > 10 * trend["top_Hz"][0]
    assert trend["change_fraction"] is None
    assert "%)" not in found.headline
    assert any("more than a decade apart" in text for text in found.said)
    assert any("the circuit leaves 0.91 % where the noise is 0.033 %" in text for text in found.said)


def test_an_arc_that_grows_where_it_is_keeps_its_percent():
    found = measure_eis([cell(ct=50.0 + 20 * i, seed=i) for i in range(5)])
    assert not found.values["trends"]["charge transfer"]["top_moves"]
    assert re.search(r"charge transfer \S+.* \(\+160 %\)", found.headline)
    moved = measure_eis([cell(ct=50.0 * 3**i, seed=i) for i in range(5)])
    assert moved.values["trends"]["charge transfer"]["top_moves"]
    assert "%)" not in moved.headline


@settings(max_examples=200, deadline=None)
@given(st.floats(1e-12, 1e15), st.floats(1e-9, 0.5))
def test_a_value_and_its_error_agree_in_decimals(value, share):
    told = with_error(value, share * value)
    one, other = re.fullmatch(r"\(?(\S+) ± (?:< )?([^)]+?)\)?(?:e-?\d+)?", told).groups()
    assert len(one.partition(".")[2]) == len(other.partition(".")[2])
    scale = float("1" + (told.partition(")")[2] or "e0"))
    assert float(one) * scale == pytest.approx(value, abs=max(share * value / 5, 2e-5 * value))


def test_a_series_shows_its_trend():
    spectra = [cell(film=20 + i, ct=50.0, seed=i, noise=2e-3) for i in range(12)]
    found = measure_eis(spectra, area_cm2=1.0)
    trend = found.values["trends"]["film"]
    assert trend["slope_ohm_per_spectrum"] == pytest.approx(1.0, abs=4 * trend["slope_error_ohm_per_spectrum"])
    assert trend["changes"]
    assert trend["change_fraction"] == pytest.approx(11 / 20, abs=0.03)
    assert not found.values["trends"]["charge transfer"]["changes"]
    assert found.values["trends"]["charge transfer"]["repeatability_fraction"] < 0.01
    assert by_name(found)["film_resistance_ohm"].value == pytest.approx(31, rel=0.02)
    assert "the last of 12" in by_name(found)["film_resistance_ohm"].source
    table = found.tables["eis-trend"]
    assert table.height == 12
    assert table["kramers_kronig"].to_list() == ["consistent"] * 12
    assert table["film_resistance_error_ohm"].null_count() == 0
    assert set(found.tables) == {"eis-points", "eis-arcs", "eis-relaxation", "eis-peaks", "eis-trend"}


def test_a_jump_in_a_series_is_followed():
    """The fit of the spectrum before is no start for one whose arcs lie elsewhere: the start is looked for anew."""
    spectra = [cell(seed=0), cell(film=3e4, ct=0.9, seed=1, ohm=0.5), cell(seed=2), cell(film=2.0, ct=3e3, seed=3)]
    found = measure_eis(spectra).tables["eis-trend"]
    assert found["fit_percent"].to_list() == pytest.approx([0.1] * 4, rel=0.3)


def test_repeats_give_their_mean():
    found = measure_eis([cell(seed=i) for i in range(8)])
    film = by_name(found)["film_resistance_ohm"]
    assert "mean of 8" in film.source
    assert film.value == pytest.approx(20, rel=0.005)
    assert found.values["trends"]["film"]["repeatability_fraction"] < 0.01
    assert "repeats within" in found.headline


def test_a_drifting_spectrum_of_a_series_is_not_counted():
    spectra = [cell(seed=i) for i in range(6)]
    spectra[3] = Spectrum("synthetic drift", F, drifting(F, 0.6))
    found = measure_eis(spectra)
    assert found.tables["eis-trend"]["kramers_kronig"].to_list().count("not consistent") == 1
    assert found.values["trends"]["film"]["n"] == 5
    assert any("synthetic drift" in text and "NOT" in text for text in found.said)
    assert found.tables["eis-trend"]["film_resistance_ohm"][3] is not None, "the value is kept"


def test_a_spectrum_that_cannot_be_read_does_not_stop_a_series():
    found = measure_eis([cell(), Spectrum("short", F[:3], cell().impedance_ohm[:3]), cell(seed=2)])
    assert found.values["n_spectra"] == 2
    assert any(text.startswith("left out: short: 3 points") for text in found.said)


def test_a_circuit_of_your_own():
    options = {"circuit": "R0-p(R1,C1)-p(R2,C2)", "roles": {"ohmic": "R0_ohm", "film": "R1_ohm"}}
    z = 3 + 20 / (1 + W * 2e-5) + 50 / (1 + W * 5e-3)
    start = {"R0_ohm": 1, "R1_ohm": 10, "C1_F": 1e-6, "R2_ohm": 10, "C2_F": 1e-4}
    found = measure_eis([Spectrum("a", F, noisy(z, 1e-3, 0))], start=start, **options)
    assert by_name(found)["film_resistance_ohm"].value == pytest.approx(20, rel=0.01)
    assert "assignment" not in by_name(found)["film_resistance_ohm"].source
    with pytest.raises(InputError, match="role film = R9_ohm"):
        measure_eis([cell()], circuit="R0-R1", roles={"film": "R9_ohm"})


TURNED = {
    "-Im Z in the column of Im Z": (np.conj, "other sign"),
    "exchanged": (lambda z: z.imag + 1j * z.real, "exchanged"),
    "exchanged, -Im Z": (lambda z: -z.imag + 1j * z.real, "exchanged, and -Im Z"),
    "both signs": (lambda z: -z, "both parts"),
}


@pytest.mark.parametrize("how", TURNED)
def test_turned_axes_are_told_and_turned_back(how):
    turn, word = TURNED[how]
    right = measure_eis([cell()])
    found = measure_eis([Spectrum("a", F, turn(cell().impedance_ohm))])
    assert any(word in text and "turned" in text for text in found.said)
    for name, one in by_name(found).items():
        assert one.value == pytest.approx(by_name(right)[name].value, rel=1e-3)


def test_an_inductive_spectrum_stays_as_it_is():
    """Leads of 10 uH dominate, and that obeys the relations: nothing is turned."""
    z = noisy(3 + 1e-5 * W + 0.02 / (1 + W * 1e-3), 1e-4, 0)
    kept, _, said = upright(Spectrum("a", F, z))
    assert kept.impedance_ohm is z
    assert "stay" in said[0]


def without(place, value):
    z = cell().impedance_ohm.copy()
    z[place] = value
    return z


BAD = {
    "no points": (np.array([]), np.array([], complex), "0 points"),
    "few points": (F[:6], cell().impedance_ohm[:6], "6 points"),
    "all frequencies 0": (0 * F, cell().impedance_ohm, "0 points"),
    "all NaN": (F, np.full(71, np.nan, complex), "0 points"),
    "constant": (F, np.full(71, 5.0 + 0j), "a resistor or a short"),
    "0 ohm": (F, np.zeros(71, complex), "0 points"),
    "a third of a decade": (np.logspace(0, 0.3, 10), noisy(np.ones(10, complex), 0.1, 0), "half a decade"),
    "inductive": (F, 1 + 1e-5 * W, "inductive at all frequencies"),
    "other lengths": (F[:-1], cell().impedance_ohm, "70 frequencies and 71"),
}


@pytest.mark.parametrize("what", BAD)
def test_what_cannot_be_read_says_why(what):
    f, z, word = BAD[what]
    with pytest.raises(InputError, match=rf"bad.csv: .*{word}"):
        measure_eis([Spectrum("bad.csv", f, z)])


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"area_cm2": 0.0}, "area_cm2 = 0.0"),
        ({"area_cm2": float("nan")}, "area_cm2 = nan"),
        ({"area_ratio": 0.0}, "area_ratio = 0.0"),
        ({"temperature_C": -300.0}, "temperature_C = -300"),
        ({"n_electrodes": 3}, "n_electrodes = 3"),
        ({"circuit": "R0-Q"}, "none of"),
        ({"assignment": ["film"]}, "1 names"),
    ],
)
def test_options_that_make_no_sense(options, word):
    with pytest.raises(InputError, match=word):
        measure_eis([cell()], **options)
    with pytest.raises(InputError, match="no impedance spectrum"):
        measure_eis([])


def test_pure_noise_gives_no_resistances_of_arcs():
    draw = np.random.default_rng(0)
    z = 10 + draw.normal(size=71) + 1j * draw.normal(size=71)
    found = measure_eis([Spectrum("noise", F, z)])
    assert found.values["kramers_kronig"]["verdict"] != "consistent"
    assert all("Kramers-Kronig" in one.source for one in found.quantities)


def test_rows_that_are_of_no_use_are_left_out_and_counted():
    f = np.concatenate([F, [0.0, np.nan, 50.0, 1e3, F[10]]])
    z = np.concatenate([cell().impedance_ohm, [1.0, 1.0, np.nan, 0.0, cell().impedance_ohm[10]]])
    clean, said = cleaned(Spectrum("a", f[::-1], z[::-1], n_without_frequency=3))
    assert clean.frequency_Hz == pytest.approx(F)
    assert clean.impedance_ohm == pytest.approx(cell().impedance_ohm)
    assert list(said) == [
        "5 rows without a frequency left out",
        "1 row without an impedance left out",
        "1 row with an impedance of 0 ohm left out",
        "1 rows repeat a frequency; the mean is taken",
    ]


def test_one_decade_is_read_but_said():
    f = np.logspace(3, 2, 15)
    z = 3 + 50 / (1 + 2j * np.pi * f * 5e-4)
    assert any("only 1.0 decades" in text for text in measure_eis([Spectrum("a", f, z)]).said)


def table(**columns):
    base = {"frequency_hertz": [10.0, 1.0], "real_impedance_ohm": [1.0, 2.0], "imaginary_impedance_ohm": [-1.0, -2.0]}
    return pl.DataFrame(base | columns)


def test_spectra_of_a_record():
    found = spectra_of(table(spectrum=[0, 1], test_time_second=[0.0, 7200.0]), "a.mpr")
    assert [(one.name, one.time_h) for one in found] == [("a.mpr #0", 0.0), ("a.mpr #1", 2.0)]
    assert found[1].impedance_ohm.tolist() == [2 - 2j]
    none = spectra_of(table(test_time_second=pl.Series([None, None], dtype=pl.Float64)), "a.csv")
    assert (none[0].name, none[0].time_h) == ("a.csv", None)
    with pytest.raises(InputError, match="no frequency_hertz"):
        spectra_of(pl.DataFrame({"voltage_volt": [1.0]}), "a.csv")
    with pytest.raises(InputError, match="no row has a frequency"):
        spectra_of(table(frequency_hertz=[0.0, None]), "a.csv")


def test_the_same_spectrum_gives_the_same_numbers():
    one, other = measure_eis([cell()]), measure_eis([cell()])
    assert one.values == other.values
    assert one.quantities == other.quantities


numbers = st.one_of(st.floats(-1e6, 1e6), st.sampled_from([0.0, np.nan, np.inf, -np.inf, 1e-30, 1e30]))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(numbers, numbers, numbers), min_size=0, max_size=40), st.booleans())
def test_whatever_is_given_is_read_or_refused_in_words(rows, sweep):
    f, real, imaginary = (np.array([row[i] for row in rows], dtype=float) for i in range(3))
    f = np.logspace(5, -1, len(rows)) if sweep else f
    found, refused = None, "odd.csv: "
    try:
        found = measure_eis([Spectrum("odd.csv", f, np.array(list(map(complex, real, imaginary))))], area_cm2=1.0)
    except InputError as problem:
        refused = str(problem)
    assert refused.startswith("odd.csv: ")
    if found is not None:
        assert found.headline
        assert all(np.isfinite(one.value) and one.value > 0 for one in found.quantities)
        plain(found.values)


@settings(max_examples=25, deadline=None)
@given(st.floats(-9, 9), st.floats(-3, 3))
def test_the_size_of_the_cell_and_of_the_time_do_not_matter(lg_ohm, lg_s):
    """Z times a number and f over a number: the same circuit, the same fractions."""
    made = cell()
    other = Spectrum("a", F * 10.0**lg_s, made.impedance_ohm * 10.0**lg_ohm)
    same = {"assignment": ["film", "charge transfer"]}  # capacitances do change
    one, two = measure_eis([made], **same), measure_eis([other], **same)
    assert two.values["circuit"]["text"] == one.values["circuit"]["text"]
    for name in ("film_resistance_ohm", "charge_transfer_resistance_ohm", "film_resistance_error_ohm"):
        assert two.values[name] == pytest.approx(one.values[name] * 10.0**lg_ohm, rel=2e-3)
