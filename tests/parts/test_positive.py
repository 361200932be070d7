"""Positive electrodes: their tables meet the published functions, their thickness closes, bad ones are refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from pytest import approx

from interlith.errors import InputError
from interlith.parts.listing import parameters
from interlith.parts.positive import Curve, note, positive, positive_names
from interlith.units import FARADAY_C_PER_MOL, M_PER_UM, ZERO_CELSIUS_K, C_PER_M2_PER_mAh_PER_CM2

ROOM_K = 25.0 + ZERO_CELSIUS_K
PAPER = ("ncm811", "lco", "ncm90")
SETS = {
    "nmc811-chen2020": "Chen2020",
    "nmc811-oregan2022": "ORegan2022",
    "nmc532-xu2019": "Xu2019",
    "lco-marquis2019": "Marquis2019",
    "lco-ramadass2004": "Ramadass2004",
}
# stoichiometry and voltage at the ends of each table: frozen, see bench/read_positives.py
ENDS = {
    "nmc811-chen2020": (0.01, 0.999, 4.670, 3.488),
    "nmc811-oregan2022": (0.01, 0.999, 4.670, 3.488),
    "nmc532-xu2019": (0.01, 0.999, 4.329, 2.894),
    "lco-marquis2019": (0.01, 0.97686, 4.712, 2.001),
    "lco-ramadass2004": (0.42268, 0.88553, 4.300, 2.002),
}


def peer(name):
    """The set of PyBaMM under a name, and the stoichiometries of the table, points between the points."""
    pybamm = pytest.importorskip("pybamm", reason="pybamm is not installed: the published sets cannot be compared")
    table = np.array(positive(name).open_circuit.stoichiometry)
    return (
        pybamm,
        pybamm.ParameterValues(SETS[name]),
        np.interp(np.linspace(0, len(table) - 1, 2311), range(len(table)), table),
    )


def number(symbol):
    return float(np.squeeze(symbol.evaluate() if hasattr(symbol, "evaluate") else symbol))


@pytest.mark.parametrize("name", SETS)
def test_open_circuit_meets_the_published_function(name):
    _, values, x = peer(name)
    published = values["Positive electrode OCP [V]"](x)
    assert np.max(np.abs(positive(name).open_circuit_V(x) - published)) < 1e-4


@pytest.mark.parametrize("name", SETS)
def test_diffusivity_meets_the_published_function(name):
    _, values, x = peer(name)
    published = values["Positive particle diffusivity [m2.s-1]"]
    wanted = [number(published(at, ROOM_K)) if callable(published) else published for at in x[::10]]
    assert positive(name).diffusivity(x[::10]) == approx(np.array(wanted), rel=1e-3, abs=0)


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize(("x", "salt"), [(0.03, 1.0), (0.3, 0.2), (0.5, 1.0), (0.8, 1.9), (0.995, 1.2)])
def test_exchange_current_meets_the_published_function(name, x, salt):
    pybamm, values, _ = peer(name)
    most = values["Maximum concentration in positive electrode [mol.m-3]"]
    published = values["Positive electrode exchange-current density [A.m-2]"]
    wanted = number(values.evaluate(published(pybamm.Scalar(1e3 * salt), x * most, most, ROOM_K)))
    assert float(positive(name).exchange_A_per_m2(x, salt)) == approx(wanted, rel=1e-6, abs=0)


@pytest.mark.parametrize("name", SETS)
def test_numbers_are_those_of_the_set(name):
    _, values, _ = peer(name)
    part = positive(name)
    wanted = {
        "porosity": values["Positive electrode porosity"],
        "active_fraction": values["Positive electrode active material volume fraction"],
        "bruggeman": values["Positive electrode Bruggeman coefficient (electrolyte)"],
        "particle_radius_um": values["Positive particle radius [m]"] / M_PER_UM,
        "most_lithium_mol_per_m3": values["Maximum concentration in positive electrode [mol.m-3]"],
        "thickness_um": values["Positive electrode thickness [m]"] / M_PER_UM,
        "double_layer_uF_per_cm2": 1e2 * values["Positive electrode double-layer capacity [F.m-2]"],
    }
    for field, value in wanted.items():
        rel = 2e-4 if field == "thickness_um" else 1e-8
        assert getattr(part, field) == approx(value, rel=rel), field
    solid = values["Positive electrode conductivity [S.m-1]"]
    solid = number(solid(0.5, ROOM_K)) if callable(solid) else solid
    exponent = values["Positive electrode Bruggeman coefficient (electrode)"]
    assert part.solid_conductivity_S_per_m == approx(solid * (1 - part.porosity) ** exponent, rel=1e-8)


@pytest.mark.parametrize("name", ENDS)
def test_tables_reach_as_far_as_the_published_fit_is_sane(name):
    least, most, highest_V, lowest_V = ENDS[name]
    curve = positive(name).open_circuit
    assert (curve.stoichiometry[0], curve.stoichiometry[-1]) == (least, most)
    assert (curve.value[0], curve.value[-1]) == approx((highest_V, lowest_V), abs=6e-4)
    assert np.all(np.diff(curve(np.linspace(least, most, 20_001))) < 0)


@pytest.mark.parametrize(
    ("name", "in_use_V", "whole_table_V"),
    [("nmc811-chen2020", 3.871, 3.827), ("lco-marquis2019", 3.967, 3.938), ("lco-ramadass2004", 3.953, 3.942)],
)
def test_mean_open_circuit_from_4_25_V_down(name, in_use_V, whole_table_V):
    """NMC811 has 3.827 V only when it takes lithium up to 1 per site; to 0.9084, as the cell did, it is 3.871 V."""
    part = positive(name, lower_voltage_V=2.75, upper_voltage_V=4.25)
    for end, mean_V in ((part.discharged, in_use_V), (part.open_circuit.stoichiometry[-1], whole_table_V)):
        x = np.linspace(part.charged, end, 10_001)
        assert np.mean(part.open_circuit_V(x)) == approx(mean_V, abs=1e-3)


@given(
    name=st.sampled_from((*SETS, *PAPER)),
    capacity=st.floats(0.1, 10.0),
    lower=st.floats(2.5, 3.6),
    upper=st.floats(4.0, 4.25),
)
def test_the_thickness_holds_the_areal_capacity(name, capacity, lower, upper):
    part = positive(name, areal_capacity_mAh_per_cm2=capacity, lower_voltage_V=lower, upper_voltage_V=upper)
    sites_mol_per_m2 = part.most_lithium_mol_per_m3 * part.active_fraction * part.thickness_um * M_PER_UM
    charge = FARADAY_C_PER_MOL * sites_mol_per_m2 * (part.discharged - part.charged) / C_PER_M2_PER_mAh_PER_CM2
    assert charge == approx(capacity, rel=1e-12)
    assert part.particle_area_m2_per_m2 * part.particle_radius_um == approx(
        3 * part.active_fraction * part.thickness_um, rel=1e-12
    )


@given(name=st.sampled_from(tuple(SETS)), share=st.floats(0, 1))
def test_stoichiometry_at_inverts_the_open_circuit(name, share):
    part = positive(name)
    least = part.open_circuit.stoichiometry[0]
    x = least + share * (part.lithiated - least)
    assert float(part.stoichiometry_at(part.open_circuit_V(x))) == approx(x, abs=1e-9)


@pytest.mark.parametrize("name", SETS)
def test_stoichiometry_stays_within_the_table_and_what_there_is(name):
    part = positive(name)
    assert part.stoichiometry_at([9.0, 0.1]) == approx([part.open_circuit.stoichiometry[0], part.lithiated], rel=1e-12)


def test_lco_reaches_its_window_and_ncm811_ends_with_all_lithium_back():
    lco, ncm = positive("lco"), positive("ncm811")
    assert lco.open_circuit_V([lco.charged, lco.discharged]) == approx([4.6, 3.0], abs=2e-3)
    assert ncm.discharged == approx(0.9084, rel=1e-12)
    assert ncm.open_circuit(ncm.discharged) == approx(3.5614, abs=1e-4)
    assert ncm.open_circuit_V([ncm.charged, ncm.discharged]) == approx([4.3, 2.8], abs=1e-9)


def test_the_curve_never_overshoots_its_points():
    steps = Curve(stoichiometry=(0.0, 0.1, 0.5, 0.51, 1.0), value=(4.0, 3.99, 3.98, 3.0, 2.99))
    between = steps(np.linspace(0, 1, 10_001))
    assert np.all(np.diff(between) <= 0)
    peak = Curve(stoichiometry=(0.0, 0.2, 0.6, 1.0), value=(1.0, 2.0, 1.0, 1.0))
    assert (peak(np.linspace(0, 1, 10_001)).max(), peak(0.7)) == (2.0, 1.0)


def test_the_slopes_are_the_derivative():
    curve = positive("lco-marquis2019").open_circuit
    x = np.array(curve.stoichiometry)[1:-1]
    step = 1e-7
    assert (curve(x + step) - curve(x - step)) / (2 * step) == approx(curve.slopes[1:-1], rel=1e-3, abs=1e-4)


def test_the_curve_converges_with_third_order():
    def error(n):
        x = np.linspace(0, 1, n + 1)
        fine = np.linspace(0, 1, 20 * n + 1)
        return np.max(np.abs(Curve(stoichiometry=x, value=np.exp(-2 * x))(fine) - np.exp(-2 * fine)))

    assert np.log2(error(20) / error(40)) > 2.7


def test_one_point_is_a_constant_and_two_a_line():
    assert Curve(stoichiometry=(0.5,), value=(3.0,))([0.0, 1.0]).tolist() == [3.0, 3.0]
    line = Curve(stoichiometry=(0.2, 0.8), value=(4.0, 3.0))
    assert line([0.0, 0.2, 0.35, 0.9]) == approx([4.0, 4.0, 3.75, 3.0])


@pytest.mark.parametrize(
    ("x", "y", "said"),
    [
        ((0.5, 0.2), (4.0, 3.5), "rise"),
        ((0.2, 0.2), (4.0, 3.5), "rise"),
        ((0.2, 0.5), (4.0,), "as many"),
        ((), (), "at least 1"),
        ((0.2, np.nan), (4.0, 3.5), "finite"),
        ((0.2, 0.5), (4.0, np.inf), "finite"),
        ((0.2, 1.5), (4.0, 3.5), "between 0 and 1"),
    ],
)
def test_a_bad_table_is_refused(x, y, said):
    with pytest.raises(ValidationError, match=said):
        Curve(stoichiometry=x, value=y)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"porosity": 0.4}, "at most 1"),
        ({"open_circuit": Curve(stoichiometry=(0.2, 1.0), value=(3.5, 3.5))}, "must fall"),
        ({"open_circuit": Curve(stoichiometry=(0.2,), value=(3.5,))}, "must fall"),
        ({"open_circuit": Curve(stoichiometry=(0.2, 0.9), value=(4.4, 3.5))}, "before lithiated"),
        ({"diffusivity": Curve(stoichiometry=(0.2, 1.0), value=(1e-14, 0.0))}, "above 0"),
        ({"lower_voltage_V": 4.35}, "below upper"),
        ({"lower_voltage_V": 4.8, "upper_voltage_V": 4.9}, "gives nothing"),
        ({"lithiated": 0.4}, "greater than or equal to 0.5"),
    ],
)
def test_a_bad_electrode_is_refused(changes, said):
    with pytest.raises(ValidationError, match=said):
        positive("ncm811").with_values(**changes)


def test_an_unknown_name_meets_the_nearest():
    with pytest.raises(InputError, match="Did you mean ncm811"):
        positive("NCM-811")
    with pytest.raises(InputError, match="Did you mean lco-marquis2019"):
        note("lco-marquis")


@pytest.mark.parametrize("ask", [lambda p: p.stoichiometry_at(np.nan), lambda p: p.exchange_A_per_m2(1.1)])
def test_questions_without_an_answer_are_refused(ask):
    with pytest.raises(InputError):
        ask(positive("lco"))


@pytest.mark.parametrize("name", [*SETS, *PAPER])
def test_every_number_says_where_it_comes_from(name):
    part = positive(name)
    rows = {row["name"]: row for row in parameters(part)}
    expected = set(type(part).model_fields) - {"kind", "name", "origins"}
    assert rows.keys() == expected
    assert all(
        "doi:" in row["source"] or "judgement" in row["source"] or "Xu et al" in row["source"] for row in rows.values()
    )
    assert rows["open_circuit"]["value"] == rows["diffusivity"]["value"] == "function"
    assert rows["most_lithium_mol_per_m3"]["unit"] == "mol/m3"
    assert rows["solid_conductivity_S_per_m"]["unit"] == "S/m"
    assert "25 C" in note(name)


def test_a_stand_in_is_assumed_and_says_so():
    rows = {row["name"]: row for row in parameters(positive("ncm90"))}
    own = {"areal_capacity_mAh_per_cm2", "lower_voltage_V", "upper_voltage_V"}
    assert rows.pop("end_width")["kind"] == "assumed"
    assert all(rows[key]["kind"] == "stated" and "Shen" in rows[key]["source"] for key in own)
    others = [row for key, row in rows.items() if key not in own]
    assert all(row["kind"] == "assumed" and row["source"].startswith("stand-in") for row in others)
    assert note("ncm90").startswith("stand-in: NMC811 of Chen2020 for NCM90")


def test_what_the_user_gives_is_stated_and_the_rest_stays():
    part = positive("ncm90", areal_capacity_mAh_per_cm2=4.0)
    assert (part.areal_capacity_mAh_per_cm2, part.upper_voltage_V) == (4.0, 4.25)
    assert part.origin("areal_capacity_mAh_per_cm2").source == "stated by the user"
    assert "Shen" in part.origin("upper_voltage_V").source
    assert positive_names() == (*SETS, *PAPER)
