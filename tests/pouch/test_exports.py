"""Exports hold the cell that they are of: read by the packages of their formats, solved by PyBaMM, gaps named."""

import copy
import json

import bpx as bpx_package
import numpy as np
import pybamm
import pytest
import rdflib
from pytest import approx

from interlith.parts.changes import changed
from interlith.parts.design import CellDesign, Coin, Electrode, Filling, Stack
from interlith.parts.layer import Layer, Material, material
from interlith.parts.positive import Curve, positive
from interlith.pouch.bill import bill
from interlith.pouch.design_file import read_design
from interlith.pouch.exports import battinfo, bpx, exports, pybamm_dictionary
from interlith.units import FARADAY_C_PER_MOL, SECONDS_PER_HOUR

EMMO = "https://w3id.org/emmo#"
ELECTROCHEMISTRY = "https://w3id.org/emmo/domain/electrochemistry#electrochemistry_"
THICKNESS = f"{EMMO}EMMO_43003c86_9d15_433b_9789_ee2940920656"
WITHIN = 0.005
SLOW_C = 0.02
HALF_CELL = {"working electrode": "positive"}


def pouch():
    return read_design("reference-pouch").cell


def coin(layer=None, electrolyte="litfsi-dol-dme-lino3", lithium=True, **values):
    """A coin cell of NMC622 and 100 um of lithium without an interlayer, or another positive."""
    coating = layer or Layer(
        name="coating",
        material=material("nmc622"),
        rest=material("carbon-and-binder"),
        active_fraction=0.94,
        areal_capacity_mAh_per_cm2=3.0,
        porosity=0.3,
    )
    foil = Layer(material=material("copper"), thickness_um=10.0)
    metal = Layer(name="lithium", material=material("lithium"), thickness_um=100.0)
    sheet = Layer(name="separator", material=material("polypropylene"), thickness_um=25.0, porosity=0.41)
    given = {
        "positive": Electrode(
            diameter_mm=12.0,
            foil=Layer(material=material("aluminium"), thickness_um=15.0),
            layers=(coating,),
            two_sided=False,
        ),
        "negative": Electrode(diameter_mm=15.0, foil=foil, layers=(metal,) if lithium else (), two_sided=False),
        "stack": Stack(diameter_mm=18.0, n_positive=1, n_negative=1, separator=sheet),
        "electrolyte": Filling(
            material=electrolyte if isinstance(electrolyte, Material) else material(electrolyte), volume_mL=0.06
        ),
        "case": Coin(
            case_g=1.6,
            spacers_g=1.5,
            spring_g=0.2,
            spacers_mm=1.0,
            inner_diameter_mm=18.5,
            inner_height_mm=2.4,
            outer_diameter_mm=20.0,
            outer_height_mm=3.2,
        ),
        "lower_voltage_V": 3.0,
        "upper_voltage_V": 4.3,
        "polarization_mV": 20.0,
    }
    return CellDesign(**{**given, **values})


def own_curve():
    """A coin cell whose open circuit is a table, in an electrolyte that is not shipped."""
    curve = Curve(stoichiometry=(0.2, 0.5, 0.9), value=(4.4, 3.9, 3.2))
    own = Material(name="own", density_g_per_cm3=4.6, specific_capacity_mAh_per_g=190.0, open_circuit=curve)
    coating = Layer(name="coating", material=own, areal_capacity_mAh_per_cm2=2.0, porosity=0.3)
    return coin(coating, electrolyte="lifsi-dme-tte")


def crowded():
    """A coating that holds more than the shipped set could between its pores."""
    dense = material("nmc622").with_values(density_g_per_cm3=9.0, specific_capacity_mAh_per_g=230.0)
    return coin(Layer(name="coating", material=dense, areal_capacity_mAh_per_cm2=4.0, porosity=0.3))


def moved():
    """The reading of the reference pouch whose open circuit is moved."""
    return next(cell for reading, cell in read_design("reference-pouch").readings if reading.name == "R5")


