"""Transport properties stay physical where they are vouched for and agree with the fits they come from."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from pytest import approx

from interlith.errors import InputError
from interlith.parts.electrolyte import Additive, Correlation, Electrolyte, electrolyte, electrolyte_names
from interlith.units import FARADAY_C_PER_MOL, ZERO_CELSIUS_K

ETHER, CARBONATE = "litfsi-dol-dme-lino3", "lipf6-ec-dmc-vc"
PROPERTIES = ("conductivity", "diffusivity", "transference", "activity")
METHODS = ("conductivity_S_per_m", "diffusivity_m2_per_s", "transference_number", "thermodynamic_factor")
ROOM_K = 25.0 + ZERO_CELSIUS_K
# Landesfeind and Gasteiger 2019 for EC:EMC 3:7 w/w, as PyBaMM ships them: the same forms, other coefficients
EC_EMC = {
    "conductivity": (5.21e-1, 2.28e2, -1.06, 3.53e-1, -3.59e-3, 1.48e-3),
    "diffusivity": (1.01e3, 1.01, -1.56e3, -4.87e2),
    "transference": (-1.28e1, -6.12, 8.21e-2, 9.04e-1, 3.18e-2, -1.27e-4, 1.75e-2, -3.12e-3, -3.96e-5),
    "activity": (2.57e1, -4.51e1, -1.77e-1, 1.94, 2.95e-1, 3.08e-4, 2.59e-1, -9.46e-3, -4.54e-4),
}
PEER = dict(zip(PROPERTIES, ("conductivity", "diffusivity", "transference_number", "TDF"), strict=True))


def simple(form="polynomial", coefficients=(1.0,), **more):
    return Correlation(form=form, coefficients=coefficients, valid_mol_per_L=(0, 2), valid_C=(0, 50), **more)


def all_of(part, c, kelvin):
    return [getattr(part, method)(c, kelvin) for method in METHODS]


def valid_points(name):
    correlation = electrolyte(name).conductivity
    c = st.floats(*correlation.valid_mol_per_L).map(lambda x: 1e3 * x)
    return st.tuples(c, st.floats(*correlation.valid_C).map(lambda x: x + ZERO_CELSIUS_K))


@pytest.mark.parametrize(
    ("name", "conductivity", "diffusivity", "transference", "activity"),
    [
        (ETHER, (0.9, 1.7), (1e-10, 1e-9), (0.3, 0.6), (1.0, 2.5)),
        (CARBONATE, (1.0, 1.3), (2e-10, 4e-10), (0.25, 0.4), (1.5, 3)),
    ],
)
def test_values_at_one_molar_and_room_temperature(name, conductivity, diffusivity, transference, activity):
    ranges = (conductivity, diffusivity, transference, activity)
    for value, (low, high) in zip(all_of(electrolyte(name), 1000.0, ROOM_K), ranges, strict=True):
        assert low < value < high


@pytest.mark.parametrize(
    ("c", "kelvin", "expected"),
    [
        (1000.0, 298.15, (1.1818734836391342, 2.904957186813808e-10, 0.3250280835000008, 2.2011309344999983)),
        (400.0, 283.15, (0.721996359136834, 2.88958132940673e-10, 0.3285214030499982, 1.3218652559999993)),
        (2200.0, 313.15, (0.9613469742564587, 2.3796418200658035e-10, 0.31657719239999693, 5.045000791499994)),
    ],
)
def test_carbonate_as_the_ec_dmc_functions_of_pybamm_23_4(c, kelvin, expected):
    assert all_of(electrolyte(CARBONATE), c, kelvin) == approx(expected, rel=1e-9)


@pytest.mark.parametrize("name", PROPERTIES)
def test_forms_agree_with_pybamm(name):
    peer = pytest.importorskip("pybamm.input.parameters.lithium_ion.ORegan2022")
    ours = getattr(electrolyte(CARBONATE), name)
    other = simple(ours.form, EC_EMC[name])
    for c in (100.0, 700.0, 1000.0, 2900.0):
        for kelvin in (263.15, 298.15, 323.15):
            base = getattr(peer, f"electrolyte_{PEER[name]}_base_Landesfeind2019")
            whole = getattr(peer, f"electrolyte_{PEER[name]}_EC_EMC_3_7_Landesfeind2019")
            assert ours(c / 1e3, kelvin) == approx(number(base(c, kelvin, ours.coefficients)), rel=1e-9)
            assert other(c / 1e3, kelvin) == approx(number(whole(c, kelvin)), rel=1e-9)


def number(result):
    return float(result.evaluate()) if hasattr(result, "evaluate") else float(result)


@pytest.mark.parametrize("name", [ETHER, CARBONATE])
@given(data=st.data())
def test_finite_and_physical_where_valid(name, data):
    c, kelvin = data.draw(valid_points(name))
    part = electrolyte(name)
    conductivity, diffusivity, transference, activity = all_of(part, c, kelvin)
    assert np.isfinite([conductivity, diffusivity, transference, activity]).all()
    assert conductivity > 0
    assert diffusivity > 0
    assert activity > 0
    assert transference < 1
    assert part.outside(c, kelvin) == ()


@given(
    c=st.floats(0.05, 3.0),
    energy=st.floats(1.0, 60.0),
    cold=st.floats(240.0, 330.0),
    step=st.floats(0.5, 50.0),
)
def test_arrhenius_rises_by_its_energy(c, energy, cold, step):
    law = simple("power-exponential", (2.0, 1.0, 0.8), activation_energy_kJ_per_mol=energy)
    slope = np.log(law(c, cold + step) / law(c, cold)) / (1 / cold - 1 / (cold + step))
    assert slope * 8.314462618e-3 == approx(energy, rel=1e-9)
    assert law(c, ROOM_K) == approx(2.0 * c * np.exp(-0.8 * c), rel=1e-12)


@pytest.mark.parametrize("name", [ETHER, CARBONATE])
@pytest.mark.parametrize("method", METHODS[:2])
def test_conductivity_and_diffusivity_rise_with_temperature(name, method):
    kelvin = np.linspace(275.0, 320.0, 40)[:, None]
    values = getattr(electrolyte(name), method)(np.linspace(200.0, 2000.0, 9), kelvin)
    assert values.shape == (40, 9)
    assert (np.diff(values, axis=0) > 0).all()


@pytest.mark.parametrize("name", [ETHER, CARBONATE])
@pytest.mark.parametrize("method", METHODS)
def test_arrays_give_what_scalars_give(name, method):
    call = getattr(electrolyte(name), method)
    c, kelvin = np.array([300.0, 1000.0, 1900.0]), np.array([280.0, 298.15, 315.0])
    assert call(c, kelvin).tolist() == [float(call(a, b)) for a, b in zip(c, kelvin, strict=True)]
    assert call([300.0, 1000.0], 298.15).shape == (2,)
    assert call(1000.0, [280.0, 298.15]).shape == (2,)


@pytest.mark.parametrize("name", [ETHER, CARBONATE])
def test_no_salt_no_conductivity(name):
    assert electrolyte(name).conductivity_S_per_m(0.0, ROOM_K) == 0.0


def test_nitrate_in_a_coin_cell():
    assert 3.3 <= electrolyte(ETHER).inventory_mAh(50.0) <= 3.6
    moles = electrolyte(ETHER).inventory_mAh(50.0) * 3.6 / (8 * FARADAY_C_PER_MOL)
    assert 15.5e-6 < moles < 17e-6


@given(volume=st.floats(0, 1e4), fraction=st.floats(1e-3, 0.2))
def test_inventory_is_linear_in_volume_and_content(volume, fraction):
    part = electrolyte(ETHER)
    twice = part.with_values(additives=tuple(a.with_values(mass_fraction=2 * fraction) for a in part.additives))
    once = part.with_values(additives=tuple(a.with_values(mass_fraction=fraction) for a in part.additives))
    assert twice.inventory_mAh(volume) == approx(2 * once.inventory_mAh(volume), rel=1e-12)
    assert once.inventory_mAh(volume) == approx(volume * once.inventory_mAh(1.0), rel=1e-12)


def test_no_additive_no_inventory():
    assert electrolyte(CARBONATE).with_values(additives=()).inventory_mAh(100.0) == 0.0


@pytest.mark.parametrize("name", electrolyte_names())
def test_every_number_says_where_it_comes_from(name):
    part = electrolyte(name)
    origins = [part.origin("salt_mol_per_L"), part.origin("density_g_per_cm3")]
    origins += [getattr(part, p).origin for p in PROPERTIES]
    for additive in part.additives:
        fields = ("mass_fraction", "molar_mass_g_per_mol", "electrons_per_molecule")
        assert set(additive.origins) == set(fields)
        origins += [additive.origin(f) for f in fields]
    for origin in origins:
        assert origin.source
        if origin.kind == "assumed":
            assert origin.low < origin.high
        else:
            assert "doi:" in origin.source or "IUPAC" in origin.source


@pytest.mark.parametrize("name", electrolyte_names())
def test_an_assumed_value_lies_in_its_range(name):
    part = electrolyte(name)
    held = [(part.density_g_per_cm3, part.origin("density_g_per_cm3"))]
    held += [(float(getattr(part, p)(1.0, ROOM_K)), getattr(part, p).origin) for p in PROPERTIES]
    held += [(a.electrons_per_molecule, a.origin("electrons_per_molecule")) for a in part.additives]
    for value, origin in held:
        if origin.kind == "assumed":
            assert origin.low <= value <= origin.high


def test_what_a_user_states_is_stated():
    mine = electrolyte(ETHER).with_values(conductivity=simple(coefficients=(1.1,)), density_g_per_cm3=1.1)
    assert mine.conductivity_S_per_m(700.0, 310.0) == 1.1
    assert mine.conductivity.origin.kind == mine.origin("density_g_per_cm3").kind == "stated"
    assert mine.origin("salt_mol_per_L").source.startswith("Shen")
    assert Electrolyte.model_validate(mine.model_dump()) == mine


@pytest.mark.parametrize("c", [-1e-9, [500.0, -2.0], np.nan, np.inf])
@pytest.mark.parametrize("method", [*METHODS, "outside"])
def test_a_concentration_below_zero_is_refused(c, method):
    with pytest.raises(InputError, match="c_mol_per_m3"):
        getattr(electrolyte(ETHER), method)(c, ROOM_K)


@pytest.mark.parametrize("kelvin", [-5.0, 0.0, 25.0, 1000.0, np.nan])
def test_a_temperature_without_a_liquid_is_refused(kelvin):
    with pytest.raises(InputError, match="temperature_K"):
        electrolyte(CARBONATE).conductivity_S_per_m(1000.0, kelvin)


def test_celsius_for_kelvin_is_mended():
    with pytest.raises(InputError, match=r"Did you mean 298\.15"):
        electrolyte(CARBONATE).diffusivity_m2_per_s(1000.0, 25.0)


@pytest.mark.parametrize(
    ("field", "method", "coefficients"),
    [
        ("conductivity", "conductivity_S_per_m", (1.0, -1.0)),
        ("diffusivity", "diffusivity_m2_per_s", (0.0,)),
        ("transference", "transference_number", (0.5, 0.5)),
        ("activity", "thermodynamic_factor", (1.0, -1.0)),
    ],
)
def test_a_correlation_that_leaves_physical_sense_is_refused(field, method, coefficients):
    part = electrolyte(ETHER).with_values(**{field: simple(coefficients=coefficients)})
    with pytest.raises(InputError, match=rf"{field} = .* holds from 0 to 2 mol/L and 0 to 50 C"):
        getattr(part, method)([100.0, 1500.0], ROOM_K)


def test_outside_names_what_is_not_vouched_for():
    part = electrolyte(ETHER).with_values(transference=simple(coefficients=(0.4,)))
    assert part.outside(50.0, ROOM_K) == ("conductivity", "diffusivity", "activity")
    assert part.outside([50.0, 1000.0], ROOM_K) == part.outside(50.0, ROOM_K)


@pytest.mark.parametrize("volume", [-1.0, np.nan, np.inf])
def test_a_volume_below_zero_is_refused(volume):
    with pytest.raises(InputError, match="volume_uL"):
        electrolyte(ETHER).inventory_mAh(volume)


@pytest.mark.parametrize(
    ("wrong", "near"), [("litfsi-dme-dol", ETHER), ("lipf6", CARBONATE), ("LIPF6-EC-DMC-VC", CARBONATE)]
)
def test_an_unknown_name_gets_the_nearest(wrong, near):
    with pytest.raises(InputError, match=f"Did you mean {near}"):
        electrolyte(wrong)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"form": "landesfeind-diffusivity"}, "takes 4 coefficients, got 1"),
        ({"form": "spline"}, "Input should be"),
        ({"coefficients": ()}, "at least 1"),
        ({"valid_C": (50, 0)}, "lower bound comes first"),
        ({"activation_energy_kJ_per_mol": -1}, "greater than or equal"),
        ({"colour": "blue"}, "Extra inputs"),
        (
            {"form": "landesfeind-diffusivity", "coefficients": (1, 1, 1, 1), "activation_energy_kJ_per_mol": 8},
            "its own",
        ),
    ],
)
def test_a_correlation_that_cannot_be_is_refused(change, message):
    good = {"form": "polynomial", "coefficients": (1.0,), "valid_mol_per_L": (0, 2), "valid_C": (0, 50)}
    with pytest.raises(ValidationError, match=message):
        Correlation(**{**good, **change})


def test_an_additive_that_cannot_be_is_refused():
    with pytest.raises(ValidationError, match="mass_fraction"):
        Additive(name="LiNO3", mass_fraction=2.0, molar_mass_g_per_mol=68.9, electrons_per_molecule=8)
    with pytest.raises(ValidationError):
        electrolyte(ETHER).with_values(salt_mol_per_L=1000.0)


def test_frozen():
    with pytest.raises(ValidationError):
        electrolyte(ETHER).density_g_per_cm3 = 2.0
