"""The powder pattern of ZnO against the card, another library, and what symmetry forbids."""

import itertools
import math

import pytest

from interlith.characterize.diffraction.radiation import COPPER, Radiation, stated, two_theta_deg
from interlith.characterize.diffraction.wurtzite import (
    MULTIPLICITY,
    OXYGEN,
    SECOND_ORDERS,
    TEXTURE_LINES,
    ZINC,
    _scattered,
    powder_lines,
    spacing_nm,
    structure_factor_squared,
)

# JCPDS 36-1451 as it is quoted: peak heights, which a diffractometer gives a little differently from areas
CARD = {
    "100": (31.770, 57),
    "002": (34.422, 44),
    "101": (36.253, 100),
    "102": (47.539, 23),
    "110": (56.603, 32),
    "103": (62.864, 29),
    "112": (67.963, 23),
}
# gemmi 0.7.5, scattering factors of neutral atoms (Int. Tables C 6.1.1.4), the same cell, B and f', without f''
GEMMI = {
    "100": (31.7686, 55.33),
    "002": (34.4220, 41.23),
    "101": (36.2538, 100.0),
    "102": (47.5398, 22.65),
    "110": (56.5957, 33.74),
    "103": (62.8580, 30.49),
    "200": (66.3765, 4.66),
    "112": (67.9485, 25.49),
    "201": (69.0870, 12.47),
    "004": (72.5673, 2.03),
    "202": (76.9606, 4.08),
    "104": (81.3866, 2.08),
    "203": (89.6137, 8.97),
}


def test_places_and_intensities_are_those_of_the_card():
    found = {line.hkl: line for line in powder_lines(COPPER)}
    for hkl, (angle, intensity) in CARD.items():
        assert found[hkl].two_theta_deg == pytest.approx(angle, abs=0.02)
        assert found[hkl].powder_intensity == pytest.approx(intensity, rel=0.15)


def test_another_library_finds_the_same():
    found = {line.hkl: line for line in powder_lines(COPPER)}
    assert found.keys() == GEMMI.keys()
    for hkl, (angle, intensity) in GEMMI.items():
        assert found[hkl].two_theta_deg == pytest.approx(angle, abs=2e-4)
        assert found[hkl].powder_intensity == pytest.approx(intensity, rel=0.05)


def test_every_line_below_90_degrees_is_there_with_its_multiplicity():
    """Counted from all indices: equal spacing and equal structure factor are one line of a powder."""
    seen: dict[tuple[int, ...], int] = {}
    for h, k, l in itertools.product(range(-4, 5), repeat=3):  # noqa: E741
        if (h, k, l) == (0, 0, 0):
            continue
        angle = two_theta_deg(spacing_nm((h, k, l)), COPPER.kalpha1_nm)
        if angle is None or angle > 90 or structure_factor_squared((h, k, l)) < 1e-6:
            continue
        i = -(h + k)
        family = (*sorted(map(abs, (h, k, i)), reverse=True), abs(l))
        seen[family] = seen.get(family, 0) + 1
    listed = {(*sorted((h, k, h + k), reverse=True), l): n for (h, k, l), n in MULTIPLICITY.items()}  # noqa: E741
    assert seen == listed


@pytest.mark.parametrize("hkl", [(0, 0, 1), (0, 0, 3), (1, 1, 1), (1, 1, 3)])
def test_the_c_glide_forbids(hkl):
    assert structure_factor_squared(hkl) == pytest.approx(0.0, abs=1e-20)


def test_forward_scattering_holds_all_electrons():
    """Zn2+ has 28 electrons and O2- has 10."""
    assert abs(_scattered(ZINC, 0.0)) == pytest.approx(28.0, abs=0.05)
    assert abs(_scattered(OXYGEN, 0.0)) == pytest.approx(10.0, abs=0.05)


def test_second_orders_are_half_the_spacing():
    for second, first in SECOND_ORDERS.items():
        two, one = (tuple(map(int, hkl)) for hkl in (second, first))
        order = spacing_nm(one) / spacing_nm(two)
        assert order == pytest.approx(2.0, abs=1e-12)
        assert second not in TEXTURE_LINES


def test_longer_waves_reflect_at_larger_angles_and_then_not_at_all():
    cobalt = stated(0.178900, 0.179290, None, "Co")
    copper, longer = ({line.hkl: line.two_theta_deg for line in powder_lines(one)} for one in (COPPER, cobalt))
    assert all(longer[hkl] > copper[hkl] for hkl in longer)
    assert not cobalt.is_copper
    assert cobalt.kbeta_nm is None
    assert powder_lines(Radiation(0.3, None, 0.0, None, "soft"))[-1].two_theta_deg < 180
    assert len(powder_lines(Radiation(0.3, None, 0.0, None, "soft"))) < len(copper)


def test_bragg():
    angle = two_theta_deg(spacing_nm((0, 0, 2)), COPPER.kalpha1_nm)
    assert angle is not None
    assert 2 * spacing_nm((0, 0, 2)) * math.sin(math.radians(angle / 2)) == pytest.approx(COPPER.kalpha1_nm, rel=1e-12)