CELLS = {"pouch": pouch, "coin": coin, "crowded": crowded, "moved": moved, "own curve": own_curve}
KNOWN = [name for name in CELLS if name != "own curve"]


def parameter_values(content):
    """As the docstring of pybamm_dictionary has it."""

    def value(held):
        if not isinstance(held, dict):
            return held
        x, y = np.array(held["x"]), np.array(held["y"])
        return lambda *given: pybamm.Interpolant(x, y, given[held["argument"]], interpolator="linear")

    held = json.loads(json.dumps(content))
    return pybamm.ParameterValues({name: value(one) for name, one in held.items()})


def discharged(cell, model):
    """Capacity in Ah and mean voltage of a slow discharge down to the lower voltage."""
    values = parameter_values(pybamm_dictionary(cell).content)
    made = getattr(pybamm.lithium_ion, model)({**HALF_CELL, "calculate discharge energy": "true"})
    seconds = 2.0 / SLOW_C * SECONDS_PER_HOUR
    found = pybamm.Simulation(made, parameter_values=values, C_rate=SLOW_C).solve([0, seconds])
    assert found.termination == "event: Minimum voltage [V]"
    capacity_Ah, energy_Wh = (found[f"Discharge {name}"].entries[-1] for name in ("capacity [A.h]", "energy [W.h]"))
    return capacity_Ah, energy_Wh / capacity_Ah


@pytest.mark.parametrize("name", CELLS)
def test_every_export_is_plain_json_and_names_its_cell(name):
    made = exports(CELLS[name](), "a cell")
    assert [export.name for export in made] == ["bpx.json", "battinfo.jsonld", "pybamm.json"]
    for export in made:
        assert json.loads(json.dumps(export.content, allow_nan=False)) == export.content
        said = (*export.left_out, *export.filled_in)
        assert len(set(said)) == len(said)
        assert all(text.endswith(".") and not text.endswith("..") for text in said)


@pytest.mark.parametrize("index", range(3))
def test_the_interlayer_is_named_where_there_is_one_and_only_there(index):
    named = [text for text in exports(pouch(), "")[index].left_out if "nterlayer host" in text]
    assert len(named) == 1
    assert "20 um thick" in named[0]
    assert "carbon-nanotubes" in named[0]
    without = exports(coin(), "")[index]
    assert not [text for text in without.left_out if "nterlayer" in text]
    assert "nterlayer" not in json.dumps(without.content)


@pytest.mark.parametrize("index", range(3))
def test_what_no_format_holds_is_named_with_its_value(index):
    cell = pouch()
    text = " ".join(exports(cell, "")[index].left_out)
    for value in ("N/P 1.167", "E/C 2.45 g per coated Ah", "113 um", "5 x 25 x 0.3 mm", "0.34 MPa", "28 assumed"):
        assert value in text
    assert f"cell {bill(cell).mass_g:.5g}" in text
    other = " ".join(exports(coin(), "")[index].left_out)
    assert "spring 0.2 g" in other
    assert "aminate" not in other


# BPX


def parsed(cell, title="a cell"):
    """The file as the package bpx reads it, and as it was written."""
    content = bpx(cell, title).content
    return bpx_package.parse_bpx_obj(copy.deepcopy(content)), content


@pytest.mark.parametrize("name", CELLS)
def test_bpx_is_read_by_its_package(name):
    cell = CELLS[name]()
    read, content = parsed(cell)
    assert read.header.model == "Partial"
    assert read.parameterisation.cell.electrode_area == approx(cell.facing_cm2 * 1e-4)
    assert read.parameterisation.cell.number_of_electrodes == cell.stack.n_pairs
    assert read.parameterisation.negative_electrode is None
    assert ("Positive electrode" in content["Parameterisation"]) == (name != "own curve")
    whole_kg = read.parameterisation.cell.density * read.parameterisation.cell.volume
    assert whole_kg == approx(bill(cell).mass_g / 1000)


