"""The published figures that do not close, each to its number; and that a cell that closes says so."""

from dataclasses import replace

import pytest

from interlith.pouch.audits import audit, cycles_by_inventory, least_efficiency
from interlith.pouch.design_file import changed_design, read_design

POUCH = {one.name: one for one in audit(read_design("reference-pouch"))}
COIN = {one.name: one for one in audit(read_design("reference-coin"))}
CONTROL = {one.name: one for one in audit(read_design("reference-coin-cp"))}


@pytest.mark.parametrize(
    ("cell", "name", "verdict", "number", "wanted", "within"),
    [
        (POUCH, "rated capacity", "does not close", "coated_mAh", 1478.7, 0.05),
        (POUCH, "rated capacity", "does not close", "rated_mAh_per_cm2", 5.018, 5e-4),
        (POUCH, "N/P", "does not close", "by_face", 1.167, 5e-4),
        (POUCH, "N/P", "does not close", "by_rule_of_thumb", 1.13, 3e-3),
        (POUCH, "areal mass of negative foil", "does not close", "solid_um", 6.56, 5e-3),
        (POUCH, "areal mass of negative foil", "does not close", "implied", 5.38, 5e-3),
        (POUCH, "areal mass of positive foil", "closes", "implied", 2.7, 1e-9),
        (POUCH, "laminate", "closes", "share", 0.104, 5e-4),
        (POUCH, "laminate", "closes", "low_g", 1.46, 6e-3),
        (POUCH, "laminate", "closes", "high_g", 1.55, 6e-3),
        (POUCH, "laminate", "closes", "low_cm2", 80.0, 1.0),
        (POUCH, "laminate", "closes", "high_cm2", 85.0, 1.0),
        (POUCH, "efficiencies", "does not close", "at_least", 0.976, 5e-4),
        (POUCH, "efficiencies", "does not close", "claimed_0.9311", 0.931, 5e-4),
        (POUCH, "pores of the host", "does not close", "porosity", 0.79, 0.012),
        (POUCH, "pores of the host", "does not close", "pores_hold_mAh_per_cm2", 3.2, 0.05),
        (POUCH, "swelling of the host", "noted", "void_um_at_0", 15.7, 0.15),
        (POUCH, "swelling of the host", "noted", "void_um_at_1", 10.9, 0.15),
        (POUCH, "swelling of the host", "noted", "void_um_at_5", 15.3, 0.15),
        (POUCH, "swelling of the host", "noted", "dense_um", 28.5, 0.15),
        (POUCH, "swelling of the host", "noted", "cap_porosity_pores_filled", 0.63, 0.015),
        (POUCH, "conversion", "noted", "kept_mAh_per_cm2", 0.082, 5e-4),
        (POUCH, "conversion", "noted", "given_back_mAh_per_cm2", 0.041, 5e-4),
        (COIN, "specific capacity of positive coating", "does not close", "implied", 225.0, 0.1),
        (COIN, "lean", "noted", "g_per_Ah", 12.4, 0.3),
        (COIN, "lean", "noted", "n_to_p", 4.6, 0.05),
        (CONTROL, "swelling of the host", "noted", "void_um_at_5", 52.0, 0.5),
        (CONTROL, "swelling of the host", "noted", "cap_porosity_pores_filled", 0.86, 0.015),
        (CONTROL, "swelling of the host", "noted", "cap_porosity_pores_empty", 0.60, 5e-3),
        (CONTROL, "pores of the host", "does not close", "pores_hold_mAh_per_cm2", 3.13, 0.05),
    ],
)
def test_what_the_paper_does_not_close(cell, name, verdict, number, wanted, within):
    """Facts of Shen et al. (2025), doi:10.1038/s41467-025-60609-4, held against each other."""
    assert cell[name].verdict == verdict
    assert cell[name].numbers[number] == pytest.approx(wanted, abs=within)


def test_audits_tell_their_numbers():
    assert "1478.7 mAh; rated 1400.0 mAh" in POUCH["rated capacity"].text
    assert "rule of thumb of 2 mAh/cm2 per 10 um gives it" in POUCH["N/P"].text
    assert "1027 cycles" in POUCH["efficiencies"].text
    assert "not lean" in COIN["lean"].text
    assert "not lean" not in POUCH["lean"].text
    assert "dendrites from 3.12 mAh/cm2 on" in CONTROL["pores of the host"].text


def test_a_cell_that_closes_says_so():
    mended = changed_design(
        read_design("reference-pouch"),
        {
            "rated_capacity_Ah": 1.4787,
            "negative.foil.areal_mass_mg_per_cm2": 5.376,
            "negative.lithium.thickness_um": 29.04,
            "negative.host.thickness_um": 40.0,
            "negative.host.filled_um": ((0.0, 40.0), (5.0, 60.0)),
        },
    )
    found = {one.name: one.verdict for one in audit(mended)}
    for name in ("rated capacity", "N/P", "areal mass of negative foil", "pores of the host"):
        assert found[name] == "closes", name


def test_electrolyte_that_does_not_fill_the_pores_is_told():
    dry = changed_design(read_design("reference-pouch"), {"electrolyte.g_per_Ah": 0.9})
    found = {one.name: one for one in audit(dry)}["electrolyte against pores"]
    assert found.verdict == "does not close"
    assert "does not fill the pores" in found.text


def test_what_the_first_charge_leaves_is_told():
    told = POUCH["first charge"]
    assert told.numbers["surplus_mAh_per_cm2"] == pytest.approx(0.70, abs=0.005)
    assert "1.152 becomes 1.284" in told.text


def test_breathing_is_a_span_where_the_filling_is_not_measured():
    reference = read_design("reference-pouch")
    negative = reference.cell.negative
    plain = tuple(layer.with_values(filled_um=None) for layer in negative.layers)
    cell = reference.cell.with_values_kept(negative=negative.with_values_kept(layers=plain))
    told = {one.name: one for one in audit(replace(reference, cell=cell))}["breathing"]
    assert told.numbers["least_um"] == pytest.approx(100.9, abs=0.5)
    assert told.numbers["breathing_um"] == pytest.approx(257.0, abs=0.5)
    assert "if it filled its pores first" in told.text


def test_coating_that_faces_nothing_is_told():
    reference = read_design("reference-pouch")
    stack = reference.cell.stack.with_values(n_positive=6, n_negative=5, n_separators=None)
    cell = reference.cell.with_values_kept(stack=stack)
    told = {one.name: one for one in audit(replace(reference, cell=cell))}["idle coating"]
    assert told.numbers["idle_g"] == pytest.approx(2 * 27.9 * 25.907e-3, rel=1e-3)
    assert "idle coating" not in POUCH


@pytest.mark.parametrize(("n_to_p", "cycles"), [(0.0, 40), (0.5, 140), (1.13, 266), (2.0, 440)])
def test_cycles_that_spare_lithium_allows(n_to_p, cycles):
    assert cycles_by_inventory(n_to_p, 0.995) == pytest.approx(cycles, abs=0.5)


def test_what_cycles_prove_is_the_inverse_of_what_lithium_allows():
    low = least_efficiency(1.13, 0.8, 50)
    assert cycles_by_inventory(1.13, low) == pytest.approx(50, rel=1e-12)