@pytest.mark.parametrize("name", KNOWN)
def test_bpx_holds_the_capacity_and_the_voltages_of_the_cell(name):
    cell = CELLS[name]()
    sections = parsed(cell)[1]["Parameterisation"]
    one, positive_ = sections["Cell"], sections["Positive electrode"]
    fraction = positive_["Surface area per unit volume [m-1]"] * positive_["Particle radius [m]"] / 3
    assert fraction + positive_["Porosity"] <= 1 + 1e-9
    width = positive_["Maximum stoichiometry"] - positive_["Minimum stoichiometry"]
    moles_per_m2 = positive_["Thickness [m]"] * fraction * positive_["Maximum concentration [mol.m-3]"] * width
    area = one["Electrode area [m2]"] * one["Number of electrode pairs connected in parallel to make a cell"]
    assert moles_per_m2 * area * FARADAY_C_PER_MOL / SECONDS_PER_HOUR == approx(cell.coated_Ah, rel=1e-6)
    x, volts = positive_["OCP [V]"]["x"], positive_["OCP [V]"]["y"]
    ends = np.interp([positive_["Minimum stoichiometry"], positive_["Maximum stoichiometry"]], x, volts)
    assert ends == approx([cell.upper_voltage_V, cell.lower_voltage_V], abs=5e-3)
    assert np.all(np.diff(x) > 0)
    assert np.all(np.diff(volts) < 0)
    assert positive_["Thickness [m]"] == approx(cell.coating.um * 1e-6)


def test_bpx_keeps_the_interlayer_as_numbers_and_the_text_in_the_description():
    export = bpx(pouch(), "the title")
    user = export.content["Parameterisation"]["User-defined"]
    assert user["Interlayer host thickness [m]"] == 20e-6
    assert user["Interlayer host areal mass [kg.m-2]"] == approx(0.01)
    assert user["Lithium foil thickness [m]"] == 30e-6
    assert user["Electrolyte mass [kg]"] == approx(bill(pouch()).masses_g["electrolyte"] / 1000)
    assert all(isinstance(value, float) for value in user.values())
    head = export.content["Header"]
    assert head["Title"] == "the title"
    assert all(text in head["Description"] for text in (*export.left_out, *export.filled_in))


def test_bpx_holds_transport_and_the_body():
    sections = bpx(pouch(), "").content["Parameterisation"]
    assert sections["Positive electrode"]["Transport efficiency"] == approx(0.25**1.5)
    assert sections["Separator"]["Transport efficiency"] == approx(0.41**2.5)
    assert sections["Electrolyte"]["Cation transference number"] == approx(0.33, abs=5e-3)
    salt = sections["Electrolyte"]["Conductivity [S.m-1]"]
    assert np.interp(1000.0, salt["x"], salt["y"]) == approx(1.182, abs=2e-3)
    thick_m = sections["Cell"]["Volume [m3]"] / (0.047 * 0.065)
    whole_m2 = 2 * 0.047 * 0.065 + 2 * (0.047 + 0.065) * thick_m
    assert sections["Cell"]["External surface area [m2]"] == approx(whole_m2)
    disc = bpx(coin(), "").content["Parameterisation"]["Cell"]
    assert disc["Volume [m3]"] == approx(np.pi * 0.01**2 * 0.0032)
    assert disc["External surface area [m2]"] == approx(2 * np.pi * 0.01 * (0.01 + 0.0032))


def test_bpx_gives_the_exchange_current_at_half_of_the_lithium():
    section = bpx(coin(), "").content["Parameterisation"]["Positive electrode"]
    per_area = FARADAY_C_PER_MOL * section["Reaction rate constant [mol.m-2.s-1]"] * 0.5
    assert per_area == approx(float(positive("nmc532-xu2019").exchange_A_per_m2(0.5)))


def test_bpx_says_where_its_rate_law_does_not_fit():
    other = material("nmc811").with_values(open_circuit="nmc811-oregan2022")
    cell = coin(Layer(name="coating", material=other, areal_capacity_mAh_per_cm2=4.0, porosity=0.3))
    assert any("0.57, 0.43, 0.57" in text for text in bpx(cell, "").filled_in)
    assert not any("exponents" in text for text in bpx(coin(), "").filled_in)
    held = pybamm_dictionary(cell).content["Positive particle diffusivity [m2.s-1]"]
    assert held["argument"] == 0
    assert len(held["x"]) == len(held["y"]) > 10


def test_bpx_names_what_a_curve_of_ones_own_leaves_open():
    export = bpx(own_curve(), "")
    sections = export.content["Parameterisation"]
    assert "Electrolyte" not in sections
    assert sections["User-defined"]["Positive electrode thickness [m]"] == approx(own_curve().coating.um * 1e-6)
    assert any("particle radius" in text for text in export.left_out)
    assert any("lifsi-dme-tte" in text for text in export.left_out)
    assert not any("particle radius" in text or "lifsi" in text for text in bpx(coin(), "").left_out)


# BattINFO


def graph(cell):
    made = rdflib.Graph()
    made.parse(data=json.dumps(battinfo(cell, "a cell").content), format="json-ld")
    return made


def numbers(made, relations, term):
    """(value, unit) of a quantity at the end of a path of relations from the cell."""
    path = "/".join(f"<{iri}>" for iri in (*relations, f"{EMMO}EMMO_e1097637_70d2_4895_973f_2396f04fa204"))
    query = f"""SELECT ?value ?unit WHERE {{
        ?cell a <https://w3id.org/emmo/domain/battery#battery_68ed592a_7924_45d0_a108_94d6275d57f0> ; {path} ?held .
        ?held a <{term}> ; <{EMMO}EMMO_bed1d005_b04e_4a90_94cf_02bc678a8569> ?unit ;
        <{EMMO}EMMO_8ef3cd6d_ae58_4a8d_9fc0_ad8f49015cd0>/<{EMMO}EMMO_faf79f53_749d_40b2_807c_d34244c192f4> ?value }}"""
    return [(float(value), str(unit)) for value, unit in made.query(query)]


SEPARATOR = f"{ELECTROCHEMISTRY}9317be62_e602_4343_a72d_02c87201b9f6"
POSITIVE = f"{ELECTROCHEMISTRY}8e9cf965_9f92_46e8_b678_b50410ce3616"
NEGATIVE = f"{ELECTROCHEMISTRY}5d299271_3f68_494f_ab96_3db9acdd3138"
COATING = f"{ELECTROCHEMISTRY}4df9926d_d4f2_4955_93f3_a03c5edc5383"
CONSTITUENT = f"{EMMO}EMMO_dba27ca1_33c9_4443_a912_1519ce4c39ec"


def test_linked_data_hold_thickness_and_unit():
    cell, made = pouch(), graph(pouch())
    um = f"{EMMO}MicroMetre"
    assert numbers(made, [SEPARATOR], THICKNESS) == [(25.0, um)]
    assert numbers(made, [NEGATIVE, CONSTITUENT], THICKNESS) == [(20.0, um)]
    [(coating, unit)] = numbers(made, [POSITIVE, COATING], THICKNESS)
    assert (coating, unit) == (approx(cell.coating.um), um)
    areal = f"{ELECTROCHEMISTRY}bcb33f7e_5573_4bc2_b636_4ea313a9dd3a"
    assert numbers(made, [POSITIVE, COATING], areal) == [(5.3, f"{EMMO}MilliAmpereHourPerSquareCentiMetre")]
    mass = numbers(made, [], f"{EMMO}EMMO_ed4af7ae_63a2_497e_bb88_2309619ea405")
    assert mass == [(approx(bill(cell).mass_g), f"{EMMO}Gram")]


@pytest.mark.parametrize("name", CELLS)
def test_linked_data_use_no_term_that_is_not_declared(name):
    content = battinfo(CELLS[name](), "a cell").content
    context = content.pop("@context")
    words, n_numbers = set(), 0

    def walk(held):
        nonlocal n_numbers
        if isinstance(held, list):
            for one in held:
                walk(one)
        elif isinstance(held, dict):
            n_numbers += "hasNumberValue" in held
            types = held.get("@type", [])
            words.update(held, [types] if isinstance(types, str) else types)
            for value in held.values():
                walk(value)

    walk(content)
    own = {word for word in words if not word.startswith(("@", "schema:", "rdfs:"))}
    assert own <= set(context)
    assert set(context) - own == {"@version", "emmo", "electrochemistry", "battery", "chemical", "schema", "rdfs"}
    made = graph(CELLS[name]())
    value = rdflib.URIRef(f"{EMMO}EMMO_faf79f53_749d_40b2_807c_d34244c192f4")
    assert len(list(made.triples((None, value, None)))) == n_numbers > 20
    iris = {term for triple in made for term in triple if isinstance(term, rdflib.URIRef)}
    assert all(str(iri).startswith(("https://w3id.org/", "https://schema.org/", "http://www.w3.org/")) for iri in iris)


def test_linked_data_say_where_a_number_is_from():
    made = graph(pouch())
    comments = {str(text) for text in made.objects(None, rdflib.RDFS.comment)}
    assert "assumed, 0.2 to 0.32 (uniform): judgement: calendered to about 3.4 g/cm3" in comments
    measured = rdflib.URIRef(f"{EMMO}EMMO_873b0ab3_88e6_4054_b901_5531e01f14a4")
    host = next(made.subjects(rdflib.URIRef("https://schema.org/name"), rdflib.Literal("host")))
    held = made.objects(host, rdflib.URIRef(f"{EMMO}EMMO_e1097637_70d2_4895_973f_2396f04fa204"))
    kinds = {term for one in held for term in made.objects(one, rdflib.RDF.type)}
    assert measured in kinds  # its thickness


def test_only_lithium_is_called_lithium():
    graphite = Layer(name="coating", material=material("graphite"), thickness_um=60.0, porosity=0.3)
    other = coin(negative=Electrode(diameter_mm=15.0, layers=(graphite,), two_sided=False))
    assert "LithiumMetalBattery" in battinfo(coin(), "").content["@type"]
    assert "LithiumMetalBattery" not in battinfo(other, "").content["@type"]
    assert "LithiumElectrode" not in battinfo(other, "").content["hasNegativeElectrode"]["@type"]
    assert any("not of this cell" in text for text in pybamm_dictionary(other).left_out)
    assert not any("not of this cell" in text for text in pybamm_dictionary(coin()).left_out)


# PyBaMM


@pytest.mark.parametrize("model", ["SPM", "SPMe", "DFN"])
def test_pybamm_asks_for_nothing_else_and_for_all_of_it(model):
    asked = set(getattr(pybamm.lithium_ion, model)(HALF_CELL).get_parameter_info())
    held = set(pybamm_dictionary(pouch()).content)
    assert asked <= held
    if model == "DFN":
        assert held == asked


@pytest.mark.parametrize(("name", "model"), [*((name, "SPMe") for name in KNOWN), ("pouch", "SPM"), ("pouch", "DFN")])
def test_pybamm_discharges_what_was_coated(name, model):
    cell = CELLS[name]()
    capacity_Ah, mean_V = discharged(cell, model)
    assert capacity_Ah == approx(cell.coated_Ah, rel=WITHIN)
    open_circuit_V = bill(cell).mean_open_circuit_V + cell.curve_offset_mV / 1000
    assert 0.0 < open_circuit_V - mean_V < 0.02  # what a slow current costs, and the end that is made to fall


def test_pybamm_begins_charged_and_at_rest():
    values = parameter_values(pybamm_dictionary(pouch()).content)
    steps = pybamm.Experiment(["Rest for 10 minutes", "Discharge at C/5 for 1 hour", "Charge at C/5 until 4.25 V"])
    made = pybamm.lithium_ion.SPMe(HALF_CELL)
    found = pybamm.Simulation(made, parameter_values=values, experiment=steps).solve()
    assert found["Voltage [V]"].entries[0] == approx(4.25, abs=2e-3)
    assert found.cycles[0]["Voltage [V]"].entries[-1] == approx(4.25, abs=2e-3)


def test_pybamm_takes_the_exchange_current_at_the_surface():
    values = parameter_values(pybamm_dictionary(pouch()).content)
    made = pybamm.lithium_ion.SPM(HALF_CELL)
    found = pybamm.Simulation(made, parameter_values=values, C_rate=SLOW_C).solve([0, 3 * SECONDS_PER_HOUR])
    x, exchange = (
        found[f"X-averaged positive {name}"].entries[-1]
        for name in ("particle surface stoichiometry", "electrode exchange current density [A.m-2]")
    )
    assert exchange == approx(float(positive("ncm90").exchange_A_per_m2(x)), rel=1e-3)


def test_the_set_is_kept_and_the_share_of_active_material_follows():
    content, part = pybamm_dictionary(pouch()).content, positive("ncm90")
    assert content["Maximum concentration in positive electrode [mol.m-3]"] == part.most_lithium_mol_per_m3
    assert content["Positive particle radius [m]"] == approx(part.particle_radius_um * 1e-6)
    fraction = content["Positive electrode active material volume fraction"]
    thickness_um = part.thickness_um * part.active_fraction / fraction  # the same areal capacity in the same window
    assert thickness_um == approx(pouch().coating.um, rel=1e-3)


def test_pybamm_has_the_cell_and_not_the_set():
    content = pybamm_dictionary(pouch()).content
    assert content["Electrode width [m]"] == approx(0.045)
    assert content["Electrode height [m]"] == approx(0.062)
    assert content["Nominal cell capacity [A.h]"] == 1.4
    assert content["Negative electrode thickness [m]"] == 30e-6
    assert content["Positive electrode porosity"] == 0.25
    assert content["Separator porosity"] == 0.41
    assert content["Negative electrode conductivity [S.m-1]"] == approx(1 / 92.8e-9, rel=1e-3)
    assert content["Lithium metal partial molar volume [m3.mol-1]"] == approx(1.3e-5, rel=1e-2)
    disc = pybamm_dictionary(coin()).content
    assert disc["Electrode width [m]"] * disc["Electrode height [m]"] == approx(coin().facing_cm2 * 1e-4)
    thin = changed(pouch(), {"negative.lithium.thickness_um": 20.0})
    assert pybamm_dictionary(thin).content["Negative electrode thickness [m]"] == 20e-6


def test_pybamm_takes_the_plated_lithium_where_none_is_built_in():
    export = pybamm_dictionary(coin(lithium=False))
    assert export.content["Negative electrode thickness [m]"] == approx(3.0 * 4.85e-6, rel=1e-2)
    assert any("plated" in text for text in export.filled_in)
    assert any("none as built" in text for text in export.left_out)


def test_pybamm_leaves_open_what_is_not_known():
    export = pybamm_dictionary(own_curve())
    known = set(pybamm_dictionary(coin()).content)
    missing = known - set(export.content)
    assert "Positive particle radius [m]" in missing
    assert "Electrolyte conductivity [S.m-1]" in missing
    assert "Positive electrode OCP [V]" not in missing
    table = export.content["Positive electrode OCP [V]"]
    assert np.interp(0.5, table["x"], table["y"]) == approx(3.9, abs=1e-3)
    assert any("particle radius" in text for text in export.left_out)
    assert any("lifsi-dme-tte" in text for text in export.left_out)


def test_a_solid_that_would_not_fit_is_said():
    assert any("more solid than the pores leave" in text for text in pybamm_dictionary(crowded()).filled_in)
    assert not any("more solid" in text for text in pybamm_dictionary(coin()).filled_in)


def test_the_electrolyte_says_which_one_stands_in():
    for cell, name in ((pouch(), "lipf6-ec-dmc-vc"), (coin(), "litfsi-dol-dme-lino3")):
        assert any(f"those shipped as {name}" in text for text in pybamm_dictionary(cell).filled_in)
    salt = pybamm_dictionary(pouch()).content["Electrolyte conductivity [S.m-1]"]
    assert np.interp(1000.0, salt["x"], salt["y"]) == approx(1.182, abs=2e-3)
